//! What an org knows about its objects and fields. The definitions themselves are in `catalog`.

use std::collections::HashMap;

use super::value::Id;
use crate::simulate::world::ids;

/// The places of the fields that every object has.
pub mod common {
    pub const ID: usize = 0;
    pub const IS_DELETED: usize = 1;
    pub const CREATED_DATE: usize = 2;
    pub const CREATED_BY: usize = 3;
    pub const MODIFIED_DATE: usize = 4;
    pub const MODIFIED_BY: usize = 5;
    pub const STAMP: usize = 6;
}

/// A field's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Id,
    Reference,
    Text,
    /// Text of at most 255 characters that can be filtered.
    TextArea,
    /// Long text: it can be read and written but neither filtered, sorted nor grouped.
    LongText,
    Picklist,
    MultiPicklist,
    /// Free text with suggestions (`Task.Subject`).
    Combobox,
    Currency,
    Double,
    Percent,
    Int,
    Bool,
    Date,
    DateTime,
    Email,
    Url,
    Phone,
    /// Base64 content: only readable row by row.
    Blob,
}

impl Kind {
    /// The type's name in a describe.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Id => "id",
            Kind::Reference => "reference",
            Kind::Text => "string",
            Kind::TextArea | Kind::LongText => "textarea",
            Kind::Picklist => "picklist",
            Kind::MultiPicklist => "multipicklist",
            Kind::Combobox => "combobox",
            Kind::Currency => "currency",
            Kind::Double => "double",
            Kind::Percent => "percent",
            Kind::Int => "int",
            Kind::Bool => "boolean",
            Kind::Date => "date",
            Kind::DateTime => "datetime",
            Kind::Email => "email",
            Kind::Url => "url",
            Kind::Phone => "phone",
            Kind::Blob => "base64",
        }
    }

    /// The type's name in SOAP, as a describe and query errors give it.
    pub fn soap(self) -> &'static str {
        match self {
            Kind::Id | Kind::Reference => "tns:ID",
            Kind::Currency | Kind::Double | Kind::Percent => "xsd:double",
            Kind::Int => "xsd:int",
            Kind::Bool => "xsd:boolean",
            Kind::Date => "xsd:date",
            Kind::DateTime => "xsd:dateTime",
            Kind::Blob => "xsd:base64Binary",
            _ => "xsd:string",
        }
    }

    /// Whether values are texts.
    pub fn textual(self) -> bool {
        self.soap() == "xsd:string"
    }

    /// Whether values are numbers.
    pub fn numeric(self) -> bool {
        matches!(
            self,
            Kind::Currency | Kind::Double | Kind::Percent | Kind::Int
        )
    }

    /// Whether a query may filter and sort by it.
    pub fn filterable(self) -> bool {
        !matches!(self, Kind::LongText | Kind::Blob)
    }

    /// Whether a query may group by it.
    pub fn groupable(self) -> bool {
        !matches!(
            self,
            Kind::LongText
                | Kind::Blob
                | Kind::Currency
                | Kind::Double
                | Kind::Percent
                | Kind::MultiPicklist
                | Kind::DateTime
        )
    }
}

/// One field of an object.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: &'static str,
    pub label: String,
    pub kind: Kind,
    /// Longest text in characters; total digits for numbers.
    pub length: u32,
    /// Digits after the point.
    pub scale: u8,
    pub nillable: bool,
    pub create: bool,
    pub update: bool,
    /// A formula of other fields.
    pub calculated: bool,
    pub auto_number: bool,
    pub external: bool,
    pub unique: bool,
    pub name_field: bool,
    /// Not in this object at all (a common field that it lacks).
    pub hidden: bool,
    /// Values of a pick list, in order.
    pub picks: Vec<&'static str>,
    /// Whether other values are refused.
    pub restricted: bool,
    /// Used when a create leaves the field out.
    pub default: Option<&'static str>,
    /// Names of the objects that a reference may point to.
    pub refs: &'static [&'static str],
    /// Name of the reference in a field path (`Owner`).
    pub relation: Option<&'static str>,
    /// Name of the way back in a subquery (`Contacts`).
    pub child: Option<&'static str>,
}

impl Field {
    pub fn custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// Whether a create must give it.
    pub fn demanded(&self) -> bool {
        self.create && !self.nillable && self.default.is_none() && self.kind != Kind::Bool
    }
}

/// The way from a parent to its children.
#[derive(Debug, Clone)]
pub struct Child {
    pub relation: &'static str,
    pub object: u16,
    pub field: usize,
}

/// One object.
#[derive(Debug, Clone)]
pub struct Object {
    pub name: &'static str,
    pub label: &'static str,
    pub plural: &'static str,
    /// The first three characters of its ids.
    pub prefix: &'static str,
    pub writable: bool,
    pub deletable: bool,
    pub fields: Vec<Field>,
    pub children: Vec<Child>,
    by_name: HashMap<String, usize>,
    by_relation: HashMap<String, usize>,
}

impl Object {
    /// Whether it is one of the tenant's own.
    pub fn custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// The place of a field, by name in any case.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    /// The place of the reference with this relationship name, in any case.
    pub fn relation(&self, name: &str) -> Option<usize> {
        self.by_relation.get(&name.to_ascii_lowercase()).copied()
    }

    /// The place of the field that names the record, if it has one.
    pub fn name_field(&self) -> Option<usize> {
        self.fields.iter().position(|field| field.name_field)
    }

    /// The fields that exist.
    pub fn visible(&self) -> impl Iterator<Item = (usize, &Field)> {
        self.fields
            .iter()
            .enumerate()
            .filter(|(_, field)| !field.hidden)
    }
}

/// All objects of the org.
#[derive(Debug)]
pub struct Schema {
    pub objects: Vec<Object>,
    by_name: HashMap<String, u16>,
    rates: Vec<(&'static str, f64)>,
}

impl Schema {
    /// Ties the definitions together. `rates`: how many units of a currency are one of the corporate currency.
    pub fn new(rates: Vec<(&'static str, f64)>, mut objects: Vec<Object>) -> Schema {
        let by_name: HashMap<String, u16> = objects
            .iter()
            .enumerate()
            .map(|(place, object)| (object.name.to_ascii_lowercase(), place as u16))
            .collect();
        let mut children = Vec::new();
        for (place, object) in objects.iter().enumerate() {
            for (at, field) in object.fields.iter().enumerate() {
                if let Some(relation) = field.child {
                    for parent in field.refs {
                        if let Some(parent) = by_name.get(&parent.to_ascii_lowercase()) {
                            children.push((
                                *parent,
                                Child {
                                    relation,
                                    object: place as u16,
                                    field: at,
                                },
                            ));
                        }
                    }
                }
            }
        }
        for (parent, child) in children {
            objects[usize::from(parent)].children.push(child);
        }
        for object in &mut objects {
            let visible = || {
                object
                    .fields
                    .iter()
                    .enumerate()
                    .filter(|(_, field)| !field.hidden)
            };
            object.by_name = visible()
                .map(|(place, field)| (field.name.to_ascii_lowercase(), place))
                .collect();
            object.by_relation = visible()
                .filter_map(|(place, field)| Some((field.relation?.to_ascii_lowercase(), place)))
                .collect();
        }
        Schema {
            objects,
            by_name,
            rates,
        }
    }

    /// How many units of a currency are one of the corporate currency.
    pub fn rate(&self, code: &str) -> Option<f64> {
        self.rates
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(code))
            .map(|(_, rate)| *rate)
    }

    /// An object's place, by name in any case.
    pub fn find(&self, name: &str) -> Option<u16> {
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    pub fn object(&self, place: u16) -> &Object {
        &self.objects[usize::from(place)]
    }

    /// The 18-character id.
    pub fn id_text(&self, id: Id) -> String {
        ids::salesforce_id(self.object(id.object).prefix, u64::from(id.row))
    }

    /// Reads an id of 15 or 18 characters. `Err` when the text has not the form of an id; `Ok(None)` when no object of
    /// this org can have given it out.
    pub fn parse_id(&self, text: &str) -> Result<Option<Id>, ()> {
        if !(text.len() == 15 || text.len() == 18)
            || !text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err(());
        }
        let Some((prefix, number)) = ids::salesforce_number(text) else {
            return Ok(None);
        };
        let Some(object) = self
            .objects
            .iter()
            .position(|object| object.prefix == prefix)
        else {
            return Ok(None);
        };
        Ok(u32::try_from(number).ok().map(|row| Id {
            object: object as u16,
            row,
        }))
    }
}

/// Builds an [`Object`] with the common fields.
pub fn object(
    name: &'static str,
    label: &'static str,
    plural: &'static str,
    prefix: &'static str,
) -> Object {
    use common::*;
    let mut fields = vec![
        field("Id", Kind::Id).fixed(),
        field("IsDeleted", Kind::Bool).fixed(),
        field("CreatedDate", Kind::DateTime).fixed(),
        field("CreatedById", Kind::Reference)
            .to(&["User"], "CreatedBy")
            .fixed(),
        field("LastModifiedDate", Kind::DateTime).fixed(),
        field("LastModifiedById", Kind::Reference)
            .to(&["User"], "LastModifiedBy")
            .fixed(),
        field("SystemModstamp", Kind::DateTime).fixed(),
    ];
    fields[ID].label = format!("{label} ID");
    fields[IS_DELETED].label = "Deleted".into();
    fields[CREATED_BY].label = "Created By ID".into();
    fields[MODIFIED_DATE].label = "Last Modified Date".into();
    fields[MODIFIED_BY].label = "Last Modified By ID".into();
    fields[STAMP].label = "System Modstamp".into();
    Object {
        name,
        label,
        plural,
        prefix,
        writable: true,
        deletable: true,
        fields,
        children: Vec::new(),
        by_name: HashMap::new(),
        by_relation: HashMap::new(),
    }
}

impl Object {
    /// Adds fields.
    pub fn with(mut self, fields: Vec<Field>) -> Object {
        self.fields.extend(fields);
        self
    }

    /// Clients can only read it; rows are never in a recycle bin.
    pub fn read_only(mut self) -> Object {
        self.writable = false;
        self.deletable = false;
        for field in &mut self.fields {
            field.create = false;
            field.update = false;
        }
        self.fields[common::IS_DELETED].hidden = true;
        self
    }
}

/// A field that can be written and may be empty.
pub fn field(name: &'static str, kind: Kind) -> Field {
    let length = match kind {
        Kind::Id | Kind::Reference => 18,
        Kind::Text | Kind::TextArea | Kind::Picklist | Kind::Combobox | Kind::Url => 255,
        Kind::LongText => 32_000,
        Kind::MultiPicklist => 4_099,
        Kind::Email => 80,
        Kind::Phone => 40,
        Kind::Currency | Kind::Double => 18,
        Kind::Percent => 3,
        Kind::Int => 9,
        Kind::Blob => 10_485_760,
        Kind::Bool | Kind::Date | Kind::DateTime => 0,
    };
    Field {
        name,
        label: label(name),
        kind,
        length,
        scale: if kind == Kind::Currency { 2 } else { 0 },
        nillable: kind != Kind::Bool,
        create: true,
        update: true,
        calculated: false,
        auto_number: false,
        external: false,
        unique: false,
        name_field: false,
        hidden: false,
        picks: Vec::new(),
        restricted: false,
        default: None,
        refs: &[],
        relation: None,
        child: None,
    }
}

impl Field {
    /// The system fills it in; never empty.
    pub fn fixed(mut self) -> Field {
        self.create = false;
        self.update = false;
        self.nillable = false;
        self
    }

    /// The system fills it in; may be empty.
    pub fn read_only(mut self) -> Field {
        self.create = false;
        self.update = false;
        self
    }

    /// A formula of other fields.
    pub fn formula(mut self) -> Field {
        self.calculated = true;
        self.read_only()
    }

    /// Must have a value.
    pub fn required(mut self) -> Field {
        self.nillable = false;
        self
    }

    /// What a create gets that leaves it out.
    pub fn or(mut self, default: &'static str) -> Field {
        self.default = Some(default);
        self
    }

    pub fn len(mut self, length: u32) -> Field {
        self.length = length;
        self
    }

    pub fn scale(mut self, scale: u8) -> Field {
        self.scale = scale;
        self
    }

    pub fn named(mut self) -> Field {
        self.name_field = true;
        self
    }

    pub fn label(mut self, label: &str) -> Field {
        self.label = label.into();
        self
    }

    /// The values of a pick list.
    pub fn picks(mut self, values: &[&'static str]) -> Field {
        self.picks = values.to_vec();
        self
    }

    /// Other values than the pick list's are refused.
    pub fn only(mut self) -> Field {
        self.restricted = true;
        self
    }

    /// The system numbers it.
    pub fn auto(mut self) -> Field {
        self.auto_number = true;
        self
    }

    /// A unique key that an upsert can use.
    pub fn key(mut self) -> Field {
        self.external = true;
        self.unique = true;
        self
    }

    /// A reference and its name in a path.
    pub fn to(mut self, refs: &'static [&'static str], relation: &'static str) -> Field {
        self.refs = refs;
        self.relation = Some(relation);
        self
    }

    /// The name of the way back.
    pub fn back(mut self, child: &'static str) -> Field {
        self.child = Some(child);
        self
    }
}

/// `LastModifiedDate` → `Last Modified Date`, `Renewal_Date__c` → `Renewal Date`.
fn label(name: &str) -> String {
    let name = name.strip_suffix("__c").unwrap_or(name);
    let mut out = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if c == '_' {
            out.push(' ');
        } else {
            if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
                out.push(' ');
            }
            out.push(c);
        }
        before = c;
    }
    match out.strip_suffix(" Id") {
        Some(stem) => format!("{stem} ID"),
        None => out,
    }
}
