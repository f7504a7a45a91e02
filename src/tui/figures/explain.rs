//! A figure explained, line by line: its value and target, its definition, its arithmetic, the rows that count and those that do not, how
//! complete and how old it is, and where it comes from. The screen draws these lines, the command line prints them.

use super::{Words, words};
use crate::insight::definition;
use crate::insight::page::{Figure, Page, Value, Why};
use crate::tui::fmt;
use crate::tui::text::{fit, pad_left, pad_right, width, wrap};
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, bit};

/// Rows that are shown at most; how many there are is said.
pub const ROWS: usize = 200;

/// Explains a figure of a page in lines of `room` cells.
pub fn lines<'a>(
    w: &Words<'_>,
    page: &Page,
    figure: &Figure,
    room: usize,
    most: usize,
) -> Vec<Vec<Bit<'a>>> {
    let mut out: Vec<Vec<Bit<'a>>> = Vec::new();
    value(w, figure, room, &mut out);
    named(figure.name, room, &mut out);
    let none = Why::default();
    let why = figure.why.as_deref().unwrap_or(&none);
    let policy = if why.policy.is_empty() {
        &page.badge
    } else {
        &why.policy
    };
    if !policy.is_empty() && figure.why.is_some() {
        labelled("Policy", policy, room, &mut out);
    }
    if figure.why.is_none() {
        return out;
    }
    steps(w, why, room, &mut out);
    rows(w, why, room, most, &mut out);
    left_out(why, room, most, &mut out);
    heading("How good it is", &mut out);
    let c = &why.coverage;
    let known = match c.share() {
        None => "it rests on no row that could be counted".to_owned(),
        Some(_) if c.is_full() => format!("all of {} known", fmt::count(c.of)),
        Some(share) => {
            let rate = match c.no_rate {
                0 => String::new(),
                n => format!(", {} without a rate", fmt::count(n)),
            };
            // What is not complete is not called 100 %.
            let percent = (share * 1000.0).floor() / 10.0;
            let (known, of) = (fmt::count(c.known), fmt::count(c.of));
            format!("{percent}%: known of {known} of {of}{rate}")
        }
    };
    labelled("Coverage", &known, room, &mut out);
    let age = match why.as_of {
        None => "not dated".to_owned(),
        Some(day) => match fmt::days(day, w.today) {
            0 => format!("newest data of today, {day}"),
            1 => format!("newest data of yesterday, {day}"),
            n if n < 0 => format!("newest data dated {day}, {}d ahead", -n),
            n => format!("newest data of {day}, {n}d old"),
        },
    };
    labelled("Age", &age, room, &mut out);
    let source = if why.source.is_empty() {
        "computed by csops from what the sources gave"
    } else {
        &why.source
    };
    labelled("Source", source, room, &mut out);
    out
}

/// The definition alone, of a figure that is nowhere on the pages.
pub fn defined<'a>(name: &str, room: usize) -> Vec<Vec<Bit<'a>>> {
    let mut out = Vec::new();
    named(name, room, &mut out);
    out
}

fn heading<'a>(text: &str, out: &mut Vec<Vec<Bit<'a>>>) {
    out.push(Vec::new());
    out.push(vec![bit(text.to_owned(), Role::Title)]);
}

fn value<'a>(w: &Words<'_>, f: &Figure, room: usize, out: &mut Vec<Vec<Bit<'a>>>) {
    let role = words::role(f);
    let mut lines = wrap(&w.full(&f.value), room).into_iter();
    let mut first = vec![bit(
        lines.next().unwrap_or_default(),
        if role == Role::Muted {
            Role::Watch
        } else {
            Role::Strong
        },
    )];
    let sign = words::sign(f);
    if !sign.is_empty() {
        first.push(bit(format!(" {sign}"), role));
    }
    out.push(first);
    out.extend(lines.map(|l| vec![bit(l, Role::Watch)]));
    if let Some(t) = &f.target {
        let source = if t.source.is_empty() {
            String::new()
        } else {
            format!(", {}", t.source)
        };
        for l in wrap(&format!("wanted {}{source}", w.target(t)), room) {
            out.push(vec![bit(l, Role::Muted)]);
        }
    }
}

fn named<'a>(name: &str, room: usize, out: &mut Vec<Vec<Bit<'a>>>) {
    let Some(d) = definition(name) else {
        return;
    };
    if !out.is_empty() {
        out.push(Vec::new());
    }
    out.push(vec![bit(d.title, Role::Title)]);
    for (text, role) in [(d.formula, Role::Text), (d.note, Role::Muted)] {
        if !text.is_empty() {
            out.extend(wrap(text, room).into_iter().map(|l| vec![bit(l, role)]));
        }
    }
}

/// A label and what it says, wrapped under itself.
fn labelled<'a>(label: &str, text: &str, room: usize, out: &mut Vec<Vec<Bit<'a>>>) {
    const LABEL: usize = 10;
    for (i, l) in wrap(text, room.saturating_sub(LABEL).max(10))
        .into_iter()
        .enumerate()
    {
        let label = if i == 0 { label } else { "" };
        out.push(vec![
            bit(format!("{label:<LABEL$}"), Role::Muted),
            bit(l, Role::Text),
        ]);
    }
}

fn steps<'a>(w: &Words<'_>, why: &Why, room: usize, out: &mut Vec<Vec<Bit<'a>>>) {
    if why.steps.is_empty() {
        return;
    }
    heading("Arithmetic", out);
    let texts: Vec<String> = why.steps.iter().map(|(_, v)| w.full(v)).collect();
    // Words wrap on lines of their own; only numbers stand in the column.
    let number = |v: &Value| !matches!(v, Value::Text(_) | Value::None(_));
    let column = why
        .steps
        .iter()
        .zip(&texts)
        .filter(|((_, v), _)| number(v))
        .map(|(_, t)| width(t))
        .max()
        .unwrap_or(0);
    let label = room.saturating_sub(column + 2).max(12);
    let widest = why.steps.iter().map(|s| width(&s.0)).max().unwrap_or(0);
    let label = label.min(widest.max(20));
    for ((name, v), text) in why.steps.iter().zip(&texts) {
        if number(v) {
            out.push(vec![
                bit(pad_right(name, label), Role::Muted),
                bit("  ", Role::Text),
                bit(pad_left(text, column), Role::Strong),
            ]);
            continue;
        }
        let lead = width(name) + 2;
        for (i, l) in wrap(text, room.saturating_sub(lead).max(12))
            .into_iter()
            .enumerate()
        {
            let name = if i == 0 { name.as_str() } else { "" };
            out.push(vec![
                bit(pad_right(name, lead.min(room / 2)), Role::Muted),
                bit(l, Role::Text),
            ]);
        }
    }
}

fn rows<'a>(w: &Words<'_>, why: &Why, room: usize, most: usize, out: &mut Vec<Vec<Bit<'a>>>) {
    if why.rows_in == 0 && why.rows.is_empty() {
        return;
    }
    let shown = why.rows.len().min(most);
    let all = why.rows_in.max(why.rows.len());
    heading(
        &match shown {
            0 => format!("Rows that count: {}", fmt::count(all)),
            n if n < all => format!(
                "Rows that count: {}, the first {}",
                fmt::count(all),
                fmt::count(n)
            ),
            _ => format!("Rows that count: {}", fmt::count(all)),
        },
        out,
    );
    let rows = &why.rows[..shown];
    let texts: Vec<Vec<String>> = rows
        .iter()
        .map(|r| r.values.iter().map(|v| w.full(v)).collect())
        .collect();
    let columns = texts
        .iter()
        .map(Vec::len)
        .max()
        .unwrap_or(0)
        .max(if shown > 0 { why.columns.len() } else { 0 });
    let widths: Vec<usize> = (0..columns)
        .map(|i| {
            let head = why.columns.get(i).map_or(0, |h| width(h));
            let cells = texts.iter().filter_map(|t| t.get(i)).map(|t| width(t));
            cells.max().unwrap_or(0).max(head).min(24)
        })
        .collect();
    let numbers: usize = widths.iter().map(|w| w + 2).sum();
    let widest = rows.iter().map(|r| width(&r.label)).max().unwrap_or(0);
    // A single long name does not push the numbers away from all others.
    let most = if rows.iter().any(|r| !r.note.is_empty()) {
        room * 2 / 5
    } else {
        room * 3 / 5
    };
    let label = widest
        .min(most.max(24))
        .min(room.saturating_sub(numbers).max(12))
        .max(1);
    if why.columns.iter().any(|c| !c.is_empty()) && shown > 0 {
        let mut line = vec![bit(" ".repeat(label), Role::Column)];
        for (head, w) in why.columns.iter().zip(&widths) {
            line.push(bit(
                format!("  {}", pad_left(&fit(head, *w), *w)),
                Role::Column,
            ));
        }
        out.push(line);
    }
    for (row, texts) in rows.iter().zip(&texts) {
        let mut line = vec![bit(pad_right(&row.label, label), Role::Text)];
        for (i, w) in widths.iter().enumerate() {
            let text = texts.get(i).map_or("", String::as_str);
            line.push(bit(
                format!("  {}", pad_left(&fit(text, *w), *w)),
                Role::Strong,
            ));
        }
        let rest = room.saturating_sub(label + numbers + 2);
        if !row.note.is_empty() && rest >= 8 {
            line.push(bit(format!("  {}", fit(&row.note, rest)), Role::Muted));
            out.push(line);
        } else {
            out.push(line);
            if !row.note.is_empty() {
                let note = wrap(&row.note, room.saturating_sub(2).max(8));
                out.extend(
                    note.into_iter()
                        .map(|l| vec![bit(format!("  {l}"), Role::Muted)]),
                );
            }
        }
    }
}

fn left_out<'a>(why: &Why, room: usize, most: usize, out: &mut Vec<Vec<Bit<'a>>>) {
    let all = why.rows_out.max(why.left_out.len());
    if all == 0 {
        return;
    }
    let shown = why.left_out.len().min(most);
    heading(
        &if 0 < shown && shown < all {
            format!(
                "Left out: {}, the first {}",
                fmt::count(all),
                fmt::count(shown)
            )
        } else {
            format!("Left out: {}", fmt::count(all))
        },
        out,
    );
    for x in why.left_out.iter().take(shown) {
        let text = if x.row.is_empty() {
            x.reason.clone()
        } else {
            format!("{}: {}", x.row, x.reason)
        };
        for (i, l) in wrap(&text, room.saturating_sub(2).max(10))
            .into_iter()
            .enumerate()
        {
            let lead = if i == 0 { "· " } else { "  " };
            out.push(vec![bit(lead, Role::Watch), bit(l, Role::Text)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Book;
    use crate::insight::Coverage;
    use crate::insight::page::{Excluded, State, Target, WhyRow};

    /// The text of the lines.
    fn text(figure: &Figure, most: usize) -> String {
        let book = Book::empty().with_money("USD", &[], None);
        let words = Words {
            book: &book,
            today: jiff::civil::date(2026, 11, 26),
        };
        let page = Page {
            badge: "window range".into(),
            ..Page::default()
        };
        lines(&words, &page, figure, 70, most)
            .iter()
            .map(|l| l.iter().map(|b| b.0.as_ref()).collect::<String>() + "\n")
            .collect()
    }

    #[test]
    fn everything_that_is_known_of_a_figure_is_said() {
        let mut figure = Figure::new(
            "grr",
            "GRR",
            Value::Ratio(0.849),
            Why {
                steps: vec![
                    ("opening".into(), Value::Money(100_000)),
                    ("kept".into(), Value::Money(84_900)),
                ],
                columns: vec!["opening".into(), "kept".into()],
                rows: vec![
                    WhyRow {
                        label: "Acme".into(),
                        values: vec![Value::Money(60_000), Value::Money(44_900)],
                        note: "contraction".into(),
                        ..WhyRow::default()
                    },
                    WhyRow {
                        label: "Zeta".into(),
                        values: vec![Value::Money(40_000), Value::Money(40_000)],
                        ..WhyRow::default()
                    },
                ],
                rows_in: 12_345,
                left_out: vec![Excluded {
                    row: "Borealis".into(),
                    reason: "no rate from SEK".into(),
                }],
                rows_out: 3,
                coverage: Coverage {
                    known: 12_345,
                    of: 12_348,
                    no_rate: 3,
                },
                as_of: Some(jiff::civil::date(2026, 11, 24)),
                source: "crm".into(),
                ..Why::default()
            },
        );
        figure.state = State::Watch;
        figure.target = Some(Target {
            from: Some(Value::Ratio(0.9)),
            to: None,
            source: "somebody's survey, 2024".into(),
        });
        let said = text(&figure, 200);
        for wanted in [
            "84.90% ▼!",
            "wanted ≥ 90%, somebody's survey, 2024",
            "Gross revenue retention",
            "window range",
            "$1,000",
            "Rows that count: 12,345, the first 2",
            "opening  kept",
            "Acme",
            "contraction",
            "Left out: 3, the first 1",
            "Borealis: no rate from SEK",
            "99.9%: known of 12,345 of 12,348, 3 without a rate",
            "2026-11-24, 2d old",
            "crm",
        ] {
            assert!(said.contains(wanted), "{wanted} is not in\n{said}");
        }
        assert!(text(&figure, 1).contains("the first 1\n"));
        assert!(!text(&figure, 1).contains("Zeta"));
    }
}
