//! Onboarding: how long customers take to their first and their full value, which milestones are late, and who is under way.
//!
//! [`survival`] is the arithmetic (customers who are not there yet are no failures and no successes: they are censored), [`journey`] reads
//! one account's way from its rows, [`page`] shows the figures and the board.
//!
//! What counts as what: an account's way begins on the day since which it is a customer. The first and the full value are reached on the
//! day of the signals `milestone.first_value` and `milestone.full_value`; any other `milestone.…` signal is a milestone that is done.
//! Tasks of the classes that the settings name (onboarding, milestone) are milestones with a due day. An account is being onboarded while
//! its stage says so; where an account has no stage, while it is young and has not reached its full value.

mod board;
pub mod journey;
mod page;
mod reached;
mod settings;
pub mod survival;

pub use page::page;
pub use settings::Settings;

#[cfg(test)]
mod tests;
