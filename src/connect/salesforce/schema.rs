//! What is asked of each Salesforce object: the canonical fields with the names that they usually have, checked against the
//! tenant's own description of the object.

use crate::book::Entity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One object and what it becomes.
pub struct Spec {
    /// The stream's name.
    pub stream: &'static str,
    /// The Salesforce object; empty for those that are looked for by name.
    pub object: &'static str,
    /// What its rows mainly become.
    pub entity: Entity,
    /// Canonical fields and the vendor's names for them, the likeliest first.
    pub fields: &'static [(&'static str, &'static [&'static str])],
    /// Fields that are read without standing for a canonical one.
    pub raw: &'static [&'static str],
    /// For custom objects that hold dated numbers: words in their name, the signal's kind and unit.
    pub signal: Option<SignalSpec>,
}

/// How an object with dated numbers is recognised and what it holds.
pub struct SignalSpec {
    /// One of these words is in the object's name.
    pub words: &'static [&'static str],
    /// The signal's kind.
    pub kind: &'static str,
    /// Its unit.
    pub unit: &'static str,
}

const SIGNAL_FIELDS: &[(&str, &[&str])] = &[
    (
        "account",
        &["Account__c", "AccountId", "Account_Id__c", "Company__c"],
    ),
    (
        "at",
        &[
            "Week__c",
            "Week_Start__c",
            "Week_Of__c",
            "Date__c",
            "As_Of__c",
            "Snapshot_Date__c",
            "Response_Date__c",
            "Responded__c",
            "Responded_On__c",
            "Survey_Date__c",
            "Measured__c",
        ],
    ),
    (
        "value",
        &[
            "Active_Users__c",
            "Users__c",
            "Usage__c",
            "Score__c",
            "NPS__c",
            "NPS_Score__c",
            "Health__c",
            "Health_Score__c",
            "Value__c",
        ],
    ),
    (
        "text",
        &["Comment__c", "Comments__c", "Verbatim__c", "Feedback__c"],
    ),
];

/// Everything that is read, in the order of a sync.
pub const SPECS: &[Spec] = &[
    Spec {
        stream: "people",
        object: "User",
        entity: Entity::Person,
        fields: &[
            ("name", &["Name"]),
            ("email", &["Email"]),
            ("active", &["IsActive"]),
            ("role", &["CS_Role__c", "Role__c"]),
        ],
        raw: &["Title", "Department"],
        signal: None,
    },
    Spec {
        stream: "rates",
        object: "CurrencyType",
        entity: Entity::Rate,
        fields: &[],
        raw: &["IsoCode", "ConversionRate", "IsCorporate", "IsActive"],
        signal: None,
    },
    Spec {
        stream: "accounts",
        object: "Account",
        entity: Entity::Account,
        fields: &[
            ("name", &["Name"]),
            ("domain", &["Domain__c", "Website"]),
            ("parent", &["ParentId"]),
            ("segment", &["Segment__c", "Customer_Segment__c"]),
            ("touch", &["Touch__c", "Touch_Model__c"]),
            (
                "csm",
                &["CSM__c", "Customer_Success_Manager__c", "CSM_Owner__c"],
            ),
            ("owner", &["OwnerId"]),
            ("region", &["Region__c", "BillingCountry"]),
            ("industry", &["Industry"]),
            (
                "stage",
                &["Lifecycle_Stage__c", "Stage__c", "Customer_Stage__c"],
            ),
            ("arr", &["ARR__c", "Annual_Recurring_Revenue__c"]),
            (
                "start",
                &["Customer_Since__c", "Start_Date__c", "Contract_Start__c"],
            ),
            ("renewal", &["Renewal_Date__c", "Next_Renewal_Date__c"]),
            (
                "notice_days",
                &[
                    "Notice_Days__c",
                    "Notice_Period__c",
                    "Notice_Period_Days__c",
                ],
            ),
            ("auto_renew", &["Auto_Renew__c", "Auto_Renewal__c"]),
            ("health", &["Health__c", "Health_Score__c"]),
            (
                "health_at",
                &["Health_At__c", "Health_Date__c", "Health_Updated__c"],
            ),
            ("sentiment", &["CSM_Sentiment__c", "Sentiment__c"]),
            ("nps", &["NPS__c", "NPS_Score__c"]),
        ],
        raw: &[],
        signal: None,
    },
    Spec {
        stream: "contacts",
        object: "Contact",
        entity: Entity::Contact,
        fields: &[
            ("account", &["AccountId"]),
            ("name", &["Name", "LastName"]),
            ("title", &["Title"]),
            ("email", &["Email"]),
            ("phone", &["Phone"]),
            ("role", &["Role__c", "Contact_Role__c"]),
            ("active", &["Active__c", "Is_Active__c"]),
            (
                "left_at",
                &["Left_Date__c", "Left_At__c", "Left_On__c", "Left__c"],
            ),
        ],
        raw: &[],
        signal: None,
    },
    Spec {
        stream: "renewals",
        object: "Opportunity",
        entity: Entity::Renewal,
        fields: &[
            ("account", &["AccountId"]),
            ("name", &["Name"]),
            ("due", &["CloseDate"]),
            (
                "original_due",
                &[
                    "Original_Close_Date__c",
                    "Original_Due__c",
                    "Original_Due_Date__c",
                ],
            ),
            ("notice_deadline", &["Notice_Date__c", "Notice_Deadline__c"]),
            ("amount", &["Amount"]),
            (
                "target",
                &["Renewal_Target__c", "Target__c", "Amount_Up_For_Renewal__c"],
            ),
            ("stage", &["StageName"]),
            ("forecast", &["ForecastCategoryName", "ForecastCategory"]),
            ("probability", &["Probability"]),
            ("owner", &["OwnerId"]),
            (
                "outcome",
                &["Loss_Reason__c", "Lost_Reason__c", "Closed_Reason__c"],
            ),
            ("next_step", &["NextStep"]),
        ],
        raw: &["IsClosed", "IsWon", "Type"],
        signal: None,
    },
    Spec {
        stream: "tasks",
        object: "Task",
        entity: Entity::Task,
        fields: &[
            ("account", &["AccountId"]),
            ("title", &["Subject"]),
            ("description", &["Description"]),
            ("due", &["ActivityDate"]),
            ("priority", &["Priority"]),
            ("owner", &["OwnerId"]),
            ("status", &["Status"]),
            ("completed_at", &["CompletedDateTime"]),
        ],
        raw: &[
            "WhatId",
            "WhoId",
            "IsClosed",
            "Type",
            "TaskSubtype",
            "CreatedDate",
        ],
        signal: None,
    },
    Spec {
        stream: "meetings",
        object: "Event",
        entity: Entity::Touchpoint,
        fields: &[
            ("account", &["AccountId"]),
            ("subject", &["Subject"]),
            ("body", &["Description"]),
            ("at", &["StartDateTime", "ActivityDateTime", "ActivityDate"]),
            ("author", &["OwnerId"]),
            ("contact", &["WhoId"]),
        ],
        raw: &["WhatId", "Type"],
        signal: None,
    },
    Spec {
        stream: "tickets",
        object: "Case",
        entity: Entity::Ticket,
        fields: &[
            ("account", &["AccountId"]),
            ("number", &["CaseNumber"]),
            ("subject", &["Subject"]),
            ("status", &["Status"]),
            ("priority", &["Priority"]),
            ("escalated", &["IsEscalated"]),
            ("opened", &["CreatedDate"]),
            ("closed", &["ClosedDate"]),
            ("owner", &["OwnerId"]),
        ],
        raw: &["IsClosed", "Type", "Reason", "Description"],
        signal: None,
    },
    Spec {
        stream: "usage",
        object: "",
        entity: Entity::Signal,
        fields: SIGNAL_FIELDS,
        raw: &[],
        signal: Some(SignalSpec {
            words: &["usage", "adoption"],
            kind: "usage.weekly",
            unit: "users",
        }),
    },
    Spec {
        stream: "health",
        object: "",
        entity: Entity::Signal,
        fields: SIGNAL_FIELDS,
        raw: &[],
        signal: Some(SignalSpec {
            words: &["health_history", "health_snapshot", "healthscore"],
            kind: "health",
            unit: "points",
        }),
    },
    Spec {
        stream: "surveys",
        object: "",
        entity: Entity::Signal,
        fields: SIGNAL_FIELDS,
        raw: &[],
        signal: Some(SignalSpec {
            words: &["survey", "nps"],
            kind: "nps",
            unit: "points",
        }),
    },
];

/// The stream of that name.
pub fn spec(stream: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|s| s.stream == stream)
}

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
}

impl Plan {
    /// Chooses fields. `overrides` is `[source.fields]` (`account.health` → `Health__c`).
    pub fn new(spec: &Spec, info: &ObjectInfo, overrides: &BTreeMap<String, String>) -> Plan {
        let mut plan = Plan {
            object: Some(info.name.clone()),
            ..Plan::default()
        };
        for name in [
            "Id",
            "SystemModstamp",
            "IsDeleted",
            "LastModifiedDate",
            "CurrencyIsoCode",
        ] {
            if let Some(f) = info.field(name) {
                plan.add(&f.name);
            }
        }
        let prefix = spec.signal.as_ref().map_or(spec.entity.name(), |s| s.kind);
        for (canonical, candidates) in spec.fields {
            if overrides.contains_key(&format!("{prefix}.{canonical}")) {
                continue;
            }
            let found = candidates
                .iter()
                .find_map(|c| info.field(c))
                .or_else(|| guess(spec, canonical, info));
            if let Some(f) = found {
                plan.add(&f.name);
                plan.map.push(((*canonical).to_owned(), f.name.clone()));
            }
        }
        for (key, theirs) in overrides {
            let Some(canonical) = key.strip_prefix(prefix).and_then(|k| k.strip_prefix('.')) else {
                continue;
            };
            let name = info
                .field(theirs)
                .map_or(theirs.as_str(), |f| f.name.as_str());
            plan.add(name);
            plan.map.push((canonical.to_owned(), name.to_owned()));
        }
        for name in spec.raw {
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
fn guess<'a>(spec: &Spec, canonical: &str, info: &'a ObjectInfo) -> Option<&'a FieldInfo> {
    spec.signal.as_ref()?;
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
