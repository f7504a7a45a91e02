//! `csops import`: a file of rows, without any source configured.

use super::args::{Global, Import};
use super::print::print_json;
use super::start::{self, Failure, narrate};
use crate::book::Clock;
use crate::book::text::visible;
use crate::cockpit::{ImportError, ImportEvent, ImportRequest, ImportSummary, import, preview};
use crate::config::load;
use crate::tui::fmt::counted;
use serde_json::{Value, json};
use std::io::{BufWriter, IsTerminal, Write};
use std::sync::Arc;

/// So many refused rows stand in a JSON document; all of them are counted.
const LISTED: usize = 1_000;

/// Runs it.
///
/// # Errors
/// 1 when a row was refused or it did not go through, 2 when the file cannot be used so, 3 when the database cannot be opened.
pub fn run(global: &Global, options: &Import, out: &mut dyn Write) -> Result<(), Failure> {
    let paths = start::paths(global)?;
    let loaded = load(&paths.config);
    if paths.config_named && !loaded.found {
        return Err(Failure::usage(format!(
            "the settings file {} is not there; csops init writes one",
            paths.config.display()
        )));
    }
    for problem in &loaded.problems {
        narrate(&problem.to_string());
    }
    let settings = Arc::new(loaded.settings);
    let clock = start::clock(global, settings.calendar.time_zone.clone())?;
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let _log = start::logging(&paths, settings.log_level.name(), true);
    let request = ImportRequest {
        file: options.file.clone(),
        kind: options.kind.map(|k| k.name().to_owned()),
        map: options.map.clone(),
        source: options.source.clone(),
        connectors: Some(paths.connectors()),
    };
    let mut report = Report {
        out: BufWriter::new(out),
        json: options.json,
        kind: "",
        notes: Vec::new(),
        rows: Vec::new(),
        failed: None,
        said: 0,
        alive: std::io::stderr().is_terminal(),
    };
    let summary = if options.dry_run {
        preview(&request, &settings, &paths.db, &mut |e| report.tell(e))
    } else {
        if let Some(folder) = paths.db.parent() {
            std::fs::create_dir_all(folder).map_err(|e| {
                Failure::store(format!(
                    "the folder {} cannot be made: {e}",
                    folder.display()
                ))
            })?;
        }
        let runtime = start::runtime(2, "csops")?;
        runtime.block_on(import(
            &request,
            &settings,
            &paths.db,
            clock.clone(),
            &mut |e| report.tell(e),
        ))
    };
    let summary = match summary {
        Ok(summary) => summary,
        Err(e) => {
            report.out.flush()?;
            return Err(match e {
                ImportError::Usage(e) => Failure::usage(e),
                ImportError::Failed(e) => Failure::failed(e),
                ImportError::Store(e) => Failure::store(e),
            });
        }
    };
    report.end(options, &*clock, &summary)?;
    if summary.refused > 0 {
        Err(Failure::no())
    } else {
        Ok(())
    }
}

/// Where everything that is told goes.
struct Report<'a> {
    out: BufWriter<&'a mut dyn Write>,
    json: bool,
    kind: &'static str,
    notes: Vec<String>,
    rows: Vec<Value>,
    failed: Option<std::io::Error>,
    said: u64,
    alive: bool,
}

impl Report<'_> {
    fn tell(&mut self, event: ImportEvent) {
        match event {
            ImportEvent::Opened { kind, notes } => {
                self.kind = kind;
                narrate(&format!("{kind}:"));
                for note in &notes {
                    narrate(&format!("  {note}"));
                }
                self.notes = notes;
            }
            ImportEvent::Row { line, fate, name } => {
                if self.json {
                    self.keep(json!({"line": line, "would": fate, "row": name}));
                } else {
                    self.line(line, fate, &name);
                }
            }
            ImportEvent::Refused {
                line,
                column,
                value,
                reason,
            } => {
                if self.json {
                    self.keep(json!({"line": line, "would": "refused", "column": column, "value": value, "reason": reason}));
                    return;
                }
                let words = match (column.is_empty(), value.is_empty()) {
                    (true, true) => reason,
                    (true, false) => format!("{reason}: `{value}`"),
                    (false, true) => format!("{column}: {reason}"),
                    (false, false) => format!("{column}: `{value}` {reason}"),
                };
                self.line(line, "refused", &words);
            }
            ImportEvent::Merging => {
                if self.alive {
                    narrate("  merging");
                }
            }
            ImportEvent::Progress(rows) => {
                // What was refused shows while the rest is read.
                if let Err(e) = self.out.flush() {
                    self.failed.get_or_insert(e);
                }
                // A line now and then, on a terminal only.
                if self.alive && rows >= self.said + 100_000 {
                    self.said = rows;
                    narrate(&format!("  {rows} rows read"));
                }
            }
        }
    }

    fn keep(&mut self, row: Value) {
        if self.rows.len() < LISTED {
            self.rows.push(row);
        }
    }

    fn line(&mut self, line: u64, what: &str, words: &str) {
        let written = writeln!(self.out, "line {line:<8} {what:<10} {}", visible(words));
        if let Err(e) = written {
            self.failed.get_or_insert(e);
        }
    }

    fn end(
        mut self,
        options: &Import,
        clock: &dyn Clock,
        summary: &ImportSummary,
    ) -> Result<(), Failure> {
        if let Some(e) = self.failed.take() {
            return Err(e.into());
        }
        let s = summary;
        let rows = s.new + s.changed + s.unchanged + s.refused;
        if self.json {
            let document = json!({
                "as_of": clock.now().to_string(), "kind": self.kind, "file": options.file.to_string_lossy(),
                "source": options.source, "dry_run": options.dry_run, "read_as": self.notes,
                "coverage": {
                    "rows": rows, "new": s.new, "changed": s.changed, "unchanged": s.unchanged, "refused": s.refused,
                    "gone": s.gone, "implied": s.implied,
                },
                "rows": self.rows,
            });
            print_json(&document, &mut self.out)?;
            self.out.flush()?;
            return Ok(());
        }
        let would = if options.dry_run { "would be " } else { "" };
        writeln!(
            self.out,
            "{rows} rows: {would}{} new, {} changed, {} unchanged, {} refused",
            s.new, s.changed, s.unchanged, s.refused
        )?;
        self.out.flush()?;
        if s.gone > 0 {
            let rows = counted(usize::try_from(s.gone).unwrap_or(usize::MAX), "row");
            narrate(&format!(
                "{rows} that the file no longer has {} gone",
                match s.gone {
                    _ if options.dry_run => "would be",
                    1 => "is",
                    _ => "are",
                }
            ));
        }
        if s.implied > 0 {
            narrate(&match s.implied {
                1 => "1 account or person was made because rows refer to it".to_owned(),
                n => format!("{n} accounts or people were made because rows refer to them"),
            });
        }
        if let Some(other) = &s.left_to {
            narrate(&format!(
                "{other} syncs this database and shows the rows in a moment"
            ));
        }
        if s.kept {
            narrate(
                "rows of an earlier import that were not met stay, because refused rows cannot be told from them",
            );
        }
        Ok(())
    }
}
