//! `/crm/v3/objects` and its dated form, read: lists, single records, batches of ids.

use std::collections::HashSet;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::catalog::{CREATED, MODIFIED, ObjectId};
use super::error::Refusal;
use super::links;
use super::store::Store;
use super::value::{Val, iso, number};
use super::{Answer, Ask, PORTAL, Portal, UI_DOMAIN};
use crate::simulate::world::WEEKS;

/// Records of a list at most; with the history of properties fewer (unverified: half).
const LIST: usize = 100;
const LIST_WITH_HISTORY: usize = 50;

/// Records of one batch at most.
pub(super) const BATCH: usize = 100;

/// Associations that come with a record at most; the rest is behind their own paging.
const LINKED: usize = 100;

/// What a client wants to see of a record.
#[derive(Default)]
pub(super) struct Wanted {
    pub fields: Vec<u16>,
    pub history: Vec<u16>,
    pub to: Vec<ObjectId>,
}

impl Wanted {
    /// From names. Names that are no property are passed over in silence.
    pub fn new(
        store: &Store,
        id: ObjectId,
        properties: &[String],
        history: &[String],
        associations: &[String],
    ) -> Result<Wanted, Refusal> {
        let object = store.object(id);
        let default = || {
            (0..object.fields.len() as u16).filter(|place| {
                store
                    .definition(id, *place)
                    .is_some_and(|field| field.default)
            })
        };
        // The id and the two stamps come always.
        let mut fields: Vec<u16> = if properties.is_empty() {
            default().collect()
        } else {
            (0..=MODIFIED).collect()
        };
        let named = |names: &[String]| -> Vec<u16> {
            names.iter().filter_map(|name| object.field(name)).collect()
        };
        let history = named(history);
        fields.extend(named(properties));
        fields.extend(&history);
        fields.sort_unstable();
        fields.dedup();
        let mut to = Vec::new();
        for name in associations {
            let other = ObjectId::named(name).ok_or_else(|| unknown_type(name))?;
            if links::types(id, other).is_empty() {
                return Err(Refusal::invalid(format!(
                    "No association is defined between {} and {name}",
                    id.plural()
                )));
            }
            to.push(other);
        }
        Ok(Wanted {
            fields,
            history,
            to,
        })
    }

    /// From the parameters of a request.
    pub fn of(store: &Store, id: ObjectId, ask: &Ask) -> Result<Wanted, Refusal> {
        Wanted::new(
            store,
            id,
            &ask.list("properties"),
            &ask.list("propertiesWithHistory"),
            &ask.list("associations"),
        )
    }

    /// From the body of a request.
    pub fn in_body(store: &Store, id: ObjectId, body: &Value) -> Result<Wanted, Refusal> {
        let list = |key: &str| -> Vec<String> {
            let names = body.get(key).and_then(Value::as_array);
            names
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        Wanted::new(
            store,
            id,
            &list("properties"),
            &list("propertiesWithHistory"),
            &[],
        )
    }
}

pub(super) fn unknown_type(name: &str) -> Refusal {
    Refusal::invalid(format!("Unable to infer object type from: {name}"))
}

pub(super) fn not_there(id: ObjectId, which: &str) -> Refusal {
    Refusal::missing(format!(
        "Object not found. objectId {which} of type {} is usually not a valid one.",
        id.type_id()
    ))
}

/// A record as JSON; `indexed`: as the index of search has it.
pub(super) fn record(
    store: &Store,
    wanted: &Wanted,
    id: ObjectId,
    row: u32,
    indexed: bool,
) -> Value {
    let get = |field: u16| {
        if indexed {
            store.indexed(id, row, field)
        } else {
            store.get(id, row, field)
        }
    };
    let text = |value: Val<'_>| {
        value
            .shown()
            .map_or(Value::Null, |text| Value::String(text.into_owned()))
    };
    let mut properties = Map::new();
    for field in &wanted.fields {
        if let Some(definition) = store.definition(id, *field) {
            properties.insert(definition.name.to_string(), text(get(*field)));
        }
    }
    let name = id.id(row);
    let archived = store.archived(id, row);
    let mut record = Map::new();
    record.insert("id".into(), json!(name));
    record.insert("properties".into(), Value::Object(properties));
    if !wanted.history.is_empty() {
        let mut all = Map::new();
        for field in &wanted.history {
            if let Some(definition) = store.definition(id, *field) {
                all.insert(
                    definition.name.to_string(),
                    Value::Array(history(store, id, row, *field)),
                );
            }
        }
        record.insert("propertiesWithHistory".into(), Value::Object(all));
    }
    record.insert("createdAt".into(), text(get(CREATED)));
    record.insert("updatedAt".into(), text(get(MODIFIED)));
    record.insert("archived".into(), json!(archived.is_some()));
    if let Some(at) = archived {
        record.insert("archivedAt".into(), json!(iso(at)));
    }
    let associations: Map<String, Value> = wanted
        .to
        .iter()
        .filter_map(|to| Some((to.plural().to_owned(), linked(store, (id, row), *to)?)))
        .collect();
    if !associations.is_empty() {
        record.insert("associations".into(), Value::Object(associations));
    }
    record.insert(
        "url".into(),
        json!(format!(
            "https://{UI_DOMAIN}/contacts/{PORTAL}/record/{}/{name}",
            id.type_id()
        )),
    );
    Value::Object(record)
}

/// The associations that come with a record: one entry for each type of a pair, so that an id may come twice.
fn linked(store: &Store, from: (ObjectId, u32), to: ObjectId) -> Option<Value> {
    let found = store.linked(from, to);
    let results: Vec<Value> = found
        .iter()
        .take(LINKED)
        .flat_map(|(row, ids)| {
            ids.iter().map(
                |link| json!({ "id": to.id(*row), "type": links::old_name(from.0, to, *link) }),
            )
        })
        .collect();
    if results.is_empty() {
        return None;
    }
    let mut answer = json!({ "results": results });
    if let Some((row, _)) = found.get(LINKED)
        && let Some(map) = answer.as_object_mut()
    {
        map.insert("paging".into(), json!({ "next": { "after": to.id(*row) } }));
    }
    Some(answer)
}

/// The values that a property has had, newest first. What the world knows week by week comes as such.
fn history(store: &Store, id: ObjectId, row: u32, field: u16) -> Vec<Value> {
    let mut versions: Vec<(i64, Val<'_>)> = store
        .history(id, row)
        .iter()
        .rev()
        .filter(|(known, ..)| *known == field)
        .map(|(_, at, value)| (*at, value.clone()))
        .collect();
    let name = store
        .definition(id, field)
        .map_or("", |definition| definition.name.as_ref());
    let world = &store.world;
    let weekly = id == ObjectId::Company && (row as usize) < world.accounts.len();
    for week in (0..WEEKS).rev().filter(|_| weekly) {
        let value = match name {
            "health_score" => world.health(row, week).map(number),
            "active_users" => world.usage(row, week).map(|week| number(week.active_users)),
            "weekly_logins" => world.usage(row, week).map(|week| number(week.logins)),
            "feature_adoption" => world.usage(row, week).map(|week| number(week.adoption)),
            _ => break,
        };
        if let Some(value) = value {
            let end = crate::simulate::world::day_number(world.week_start(week)) + 7;
            versions.push((end * 86_400_000 - 3_600_000, value));
        }
    }
    if versions.is_empty() {
        let at = store.get(id, row, CREATED).measure().unwrap_or_default() as i64;
        versions.push((at, store.get(id, row, field)));
    }
    versions
        .iter()
        .map(|(at, value)| {
            let text = value.shown().unwrap_or_default();
            json!({ "value": text, "timestamp": iso(*at), "sourceType": "INTEGRATION", "sourceId": "cs-sync" })
        })
        .collect()
}

impl Portal {
    /// `GET …/{type}`.
    pub(super) fn list(&self, id: ObjectId, ask: &Ask) -> Answer {
        let store = self.read();
        let wanted = Wanted::of(&store, id, ask)?;
        let most = if wanted.history.is_empty() {
            LIST
        } else {
            LIST_WITH_HISTORY
        };
        let limit = ask.number("limit", 10)?;
        if limit == 0 || limit > most {
            return Err(Refusal::invalid(format!(
                "limit must be between 1 and {most}, it was {limit}"
            )));
        }
        let from = match ask.first("after") {
            None => 0,
            Some(after) => id.row(after).ok_or_else(|| {
                Refusal::invalid(format!("The paging cursor {after} is not valid"))
            })?,
        };
        let archived = ask.flag("archived")?;
        let mut rows: Vec<u32> = if archived {
            store.archived_from(id, from).take(limit + 1).collect()
        } else {
            store.rows_from(id, from).take(limit + 1).collect()
        };
        let next = (rows.len() > limit).then(|| rows.pop()).flatten();
        let results: Vec<Value> = rows
            .iter()
            .map(|row| record(&store, &wanted, id, *row, false))
            .collect();
        Ok(Json(paged(results, next.map(|row| id.id(row)), self, ask)).into_response())
    }

    /// `GET …/{type}/{id}`.
    pub(super) fn one(&self, id: ObjectId, which: &str, ask: &Ask) -> Answer {
        let store = self.read();
        let wanted = Wanted::of(&store, id, ask)?;
        let row = if ask.flag("archived")? {
            id.row(which)
                .filter(|row| store.archived(id, *row).is_some())
        } else {
            by(&store, id, which, ask.first("idProperty"))?
        };
        let row = row.ok_or_else(|| not_there(id, which))?;
        Ok(Json(record(&store, &wanted, id, row, false)).into_response())
    }

    /// `POST …/{type}/batch/read`.
    pub(super) fn batch_read(&self, id: ObjectId, body: &Value) -> Answer {
        let store = self.read();
        let wanted = Wanted::in_body(&store, id, body)?;
        let most = if wanted.history.is_empty() {
            BATCH
        } else {
            LIST_WITH_HISTORY
        };
        let property = body.get("idProperty").and_then(Value::as_str);
        let (mut results, mut lost, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for input in inputs(body, most)? {
            let which = text_of(input, "id")?;
            match by(&store, id, &which, property)? {
                Some(row) if seen.insert(row) => {
                    results.push(record(&store, &wanted, id, row, false));
                }
                Some(_) => {}
                None => lost.push(which),
            }
        }
        let mut errors = Vec::new();
        if !lost.is_empty() {
            let message = format!(
                "Could not get some {} objects, they may be deleted or not exist. Check that ids are valid.",
                id.singular().to_uppercase()
            );
            errors.push(Refusal::missing(message).context(json!({ "ids": lost })));
        }
        Ok(self.batch(StatusCode::OK, results, &errors))
    }

    /// The answer to a batch: 207 when a part of it failed.
    pub(super) fn batch(
        &self,
        status: StatusCode,
        results: Vec<Value>,
        errors: &[Refusal],
    ) -> Response {
        let at = iso(self.clock.peek().as_millisecond());
        let mut body =
            json!({ "status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at });
        if errors.is_empty() {
            return (status, Json(body)).into_response();
        }
        if let Some(map) = body.as_object_mut() {
            map.insert("numErrors".into(), json!(errors.len()));
            let errors = errors.iter().map(|error| Value::Object(error.inside()));
            map.insert("errors".into(), errors.collect());
        }
        (StatusCode::MULTI_STATUS, Json(body)).into_response()
    }
}

/// The live row that a client means: by id, or by the value of a unique property.
pub(super) fn by(
    store: &Store,
    id: ObjectId,
    which: &str,
    property: Option<&str>,
) -> Result<Option<u32>, Refusal> {
    let Some(property) = property.filter(|property| !property.is_empty()) else {
        return Ok(store.find(id, which));
    };
    let field = store.object(id).field(property).filter(|field| {
        store
            .definition(id, *field)
            .is_some_and(|definition| definition.unique || definition.name == "hs_object_id")
    });
    let field = field.ok_or_else(|| {
        Refusal::invalid(format!(
            "{property} is not a unique property of {}",
            id.plural()
        ))
    })?;
    Ok(store.by_unique(id, field, which))
}

/// The inputs of a batch.
pub(super) fn inputs(body: &Value, most: usize) -> Result<&Vec<Value>, Refusal> {
    let inputs = body
        .get("inputs")
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::invalid("Invalid input JSON: inputs must be a list"))?;
    if inputs.is_empty() {
        return Err(Refusal::invalid("inputs must not be empty"));
    }
    if inputs.len() > most {
        return Err(Refusal::invalid(format!(
            "The maximum number of inputs supported in a batch request is {most}, there were {}",
            inputs.len()
        )));
    }
    Ok(inputs)
}

/// A text in a JSON object; numbers are taken too.
pub(super) fn text_of(input: &Value, key: &str) -> Result<String, Refusal> {
    match input.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => Err(Refusal::invalid(format!(
            "Invalid input JSON: {key} is missing or not a text"
        ))),
    }
}

/// A page of results; no paging at all at the end.
pub(super) fn paged(
    results: Vec<Value>,
    next: Option<String>,
    portal: &Portal,
    ask: &Ask,
) -> Value {
    let mut answer = json!({ "results": results });
    if let (Some(after), Some(map)) = (next, answer.as_object_mut()) {
        let link = portal.link(ask, &after);
        map.insert(
            "paging".into(),
            json!({ "next": { "after": after, "link": link } }),
        );
    }
    answer
}
