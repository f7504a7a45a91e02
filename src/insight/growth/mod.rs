//! Growth: which accounts are ready for more and whom nobody has offered it, how expansion is won and lost, how leads that customer success
//! qualified fare, and which promoters may be asked for a reference.
//!
//! [`signals`] finds what speaks for expansion in one account, [`deals`] counts opportunities, [`page`] shows all of it.
//!
//! What counts as what: seats are the signals `seats.used` and `seats.bought`, or `licence.use` as a share; a limit that was reached is a
//! signal `limit.…`; that a promoter was asked for a reference is a signal `advocacy.asked`. An opportunity is a lead that customer
//! success qualified when its origin says so.

mod closed;
pub mod deals;
mod page;
mod promoters;
mod settings;
pub mod signals;

pub use page::page;
pub use settings::Settings;

#[cfg(test)]
mod tests;
