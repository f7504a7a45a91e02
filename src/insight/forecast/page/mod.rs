//! The page of the renewal forecast.

mod figures;
mod lists;
mod past;
mod sums;

use super::period::Period;
use super::row::{LeftOut, Row, rows};
use super::settings::Settings;
use super::timing::Credit;
use crate::book::Day;
use crate::insight::page::{Block, Input, Page, Switch};
use std::collections::BTreeSet;

/// Its name.
pub const NAME: &str = "forecast";
/// Quarters after the current one that can be looked at.
const AHEAD: usize = 3;

/// What the page is made from, read once.
struct Made<'a> {
    input: Input<'a>,
    settings: &'a Settings,
    rows: Vec<Row<'a>>,
    left_out: Vec<LeftOut<'a>>,
    /// The quarter that ended last, the current one and those after it.
    quarters: Vec<Period>,
    /// The targets of these.
    targets: Vec<Option<f64>>,
    /// Which of them the page is about.
    shown: usize,
    credit: Credit,
    today: Day,
}

impl Made<'_> {
    fn period(&self) -> &Period {
        &self.quarters[self.shown]
    }
    fn of(&self, period: &Period) -> Vec<&Row<'_>> {
        self.rows.iter().filter(|r| period.has(r.cohort)).collect()
    }
    fn out_of(&self, period: &Period) -> Vec<&LeftOut<'_>> {
        self.left_out
            .iter()
            .filter(|o| o.cohort == Day::NONE || period.has(o.cohort))
            .collect()
    }
    /// The CSMs of some renewals, nobody last.
    fn csms(&self, rows: &[&Row<'_>]) -> Vec<crate::book::LocalId> {
        let ids: BTreeSet<_> = rows.iter().map(|r| r.csm).collect();
        let (some, none): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| id.is_some());
        some.into_iter().chain(none).collect()
    }
}

/// Makes the page. Switches: `quarter` (which one it is about), `credit` (when a renewal counts in the rates by period).
pub fn page(input: &Input<'_>) -> Page {
    let settings = &input.settings.forecast;
    let calendar = input.calendar;
    let current = calendar.quarter(input.today);
    let before = current.start.yesterday().unwrap_or(current.start);
    let quarters = Period::quarters(calendar, before, AHEAD + 2);
    let targets = quarters
        .iter()
        .map(|q| settings.target_of(&calendar.quarter(q.from)))
        .collect();
    let shown = input
        .choice("quarter")
        .and_then(|label| quarters.iter().position(|q| q.label == label))
        .unwrap_or(1);
    let credit = input
        .choice("credit")
        .and_then(Credit::parse)
        .unwrap_or_default();
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for row in rows(input.book, input.derived, input.today, settings, input.mine) {
        match row {
            Ok(row) => found.push(row),
            Err(out) => left_out.push(out),
        }
    }
    let made = Made {
        input: *input,
        settings,
        rows: found,
        left_out,
        quarters,
        targets,
        shown,
        credit,
        today: Day::of(Some(input.today)),
    };
    let quarter = sums::quarter(&made);
    let mut blocks: Vec<Block> = quarter.blocks;
    blocks.push(sums::by_quarter(&made));
    blocks.push(sums::by_csm(&made));
    blocks.push(lists::decisions(&made));
    blocks.push(lists::moved(&made));
    blocks.push(lists::committed_churn(&made));
    blocks.push(past::rates(&made));
    blocks.push(past::accuracy(&made));
    Page {
        name: NAME,
        title: "Forecast",
        badge: badge(&made),
        sentence: quarter.sentence,
        switches: vec![
            Switch {
                name: "quarter",
                title: "Quarter",
                values: made.quarters.iter().map(|q| q.label.clone()).collect(),
                current: made.period().label.clone(),
            },
            Switch {
                name: "credit",
                title: "A late renewal counts when",
                values: Credit::ALL.iter().map(|(n, _)| (*n).to_owned()).collect(),
                current: credit.name().to_owned(),
            },
        ],
        blocks,
    }
}

fn badge(made: &Made<'_>) -> String {
    let order: Vec<&str> = made
        .settings
        .order
        .iter()
        .filter_map(|look| {
            super::settings::Look::ALL
                .iter()
                .find(|(_, l)| l == look)
                .map(|(n, _)| *n)
        })
        .collect();
    let correlation = if made.settings.correlation > 0.0 {
        format!(" · correlation {}", made.settings.correlation)
    } else {
        String::new()
    };
    format!(
        "by first due day · probability: {} · credit: {}{correlation}",
        order.join(", "),
        made.credit.name()
    )
}
