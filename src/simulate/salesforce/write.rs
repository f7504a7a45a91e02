//! Creating, changing and deleting records: what the org checks, what it refuses, what it fills in by itself, and what it
//! writes into the journal.

use std::collections::HashSet;
use std::sync::RwLockWriteGuard;

use jiff::ToSpan;
use serde_json::{Map, Value as Json, json};

use super::catalog::{FORECASTS, STAGES};
use super::error::Failure;
use super::fill::health_status;
use super::schema::{Field, Kind, Object, Schema, common};
use super::table::{Key, Savepoint, Store};
use super::value::{Id, Row, Value, parse_date, parse_time, zoned};

/// A transaction: several changes that are kept or taken back together.
pub struct Change<'a> {
    pub store: RwLockWriteGuard<'a, Store>,
    /// Who does it.
    pub user: Id,
    /// The moment of it, milliseconds since 1970.
    pub now: i64,
    /// What to write into the journal, one entry per changed record.
    pub log: Vec<Json>,
}

/// A point to which a transaction can go back.
#[derive(Clone, Copy)]
pub struct Mark(Savepoint, usize);

type Fields = Map<String, Json>;

impl Change<'_> {
    pub fn mark(&self) -> Mark {
        Mark(self.store.savepoint(), self.log.len())
    }

    pub fn roll_back(&mut self, to: Mark) {
        self.store.roll_back(to.0);
        self.log.truncate(to.1);
    }

    /// Adds a record.
    ///
    /// # Errors
    /// In Salesforce's words, naming the field.
    pub fn create(&mut self, object: u16, body: &Fields) -> Result<Id, Failure> {
        let schema = self.store.schema.clone();
        let definition = schema.object(object);
        if !definition.writable {
            return Err(Failure::new(
                400,
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                format!("entity type {} does not support create", definition.name),
            ));
        }
        let given = self.inputs(object, body, true)?;
        let id = Id {
            object,
            row: self.store.next_row(object),
        };
        let mut row: Row = definition
            .fields
            .iter()
            .map(|field| match field.default {
                Some("@me") => Value::Id(self.user),
                Some(default) => Value::text(default),
                None if field.kind == Kind::Bool => Value::Bool(false),
                None => Value::Null,
            })
            .collect();
        for (field, value) in &given {
            // A pick list or check box with a default takes it when null is sent.
            if value.is_null() && definition.fields[*field].default.is_some() {
                continue;
            }
            row[*field] = value.clone();
        }
        let missing: Vec<&str> = definition
            .visible()
            .filter(|(place, field)| field.demanded() && row[*place].is_null())
            .map(|(_, field)| field.name)
            .collect();
        if !missing.is_empty() {
            return Err(Failure::new(
                400,
                "REQUIRED_FIELD_MISSING",
                format!("Required fields are missing: [{}]", missing.join(", ")),
            )
            .about(&missing));
        }
        row[common::ID] = Value::Id(id);
        row[common::CREATED_DATE] = Value::Time(self.now);
        row[common::CREATED_BY] = Value::Id(self.user);
        for (place, field) in definition
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.auto_number)
        {
            let number = id.row - self.store.first_row(object);
            row[place] = Value::text(&match field.name {
                "CaseNumber" | "ContractNumber" => format!("{:08}", 900_000 + number),
                _ => format!(
                    "{}-{:07}",
                    if definition.name.starts_with("Survey") {
                        "SR"
                    } else {
                        "US"
                    },
                    9_000_000 + number
                ),
            });
        }
        let given: HashSet<usize> = given.into_iter().map(|(field, _)| field).collect();
        self.finish(id, definition, row, None, &given)?;
        Ok(id)
    }

    /// Changes a record.
    ///
    /// # Errors
    /// In Salesforce's words, naming the field.
    pub fn update(&mut self, id: Id, body: &Fields) -> Result<(), Failure> {
        let schema = self.store.schema.clone();
        let definition = schema.object(id.object);
        self.present(id)?;
        if !definition.writable {
            return Err(Failure::new(
                400,
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                format!("entity type {} does not support update", definition.name),
            ));
        }
        let given = self.inputs(id.object, body, false)?;
        let before = self.store.row(id);
        let mut row = before.clone();
        for (field, value) in &given {
            let definition = &definition.fields[*field];
            if value.is_null() && !definition.nillable && definition.kind != Kind::Bool {
                return Err(Failure::new(
                    400,
                    "REQUIRED_FIELD_MISSING",
                    format!("Required fields are missing: [{}]", definition.name),
                )
                .about(&[definition.name]));
            }
            row[*field] = if value.is_null() && definition.kind == Kind::Bool {
                Value::Bool(false)
            } else {
                value.clone()
            };
        }
        let given: HashSet<usize> = given.into_iter().map(|(field, _)| field).collect();
        self.finish(id, definition, row, Some(&before), &given)
    }

    /// Moves a record, and what hangs on it, to the recycle bin.
    ///
    /// # Errors
    /// When it is not there, is there already, or its object does not allow it.
    pub fn delete(&mut self, id: Id) -> Result<(), Failure> {
        let schema = self.store.schema.clone();
        let definition = schema.object(id.object);
        self.present(id)?;
        if !definition.deletable {
            return Err(Failure::new(
                400,
                "INSUFFICIENT_ACCESS_OR_READONLY",
                "insufficient access rights on object id",
            ));
        }
        for child in &definition.children {
            let field = &schema.object(child.object).fields[child.field];
            if matches!(field.name, "AccountId" | "Account__c" | "WhatId")
                || definition.name == "Case" && field.name == "ParentId" && !field.nillable
            {
                for row in self.store.with_key(child.object, child.field, &Key::Id(id)) {
                    let id = Id {
                        object: child.object,
                        row,
                    };
                    if !self.store.deleted(id) {
                        self.delete(id)?;
                    }
                }
            }
        }
        let before = self.store.row(id);
        let mut row = before.clone();
        row[common::IS_DELETED] = Value::Bool(true);
        self.keep(id, definition, row, Some(&before), "delete");
        Ok(())
    }

    /// Creates or changes the record that has `value` in the key field. Answers the record, and whether it is new.
    ///
    /// # Errors
    /// As create and update; 404 when `update_only` and there is none.
    pub fn upsert(
        &mut self,
        object: u16,
        field: usize,
        value: &str,
        body: &Fields,
        update_only: bool,
    ) -> Result<(Id, bool), Failure> {
        let schema = self.store.schema.clone();
        let definition = schema.object(object);
        let name = definition.fields[field].name;
        if body.keys().any(|key| key.eq_ignore_ascii_case(name)) {
            return Err(Failure::new(
                400,
                "INVALID_FIELD",
                format!("The {name} field should not be specified in the sobject data."),
            ));
        }
        let found = self.by_key(object, field, value)?;
        match found {
            Some(id) => {
                self.update(id, body)?;
                Ok((id, false))
            }
            None if update_only || field == common::ID => Err(Failure::not_found()),
            None => {
                let mut body = body.clone();
                body.insert(name.into(), value.into());
                Ok((self.create(object, &body)?, true))
            }
        }
    }

    /// The record that is not deleted and has `value` in a key field.
    ///
    /// # Errors
    /// When the field is no key, or an id is malformed.
    pub fn by_key(&self, object: u16, field: usize, value: &str) -> Result<Option<Id>, Failure> {
        by_key(&self.store, object, field, value)
    }

    fn present(&self, id: Id) -> Result<(), Failure> {
        if !self.store.exists(id) {
            return Err(Failure::new(
                404,
                "NOT_FOUND",
                "Provided external ID field does not exist or is not accessible: Id",
            ));
        }
        if self.store.deleted(id) {
            return Err(Failure::new(404, "ENTITY_IS_DELETED", "entity is deleted"));
        }
        Ok(())
    }

    /// The values of a body, checked one by one.
    fn inputs(
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
    fn reference_by_key(&self, field: &Field, key: &Fields) -> Result<Value, Failure> {
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

    fn input(&self, field: &Field, json: &Json) -> Result<Value, Failure> {
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
                                    super::value::date_text(date)
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
                    .or_else(|| parse_date(text).map(super::value::day_start))
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

    fn reference(&self, field: &Field, text: &str) -> Result<Value, Failure> {
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

    /// Checks keys, fills in what follows from the rest, and keeps the record.
    fn finish(
        &mut self,
        id: Id,
        definition: &Object,
        mut row: Row,
        before: Option<&Row>,
        given: &HashSet<usize>,
    ) -> Result<(), Failure> {
        for place in given {
            let field = &definition.fields[*place];
            if !field.unique {
                continue;
            }
            if let Some(key) = Key::of(&row[*place]) {
                let others = self.store.with_key(id.object, *place, &key);
                if let Some(other) = others
                    .into_iter()
                    .map(|row| Id {
                        object: id.object,
                        row,
                    })
                    .find(|other| *other != id && !self.store.deleted(*other))
                {
                    return Err(Failure::new(
                        400,
                        "DUPLICATE_VALUE",
                        format!(
                            "duplicate value found: {} duplicates value on record with id: {}",
                            field.name,
                            self.store.schema.id_text(other)
                        ),
                    )
                    .about(&[field.name]));
                }
            }
        }
        let comment = derive(&self.store, definition, &mut row, before, given, self.now)?;
        let op = if before.is_some() { "update" } else { "create" };
        self.keep(id, definition, row, before, op);
        if let Some(comment) = comment
            && let Some(object) = self.store.schema.find("CaseComment")
        {
            let mut body = Fields::new();
            body.insert("ParentId".into(), self.store.schema.id_text(id).into());
            body.insert("CommentBody".into(), comment.into());
            self.create(object, &body)?;
        }
        Ok(())
    }

    fn keep(&mut self, id: Id, definition: &Object, mut row: Row, before: Option<&Row>, op: &str) {
        row[common::MODIFIED_DATE] = Value::Time(self.now);
        row[common::MODIFIED_BY] = Value::Id(self.user);
        row[common::STAMP] = Value::Time(self.now);
        let schema = self.store.schema.clone();
        let fields: Fields = definition
            .visible()
            .filter(|(place, _)| {
                *place != common::ID
                    && before.map_or(!row[*place].is_null(), |before| {
                        before[*place] != row[*place]
                    })
            })
            .map(|(place, field)| (field.name.to_string(), row[place].json(&schema)))
            .collect();
        self.log.push(json!({ "op": op, "object": definition.name, "id": schema.id_text(id), "fields": fields }));
        self.store.put(id, row);
    }
}

/// The record that is not deleted and has `value` in a key field.
///
/// # Errors
/// When the field is no key, or an id is malformed.
pub fn by_key(
    store: &Store,
    object: u16,
    field: usize,
    value: &str,
) -> Result<Option<Id>, Failure> {
    let definition = store.schema.object(object);
    if field == common::ID {
        return match store.schema.parse_id(value) {
            Ok(found) => {
                Ok(found
                    .filter(|id| id.object == object && store.exists(*id) && !store.deleted(*id)))
            }
            Err(()) => Err(Failure::new(
                400,
                "MALFORMED_ID",
                format!(
                    "{} ID: id value of incorrect type: {value}",
                    definition.label
                ),
            )),
        };
    }
    if !definition.fields[field].external {
        return Err(Failure::new(
            404,
            "NOT_FOUND",
            format!(
                "Provided external ID field does not exist or is not accessible: {}",
                definition.fields[field].name
            ),
        ));
    }
    let rows = store.with_key(object, field, &Key::Text(value.trim().to_lowercase()));
    Ok(rows
        .into_iter()
        .map(|row| Id { object, row })
        .find(|id| !store.deleted(*id)))
}

/// Puts back what the journal holds of an accepted change.
///
/// # Errors
/// A sentence that says what does not fit.
pub fn replay(store: &mut Store, what: &Json) -> Result<(), String> {
    let schema = store.schema.clone();
    let text = |name: &str| {
        what.get(name)
            .and_then(Json::as_str)
            .ok_or_else(|| format!("an entry has no {name}: {what}"))
    };
    let id_text = text("id")?;
    let Ok(Some(id)) = schema.parse_id(id_text) else {
        return Err(format!("{id_text} is not the id of a record"));
    };
    let definition = schema.object(id.object);
    let new = text("op")? == "create";
    if !new && !store.exists(id) {
        return Err(format!("there is no {} {id_text}", definition.name));
    }
    let mut row: Row = if new {
        let empty = |field: &Field| {
            if field.kind == Kind::Bool {
                Value::Bool(false)
            } else {
                Value::Null
            }
        };
        definition.fields.iter().map(empty).collect()
    } else {
        store.row(id)
    };
    row[common::ID] = Value::Id(id);
    let fields = what
        .get("fields")
        .and_then(Json::as_object)
        .ok_or_else(|| format!("an entry has no fields: {what}"))?;
    for (name, json) in fields {
        let place = definition
            .field(name)
            .ok_or_else(|| format!("{} has no field {name}", definition.name))?;
        row[place] = stored(&schema, &definition.fields[place], json);
    }
    store.put(id, row);
    Ok(())
}

fn stored(schema: &Schema, field: &Field, json: &Json) -> Value {
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

fn plausible_email(text: &str) -> bool {
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

/// What follows from the rest of a record. Answers the text of a comment to add to a case.
pub fn derive(
    store: &Store,
    definition: &Object,
    row: &mut Row,
    before: Option<&Row>,
    given: &HashSet<usize>,
    now: i64,
) -> Result<Option<String>, Failure> {
    let place = |name: &str| definition.field(name).unwrap_or(0);
    let has = |name: &str| given.contains(&place(name));
    let text = |row: &Row, name: &str| match &row[place(name)] {
        Value::Text(text) => text.to_string(),
        _ => String::new(),
    };
    let changed =
        |row: &Row, name: &str| before.is_none_or(|before| before[place(name)] != row[place(name)]);
    match definition.name {
        "Opportunity" => {
            let name = text(row, "StageName");
            if let Some(stage) = STAGES.iter().find(|stage| stage.0 == name)
                && changed(row, "StageName")
            {
                if !has("Probability") || row[place("Probability")].is_null() {
                    row[place("Probability")] = Value::Num(f64::from(stage.1));
                }
                if !has("ForecastCategoryName") || row[place("ForecastCategoryName")].is_null() {
                    row[place("ForecastCategoryName")] = Value::text(stage.2);
                }
                row[place("IsClosed")] = Value::Bool(stage.3);
                row[place("IsWon")] = Value::Bool(stage.4);
                row[place("LastStageChangeDate")] = Value::Time(now);
            }
            let forecast = text(row, "ForecastCategoryName");
            let api = FORECASTS
                .iter()
                .find(|known| known.0 == forecast)
                .map_or("Pipeline", |known| known.1);
            row[place("ForecastCategory")] = Value::text(api);
            row[place("ExpectedRevenue")] = match (
                row[place("Amount")].number(),
                row[place("Probability")].number(),
            ) {
                (Some(amount), Some(probability)) => {
                    Value::Num((amount * probability).round() / 100.0)
                }
                _ => Value::Null,
            };
            if let Value::Date(close) = row[place("CloseDate")] {
                let quarter = i64::from(close.month() - 1) / 3 + 1;
                row[place("FiscalQuarter")] = Value::Int(quarter);
                row[place("FiscalYear")] = Value::Int(i64::from(close.year()));
                row[place("Fiscal")] = Value::text(&format!("{} {quarter}", close.year()));
            }
        }
        "Task" => {
            let done = text(row, "Status") == "Completed";
            row[place("IsClosed")] = Value::Bool(done);
            row[place("IsHighPriority")] = Value::Bool(text(row, "Priority") == "High");
            if !done {
                row[place("CompletedDateTime")] = Value::Null;
            } else if row[place("CompletedDateTime")].is_null() {
                row[place("CompletedDateTime")] = Value::Time(now / 1000 * 1000);
            }
            row[place("AccountId")] = activity_account(store, definition, row);
        }
        "Event" => {
            let times = ["StartDateTime", "ActivityDateTime"];
            if let Some(given) = times.iter().find(|name| has(name)) {
                let start = row[place(given)].clone();
                for name in times {
                    row[place(name)] = start.clone();
                }
            }
            match &row[place("StartDateTime")] {
                Value::Time(start) => {
                    let start = *start;
                    row[place("ActivityDate")] = Value::Date(zoned(start).date());
                    match (&row[place("EndDateTime")], &row[place("DurationInMinutes")]) {
                        (Value::Time(end), _) if has("EndDateTime") => {
                            if *end < start {
                                return Err(Failure::new(
                                    400,
                                    "FIELD_INTEGRITY_EXCEPTION",
                                    "Event end must not be before its start",
                                )
                                .about(&["EndDateTime"]));
                            }
                            row[place("DurationInMinutes")] = Value::Int((*end - start) / 60_000);
                        }
                        (_, Value::Int(minutes)) => {
                            row[place("EndDateTime")] = Value::Time(start + *minutes * 60_000)
                        }
                        _ => return Err(missing(&["DurationInMinutes"])),
                    }
                }
                _ if row[place("IsAllDayEvent")] == Value::Bool(true)
                    && !row[place("ActivityDate")].is_null() => {}
                _ => return Err(missing(&["DurationInMinutes", "ActivityDateTime"])),
            }
            row[place("AccountId")] = activity_account(store, definition, row);
        }
        "Case" => {
            let closed = text(row, "Status") == "Closed";
            row[place("IsClosed")] = Value::Bool(closed);
            if !closed {
                row[place("ClosedDate")] = Value::Null;
            } else if row[place("ClosedDate")].is_null() {
                row[place("ClosedDate")] = Value::Time(now / 1000 * 1000);
            }
            let comment = text(row, "Comments");
            row[place("Comments")] = Value::Null;
            if !comment.is_empty() {
                return Ok(Some(comment));
            }
        }
        "Contact" => {
            let name = format!("{} {}", text(row, "FirstName"), text(row, "LastName"));
            row[place("Name")] = Value::text(name.trim());
        }
        "Account" => {
            row[place("Health_Status__c")] = row[place("Health__c")]
                .number()
                .map_or(Value::Null, |score| Value::text(health_status(score)));
        }
        "Contract" => {
            if let (Value::Date(start), Value::Int(months), true) = (
                &row[place("StartDate")],
                &row[place("ContractTerm")],
                has("StartDate") || has("ContractTerm"),
            ) {
                row[place("EndDate")] = Value::Date(
                    start
                        .saturating_add(i64::clamp(*months, 0, 1200).months())
                        .saturating_sub(1.day()),
                );
            }
        }
        _ => {}
    }
    Ok(None)
}

fn missing(fields: &[&str]) -> Failure {
    Failure::new(
        400,
        "REQUIRED_FIELD_MISSING",
        format!("Required fields are missing: [{}]", fields.join(", ")),
    )
    .about(fields)
}

/// The account that an activity belongs to: by what it is about, else by whom.
fn activity_account(store: &Store, definition: &Object, row: &Row) -> Value {
    for name in ["WhatId", "WhoId"] {
        if let Some(Value::Id(id)) = definition.field(name).map(|field| &row[field]) {
            let object = store.schema.object(id.object);
            if object.name == "Account" {
                return Value::Id(*id);
            }
            if let Some(field) = object.field("AccountId") {
                return store.get(*id, field);
            }
        }
    }
    Value::Null
}
