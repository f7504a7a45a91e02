//! The unhappy answers: how many were followed up in time, and those that still wait for somebody.

use super::Settings;
use super::answers::{Answer, Kind};
use super::closed::{Loop, Tally, loops};
use super::measure::Asked;
use crate::book::{AccountRow, Day, text::visible};
use crate::insight::Coverage;
use crate::insight::page::{Block, Figure, Input, State, TableRow, Value, Why, WhyRow};
use jiff::civil::Date;
use std::sync::Arc;

/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;

/// How many answers that wait are listed.
const LISTED: usize = 100;

/// The unhappy answers.
pub(super) struct Waits<'a> {
    all: Vec<(Kind, Answer<'a>, Loop)>,
    days: i32,
}

impl<'a> Waits<'a> {
    pub fn of(input: &Input<'a>, settings: &Settings, asked: [&Asked<'a>; 2]) -> Waits<'a> {
        let (today, days) = (Day::of(Some(input.today)), settings.follow_up_days());
        let mut all = Vec::new();
        for a in asked {
            let found = loops(&a.answers, a.kind, today, days);
            all.extend(found.into_iter().map(|(answer, l)| (a.kind, answer, l)));
        }
        Waits { all, days }
    }

    pub fn figure(&self, settings: &Settings) -> Figure {
        let tally = Tally::of(self.all.iter().map(|(_, _, l)| *l));
        let count = |n: usize| Value::Count(n as i64);
        let why = Why {
            policy: format!(
                "in time is within {} h, counted as {} days because answers carry no time; the 48 h are a rule of thumb, weak",
                settings.follow_up_hours, self.days
            ),
            steps: vec![
                ("followed up in time".into(), count(tally.closed)),
                ("too late".into(), count(tally.late)),
                ("not at all, time is up".into(), count(tally.missed)),
                (
                    "in time ÷ these three".into(),
                    Value::ratio(tally.share(), "none is due"),
                ),
                (
                    "not yet, time left: counts neither way".into(),
                    count(tally.open),
                ),
            ],
            columns: vec!["answer".into(), "day".into()],
            rows: self
                .all
                .iter()
                .take(SHOWN)
                .map(|(kind, a, l)| WhyRow {
                    label: visible(a.account.name()).into_owned(),
                    account: Some(a.account.id()),
                    values: vec![
                        Value::Number(a.value, 0),
                        a.at.date().map_or(Value::Empty, Value::Date),
                    ],
                    note: format!("{}: {}", kind.title(), became(*l)),
                })
                .collect(),
            rows_in: tally.due(),
            rows_out: tally.open,
            coverage: Coverage {
                known: tally.due(),
                of: tally.due() + tally.open,
                no_rate: 0,
            },
            as_of: self
                .all
                .iter()
                .map(|(_, a, _)| a.at)
                .max()
                .and_then(Day::date),
            source: "answers, and the calls, mails, meetings and tasks after them".into(),
            ..Why::default()
        };
        let none = match self.all.len() {
            0 => "there was no unhappy answer",
            _ => "every unhappy answer still has time",
        };
        Figure::new(
            "voice.loop_closed",
            "loop closed",
            Value::ratio(tally.share(), none),
            why,
        )
    }

    /// Those that nobody followed up, most ARR first.
    pub fn table(&self, today: Date) -> Block {
        let now = Day::of(Some(today));
        let mut open: Vec<&(Kind, Answer<'_>, Loop)> = self
            .all
            .iter()
            .filter(|(_, _, l)| matches!(l, Loop::Missed | Loop::Open))
            .collect();
        let arr = |a: &AccountRow<'_>| a.arr_reporting().map(|m| m.minor);
        open.sort_by_key(|(_, a, _)| (std::cmp::Reverse(arr(&a.account)), a.at));
        let count = open.len();
        let rows = open
            .into_iter()
            .take(LISTED)
            .map(|(kind, a, l)| {
                let days = f64::from(now.0.saturating_sub(a.at.0));
                let why = Arc::new(Why {
                    steps: vec![("answer".into(), Value::Number(a.value, 0))],
                    rows_in: 1,
                    coverage: Coverage {
                        known: 1,
                        of: 1,
                        no_rate: 0,
                    },
                    as_of: a.at.date(),
                    source: format!("{} signals", kind.name()),
                    ..Why::default()
                });
                let cell = |value: Value| Figure {
                    name: "voice.unhappy",
                    label: kind.title().into(),
                    value,
                    why: Some(why.clone()),
                    ..Figure::default()
                };
                TableRow {
                    label: visible(a.account.name()).into_owned(),
                    account: Some(a.account.id()),
                    cells: vec![
                        Figure::text(kind.title()),
                        cell(Value::Number(a.value, 0)),
                        cell(a.at.date().map_or(Value::Empty, Value::Date)),
                        Figure {
                            state: match l {
                                Loop::Missed => State::Bad,
                                _ => State::Watch,
                            },
                            ..cell(Value::Days(days))
                        },
                        cell(Value::money(arr(&a.account), "no ARR, or no rate")),
                        Figure::csm(&a.account),
                    ],
                }
            })
            .collect();
        Block::Table {
            title: format!("Unhappy answers that nobody followed up: {count}"),
            columns: ["asked", "answer", "day", "since", "ARR", "CSM"]
                .map(Into::into)
                .to_vec(),
            rows,
            empty: "Every unhappy answer of this period was followed up, or there was none.".into(),
        }
    }
}

fn became(l: Loop) -> String {
    match l {
        Loop::Closed(n) => format!("followed up after {n} d"),
        Loop::Late(n) => format!("followed up after {n} d, too late"),
        Loop::Missed => "nobody followed up".into(),
        Loop::Open => "nobody followed up yet, there is time".into(),
    }
}
