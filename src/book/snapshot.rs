//! The [`Book`]: everything we know at one moment, in columns, with the unsent changes already applied.

use super::change::{Overlay, Verb};
use super::column::{Symbols, TextChunk, TextCol};
use super::crosswalk::Unmatched;
use super::fx::{Fx, RateKind};
use super::id::{Entity, LocalId};
use super::ledger::Ledger;
use super::opportunities::Opportunities;
use super::rows::{Rate, RowDelta};
use super::signals::Signals;
use super::tables::{Accounts, Escalations, MoneyCol, People, Renewals, Rows, Shared, Tasks};
use super::value::Money;
use super::views::{AccountRow, EscalationRow, PersonRow, RenewalRow, TaskRow};
use jiff::civil::Date;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// An immutable snapshot. Cloning is cheap; [`apply`](Book::apply) makes the next one, which shares all that did not change.
#[derive(Clone, Debug, Default)]
pub struct Book {
    pub(super) seq: u64,
    pub(super) shared: Shared,
    pub(super) accounts: Accounts,
    pub(super) people: People,
    pub(super) renewals: Renewals,
    pub(super) tasks: Tasks,
    pub(super) escalations: Escalations,
    pub(super) ledger: Ledger,
    pub(super) opportunities: Opportunities,
    pub(super) signals: Signals,
    unmatched: Arc<Vec<Unmatched>>,
    rates: Arc<HashMap<LocalId, Rate>>,
    money: Arc<MoneySetup>,
    fx: Arc<Fx>,
}

/// What the configuration says about money.
#[derive(Clone, Debug)]
struct MoneySetup {
    reporting: String,
    configured: Vec<Rate>,
    today: Option<Date>,
}

impl Default for MoneySetup {
    fn default() -> Self {
        MoneySetup {
            reporting: "USD".into(),
            configured: Vec::new(),
            today: None,
        }
    }
}

/// The fields that a pending change would have the row take.
macro_rules! overlaid {
    ($overlay:expr, $row:expr) => {{
        let row = $row;
        let changes = $overlay.of_target(entity_of(row), row.id);
        if changes.is_empty() {
            Some(std::borrow::Cow::Borrowed(row))
        } else if changes.last().is_some_and(|c| c.verb == Verb::Delete) {
            None
        } else {
            let mut changed = row.clone();
            for field in changes.iter().flat_map(|c| &c.fields) {
                // A field of the vendor's that the row has no place for lives in the store alone; a value that does not fit leaves the
                // row as it is, and the outbox item says what is wrong with it.
                if changed.set(&field.field, &field.want).is_err() {
                    continue;
                }
            }
            changed.stand_over(row);
            Some(std::borrow::Cow::Owned(changed))
        }
    }};
}

trait HasEntity: Sized {
    const KIND: Entity;
    /// Brings along what csops itself keeps of a row that changes.
    fn stand_over(&mut self, _before: &Self) {}
}
macro_rules! has_entity { ($($t:ident),*) => { $(impl HasEntity for super::rows::$t { const KIND: Entity = Entity::$t; })* } }
has_entity!(Account, Person, Task, Escalation);
impl HasEntity for super::rows::Renewal {
    const KIND: Entity = Entity::Renewal;
    fn stand_over(&mut self, before: &Self) {
        *self = self.after(before);
    }
}

fn entity_of<T: HasEntity>(_: &T) -> Entity {
    T::KIND
}

impl Book {
    /// Nothing known; reporting in US dollars.
    pub fn empty() -> Book {
        Book::default()
    }

    /// The same with another reporting currency, rates from the configuration (which win over the vendors' for the same pair and day),
    /// and the day on or before which rates count.
    pub fn with_money(&self, reporting: &str, configured: &[Rate], today: Option<Date>) -> Book {
        let mut book = self.clone();
        book.money = Arc::new(MoneySetup {
            reporting: reporting.to_owned(),
            configured: configured.to_vec(),
            today,
        });
        book.refresh_fx();
        book
    }

    fn refresh_fx(&mut self) {
        let (reporting, today) = (&self.money.reporting, self.money.today);
        self.fx = Arc::new(Fx::new(reporting, &self.all_rates(), today));
        self.ledger.touch();
    }

    /// The vendors' rates and the configured ones, in the order in which later ones win. A configured rate without a day stands in
    /// for all of the vendors' for its pair and kind.
    fn all_rates(&self) -> Vec<Rate> {
        let configured = &self.money.configured;
        let always: Vec<_> = (configured.iter().filter(|r| r.at.is_none()))
            .map(|r| (&r.from, &r.to, RateKind::of(r)))
            .collect();
        let mut rates: Vec<Rate> = (self.rates.values())
            .filter(|r| {
                let pair = (&r.from, &r.to, RateKind::of(r));
                let inverse = (pair.1, pair.0, pair.2);
                !always.contains(&pair) && !always.contains(&inverse)
            })
            .cloned()
            .collect();
        rates.sort_by_key(|r| r.id);
        rates.extend(configured.iter().cloned());
        rates
    }

    /// Whether there is any rate that a plan is made with.
    pub fn has_plan_rates(&self) -> bool {
        let all = self.rates.values().chain(&self.money.configured);
        all.into_iter().any(|r| RateKind::of(r) == RateKind::Plan)
    }

    /// The rates of a kind that counted on a day: for each pair the latest on or before it.
    pub fn fx_on(&self, day: Date, kind: RateKind) -> Fx {
        Fx::of_kind(&self.money.reporting, &self.all_rates(), Some(day), kind)
    }

    /// The next Book: the delta's rows entered with the overlay's changes laid over them, removed rows gone. The overlay counts for rows
    /// that are in the delta; when it changes, pass the rows that it touches or touched.
    pub fn apply(&self, delta: RowDelta, overlay: &Overlay) -> Book {
        let mut b = self.clone();
        b.extend(delta, overlay);
        b
    }

    /// The same in place, for the first load, chunk by chunk.
    pub fn extend(&mut self, delta: RowDelta, overlay: &Overlay) {
        let mut touched: BTreeSet<LocalId> = BTreeSet::new();
        self.seq = self.seq.max(delta.seq);
        let shared = &mut self.shared;
        for p in &delta.people {
            match overlaid!(overlay, p) {
                Some(p) => {
                    self.people.enter(&p, shared);
                }
                None => {
                    self.people.rows.leave(p.id);
                }
            }
        }
        let deals = !delta.renewals.is_empty() || !delta.opportunities.is_empty();
        let mut retained = deals || delta.removed.iter().any(|(e, _)| e.moves_retention());
        for (a, facts) in &delta.accounts {
            let was = self.accounts.rows.find(a.id);
            let was = was.map(|row| self.accounts.retained_by(row));
            match overlaid!(overlay, a) {
                Some(a) => {
                    let row = self.accounts.enter(&a, facts, shared);
                    retained |= was != Some(self.accounts.retained_by(row));
                }
                None => {
                    self.accounts.rows.leave(a.id);
                    retained = true;
                }
            }
            touched.insert(a.id);
        }
        macro_rules! enter {
            ($rows:expr, $table:ident) => {
                for r in $rows {
                    if let Some(row) = self.$table.rows.find(r.id) {
                        touched.insert(self.$table.chain.account(row));
                    }
                    match overlaid!(overlay, r) {
                        Some(r) => {
                            self.$table.enter(&r, shared);
                            touched.insert(r.account.unwrap_or_default());
                        }
                        None => {
                            if let Some(row) = self.$table.rows.leave(r.id) {
                                self.$table.chain.take(row);
                            }
                        }
                    }
                }
            };
        }
        enter!(&delta.renewals, renewals);
        enter!(&delta.tasks, tasks);
        enter!(&delta.escalations, escalations);
        // Nobody changes these from here: no overlay lies over them.
        for s in &delta.subscriptions {
            self.ledger.enter_subscription(s, &mut shared.currencies);
        }
        for m in &delta.movements {
            self.ledger.enter_movement(m, &mut shared.currencies);
        }
        for (s, followed) in &delta.signals {
            self.signals.enter(s, *followed, shared);
        }
        for o in &delta.opportunities {
            self.opportunities.enter(o, shared);
        }
        for (entity, id) in &delta.removed {
            macro_rules! leave {
                ($table:ident) => {
                    if let Some(row) = self.$table.rows.leave(*id) {
                        touched.insert(self.$table.chain.account(row));
                        self.$table.chain.take(row);
                    }
                };
            }
            match entity {
                Entity::Account => {
                    self.accounts.rows.leave(*id);
                }
                Entity::Person => {
                    self.people.rows.leave(*id);
                }
                Entity::Renewal => leave!(renewals),
                Entity::Task => leave!(tasks),
                Entity::Escalation => leave!(escalations),
                Entity::Rate => {
                    Arc::make_mut(&mut self.rates).remove(id);
                }
                Entity::Opportunity => leave!(opportunities),
                Entity::Signal => leave!(signals),
                Entity::Subscription => {
                    self.ledger.leave_subscription(*id);
                }
                Entity::Movement => {
                    self.ledger.leave_movement(*id);
                }
                // Read from the store by the account page; the Book holds their figures only.
                Entity::Contact | Entity::Ticket | Entity::Touchpoint => {}
            }
        }
        if retained {
            self.ledger.touch();
        }
        for id in touched {
            self.refresh_open(id);
        }
        let rates_left = delta.removed.iter().any(|(e, _)| *e == Entity::Rate);
        if !delta.rates.is_empty() || rates_left {
            let rates = Arc::make_mut(&mut self.rates);
            rates.extend(delta.rates.into_iter().map(|r| (r.id, r)));
            self.refresh_fx();
        }
    }

    /// Keeps what an account's lines pay as its ARR. One that a system names stays.
    pub fn count_arr(&mut self, row: u32, arr: Option<Money>) {
        let accounts = &mut self.accounts;
        let counted = accounts.arr_counted.get(row);
        if !counted && accounts.arr.currency.get(row) != 0 {
            return;
        }
        if counted || arr.is_some() {
            accounts.arr.set(row, arr, &mut self.shared.currencies);
            accounts.arr_counted.set(row, arr.is_some());
        }
    }

    /// Finds the open renewal and the open risk of an account again.
    fn refresh_open(&mut self, id: LocalId) {
        let Some(row) = self.accounts.rows.find(id) else {
            return;
        };
        let account = AccountRow { book: self, row };
        let renewal = account
            .renewals()
            .filter(RenewalRow::is_open)
            .min_by_key(|r| {
                let due = self.renewals.due.get(r.row);
                // One without a date decides only when there is no other.
                (due.get().is_none(), due, r.id())
            })
            .map_or(0, |r| r.row + 1);
        let risk = account
            .risks()
            .filter(EscalationRow::is_open)
            .min_by_key(|e| (e.priority_rank(), e.opened().is_none(), e.opened(), e.id()))
            .map_or(0, |e| e.row + 1);
        self.accounts.open_renewal.set(row, renewal);
        self.accounts.open_risk.set(row, risk);
    }

    /// The store's sequence number that this Book stands at.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The same with another sequence number, for a delta that had no rows.
    pub fn at_seq(mut self, seq: u64) -> Book {
        self.seq = seq;
        self
    }

    /// The same with other records that could not be matched, or not for certain.
    pub fn with_unmatched(mut self, unmatched: Arc<Vec<Unmatched>>) -> Book {
        self.unmatched = unmatched;
        self
    }

    /// Records of the systems that could not be matched, or not for certain, and rows whose account nobody sent.
    pub fn unmatched(&self) -> &[Unmatched] {
        &self.unmatched
    }

    /// How rates are applied.
    pub fn fx(&self) -> &Fx {
        &self.fx
    }

    /// The reporting currency's code.
    pub fn reporting(&self) -> [u8; 3] {
        self.fx.reporting()
    }

    /// Minor units in the reporting currency as money.
    pub fn reporting_money(&self, minor: i64) -> Money {
        Money {
            minor,
            currency: self.fx.reporting(),
        }
    }

    /// The rates that vendors gave.
    pub fn rates(&self) -> impl Iterator<Item = &Rate> {
        self.rates.values()
    }

    /// The currencies of amounts, by the number that columns know them by; number 0 stands for no amount.
    pub fn currencies(&self) -> &[[u8; 3]] {
        &self.shared.currencies
    }

    /// Whether anything is known of tickets at all: then an account without open ones has none.
    pub fn knows_tickets(&self) -> bool {
        self.accounts.knows_tickets
    }

    /// Whether anything is known of sponsors who left: then an account without one has lost none.
    pub fn knows_leavers(&self) -> bool {
        self.accounts.knows_leavers
    }

    /// Short texts that repeat, by number.
    pub fn symbols(&self) -> &Symbols {
        &self.shared.symbols
    }

    pub(super) fn money(&self, column: &MoneyCol, row: u32) -> Option<Money> {
        let currency = match column.currency.get(row) {
            0 => return None,
            n => *self.shared.currencies.get(n as usize)?,
        };
        Some(Money {
            minor: column.minor.get(row),
            currency,
        })
    }

    pub(super) fn money_reporting(&self, column: &MoneyCol, row: u32) -> Option<Money> {
        self.fx.convert(self.money(column, row)?)
    }

    fn rows_of(&self, entity: Entity) -> Option<&Rows> {
        match entity {
            Entity::Account => Some(&self.accounts.rows),
            Entity::Person => Some(&self.people.rows),
            Entity::Renewal => Some(&self.renewals.rows),
            Entity::Task => Some(&self.tasks.rows),
            Entity::Escalation => Some(&self.escalations.rows),
            Entity::Opportunity => Some(&self.opportunities.rows),
            Entity::Signal => Some(&self.signals.rows),
            _ => None,
        }
    }

    /// How many things of a kind there are (0 for kinds that the Book does not hold).
    pub fn count(&self, entity: Entity) -> usize {
        self.rows_of(entity).map_or(0, |r| r.live as usize)
    }

    /// One more than the highest row number of a kind; removed rows are counted.
    pub fn bound(&self, entity: Entity) -> u32 {
        self.rows_of(entity).map_or(0, |r| r.len)
    }

    /// Whether a row is there.
    pub fn is_alive(&self, entity: Entity, row: u32) -> bool {
        self.rows_of(entity).is_some_and(|r| r.alive.get(row))
    }

    /// The row of an id.
    pub fn row_of(&self, entity: Entity, id: LocalId) -> Option<u32> {
        self.rows_of(entity)?.find(id)
    }

    /// The id of a row.
    pub fn id_of(&self, entity: Entity, row: u32) -> LocalId {
        self.rows_of(entity)
            .map_or(LocalId::NONE, |r| LocalId(r.ids.get(row)))
    }

    /// The row numbers of a kind, in the order in which they entered.
    pub fn rows(&self, entity: Entity) -> impl Iterator<Item = u32> + '_ {
        (0..self.bound(entity)).filter(move |r| self.is_alive(entity, *r))
    }

    /// The place of each account among all by name, by row number: asked for the first time it is made by `make`, later versions of the
    /// Book have it until a name changes.
    pub fn name_ranks(&self, make: impl FnOnce() -> Vec<u32>) -> &[u32] {
        self.accounts.name_ranks.get_or_init(make)
    }

    /// The same if it was made before.
    pub fn known_name_ranks(&self) -> Option<&[u32]> {
        self.accounts.name_ranks.get().map(Vec::as_slice)
    }

    /// An account by its row number.
    pub fn account(&self, row: u32) -> AccountRow<'_> {
        AccountRow { book: self, row }
    }
    /// A renewal by its row number.
    pub fn renewal(&self, row: u32) -> RenewalRow<'_> {
        RenewalRow { book: self, row }
    }
    /// A task by its row number.
    pub fn task(&self, row: u32) -> TaskRow<'_> {
        TaskRow { book: self, row }
    }
    /// A risk by its row number.
    pub fn escalation(&self, row: u32) -> EscalationRow<'_> {
        EscalationRow { book: self, row }
    }
    /// One of our own people by row number.
    pub fn person(&self, row: u32) -> PersonRow<'_> {
        PersonRow { book: self, row }
    }
    /// All accounts.
    pub fn accounts(&self) -> impl Iterator<Item = AccountRow<'_>> {
        self.rows(Entity::Account).map(|r| self.account(r))
    }
    /// All renewals.
    pub fn renewals(&self) -> impl Iterator<Item = RenewalRow<'_>> {
        self.rows(Entity::Renewal).map(|r| self.renewal(r))
    }
    /// All tasks.
    pub fn tasks(&self) -> impl Iterator<Item = TaskRow<'_>> {
        self.rows(Entity::Task).map(|r| self.task(r))
    }
    /// All risks.
    pub fn escalations(&self) -> impl Iterator<Item = EscalationRow<'_>> {
        self.rows(Entity::Escalation).map(|r| self.escalation(r))
    }
    /// All our people.
    pub fn people(&self) -> impl Iterator<Item = PersonRow<'_>> {
        self.rows(Entity::Person).map(|r| self.person(r))
    }
    /// An account by id.
    pub fn account_by_id(&self, id: LocalId) -> Option<AccountRow<'_>> {
        self.row_of(Entity::Account, id).map(|r| self.account(r))
    }
    /// A renewal by id.
    pub fn renewal_by_id(&self, id: LocalId) -> Option<RenewalRow<'_>> {
        self.row_of(Entity::Renewal, id).map(|r| self.renewal(r))
    }
    /// A task by id.
    pub fn task_by_id(&self, id: LocalId) -> Option<TaskRow<'_>> {
        self.row_of(Entity::Task, id).map(|r| self.task(r))
    }
    /// A risk by id.
    pub fn escalation_by_id(&self, id: LocalId) -> Option<EscalationRow<'_>> {
        self.row_of(Entity::Escalation, id)
            .map(|r| self.escalation(r))
    }
    /// One of our own people by id.
    pub fn person_by_id(&self, id: LocalId) -> Option<PersonRow<'_>> {
        self.row_of(Entity::Person, id).map(|r| self.person(r))
    }
}

/// A column of names for searching.
pub struct TextColumn<'a> {
    text: &'a TextCol,
    folded: Option<&'a TextCol>,
}

impl<'a> TextColumn<'a> {
    /// The texts, chunk by chunk.
    pub fn chunks(&self) -> &'a [Arc<TextChunk>] {
        self.text.chunks()
    }
    /// The texts of a chunk that are not plain ASCII, folded, the others empty: kept where that is worth it, else made. `None` when all
    /// are plain ASCII.
    pub fn folded(&self, chunk: usize) -> Option<Cow<'a, TextChunk>> {
        match self.folded {
            Some(kept) => {
                let kept = kept.chunks().get(chunk)?;
                (!kept.text().is_empty()).then_some(Cow::Borrowed(&**kept))
            }
            None => self.text.chunks().get(chunk)?.folded().map(Cow::Owned),
        }
    }
}

impl Book {
    /// The columns in which a bare word of a query looks for a kind of thing.
    pub fn text_columns(&self, entity: Entity) -> Vec<TextColumn<'_>> {
        let column = |text, folded| TextColumn { text, folded };
        match entity {
            Entity::Account => vec![column(&self.accounts.name, Some(&self.accounts.folded))],
            Entity::Renewal => vec![column(&self.renewals.name, Some(&self.renewals.folded))],
            Entity::Task => vec![column(&self.tasks.title, None)],
            Entity::Escalation => vec![column(&self.escalations.title, None)],
            Entity::Person => vec![
                column(&self.people.name, None),
                column(&self.people.email, None),
            ],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
