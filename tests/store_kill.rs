//! `kill -9` at any moment: what the store has acknowledged is there afterwards, and a page is never without its cursor.

#![cfg(unix)]

use csops::book::{
    Change, Cursor, Entity, FieldChange, FieldValue, LocalId, Operation, Record, Target, Verb,
};
use csops::store::{Options, PageWrite, Storage, Store};
use jiff::Timestamp;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const CHILD: &str = "CSOPS_TEST_STORE_CHILD";
const ROWS: usize = 50;

fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(answer)
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("an instant")
}

fn page(n: usize) -> PageWrite {
    PageWrite {
        source: "crm".into(),
        stream: "accounts".into(),
        records: (0..ROWS)
            .map(|i| Record {
                entity: Entity::Account,
                external_id: format!("{n}-{i}"),
                modified: None,
                deleted: false,
                fields: vec![("name".into(), FieldValue::Text(format!("account {n} {i}")))],
            })
            .collect(),
        problems: Vec::new(),
        next: Cursor(n.to_string()),
        run: 1,
        now: now(),
    }
}

fn create(n: usize) -> Operation {
    Operation {
        id: String::new(),
        command: "task new".into(),
        summary: format!("task {n}"),
        at: now(),
        who: "dana@example.com".into(),
        changes: vec![Change {
            target: Target {
                entity: Entity::Task,
                id: LocalId::NONE,
            },
            account: LocalId(1),
            verb: Verb::Create,
            fields: vec![FieldChange {
                field: "title".into(),
                base: FieldValue::Null,
                want: FieldValue::Text(format!("task {n}")),
            }],
            source: "crm".into(),
        }],
        undoes: None,
        undone: false,
    }
}

/// The child's part: writes as fast as it can and says on its output what has been acknowledged.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(path) = std::env::var(CHILD) else {
        return;
    };
    let store = Store::open(Path::new(&path), Options::default()).expect("a store");
    let known = wait(store.cursor(&"crm".into(), "accounts")).expect("a cursor");
    let first = known.map_or(0, |c| c.0.parse::<usize>().expect("a number") + 1);
    for n in first.. {
        wait(store.apply_page(page(n))).expect("a page");
        let done = wait(store.commit_operation(create(n), Duration::ZERO)).expect("an operation");
        let item = &done.items[0].id;
        assert!(wait(store.mark_sending(item)).expect("marked"));
        // The output of a test is captured; this goes past it.
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nacknowledged {n} {item}").expect("told");
        out.flush().expect("told");
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("csops.db");
    drop(Store::open(&path, Options::default()).expect("a store"));
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..8usize {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "child_that_writes_until_it_is_killed",
                "--nocapture",
            ])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        // After another number of acknowledgements each time, so that it dies in the middle of something else.
        let mut left = 1 + round * 7 % 11;
        let mut lines = lines.map_while(Result::ok);
        for line in lines.by_ref() {
            let Some(rest) = line.strip_prefix("acknowledged ") else {
                continue;
            };
            acknowledged.push(rest.split_once(' ').expect("two words").1.to_owned());
            left -= 1;
            if left == 0 {
                break;
            }
        }
        assert_eq!(left, 0, "the child ended by itself");
        child.kill().expect("killed");
        child.wait().expect("gone");
        // What it said between the last line read and its death counts too.
        for line in lines {
            if let Some((_, item)) = line
                .strip_prefix("acknowledged ")
                .and_then(|rest| rest.split_once(' '))
                .filter(|(_, item)| item.len() == 36)
            {
                acknowledged.push(item.to_owned());
            }
        }

        let store = Store::open(&path, Options::default()).expect("it opens again");
        assert_eq!(wait(store.check()), Ok(vec![]));
        let cursor = wait(store.cursor(&"crm".into(), "accounts")).expect("a cursor");
        let pages = cursor
            .expect("a page")
            .0
            .parse::<usize>()
            .expect("a number")
            + 1;
        let counts = wait(store.counts()).expect("counts");
        let records: u64 = counts.records.iter().map(|r| r.2).sum();
        assert_eq!(
            records,
            (pages * ROWS) as u64,
            "a page without its cursor, or the other way round"
        );
        wait(store.recover_after_crash(now())).expect("recovered");
        let outbox = wait(store.outbox(0)).expect("an outbox");
        for item in &acknowledged {
            let found = outbox.iter().find(|i| i.id == *item);
            assert_eq!(
                found.map(|i| i.state.name()),
                Some("unknown"),
                "{item} is lost"
            );
        }
        let tasks = counts.rows.iter().find(|(kind, _)| *kind == "task");
        assert_eq!(
            tasks.map(|t| t.1),
            Some(outbox.len() as u64),
            "an operation half done"
        );
        wait(store.close()).expect("closed");
    }
    assert!(acknowledged.len() >= 8);
}
