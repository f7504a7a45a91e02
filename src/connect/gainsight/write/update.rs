//! Changing what is there, in Gainsight's own words for states and reasons.

use super::super::Gainsight;
use super::super::cockpit::CTA;
use super::create::activity_type;
use super::{failures, plain};
use crate::book::{Conflict, Entity, FieldValue};
use crate::connect::http::Ask;
use crate::connect::{ConnectError, Write, Written, canon, guard};
use reqwest::Method;
use serde_json::{Map, Value, json};

impl Gainsight {
    pub(super) async fn update(&self, write: &Write) -> Result<Written, ConnectError> {
        let id = self.id_of(write)?;
        let account = write.account.as_deref();
        let Some(current) = self.read_row(write.entity, id, account).await? else {
            return Err(self.refused(
                None,
                format!(
                    "the {} is no longer in Gainsight; drop the change",
                    write.entity
                ),
            ));
        };
        let picks = self.picks().await?;
        let write = &guard::reason_into_comments(write, &picks.reason, Some(&current));
        let outcome = write
            .fields
            .iter()
            .find(|(f, _, _)| f == "outcome")
            .and_then(|(_, _, w)| w.as_str());
        let below = write.entity == Entity::Task && !id.starts_with(CTA);
        let compared = guard::compare(write, &current, |field, word| {
            if below {
                self.task_word(picks, field, word)
            } else {
                self.cta_word(picks, write.entity, field, word, outcome)
            }
        });
        if !compared.conflicts.is_empty() {
            return Ok(Written::Conflict(Conflict {
                modified: current.modified,
                by: None,
                fields: compared.conflicts,
            }));
        }
        let todo = compared.todo;
        if todo.is_empty() {
            return Ok(Written::Done {
                external_id: id.to_owned(),
                record: Some(current),
            });
        }
        match write.entity {
            Entity::Escalation => self.put_cta(id, write.entity, &todo).await?,
            Entity::Task => match id.strip_prefix(CTA) {
                Some(cta) => self.put_cta(cta, write.entity, &todo).await?,
                None => self.put_task(id, &todo).await?,
            },
            Entity::Touchpoint => self.put_activity(id, &todo).await?,
            Entity::Account => self.put_company(id, &todo).await?,
            other => {
                return Err(self.refused(
                    None,
                    format!("a {other} is not changed in Gainsight from here"),
                ));
            }
        }
        let record = self
            .read_row(write.entity, id, account)
            .await
            .ok()
            .flatten();
        Ok(Written::Done {
            external_id: id.to_owned(),
            record,
        })
    }

    pub(super) fn judged(&self, data: &Value, what: &str) -> Result<(), ConnectError> {
        match failures(data) {
            Some(why) => Err(self.refused(None, format!("Gainsight refuses {what}: {why}"))),
            None => Ok(()),
        }
    }

    pub(super) async fn put_cta(
        &self,
        id: &str,
        entity: Entity,
        todo: &[(&str, &FieldValue)],
    ) -> Result<(), ConnectError> {
        let mut record = self.cta_record(entity, todo).await?;
        if record.is_empty() {
            return Ok(());
        }
        record.insert("referenceId".into(), json!("1"));
        record.insert("Gsid".into(), json!(id));
        let ask = Ask::write(
            Method::PUT,
            "/v2/cockpit/cta/",
            Some(&json!({"requests": [{"record": record}]})),
        );
        let reply = self.must(&ask, "the call to action").await?;
        self.judged(&reply.data(), "the call to action")
    }

    /// Task statuses have no documented pick list: the usual words are offered until one is taken.
    pub(super) async fn put_task(
        &self,
        id: &str,
        todo: &[(&str, &FieldValue)],
    ) -> Result<(), ConnectError> {
        let status = self.key(Entity::Task, "status");
        let mut record = self.task_record(todo).await?;
        record.insert("referenceId".into(), json!("1"));
        record.insert("Gsid".into(), json!(id));
        let kind = todo
            .iter()
            .find(|(f, _)| *f == "status_kind")
            .and_then(|(_, w)| w.as_str());
        let mut words: Vec<String> = match kind {
            Some("done") => ["Completed", "Closed", "Closed Success", "Done"]
                .map(str::to_owned)
                .to_vec(),
            Some("in_progress") => ["Work In Progress", "In Progress", "Open"]
                .map(str::to_owned)
                .to_vec(),
            Some(_) => ["Open", "New", "Not Started"].map(str::to_owned).to_vec(),
            None => Vec::new(),
        };
        if let Some(first) = record.get(status).and_then(Value::as_str) {
            words.retain(|w| w != first);
            words.insert(0, first.to_owned());
        }
        let mut words = words.into_iter();
        loop {
            if let Some(word) = words.next() {
                record.insert(status.to_owned(), json!(word));
            }
            let ask = Ask::write(
                Method::PUT,
                "/v2/cockpit/task",
                Some(&json!({"requests": [{"record": record}]})),
            );
            let outcome = match self.call(&ask, "the task").await? {
                Ok(reply) => self.judged(&reply.data(), "the task"),
                Err(fault) => Err(fault.error),
            };
            match outcome {
                Err(e) if words.len() > 0 && e.message.to_ascii_lowercase().contains("status") => {}
                other => return other,
            }
        }
    }

    pub(super) async fn put_activity(
        &self,
        id: &str,
        todo: &[(&str, &FieldValue)],
    ) -> Result<(), ConnectError> {
        let mut record = Map::new();
        record.insert("Gsid".into(), json!(id));
        for (field, want) in todo {
            let name = match *field {
                "author" => None,
                field => self.written(Entity::Touchpoint, field),
            };
            let Some(name) = name else {
                return Err(self.refused(
                    Some(field),
                    format!("`{field}` of a timeline entry cannot be changed"),
                ));
            };
            let value = match *field {
                "kind" => json!(activity_type(want.as_str().unwrap_or_default())),
                "body" => json!(canon::html(want.as_str().unwrap_or_default())),
                _ => plain(want),
            };
            record.insert(name.into(), value);
        }
        let ask = Ask::write(
            Method::PUT,
            "/v1/ant/es/activity?identifier=gsid",
            Some(&json!({"records": [record]})),
        );
        let reply = self.must(&ask, "the timeline entry").await?;
        self.judged(&reply.data(), "the timeline entry")
    }

    pub(super) async fn put_company(
        &self,
        id: &str,
        todo: &[(&str, &FieldValue)],
    ) -> Result<(), ConnectError> {
        let Some(spec) = self.m.object_of(Entity::Account) else {
            return Ok(());
        };
        let plan = self.plan(spec).await?;
        let mut record = Map::new();
        record.insert("Gsid".into(), json!(id));
        for (field, want) in todo {
            let to = self.written(Entity::Account, field).unwrap_or(field);
            let found = match to.strip_prefix('=') {
                Some(own) => plan.theirs(own),
                None if to == *field => plan.theirs(field),
                None => Some(to),
            };
            let Some(theirs) = found else {
                return Err(self.refused(Some(field), format!("Gainsight has no company field for `{field}`; map one under [source.fields]")));
            };
            record.insert(theirs.to_owned(), plain(want));
        }
        let ask = Ask::write(
            Method::PUT,
            format!("/v1/data/objects/{}?keys=Gsid", spec.name),
            Some(&json!({"records": [record]})),
        );
        let reply = self.must(&ask, "the company").await?;
        self.judged(&reply.data(), "the company")
    }
}
