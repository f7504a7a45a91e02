//! Searches: a form whose field `query` is JSON. Answers give the values of the fields by their places only.

use std::cmp::Ordering;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::catalog::{ACCOUNTS, EVENTS, USERS, account_row, event_time};
use super::terms::{self, Place, Term};
use super::{Answer, Refusal, Tenant};
use crate::simulate::form;
use crate::simulate::overlay::Overlay;
use crate::simulate::world::WEEKS;

/// Rows of a page at most.
const PAGE: usize = 1_000;

/// Rows that a search reaches at all.
const REACH: usize = 10_000;

/// `POST /api/v1/search/accounts`.
pub(super) async fn accounts(Shared(tenant): Tenant, bytes: Bytes) -> Answer {
    search(tenant, ACCOUNTS, "accounts", bytes).await
}

/// `POST /api/v1/search/users`.
pub(super) async fn users(Shared(tenant): Tenant, bytes: Bytes) -> Answer {
    search(tenant, USERS, "users", bytes).await
}

async fn search(
    tenant: std::sync::Arc<super::Totango>,
    table: usize,
    name: &'static str,
    bytes: Bytes,
) -> Answer {
    blocking(move || {
        let (query, _) = asked(&bytes)?;
        let rows = tenant.read();
        let terms = Term::compile(&rows, table, needed(&query, "terms")?)?;
        let mut fields = Vec::new();
        for field in needed(&query, "fields")? {
            fields.push(terms::place(&rows, table, field)?);
        }
        let (count, offset) = (number(&query, "count", 100)?, number(&query, "offset", 0)?);
        let mut found: Vec<u32> = rows
            .rows(table)
            .filter(|row| terms.fits(&rows, table, *row))
            .collect();
        sort(&rows, table, &query, &mut found)?;
        let hits: Vec<Value> = found
            .iter()
            .take(REACH)
            .skip(offset)
            .take(count)
            .map(|row| hit(&rows, table, *row, &fields))
            .collect();
        let answer = json!({ "response": { name: { "total_hits": found.len(), "hits": hits } } });
        Ok(Json(answer).into_response())
    })
    .await
}

/// Reading everything takes its time; the runtime goes on meanwhile.
async fn blocking(work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Refusal::bad(error.to_string())))
}

/// The query of a form, and the form.
fn asked(bytes: &Bytes) -> Result<(Value, Vec<(String, String)>), Refusal> {
    let pairs = form::pairs(&String::from_utf8_lossy(bytes));
    let text = form::value(&pairs, "query")
        .ok_or_else(|| Refusal::bad("The form parameter query is missing"))?;
    let query: Value = serde_json::from_str(text)
        .map_err(|error| Refusal::bad(format!("query is not valid JSON: {error}")))?;
    if !query.is_object() {
        return Err(Refusal::bad("query is not an object"));
    }
    Ok((query, pairs))
}

/// A list that a query cannot do without. Terms that are missing are said to be a matter of permission.
fn needed<'a>(query: &'a Value, key: &str) -> Result<&'a [Value], Refusal> {
    match query.get(key) {
        Some(Value::Array(list)) => Ok(list),
        None if key == "terms" => Err(Refusal::with(
            StatusCode::UNAUTHORIZED,
            "terms are missing in the query",
        )),
        None => Err(Refusal::bad(format!("{key} are missing in the query"))),
        Some(_) => Err(Refusal::bad(format!("{key} must be a list"))),
    }
}

fn number(query: &Value, key: &str, default: usize) -> Result<usize, Refusal> {
    let number = match query.get(key) {
        None => default,
        Some(value) => value
            .as_u64()
            .map(|number| number as usize)
            .ok_or_else(|| Refusal::bad(format!("{key} must be a number")))?,
    };
    if key == "count" && number > PAGE {
        return Err(Refusal::bad(format!("count must not exceed {PAGE}")));
    }
    Ok(number)
}

fn sort(rows: &Overlay, table: usize, query: &Value, found: &mut [u32]) -> Result<(), Refusal> {
    let Some(by) = query.get("sort_by").and_then(Value::as_str) else {
        return Ok(());
    };
    let down = match query.get("sort_order").and_then(Value::as_str) {
        None | Some("ASC") => false,
        Some("DESC") => true,
        Some(other) => return Err(Refusal::bad(format!("Unknown sort_order: {other}"))),
    };
    let shape = &rows.tables[table];
    let place = shape
        .field(by)
        .or_else(|| shape.field(&format!("@{by}")))
        .ok_or_else(|| Refusal::bad(format!("Unknown sort_by: {by}")))?;
    found.sort_by_cached_key(|row| Sorted(rows.get(table, *row, place), down));
    Ok(())
}

/// A value in the order that was asked for; what has none comes last in either.
#[derive(PartialEq)]
struct Sorted(Value, bool);

impl Eq for Sorted {}

impl PartialOrd for Sorted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sorted {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = match (&self.0, &other.0) {
            (Value::Null, _) | (_, Value::Null) => {
                return self.0.is_null().cmp(&other.0.is_null());
            }
            (Value::String(a), Value::String(b)) => {
                a.to_lowercase().cmp(&b.to_lowercase()).then(a.cmp(b))
            }
            (a, b) => a
                .as_f64()
                .unwrap_or(0.0)
                .total_cmp(&b.as_f64().unwrap_or(0.0)),
        };
        if self.1 { order.reverse() } else { order }
    }
}

fn hit(rows: &Overlay, table: usize, row: u32, fields: &[Place]) -> Value {
    let selected: Vec<Value> = fields
        .iter()
        .map(|place| terms::shown(rows, table, row, place))
        .collect();
    let mut hit = json!({
        "name": rows.named(table, row, "name"),
        "display_name": rows.named(table, row, "display_name"),
        "selected_fields": selected,
    });
    if table == USERS {
        hit["account"] = account(rows, &rows.text(USERS, row, "account_id"));
    }
    hit
}

fn account(rows: &Overlay, id: &str) -> Value {
    let name = account_row(rows, id).map(|row| rows.named(ACCOUNTS, row, "display_name"));
    json!({ "name": id, "id": id, "display_name": name })
}

/// `POST /api/v2/events/search`: here the offset counts pages.
pub(super) async fn events(Shared(tenant): Tenant, bytes: Bytes) -> Answer {
    blocking(move || {
        let (query, pairs) = asked(&bytes)?;
        let rows = tenant.read();
        let terms = Term::compile(&rows, EVENTS, needed(&query, "terms")?)?;
        let (count, page) = (number(&query, "count", 100)?, number(&query, "offset", 0)?);
        let found = newest(&rows, form::value(&pairs, "account_id"), |row| {
            terms.fits(&rows, EVENTS, row)
        });
        let hits: Vec<Value> = found
            .iter()
            .take(REACH)
            .skip(page.saturating_mul(count))
            .take(count)
            .map(|row| event(&rows, *row))
            .collect();
        let answer =
            json!({ "response": { "events": { "total_hits": found.len(), "hits": hits } } });
        Ok(Json(answer).into_response())
    })
    .await
}

/// `GET /api/v2/events/?account_id=`: a bare list.
pub(super) async fn events_of(Shared(tenant): Tenant, RawQuery(query): RawQuery) -> Answer {
    blocking(move || {
        let pairs = form::pairs(&query.unwrap_or_default());
        let account = form::value(&pairs, "account_id")
            .ok_or_else(|| Refusal::bad("account_id is missing"))?;
        let rows = tenant.read();
        let found = newest(&rows, Some(account), |_| true);
        let list: Vec<Value> = found
            .iter()
            .take(PAGE)
            .map(|row| event(&rows, *row))
            .collect();
        Ok(Json(list).into_response())
    })
    .await
}

/// The events that fit, newest first; of one account when one is named.
fn newest(rows: &Overlay, account: Option<&str>, fits: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut found: Vec<(i64, u32)> = match account {
        None => rows
            .rows(EVENTS)
            .filter(|row| fits(*row))
            .map(|row| (event_time(rows, row), row))
            .collect(),
        Some(id) => {
            let own = account_row(rows, id).map(|row| ranges(rows, row));
            rows.rows_in(EVENTS, own.unwrap_or_default())
                .filter(|row| rows.text(EVENTS, *row, "account_id") == id && fits(*row))
                .map(|row| (event_time(rows, row), row))
                .collect()
        }
    };
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, row)| row).collect()
}

/// Where the events of an account lie among those of the world.
fn ranges(rows: &Overlay, account: u32) -> Vec<std::ops::Range<u32>> {
    let world = &rows.world;
    if account as usize >= world.accounts.len() {
        return Vec::new();
    }
    let weeks = WEEKS as u32;
    let notes = world.accounts.len() as u32 * weeks;
    let tasks = notes + world.touchpoints.len() as u32;
    let touch = |bound: u32| {
        notes
            + world
                .touchpoints
                .partition_point(|touch| touch.account < bound) as u32
    };
    let task = |bound: u32| tasks + world.tasks.partition_point(|task| task.account < bound) as u32;
    vec![
        account * weeks..(account + 1) * weeks,
        touch(account)..touch(account + 1),
        task(account)..task(account + 1),
    ]
}

/// An event as an object.
fn event(rows: &Overlay, row: u32) -> Value {
    let get = |name: &str| rows.named(EVENTS, row, name);
    let kind = rows.text(EVENTS, row, "type");
    let mut shown = Map::new();
    for name in ["id", "type", "timestamp"] {
        shown.insert(name.to_owned(), get(name));
    }
    shown.insert(
        "account".to_owned(),
        account(rows, &rows.text(EVENTS, row, "account_id")),
    );
    match kind.as_str() {
        "note" => {
            let note = json!({
                "note_id": get("note_id"), "subject": get("subject"), "text": get("content"),
                "touchpointType": get("touchpointType"), "created_by": get("created_by"),
            });
            shown.insert("note_content".to_owned(), note);
            let properties = json!({
                "activity_type_id": get("activity_type_id"), "touchpoint_tags": get("touchpoint_tags"),
            });
            shown.insert("properties".to_owned(), properties);
        }
        "alert" => {
            let properties = json!({ "name": "health", "from": get("from"), "to": get("to") });
            shown.insert("properties".to_owned(), properties);
        }
        _ => {
            let task =
                super::catalog::row_of(super::catalog::TASKS, &rows.text(EVENTS, row, "task_id"));
            let of = |name: &str| {
                task.map_or(Value::Null, |task| {
                    rows.named(super::catalog::TASKS, task, name)
                })
            };
            let properties = json!({
                "task_id": get("task_id"), "title": of("title"), "status": of("status"),
                "due_date": of("due_date"), "assignee": of("assignee"), "priority": of("priority"),
            });
            shown.insert("properties".to_owned(), properties);
        }
    }
    Value::Object(shown)
}
