//! Signals, deals and promoters on a small book, worked out by hand, and what holds on any.

use super::deals::{Conversion, Funnel};
use super::signals::{Kind, bits, opportunity, seat_use};
use super::*;
use crate::book::{
    Account, Book, Day, Facts, LocalId, Money, Opportunity, Overlay, Rate, RowDelta, Signal,
};
use crate::insight::page::{Block, Figure, Page, Value};
use jiff::civil::{Date, date};
use proptest::prelude::*;

const TODAY: Date = date(2026, 11, 26);

fn account(id: u32) -> (Account, Facts) {
    let account = Account {
        id: LocalId(id),
        name: format!("Customer {id}"),
        arr: Money::new(i64::from(id) * 100_000, "USD"),
        health: Some(90),
        ..Account::default()
    };
    (account, Facts::default())
}

/// Twelve weeks that end with so many users and had 100 four weeks before.
fn growing(mut a: (Account, Facts), to: u32) -> (Account, Facts) {
    a.1.usage = std::array::from_fn(|w| Some(if w < 10 { 100 } else { to }));
    a.1.usage_at = Some(date(2026, 11, 16));
    a
}

fn signal(id: u32, account: u32, kind: &str, at: Date, value: f64) -> (Signal, Option<Date>) {
    let signal = Signal {
        id: LocalId(id),
        account: Some(LocalId(account)),
        kind: kind.into(),
        at: Some(at),
        value: Some(value),
        ..Signal::default()
    };
    (signal, None)
}

fn deal(id: u32, account: u32, stage: &str, units: i64, closed: Option<Date>) -> Opportunity {
    Opportunity {
        id: LocalId(id),
        account: Some(LocalId(account)),
        name: format!("Deal {id}"),
        stage_kind: Some(stage.into()),
        amount: Money::new(units * 100, "USD"),
        closed,
        ..Opportunity::default()
    }
}

fn book(delta: RowDelta) -> Book {
    Book::empty()
        .with_money("USD", &[] as &[Rate], Some(TODAY))
        .apply(delta, &Overlay::default())
}

fn made(book: &Book) -> Page {
    crate::insight::page::made(page, book, TODAY, &crate::insight::Settings::default())
}

fn figure<'a>(page: &'a Page, name: &str) -> &'a Figure {
    let Block::Figures { figures, .. } = &page.blocks[0] else {
        panic!("figures come first");
    };
    figures.iter().find(|f| f.name == name).unwrap()
}

fn table<'a>(page: &'a Page, title: &str) -> &'a [crate::insight::page::TableRow] {
    let found = page.blocks.iter().find_map(|b| match b {
        Block::Table { title: t, rows, .. } if t.starts_with(title) => Some(rows.as_slice()),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn each_signal_has_its_edge() {
    let day = date(2026, 11, 1);
    let mut happy = growing(account(4), 101);
    happy.0.nps = Some(9);
    let mut flat = growing(account(5), 100);
    flat.0.nps = Some(10);
    let b = book(RowDelta {
        accounts: vec![
            account(1),
            account(2),
            growing(account(3), 120),
            happy,
            flat,
            account(6),
            growing(account(7), 119),
        ],
        signals: vec![
            signal(1, 1, "seats.used", day, 90.0),
            signal(2, 1, "seats.bought", day, 100.0),
            signal(3, 2, "seats.used", day, 89.0),
            signal(4, 2, "seats.bought", day, 100.0),
            signal(5, 6, "limit.api", date(2026, 8, 28), 1.0),
            signal(6, 7, "limit.api", date(2026, 8, 27), 1.0),
        ],
        ..RowDelta::default()
    });
    let today = Day::of(Some(TODAY));
    let found: Vec<u8> = b
        .accounts()
        .map(|a| bits(&a, today, &Settings::default()))
        .collect();
    let bit = Kind::bit;
    assert_eq!(
        found,
        [
            bit(Kind::SeatUse),
            0,
            bit(Kind::UsageGrowth),
            bit(Kind::Promoter),
            0,
            bit(Kind::LimitHit),
            0
        ]
    );
}

#[test]
fn seats_are_counted_or_told_as_a_share() {
    let day = date(2026, 11, 1);
    let mut percent = signal(3, 2, "licence.use", day, 95.0);
    percent.0.unit = Some("%".into());
    let b = book(RowDelta {
        accounts: vec![account(1), account(2), account(3), account(4)],
        signals: vec![
            signal(1, 1, "seats.used", day, 30.0),
            signal(2, 1, "seats.bought", date(2026, 10, 1), 40.0),
            percent,
            signal(4, 3, "licence.use", day, 0.5),
            signal(5, 4, "seats.used", day, 5.0),
            signal(6, 4, "seats.bought", day, 0.0),
        ],
        ..RowDelta::default()
    });
    let used: Vec<Option<f64>> = b
        .accounts()
        .map(|a| seat_use(&a, Day::of(Some(TODAY))).map(|(s, _)| s))
        .collect();
    assert_eq!(used, [Some(0.75), Some(0.95), Some(0.5), None]);
}

#[test]
fn missed_is_ready_without_an_open_opportunity_and_at_risk_is_not_ready() {
    let mut bad = growing(account(3), 200);
    bad.0.health = Some(10);
    let b = book(RowDelta {
        accounts: vec![growing(account(1), 200), growing(account(2), 200), bad],
        opportunities: vec![
            deal(1, 1, "open", 10, None),
            deal(2, 2, "lost", 10, Some(date(2026, 1, 1))),
        ],
        ..RowDelta::default()
    });
    let p = made(&b);
    assert_eq!(figure(&p, "growth.ready").value, Value::Count(2));
    assert_eq!(figure(&p, "growth.missed").value, Value::Count(1));
    let rows = table(&p, "Ready for more");
    assert_eq!(rows[0].account, Some(LocalId(2)));
    // 2,000 × 1 of 4 signals.
    assert_eq!(rows[0].cells[1].value, Value::Money(50_000));

    // Without any opportunity nobody can say who has none.
    let b = book(RowDelta {
        accounts: vec![growing(account(1), 200)],
        ..RowDelta::default()
    });
    let p = made(&b);
    assert!(
        matches!(&figure(&p, "growth.missed").value, Value::None(why) if why.contains("csops import"))
    );
    assert!(matches!(
        &figure(&p, "growth.conversion").value,
        Value::None(_)
    ));
}

#[test]
fn conversion_counts_what_closed_in_the_period_by_count_and_by_amount() {
    let in_period = Some(date(2026, 6, 1));
    let mut francs = deal(6, 1, "won", 7, in_period);
    francs.amount = Money::new(700, "CHF");
    let b = book(RowDelta {
        accounts: vec![account(1)],
        opportunities: vec![
            deal(1, 1, "won", 30, in_period),
            // The first day of 365 that end today.
            deal(2, 1, "lost", 10, Some(date(2025, 11, 27))),
            deal(3, 1, "lost", 99, Some(date(2025, 11, 26))),
            deal(4, 1, "open", 50, None),
            deal(5, 1, "won", 20, None),
            francs,
        ],
        ..RowDelta::default()
    });
    let p = made(&b);
    let count = figure(&p, "growth.conversion");
    assert_eq!(count.value, Value::Ratio(2.0 / 3.0));
    let why = count.why.as_ref().unwrap();
    assert_eq!((why.rows_in, why.rows_out), (3, 1));
    assert_eq!(why.left_out[0].reason, "won, and no day on which it closed");
    let amount = figure(&p, "growth.conversion_amount");
    assert_eq!(amount.value, Value::Ratio(0.75));
    assert_eq!(amount.why.as_ref().unwrap().coverage.no_rate, 1);
}

#[test]
fn leads_go_from_created_to_accepted_to_won() {
    let lead = |id: u32, stage: &str, accepted: bool, origin: &str| Opportunity {
        created: Some(date(2026, 3, 1)),
        accepted: accepted.then_some(date(2026, 3, 9)),
        origin: Some(origin.into()),
        ..deal(id, 1, stage, 10, None)
    };
    let b = book(RowDelta {
        accounts: vec![account(1)],
        opportunities: vec![
            lead(1, "open", false, "CSQL"),
            lead(2, "open", true, "Customer Success"),
            lead(3, "won", false, "csql"),
            lead(4, "lost", true, "CSQL"),
            lead(5, "won", true, "Web"),
            Opportunity {
                created: None,
                ..lead(6, "won", true, "CSQL")
            },
        ],
        ..RowDelta::default()
    });
    let p = made(&b);
    let leads = figure(&p, "growth.csql");
    assert_eq!(leads.value, Value::Count(4));
    assert_eq!(leads.why.as_ref().unwrap().rows_out, 1);
    let values: Vec<Vec<Value>> = table(&p, "Leads that")
        .iter()
        .map(|r| r.cells.iter().map(|c| c.value.clone()).collect())
        .collect();
    assert_eq!(
        values,
        [
            vec![Value::Count(4), Value::Empty, Value::Money(4_000)],
            vec![Value::Count(3), Value::Ratio(0.75), Value::Money(3_000)],
            vec![
                Value::Count(1),
                Value::Ratio(1.0 / 3.0),
                Value::Money(1_000)
            ],
        ]
    );
    assert_eq!(
        (Funnel::default().acceptance(), Funnel::default().win()),
        (None, None)
    );
}

#[test]
fn promoters_are_asked_when_healthy_and_not_asked_for_half_a_year() {
    let promoter = |id: u32, nps: u8, health: Option<u8>| {
        let mut a = account(id);
        a.0.nps = Some(nps);
        a.0.health = health;
        a
    };
    let b = book(RowDelta {
        accounts: vec![
            promoter(1, 9, Some(70)),
            promoter(2, 8, Some(90)),
            promoter(3, 10, Some(69)),
            promoter(4, 10, None),
            promoter(5, 10, Some(90)),
            promoter(6, 10, Some(90)),
        ],
        signals: vec![
            // 179 days ago, and 180.
            signal(1, 5, "advocacy.asked", date(2026, 5, 31), 1.0),
            signal(2, 6, "advocacy.asked", date(2026, 5, 30), 1.0),
        ],
        ..RowDelta::default()
    });
    let p = made(&b);
    assert_eq!(figure(&p, "growth.promoters").value, Value::Count(2));
    let ids: Vec<u32> = table(&p, "Promoters")
        .iter()
        .filter_map(|r| Some(r.account?.0))
        .collect();
    assert_eq!(ids, [6, 1], "most ARR first");
}

#[test]
fn nothing_closed_has_no_rate() {
    assert_eq!(Conversion::default().by_count(), None);
    assert_eq!(Conversion::default().by_amount(), None);
    let p = made(&Book::empty());
    assert!(matches!(&figure(&p, "growth.ready").value, Value::None(_)));
    assert!(matches!(
        &figure(&p, "growth.promoters").value,
        Value::None(_)
    ));
}

proptest! {
    #[test]
    fn the_order_rises_with_signals_and_arr_and_is_nothing_at_risk(
        set in 0_u8..16, arr in 0_i64..i64::MAX, more in 0_i64..1_000_000) {
        let own = opportunity(set, Some(arr), true);
        prop_assert!(0 <= own && own <= arr);
        prop_assert!(opportunity(set, Some(arr.saturating_add(more)), true) >= own - 4);
        for k in 0..4 {
            prop_assert!(opportunity(set | 1 << k, Some(arr), true) >= own);
        }
        prop_assert_eq!(opportunity(set, Some(arr), false), 0);
        prop_assert_eq!(opportunity(set, None, true), 0);
    }

    #[test]
    fn rates_lie_between_nothing_and_all_and_open_deals_change_nothing(
        deals in proptest::collection::vec((0_usize..3, 0_i64..1_000), 0..30)) {
        let stages = ["won", "lost", "open"];
        let rows = |with_open: bool| -> Vec<Opportunity> {
            (1..).zip(&deals)
                .filter(|(_, (s, _))| with_open || *s < 2)
                .map(|(id, (s, units))| deal(id, 1, stages[*s], *units, (*s < 2).then_some(date(2026, 5, 5))))
                .collect()
        };
        let page_of = |rows: Vec<Opportunity>| made(&book(RowDelta {
            accounts: vec![account(1)], opportunities: rows, ..RowDelta::default() }));
        let (with, without) = (page_of(rows(true)), page_of(rows(false)));
        for name in ["growth.conversion", "growth.conversion_amount"] {
            if let Some(n) = figure(&with, name).value.number() {
                prop_assert!((0.0..=1.0).contains(&n));
            }
            prop_assert_eq!(figure(&with, name).value.number(), figure(&without, name).value.number());
        }
    }
}
