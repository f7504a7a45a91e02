//! The rules that say what is at risk: placeholders until the team's own outcomes teach better ones; all of them can be configured.

use super::health::Model;
use super::priority::SaveCurve;
use serde::{Deserialize, Serialize};

/// What `[risk]` in the configuration can change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Probability of loss, 0 to 1: good health, middle, bad, bad with an open risk. An open risk moves an account one step up.
    pub probability: [f32; 4],
    /// How our own health score is made, and whether it or the vendor's says how probable a loss is.
    pub health: Model,
    /// The chance to save an account by the time that is left.
    pub save: SaveCurve,
    /// The vendor's health from here on is good.
    pub good_from: u8,
    /// The vendor's health below this is bad.
    pub bad_below: u8,
    /// In the queue above this probability.
    pub threshold: f32,
    /// The runway within which a decision date counts in full, days (90: closeness is min(1, 90/d)).
    pub runway_days: u16,
    /// Usage that fell by this fraction in 30 days is a reason.
    pub usage_drop: f32,
    /// The vendor's health that fell by so many points in 30 days is a reason.
    pub health_drop: u8,
    /// No touchpoint for so many days is a reason.
    pub quiet_days: u16,
    /// A sponsor who left is a reason for so many days.
    pub sponsor_days: u16,
    /// So many open tickets are a reason.
    pub many_tickets: u16,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            probability: [0.05, 0.25, 0.55, 0.85],
            health: Model::default(),
            save: SaveCurve::default(),
            good_from: 70,
            bad_below: 40,
            threshold: 0.5,
            runway_days: 90,
            usage_drop: 0.2,
            health_drop: 8,
            quiet_days: 60,
            sponsor_days: 180,
            many_tickets: 5,
        }
    }
}

/// A health band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Good.
    Good,
    /// In between.
    Watch,
    /// Bad.
    Bad,
}

impl Band {
    /// All, from good to bad.
    pub const ALL: [Band; 3] = [Band::Good, Band::Watch, Band::Bad];
    /// The band of that place from good (0) to bad (2).
    pub fn at(place: u8) -> Option<Band> {
        Band::ALL.get(usize::from(place)).copied()
    }
    /// The band of that name.
    pub fn parse(name: &str) -> Option<Band> {
        Band::ALL.into_iter().find(|b| b.name() == name)
    }
    /// Whether two bands are more than one apart: one good, the other bad.
    pub fn disagrees(self, other: Band) -> bool {
        (self as u8).abs_diff(other as u8) > 1
    }
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Band::Good => "good",
            Band::Watch => "watch",
            Band::Bad => "bad",
        }
    }
}

impl Rules {
    /// The band of a vendor's health score.
    pub fn band(&self, health: u8) -> Band {
        if health >= self.good_from {
            Band::Good
        } else if health < self.bad_below {
            Band::Bad
        } else {
            Band::Watch
        }
    }
    /// Probability of loss. Without a band of health the middle one counts.
    pub fn loss(&self, health: Option<Band>, open_risk: bool) -> f32 {
        let band = health.unwrap_or(Band::Watch) as usize;
        self.probability[(band + usize::from(open_risk)).min(3)].clamp(0.0, 1.0)
    }
    /// Closeness of a decision that lies so many days ahead: min(1, runway/d); past, today and missing count as 1.
    pub fn closeness(&self, days: Option<i32>) -> f32 {
        match days {
            Some(d) if d > 0 => (f32::from(self.runway_days) / d as f32).min(1.0),
            _ => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EL × min(1, 90/d), in thousands; constructed.
    #[test]
    fn the_published_table_holds() {
        let rules = Rules::default();
        for (arr, p, d, want) in [
            (200.0, 0.30, 180, 30.0),
            (60.0, 0.80, 12, 48.0),
            (90.0, 0.55, 75, 49.5),
            (150.0, 0.40, 60, 60.0),
            (400.0, 0.06, 40, 24.0),
        ] {
            let got: f32 = arr * p * rules.closeness(Some(d));
            assert!((got - want).abs() < 1e-3, "{got} is not {want}");
        }
        assert_eq!(rules.closeness(None), 1.0);
        assert_eq!(rules.closeness(Some(0)), 1.0);
        assert_eq!(rules.closeness(Some(-400)), 1.0);
    }

    #[test]
    fn probabilities_go_by_band_and_open_risk() {
        let r = Rules::default();
        let loss = |health, risk| r.loss(Some(r.band(health)), risk);
        assert_eq!(loss(90, false), 0.05);
        assert_eq!(loss(90, true), 0.25);
        assert_eq!(loss(69, false), 0.25);
        assert_eq!(loss(40, true), 0.55);
        assert_eq!(loss(39, false), 0.55);
        assert_eq!(loss(0, true), 0.85);
        assert_eq!(r.loss(None, false), 0.25);
        assert!(Band::Good.disagrees(Band::Bad) && !Band::Good.disagrees(Band::Watch));
    }
}
