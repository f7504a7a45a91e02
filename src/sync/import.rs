//! Rows that a person hands over, of a file that is no configured source: the same way as a vendor's pages, once.

use super::engine::Engine;
use crate::book::{
    Cursor, Record, RowProblem, SourceName, SourceState, SourceStatus, StreamStatus,
};
use crate::store::{PageStats, PageWrite, StoreError};
use tokio::sync::mpsc;

/// Some rows of it.
#[derive(Debug, Default)]
pub struct ImportPage {
    /// The rows, what they refer to before them.
    pub records: Vec<Record>,
    /// Those that were refused.
    pub problems: Vec<RowProblem>,
}

/// What is handed over.
pub struct Import {
    /// The source that the rows become records of.
    pub source: SourceName,
    /// What kind of source that is, for status.
    pub connector: &'static str,
    /// The stream; what it held before and these rows do not is gone afterwards.
    pub stream: String,
    /// The rows, page by page; an error ends it, and what came before stays.
    pub pages: mpsc::Receiver<Result<ImportPage, String>>,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// Rows new, changed and unchanged.
    pub stats: PageStats,
    /// Rows of an earlier import that are gone.
    pub gone: u64,
    /// Rows of an earlier import were kept although they were not met, because refused rows might be them.
    pub kept: bool,
    /// Another csops syncs this database: it will merge and show the rows.
    pub left_to: Option<String>,
}

impl Engine {
    /// Takes rows in and merges them. `progress` hears how many rows are in the database so far.
    ///
    /// # Errors
    /// Rows that could not be read to the end, a database that does not do its part: in words.
    pub async fn import(
        &self,
        import: Import,
        progress: impl FnMut(u64),
    ) -> Result<Imported, String> {
        let other = match self.shared.take_lease().await {
            Ok(None) => None,
            // Two that merge could make two rows of one thing; rows can be handed in by anybody.
            Ok(Some(other)) => Some(other),
            Err(e) => return Err(e.to_string()),
        };
        if other.is_some() {
            return self.take_in(import, progress, other).await;
        }
        let lease = self.borrow_lease().await?;
        let result = self.take_in(import, progress, None).await;
        self.return_lease(lease).await;
        result
    }

    async fn take_in(
        &self,
        mut import: Import,
        mut progress: impl FnMut(u64),
        other: Option<String>,
    ) -> Result<Imported, String> {
        let words = |e: StoreError| e.to_string();
        let shared = &self.shared;
        let (store, now) = (&shared.store, shared.clock.now());
        store.begin_day(shared.clock.today()).await.map_err(words)?;
        store
            .reset_stream(&import.source, &import.stream)
            .await
            .map_err(words)?;
        let run = store
            .begin_run(&import.source, true, now)
            .await
            .map_err(words)?;
        let mut done = Imported::default();
        let (mut problems, mut nameless) = (0u64, false);
        let mut failed = None;
        while let Some(page) = import.pages.recv().await {
            let page = match page {
                Ok(page) => page,
                Err(e) => {
                    failed = Some(e);
                    break;
                }
            };
            problems += page.problems.len() as u64;
            nameless |= page.problems.iter().any(|p| p.external_id.is_none());
            let write = PageWrite {
                source: import.source.clone(),
                stream: import.stream.clone(),
                records: page.records,
                problems: page.problems,
                next: Cursor(String::new()),
                run,
                now: shared.clock.now(),
            };
            match store.apply_page(write).await {
                Ok(stats) => done.stats.add(stats),
                Err(e) => {
                    failed = Some(words(e));
                    break;
                }
            }
            let s = &done.stats;
            progress(s.inserted + s.changed + s.unchanged);
        }
        if failed.is_none() {
            if nameless {
                done.kept = true;
            } else {
                match store.sweep(&import.source, &import.stream, run).await {
                    Ok(gone) => done.gone = gone,
                    Err(e) => failed = Some(words(e)),
                }
            }
        }
        // Also after a failure: what is in shall be seen.
        if other.is_none()
            && let Err(e) = shared.merge_pending().await
        {
            failed.get_or_insert(words(e));
        }
        let changed = done.stats.inserted + done.stats.changed + done.gone;
        let now = shared.clock.now();
        store
            .finish_run(run, changed, 0, failed.clone(), now)
            .await
            .map_err(words)?;
        let mut status = store
            .source_statuses()
            .await
            .map_err(words)?
            .into_iter()
            .find(|s| s.source.as_ref() == Some(&import.source))
            .unwrap_or_else(|| SourceStatus {
                source: Some(import.source.clone()),
                ..SourceStatus::default()
            });
        import.connector.clone_into(&mut status.connector);
        status.read_only = true;
        status.state = if failed.is_some() {
            SourceState::Failing
        } else {
            SourceState::Idle
        };
        status.error.clone_from(&failed);
        if failed.is_none() {
            status.last_success = Some(now);
        }
        status.streams.retain(|s| s.stream != import.stream);
        status.streams.push(StreamStatus {
            stream: import.stream,
            changed,
            last_success: failed.is_none().then_some(now),
            lag: Some(0),
            error: failed.clone(),
            problems,
            ..StreamStatus::default()
        });
        store.save_source_status(status).await.map_err(words)?;
        match failed {
            Some(e) => Err(e),
            None => Ok(Imported {
                left_to: other,
                ..done
            }),
        }
    }
}
