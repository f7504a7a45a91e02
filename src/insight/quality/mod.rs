//! Data quality, priced: what is wrong with the data, how much ARR it hides, and what puts it right.
//!
//! [`DEFECTS`] are the kinds as data, [`findings`] finds all of them with the amount that each hides, most money first, [`bits`] tells of
//! one account which it has, and [`page`] is the list to work through.

mod defect;
mod find;
mod page;
mod settings;
mod twins;

pub use defect::{DEFECTS, Defect, Kind, defect};
pub use find::{Eye, Finding, bits, findings};
pub use page::page;
pub use settings::Settings;
pub use twins::{Twin, twins};

#[cfg(test)]
mod tests;
