//! `/crm/v3/properties`: definitions, and the tenant's own properties made, changed and archived.

use std::borrow::Cow;

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::catalog::{Field, ObjectId, field};
use super::error::Refusal;
use super::store::Write;
use super::value::{Kind, Val};
use super::{Answer, Ask, MADE, Portal};

/// Form fields that go with each type.
fn forms(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Text => &["text", "textarea", "html", "phonenumber", "file"],
        Kind::Number => &["number"],
        Kind::Date | Kind::DateTime => &["date"],
        Kind::Bool => &["booleancheckbox"],
        Kind::Pick | Kind::Owner => &["select", "radio", "checkbox", "booleancheckbox"],
    }
}

/// Reads the definition of a property of the tenant's own.
pub(super) fn read(definition: &Value) -> Result<Field, Refusal> {
    let text = |key: &str| {
        definition
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::invalid(format!("Property creation needs {key}")))
    };
    let name = text("name")?;
    let good = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
        && name.len() <= 100;
    if !good {
        return Err(Refusal::invalid(format!(
            "{name} is not a valid name: small letters, digits and underscores, a letter first"
        )));
    }
    let (label, group) = (text("label")?, text("groupName")?);
    let kind = Kind::named(text("type")?)
        .ok_or_else(|| Refusal::invalid(format!("type of {name} is not known")))?;
    let form = text("fieldType")?;
    if !forms(kind).contains(&form) {
        return Err(Refusal::invalid(format!(
            "fieldType {form} does not go with the type {}",
            kind.name()
        )));
    }
    let mut made = Field {
        name: Cow::Owned(name.to_owned()),
        label: Cow::Owned(label.to_owned()),
        group: Cow::Owned(group.to_owned()),
        field_type: Cow::Owned(form.to_owned()),
        custom: true,
        unique: definition
            .get("hasUniqueValue")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        ..field("", "", kind, |_, _| Val::Null)
    };
    if made.unique && !matches!(kind, Kind::Text | Kind::Number) {
        return Err(Refusal::invalid(
            "hasUniqueValue goes with texts and numbers alone",
        ));
    }
    let options = definition.get("options").and_then(Value::as_array);
    for option in options.into_iter().flatten() {
        let part = |key: &str| {
            option
                .get(key)
                .and_then(Value::as_str)
                .map(|text| Cow::Owned(text.to_owned()))
                .ok_or_else(|| Refusal::invalid(format!("An option of {name} has no {key}")))
        };
        made.options.push((part("value")?, part("label")?));
    }
    Ok(made)
}

fn unknown(name: &str) -> Refusal {
    Refusal::missing(format!("Property {name} does not exist"))
}

impl Portal {
    /// `GET …/properties/{type}`.
    pub(super) fn properties(&self, id: ObjectId, ask: &Ask) -> Answer {
        let archived = ask.flag("archived")?;
        let store = self.read();
        let results: Vec<Value> = store
            .object(id)
            .fields
            .iter()
            .filter(|field| field.archived == archived)
            .map(|field| field.definition(MADE))
            .collect();
        Ok(Json(json!({ "results": results })).into_response())
    }

    /// `GET …/properties/{type}/{name}`.
    pub(super) fn property(&self, id: ObjectId, name: &str) -> Answer {
        let store = self.read();
        let field = store
            .object(id)
            .field(name)
            .and_then(|place| store.definition(id, place))
            .ok_or_else(|| unknown(name))?;
        Ok(Json(field.definition(MADE)).into_response())
    }

    /// `POST …/properties/{type}`.
    pub(super) fn make_property(&self, id: ObjectId, body: &Value) -> Answer {
        let made = read(body)?;
        let shown = self.change(
            |store| {
                if store.object(id).field(&made.name).is_some() {
                    return Err(Refusal::conflict(format!(
                        "Property {} already exists",
                        made.name
                    )));
                }
                let write = Write::Property {
                    object: id,
                    definition: body.clone(),
                };
                Ok((vec![write], ()))
            },
            |_, ()| made.definition(MADE),
        )?;
        Ok((StatusCode::CREATED, Json(shown)).into_response())
    }

    /// `PATCH …/properties/{type}/{name}`: label, group and options of the tenant's own.
    pub(super) fn change_property(&self, id: ObjectId, name: &str, body: &Value) -> Answer {
        let shown = self.change(
            |store| {
                let place = store.object(id).field(name).ok_or_else(|| unknown(name))?;
                let field = store.definition(id, place).ok_or_else(|| unknown(name))?;
                // Properties with values in the world keep their definition: the journal could not bring it back.
                if !field.custom || place < store.given_fields(id) {
                    return Err(Refusal::invalid(format!("{name} is read only")));
                }
                let mut definition = field.definition(MADE);
                for key in ["label", "groupName", "options", "fieldType"] {
                    if let (Some(value), Some(map)) = (body.get(key), definition.as_object_mut()) {
                        map.insert(key.to_owned(), value.clone());
                    }
                }
                let made = read(&definition)?;
                let write = Write::Property {
                    object: id,
                    definition,
                };
                Ok((vec![write], made))
            },
            |_, made| made.definition(MADE),
        )?;
        Ok(Json(shown).into_response())
    }

    /// `DELETE …/properties/{type}/{name}`.
    pub(super) fn drop_property(&self, id: ObjectId, name: &str) -> Answer {
        self.change(
            |store| {
                let field = store
                    .object(id)
                    .field(name)
                    .and_then(|place| store.definition(id, place))
                    .ok_or_else(|| unknown(name))?;
                if !field.custom {
                    return Err(Refusal::invalid(format!("{name} cannot be archived")));
                }
                let write = Write::DropProperty {
                    object: id,
                    name: name.to_owned(),
                };
                Ok((vec![write], ()))
            },
            |_, ()| Value::Null,
        )?;
        Ok(StatusCode::NO_CONTENT.into_response())
    }
}
