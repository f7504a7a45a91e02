//! `csops connect list|check|describe|manifest check`.

use super::args::{ConnectVerb, Global, ManifestVerb};
use super::open::{How, open};
use super::print::{Format, Rows, print_json};
use super::start::Failure;
use crate::book::{FieldValue, TenantField};
use crate::cockpit::{connectors, rules};
use serde_json::{Map, json};
use std::io::Write;
use std::path::Path;

/// Runs it.
///
/// # Errors
/// 1 when a source does not answer or is not known.
pub fn run(global: &Global, verb: &ConnectVerb, out: &mut dyn Write) -> Result<(), Failure> {
    // What needs no database works also when there is none.
    if let ConnectVerb::Manifest {
        verb: ManifestVerb::Check { file },
    } = verb
    {
        return check_manifest(file, out);
    }
    let session = open(global, How::Headless)?;
    match verb {
        ConnectVerb::Manifest { .. } => Ok(()),
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
            if !session.loaded.settings.sources.is_empty() {
                writeln!(out)?;
            }
            writeln!(out, "connectors:")?;
            for (id, manifest) in connectors::all(&session.paths.connectors()) {
                match manifest {
                    Ok(what) => writeln!(out, "  {id:<12} {what}")?,
                    Err(why) => writeln!(out, "  {id:<12} ✗ {}", crate::book::text::visible(&why))?,
                }
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
            let described = session
                .runtime
                .block_on(session.cockpit.describe_source(source));
            let fields = described.clone().unwrap_or_default();
            if *as_json {
                let reached = checked.iter().all(|(_, a)| a.is_ok());
                let aside: Map<String, serde_json::Value> =
                    rules::set_aside(&session.loaded.settings, source)
                        .into_iter()
                        .map(|(entity, why)| (entity.name().to_owned(), json!(why)))
                        .collect();
                return Ok(print_json(
                    &json!({"source": source, "reached": reached, "capabilities": info.capabilities, "set_aside": aside, "fields": fields}),
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
            let aside = rules::set_aside(&session.loaded.settings, source);
            let rows = rows.chain(aside.iter().map(|(entity, why)| {
                let read = ["read", why, ""].map(FieldValue::text);
                std::iter::once(FieldValue::text(entity.name()))
                    .chain(read)
                    .collect()
            }));
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
            if let Err(why) = described {
                return Err(Failure::failed(why));
            }
            tenant_fields(&fields, out)
        }
    }
}

/// The tenant's fields: what each is read as, or the line that would read it.
fn tenant_fields(fields: &[TenantField], out: &mut dyn Write) -> Result<(), Failure> {
    if fields.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let rows = fields.iter().map(|f| {
        vec![
            FieldValue::text(f.entity.name()),
            FieldValue::text(f.name.clone()),
            FieldValue::text(f.kind.clone()),
            FieldValue::text(
                f.filled
                    .map_or_else(String::new, |(n, of)| format!("{n} of {of}")),
            ),
            FieldValue::text(f.mapped.clone().unwrap_or_default()),
            FieldValue::text(f.proposed.as_ref().map_or_else(String::new, |p| {
                format!("\"{}.{p}\" = \"{}\"", f.entity, f.name)
            })),
        ]
    });
    let rows = Rows {
        columns: [
            "entity",
            "field",
            "type",
            "filled",
            "read as",
            "a line for [source.fields]",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows.collect(),
    };
    Ok(rows.print(Format::Table, Map::new(), out)?)
}

/// Reads a manifest as it would be used and prints the requests that it would make.
fn check_manifest(file: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|e| Failure::failed(format!("{name} cannot be read ({e})")))?;
    let now = jiff::Timestamp::now();
    let requests = connectors::preview(&name, &text, now).map_err(Failure::failed)?;
    write!(out, "{requests}")?;
    Ok(())
}
