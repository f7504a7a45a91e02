//! Reading Gainsight's objects: pages of 5,000 rows in the order of their ids, only what was modified since the last run.
//!
//! `ModifiedDate` takes times without a zone and nobody says which zone is meant, so each run looks back a day. Pages overlap by
//! one row: where that row is not the one that was last, rows left meanwhile, and the run starts again (rows are only ever replaced by themselves).

use super::api::named_in;
use super::schema::{ObjectInfo, Plan};
use super::{DELETIONS, Gainsight};
use crate::book::{Cursor, Entity, FieldValue, Record, RowProblem};
use crate::connect::canon;
use crate::connect::convert::{Kind, convert, instant, kind_of};
use crate::connect::http::Ask;
use crate::connect::json::Row;
use crate::connect::manifest::object::ObjectSpec;
use crate::connect::{ConnectError, ErrorKind, IDENTIFIERS, Page};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::borrow::Cow;
use std::cell::LazyCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The most rows that an answer may have, where the manifest says nothing.
const PAGE: usize = 5000;
/// Of a book with so many accounts half a year of dated numbers is read, and a quarter.
const SMALL_BOOK: usize = 5_000;
const LARGE_BOOK: usize = 50_000;
/// The zone of `ModifiedDate` conditions is not documented; no zone is further away.
pub(super) const LOOKBACK: SignedDuration = SignedDuration::from_hours(24);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    map: u64,
    plan: Plan,
    /// The newest modification that earlier runs saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// The newest that this run saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Timestamp>,
    /// Rows of this run so far.
    #[serde(default)]
    offset: usize,
    /// The id of the last of them.
    #[serde(default)]
    last: String,
    /// How often this run started again.
    #[serde(default)]
    restarts: u8,
    /// How many weeks of dated numbers are read, decided once: a first load that was interrupted goes on with as many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weeks: Option<i64>,
}

impl Gainsight {
    pub(super) async fn pull(
        &self,
        stream: &str,
        cursor: Option<&Cursor>,
    ) -> Result<Page, ConnectError> {
        let before = self.http.requests();
        let spec = self.m.object(stream).ok_or_else(|| {
            self.http
                .error(ErrorKind::Setup, format!("there is no stream `{stream}`"))
        })?;
        let mut page = match spec.entity {
            Entity::Escalation => self.pull_ctas(cursor).await?,
            Entity::Task => self.pull_tasks(cursor).await?,
            _ if spec.name == DELETIONS => self.pull_deletions(cursor).await?,
            _ => self.pull_object(spec, cursor).await?,
        };
        page.requests = u32::try_from(self.http.requests() - before).unwrap_or(u32::MAX);
        Ok(page)
    }

    pub(super) fn lost(&self, stream: &str) -> ConnectError {
        self.http.error(
            ErrorKind::CursorLost,
            format!("the bookmark of {stream} cannot be read; the stream is read afresh"),
        )
    }

    async fn pull_object(
        &self,
        spec: &ObjectSpec,
        cursor: Option<&Cursor>,
    ) -> Result<Page, ConnectError> {
        let (stream, size) = (spec.stream.as_str(), rows_of_page(spec));
        let mut state = match cursor {
            Some(c) => serde_json::from_str::<State>(&c.0).map_err(|_| self.lost(stream))?,
            None => State {
                map: self.mapping_hash(spec),
                plan: self.plan(spec).await?,
                ..State::default()
            },
        };
        if state.map != self.mapping_hash(spec) {
            return Err(self.http.error(
                ErrorKind::CursorLost,
                format!("the field mapping changed; {stream} is read afresh"),
            ));
        }
        let mut page = Page {
            records: Vec::new(),
            problems: Vec::new(),
            next: Cursor(String::new()),
            done: true,
            total: None,
            requests: 0,
        };
        let Some(object) = state.plan.object.clone() else {
            page.next = bookmark(&state);
            return Ok(page);
        };
        if state.since.is_none() && state.weeks.is_none() {
            state.weeks = self.history(spec).await?;
        }
        let reply = loop {
            let overlap = usize::from(state.offset > 0);
            let mut from = None;
            if let (Some(since), Some(field)) = (state.since, &state.plan.modified) {
                from = Some((field.as_str(), since - LOOKBACK));
            } else if let (Some(weeks), Some(field)) = (state.weeks, state.plan.theirs("at")) {
                let began = self.http.now() - SignedDuration::from_hours(weeks * 7 * 24);
                from = Some((field, began));
            }
            let ask = question(
                &object,
                &state.plan.select,
                from,
                state.offset - overlap,
                size,
            );
            match self.call(&ask, &object).await? {
                Ok(reply) => break reply,
                Err(fault) => {
                    let missing = named_in(&state.plan.select, &fault.words, &["Gsid"]).cloned();
                    let Some(missing) = missing else {
                        if fault.code == "OBJECT_NOT_FOUND" && spec.is_found() {
                            state.plan = Plan::default();
                            page.next = bookmark(&state);
                            return Ok(page);
                        }
                        return Err(fault.error);
                    };
                    state.plan.forget(&missing);
                    page.problems.push(RowProblem {
                        entity: spec.entity,
                        external_id: None,
                        reason: format!("{object}.{missing} is not there; the rest is read without it. Correct [source.fields]"),
                    });
                }
            }
        };
        let rows = reply.rows();
        let count = rows.len();
        let mut skip = 0;
        if state.offset > 0 {
            let first = rows
                .first()
                .and_then(|r| r.filled("Gsid"))
                .unwrap_or_default();
            if first == state.last {
                skip = 1;
            } else {
                state.restarts += 1;
                if state.restarts > 3 {
                    return Err(self.http.error(
                        ErrorKind::Protocol,
                        format!("the pages of {object} do not follow each other (a page repeats, or rows vanish all the time); csops asks again by itself"),
                    ));
                }
                state.offset = 0;
                state.last.clear();
                page.done = false;
                page.next = bookmark(&state);
                return Ok(page);
            }
        }
        for row in rows.iter().skip(skip) {
            if let Some(at) = state
                .plan
                .modified
                .as_deref()
                .and_then(|f| instant(&row.text(f)?))
            {
                state.newest = state.newest.max(Some(at));
            }
            self.map_row(spec, &state.plan, row, &mut page);
        }
        page.done = count < size;
        if spec.entity == Entity::Account && state.since.is_none() {
            self.accounts
                .fetch_max(state.offset + count, Ordering::Relaxed);
        }
        if page.done {
            state.since = state.newest.take().max(state.since);
            state.offset = 0;
            state.last.clear();
            state.restarts = 0;
        } else {
            let last = rows
                .last()
                .and_then(|r| r.filled("Gsid"))
                .unwrap_or_default();
            if last == state.last {
                return Err(self.http.error(
                    ErrorKind::Protocol,
                    format!("a page of {object} came twice; csops asks again by itself"),
                ));
            }
            state.offset += count - skip;
            state.last = last;
        }
        page.next = bookmark(&state);
        Ok(page)
    }

    /// How many weeks of dated numbers a first load goes back: a year, less for a large book, because there is a row per account and week.
    /// Surveys are few and read whole.
    async fn history(&self, spec: &ObjectSpec) -> Result<Option<i64>, ConnectError> {
        if !matches!(spec.kind.as_deref(), Some("usage.weekly" | "health")) {
            return Ok(None);
        }
        let wished = self
            .option("history_weeks")
            .and_then(|w| w.parse().ok())
            .filter(|w| (1..=1040).contains(w));
        if wished.is_some() {
            return Ok(wished);
        }
        for (accounts, weeks) in [(LARGE_BOOK, 13), (SMALL_BOOK, 26)] {
            if self.are_there(accounts).await? {
                return Ok(Some(weeks));
            }
        }
        Ok(Some(52))
    }

    /// Whether there are at least so many accounts. When another process has read them, before the load was interrupted, the vendor is asked.
    async fn are_there(&self, accounts: usize) -> Result<bool, ConnectError> {
        let read = self.accounts.load(Ordering::Relaxed);
        let (0, Some(spec)) = (read, self.m.object_of(Entity::Account)) else {
            return Ok(read >= accounts);
        };
        let Some(object) = self.plan(spec).await?.object else {
            return Ok(false);
        };
        let ask = question(&object, &["Gsid".to_owned()], None, accounts - 1, 1);
        let reply = self.call(&ask, &object).await?.map_err(|f| f.error)?;
        Ok(!reply.rows().is_empty())
    }

    /// What the vendor says about an object; asked once per process.
    pub(super) async fn describe(
        &self,
        object: &str,
    ) -> Result<Option<Arc<ObjectInfo>>, ConnectError> {
        if let Some(known) = crate::connect::http::lock(&self.objects).get(object) {
            return Ok(known.clone());
        }
        let body = json!({"objectNames": [object], "populatePickListOptions": "true"});
        let ask = Ask::query("/v1/meta/services/objects/describe", &body);
        let mut info = match self.call(&ask, "the object's description").await? {
            Ok(reply) => ObjectInfo::parse(&reply.data()),
            Err(fault) if matches!(fault.error.kind, ErrorKind::Auth | ErrorKind::Retry { .. }) => {
                return Err(fault.error);
            }
            Err(_) => None,
        };
        if let Some(info) = &mut info {
            for field in info
                .fields
                .iter_mut()
                .filter(|f| f.kind.contains("PICK") && f.options.is_empty())
            {
                let Some(category) = field.category.clone() else {
                    continue;
                };
                let ask = Ask::get(format!(
                    "/v1/meta/services/dropdowns/{}",
                    crate::connect::http::encode(&category)
                ));
                if let Ok(reply) = self.call(&ask, "a pick list").await? {
                    let data = reply.data();
                    let items = data
                        .get("childItems")
                        .and_then(|c| c.as_array())
                        .cloned()
                        .unwrap_or_default();
                    for item in items {
                        if let (Some(id), Some(name)) =
                            (item["gsid"].as_str(), item["name"].as_str())
                        {
                            field.options.insert(id.to_owned(), name.to_owned());
                        }
                    }
                }
            }
        }
        let info = info.map(Arc::new);
        crate::connect::http::lock(&self.objects).insert(object.to_owned(), info.clone());
        Ok(info)
    }

    /// Chooses what to ask for.
    pub(super) async fn plan(&self, spec: &ObjectSpec) -> Result<Plan, ConnectError> {
        let currency = self
            .option("currency")
            .unwrap_or("USD")
            .to_ascii_uppercase();
        if !spec.is_found() {
            let mut plan = match self.describe(&spec.name).await? {
                Some(info) => Plan::new(spec, &spec.name, &info, &self.fields),
                None => Plan::blind(spec),
            };
            plan.currency = currency;
            return Ok(plan);
        }
        let wished = self
            .option(&format!("{}_object", spec.stream))
            .map(str::to_owned);
        let candidates = match wished {
            Some(name) => vec![name],
            None => {
                let names = self.object_names().await?;
                let mut fit: Vec<String> = Vec::new();
                for word in &spec.find {
                    fit.extend(
                        names
                            .iter()
                            .filter(|n| n.to_ascii_lowercase().contains(word.as_str()))
                            .cloned(),
                    );
                }
                fit.dedup();
                fit.truncate(4);
                fit
            }
        };
        for name in candidates {
            if let Some(info) = self.describe(&name).await? {
                let plan = Plan::new(spec, &name, &info, &self.fields);
                if ["account", "at", "value"]
                    .iter()
                    .all(|f| plan.theirs(f).is_some())
                {
                    return Ok(Plan { currency, ..plan });
                }
            }
        }
        Ok(Plan::default())
    }

    async fn object_names(&self) -> Result<&[String], ConnectError> {
        let names = self
            .names
            .get_or_try_init(|| async {
                let ask = Ask::get("/v1/meta/services/objects/list?po=company&em=false");
                let reply = match self.call(&ask, "the list of objects").await? {
                    Ok(reply) => reply,
                    Err(fault)
                        if matches!(
                            fault.error.kind,
                            ErrorKind::Auth | ErrorKind::Retry { .. }
                        ) =>
                    {
                        return Err(fault.error);
                    }
                    Err(_) => return Ok(Vec::new()),
                };
                Ok::<_, ConnectError>(
                    reply
                        .rows()
                        .iter()
                        .filter_map(|r| r.filled("objectName").or_else(|| r.filled("name")))
                        .collect(),
                )
            })
            .await?;
        Ok(names)
    }

    /// Maps one row of an object.
    pub(super) fn map_row(&self, spec: &ObjectSpec, plan: &Plan, row: &Row<'_>, page: &mut Page) {
        let Some(id) = row.filled("Gsid").or_else(|| row.filled("GSID")) else {
            page.problems.push(RowProblem {
                entity: spec.entity,
                external_id: None,
                reason: "a row without an id was left out".into(),
            });
            return;
        };
        let currency = LazyCell::new(|| {
            ["CurrencyIsoCode", "Currency", "Currency__gc"]
                .iter()
                .find_map(|f| self.word(plan, row, f))
                .filter(|c| crate::book::value::currency_code(c).is_some())
                .unwrap_or_else(|| plan.currency.clone())
        });
        let mut record = Record {
            entity: spec.entity,
            external_id: id.clone(),
            modified: plan
                .modified
                .as_deref()
                .and_then(|f| instant(&row.text(f)?)),
            deleted: false,
            fields: Vec::with_capacity(plan.map.len() + 3),
        };
        for (canonical, theirs) in &plan.map {
            let Some(raw) = row.raw(theirs) else { continue };
            let kind = kind_of(spec.entity, canonical);
            let currency = if kind == Kind::Money { &currency } else { "" };
            let is_listed = plan.options.contains_key(theirs);
            let value = match is_listed.then(|| self.word(plan, row, theirs)).flatten() {
                // An item of a pick list whose name we know.
                Some(word) => convert(&json!(word).to_string(), kind, currency),
                None => typed(theirs, raw, kind, currency),
            };
            match value {
                Ok(value) => record
                    .fields
                    .push((spec.entity.field_name(canonical), value)),
                Err(why) => page.problems.push(RowProblem {
                    entity: spec.entity,
                    external_id: Some(id.clone()),
                    reason: format!("{theirs} {why}; the field was left out"),
                }),
            }
        }
        let text = |t: &str| FieldValue::text(t);
        match spec.entity {
            Entity::Account => {
                canon::settle_account(&mut record);
                if let Some(w) = record.get("domain").and_then(FieldValue::as_str) {
                    let d = crate::connect::convert::domain(w)
                        .map_or(FieldValue::Null, FieldValue::Text);
                    set(&mut record, "domain", d);
                }
                let ids: Vec<String> = plan
                    .identifiers
                    .iter()
                    .filter_map(|f| row.filled(f))
                    .collect();
                if !ids.is_empty() {
                    set(&mut record, IDENTIFIERS, FieldValue::List(ids));
                }
            }
            Entity::Person => {
                if let Some(e) = record.get("email").and_then(FieldValue::as_str) {
                    let e = text(e.trim().to_ascii_lowercase().as_str());
                    set(&mut record, "email", e);
                }
                let role = ["Title", "Role", "Department"]
                    .iter()
                    .find_map(|f| canon::person_role(&self.word(plan, row, f)?));
                if let Some(role) = role {
                    set(&mut record, "role", text(role));
                }
            }
            Entity::Contact => {
                let get = |f: &str| {
                    record
                        .get(f)
                        .and_then(FieldValue::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                if let Some(role) = canon::contact_role(&get("role"), &get("title")) {
                    set(&mut record, "role", FieldValue::Text(role));
                }
            }
            Entity::Touchpoint => {
                let word = record
                    .get("kind")
                    .and_then(FieldValue::as_str)
                    .unwrap_or("Update")
                    .to_owned();
                set(&mut record, "kind", text(canon::touch_kind(&word)));
                // One of the fields for it has plain words already; what looks like a tag there is none.
                let rich = plan
                    .theirs("body")
                    .is_some_and(|f| !f.to_ascii_lowercase().contains("plain"));
                if let Some(body) = record.get("body").and_then(FieldValue::as_str)
                    && rich
                {
                    let plain = FieldValue::text(canon::without_tags(body));
                    set(&mut record, "body", plain);
                }
            }
            Entity::Signal => {
                for (field, word) in [("kind", &spec.kind), ("unit", &spec.unit)] {
                    let word = word.as_deref().unwrap_or_default();
                    set(&mut record, field, text(word));
                }
            }
            _ => {}
        }
        page.records.push(record);
    }

    fn word(&self, plan: &Plan, row: &Row<'_>, theirs: &str) -> Option<String> {
        let value = row.filled(theirs)?;
        match plan.options.get(theirs).and_then(|o| o.get(&value)) {
            Some(name) => Some(name.clone()),
            None => Some(value),
        }
    }
}

/// The tenant's own date fields are numbers of milliseconds; their names say so better than their values.
fn typed(theirs: &str, raw: &str, kind: Kind, currency: &str) -> Result<FieldValue, String> {
    let dated =
        kind == Kind::Any && theirs.to_ascii_lowercase().contains("date") && raw.len() >= 12;
    convert(raw, if dated { Kind::Instant } else { kind }, currency)
}

/// The most rows of one answer.
pub(super) fn rows_of_page(spec: &ObjectSpec) -> usize {
    spec.page.map_or(PAGE, |p| p as usize)
}

/// Asks for rows of an object in the order of their ids.
pub(super) fn question(
    object: &str,
    select: &[String],
    from: Option<(&str, Timestamp)>,
    offset: usize,
    size: usize,
) -> Ask {
    let mut body =
        json!({"select": select, "orderBy": {"Gsid": "asc"}, "limit": size, "offset": offset});
    if let Some((field, from)) = from {
        let condition =
            json!({"name": field, "alias": "A", "operator": "GTE", "value": [stamp(from)]});
        body["where"] = json!({"conditions": [condition], "expression": "A"});
    }
    Ask::query(format!("/v1/data/objects/query/{object}"), &body)
}

fn bookmark<T: Serialize>(state: &T) -> Cursor {
    Cursor(serde_json::to_string(state).unwrap_or_default())
}

fn set(record: &mut Record, field: &'static str, value: FieldValue) {
    if let Some(slot) = record.fields.iter_mut().find(|(n, _)| n == field) {
        slot.1 = value;
    } else {
        record.fields.push((Cow::Borrowed(field), value));
    }
}

/// `2026-01-02 17:38:59`, as object queries take it.
fn stamp(t: Timestamp) -> String {
    t.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
