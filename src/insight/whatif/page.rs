//! A what-if as a page of figures: before and after side by side. Its choices say what it is about: `account` (an id) and `line`.

use super::{Ground, Pair, WhatIf, whatif};
use crate::book::LocalId;
use crate::insight::definition;
use crate::insight::page::{Block, Figure, Input, Page, State, TableRow, Value, Why};

/// The page. What cannot be answered is said on it.
pub fn page(input: &Input<'_>) -> Page {
    let ground = Ground {
        book: input.book,
        derived: input.derived,
        today: input.today,
        calendar: input.calendar,
        settings: input.settings,
    };
    let account = input.choice("account").and_then(|id| id.parse().ok());
    let line = input.choice("line").unwrap_or_default();
    let page = Page {
        name: "whatif",
        title: "What if",
        badge: line.to_owned(),
        ..Page::default()
    };
    match whatif(&ground, account.map(LocalId), line) {
        Ok(w) => Page {
            sentence: w.title.clone(),
            blocks: blocks(input, &w),
            ..page
        },
        Err(text) => Page {
            blocks: vec![Block::Text { text }],
            ..page
        },
    }
}

fn blocks(input: &Input<'_>, w: &WhatIf) -> Vec<Block> {
    let mut out = Vec::new();
    for (title, pairs) in [
        ("What is moved", &w.moved),
        ("The account", &w.figures),
        ("The whole book", &w.book),
    ] {
        if !pairs.is_empty() {
            out.push(Block::Table {
                title: title.into(),
                columns: vec!["before".into(), "after".into()],
                rows: pairs.iter().map(|p| row(input, w, p)).collect(),
                empty: String::new(),
            });
        }
    }
    out.extend(
        w.notes
            .iter()
            .map(|text| Block::Text { text: text.clone() }),
    );
    out
}

fn row(input: &Input<'_>, w: &WhatIf, pair: &Pair) -> TableRow {
    let name = definition(pair.name).map_or("whatif.moved", |d| d.name);
    let figure = |title: &str, value: &Value| Figure {
        state: if pair.moves() && title == "after" {
            State::Watch
        } else {
            State::Plain
        },
        ..Figure::new(
            name,
            format!("{}, {title}", pair.label),
            value.clone(),
            Why {
                policy: format!("what if {}", w.line),
                steps: vec![
                    ("before".into(), pair.before.clone()),
                    ("after".into(), pair.after.clone()),
                ],
                as_of: Some(input.today),
                source: "a second version of the Book, which is dropped".into(),
                ..Why::default()
            },
        )
    };
    TableRow {
        label: pair.label.clone(),
        account: w.account,
        cells: vec![figure("before", &pair.before), figure("after", &pair.after)],
    }
}
