//! Who has to start when: the work of the coming quarters against the people there will be, with growth, attrition and the ramp of those
//! who are new.

use super::settings::CapacitySettings;
use super::spread::Spread;
use super::team::month_of;
use crate::book::{Book, Calendar, Day};
use crate::insight::GroupBy;
use jiff::{Span, ToSpan, civil::Date};
use std::collections::BTreeSet;

/// By how much the work grows in a year, and where that is known from.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// 0.2: by a fifth.
    pub rate: f64,
    /// Where it comes from.
    pub source: String,
    /// Accounts a year ago, new since, lost since, now; when it comes from those.
    pub trend: Option<[usize; 4]>,
}

/// The growth that is configured, else that of the last 365 days: accounts now against accounts then.
///
/// # Errors
/// Why there is none, and what would give one.
pub fn growth(book: &Book, today: Date, s: &CapacitySettings) -> Result<Growth, String> {
    if let Some(rate) = s.growth {
        return Ok(Growth {
            rate,
            source: "[capacity] growth".into(),
            trend: None,
        });
    }
    let now = Day::of(Some(today));
    let within = |d: Day| d.get().is_some_and(|d| (now.0 - 365..=now.0).contains(&d));
    let lost: BTreeSet<_> = book
        .renewals()
        .filter(|r| r.stage_kind() == "lost")
        .filter(|r| within(Day::of(r.closed().or_else(|| r.due()))))
        .filter(|r| r.account().is_none_or(|a| a.open_renewal().is_none()))
        .map(|r| r.account_id())
        .collect();
    let (mut here, mut new, mut dated) = (0, 0, 0);
    for a in book.accounts() {
        let former = a.stage().is_some_and(super::kinds::is_no_customer);
        if former || lost.contains(&a.id()) {
            continue;
        }
        here += 1;
        let since = Day::of(a.start());
        dated += usize::from(since != Day::NONE);
        new += usize::from(within(since));
    }
    let why = |what: &str| Err(format!("n/a: {what}; set [capacity] growth"));
    if dated * 2 < here || here == 0 {
        return why("fewer than half of the accounts say since when they are customers");
    }
    let then = here - new + lost.len();
    if then == 0 {
        return why("no account was a customer a year ago");
    }
    Ok(Growth {
        rate: here as f64 / then as f64 - 1.0,
        source: "accounts that are new and renewals that were lost in the last 365 days".into(),
        trend: Some([then, new, lost.len(), here]),
    })
}

/// One quarter of the forecast; its figures are those of its last day.
#[derive(Clone, Debug, PartialEq)]
pub struct HiringQuarter {
    /// `Q1 2027`.
    pub label: String,
    /// Its last day.
    pub end: Date,
    /// Hours of work a year.
    pub need: f64,
    /// Full-time people that these ask for.
    pub needed: f64,
    /// Full-time people that there will be of those who are here or have signed, less those who are expected to leave.
    pub have: f64,
    /// Full-time people who are expected to have left by then.
    pub leavers: f64,
    /// What the hires of this forecast so far do by then, as full-time people.
    pub hired: f64,
    /// People to hire for this quarter.
    pub hires: u32,
    /// The day on which they have to start, so that they work in full on its last day; today when that day is past.
    pub start_by: Option<Date>,
    /// The day on which the hiring has to be decided.
    pub decide_by: Option<Date>,
    /// They would have had to start before today.
    pub late: bool,
    /// Full-time people that are missing all the same on its last day, while the new ones learn.
    pub short: f64,
}

/// The forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Hiring {
    /// By how much the work grows.
    pub growth: Growth,
    /// Quarter by quarter, the current one first.
    pub quarters: Vec<HiringQuarter>,
    /// The touch model that has the least hours for its work now: where the first hire goes.
    pub scarcest: Option<String>,
}

/// Who has to start when. Hires are whole people who work full time.
pub fn hiring(spread: &Spread<'_>, growth: Growth, calendar: &Calendar, today: Date) -> Hiring {
    let s = spread.settings();
    let touch = spread.by(GroupBy::Touch);
    let now = Day::of(Some(today)).0;
    let ramp = i64::try_from(s.ramp.len()).unwrap_or(0).months();
    let mut quarter = calendar.quarter(today);
    let mut starts: Vec<(Date, u32)> = Vec::new();
    let mut quarters = Vec::new();
    for _ in 0..s.quarters.max(1) {
        let end = quarter.end;
        let years = f64::from((Day::of(Some(end)).0 - now).max(0)) / 365.0;
        let need = touch.total.need * (1.0 + growth.rate).max(0.0).powf(years);
        let needed = spread.fte_needed(need);
        let there: f64 = spread.team.members.iter().map(|m| m.fte_on(end, s)).sum();
        let stay = (1.0 - s.attrition.unwrap_or(0.0))
            .clamp(0.0, 1.0)
            .powf(years);
        let have = there * stay;
        // Whoever is hired earlier in the forecast counts in full when it is asked how many more are needed.
        let before: u32 = starts.iter().map(|(_, n)| n).sum();
        let gap = needed - have - f64::from(before);
        let hires = if gap > 1e-9 {
            (gap - 1e-9).ceil() as u32
        } else {
            0
        };
        let in_time = back(end, ramp);
        let late = hires > 0 && in_time < today;
        let start = in_time.max(today);
        if hires > 0 {
            starts.push((start, hires));
        }
        let hired: f64 = starts
            .iter()
            .map(|(d, n)| f64::from(*n) * s.ramp_of(month_of(Some(*d), end)))
            .sum();
        let lead = i64::from(s.time_to_hire_days).days();
        quarters.push(HiringQuarter {
            label: calendar.label(&quarter),
            end,
            need,
            needed,
            have,
            leavers: there - have,
            hired,
            hires,
            start_by: (hires > 0).then_some(start),
            decide_by: (hires > 0).then(|| back(start, lead).max(today)),
            late,
            short: (needed - have - hired).max(0.0),
        });
        quarter = calendar.next(&quarter);
    }
    let scarcest = touch
        .rows
        .iter()
        .filter(|r| !r.key.is_empty() && r.need > r.have)
        .max_by(|a, b| (a.need - a.have).total_cmp(&(b.need - b.have)))
        .map(|r| r.key.clone());
    Hiring {
        growth,
        quarters,
        scarcest,
    }
}

fn back(day: Date, by: Span) -> Date {
    day.checked_sub(by).unwrap_or(Date::MIN)
}
