//! The renewal forecast: what is due in a period, and what of it will come.
//!
//! [`rows`](row::rows) reads the Book's renewals as the forecast sees them, each with its [`Chance`] and where that comes from;
//! [`Forecast`] adds a set of them up, by category, by weight and in or out, with the exact interval of [`Spread`]; [`timing`] finds what
//! slipped, was pushed, closed early or late, and the renewal rate by period; [`accuracy`] holds past forecasts against what became of
//! them. [`page`] shows it all and [`Json`] is what `csops metrics --json` prints.
//!
//! A renewal counts in the period of its first due day: a day that is moved later changes no base. What is due is its target; what it
//! brings is at most its target (gross) or its amount (net).

pub mod accuracy;
pub mod category;
pub mod chance;
mod definition;
mod json;
mod normal;
mod page;
mod period;
pub mod row;
pub mod settings;
pub mod spread;
pub mod timing;
pub mod total;

pub use accuracy::{Accuracy, Horizon, accuracy, capture};
pub use category::{Bucket, Category};
pub use chance::{Basis, Chance, Share};
pub use definition::DEFINITIONS;
pub use json::{Json, Parted, parted};
pub use page::page;
pub use period::Period;
pub use row::{LeftOut, Row, rows};
pub use settings::Settings;
pub use spread::{Method, Spread};
pub use timing::{Credit, Rate, rate};
pub use total::{Forecast, Gather};

#[cfg(test)]
mod tests;
