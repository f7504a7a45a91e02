//! Tasks, touchpoints, our team, flows, plans, and the audit.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::catalog::{ACCOUNTS, EVENTS, FLOWS, TASKS, TEAM, account_row, id, note_id, row_of};
use super::{Answer, Refusal, Tenant};
use crate::simulate::form;
use crate::simulate::overlay::{CREATED, Op, Overlay, Write};
use crate::simulate::world::WEEKS;

type Fields = Map<String, Value>;

/// A body of JSON, or a form: clients send either.
fn body(headers: &HeaderMap, bytes: &Bytes) -> Result<Fields, Refusal> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    if kind.contains("json") {
        return match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(Refusal::bad("The body must be an object")),
            Err(error) => Err(Refusal::bad(format!("Invalid JSON: {error}"))),
        };
    }
    let pairs = form::pairs(&String::from_utf8_lossy(bytes)).into_iter();
    Ok(pairs
        .map(|(name, value)| (name, Value::String(value)))
        .collect())
}

fn text(fields: &Fields, key: &str) -> Option<String> {
    match fields.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn record(rows: &Overlay, table: usize, row: u32) -> Value {
    let fields = rows.tables[table].fields.iter().enumerate();
    Value::Object(
        fields
            .map(|(place, field)| (field.name.to_owned(), rows.get(table, row, place)))
            .collect(),
    )
}

fn write(rows: &Overlay, op: Op, table: usize, row: u32, values: Fields) -> Write {
    Write {
        op,
        table: rows.tables[table].name.to_owned(),
        row,
        values,
    }
}

fn found(rows: &Overlay, id: &str) -> Result<u32, Refusal> {
    row_of(TASKS, id)
        .filter(|row| rows.exists(TASKS, *row))
        .ok_or_else(|| Refusal::with(StatusCode::NOT_FOUND, "Task not found"))
}

/// `GET /api/v3/tasks?id=`: a list of one.
pub(super) async fn task(Shared(tenant): Tenant, RawQuery(query): RawQuery) -> Answer {
    let pairs = form::pairs(&query.unwrap_or_default());
    let id = form::value(&pairs, "id").ok_or_else(|| Refusal::bad("id is missing"))?;
    let rows = tenant.read();
    let row = found(&rows, id)?;
    Ok(Json(json!([record(&rows, TASKS, row)])).into_response())
}

/// `GET /api/v3/tasks/export/csv`: all tasks.
pub(super) async fn export(Shared(tenant): Tenant) -> Answer {
    let work = move || -> Result<Vec<u8>, Refusal> {
        let rows = tenant.read();
        let broken =
            |error: csv::Error| Refusal::with(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
        let mut out = csv::Writer::from_writer(Vec::new());
        let fields = &rows.tables[TASKS].fields;
        out.write_record(fields.iter().map(|field| field.name))
            .map_err(broken)?;
        for row in rows.rows(TASKS) {
            let line = (0..fields.len()).map(|place| match rows.get(TASKS, row, place) {
                Value::String(text) => text,
                Value::Null => String::new(),
                other => other.to_string(),
            });
            out.write_record(line).map_err(broken)?;
        }
        out.into_inner()
            .map_err(|error| Refusal::bad(error.to_string()))
    };
    let csv = tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Refusal::bad(error.to_string())))?;
    Ok(([(CONTENT_TYPE, "text/csv")], csv).into_response())
}

/// The fields of a task that a body names, in the service's own form.
fn task_values(rows: &Overlay, fields: &Fields) -> Result<Fields, Refusal> {
    let mut values = Map::new();
    for key in ["title", "description", "status_label_id"] {
        if let Some(text) = text(fields, key) {
            values.insert(key.to_owned(), Value::String(text));
        }
    }
    if let Some(due) = text(fields, "due_date") {
        let day: Date = Some(due.as_str())
            .filter(|due| due.len() == 10)
            .and_then(|due| due.parse().ok())
            .ok_or_else(|| Refusal::bad(format!("Invalid due_date: {due}")))?;
        values.insert("due_date".to_owned(), Value::String(day.to_string()));
    }
    if let Some(priority) = text(fields, "priority") {
        let number = priority
            .parse::<u8>()
            .ok()
            .filter(|number| (1..=3).contains(number))
            .ok_or_else(|| Refusal::bad(format!("Invalid priority: {priority}")))?;
        values.insert("priority".to_owned(), Value::from(number));
    }
    if let Some(status) = text(fields, "status") {
        if status != "open" && status != "closed" {
            return Err(Refusal::bad(format!("Invalid status: {status}")));
        }
        values.insert("status".to_owned(), Value::String(status));
    }
    if let Some(assignee) = text(fields, "assignee") {
        let user = rows
            .rows(TEAM)
            .find(|row| {
                rows.text(TEAM, *row, "email")
                    .eq_ignore_ascii_case(&assignee)
                    || id(TEAM, *row) == assignee
            })
            .ok_or_else(|| Refusal::bad("Assignee not found"))?;
        values.insert("assignee".to_owned(), rows.named(TEAM, user, "email"));
    }
    if let Some(flow) = text(fields, "activity_type_id") {
        known_flow(&flow)?;
        values.insert("activity_type_id".to_owned(), Value::String(flow));
    }
    Ok(values)
}

fn known_flow(flow: &str) -> Result<(), Refusal> {
    FLOWS
        .iter()
        .any(|(id, _)| *id == flow)
        .then_some(())
        .ok_or_else(|| Refusal::bad("Activity type not found"))
}

fn account_of(rows: &Overlay, fields: &Fields) -> Result<Value, Refusal> {
    let id = text(fields, "account_id").ok_or_else(|| Refusal::bad("account_id is missing"))?;
    let row = account_row(rows, &id).ok_or_else(|| Refusal::bad("Account not found"))?;
    Ok(rows.named(ACCOUNTS, row, "name"))
}

/// `POST /api/v3/tasks`.
pub(super) async fn create_task(
    Shared(tenant): Tenant,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    let fields = body(&headers, &bytes)?;
    let now = tenant.clock.peek().as_millisecond();
    tenant.change(
        |rows| {
            let account = account_of(rows, &fields)?;
            for key in ["title", "due_date", "assignee", "activity_type_id"] {
                if text(&fields, key).is_none() {
                    return Err(Refusal::bad(format!("{key} is missing")));
                }
            }
            let mut values = task_values(rows, &fields)?;
            values.insert("account_id".to_owned(), account.clone());
            values.entry("priority").or_insert(json!(2));
            values.entry("status").or_insert(json!("open"));
            let row = rows.next_row(TASKS);
            let mut event = Map::new();
            event.insert("type".to_owned(), json!("task"));
            event.insert("timestamp".to_owned(), json!(now));
            event.insert("account_id".to_owned(), account);
            event.insert("task_id".to_owned(), id(TASKS, row));
            let event_row = rows.next_row(EVENTS);
            let writes = vec![
                write(rows, Op::Create, TASKS, row, values),
                write(rows, Op::Create, EVENTS, event_row, event),
            ];
            Ok((writes, row))
        },
        |rows, row| record(rows, TASKS, row),
    )
}

/// `PUT /api/v3/tasks/{id}`: what is not named stays.
pub(super) async fn update_task(
    Shared(tenant): Tenant,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    let fields = body(&headers, &bytes)?;
    change_task(&tenant, &id, &fields)
}

/// `PUT /api/v3/tasks` with the id among the fields.
pub(super) async fn update_named_task(
    Shared(tenant): Tenant,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    let fields = body(&headers, &bytes)?;
    let id = text(&fields, "id").ok_or_else(|| Refusal::bad("id is missing"))?;
    change_task(&tenant, &id, &fields)
}

fn change_task(tenant: &super::Totango, id: &str, fields: &Fields) -> Answer {
    let now = tenant.clock.peek().as_millisecond();
    tenant.change(
        |rows| {
            let row = found(rows, id)?;
            let mut values = task_values(rows, fields)?;
            match values.get("status").and_then(Value::as_str) {
                Some("closed") => drop(values.insert("completed_date".to_owned(), json!(now))),
                Some(_) => drop(values.insert("completed_date".to_owned(), Value::Null)),
                None => {}
            }
            let writes = if values.is_empty() {
                Vec::new()
            } else {
                vec![write(rows, Op::Update, TASKS, row, values)]
            };
            Ok((writes, row))
        },
        |rows, row| record(rows, TASKS, row),
    )
}

fn touchpoint_values(fields: &Fields) -> Result<Fields, Refusal> {
    let mut values = Map::new();
    for key in ["content", "subject", "touchpointType", "created_by"] {
        if let Some(text) = text(fields, key) {
            values.insert(key.to_owned(), Value::String(text));
        }
    }
    if let Some(flow) = text(fields, "activity_type_id") {
        known_flow(&flow)?;
        values.insert("activity_type_id".to_owned(), Value::String(flow));
    }
    if let Some(date) = text(fields, "create_date") {
        let ms: i64 = date
            .parse()
            .map_err(|_| Refusal::bad("create_date must be in milliseconds"))?;
        values.insert("timestamp".to_owned(), Value::from(ms));
    }
    if let Some(tags @ Value::Array(_)) = fields.get("touchpoint_tags") {
        values.insert("touchpoint_tags".to_owned(), tags.clone());
    }
    Ok(values)
}

/// `POST /api/v3/touchpoints/`.
pub(super) async fn create_touchpoint(
    Shared(tenant): Tenant,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    let fields = body(&headers, &bytes)?;
    let now = tenant.clock.peek().as_millisecond();
    tenant.change(
        |rows| {
            let account = account_of(rows, &fields)?;
            if text(&fields, "content").is_none() {
                return Err(Refusal::bad("content is missing"));
            }
            let mut values = touchpoint_values(&fields)?;
            let row = rows.next_row(EVENTS);
            values.insert("type".to_owned(), json!("note"));
            values.insert("account_id".to_owned(), account);
            values.insert("note_id".to_owned(), note_id(row));
            values.entry("timestamp").or_insert(json!(now));
            Ok((vec![write(rows, Op::Create, EVENTS, row, values)], row))
        },
        |rows, row| json!({ "note": { "id": rows.named(EVENTS, row, "note_id") } }),
    )
}

/// The event of a note, by the id of either.
fn note_row(rows: &Overlay, id: &str) -> Result<u32, Refusal> {
    let by_note = id.strip_prefix('n').and_then(|digits| {
        let place: u32 = digits.parse().ok()?;
        if place >= CREATED {
            return Some(place);
        }
        let alerts = rows.world.accounts.len() as u32 * WEEKS as u32;
        ((place as usize) < rows.world.touchpoints.len()).then_some(alerts + place)
    });
    by_note
        .or_else(|| row_of(EVENTS, id))
        .filter(|row| rows.exists(EVENTS, *row) && rows.text(EVENTS, *row, "type") == "note")
        .ok_or_else(|| Refusal::with(StatusCode::NOT_FOUND, "Touchpoint not found"))
}

/// `PUT /api/v3/touchpoints/{id}`: the body names both ids.
pub(super) async fn update_touchpoint(
    Shared(tenant): Tenant,
    Path(path): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    let fields = body(&headers, &bytes)?;
    tenant.change(
        |rows| {
            let row = note_row(rows, &path)?;
            let (Some(note), Some(event)) = (text(&fields, "note_id"), text(&fields, "event_id"))
            else {
                return Err(Refusal::bad("note_id and event_id are needed"));
            };
            if rows.text(EVENTS, row, "note_id") != note || id(EVENTS, row) != event {
                return Err(Refusal::bad("note_id and event_id do not belong together"));
            }
            let values = touchpoint_values(&fields)?;
            Ok((vec![write(rows, Op::Update, EVENTS, row, values)], row))
        },
        |rows, row| json!({ "note": { "id": rows.named(EVENTS, row, "note_id") } }),
    )
}

/// `DELETE /api/v3/touchpoints/{id}`.
pub(super) async fn delete_touchpoint(Shared(tenant): Tenant, Path(id): Path<String>) -> Answer {
    tenant.change(
        |rows| {
            let row = note_row(rows, &id)?;
            Ok((vec![write(rows, Op::Delete, EVENTS, row, Map::new())], ()))
        },
        |_, ()| json!({ "success": true }),
    )
}

/// `GET /api/v2/team_members`.
pub(super) async fn team(Shared(tenant): Tenant) -> Answer {
    let rows = tenant.read();
    let list: Vec<Value> = rows
        .rows(TEAM)
        .map(|row| record(&rows, TEAM, row))
        .collect();
    Ok(Json(list).into_response())
}

/// `GET /api/v3/activity-types`: the flows.
pub(super) async fn flows() -> Answer {
    let list: Vec<Value> = FLOWS
        .iter()
        .map(|(id, name)| json!({ "activity_type_id": id, "display_name": name }))
        .collect();
    Ok(Json(list).into_response())
}

/// `GET /api/v3/accounts/{id}/plan_summary`: the open tasks of an account, counted by flow [G].
pub(super) async fn plans(Shared(tenant): Tenant, Path(id): Path<String>) -> Answer {
    let rows = tenant.read();
    account_row(&rows, &id)
        .ok_or_else(|| Refusal::with(StatusCode::NOT_FOUND, "Account not found"))?;
    let open: Vec<u32> = rows
        .rows(TASKS)
        .filter(|row| {
            rows.text(TASKS, *row, "account_id") == id && rows.text(TASKS, *row, "status") == "open"
        })
        .collect();
    let plans: Vec<Value> = FLOWS
        .iter()
        .filter_map(|(flow, name)| {
            let count = open
                .iter()
                .filter(|row| rows.text(TASKS, **row, "activity_type_id") == *flow)
                .count();
            (count > 0)
                .then(|| json!({ "activity_type_id": flow, "name": name, "open_tasks": count }))
        })
        .collect();
    Ok(Json(json!({ "account_id": id, "plans": plans })).into_response())
}

/// `GET /api/v2/audit?startDate&endDate`: what was written, within one year.
pub(super) async fn audit(Shared(tenant): Tenant, RawQuery(query): RawQuery) -> Answer {
    let pairs = form::pairs(&query.unwrap_or_default());
    let day = |key: &str| {
        form::value(&pairs, key)
            .and_then(|text| text.get(..10))
            .and_then(|text| text.parse::<Date>().ok())
            .ok_or_else(|| Refusal::bad(format!("{key} must be a date")))
    };
    let (from, to) = (day("startDate")?, day("endDate")?);
    if from.year() != to.year() {
        return Err(Refusal::bad("startDate and endDate must be in one year"));
    }
    let within = |entry: &Value| {
        entry["at"]
            .as_str()
            .and_then(|at| at.get(..10))
            .and_then(|at| at.parse::<Date>().ok())
            .is_some_and(|at| (from..=to).contains(&at))
    };
    let list: Vec<Value> = tenant
        .journal
        .writes()
        .iter()
        .filter(|entry| within(entry))
        .map(|entry| {
            json!({ "date": entry["at"], "user": "api", "action": entry["what"][0]["op"], "object": entry["what"][0]["table"] })
        })
        .collect();
    Ok(Json(list).into_response())
}
