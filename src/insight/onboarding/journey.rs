//! One account's way from its first day to its full value, as its rows tell it.

use super::Settings;
use super::settings::says;
use super::survival::Span;
use crate::book::{AccountRow, Day, TaskRow};
use jiff::tz::TimeZone;

/// The signal of the first value.
pub const FIRST_VALUE: &str = "milestone.first_value";
/// The signal of the full value.
pub const FULL_VALUE: &str = "milestone.full_value";

/// How a milestone with a due day stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Done by its day, or it has none.
    Done,
    /// Done after its day.
    DoneLate,
    /// Done, and nobody knows when: whether in time cannot be said.
    DoneUndated,
    /// Open, and its day is past.
    Late,
    /// Open, and its day is to come, or it has none.
    Due,
}

/// A milestone: a task of an onboarding class.
#[derive(Clone, Copy)]
pub struct Milestone<'a> {
    /// The task.
    pub task: TaskRow<'a>,
    /// How it stands.
    pub standing: Standing,
}

/// The way so far.
pub struct Journey<'a> {
    /// Whose.
    pub account: AccountRow<'a>,
    /// The day on which it began.
    pub start: Day,
    /// The first value was reached.
    pub first_value: Day,
    /// The full value was reached.
    pub full_value: Day,
    /// Other milestones that came as signals.
    pub marks: usize,
    /// Milestones that are tasks, the ones that are due first in front.
    pub milestones: Vec<Milestone<'a>>,
    /// It is under way.
    pub under_way: bool,
}

/// Reads an account's way.
pub fn journey<'a>(a: AccountRow<'a>, today: Day, settings: &Settings) -> Journey<'a> {
    let (mut first, mut full, mut marks) = (Day::NONE, Day::NONE, 0);
    for s in a
        .signals()
        .filter(|s| s.at() != Day::NONE && s.at() <= today)
    {
        // Reached once is reached: the earliest day counts.
        let earliest = |known: Day| match known {
            Day::NONE => s.at(),
            known => known.min(s.at()),
        };
        match s.kind() {
            FIRST_VALUE => first = earliest(first),
            FULL_VALUE => full = earliest(full),
            kind if kind.starts_with("milestone.") => marks += 1,
            _ => {}
        }
    }
    let mut milestones: Vec<Milestone<'a>> = a
        .tasks()
        .filter(|t| t.class().is_some_and(|c| says(&settings.classes, c)))
        .map(|task| Milestone {
            standing: standing(&task, today),
            task,
        })
        .collect();
    milestones.sort_by_key(|m| {
        let due = m.task.due_day();
        (!m.task.is_open(), due == Day::NONE, due, m.task.id())
    });
    let start = Day::of(a.start());
    let under_way = full == Day::NONE
        && match a.stage() {
            Some(stage) => says(&settings.stages, stage),
            None => days(start, today).is_some_and(|d| d <= i32::from(settings.open_days)),
        };
    Journey {
        account: a,
        start,
        first_value: first,
        full_value: full,
        marks,
        milestones,
        under_way,
    }
}

fn standing(t: &TaskRow<'_>, today: Day) -> Standing {
    let due = t.due_day();
    if t.is_open() {
        return match due {
            Day::NONE => Standing::Due,
            due if due < today => Standing::Late,
            _ => Standing::Due,
        };
    }
    let done = t
        .completed_at()
        .map(|at| Day::of(Some(at.to_zoned(TimeZone::UTC).date())));
    match done {
        Some(done) if due != Day::NONE && done > due => Standing::DoneLate,
        None if due != Day::NONE => Standing::DoneUndated,
        _ => Standing::Done,
    }
}

/// Days from one to another; none when either is missing or the first is the later one.
pub fn days(from: Day, to: Day) -> Option<i32> {
    let days = to.get()?.saturating_sub(from.get()?);
    (days >= 0).then_some(days)
}

impl Journey<'_> {
    /// How long the way to a day took, or takes so far. The error says why it tells nothing.
    pub fn span(&self, reached: Day, today: Day) -> Result<Span, &'static str> {
        if self.start == Day::NONE {
            return Err("no day since which it is a customer");
        }
        if days(self.start, today).is_none() {
            return Err("begins in the future");
        }
        if reached == Day::NONE {
            return days(self.start, today)
                .map(|days| Span {
                    days,
                    reached: false,
                })
                .ok_or("begins in the future");
        }
        days(self.start, reached)
            .map(|days| Span {
                days,
                reached: true,
            })
            .ok_or("reached before it began")
    }
    /// How many milestones stand so.
    pub fn count(&self, standing: Standing) -> usize {
        self.milestones
            .iter()
            .filter(|m| m.standing == standing)
            .count()
    }
    /// The open milestone that is due next.
    pub fn next(&self) -> Option<&Milestone<'_>> {
        self.milestones.iter().find(|m| m.task.is_open())
    }
}
