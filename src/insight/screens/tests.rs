//! The screens' figures are those that the panes show, and each is explained.

use super::gather::{Gather, KEPT};
use crate::book::{
    Account, Book, Calendar, Derived, Facts, LocalId, Money, Overlay, Person, Renewal, RowDelta,
    Task,
};
use crate::insight::page::{Block, Choices, Figure, Input, PAGES, Page, Value, WhyRow};
use crate::insight::*;
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 22);

/// Three accounts of two CSMs, one without ARR and one in francs, with renewals and tasks.
fn book() -> (Book, Derived) {
    let account = |id: u32, csm: Option<u32>, arr: Option<Money>, health| {
        let a = Account {
            id: LocalId(id),
            name: format!("Account {id}"),
            csm: csm.map(LocalId),
            touch: Some(if id < 3 { "high" } else { "tech" }.into()),
            arr,
            health,
            ..Account::default()
        };
        (a, Facts::default())
    };
    let usd = |n: i64| Money::new(n * 100, "USD");
    let renewal = |id: u32, due, amount, stage: &str| Renewal {
        id: LocalId(id),
        account: Some(LocalId(id.min(4))),
        due,
        amount,
        stage_kind: Some(stage.into()),
        probability: Some(50),
        forecast: Some("commit".into()),
        ..Renewal::default()
    };
    let task = |id: u32, due| Task {
        id: LocalId(id),
        account: Some(LocalId(1)),
        title: format!("Task {id}"),
        due,
        owner: Some(LocalId(1)),
        ..Task::default()
    };
    let delta = RowDelta {
        people: vec![
            Person {
                id: LocalId(1),
                name: "Dana".into(),
                ..Person::default()
            },
            Person {
                id: LocalId(2),
                name: "Bo".into(),
                ..Person::default()
            },
        ],
        accounts: vec![
            account(1, Some(1), usd(1000), Some(20)),
            account(2, Some(2), usd(500), Some(90)),
            account(3, Some(1), None, None),
            account(4, None, Money::new(70_000, "CHF"), Some(30)),
        ],
        renewals: vec![
            renewal(1, Some(date(2026, 12, 5)), usd(1000), "open"),
            renewal(2, Some(date(2027, 2, 5)), usd(400), "open"),
            renewal(3, None, usd(5), "open"),
            renewal(4, Some(date(2026, 11, 2)), Money::new(100, "CHF"), "open"),
            renewal(5, Some(date(2026, 10, 2)), usd(80), "won"),
        ],
        tasks: vec![
            task(1, Some(date(2026, 11, 20))),
            task(2, Some(TODAY)),
            task(3, None),
            task(4, Some(date(2027, 1, 1))),
        ],
        ..RowDelta::default()
    };
    let book = Book::empty()
        .with_money("USD", &[], Some(TODAY))
        .apply(delta, &Overlay::default());
    let derived = derive(&book, TODAY, &Rules::default());
    (book, derived)
}

fn make(name: &str, choices: &[(&str, &str)], mine: Option<LocalId>) -> Page {
    let (book, derived) = book();
    let choices: Choices = choices
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let (_, _, make) = page::find(name).expect(name);
    make(&Input {
        book: &book,
        derived: &derived,
        today: TODAY,
        calendar: &Calendar::default(),
        settings: &Settings::default(),
        mine,
        history: &crate::book::History::default(),
        choices: &choices,
        forecasts: &[],
    })
}

fn figures(page: &Page) -> Vec<(&str, &Figure)> {
    page.blocks
        .iter()
        .flat_map(|b| -> Vec<(&str, &Figure)> {
            match b {
                Block::Figures { figures: list, .. }
                | Block::Bars { bars: list, .. }
                | Block::Waterfall { steps: list, .. } => list.iter().map(|f| ("", f)).collect(),
                Block::Table { rows, .. } | Block::Heat { rows, .. } => rows
                    .iter()
                    .flat_map(|r| r.cells.iter().map(|c| (r.label.as_str(), c)))
                    .collect(),
                Block::Lines { lines, .. } => lines
                    .iter()
                    .flat_map(|l| l.points.iter().map(|p| (l.label.as_str(), &p.1)))
                    .collect(),
                Block::Text { .. } => Vec::new(),
            }
        })
        .filter(|(_, f)| !matches!(f.value, Value::Empty))
        .collect()
}

/// The value of a figure, in a table of a row.
fn value(page: &Page, row: &str, name: &str) -> Value {
    figures(page)
        .into_iter()
        .find(|(r, f)| *r == row && f.name == name)
        .map(|(_, f)| f.value.clone())
        .unwrap_or_else(|| panic!("no {name} in {row:?}"))
}

#[test]
fn every_figure_of_every_screen_has_a_definition_and_an_explanation() {
    let mut pages: Vec<Page> = PAGES
        .iter()
        .map(|(name, _, _)| make(name, &[], None))
        .collect();
    pages.push(make("account", &[("account", "1")], None));
    pages.push(make("account", &[("account", "3")], None));
    pages.push(make("renewals", &[("renewal", "1")], None));
    pages.push(make("tasks", &[], Some(LocalId(1))));
    for by in ["touch", "segment", "csm", "region"] {
        pages.push(make("segments", &[("by", by)], None));
    }
    let source = crate::book::SourceStatus {
        streams: vec![crate::book::StreamStatus::default()],
        ..Default::default()
    };
    let now = jiff::Timestamp::UNIX_EPOCH;
    pages.push(super::sync::page(&[source], &[], now, None));
    for page in &pages {
        for (row, f) in figures(page) {
            if matches!(f.value, Value::Text(_)) && f.name.is_empty() {
                continue;
            }
            assert!(
                definition(f.name).is_some(),
                "{}: {row} {} has no definition `{}`",
                page.name,
                f.label,
                f.name
            );
            assert!(f.why.is_some(), "{}: {row} {}", page.name, f.name);
        }
    }
}

#[test]
fn definitions_stand_once() {
    let mut seen = std::collections::HashSet::new();
    for d in definitions() {
        assert!(seen.insert(d.name), "{} is defined twice", d.name);
        assert!(!d.title.is_empty() && !d.formula.is_empty(), "{}", d.name);
    }
}

#[test]
fn the_header_is_explained_down_to_its_rows() {
    let (book, derived) = book();
    for mine in [None, Some(LocalId(1))] {
        let h = header(&book, &derived, TODAY, mine);
        let page = make("overview", &[], mine);
        assert_eq!(value(&page, "", "arr"), Value::Money(h.arr));
        assert_eq!(value(&page, "", "at_risk"), Value::Money(h.at_risk));
        assert_eq!(value(&page, "", "due_90d"), Value::Money(h.due));
        for (name, coverage) in [
            ("arr", h.arr_coverage),
            ("at_risk", h.at_risk_coverage),
            ("due_90d", h.due_coverage),
            ("coverage", h.health_coverage),
            ("dates_known", h.date_coverage),
        ] {
            let all = figures(&page);
            let (_, f) = all.iter().find(|(_, f)| f.name == name).expect(name);
            let why = f.why.as_deref().expect(name);
            assert_eq!(why.coverage, coverage, "{name}");
            assert_eq!(
                (why.rows_in, why.rows_out),
                (coverage.known, coverage.of - coverage.known)
            );
        }
    }
    // By hand: 1000 + 500, account 3 without ARR, account 4 in francs without a rate.
    let page = make("overview", &[], None);
    let all = figures(&page);
    let (_, arr) = all.iter().find(|(_, f)| f.name == "arr").expect("ARR");
    let why = arr.why.as_deref().expect("why");
    assert_eq!(arr.value, Value::Money(150_000));
    let rows: Vec<(&str, &[Value])> = why
        .rows
        .iter()
        .map(|r| (r.label.as_str(), r.values.as_slice()))
        .collect();
    assert_eq!(
        rows,
        [
            ("Account 1", &[Value::Money(100_000)][..]),
            ("Account 2", &[Value::Money(50_000)][..])
        ]
    );
    let out: Vec<String> = why
        .left_out
        .iter()
        .map(|x| format!("{}: {}", x.row, x.reason))
        .collect();
    assert_eq!(
        out,
        [
            "Account 3: no ARR is known",
            "Account 4: its currency has no rate"
        ]
    );
    assert_eq!(why.coverage.no_rate, 1);
}

#[test]
fn the_renewal_in_focus_is_explained() {
    let page = make("renewals", &[("renewal", "1")], None);
    assert_eq!(value(&page, "", "renewals_amount"), Value::Money(100_000));
    assert_eq!(value(&page, "", "forecast.probability"), Value::Ratio(0.5));
    // 1000 at 50 %.
    assert_eq!(value(&page, "", "forecast.weighted"), Value::Money(50_000));
    assert_eq!(value(&page, "", "renewal_days"), Value::Days(13.0));
    let page = make("renewals", &[("renewal", "4")], None);
    assert!(
        matches!(value(&page, "", "forecast.weighted"), Value::None(_)),
        "no rate for francs"
    );
    assert_eq!(value(&page, "", "renewal_days"), Value::Days(-20.0));
    assert!(make("renewals", &[], None).blocks.is_empty());
}

#[test]
fn the_segments_and_tasks_pages_say_what_the_panes_show() {
    let (book, derived) = book();
    let made = segments(&book, &derived, TODAY, GroupBy::Touch, &Settings::default());
    let page = make("segments", &[("by", "touch"), ("group", "tech")], None);
    for r in &made.rows {
        assert_eq!(
            value(&page, &r.key, "accounts"),
            Value::Count(r.accounts as i64)
        );
        assert_eq!(value(&page, &r.key, "arr"), Value::Money(r.arr));
        assert_eq!(value(&page, &r.key, "at_risk"), Value::Money(r.at_risk));
        assert_eq!(
            value(&page, &r.key, "accounts_per_csm").number(),
            r.accounts_per_csm
        );
    }
    assert!(
        matches!(&page.blocks[0], Block::Table { rows, .. } if rows[0].label == "tech"),
        "the group asked about stands first"
    );
    let t = task_summary(&book, TODAY, &Calendar::default(), None);
    let page = make("tasks", &[], None);
    for (name, n) in [
        ("tasks_open", t.open),
        ("tasks_overdue", t.overdue),
        ("tasks_today", t.today),
        ("tasks_week", t.week),
        ("tasks_later", t.later),
        ("tasks_undated", t.undated),
        ("tasks_done", t.done_week),
    ] {
        assert_eq!(value(&page, "", name), Value::Count(n as i64), "{name}");
    }
    assert_eq!(value(&page, "", "tasks_oldest"), Value::Days(2.0));
}

#[test]
fn the_heaviest_rows_are_kept_and_all_are_counted() {
    let mut g = Gather::default();
    for n in 0..1_000u32 {
        g.count(n, i64::from((n * 7_919) % 1_000) - 500);
    }
    g.leave(7);
    let row = |n: u32, weight: i64| WhyRow {
        label: n.to_string(),
        values: vec![Value::Count(weight)],
        ..WhyRow::default()
    };
    let why = g.why(row, |n| format!("row {n}"), "it is not known");
    assert_eq!(
        (why.rows.len(), why.rows_in, why.rows_out),
        (KEPT, 1_000, 1)
    );
    let weights: Vec<f64> = why
        .rows
        .iter()
        .filter_map(|r| r.values[0].number())
        .map(f64::abs)
        .collect();
    assert_eq!((weights[0], weights[1]), (500.0, 499.0));
    assert!(weights.is_sorted_by(|a, b| a >= b));
    assert_eq!(why.left_out[0].row, "row 7");
}
