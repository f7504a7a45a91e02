//! Pulling a source: its streams in order, page by page, each page and its cursor in one transaction.

use super::backoff;
use super::engine::Shared;
use super::source::Source;
use crate::book::{Clock, Cursor, Record, SourceState};
use crate::connect::{ConnectError, Connector, ErrorKind, Page, Stream};
use crate::store::{PageStats, PageWrite, StoreError};
use jiff::Timestamp;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// After so many changed rows of a first load they are merged and shown although the stream goes on.
pub(super) const SHOW_AFTER: u64 = 20_000;
/// The first wait after a failed run, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(15);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// What a run did.
#[derive(Default)]
pub(super) struct Run {
    pub(super) changed: u64,
    pub(super) error: Option<String>,
}

/// Pages that are fetched while the ones before are stored.
const AHEAD: usize = 2;

/// The pages of a stream as they come, or why no more do.
pub(super) type Feed = mpsc::Receiver<Result<Page, Stop>>;

/// What a stream brought so far and what it cost.
#[derive(Default)]
struct Tally {
    rows: Rows,
    cost: Arc<Cost>,
}

/// What became of a stream's rows so far.
#[derive(Default)]
pub(super) struct Rows {
    stats: PageStats,
    /// Rows that changed and were not told of yet.
    changed: u64,
    /// Rows of the vendor: one of them can say several things, a task that is a call is a touchpoint too.
    pub(super) came: u64,
    /// Something of what should have been new was there already.
    pub(super) met_known: bool,
}

impl Rows {
    /// Adds a page of so many of the vendor's rows; how many of its own changed.
    pub(super) fn add(&mut self, came: u64, page: PageStats) -> u64 {
        self.came += came;
        self.stats.add(page);
        let changed = page.inserted + page.changed + page.deleted;
        self.changed += changed;
        changed
    }
}

/// How many rows of the vendor these were made of: what one row says stands together, under its id.
pub(super) fn rows_of(records: &[Record]) -> u64 {
    let same = |a: &Record, b: &Record| a.external_id == b.external_id;
    records.chunk_by(same).count() as u64
}

/// What the pages of a stream cost so far. The one that fetches counts while another stores.
#[derive(Default)]
struct Cost(std::sync::Mutex<Spent>);

#[derive(Clone, Copy, Default)]
struct Spent {
    requests: u64,
    /// Rows that could not be taken and have no name.
    problems: u64,
    newest: Option<Timestamp>,
}

impl Cost {
    fn add(&self, page: &Page) {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spent.requests += u64::from(page.requests);
        // A row that could not be taken but has a name keeps what it was; one without a name could be any.
        let nameless = |p: &&crate::book::RowProblem| p.external_id.is_none();
        spent.problems += page.problems.iter().filter(nameless).count() as u64;
        let newest = page.records.iter().filter_map(|r| r.modified).max();
        spent.newest = spent.newest.max(newest);
    }

    fn of(&self) -> Spent {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a stream ended early.
pub(super) enum Stop {
    Connect(ConnectError),
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(e: StoreError) -> Stop {
        Stop::Store(e)
    }
}

/// A pull that is under way.
struct Pulling<'a>(&'a Shared);

impl Drop for Pulling<'_> {
    fn drop(&mut self) {
        self.0.pulls().0 -= 1;
    }
}

impl Shared {
    /// Logs in once and learns what the source can take. `false` when it should be tried again.
    pub(super) async fn introduce(&self, source: &Arc<Source>) -> bool {
        let Some(connector) = &source.connector else {
            return true;
        };
        match connector.check().await {
            Ok(line) => {
                source.log(self, line);
                self.tell(super::SyncEvent::Capabilities(source.name.clone()));
                true
            }
            Err(e) => {
                // The pull that follows meets the same error and decides what becomes of it.
                source.log(self, e.message);
                false
            }
        }
    }

    /// Pulls every stream of a source once.
    pub(super) async fn pull(&self, source: &Arc<Source>, full: bool) -> Run {
        let _one = source.pulling.lock().await;
        let Some(connector) = &source.connector else {
            return Run {
                changed: 0,
                error: source.status().error,
            };
        };
        let started = self.clock.now();
        source.change(self, |s| s.state = SourceState::Running);
        self.save_status(source).await;
        let requests_before = source.budget(self.clock.today()).ours;
        let mut run = Run::default();
        let mut first: Option<ConnectError> = None;
        let (number, first_load) = match self.begin_run(source, connector, full, started).await {
            Ok(begun) => begun,
            Err(e) => {
                self.trouble(&e);
                self.fail(source, &e.to_string(), None, false).await;
                run.error = Some(e.to_string());
                return run;
            }
        };
        let pulling = self.begin_pull();
        let turn = first_load.then(|| self.take_turn(&source.name));
        let mut in_a_row = 0;
        for stream in connector.streams() {
            if self.is_stopping() || !self.leads() {
                break;
            }
            let result = self
                .pull_stream(source, connector, &stream, number, full, &mut run)
                .await;
            source.change_stream(self, stream.name, |s| s.progress = None);
            let error = match result {
                Ok(()) => {
                    in_a_row = 0;
                    continue;
                }
                Err(Stop::Store(e)) => {
                    self.trouble(&e);
                    run.error = Some(e.to_string());
                    break;
                }
                Err(Stop::Connect(e)) => e,
            };
            in_a_row += 1;
            source.change_stream(self, stream.name, |s| s.error = Some(error.message.clone()));
            source.log(self, format!("{}: {}", stream.name, error.message));
            let hopeless = match &error.kind {
                ErrorKind::Auth | ErrorKind::Budget => true,
                ErrorKind::Retry { after, .. } => after.is_some() || in_a_row >= 2,
                ErrorKind::Setup => in_a_row >= 2,
                _ => false,
            };
            // The error that ends the run is the one to act on; else the first.
            if hopeless || first.is_none() {
                first = Some(error);
            }
            if hopeless {
                break;
            }
        }
        drop((turn, pulling));
        match self.merge_pending().await {
            Ok(_) => {}
            Err(e) => {
                self.trouble(&e);
                run.error.get_or_insert(e.to_string());
            }
        }
        if let Some(e) = &first {
            run.error.get_or_insert(e.message.clone());
        }
        let requests = source
            .budget(self.clock.today())
            .ours
            .saturating_sub(requests_before);
        let now = self.clock.now();
        if let Err(e) = self
            .store
            .finish_run(number, run.changed, requests, run.error.clone(), now)
            .await
        {
            self.trouble(&e);
            run.error.get_or_insert(e.to_string());
        }
        match (&run.error, first.map(|e| e.kind)) {
            (None, _) => self.succeed(source, started, &run, requests).await,
            (Some(message), Some(ErrorKind::Auth)) => self.fail(source, message, None, true).await,
            (Some(message), Some(ErrorKind::Retry { after, .. })) => {
                self.fail(source, message, after, false).await;
            }
            (Some(message), Some(ErrorKind::Budget)) => {
                let wait = self.until(self.tomorrow());
                self.fail(source, message, Some(wait), false).await;
            }
            (Some(message), _) => self.fail(source, message, None, false).await,
        }
        run
    }

    /// Counts a pull for as long as what is returned lives.
    fn begin_pull(&self) -> Pulling<'_> {
        let mut pulls = self.pulls();
        if pulls.0 == 0 {
            pulls.1 = Instant::now();
        }
        pulls.0 += 1;
        Pulling(self)
    }

    /// How many sources are being pulled, and since when at least one is.
    pub(super) fn pulls(&self) -> MutexGuard<'_, (usize, Instant)> {
        self.pulling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run that reads any stream from the beginning takes note of every row that it sees, so that what has gone can be told. The run's
    /// number, and whether nothing at all is here of one of the streams.
    async fn begin_run(
        &self,
        source: &Arc<Source>,
        connector: &Arc<dyn Connector>,
        full: bool,
        now: Timestamp,
    ) -> Result<(i64, bool), StoreError> {
        let (mut full, mut first_load) = (full, false);
        for stream in connector.streams() {
            first_load |= self.store.is_fresh(&source.name, stream.name).await?;
            full |= match self.store.cursor(&source.name, stream.name).await? {
                Some(cursor) => connector.wants_all(stream.name, &cursor),
                None => true,
            };
        }
        self.store.begin_day(self.clock.today()).await?;
        let number = self.store.begin_run(&source.name, full, now).await?;
        Ok((number, first_load))
    }

    async fn pull_stream(
        &self,
        source: &Arc<Source>,
        connector: &Arc<dyn Connector>,
        stream: &Stream,
        run: i64,
        full: bool,
        total: &mut Run,
    ) -> Result<(), Stop> {
        let name = stream.name;
        let mut run = run;
        let mut cursor = if full {
            self.store.reset_stream(&source.name, name).await?;
            None
        } else {
            let stored = self.store.cursor(&source.name, name).await?;
            stored.filter(|cursor| !connector.wants_all(name, cursor))
        };
        // What is complete when it ends may say what has gone; what goes on from a cursor may not.
        let mut complete = cursor.is_none();
        let mut restarted = false;
        let mut tally = Tally::default();
        let fresh = loop {
            let fresh = self.store.is_fresh(&source.name, name).await?;
            let (send, pages) = mpsc::channel(AHEAD);
            // A task of its own: reading a page of thousands of rows would keep others from handing theirs on.
            let mut fetching = JoinSet::new();
            fetching.spawn(fetch_pages(
                Arc::clone(&self.clock),
                Arc::clone(source),
                Arc::clone(connector),
                name,
                cursor,
                Arc::clone(&tally.cost),
                send,
            ));
            let rows = &mut tally.rows;
            let taken = if fresh {
                self.load_pages(source, name, run, pages, rows).await
            } else {
                self.take_pages(source, name, run, pages, rows).await
            };
            fetching.abort_all();
            while let Some(ended) = fetching.join_next().await {
                // A mistake of ours in there is not to look like the end of the stream.
                if let Some(panic) = ended.err().and_then(|e| e.try_into_panic().ok()) {
                    std::panic::resume_unwind(panic);
                }
            }
            total.changed += std::mem::take(&mut tally.rows.changed);
            match taken {
                Ok(true) => break fresh,
                Ok(false) => return Ok(()),
                Err(Stop::Connect(e)) if e.kind == ErrorKind::CursorLost && !restarted => {
                    source.log(self, format!("{name}: {}", e.message));
                    self.store.reset_stream(&source.name, name).await?;
                    run = self
                        .store
                        .begin_run(&source.name, true, self.clock.now())
                        .await?;
                    (cursor, complete, restarted) = (None, true, true);
                }
                Err(e) => return Err(e),
            }
        };
        let (mut stats, cost) = (tally.rows.stats, tally.cost.of());
        let (requests, newest) = (cost.requests, cost.newest);
        // Where nothing was before, nothing can have gone.
        let nothing_before = fresh && !tally.rows.met_known;
        if complete && !stream.apart && cost.problems == 0 && !nothing_before {
            let gone = self.store.sweep(&source.name, name, run).await?;
            total.changed += gone;
            stats.deleted += gone;
            if gone > 0 {
                self.merge_pending().await?;
            }
        }
        let now = self.clock.now();
        if restarted {
            self.store
                .finish_run(
                    run,
                    stats.inserted + stats.changed + stats.deleted,
                    requests,
                    None,
                    now,
                )
                .await?;
        }
        if fresh {
            // The next streams may take long: what this one brought is not said to be nothing meanwhile.
            self.refresh_counts(source).await;
        }
        source.change_stream(self, name, |s| {
            s.error = None;
            s.changed = stats.inserted + stats.changed + stats.deleted;
            s.requests = requests;
            s.last_success = Some(now);
            // How old the newest change was when it came; without one nothing was missing.
            s.lag = Some(match newest {
                Some(t) if stats.any() => now.duration_since(t).as_secs().max(0),
                _ => 0,
            });
        });
        Ok(())
    }

    /// Stores the pages as they come; `false` when it was told to stop before the last.
    async fn take_pages(
        &self,
        source: &Arc<Source>,
        stream: &str,
        run: i64,
        mut pages: Feed,
        tally: &mut Rows,
    ) -> Result<bool, Stop> {
        let mut unmerged = 0;
        while let Some(page) = pages.recv().await {
            let page = page?;
            let (done, of) = (page.done, page.total);
            let came = rows_of(&page.records);
            let stats = self
                .store
                .apply_page(PageWrite {
                    source: source.name.clone(),
                    stream: stream.to_owned(),
                    records: page.records,
                    problems: page.problems,
                    next: page.next,
                    run,
                    now: self.clock.now(),
                })
                .await?;
            unmerged += tally.add(came, stats);
            let came = tally.came;
            source.change_stream(self, stream, |s| s.progress = Some((came, of)));
            if unmerged >= SHOW_AFTER {
                self.merge_pending().await?;
                unmerged = 0;
            }
            if done {
                if unmerged > 0 {
                    self.merge_pending().await?;
                }
                return Ok(true);
            }
            if self.is_stopping() || !self.leads() {
                return Ok(false);
            }
        }
        Ok(false)
    }

    async fn succeed(&self, source: &Arc<Source>, started: Timestamp, run: &Run, requests: u64) {
        source.failures.store(0, Ordering::SeqCst);
        let now = self.clock.now();
        let seconds = now.duration_since(started).as_secs_f64();
        source.log(
            self,
            format!(
                "synced in {seconds:.1} s: {} rows changed, {requests} requests",
                run.changed
            ),
        );
        source.change(self, |s| {
            s.state = SourceState::Idle;
            s.error = None;
            s.last_success = Some(now);
        });
        let next = source.next_run(now);
        source.change(self, |s| s.next_run = next);
        self.refresh_counts(source).await;
        self.save_status(source).await;
    }

    async fn fail(
        &self,
        source: &Arc<Source>,
        message: &str,
        asked: Option<Duration>,
        stopped: bool,
    ) {
        let failures = source.failures.fetch_add(1, Ordering::SeqCst) + 1;
        let failures = u32::try_from(failures).unwrap_or(u32::MAX);
        let wait = backoff::wait(failures, FIRST_WAIT.min(source.every), LONGEST_WAIT, asked);
        let next = (!stopped).then(|| self.after(wait));
        source.change(self, |s| {
            s.state = if stopped {
                SourceState::Stopped
            } else {
                SourceState::Failing
            };
            s.error = Some(message.to_owned());
            s.next_run = next;
        });
        self.refresh_counts(source).await;
        self.save_status(source).await;
    }

    /// Row counts and problems as the store has them.
    async fn refresh_counts(&self, source: &Arc<Source>) {
        let stored = match self.store.source_statuses().await {
            Ok(stored) => stored,
            Err(e) => return self.trouble(&e),
        };
        let Some(stored) = stored
            .into_iter()
            .find(|s| s.source.as_ref() == Some(&source.name))
        else {
            return;
        };
        source.change(self, |s| {
            for own in &mut s.streams {
                if let Some(theirs) = stored.streams.iter().find(|t| t.stream == own.stream) {
                    own.rows = theirs.rows;
                    own.problems = theirs.problems;
                }
            }
        });
    }

    pub(super) async fn save_status(&self, source: &Arc<Source>) {
        let mut status = source.status();
        if status.state == SourceState::Elsewhere {
            return;
        }
        status.budget = source.budget(self.clock.today());
        if let Err(e) = self.store.save_source_status(status).await {
            self.trouble(&e);
        }
    }

    fn tomorrow(&self) -> Timestamp {
        self.clock
            .today()
            .tomorrow()
            .and_then(|d| d.to_zoned(self.clock.zone()))
            .map_or_else(
                |_| self.after(Duration::from_secs(3_600)),
                |z| z.timestamp(),
            )
    }
}

/// Asks for the pages one after the other, ahead of whoever takes them.
async fn fetch_pages(
    clock: Arc<dyn Clock>,
    source: Arc<Source>,
    connector: Arc<dyn Connector>,
    stream: &'static str,
    mut cursor: Option<Cursor>,
    cost: Arc<Cost>,
    pages: mpsc::Sender<Result<Page, Stop>>,
) {
    loop {
        let page = if source.is_spent(clock.today()) {
            Err(ConnectError {
                kind: ErrorKind::Budget,
                message: format!(
                    "{}: today's promise of requests is used up (daily_requests); it goes on tomorrow, or raise the promise in config.toml",
                    source.name
                ),
            })
        } else {
            connector.fetch(stream, cursor.as_ref()).await
        };
        let page = match page {
            Ok(page) if !page.done && Some(&page.next) == cursor.as_ref() => {
                Err(repeated(&source, stream))
            }
            other => other,
        };
        let next = page
            .as_ref()
            .ok()
            .filter(|p| !p.done)
            .map(|p| p.next.clone());
        if let Ok(page) = &page {
            cost.add(page);
        }
        if pages.send(page.map_err(Stop::Connect)).await.is_err() || next.is_none() {
            return;
        }
        cursor = next;
    }
}

fn repeated(source: &Source, stream: &str) -> ConnectError {
    ConnectError {
        kind: ErrorKind::Protocol,
        message: format!(
            "{}: {stream}: the vendor sent the same page again and again; stopped there. What came before is stored; the next run tries again",
            source.name
        ),
    }
}
