//! Our own health score beside the vendor's: a model of weighted signals that is configuration, not code.
//!
//! [`Model`] says which signals count and how; a [`Scorer`] applies it to accounts, a few hundred nanoseconds each; [`weigh`] is the
//! arithmetic itself; [`diff`] says who would change band under another model.

pub mod diff;
pub mod measure;
pub mod model;
pub mod scale;
pub mod score;
pub mod scorer;

pub use diff::{Diff, Grade, Moved, diff};
pub use measure::{MEASURES, Measure};
pub use model::{Drive, Edges, Model, Signal, SignalChange, When};
pub use scale::Scale;
pub use score::{Missing, Part, Score, band_of, weigh};
pub use scorer::{Graded, Scorer, SignalPart, driving};

#[cfg(test)]
mod tests;
