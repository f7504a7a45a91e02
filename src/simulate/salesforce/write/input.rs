//! From the JSON of a request to the value of a field, or why the org refuses it.

use super::super::error::Failure;
use super::super::schema::{Field, Kind, Schema, common};
use super::super::value::{Value, parse_date, parse_time, zoned};
use super::{Change, Fields};
use serde_json::Value as Json;

pub(super) fn stored(schema: &Schema, field: &Field, json: &Json) -> Value {
    let text = json.as_str().unwrap_or_default();
    match field.kind {
        _ if json.is_null() => Value::Null,
        Kind::Bool => Value::Bool(json.as_bool().unwrap_or(false)),
        Kind::Int => Value::Int(json.as_i64().unwrap_or(0)),
        Kind::Currency | Kind::Double | Kind::Percent => {
            json.as_f64().map_or(Value::Null, Value::Num)
        }
        Kind::Date => parse_date(text).map_or(Value::Null, Value::Date),
        Kind::DateTime => parse_time(text).map_or(Value::Null, Value::Time),
        Kind::Id | Kind::Reference => schema
            .parse_id(text)
            .ok()
            .flatten()
            .map_or(Value::Null, Value::Id),
        _ => Value::text(text),
    }
}

pub(super) fn plausible_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain =
        |c: char| !c.is_whitespace() && !matches!(c, ',' | ';' | '<' | '>' | '(' | ')' | '[' | ']');
    !name.is_empty()
        && !name.contains('@')
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && text.chars().all(plain)
}

impl Change<'_> {
    /// The values of a body, checked one by one.
    pub(super) fn inputs(
        &self,
        object: u16,
        body: &Fields,
        create: bool,
    ) -> Result<Vec<(usize, Value)>, Failure> {
        let schema = &self.store.schema;
        let definition = schema.object(object);
        let mut given = Vec::new();
        let mut locked = Vec::new();
        for (name, json) in body {
            if name == "attributes" {
                continue;
            }
            let Some(place) = definition.field(name) else {
                if let (Some(reference), Json::Object(key)) = (definition.relation(name), json) {
                    given.push((
                        reference,
                        self.reference_by_key(&definition.fields[reference], key)?,
                    ));
                    continue;
                }
                return Err(Failure::new(
                    400,
                    "INVALID_FIELD",
                    format!(
                        "No such column '{name}' on sobject of type {}",
                        definition.name
                    ),
                )
                .about(&[name]));
            };
            let field = &definition.fields[place];
            if place == common::ID && create {
                return Err(Failure::new(
                    400,
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    "cannot specify Id in an insert call",
                )
                .about(&["Id"]));
            }
            if place == common::ID || !(if create { field.create } else { field.update }) {
                locked.push(field.name);
                continue;
            }
            given.push((place, self.input(field, json)?));
        }
        if !locked.is_empty() {
            return Err(Failure::new(
                400,
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                format!(
                    "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write for your \
                     profile or permission set.",
                    locked.join(", ")
                ),
            )
            .about(&locked));
        }
        Ok(given)
    }

    /// `"Account": {"External_Id__c": "CUST-1"}`
    pub(super) fn reference_by_key(&self, field: &Field, key: &Fields) -> Result<Value, Failure> {
        let target = field
            .refs
            .first()
            .and_then(|name| self.store.schema.find(name));
        let mut keys = key.iter().filter(|(name, _)| *name != "attributes");
        if let (Some(object), Some((name, value)), None) = (target, keys.next(), keys.next())
            && let Some(place) = self.store.schema.object(object).field(name)
        {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_string);
            if let Some(id) = self.by_key(object, place, &text)? {
                return Ok(Value::Id(id));
            }
            return Err(Failure::new(
                400,
                "INVALID_FIELD",
                format!(
                    "Foreign key external ID: {} not found for field {name} in entity {}",
                    text.to_lowercase(),
                    self.store.schema.object(object).name
                ),
            ));
        }
        Err(Failure::new(
            400,
            "INVALID_FIELD",
            format!(
                "the reference {} needs exactly one key of the other object",
                field.relation.unwrap_or_default()
            ),
        ))
    }

    pub(super) fn input(&self, field: &Field, json: &Json) -> Result<Value, Failure> {
        let name = field.name;
        let wrong = |kind: &str| {
            let (token, text) = match json {
                Json::String(text) => ("VALUE_STRING", text.clone()),
                Json::Number(number) if number.is_f64() => {
                    ("VALUE_NUMBER_FLOAT", number.to_string())
                }
                Json::Number(number) => ("VALUE_NUMBER_INT", number.to_string()),
                Json::Bool(value) => (
                    if *value { "VALUE_TRUE" } else { "VALUE_FALSE" },
                    value.to_string(),
                ),
                Json::Array(_) => ("START_ARRAY", "[".into()),
                _ => ("START_OBJECT", "{".into()),
            };
            Failure::new(
                400,
                "JSON_PARSER_ERROR",
                format!("Cannot deserialize instance of {kind} from {token} value {text} or request may be missing a required field at [line:1, column:1]"),
            )
            .about(&[name])
        };
        if json.is_null() {
            return Ok(Value::Null);
        }
        if matches!(json, Json::Array(_) | Json::Object(_)) {
            return Err(wrong(field.kind.name()));
        }
        Ok(match field.kind {
            Kind::Bool => match json {
                Json::Bool(value) => Value::Bool(*value),
                Json::String(text) if text.eq_ignore_ascii_case("true") || text == "1" => {
                    Value::Bool(true)
                }
                Json::String(text) if text.eq_ignore_ascii_case("false") || text == "0" => {
                    Value::Bool(false)
                }
                _ => return Err(wrong("boolean")),
            },
            Kind::Currency | Kind::Double | Kind::Percent | Kind::Int => {
                let number = match json {
                    Json::Number(number) => number.as_f64(),
                    Json::String(text) if text.trim().is_empty() => return Ok(Value::Null),
                    Json::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                let Some(number) = number.filter(|number| number.is_finite()) else {
                    return Err(wrong(field.kind.name()));
                };
                let whole = field.length.saturating_sub(u32::from(field.scale)).min(18);
                if number.abs() >= 10f64.powi(whole as i32) {
                    return Err(Failure::new(
                        400,
                        "NUMBER_OUTSIDE_VALID_RANGE",
                        format!(
                            "{}: value outside of valid range on numeric field: {number}",
                            field.label
                        ),
                    )
                    .about(&[name]));
                }
                if field.kind == Kind::Int {
                    if number.fract() != 0.0 {
                        return Err(wrong("int"));
                    }
                    Value::Int(number as i64)
                } else {
                    let scale = 10f64.powi(i32::from(field.scale));
                    Value::Num((number * scale).round() / scale)
                }
            }
            Kind::Date => match json {
                Json::String(text) if text.is_empty() => Value::Null,
                Json::String(text) => {
                    match parse_date(text).or_else(|| parse_time(text).map(|ms| zoned(ms).date())) {
                        Some(date) if (1700..=4000).contains(&date.year()) => Value::Date(date),
                        Some(date) => {
                            return Err(Failure::new(
                                400,
                                "NUMBER_OUTSIDE_VALID_RANGE",
                                format!(
                                    "{}: invalid date: {}",
                                    field.label,
                                    crate::simulate::salesforce::value::date_text(date)
                                ),
                            )
                            .about(&[name]));
                        }
                        None => return Err(wrong("date")),
                    }
                }
                _ => return Err(wrong("date")),
            },
            Kind::DateTime => match json {
                Json::String(text) if text.is_empty() => Value::Null,
                Json::String(text) => match parse_time(text)
                    .or_else(|| parse_date(text).map(crate::simulate::salesforce::value::day_start))
                {
                    // Seconds are what the vendor keeps of a date and time from outside.
                    Some(ms) => Value::Time(ms.div_euclid(1000) * 1000),
                    None => return Err(wrong("datetime")),
                },
                _ => return Err(wrong("datetime")),
            },
            Kind::Id | Kind::Reference => match json {
                Json::String(text) if text.is_empty() => Value::Null,
                Json::String(text) => self.reference(field, text)?,
                _ => return Err(wrong("reference")),
            },
            _ => {
                let text = match json {
                    Json::String(text) => text.clone(),
                    other => other.to_string(),
                };
                // The vendor cuts blanks at both ends.
                let text = if field.kind == Kind::LongText {
                    text.as_str()
                } else {
                    text.trim()
                };
                if text.is_empty() {
                    return Ok(Value::Null);
                }
                if text.chars().count() > field.length as usize {
                    let start: String = text.chars().take(100).collect();
                    return Err(Failure::new(
                        400,
                        "STRING_TOO_LONG",
                        format!(
                            "{}: data value too large: {start} (max length={})",
                            field.label, field.length
                        ),
                    )
                    .about(&[name]));
                }
                if field.kind == Kind::Email && !plausible_email(text) {
                    return Err(Failure::new(
                        400,
                        "INVALID_EMAIL_ADDRESS",
                        format!("{}: invalid email address: {text}", field.label),
                    )
                    .about(&[name]));
                }
                if field.restricted {
                    let parts: Vec<&str> = if field.kind == Kind::MultiPicklist {
                        text.split(';').collect()
                    } else {
                        vec![text]
                    };
                    let mut known = Vec::new();
                    for part in parts {
                        let Some(pick) = field
                            .picks
                            .iter()
                            .find(|pick| pick.eq_ignore_ascii_case(part.trim()))
                        else {
                            return Err(Failure::new(
                                400,
                                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                                format!(
                                    "{}: bad value for restricted picklist field: {part}",
                                    field.label
                                ),
                            )
                            .about(&[name]));
                        };
                        known.push(*pick);
                    }
                    return Ok(Value::text(&known.join(";")));
                }
                Value::text(text)
            }
        })
    }

    pub(super) fn reference(&self, field: &Field, text: &str) -> Result<Value, Failure> {
        let schema = &self.store.schema;
        match schema.parse_id(text) {
            Err(()) => Err(Failure::new(
                400,
                "MALFORMED_ID",
                format!("{}: id value of incorrect type: {text}", field.label),
            )
            .about(&[field.name])),
            Ok(Some(id)) if !field.refs.contains(&schema.object(id.object).name) => {
                Err(Failure::new(
                    400,
                    "FIELD_INTEGRITY_EXCEPTION",
                    format!("{}: id value of incorrect type: {text}", field.label),
                )
                .about(&[field.name]))
            }
            Ok(Some(id)) if self.store.exists(id) => {
                if self.store.deleted(id) {
                    return Err(Failure::new(400, "ENTITY_IS_DELETED", "entity is deleted")
                        .about(&[field.name]));
                }
                let active = schema
                    .object(id.object)
                    .field("IsActive")
                    .map(|active| self.store.get(id, active));
                if field.name == "OwnerId" && active == Some(Value::Bool(false)) {
                    return Err(Failure::new(
                        400,
                        "INACTIVE_OWNER_OR_USER",
                        format!(
                            "operation performed with inactive user [{}] as owner",
                            schema.id_text(id)
                        ),
                    )
                    .about(&[field.name]));
                }
                Ok(Value::Id(id))
            }
            Ok(_) => Err(Failure::new(
                400,
                "INVALID_CROSS_REFERENCE_KEY",
                "invalid cross reference id",
            )
            .about(&[field.name])),
        }
    }
}
