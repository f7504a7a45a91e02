//! What the front doors draw: one immutable picture of everything, swapped whole.

use crate::book::calendar::Calendar;
use crate::book::{
    AccountRow, Book, Derived, ForecastSnapshot, History, Operation, OutboxItem, OutboxState,
    Scope, SourceStatus, Unmatched,
};
use crate::command::{Homes, Me, SourceInfo};
use crate::config::Triage;
use crate::insight::{Header, Pipeline, Segments, Settings, TaskSummary};
use crate::store::Draft;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One picture of everything. Cheap to clone; front doors hold it as long as they draw.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Grows whenever rows changed: a list of an older generation may be out of date, its row numbers still name the same rows.
    pub generation: u64,
    /// Another epoch is another Book: row numbers of one mean nothing in the other (the picture of the cache, and the Book itself).
    pub epoch: u32,
    /// When it was taken.
    pub now: Timestamp,
    /// The day in the calendar's zone.
    pub today: Date,
    /// The calendar's zone.
    pub zone: TimeZone,
    /// The fiscal calendar.
    pub calendar: Calendar,
    /// What the configuration says about figures.
    pub settings: Arc<Settings>,
    /// What is offered when the queue is worked: reasons, levels, outcomes, days to snooze.
    pub triage: Arc<Triage>,
    /// Who sits in front of it.
    pub me: Me,
    /// Everything we know, unsent changes applied.
    pub book: Book,
    /// What insight computed of each account.
    pub derived: Derived,
    /// The figures of the whole book.
    pub all: Arc<Totals>,
    /// The figures of the book of `[me]`; the same as `all` when nobody of ours is known as me.
    pub mine: Arc<Totals>,
    /// The forecasts that were kept, one a week.
    pub forecasts: Arc<Vec<ForecastSnapshot>>,
    /// Ratios in every grouping, in the order of [`GroupBy::ALL`](crate::insight::GroupBy::ALL).
    pub segments: Arc<Vec<Segments>>,
    /// The last known picture, shown while the Book loads: taken at this instant. Its lists hold only their first rows.
    pub from_cache: Option<Timestamp>,
    /// The Book is being read: how far.
    pub loading: Option<Loading>,
    /// Why the Book could not be read, and what to do.
    pub failed: Option<String>,
    /// Writes are switched off for all.
    pub read_only: bool,
    /// How each source goes. Empty: no source is configured.
    pub sources: Arc<Vec<SourceStatus>>,
    /// What each source can take.
    pub infos: Arc<Vec<SourceInfo>>,
    /// Where writes go.
    pub homes: Arc<Homes>,
    /// Unfinished items and the newest finished ones, newest first.
    pub outbox: Arc<Vec<OutboxItem>>,
    /// The newest operations, newest first.
    pub operations: Arc<Vec<Operation>>,
    /// Records that could not be matched, or not for certain.
    pub unmatched: Arc<Vec<Unmatched>>,
    /// Texts that were begun and not sent.
    pub drafts: Arc<Vec<Draft>>,
    /// When the last visit ended: what changed after it is new.
    pub last_visit: Option<Timestamp>,
    /// What is wrong with the settings, keymap or themes: file, line, column and remedy.
    pub problems: Arc<Vec<String>>,
    /// The figures of earlier days, in the reporting currency.
    pub history: Arc<History>,
    /// The earlier day that is shown: the queue, renewals and segments are those of its picture, everything else is of today.
    pub past: Option<Arc<PastDay>>,
}

/// An earlier day as it was known then.
#[derive(Clone, Debug)]
pub struct PastDay {
    /// Its picture: Book, figures, segments; `today` is that day. Its tasks are none, and what is of no day (sources, outbox) is of today.
    pub snapshot: Arc<Snapshot>,
    /// History is kept since this day.
    pub since: Date,
    /// The last day up to it on which anything was read or written: what was known then is shown.
    pub known: Date,
    /// What of it is not as it was, in words.
    pub notes: Vec<String>,
}

/// The figures of one book: everybody's or mine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// What matters most.
    pub header: Header,
    /// Renewals by quarter and category.
    pub pipeline: Pipeline,
    /// The backlog.
    pub tasks: TaskSummary,
}

/// How far the Book is read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loading {
    /// Rows so far.
    pub rows: u64,
}

impl Default for Snapshot {
    fn default() -> Self {
        Snapshot {
            generation: 0,
            epoch: 0,
            now: Timestamp::UNIX_EPOCH,
            today: Date::default(),
            zone: TimeZone::UTC,
            calendar: Calendar::default(),
            settings: Arc::default(),
            triage: Arc::default(),
            me: Me::default(),
            book: Book::empty(),
            derived: Derived::default(),
            all: Arc::default(),
            mine: Arc::default(),
            forecasts: Arc::default(),
            segments: Arc::default(),
            from_cache: None,
            loading: None,
            failed: None,
            read_only: false,
            sources: Arc::default(),
            infos: Arc::default(),
            homes: Arc::default(),
            outbox: Arc::default(),
            operations: Arc::default(),
            unmatched: Arc::default(),
            drafts: Arc::default(),
            last_visit: None,
            problems: Arc::default(),
            history: Arc::default(),
            past: None,
        }
    }
}

impl Snapshot {
    /// A snapshot of a Book with everything computed, for tests and headless use.
    pub fn of(
        book: Book,
        me: Me,
        now: Timestamp,
        zone: TimeZone,
        calendar: Calendar,
        settings: Settings,
    ) -> Snapshot {
        let today = now.to_zoned(zone.clone()).date();
        let (book, derived) =
            crate::insight::settle(book, crate::insight::Since::Nothing, today, &settings);
        let mut s = Snapshot {
            now,
            today,
            zone,
            calendar,
            settings: Arc::new(settings),
            me,
            book,
            derived,
            ..Snapshot::default()
        };
        let sums = Sums::of(&s);
        sums.enter(&mut s);
        s
    }

    /// Items in conflict.
    pub fn conflicts(&self) -> impl Iterator<Item = &OutboxItem> {
        self.outbox
            .iter()
            .filter(|i| i.state == OutboxState::Conflict)
    }

    /// Items that wait, are being sent, or are being asked about.
    pub fn moving(&self) -> usize {
        self.outbox.iter().filter(|i| i.state.is_moving()).count()
    }

    /// The oldest of the sources' last complete pulls: the age of the data. `None`: some source never went through, or there is none.
    pub fn data_from(&self) -> Option<Timestamp> {
        self.sources.iter().map(|s| s.last_success).min().flatten()
    }

    /// Whether an account is new or changed since the last visit.
    pub fn is_fresh(&self, account: &AccountRow<'_>) -> bool {
        match (self.last_visit, account.changed_at()) {
            (Some(visit), Some(changed)) => changed > visit,
            _ => false,
        }
    }

    /// The picture that the queue, renewals and segments are of: that of the earlier day that is shown, or this one.
    pub fn shown(&self) -> &Snapshot {
        self.past.as_ref().map_or(self, |p| &p.snapshot)
    }

    /// What fields are read and queries are evaluated with.
    pub fn scope(&self) -> Scope<'_> {
        Scope {
            book: &self.book,
            derived: &self.derived,
            today: self.today,
            me: self.me.person,
            calendar: self.calendar,
            judge: &*self.settings,
        }
    }

    /// The figures of everybody's book or mine.
    pub fn totals(&self, mine: bool) -> &Totals {
        if mine { &self.mine } else { &self.all }
    }
}

/// The figures that cost a walk over the whole Book.
pub(super) struct Sums {
    all: Arc<Totals>,
    mine: Arc<Totals>,
    segments: Arc<Vec<Segments>>,
}

impl Sums {
    /// Quarters that the pipeline shows.
    const QUARTERS: usize = 4;

    /// Everything.
    pub(super) fn of(s: &Snapshot) -> Sums {
        Sums::with(s, true)
    }

    /// Everything but retention, which a large ledger takes a second for: what was known of it stays until [`Sums::of`] follows.
    pub(super) fn without_retention(s: &Snapshot) -> Sums {
        Sums::with(s, false)
    }

    fn with(s: &Snapshot, retention: bool) -> Sums {
        use crate::insight::capacity::spread::Spread;
        use crate::insight::header::enter_retention;
        use crate::insight::{GroupBy, header, pipeline, task_summary};
        let totals = |mine| Totals {
            header: header(&s.book, &s.derived, s.today, mine),
            pipeline: pipeline(
                &s.book,
                &s.derived,
                s.today,
                &s.calendar,
                Self::QUARTERS,
                mine,
                &s.settings.forecast,
            ),
            tasks: task_summary(&s.book, s.today, &s.calendar, mine),
        };
        let mut all = totals(None);
        let mut mine = s.me.person.map(|me| totals(Some(me)));
        let mut headers = vec![(&mut all.header, &s.all.header, None)];
        if let Some(mine) = &mut mine {
            headers.push((&mut mine.header, &s.mine.header, s.me.person));
        }
        if retention {
            let wanted = &s.settings.retention;
            enter_retention(&s.book, wanted, s.today, &s.calendar, &mut headers);
        } else {
            for (header, before, _) in &mut headers {
                header.keep_retention(before);
            }
        }
        let all = Arc::new(all);
        let spread = Spread::of(&s.book, &s.derived, s.today, &s.settings);
        Sums {
            mine: mine.map_or_else(|| all.clone(), Arc::new),
            all,
            segments: Arc::new(GroupBy::ALL.map(|by| spread.by(by)).into()),
        }
    }

    pub(super) fn enter(self, s: &mut Snapshot) {
        s.all = self.all;
        s.mine = self.mine;
        s.segments = self.segments;
    }
}
