//! What csops knew on earlier days: what is written for it, what is not, and that going back gives every day as it was.

use super::*;
use crate::book::day::date_of;
use crate::book::{Rate, Renewal};
use jiff::civil::{Date, date};
use proptest::prelude::*;

const FIRST: Date = date(2026, 3, 1);

fn day(n: i32) -> Date {
    date_of(crate::book::day::days(FIRST) + n).expect("a day")
}

fn begin(store: &Store, n: i32) {
    wait(store.begin_day(day(n))).expect("begun");
}

fn as_of(store: &Store, on: Date) -> Result<(RowDelta, Past), StoreError> {
    let (tell, told) = std::sync::mpsc::channel();
    let past = wait(store.load_as_of(
        on,
        Box::new(move |d| {
            let _ = tell.send(d);
        }),
    ))?;
    let mut sum = RowDelta::default();
    for d in told {
        sum.accounts.extend(d.accounts);
        sum.people.extend(d.people);
        sum.renewals.extend(d.renewals);
        sum.escalations.extend(d.escalations);
        sum.rates.extend(d.rates);
    }
    Ok((sum, past))
}

fn health(store: &Store, n: i32) -> Option<u8> {
    let (rows, _) = as_of(store, day(n)).expect("known");
    rows.accounts.first().and_then(|(a, _)| a.health)
}

fn acme_with(store: &Store, fields: &[(&str, FieldValue)]) {
    let mut all = vec![("name", text("Acme"))];
    all.extend(fields.iter().cloned());
    put(store, vec![row(Entity::Account, 1, &all)]);
}

fn score(n: u8) -> FieldValue {
    FieldValue::Number(f64::from(n))
}

fn sql<T: rusqlite::types::FromSql>(w: &World, sql: &str) -> T {
    let db = rusqlite::Connection::open(w.store.path()).expect("opened");
    db.query_row(sql, [], |r| r.get(0)).expect("a row")
}

#[test]
fn nothing_is_known_before_the_first_day() {
    let w = world();
    let said = |on| {
        as_of(&w.store, on)
            .map(drop)
            .expect_err("not known")
            .to_string()
    };
    assert!(said(FIRST).contains("begins with the first sync or import"));
    begin(&w.store, 0);
    acme_with(&w.store, &[]);
    assert!(
        said(date(2026, 2, 28)).contains("no history before 2026-03-01"),
        "{}",
        said(date(2026, 2, 28))
    );
    assert!(as_of(&w.store, FIRST).is_ok());
}

#[test]
fn the_first_day_and_what_never_changes_take_no_room() {
    let w = world();
    begin(&w.store, 0);
    acme_with(&w.store, &[("health", score(61))]);
    acme_with(&w.store, &[("health", score(60))]);
    begin(&w.store, 1);
    acme_with(&w.store, &[("health", score(60))]);
    // What changes with every run without meaning anything is not kept.
    acme_with(
        &w.store,
        &[
            ("health", score(60)),
            ("health_at", FieldValue::Date(day(1))),
        ],
    );
    put(
        &w.store,
        vec![row(
            Entity::Rate,
            1,
            &[("from", text("EUR")), ("to", text("USD"))],
        )],
    );
    assert_eq!(sql::<i64>(&w, "SELECT count(*) FROM history"), 0);
    acme_with(&w.store, &[("health", score(50))]);
    assert_eq!(sql::<i64>(&w, "SELECT count(*) FROM history"), 1);
    assert_eq!(
        [health(&w.store, 0), health(&w.store, 1)],
        [Some(60), Some(50)]
    );
}

#[test]
fn a_day_is_what_was_known_at_its_end_whatever_came_later() {
    let w = world();
    begin(&w.store, 0);
    acme_with(
        &w.store,
        &[("health", score(61)), ("stage", text("onboarding"))],
    );
    begin(&w.store, 3);
    acme_with(
        &w.store,
        &[("health", score(70)), ("stage", text("onboarding"))],
    );
    acme_with(
        &w.store,
        &[("health", score(71)), ("stage", text("adopting"))],
    );
    begin(&w.store, 7);
    // Changed and changed back on one day.
    acme_with(
        &w.store,
        &[("health", score(20)), ("stage", text("adopting"))],
    );
    acme_with(
        &w.store,
        &[("health", score(71)), ("stage", text("adopting"))],
    );
    begin(&w.store, 9);
    acme_with(&w.store, &[]);
    let known: Vec<_> = [0, 2, 3, 6, 7, 8, 9, 30]
        .map(|n| health(&w.store, n))
        .to_vec();
    let (a, b) = (Some(61), Some(71));
    assert_eq!(known, [a, a, b, b, b, b, None, None]);
    let (rows, past) = as_of(&w.store, day(5)).unwrap();
    assert_eq!(rows.accounts[0].0.stage.as_deref(), Some("adopting"));
    assert_eq!((past.first, past.known, past.changed), (day(0), day(3), 1));
    let points = wait(w.store.history(LocalId(1))).unwrap();
    let line: Vec<(Date, Option<u8>)> = points.iter().map(|p| (p.date, p.health)).collect();
    assert_eq!(line, [(day(0), a), (day(3), b), (day(9), None)]);
}

#[test]
fn rows_that_came_later_or_left_are_there_on_their_days_only() {
    let w = world();
    let renewal = |id, due| {
        row(
            Entity::Renewal,
            id,
            &[("name", text("R")), ("due", FieldValue::Date(due))],
        )
    };
    let ids = |n: i32| -> Vec<(u32, Option<Date>)> {
        let (rows, _) = as_of(&w.store, day(n)).expect("known");
        let mut ids: Vec<_> = rows.renewals.iter().map(|r| (r.id.0, r.due)).collect();
        ids.sort_unstable();
        ids
    };
    let remove = |id| {
        let batch = MergeBatch {
            removed: vec![target(Entity::Renewal, id)],
            ..MergeBatch::default()
        };
        wait(w.store.write_merged(batch, at(0))).expect("written");
    };
    begin(&w.store, 0);
    put(&w.store, vec![renewal(1, day(100)), renewal(2, day(200))]);
    begin(&w.store, 1);
    put(&w.store, vec![renewal(3, day(300))]);
    begin(&w.store, 2);
    remove(2);
    put(&w.store, vec![renewal(3, day(301))]);
    begin(&w.store, 4);
    put(&w.store, vec![renewal(2, day(222))]);
    // Came and left on one day: never there.
    put(&w.store, vec![renewal(4, day(4))]);
    remove(4);
    begin(&w.store, 5);
    put(&w.store, vec![renewal(2, day(223))]);
    remove(3);
    let (d1, d2) = (Some(day(100)), Some(day(200)));
    assert_eq!(ids(0), [(1, d1), (2, d2)]);
    assert_eq!(ids(1), [(1, d1), (2, d2), (3, Some(day(300)))]);
    assert_eq!(ids(2), [(1, d1), (3, Some(day(301)))]);
    assert_eq!(ids(3), ids(2));
    assert_eq!(ids(4), [(1, d1), (2, Some(day(222))), (3, Some(day(301)))]);
    assert_eq!(ids(5), [(1, d1), (2, Some(day(223)))]);
    assert_eq!(ids(9), ids(5));
}

#[test]
fn a_clock_that_was_set_back_changes_nothing_of_what_was_known() {
    let w = world();
    begin(&w.store, 0);
    acme_with(&w.store, &[("health", score(61))]);
    begin(&w.store, 10);
    acme_with(&w.store, &[("health", score(50))]);
    begin(&w.store, 4);
    acme_with(&w.store, &[("health", score(40))]);
    let known: Vec<_> = [0, 4, 9, 10].map(|n| health(&w.store, n)).to_vec();
    assert_eq!(known, [Some(61), Some(61), Some(61), Some(40)]);
    begin(&w.store, 11);
    acme_with(&w.store, &[("health", score(30))]);
    assert_eq!(
        [health(&w.store, 10), health(&w.store, 11)],
        [Some(40), Some(30)]
    );
}

#[test]
fn an_edit_that_was_given_up_leaves_the_row_where_it_was() {
    let w = world();
    begin(&w.store, 0);
    acme(&w.store);
    put(
        &w.store,
        vec![row(
            Entity::Renewal,
            1,
            &[
                ("account", FieldValue::Id(LocalId(1))),
                ("name", text("R")),
                ("stage", text("Quote")),
            ],
        )],
    );
    begin(&w.store, 1);
    let edit = change(
        Verb::Update,
        target(Entity::Renewal, 1),
        "crm",
        &[("stage", text("Quote"), text("Signed"))],
    );
    let done = wait(w.store.commit_operation(operation(0, vec![edit]), GRACE)).unwrap();
    wait(w.store.drop_item(&done.items[0].id, at(1))).unwrap();
    let (rows, _) = as_of(&w.store, day(0)).unwrap();
    assert_eq!(
        rows.renewals.len(),
        1,
        "its number has grown, but it was there"
    );
}

#[test]
fn what_signals_and_dated_rows_say_is_that_of_the_day() {
    let w = world();
    begin(&w.store, 0);
    acme_with(&w.store, &[]);
    let signal = |id, kind: &str, on: i32, value: f64| {
        row(
            Entity::Signal,
            id,
            &[
                ("account", FieldValue::Id(LocalId(1))),
                ("kind", text(kind)),
                ("at", FieldValue::Date(day(on))),
                ("value", FieldValue::Number(value)),
            ],
        )
    };
    put(
        &w.store,
        vec![
            signal(1, "health", 0, 80.0),
            signal(2, "usage.weekly", -7, 100.0),
        ],
    );
    begin(&w.store, 40);
    put(
        &w.store,
        vec![
            signal(3, "health", 40, 30.0),
            signal(4, "usage.weekly", 35, 50.0),
        ],
    );
    put(
        &w.store,
        vec![row(
            Entity::Ticket,
            1,
            &[
                ("account", FieldValue::Id(LocalId(1))),
                ("subject", text("Down")),
                ("opened", FieldValue::Date(day(10))),
                ("closed", FieldValue::Date(day(20))),
                ("status_kind", text("closed")),
            ],
        )],
    );
    let of = |n| as_of(&w.store, day(n)).unwrap().0.accounts.remove(0);
    let (a, facts) = of(15);
    assert_eq!(a.health, Some(80));
    assert_eq!(
        (facts.usage[11], facts.usage_at),
        (Some(100), Some(day(-7)))
    );
    assert_eq!((facts.open_tickets, facts.health_before), (1, None));
    let (a, facts) = of(40);
    assert_eq!((a.health, facts.health_before), (Some(30), Some(80)));
    assert_eq!(
        (facts.usage[5], facts.usage[11], facts.open_tickets),
        (Some(100), Some(50), 0)
    );
}

#[test]
fn health_of_a_month_before_is_known_from_history_where_no_score_is_dated() {
    let w = world();
    begin(&w.store, 0);
    acme_with(&w.store, &[("health", score(90))]);
    begin(&w.store, 20);
    acme_with(&w.store, &[("health", score(60))]);
    begin(&w.store, 60);
    acme_with(&w.store, &[("health", score(40))]);
    let before = |n| {
        as_of(&w.store, day(n)).unwrap().0.accounts[0]
            .1
            .health_before
    };
    assert_eq!(
        [before(10), before(35), before(55)],
        [None, Some(90), Some(60)]
    );
}

#[test]
fn the_daily_rows_of_older_formats_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    for sql in [
        include_str!("../migrations/0001.sql"),
        include_str!("../migrations/0002.sql"),
        include_str!("../migrations/0003.sql"),
        "INSERT INTO account(id,seq,name,arr,arr_currency,health,segment,csm) VALUES(1,5,'Acme',20000,'USD',40,'smb',7),(2,6,'Boreal',NULL,NULL,NULL,NULL,NULL);
         UPDATE counter SET value=9 WHERE name='seq';
         INSERT INTO daily_history VALUES(1,'2026-01-01',10000,'USD',60,'smb',7),(1,'2026-01-05',20000,'USD',60,'smb',7),(2,'2026-01-05',NULL,NULL,80,NULL,NULL);
         PRAGMA user_version=3; PRAGMA application_id=0x63736f70;",
    ] {
        db.execute_batch(sql).unwrap();
    }
    drop(db);
    let store = Store::open(&path, Options::default()).unwrap();
    wait(store.begin_day(date(2026, 2, 1))).unwrap();
    let known = |d| -> Vec<(i64, Option<u8>)> {
        let (rows, _) = as_of(&store, d).unwrap();
        rows.accounts
            .iter()
            .map(|(a, _)| (a.arr.map_or(0, |m| m.minor), a.health))
            .collect()
    };
    assert_eq!(known(date(2026, 1, 4)), [(10_000, Some(60))]);
    assert_eq!(known(date(2026, 1, 5)), [(20_000, Some(60)), (0, Some(80))]);
    assert_eq!(known(date(2026, 2, 1)), [(20_000, Some(40)), (0, None)]);
    assert!(as_of(&store, date(2025, 12, 31)).is_err());
}

#[test]
fn figures_of_a_day_take_the_place_of_earlier_ones_of_it() {
    let w = world();
    let of = |on, key: &str, arr| crate::book::DayFigures {
        day: on,
        by: "segment".into(),
        key: key.into(),
        currency: "USD".into(),
        arr,
        ..crate::book::DayFigures::default()
    };
    wait(
        w.store
            .put_figures(vec![of(day(0), "smb", 1), of(day(0), "mid", 2)]),
    )
    .unwrap();
    wait(w.store.put_figures(vec![of(day(1), "smb", 3)])).unwrap();
    wait(w.store.put_figures(vec![of(day(0), "smb", 4)])).unwrap();
    assert_eq!(
        wait(w.store.figures()),
        Ok(vec![of(day(0), "smb", 4), of(day(1), "smb", 3)])
    );
}

/// What happens to one of a few rows on one of a few days.
#[derive(Clone, Debug)]
enum Step {
    Day(i32),
    Write(Entity, u32, u8, Option<u8>),
    Remove(Entity, u32),
}

fn step() -> impl Strategy<Value = Step> {
    let entity = prop::sample::select(vec![
        Entity::Account,
        Entity::Renewal,
        Entity::Movement,
        Entity::Rate,
    ]);
    prop_oneof![
        2 => (1i32..4).prop_map(Step::Day),
        5 => (entity.clone(), 1u32..4, 0u8..3, prop::option::of(0u8..3)).prop_map(|(e, id, a, b)| Step::Write(e, id, a, b)),
        2 => (entity, 1u32..4).prop_map(|(e, id)| Step::Remove(e, id)),
    ]
}

fn made(entity: Entity, id: u32, a: u8, b: Option<u8>) -> MergedRow {
    let words = ["one", "two", "three"];
    let amount = b.map_or(FieldValue::Null, |b| {
        FieldValue::Money(crate::book::Money::new(i64::from(b) * 1_000_003, "EUR").expect("money"))
    });
    match entity {
        Entity::Account => row(
            entity,
            id,
            &[("name", text(words[a as usize])), ("arr", amount)],
        ),
        Entity::Renewal => row(
            entity,
            id,
            &[
                ("stage", text(words[a as usize])),
                ("amount", amount),
                ("next_step", text(words[a as usize])),
            ],
        ),
        Entity::Movement => row(
            entity,
            id,
            &[("kind", text(words[a as usize])), ("amount", amount)],
        ),
        _ => row(
            entity,
            id,
            &[
                ("from", text(words[a as usize])),
                ("to", text("USD")),
                (
                    "rate",
                    b.map_or(FieldValue::Null, |b| FieldValue::Number(f64::from(b) + 0.5)),
                ),
            ],
        ),
    }
}

type Rows = (Vec<Account>, Vec<Renewal>, Vec<Rate>);

fn rows_now(store: &Store) -> Rows {
    let rows = all(store);
    let mut renewals = rows.renewals;
    // What is fleeting is not kept.
    renewals.iter_mut().for_each(|r| r.next_step = None);
    sorted((
        rows.accounts.into_iter().map(|a| a.0).collect(),
        renewals,
        rows.rates,
    ))
}

fn sorted((mut accounts, mut renewals, mut rates): Rows) -> Rows {
    accounts.sort_by_key(|a| a.id);
    renewals.sort_by_key(|r| r.id);
    rates.sort_by_key(|r| r.id);
    (accounts, renewals, rates)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_day_comes_back_as_it_was_at_its_end(steps in prop::collection::vec(step(), 1..60)) {
        let w = world();
        let mut today = 0;
        begin(&w.store, 0);
        let mut ends: Vec<(i32, Rows)> = Vec::new();
        for step in steps {
            match step {
                Step::Day(n) => {
                    ends.push((today, rows_now(&w.store)));
                    today += n;
                    begin(&w.store, today);
                }
                Step::Write(entity, id, a, b) => {
                    put(&w.store, vec![made(entity, id, a, b)]);
                }
                Step::Remove(entity, id) => {
                    let batch = MergeBatch { removed: vec![target(entity, id)], ..MergeBatch::default() };
                    wait(w.store.write_merged(batch, at(0))).expect("written");
                }
            }
        }
        ends.push((today, rows_now(&w.store)));
        for (n, rows) in ends {
            let (then, _) = as_of(&w.store, day(n)).expect("known");
            let then = sorted((then.accounts.into_iter().map(|a| a.0).collect(), then.renewals, then.rates));
            prop_assert_eq!(then, rows, "day {}", n);
        }
    }
}

/// Three years of a book that lives: scores every week, stages and categories every month, owners and amounts now and then.
/// `CSOPS_HISTORY_ACCOUNTS=2000 cargo test --release --lib years_of_history -- --nocapture` prints what a larger one costs.
#[test]
fn years_of_history_stay_small() {
    let accounts: u32 = std::env::var("CSOPS_HISTORY_ACCOUNTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(60);
    const WEEKS: i32 = 156;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("csops.db");
    fill::generate(&path, accounts, 7).unwrap();
    let store = Store::open(&path, Options::default()).unwrap();
    wait(store.begin_day(FIRST)).unwrap();
    let (mut book, mut renewals) = {
        let rows = all(&store);
        let of: Vec<Account> = rows.accounts.into_iter().map(|a| a.0).collect();
        (of, rows.renewals)
    };
    let bytes = |what: &str| -> i64 {
        let db = rusqlite::Connection::open(&path).unwrap();
        db.query_row(
            &format!("SELECT coalesce(sum(pgsize),0) FROM dbstat WHERE name LIKE '{what}'"),
            [],
            |r| r.get(0),
        )
        .unwrap()
    };
    let (mut dice, mut changes) = (1u64, 0u64);
    let mut below = |n: u64| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % n
    };
    for week in 1..=WEEKS {
        begin(&store, week * 7);
        let mut rows = Vec::new();
        for (a, r) in book.iter_mut().zip(&mut renewals) {
            let mut changed = false;
            // Half of all scores move in a week.
            if below(2) == 0 {
                a.health = Some(below(101) as u8);
                changed = true;
            }
            if below(26) == 0 {
                a.stage = Some(["adopting", "growing", "renewing"][below(3) as usize].into());
                changed = true;
            }
            if below(100) == 0 {
                a.csm = Some(LocalId(1 + below(200) as u32));
                a.arr = crate::book::Money::new(below(90_000_000) as i64, "USD");
                changed = true;
            }
            let mut of = |row: AnyRow| {
                changes += 1;
                rows.push(MergedRow {
                    row,
                    extra: Vec::new(),
                    provenance: Vec::new(),
                });
            };
            if changed {
                of(AnyRow::Account(a.clone()));
            }
            if below(8) == 0 {
                r.forecast = Some(["pipeline", "best", "commit"][below(3) as usize].into());
                r.probability = Some(below(101) as u8);
                of(AnyRow::Renewal(r.clone()));
            }
        }
        for part in rows.chunks(5_000) {
            let batch = MergeBatch {
                rows: part.to_vec(),
                ..MergeBatch::default()
            };
            wait(store.write_merged(batch, at(i64::from(week)))).unwrap();
        }
    }
    let size = bytes("history%");
    for back in [7, WEEKS * 7 / 2, WEEKS * 7 - 3] {
        let (rows, _) = as_of(&store, day(WEEKS * 7 - back)).unwrap();
        assert_eq!(rows.accounts.len(), accounts as usize);
    }
    let (change, year) = (
        size as f64 / changes as f64,
        size as f64 / f64::from(accounts) / (f64::from(WEEKS) / 52.0),
    );
    println!(
        "{accounts} accounts, {changes} changed rows: {change:.1} bytes a change, {year:.0} bytes an account-year"
    );
    // Pages that are half full weigh more in a small book: 5.9 and 199 at 2,000 accounts.
    assert!(change < 12.0, "a change takes {change:.1} bytes");
    assert!(year < 400.0, "an account's year takes {year:.0} bytes");
}

#[test]
fn only_rows_that_changed_are_written_down() {
    let w = world();
    begin(&w.store, 0);
    let rows = |week: u8| -> Vec<MergedRow> {
        (1..=300)
            .map(|id| {
                let health = if week > 0 && id % 100 == 0 { 10 } else { 60 };
                row(
                    Entity::Account,
                    id,
                    &[("name", text("A")), ("health", score(health))],
                )
            })
            .collect()
    };
    put(&w.store, rows(0));
    begin(&w.store, 7);
    // A full sync that says of all but three what is known.
    put(&w.store, rows(1));
    assert_eq!(sql::<i64>(&w, "SELECT count(*) FROM history"), 3);
    assert_eq!(
        sql::<i64>(&w, "SELECT sum(length(data)) FROM history"),
        3 * 4
    );
    let db = rusqlite::Connection::open(w.store.path()).unwrap();
    let plan: String = db
        .query_row(
            "EXPLAIN QUERY PLAN SELECT first,last,gone,data FROM history WHERE kind=1 AND id=1 ORDER BY first DESC LIMIT 1",
            [],
            |r| r.get(3),
        )
        .unwrap();
    assert!(plan.starts_with("SEARCH"), "{plan}");
}
