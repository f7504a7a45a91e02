//! The renewals that need a look: what is decided next, what was moved, what is certain to end.

use super::Made;
use super::figures::SOURCE;
use crate::book::Day;
use crate::insight::Coverage;
use crate::insight::forecast::chance::Basis;
use crate::insight::forecast::row::Row;
use crate::insight::forecast::timing::Timing;
use crate::insight::page::{Block, Figure, State, TableRow, Value, Why};
use std::sync::Arc;

/// Rows of a list; its title says how many there are.
const ROWS: usize = 50;
/// Decisions within so many days are listed.
const AHEAD: i32 = 90;

/// One renewal's own explanation, shared by its cells.
fn why(row: &Row<'_>, today: Day) -> Arc<Why> {
    let day = |d: Day| {
        d.date()
            .map_or(Value::None("not known".into()), Value::Date)
    };
    let mut steps = vec![
        ("first due".to_owned(), day(row.cohort)),
        ("due".to_owned(), day(row.due)),
        ("notice by".to_owned(), day(row.notice.deadline)),
        ("up for renewal".to_owned(), Value::Money(row.target)),
        ("expected or signed".to_owned(), Value::Money(row.amount)),
        (
            format!("probability: {}", row.chance.words()),
            Value::Ratio(row.chance.share.fraction()),
        ),
        ("weighted".to_owned(), Value::Money(row.weighted())),
    ];
    if row.closed != Day::NONE {
        steps.insert(2, ("closed".to_owned(), day(row.closed)));
    }
    if row.notice.deadline != Day::NONE && row.is_open() {
        let passed = row.notice.deadline < today;
        let text = match (row.notice.auto_renew, passed) {
            (true, true) => "renews by itself; the deadline has passed",
            (true, false) => "renews by itself unless notice is given by then",
            (false, _) => "does not renew by itself: the deadline is a prompt",
        };
        steps.push(("notice".to_owned(), Value::Text(text.to_owned())));
    }
    Arc::new(Why {
        steps,
        rows_in: 1,
        coverage: Coverage {
            known: 1,
            of: 1,
            no_rate: 0,
        },
        as_of: row
            .renewal
            .account()
            .and_then(|a| a.changed_at())
            .map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).date()),
        source: SOURCE.into(),
        ..Why::default()
    })
}

fn cell(why: &Arc<Why>, name: &'static str, value: Value) -> Figure {
    Figure {
        name,
        value,
        why: Some(why.clone()),
        ..Figure::default()
    }
}

fn day(why: &Arc<Why>, d: Day) -> Figure {
    let value = d.date().map_or(Value::Empty, Value::Date);
    cell(why, "forecast.decision", value)
}

fn listed(title: &str, n: usize) -> String {
    if n > ROWS {
        format!("{title} (the first {ROWS} of {n})")
    } else {
        format!("{title} ({n})")
    }
}

fn row<'a>(r: &Row<'a>, cells: Vec<Figure>) -> TableRow {
    TableRow {
        label: r.label(),
        account: r.renewal.account().map(|a| a.id()),
        cells,
    }
}

/// Open renewals in the order in which they are decided.
pub(super) fn decisions(made: &Made<'_>) -> Block {
    let limit = Day(made.today.0.saturating_add(AHEAD));
    let mut found: Vec<(Day, &Row<'_>)> = made
        .rows
        .iter()
        .filter(|r| r.is_open() && !matches!(r.chance.basis, Basis::Notice | Basis::Omitted))
        .map(|r| {
            let ahead = r.notice.deadline >= made.today;
            (if ahead { r.notice.deadline } else { r.due }, r)
        })
        .filter(|(d, r)| *d >= made.today && *d <= limit && !r.notice.passed(made.today))
        .collect();
    found.sort_by_key(|(d, r)| (*d, std::cmp::Reverse(r.target), r.renewal.id()));
    let rows = found
        .iter()
        .take(ROWS)
        .map(|(decide, r)| {
            let why = why(r, made.today);
            let by = if *decide == r.notice.deadline {
                if r.notice.auto_renew {
                    "notice, renews by itself"
                } else {
                    "notice, a prompt"
                }
            } else {
                "end of the term"
            };
            let probability = Figure {
                state: if r.at_risk { State::Bad } else { State::Plain },
                ..cell(
                    &why,
                    "forecast.probability",
                    Value::Ratio(r.chance.share.fraction()),
                )
            };
            row(
                r,
                vec![
                    day(&why, *decide),
                    cell(&why, "forecast.decision", Value::Text(by.into())),
                    day(&why, r.due),
                    cell(&why, "forecast.due", Value::Money(r.target)),
                    probability,
                    cell(&why, "forecast.weighted", Value::Money(r.weighted())),
                ],
            )
        })
        .collect();
    Block::Table {
        title: listed(&format!("Decided within {AHEAD} days"), found.len()),
        columns: [
            "decide",
            "by",
            "due",
            "up for renewal",
            "probability",
            "weighted",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
        empty: format!("No open renewal is decided within {AHEAD} days."),
    }
}

/// Slipped, pushed, early and late renewals of the quarter, the weightiest first.
pub(super) fn moved(made: &Made<'_>) -> Block {
    let period = made.period();
    let mut found: Vec<(Timing, &Row<'_>)> = made
        .rows
        .iter()
        .filter(|r| period.has(r.cohort) || (r.is_won() && period.has(r.closed)))
        .map(|r| (Timing::of(r, made.today, made.input.calendar), r))
        .filter(|(t, _)| t.slipped || t.pushed > 0 || t.early || t.late.is_some())
        .collect();
    found.sort_by_key(|(_, r)| (std::cmp::Reverse(r.target), r.renewal.id()));
    let rows = found
        .iter()
        .take(ROWS)
        .map(|(t, r)| {
            let why = why(r, made.today);
            row(
                r,
                vec![
                    cell(&why, "forecast.moved", Value::Text(words(t, r))),
                    cell(
                        &why,
                        "forecast.moved",
                        if t.pushed > 0 {
                            Value::Count(t.pushed.into())
                        } else {
                            Value::Empty
                        },
                    ),
                    day(&why, r.cohort),
                    day(&why, r.due),
                    day(&why, r.closed),
                    cell(&why, "forecast.due", Value::Money(r.target)),
                ],
            )
        })
        .collect();
    Block::Table {
        title: listed("Slipped, pushed, early and late", found.len()),
        columns: [
            "what",
            "pushed",
            "first due",
            "due",
            "closed",
            "up for renewal",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
        empty: "Every renewal of this quarter keeps its day so far.".into(),
    }
}

fn words(t: &Timing, r: &Row<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    if t.slipped {
        parts.push("slipped to a later quarter".into());
    } else if t.pushed > 0 {
        parts.push("pushed within its quarter".into());
    }
    if t.early {
        parts.push("early".into());
    }
    if let Some(days) = t.late {
        let still = if r.is_open() { ", open" } else { "" };
        parts.push(format!("{days}d late{still}"));
    }
    parts.join(", ")
}

/// What is certain to end, while its term runs.
pub(super) fn committed_churn(made: &Made<'_>) -> Block {
    let mut found: Vec<&Row<'_>> = made
        .rows
        .iter()
        .filter(|r| r.is_committed_churn(made.today))
        .collect();
    found.sort_by_key(|r| (r.due, std::cmp::Reverse(r.target), r.renewal.id()));
    let rows = found
        .iter()
        .take(ROWS)
        .map(|r| {
            let why = why(r, made.today);
            let because = r.renewal.outcome().unwrap_or_default();
            row(
                r,
                vec![
                    day(&why, r.due),
                    cell(&why, "forecast.committed_churn", Value::Money(r.target)),
                    Figure::text(r.chance.basis.words()),
                    Figure::text(crate::book::text::visible(because)),
                ],
            )
        })
        .collect();
    Block::Table {
        title: listed(
            "Committed churn: in today's ARR, out of the forecast",
            found.len(),
        ),
        columns: ["ends", "up for renewal", "because", "reason"]
            .map(str::to_owned)
            .to_vec(),
        rows,
        empty: "No term that still runs is lost or refused.".into(),
    }
}
