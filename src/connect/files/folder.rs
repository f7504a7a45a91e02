//! A watched folder as a source: the files whose names (or map files) say what they hold, one stream for each kind. A file that did not
//! change costs a look at its size and time; when one changes, the files of its kind are read again, so that rows that left are missed.

use super::kinds::FileKind;
use super::map::Map;
use super::rows::{Reading, Table};
use crate::book::{
    Budget, Capabilities, Cursor, Entity, Record, RowProblem, SourceName, WriteSupport,
};
use crate::connect::{
    ConnectError, Connector, ErrorKind, Page, SourceSettings, Stream, Write, Written,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The connector's name.
const KIND: &str = "files";
/// Rows of a page.
const PAGE: usize = 4_000;
const ENDINGS: [&str; 6] = ["csv", "tsv", "tab", "txt", "jsonl", "ndjson"];
const ONLY_READ: &str = "files are only read: it is kept here";

/// The connector.
pub(in crate::connect) struct Folder {
    inner: Arc<Inner>,
}

struct Inner {
    name: SourceName,
    folder: PathBuf,
    currency: Option<String>,
    /// The stream that is being read, if one is.
    running: Mutex<Option<Running>>,
}

/// A file as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    name: String,
    size: u64,
    /// Nanoseconds since 1970.
    time: u64,
    hash: u64,
    /// Its map file, the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    map: Option<u64>,
}

/// Where a stream stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    files: Vec<Mark>,
    /// In the middle of a run: how many pages are read of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pages: Option<u64>,
}

struct Running {
    kind: FileKind,
    marks: Vec<Mark>,
    pages: u64,
    /// Which of the files is next.
    next: usize,
    table: Option<(String, Table)>,
}

impl Folder {
    /// Opens it: reads nothing yet.
    pub(in crate::connect) fn open(settings: &SourceSettings) -> Result<Folder, ConnectError> {
        let name = settings.name.clone();
        let Some(folder) = settings.options.get("folder") else {
            return Err(setup(format!(
                "{name}: a source of files needs its folder: [source.options] folder = \"/path/to/folder\""
            )));
        };
        let folder = match folder.strip_prefix("~/") {
            Some(rest) => match std::env::home_dir() {
                Some(home) => home.join(rest),
                None => PathBuf::from(folder),
            },
            None => PathBuf::from(folder),
        };
        if !folder.is_absolute() {
            return Err(setup(format!(
                "{name}: `folder` must begin with / or ~/, not be {}: csops may be started anywhere",
                folder.display()
            )));
        }
        Ok(Folder {
            inner: Arc::new(Inner {
                name,
                folder,
                currency: settings.options.get("currency").cloned(),
                running: Mutex::new(None),
            }),
        })
    }
}

fn setup(message: String) -> ConnectError {
    ConnectError {
        kind: ErrorKind::Setup,
        message,
    }
}

fn only_read<T>(name: &str) -> Result<T, ConnectError> {
    Err(ConnectError {
        kind: ErrorKind::Refused { field: None },
        message: format!("{name}: {ONLY_READ}"),
    })
}

fn lost(message: String) -> ConnectError {
    ConnectError {
        kind: ErrorKind::CursorLost,
        message,
    }
}

impl Inner {
    fn trouble(&self, e: &std::io::Error) -> ConnectError {
        setup(format!(
            "{}: the folder {} cannot be read: {e}. Correct `folder` in [source.options], or who may read it",
            self.name,
            self.folder.display()
        ))
    }

    /// The files of the folder with their map files, and what they hold; by name.
    fn files(&self) -> Result<Vec<(PathBuf, Option<PathBuf>, FileKind)>, ConnectError> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(|e| self.trouble(&e))? {
            let path = entry.map_err(|e| self.trouble(&e))?.path();
            let ending = path
                .extension()
                .map(|e| e.to_string_lossy().to_ascii_lowercase())
                .unwrap_or_default();
            let name = name_of(&path);
            if !ENDINGS.contains(&ending.as_str())
                || name.starts_with(['.', '~'])
                || !path.is_file()
            {
                continue;
            }
            let stem = path
                .file_stem()
                .map(|s| s.to_string_lossy().into_owned())
                .unwrap_or_default();
            let map = [format!("{name}.map.toml"), format!("{stem}.map.toml")]
                .into_iter()
                .map(|m| path.with_file_name(m))
                .find(|m| m.is_file());
            // A map file that cannot be read is met again, and told, when its file is opened.
            let said = map
                .as_ref()
                .and_then(|m| Map::read(m).ok()?.kind().ok().flatten());
            if let Some(kind) = said.or_else(|| FileKind::of_file_name(&name)) {
                found.push((path, map, kind));
            }
        }
        found.sort();
        Ok(found)
    }

    /// The files of a kind as they are now. What looks as it did before is not read; `None` for a file that is gone again.
    fn marks(&self, kind: FileKind, before: &[Mark]) -> Result<Vec<Mark>, ConnectError> {
        let mut marks = Vec::new();
        for (path, map, of) in self.files()? {
            if of != kind {
                continue;
            }
            let name = name_of(&path);
            let Ok(meta) = std::fs::metadata(&path) else {
                continue;
            };
            let time = meta
                .modified()
                .ok()
                .and_then(|t| t.duration_since(SystemTime::UNIX_EPOCH).ok())
                .map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX));
            let known = before
                .iter()
                .find(|m| m.name == name && m.size == meta.len() && m.time == time);
            let hash = match known {
                Some(known) => known.hash,
                None => hash(&path).map_err(|e| self.trouble(&e))?,
            };
            marks.push(Mark {
                name,
                size: meta.len(),
                time,
                hash,
                map: map.and_then(|m| hash_of(&m)),
            });
        }
        Ok(marks)
    }

    fn page(&self, stream: &str, cursor: Option<&Cursor>) -> Result<Page, ConnectError> {
        let Some(kind) = FileKind::parse(stream) else {
            return Err(setup(format!("{}: there is no stream {stream}", self.name)));
        };
        let place: Option<Place> = match cursor {
            None => None,
            Some(c) => Some(serde_json::from_str(&c.0).map_err(|_| {
                lost(format!(
                    "where {stream} stood cannot be read; its files are read again"
                ))
            })?),
        };
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match place {
            None => {
                *running = Some(Running {
                    kind,
                    marks: self.marks(kind, &[])?,
                    pages: 0,
                    next: 0,
                    table: None,
                });
            }
            Some(place) => match place.pages {
                None => return self.unless_changed(kind, place),
                Some(pages) => {
                    let same = running.as_ref().is_some_and(|r| {
                        r.kind == kind && r.pages == pages && r.marks == place.files
                    });
                    if !same {
                        return Err(lost(format!(
                            "reading the files of {stream} was interrupted; they are read again"
                        )));
                    }
                }
            },
        }
        let Some(run) = running.as_mut() else {
            return Err(setup(format!("{}: {stream} is not being read", self.name)));
        };
        let page = self.read(run)?;
        if page.done {
            *running = None;
        }
        Ok(page)
    }

    /// Nothing, when the files are as they were.
    fn unless_changed(&self, kind: FileKind, place: Place) -> Result<Page, ConnectError> {
        let now = self.marks(kind, &place.files)?;
        let same = |a: &Mark, b: &Mark| {
            (&a.name, a.size, a.hash, a.map) == (&b.name, b.size, b.hash, b.map)
        };
        if now.len() == place.files.len() && now.iter().zip(&place.files).all(|(a, b)| same(a, b)) {
            return Ok(Page {
                records: Vec::new(),
                problems: Vec::new(),
                next: bookmark(now, None),
                done: true,
                total: None,
                requests: 0,
            });
        }
        let changed = now
            .iter()
            .find(|m| !place.files.iter().any(|b| same(m, b)))
            .or_else(|| place.files.iter().find(|m| !now.iter().any(|n| same(m, n))));
        let name = changed.map_or("a file", |m| m.name.as_str());
        Err(lost(format!(
            "{} changed; the files of its kind are read again",
            crate::book::text::visible(name)
        )))
    }

    fn read(&self, run: &mut Running) -> Result<Page, ConnectError> {
        let mut page = Page {
            records: Vec::new(),
            problems: Vec::new(),
            next: Cursor(String::new()),
            done: false,
            total: None,
            requests: 0,
        };
        while page.records.len() + page.problems.len() < PAGE && !page.done {
            if run.table.is_none() {
                let Some(mark) = run.marks.get(run.next) else {
                    page.done = true;
                    break;
                };
                run.next += 1;
                let name = mark.name.clone();
                match self.table(&name, run.kind) {
                    Ok(table) => run.table = Some((name, table)),
                    // A file that cannot be used does not stop the others; that it was not read keeps what it held.
                    Err(reason) => page.problems.push(RowProblem {
                        entity: run.kind.entity(),
                        external_id: None,
                        reason,
                    }),
                }
                continue;
            }
            let Some((name, table)) = run.table.as_mut() else {
                continue;
            };
            let rows = table.page(PAGE).map_err(setup)?;
            page.records.extend(rows.implied);
            page.records.extend(rows.rows.into_iter().map(|(_, r)| r));
            page.problems
                .extend(rows.refused.into_iter().map(|r| RowProblem {
                    entity: run.kind.entity(),
                    reason: format!("{name} line {}: {}", r.line, r.describe()),
                    external_id: r.external_id,
                }));
            if rows.done {
                run.table = None;
            }
        }
        run.pages += 1;
        let pages = (!page.done).then_some(run.pages);
        page.next = bookmark(run.marks.clone(), pages);
        Ok(page)
    }

    fn table(&self, name: &str, kind: FileKind) -> Result<Table, String> {
        let path = self.folder.join(name);
        let stem = path
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        let map = [format!("{name}.map.toml"), format!("{stem}.map.toml")]
            .into_iter()
            .map(|m| self.folder.join(m))
            .find(|m| m.is_file());
        Table::open(
            &path,
            &Reading {
                kind: Some(kind),
                map,
                currency: self.currency.clone(),
            },
        )
    }
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn bookmark(files: Vec<Mark>, pages: Option<u64>) -> Cursor {
    Cursor(serde_json::to_string(&Place { files, pages }).unwrap_or_default())
}

fn hash(path: &Path) -> std::io::Result<u64> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = DefaultHasher::new();
    let mut buffer = vec![0u8; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finish());
        }
        hasher.write(&buffer[..read]);
    }
}

fn hash_of(path: &Path) -> Option<u64> {
    hash(path).ok()
}

impl Connector for Folder {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn streams(&self) -> Vec<Stream> {
        FileKind::ALL
            .iter()
            .map(|k| Stream {
                name: k.name(),
                entity: k.entity(),
                apart: false,
            })
            .collect()
    }

    fn capabilities(&self) -> Capabilities {
        let kept = [
            (Entity::Account, "csm"),
            (Entity::Escalation, "*"),
            (Entity::Task, "*"),
            (Entity::Touchpoint, "*"),
            (Entity::Renewal, "stage"),
        ];
        Capabilities {
            writes: kept
                .into_iter()
                .map(|(entity, field)| WriteSupport {
                    entity,
                    field: field.to_owned(),
                    writes: String::new(),
                    guarded: false,
                    why_not: Some(ONLY_READ.to_owned()),
                })
                .collect(),
            choices: Vec::new(),
        }
    }

    fn check(&self) -> BoxFuture<'_, Result<String, ConnectError>> {
        let inner = self.inner.clone();
        off_thread(move || {
            let files = inner.files()?;
            let mut counts = Vec::new();
            for kind in FileKind::ALL {
                let n = files.iter().filter(|(_, _, k)| *k == kind).count();
                if n > 0 {
                    counts.push(format!("{} in {n}", kind.name()));
                }
            }
            let what = if counts.is_empty() {
                "no file whose name begins with accounts, people, subscriptions, …".to_owned()
            } else {
                format!("{} files: {}", files.len(), counts.join(", "))
            };
            Ok(format!("the folder {} has {what}", inner.folder.display()))
        })
    }

    fn fetch<'a>(
        &'a self,
        stream: &'a str,
        cursor: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Page, ConnectError>> {
        let (inner, stream, cursor) = (self.inner.clone(), stream.to_owned(), cursor.cloned());
        off_thread(move || inner.page(&stream, cursor.as_ref()))
    }

    fn read<'a>(
        &'a self,
        _: Entity,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, ConnectError>> {
        async { only_read(&self.inner.name) }.boxed()
    }

    fn find<'a>(&'a self, _: &'a Write) -> BoxFuture<'a, Result<Option<Record>, ConnectError>> {
        async { only_read(&self.inner.name) }.boxed()
    }

    fn write<'a>(&'a self, _: &'a Write) -> BoxFuture<'a, Result<Written, ConnectError>> {
        async { only_read(&self.inner.name) }.boxed()
    }

    fn web_url(&self, _: Entity, _: &str) -> Option<String> {
        None
    }

    fn budget(&self) -> Budget {
        Budget::default()
    }
}

/// Reading files blocks; the runtime's threads are not for that.
fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectError> + Send + 'static,
) -> BoxFuture<'static, Result<T, ConnectError>> {
    async move {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(_) => Err(setup(
                "reading the files failed unexpectedly; the next sync tries again".into(),
            )),
        }
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Auth;

    fn folder(dir: &Path) -> Folder {
        Folder::open(&SourceSettings {
            name: "sheets".into(),
            connector: KIND.into(),
            base_url: None,
            auth: Auth::None,
            ca_file: None,
            daily_requests: None,
            secrets: Default::default(),
            fields: Default::default(),
            options: [("folder".to_owned(), dir.to_string_lossy().into_owned())].into(),
        })
        .expect("opened")
    }

    fn all(
        f: &Folder,
        stream: &str,
        from: Option<Cursor>,
    ) -> Result<(Vec<String>, Cursor), ErrorKind> {
        let mut cursor = from;
        let mut ids = Vec::new();
        loop {
            let page = f.inner.page(stream, cursor.as_ref()).map_err(|e| e.kind)?;
            ids.extend(page.records.into_iter().map(|r| r.external_id));
            if page.done {
                return Ok((ids, page.next));
            }
            cursor = Some(page.next);
        }
    }

    #[test]
    fn what_did_not_change_is_not_read_again_and_what_did_is() {
        let dir = tempfile::tempdir().expect("a folder");
        let put =
            |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        put("accounts-eu.csv", "id,name\n1,a\n");
        put("customers.csv", "Nr\n2\n");
        put(
            "customers.map.toml",
            "kind = \"accounts\"\n[rename]\nNr = \"id\"\n",
        );
        put("notes.csv", "x\n");
        let f = folder(dir.path());
        let (ids, at) = all(&f, "accounts", None).expect("read");
        assert_eq!(ids, ["1", "2"]);
        assert_eq!(
            all(&f, "people", None).expect("read").0,
            Vec::<String>::new()
        );
        // Touched, but the same.
        put("accounts-eu.csv", "id,name\n1,a\n");
        let (ids, at) = all(&f, "accounts", Some(at)).expect("unchanged");
        assert!(ids.is_empty());
        put("accounts-eu.csv", "id,name\n1,b\n");
        assert_eq!(
            all(&f, "accounts", Some(at.clone())).err(),
            Some(ErrorKind::CursorLost)
        );
        let (_, after) = all(&f, "accounts", None).expect("read");
        std::fs::remove_file(dir.path().join("customers.csv")).expect("gone");
        assert_eq!(
            all(&f, "accounts", Some(after)).err(),
            Some(ErrorKind::CursorLost)
        );
        // A page in the middle of a run that this process did not begin.
        let place = bookmark(Vec::new(), Some(3));
        assert_eq!(
            all(&f, "accounts", Some(place)).err(),
            Some(ErrorKind::CursorLost)
        );
    }

    #[test]
    fn many_rows_come_in_pages_and_a_bad_file_does_not_stop_the_others() {
        let dir = tempfile::tempdir().expect("a folder");
        let rows: String = (0..PAGE * 2 + 5).map(|i| format!("{i},n\n")).collect();
        std::fs::write(dir.path().join("accounts.csv"), format!("id,name\n{rows}"))
            .expect("written");
        std::fs::write(dir.path().join("accounts2.csv"), "id,id\n1,2\n").expect("written");
        let f = folder(dir.path());
        let (ids, _) = all(&f, "accounts", None).expect("read");
        assert_eq!(ids.len(), PAGE * 2 + 5);
        let page = f.inner.page("accounts", None).expect("a page");
        assert!(!page.done && page.records.len() == PAGE);
        let gone = folder(Path::new("/nowhere/at/all"));
        assert!(gone.inner.page("accounts", None).is_err());
    }
}
