//! Retention over time: month by month, quarter by quarter on the annual base, and by the quarter in which customers began.

use super::cell::Totals;
use super::customers::Customers;
use super::policy::Policy;
use super::report::{frame, unavailable};
use super::timeline::Timeline;
use super::window::Walk;
use crate::book::day::{date_of, days};
use crate::book::{Book, Calendar, LocalId, Quarter};
use crate::insight::ledger::Ledger;
use jiff::civil::Date;

/// What series are made from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The Book.
    pub book: &'a Book,
    /// Its ledger.
    pub ledger: &'a Ledger,
    /// The conventions.
    pub policy: &'a Policy,
    /// The fiscal calendar.
    pub calendar: &'a Calendar,
    /// The day that counts as today.
    pub today: Date,
    /// Only the accounts of this person.
    pub mine: Option<LocalId>,
}

impl Source<'_> {
    /// The figures of several windows, in one walk over the ledger. Windows are days, the first and the last; `of` says which of them a
    /// customer counts in, by the first day of its ledger.
    fn walk(
        &self,
        windows: &[(i32, i32)],
        of: impl Fn(i32) -> std::ops::Range<usize> + Sync,
    ) -> Vec<Totals> {
        let mut sums = vec![Totals::default(); windows.len()];
        if unavailable(self.book, self.ledger, self.policy).is_some() {
            return sums;
        }
        let today = days(self.today);
        let last = windows.iter().map(|w| w.1).max().unwrap_or(today);
        let timeline = Timeline::of(self.ledger, self.policy, today.max(last));
        let frames: Vec<_> = (windows.iter())
            .map(|w| frame(self.book, self.ledger, self.policy, *w, today, false))
            .collect();
        let customers = Customers::of(self.book, self.ledger, self.policy.unit, self.mine);
        let parts = customers.spread(|part| {
            let mut sums = vec![Totals::default(); windows.len()];
            let mut walks: Vec<Walk<'_>> = (frames.iter())
                .map(|f| Walk::new(self.ledger, &timeline, f))
                .collect();
            part.each(|accounts| {
                let begins = accounts
                    .iter()
                    .filter_map(|at| self.ledger.begins(&self.ledger.accounts[*at as usize]));
                for at in of(begins.min().unwrap_or(i32::MIN)) {
                    let sum = &mut sums[at];
                    walks[at].customer(accounts, &mut |cell| sum.add(&cell), &mut |_, _| {});
                }
            });
            sums
        });
        for part in parts {
            for (sum, more) in sums.iter_mut().zip(part) {
                sum.join(&more);
            }
        }
        sums
    }
}

/// The twelve months that end on a day.
fn year_to(end: Date) -> Option<(i32, i32)> {
    let after = date_of(days(end) + 1)?;
    let from = after.checked_sub(jiff::Span::new().years(1)).ok()?;
    Some((days(from), days(end)))
}

/// The trailing twelve months at the end of each of the last complete months, oldest first.
pub fn monthly(source: &Source<'_>, months: usize) -> Vec<(Date, Totals)> {
    let mut ends = Vec::new();
    let mut end = match date_of(days(source.today) + 1) {
        // A month that ends today is complete.
        Some(tomorrow) if tomorrow.day() == 1 => source.today,
        _ => date_of(days(source.today.first_of_month()) - 1).unwrap_or(source.today),
    };
    for _ in 0..months {
        ends.push(end);
        end = date_of(days(end.first_of_month()) - 1).unwrap_or(end);
    }
    ends.reverse();
    let windows: Vec<_> = ends.iter().filter_map(|e| year_to(*e)).collect();
    let sums = source.walk(&windows, |_| 0..windows.len());
    ends.into_iter().zip(sums).collect()
}

/// A quarter's losses as a share of its own opening and of the year's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QuarterRate {
    /// Of the quarter's own opening.
    pub of_own: Option<f64>,
    /// Of the year's opening: these add up to the year.
    pub of_year: Option<f64>,
}

/// Losses of the quarters of a year as shares. The shares of each quarter's own opening do not add up to the year's, because the base grows
/// or shrinks in between; those of the annual base do.
pub fn quarter_rates(quarters: &[(i64, i64)]) -> Vec<QuarterRate> {
    let year = quarters.first().map_or(0, |q| q.0);
    let share = |part: i64, of: i64| (of > 0).then(|| part as f64 / of as f64);
    quarters
        .iter()
        .map(|(opening, lost)| QuarterRate {
            of_own: share(*lost, *opening),
            of_year: share(*lost, year),
        })
        .collect()
}

/// The last four complete fiscal quarters, and the year that they make.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quarters {
    /// The quarters, oldest first, with their figures.
    pub quarters: Vec<(Quarter, Totals)>,
    /// The four as one window.
    pub year: Totals,
}

/// The last four complete fiscal quarters.
pub fn quarterly(source: &Source<'_>) -> Quarters {
    let calendar = source.calendar;
    let before = |q: &Quarter| {
        let last = date_of(days(q.start) - 1).unwrap_or(q.start);
        calendar.quarter(last)
    };
    let current = calendar.quarter(source.today);
    let mut quarter = if current.end == source.today {
        current
    } else {
        before(&current)
    };
    let mut quarters = Vec::new();
    for _ in 0..4 {
        quarters.push(quarter);
        quarter = before(&quarter);
    }
    quarters.reverse();
    let mut windows: Vec<_> = quarters
        .iter()
        .map(|q| (days(q.start), days(q.end)))
        .collect();
    windows.push((windows[0].0, windows[3].1));
    let mut sums = source.walk(&windows, |_| 0..5);
    let year = sums.pop().unwrap_or_default();
    Quarters {
        quarters: quarters.into_iter().zip(sums).collect(),
        year,
    }
}

/// The customers that began in one quarter, and what became of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Cohort {
    /// The quarter in which they began.
    pub quarter: Quarter,
    /// Age in quarters 1, 2, …: their retention since the end of that quarter.
    pub ages: Vec<Totals>,
}

/// The customers of each of the last so many complete quarters by their age in quarters, oldest first. The opening of each is what they
/// paid at the end of the quarter in which they began.
pub fn cohorts(source: &Source<'_>, count: usize) -> Vec<Cohort> {
    let calendar = source.calendar;
    let mut quarter = calendar.quarter(source.today);
    let mut quarters = Vec::new();
    let mut day = days(quarter.start);
    // The newest quarter that is over has no age yet.
    for _ in 0..=count {
        quarter = calendar.quarter(date_of(day - 1).unwrap_or(Date::MIN));
        day = days(quarter.start);
        quarters.push(quarter);
    }
    quarters.reverse();
    let mut windows = Vec::new();
    let mut first = Vec::new();
    for (i, q) in quarters.iter().enumerate() {
        first.push(windows.len());
        for later in &quarters[i + 1..] {
            windows.push((days(q.end) + 1, days(later.end)));
        }
    }
    first.push(windows.len());
    let ends: Vec<i32> = quarters.iter().map(|q| days(q.end)).collect();
    let start = quarters.first().map_or(i32::MAX, |q| days(q.start));
    let sums = source.walk(&windows, |begins| {
        let at = ends.partition_point(|end| *end < begins);
        match begins >= start && at < ends.len() {
            true => first[at]..first[at + 1],
            false => 0..0,
        }
    });
    quarters
        .into_iter()
        .enumerate()
        .map(|(i, quarter)| Cohort {
            quarter,
            ages: sums[first[i]..first[i + 1]].to_vec(),
        })
        .filter(|c| !c.ages.is_empty())
        .collect()
}
