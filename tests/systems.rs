//! The morning of a CSM with each system of record alone, and with Salesforce beside it. What a system's API allows must be there once: its journal is
//! read, and a second cockpit with an empty database pulls it and looks. What the API does not allow is said before the key is pressed, and kept here.

mod common;

use common::desk::{CLOSE, Desk, NOTE, Plan, Row, SNOOZE};
use common::vendors::Vendors;
use serde_json::Value;

struct Homes {
    risk: String,
    note: String,
    task: String,
    renewal: String,
}

/// What a source says that it can take.
fn can(desk: &Desk<'_>, source: &str, entity: &str, field: &str) -> bool {
    let described = desk.json(&["connect", "describe", source, "--json"]);
    let writes = described["capabilities"]["writes"]
        .as_array()
        .unwrap_or_else(|| panic!("{described}"));
    let support = writes
        .iter()
        .find(|w| w["entity"] == entity && w["field"] == field);
    support.is_some_and(|w| w["why_not"].is_null())
}

fn plan(desk: &Desk<'_>, homes: &Homes) -> Plan {
    desk.sync();
    let plain = |r: &Row| r.name.is_ascii() && r.name.chars().all(|c| !c.is_control());
    let held = |r: &Row, source: &str| !desk.external(&r.id, "account", source).is_empty();
    let queue = desk.rows(&["list", "queue", "--json", "--columns", "id,name"], "name");
    let known: Vec<Row> = queue
        .into_iter()
        .filter(|r| plain(r) && held(r, &homes.risk) && held(r, &homes.note))
        .take(8)
        .collect();
    assert!(known.len() >= 5, "the queue has rows to work on");
    // A task is told by its title and account, which must be unmistakable; it must be one of its home.
    let tasks = desk.json(&[
        "list",
        "tasks",
        "status:open",
        "--json",
        "--columns",
        "id,title,account",
    ]);
    let tasks = tasks["rows"].as_array().expect("rows").clone();
    let of_home = held_by(desk, "task", &homes.task);
    let tasks: Vec<&Value> = tasks
        .iter()
        .filter(|r| r["id"].as_u64().is_some_and(|id| of_home.contains(&id)))
        .collect();
    let same = |r: &Value, s: &Value| r["title"] == s["title"] && r["account"] == s["account"];
    let single: Vec<Row> = tasks
        .iter()
        .filter(|r| tasks.iter().filter(|s| same(r, s)).count() == 1)
        .map(|r| Row {
            id: r["id"].to_string(),
            name: r["title"].as_str().unwrap_or_default().to_owned(),
        })
        .filter(plain)
        .filter(|r| !account_of(desk, "tasks", r).is_null())
        .take(2)
        .collect();
    assert_eq!(single.len(), 2, "there are tasks at {}", homes.task);
    let renewals = desk.rows(
        &[
            "list",
            "renewals",
            "due>=today",
            "due<90d",
            // One whose currency has a rate: the totals show where it goes.
            "amount>0",
            "--json",
            "--columns",
            "id,name",
        ],
        "name",
    );
    let renewals_of_home = held_by(desk, "renewal", &homes.renewal);
    Plan {
        first: known[0].clone(),
        second: known[1].clone(),
        asleep: known[2..5].to_vec(),
        renewal: renewals
            .into_iter()
            .filter(plain)
            .find(|r| r.id.parse().is_ok_and(|id| renewals_of_home.contains(&id))),
        done: single[0].clone(),
        kept: single[1].clone(),
    }
}

/// The rows of a kind that only this system has a record of, as the database has it.
fn held_by(desk: &Desk<'_>, entity: &str, source: &str) -> Vec<u64> {
    let db = rusqlite::Connection::open(&desk.db).expect("the database");
    let mut query = db
        .prepare(
            "SELECT local FROM crosswalk WHERE entity=?1 AND source<>'local' GROUP BY local HAVING min(source)=?2 AND max(source)=?2",
        )
        .expect("a query");
    let rows = query
        .query_map((entity, source), |r| r.get::<_, u32>(0).map(u64::from))
        .expect("rows");
    rows.map(|r| r.expect("a number")).collect()
}

/// The account that a row belongs to, in full; null when its name is not its own.
fn account_of(desk: &Desk<'_>, kind: &str, row: &Row) -> Value {
    let columns = ["--json", "--columns"];
    let listed = desk.json(&[
        "list",
        kind,
        &format!("id:{}", row.id),
        columns[0],
        columns[1],
        "id,account",
    ]);
    let name = listed["rows"][0]["account"].as_str().unwrap_or_default();
    let accounts = desk.rows(
        &["list", "accounts", columns[0], columns[1], "id,name"],
        "name",
    );
    let mut of_that_name = accounts.iter().filter(|a| a.name == name);
    match (of_that_name.next(), of_that_name.next()) {
        (Some(account), None) => desk.json(&["show", &account.id, "--json"]),
        _ => Value::Null,
    }
}

/// How often a text was written at a system.
fn written(vendors: &Vendors, source: &str, text: &str) -> usize {
    vendors
        .journal(connector(source))
        .iter()
        .filter(|w| w.to_string().contains(text))
        .count()
}

fn connector(source: &str) -> &str {
    match source {
        "crm" => "salesforce",
        "cs" => "gainsight",
        other => other,
    }
}

/// Looks at what is there now: in this cockpit, and in a second one that pulls everything afresh.
fn verify(
    desk: &Desk<'_>,
    again: &Desk<'_>,
    plan: &Plan,
    accounts: &[Value; 2],
    homes: &Homes,
    v: &Vendors,
) {
    let outbox = desk.json(&["outbox", "--json"]);
    let open: Vec<&Value> = outbox["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .filter(|r| r["state"] != "done" && r["state"] != "dropped")
        .collect();
    assert!(open.is_empty(), "{open:?}");
    for row in &plan.asleep {
        let shown = desk.json(&["show", &row.id, "--json"]);
        assert_eq!(shown["account"]["snoozed_until"], SNOOZE, "{}", row.name);
    }
    again.sync();
    // The same row in the other cockpit has another number; its name and account are the same.
    let there = |row: &Row, source: &str| {
        let ours = desk.external(&row.id, "account", source);
        again.json(&["show", &ours[0], "--json"])
    };
    let notes = |shown: &Value, text: &str| {
        shown["touchpoints"]
            .as_array()
            .expect("touchpoints")
            .iter()
            .filter(|t| {
                t["body"].as_str().unwrap_or_default().contains(text)
                    || t["subject"].as_str().unwrap_or_default().contains(text)
            })
            .count()
    };
    let here = desk.json(&["show", &plan.first.id, "--json"]);
    assert_eq!(
        notes(&here, NOTE),
        1,
        "the note is on the account: {here:#}"
    );
    if can(desk, &homes.note, "touchpoint", "*") {
        assert_eq!(
            written(v, &homes.note, NOTE),
            1,
            "the note was written once"
        );
        assert_eq!(
            notes(&there(&plan.first, &homes.note), NOTE),
            1,
            "the note is there"
        );
    }
    let risks = |shown: &Value| -> Vec<Value> {
        shown["escalations"]
            .as_array()
            .expect("escalations")
            .iter()
            .filter(|e| e["status_kind"] != "closed")
            .cloned()
            .collect()
    };
    let ours = risks(&here);
    assert_eq!(ours.len(), 1, "one open risk, not two: {ours:#?}");
    assert_ne!(
        ours[0]["status_kind"], "new",
        "it is acknowledged: {ours:#?}"
    );
    if can(desk, &homes.risk, "escalation", "*") {
        let first = risks(&there(&plan.first, &homes.risk));
        assert_eq!(first.len(), 1, "one open risk there, not two: {first:#?}");
        assert_ne!(
            first[0]["status_kind"], "new",
            "it is acknowledged there: {first:#?}"
        );
        let second = risks(&there(&plan.second, &homes.risk));
        assert_eq!(second.len(), 1, "one open risk there, not two: {second:#?}");
        assert!(
            !can(desk, &homes.risk, "escalation", "priority_kind")
                || ["critical", "high"]
                    .iter()
                    .any(|p| second[0]["priority_kind"] == *p),
            "it is escalated there: {second:#?}"
        );
    }
    let second = desk.json(&["show", &plan.second.id, "--json"]);
    assert_eq!(second["account"]["level"], "L2");
    if let Some(renewal) = &plan.renewal {
        let due = |desk: &Desk<'_>, id: &str| {
            desk.json(&[
                "list",
                "renewals",
                &format!("id:{id}"),
                "--json",
                "--columns",
                "id,due",
            ])["rows"][0]["due"]
                .clone()
        };
        assert_eq!(due(desk, &renewal.id), CLOSE);
        if can(desk, &homes.renewal, "renewal", "due") {
            assert_eq!(
                written(v, &homes.renewal, CLOSE),
                1,
                "the close date was written once"
            );
            let moved = again.rows(
                &[
                    "list",
                    "renewals",
                    &format!("due:{CLOSE}"),
                    "--json",
                    "--columns",
                    "id,name",
                ],
                "name",
            );
            assert!(
                moved.iter().any(|r| r.name == renewal.name),
                "it is there: {}",
                renewal.name
            );
        }
    }
    let status = |row: &Row, account: &Value| {
        let shown = desk.json(&["show", &account["account"]["id"].to_string(), "--json"]);
        let id: u64 = row.id.parse().unwrap_or_default();
        let tasks = shown["tasks"].as_array().expect("tasks").clone();
        let task = tasks.into_iter().find(|t| t["id"] == id);
        task.expect("the task")["status_kind"].clone()
    };
    assert_eq!(status(&plan.done, &accounts[0]), "done");
    assert_eq!(status(&plan.kept, &accounts[1]), "open");
    if can(desk, &homes.task, "task", "status_kind") {
        let open_there = |row: &Row, account: &Value| {
            let list = again.json(&[
                "list",
                "tasks",
                "status:open",
                "--json",
                "--columns",
                "id,title,account",
            ]);
            let there = held_by(again, "task", &homes.task);
            list["rows"]
                .as_array()
                .expect("rows")
                .iter()
                .filter(|t| t["id"].as_u64().is_some_and(|id| there.contains(&id)))
                .filter(|t| {
                    t["title"] == row.name.as_str() && t["account"] == account["account"]["name"]
                })
                .count()
        };
        assert_eq!(
            open_there(&plan.done, &accounts[0]),
            0,
            "the completed task is closed there"
        );
        assert_eq!(
            open_there(&plan.kept, &accounts[1]),
            1,
            "the other is open there"
        );
    }
}

fn morning(systems: &str, homes: [&str; 4]) {
    let home = tempfile::tempdir().expect("a folder");
    // Two cockpits pull within a minute: more than Gainsight's documented limit allows, which other tests hold.
    let vendors = Vendors::start(
        home.path(),
        &[
            "--accounts",
            "240",
            "--freeze",
            "--vendors",
            systems,
            "--faults",
            "rate-limit=6000/min",
        ],
    );
    let homes = Homes {
        risk: homes[0].into(),
        note: homes[1].into(),
        task: homes[2].into(),
        renewal: homes[3].into(),
    };
    let at = |db: &str| Desk {
        home: home.path(),
        vendors: &vendors,
        config: vendors.config.to_string_lossy().into_owned(),
        db: home.path().join(db).to_string_lossy().into_owned(),
    };
    let (desk, again) = (at("csops.db"), at("again.db"));
    let plan = plan(&desk, &homes);
    let accounts = [&plan.done, &plan.kept].map(|t| account_of(&desk, "tasks", t));
    let mut t = desk.open();
    // What this system cannot do is said before: in the help of the pane, with its reason.
    t.send("1");
    let kept = !can(&desk, &homes.risk, "escalation", "*");
    loop {
        t.send("?");
        t.until("the help", |s| s.contains("Keys: Queue"));
        let said = t.screen().contains("kept here");
        t.send("\x1b");
        t.until("the queue again", |s| !s.contains("Keys: Queue"));
        // What a source can do is known once it is open.
        if said == kept {
            break;
        }
    }
    desk.first_half(&mut t, &plan);
    desk.second_half(&mut t, &plan);
    desk.until_arrived(&mut t);
    t.send("q");
    assert_eq!(t.wait(), 0);
    verify(&desk, &again, &plan, &accounts, &homes, &vendors);
}

#[test]
fn planhat_alone() {
    morning("planhat", ["planhat"; 4]);
}

#[test]
fn planhat_beside_salesforce() {
    morning("salesforce,planhat", ["planhat", "planhat", "crm", "crm"]);
}

#[test]
fn hubspot_alone() {
    morning("hubspot", ["hubspot"; 4]);
}

#[test]
fn hubspot_beside_salesforce() {
    morning("salesforce,hubspot", ["hubspot", "hubspot", "crm", "crm"]);
}

#[test]
fn churnzero_alone() {
    morning("churnzero", ["churnzero"; 4]);
}

#[test]
fn churnzero_beside_salesforce() {
    morning(
        "salesforce,churnzero",
        ["churnzero", "churnzero", "crm", "crm"],
    );
}

#[test]
fn totango_alone() {
    morning("totango", ["totango"; 4]);
}

#[test]
fn totango_beside_salesforce() {
    morning("salesforce,totango", ["totango", "totango", "crm", "crm"]);
}

#[test]
fn vitally_alone() {
    morning("vitally", ["vitally"; 4]);
}

#[test]
fn vitally_beside_salesforce() {
    morning("salesforce,vitally", ["vitally", "vitally", "crm", "crm"]);
}

#[test]
fn gainsight_alone() {
    morning("gainsight", ["cs"; 4]);
}

#[test]
fn gainsight_beside_salesforce() {
    morning("salesforce,gainsight", ["cs", "cs", "crm", "crm"]);
}

#[test]
fn salesforce_alone() {
    morning("salesforce", ["crm"; 4]);
}
