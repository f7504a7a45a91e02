//! What the page of retention shows of the base cohort.

use crate::book::{Calendar, History};
use crate::insight::page::{Block, Choices, Figure, Input, Page, Value};
use crate::insight::retention::fixture::{Fixture, base};
use crate::insight::retention::{headline, page};
use crate::insight::{Rules, Settings, definition, derive};
use jiff::civil::{Date, date};

fn made<T>(
    f: &Fixture,
    today: Date,
    chosen: &[(&str, &str)],
    settings: &Settings,
    make: impl FnOnce(&Input<'_>) -> T,
) -> T {
    let book = f.book();
    let derived = derive(&book, today, &Rules::default());
    let choices: Choices = chosen
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    make(&Input {
        book: &book,
        derived: &derived,
        today,
        calendar: &Calendar::default(),
        settings,
        mine: None,
        history: &History::default(),
        choices: &choices,
        forecasts: &[],
    })
}

/// The end of the base cohort's year.
const END: Date = date(2025, 12, 31);

fn shown(chosen: &[(&str, &str)]) -> Page {
    made(&base(), END, chosen, &Settings::default(), page)
}

fn figures(page: &Page) -> Vec<&Figure> {
    let mut out = Vec::new();
    for block in &page.blocks {
        match block {
            Block::Figures { figures, .. } => out.extend(figures),
            Block::Bars { bars, .. } => out.extend(bars),
            Block::Waterfall { steps, .. } => out.extend(steps),
            Block::Table { rows, .. } | Block::Heat { rows, .. } => {
                out.extend(rows.iter().flat_map(|r| &r.cells));
            }
            Block::Lines { lines, .. } => {
                out.extend(lines.iter().flat_map(|l| l.points.iter().map(|(_, f)| f)));
            }
            Block::Text { .. } => {}
        }
    }
    out
}

#[test]
fn every_figure_says_what_it_means_and_where_it_comes_from() {
    for chosen in [
        vec![],
        vec![("denominator", "due")],
        vec![("netting", "line"), ("by", "product")],
    ] {
        let page = shown(&chosen);
        let all = figures(&page);
        assert!(all.len() > 50);
        for figure in all
            .iter()
            .filter(|f| !matches!(f.value, Value::Text(_) | Value::Empty))
        {
            assert!(definition(figure.name).is_some(), "{}", figure.name);
            let why = figure.why.as_ref().expect("an explanation");
            assert!(
                !why.steps.is_empty() && !why.source.is_empty(),
                "{}",
                figure.name
            );
            assert_eq!((why.coverage.known, why.coverage.of), (10, 10));
            assert!(why.as_of.is_some());
        }
    }
}

#[test]
fn of_what_was_due_the_renewal_rates_stand_first_and_grr_stays_what_it_is() {
    let first = |chosen: &[(&str, &str)]| -> Vec<(&'static str, Option<f64>)> {
        let page = shown(chosen);
        let Block::Figures { figures, .. } = &page.blocks[0] else {
            panic!("figures come first");
        };
        let all = figures.iter();
        all.map(|f| (f.name, f.value.number())).collect()
    };
    let (opening, due) = (first(&[]), first(&[("denominator", "due")]));
    let names: Vec<&str> = due.iter().map(|f| f.0).collect();
    let renewals = ["renewal_rate.gross", "renewal_rate.net"];
    assert_eq!(names[..2], renewals);
    assert_eq!(names[2..], ["logo_churn", "grr", "nrr"]);
    assert!(
        (due[0].1.unwrap() - 0.743_515_850_144).abs() < 1e-9,
        "{due:?}"
    );
    for name in ["grr", "nrr", renewals[0], renewals[1]] {
        let value =
            |all: &[(&'static str, Option<f64>)]| all.iter().find(|f| f.0 == name).unwrap().1;
        assert_eq!(value(&opening), value(&due), "{name}");
    }
}

#[test]
fn the_first_figures_and_their_rows_are_those_of_the_base_cohort() {
    let page = shown(&[]);
    let Block::Figures { figures, .. } = &page.blocks[0] else {
        panic!("figures come first");
    };
    let values: Vec<Option<f64>> = figures.iter().map(|f| f.value.number()).collect();
    assert_eq!(values[0], Some(0.849015317286652));
    assert_eq!(values[1], Some(0.9343544857768052));
    assert_eq!(values[2], Some(1.0 / 9.0));
    let why = figures[0].why.as_ref().unwrap();
    assert_eq!((why.rows_in, why.rows.len()), (9, 9));
    // The largest loss first; the sum of what counts over the sum of the openings is the figure.
    assert_eq!(
        (why.rows[0].label.as_str(), why.rows[0].note.as_str()),
        ("A4", "gone")
    );
    let sum = |i: usize| -> f64 { why.rows.iter().filter_map(|r| r.values[i].number()).sum() };
    assert_eq!(sum(2) / sum(0), 0.849015317286652);
    let notes: Vec<&str> = why.rows.iter().map(|r| r.note.as_str()).collect();
    assert!(notes.contains(&"in EUR, 1.1 at the opening"), "{notes:?}");
    assert!(
        page.sentence.contains("84.9 % is left"),
        "{}",
        page.sentence
    );
    assert!(page.badge.contains("grace 60d"));
    let Block::Waterfall { title, steps } = &page.blocks[1] else {
        panic!("the waterfall comes second");
    };
    assert!(title.ends_with("it ties"), "{title}");
    let amounts: Vec<f64> = steps.iter().filter_map(|s| s.value.number()).collect();
    let (closing, changes) = amounts.split_last().unwrap();
    assert_eq!(changes.iter().sum::<f64>(), *closing);
}

#[test]
fn flipping_a_switch_shows_which_accounts_move() {
    let page = shown(&[("late", "term_end")]);
    let table = page.blocks.iter().find_map(|b| match b {
        Block::Table { title, rows, .. } if title.contains("move by late") => Some((title, rows)),
        _ => None,
    });
    let (title, rows) = table.expect("a table of what moves");
    assert!(title.starts_with("1 accounts"), "{title}");
    assert_eq!(rows[0].label, "A10");
    assert_eq!(rows[0].cells[0].value, Value::Money(-1_800_000));
    assert!(rows[0].account.is_some());
    let switch = page.switches.iter().find(|s| s.name == "late").unwrap();
    assert_eq!(switch.current, "term_end");
    // The usual policy has nothing to show, and what is no value is not chosen.
    let page = shown(&[("late", "whenever")]);
    assert_eq!(page, shown(&[]));
}

#[test]
fn targets_are_held_against_the_figures() {
    let mut settings = Settings::default();
    settings.retention.grr_target = Some(0.9);
    settings.retention.nrr_target = Some(0.9);
    let figures = made(&base(), END, &[], &settings, headline);
    use crate::insight::page::State;
    assert_eq!(
        figures.iter().map(|f| f.state).collect::<Vec<_>>(),
        [State::Bad, State::Good]
    );
    assert_eq!(
        figures[0].target.as_ref().unwrap().from,
        Some(Value::Ratio(0.9))
    );
    assert!(
        figures[0]
            .why
            .as_ref()
            .unwrap()
            .policy
            .contains("constant FX")
    );
}

#[test]
fn an_empty_book_says_what_fills_it_and_a_policy_without_an_answer_why() {
    let none = Settings::default();
    let page = made(&Fixture::default(), END, &[], &none, super::page);
    assert!(page.sentence.contains("csops import"), "{}", page.sentence);
    let page = shown(&[("fx", "plan")]);
    assert!(page.sentence.contains("plan"), "{}", page.sentence);
    assert!(!page.switches.is_empty());
    let figures = made(&Fixture::default(), END, &[], &none, headline);
    assert!(
        figures
            .iter()
            .all(|f| matches!(&f.value, Value::None(why) if why.contains("import")))
    );
}
