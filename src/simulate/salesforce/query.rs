//! Queries over HTTP: `query`, `queryAll`, and the further pages behind `nextRecordsUrl`.

use std::collections::VecDeque;

use super::error::Failure;
use super::http::{Reply, Request};
use super::soql::{self, Answer, Bound, Scope};
use super::table::Store;
use super::value::{Id, write_json_text};
use super::{Org, lock};

/// How many locators are kept; the oldest go first.
const KEPT: usize = 100;

/// Queries of which not all pages were fetched.
#[derive(Default)]
pub struct Locators {
    next: u64,
    open: VecDeque<Locator>,
}

struct Locator {
    id: String,
    query: Bound,
    rows: Vec<u32>,
    deleted: bool,
}

impl Locators {
    pub fn expire_all(&mut self) {
        self.open.clear();
    }
}

impl Org {
    /// `GET /query?q=…`
    ///
    /// # Errors
    /// In Salesforce's words.
    pub fn query(
        &self,
        store: &Store,
        version: &str,
        request: &Request,
        deleted: bool,
    ) -> Result<Reply, Failure> {
        let Some(text) = request.param("q") else {
            if request.param("explain").is_some() {
                return Err(Failure::new(
                    400,
                    "UNKNOWN_EXCEPTION",
                    "query plans are not available",
                ));
            }
            return Err(Failure::new(
                400,
                "MALFORMED_QUERY",
                "A query string has to be specified",
            ));
        };
        if text.chars().count() > 100_000 {
            return Err(Failure::new(
                400,
                "MALFORMED_QUERY",
                "SOQL statements cannot be longer than 100000 characters.",
            ));
        }
        let batch = batch_size(request);
        let bound = soql::prepare(&self.schema, text, self.now_ms())?;
        let scope = Scope { store, deleted };
        match scope.run(&bound) {
            Answer::Count(count) => Ok(Reply::text(
                200,
                format!("{{\"totalSize\":{count},\"done\":true,\"records\":[]}}"),
            )),
            Answer::Groups(groups) => {
                if groups.len() > 2000 {
                    return Err(Failure::new(
                        400,
                        "EXCEEDED_ID_LIMIT",
                        "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch",
                    ));
                }
                let mut out = format!(
                    "{{\"totalSize\":{},\"done\":true,\"records\":[",
                    groups.len()
                );
                for (place, cells) in groups.iter().enumerate() {
                    out.push_str(if place > 0 { ",{" } else { "{" });
                    out.push_str("\"attributes\":{\"type\":\"AggregateResult\"}");
                    for (column, cell) in bound.columns.iter().zip(cells) {
                        out.push(',');
                        write_json_text(&column.name, &mut out);
                        out.push(':');
                        cell.write_json(&self.schema, &mut out);
                    }
                    out.push('}');
                }
                out.push_str("]}");
                Ok(Reply::text(200, out))
            }
            Answer::Rows(rows) => {
                // With children in the answer a page is smaller, as with the vendor.
                let total = rows.len();
                if total <= batch {
                    return Ok(Reply::text(
                        200,
                        page(&scope, version, &bound, &rows, 0, batch, None),
                    ));
                }
                let mut locators = lock(&self.locators);
                locators.next += 1;
                let id = format!("01gHs000000{:04}IAC", locators.next % 10_000);
                let body = page(&scope, version, &bound, &rows, 0, batch, Some(&id));
                locators.open.retain(|open| open.id != id);
                locators.open.push_back(Locator {
                    id,
                    query: bound,
                    rows,
                    deleted,
                });
                while locators.open.len() > KEPT {
                    locators.open.pop_front();
                }
                Ok(Reply::text(200, body))
            }
        }
    }

    /// `GET /query/01g…-2000`
    ///
    /// # Errors
    /// `INVALID_QUERY_LOCATOR` when there is no such page, or no longer.
    pub fn query_more(
        &self,
        store: &Store,
        version: &str,
        request: &Request,
        locator: &str,
    ) -> Result<Reply, Failure> {
        let invalid = || Failure::new(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
        let (id, offset) = locator.rsplit_once('-').ok_or_else(invalid)?;
        let offset: usize = offset.parse().map_err(|_| invalid())?;
        let locators = lock(&self.locators);
        let open = locators
            .open
            .iter()
            .find(|open| open.id == id || open.id[..15] == *id)
            .ok_or_else(invalid)?;
        if offset >= open.rows.len() {
            return Err(invalid());
        }
        let scope = Scope {
            store,
            deleted: open.deleted,
        };
        Ok(Reply::text(
            200,
            page(
                &scope,
                version,
                &open.query,
                &open.rows,
                offset,
                batch_size(request),
                Some(id),
            ),
        ))
    }
}

/// `Sforce-Query-Options: batchSize=500`; 2,000 rows without it, and never fewer than 200.
fn batch_size(request: &Request) -> usize {
    let wanted = request.header("sforce-query-options").and_then(|options| {
        options.split([',', ';']).find_map(|option| {
            option
                .trim()
                .to_ascii_lowercase()
                .strip_prefix("batchsize=")
                .and_then(|size| size.trim().parse().ok())
        })
    });
    wanted.unwrap_or(2000usize).clamp(200, 2000)
}

fn page(
    scope: &Scope<'_>,
    version: &str,
    query: &Bound,
    rows: &[u32],
    offset: usize,
    batch: usize,
    locator: Option<&str>,
) -> String {
    let end = (offset + batch).min(rows.len());
    let done = end >= rows.len();
    let mut out = format!("{{\"totalSize\":{},\"done\":{done}", rows.len());
    if let (false, Some(locator)) = (done, locator) {
        out.push_str(&format!(
            ",\"nextRecordsUrl\":\"/services/data/{version}/query/{locator}-{end}\""
        ));
    }
    out.push_str(",\"records\":[");
    for (place, row) in rows[offset..end].iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        soql::record(
            scope,
            version,
            Id {
                object: query.object,
                row: *row,
            },
            &query.columns,
            &mut out,
        );
    }
    out.push_str("]}");
    out
}
