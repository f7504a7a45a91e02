//! Scenarios of the whole book, by name.

use super::{Ground, NEVER_WRITTEN, WhatIf, both, currency};
use crate::book::{Entity, RowDelta};
use jiff::ToSpan;
use jiff::civil::Date;

/// The scenarios: name, what it supposes.
pub const SCENARIOS: &[(&str, &str)] = &[
    (
        "slip-commits",
        "every open renewal in commit is signed a quarter later",
    ),
    (
        "lose-top-3",
        "the three accounts with the most ARR are lost; any other number goes as well",
    ),
];

pub(super) fn names() -> String {
    let names: Vec<&str> = SCENARIOS.iter().map(|s| s.0).collect();
    names.join(", ")
}

/// Plays one.
pub(super) fn play(g: &Ground<'_>, name: &str) -> Result<WhatIf, String> {
    let (title, delta) = match name.strip_prefix("lose-top-") {
        Some(n) => {
            let n: usize = n
                .parse()
                .ok()
                .filter(|n| (1..=1000).contains(n))
                .ok_or_else(|| format!("`{name}`: write a number of accounts, lose-top-3"))?;
            lose(g, n)
        }
        None if name == "slip-commits" => slip(g),
        None => {
            let known = SCENARIOS
                .iter()
                .map(|s| s.0)
                .chain(super::MOVES.iter().map(|m| m.0));
            let hint = crate::book::nearest::nearest(name, known).map_or_else(
                || format!("the scenarios are: {}", names()),
                |n| {
                    let value = if SCENARIOS.iter().any(|s| s.0 == n) {
                        ""
                    } else {
                        "=…"
                    };
                    format!("did you mean `{n}{value}`?")
                },
            );
            return Err(format!("there is no scenario `{name}`; {hint}"));
        }
    };
    let (before, after) = both(g, delta);
    Ok(WhatIf {
        line: name.to_owned(),
        title,
        account: None,
        currency: currency(g.book),
        moved: Vec::new(),
        figures: Vec::new(),
        book: before.beside(&after),
        notes: vec![NEVER_WRITTEN.to_owned()],
    })
}

/// Three months later, on the last day of a month that is shorter.
fn quarter_later(day: Option<Date>) -> Option<Date> {
    day.map(|d| d.checked_add(3.months()).unwrap_or(Date::MAX))
}

fn slip(g: &Ground<'_>) -> (String, RowDelta) {
    let renewals: Vec<_> = g
        .book
        .renewals()
        .filter(|r| r.is_open() && r.forecast() == Some("commit"))
        .map(|r| {
            let mut row = r.to_row();
            row.original_due = row.original_due.or(row.due);
            row.due = quarter_later(row.due);
            row.notice_deadline = quarter_later(row.notice_deadline);
            row
        })
        .collect();
    let title = format!(
        "all commits slip a quarter: {} renewals are signed three months later",
        renewals.len()
    );
    let delta = RowDelta {
        renewals,
        ..RowDelta::default()
    };
    (title, delta)
}

fn lose(g: &Ground<'_>, n: usize) -> (String, RowDelta) {
    let mut all: Vec<_> = g
        .book
        .accounts()
        .filter_map(|a| Some((a.arr_reporting()?.minor, a)))
        .filter(|(arr, _)| *arr > 0)
        .collect();
    all.sort_by_key(|(arr, a)| (std::cmp::Reverse(*arr), a.id()));
    all.truncate(n);
    let mut removed = Vec::new();
    for (_, a) in &all {
        removed.push((Entity::Account, a.id()));
        removed.extend(a.renewals().map(|r| (Entity::Renewal, r.id())));
        removed.extend(a.risks().map(|r| (Entity::Escalation, r.id())));
    }
    let names: Vec<String> = all
        .iter()
        .take(5)
        .map(|(_, a)| crate::book::text::visible(a.name()).into_owned())
        .collect();
    let more = if all.len() > names.len() { ", …" } else { "" };
    let title = format!(
        "the {} accounts with the most ARR are lost: {}{more}",
        all.len(),
        names.join(", ")
    );
    let delta = RowDelta {
        removed,
        ..RowDelta::default()
    };
    (title, delta)
}
