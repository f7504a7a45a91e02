//! Reading a stream: page by page, and then only what changed. A stream's position is one small JSON text; it is stored with the rows that it covers.

use super::connector::ManifestConnector;
use super::map::{Mapped, Mapper};
use super::request::Values;
use super::schema::{Page as Paging, PageBy, StreamSpec, SyncBy};
use crate::book::{Cursor, RowProblem};
use crate::connect::convert::instant;
use crate::connect::{ConnectError, ErrorKind, Page};
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// Where a stream stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// What was asked, and how it was read.
    map: u64,
    /// Everything up to here has been seen by earlier runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// The newest modification that this run saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Timestamp>,
    /// When this run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began: Option<Timestamp>,
    /// When everything was last read from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swept: Option<Timestamp>,
    /// This run reads everything.
    #[serde(default)]
    whole: bool,
    /// Pages of this run so far.
    #[serde(default)]
    pages: u64,
    /// Rows of this run so far.
    #[serde(default)]
    rows: u64,
    /// The vendor's bookmark, an address, or the key of the last row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The first row of the last page, to notice one that comes again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    first: String,
}

impl State {
    fn parse(cursor: &Cursor) -> Option<State> {
        serde_json::from_str(&cursor.0).ok()
    }
    fn cursor(&self) -> Cursor {
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }
}

impl ManifestConnector {
    /// Whether it is time to read a stream whole again, because the vendor does not say what has gone.
    pub(super) fn is_sweep_due(&self, stream: &str, cursor: &Cursor) -> bool {
        let Ok(spec) = self.stream(stream) else {
            return false;
        };
        let Some(state) = State::parse(cursor) else {
            return false;
        };
        if state.pages > 0 {
            return false;
        }
        match (spec.sync.by, spec.sync.sweep_hours) {
            (SyncBy::Whole, None) => true,
            (_, Some(hours)) => state.swept.is_none_or(|at| {
                self.http.now().duration_since(at) >= SignedDuration::from_hours(i64::from(hours))
            }),
            _ => false,
        }
    }

    /// The next page of a stream.
    pub(super) async fn pull(
        &self,
        stream: &str,
        cursor: Option<&Cursor>,
    ) -> Result<Page, ConnectError> {
        let spec = self.stream(stream)?;
        let before = self.http.requests();
        let hash = self.mapping_hash(spec);
        let mut state = match cursor {
            None => State {
                map: hash,
                whole: true,
                ..State::default()
            },
            Some(c) => {
                State::parse(c).ok_or_else(|| self.lost(spec, "the bookmark cannot be read"))?
            }
        };
        if state.map != hash {
            return Err(self.lost(spec, "the manifest or the field mapping changed"));
        }
        let plan = self.plan(spec).await?;
        let picks = self.picks().await?;
        let fresh = state.pages == 0;
        if fresh {
            state.began = Some(self.http.now());
        }
        let changing = !state.whole && state.since.is_some();
        let (request, paging) = if changing {
            (
                spec.changes.as_ref().unwrap_or(&spec.read),
                spec.changes_page.as_ref().unwrap_or(&spec.page),
            )
        } else {
            (&spec.read, &spec.page)
        };
        let overlap = SignedDuration::from_mins(i64::from(spec.sync.overlap_minutes));
        let since = match (changing, state.since) {
            (true, Some(since)) => since.checked_sub(overlap).ok(),
            _ => spec.sync.first_days.and_then(|d| {
                self.http
                    .now()
                    .checked_sub(SignedDuration::from_hours(24 * i64::from(d)))
                    .ok()
            }),
        };
        let values = Values {
            since: since.filter(|_| spec.sync.by != SyncBy::Feed || changing),
            cursor: state
                .next
                .as_deref()
                .filter(|_| paging.by == PageBy::Cursor),
            last: state
                .next
                .as_deref()
                .filter(|_| paging.by == PageBy::Keyset),
            offset: Some(state.rows),
            number: Some(u64::from(paging.first) + state.pages),
            size: paging.size,
            fields: &plan.select,
            words: Some(&spec.words),
            ..self.values()
        };
        let (ask, answer) = match (&state.next, paging.by) {
            (Some(address), PageBy::Url) => {
                let mut ask = super::request::build(request, &values, true).ok_or_else(|| {
                    self.http.error(
                        ErrorKind::Protocol,
                        format!("the next page of {stream} cannot be asked for"),
                    )
                })?;
                address.clone_into(&mut ask.path);
                self.send_page(ask, stream).await?
            }
            _ => self.must(request, &values, stream).await?,
        };
        let mut page = Page {
            records: Vec::new(),
            problems: Vec::new(),
            next: Cursor(String::new()),
            done: true,
            total: None,
            requests: 0,
        };
        if fresh {
            page.problems
                .extend(plan.drift.iter().map(|reason| RowProblem {
                    entity: spec.entity,
                    external_id: None,
                    reason: reason.clone(),
                }));
        }
        let document = match &answer {
            Some(answer) => self.document(answer, &ask, stream)?,
            None => "[]",
        };
        let rows = match &answer {
            Some(_) => self.rows(document, &spec.rows, stream)?,
            None => Vec::new(),
        };
        page.total = paging
            .total
            .as_ref()
            .and_then(|p| p.text(document)?.parse().ok());
        let joins = self.join(spec, &rows).await?;
        let currency = self.currency();
        let mapper = Mapper {
            spec,
            plan: &plan,
            picks: &picks,
            joins: &joins,
            values: self.values(),
            currency: &currency,
            first: state.whole,
        };
        let mut mapped = Mapped::default();
        let known = since.filter(|_| spec.sync.by == SyncBy::Feed && changing);
        let mut caught_up = false;
        for row in &rows {
            let at = spec
                .modified
                .as_ref()
                .and_then(|m| instant(&super::map::alone(m, row)?));
            if let (Some(known), Some(at)) = (known, at)
                && at < known
            {
                caught_up = true;
                break;
            }
            state.newest = state.newest.max(at);
            mapper.map(row, &mut mapped);
        }
        let first = rows
            .first()
            .and_then(|r| super::map::alone(&spec.id, r))
            .unwrap_or_default();
        if rows.len() > 1 && state.pages > 0 && first == state.first {
            return Err(self.http.error(
                ErrorKind::Protocol,
                format!("a page of {stream} came twice; what came before is stored, csops asks again by itself"),
            ));
        }
        state.first = first;
        page.records = mapped.records;
        page.problems.append(&mut mapped.problems);
        state.pages += 1;
        state.rows += rows.len() as u64;
        state.next = if caught_up {
            None
        } else {
            self.next(paging, document, &rows)?
        };
        let short = paging.size.is_some_and(|size| rows.len() < size as usize);
        page.done = caught_up
            || match paging.by {
                PageBy::None => true,
                PageBy::Number | PageBy::Offset => short,
                PageBy::Keyset => short || state.next.is_none(),
                PageBy::Cursor | PageBy::Url => state.next.is_none(),
            };
        if let Some(cap) = paging.cap
            && !page.done
            && state.rows >= cap
        {
            page.problems.push(RowProblem {
                entity: spec.entity,
                external_id: None,
                reason: format!(
                    "{} shows no more than {cap} rows of {stream}; what lies beyond is not seen",
                    self.m.name
                ),
            });
            page.done = true;
        }
        if page.done {
            let seen = if spec.modified.is_some() {
                state.newest
            } else {
                state.began
            };
            state = State {
                map: hash,
                // A book without rows has nothing to begin at but this run.
                since: seen.max(state.since).or(state.began),
                swept: if state.whole {
                    state.began
                } else {
                    state.swept
                },
                ..State::default()
            };
        }
        page.next = state.cursor();
        page.requests = u32::try_from(self.http.requests() - before).unwrap_or(u32::MAX);
        Ok(page)
    }

    async fn send_page(
        &self,
        ask: crate::connect::http::Ask,
        stream: &str,
    ) -> Result<
        (
            crate::connect::http::Ask,
            Option<crate::connect::http::Answer>,
        ),
        ConnectError,
    > {
        let (ask, judged) = self.send(ask, stream).await?;
        Ok((ask, judged.map_err(|f| f.error)?))
    }

    /// Where the next page is.
    fn next(
        &self,
        paging: &Paging,
        document: &str,
        rows: &[&str],
    ) -> Result<Option<String>, ConnectError> {
        Ok(match paging.by {
            PageBy::Cursor => paging.from.text(document),
            PageBy::Keyset => rows.last().and_then(|r| paging.from.text(r)),
            PageBy::Url => match paging.from.text(document) {
                Some(address) => Some(self.own_path(&self.http.bare(&address))?),
                None => None,
            },
            _ => None,
        })
    }

    /// The path of an address under our base; another host gets nothing of us.
    fn own_path(&self, address: &str) -> Result<String, ConnectError> {
        let foreign = || {
            self.http.error(
                ErrorKind::Protocol,
                "the address of the next page leads to another host; csops does not follow it",
            )
        };
        let base = Url::parse(self.http.base()).map_err(|_| foreign())?;
        let url = base.join(address).map_err(|_| foreign())?;
        if url.origin() != base.origin() {
            return Err(foreign());
        }
        let whole = url
            .as_str()
            .get(url.origin().ascii_serialization().len()..)
            .unwrap_or_default();
        let prefix = base.path().trim_end_matches('/');
        Ok(whole.strip_prefix(prefix).unwrap_or(whole).to_owned())
    }

    /// Asks for what belongs to the rows of a page.
    async fn join(
        &self,
        spec: &StreamSpec,
        rows: &[&str],
    ) -> Result<HashMap<String, HashMap<String, String>>, ConnectError> {
        let mut all: HashMap<String, HashMap<String, String>> = HashMap::new();
        for join in &spec.join {
            let through = join.through.as_ref().map(|name| {
                let mut ends: Vec<(String, String)> = Vec::new();
                for (row, found) in all.get(name).into_iter().flatten() {
                    ends.extend(join.at.text(found).map(|id| (row.clone(), id)));
                }
                ends
            });
            let asked: Vec<String> = match &through {
                None => Vec::new(),
                Some(ends) => {
                    let ids: BTreeSet<&str> = ends.iter().map(|(_, id)| id.as_str()).collect();
                    let row = |id: &str| serde_json::json!({ "id": id }).to_string();
                    ids.into_iter().map(row).collect()
                }
            };
            let asked: Vec<&str> = match &through {
                None => rows.to_vec(),
                Some(_) => asked.iter().map(String::as_str).collect(),
            };
            let mut found: HashMap<String, String> = HashMap::new();
            for batch in asked.chunks(join.batch.max(1) as usize) {
                let values = Values {
                    rows: batch,
                    words: Some(&spec.words),
                    ..self.values()
                };
                let what = format!("{} of {}", join.name, spec.name);
                let (ask, answer) = self.must(&join.request, &values, &what).await?;
                let Some(answer) = answer else { continue };
                let document = self.document(&answer, &ask, &what)?;
                for row in self.rows(document, &join.rows, &what)? {
                    if let Some(key) = join.key.text(row) {
                        found.insert(key, row.to_owned());
                    }
                }
            }
            if let Some(ends) = through {
                found = ends
                    .into_iter()
                    .filter_map(|(row, id)| Some((row, found.get(&id)?.clone())))
                    .collect();
            }
            all.insert(join.name.clone(), found);
        }
        Ok(all)
    }

    /// Maps one row as a stream does, as a row that is wanted.
    pub(super) async fn map_one(
        &self,
        spec: &StreamSpec,
        row: &str,
    ) -> Result<Mapped, ConnectError> {
        let plan = self.plan(spec).await?;
        let picks = self.picks().await?;
        let joins = self.join(spec, &[row]).await?;
        let currency = self.currency();
        let mapper = Mapper {
            spec,
            plan: &plan,
            picks: &picks,
            joins: &joins,
            values: self.values(),
            currency: &currency,
            first: true,
        };
        let mut mapped = Mapped::default();
        mapper.map(row, &mut mapped);
        Ok(mapped)
    }

    fn lost(&self, spec: &StreamSpec, why: &str) -> ConnectError {
        self.http.error(
            ErrorKind::CursorLost,
            format!("{why}; {} is read afresh", spec.name),
        )
    }
}
