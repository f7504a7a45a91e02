//! Hostile values go through every connector unharmed: names, notes and keys with quotes, backslashes, wildcards, markup and pieces of query
//! languages are written to each simulated vendor and read back, and nothing of them is taken for a part of a question.

#[path = "common/login.rs"]
mod login;

use csops::book::{Clock, Entity, FieldValue, Record, Verb};
use csops::connect::manifest::Library;
use csops::connect::{self, Connector, SourceSettings, Write, Written};
use csops::simulate::{Options, Simulation, start};
use jiff::{Timestamp, tz::TimeZone};
use login::login;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

struct RealClock;
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// So many values for each vendor: one takes some ten requests.
const CASES: u32 = 10;

const PIECES: &[&str] = &[
    "'",
    "\"",
    "\\",
    "\\'",
    "''",
    "%",
    "*",
    "_",
    "\n",
    "${x}",
    "{id}",
    "{{mark}}",
    "' OR Id != '",
    "' or 1 eq 1 or '",
    "') or startswith(Name,'",
    " LIKE '%",
    "&$filter=Id gt 0",
    "\"},{\"a\":\"b",
    "<b>bold</b>",
    "<script>",
    "&amp;",
    "&lt;br&gt;",
    "&",
    "<",
    ">",
    "a < b",
    "ä€😀",
    "-- ",
    "/../",
    "`",
    "?x=1#y",
    "+1",
];

/// A text that begins and ends with a letter: blanks at its ends are nobody's business.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => "\\PC{1,4}",
    ];
    prop::collection::vec(piece, 1..7).prop_map(|pieces| format!("n{}n", pieces.concat()))
}

async fn vendor(name: &'static str) -> Simulation {
    let mut options = Options {
        accounts: 12,
        freeze: true,
        vendors: vec![name.to_owned()],
        ..Options::default()
    };
    let limits = &mut options.limits;
    limits.gainsight_per_minute = 100_000;
    limits.churnzero_per_minute = 100_000;
    limits.churnzero_soft_per_minute = 100_000;
    limits.planhat_per_second = 100_000;
    limits.hubspot_ten_secondly = 100_000;
    limits.hubspot_search_per_second = 100_000;
    limits.hubspot_search_lag = std::time::Duration::ZERO;
    limits.totango_per_minute = 100_000;
    limits.vitally_per_minute = 100_000;
    start(options).await.expect("the simulated vendor starts")
}

fn open(sim: &Simulation) -> Box<dyn Connector> {
    let v = &sim.vendors[0];
    let auth = login(v.auth.clone());
    let mut options = vec![("requests_per_minute", "0")];
    match v.connector {
        "churnzero" => options.push(("push_url", v.base_url.as_str())),
        "totango" => {
            options.extend([("ingest_url", v.base_url.as_str()), ("service", "SP-1")]);
        }
        _ => {}
    }
    let secrets = v.application_key.iter().map(|key| {
        let key: secrecy::SecretString = key.clone().into();
        ("app_key".to_owned(), key)
    });
    let settings = SourceSettings {
        name: v.connector.into(),
        connector: v.connector.into(),
        base_url: Some(v.base_url.clone()),
        auth,
        ca_file: None,
        daily_requests: None,
        fields: BTreeMap::new(),
        options: options
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect(),
        secrets: secrets.collect(),
    };
    connect::open(settings, &Library::builtin(), Arc::new(RealClock), None)
        .unwrap_or_else(|e| panic!("{e}"))
}

async fn first(c: &dyn Connector, stream: &str, fit: impl Fn(&Record) -> bool) -> Record {
    let page = c
        .fetch(stream, None)
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let found = page.records.into_iter().find(|r| !r.deleted && fit(r));
    found.unwrap_or_else(|| panic!("{stream} has no row"))
}

fn text(t: &str) -> FieldValue {
    FieldValue::Text(t.to_owned())
}

/// A key that no other write has.
fn marker() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("0191f6a2-0000-7000-8000-{n:012x}")
}

/// Who acts, and on which account.
struct Desk {
    account: String,
    person: String,
    email: String,
}

impl Desk {
    fn create(&self, entity: Entity, fields: &[(&str, FieldValue)]) -> Write {
        let account = ("account", FieldValue::Ref(self.account.clone()));
        Write {
            verb: Verb::Create,
            entity,
            external_id: None,
            account: Some(self.account.clone()),
            marker: marker(),
            fields: std::iter::once(&account)
                .chain(fields)
                .map(|(f, v)| ((*f).to_owned(), FieldValue::Null, v.clone()))
                .collect(),
            author: Some(self.email.clone()),
            force: false,
        }
    }
}

fn fail(what: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(what.to_string())
}

/// Carries a create out; the id and the row as it can be asked for afterwards by its key.
async fn made(c: &dyn Connector, w: &Write) -> Result<(String, Record), TestCaseError> {
    let id = match c.write(w).await {
        Ok(Written::Done { external_id, .. }) => external_id,
        Ok(Written::Conflict(conflict)) => return Err(fail(format!("{conflict:?}"))),
        Err(e) => return Err(fail(format!("{}: {e}", w.entity))),
    };
    let found = c.find(w).await.map_err(fail)?;
    let found = found.ok_or_else(|| fail(format!("the {} is not found again", w.entity)))?;
    prop_assert_eq!(
        &found.external_id,
        &id,
        "the key finds another {}",
        w.entity
    );
    let read = c.read(w.entity, &id).await.map_err(fail)?;
    Ok((id, read.unwrap_or(found)))
}

fn same(record: &Record, field: &str, want: &str) -> Result<(), TestCaseError> {
    let is = record.get(field).and_then(FieldValue::as_str).unwrap_or("");
    prop_assert_eq!(is, want, "{} of the {}", field, record.entity);
    Ok(())
}

async fn round(c: &dyn Connector, desk: &Desk, said: &str) -> Result<(), TestCaseError> {
    let caps = c.capabilities();
    let line = said.replace('\n', " ");
    let note = desk.create(
        Entity::Touchpoint,
        &[
            ("kind", text("note")),
            ("subject", text(&line)),
            ("body", text(said)),
            ("at", FieldValue::Instant(Timestamp::now())),
            ("author", FieldValue::Ref(desk.person.clone())),
        ],
    );
    let (_, record) = made(c, &note).await?;
    same(&record, "body", said)?;

    if caps.can(Entity::Task, "*") {
        let task = desk.create(
            Entity::Task,
            &[
                ("title", text(&line)),
                ("description", text(said)),
                ("due", FieldValue::Date(jiff::civil::date(2027, 3, 4))),
                ("priority_kind", text("p2")),
            ],
        );
        let (id, record) = made(c, &task).await?;
        same(&record, "title", &line)?;
        // Not every system shows the description of a task again.
        if record.get("description").is_some_and(|d| !d.is_null()) {
            same(&record, "description", said)?;
        }
        // The row is compared with what we believe of it: a value that came back changed would be a conflict.
        let other = format!("z{line}");
        let change = Write {
            verb: Verb::Update,
            external_id: Some(id.clone()),
            fields: vec![("title".to_owned(), text(&line), text(&other))],
            ..desk.create(Entity::Task, &[])
        };
        match c.write(&change).await.map_err(fail)? {
            Written::Done { record, .. } => match record {
                Some(r) => same(&r, "title", &other)?,
                None => return Err(fail("the task is not read back")),
            },
            Written::Conflict(conflict) => return Err(fail(format!("{conflict:?}"))),
        }
    }
    if caps.can(Entity::Escalation, "*") {
        let risk = desk.create(
            Entity::Escalation,
            &[
                ("title", text(&format!("Risk: {line}"))),
                ("comments", text(said)),
                ("status_kind", text("new")),
                ("priority_kind", text("high")),
            ],
        );
        let (_, record) = made(c, &risk).await?;
        same(&record, "title", &format!("Risk: {line}"))?;
        if record.get("comments").is_some_and(|d| !d.is_null()) {
            same(&record, "comments", said)?;
        }
    }
    // A key that breaks out of its question would find somebody else's row, or none could be asked for.
    let mut stranger = note.clone();
    stranger.marker = said.to_owned();
    let found = c.find(&stranger).await.map_err(fail)?;
    prop_assert!(found.is_none(), "a key finds a row that is not its own");
    Ok(())
}

fn unharmed(name: &'static str) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    let (sim, c, desk) = runtime.block_on(async {
        let sim = vendor(name).await;
        let c = open(&sim);
        c.check().await.unwrap_or_else(|e| panic!("{e}"));
        let person = first(&*c, "people", |r| {
            r.get("active") != Some(&FieldValue::Bool(false))
                && r.get("email").is_some_and(|e| !e.is_null())
        })
        .await;
        let account = first(&*c, "accounts", |_| true).await;
        let email = person.get("email").and_then(FieldValue::as_str);
        let desk = Desk {
            email: email.unwrap_or_default().to_owned(),
            person: person.external_id.clone(),
            account: account.external_id.clone(),
        };
        (sim, c, desk)
    });
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    });
    let outcome = runner.run(&hostile(), |said| {
        runtime.block_on(round(&*c, &desk, &said))
    });
    drop(sim);
    if let Err(e) = outcome {
        panic!("{name}: {e}");
    }
}

#[test]
fn salesforce() {
    unharmed("salesforce");
}

#[test]
fn gainsight() {
    unharmed("gainsight");
}

#[test]
fn hubspot() {
    unharmed("hubspot");
}

#[test]
fn churnzero() {
    unharmed("churnzero");
}

#[test]
fn totango() {
    unharmed("totango");
}

#[test]
fn planhat() {
    unharmed("planhat");
}

#[test]
fn vitally() {
    unharmed("vitally");
}
