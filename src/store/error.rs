//! Why the store could not do what it was asked, as sentences with a remedy.

use std::path::{Path, PathBuf};

/// What happened, to which file, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another program holds it.
    #[error(
        "the database {0} is locked by another program; close whatever else has it open (a backup, a database browser) and try again"
    )]
    Locked(PathBuf),
    /// It cannot be written.
    #[error(
        "the database {0} cannot be written; give yourself write permission to the file and its folder, or choose another with --db"
    )]
    ReadOnly(PathBuf),
    /// No room.
    #[error(
        "there is no room left on the disk that holds {0}; nothing was half-written; free some space and try again"
    )]
    Full(PathBuf),
    /// Damaged.
    #[error(
        "the database {path} is damaged ({detail}); csops leaves it untouched: restore a backup, or move it away and sync again (what waits in its outbox would be lost)"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// Written by a newer csops.
    #[error(
        "the database {path} was written by a newer csops (format {found}, this program knows {known}); update csops, or choose another file with --db"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest that we know.
        known: i64,
    },
    /// Some other file.
    #[error("{0} is not a csops database; choose another file with --db")]
    NotADatabase(PathBuf),
    /// It cannot be opened or made.
    #[error(
        "the database {path} cannot be opened ({detail}); check that its folder exists and is yours"
    )]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// The disk or the file system failed.
    #[error("reading or writing {path} failed ({detail}); check the disk, then try again")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// Something asked for is not there.
    #[error("there is no {what} `{id}`; `csops outbox` and `csops status` list what there is")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// It cannot be done in the state that the thing is in.
    #[error("{0}")]
    NotNow(String),
    /// A stored value that we cannot read.
    #[error(
        "the database {path} holds something that this program cannot read ({detail}); `csops doctor` tells more"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What.
        detail: String,
    },
    /// The store has been closed.
    #[error("the database is closed; start csops again")]
    Closed,
}

impl StoreError {
    /// Whether trying again later may help without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        matches!(self, StoreError::Locked(_))
    }

    /// SQLite's error in our words.
    pub(super) fn of(path: &Path, error: &rusqlite::Error) -> StoreError {
        use rusqlite::ffi::ErrorCode as Code;
        let path = path.to_owned();
        let detail = error.to_string();
        match error {
            rusqlite::Error::SqliteFailure(e, _) => match e.code {
                Code::DatabaseBusy | Code::DatabaseLocked => StoreError::Locked(path),
                Code::ReadOnly | Code::PermissionDenied | Code::AuthorizationForStatementDenied => {
                    StoreError::ReadOnly(path)
                }
                Code::DiskFull => StoreError::Full(path),
                Code::DatabaseCorrupt => StoreError::Corrupt { path, detail },
                Code::NotADatabase => StoreError::NotADatabase(path),
                Code::CannotOpen => StoreError::CannotOpen { path, detail },
                Code::SystemIoFailure | Code::NoLargeFileSupport => StoreError::Io { path, detail },
                _ => StoreError::Unreadable { path, detail },
            },
            _ => StoreError::Unreadable { path, detail },
        }
    }
}

/// What goes wrong inside, before it is known which file it was about.
#[derive(Debug)]
pub(super) enum Fail {
    /// SQLite's.
    Sql(rusqlite::Error),
    /// Already in our words.
    Store(StoreError),
    /// A stored value that makes no sense.
    Bad(String),
}

/// What the rooms' inner functions answer.
pub(super) type Res<T> = Result<T, Fail>;

impl Fail {
    /// For whoever asked.
    pub(super) fn about(self, path: &Path) -> StoreError {
        match self {
            Fail::Sql(e) => StoreError::of(path, &e),
            Fail::Store(e) => e,
            Fail::Bad(detail) => StoreError::Unreadable {
                path: path.to_owned(),
                detail,
            },
        }
    }
}

impl From<rusqlite::Error> for Fail {
    fn from(e: rusqlite::Error) -> Fail {
        Fail::Sql(e)
    }
}
impl From<StoreError> for Fail {
    fn from(e: StoreError) -> Fail {
        Fail::Store(e)
    }
}
impl From<serde_json::Error> for Fail {
    fn from(e: serde_json::Error) -> Fail {
        Fail::Bad(e.to_string())
    }
}
