//! `/v1/meta`: which objects there are, their fields, and the items of pick lists.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::catalog::Object;
use super::envelope::{Refusal, reply};
use super::picklists::{self, Category};
use super::store::Store;
use super::value::Kind;
use super::{Answer, Tenant, body};

/// `GET /v1/meta/services/objects/list`: names in lower case for standard objects, as the documents list them.
pub(super) async fn list(State(tenant): Tenant) -> Answer {
    let store = tenant.read();
    let objects = store.objects.iter().map(|object| {
        let name = if object.name.ends_with("__gc") { object.name.to_owned() } else { object.name.to_lowercase() };
        json!({ "objectName": name, "label": object.label, "keyPrefix": object.id.prefix(), "objectType": if name.ends_with("__gc") { "CUSTOM" } else { "SYSTEM" } })
    });
    Ok(reply(objects.collect()))
}

/// `POST /v1/meta/services/objects/describe`.
pub(super) async fn describe(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    let store = tenant.read();
    let names = request
        .get("objectNames")
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty());
    let names =
        names.ok_or_else(|| Refusal::new("GSOBJ_1015", "objectNames is missing or empty"))?;
    let options = request.get("populatePickListOptions").is_some_and(|value| {
        value == true
            || value
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case("true"))
    });
    let mut data = Vec::new();
    for name in names {
        let name = name.as_str().unwrap_or_default();
        let object = store.object_by_name(name).ok_or_else(|| {
            Refusal::with(
                StatusCode::NOT_FOUND,
                "OBJECT_NOT_FOUND",
                format!("Object not found - {name}"),
            )
        })?;
        data.push(description(&store, object, options));
    }
    Ok(reply(Value::Array(data)))
}

fn description(store: &Store, object: &Object, options: bool) -> Value {
    let fields = object.fields.iter().enumerate().map(|(place, field)| {
        let kind = if place == 0 { Kind::Gsid } else { field.kind };
        let mut meta = json!({
            "filterable": true, "sortable": true, "createable": field.writable, "updateable": field.writable, "required": field.required,
            "nillable": !field.required, "hasLookup": false
        });
        match kind {
            Kind::Lookup(other) => {
                meta["hasLookup"] = Value::Bool(true);
                let stem = field.name.strip_suffix("__gc").unwrap_or(field.name);
                meta["lookupDetail"] = json!({ "lookupName": format!("{stem}__gr"), "lookupObjects": [{ "objectName": store.object(other).name, "label": store.object(other).label }] });
            }
            Kind::Text | Kind::Email | Kind::Url => meta["length"] = json!(255),
            Kind::LongText => meta["length"] = json!(131_072),
            Kind::Currency => meta["decimalPlaces"] = json!(2),
            Kind::Number | Kind::Percentage => meta["decimalPlaces"] = json!(0),
            _ => {}
        }
        let mut shown = json!({ "fieldName": field.name, "label": field.label, "dataType": kind.name(), "objectName": object.name, "meta": meta });
        if let Kind::Pick(category) = kind {
            shown["meta"]["categoryId"] = Value::String(picklists::category_id(category));
            if options {
                shown["options"] = items(category);
            }
        }
        shown
    });
    json!({ "objectName": object.name, "label": object.label, "keyPrefix": object.id.prefix(), "fields": fields.collect::<Vec<_>>() })
}

fn items(category: Category) -> Value {
    category.items().iter().enumerate().map(|(place, name)| json!({ "gsid": picklists::gsid(category, place as u16), "name": name, "displayOrder": place + 1, "active": true })).collect()
}

/// `GET /v1/meta/services/dropdowns/{categoryId}`.
pub(super) async fn dropdown(Path(id): Path<String>) -> Answer {
    let category = Category::by_category_name(&id).ok_or_else(|| {
        Refusal::with(
            StatusCode::NOT_FOUND,
            "OBJECT_NOT_FOUND",
            format!("Category not found - {id}"),
        )
    })?;
    Ok(reply(
        json!({ "gsid": picklists::category_id(category), "name": category.name(), "childItems": items(category) }),
    ))
}
