//! The screen cache: the first rows of each pane and the figures, kept after each rebuild, so that the next start shows something at once.

use super::super::snapshot::{Snapshot, Totals};
use super::super::view::{ListKind, ViewSpec, compute};
use super::load::empty_book;
use super::{CACHE_EVERY, Core};
use crate::book::{
    Account, AccountRow, Book, Day, Entity, Escalation, Facts, LocalId, Money, Overlay, Person,
    Rate, Renewal, RowDelta, SourceStatus, Task,
};
use crate::command::Me;
use crate::config::Settings;
use crate::insight::health::Bands;
use crate::insight::{Segments, derive};
use crate::store::peek_screen_cache;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Under this key the picture lies in the store.
const KEY: &str = "home";
/// Under this one the bands of the health scores, which the next start holds its own against.
pub(super) const BANDS: &str = "bands";
/// So many rows of each pane: a tall screen's worth.
const ROWS: usize = 80;
/// Another shape of the picture is another version.
const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Picture {
    version: u32,
    /// A hash of the settings that it depends on.
    settings: u64,
    at: Timestamp,
    me: Option<LocalId>,
    accounts: Vec<(Account, Facts)>,
    /// The ARR of accounts of which no system names one.
    counted: Vec<(LocalId, Money)>,
    people: Vec<Person>,
    renewals: Vec<Renewal>,
    tasks: Vec<Task>,
    escalations: Vec<Escalation>,
    rates: Vec<Rate>,
    all: Totals,
    mine: Totals,
    segments: Vec<Segments>,
    sources: Vec<SourceStatus>,
}

/// What the figures depend on: another `[me]`, currency, calendar, risk, health model or capacity makes the old picture wrong.
fn settings_hash(settings: &Settings) -> u64 {
    let mut hasher = DefaultHasher::new();
    let names: Vec<&str> = settings.sources.iter().map(|s| s.name.as_str()).collect();
    format!(
        "{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{:?}{names:?}",
        settings.me,
        settings.money,
        settings.calendar,
        settings.risk,
        settings.segments,
        settings.metrics,
        settings.forecast,
        settings.health,
        settings.capacity
    )
    .hash(&mut hasher);
    hasher.finish()
}

/// Lays the stored picture into the first snapshot. Without one, or with one of other settings, nothing happens.
pub(super) fn read(db: &Path, settings: &Settings, s: &mut Snapshot) {
    let Some(data) = peek_screen_cache(db, KEY) else {
        return;
    };
    let Ok(picture) = serde_json::from_slice::<Picture>(&data) else {
        return;
    };
    if picture.version != VERSION || picture.settings != settings_hash(settings) {
        return;
    }
    let delta = RowDelta {
        seq: 0,
        accounts: picture.accounts,
        people: picture.people,
        renewals: picture.renewals,
        tasks: picture.tasks,
        escalations: picture.escalations,
        rates: picture.rates,
        ..RowDelta::default()
    };
    s.book = empty_book(settings, s.today).apply(delta, &Overlay::default());
    for (id, arr) in picture.counted {
        if let Some(row) = s.book.row_of(Entity::Account, id) {
            s.book.count_arr(row, Some(arr));
        }
    }
    s.derived = derive(&s.book, s.today, &s.settings.risk);
    s.all = Arc::new(picture.all);
    s.mine = Arc::new(picture.mine);
    s.segments = Arc::new(picture.segments);
    s.sources = Arc::new(picture.sources);
    s.me = Me {
        name: s.me.name.clone(),
        person: picture.me,
    };
    s.from_cache = Some(picture.at);
}

/// What was counted as the ARR of these accounts.
fn counted(book: &Book, delta: &RowDelta) -> Vec<(LocalId, Money)> {
    let rows = (delta.accounts.iter()).filter_map(|(a, _)| book.row_of(Entity::Account, a.id));
    rows.map(|row| book.account(row))
        .filter(AccountRow::is_arr_counted)
        .filter_map(|a| Some((a.id(), a.arr()?)))
        .collect()
}

/// The picture of a snapshot.
fn picture(s: &Snapshot, settings: &Settings) -> Vec<u8> {
    let mut wanted = Vec::new();
    for (kind, entity) in [
        (ListKind::Queue, Entity::Account),
        (ListKind::Renewals, Entity::Renewal),
        (ListKind::Tasks, Entity::Task),
    ] {
        for mine in [false, true] {
            let spec = ViewSpec {
                mine,
                ..ViewSpec::of(kind)
            };
            let view = compute(s, &spec, None);
            wanted.extend(view.rows.iter().take(ROWS).map(|r| (entity, *r)));
        }
    }
    let delta = s.book.excerpt(&wanted);
    let picture = Picture {
        version: VERSION,
        settings: settings_hash(settings),
        at: s.now,
        me: s.me.person,
        counted: counted(&s.book, &delta),
        accounts: delta.accounts,
        people: delta.people,
        renewals: delta.renewals,
        tasks: delta.tasks,
        escalations: delta.escalations,
        rates: delta.rates,
        all: Totals::clone(&s.all),
        mine: Totals::clone(&s.mine),
        segments: s.segments.to_vec(),
        sources: s.sources.to_vec(),
    };
    serde_json::to_vec(&picture).unwrap_or_default()
}

impl Core {
    /// Keeps the picture for the next start.
    pub(super) async fn write_cache(&mut self) {
        let (snapshot, settings) = (self.snapshot(), self.settings.clone());
        self.cache_stale = false;
        self.cached = Some(Instant::now());
        let made = tokio::task::spawn_blocking(move || picture(&snapshot, &settings)).await;
        if let Ok(data) = made
            && !data.is_empty()
        {
            let kept = self.storage.put_screen_cache(KEY, data).await;
            self.report(kept);
        }
        self.write_bands().await;
    }

    /// Keeps the bands of the health scores, if they are others than those kept.
    async fn write_bands(&mut self) {
        let (snapshot, today) = (self.snapshot(), Day::of(Some(self.day)));
        let before = self.storage.screen_cache(BANDS).await.ok().flatten();
        let made = tokio::task::spawn_blocking(move || {
            let bands = Bands::of(&snapshot.book, &snapshot.derived, today).to_bytes();
            (Some(&bands) != before.as_ref()).then_some(bands)
        });
        if let Ok(Some(bands)) = made.await {
            let kept = self.storage.put_screen_cache(BANDS, bands).await;
            self.report(kept);
        }
    }

    /// The picture is out of date and old enough to be written again.
    pub(super) fn cache_is_due(&self) -> bool {
        self.cache_stale && self.cached.is_none_or(|at| at.elapsed() >= CACHE_EVERY)
    }
}
