//! The fiscal calendar: quarters and weeks.

use super::day::{Day, days};
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

/// When years and weeks begin (`[calendar]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Calendar {
    /// The month in which the fiscal year begins, 1 to 12.
    pub fiscal_month: i8,
    /// Weeks begin on Sunday; else on Monday.
    pub sunday_first: bool,
}

impl Default for Calendar {
    fn default() -> Self {
        Calendar {
            fiscal_month: 1,
            sunday_first: false,
        }
    }
}

/// A fiscal quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Quarter {
    /// The fiscal year: the calendar year in which it ends.
    pub year: i16,
    /// 1 to 4.
    pub number: i8,
    /// Its first day.
    pub start: Date,
    /// Its last day.
    pub end: Date,
}

impl Calendar {
    /// The quarter of a day. A fiscal month outside 1 to 12 counts as January.
    pub fn quarter(&self, day: Date) -> Quarter {
        let first = if (1..=12).contains(&self.fiscal_month) {
            self.fiscal_month
        } else {
            1
        };
        let into = (day.month() - first).rem_euclid(12);
        let number = into / 3 + 1;
        // Months since year 0 of the quarter's first month.
        let start = i32::from(day.year()) * 12 + i32::from(day.month() - 1) - i32::from(into % 3);
        let year_end = start - i32::from((number - 1) * 3) + 11;
        Quarter {
            year: (year_end.div_euclid(12)) as i16,
            number,
            start: first_of(start),
            end: super::day::date_of(days(first_of(start + 3)) - 1).unwrap_or(Date::MAX),
        }
    }
    /// The quarter after another.
    pub fn next(&self, quarter: &Quarter) -> Quarter {
        self.quarter(super::day::date_of(days(quarter.end) + 1).unwrap_or(Date::MAX))
    }
    /// The label of a quarter: `Q4 2026`, or `Q4 FY27` when the fiscal year is not the calendar's.
    pub fn label(&self, quarter: &Quarter) -> String {
        if self.fiscal_month <= 1 || self.fiscal_month > 12 {
            format!("Q{} {}", quarter.number, quarter.year)
        } else {
            format!("Q{} FY{:02}", quarter.number, quarter.year.rem_euclid(100))
        }
    }
    /// The last day of the week of a day.
    pub fn end_of_week(&self, day: Date) -> Date {
        // 1970-01-01 was a Thursday: 3 days after a Monday, 4 after a Sunday.
        let shift = if self.sunday_first { 4 } else { 3 };
        let into = (days(day) + shift).rem_euclid(7);
        Day(days(day) + 6 - into).date().unwrap_or(day)
    }
    /// The last day of the month of a day.
    pub fn end_of_month(&self, day: Date) -> Date {
        day.last_of_month()
    }
    /// The last day of the fiscal year of a day.
    pub fn end_of_year(&self, day: Date) -> Date {
        let mut quarter = self.quarter(day);
        while quarter.number < 4 {
            quarter = self.next(&quarter);
        }
        quarter.end
    }
}

fn first_of(months: i32) -> Date {
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    match (i16::try_from(year), i8::try_from(month)) {
        (Ok(y), Ok(m)) if (-9999..=9999).contains(&y) => date(y, m, 1),
        _ => Date::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_follow_the_fiscal_year() {
        let plain = Calendar::default();
        let q = plain.quarter(date(2026, 11, 22));
        assert_eq!((q.start, q.end), (date(2026, 10, 1), date(2026, 12, 31)));
        assert_eq!(plain.label(&q), "Q4 2026");
        assert_eq!(plain.label(&plain.next(&q)), "Q1 2027");
        let feb = Calendar {
            fiscal_month: 2,
            ..plain
        };
        let q = feb.quarter(date(2027, 1, 31));
        assert_eq!((q.start, q.end), (date(2026, 11, 1), date(2027, 1, 31)));
        assert_eq!(feb.label(&q), "Q4 FY27");
        assert_eq!(feb.label(&feb.quarter(date(2027, 2, 1))), "Q1 FY28");
        assert_eq!(feb.end_of_year(date(2026, 3, 1)), date(2027, 1, 31));
        // The ends of the calendar do not panic.
        feb.quarter(Date::MAX);
        plain.quarter(Date::MIN);
        plain.end_of_year(Date::MAX);
    }

    #[test]
    fn weeks_end_on_sunday_or_saturday() {
        let c = Calendar::default();
        assert_eq!(c.end_of_week(date(2026, 11, 22)), date(2026, 11, 22));
        assert_eq!(c.end_of_week(date(2026, 11, 23)), date(2026, 11, 29));
        let c = Calendar {
            sunday_first: true,
            ..c
        };
        assert_eq!(c.end_of_week(date(2026, 11, 22)), date(2026, 11, 28));
    }
}
