//! Creating, changing, deleting, bulk upserts, and metrics that are pushed.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::catalog::{COMPANIES, CONVERSATIONS, ENDUSERS, TASKS, USERS, id_text, row_of};
use super::metrics::Point;
use super::read::{Model, Select, find, in_bulk, model, record, reply};
use super::work::{DONE, TODO};
use super::{Answer, Change, Refusal, State, Tenant, no_such};
use crate::simulate::overlay::{Kind, Op, Overlay, Write, instant, iso};

/// Items of a bulk upsert at most.
const BULK: usize = 5_000;

/// The largest body of pushed metrics.
const PUSHED: usize = 32 * 1024 * 1024;

type Values = Map<String, Value>;

fn parsed(bytes: &Bytes) -> Result<Value, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| Refusal::bad(format!("invalid JSON: {error}")))
}

fn object(bytes: &Bytes) -> Result<Values, Refusal> {
    match parsed(bytes)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(Refusal::bad("the body must be an object")),
    }
}

/// `POST /{model}`.
pub(super) async fn create(
    Shared(tenant): Tenant,
    Path(name): Path<String>,
    bytes: Bytes,
) -> Answer {
    let fields = object(&bytes)?;
    tenant.change(
        |state| {
            let model = model(&state.rows, &name)
                .filter(|model| !model.tickets)
                .ok_or_else(|| no_such(&Method::POST, &format!("/{name}")))?;
            let values = new_values(&state.rows, model, &fields).map_err(Refusal::bad)?;
            for key in ["sourceId", "externalId", "email"] {
                let alone = key != "email" || [ENDUSERS, USERS].contains(&model.table);
                if alone && let Some(value) = taken(&state.rows, model.table, key, &values) {
                    return Err(Refusal::bad(format!("{name}: duplicate {key} {value}")));
                }
            }
            let row = state.rows.next_row(model.table);
            let write = write(&state.rows, Op::Create, model.table, row, values);
            Ok((vec![Change::Row(write)], (model.table, row)))
        },
        |state, (table, row)| record(&state.rows, table, row, &Select::All),
    )
}

/// The value of a key that another row has already.
fn taken(rows: &Overlay, table: usize, key: &str, values: &Values) -> Option<String> {
    let wanted = values.get(key)?.as_str()?;
    let place = rows.tables[table].field(key)?;
    rows.rows(table)
        .any(|row| rows.get(table, row, place).as_str() == Some(wanted))
        .then(|| wanted.to_owned())
}

/// `PUT /{model}/{id}`: what is not named stays.
pub(super) async fn update(
    Shared(tenant): Tenant,
    Path((name, id)): Path<(String, String)>,
    bytes: Bytes,
) -> Answer {
    let fields = object(&bytes)?;
    tenant.change(
        |state| {
            let (table, row) = find(state, &Method::PUT, &name, &id)?;
            let mut values = values(&state.rows, table, &fields).map_err(Refusal::bad)?;
            settle(table, &mut values);
            let changes = if values.is_empty() {
                Vec::new()
            } else {
                vec![Change::Row(write(
                    &state.rows,
                    Op::Update,
                    table,
                    row,
                    values,
                ))]
            };
            Ok((changes, (table, row)))
        },
        |state, (table, row)| record(&state.rows, table, row, &Select::All),
    )
}

/// `DELETE /{model}/{id}`.
pub(super) async fn remove(
    Shared(tenant): Tenant,
    Path((name, id)): Path<(String, String)>,
) -> Answer {
    tenant.change(
        |state| {
            let (table, row) = find(state, &Method::DELETE, &name, &id)?;
            let write = write(&state.rows, Op::Delete, table, row, Map::new());
            Ok((vec![Change::Row(write)], ()))
        },
        |_, ()| json!({ "n": 1, "ok": 1, "deletedCount": 1 }),
    )
}

fn write(rows: &Overlay, op: Op, table: usize, row: u32, values: Values) -> Write {
    Write {
        op,
        table: rows.tables[table].name.to_owned(),
        row,
        values,
    }
}

/// The fields of a body that the model has and that can be written; the others are ignored.
fn values(rows: &Overlay, table: usize, fields: &Values) -> Result<Values, String> {
    let mut values = Map::new();
    let mut put = |name: &str, value: &Value| -> Result<(), String> {
        let shape = &rows.tables[table];
        let Some(field) = shape.field(name).map(|place| &shape.fields[place]) else {
            return Ok(());
        };
        if field.writable {
            values.insert(name.to_owned(), cast(rows, field.kind, name, value)?);
        }
        Ok(())
    };
    for (name, value) in fields {
        match value {
            Value::Object(custom) if name == "custom" => {
                for (name, value) in custom {
                    put(&format!("custom.{name}"), value)?;
                }
            }
            value => put(name, value)?,
        }
    }
    Ok(values)
}

fn cast(rows: &Overlay, kind: Kind, name: &str, value: &Value) -> Result<Value, String> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let failed = || format!("Cast to {kind:?} failed for value {value} at path {name}");
    Ok(match kind {
        Kind::Text => match value {
            Value::String(_) => value.clone(),
            Value::Number(number) => Value::String(number.to_string()),
            _ => return Err(failed()),
        },
        Kind::Int | Kind::Decimal => match value {
            Value::Number(_) => value.clone(),
            Value::String(text) => {
                let number: f64 = text.trim().parse().map_err(|_| failed())?;
                serde_json::Number::from_f64(number)
                    .map(Value::Number)
                    .ok_or_else(failed)?
            }
            _ => return Err(failed()),
        },
        Kind::Bool => match value {
            Value::Bool(_) => value.clone(),
            _ => return Err(failed()),
        },
        Kind::Instant => {
            let ms = match value {
                Value::String(text) => instant(text).ok_or_else(failed)?,
                value => value.as_i64().ok_or_else(failed)?,
            };
            jiff::Timestamp::from_millisecond(ms)
                .map(iso)
                .map_err(|_| failed())?
        }
        Kind::List => match value {
            Value::Array(_) => value.clone(),
            _ => return Err(failed()),
        },
        Kind::Row(table) => {
            let id = value.as_str().ok_or_else(failed)?;
            let row = row_of(table, id).filter(|row| rows.exists(table, *row));
            Value::String(id_text(table, row.ok_or_else(failed)?))
        }
    })
}

/// What follows from a change of a task: with a day on which it was done it is put away [G].
fn settle(table: usize, values: &mut Values) {
    let done = values.get("dateDone").is_some_and(|value| !value.is_null());
    if table == TASKS && done {
        values.entry("isArchived").or_insert(Value::Bool(true));
        values.entry("status").or_insert_with(|| json!(DONE));
    }
}

/// The fields of a new row, with what is set when nothing was said.
fn new_values(rows: &Overlay, model: Model, fields: &Values) -> Result<Values, String> {
    let table = model.table;
    let mut values = values(rows, table, fields)?;
    if model.tickets {
        values.insert("type".to_owned(), json!("ticket"));
        if !values.contains_key("companyId")
            && let Some(company) = company_of_ticket(rows, fields)
        {
            values.insert("companyId".to_owned(), Value::String(company));
        }
    }
    for field in &rows.tables[table].fields {
        let missing = values.get(field.name).is_none_or(Value::is_null);
        if field.required && missing {
            return Err(format!("{} is required", field.name));
        }
    }
    let defaults: &[(&str, Value)] = &match table {
        COMPANIES => vec![
            ("status", json!("prospect")),
            ("domains", json!([])),
            ("tags", json!([])),
        ],
        TASKS => vec![
            ("status", json!(TODO)),
            ("isArchived", json!(false)),
            ("noSpecificTime", json!(false)),
            ("users", json!([])),
            ("endusers", json!([])),
            ("checklist", json!([])),
        ],
        super::catalog::OPPORTUNITIES => vec![("status", json!("active"))],
        CONVERSATIONS => vec![("tags", json!([])), ("endusers", json!([]))],
        ENDUSERS => vec![("archived", json!(false)), ("primary", json!(false))],
        _ => Vec::new(),
    };
    settle(table, &mut values);
    for (name, value) in defaults {
        values
            .entry((*name).to_owned())
            .or_insert_with(|| value.clone());
    }
    Ok(values)
}

/// A ticket belongs to the company with the external id, else to the one of the person who wrote.
fn company_of_ticket(rows: &Overlay, fields: &Values) -> Option<String> {
    let by = |table: usize, key: &str, wanted: &str| {
        let place = rows.tables[table].field(key)?;
        rows.rows(table)
            .find(|row| rows.get(table, *row, place).as_str() == Some(wanted))
    };
    if let Some(wanted) = fields.get("companyExternalId").and_then(Value::as_str) {
        return by(COMPANIES, "externalId", wanted).map(|row| id_text(COMPANIES, row));
    }
    let email = fields.get("email")?.as_str()?;
    let person = by(ENDUSERS, "email", email)?;
    Some(rows.text(ENDUSERS, person, "companyId"))
}

/// Where the rows of a model are found by the keys of an upsert.
struct Keys {
    source: HashMap<String, u32>,
    external: HashMap<String, u32>,
}

impl Keys {
    fn of(rows: &Overlay, table: usize) -> Self {
        let map = |key: &str| {
            let place = rows.tables[table].field(key);
            let pair = |row: u32| match rows.get(table, row, place?) {
                Value::String(text) => Some((text, row)),
                _ => None,
            };
            rows.rows(table).filter_map(pair).collect()
        };
        Keys {
            source: map("sourceId"),
            external: map("externalId"),
        }
    }

    fn add(&mut self, values: &Values, row: u32) {
        for (map, key) in [
            (&mut self.source, "sourceId"),
            (&mut self.external, "externalId"),
        ] {
            if let Some(text) = values.get(key).and_then(Value::as_str) {
                map.insert(text.to_owned(), row);
            }
        }
    }
}

/// What became of a bulk upsert.
#[derive(Default)]
struct Outcome {
    created: Vec<u32>,
    updated: Vec<u32>,
    created_errors: Vec<Value>,
    updated_errors: Vec<Value>,
    nonupdates: usize,
}

/// `PUT /{model}` with an array: rows are found by `_id`, then `sourceId`, then `externalId`; the others are created. Errors
/// of single items lie in the answer, whose status is 200.
pub(super) async fn bulk(Shared(tenant): Tenant, Path(name): Path<String>, bytes: Bytes) -> Answer {
    let Value::Array(items) = parsed(&bytes)? else {
        return Err(Refusal::bad("a bulk upsert takes an array"));
    };
    if items.len() > BULK {
        return Err(Refusal::bad(format!(
            "a bulk upsert takes at most {BULK} items"
        )));
    }
    tenant.change(
        |state| {
            let model = model(&state.rows, &name)
                .filter(|model| in_bulk(*model))
                .ok_or_else(|| no_such(&Method::PUT, &format!("/{name}")))?;
            let mut keys = Keys::of(&state.rows, model.table);
            let mut outcome = Outcome::default();
            let mut changes = Vec::new();
            for (index, item) in items.iter().enumerate() {
                changes.extend(upsert(state, model, &mut keys, &mut outcome, index, item));
            }
            Ok((changes, (model.table, outcome)))
        },
        |state, (table, outcome)| {
            let key = |row: &u32| {
                let mut key = json!({ "_id": id_text(table, *row) });
                for name in ["sourceId", "externalId"] {
                    if let Value::String(text) = state.rows.named(table, *row, name) {
                        key[name] = Value::String(text);
                    }
                }
                key
            };
            let ids = |rows: &[u32]| -> Vec<String> {
                rows.iter().map(|row| id_text(table, *row)).collect()
            };
            let mut upserted = ids(&outcome.created);
            upserted.extend(ids(&outcome.updated));
            json!({
                "created": outcome.created.len(), "createdErrors": outcome.created_errors,
                "insertsKeys": outcome.created.iter().map(key).collect::<Vec<_>>(),
                "updated": outcome.updated.len(), "updatedErrors": outcome.updated_errors,
                "updatesKeys": outcome.updated.iter().map(key).collect::<Vec<_>>(),
                "nonupdates": outcome.nonupdates, "modified": ids(&outcome.updated),
                "upsertedIds": upserted, "permissionErrors": [],
            })
        },
    )
}

fn upsert(
    state: &mut State,
    model: Model,
    keys: &mut Keys,
    outcome: &mut Outcome,
    index: usize,
    item: &Value,
) -> Option<Change> {
    let table = model.table;
    let failed = |message: &str| json!({ "index": index, "message": message, "item": item });
    let Some(mut fields) = item.as_object().cloned() else {
        outcome
            .created_errors
            .push(failed("an item must be an object"));
        return None;
    };
    if model.tickets
        && let Some(title) = fields.remove("title")
    {
        fields.insert("subject".to_owned(), title);
    }
    let fields = &fields;
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    // A ticket without a mail address is dropped, and nothing is said of it.
    if model.tickets && text("email").is_none_or(str::is_empty) {
        return None;
    }
    let found = text("_id")
        .and_then(|id| row_of(table, id))
        .filter(|row| state.rows.exists(table, *row))
        .or_else(|| text("sourceId").and_then(|id| keys.source.get(id).copied()))
        .or_else(|| text("externalId").and_then(|id| keys.external.get(id).copied()));
    let Some(row) = found else {
        return match new_values(&state.rows, model, fields) {
            Ok(values) => {
                let row = state.rows.next_row(table);
                keys.add(&values, row);
                outcome.created.push(row);
                let write = write(&state.rows, Op::Create, table, row, values);
                Some(Change::Row(write))
            }
            Err(message) => {
                outcome.created_errors.push(failed(&message));
                None
            }
        };
    };
    match values(&state.rows, table, fields) {
        Ok(mut values) => {
            settle(table, &mut values);
            values.retain(|name, value| state.rows.named(table, row, name) != *value);
            if values.is_empty() {
                outcome.nonupdates += 1;
                return None;
            }
            keys.add(&values, row);
            outcome.updated.push(row);
            let write = write(&state.rows, Op::Update, table, row, values);
            Some(Change::Row(write))
        }
        Err(message) => {
            outcome.updated_errors.push(failed(&message));
            None
        }
    }
}

/// `POST /dimensiondata/{tenantUUID}` with an array of points. It asks for no token; the tenant's id is in the path.
pub(super) async fn metrics(
    Shared(tenant): Tenant,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    // Any id of the right form is taken for the tenant's [G].
    if id.parse::<uuid::Uuid>().is_err() {
        return Err(Refusal::not_found("unknown tenant"));
    }
    if bytes.len() > PUSHED {
        return Err(Refusal::plain(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request entity too large",
        ));
    }
    let Value::Array(items) = parsed(&bytes)? else {
        return Err(Refusal::bad("metrics are sent as an array"));
    };
    if items.is_empty() {
        return Ok(reply(json!({ "processed": 0, "errors": [] })));
    }
    let now = tenant.clock.peek().as_millisecond();
    tenant.change(
        |state| {
            let keys = Keys::of(&state.rows, COMPANIES);
            let mut changes = Vec::new();
            let mut errors = Vec::new();
            for (index, item) in items.iter().enumerate() {
                match point(&state.rows, &keys, item, now) {
                    Ok(point) => changes.push(Change::Metric(point)),
                    Err(message) => errors.push(json!({ "index": index, "message": message })),
                }
            }
            let processed = changes.len();
            Ok((changes, (processed, errors)))
        },
        |_, (processed, errors)| json!({ "processed": processed, "errors": errors }),
    )
}

fn point(rows: &Overlay, keys: &Keys, item: &Value, now: i64) -> Result<Point, String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let dimension = text("dimensionId").ok_or("dimensionId is required")?;
    let value = item
        .get("value")
        .and_then(Value::as_f64)
        .ok_or("value must be a number")?;
    let company = text("externalId")
        .and_then(|id| keys.external.get(id).copied())
        .or_else(|| text("companyId").and_then(|id| row_of(COMPANIES, id)))
        .filter(|row| rows.exists(COMPANIES, *row))
        .ok_or("the company is not known")?;
    let at = match text("date") {
        Some(date) => instant(date).ok_or("date must be a day or an instant")?,
        None => now,
    };
    Ok(Point {
        company,
        dimension: dimension.to_owned(),
        day: at.div_euclid(86_400_000),
        value,
    })
}
