//! The figures of one account, as its row and its page show them.

use super::about;
use crate::book::derived::NO_ARR;
use crate::book::{AccountRow, Day};
use crate::insight::page::{Block, Figure, Input, Page, State, Value, Why, WhyRow};
use crate::insight::rules::Band;
use crate::insight::{Coverage, explain};
use jiff::civil::Date;

/// The page of the account that is asked about.
pub fn page(input: &Input<'_>) -> Page {
    let found = about(input, "account").and_then(|id| input.book.account_by_id(id));
    let Some(a) = found else {
        return Page {
            name: "account",
            title: "Account",
            blocks: vec![Block::Text {
                text: "The account is not in the book.".into(),
            }],
            ..Page::default()
        };
    };
    Page {
        name: "account",
        title: "Account",
        blocks: vec![
            Block::Figures {
                title: a.name().to_owned(),
                figures: money(input, &a),
            },
            Block::Figures {
                title: "What is known of it".into(),
                figures: signals(input, &a),
            },
        ],
        ..Page::default()
    }
}

/// A figure of one account: known or not, of a day, from a system.
fn why(a: &AccountRow<'_>, known: bool, at: Option<Date>, source: Option<&str>) -> Why {
    Why {
        rows: vec![WhyRow {
            label: a.name().to_owned(),
            account: Some(a.id()),
            ..WhyRow::default()
        }],
        rows_in: usize::from(known),
        rows_out: usize::from(!known),
        coverage: Coverage {
            known: usize::from(known),
            of: 1,
            no_rate: 0,
        },
        as_of: at,
        source: source.unwrap_or_default().to_owned(),
        ..Why::default()
    }
}

fn money(input: &Input<'_>, a: &AccountRow<'_>) -> Vec<Figure> {
    let rules = &input.settings.risk;
    let d = input.derived.account(a.row());
    let e = explain(a, input.derived, input.today, rules);
    // The arithmetic of its place, as the queue explains it.
    let words = |from: usize, to: usize| -> Vec<(String, Value)> {
        e.steps
            .iter()
            .skip(from)
            .take(to - from)
            .map(|s| {
                let text = format!("{}  {}", s.value, s.note);
                (s.label.to_owned(), Value::Text(text))
            })
            .collect()
    };
    let dated = |steps: Vec<(String, Value)>, known| Why {
        steps,
        ..why(a, known, a.health_at(), a.health_source())
    };
    let mut arr = why(a, a.arr_reporting().is_some(), None, None);
    if let Some(m) = a.arr() {
        arr.steps = vec![("in its own currency".into(), Value::Text(m.to_string()))];
        arr.coverage.no_rate = usize::from(a.arr_reporting().is_none());
    }
    let no_arr = if a.arr().is_some() {
        "its currency has no rate: add one under [money] rates"
    } else {
        "no source gives an ARR"
    };
    let staked = !d.is(NO_ARR);
    let mut loss = Figure::new(
        "loss",
        "probability of loss",
        Value::Ratio(f64::from(d.loss)),
        dated(words(0, 1), a.health().is_some()),
    );
    loss.state = if d.loss > rules.threshold {
        State::Bad
    } else {
        State::Plain
    };
    vec![
        Figure::new(
            "arr",
            "ARR",
            a.arr_reporting()
                .map_or_else(|| Value::None(no_arr.into()), |m| Value::Money(m.minor)),
            arr,
        ),
        loss,
        Figure::new(
            "at_stake",
            "ARR at stake",
            Value::Money(d.at_stake),
            Why {
                steps: words(1, 2),
                ..why(a, staked, None, None)
            },
        ),
        Figure::new(
            "closeness",
            "closeness",
            Value::Number(f64::from(d.closeness), 2),
            Why {
                steps: words(2, 3),
                ..why(a, a.decision_date(input.today).is_some(), None, None)
            },
        ),
        Figure::new(
            "urgency",
            "urgency",
            Value::Money(d.urgency as i64),
            dated(words(0, 4), staked),
        ),
        days(input, a, "decide", "decision", a.decision_date(input.today)),
        days(input, a, "renewal_days", "renewal", a.renewal_date()),
        days(
            input,
            a,
            "notice_days",
            "notice deadline",
            a.notice_deadline(),
        ),
    ]
}

/// Days from today to a day.
fn days(
    input: &Input<'_>,
    a: &AccountRow<'_>,
    name: &'static str,
    label: &str,
    day: Option<Date>,
) -> Figure {
    let ends = Day::of(day).get().zip(Day::of(Some(input.today)).get());
    let value = match ends {
        Some((day, today)) => Value::Days(f64::from(day - today)),
        None => Value::None("no day is known".into()),
    };
    let mut w = why(a, day.is_some(), None, None);
    if let Some(day) = day {
        w.steps = vec![
            (label.to_owned(), Value::Date(day)),
            ("− today".into(), Value::Date(input.today)),
        ];
    }
    Figure::new(name, label, value, w)
}

fn signals(input: &Input<'_>, a: &AccountRow<'_>) -> Vec<Figure> {
    let rules = &input.settings.risk;
    let unknown = |what: &str| Value::None(format!("no source gives {what}"));
    let of_health = |steps| Why {
        steps,
        ..why(a, a.health().is_some(), a.health_at(), a.health_source())
    };
    let band = |h: u8| match rules.band(h) {
        Band::Good => State::Good,
        Band::Watch => State::Watch,
        Band::Bad => State::Bad,
    };
    let mut health = Figure::new(
        "health",
        "health",
        a.health()
            .map_or_else(|| unknown("a health score"), |h| Value::Count(i64::from(h))),
        of_health(vec![
            ("good from".into(), Value::Count(i64::from(rules.good_from))),
            ("bad below".into(), Value::Count(i64::from(rules.bad_below))),
        ]),
    );
    health.state = a.health().map_or(State::Plain, band);
    let before = a
        .health()
        .zip(a.health_delta())
        .map(|(h, d)| i16::from(h) - d);
    let delta = Figure::new(
        "health.delta",
        "health, 30 days",
        a.health_delta().map_or_else(
            || unknown("a health score of then"),
            |d| Value::Count(i64::from(d)),
        ),
        of_health(
            a.health()
                .zip(before)
                .map(|(now, before)| {
                    vec![
                        ("health now".into(), Value::Count(i64::from(now))),
                        ("− health then".into(), Value::Count(i64::from(before))),
                    ]
                })
                .unwrap_or_default(),
        ),
    );
    let weeks = a.usage();
    let usage = |steps| Why {
        steps,
        ..why(
            a,
            weeks.iter().any(Option::is_some),
            a.usage_at(),
            a.usage_source(),
        )
    };
    let steps = weeks
        .iter()
        .enumerate()
        .map(|(i, w)| {
            let ago = weeks.len() - 1 - i;
            let label = match ago {
                0 => "the newest week".to_owned(),
                1 => "a week before".to_owned(),
                n => format!("{n} weeks before"),
            };
            (
                label,
                w.map_or_else(
                    || Value::Text("missing".into()),
                    |n| Value::Count(i64::from(n)),
                ),
            )
        })
        .collect();
    let trend = Figure::new(
        "usage.trend",
        "usage trend",
        Value::ratio(
            a.usage_trend().map(f64::from),
            "a week of either side is missing",
        ),
        usage(steps),
    );
    let tickets = |name, label: &str, n: u16| {
        Figure::new(
            name,
            label,
            Value::Count(i64::from(n)),
            why(a, a.ticket_at().is_some(), a.ticket_at(), a.ticket_source()),
        )
    };
    let quiet = days(input, a, "last_touch", "last touch", a.last_touch());
    vec![
        health,
        delta,
        trend,
        tickets("tickets_open", "open tickets", a.open_tickets()),
        tickets("tickets_urgent", "urgent tickets", a.urgent_tickets()),
        Figure::new(
            "nps_last",
            "last NPS answer",
            a.nps()
                .map_or_else(|| unknown("an answer"), |n| Value::Count(i64::from(n))),
            why(a, a.nps().is_some(), a.nps_at(), a.nps_source()),
        ),
        quiet,
    ]
}
