//! `/v1/ant/es/activity`: timeline entries. The `ExternalId` that the caller chooses is unique: the same entry sent twice is
//! one entry.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde_json::{Map, Value, json};

use super::catalog::ObjectId;
use super::cockpit::deleted_page;
use super::data::{resolve, whole};
use super::envelope::{Refusal, reply};
use super::store::{Op, Store};
use super::value::{self, Val};
use super::{Answer, Tenant, body, gsid, write};

const CONTEXTS: [&str; 7] = [
    "Company",
    "Relationship",
    "CTA",
    "SuccessPlan",
    "Scorecard",
    "ScorecardMeasure",
    "Milestone",
];
const TYPES: [&str; 6] = [
    "Update",
    "Call",
    "Meeting",
    "Email",
    "Milestone",
    "In-Person Meeting",
];
const OBJECT: &str = "activity_timeline";

fn records(request: &Value) -> Result<&Vec<Value>, Refusal> {
    let list = request
        .get("records")
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty());
    list.ok_or_else(|| Refusal::new("ANT_1001", "records is missing or empty"))
}

fn by_external(store: &Store, id: &str) -> Option<u32> {
    let field = store.object(ObjectId::Timeline).field("ExternalId")?;
    let wanted = value::text(id);
    // Only entries that clients wrote have one.
    store
        .new_rows(ObjectId::Timeline)
        .find(|row| store.get(ObjectId::Timeline, *row, field) == wanted)
}

/// `POST /v1/ant/es/activity`.
pub(super) async fn create(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    let answer = tenant.change(|store| {
        let (mut writes, mut success, mut failure) = (Vec::new(), Map::new(), Map::new());
        let mut new: HashMap<String, u32> = HashMap::new();
        for (place, record) in records(&request)?.iter().enumerate() {
            let external = record.get("ExternalId").and_then(Value::as_str).map(str::trim).filter(|id| !id.is_empty());
            let Some(external) = external else {
                failure.insert(format!("record {}", place + 1), reasons("ANT_1002", "Required field is missing - ExternalId"));
                continue;
            };
            let known = new.get(external).copied().or_else(|| by_external(store, external));
            let made = match known {
                Some(row) => Ok(row),
                None => values(store, record, request.get("lookups"), true).map(|mut values| {
                    values.insert("ExternalId".to_owned(), json!(external));
                    let row = store.next_row(ObjectId::Timeline);
                    writes.push(write(Op::Create, OBJECT, row, values));
                    new.insert(external.to_owned(), row);
                    row
                }),
            };
            match made {
                Ok(row) => drop(success.insert(external.to_owned(), json!([{ "activityId": gsid(ObjectId::Timeline, row), "externalId": external }]))),
                Err(reason) => drop(failure.insert(external.to_owned(), reasons("ANT_1003", &reason))),
            }
        }
        Ok((writes, json!({ "success": success, "failure": failure })))
    })?;
    Ok(reply(answer))
}

fn reasons(code: &str, text: &str) -> Value {
    json!([{ "errorCode": code, "errorDesc": text }])
}

/// The values of an entry as the store takes them. `new` entries must be complete.
fn values(
    store: &Store,
    record: &Value,
    lookups: Option<&Value>,
    new: bool,
) -> Result<Map<String, Value>, String> {
    if new {
        for field in ["Author", "ContextName", "TypeName"] {
            let filled = record
                .get(field)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.trim().is_empty());
            let named = field == "Author" && record.get("AuthorId").is_some();
            if !(filled || named) {
                return Err(format!("Required field is missing - {field}"));
            }
        }
        if ["Subject", "Notes"].iter().all(|field| {
            record
                .get(*field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .trim()
                .is_empty()
        }) {
            return Err("Required field is missing - Subject or Notes".to_owned());
        }
    }
    let known = |field: &str, list: &[&str]| match record.get(field).and_then(Value::as_str) {
        Some(text) if !list.contains(&text) => Err(format!("Invalid value for {field} - {text}")),
        _ => Ok(()),
    };
    known("ContextName", &CONTEXTS)?;
    known("TypeName", &TYPES)?;
    let mut fields = resolve(store, record, lookups)?;
    // Without a lookup block the author is found by mail address and the company by name, as the service does.
    if let Some(Value::String(author)) = fields.remove("Author")
        && !fields.contains_key("AuthorId")
    {
        let found = find(store, ObjectId::User, "Email", &author)
            .ok_or_else(|| format!("No user has the mail address in Author - {author}"))?;
        fields.insert("AuthorId".to_owned(), json!(gsid(ObjectId::User, found)));
    }
    if let Some(Value::String(name)) = fields.remove("companyName")
        && !fields.contains_key("GsCompanyId")
    {
        let found = find(store, ObjectId::Company, "Name", &name)
            .ok_or_else(|| format!("No company has the name - {name}"))?;
        fields.insert(
            "GsCompanyId".to_owned(),
            json!(gsid(ObjectId::Company, found)),
        );
    }
    if new
        && fields
            .get("ContextName")
            .is_some_and(|context| context == "Company")
        && !fields.contains_key("GsCompanyId")
    {
        return Err("Required field is missing - GsCompanyId".to_owned());
    }
    if new && !fields.contains_key("AuthorId") {
        return Err("Required field is missing - Author".to_owned());
    }
    let object = store.object(ObjectId::Timeline);
    let mut values = Map::new();
    for (name, json) in fields {
        // Attendees come as lists.
        let json = match &json {
            Value::Array(list) => json!(
                list.iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(";")
            ),
            _ => json,
        };
        let place = object
            .field(&name)
            .ok_or_else(|| format!("Invalid field - {name}"))?;
        let field = &object.fields[place as usize];
        if place == 0 || name.eq_ignore_ascii_case("ExternalId") {
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
        if let Val::Row(other, row) = value
            && !store.exists(other, row)
        {
            return Err(format!("Invalid reference in field {name}"));
        }
        values.insert(field.name.to_owned(), value.json(field.kind, false));
    }
    if let Some(notes) = values.get("Notes").cloned() {
        let words = notes.as_str().map(words).unwrap_or_default();
        values.insert("NotesPlainText".to_owned(), words.into());
    }
    Ok(values)
}

/// The words of rich text.
fn words(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let Some(end) = rest[start..].find('>') else {
            break;
        };
        out.push_str(&rest[..start]);
        let tag = &rest[start..start + end];
        if tag.starts_with("<br") || tag.starts_with("</p") {
            out.push('\n');
        }
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    let signs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ];
    signs
        .iter()
        .fold(out, |text, (name, sign)| text.replace(name, sign))
}

fn find(store: &Store, id: ObjectId, field: &str, text: &str) -> Option<u32> {
    let field = store.object(id).field(field)?;
    store.rows(id).find(|row| matches!(store.get(id, *row, field), Val::Text(value) if value.eq_ignore_ascii_case(text.trim())))
}

/// Which entry an update or a deletion means.
fn which(store: &Store, identifier: &str, id: &str) -> Option<u32> {
    match identifier.to_ascii_lowercase().as_str() {
        "externalid" => by_external(store, id),
        _ => store.find(ObjectId::Timeline, id),
    }
}

/// `PUT /v1/ant/es/activity?identifier=externalid|activityid|gsid`.
pub(super) async fn update(
    State(tenant): Tenant,
    Query(parameters): Query<HashMap<String, String>>,
    bytes: Bytes,
) -> Answer {
    let request = body(&bytes)?;
    let identifier = identifier(&parameters)?;
    let answer = tenant.change(|store| {
        let (mut writes, mut success, mut failure) = (Vec::new(), Map::new(), Map::new());
        for (place, record) in records(&request)?.iter().enumerate() {
            let id = identity(record, &identifier);
            let shown = id
                .clone()
                .unwrap_or_else(|| format!("record {}", place + 1));
            let Some(row) = id.as_deref().and_then(|id| which(store, &identifier, id)) else {
                failure.insert(
                    shown,
                    reasons("ANT_1004", "No activity found for the given identifier"),
                );
                continue;
            };
            let mut record = record.clone();
            if let Some(record) = record.as_object_mut() {
                record.retain(|name, _| {
                    !["activityid", "gsid", "externalid"]
                        .contains(&name.to_ascii_lowercase().as_str())
                });
            }
            match values(store, &record, request.get("lookups"), false) {
                Ok(values) => {
                    writes.push(write(Op::Update, OBJECT, row, values));
                    success.insert(
                        shown,
                        json!([{ "activityId": gsid(ObjectId::Timeline, row) }]),
                    );
                }
                Err(reason) => drop(failure.insert(shown, reasons("ANT_1003", &reason))),
            }
        }
        Ok((writes, json!({ "success": success, "failure": failure })))
    })?;
    Ok(reply(answer))
}

fn identifier(parameters: &HashMap<String, String>) -> Result<String, Refusal> {
    let identifier = parameters
        .get("identifier")
        .map_or("activityid", String::as_str)
        .to_ascii_lowercase();
    let known = ["externalid", "activityid", "gsid"].contains(&identifier.as_str());
    if known {
        Ok(identifier)
    } else {
        Err(Refusal::new(
            "ANT_1005",
            format!("Invalid identifier - {identifier}"),
        ))
    }
}

fn identity(record: &Value, identifier: &str) -> Option<String> {
    let fields = record.as_object()?;
    let same = |name: &str| {
        name.eq_ignore_ascii_case(identifier)
            || (identifier != "externalid"
                && ["activityid", "gsid"].contains(&name.to_ascii_lowercase().as_str()))
    };
    fields
        .iter()
        .find(|(name, _)| same(name))
        .and_then(|(_, value)| value.as_str())
        .map(str::to_owned)
}

/// `DELETE /v1/ant/es/activity/{activityId}`, with `?identifier=externalid` by external id.
pub(super) async fn remove_one(
    State(tenant): Tenant,
    Path(id): Path<String>,
    Query(parameters): Query<HashMap<String, String>>,
) -> Answer {
    let identifier = identifier(&parameters)?;
    let gone = tenant.change(|store| {
        let row = which(store, &identifier, &id).ok_or_else(|| {
            Refusal::new("ANT_1004", "No activity found for the given identifier")
        })?;
        let gone = whole(store, ObjectId::Timeline, row, true);
        Ok((vec![write(Op::Delete, OBJECT, row, Map::new())], gone))
    })?;
    Ok(reply(
        json!({ "success": { id: [{ "activityId": gone.get("Gsid") }] }, "failure": {} }),
    ))
}

/// `DELETE /v1/ant/es/activity?identifier=…` with `{"records": [{…}]}`.
pub(super) async fn remove_many(
    State(tenant): Tenant,
    Query(parameters): Query<HashMap<String, String>>,
    bytes: Bytes,
) -> Answer {
    let request = body(&bytes)?;
    let identifier = identifier(&parameters)?;
    let answer = tenant.change(|store| {
        let (mut writes, mut success, mut failure) = (Vec::new(), Map::new(), Map::new());
        for record in records(&request)? {
            let id = record
                .as_str()
                .map(str::to_owned)
                .or_else(|| identity(record, &identifier))
                .unwrap_or_default();
            match which(store, &identifier, &id) {
                Some(row) => {
                    writes.push(write(Op::Delete, OBJECT, row, Map::new()));
                    success.insert(id, json!([{ "activityId": gsid(ObjectId::Timeline, row) }]));
                }
                None => drop(failure.insert(
                    id,
                    reasons("ANT_1004", "No activity found for the given identifier"),
                )),
            }
        }
        Ok((writes, json!({ "success": success, "failure": failure })))
    })?;
    Ok(reply(answer))
}

/// `POST /v1/ant/es/activity/deleted`.
pub(super) async fn deleted(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    Ok(reply(deleted_page(&tenant.read(), OBJECT, &request)))
}
