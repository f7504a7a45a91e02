//! The columns of each kind of thing in a [`Book`](super::Book), and how one merged row enters them.

use super::column::{Col, IdMap, Sparse, Symbols, TextCol};
use super::day::{Day, folded};
use super::id::{LocalId, SourceName};
use super::rows::{Account, Escalation, Facts, Person, Renewal, Task};
use super::value::Money;
use jiff::Timestamp;
use std::sync::{Arc, OnceLock};

/// What number stands for "no value" in a column of small numbers.
pub(super) const NO_U8: u8 = u8::MAX;
/// The same for 16 bits.
pub(super) const NO_U16: u16 = u16::MAX;
/// The same for weekly usage.
pub(super) const NO_WEEK: u16 = u16::MAX;

/// Which rows there are and where each id stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub ids: Col<u32>,
    pub alive: Col<bool>,
    pub of_id: IdMap,
    pub len: u32,
    pub live: u32,
}

impl Rows {
    /// The row of an id, made if there is none.
    pub fn enter(&mut self, id: LocalId) -> u32 {
        let row = self.of_id.get(id.0).unwrap_or_else(|| {
            let row = self.len;
            self.len += 1;
            self.ids.set(row, id.0);
            self.of_id.set(id.0, Some(row));
            row
        });
        if !self.alive.get(row) {
            self.alive.set(row, true);
            self.live += 1;
        }
        row
    }
    /// Marks an id's row as gone; its place is taken again should the id come back.
    pub fn leave(&mut self, id: LocalId) -> Option<u32> {
        let row = self.of_id.get(id.0).filter(|r| self.alive.get(*r))?;
        self.alive.set(row, false);
        self.live -= 1;
        Some(row)
    }
    /// The row of an id that is there.
    pub fn find(&self, id: LocalId) -> Option<u32> {
        self.of_id.get(id.0).filter(|r| self.alive.get(*r))
    }
}

/// Amounts: minor units and the symbol of the currency (0: no amount).
#[derive(Clone, Debug, Default)]
pub(super) struct MoneyCol {
    pub minor: Col<i64>,
    pub currency: Col<u16>,
}

impl MoneyCol {
    pub fn set(&mut self, row: u32, money: Option<Money>, currencies: &mut Arc<Vec<[u8; 3]>>) {
        self.minor.set(row, money.map_or(0, |m| m.minor));
        let symbol = money.map_or(0, |m| {
            let known = currencies.iter().position(|c| *c == m.currency);
            known.unwrap_or_else(|| {
                Arc::make_mut(currencies).push(m.currency);
                currencies.len() - 1
            })
        });
        // There are fewer than 65,536 codes of three letters, so the number always fits.
        self.currency.set(row, symbol as u16);
    }
}

/// Rows of one kind by account: a chain through the rows, its head by the account's id.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    head: IdMap,
    next: Col<u32>,
    account: Col<u32>,
}

impl Chain {
    /// The account of a row.
    pub fn account(&self, row: u32) -> LocalId {
        LocalId(self.account.get(row))
    }
    /// Puts a row under an account (taking it from where it was).
    pub fn put(&mut self, row: u32, account: LocalId) {
        if self.account(row) == account {
            return;
        }
        self.take(row);
        self.account.set(row, account.0);
        if account.is_some() {
            self.next
                .set(row, self.head.get(account.0).map_or(0, |r| r + 1));
            self.head.set(account.0, Some(row));
        }
    }
    /// Takes a row out of its account.
    pub fn take(&mut self, row: u32) {
        let account = self.account(row);
        if !account.is_some() {
            return;
        }
        let after = self.next.get(row);
        if self.head.get(account.0) == Some(row) {
            self.head.set(account.0, after.checked_sub(1));
        } else {
            let mut at = self.head.get(account.0);
            while let Some(r) = at {
                let next = self.next.get(r);
                if next == row + 1 {
                    self.next.set(r, after);
                    break;
                }
                at = next.checked_sub(1);
            }
        }
        self.next.set(row, 0);
        self.account.set(row, 0);
    }
    /// The rows of an account, the newest entered first.
    pub fn of(&self, account: LocalId) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(self.head.get(account.0), |r| {
            self.next.get(*r).checked_sub(1)
        })
    }
}

/// What few accounts have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AccountExtra {
    pub parent: LocalId,
    pub tags: Vec<String>,
    pub snoozed_until: Day,
    pub acked_at: Option<Timestamp>,
    pub acked_by: Option<String>,
    pub resolved_at: Option<Timestamp>,
    pub resolved_reasons: Option<String>,
    pub outcome: Option<String>,
    pub level: Option<String>,
    pub sponsor_left: Day,
    /// What another system says about the ARR: where ours came from, the other system, its amount.
    pub other_arr: Option<OtherArr>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct OtherArr {
    pub source: Option<SourceName>,
    pub other_source: Option<SourceName>,
    pub other: Money,
}

/// Which source each kind of figure came from.
pub(super) type Sources = [Option<SourceName>; 5];

#[derive(Clone, Debug, Default)]
pub(super) struct Accounts {
    pub rows: Rows,
    pub name: TextCol,
    /// The names that are not plain ASCII, folded for searching.
    pub folded: TextCol,
    /// The place of each row among all names, once somebody asked; shared by all versions of the Book between which no name changed.
    pub name_ranks: Arc<OnceLock<Vec<u32>>>,
    pub domain: TextCol,
    pub segment: Col<u32>,
    pub touch: Col<u32>,
    pub region: Col<u32>,
    pub industry: Col<u32>,
    pub stage: Col<u32>,
    pub sentiment: Col<u32>,
    pub csm: Col<u32>,
    pub owner: Col<u32>,
    pub arr: MoneyCol,
    /// The ARR is counted from the account's lines: no system names one.
    pub arr_counted: Col<bool>,
    pub start: Col<Day>,
    pub renewal: Col<Day>,
    pub notice_days: Col<u16>,
    pub auto_renew: Col<u8>,
    pub health: Col<u8>,
    pub health_at: Col<Day>,
    pub health_before: Col<u8>,
    pub nps: Col<u8>,
    pub nps_at: Col<Day>,
    /// Weekly usage, each week as `value >> usage_shift` so that large customers fit as well.
    pub usage: Col<[u16; 12]>,
    pub usage_shift: Col<u8>,
    pub usage_at: Col<Day>,
    pub open_tickets: Col<u16>,
    pub urgent_tickets: Col<u16>,
    pub ticket_at: Col<Day>,
    pub last_touch: Col<Day>,
    pub sources: Col<u16>,
    /// Seconds since 1970, 0 for never.
    pub changed_at: Col<u32>,
    /// Row + 1 of the open renewal that decides.
    pub open_renewal: Col<u32>,
    /// Row + 1 of the open risk that stands for the account.
    pub open_risk: Col<u32>,
    pub extra: Sparse<Arc<AccountExtra>>,
    /// Some account has had open tickets: whoever has none really has none.
    pub knows_tickets: bool,
    /// Some account has lost a sponsor: whoever lost none really lost none.
    pub knows_leavers: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RenewalExtra {
    pub original_due: Day,
    pub pushes: Option<u16>,
    pub closed: Day,
    pub outcome: Option<String>,
    pub next_step: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Renewals {
    pub rows: Rows,
    pub chain: Chain,
    pub name: TextCol,
    /// The names that are not plain ASCII, folded for searching.
    pub folded: TextCol,
    pub due: Col<Day>,
    pub notice: Col<Day>,
    pub amount: MoneyCol,
    pub target: MoneyCol,
    pub stage: Col<u32>,
    pub stage_kind: Col<u32>,
    pub forecast: Col<u32>,
    pub probability: Col<u8>,
    pub owner: Col<u32>,
    pub extra: Sparse<Arc<RenewalExtra>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Tasks {
    pub rows: Rows,
    pub chain: Chain,
    pub title: TextCol,
    pub due: Col<Day>,
    pub priority: Col<u32>,
    pub priority_kind: Col<u32>,
    pub owner: Col<u32>,
    pub status: Col<u32>,
    pub status_kind: Col<u32>,
    pub kind: Col<u32>,
    pub class: Col<u32>,
    pub completed: Sparse<Timestamp>,
    pub escalation: Col<u32>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EscalationExtra {
    pub opened: Option<Timestamp>,
    pub closed: Option<Timestamp>,
    pub outcome: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Escalations {
    pub rows: Rows,
    pub chain: Chain,
    pub title: TextCol,
    pub reason: Col<u32>,
    pub status: Col<u32>,
    pub status_kind: Col<u32>,
    pub priority: Col<u32>,
    pub priority_kind: Col<u32>,
    pub owner: Col<u32>,
    pub due: Col<Day>,
    pub extra: Sparse<Arc<EscalationExtra>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct People {
    pub rows: Rows,
    pub name: TextCol,
    pub email: TextCol,
    pub role: Col<u32>,
    pub active: Col<u8>,
    pub manager: Col<u32>,
    pub region: Col<u32>,
    /// What few people have.
    pub capacity_hours: Sparse<f64>,
    pub start: Col<Day>,
    pub end: Col<Day>,
}

fn sym(symbols: &mut Arc<Symbols>, text: &Option<String>) -> u32 {
    symbols.intern(text.as_deref().unwrap_or(""))
}

fn reference(id: Option<LocalId>) -> u32 {
    id.map_or(0, |i| i.0)
}

fn yes_no(b: Option<bool>) -> u8 {
    b.map_or(NO_U8, u8::from)
}

/// Twelve weeks in 24 bytes: numbers above 65,534 lose their lowest bits, which no eye and no trend can see.
pub(super) fn pack_usage(usage: &[Option<u32>; 12]) -> ([u16; 12], u8) {
    let max = usage.iter().flatten().max().copied().unwrap_or(0);
    let mut shift = 0;
    while (max >> shift) >= u32::from(NO_WEEK) {
        shift += 1;
    }
    (
        usage.map(|w| w.map_or(NO_WEEK, |w| (w >> shift) as u16)),
        shift,
    )
}

/// What the tables share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub symbols: Arc<Symbols>,
    pub currencies: Arc<Vec<[u8; 3]>>,
    pub sources: Arc<Vec<Sources>>,
}

impl Default for Shared {
    fn default() -> Self {
        Shared {
            symbols: Arc::default(),
            // Number 0 is "no amount"; no currency has this code.
            currencies: Arc::new(vec![*b"---"]),
            sources: Arc::new(vec![Sources::default()]),
        }
    }
}

impl Accounts {
    /// What of an account retention depends on: its ARR, start, CSM and parent.
    pub fn retained_by(&self, row: u32) -> (i64, u16, Day, u32, LocalId) {
        // What is counted from the lines changes with them, and is nothing that they depend on.
        let (minor, currency) = match self.arr_counted.get(row) {
            true => (0, 0),
            false => (self.arr.minor.get(row), self.arr.currency.get(row)),
        };
        (
            minor,
            currency,
            self.start.get(row),
            self.csm.get(row),
            self.extra.get(row).map_or(LocalId::NONE, |e| e.parent),
        )
    }
    pub fn enter(&mut self, a: &Account, f: &Facts, shared: &mut Shared) -> u32 {
        let row = self.rows.enter(a.id);
        if self.name.get(row) != a.name || row + 1 == self.rows.len {
            // Another version may still ask for the order of its own names.
            if Arc::get_mut(&mut self.name_ranks).is_none_or(|r| r.get().is_some()) {
                self.name_ranks = Arc::default();
            }
            self.name.set(row, &a.name);
            self.folded
                .set(row, folded(&a.name).as_deref().unwrap_or(""));
        }
        self.domain.set(row, a.domain.as_deref().unwrap_or(""));
        let s = &mut shared.symbols;
        self.segment.set(row, sym(s, &a.segment));
        self.touch.set(row, sym(s, &a.touch));
        self.region.set(row, sym(s, &a.region));
        self.industry.set(row, sym(s, &a.industry));
        self.stage.set(row, sym(s, &a.stage));
        self.sentiment.set(row, sym(s, &a.sentiment));
        self.csm.set(row, reference(a.csm));
        self.owner.set(row, reference(a.owner));
        self.arr.set(row, a.arr, &mut shared.currencies);
        self.arr_counted.set(row, false);
        self.start.set(row, Day::of(a.start));
        self.renewal.set(row, Day::of(a.renewal));
        self.notice_days.set(row, a.notice_days.unwrap_or(NO_U16));
        self.auto_renew.set(row, yes_no(a.auto_renew));
        self.health.set(row, a.health.unwrap_or(NO_U8));
        self.health_at.set(row, Day::of(a.health_at));
        self.health_before
            .set(row, f.health_before.unwrap_or(NO_U8));
        self.nps.set(row, a.nps.unwrap_or(NO_U8));
        self.nps_at.set(row, Day::of(f.nps_at));
        let (weeks, shift) = pack_usage(&f.usage);
        self.usage.set(row, weeks);
        self.usage_shift.set(row, shift);
        self.usage_at.set(row, Day::of(f.usage_at));
        self.open_tickets.set(row, f.open_tickets);
        self.urgent_tickets.set(row, f.urgent_tickets);
        self.ticket_at.set(row, Day::of(f.ticket_at));
        self.last_touch.set(row, Day::of(f.last_touch));
        let sources = [
            f.usage_source.clone(),
            f.health_source.clone(),
            f.ticket_source.clone(),
            f.contact_source.clone(),
            f.nps_source.clone(),
        ];
        let known = shared.sources.iter().position(|s| *s == sources);
        let number = known.unwrap_or_else(|| {
            Arc::make_mut(&mut shared.sources).push(sources);
            shared.sources.len() - 1
        });
        self.sources.set(row, number as u16);
        let changed = f.changed_at.map_or(0, |t| t.as_second().max(1));
        self.changed_at
            .set(row, u32::try_from(changed).unwrap_or(0));
        let extra = AccountExtra {
            parent: a.parent.unwrap_or_default(),
            tags: a.tags.clone(),
            snoozed_until: Day::of(a.snoozed_until),
            acked_at: a.acked_at,
            acked_by: a.acked_by.clone(),
            resolved_at: a.resolved_at,
            resolved_reasons: a.resolved_reasons.clone(),
            outcome: a.outcome.clone(),
            level: a.level.clone(),
            sponsor_left: Day::of(f.sponsor_left),
            other_arr: f.arr_other.map(|other| OtherArr {
                source: f.arr_source.clone(),
                other_source: f.arr_other_source.clone(),
                other,
            }),
        };
        let some = extra != AccountExtra::default();
        self.extra.set(row, some.then(|| Arc::new(extra)));
        self.knows_tickets |= f.open_tickets > 0;
        self.knows_leavers |= f.sponsor_left.is_some();
        row
    }
}

impl Renewals {
    pub fn enter(&mut self, r: &Renewal, shared: &mut Shared) -> u32 {
        let row = self.rows.enter(r.id);
        self.chain.put(row, r.account.unwrap_or_default());
        if self.name.get(row) != r.name || row + 1 == self.rows.len {
            self.name.set(row, &r.name);
            self.folded
                .set(row, folded(&r.name).as_deref().unwrap_or(""));
        }
        self.due.set(row, Day::of(r.due));
        self.notice.set(row, Day::of(r.notice_deadline));
        self.amount.set(row, r.amount, &mut shared.currencies);
        self.target.set(row, r.target, &mut shared.currencies);
        let s = &mut shared.symbols;
        self.stage.set(row, sym(s, &r.stage));
        self.stage_kind.set(row, sym(s, &r.stage_kind));
        self.forecast.set(row, sym(s, &r.forecast));
        self.probability.set(row, r.probability.unwrap_or(NO_U8));
        self.owner.set(row, reference(r.owner));
        let extra = RenewalExtra {
            original_due: Day::of(r.original_due),
            pushes: r.pushes,
            closed: Day::of(r.closed),
            outcome: r.outcome.clone(),
            next_step: r.next_step.clone(),
        };
        let some = extra != RenewalExtra::default();
        self.extra.set(row, some.then(|| Arc::new(extra)));
        row
    }
}

impl Tasks {
    pub fn enter(&mut self, t: &Task, shared: &mut Shared) -> u32 {
        let row = self.rows.enter(t.id);
        self.chain.put(row, t.account.unwrap_or_default());
        self.title.set(row, &t.title);
        self.due.set(row, Day::of(t.due));
        let s = &mut shared.symbols;
        self.priority.set(row, sym(s, &t.priority));
        self.priority_kind.set(row, sym(s, &t.priority_kind));
        self.status.set(row, sym(s, &t.status));
        self.status_kind.set(row, sym(s, &t.status_kind));
        self.kind.set(row, sym(s, &t.kind));
        self.class.set(row, sym(s, &t.class));
        self.owner.set(row, reference(t.owner));
        self.completed.set(row, t.completed_at);
        self.escalation.set(row, reference(t.escalation));
        row
    }
}

impl Escalations {
    pub fn enter(&mut self, e: &Escalation, shared: &mut Shared) -> u32 {
        let row = self.rows.enter(e.id);
        self.chain.put(row, e.account.unwrap_or_default());
        self.title.set(row, &e.title);
        let s = &mut shared.symbols;
        self.reason.set(row, sym(s, &e.reason));
        self.status.set(row, sym(s, &e.status));
        self.status_kind.set(row, sym(s, &e.status_kind));
        self.priority.set(row, sym(s, &e.priority));
        self.priority_kind.set(row, sym(s, &e.priority_kind));
        self.owner.set(row, reference(e.owner));
        self.due.set(row, Day::of(e.due));
        let extra = EscalationExtra {
            opened: e.opened,
            closed: e.closed,
            outcome: e.outcome.clone(),
        };
        let some = extra != EscalationExtra::default();
        self.extra.set(row, some.then(|| Arc::new(extra)));
        row
    }
}

impl People {
    pub fn enter(&mut self, p: &Person, shared: &mut Shared) -> u32 {
        let row = self.rows.enter(p.id);
        self.name.set(row, &p.name);
        self.email.set(row, p.email.as_deref().unwrap_or(""));
        self.role.set(row, sym(&mut shared.symbols, &p.role));
        self.active.set(row, yes_no(p.active));
        self.manager.set(row, reference(p.manager));
        self.region.set(row, sym(&mut shared.symbols, &p.region));
        self.capacity_hours.set(row, p.capacity_hours);
        self.start.set(row, Day::of(p.start));
        self.end.set(row, Day::of(p.end));
        row
    }
}
