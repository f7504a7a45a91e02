//! The hidden process behind a customer: an episode of trouble drives usage down at once, tickets and mood after some
//! weeks, health after that, and in the end the renewal. Systems only ever see the traces.

use super::rng::Rng;
use super::types::{Driver, WEEKS};

const DRIVERS: [(Driver, f64); 8] = [
    (Driver::LowAdoption, 24.0),
    (Driver::ValueNotMet, 16.0),
    (Driver::ProductDefect, 14.0),
    (Driver::Unresponsive, 12.0),
    (Driver::SponsorChange, 14.0),
    (Driver::Budget, 9.0),
    (Driver::Competitor, 7.0),
    (Driver::Merger, 4.0),
];

/// One stretch of trouble, in weeks since the first week of the history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Episode {
    pub onset: f64,
    /// When it begins to heal; beyond the last week when it has not.
    pub end: f64,
    /// 0–1.
    pub severity: f64,
    pub driver: Driver,
}

/// At most one episode that is over and one that may still run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Track {
    pub past: Option<Episode>,
    pub current: Option<Episode>,
}

impl Track {
    pub fn new(rng: &mut Rng) -> Self {
        let driver = |rng: &mut Rng| DRIVERS[rng.weighted(&DRIVERS.map(|(_, weight)| weight))].0;
        let past = rng.chance(0.26).then(|| {
            let onset = rng.unit() * 78.0 - 6.0;
            Episode {
                onset,
                end: onset + 8.0 + rng.unit() * 16.0,
                severity: 0.25 + 0.7 * rng.unit(),
                driver: driver(rng),
            }
        });
        let current = rng.chance(0.17).then(|| {
            let onset = (WEEKS as f64) - 1.0 - rng.unit() * 24.0;
            Episode {
                onset,
                end: WEEKS as f64 + 20.0,
                severity: 0.3 + 0.7 * rng.unit(),
                driver: driver(rng),
            }
        });
        Track { past, current }
    }

    /// How bad it is in week `week` (0 well, 1 as bad as it gets); any real week, also outside the history.
    pub fn at(&self, week: f64) -> f64 {
        [self.past, self.current]
            .into_iter()
            .flatten()
            .map(|episode| episode.at(week))
            .fold(0.0, f64::max)
    }

    /// The episode that weighs most in week `week`.
    pub fn driver(&self, week: f64) -> Option<Driver> {
        let heavier = |a: &Episode, b: &Episode| a.at(week).total_cmp(&b.at(week));
        [self.past, self.current]
            .into_iter()
            .flatten()
            .filter(|episode| episode.at(week) > 0.1)
            .max_by(heavier)
            .map(|episode| episode.driver)
    }
}

impl Episode {
    pub fn at(&self, week: f64) -> f64 {
        let rise = ((week - self.onset) / 9.0).clamp(0.0, 1.0);
        let fall = (1.0 - (week - self.end) / 10.0).clamp(0.0, 1.0);
        self.severity * rise.min(fall)
    }
}
