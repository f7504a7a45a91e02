//! The rows behind a figure: accounts, or their lines, with what they paid and what of it counts.

use super::cell::{Cell, mark};
use super::policy::Netting;
use super::report::{Report, cell_name, rates_on};
use crate::book::text::visible;
use crate::book::value::exponent;
use crate::book::{Book, RateKind};
use crate::insight::ledger::{Ledger, Source};
use crate::insight::page::{Value, WhyRow};

/// Which figure the rows are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Gross and net retention: opening, closing, what counts.
    Retention,
    /// Logo churn: the customers that are gone first.
    Lost,
    /// Renewal rates: due, renewed, what counts.
    Due,
    /// A step of the waterfall, by its name.
    Step(&'static str),
}

impl Of {
    /// Heads of the rows' values.
    pub fn columns(self) -> Vec<String> {
        let heads: &[&str] = match self {
            Of::Retention | Of::Lost => &["opening", "closing", "counted for GRR"],
            Of::Due => &["due", "renewed", "counted for gross"],
            Of::Step(_) => &["opening", "closing", "step"],
        };
        heads.iter().map(|h| (*h).to_owned()).collect()
    }
    /// Whether a cell counts in the figure.
    pub fn takes(self, c: &Cell) -> bool {
        match self {
            Of::Retention | Of::Lost => c.is(mark::COHORT) && (c.opening != 0 || c.retained != 0),
            Of::Due => c.due != 0 || c.due_renewed != 0,
            Of::Step(step) => amount(c, step) != 0,
        }
    }
    fn values(self, c: &Cell) -> [i64; 3] {
        match self {
            Of::Retention | Of::Lost => [c.opening, c.retained, c.kept],
            Of::Due => [c.due, c.due_renewed, c.due_kept],
            Of::Step(step) => [c.opening, c.closing, amount(c, step)],
        }
    }
    /// The weightiest first.
    fn weight(self, c: &Cell) -> (i64, i64) {
        match self {
            Of::Retention => (c.opening - c.kept, c.opening),
            Of::Lost => (i64::from(c.is(mark::LOST)), c.opening),
            Of::Due => (c.due - c.due_kept, c.due),
            Of::Step(step) => (amount(c, step).abs(), c.opening),
        }
    }
}

/// The amount of a cell in a step of the waterfall.
pub fn amount(c: &Cell, step: &str) -> i64 {
    match step {
        "opening" => c.opening,
        "new" => c.new,
        "expansion" => c.expansion,
        "reactivation" => c.reactivation,
        "price" => c.price,
        "fx" => c.fx,
        "contraction" => -c.contraction,
        "churn" => -c.churn,
        _ => c.closing,
    }
}

/// Writes rows of a report.
pub struct Writer<'a> {
    book: &'a Book,
    ledger: &'a Ledger,
    report: &'a Report,
    /// By the number of the currency, one unit of it in the reporting currency, for those that are not.
    rates: Vec<Option<String>>,
}

impl<'a> Writer<'a> {
    /// Of a report.
    pub fn new(book: &'a Book, ledger: &'a Ledger, report: &'a Report) -> Writer<'a> {
        let kind = match report.policy.fx {
            super::policy::FxMode::Plan => RateKind::Plan,
            _ => RateKind::Spot,
        };
        let rates = rates_on(book, ledger, report.from - 1, kind);
        let to = exponent(&book.reporting());
        let words = ledger.currencies.iter().zip(rates).map(|(code, rate)| {
            let rate = rate.filter(|_| *code != book.reporting())?;
            // Of a million units, so that small rates keep their digits.
            let worth = rate.convert(10_i64.pow(exponent(code) + 6));
            let one = worth as f64 / 10_f64.powi(to as i32 + 6);
            let code = String::from_utf8_lossy(code);
            Some(format!("in {code}, {one} at the opening"))
        });
        Writer {
            book,
            ledger,
            report,
            rates: words.collect(),
        }
    }

    /// The rows of a figure, the weightiest first, at most so many, and how many there are.
    pub fn rows(&self, of: Of, most: usize) -> (Vec<WhyRow>, usize) {
        let mut cells: Vec<&Cell> = self.report.rows.iter().filter(|c| of.takes(c)).collect();
        let count = cells.len();
        let order = |c: &&Cell| (std::cmp::Reverse(of.weight(c)), c.account, c.line);
        // Of a hundred thousand rows the first few need no order of the rest.
        if most < count {
            cells.select_nth_unstable_by_key(most, order);
            cells.truncate(most);
        }
        cells.sort_by_key(order);
        (cells.into_iter().map(|c| self.row(of, c)).collect(), count)
    }

    /// One row.
    pub fn row(&self, of: Of, c: &Cell) -> WhyRow {
        let account = self.book.account(c.account);
        let mut label = visible(account.name()).into_owned();
        if self.report.policy.netting != Netting::Account
            && let Some(name) = cell_name(self.book, c)
        {
            label = format!("{label}, {}", visible(name));
        }
        WhyRow {
            label,
            account: Some(account.id()),
            values: of.values(c).map(Value::Money).to_vec(),
            note: self.note(c),
        }
    }

    fn note(&self, c: &Cell) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (flag, words) in [
            (mark::LOST, "gone"),
            (mark::BACK, "was gone and came back: counts as gone"),
            (mark::BACK_IGNORED, "was gone and came back, ignored"),
            (mark::PENDING, "term ended, not yet late enough to be gone"),
            (mark::WINDFALL, "credited when it was signed late"),
        ] {
            if c.is(flag) {
                parts.push(words.into());
            }
        }
        let place = self
            .ledger
            .accounts
            .binary_search_by_key(&c.account, |a| a.row);
        if let Ok(at) = place {
            let account = &self.ledger.accounts[at];
            let first = self.ledger.stretches_of(account.line).first();
            let rate = first.and_then(|s| self.rates.get(usize::from(s.currency))?.clone());
            parts.extend(rate);
            match account.source {
                Source::Subscriptions => {}
                Source::Movements => parts.push("from movements".into()),
                Source::Renewals => parts.push("from closed renewals and today's ARR".into()),
            }
        }
        parts.join("; ")
    }
}
