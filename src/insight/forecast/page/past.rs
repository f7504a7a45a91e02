//! What became of it: the renewal rate by month and quarter, and past forecasts against it.

use super::Made;
use super::figures::{SOURCE, state};
use super::sums::name_of;
use crate::book::{ForecastScope, LocalId};
use crate::insight::forecast::accuracy::{Accuracy, Horizon, accuracy as graded};
use crate::insight::forecast::period::Period;
use crate::insight::forecast::timing::{Credit, Rate, rate};
use crate::insight::page::{Block, Figure, State, TableRow, Value, Why};
use crate::insight::{Coverage, many};
use std::sync::Arc;

/// Months that the rates go back, the current one included.
const MONTHS: usize = 12;

/// The renewal rate of the last months and of the quarters that they lie in.
pub(super) fn rates(made: &Made<'_>) -> Block {
    let mut periods: Vec<Period> = Vec::new();
    let mut month = Period::month(made.input.today);
    let mut quarters: Vec<Period> = Vec::new();
    for _ in 0..MONTHS {
        let quarter = Period::quarter(
            made.input.calendar,
            &made.input.calendar.quarter(month.from),
        );
        if quarters.last() != Some(&quarter) {
            quarters.push(quarter);
        }
        let before = month.from.yesterday().ok();
        periods.push(month);
        match before {
            Some(day) => month = Period::month(day),
            None => break,
        }
    }
    periods.reverse();
    quarters.reverse();
    let rows: Vec<TableRow> = quarters
        .iter()
        .chain(&periods)
        .map(|p| (p, rate(&made.rows, p, made.credit)))
        .filter(|(_, r)| r.count > 0 || r.gross > 0)
        .map(|(p, r)| rate_row(made, p, &r))
        .collect();
    Block::Table {
        title: "Renewal rate by quarter and month".into(),
        columns: ["due", "renewed", "gross", "net", "still open", "note"]
            .map(str::to_owned)
            .to_vec(),
        rows,
        empty: "No renewal was due in the last twelve months.".into(),
    }
}

fn rate_row(made: &Made<'_>, period: &Period, r: &Rate) -> TableRow {
    let none = "nothing was due";
    let why = Arc::new(Why {
        policy: format!("credit: {}", made.credit.name()),
        steps: vec![
            (
                format!("due, {}", many(r.count, "renewal")),
                Value::Money(r.due),
            ),
            (
                "renewed, each at most its target".into(),
                Value::Money(r.gross),
            ),
            (
                "of it due in another period".into(),
                Value::Money(r.windfall),
            ),
            ("renewed, with growth".into(), Value::Money(r.net)),
            ("renewed ÷ due".into(), Value::ratio(r.gross_rate(), none)),
            ("still open".into(), Value::Money(r.open)),
        ],
        rows_in: r.count,
        coverage: Coverage {
            known: r.count,
            of: r.count + made.out_of(period).len(),
            no_rate: 0,
        },
        rows_out: made.out_of(period).len(),
        left_out: made
            .out_of(period)
            .iter()
            .take(50)
            .map(|o| o.excluded())
            .collect(),
        as_of: Some(made.input.today),
        source: SOURCE.into(),
        ..Why::default()
    });
    let cell = |value| Figure {
        name: "forecast.rate",
        value,
        why: Some(why.clone()),
        ..Figure::default()
    };
    let note = if r.windfall == 0 {
        String::new()
    } else {
        let kind = if made.credit == Credit::Signing {
            "signed here, due in another period"
        } else {
            "windfall: closed here, due in an earlier period"
        };
        format!("{} {kind}; the rate is not capped", made.words(r.windfall))
    };
    let target = made
        .settings
        .target_of(&made.input.calendar.quarter(period.from));
    // What is still open can yet come.
    let over = period.to < made.input.today && r.open == 0;
    TableRow {
        label: period.label.clone(),
        account: None,
        cells: vec![
            cell(Value::Money(r.due)),
            cell(Value::Money(r.gross)),
            Figure {
                state: if over {
                    state(r.gross_rate(), target)
                } else {
                    State::Plain
                },
                ..cell(Value::ratio(r.gross_rate(), none))
            },
            cell(Value::ratio(r.net_rate(), none)),
            cell(Value::Money(r.open)),
            Figure::text(note),
        ],
    }
}

/// The error of past forecasts, by whose they were and how long before the end of the quarter.
pub(super) fn accuracy(made: &Made<'_>) -> Block {
    let input = &made.input;
    let mine = input.mine.map(ForecastScope::Csm);
    let all = graded(input.forecasts, input.book.reporting(), input.today);
    let rows = all
        .iter()
        .filter(|a| mine.is_none_or(|m| a.scope == m))
        .map(|a| accuracy_row(made, a))
        .collect();
    Block::Table {
        title: "Past forecasts against what came".into(),
        columns: ["days before", "quarters", "bias", "MAPE", "in the interval"]
            .map(str::to_owned)
            .to_vec(),
        rows,
        empty: "No forecast of yours has been kept yet: csops keeps one a week.".into(),
    }
}

fn accuracy_row(made: &Made<'_>, a: &Accuracy) -> TableRow {
    let why = Arc::new(Why {
        steps: a
            .grades
            .iter()
            .flat_map(|g| {
                let quarter = made.input.calendar.quarter(g.quarter.0);
                let label = made.input.calendar.label(&quarter);
                [
                    (
                        format!("{label}: forecast of {}", g.taken),
                        Value::Money(g.forecast),
                    ),
                    (format!("{label}: came"), Value::Money(g.actual)),
                    (format!("{label}: error"), Value::Money(g.error())),
                ]
            })
            .collect(),
        rows_in: a.grades.len(),
        coverage: Coverage {
            known: a.grades.len(),
            of: a.grades.len(),
            no_rate: 0,
        },
        as_of: made.input.forecasts.iter().map(|f| f.taken).max(),
        source: "the forecasts that csops kept, one a week".into(),
        ..Why::default()
    });
    let cell = |name, value, state| Figure {
        name,
        value,
        state,
        why: Some(why.clone()),
        ..Figure::default()
    };
    let grade = |error: Option<f64>| match error.map(f64::abs) {
        None => State::Plain,
        Some(e) if e <= 0.05 => State::Good,
        Some(e) if e <= 0.1 => State::Watch,
        Some(_) => State::Bad,
    };
    let none = if a.reason.is_empty() {
        "nothing came in these quarters"
    } else {
        &a.reason
    };
    let who = match a.scope {
        ForecastScope::All => "everybody".to_owned(),
        ForecastScope::Nobody => name_of(made, LocalId::NONE),
        ForecastScope::Csm(id) => name_of(made, id),
    };
    let Horizon(days) = a.horizon;
    TableRow {
        label: who,
        account: None,
        cells: vec![
            cell("forecast.bias", Value::Count(days.into()), State::Plain),
            cell(
                "forecast.bias",
                Value::Count(a.grades.len() as i64),
                State::Plain,
            ),
            cell(
                "forecast.bias",
                Value::ratio(a.bias(), none),
                grade(a.bias()),
            ),
            cell(
                "forecast.mape",
                Value::ratio(a.mape(), none),
                grade(a.mape()),
            ),
            cell(
                "forecast.inside",
                Value::ratio(a.inside(), none),
                State::Plain,
            ),
        ],
    }
}
