//! The customers' voice: NPS, CSAT and CES from survey answers, each with its method, how many answered and a 95 % interval, and whether
//! those who are unhappy were talked to in time.
//!
//! [`scale`] reads the scale that an answer was given on and never lets two of them into one figure, [`score`] is the arithmetic,
//! [`answers`] finds the answers in the Book, [`closed`] is the closed loop, [`page`] shows all of it.

pub mod answers;
pub mod closed;
mod measure;
mod page;
pub mod scale;
pub mod score;
mod settings;
mod waits;

pub use page::page;
pub use settings::{Method, Settings};

#[cfg(test)]
mod tests;
