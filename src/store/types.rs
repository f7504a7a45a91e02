//! What goes into the store and comes out of it, beside the vocabulary of [`book`](crate::book).

use super::facts::Found;
use crate::book::{
    Conflict, Cursor, LocalId, MergeBatch, Operation, OutboxItem, Record, RowProblem, SourceName,
    Target,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long to wait for another process that writes.
    pub busy: Duration,
    /// Threads that read.
    pub readers: usize,
    /// The file may not grow beyond so many pages of 4,096 bytes (tests of a full disk).
    pub max_pages: Option<u32>,
    /// Pages in the log from which on it is moved into the file: those that a load writes again and again go there once in 64 MB.
    pub log_pages: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            busy: Duration::from_secs(5),
            readers: 3,
            max_pages: None,
            log_pages: 16_000,
        }
    }
}

/// One page of a stream, to be stored together with the cursor that covers it.
#[derive(Clone, Debug)]
pub struct PageWrite {
    /// The source.
    pub source: SourceName,
    /// The stream.
    pub stream: String,
    /// The rows, deletions among them.
    pub records: Vec<Record>,
    /// Rows that could not be taken.
    pub problems: Vec<RowProblem>,
    /// Where to go on.
    pub next: Cursor,
    /// The run ([`begin_run`](super::Storage::begin_run)); what a full run has not seen can be swept afterwards.
    pub run: i64,
    /// When.
    pub now: Timestamp,
}

/// A page of a first load that was merged before it is stored.
#[derive(Clone, Debug)]
pub struct FreshPage {
    /// The page; none of its records is a deletion or only implied.
    pub page: PageWrite,
    /// The fields of each of its records, [packed](super::pack).
    pub packed: Vec<Vec<u8>>,
    /// What merge made of them, kind by kind.
    pub merged: Vec<FreshBatch>,
    /// How often records had moved to other rows when its references were looked up ([`context`](super::Storage::context)).
    pub moves: Option<i64>,
    /// More pages of the first load are to come.
    pub loading: bool,
}

/// What merge made of the new records of one kind.
#[derive(Clone, Debug)]
pub struct FreshBatch {
    /// The first id that was set aside for its new rows; those from here on are not there yet.
    pub first_new: LocalId,
    /// How many records: so many of the batch's clean ones come first.
    pub records: usize,
    /// Each of them belongs to a row of its own, which have the ids from `first_new` on in the order of the records; the batch does not
    /// spell it out.
    pub each_new: bool,
    /// The rest.
    pub batch: MergeBatch,
}

/// What a page brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageStats {
    /// Rows that were not there.
    pub inserted: u64,
    /// Rows that differ from what was there.
    pub changed: u64,
    /// Rows that say what was there.
    pub unchanged: u64,
    /// Rows that the vendor says are gone, and that were there.
    pub deleted: u64,
    /// Things that were made because rows refer to them ([`IMPLIED`](crate::book::record::IMPLIED)).
    pub implied: u64,
}

impl PageStats {
    /// Whether anything has to be merged.
    pub fn any(&self) -> bool {
        self.inserted + self.changed + self.deleted + self.implied > 0
    }
    /// Both together.
    pub fn add(&mut self, other: PageStats) {
        self.inserted += other.inserted;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.deleted += other.deleted;
        self.implied += other.implied;
    }
}

/// How a run of one source ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Its number.
    pub run: i64,
    /// The source.
    pub source: SourceName,
    /// Whether cursors were ignored.
    pub full: bool,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; a run without an end was interrupted or is under way.
    pub finished: Option<Timestamp>,
    /// Rows that changed.
    pub changed: u64,
    /// Requests spent.
    pub requests: u64,
    /// What went wrong.
    pub error: Option<String>,
}

/// A row that could not be taken, and in which stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamProblem {
    /// The stream.
    pub stream: String,
    /// The row and the reason.
    pub problem: RowProblem,
    /// When it was seen last.
    pub at: Timestamp,
}

/// What writing a merged batch changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MergeStats {
    /// The store's sequence number afterwards.
    pub seq: u64,
    /// Rows that really changed, the accounts whose facts did among them.
    pub changed: Vec<Target>,
}

/// Which records are to be merged again although no vendor changed them (another mapping, another precedence).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remerge {
    /// All.
    All,
    /// Those of one source.
    Source(SourceName),
    /// Those of some local rows.
    Rows(Vec<Target>),
}

/// An operation as committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    /// With the ids that the store gave.
    pub operation: Operation,
    /// What is to be sent; those that replaced an earlier edit carry its base.
    pub items: Vec<OutboxItem>,
    /// Rows that changed at once (kept here, or newly made): to be read with [`rows_of`](super::Storage::rows_of).
    pub touched: Vec<Target>,
    /// The store's sequence number afterwards.
    pub seq: u64,
}

/// Accounts from one to another, both included.
pub type Span = std::ops::RangeInclusive<LocalId>;

/// What was found out about the accounts of a span whose facts a first load left behind.
pub struct Facts {
    pub(super) span: Span,
    /// The store's sequence number when they were looked at.
    pub(super) seq: i64,
    pub(super) now: Timestamp,
    pub(super) found: Vec<Found>,
}

/// What an undo did.
#[derive(Clone, Debug, PartialEq)]
pub struct Undone {
    /// The operation that takes the other back; its changes are those that really had to be sent or kept.
    pub committed: Committed,
    /// How many items were taken back before they were sent.
    pub taken_back: usize,
    /// What cannot be taken back, in words.
    pub impossible: Vec<String>,
}

/// What became of an attempt to send an item.
#[derive(Clone, Debug)]
pub enum ItemOutcome {
    /// The vendor has it.
    Done {
        /// The vendor's id.
        external_id: String,
        /// The record afterwards, as far as known.
        record: Option<Record>,
    },
    /// The vendor's values changed meanwhile.
    Conflict(Conflict),
    /// The vendor refused it, in words.
    Failed(String),
    /// Not now: try again at that instant.
    Retry {
        /// Why, in words.
        error: String,
        /// When.
        at: Timestamp,
    },
    /// It was sent and no answer heard: ask at that instant.
    Unknown {
        /// Why, in words.
        error: String,
        /// When.
        at: Timestamp,
    },
}

/// What a person chose in a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Write ours: it is sent again with the vendor's present value as its base.
    Mine,
    /// Keep the vendor's: ours is dropped.
    Theirs,
}

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// We do.
    Ours,
    /// Somebody else does.
    Theirs {
        /// Who: a process and its machine, in words.
        holder: String,
        /// For how long without another sign of life.
        left: Duration,
    },
}

/// Something begun and not sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// What it is, `note:42`.
    pub key: String,
    /// The account.
    pub account: LocalId,
    /// The command that it would become, `note`.
    pub kind: String,
    /// The text so far.
    pub text: String,
    /// When it was last touched.
    pub at: Timestamp,
}

/// An account found by a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountHit {
    /// The account.
    pub id: LocalId,
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: Option<String>,
    /// How it answered: `id`, `external id`, `domain`, `name` (the whole name), `part of the name`.
    pub by: &'static str,
}

/// How a Book of an earlier day was put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// History is kept since this day.
    pub first: Date,
    /// The last day up to the one asked for on which anything was written: what was known then.
    pub known: Date,
    /// Rows that have changed since.
    pub changed: u64,
    /// Rows of today that were not there yet.
    pub later: u64,
    /// Rows that were there and are gone today.
    pub restored: u64,
}

impl Past {
    /// One more row with entries after the day: whether it was there.
    pub(super) fn count(&mut self, there: bool) {
        if there {
            self.changed += 1;
        } else {
            self.later += 1;
        }
    }
}

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows of each kind, by the kind's name.
    pub rows: Vec<(&'static str, u64)>,
    /// Records held, by source and kind.
    pub records: Vec<(String, String, u64)>,
    /// Records that wait to be merged.
    pub dirty: u64,
    /// Records not matched or not certain.
    pub unmatched: u64,
    /// Items of the outbox that are not finished.
    pub pending: u64,
    /// Size of the file, bytes.
    pub bytes: u64,
}
