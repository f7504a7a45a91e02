//! What the cockpit tells its front doors.

use super::view::Slot;
use crate::book::{LocalId, Operation};

/// Something happened; draw anew. Whoever misses some (the channel holds the newest few hundred) loses nothing: everything is in the snapshot.
#[derive(Clone, Debug)]
pub enum Event {
    /// There is another [`Snapshot`](super::Snapshot).
    SnapshotChanged,
    /// A view that was asked for is ready.
    ViewReady(Slot),
    /// A page of figures that was asked for is made.
    PageReady,
    /// A proposal that was asked for is made.
    ProposalReady,
    /// The account page's rows are there.
    DetailReady(LocalId),
    /// A sentence for the person.
    Message(Level, String),
}

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It went well.
    Good,
    /// To know.
    Info,
    /// Something needs a person.
    Bad,
}

/// What became of a command.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What a person reads.
    pub summary: String,
    /// The operation that was committed, if it wrote something.
    pub operation: Option<Operation>,
    /// What the front door has to do itself.
    pub effect: Option<crate::command::Effect>,
    /// How many outbox items it made.
    pub items: usize,
}

/// Why a command did nothing. Each is a sentence for the person.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// It cannot run now or not on this.
    #[error("{0}")]
    Refused(String),
    /// It cannot be undone and was not confirmed; the text says what it would do.
    #[error("{0}")]
    NeedsConfirmation(String),
    /// The database did not take it.
    #[error("{0}")]
    Store(String),
    /// The cockpit is closing.
    #[error("csops is closing; nothing was done")]
    Closing,
}
