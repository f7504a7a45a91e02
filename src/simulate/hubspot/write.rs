//! `/crm/v3/objects` and its dated form, written: create, update, upsert, archive, merge, one by one and in batches.

use std::collections::HashMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::catalog::{ObjectId, owner_row};
use super::error::Refusal;
use super::links::{self, Ref};
use super::objects::{BATCH, Wanted, by, inputs, not_there, record, text_of};
use super::store::{Store, Values, Write};
use super::value::{self, Kind};
use super::{Answer, Ask, PORTAL, Portal, pipelines};

/// What a request will change, and what it has already taken.
#[derive(Default)]
struct Plan {
    writes: Vec<Write>,
    created: u32,
    unique: HashMap<(u16, String), u32>,
}

/// One record of a write: its row, and whether it is new.
type Done = (u32, bool);

/// What a batch does with each of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    Upsert,
}

impl Portal {
    /// `POST …/{type}`.
    pub(super) fn create(&self, id: ObjectId, body: &Value) -> Answer {
        self.single(id, StatusCode::CREATED, |store, plan| {
            create(store, plan, id, body)
        })
    }

    /// `PATCH …/{type}/{id}`.
    pub(super) fn update(&self, id: ObjectId, which: &str, ask: &Ask, body: &Value) -> Answer {
        let property = ask.first("idProperty");
        self.single(id, StatusCode::OK, |store, plan| {
            let row = by(store, id, which, property)?.ok_or_else(|| not_there(id, which))?;
            update(store, plan, id, row, body)?;
            Ok((row, false))
        })
    }

    fn single(
        &self,
        id: ObjectId,
        status: StatusCode,
        make: impl FnOnce(&Store, &mut Plan) -> Result<Done, Refusal>,
    ) -> Answer {
        let answer = self.change(
            |store| {
                let mut plan = Plan::default();
                let done = make(store, &mut plan)?;
                Ok((plan.writes, done))
            },
            |store, (row, _)| record(store, &shown(store, id), id, row, false),
        )?;
        Ok((status, Json(answer)).into_response())
    }

    /// `DELETE …/{type}/{id}`.
    pub(super) fn archive(&self, id: ObjectId, which: &str) -> Answer {
        self.change(
            |store| {
                // What is archived already is archived again without a word.
                let known = id.row(which).filter(|row| store.known(id, *row));
                let row = known.ok_or_else(|| not_there(id, which))?;
                let live = store.exists(id, row);
                let writes = live.then_some(Write::Archive { object: id, row });
                Ok((writes.into_iter().collect(), ()))
            },
            |_, ()| Value::Null,
        )?;
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    /// `POST …/{type}/batch/archive`: ids that are nowhere are passed over.
    pub(super) fn batch_archive(&self, id: ObjectId, body: &Value) -> Answer {
        self.change(
            |store| {
                let mut writes = Vec::new();
                for input in inputs(body, BATCH)? {
                    if let Some(row) = store.find(id, &text_of(input, "id")?) {
                        writes.push(Write::Archive { object: id, row });
                    }
                }
                Ok((writes, ()))
            },
            |_, ()| Value::Null,
        )?;
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    /// `POST …/{type}/batch/create|update|upsert`. One bad input fails all, unless each input carries its own
    /// `objectWriteTraceId`: then the good ones are done and the bad ones reported.
    pub(super) fn batch_write(&self, id: ObjectId, action: Action, body: &Value) -> Answer {
        let list = inputs(body, BATCH)?;
        let traced = list.iter().all(|input| {
            input
                .get("objectWriteTraceId")
                .is_some_and(Value::is_string)
        });
        let mut errors = Vec::new();
        let results = self.change(
            |store| {
                let mut plan = Plan::default();
                let mut done: Vec<(Done, Option<String>)> = Vec::new();
                for input in list {
                    let trace = input
                        .get("objectWriteTraceId")
                        .and_then(Value::as_str)
                        .map(str::to_owned);
                    let kept = (plan.writes.len(), plan.created, plan.unique.clone());
                    match act(store, &mut plan, id, action, input) {
                        Ok(one) => done.push((one, trace)),
                        Err(refusal) if traced => {
                            plan.writes.truncate(kept.0);
                            (plan.created, plan.unique) = (kept.1, kept.2);
                            errors.push(refusal.traced(trace));
                        }
                        Err(refusal) => return Err(refusal),
                    }
                }
                Ok((plan.writes, done))
            },
            |store, done| {
                let wanted = shown(store, id);
                done.into_iter()
                    .map(|((row, new), trace)| {
                        let mut one = record(store, &wanted, id, row, false);
                        if let Some(map) = one.as_object_mut() {
                            if action == Action::Upsert {
                                map.insert("new".into(), json!(new));
                            }
                            if let Some(trace) = trace {
                                map.insert("objectWriteTraceId".into(), json!(trace));
                            }
                        }
                        one
                    })
                    .collect()
            },
        )?;
        let status = if action == Action::Create {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        let results = match results {
            Value::Array(results) => results,
            _ => Vec::new(),
        };
        Ok(self.batch(status, results, &errors))
    }

    /// `POST …/{type}/merge`: the loser is archived, its associations go to the winner.
    pub(super) fn merge(&self, id: ObjectId, body: &Value) -> Answer {
        if id.activity() || id.read_only() {
            return Err(Refusal::invalid(format!(
                "Records of type {} cannot be merged",
                id.plural()
            )));
        }
        let answer = self.change(
            |store| {
                let find = |key: &str| {
                    let which = text_of(body, key)?;
                    store.find(id, &which).ok_or_else(|| not_there(id, &which))
                };
                let (winner, loser) = (find("primaryObjectId")?, find("objectIdToMerge")?);
                if winner == loser {
                    return Err(Refusal::invalid("A record cannot be merged with itself"));
                }
                let mut merged: Vec<String> = store
                    .named(id, winner, "hs_merged_object_ids")
                    .shown()
                    .map(|text| text.split(';').map(str::to_owned).collect())
                    .unwrap_or_default();
                merged.push(id.id(loser));
                let mut writes = Vec::new();
                for other in super::catalog::ALL {
                    for (row, types) in store.linked((id, loser), other) {
                        let to = (other, row);
                        let has = store.links.between(&store.world, (id, winner), to);
                        if has.is_empty() && to != (id, winner) {
                            writes.push(Write::Link {
                                from: (id, winner),
                                to,
                                types,
                            });
                        }
                    }
                }
                let value = Some(merged.join(";"));
                writes.push(Write::Update {
                    object: id,
                    row: winner,
                    values: Values::from([("hs_merged_object_ids".to_owned(), value)]),
                });
                writes.push(Write::Archive {
                    object: id,
                    row: loser,
                });
                Ok((writes, winner))
            },
            |store, winner| record(store, &shown(store, id), id, winner, false),
        )?;
        Ok(Json(answer).into_response())
    }
}

/// A write answers with all properties that a person could set.
fn shown(store: &Store, id: ObjectId) -> Wanted {
    let fields = &store.object(id).fields;
    Wanted {
        fields: (0..fields.len() as u16)
            .filter(|place| !fields[*place as usize].archived)
            .collect(),
        ..Wanted::default()
    }
}

fn act(
    store: &Store,
    plan: &mut Plan,
    id: ObjectId,
    action: Action,
    input: &Value,
) -> Result<Done, Refusal> {
    if action == Action::Create {
        return create(store, plan, id, input);
    }
    let which = text_of(input, "id")?;
    let property = input.get("idProperty").and_then(Value::as_str);
    let known = by(store, id, &which, property)?;
    let known = known.or_else(|| {
        let field = store.object(id).field(property?)?;
        plan.unique.get(&(field, which.to_lowercase())).copied()
    });
    match (known, property) {
        (Some(row), _) => {
            update(store, plan, id, row, input)?;
            Ok((row, false))
        }
        // The value that finds the record is the record's from now on.
        (None, Some(property)) if action == Action::Upsert => {
            let mut input = input.clone();
            let properties = input
                .as_object_mut()
                .map(|map| map.entry("properties").or_insert_with(|| json!({})));
            if let Some(Value::Object(properties)) = properties {
                properties
                    .entry(property)
                    .or_insert_with(|| Value::String(which.clone()));
            }
            create(store, plan, id, &input)
        }
        (None, _) => Err(not_there(id, &which).context(json!({ "ids": [which] }))),
    }
}

fn create(store: &Store, plan: &mut Plan, id: ObjectId, body: &Value) -> Result<Done, Refusal> {
    let mut values = checked(store, id, properties(body)?, None)?;
    let missing: Vec<&str> = id
        .required()
        .iter()
        .copied()
        .filter(|name| !matches!(values.get(*name), Some(Some(_))))
        .collect();
    if !missing.is_empty() {
        return Err(Refusal::invalid(format!(
            "Error creating {}. Some required properties were not set.",
            id.singular().to_uppercase()
        ))
        .context(json!({ "properties": missing })));
    }
    let defaults: &[(&str, &str)] = match id {
        ObjectId::Task => &[
            ("hs_task_status", "NOT_STARTED"),
            ("hs_task_priority", "NONE"),
            ("hs_task_type", "TODO"),
        ],
        ObjectId::Deal => &[("pipeline", "default")],
        ObjectId::Ticket => &[("hs_pipeline", "0")],
        _ => &[],
    };
    for (name, value) in defaults {
        values
            .entry((*name).to_owned())
            .or_insert_with(|| Some((*value).to_owned()));
    }
    let row = store.next_row(id, plan.created);
    claim(store, plan, id, row, &values)?;
    plan.created += 1;
    plan.writes.push(Write::Create {
        object: id,
        row,
        values,
    });
    let list = match body.get("associations") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(list)) => list.as_slice(),
        Some(_) => {
            return Err(Refusal::invalid(
                "Invalid input JSON: associations must be a list",
            ));
        }
    };
    for link in list {
        let (to, types) = association(store, (id, row), link)?;
        plan.writes.push(Write::Link {
            from: (id, row),
            to,
            types,
        });
    }
    Ok((row, true))
}

/// The other end and the types of an association that comes with a new record.
fn association(store: &Store, from: Ref, link: &Value) -> Result<(Ref, Vec<u16>), Refusal> {
    let which = text_of(link.get("to").unwrap_or(&Value::Null), "id")?;
    let types = type_ids(link.get("types"))?;
    // The types say which object the id belongs to.
    let other = super::catalog::ALL
        .into_iter()
        .find(|to| {
            let known = links::types(from.0, *to);
            types
                .iter()
                .all(|id| known.iter().any(|known| known.id == *id))
        })
        .ok_or_else(|| bad_types(from.0, &types))?;
    let row = store.find(other, &which).ok_or_else(|| {
        Refusal::invalid(format!(
            "The {} {which} to associate with does not exist",
            other.singular()
        ))
    })?;
    Ok(((other, row), complete(from.0, other, &types)))
}

/// The type ids of `[{"associationCategory", "associationTypeId"}]`.
pub(super) fn type_ids(types: Option<&Value>) -> Result<Vec<u16>, Refusal> {
    let list = types
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty())
        .ok_or_else(|| {
            Refusal::invalid("Invalid input JSON: the types of the association are missing")
        })?;
    let mut ids = Vec::new();
    for one in list {
        if one.get("associationCategory").and_then(Value::as_str) != Some("HUBSPOT_DEFINED") {
            return Err(Refusal::invalid(
                "One or more association types are not defined in this portal",
            ));
        }
        let id = one
            .get("associationTypeId")
            .and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()))
            .and_then(|id| u16::try_from(id).ok())
            .ok_or_else(|| Refusal::invalid("Invalid input JSON: associationTypeId"))?;
        ids.push(id);
    }
    Ok(ids)
}

pub(super) fn bad_types(from: ObjectId, types: &[u16]) -> Refusal {
    Refusal::invalid(format!(
        "Association types {types:?} do not lead from {} to the named record",
        from.plural()
    ))
}

/// A label never stands alone: the association without a label is there beside it.
pub(super) fn complete(from: ObjectId, to: ObjectId, types: &[u16]) -> Vec<u16> {
    let mut types = types.to_vec();
    types.extend(links::plain(from, to));
    types.sort_unstable();
    types.dedup();
    types
}

fn update(
    store: &Store,
    plan: &mut Plan,
    id: ObjectId,
    row: u32,
    body: &Value,
) -> Result<(), Refusal> {
    let values = checked(store, id, properties(body)?, Some(row))?;
    claim(store, plan, id, row, &values)?;
    plan.writes.push(Write::Update {
        object: id,
        row,
        values,
    });
    Ok(())
}

fn properties(body: &Value) -> Result<&Map<String, Value>, Refusal> {
    match body.get("properties") {
        Some(Value::Object(map)) => Ok(map),
        _ => Err(Refusal::invalid(
            "Invalid input JSON: properties is missing or not an object",
        )),
    }
}

/// Unique values must not be another record's.
fn claim(
    store: &Store,
    plan: &mut Plan,
    id: ObjectId,
    row: u32,
    values: &Values,
) -> Result<(), Refusal> {
    for (name, text) in values {
        let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else {
            continue;
        };
        let Some(field) = store.object(id).field(name) else {
            continue;
        };
        if !store
            .definition(id, field)
            .is_some_and(|definition| definition.unique)
        {
            continue;
        }
        let key = (field, text.trim().to_lowercase());
        let taken = store
            .by_unique(id, field, text)
            .or_else(|| plan.unique.get(&key).copied())
            .filter(|other| *other != row);
        if let Some(other) = taken {
            return Err(Refusal::conflict(format!(
                "{} already exists with the same {name}. Existing ID: {}",
                capital(id.singular()),
                id.id(other)
            )));
        }
        plan.unique.insert(key, row);
    }
    Ok(())
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The values as they are kept; all that is wrong with them at once otherwise.
fn checked(
    store: &Store,
    id: ObjectId,
    properties: &Map<String, Value>,
    row: Option<u32>,
) -> Result<Values, Refusal> {
    let object = store.object(id);
    let (mut values, mut wrong) = (Values::new(), Vec::new());
    for (name, json) in properties {
        let text = match json {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Array(_) | Value::Object(_) => {
                return Err(Refusal::invalid(format!(
                    "Invalid input JSON: the value of {name} is not a text"
                )));
            }
        };
        let problem = match object.field(name).and_then(|at| store.definition(id, at)) {
            None => Some((
                "PROPERTY_DOESNT_EXIST",
                format!("Property \"{name}\" does not exist"),
            )),
            Some(field) if field.read_only => Some((
                "READ_ONLY_VALUE",
                format!("{name} is a read only property; its value cannot be set"),
            )),
            Some(field) => problem(store, field, text.as_deref().unwrap_or("")),
        };
        match problem {
            Some((code, message)) => wrong.push((code, message, name.clone())),
            None => drop(values.insert(name.clone(), text.filter(|text| !text.is_empty()))),
        }
    }
    if let Some(refused) = misplaced(store, id, &values, row) {
        wrong.push(refused);
    }
    if wrong.is_empty() {
        return Ok(values);
    }
    let list: Vec<Value> = wrong
        .iter()
        .map(|(code, message, name)| {
            json!({ "isValid": false, "message": message, "error": code, "name": name, "localizedErrorMessage": message, "portalId": PORTAL })
        })
        .collect();
    let mut refusal = Refusal::invalid(format!(
        "Property values were not valid: {}",
        Value::Array(list)
    ));
    refusal.errors = wrong
        .iter()
        .map(|(code, message, name)| {
            json!({ "message": message, "code": code, "context": { "propertyName": [name] } })
        })
        .collect();
    Err(refusal)
}

/// What is wrong with the value of a property.
fn problem(
    store: &Store,
    field: &super::catalog::Field,
    text: &str,
) -> Option<(&'static str, String)> {
    if let Err(code) = value::read(field.kind, text) {
        return Some((
            code,
            format!(
                "{text} was not a valid {} for {}",
                field.kind.name(),
                field.name
            ),
        ));
    }
    if text.is_empty() {
        return None;
    }
    match field.kind {
        Kind::Owner => owner_row(&store.world, text)
            .is_none()
            .then(|| ("INVALID_OWNER_ID", format!("{text} is not an owner's id"))),
        Kind::Pick => {
            let known = |wanted: &str| {
                field
                    .options
                    .iter()
                    .any(|(value, _)| value.as_ref() == wanted)
            };
            let good = if field.field_type == "checkbox" {
                text.split(';').all(known)
            } else {
                known(text)
            };
            let allowed: Vec<&str> = field
                .options
                .iter()
                .map(|(value, _)| value.as_ref())
                .collect();
            (!good).then(|| {
                (
                    "INVALID_OPTION",
                    format!("{text} was not one of the allowed options: {allowed:?}"),
                )
            })
        }
        _ => None,
    }
}

/// A stage must be one of the record's pipeline; a new record's is the default one unless it says otherwise.
fn misplaced(
    store: &Store,
    id: ObjectId,
    values: &Values,
    row: Option<u32>,
) -> Option<(&'static str, String, String)> {
    let (pipeline, stage, default) = match id {
        ObjectId::Deal => ("pipeline", "dealstage", "default"),
        ObjectId::Ticket => ("hs_pipeline", "hs_pipeline_stage", "0"),
        _ => return None,
    };
    let stage_id = values.get(stage)?.as_deref()?;
    let (of, _) = pipelines::find(id, stage_id)?;
    let chosen = match (values.get(pipeline), row) {
        (Some(Some(chosen)), _) => chosen.clone(),
        (_, Some(row)) => {
            let current = store.named(id, row, pipeline);
            current.shown().unwrap_or_default().into_owned()
        }
        _ => default.to_owned(),
    };
    (of.id != chosen).then(|| {
        (
            "INVALID_OPTION",
            format!("{stage_id} is not a stage of the pipeline {chosen}"),
            stage.to_owned(),
        )
    })
}
