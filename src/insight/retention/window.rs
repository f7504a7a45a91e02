//! One window over a ledger: what each customer paid at its opening and at its closing, and which changes lie in between.

use super::cell::{Cell, mark};
use super::course::course;
use super::due::line_due;
use super::netting::{cell, net_credits};
use super::policy::{Netting, OneOff, Policy, Unit};
use super::timeline::{Step, Timeline};
use crate::book::fx::Ratio;
use crate::insight::ledger::{AccountLedger, Due, Ledger, Source, Stretch};

/// A window, its policy and its rates.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The day before the window, as days since 1970-01-01.
    pub opening: i32,
    /// The window's last day.
    pub closing: i32,
    /// The day up to which it is known what became of a term.
    pub known: i32,
    /// The conventions.
    pub policy: Policy,
    /// Rates of the opening, by the number of the currency; the closing too is converted by them unless FX is reported.
    pub opening_rates: Vec<Option<Ratio>>,
    /// Rates of the closing.
    pub closing_rates: Vec<Option<Ratio>>,
    /// Whether what was due is wanted.
    pub with_due: bool,
}

impl Frame {
    pub(super) fn at_opening(&self, currency: u16, minor: i64) -> Option<i64> {
        (minor == 0).then_some(0).or_else(|| {
            let rate = (*self.opening_rates.get(usize::from(currency))?)?;
            Some(rate.convert(minor))
        })
    }
    pub(super) fn at_closing(&self, currency: u16, minor: i64) -> Option<i64> {
        (minor == 0).then_some(0).or_else(|| {
            let rate = (*self.closing_rates.get(usize::from(currency))?)?;
            Some(rate.convert(minor))
        })
    }
}

/// Why an account is not in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// There is no rate for a currency, by its number.
    NoRate(u16),
    /// Its ARR is negative.
    Negative(i64),
    /// Its ledger begins on a day after the opening.
    Unknown(i32),
    /// Its row does not say in which contract it stands.
    NoContract,
    /// An amount is larger than can be added up.
    TooLarge,
}

/// No line pays more, in minor units: a thousand of them can be added.
const LARGEST: u64 = i64::MAX as u64 / 1024;

/// A line within a window, in the reporting currency.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineCell {
    /// The account's place in the ledger.
    pub account: u32,
    /// The line's place in the ledger.
    pub line: u32,
    pub contract: u32,
    /// What it is netted within.
    pub key: (u32, u32),
    pub opening: i64,
    /// The closing at the opening's rates.
    pub closing: i64,
    /// The closing at its own rates.
    pub reported: i64,
    /// The rise of its price: no more than what is paid at the closing, of a rise that was taken back since nothing is left.
    pub price: i64,
    pub reported_price: i64,
    pub returned: bool,
    pub ignored: bool,
    pub back: bool,
    pub is_due: bool,
    pub due: i64,
    pub renewed: i64,
    pub pending: bool,
    pub windfall: (i64, i64),
}

/// Walks over a ledger; keeps its room from account to account.
pub struct Walk<'a> {
    ledger: &'a Ledger,
    timeline: &'a Timeline,
    frame: &'a Frame,
    lines: Vec<LineCell>,
    events: Vec<(i32, i64)>,
    kept: Vec<Stretch>,
}

impl<'a> Walk<'a> {
    /// Over a ledger and its timeline of the frame's policy.
    pub fn new(ledger: &'a Ledger, timeline: &'a Timeline, frame: &'a Frame) -> Walk<'a> {
        Walk {
            ledger,
            timeline,
            frame,
            lines: Vec::new(),
            events: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// One customer: an account, or those of a parent, by their places in the ledger. Gives its cells to `give`, and the accounts that
    /// are not in the window to `leave`.
    pub fn customer(
        &mut self,
        accounts: &[u32],
        give: &mut impl FnMut(Cell),
        leave: &mut impl FnMut(u32, LeftOut),
    ) {
        self.lines.clear();
        for at in accounts {
            let from = self.lines.len();
            if let Err(why) = self.account(*at) {
                self.lines.truncate(from);
                leave(*at, why);
            }
        }
        let mut lines = std::mem::take(&mut self.lines);
        if self.frame.policy.unit == Unit::Contract {
            lines.sort_by_key(|l| l.contract);
            for contract in lines.chunk_by_mut(|a, b| a.contract == b.contract) {
                let sums = |f: fn(&LineCell) -> i64| contract.iter().map(f).sum::<i64>();
                let worst = sums(|l| l.opening).min(sums(|l| l.closing));
                if worst < 0 {
                    leave(contract[0].account, LeftOut::Negative(worst));
                } else {
                    self.unit(contract, give);
                }
            }
        } else if !lines.is_empty() {
            self.unit(&mut lines, give);
        }
        self.lines = lines;
    }

    /// Adds the lines of an account.
    fn account(&mut self, at: u32) -> Result<(), LeftOut> {
        let account = &self.ledger.accounts[at as usize];
        let frame = self.frame;
        if account.known_from > frame.opening && account.known_from <= frame.closing {
            return Err(LeftOut::Unknown(account.known_from));
        }
        let (mut opening, mut closing) = (0_i64, 0_i64);
        for line in account.line..account.line_end {
            let steps = self.timeline.line(line);
            // Nothing of it is in the window.
            let Some(first) = steps.first() else { continue };
            if first.at > frame.closing && !frame.with_due {
                continue;
            }
            let cell = self.line(at, account, line, steps)?;
            opening = opening.saturating_add(cell.opening);
            closing = closing.saturating_add(cell.closing);
            self.lines.push(cell);
        }
        if frame.with_due {
            for due in &self.ledger.dues[account.due as usize..account.due_end as usize] {
                self.closed_renewal(at, due)?;
            }
        }
        if opening.min(closing) < 0 {
            return Err(LeftOut::Negative(opening.min(closing)));
        }
        Ok(())
    }

    fn line(
        &mut self,
        at: u32,
        account: &AccountLedger,
        line: u32,
        steps: &[Step],
    ) -> Result<LineCell, LeftOut> {
        let frame = self.frame;
        let meta = &self.ledger.lines[line as usize];
        let c = course(steps, frame);
        let (old, new) = (c.opening_currency, c.closing_currency);
        let opening_rate = |currency, minor| {
            frame
                .at_opening(currency, minor)
                .ok_or(LeftOut::NoRate(currency))
        };
        let closing_rate = |currency, minor| {
            frame
                .at_closing(currency, minor)
                .ok_or(LeftOut::NoRate(currency))
        };
        let closing = opening_rate(new, c.closing)?;
        let reported = closing_rate(new, c.closing)?;
        let mut cell = LineCell {
            account: at,
            line,
            contract: meta.contract,
            key: match frame.policy.netting {
                Netting::Account => (at, 0),
                Netting::Line => (at, line + 1),
                Netting::Product => (at, meta.product),
            },
            opening: opening_rate(old, c.opening)?,
            closing,
            reported,
            price: c.price.0.min(closing.max(0)),
            reported_price: c.price.1.min(reported.max(0)),
            returned: c.returned,
            ignored: c.ignored,
            back: c.back,
            ..LineCell::default()
        };
        let amounts = [cell.opening, cell.closing, cell.reported];
        if amounts.iter().any(|n| n.unsigned_abs() > LARGEST) {
            return Err(LeftOut::TooLarge);
        }
        if frame.policy.unit == Unit::Contract
            && meta.contract == 0
            && (c.opening != 0 || c.closing != 0)
        {
            return Err(LeftOut::NoContract);
        }
        if frame.with_due && account.source == Source::Subscriptions {
            let mut rows = self.ledger.stretches_of(line);
            if frame.policy.one_off == OneOff::Exclude && rows.iter().any(|s| s.one_off) {
                self.kept.clear();
                self.kept.extend(rows.iter().filter(|s| !s.one_off));
                rows = &self.kept;
            }
            let days = (frame.opening, frame.closing);
            let ends = (c.opening, c.closing);
            let due = line_due(rows, &frame.policy, days, frame.known, ends);
            if due.is_due || due.windfall.1 != 0 {
                let currency = rows.last().map_or(old, |s| s.currency);
                cell.is_due = due.is_due;
                cell.due = opening_rate(currency, due.due)?;
                cell.renewed = closing_rate(currency, due.renewed)?;
                cell.pending = due.pending;
                cell.windfall = (
                    opening_rate(currency, due.windfall.0)?,
                    closing_rate(currency, due.windfall.1)?,
                );
            }
        }
        Ok(cell)
    }

    /// A closed renewal of an account whose lines have no terms.
    fn closed_renewal(&mut self, at: u32, due: &Due) -> Result<(), LeftOut> {
        let frame = self.frame;
        if due.day <= frame.opening || due.day > frame.closing {
            return Ok(());
        }
        let no_rate = LeftOut::NoRate(due.currency);
        self.lines.push(LineCell {
            account: at,
            line: u32::MAX,
            key: match frame.policy.netting {
                Netting::Line => (at, 1 + self.ledger.accounts[at as usize].line),
                _ => (at, 0),
            },
            is_due: true,
            due: frame.at_opening(due.currency, due.due).ok_or(no_rate)?,
            renewed: frame.at_closing(due.currency, due.renewed).ok_or(no_rate)?,
            ..LineCell::default()
        });
        Ok(())
    }

    /// The lines of one customer as cells.
    fn unit(&mut self, lines: &mut [LineCell], give: &mut impl FnMut(Cell)) {
        let frame = self.frame;
        let (mut opening, mut left, mut due, mut renewed) = (0_i64, 0_i64, 0_i64, 0_i64);
        let (mut is_due, mut credits) = (false, false);
        for l in lines.iter() {
            opening = opening.saturating_add(l.opening);
            if !l.returned {
                left = left.saturating_add(l.closing);
            }
            is_due |= l.is_due;
            due = due.saturating_add(l.due);
            renewed = renewed.saturating_add(l.renewed + l.windfall.1);
            credits |= l.opening < 0 || l.closing < 0;
        }
        let cohort = opening > 0;
        let mut marks = 0;
        for (flag, on) in [
            (mark::COHORT, cohort),
            (mark::LOST, cohort && left <= 0),
            (mark::DUE, is_due),
            (mark::DUE_LOST, is_due && due > 0 && renewed == 0),
            (mark::NEW, !cohort && left > 0),
        ] {
            marks |= if on { flag } else { 0 };
        }
        if frame.policy.netting != Netting::Account {
            if credits {
                net_credits(lines);
            }
            lines.sort_by_key(|l| l.key);
        }
        // The head is the cell with the largest amount: in its group the customer is counted.
        let cells = || lines.chunk_by(|a, b| a.key == b.key);
        let size = |cell: &[LineCell]| {
            let sum = |f: fn(&LineCell) -> i64| cell.iter().map(f).fold(0, i64::saturating_add);
            (sum(|l| l.opening), sum(|l| l.closing), sum(|l| l.due))
        };
        let sizes = cells().map(size).enumerate();
        let head = sizes.max_by_key(|(i, s)| (*s, std::cmp::Reverse(*i)));
        let head = head.map_or(0, |(i, _)| i);
        for (i, lines) in cells().enumerate() {
            let marks = marks | if i == head { mark::HEAD } else { 0 };
            let cell = cell(
                self.ledger,
                self.timeline,
                frame,
                lines,
                marks,
                &mut self.events,
            );
            if !cell.is_blank() || cell.is(mark::DUE) {
                give(cell);
            }
        }
    }
}
