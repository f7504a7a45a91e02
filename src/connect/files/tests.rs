//! Whole files through the reader: what is found out, what is taken, what is refused and why.

use super::{FileKind, Reading, Refusal, Table};
use crate::book::record::IMPLIED;
use crate::book::{FieldValue, Money, Record};
use proptest::prelude::*;

struct Read {
    notes: Vec<String>,
    rows: Vec<(u64, Record)>,
    refused: Vec<Refusal>,
    implied: Vec<Record>,
}

fn try_read(name: &str, bytes: &[u8], kind: FileKind, map: &str) -> Result<Read, String> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    let map_path = dir.path().join("map.toml");
    std::fs::write(&map_path, map).expect("written");
    let mut table = Table::open(
        &path,
        &Reading {
            kind: Some(kind),
            map: Some(map_path),
            currency: Some("USD".into()),
        },
    )?;
    let mut read = Read {
        notes: table.notes().to_vec(),
        rows: Vec::new(),
        refused: Vec::new(),
        implied: Vec::new(),
    };
    loop {
        let page = table.page(3)?;
        assert!(page.rows.len() + page.refused.len() <= 3);
        read.rows.extend(page.rows);
        read.refused.extend(page.refused);
        read.implied.extend(page.implied);
        if page.done {
            return Ok(read);
        }
    }
}

fn read(name: &str, bytes: &[u8], kind: FileKind) -> Read {
    try_read(name, bytes, kind, "").expect("readable")
}

fn text(t: &str) -> Option<FieldValue> {
    Some(FieldValue::Text(t.into()))
}

#[test]
fn a_spreadsheet_as_germany_saves_it() {
    let csv = "\u{feff}ID;Name;CSM;Start;ARR;Tier\r\n\
        1;Müller & Söhne;Dana@Example.com;31.12.2024;1.234,50;Gold\r\n\
        2;=cmd|'/c calc'!A0;;01.02.2025;\"12\";\r\n\
        ;;;;;\r\n\
        3;\"Zwei\nZeilen\";;40.01.2025;7;x\r\n\
        1;Doppelt;;01.01.2025;7;x\r\n";
    let got = read("a.csv", csv.as_bytes(), FileKind::Accounts);
    let ids: Vec<(u64, &str)> = got
        .rows
        .iter()
        .map(|(l, r)| (*l, r.external_id.as_str()))
        .collect();
    assert_eq!(ids, [(2, "1"), (3, "2")]);
    let first = &got.rows[0].1;
    assert_eq!(first.get("name").cloned(), text("Müller & Söhne"));
    assert_eq!(
        first.get("arr"),
        Some(&FieldValue::Money(
            Money::new(123_450, "USD").expect("money")
        ))
    );
    assert_eq!(
        first.get("csm"),
        Some(&FieldValue::Ref("dana@example.com".into()))
    );
    assert_eq!(first.get("x.Tier").cloned(), text("Gold"));
    assert_eq!(
        first.get("start").map(ToString::to_string).as_deref(),
        Some("2024-12-31")
    );
    // A formula is a text like any other.
    assert_eq!(
        got.rows[1].1.get("name").cloned(),
        text("=cmd|'/c calc'!A0")
    );
    let said: Vec<(u64, String)> = got.refused.iter().map(|r| (r.line, r.describe())).collect();
    assert_eq!(said[0].0, 5);
    assert!(said[0].1.starts_with("Start: `40.01.2025`"), "{said:?}");
    assert_eq!(got.refused[0].external_id.as_deref(), Some("3"));
    assert_eq!(said[1], (7, "ID: `1` names the same row as line 2".into()));
    let notes = got.notes.join("\n");
    for part in ["byte-order mark", "`;`", "decimal comma", "Tier", "USD"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    assert_eq!(got.implied.len(), 1);
    assert_eq!(got.implied[0].get(IMPLIED), Some(&FieldValue::Bool(true)));
}

#[test]
fn a_signal_of_an_impossible_day_is_refused_with_its_row() {
    let file =
        "account,kind,at,value\na,nps,0202-03-04,1\na,usage,1969-12-31,2\na,usage,1970-01-01,3\n";
    let got = read("s.csv", file.as_bytes(), FileKind::Signals);
    let said: Vec<(u64, &str)> = (got.refused.iter())
        .map(|r| (r.line, r.reason.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (2, "is 0202-03-04, an impossible date: before 1970"),
            (3, "is 1969-12-31, an impossible date: before 1970")
        ]
    );
    assert_eq!(got.rows.len(), 1);
}

#[test]
fn the_order_of_days_is_decided_by_the_column_and_what_stays_open_is_said() {
    let file = "account,kind,at,value\na,nps,03/04/2026,1\nb,nps,12/31/2026,2\n";
    let got = read("s.csv", file.as_bytes(), FileKind::Signals);
    assert_eq!(
        got.rows[0].1.get("at").map(ToString::to_string).as_deref(),
        Some("2026-03-04")
    );
    let open = "account,kind,at,value\na,nps,03/04/2026,1\n";
    let got = read("s.csv", open.as_bytes(), FileKind::Signals);
    assert!(
        got.notes
            .iter()
            .any(|n| n.contains("ambiguous") && n.contains("03/04/2026") && n.contains("line 2")),
        "{:?}",
        got.notes
    );
    let got = try_read(
        "s.csv",
        open.as_bytes(),
        FileKind::Signals,
        "date_order = \"mdy\"",
    )
    .expect("read");
    assert_eq!(
        got.rows[0].1.get("at").map(ToString::to_string).as_deref(),
        Some("2026-03-04")
    );
    assert!(!got.notes.iter().any(|n| n.contains("ambiguous")));
}

#[test]
fn subscriptions_and_movements_by_their_keys() {
    let csv = "account,line,start,end,arr,currency,change\nA|1,P1,2024-01-01,2024-12-31,100,EUR,new\nA,1|P1,2024-01-01,,1e2,,\nA,P1,2025-01-01,,x,USD,\nA,P1,2025-01-01,,5,USD,upsell\n";
    let got = read("subs.csv", csv.as_bytes(), FileKind::Subscriptions);
    let ids: Vec<&str> = got
        .rows
        .iter()
        .map(|(_, r)| r.external_id.as_str())
        .collect();
    assert_eq!(ids, ["A\\|1|P1|2024-01-01", "A|1\\|P1|2024-01-01"]);
    let said: Vec<String> = got.refused.iter().map(Refusal::describe).collect();
    assert_eq!(said[0], "arr: `x` is no amount");
    assert!(
        said[1].starts_with("change: `upsell` is none of new"),
        "{said:?}"
    );
    let csv = "account,line,date,type,amount\nA,,2025-01-01,churn,-5\nA,,2025-01-01,price,-5\nA,,,churn,5\n";
    let got = read("m.csv", csv.as_bytes(), FileKind::Movements);
    assert_eq!(got.rows.len(), 1);
    assert_eq!(got.refused[0].column, "amount");
    assert_eq!(got.refused[1].describe(), "date: is empty");
}

#[test]
fn a_map_file_renames_translates_and_fixes() {
    let file = "exported 2026\nKunde|Art|Tag|Wert\nacme.com|NPS|03.04.26|9\n";
    let map = "skip = 1\n[rename]\nKunde = \"account\"\nArt = \"kind\"\ntag = \"at\"\nWert = \"value\"\nWeg = \"text\"\n[values.kind]\nNPS = \"nps\"\n[fixed]\nunit = \"points\"\n";
    let got = try_read("x.txt", file.as_bytes(), FileKind::Signals, map).expect("read");
    assert_eq!(got.rows.len(), 1, "{:?}", got.refused);
    let (line, row) = &got.rows[0];
    assert_eq!(
        (*line, row.external_id.as_str()),
        (3, "acme.com|nps|2026-04-03")
    );
    assert_eq!(row.get("unit").cloned(), text("points"));
    assert!(got.notes.iter().any(|n| n.contains("Weg")));
    assert_eq!(got.implied[0].get("domain").cloned(), text("acme.com"));
    let bare = "acme.com\tnps\t2026-04-03\t9\n";
    let map = "separator = \"tab\"\ncolumns = [\"account\", \"kind\", \"at\", \"value\"]\n";
    let got = try_read("x.tsv", bare.as_bytes(), FileKind::Signals, map).expect("read");
    assert_eq!(got.rows.len(), 1);
    assert_eq!(got.rows[0].0, 1);
}

#[test]
fn what_cannot_be_a_table_is_said_in_a_sentence() {
    let missing = try_read("t.csv", b"id,name\n1,x\n", FileKind::Tasks, "").err();
    assert!(missing.is_some_and(|e| e.contains("`title`")));
    let double = try_read("t.csv", b"id,title,Title\n1,x,y\n", FileKind::Tasks, "").err();
    assert!(double.is_some_and(|e| e.contains("two columns")));
    assert!(try_read("t.csv", b"", FileKind::Tasks, "").is_err());
    let none = Table::open(std::path::Path::new("/nowhere/x.csv"), &Reading::default()).err();
    assert!(none.is_some_and(|e| e.contains("--kind")));
}

#[test]
fn json_lines_are_rows_too() {
    let lines = "{\"id\":\"1\",\"name\":\"Ä\",\"arr\":{\"amount\":\"12.345\",\"currency\":\"JPY\"}}\n\n[1]\n{\"id\":2,\"name\":\"B\",\"extra\":[1,2],\"start\":\"2026-01-02\"}\n{\"id\":3,\n";
    let got = read("a.jsonl", lines.as_bytes(), FileKind::Accounts);
    assert_eq!(got.rows.len(), 2, "{:?}", got.refused);
    assert_eq!(got.rows[1].1.get("x.extra").cloned(), text("1; 2"));
    let lines: Vec<u64> = got.refused.iter().map(|r| r.line).collect();
    assert_eq!(lines, [3, 5]);
}

#[test]
fn bytes_that_are_no_text_cost_their_row_only() {
    let mut bytes = "id,name\n1,Grün\n2,Łódź\n3,x".as_bytes().to_vec();
    bytes.extend(b"\xFF\n4,y\n");
    let got = read("a.csv", &bytes, FileKind::Accounts);
    assert_eq!(got.rows.len(), 3);
    assert_eq!(
        (got.refused[0].line, got.refused[0].column.as_str()),
        (4, "name")
    );
}

proptest! {
    #[test]
    fn any_bytes_under_a_header_are_taken_or_refused_line_by_line(
        parts in proptest::collection::vec(prop_oneof![
            Just(b"\"".to_vec()), Just(b",".to_vec()), Just(b"\n".to_vec()), Just(b"\r\n".to_vec()), Just(b"1,".to_vec()),
            Just(b"2026-01-02".to_vec()), Just(b"a,nps,03/04/2026,1\n".to_vec()), proptest::collection::vec(any::<u8>(), 0..5)
        ], 0..40),
        kind in proptest::sample::select(FileKind::ALL.to_vec()),
        json in any::<bool>(),
    ) {
        let header: Vec<&str> = kind.spec().columns.iter().map(|c| c.name).collect();
        let mut bytes = if json { Vec::new() } else { format!("{}\n", header.join(",")).into_bytes() };
        bytes.extend(parts.concat());
        let name = if json { "f.jsonl" } else { "f.csv" };
        let Ok(got) = try_read(name, &bytes, kind, "separator = \",\"") else {
            return Ok(());
        };
        let mut lines: Vec<u64> = got.rows.iter().map(|(l, _)| *l).chain(got.refused.iter().map(|r| r.line)).collect();
        lines.sort_unstable();
        let mut once = lines.clone();
        once.dedup();
        prop_assert_eq!(&lines, &once);
        for r in &got.refused {
            prop_assert!(!r.describe().chars().any(char::is_control));
        }
        for (_, r) in &got.rows {
            prop_assert!(!r.external_id.is_empty());
        }
    }
}
