//! A forecast as it was made one week, kept to be held against what became of it.

use super::id::LocalId;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Whose renewals a forecast is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForecastScope {
    /// Everybody's.
    All,
    /// Those of accounts without a CSM.
    Nobody,
    /// Those of one CSM's accounts.
    Csm(LocalId),
}

/// The forecast of one fiscal quarter and scope, as of one day. Amounts are minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastSnapshot {
    /// The day on which it was made.
    pub taken: Date,
    /// Whose renewals.
    pub scope: ForecastScope,
    /// The quarter's first day.
    pub from: Date,
    /// The quarter's last day.
    pub to: Date,
    /// The reporting currency of that day.
    pub currency: [u8; 3],
    /// What is up for renewal.
    pub due: i64,
    /// Won, at most the target of each.
    pub closed: i64,
    /// Won and committed.
    pub commit: i64,
    /// The same with best case.
    pub best: i64,
    /// The weighted forecast.
    pub weighted: i64,
    /// Every likely renewal in full.
    pub in_or_out: i64,
    /// The lower end of the interval.
    pub p10: i64,
    /// Its middle.
    pub p50: i64,
    /// Its upper end.
    pub p90: i64,
}
