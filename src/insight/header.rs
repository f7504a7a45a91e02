//! What matters, in one line above everything.

use super::retention::Report;
use super::retention::policy::{FxMode, Late, Unit};
use super::{Coverage, tasks::task_counts};
use crate::book::derived::{ABOVE_THRESHOLD, HAS_RISK};
use crate::book::{Book, Calendar, Day, Derived, Entity, LocalId, RenewalRow};
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
    /// Gross retention of the trailing twelve months under the configured policy; none where there was no ARR.
    pub grr: Option<f64>,
    /// Net retention, likewise.
    pub nrr: Option<f64>,
    /// Why there is no retention figure.
    pub retention_reason: String,
    /// What retention was computed from: the Book's [`ledger_stamp`](Book::ledger_stamp), the day, and whose book. While these stay the
    /// figures do.
    #[serde(skip)]
    pub retention_of: Option<(u64, Date, Option<LocalId>)>,
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

/// Why there is no GRR and NRR.
pub const NO_LEDGER: &str = "n/a: there are no subscriptions, movements or closed renewals, and no account has ARR; csops import --kind subscriptions takes a file";

impl Header {
    /// Takes retention from the header before.
    pub fn keep_retention(&mut self, before: &Header) {
        (self.grr, self.nrr) = (before.grr, before.nrr);
        self.retention_reason.clone_from(&before.retention_reason);
        self.retention_of = before.retention_of;
    }

    /// Enters the retention of the trailing twelve months, from a ledger of the book.
    fn enter_retention(&mut self, report: &Report) {
        (self.grr, self.nrr) = (report.totals.gross(), report.totals.net());
        self.retention_reason = match &report.unavailable {
            Some(why) => format!("n/a: {why}"),
            None if report.coverage.of == 0 => NO_LEDGER.to_owned(),
            None if self.grr.is_none() => {
                "n/a: no account had ARR twelve months ago, as far as is known".to_owned()
            }
            None => String::new(),
        };
    }
}

/// Enters retention into headers, each with whose book it is of and the header before. What did not change is taken from there: a ledger
/// of a large book is not made for every change of a task.
pub fn enter_retention(
    book: &Book,
    settings: &super::retention::Settings,
    today: Date,
    calendar: &Calendar,
    headers: &mut [(&mut Header, &Header, Option<LocalId>)],
) {
    let mut stale = Vec::new();
    for (header, before, mine) in headers {
        let of = Some((book.ledger_stamp(), today, *mine));
        if before.retention_of == of {
            header.keep_retention(before);
        } else {
            header.retention_of = of;
            stale.push((header, *mine));
        }
    }
    let whose: Vec<Option<LocalId>> = stale.iter().map(|(_, mine)| *mine).collect();
    let reports = trailing_by_pieces(book, settings, today, calendar, &whose, PIECE);
    for ((header, _), report) in stale.into_iter().zip(reports) {
        header.enter_retention(&report);
    }
}

/// The ledger of so many accounts is held at a time.
const PIECE: u32 = 50_000;

/// The trailing twelve months of several books, from ledgers of a part of the accounts each. Policies that look at other accounts or at
/// what all rows have are answered from one ledger of all.
fn trailing_by_pieces(
    book: &Book,
    settings: &super::retention::Settings,
    today: Date,
    calendar: &Calendar,
    whose: &[Option<LocalId>],
    piece: u32,
) -> Vec<Report> {
    let mut reports: Vec<Option<Report>> = vec![None; whose.len()];
    if whose.is_empty() {
        return Vec::new();
    }
    let policy = &settings.policy;
    let apart =
        policy.unit == Unit::Account && policy.late != Late::Hold && policy.fx != FxMode::Plan;
    let bound = book.bound(Entity::Account);
    let piece = if apart { piece.max(1) } else { bound.max(1) };
    let mut start = 0;
    while start < bound || start == 0 {
        let end = start.saturating_add(piece).min(bound);
        let ledger = super::ledger::build_rows(book, start..end, today, settings.mixed_currencies);
        for (sum, mine) in reports.iter_mut().zip(whose) {
            let report =
                super::retention::trailing(book, &ledger, policy, today, calendar, *mine, false);
            match sum {
                None => *sum = Some(report),
                Some(sum) => {
                    sum.totals.join(&report.totals);
                    sum.coverage.known += report.coverage.known;
                    sum.coverage.of += report.coverage.of;
                    sum.coverage.no_rate += report.coverage.no_rate;
                    sum.unavailable = sum.unavailable.take().or(report.unavailable);
                }
            }
        }
        start = end.max(1);
    }
    reports.into_iter().flatten().collect()
}

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
        h.arr = h.arr.saturating_add(arr.map_or(0, |m| m.minor));
        h.health_coverage.count(None::<()>, &a.health());
        let decided = a.decision_day(Day::of(Some(today))).get();
        h.date_coverage.count(None::<()>, &decided);
        if derived.in_queue(a.row()) {
            let d = derived.account(a.row());
            h.in_queue += 1;
            h.at_risk = h.at_risk.saturating_add(d.at_stake);
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
        h.due = h.due.saturating_add(amount);
        if safe {
            h.due_safe = h.due_safe.saturating_add(amount);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::retention::fixture::{base, day};

    /// However many accounts a piece has, the figures are those of the whole.
    #[test]
    fn pieces_add_up_to_the_whole() {
        let (book, today) = (base().book(), day("2025-12-31").unwrap());
        let settings = crate::insight::retention::Settings::default();
        let made = |piece| {
            let whose = [None, Some(LocalId(1))];
            trailing_by_pieces(&book, &settings, today, &Calendar::default(), &whose, piece)
                .into_iter()
                .map(|r| (r.totals, r.coverage))
                .collect::<Vec<_>>()
        };
        let whole = made(u32::MAX);
        assert!(
            whole[0]
                .0
                .gross()
                .is_some_and(|g| (g - 0.849_015_317_286_652).abs() < 1e-12)
        );
        for piece in 1..5 {
            assert_eq!(made(piece), whole, "{piece} accounts at a time");
        }
    }
}
