//! What a tenant says of its objects, and which of the fields that the manifest names are asked for there; pick lists come back as item ids and are
//! translated by the options that the metadata names.

use crate::book::Entity;
use crate::connect::manifest::object::ObjectSpec;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One field of the tenant's metadata.
#[derive(Clone, Debug, Default)]
pub struct FieldInfo {
    /// API name.
    pub name: String,
    /// Upper case: STRING, PICKLIST, NUMBER, DATE, …
    pub kind: String,
    /// Objects that it refers to, lower case.
    pub lookup: Vec<String>,
    /// Item id → name.
    pub options: BTreeMap<String, String>,
    /// The pick list's category, where the options stand elsewhere.
    pub category: Option<String>,
}

/// One object of the tenant's metadata.
#[derive(Clone, Debug, Default)]
pub struct ObjectInfo {
    /// Its fields.
    pub fields: Vec<FieldInfo>,
}

impl ObjectInfo {
    /// Reads `data` of a describe answer: a list of objects, or one.
    pub fn parse(data: &Value) -> Option<ObjectInfo> {
        let object = match data {
            Value::Array(list) => list.first()?,
            other => other,
        };
        let fields = object.get("fields")?.as_array()?;
        Some(ObjectInfo {
            fields: fields.iter().filter_map(field).collect(),
        })
    }

    /// A field, whatever its case; `Lookup__gr.Field` counts when the lookup is there.
    pub fn field(&self, name: &str) -> Option<&FieldInfo> {
        self.fields
            .iter()
            .find(|f| f.name.eq_ignore_ascii_case(name))
    }

    fn offers(&self, name: &str) -> Option<String> {
        match name.split_once("__gr.") {
            Some((lookup, rest)) => self.field(lookup).map(|f| format!("{}__gr.{rest}", f.name)),
            None => self.field(name).map(|f| f.name.clone()),
        }
    }
}

fn text(v: &Value, key: &str) -> Option<String> {
    v.get(key)
        .and_then(Value::as_str)
        .filter(|s| !s.is_empty())
        .map(str::to_owned)
}

fn field(v: &Value) -> Option<FieldInfo> {
    let mut info = FieldInfo {
        name: text(v, "fieldName").or_else(|| text(v, "name"))?,
        kind: text(v, "dataType").unwrap_or_default().to_ascii_uppercase(),
        ..FieldInfo::default()
    };
    walk(v, &mut info);
    Some(info)
}

/// Options and lookups stand at different depths in different versions: whatever has an id and a name is an option.
fn walk(v: &Value, info: &mut FieldInfo) {
    match v {
        Value::Array(list) => list.iter().for_each(|v| walk(v, info)),
        Value::Object(map) => {
            let get = |keys: &[&str]| {
                keys.iter()
                    .find_map(|k| map.get(*k).and_then(Value::as_str))
                    .map(str::to_owned)
            };
            if let (Some(id), Some(name)) = (
                get(&["gsid", "Gsid", "itemId", "id"]),
                get(&["name", "label", "value"]),
            ) {
                info.options.insert(id, name);
            }
            for (key, inner) in map {
                match (key.as_str(), inner) {
                    ("lookupObjects", Value::Array(list)) => {
                        for o in list {
                            let name = o
                                .as_str()
                                .map(str::to_owned)
                                .or_else(|| text(o, "objectName").or_else(|| text(o, "name")));
                            info.lookup.extend(name.map(|n| n.to_ascii_lowercase()));
                        }
                    }
                    ("objectName", Value::String(s)) => info.lookup.push(s.to_ascii_lowercase()),
                    (
                        "categoryId" | "dropDownListId" | "dropdownCategoryId"
                        | "pickListCategoryId",
                        Value::String(s),
                    ) => {
                        info.category = Some(s.clone());
                    }
                    (_, inner) => walk(inner, info),
                }
            }
        }
        _ => {}
    }
}

/// Which fields are asked for and what they become; kept in the cursor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The object; nothing when the tenant has none.
    pub object: Option<String>,
    /// The select list.
    pub select: Vec<String>,
    /// Canonical field → vendor's field.
    pub map: Vec<(String, String)>,
    /// Fields that hold ids of other systems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<String>,
    /// Pick lists: field → item id → name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, BTreeMap<String, String>>,
    /// The field that says when a row was modified, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// The currency where a row names none.
    #[serde(default)]
    pub currency: String,
}

impl Plan {
    /// Chooses fields by the tenant's metadata.
    pub fn new(
        spec: &ObjectSpec,
        object: &str,
        info: &ObjectInfo,
        overrides: &BTreeMap<String, String>,
    ) -> Plan {
        let mut plan = Plan {
            object: Some(object.to_owned()),
            ..Plan::default()
        };
        plan.add(info.field("Gsid").map_or("Gsid", |f| f.name.as_str()));
        plan.modified = [
            "ModifiedDate",
            "Modified_Date",
            "LastModifiedDate",
            "UpdatedDate",
            "CreatedDate",
        ]
        .iter()
        .find_map(|n| info.field(n))
        .map(|f| f.name.clone());
        if let Some(m) = plan.modified.clone() {
            plan.add(&m);
        }
        let prefix = spec.prefix();
        for (canonical, candidates) in &spec.fields {
            if overrides.contains_key(&format!("{prefix}{canonical}")) {
                continue;
            }
            let found = candidates
                .0
                .iter()
                .find_map(|c| info.offers(c))
                .or_else(|| guess(spec, canonical, info).map(|f| f.name.clone()));
            if let Some(name) = found {
                plan.add(&name);
                plan.map.push((canonical.clone(), name));
            }
        }
        for (key, theirs) in overrides {
            if let Some(canonical) = key.strip_prefix(&prefix) {
                let name = info.offers(theirs).unwrap_or_else(|| theirs.clone());
                plan.add(&name);
                plan.map.push((canonical.to_owned(), name));
            }
        }
        for name in &spec.extra {
            if let Some(f) = info.field(name) {
                plan.add(&f.name);
            }
        }
        if spec.entity == Entity::Account {
            for f in &info.fields {
                let low: String = f
                    .name
                    .to_ascii_lowercase()
                    .chars()
                    .filter(|c| *c != '_')
                    .collect();
                let foreign = [
                    "sfdcaccountid",
                    "sfdcid",
                    "salesforceaccountid",
                    "salesforceid",
                    "crmid",
                    "externalid",
                ]
                .iter()
                .any(|w| low.starts_with(w));
                if foreign {
                    plan.add(&f.name);
                    plan.identifiers.push(f.name.clone());
                }
                let simple = [
                    "STRING",
                    "PICKLIST",
                    "NUMBER",
                    "DATE",
                    "DATETIME",
                    "BOOLEAN",
                    "PERCENTAGE",
                    "CURRENCY",
                    "EMAIL",
                    "URL",
                ]
                .contains(&f.kind.as_str());
                if f.name.ends_with("__gc")
                    && simple
                    && plan.select.len() < 150
                    && !plan.select.contains(&f.name)
                {
                    plan.add(&f.name);
                    plan.map.push((format!("x.{}", f.name), f.name.clone()));
                }
            }
        }
        for name in &plan.select {
            if let Some(f) = info.field(name)
                && f.kind.contains("PICK")
                && !f.options.is_empty()
            {
                plan.options.insert(name.clone(), f.options.clone());
            }
        }
        plan
    }

    /// Without metadata: the first spelling of everything; what the vendor refuses is dropped one by one.
    pub fn blind(spec: &ObjectSpec) -> Plan {
        let mut plan = Plan {
            object: Some(spec.name.clone()),
            modified: Some("ModifiedDate".to_owned()),
            ..Plan::default()
        };
        plan.add("Gsid");
        plan.add("ModifiedDate");
        for (canonical, candidates) in &spec.fields {
            if let Some(name) = candidates.0.first() {
                plan.add(name);
                plan.map.push((canonical.clone(), name.clone()));
            }
        }
        plan
    }

    fn add(&mut self, name: &str) {
        if !self.select.iter().any(|s| s == name) {
            self.select.push(name.to_owned());
        }
    }

    /// The vendor's field behind a canonical one.
    pub fn theirs(&self, canonical: &str) -> Option<&str> {
        self.map
            .iter()
            .find(|(c, _)| c == canonical)
            .map(|(_, v)| v.as_str())
    }

    /// Forgets a field that is not there.
    pub fn forget(&mut self, name: &str) {
        self.select.retain(|s| s != name);
        self.map.retain(|(_, v)| v != name);
        self.identifiers.retain(|v| v != name);
        if self.modified.as_deref() == Some(name) {
            self.modified = None;
        }
    }
}

/// In an object with dated numbers whose fields have other names: the one of the right type.
fn guess<'a>(spec: &ObjectSpec, canonical: &str, info: &'a ObjectInfo) -> Option<&'a FieldInfo> {
    spec.kind.as_ref()?;
    let system = [
        "CreatedDate",
        "ModifiedDate",
        "CreatedBy",
        "ModifiedBy",
        "Gsid",
        "Name",
    ];
    let mut own = info
        .fields
        .iter()
        .filter(|f| !system.iter().any(|s| f.name.eq_ignore_ascii_case(s)));
    match canonical {
        "account" => own.find(|f| f.lookup.iter().any(|l| l == "company")),
        "at" => own.find(|f| matches!(f.kind.as_str(), "DATE" | "DATETIME")),
        "value" => own.find(|f| matches!(f.kind.as_str(), "NUMBER" | "PERCENTAGE")),
        _ => own.find(|f| matches!(f.kind.as_str(), "RICHTEXTAREA" | "LONGTEXT" | "TEXTAREA")),
    }
}
