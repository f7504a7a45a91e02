//! Scores worked out by hand and published ones, what never happens to a scale, and the loop.

use super::answers::{Kind, answers};
use super::closed::Tally;
use super::scale::Scale;
use super::score::{nps, score, wilson};
use super::*;
use crate::book::{Account, Book, Facts, LocalId, Money, Overlay, RowDelta, Signal, Task};
use crate::insight::page::{Block, Figure, Page, Value};
use jiff::civil::{Date, date};
use proptest::prelude::*;

const TODAY: Date = date(2026, 11, 26);

fn times(n: usize, value: f64) -> Vec<f64> {
    vec![value; n]
}

fn close(got: f64, want: f64) {
    assert!((got - want).abs() < 5e-4, "{got} is not {want}");
}

#[test]
fn nps_is_promoters_less_detractors_and_zero_detracts() {
    // 50 promoters, 30 passives, 20 detractors.
    let all = [times(50, 10.0), times(30, 7.0), times(20, 0.0)].concat();
    let n = nps(all).unwrap();
    assert_eq!((n.score, n.n()), (30, 100));
    // ±1.96·√((0.5 + 0.2 − 0.09)/100)·100 = ±1.96·7.8102 = ±15.308.
    close(n.interval.0, 30.0 - 15.308);
    close(n.interval.1, 30.0 + 15.308);
    // A published example: 3 promoters, 1 passive, 1 detractor.
    assert_eq!(nps([9.0, 9.0, 10.0, 8.0, 6.0]).unwrap().score, 40);
    assert_eq!(nps([0.0]).unwrap().score, -100);
    assert_eq!(nps([0.0]).unwrap().interval, (-100.0, -100.0));
    // 1 promoter and 2 passives: 33.33 becomes 33; the other way round −33.
    assert_eq!(nps([9.0, 8.0, 7.0]).unwrap().score, 33);
    assert_eq!(nps([6.0, 8.0, 7.0]).unwrap().score, -33);
    assert_eq!(nps([]), None);
}

#[test]
fn satisfaction_and_effort_by_each_method() {
    let five = Scale { low: 1, high: 5 };
    let csat = |top: usize, rest: usize, method| {
        let all = [times(top, 4.0), times(rest, 3.0)].concat();
        score(&all, five, method, 2).unwrap()
    };
    close(csat(84, 16, Method::Top).value, 0.84);
    close(csat(150, 100, Method::Top).value, 0.60);
    // Wilson, 84 of 100: (0.84 + 0.019208 ± 1.96·√(0.001344 + 0.00009604))/1.038416.
    let (from, to) = csat(84, 16, Method::Top).interval.unwrap();
    close(from, 0.7558);
    close(to, 0.8990);
    close(csat(84, 16, Method::Mean).value, 3.84);

    // 6+7+5+3+8+9+4+10+7+1 = 60 of 100 possible on a scale to 10.
    let ten = Scale { low: 1, high: 10 };
    let effort = [6.0, 7.0, 5.0, 3.0, 8.0, 9.0, 4.0, 10.0, 7.0, 1.0];
    close(score(&effort, ten, Method::Percent, 3).unwrap().value, 0.60);
    close(score(&effort, ten, Method::Mean, 3).unwrap().value, 6.0);
    // On 1–7, 5 and more agree.
    let seven = Scale { low: 1, high: 7 };
    let ces = [7.0, 6.0, 5.0, 4.0];
    close(score(&ces, seven, Method::Top, 3).unwrap().value, 0.75);
    // Mean 5.5, spread √(5/3) = 1.291, standard error 0.6455: 5.5 ± 1.2652.
    let mean = score(&ces, seven, Method::Mean, 3).unwrap();
    close(mean.interval.unwrap().0, 4.2348);
    close(mean.interval.unwrap().1, 6.7652);
    assert_eq!(
        score(&[5.0], seven, Method::Mean, 3).unwrap().interval,
        None
    );
    assert_eq!(score(&[], seven, Method::Top, 3), None);
}

#[test]
fn a_unit_names_its_scale() {
    let default = Scale { low: 1, high: 5 };
    for (unit, low, high) in [
        ("1-5", 1, 5),
        ("0–10", 0, 10),
        ("1 to 7", 1, 7),
        ("of 7", 1, 7),
        ("/10", 1, 10),
        ("%", 0, 100),
        ("percent", 0, 100),
        ("points", 1, 5),
        ("", 1, 5),
        // Nonsense says nothing.
        ("7-1", 1, 5),
        ("99999", 1, 255),
    ] {
        assert_eq!(Scale::of(unit, default), Scale { low, high }, "{unit}");
    }
}

/// An answer: account, kind, day, value, unit, followed up on.
type Said<'a> = (u32, &'a str, Option<Date>, f64, &'a str, Option<Date>);

fn heard(said: &[Said<'_>]) -> Book {
    let accounts = (1..=4)
        .map(|id| {
            let account = Account {
                id: LocalId(id),
                name: format!("Customer {id}"),
                segment: Some(if id < 3 { "enterprise" } else { "smb" }.into()),
                arr: Money::new(i64::from(id) * 1_000, "USD"),
                ..Account::default()
            };
            (account, Facts::default())
        })
        .collect();
    let signals = said
        .iter()
        .enumerate()
        .map(|(i, (account, kind, at, value, unit, followed))| {
            let signal = Signal {
                id: LocalId(i as u32 + 1),
                account: Some(LocalId(*account)),
                kind: (*kind).into(),
                at: *at,
                value: Some(*value),
                unit: Some((*unit).into()),
                text: None,
            };
            (signal, *followed)
        })
        .collect();
    let delta = RowDelta {
        accounts,
        signals,
        ..RowDelta::default()
    };
    Book::empty().apply(delta, &Overlay::default())
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

#[test]
fn an_account_counts_once_and_what_is_no_answer_is_left_out_with_its_reason() {
    let day = |d: i8| Some(date(2026, 11, d));
    let b = heard(&[
        (1, "nps", day(1), 10.0, "points", None),
        (1, "nps", day(2), 10.0, "points", None),
        (1, "nps", day(3), 0.0, "points", None),
        (2, "nps", day(4), 3.0, "points", None),
        (3, "nps", day(5), 9.0, "points", None),
        (3, "nps", day(6), 11.0, "points", None),
        (4, "nps", None, 9.0, "points", None),
        (4, "nps", day(27), 9.0, "points", None),
        (4, "nps", Some(date(2025, 11, 26)), 0.0, "points", None),
    ]);
    let p = made(&b);
    // 3 promoters and 2 detractors of 5 answers; by account: 6.67 passive, 3 detractor, 9 promoter.
    let all = figure(&p, "voice.nps");
    assert_eq!(all.value, Value::Number(20.0, 0));
    assert_eq!(
        figure(&p, "voice.nps_accounts").value,
        Value::Number(0.0, 0)
    );
    let why = all.why.as_ref().unwrap();
    assert_eq!((why.rows_in, why.rows_out), (5, 3));
    assert_eq!((why.coverage.known, why.coverage.of), (3, 4));
    let reasons: Vec<&str> = why.left_out.iter().map(|l| l.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "11 is not on the scale 0–10",
            "no day: it belongs to no period",
            "is yet to come"
        ]
    );
    assert_eq!(
        figure(&p, "voice.csat").value,
        Value::None("no CSAT answer in this period".into())
    );
}

#[test]
fn two_scales_are_never_one_figure() {
    let day = |d: i8| Some(date(2026, 11, d));
    let b = heard(&[
        (1, "csat", day(1), 5.0, "1-5", None),
        (2, "csat", day(2), 2.0, "1-5", None),
        (3, "csat", day(3), 10.0, "1-10", None),
    ]);
    let p = made(&b);
    assert_eq!(figure(&p, "voice.csat").value, Value::Ratio(0.5));
    let lines: Vec<&str> = p
        .blocks
        .iter()
        .filter_map(|b| match b {
            Block::Lines { title, .. } => Some(title.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(lines, ["CSAT top by month, scale 1–5"]);
    let warned = p
        .blocks
        .iter()
        .any(|b| matches!(b, Block::Text { text } if text.ends_with("1 of 3 CSAT answers.")));
    assert!(warned, "the page says that an answer is left out");
}

#[test]
fn the_loop_is_closed_by_a_talk_in_time_and_what_has_time_left_counts_neither_way() {
    let day = |d: i8| Some(date(2026, 11, d));
    let mut book = heard(&[
        (1, "nps", day(1), 6.0, "", day(3)),
        (1, "nps", day(10), 2.0, "", day(13)),
        (2, "nps", day(5), 0.0, "", None),
        (3, "nps", day(24), 1.0, "", None),
        (4, "csat", day(7), 2.0, "", None),
        (4, "nps", day(7), 8.0, "", None),
    ]);
    let settings = crate::insight::Settings::default();
    let tally = |book: &Book| {
        let p = made(book);
        figure(&p, "voice.loop_closed").value.clone()
    };
    // In time 1 (2 d), late 1 (3 d), missed 2 (one of CSAT); the one of two days ago has time.
    assert_eq!(tally(&book), Value::Ratio(0.25));
    // A call that was planned and made the day after the unhappy CSAT answer.
    let call = |kind: &str, class: Option<&str>| Task {
        id: LocalId(1),
        account: Some(LocalId(4)),
        title: "Talk".into(),
        status_kind: Some("done".into()),
        kind: Some(kind.into()),
        class: class.map(Into::into),
        completed_at: "2026-11-08T10:00:00Z".parse().ok(),
        ..Task::default()
    };
    for (kind, class, want) in [
        ("to_do", None, 0.25),
        ("to_do", Some("Follow-up"), 0.5),
        ("call", None, 0.5),
    ] {
        book = book.apply(
            RowDelta {
                tasks: vec![call(kind, class)],
                ..RowDelta::default()
            },
            &Overlay::default(),
        );
        assert_eq!(tally(&book), Value::Ratio(want), "{kind} {class:?}");
    }
    assert_eq!(settings.voice.follow_up_days(), 2);
    let p = made(&book);
    let Some(Block::Table { rows, .. }) = p.blocks.last() else {
        panic!("the list comes last");
    };
    let open: Vec<Option<LocalId>> = rows.iter().map(|r| r.account).collect();
    assert_eq!(open, [Some(LocalId(3)), Some(LocalId(2))], "most ARR first");
    assert_eq!(Tally::default().share(), None);
}

#[test]
fn an_answer_of_the_accounts_own_record_counts_where_no_survey_sent_one() {
    let book = heard(&[(1, "nps", Some(date(2026, 11, 1)), 10.0, "", None)]);
    let own = |id: u32, at: Option<Date>| {
        let mut row = book.account_by_id(LocalId(id)).unwrap().to_row();
        row.0.nps = Some(3);
        row.1.nps_at = at;
        row
    };
    let book = book.apply(
        RowDelta {
            accounts: vec![
                own(1, Some(date(2026, 11, 1))),
                own(2, Some(date(2026, 11, 2))),
                own(3, None),
            ],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    assert_eq!(
        figure(&made(&book), "voice.nps").value,
        Value::Number(0.0, 0)
    );
}

proptest! {
    #[test]
    fn an_nps_lies_within_its_interval_and_does_not_hang_on_the_order(
        mut all in proptest::collection::vec(0_u8..=10, 1..60)) {
        let of = |all: &[u8]| nps(all.iter().map(|a| f64::from(*a))).unwrap();
        let n = of(&all);
        prop_assert!((-100..=100).contains(&n.score));
        prop_assert!(n.interval.0 - 0.5 <= n.score as f64 && n.score as f64 <= n.interval.1 + 0.5);
        prop_assert!(-100.0 <= n.interval.0 && n.interval.1 <= 100.0);
        all.reverse();
        prop_assert_eq!(of(&all), n);
        // One more promoter never lowers it.
        all.push(10);
        prop_assert!(of(&all).score >= n.score);
    }

    #[test]
    fn a_share_lies_within_wilsons_interval(k in 0_usize..50, more in 0_usize..50) {
        prop_assume!(k + more > 0);
        let (from, to) = wilson(k, k + more);
        let p = k as f64 / (k + more) as f64;
        prop_assert!(0.0 <= from && from <= p + 1e-12 && p <= to + 1e-12 && to <= 1.0);
    }

    #[test]
    fn every_answer_of_the_period_counts_or_is_left_out(
        said in proptest::collection::vec((1_u32..=4, -2_i32..13, 0_usize..3, 1_i8..=30), 0..40)) {
        let said: Vec<Said<'_>> = said
            .into_iter()
            .map(|(account, value, unit, d)| {
                let unit = ["1-5", "1-10", ""][unit];
                (account, "csat", Some(date(2026, 11, d)), f64::from(value), unit, None)
            })
            .collect();
        let b = heard(&said);
        let settings = crate::insight::Settings::default();
        let derived = crate::book::Derived::default();
        let input = crate::insight::page::Input {
            book: &b, derived: &derived, today: TODAY, calendar: &crate::book::Calendar::default(),
            settings: &settings, mine: None, history: &Default::default(), choices: &Default::default(), forecasts: &[],
        };
        let found = answers(&input, &settings.voice, Kind::Csat);
        prop_assert_eq!(found.counted.len() + found.left_out.len(), said.len());
        if let Some(scale) = found.scale {
            prop_assert!(found.counted.iter().all(|a| scale.holds(a.value)));
        }
    }
}
