//! The trait behind which the database lies, so that another one can stand in its place.

use super::error::StoreError;
use super::types::*;
use crate::book::{
    AccountDetail, Candidate, CrosswalkEntry, Cursor, DayFigures, DirtyBatch, Entity,
    ForecastSnapshot, HistoryPoint, LocalId, MatchKey, MergeBatch, Operation, OutboxItem,
    RecordKey, RowDelta, SourceName, SourceStatus, StoredRecord, Target, Unmatched,
};
use futures_util::future::BoxFuture;
use jiff::{Timestamp, civil::Date};
use std::sync::Arc;
use std::time::Duration;

/// An answer that comes later; it does not borrow from its question.
pub type Answer<T> = BoxFuture<'static, Result<T, StoreError>>;

/// Everything that is kept. Every method is one transaction: all of it happens or nothing. A future that is dropped does not stop
/// what it asked for. Errors are those of [`StoreError`]; only what is special is said at a method.
pub trait Storage: Send + Sync {
    // ── pull ──

    /// Where a stream goes on; `None` before its first page and after [`reset_stream`](Storage::reset_stream).
    fn cursor(&self, source: &SourceName, stream: &str) -> Answer<Option<Cursor>>;
    /// Forgets where a stream stood, so that its next run starts from the beginning. Rows stay.
    fn reset_stream(&self, source: &SourceName, stream: &str) -> Answer<()>;
    /// A run of a source begins; its number.
    fn begin_run(&self, source: &SourceName, full: bool, now: Timestamp) -> Answer<i64>;
    /// The run ends.
    fn finish_run(
        &self,
        run: i64,
        changed: u64,
        requests: u64,
        error: Option<String>,
        now: Timestamp,
    ) -> Answer<()>;
    /// The newest runs of all sources, newest first.
    fn runs(&self, limit: usize) -> Answer<Vec<RunReport>>;
    /// Stores a page and the cursor that covers it in one transaction. Rows that say what is there already cost next to nothing.
    fn apply_page(&self, page: PageWrite) -> Answer<PageStats>;
    /// Whether nothing of a stream is here yet, or its first load only was interrupted.
    fn is_fresh(&self, source: &SourceName, stream: &str) -> Answer<bool>;
    /// The batch, all of whose records are new, with where their references lead; and how often records have moved to other rows so far.
    fn context(&self, batch: DirtyBatch) -> Answer<(DirtyBatch, i64)>;
    /// Stores a page of a first load, the cursor that covers it, and what was made of it. The facts of the accounts concerned follow with
    /// [`settle`](Storage::settle). Nothing when something of it was known already, or what it refers to has changed: then nothing is
    /// stored, and it is to be [applied](Storage::apply_page) as any other.
    fn apply_fresh(&self, page: Arc<FreshPage>) -> Answer<Option<PageStats>>;
    /// Where there are accounts whose facts [`apply_fresh`](Storage::apply_fresh) left behind, so many at a time.
    fn unsettled(&self, at_once: usize) -> Answer<Vec<Span>>;
    /// What the facts of such accounts are now.
    fn facts(&self, span: Span, now: Timestamp) -> Answer<Facts>;
    /// Brings accounts' facts up to date; what has changed since they were found out is looked at anew. How many accounts.
    fn settle(&self, facts: Facts) -> Answer<u64>;
    /// No first load is under way any more: what was left away for its sake is there again.
    fn end_load(&self) -> Answer<()>;
    /// After a complete full run: the records of that stream which the run has not seen are gone. How many.
    fn sweep(&self, source: &SourceName, stream: &str, run: i64) -> Answer<u64>;

    // ── merge ──

    /// The next records to be merged, of one kind, in the order of [`Entity::ALL`]; `None` when all are merged.
    fn dirty_batch(&self, limit: usize) -> Answer<Option<DirtyBatch>>;
    /// Which local rows of a kind answer to these keys.
    fn candidates(&self, entity: Entity, keys: Vec<MatchKey>) -> Answer<Vec<Candidate>>;
    /// Whether no other source has, and nothing else is known of, any row of a kind: nothing then answers to a key of this source's records.
    fn is_only(&self, source: &SourceName, entity: Entity) -> Answer<bool>;
    /// Every record (deleted ones included) of these local rows.
    fn records_of(&self, entity: Entity, rows: Vec<LocalId>) -> Answer<Vec<StoredRecord>>;
    /// Whose these records are, as far as known.
    fn crosswalk_of(&self, records: Vec<RecordKey>) -> Answer<Vec<CrosswalkEntry>>;
    /// Sets `count` local ids of a kind aside; the first of them.
    fn reserve_ids(&self, entity: Entity, count: u32) -> Answer<LocalId>;
    /// Writes what merge made, and brings the facts of the accounts concerned up to date.
    fn write_merged(&self, batch: MergeBatch, now: Timestamp) -> Answer<MergeStats>;
    /// Ties records to local rows because a person said so ([`LocalId::NONE`]: to a row of its own), and marks everything that
    /// hangs on it to be merged again.
    fn relink(&self, entries: Vec<CrosswalkEntry>, now: Timestamp) -> Answer<MergeStats>;
    /// Marks records to be merged again; how many.
    fn remerge(&self, which: Remerge) -> Answer<u64>;
    /// What could not be matched, or not for certain.
    fn unmatched(&self, limit: usize) -> Answer<Vec<Unmatched>>;

    // ── read ──

    /// The store's sequence number: it grows with every change of a merged row.
    fn seq(&self) -> Answer<u64>;
    /// Hands every row that a Book holds to `sink`, in portions of at most 20,000 rows, as of one moment; the sequence number of that moment.
    fn load_all(&self, sink: Box<dyn FnMut(RowDelta) + Send>) -> Answer<u64>;
    /// What entered, changed or left since then.
    fn load_since(&self, seq: u64) -> Answer<RowDelta>;
    /// These rows as they are; those that are not there stand in `removed`.
    fn rows_of(&self, targets: Vec<Target>) -> Answer<RowDelta>;
    /// Everything about one account, unsent changes applied.
    fn detail(&self, account: LocalId) -> Answer<Option<AccountDetail>>;
    /// The accounts that a text names: an id, a vendor's id, a domain, a name, or part of a name; the best kind of answer only, at most 20.
    fn find_account(&self, text: &str) -> Answer<Vec<AccountHit>>;
    /// The vendors' records of a row.
    fn external_ids(&self, target: Target) -> Answer<Vec<CrosswalkEntry>>;
    /// How much there is.
    fn counts(&self) -> Answer<Counts>;

    // ── actions ──

    /// Logs an operation, applies what is kept here, puts the rest into the outbox to be sent after `grace`, and gives created
    /// things their ids and rows. Durable when it answers: also over a power failure. An update of something whose earlier update
    /// is still in its grace takes that one's place.
    fn commit_operation(&self, operation: Operation, grace: Duration) -> Answer<Committed>;
    /// Takes an operation back. `undo.changes[i]` is the inverse of the original's change `i`
    /// ([`Change::inverse`](crate::book::Change::inverse); a change without inverse leaves out its place by repeating the original).
    /// Whatever was not sent yet is only taken out of the outbox; for the rest the inverse is committed.
    fn undo(&self, operation: &str, undo: Operation, grace: Duration) -> Answer<Undone>;
    /// The newest operations, newest first.
    fn operations(&self, limit: usize) -> Answer<Vec<Operation>>;

    // ── outbox ──

    /// Everything that is not finished, oldest first, then the `recent` newest finished items.
    fn outbox(&self, recent: usize) -> Answer<Vec<OutboxItem>>;
    /// One item, by its id or the beginning of it.
    ///
    /// # Errors
    /// `NotFound`, also when the beginning fits several.
    fn outbox_item(&self, id: &str) -> Answer<OutboxItem>;
    /// What is to be sent or asked about now, oldest first: an item waits for the older unfinished items of its target and for the
    /// create of whatever it refers to.
    fn due_items(&self, now: Timestamp, limit: usize) -> Answer<Vec<OutboxItem>>;
    /// When the next item is due; `None` when none moves by itself.
    fn next_due(&self) -> Answer<Option<Timestamp>>;
    /// About to send: durable when it answers. `false` when the item is no longer to be sent (taken back meanwhile).
    fn mark_sending(&self, id: &str) -> Answer<bool>;
    /// What became of it. When done, the values are written into the source's record and the merged row in the same step in
    /// which they leave the overlay.
    fn finish_item(&self, id: &str, outcome: ItemOutcome, now: Timestamp) -> Answer<OutboxItem>;
    /// Sends a failed or waiting item now.
    fn retry_item(&self, id: &str, now: Timestamp) -> Answer<OutboxItem>;
    /// Gives an item up. An item that is being sent cannot be dropped.
    fn drop_item(&self, id: &str, now: Timestamp) -> Answer<OutboxItem>;
    /// Settles a conflict.
    fn resolve_item(&self, id: &str, resolution: Resolution, now: Timestamp) -> Answer<OutboxItem>;
    /// To be called by whoever just got the lease: items that a dead process was sending become `Unknown` (creates: the vendor is
    /// asked) or `Waiting` (updates and deletes: they are compared before they are written). How many.
    fn recover_after_crash(&self, now: Timestamp) -> Answer<u64>;
    /// Ends the grace of everything that waits; how many.
    fn flush_grace(&self, now: Timestamp) -> Answer<u64>;

    // ── status ──

    /// Keeps how a source goes, for the next start and for other processes.
    fn save_source_status(&self, status: SourceStatus) -> Answer<()>;
    /// How every source went, with row counts and problems of each stream as they are now.
    fn source_statuses(&self) -> Answer<Vec<SourceStatus>>;
    /// Rows that could not be taken, newest first.
    fn row_problems(&self, source: &SourceName, limit: usize) -> Answer<Vec<StreamProblem>>;

    // ── small things ──

    /// A stored picture of a screen (see also [`peek_screen_cache`](super::peek_screen_cache)).
    fn screen_cache(&self, key: &str) -> Answer<Option<Vec<u8>>>;
    /// Stores one.
    fn put_screen_cache(&self, key: &str, data: Vec<u8>) -> Answer<()>;
    /// Keeps a draft.
    fn put_draft(&self, draft: Draft) -> Answer<()>;
    /// All drafts, newest first.
    fn drafts(&self) -> Answer<Vec<Draft>>;
    /// Forgets a draft.
    fn delete_draft(&self, key: &str) -> Answer<()>;
    /// Takes or renews a lease for `ttl` of real time, unless somebody else holds it.
    fn lease(&self, name: &str, holder: &str, ttl: Duration) -> Answer<Lease>;
    /// Gives a lease back.
    fn release_lease(&self, name: &str, holder: &str) -> Answer<()>;
    /// When somebody last looked, for what has changed since.
    fn last_visit(&self, who: &str) -> Answer<Option<Timestamp>>;
    /// Somebody looks now.
    fn mark_visit(&self, who: &str, now: Timestamp) -> Answer<()>;

    // ── history ──

    /// A day begins: to be called before anything is written on it, as often as one likes. A day that is not later than the last one
    /// changes nothing: what is written then counts for the last one.
    fn begin_day(&self, today: Date) -> Answer<()>;
    /// The last day on which anything was written.
    fn last_day(&self) -> Answer<Option<Date>>;
    /// As [`load_all`](Storage::load_all), with the rows as they were known at the end of a day; tasks are left out.
    ///
    /// # Errors
    /// `NotNow` for a day before history begins.
    fn load_as_of(&self, day: Date, sink: Box<dyn FnMut(RowDelta) + Send>) -> Answer<Past>;
    /// What an account was from which day on, oldest first.
    fn history(&self, account: LocalId) -> Answer<Vec<HistoryPoint>>;
    /// Keeps the forecasts of a day for its ISO week (`week`: its Monday), unless those of an earlier day of that week are there; whether
    /// they were kept.
    fn put_forecasts(&self, week: Date, forecasts: Vec<ForecastSnapshot>) -> Answer<bool>;
    /// Every forecast that was kept, oldest first.
    fn forecasts(&self) -> Answer<Vec<ForecastSnapshot>>;
    /// Keeps the figures of a day in the place of those kept of it before.
    fn put_figures(&self, figures: Vec<DayFigures>) -> Answer<()>;
    /// The figures of all days, oldest first.
    fn figures(&self) -> Answer<Vec<DayFigures>>;

    // ── about itself ──

    /// A small value of one's own.
    fn meta(&self, key: &str) -> Answer<Option<String>>;
    /// Keeps one.
    fn put_meta(&self, key: &str, value: &str) -> Answer<()>;
    /// Whether another process has written since this was asked last.
    fn changed_elsewhere(&self) -> Answer<bool>;
    /// Looks the whole file over; what is wrong with it, nothing if all is well. Takes seconds on a large one.
    fn check(&self) -> Answer<Vec<String>>;
    /// Ends all threads once they are idle and folds the log back into the file. Further calls answer [`StoreError::Closed`].
    fn close(&self) -> Answer<()>;
}
