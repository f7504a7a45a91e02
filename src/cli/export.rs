//! `csops export`: what `csops list` shows, into a file.

use super::args::{Export, Global};
use super::list;
use super::print::Format;
use super::start::{Failure, narrate};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Runs it.
///
/// # Errors
/// 2 for a query, column or sort that cannot be understood or a file name that says no format, 1 when the file cannot be written.
pub fn run(global: &Global, export: &Export, out: &mut dyn Write) -> Result<(), Failure> {
    let format = match (list::format(&export.list), &export.out) {
        (Format::Table, Some(path)) => of_name(path)?,
        (Format::Table, None) => Format::Csv,
        (said, _) => said,
    };
    let Some(path) = &export.out else {
        list::print(global, &export.list, format, out)?;
        return Ok(());
    };
    // Beside it first: whoever reads the file meanwhile sees the old one or the new one, never half of it.
    let beside = beside(path);
    let written = (|| {
        let mut file = BufWriter::new(File::create(&beside).map_err(|e| cannot(path, &e))?);
        let rows = list::print(global, &export.list, format, &mut file)?;
        file.flush().map_err(|e| cannot(path, &e))?;
        std::fs::rename(&beside, path).map_err(|e| cannot(path, &e))?;
        Ok(rows)
    })();
    match written {
        Ok(rows) => {
            narrate(&format!("{rows} rows in {}", path.display()));
            Ok(())
        }
        Err(e) => {
            let _ = std::fs::remove_file(&beside);
            Err(e)
        }
    }
}

fn cannot(path: &Path, e: &std::io::Error) -> Failure {
    Failure::failed(format!("{} cannot be written: {e}", path.display()))
}

fn beside(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}

fn of_name(path: &Path) -> Result<Format, Failure> {
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("json") => Ok(Format::Json),
        Some("ndjson" | "jsonl") => Ok(Format::JsonLines),
        _ => Err(Failure::usage(format!(
            "--out {}: the name says no format; end it with .csv, .json or .ndjson, or say --csv, --json or --ndjson",
            path.display()
        ))),
    }
}
