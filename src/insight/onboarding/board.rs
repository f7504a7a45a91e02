//! The board: who is being onboarded, how far they are, and what is late.

use super::Settings;
use super::journey::{Journey, Standing, days};
use super::reached::{FIRST, FULL, Goal};
use crate::book::{AccountRow, Day, text::visible};
use crate::insight::Coverage;
use crate::insight::page::{Block, Excluded, Figure, State, TableRow, Value, Why, WhyRow};
use std::cmp::Reverse;
use std::sync::Arc;

/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;

/// How many accounts the board shows.
const LISTED: usize = 200;

/// Those who are under way, or who have an open milestone.
pub(super) struct Board<'a, 's> {
    pub journeys: Vec<Journey<'a>>,
    pub today: Day,
    pub settings: &'s Settings,
}

fn arr(a: &AccountRow<'_>) -> Option<i64> {
    a.arr_reporting().map(|m| m.minor)
}

impl Board<'_, '_> {
    /// A customer that is being onboarded without a first value for too long.
    fn is_late(&self, j: &Journey<'_>) -> bool {
        let limit = i32::from(self.settings.first_value_days);
        let waits = j.first_value == Day::NONE;
        j.under_way && waits && days(j.start, self.today).is_some_and(|d| d > limit)
    }

    /// How many are being onboarded, and their ARR.
    pub fn sums(&self) -> (Figure, Figure) {
        let under_way = || self.journeys.iter().filter(|j| j.under_way);
        let mut coverage = Coverage::default();
        let mut sum = 0_i64;
        let mut rows = Vec::new();
        for j in under_way() {
            let amount = arr(&j.account);
            coverage.count(j.account.arr(), &amount);
            sum = sum.saturating_add(amount.unwrap_or(0));
            rows.push(WhyRow {
                label: visible(j.account.name()).into_owned(),
                account: Some(j.account.id()),
                values: vec![Value::money(amount, "no ARR, or no rate")],
                note: j
                    .account
                    .stage()
                    .map_or_else(String::new, |s| visible(s).into_owned()),
            });
        }
        rows.sort_by(|a, b| {
            let money = |r: &WhyRow| r.values[0].number().unwrap_or(f64::MIN);
            money(b).total_cmp(&money(a))
        });
        let n = rows.len();
        rows.truncate(SHOWN);
        let why = |coverage: Coverage, rows: Vec<WhyRow>| Why {
            policy: format!(
                "the stage says one of {}; without a stage: at most {} d old, and the full value not reached",
                self.settings.stages.join(", "),
                self.settings.open_days
            ),
            columns: vec!["ARR".into()],
            rows,
            rows_in: coverage.known,
            rows_out: coverage.of - coverage.known,
            coverage,
            as_of: self.today.date(),
            source: "the accounts' stage, start and milestone signals".into(),
            ..Why::default()
        };
        let every = Coverage {
            known: n,
            of: n,
            no_rate: 0,
        };
        (
            Figure::new(
                "onboarding.accounts",
                "being onboarded",
                Value::Count(n as i64),
                why(every, rows.clone()),
            ),
            Figure::new(
                "onboarding.arr",
                "their ARR",
                Value::Money(sum),
                why(coverage, rows),
            ),
        )
    }

    /// Late milestones, and the share that was done in time.
    pub fn milestones(&self) -> (Figure, Figure) {
        let count = |s: Standing| self.journeys.iter().map(|j| j.count(s)).sum::<usize>();
        let [done, done_late, undated, late, due] = [
            Standing::Done,
            Standing::DoneLate,
            Standing::DoneUndated,
            Standing::Late,
            Standing::Due,
        ]
        .map(count);
        let mut rows: Vec<(i32, WhyRow)> = Vec::new();
        for j in &self.journeys {
            for m in j.milestones.iter().filter(|m| m.standing == Standing::Late) {
                let days = self.today.0.saturating_sub(m.task.due_day().0);
                rows.push((
                    days,
                    WhyRow {
                        label: visible(j.account.name()).into_owned(),
                        account: Some(j.account.id()),
                        values: vec![Value::Days(f64::from(days))],
                        note: visible(m.task.title()).into_owned(),
                    },
                ));
            }
        }
        rows.sort_by_key(|(days, _)| Reverse(*days));
        let total = done + done_late + undated + late + due;
        let why = || Why {
            policy: format!(
                "tasks whose class says one of {}, of the accounts on the board",
                self.settings.classes.join(", ")
            ),
            steps: vec![
                (
                    "done in time, or without a day".into(),
                    Value::Count(done as i64),
                ),
                ("done late".into(), Value::Count(done_late as i64)),
                ("open and late".into(), Value::Count(late as i64)),
                (
                    "open and due later: counts neither way".into(),
                    Value::Count(due as i64),
                ),
            ],
            columns: vec!["days late".into()],
            rows: rows.iter().take(SHOWN).map(|(_, r)| r.clone()).collect(),
            rows_in: done + done_late + late,
            left_out: match undated {
                0 => Vec::new(),
                n => vec![Excluded {
                    row: format!("{n} milestones that are done"),
                    reason: "nobody knows when".into(),
                }],
            },
            rows_out: due + undated,
            coverage: Coverage {
                known: total - undated,
                of: total,
                no_rate: 0,
            },
            as_of: self.today.date(),
            source: "tasks".into(),
        };
        let value = match total {
            0 => Value::None("no task is a milestone".into()),
            _ => Value::Count(late as i64),
        };
        let judged = done + done_late + late;
        let share = (judged > 0).then(|| done as f64 / judged as f64);
        (
            Figure {
                state: match late {
                    0 => State::Plain,
                    _ => State::Bad,
                },
                ..Figure::new("onboarding.late", "milestones late", value, why())
            },
            Figure::new(
                "onboarding.on_time",
                "milestones in time",
                Value::ratio(share, "no milestone was due yet"),
                why(),
            ),
        )
    }

    pub fn table(&self) -> Block {
        let mut rows: Vec<&Journey<'_>> = self.journeys.iter().collect();
        rows.sort_by_key(|j| {
            let late = self.is_late(j) || j.count(Standing::Late) > 0;
            (!late, Reverse(arr(&j.account)), j.account.id())
        });
        let n = rows.len();
        Block::Table {
            title: if n > LISTED {
                format!("Under way, the late ones first: {LISTED} of {n}")
            } else {
                "Under way, the late ones first".into()
            },
            columns: [
                "stage", "since", "first value", "full value", "done", "late", "next", "ARR", "CSM",
            ]
            .map(Into::into)
            .to_vec(),
            rows: rows.into_iter().take(LISTED).map(|j| self.row(j)).collect(),
            empty: "Nobody is being onboarded: no account's stage says so, none is young enough, and no task of an onboarding class is open.".into(),
        }
    }

    fn row(&self, j: &Journey<'_>) -> TableRow {
        let age = days(j.start, self.today);
        let why = Arc::new(Why {
            steps: vec![
                ("began".into(), day(j.start)),
                ("first value".into(), day(j.first_value)),
                ("full value".into(), day(j.full_value)),
                (
                    "other milestones that came as signals".into(),
                    Value::Count(j.marks as i64),
                ),
                (
                    "milestones that are tasks".into(),
                    Value::Count(j.milestones.len() as i64),
                ),
            ],
            columns: vec!["due".into()],
            rows: j
                .milestones
                .iter()
                .take(SHOWN)
                .map(|m| WhyRow {
                    label: visible(m.task.title()).into_owned(),
                    account: Some(j.account.id()),
                    values: vec![day(m.task.due_day())],
                    note: match m.standing {
                        Standing::Done => "done",
                        Standing::DoneLate => "done late",
                        Standing::DoneUndated => "done, nobody knows when",
                        Standing::Late => "late",
                        Standing::Due => "open",
                    }
                    .into(),
                })
                .collect(),
            rows_in: j.milestones.len(),
            coverage: Coverage {
                known: j.milestones.len(),
                of: j.milestones.len(),
                no_rate: 0,
            },
            as_of: self.today.date(),
            source: "the account's start, milestone signals and tasks".into(),
            ..Why::default()
        });
        let cell = |name: &'static str, value: Value, state: State| Figure {
            name,
            value,
            state,
            why: Some(why.clone()),
            ..Figure::default()
        };
        let took = |goal: &Goal| match days(j.start, (goal.day)(j)) {
            Some(d) => Value::Days(f64::from(d)),
            None if (goal.day)(j) != Day::NONE => day((goal.day)(j)),
            None => Value::None("not reached yet".into()),
        };
        let late = j.count(Standing::Late);
        let done = [Standing::Done, Standing::DoneLate, Standing::DoneUndated]
            .map(|s| j.count(s))
            .iter()
            .sum::<usize>()
            + j.marks;
        let of = j.milestones.len() + j.marks;
        let next = j.next().map_or_else(String::new, |m| {
            let due = m.task.due().map_or_else(String::new, |d| format!("{d} "));
            format!("{due}{}", visible(m.task.title()))
        });
        TableRow {
            label: visible(j.account.name()).into_owned(),
            account: Some(j.account.id()),
            cells: vec![
                Figure::text(
                    j.account
                        .stage()
                        .map_or_else(String::new, |s| visible(s).into_owned()),
                ),
                cell(
                    "onboarding.age",
                    age.map_or_else(
                        || Value::None("no day since which it is a customer".into()),
                        |d| Value::Days(f64::from(d)),
                    ),
                    if self.is_late(j) {
                        State::Bad
                    } else {
                        State::Plain
                    },
                ),
                cell(FIRST.name, took(&FIRST), State::Plain),
                cell(FULL.name, took(&FULL), State::Plain),
                cell(
                    "onboarding.milestones",
                    Value::Text(format!("{done} of {of}")),
                    State::Plain,
                ),
                cell(
                    "onboarding.late",
                    Value::Count(late as i64),
                    if late > 0 { State::Bad } else { State::Plain },
                ),
                Figure::text(next),
                cell(
                    "onboarding.arr",
                    Value::money(arr(&j.account), "no ARR, or no rate"),
                    State::Plain,
                ),
                Figure::csm(&j.account),
            ],
        }
    }
}

fn day(d: Day) -> Value {
    d.date()
        .map_or_else(|| Value::None("not known".into()), Value::Date)
}
