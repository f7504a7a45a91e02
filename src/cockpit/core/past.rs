//! An earlier day as it was known then: a Book of that day, put together beside the one of today and computed as that one is.

use super::super::event::{CommandError, Event, Level, Outcome};
use super::super::snapshot::{PastDay, Snapshot, Sums};
use super::super::view::compute;
use super::Core;
use super::load::empty_book;
use crate::book::{Overlay, RowDelta};
use crate::config::Settings;
use crate::insight::{Since, settle};
use crate::store::Storage;
use jiff::civil::Date;
use std::sync::{Arc, Mutex, PoisonError};

/// What a picture of an earlier day holds of today, in words.
const AS_TODAY: &[&str] = &[
    "usage, tickets, contacts and touches are counted by their own dates; when health was computed and next steps are not kept",
    "rules, thresholds and the configured rates are today's; what waited to be sent on that day is not in it",
];

/// Puts the picture of a day together.
async fn read(
    storage: Arc<dyn Storage>,
    settings: Arc<Settings>,
    present: Arc<Snapshot>,
    day: Date,
) -> Result<PastDay, CommandError> {
    if day > present.today {
        return Err(CommandError::Refused(format!(
            "{day} has not come yet: an earlier day can be looked at"
        )));
    }
    let book = Arc::new(Mutex::new(empty_book(&settings, day)));
    let into = book.clone();
    let sink = move |delta: RowDelta| {
        into.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(delta, &Overlay::default());
    };
    let past = storage
        .load_as_of(day, Box::new(sink))
        .await
        .map_err(|e| CommandError::Refused(e.to_string()))?;
    let book = std::mem::take(&mut *book.lock().unwrap_or_else(PoisonError::into_inner));
    let mut notes = Vec::new();
    if past.known < day {
        notes.push(format!(
            "nothing was read between {} and {day}: this is what was known on {}",
            past.known, past.known
        ));
    }
    notes.extend(AS_TODAY.iter().map(|n| (*n).to_owned()));
    let made = tokio::task::spawn_blocking(move || {
        let mut s = Snapshot::clone(&present);
        s.past = None;
        s.last_visit = None;
        Arc::make_mut(&mut s.forecasts).retain(|f| f.taken <= day);
        s.today = day;
        s.now = day
            .tomorrow()
            .ok()
            .and_then(|d| d.to_zoned(s.zone.clone()).ok())
            .map_or(s.now, |z| z.timestamp().min(s.now));
        (s.book, s.derived) = settle(book, Since::Nothing, day, &s.settings);
        Sums::of(&s).enter(&mut s);
        s
    });
    let snapshot = made
        .await
        .map_err(|_| CommandError::Refused(format!("{day} could not be put together")))?;
    Ok(PastDay {
        snapshot: Arc::new(snapshot),
        since: past.first,
        known: past.known,
        notes,
    })
}

/// A picture that is being put together.
pub(super) type Reading = tokio::task::JoinHandle<Result<PastDay, CommandError>>;

impl Core {
    /// Begins to put the picture of a day together.
    pub(super) fn read_past(&self, day: Date) -> Reading {
        tokio::spawn(read(
            self.storage.clone(),
            self.settings.clone(),
            self.snapshot(),
            day,
        ))
    }

    /// Shows an earlier day, or today again.
    pub(super) async fn show_day(&mut self, day: Option<Date>) -> Outcome {
        if let Some(before) = self.past.take() {
            before.abort();
        }
        let summary = match day.filter(|d| *d < self.snapshot().today) {
            Some(day) => {
                self.past = Some(self.read_past(day));
                // What is shown, and what of it is not as it was, is said when it is there.
                String::new()
            }
            None => {
                self.enter_day(None).await;
                "this is today".to_owned()
            }
        };
        Outcome {
            summary,
            operation: None,
            effect: None,
            items: 0,
        }
    }

    /// The picture of a day is ready, or it is said why there is none.
    pub(super) async fn past_ready(&mut self, read: Option<Result<PastDay, CommandError>>) {
        self.past = None;
        match read {
            Some(Ok(past)) => {
                let note = past.notes.first().cloned().unwrap_or_default();
                let text = format!("as known on {}: {note}", past.snapshot.today);
                self.enter_day(Some(Arc::new(past))).await;
                let _ = self.shared.events.send(Event::Message(Level::Info, text));
            }
            Some(Err(e)) => {
                let _ = self
                    .shared
                    .events
                    .send(Event::Message(Level::Bad, e.to_string()));
            }
            None => {}
        }
    }

    /// Row numbers of one day mean nothing on another: the lists are made before the day is shown.
    async fn enter_day(&mut self, past: Option<Arc<PastDay>>) {
        let mut next = Snapshot::clone(&self.snapshot());
        if past.is_none() && next.past.is_none() {
            return;
        }
        next.epoch += 1;
        next.generation += 1;
        next.past = past;
        let wanted = self.shared.wanted.all();
        let made = tokio::task::spawn_blocking(move || {
            let views: Vec<_> = wanted
                .into_iter()
                .map(|(slot, spec)| (slot, Arc::new(compute(&next, &spec, None))))
                .collect();
            (next, views)
        });
        let Ok((next, views)) = made.await else {
            return;
        };
        self.shared.views().extend(views);
        self.publish(true, |s| {
            s.epoch = next.epoch;
            s.past = next.past;
        });
    }
}
