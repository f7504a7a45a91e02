//! The morning of a CSM, in a real pseudo-terminal on the real program, with the vendors in a process of their own; then the vendors' own
//! APIs are asked whether each action arrived exactly once with the right values. Once as it should be, once with the vendors failing,
//! rate-limiting and cutting answers off, and with the program killed and started again half-way.

mod common;

use common::desk::{CLOSE, Desk, NOTE, Plan, Row, SNOOZE};
use common::vendors::Vendors;
use serde_json::{Value, json};

fn choose(desk: &Desk<'_>) -> Plan {
    desk.sync();
    let queue = desk.rows(&["list", "queue", "--json", "--columns", "id,name"], "name");
    // Only accounts that both systems know: then every action has a vendor to arrive at.
    let plain = |r: &Row| r.name.is_ascii() && r.name.chars().all(|c| !c.is_control());
    let known: Vec<Row> = queue
        .into_iter()
        .filter(|r| plain(r) && !desk.external(&r.id, "account", "cs").is_empty())
        .take(8)
        .collect();
    let tasks = tasks_of_the_crm(desk);
    let renewals = desk.rows(
        &[
            "list",
            "renewals",
            "due>=today",
            "due<90d",
            "--json",
            "--columns",
            "id,name",
        ],
        "name",
    );
    Plan {
        first: known[0].clone(),
        second: known[1].clone(),
        asleep: known[2..5].to_vec(),
        renewal: Some(
            renewals
                .into_iter()
                .find(plain)
                .expect("a renewal that is due"),
        ),
        done: tasks[0].clone(),
        kept: tasks[1].clone(),
    }
}

/// Open tasks that the CRM holds (the other system has tasks of its own), told by title and account, which must be unmistakable.
fn tasks_of_the_crm(desk: &Desk<'_>) -> Vec<Row> {
    let theirs = desk.vendors.soql(
        "SELECT Id, Subject, Account.Name FROM Task WHERE IsClosed = false AND IsDeleted = false",
    );
    let listed = desk.json(&[
        "list",
        "tasks",
        "status:open",
        "--json",
        "--columns",
        "id,title,account",
    ]);
    let listed = listed["rows"].as_array().expect("rows");
    let same = |r: &Value, s: &Value| r["title"] == s["title"] && r["account"] == s["account"];
    listed
        .iter()
        .filter(|r| listed.iter().filter(|s| same(r, s)).count() == 1)
        .filter(|r| {
            theirs
                .iter()
                .filter(|t| t["Subject"] == r["title"] && t["Account"]["Name"] == r["account"])
                .count()
                == 1
        })
        .map(|r| Row {
            id: r["id"].to_string(),
            name: r["title"].as_str().unwrap_or_default().to_owned(),
        })
        .filter(|r| r.name.is_ascii())
        .collect()
}

/// Asks the vendors themselves.
fn verify(desk: &Desk<'_>, plan: &Plan) {
    let v = desk.vendors;
    // The note: once, on the first account's timeline.
    let notes = timeline(desk, "Notes", NOTE);
    assert_eq!(notes.len(), 1, "the note arrived once: {notes:?}");
    let company = desk.external(&plan.first.id, "account", "cs");
    assert!(
        company
            .iter()
            .any(|c| notes[0]["GsCompanyId"] == c.as_str()),
        "{notes:?} is about {company:?}"
    );
    // The acknowledgement: the status of the open risk.
    let risks = open_risks(desk, &company);
    assert_eq!(risks.len(), 1, "one open risk, not two: {risks:?}");
    let status = risks[0]["StatusId__gr.Name"]
        .as_str()
        .unwrap_or_default()
        .to_lowercase();
    assert!(
        status != "new" && !status.is_empty(),
        "the risk is acknowledged: {risks:?}"
    );
    // The escalation: priority, reason and a note that names the level.
    let company = desk.external(&plan.second.id, "account", "cs");
    let risks = open_risks(desk, &company);
    assert_eq!(risks.len(), 1, "one open risk, not two: {risks:?}");
    assert_ne!(risks[0]["PriorityId__gr.Name"], "Low", "{risks:?}");
    let told: Vec<Value> = timeline(desk, "Subject", "L2")
        .into_iter()
        .filter(|n| company.iter().any(|c| n["GsCompanyId"] == c.as_str()))
        .collect();
    assert_eq!(told.len(), 1, "the escalation was noted once: {told:?}");
    // The renewal, once, and nothing else moved to that day.
    let due_then = v.soql(&format!(
        "SELECT Id, Name FROM Opportunity WHERE CloseDate = {CLOSE}"
    ));
    let moved: Vec<&Value> = due_then
        .iter()
        .filter(|o| {
            o["Name"].as_str() == Some(plan.renewal.as_ref().expect("a renewal").name.as_str())
        })
        .collect();
    assert_eq!(moved.len(), 1, "{due_then:?}");
    let renewal_writes = v
        .journal("salesforce")
        .iter()
        .filter(|w| w.to_string().contains(CLOSE))
        .count();
    assert_eq!(renewal_writes, 1, "the close date was written once");
    // The tasks: one completed, the other as it was.
    let journal = v.journal("salesforce");
    let task_writes = journal
        .iter()
        .filter(|w| w.to_string().contains("Completed"))
        .count();
    assert_eq!(task_writes, 1, "one task was completed, once: {journal:#?}");
    // The snoozes are kept here.
    for row in &plan.asleep {
        let shown = desk.json(&[
            "list",
            "accounts",
            &format!("id:{}", row.id),
            "--json",
            "--columns",
            "id,snoozed_until",
        ]);
        assert_eq!(shown["rows"][0]["snoozed_until"], SNOOZE, "{shown}");
    }
    let outbox = desk.json(&["outbox", "--json"]);
    let open: Vec<&Value> = outbox["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .filter(|r| r["state"] != "done" && r["state"] != "dropped")
        .collect();
    assert!(open.is_empty(), "{open:?}");
}

fn timeline(desk: &Desk<'_>, field: &str, text: &str) -> Vec<Value> {
    let answer = desk.vendors.gainsight(
        "/v1/data/objects/query/activity_timeline",
        &json!({
            "select": ["Gsid", "Subject", "Notes", "ExternalId", "GsCompanyId"],
            "where": {"conditions": [{"name": field, "alias": "A", "value": [text], "operator": "CONTAINS"}], "expression": "A"},
            "limit": 100, "offset": 0,
        }),
    );
    answer["data"]["records"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn open_risks(desk: &Desk<'_>, company: &[String]) -> Vec<Value> {
    let answer = desk.vendors.gainsight(
        "/v2/cockpit/cta/list",
        &json!({
            "select": ["Name", "Comments"],
            "where": {"conditions": [
                {"fieldName": "IsClosed", "value": [false], "alias": "A", "operator": "EQ"},
                {"fieldName": "TypeId__gr.Name", "value": ["Risk"], "alias": "B", "operator": "EQ"},
            ], "expression": "A AND B"},
            "pageSize": 1000, "pageNumber": 1,
        }),
    );
    let all = answer["data"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    all.iter()
        .filter(|r| company.iter().any(|c| r["CompanyId"] == c.as_str()))
        .cloned()
        .collect()
}

fn morning(faulty: bool) {
    let home = tempfile::tempdir().expect("a folder");
    let vendors = Vendors::start(home.path(), &["--accounts", "240", "--freeze"]);
    let desk = Desk {
        home: home.path(),
        vendors: &vendors,
        config: vendors.config.to_string_lossy().into_owned(),
        db: home.path().join("csops.db").to_string_lossy().into_owned(),
    };
    let plan = choose(&desk);
    if faulty {
        vendors.faults("latency=20ms,error=20%,truncate=10%,rate-limit=400/min");
    }
    let mut t = desk.open();
    desk.first_half(&mut t, &plan);
    if faulty {
        // Half-way: some of it is on its way, some waits for its grace.
        t.kill();
        t = desk.open();
        t.send("1");
    }
    desk.second_half(&mut t, &plan);
    desk.until_arrived(&mut t);
    t.send("q");
    assert_eq!(t.wait(), 0);
    vendors.faults("none");
    verify(&desk, &plan);
}

#[test]
fn a_csm_works_through_the_morning_and_everything_arrives_once() {
    morning(false);
}

#[test]
fn the_same_with_failing_vendors_and_a_killed_program() {
    morning(true);
}
