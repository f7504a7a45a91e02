//! Pull and push: schedules, budgets, retries, the lease that lets several csops share a database, and what sync status is made of.
//!
//! Enter through [`Engine`]: [`Engine::start`] runs it in the background for the cockpit and `csops sync --watch`,
//! [`Engine::run_once`] pulls and pushes once, [`Engine::push_pending`] only sends what waits, [`Engine::import`] takes in rows that a person hands over. A source that fails never stops the
//! others; nothing here loses or half-stores anything, because every page and every outcome is one transaction of the store.

mod backoff;
mod engine;
mod import;
mod lease;
mod load;
mod merging;
mod pull;
mod push;
mod source;
mod turns;

pub use engine::{Engine, RunResult, Setup, SourceSetup, SyncEvent};
pub use import::{Import, ImportPage, Imported};
pub use lease::holder;

#[cfg(test)]
mod tests;
