//! The morning of a CSM, in a real pseudo-terminal on the real program, with the vendors in a process of their own; then the vendors' own
//! APIs are asked whether each action arrived exactly once with the right values. Once as it should be, once with the vendors failing,
//! rate-limiting and cutting answers off, and with the program killed and started again half-way.

mod common;

use common::pty::Terminal;
use common::vendors::Vendors;
use common::{json, run};
use serde_json::{Value, json};
use std::path::Path;

const CLOSE: &str = "2027-08-30";
const SNOOZE: &str = "2027-01-15";
const NOTE: &str = "Spoke with the sponsor, she stays until spring";

/// What the morning is about, chosen from what the headless lists say.
struct Plan {
    first: Row,
    second: Row,
    asleep: Vec<Row>,
    renewal: Row,
    done: Row,
    kept: Row,
}

#[derive(Clone)]
struct Row {
    id: String,
    name: String,
}

struct Desk<'a> {
    home: &'a Path,
    vendors: &'a Vendors,
    config: String,
    db: String,
}

impl Desk<'_> {
    fn args<'b>(&'b self, rest: &[&'b str]) -> Vec<&'b str> {
        let mut args = vec!["--config", &self.config, "--db", &self.db];
        args.extend_from_slice(rest);
        args
    }
    fn json(&self, args: &[&str]) -> Value {
        json(self.home, &self.args(args))
    }
    fn open(&self) -> Terminal {
        let mut t = Terminal::start(self.home, 140, 40, &self.args(&[]), &[]);
        t.until_text("csops");
        t.until_text("mine ·");
        t.send("A");
        t.until_text("everybody ·");
        t
    }
    fn rows(&self, args: &[&str], name: &str) -> Vec<Row> {
        let list = self.json(args);
        let row = |r: &Value| Row {
            id: r["id"].to_string(),
            name: r[name].as_str().unwrap_or_default().to_owned(),
        };
        list["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(row)
            .collect()
    }
    /// The records of one account, or of one of its rows, at a source.
    fn external(&self, account: &str, entity: &str, source: &str) -> Vec<String> {
        let shown = self.json(&["show", account, "--json"]);
        let crosswalk = shown["crosswalk"].as_array().expect("a crosswalk").clone();
        crosswalk
            .iter()
            .filter(|c| c["entity"] == entity && c["source"] == source)
            .map(|c| c["external_id"].as_str().expect("an id").to_owned())
            .collect()
    }

    fn plan(&self) -> Plan {
        let synced = run(self.home, &self.args(&["sync"]));
        assert!(
            synced.status.success(),
            "{}",
            String::from_utf8_lossy(&synced.stderr)
        );
        let queue = self.rows(&["list", "queue", "--json", "--columns", "id,name"], "name");
        // Only accounts that both systems know: then every action has a vendor to arrive at.
        let plain = |r: &Row| r.name.is_ascii() && r.name.chars().all(|c| !c.is_control());
        let known: Vec<Row> = queue
            .into_iter()
            .filter(|r| plain(r) && !self.external(&r.id, "account", "cs").is_empty())
            .take(8)
            .collect();
        let tasks = self.tasks_of_the_crm();
        let renewals = self.rows(
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
            renewal: renewals
                .into_iter()
                .find(plain)
                .expect("a renewal that is due"),
            done: tasks[0].clone(),
            kept: tasks[1].clone(),
        }
    }

    /// Open tasks that the CRM holds (the other system has tasks of its own), told by title and account, which must be unmistakable.
    fn tasks_of_the_crm(&self) -> Vec<Row> {
        let theirs = self.vendors.soql("SELECT Id, Subject, Account.Name FROM Task WHERE IsClosed = false AND IsDeleted = false");
        let listed = self.json(&[
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

    /// The first half: read why, acknowledge, note, escalate.
    fn first_half(&self, t: &mut Terminal, plan: &Plan) {
        t.send("1");
        self.focus(t, &plan.first);
        t.send("w");
        t.until("the arithmetic", |s| {
            s.contains("Why: ") && s.contains("probability of loss") && s.contains("closeness")
        });
        t.send("\x1b");
        t.until("the queue again", |s| !s.contains("Why: "));
        t.send("a");
        t.until_text("acknowledged");
        t.send("n");
        t.until_text("─ Note");
        t.send(NOTE);
        t.until_text("until spring");
        t.send("\r");
        t.until_text("noted on");
        self.clear(t);
        self.focus(t, &plan.second);
        t.send(":");
        t.until_text("─ Command");
        t.send("escalate --to L2 --reason budget");
        t.until_text("--reason budget");
        t.send("\r");
        t.until_text("is now at L2");
        self.clear(t);
    }

    /// The second half: snooze three, move a renewal and see the totals follow, complete a task, take one thing back.
    fn second_half(&self, t: &mut Terminal, plan: &Plan) {
        let ids: Vec<String> = plan.asleep.iter().map(|r| format!("id:{}", r.id)).collect();
        self.filter(t, &ids.join(" or "), &plan.asleep[0].name);
        t.send("*");
        t.until_text("3 marked");
        t.send("s");
        t.until_text("─ Snooze");
        t.send(SNOOZE);
        t.until_text(SNOOZE);
        t.send("\r");
        t.until_text("snoozed");
        self.clear(t);

        t.send("2");
        t.until_text("Renewals ─");
        let before = totals(&t.screen());
        assert!(
            !before.is_empty(),
            "the pipeline shows its totals:\n{}",
            t.screen()
        );
        self.filter(t, &format!("id:{}", plan.renewal.id), &plan.renewal.name);
        t.send("m");
        t.until_text("─ Renewal close");
        t.send(CLOSE);
        t.until_text(CLOSE);
        t.send("\r");
        t.until("the totals to follow", |s| totals(s) != before);
        self.clear(t);

        t.send("4");
        t.until_text("Tasks ─");
        self.filter(t, &format!("id:{}", plan.done.id), &plan.done.name);
        t.send("d");
        t.until_text("completed");
        self.clear(t);
        self.filter(t, &format!("id:{}", plan.kept.id), &plan.kept.name);
        t.send("d");
        t.until("the second task to be completed", |s| {
            s.contains("completed") && s.contains(shortest(&plan.kept.name))
        });
        t.send("u");
        t.until("the task to be open again", |s| s.contains("undid"));
        self.clear(t);
    }

    fn filter(&self, t: &mut Terminal, query: &str, shows: &str) {
        t.send("/");
        t.until("the filter line", |s| {
            s.contains("filter") || s.contains('/')
        });
        t.send(query);
        t.until("the filtered list", |s| {
            s.contains(shortest(shows)) && s.contains(query.split(' ').next().unwrap_or_default())
        });
        t.send("\r");
        t.until("the row in focus", |s| {
            s.lines()
                .any(|l| l.contains('▌') && l.contains(shortest(shows)))
        });
    }
    fn focus(&self, t: &mut Terminal, row: &Row) {
        self.filter(t, &format!("id:{}", row.id), &row.name);
    }
    fn clear(&self, t: &mut Terminal) {
        t.send("\x1b");
        t.until("the filter to be gone", |s| !s.contains("id:"));
    }

    fn until_arrived(&self, t: &mut Terminal) {
        t.send("5");
        t.until("the outbox to be empty", |s| {
            s.contains("everything has arrived")
        });
    }

    /// Asks the vendors themselves.
    fn verify(&self, plan: &Plan) {
        let v = self.vendors;
        // The note: once, on the first account's timeline.
        let notes = self.timeline("Notes", NOTE);
        assert_eq!(notes.len(), 1, "the note arrived once: {notes:?}");
        let company = self.external(&plan.first.id, "account", "cs");
        assert!(
            company
                .iter()
                .any(|c| notes[0]["GsCompanyId"] == c.as_str()),
            "{notes:?} is about {company:?}"
        );
        // The acknowledgement: the status of the open risk.
        let risks = self.risks(&company);
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
        let company = self.external(&plan.second.id, "account", "cs");
        let risks = self.risks(&company);
        assert_eq!(risks.len(), 1, "one open risk, not two: {risks:?}");
        assert_ne!(risks[0]["PriorityId__gr.Name"], "Low", "{risks:?}");
        let told: Vec<Value> = self
            .timeline("Subject", "L2")
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
            .filter(|o| o["Name"].as_str() == Some(plan.renewal.name.as_str()))
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
            let shown = self.json(&[
                "list",
                "accounts",
                &format!("id:{}", row.id),
                "--json",
                "--columns",
                "id,snoozed_until",
            ]);
            assert_eq!(shown["rows"][0]["snoozed_until"], SNOOZE, "{shown}");
        }
        let outbox = self.json(&["outbox", "--json"]);
        let open: Vec<&Value> = outbox["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .filter(|r| r["state"] != "done" && r["state"] != "dropped")
            .collect();
        assert!(open.is_empty(), "{open:?}");
    }

    fn timeline(&self, field: &str, text: &str) -> Vec<Value> {
        let answer = self.vendors.gainsight(
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

    fn risks(&self, company: &[String]) -> Vec<Value> {
        let answer = self.vendors.gainsight(
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
}

/// The lines of the pipeline that carry the quarters' totals.
fn totals(screen: &str) -> Vec<String> {
    screen
        .lines()
        .filter(|l| l.contains(" due ") && l.contains('$') && l.contains('Q'))
        .map(str::to_owned)
        .skip(1)
        .chain(
            screen
                .lines()
                .filter(|l| l.contains("commit") || l.contains("best ") || l.contains("pipeline"))
                .take(3)
                .map(str::to_owned),
        )
        .collect()
}

/// As much of a name as every column shows.
fn shortest(name: &str) -> &str {
    let end = name.char_indices().nth(10).map_or(name.len(), |(i, _)| i);
    name[..end].trim_end()
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
    let plan = desk.plan();
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
    desk.verify(&plan);
}

#[test]
fn a_csm_works_through_the_morning_and_everything_arrives_once() {
    morning(false);
}

#[test]
fn the_same_with_failing_vendors_and_a_killed_program() {
    morning(true);
}
