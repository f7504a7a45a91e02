//! The threads: one writes, a few read. Whoever asks gets a future; the work itself never runs on the asker's thread.

use super::error::{Fail, Res, StoreError};
use super::log::Log;
use super::open::{open_reader, open_writer};
use super::refs::Refs;
use super::storage::Answer;
use super::types::Options;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::oneshot;

type WriteJob = Box<dyn FnOnce(&mut Writer) + Send>;
type ReadJob = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle on one open database; clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    refs: Arc<Mutex<Refs>>,
    queues: Mutex<Option<Queues>>,
}

#[derive(Clone)]
struct Queues {
    write: mpsc::Sender<WriteJob>,
    read: mpsc::Sender<ReadJob>,
}

/// The writing connection and what is remembered about it.
pub(super) struct Writer {
    /// The connection.
    pub db: Connection,
    /// Whether commits go through to the disk itself.
    through: bool,
    /// SQLite's count of other processes' commits when it was asked last.
    pub seen: i64,
}

impl Writer {
    /// Runs `work` in a transaction. `durable`: the commit survives a power failure, not only the end of this process.
    fn transact<T>(&mut self, durable: bool, work: impl FnOnce(&Connection) -> Res<T>) -> Res<T> {
        let tx = self.begin(durable)?;
        let answer = work(&tx)?;
        tx.commit()?;
        Ok(answer)
    }

    /// Runs `work` in a transaction that is kept only if something comes of it.
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Res<Option<T>>,
    ) -> Res<Option<T>> {
        let tx = self.begin(false)?;
        let answer = work(&tx)?;
        if answer.is_some() {
            tx.commit()?;
        }
        Ok(answer)
    }

    fn begin(&mut self, durable: bool) -> Res<Transaction<'_>> {
        if durable != self.through {
            let level = if durable { "FULL" } else { "NORMAL" };
            self.db.pragma_update(None, "synchronous", level)?;
            self.through = durable;
        }
        Ok(self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

impl Store {
    /// Opens the database, making it when there is none, and brings it to today's format.
    ///
    /// # Errors
    /// Every way in which a file can refuse; it is then left as it was.
    pub fn open(path: &Path, options: Options) -> Result<Store, StoreError> {
        let mut db = open_writer(path, &options)?;
        let mut log = Log::follow(&mut db, path, &options)?;
        let seen = data_version(&db).map_err(|e| e.about(path))?;
        let (write, write_jobs) = mpsc::channel::<WriteJob>();
        let (read, read_jobs) = mpsc::channel::<ReadJob>();
        let read_jobs = Arc::new(Mutex::new(read_jobs));
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(work)
                .map(drop)
                .map_err(|e| StoreError::CannotOpen {
                    path: path.to_owned(),
                    detail: format!("no thread for it: {e}"),
                })
        };
        for _ in 0..options.readers.max(1) {
            let mut db = open_reader(path, &options)?;
            let jobs = read_jobs.clone();
            spawn(
                "store-read",
                Box::new(move || {
                    loop {
                        // Only waiting for a job happens under the lock, not the job.
                        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        match job {
                            Ok(job) => job(&mut db),
                            Err(_) => break,
                        }
                    }
                }),
            )?;
        }
        let mut writer = Writer {
            db,
            through: false,
            seen,
        };
        spawn(
            "store-write",
            Box::new(move || {
                while let Ok(job) = write_jobs.recv() {
                    job(&mut writer);
                    log.tend(&writer.db);
                }
            }),
        )?;
        Ok(Store {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                refs: Arc::default(),
                queues: Mutex::new(Some(Queues { write, read })),
            }),
        })
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The ties that are remembered.
    pub(super) fn refs(&self) -> Arc<Mutex<Refs>> {
        Arc::clone(&self.inner.refs)
    }

    fn queues(&self) -> Option<Queues> {
        self.inner
            .queues
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Runs `work` in a transaction of the writing thread.
    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Res<T> + Send + 'static,
    ) -> Answer<T> {
        self.on_writer(move |w| w.transact(false, work))
    }

    /// As [`write`](Store::write), and the commit survives a power failure.
    pub(super) fn write_durably<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Res<T> + Send + 'static,
    ) -> Answer<T> {
        self.on_writer(move |w| w.transact(true, work))
    }

    /// Runs `work` on the writing thread, outside any transaction.
    pub(super) fn on_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> Res<T> + Send + 'static,
    ) -> Answer<T> {
        let (tell, told) = oneshot::channel();
        let path = self.inner.path.clone();
        if let Some(queues) = self.queues() {
            // A thread that is gone answers by dropping `tell`.
            let _ = queues.write.send(Box::new(move |writer| {
                let _ = tell.send(work(writer).map_err(|e| e.about(&path)));
            }));
        }
        Box::pin(async move { told.await.unwrap_or(Err(StoreError::Closed)) })
    }

    /// Runs `work` on a reading thread; everything that it reads is of one moment.
    pub(super) fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Res<T> + Send + 'static,
    ) -> Answer<T> {
        let (tell, told) = oneshot::channel();
        let path = self.inner.path.clone();
        if let Some(queues) = self.queues() {
            let _ = queues.read.send(Box::new(move |db| {
                let answer = db
                    .transaction()
                    .map_err(Fail::from)
                    .and_then(|tx| work(&tx));
                let _ = tell.send(answer.map_err(|e| e.about(&path)));
            }));
        }
        Box::pin(async move { told.await.unwrap_or(Err(StoreError::Closed)) })
    }

    /// Lets the threads end after what is queued.
    pub(super) fn shut(&self) -> Answer<()> {
        let done = self.on_writer(|w| {
            w.db.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);")?;
            Ok(())
        });
        self.inner
            .queues
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        done
    }
}

/// SQLite's count of commits by other connections, as this one sees it.
pub(super) fn data_version(db: &Connection) -> Res<i64> {
    Ok(db.pragma_query_value(None, "data_version", |r| r.get(0))?)
}
