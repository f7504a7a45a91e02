//! What `[growth]` in the configuration can change.

use serde::{Deserialize, Serialize};

/// What speaks for expansion, and over which time deals are counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Seats in use from this share of the seats bought on.
    pub seat_use: f64,
    /// Usage that grew by this fraction in four weeks.
    pub usage_growth: f64,
    /// A limit that was reached within so many days.
    pub limit_days: u16,
    /// Opportunities closed, and leads created, within so many days count.
    pub period_days: u16,
    /// A promoter is asked again after so many days.
    pub ask_again_days: u16,
    /// An opportunity whose origin contains one of these words is a lead that customer success qualified.
    pub csql_origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            seat_use: 0.9,
            usage_growth: 0.2,
            limit_days: 90,
            period_days: 365,
            ask_again_days: 180,
            csql_origins: ["csql", "customer success", "csm"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}
