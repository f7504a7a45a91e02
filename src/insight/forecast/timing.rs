//! When renewals happen: those that were moved, that closed before or after their time, and the renewal rate by period under each way of
//! saying when one counts.

use super::chance::Share;
use super::period::Period;
use super::row::Row;
use crate::book::{Calendar, Day};
use serde::{Deserialize, Serialize};

/// What is unusual about a renewal's days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// It is due in a later fiscal quarter than it was first.
    pub slipped: bool,
    /// How often its due day was moved to a later one, as far as known.
    pub pushed: u16,
    /// It was won before the fiscal quarter in which it was due.
    pub early: bool,
    /// It closed after its first due day by so many days, or is open so many days after it.
    pub late: Option<i32>,
}

impl Timing {
    /// Of a renewal.
    pub fn of(row: &Row<'_>, today: Day, calendar: &Calendar) -> Timing {
        let (due, cohort, closed) = (row.due.date(), row.cohort.date(), row.closed.date());
        let Some(first) = cohort.map(|d| calendar.quarter(d)) else {
            return Timing::default();
        };
        let moved = row.due > row.cohort && due.is_some();
        let end = if row.is_open() { today } else { row.closed };
        Timing {
            slipped: due.is_some_and(|d| d > first.end),
            pushed: row.renewal.pushes().unwrap_or(0).max(u16::from(moved)),
            early: row.is_won() && closed.is_some_and(|c| c < first.start),
            late: (end != Day::NONE && end > row.cohort).then(|| end.0 - row.cohort.0),
        }
    }
}

/// In which period a renewal that was won counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credit {
    /// In the one in which it was due, whenever it closed.
    #[default]
    Due,
    /// In the one in which it closed when that is later, in the one in which it was due when it closed before: what comes late is a
    /// windfall (Adaptive Insights' practice). Rates are not capped: a period can renew more than was due in it.
    Windfall,
    /// In the one in which it was signed.
    Signing,
}

impl Credit {
    /// All, with their names.
    pub const ALL: [(&'static str, Credit); 3] = [
        ("due", Credit::Due),
        ("windfall", Credit::Windfall),
        ("signing", Credit::Signing),
    ];
    /// By its name.
    pub fn parse(name: &str) -> Option<Credit> {
        Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
    }
    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, c)| *c == self)
            .map_or("", |(n, _)| n)
    }
    fn day(self, row: &Row<'_>) -> Day {
        match self {
            Credit::Due => row.cohort,
            // One that says only that it is won closed when it was due.
            _ if row.closed == Day::NONE => row.cohort,
            Credit::Windfall => row.closed.max(row.cohort),
            Credit::Signing => row.closed,
        }
    }
}

/// The renewal rate of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Renewals due in it.
    pub count: usize,
    /// What is up for renewal with them.
    pub due: i64,
    /// Won and credited to it, each with at most its target.
    pub gross: i64,
    /// Won and credited to it, with growth.
    pub net: i64,
    /// The part of `gross` that was due in another period.
    pub windfall: i64,
    /// What was due in it and is still open.
    pub open: i64,
}

impl Rate {
    /// The gross rate; none where nothing was due. More than 1 when more is credited than was due.
    pub fn gross_rate(&self) -> Option<f64> {
        (self.due > 0).then(|| self.gross as f64 / self.due as f64)
    }
    /// The net rate, likewise.
    pub fn net_rate(&self) -> Option<f64> {
        (self.due > 0).then(|| self.net as f64 / self.due as f64)
    }
}

/// The renewal rate of a period: what was won of what was due.
pub fn rate<'r, 'a: 'r>(
    rows: impl IntoIterator<Item = &'r Row<'a>>,
    period: &Period,
    credit: Credit,
) -> Rate {
    let mut rate = Rate::default();
    let add = |sum: &mut i64, n: i64| *sum = sum.saturating_add(n);
    for row in rows {
        let due = period.has(row.cohort);
        if due {
            rate.count += 1;
            add(&mut rate.due, row.target);
            if row.is_open() && row.chance.share != Share::NONE {
                add(&mut rate.open, row.target);
            }
        }
        if row.is_won() && period.has(credit.day(row)) {
            add(&mut rate.gross, row.gross());
            add(&mut rate.net, row.amount);
            if !due {
                add(&mut rate.windfall, row.gross());
            }
        }
    }
    rate
}
