//! `csops whatif`: what would be if a signal of an account moved, or a scenario came true. Nothing is written.

use super::args::{Global, WhatIf as Options};
use super::open::{How, coverage, head, open};
use super::page::json::value_json;
use super::print::print_json;
use super::show::find;
use super::start::Failure;
use crate::book::text::visible;
use crate::cockpit::Snapshot;
use crate::insight::whatif::{Ground, MOVES, Pair, SCENARIOS, WhatIf, whatif};
use crate::tui::figures::Words;
use crate::tui::text::pad_left;
use serde_json::{Value, json};
use std::io::Write;

/// Runs it.
///
/// # Errors
/// 2 when nothing is moved, or what cannot be; 1 when no account, or more than one, answers to the text.
pub fn run(global: &Global, options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let scenario = |w: &str| w == "slip-commits" || w.starts_with("lose-top-");
    let (terms, named): (Vec<&String>, Vec<&String>) = options
        .words
        .iter()
        .partition(|w| w.contains('=') || scenario(w));
    if terms.is_empty() {
        return Err(Failure::usage(usage()));
    }
    let session = open(global, How::Headless)?;
    let account = match named.as_slice() {
        [] => None,
        words => {
            let text: Vec<&str> = words.iter().map(|w| w.as_str()).collect();
            Some(find(&session, &text.join(" "))?)
        }
    };
    let snapshot = session.cockpit.snapshot();
    let ground = Ground {
        book: &snapshot.book,
        derived: &snapshot.derived,
        today: snapshot.today,
        calendar: &snapshot.calendar,
        settings: &snapshot.settings,
    };
    let line: Vec<&str> = terms.iter().map(|w| w.as_str()).collect();
    let line = line.join(" ");
    if account.is_none() && line.contains('=') {
        return Err(Failure::usage(format!(
            "whose {line}? Name the account first: csops whatif ACCOUNT {line}"
        )));
    }
    let w = whatif(&ground, account, &line).map_err(Failure::usage)?;
    if options.json {
        return Ok(print_json(&document(&snapshot, &w), out)?);
    }
    print(&snapshot, &w, out)
}

fn usage() -> String {
    let mut text =
        "say what is to be moved: csops whatif ACCOUNT SIGNAL=VALUE …, or a scenario".to_owned();
    for (name, help) in MOVES.iter().chain(SCENARIOS) {
        text.push_str(&format!("\n  {name:<16} {help}"));
    }
    text
}

fn document(snapshot: &Snapshot, w: &WhatIf) -> Value {
    let pairs = |all: &[Pair]| -> Vec<Value> {
        all.iter()
            .map(|p| {
                json!({
                    "name": p.name,
                    "label": p.label,
                    "before": value_json(snapshot, &p.before),
                    "after": value_json(snapshot, &p.after),
                })
            })
            .collect()
    };
    let mut document = head(snapshot, "whatif");
    document.insert("coverage".into(), coverage(snapshot));
    document.insert("line".into(), json!(w.line));
    document.insert("title".into(), json!(w.title));
    document.insert("account".into(), json!(w.account.map(|a| a.0)));
    document.insert("moved".into(), pairs(&w.moved).into());
    document.insert("figures".into(), pairs(&w.figures).into());
    document.insert("book".into(), pairs(&w.book).into());
    document.insert("notes".into(), json!(w.notes));
    Value::Object(document)
}

fn print(snapshot: &Snapshot, w: &WhatIf, out: &mut dyn Write) -> Result<(), Failure> {
    let words = Words {
        book: &snapshot.book,
        today: snapshot.today,
    };
    writeln!(out, "{}  what if {}", visible(&w.title), visible(&w.line))?;
    for (title, pairs) in [
        ("moved", &w.moved),
        ("account", &w.figures),
        ("whole book", &w.book),
    ] {
        if pairs.is_empty() {
            continue;
        }
        writeln!(out, "\n{title:<28}{:>16}  {:>16}", "before", "after")?;
        for p in pairs {
            let (before, after) = (words.short(&p.before), words.short(&p.after));
            let mark = if p.moves() { "  ←" } else { "" };
            writeln!(
                out,
                "{:<28}{}  {}{mark}",
                visible(&p.label),
                pad_left(&visible(&before), 16),
                pad_left(&visible(&after), 16)
            )?;
        }
    }
    writeln!(out)?;
    for note in &w.notes {
        writeln!(out, "{note}")?;
    }
    Ok(())
}
