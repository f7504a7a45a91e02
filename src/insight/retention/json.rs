//! The document of `csops metrics --json`, but for the forecast in it.

use super::cell::Totals;
use super::policy::{Denominator, Policy};
use super::report::Report;
use crate::book::{Book, Money};
use crate::insight::ledger::Ledger;
use serde::Serialize;

/// An amount as the command line prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// A decimal in the currency's own decimals.
    pub amount: String,
    /// The ISO code.
    pub currency: String,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Amount {
        Amount {
            amount: money.decimal(),
            currency: money.code().to_owned(),
        }
    }
}

/// Renewal rates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RenewalRate {
    /// Rises left out.
    pub gross: Option<f64>,
    /// With them.
    pub net: Option<f64>,
}

/// Retention; amounts and rates are null where there is no answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retention {
    /// What the rates are a share of.
    pub opening: Option<Amount>,
    /// What became of it, rises counted: of the same customers.
    pub closing: Option<Amount>,
    /// Gross retention.
    pub grr: Option<f64>,
    /// Net retention.
    pub nrr: Option<f64>,
    /// Customers lost, as a fraction.
    pub logo_churn: Option<f64>,
    /// Of what was due for renewal.
    pub renewal_rate: RenewalRate,
    /// Customers that the rates are about.
    pub accounts: usize,
    /// Of these, lost.
    pub lost: usize,
    /// What was due for renewal.
    pub due: Option<Amount>,
    /// Terms that have ended and still count, because they may be renewed yet.
    pub pending: usize,
}

/// The steps from opening to closing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waterfall {
    /// All ARR at the opening.
    pub opening: Option<Amount>,
    /// Customers that were not there.
    pub new: Option<Amount>,
    /// More.
    pub expansion: Option<Amount>,
    /// Back again.
    pub reactivation: Option<Amount>,
    /// Prices, where they stand apart.
    pub price: Option<Amount>,
    /// Rates of exchange, where they stand apart.
    pub fx: Option<Amount>,
    /// Less.
    pub contraction: Option<Amount>,
    /// Customers that are gone.
    pub churn: Option<Amount>,
    /// All ARR at the closing.
    pub closing: Option<Amount>,
    /// What is left over, minor units: 0 when every change is in exactly one step.
    pub check: i64,
}

/// Both, of everything or of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Retention.
    pub retention: Retention,
    /// The waterfall.
    pub waterfall: Waterfall,
}

impl Figures {
    /// Of sums; amounts are null when there is no answer at all.
    pub fn of(totals: &Totals, policy: &Policy, book: &Book, answered: bool) -> Figures {
        let money = |n: i64| answered.then(|| Amount::from(book.reporting_money(n)));
        let (t, s) = (totals, &totals.sum);
        let due = policy.denominator == Denominator::Due;
        let retention = Retention {
            opening: money(if due { s.due } else { s.opening }),
            closing: money(if due { s.due_renewed } else { s.retained }),
            grr: if due { t.renewal_gross() } else { t.gross() },
            nrr: if due { t.renewal_net() } else { t.net() },
            logo_churn: if due { t.due_churn() } else { t.churn() },
            renewal_rate: RenewalRate {
                gross: t.renewal_gross(),
                net: t.renewal_net(),
            },
            accounts: if due { t.due_customers } else { t.customers },
            lost: if due { t.due_lost } else { t.lost },
            due: money(s.due),
            pending: t.pending,
        };
        Figures {
            retention,
            waterfall: Waterfall {
                opening: money(s.opening),
                new: money(s.new),
                expansion: money(s.expansion),
                reactivation: money(s.reactivation),
                price: money(s.price),
                fx: money(s.fx),
                contraction: money(s.contraction),
                churn: money(s.churn),
                closing: money(s.closing),
                check: s.check(),
            },
        }
    }
}

/// How complete the figures are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CoverageJson {
    /// Accounts that should be in them: with subscriptions, movements, closed renewals or ARR.
    pub of: usize,
    /// Of these, those that are.
    pub known: usize,
    /// Left out because a currency has no rate.
    pub no_rate: usize,
    /// Known of all, as a fraction.
    pub share: Option<f64>,
    /// Rows and accounts that were left out.
    pub excluded: usize,
    /// What the ledger was made from.
    pub source: String,
}

impl CoverageJson {
    /// Of a report.
    pub fn of(report: &Report, ledger: &Ledger) -> CoverageJson {
        CoverageJson {
            of: report.coverage.of,
            known: report.coverage.known,
            no_rate: report.coverage.no_rate,
            share: report.coverage.share(),
            excluded: report.excluded.count,
            source: ledger.source(),
        }
    }
}
