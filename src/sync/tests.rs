//! The engine on the real store and on a vendor made of paper that can be told to misbehave. Time is moved, never waited for.

mod loading;
mod pulling;
mod pushing;
mod together;
mod vendor;

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
use vendor::{CRM, CS, Mood, TestClock, Vendor};

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
