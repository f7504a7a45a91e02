//! What is asked of each Gainsight object: the canonical fields with the names that they usually have, checked against the tenant's
//! own metadata; pick lists come back as item ids and are translated by the options that the metadata names.

use crate::book::Entity;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One object and what it becomes.
pub struct Spec {
    /// The stream's name.
    pub stream: &'static str,
    /// The object, in the spelling of the documentation; empty for those that are looked for by name.
    pub object: &'static str,
    /// What its rows become.
    pub entity: Entity,
    /// Canonical fields and the vendor's names for them, the likeliest first.
    pub fields: &'static [(&'static str, &'static [&'static str])],
    /// Fields that are read without standing for a canonical one.
    pub raw: &'static [&'static str],
    /// For objects with dated numbers: words in their name, the kind and the unit.
    pub signal: Option<(&'static [&'static str], &'static str, &'static str)>,
}

const SIGNAL_FIELDS: &[(&str, &[&str])] = &[
    (
        "account",
        &[
            "Company_ID",
            "CompanyId",
            "GsCompanyId",
            "Company",
            "Company__gc",
            "Company_ID__gc",
            "CompanyId__gc",
        ],
    ),
    (
        "at",
        &[
            "Week__gc",
            "Week_Start__gc",
            "Week_Start_Date__gc",
            "WeekStart__gc",
            "Date__gc",
            "As_Of__gc",
            "Snapshot_Date__gc",
            "SnapshotDate",
            "ScoreDate",
            "Score_Date__gc",
            "ResponseDate",
            "Response_Date",
            "Response_Date__gc",
            "RespondedDate",
            "Responded_On__gc",
            "Date",
        ],
    ),
    (
        "value",
        &[
            "Active_Users__gc",
            "ActiveUsers__gc",
            "Users__gc",
            "Usage__gc",
            "Score",
            "Current_Score",
            "CurrentScore",
            "Score__gc",
            "NPS_Score",
            "NpsScore",
            "NPS_Score__gc",
            "Overall_Score__gc",
            "Health__gc",
            "Value__gc",
        ],
    ),
    (
        "text",
        &[
            "Comment",
            "Comments",
            "Comment__gc",
            "Comments__gc",
            "Verbatim__gc",
            "Feedback__gc",
        ],
    ),
];

/// Everything that is read through the object query, in the order of a sync.
pub const SPECS: &[Spec] = &[
    Spec {
        stream: "people",
        object: "GsUser",
        entity: Entity::Person,
        fields: &[
            ("name", &["Name", "FullName"]),
            ("email", &["Email"]),
            ("active", &["IsActiveUser", "IsActive", "Active"]),
        ],
        raw: &["Title", "Role", "Department"],
        signal: None,
    },
    Spec {
        stream: "accounts",
        object: "Company",
        entity: Entity::Account,
        fields: &[
            ("name", &["Name"]),
            (
                "domain",
                &[
                    "Domain",
                    "EmailDomain",
                    "Email_Domain",
                    "Domain__gc",
                    "Website",
                    "Website__gc",
                ],
            ),
            (
                "parent",
                &[
                    "ParentCompany",
                    "Parent_Company",
                    "ParentCompanyId",
                    "ParentId",
                ],
            ),
            (
                "segment",
                &[
                    "Segment",
                    "CustomerSegment",
                    "Customer_Segment",
                    "Segment__gc",
                    "Tier",
                ],
            ),
            (
                "touch",
                &[
                    "TouchModel",
                    "Touch_Model",
                    "Touch",
                    "TouchModel__gc",
                    "Touch_Model__gc",
                    "Touch__gc",
                ],
            ),
            ("csm", &["CSM", "CsmId", "CSM_ID"]),
            ("region", &["Region", "Region__gc", "BillingCountry"]),
            ("industry", &["Industry"]),
            (
                "stage",
                &[
                    "LifecycleStage",
                    "Lifecycle_Stage",
                    "Stage",
                    "CustomerLifecycleStage",
                ],
            ),
            ("arr", &["ARR", "AnnualRecurringRevenue", "ARR__gc"]),
            (
                "start",
                &[
                    "OriginalContractDate",
                    "Original_Contract_Date",
                    "CustomerSince",
                    "Customer_Since__gc",
                ],
            ),
            ("renewal", &["RenewalDate", "Renewal_Date"]),
            (
                "notice_days",
                &[
                    "NoticeDays",
                    "Notice_Days",
                    "Notice_Days__gc",
                    "Notice_Period__gc",
                ],
            ),
            (
                "auto_renew",
                &[
                    "AutoRenew",
                    "Auto_Renew",
                    "Auto_Renew__gc",
                    "Auto_Renewal__gc",
                ],
            ),
            (
                "health",
                &[
                    "CurrentScore",
                    "Current_Score",
                    "OverallScore",
                    "Overall_Score",
                    "HealthScore",
                    "Health_Score",
                    "Health_Score__gc",
                    "Scorecard_Score",
                ],
            ),
            (
                "health_at",
                &[
                    "CurrentScoreDate",
                    "ScoreDate",
                    "Score_Date",
                    "Score_Modified_Date",
                    "Health_Date__gc",
                    "Health_Score_Date__gc",
                ],
            ),
            (
                "sentiment",
                &[
                    "CsmSentiment",
                    "CSM_Sentiment",
                    "CSM_Sentiment__gc",
                    "Sentiment",
                    "Sentiment__gc",
                ],
            ),
            ("nps", &["NPS", "NpsScore", "NPS_Score", "NPS__gc"]),
        ],
        raw: &["CurrencyIsoCode", "Currency", "Currency__gc"],
        signal: None,
    },
    Spec {
        stream: "contacts",
        object: "Company_Person",
        entity: Entity::Contact,
        fields: &[
            ("account", &["Company_ID", "CompanyId"]),
            ("name", &["Person_ID__gr.Name", "Name"]),
            ("title", &["Title"]),
            ("email", &["Person_ID__gr.Email", "Email"]),
            ("phone", &["Phone", "Phone__gc", "BusinessPhone"]),
            ("role", &["Role", "Role__gc"]),
            ("active", &["Active", "IsActive"]),
            ("left_at", &["Left_Date__gc", "Left_On__gc", "LeftDate"]),
        ],
        raw: &["IsPrimaryCompany"],
        signal: None,
    },
    Spec {
        stream: "touchpoints",
        object: "activity_timeline",
        entity: Entity::Touchpoint,
        fields: &[
            (
                "account",
                &["GsCompanyId", "CompanyId", "Company_ID", "GSCompany"],
            ),
            (
                "kind",
                &[
                    "TypeName",
                    "ActivityTypeName",
                    "ActivityType",
                    "Type",
                    "TypeId",
                ],
            ),
            ("subject", &["Subject"]),
            ("body", &["NotesPlainText", "Notes_Plain_Text", "Notes"]),
            ("at", &["ActivityDate", "Activity_Date"]),
            ("author", &["AuthorId", "Author_ID", "GsUserId", "Author"]),
        ],
        raw: &["ExternalId"],
        signal: None,
    },
    Spec {
        stream: "usage",
        object: "",
        entity: Entity::Signal,
        fields: SIGNAL_FIELDS,
        raw: &[],
        signal: Some((&["usage", "adoption"], "usage.weekly", "users")),
    },
    Spec {
        stream: "health",
        object: "",
        entity: Entity::Signal,
        fields: SIGNAL_FIELDS,
        raw: &[],
        signal: Some((
            &["scorecard_fact", "scorecard", "health_history", "health"],
            "health",
            "points",
        )),
    },
    Spec {
        stream: "surveys",
        object: "",
        entity: Entity::Signal,
        fields: SIGNAL_FIELDS,
        raw: &[],
        signal: Some((&["nps", "survey"], "nps", "points")),
    },
];

/// The stream of that name.
pub fn spec(stream: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|s| s.stream == stream)
}

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
        spec: &Spec,
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
        let prefix = spec.signal.map_or(spec.entity.name(), |s| s.1);
        for (canonical, candidates) in spec.fields {
            if overrides.contains_key(&format!("{prefix}.{canonical}")) {
                continue;
            }
            let found = candidates
                .iter()
                .find_map(|c| info.offers(c))
                .or_else(|| guess(spec, canonical, info).map(|f| f.name.clone()));
            if let Some(name) = found {
                plan.add(&name);
                plan.map.push(((*canonical).to_owned(), name));
            }
        }
        for (key, theirs) in overrides {
            if let Some(canonical) = key.strip_prefix(prefix).and_then(|k| k.strip_prefix('.')) {
                let name = info.offers(theirs).unwrap_or_else(|| theirs.clone());
                plan.add(&name);
                plan.map.push((canonical.to_owned(), name));
            }
        }
        for name in spec.raw {
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
    pub fn blind(spec: &Spec) -> Plan {
        let mut plan = Plan {
            object: Some(spec.object.to_owned()),
            modified: Some("ModifiedDate".to_owned()),
            ..Plan::default()
        };
        plan.add("Gsid");
        plan.add("ModifiedDate");
        for (canonical, candidates) in spec.fields {
            if let Some(name) = candidates.first() {
                plan.add(name);
                plan.map.push(((*canonical).to_owned(), (*name).to_owned()));
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
fn guess<'a>(spec: &Spec, canonical: &str, info: &'a ObjectInfo) -> Option<&'a FieldInfo> {
    spec.signal?;
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
