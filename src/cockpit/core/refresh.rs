//! The next version of the Book: what changed in the store and in the outbox, laid over the version before.

use super::Core;
use super::load::{RECENT, newest_first, overlay_of};
use crate::book::{Entity, LocalId, Overlay, RowDelta, Target};
use crate::insight::{Since, resettle, settle};
use crate::store::StoreError;
use std::collections::HashSet;
use std::sync::Arc;

/// How many unmatched records are held.
pub(super) const UNMATCHED: usize = 5_000;

impl Core {
    /// Brings the picture up to date with the store. `also`: rows to read again whether the store says that they changed or not.
    pub(super) async fn refresh(&mut self, also: &[Target]) {
        if !self.loaded {
            return;
        }
        let result = self.refreshed(also).await;
        self.report(result);
    }

    async fn refreshed(&mut self, also: &[Target]) -> Result<(), StoreError> {
        // The outbox first: an item that is confirmed in between lies over a row that says the same.
        let outbox = self.storage.outbox(RECENT).await?;
        let overlay = overlay_of(&outbox);
        let before = self.snapshot();
        let mut delta = self.storage.load_since(before.book.seq()).await?;
        let mut wanted: HashSet<Target> = also.iter().copied().collect();
        wanted.extend(differing(&self.overlay, &overlay));
        let there = present(&delta);
        wanted.retain(|t| !there.contains(t) && in_book(t.entity));
        if !wanted.is_empty() {
            let rows = self.storage.rows_of(wanted.into_iter().collect()).await?;
            join(&mut delta, rows);
        }
        let touched: Vec<LocalId> = changed_accounts(&delta);
        let lists = !is_empty(&delta);
        if lists {
            let rates = !delta.rates.is_empty();
            let (over, today) = (overlay.clone(), self.day);
            let from = before.clone();
            let made = tokio::task::spawn_blocking(move || {
                let accounts = from.book.touched_by(&delta);
                let book = from.book.apply(delta, &over);
                if rates {
                    let since = Since::SameDay(&from.derived);
                    settle(book, since, today, &from.settings)
                } else {
                    resettle(&from.derived, book, accounts, today, &from.settings)
                }
            });
            let (book, derived) = made.await.map_err(|_| StoreError::Closed)?;
            let me = self.me(&book);
            self.publish(true, |s| {
                s.book = book;
                s.derived = derived;
                s.me = me;
            });
            self.count();
            self.rows_changed = true;
        }
        self.overlay = overlay;
        let operations = self.storage.operations(super::history::KEPT).await?;
        let unmatched = self.storage.unmatched(UNMATCHED).await?;
        let outbox = newest_first(outbox);
        let now = self.snapshot();
        if *now.outbox != outbox || *now.operations != operations || *now.unmatched != unmatched {
            self.publish(false, |s| {
                s.outbox = Arc::new(outbox);
                s.operations = Arc::new(operations);
                s.unmatched = Arc::new(unmatched);
                s.book = s.book.clone().with_unmatched(s.unmatched.clone());
            });
        }
        // The account page shows what just changed, too.
        let shown = self.shared.detail.load().as_ref().map(|d| d.0);
        if let Some(account) = shown
            && (lists || touched.contains(&account))
        {
            self.read_detail(account);
        }
        Ok(())
    }

    /// A new day: money at its rates, and everything that depends on the day.
    pub(super) async fn refresh_all(&mut self) {
        let before = self.snapshot();
        let (settings, today) = (self.settings.clone(), self.day);
        let from = before.clone();
        let made = tokio::task::spawn_blocking(move || {
            let reporting = &settings.money.reporting_currency;
            let rates = super::super::meaning::rates_of(&settings);
            let book = from.book.with_money(reporting, &rates, Some(today));
            let since = if from.today == today {
                Since::SameDay(&from.derived)
            } else {
                Since::DayBefore(&from.derived)
            };
            settle(book, since, today, &from.settings)
        });
        if let Ok((book, derived)) = made.await {
            self.publish(true, |s| {
                s.today = today;
                s.book = book;
                s.derived = derived;
            });
            self.count();
        }
        self.refresh(&[]).await;
    }
}

/// The kinds that the Book holds.
fn in_book(entity: Entity) -> bool {
    matches!(
        entity,
        Entity::Account | Entity::Person | Entity::Renewal | Entity::Task | Entity::Escalation
    )
}

/// The things that one overlay changes otherwise than the other.
fn differing(a: &Overlay, b: &Overlay) -> Vec<Target> {
    let keys: HashSet<_> = a.changes.keys().chain(b.changes.keys()).copied().collect();
    keys.into_iter()
        .filter(|k| a.changes.get(k) != b.changes.get(k))
        .map(|(entity, id)| Target { entity, id })
        .collect()
}

fn present(delta: &RowDelta) -> HashSet<Target> {
    let mut out = HashSet::new();
    let mut add = |entity, id| {
        out.insert(Target { entity, id });
    };
    for (a, _) in &delta.accounts {
        add(Entity::Account, a.id);
    }
    for p in &delta.people {
        add(Entity::Person, p.id);
    }
    for r in &delta.renewals {
        add(Entity::Renewal, r.id);
    }
    for t in &delta.tasks {
        add(Entity::Task, t.id);
    }
    for e in &delta.escalations {
        add(Entity::Escalation, e.id);
    }
    for (entity, id) in &delta.removed {
        add(*entity, *id);
    }
    out
}

fn join(delta: &mut RowDelta, more: RowDelta) {
    delta.seq = delta.seq.max(more.seq);
    delta.accounts.extend(more.accounts);
    delta.people.extend(more.people);
    delta.renewals.extend(more.renewals);
    delta.opportunities.extend(more.opportunities);
    delta.signals.extend(more.signals);
    delta.tasks.extend(more.tasks);
    delta.escalations.extend(more.escalations);
    delta.rates.extend(more.rates);
    delta.subscriptions.extend(more.subscriptions);
    delta.movements.extend(more.movements);
    delta.removed.extend(more.removed);
}

fn is_empty(delta: &RowDelta) -> bool {
    delta.accounts.is_empty()
        && delta.people.is_empty()
        && delta.renewals.is_empty()
        && delta.opportunities.is_empty()
        && delta.signals.is_empty()
        && delta.tasks.is_empty()
        && delta.escalations.is_empty()
        && delta.rates.is_empty()
        && delta.subscriptions.is_empty()
        && delta.movements.is_empty()
        && delta.removed.is_empty()
}

fn changed_accounts(delta: &RowDelta) -> Vec<LocalId> {
    delta.accounts.iter().map(|(a, _)| a.id).collect()
}
