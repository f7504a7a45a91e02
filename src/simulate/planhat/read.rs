//! Lists and single objects.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::catalog::{COMPANIES, CONVERSATIONS, CUSTOMFIELDS, ENDUSERS, TASKS, row_of};
use super::metrics::{self, Wanted};
use super::work::is_ticket;
use super::{Answer, Refusal, State, Tenant, no_such};
use crate::simulate::overlay::Overlay;

/// Rows of a list without a `limit`.
const DEFAULT: usize = 100;

/// Models that show only `_id` and `name` in a list when nothing was selected.
const SHORT: [&str; 7] = [
    "companies",
    "endusers",
    "assets",
    "projects",
    "objectives",
    "workflows",
    "campaigns",
];

/// A model in a path: a table, or the tickets among the conversations.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Model {
    pub table: usize,
    pub tickets: bool,
}

pub(super) fn model(rows: &Overlay, name: &str) -> Option<Model> {
    if name == "tickets" {
        return Some(Model {
            table: CONVERSATIONS,
            tickets: true,
        });
    }
    rows.table(name).map(|table| Model {
        table,
        tickets: false,
    })
}

/// What is shown of a row.
pub(super) enum Select {
    All,
    Names(Vec<String>),
}

/// A row as an object. What has no value is left out.
pub(super) fn record(rows: &Overlay, table: usize, row: u32, select: &Select) -> Value {
    let mut shown = Map::new();
    let mut custom = Map::new();
    let wanted = |name: &str| match select {
        Select::All => true,
        Select::Names(names) => names
            .iter()
            .any(|asked| asked == name || (asked == "custom" && name.starts_with("custom."))),
    };
    for (place, field) in rows.tables[table].fields.iter().enumerate() {
        if place > 0 && !wanted(field.name) {
            continue;
        }
        let value = rows.get(table, row, place);
        if value.is_null() {
            continue;
        }
        match field.name.strip_prefix("custom.") {
            Some(name) => custom.insert(name.to_owned(), value),
            None => shown.insert(field.name.to_owned(), value),
        };
    }
    if !custom.is_empty() {
        shown.insert("custom".to_owned(), Value::Object(custom));
    }
    Value::Object(shown)
}

fn count(parameters: &HashMap<String, String>, key: &str) -> Result<Option<usize>, Refusal> {
    parameters
        .get(key)
        .map(|text| {
            text.parse()
                .map_err(|_| Refusal::bad(format!("{key} must be a number")))
        })
        .transpose()
}

fn flag(parameters: &HashMap<String, String>, key: &str) -> Option<bool> {
    parameters
        .get(key)
        .map(|text| text == "true" || text == "1")
}

fn listed(parameters: &HashMap<String, String>, key: &str) -> Option<HashSet<String>> {
    parameters.get(key).map(|text| {
        text.split(',')
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect()
    })
}

/// The key under which a model names its company, and whether it names several.
fn company_key(rows: &Overlay, table: usize) -> Option<(usize, bool)> {
    let shape = &rows.tables[table];
    shape
        .field("companyId")
        .or_else(|| shape.field("cId"))
        .map(|place| (place, false))
        .or_else(|| shape.field("companyIds").map(|place| (place, true)))
}

/// `GET /{model}`.
pub(super) async fn list(
    Shared(tenant): Tenant,
    Path(name): Path<String>,
    Query(parameters): Query<HashMap<String, String>>,
) -> Answer {
    let work = move || {
        let state = tenant.read();
        let model =
            model(&state.rows, &name).ok_or_else(|| no_such(&Method::GET, &format!("/{name}")))?;
        let rows = page(&state.rows, model, &name, &parameters)?;
        Ok(Json(rows).into_response())
    };
    blocking(work).await
}

/// Reading a large model takes its time; the runtime goes on meanwhile.
async fn blocking(work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Refusal::bad(error.to_string())))
}

fn page(
    rows: &Overlay,
    model: Model,
    name: &str,
    parameters: &HashMap<String, String>,
) -> Result<Vec<Value>, Refusal> {
    let table = model.table;
    let most = if table == COMPANIES { 5_000 } else { 2_000 };
    let limit = count(parameters, "limit")?.unwrap_or(DEFAULT).min(most);
    let offset = count(parameters, "offset")?.unwrap_or(0);
    let select = match parameters.get("select").map(|text| text.trim()) {
        Some("ALL") => Select::All,
        Some(text) if !text.is_empty() => {
            Select::Names(text.split(',').map(|name| name.trim().to_owned()).collect())
        }
        _ if SHORT.contains(&name) => Select::Names(vec!["name".to_owned()]),
        _ => Select::All,
    };
    let fits = filter(rows, model, parameters);
    let found = rows.rows(table).filter(|row| fits(*row));
    let chosen: Vec<u32> = match sort_key(rows, table, parameters) {
        Some((place, down)) => {
            let mut all: Vec<(Value, u32)> = found
                .map(|row| (rows.get(table, row, place), row))
                .collect();
            all.sort_by(|a, b| {
                let order = compare(&a.0, &b.0);
                if down { order.reverse() } else { order }
            });
            all.into_iter()
                .skip(offset)
                .take(limit)
                .map(|(_, row)| row)
                .collect()
        }
        None => found.skip(offset).take(limit).collect(),
    };
    let shown = chosen
        .into_iter()
        .map(|row| record(rows, table, row, &select));
    Ok(shown.collect())
}

/// The field to sort by, and whether downwards; `-updatedAt` is downwards. An unknown field sorts nothing.
fn sort_key(
    rows: &Overlay,
    table: usize,
    parameters: &HashMap<String, String>,
) -> Option<(usize, bool)> {
    let asked = parameters.get("sort")?.trim();
    let (name, down) = match asked.strip_prefix('-') {
        Some(name) => (name, true),
        None => (asked, false),
    };
    Some((rows.tables[table].field(name)?, down))
}

/// The order of values: nothing first, then by value.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a
            .as_f64()
            .unwrap_or(0.0)
            .total_cmp(&b.as_f64().unwrap_or(0.0)),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        _ => 4,
    }
}

/// Which rows the parameters of a list mean. A parameter that the model does not know is ignored.
fn filter<'a>(
    rows: &'a Overlay,
    model: Model,
    parameters: &'a HashMap<String, String>,
) -> impl Fn(u32) -> bool + 'a {
    let table = model.table;
    let companies = listed(parameters, "companyId").zip(company_key(rows, table));
    // Tasks that are done are put away, and listed only on demand.
    let archived = (table == TASKS).then(|| flag(parameters, "isArchived").unwrap_or(false));
    let known = |on: bool, key: &'static str| on.then(|| parameters.get(key)).flatten();
    let texts: Vec<(&'static str, &'a String)> = [
        ("status", known(table == COMPANIES, "status")),
        ("email", known(table == ENDUSERS, "email")),
        (
            "type",
            known(table == CONVERSATIONS && !model.tickets, "type"),
        ),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .collect();
    let people = (table == TASKS)
        .then(|| listed(parameters, "enduserIds"))
        .flatten();
    move |row| {
        if model.tickets && !is_ticket(rows, row) {
            return false;
        }
        if let Some((asked, (place, many))) = &companies {
            let value = rows.get(table, row, *place);
            let fits = |value: &Value| value.as_str().is_some_and(|id| asked.contains(id));
            let one = match (&value, many) {
                (Value::Array(ids), true) => ids.iter().any(fits),
                (value, _) => fits(value),
            };
            if !one {
                return false;
            }
        }
        if let Some(archived) = archived
            && (rows.named(table, row, "isArchived") == true) != archived
        {
            return false;
        }
        if let Some(asked) = &people {
            let persons = rows.named(table, row, "endusers");
            let one = persons.as_array().is_some_and(|persons| {
                persons.iter().any(|person| {
                    let id = person.get("id").unwrap_or(person);
                    id.as_str().is_some_and(|id| asked.contains(id))
                })
            });
            if !one {
                return false;
            }
        }
        texts.iter().all(|(key, wanted)| {
            rows.named(table, row, key)
                .as_str()
                .is_some_and(|value| value == *wanted)
        })
    }
}

/// `GET /{model}/{id}`.
pub(super) async fn single(
    Shared(tenant): Tenant,
    Path((name, id)): Path<(String, String)>,
) -> Answer {
    let work = move || {
        let state = tenant.read();
        let found = find(&state, &Method::GET, &name, &id)?;
        Ok(Json(record(&state.rows, found.0, found.1, &Select::All)).into_response())
    };
    blocking(work).await
}

/// The row that a path names: by `_id`, `extid-…` or `srcid-…`. Single tickets are not addressed by themselves.
pub(super) fn find(
    state: &State,
    method: &Method,
    name: &str,
    id: &str,
) -> Result<(usize, u32), Refusal> {
    let rows = &state.rows;
    let model = model(rows, name)
        .filter(|model| !model.tickets || *method == Method::DELETE)
        .ok_or_else(|| no_such(method, &format!("/{name}/{id}")))?;
    let table = model.table;
    let by = |key: &str, wanted: &str| {
        let place = rows.tables[table].field(key)?;
        let found = rows
            .rows(table)
            .find(|row| rows.get(table, *row, place).as_str() == Some(wanted))?;
        Some(found)
    };
    let row = if let Some(wanted) = id.strip_prefix("extid-") {
        by("externalId", wanted)
    } else if let Some(wanted) = id.strip_prefix("srcid-") {
        by("sourceId", wanted)
    } else {
        row_of(table, id).filter(|row| rows.exists(table, *row))
    };
    row.filter(|row| !model.tickets || is_ticket(rows, *row))
        .map(|row| (table, row))
        .ok_or_else(|| Refusal::not_found(format!("{name}: no object with id {id}")))
}

/// `GET /leancompanies`: all companies at once, five fields each.
pub(super) async fn lean(
    Shared(tenant): Tenant,
    Query(parameters): Query<HashMap<String, String>>,
) -> Answer {
    let work = move || {
        let state = tenant.read();
        let rows = &state.rows;
        let fits = |row: u32| {
            ["externalId", "sourceId", "status"].iter().all(|key| {
                parameters
                    .get(*key)
                    .is_none_or(|wanted| rows.named(COMPANIES, row, key).as_str() == Some(wanted))
            })
        };
        let select = Select::Names(
            ["name", "slug", "externalId", "sourceId"]
                .map(str::to_owned)
                .to_vec(),
        );
        let found: Vec<Value> = rows
            .rows(COMPANIES)
            .filter(|row| fits(*row))
            .map(|row| record(rows, COMPANIES, row, &select))
            .collect();
        Ok(Json(found).into_response())
    };
    blocking(work).await
}

/// `GET /dimensiondata?cId=&dimid=&from=&to=`, days counted since 1970.
pub(super) async fn metrics(
    Shared(tenant): Tenant,
    Query(parameters): Query<HashMap<String, String>>,
) -> Answer {
    let day = |key: &str, default: i64| match parameters.get(key) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| Refusal::bad(format!("{key} must be a number of days since 1970"))),
    };
    let wanted = Wanted {
        companies: listed(&parameters, "cId").map(|ids| {
            let row = |id: &String| row_of(COMPANIES, id);
            ids.iter().filter_map(row).collect()
        }),
        dimension: parameters.get("dimid").cloned(),
        from: day("from", i64::MIN)?,
        to: day("to", i64::MAX)?,
        offset: count(&parameters, "offset")?.unwrap_or(0),
        limit: count(&parameters, "limit")?.unwrap_or(DEFAULT).min(2_000),
    };
    if wanted.limit == 0 {
        return Ok(Json(Vec::<Value>::new()).into_response());
    }
    blocking(move || Ok(Json(metrics::list(&tenant.read(), &wanted)).into_response())).await
}

/// Whether a model takes bulk upserts: the tenant's fields do not.
pub(super) fn in_bulk(model: Model) -> bool {
    model.table != CUSTOMFIELDS
}

/// An answer of any kind around a JSON value.
pub(super) fn reply(value: Value) -> Response {
    Json(value).into_response()
}
