//! Subscriptions and movements in the Book: one small record per row, chained by account.
//!
//! A subscription takes 56 bytes and 4 for finding it by its id; a movement 40 and 4; names of lines, products and contracts are kept once
//! each. Enter through [`AccountRow::subscriptions`](super::AccountRow::subscriptions) and
//! [`AccountRow::movements`](super::AccountRow::movements); what they mean is insight's.

use super::Book;
use super::chains::{Chained, Chains, Links};
use super::column::Symbols;
use super::day::Day;
use super::id::LocalId;
use super::rows::{Movement, Subscription};
use super::value::Money;
use super::views::AccountRow;
use std::sync::Arc;

/// What began a stretch of a subscription line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Began {
    /// Nobody said.
    #[default]
    Unsaid,
    /// The line was sold for the first time, or again after it had ended.
    New,
    /// A term followed a term.
    Renewal,
    /// A step inside a term.
    Amendment,
    /// A step that was agreed beforehand: a rise of the price.
    Escalator,
    /// A step that was agreed beforehand: more of the product.
    Ramp,
}

impl Began {
    const ALL: [Began; 6] = [
        Began::Unsaid,
        Began::New,
        Began::Renewal,
        Began::Amendment,
        Began::Escalator,
        Began::Ramp,
    ];
    /// Its name in files; empty when nobody said.
    pub fn name(self) -> &'static str {
        match self {
            Began::Unsaid => "",
            Began::New => "new",
            Began::Renewal => "renewal",
            Began::Amendment => "amendment",
            Began::Escalator => "escalator",
            Began::Ramp => "ramp",
        }
    }
    fn parse(name: &str) -> Began {
        let found = Began::ALL.into_iter().find(|b| b.name() == name);
        found.unwrap_or_default()
    }
}

/// What a movement does to annual recurring revenue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MovementKind {
    /// A word that is none of the others.
    #[default]
    Unknown,
    /// What there was when the ledger begins.
    Open,
    /// A line, for the first time.
    New,
    /// More.
    Expansion,
    /// Less.
    Contraction,
    /// Nothing any more.
    Churn,
    /// Again, after nothing.
    Reactivation,
    /// A rise of the price, or with a minus its fall.
    Price,
}

impl MovementKind {
    const ALL: [MovementKind; 8] = [
        MovementKind::Unknown,
        MovementKind::Open,
        MovementKind::New,
        MovementKind::Expansion,
        MovementKind::Contraction,
        MovementKind::Churn,
        MovementKind::Reactivation,
        MovementKind::Price,
    ];
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            MovementKind::Unknown => "unknown",
            MovementKind::Open => "open",
            MovementKind::New => "new",
            MovementKind::Expansion => "expansion",
            MovementKind::Contraction => "contraction",
            MovementKind::Churn => "churn",
            MovementKind::Reactivation => "reactivation",
            MovementKind::Price => "price",
        }
    }
    fn parse(name: &str) -> MovementKind {
        let found = MovementKind::ALL.into_iter().find(|k| k.name() == name);
        found.unwrap_or_default()
    }
}

const NO_DAYS: u16 = u16::MAX;
// Flags of a subscription beside that it is there.
const RECURRING: u8 = 2;
const ONE_OFF: u8 = 4;
const RENEWS: u8 = 8;
const RENEWS_NOT: u8 = 16;

/// A subscription as it lies in the column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sold {
    minor: i64,
    id: u32,
    account: u32,
    /// Row + 1 of the account's next one.
    next: u32,
    line: u32,
    product: u32,
    contract: u32,
    start: Day,
    end: Day,
    signed: Day,
    cancelled: Day,
    /// 0: no amount.
    currency: u16,
    notice: u16,
    began: u8,
    flags: u8,
}

/// A movement as it lies in the column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Moved {
    minor: i64,
    id: u32,
    account: u32,
    next: u32,
    line: u32,
    reason: u32,
    date: Day,
    currency: u16,
    kind: u8,
    flags: u8,
}

macro_rules! chained {
    ($t:ident) => {
        impl Chained for $t {
            fn links(&mut self) -> Links<'_> {
                Links {
                    id: &mut self.id,
                    account: &mut self.account,
                    next: &mut self.next,
                    flags: &mut self.flags,
                }
            }
        }
    };
}
chained!(Sold);
chained!(Moved);

/// The subscriptions and movements of a Book.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    sold: Chains<Sold>,
    moved: Chains<Moved>,
    /// Names of lines, products and contracts, and reasons.
    names: Arc<Symbols>,
    /// Grows with every change.
    stamp: u64,
}

fn currency(money: Option<Money>, currencies: &mut Arc<Vec<[u8; 3]>>) -> u16 {
    let Some(money) = money else { return 0 };
    let known = currencies.iter().position(|c| *c == money.currency);
    // There are fewer than 65,536 codes of three letters, so the number always fits.
    known.unwrap_or_else(|| {
        Arc::make_mut(currencies).push(money.currency);
        currencies.len() - 1
    }) as u16
}

impl Ledger {
    pub fn enter_subscription(&mut self, s: &Subscription, currencies: &mut Arc<Vec<[u8; 3]>>) {
        let mut name = |t: &Option<String>| self.names.intern(t.as_deref().unwrap_or(""));
        let flag = |b: Option<bool>, yes, no| match b {
            Some(true) => yes,
            Some(false) => no,
            None => 0,
        };
        let record = Sold {
            minor: s.arr.map_or(0, |m| m.minor),
            id: s.id.0,
            account: s.account.unwrap_or_default().0,
            next: 0,
            line: name(&s.line),
            product: name(&s.product),
            contract: name(&s.contract),
            start: Day::of(s.start),
            end: Day::of(s.end),
            signed: Day::of(s.signed),
            cancelled: Day::of(s.cancelled),
            currency: currency(s.arr, currencies),
            notice: s.notice_days.unwrap_or(NO_DAYS),
            began: Began::parse(s.change.as_deref().unwrap_or("")) as u8,
            flags: flag(s.recurring, RECURRING, ONE_OFF) | flag(s.auto_renew, RENEWS, RENEWS_NOT),
        };
        self.sold.enter(record);
        self.stamp += 1;
    }
    pub fn enter_movement(&mut self, m: &Movement, currencies: &mut Arc<Vec<[u8; 3]>>) {
        let mut name = |t: &Option<String>| self.names.intern(t.as_deref().unwrap_or(""));
        let record = Moved {
            minor: m.amount.map_or(0, |a| a.minor),
            id: m.id.0,
            account: m.account.unwrap_or_default().0,
            next: 0,
            line: name(&m.line),
            reason: name(&m.reason),
            date: Day::of(m.date),
            currency: currency(m.amount, currencies),
            kind: MovementKind::parse(m.kind.as_deref().unwrap_or("")) as u8,
            flags: 0,
        };
        self.moved.enter(record);
        self.stamp += 1;
    }
    pub fn leave_subscription(&mut self, id: LocalId) -> Option<LocalId> {
        self.stamp += 1;
        self.sold.leave(id.0)
    }
    pub fn leave_movement(&mut self, id: LocalId) -> Option<LocalId> {
        self.stamp += 1;
        self.moved.leave(id.0)
    }
    /// Something on which the ledger depends changed: rates, renewals, what the accounts are worth.
    pub fn touch(&mut self) {
        self.stamp += 1;
    }
    pub fn account_of_subscription(&self, id: LocalId) -> Option<LocalId> {
        self.sold.account(id.0)
    }
    pub fn account_of_movement(&self, id: LocalId) -> Option<LocalId> {
        self.moved.account(id.0)
    }
}

impl Book {
    /// How many subscriptions there are.
    pub fn subscription_count(&self) -> usize {
        self.ledger.sold.live as usize
    }
    /// How many movements there are.
    pub fn movement_count(&self) -> usize {
        self.ledger.moved.live as usize
    }
    /// Changes whenever something changes that retention is computed from: subscriptions, movements, rates, renewals, opportunities, and of
    /// accounts their ARR, start, CSM and parent.
    pub fn ledger_stamp(&self) -> u64 {
        self.ledger.stamp
    }
    /// The name of a line, product or contract by its number; 0 has none.
    pub fn ledger_name(&self, number: u32) -> &str {
        self.ledger.names.get(number)
    }
    /// One more than the highest number of such a name.
    pub fn ledger_names(&self) -> usize {
        self.ledger.names.all().len()
    }
    /// Subscriptions whose account is not known.
    pub fn stray_subscriptions(&self) -> impl Iterator<Item = SubscriptionRow<'_>> {
        let records = self.ledger.sold.of(LocalId::NONE);
        records.map(|s| SubscriptionRow { book: self, s })
    }
    /// Movements whose account is not known.
    pub fn stray_movements(&self) -> impl Iterator<Item = MovementRow<'_>> {
        let records = self.ledger.moved.of(LocalId::NONE);
        records.map(|m| MovementRow { book: self, m })
    }
    fn amount(&self, minor: i64, currency: u16) -> Option<Money> {
        (currency != 0).then_some(())?;
        let currency = *self.shared.currencies.get(usize::from(currency))?;
        Some(Money { minor, currency })
    }
}

impl<'a> AccountRow<'a> {
    /// Its subscription lines, stretch by stretch, in no order.
    pub fn subscriptions(&self) -> impl Iterator<Item = SubscriptionRow<'a>> + use<'a> {
        let book = self.book();
        let records = book.ledger.sold.of(self.id());
        records.map(move |s| SubscriptionRow { book, s })
    }
    /// Its movements, in no order.
    pub fn movements(&self) -> impl Iterator<Item = MovementRow<'a>> + use<'a> {
        let book = self.book();
        let records = book.ledger.moved.of(self.id());
        records.map(move |m| MovementRow { book, m })
    }
}

fn days(n: u16) -> Option<u16> {
    (n != NO_DAYS).then_some(n)
}

fn known(s: &str) -> Option<&str> {
    (!s.is_empty()).then_some(s)
}

/// One stretch of a subscription line. Days are [`Day`]s; those not known are [`Day::NONE`].
#[derive(Clone, Copy)]
pub struct SubscriptionRow<'a> {
    book: &'a Book,
    s: Sold,
}

impl std::fmt::Debug for SubscriptionRow<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.s.fmt(f)
    }
}

impl<'a> SubscriptionRow<'a> {
    /// Local id.
    pub fn id(&self) -> LocalId {
        LocalId(self.s.id)
    }
    /// Its account's id.
    pub fn account_id(&self) -> LocalId {
        LocalId(self.s.account)
    }
    /// The line that it is a stretch of.
    pub fn line(&self) -> Option<&'a str> {
        known(self.book.ledger_name(self.s.line))
    }
    /// The number of the line's name; 0 has none.
    pub fn line_number(&self) -> u32 {
        self.s.line
    }
    /// What was sold.
    pub fn product(&self) -> Option<&'a str> {
        known(self.book.ledger_name(self.s.product))
    }
    /// The number of the product's name; 0 has none.
    pub fn product_number(&self) -> u32 {
        self.s.product
    }
    /// The contract that it stands in.
    pub fn contract(&self) -> Option<&'a str> {
        known(self.book.ledger_name(self.s.contract))
    }
    /// The number of the contract's name; 0 has none.
    pub fn contract_number(&self) -> u32 {
        self.s.contract
    }
    /// What began it.
    pub fn began(&self) -> Began {
        let at = usize::from(self.s.began);
        Began::ALL.get(at).copied().unwrap_or_default()
    }
    /// The first day.
    pub fn start(&self) -> Day {
        self.s.start
    }
    /// The last day paid; none while it runs on.
    pub fn end(&self) -> Day {
        self.s.end
    }
    /// Annual recurring revenue in its own currency; a negative one is a credit.
    pub fn arr(&self) -> Option<Money> {
        self.book.amount(self.s.minor, self.s.currency)
    }
    /// Its minor units.
    pub fn minor(&self) -> i64 {
        self.s.minor
    }
    /// The number of its currency within the Book; 0: it has no amount.
    pub fn currency_number(&self) -> u16 {
        self.s.currency
    }
    /// The day on which it was signed.
    pub fn signed(&self) -> Day {
        self.s.signed
    }
    /// The day on which notice was given.
    pub fn cancelled(&self) -> Day {
        self.s.cancelled
    }
    /// Comes again every year; `false` is a one-off.
    pub fn recurring(&self) -> Option<bool> {
        match (self.s.flags & RECURRING != 0, self.s.flags & ONE_OFF != 0) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
    /// Days of notice before the term ends.
    pub fn notice_days(&self) -> Option<u16> {
        days(self.s.notice)
    }
    /// Renews by itself unless notice is given.
    pub fn auto_renew(&self) -> Option<bool> {
        match (self.s.flags & RENEWS != 0, self.s.flags & RENEWS_NOT != 0) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// One movement of annual recurring revenue.
#[derive(Clone, Copy)]
pub struct MovementRow<'a> {
    book: &'a Book,
    m: Moved,
}

impl std::fmt::Debug for MovementRow<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.m.fmt(f)
    }
}

impl<'a> MovementRow<'a> {
    /// Local id.
    pub fn id(&self) -> LocalId {
        LocalId(self.m.id)
    }
    /// Its account's id.
    pub fn account_id(&self) -> LocalId {
        LocalId(self.m.account)
    }
    /// The subscription line.
    pub fn line(&self) -> Option<&'a str> {
        known(self.book.ledger_name(self.m.line))
    }
    /// The number of the line's name; 0 has none.
    pub fn line_number(&self) -> u32 {
        self.m.line
    }
    /// Why.
    pub fn reason(&self) -> Option<&'a str> {
        known(self.book.ledger_name(self.m.reason))
    }
    /// The day on which it takes effect; [`Day::NONE`] where none is known.
    pub fn date(&self) -> Day {
        self.m.date
    }
    /// What it does.
    pub fn kind(&self) -> MovementKind {
        let at = usize::from(self.m.kind);
        MovementKind::ALL.get(at).copied().unwrap_or_default()
    }
    /// The size of the change, positive; of a change of price with its sign.
    pub fn amount(&self) -> Option<Money> {
        self.book.amount(self.m.minor, self.m.currency)
    }
    /// Its minor units.
    pub fn minor(&self) -> i64 {
        self.m.minor
    }
    /// The number of its currency within the Book; 0: it has no amount.
    pub fn currency_number(&self) -> u16 {
        self.m.currency
    }
}
