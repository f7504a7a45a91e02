//! `/v1/data/objects`: the data query, and writes to companies and custom objects.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::catalog::{Object, ObjectId};
use super::envelope::{Refusal, reply};
use super::query::{self, DATA, Filter};
use super::store::{Op, Store, Write};
use super::value::{self, Kind, Val};
use super::{Answer, Gainsight, Tenant, body, gsid, write};

/// Rows per call at most.
const PAGE: usize = 5_000;

/// How long the pages after the first see the rows of the first.
const KEPT: Duration = Duration::from_secs(15);

/// Records per write at most.
const BATCH: usize = 50;

fn unknown_object(name: &str) -> Refusal {
    Refusal::new("GSOBJ_1001", format!("Object not found - {name}"))
}

/// `POST /v1/data/objects/query/{Object}`.
pub(super) async fn query(
    State(tenant): Tenant,
    Path(object): Path<String>,
    bytes: Bytes,
) -> Answer {
    let request = body(&bytes)?;
    // Sorting a large object takes its time; the runtime goes on meanwhile.
    let answer = tokio::task::spawn_blocking(move || tenant.query(&object, &request)).await;
    answer.unwrap_or_else(|error| Err(Refusal::new("GS_APIG_2500", error.to_string())))
}

impl Gainsight {
    fn query(&self, name: &str, request: &Value) -> Answer {
        let store = self.read();
        let object = store
            .object_by_name(name)
            .ok_or_else(|| unknown_object(name))?;
        let wanted = request
            .get("select")
            .and_then(Value::as_array)
            .filter(|list| !list.is_empty());
        let wanted = wanted
            .ok_or_else(|| Refusal::new("GSOBJ_1012", "The select clause is missing or empty"))?;
        let mut select = Vec::new();
        for item in wanted {
            let field = item.as_str().unwrap_or_default();
            let path = store.path(object.id, field).ok_or_else(|| {
                Refusal::new(
                    DATA.bad_field,
                    format!("Invalid fields in select clause - {field}"),
                )
            })?;
            select.push((field.to_owned(), path));
        }
        let number = |key: &str, default: usize| match request.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => value
                .as_u64()
                .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
                .map(|number| number as usize)
                .ok_or_else(|| {
                    Refusal::new(
                        "GSOBJ_1014",
                        format!("{key} must be a whole number that is not negative"),
                    )
                }),
        };
        let (limit, offset) = (number("limit", PAGE)?, number("offset", 0)?);
        if limit > PAGE {
            return Err(Refusal::new(
                "GSOBJ_1014",
                format!("limit must not exceed {PAGE}"),
            ));
        }
        let filter = Filter::compile(&store, object.id, request.get("where"), DATA)?;
        let order = query::order(&store, object.id, request.get("orderBy"), DATA)?;
        let name = format!(
            "{} {} {}",
            object.name,
            request.get("where").unwrap_or(&Value::Null),
            request.get("orderBy").unwrap_or(&Value::Null)
        );
        let asked = Asked {
            object: object.id,
            name,
            filter: &filter,
            order: &order,
            further: offset > 0,
        };
        let rows = self.rows(&store, asked);
        let page = rows.iter().skip(offset).take(limit);
        let records: Vec<Value> = page
            .map(|row| {
                let fields = select.iter().map(|(name, path)| {
                    (
                        name.clone(),
                        store.follow(object.id, *row, path).json(path.kind, false),
                    )
                });
                Value::Object(fields.collect())
            })
            .collect();
        if object.nested {
            return Ok(reply(
                json!({ "records": records, "totalCount": rows.len() }),
            ));
        }
        if rows.is_empty() {
            return Err(Refusal::with(
                axum::http::StatusCode::OK,
                "GSOBJ_1011",
                "No data found for given criteria",
            ));
        }
        Ok(reply(Value::Array(records)))
    }

    /// The rows of a query. A first page is always fresh; the pages after it see the rows as they were then, for some
    /// seconds, so that a large object is not sorted again for each page.
    fn rows(&self, store: &Store, asked: Asked<'_>) -> Arc<Vec<u32>> {
        let name = asked.name;
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|(_, when, _, _)| when.elapsed() < KEPT);
        let known = pages.iter().find(|(known, _, version, _)| {
            *known == name && (asked.further || *version == store.version)
        });
        if let Some((_, _, _, rows)) = known {
            return rows.clone();
        }
        drop(pages);
        let rows = Arc::new(query::select(
            store,
            asked.object,
            asked.filter,
            asked.order,
            usize::MAX,
        ));
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|(known, ..)| *known != name);
        if pages.len() >= 4 {
            pages.remove(0);
        }
        pages.push((name, Instant::now(), store.version, rows.clone()));
        rows
    }
}

/// A query as it was asked.
struct Asked<'a> {
    object: ObjectId,
    name: String,
    filter: &'a Filter,
    order: &'a [(super::store::Path, bool)],
    /// Not its first page.
    further: bool,
}

fn writable<'a>(store: &'a Store, name: &str) -> Result<&'a Object, Refusal> {
    let object = store
        .object_by_name(name)
        .ok_or_else(|| unknown_object(name))?;
    if object.writable {
        Ok(object)
    } else {
        Err(Refusal::new(
            "GSOBJ_1003",
            format!("{} cannot be written through this path", object.name),
        ))
    }
}

fn records(request: &Value, most: usize) -> Result<&Vec<Value>, Refusal> {
    let records = request
        .get("records")
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty());
    let records =
        records.ok_or_else(|| Refusal::new("GSOBJ_1015", "records is missing or empty"))?;
    if records.len() > most {
        return Err(Refusal::new(
            "GSOBJ_1016",
            format!("More than {most} records in one request"),
        ));
    }
    Ok(records)
}

/// The values of a record as the store takes them, lookups resolved; the reason when it cannot be taken.
fn values(
    store: &Store,
    object: &Object,
    record: &Value,
    lookups: Option<&Value>,
) -> Result<Map<String, Value>, String> {
    let record = resolve(store, record, lookups)?;
    let mut values = Map::new();
    for (name, json) in record {
        let place = object
            .field(&name)
            .ok_or_else(|| format!("Invalid field - {name}"))?;
        let field = &object.fields[place as usize];
        if place == 0 {
            continue;
        }
        if !field.writable {
            return Err(format!("Field is not writable - {name}"));
        }
        let value = value::read(field.kind, &json).ok_or_else(|| {
            format!(
                "Invalid value for field {name} of type {}",
                field.kind.name()
            )
        })?;
        if field.required && value == Val::Null {
            return Err(format!("Required field cannot be empty - {name}"));
        }
        if let Val::Row(other, row) = value
            && !store.exists(other, row)
        {
            return Err(format!("Invalid reference in field {name}"));
        }
        values.insert(field.name.to_owned(), value.json(field.kind, false));
    }
    Ok(values)
}

/// Replaces the fields that a `lookups` block names by the GSID that they find.
pub(super) fn resolve(
    store: &Store,
    record: &Value,
    lookups: Option<&Value>,
) -> Result<Map<String, Value>, String> {
    let Value::Object(record) = record else {
        return Err("A record is not an object".to_owned());
    };
    let mut record = record.clone();
    for (target, lookup) in lookups.and_then(Value::as_object).into_iter().flatten() {
        let Some(fields) = lookup.get("fields").and_then(Value::as_object) else {
            continue;
        };
        let mut wanted = Vec::new();
        let object = lookup
            .get("objectName")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let object = store
            .object_by_name(object)
            .ok_or_else(|| format!("Invalid object in lookup - {object}"))?;
        for (from, to) in fields {
            let to = to.as_str().unwrap_or_default();
            let place = object
                .field(to)
                .ok_or_else(|| format!("Invalid field in lookup - {to}"))?;
            match record.remove(from) {
                Some(Value::Null) | None => {}
                Some(value) => wanted.push((
                    place,
                    value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned),
                )),
            }
        }
        if wanted.is_empty() {
            continue;
        }
        let fits = |row: &u32| {
            wanted
                .iter()
                .all(|(place, text)| match store.get(object.id, *row, *place) {
                    Val::Text(value) => value.eq_ignore_ascii_case(text),
                    Val::Row(id, row) => gsid(id, row) == *text,
                    _ => false,
                })
        };
        let mut found = store.rows(object.id).filter(fits);
        let first = found.next();
        let several = lookup
            .get("multiMatchOption")
            .and_then(Value::as_str)
            .unwrap_or("FIRSTMATCH");
        match first {
            Some(_) if !several.eq_ignore_ascii_case("FIRSTMATCH") && found.next().is_some() => {
                return Err(format!("Multiple matches found for lookup - {target}"));
            }
            Some(row) => {
                record.insert(target.clone(), Value::String(gsid(object.id, row)));
            }
            None if lookup
                .get("onNoMatch")
                .and_then(Value::as_str)
                .is_some_and(|option| !option.eq_ignore_ascii_case("ERROR")) => {}
            None => return Err(format!("No match found for lookup - {target}")),
        }
    }
    Ok(record)
}

fn answer(done: Vec<Value>, failed: Vec<Value>) -> Response {
    reply(
        json!({ "count": done.len(), "errors": if failed.is_empty() { Value::Null } else { Value::Array(failed) }, "records": done }),
    )
}

/// `POST /v1/data/objects/{Object}`: up to 50 new records.
pub(super) async fn insert(
    State(tenant): Tenant,
    Path(name): Path<String>,
    bytes: Bytes,
) -> Answer {
    let request = body(&bytes)?;
    let (done, failed) = tenant.change(|store| {
        let object = writable(store, &name)?;
        let (id, name) = (object.id, object.name);
        let (mut writes, mut done, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for record in records(&request, BATCH)? {
            let object = store.object(id);
            let taken = values(store, object, record, request.get("lookups")).and_then(|values| {
                let missing: Vec<&str> = object
                    .fields
                    .iter()
                    .filter(|field| field.required && !values.contains_key(field.name))
                    .map(|field| field.name)
                    .collect();
                if missing.is_empty() {
                    Ok(values)
                } else {
                    Err(format!(
                        "Required fields are missing - {}",
                        missing.join(", ")
                    ))
                }
            });
            match taken {
                Ok(values) => {
                    let row = store.next_row(id);
                    let mut shown = values.clone();
                    shown.insert("Gsid".to_owned(), Value::String(gsid(id, row)));
                    done.push(Value::Object(shown));
                    writes.push(write(Op::Create, name, row, values));
                }
                Err(reason) => failed.push(failure(record, &reason)),
            }
        }
        Ok((writes, (done, failed)))
    })?;
    Ok(answer(done, failed))
}

fn failure(record: &Value, reason: &str) -> Value {
    json!({ "success": false, "record": record, "errors": [{ "errorCode": "GSOBJ_1017", "errorMessage": reason, "invalidValue": null }] })
}

/// `PUT /v1/data/objects/{Object}?keys=Gsid`: up to 50 records, up to 3 keys.
pub(super) async fn update(
    State(tenant): Tenant,
    Path(name): Path<String>,
    Query(parameters): Query<HashMap<String, String>>,
    bytes: Bytes,
) -> Answer {
    let request = body(&bytes)?;
    let keys: Vec<&str> = parameters
        .get("keys")
        .map(|keys| {
            keys.split(',')
                .map(str::trim)
                .filter(|key| !key.is_empty())
                .collect()
        })
        .unwrap_or_default();
    if keys.is_empty() || keys.len() > 3 {
        return Err(Refusal::new(
            "GSOBJ_1018",
            "Between one and three keys must be named in the parameter keys",
        ));
    }
    let (done, failed) = tenant.change(|store| {
        let object = writable(store, &name)?;
        for key in &keys {
            object
                .field(key)
                .ok_or_else(|| Refusal::new("GSOBJ_1018", format!("Invalid key - {key}")))?;
        }
        let (mut writes, mut done, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for record in records(&request, BATCH)? {
            match update_one(store, object, record, &keys, request.get("lookups")) {
                Ok((row, values)) => {
                    let mut shown = values.clone();
                    shown.insert("Gsid".to_owned(), Value::String(gsid(object.id, row)));
                    done.push(Value::Object(shown));
                    writes.push(write(Op::Update, object.name, row, values));
                }
                Err(reason) => failed.push(failure(record, &reason)),
            }
        }
        Ok((writes, (done, failed)))
    })?;
    Ok(answer(done, failed))
}

fn update_one(
    store: &Store,
    object: &Object,
    record: &Value,
    keys: &[&str],
    lookups: Option<&Value>,
) -> Result<(u32, Map<String, Value>), String> {
    let fields = record.as_object().ok_or("A record is not an object")?;
    let given = |key: &str| {
        fields
            .iter()
            .find(|(name, _)| object.field(name) == object.field(key))
            .map(|(_, value)| value)
    };
    let mut wanted = Vec::new();
    for key in keys {
        let value = given(key)
            .filter(|value| !value.is_null())
            .ok_or_else(|| format!("Key field is missing in the record - {key}"))?;
        wanted.push((object.field(key).unwrap_or(0), value));
    }
    let direct = wanted
        .iter()
        .find(|(place, _)| *place == 0)
        .map(|(_, value)| value.as_str().and_then(|text| store.find(object.id, text)));
    let fits = |row: &u32| {
        wanted
            .iter()
            .filter(|(place, _)| *place != 0)
            .all(|(place, value)| {
                let kind = object.fields[*place as usize].kind;
                value::read(kind, value)
                    .is_some_and(|wanted| wanted == store.get(object.id, *row, *place).into_owned())
            })
    };
    let found = match direct {
        Some(row) => row.filter(fits),
        None => store.rows(object.id).find(fits),
    };
    let row = found.ok_or("No record found for the given keys")?;
    let mut values = values(store, object, record, lookups)?;
    // A key says which record it is; it is not set to itself.
    values.retain(|name, _| {
        !keys
            .iter()
            .any(|key| object.field(key) == object.field(name))
    });
    Ok((row, values))
}

/// `DELETE /v1/data/objects/{Object}/{Gsid}`.
pub(super) async fn remove(
    State(tenant): Tenant,
    Path((name, id)): Path<(String, String)>,
) -> Answer {
    tenant.change(|store| {
        let object = writable(store, &name)?;
        let row = store
            .find(object.id, &id)
            .ok_or_else(|| Refusal::new("GSOBJ_1011", "No data found for given criteria"))?;
        Ok((vec![write(Op::Delete, object.name, row, Map::new())], ()))
    })?;
    Ok(reply(
        json!({ "count": 1, "errors": null, "records": [{ "Gsid": id }] }),
    ))
}

/// Every field of a row that has a value, as one JSON object.
pub(super) fn whole(store: &Store, id: ObjectId, row: u32, iso: bool) -> Map<String, Value> {
    let object = store.object(id);
    let shown = object.fields.iter().enumerate().map(|(place, field)| {
        let kind = if place == 0 { Kind::Gsid } else { field.kind };
        (
            field.name.to_owned(),
            store.get(id, row, place as u16).json(kind, iso),
        )
    });
    shown.collect()
}

/// A list of changes of one kind, for handlers that make several.
pub(super) type Writes = Vec<Write>;
