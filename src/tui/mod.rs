//! The terminal cockpit: draws the snapshot, sends commands, and never waits.
//!
//! [`run`] is the event loop over a real terminal. [`app::App`] is the state (pure: [`app::App::input`] takes what the terminal sends,
//! [`draw::draw`] fills a buffer), `panes/` what fills the screen, `overlay/` what lies over it, `widgets/` what both are made of,
//! [`theme`] how it looks.

pub mod act;
pub mod app;
pub mod draw;
pub mod figures;
pub mod fmt;
pub mod input;
pub mod metrics;
pub mod overlay;
pub mod panes;
pub mod run;
pub mod term;
pub mod text;
pub mod theme;
pub mod ui;
pub mod widgets;

pub use run::{Options, run};

#[cfg(test)]
mod tests;
