//! Chances to sell existing customers more, as a Book holds them.

use super::Book;
use super::column::{Col, TextCol};
use super::day::Day;
use super::id::LocalId;
use super::rows::Opportunity;
use super::tables::{Chain, MoneyCol, Rows, Shared};
use super::value::Money;
use super::views::{AccountRow, PersonRow};

#[derive(Clone, Debug, Default)]
pub(super) struct Opportunities {
    pub rows: Rows,
    pub chain: Chain,
    name: TextCol,
    kind: Col<u32>,
    amount: MoneyCol,
    stage: Col<u32>,
    stage_kind: Col<u32>,
    created: Col<Day>,
    accepted: Col<Day>,
    due: Col<Day>,
    closed: Col<Day>,
    owner: Col<u32>,
    origin: Col<u32>,
}

impl Opportunities {
    pub fn enter(&mut self, o: &Opportunity, shared: &mut Shared) {
        let row = self.rows.enter(o.id);
        self.chain.put(row, o.account.unwrap_or_default());
        self.name.set(row, &o.name);
        self.amount.set(row, o.amount, &mut shared.currencies);
        let symbols = &mut shared.symbols;
        let mut symbol = |text: &Option<String>| symbols.intern(text.as_deref().unwrap_or(""));
        self.kind.set(row, symbol(&o.kind));
        self.stage.set(row, symbol(&o.stage));
        self.stage_kind.set(row, symbol(&o.stage_kind));
        self.origin.set(row, symbol(&o.origin));
        self.created.set(row, Day::of(o.created));
        self.accepted.set(row, Day::of(o.accepted));
        self.due.set(row, Day::of(o.due));
        self.closed.set(row, Day::of(o.closed));
        self.owner.set(row, o.owner.map_or(0, |i| i.0));
    }
}

/// A chance to sell an existing customer more.
#[derive(Clone, Copy)]
pub struct OpportunityRow<'a> {
    book: &'a Book,
    row: u32,
}

impl<'a> OpportunityRow<'a> {
    fn symbol(&self, n: u32) -> Option<&'a str> {
        Some(self.book.symbols().get(n)).filter(|s| !s.is_empty())
    }
    /// Local id.
    pub fn id(&self) -> LocalId {
        LocalId(self.book.opportunities.rows.ids.get(self.row))
    }
    /// Its account's id.
    pub fn account_id(&self) -> LocalId {
        self.book.opportunities.chain.account(self.row)
    }
    /// Its account.
    pub fn account(&self) -> Option<AccountRow<'a>> {
        self.book.account_by_id(self.account_id())
    }
    /// What it is called.
    pub fn name(&self) -> &'a str {
        self.book.opportunities.name.get(self.row)
    }
    /// What is sold, the vendor's word.
    pub fn kind(&self) -> Option<&'a str> {
        self.symbol(self.book.opportunities.kind.get(self.row))
    }
    /// The amount expected, in its own currency.
    pub fn amount(&self) -> Option<Money> {
        self.book.money(&self.book.opportunities.amount, self.row)
    }
    /// The same in the reporting currency.
    pub fn amount_reporting(&self) -> Option<Money> {
        self.book.fx().convert(self.amount()?)
    }
    /// Stage, the vendor's word.
    pub fn stage(&self) -> Option<&'a str> {
        self.symbol(self.book.opportunities.stage.get(self.row))
    }
    /// open, won or lost.
    pub fn stage_kind(&self) -> &'a str {
        self.symbol(self.book.opportunities.stage_kind.get(self.row))
            .unwrap_or("open")
    }
    /// Not closed.
    pub fn is_open(&self) -> bool {
        !matches!(self.stage_kind(), "won" | "lost")
    }
    /// The day on which it was opened.
    pub fn created(&self) -> Day {
        self.book.opportunities.created.get(self.row)
    }
    /// The day on which sales took it over.
    pub fn accepted(&self) -> Day {
        self.book.opportunities.accepted.get(self.row)
    }
    /// The day on which it is to close.
    pub fn due(&self) -> Day {
        self.book.opportunities.due.get(self.row)
    }
    /// The day on which it closed.
    pub fn closed(&self) -> Day {
        self.book.opportunities.closed.get(self.row)
    }
    /// Its owner.
    pub fn owner(&self) -> Option<PersonRow<'a>> {
        let owner = self.book.opportunities.owner.get(self.row);
        self.book.person_by_id(LocalId(owner))
    }
    /// Where it came from, the vendor's word.
    pub fn origin(&self) -> Option<&'a str> {
        self.symbol(self.book.opportunities.origin.get(self.row))
    }
}

impl Book {
    /// All chances to sell more, closed ones too.
    pub fn opportunities(&self) -> impl Iterator<Item = OpportunityRow<'_>> {
        (0..self.opportunities.rows.len)
            .filter(|r| self.opportunities.rows.alive.get(*r))
            .map(|row| OpportunityRow { book: self, row })
    }
}

impl<'a> AccountRow<'a> {
    /// Its chances to be sold more, closed ones too.
    pub fn opportunities(&self) -> impl Iterator<Item = OpportunityRow<'a>> + use<'a> {
        let book = self.book;
        let rows = book.opportunities.chain.of(self.id());
        rows.map(move |row| OpportunityRow { book, row })
    }
}
