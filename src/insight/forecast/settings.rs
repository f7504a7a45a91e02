//! What `[forecast]` in the configuration can change.

use super::category::Category;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the forecast is made. Probabilities and rates are fractions, 0 to 1.
///
/// The numbers are placeholders until the team's own outcomes teach better ones: `floor`, `cap` from a public skill file
/// (stephenrogan/augmented-csm), `otherwise` ClientSuccess' default for renewals, `auto_renew` constructed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The gross renewal rate that is wanted of each quarter; none: forecasts have no target.
    pub target: Option<f64>,
    /// That of single fiscal quarters, by `2026-Q4` (the year in which the fiscal year ends).
    pub quarters: BTreeMap<String, f64>,
    /// Where the probability of an open renewal is looked for; the first that knows one counts.
    pub order: Vec<Look>,
    /// Probabilities by the vendor's word for the stage, lower case.
    pub stages: BTreeMap<String, f64>,
    /// Probabilities by category.
    pub categories: BTreeMap<Category, f64>,
    /// The probability when nothing knows one.
    pub otherwise: f64,
    /// The least probability that csops assumes by itself; what a vendor states is taken as it is.
    pub floor: f64,
    /// The most, likewise.
    pub cap: f64,
    /// The least probability of a renewal that happens by itself once its notice deadline has passed without notice.
    pub auto_renew: f64,
    /// How strongly renewals rise and fall together, 0 (not at all) to 0.9: the correlation of a one-factor Gaussian copula. It widens
    /// the interval and moves neither the weighted forecast nor the probabilities.
    pub correlation: f64,
    /// In or out: a renewal is in from this probability on.
    pub in_from: f64,
}

/// Where a probability can be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// What the vendor's record says.
    Vendor,
    /// The configured one of its stage.
    Stage,
    /// The configured one of its category.
    Category,
    /// One less the account's probability of loss.
    Account,
}

impl Look {
    /// All, with their names in the configuration.
    pub const ALL: [(&'static str, Look); 4] = [
        ("vendor", Look::Vendor),
        ("stage", Look::Stage),
        ("category", Look::Category),
        ("account", Look::Account),
    ];
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            target: None,
            quarters: BTreeMap::new(),
            order: vec![Look::Vendor, Look::Stage, Look::Category, Look::Account],
            stages: BTreeMap::new(),
            categories: BTreeMap::new(),
            otherwise: 0.7,
            floor: 0.05,
            cap: 0.98,
            auto_renew: 0.95,
            correlation: 0.0,
            in_from: 0.5,
        }
    }
}

impl Settings {
    /// The target of a quarter.
    pub fn target_of(&self, quarter: &crate::book::Quarter) -> Option<f64> {
        let key = format!("{}-Q{}", quarter.year, quarter.number);
        self.quarters.get(&key).copied().or(self.target)
    }
}
