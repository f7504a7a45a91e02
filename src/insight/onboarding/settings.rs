//! What `[onboarding]` in the configuration can change.

use serde::{Deserialize, Serialize};

/// How onboarding is read from records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Time to value is of customers who began within so many days.
    pub cohort_days: u16,
    /// A customer without its first value after so many days is late.
    pub first_value_days: u16,
    /// An account without a stage is being onboarded for at most so many days.
    pub open_days: u16,
    /// A stage that contains one of these words is onboarding.
    pub stages: Vec<String>,
    /// Tasks whose class contains one of these words are milestones.
    pub classes: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let words = |w: &[&str]| w.iter().map(|s| (*s).to_owned()).collect();
        Settings {
            cohort_days: 730,
            first_value_days: 90,
            open_days: 180,
            stages: words(&["onboard", "implement", "kick", "launching"]),
            classes: words(&["onboarding", "milestone"]),
        }
    }
}

/// Whether a text contains one of some words, whatever their case.
pub(super) fn says(words: &[String], text: &str) -> bool {
    let text = text.to_lowercase();
    words
        .iter()
        .any(|w| !w.is_empty() && text.contains(&w.to_lowercase()))
}
