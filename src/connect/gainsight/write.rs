//! Writing to Gainsight. Calls to action carry a marker in their comments, timeline entries an `ExternalId`: both can be asked for
//! before anything is sent again. Updates compare first; no header guards them.

mod create;
mod read;
mod update;

use create::parent;

use super::Gainsight;
use super::cockpit::any;
use crate::book::{Capabilities, Entity, FieldValue, Verb, WriteSupport};
use crate::connect::canon;
use crate::connect::convert::iso;
use crate::connect::http::{Ask, encode, lock};
use crate::connect::{ConnectError, ErrorKind, Write, Written};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// The cockpit's pick lists, by name: that is how they are written.
#[derive(Clone, Debug, Default)]
pub struct Picks {
    status: Vec<String>,
    priority: Vec<String>,
    kind: Vec<String>,
    reason: Vec<String>,
}

impl Gainsight {
    /// The vendor's field that a canonical one is written to.
    fn written(&self, entity: Entity, canonical: &str) -> Option<&str> {
        self.m
            .write
            .get(&entity)?
            .fields
            .get(canonical)?
            .to
            .as_deref()
    }

    /// The same, where every write has the field; one that the manifest does not name the vendor refuses by its own words.
    fn key(&self, entity: Entity, canonical: &'static str) -> &str {
        self.written(entity, canonical).unwrap_or(canonical)
    }

    /// What can be written, and the choices as far as they are known.
    pub(super) fn writes(&self) -> Capabilities {
        let mut caps = Capabilities::default();
        let mut add = |entity, field: &str, writes: &str, why_not: Option<&str>| {
            caps.writes.push(WriteSupport {
                entity,
                field: field.to_owned(),
                writes: writes.to_owned(),
                guarded: false,
                why_not: why_not.map(str::to_owned),
            });
        };
        add(
            Entity::Escalation,
            "*",
            "POST call to action, type Risk",
            None,
        );
        add(
            Entity::Escalation,
            "-",
            "closing status (calls to action are closed, not deleted)",
            None,
        );
        add(
            Entity::Task,
            "*",
            "POST task of a call to action, or a call to action of its own",
            None,
        );
        add(Entity::Task, "-", "closing status", None);
        add(Entity::Touchpoint, "*", "POST timeline activity", None);
        add(Entity::Touchpoint, "-", "DELETE timeline activity", None);
        for (entity, what) in [
            (Entity::Escalation, "call to action"),
            (Entity::Task, "task"),
            (Entity::Touchpoint, "timeline activity"),
        ] {
            let fields = self.m.write.get(&entity).into_iter();
            for (field, f) in fields.flat_map(|w| &w.fields) {
                let theirs = f.to.as_deref().unwrap_or_default();
                let closing = if field == "outcome" {
                    " (the closing one)"
                } else {
                    ""
                };
                add(entity, field, &format!("{what}: {theirs}{closing}"), None);
            }
        }
        let company = self.m.object_of(Entity::Account);
        let object = company.map_or("Company", |o| o.name.as_str());
        for field in ["csm", "sentiment", "segment", "touch", "stage"] {
            // What the manifest lists is written where it is read; the rest needs a field that the tenant names.
            let named = self.fields.get(&format!("account.{field}")).cloned();
            let listed = self.written(Entity::Account, field);
            let usual = listed.and_then(|to| match to.strip_prefix('=') {
                Some(own) => company?.names(own).first().cloned(),
                None => Some(to.to_owned()),
            });
            match named.or(usual) {
                Some(theirs) => add(Entity::Account, field, &format!("{object}.{theirs}"), None),
                None => add(
                    Entity::Account,
                    field,
                    "",
                    Some("no company field is mapped to it; name one under [source.fields]"),
                ),
            }
        }
        for (entity, write) in &self.m.write {
            for (field, why) in &write.cannot {
                add(*entity, field, "", Some(why));
            }
        }
        if let Some(picks) = self.picks.get() {
            for (field, list) in [
                ("status", &picks.status),
                ("priority", &picks.priority),
                ("reason", &picks.reason),
            ] {
                caps.choices
                    .push((Entity::Escalation, field.into(), list.clone()));
            }
        }
        caps
    }

    /// The cockpit's pick lists; asked once.
    pub(super) async fn picks(&self) -> Result<&Picks, ConnectError> {
        self.picks
            .get_or_try_init(|| async {
                let mut picks = Picks::default();
                for categories in [
                    "CTA_STATUS,CTA_PRIORITY,CTA_TYPE,CTA_REASON",
                    "CTA_STATUS,CTA_PRIORITY,CTA_TYPE",
                ] {
                    let ask = Ask::get(format!(
                        "/v2/cockpit/admin/picklist/lite?category={categories}&et=COMPANY"
                    ));
                    match self.call(&ask, "the pick lists of calls to action").await? {
                        Ok(reply) => {
                            collect(&reply.data(), "", &mut picks);
                            break;
                        }
                        Err(fault)
                            if matches!(
                                fault.error.kind,
                                ErrorKind::Auth | ErrorKind::Retry { .. }
                            ) =>
                        {
                            return Err(fault.error);
                        }
                        Err(_) => {}
                    }
                }
                Ok(picks)
            })
            .await
    }

    fn refused(&self, field: Option<&str>, message: impl std::fmt::Display) -> ConnectError {
        self.http.error(
            ErrorKind::Refused {
                field: field.map(str::to_owned),
            },
            message,
        )
    }

    /// Carries a write out.
    pub(super) async fn carry_out(&self, write: &Write) -> Result<Written, ConnectError> {
        match (write.verb, write.entity) {
            (Verb::Create, Entity::Escalation) => self.create_cta(write).await,
            (Verb::Create, Entity::Task) => match parent(write) {
                Some(cta) => self.create_task(write, cta).await,
                None => self.create_cta(write).await,
            },
            (Verb::Create, Entity::Touchpoint) => self.create_activity(write).await,
            (Verb::Create, other) => Err(self.refused(
                None,
                format!("a new {other} is made in Gainsight itself, not from here"),
            )),
            (Verb::Update, _) => self.update(write).await,
            (Verb::Delete, Entity::Escalation | Entity::Task) => {
                let kind = if write.entity == Entity::Task {
                    "done"
                } else {
                    "closed"
                };
                let closing = Write {
                    verb: Verb::Update,
                    fields: vec![(
                        "status_kind".into(),
                        FieldValue::Null,
                        FieldValue::Text(kind.into()),
                    )],
                    force: true,
                    ..write.clone()
                };
                self.update(&closing).await
            }
            (Verb::Delete, Entity::Touchpoint) => {
                let id = self.id_of(write)?;
                let ask = Ask::write(
                    Method::DELETE,
                    format!("/v1/ant/es/activity/{}?identifier=gsid", encode(id)),
                    None,
                );
                match self.call(&ask, "to delete a timeline entry").await? {
                    Ok(_) => Ok(Written::Done {
                        external_id: id.to_owned(),
                        record: None,
                    }),
                    // What is gone already is what was wanted.
                    Err(fault) => match self.read_row(Entity::Touchpoint, id, None).await? {
                        None => Ok(Written::Done {
                            external_id: id.to_owned(),
                            record: None,
                        }),
                        Some(_) => Err(fault.error),
                    },
                }
            }
            (Verb::Delete, other) => {
                Err(self.refused(None, format!("a {other} is not deleted from here")))
            }
        }
    }

    fn id_of<'w>(&self, write: &'w Write) -> Result<&'w str, ConnectError> {
        write.external_id.as_deref().ok_or_else(|| {
            self.refused(
                None,
                format!(
                    "it is not known which {} at Gainsight is meant; sync, then try again",
                    write.entity
                ),
            )
        })
    }

    /// The vendor's word for a kind in `status_kind` or `priority_kind` of a call to action.
    fn cta_word(
        &self,
        picks: &Picks,
        entity: Entity,
        field: &str,
        word: &str,
        outcome: Option<&str>,
    ) -> Option<String> {
        let found = match field {
            "priority_kind" => {
                let wanted = match (entity, word) {
                    (Entity::Task, "p1") => "critical",
                    (Entity::Task, "p2") => "high",
                    (Entity::Task, "p3") => "medium",
                    (Entity::Task, "p4") => "low",
                    (_, w) => w,
                };
                let high = || {
                    (wanted == "critical")
                        .then(|| canon::word_for(&picks.priority, "high", canon::risk_priority))
                        .flatten()
                };
                canon::word_for(&picks.priority, wanted, canon::risk_priority).or_else(high)
            }
            _ => {
                let kind = |s: &str| Some(canon::risk_status(s, None));
                match word {
                    // Not every tenant has a word for it; that work on it has begun is the nearest.
                    "acknowledged" => self
                        .option("ack_status")
                        .or_else(|| canon::word_for(&picks.status, word, kind))
                        .or_else(|| canon::word_for(&picks.status, "in_progress", kind)),
                    "closed" | "done" => self.closing(picks, outcome),
                    "open" => canon::word_for(&picks.status, "new", kind),
                    w => canon::word_for(&picks.status, w, kind),
                }
            }
        };
        found.map(str::to_owned)
    }

    /// The same for a task below a call to action.
    fn task_word(&self, picks: &Picks, field: &str, word: &str) -> Option<String> {
        let found = match (field, word) {
            ("priority_kind", "p1" | "p2") => {
                canon::word_for(&picks.priority, "high", canon::risk_priority).unwrap_or("High")
            }
            ("priority_kind", "p4") => {
                canon::word_for(&picks.priority, "low", canon::risk_priority).unwrap_or("Low")
            }
            ("priority_kind", _) => {
                canon::word_for(&picks.priority, "medium", canon::risk_priority).unwrap_or("Medium")
            }
            (_, "done") => self.option("task_closed_status").unwrap_or("Closed"),
            (_, "in_progress") => "Work In Progress",
            _ => "Open",
        };
        Some(found.to_owned())
    }

    /// The vendor's fields of a call to action. A word of the vendor wins over a kind for the same field.
    async fn cta_record(
        &self,
        entity: Entity,
        todo: &[(&str, &FieldValue)],
    ) -> Result<Map<String, Value>, ConnectError> {
        let picks = self.picks().await?;
        let mut record = Map::new();
        let given = |f: &str| todo.iter().find(|(n, _)| *n == f).map(|(_, v)| *v);
        let outcome = given("outcome").and_then(FieldValue::as_str);
        for (field, want) in todo {
            // A task of its own is a call to action too: its description stands in the comments.
            let named = match *field {
                "description" => "comments",
                f => f,
            };
            // An outcome is said by the closing status; what is not named is not the cockpit's.
            let Some(name) = self
                .written(Entity::Escalation, named)
                .filter(|_| named != "outcome")
            else {
                continue;
            };
            let value = match *field {
                "status_kind" | "priority_kind" => {
                    if given(field.trim_end_matches("_kind")).is_some() {
                        continue;
                    }
                    let word = want.as_str().unwrap_or_default();
                    let found = self.cta_word(picks, entity, field, word, outcome).ok_or_else(|| {
                        self.refused(
                            Some(field),
                            format!("Gainsight's pick list has no value for `{word}`; choose another, or add it under Administration"),
                        )
                    })?;
                    json!(found)
                }
                // Comments are rich text.
                "comments" | "description" => json!(canon::html(want.as_str().unwrap_or_default())),
                _ => plain(want),
            };
            record.insert(name.to_owned(), value);
        }
        Ok(record)
    }

    /// The closing status that says this outcome best.
    fn closing<'p>(&'p self, picks: &'p Picks, outcome: Option<&str>) -> Option<&'p str> {
        let closing: Vec<&String> = picks
            .status
            .iter()
            .filter(|s| canon::risk_status(s, None) == "closed")
            .collect();
        let wanted = match outcome {
            Some("reduced") => &["reduced", "saved"][..],
            Some("lost") => &["lost"],
            Some("false_alarm") => &["false_alarm"],
            _ => &["saved"],
        };
        wanted
            .iter()
            .find_map(|w| closing.iter().find(|s| canon::outcome(s) == Some(w)))
            .map(|s| s.as_str())
            .or_else(|| self.option("closed_status"))
            .or_else(|| closing.first().map(|s| s.as_str()))
    }

    async fn task_record(
        &self,
        todo: &[(&str, &FieldValue)],
    ) -> Result<Map<String, Value>, ConnectError> {
        let picks = self.picks().await?;
        let mut record = Map::new();
        for (field, want) in todo {
            let Some(name) = self.written(Entity::Task, field) else {
                continue;
            };
            let value = match *field {
                "status_kind" | "priority_kind" => {
                    json!(self.task_word(picks, field, want.as_str().unwrap_or_default()))
                }
                _ => plain(want),
            };
            if field.ends_with("_kind") && record.contains_key(name) {
                continue;
            }
            record.insert(name.into(), value);
        }
        Ok(record)
    }

    async fn user(&self, email: &str) -> Result<Option<String>, ConnectError> {
        if let Some(known) = lock(&self.users).get(email) {
            return Ok(known.clone());
        }
        let found = self.one_user("Email", email, "Gsid").await?;
        lock(&self.users).insert(email.to_owned(), found.clone());
        Ok(found)
    }

    async fn email(&self, user: &str) -> Result<Option<String>, ConnectError> {
        self.one_user("Gsid", user, "Email").await
    }

    async fn one_user(
        &self,
        field: &str,
        value: &str,
        want: &str,
    ) -> Result<Option<String>, ConnectError> {
        let body = json!({
            "select": ["Gsid", "Email"],
            "where": {"conditions": [{"name": field, "alias": "A", "operator": "EQ", "value": [value]}], "expression": "A"},
            "limit": 1, "offset": 0,
        });
        let reply = self
            .must(
                &Ask::query("/v1/data/objects/query/GsUser", &body),
                "GsUser",
            )
            .await?;
        Ok(reply.rows().first().and_then(|r| any(r, &[want])))
    }
}

fn wants(write: &Write) -> Vec<(&str, &FieldValue)> {
    write
        .fields
        .iter()
        .filter(|(_, _, w)| !w.is_null())
        .map(|(f, _, w)| (f.as_str(), w))
        .collect()
}

fn plain(value: &FieldValue) -> Value {
    match value {
        FieldValue::Null | FieldValue::Id(_) => Value::Null,
        FieldValue::Text(s) | FieldValue::Ref(s) => json!(s),
        FieldValue::Number(n) => json!(n),
        FieldValue::Bool(b) => json!(b),
        FieldValue::Money(m) => m
            .decimal()
            .parse::<serde_json::Number>()
            .map_or(Value::Null, Value::Number),
        FieldValue::Date(d) => json!(d.to_string()),
        FieldValue::Instant(t) => json!(iso(*t)),
        FieldValue::List(l) => json!(l.join(";")),
    }
}

/// The vendor's reasons, when a reply lists failures or errors.
fn failures(data: &Value) -> Option<String> {
    ["failure", "failures", "errors", "error"]
        .iter()
        .find_map(|k| {
            let v = data.get(*k)?;
            let empty = match v {
                Value::Array(a) => a.is_empty(),
                Value::Object(o) => o.is_empty(),
                Value::String(s) => s.is_empty(),
                Value::Null => true,
                _ => v == &json!(0),
            };
            if empty {
                return None;
            }
            let mut words = Vec::new();
            leaves(v, &mut words);
            let text: String = words.join("; ").chars().take(240).collect();
            Some(crate::book::text::visible(&text).into_owned())
        })
}

fn leaves(v: &Value, out: &mut Vec<String>) {
    match v {
        Value::String(s) => out.push(s.clone()),
        Value::Array(a) => a.iter().for_each(|v| leaves(v, out)),
        Value::Object(o) => o.values().for_each(|v| leaves(v, out)),
        _ => {}
    }
}

/// The first text under one of these keys, at any depth; else the first text at all when the value is nothing but texts.
fn first_text(v: &Value, keys: &[&str]) -> Option<String> {
    match v {
        Value::String(s) => Some(s.clone()),
        Value::Array(list) => list.iter().find_map(|v| first_text(v, keys)),
        Value::Object(map) => keys
            .iter()
            .find_map(|k| map.get(*k).and_then(|v| first_text(v, keys)))
            .or_else(|| {
                map.values()
                    .filter(|v| v.is_object() || v.is_array())
                    .find_map(|v| first_text(v, keys))
            }),
        _ => None,
    }
}

/// Pick lists stand as `{"CTA_STATUS":[{"name"}]}` or as a list of `{"category","items":[{"name"}]}`.
fn collect(v: &Value, category: &str, picks: &mut Picks) {
    match v {
        Value::Array(list) => list.iter().for_each(|v| collect(v, category, picks)),
        Value::Object(map) => {
            let own = ["category", "categoryName", "type"]
                .iter()
                .find_map(|k| map.get(*k).and_then(Value::as_str));
            let category = own
                .filter(|c| c.to_ascii_uppercase().contains("CTA_"))
                .unwrap_or(category);
            if let Some(name) = map
                .get("name")
                .or_else(|| map.get("label"))
                .and_then(Value::as_str)
                && map.get("active").and_then(Value::as_bool) != Some(false)
            {
                let upper = category.to_ascii_uppercase();
                let list = if upper.contains("STATUS") {
                    Some(&mut picks.status)
                } else if upper.contains("PRIORITY") {
                    Some(&mut picks.priority)
                } else if upper.contains("REASON") {
                    Some(&mut picks.reason)
                } else if upper.contains("TYPE") {
                    Some(&mut picks.kind)
                } else {
                    None
                };
                if let Some(list) = list
                    && !list.iter().any(|n| n == name)
                {
                    list.push(name.to_owned());
                }
            }
            for (key, inner) in map {
                if inner.is_array() || inner.is_object() {
                    let under = if key.to_ascii_uppercase().contains("CTA_") {
                        key.as_str()
                    } else {
                        category
                    };
                    collect(inner, under, picks);
                }
            }
        }
        _ => {}
    }
}
