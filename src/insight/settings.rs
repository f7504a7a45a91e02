//! What the configuration says about figures: one field for each part of insight, each with its defaults.

use serde::{Deserialize, Serialize};

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What is at risk.
    pub risk: super::Rules,
    /// Target bands of the segments.
    pub segments: super::Targets,
    /// How renewals are forecast.
    pub forecast: super::forecast::Settings,
    /// Retention.
    pub retention: super::retention::Settings,
    /// When data counts as defective.
    pub quality: super::quality::Settings,
    /// What speaks for expansion.
    pub growth: super::growth::Settings,
    /// How onboarding is read from records.
    pub onboarding: super::onboarding::Settings,
    /// How surveys are read.
    pub voice: super::voice::Settings,
    /// Who can do how much work.
    pub capacity: super::capacity::CapacitySettings,
}
