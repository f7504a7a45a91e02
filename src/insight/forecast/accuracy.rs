//! Past forecasts against what became of them: error = forecast − actual, by scope and by how long before the quarter's end it was made.

use super::category::Category;
use super::period::Period;
use super::row::rows;
use super::settings::Settings;
use super::total::{Forecast, Gather};
use crate::book::{Book, Calendar, Day, Derived, Every, ForecastScope, ForecastSnapshot, LocalId};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// How long before the end of a quarter a forecast was made, days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Horizon(pub i32);

impl Horizon {
    /// The usual ones.
    pub const ALL: [Horizon; 3] = [Horizon(90), Horizon(60), Horizon(30)];
    /// A forecast this much older than the horizon still stands for it: snapshots are weekly, and a week can be missed.
    pub const SLACK: i32 = 13;
}

/// One forecast that can be graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grade {
    /// The quarter's first and last day.
    pub quarter: (Date, Date),
    /// The day on which the forecast was made.
    pub taken: Date,
    /// The weighted forecast.
    pub forecast: i64,
    /// What was won of the quarter's renewals, as of the last snapshot after its end.
    pub actual: i64,
    /// The forecast interval held the actual amount.
    pub inside: bool,
}

impl Grade {
    /// Forecast less actual: positive was too hopeful.
    pub fn error(&self) -> i64 {
        self.forecast.saturating_sub(self.actual)
    }
}

/// How good the forecasts of a scope were, one horizon before the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Accuracy {
    /// Whose forecasts.
    pub scope: ForecastScope,
    /// How long before.
    pub horizon: Horizon,
    /// The graded forecasts, oldest quarter first.
    pub grades: Vec<Grade>,
    /// Why there is none, or what is missing.
    pub reason: String,
}

impl Accuracy {
    /// The sum of the errors as a share of what came: positive is too hopeful. None without a grade, or where nothing came.
    pub fn bias(&self) -> Option<f64> {
        let error: f64 = self.grades.iter().map(|g| g.error() as f64).sum();
        let actual: f64 = self.grades.iter().map(|g| g.actual as f64).sum();
        (actual > 0.0).then(|| error / actual)
    }
    /// The mean absolute percentage error, over quarters in which something came.
    pub fn mape(&self) -> Option<f64> {
        let errors: Vec<f64> = self
            .grades
            .iter()
            .filter(|g| g.actual > 0)
            .map(|g| (g.error() as f64 / g.actual as f64).abs())
            .collect();
        (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64)
    }
    /// The share of quarters whose actual amount lay within the interval; 80 % would be right.
    pub fn inside(&self) -> Option<f64> {
        let n = self.grades.len();
        (n > 0).then(|| self.grades.iter().filter(|g| g.inside).count() as f64 / n as f64)
    }
}

/// The accuracy of every scope at every horizon, scopes in their order. `snapshots` in any order; those in another currency than
/// `currency` cannot be compared and do not count.
pub fn accuracy(snapshots: &[ForecastSnapshot], currency: [u8; 3], today: Date) -> Vec<Accuracy> {
    type Series<'a> = BTreeMap<Date, Vec<&'a ForecastSnapshot>>;
    let mut scopes: BTreeMap<ForecastScope, Series<'_>> = BTreeMap::new();
    for s in snapshots.iter().filter(|s| s.currency == currency) {
        let quarters = scopes.entry(s.scope).or_default();
        quarters.entry(s.from).or_default().push(s);
    }
    if scopes.is_empty() {
        // The table says why it is empty.
        scopes.insert(ForecastScope::All, Series::new());
    }
    let mut out = Vec::new();
    for (scope, quarters) in &scopes {
        for horizon in Horizon::ALL {
            let mut grades = Vec::new();
            let mut closed = 0;
            for series in quarters.values() {
                let Some(last) = series.iter().max_by_key(|s| s.taken) else {
                    continue;
                };
                // A quarter is over when a snapshot was made after its end: what came of it is known from then on.
                if last.taken <= last.to || last.to >= today {
                    continue;
                }
                closed += 1;
                let wanted = Day::of(Some(last.to)).0 - horizon.0;
                let made = series
                    .iter()
                    .filter(|s| {
                        let age = wanted - Day::of(Some(s.taken)).0;
                        (0..=Horizon::SLACK).contains(&age)
                    })
                    .max_by_key(|s| s.taken);
                if let Some(s) = made {
                    grades.push(Grade {
                        quarter: (last.from, last.to),
                        taken: s.taken,
                        forecast: s.weighted,
                        actual: last.closed,
                        inside: (s.p10..=s.p90).contains(&last.closed),
                    });
                }
            }
            let reason = if !grades.is_empty() {
                String::new()
            } else if snapshots.is_empty() {
                "no forecast has been kept yet: csops keeps one a week".into()
            } else if closed == 0 {
                "no quarter has ended since forecasts are kept".into()
            } else {
                format!(
                    "no forecast was kept {} days before the end of a quarter",
                    horizon.0
                )
            };
            out.push(Accuracy {
                scope: *scope,
                horizon,
                grades,
                reason,
            });
        }
    }
    out
}

/// The Monday of the ISO week of a day: one snapshot is kept for each.
pub fn week(day: Date) -> Date {
    Every::Week.begin(day)
}

/// Quarters after the current one that are kept.
const AHEAD: usize = 3;

/// What is to be kept of today's forecasts: for everybody and each CSM, the quarter that ended last (what came of it), the current one and
/// those after it; only where something is due.
pub fn capture(
    book: &Book,
    derived: &Derived,
    today: Date,
    calendar: &Calendar,
    settings: &Settings,
) -> Vec<ForecastSnapshot> {
    let current = calendar.quarter(today);
    let before = current.start.yesterday().unwrap_or(current.start);
    let periods = Period::quarters(calendar, before, AHEAD + 2);
    let mut all: Vec<Gather> = vec![Gather::default(); periods.len()];
    let mut each: BTreeMap<LocalId, Vec<Gather>> = BTreeMap::new();
    let now = Day::of(Some(today));
    for row in rows(book, derived, today, settings, None).flatten() {
        let Some(i) = periods.iter().position(|p| p.has(row.cohort)) else {
            continue;
        };
        let end = Some(periods[i].end());
        all[i].add(&row, end, now, settings);
        let own = each
            .entry(row.csm)
            .or_insert_with(|| vec![Gather::default(); periods.len()]);
        own[i].add(&row, end, now, settings);
    }
    let of = |scope, period: &Period, f: Forecast| ForecastSnapshot {
        taken: today,
        scope,
        from: period.from,
        to: period.to,
        currency: book.reporting(),
        due: f.due,
        closed: f.closed,
        commit: f.cumulative(Category::Commit),
        best: f.cumulative(Category::Best),
        weighted: f.weighted,
        in_or_out: f.in_or_out,
        p10: f.spread.p10,
        p50: f.spread.p50,
        p90: f.spread.p90,
    };
    let mut out = Vec::new();
    let mut keep = |scope, gathered: Vec<Gather>| {
        for (period, g) in periods.iter().zip(gathered) {
            if !g.is_empty() {
                out.push(of(scope, period, g.finish(settings)));
            }
        }
    };
    keep(ForecastScope::All, all);
    for (csm, gathered) in each {
        let scope = if csm.is_some() {
            ForecastScope::Csm(csm)
        } else {
            ForecastScope::Nobody
        };
        keep(scope, gathered);
    }
    out
}
