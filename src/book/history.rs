//! What was known on earlier days: what an account was from a day on, and the figures that were shown on a day.

use super::id::LocalId;
use super::value::Money;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an account was from a day on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryPoint {
    /// From this day on; the first one is the day on which it came, or from which history is kept.
    pub date: Date,
    /// Annual recurring revenue in its own currency.
    pub arr: Option<Money>,
    /// Health, 0 to 100.
    pub health: Option<u8>,
    /// Segment.
    pub segment: Option<String>,
    /// The customer success manager.
    pub csm: Option<LocalId>,
}

/// The figures of one group of accounts as they were shown on a day, under the rules of that day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayFigures {
    /// The day.
    pub day: Date,
    /// What the group is by: `all`, `segment`, `touch`, `csm`.
    pub by: String,
    /// Its value; empty for `all` and for accounts without one.
    pub key: String,
    /// The reporting currency of the amounts.
    pub currency: String,
    /// Accounts.
    pub accounts: u32,
    /// Their ARR, minor units.
    pub arr: i64,
    /// Accounts whose ARR is in that sum.
    pub arr_known: u32,
    /// Accounts with a health score.
    pub health_known: u32,
    /// The sum of these scores.
    pub health_sum: u64,
    /// Accounts in the queue.
    pub in_queue: u32,
    /// ARR at stake of the accounts in the queue, minor units.
    pub at_risk: i64,
    /// Amounts of open renewals due within 90 days, overdue ones included, minor units.
    pub due: i64,
}

/// How far the points of a series lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// One point for each week that begins on a Monday.
    Week,
    /// One for each month.
    Month,
}

impl Every {
    /// The first day of the period that a day lies in.
    pub fn begin(self, day: Date) -> Date {
        match self {
            Every::Week => {
                let back = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(jiff::Span::new().days(back)).unwrap_or(day)
            }
            Every::Month => day.first_of_month(),
        }
    }
}

/// The figures of all days on which csops ran, in one reporting currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    groups: BTreeMap<(String, String), BTreeMap<Date, DayFigures>>,
    /// Figures in another currency than the one asked for.
    other: usize,
}

impl History {
    /// Of all figures kept, those in a currency: amounts of different currencies make no series.
    pub fn new(figures: impl IntoIterator<Item = DayFigures>, currency: &str) -> History {
        let mut history = History::default();
        for f in figures {
            if f.currency == currency {
                history.enter(f);
            } else {
                history.other += 1;
            }
        }
        history
    }

    /// Adds the figures of a group, in the place of those of the same day.
    pub fn enter(&mut self, figures: DayFigures) {
        let group = (figures.by.clone(), figures.key.clone());
        self.groups
            .entry(group)
            .or_default()
            .insert(figures.day, figures);
    }

    /// Nothing is kept yet.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// How many figures are left out because they are in another currency.
    pub fn in_other_currency(&self) -> usize {
        self.other
    }

    /// The first day with figures.
    pub fn first_day(&self) -> Option<Date> {
        self.groups
            .values()
            .filter_map(|days| days.keys().next())
            .min()
            .copied()
    }

    /// The values of a grouping that ever had accounts.
    pub fn keys<'a>(&'a self, by: &'a str) -> impl Iterator<Item = &'a str> {
        self.groups
            .keys()
            .filter(move |(b, _)| b == by)
            .map(|(_, key)| key.as_str())
    }

    /// What was shown of a group on a day, or on the last day before it on which csops ran.
    pub fn at(&self, by: &str, key: &str, day: Date) -> Option<&DayFigures> {
        let days = self.groups.get(&(by.to_owned(), key.to_owned()))?;
        days.range(..=day).next_back().map(|(_, f)| f)
    }

    /// The newest figures of each period, oldest first, up to a day. A period in which csops did not run has none: a line over it is no
    /// measurement.
    pub fn series(&self, by: &str, key: &str, every: Every, until: Date) -> Vec<&DayFigures> {
        let Some(days) = self.groups.get(&(by.to_owned(), key.to_owned())) else {
            return Vec::new();
        };
        let mut out: Vec<&DayFigures> = Vec::new();
        for (_, figures) in days.range(..=until) {
            match out.last_mut() {
                Some(last) if every.begin(last.day) == every.begin(figures.day) => *last = figures,
                _ => out.push(figures),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn of(day: Date, arr: i64) -> DayFigures {
        DayFigures {
            day,
            by: "all".into(),
            currency: "USD".into(),
            arr,
            ..DayFigures::default()
        }
    }

    #[test]
    fn a_period_shows_its_newest_day_and_none_where_nothing_ran() {
        let history = History::new(
            [
                of(date(2026, 8, 31), 1),
                of(date(2026, 9, 1), 2),
                of(date(2026, 9, 30), 3),
                of(date(2026, 11, 2), 5),
                of(date(2026, 11, 8), 6),
                of(date(2026, 11, 9), 7),
                DayFigures {
                    currency: "EUR".into(),
                    ..of(date(2026, 10, 1), 4)
                },
            ],
            "USD",
        );
        let arr = |every, until| -> Vec<i64> {
            let series = history.series("all", "", every, until);
            series.iter().map(|f| f.arr).collect()
        };
        assert_eq!(arr(Every::Month, date(2026, 12, 1)), [1, 3, 7]);
        // 2026-11-02 is a Monday, the 8th the Sunday of its week.
        assert_eq!(arr(Every::Week, date(2026, 12, 1)), [2, 3, 6, 7]);
        assert_eq!(arr(Every::Month, date(2026, 9, 15)), [1, 2]);
        let at = |day| history.at("all", "", day).map(|f| f.arr);
        assert_eq!(at(date(2026, 10, 15)), Some(3));
        assert_eq!(at(date(2026, 8, 30)), None);
        assert_eq!(history.in_other_currency(), 1);
        assert_eq!(history.first_day(), Some(date(2026, 8, 31)));
    }
}
