//! The page: time to value, milestones, and the board of those who are under way.

use super::Settings;
use super::journey::{FIRST_VALUE, FULL_VALUE, Journey, Standing, days, journey};
use super::survival::{Span, curve, finished_median, median, reached_within};
use crate::book::{AccountRow, Day, text::visible};
use crate::insight::Coverage;
use crate::insight::page::{
    Block, Excluded, Figure, Input, Page, State, TableRow, Target, Value, Why, WhyRow,
};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;

/// How many accounts the board shows.
const LISTED: usize = 200;

/// After so many days it is asked who is there.
const WITHIN: [i32; 4] = [30, 60, 90, 180];

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let settings = &input.settings.onboarding;
    let today = Day::of(Some(input.today));
    let mut all: Vec<Journey<'_>> = input
        .book
        .accounts()
        .filter(|a| input.mine.is_none() || a.csm_id() == input.mine)
        .map(|a| journey(a, today, settings))
        .collect();
    let first = Reached::of(&all, &FIRST, today, settings);
    let full = Reached::of(&all, &FULL, today, settings);
    let segments = by_segment(&all, today, settings);
    all.retain(|j| j.under_way || j.milestones.iter().any(|m| m.task.is_open()));
    let board = Board {
        journeys: all,
        today,
        settings,
    };
    let (count, arr) = board.sums();
    let (late, on_time) = board.milestones();
    let mut page = Page {
        name: "onboarding",
        title: "Onboarding",
        badge: format!(
            "customers of the last {} d · first value within {} d",
            settings.cohort_days, settings.first_value_days
        ),
        ..Page::default()
    };
    let (to_first, to_full) = (first.figure(settings), full.figure(settings));
    page.sentence = sentence(&to_first, &count, &late);
    page.blocks.push(Block::Figures {
        title: "Time to value, and who is under way".into(),
        figures: vec![to_first, to_full, count, arr, late, on_time],
    });
    page.blocks.extend(first.within());
    page.blocks.push(segments);
    page.blocks.push(board.table());
    page
}

fn sentence(first: &Figure, count: &Figure, late: &Figure) -> String {
    let under_way = count.value.number().unwrap_or(0.0);
    let late = late.value.number().unwrap_or(0.0);
    let s = if late == 1.0 { "" } else { "s" };
    let value = match (&first.value, first.value.number()) {
        (_, Some(days)) => {
            format!("Half of the customers have their first value after {days:.0} days")
        }
        (Value::None(why), _) => format!("Time to first value is not known: {why}"),
        _ => "Time to first value is not known".into(),
    };
    format!("{value}; {under_way:.0} are being onboarded, {late:.0} milestone{s} late.")
}

/// What is to be reached.
struct Goal {
    name: &'static str,
    title: &'static str,
    signal: &'static str,
    day: fn(&Journey<'_>) -> Day,
}

const FIRST: Goal = Goal {
    name: "onboarding.first_value",
    title: "time to first value",
    signal: FIRST_VALUE,
    day: |j| j.first_value,
};

const FULL: Goal = Goal {
    name: "onboarding.full_value",
    title: "time to full value",
    signal: FULL_VALUE,
    day: |j| j.full_value,
};

/// Who of a cohort reached a goal.
struct Reached<'g> {
    goal: &'g Goal,
    spans: Vec<Span>,
    rows: Vec<WhyRow>,
    left_out: Vec<Excluded>,
    newest: Day,
}

impl<'g> Reached<'g> {
    fn of<'j, 'a: 'j>(
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

    fn figure(&self, settings: &Settings) -> Figure {
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
    fn within(&self) -> Option<Block> {
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

fn by_segment(all: &[Journey<'_>], today: Day, settings: &Settings) -> Block {
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

/// Those who are under way, or who have an open milestone.
struct Board<'a, 's> {
    journeys: Vec<Journey<'a>>,
    today: Day,
    settings: &'s Settings,
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
    fn sums(&self) -> (Figure, Figure) {
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
                values: vec![
                    amount.map_or_else(|| Value::None("no ARR, or no rate".into()), Value::Money),
                ],
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
    fn milestones(&self) -> (Figure, Figure) {
        let count = |s: Standing| self.journeys.iter().map(|j| j.count(s)).sum::<usize>();
        let [done, done_late, late, due] = [
            Standing::Done,
            Standing::DoneLate,
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
        let total = done + done_late + late + due;
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
            rows_in: total - due,
            rows_out: due,
            coverage: Coverage {
                known: total,
                of: total,
                no_rate: 0,
            },
            as_of: self.today.date(),
            source: "tasks".into(),
            ..Why::default()
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

    fn table(&self) -> Block {
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
        let done = j.count(Standing::Done) + j.count(Standing::DoneLate) + j.marks;
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
                    arr(&j.account)
                        .map_or_else(|| Value::None("no ARR, or no rate".into()), Value::Money),
                    State::Plain,
                ),
                Figure::text(
                    j.account
                        .csm()
                        .map_or_else(|| "nobody".into(), |p| visible(p.name()).into_owned()),
                ),
            ],
        }
    }
}

fn day(d: Day) -> Value {
    d.date()
        .map_or_else(|| Value::None("not known".into()), Value::Date)
}
