//! The objects of the portal and what a property is. The lists of properties are in `records` and `activity`.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Value, json};

use super::value::{Kind, Val, second};
use super::{activity, records};
use crate::simulate::world::World;

/// A type of records.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub(super) enum ObjectId {
    Company,
    Contact,
    Deal,
    Ticket,
    Task,
    Note,
    Call,
    Meeting,
    Email,
    Feedback,
}

/// All of them, in the order of their numbers.
pub(super) const ALL: [ObjectId; 10] = [
    ObjectId::Company,
    ObjectId::Contact,
    ObjectId::Deal,
    ObjectId::Ticket,
    ObjectId::Task,
    ObjectId::Note,
    ObjectId::Call,
    ObjectId::Meeting,
    ObjectId::Email,
    ObjectId::Feedback,
];

impl ObjectId {
    /// The name in a path.
    pub fn plural(self) -> &'static str {
        match self {
            ObjectId::Company => "companies",
            ObjectId::Contact => "contacts",
            ObjectId::Deal => "deals",
            ObjectId::Ticket => "tickets",
            ObjectId::Task => "tasks",
            ObjectId::Note => "notes",
            ObjectId::Call => "calls",
            ObjectId::Meeting => "meetings",
            ObjectId::Email => "emails",
            ObjectId::Feedback => "feedback_submissions",
        }
    }

    pub fn singular(self) -> &'static str {
        match self {
            ObjectId::Company => "company",
            ObjectId::Contact => "contact",
            ObjectId::Deal => "deal",
            ObjectId::Ticket => "ticket",
            ObjectId::Task => "task",
            ObjectId::Note => "note",
            ObjectId::Call => "call",
            ObjectId::Meeting => "meeting_event",
            ObjectId::Email => "email",
            ObjectId::Feedback => "feedback_submission",
        }
    }

    /// The `objectTypeId` (unverified beyond the first four, the task and the note).
    pub fn type_id(self) -> &'static str {
        match self {
            ObjectId::Contact => "0-1",
            ObjectId::Company => "0-2",
            ObjectId::Deal => "0-3",
            ObjectId::Ticket => "0-5",
            ObjectId::Feedback => "0-19",
            ObjectId::Task => "0-27",
            ObjectId::Note => "0-46",
            ObjectId::Meeting => "0-47",
            ObjectId::Call => "0-48",
            ObjectId::Email => "0-49",
        }
    }

    /// The object that a path or a body means by its plural, singular or number.
    pub fn named(name: &str) -> Option<ObjectId> {
        ALL.into_iter().find(|id| {
            id.type_id() == name
                || id.plural().eq_ignore_ascii_case(name)
                || id.singular().eq_ignore_ascii_case(name)
                || (*id == ObjectId::Meeting && name.eq_ignore_ascii_case("meeting"))
        })
    }

    /// Ids are numbers; each object has its own range of them, so that the id of one is never that of another.
    fn base(self) -> u64 {
        8_100_000_000 + 4_300_000_000 * (self as u64)
    }

    pub fn id(self, row: u32) -> String {
        (self.base() + u64::from(row)).to_string()
    }

    pub fn row(self, id: &str) -> Option<u32> {
        let number: u64 = id.trim().parse().ok()?;
        u32::try_from(number.checked_sub(self.base())?).ok()
    }

    pub fn read_only(self) -> bool {
        self == ObjectId::Feedback
    }

    /// An activity: what has a time and hangs on other records.
    pub fn activity(self) -> bool {
        matches!(
            self,
            ObjectId::Task | ObjectId::Note | ObjectId::Call | ObjectId::Meeting | ObjectId::Email
        )
    }

    /// The properties that a new record must have.
    pub fn required(self) -> &'static [&'static str] {
        match self {
            ObjectId::Ticket => &["subject", "hs_pipeline_stage"],
            id if id.activity() => &["hs_timestamp"],
            _ => &[],
        }
    }
}

pub(super) type Reader = for<'a> fn(&'a World, u32) -> Val<'a>;
pub(super) type Options = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// A property of an object.
#[derive(Clone)]
pub(super) struct Field {
    pub name: Cow<'static, str>,
    pub label: Cow<'static, str>,
    pub kind: Kind,
    pub field_type: Cow<'static, str>,
    pub group: Cow<'static, str>,
    pub options: Options,
    pub unique: bool,
    pub read_only: bool,
    /// Answered when nobody names properties.
    pub default: bool,
    /// Found by `query`.
    pub searched: bool,
    /// Made by the tenant.
    pub custom: bool,
    pub archived: bool,
    pub read: Reader,
    /// Finds the row of the world by a unique value.
    pub find: Option<fn(&World, &str) -> Option<u32>>,
}

/// A property; what it looks like in a form follows from its type.
pub(super) fn field(name: &'static str, label: &'static str, kind: Kind, read: Reader) -> Field {
    Field {
        name: Cow::Borrowed(name),
        label: Cow::Borrowed(label),
        kind,
        field_type: Cow::Borrowed(match kind {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Date | Kind::DateTime => "date",
            Kind::Bool => "booleancheckbox",
            Kind::Pick | Kind::Owner => "select",
        }),
        group: Cow::Borrowed("information"),
        options: Vec::new(),
        unique: false,
        read_only: false,
        default: false,
        searched: false,
        custom: false,
        archived: false,
        read,
        find: None,
    }
}

impl Field {
    pub fn default(mut self) -> Self {
        self.default = true;
        self
    }

    pub fn searched(mut self) -> Self {
        self.searched = true;
        self
    }

    pub fn fixed(mut self) -> Self {
        self.read_only = true;
        self
    }

    pub fn custom(mut self) -> Self {
        self.custom = true;
        self.group = Cow::Borrowed("customer_success");
        self
    }

    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    pub fn area(mut self) -> Self {
        self.field_type = Cow::Borrowed("html");
        self
    }

    pub fn options(mut self, options: &[(&'static str, &'static str)]) -> Self {
        self.options = options
            .iter()
            .map(|(value, label)| (Cow::Borrowed(*value), Cow::Borrowed(*label)))
            .collect();
        self
    }

    /// The definition as `/properties` shows it. `at`: when the portal was made.
    pub fn definition(&self, at: &str) -> Value {
        let options: Vec<Value> = self
            .options
            .iter()
            .enumerate()
            .map(|(place, (value, label))| {
                json!({ "label": label, "value": value, "displayOrder": place, "hidden": false })
            })
            .collect();
        let mut definition = json!({
            "updatedAt": at, "createdAt": at, "name": self.name, "label": self.label, "type": self.kind.name(),
            "fieldType": self.field_type, "description": "", "groupName": self.group, "options": options,
            "displayOrder": -1, "calculated": self.read_only, "externalOptions": self.kind == Kind::Owner,
            "archived": self.archived, "hasUniqueValue": self.unique, "hidden": false,
            "hubspotDefined": !self.custom,
            "modificationMetadata": {
                "archivable": self.custom, "readOnlyDefinition": !self.custom, "readOnlyValue": self.read_only
            },
            "formField": !self.read_only
        });
        if self.kind == Kind::Owner
            && let Some(map) = definition.as_object_mut()
        {
            map.insert("referencedObjectType".into(), json!("OWNER"));
        }
        definition
    }
}

/// One object: its rows in the world and its properties.
pub(super) struct Object {
    pub rows: fn(&World) -> u32,
    pub visible: fn(&World, u32) -> bool,
    pub fields: Vec<Field>,
    names: HashMap<String, u16>,
}

/// The places of the properties that every object has.
pub(super) const OBJECT_ID: u16 = 0;
pub(super) const CREATED: u16 = 1;
pub(super) const MODIFIED: u16 = 2;

impl Object {
    /// `created` and `modified` answer seconds since 1970.
    pub fn new(
        id: ObjectId,
        rows: fn(&World) -> u32,
        visible: fn(&World, u32) -> bool,
        stamps: (Reader, Reader),
        fields: Vec<Field>,
    ) -> Self {
        let created = if id.activity() || id == ObjectId::Feedback {
            "hs_createdate"
        } else {
            "createdate"
        };
        // Contacts alone call the stamp of the last change by another name.
        let modified = if id == ObjectId::Contact {
            "lastmodifieddate"
        } else {
            "hs_lastmodifieddate"
        };
        let mut all = vec![
            field("hs_object_id", "Record ID", Kind::Number, |_, _| Val::Null)
                .fixed()
                .default(),
            field(created, "Create Date", Kind::DateTime, stamps.0)
                .fixed()
                .default(),
            field(modified, "Last Modified Date", Kind::DateTime, stamps.1)
                .fixed()
                .default(),
        ];
        all.extend(fields);
        let mut object = Object {
            rows,
            visible,
            fields: all,
            names: HashMap::new(),
        };
        object.index();
        object
    }

    fn index(&mut self) {
        self.names = self
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| !field.archived)
            .map(|(place, field)| (field.name.to_string(), place as u16))
            .collect();
    }

    /// The place of a property.
    pub fn field(&self, name: &str) -> Option<u16> {
        self.names.get(name).copied()
    }

    /// Adds a property, or replaces the definition of the one that has its name.
    pub fn add(&mut self, field: Field) {
        match self.fields.iter_mut().find(|old| old.name == field.name) {
            Some(old) => *old = field,
            None => self.fields.push(field),
        }
        self.index();
    }

    /// Takes a property out of use; its values are no longer seen.
    pub fn drop_field(&mut self, name: &str) {
        if let Some(field) = self.fields.iter_mut().find(|field| field.name == name) {
            field.archived = true;
        }
        self.index();
    }
}

/// The portal's objects, in the order of [`ALL`].
pub(super) fn objects(world: &World) -> Vec<Object> {
    vec![
        records::company(world),
        records::contact(),
        records::deal(world),
        records::ticket(),
        activity::task(),
        activity::note(),
        activity::call(),
        activity::meeting(),
        activity::email(),
        activity::feedback(),
    ]
}

/// A reader's way to seconds.
pub(super) fn stamp(at: Option<i64>) -> Val<'static> {
    at.map_or(Val::Null, second)
}

/// The id of the owner who is this user.
pub(super) fn owner_id(user: u32) -> u64 {
    71_240_113 + 17 * u64::from(user)
}

/// The user with this owner id.
pub(super) fn owner_row(world: &World, id: &str) -> Option<u32> {
    let number: u64 = id.trim().parse().ok()?;
    let past = number.checked_sub(71_240_113)?;
    let row = u32::try_from(past / 17).ok()?;
    (past % 17 == 0 && (row as usize) < world.users.len()).then_some(row)
}
