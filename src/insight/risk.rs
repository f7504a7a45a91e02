//! The columns that lists sort by: probability of loss × ARR at stake × closeness of the decision, and who is in the queue.

use super::reasons;
use super::rules::Rules;
use crate::book::derived::{
    ABOVE_THRESHOLD, HAS_RISK, IN_QUEUE, NO_ARR, NO_DATE, NO_HEALTH, SNOOZED,
};
use crate::book::{AccountDerived, AccountRow, Book, Day, Derived, Entity, LocalId, Money};
use jiff::{Timestamp, civil::Date};

/// The ARR that is decided at the next renewal, in its own currency: what is up for renewal, else the account's ARR, else the amount
/// of the open renewal.
pub fn at_stake(account: &AccountRow<'_>) -> Option<Money> {
    let renewal = account.open_renewal();
    renewal
        .and_then(|r| r.target())
        .or_else(|| account.arr())
        .or_else(|| renewal?.amount())
}

/// What is computed of one account.
pub fn derive_account(account: &AccountRow<'_>, today: Date, rules: &Rules) -> AccountDerived {
    let now = Day::of(Some(today));
    let risk = account.open_risk();
    let health = account.health();
    let loss = rules.loss(health, risk.is_some());
    let stake = at_stake(account).and_then(|m| account.book().fx().convert(m));
    let decision = account.decision_day(now).get();
    let closeness = rules.closeness(decision.map(|d| d.saturating_sub(now.0)));
    let found = reasons::bits(account, now, rules);
    let above = loss > rules.threshold;
    let snoozed = account.is_snoozed(today);
    let settled = resolved(account, found);
    let mut flags = 0;
    for (flag, on) in [
        (IN_QUEUE, (above || risk.is_some()) && !snoozed && !settled),
        (ABOVE_THRESHOLD, above),
        (HAS_RISK, risk.is_some()),
        (SNOOZED, snoozed),
        (NO_DATE, decision.is_none()),
        (NO_ARR, stake.is_none()),
        (NO_HEALTH, health.is_none()),
    ] {
        if on {
            flags |= flag;
        }
    }
    // A credit line is nothing that can be lost.
    let stake = stake.map_or(0, |m| m.minor.max(0));
    AccountDerived {
        loss,
        at_stake: stake,
        closeness,
        urgency: loss * stake as f32 * closeness,
        flags,
        reasons: found,
        usage_trend: account.usage_trend().unwrap_or(f32::NAN),
    }
}

/// Whether it was resolved and nothing new has come up since: no reason that was not there then, and no risk opened later.
fn resolved(account: &AccountRow<'_>, found: u16) -> bool {
    let Some(at) = account.resolved_at() else {
        return false;
    };
    let known = account
        .resolved_reasons()
        .and_then(reasons::parse_fingerprint)
        .unwrap_or(0);
    let newer_risk = account
        .risks()
        .any(|r| r.is_open() && r.opened().is_some_and(|o| o > at));
    reasons::lasting(found) & !known == 0 && !newer_risk
}

/// The columns of a whole Book.
pub fn derive(book: &Book, today: Date, rules: &Rules) -> Derived {
    let mut derived = Derived::default();
    for account in book.accounts() {
        derived.set(account.row(), derive_account(&account, today, rules));
    }
    derived
}

/// The columns again for the accounts named (see [`Book::touched_by`]); the rest is shared with what was. Needs a whole [`derive`] when
/// the day, the rules or the rates changed.
pub fn rederive(
    before: &Derived,
    book: &Book,
    accounts: impl IntoIterator<Item = LocalId>,
    today: Date,
    rules: &Rules,
) -> Derived {
    let mut derived = before.clone();
    for id in accounts {
        match book.row_of(Entity::Account, id) {
            Some(row) => derived.set(row, derive_account(&book.account(row), today, rules)),
            // Its row is not listed any more; nothing reads its columns.
            None => continue,
        }
    }
    derived
}

/// The accounts of which any row changed after an instant.
pub fn changed_since(book: &Book, at: Timestamp) -> Vec<u32> {
    book.accounts()
        .filter(|a| a.changed_at().is_some_and(|c| c > at))
        .map(|a| a.row())
        .collect()
}
