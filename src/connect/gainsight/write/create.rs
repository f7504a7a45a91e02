//! Making calls to action, tasks and timeline entries.

use super::super::Gainsight;
use super::super::cockpit::CTA;
use super::{failures, first_text, wants};
use crate::book::{Entity, FieldValue};
use crate::connect::convert::iso;
use crate::connect::http::Ask;
use crate::connect::{ConnectError, ErrorKind, Write, Written, canon, guard};
use reqwest::Method;
use serde_json::{Value, json};

/// The call to action that a new task belongs to.
pub(super) fn parent(write: &Write) -> Option<&str> {
    write
        .fields
        .iter()
        .find(|(f, _, _)| f == "escalation")
        .and_then(|(_, _, w)| w.as_str())
}

pub(super) fn activity_type(kind: &str) -> &'static str {
    match kind {
        "call" => "Call",
        "email" => "Email",
        "meeting" => "Meeting",
        _ => "Update",
    }
}

impl Gainsight {
    pub(super) async fn create_cta(&self, write: &Write) -> Result<Written, ConnectError> {
        let Some(account) = &write.account else {
            return Err(self.refused(None, "a call to action needs a company, and this account is not in Gainsight; send it elsewhere with [write]"));
        };
        let risk = write.entity == Entity::Escalation;
        let picks = self.picks().await?;
        let write = &guard::reason_into_comments(write, &picks.reason, None);
        let mut record = self.cta_record(write.entity, &wants(write)).await?;
        let key = |field| self.key(Entity::Escalation, field);
        let mark = canon::marker(&write.marker);
        let comments = record
            .get(key("comments"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let comments = if comments.is_empty() {
            mark.clone()
        } else {
            format!("{comments}<br>{mark}")
        };
        record.insert(key("comments").to_owned(), json!(comments));
        record.insert("referenceId".into(), json!("1"));
        record.insert("CompanyId".into(), json!(account));
        let kind = if risk {
            self.option("risk_type").unwrap_or_default().to_owned()
        } else {
            match self.option("task_type") {
                Some(t) => t.to_owned(),
                None => picks
                    .kind
                    .iter()
                    .find(|k| k.eq_ignore_ascii_case("activity"))
                    .or_else(|| picks.kind.iter().find(|k| !k.to_ascii_lowercase().contains("risk")))
                    .cloned()
                    .ok_or_else(|| self.refused(None, "Gainsight has no type of call to action for a task; set `task_type`, or send tasks elsewhere with [write]"))?,
            }
        };
        record.insert("type".into(), json!(kind));
        record
            .entry(key("title"))
            .or_insert_with(|| json!(if risk { "At risk" } else { "Task" }));
        if !record.contains_key(key("status")) {
            let word = canon::word_for(&picks.status, "new", |w| Some(canon::risk_status(w, None)));
            record.insert(key("status").to_owned(), json!(word.unwrap_or("New")));
        }
        if !record.contains_key(key("priority")) {
            let word = canon::word_for(&picks.priority, "high", canon::risk_priority);
            record.insert(key("priority").to_owned(), json!(word.unwrap_or("High")));
        }
        if !record.contains_key(key("reason"))
            && let Some(reason) = self
                .option("risk_reason")
                .or_else(|| picks.reason.first().map(String::as_str))
        {
            record.insert(key("reason").to_owned(), json!(reason));
        }
        if !record.contains_key(key("owner"))
            && let Some(email) = &write.author
            && let Some(user) = self.user(email).await?
        {
            record.insert(key("owner").to_owned(), json!(user));
        }
        if !record.contains_key(key("due")) {
            // A call to action must have one; a week is Gainsight's own usual span.
            let due = (self.http.now() + jiff::SignedDuration::from_hours(7 * 24))
                .strftime("%Y-%m-%d")
                .to_string();
            record.insert(key("due").to_owned(), json!(due));
        }
        let body = json!({"requests": [{"record": record}]});
        let ask = Ask::write(Method::POST, "/v2/cockpit/cta/", Some(&body));
        let reply = self.must(&ask, "the new call to action").await?;
        let id = self.made(&reply.data(), "the new call to action")?;
        let record = self.read_cta(&id, write.entity).await.ok().flatten();
        let external_id = if risk { id } else { format!("{CTA}{id}") };
        Ok(Written::Done {
            external_id,
            record,
        })
    }

    pub(super) async fn create_task(
        &self,
        write: &Write,
        cta: &str,
    ) -> Result<Written, ConnectError> {
        let key = |field| self.key(Entity::Task, field);
        let mark = canon::marker(&write.marker);
        let mut record = self.task_record(&wants(write)).await?;
        let text = record
            .get(key("description"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let text = if text.is_empty() {
            mark
        } else {
            format!("{text}\n{mark}")
        };
        record.insert(key("description").to_owned(), json!(text));
        record.insert("referenceId".into(), json!("1"));
        record.insert("CtaGsid".into(), json!(cta));
        record.insert("CtaId".into(), json!(cta));
        if !record.contains_key(key("owner"))
            && let Some(email) = &write.author
            && let Some(user) = self.user(email).await?
        {
            record.insert(key("owner").to_owned(), json!(user));
        }
        let ask = Ask::write(
            Method::POST,
            "/v2/cockpit/task",
            Some(&json!({"requests": [{"record": record}]})),
        );
        let reply = self.must(&ask, "the new task").await?;
        let id = self.made(&reply.data(), "the new task")?;
        let account = write.account.as_deref().unwrap_or_default();
        let found = self
            .tasks_of(cta, account, true)
            .await
            .unwrap_or_default()
            .into_iter()
            .find(|r| r.external_id == id);
        Ok(Written::Done {
            external_id: id,
            record: found,
        })
    }

    pub(super) async fn create_activity(&self, write: &Write) -> Result<Written, ConnectError> {
        let Some(account) = &write.account else {
            return Err(self.refused(None, "a timeline entry needs a company, and this account is not in Gainsight; send notes elsewhere with [write]"));
        };
        let get = |f: &str| {
            write
                .fields
                .iter()
                .find(|(n, _, _)| n == f)
                .map(|(_, _, w)| w)
        };
        let text = |f: &str| {
            get(f)
                .and_then(FieldValue::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let author = match (get("author"), &write.author) {
            (Some(FieldValue::Ref(id)), None) => self.email(id).await?,
            (_, Some(email)) => Some(email.clone()),
            _ => None,
        };
        let Some(author) = author else {
            return Err(self.refused(
                Some("author"),
                "a timeline entry needs an author; set `email` under [me]",
            ));
        };
        let at = match get("at") {
            Some(FieldValue::Instant(t)) => iso(*t),
            Some(FieldValue::Date(d)) => format!("{d}T12:00:00.000Z"),
            _ => iso(self.http.now()),
        };
        let body_text = text("body");
        let subject = match text("subject") {
            s if s.is_empty() => body_text
                .lines()
                .next()
                .unwrap_or("Note")
                .chars()
                .take(120)
                .collect(),
            s => s,
        };
        let key = |field| self.key(Entity::Touchpoint, field);
        let lookup = |fields: Value, object: &str| json!({"fields": fields, "lookupField": "Gsid", "objectName": object, "multiMatchOption": "FIRSTMATCH", "onNoMatch": "ERROR"});
        let body = json!({
            "records": [{
                "ContextName": "Company",
                "ExternalId": write.marker,
                key("kind"): activity_type(&text("kind")),
                key("subject"): subject,
                key("body"): canon::html(&body_text),
                key("at"): at,
                key("author"): author,
                "companyGsid": account,
            }],
            "lookups": {
                "AuthorId": lookup(json!({key("author"): "Email"}), "GsUser"),
                "GsCompanyId": lookup(json!({"companyGsid": "Gsid"}), "Company"),
            },
        });
        let ask = Ask::write(Method::POST, "/v1/ant/es/activity", Some(&body));
        let outcome = self.call(&ask, "the timeline entry").await?;
        // The id of the row that the next sync brings is the one that the object query knows.
        let record = self.find_created(write).await.ok().flatten();
        match (outcome, record) {
            (_, Some(record)) => Ok(Written::Done {
                external_id: record.external_id.clone(),
                record: Some(record),
            }),
            (Ok(reply), None) => {
                let data = reply.data();
                failures(&data).map_or(Ok(()), |why| {
                    Err(self.refused(None, format!("Gainsight refuses the timeline entry: {why}")))
                })?;
                let id = first_text(
                    data.get("success").unwrap_or(&data),
                    &["activityId", "Gsid", "gsid"],
                );
                id.map(|external_id| Written::Done {
                    external_id,
                    record: None,
                })
                .ok_or_else(|| self.unheard("the timeline entry"))
            }
            (Err(fault), None) => Err(fault.error),
        }
    }

    pub(super) fn unheard(&self, what: &str) -> ConnectError {
        self.http.error(
            ErrorKind::Retry {
                after: None,
                maybe_done: true,
            },
            format!("Gainsight answered about {what} without its id; csops asks for it"),
        )
    }

    /// The id in a write reply: `{"success":[{"1":"<id>"}],"failure":[{"1":"why"}]}`, as list or as map.
    pub(super) fn made(&self, data: &Value, what: &str) -> Result<String, ConnectError> {
        if let Some(why) = failures(data) {
            return Err(self.refused(None, format!("Gainsight refuses {what}: {why}")));
        }
        let success = data.get("success").unwrap_or(data);
        first_text(success, &["1", "Gsid", "gsid"]).ok_or_else(|| self.unheard(what))
    }
}
