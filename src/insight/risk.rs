//! The columns that lists sort by: probability of loss × ARR at stake × closeness of the decision, and who is in the queue.

use super::health::{Bands, Drive, Scorer, driving};
use super::reasons;
use super::rules::{Band, Rules};
use crate::book::derived::{
    ABOVE_THRESHOLD, HAS_RISK, HEALTH_DISAGREES, IN_QUEUE, NO_ARR, NO_DATE, NO_HEALTH, OURS_DRIVES,
    OwnHealth, SENTIMENT_DISAGREES, SNOOZED, VENDOR_DRIVES,
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

/// What is computed of one account. `before`: the band of our score the day before, as far as it is known.
fn derive_account(
    account: &AccountRow<'_>,
    today: Date,
    rules: &Rules,
    scorer: &mut Scorer<'_>,
    before: Option<Band>,
) -> AccountDerived {
    let now = Day::of(Some(today));
    let risk = account.open_risk();
    let (health, drives) = own_health(account, rules, scorer, before);
    let loss = rules.loss(drives, risk.is_some());
    let stake = at_stake(account).and_then(|m| account.book().fx().convert(m));
    let decision = account.decision_day(now).get();
    let days = decision.map(|d| d.saturating_sub(now.0));
    let closeness = rules.closeness(days);
    let found = reasons::bits(account, now, rules, drives);
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
        (NO_HEALTH, drives.is_none()),
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
        week: rules.save.week(days) as f32,
        flags,
        reasons: found,
        usage_trend: account.usage_trend().unwrap_or(f32::NAN),
        health,
    }
}

/// Our score beside the vendor's, and the band that the probability of loss goes by.
fn own_health(
    account: &AccountRow<'_>,
    rules: &Rules,
    scorer: &mut Scorer<'_>,
    before: Option<Band>,
) -> (OwnHealth, Option<Band>) {
    let graded = scorer.grade(account, before);
    let vendor = account.health();
    let points = graded.score.whole();
    let drives = driving(rules, vendor, points.zip(graded.band));
    let band = drives.map(|d| d.1);
    let differ = |a: Option<Band>, b: Option<Band>| a.zip(b).is_some_and(|(a, b)| a.disagrees(b));
    let feeling = account.sentiment().and_then(Band::parse);
    let mut flags = 0;
    for (flag, on) in [
        (
            HEALTH_DISAGREES,
            differ(graded.band, vendor.map(|h| rules.band(h))),
        ),
        (SENTIMENT_DISAGREES, differ(feeling, band)),
        (OURS_DRIVES, drives.is_some_and(|d| d.2 == Drive::Csops)),
        (VENDOR_DRIVES, drives.is_some_and(|d| d.2 == Drive::Vendor)),
    ] {
        if on {
            flags |= flag;
        }
    }
    // Never more per cent than there are: 59.9 is not 60.
    let coverage = (graded.score.coverage * 100.0 + 1e-7).floor() as u8;
    let place = |b: Option<Band>| b.map(|b| b as u8);
    let own = OwnHealth::new(points, coverage, place(graded.band), place(before), flags);
    (own, band)
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

/// What the columns were before, for the bands of health: a score that trembles about an edge stays in the band that it had.
#[derive(Clone, Copy)]
pub enum Since<'a> {
    /// Nothing is known of before.
    Nothing,
    /// The columns of the same day: their bands of the day before hold on.
    SameDay(&'a Derived),
    /// The columns of an earlier day: their bands are those of the day before.
    DayBefore(&'a Derived),
    /// What was kept of an earlier start, of this day or of one before.
    Kept(&'a Bands),
}

impl Since<'_> {
    /// The band of the day before of an account, whose model now is of this version.
    fn band(&self, a: &AccountRow<'_>, model: &str, today: Day) -> Option<Band> {
        let place = match self {
            Since::Nothing => None,
            Since::SameDay(d) => d.health(a.row()).before(),
            Since::DayBefore(d) => d.health(a.row()).band(),
            Since::Kept(bands) => return bands.before(model, today, a.id()),
        };
        place.and_then(Band::at)
    }
}

/// The columns of a whole Book of which nothing is known from before.
pub fn derive(book: &Book, today: Date, rules: &Rules) -> Derived {
    derive_since(Since::Nothing, book, today, rules)
}

/// The columns of a whole Book whose rows are those of the columns before.
pub fn derive_since(since: Since<'_>, book: &Book, today: Date, rules: &Rules) -> Derived {
    let (model, day) = (rules.health.version(), Day::of(Some(today)));
    let mut derived = Derived::default().with_model(&model, knows(book));
    let mut scorer = Scorer::new(&rules.health, day);
    for account in book.accounts() {
        let before = since.band(&account, &model, day);
        derived.set(
            account.row(),
            derive_account(&account, today, rules, &mut scorer, before),
        );
    }
    derived
}

/// What the Book knows at all: when that changes, no account's score is what it was.
fn knows(book: &Book) -> u8 {
    u8::from(book.knows_tickets()) | u8::from(book.knows_leavers()) << 1
}

/// The columns again for the accounts named (see [`Book::touched_by`]); the rest is shared with what was. Needs [`derive_since`] when
/// the day, the rules or the rates changed.
pub fn rederive(
    before: &Derived,
    book: &Book,
    accounts: impl IntoIterator<Item = LocalId>,
    today: Date,
    rules: &Rules,
) -> Derived {
    let knows = knows(book);
    if before.knows() != knows {
        return derive_since(Since::SameDay(before), book, today, rules);
    }
    let mut derived = before.clone();
    let mut scorer = Scorer::new(&rules.health, Day::of(Some(today)));
    for id in accounts {
        // One whose row is not listed any more is left: nothing reads its columns.
        let Some(row) = book.row_of(Entity::Account, id) else {
            continue;
        };
        let account = book.account(row);
        let band = before.health(row).before().and_then(Band::at);
        derived.set(
            row,
            derive_account(&account, today, rules, &mut scorer, band),
        );
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
