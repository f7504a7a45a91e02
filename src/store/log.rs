//! Moving the write-ahead log into the file. A first load writes gigabytes through the log; copying them and waiting for the disk was a
//! third of its time while the writing thread did it. A thread of its own does it now, and the writing one only moves the little that came
//! meanwhile, so that the log can begin anew.

use super::error::{Res, StoreError};
use super::open::open_tidier;
use super::types::Options;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::mpsc;

/// Such a part of a full log the writing thread moves itself.
const FEW: u32 = 10;
/// Where the disk does not follow, the writing thread waits for it when so many times of a full log are reached.
const LIMIT: u32 = 4;
/// So often what came meanwhile is moved too, before the rest is left to the writing thread.
const PASSES: usize = 6;

/// Nothing to do.
const IDLE: u8 = 0;
/// The thread beside is at it.
const MOVING: u8 = 1;
/// All but a little is in the file.
const NEARLY: u8 = 2;

struct Shared {
    /// Pages of a full log.
    full: u32,
    /// Pages in the log at the last commit of this process.
    pages: AtomicU32,
    state: AtomicU8,
}

/// The writing thread's side.
pub(super) struct Log {
    shared: Arc<Shared>,
    wake: mpsc::Sender<()>,
}

impl Log {
    /// Follows the log of the writing connection, and starts the thread beside it.
    pub(super) fn follow(
        db: &mut Connection,
        path: &Path,
        options: &Options,
    ) -> Result<Log, StoreError> {
        let shared = Arc::new(Shared {
            full: options.log_pages.max(1),
            pages: AtomicU32::new(0),
            state: AtomicU8::new(IDLE),
        });
        let counted = Arc::clone(&shared);
        // This takes the place of SQLite's own way of moving the log, which the committing thread would have to wait for.
        db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            counted
                .pages
                .store(u32::try_from(pages).unwrap_or(0), Ordering::SeqCst);
            Ok(())
        }))
        .map_err(|e| StoreError::of(path, &e))?;
        let tidier = open_tidier(path, options)?;
        let (wake, woken) = mpsc::channel();
        let beside = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("store-log".to_owned())
            .spawn(move || {
                while woken.recv().is_ok() {
                    move_most(&tidier, &beside);
                    beside.state.store(NEARLY, Ordering::SeqCst);
                }
            })
            .map_err(|e| StoreError::CannotOpen {
                path: path.to_owned(),
                detail: format!("no thread for it: {e}"),
            })?;
        Ok(Log { shared, wake })
    }

    /// Sees to the log between two transactions. What fails here is tried again after the next one; nothing is lost by it.
    pub(super) fn tend(&self, db: &Connection) {
        let pages = self.shared.pages.load(Ordering::SeqCst);
        let full = self.shared.full;
        if pages < full {
            return;
        }
        let is_followed = pages < full.saturating_mul(LIMIT);
        match self.shared.state.load(Ordering::SeqCst) {
            IDLE if is_followed => {
                self.shared.state.store(MOVING, Ordering::SeqCst);
                if self.wake.send(()).is_err() {
                    self.shared.state.store(NEARLY, Ordering::SeqCst);
                }
            }
            MOVING if is_followed => {}
            _ => {
                let _ = moved(db);
                let _ = self.shared.state.compare_exchange(
                    NEARLY,
                    IDLE,
                    Ordering::SeqCst,
                    Ordering::SeqCst,
                );
            }
        }
    }
}

/// Moves what is in the log, then what came meanwhile, until little is left or nothing can be moved (somebody reads what was before).
fn move_most(db: &Connection, shared: &Shared) {
    let mut before = 0;
    for _ in 0..PASSES {
        let Ok(moved) = moved(db) else { return };
        let pages = shared.pages.load(Ordering::SeqCst);
        if moved <= before || pages.saturating_sub(moved) <= shared.full / FEW {
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
