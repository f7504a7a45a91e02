//! Opening the file: whether it is ours, whether it is whole, and bringing it to today's format.

use super::error::{Fail, Res, StoreError};
use super::types::Options;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Every format since the first, in order; only ever added to.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0006.sql"),
    include_str!("migrations/0007.sql"),
    include_str!("migrations/0005.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0008.sql"),
    include_str!("migrations/0009.sql"),
    include_str!("migrations/0010.sql"),
    include_str!("migrations/0011.sql"),
];

/// SQLite's mark of whose file it is: `csop`.
const APPLICATION: i64 = 0x6373_6f70;

/// Small files are looked over in full when they are opened; large ones only by `doctor`, because it takes seconds.
const CHECKED_AT_OPEN: u64 = 16 << 20;

/// Opens or makes the file, brings it to today's format, and leaves it ready to write.
pub(super) fn open_writer(path: &Path, options: &Options) -> Result<Connection, StoreError> {
    prepare_file(path)?;
    let about = |e: Fail| e.about(path);
    let mut db = connect(path, options, false).map_err(about)?;
    recognise(&db, path)?;
    db.pragma_update(None, "journal_mode", "WAL")
        .map_err(|e| about(e.into()))?;
    migrate(&mut db).map_err(about)?;
    if let Some(pages) = options.max_pages {
        db.pragma_update(None, "max_page_count", pages)
            .map_err(|e| about(e.into()))?;
    }
    if std::fs::metadata(path).is_ok_and(|m| m.len() <= CHECKED_AT_OPEN)
        && let Some(detail) = quick_check(&db).map_err(about)?.into_iter().next()
    {
        return Err(StoreError::Corrupt {
            path: path.to_owned(),
            detail,
        });
    }
    Ok(db)
}

/// Another connection, for reading.
pub(super) fn open_reader(path: &Path, options: &Options) -> Result<Connection, StoreError> {
    connect(path, options, true).map_err(|e| e.about(path))
}

/// Another connection, for moving the log into the file.
pub(super) fn open_tidier(path: &Path, options: &Options) -> Result<Connection, StoreError> {
    connect(path, options, false).map_err(|e| e.about(path))
}

/// A stored picture of a screen, read without opening the store: the first frame must not wait for a migration, a lock or a load.
/// Nothing when there is none or anything at all is in the way; opening the store will say what.
pub fn peek_screen_cache(path: &Path, key: &str) -> Option<Vec<u8>> {
    // An open for writing, because a reader of a log written by a process that died must be able to recover it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).ok()?;
    db.busy_timeout(std::time::Duration::from_millis(10)).ok()?;
    db.query_row("SELECT data FROM screen_cache WHERE key=?1", [key], |r| {
        r.get(0)
    })
    .ok()
}

/// What SQLite finds wrong, nothing if all is well.
pub(super) fn quick_check(db: &Connection) -> Res<Vec<String>> {
    let mut statement = db.prepare("PRAGMA quick_check(20)")?;
    let lines: Vec<String> = statement
        .query_map([], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(lines.into_iter().filter(|l| l != "ok").collect())
}

/// Makes the folder and the file with nobody else's eyes on it, and refuses what is not a database.
fn prepare_file(path: &Path) -> Result<(), StoreError> {
    let cannot = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly(path.to_owned())
        }
        std::io::ErrorKind::StorageFull => StoreError::Full(path.to_owned()),
        _ => StoreError::CannotOpen {
            path: path.to_owned(),
            detail: e.to_string(),
        },
    };
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty())
        && !folder.exists()
    {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(cannot)?;
    }
    let mut open = std::fs::OpenOptions::new();
    open.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    let mut file = open.open(path).map_err(cannot)?;
    let meta = file.metadata().map_err(cannot)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if meta.permissions().mode() & 0o077 != 0 {
            // Best effort: the file may belong to somebody else and still be ours to use.
            let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
        }
    }
    if meta.len() == 0 {
        // An empty file is a new one, unless a log beside it says that there was more.
        let log = PathBuf::from(format!("{}-wal", path.display()));
        if std::fs::metadata(&log).is_ok_and(|m| m.len() > 0) {
            return Err(StoreError::Corrupt {
                path: path.to_owned(),
                detail: "the file is empty but its log is not".into(),
            });
        }
        return Ok(());
    }
    let mut head = [0u8; 16];
    match file.read_exact(&mut head) {
        Ok(()) if &head == b"SQLite format 3\0" => Ok(()),
        Ok(()) => Err(StoreError::NotADatabase(path.to_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(StoreError::NotADatabase(path.to_owned()))
        }
        Err(e) => Err(cannot(e)),
    }
}

fn connect(path: &Path, options: &Options, reader: bool) -> Res<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(options.busy)?;
    db.set_prepared_statement_cache_capacity(256);
    // Statements are planned once and not anew for every value that is bound where a partial index is near.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.pragma_update(None, "foreign_keys", "OFF")?;
    // Pages of the file are mapped, not copied; they do not count as ours.
    db.pragma_update(None, "mmap_size", 1i64 << 30)?;
    db.pragma_update(None, "cache_size", if reader { -2_000 } else { -16_000 })?;
    if reader {
        db.pragma_update(None, "temp_store", "MEMORY")?;
        db.pragma_update(None, "query_only", "ON")?;
    } else {
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.pragma_update(None, "journal_size_limit", 64 << 20)?;
        // An index that is made at the end of a first load is sorted by two.
        db.pragma_update(None, "threads", 1)?;
    }
    Ok(db)
}

fn number(db: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, pragma, |r| r.get(0))
}

/// Whether the file is ours and not from the future.
fn recognise(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let about = |e: rusqlite::Error| StoreError::of(path, &e);
    let tables: i64 = db
        .query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
        .map_err(about)?;
    if tables > 0 && number(db, "application_id").map_err(about)? != APPLICATION {
        return Err(StoreError::NotADatabase(path.to_owned()));
    }
    let (found, known) = (
        number(db, "user_version").map_err(about)?,
        MIGRATIONS.len() as i64,
    );
    if found > known {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(())
}

/// Runs what is missing, all in one transaction. Taking the write lock also finds out whether the file can be written at all.
fn migrate(db: &mut Connection) -> Res<()> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked again under the lock: another process may have been quicker.
    let version = usize::try_from(number(&tx, "user_version")?).unwrap_or(0);
    for sql in MIGRATIONS.iter().skip(version) {
        tx.execute_batch(sql)?;
    }
    super::history::adopt(&tx)?;
    if version < MIGRATIONS.len() {
        tx.pragma_update(None, "application_id", APPLICATION)?;
        tx.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    }
    tx.commit()?;
    Ok(())
}
