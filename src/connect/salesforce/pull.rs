//! Reading Salesforce: one SOQL query per stream, by `SystemModstamp` and id, deletions in the same answer.
//!
//! The first load reads living rows (`/query`), later runs read everything that moved (`/queryAll`, the recycle bin included). Pages are
//! followed by the vendor's locator; should that expire, the run goes on from the last row by its key. A first load whose first page says
//! that there are very many rows goes over to a bulk job, and comes back to REST for what changed since that began.

use super::Salesforce;
use super::bulk::{Job, Step, Table};
use super::rows::{self, Mapped};
use super::schema::{Plan, SYSTEM};
use crate::book::{Cursor, Entity, RowProblem};
use crate::connect::convert::{instant, iso};
use crate::connect::http::{Ask, encode};
use crate::connect::json::{Row, elements, is_array};
use crate::connect::manifest::object::ObjectSpec;
use crate::connect::manifest::soql;
use crate::connect::{ConnectError, ErrorKind, Page};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderName;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A row that is committed late bears an earlier stamp: this much is read again.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// When the newest row is older than this at the start of a run, nothing can come before it any more.
const SETTLED: SignedDuration = SignedDuration::from_mins(30);

/// Where a row stands in the order of a stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    at: Timestamp,
    id: String,
}

/// What a cursor holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    /// Hash of the settings that decide what is asked.
    map: u64,
    plan: Plan,
    /// Rows from here on are new to this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Key>,
    /// `since` itself is known already.
    #[serde(default)]
    exclusive: bool,
    /// The vendor's next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The last row of this run so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Key>,
    /// This run began then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<Timestamp>,
    /// This run is the first load.
    #[serde(default)]
    first: bool,
    /// The first load by a bulk job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bulk: Option<Job>,
    /// The vendor has no bulk job for this first load.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rest: bool,
    /// Rows of this run that came by a bulk job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loaded: Option<u64>,
}

impl State {
    /// What the bulk job could not hold comes by REST: all that moved since it began, deletions too.
    fn leave_bulk(&mut self, job: &Job) {
        self.since = Some(Key {
            at: job.created - OVERLAP,
            id: String::new(),
        });
        self.exclusive = false;
        self.first = false;
        self.started = None;
        self.loaded = Some(job.taken);
    }

    /// Nothing of the first load was taken yet, and a bulk job may be what it needs.
    fn undecided(&self, spec: &ObjectSpec) -> bool {
        // People and rates are few; and Bulk does not know rates.
        let may_be_many = !matches!(spec.entity, Entity::Rate | Entity::Person);
        self.first && may_be_many && !self.rest && self.next.is_none() && self.last.is_none()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryPage<'a> {
    #[serde(default)]
    total_size: Option<u64>,
    #[serde(default)]
    done: Option<bool>,
    #[serde(default)]
    next_records_url: Option<String>,
    #[serde(borrow, deserialize_with = "list")]
    records: &'a RawValue,
}

/// A list, as it stands in the answer.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'de RawValue, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    if is_array(raw.get()) {
        Ok(raw)
    } else {
        Err(D::Error::custom("not a list"))
    }
}

impl Salesforce {
    pub(super) async fn pull(
        &self,
        stream: &str,
        cursor: Option<&Cursor>,
    ) -> Result<Page, ConnectError> {
        let before = self.http.requests();
        let spec = self.spec(stream)?;
        let mut problems = Vec::new();
        let mut state = match cursor {
            Some(c) => serde_json::from_str::<State>(&c.0).map_err(|_| {
                self.http.error(
                    ErrorKind::CursorLost,
                    format!("the bookmark of {stream} cannot be read; the stream is read afresh"),
                )
            })?,
            None => State {
                map: self.mapping_hash(spec),
                plan: self.plan(spec).await?,
                first: true,
                ..State::default()
            },
        };
        if state.map != self.mapping_hash(spec) {
            return Err(self.http.error(
                ErrorKind::CursorLost,
                format!("the field mapping changed; {stream} is read afresh"),
            ));
        }
        let Some(object) = state.plan.object.clone() else {
            // The tenant has no such object; a full sync looks again.
            return Ok(self.page(Mapped::default(), problems, &state, true, None, before));
        };
        if state.started.is_none() {
            state.started = Some(self.http.now());
        }
        if let Some(mut job) = state.bulk.take() {
            match self.bulk_step(&object, &mut job).await? {
                Step::Waits => {
                    let total = job.total;
                    state.bulk = Some(job);
                    return Ok(self.page(
                        Mapped::default(),
                        problems,
                        &state,
                        false,
                        total,
                        before,
                    ));
                }
                Step::Rows(table, last) => {
                    let mapped = self.map_table(spec, &state, &table);
                    let total = job.total;
                    if last {
                        state.leave_bulk(&job);
                    } else {
                        state.bulk = Some(job);
                    }
                    return Ok(self.page(mapped, problems, &state, false, total, before));
                }
                Step::Failed(why) => {
                    self.bulk_refused(&object, &why);
                    state.rest = true;
                }
            }
        }
        let undecided = state.undecided(spec);
        let (body, ask) = self
            .ask_page(spec, &object, &mut state, &mut problems)
            .await?;
        if state.bulk.is_some() {
            return Ok(self.page(Mapped::default(), problems, &state, false, None, before));
        }
        let Some(body) = body else {
            return Ok(self.page(Mapped::default(), problems, &state, true, Some(0), before));
        };
        let page: QueryPage<'_> = self.http.json(&body, &ask, stream)?;
        let total = page.total_size;
        if undecided && total.is_some() && self.bulk.takes(total) {
            state.bulk = self.ask_bulk(&object, &state, total).await?;
            state.rest = state.bulk.is_none();
            if state.bulk.is_some() {
                return Ok(self.page(Mapped::default(), problems, &state, false, total, before));
            }
        }
        let total = total.map(|n| n + state.loaded.unwrap_or(0));
        let mut mapped = Mapped::default();
        let mut newest: Option<Key> = None;
        let mut seen: Vec<Row<'_>> = Vec::new();
        for row in elements(page.records.get()) {
            let Some(row) = row else {
                problems.push(RowProblem {
                    entity: spec.entity,
                    external_id: None,
                    reason: "a row that is no object was left out".into(),
                });
                continue;
            };
            if let Some(at) = row.text("SystemModstamp").and_then(|t| instant(&t))
                && newest.as_ref().is_none_or(|n| n.at <= at)
                && let Some(id) = row.filled("Id")
            {
                newest = newest.max(Some(Key { at, id }));
            }
            if spec.entity == Entity::Rate {
                seen.push(row);
                continue;
            }
            let one = rows::map(spec, &state.plan, &self.risk, &row, state.first);
            mapped.records.extend(one.records);
            mapped.problems.extend(one.problems);
        }
        if spec.entity == Entity::Rate {
            mapped = rows::rates(&seen);
        }
        if let (Some(last), Some(newest)) = (&state.last, &newest)
            && newest <= last
        {
            return Err(self.http.error(
                ErrorKind::Protocol,
                format!("a page of {stream} came twice; nothing of it was taken, csops asks again by itself"),
            ));
        }
        if newest.is_some() {
            state.last = newest;
        }
        let done = page.done.unwrap_or(page.next_records_url.is_none());
        if done {
            self.finish(spec, &mut state);
        } else {
            let next = page.next_records_url.ok_or_else(|| {
                self.http.error(
                    ErrorKind::Protocol,
                    format!("the answer about {stream} says that there is more, but not where"),
                )
            })?;
            let next = self.next_path(&next)?;
            if state.next.as_ref() == Some(&next) {
                return Err(self.http.error(
                    ErrorKind::Protocol,
                    format!("the pages of {stream} go in a circle; csops asks again by itself"),
                ));
            }
            state.next = Some(next);
        }
        Ok(self.page(mapped, problems, &state, done, total, before))
    }

    /// Asks for the rows of the first load by a bulk job. They come in no order, which lets the vendor read in parallel.
    async fn ask_bulk(
        &self,
        object: &str,
        state: &State,
        total: Option<u64>,
    ) -> Result<Option<Job>, ConnectError> {
        let soql = unordered(object, state);
        self.bulk_job(object, &soql, total).await
    }

    fn map_table(&self, spec: &ObjectSpec, state: &State, table: &Table) -> Mapped {
        let mut mapped = Mapped::default();
        table.each(|row| {
            let one = rows::map(spec, &state.plan, &self.risk, row, state.first);
            mapped.records.extend(one.records);
            mapped.problems.extend(one.problems);
        });
        mapped
    }

    fn page(
        &self,
        mapped: Mapped,
        mut problems: Vec<RowProblem>,
        state: &State,
        done: bool,
        total: Option<u64>,
        before: u64,
    ) -> Page {
        problems.extend(mapped.problems);
        Page {
            records: mapped.records,
            problems,
            next: Cursor(serde_json::to_string(state).unwrap_or_default()),
            done,
            total,
            requests: u32::try_from(self.http.requests() - before).unwrap_or(u32::MAX),
        }
    }

    /// The end of a run: where the next one starts.
    fn finish(&self, spec: &ObjectSpec, state: &mut State) {
        let started = state.started.take().unwrap_or_else(|| self.http.now());
        state.next = None;
        state.first = false;
        state.rest = false;
        state.loaded = None;
        let newest = state.last.take();
        if spec.entity == Entity::Rate {
            return;
        }
        if let Some(newest) = newest {
            let settled = started.duration_since(newest.at) > SETTLED;
            state.since = Some(if settled {
                newest
            } else {
                Key {
                    at: newest.at - OVERLAP,
                    id: String::new(),
                }
            });
            state.exclusive = settled;
        }
    }

    /// Asks for the page; drops fields that are no longer there; no body when the object is not there.
    async fn ask_page(
        &self,
        spec: &ObjectSpec,
        object: &str,
        state: &mut State,
        problems: &mut Vec<RowProblem>,
    ) -> Result<(Option<crate::connect::http::Answer>, Ask), ConnectError> {
        loop {
            let path = match &state.next {
                Some(path) => path.clone(),
                None => question(&self.data(), spec, object, state),
            };
            let ask = Ask::get(path).header(
                HeaderName::from_static("sforce-query-options"),
                "batchSize=2000",
            );
            let answer = self.http.send(&ask).await?;
            self.limits(&answer);
            if answer.ok() {
                return Ok((Some(answer), ask));
            }
            let fault = self.fault(&answer, false);
            match fault.code.as_str() {
                "INVALID_QUERY_LOCATOR" if state.next.is_some() => {
                    // Its time ran out; the order of the rows says where to go on.
                    state.next = None;
                }
                "INVALID_FIELD" if state.next.is_none() => {
                    let missing = self.missing_field(&fault.message, &state.plan);
                    let Some(missing) = missing else {
                        return Err(fault.error);
                    };
                    state.plan.forget(&missing);
                    problems.push(RowProblem {
                        entity: spec.entity,
                        external_id: None,
                        reason: format!(
                            "{object}.{missing} is no longer there or no longer ours to read; the rest is read without it. Correct [source.fields] or the permission"
                        ),
                    });
                }
                "QUERY_TIMEOUT" if state.undecided(spec) && self.bulk.takes(None) => {
                    // Too many rows for REST even to begin with.
                    state.bulk = self.ask_bulk(object, state, None).await?;
                    state.rest = state.bulk.is_none();
                    if state.rest {
                        return Err(fault.error);
                    }
                    return Ok((None, ask));
                }
                "INVALID_TYPE" | "INVALID_TYPE_FOR_OPERATION"
                    if spec.optional || spec.is_found() =>
                {
                    return Ok((None, ask));
                }
                _ => return Err(fault.error),
            }
        }
    }

    fn missing_field(&self, message: &str, plan: &Plan) -> Option<String> {
        let quoted = message.split('\'').nth(1).unwrap_or_default();
        let fixed = ["Id", "SystemModstamp"];
        let can_go = |s: &&String| !fixed.contains(&s.as_str());
        plan.select
            .iter()
            .filter(can_go)
            .find(|s| s.eq_ignore_ascii_case(quoted))
            .or_else(|| {
                plan.select.iter().filter(can_go).find(|s| {
                    message
                        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
                        .any(|w| w.eq_ignore_ascii_case(s))
                })
            })
            .cloned()
    }

    /// The vendor's next page, as a path of the same host; anything else is refused.
    fn next_path(&self, next: &str) -> Result<String, ConnectError> {
        let refuse = |what: &str| {
            self.http.error(
                ErrorKind::Protocol,
                format!("the next page is said to be at {what}; csops does not take its credentials there. Check `base_url` and what stands between"),
            )
        };
        if let Ok(url) = reqwest::Url::parse(next) {
            let base = reqwest::Url::parse(self.http.base())
                .map_err(|_| refuse("an unreadable address"))?;
            if url.origin() != base.origin() {
                return Err(refuse(&crate::book::text::visible(
                    url.host_str().unwrap_or("another host"),
                )));
            }
            let path = url.path().to_owned();
            return Ok(url.query().map_or(path.clone(), |q| format!("{path}?{q}")));
        }
        // `//host/path` would be another host as well, and `@host` would turn ours into a user name.
        if !next.starts_with("/services/data/") {
            return Err(refuse(&crate::book::text::visible(
                &next.chars().take(60).collect::<String>(),
            )));
        }
        Ok(next.to_owned())
    }
}

/// The path that asks for the next rows of a run from its beginning or from where it stands.
fn question(data: &str, spec: &ObjectSpec, object: &str, state: &State) -> String {
    let resource = if state.first || spec.entity == Entity::Rate {
        "query"
    } else {
        "queryAll"
    };
    let soql = ordered(spec, object, state);
    format!("{data}/{resource}?q={}", encode(&soql))
}

/// The paths that a first load and a later run ask for where a tenant has the likeliest fields.
pub(super) fn samples(data: &str, spec: &ObjectSpec, now: Timestamp) -> [String; 2] {
    let own = spec.find.first().map_or("", String::as_str);
    let object = if spec.is_found() {
        format!("<{own}>__c")
    } else {
        spec.name.clone()
    };
    let mut select: Vec<String> = SYSTEM.map(str::to_owned).to_vec();
    select.extend(spec.likeliest());
    let first = State {
        plan: Plan {
            select,
            ..Plan::default()
        },
        first: true,
        ..State::default()
    };
    let later = State {
        since: Some(Key {
            at: now,
            id: String::new(),
        }),
        first: false,
        ..first.clone()
    };
    [first, later].map(|state| question(data, spec, &object, &state))
}

fn ordered(spec: &ObjectSpec, object: &str, state: &State) -> String {
    let order = if spec.entity == Entity::Rate {
        "Id"
    } else {
        "SystemModstamp, Id"
    };
    format!("{} ORDER BY {order}", unordered(object, state))
}

fn unordered(object: &str, state: &State) -> String {
    let mut q = format!("SELECT {} FROM {object}", state.plan.select.join(", "));
    let mut conditions: Vec<String> = Vec::new();
    let from = match &state.last {
        // In the middle of a run whose locator expired.
        Some(key) => Some((key, true)),
        None => state.since.as_ref().map(|k| (k, state.exclusive)),
    };
    match from {
        Some((key, true)) => {
            let t = iso(key.at);
            conditions.push(format!(
                "(SystemModstamp > {t} OR (SystemModstamp = {t} AND Id > '{}'))",
                soql(&key.id)
            ));
        }
        Some((key, false)) => conditions.push(format!("SystemModstamp >= {}", iso(key.at))),
        None => {}
    }
    if state.first && !state.plan.types.is_empty() {
        let types: Vec<String> = state
            .plan
            .types
            .iter()
            .chain(&state.plan.expansion)
            .map(|t| format!("'{}'", soql(t)))
            .collect();
        conditions.push(format!("Type IN ({})", types.join(", ")));
    }
    if !conditions.is_empty() {
        q.push_str(" WHERE ");
        q.push_str(&conditions.join(" AND "));
    }
    q
}
