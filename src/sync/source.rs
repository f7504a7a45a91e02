//! One source as the engine sees it: its connector, its status, its switch, its wishes.

use super::engine::{Shared, SourceSetup, SyncEvent};
use crate::book::{Budget, SourceName, SourceState, SourceStatus, StreamStatus};
use crate::connect::Connector;
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Log lines kept per source.
const LOG: usize = 50;

pub(super) struct Source {
    pub(super) name: SourceName,
    pub(super) connector: Option<Arc<dyn Connector>>,
    pub(super) every: Duration,
    pub(super) daily_requests: Option<u64>,
    read_only: AtomicBool,
    status: Mutex<SourceStatus>,
    /// A person wants it pulled now.
    pub(super) wanted: Notify,
    /// … and from the beginning.
    pub(super) full: AtomicBool,
    /// Failed runs in a row.
    pub(super) failures: AtomicU64,
    /// It is pulled by one task at a time.
    pub(super) pulling: tokio::sync::Mutex<()>,
    /// Requests of earlier processes today, so that the day's promise survives a restart; and the connector's count when the day began.
    day: Mutex<Day>,
}

#[derive(Default)]
struct Day {
    date: Option<jiff::civil::Date>,
    carried: u64,
    began_at: u64,
}

impl Source {
    pub(super) fn new(setup: SourceSetup) -> Source {
        let (connector, error) = match setup.connector {
            Ok(c) => (Some(c), None),
            Err(e) => (None, Some(e)),
        };
        let status = SourceStatus {
            source: Some(setup.name.clone()),
            connector: setup.kind,
            base_url: setup.base_url,
            state: if error.is_some() {
                SourceState::Stopped
            } else {
                SourceState::New
            },
            error,
            read_only: setup.read_only,
            streams: connector
                .iter()
                .flat_map(|c| c.streams())
                .map(|s| StreamStatus {
                    stream: s.name.to_owned(),
                    ..StreamStatus::default()
                })
                .collect(),
            ..SourceStatus::default()
        };
        Source {
            name: setup.name,
            connector,
            every: setup.every,
            daily_requests: setup.daily_requests,
            read_only: AtomicBool::new(setup.read_only),
            status: Mutex::new(status),
            wanted: Notify::new(),
            full: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            pulling: tokio::sync::Mutex::new(()),
            day: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, SourceStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> SourceStatus {
        self.lock().clone()
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.read_only.load(Ordering::SeqCst)
    }

    pub(super) fn set_read_only(&self, shared: &Shared, on: bool) {
        self.read_only.store(on, Ordering::SeqCst);
        self.change(shared, |s| s.read_only = on);
    }

    /// Changes the status; tells when it is another than before.
    pub(super) fn change(&self, shared: &Shared, f: impl FnOnce(&mut SourceStatus)) {
        let changed = {
            let mut status = self.lock();
            let before = status.clone();
            f(&mut status);
            *status != before
        };
        if changed {
            shared.tell(SyncEvent::Status(self.name.clone()));
        }
    }

    /// Changes one stream's status.
    pub(super) fn change_stream(
        &self,
        shared: &Shared,
        stream: &str,
        f: impl FnOnce(&mut StreamStatus),
    ) {
        self.change(shared, |s| {
            let at = match s.streams.iter().position(|t| t.stream == stream) {
                Some(at) => at,
                None => {
                    s.streams.push(StreamStatus {
                        stream: stream.to_owned(),
                        ..StreamStatus::default()
                    });
                    s.streams.len() - 1
                }
            };
            f(&mut s.streams[at]);
        });
    }

    pub(super) fn log(&self, shared: &Shared, line: String) {
        tracing::info!(
            source = &*self.name,
            "{}",
            crate::book::text::visible(&line)
        );
        let now = shared.clock.now();
        self.change(shared, |s| {
            s.log.push((now, line));
            if s.log.len() > LOG {
                s.log.drain(..s.log.len() - LOG);
            }
        });
    }

    /// Takes over what an earlier process wrote down, without what only that process could know.
    pub(super) fn restore(
        &self,
        stored: &SourceStatus,
        today: jiff::civil::Date,
        zone: &jiff::tz::TimeZone,
    ) {
        let mut status = self.lock();
        status.last_success = stored.last_success;
        status.next_run = stored.next_run;
        status.log.clone_from(&stored.log);
        if status.state == SourceState::New {
            match stored.state {
                // A person may have put right what stopped it: it is tried once more.
                SourceState::Stopped => {
                    status.state = SourceState::Failing;
                    status.next_run = None;
                    status.error.clone_from(&stored.error);
                }
                SourceState::Failing => {
                    status.state = SourceState::Failing;
                    status.error.clone_from(&stored.error);
                }
                _ if stored.last_success.is_some() => status.state = SourceState::Idle,
                _ => {}
            }
        }
        for theirs in &stored.streams {
            let mut theirs = theirs.clone();
            theirs.progress = None;
            match status
                .streams
                .iter_mut()
                .find(|s| s.stream == theirs.stream)
            {
                Some(own) => *own = theirs,
                None if theirs.rows > 0 => status.streams.push(theirs),
                None => {}
            }
        }
        let last = status.log.last().map(|(t, _)| *t);
        if last.is_some_and(|t| t.to_zoned(zone.clone()).date() == today) {
            let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
            if day.date.is_none() {
                day.date = Some(today);
                day.carried = stored.budget.ours;
            }
            status.budget.ours = status.budget.ours.max(stored.budget.ours);
        }
    }

    /// Today's requests, those of earlier processes included.
    pub(super) fn budget(&self, today: jiff::civil::Date) -> Budget {
        let mut budget = self
            .connector
            .as_ref()
            .map(|c| c.budget())
            .unwrap_or_default();
        let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        if day.date != Some(today) {
            let first = day.date.is_none();
            day.date = Some(today);
            day.carried = 0;
            day.began_at = if first { 0 } else { budget.ours };
        }
        // A connector may begin its own count anew with the day.
        budget.ours = day.carried + budget.ours.checked_sub(day.began_at).unwrap_or(budget.ours);
        budget.promise = self.daily_requests.or(budget.promise);
        budget
    }

    /// Whether today's promise is used up.
    pub(super) fn is_spent(&self, today: jiff::civil::Date) -> bool {
        let budget = self.budget(today);
        budget.promise.is_some_and(|p| budget.ours >= p)
    }

    /// When the next run is planned; `None` when a person has to do something first.
    pub(super) fn next_run(&self, now: Timestamp) -> Option<Timestamp> {
        let status = self.lock();
        match status.state {
            SourceState::Stopped => None,
            SourceState::Failing => Some(status.next_run.unwrap_or(now)),
            _ => Some(match status.last_success {
                Some(last) => last
                    .checked_add(jiff::SignedDuration::try_from(self.every).unwrap_or_default())
                    .unwrap_or(now)
                    // A clock that was set back must not put the next run into the far future.
                    .min(
                        now.checked_add(
                            jiff::SignedDuration::try_from(self.every).unwrap_or_default(),
                        )
                        .unwrap_or(now),
                    ),
                None => now,
            }),
        }
    }
}
