//! Associations: read and written one by one under a record, and in batches under `/crm/v4/associations` and its dated form.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::catalog::ObjectId;
use super::error::Refusal;
use super::links::{self, Ref};
use super::objects::{inputs, not_there, paged, text_of, unknown_type};
use super::store::{Store, Write};
use super::value::iso;
use super::write::{bad_types, complete, type_ids};
use super::{Answer, Ask, Edition, Portal};

/// Associations of one page at most.
const PAGE: usize = 500;

/// Inputs of a batch that reads and of one that writes (unverified).
const READ: usize = 1000;
const WRITE: usize = 2000;

fn find(store: &Store, object: &str, id: &str) -> Result<Ref, Refusal> {
    let object = ObjectId::named(object).ok_or_else(|| unknown_type(object))?;
    let row = store
        .find(object, id)
        .ok_or_else(|| not_there(object, id))?;
    Ok((object, row))
}

/// One end of a pair in the inputs of a batch.
fn end(store: &Store, object: ObjectId, input: &Value, key: &str) -> Result<Ref, Refusal> {
    let id = text_of(input.get(key).unwrap_or(&Value::Null), "id")?;
    let row = store
        .find(object, &id)
        .ok_or_else(|| not_there(object, &id))?;
    Ok((object, row))
}

/// The types of a pair, with their labels.
fn shown_types(from: ObjectId, to: ObjectId, ids: &[u16]) -> Vec<Value> {
    links::types(from, to)
        .iter()
        .filter(|known| ids.contains(&known.id))
        .map(|known| json!({ "category": "HUBSPOT_DEFINED", "typeId": known.id, "label": known.label }))
        .collect()
}

/// The other end: a number in the older answers, a text in the dated ones (unverified).
fn shown_end(to: Ref, edition: Edition) -> Value {
    let id = to.0.id(to.1);
    match (edition, id.parse::<u64>()) {
        (Edition::Dated, _) | (_, Err(_)) => json!(id),
        (_, Ok(number)) => json!(number),
    }
}

fn pair_json(from: Ref, to: Ref, ids: &[u16]) -> Value {
    let labels: Vec<&str> = links::types(from.0, to.0)
        .iter()
        .filter(|known| ids.contains(&known.id))
        .filter_map(|known| known.label)
        .collect();
    json!({
        "fromObjectTypeId": from.0.type_id(), "fromObjectId": from.0.id(from.1),
        "toObjectTypeId": to.0.type_id(), "toObjectId": to.0.id(to.1), "labels": labels
    })
}

/// A primary company is the only one: the one before it loses the label.
fn with_primary(store: &Store, from: Ref, to: Ref, types: Vec<u16>) -> Vec<Write> {
    let mut writes = Vec::new();
    if let Some(first) = links::first(from.0, to.0).filter(|first| types.contains(first))
        && to.0 == ObjectId::Company
    {
        for (row, ids) in store.linked(from, to.0) {
            if row != to.1 && ids.contains(&first) {
                writes.push(Write::Link {
                    from,
                    to: (to.0, row),
                    types: ids.into_iter().filter(|id| *id != first).collect(),
                });
            }
        }
    }
    writes.push(Write::Link { from, to, types });
    writes
}

fn checked(from: ObjectId, to: ObjectId, ids: &[u16]) -> Result<(), Refusal> {
    let known = links::types(from, to);
    if ids
        .iter()
        .all(|id| known.iter().any(|known| known.id == *id))
    {
        Ok(())
    } else {
        Err(bad_types(from, ids))
    }
}

fn no_type(from: ObjectId, to: ObjectId) -> Refusal {
    Refusal::invalid(format!(
        "No association is defined between {} and {}",
        from.plural(),
        to.plural()
    ))
}

impl Portal {
    /// `GET …/{type}/{id}/associations/{to}`.
    pub(super) fn associations(
        &self,
        from: ObjectId,
        id: &str,
        to: &str,
        edition: Edition,
        ask: &Ask,
    ) -> Answer {
        let store = self.read();
        let to = ObjectId::named(to).ok_or_else(|| unknown_type(to))?;
        if links::types(from, to).is_empty() {
            return Err(no_type(from, to));
        }
        let row = store.find(from, id).ok_or_else(|| not_there(from, id))?;
        let limit = ask.number("limit", PAGE)?;
        if limit == 0 || limit > PAGE {
            return Err(Refusal::invalid(format!(
                "limit must be between 1 and {PAGE}"
            )));
        }
        let after = match ask.first("after") {
            None => 0,
            Some(after) => to
                .row(after)
                .ok_or_else(|| Refusal::invalid("The paging cursor is not valid"))?,
        };
        let found = store.linked((from, row), to);
        let mut rest = found.iter().filter(|(row, _)| *row >= after);
        let page: Vec<&(u32, Vec<u16>)> = rest.by_ref().take(limit).collect();
        let next = rest.next().map(|(row, _)| to.id(*row));
        let results = page
            .into_iter()
            .flat_map(|(row, ids)| match edition {
                Edition::V3 => ids
                    .iter()
                    .map(|link| json!({ "id": to.id(*row), "type": links::old_name(from, to, *link) }))
                    .collect(),
                _ => vec![json!({
                    "toObjectId": shown_end((to, *row), edition),
                    "associationTypes": shown_types(from, to, ids)
                })],
            })
            .collect();
        Ok(Json(paged(results, next, self, ask)).into_response())
    }

    /// `PUT …/{type}/{id}/associations/default/{to}/{toId}`.
    pub(super) fn associate(&self, from: (&str, &str), to: (&str, &str)) -> Answer {
        let at = iso(self.clock.peek().as_millisecond());
        let answer = self.change(
            |store| {
                let (from, to) = (find(store, from.0, from.1)?, find(store, to.0, to.1)?);
                let plain = links::plain(from.0, to.0).ok_or_else(|| no_type(from.0, to.0))?;
                let types = added(store, from, to, &store.default_types(from, to));
                Ok((with_primary(store, from, to, types), (from, to, plain)))
            },
            |_, (from, to, plain)| {
                let back = links::plain(to.0, from.0);
                let one = |a: Ref, b: Ref, id: Option<u16>| {
                    json!({
                        "from": { "id": a.0.id(a.1) }, "to": { "id": b.0.id(b.1) },
                        "associationSpec": { "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id }
                    })
                };
                json!({
                    "status": "COMPLETE", "startedAt": at, "completedAt": at,
                    "results": [one(from, to, Some(plain)), one(to, from, back)]
                })
            },
        )?;
        Ok(Json(answer).into_response())
    }

    /// `PUT …/{type}/{id}/associations/{to}/{toId}` with the types in the body.
    pub(super) fn label(&self, from: (&str, &str), to: (&str, &str), body: &Value) -> Answer {
        let ids = type_ids(Some(body))?;
        let answer = self.change(
            |store| {
                let (from, to) = (find(store, from.0, from.1)?, find(store, to.0, to.1)?);
                checked(from.0, to.0, &ids)?;
                let types = added(store, from, to, &complete(from.0, to.0, &ids));
                Ok((with_primary(store, from, to, types), (from, to)))
            },
            |_, (from, to)| pair_json(from, to, &ids),
        )?;
        Ok((StatusCode::CREATED, Json(answer)).into_response())
    }

    /// `DELETE …/{type}/{id}/associations/{to}/{toId}`; with a type of the older form it is that one alone.
    pub(super) fn dissociate(
        &self,
        from: (&str, &str),
        to: (&str, &str),
        only: Option<&str>,
    ) -> Answer {
        self.change(
            |store| {
                let (from, to) = (find(store, from.0, from.1)?, find(store, to.0, to.1)?);
                let types = match only {
                    None => Vec::new(),
                    Some(only) => {
                        let drop = old_type(from.0, to.0, only)?;
                        let mut types = store.links.between(&store.world, from, to);
                        types.retain(|id| *id != drop);
                        types
                    }
                };
                Ok((vec![Write::Link { from, to, types }], ()))
            },
            |_, ()| Value::Null,
        )?;
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    /// `PUT /crm/v3/objects/{type}/{id}/associations/{to}/{toId}/{associationType}`, the older form.
    pub(super) fn associate_old(&self, from: (&str, &str), to: (&str, &str), link: &str) -> Answer {
        let answer = self.change(
            |store| {
                let (from, to) = (find(store, from.0, from.1)?, find(store, to.0, to.1)?);
                let id = old_type(from.0, to.0, link)?;
                let types = added(store, from, to, &complete(from.0, to.0, &[id]));
                Ok((with_primary(store, from, to, types), from))
            },
            |store, (object, row)| {
                super::objects::record(
                    store,
                    &super::objects::Wanted::default(),
                    object,
                    row,
                    false,
                )
            },
        )?;
        Ok(Json(answer).into_response())
    }

    /// `GET …/associations/{from}/{to}/labels`.
    pub(super) fn labels(&self, from: ObjectId, to: ObjectId) -> Answer {
        let results: Vec<Value> = links::types(from, to)
            .iter()
            .map(|known| {
                json!({ "category": "HUBSPOT_DEFINED", "typeId": known.id, "label": known.label })
            })
            .collect();
        Ok(Json(json!({ "results": results })).into_response())
    }

    /// `POST …/associations/{from}/{to}/batch/read`. Records without any are reported as errors.
    pub(super) fn batch_associations(
        &self,
        from: ObjectId,
        to: ObjectId,
        edition: Edition,
        body: &Value,
    ) -> Answer {
        let store = self.read();
        if links::types(from, to).is_empty() {
            return Err(no_type(from, to));
        }
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for input in inputs(body, READ)? {
            let id = text_of(input, "id")?;
            let after = match input.get("after").and_then(Value::as_str) {
                None | Some("") => 0,
                Some(after) => to
                    .row(after)
                    .ok_or_else(|| Refusal::invalid("The paging cursor is not valid"))?,
            };
            let found = store
                .find(from, &id)
                .map(|row| store.linked((from, row), to))
                .unwrap_or_default();
            if found.is_empty() {
                let mut error = Refusal::missing(format!(
                    "No {} is associated with {} {id}.",
                    to.singular(),
                    from.singular()
                ))
                .context(json!({ "fromObjectId": [id], "fromObjectType": [from.singular()], "toObjectType": [to.singular()] }));
                error.sub = Some("crm.associations.NO_ASSOCIATIONS_FOUND");
                errors.push(error);
                continue;
            }
            let mut rest = found.iter().filter(|(row, _)| *row >= after);
            let list: Vec<Value> = rest
                .by_ref()
                .take(PAGE)
                .flat_map(|(row, ids)| match edition {
                    Edition::V3 => ids
                        .iter()
                        .map(|link| json!({ "id": to.id(*row), "type": links::old_name(from, to, *link) }))
                        .collect(),
                    _ => vec![json!({
                        "toObjectId": shown_end((to, *row), edition),
                        "associationTypes": shown_types(from, to, ids)
                    })],
                })
                .collect();
            let mut one = json!({ "from": { "id": id }, "to": list });
            if let (Some((row, _)), Some(map)) = (rest.next(), one.as_object_mut()) {
                map.insert("paging".into(), json!({ "next": { "after": to.id(*row) } }));
            }
            results.push(one);
        }
        Ok(self.batch(StatusCode::OK, results, &errors))
    }

    /// `POST …/associations/{from}/{to}/batch/create|associate/default|archive|labels/archive`.
    pub(super) fn batch_links(
        &self,
        from: ObjectId,
        to: ObjectId,
        action: &str,
        body: &Value,
    ) -> Answer {
        if links::types(from, to).is_empty() {
            return Err(no_type(from, to));
        }
        let results = self.change(
            |store| {
                let (mut writes, mut results) = (Vec::new(), Vec::new());
                for input in inputs(body, WRITE)? {
                    let a = end(store, from, input, "from")?;
                    if action == "archive" {
                        let others = input.get("to").and_then(Value::as_array);
                        for other in others.into_iter().flatten() {
                            let b = end(store, to, &json!({ "to": other }), "to")?;
                            writes.push(Write::Link {
                                from: a,
                                to: b,
                                types: Vec::new(),
                            });
                        }
                        continue;
                    }
                    let b = end(store, to, input, "to")?;
                    match action {
                        "associate/default" => {
                            let types = added(store, a, b, &store.default_types(a, b));
                            results.push(json!({
                                "from": { "id": a.0.id(a.1) }, "to": { "id": b.0.id(b.1) },
                                "associationSpec": {
                                    "associationCategory": "HUBSPOT_DEFINED",
                                    "associationTypeId": links::plain(from, to)
                                }
                            }));
                            writes.extend(with_primary(store, a, b, types));
                        }
                        "labels/archive" => {
                            let ids = type_ids(input.get("types"))?;
                            let mut types = store.links.between(&store.world, a, b);
                            types.retain(|id| !ids.contains(id));
                            writes.push(Write::Link {
                                from: a,
                                to: b,
                                types,
                            });
                        }
                        _ => {
                            let ids = match input.get("type").and_then(Value::as_str) {
                                Some(old) => vec![old_type(from, to, old)?],
                                None => type_ids(input.get("types"))?,
                            };
                            checked(from, to, &ids)?;
                            results.push(pair_json(a, b, &ids));
                            let types = added(store, a, b, &complete(from, to, &ids));
                            writes.extend(with_primary(store, a, b, types));
                        }
                    }
                }
                Ok((writes, results))
            },
            |_, results| Value::Array(results),
        )?;
        let Value::Array(results) = results else {
            return Ok(StatusCode::NO_CONTENT.into_response());
        };
        Ok(match action {
            "archive" | "labels/archive" => StatusCode::NO_CONTENT.into_response(),
            "create" => self.batch(StatusCode::CREATED, results, &[]),
            _ => self.batch(StatusCode::OK, results, &[]),
        })
    }
}

/// The types that a pair has with these added.
fn added(store: &Store, from: Ref, to: Ref, ids: &[u16]) -> Vec<u16> {
    let mut types = store.links.between(&store.world, from, to);
    types.extend(ids);
    types.sort_unstable();
    types.dedup();
    types
}

/// A type of the older form: its name or its number.
fn old_type(from: ObjectId, to: ObjectId, text: &str) -> Result<u16, Refusal> {
    links::types(from, to)
        .iter()
        .map(|known| known.id)
        .find(|id| id.to_string() == text || links::old_name(from, to, *id) == text)
        .ok_or_else(|| Refusal::invalid(format!("{text} is not a valid association type")))
}
