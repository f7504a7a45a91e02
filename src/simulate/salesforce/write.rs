//! Creating, changing and deleting records: what the org checks, what it refuses, what it fills in by itself, and what it
//! writes into the journal.

mod derive;
mod input;

use input::stored;

pub use derive::derive;

use std::collections::HashSet;
use std::sync::RwLockWriteGuard;

use serde_json::{Map, Value as Json, json};

use super::error::Failure;
use super::schema::{Field, Kind, Object, common};
use super::table::{Key, Savepoint, Store};
use super::value::{Id, Row, Value};

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
