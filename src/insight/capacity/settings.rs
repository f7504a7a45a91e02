//! What `[capacity]` in the configuration can change.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What becomes of people who are still learning the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ramping {
    /// They count by the ramp's share.
    #[default]
    Weight,
    /// Neither they nor their accounts count in ratios and utilisation until the ramp is over.
    Exclude,
}

/// The time that automation saves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    /// Hours that it saves each person a week; nothing: no such figure.
    pub hours_a_week: Option<f64>,
    /// Weeks worked in a year.
    pub weeks: f64,
    /// How many people; nothing: everybody who looks after customers.
    pub people: Option<f64>,
    /// Hours that one more account would take; nothing: the mean of the book.
    pub account_hours: Option<f64>,
}

impl Default for Saved {
    fn default() -> Self {
        Saved {
            hours_a_week: None,
            weeks: 46.0,
            people: None,
            account_hours: None,
        }
    }
}

/// What a rebalance may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RebalanceRules {
    /// Accounts that never move, as a query.
    pub keep: Option<String>,
    /// An account that renews within so many days moves only when no other would do.
    pub quiet_days: u16,
    /// At most so many moves.
    pub max_moves: Option<usize>,
    /// The hours of a CSM are a limit.
    pub by_hours: bool,
    /// The band of accounts per CSM is a limit.
    pub by_accounts: bool,
    /// The band of ARR per CSM is a limit.
    pub by_arr: bool,
}

impl Default for RebalanceRules {
    fn default() -> Self {
        RebalanceRules {
            keep: None,
            quiet_days: 90,
            max_moves: None,
            by_hours: true,
            by_accounts: true,
            by_arr: true,
        }
    }
}

/// All of it. Amounts are minor units of the reporting currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CapacitySettings {
    /// Hours of work that one account takes in a year, by touch model or segment, lower case.
    pub hours: BTreeMap<String, f64>,
    /// Hours that a full-time person works in a year.
    pub hours_per_year: f64,
    /// The part of these that goes to other things than customers, 0 to 1.
    pub internal_share: f64,
    /// The `capacity_hours` of a full-time person, in whatever unit our people's are: 40 where they are counted per week; nothing: as
    /// `hours_per_year`.
    pub full_time_hours: Option<f64>,
    /// What a new person does of a full one's work in their first months, 0 to 1 each; afterwards 1.
    pub ramp: Vec<f64>,
    /// How people in their ramp count.
    pub ramping: Ramping,
    /// The part of a leader's time that goes to accounts of their own, 0 to 1; 0 leaves leaders out.
    pub leader_share: f64,
    /// The utilisation that is planned for: above it there is too much work.
    pub target_utilisation: f64,
    /// By how much the work grows in a year (0.2: by a fifth); nothing: as new and lost accounts of the last year say.
    pub growth: Option<f64>,
    /// The part of our CSMs that leaves in a year; nothing: nobody is expected to.
    pub attrition: Option<f64>,
    /// Days from the decision to hire to the first day of work.
    pub time_to_hire_days: u16,
    /// How many quarters the hiring forecast looks ahead.
    pub quarters: u8,
    /// What is left of revenue after the cost of serving it, 0 to 1.
    pub gross_margin: Option<f64>,
    /// Cost of a full-time CSM a year.
    pub csm_cost: Option<i64>,
    /// Cost of a full-time leader a year.
    pub leader_cost: Option<i64>,
    /// Cost of a full-time person of CS Ops a year.
    pub ops_cost: Option<i64>,
    /// Everything else that customer success costs a year: tools, travel, events.
    pub other_cost: Option<i64>,
    /// The time that automation saves.
    pub saved: Saved,
    /// What a rebalance may do.
    pub rebalance: RebalanceRules,
}

/// Where the default hours come from.
pub const HOURS_SOURCE: &str =
    "75 hours a year for a high-touch account (csin15.com), 24 and 2 for the others (constructed)";

impl Default for CapacitySettings {
    fn default() -> Self {
        CapacitySettings {
            hours: [("high", 75.0), ("mid", 24.0), ("tech", 2.0)]
                .map(|(k, v)| (k.to_owned(), v))
                .into(),
            hours_per_year: 1800.0,
            internal_share: 0.35,
            full_time_hours: None,
            ramp: vec![0.0, 0.5, 0.5],
            ramping: Ramping::Weight,
            leader_share: 0.0,
            target_utilisation: 1.0,
            growth: None,
            attrition: None,
            time_to_hire_days: 60,
            quarters: 6,
            gross_margin: None,
            csm_cost: None,
            leader_cost: None,
            ops_cost: None,
            other_cost: None,
            saved: Saved::default(),
            rebalance: RebalanceRules::default(),
        }
    }
}

impl CapacitySettings {
    /// Hours that a full-time person has for customers in a year.
    pub fn hours_per_fte(&self) -> f64 {
        self.hours_per_year * (1.0 - self.internal_share)
    }

    /// What part of a full-time person works these hours.
    pub fn part_time(&self, capacity_hours: Option<f64>) -> f64 {
        let full = self.full_time_hours.unwrap_or(self.hours_per_year);
        match capacity_hours {
            Some(hours) if full > 0.0 && hours.is_finite() => (hours / full).max(0.0),
            _ => 1.0,
        }
    }

    /// What part of a full person's work somebody does in a month of theirs, 1 being the first.
    pub fn ramp_of(&self, month: u32) -> f64 {
        self.ramp
            .get(month.saturating_sub(1) as usize)
            .map_or(1.0, |share| share.clamp(0.0, 1.0))
    }
}
