//! Reading Gainsight's cockpit: calls to action (those of type Risk are escalations, the others tasks), the tasks below them, and what was deleted.
//!
//! A call to action that is not a risk keeps its place among the tasks under `cta/` and its id.

use super::Gainsight;
use super::api::named_in;
use super::pull::LOOKBACK;
use crate::book::{Cursor, Entity, FieldValue, Record, RowProblem};
use crate::connect::canon;
use crate::connect::convert::{date, instant};
use crate::connect::http::{Ask, encode};
use crate::connect::json::Row;
use crate::connect::{ConnectError, ErrorKind, Page};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The most calls to action of one answer.
const PAGE: usize = 1000;
/// Parents whose tasks one page asks for.
const PARENTS: usize = 25;
/// Calls to action whose tasks the first run asks for, and a later one: most tasks rest, and the requests are few.
const FIRST: usize = 300;
const TURN: usize = 10;
/// What precedes the id of a call to action that is a task.
pub(super) const CTA: &str = "cta/";
/// How long Gainsight remembers deletions.
const RETENTION: SignedDuration = SignedDuration::from_hours(15 * 24);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct CtaState {
    /// What decides what is asked and how it is read.
    #[serde(default)]
    map: u64,
    #[serde(default)]
    select: Option<Vec<String>>,
    #[serde(default)]
    since: Option<Timestamp>,
    #[serde(default)]
    started: Option<Timestamp>,
    #[serde(default)]
    page: usize,
    #[serde(default)]
    first: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Parent {
    id: String,
    company: String,
    risk: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct TaskState {
    /// What decides what is asked and how it is read.
    #[serde(default)]
    map: u64,
    #[serde(default)]
    select: Option<Vec<String>>,
    /// Parents still to be asked.
    #[serde(default)]
    parents: Vec<Parent>,
    /// Pages of parents read in this round.
    #[serde(default)]
    page: usize,
    /// No more pages of parents in this round.
    #[serde(default)]
    last_page: bool,
    /// Parents asked in this run.
    #[serde(default)]
    asked: usize,
    /// Every parent was asked once; from now on they take turns.
    #[serde(default)]
    known: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct DeleteState {
    #[serde(default)]
    since: Option<Timestamp>,
}

pub(super) fn empty_page() -> Page {
    Page {
        records: Vec::new(),
        problems: Vec::new(),
        next: Cursor(String::new()),
        done: true,
        total: None,
        requests: 0,
    }
}

fn bookmark<T: Serialize>(state: &T) -> Cursor {
    Cursor(serde_json::to_string(state).unwrap_or_default())
}

impl Gainsight {
    fn state<T: for<'d> Deserialize<'d> + Default>(
        &self,
        stream: &str,
        cursor: Option<&Cursor>,
    ) -> Result<T, ConnectError> {
        match cursor {
            Some(c) => serde_json::from_str(&c.0).map_err(|_| self.lost(stream)),
            None => Ok(T::default()),
        }
    }

    /// Calls to action that match; fields that the tenant does not know are dropped from the select list.
    pub(super) async fn cta_list(
        &self,
        select: &mut Vec<String>,
        filter: Option<(Vec<Value>, &str)>,
        size: usize,
        number: usize,
        problems: &mut Vec<RowProblem>,
    ) -> Result<super::api::Reply, ConnectError> {
        loop {
            let mut body = json!({"select": select, "linkedObject": true, "pageSize": size, "pageNumber": number});
            if let Some((conditions, expression)) = &filter {
                body["where"] = json!({"conditions": conditions, "expression": expression});
            }
            let ask = Ask::query("/v2/cockpit/cta/list", &body);
            match self.call(&ask, "calls to action").await? {
                Ok(reply) => return Ok(reply),
                Err(fault) => {
                    let Some(missing) =
                        named_in(select, &fault.words, &["Name", "CompanyId"]).cloned()
                    else {
                        return Err(fault.error);
                    };
                    select.retain(|s| *s != missing);
                    problems.push(RowProblem {
                        entity: Entity::Escalation,
                        external_id: None,
                        reason: format!(
                            "calls to action have no {missing}; the rest is read without it"
                        ),
                    });
                }
            }
        }
    }

    /// The mapping changed since a bookmark was made.
    fn remapped(&self, stream: &str) -> ConnectError {
        self.http.error(
            ErrorKind::CursorLost,
            format!("the field mapping changed; {stream} is read afresh"),
        )
    }

    pub(super) async fn pull_ctas(&self, cursor: Option<&Cursor>) -> Result<Page, ConnectError> {
        let mut state: CtaState = self.state(&self.cta.stream, cursor)?;
        let map = self.mapping_hash(&self.cta);
        if cursor.is_some() && state.map != map {
            return Err(self.remapped(&self.cta.stream));
        }
        state.map = map;
        let size = self.cta.page.map_or(PAGE, |p| p as usize);
        let mut page = empty_page();
        let now = self.http.now();
        let started = *state.started.get_or_insert(now);
        let filter = state.since.map(|since| {
            let day = |t: Timestamp| t.strftime("%Y-%m-%d").to_string();
            let span = json!([day(since - LOOKBACK), day(started + LOOKBACK)]);
            (vec![json!({"fieldName": "ModifiedDate", "value": span, "alias": "A", "operator": "BTW"})], "A")
        });
        let mut select = state.select.take().unwrap_or_else(|| self.cta.likeliest());
        let reply = self
            .cta_list(
                &mut select,
                filter,
                size,
                state.page + 1,
                &mut page.problems,
            )
            .await?;
        state.select = Some(select);
        let rows = reply.rows();
        for row in &rows {
            self.map_cta(row, &mut page);
        }
        page.done = rows.len() < size;
        if page.done {
            state.since = Some(started);
            state.started = None;
            state.page = 0;
            state.first.clear();
        } else {
            let first = rows.first().and_then(gsid).unwrap_or_default();
            if !first.is_empty() && first == state.first {
                return Err(self.http.error(
                    ErrorKind::Protocol,
                    "a page of calls to action came twice; csops asks again by itself",
                ));
            }
            state.first = first;
            state.page += 1;
        }
        page.next = bookmark(&state);
        Ok(page)
    }

    pub(super) async fn pull_tasks(&self, cursor: Option<&Cursor>) -> Result<Page, ConnectError> {
        let mut state: TaskState = self.state(&self.task.stream, cursor)?;
        let map = self.mapping_hash(&self.task);
        if cursor.is_some() && state.map != map {
            return Err(self.remapped(&self.task.stream));
        }
        state.map = map;
        let mut page = empty_page();
        let usual = if state.known { TURN } else { FIRST };
        let cap = self
            .option("task_parents")
            .and_then(|t| t.parse().ok())
            .unwrap_or(usual);
        if state.parents.is_empty() && !state.last_page {
            let mut select = vec![
                "Name".to_owned(),
                "CompanyId".to_owned(),
                "TypeId__gr.Name".to_owned(),
            ];
            let open = (
                vec![
                    json!({"fieldName": "IsClosed", "value": [false], "alias": "A", "operator": "EQ"}),
                ],
                "A",
            );
            let reply = self
                .cta_list(
                    &mut select,
                    Some(open),
                    PAGE,
                    state.page + 1,
                    &mut page.problems,
                )
                .await?;
            let rows = reply.rows();
            state.parents = rows
                .iter()
                .filter_map(|r| {
                    Some(Parent {
                        id: gsid(r)?,
                        company: any(r, &["CompanyId"]).unwrap_or_default(),
                        risk: is_risk(r),
                    })
                })
                .collect();
            state.last_page = rows.len() < PAGE;
            state.page += 1;
        }
        let mut select: Vec<String> = state.select.take().unwrap_or_else(|| self.task.likeliest());
        let batch: Vec<Parent> = state
            .parents
            .drain(
                ..state
                    .parents
                    .len()
                    .min(PARENTS)
                    .min(cap.saturating_sub(state.asked).max(1)),
            )
            .collect();
        for parent in &batch {
            let reply = self
                .task_list(&mut select, &parent.id, &mut page.problems)
                .await?;
            for row in reply.rows() {
                self.map_task(&row, parent, &mut page);
            }
        }
        state.select = Some(select);
        state.asked += batch.len();
        let round_over = state.parents.is_empty() && state.last_page;
        page.done = round_over || state.asked >= cap;
        if round_over {
            state.known = true;
            state.page = 0;
            state.last_page = false;
        }
        if page.done {
            state.asked = 0;
        }
        page.next = bookmark(&state);
        Ok(page)
    }

    async fn task_list(
        &self,
        select: &mut Vec<String>,
        parent: &str,
        problems: &mut Vec<RowProblem>,
    ) -> Result<super::api::Reply, ConnectError> {
        loop {
            let ask = Ask::query(
                format!("/v2/cockpit/task/list/{}", encode(parent)),
                &json!({"select": select}),
            );
            match self.call(&ask, "tasks").await? {
                Ok(reply) => return Ok(reply),
                Err(fault) => {
                    let Some(missing) = named_in(select, &fault.words, &["Name"]).cloned() else {
                        return Err(fault.error);
                    };
                    select.retain(|s| *s != missing);
                    problems.push(RowProblem {
                        entity: Entity::Task,
                        external_id: None,
                        reason: format!("tasks have no {missing}; the rest is read without it"),
                    });
                }
            }
        }
    }

    /// The tasks below one call to action.
    pub(super) async fn tasks_of(
        &self,
        cta: &str,
        company: &str,
        risk: bool,
    ) -> Result<Vec<Record>, ConnectError> {
        let parent = Parent {
            id: cta.to_owned(),
            company: company.to_owned(),
            risk,
        };
        let mut page = empty_page();
        let mut select = self.task.likeliest();
        let reply = self.task_list(&mut select, cta, &mut page.problems).await?;
        for row in &reply.rows() {
            self.map_task(row, &parent, &mut page);
        }
        Ok(page.records)
    }

    /// The ids of those tasks below a call to action whose text carries a marker.
    pub(super) async fn marked_tasks(
        &self,
        cta: &str,
        mark: &str,
    ) -> Result<Vec<String>, ConnectError> {
        let mut select = self.task.likeliest();
        let reply = self.task_list(&mut select, cta, &mut Vec::new()).await?;
        let texts = ["description", "title"]
            .map(|f| self.task.names(f))
            .concat();
        let carries = |r: &Row<'_>| {
            texts
                .iter()
                .any(|f| any(r, &[f]).is_some_and(|t| t.contains(mark)))
        };
        Ok(reply
            .rows()
            .iter()
            .filter(|r| carries(r))
            .filter_map(gsid)
            .collect())
    }

    pub(super) async fn pull_deletions(
        &self,
        cursor: Option<&Cursor>,
    ) -> Result<Page, ConnectError> {
        let mut state: DeleteState = self.state("deletions", cursor)?;
        let mut page = empty_page();
        let now = self.http.now();
        // A first load has nothing to take away; it only starts the clock.
        if let Some(since) = state.since {
            let from = (since - LOOKBACK).max(now - RETENTION);
            let stamp = from.strftime("%Y-%m-%d %H:%M:%S").to_string();
            let body = json!({
                "select": ["RecordId", "ObjectName", "DeletedOn"],
                "where": {"conditions": [{"name": "DeletedOn", "alias": "A", "operator": "GTE", "value": [stamp]}], "expression": "A"},
                "limit": 5000, "offset": 0,
            });
            let ask = Ask::query("/v1/data/objects/query/record_delete_log", &body);
            if let Ok(reply) = self.call(&ask, "the delete log").await? {
                for row in reply.rows() {
                    let Some(id) = any(&row, &["RecordId", "Gsid"]) else {
                        continue;
                    };
                    let object = any(&row, &["ObjectName"])
                        .unwrap_or_default()
                        .to_ascii_lowercase();
                    let entities: &[Entity] = match object.as_str() {
                        "company" => &[Entity::Account],
                        "gsuser" | "gs_user" => &[Entity::Person],
                        "company_person" => &[Entity::Contact],
                        "activity_timeline" => &[Entity::Touchpoint],
                        "call_to_action" | "cta" => &[Entity::Escalation, Entity::Task],
                        "cs_task" | "task" => &[Entity::Task],
                        o if o.contains("usage")
                            || o.contains("score")
                            || o.contains("health")
                            || o.contains("nps")
                            || o.contains("survey") =>
                        {
                            &[Entity::Signal]
                        }
                        _ => &[],
                    };
                    for e in entities {
                        gone(&mut page, *e, &id);
                    }
                }
            }
            let span = json!({"pageSize": PAGE, "pageNumber": 1});
            for (path, entity) in [
                ("/v2/cockpit/cta/deleted/list", Entity::Escalation),
                ("/v1/ant/es/activity/deleted", Entity::Touchpoint),
            ] {
                let ask = Ask::query(path, &span);
                match self.call(&ask, "the delete log").await? {
                    Ok(reply) => {
                        for row in reply.rows() {
                            if let Some(id) =
                                any(&row, &["Gsid", "RecordId", "CtaId", "ActivityId", "Id"])
                            {
                                gone(&mut page, entity, &id);
                            }
                        }
                    }
                    Err(fault)
                        if matches!(
                            fault.error.kind,
                            ErrorKind::Retry { .. } | ErrorKind::Auth
                        ) =>
                    {
                        return Err(fault.error);
                    }
                    Err(_) => {}
                }
            }
        }
        state.since = Some(now);
        page.next = bookmark(&state);
        Ok(page)
    }
}

fn gone(page: &mut Page, entity: Entity, id: &str) {
    let mut push = |external_id: String, entity| {
        page.records.push(Record {
            entity,
            external_id,
            modified: None,
            deleted: true,
            fields: Vec::new(),
        });
    };
    push(id.to_owned(), entity);
    if entity == Entity::Escalation {
        push(format!("{CTA}{id}"), Entity::Task);
    }
}

/// The first of several spellings that has a value; cases do not matter.
pub(super) fn any<S: AsRef<str>>(row: &Row<'_>, names: &[S]) -> Option<String> {
    names.iter().map(AsRef::as_ref).find_map(|n| {
        row.filled(n).or_else(|| {
            row.iter()
                .find(|(k, _)| k.eq_ignore_ascii_case(n))
                .and_then(|(_, v)| crate::connect::json::scalar(v))
                .filter(|t| !t.trim().is_empty())
        })
    })
}

pub(super) fn gsid(row: &Row<'_>) -> Option<String> {
    any(row, &["Gsid"])
}

fn is_risk(row: &Row<'_>) -> bool {
    any(row, &["TypeId__gr.Name", "Type", "type", "TypeName"])
        .is_some_and(|t| t.to_ascii_lowercase().contains("risk"))
}

fn time(row: &Row<'_>, names: &[String]) -> FieldValue {
    any(row, names)
        .and_then(|t| instant(&t))
        .map_or(FieldValue::Null, FieldValue::Instant)
}

fn word(value: Option<&'static str>) -> FieldValue {
    value.map_or(FieldValue::Null, |v| FieldValue::Text(v.to_owned()))
}

impl Gainsight {
    /// One call to action as an escalation or a task, without its neighbours.
    pub(super) fn map_cta(&self, row: &Row<'_>, page: &mut Page) {
        let Some(id) = gsid(row) else {
            page.problems.push(RowProblem {
                entity: Entity::Escalation,
                external_id: None,
                reason: "a call to action without an id was left out".into(),
            });
            return;
        };
        let risk = is_risk(row);
        let get = |field: &str| any(row, self.cta.names(field));
        let text = |field: &str| get(field).map_or(FieldValue::Null, FieldValue::Text);
        let status = get("status").unwrap_or_default();
        let priority = get("priority").unwrap_or_default();
        let closed = any(row, &["IsClosed"]).map(|c| c.eq_ignore_ascii_case("true"));
        let due = match get("due") {
            Some(text) => match date(&text) {
                Some(d) => FieldValue::Date(d),
                None => {
                    page.problems.push(RowProblem {
                        entity: Entity::Escalation,
                        external_id: Some(id.clone()),
                        reason: format!(
                            "DueDate `{}` is no date; the field was left out",
                            crate::book::text::visible(&text)
                        ),
                    });
                    FieldValue::Null
                }
            },
            None => FieldValue::Null,
        };
        let comments = get("comments").map_or(FieldValue::Null, |c| {
            FieldValue::text(canon::without_marker(&canon::without_tags(&c)))
        });
        let company = get("account").map_or(FieldValue::Null, FieldValue::Ref);
        let owner = get("owner").map_or(FieldValue::Null, FieldValue::Ref);
        let modified = any(row, &["ModifiedDate", "LastModifiedDate"]).and_then(|t| instant(&t));
        let f = |name: &'static str, value: FieldValue| (Cow::Borrowed(name), value);
        let is_closed = canon::risk_status(&status, closed) == "closed";
        let record = if risk {
            let outcome = if is_closed {
                canon::outcome(&status)
            } else {
                None
            };
            Record {
                entity: Entity::Escalation,
                external_id: id,
                modified,
                deleted: false,
                fields: vec![
                    f("account", company),
                    f("title", text("title")),
                    f("reason", text("reason")),
                    f("status", FieldValue::text(status.clone())),
                    f(
                        "status_kind",
                        word(Some(canon::risk_status(&status, closed))),
                    ),
                    f("priority", FieldValue::text(priority.clone())),
                    f("priority_kind", word(canon::risk_priority(&priority))),
                    f("owner", owner),
                    f("opened", time(row, self.cta.names("opened"))),
                    f("due", due),
                    f("closed", time(row, self.cta.names("closed"))),
                    f("outcome", word(outcome)),
                    f("comments", comments),
                ],
            }
        } else {
            Record {
                entity: Entity::Task,
                external_id: format!("{CTA}{id}"),
                modified,
                deleted: false,
                fields: vec![
                    f("account", company),
                    f("title", text("title")),
                    f("description", comments),
                    f("due", due),
                    f("priority", FieldValue::text(priority.clone())),
                    f("priority_kind", word(canon::task_priority(&priority))),
                    f("owner", owner),
                    f("status", FieldValue::text(status.clone())),
                    f(
                        "status_kind",
                        word(Some(canon::task_status(&status, closed))),
                    ),
                    f("kind", word(Some("to_do"))),
                    f("completed_at", time(row, self.cta.names("closed"))),
                ],
            }
        };
        page.records.push(record);
    }

    fn map_task(&self, row: &Row<'_>, parent: &Parent, page: &mut Page) {
        let Some(id) = gsid(row) else {
            page.problems.push(RowProblem {
                entity: Entity::Task,
                external_id: None,
                reason: "a task without an id was left out".into(),
            });
            return;
        };
        let get = |field: &str| any(row, self.task.names(field));
        let status = get("status").unwrap_or_default();
        let priority = get("priority").unwrap_or_default();
        let closed = any(row, &["IsClosed"]).map(|c| c.eq_ignore_ascii_case("true"));
        let f = |name: &'static str, value: FieldValue| (Cow::Borrowed(name), value);
        let company = any(row, &["CompanyId"]).unwrap_or_else(|| parent.company.clone());
        let mut fields = vec![
            f(
                "account",
                if company.is_empty() {
                    FieldValue::Null
                } else {
                    FieldValue::Ref(company)
                },
            ),
            f(
                "title",
                get("title").map_or(FieldValue::Null, |t| {
                    FieldValue::text(canon::without_marker(&t))
                }),
            ),
            f(
                "description",
                get("description").map_or(FieldValue::Null, |d| {
                    FieldValue::text(canon::without_marker(&d))
                }),
            ),
            f(
                "due",
                get("due")
                    .and_then(|d| date(&d))
                    .map_or(FieldValue::Null, FieldValue::Date),
            ),
            f("priority", FieldValue::text(priority.clone())),
            f("priority_kind", word(canon::task_priority(&priority))),
            f(
                "owner",
                get("owner").map_or(FieldValue::Null, FieldValue::Ref),
            ),
            f("status", FieldValue::text(status.clone())),
            f(
                "status_kind",
                word(Some(canon::task_status(&status, closed))),
            ),
            f(
                "kind",
                any(row, &["Type", "TypeName"]).map_or(FieldValue::Null, FieldValue::Text),
            ),
            f("completed_at", time(row, self.task.names("completed_at"))),
        ];
        if parent.risk {
            fields.push(f("escalation", FieldValue::Ref(parent.id.clone())));
        }
        page.records.push(Record {
            entity: Entity::Task,
            external_id: id,
            modified: any(row, &["ModifiedDate"]).and_then(|t| instant(&t)),
            deleted: false,
            fields,
        });
    }
}
