//! What it means: risk and its reasons, the renewal pipeline, segment ratios, the task backlog, the header's figures. Pure functions
//! over a [`Book`](crate::book::Book) and a date; nothing here asks the clock or does I/O.
//!
//! [`derive`] computes the columns that lists sort by, once per Book ([`rederive`] only for what changed); [`reasons`] and [`explain`]
//! put one account into words; [`header`], [`pipeline`], [`segments`] and [`task_summary`] are the panes; [`page`] holds the pages of
//! figures for the Metrics screen; every figure has its [`Definition`] and its [`Coverage`].

mod brief;
pub mod capacity;
mod counted;
pub mod definition;
pub mod explain;
pub mod forecast;
pub mod growth;
pub mod header;
pub mod health;
mod judge;
pub mod ledger;
pub mod onboarding;
pub mod overview;
pub mod page;
pub mod pipeline;
pub mod priority;
pub mod quality;
pub mod reasons;
pub mod retention;
pub mod risk;
pub mod rules;
pub mod screens;
pub mod segments;
pub mod settings;
pub mod tasks;
pub mod trends;
pub mod voice;
pub mod whatif;

pub use crate::query::order::{SortKey, default_keys, order};
pub(crate) use brief::money_words;
pub use brief::{short, short_money};
pub use counted::{resettle, settle};
pub use definition::{DEFINITIONS, Definition, definition, definitions};
pub use explain::{Explanation, Step, explain};
pub use forecast::{Bucket, Category, Forecast};
pub use header::{Header, header};
pub use pipeline::{Pipeline, PipelineQuarter, pipeline};
pub use reasons::{Reason, ReasonKind, fingerprint, reasons};
pub use risk::{Since, changed_since, derive, derive_since, rederive};
pub use rules::{Band as HealthBand, Rules};
pub use segments::{Band, GroupBy, SegmentRow, Segments, Targets, Verdict, segments};
pub use settings::Settings;
pub use tasks::{TaskSummary, task_summary};
pub use trends::day_figures;

use serde::{Deserialize, Serialize};

/// How complete a figure is: of so many rows, so many were known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Rows with a value.
    pub known: usize,
    /// Rows in all.
    pub of: usize,
    /// Rows left out because their currency has no rate.
    pub no_rate: usize,
}

impl Coverage {
    /// One more row: whether it had a value, and whether that value could not be converted.
    pub(crate) fn count<T, U>(&mut self, native: Option<T>, reporting: &Option<U>) {
        self.of += 1;
        self.known += usize::from(reporting.is_some());
        self.no_rate += usize::from(native.is_some() && reporting.is_none());
    }
    /// The share that is known, 0 to 1; none of nothing.
    pub fn share(&self) -> Option<f64> {
        (self.of > 0).then(|| self.known as f64 / self.of as f64)
    }
    /// Nothing is missing.
    pub fn is_full(&self) -> bool {
        self.known == self.of
    }
    /// In words: `238 of 240 (1 without a rate)`; empty when nothing is missing.
    pub fn words(&self) -> String {
        if self.is_full() {
            return String::new();
        }
        let rate = match self.no_rate {
            0 => String::new(),
            n => format!(" ({n} without a rate)"),
        };
        format!("{} of {}{rate}", self.known, self.of)
    }
}

/// So many things in words: `1 account`, `3 accounts`.
pub(crate) fn many(n: usize, thing: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {thing}{s}")
}

#[cfg(test)]
mod tests;
