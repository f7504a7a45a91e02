//! The ARR of accounts for which no system names one: what their subscriptions or movements pay on the day, by the conventions of
//! `[metrics]`, so that lists, queue and header say what retention says.
//!
//! [`count_arr`] does it for a whole Book, on each new day; [`recount_arr`] for the accounts that changed.

use super::ledger::{self, Ledger};
use super::retention::Settings;
use super::retention::timeline::Timeline;
use crate::book::day::days;
use crate::book::{AccountRow, Book, Entity, LocalId, Money};
use jiff::civil::Date;

/// The Book with the ARR of all accounts that name none.
pub fn count_arr(book: Book, today: Date, settings: &Settings) -> Book {
    if book.subscription_count() == 0 && book.movement_count() == 0 {
        return book;
    }
    let rows = book.accounts().filter(wants).map(|a| a.row()).collect();
    counted(book, rows, today, settings)
}

/// The same for the accounts named (see [`Book::touched_by`]).
pub fn recount_arr(
    book: Book,
    accounts: impl IntoIterator<Item = LocalId>,
    today: Date,
    settings: &Settings,
) -> Book {
    let rows = accounts
        .into_iter()
        .filter_map(|id| book.row_of(Entity::Account, id))
        .filter(|row| wants(&book.account(*row)));
    let mut rows: Vec<u32> = rows.collect();
    rows.sort_unstable();
    rows.dedup();
    counted(book, rows, today, settings)
}

/// Its ARR is to be counted, or was and its lines are gone.
fn wants(account: &AccountRow<'_>) -> bool {
    account.is_arr_counted()
        || account.arr().is_none()
            && (account.subscriptions().next().is_some() || account.movements().next().is_some())
}

fn counted(mut book: Book, rows: Vec<u32>, today: Date, settings: &Settings) -> Book {
    if rows.is_empty() {
        return book;
    }
    // An account that lost its lines has no ARR of its own that a ledger could begin with.
    for row in &rows {
        book.count_arr(*row, None);
    }
    let mixed = settings.mixed_currencies;
    let ledger = ledger::build_of(&book, &rows, today, mixed);
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
        let arr = sum(&book, &ledger, &paid).filter(|m| m.minor >= 0);
        book.count_arr(account.row, arr);
    }
    book
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

    fn arr(book: &Book, name: &str) -> Option<String> {
        let account = book.accounts().find(|a| a.name() == name)?;
        Some(account.arr()?.to_string())
    }

    #[test]
    fn an_account_without_an_arr_has_on_every_day_what_retention_says_of_it() {
        for switches in ["", "late=term_end", "late=hold"] {
            let mut settings = Settings::default();
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
                let book = count_arr(f.book(), on, &settings);
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
        let book = count_arr(f.book(), today, &Settings::default());
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
        let mut settings = Settings::default();
        assert_eq!(arr(&count_arr(f.book(), today, &settings), "A"), None);
        settings.mixed_currencies = ledger::Mixed::Convert;
        let book = count_arr(f.book(), today, &settings);
        assert_eq!(arr(&book, "A").as_deref(), Some("250.00 USD"));
    }

    #[test]
    fn it_follows_the_lines_of_an_account_and_goes_with_them() {
        let today = day("2025-06-01").unwrap();
        let settings = Settings::default();
        let book = count_arr(base().book(), today, &settings);
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
        let touched = book.touched_by(&delta);
        let next = recount_arr(
            book.apply(delta, &Overlay::default()),
            touched,
            today,
            &settings,
        );
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
        let touched = next.touched_by(&delta);
        let last = recount_arr(
            next.apply(delta, &Overlay::default()),
            touched,
            today,
            &settings,
        );
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
        let book = count_arr(f.book(), today, &Settings::default());
        assert_eq!(arr(&book, "A").as_deref(), Some("120.00 USD"));
        assert_eq!(arr(&book, "B").as_deref(), Some("0.00 EUR"));
        assert_eq!(arr(&book, "C"), None);
        assert_eq!(arr(&book, "D"), None);
    }
}
