//! Renewals by fiscal quarter and forecast category.

use super::Coverage;
use crate::book::derived::{ABOVE_THRESHOLD, HAS_RISK};
use crate::book::{Book, Calendar, Day, Derived, LocalId, Money, Quarter, RenewalRow};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Where a renewal stands in the forecast; each renewal is in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Won.
    Closed,
    /// Committed.
    Commit,
    /// Most likely.
    MostLikely,
    /// Best case.
    Best,
    /// In the pipeline, or without a category.
    Pipeline,
    /// Left out of the forecast by its owner.
    Omitted,
    /// Lost.
    Lost,
}

impl Category {
    /// All, from surest to lost.
    pub const ALL: [Category; 7] = [
        Category::Closed,
        Category::Commit,
        Category::MostLikely,
        Category::Best,
        Category::Pipeline,
        Category::Omitted,
        Category::Lost,
    ];
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Category::Closed => "closed",
            Category::Commit => "commit",
            Category::MostLikely => "most likely",
            Category::Best => "best",
            Category::Pipeline => "pipeline",
            Category::Omitted => "omitted",
            Category::Lost => "lost",
        }
    }
    /// Of a renewal.
    pub fn of(r: &RenewalRow<'_>) -> Category {
        match (r.stage_kind(), r.forecast()) {
            ("won", _) => Category::Closed,
            ("lost", _) => Category::Lost,
            (_, Some("commit")) => Category::Commit,
            (_, Some("most_likely")) => Category::MostLikely,
            (_, Some("best")) => Category::Best,
            (_, Some("omitted")) => Category::Omitted,
            (_, Some("closed")) => Category::Closed,
            _ => Category::Pipeline,
        }
    }
}

/// A count and an amount, minor units of the reporting currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Renewals.
    pub count: usize,
    /// Their amount.
    pub amount: i64,
    /// The amount weighted by the vendor's probability, else by one less the account's probability of loss.
    pub weighted: i64,
}

impl Bucket {
    fn add(&mut self, amount: i64, weighted: i64) {
        self.count += 1;
        self.amount += amount;
        self.weighted += weighted;
    }
}

/// One quarter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PipelineQuarter {
    /// Which.
    pub quarter: Quarter,
    /// Its label, `Q4 2026`.
    pub label: String,
    /// Everything due in it, won and lost included.
    pub due: Bucket,
    /// By category, in the order of [`Category::ALL`].
    pub categories: [Bucket; 7],
    /// Of the open ones: the account is above the threshold or has an open risk. Counted in its category as well.
    pub at_risk: Bucket,
    /// How many have an amount that counts.
    pub coverage: Coverage,
}

impl PipelineQuarter {
    /// One category.
    pub fn category(&self, category: Category) -> Bucket {
        self.categories[category as usize]
    }
    /// The weighted forecast as a share of what is due.
    pub fn forecast_share(&self) -> Option<f64> {
        (self.due.amount > 0).then(|| self.due.weighted as f64 / self.due.amount as f64)
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
) -> Pipeline {
    let mut p = Pipeline {
        currency: String::from_utf8_lossy(&book.reporting()).into_owned(),
        ..Pipeline::default()
    };
    let mut quarter = calendar.quarter(today);
    let mut ends: Vec<Day> = Vec::new();
    for _ in 0..quarters.max(1) {
        ends.push(Day::of(Some(quarter.end)));
        p.quarters.push(PipelineQuarter {
            quarter,
            label: calendar.label(&quarter),
            due: Bucket::default(),
            categories: Default::default(),
            at_risk: Bucket::default(),
            coverage: Coverage::default(),
        });
        quarter = calendar.next(&quarter);
    }
    let start = Day::of(Some(p.quarters[0].quarter.start));
    for r in book.renewals() {
        let due = r.due_day();
        let open = r.is_open();
        if !open && (due == Day::NONE || due < start) {
            continue;
        }
        let account = r.account();
        if mine.is_some()
            && account.and_then(|a| a.csm_id()) != mine
            && r.owner().map(|o| o.id()) != mine
        {
            continue;
        }
        let category = Category::of(&r);
        let amount = amount_of(&r);
        let d = account.map(|a| derived.account(a.row()));
        let chance = match (category, r.probability()) {
            (Category::Closed, _) => 1.0,
            (Category::Lost, _) => 0.0,
            (_, Some(p)) => f64::from(p) / 100.0,
            (_, None) => d.map_or(0.5, |d| 1.0 - f64::from(d.loss)),
        };
        p.coverage.count(native_of(&r), &amount);
        let value = amount.unwrap_or(0);
        let weighted = (value as f64 * chance).round() as i64;
        if due == Day::NONE {
            p.undated.add(value, weighted);
        } else if due < start {
            p.overdue.add(value, weighted);
        } else if let Some(q) = ends.iter().position(|end| due <= *end) {
            let q = &mut p.quarters[q];
            q.due.add(value, weighted);
            q.categories[category as usize].add(value, weighted);
            q.coverage.count(native_of(&r), &amount);
            if open && d.is_some_and(|d| d.is(ABOVE_THRESHOLD) || d.is(HAS_RISK)) {
                q.at_risk.add(value, weighted);
            }
        } else {
            p.later.add(value, weighted);
        }
    }
    p
}
