//! The answers to one question as figures: the score, its months and its segments, each with how it came about.

use super::answers::{Answer, Answers, Kind, answers};
use super::score::{Nps, Score, nps, score};
use super::{Method, Settings};
use crate::book::{Day, text::visible};
use crate::insight::Coverage;
use crate::insight::page::{Figure, Input, Value, Why, WhyRow};
use std::collections::BTreeSet;

/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;

/// How many of the uppermost answers count as the top: two of satisfaction, three of effort (5 and more of 7).
fn boxes(kind: Kind) -> u8 {
    match kind {
        Kind::Csat => 2,
        _ => 3,
    }
}

/// The answers to one question, and what figures made of them have in common.
pub(super) struct Asked<'a> {
    pub kind: Kind,
    pub answers: Answers<'a>,
    /// Accounts of which somebody answered, and all accounts.
    coverage: Coverage,
}

impl<'a> Asked<'a> {
    pub fn of(input: &Input<'a>, settings: &Settings, kind: Kind) -> Asked<'a> {
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

    pub fn scale_name(&self) -> String {
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

    pub fn nps(&self, name: &'static str, title: &str, values: Vec<f64>) -> Figure {
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

    pub fn score(&self, method: Method) -> Figure {
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
    pub fn part(&self, label: &str, method: Option<Method>, part: &[&Answer<'_>]) -> Figure {
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

pub(super) fn method_words(kind: Kind, method: Method) -> &'static str {
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
