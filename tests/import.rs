//! Files as people have them, through the real program: what becomes of every row, and that the cockpit's lists work on them.

mod common;

use common::vendors::Vendors;
use common::{csops, json};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;

struct Desk {
    home: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk {
            home: tempfile::tempdir().expect("a folder"),
        }
    }
    fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_string_lossy().into_owned()
    }
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.home.path().join(name), bytes).expect("written");
        self.path(name)
    }
    fn run(&self, args: &[&str]) -> Output {
        csops(self.home.path())
            .args(args)
            .output()
            .expect("the program starts")
    }
    fn import(&self, args: &[&str]) -> Output {
        let mut all = vec!["import"];
        all.extend_from_slice(args);
        self.run(&all)
    }
    fn json(&self, args: &[&str]) -> Value {
        json(self.home.path(), args)
    }
    fn show(&self, account: &str) -> Value {
        self.json(&["show", account, "--json"])
    }
}

fn out(o: &Output) -> String {
    String::from_utf8_lossy(&o.stdout).into_owned()
}
fn err(o: &Output) -> String {
    String::from_utf8_lossy(&o.stderr).into_owned()
}
fn fine(o: Output) -> String {
    assert_eq!(o.status.code(), Some(0), "{}{}", out(&o), err(&o));
    out(&o)
}

const ACCOUNTS: &str = "id,name,domain,segment,csm,start,health,Tier\nA1,Acme,acme.com,enterprise,dana@example.com,2020-01-31,85,Gold\nA2,Boreal,boreal.io,smb,Omar,2021-05-01,20,\n";

#[test]
fn a_book_of_files_alone_can_be_worked_on() {
    let desk = Desk::new();
    let accounts = desk.file("accounts.csv", ACCOUNTS);
    fine(desk.import(&[&accounts]));
    let act = |command: &str| {
        fine(desk.run(&["do", command, "--kind", "accounts", "--on", "Acme", "--yes"]))
    };
    act("note Called them");
    act("owner Omar");
    act("ack");
    let acme = desk.show("A1").to_string();
    assert!(acme.contains("Called them"), "{acme}");
    assert!(acme.contains("Omar"), "{acme}");
    // Nothing waits for a system that there is not.
    let waiting = desk.json(&["outbox", "--json"]);
    assert_eq!(
        waiting["rows"].as_array().map(Vec::len),
        Some(0),
        "{waiting}"
    );
    // What was changed here stays when the file comes again.
    fine(desk.import(&[&accounts]));
    assert!(desk.show("A1").to_string().contains("Omar"));
}

#[test]
fn a_book_of_files_alone_fills_the_lists() {
    let desk = Desk::new();
    let accounts = desk.file("accounts.csv", ACCOUNTS);
    let said = fine(desk.import(&[&accounts, "--kind", "accounts"]));
    assert!(said.contains("2 rows: 2 new"), "{said}");
    let people = desk.file(
        "people.csv",
        "email,name,role\nDana@example.com,Dana Okafor,csm\nomar@example.com,Omar,csm\n",
    );
    fine(desk.import(&[&people, "--kind", "people"]));
    let renewals = desk.file(
        "r.csv",
        "id,account,due,amount,currency,forecast,stage,owner\nR1,A1,2026-12-31,120000.50,EUR,Best Case,Negotiation,dana@example.com\nR2,boreal.io,2026-12-01,5,USD,commit,,\n",
    );
    fine(desk.import(&[&renewals, "--kind", "renewals"]));
    let tasks = desk.file(
        "t.csv",
        "id,account,title,due,priority,status,owner\nT1,Acme,\"Call\nback\",2026-11-30,high,Not started,omar@example.com\n",
    );
    fine(desk.import(&[&tasks, "--kind", "tasks"]));
    let risks = desk.file(
        "e.csv",
        "id,account,kind,severity,status,owner,opened,reason\nE1,A2,Risk,high,New,Omar,2026-11-01,budget\n",
    );
    fine(desk.import(&[&risks, "--kind", "escalations"]));
    let rates = desk.file(
        "rates.csv",
        "date,from,to,rate,kind\n2026-01-01,EUR,USD,1.10,\n2026-01-01,EUR,USD,9,plan\n",
    );
    fine(desk.import(&[&rates, "--kind", "rates"]));

    let rows = desk.json(&["list", "accounts", "--json", "--sort", "name"])["rows"].clone();
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "{rows}");
    assert_eq!(rows[0]["name"], "Acme");
    // The person whom the account file only mentions is the one of the people's file, by address and by name.
    assert_eq!(rows[0]["csm"], "Dana Okafor");
    assert_eq!(rows[1]["csm"], "Omar");
    let people = desk.json(&["list", "people", "--json"])["rows"].clone();
    assert_eq!(people.as_array().map(Vec::len), Some(2), "{people}");
    let renewals = desk.json(&["list", "renewals", "--json", "--sort", "-amount"])["rows"].clone();
    assert_eq!(renewals[0]["account"], "Acme");
    assert_eq!(renewals[0]["forecast"], "best");
    assert_eq!(
        renewals[0]["amount"],
        json!({"amount": "120000.50", "currency": "EUR"})
    );
    // By its domain; no second Boreal was made of it.
    assert_eq!(renewals[1]["account"], "Boreal");
    let tasks = desk.json(&["list", "tasks", "--json"])["rows"].clone();
    assert_eq!(tasks[0]["account"], "Acme");
    assert_eq!(tasks[0]["title"], "Call\nback");
    let queue = desk.json(&["list", "queue", "--json"])["rows"].clone();
    assert_eq!(queue[0]["name"], "Boreal", "{queue}");
    let acme = desk.show("acme.com");
    assert_eq!(acme["extra"]["Tier"], "Gold");
    assert_eq!(acme["account"]["health"], 85);
    // The plan's rate converts nothing.
    let worth = desk.json(&["list", "renewals", "amount>=132k", "amount<133k", "--json"]);
    assert_eq!(worth["rows"].as_array().map(Vec::len), Some(1), "{worth}");
}

#[test]
fn defects_are_listed_with_the_arr_that_they_hide_most_money_first() {
    let desk = Desk::new();
    let accounts = desk.file(
        "accounts.csv",
        "id,name,domain,csm,start,health,health_at,arr,currency,renewal\n\
         A1,Acme,acme.com,dana@example.com,2020-01-31,85,2026-11-20,1200,USD,2027-01-31\n\
         A2,Boreal,boreal.io,,2021-05-01,20,2026-11-20,5000,USD,2027-05-01\n\
         A3,Cirrus,cirrus.dev,dana@example.com,0202-03-01,50,2026-11-20,800,CHF,\n",
    );
    fine(desk.import(&[&accounts]));
    let deals = desk.file(
        "opportunities.csv",
        "id,account,name,kind,amount,currency,stage,created,closed,origin\n\
         O1,A1,More seats,upsell,300,USD,Closed Won,2026-01-05,2026-03-01,CSQL\n",
    );
    fine(desk.import(&[&deals]));
    let document = desk.json(&["quality", "--json"]);
    let found: Vec<(String, String, Value)> = document["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|r| {
            let text = |key: &str| r[key].as_str().unwrap_or_default().to_owned();
            (
                text("account"),
                text("defect"),
                r["hidden"]["amount"].clone(),
            )
        })
        .collect();
    let row = |account: &str, defect: &str, amount: Value| {
        (account.to_owned(), defect.to_owned(), amount)
    };
    assert_eq!(
        found,
        [
            row("Boreal", "no_owner", json!("5000.00")),
            row("Cirrus", "no_renewal_date", Value::Null),
            row("Cirrus", "no_rate", Value::Null),
            row("Cirrus", "impossible_date", Value::Null),
        ]
    );
    assert_eq!(document["coverage"]["with_an_amount"], 1);
    let only = fine(desk.run(&["quality", "impossible_date"]));
    assert!(only.contains("customer since 0202-03-01"), "{only}");
    let wrong = desk.run(&["quality", "no_onwer"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("`no_owner`"), "{}", err(&wrong));
    // What sells more is an account's own, and is shown with it.
    assert_eq!(desk.show("Acme")["opportunities"][0]["stage_kind"], "won");
}

#[test]
fn unknown_accounts_are_made_and_lines_and_movements_keep_exact_money() {
    let desk = Desk::new();
    let subs = desk.file(
        "subs.csv",
        "account,line,product,start,end,arr,currency,change,signed,recurring,notice_days,auto_renew\n\
         A1,P1,Core,2024-01-01,2024-12-31,90071992547409.93,USD,new,2023-12-20,yes,90,no\n\
         A1,P1,Core,2025-01-01,,100000.10,USD,renewal,,true,,\n\
         Neue Firma,,,2025-03-01,,36000,EUR,,,,,\n\
         A1,P2,Setup,2025-01-01,,-5.5,USD,,,false,,\n",
    );
    let done = desk.import(&[&subs, "--kind", "subscriptions"]);
    assert!(
        err(&done).contains("2 accounts or people were made"),
        "{}",
        err(&done)
    );
    fine(done);
    let moves = desk.file(
        "moves.csv",
        "account;line;date;type;amount;currency;reason\nA1;P1;31.12.2025;price;-1.200,25;EUR;discount\n",
    );
    fine(desk.import(&[&moves, "--kind", "movements"]));
    let names = desk.json(&[
        "list",
        "accounts",
        "--json",
        "--columns",
        "name",
        "--sort",
        "name",
    ]);
    assert_eq!(
        names["rows"],
        json!([{"name": "A1"}, {"name": "Neue Firma"}])
    );
    let a1 = desk.show("A1");
    let lines = a1["subscriptions"].as_array().expect("lines");
    assert_eq!(lines.len(), 3, "{a1}");
    assert_eq!(
        lines[0]["arr"],
        json!({"amount": "90071992547409.93", "currency": "USD"})
    );
    assert_eq!(lines[0]["end"], "2024-12-31");
    assert_eq!(lines[0]["notice_days"], 90);
    assert_eq!(lines[2]["arr"]["amount"], "-5.50");
    assert_eq!(lines[2]["recurring"], false);
    assert_eq!(
        a1["movements"][0]["amount"],
        json!({"amount": "-1200.25", "currency": "EUR"})
    );
    assert_eq!(a1["movements"][0]["date"], "2025-12-31");
    // The same accounts named in full afterwards are no other accounts.
    let accounts = desk.file("accounts.csv", "id,name\nA1,Acme\n");
    fine(desk.import(&[&accounts, "--kind", "accounts"]));
    let named = desk.show("Acme");
    assert_eq!(named["subscriptions"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_second_import_replaces_the_rows_of_that_file_and_of_no_other() {
    let desk = Desk::new();
    let one = desk.file(
        "one.csv",
        "account,kind,at,value\nA,nps,2026-01-01,9\nA,nps,2026-02-01,3\n",
    );
    let two = desk.file("two.csv", "account,kind,at,value\nA,csat,2026-01-01,4\n");
    for file in [&one, &two] {
        fine(desk.import(&[file, "--kind", "signals"]));
    }
    let again = fine(desk.import(&[&one, "--kind", "signals"]));
    assert!(again.contains("0 new, 0 changed, 2 unchanged"), "{again}");
    desk.file(
        "one.csv",
        "account,kind,at,value\nA,nps,2026-02-01,4\nB,nps,2026-02-01,4\n",
    );
    let dry = desk.import(&[&one, "--kind", "signals", "--dry-run"]);
    assert!(
        err(&dry).contains("1 row that the file no longer has would be gone"),
        "{}",
        err(&dry)
    );
    let dry = fine(dry);
    assert!(
        dry.contains("line 2        changed    A|nps|2026-02-01"),
        "{dry}"
    );
    assert!(
        dry.contains("line 3        new        B|nps|2026-02-01"),
        "{dry}"
    );
    assert_eq!(
        desk.show("A")["signals"].as_array().map(Vec::len),
        Some(3),
        "a dry run wrote"
    );
    fine(desk.import(&[&one, "--kind", "signals"]));
    let signals = desk.show("A")["signals"].clone();
    let left: Vec<(&str, f64)> = signals
        .as_array()
        .expect("signals")
        .iter()
        .map(|s| {
            (
                s["at"].as_str().unwrap_or(""),
                s["value"].as_f64().unwrap_or(0.0),
            )
        })
        .collect();
    assert_eq!(left, [("2026-01-01", 4.0), ("2026-02-01", 4.0)]);
    // A refused row keeps what it was; one without a name keeps everything.
    desk.file("one.csv", "account,kind,at,value\nA,nps,2026-02-01,x\n");
    assert_eq!(
        desk.import(&[&one, "--kind", "signals"]).status.code(),
        Some(1)
    );
    assert_eq!(desk.show("A")["signals"].as_array().map(Vec::len), Some(2));
    assert_eq!(desk.show("B")["signals"], json!([]));
    desk.file("one.csv", "account,kind,at,value\n\"broken\n");
    let broken = desk.import(&[&one, "--kind", "signals"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(err(&broken).contains("stay"), "{}", err(&broken));
    assert_eq!(desk.show("A")["signals"].as_array().map(Vec::len), Some(2));
}

#[test]
fn bad_rows_are_listed_with_line_column_value_and_reason_and_the_rest_is_taken() {
    let desk = Desk::new();
    let mut bytes = b"\xEF\xBB\xBFid,name,start,arr\r\n".to_vec();
    bytes.extend(b"1,\"=cmd|' /C calc'!A0\",2026-01-02,1\r\n");
    bytes.extend(b"2,bad \x1b[2Jday,2026-02-30,1\r\n");
    bytes.extend(b"3,\"never closed,2026-01-02,1\r\n");
    bytes.extend("4,\"Zwei\r\nZeilen\",2026-01-02,1\r\n".as_bytes());
    bytes.extend(b"5,M\xFCller,2026-01-02,1\r\n");
    bytes.extend("6,Grün & Łódź,2026-01-02,\r\n".as_bytes());
    bytes.extend(b"7,too,many,cells,here\r\n\r\n");
    bytes.extend(b"1,twice,2026-01-02,1\r\n");
    let file = desk.file("accounts mixed.csv", &bytes);
    for dry in [true, false] {
        let mut args = vec![file.as_str()];
        args.extend(dry.then_some("--dry-run"));
        let done = desk.import(&args);
        assert_eq!(done.status.code(), Some(1), "{}", err(&done));
        let said = out(&done);
        assert!(!said.contains('\x1b'));
        for part in [
            "line 3        refused    start: `2026-02-30` is no day",
            "line 4        refused    a quote",
            "line 7        refused    name: ",
            "line 9        refused    5 cells under 4 columns",
            "line 11       refused    id: `1` names the same row as line 2",
            "8 rows:",
            "5 refused",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let there = Path::new(&desk.path("data/csops/csops.db")).exists();
        assert_eq!(there, !dry, "a dry run made a database, or an import none");
    }
    let rows = desk.json(&[
        "list",
        "accounts",
        "--json",
        "--columns",
        "name",
        "--sort",
        "name",
    ]);
    let names: Vec<&str> = rows["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|r| r["name"].as_str())
        .collect();
    assert_eq!(
        names,
        ["=cmd|' /C calc'!A0", "Grün & Łódź", "Zwei\r\nZeilen"]
    );
    let doc = desk.import(&[&file, "--json"]);
    assert_eq!(doc.status.code(), Some(1));
    let doc: Value = serde_json::from_slice(&doc.stdout).expect("a document");
    assert_eq!(doc["coverage"]["refused"], 5);
    assert_eq!(doc["rows"][0]["line"], 3);
    assert_eq!(doc["rows"][0]["column"], "start");
}

#[test]
fn wrong_usage_is_told_from_refused_rows() {
    let desk = Desk::new();
    let file = desk.file("x.csv", "id,name\n1,a\n");
    for (args, part) in [
        (vec!["nowhere.csv", "--kind", "accounts"], "nowhere.csv"),
        (vec![file.as_str()], "--kind"),
        (vec![file.as_str(), "--kind", "things"], "things"),
        (vec![file.as_str(), "--kind", "tasks"], "title"),
        (
            vec![file.as_str(), "--kind", "accounts", "--source", "local"],
            "local",
        ),
        (
            vec![file.as_str(), "--kind", "accounts", "--map", "nomap.toml"],
            "nomap.toml",
        ),
    ] {
        let done = desk.import(&args);
        assert_eq!(done.status.code(), Some(2), "{args:?}: {}", err(&done));
        assert!(err(&done).contains(part), "{args:?}: {}", err(&done));
    }
}

#[test]
fn rows_of_a_file_join_the_accounts_of_a_vendor() {
    let home = tempfile::tempdir().expect("a folder");
    let vendors = Vendors::start(home.path(), &["--freeze", "--accounts", "40"]);
    let config = vendors.config.to_string_lossy().into_owned();
    let db = home.path().join("csops.db").to_string_lossy().into_owned();
    let run = |args: &[&str]| {
        let mut all = vec!["--config", config.as_str(), "--db", db.as_str()];
        all.extend_from_slice(args);
        csops(home.path()).args(&all).output().expect("starts")
    };
    fine(run(&["sync"]));
    let account = &vendors
        .soql("SELECT Id, Name FROM Account WHERE IsDeleted = false AND Website != null")[0];
    let (id, name) = (
        account["Id"].as_str().expect("an id"),
        account["Name"].as_str().expect("a name"),
    );
    let count = || {
        let listed = run(&["list", "accounts", "--json"]);
        let listed: Value = serde_json::from_slice(&listed.stdout).expect("a document");
        listed["rows"].as_array().map(Vec::len)
    };
    let before = count();
    let file = home.path().join("signals.jsonl");
    let line = json!({"account": id, "kind": "adoption", "at": "2026-11-01", "value": 0.5});
    std::fs::write(&file, format!("{line}\n")).expect("written");
    fine(run(&["import", &file.to_string_lossy()]));
    assert_eq!(count(), before, "{name} was made a second time");
    let shown = run(&["show", id, "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("a document");
    let found = shown["signals"]
        .as_array()
        .expect("signals")
        .iter()
        .any(|s| s["kind"] == "adoption");
    assert!(found, "{shown}");
    let refused = run(&["import", &file.to_string_lossy(), "--source", "crm"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn what_is_exported_is_safe_for_spreadsheets_and_can_come_back() {
    let desk = Desk::new();
    let accounts = desk.file("accounts.csv", "id,name\n1,=1+1\n2,Ümlaut\n");
    fine(desk.import(&[&accounts]));
    let csv = desk.path("out.csv");
    let done = desk.run(&[
        "export",
        "accounts",
        "--columns",
        "name",
        "--sort",
        "name",
        "--out",
        &csv,
    ]);
    assert!(err(&done).contains("2 rows"), "{}", err(&done));
    fine(done);
    assert_eq!(
        std::fs::read_to_string(&csv).expect("written"),
        "name\n'=1+1\nÜmlaut\n"
    );
    let lines = desk.path("accounts.ndjson");
    fine(desk.run(&[
        "export",
        "accounts",
        "name:Ümlaut",
        "--columns",
        "name",
        "--out",
        &lines,
    ]));
    assert_eq!(
        std::fs::read_to_string(&lines).expect("written"),
        "{\"name\":\"Ümlaut\"}\n"
    );
    fine(desk.import(&[&lines, "--source", "again"]));
    let wrong = desk.run(&["export", "accounts", "--out", &desk.path("out.xlsx")]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(!Path::new(&desk.path("out.xlsx")).exists());
    let printed = fine(desk.run(&["export", "accounts", "--columns", "name", "--limit", "1"]));
    assert!(printed.starts_with("name\n"), "{printed}");
}

#[test]
fn a_watched_folder_is_a_source_like_any_other() {
    let desk = Desk::new();
    let folder = desk.home.path().join("drop");
    std::fs::create_dir(&folder).expect("a folder");
    let put = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    let config = desk.file(
        "config.toml",
        format!(
            "[[source]]\nname = \"sheets\"\nconnector = \"files\"\n[source.options]\nfolder = \"{}\"\ncurrency = \"EUR\"\n",
            folder.display()
        ),
    );
    let run = |args: &[&str]| {
        let mut all = vec!["--config", config.as_str()];
        all.extend_from_slice(args);
        desk.run(&all)
    };
    let document =
        |args: &[&str]| -> Value { serde_json::from_slice(&run(args).stdout).expect("a document") };
    put(
        "accounts.csv",
        "id,name,csm\n1,Acme,Dana Okafor\n2,Boreal,\n",
    );
    put("people.csv", "email,name\ndana@example.com,Dana Okafor\n");
    put(
        "kunden.txt",
        "Firma;Ende;Wert\nAcme;31.12.2026;1.000,50\nZenith;01.02.2027;5\nBoreal;x;1\n",
    );
    put(
        "kunden.map.toml",
        "kind = \"renewals\"\n[rename]\nFirma = \"account\"\nEnde = \"due\"\nWert = \"amount\"\n",
    );
    let first = run(&["sync"]);
    assert_eq!(first.status.code(), Some(0), "{}", err(&first));
    // Without a column for the id the file as a whole is told, and the others are taken.
    let status = document(&["status", "--json"]);
    let problems = |status: &Value| -> f64 {
        let streams = status["rows"][0]["streams"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        streams.iter().filter_map(|s| s["problems"].as_f64()).sum()
    };
    assert!((problems(&status) - 1.0).abs() < 0.1, "{status}");
    put(
        "kunden.map.toml",
        "kind = \"renewals\"\n[rename]\nFirma = \"id\"\nEnde = \"due\"\nWert = \"amount\"\n[fixed]\naccount = \"1\"\n",
    );
    assert_eq!(run(&["sync"]).status.code(), Some(0));
    let renewals = document(&["list", "renewals", "--json", "--sort", "due"]);
    assert_eq!(
        renewals["rows"].as_array().map(Vec::len),
        Some(2),
        "{renewals}"
    );
    assert_eq!(renewals["rows"][0]["account"], "Acme");
    assert_eq!(
        renewals["rows"][0]["amount"],
        json!({"amount": "1000.50", "currency": "EUR"})
    );
    let accounts = document(&["list", "accounts", "--json", "--sort", "name"]);
    assert_eq!(accounts["rows"][0]["csm"], "Dana Okafor");
    let quiet = document(&["sync", "--json"]);
    assert_eq!(quiet["rows"][0]["changed"], 0, "{quiet}");
    put("accounts.csv", "id,name,csm\n1,Acme Corp,\n");
    assert_eq!(run(&["sync"]).status.code(), Some(0));
    let accounts = document(&["list", "accounts", "--json", "--columns", "name"]);
    assert_eq!(accounts["rows"], json!([{"name": "Acme Corp"}]));
    let check = run(&["connect", "check", "sheets"]);
    assert!(fine(check).contains("accounts in 1"));
    std::fs::remove_dir_all(&folder).expect("gone");
    let gone = run(&["sync"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(err(&gone).contains("drop"), "{}", err(&gone));
}

#[test]
fn a_csops_that_runs_already_shows_what_another_takes_in() {
    let desk = Desk::new();
    let folder = desk.home.path().join("drop");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("people.csv"), "email\ndana@example.com\n").expect("written");
    let config = desk.file(
        "config.toml",
        format!(
            "[[source]]\nname = \"sheets\"\nconnector = \"files\"\n[source.options]\nfolder = \"{}\"\n",
            folder.display()
        ),
    );
    let mut daemon = csops(desk.home.path())
        .args(["--config", &config, "sync", "--watch"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let listed = |kind: &str| -> usize {
        let done = desk.run(&["--config", &config, "list", kind, "--json"]);
        let document: Value = serde_json::from_slice(&done.stdout).expect("a document");
        document["rows"].as_array().map_or(0, Vec::len)
    };
    let until = |kind: &str, rows: usize| {
        // Patience, not time, ends this: each look is a whole program's run.
        (0..600).any(|_| listed(kind) == rows)
    };
    // It leads once it has pulled.
    let leads = until("people", 1);
    let accounts = desk.file("accounts.csv", ACCOUNTS);
    let done = desk.run(&["--config", &config, "import", &accounts]);
    let shown = until("accounts", 2);
    daemon.kill().expect("ended");
    daemon.wait().expect("ended");
    assert!(leads, "the daemon never pulled");
    assert!(err(&done).contains("syncs this database"), "{}", err(&done));
    fine(done);
    assert!(shown, "the rows were left unmerged");
}
