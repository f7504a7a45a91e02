//! The categories of a forecast, and what lies in one of them.

use crate::book::RenewalRow;
use serde::{Deserialize, Serialize};

/// Where a renewal stands in the forecast; each renewal is in exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Won.
    Closed,
    /// Committed.
    Commit,
    /// Most likely.
    MostLikely,
    /// Best case.
    Best,
    /// In the pipeline, or without a category.
    Pipeline,
    /// Left out of the forecast by its owner.
    Omitted,
    /// Lost.
    Lost,
}

impl Category {
    /// All, from surest to lost.
    pub const ALL: [Category; 7] = [
        Category::Closed,
        Category::Commit,
        Category::MostLikely,
        Category::Best,
        Category::Pipeline,
        Category::Omitted,
        Category::Lost,
    ];
    /// Those that roll up: each holds the ones before it.
    pub const ROLL_UP: [Category; 5] = [
        Category::Closed,
        Category::Commit,
        Category::MostLikely,
        Category::Best,
        Category::Pipeline,
    ];
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Category::Closed => "closed",
            Category::Commit => "commit",
            Category::MostLikely => "most likely",
            Category::Best => "best",
            Category::Pipeline => "pipeline",
            Category::Omitted => "omitted",
            Category::Lost => "lost",
        }
    }
    /// By its canonical name in a row (`most_likely`); won and lost are stages, not names.
    pub fn parse(name: &str) -> Option<Category> {
        Some(match name {
            "commit" => Category::Commit,
            "most_likely" => Category::MostLikely,
            "best" => Category::Best,
            "pipeline" => Category::Pipeline,
            "omitted" => Category::Omitted,
            "closed" => Category::Closed,
            _ => return None,
        })
    }
    /// Of a renewal, as its owner says.
    pub fn of(r: &RenewalRow<'_>) -> Category {
        match r.stage_kind() {
            "won" => Category::Closed,
            "lost" => Category::Lost,
            _ => r
                .forecast()
                .and_then(Category::parse)
                .unwrap_or(Category::Pipeline),
        }
    }
}

/// A count and amounts, minor units of the reporting currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Renewals.
    pub count: usize,
    /// What they bring when they come: at most their target. Of omitted and lost ones: their target.
    pub amount: i64,
    /// The amount weighted by its probability.
    pub weighted: i64,
}

impl Bucket {
    /// One more renewal.
    pub fn add(&mut self, amount: i64, weighted: i64) {
        self.count += 1;
        self.amount = self.amount.saturating_add(amount);
        self.weighted = self.weighted.saturating_add(weighted);
    }
}
