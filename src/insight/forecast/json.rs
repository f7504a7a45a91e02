//! The `forecast` object of `csops metrics --json`.

use super::category::Category;
use super::period::Period;
use super::row::{Row, rows};
use super::total::{Forecast, Gather};
use crate::book::{Day, Money};
use crate::insight::page::{Excluded, Input};
use serde::Serialize;

/// An amount as the command line prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// A decimal in the currency's own decimals.
    pub amount: String,
    /// The ISO code.
    pub currency: String,
}

impl Amount {
    fn of(money: Money) -> Amount {
        Amount {
            amount: money.decimal(),
            currency: money.code().to_owned(),
        }
    }
}

/// The categories, each with all surer ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cumulative {
    /// Won.
    pub closed: Amount,
    /// And committed.
    pub commit: Amount,
    /// And most likely.
    pub most_likely: Amount,
    /// And best case.
    pub best: Amount,
    /// And the rest of the pipeline; omitted and lost ones are in none.
    pub pipeline: Amount,
}

/// The forecast of a period. Amounts are null where nothing is due, rates as well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Json {
    /// What is up for renewal.
    pub due: Amount,
    /// Won, each with at most its target.
    pub closed: Amount,
    /// The weighted forecast, what is won included.
    pub weighted: Amount,
    /// By category, cumulative.
    pub category: Cumulative,
    /// With 90 % it is at least this.
    pub p10: Option<Amount>,
    /// As often above as below.
    pub p50: Option<Amount>,
    /// With 10 % it is more than this.
    pub p90: Option<Amount>,
    /// The weighted forecast as a fraction of what is due.
    pub gross: Option<f64>,
    /// The same with growth.
    pub net: Option<f64>,
}

/// The forecast of what is due in a period: of everything, and of each group.
pub struct Parted {
    /// Of everything.
    pub all: Forecast,
    /// Of the groups, by their number.
    pub groups: Vec<Forecast>,
    /// Renewals that are left out of it.
    pub excluded: Vec<Excluded>,
}

/// The forecast of the renewals that are due in a period (first due day), of everything and of so many groups; `of` says which group a
/// renewal is in, if any.
pub fn parted(
    input: &Input<'_>,
    period: &Period,
    groups: usize,
    of: impl Fn(&Row<'_>) -> Option<usize>,
) -> Parted {
    let settings = &input.settings.forecast;
    let today = Day::of(Some(input.today));
    let mut all = Gather::default();
    let mut each = vec![Gather::default(); groups];
    let mut excluded = Vec::new();
    for row in rows(input.book, input.derived, input.today, settings, input.mine) {
        match row {
            Ok(row) if period.has(row.cohort) => {
                let own = of(&row).and_then(|n| each.get_mut(n));
                for gather in std::iter::once(&mut all).chain(own) {
                    gather.add(&row, Some(period.end()), today, settings);
                }
            }
            Err(out) if out.cohort == Day::NONE || period.has(out.cohort) => {
                excluded.push(out.excluded());
            }
            _ => {}
        }
    }
    Parted {
        all: all.finish(settings),
        groups: each.into_iter().map(|g| g.finish(settings)).collect(),
        excluded,
    }
}

impl Json {
    /// Of a forecast; `money` makes an amount of minor units.
    pub fn of(f: &Forecast, money: impl Fn(i64) -> Money) -> Json {
        let amount = |n| Amount::of(money(n));
        let some = |n| (f.count > 0).then(|| amount(n));
        let category = |c| amount(f.cumulative(c));
        Json {
            due: amount(f.due),
            closed: amount(f.closed),
            weighted: amount(f.weighted),
            category: Cumulative {
                closed: category(Category::Closed),
                commit: category(Category::Commit),
                most_likely: category(Category::MostLikely),
                best: category(Category::Best),
                pipeline: category(Category::Pipeline),
            },
            p10: some(f.spread.p10),
            p50: some(f.spread.p50),
            p90: some(f.spread.p90),
            gross: f.gross(),
            net: f.net(),
        }
    }
}
