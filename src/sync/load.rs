//! A stream that is read for the first time: its pages are fetched, merged and stored at the same time, each page a step behind the one
//! before. A page is merged before it is stored, so that its rows, what was made of them and the cursor are one transaction.

use super::engine::{Shared, SyncEvent};
use super::pull::{Feed, Rows, SHOW_AFTER, Stop, rows_of};
use super::source::Source;
use crate::book::record::IMPLIED;
use crate::book::{Candidate, DirtyBatch, Entity, LocalId, Record, SourceName, StoredRecord};
use crate::connect::Page;
use crate::merge::{self, Plan, Rules, Said};
use crate::store::{
    Answer, FreshBatch, FreshPage, PageStats, PageWrite, Storage, StoreError, pack,
};
use futures_util::{StreamExt, stream};
use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::Range;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::oneshot::error::TryRecvError as OneshotError;
use tokio::sync::{MutexGuard, mpsc, oneshot};

/// Pages that came meanwhile are stored together up to so many rows: the tree that finds records by the vendor's id is written anew for
/// each transaction wherever a row of it falls.
const AT_ONCE: usize = 8_000;
/// So many local ids are set aside ahead at most: a page that several were joined to can need almost twice of what is stored at once.
const IDS_AHEAD: u32 = 2 * AT_ONCE as u32;
/// Accounts whose facts are brought up to date in one transaction.
const SETTLED_AT_ONCE: usize = 2_000;
/// So many threads find out meanwhile what the next ones are; one is left to whoever looks at the screen.
const LOOKED_AT_ONCE: usize = 2;
/// What a first load has is shown when nothing was shown for so long, or for so many times what showing cost.
const SHOWN_AT_LEAST: Duration = Duration::from_secs(3);
const SHARE: u32 = 60;
/// Fewer rows than this are merged in the order in which they came.
const SORTED_FROM: usize = 500;

/// A page, ready to be stored: merged, or as it came when it is not all news.
enum Form {
    Merged(FreshPage),
    Plain(PageWrite),
}

/// What is to be stored next.
struct Ready<'a> {
    page: Form,
    done: bool,
    /// The vendor's rows in it, and how many there are in all.
    came: u64,
    of: Option<u64>,
    /// Nobody else may open rows for the same things until it is stored.
    _alone: Option<Alone<'a>>,
    /// Goes when it is stored.
    _stored: oneshot::Sender<Infallible>,
}

/// Held by whoever opens rows that others might open too, for as long as pages follow each other without a wait.
type Alone<'a> = Arc<MutexGuard<'a, ()>>;

/// What a page has from those before it.
#[derive(Default)]
struct Along<'a> {
    alone: Option<Alone<'a>>,
    /// Pages that may not be stored yet, in their order.
    ahead: Vec<Ahead>,
    /// What the page at hand says of the things that it matched.
    said: HashMap<Entity, Option<Said>>,
    ids: HashMap<Entity, Ids>,
}

/// A page on its way to the store.
struct Ahead {
    /// Comes back when it is stored.
    stored: oneshot::Receiver<Infallible>,
    /// By kind; nothing where it did not have to be found out.
    said: HashMap<Entity, Option<Said>>,
}

impl Ahead {
    /// Whether a batch cannot be matched before this page is stored.
    fn holds_up(&self, rules: &Rules, entity: Entity, batch: &DirtyBatch) -> bool {
        let said = self.said.get(&entity);
        said.is_some_and(|s| s.as_ref().is_none_or(|s| s.concerns(rules, batch)))
    }
}

impl Shared {
    /// Takes in all pages; `false` when it was told to stop before the last.
    pub(super) async fn load_pages(
        &self,
        source: &Arc<Source>,
        stream: &str,
        run: i64,
        pages: Feed,
        tally: &mut Rows,
    ) -> Result<bool, Stop> {
        let (send, ready) = mpsc::channel(1);
        let preparing = self.prepare_pages(&source.name, stream, run, pages, send);
        let storing = self.store_ready(source, stream, ready, tally);
        tokio::pin!(preparing, storing);
        let finished = tokio::select! {
            biased;
            // What was prepared before an error is stored all the same.
            prepared = &mut preparing => {
                let stored = storing.await;
                prepared.and(stored)
            }
            stored = &mut storing => stored,
        };
        // Whatever its next stream is, it has no page of it yet.
        self.turns.waits(&source.name);
        // The run merges what waits when it ends; a long one shows what it has on the way.
        if self.is_unseen() {
            self.merge_pending().await?;
        }
        finished
    }

    async fn prepare_pages<'a>(
        &'a self,
        source: &SourceName,
        stream: &str,
        run: i64,
        mut pages: Feed,
        ready: mpsc::Sender<Ready<'a>>,
    ) -> Result<(), Stop> {
        let mut along = Along::default();
        loop {
            let page = match pages.try_recv() {
                Ok(page) => page,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    // Others may have their turn meanwhile.
                    along.alone = None;
                    self.turns.waits(source);
                    match pages.recv().await {
                        Some(page) => page,
                        None => break,
                    }
                }
            };
            self.turns.goes_on(source);
            let mut page = page?;
            let mut failed = None;
            while page.records.len() < AT_ONCE && !page.done {
                match pages.try_recv() {
                    Ok(Ok(next)) => join(&mut page, next),
                    Ok(Err(e)) => {
                        failed = Some(e);
                        break;
                    }
                    Err(_) => break,
                }
            }
            let (done, of) = (page.done, page.total);
            let came = rows_of(&page.records);
            let page = PageWrite {
                source: source.clone(),
                stream: stream.to_owned(),
                records: page.records,
                problems: page.problems,
                next: page.next,
                run,
                now: self.clock.now(),
            };
            let usual = |r: &Record| {
                r.deleted || r.get(IMPLIED).is_some() || self.rules.sets_aside(r.entity, source)
            };
            let page = if page.records.iter().any(usual) {
                Form::Plain(page)
            } else {
                Form::Merged(self.prepare(page, !done, &mut along).await?)
            };
            let (stored, when_stored) = oneshot::channel();
            let on_its_way = |a: &mut Ahead| a.stored.try_recv() == Err(OneshotError::Empty);
            along.ahead.retain_mut(on_its_way);
            along.ahead.push(Ahead {
                stored: when_stored,
                said: std::mem::take(&mut along.said),
            });
            let prepared = Ready {
                page,
                done,
                came,
                of,
                _alone: along.alone.clone(),
                _stored: stored,
            };
            // Whoever stores has stopped, and says why.
            if ready.send(prepared).await.is_err() {
                return Ok(());
            }
            if let Some(e) = failed {
                return Err(e);
            }
        }
        Ok(())
    }

    /// Merges a page whose records are all new.
    async fn prepare<'a>(
        &'a self,
        mut page: PageWrite,
        loading: bool,
        along: &mut Along<'a>,
    ) -> Result<FreshPage, StoreError> {
        let source = page.source.clone();
        let is_matched = |r: &Record| merge::is_matched(&self.rules, &source, r);
        let holds_ids = |r: &Record| merge::holds_ids(&self.rules, &source, r);
        if page.records.iter().any(is_matched) {
            if along.alone.is_none() {
                self.turns.give_way(&source).await;
                along.alone = Some(Arc::new(self.merging.lock().await));
            }
        } else {
            along.alone = None;
            // Rates come before the accounts.
            if page.records.iter().any(|r| r.entity != Entity::Rate) {
                self.turns.is_through(&source);
            }
        }
        let mut moves = None;
        let (mut merged, mut packed) = (Vec::new(), Vec::new());
        for (entity, records) in by_kind(std::mem::take(&mut page.records)) {
            let matched = records.iter().any(is_matched);
            // Two records of one source are never one thing by themselves, unless ids tell more than either of them says.
            let is_only = matched && self.store.is_only(&source, entity).await?;
            let asks = matched && (!is_only || records.iter().any(holds_ids));
            let count = records.len();
            let mut batch = DirtyBatch {
                entity: Some(entity),
                dirty: records
                    .into_iter()
                    .map(|record| StoredRecord {
                        source: source.clone(),
                        record,
                    })
                    .collect(),
                ..DirtyBatch::default()
            };
            let (known, moved) = self.store.context(batch).await?;
            batch = known;
            moves = moves.or(Some(moved));
            if matched {
                along.said.insert(entity, None);
            }
            let plan =
                if asks || matched && merge::is_expected_elsewhere(&self.rules, &source, entity) {
                    let mut candidates = Vec::new();
                    if asks {
                        (batch, candidates) = self.ask(&source, batch, is_only, along).await?;
                    }
                    let (known, plan, said) = self.identify(batch, candidates).await?;
                    batch = known;
                    along.said.insert(entity, Some(said));
                    Some(plan)
                } else {
                    None
                };
            let new_rows = match &plan {
                Some(plan) => plan.new_rows,
                None => u32::try_from(count).unwrap_or(u32::MAX),
            };
            let first_new = if new_rows == 0 {
                LocalId::NONE
            } else {
                let ids = along.ids.entry(entity).or_default();
                ids.take(&*self.store, entity, new_rows, loading).await?
            };
            let each_new = plan.is_none();
            let rules = Arc::clone(&self.rules);
            let (records, fields, made) = elsewhere(move || {
                let made = match &plan {
                    Some(plan) => merge::combine(&rules, &batch, plan, first_new),
                    None => merge::combine_new(&rules, &batch, first_new),
                };
                let records: Vec<Record> = batch.dirty.into_iter().map(|s| s.record).collect();
                let fields: Vec<Vec<u8>> = records.iter().map(|r| pack(&r.fields)).collect();
                (records, fields, made)
            })
            .await?;
            packed.extend(fields);
            page.records.extend(records);
            merged.push(FreshBatch {
                first_new,
                records: count,
                each_new,
                batch: made,
            });
        }
        Ok(FreshPage {
            page,
            packed,
            merged,
            moves,
            loading,
        })
    }

    /// Which rows the records of a batch may be. Pages that are not stored yet are only waited for where an id leads to them.
    async fn ask(
        &self,
        source: &SourceName,
        batch: DirtyBatch,
        is_only: bool,
        along: &mut Along<'_>,
    ) -> Result<(DirtyBatch, Vec<Candidate>), StoreError> {
        let Some(entity) = batch.entity else {
            return Ok((batch, Vec::new()));
        };
        let (rules, ahead) = (Arc::clone(&self.rules), std::mem::take(&mut along.ahead));
        let (batch, keys, mut ahead, awaited) = elsewhere(move || {
            let keys = if is_only {
                merge::id_keys(&rules, &batch)
            } else {
                merge::keys(&rules, &batch)
            };
            let holds_up = |a: &Ahead| a.holds_up(&rules, entity, &batch);
            let awaited = ahead.iter().rposition(holds_up).map_or(0, |last| last + 1);
            (batch, keys, ahead, awaited)
        })
        .await?;
        for page in ahead.drain(..awaited) {
            let _ = page.stored.await;
        }
        let mut candidates = self.store.candidates(entity, keys).await?;
        for said in ahead.iter().filter_map(|a| a.said.get(&entity)?.as_ref()) {
            said.amend(source, &mut candidates);
        }
        along.ahead = ahead;
        Ok((batch, candidates))
    }

    /// Which rows they are, with what has to be known of those that they join, and what they say to later pages.
    async fn identify(
        &self,
        batch: DirtyBatch,
        candidates: Vec<Candidate>,
    ) -> Result<(DirtyBatch, Plan, Said), StoreError> {
        let rules = Arc::clone(&self.rules);
        let (mut batch, plan, said) = elsewhere(move || {
            let plan = merge::identify(&rules, &batch, &candidates);
            let said = Said::by(&rules, &batch, &plan);
            (batch, plan, said)
        })
        .await?;
        self.add_joined(&mut batch, &plan).await?;
        Ok((batch, plan, said))
    }

    /// `false` when it was told to stop before the last page.
    async fn store_ready(
        &self,
        source: &Arc<Source>,
        stream: &str,
        mut pages: mpsc::Receiver<Ready<'_>>,
        tally: &mut Rows,
    ) -> Result<bool, Stop> {
        let mut unshown = 0;
        while let Some(ready) = pages.recv().await {
            let stats = match ready.page {
                Form::Merged(fresh) => {
                    let fresh = Arc::new(fresh);
                    match self.store.apply_fresh(Arc::clone(&fresh)).await? {
                        Some(stats) => {
                            // Giving back what thousands of records took is work too, and nobody waits for it.
                            tokio::task::spawn_blocking(move || drop(fresh));
                            stats
                        }
                        None => {
                            let page = Arc::unwrap_or_clone(fresh).page;
                            self.apply_known(page, tally).await?
                        }
                    }
                }
                Form::Plain(page) => self.apply_known(page, tally).await?,
            };
            let done = ready.done;
            unshown += tally.add(ready.came, stats);
            let came = tally.came;
            source.change_stream(self, stream, |s| s.progress = Some((came, ready.of)));
            if done {
                return Ok(true);
            }
            if self.is_stopping() || !self.leads() {
                return Ok(false);
            }
            if unshown >= SHOW_AFTER && self.is_unseen() {
                self.settle_facts().await?;
                unshown = 0;
            }
        }
        Ok(false)
    }

    /// Stores a page of which something is here already.
    async fn apply_known(
        &self,
        page: PageWrite,
        tally: &mut Rows,
    ) -> Result<PageStats, StoreError> {
        tally.met_known = true;
        self.store.apply_page(page).await
    }

    /// Nothing of what came was shown for a while.
    fn is_unseen(&self) -> bool {
        let (at, cost) = *self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        at.elapsed() >= SHOWN_AT_LEAST.max(cost * SHARE)
    }

    /// Brings the facts of the accounts up to date that a first load left behind, and tells that there is something new.
    pub(super) async fn settle_facts(&self) -> Result<(), StoreError> {
        let begun = Instant::now();
        let mut changed = 0;
        // Once through: what another source touches behind is brought up to date when that one is shown.
        let spans = self.store.unsettled(SETTLED_AT_ONCE).await?;
        let mut looks = stream::iter(spans)
            .map(|span| self.store.facts(span, self.clock.now()))
            .buffered(LOOKED_AT_ONCE);
        while let Some(facts) = looks.next().await {
            changed += self.store.settle(facts?).await?;
        }
        *self.settled.lock().unwrap_or_else(PoisonError::into_inner) =
            (Instant::now(), begun.elapsed());
        if changed > 0 {
            let seq = self.store.seq().await?;
            self.tell(SyncEvent::Merged { seq, changed });
        }
        Ok(())
    }
}

/// Local ids for a kind of rows. They are set aside ahead, since whoever asks for them while a page is written waits until it is: as many
/// as were taken so far, so that few rows leave few numbers unused, but no more than a page can need.
#[derive(Default)]
struct Ids {
    have: Range<u32>,
    coming: Option<(Answer<LocalId>, u32)>,
    taken: u32,
}

impl Ids {
    /// So many ids that follow each other; the first. `more`: others will be needed soon.
    async fn take(
        &mut self,
        store: &dyn Storage,
        entity: Entity,
        count: u32,
        more: bool,
    ) -> Result<LocalId, StoreError> {
        if self.have.len() < count as usize
            && let Some((coming, ahead)) = self.coming.take()
        {
            self.add(coming.await?, ahead);
        }
        let lacking = count.saturating_sub(self.have.len() as u32);
        if lacking > 0 {
            self.add(store.reserve_ids(entity, lacking).await?, lacking);
        }
        // Somebody else took those that would have followed.
        if self.have.len() < count as usize {
            self.have = Range::default();
            self.add(store.reserve_ids(entity, count).await?, count);
        }
        let first = self.have.start;
        self.have.start += count;
        self.taken = self.taken.saturating_add(count);
        let ahead = self.taken.min(IDS_AHEAD);
        if more && self.coming.is_none() && self.have.len() < ahead as usize {
            self.coming = Some((store.reserve_ids(entity, ahead), ahead));
        }
        Ok(LocalId(first))
    }

    fn add(&mut self, first: LocalId, count: u32) {
        if first.0 != self.have.end {
            self.have.start = first.0;
        }
        self.have.end = first.0.saturating_add(count);
    }
}

/// The next page behind this one.
fn join(page: &mut Page, next: Page) {
    page.records.extend(next.records);
    page.problems.extend(next.problems);
    page.next = next.next;
    page.done = next.done;
    page.total = next.total.or(page.total);
    page.requests += next.requests;
}

/// The records by kind, those first that others refer to, and in the order of their ids: neighbours lie together.
fn by_kind(records: Vec<Record>) -> Vec<(Entity, Vec<Record>)> {
    let mut kinds: Vec<(Entity, Vec<Record>)> = Vec::new();
    for record in records {
        match kinds.iter_mut().find(|(e, _)| *e == record.entity) {
            Some((_, of)) => of.push(record),
            None => kinds.push((record.entity, vec![record])),
        }
    }
    let place = |e: Entity| Entity::ALL.iter().position(|x| *x == e);
    kinds.sort_by_key(|(e, _)| place(*e));
    for (_, of) in &mut kinds {
        if of.len() >= SORTED_FROM {
            of.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        }
    }
    kinds
}

/// Work that takes long, off the threads that only wait. A panic in there would be a mistake of ours; nothing of the page is stored then.
async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        StoreError::NotNow(
            "merging failed unexpectedly; nothing was lost: the next sync tries again".to_owned(),
        )
    })
}
