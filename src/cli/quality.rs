//! `csops quality`: what is wrong with the data, the ARR that it hides, and what puts it right; most money first.

use super::args::{Global, Quality};
use super::open::{How, head, open, whose};
use super::print::{Format, Rows};
use super::start::Failure;
use crate::book::{Entity, FieldValue};
use crate::insight::quality::{DEFECTS, defect, findings};
use serde_json::json;
use std::io::Write;

/// Runs it.
///
/// # Errors
/// 2 for a kind of defect that there is not.
pub fn run(global: &Global, options: &Quality, out: &mut dyn Write) -> Result<(), Failure> {
    let format = Format::of(options.json, options.ndjson, options.csv);
    for name in &options.kind {
        if defect(name).is_none() {
            let names = DEFECTS.iter().map(|d| d.name);
            let hint = crate::book::nearest::nearest(name, names.clone())
                .map_or(String::new(), |n| format!(", did you mean `{n}`?"));
            return Err(Failure::usage(format!(
                "there is no defect `{name}`{hint}; there are {}",
                names.collect::<Vec<_>>().join(", ")
            )));
        }
    }
    if options.kinds {
        return kinds(format, out);
    }
    let session = open(global, How::Headless)?;
    let snapshot = session.cockpit.snapshot();
    let mine = whose(&snapshot, options.mine)?;
    let book = &snapshot.book;
    let mut all = findings(book, snapshot.today, &snapshot.settings.quality, mine);
    if !options.kind.is_empty() {
        all.retain(|f| options.kind.iter().any(|k| *k == f.kind.defect().name));
    }
    let priced = all.iter().filter(|f| f.hidden.is_some()).count();
    let of = all.len();
    all.truncate(options.limit.unwrap_or(usize::MAX));
    let rows = Rows {
        columns: ["account", "id", "defect", "hidden", "detail", "fix"]
            .map(str::to_owned)
            .to_vec(),
        rows: all
            .into_iter()
            .map(|f| {
                vec![
                    FieldValue::text(f.subject),
                    f.account
                        .map_or(FieldValue::Null, |id| FieldValue::Number(f64::from(id.0))),
                    FieldValue::text(f.kind.defect().name),
                    f.hidden.map_or(FieldValue::Null, |h| {
                        FieldValue::Money(book.reporting_money(h))
                    }),
                    FieldValue::text(f.detail),
                    FieldValue::text(f.fix),
                ]
            })
            .collect(),
    };
    let mut head = head(&snapshot, "quality");
    head.insert(
        "coverage".into(),
        json!({
            "accounts": book.count(Entity::Account),
            "defects": of,
            "with_an_amount": priced,
        }),
    );
    rows.print(format, head, out)?;
    Ok(())
}

/// The kinds of defect.
fn kinds(format: Format, out: &mut dyn Write) -> Result<(), Failure> {
    let rows = Rows {
        columns: ["defect", "title", "hides", "price", "fix"]
            .map(str::to_owned)
            .to_vec(),
        rows: DEFECTS
            .iter()
            .map(|d| {
                [d.name, d.title, d.hides, d.price, d.fix]
                    .map(FieldValue::text)
                    .to_vec()
            })
            .collect(),
    };
    let mut head = serde_json::Map::new();
    head.insert("kind".into(), json!("defects"));
    rows.print(format, head, out)?;
    Ok(())
}
