//! Figures on the screen: how their values are written ([`words`]), where the cursor can stand on a page of them ([`grid`]), and how one is
//! explained ([`explain`]).
//!
//! Nothing here knows what a figure is about; the command line writes values with the same words.

pub mod explain;
pub mod grid;
pub mod words;

pub use grid::Spot;
pub use words::Words;
