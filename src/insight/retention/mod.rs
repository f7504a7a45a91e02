//! Retention: how much of the annual recurring revenue of a day is left on another, under named conventions.
//!
//! Published definitions of gross and net retention differ in a dozen ways; a [`Policy`] names each of them. [`report`] gives the figures of
//! one window from a [`Ledger`](super::ledger::Ledger): every change from opening to closing lands in exactly one bucket. What a line paid
//! is converted to the reporting currency line by line and rounded once, half away from zero, so that a sum by group equals the total.

pub mod cell;
mod course;
mod customers;
mod definition;
mod due;
#[cfg(test)]
pub(crate) mod fixture;
pub mod group;
pub mod json;
mod netting;
mod page;
pub mod policy;
#[cfg(test)]
mod replay;
pub mod report;
pub mod rows;
pub mod series;
#[cfg(test)]
mod tests;
pub mod timeline;
pub mod window;

pub use cell::{Cell, Totals, mark};
pub use definition::DEFINITIONS;
pub use group::By;
pub use page::{NAME, headline, page};
pub use policy::{Policy, SWITCHES};
pub use report::{Ask, Group, Grouped, Report, report, trailing, window};

use crate::insight::ledger::Mixed;
use serde::{Deserialize, Serialize};

/// What the configuration says about retention (`[metrics]`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The conventions.
    pub policy: Policy,
    /// What becomes of accounts with rows in several currencies.
    pub mixed_currencies: Mixed,
    /// The gross retention that is wanted, as a fraction.
    pub grr_target: Option<f64>,
    /// The net retention that is wanted.
    pub nrr_target: Option<f64>,
    /// The share of customers lost that is not to be exceeded.
    pub logo_churn_target: Option<f64>,
}
