//! Time to value with those who still wait, worked out by hand, and the board on a small book.

use super::journey::{Standing, journey};
use super::survival::{Span, curve, finished_median, median, reached_within};
use super::*;
use crate::book::{Account, Book, Day, Facts, LocalId, Money, Overlay, RowDelta, Signal, Task};
use crate::insight::page::{Block, Figure, Page, State, Value};
use jiff::civil::{Date, date};
use proptest::prelude::*;

const TODAY: Date = date(2026, 11, 26);

fn span(days: i32, reached: bool) -> Span {
    Span { days, reached }
}

#[test]
fn who_waits_counts_and_the_median_of_the_finished_is_too_small() {
    // Four are there after 12, 20, 33 and 47 days, one waits for 60.
    let spans = [
        span(12, true),
        span(20, true),
        span(33, true),
        span(47, true),
        span(60, false),
    ];
    let steps = curve(&spans);
    let waiting: Vec<f64> = steps.iter().map(|s| s.waiting).collect();
    for (got, want) in waiting.iter().zip([0.8, 0.6, 0.4, 0.2]) {
        assert!((got - want).abs() < 1e-12, "{got} is not {want}");
    }
    assert_eq!(median(&steps), Some(33));
    assert_eq!(finished_median(&spans), Some(26.5));
    let within = |d| reached_within(&steps, &spans, d);
    assert_eq!(within(11), Some(0.0));
    assert!((within(33).unwrap() - 0.6).abs() < 1e-12);
    assert!((within(60).unwrap() - 0.8).abs() < 1e-12);
    assert_eq!(within(61), None, "nobody was watched for so long");
}

#[test]
fn whoever_leaves_the_watch_early_is_no_longer_at_risk() {
    // Freireich's remission times under 6-MP (1963): a standard example of the estimate, median 23 weeks.
    let spans = [
        (6, true),
        (6, true),
        (6, true),
        (6, false),
        (7, true),
        (9, false),
        (10, true),
        (10, false),
        (11, false),
        (13, true),
        (16, true),
        (17, false),
        (19, false),
        (20, false),
        (22, true),
        (23, true),
        (25, false),
        (32, false),
        (32, false),
        (34, false),
        (35, false),
    ]
    .map(|(d, r)| span(d, r));
    let steps = curve(&spans);
    let got: Vec<(i32, usize, f64)> = steps
        .iter()
        .map(|s| (s.days, s.at_risk, (s.waiting * 1e4).round() / 1e4))
        .collect();
    assert_eq!(
        got,
        [
            (6, 21, 0.8571),
            (7, 17, 0.8067),
            (10, 15, 0.7529),
            (13, 12, 0.6902),
            (16, 11, 0.6275),
            (22, 7, 0.5378),
            (23, 6, 0.4482)
        ]
    );
    assert_eq!(median(&steps), Some(23));
}

#[test]
fn without_enough_who_are_there_no_median_is_known() {
    assert_eq!(median(&curve(&[])), None);
    assert_eq!(median(&curve(&[span(10, false), span(20, false)])), None);
    assert_eq!(
        median(&curve(&[span(5, true), span(9, false), span(9, false)])),
        None
    );
    assert_eq!(finished_median(&[span(10, false)]), None);
    // Exactly half is the median.
    assert_eq!(median(&curve(&[span(5, true), span(9, false)])), Some(5));
}

proptest! {
    #[test]
    fn the_curve_falls_and_without_waiting_it_is_the_plain_share(
        spans in proptest::collection::vec((0_i32..100, any::<bool>()), 1..40)) {
        let spans: Vec<Span> = spans.into_iter().map(|(d, r)| span(d, r)).collect();
        let steps = curve(&spans);
        prop_assert!(steps.windows(2).all(|w| w[0].waiting > w[1].waiting && w[0].days < w[1].days));
        prop_assert!(steps.iter().all(|s| (0.0..1.0).contains(&s.waiting)));
        // Whoever waits can only make it longer than it is for those who are there.
        let there: Vec<Span> = spans.iter().filter(|s| s.reached).copied().collect();
        let short = median(&curve(&there));
        prop_assert!(median(&steps).is_none_or(|m| short.is_some_and(|s| m >= s)));
        let finished: Vec<Span> = spans.iter().map(|s| span(s.days, true)).collect();
        let steps = curve(&finished);
        for s in &steps {
            let after = finished.iter().filter(|f| f.days > s.days).count();
            prop_assert!((s.waiting - after as f64 / finished.len() as f64).abs() < 1e-9);
        }
    }
}

fn account(id: u32, start: Option<Date>, stage: Option<&str>) -> (Account, Facts) {
    let account = Account {
        id: LocalId(id),
        name: format!("Customer {id}"),
        start,
        stage: stage.map(Into::into),
        arr: Money::new(i64::from(id) * 1_000, "USD"),
        ..Account::default()
    };
    (account, Facts::default())
}

fn mark(id: u32, account: u32, kind: &str, at: Date) -> (Signal, Option<Date>) {
    let signal = Signal {
        id: LocalId(id),
        account: Some(LocalId(account)),
        kind: kind.into(),
        at: Some(at),
        value: Some(1.0),
        ..Signal::default()
    };
    (signal, None)
}

fn task(id: u32, account: u32, due: Option<Date>, done: Option<&str>) -> Task {
    Task {
        id: LocalId(id),
        account: Some(LocalId(account)),
        title: format!("Step {id}"),
        due,
        class: Some("Onboarding".into()),
        status_kind: done.map(|_| "done".into()),
        completed_at: done.and_then(|d| d.parse().ok()),
        ..Task::default()
    }
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

/// The day so many days before today.
fn ago(days: i32) -> Date {
    Day(Day::of(Some(TODAY)).0 - days).date().unwrap()
}

#[test]
fn the_page_measures_from_the_first_day_and_tells_what_it_left_out() {
    let mut accounts: Vec<_> = [100, 100, 100, 100, 60]
        .into_iter()
        .zip(1..)
        .map(|(days, id)| account(id, Some(ago(days)), Some("Adopting")))
        .collect();
    accounts.push(account(6, None, Some("Adopting")));
    accounts.push(account(7, Some(ago(-3)), Some("Adopting")));
    accounts.push(account(8, Some(ago(50)), Some("Adopting")));
    // Too long ago to be of the cohort.
    accounts.push(account(9, Some(ago(731)), Some("Adopting")));
    let at = |days: i32| ago(100 - days);
    let book = Book::empty().apply(
        RowDelta {
            accounts,
            signals: vec![
                mark(1, 1, "milestone.first_value", at(12)),
                mark(2, 2, "milestone.first_value", at(20)),
                mark(3, 3, "milestone.first_value", at(33)),
                mark(4, 4, "milestone.first_value", at(47)),
                // Told again: the earliest counts.
                mark(5, 1, "milestone.first_value", at(90)),
                mark(6, 8, "milestone.first_value", ago(51)),
            ],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    let p = made(&book);
    let first = figure(&p, "onboarding.first_value");
    assert_eq!(first.value, Value::Days(33.0));
    assert_eq!(first.state, State::Good);
    let why = first.why.as_ref().unwrap();
    assert_eq!((why.rows_in, why.rows_out), (5, 3));
    let reasons: Vec<&str> = why.left_out.iter().map(|l| l.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "no day since which it is a customer",
            "begins in the future",
            "reached before it began"
        ]
    );
    let finished = why
        .steps
        .iter()
        .find(|(s, _)| s.starts_with("median of those"));
    assert_eq!(finished.unwrap().1, Value::Days(26.5));
    assert_eq!(
        figure(&p, "onboarding.full_value").value,
        Value::None(
            "no milestone.full_value of theirs has come; csops import --kind signals takes them"
                .into()
        )
    );
}

#[test]
fn the_board_holds_who_is_under_way_and_the_late_come_first() {
    let day = |n: i32| Some(ago(n));
    let book = Book::empty().apply(
        RowDelta {
            accounts: vec![
                account(1, day(20), Some("Onboarding phase 2")),
                account(2, day(100), Some("Implementation")),
                account(3, day(20), Some("Live")),
                account(4, day(20), None),
                account(5, day(200), None),
                account(6, day(20), None),
                account(7, day(400), Some("Live")),
            ],
            signals: vec![
                mark(1, 6, "milestone.full_value", ago(1)),
                mark(2, 1, "milestone.kickoff", ago(10)),
            ],
            tasks: vec![
                task(1, 1, day(5), Some("2026-11-20T10:00:00Z")),
                task(2, 1, day(5), Some("2026-11-23T10:00:00Z")),
                task(3, 1, day(2), None),
                task(4, 1, day(-2), None),
                task(5, 7, None, None),
                // Done, and nobody knows when: neither in time nor late.
                Task {
                    status_kind: Some("done".into()),
                    ..task(6, 7, day(9), None)
                },
            ],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    let p = made(&book);
    assert_eq!(figure(&p, "onboarding.accounts").value, Value::Count(3));
    assert_eq!(figure(&p, "onboarding.arr").value, Value::Money(7_000));
    assert_eq!(figure(&p, "onboarding.late").value, Value::Count(1));
    // In time 1, done late 1, late 1; two are not due yet.
    assert_eq!(
        figure(&p, "onboarding.on_time").value,
        Value::Ratio(1.0 / 3.0)
    );
    let Some(Block::Table { rows, .. }) = p.blocks.last() else {
        panic!("the board comes last");
    };
    let ids: Vec<u32> = rows.iter().filter_map(|r| Some(r.account?.0)).collect();
    // Customer 2 waits for its first value for more than 90 days, customer 1 has a late step.
    assert_eq!(ids, [2, 1, 7, 4]);
    assert_eq!(rows[1].cells[4].value, Value::Text("3 of 5".into()));
    assert_eq!(rows[2].cells[4].value, Value::Text("1 of 2".into()));
    let why = figure(&p, "onboarding.on_time").why.clone().unwrap();
    assert_eq!((why.rows_in, why.rows_out), (3, 3));
    assert_eq!(rows[0].cells[1].state, State::Bad);
    let a = book.account_by_id(LocalId(1)).unwrap();
    let j = journey(a, Day::of(Some(TODAY)), &Settings::default());
    let standings: Vec<(u32, Standing)> = j
        .milestones
        .iter()
        .map(|m| (m.task.id().0, m.standing))
        .collect();
    assert_eq!(
        standings,
        [
            (3, Standing::Late),
            (4, Standing::Due),
            (1, Standing::Done),
            (2, Standing::DoneLate)
        ]
    );
}

#[test]
fn an_empty_book_has_no_figure_and_says_why() {
    let p = made(&Book::empty());
    assert_eq!(
        figure(&p, "onboarding.first_value").value,
        Value::None("no customer began in this time".into())
    );
    assert_eq!(
        figure(&p, "onboarding.on_time").value,
        Value::None("no milestone was due yet".into())
    );
    assert!(p.sentence.contains("not known"));
}
