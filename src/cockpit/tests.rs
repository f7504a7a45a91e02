//! The cockpit on a real database without vendors: what a command does to the picture, what survives, what a second start shows.

use super::*;
use crate::book::{
    Account, AnyRow, Clock, CrosswalkEntry, Entity, Escalation, LocalId, MatchHow, MergeBatch,
    MergedRow, Money, OutboxState, Person, Renewal, Target, Task,
};
use crate::command::{Command, Selection, parse};
use crate::config::{Loaded, load_text};
use crate::store::{Options, Storage, Store};
use jiff::tz::TimeZone;
use std::path::Path;
use std::sync::Arc;

const SETTINGS: &str = r#"
[me]
email = "dana@example.com"
[write]
risk = "cs"
note = "cs"
task = "cs"
renewal = "crm"
csm = "cs"
[calendar]
time_zone = "UTC"
[[source]]
name = "crm"
connector = "salesforce"
base_url = "http://127.0.0.1:9"
auth = { kind = "bearer", token = "t" }
[[source]]
name = "cs"
connector = "gainsight"
base_url = "http://127.0.0.1:9"
auth = { kind = "header", name = "accesskey", value = "k" }
"#;

fn clock() -> Arc<dyn Clock> {
    let start = "2026-11-22T10:00:00Z".parse().expect("an instant");
    Arc::new(SystemClock::starting_at(start, TimeZone::UTC))
}

fn settings() -> crate::config::Settings {
    let Loaded {
        settings, problems, ..
    } = load_text(SETTINGS, Path::new("config.toml"));
    assert!(
        problems
            .iter()
            .all(|p| p.severity == crate::config::Severity::Warning),
        "{problems:?}"
    );
    settings
}

fn cockpit(dir: &Path) -> Cockpit {
    Cockpit::open(Setup {
        settings: settings(),
        db: dir.join("csops.db"),
        clock: clock(),
        problems: Vec::new(),
        connectors: None,
        background: false,
    })
    .expect("the database opens")
}

/// Two accounts of Dana's, the first one bad and with an open risk, its renewal and a task.
async fn fill(dir: &Path) {
    let store = Store::open(&dir.join("csops.db"), Options::default()).expect("a database");
    let me = LocalId(1);
    let rows = vec![
        AnyRow::Person(Person {
            id: me,
            name: "Dana Weiss".into(),
            email: Some("dana@example.com".into()),
            ..Person::default()
        }),
        AnyRow::Account(Account {
            id: LocalId(1),
            name: "Northwind Traders".into(),
            arr: Money::new(24_000_000, "USD"),
            health: Some(20),
            csm: Some(me),
            ..Account::default()
        }),
        AnyRow::Account(Account {
            id: LocalId(2),
            name: "Zeta Biotech".into(),
            arr: Money::new(10_000_000, "USD"),
            health: Some(90),
            ..Account::default()
        }),
        AnyRow::Renewal(Renewal {
            id: LocalId(1),
            account: Some(LocalId(1)),
            name: "Northwind 2027".into(),
            due: Some(jiff::civil::date(2026, 12, 20)),
            amount: Money::new(24_000_000, "USD"),
            stage: Some("Negotiation".into()),
            stage_kind: Some("open".into()),
            ..Renewal::default()
        }),
        AnyRow::Task(Task {
            id: LocalId(1),
            account: Some(LocalId(1)),
            title: "QBR deck".into(),
            due: Some(jiff::civil::date(2026, 11, 20)),
            status_kind: Some("open".into()),
            owner: Some(me),
            ..Task::default()
        }),
        AnyRow::Escalation(Escalation {
            id: LocalId(1),
            account: Some(LocalId(1)),
            title: "Usage down".into(),
            status_kind: Some("new".into()),
            priority_kind: Some("high".into()),
            ..Escalation::default()
        }),
    ];
    let crosswalk = rows
        .iter()
        .map(|row| {
            let target = row.target();
            CrosswalkEntry {
                source: match target.entity {
                    Entity::Renewal => "crm".into(),
                    _ => "cs".into(),
                },
                entity: target.entity,
                external_id: format!("{}-{}", target.entity, target.id),
                local: target.id,
                how: MatchHow::New,
            }
        })
        .collect();
    let batch = MergeBatch {
        rows: rows
            .into_iter()
            .map(|row| MergedRow {
                row,
                extra: Vec::new(),
                provenance: Vec::new(),
            })
            .collect(),
        crosswalk,
        ..MergeBatch::default()
    };
    store
        .write_merged(batch, clock().now())
        .await
        .expect("written");
    store.close().await.expect("closed");
}

fn line(text: &str) -> Command {
    parse(text).expect(text)
}

fn northwind() -> Selection {
    Selection::of(Entity::Account, [LocalId(1)])
}

async fn ready(dir: &Path) -> Cockpit {
    let cockpit = cockpit(dir);
    cockpit.loaded().await.expect("loaded");
    // The sources are opened beside; commands want to know what they can take.
    cockpit.refresh().await;
    cockpit.statuses().await.expect("sources");
    cockpit.refresh().await;
    cockpit
}

fn queue(cockpit: &Cockpit) -> Vec<String> {
    let view = cockpit.view_now(&ViewSpec::of(ListKind::Queue));
    let s = cockpit.snapshot();
    view.rows
        .iter()
        .map(|r| s.book.account(*r).name().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snooze_shows_at_once_survives_and_can_be_undone_and_done_again() {
    let dir = tempfile::tempdir().expect("a folder");
    fill(dir.path()).await;
    let c = ready(dir.path()).await;
    assert_eq!(queue(&c), ["Northwind Traders"]);
    assert_eq!(c.snapshot().all.header.in_queue, 1);
    let done = c
        .run(line("snooze 2026-12-01"), northwind(), false)
        .await
        .expect("done");
    assert_eq!(done.summary, "snoozed Northwind Traders until 1 Dec 2026");
    assert!(queue(&c).is_empty());
    c.run(line("undo"), Selection::none(), false)
        .await
        .expect("undone");
    assert_eq!(queue(&c), ["Northwind Traders"]);
    c.run(line("redo"), Selection::none(), false)
        .await
        .expect("redone");
    assert!(queue(&c).is_empty());
    assert!(c.run(line("redo"), Selection::none(), false).await.is_err());
    c.close().await;
    let again = ready(dir.path()).await;
    assert!(queue(&again).is_empty(), "it is durable");
    again.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_to_a_vendor_lies_over_the_book_waits_in_the_outbox_and_is_taken_back_within_its_grace()
 {
    let dir = tempfile::tempdir().expect("a folder");
    fill(dir.path()).await;
    let c = ready(dir.path()).await;
    let renewal = Selection::of(Entity::Renewal, [LocalId(1)]);
    c.run(line("renewal close 2027-02-15"), renewal.clone(), false)
        .await
        .expect("done");
    c.run(
        line("task done"),
        Selection::of(Entity::Task, [LocalId(1)]),
        false,
    )
    .await
    .expect("done");
    let s = c.snapshot();
    assert_eq!(
        s.book.renewal(0).due(),
        Some(jiff::civil::date(2027, 2, 15))
    );
    assert_eq!(
        s.book.renewal(0).original_due(),
        Some(jiff::civil::date(2026, 12, 20)),
        "the first due day is kept, also before the vendor knows"
    );
    assert_eq!(
        s.outbox
            .iter()
            .filter(|i| i.state == OutboxState::Waiting)
            .count(),
        2
    );
    assert!(c.view_now(&ViewSpec::of(ListKind::Tasks)).rows.is_empty());
    let undone = c
        .run(line("undo"), Selection::none(), false)
        .await
        .expect("undone");
    assert_eq!(undone.items, 0, "nothing had been sent, so nothing is sent");
    assert_eq!(c.view_now(&ViewSpec::of(ListKind::Tasks)).rows.len(), 1);
    assert_eq!(c.snapshot().moving(), 1);
    c.close().await;
    let again = ready(dir.path()).await;
    assert_eq!(
        again.snapshot().book.renewal(0).due(),
        Some(jiff::civil::date(2027, 2, 15)),
        "what waits lies over the book after a start, too"
    );
    again.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_created_risk_is_there_at_once_and_the_next_command_meets_it() {
    let dir = tempfile::tempdir().expect("a folder");
    fill(dir.path()).await;
    let c = ready(dir.path()).await;
    let zeta = Selection::of(Entity::Account, [LocalId(2)]);
    c.run(line("ack"), zeta.clone(), false).await.expect("done");
    let s = c.snapshot();
    let row = s.book.row_of(Entity::Account, LocalId(2)).expect("there");
    let risk = s.book.account(row).open_risk().expect("a risk was created");
    assert_eq!(
        (risk.title(), risk.status_kind()),
        ("Risk: Zeta Biotech", "acknowledged")
    );
    let id = risk.id();
    assert!(id.is_some());
    c.run(line("claim"), zeta, false).await.expect("done");
    let s = c.snapshot();
    let last = s.operations.first().expect("logged");
    assert_eq!(
        last.changes[0].target,
        Target {
            entity: Entity::Escalation,
            id
        }
    );
    assert_eq!(
        s.book
            .account(row)
            .open_risk()
            .and_then(|r| Some(r.owner()?.id())),
        Some(LocalId(1))
    );
    c.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_and_missing_targets_are_refused_in_words() {
    let dir = tempfile::tempdir().expect("a folder");
    fill(dir.path()).await;
    let c = ready(dir.path()).await;
    c.run(line("readonly on cs"), Selection::none(), false)
        .await
        .expect("switched");
    let refused = c
        .run(line("ack"), northwind(), false)
        .await
        .expect_err("refused");
    assert_eq!(
        refused.to_string(),
        "cs is read-only: `readonly off cs` allows writes again"
    );
    c.run(line("readonly on"), Selection::none(), false)
        .await
        .expect("switched");
    assert!(c.snapshot().read_only);
    assert!(c.run(line("snooze 3d"), northwind(), false).await.is_err());
    c.run(line("readonly off"), Selection::none(), false)
        .await
        .expect("switched");
    c.run(line("snooze 3d"), northwind(), false)
        .await
        .expect("done");
    let nobody = Selection::of(Entity::Account, [LocalId(99)]);
    assert!(c.run(line("snooze 3d"), nobody, false).await.is_err());
    let asks = c
        .run(line("account merge zeta"), northwind(), false)
        .await
        .expect_err("asks first");
    assert!(matches!(asks, CommandError::NeedsConfirmation(_)), "{asks}");
    c.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_start_shows_the_last_picture_before_anything_is_read() {
    let dir = tempfile::tempdir().expect("a folder");
    fill(dir.path()).await;
    let c = ready(dir.path()).await;
    c.run(line("tag +pilot"), northwind(), false)
        .await
        .expect("done");
    c.close().await;
    let first = super::core::first_snapshot(
        &settings(),
        &*clock(),
        &dir.path().join("csops.db"),
        Vec::new(),
    );
    assert!(first.from_cache.is_some());
    assert_eq!(first.all.header.accounts, 2);
    let view = compute(&first, &ViewSpec::of(ListKind::Queue), None);
    let names: Vec<_> = view
        .rows
        .iter()
        .map(|r| first.book.account(*r).name().to_owned())
        .collect();
    assert_eq!(names, ["Northwind Traders"]);
    // Other settings, other figures: the old picture is not shown.
    let mut other = settings();
    other.money.reporting_currency = "EUR".into();
    let none =
        super::core::first_snapshot(&other, &*clock(), &dir.path().join("csops.db"), Vec::new());
    assert!(none.from_cache.is_none() && none.book.count(Entity::Account) == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_sorted_and_renewed_and_a_bad_filter_keeps_the_rows() {
    let dir = tempfile::tempdir().expect("a folder");
    fill(dir.path()).await;
    let c = ready(dir.path()).await;
    let all = ViewSpec {
        sort: vec![("arr".into(), false)],
        ..ViewSpec::of(ListKind::Accounts)
    };
    let view = c.view_now(&all);
    assert_eq!((view.rows.as_slice(), view.total), ([1, 0].as_slice(), 2));
    let narrowed = ViewSpec {
        query: "zeta".into(),
        ..all.clone()
    };
    let s = c.snapshot();
    let zeta = compute(&s, &narrowed, Some(&view));
    assert_eq!((zeta.rows.as_slice(), zeta.total), ([1].as_slice(), 2));
    let bad = ViewSpec {
        query: "helth<50".into(),
        ..all.clone()
    };
    let kept = compute(&s, &bad, Some(&view));
    assert_eq!(kept.rows, view.rows);
    assert!(kept.error.is_some_and(|e| e.contains("health")));
    let mine = ViewSpec {
        mine: true,
        ..ViewSpec::of(ListKind::Accounts)
    };
    assert_eq!(c.view_now(&mine).rows.as_slice(), [0]);

    let mut events = c.events();
    c.request_view(Slot::Queue, ViewSpec::of(ListKind::Queue));
    while !matches!(
        events.recv().await.expect("an event"),
        Event::ViewReady(Slot::Queue)
    ) {}
    assert_eq!(c.view(Slot::Queue).expect("there").rows.len(), 1);
    c.run(line("snooze 3d"), northwind(), false)
        .await
        .expect("done");
    while !c.view(Slot::Queue).expect("there").rows.is_empty() {
        events.recv().await.expect("an event");
    }
    c.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_survive_and_the_account_page_is_read_on_demand() {
    let dir = tempfile::tempdir().expect("a folder");
    fill(dir.path()).await;
    let c = ready(dir.path()).await;
    let mut events = c.events();
    c.save_draft(LocalId(1), "note", "half a th");
    c.request_detail(LocalId(1));
    while c.detail(LocalId(1)).is_none() || c.draft(LocalId(1), "note").is_none() {
        events.recv().await.expect("an event");
    }
    assert_eq!(c.detail(LocalId(1)).expect("there").1.tasks.len(), 1);
    // Not closed: as after a crash.
    drop(c);
    let again = ready(dir.path()).await;
    assert_eq!(
        again.draft(LocalId(1), "note").expect("kept").text,
        "half a th"
    );
    again.drop_draft(LocalId(1), "note");
    again.refresh().await;
    assert!(again.draft(LocalId(1), "note").is_none());
    again.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forecast_of_a_week_is_kept_once_and_read_again() {
    let dir = tempfile::tempdir().expect("a folder");
    fill(dir.path()).await;
    // Whoever only looks keeps nothing.
    ready(dir.path()).await.close().await;
    let c = ready(dir.path()).await;
    assert_eq!(c.snapshot().forecasts.len(), 0);
    c.run(line("snooze 2026-12-01"), northwind(), false)
        .await
        .expect("done");
    c.close().await;
    let c = ready(dir.path()).await;
    let kept = c.snapshot().forecasts.clone();
    // Everybody's and Dana's, of the one quarter in which something is due.
    let scopes: Vec<_> = kept.iter().map(|f| (f.scope, f.due)).collect();
    use crate::book::ForecastScope::{All, Csm};
    assert_eq!(scopes, [(All, 24_000_000), (Csm(LocalId(1)), 24_000_000)]);
    assert!(kept.iter().all(|f| f.taken == c.snapshot().today));
    // Later on the same day it takes the other's place, and is not added to it.
    c.run(line("wake"), northwind(), false).await.expect("done");
    c.close().await;
    let c = ready(dir.path()).await;
    assert_eq!(c.snapshot().forecasts.len(), 2);
    c.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_day_is_shown_and_cannot_be_changed() {
    let dir = tempfile::tempdir().expect("a folder");
    let today = jiff::civil::date(2026, 11, 22);
    let day = |n: i64| today.checked_add(jiff::Span::new().days(n)).expect("a day");
    {
        let store =
            Store::open(&dir.path().join("csops.db"), Options::default()).expect("a database");
        store.begin_day(day(-30)).await.expect("begun");
        store.close().await.expect("closed");
    }
    fill(dir.path()).await;
    {
        let store =
            Store::open(&dir.path().join("csops.db"), Options::default()).expect("a database");
        store.begin_day(day(-10)).await.expect("begun");
        let row = |id: u32, name: &str, health: u8| MergedRow {
            row: AnyRow::Account(Account {
                id: LocalId(id),
                name: name.into(),
                arr: Money::new(1_000_000 * i64::from(id), "USD"),
                health: Some(health),
                csm: Some(LocalId(1)),
                ..Account::default()
            }),
            extra: Vec::new(),
            provenance: Vec::new(),
        };
        let batch = MergeBatch {
            rows: vec![row(2, "Zeta Biotech", 10)],
            ..MergeBatch::default()
        };
        store
            .write_merged(batch, clock().now())
            .await
            .expect("written");
        store.close().await.expect("closed");
    }
    let c = ready(dir.path()).await;
    let mut events = c.events();
    c.request_view(Slot::Queue, ViewSpec::of(ListKind::Queue));
    let names = |c: &Cockpit| -> Vec<String> {
        let s = c.snapshot();
        let mut names: Vec<String> = c
            .view_now(&ViewSpec::of(ListKind::Queue))
            .rows
            .iter()
            .map(|r| s.shown().book.account(*r).name().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&c), ["Northwind Traders", "Zeta Biotech"]);
    let said = c
        .run(line("asof 2026-11-01"), Selection::none(), false)
        .await
        .expect("begun");
    assert!(said.summary.is_empty(), "it is said when it is there");
    while c.snapshot().past.is_none() {
        events.recv().await.expect("news");
    }
    assert_eq!(names(&c), ["Northwind Traders"]);
    let s = c.snapshot();
    let past = s.past.as_ref().expect("an earlier day");
    assert_eq!(
        (past.snapshot.today, past.since, past.known),
        (day(-21), day(-30), day(-30))
    );
    assert_eq!(
        (s.all.header.in_queue, s.shown().all.header.in_queue),
        (2, 1)
    );
    assert_eq!(
        s.shown().all.header.arr,
        34_000_000,
        "240,000 and 100,000 dollars"
    );
    // What is not of that day is of today.
    assert_eq!(c.view_now(&ViewSpec::of(ListKind::Tasks)).rows.len(), 1);
    let refused = c
        .run(line("snooze 2026-12-01"), northwind(), false)
        .await
        .expect_err("read-only")
        .to_string();
    assert!(refused.contains("2026-11-01 is over"), "{refused}");
    assert!(c.can_run(line("ack").spec, &northwind()).is_err());
    // The present goes on beside it.
    c.refresh().await;
    assert!(c.snapshot().past.is_some());
    c.run(line("asof today"), Selection::none(), false)
        .await
        .expect("today");
    assert!(c.snapshot().past.is_none());
    assert_eq!(names(&c), ["Northwind Traders", "Zeta Biotech"]);
    c.run(line("snooze 2026-12-01"), northwind(), false)
        .await
        .expect("today can be changed");
    // A day before history begins is answered by a message, and today stays.
    c.run(line("asof -2y"), Selection::none(), false)
        .await
        .expect("begun");
    loop {
        if let Event::Message(_, text) = events.recv().await.expect("news")
            && text.contains("no history before 2026-10-23")
        {
            break;
        }
    }
    assert!(c.snapshot().past.is_none());
    assert!(
        c.run(line("asof tomorrow"), Selection::none(), false)
            .await
            .is_err()
    );
    c.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_the_day_are_kept_once_something_was_written_on_it() {
    let dir = tempfile::tempdir().expect("a folder");
    fill(dir.path()).await;
    let figures = |dir: &Path| {
        let store = Store::open(&dir.join("csops.db"), Options::default()).expect("a database");
        async move {
            let kept = store.figures().await.expect("figures");
            store.close().await.expect("closed");
            kept
        }
    };
    // A command that only reads writes nothing.
    ready(dir.path()).await.close().await;
    assert!(figures(dir.path()).await.is_empty());
    let c = ready(dir.path()).await;
    c.run(line("snooze 2026-12-01"), northwind(), false)
        .await
        .expect("done");
    c.close().await;
    let kept = figures(dir.path()).await;
    let all = kept.iter().find(|f| f.by == "all").expect("the whole book");
    assert_eq!((all.accounts, all.arr, all.in_queue), (2, 34_000_000, 0));
    let again = ready(dir.path()).await;
    assert_eq!(
        again
            .snapshot()
            .history
            .at("all", "", again.snapshot().today),
        Some(all)
    );
    again.close().await;
    assert_eq!(figures(dir.path()).await, kept);
}
