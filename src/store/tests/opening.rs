//! Opening: every way in which a file can refuse has a sentence, and the file is left as it was.

use super::*;
use std::fs;

fn refuse(path: &std::path::Path) -> StoreError {
    let before = fs::read(path).ok();
    let options = Options {
        busy: Duration::from_millis(30),
        ..Options::default()
    };
    let error = match Store::open(path, options) {
        Ok(_) => panic!("it opened"),
        Err(e) => e,
    };
    assert_eq!(fs::read(path).ok(), before, "the file was touched");
    assert!(error.to_string().len() > 40, "{error}");
    error
}

fn sqlite(path: &std::path::Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).expect("opened")
}

#[test]
fn a_new_file_is_for_its_owner_only_and_opens_again() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/csops.db");
    let store = Store::open(&path, Options::default()).unwrap();
    wait(store.put_meta("a", "b")).unwrap();
    let mode = |p: &std::path::Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&folder.path().join("deep/er/csops.db-wal")), 0o600);
    wait(store.close()).unwrap();
    assert_eq!(wait(store.seq()), Err(StoreError::Closed));
    let again = Store::open(&path, Options::default()).unwrap();
    assert_eq!(wait(again.meta("a")).unwrap().as_deref(), Some("b"));
}

#[test]
fn what_is_no_database_of_ours_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    fs::write(&path, "not a database at all, but long enough").unwrap();
    assert!(matches!(refuse(&path), StoreError::NotADatabase(_)));
    fs::write(&path, "short").unwrap();
    assert!(matches!(refuse(&path), StoreError::NotADatabase(_)));
    let other = folder.path().join("other.db");
    sqlite(&other)
        .execute_batch("CREATE TABLE songs(x)")
        .unwrap();
    assert!(matches!(refuse(&other), StoreError::NotADatabase(_)));
    assert!(matches!(
        Store::open(folder.path(), Options::default()).err(),
        Some(StoreError::CannotOpen { .. })
    ));
}

#[test]
fn a_newer_format_is_refused() {
    let w = world();
    let path = w.store.path().to_owned();
    wait(w.store.close()).unwrap();
    sqlite(&path)
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(matches!(refuse(&path), StoreError::Newer { found: 99, .. }));
}

#[test]
fn a_damaged_file_is_refused_and_kept() {
    let w = world();
    acme(&w.store);
    let path = w.store.path().to_owned();
    wait(w.store.close()).unwrap();
    // Whoever closes last folds the log in; only then is the file alone.
    while path.with_extension("db-wal").exists() {
        std::thread::yield_now();
    }
    let mut bytes = fs::read(&path).unwrap();
    for b in &mut bytes[4096..4096 * 6] {
        *b = 0x5a;
    }
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(refuse(&path), StoreError::Corrupt { .. }));
    fs::write(&path, &bytes[..3000]).unwrap();
    let error = refuse(&path);
    assert!(
        matches!(
            error,
            StoreError::Corrupt { .. } | StoreError::NotADatabase(_)
        ),
        "{error:?}"
    );
    // Emptied, but its log is still there: that is no new database.
    fs::write(&path, "").unwrap();
    fs::write(path.with_extension("db-wal"), "something").unwrap();
    assert!(matches!(refuse(&path), StoreError::Corrupt { .. }));
}

#[test]
fn a_lock_held_elsewhere_is_named_and_passes() {
    let w = world();
    let options = Options {
        busy: Duration::from_millis(30),
        ..Options::default()
    };
    let other = sqlite(w.store.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = Store::open(w.store.path(), options.clone()).err().unwrap();
    assert!(matches!(error, StoreError::Locked(_)) && error.is_passing());
    other.execute_batch("COMMIT").unwrap();
    assert!(Store::open(w.store.path(), options).is_ok());
}

#[test]
fn a_full_disk_refuses_the_page_and_keeps_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("csops.db");
    let options = Options {
        max_pages: Some(150),
        ..Options::default()
    };
    let store = Store::open(&path, options).unwrap();
    let run = wait(store.begin_run(&crm(), false, at(0))).unwrap();
    let rows = |n: usize| -> Vec<Record> {
        (0..200)
            .map(|i| {
                rec(
                    Entity::Account,
                    &format!("{n}-{i}"),
                    &[("name", text(&"x".repeat(300)))],
                )
            })
            .collect()
    };
    let mut stored = 0;
    let error = loop {
        match wait(store.apply_page(page("accounts", run, &stored.to_string(), rows(stored)))) {
            Ok(_) => stored += 1,
            Err(e) => break e,
        }
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert!(stored > 0);
    let cursor = wait(store.cursor(&crm(), "accounts")).unwrap();
    assert_eq!(cursor, Some(Cursor((stored - 1).to_string())));
    let records: u64 = wait(store.counts())
        .unwrap()
        .records
        .iter()
        .map(|r| r.2)
        .sum();
    assert_eq!(records, stored as u64 * 200);
    assert!(wait(store.check()).unwrap().is_empty());
}

#[test]
fn a_store_that_cannot_be_written_says_so() {
    let w = world();
    let error = wait(w.store.on_writer(|writer| {
        // What a file without write permission answers, also where tests run as root.
        writer.db.pragma_update(None, "query_only", "ON")?;
        writer.db.execute("DELETE FROM meta", [])?;
        Ok(())
    }));
    assert_eq!(error, Err(StoreError::ReadOnly(w.store.path().to_owned())));
    assert_eq!(wait(w.store.seq()), Ok(0), "reading goes on");
}

#[test]
fn two_stores_share_a_file_and_notice_each_other() {
    let w = world();
    let other = Store::open(w.store.path(), Options::default()).unwrap();
    let mine = |s: &Store| wait(s.changed_elsewhere()).unwrap();
    let _ = (mine(&w.store), mine(&other));
    acme(&w.store);
    assert!(!mine(&w.store));
    assert!(mine(&other));
    assert!(!mine(&other));
    assert_eq!(account(&other, 1).name, "Acme");

    let ttl = Duration::from_secs(60);
    assert_eq!(
        wait(w.store.lease("sync", "one", ttl)).unwrap(),
        Lease::Ours
    );
    assert_eq!(
        wait(w.store.lease("sync", "one", ttl)).unwrap(),
        Lease::Ours
    );
    match wait(other.lease("sync", "two", ttl)).unwrap() {
        Lease::Theirs { holder, left } => assert!(holder == "one" && left <= ttl),
        Lease::Ours => panic!("two hold it"),
    }
    wait(other.release_lease("sync", "two")).unwrap();
    assert_ne!(wait(other.lease("sync", "two", ttl)).unwrap(), Lease::Ours);
    wait(w.store.release_lease("sync", "one")).unwrap();
    assert_eq!(wait(other.lease("sync", "two", ttl)).unwrap(), Lease::Ours);
    // A holder that is gone does not hold it for ever.
    assert_eq!(
        wait(other.lease("sync", "two", Duration::ZERO)).unwrap(),
        Lease::Ours
    );
    assert_eq!(
        wait(w.store.lease("sync", "one", ttl)).unwrap(),
        Lease::Ours
    );
    drop(w.folder);
}

#[test]
fn a_database_of_the_first_format_is_brought_to_todays_with_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("csops.db");
    let old = sqlite(&path);
    old.execute_batch(include_str!("../migrations/0001.sql"))
        .unwrap();
    old.execute_batch(
        "INSERT INTO rate(id,seq,\"from\",\"to\",rate,at) VALUES(1,1,'EUR','USD',1.1,'2026-01-01');
         INSERT INTO account(id,seq,name) VALUES(1,1,'Acme');
         INSERT INTO source_record(source,entity,external_id,stream,fields,dirty)
             VALUES('crm','account','001','accounts','{\"name\":{\"text\":\"Acme\"}}',0);
         INSERT INTO crosswalk VALUES('crm','account','001',1,'identifier'),('cs','account','Acme Ltd.',1,'named');
         INSERT INTO row_extra VALUES('account',1,1,'[[\"Seats\",{\"number\":9.0}]]',NULL);
         PRAGMA application_id=1668509552; PRAGMA user_version=1;",
    )
    .unwrap();
    drop(old);
    let store = Store::open(&path, Options::default()).unwrap();
    let ties = wait(store.external_ids(target(Entity::Account, 1))).unwrap();
    let ties: Vec<_> = (ties
        .iter()
        .map(|t| (&*t.source, t.external_id.as_str(), t.how)))
    .collect();
    assert_eq!(
        ties,
        [
            ("crm", "001", MatchHow::Identifier),
            ("cs", "Acme Ltd.", MatchHow::Named)
        ]
    );
    let detail = wait(store.detail(LocalId(1))).unwrap().unwrap();
    assert_eq!(detail.extra, [("Seats".into(), FieldValue::Number(9.0))]);
    // What was stored as JSON is the same record as what comes now.
    let run = wait(store.begin_run(&crm(), false, at(0))).unwrap();
    let same = rec(Entity::Account, "001", &[("name", text("Acme"))]);
    let stats = wait(store.apply_page(page("accounts", run, "1", vec![same]))).unwrap();
    assert_eq!((stats.unchanged, stats.changed), (1, 0));
    let rates = all(&store).rates;
    assert_eq!(rates.len(), 1);
    assert_eq!((rates[0].rate, rates[0].kind.as_deref()), (Some(1.1), None));
    put(
        &store,
        vec![row(
            Entity::Subscription,
            1,
            &[
                ("line", text("P1")),
                ("account", FieldValue::Id(LocalId(7))),
            ],
        )],
    );
    let counts = wait(store.counts()).unwrap();
    assert!(counts.rows.contains(&("subscription", 1)), "{counts:?}");
}
