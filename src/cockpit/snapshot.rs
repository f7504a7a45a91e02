//! What the front doors draw: one immutable picture of everything, swapped whole.

use crate::book::{LocalId, Operation, OutboxItem, SourceStatus, Unmatched};
use crate::command::{Homes, Me, SourceInfo};
use jiff::{Timestamp, civil::Date};
use std::collections::HashSet;
use std::sync::Arc;

/// One picture of everything. Cheap to clone; front doors hold it as long as they draw.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Grows with every snapshot.
    pub generation: u64,
    /// When it was taken.
    pub now: Timestamp,
    /// The day in the calendar's zone.
    pub today: Date,
    /// Who sits in front of it.
    pub me: Me,
    /// The last known picture, shown while the Book loads: taken at this instant. Its lists hold only their first rows.
    pub from_cache: Option<Timestamp>,
    /// The Book is being read: how far.
    pub loading: Option<Loading>,
    /// No source is configured and nothing is stored.
    pub empty: bool,
    /// Writes are switched off for all.
    pub read_only: bool,
    /// How each source goes.
    pub sources: Arc<Vec<SourceStatus>>,
    /// What each source can take.
    pub infos: Arc<Vec<SourceInfo>>,
    /// Where writes go.
    pub homes: Homes,
    /// Pending items and the newest finished ones, newest first.
    pub outbox: Arc<Vec<OutboxItem>>,
    /// The newest operations that can be undone, newest first.
    pub operations: Arc<Vec<Operation>>,
    /// Records that could not be matched.
    pub unmatched: Arc<Vec<Unmatched>>,
    /// Texts that were begun and not sent.
    pub drafts: Arc<Vec<Draft>>,
    /// Accounts that are new or changed since the last visit.
    pub fresh: Arc<HashSet<LocalId>>,
    /// When the last visit ended.
    pub last_visit: Option<Timestamp>,
    /// What is wrong with the settings, keymap or themes: file, line, column and remedy.
    pub problems: Arc<Vec<String>>,
}

/// How far the Book is read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loading {
    /// Rows so far.
    pub rows: u64,
    /// Rows in all, if known.
    pub total: Option<u64>,
}

/// A text that was begun and not sent; survives a crash.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What it is for: the command and what it is about, `note account 17`.
    pub key: String,
    /// The text.
    pub text: String,
    /// Last saved.
    pub at: Timestamp,
}

impl Snapshot {
    /// Items in conflict.
    pub fn conflicts(&self) -> impl Iterator<Item = &OutboxItem> {
        self.outbox
            .iter()
            .filter(|i| i.conflict.is_some() && i.state.is_pending())
    }
    /// The newest successful pull of the source that is furthest behind: the age of the data. `None`: some source never went through.
    pub fn data_from(&self) -> Option<Timestamp> {
        self.sources.iter().map(|s| s.last_success).min().flatten()
    }
}
