//! Moving the write-ahead log into the file. A first load writes gigabytes through the log; copying them and waiting for the disk was a
//! third of its time while the writing thread did it. A thread of its own does it now, and the writing one only moves the little that came
//! meanwhile, so that the log can begin anew.

use super::error::{Res, StoreError};
use super::open::open_tidier;
use super::types::Options;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Such a part of a full log the writing thread moves itself.
const FEW: u32 = 10;
/// Where the disk does not follow, the writing thread waits for it when so many times of a full log are reached.
const LIMIT: u32 = 4;
/// It waits so long at a time.
const WAIT: Duration = Duration::from_secs(5);
/// So often what came meanwhile is moved too, before the rest is left to the writing thread.
const PASSES: usize = 6;

/// The writing thread's side.
pub(super) struct Log {
    /// Pages of a full log.
    full: u32,
    /// Pages in the log at the last commit of this process.
    pages: Arc<AtomicU32>,
    begin: mpsc::Sender<()>,
    done: mpsc::Receiver<()>,
    /// The thread beside is at it.
    is_moving: bool,
}

impl Log {
    /// Follows the log of the writing connection, and starts the thread beside it.
    ///
    /// # Errors
    /// When there is no other connection or no thread to be had.
    pub(super) fn follow(
        db: &mut Connection,
        path: &Path,
        options: &Options,
    ) -> Result<Log, StoreError> {
        let full = options.log_pages.max(1);
        let pages = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&pages);
        // This takes the place of SQLite's own way of moving the log, which the committing thread would have to wait for.
        db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            counted.store(u32::try_from(pages).unwrap_or(0), Ordering::SeqCst);
            Ok(())
        }))
        .map_err(|e| StoreError::of(path, &e))?;
        let tidier = open_tidier(path, options)?;
        let (begin, begun) = mpsc::channel();
        let (tell, done) = mpsc::channel();
        let beside = Arc::clone(&pages);
        std::thread::Builder::new()
            .name("store-log".to_owned())
            .spawn(move || {
                while begun.recv().is_ok() {
                    move_most(&tidier, &beside, full);
                    if tell.send(()).is_err() {
                        break;
                    }
                }
            })
            .map_err(|e| StoreError::CannotOpen {
                path: path.to_owned(),
                detail: format!("no thread for it: {e}"),
            })?;
        Ok(Log {
            full,
            pages,
            begin,
            done,
            is_moving: false,
        })
    }

    /// Sees to the log between two transactions. What fails here is tried again after the next one; nothing is lost by it.
    pub(super) fn tend(&mut self, db: &Connection) {
        let pages = self.pages.load(Ordering::SeqCst);
        if !self.is_moving {
            if pages < self.full {
                return;
            }
            self.is_moving = self.begin.send(()).is_ok();
        }
        let wait = if pages < self.full.saturating_mul(LIMIT) {
            Duration::ZERO
        } else {
            WAIT
        };
        // Nobody beside (any more) is no reason to let the log grow.
        if self.is_moving && self.done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            return;
        }
        self.is_moving = false;
        let _ = moved(db);
    }
}

/// Moves what is in the log, then what came meanwhile, until little is left or nothing can be moved (somebody reads what was before).
fn move_most(db: &Connection, pages: &AtomicU32, full: u32) {
    let mut before = 0;
    for _ in 0..PASSES {
        let Ok(moved) = moved(db) else { return };
        let left = pages.load(Ordering::SeqCst).saturating_sub(moved);
        if moved <= before || left <= full / FEW {
            return;
        }
        before = moved;
    }
}

/// Moves what is in the log and not read by anybody as it was before; how many pages of the log are in the file.
fn moved(db: &Connection) -> Res<u32> {
    Ok(db
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
        .query_row([], |r| r.get::<_, i64>(2))
        .map(|n| u32::try_from(n).unwrap_or(0))?)
}
