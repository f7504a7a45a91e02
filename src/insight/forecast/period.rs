//! A stretch of days that a forecast is made for.

use crate::book::{Calendar, Day, Quarter};
use jiff::civil::Date;

/// From a first to a last day, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// What people call it: `Q4 2026`, `2026-10-01 to 2026-12-31`.
    pub label: String,
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub to: Date,
}

impl Period {
    /// A fiscal quarter.
    pub fn quarter(calendar: &Calendar, quarter: &Quarter) -> Period {
        Period {
            label: calendar.label(quarter),
            from: quarter.start,
            to: quarter.end,
        }
    }
    /// The quarter of a day and those after it, so many in all.
    pub fn quarters(calendar: &Calendar, day: Date, count: usize) -> Vec<Period> {
        let mut quarter = calendar.quarter(day);
        let mut out = Vec::with_capacity(count);
        for _ in 0..count {
            out.push(Period::quarter(calendar, &quarter));
            quarter = calendar.next(&quarter);
        }
        out
    }
    /// The calendar month of a day.
    pub fn month(day: Date) -> Period {
        Period {
            label: day.strftime("%b %Y").to_string(),
            from: day.first_of_month(),
            to: day.last_of_month(),
        }
    }
    /// Any days.
    pub fn days(from: Date, to: Date) -> Period {
        Period {
            label: format!("{from} to {to}"),
            from,
            to,
        }
    }
    /// Whether a day lies in it; no day lies in none.
    pub fn has(&self, day: Day) -> bool {
        day >= self.start() && day <= self.end()
    }
    /// Its first day, for comparing with columns.
    pub fn start(&self) -> Day {
        Day::of(Some(self.from))
    }
    /// Its last day, likewise.
    pub fn end(&self) -> Day {
        Day::of(Some(self.to))
    }
}
