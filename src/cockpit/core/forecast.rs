//! Keeps the forecasts of one day of each ISO week, so that they can be held against what became of them.

use super::Core;
use crate::book::ForecastSnapshot;
use crate::insight::forecast::{accuracy::week, capture};
use jiff::civil::Date;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// While rows change all day, the day's forecasts are not made again more often than this.
const KEEP_EVERY: Duration = Duration::from_secs(300);

impl Core {
    /// Whether today's forecasts are to be kept now: the week has none of an earlier day, and rows changed since they were kept.
    pub(super) fn forecasts_are_due(&self) -> bool {
        self.forecasts_stale
            && self.keeping.as_ref().is_none_or(|k| k.is_finished())
            && self.kept.is_none_or(|at| at.elapsed() >= KEEP_EVERY)
            && !is_kept(&self.snapshot().forecasts, self.day)
    }

    /// Has today's forecasts made and kept, beside everything else.
    pub(super) fn keep_forecasts(&mut self) {
        self.forecasts_stale = false;
        self.kept = Some(Instant::now());
        let (storage, shared, snapshot) =
            (self.storage.clone(), self.shared.clone(), self.snapshot());
        self.keeping = Some(tokio::spawn(async move {
            let today = snapshot.today;
            let made = tokio::task::spawn_blocking(move || {
                let made = capture(
                    &snapshot.book,
                    &snapshot.derived,
                    today,
                    &snapshot.calendar,
                    &snapshot.settings.forecast,
                );
                let same = snapshot.forecasts.iter().filter(|f| f.taken == today);
                (!made.is_empty() && !same.eq(&made)).then_some(made)
            });
            let Ok(Some(made)) = made.await else {
                return;
            };
            match storage.put_forecasts(week(today), made.clone()).await {
                Ok(true) => {
                    shared.snapshot.rcu(|s| {
                        let mut next = super::Snapshot::clone(s);
                        let earlier = s.forecasts.iter().filter(|f| f.taken != today);
                        let all = earlier.chain(&made).cloned().collect();
                        next.forecasts = Arc::new(all);
                        next
                    });
                }
                // Another process was there on an earlier day of the week.
                Ok(false) => {}
                Err(e) => tracing::warn!(error = %e, "the week's forecasts were not kept"),
            }
        }));
    }

    /// At the end: what is under way is finished, and what changed since is kept.
    pub(super) async fn finish_forecasts(&mut self) {
        if let Some(keeping) = self.keeping.take() {
            let _ = keeping.await;
        }
        let worth = self.sources.in_background() || self.rows_changed;
        if self.loaded
            && worth
            && self.forecasts_stale
            && !is_kept(&self.snapshot().forecasts, self.day)
        {
            self.keep_forecasts();
            if let Some(keeping) = self.keeping.take() {
                let _ = keeping.await;
            }
        }
    }
}

/// The week of a day has its forecasts, of an earlier day of it.
fn is_kept(forecasts: &[ForecastSnapshot], today: Date) -> bool {
    let this = week(today);
    forecasts
        .iter()
        .any(|f| f.taken < today && week(f.taken) == this)
}
