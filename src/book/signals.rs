//! The dated numbers about accounts that a Book holds: survey answers, milestones, seats, limits. The long series (weekly usage, health)
//! are not among them, see [`SERIES`](super::SERIES). A row takes about 40 bytes.

use super::Book;
use super::column::Col;
use super::day::Day;
use super::id::LocalId;
use super::rows::Signal;
use super::tables::{Chain, Rows, Shared};
use super::views::AccountRow;
use jiff::civil::Date;

#[derive(Clone, Debug, Default)]
pub(super) struct Signals {
    pub rows: Rows,
    pub chain: Chain,
    kind: Col<u32>,
    at: Col<Day>,
    /// The value's bits, all ones where there is none: no number has these, and bits compare where NaN does not.
    value: Col<u64>,
    unit: Col<u32>,
    followed: Col<Day>,
}

const NO_VALUE: u64 = u64::MAX;

impl Signals {
    pub fn enter(&mut self, s: &Signal, followed: Option<Date>, shared: &mut Shared) {
        let row = self.rows.enter(s.id);
        self.chain.put(row, s.account.unwrap_or_default());
        let symbols = &mut shared.symbols;
        self.kind.set(row, symbols.intern(&s.kind));
        self.unit
            .set(row, symbols.intern(s.unit.as_deref().unwrap_or("")));
        self.at.set(row, Day::of(s.at));
        let value = s.value.filter(|v| v.is_finite());
        self.value.set(row, value.map_or(NO_VALUE, f64::to_bits));
        self.followed.set(row, Day::of(followed));
    }
}

/// A dated number about an account.
#[derive(Clone, Copy)]
pub struct SignalRow<'a> {
    book: &'a Book,
    row: u32,
}

impl<'a> SignalRow<'a> {
    /// Local id.
    pub fn id(&self) -> LocalId {
        LocalId(self.book.signals.rows.ids.get(self.row))
    }
    /// Its account's id.
    pub fn account_id(&self) -> LocalId {
        self.book.signals.chain.account(self.row)
    }
    /// Its account.
    pub fn account(&self) -> Option<AccountRow<'a>> {
        self.book.account_by_id(self.account_id())
    }
    /// nps, csat, milestone.first_value, …
    pub fn kind(&self) -> &'a str {
        self.book
            .symbols()
            .get(self.book.signals.kind.get(self.row))
    }
    /// The day that it is about.
    pub fn at(&self) -> Day {
        self.book.signals.at.get(self.row)
    }
    /// The number.
    pub fn value(&self) -> Option<f64> {
        match self.book.signals.value.get(self.row) {
            NO_VALUE => None,
            bits => Some(f64::from_bits(bits)),
        }
    }
    /// Its unit; empty when none was given.
    pub fn unit(&self) -> &'a str {
        self.book
            .symbols()
            .get(self.book.signals.unit.get(self.row))
    }
    /// The first call, mail or meeting with the account on its day or later.
    pub fn followed(&self) -> Day {
        self.book.signals.followed.get(self.row)
    }
}

impl Book {
    /// All dated numbers that are no series.
    pub fn signals(&self) -> impl Iterator<Item = SignalRow<'_>> {
        (0..self.signals.rows.len)
            .filter(|r| self.signals.rows.alive.get(*r))
            .map(|row| SignalRow { book: self, row })
    }
}

impl<'a> AccountRow<'a> {
    /// Its dated numbers that are no series, the newest entered first.
    pub fn signals(&self) -> impl Iterator<Item = SignalRow<'a>> + use<'a> {
        let book = self.book;
        let rows = book.signals.chain.of(self.id());
        rows.map(move |row| SignalRow { book, row })
    }
    /// The newest of a kind that lies on or before a day: its value and its day.
    pub fn newest(&self, kind: &str, on: Day) -> Option<(f64, Day)> {
        let known = self.signals().filter(|s| s.kind() == kind && s.at() <= on);
        known
            .filter_map(|s| Some((s.value()?, s.at())))
            .filter(|(_, at)| *at != Day::NONE)
            .max_by_key(|(_, at)| *at)
    }
}
