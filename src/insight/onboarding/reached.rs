//! How many of a cohort reached their first or their full value, and after how long.

use super::Settings;
use super::journey::{FIRST_VALUE, FULL_VALUE, Journey};
use super::survival::{Span, curve, finished_median, median, reached_within};
use crate::book::{Day, text::visible};
use crate::insight::Coverage;
use crate::insight::page::{Block, Excluded, Figure, State, TableRow, Target, Value, Why, WhyRow};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;

/// After so many days it is asked who is there.
const WITHIN: [i32; 4] = [30, 60, 90, 180];

/// What is to be reached.
pub(super) struct Goal {
    pub name: &'static str,
    title: &'static str,
    signal: &'static str,
    pub day: fn(&Journey<'_>) -> Day,
}

pub(super) const FIRST: Goal = Goal {
    name: "onboarding.first_value",
    title: "time to first value",
    signal: FIRST_VALUE,
    day: |j| j.first_value,
};

pub(super) const FULL: Goal = Goal {
    name: "onboarding.full_value",
    title: "time to full value",
    signal: FULL_VALUE,
    day: |j| j.full_value,
};

/// Who of a cohort reached a goal.
pub(super) struct Reached<'g> {
    goal: &'g Goal,
    spans: Vec<Span>,
    rows: Vec<WhyRow>,
    left_out: Vec<Excluded>,
    newest: Day,
}

impl<'g> Reached<'g> {
    pub fn of<'j, 'a: 'j>(
        all: impl IntoIterator<Item = &'j Journey<'a>>,
        goal: &'g Goal,
        today: Day,
        settings: &Settings,
    ) -> Reached<'g> {
        let from = Day(today.0.saturating_sub(i32::from(settings.cohort_days)));
        let mut r = Reached {
            goal,
            spans: Vec::new(),
            rows: Vec::new(),
            left_out: Vec::new(),
            newest: Day::NONE,
        };
        for j in all {
            if j.start != Day::NONE && j.start < from {
                continue;
            }
            let reached = (goal.day)(j);
            let name = visible(j.account.name()).into_owned();
            match j.span(reached, today) {
                Ok(span) => {
                    r.newest = r.newest.max(reached);
                    r.spans.push(span);
                    r.rows.push(WhyRow {
                        label: name,
                        account: Some(j.account.id()),
                        values: vec![
                            Value::Days(f64::from(span.days)),
                            Value::Text(if span.reached { "yes" } else { "not yet" }.into()),
                        ],
                        note: String::new(),
                    });
                }
                Err(reason) => r.left_out.push(Excluded {
                    row: name,
                    reason: reason.into(),
                }),
            }
        }
        r
    }

    fn why(&self, steps: Vec<(String, Value)>, settings: &Settings) -> Why {
        let mut rows = self.rows.clone();
        rows.sort_by(|a, b| {
            let days = |r: &WhyRow| r.values[0].number().unwrap_or(0.0);
            days(a).total_cmp(&days(b))
        });
        rows.truncate(SHOWN);
        Why {
            policy: format!(
                "customers who began within {} d; who is not there yet counts as waiting so far (Kaplan–Meier)",
                settings.cohort_days
            ),
            steps,
            columns: vec!["days".into(), "reached".into()],
            rows,
            rows_in: self.spans.len(),
            left_out: self.left_out.iter().take(SHOWN).cloned().collect(),
            rows_out: self.left_out.len(),
            coverage: Coverage {
                known: self.spans.len(),
                of: self.spans.len() + self.left_out.len(),
                no_rate: 0,
            },
            as_of: self.newest.date(),
            source: format!("{} signals", self.goal.signal),
        }
    }

    fn value(&self) -> Value {
        let steps = curve(&self.spans);
        if steps.is_empty() {
            return Value::None(match self.spans.len() {
                0 => "no customer began in this time".into(),
                _ => format!(
                    "no {} of theirs has come; csops import --kind signals takes them",
                    self.goal.signal
                ),
            });
        }
        median(&steps).map_or_else(
            || Value::None("more than half are not there yet".into()),
            |d| Value::Days(f64::from(d)),
        )
    }

    pub fn figure(&self, settings: &Settings) -> Figure {
        let reached = self.spans.iter().filter(|s| s.reached).count();
        let waiting = self.spans.len() - reached;
        let mut steps = vec![
            ("customers".into(), Value::Count(self.spans.len() as i64)),
            ("there".into(), Value::Count(reached as i64)),
            ("not there yet".into(), Value::Count(waiting as i64)),
        ];
        for s in curve(&self.spans).into_iter().take(SHOWN) {
            steps.push((
                format!(
                    "day {}: {} of {} get there, so many wait on",
                    s.days, s.reached, s.at_risk
                ),
                Value::Ratio(s.waiting),
            ));
        }
        steps.push(("median, who waits included".into(), self.value()));
        steps.push((
            "median of those who are there, too small".into(),
            finished_median(&self.spans)
                .map_or_else(|| Value::None("nobody is there".into()), Value::Days),
        ));
        let why = self.why(steps, settings);
        let value = self.value();
        let figure = Figure::new(
            self.goal.name,
            format!("{} · {waiting} waiting", self.goal.title),
            value,
            why,
        );
        if self.goal.signal != FIRST_VALUE {
            return figure;
        }
        let limit = f64::from(settings.first_value_days);
        Figure {
            state: match figure.value.number() {
                Some(days) if days <= limit => State::Good,
                Some(_) => State::Bad,
                None => State::Plain,
            },
            target: Some(Target {
                from: None,
                to: Some(Value::Days(limit)),
                source: "[onboarding] first_value_days".into(),
            }),
            ..figure
        }
    }

    /// The share that is there after some days.
    pub fn within(&self) -> Option<Block> {
        let steps = curve(&self.spans);
        if steps.is_empty() {
            return None;
        }
        let bars = WITHIN
            .map(|d| {
                let share = reached_within(&steps, &self.spans, d);
                let why = Why {
                    steps: vec![
                        ("customers".into(), Value::Count(self.spans.len() as i64)),
                        (
                            "1 − share that waits on after this day".into(),
                            Value::ratio(share, "nobody was watched for so long"),
                        ),
                    ],
                    rows_in: self.spans.len(),
                    rows_out: self.left_out.len(),
                    coverage: Coverage {
                        known: self.spans.len(),
                        of: self.spans.len() + self.left_out.len(),
                        no_rate: 0,
                    },
                    as_of: self.newest.date(),
                    source: format!("{} signals", self.goal.signal),
                    ..Why::default()
                };
                Figure::new(
                    "onboarding.within",
                    format!("within {d} days"),
                    Value::ratio(share, "nobody was watched for so long"),
                    why,
                )
            })
            .to_vec();
        Some(Block::Bars {
            title: "Customers with their first value".into(),
            bars,
        })
    }
}

pub(super) fn by_segment(all: &[Journey<'_>], today: Day, settings: &Settings) -> Block {
    let mut by: BTreeMap<&str, Vec<&Journey<'_>>> = BTreeMap::new();
    for j in all {
        by.entry(j.account.segment().unwrap_or(""))
            .or_default()
            .push(j);
    }
    let mut rows: Vec<(usize, TableRow)> = Vec::new();
    for (segment, part) in by {
        let first = Reached::of(part.iter().copied(), &FIRST, today, settings);
        let full = Reached::of(part.iter().copied(), &FULL, today, settings);
        if first.spans.is_empty() {
            continue;
        }
        let n = first.spans.len();
        let cell = |r: &Reached<'_>, value: Value| {
            let steps = vec![("customers".into(), Value::Count(n as i64))];
            Figure::new(r.goal.name, r.goal.title, value, r.why(steps, settings))
        };
        rows.push((
            n,
            TableRow {
                label: match segment {
                    "" => "without a segment".into(),
                    s => visible(s).into_owned(),
                },
                account: None,
                cells: vec![
                    cell(&first, Value::Count(n as i64)),
                    cell(&first, first.value()),
                    cell(&full, full.value()),
                ],
            },
        ));
    }
    rows.sort_by_key(|(n, _)| Reverse(*n));
    Block::Table {
        title: "Time to value by segment (median)".into(),
        columns: ["customers", "first value", "full value"]
            .map(Into::into)
            .to_vec(),
        rows: rows.into_iter().map(|(_, r)| r).collect(),
        empty: "No customer began in this time.".into(),
    }
}
