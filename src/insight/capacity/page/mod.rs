//! The page `capacity`: ratios and utilisation, who has to be hired when, and what a hire in CS Ops has to bring in.

mod plans;
mod ratios;

use super::costs::Costs;
use super::spread::Spread;
use crate::book::Book;
use crate::insight::page::{Block, Excluded, Input, Page, Switch, Value, Why};
use crate::insight::{Coverage, GroupBy};
use jiff::{civil::Date, tz::TimeZone};

/// What the blocks are made from.
struct Made<'a, 'i> {
    input: &'i Input<'i>,
    spread: &'i Spread<'a>,
    costs: Costs,
    /// The day of the newest change among the accounts.
    as_of: Option<Date>,
}

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let spread = Spread::of(input.book, input.derived, input.today, input.settings);
    let by = input
        .choice("by")
        .and_then(GroupBy::parse)
        .unwrap_or_default();
    let total = spread.by(GroupBy::Csm);
    let made = Made {
        input,
        costs: Costs::of(&spread.team, total.total.arr, &input.settings.capacity),
        spread: &spread,
        as_of: newest(input.book),
    };
    let mut blocks = vec![made.headline(&total)];
    if by != GroupBy::Csm {
        blocks.push(made.table(&spread.by(by)));
    }
    blocks.push(made.utilisation(&total));
    blocks.push(made.table(&total));
    blocks.extend(made.cost());
    let (hiring, first) = made.hiring();
    blocks.extend(hiring);
    blocks.extend(made.business(&total));
    let s = &input.settings.capacity;
    let ramp: Vec<String> = s.ramp.iter().map(|r| format!("{:.0}", r * 100.0)).collect();
    Page {
        name: "capacity",
        title: "Capacity",
        badge: format!(
            "{:.0} h a year, {:.0} % internal · ramp {} %",
            s.hours_per_year,
            s.internal_share * 100.0,
            if ramp.is_empty() {
                "none".into()
            } else {
                ramp.join(", ")
            }
        ),
        sentence: sentence(&total, first),
        switches: vec![Switch {
            name: "by",
            title: "grouped by",
            values: GroupBy::ALL.map(|b| b.name().to_owned()).to_vec(),
            current: by.name().to_owned(),
        }],
        blocks,
    }
}

fn sentence(all: &crate::insight::Segments, hire: Option<String>) -> String {
    let t = &all.total;
    let Some(u) = t.utilisation else {
        return "Nobody who looks after customers has hours for them.".into();
    };
    let over = all
        .rows
        .iter()
        .filter(|r| r.utilisation.is_some_and(|u| u > 1.0))
        .count();
    let mut text = format!(
        "{:.1} full-time CSMs have work for {:.1}: {:.0} % of the hours there are",
        t.fte,
        all.fte_needed,
        u * 100.0
    );
    match over {
        0 => {}
        1 => text.push_str("; one of them has more than fits"),
        n => text.push_str(&format!("; {n} of them have more than fits")),
    }
    if let Some(hire) = hire {
        text.push_str("; ");
        text.push_str(&hire);
    }
    text.push('.');
    text
}

/// The day of the newest change of an account.
fn newest(book: &Book) -> Option<Date> {
    let at = book.accounts().filter_map(|a| a.changed_at()).max()?;
    Some(at.to_zoned(TimeZone::UTC).date())
}

impl Made<'_, '_> {
    /// Where a figure comes from.
    fn why(&self, steps: Vec<(&str, Value)>, coverage: Coverage, left_out: Vec<Excluded>) -> Why {
        Why {
            steps: steps.into_iter().map(|(l, v)| (l.to_owned(), v)).collect(),
            rows_in: coverage.known,
            rows_out: left_out.len(),
            left_out,
            coverage,
            as_of: self.as_of,
            source:
                "accounts and people of the systems of record; hours, ramp and costs of [capacity]"
                    .into(),
            ..Why::default()
        }
    }

    /// A figure that there is none of, and why.
    fn none(&self, why: &str) -> Value {
        Value::None(why.trim_start_matches("n/a: ").to_owned())
    }
}

fn hours(n: f64) -> Value {
    Value::Number(n, 0)
}

fn people(n: f64) -> Value {
    Value::Number(n, 1)
}

fn full(of: usize) -> Coverage {
    Coverage {
        known: of,
        of,
        no_rate: 0,
    }
}

fn text(text: String) -> Block {
    Block::Text { text }
}
