//! A look into a database without opening it for work: what a page of rows would change. Nothing is written, made or migrated.

use super::codec::Kind;
use super::error::{Res, StoreError};
use super::packed::{is_same, pack};
use crate::book::Record;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::{Path, PathBuf};

/// What a row would be to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is not there.
    New,
    /// It is there and says something else.
    Changed,
    /// It is there as it is.
    Unchanged,
}

impl Fate {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Fate::New => "new",
            Fate::Changed => "changed",
            Fate::Unchanged => "unchanged",
        }
    }
}

/// An open look.
pub struct Peek {
    db: Connection,
    path: PathBuf,
}

impl Peek {
    /// Looks into a database; nothing when there is none yet.
    ///
    /// # Errors
    /// When there is a file that cannot be read as a database.
    pub fn open(path: &Path) -> Result<Option<Peek>, StoreError> {
        if std::fs::metadata(path).map_or(true, |m| m.len() == 0) {
            return Ok(None);
        }
        let open = || -> Res<Connection> {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let db = Connection::open_with_flags(path, flags)?;
            db.busy_timeout(std::time::Duration::from_secs(5))?;
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(db)
        };
        Ok(Some(Peek {
            db: open().map_err(|e| e.about(path))?,
            path: path.to_owned(),
        }))
    }

    /// What a record would be.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn compare(&self, source: &str, record: &Record) -> Result<Fate, StoreError> {
        let look = || -> Res<Fate> {
            let mut known = self.db.prepare_cached(
                "SELECT deleted,fields FROM source_record WHERE source=?1 AND entity=?2 AND external_id=?3",
            )?;
            let mut rows = known.query(params![source, Kind(record.entity), record.external_id])?;
            let Some(row) = rows.next()? else {
                return Ok(Fate::New);
            };
            let deleted: bool = row.get(0)?;
            let fields = pack(&record.fields);
            Ok(if deleted {
                Fate::New
            } else if is_same(row.get_ref(1)?, &fields) {
                Fate::Unchanged
            } else {
                Fate::Changed
            })
        };
        look().map_err(|e| e.about(&self.path))
    }

    /// How many rows a stream holds.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn rows(&self, source: &str, stream: &str) -> Result<u64, StoreError> {
        let look = || -> Res<u64> {
            let rows: Option<i64> = self
                .db
                .prepare_cached("SELECT rows FROM stream_state WHERE source=?1 AND stream=?2")?
                .query_row([source, stream], |r| r.get(0))
                .optional()?;
            Ok(rows.unwrap_or(0).unsigned_abs())
        };
        look().map_err(|e| e.about(&self.path))
    }
}
