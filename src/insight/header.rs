//! What matters, in one line above everything.

use super::{Coverage, tasks::task_counts};
use crate::book::derived::{ABOVE_THRESHOLD, HAS_RISK};
use crate::book::{Book, Day, Derived, LocalId, RenewalRow};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The header's figures. Amounts are minor units of the reporting currency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The reporting currency, `USD`.
    pub currency: String,
    /// Accounts.
    pub accounts: usize,
    /// Their ARR.
    pub arr: i64,
    /// How many have an ARR that could be converted.
    pub arr_coverage: Coverage,
    /// Gross retention; none before there is a ledger of subscriptions.
    pub grr: Option<f64>,
    /// Net retention, likewise.
    pub nrr: Option<f64>,
    /// Why there is no retention figure.
    pub retention_reason: String,
    /// Accounts in the queue.
    pub in_queue: usize,
    /// ARR at stake of the accounts in the queue.
    pub at_risk: i64,
    /// How many of the queue's accounts have an ARR that counts.
    pub at_risk_coverage: Coverage,
    /// Open renewals due within 90 days, overdue ones included.
    pub due_count: usize,
    /// Their amount.
    pub due: i64,
    /// How many of them have an amount that counts.
    pub due_coverage: Coverage,
    /// The part of `due` whose account is neither above the threshold nor has an open risk.
    pub due_safe: i64,
    /// Open tasks.
    pub tasks_open: usize,
    /// Of these, overdue ones.
    pub tasks_overdue: usize,
    /// Accounts with a health score.
    pub health_coverage: Coverage,
    /// Accounts with a decision date.
    pub date_coverage: Coverage,
}

impl Header {
    /// The safe share of what is due within 90 days.
    pub fn due_safe_share(&self) -> Option<f64> {
        (self.due > 0).then(|| self.due_safe as f64 / self.due as f64)
    }
}

/// Why GRR and NRR are not there yet.
pub const NO_LEDGER: &str =
    "n/a: retention is computed from a ledger of subscriptions, and no source gives one yet";

/// The figures of the whole book, or of the accounts of one CSM.
pub fn header(book: &Book, derived: &Derived, today: Date, mine: Option<LocalId>) -> Header {
    let mut h = Header {
        currency: String::from_utf8_lossy(&book.reporting()).into_owned(),
        retention_reason: NO_LEDGER.to_owned(),
        ..Header::default()
    };
    for a in book.accounts() {
        if mine.is_some() && a.csm_id() != mine {
            continue;
        }
        h.accounts += 1;
        let arr = a.arr_reporting();
        h.arr_coverage.count(a.arr(), &arr);
        h.arr += arr.map_or(0, |m| m.minor);
        h.health_coverage.count(None::<()>, &a.health());
        let decided = a.decision_day(Day::of(Some(today))).get();
        h.date_coverage.count(None::<()>, &decided);
        if derived.in_queue(a.row()) {
            let d = derived.account(a.row());
            h.in_queue += 1;
            h.at_risk += d.at_stake;
            let known = (!d.is(crate::book::derived::NO_ARR)).then_some(());
            h.at_risk_coverage.count(super::risk::at_stake(&a), &known);
        }
    }
    for (r, safe) in due_soon(book, derived, today, mine) {
        h.due_count += 1;
        let amount = super::pipeline::amount_of(&r);
        h.due_coverage
            .count(super::pipeline::native_of(&r), &amount);
        let amount = amount.unwrap_or(0);
        h.due += amount;
        if safe {
            h.due_safe += amount;
        }
    }
    (h.tasks_open, h.tasks_overdue) = task_counts(book, today, mine);
    h
}

/// The open renewals due within 90 days, overdue ones included, each with whether its account is neither above the threshold of loss nor
/// has an open risk.
pub(super) fn due_soon<'a>(
    book: &'a Book,
    derived: &Derived,
    today: Date,
    mine: Option<LocalId>,
) -> impl Iterator<Item = (RenewalRow<'a>, bool)> {
    let limit = Day(Day::of(Some(today)).0.saturating_add(90));
    book.renewals().filter_map(move |r| {
        let due = r.due_day();
        if due == Day::NONE || due > limit || !r.is_open() {
            return None;
        }
        let account = r.account();
        if mine.is_some() && account.and_then(|a| a.csm_id()) != mine {
            return None;
        }
        let safe = account.is_some_and(|a| {
            let d = derived.account(a.row());
            !d.is(ABOVE_THRESHOLD) && !d.is(HAS_RISK)
        });
        Some((r, safe))
    })
}
