//! `csops rebalance` through the real program: what is proposed, what may not move, and what becomes of it.

mod common;

use common::{csops, json};
use serde_json::Value;
use std::path::Path;
use std::process::Output;

const NOW: &str = "2026-11-22T09:00:00Z";

/// Dana has six accounts of 400 hours a year each, twice what she can do; Omar, in the same region, has one.
fn book(home: &Path) {
    let file = |name: &str, text: &str| {
        std::fs::write(home.join(name), text).expect("written");
        let o = run(home, &["import", &home.join(name).to_string_lossy()]);
        assert_eq!(o.status.code(), Some(0), "{}", said(&o));
    };
    file(
        "people.csv",
        "email,name,role,region\ndana@example.com,Dana,CSM,EMEA\nomar@example.com,Omar,CSM,EMEA\n",
    );
    let mut accounts = "id,name,segment,touch,csm,region,arr,currency\n".to_owned();
    for n in 1..=6 {
        accounts.push_str(&format!(
            "A{n},Account {n},smb,high,dana@example.com,EMEA,{}000,USD\n",
            n * 10
        ));
    }
    accounts.push_str("B1,Boreal,smb,high,omar@example.com,EMEA,30000,USD\n");
    file("accounts.csv", &accounts);
    std::fs::write(
        home.join("config.toml"),
        "[capacity]\nhours_per_year = 1800\ninternal_share = 0.0\n[capacity.hours]\nhigh = 400\n[capacity.rebalance]\nlimits = [\"hours\"]\n",
    )
    .expect("written");
}

fn run(home: &Path, args: &[&str]) -> Output {
    let config = home.join("config.toml");
    if !config.exists() {
        std::fs::write(&config, "").expect("written");
    }
    csops(home)
        .args(["--now", NOW, "--config", &config.to_string_lossy()])
        .args(args)
        .output()
        .expect("the program starts")
}

fn said(o: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&o.stdout),
        String::from_utf8_lossy(&o.stderr)
    )
}

fn ask(home: &Path, more: &[&str]) -> Value {
    let config = home.join("config.toml").to_string_lossy().into_owned();
    let mut args = vec!["--now", NOW, "--config", &config, "rebalance", "--json"];
    args.extend_from_slice(more);
    json(home, &args)
}

/// Whose each account is, by name.
fn whose(home: &Path) -> Vec<(String, String)> {
    let o = run(
        home,
        &["list", "accounts", "--columns", "name,csm", "--ndjson"],
    );
    assert!(o.status.success(), "{}", said(&o));
    let mut all: Vec<(String, String)> = String::from_utf8_lossy(&o.stdout)
        .lines()
        .map(|l| serde_json::from_str(l).expect("a row"))
        .map(|row: Value| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            (text("name"), text("csm"))
        })
        .collect();
    all.sort();
    all
}

fn moved(document: &Value) -> Vec<&str> {
    let moves = document["moves"].as_array().expect("moves");
    moves.iter().filter_map(|m| m["name"].as_str()).collect()
}

#[test]
fn the_fewest_moves_are_proposed_and_nothing_is_done_by_looking() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    book(home);
    let before = whose(home);
    let proposal = ask(home, &["--dry-run"]);
    // 2,400 hours where 1,800 fit: two of her accounts go, and then both have what fits.
    assert_eq!(moved(&proposal).len(), 2, "{proposal}");
    assert_eq!(proposal["overload"]["after"], 0.0, "{proposal}");
    assert!(proposal["overload"]["before"].as_f64() > Some(0.3));
    for m in proposal["moves"].as_array().expect("moves") {
        assert_eq!(
            (m["from"].as_str(), m["to"].as_str()),
            (Some("Dana"), Some("Omar"))
        );
        assert_eq!(m["command"], "owner omar@example.com", "{m}");
    }
    let shown = said(&run(home, &["rebalance", "--dry-run"]));
    assert!(shown.contains("with 2 moves, the fewest"), "{shown}");
    assert!(shown.contains("Dana → Omar"), "{shown}");
    assert_eq!(whose(home), before);

    // Who may not move stays, and what is left is said.
    let kept = ask(home, &["--dry-run", "--keep", "arr>=20k"]);
    assert_eq!(moved(&kept), ["Account 1"], "{kept}");
    assert_eq!(kept["kept"], 6, "{kept}");
    let one = ask(home, &["--dry-run", "--max-moves", "1"]);
    assert_eq!(moved(&one).len(), 1, "{one}");
}

#[test]
fn it_is_applied_as_owner_commands_that_can_be_undone() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    book(home);
    let before = whose(home);
    // Nobody says yes: nothing is done.
    let unasked = run(home, &["rebalance"]);
    assert_eq!(unasked.status.code(), Some(2), "{}", said(&unasked));
    assert!(said(&unasked).contains("--yes"), "{}", said(&unasked));
    assert_eq!(whose(home), before);

    let done = run(home, &["rebalance", "--yes"]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(
        said(&done).contains("2 accounts have another CSM"),
        "{}",
        said(&done)
    );
    let omars = |rows: &[(String, String)]| rows.iter().filter(|(_, csm)| csm == "Omar").count();
    assert_eq!((omars(&before), omars(&whose(home))), (1, 3));
    assert!(
        moved(&ask(home, &["--dry-run"])).is_empty(),
        "nothing is left to do"
    );
    for left in [2, 1] {
        let undone = run(
            home,
            &["do", "undo", "--kind", "accounts", "--on", "Boreal"],
        );
        assert_eq!(undone.status.code(), Some(0), "{}", said(&undone));
        assert_eq!(omars(&whose(home)), left);
    }
    assert_eq!(whose(home), before);
}

#[test]
fn what_cannot_be_understood_is_said() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    book(home);
    let bad = run(home, &["rebalance", "--keep", "segmnt:smb"]);
    assert_eq!(bad.status.code(), Some(2), "{}", said(&bad));
    assert!(said(&bad).contains("segment"), "{}", said(&bad));
    let bad = run(home, &["rebalance", "--max-moves", "many"]);
    assert_eq!(bad.status.code(), Some(2), "{}", said(&bad));
}
