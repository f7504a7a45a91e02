//! Defects on a small book whose amounts are worked out by hand, and what holds on any book.

use super::*;
use crate::book::{
    Account, Book, Entity, Facts, LocalId, Money, Overlay, Person, Rate, Renewal, RowDelta, Task,
    Unmatched,
};
use crate::insight::page::{Block, Value};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use std::sync::Arc;

const TODAY: Date = date(2026, 11, 26);

fn usd(units: i64) -> Option<Money> {
    Money::new(units * 100, "USD")
}

/// An account without any defect.
fn sound(id: u32, units: i64) -> (Account, Facts) {
    let account = Account {
        id: LocalId(id),
        name: format!("Customer {id}"),
        domain: Some(format!("customer{id}.test")),
        csm: Some(LocalId(1)),
        arr: usd(units),
        start: Some(date(2024, 1, 1)),
        renewal: Some(date(2027, 1, 1)),
        health: Some(80),
        health_at: Some(date(2026, 11, 20)),
        ..Account::default()
    };
    (account, Facts::default())
}

fn renewal(id: u32, account: u32, due: Date, units: i64) -> Renewal {
    Renewal {
        id: LocalId(id),
        account: Some(LocalId(account)),
        name: format!("Renewal {id}"),
        due: Some(due),
        amount: usd(units),
        ..Renewal::default()
    }
}

fn people() -> Vec<Person> {
    [(1, Some(true)), (2, Some(false))]
        .map(|(id, active)| Person {
            id: LocalId(id),
            name: format!("Person {id}"),
            active,
            ..Person::default()
        })
        .to_vec()
}

fn book(delta: RowDelta) -> Book {
    let rates = [Rate {
        from: "EUR".into(),
        to: "USD".into(),
        rate: Some(1.1),
        ..Rate::default()
    }];
    Book::empty().with_money("USD", &rates, Some(TODAY)).apply(
        RowDelta {
            people: people(),
            ..delta
        },
        &Overlay::default(),
    )
}

fn of(accounts: Vec<(Account, Facts)>) -> Book {
    book(RowDelta {
        accounts,
        ..RowDelta::default()
    })
}

/// Kind, account, amount in whole units.
fn found(book: &Book) -> Vec<(Kind, Option<u32>, Option<i64>)> {
    findings(book, TODAY, &Settings::default(), None)
        .into_iter()
        .map(|f| (f.kind, f.account.map(|a| a.0), f.hidden.map(|h| h / 100)))
        .collect()
}

#[test]
fn every_kind_stands_at_its_bit_and_under_its_name() {
    for (i, d) in DEFECTS.iter().enumerate() {
        assert_eq!(d.kind as usize, i, "{}", d.name);
        assert_eq!(defect(d.name).map(|d| d.kind), Some(d.kind));
        let json = serde_json::to_value(d.kind).unwrap();
        assert_eq!(json, d.name, "JSON and queries say the same word");
    }
    assert!(defect("no_such").is_none());
}

#[test]
fn a_sound_account_has_no_defect_and_each_defect_is_priced_by_what_it_hides() {
    assert_eq!(found(&of(vec![sound(1, 100)])), []);

    let mut no_date = sound(1, 100);
    no_date.0.renewal = None;
    let mut free = sound(2, 0);
    free.0.renewal = None;
    let mut nobody = sound(3, 30);
    nobody.0.csm = None;
    let mut left = sound(4, 40);
    left.0.csm = Some(LocalId(2));
    let mut unscored = sound(5, 50);
    unscored.0.health = None;
    let mut stale = sound(6, 60);
    stale.0.health_at = Some(date(2026, 10, 26));
    let mut fresh = sound(7, 70);
    fresh.0.health_at = Some(date(2026, 10, 27));
    let mut odd = sound(8, 80);
    odd.0.start = Some(date(202, 3, 1));
    let mut backwards = sound(9, 90);
    backwards.0.start = Some(date(2028, 1, 1));
    let mut francs = sound(10, 0);
    francs.0.arr = Money::new(500, "CHF");
    assert_eq!(
        found(&of(vec![
            no_date, free, nobody, left, unscored, stale, fresh, odd, backwards, francs
        ])),
        [
            (Kind::NoRenewalDate, Some(1), Some(100)),
            (Kind::ImpossibleDate, Some(9), Some(90)),
            (Kind::ImpossibleDate, Some(8), Some(80)),
            // 31 days old; 30 days is not stale yet.
            (Kind::StaleHealth, Some(6), Some(60)),
            (Kind::NoHealth, Some(5), Some(50)),
            (Kind::NoOwner, Some(4), Some(40)),
            (Kind::NoOwner, Some(3), Some(30)),
            (Kind::NoRate, Some(10), None),
        ]
    );
}

#[test]
fn impossible_days_of_signals_and_movements_are_found_on_their_account() {
    let signal = crate::book::Signal {
        id: LocalId(1),
        account: Some(LocalId(1)),
        kind: "nps".into(),
        at: Some(date(202, 3, 4)),
        value: Some(9.0),
        ..crate::book::Signal::default()
    };
    let movement = crate::book::Movement {
        id: LocalId(1),
        account: Some(LocalId(2)),
        date: Some(date(202, 3, 4)),
        kind: Some("new".into()),
        ..crate::book::Movement::default()
    };
    let b = book(RowDelta {
        accounts: vec![sound(1, 100), sound(2, 200), sound(3, 300)],
        signals: vec![(signal, None)],
        movements: vec![movement],
        ..RowDelta::default()
    });
    let mut said: Vec<String> = findings(&b, TODAY, &Settings::default(), None)
        .into_iter()
        .map(|f| f.detail)
        .collect();
    said.sort();
    assert_eq!(said, ["a movement of 0202-03-04", "nps of 0202-03-04"]);
}

#[test]
fn renewals_hide_their_own_amount_and_a_missing_arr_that_of_the_renewal() {
    let mut without = sound(3, 0);
    without.0.arr = None;
    let mut bare = sound(4, 0);
    bare.0.arr = None;
    let lost = Renewal {
        stage_kind: Some("lost".into()),
        closed: Some(date(2026, 5, 1)),
        ..renewal(3, 2, date(2026, 5, 1), 7)
    };
    let unsaid = Renewal {
        stage_kind: None,
        closed: Some(date(2026, 6, 1)),
        ..renewal(4, 2, date(2026, 6, 1), 5)
    };
    let said = Renewal {
        outcome: Some("price".into()),
        ..Renewal {
            id: LocalId(6),
            ..lost.clone()
        }
    };
    let b = book(RowDelta {
        accounts: vec![sound(1, 100), sound(2, 200), without, bare],
        renewals: vec![
            renewal(1, 1, date(2026, 11, 25), 11),
            renewal(2, 1, date(2026, 1, 1), 12),
            lost,
            unsaid,
            said,
            renewal(5, 3, date(2027, 6, 1), 33),
        ],
        ..RowDelta::default()
    });
    assert_eq!(
        found(&b),
        [
            (Kind::MissingArr, Some(3), Some(33)),
            (Kind::RenewalOverdue, Some(1), Some(23)),
            (Kind::NoOutcome, Some(2), Some(12)),
            (Kind::MissingArr, Some(4), None),
        ]
    );
    let all = findings(&b, TODAY, &Settings::default(), None);
    assert_eq!(
        all[1].detail,
        "Renewal 2 was due 329 days ago and is open, and 1 more"
    );
}

#[test]
fn two_amounts_differ_by_their_difference_in_one_currency_beyond_the_tolerance() {
    let other = |id: u32, units: i64, other: Option<Money>| {
        let mut a = sound(id, units);
        a.1.arr_other = other;
        a.1.arr_source = Some("crm".into());
        a.1.arr_other_source = Some("cs".into());
        a
    };
    let b = of(vec![
        other(1, 120, usd(100)),
        // 1 % of 100 is allowed, and 90.91 EUR are 100.00 USD.
        other(2, 100, usd(99)),
        other(3, 100, Money::new(9_091, "EUR")),
        other(4, 100, Money::new(10_000, "EUR")),
        // Without a rate nobody can say.
        other(5, 100, Money::new(10_000, "CHF")),
    ]);
    assert_eq!(
        found(&b),
        [
            (Kind::ArrDiffers, Some(1), Some(20)),
            (Kind::ArrDiffers, Some(4), Some(10)),
        ]
    );
    let first = &findings(&b, TODAY, &Settings::default(), None)[0];
    assert_eq!(first.detail, "120 USD (crm), but 100 USD (cs)");
}

#[test]
fn of_two_accounts_that_are_one_the_smaller_may_be_counted_twice() {
    let named = |id: u32, units: i64, name: &str, domain: Option<&str>| {
        let mut a = sound(id, units);
        a.0.name = name.into();
        a.0.domain = domain.map(Into::into);
        a
    };
    let mut child = named(5, 5, "Group Sub", Some("group.test"));
    child.0.parent = Some(LocalId(4));
    let b = of(vec![
        named(1, 10, "Acme", Some("acme.test")),
        named(2, 20, "Acme Europe", Some("www.acme.test")),
        named(3, 30, "ÄCME, Inc.", None),
        named(4, 40, "Group", Some("group.test")),
        child,
        named(6, 6, "Pat", Some("gmail.com")),
        named(7, 7, "Kim", Some("gmail.com")),
    ]);
    // Acme is Acme Europe's twin by the domain, and Äcme Inc's by the name.
    let all: Vec<(u32, u32, &str)> = twins(&b).into_iter().map(|t| (t.row, t.of, t.by)).collect();
    assert_eq!(all, [(0, 1, "same domain")]);
    assert_eq!(found(&b), [(Kind::Duplicate, Some(1), Some(10))]);
    let mut again = named(3, 30, "ACME, Inc.", None);
    again.0.csm = Some(LocalId(1));
    let b = of(vec![named(1, 10, "Acmé", Some("acme.test")), again]);
    assert_eq!(found(&b), [(Kind::Duplicate, Some(1), Some(10))]);
}

#[test]
fn what_belongs_to_nobody_is_listed_too() {
    let unmatched = |entity, local: u32, name: &str| Unmatched {
        source: "cs".into(),
        entity,
        external_id: "x1".into(),
        name: name.into(),
        local: LocalId(local),
        candidate: None,
        reason: "nobody else has it".into(),
    };
    let stray = Renewal {
        account: None,
        ..renewal(1, 0, date(2027, 1, 1), 15)
    };
    let task = |id: u32, kind: &str| Task {
        id: LocalId(id),
        title: format!("Task {id}"),
        kind: Some(kind.into()),
        ..Task::default()
    };
    let b = book(RowDelta {
        accounts: vec![sound(1, 100)],
        renewals: vec![stray],
        tasks: vec![task(1, "call"), task(2, "to_do")],
        ..RowDelta::default()
    })
    .with_unmatched(Arc::new(vec![
        unmatched(Entity::Account, 1, "Customer 1"),
        unmatched(Entity::Contact, 0, "Ana Bell"),
    ]));
    assert_eq!(
        found(&b),
        [
            (Kind::Orphan, Some(1), Some(100)),
            (Kind::Orphan, None, Some(15)),
            (Kind::Orphan, None, None),
            (Kind::Orphan, None, None),
        ]
    );
    // One person's list holds what is theirs.
    let mine = findings(&b, TODAY, &Settings::default(), Some(LocalId(1)));
    assert_eq!(mine.len(), 1);
    assert!(findings(&b, TODAY, &Settings::default(), Some(LocalId(2))).is_empty());
}

fn made(book: &Book) -> crate::insight::page::Page {
    crate::insight::page::made(page, book, TODAY, &crate::insight::Settings::default())
}

#[test]
fn the_page_counts_an_account_once_and_says_so() {
    let mut both = sound(1, 100);
    both.0.renewal = None;
    both.0.csm = None;
    let mut one = sound(2, 40);
    one.0.health = None;
    let p = made(&of(vec![both, one, sound(3, 60)]));
    let Block::Figures { figures, .. } = &p.blocks[0] else {
        panic!("figures come first");
    };
    let values: Vec<&Value> = figures.iter().map(|f| &f.value).collect();
    assert_eq!(
        values,
        [
            &Value::Money(14_000),
            &Value::Ratio(1.0 / 3.0),
            &Value::Count(3),
            &Value::Count(0)
        ]
    );
    assert_eq!(
        p.sentence,
        "3 defects at 2 of 3 accounts, 70 % of ARR; most of it: no renewal date."
    );
    let Some(Block::Table { rows, .. }) = p.blocks.last() else {
        panic!("the list comes last");
    };
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].account, Some(LocalId(1)), "enter opens the account");
    for block in &p.blocks {
        if let Block::Figures { figures, .. } | Block::Bars { bars: figures, .. } = block {
            for f in figures {
                assert!(f.why.is_some(), "{}", f.name);
                assert!(crate::insight::definition(f.name).is_some(), "{}", f.name);
            }
        }
    }
}

#[test]
fn without_accounts_there_is_no_share_and_the_page_says_what_fills_it() {
    let p = made(&Book::empty());
    let Block::Figures { figures, .. } = &p.blocks[0] else {
        panic!("figures come first");
    };
    assert_eq!(figures[1].value, Value::None("there is no account".into()));
    assert!(p.sentence.contains("csops import"), "{}", p.sentence);
}

fn any_account(id: u32) -> impl Strategy<Value = (Account, Facts)> {
    (
        proptest::option::of(-50_i64..500),
        0_usize..4,
        any::<[bool; 4]>(),
        proptest::option::of(0_i64..500),
    )
        .prop_map(move |(arr, twin, [csm, health, renewal, odd], other)| {
            let mut a = sound(id, 0);
            a.0.arr = arr.and_then(usd);
            a.0.name = format!("Name {}", if twin == 0 { 0 } else { id });
            a.0.csm = csm.then_some(LocalId(1));
            a.0.health = health.then_some(50);
            a.0.renewal = renewal.then_some(date(2027, 2, 2));
            if odd {
                a.0.start = Some(date(2999, 1, 1));
            }
            a.1.arr_other = other.and_then(usd);
            a
        })
}

fn any_book() -> impl Strategy<Value = Book> {
    (1_u32..12)
        .prop_flat_map(|n| (1..=n).map(any_account).collect::<Vec<_>>())
        .prop_map(of)
}

proptest! {
    #[test]
    fn amounts_fall_no_kind_is_told_twice_and_bits_say_the_same(b in any_book()) {
        let settings = Settings::default();
        let all = findings(&b, TODAY, &settings, None);
        prop_assert!(all.windows(2).all(|w| w[0].hidden >= w[1].hidden));
        prop_assert!(all.iter().all(|f| f.hidden.is_none_or(|h| h >= 0)));
        let mut seen = std::collections::HashSet::new();
        prop_assert!(all.iter().all(|f| seen.insert((f.account, f.kind))));
        let eye = Eye::new(TODAY, &settings);
        for a in b.accounts() {
            let own = all.iter().filter(|f| {
                f.account == Some(a.id()) && !matches!(f.kind, Kind::Duplicate | Kind::Orphan)
            });
            prop_assert_eq!(own.fold(0, |bits, f| bits | f.kind.bit()), bits(&a, &eye));
        }
        // What is not to count is not found, and nothing else goes with it.
        let ignore = Settings { ignore: vec!["no_owner".into()], ..settings };
        let fewer = findings(&b, TODAY, &ignore, None);
        let kept: Vec<_> = all.iter().filter(|f| f.kind != Kind::NoOwner).cloned().collect();
        prop_assert_eq!(fewer, kept);
    }

    #[test]
    fn an_account_counts_once_whatever_is_wrong_with_it(b in any_book()) {
        let all = findings(&b, TODAY, &Settings::default(), None);
        let p = made(&b);
        let Block::Figures { figures, .. } = &p.blocks[0] else { panic!("figures come first") };
        let touched = figures[0].value.number().unwrap_or(-1.0) as i64;
        let sum: i64 = all.iter().filter_map(|f| f.hidden).sum();
        let most = all.iter().filter_map(|f| f.hidden).max().unwrap_or(0);
        prop_assert!(most <= touched && touched <= sum);
        let by_kind: i64 = p.blocks.iter().find_map(|b| match b {
            Block::Table { title, rows, .. } if title == "By kind" => Some(
                rows.iter().filter_map(|r| r.cells[1].value.number()).sum::<f64>() as i64),
            _ => None,
        }).unwrap_or(-1);
        prop_assert_eq!(by_kind, sum, "kinds are the sum of what was found");
    }
}
