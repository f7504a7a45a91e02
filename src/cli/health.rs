//! `csops health diff`: who would change band under another health model, before anybody commits it.

use super::args::{Global, HealthVerb};
use super::open::{How, Session, head, open};
use super::print::{Format, Rows, money_json, print_json};
use super::start::{Failure, narrate};
use crate::book::FieldValue;
use crate::book::value::exponent;
use crate::cockpit::Snapshot;
use crate::cockpit::health::model_of;
use crate::config::load_health;
use crate::insight::health::{Diff, Grade, Model, diff};
use crate::insight::short_money;
use crate::tui::fmt::counted;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// Runs it.
///
/// # Errors
/// 2 when a model cannot be read or has a mistake.
pub fn run(global: &Global, verb: &HealthVerb, out: &mut dyn Write) -> Result<(), Failure> {
    let HealthVerb::Diff {
        before,
        after,
        json,
        limit,
    } = verb;
    let session = open(global, How::Headless)?;
    let models = (model(&session, before)?, model(&session, after)?);
    let snapshot = session.cockpit.snapshot();
    let d = diff(&snapshot.book, snapshot.today, &models.0, &models.1);
    let shown = limit.unwrap_or(usize::MAX);
    if *json {
        let document = document(&snapshot, &d, (before, after), shown);
        return Ok(print_json(&document, out)?);
    }
    print(&snapshot, &d, shown, out)
}

/// A model from its file: bands and signals that it does not give are those of the settings and the built-in ones.
fn model(session: &Session, file: &Path) -> Result<Model, Failure> {
    let (health, problems) = load_health(file).map_err(Failure::usage)?;
    for p in &problems {
        narrate(&p.to_string());
    }
    match problems.len() {
        0 => Ok(model_of(&health, &session.loaded.settings.risk)),
        n => Err(Failure::usage(format!(
            "the health model {} has {}: put it right first",
            file.display(),
            counted(n, "mistake")
        ))),
    }
}

fn amount(snapshot: &Snapshot, minor: i64) -> Value {
    money_json(snapshot.book.reporting_money(minor))
}

fn document(snapshot: &Snapshot, d: &Diff, files: (&Path, &Path), shown: usize) -> Value {
    let sum = |s: &crate::insight::health::diff::Sum| json!({"accounts": s.accounts, "arr": amount(snapshot, s.arr)});
    let cells = Grade::ALL.iter().flat_map(|from| {
        Grade::ALL
            .iter()
            .map(move |to| (from, to, d.matrix[*from as usize][*to as usize]))
    });
    let matrix: Vec<Value> = cells
        .filter(|(.., s)| s.accounts > 0)
        .map(|(from, to, s)| {
            json!({"from": from.name(), "to": to.name(), "accounts": s.accounts, "arr": amount(snapshot, s.arr)})
        })
        .collect();
    let rows: Vec<Value> = d
        .moved
        .iter()
        .take(shown)
        .map(|m| {
            let name = snapshot.book.account_by_id(m.account).map(|a| a.name());
            json!({
                "id": m.account.0,
                "name": name,
                "arr": m.arr.map(|arr| amount(snapshot, arr)),
                "before": m.before,
                "after": m.after,
            })
        })
        .collect();
    let mut document = head(snapshot, "health_diff");
    let members = json!({
        "coverage": {"arr": d.arr_coverage.share()},
        "before": {"file": files.0, "version": d.versions.0},
        "after": {"file": files.1, "version": d.versions.1},
        "all": sum(&d.all),
        "changed": sum(&d.changed),
        "rescored": d.rescored,
        "matrix": matrix,
        "rows": rows,
    });
    if let Value::Object(members) = members {
        document.extend(members);
    }
    Value::Object(document)
}

fn print(snapshot: &Snapshot, d: &Diff, shown: usize, out: &mut dyn Write) -> Result<(), Failure> {
    let (exp, code) = (
        exponent(&snapshot.book.reporting()),
        String::from_utf8_lossy(&snapshot.book.reporting()).into_owned(),
    );
    let covered = match d.arr_coverage.words() {
        words if words.is_empty() => String::new(),
        words => format!(" (ARR of {words} accounts)"),
    };
    writeln!(
        out,
        "model {} → {}: {} of {} accounts change band, {} of {} {code}{covered}; {} are scored otherwise",
        d.versions.0,
        d.versions.1,
        d.changed.accounts,
        d.all.accounts,
        short_money(d.changed.arr, exp),
        short_money(d.all.arr, exp),
        d.rescored
    )?;
    if d.all.accounts == 0 {
        narrate("there is no account yet: csops sync or csops import brings them");
        return Ok(());
    }
    writeln!(out)?;
    let head: String = Grade::ALL
        .iter()
        .map(|g| format!("  {:>18}", g.name()))
        .collect();
    writeln!(out, "{:<14}{head}", "from ↓ to →")?;
    for from in Grade::ALL {
        let cells: String = d.matrix[from as usize]
            .iter()
            .map(|s| match s.accounts {
                0 => format!("  {:>18}", "·"),
                n => format!("  {:>18}", format!("{n}  {}", short_money(s.arr, exp))),
            })
            .collect();
        writeln!(out, "{:<14}{cells}", from.name())?;
    }
    if d.moved.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let number = |n: Option<u8>| n.map_or(FieldValue::Null, |n| FieldValue::Number(n.into()));
    let per_cent = |c: f64| FieldValue::text(format!("{:.0}%", (c * 100.0 + 1e-7).floor()));
    let rows = d
        .moved
        .iter()
        .take(shown)
        .map(|m| {
            let name = snapshot
                .book
                .account_by_id(m.account)
                .map_or("", |a| a.name());
            vec![
                FieldValue::Number(m.account.0.into()),
                FieldValue::text(name),
                m.arr.map_or(FieldValue::Null, |arr| {
                    FieldValue::Money(snapshot.book.reporting_money(arr))
                }),
                number(m.before.score),
                FieldValue::text(m.before.band.name()),
                per_cent(m.before.coverage),
                number(m.after.score),
                FieldValue::text(m.after.band.name()),
                per_cent(m.after.coverage),
            ]
        })
        .collect();
    let columns = [
        "id", "name", "arr", "before", "band", "known", "after", "band", "known",
    ];
    let rows = Rows {
        columns: columns.map(Into::into).to_vec(),
        rows,
    };
    rows.print(Format::Table, serde_json::Map::new(), out)?;
    if d.moved.len() > shown {
        narrate(&format!("and {} more", d.moved.len() - shown));
    }
    Ok(())
}
