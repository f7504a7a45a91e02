//! The core that all front doors share: it keeps the [`Snapshot`] that they draw, runs commands, computes views and says what happened.
//!
//! [`Cockpit`] is the handle (cheap to clone, never blocks): [`Cockpit::snapshot`] is what to draw now, [`Cockpit::events`] says when
//! there is something new, [`Cockpit::request_view`] has a list filtered and sorted elsewhere, [`Cockpit::request_page`] a page of figures made, [`Cockpit::run`] runs a command.
//! [`Credentials`] are the sources' logins, without a cockpit. The keys live in [`keymap`], the one clock's implementation in [`clock`].

mod capacity;
mod choices;
pub mod clock;
pub mod connectors;
mod core;
pub mod credentials;
pub mod event;
mod figures;
pub mod handle;
pub mod health;
mod import;
pub mod keymap;
mod keyring;
mod meaning;
mod open;
pub mod pages;
pub mod rebalance;
pub mod rules;
pub mod snapshot;
mod sources;
mod tokens;
pub mod view;
mod wanted;

pub use clock::SystemClock;
pub use credentials::Credentials;
pub use event::{CommandError, Event, Level, Outcome};
pub use figures::checked;
pub use handle::Cockpit;
pub use import::{ImportError, ImportEvent, ImportRequest, ImportSummary, import, preview};
pub use keymap::{Chord, KeyHelp, KeyMatch, Keymap};
pub use open::Setup;
pub use pages::{PageSlot, PageSpec, PageView};
pub use snapshot::{Loading, PastDay, Snapshot, Totals};
pub use view::{ListKind, Slot, View, ViewSpec, compute};

pub use crate::store::{AccountHit, Counts, Draft, StoreError, StreamProblem};
pub use crate::sync::RunResult;

#[cfg(test)]
mod tests;
