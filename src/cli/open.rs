//! Opening a cockpit for a headless command, and what such commands share.

use super::args::Global;
use super::start::{self, Failure, narrate};
use crate::book::registry::{Cell, FieldRef, Scope};
use crate::book::{Clock, FieldValue, LocalId};
use crate::cockpit::{Cockpit, Keymap, PastDay, Setup, Snapshot};
use crate::command::when::parse_day;
use crate::config::{Loaded, Paths, load};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A cockpit, the files it was opened with, and the runtime that it lives on.
pub struct Session {
    /// The cockpit.
    pub cockpit: Cockpit,
    /// Where things lie.
    pub paths: Paths,
    /// What the settings say.
    pub loaded: Loaded,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Everything runs on it.
    pub runtime: tokio::runtime::Runtime,
    _log: Option<tracing_appender::non_blocking::WorkerGuard>,
}

/// How a cockpit is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// A command that reads the Book and ends.
    Headless,
    /// A command that syncs by its schedules until a signal, logging to stderr.
    Daemon,
    /// The cockpit on the terminal.
    Screen,
}

/// Reads the settings, opens the database, and (for headless commands) waits until the Book is there.
///
/// # Errors
/// 2 when a named settings file is not there, 3 when the database cannot be used.
pub fn open(global: &Global, how: How) -> Result<Session, Failure> {
    let paths = start::paths(global)?;
    let mut loaded = crate::cockpit::checked(load(&paths.config), &paths.config);
    if paths.config_named && !loaded.found {
        return Err(Failure::usage(format!(
            "the settings file {} is not there; csops init writes one",
            paths.config.display()
        )));
    }
    if let Some(theme) = &global.theme {
        loaded.settings.interface.theme.clone_from(theme);
    }
    let mut problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    problems.extend(Keymap::load(&paths.keymap()).problems().iter().cloned());
    problems.extend(crate::cockpit::rules::configured(&loaded.settings).1);
    if how != How::Screen {
        for problem in &problems {
            narrate(problem);
        }
    }
    let clock: Arc<dyn Clock> = Arc::new(start::clock(
        global,
        loaded.settings.calendar.time_zone.clone(),
    )?);
    let log = start::logging(&paths, loaded.settings.log_level.name(), how != How::Daemon);
    if let Some(folder) = paths.db.parent() {
        std::fs::create_dir_all(folder).map_err(|e| {
            Failure::store(format!(
                "the folder {} cannot be made: {e}",
                folder.display()
            ))
        })?;
    }
    let runtime = start::runtime(2, "csops")?;
    let setup = Setup {
        settings: loaded.settings.clone(),
        db: paths.db.clone(),
        clock: clock.clone(),
        problems,
        connectors: Some(paths.connectors()),
        background: how != How::Headless,
    };
    let cockpit = {
        let _inside = runtime.enter();
        Cockpit::open(setup).map_err(|e| Failure::store(e.to_string()))?
    };
    if how == How::Headless {
        runtime.block_on(cockpit.loaded()).map_err(Failure::store)?;
    }
    Ok(Session {
        cockpit,
        paths,
        loaded,
        clock,
        runtime,
        _log: log,
    })
}

impl Session {
    /// An earlier day as it was known then; nothing when it is today.
    ///
    /// # Errors
    /// 2 for what is no day or has not come yet, 1 for a day before history begins.
    pub fn as_of(&self, present: &Snapshot, day: &str) -> Result<Option<PastDay>, Failure> {
        let month = present.calendar.fiscal_month;
        let day = parse_day(day, present.today, month)
            .map_err(|e| Failure::usage(format!("--as-of: {e}")))?;
        if day > present.today {
            return Err(Failure::usage(format!(
                "--as-of: {day} has not come yet; give an earlier day, 2026-11-03 or -30d"
            )));
        }
        if day == present.today {
            return Ok(None);
        }
        let read = self.runtime.block_on(self.cockpit.as_of(day));
        read.map(Some).map_err(|e| Failure::failed(e.to_string()))
    }
}

/// Says in a document that it is about an earlier day, and what of it is not as it was.
pub fn of_day(head: &mut Map<String, Value>, past: &PastDay) {
    head.insert("as_of".into(), json!(past.snapshot.today.to_string()));
    head.insert(
        "history".into(),
        json!({
            "since": past.since.to_string(),
            "known": past.known.to_string(),
            "notes": past.notes,
        }),
    );
    say_day(past);
}

/// Says on stderr that it is about an earlier day, and what of it is not as it was.
pub fn say_day(past: &PastDay) {
    narrate(&format!("as known on {}", past.snapshot.today));
    for note in &past.notes {
        narrate(&format!("  {note}"));
    }
}

/// The person of `--mine`, when it is asked for.
///
/// # Errors
/// 2 when nobody of ours is known as `[me]`: everybody's figures are not mine.
pub fn whose(snapshot: &Snapshot, mine: bool) -> Result<Option<LocalId>, Failure> {
    let me = snapshot.me.person.filter(|_| mine);
    if mine && me.is_none() {
        return Err(Failure::usage(
            "--mine: nobody of ours is known as [me] email in the configuration".into(),
        ));
    }
    Ok(me)
}

/// The members that every document begins with.
pub fn head(snapshot: &Snapshot, kind: &str) -> Map<String, Value> {
    let mut head = Map::new();
    head.insert("as_of".into(), json!(snapshot.now.to_string()));
    head.insert("kind".into(), json!(kind));
    head.insert(
        "data_from".into(),
        json!(snapshot.data_from().map(|t| t.to_string())),
    );
    head
}

/// How complete the book is.
pub fn coverage(snapshot: &Snapshot) -> Value {
    let figures = &snapshot.all.header;
    json!({
        "accounts": figures.accounts,
        "arr": figures.arr_coverage.share(),
        "health": figures.health_coverage.share(),
        "decision_date": figures.date_coverage.share(),
    })
}

/// A field of a row as a value to print: people by name, money in its own currency.
pub fn value(field: &FieldRef, scope: &Scope<'_>, row: u32) -> FieldValue {
    match field.read(scope, row) {
        Cell::None => FieldValue::Null,
        Cell::Text(t) => FieldValue::text(t),
        Cell::Number(n) if n.is_finite() => FieldValue::Number(n),
        Cell::Number(_) => FieldValue::Null,
        Cell::Money(m, _) => FieldValue::Money(m),
        Cell::Day(d) => d.date().map_or(FieldValue::Null, FieldValue::Date),
        Cell::Instant(t) => FieldValue::Instant(t),
        Cell::Bool(b) => FieldValue::Bool(b),
        Cell::List([]) => FieldValue::Null,
        Cell::Words(w) if w.bits == 0 => FieldValue::Null,
        Cell::Words(w) => FieldValue::List(w.iter().map(str::to_owned).collect()),
        Cell::List(l) => FieldValue::List(l.to_vec()),
        Cell::Person(p) => FieldValue::text(p.name()),
    }
}
