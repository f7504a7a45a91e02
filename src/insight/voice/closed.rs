//! The closed loop: whether those who gave an unhappy answer were talked to in time.

use super::answers::{Answer, Answers, Kind};
use super::scale::Scale;
use super::score::is_detractor;
use crate::book::{Day, TaskRow};
use jiff::tz::TimeZone;

/// What became of an unhappy answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    /// Followed up in time, after so many days.
    Closed(i32),
    /// Followed up too late, after so many days.
    Late(i32),
    /// Not followed up, and time is up.
    Missed,
    /// Not followed up, and there is time left.
    Open,
}

/// Whether an answer is an unhappy one: 0 to 6 of NPS, one of the two lowest boxes of CSAT. CES asks about one matter, not about us.
pub fn is_unhappy(kind: Kind, value: f64, scale: Scale) -> bool {
    match kind {
        Kind::Nps => is_detractor(value),
        Kind::Csat => value <= f64::from(scale.low) + 1.0,
        Kind::Ces => false,
    }
}

/// The unhappy answers and what became of each, the oldest first.
pub fn loops<'a>(
    answers: &Answers<'a>,
    kind: Kind,
    today: Day,
    days: i32,
) -> Vec<(Answer<'a>, Loop)> {
    let Some(scale) = answers.scale else {
        return Vec::new();
    };
    let unhappy = answers
        .counted
        .iter()
        .filter(|a| is_unhappy(kind, a.value, scale));
    let mut all: Vec<(Answer<'a>, Loop)> = unhappy
        .map(|a| {
            let after = first_talk(a).get().map(|d| d.saturating_sub(a.at.0));
            let became = match after {
                Some(n) if n <= days => Loop::Closed(n),
                Some(n) => Loop::Late(n),
                None if today.0.saturating_sub(a.at.0) > days => Loop::Missed,
                None => Loop::Open,
            };
            (*a, became)
        })
        .collect();
    all.sort_by_key(|(a, _)| (a.at, a.account.id()));
    all
}

/// The first day on or after the answer on which somebody talked to them: a call, mail or meeting that was logged, or a task of that
/// kind, or one for following up, that was completed.
fn first_talk(a: &Answer<'_>) -> Day {
    let is_talk = |t: &TaskRow<'_>| {
        matches!(t.kind(), Some("call" | "email" | "meeting"))
            || t.class()
                .is_some_and(|c| c.to_ascii_lowercase().contains("follow"))
    };
    let done = a
        .account
        .tasks()
        .filter(|t| !t.is_open() && is_talk(t))
        .filter_map(|t| t.completed_at())
        .map(|t| Day::of(Some(t.to_zoned(TimeZone::UTC).date())))
        .filter(|d| *d >= a.at);
    let logged = Some(a.followed).filter(|d| *d != Day::NONE && *d >= a.at);
    done.chain(logged).min().unwrap_or(Day::NONE)
}

/// What the loops come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Followed up in time.
    pub closed: usize,
    /// Followed up too late.
    pub late: usize,
    /// Not followed up, and time is up.
    pub missed: usize,
    /// There is time left: they count neither way.
    pub open: usize,
}

impl Tally {
    /// Of these.
    pub fn of(loops: impl IntoIterator<Item = Loop>) -> Tally {
        let mut t = Tally::default();
        for became in loops {
            *match became {
                Loop::Closed(_) => &mut t.closed,
                Loop::Late(_) => &mut t.late,
                Loop::Missed => &mut t.missed,
                Loop::Open => &mut t.open,
            } += 1;
        }
        t
    }
    /// Those whose time is up or that are closed.
    pub fn due(&self) -> usize {
        self.closed + self.late + self.missed
    }
    /// The share closed in time; none when none is due.
    pub fn share(&self) -> Option<f64> {
        (self.due() > 0).then(|| self.closed as f64 / self.due() as f64)
    }
}
