//! Writing: a row is read and compared before it is changed; a create carries a key or a marker that can be asked for.

use super::connector::{ManifestConnector, needs_lookup, speaks_of};
use super::map::Plan;
use super::request::{Values, filling, formed};
use super::schema::{FieldWrite, One, StreamSpec, WriteSpec};
use super::template::{Format, Name};
use crate::book::{Capabilities, Conflict, Entity, FieldValue, Record, Verb, WriteSupport};
use crate::connect::guard;
use crate::connect::http::lock;
use crate::connect::json::scalar;
use crate::connect::{ConnectError, ErrorKind, Write, Written};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What the triage of each kind writes; what a manifest does not name of it is kept here, and said before.
const TRIAGE: [(Entity, &[&str]); 5] = [
    (
        Entity::Escalation,
        &[
            "*",
            "status_kind",
            "priority_kind",
            "owner",
            "reason",
            "outcome",
        ],
    ),
    (Entity::Touchpoint, &["*", "-"]),
    (
        Entity::Task,
        &[
            "*",
            "-",
            "status_kind",
            "due",
            "owner",
            "title",
            "description",
            "priority_kind",
        ],
    ),
    (
        Entity::Renewal,
        &["*", "stage", "forecast", "amount", "due"],
    ),
    (
        Entity::Account,
        &["csm", "sentiment", "segment", "touch", "stage"],
    ),
];

impl ManifestConnector {
    fn spec_of(&self, entity: Entity) -> Option<(&WriteSpec, &StreamSpec)> {
        let write = self.m.write.get(&entity)?;
        let stream = match &write.stream {
            Some(name) => self.m.stream.iter().find(|s| s.name == *name)?,
            None => self
                .m
                .stream
                .iter()
                .find(|s| s.entity == entity && !s.apart)
                .or_else(|| {
                    self.m
                        .stream
                        .iter()
                        .find(|s| s.also.iter().any(|a| a.entity == entity))
                })?,
        };
        Some((write, stream))
    }

    /// What can be written, and the choices as far as they are known.
    pub(super) fn writes(&self) -> Capabilities {
        let mut caps = Capabilities::default();
        let address = |one: &One| {
            one.request
                .target()
                .map(|(method, path)| {
                    let mut text = format!("{method} ");
                    for piece in &path.0.pieces {
                        match piece {
                            super::template::Piece::Plain(p) => text.push_str(p),
                            super::template::Piece::Hole(h) if h.name == Name::Switch => {
                                text.push_str(
                                    self.switches.get(&h.rest).map_or("", String::as_str),
                                );
                            }
                            super::template::Piece::Hole(h) => {
                                text.push_str(&format!("{{{}}}", h.source()))
                            }
                        }
                    }
                    text
                })
                .unwrap_or_default()
        };
        for (entity, triage) in TRIAGE {
            let write = self.m.write.get(&entity);
            let mut names: Vec<&str> = triage.to_vec();
            if let Some(w) = write {
                // What can only be given when it is made needs no line of its own.
                names.extend(
                    w.fields
                        .keys()
                        .map(String::as_str)
                        .filter(|f| w.update.is_some() && !triage.contains(f)),
                );
            }
            for field in names {
                let cannot =
                    write.and_then(|w| w.cannot.get(field).or_else(|| w.cannot.get("all")));
                let how = match (field, write) {
                    ("*", Some(w)) => w.create.as_ref().map(&address),
                    ("-", Some(w)) => w.delete.as_ref().map(&address),
                    (f, Some(w)) => w
                        .fields
                        .get(f)
                        .filter(|f| w.update.is_some() && !f.create_only)
                        .filter(|f| f.when.as_ref().is_none_or(|c| c.holds_of(&self.options)))
                        .map(|f| {
                            f.to.clone().unwrap_or_else(|| {
                                w.update.as_ref().map(&address).unwrap_or_default()
                            })
                        }),
                    (_, None) => None,
                };
                let why_not = match (&how, cannot) {
                    (_, Some(why)) => Some(why.clone()),
                    (None, None) => Some(self.no_api(entity, field)),
                    (Some(_), None) => None,
                };
                caps.writes.push(WriteSupport {
                    entity,
                    field: field.to_owned(),
                    writes: if why_not.is_none() {
                        how.unwrap_or_default()
                    } else {
                        String::new()
                    },
                    guarded: false,
                    why_not,
                });
            }
        }
        for (entity, write) in &self.m.write {
            for (field, f) in write.fields.iter().filter(|(_, f)| f.pick.is_none()) {
                if !f.words.is_empty() {
                    let words = f.words.keys().cloned().collect();
                    caps.choices.push((*entity, field.clone(), words));
                }
            }
        }
        if let Some(picks) = self.known_picks() {
            for (entity, write) in &self.m.write {
                for (field, f) in &write.fields {
                    if let Some(table) = f.pick.as_ref().and_then(|p| picks.get(p)) {
                        let labels = table.rows.iter().map(|r| r.1.clone()).collect();
                        caps.choices.push((*entity, field.clone(), labels));
                    }
                }
            }
        }
        caps
    }

    fn no_api(&self, entity: Entity, field: &str) -> String {
        let what = match field {
            "*" => format!("making {}", with_article(entity)),
            "-" => format!("taking {} away", with_article(entity)),
            "status_kind" if entity == Entity::Task => "closing tasks".to_owned(),
            "status_kind" => format!("the status of {}", with_article(entity)),
            "priority_kind" => format!("the priority of {}", with_article(entity)),
            "csm" => "the account's CSM".to_owned(),
            f => format!("the {f} of {}", with_article(entity)),
        };
        format!(
            "{} has no API for {what}: kept here, `O` opens it in the browser",
            self.m.name
        )
    }

    /// Reads one row as it is now.
    pub(super) async fn read_row(
        &self,
        entity: Entity,
        id: &str,
    ) -> Result<Option<Record>, ConnectError> {
        let Some((write, spec)) = self.spec_of(entity) else {
            return Ok(None);
        };
        let Some(read) = &write.read else {
            return Ok(None);
        };
        let plan = self.plan(spec).await?;
        let values = Values {
            id: Some(id),
            fields: &plan.select,
            ..self.values()
        };
        self.one(read, &values, spec, entity, Some(id)).await
    }

    /// Asks for one row and maps it.
    async fn one(
        &self,
        one: &One,
        values: &Values<'_>,
        spec: &StreamSpec,
        entity: Entity,
        id: Option<&str>,
    ) -> Result<Option<Record>, ConnectError> {
        let what = format!("the {entity}");
        let (ask, answer) = self.must(&one.request, values, &what).await?;
        let Some(answer) = answer else {
            return Ok(None);
        };
        let document = self.document(&answer, &ask, &what)?;
        let root = super::path::Path::default();
        let found = one.row.as_ref().unwrap_or(&root).find(document);
        for row in found {
            let rows = if crate::connect::json::is_array(row) {
                super::path::elements(row)
            } else {
                vec![row]
            };
            for row in rows {
                if let Some(record) = self.record(spec, row, entity).await?
                    && id.is_none_or(|id| id == record.external_id)
                {
                    return Ok(Some(record));
                }
            }
        }
        Ok(None)
    }

    async fn record(
        &self,
        spec: &StreamSpec,
        row: &str,
        entity: Entity,
    ) -> Result<Option<Record>, ConnectError> {
        let mapped = self.map_one(spec, row).await?;
        Ok(mapped
            .records
            .into_iter()
            .find(|r| r.entity == entity && !r.deleted))
    }

    /// Whether a create arrived.
    pub(super) async fn find_created(&self, write: &Write) -> Result<Option<Record>, ConnectError> {
        let Some((rules, spec)) = self.spec_of(write.entity) else {
            return Ok(None);
        };
        let Some(find) = &rules.find else {
            return Ok(None);
        };
        let plan = self.plan(spec).await?;
        let lookups = self.lookups(rules, &[&find.request], write).await?;
        let values = Values {
            fields: &plan.select,
            lookups: Some(&lookups),
            ..self.of(write)
        };
        let what = format!("the new {}", write.entity);
        let (ask, answer) = self.must(&find.request, &values, &what).await?;
        let Some(answer) = answer else {
            return Ok(None);
        };
        let document = self.document(&answer, &ask, &what)?;
        for row in self.rows(document, &find.rows, &what)? {
            let fits = find.when.as_ref().is_none_or(|c| {
                let text = c.path.first(row).and_then(scalar);
                super::map::condition(c, text.as_deref(), |t| t.render(&values))
            });
            if fits && let Some(record) = self.record(spec, row, write.entity).await? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn of<'a>(&'a self, write: &'a Write) -> Values<'a> {
        Values {
            id: write.external_id.as_deref(),
            account: write.account.as_deref(),
            marker: Some(&write.marker),
            author: write.author.as_deref(),
            want: &write.fields,
            ..self.values()
        }
    }

    /// Asks for what the requests need to know before. What was found once is kept.
    async fn lookups(
        &self,
        rules: &WriteSpec,
        requests: &[&super::schema::Request],
        write: &Write,
    ) -> Result<BTreeMap<String, String>, ConnectError> {
        let mut out = BTreeMap::new();
        let in_fields = |name: &str| {
            write.fields.iter().any(|(f, _, _)| {
                rules
                    .fields
                    .get(f)
                    .and_then(|w| w.text.as_ref())
                    .is_some_and(|t| t.holes().any(|h| speaks_of(h, name)))
            })
        };
        for (name, lookup) in &rules.lookup {
            if !needs_lookup(requests, name) && !in_fields(name) {
                continue;
            }
            let values = self.of(write);
            let Some(ask) = super::request::build(&lookup.request, &values, true) else {
                continue;
            };
            let key = format!("{name} {}", ask.path);
            if let Some(known) = lock(&self.found).get(&key) {
                out.insert(name.clone(), known.clone());
                continue;
            }
            let (ask, answer) = self.must(&lookup.request, &values, name).await?;
            let Some(answer) = answer else { continue };
            let document = self.document(&answer, &ask, name)?;
            if let Some(value) = lookup.value.text(document) {
                lock(&self.found).insert(key, value.clone());
                out.insert(name.clone(), value);
            }
        }
        Ok(out)
    }

    fn refused(&self, field: Option<&str>, message: String) -> ConnectError {
        self.http.error(
            ErrorKind::Refused {
                field: field.map(str::to_owned),
            },
            message,
        )
    }

    /// Carries a write out.
    pub(super) async fn carry_out(&self, write: &Write) -> Result<Written, ConnectError> {
        let Some((rules, spec)) = self.spec_of(write.entity) else {
            return Err(self.refused(None, self.no_api(write.entity, "*")));
        };
        match write.verb {
            Verb::Create => self.create(rules, spec, write).await,
            Verb::Update => self.update(rules, spec, write).await,
            Verb::Delete if write.entity == Entity::Escalation && rules.delete.is_none() => {
                // People have seen it: it is closed, not deleted.
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
                self.update(rules, spec, &closing).await
            }
            Verb::Delete => self.delete(rules, write).await,
        }
    }

    async fn create(
        &self,
        rules: &WriteSpec,
        spec: &StreamSpec,
        write: &Write,
    ) -> Result<Written, ConnectError> {
        let Some(create) = &rules.create else {
            return Err(self.refused(None, self.no_api(write.entity, "*")));
        };
        let wanted: Vec<(&str, &FieldValue)> = write
            .fields
            .iter()
            .map(|(f, _, w)| (f.as_str(), w))
            .collect();
        let written = self
            .send_one(create, rules, spec, write, &wanted, true)
            .await?;
        let (id, record) = match written {
            (Some(id), record) => (id, record),
            (None, Some(record)) => (record.external_id.clone(), Some(record)),
            (None, None) => match self.find_created(write).await? {
                Some(record) => (record.external_id.clone(), Some(record)),
                None => {
                    return Err(self.http.error(
                        ErrorKind::Retry {
                            after: None,
                            maybe_done: true,
                        },
                        format!(
                            "{} did not say which {} it made; csops asks for it",
                            self.m.name, write.entity
                        ),
                    ));
                }
            },
        };
        let record = match record {
            Some(r) => Some(r),
            None => self.read_row(write.entity, &id).await.unwrap_or_default(),
        };
        Ok(Written::Done {
            external_id: id,
            record,
        })
    }

    async fn update(
        &self,
        rules: &WriteSpec,
        spec: &StreamSpec,
        write: &Write,
    ) -> Result<Written, ConnectError> {
        let Some(update) = &rules.update else {
            return Err(self.refused(
                None,
                self.no_api(
                    write.entity,
                    write.fields.first().map_or("*", |f| f.0.as_str()),
                ),
            ));
        };
        let id = write.external_id.clone().ok_or_else(|| {
            self.refused(
                None,
                format!(
                    "it is not known which {} at {} is meant; sync, then try again",
                    write.entity, self.m.name
                ),
            )
        })?;
        let current = match rules.read {
            Some(_) => Some(self.read_row(write.entity, &id).await?.ok_or_else(|| {
                self.refused(
                    None,
                    format!("the {} is not at {} any more", write.entity, self.m.name),
                )
            })?),
            None => None,
        };
        let write = &guard::reason_into_comments(write, &[], current.as_ref());
        let wanted: Vec<(&str, &FieldValue)> = match &current {
            Some(current) => {
                let word =
                    |field: &str, kind: &str| match rules.fields.get(field)?.words.get(kind)? {
                        toml::Value::String(s) => Some(s.clone()),
                        other => Some(other.to_string()),
                    };
                let compared = guard::compare(write, current, word);
                if !compared.conflicts.is_empty() {
                    return Ok(Written::Conflict(Conflict {
                        fields: compared.conflicts,
                        by: None,
                        modified: current.modified,
                    }));
                }
                compared.todo
            }
            None => write
                .fields
                .iter()
                .map(|(f, _, w)| (f.as_str(), w))
                .collect(),
        };
        // What this system has no place for is kept here.
        let todo: Vec<(&str, &FieldValue)> = wanted
            .into_iter()
            .filter(|(f, _)| rules.fields.contains_key(*f))
            .collect();
        if todo.is_empty() {
            return Ok(Written::Done {
                external_id: id,
                record: current,
            });
        }
        let (_, record) = self
            .send_one(update, rules, spec, write, &todo, false)
            .await?;
        let record = match record {
            Some(r) if r.external_id == id => Some(r),
            _ => self.read_row(write.entity, &id).await.unwrap_or_default(),
        };
        Ok(Written::Done {
            external_id: id,
            record,
        })
    }

    async fn delete(&self, rules: &WriteSpec, write: &Write) -> Result<Written, ConnectError> {
        let Some(delete) = &rules.delete else {
            let why = rules.cannot.get("-").cloned();
            return Err(self.refused(None, why.unwrap_or_else(|| self.no_api(write.entity, "-"))));
        };
        let Some(id) = &write.external_id else {
            return Err(self.refused(
                None,
                format!(
                    "it is not known which {} at {} is meant",
                    write.entity, self.m.name
                ),
            ));
        };
        let lookups = self.lookups(rules, &[&delete.request], write).await?;
        let values = Values {
            lookups: Some(&lookups),
            ..self.of(write)
        };
        let (_, judged) = self
            .ask(
                &delete.request,
                &values,
                false,
                &format!("taking the {} away", write.entity),
            )
            .await?;
        match judged {
            Ok(_) => {}
            // What is gone already needs no taking away.
            Err(fault) if fault.gone => {}
            Err(fault) => return Err(fault.error),
        }
        Ok(Written::Done {
            external_id: id.clone(),
            record: None,
        })
    }

    /// Sends a create or an update; the id and the row, as far as the answer says.
    async fn send_one(
        &self,
        one: &One,
        rules: &WriteSpec,
        spec: &StreamSpec,
        write: &Write,
        fields: &[(&str, &FieldValue)],
        creating: bool,
    ) -> Result<(Option<String>, Option<Record>), ConnectError> {
        let plan = self.plan(spec).await?;
        let lookups = self.lookups(rules, &[&one.request], write).await?;
        let changed = self
            .changed(rules, &plan, write, fields, &lookups, creating)
            .await?;
        let values = Values {
            fields: &plan.select,
            lookups: Some(&lookups),
            changed: Some(&changed),
            ..self.of(write)
        };
        let what = if creating {
            format!("the new {}", write.entity)
        } else {
            format!("the change of the {}", write.entity)
        };
        let (ask, judged) = self.ask(&one.request, &values, false, &what).await?;
        let Some(answer) = judged.map_err(|f| f.error)? else {
            return Err(self.refused(
                None,
                format!("the {} is not at {} any more", write.entity, self.m.name),
            ));
        };
        if let Some(text) = &one.id_text {
            return Ok((text.render(&values), None));
        }
        if one.row.is_none() && one.id.is_none() {
            return Ok((None, None));
        }
        let document = self.document(&answer, &ask, &what)?;
        let id = one.id.as_ref().and_then(|p| p.text(document));
        let record = match one.row.as_ref().and_then(|p| p.first(document)) {
            Some(row) => self.record(spec, row, write.entity).await?,
            None => None,
        };
        Ok((id, record))
    }

    /// The changed fields in the vendor's names and values.
    async fn changed(
        &self,
        rules: &WriteSpec,
        plan: &Plan,
        write: &Write,
        fields: &[(&str, &FieldValue)],
        lookups: &BTreeMap<String, String>,
        creating: bool,
    ) -> Result<Map<String, Value>, ConnectError> {
        let picks = self.picks().await?;
        let mut out = Map::new();
        for (canonical, want) in fields {
            let Some(f) = rules.fields.get(*canonical) else {
                continue;
            };
            let asked = f.when.as_ref().is_none_or(|c| c.holds_of(&self.options));
            if !asked || f.create_only && !creating {
                continue;
            }
            let values = Values {
                value: filling(want),
                lookups: Some(lookups),
                ..self.of(write)
            };
            self.put(
                f,
                (plan, &rules.prefix),
                (canonical, want),
                &values,
                &picks,
                &mut out,
            )?;
        }
        Ok(out)
    }

    fn put(
        &self,
        f: &FieldWrite,
        (plan, prefix): (&Plan, &str),
        (canonical, want): (&str, &FieldValue),
        values: &Values<'_>,
        picks: &super::map::Picks,
        out: &mut Map<String, Value>,
    ) -> Result<(), ConnectError> {
        let theirs = |to: &str| fields_path(plan, to, prefix);
        if !f.words.is_empty()
            && let Some(word) = want.as_str()
        {
            match f.words.get(word) {
                Some(toml::Value::Table(several)) => {
                    for (to, value) in several {
                        let node = super::schema::Node::from_toml(value.clone())
                            .map_err(|why| self.refused(Some(canonical), why))?;
                        let value = super::request::render(&node, values).unwrap_or(Value::Null);
                        lay(out, &theirs(to), value);
                    }
                    return Ok(());
                }
                Some(value) => {
                    if let Some(to) = &f.to {
                        let value = match value {
                            toml::Value::Integer(n) => Value::from(*n),
                            toml::Value::Boolean(b) => Value::from(*b),
                            toml::Value::String(s) => Value::from(s.as_str()),
                            other => Value::from(other.to_string()),
                        };
                        lay(out, &theirs(to), value);
                    }
                    return Ok(());
                }
                None => {
                    let known: Vec<&str> = f.words.keys().map(String::as_str).collect();
                    return Err(self.refused(
                        Some(canonical),
                        format!(
                            "{} has no word for `{word}`; it knows {}",
                            self.m.name,
                            known.join(", ")
                        ),
                    ));
                }
            }
        }
        let Some(to) = &f.to else { return Ok(()) };
        let value = match (&f.text, &f.pick) {
            (Some(text), _) => text.render(values).map(Value::String),
            (None, Some(name)) => {
                let label = want.as_str().unwrap_or_default();
                let value = picks.get(name).and_then(|p| p.value(label));
                match value {
                    Some(v) => Some(Value::from(v)),
                    None if label.is_empty() => None,
                    None => {
                        return Err(self.refused(
                            Some(canonical),
                            format!(
                                "{} has no `{label}` in its list; choose another",
                                self.m.name
                            ),
                        ));
                    }
                }
            }
            (None, None) => values.value.clone().and_then(|v| formed(v, f.form)),
        };
        // An emptied field is sent as empty: leaving it out would leave it as it was.
        let empty = if matches!(f.form, Some(Format::Text | Format::Html)) {
            Value::from("")
        } else {
            Value::Null
        };
        lay(out, &theirs(to), value.unwrap_or(empty));
        Ok(())
    }
}

/// The keys under which a field is written; `=csm` is the vendor's field that the canonical field `csm` is read from in this tenant.
fn fields_path(plan: &Plan, to: &str, prefix: &str) -> Vec<String> {
    let keys = |path: super::path::Path| -> Vec<String> {
        let way = path.ways.into_iter().next().unwrap_or_default();
        way.into_iter()
            .filter_map(|s| match s {
                super::path::Step::Key(k) => Some(k),
                _ => None,
            })
            .collect()
    };
    let parsed = |to: &str| super::path::Path::parse(to).map(keys).unwrap_or_default();
    let Some(canonical) = to.strip_prefix('=') else {
        return parsed(to);
    };
    let Some((_, name)) = plan.names.iter().find(|(c, _)| c == canonical) else {
        return parsed(canonical);
    };
    if !prefix.is_empty() {
        return vec![format!("{prefix}{name}")];
    }
    let path = plan.fields.iter().find(|(c, _)| c == canonical);
    match path.map(|(_, path)| keys(path.clone())) {
        Some(keys) if !keys.is_empty() => keys,
        _ => parsed(name),
    }
}

/// What a kind of thing is called in a sentence.
fn with_article(entity: Entity) -> &'static str {
    match entity {
        Entity::Escalation => "a risk",
        Entity::Touchpoint => "a note",
        Entity::Account => "an account",
        Entity::Renewal => "a renewal",
        Entity::Task => "a task",
        _ => "a row",
    }
}

/// Puts a value under a path of keys.
fn lay(out: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            out.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = out
                .entry(first.clone())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(map) = inner {
                lay(map, rest, value);
            }
        }
    }
}
