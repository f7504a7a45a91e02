//! Writing to Gainsight. Calls to action carry a marker in their comments, timeline entries an `ExternalId`: both can be asked for
//! before anything is sent again. Updates compare first; no header guards them.

use super::Gainsight;
use super::cockpit::{CTA, any, empty_page, gsid};
use crate::book::{Capabilities, Conflict, Entity, FieldValue, Record, Verb, WriteSupport};
use crate::connect::canon;
use crate::connect::convert::iso;
use crate::connect::guard;
use crate::connect::http::{Ask, encode, lock};
use crate::connect::manifest::object::ObjectSpec;
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

    /// One row as it is now. A task below a call to action is found among those of its account.
    pub(super) async fn read_row(
        &self,
        entity: Entity,
        id: &str,
        account: Option<&str>,
    ) -> Result<Option<Record>, ConnectError> {
        match entity {
            Entity::Escalation => self.read_cta(id, entity).await,
            Entity::Task => match id.strip_prefix(CTA) {
                Some(cta) => self.read_cta(cta, entity).await,
                None => match account {
                    Some(account) => self.read_task(id, account).await,
                    None => Ok(None),
                },
            },
            _ => match self.m.object_of(entity) {
                Some(spec) => self.read_object(spec, "Gsid", id).await,
                None => Ok(None),
            },
        }
    }

    async fn read_object(
        &self,
        spec: &ObjectSpec,
        field: &str,
        value: &str,
    ) -> Result<Option<Record>, ConnectError> {
        let plan = self.plan(spec).await?;
        let body = json!({
            "select": plan.select,
            "where": {"conditions": [{"name": field, "alias": "A", "operator": "EQ", "value": [value]}], "expression": "A"},
            "limit": 1, "offset": 0,
        });
        let ask = Ask::query(format!("/v1/data/objects/query/{}", spec.name), &body);
        let reply = self.must(&ask, &spec.name).await?;
        let mut page = empty_page();
        if let Some(row) = reply.rows().first() {
            self.map_row(spec, &plan, row, &mut page);
        }
        Ok(page.records.pop())
    }

    async fn read_cta(&self, id: &str, entity: Entity) -> Result<Option<Record>, ConnectError> {
        let filter = (
            vec![json!({"fieldName": "Gsid", "value": [id], "alias": "A", "operator": "EQ"})],
            "A",
        );
        let mut page = empty_page();
        let reply = self
            .cta_list(
                &mut self.cta.likeliest(),
                Some(filter),
                10,
                1,
                &mut page.problems,
            )
            .await?;
        for row in reply
            .rows()
            .iter()
            .filter(|r| gsid(r).as_deref() == Some(id))
        {
            self.map_cta(row, &mut page);
        }
        Ok(page.records.into_iter().find(|r| r.entity == entity))
    }

    async fn read_task(&self, id: &str, account: &str) -> Result<Option<Record>, ConnectError> {
        for (cta, risk) in self.ctas_of(account).await? {
            for record in self.tasks_of(&cta, account, risk).await? {
                if record.external_id == id {
                    return Ok(Some(record));
                }
            }
        }
        Ok(None)
    }

    async fn ctas_of(&self, account: &str) -> Result<Vec<(String, bool)>, ConnectError> {
        let filter = (
            vec![
                json!({"fieldName": "CompanyId", "value": [account], "alias": "A", "operator": "EQ"}),
            ],
            "A",
        );
        let mut page = empty_page();
        let reply = self
            .cta_list(
                &mut self.cta.likeliest(),
                Some(filter),
                1000,
                1,
                &mut page.problems,
            )
            .await?;
        for row in &reply.rows() {
            self.map_cta(row, &mut page);
        }
        Ok(page
            .records
            .into_iter()
            .map(|r| {
                let risk = r.entity == Entity::Escalation;
                (r.external_id.trim_start_matches(CTA).to_owned(), risk)
            })
            .collect())
    }

    /// Whether a create arrived.
    pub(super) async fn find_created(&self, write: &Write) -> Result<Option<Record>, ConnectError> {
        let mark = canon::marker(&write.marker);
        match write.entity {
            Entity::Touchpoint => match self.m.object_of(Entity::Touchpoint) {
                Some(spec) => self.read_object(spec, "ExternalId", &write.marker).await,
                None => Ok(None),
            },
            Entity::Task if parent(write).is_some() => {
                let (Some(cta), Some(account)) = (parent(write), write.account.as_deref()) else {
                    return Ok(None);
                };
                let rows = self.marked_tasks(cta, &mark).await?;
                let Some(id) = rows.first() else {
                    return Ok(None);
                };
                let all = self.tasks_of(cta, account, true).await?;
                Ok(all.into_iter().find(|r| r.external_id == *id))
            }
            Entity::Escalation | Entity::Task => {
                let comments = self.key(Entity::Escalation, "comments");
                let mut conditions = vec![
                    json!({"fieldName": comments, "value": [mark], "alias": "A", "operator": "CONTAINS"}),
                ];
                let mut expression = "A";
                if let Some(account) = &write.account {
                    conditions.push(json!({"fieldName": "CompanyId", "value": [account], "alias": "B", "operator": "EQ"}));
                    expression = "A AND B";
                }
                let mut page = empty_page();
                let reply = self
                    .cta_list(
                        &mut self.cta.likeliest(),
                        Some((conditions, expression)),
                        10,
                        1,
                        &mut page.problems,
                    )
                    .await?;
                for row in &reply.rows() {
                    // A tenant that ignores the condition must not make us take somebody else's for ours.
                    if any(row, self.cta.names("comments")).is_some_and(|c| c.contains(&mark)) {
                        self.map_cta(row, &mut page);
                    }
                }
                Ok(page.records.into_iter().find(|r| r.entity == write.entity))
            }
            _ => Ok(None),
        }
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

    async fn create_cta(&self, write: &Write) -> Result<Written, ConnectError> {
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

    async fn create_task(&self, write: &Write, cta: &str) -> Result<Written, ConnectError> {
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

    async fn create_activity(&self, write: &Write) -> Result<Written, ConnectError> {
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

    fn unheard(&self, what: &str) -> ConnectError {
        self.http.error(
            ErrorKind::Retry {
                after: None,
                maybe_done: true,
            },
            format!("Gainsight answered about {what} without its id; csops asks for it"),
        )
    }

    /// The id in a write reply: `{"success":[{"1":"<id>"}],"failure":[{"1":"why"}]}`, as list or as map.
    fn made(&self, data: &Value, what: &str) -> Result<String, ConnectError> {
        if let Some(why) = failures(data) {
            return Err(self.refused(None, format!("Gainsight refuses {what}: {why}")));
        }
        let success = data.get("success").unwrap_or(data);
        first_text(success, &["1", "Gsid", "gsid"]).ok_or_else(|| self.unheard(what))
    }

    async fn update(&self, write: &Write) -> Result<Written, ConnectError> {
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

    fn judged(&self, data: &Value, what: &str) -> Result<(), ConnectError> {
        match failures(data) {
            Some(why) => Err(self.refused(None, format!("Gainsight refuses {what}: {why}"))),
            None => Ok(()),
        }
    }

    async fn put_cta(
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
    async fn put_task(&self, id: &str, todo: &[(&str, &FieldValue)]) -> Result<(), ConnectError> {
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

    async fn put_activity(
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

    async fn put_company(
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

/// The call to action that a new task belongs to.
fn parent(write: &Write) -> Option<&str> {
    write
        .fields
        .iter()
        .find(|(f, _, _)| f == "escalation")
        .and_then(|(_, _, w)| w.as_str())
}

fn activity_type(kind: &str) -> &'static str {
    match kind {
        "call" => "Call",
        "email" => "Email",
        "meeting" => "Meeting",
        _ => "Update",
    }
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
