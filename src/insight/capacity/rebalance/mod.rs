//! Which accounts would best change hands so that nobody has more than they can do: the fewest moves within hours, ARR, accounts and
//! region, and those first that hurt continuity the least.
//!
//! [`propose`] makes a [`Proposal`] from a Book; `solver` finds the moves, `exact` searches small problems to the end.

mod exact;
mod propose;
mod solver;

pub use propose::{Move, PersonLoad, Proposal, Wish, Work, propose};

#[cfg(test)]
mod tests;
