//! The backlog: open tasks by when they are due and how urgent they are.

use crate::book::{Book, Calendar, Day, LocalId, TaskRow};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Counts of tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Open.
    pub open: usize,
    /// Due before today.
    pub overdue: usize,
    /// Due today.
    pub today: usize,
    /// Due after today, up to the end of the week.
    pub week: usize,
    /// Due later.
    pub later: usize,
    /// Without a due day.
    pub undated: usize,
    /// Open ones by priority p1 to p4; the fifth is those without.
    pub priorities: [usize; 5],
    /// Done within the last seven days, today included.
    pub done_week: usize,
    /// How many days the oldest open one is overdue.
    pub oldest_overdue: Option<i32>,
}

pub(super) fn is_mine(t: &TaskRow<'_>, mine: Option<LocalId>) -> bool {
    mine.is_none() || t.owner().map(|o| o.id()) == mine
}

/// Open and overdue tasks, everybody's or one person's.
pub(super) fn task_counts(book: &Book, today: Date, mine: Option<LocalId>) -> (usize, usize) {
    let now = Day::of(Some(today));
    let mut counts = (0, 0);
    for t in book.tasks().filter(|t| t.is_open() && is_mine(t, mine)) {
        counts.0 += 1;
        counts.1 += usize::from(t.due_day() != Day::NONE && t.due_day() < now);
    }
    counts
}

/// When an open task is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Overdue,
    Today,
    Week,
    Later,
    Undated,
}

/// When an open task is due, as seen from `now`; `week` is the week's last day.
pub(super) fn due_of(t: &TaskRow<'_>, now: Day, week: Day) -> Due {
    let due = t.due_day();
    if due == Day::NONE {
        Due::Undated
    } else if due < now {
        Due::Overdue
    } else if due == now {
        Due::Today
    } else if due <= week {
        Due::Week
    } else {
        Due::Later
    }
}

/// Whether a completed task was completed within the last seven days.
pub(super) fn done_lately(t: &TaskRow<'_>, now: Day) -> bool {
    let done = t.completed_at().map_or(Day::NONE, |c| {
        Day::of(Some(c.to_zoned(jiff::tz::TimeZone::UTC).date()))
    });
    done != Day::NONE && done.0 > now.0.saturating_sub(7)
}

/// The backlog, everybody's or one person's.
pub fn task_summary(
    book: &Book,
    today: Date,
    calendar: &Calendar,
    mine: Option<LocalId>,
) -> TaskSummary {
    let now = Day::of(Some(today));
    let week = Day::of(Some(calendar.end_of_week(today)));
    let mut s = TaskSummary::default();
    for t in book.tasks().filter(|t| is_mine(t, mine)) {
        if !t.is_open() {
            s.done_week += usize::from(done_lately(&t, now));
            continue;
        }
        s.open += 1;
        let priority = match t.priority_kind() {
            Some("p1") => 0,
            Some("p2") => 1,
            Some("p3") => 2,
            Some("p4") => 3,
            _ => 4,
        };
        s.priorities[priority] += 1;
        match due_of(&t, now, week) {
            Due::Undated => s.undated += 1,
            Due::Today => s.today += 1,
            Due::Week => s.week += 1,
            Due::Later => s.later += 1,
            Due::Overdue => {
                s.overdue += 1;
                let late = now.0.saturating_sub(t.due_day().0);
                s.oldest_overdue = s.oldest_overdue.max(Some(late));
            }
        }
    }
    s
}
