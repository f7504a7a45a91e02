//! Our own health score beside the vendor's: a model of weighted signals that is configuration, not code.
//!
//! [`Model`] says which signals count and how; a [`Scorer`] applies it to accounts, a few hundred nanoseconds each; [`weigh`] is the
//! arithmetic itself; [`diff`] says who would change band under another model; [`page`] is the page
//! of figures about it.

pub mod bands;
mod definition;
pub mod diff;
pub mod measure;
pub mod model;
mod page;
pub mod scale;
pub mod score;
pub mod scorer;

pub use bands::Bands;
pub use definition::DEFINITIONS;
pub use diff::{Diff, Grade, Moved, diff};
pub use measure::{MEASURES, Measure};
pub use model::{Drive, Edges, Model, Signal, SignalChange, When};
pub use page::page;
pub use scale::Scale;
pub use score::{Missing, Part, Score, band_of, weigh};
pub use scorer::{Graded, Scorer, SignalPart, driving};

#[cfg(test)]
mod tests;
