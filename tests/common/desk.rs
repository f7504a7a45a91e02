//! A CSM's desk: the real program in a pseudo-terminal, and the way through a morning.

use super::pty::Terminal;
use super::vendors::Vendors;
use super::{json, run};
use serde_json::Value;
use std::path::Path;

pub const CLOSE: &str = "2027-08-30";
pub const SNOOZE: &str = "2027-01-15";
pub const NOTE: &str = "Spoke with the sponsor, she stays until spring";

/// What the morning is about, chosen from what the headless lists say.
pub struct Plan {
    pub first: Row,
    pub second: Row,
    pub asleep: Vec<Row>,
    /// Where the systems have renewals.
    pub renewal: Option<Row>,
    pub done: Row,
    pub kept: Row,
}

#[derive(Clone)]
pub struct Row {
    pub id: String,
    pub name: String,
}

pub struct Desk<'a> {
    pub home: &'a Path,
    pub vendors: &'a Vendors,
    pub config: String,
    pub db: String,
}

impl Desk<'_> {
    /// Pulls everything; it must go well.
    pub fn sync(&self) {
        let synced = run(self.home, &self.args(&["sync"]));
        assert!(
            synced.status.success(),
            "{}",
            String::from_utf8_lossy(&synced.stderr)
        );
    }

    pub fn args<'b>(&'b self, rest: &[&'b str]) -> Vec<&'b str> {
        let mut args = vec!["--config", &self.config, "--db", &self.db];
        args.extend_from_slice(rest);
        args
    }
    pub fn json(&self, args: &[&str]) -> Value {
        json(self.home, &self.args(args))
    }
    pub fn open(&self) -> Terminal {
        let mut t = Terminal::start(self.home, 140, 40, &self.args(&[]), &[]);
        t.until_text("csops");
        t.until_text("mine ·");
        t.send("A");
        t.until_text("everybody ·");
        t
    }
    pub fn rows(&self, args: &[&str], name: &str) -> Vec<Row> {
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
    pub fn external(&self, account: &str, entity: &str, source: &str) -> Vec<String> {
        let shown = self.json(&["show", account, "--json"]);
        let crosswalk = shown["crosswalk"].as_array().expect("a crosswalk").clone();
        crosswalk
            .iter()
            .filter(|c| c["entity"] == entity && c["source"] == source)
            .map(|c| c["external_id"].as_str().expect("an id").to_owned())
            .collect()
    }

    /// The first half: read why, acknowledge, note, escalate.
    pub fn first_half(&self, t: &mut Terminal, plan: &Plan) {
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
    pub fn second_half(&self, t: &mut Terminal, plan: &Plan) {
        let ids: Vec<String> = plan.asleep.iter().map(|r| format!("id:{}", r.id)).collect();
        t.send("/");
        t.until("the filter line", |s| {
            s.contains("filter") || s.contains('/')
        });
        t.send(&ids.join(" or "));
        let shows = |s: &str, r: &Row| s.contains(shortest(&r.name));
        t.until("the three", |s| {
            s.contains(&ids[2]) && plan.asleep.iter().all(|r| shows(s, r))
        });
        t.send("\r");
        // The cursor stays where it was when that row is among them.
        t.until("one of the three in focus", |s| {
            s.lines()
                .any(|l| l.contains('▌') && plan.asleep.iter().any(|r| shows(l, r)))
        });
        t.send("*");
        t.until_text("3 marked");
        t.send("s");
        t.until_text("─ Snooze");
        t.send(SNOOZE);
        t.until_text(SNOOZE);
        t.send("\r");
        t.until_text("snoozed");
        self.clear(t);

        if let Some(renewal) = &plan.renewal {
            self.move_renewal(t, renewal);
        }

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

    fn move_renewal(&self, t: &mut Terminal, renewal: &Row) {
        t.send("2");
        t.until_text("Renewals ─");
        let before = totals(&t.screen());
        assert!(
            !before.is_empty(),
            "the pipeline shows its totals:\n{}",
            t.screen()
        );
        self.filter(t, &format!("id:{}", renewal.id), &renewal.name);
        t.send("m");
        t.until_text("─ Renewal close");
        t.send(CLOSE);
        t.until_text(CLOSE);
        t.send("\r");
        t.until("the totals to follow", |s| totals(s) != before);
        self.clear(t);
    }

    pub fn filter(&self, t: &mut Terminal, query: &str, shows: &str) {
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
    pub fn focus(&self, t: &mut Terminal, row: &Row) {
        self.filter(t, &format!("id:{}", row.id), &row.name);
    }
    pub fn clear(&self, t: &mut Terminal) {
        t.send("\x1b");
        t.until("the filter to be gone", |s| !s.contains("id:"));
    }

    pub fn until_arrived(&self, t: &mut Terminal) {
        t.send("5");
        t.until("the outbox to be empty", |s| {
            s.contains("everything has arrived")
        });
    }
}

/// The lines of the pipeline that carry the quarters' totals: what is due and expected, the categories, and what slipped from one
/// quarter into another (it stays due where it was due first).
pub fn totals(screen: &str) -> Vec<String> {
    let carries =
        |l: &&str| (l.contains(" due ") && l.contains("forecast ")) || l.contains(" slipped ");
    let categories =
        |l: &&str| l.contains("commit") || l.contains("best ") || l.contains("pipeline");
    screen
        .lines()
        .filter(carries)
        .chain(screen.lines().filter(categories).take(3))
        .map(str::to_owned)
        .collect()
}

/// As much of a name as every column shows.
pub fn shortest(name: &str) -> &str {
    let end = name.char_indices().nth(10).map_or(name.len(), |(i, _)| i);
    name[..end].trim_end()
}
