//! The trait, kept by SQLite: every method hands its work to the writing thread or to a reading one.

use super::engine::{Store, data_version};
use super::storage::{Answer, Storage};
use super::types::*;
use super::{
    forecast, fresh, history, load, merging, open, operations, outbox, records, rows, settle,
    small, ties,
};
use crate::book::{
    AccountDetail, Candidate, CrosswalkEntry, Cursor, DayFigures, DirtyBatch, Entity,
    ForecastSnapshot, HistoryPoint, LocalId, MatchKey, MergeBatch, Operation, OutboxItem,
    RecordKey, RowDelta, SourceName, SourceStatus, StoredRecord, Target, Unmatched,
};
use jiff::{Timestamp, civil::Date};
use std::sync::Arc;
use std::time::Duration;

impl Storage for Store {
    fn cursor(&self, source: &SourceName, stream: &str) -> Answer<Option<Cursor>> {
        let (source, stream) = (source.clone(), stream.to_owned());
        self.read(move |db| records::cursor(db, &source, &stream))
    }
    fn reset_stream(&self, source: &SourceName, stream: &str) -> Answer<()> {
        let (source, stream) = (source.clone(), stream.to_owned());
        self.write(move |db| records::reset_stream(db, &source, &stream))
    }
    fn begin_run(&self, source: &SourceName, full: bool, now: Timestamp) -> Answer<i64> {
        let source = source.clone();
        self.write(move |db| records::begin_run(db, &source, full, now))
    }
    fn finish_run(
        &self,
        run: i64,
        changed: u64,
        requests: u64,
        error: Option<String>,
        now: Timestamp,
    ) -> Answer<()> {
        self.write(move |db| records::finish_run(db, run, changed, requests, error, now))
    }
    fn runs(&self, limit: usize) -> Answer<Vec<RunReport>> {
        self.read(move |db| records::runs(db, limit))
    }
    fn apply_page(&self, page: PageWrite) -> Answer<PageStats> {
        self.write(move |db| records::apply_page(db, &page))
    }
    fn is_fresh(&self, source: &SourceName, stream: &str) -> Answer<bool> {
        let (source, stream) = (source.clone(), stream.to_owned());
        self.read(move |db| fresh::is_fresh(db, &source, &stream))
    }
    fn context(&self, batch: DirtyBatch) -> Answer<(DirtyBatch, i64)> {
        let refs = self.refs();
        self.read(move |db| fresh::context(db, &refs, batch))
    }
    fn apply_fresh(&self, page: Arc<FreshPage>) -> Answer<Option<PageStats>> {
        self.on_writer(move |w| w.attempt(|db| fresh::apply(db, &page)))
    }
    fn unsettled(&self, at_once: usize) -> Answer<Vec<Span>> {
        self.read(move |db| settle::unsettled(db, at_once))
    }
    fn facts(&self, span: Span, now: Timestamp) -> Answer<Facts> {
        self.read(move |db| settle::facts(db, span, now))
    }
    fn settle(&self, facts: Facts) -> Answer<u64> {
        self.write(move |db| settle::put(db, &facts))
    }
    fn end_load(&self) -> Answer<()> {
        let refs = self.refs();
        self.write(move |db| fresh::end_load(db, &refs))
    }
    fn sweep(&self, source: &SourceName, stream: &str, run: i64) -> Answer<u64> {
        let (source, stream) = (source.clone(), stream.to_owned());
        self.write(move |db| records::sweep(db, &source, &stream, run))
    }

    fn dirty_batch(&self, limit: usize) -> Answer<Option<DirtyBatch>> {
        self.write(move |db| merging::dirty_batch(db, limit))
    }
    fn candidates(&self, entity: Entity, keys: Vec<MatchKey>) -> Answer<Vec<Candidate>> {
        self.read(move |db| ties::candidates(db, entity, &keys))
    }
    fn is_only(&self, source: &SourceName, entity: Entity) -> Answer<bool> {
        let source = source.clone();
        self.read(move |db| ties::is_only(db, &source, entity))
    }
    fn records_of(&self, entity: Entity, rows: Vec<LocalId>) -> Answer<Vec<StoredRecord>> {
        self.read(move |db| merging::records_of(db, entity, &rows))
    }
    fn crosswalk_of(&self, records: Vec<RecordKey>) -> Answer<Vec<CrosswalkEntry>> {
        self.read(move |db| {
            let mut out = Vec::new();
            for key in &records {
                out.extend(ties::tie_of(db, key)?);
            }
            Ok(out)
        })
    }
    fn reserve_ids(&self, entity: Entity, count: u32) -> Answer<LocalId> {
        self.write(move |db| rows::reserve_ids(db, entity, count))
    }
    fn write_merged(&self, batch: MergeBatch, now: Timestamp) -> Answer<MergeStats> {
        self.write(move |db| merging::write_merged(db, &batch, now))
    }
    fn relink(&self, entries: Vec<CrosswalkEntry>, now: Timestamp) -> Answer<MergeStats> {
        self.write_durably(move |db| merging::relink(db, &entries, now))
    }
    fn remerge(&self, which: Remerge) -> Answer<u64> {
        self.write(move |db| merging::remerge(db, &which))
    }
    fn unmatched(&self, limit: usize) -> Answer<Vec<Unmatched>> {
        self.read(move |db| merging::unmatched(db, None, limit))
    }

    fn seq(&self) -> Answer<u64> {
        self.read(rows::seq)
    }
    fn load_all(&self, mut sink: Box<dyn FnMut(RowDelta) + Send>) -> Answer<u64> {
        self.read(move |db| load::load_all(db, &mut *sink))
    }
    fn load_since(&self, seq: u64) -> Answer<RowDelta> {
        self.read(move |db| load::load_since(db, seq))
    }
    fn rows_of(&self, targets: Vec<Target>) -> Answer<RowDelta> {
        self.read(move |db| load::rows_of(db, &targets))
    }
    fn detail(&self, account: LocalId) -> Answer<Option<AccountDetail>> {
        self.read(move |db| load::detail(db, account))
    }
    fn find_account(&self, text: &str) -> Answer<Vec<AccountHit>> {
        let text = text.to_owned();
        self.read(move |db| load::find_account(db, &text))
    }
    fn external_ids(&self, target: Target) -> Answer<Vec<CrosswalkEntry>> {
        self.read(move |db| ties::ties_of(db, target))
    }
    fn counts(&self) -> Answer<Counts> {
        self.read(load::counts)
    }

    fn commit_operation(&self, operation: Operation, grace: Duration) -> Answer<Committed> {
        self.write_durably(move |db| operations::commit(db, operation, grace))
    }
    fn undo(&self, operation: &str, undo: Operation, grace: Duration) -> Answer<Undone> {
        let operation = operation.to_owned();
        self.write_durably(move |db| operations::undo(db, &operation, undo, grace))
    }
    fn operations(&self, limit: usize) -> Answer<Vec<Operation>> {
        self.read(move |db| operations::operations(db, limit))
    }

    fn outbox(&self, recent: usize) -> Answer<Vec<OutboxItem>> {
        self.read(move |db| outbox::list(db, recent))
    }
    fn outbox_item(&self, id: &str) -> Answer<OutboxItem> {
        let id = id.to_owned();
        self.read(move |db| outbox::one(db, &id))
    }
    fn due_items(&self, now: Timestamp, limit: usize) -> Answer<Vec<OutboxItem>> {
        self.read(move |db| outbox::due(db, now, limit))
    }
    fn next_due(&self) -> Answer<Option<Timestamp>> {
        self.read(outbox::next_due)
    }
    fn mark_sending(&self, id: &str) -> Answer<bool> {
        let id = id.to_owned();
        self.write_durably(move |db| outbox::mark_sending(db, &id))
    }
    fn finish_item(&self, id: &str, outcome: ItemOutcome, now: Timestamp) -> Answer<OutboxItem> {
        let id = id.to_owned();
        self.write_durably(move |db| outbox::finish(db, &id, &outcome, now))
    }
    fn retry_item(&self, id: &str, now: Timestamp) -> Answer<OutboxItem> {
        let id = id.to_owned();
        self.write_durably(move |db| outbox::retry(db, &id, now))
    }
    fn drop_item(&self, id: &str, now: Timestamp) -> Answer<OutboxItem> {
        let id = id.to_owned();
        self.write_durably(move |db| outbox::give_up(db, &id, now))
    }
    fn resolve_item(&self, id: &str, resolution: Resolution, now: Timestamp) -> Answer<OutboxItem> {
        let id = id.to_owned();
        self.write_durably(move |db| outbox::resolve(db, &id, resolution, now))
    }
    fn recover_after_crash(&self, now: Timestamp) -> Answer<u64> {
        self.write_durably(move |db| outbox::recover(db, now))
    }
    fn flush_grace(&self, now: Timestamp) -> Answer<u64> {
        self.write_durably(move |db| outbox::flush(db, now))
    }

    fn save_source_status(&self, status: SourceStatus) -> Answer<()> {
        self.write(move |db| small::save_status(db, &status))
    }
    fn source_statuses(&self) -> Answer<Vec<SourceStatus>> {
        self.read(small::statuses)
    }
    fn row_problems(&self, source: &SourceName, limit: usize) -> Answer<Vec<StreamProblem>> {
        let source = source.clone();
        self.read(move |db| records::row_problems(db, &source, limit))
    }

    fn screen_cache(&self, key: &str) -> Answer<Option<Vec<u8>>> {
        let key = key.to_owned();
        self.read(move |db| small::screen_cache(db, &key))
    }
    fn put_screen_cache(&self, key: &str, data: Vec<u8>) -> Answer<()> {
        let key = key.to_owned();
        self.write(move |db| small::put_screen_cache(db, &key, &data))
    }
    fn put_draft(&self, draft: Draft) -> Answer<()> {
        self.write(move |db| small::put_draft(db, &draft))
    }
    fn drafts(&self) -> Answer<Vec<Draft>> {
        self.read(small::drafts)
    }
    fn delete_draft(&self, key: &str) -> Answer<()> {
        let key = key.to_owned();
        self.write(move |db| small::delete_draft(db, &key))
    }
    fn lease(&self, name: &str, holder: &str, ttl: Duration) -> Answer<Lease> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |db| small::lease(db, &name, &holder, ttl))
    }
    fn release_lease(&self, name: &str, holder: &str) -> Answer<()> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.write(move |db| small::release(db, &name, &holder))
    }
    fn last_visit(&self, who: &str) -> Answer<Option<Timestamp>> {
        let who = who.to_owned();
        self.read(move |db| small::last_visit(db, &who))
    }
    fn mark_visit(&self, who: &str, now: Timestamp) -> Answer<()> {
        let who = who.to_owned();
        self.write(move |db| small::mark_visit(db, &who, now))
    }
    fn begin_day(&self, today: Date) -> Answer<()> {
        self.write(move |db| history::begin_day(db, today))
    }
    fn last_day(&self) -> Answer<Option<Date>> {
        self.read(history::last_day)
    }
    fn load_as_of(&self, day: Date, mut sink: Box<dyn FnMut(RowDelta) + Send>) -> Answer<Past> {
        self.read(move |db| history::load(db, day, &mut *sink))
    }
    fn history(&self, account: LocalId) -> Answer<Vec<HistoryPoint>> {
        self.read(move |db| history::timeline(db, account))
    }
    fn put_figures(&self, figures: Vec<DayFigures>) -> Answer<()> {
        self.write(move |db| history::put_figures(db, &figures))
    }
    fn figures(&self) -> Answer<Vec<DayFigures>> {
        self.read(history::figures)
    }
    fn put_forecasts(&self, week: Date, forecasts: Vec<ForecastSnapshot>) -> Answer<bool> {
        self.write(move |db| forecast::put(db, week, &forecasts))
    }
    fn forecasts(&self) -> Answer<Vec<ForecastSnapshot>> {
        self.read(forecast::all)
    }
    fn meta(&self, key: &str) -> Answer<Option<String>> {
        let key = key.to_owned();
        self.read(move |db| small::meta(db, &key))
    }
    fn put_meta(&self, key: &str, value: &str) -> Answer<()> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |db| small::put_meta(db, &key, &value))
    }
    fn changed_elsewhere(&self) -> Answer<bool> {
        self.on_writer(|w| {
            let now = data_version(&w.db)?;
            Ok(std::mem::replace(&mut w.seen, now) != now)
        })
    }
    fn check(&self) -> Answer<Vec<String>> {
        self.read(open::quick_check)
    }
    fn close(&self) -> Answer<()> {
        self.shut()
    }
}
