//! What `[quality]` in the configuration can change.

use super::Kind;
use serde::{Deserialize, Serialize};

/// When data counts as defective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// A health score older than so many days is stale.
    pub stale_health_days: u16,
    /// Two systems' ARR may differ by this fraction of the larger amount (rounding, rates).
    pub arr_tolerance: f64,
    /// A day before this year cannot be.
    pub earliest_year: i16,
    /// A day more than so many years ahead cannot be.
    pub years_ahead: u16,
    /// Kinds that do not count here, by their names.
    pub ignore: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            stale_health_days: 30,
            arr_tolerance: 0.01,
            earliest_year: 1990,
            years_ahead: 15,
            ignore: Vec::new(),
        }
    }
}

impl Settings {
    /// Whether a kind counts.
    pub fn counts(&self, kind: Kind) -> bool {
        !self.ignore.iter().any(|name| *name == kind.defect().name)
    }
}
