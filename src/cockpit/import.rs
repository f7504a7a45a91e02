//! A file taken in once: looked over, then read and stored page by page while the next page is read; or only compared with what is there.

use super::sources::setups;
use crate::book::text::visible;
use crate::book::{Clock, RowProblem, SourceName};
use crate::config::Settings;
use crate::connect::files::{FileKind, FilePage, Reading, Table};
use crate::store::{Options, Peek, Storage, Store};
use crate::sync::{Engine, Import, ImportPage, Setup};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Rows of a page, and so of a transaction.
const PAGE: usize = 4_000;

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The file.
    pub file: PathBuf,
    /// What its rows are (`accounts`); else the map file or the file's name says.
    pub kind: Option<String>,
    /// A map file.
    pub map: Option<PathBuf>,
    /// The source that the rows become records of.
    pub source: String,
    /// The folder of the user's own connectors, when there is one.
    pub connectors: Option<PathBuf>,
}

/// What is told on the way.
#[derive(Clone, Debug)]
pub enum ImportEvent {
    /// The file was looked over: what it holds, and what was found out.
    Opened {
        /// `accounts`.
        kind: &'static str,
        /// In words.
        notes: Vec<String>,
    },
    /// Only when nothing is written: what a row would be.
    Row {
        /// Its line.
        line: u64,
        /// new, changed or unchanged.
        fate: &'static str,
        /// What names it.
        name: String,
    },
    /// A row was refused.
    Refused {
        /// Its line.
        line: u64,
        /// The column, as the file calls it; empty for the whole row.
        column: String,
        /// What stands there, made visible.
        value: String,
        /// Why.
        reason: String,
    },
    /// So many rows are read.
    Progress(u64),
    /// The file is read to its end; what it brought is merged now.
    Merging,
}

/// How it ended.
#[derive(Clone, Debug, Default)]
pub struct ImportSummary {
    /// Rows that were not there.
    pub new: u64,
    /// Rows that say something else than before.
    pub changed: u64,
    /// Rows that say what was there.
    pub unchanged: u64,
    /// Rows that were not taken.
    pub refused: u64,
    /// Rows of an earlier import of this file that it no longer has.
    pub gone: u64,
    /// Such rows were kept, because a refused row that has no name might be one of them.
    pub kept: bool,
    /// Accounts and people that were made because rows refer to them.
    pub implied: u64,
    /// Another csops that syncs this database and will show the rows in a moment.
    pub left_to: Option<String>,
}

/// Why nothing, or not everything, was imported.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ImportError {
    /// The request or the file as a whole cannot be used so.
    #[error("{0}")]
    Usage(String),
    /// It went wrong on the way.
    #[error("{0}")]
    Failed(String),
    /// The database cannot be opened.
    #[error("{0}")]
    Store(String),
}

fn open(request: &ImportRequest, settings: &Settings) -> Result<Table, ImportError> {
    let name = &request.source;
    if name == crate::book::id::LOCAL
        || name.is_empty()
        || name.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(ImportError::Usage(format!(
            "--source: a source is called by one word that is not `local`, not `{}`",
            visible(name)
        )));
    }
    if settings.sources.iter().any(|s| s.name == *name) {
        return Err(ImportError::Usage(format!(
            "--source: {name} is a configured source with rows of its own; choose another name"
        )));
    }
    let kind = match &request.kind {
        None => None,
        Some(k) => Some(
            FileKind::parse(k)
                .ok_or_else(|| ImportError::Usage(format!("--kind: there is no kind `{k}`")))?,
        ),
    };
    let reading = Reading {
        kind,
        map: request.map.clone(),
        currency: Some(settings.money.reporting_currency.clone()),
    };
    Table::open(&request.file, &reading).map_err(ImportError::Usage)
}

fn stream(request: &ImportRequest, kind: FileKind) -> String {
    let file = request
        .file
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    format!("{} {}", kind.name(), visible(&file))
}

fn opened(table: &Table) -> ImportEvent {
    ImportEvent::Opened {
        kind: table.kind().name(),
        notes: table.notes().to_vec(),
    }
}

fn refused(page: &FilePage, tell: &mut dyn FnMut(ImportEvent)) {
    for r in &page.refused {
        tell(ImportEvent::Refused {
            line: r.line,
            column: r.column.clone(),
            value: r.value.clone(),
            reason: r.reason.clone(),
        });
    }
}

/// Says what importing the file would do, row by row; nothing is written.
///
/// # Errors
/// A request, file or database that cannot be used.
pub fn preview(
    request: &ImportRequest,
    settings: &Settings,
    db: &Path,
    tell: &mut dyn FnMut(ImportEvent),
) -> Result<ImportSummary, ImportError> {
    let mut table = open(request, settings)?;
    tell(opened(&table));
    let store = |e: crate::store::StoreError| ImportError::Store(e.to_string());
    let peek = Peek::open(db).map_err(store)?;
    let mut summary = ImportSummary::default();
    let mut nameless = false;
    // Rows refused by name count as met: they keep what they were.
    let mut met = 0;
    loop {
        let page = table.page(PAGE).map_err(ImportError::Failed)?;
        let mut fates = Vec::with_capacity(page.rows.len());
        for (line, record) in &page.rows {
            let fate = match &peek {
                Some(peek) => peek.compare(&request.source, record).map_err(store)?.name(),
                None => "new",
            };
            match fate {
                "new" => summary.new += 1,
                "changed" => summary.changed += 1,
                _ => summary.unchanged += 1,
            }
            fates.push((*line, fate, &record.external_id));
        }
        summary.refused += page.refused.len() as u64;
        nameless |= page.refused.iter().any(|r| r.external_id.is_none());
        met += page
            .refused
            .iter()
            .filter(|r| r.external_id.is_some())
            .count() as u64;
        // In the order of the file, taken and refused together.
        let mut refusals = page.refused.iter().peekable();
        let mut rows = fates.into_iter().peekable();
        loop {
            let refusal_first = match (rows.peek(), refusals.peek()) {
                (None, None) => break,
                (Some((line, ..)), Some(r)) => r.line < *line,
                (None, Some(_)) => true,
                (Some(_), None) => false,
            };
            if refusal_first {
                if let Some(r) = refusals.next() {
                    tell(ImportEvent::Refused {
                        line: r.line,
                        column: r.column.clone(),
                        value: r.value.clone(),
                        reason: r.reason.clone(),
                    });
                }
            } else if let Some((line, fate, name)) = rows.next() {
                tell(ImportEvent::Row {
                    line,
                    fate,
                    name: visible(name).into_owned(),
                });
            }
        }
        if page.done {
            break;
        }
    }
    if let Some(peek) = &peek {
        let held = peek
            .rows(&request.source, &stream(request, table.kind()))
            .map_err(store)?;
        summary.kept = nameless;
        if !nameless {
            summary.gone = held.saturating_sub(summary.changed + summary.unchanged + met);
        }
    }
    Ok(summary)
}

/// Imports the file. To be called on a tokio runtime.
///
/// # Errors
/// A request, file or database that cannot be used.
pub async fn import(
    request: &ImportRequest,
    settings: &Arc<Settings>,
    db: &Path,
    clock: Arc<dyn Clock>,
    tell: &mut dyn FnMut(ImportEvent),
) -> Result<ImportSummary, ImportError> {
    let failed = |_| ImportError::Failed("reading the file failed unexpectedly".into());
    let table = {
        let (request, settings) = (request.clone(), settings.clone());
        tokio::task::spawn_blocking(move || open(&request, &settings))
            .await
            .map_err(failed)??
    };
    tell(opened(&table));
    let kind = table.kind();
    let store: Arc<dyn Storage> = Arc::new(
        Store::open(db, Options::default()).map_err(|e| ImportError::Store(e.to_string()))?,
    );
    // Whose word counts depends on the configured sources; nothing is asked of them.
    let tokens = db.parent().unwrap_or(Path::new(".")).join("tokens");
    let sources = {
        let (settings, clock) = (settings.clone(), clock.clone());
        let connectors = request.connectors.clone();
        tokio::task::spawn_blocking(move || {
            setups(&settings, &clock, tokens, connectors.as_deref())
        })
        .await
        .unwrap_or_default()
    };
    let engine = Engine::new(Setup {
        store: store.clone(),
        clock,
        sources,
        rules: super::rules::configured(settings).0,
        read_only: true,
        author: None,
    });
    // Two pages wait at most: the file is read while the page before is stored.
    let (read, mut pages) = mpsc::channel::<Result<FilePage, String>>(2);
    let reader = tokio::task::spawn_blocking(move || {
        let mut table = table;
        loop {
            let page = table.page(PAGE);
            let last = page.as_ref().map_or(true, |p| p.done);
            if read.blocking_send(page).is_err() || last {
                return;
            }
        }
    });
    let (send, receive) = mpsc::channel(1);
    let work = engine.import(
        Import {
            source: SourceName::from(request.source.as_str()),
            connector: "files",
            stream: stream(request, kind),
            pages: receive,
        },
        |_| {},
    );
    let mut summary = ImportSummary::default();
    let feed = async {
        let mut rows = 0u64;
        while let Some(page) = pages.recv().await {
            let page = page.map(|page| {
                refused(&page, tell);
                summary.refused += page.refused.len() as u64;
                rows += page.rows.len() as u64;
                tell(ImportEvent::Progress(rows));
                plain(page, kind)
            });
            if send.send(page).await.is_err() {
                return;
            }
        }
        drop(send);
        tell(ImportEvent::Merging);
    };
    let (done, ()) = tokio::join!(work, feed);
    drop(pages);
    let _ = reader.await;
    let closed = store.close().await;
    let done = done.map_err(ImportError::Failed)?;
    closed.map_err(|e| ImportError::Failed(e.to_string()))?;
    summary.new = done.stats.inserted;
    summary.changed = done.stats.changed;
    summary.unchanged = done.stats.unchanged;
    summary.implied = done.stats.implied;
    summary.gone = done.gone;
    summary.kept = done.kept;
    summary.left_to = done.left_to;
    Ok(summary)
}

fn plain(page: FilePage, kind: FileKind) -> ImportPage {
    let problems = page
        .refused
        .into_iter()
        .map(|r| RowProblem {
            entity: kind.entity(),
            reason: format!("line {}: {}", r.line, r.describe()),
            external_id: r.external_id,
        })
        .collect();
    let mut records = page.implied;
    records.extend(page.rows.into_iter().map(|(_, r)| r));
    ImportPage { records, problems }
}
