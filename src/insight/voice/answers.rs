//! The survey answers of a Book in a period, apart by kind and scale.

use super::Settings;
use super::scale::Scale;
use crate::book::{AccountRow, Day, SignalRow, text::visible};
use crate::insight::page::{Excluded, Input};
use std::collections::BTreeMap;

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// How likely they would recommend us, 0 to 10.
    Nps,
    /// How satisfied they are.
    Csat,
    /// How easy it was.
    Ces,
}

impl Kind {
    /// Of a signal's kind.
    pub fn of(signal: &str) -> Option<Kind> {
        match signal {
            "nps" => Some(Kind::Nps),
            "csat" => Some(Kind::Csat),
            "ces" => Some(Kind::Ces),
            _ => None,
        }
    }
    /// The signal's kind.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Nps => "nps",
            Kind::Csat => "csat",
            Kind::Ces => "ces",
        }
    }
    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Kind::Nps => "NPS",
            Kind::Csat => "CSAT",
            Kind::Ces => "CES",
        }
    }
}

/// One answer.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// Who answered.
    pub account: AccountRow<'a>,
    /// On which day.
    pub at: Day,
    /// What.
    pub value: f64,
    /// The first talk with the account after it.
    pub followed: Day,
}

/// The answers of one kind that count, and those that do not.
#[derive(Default)]
pub struct Answers<'a> {
    /// Those on the scale that most of them have.
    pub counted: Vec<Answer<'a>>,
    /// That scale.
    pub scale: Option<Scale>,
    /// Those that do not count, and why.
    pub left_out: Vec<Excluded>,
    /// How many of these are on another scale.
    pub other_scale: usize,
}

impl Answers<'_> {
    /// What was answered.
    pub fn values(&self) -> Vec<f64> {
        self.counted.iter().map(|a| a.value).collect()
    }
    /// The accounts' means, in the order of their rows.
    pub fn by_account(&self) -> Vec<f64> {
        let mut sums: BTreeMap<u32, (f64, usize)> = BTreeMap::new();
        for a in &self.counted {
            let sum = sums.entry(a.account.row()).or_default();
            *sum = (sum.0 + a.value, sum.1 + 1);
        }
        sums.into_values().map(|(s, n)| s / n as f64).collect()
    }
    /// The newest day.
    pub fn newest(&self) -> Day {
        let days = self.counted.iter().map(|a| a.at);
        days.max().unwrap_or(Day::NONE)
    }
}

/// The answers of a kind within the period, today the last day of it. A scale is never mixed with another: the one with the most answers
/// counts (the larger one of two alike), the others are left out and counted.
pub fn answers<'a>(input: &Input<'a>, settings: &Settings, kind: Kind) -> Answers<'a> {
    let today = Day::of(Some(input.today));
    let first = Day(today
        .0
        .saturating_sub(i32::from(settings.period_days.max(1)) - 1));
    let mut by_scale: BTreeMap<Scale, Vec<Answer<'a>>> = BTreeMap::new();
    let mut out = Answers::default();
    let mut seen: Vec<u32> = Vec::new();
    let default = settings.scale(kind);
    let mut leave = |a: &AccountRow<'_>, at: Day, reason: String| {
        let day = at
            .date()
            .map_or_else(|| "no day".to_owned(), |d| d.to_string());
        out.left_out.push(Excluded {
            row: format!("{}, {day}", visible(a.name())),
            reason,
        });
    };
    for s in input
        .book
        .signals()
        .filter(|s| Kind::of(s.kind()) == Some(kind))
    {
        let Some(account) = ours(&s, input) else {
            continue;
        };
        seen.push(account.row());
        let at = s.at();
        if at != Day::NONE && at < first {
            continue;
        }
        let scale = Scale::of(s.unit(), default);
        match s.value() {
            _ if at == Day::NONE => leave(&account, at, "no day: it belongs to no period".into()),
            _ if at > today => leave(&account, at, "is yet to come".into()),
            None => leave(&account, at, "no number".into()),
            Some(v) if !scale.holds(v) => {
                leave(
                    &account,
                    at,
                    format!("{v} is not on the scale {}", scale.name()),
                );
            }
            Some(value) => by_scale.entry(scale).or_default().push(Answer {
                account,
                at,
                value,
                followed: s.followed(),
            }),
        }
    }
    if kind == Kind::Nps {
        // The account's own record may hold the newest answer although no survey sent one.
        seen.sort_unstable();
        for account in input.book.accounts() {
            let (Some(n), Err(_)) = (account.nps(), seen.binary_search(&account.row())) else {
                continue;
            };
            if input.mine.is_some() && account.csm_id() != input.mine {
                continue;
            }
            match Day::of(account.nps_at()) {
                Day::NONE => {
                    leave(
                        &account,
                        Day::NONE,
                        "no day: it belongs to no period".into(),
                    );
                }
                at if at >= first && at <= today && n <= 10 => {
                    by_scale.entry(default).or_default().push(Answer {
                        account,
                        at,
                        value: f64::from(n),
                        followed: Day::NONE,
                    });
                }
                _ => {}
            }
        }
    }
    let most = by_scale
        .iter()
        .max_by_key(|(scale, answers)| (answers.len(), **scale))
        .map(|(scale, _)| *scale);
    for (scale, answers) in by_scale {
        if Some(scale) == most {
            out.counted = answers;
            out.scale = most;
            continue;
        }
        out.other_scale += answers.len();
        for a in answers {
            out.left_out.push(Excluded {
                row: format!(
                    "{}, {}",
                    visible(a.account.name()),
                    a.at.date().map_or_else(String::new, |d| d.to_string())
                ),
                reason: format!("answered on another scale, {}", scale.name()),
            });
        }
    }
    out
}

fn ours<'a>(s: &SignalRow<'a>, input: &Input<'_>) -> Option<AccountRow<'a>> {
    s.account()
        .filter(|a| input.mine.is_none() || a.csm_id() == input.mine)
}
