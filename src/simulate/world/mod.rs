//! The truth that all simulated vendors share: a book of customers with two years behind it.
//!
//! [`World::generate`] is a pure function of (seed, anchor date, number of accounts). Rows lie in plain vectors; the place
//! in the vector is the row's stable index, and rows refer to each other by it. What can be derived (a contact's e-mail, a
//! note's text) is a method, so that a hundred thousand accounts stay small. Later changes are [`WorldEvent`]s.

mod event;
pub mod ids;
pub mod rng;
mod types;

pub use event::{Change, WorldEvent};
pub use types::*;
