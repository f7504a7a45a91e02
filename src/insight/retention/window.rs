//! One window over a ledger: what each customer paid at its opening and at its closing, and which changes lie in between.

use super::cell::{Cell, mark};
use super::due::line_due;
use super::policy::*;
use super::timeline::{Change, Step, Timeline};
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
    fn at_opening(&self, currency: u16, minor: i64) -> Option<i64> {
        (minor == 0).then_some(0).or_else(|| {
            let rate = (*self.opening_rates.get(usize::from(currency))?)?;
            Some(rate.convert(minor))
        })
    }
    fn at_closing(&self, currency: u16, minor: i64) -> Option<i64> {
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
}

/// What a line paid at the ends of a window, and what happened in between; in its own currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Course {
    opening: i64,
    closing: i64,
    opening_currency: u16,
    closing_currency: u16,
    /// By how much its price rose, at the opening's and the closing's rates of the reporting currency.
    price: (i64, i64),
    /// It was gone and came back within the window, which is ignored.
    ignored: bool,
    /// The same, not ignored: what it is at the closing is none of what it was.
    returned: bool,
    /// It was gone at the opening already, and came back.
    back: bool,
}

/// A gap that began in the window and is over: whether it is ignored.
fn is_ignored(policy: &Policy, ended: i32, returned: i32) -> bool {
    match policy.reactivation {
        Reactivation::Ignore(days) => returned - ended <= i32::from(days),
        Reactivation::ChurnNew | Reactivation::Bucket => false,
    }
}

#[inline]
fn course(steps: &[Step], frame: &Frame) -> Course {
    let mut c = Course::default();
    let (mut now, mut currency, mut ended) = (0_i64, 0_u16, i32::MIN);
    let mut opened = false;
    for s in steps {
        if s.at > frame.closing {
            break;
        }
        if s.at > frame.opening {
            if !opened {
                opened = true;
                (c.opening, c.opening_currency) = (now, currency);
            }
            match s.change {
                Change::Price => {
                    let rise = |at: fn(&Frame, u16, i64) -> Option<i64>| {
                        let ends = at(frame, s.currency, s.minor).zip(at(frame, currency, now));
                        ends.map_or(0, |(then, now)| then - now)
                    };
                    c.price.0 += rise(Frame::at_opening);
                    c.price.1 += rise(Frame::at_closing);
                }
                Change::Return if ended > frame.opening && c.opening != 0 => {
                    match is_ignored(&frame.policy, ended, s.at) {
                        true => c.ignored = true,
                        false => c.returned = true,
                    }
                }
                Change::Return if c.opening == 0 => c.back = true,
                _ => {}
            }
        }
        if s.change == Change::End {
            ended = s.at;
        } else {
            currency = s.currency;
        }
        now = s.minor;
    }
    if !opened {
        (c.opening, c.opening_currency) = (now, currency);
    }
    (c.closing, c.closing_currency) = (now, currency);
    if c.closing == 0 {
        (c.returned, c.ignored, c.back) = (false, false, false);
    }
    // The price of what was not there, is gone, or was gone in between, is a part of other changes.
    if c.opening == 0 || c.closing == 0 || c.returned {
        c.price = (0, 0);
    }
    c
}

/// A line within a window, in the reporting currency.
#[derive(Clone, Copy, Debug, Default)]
struct LineCell {
    /// The account's place in the ledger.
    account: u32,
    /// The line's place in the ledger.
    line: u32,
    contract: u32,
    /// What it is netted within.
    key: (u32, u32),
    opening: i64,
    /// The closing at the opening's rates.
    closing: i64,
    /// The closing at its own rates.
    reported: i64,
    price: i64,
    reported_price: i64,
    returned: bool,
    ignored: bool,
    back: bool,
    is_due: bool,
    due: i64,
    renewed: i64,
    pending: bool,
    windfall: (i64, i64),
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
            closing: opening_rate(new, c.closing)?,
            reported: closing_rate(new, c.closing)?,
            price: c.price.0,
            reported_price: c.price.1,
            returned: c.returned,
            ignored: c.ignored,
            back: c.back,
            ..LineCell::default()
        };
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

/// Puts lines that are negative into the largest cell of their account: credits are netted before the cap.
fn net_credits(lines: &mut [LineCell]) {
    for i in 0..lines.len() {
        if lines[i].opening >= 0 && lines[i].closing >= 0 {
            continue;
        }
        let account = lines[i].account;
        let largest = (lines.iter())
            .filter(|l| l.account == account)
            .max_by_key(|l| (l.opening, l.closing))
            .map(|l| l.key);
        lines[i].key = largest.unwrap_or(lines[i].key);
    }
}

/// The lines that are netted with one another as a cell.
fn cell(
    ledger: &Ledger,
    timeline: &Timeline,
    frame: &Frame,
    lines: &[LineCell],
    marks: u16,
    events: &mut Vec<(i32, i64)>,
) -> Cell {
    let policy = &frame.policy;
    let first = lines[0];
    let named = lines.iter().find(|l| l.line != u32::MAX).unwrap_or(&first);
    let meta = ledger
        .lines
        .get(named.line as usize)
        .copied()
        .unwrap_or_default();
    let mut c = Cell {
        account: ledger.accounts[first.account as usize].row,
        line: if policy.netting == Netting::Line {
            meta.name
        } else {
            0
        },
        product: match policy.netting {
            Netting::Account => 0,
            _ => meta.product,
        },
        marks,
        ..Cell::default()
    };
    let cohort = c.is(mark::COHORT);
    let apart = policy.price != Price::Include;
    // What is there at the closing and counts for nothing of what was there at the opening.
    let (mut returned, mut reported_returned) = (0_i64, 0_i64);
    let (mut price, mut reported_price) = (0_i64, 0_i64);
    let (mut constant, mut new_renewed) = (0_i64, 0_i64);
    for l in lines {
        c.opening += l.opening;
        constant += l.closing;
        c.closing += l.reported;
        if l.returned {
            returned += l.closing;
            reported_returned += l.reported;
            c.marks |= mark::BACK;
        }
        if l.ignored {
            c.marks |= mark::BACK_IGNORED;
        }
        if l.pending {
            c.marks |= mark::PENDING;
        }
        if l.windfall.1 != 0 {
            c.marks |= mark::WINDFALL;
        }
        price += l.price;
        reported_price += l.reported_price;
        c.due += l.due;
        c.due_renewed += l.renewed + l.windfall.1;
        c.due_kept += l.windfall.0.min(l.windfall.1);
        if l.opening == 0 && !l.is_due && l.line != u32::MAX {
            new_renewed += l.reported;
        }
    }
    c.fx = c.closing - constant;
    // What a customer adds on new lines belongs to its renewal as a rise does on an old one.
    if c.is(mark::DUE) {
        c.due_renewed += new_renewed;
        let own = c.due_renewed - lines.iter().map(|l| l.windfall.1).sum::<i64>();
        c.due_kept += match policy.cap {
            Cap::Account => own.min(c.due),
            Cap::Losses => lines.iter().map(|l| l.renewed.min(l.due)).sum(),
        };
    }
    let comeback = match policy.reactivation {
        Reactivation::ChurnNew => &mut c.new,
        Reactivation::Ignore(_) | Reactivation::Bucket => &mut c.reactivation,
    };
    if !cohort {
        let back = lines
            .iter()
            .filter(|l| l.back)
            .map(|l| l.closing)
            .sum::<i64>();
        *comeback += back;
        c.new += constant - back;
        return c;
    }
    *comeback += returned;
    c.retained = c.closing - reported_returned;
    if policy.price == Price::Exclude {
        c.retained -= reported_price;
    }
    if apart {
        c.price = price;
    }
    let (rises, falls) = match policy.cap {
        Cap::Account => {
            let change = constant - returned - c.opening - c.price;
            (change.max(0), (-change).max(0))
        }
        Cap::Losses => every_change(timeline, frame, lines, events),
    };
    c.expansion += rises;
    c.kept = match policy.cap {
        Cap::Account => c.opening.min(c.retained),
        Cap::Losses => c.opening - falls,
    };
    match c.is(mark::LOST) {
        true => c.churn = falls,
        false => c.contraction = falls,
    }
    c
}

/// All rises and all falls of the lines together, day by day, at the opening's rates: what stands apart left out.
fn every_change(
    timeline: &Timeline,
    frame: &Frame,
    lines: &[LineCell],
    events: &mut Vec<(i32, i64)>,
) -> (i64, i64) {
    let policy = &frame.policy;
    events.clear();
    for l in lines.iter().filter(|l| l.line != u32::MAX) {
        let value = |s: &Step| frame.at_opening(s.currency, s.minor).unwrap_or(0);
        let steps = timeline.line(l.line);
        let (mut now, mut ended) = (l.opening, i32::MIN);
        for (i, s) in steps.iter().enumerate() {
            if s.at <= frame.opening || s.at > frame.closing {
                continue;
            }
            let was_there = l.opening != 0;
            if s.change == Change::End {
                ended = s.at;
                let again = steps.get(i + 1).filter(|n| n.at <= frame.closing);
                if was_there && again.is_some_and(|n| is_ignored(policy, s.at, n.at)) {
                    continue;
                }
            }
            if s.change == Change::Return && was_there && !is_ignored(policy, ended, s.at) {
                // What came back is a change of its own, with all that became of it.
                break;
            }
            let then = value(s);
            if s.change != Change::Price || policy.price == Price::Include || l.price == 0 {
                events.push((s.at, then - now));
            }
            now = then;
        }
    }
    events.sort_unstable_by_key(|(day, _)| *day);
    let (mut rises, mut falls) = (0, 0);
    for day in events.chunk_by(|a, b| a.0 == b.0) {
        let sum: i64 = day.iter().map(|(_, change)| change).sum();
        rises += sum.max(0);
        falls += (-sum).max(0);
    }
    (rises, falls)
}
