//! The first picture: from the screen cache at once, from the database as soon as it is read.

use super::super::snapshot::{Loading, Snapshot, Sums};
use super::super::view::compute;
use super::cache;
use super::{Core, Event, Level};
use crate::book::{Book, Clock, Derived, History, OutboxItem, Overlay};
use crate::command::Me;
use crate::config::Settings;
use crate::insight::health::Bands;
use crate::insight::{Since, settle};
use crate::store::StoreError;
use jiff::civil::Date;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::{JoinError, JoinHandle};

/// What is read before the first full picture.
pub(super) struct Loaded {
    book: Book,
    derived: Derived,
    overlay: Overlay,
    outbox: Vec<OutboxItem>,
}

/// How many finished outbox items are shown.
pub(super) const RECENT: usize = 200;

/// The picture before anything is read: the cached one if there is one, else an empty one that says that it is loading.
pub(in super::super) fn first_snapshot(
    settings: &Settings,
    clock: &dyn Clock,
    db: &Path,
    problems: Vec<String>,
) -> Snapshot {
    let mut s = Snapshot {
        now: clock.now(),
        today: clock.today(),
        zone: clock.zone(),
        calendar: calendar_of(settings),
        settings: Arc::new(super::super::meaning::settings_of(settings)),
        triage: Arc::new(settings.triage.clone()),
        book: empty_book(settings, clock.today()),
        me: Me {
            name: settings.me.email.clone().unwrap_or_else(super::login_name),
            person: None,
        },
        loading: Some(Loading::default()),
        read_only: settings.read_only,
        problems: Arc::new(problems),
        ..Snapshot::default()
    };
    cache::read(db, settings, &mut s);
    s
}

/// A Book that knows how to count money and nothing else.
pub(super) fn empty_book(settings: &Settings, today: Date) -> Book {
    let reporting = &settings.money.reporting_currency;
    let rates = super::super::meaning::rates_of(settings);
    Book::empty().with_money(reporting, &rates, Some(today))
}

pub(super) fn calendar_of(settings: &Settings) -> crate::book::calendar::Calendar {
    crate::book::calendar::Calendar {
        fiscal_month: settings.calendar.fiscal_year_start.0,
        sunday_first: settings.calendar.week_start == jiff::civil::Weekday::Sunday,
    }
}

impl Core {
    /// Begins to read the Book.
    pub(super) fn begin_load(&self) -> JoinHandle<Result<Loaded, StoreError>> {
        let (storage, shared) = (self.storage.clone(), self.shared.clone());
        let snapshot = self.snapshot();
        let (empty, today, figures) = (
            empty_book(&self.settings, self.day),
            self.day,
            snapshot.settings.clone(),
        );
        tokio::spawn(async move {
            // The outbox is read before the rows: an item that is confirmed in between lies over a row that says the same.
            let outbox = storage.outbox(RECENT).await?;
            let overlay = overlay_of(&outbox);
            let book = Arc::new(Mutex::new(empty));
            let (into, over) = (book.clone(), overlay.clone());
            let mut rows = 0_u64;
            let sink = move |delta: crate::book::RowDelta| {
                rows += (delta.accounts.len()
                    + delta.renewals.len()
                    + delta.tasks.len()
                    + delta.escalations.len()
                    + delta.subscriptions.len()
                    + delta.movements.len()) as u64;
                into.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(delta, &over);
                shared.snapshot.rcu(|s| {
                    let mut next = Snapshot::clone(s);
                    next.loading = Some(Loading { rows });
                    next
                });
                let _ = shared.events.send(Event::SnapshotChanged);
            };
            let seq = storage.load_all(Box::new(sink)).await?;
            let book = std::mem::take(&mut *book.lock().unwrap_or_else(PoisonError::into_inner))
                .at_seq(seq);
            // Without them each score shows the band that it has by itself.
            let kept = storage.screen_cache(super::cache::BANDS).await;
            let bands = kept.ok().flatten().and_then(|b| Bands::of_bytes(&b));
            let made = tokio::task::spawn_blocking(move || {
                let since = bands.as_ref().map_or(Since::Nothing, Since::Kept);
                settle(book, since, today, &figures)
            });
            let (book, derived) = made.await.map_err(|_| StoreError::Closed)?;
            Ok(Loaded {
                book,
                derived,
                overlay,
                outbox,
            })
        })
    }

    /// The Book is there, or it is said why not.
    pub(super) async fn end_load(&mut self, result: Result<Result<Loaded, StoreError>, JoinError>) {
        let loaded = match result {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(e)) => return self.load_failed(e.to_string()),
            Err(_) => return self.load_failed("the book could not be read: restart csops".into()),
        };
        self.loaded = true;
        self.overlay = loaded.overlay;
        let me = self.me(&loaded.book);
        let last_visit = self.storage.last_visit(&me.name).await.ok().flatten();
        let drafts = self.storage.drafts().await.unwrap_or_default();
        let operations = self
            .storage
            .operations(super::history::KEPT)
            .await
            .unwrap_or_default();
        let unmatched = self
            .storage
            .unmatched(super::refresh::UNMATCHED)
            .await
            .unwrap_or_default();
        let figures = self.storage.figures().await.unwrap_or_default();
        let written = self.storage.last_day().await.ok().flatten();
        let figures_due = written == Some(self.day) && figures.iter().all(|f| f.day != self.day);
        let history = History::new(figures, &self.settings.money.reporting_currency);
        let forecasts = self.storage.forecasts().await.unwrap_or_default();
        let outbox = newest_first(loaded.outbox);
        // Row numbers of the cached picture mean nothing in the Book: its lists are made before it is shown.
        let mut next = Snapshot::clone(&self.snapshot());
        next.epoch += 1;
        next.generation += 1;
        next.book = loaded.book;
        next.derived = loaded.derived;
        next.me = me;
        let wanted = self.shared.wanted.all();
        let lists = tokio::task::spawn_blocking(move || {
            Sums::without_retention(&next).enter(&mut next);
            let views: Vec<_> = wanted
                .into_iter()
                .map(|(slot, spec)| (slot, Arc::new(compute(&next, &spec, None))))
                .collect();
            (next, views)
        });
        let Ok((next, views)) = lists.await else {
            return self.load_failed("the lists could not be made: restart csops".into());
        };
        self.shared.views().extend(views);
        self.publish(true, |s| {
            s.epoch = next.epoch;
            s.book = next.book;
            s.derived = next.derived;
            s.me = next.me;
            s.all = next.all;
            s.mine = next.mine;
            s.segments = next.segments;
            s.from_cache = None;
            s.outbox = Arc::new(outbox);
            s.drafts = Arc::new(drafts);
            s.operations = Arc::new(operations);
            s.unmatched = Arc::new(unmatched);
            s.book = s.book.clone().with_unmatched(s.unmatched.clone());
            s.last_visit = last_visit;
            s.history = Arc::new(history);
            s.forecasts = Arc::new(forecasts);
            s.loading = None;
        });
        self.cache_stale = true;
        self.forecasts_stale = true;
        if figures_due {
            // A command that only reads ends as soon as the Book is there.
            self.keep_figures().await;
        }
        self.shared.ready.send_replace(Some(Ok(())));
        self.sources.begin();
        // Something may have been written since the load began.
        self.refresh(&[]).await;
        if self.sources.in_background() {
            self.count();
            self.begin_day().await;
            self.write_cache().await;
            self.keep_figures().await;
        }
    }

    fn load_failed(&mut self, why: String) {
        let text = why.clone();
        self.publish(false, |s| {
            s.loading = None;
            s.failed = Some(text);
        });
        let _ = self
            .shared
            .events
            .send(Event::Message(Level::Bad, why.clone()));
        self.shared.ready.send_replace(Some(Err(why.clone())));
        for request in std::mem::take(&mut self.waiting) {
            request.refuse(super::CommandError::Store(why.clone()));
        }
    }
}

/// The overlay of the outbox, oldest change first.
pub(super) fn overlay_of(outbox: &[OutboxItem]) -> Overlay {
    let mut pending: Vec<&OutboxItem> = outbox.iter().filter(|i| i.state.is_pending()).collect();
    pending.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    Overlay::of(pending)
}

pub(super) fn newest_first(mut outbox: Vec<OutboxItem>) -> Vec<OutboxItem> {
    // What needs a person or is on its way stands before what is finished.
    outbox.sort_by(|a, b| {
        (a.state.is_pending(), a.created, &a.id)
            .cmp(&(b.state.is_pending(), b.created, &b.id))
            .reverse()
    });
    outbox
}
