//! The truth that all simulated vendors share: a book of customers with two years behind it.
//!
//! [`World::generate`] is a pure function of (seed, anchor date, number of accounts). Rows lie in plain vectors; the place
//! in the vector is the row's stable index, and rows refer to each other by it. What can be derived (a note's text, the
//! logins of a week) is a method, so that a hundred thousand accounts stay small. Later changes are [`WorldEvent`]s.

mod accounts;
mod activity;
mod contacts;
mod days;
mod event;
mod generate;
pub mod ids;
mod mess;
mod names;
mod people;
mod renewals;
pub mod rng;
mod text;
mod trouble;
mod types;

pub use event::{Change, WorldEvent};
pub use types::*;

/// A day as a number of days since 1970-01-01, quickly: a large book asks for millions.
pub fn day_number(day: jiff::civil::Date) -> i64 {
    i64::from(days::number(day))
}

#[cfg(test)]
mod tests;
