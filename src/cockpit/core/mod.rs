//! What stands behind the handle: one task that owns the Book's next version, runs commands one after the other, and publishes snapshots.
//!
//! `load` reads the Book (the screen cache first), `refresh` brings it up to date after a command or a sync, `commands` plans and commits,
//! `history` undoes and redoes, `forecast` keeps the week's forecasts, `cache` keeps the first picture of the next start. Heavy steps run on
//! blocking threads.

mod cache;
mod commands;
mod forecast;
mod history;
mod load;
mod past;
mod refresh;

use super::event::{CommandError, Event, Level};
use super::handle::{Request, Shared};
use super::snapshot::{Snapshot, Sums};
use super::sources::Sources;
use crate::book::{Clock, DayFigures, Operation, Overlay};
use crate::command::Me;
use crate::config::Settings;
use crate::insight::day_figures;
use crate::store::{Storage, StoreError};
use jiff::civil::Date;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

pub(super) use commands::written_in_the_past;
pub(super) use load::first_snapshot;

/// The lifetime of everything behind the handle.
pub(super) struct Core {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Arc<Settings>,
    pub(super) shared: Arc<Shared>,
    pub(super) sources: Sources,
    overlay: Overlay,
    /// What was taken back and can be done again, newest last.
    redo: Vec<Operation>,
    day: Date,
    loaded: bool,
    /// Commands that came before the Book was there.
    waiting: Vec<Request>,
    sums: Option<JoinHandle<Sums>>,
    sums_stale: bool,
    detail: Option<JoinHandle<()>>,
    cached: Option<Instant>,
    cache_stale: bool,
    /// Rows changed since the Book was read.
    rows_changed: bool,
    /// An earlier day that is being put together, to be shown.
    past: Option<past::Reading>,
    /// The figures of today as they were kept last.
    figures: Vec<DayFigures>,
    /// The day that the store was told to begin last.
    begun: Option<Date>,
    /// Today's forecasts are being kept.
    keeping: Option<JoinHandle<()>>,
    kept: Option<Instant>,
    /// Figures changed since they were kept.
    forecasts_stale: bool,
}

/// How often the store is asked whether another process wrote.
const LOOK_AROUND: Duration = Duration::from_secs(1);
/// The screen cache is not written more often than this.
const CACHE_EVERY: Duration = Duration::from_secs(20);

impl Core {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        settings: Arc<Settings>,
        shared: Arc<Shared>,
        sources: Sources,
    ) -> Core {
        Core {
            day: clock.today(),
            storage,
            clock,
            settings,
            shared,
            sources,
            overlay: Overlay::default(),
            redo: Vec::new(),
            loaded: false,
            waiting: Vec::new(),
            sums: None,
            sums_stale: false,
            detail: None,
            cached: None,
            cache_stale: false,
            rows_changed: false,
            past: None,
            figures: Vec::new(),
            begun: None,
            keeping: None,
            kept: None,
            forecasts_stale: false,
        }
    }

    /// Runs until it is told to close or every handle is gone.
    pub(super) async fn run(mut self, mut requests: UnboundedReceiver<Request>) {
        let mut loading = self.begin_load();
        // Where writes go stands in the configuration; what the sources can take follows when they are open.
        let homes = self.sources.homes(&self.settings);
        self.publish(false, |s| s.homes = homes.into());
        let mut look = tokio::time::interval(LOOK_AROUND);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut done = None;
        loop {
            tokio::select! {
                result = &mut loading, if !self.loaded && self.snapshot().failed.is_none() => {
                    self.end_load(result).await;
                    for request in std::mem::take(&mut self.waiting) {
                        self.serve(request).await;
                    }
                }
                request = requests.recv() => match request {
                    None => break,
                    Some(Request::Close(answer)) => {
                        done = Some(answer);
                        break;
                    }
                    Some(request) if !self.loaded && request.needs_book() => match self.snapshot().failed.clone() {
                        Some(why) => request.refuse(CommandError::Store(why)),
                        None => self.waiting.push(request),
                    },
                    Some(request) => self.serve(request).await,
                },
                news = self.sources.news() => self.sources_news(news).await,
                sums = finished(&mut self.sums), if self.sums.is_some() => self.sums_ready(sums),
                past = finished(&mut self.past), if self.past.is_some() => self.past_ready(past).await,
                _ = look.tick() => self.look_around().await,
            }
        }
        self.close().await;
        if let Some(answer) = done {
            let _ = answer.send(());
        }
    }

    async fn serve(&mut self, request: Request) {
        match request {
            Request::Run {
                command,
                selection,
                confirmed,
                headless,
                dry,
                answer,
            } => {
                let result = self
                    .command(&command, &selection, confirmed, headless, dry)
                    .await;
                let _ = answer.send(result);
            }
            Request::Refresh(answer) => {
                self.sources_news(super::sources::News {
                    rows: true,
                    ..super::sources::News::default()
                })
                .await;
                // Headless readers want the figures, too.
                if let Some(sums) = self.sums.take() {
                    let sums = sums.await.ok();
                    self.sums_ready(sums);
                }
                let _ = answer.send(());
            }
            Request::AsOf(day, answer) => {
                let reading = self.read_past(day);
                tokio::spawn(async move {
                    let read = reading.await.unwrap_or(Err(CommandError::Closing));
                    let _ = answer.send(read);
                });
            }
            Request::Detail(account) => self.read_detail(account),
            Request::SaveDraft(draft) => {
                let saved = self.storage.put_draft(draft).await;
                self.report(saved);
                self.read_drafts().await;
            }
            Request::DropDraft(key) => {
                let gone = self.storage.delete_draft(&key).await;
                self.report(gone);
                self.read_drafts().await;
            }
            Request::Seen => {
                let (who, now) = (self.snapshot().me.name.clone(), self.clock.now());
                let marked = self.storage.mark_visit(&who, now).await;
                self.report(marked);
            }
            Request::Close(answer) => {
                let _ = answer.send(());
            }
        }
    }

    /// The picture that is shown.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// Publishes the next picture. `lists`: row numbers or their order may have changed.
    pub(super) fn publish(&self, lists: bool, change: impl FnOnce(&mut Snapshot)) {
        let mut next = Snapshot::clone(&self.shared.snapshot.load());
        next.generation += u64::from(lists);
        next.now = self.clock.now();
        change(&mut next);
        self.shared.snapshot.store(Arc::new(next));
        self.shared.renew(lists);
        let _ = self.shared.events.send(Event::SnapshotChanged);
    }

    /// Tells the person of a failure of the database.
    pub(super) fn report<T>(&self, result: Result<T, StoreError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(e) => {
                tracing::warn!(error = %e, "the database did not do it");
                let _ = self
                    .shared
                    .events
                    .send(Event::Message(Level::Bad, e.to_string()));
                None
            }
        }
    }

    /// Has the account page's rows read; the one asked for before is forgotten.
    fn read_detail(&mut self, account: crate::book::LocalId) {
        if let Some(before) = self.detail.take() {
            before.abort();
        }
        let (storage, shared) = (self.storage.clone(), self.shared.clone());
        self.detail = Some(tokio::spawn(async move {
            match storage.detail(account).await {
                Ok(Some(detail)) => {
                    shared.detail.store(Some(Arc::new((account, detail))));
                    let _ = shared.events.send(Event::DetailReady(account));
                }
                Ok(None) => {
                    let text = "this account is no longer there".to_owned();
                    let _ = shared.events.send(Event::Message(Level::Info, text));
                }
                Err(e) => {
                    let _ = shared
                        .events
                        .send(Event::Message(Level::Bad, e.to_string()));
                }
            }
        }));
    }

    async fn read_drafts(&mut self) {
        let drafts = self.storage.drafts().await;
        if let Some(drafts) = self.report(drafts) {
            self.publish(false, |s| s.drafts = Arc::new(drafts));
        }
    }

    /// Another process may have written, and a new day may have begun.
    async fn look_around(&mut self) {
        if !self.loaded {
            return;
        }
        let today = self.clock.today();
        if today != self.day {
            self.day = today;
            self.refresh_all().await;
            if self.sources.in_background() {
                self.begin_day().await;
            }
        } else if self.storage.changed_elsewhere().await.unwrap_or(false) {
            self.sources.merge_left();
            self.refresh(&[]).await;
        }
        if self.cache_is_due() {
            self.write_cache().await;
            self.keep_figures().await;
        }
        if self.sources.in_background() && self.forecasts_are_due() {
            self.keep_forecasts();
        }
    }

    /// Tells the store which day it is, before something is written.
    pub(super) async fn begin_day(&mut self) {
        let today = self.clock.today();
        if self.begun != Some(today) {
            let begun = self.storage.begin_day(today).await;
            if self.report(begun).is_some() {
                self.begun = Some(today);
            }
        }
    }

    /// Keeps the figures of today, if they are others than those kept.
    async fn keep_figures(&mut self) {
        let (snapshot, today) = (self.snapshot(), self.day);
        let made = tokio::task::spawn_blocking(move || {
            day_figures(&snapshot.book, &snapshot.derived, today)
        });
        let Ok(figures) = made.await else { return };
        if figures == self.figures || figures.is_empty() {
            return;
        }
        let kept = self.storage.put_figures(figures.clone()).await;
        if self.report(kept).is_none() {
            return;
        }
        // Pages show them: those on the screen are made anew.
        self.publish(true, |s| {
            let history = Arc::make_mut(&mut s.history);
            figures.iter().cloned().for_each(|f| history.enter(f));
        });
        self.figures = figures;
    }

    /// Has the figures computed that cost a walk over the Book; a walk under way is followed by another one.
    pub(super) fn count(&mut self) {
        if self.sums.is_some() {
            self.sums_stale = true;
            return;
        }
        let snapshot = self.snapshot();
        self.sums_stale = false;
        self.sums = Some(tokio::task::spawn_blocking(move || Sums::of(&snapshot)));
    }

    fn sums_ready(&mut self, sums: Option<Sums>) {
        self.sums = None;
        if let Some(sums) = sums {
            self.publish(false, |s| sums.enter(s));
            self.cache_stale = true;
            self.forecasts_stale = true;
        }
        if self.sums_stale {
            self.count();
        }
    }

    async fn close(&mut self) {
        if let Some(detail) = self.detail.take() {
            detail.abort();
        }
        if let Some(past) = self.past.take() {
            past.abort();
        }
        let flushed = self.storage.flush_grace(self.clock.now()).await;
        self.report(flushed);
        self.sources.close().await;
        self.finish_forecasts().await;
        if self.loaded && (self.sources.in_background() || self.rows_changed) {
            self.write_cache().await;
            self.keep_figures().await;
        }
        self.shared.stop_threads();
        let closed = self.storage.close().await;
        self.report(closed);
    }

    /// Who sits here, as the Book knows them.
    pub(super) fn me(&self, book: &crate::book::Book) -> Me {
        let name = self.settings.me.email.clone().unwrap_or_else(login_name);
        let person = self.settings.me.email.as_deref().and_then(|mail| {
            book.people()
                .find(|p| p.email().is_some_and(|e| e.eq_ignore_ascii_case(mail)))
                .map(|p| p.id())
        });
        Me { name, person }
    }
}

/// The name under which somebody is logged in, when `[me]` says nothing.
fn login_name() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|v| std::env::var(v).ok().filter(|n| !n.is_empty()))
        .unwrap_or_else(|| "me".to_owned())
}

async fn finished<T>(task: &mut Option<JoinHandle<T>>) -> Option<T> {
    match task {
        Some(task) => task.await.ok(),
        None => std::future::pending().await,
    }
}
