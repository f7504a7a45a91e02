//! Retention from files, through the real program: the base cohort under each policy, the rows behind it, and what bad rows get.

mod common;

use common::{csops, json};
use csops::insight::retention::SWITCHES;
use serde_json::{Value, json};
use std::process::Output;

/// A folder with a book of files.
struct Desk {
    home: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk {
            home: tempfile::tempdir().expect("a folder"),
        }
    }
    fn run(&self, args: &[&str]) -> Output {
        self.run_on("2026-11-26", args)
    }
    fn run_on(&self, day: &str, args: &[&str]) -> Output {
        let mut command = csops(self.home.path());
        command
            .env("CSOPS_NOW", format!("{day}T09:00:00Z"))
            .args(args);
        command.output().expect("the program starts")
    }
    fn import(&self, kind: &str, text: &str) {
        self.import_on("2026-11-26", kind, text);
    }
    fn import_on(&self, day: &str, kind: &str, text: &str) {
        let file = self.home.path().join(format!("{kind}.csv"));
        std::fs::write(&file, text).expect("written");
        let done = self.run_on(day, &["import", &file.to_string_lossy(), "--kind", kind]);
        assert!(done.status.success(), "{}", said(&done));
    }
    fn metrics(&self, args: &[&str]) -> Value {
        let mut all = vec!["--now", "2026-11-26T09:00:00Z", "metrics", "--json"];
        all.extend_from_slice(args);
        json(self.home.path(), &all)
    }
    /// What `csops metrics --explain` prints of 2025.
    fn explained(&self, args: &[&str]) -> String {
        let mut all = vec!["metrics", "--from", "2025-01-01", "--to", "2025-12-31"];
        all.push("--explain");
        all.extend_from_slice(args);
        said(&self.run(&all))
    }
    fn year(&self, args: &[&str]) -> Value {
        let mut all = vec!["--from", "2025-01-01", "--to", "2025-12-31"];
        all.extend_from_slice(args);
        self.metrics(&all)
    }
}

fn said(o: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&o.stdout),
        String::from_utf8_lossy(&o.stderr)
    )
}

/// The base cohort: nine customers at the opening of 2025 and one that is new in it, in thousands.
const SUBSCRIPTIONS: &str = "account,line,product,contract,change,start,end,arr,currency,signed\n\
A1,L,Core,C1,new,2024-04-01,2025-03-31,100000,USD,\n\
A1,L,Core,C1,renewal,2025-04-01,2026-03-31,120000,USD,\n\
A2,L,Core,C2,new,2024-02-01,2027-01-31,80000,USD,\n\
A3,L,Core,C3,new,2024-07-01,2025-06-30,60000,USD,\n\
A3,L,Core,C3,renewal,2025-07-01,2026-06-30,45000,USD,\n\
A4,L,Core,C4,new,2024-10-01,2025-09-30,50000,USD,\n\
A5,P1,Core,C5,new,2024-05-01,2025-04-30,20000,USD,\n\
A5,P1,Core,C5,renewal,2025-05-01,2026-04-30,40000,USD,\n\
A5,P2,Extra,C5,new,2024-05-01,2025-04-30,20000,USD,\n\
A5,P2,Extra,C5,renewal,2025-05-01,2026-04-30,12000,USD,\n\
A6,L,Core,C6,new,2024-03-01,2025-02-28,50000,EUR,\n\
A6,L,Core,C6,renewal,2025-03-01,2026-02-28,55000,EUR,\n\
A7,L,Core,C7,new,2024-01-01,2026-12-31,30000,USD,\n\
A7,L,Core,C7,escalator,2025-07-01,2026-12-31,31500,USD,\n\
A8,L,Core,C8,new,2024-06-01,2025-05-31,24000,USD,\n\
A8,L,Core,C8,new,2025-08-15,2026-08-14,20000,USD,\n\
A9,L,Core,C9,new,2025-03-10,2026-03-09,36000,USD,\n\
A10,L,Core,C10,new,2024-12-16,2025-12-15,18000,USD,\n\
A10,L,Core,C10,renewal,2025-12-16,2026-12-15,18000,USD,2026-01-20\n";
const RATES: &str =
    "date,from,to,rate,kind\n2024-12-31,EUR,USD,1.10,spot\n2025-12-31,EUR,USD,0.95,\n";

fn base() -> Desk {
    let desk = Desk::new();
    desk.import("subscriptions", SUBSCRIPTIONS);
    desk.import("rates", RATES);
    desk
}

#[test]
fn the_base_cohort_reads_from_74_to_85_percent_by_policy() {
    let desk = base();
    for (policy, gross, net, lost) in [
        (vec![], 0.849015317286652, 0.9343544857768052, 1),
        (
            vec!["netting=line"],
            0.8315098468271335,
            0.9343544857768052,
            1,
        ),
        (
            vec!["late=term_end"],
            0.8096280087527352,
            0.8949671772428884,
            2,
        ),
        (
            vec!["reactivation=churn_new"],
            0.8052516411378556,
            0.8905908096280087,
            2,
        ),
        (
            vec!["price=exclude"],
            0.849015317286652,
            0.9310722100656456,
            1,
        ),
        (
            vec!["fx=reported"],
            0.8429978118161926,
            0.9163019693654267,
            1,
        ),
        (
            vec!["late=term_end", "reactivation=churn_new"],
            0.7658643326039387,
            0.8512035010940919,
            3,
        ),
    ] {
        let mut args = Vec::new();
        for p in &policy {
            args.extend(["--policy", *p]);
        }
        let m = desk.year(&args);
        // Reading JSON may lose the last bit of a number.
        let near = |name: &str, wanted: f64| {
            let rate = m["retention"][name].as_f64().unwrap_or(f64::NAN);
            assert!((rate - wanted).abs() < 1e-15, "{name} {policy:?}: {rate}");
        };
        near("grr", gross);
        near("nrr", net);
        near("logo_churn", f64::from(lost) / 9.0);
        assert_eq!(m["retention"]["accounts"], 9);
        assert_eq!(m["retention"]["lost"], lost, "{policy:?}");
        assert_eq!(m["waterfall"]["check"], 0, "{policy:?}");
        for p in &policy {
            let (key, value) = p.split_once('=').expect("a pair");
            assert_eq!(m["policy"][key], value);
        }
        assert_eq!(m["policy"].as_object().map(serde_json::Map::len), Some(11));
    }
    let m = desk.year(&["--policy", "denominator=due"]);
    assert_eq!(m["retention"]["grr"], json!(0.7435158501440923));
    assert_eq!(m["retention"]["nrr"], json!(0.8515850144092219));
    assert_eq!(
        m["retention"]["opening"],
        json!({"amount": "347000.00", "currency": "USD"})
    );
    assert_eq!(
        (&m["retention"]["accounts"], &m["retention"]["lost"]),
        (&json!(7), &json!(2))
    );
}

#[test]
fn the_document_has_every_member_and_groups_add_up() {
    let desk = base();
    let m = desk.year(&["--by", "currency"]);
    assert_eq!(
        (&m["from"], &m["to"]),
        (&json!("2025-01-01"), &json!("2025-12-31"))
    );
    let money = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let w = &m["waterfall"];
    for (step, amount) in [
        ("opening", "457000.00"),
        ("new", "36000.00"),
        ("expansion", "39000.00"),
        ("reactivation", "0.00"),
        ("price", "0.00"),
        ("fx", "0.00"),
        ("contraction", "19000.00"),
        ("churn", "50000.00"),
        ("closing", "463000.00"),
    ] {
        assert_eq!(w[step], money(amount), "{step}");
    }
    assert_eq!(m["retention"]["opening"], money("457000.00"));
    assert_eq!(m["retention"]["closing"], money("427000.00"));
    assert_eq!(
        m["retention"]["renewal_rate"],
        json!({"gross": 0.7435158501440923, "net": 0.8515850144092219})
    );
    assert!(
        m["as_of"].is_string() && m["forecast"]["due"].is_object(),
        "{m}"
    );
    assert_eq!(m["coverage"]["known"], 10);
    assert_eq!(m["excluded"], json!([]));
    let groups = m["groups"].as_array().expect("groups");
    let keys: Vec<&str> = groups.iter().filter_map(|g| g["key"].as_str()).collect();
    assert_eq!(keys, ["USD", "EUR"]);
    for step in ["opening", "closing", "expansion", "churn"] {
        let cents = |v: &Value| -> i64 {
            let text = v["waterfall"][step]["amount"].as_str().expect("an amount");
            text.replace('.', "").parse().expect("a number")
        };
        assert_eq!(groups.iter().map(cents).sum::<i64>(), cents(&m), "{step}");
    }
    assert!(groups[0]["retention"]["grr"].is_number() && groups[0]["forecast"].is_object());
    let products = desk.year(&["--by", "product"]);
    assert_eq!(products["policy"]["netting"], "product");
}

#[test]
fn gross_retention_can_be_recomputed_from_the_rows_that_explain_prints() {
    let desk = base();
    for policy in [
        "netting=account",
        "netting=line",
        "fx=reported",
        "denominator=due",
    ] {
        let m = desk.year(&["--explain", "--policy", policy]);
        let rows = m["rows"].as_array().expect("rows");
        let heads = match policy {
            "denominator=due" => ("due", "counted_for_gross"),
            _ => ("opening", "counted_for_grr"),
        };
        let sum = |head: &str| -> f64 {
            let cells = rows
                .iter()
                .map(|r| r[head]["amount"].as_str().expect("an amount"));
            cells.map(|c| c.parse::<f64>().expect("a number")).sum()
        };
        let grr = m["retention"]["grr"].as_f64().expect("a rate");
        assert!(
            (sum(heads.1) / sum(heads.0) - grr).abs() < 1e-12,
            "{policy}"
        );
    }
    let text = desk.explained(&[]);
    assert!(
        text.contains("GRR = 388000.00 USD ÷ 457000.00 USD = 0.849015317286652"),
        "{text}"
    );
    assert!(text.contains("grace 60d"), "{text}");

    // Of what was due it is another rate, and is called by its own name, with its own definition.
    let text = desk.explained(&["--policy", "denominator=due"]);
    assert!(
        text.contains("gross renewal rate = 258000.00 USD ÷ 347000.00 USD = 0.74351585"),
        "{text}"
    );
    assert!(text.contains("Renewal rate, net: "), "{text}");
    assert!(text.contains("grr of due"), "{text}");
    assert!(!text.contains("GRR = "), "{text}");
    assert!(!text.contains("Gross revenue retention"), "{text}");
}

#[test]
fn bad_rows_are_listed_and_an_empty_cohort_has_no_answer() {
    let desk = Desk::new();
    desk.import(
        "subscriptions",
        "account,line,start,end,arr,currency\n\
         Good,L,2024-01-01,2026-12-31,100,USD\n\
         Overlap,L,2024-01-01,2025-12-31,100,USD\n\
         Overlap,L,2024-07-01,2026-06-30,50,USD\n\
         Credit,L,2024-01-01,2026-12-31,-100,USD\n\
         Mixed,L,2024-01-01,2026-12-31,100,USD\n\
         Mixed,M,2024-01-01,2026-12-31,100,EUR\n\
         Rate,L,2024-01-01,2026-12-31,100,CHF\n\
         Backwards,L,2024-06-01,2024-01-31,100,USD\n",
    );
    desk.import(
        "movements",
        "account,line,date,type,amount,currency\n\
         Untied,L,2024-01-01,new,100,USD\n\
         Untied,L,2025-03-01,churn,80,USD\n\
         Early,L,2025-03-01,churn,80,USD\n",
    );
    let m = desk.year(&[]);
    assert_eq!(m["retention"]["accounts"], 1);
    let excluded = m["excluded"].as_array().expect("a list");
    for (row, reason) in [
        ("Overlap", "overlapping"),
        ("Credit", "negative"),
        ("Mixed", "two currencies"),
        ("Rate", "no rate from CHF"),
        ("Backwards, line L, 2024-06-01", "before it starts"),
        ("Untied", "do not tie"),
        ("Early", "churn before the start"),
    ] {
        let found = excluded.iter().find(|e| e["row"] == row);
        let why = found
            .and_then(|e| e["reason"].as_str())
            .unwrap_or("not there");
        assert!(why.contains(reason), "{row}: {why}\n{m}");
    }
    assert_eq!(m["coverage"]["no_rate"], 1);
    let none = desk.metrics(&["--from", "2010-01-01", "--to", "2010-12-31"]);
    for rate in ["grr", "nrr", "logo_churn"] {
        assert_eq!(none["retention"][rate], Value::Null, "{rate}");
    }
    let plan = desk.year(&["--policy", "fx=plan"]);
    assert_eq!(plan["retention"]["grr"], Value::Null);
    assert!(
        plan["unavailable"]
            .as_str()
            .is_some_and(|w| w.contains("plan"))
    );
}

#[test]
fn mistakes_are_wrong_usage_and_name_what_was_meant() {
    let desk = Desk::new();
    for (args, hint) in [
        (vec!["--policy", "neting=line"], "netting"),
        (vec!["--policy", "late=grase:60d"], "grace"),
        (vec!["--by", "segmnt"], "segment"),
        (vec!["--from", "soon"], "2025-12-31"),
        (
            vec!["--from", "2025-12-31", "--to", "2025-01-01"],
            "after its end",
        ),
        (
            vec!["--policy", "window=year", "--from", "2025-01-01"],
            "--from",
        ),
        (vec!["--as-of", "2030-01-01"], "not come yet"),
    ] {
        let mut all = vec!["metrics"];
        all.extend(args);
        let done = desk.run(&all);
        assert_eq!(done.status.code(), Some(2), "{}", said(&done));
        assert!(said(&done).contains(hint), "{hint}: {}", said(&done));
    }
    // Nothing is there: that is said, and it is no error.
    let done = desk.run(&["metrics"]);
    assert_eq!(done.status.code(), Some(0));
    assert!(said(&done).contains("csops import"), "{}", said(&done));
}

#[test]
fn an_earlier_day_gives_the_figures_of_what_was_known_then() {
    let desk = Desk::new();
    let head = "account,line,start,end,arr,currency\n";
    let row = |arr: &str| {
        format!("{head}A,L,2024-01-01,2027-12-31,100,USD\nA,L,2025-06-01,2027-12-31,{arr},USD\n")
    };
    desk.import_on("2026-11-01", "subscriptions", &row("80"));
    desk.import_on("2026-11-20", "subscriptions", &row("60"));
    assert_eq!(desk.year(&[])["retention"]["grr"], json!(0.6));
    let then = desk.year(&["--as-of", "2026-11-10"]);
    assert_eq!(then["retention"]["grr"], json!(0.8));
    assert_eq!(then["as_of"], "2026-11-10");
    let before = desk.run(&["metrics", "--as-of", "2026-10-01"]);
    assert_eq!(before.status.code(), Some(1), "{}", said(&before));
    // As text it is said as well whose day it is and what is not as it was, once, and beside the tables.
    let text = desk.run(&["metrics", "--as-of", "2026-11-10"]);
    let told = String::from_utf8_lossy(&text.stderr).into_owned();
    assert_eq!(told.matches("as known on 2026-11-10").count(), 1, "{told}");
    let notes = then["history"]["notes"].as_array().expect("notes");
    assert!(!notes.is_empty());
    for note in notes.iter().filter_map(Value::as_str) {
        assert!(told.contains(note), "{note}: {told}");
    }
    let today = desk.run(&["metrics"]);
    assert!(!said(&today).contains("as known on"), "{}", said(&today));
}

#[test]
fn every_switch_takes_the_same_values_on_the_page_as_in_metrics() {
    let desk = base();
    let asked = |switch: &str, value: &str| {
        let choice = format!("{switch}={value}");
        let page = desk.run(&["page", "retention", "--json", "--set", &choice]);
        let metrics = desk.run(&["metrics", "--json", "--policy", &choice]);
        (page, metrics)
    };
    let document = |o: &Output| -> Value { serde_json::from_slice(&o.stdout).expect("a document") };
    let mut all: Vec<(&str, &str, &str)> = SWITCHES
        .iter()
        .flat_map(|s| s.values.iter().map(|v| (s.name, *v, *v)))
        .collect();
    for (asked, meant) in [("grace:30d", "grace:30d"), ("grace:30", "grace:30d")] {
        all.push(("late", asked, meant));
    }
    all.push(("late", "grace", "grace:60d"));
    all.push(("reactivation", "ignore:7", "ignore:7d"));
    all.push(("reactivation", "ignore", "ignore:90d"));
    for (switch, value, meant) in all {
        let (page, metrics) = asked(switch, value);
        assert!(page.status.success(), "{switch}={value}: {}", said(&page));
        assert!(metrics.status.success(), "{}", said(&metrics));
        let page = document(&page);
        let switches = page["switches"].as_array().expect("switches");
        let own = switches.iter().find(|s| s["name"] == switch);
        assert_eq!(own.expect("the switch")["current"], meant, "{switch}");
        assert_eq!(document(&metrics)["policy"][switch], meant, "{switch}");
    }
    for (switch, value, hint) in [
        ("late", "grase:30d", "did you mean `grace`"),
        ("late", "grace:9999d", "from 0 to 3650"),
        ("late", "", "it is one of"),
        ("neting", "line", "did you mean `netting`"),
    ] {
        let (page, metrics) = asked(switch, value);
        for done in [page, metrics] {
            assert_eq!(done.status.code(), Some(2), "{}", said(&done));
            assert!(said(&done).contains(hint), "{hint}: {}", said(&done));
        }
    }
    // A page with no switches says so, and does not leave out in silence what was asked.
    let none = desk.run(&["page", "overview", "--set", "netting=line"]);
    assert_eq!(none.status.code(), Some(2), "{}", said(&none));
    assert!(said(&none).contains("no switch `netting`"));
}

#[test]
fn a_configured_policy_and_configured_rates_count() {
    let desk = Desk::new();
    let folder = desk.home.path().join("config/csops");
    std::fs::create_dir_all(&folder).expect("a folder");
    let settings = "[metrics]\nnetting = \"line\"\n[money.rates]\nEUR = { \"2024-12-31\" = 1.10, \"2025-12-31\" = 0.95 }\n[money.plan_rates]\nEUR = 1.2\n";
    std::fs::write(folder.join("config.toml"), settings).expect("written");
    desk.import("subscriptions", SUBSCRIPTIONS);
    let m = desk.year(&[]);
    assert_eq!(m["retention"]["grr"], json!(0.8315098468271335));
    let m = desk.year(&["--policy", "netting=account", "--policy", "fx=reported"]);
    assert_eq!(m["retention"]["grr"], json!(0.8429978118161926));
    let m = desk.year(&["--policy", "fx=plan"]);
    assert_eq!(m["retention"]["opening"]["amount"], "462000.00");
}

#[test]
fn accounts_that_only_have_subscriptions_have_what_these_pay_on_the_day() {
    let desk = base();
    let arr_on = |day: &str| -> Vec<String> {
        let done = desk.run_on(day, &["list", "accounts", "--csv", "--columns", "name,arr"]);
        let mut rows: Vec<String> = said(&done).lines().skip(1).map(str::to_owned).collect();
        rows.sort();
        rows
    };
    // A4 ended and its grace with it; A8 is back; A10 waits for a signature within its grace.
    assert_eq!(
        arr_on("2026-01-10"),
        [
            "A1,120000.00",
            "A10,18000.00",
            "A2,80000.00",
            "A3,45000.00",
            "A4,0.00",
            "A5,52000.00",
            "A6,55000.00",
            "A7,31500.00",
            "A8,20000.00",
            "A9,36000.00",
        ]
    );
    // Nothing is read again: the day alone ends the lines.
    let later = arr_on("2027-06-01");
    let zeros = later.iter().filter(|r| r.ends_with(",0.00")).count();
    assert_eq!(zeros, 10, "{later:?}");
    // What has no ARR of its own is priced in data quality, too, and is found by it.
    let found = said(&desk.run_on(
        "2026-01-10",
        &[
            "list",
            "accounts",
            "arr_counted:yes arr>100k",
            "--csv",
            "--columns",
            "name",
        ],
    ));
    assert_eq!(found.trim(), "name\nA1", "{found}");
    let defects = said(&desk.run_on("2026-01-10", &["quality"]));
    assert!(defects.contains("120000.00 USD"), "{defects}");
    assert!(!defects.contains("missing_arr"), "{defects}");
}
