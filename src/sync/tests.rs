//! The engine on the real store and on a vendor made of paper that can be told to misbehave. Time is moved, never waited for.

use super::*;
use crate::book::{
    Account, Budget, Capabilities, Change, Clock, Conflict, ConflictField, Cursor, Entity,
    FieldChange, FieldValue, LocalId, Operation, OutboxState, Record, RowDelta, RowProblem,
    SourceState, Target, Verb,
};
use crate::connect::{ConnectError, Connector, ErrorKind, Page, Stream, Write, Written};
use crate::merge::Configured;
use crate::store::{Options, Storage, Store};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A clock that stands still until it is moved.
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

impl TestClock {
    fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// What the paper vendor does with the next write.
enum Mood {
    /// Carries it out and says so.
    Good,
    /// Carries it out, and the answer is lost.
    LosesAnswer,
    /// Breaks down before it does anything, but nobody can know.
    LosesRequest,
    Fails(ErrorKind),
    Disagrees,
}

#[derive(Default)]
struct Paper {
    /// Version, deleted, fields.
    rows: BTreeMap<(&'static str, String), (u64, bool, Record)>,
    version: u64,
    fetches: Vec<(String, Option<String>)>,
    broken: VecDeque<(String, ErrorKind)>,
    repeat: Option<&'static str>,
    /// A stream that breaks once, after so many pages.
    breaks_after: Option<(&'static str, usize, ErrorKind)>,
    problems: Vec<RowProblem>,
    moods: VecDeque<Mood>,
    writes: Vec<Write>,
    asked: usize,
    requests: u64,
}

#[derive(Clone)]
struct Vendor {
    streams: &'static [(&'static str, Entity)],
    paper: Arc<Mutex<Paper>>,
}

const CRM: &[(&str, Entity)] = &[
    ("people", Entity::Person),
    ("accounts", Entity::Account),
    ("renewals", Entity::Renewal),
];
const CS: &[(&str, Entity)] = &[
    ("accounts", Entity::Account),
    ("escalations", Entity::Escalation),
];

impl Vendor {
    fn new(streams: &'static [(&'static str, Entity)]) -> Vendor {
        Vendor {
            streams,
            paper: Arc::default(),
        }
    }
    fn paper(&self) -> MutexGuard<'_, Paper> {
        self.paper.lock().unwrap()
    }
    fn stream_of(&self, entity: Entity) -> &'static str {
        self.streams.iter().find(|(_, e)| *e == entity).unwrap().0
    }
    fn put(&self, entity: Entity, id: &str, fields: &[(&'static str, FieldValue)]) {
        let stream = self.stream_of(entity);
        let mut p = self.paper();
        p.version += 1;
        let record = Record {
            entity,
            external_id: id.to_owned(),
            modified: None,
            deleted: false,
            fields: fields
                .iter()
                .map(|(f, v)| ((*f).into(), v.clone()))
                .collect(),
        };
        let version = p.version;
        p.rows
            .insert((stream, id.to_owned()), (version, false, record));
    }
    fn remove(&self, entity: Entity, id: &str, tell: bool) {
        let key = (self.stream_of(entity), id.to_owned());
        let mut p = self.paper();
        p.version += 1;
        let version = p.version;
        if tell {
            let row = p.rows.get_mut(&key).unwrap();
            (row.0, row.1) = (version, true);
        } else {
            p.rows.remove(&key);
        }
    }
    /// Writes received, and questions whether a create arrived.
    fn counts(&self) -> (usize, usize) {
        let p = self.paper();
        (p.writes.len(), p.asked)
    }
    fn count(&self, entity: Entity) -> usize {
        let stream = self.stream_of(entity);
        let p = self.paper();
        p.rows.keys().filter(|(s, _)| *s == stream).count()
    }
}

fn error(kind: ErrorKind) -> ConnectError {
    ConnectError {
        message: format!("the paper vendor says {kind:?}"),
        kind,
    }
}

const MARKER: &str = "x.marker";

impl Connector for Vendor {
    fn kind(&self) -> &'static str {
        "paper"
    }
    fn streams(&self) -> Vec<Stream> {
        self.streams
            .iter()
            .map(|(name, entity)| Stream {
                name,
                entity: *entity,
                apart: false,
            })
            .collect()
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
    fn check(&self) -> BoxFuture<'_, Result<String, ConnectError>> {
        async { Ok("logged in".to_owned()) }.boxed()
    }
    fn fetch<'a>(
        &'a self,
        stream: &'a str,
        cursor: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Page, ConnectError>> {
        let mut p = self.paper();
        p.fetches
            .push((stream.to_owned(), cursor.map(|c| c.0.clone())));
        p.requests += 1;
        let answer = (|| {
            if p.broken.front().is_some_and(|(s, _)| s == stream) {
                let (_, kind) = p.broken.pop_front().unwrap();
                return Err(error(kind));
            }
            if let Some((s, left, _)) = &mut p.breaks_after
                && *s == stream
            {
                if *left == 0 {
                    let (.., kind) = p.breaks_after.take().unwrap();
                    return Err(error(kind));
                }
                *left -= 1;
            }
            let from: u64 = cursor.map_or(0, |c| c.0.parse().unwrap());
            let mut rows: Vec<&(u64, bool, Record)> = p
                .rows
                .iter()
                .filter(|((s, _), (v, gone, _))| *s == stream && *v > from && !(*gone && from == 0))
                .map(|(_, row)| row)
                .collect();
            rows.sort_by_key(|(v, ..)| *v);
            // Pages of two rows.
            let done = rows.len() <= 2 && p.repeat != Some(self.name(stream));
            rows.truncate(2);
            let next = if p.repeat == Some(self.name(stream)) {
                1
            } else {
                rows.last().map_or(from, |(v, ..)| *v)
            };
            Ok(Page {
                records: rows
                    .into_iter()
                    .map(|(_, deleted, r)| Record {
                        deleted: *deleted,
                        fields: if *deleted {
                            Vec::new()
                        } else {
                            r.fields.clone()
                        },
                        ..r.clone()
                    })
                    .collect(),
                problems: p.problems.clone(),
                next: Cursor(next.to_string()),
                done,
                total: None,
                requests: 1,
            })
        })();
        async move { answer }.boxed()
    }
    fn read<'a>(
        &'a self,
        entity: Entity,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, ConnectError>> {
        let key = (self.stream_of(entity), id.to_owned());
        let row = self.paper().rows.get(&key).map(|r| r.2.clone());
        async move { Ok(row) }.boxed()
    }
    fn find<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Option<Record>, ConnectError>> {
        let mut p = self.paper();
        p.asked += 1;
        let marker = FieldValue::Text(write.marker.clone());
        let found = p
            .rows
            .values()
            .find(|(_, _, r)| r.get(MARKER) == Some(&marker))
            .map(|r| r.2.clone());
        async move { Ok(found) }.boxed()
    }
    fn write<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Written, ConnectError>> {
        let mut p = self.paper();
        p.writes.push(write.clone());
        let lost = ErrorKind::Retry {
            after: None,
            maybe_done: true,
        };
        let mood = p.moods.pop_front().unwrap_or(Mood::Good);
        let answer = match mood {
            Mood::Fails(kind) => Err(error(kind)),
            Mood::LosesRequest => Err(error(lost)),
            Mood::Disagrees => Ok(Written::Conflict(Conflict {
                modified: None,
                by: Some("somebody".into()),
                fields: write
                    .fields
                    .iter()
                    .map(|(f, base, mine)| ConflictField {
                        field: f.clone().into(),
                        base: base.clone(),
                        mine: mine.clone(),
                        theirs: FieldValue::Text("theirs".into()),
                    })
                    .collect(),
            })),
            Mood::Good | Mood::LosesAnswer => {
                p.version += 1;
                let version = p.version;
                let stream = self.stream_of(write.entity);
                let id = write
                    .external_id
                    .clone()
                    .unwrap_or_else(|| format!("made-{version}"));
                let row = p.rows.entry((stream, id.clone())).or_insert_with(|| {
                    let mut fields = vec![(MARKER.into(), FieldValue::Text(write.marker.clone()))];
                    if let Some(account) = &write.account {
                        fields.push(("account".into(), FieldValue::Ref(account.clone())));
                    }
                    let record = Record {
                        entity: write.entity,
                        external_id: id.clone(),
                        modified: None,
                        deleted: false,
                        fields,
                    };
                    (version, false, record)
                });
                row.0 = version;
                for (field, _, want) in &write.fields {
                    row.2.fields.retain(|(f, _)| f != field);
                    row.2.fields.push((field.clone().into(), want.clone()));
                }
                let record = row.2.clone();
                if matches!(mood, Mood::LosesAnswer) {
                    Err(error(lost))
                } else {
                    Ok(Written::Done {
                        external_id: id,
                        record: Some(record),
                    })
                }
            }
        };
        async move { answer }.boxed()
    }
    fn web_url(&self, _: Entity, id: &str) -> Option<String> {
        Some(format!("https://paper.example/{id}"))
    }
    fn budget(&self) -> Budget {
        Budget {
            ours: self.paper().requests,
            ..Budget::default()
        }
    }
}

impl Vendor {
    fn name(&self, stream: &str) -> &'static str {
        self.streams.iter().find(|(s, _)| *s == stream).unwrap().0
    }
}

struct World {
    _dir: tempfile::TempDir,
    path: std::path::PathBuf,
    store: Arc<dyn Storage>,
    clock: Arc<TestClock>,
    crm: Vendor,
    cs: Vendor,
    engine: Engine,
}

fn text(s: &str) -> FieldValue {
    FieldValue::Text(s.into())
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("csops.db");
        let store: Arc<dyn Storage> = Arc::new(Store::open(&path, Options::default()).unwrap());
        let clock = Arc::new(TestClock(AtomicI64::new(1_790_000_000)));
        let (crm, cs) = (Vendor::new(CRM), Vendor::new(CS));
        crm.put(Entity::Person, "005", &[("name", text("Dana"))]);
        for (id, name) in [("001", "Acme"), ("002", "Boreal"), ("003", "Cirrus")] {
            let owner = ("owner", FieldValue::Ref("005".into()));
            crm.put(Entity::Account, id, &[("name", text(name)), owner]);
        }
        crm.put(
            Entity::Renewal,
            "006",
            &[
                ("name", text("Acme 2027")),
                ("account", FieldValue::Ref("001".into())),
                ("stage", text("Open")),
            ],
        );
        cs.put(
            Entity::Account,
            "1P",
            &[
                ("name", text("ACME")),
                ("health", FieldValue::Number(31.0)),
                ("identifiers", FieldValue::List(vec!["001".into()])),
            ],
        );
        let engine = engine(&store, &clock, &crm, &cs, None);
        World {
            _dir: dir,
            path,
            store,
            clock,
            crm,
            cs,
            engine,
        }
    }

    /// An engine with other rules on the same store and vendors.
    fn another(&self, rules: Configured) -> Engine {
        let source = |name: &str, vendor: &Vendor| SourceSetup {
            name: name.into(),
            kind: "paper".into(),
            base_url: String::new(),
            every: Duration::from_secs(900),
            read_only: false,
            daily_requests: None,
            connector: Ok(Arc::new(vendor.clone())),
        };
        Engine::new(Setup {
            store: self.store.clone(),
            clock: self.clock.clone(),
            sources: vec![source("crm", &self.crm), source("cs", &self.cs)],
            rules,
            read_only: false,
            author: None,
        })
    }

    async fn sync(&self, full: bool) -> Vec<RunResult> {
        self.engine.run_once(&[], full).await.unwrap()
    }

    async fn all(&self) -> RowDelta {
        self.store.load_since(0).await.unwrap()
    }

    async fn accounts(&self) -> Vec<Account> {
        let mut all: Vec<Account> = self.all().await.accounts.into_iter().map(|a| a.0).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    async fn commit(
        &self,
        entity: Entity,
        id: LocalId,
        verb: Verb,
        source: &str,
        fields: &[(&'static str, FieldValue, FieldValue)],
    ) -> String {
        let account = self.accounts().await[0].id;
        let id = if entity == Entity::Account {
            account
        } else {
            id
        };
        let operation = Operation {
            id: uuid::Uuid::now_v7().to_string(),
            command: "test".into(),
            summary: "tested".into(),
            at: self.clock.now(),
            who: "dana@example.com".into(),
            changes: vec![Change {
                target: Target { entity, id },
                account,
                verb,
                fields: fields
                    .iter()
                    .map(|(f, base, want)| FieldChange {
                        field: (*f).into(),
                        base: base.clone(),
                        want: want.clone(),
                    })
                    .collect(),
                source: source.into(),
            }],
            undoes: None,
            undone: false,
        };
        let done = self
            .store
            .commit_operation(operation, Duration::ZERO)
            .await
            .unwrap();
        done.items[0].id.clone()
    }

    async fn create_risk(&self) -> String {
        let fields = [("title", FieldValue::Null, text("At risk"))];
        self.commit(
            Entity::Escalation,
            LocalId::NONE,
            Verb::Create,
            "cs",
            &fields,
        )
        .await
    }

    async fn push(&self) {
        let other = self.engine.push_pending(Duration::from_secs(60)).await;
        assert_eq!(other, Ok(None));
    }

    async fn item(&self, id: &str) -> crate::book::OutboxItem {
        self.store.outbox_item(id).await.unwrap()
    }
}

fn engine(
    store: &Arc<dyn Storage>,
    clock: &Arc<TestClock>,
    crm: &Vendor,
    cs: &Vendor,
    promise: Option<u64>,
) -> Engine {
    let source = |name: &str, vendor: &Vendor| SourceSetup {
        name: name.into(),
        kind: "paper".into(),
        base_url: "https://paper.example".into(),
        every: Duration::from_secs(900),
        read_only: false,
        daily_requests: promise,
        connector: Ok(Arc::new(vendor.clone())),
    };
    Engine::new(Setup {
        store: store.clone(),
        clock: clock.clone(),
        sources: vec![source("crm", crm), source("cs", cs)],
        rules: Configured::default(),
        read_only: false,
        author: None,
    })
}

#[test]
fn identifiers_are_called_the_same_on_both_sides() {
    assert_eq!(crate::connect::IDENTIFIERS, crate::merge::IDENTIFIERS);
}

#[tokio::test]
async fn two_sources_become_one_book_and_a_sync_without_changes_costs_one_request_per_stream() {
    let w = World::new();
    let results = w.sync(false).await;
    assert!(results.iter().all(|r| r.error.is_none()), "{results:?}");
    let accounts = w.accounts().await;
    let seen: Vec<(&str, Option<u8>, bool)> = accounts
        .iter()
        .map(|a| (a.name.as_str(), a.health, a.owner.is_some()))
        .collect();
    assert_eq!(
        seen,
        [
            ("Acme", Some(31), true),
            ("Boreal", None, true),
            ("Cirrus", None, true)
        ]
    );
    assert_eq!(w.all().await.renewals[0].account, Some(accounts[0].id));

    w.crm.paper().fetches.clear();
    w.cs.paper().fetches.clear();
    let seq = w.store.seq().await.unwrap();
    let results = w.sync(false).await;
    assert_eq!(w.crm.paper().fetches.len(), CRM.len());
    assert_eq!(w.cs.paper().fetches.len(), CS.len());
    assert_eq!(
        results
            .iter()
            .map(|r| (r.changed, r.requests))
            .collect::<Vec<_>>(),
        [(0, 3), (0, 2)]
    );
    assert_eq!(w.store.seq().await.unwrap(), seq);

    w.crm
        .put(Entity::Account, "002", &[("name", text("Boreal AG"))]);
    w.crm.remove(Entity::Account, "003", true);
    w.sync(false).await;
    let names: Vec<String> = w.accounts().await.into_iter().map(|a| a.name).collect();
    assert_eq!(names, ["Acme", "Boreal AG"]);
    let status = &w.engine.statuses()[0];
    assert_eq!(
        (status.state, status.streams[1].changed),
        (SourceState::Idle, 2)
    );
}

#[tokio::test]
async fn a_failing_source_says_why_keeps_what_it_has_and_does_not_stop_the_other() {
    let w = World::new();
    let retry = ErrorKind::Retry {
        after: Some(Duration::from_secs(600)),
        maybe_done: false,
    };
    w.crm.paper().broken.push_back(("accounts".into(), retry));
    let results = w.sync(false).await;
    assert!(results[0].error.is_some() && results[1].error.is_none());
    assert_eq!(
        w.all().await.people.len(),
        1,
        "what came before the failure stays"
    );
    assert_eq!(w.accounts().await.len(), 1, "the other source went through");
    let status = &w.engine.statuses()[0];
    assert_eq!(status.state, SourceState::Failing);
    assert!(status.streams[1].error.is_some() && status.streams[0].error.is_none());
    let wait = status.next_run.unwrap().duration_since(w.clock.now());
    assert!(
        wait >= SignedDuration::from_secs(600),
        "the vendor's wish is obeyed: {wait}"
    );
    assert!(w.sync(false).await[0].error.is_none());
    assert_eq!(w.accounts().await.len(), 3);
    assert_eq!(w.engine.statuses()[0].error, None);
}

#[tokio::test]
async fn a_refused_login_stops_the_source_until_a_person_does_something() {
    let w = World::new();
    w.crm
        .paper()
        .broken
        .push_back(("people".into(), ErrorKind::Auth));
    w.sync(false).await;
    let status = &w.engine.statuses()[0];
    assert_eq!(
        (status.state, status.next_run),
        (SourceState::Stopped, None)
    );
    assert_eq!(w.crm.paper().fetches.len(), 1, "it is not asked on and on");
    // After a restart the reason still stands there, and it is tried once more.
    let second = engine(&w.store, &w.clock, &w.crm, &w.cs, None);
    second.restore().await.unwrap();
    let status = &second.statuses()[0];
    assert_eq!(status.state, SourceState::Failing);
    assert!(status.error.as_deref().is_some_and(|e| e.contains("Auth")));
    assert!(
        second.run_once(&[], false).await.unwrap()[0]
            .error
            .is_none()
    );
}

#[tokio::test]
async fn a_lost_cursor_starts_the_stream_anew_and_finds_what_has_gone() {
    let w = World::new();
    w.sync(false).await;
    w.crm.remove(Entity::Account, "003", false);
    w.sync(false).await;
    assert_eq!(w.accounts().await.len(), 3, "nobody told");
    w.crm
        .paper()
        .broken
        .push_back(("accounts".into(), ErrorKind::CursorLost));
    assert!(w.sync(false).await[0].error.is_none());
    assert_eq!(w.accounts().await.len(), 2);
}

#[tokio::test]
async fn a_full_run_finds_what_has_gone_unless_rows_could_not_be_read() {
    let w = World::new();
    w.sync(false).await;
    w.crm.remove(Entity::Account, "003", false);
    w.crm.paper().problems = vec![RowProblem {
        entity: Entity::Account,
        external_id: None,
        reason: "a row without an id".into(),
    }];
    w.sync(true).await;
    assert_eq!(
        w.accounts().await.len(),
        3,
        "the row that could not be read may be it"
    );
    w.crm.paper().problems.clear();
    w.sync(true).await;
    assert_eq!(w.accounts().await.len(), 2);
}

#[tokio::test]
async fn a_page_that_repeats_is_noticed_and_the_other_streams_go_on() {
    let w = World::new();
    w.sync(false).await;
    w.crm.paper().repeat = Some("accounts");
    w.crm.put(
        Entity::Renewal,
        "007",
        &[
            ("name", text("New")),
            ("account", FieldValue::Ref("002".into())),
        ],
    );
    let results = w.sync(false).await;
    assert!(
        results[0]
            .error
            .as_deref()
            .is_some_and(|e| e.contains("same page")),
        "{results:?}"
    );
    assert_eq!(w.all().await.renewals.len(), 2);
}

#[tokio::test]
async fn the_daily_promise_is_kept_over_a_restart_and_begins_anew_the_next_day() {
    let w = World::new();
    let first = engine(&w.store, &w.clock, &w.crm, &w.cs, Some(5));
    first.run_once(&["crm"], false).await.unwrap();
    let used = first.statuses()[0].budget.ours;
    assert!(used >= 4);
    // Another process: its connector has counted nothing yet.
    w.crm.paper().requests = 0;
    let second = engine(&w.store, &w.clock, &w.crm, &w.cs, Some(5));
    second.restore().await.unwrap();
    assert_eq!(second.statuses()[0].budget.ours, used);
    let results = second.run_once(&["crm"], false).await.unwrap();
    assert!(
        results[0]
            .error
            .as_deref()
            .is_some_and(|e| e.contains("daily_requests")),
        "{results:?}"
    );
    assert!(second.statuses()[0].budget.ours <= 5);
    w.clock.forward(86_400);
    assert!(
        second.run_once(&["crm"], false).await.unwrap()[0]
            .error
            .is_none()
    );
}

#[tokio::test]
async fn a_create_is_sent_once_with_the_vendors_ids_and_meets_its_own_row_when_it_is_pulled() {
    let w = World::new();
    w.sync(false).await;
    let id = w.create_risk().await;
    w.push().await;
    let item = w.item(&id).await;
    assert_eq!(item.state, OutboxState::Done, "{item:?}");
    {
        let p = w.cs.paper();
        assert_eq!((p.writes.len(), p.asked), (1, 0));
        assert_eq!(
            (p.writes[0].account.as_deref(), p.writes[0].marker.as_str()),
            (Some("1P"), id.as_str())
        );
    }
    w.sync(false).await;
    let risks = w.all().await.escalations;
    assert_eq!(risks.len(), 1);
    assert_eq!(risks[0].title, "At risk");
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_asked_for_and_not_sent_again() {
    let w = World::new();
    w.sync(false).await;
    w.cs.paper().moods.push_back(Mood::LosesAnswer);
    let id = w.create_risk().await;
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Unknown);
    w.clock.forward(60);
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Done);
    assert_eq!(w.cs.paper().writes.len(), 1);
    assert_eq!(w.cs.count(Entity::Escalation), 1);
}

#[tokio::test]
async fn a_create_that_never_arrived_is_sent_again_only_after_asking_twice() {
    let w = World::new();
    w.sync(false).await;
    w.cs.paper().moods.push_back(Mood::LosesRequest);
    let id = w.create_risk().await;
    w.push().await;
    w.clock.forward(60);
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Unknown);
    assert_eq!(w.cs.counts(), (1, 1));
    w.clock.forward(60);
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Done);
    assert_eq!(w.cs.counts(), (2, 2));
    assert_eq!(w.cs.count(Entity::Escalation), 1);
}

#[tokio::test]
async fn what_was_on_its_way_when_csops_died_is_asked_about_before_anything_is_sent() {
    let w = World::new();
    w.sync(false).await;
    let id = w.create_risk().await;
    assert!(w.store.mark_sending(&id).await.unwrap());
    // The vendor has it; csops died before it heard so. Another process starts.
    let write = Write {
        verb: Verb::Create,
        entity: Entity::Escalation,
        external_id: None,
        account: Some("1P".into()),
        marker: id.clone(),
        fields: vec![("title".into(), FieldValue::Null, text("At risk"))],
        author: None,
        force: false,
    };
    w.cs.write(&write).await.unwrap();
    let second = engine(&w.store, &w.clock, &w.crm, &w.cs, None);
    second.push_pending(Duration::from_secs(60)).await.unwrap();
    let item = w.item(&id).await;
    assert_eq!(
        (item.state, w.cs.count(Entity::Escalation)),
        (OutboxState::Done, 1)
    );
}

#[tokio::test]
async fn an_hour_of_failing_is_survived_and_the_vendors_words_are_shown() {
    let w = World::new();
    w.sync(false).await;
    let renewal = w.all().await.renewals[0].id;
    let fields = [("stage", text("Open"), text("Won"))];
    let id = w
        .commit(Entity::Renewal, renewal, Verb::Update, "crm", &fields)
        .await;
    let mut tries = 0;
    let start = w.clock.now();
    while w.clock.now().duration_since(start) < SignedDuration::from_hours(1) {
        let broken = ErrorKind::Retry {
            after: None,
            maybe_done: true,
        };
        w.crm.paper().moods = VecDeque::from([Mood::Fails(broken)]);
        w.push().await;
        let item = w.item(&id).await;
        assert_eq!(item.state, OutboxState::Waiting);
        assert!(item.error.is_some_and(|e| e.contains("paper vendor")));
        tries += 1;
        w.clock
            .forward(item.next_attempt.duration_since(w.clock.now()).as_secs() + 1);
    }
    assert!((8..40).contains(&tries), "{tries} tries in an hour");
    w.crm.paper().moods.clear();
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Done);
    assert_eq!(w.all().await.renewals[0].stage.as_deref(), Some("Won"));
}

#[tokio::test]
async fn refusals_and_conflicts_wait_for_a_person() {
    let w = World::new();
    w.sync(false).await;
    let renewal = w.all().await.renewals[0].id;
    let fields = [("stage", text("Open"), text("Won"))];
    w.crm
        .paper()
        .moods
        .push_back(Mood::Fails(ErrorKind::Refused { field: None }));
    let refused = w
        .commit(Entity::Renewal, renewal, Verb::Update, "crm", &fields)
        .await;
    w.push().await;
    assert_eq!(w.item(&refused).await.state, OutboxState::Failed);
    w.store.drop_item(&refused, w.clock.now()).await.unwrap();
    w.crm.paper().moods.push_back(Mood::Disagrees);
    let conflict = w
        .commit(Entity::Renewal, renewal, Verb::Update, "crm", &fields)
        .await;
    w.push().await;
    let item = w.item(&conflict).await;
    assert_eq!(item.state, OutboxState::Conflict);
    assert_eq!(item.conflict.unwrap().fields[0].theirs, text("theirs"));
    w.clock.forward(3_600);
    w.push().await;
    assert_eq!(
        w.crm.paper().writes.len(),
        2,
        "neither is sent again by itself"
    );
}

#[tokio::test]
async fn what_a_source_cannot_take_is_said_in_words_and_not_sent() {
    let w = World::new();
    w.sync(false).await;
    let renewal = w.all().await.renewals[0].id;
    let fields = [("stage", text("Open"), text("Won"))];
    let id = w
        .commit(Entity::Renewal, renewal, Verb::Update, "cs", &fields)
        .await;
    w.push().await;
    let item = w.item(&id).await;
    assert_eq!(item.state, OutboxState::Failed);
    assert!(item.error.unwrap().contains("does not know this renewal"));
    assert!(w.cs.paper().writes.is_empty());
}

#[tokio::test]
async fn read_only_holds_every_write_back_until_it_is_switched_off() {
    let w = World::new();
    w.sync(false).await;
    let id = w.create_risk().await;
    w.engine.set_read_only(Some("cs"), true).unwrap();
    w.push().await;
    w.engine.set_read_only(Some("cs"), false).unwrap();
    w.engine.set_read_only(None, true).unwrap();
    w.push().await;
    assert!(w.cs.paper().writes.is_empty());
    assert_eq!(w.item(&id).await.state, OutboxState::Waiting);
    w.engine.set_read_only(None, false).unwrap();
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Done);
    assert!(
        w.engine
            .set_read_only(Some("nobody"), true)
            .unwrap_err()
            .contains("there are: crm, cs")
    );
}

#[tokio::test]
async fn of_two_on_one_database_one_syncs_and_the_other_takes_over() {
    let w = World::new();
    // A live process that is not ours holds the lease.
    let other = "csops 1 on another machine";
    w.store
        .lease("sync", other, Duration::from_secs(30))
        .await
        .unwrap();
    let refused = w.engine.run_once(&[], false).await.unwrap_err();
    assert!(refused.contains(other), "{refused}");
    assert!(w.crm.paper().fetches.is_empty());
    assert_eq!(
        w.engine
            .push_pending(Duration::from_secs(1))
            .await
            .map(|o| o.is_some()),
        Ok(true)
    );
    w.store.release_lease("sync", other).await.unwrap();
    assert!(w.sync(false).await[0].error.is_none());
    // One that died does not keep us waiting, where that can be told.
    if cfg!(target_os = "linux") {
        let dead = holder().replace(&std::process::id().to_string(), "999999999");
        w.store
            .lease("sync", &dead, Duration::from_secs(30))
            .await
            .unwrap();
        assert!(w.engine.run_once(&[], false).await.is_ok());
    }
}

#[tokio::test]
async fn in_the_background_it_pulls_pushes_and_ends_cleanly() {
    let w = World::new();
    let mut events = w.engine.events();
    w.engine.start();
    while w.accounts().await.len() < 3
        || w.engine
            .statuses()
            .iter()
            .any(|s| s.state != SourceState::Idle)
    {
        events.recv().await.unwrap();
    }
    let id = w.create_risk().await;
    w.engine.wake_push();
    while w.item(&id).await.state != OutboxState::Done {
        events.recv().await.unwrap();
    }
    // In its grace when csops ends: sent at once.
    let renewal = w.all().await.renewals[0].id;
    let fields = [("stage", text("Open"), text("Won"))];
    let last = w
        .commit(Entity::Renewal, renewal, Verb::Update, "crm", &fields)
        .await;
    w.engine.stop(Duration::from_secs(30)).await;
    assert_eq!(w.item(&last).await.state, OutboxState::Done);
    let again = Store::open(&w.path, Options::default()).unwrap();
    let lease = again
        .lease("sync", "somebody else", Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(lease, crate::store::Lease::Ours, "the lease was given back");
    assert_eq!(again.source_statuses().await.unwrap().len(), 2);
}

#[tokio::test]
async fn another_precedence_merges_anew_without_fetching() {
    let w = World::new();
    w.crm.put(
        Entity::Account,
        "001",
        &[("name", text("Acme")), ("health", FieldValue::Number(90.0))],
    );
    w.sync(false).await;
    assert_eq!(w.accounts().await[0].health, Some(31));
    let fetched = w.crm.paper().fetches.len();
    let other = w.another(Configured {
        precedence: BTreeMap::from([("account.health".to_owned(), vec!["crm".to_owned()])]),
        ..Configured::default()
    });
    other.push_pending(Duration::from_secs(30)).await.unwrap();
    assert_eq!(w.accounts().await[0].health, Some(90));
    assert_eq!(w.crm.paper().fetches.len(), fetched);
}

#[tokio::test]
async fn other_marks_part_and_join_again_without_fetching() {
    let w = World::new();
    for (vendor, id, name) in [(&w.crm, "004", "Delta"), (&w.cs, "1D", "Delta Europe")] {
        vendor.put(
            Entity::Account,
            id,
            &[("name", text(name)), ("domain", text("delta.example"))],
        );
    }
    w.sync(false).await;
    let names = |all: Vec<Account>| all.into_iter().map(|a| a.name).collect::<Vec<_>>();
    let joined = ["Acme", "Boreal", "Cirrus", "Delta"];
    assert_eq!(names(w.accounts().await), joined);
    let fetched = (w.crm.paper().fetches.len(), w.cs.paper().fetches.len());
    let mut rules = Configured::default();
    rules.identity.shared_domains.insert("delta.example".into());
    let strict = w.another(rules);
    strict.push_pending(Duration::from_secs(30)).await.unwrap();
    assert_eq!(
        names(w.accounts().await),
        ["Acme", "Boreal", "Cirrus", "Delta", "Delta Europe"]
    );
    let usual = w.another(Configured::default());
    usual.push_pending(Duration::from_secs(30)).await.unwrap();
    assert_eq!(names(w.accounts().await), joined);
    assert_eq!(
        (w.crm.paper().fetches.len(), w.cs.paper().fetches.len()),
        fetched
    );
}

#[tokio::test]
async fn renewals_of_a_source_that_does_not_own_them_are_set_aside_until_it_does() {
    let w = World::new();
    w.sync(false).await;
    assert_eq!(w.all().await.renewals.len(), 1);
    let owned = |by: &str| {
        let mut rules = Configured::default();
        rules.owners.insert(Entity::Renewal, vec![by.to_owned()]);
        w.another(rules)
    };
    let fetched = w.crm.paper().fetches.len();
    owned("cs")
        .push_pending(Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(w.all().await.renewals.len(), 0);
    owned("crm")
        .push_pending(Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(w.all().await.renewals.len(), 1);
    assert_eq!(w.crm.paper().fetches.len(), fetched);
}

#[tokio::test]
async fn the_account_page_says_of_every_value_where_it_came_from() {
    let w = World::new();
    w.sync(false).await;
    let acme = w.accounts().await[0].id;
    let detail = w.store.detail(acme).await.unwrap().unwrap();
    let seen: Vec<(&str, &str)> = detail
        .provenance
        .iter()
        .map(|p| (p.field.as_str(), &*p.source))
        .collect();
    assert_eq!(seen, [("name", "crm"), ("owner", "crm"), ("health", "cs")]);
    assert_eq!(detail.provenance[0].losers, [("cs".into(), text("ACME"))]);
    assert_eq!(detail.facts.health_source.as_deref(), Some("cs"));
}

/// Everything that can be seen of a book, without local ids, which depend on the order of arrival.
async fn seen(store: &Arc<dyn Storage>) -> Vec<String> {
    let all = store.load_since(0).await.unwrap();
    let names: BTreeMap<LocalId, String> = all
        .accounts
        .iter()
        .map(|(a, _)| (a.id, a.name.clone()))
        .collect();
    let people: BTreeMap<LocalId, String> =
        all.people.iter().map(|p| (p.id, p.name.clone())).collect();
    let renewals: BTreeMap<LocalId, String> = all
        .renewals
        .iter()
        .map(|r| (r.id, r.name.clone()))
        .collect();
    let mut out: Vec<String> = Vec::new();
    for (a, f) in &all.accounts {
        out.push(format!(
            "{} {:?} {:?} {:?} {:?} {:?} {:?}",
            a.name,
            a.health,
            a.domain,
            a.owner.map(|o| &people[&o]),
            f.open_renewal.map(|r| &renewals[&r]),
            f.open_escalation.is_some(),
            f.health_source,
        ));
    }
    for r in &all.renewals {
        out.push(format!("{} of {:?}", r.name, r.account.map(|a| &names[&a])));
    }
    for e in &all.escalations {
        out.push(format!(
            "{} of {:?}",
            e.title,
            e.account.map(|a| &names[&a])
        ));
    }
    out.sort();
    out
}

/// Accounts of which the two sources share some by id, some by domain, some only by name; what hangs on them, some of it on nothing.
fn fill(w: &World, numbers: std::ops::Range<u32>) {
    for n in numbers {
        let (crm, cs) = (format!("A{n}"), format!("B{n}"));
        let owner = ("owner", FieldValue::Ref("005".into()));
        let domain = ("domain", text(&format!("company{n}.example")));
        let name = ("name", text(&format!("Company {n}")));
        w.crm.put(
            Entity::Account,
            &crm,
            &[name.clone(), owner, domain.clone()],
        );
        let health = ("health", FieldValue::Number(f64::from(n % 100)));
        match n % 4 {
            0 => w.cs.put(
                Entity::Account,
                &cs,
                &[
                    ("name", text("other")),
                    health,
                    ("identifiers", FieldValue::List(vec![crm.clone()])),
                ],
            ),
            1 => w.cs.put(
                Entity::Account,
                &cs,
                &[("name", text("other")), health, domain],
            ),
            2 => w.cs.put(Entity::Account, &cs, &[name, health]),
            _ => {}
        }
        // Every ninth belongs to an account that nobody sent.
        let of = if n % 9 == 0 { "gone" } else { &crm };
        w.crm.put(
            Entity::Renewal,
            &format!("R{n}"),
            &[
                ("name", text(&format!("Renewal {n}"))),
                ("account", FieldValue::Ref(of.into())),
                ("stage", text("Open")),
            ],
        );
        w.cs.put(
            Entity::Escalation,
            &format!("E{n}"),
            &[
                ("title", text(&format!("Risk {n}"))),
                ("account", FieldValue::Ref(cs)),
            ],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_makes_the_same_book_as_changes_that_come_one_by_one() {
    let at_once = World::new();
    fill(&at_once, 0..60);
    let results = at_once.sync(false).await;
    assert!(results.iter().all(|r| r.error.is_none()), "{results:?}");
    let by_and_by = World::new();
    by_and_by.sync(false).await;
    for n in 0..6 {
        fill(&by_and_by, n * 10..n * 10 + 10);
        by_and_by.sync(false).await;
    }
    let (first, then) = (seen(&at_once.store).await, seen(&by_and_by.store).await);
    assert_eq!(first, then);
    assert!(
        first.iter().filter(|l| l.contains("Renewal")).count() > 60,
        "{first:?}"
    );
    assert_eq!(at_once.store.counts().await.unwrap().dirty, 0);
    // What comes afterwards finds the rows of the first load.
    at_once
        .crm
        .put(Entity::Account, "gone", &[("name", text("Late"))]);
    at_once.sync(false).await;
    let renewals = at_once.all().await.renewals;
    assert_eq!(
        renewals.len(),
        61,
        "those of the account that came late among them"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_system_comes_first_the_other_joins_its_rows_and_nothing_moves() {
    let mut books = Vec::new();
    for order in [["crm", "cs"], ["cs", "crm"]] {
        let w = World::new();
        fill(&w, 0..40);
        for source in order {
            w.engine.run_once(&[source], false).await.unwrap();
        }
        let nothing = crate::book::DirtyBatch::default();
        let (_, moves) = w.store.context(nothing).await.unwrap();
        assert_eq!(moves, 0, "{order:?}: a record went to another row");
        books.push(seen(&w.store).await);
    }
    assert_eq!(books[0], books[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_that_breaks_off_goes_on_where_it_was_and_its_figures_follow() {
    let w = World::new();
    fill(&w, 0..20);
    let retry = ErrorKind::Retry {
        after: None,
        maybe_done: false,
    };
    w.crm.paper().breaks_after = Some(("renewals", 3, retry));
    let results = w.sync(false).await;
    assert!(results[0].error.is_some());
    let there = w.all().await.renewals.len();
    assert!((1..20).contains(&there), "{there} renewals came before");
    assert!(w.sync(false).await[0].error.is_none());
    let whole = World::new();
    fill(&whole, 0..20);
    whole.sync(false).await;
    assert_eq!(seen(&w.store).await, seen(&whole.store).await);
    let asked: Vec<_> = w
        .crm
        .paper()
        .fetches
        .iter()
        .filter(|(s, _)| s == "renewals")
        .cloned()
        .collect();
    let begun = asked.iter().filter(|(_, cursor)| cursor.is_none()).count();
    assert_eq!(
        begun, 1,
        "it is not read from the beginning again: {asked:?}"
    );
}
