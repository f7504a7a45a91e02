//! Work and who does it: how many accounts, how much ARR and how many hours each CSM has, what they have time for, what that costs, who
//! has to be hired when, what a hire in CS Ops must bring in, and which accounts would best change hands.
//!
//! [`Team`](team::Team) says how much of a full-time person everybody is; [`Spread`](spread::Spread) counts the accounts once and groups
//! them in every way; [`hiring`], [`business`] and [`costs`] are arithmetic on top; [`rebalance`] proposes moves; [`page`] puts it all on a
//! page of figures.

pub mod business;
pub mod costs;
mod definitions;
pub mod hiring;
pub mod kinds;
pub mod page;
pub mod rebalance;
pub mod settings;
pub mod spread;
pub mod team;

pub use definitions::DEFINITIONS;
pub use settings::CapacitySettings;

#[cfg(test)]
mod tests;
