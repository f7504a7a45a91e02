//! What a first load leaves away and has again at its end, what it remembers, and the log that it fills.

use super::*;
use crate::book::DirtyBatch;
use crate::book::StoredRecord;

fn sql<T: rusqlite::types::FromSql>(store: &Store, sql: &str) -> T {
    let db = rusqlite::Connection::open(store.path()).expect("opened");
    db.query_row(sql, [], |r| r.get(0)).expect("a row")
}

fn week(day: &str) -> FieldValue {
    FieldValue::Date(day.parse().expect("a day"))
}

/// A page with weeks of usage of account 1.
fn usage(days: &[&str], first: u32, loading: bool) -> FreshPage {
    let fields = |day: &str| {
        vec![
            ("kind", text("usage.weekly")),
            ("at", week(day)),
            ("value", FieldValue::Number(40.0)),
        ]
    };
    let records: Vec<Record> = days
        .iter()
        .map(|d| rec(Entity::Signal, d, &fields(d)))
        .collect();
    let rows = (first..).zip(days).map(|(n, day)| {
        let mut all = fields(day);
        all.push(("account", FieldValue::Id(LocalId(1))));
        row(Entity::Signal, n, &all)
    });
    FreshPage {
        packed: records.iter().map(|r| pack(&r.fields)).collect(),
        merged: vec![FreshBatch {
            first_new: LocalId(first),
            records: days.len(),
            each_new: true,
            batch: MergeBatch {
                rows: rows.collect(),
                clean: records
                    .iter()
                    .map(|r| key("crm", Entity::Signal, &r.external_id))
                    .collect(),
                ..MergeBatch::default()
            },
        }],
        page: page("usage", 1, days[0], records),
        moves: Some(0),
        loading,
    }
}

/// What is known of the facts of all accounts that were left behind.
fn found(store: &Store) -> Facts {
    let spans = wait(store.unsettled(100)).expect("spans");
    let span = spans.first().cloned();
    let span = span.unwrap_or(LocalId(1)..=LocalId(1));
    wait(store.facts(span, at(0))).expect("facts")
}

fn settled(store: &Store) -> u64 {
    wait(store.settle(found(store))).expect("settled")
}

fn weeks(store: &Store) -> usize {
    let rows = wait(store.load_since(0)).expect("rows");
    rows.accounts[0].1.usage.iter().flatten().count()
}

const INDEXES: &str = "SELECT count(*) FROM sqlite_schema WHERE name='signal_account'";

#[test]
fn signals_of_a_first_load_are_found_by_account_at_its_end_even_after_a_restart() {
    let w = world();
    acme(&w.store);
    let first = wait(w.store.reserve_ids(Entity::Signal, 3)).expect("ids").0;
    let some = usage(&["2027-01-04", "2026-12-28"], first, true);
    let stored = wait(w.store.apply_fresh(some.into())).expect("stored");
    assert_eq!(stored.map(|s| s.inserted), Some(2));
    assert_eq!(sql::<i64>(&w.store, INDEXES), 0);
    assert_eq!((settled(&w.store), weeks(&w.store)), (0, 0));
    // Somebody who writes meanwhile does not look through all signals either, and what waits goes on waiting.
    put(
        &w.store,
        vec![row(Entity::Account, 1, &[("name", text("Acme Ltd."))])],
    );
    assert_eq!(weeks(&w.store), 0);
    wait(w.store.close()).expect("closed");

    let store = Store::open(w.store.path(), Options::default()).expect("a store");
    wait(store.end_load()).expect("an end");
    assert_eq!(sql::<i64>(&store, INDEXES), 1);
    assert_eq!((settled(&store), weeks(&store)), (1, 2));
    assert_eq!(settled(&store), 0);
    // Where there are signals already, those that come are found at once.
    let more = usage(&["2026-12-21"], first + 2, false);
    wait(store.apply_fresh(more.into())).expect("stored");
    assert_eq!(sql::<i64>(&store, INDEXES), 1);
    assert_eq!((settled(&store), weeks(&store)), (1, 3));
}

#[test]
fn accounts_are_settled_once_through_however_many_there_are() {
    let w = world();
    let accounts = (1..=7u32).map(|n| row(Entity::Account, n, &[("name", text("A"))]));
    put(&w.store, accounts.collect());
    let db = rusqlite::Connection::open(w.store.path()).expect("opened");
    let note = |rows: &str| {
        db.execute_batch(&format!("INSERT INTO unsettled(account,parts) {rows}"))
            .expect("noted");
    };
    note("SELECT id,127 FROM account");
    let spans = || wait(w.store.unsettled(3)).expect("spans");
    let settle = |span: &Span| {
        let facts = wait(w.store.facts(span.clone(), at(0))).expect("facts");
        wait(w.store.settle(facts)).expect("settled")
    };
    let of = |from, to| LocalId(from)..=LocalId(to);
    let all = spans();
    assert_eq!(all, [of(1, 3), of(4, 6), of(7, 7)]);
    assert_eq!(settle(&all[0]), 3);
    // What is touched behind is left for the next time.
    note("VALUES(1,2)");
    assert_eq!((settle(&all[1]), settle(&all[2])), (3, 1));
    assert_eq!(spans(), [of(1, 1)]);
    assert_eq!(settle(&all[0]), 1);
    assert_eq!(settle(&all[0]), 0);
    assert_eq!(spans(), []);
}

#[test]
fn facts_that_became_old_before_they_were_written_are_looked_at_anew() {
    let w = world();
    acme(&w.store);
    let ids = wait(w.store.reserve_ids(Entity::Signal, 4)).expect("ids");
    let page = |days: &[&str], first| wait(w.store.apply_fresh(usage(days, first, false).into()));
    page(&["2027-01-04"], ids.0).expect("stored");
    wait(w.store.end_load()).expect("an end");
    // A page of the first load came.
    let old = found(&w.store);
    page(&["2026-12-28"], ids.0 + 1).expect("stored");
    assert_eq!(wait(w.store.settle(old)).expect("settled"), 1);
    assert_eq!(weeks(&w.store), 2);
    // Rows were merged in the usual way, which brings the facts up to date itself.
    page(&["2026-12-21"], ids.0 + 2).expect("stored");
    let old = found(&w.store);
    let value = [
        ("kind", text("usage.weekly")),
        ("at", week("2026-12-14")),
        ("value", FieldValue::Number(40.0)),
        ("account", FieldValue::Id(LocalId(1))),
    ];
    put(&w.store, vec![row(Entity::Signal, ids.0 + 3, &value)]);
    assert_eq!(weeks(&w.store), 4);
    assert_eq!(wait(w.store.settle(old)).expect("settled"), 1);
    assert_eq!(weeks(&w.store), 4);
    // Facts that are still true are written as they were found.
    let db = rusqlite::Connection::open(w.store.path()).expect("opened");
    db.execute_batch("INSERT INTO unsettled(account,parts) VALUES(1,64)")
        .expect("noted");
    let same = found(&w.store);
    db.execute_batch("DELETE FROM signal").expect("gone");
    assert_eq!(wait(w.store.settle(same)).expect("settled"), 1);
    assert_eq!(weeks(&w.store), 4);
}

#[test]
fn what_is_remembered_of_references_is_forgotten_when_a_record_moves() {
    let w = world();
    let named = |n, name| row(Entity::Account, n, &[("name", text(name))]);
    put(&w.store, vec![named(1, "Acme"), named(2, "Bolt")]);
    let asked = || {
        let batch = DirtyBatch {
            entity: Some(Entity::Renewal),
            dirty: vec![StoredRecord {
                source: crm(),
                record: rec(
                    Entity::Renewal,
                    "r",
                    &[("account", FieldValue::Ref("account-1".into()))],
                ),
            }],
            ..DirtyBatch::default()
        };
        let (batch, moves) = wait(w.store.context(batch)).expect("a context");
        let found: Vec<u32> = batch.crosswalk.iter().map(|t| t.local.0).collect();
        (found, moves)
    };
    assert_eq!(asked(), (vec![1], 0));
    assert_eq!(asked(), (vec![1], 0));
    wait(
        w.store
            .relink(vec![tie("crm", Entity::Account, "account-1", 2)], at(1)),
    )
    .expect("moved");
    assert_eq!(asked(), (vec![2], 1));
}

#[test]
fn a_tie_without_a_record_goes_with_the_record_when_that_comes() {
    let w = world();
    acme(&w.store);
    let ties = || wait(w.store.external_ids(target(Entity::Account, 1))).expect("ties");
    let apart = "SELECT count(*) FROM tie";
    let before = ties();
    assert_eq!((before.len(), sql::<i64>(&w.store, apart)), (1, 1));
    let run = wait(w.store.begin_run(&crm(), false, at(0))).expect("a run");
    let record = rec(Entity::Account, "account-1", &[("name", text("Acme"))]);
    wait(w.store.apply_page(page("accounts", run, "1", vec![record]))).expect("stored");
    assert_eq!((ties(), sql::<i64>(&w.store, apart)), (before, 0));
    let seen: String = sql(
        &w.store,
        "SELECT group_concat(source||' '||external_id||' '||local||' '||how) FROM crosswalk",
    );
    assert_eq!(seen, "crm account-1 1 new");
}

#[test]
fn the_log_is_moved_into_the_file_while_rows_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("csops.db");
    let options = Options {
        log_pages: 50,
        ..Options::default()
    };
    let store = Store::open(&path, options).expect("a store");
    let run = wait(store.begin_run(&crm(), false, at(0))).expect("a run");
    for n in 0..60 {
        let records = (0..100)
            .map(|i| {
                let name = format!("{n:02} {i:03} {}", "x".repeat(500));
                rec(
                    Entity::Account,
                    &format!("{n}-{i}"),
                    &[("name", text(&name))],
                )
            })
            .collect();
        wait(store.apply_page(page("accounts", run, &n.to_string(), records))).expect("stored");
    }
    // Sixty times a page of 100 rows are some 1,000 pages; a log that was never moved would hold more than that.
    let log = std::fs::metadata(folder.path().join("csops.db-wal")).expect("a log");
    assert!(log.len() < 600 * 4096, "{}", log.len());
    assert_eq!(
        sql::<i64>(&store, "SELECT count(*) FROM source_record"),
        6_000
    );
    assert!(wait(store.check()).expect("checked").is_empty());
    wait(store.close()).expect("closed");
}

#[test]
fn a_record_that_cannot_be_read_is_listed_and_keeps_nobody_waiting() {
    let w = world();
    let run = wait(w.store.begin_run(&crm(), false, at(0))).expect("a run");
    let named = |id: &str, name: &str| rec(Entity::Account, id, &[("name", text(name))]);
    let both = vec![named("1", "Acme"), named("2", "Bolt")];
    wait(w.store.apply_page(page("accounts", run, "1", both.clone()))).expect("stored");
    let db = rusqlite::Connection::open(w.store.path()).expect("opened");
    for bad in ["x'09'", "x'0126ff'", "'{\"name\":'"] {
        db.execute_batch(&format!(
            "UPDATE source_record SET dirty=1; UPDATE source_record SET fields={bad} WHERE external_id='1'"
        ))
        .expect("damaged");
        let batch = wait(w.store.dirty_batch(10))
            .expect("a batch")
            .expect("some");
        let ids: Vec<&str> = (batch.dirty.iter())
            .map(|s| s.record.external_id.as_str())
            .collect();
        assert_eq!(ids, ["2"], "{bad}");
        let problems = wait(w.store.row_problems(&crm(), 9)).expect("problems");
        assert!(
            problems[0].problem.reason.contains("damaged"),
            "{problems:?}"
        );
        // Read anew it is as before, and no problem any more.
        let stats = wait(w.store.apply_page(page("accounts", run, "1", both.clone())));
        assert_eq!(stats.expect("stored").changed, 1, "{bad}");
        assert_eq!(wait(w.store.row_problems(&crm(), 9)), Ok(Vec::new()));
        let batch = wait(w.store.dirty_batch(10))
            .expect("a batch")
            .expect("some");
        assert_eq!(batch.dirty[0].record.fields, both[0].fields);
    }
}

#[test]
fn a_source_is_the_only_one_of_a_kind_until_another_has_a_record_of_it() {
    let w = world();
    let only = |source: &str, entity| wait(w.store.is_only(&source.into(), entity)).expect("asked");
    let page = |source: &str, entity, id: &str| {
        let mut page = page(
            "stream",
            1,
            "c",
            vec![rec(entity, id, &[("name", text(id))])],
        );
        page.source = source.into();
        wait(w.store.apply_page(page)).expect("stored");
    };
    assert!(only("crm", Entity::Account));
    page("crm", Entity::Account, "a");
    assert!(only("crm", Entity::Account));
    assert!(!only("cs", Entity::Account));
    assert!(only("cs", Entity::Contact));
    page("cs", Entity::Contact, "c");
    assert!(!only("crm", Entity::Contact));
    assert!(only("crm", Entity::Account));
}
