//! What an organisation says of its objects, and which of the fields that the manifest names are asked for there.

use crate::book::Entity;
use crate::connect::manifest::object::ObjectSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the vendor says about one field.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FieldInfo {
    /// API name.
    pub name: String,
    /// Type: string, reference, double, date, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The tenant's own.
    pub custom: bool,
    /// Can be set when a row is made.
    pub createable: bool,
    /// Can be changed.
    pub updateable: bool,
    /// Can stand in a condition.
    pub filterable: Option<bool>,
    /// A key of another system.
    pub external_id: bool,
    /// Holds each value once.
    pub unique: bool,
    /// Longest text.
    pub length: u32,
    /// What it refers to.
    pub reference_to: Vec<String>,
    /// Pick list.
    pub picklist_values: Vec<Pick>,
}

/// One value of a pick list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pick {
    /// What is stored.
    pub value: Option<String>,
    /// Can be chosen.
    pub active: Option<bool>,
}

/// What the vendor says about one object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ObjectInfo {
    /// API name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<FieldInfo>,
}

impl ObjectInfo {
    /// A field, whatever its case.
    pub fn field(&self, name: &str) -> Option<&FieldInfo> {
        self.fields
            .iter()
            .find(|f| f.name.eq_ignore_ascii_case(name))
    }
    /// The active values of a pick list.
    pub fn picks(&self, field: &str) -> Vec<String> {
        self.field(field).map_or_else(Vec::new, |f| {
            f.picklist_values
                .iter()
                .filter(|p| p.active != Some(false))
                .filter_map(|p| p.value.clone())
                .collect()
        })
    }
    /// The tenant's unique external-id field that can carry our key of a create, preferring one named like it.
    pub fn key_field(&self, wished: Option<&str>) -> Option<&str> {
        let fit = |f: &&FieldInfo| {
            f.external_id && f.createable && f.kind == "string" && (f.length == 0 || f.length >= 36)
        };
        match wished {
            Some(name) => self.field(name).filter(fit),
            None => ["External_Key__c", "Csops_Key__c", "Csops_Id__c"]
                .iter()
                .find_map(|n| self.field(n).filter(fit)),
        }
        .map(|f| f.name.as_str())
    }
}

/// Which fields are asked for and what they become; kept in the cursor, so that a later run asks no description again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The object; nothing when the tenant has none.
    pub object: Option<String>,
    /// The select list.
    pub select: Vec<String>,
    /// Canonical field → vendor's field.
    pub map: Vec<(String, String)>,
    /// Vendor's fields that hold ids of other systems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<String>,
    /// The currency where a row names none.
    #[serde(default)]
    pub currency: String,
    /// Opportunity types that are renewals; empty when all are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// Opportunity types that sell an existing customer more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expansion: Vec<String>,
}

/// What every object has, or may have.
pub const SYSTEM: [&str; 5] = [
    "Id",
    "SystemModstamp",
    "IsDeleted",
    "LastModifiedDate",
    "CurrencyIsoCode",
];

impl Plan {
    /// Chooses fields. `overrides` is `[source.fields]` (`account.health` → `Health__c`).
    pub fn new(spec: &ObjectSpec, info: &ObjectInfo, overrides: &BTreeMap<String, String>) -> Plan {
        let mut plan = Plan {
            object: Some(info.name.clone()),
            ..Plan::default()
        };
        for name in SYSTEM {
            if let Some(f) = info.field(name) {
                plan.add(&f.name);
            }
        }
        let prefix = spec.prefix();
        for (canonical, candidates) in &spec.fields {
            if overrides.contains_key(&format!("{prefix}{canonical}")) {
                continue;
            }
            let found = candidates
                .0
                .iter()
                .find_map(|c| info.field(c))
                .or_else(|| guess(spec, canonical, info));
            if let Some(f) = found {
                plan.add(&f.name);
                plan.map.push((canonical.clone(), f.name.clone()));
            }
        }
        for (key, theirs) in overrides {
            let Some(canonical) = key.strip_prefix(&prefix) else {
                continue;
            };
            let name = info
                .field(theirs)
                .map_or(theirs.as_str(), |f| f.name.as_str());
            plan.add(name);
            plan.map.push((canonical.to_owned(), name.to_owned()));
        }
        for name in &spec.extra {
            if let Some(f) = info.field(name) {
                plan.add(&f.name);
            }
        }
        if spec.entity == Entity::Account {
            for f in info.fields.iter().filter(|f| f.custom) {
                if f.external_id && f.kind == "string" {
                    plan.add(&f.name);
                    plan.identifiers.push(f.name.clone());
                }
                let simple = matches!(
                    f.kind.as_str(),
                    "string"
                        | "picklist"
                        | "double"
                        | "int"
                        | "currency"
                        | "percent"
                        | "date"
                        | "datetime"
                        | "boolean"
                        | "email"
                        | "url"
                        | "phone"
                        | "multipicklist"
                );
                // An address line holds 16 kB; a tenant with hundreds of fields maps the ones that matter.
                if simple && plan.select.len() < 120 && !plan.select.contains(&f.name) {
                    plan.add(&f.name);
                    plan.map.push((format!("x.{}", f.name), f.name.clone()));
                }
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

    /// Forgets a field that is no longer there.
    pub fn forget(&mut self, name: &str) {
        self.select.retain(|s| s != name);
        self.map.retain(|(_, v)| v != name);
        self.identifiers.retain(|v| v != name);
    }
}

/// In an object with dated numbers whose fields have other names: the one of the right type.
fn guess<'a>(spec: &ObjectSpec, canonical: &str, info: &'a ObjectInfo) -> Option<&'a FieldInfo> {
    spec.kind.as_ref()?;
    let custom = || info.fields.iter().filter(|f| f.custom);
    match canonical {
        "account" => info
            .fields
            .iter()
            .find(|f| f.reference_to.iter().any(|r| r == "Account")),
        "at" => custom()
            .find(|f| f.kind == "date")
            .or_else(|| custom().find(|f| f.kind == "datetime")),
        "value" => custom().find(|f| matches!(f.kind.as_str(), "double" | "int" | "percent")),
        _ => custom().find(|f| f.kind == "textarea"),
    }
}
