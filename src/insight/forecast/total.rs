//! A set of renewals added up: what is due, what is won, and what will come of the rest, in each of the usual ways.

use super::category::{Bucket, Category};
use super::chance::{Basis, Share};
use super::row::{LeftOut, Reason, Row};
use super::settings::Settings;
use super::spread::{Spread, spread};
use crate::book::Day;
use crate::insight::Coverage;
use serde::{Deserialize, Serialize};

/// The forecast of a set of renewals. Amounts are minor units of the reporting currency.
///
/// Gross counts each renewal with at most its target, net with its whole amount (Gainsight's definitions of the renewal forecast:
/// final plus forecast, each capped at target, divided by what is due).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Renewals due, won and lost ones included.
    pub count: usize,
    /// What is up for renewal with them: the target amounts.
    pub due: i64,
    /// Won, gross.
    pub closed: i64,
    /// Won, net.
    pub closed_net: i64,
    /// Σ probability × gross of the open ones, plus what is won.
    pub weighted: i64,
    /// Σ probability × amount of the open ones, plus what is won, net.
    pub weighted_net: i64,
    /// Every renewal from the configured probability on in full, the others not at all.
    pub in_or_out: i64,
    /// By category, in the order of [`Category::ALL`].
    pub categories: [Bucket; 7],
    /// Of the open ones: the account is above the threshold or has an open risk. Counted in its category as well.
    pub at_risk: Bucket,
    /// Certain to end, while the term still runs: in today's ARR, not in the forecast.
    pub committed_churn: Bucket,
    /// Open, counted here, but due in a later period by now.
    pub slipped: Bucket,
    /// By where their probability comes from, in the order of [`Basis::ALL`].
    pub bases: [usize; 10],
    /// Renewals without a target of their own: their amount stands for it.
    pub no_target: usize,
    /// The distribution of the gross amount.
    pub spread: Spread,
    /// How many have an amount that counts.
    pub coverage: Coverage,
}

impl Forecast {
    /// One category alone.
    pub fn category(&self, category: Category) -> Bucket {
        self.categories[category as usize]
    }
    /// A category with all surer ones; of those that roll up.
    pub fn cumulative(&self, category: Category) -> i64 {
        Category::ROLL_UP
            .into_iter()
            .filter(|c| *c <= category)
            .map(|c| self.category(c).amount)
            .fold(0, i64::saturating_add)
    }
    /// Neither won nor lost.
    pub fn open(&self) -> usize {
        self.count - self.category(Category::Closed).count - self.category(Category::Lost).count
    }
    /// An amount as a share of what is due; none where nothing is due.
    pub fn share(&self, amount: i64) -> Option<f64> {
        (self.due > 0).then(|| amount as f64 / self.due as f64)
    }
    /// The gross renewal rate that is forecast.
    pub fn gross(&self) -> Option<f64> {
        self.share(self.weighted)
    }
    /// The net renewal rate that is forecast.
    pub fn net(&self) -> Option<f64> {
        self.share(self.weighted_net)
    }
    /// P10 and P90 as shares of what is due.
    pub fn interval(&self) -> Option<(f64, f64)> {
        Some((self.share(self.spread.p10)?, self.share(self.spread.p90)?))
    }
}

/// Collects renewals for a [`Forecast`].
#[derive(Clone, Debug, Default)]
pub struct Gather {
    sums: Forecast,
    open: Vec<(i64, Share)>,
}

impl Gather {
    /// One more renewal. `end`: the last day of the period that it counts in, where there is one.
    pub fn add(&mut self, row: &Row<'_>, end: Option<Day>, today: Day, settings: &Settings) {
        let f = &mut self.sums;
        let (held, gross, weighted) = (row.held(), row.gross(), row.weighted());
        let add = |sum: &mut i64, n: i64| *sum = sum.saturating_add(n);
        f.count += 1;
        f.coverage.of += 1;
        f.coverage.known += 1;
        f.no_target += usize::from(row.no_target);
        f.bases[row.chance.basis as usize] += 1;
        add(&mut f.due, row.target);
        // What is to come after the period is in none of its categories.
        let slipped = row.is_open() && end.is_some_and(|e| row.due > e);
        if slipped {
            f.slipped.add(held, weighted);
        } else {
            f.categories[row.category as usize].add(held, weighted);
        }
        add(&mut f.weighted, weighted);
        add(&mut f.weighted_net, row.weighted_net());
        if row.is_won() {
            add(&mut f.closed, gross);
            add(&mut f.closed_net, row.amount);
        }
        let certain = matches!(
            row.chance.basis,
            Basis::Lost | Basis::Notice | Basis::Omitted
        );
        if !certain && row.chance.share >= Share::of(settings.in_from) {
            add(&mut f.in_or_out, gross);
        }
        if row.is_open() {
            self.open.push((gross, row.chance.share));
            if row.at_risk {
                f.at_risk.add(held, weighted);
            }
        }
        if row.is_committed_churn(today) {
            f.committed_churn.add(row.target, 0);
        }
    }
    /// A renewal that would count here and cannot.
    pub fn leave_out(&mut self, out: &LeftOut<'_>) {
        let c = &mut self.sums.coverage;
        c.of += 1;
        c.no_rate += usize::from(matches!(out.reason, Reason::NoRate(_)));
    }
    /// The forecast.
    pub fn finish(mut self, settings: &Settings) -> Forecast {
        self.sums.spread = spread(self.sums.closed, self.open, settings.correlation);
        self.sums
    }
    /// Nothing was added.
    pub fn is_empty(&self) -> bool {
        self.sums.coverage.of == 0
    }
}
