//! The terminal cockpit.
pub mod fmt;
pub mod term;
pub mod text;
pub mod theme;
pub mod ui;
pub mod widgets;
