//! What csops knew on earlier days, through the real program: files imported days apart, and the lists asked for each of those days.

mod common;

use common::{json, run};
use serde_json::{Value, json};
use std::path::Path;

fn import(home: &Path, now: &str, kind: &str, text: &str) {
    let file = home.join(format!("{kind}.csv"));
    std::fs::write(&file, text).expect("written");
    let file = file.to_string_lossy();
    let done = run(home, &["import", &file, "--kind", kind, "--now", now]);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn rows(home: &Path, args: &[&str]) -> Vec<Value> {
    let mut all = vec!["list"];
    all.extend_from_slice(args);
    all.push("--json");
    json(home, &all)["rows"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn refused(home: &Path, args: &[&str]) -> (Option<i32>, String) {
    let done = run(home, args);
    (
        done.status.code(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    )
}

const TODAY: &str = "2026-03-20T09:00:00Z";

/// Three days of a small book: what it was on each is in its files.
fn book(home: &Path) {
    let first = "2026-03-01T09:00:00Z";
    import(
        home,
        first,
        "accounts",
        "id,name,segment,csm,health\nA1,Acme,smb,dana@example.com,85\nA2,Boreal,smb,dana@example.com,20\n",
    );
    import(
        home,
        first,
        "renewals",
        "id,account,due,amount,currency,forecast\nR1,A1,2026-06-30,1000.00,USD,commit\nR2,A2,2026-05-31,500.00,USD,best\n",
    );
    let second = "2026-03-10T09:00:00Z";
    import(
        home,
        second,
        "accounts",
        "id,name,segment,csm,health\nA1,Acme,enterprise,omar@example.com,15\nA2,Boreal,smb,dana@example.com,90\nA3,Cobalt,smb,dana@example.com,10\n",
    );
    import(
        home,
        second,
        "renewals",
        "id,account,due,amount,currency,forecast\nR1,A1,2026-07-31,1200.00,USD,best\n",
    );
}

#[test]
fn lists_show_an_earlier_day_as_it_was_known_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    book(home);
    let queue = |day: &str| -> Vec<Value> {
        rows(
            home,
            &[
                "queue",
                "--as-of",
                day,
                "--now",
                TODAY,
                "--columns",
                "name,health",
            ],
        )
    };
    assert_eq!(
        queue("2026-03-01"),
        [json!({"name": "Boreal", "health": 20})]
    );
    assert_eq!(queue("2026-03-09"), queue("2026-03-01"));
    let mut names: Vec<String> = queue("2026-03-10")
        .iter()
        .map(|r| r["name"].to_string())
        .collect();
    names.sort();
    assert_eq!(names, ["\"Acme\"", "\"Cobalt\""]);
    assert_eq!(queue("2026-03-20"), queue("2026-03-10"));

    let renewals = |day: &str| -> Vec<Value> {
        rows(
            home,
            &[
                "renewals",
                "--as-of",
                day,
                "--now",
                TODAY,
                "--columns",
                "account,due,amount,forecast",
                "--sort",
                "due",
            ],
        )
    };
    let amount = |a: &str| json!({"amount": a, "currency": "USD"});
    assert_eq!(
        renewals("2026-03-05"),
        [
            json!({"account": "Boreal", "due": "2026-05-31", "amount": amount("500.00"), "forecast": "best"}),
            json!({"account": "Acme", "due": "2026-06-30", "amount": amount("1000.00"), "forecast": "commit"}),
        ]
    );
    // The second file has one renewal less: it is gone from that day on.
    assert_eq!(
        renewals("2026-03-12"),
        [
            json!({"account": "Acme", "due": "2026-07-31", "amount": amount("1200.00"), "forecast": "best"})
        ]
    );

    let segments = |day: &str| -> Vec<(Value, Value)> {
        rows(home, &["segments", "--as-of", day, "--now", TODAY])
            .into_iter()
            .filter(|r| r["by"] == "segment")
            .map(|r| (r["key"].clone(), r["accounts"].clone()))
            .collect()
    };
    assert_eq!(segments("2026-03-05"), [(json!("smb"), json!(2))]);
    assert_eq!(segments("2026-03-12").len(), 2);

    let accounts = rows(
        home,
        &["accounts", "csm:dana", "--as-of", "-15d", "--now", TODAY],
    );
    assert_eq!(accounts.len(), 2, "the CSM of that day is searched");

    let document = json(
        home,
        &[
            "list",
            "queue",
            "--as-of",
            "2026-03-05",
            "--now",
            TODAY,
            "--json",
        ],
    );
    assert_eq!(document["as_of"], "2026-03-05");
    assert_eq!(document["history"]["since"], "2026-03-01");
    assert_eq!(document["history"]["known"], "2026-03-01");
    assert_eq!(document["coverage"]["accounts"], 2);
}

#[test]
fn figures_of_an_earlier_day_are_those_of_its_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    book(home);
    // The day's figures are kept as soon as the book is read on it, and a page of that day sees no later ones.
    json(
        home,
        &["list", "queue", "--now", "2026-03-10T10:00:00Z", "--json"],
    );
    let page = |day: &str| {
        json(
            home,
            &["page", "trends", "--as-of", day, "--now", TODAY, "--json"],
        )
    };
    let then = page("2026-03-09");
    assert_eq!(then["as_of"], "2026-03-09");
    assert_eq!(then["sentence"], "No day is kept yet.");
    let sentence = page("2026-03-12")["sentence"].to_string();
    assert!(sentence.contains("2026-03-10: 3 accounts"), "{sentence}");
    let (code, said) = refused(
        home,
        &["page", "sync", "--as-of", "2026-03-09", "--now", TODAY],
    );
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn what_cannot_be_asked_of_an_earlier_day_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let (code, said) = refused(
        home,
        &["list", "queue", "--as-of", "2026-03-01", "--now", TODAY],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no history yet"), "{said}");
    book(home);
    let (code, said) = refused(
        home,
        &["list", "queue", "--as-of", "2026-02-28", "--now", TODAY],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no history before 2026-03-01"), "{said}");
    for (args, words) in [
        (
            vec!["list", "tasks", "--as-of", "2026-03-05"],
            "not kept by day",
        ),
        (
            vec!["list", "queue", "--as-of", "2027-01-01"],
            "has not come yet",
        ),
        (vec!["list", "queue", "--as-of", "soonish"], "is not a day"),
        (vec!["status", "--as-of", "2026-03-05"], "not kept by day"),
    ] {
        let mut all = args.clone();
        all.extend_from_slice(&["--now", TODAY]);
        let (code, said) = refused(home, &all);
        assert_eq!(code, Some(2), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
}

#[test]
fn what_is_done_here_is_undone_by_going_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    book(home);
    let done = run(
        home,
        &[
            "do",
            "snooze 2026-12-01",
            "--on",
            "name:Acme",
            "--yes",
            "--now",
            "2026-03-15T09:00:00Z",
        ],
    );
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let names = |day: &str| -> Vec<String> {
        let rows = rows(
            home,
            &[
                "queue",
                "--as-of",
                day,
                "--now",
                TODAY,
                "--columns",
                "name",
                "--sort",
                "name",
            ],
        );
        rows.iter()
            .filter_map(|r| r["name"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(names("2026-03-14"), ["Acme", "Cobalt"]);
    assert_eq!(names("2026-03-15"), ["Cobalt"]);
}
