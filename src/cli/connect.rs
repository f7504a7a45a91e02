//! `csops connect list|check|describe`.

use super::args::{ConnectVerb, Global};
use super::open::{How, open};
use super::print::{Format, Rows, print_json};
use super::start::Failure;
use crate::book::FieldValue;
use serde_json::{Map, json};
use std::io::Write;

/// Runs it.
///
/// # Errors
/// 1 when a source does not answer or is not known.
pub fn run(global: &Global, verb: &ConnectVerb, out: &mut dyn Write) -> Result<(), Failure> {
    let session = open(global, How::Headless)?;
    match verb {
        ConnectVerb::List => {
            for s in &session.loaded.settings.sources {
                writeln!(
                    out,
                    "{:<12} {:<12} {}",
                    s.name,
                    s.connector,
                    s.base_url
                        .as_deref()
                        .or(s.options.get("folder").map(String::as_str))
                        .unwrap_or("the vendor's own address")
                )?;
            }
            Ok(())
        }
        ConnectVerb::Check { source } => {
            let checked = session
                .runtime
                .block_on(session.cockpit.check_sources(&[source.as_str()]))
                .map_err(Failure::failed)?;
            let mut fine = true;
            for (name, answer) in &checked {
                fine &= answer.is_ok();
                let words = answer
                    .as_ref()
                    .map_or_else(|e| format!("✗ {e}"), |who| format!("✓ {who}"));
                writeln!(out, "{name}: {}", crate::book::text::visible(&words))?;
            }
            if fine { Ok(()) } else { Err(Failure::no()) }
        }
        ConnectVerb::Describe {
            source,
            json: as_json,
        } => {
            // A check teaches the pick lists; without it only what the connector knows by itself is shown.
            let checked = session
                .runtime
                .block_on(session.cockpit.check_sources(&[source.as_str()]))
                .map_err(Failure::failed)?;
            session.runtime.block_on(session.cockpit.refresh());
            let snapshot = session.cockpit.snapshot();
            let info = snapshot
                .infos
                .iter()
                .find(|i| i.name.as_deref() == Some(source.as_str()));
            let info = info.ok_or_else(|| {
                Failure::failed(format!(
                    "{source} could not be opened: csops doctor says why"
                ))
            })?;
            if *as_json {
                let reached = checked.iter().all(|(_, a)| a.is_ok());
                return Ok(print_json(
                    &json!({"source": source, "reached": reached, "capabilities": info.capabilities}),
                    out,
                )?);
            }
            let rows = info.capabilities.writes.iter().map(|w| {
                vec![
                    FieldValue::text(w.entity.name()),
                    FieldValue::text(match w.field.as_str() {
                        "*" => "create",
                        "-" => "delete",
                        field => field,
                    }),
                    FieldValue::text(w.why_not.clone().unwrap_or_else(|| w.writes.clone())),
                    FieldValue::text(match (w.why_not.is_some(), w.guarded) {
                        (true, _) => "kept here",
                        (false, true) => "guarded by the vendor",
                        (false, false) => "compared just before",
                    }),
                ]
            });
            let rows = Rows {
                columns: ["entity", "field", "writes", "overwrites"]
                    .map(str::to_owned)
                    .to_vec(),
                rows: rows.collect(),
            };
            rows.print(Format::Table, Map::new(), out)?;
            for (entity, field, choices) in &info.capabilities.choices {
                writeln!(
                    out,
                    "\n{entity} {field}: {}",
                    crate::book::text::visible(&choices.join(" · "))
                )?;
            }
            Ok(())
        }
    }
}
