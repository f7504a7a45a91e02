//! The connectors that there are, and what a manifest would do: for the front doors, which do not know the vendors.

use crate::connect::manifest::{Library, load, preview as requests};
use std::path::Path;

/// Every connector, built in or in the user's folder: its name with its logins, or what is wrong with its manifest.
pub fn all(folder: &Path) -> Vec<(String, Result<String, String>)> {
    Library::with_folder(folder)
        .iter()
        .map(|(id, manifest)| {
            let what = manifest
                .as_ref()
                .map(|m| format!("{:<12} login: {}", m.name, m.auth.kinds.join(", ")))
                .map_err(Clone::clone);
            (id.to_owned(), what)
        })
        .collect()
}

/// Reads a manifest as it would be used and says which requests it would make; nothing is sent, secrets are masked.
///
/// # Errors
/// Everything that is wrong with it, a line each, with file, line and column.
pub fn preview(file: &str, text: &str, now: jiff::Timestamp) -> Result<String, String> {
    Ok(requests(&load(file, text)?, now))
}
