//! csops, the terminal cockpit for Customer Success.
//!
//! One way through the house: vendors → [`connect`] → [`sync`] → [`merge`] → [`store`] → [`book`] → [`insight`] →
//! [`cockpit`] → [`tui`] or [`cli`]; what a person does goes back through [`command`] → [`cockpit`] → the store's
//! outbox → [`sync`] → [`connect`]. `docs/architecture.md` says which room may use which; `tests/arrows.rs` holds it.

pub mod book;
pub mod cli;
pub mod cockpit;
pub mod command;
pub mod config;
pub mod connect;
pub mod insight;
pub mod merge;
pub mod query;
pub mod simulate;
pub mod store;
pub mod sync;
pub mod tui;
