//! `/v2/cockpit`: calls to action, their tasks, and the pick lists. Here conditions name the field by `fieldName`, days and
//! instants are ISO texts, and writes name pick-list items by their names.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::catalog::ObjectId;
use super::data::{Writes, resolve};
use super::envelope::{Refusal, reply};
use super::picklists::{self, Category, FIRST_CLOSED};
use super::query::{self, COCKPIT, Filter};
use super::store::{Op, Store};
use super::value::{self, Val};
use super::{Answer, Tenant, body, gsid, write};

/// Rows per page at most.
const PAGE: usize = 1_000;

/// What each call to action carries besides what was selected.
const ALWAYS: [&str; 19] = [
    "Gsid",
    "Name",
    "CompanyId",
    "CompanyId__gr.Name",
    "DueDate",
    "EntityType",
    "IsClosed",
    "IsImportant",
    "OwnerId",
    "OwnerId__gr.Name",
    "OwnerId__gr.Email",
    "PriorityId",
    "PriorityId__gr.Name",
    "ReasonId",
    "ReasonId__gr.Name",
    "StatusId",
    "StatusId__gr.Name",
    "TypeId",
    "TypeId__gr.Name",
];

const TASK_ALWAYS: [&str; 12] = [
    "Gsid",
    "Name",
    "CTAId",
    "CompanyId",
    "OwnerId",
    "OwnerId__gr.Name",
    "OwnerId__gr.Email",
    "DueDate",
    "StatusId",
    "StatusId__gr.Name",
    "PriorityId__gr.Name",
    "IsClosed",
];

/// `POST /v2/cockpit/cta/list`.
pub(super) async fn list(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    let store = tenant.read();
    let linked = request
        .get("linkedObject")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    page(&store, ObjectId::Cta, &request, &ALWAYS, |row, record| {
        if linked && let Val::Row(company, place) = store.named(ObjectId::Cta, row, "CompanyId") {
            record.insert("associatedRecords".to_owned(), json!([{ "recordId": gsid(company, place), "objectName": "company", "source": "MDA" }]));
        }
    })
}

/// One page of an object, in ISO form; without `pageSize` a full one.
fn page(
    store: &Store,
    object: ObjectId,
    request: &Value,
    always: &[&str],
    more: impl Fn(u32, &mut Map<String, Value>),
) -> Answer {
    let mut select = Vec::new();
    let wanted = request
        .get("select")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|field| field.as_str().unwrap_or_default());
    for field in wanted {
        let path = store.path(object, field).ok_or_else(|| {
            Refusal::new(
                "COCKPIT_5101",
                format!("Invalid fields in select clause - {field}"),
            )
        })?;
        select.push((field.to_owned(), path));
    }
    for field in always {
        if let (false, Some(path)) = (
            select.iter().any(|(known, _)| known == field),
            store.path(object, field),
        ) {
            select.push(((*field).to_owned(), path));
        }
    }
    let number = |key: &str, default: usize| match request.get(key) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value
            .as_u64()
            .map(|number| number as usize)
            .filter(|number| *number > 0)
            .ok_or_else(|| {
                Refusal::new("COCKPIT_5105", format!("{key} must be a positive number"))
            }),
    };
    let (size, page) = (number("pageSize", PAGE)?, number("pageNumber", 1)?);
    if size > PAGE {
        return Err(Refusal::new(
            "COCKPIT_5105",
            format!("pageSize must not exceed {PAGE}"),
        ));
    }
    let filter = Filter::compile(store, object, request.get("where"), COCKPIT)?;
    let order = query::order(store, object, request.get("orderBy"), COCKPIT)?;
    let rows = query::select(store, object, &filter, &order, page.saturating_mul(size));
    let records = rows
        .into_iter()
        .skip((page - 1).saturating_mul(size))
        .take(size)
        .map(|row| {
            let mut record: Map<String, Value> = select
                .iter()
                .map(|(name, path)| {
                    (
                        name.clone(),
                        store.follow(object, row, path).json(path.kind, true),
                    )
                })
                .collect();
            more(row, &mut record);
            Value::Object(record)
        });
    Ok(reply(Value::Array(records.collect())))
}

/// `POST /v2/cockpit/cta/`.
pub(super) async fn create(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    let answer = tenant.change(|store| {
        many(store, &request, |store, record| {
            create_one(store, ObjectId::Cta, record)
        })
    })?;
    Ok(reply(answer))
}

/// `PUT /v2/cockpit/cta/`.
pub(super) async fn update(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    let answer = tenant.change(|store| {
        many(store, &request, |store, record| {
            update_one(store, ObjectId::Cta, record)
        })
    })?;
    Ok(reply(answer))
}

/// `POST /v2/cockpit/task`.
pub(super) async fn create_task(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    let answer = tenant.change(|store| {
        many(store, &request, |store, record| {
            create_one(store, ObjectId::Task, record)
        })
    })?;
    Ok(reply(answer))
}

/// `PUT /v2/cockpit/task`.
pub(super) async fn update_task(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    let answer = tenant.change(|store| {
        many(store, &request, |store, record| {
            update_one(store, ObjectId::Task, record)
        })
    })?;
    Ok(reply(answer))
}

/// Each record stands for itself: the answer says by reference id which succeeded and why others did not.
fn many(
    store: &mut Store,
    request: &Value,
    mut one: impl FnMut(
        &mut Store,
        &Map<String, Value>,
    ) -> Result<(super::store::Write, String), String>,
) -> Result<(Writes, Value), Refusal> {
    let requests = request
        .get("requests")
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty());
    let requests =
        requests.ok_or_else(|| Refusal::new("COCKPIT_9701", "requests is missing or empty"))?;
    let (mut writes, mut success, mut failure) = (Vec::new(), Vec::new(), Vec::new());
    for (place, item) in requests.iter().enumerate() {
        let record = item.get("record").unwrap_or(item);
        let reference = match record.get("referenceId") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => (place + 1).to_string(),
        };
        let resolved = resolve(
            store,
            record,
            request.get("lookups").or_else(|| item.get("lookups")),
        )
        .map_err(|reason| format!("COCKPIT_9702: {reason}"));
        match resolved.and_then(|record| one(store, &record)) {
            Ok((made, id)) => {
                writes.push(made);
                success.push(json!({ reference: id }));
            }
            Err(reason) => failure.push(json!({ reference: reason })),
        }
    }
    Ok((writes, json!({ "success": success, "failure": failure })))
}

fn create_one(
    store: &mut Store,
    id: ObjectId,
    record: &Map<String, Value>,
) -> Result<(super::store::Write, String), String> {
    let (mut values, _) = fields(store, id, record)?;
    let object = store.object(id);
    let missing: Vec<&str> = object
        .fields
        .iter()
        .filter(|field| field.required && values.get(field.name).is_none_or(Value::is_null))
        .map(|field| field.name)
        .collect();
    if !missing.is_empty() {
        return Err(format!(
            "COCKPIT_9700: Missing mandatory fields for create - {}",
            missing.join(", ")
        ));
    }
    let name = object.name;
    if id == ObjectId::Task {
        // A task without them takes the company and the owner of its call to action.
        let cta = values
            .get("CTAId")
            .and_then(Value::as_str)
            .and_then(|text| store.find(ObjectId::Cta, text));
        for field in ["CompanyId", "OwnerId"] {
            if let (false, Some(cta)) = (values.contains_key(field), cta) {
                let kind = value::Kind::Lookup(if field == "OwnerId" {
                    ObjectId::User
                } else {
                    ObjectId::Company
                });
                values.insert(
                    field.to_owned(),
                    store.named(ObjectId::Cta, cta, field).json(kind, false),
                );
            }
        }
        values
            .entry("StatusId")
            .or_insert_with(|| Value::String(picklists::gsid(Category::TaskStatus, 0)));
        values
            .entry("PriorityId")
            .or_insert_with(|| Value::String(picklists::gsid(Category::CtaPriority, 1)));
    } else {
        values.entry("IsImportant").or_insert(Value::Bool(false));
        values
            .entry("EntityType")
            .or_insert_with(|| json!("Company"));
        values.entry("Source").or_insert_with(|| json!("Manual"));
    }
    close(id, &mut values);
    values.entry("IsClosed").or_insert(Value::Bool(false));
    let row = store.next_row(id);
    Ok((write(Op::Create, name, row, values), gsid(id, row)))
}

fn update_one(
    store: &mut Store,
    id: ObjectId,
    record: &Map<String, Value>,
) -> Result<(super::store::Write, String), String> {
    let (mut values, which) = fields(store, id, record)?;
    let noun = if id == ObjectId::Cta { "CTA" } else { "Task" };
    let row = which
        .as_deref()
        .and_then(|text| store.find(id, text))
        .ok_or_else(|| format!("COCKPIT_6007: Invalid GSID of {noun}"))?;
    let object = store.object(id);
    if let Some(empty) = object
        .fields
        .iter()
        .find(|field| field.required && values.get(field.name).is_some_and(Value::is_null))
    {
        return Err(format!(
            "COCKPIT_9700: Mandatory field cannot be empty - {}",
            empty.name
        ));
    }
    close(id, &mut values);
    Ok((write(Op::Update, object.name, row, values), gsid(id, row)))
}

/// A closing status closes, another one opens again. The store sets the instant: see [`Store::change`].
fn close(id: ObjectId, values: &mut Map<String, Value>) {
    let (category, first) = if id == ObjectId::Cta {
        (Category::CtaStatus, FIRST_CLOSED)
    } else {
        (Category::TaskStatus, 1)
    };
    let Some(item) = values
        .get("StatusId")
        .and_then(Value::as_str)
        .and_then(|text| picklists::by_gsid(category, text))
    else {
        return;
    };
    let closed = item >= first;
    values.insert("IsClosed".to_owned(), Value::Bool(closed));
    if !closed {
        values.insert("ClosedDate".to_owned(), Value::Null);
    }
}

/// The values of a record as the store takes them, and the GSID that the record names.
fn fields(
    store: &Store,
    id: ObjectId,
    record: &Map<String, Value>,
) -> Result<(Map<String, Value>, Option<String>), String> {
    let object = store.object(id);
    let mut values = Map::new();
    let mut which = None;
    for (name, json) in record {
        let field = match name.to_ascii_lowercase().as_str() {
            "referenceid" | "lookups" => continue,
            "gsid" => {
                which = json.as_str().map(str::to_owned);
                continue;
            }
            // Written by name in lower case.
            "type" => "TypeId",
            "reason" => "ReasonId",
            "status" => "StatusId",
            "priority" => "PriorityId",
            "cta" | "ctagsid" | "cta_id" if id == ObjectId::Task => "CTAId",
            "isclosed" => return Err(format!("COCKPIT_9703: Field is not writable - {name}")),
            _ => name,
        };
        let place = object
            .field(field)
            .ok_or_else(|| format!("COCKPIT_9703: Invalid field - {name}"))?;
        let field = &object.fields[place as usize];
        if !field.writable {
            return Err(format!("COCKPIT_9703: Field is not writable - {name}"));
        }
        let value = value::read(field.kind, json)
            .ok_or_else(|| format!("COCKPIT_9704: Invalid value for {name}"))?;
        if let Val::Row(other, row) = value
            && !store.exists(other, row)
        {
            return Err(format!("COCKPIT_9704: Invalid GSID for {name}"));
        }
        values.insert(field.name.to_owned(), value.json(field.kind, false));
    }
    Ok((values, which))
}

/// `DELETE /v2/cockpit/cta/{Gsid}`.
pub(super) async fn remove(State(tenant): Tenant, Path(id): Path<String>) -> Answer {
    tenant.change(|store| {
        let row = store
            .find(ObjectId::Cta, &id)
            .ok_or_else(|| Refusal::new("COCKPIT_6007", "Invalid GSID of CTA"))?;
        let mut writes = vec![write(Op::Delete, "call_to_action", row, Map::new())];
        let tasks: Vec<u32> = store
            .rows(ObjectId::Task)
            .filter(|task| {
                store.named(ObjectId::Task, *task, "CTAId") == Val::Row(ObjectId::Cta, row)
            })
            .collect();
        writes.extend(
            tasks
                .into_iter()
                .map(|task| write(Op::Delete, "cs_task", task, Map::new())),
        );
        Ok((writes, ()))
    })?;
    Ok(reply(json!({ "Gsid": id })))
}

/// `POST /v2/cockpit/cta/deleted/list`: echoes the page.
pub(super) async fn deleted(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    let store = tenant.read();
    Ok(reply(deleted_page(&store, "call_to_action", &request)))
}

/// The delete log of one object, page by page.
pub(super) fn deleted_page(store: &Store, name: &str, request: &Value) -> Value {
    let size = request
        .get("pageSize")
        .and_then(Value::as_u64)
        .unwrap_or(1000)
        .clamp(1, 1000) as usize;
    let number = request
        .get("pageNumber")
        .and_then(Value::as_u64)
        .unwrap_or(1)
        .max(1) as usize;
    let log = ObjectId::DeleteLog;
    let rows: Vec<u32> = store
        .rows(log)
        .filter(|row| store.named(log, *row, "ObjectName") == value::text(name))
        .collect();
    let records = rows.iter().skip((number - 1).saturating_mul(size)).take(size).map(|row| {
        let id = store.named(log, *row, "RecordId").json(value::Kind::Text, true);
        json!({ "Gsid": id, "RecordId": id, "ObjectName": name, "DeletedOn": store.named(log, *row, "DeletedOn").json(value::Kind::DateTime, true) })
    });
    json!({ "records": records.collect::<Vec<_>>(), "pageSize": size, "currentPageNum": number, "totalCount": rows.len() })
}

/// `POST|GET /v2/cockpit/task/list/`: all tasks.
pub(super) async fn tasks(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    page(
        &tenant.read(),
        ObjectId::Task,
        &request,
        &TASK_ALWAYS,
        |_, _| {},
    )
}

/// `POST|GET /v2/cockpit/task/list/{ctaGsid}`: the tasks of one call to action.
pub(super) async fn tasks_of(
    State(tenant): Tenant,
    Path(cta): Path<String>,
    bytes: Bytes,
) -> Answer {
    let mut request = body(&bytes)?;
    let store = tenant.read();
    store
        .find(ObjectId::Cta, &cta)
        .ok_or_else(|| Refusal::new("COCKPIT_6007", "Invalid GSID of CTA"))?;
    let asked = Filter::compile(&store, ObjectId::Task, request.get("where"), COCKPIT)?;
    let rows: Vec<Value> = store
        .rows(ObjectId::Task)
        .filter(|task| {
            store
                .named(ObjectId::Task, *task, "CTAId")
                .json(value::Kind::Gsid, true)
                == cta
                && asked.fits(&store, ObjectId::Task, *task)
        })
        .map(|task| Value::String(gsid(ObjectId::Task, task)))
        .collect();
    if rows.is_empty() {
        return Ok(reply(json!([])));
    }
    if let Some(request) = request.as_object_mut() {
        request.insert("where".to_owned(), json!({ "conditions": [{ "fieldName": "Gsid", "operator": "IN", "value": rows, "alias": "A" }], "expression": "A" }));
    }
    page(&store, ObjectId::Task, &request, &TASK_ALWAYS, |_, _| {})
}

/// `GET /v2/cockpit/admin/picklist/lite?category=CTA_STATUS,…`: the documents do not show the shape; here a map from each
/// category to its items.
pub(super) async fn picklists(Query(parameters): Query<HashMap<String, String>>) -> Answer {
    let wanted = parameters
        .get("category")
        .map(String::as_str)
        .unwrap_or_default();
    let mut data = Map::new();
    for name in wanted
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        let category = Category::by_category_name(name).ok_or_else(|| {
            Refusal::with(
                StatusCode::BAD_REQUEST,
                "COCKPIT_5106",
                format!("Invalid category - {name}"),
            )
        })?;
        let items = category.items().iter().enumerate().map(|(place, item)| {
            let mut shown = json!({ "gsid": picklists::gsid(category, place as u16), "name": item, "displayOrder": place + 1, "active": true });
            if category == Category::CtaStatus {
                shown["closed"] = Value::Bool(place as u16 >= FIRST_CLOSED);
            }
            shown
        });
        data.insert(name.to_owned(), Value::Array(items.collect()));
    }
    if data.is_empty() {
        return Err(Refusal::new(
            "COCKPIT_5106",
            "The parameter category is missing",
        ));
    }
    Ok(reply(Value::Object(data)))
}
