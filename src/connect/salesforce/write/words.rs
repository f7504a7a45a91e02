//! From canonical fields to what the organisation calls them: pick-list words, people by their addresses, values as it takes them.

use super::super::Salesforce;
use super::super::schema::ObjectInfo;
use crate::book::{Entity, FieldValue};
use crate::connect::ConnectError;
use crate::connect::canon;
use crate::connect::http::{Ask, encode, lock};
use crate::connect::json::Row;
use serde_json::{Map, Value, json};

impl Salesforce {
    /// The organisation's word for a kind in `status_kind` or `priority_kind`.
    pub(super) fn kind_word(
        &self,
        entity: Entity,
        info: &ObjectInfo,
        field: &str,
        word: &str,
    ) -> Option<String> {
        let status = |w: &str| Some(canon::risk_status(w, None));
        match (entity, field) {
            (Entity::Escalation, "status_kind") => match word {
                "acknowledged" => self
                    .option("ack_status")
                    .map(str::to_owned)
                    .or_else(|| self.word(info, "Status", word, status))
                    // Not every organisation has a word for it; that work on it has begun is the nearest.
                    .or_else(|| self.word(info, "Status", "in_progress", status)),
                "closed" => self
                    .option("closed_status")
                    .map(str::to_owned)
                    .or_else(|| self.word(info, "Status", word, status)),
                _ => self.word(info, "Status", word, status),
            },
            (Entity::Task, "status_kind") => {
                self.word(info, "Status", word, |w| Some(canon::task_status(w, None)))
            }
            (Entity::Task, "priority_kind") => self
                .word(info, "Priority", word, canon::task_priority)
                .or_else(|| {
                    (word == "p1")
                        .then(|| self.word(info, "Priority", "p2", canon::task_priority))
                        .flatten()
                })
                .or_else(|| {
                    (word == "p4")
                        .then(|| self.word(info, "Priority", "p3", canon::task_priority))
                        .flatten()
                }),
            (Entity::Escalation, "priority_kind") => self
                .word(info, "Priority", word, canon::risk_priority)
                .or_else(|| {
                    (word == "critical")
                        .then(|| self.word(info, "Priority", "high", canon::risk_priority))
                        .flatten()
                }),
            _ => None,
        }
    }

    pub(super) fn word(
        &self,
        info: &ObjectInfo,
        field: &str,
        want: &str,
        kind: impl Fn(&str) -> Option<&'static str>,
    ) -> Option<String> {
        canon::word_for(&info.picks(field), want, kind).map(str::to_owned)
    }

    /// The vendor's fields and values for canonical ones. A word of the vendor wins over a kind for the same field.
    pub(super) async fn body(
        &self,
        entity: Entity,
        object: &str,
        info: &ObjectInfo,
        fields: &[(&str, &FieldValue)],
    ) -> Result<Map<String, Value>, ConnectError> {
        let mut body = Map::new();
        let plan = match (entity, self.m.object_of(Entity::Account)) {
            (Entity::Account, Some(spec)) => Some(self.plan(spec).await?),
            _ => None,
        };
        for (field, want) in fields {
            if matches!(
                *field,
                "account" | "completed_at" | "opened" | "closed" | "outcome" | "escalation"
            ) {
                if *field == "escalation"
                    && object == "Task"
                    && let FieldValue::Ref(id) = want
                    && id.starts_with("500")
                {
                    body.insert("WhatId".into(), json!(id));
                }
                continue;
            }
            let theirs = match (&plan, self.written(entity, field)) {
                // An account's field is written where it is read, whether the manifest lists it or the tenant maps it.
                (Some(plan), None) => plan.theirs(field).map(str::to_owned),
                (Some(plan), Some(to)) => match to.strip_prefix('=') {
                    Some(own) => plan.theirs(own).map(str::to_owned),
                    None => Some(to.to_owned()),
                },
                (None, to) => to.map(str::to_owned),
            };
            let theirs = match theirs {
                Some(t) => t,
                None if entity == Entity::Task && *field == "kind" => "Type".to_owned(),
                None => {
                    return Err(self.refused(
                        Some(field),
                        format!("Salesforce has no field for `{field}` of a {entity}; map one under [source.fields]"),
                    ));
                }
            };
            let exact = fields
                .iter()
                .any(|(f, _)| *f == field.trim_end_matches("_kind") && f != field);
            if field.ends_with("_kind") && exact {
                continue;
            }
            let word = want.as_str().unwrap_or_default();
            let value = match (entity, *field) {
                (_, "status_kind" | "priority_kind") => {
                    json!(
                        self.kind_word(entity, info, field, word)
                            .ok_or_else(|| self.no_word(field, word))?
                    )
                }
                (Entity::Renewal, "stage_kind") => {
                    let found = info.picks(&theirs).into_iter().find(|p| {
                        let p = p.to_ascii_lowercase();
                        p.contains("closed") && p.contains(word)
                    });
                    json!(found.ok_or_else(|| self.no_word(field, word))?)
                }
                (Entity::Renewal, "forecast") => {
                    json!(
                        self.word(info, &theirs, word, canon::forecast)
                            .ok_or_else(|| self.no_word(field, word))?
                    )
                }
                (Entity::Touchpoint | Entity::Task, "kind") => {
                    let picks = info.picks(&theirs);
                    match picks
                        .iter()
                        .find(|p| canon::touch_kind(p) == word && word != "note")
                    {
                        Some(p) => json!(p),
                        None => {
                            let sub = info
                                .picks("TaskSubtype")
                                .into_iter()
                                .find(|p| p.eq_ignore_ascii_case(word));
                            match sub {
                                Some(p)
                                    if info.field("TaskSubtype").is_some_and(|f| f.createable) =>
                                {
                                    body.insert("TaskSubtype".into(), json!(p));
                                    continue;
                                }
                                _ => continue,
                            }
                        }
                    }
                }
                (Entity::Account, "csm") => match want {
                    FieldValue::Null => Value::Null,
                    FieldValue::Ref(id)
                        if info.field(&theirs).is_some_and(|f| f.kind != "reference") =>
                    {
                        // A text field holds the e-mail of the CSM.
                        match self.email(id).await? {
                            Some(email) => json!(email),
                            None => json!(id),
                        }
                    }
                    other => self.plain(other, info, &theirs),
                },
                _ => self.plain(want, info, &theirs),
            };
            body.insert(theirs, value);
        }
        if entity == Entity::Escalation
            && object == "Case"
            && info.field("IsEscalated").is_some_and(|f| f.updateable)
            && body
                .get("Priority")
                .and_then(Value::as_str)
                .is_some_and(|p| canon::task_priority(p).is_some_and(|k| k <= "p2"))
        {
            body.insert("IsEscalated".into(), json!(true));
        }
        Ok(body)
    }

    pub(super) fn no_word(&self, field: &str, word: &str) -> ConnectError {
        self.refused(
            Some(field),
            format!("this organisation's pick list has no value for `{word}`; choose another, or add it there"),
        )
    }

    /// A value as Salesforce takes it. Amounts are written from their digits.
    pub(super) fn plain(&self, value: &FieldValue, info: &ObjectInfo, theirs: &str) -> Value {
        let day = info.field(theirs).is_some_and(|f| f.kind == "date");
        match value {
            FieldValue::Null => Value::Null,
            FieldValue::Text(s) | FieldValue::Ref(s) => json!(s),
            FieldValue::Number(n) => json!(n),
            FieldValue::Bool(b) => json!(b),
            FieldValue::Money(m) => m
                .decimal()
                .parse::<serde_json::Number>()
                .map_or(Value::Null, Value::Number),
            FieldValue::Date(d) => json!(d.to_string()),
            FieldValue::Instant(t) if day => {
                json!(t.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
            }
            FieldValue::Instant(t) => json!(crate::connect::convert::iso(*t)),
            FieldValue::Id(_) => Value::Null,
            FieldValue::List(l) => json!(l.join(";")),
        }
    }

    /// The id of one of ours by e-mail; asked once.
    pub(super) async fn user(&self, email: &str) -> Result<Option<String>, ConnectError> {
        if let Some(known) = lock(&self.users).get(email) {
            return Ok(known.clone());
        }
        let soql = format!(
            "SELECT Id FROM User WHERE Email = '{}' AND IsActive = true ORDER BY Id LIMIT 1",
            crate::connect::manifest::soql(email)
        );
        let found = self.one(&soql, "Id").await?;
        lock(&self.users).insert(email.to_owned(), found.clone());
        Ok(found)
    }

    pub(super) async fn email(&self, user: &str) -> Result<Option<String>, ConnectError> {
        self.one(
            &format!(
                "SELECT Email FROM User WHERE Id = '{}'",
                crate::connect::manifest::soql(user)
            ),
            "Email",
        )
        .await
    }

    pub(super) async fn one(
        &self,
        soql: &str,
        field: &str,
    ) -> Result<Option<String>, ConnectError> {
        let ask = Ask::get(format!("{}/query?q={}", self.data(), encode(soql)));
        let answer = self.http.send(&ask).await?;
        self.limits(&answer);
        if !answer.ok() {
            return Err(self.fault(&answer, false).error);
        }
        let page: Row<'_> = self.http.json(&answer, &ask, "a user")?;
        Ok(page.rows("records").first().and_then(|r| r.filled(field)))
    }
}
