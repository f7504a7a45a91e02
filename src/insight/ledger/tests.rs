//! What becomes of rows that are odd, and of accounts that have no subscriptions.

use super::*;
use crate::book::{Facts, LocalId, Money, Opportunity, Overlay, RowDelta};
use crate::insight::retention::fixture::{Fixture, TODAY, day};

fn said(ledger: &Ledger) -> Vec<(String, String)> {
    let all = ledger.problems.list.iter();
    all.map(|p| (p.row.clone(), p.reason.clone())).collect()
}

/// The only problem of some subscriptions: its row and its reason; and how many accounts can be used.
fn problem(rows: &[&str]) -> (String, String, usize) {
    let mut f = Fixture::default();
    for row in rows {
        f.sold(row);
    }
    let ledger = f.ledger();
    let mut all = said(&ledger);
    assert_eq!(all.len(), 1, "{all:?}");
    let (row, reason) = all.remove(0);
    (row, reason, ledger.accounts.len())
}

#[test]
fn each_bad_row_is_listed_with_its_account_line_and_day_and_the_reason() {
    for (rows, row, reason, usable) in [
        (
            vec![
                "A,L,new,2024-01-01,2024-12-31,100",
                "A,M,new,0202-01-01,2024-12-31,100",
            ],
            "A, line M, 0202-01-01",
            "impossible date",
            1,
        ),
        (
            vec!["A,L,new,2999-01-01,,100"],
            "A, line L, 2999-01-01",
            "impossible date",
            0,
        ),
        (
            vec!["A,L,new,2024-01-01,0202-12-31,100"],
            "A, line L, 2024-01-01",
            "ends on 0202-12-31, before it starts",
            0,
        ),
        (vec!["A,L,new,,2024-12-31,100"], "A, line L", "no start", 0),
        (
            vec!["A,L,new,2024-01-01,,"],
            "A, line L, 2024-01-01",
            "no amount",
            0,
        ),
        (
            vec![
                "A,L,new,2024-01-01,2024-12-31,100",
                "A,L,new,2024-01-01,2024-12-31,100",
            ],
            "A, line L, 2024-01-01",
            "a duplicate",
            1,
        ),
        (
            vec![
                "A,L,new,2024-01-01,2024-12-31,100",
                "A,L,new,2024-01-01,2024-12-31,90",
            ],
            "A",
            "overlapping subscriptions: line L begins on 2024-01-01 in two rows",
            0,
        ),
        (
            vec![
                "A,L,new,2024-01-01,2024-12-31,100",
                "A,L,new,2024-07-01,2025-06-30,90",
            ],
            "A",
            "overlapping subscriptions: line L begins on 2024-07-01 while the row before runs until 2024-12-31",
            0,
        ),
        (
            vec![
                "A,L,,2024-01-01,2024-12-31,100",
                "A,L,,2024-07-01,2025-06-30,90",
            ],
            "A",
            "overlapping subscriptions",
            0,
        ),
        (
            vec!["A,L,new,2024-01-01,,100", "A,M,new,2024-01-01,,100,EUR"],
            "A",
            "two currencies in one account (USD, EUR)",
            0,
        ),
    ] {
        let (found, why, accounts) = problem(&rows);
        assert_eq!((found.as_str(), accounts), (row, usable), "{why}");
        assert!(why.contains(reason), "{why}");
    }
}

#[test]
fn a_cancellation_before_the_start_is_a_churn_that_cannot_be() {
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,2024-12-31,100").cancelled = day("2023-06-01");
    let all = said(&f.ledger());
    assert!(all[0].1.starts_with("churn before the start"), "{all:?}");
}

#[test]
fn an_end_that_is_a_way_of_writing_never_counts_as_running_on() {
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,2999-12-31,100");
    let ledger = f.ledger();
    assert_eq!((ledger.problems.count, ledger.notices.count), (0, 1));
    assert_eq!(ledger.stretches[0].end, NEVER);
}

#[test]
fn what_began_a_row_is_told_from_where_it_stands() {
    let began = |rows: &[&str]| {
        let mut f = Fixture::default();
        for row in rows {
            f.sold(row);
        }
        let ledger = f.ledger();
        assert_eq!(said(&ledger), []);
        ledger.stretches.iter().map(|s| s.began).collect::<Vec<_>>()
    };
    // The first row of a line, one that follows an ended one, and a step inside a term.
    assert_eq!(
        began(&[
            "A,L,,2024-01-01,2024-12-31,100",
            "A,L,,2025-01-01,2025-12-31,110",
            "A,L,,2025-03-01,2025-12-31,120"
        ]),
        [Began::New, Began::Renewal, Began::Amendment]
    );
    // A last day that is the next first day is no overlap.
    assert_eq!(
        began(&[
            "A,L,,2024-01-01,2025-01-01,100",
            "A,L,,2025-01-01,2026-01-01,110"
        ]),
        [Began::New, Began::Renewal]
    );
    // Without a line's name rows of one product are a line.
    let mut f = Fixture::default();
    f.sold("A,,,2024-01-01,,100").product = Some("Core".into());
    f.sold("A,,,2024-01-01,,50").product = Some("Extra".into());
    let ledger = f.ledger();
    assert_eq!((ledger.lines.len(), ledger.problems.count), (2, 0));
}

#[test]
fn a_step_that_ends_before_its_term_gives_way_to_it_again() {
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,2026-12-31,100");
    f.sold("A,L,amendment,2025-01-01,2025-06-30,80");
    let ledger = f.ledger();
    let rows: Vec<(i64, i32)> = ledger.stretches.iter().map(|s| (s.minor, s.end)).collect();
    let until = |d: &str| crate::book::day::days(day(d).unwrap());
    assert_eq!(
        rows,
        [
            (10_000, until("2026-12-31")),
            (8_000, until("2025-06-30")),
            (10_000, until("2026-12-31"))
        ]
    );
    let t = f.report("", "2025-01-01", "2025-12-31").totals;
    assert_eq!((t.gross(), t.sum.due), (Some(1.0), 0));
    let t = f.report("", "2025-01-01", "2025-03-31").totals;
    assert_eq!(t.gross(), Some(0.8));
}

#[test]
fn two_currencies_count_each_at_its_own_rate_when_that_is_wanted() {
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,,100");
    f.sold("A,M,new,2024-01-01,,100,EUR");
    f.rate("2024-01-01", "EUR", 1.1, "spot");
    let ledger = build(&f.book(), TODAY, Mixed::Convert);
    assert_eq!((ledger.accounts.len(), ledger.problems.count), (1, 0));
}

#[test]
fn a_missing_rate_leaves_the_account_out_and_counts_it() {
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,,100");
    f.sold("B,L,new,2024-01-01,,100,EUR");
    let r = f.report("", "2025-01-01", "2025-12-31");
    assert_eq!((r.totals.sum.opening, r.coverage.no_rate), (10_000, 1));
    assert_eq!((r.coverage.known, r.coverage.of), (1, 2));
    let p = &r.excluded.list[0];
    assert_eq!(p.row, "B");
    assert_eq!(
        p.reason,
        "there is no rate from EUR to USD on or before 2024-12-31"
    );
    // A rate that comes later is none of the opening.
    f.rate("2025-02-01", "EUR", 1.1, "spot");
    assert_eq!(f.report("", "2025-01-01", "2025-12-31").coverage.no_rate, 1);
    f.rate("2024-12-31", "EUR", 1.1, "spot");
    assert_eq!(
        f.report("", "2025-01-01", "2025-12-31").totals.sum.opening,
        21_000
    );
}

#[test]
fn an_account_whose_arr_is_negative_is_left_out() {
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,,100");
    f.sold("A,Credit,new,2024-01-01,,-150");
    f.sold("B,L,new,2024-01-01,,100");
    let r = f.report("", "2025-01-01", "2025-12-31");
    assert_eq!((r.totals.customers, r.totals.gross()), (1, Some(1.0)));
    assert_eq!(
        r.excluded.list[0].reason,
        "its ARR is negative (-50.00 USD)"
    );
}

fn moved(rows: &[&str]) -> Fixture {
    let mut f = Fixture::default();
    for row in rows {
        f.moved(row);
    }
    f
}

#[test]
fn movements_are_replayed_line_by_line() {
    let f = moved(&[
        "A,L,2025-01-01,open,100",
        "A,L,2025-03-01,expansion,20",
        "A,L,2025-05-01,contraction,30",
        "A,M,2025-06-01,new,10",
        "B,L,2025-01-01,open,50",
        "B,L,2025-04-01,churn,50",
        "C,L,2024-02-01,new,40",
        "C,L,2025-07-01,price,4",
        "D,L,2025-02-01,new,70",
        "E,L,2024-06-01,new,24",
        "E,L,2025-02-01,churn,24",
        "E,L,2025-12-01,reactivation,20",
    ]);
    let r = f.report("price=separate", "2025-01-01", "2025-12-31");
    let s = r.totals.sum;
    assert_eq!(said(&f.ledger()), []);
    assert_eq!((s.opening, s.new, s.closing), (21_400, 7_000, 23_400));
    assert_eq!((s.expansion, s.contraction, s.churn), (0, 0, 7_400));
    assert_eq!((s.price, s.reactivation, s.check()), (400, 2_000, 0));
    assert_eq!((r.totals.customers, r.totals.lost), (4, 2));
    // An opening balance was there the day before, and nothing is known of what was before that.
    let r = f.report("", "2024-07-01", "2025-06-30");
    let out: Vec<&str> = r.excluded.list.iter().map(|p| p.row.as_str()).collect();
    assert_eq!(out, ["A", "B"]);
    assert!(r.excluded.list[0].reason.contains("begin on 2025-01-01"));
    assert_eq!(r.totals.sum.check(), 0);
}

#[test]
fn movements_that_do_not_tie_leave_the_account_out_with_the_first_row_that_does_not() {
    for (rows, reason) in [
        (vec!["A,L,2025-03-01,churn,50"], "churn before the start"),
        (
            vec!["A,L,2025-01-01,new,50", "A,L,2025-03-01,churn,60"],
            "line L, 2025-03-01: churn of 60.00 USD where 50.00 USD stands",
        ),
        (
            vec!["A,L,2025-01-01,new,50", "A,L,2025-03-01,contraction,60"],
            "contraction of 60.00 USD where 50.00 USD stands",
        ),
        (
            vec!["A,L,2025-01-01,new,50", "A,L,2025-03-01,new,60"],
            "new where 50.00 USD stands already",
        ),
        (
            vec!["A,L,2025-03-01,expansion,50"],
            "expansion where nothing stands",
        ),
        (
            vec!["A,L,2025-03-01,reactivation,50"],
            "a reactivation of what was never there",
        ),
    ] {
        let ledger = moved(&rows).ledger();
        let all = said(&ledger);
        assert_eq!((all.len(), all[0].0.as_str()), (1, "A"), "{all:?}");
        assert!(
            all[0].1.starts_with("movements that do not tie: "),
            "{all:?}"
        );
        assert!(all[0].1.contains(reason), "{all:?}");
        assert!(ledger.accounts.is_empty());
    }
    let ledger = moved(&[
        "A,L,2025-01-01,new,50",
        "A,L,2025-02-01,expansion,5",
        "A,L,2025-02-01,expansion,5",
        "A,L,0202-03-01,expansion,5",
        "A,L,2025-04-01,gift,5",
        "A,L,2025-04-02,expansion,",
    ])
    .ledger();
    let reasons: Vec<String> = said(&ledger).into_iter().map(|(_, why)| why).collect();
    assert_eq!(ledger.accounts.len(), 1);
    for why in [
        "a duplicate",
        "impossible date",
        "none of those",
        "no amount",
    ] {
        assert!(
            reasons.iter().any(|r| r.contains(why)),
            "{why}: {reasons:?}"
        );
    }
    assert_eq!(reasons.len(), 4);
}

#[test]
fn a_line_may_be_replaced_on_one_day() {
    let f = moved(&[
        "A,L,2024-01-01,new,50",
        "A,L,2025-03-01,churn,50",
        "A,L,2025-03-01,reactivation,70",
    ]);
    let t = f.report("", "2025-01-01", "2025-12-31").totals.sum;
    assert_eq!((t.opening, t.expansion, t.closing), (5_000, 2_000, 7_000));
}

#[test]
fn closed_renewals_are_taken_back_from_the_arr_of_today() {
    let mut f = Fixture::default();
    f.account("A").arr = Money::new(12_000, "USD");
    f.renewal("A,2025-03-31,won,100,90");
    f.renewal("A,2026-03-31,won,90,120");
    f.account("B").arr = None;
    f.renewal("B,2025-06-30,lost,50,50");
    f.account("C").arr = Money::new(3_000, "USD");
    f.account("C").start = day("2025-02-01");
    f.account("Nobody");
    f.account("Prospect").arr = Money::new(0, "USD");
    let ledger = f.ledger();
    assert_eq!((ledger.sources, ledger.of), ([0, 0, 3], 3));
    assert_eq!(ledger.source(), "closed renewals of 3 accounts");
    let t = f.report("", "2025-01-01", "2025-12-31").totals;
    assert_eq!(
        (t.sum.opening, t.sum.kept, t.sum.new),
        (15_000, 9_000, 3_000)
    );
    assert_eq!((t.sum.contraction, t.sum.churn, t.lost), (1_000, 5_000, 1));
    assert_eq!((t.sum.due, t.sum.due_kept, t.due_lost), (15_000, 9_000, 1));
    // Taken back, this one would have been negative.
    let mut f = Fixture::default();
    f.account("A").arr = Money::new(1_000, "USD");
    f.renewal("A,2025-03-31,won,100,190");
    assert!(
        said(&f.ledger())[0]
            .1
            .contains("do not tie to its ARR of today")
    );
}

#[test]
fn a_won_opportunity_added_its_amount_when_it_closed() {
    let account = crate::book::Account {
        id: LocalId(1),
        name: "A".into(),
        arr: Money::new(15_000, "USD"),
        ..crate::book::Account::default()
    };
    let deal = |id: u32, kind: &str, closed: &str| Opportunity {
        id: LocalId(id),
        account: Some(LocalId(1)),
        amount: Money::new(5_000, "USD"),
        stage_kind: Some(kind.into()),
        closed: day(closed),
        ..Opportunity::default()
    };
    let book = Book::empty().apply(
        RowDelta {
            accounts: vec![(account, Facts::default())],
            opportunities: vec![deal(1, "won", "2025-05-01"), deal(2, "open", "2025-06-01")],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    let ledger = build(&book, TODAY, Mixed::Exclude);
    let steps: Vec<i64> = ledger.stretches.iter().map(|s| s.minor).collect();
    assert_eq!(steps, [10_000, 15_000]);
}

#[test]
fn subscriptions_count_where_there_are_movements_as_well() {
    let mut f = Fixture::default();
    f.sold("A,L,new,2024-01-01,,100");
    f.moved("A,L,2024-01-01,new,90");
    let ledger = f.ledger();
    assert_eq!(ledger.sources, [1, 0, 0]);
    assert!(said(&ledger)[0].1.contains("its movements do not"));
}
