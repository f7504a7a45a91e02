//! What a vendor accepted, kept so that a second start meets the same world: one JSON document per line in
//! `journal-<vendor>.jsonl`. Lines are flushed before the write is answered; a line that a crash cut in half is dropped.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::world::WorldEvent;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A write that a client made and the vendor accepted. `what` is the vendor's own description, enough to replay it
    /// exactly (ids that were given out included).
    Write { at: Timestamp, what: Value },
    /// A change of the world.
    Live(WorldEvent),
}

impl Entry {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Entry::Write { at, .. } => *at,
            Entry::Live(event) => event.at,
        }
    }
}

struct Inner {
    file: Option<File>,
    path: Option<PathBuf>,
    writes: Vec<Value>,
}

/// An append-only list of entries, in memory and, when a folder was given, on disk. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Mutex<Inner>>,
}

impl Journal {
    /// A journal that lives only as long as the process.
    pub fn in_memory() -> Self {
        Journal {
            inner: Arc::new(Mutex::new(Inner {
                file: None,
                path: None,
                writes: Vec::new(),
            })),
        }
    }

    /// Opens (or begins) `dir/journal-<vendor>.jsonl` and answers what it held, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read or opened for writing, or holds a line (not the last) that is not an entry.
    pub fn open(dir: &Path, vendor: &str) -> io::Result<(Self, Vec<Entry>)> {
        let path = dir.join(format!("journal-{vendor}.jsonl"));
        let mut entries = Vec::new();
        let mut good = 0u64;
        if path.exists() {
            let mut reader = BufReader::new(File::open(&path)?);
            let mut line = Vec::new();
            let mut number = 0;
            loop {
                line.clear();
                let read = reader.read_until(b'\n', &mut line)?;
                if read == 0 {
                    break;
                }
                number += 1;
                match serde_json::from_slice::<Entry>(&line) {
                    Ok(entry) if line.ends_with(b"\n") => {
                        entries.push(entry);
                        good += read as u64;
                    }
                    // A last line without its newline was being written when the process died: nobody got an answer.
                    _ if !line.ends_with(b"\n") => break,
                    Ok(_) => {}
                    Err(error) => {
                        return Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            format!(
                                "{} line {number} is not a journal entry ({error}); start again with --reset",
                                path.display()
                            ),
                        ));
                    }
                }
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.set_len(good)?;
        let writes = entries.iter().filter_map(written).collect();
        Ok((
            Journal {
                inner: Arc::new(Mutex::new(Inner {
                    file: Some(file),
                    path: Some(path),
                    writes,
                })),
            },
            entries,
        ))
    }

    /// Appends an accepted write. To be called before the client gets its answer.
    ///
    /// # Errors
    /// When the line cannot be written; the vendor then answers a server error and must not keep the write.
    pub fn write(&self, at: Timestamp, what: Value) -> io::Result<()> {
        self.append(&Entry::Write { at, what })
    }

    /// Appends any entry.
    ///
    /// # Errors
    /// As [`Journal::write`].
    pub fn append(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut inner = self
            .inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let name = inner.path.clone();
        if let Some(file) = inner.file.as_mut() {
            file.write_all(&line)
                .and_then(|()| file.flush())
                .map_err(|error| {
                    let name = name
                        .map(|path| path.display().to_string())
                        .unwrap_or_default();
                    io::Error::new(
                        error.kind(),
                        format!("the simulator's journal {name} cannot be written: {error}"),
                    )
                })?;
        }
        inner.writes.extend(written(entry));
        Ok(())
    }

    /// The accepted writes so far, each `{"at", …what}`; live changes are not among them.
    pub fn writes(&self) -> Vec<Value> {
        self.inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .writes
            .clone()
    }
}

fn written(entry: &Entry) -> Option<Value> {
    match entry {
        Entry::Write { at, what } => Some(serde_json::json!({ "at": at, "what": what })),
        Entry::Live(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_start_reads_what_the_first_wrote_and_drops_a_torn_line() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let (journal, before) = Journal::open(dir.path(), "acme")?;
        assert!(before.is_empty());
        journal.write(
            Timestamp::UNIX_EPOCH,
            serde_json::json!({"op": "create", "id": "1"}),
        )?;
        drop(journal);
        let path = dir.path().join("journal-acme.jsonl");
        OpenOptions::new()
            .append(true)
            .open(&path)?
            .write_all(b"{\"entry\":\"wri")?;
        let (journal, entries) = Journal::open(dir.path(), "acme")?;
        assert_eq!(entries.len(), 1);
        journal.write(
            Timestamp::UNIX_EPOCH,
            serde_json::json!({"op": "create", "id": "2"}),
        )?;
        let (journal, entries) = Journal::open(dir.path(), "acme")?;
        assert_eq!(entries.len(), 2);
        assert_eq!(journal.writes()[1]["what"]["id"], "2");
        Ok(())
    }
}
