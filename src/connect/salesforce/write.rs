//! Writing to Salesforce. A create carries a key that can be asked for; an update first compares, then writes under
//! `If-Unmodified-Since` (whole seconds), so that nothing is overwritten that somebody else changed meanwhile.

mod words;

use super::schema::ObjectInfo;
use super::{Salesforce, rows};
use crate::book::{Capabilities, Conflict, Entity, FieldValue, Record, Verb, WriteSupport};
use crate::connect::canon;
use crate::connect::convert::instant;
use crate::connect::guard;
use crate::connect::http::{Ask, encode, lock};
use crate::connect::json::Row;
use crate::connect::manifest::object::ObjectSpec;
use crate::connect::{ConnectError, ErrorKind, Write, Written};
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::IF_UNMODIFIED_SINCE;
use serde_json::{Value, json};
use std::sync::Arc;

/// A row as it is now.
pub(super) struct Current {
    pub(super) record: Record,
    modified: Option<Timestamp>,
    by: Option<String>,
}

impl Salesforce {
    /// The object that holds a kind of thing; risks stand where the option says.
    pub(super) fn spec_of(&self, entity: Entity) -> Option<&ObjectSpec> {
        match entity {
            Entity::Escalation => {
                let name = self.risk.object.as_deref()?;
                self.m.object.iter().find(|o| o.name == name)
            }
            Entity::Rate => None,
            // A chance to sell more is an Opportunity as a renewal is.
            Entity::Opportunity => self.m.object_of(Entity::Renewal),
            _ => self.m.object_of(entity),
        }
    }

    pub(super) fn object_of(&self, entity: Entity) -> Option<&str> {
        Some(self.spec_of(entity)?.name.as_str())
    }

    /// Canonical fields and the vendor's fields that they are written to.
    fn table(&self, entity: Entity) -> impl Iterator<Item = (&str, &str)> {
        let write = self.m.write.get(&entity);
        let fields = write.into_iter().flat_map(|w| &w.fields);
        fields
            .filter(|(_, f)| f.when.as_ref().is_none_or(|c| c.holds_of(&self.options)))
            .filter_map(|(canonical, f)| Some((canonical.as_str(), f.to.as_deref()?)))
    }

    /// The vendor's field behind a canonical one; `=csm` is the field that `csm` is read from.
    fn written(&self, entity: Entity, canonical: &str) -> Option<&str> {
        let mut table = self.table(entity);
        table.find(|(c, _)| *c == canonical).map(|(_, t)| t)
    }

    /// The canonical field that a vendor's error is about.
    pub(super) fn canonical(&self, theirs: &str) -> Option<&str> {
        [
            Entity::Renewal,
            Entity::Task,
            Entity::Escalation,
            Entity::Touchpoint,
        ]
        .into_iter()
        .flat_map(|e| self.table(e))
        .find(|(_, v)| *v == theirs)
        .map(|(c, _)| c)
    }

    /// The account field that a canonical one is read from, as far as known without asking.
    fn account_field(&self, canonical: &str) -> Option<String> {
        let spec = self.m.object_of(Entity::Account)?;
        if let Some(plan) = lock(&self.plans).get(&spec.stream) {
            return plan.theirs(canonical).map(str::to_owned);
        }
        if let Some(own) = self.fields.get(&format!("account.{canonical}")) {
            return Some(own.clone());
        }
        let names = spec.names(canonical);
        match lock(&self.objects).get(&spec.name).cloned().flatten() {
            Some(info) => names
                .iter()
                .find_map(|c| info.field(c))
                .map(|f| f.name.clone()),
            None => names.first().cloned(),
        }
    }

    /// What can be written, and the choices as far as they are known.
    pub(super) fn writes(&self) -> Capabilities {
        let mut caps = Capabilities::default();
        let mut add = |entity, field: &str, writes: &str, why_not: Option<&str>| {
            caps.writes.push(WriteSupport {
                entity,
                field: field.to_owned(),
                writes: writes.to_owned(),
                guarded: why_not.is_none() && field != "*" && field != "-",
                why_not: why_not.map(str::to_owned),
            });
        };
        for entity in [
            Entity::Account,
            Entity::Renewal,
            Entity::Task,
            Entity::Touchpoint,
        ] {
            let object = self.object_of(entity).unwrap_or_default();
            for (field, theirs) in self.table(entity) {
                let place = match theirs.strip_prefix('=') {
                    Some(own) => self.account_field(own),
                    None => Some(theirs.to_owned()),
                };
                match place {
                    Some(theirs) => add(entity, field, &format!("{object}.{theirs}"), None),
                    None => add(
                        entity,
                        field,
                        "",
                        Some("no account field is mapped to it; name one under [source.fields]"),
                    ),
                }
            }
        }
        for (entity, write) in &self.m.write {
            if *entity == Entity::Escalation && self.risk.object.is_none() {
                continue;
            }
            for (field, why) in &write.cannot {
                add(*entity, field, "", Some(why));
            }
        }
        add(Entity::Task, "*", "POST Task", None);
        add(Entity::Task, "-", "DELETE Task", None);
        add(Entity::Touchpoint, "*", "POST Task (completed)", None);
        add(Entity::Touchpoint, "-", "DELETE Task", None);
        match &self.risk.object {
            Some(object) => {
                for (field, theirs) in self.table(Entity::Escalation) {
                    add(
                        Entity::Escalation,
                        field,
                        &format!("{object}.{theirs}"),
                        None,
                    );
                }
                add(Entity::Escalation, "*", &format!("POST {object}"), None);
                add(
                    Entity::Escalation,
                    "-",
                    &format!("{object}.Status (closed, not deleted)"),
                    None,
                );
            }
            None => {
                for field in [
                    "*",
                    "status_kind",
                    "priority_kind",
                    "owner",
                    "reason",
                    "outcome",
                ] {
                    add(
                        Entity::Escalation,
                        field,
                        "",
                        Some(
                            "Salesforce has no risks by itself: kept here; set `risk_object` to \"Case\" or \"Task\" to write them there",
                        ),
                    );
                }
            }
        }
        let objects = lock(&self.objects);
        for (entity, field) in [
            (Entity::Renewal, "stage"),
            (Entity::Renewal, "forecast"),
            (Entity::Task, "status"),
            (Entity::Task, "priority"),
            (Entity::Escalation, "status"),
            (Entity::Escalation, "priority"),
            (Entity::Escalation, "reason"),
        ] {
            let Some(Some(info)) = self.object_of(entity).and_then(|o| objects.get(o)) else {
                continue;
            };
            let Some(theirs) = self.written(entity, field) else {
                continue;
            };
            let mut picks = info.picks(theirs);
            if field == "forecast" {
                picks = picks
                    .iter()
                    .filter_map(|p| canon::forecast(p))
                    .map(str::to_owned)
                    .collect();
            }
            caps.choices.push((entity, field.to_owned(), picks));
        }
        caps
    }

    /// Reads one row with everything that its kind maps.
    pub(super) async fn read_row(
        &self,
        entity: Entity,
        id: &str,
    ) -> Result<Option<Current>, ConnectError> {
        let Some(spec) = self.spec_of(entity) else {
            return Ok(None);
        };
        self.read_at(entity, spec, &format!("{}/{}", spec.name, encode(id)))
            .await
    }

    async fn read_at(
        &self,
        entity: Entity,
        spec: &ObjectSpec,
        place: &str,
    ) -> Result<Option<Current>, ConnectError> {
        let plan = self.plan(spec).await?;
        let fields: Vec<&str> = plan
            .select
            .iter()
            .map(String::as_str)
            .filter(|f| !f.contains('.'))
            .collect();
        let ask = Ask::get(format!(
            "{}/sobjects/{place}?fields={}",
            self.data(),
            fields.join(",")
        ));
        let answer = self.http.send(&ask).await?;
        self.limits(&answer);
        if answer.status == 404 {
            return Ok(None);
        }
        if !answer.ok() || answer.status == 300 {
            return Err(self.fault(&answer, false).error);
        }
        let row: Row<'_> = self.http.json(&answer, &ask, &spec.name)?;
        let stamps = ["LastModifiedDate", "SystemModstamp"];
        let modified = stamps.iter().filter_map(|f| instant(&row.text(f)?)).max();
        let mut plan = plan;
        // Whatever its type is, this very row is wanted.
        plan.types.clear();
        let mapped = rows::map(spec, &plan, &self.risk, &row, true);
        let found = mapped.records.into_iter().find(|r| r.entity == entity);
        Ok(found.filter(|r| !r.deleted).map(|record| Current {
            record,
            modified,
            by: row.text("LastModifiedById"),
        }))
    }

    /// Whether a create arrived.
    pub(super) async fn find_created(&self, write: &Write) -> Result<Option<Record>, ConnectError> {
        let Some(spec) = self.spec_of(write.entity) else {
            return Ok(None);
        };
        let object = spec.name.as_str();
        let info = self.described(object).await?;
        if let Some(key) = info.key_field(self.option("external_key")) {
            let place = format!("{object}/{key}/{}", encode(&write.marker));
            return Ok(self
                .read_at(write.entity, spec, &place)
                .await?
                .map(|c| c.record));
        }
        let soql = format!(
            "SELECT Id FROM {object} WHERE Subject LIKE '%{}%' AND CreatedDate = LAST_N_DAYS:30 ORDER BY CreatedDate LIMIT 1",
            crate::connect::manifest::soql(&canon::marker(&write.marker))
        );
        let ask = Ask::get(format!("{}/query?q={}", self.data(), encode(&soql)));
        let answer = self.http.send(&ask).await?;
        self.limits(&answer);
        if !answer.ok() {
            return Err(self.fault(&answer, false).error);
        }
        let page: Row<'_> = self.http.json(&answer, &ask, object)?;
        match page.rows("records").first().and_then(|r| r.filled("Id")) {
            Some(id) => Ok(self.read_row(write.entity, &id).await?.map(|c| c.record)),
            None => Ok(None),
        }
    }

    async fn described(&self, object: &str) -> Result<Arc<ObjectInfo>, ConnectError> {
        self.describe(object).await?.ok_or_else(|| {
            self.http.error(
                ErrorKind::Setup,
                format!("there is no object {object}, or the user may not see it"),
            )
        })
    }

    /// Carries a write out.
    pub(super) async fn carry_out(&self, write: &Write) -> Result<Written, ConnectError> {
        let Some(object) = self.object_of(write.entity) else {
            return Err(self.refused(
                None,
                format!(
                    "Salesforce holds no {} that csops could write; set `risk_object`",
                    write.entity
                ),
            ));
        };
        match write.verb {
            Verb::Create => self.create(object, write).await,
            Verb::Update => self.update(object, write).await,
            Verb::Delete if write.entity == Entity::Escalation => {
                let closing = Write {
                    verb: Verb::Update,
                    fields: vec![(
                        "status_kind".into(),
                        FieldValue::Null,
                        FieldValue::Text("closed".into()),
                    )],
                    force: true,
                    ..write.clone()
                };
                self.update(object, &closing).await
            }
            Verb::Delete => self.delete(object, write).await,
        }
    }

    fn refused(&self, field: Option<&str>, message: String) -> ConnectError {
        self.http.error(
            ErrorKind::Refused {
                field: field.map(str::to_owned),
            },
            message,
        )
    }

    fn id_of<'w>(&self, write: &'w Write) -> Result<&'w str, ConnectError> {
        write.external_id.as_deref().ok_or_else(|| {
            self.refused(
                None,
                format!(
                    "it is not known which {} at Salesforce is meant; sync, then try again",
                    write.entity
                ),
            )
        })
    }

    async fn create(&self, object: &str, write: &Write) -> Result<Written, ConnectError> {
        let info = self.described(object).await?;
        let write = &guard::reason_into_comments(write, &info.picks("Reason"), None);
        if write.entity == Entity::Renewal || write.entity == Entity::Account {
            return Err(self.refused(
                None,
                format!("a new {} is made in Salesforce itself", write.entity),
            ));
        }
        let fields: Vec<(&str, &FieldValue)> = write
            .fields
            .iter()
            .map(|(f, _, w)| (f.as_str(), w))
            .collect();
        let mut body = self.body(write.entity, object, &info, &fields).await?;
        if let Some(account) = &write.account {
            let link = if object == "Case" {
                "AccountId"
            } else {
                "WhatId"
            };
            body.insert(link.into(), json!(account));
        }
        if object == "Task" {
            let done = write.entity == Entity::Touchpoint;
            if done || !body.contains_key("Status") {
                let word = self.word(&info, "Status", if done { "done" } else { "open" }, |w| {
                    Some(canon::task_status(w, None))
                });
                body.insert(
                    "Status".into(),
                    json!(
                        word.unwrap_or_else(
                            || if done { "Completed" } else { "Not Started" }.into()
                        )
                    ),
                );
            }
            if !body.contains_key("OwnerId")
                && let Some(email) = &write.author
                && let Some(user) = self.user(email).await?
            {
                body.insert("OwnerId".into(), json!(user));
            }
        }
        if write.entity == Entity::Escalation && info.field("Type").is_some() {
            body.insert("Type".into(), json!(self.risk.value));
        }
        let subject = body
            .get("Subject")
            .and_then(Value::as_str)
            .unwrap_or("csops")
            .to_owned();
        let key = info
            .key_field(self.option("external_key"))
            .map(str::to_owned);
        let ask = match &key {
            // An upsert by a unique key cannot make a second row, however often it is sent.
            Some(key) => Ask::write(
                Method::PATCH,
                format!(
                    "{}/sobjects/{object}/{key}/{}",
                    self.data(),
                    encode(&write.marker)
                ),
                Some(&Value::Object(body)),
            ),
            None => {
                let mark = canon::marker(&write.marker);
                let room = 254usize.saturating_sub(mark.len());
                let cut: String = subject.chars().take(room).collect();
                body.insert("Subject".into(), json!(format!("{cut} {mark}")));
                Ask::write(
                    Method::POST,
                    format!("{}/sobjects/{object}", self.data()),
                    Some(&Value::Object(body)),
                )
            }
        };
        let answer = self.http.send(&ask).await?;
        self.limits(&answer);
        if !answer.ok() {
            return Err(self.fault(&answer, true).error);
        }
        let row: Row<'_> = self.http.json(&answer, &ask, object)?;
        let Some(id) = row.filled("id").or_else(|| row.filled("Id")) else {
            return Err(self.http.error(
                ErrorKind::Retry {
                    after: None,
                    maybe_done: true,
                },
                format!(
                    "Salesforce took the new {object} but did not say its id; csops asks for it"
                ),
            ));
        };
        // The row is there; should reading it back fail, the next sync brings it.
        let record = self
            .read_row(write.entity, &id)
            .await
            .ok()
            .flatten()
            .map(|c| c.record);
        Ok(Written::Done {
            external_id: id,
            record,
        })
    }

    async fn update(&self, object: &str, write: &Write) -> Result<Written, ConnectError> {
        let id = self.id_of(write)?;
        let info = self.described(object).await?;
        for _ in 0..3 {
            let Some(current) = self.read_row(write.entity, id).await? else {
                return Err(self.refused(
                    None,
                    format!(
                        "the {} is no longer in Salesforce; drop the change",
                        write.entity
                    ),
                ));
            };
            let picks = info.picks("Reason");
            let write = &guard::reason_into_comments(write, &picks, Some(&current.record));
            let compared = guard::compare(write, &current.record, |field, word| {
                self.kind_word(write.entity, &info, field, word)
            });
            if !compared.conflicts.is_empty() {
                return Ok(Written::Conflict(Conflict {
                    modified: current.modified,
                    by: current.by,
                    fields: compared.conflicts,
                }));
            }
            let body = self
                .body(write.entity, object, &info, &compared.todo)
                .await?;
            if body.is_empty() {
                return Ok(Written::Done {
                    external_id: id.to_owned(),
                    record: Some(current.record),
                });
            }
            let mut ask = Ask::write(
                Method::PATCH,
                format!("{}/sobjects/{object}/{}", self.data(), encode(id)),
                Some(&Value::Object(body)),
            );
            if let Some(modified) = current.modified
                && !write.force
                && let Ok(date) = jiff::fmt::rfc2822::DateTimePrinter::new()
                    .timestamp_to_rfc9110_string(&modified)
            {
                ask = ask.header(IF_UNMODIFIED_SINCE, &date);
            }
            let answer = self.http.send(&ask).await?;
            self.limits(&answer);
            if answer.status == 412 {
                // Somebody was quicker: look again.
                continue;
            }
            if !answer.ok() {
                return Err(self.fault(&answer, true).error);
            }
            let record = self
                .read_row(write.entity, id)
                .await
                .ok()
                .flatten()
                .map(|c| c.record);
            return Ok(Written::Done {
                external_id: id.to_owned(),
                record,
            });
        }
        Err(self.http.error(
            ErrorKind::Retry { after: None, maybe_done: false },
            format!("the {} changes at Salesforce faster than it can be written; csops tries again by itself", write.entity),
        ))
    }

    async fn delete(&self, object: &str, write: &Write) -> Result<Written, ConnectError> {
        let id = self.id_of(write)?;
        let ask = Ask::write(
            Method::DELETE,
            format!("{}/sobjects/{object}/{}", self.data(), encode(id)),
            None,
        );
        let answer = self.http.send(&ask).await?;
        self.limits(&answer);
        // What is gone already is what was wanted.
        if answer.ok() || answer.status == 404 {
            return Ok(Written::Done {
                external_id: id.to_owned(),
                record: None,
            });
        }
        Err(self.fault(&answer, true).error)
    }
}
