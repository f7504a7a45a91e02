//! The page: the scores with their intervals, their months, the segments, and the answers that wait for somebody.

use super::answers::{Answer, Answers, Kind, answers};
use super::closed::{Loop, Tally, loops};
use super::score::{Nps, Score, nps, score};
use super::{Method, Settings};
use crate::book::{AccountRow, Day, text::visible};
use crate::insight::Coverage;
use crate::insight::page::{Block, Figure, Input, Line, Page, State, TableRow, Value, Why, WhyRow};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;

/// How many answers that wait are listed.
const LISTED: usize = 100;

/// How many of the uppermost answers count as the top: two of satisfaction, three of effort (5 and more of 7).
fn boxes(kind: Kind) -> u8 {
    match kind {
        Kind::Csat => 2,
        _ => 3,
    }
}

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let settings = &input.settings.voice;
    let asked: Vec<Asked<'_>> = [Kind::Nps, Kind::Csat, Kind::Ces]
        .map(|kind| Asked::of(input, settings, kind))
        .into();
    let [of_nps, of_csat, of_ces] = asked.as_slice() else {
        return Page::default();
    };
    let respondents = of_nps.nps("voice.nps", "NPS", of_nps.answers.values());
    let accounts = of_nps.nps(
        "voice.nps_accounts",
        "NPS by account",
        of_nps.answers.by_account(),
    );
    let csat = of_csat.score(settings.csat);
    let ces = of_ces.score(settings.ces);
    let waits = Waits::of(input, settings, [of_nps, of_csat]);
    let closed = waits.figure(settings);
    let mut page = Page {
        name: "voice",
        title: "Customer voice",
        badge: badge(settings),
        sentence: sentence(&respondents, &closed, of_nps),
        ..Page::default()
    };
    page.blocks.push(Block::Figures {
        title: "What customers say".into(),
        figures: vec![
            respondents.clone(),
            accounts.clone(),
            csat.clone(),
            ces.clone(),
            closed,
        ],
    });
    for a in asked.iter().filter(|a| a.answers.other_scale > 0) {
        page.blocks.push(Block::Text {
            text: format!(
                "{} {} answers were given on another scale than {} and are left out: two scales are never one figure or one line.",
                a.answers.other_scale,
                a.kind.title(),
                a.scale_name()
            ),
        });
    }
    page.blocks.push(by_measure(
        [of_nps, of_nps, of_csat, of_ces],
        [respondents, accounts, csat, ces],
        settings,
    ));
    for (asked, method) in [
        (of_nps, None),
        (of_csat, Some(settings.csat)),
        (of_ces, Some(settings.ces)),
    ] {
        page.blocks.extend(months(asked, method, input.today));
    }
    page.blocks.push(by_segment(of_nps));
    page.blocks.push(waits.table(input.today));
    page
}

fn badge(s: &Settings) -> String {
    format!(
        "answers of {} d · CSAT {} · CES {} · follow-up within {} h",
        s.period_days,
        s.csat.name(),
        s.ces.name(),
        s.follow_up_hours
    )
}

fn sentence(nps: &Figure, closed: &Figure, asked: &Asked<'_>) -> String {
    let Some(n) = nps.value.number() else {
        return "No survey answer has come in this period: a survey source, or csops import --kind signals with the kinds nps, csat and ces, brings them.".into();
    };
    let followed = match closed.value.number() {
        Some(share) => format!(
            "{:.0} % of the unhappy answers were followed up in time",
            share * 100.0
        ),
        None => "no unhappy answer was due for a follow-up".into(),
    };
    let count = asked.answers.counted.len();
    let s = if count == 1 { "" } else { "s" };
    format!("NPS is {n:+.0} from {count} answer{s}; {followed}.")
}

/// The answers to one question, and what figures made of them have in common.
struct Asked<'a> {
    kind: Kind,
    answers: Answers<'a>,
    /// Accounts of which somebody answered, and all accounts.
    coverage: Coverage,
}

impl<'a> Asked<'a> {
    fn of(input: &Input<'a>, settings: &Settings, kind: Kind) -> Asked<'a> {
        let answers = answers(input, settings, kind);
        let of = input
            .book
            .accounts()
            .filter(|a| input.mine.is_none() || a.csm_id() == input.mine)
            .count();
        let answered: BTreeSet<u32> = answers.counted.iter().map(|a| a.account.row()).collect();
        Asked {
            kind,
            answers,
            coverage: Coverage {
                known: answered.len(),
                of,
                no_rate: 0,
            },
        }
    }

    fn scale_name(&self) -> String {
        self.answers.scale.map_or_else(|| "–".into(), |s| s.name())
    }

    fn nothing(&self) -> Value {
        Value::None(match self.answers.left_out.len() {
            0 => format!("no {} answer in this period", self.kind.title()),
            n => format!("none of {n} {} answers counts", self.kind.title()),
        })
    }

    fn why(&self, policy: String, steps: Vec<(String, Value)>) -> Why {
        let mut rows: Vec<&Answer<'_>> = self.answers.counted.iter().collect();
        rows.sort_by(|a, b| a.value.total_cmp(&b.value).then(b.at.cmp(&a.at)));
        let mut sources: BTreeSet<&str> = BTreeSet::new();
        for a in &self.answers.counted {
            sources.extend(a.account.nps_source());
        }
        let source = if self.kind == Kind::Nps && !sources.is_empty() {
            sources.into_iter().collect::<Vec<_>>().join(", ")
        } else {
            format!("{} signals", self.kind.name())
        };
        Why {
            policy,
            steps,
            columns: vec!["answer".into(), "day".into()],
            rows: rows
                .into_iter()
                .take(SHOWN)
                .map(|a| WhyRow {
                    label: visible(a.account.name()).into_owned(),
                    account: Some(a.account.id()),
                    values: vec![
                        Value::Number(a.value, u8::from(a.value.fract() != 0.0)),
                        a.at.date().map_or(Value::Empty, Value::Date),
                    ],
                    note: String::new(),
                })
                .collect(),
            rows_in: self.answers.counted.len(),
            left_out: self.answers.left_out.iter().take(SHOWN).cloned().collect(),
            rows_out: self.answers.left_out.len(),
            coverage: self.coverage,
            as_of: self.answers.newest().date(),
            source,
        }
    }

    fn nps(&self, name: &'static str, title: &str, values: Vec<f64>) -> Figure {
        let found = nps(values);
        let policy = match name {
            "voice.nps_accounts" => "each account counts once, with the mean of its answers",
            _ => "each answer counts once; records do not say whether one person answered twice",
        };
        let (label, value, steps) = match &found {
            Some(n) => (
                format!("{title} · n {}", n.n()),
                Value::Number(n.score as f64, 0),
                nps_steps(n),
            ),
            None => (title.to_owned(), self.nothing(), Vec::new()),
        };
        Figure::new(name, label, value, self.why(policy.into(), steps))
    }

    fn score(&self, method: Method) -> Figure {
        let (name, title) = match self.kind {
            Kind::Ces => ("voice.ces", "CES"),
            _ => ("voice.csat", "CSAT"),
        };
        let policy = format!(
            "{} on {}",
            method_words(self.kind, method),
            self.scale_name()
        );
        let found = self.scored(&self.answers.values(), method);
        let (label, value, steps) = match &found {
            Some(s) => (
                format!("{title} · n {}", s.n),
                value_of(s.method, s.value),
                score_steps(s),
            ),
            None => (title.to_owned(), self.nothing(), Vec::new()),
        };
        Figure::new(name, label, value, self.why(policy, steps))
    }

    fn scored(&self, values: &[f64], method: Method) -> Option<Score> {
        score(values, self.answers.scale?, method, boxes(self.kind))
    }

    /// The figure again for some of the answers, for a cell or a point.
    fn part(&self, label: &str, method: Option<Method>, part: &[&Answer<'_>]) -> Figure {
        let values: Vec<f64> = part.iter().map(|a| a.value).collect();
        let (name, value, steps) = match method {
            None => match nps(values) {
                Some(n) => ("voice.nps", Value::Number(n.score as f64, 0), nps_steps(&n)),
                None => ("voice.nps", Value::None("no answer".into()), Vec::new()),
            },
            Some(method) => {
                let name = match self.kind {
                    Kind::Ces => "voice.ces",
                    _ => "voice.csat",
                };
                match self.scored(&values, method) {
                    Some(s) => (name, value_of(method, s.value), score_steps(&s)),
                    None => (name, Value::None("no answer".into()), Vec::new()),
                }
            }
        };
        let newest = part.iter().map(|a| a.at).max().unwrap_or(Day::NONE);
        let why = Why {
            steps,
            rows_in: part.len(),
            coverage: Coverage {
                known: part.len(),
                of: part.len(),
                no_rate: 0,
            },
            as_of: newest.date(),
            source: format!("{} signals", self.kind.name()),
            ..Why::default()
        };
        Figure::new(name, label, value, why)
    }
}

fn method_words(kind: Kind, method: Method) -> &'static str {
    match (method, kind) {
        (Method::Top, Kind::Csat) => "share of answers in the two uppermost boxes",
        (Method::Top, _) => "share of answers in the three uppermost boxes",
        (Method::Mean, _) => "mean answer",
        (Method::Percent, _) => "sum of the answers ÷ the most that it could be",
    }
}

fn value_of(method: Method, value: f64) -> Value {
    match method {
        Method::Mean => Value::Number(value, 2),
        Method::Top | Method::Percent => Value::Ratio(value),
    }
}

fn nps_steps(n: &Nps) -> Vec<(String, Value)> {
    let count = |n: usize| Value::Count(n as i64);
    vec![
        ("promoters, 9 and 10".into(), count(n.promoters)),
        ("passives, 7 and 8".into(), count(n.passives)),
        ("detractors, 0 to 6".into(), count(n.detractors)),
        ("n".into(), count(n.n())),
        (
            "(promoters − detractors) ÷ n × 100".into(),
            Value::Number(n.score as f64, 0),
        ),
        ("95 % from".into(), Value::Number(n.interval.0, 1)),
        ("95 % to".into(), Value::Number(n.interval.1, 1)),
    ]
}

fn score_steps(s: &Score) -> Vec<(String, Value)> {
    let mut steps = vec![("n".to_owned(), Value::Count(s.n as i64))];
    steps.push(match s.method {
        Method::Top => ("in the uppermost boxes".into(), Value::Count(s.top as i64)),
        Method::Mean | Method::Percent => ("sum of the answers".into(), Value::Number(s.sum, 1)),
    });
    steps.push(("score".into(), value_of(s.method, s.value)));
    if let Some((from, to)) = s.interval {
        steps.push(("95 % from".into(), value_of(s.method, from)));
        steps.push(("95 % to".into(), value_of(s.method, to)));
    }
    steps
}

/// Each score with its interval, how many answered and on which scale.
fn by_measure(asked: [&Asked<'_>; 4], figures: [Figure; 4], settings: &Settings) -> Block {
    let bound = |f: &Figure, step: &str| {
        let why = f.why.as_ref()?;
        let (_, value) = why.steps.iter().find(|(s, _)| s == step)?;
        Some(Figure {
            value: value.clone(),
            ..f.clone()
        })
    };
    let methods = [
        "respondents",
        "accounts",
        method_words(Kind::Csat, settings.csat),
        method_words(Kind::Ces, settings.ces),
    ];
    let rows = asked
        .into_iter()
        .zip(figures)
        .zip(methods)
        .map(|((asked, f), method)| TableRow {
            label: asked.kind.title().into(),
            account: None,
            cells: vec![
                Figure::text(method),
                Figure::text(asked.scale_name()),
                bound(&f, "n").unwrap_or_default(),
                bound(&f, "95 % from").unwrap_or_default(),
                bound(&f, "95 % to").unwrap_or_default(),
                f,
            ],
        })
        .collect();
    Block::Table {
        title: "Method, answers and interval".into(),
        columns: ["method", "scale", "n", "95 % from", "95 % to", "score"]
            .map(Into::into)
            .to_vec(),
        rows,
        empty: String::new(),
    }
}

/// The score of each month of the period, on the one scale; none without answers.
fn months(asked: &Asked<'_>, method: Option<Method>, today: Date) -> Option<Block> {
    let mut by_month: BTreeMap<Date, Vec<&Answer<'_>>> = BTreeMap::new();
    for a in &asked.answers.counted {
        let day = a.at.date()?;
        by_month.entry(day.last_of_month()).or_default().push(a);
    }
    if by_month.is_empty() {
        return None;
    }
    let points = by_month
        .into_iter()
        .map(|(month, part)| {
            let label = format!(
                "{} {}, n {}",
                month.strftime("%b"),
                month.year(),
                part.len()
            );
            (month.min(today), asked.part(&label, method, &part))
        })
        .collect();
    let how = method.map_or_else(String::new, |m| format!(" {}", m.name()));
    Some(Block::Lines {
        title: format!(
            "{}{how} by month, scale {}",
            asked.kind.title(),
            asked.scale_name()
        ),
        lines: vec![Line {
            label: asked.kind.title().into(),
            points,
        }],
        mark: None,
    })
}

fn by_segment(asked: &Asked<'_>) -> Block {
    let mut by: BTreeMap<&str, Vec<&Answer<'_>>> = BTreeMap::new();
    for a in &asked.answers.counted {
        by.entry(a.account.segment().unwrap_or(""))
            .or_default()
            .push(a);
    }
    let mut rows: Vec<(usize, TableRow)> = by
        .into_iter()
        .map(|(segment, part)| {
            let label = match segment {
                "" => "without a segment".to_owned(),
                s => visible(s).into_owned(),
            };
            let figure = asked.part(&label, None, &part);
            let count = Figure {
                value: Value::Count(part.len() as i64),
                ..figure.clone()
            };
            let row = TableRow {
                label,
                account: None,
                cells: vec![count, figure],
            };
            (part.len(), row)
        })
        .collect();
    rows.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    Block::Table {
        title: "NPS by segment".into(),
        columns: ["answers", "NPS"].map(Into::into).to_vec(),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        empty: "No answer in this period.".into(),
    }
}

/// The unhappy answers.
struct Waits<'a> {
    all: Vec<(Kind, Answer<'a>, Loop)>,
    days: i32,
}

impl<'a> Waits<'a> {
    fn of(input: &Input<'a>, settings: &Settings, asked: [&Asked<'a>; 2]) -> Waits<'a> {
        let (today, days) = (Day::of(Some(input.today)), settings.follow_up_days());
        let mut all = Vec::new();
        for a in asked {
            let found = loops(&a.answers, a.kind, today, days);
            all.extend(found.into_iter().map(|(answer, l)| (a.kind, answer, l)));
        }
        Waits { all, days }
    }

    fn figure(&self, settings: &Settings) -> Figure {
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
    fn table(&self, today: Date) -> Block {
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
                let csm = a.account.csm();
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
                        cell(arr(&a.account).map_or_else(
                            || Value::None("no ARR, or no rate".into()),
                            Value::Money,
                        )),
                        Figure::text(csm.map_or_else(
                            || "nobody".to_owned(),
                            |p| visible(p.name()).into_owned(),
                        )),
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
