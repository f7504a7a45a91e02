//! The arithmetic of a score: weights, fading, what is missing, bounds, and bands that do not flap.

use crate::insight::rules::Band;
use serde::{Deserialize, Serialize};

/// What becomes of the weight of signals that are missing or have faded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// It is dropped and the rest counts for all.
    #[default]
    Drop,
    /// It counts as 50 points.
    Neutral,
    /// It counts as 0 points.
    Bad,
}

/// One signal as it enters a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Its weight; only the weights' ratio to each other counts.
    pub weight: f64,
    /// Its points, 0 to 100; none when the signal is missing.
    pub points: Option<f64>,
    /// How much of its weight its age has left, 0 to 1.
    pub fresh: f64,
}

impl Part {
    /// A signal of today.
    pub fn new(weight: f64, points: Option<f64>) -> Part {
        Part {
            weight,
            points,
            fresh: 1.0,
        }
    }
    /// The weight with which it counts: w · 2^(−age/half_life), nothing when it is missing.
    pub fn effective(&self) -> f64 {
        if self.points.is_some() {
            self.weight * self.fresh
        } else {
            0.0
        }
    }
}

/// How much of a weight is left of a signal so many days old, when half is left after `half_life` days: 2^(−age/half_life). Without a
/// half-life, or dated today or ahead, all of it.
pub fn fresh(age_days: Option<i32>, half_life: Option<f64>) -> f64 {
    match (age_days, half_life) {
        (Some(age), Some(half)) if age > 0 && half > 0.0 => (-f64::from(age) / half).exp2(),
        _ => 1.0,
    }
}

/// A score with what it is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// Σ w·x / Σ w over what is there, as [`Missing`] says; none when nothing is there.
    pub points: Option<f64>,
    /// The share of the weight that is there, 0 to 1.
    pub coverage: f64,
    /// What it would be if everything that is missing were at 0.
    pub low: f64,
    /// What it would be if everything that is missing were at 50.
    pub neutral: f64,
    /// What it would be if everything that is missing were at 100.
    pub high: f64,
}

impl Score {
    /// In whole points, as scores are shown and bands are drawn.
    pub fn whole(&self) -> Option<u8> {
        self.points.map(|p| p.round().clamp(0.0, 100.0) as u8)
    }
}

/// The score of some signals.
pub fn weigh(parts: impl IntoIterator<Item = Part>, missing: Missing) -> Score {
    let (mut all, mut there, mut sum) = (0.0, 0.0, 0.0);
    for p in parts {
        let effective = p.effective();
        all += p.weight;
        there += effective;
        sum += effective * p.points.unwrap_or(0.0);
    }
    if all <= 0.0 {
        return Score {
            high: 100.0,
            neutral: 50.0,
            ..Score::default()
        };
    }
    let gone = (all - there).max(0.0);
    let (low, neutral, high) = (
        sum / all,
        (sum + gone * 50.0) / all,
        (sum + gone * 100.0) / all,
    );
    let points = match missing {
        _ if there <= 0.0 => None,
        Missing::Drop => Some(sum / there),
        Missing::Neutral => Some(neutral),
        Missing::Bad => Some(low),
    };
    Score {
        points,
        coverage: there / all,
        low,
        neutral,
        high,
    }
}

/// The band of a score in whole points. One that was in another band before changes only when it is `margin` points beyond the edge
/// (at the ends of the scale as far beyond as there is room), so that a score that trembles about an edge stays in its band.
pub fn band_of(points: u8, good: u8, watch: u8, previous: Option<Band>, margin: u8) -> Band {
    let up = |edge: u8| points >= edge.saturating_add(margin).min(100);
    let down = |edge: u8| points < edge.saturating_sub(margin).max(1).min(edge);
    match previous {
        None if points >= good => Band::Good,
        None if points < watch => Band::Bad,
        None => Band::Watch,
        Some(Band::Good) if down(watch) => Band::Bad,
        Some(Band::Good) if down(good) => Band::Watch,
        Some(Band::Good) => Band::Good,
        Some(Band::Watch) if up(good) => Band::Good,
        Some(Band::Watch) if down(watch) => Band::Bad,
        Some(Band::Watch) => Band::Watch,
        Some(Band::Bad) if up(good) => Band::Good,
        Some(Band::Bad) if up(watch) => Band::Watch,
        Some(Band::Bad) => Band::Bad,
    }
}
