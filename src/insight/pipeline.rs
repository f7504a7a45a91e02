//! Renewals by fiscal quarter and forecast category: the head of the Renewals screen.

use super::Coverage;
use super::forecast::row::{LeftOut, Reason, rows};
use super::forecast::{Bucket, Category, Forecast, Gather, Period, Settings};
use crate::book::{Book, Calendar, Day, Derived, LocalId, Money, Quarter, RenewalRow};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One quarter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineQuarter {
    /// Which.
    pub quarter: Quarter,
    /// Its label, `Q4 2026`.
    pub label: String,
    /// The forecast of what was due in it first.
    pub forecast: Forecast,
    /// The gross renewal rate that is wanted of it.
    pub target: Option<f64>,
    /// Open, due in it by now, and due first in an earlier quarter.
    pub slipped_in: Bucket,
}

impl PipelineQuarter {
    /// One category.
    pub fn category(&self, category: Category) -> Bucket {
        self.forecast.category(category)
    }
}

/// The pipeline: quarters from the current one on, and what lies outside of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// The reporting currency.
    pub currency: String,
    /// The current quarter and those after it.
    pub quarters: Vec<PipelineQuarter>,
    /// Open, and due before the current quarter.
    pub overdue: Bucket,
    /// Due after the last quarter listed.
    pub later: Bucket,
    /// Open ones that are due in one of the quarters and now to close after it: they are in no category of it.
    pub slipped: Bucket,
    /// Open, without a due day.
    pub undated: Bucket,
    /// How many of all these have an amount that counts.
    pub coverage: Coverage,
}

/// The amount that counts for a renewal, in its own currency: the amount expected, else what is up for renewal.
pub(super) fn native_of(r: &RenewalRow<'_>) -> Option<Money> {
    r.amount().or_else(|| r.target())
}

/// The same in minor units of the reporting currency.
pub(super) fn amount_of(r: &RenewalRow<'_>) -> Option<i64> {
    Some(r.book().fx().convert(native_of(r)?)?.minor)
}

/// Renewals by quarter and category, the book's or one CSM's (the account's CSM or the renewal's owner).
pub fn pipeline(
    book: &Book,
    derived: &Derived,
    today: Date,
    calendar: &Calendar,
    quarters: usize,
    mine: Option<LocalId>,
    settings: &Settings,
) -> Pipeline {
    let mut p = Pipeline {
        currency: String::from_utf8_lossy(&book.reporting()).into_owned(),
        ..Pipeline::default()
    };
    let periods = Period::quarters(calendar, today, quarters.max(1));
    let mut gathered: Vec<Gather> = vec![Gather::default(); periods.len()];
    let mut slipped_in = vec![Bucket::default(); periods.len()];
    let (now, start) = (Day::of(Some(today)), periods[0].start());
    let place = |day: Day| periods.iter().position(|p| p.has(day));
    for row in rows(book, derived, today, settings, mine) {
        let row = match row {
            Ok(row) => row,
            Err(out) => {
                if let Some(i) = place(out.cohort) {
                    gathered[i].leave_out(&out);
                }
                p.outside(&out, start);
                continue;
            }
        };
        if row.cohort < start && !row.is_open() {
            continue;
        }
        p.coverage.of += 1;
        p.coverage.known += 1;
        let (held, weighted) = (row.held(), row.weighted());
        if let Some(i) = place(row.cohort) {
            let end = periods[i].end();
            gathered[i].add(&row, Some(end), now, settings);
            if row.is_open() && row.due > end {
                p.slipped.add(held, weighted);
                if let Some(to) = place(row.due) {
                    slipped_in[to].add(held, weighted);
                }
            }
        } else if row.cohort >= start {
            p.later.add(held, weighted);
        } else if row.due < start {
            p.overdue.add(held, weighted);
        } else if let Some(i) = place(row.due) {
            slipped_in[i].add(held, weighted);
        } else {
            p.later.add(held, weighted);
        }
    }
    let mut quarter = calendar.quarter(today);
    for ((period, g), slipped_in) in periods.into_iter().zip(gathered).zip(slipped_in) {
        p.quarters.push(PipelineQuarter {
            quarter,
            label: period.label,
            forecast: g.finish(settings),
            target: settings.target_of(&quarter),
            slipped_in,
        });
        quarter = calendar.next(&quarter);
    }
    p
}

impl Pipeline {
    /// A renewal without an amount that counts is counted where it would stand.
    fn outside(&mut self, out: &LeftOut<'_>, start: Day) {
        let open = out.renewal.is_open();
        if !open && out.cohort < start {
            return;
        }
        self.coverage.of += 1;
        self.coverage.no_rate += usize::from(matches!(out.reason, Reason::NoRate(_)));
        if open && out.cohort == Day::NONE {
            self.undated.add(amount_of(&out.renewal).unwrap_or(0), 0);
        }
    }
}
