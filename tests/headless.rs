//! The headless commands against simulated vendors in a process of their own: what an admin's scripts rely on.

mod common;

use common::vendors::Vendors;
use common::{csops, json, run};
use serde_json::{Value, json};

struct Office {
    home: tempfile::TempDir,
    vendors: Vendors,
    config: String,
    db: String,
}

impl Office {
    /// Vendors with a frozen world, and a database of our own beside theirs.
    fn open(extra: &[&str]) -> Office {
        let home = tempfile::tempdir().expect("a folder");
        let mut args = vec!["--freeze"];
        args.extend_from_slice(extra);
        let vendors = Vendors::start(home.path(), &args);
        let config = vendors.config.to_string_lossy().into_owned();
        let db = home.path().join("csops.db").to_string_lossy().into_owned();
        Office {
            home,
            vendors,
            config,
            db,
        }
    }
    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec!["--config", &self.config, "--db", &self.db];
        all.extend_from_slice(args);
        all
    }
    fn json(&self, args: &[&str]) -> Value {
        json(self.home.path(), &self.args(args))
    }
    fn run(&self, args: &[&str]) -> std::process::Output {
        run(self.home.path(), &self.args(args))
    }
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_sync_fills_the_lists_and_a_second_one_finds_nothing_new() {
    let office = Office::open(&["--accounts", "60"]);
    let synced = office.run(&["sync"]);
    assert!(synced.status.success(), "{}", stderr(&synced));
    assert!(synced.stdout.is_empty(), "narration belongs on stderr");

    let page = office.json(&["page", "overview", "--json", "--explain"]);
    assert!(
        page["as_of"].is_string() && page["coverage"].is_object(),
        "{page}"
    );
    let arr = &page["blocks"][0]["figures"][0];
    assert_eq!(
        (&arr["name"], &arr["why"]["rows_in"]),
        (&json!("arr"), &arr["coverage"]["known"])
    );
    assert!(arr["value"]["amount"].is_string(), "{arr}");
    assert_eq!(office.run(&["page", "nonsense"]).status.code(), Some(2));

    let accounts = office.json(&["list", "accounts", "--json"]);
    assert_eq!(accounts["kind"], "accounts");
    assert!(
        accounts["as_of"].is_string() && accounts["coverage"].is_object(),
        "{accounts}"
    );
    let rows = accounts["rows"].as_array().expect("rows");
    // Every account of the CRM is there, and those of the other system that are nobody's twin.
    let of_crm = office
        .vendors
        .soql("SELECT Id, Name FROM Account WHERE IsDeleted = false");
    assert!(
        rows.len() >= of_crm.len(),
        "{} rows for {} accounts",
        rows.len(),
        of_crm.len()
    );
    let names: Vec<&str> = rows.iter().filter_map(|r| r["name"].as_str()).collect();
    for account in &of_crm {
        let name = account["Name"].as_str().expect("a name");
        assert!(names.contains(&name), "{name:?} is missing");
    }

    let queue = office.json(&["list", "queue", "--json", "--limit", "5"]);
    let first = &queue["rows"][0];
    assert!(
        first["loss"].as_f64().is_some_and(|l| l > 0.25 && l <= 1.0),
        "{first}"
    );
    assert!(
        first["reasons"].as_str().is_some_and(|r| !r.is_empty()),
        "{first}"
    );

    let again = office.json(&["sync", "--json"]);
    for source in again["rows"].as_array().expect("rows") {
        assert_eq!(source["error"], Value::Null);
        assert_eq!(source["changed"], 0, "{source}");
    }
    let status = office.json(&["status", "--json", "--max-age", "1h"]);
    assert_eq!(status["rows"].as_array().expect("sources").len(), 2);
    assert_eq!(status["problems"], json!([]));
}

#[test]
fn hostile_names_never_reach_a_terminal_and_stay_whole_in_json() {
    let office = Office::open(&[]);
    assert!(office.run(&["sync"]).status.success());
    for args in [
        &["list", "accounts"][..],
        &["list", "accounts", "--csv"],
        &["list", "tasks"],
        &["status"],
    ] {
        let output = office.run(args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        let bad = output.stdout.iter().find(|b| **b < 0x20 && **b != b'\n');
        assert_eq!(bad, None, "{args:?} printed a control character");
    }
    let accounts = office.json(&["list", "accounts", "--json"]);
    let hostile = accounts["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|r| r["name"].as_str())
        .any(|n| n.contains('\u{1b}'));
    assert!(
        hostile,
        "the world has a name with an escape sequence, and JSON keeps it"
    );
    let csv = office.run(&["list", "accounts", "--csv", "--columns", "name"]);
    for line in String::from_utf8_lossy(&csv.stdout).lines() {
        assert!(
            !line.trim_start_matches('"').starts_with(['=', '+', '@']),
            "{line} is a formula"
        );
    }
}

#[test]
fn a_headless_action_arrives_once_with_the_right_values() {
    let office = Office::open(&["--accounts", "60"]);
    assert!(office.run(&["sync"]).status.success());
    let renewals = office.json(&[
        "list",
        "renewals",
        "--json",
        "--columns",
        "id,account,name,due,stage",
        "--limit",
        "1",
    ]);
    let id = renewals["rows"][0]["id"].to_string();
    let dry = office.run(&[
        "do",
        "renewal close 2027-06-30",
        "--kind",
        "renewals",
        "--on",
        &format!("id:{id}"),
        "--dry-run",
    ]);
    assert!(dry.status.success(), "{}", stderr(&dry));
    let said = String::from_utf8_lossy(&dry.stdout);
    assert!(
        said.lines().count() > 1 && !said.contains('␊'),
        "a line for each change: {said}"
    );
    assert!(
        office
            .vendors
            .soql("SELECT Id FROM Opportunity WHERE CloseDate = 2027-06-30")
            .is_empty(),
        "a dry run wrote"
    );
    let done = office.run(&[
        "do",
        "renewal close 2027-06-30",
        "--kind",
        "renewals",
        "--on",
        &format!("id:{id}"),
        "--yes",
    ]);
    assert!(done.status.success(), "{}", stderr(&done));
    let moved = office
        .vendors
        .soql("SELECT Id, Name FROM Opportunity WHERE CloseDate = 2027-06-30");
    assert_eq!(moved.len(), 1, "{moved:?}");
    assert_eq!(moved[0]["Name"], renewals["rows"][0]["name"]);
    let outbox = office.json(&["outbox", "--json"]);
    assert!(
        outbox["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .all(|r| r["state"] == "done"),
        "{outbox}"
    );
    let undone = office.json(&["list", "renewals", &format!("id:{id}"), "--json"]);
    assert_eq!(undone["rows"][0]["due"], "2027-06-30");
}

#[test]
fn read_only_makes_every_write_impossible() {
    let office = Office::open(&["--accounts", "60"]);
    assert!(office.run(&["sync"]).status.success());
    let text = std::fs::read_to_string(&office.vendors.config).expect("the configuration");
    std::fs::write(&office.vendors.config, format!("read_only = true\n{text}")).expect("written");
    let refused = office.run(&[
        "do",
        "note hello",
        "--on",
        "name:a",
        "--kind",
        "accounts",
        "--yes",
    ]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("read-only"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn mistakes_in_the_settings_say_where_and_the_rest_works() {
    let office = Office::open(&["--accounts", "60"]);
    let text = std::fs::read_to_string(&office.vendors.config).expect("the configuration");
    std::fs::write(&office.vendors.config, format!("read_onli = true\n{text}")).expect("written");
    let check = office.run(&["config", "check"]);
    assert_eq!(check.status.code(), Some(2));
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(
        said.contains("config.toml:1:1") && said.contains("read_only"),
        "{said}"
    );
    let synced = office.run(&["sync"]);
    assert!(
        synced.status.success(),
        "the rest of the settings works: {}",
        stderr(&synced)
    );
}

#[test]
fn usage_errors_exit_with_two_and_a_broken_store_with_three() {
    let home = tempfile::tempdir().expect("a folder");
    assert_eq!(
        run(home.path(), &["list", "accountz"]).status.code(),
        Some(2)
    );
    assert_eq!(
        run(home.path(), &["sync"]).status.code(),
        Some(2),
        "no source is configured"
    );
    let broken = home.path().join("broken.db");
    std::fs::write(
        &broken,
        b"this is not a database, and csops must neither crash nor start afresh over it",
    )
    .expect("written");
    let output = run(
        home.path(),
        &["--db", &broken.to_string_lossy(), "list", "accounts"],
    );
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("broken.db"), "{}", stderr(&output));
    assert!(
        std::fs::read(&broken)
            .expect("still there")
            .starts_with(b"this is not")
    );
}

#[test]
fn a_source_that_is_down_is_reported_and_the_other_goes_on() {
    let office = Office::open(&["--accounts", "60"]);
    let text = std::fs::read_to_string(&office.vendors.config).expect("the configuration");
    // Nothing listens on the discard port.
    let broken = text.replace(&office.vendors.base("gainsight"), "http://127.0.0.1:9");
    std::fs::write(&office.vendors.config, broken).expect("written");
    let synced = office.run(&["sync"]);
    assert_eq!(synced.status.code(), Some(1));
    assert!(
        stderr(&synced).contains("127.0.0.1:9"),
        "{}",
        stderr(&synced)
    );
    let accounts = office.json(&["list", "accounts", "--json"]);
    assert!(
        !accounts["rows"].as_array().expect("rows").is_empty(),
        "the other source's accounts are there"
    );
    let doctor = office.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
}

#[test]
fn the_demo_without_a_terminal_says_what_it_needs() {
    let home = tempfile::tempdir().expect("a folder");
    let output = csops(home.path()).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("terminal"), "{}", stderr(&output));
}

#[test]
fn other_rules_of_identity_and_ownership_part_and_join_what_is_stored() {
    let office = Office::open(&["--accounts", "40"]);
    assert!(office.run(&["sync"]).status.success());
    let count = |kind: &str| {
        let listed = office.json(&["list", kind, "--json"]);
        listed["rows"].as_array().expect("rows").len()
    };
    let (accounts, renewals) = (count("accounts"), count("renewals"));
    assert!(renewals > 0);
    let usual = std::fs::read_to_string(&office.config).expect("the configuration");
    let set = |more: &str| {
        std::fs::write(&office.config, format!("{usual}\n{more}")).expect("the configuration");
    };

    // Nothing ties the two systems' accounts any more: each stands alone.
    set("[identity]\naccount = []\n");
    assert!(office.run(&["sync"]).status.success());
    let apart = count("accounts");
    assert!(apart > accounts, "{apart} accounts instead of {accounts}");

    // The customer success platform owns renewals: the CRM's are set aside, and said to be.
    set("[read]\nrenewal = \"cs\"\n");
    assert!(office.run(&["sync"]).status.success());
    assert_eq!(count("accounts"), accounts);
    assert_eq!(count("renewals"), 0);
    let described = office.run(&["connect", "describe", "crm"]);
    let said = String::from_utf8_lossy(&described.stdout);
    assert!(
        said.contains("set aside: they are read from cs ([read] renewal)"),
        "{said}"
    );

    set("");
    assert!(office.run(&["sync"]).status.success());
    assert_eq!((count("accounts"), count("renewals")), (accounts, renewals));

    set("[identity.ids.cs]\n\"account.helth\" = \"crm\"\n");
    let checked = office.run(&["config", "check"]);
    let said = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(checked.status.code(), Some(2), "{said}");
    assert!(
        said.contains("account.helth") && said.contains("config.toml:"),
        "{said}"
    );
}

#[test]
fn who_does_not_listen_to_what_is_said_is_no_reason_to_break() {
    let home = tempfile::tempdir().expect("a folder");
    // Refusals with other words in front of them, and a plain one.
    for args in [
        &["list", "nothing"][..],
        &["--config", "none.toml", "list", "queue"],
        &["--config", "none.toml", "config", "check"],
    ] {
        let heard = run(home.path(), args);
        let mut deaf = csops(home.path())
            .args(args)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(deaf.stderr.take());
        let status = deaf.wait().expect("it ends");
        assert!(!heard.stdout.is_empty() || !heard.stderr.is_empty());
        assert_eq!(
            (status.code(), heard.status.code()),
            (Some(2), Some(2)),
            "{args:?}"
        );
    }
}
