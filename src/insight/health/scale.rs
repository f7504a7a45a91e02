//! From a measured value to 0 (bad) … 100 (good).

use serde::{Deserialize, Serialize};

/// How a value becomes points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// On the straight line between two values. `worst` above `best` turns it round: few are good.
    Linear {
        /// The value that is worth 0 points; beyond it as well.
        worst: f64,
        /// The value that is worth 100 points; beyond it as well.
        best: f64,
    },
    /// From each value on so many points, in rising order of the values; below the first as at the first.
    Steps(Vec<(f64, f64)>),
}

impl Scale {
    /// The points of a value, 0 to 100. A value that is no number has none.
    pub fn points(&self, value: f64) -> Option<f64> {
        if value.is_nan() {
            return None;
        }
        let points = match self {
            Scale::Linear { worst, best } if worst == best => {
                if value >= *best {
                    100.0
                } else {
                    0.0
                }
            }
            Scale::Linear { worst, best } => (value - worst) / (best - worst) * 100.0,
            Scale::Steps(steps) => {
                let at = steps.partition_point(|(from, _)| *from <= value);
                steps.get(at.saturating_sub(1))?.1
            }
        };
        Some(points.clamp(0.0, 100.0))
    }

    /// In words, for whoever asks why: `0 at 3, 100 at 9`.
    pub fn words(&self) -> String {
        match self {
            Scale::Linear { worst, best } => format!("0 at {worst}, 100 at {best}"),
            Scale::Steps(steps) => {
                let steps: Vec<String> = steps
                    .iter()
                    .map(|(from, points)| format!("{points} from {from}"))
                    .collect();
                steps.join(", ")
            }
        }
    }
}
