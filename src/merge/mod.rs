//! Whose record is it, and which value wins: identity, references, precedence, provenance. Pure: no clock, no database, no network.
//!
//! One enters with a [`DirtyBatch`](crate::book::DirtyBatch) and goes through in four steps, with a question to the store between them
//! (`sync::merging` is the driver):
//! 1. [`keys`]: by what the new records might be recognised;
//! 2. [`identify`]: which local row each record belongs to, given who answers to these keys;
//! 3. [`needed`]: what must be known of the rows that were joined;
//! 4. [`combine`]: the merged rows, with where each value came from.
//!
//! A row's provenance is written short: an entry with the field `*` stands for every field that has no entry of its own.

mod ahead;
mod combine;
mod identity;
mod matching;
mod rules;

pub use ahead::Said;
pub use combine::{combine, combine_new, needed};
pub use identity::{Plan, holds_ids, id_keys, identify, is_expected_elsewhere, is_matched, keys};
pub use matching::{By, IdField, Identity};
pub use rules::{Configured, Role, Rules};

/// The field in which a record may carry the ids that other systems give the same thing (a list of texts). It serves identity and does
/// not reach the merged row.
pub const IDENTIFIERS: &str = "identifiers";

#[cfg(test)]
mod tests;
