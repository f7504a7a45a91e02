//! The ARR of accounts for which no system names one: what their subscriptions or movements pay on the day, by the conventions of
//! `[metrics]`, so that lists, queue and header say what retention says.
//!
//! Enter through [`settle`] for a whole Book, on each new day, and [`resettle`] for the accounts that changed: both also compute the columns
//! that depend on the ARR, so that nobody has the one without the other.

use super::ledger::{self, Ledger};
use super::retention;
use super::retention::timeline::Timeline;
use super::{Settings, Since, derive_since, rederive};
use crate::book::day::days;
use crate::book::{AccountRow, Book, Derived, Entity, LocalId, Money};
use jiff::civil::Date;

/// A whole Book as it stands on a day, with the columns that lists sort by.
pub fn settle(
    mut book: Book,
    since: Since<'_>,
    today: Date,
    settings: &Settings,
) -> (Book, Derived) {
    if book.subscription_count() > 0 || book.movement_count() > 0 {
        let rows: Vec<u32> = book.accounts().filter(wants).map(|a| a.row()).collect();
        count(&mut book, &rows, today, &settings.retention);
    }
    let derived = derive_since(since, &book, today, &settings.risk);
    (book, derived)
}

/// The same after a change of the accounts named (see [`Book::touched_by`]). `before`: the columns of the day's Book before it.
pub fn resettle(
    before: &Derived,
    mut book: Book,
    accounts: impl IntoIterator<Item = LocalId>,
    today: Date,
    settings: &Settings,
) -> (Book, Derived) {
    let accounts: Vec<LocalId> = accounts.into_iter().filter(|id| id.is_some()).collect();
    let known = accounts
        .iter()
        .filter_map(|id| book.row_of(Entity::Account, *id));
    let mut rows: Vec<u32> = known.filter(|row| wants(&book.account(*row))).collect();
    rows.sort_unstable();
    rows.dedup();
    count(&mut book, &rows, today, &settings.retention);
    let derived = rederive(before, &book, accounts, today, &settings.risk);
    (book, derived)
}

/// Its ARR is to be counted, or was and its lines are gone.
fn wants(account: &AccountRow<'_>) -> bool {
    account.is_arr_counted()
        || account.arr().is_none()
            && (account.subscriptions().next().is_some() || account.movements().next().is_some())
}

/// Counts the ARR of these rows, which are in ascending order.
fn count(book: &mut Book, rows: &[u32], today: Date, settings: &retention::Settings) {
    if rows.is_empty() {
        return;
    }
    // An account that lost its lines has no ARR of its own that a ledger could begin with.
    for row in rows {
        book.count_arr(*row, None);
    }
    let mixed = settings.mixed_currencies;
    let ledger = ledger::build_of(book, rows, today, mixed);
    let today = days(today);
    let timeline = Timeline::of(&ledger, &settings.policy, today);
    for account in &ledger.accounts {
        if account.source == ledger::Source::Renewals {
            continue;
        }
        let lines = account.line..account.line_end;
        let paid = lines.filter_map(|line| {
            let steps = timeline.line(line);
            let now = steps.partition_point(|s| s.at <= today);
            let minor = now.checked_sub(1).map_or(0, |n| steps[n].minor);
            Some((minor, steps.first()?.currency))
        });
        let paid: Vec<(i64, u16)> = paid.collect();
        // Below zero somebody's rows are wrong: retention leaves the account out, too.
        let arr = sum(book, &ledger, &paid).filter(|m| m.minor >= 0);
        book.count_arr(account.row, arr);
    }
}

/// The sum of amounts by their currencies' numbers; of several currencies, in the reporting currency, each at its own rate.
fn sum(book: &Book, ledger: &Ledger, paid: &[(i64, u16)]) -> Option<Money> {
    let money = |minor, number: u16| {
        let currency = *ledger.currencies.get(usize::from(number))?;
        Some(Money { minor, currency })
    };
    let flows = paid.iter().filter(|(minor, _)| *minor != 0);
    // Where nothing is paid, yet or any more, it is an ARR of nothing.
    let (_, currency) = *flows.clone().next().or(paid.first())?;
    if flows.clone().all(|(_, c)| *c == currency) {
        let minor = flows.fold(0_i64, |sum, (m, _)| sum.saturating_add(*m));
        return money(minor, currency);
    }
    let mut minor = 0_i64;
    for (amount, number) in flows {
        let counts = book.fx().convert(money(*amount, *number)?)?;
        minor = minor.saturating_add(counts.minor);
    }
    Some(Money {
        minor,
        currency: book.reporting(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Overlay, RowDelta};
    use crate::insight::retention::fixture::{Fixture, base, day};

    fn lines_by(settings: &retention::Settings) -> Settings {
        Settings {
            retention: settings.clone(),
            ..Settings::default()
        }
    }

    fn counted(book: Book, today: Date, settings: &retention::Settings) -> Book {
        settle(book, Since::Nothing, today, &lines_by(settings)).0
    }

    /// The next Book after a change.
    fn changed(book: &Book, delta: RowDelta, today: Date, settings: &retention::Settings) -> Book {
        let settings = lines_by(settings);
        let before = derive_since(Since::Nothing, book, today, &settings.risk);
        let touched = book.touched_by(&delta);
        let next = book.apply(delta, &Overlay::default());
        resettle(&before, next, touched, today, &settings).0
    }

    fn arr(book: &Book, name: &str) -> Option<String> {
        let account = book.accounts().find(|a| a.name() == name)?;
        Some(account.arr()?.to_string())
    }

    #[test]
    fn an_account_without_an_arr_has_on_every_day_what_retention_says_of_it() {
        for switches in ["", "late=term_end", "late=hold"] {
            let mut settings = retention::Settings::default();
            settings.policy.set_pairs(switches).unwrap();
            let mut seen = 0;
            for on in [
                "2024-05-15",
                "2025-03-01",
                "2025-06-15",
                "2025-11-01",
                "2026-01-10",
                "2026-12-31",
            ] {
                let on = day(on).unwrap();
                let f = base();
                let book = counted(f.book(), on, &settings);
                let ledger = ledger::build(&book, on, settings.mixed_currencies);
                let ask = crate::insight::retention::Ask {
                    from: day("2024-01-02").unwrap(),
                    to: on,
                    policy: settings.policy,
                    by: Vec::new(),
                    with_rows: true,
                    mine: None,
                };
                let calendar = crate::book::Calendar::default();
                let report = crate::insight::retention::report(&book, &ledger, &ask, on, &calendar);
                let closing = |row: u32| -> i64 {
                    let rows = report.rows.iter().filter(|c| c.account == row);
                    rows.map(|c| c.closing).sum()
                };
                for a in book.accounts().filter(|a| a.name() != "A6") {
                    let said = closing(a.row());
                    assert_eq!(
                        a.arr().map(|m| m.minor),
                        Some(said),
                        "{} on {on} {switches}",
                        a.name()
                    );
                    assert!(a.is_arr_counted());
                    seen += usize::from(said > 0);
                }
            }
            assert!(seen > 30, "{seen}");
        }
    }

    #[test]
    fn it_is_counted_in_the_lines_own_currency_and_a_systems_word_wins() {
        let today = day("2025-06-01").unwrap();
        let mut f = base();
        f.account("A2").arr = Money::parse("7", "USD");
        let book = counted(f.book(), today, &retention::Settings::default());
        assert_eq!(arr(&book, "A6").as_deref(), Some("55000.00 EUR"));
        assert_eq!(arr(&book, "A5").as_deref(), Some("52000.00 USD"));
        assert_eq!(arr(&book, "A2").as_deref(), Some("7.00 USD"));
        let named = book.accounts().find(|a| a.name() == "A2").unwrap();
        assert!(!named.is_arr_counted());
        // What was counted is no row of a system's.
        let a5 = book.accounts().find(|a| a.name() == "A5").unwrap();
        assert_eq!(a5.to_row().0.arr, None);
    }

    #[test]
    fn an_account_of_two_currencies_has_one_only_when_they_are_converted() {
        let today = day("2025-06-01").unwrap();
        let mut f = Fixture::default();
        f.sold("A,L,new,2025-01-01,2025-12-31,100,USD");
        f.sold("A,M,new,2025-01-01,2025-12-31,100,EUR");
        f.rate("2025-01-01", "EUR", 1.5, "spot");
        let mut settings = retention::Settings::default();
        assert_eq!(arr(&counted(f.book(), today, &settings), "A"), None);
        settings.mixed_currencies = ledger::Mixed::Convert;
        let book = counted(f.book(), today, &settings);
        assert_eq!(arr(&book, "A").as_deref(), Some("250.00 USD"));
    }

    #[test]
    fn it_follows_the_lines_of_an_account_and_goes_with_them() {
        let today = day("2025-06-01").unwrap();
        let settings = retention::Settings::default();
        let book = counted(base().book(), today, &settings);
        let (a2, stamp) = (
            book.accounts().find(|a| a.name() == "A2").unwrap().id(),
            book.ledger_stamp(),
        );
        // The account comes again, still without an ARR: it has what it had, and nothing of retention changed.
        let again = book
            .account(book.row_of(Entity::Account, a2).unwrap())
            .to_row();
        let delta = RowDelta {
            accounts: vec![again],
            ..RowDelta::default()
        };
        let next = changed(&book, delta, today, &settings);
        assert_eq!(arr(&next, "A2").as_deref(), Some("80000.00 USD"));
        assert_eq!(next.ledger_stamp(), stamp);
        // Its only line goes.
        let line = next
            .account_by_id(a2)
            .unwrap()
            .subscriptions()
            .next()
            .unwrap()
            .id();
        let delta = RowDelta {
            removed: vec![(Entity::Subscription, line)],
            ..RowDelta::default()
        };
        let last = changed(&next, delta, today, &settings);
        assert_eq!(arr(&last, "A2"), None);
        assert_eq!(arr(&last, "A5").as_deref(), Some("52000.00 USD"));
    }

    #[test]
    fn movements_count_as_well_and_nothing_paid_is_an_arr_of_nothing() {
        let today = day("2025-06-01").unwrap();
        let mut f = Fixture::default();
        f.moved("A,,2025-01-01,new,100,USD");
        f.moved("A,,2025-03-01,expansion,20,USD");
        f.sold("B,L,new,2024-01-01,2024-12-31,100,EUR");
        f.account("C");
        f.sold("D,L,new,2025-01-01,2025-12-31,100,USD");
        f.sold("D,credit,new,2025-01-01,2025-12-31,-300,USD");
        let book = counted(f.book(), today, &retention::Settings::default());
        assert_eq!(arr(&book, "A").as_deref(), Some("120.00 USD"));
        assert_eq!(arr(&book, "B").as_deref(), Some("0.00 EUR"));
        assert_eq!(arr(&book, "C"), None);
        assert_eq!(arr(&book, "D"), None);
    }
}
