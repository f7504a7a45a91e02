//! `csops status` and `csops sync`: how fresh and how complete the data is, and one pull and push.

use super::args::{Global, Status, Sync};
use super::open::{How, head, open};
use super::print::{Rows, print_json, to_text};
use super::start::{Failure, narrate, until_signal};
use crate::book::{FieldValue, OutboxState, SourceState, SourceStatus};
use crate::cockpit::{Event, Snapshot};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;

/// A state's name in documents.
pub fn state_name(state: SourceState) -> &'static str {
    match state {
        SourceState::New => "new",
        SourceState::Idle => "idle",
        SourceState::Running => "running",
        SourceState::Failing => "failing",
        SourceState::Stopped => "stopped",
        SourceState::Elsewhere => "elsewhere",
    }
}

/// Runs `csops status`.
///
/// # Errors
/// 1 when `--max-age` is given and anything is older or failing; 2 when it cannot be read.
pub fn status(global: &Global, options: &Status, out: &mut dyn Write) -> Result<(), Failure> {
    if options.as_of.is_some() {
        return Err(Failure::usage(
            "--as-of: how sources went is not kept by day; csops list accounts, queue, renewals or segments can be asked for an earlier one"
                .into(),
        ));
    }
    let max_age = options.max_age.as_deref().map(age).transpose()?;
    let session = open(global, How::Headless)?;
    let snapshot = session.cockpit.snapshot();
    let bad: Vec<String> = max_age.map_or_else(Vec::new, |max| too_old(&snapshot, max));
    if options.json {
        print_json(&document(&snapshot, &bad), out)?;
    } else {
        print_status(&snapshot, out)?;
        for b in &bad {
            narrate(b);
        }
    }
    if bad.is_empty() {
        Ok(())
    } else {
        Err(Failure::no())
    }
}

fn age(text: &str) -> Result<SignedDuration, Failure> {
    text.parse::<jiff::Span>()
        .ok()
        .and_then(|s| {
            s.to_duration(jiff::SpanRelativeTo::days_are_24_hours())
                .ok()
        })
        .ok_or_else(|| {
            Failure::usage(format!(
                "--max-age: “{text}” is no age; write 30m, 2h or 1d"
            ))
        })
}

fn too_old(snapshot: &Snapshot, max: SignedDuration) -> Vec<String> {
    let mut bad = Vec::new();
    if snapshot.sources.is_empty() {
        bad.push("no source is configured".into());
    }
    for s in snapshot.sources.iter() {
        let name = s.source.as_deref().unwrap_or("?");
        match s.last_success {
            None => bad.push(format!("{name} has never been pulled completely")),
            Some(at) if snapshot.now.duration_since(at) > max => {
                bad.push(format!("{name} is {} old", ago(snapshot.now, at)));
            }
            Some(_) => {}
        }
        if let Some(error) = &s.error {
            bad.push(format!("{name}: {error}"));
        }
        for t in &s.streams {
            match (t.last_success, &t.error) {
                (_, Some(error)) => bad.push(format!("{name} {}: {error}", t.stream)),
                (Some(at), None) if snapshot.now.duration_since(at) > max => {
                    bad.push(format!(
                        "{name} {} is {} old",
                        t.stream,
                        ago(snapshot.now, at)
                    ));
                }
                _ => {}
            }
        }
    }
    let failed = snapshot
        .outbox
        .iter()
        .filter(|i| matches!(i.state, OutboxState::Failed | OutboxState::Conflict))
        .count();
    if failed > 0 {
        bad.push(format!("{failed} outbox items need a person: csops outbox"));
    }
    bad
}

/// How long ago, in one unit.
pub fn ago(now: Timestamp, at: Timestamp) -> String {
    let s = now.duration_since(at).as_secs().max(0);
    match s {
        0..=119 => format!("{s}s"),
        120..=7199 => format!("{}m", s / 60),
        7200..=172_799 => format!("{}h", s / 3600),
        _ => format!("{}d", s / 86400),
    }
}

/// The document of `csops status --json`.
fn document(snapshot: &Snapshot, bad: &[String]) -> Value {
    let mut head = head(snapshot, "status");
    let count = |state: OutboxState| snapshot.outbox.iter().filter(|i| i.state == state).count();
    head.insert("coverage".into(), coverage(snapshot));
    head.insert("read_only".into(), json!(snapshot.read_only));
    head.insert(
        "outbox".into(),
        json!({
            "waiting": count(OutboxState::Waiting), "sending": count(OutboxState::Sending), "unknown": count(OutboxState::Unknown),
            "failed": count(OutboxState::Failed), "conflict": count(OutboxState::Conflict),
        }),
    );
    head.insert("conflicts".into(), json!(count(OutboxState::Conflict)));
    head.insert("unmatched".into(), json!(snapshot.unmatched.len()));
    head.insert("problems".into(), json!(bad));
    head.insert(
        "rows".into(),
        snapshot
            .sources
            .iter()
            .map(|s| source_json(snapshot.now, s))
            .collect(),
    );
    Value::Object(head)
}

fn coverage(snapshot: &Snapshot) -> Value {
    let whole = snapshot
        .sources
        .iter()
        .filter(|s| s.last_success.is_some())
        .count();
    json!({"sources": snapshot.sources.len(), "pulled_completely": whole})
}

fn source_json(now: Timestamp, s: &SourceStatus) -> Value {
    let instant = |t: Option<Timestamp>| t.map(|t| t.to_string());
    let streams: Vec<Value> = s
        .streams
        .iter()
        .map(|t| {
            json!({
                "stream": t.stream, "rows": t.rows, "changed": t.changed, "last_success": instant(t.last_success),
                "age_seconds": t.last_success.map(|at| now.duration_since(at).as_secs()), "lag_seconds": t.lag,
                "error": t.error, "problems": t.problems, "requests": t.requests,
            })
        })
        .collect();
    json!({
        "name": s.source, "connector": s.connector, "base_url": s.base_url, "state": state_name(s.state),
        "last_success": instant(s.last_success), "age_seconds": s.last_success.map(|at| now.duration_since(at).as_secs()),
        "next_run": instant(s.next_run), "error": s.error, "read_only": s.read_only,
        "rows": s.streams.iter().map(|t| t.rows).sum::<u64>(),
        "budget": {"ours": s.budget.ours, "promise": s.budget.promise, "vendor_used": s.budget.vendor_used, "vendor_max": s.budget.vendor_max},
        "streams": streams,
    })
}

fn print_status(snapshot: &Snapshot, out: &mut dyn Write) -> Result<(), Failure> {
    if snapshot.sources.is_empty() {
        writeln!(
            out,
            "no source is configured: csops init writes a configuration, csops demo shows one at work"
        )?;
    }
    for s in snapshot.sources.iter() {
        let when = s
            .last_success
            .map_or("never pulled completely".into(), |t| {
                format!("{} ago", ago(snapshot.now, t))
            });
        let budget = match (s.budget.promise, s.budget.vendor_used, s.budget.vendor_max) {
            (Some(p), _, _) => format!("{} of {p} requests today", s.budget.ours),
            (None, Some(u), Some(m)) => format!("{} requests today; vendor {u}/{m}", s.budget.ours),
            _ => format!("{} requests today", s.budget.ours),
        };
        let read_only = if s.read_only { " · read-only" } else { "" };
        writeln!(
            out,
            "{} ({}) · {} · {when} · {budget}{read_only}",
            s.source.as_deref().unwrap_or("?"),
            s.connector,
            state_name(s.state)
        )?;
        if let Some(error) = &s.error {
            writeln!(out, "  ! {}", to_text(&FieldValue::text(error.clone())))?;
        }
        let rows = Rows {
            columns: [
                "stream", "rows", "changed", "age", "requests", "problems", "error",
            ]
            .map(str::to_owned)
            .to_vec(),
            rows: s
                .streams
                .iter()
                .map(|t| {
                    vec![
                        FieldValue::text(t.stream.clone()),
                        FieldValue::Number(t.rows as f64),
                        FieldValue::Number(t.changed as f64),
                        t.last_success.map_or(FieldValue::Null, |at| {
                            FieldValue::text(ago(snapshot.now, at))
                        }),
                        FieldValue::Number(t.requests as f64),
                        FieldValue::Number(t.problems as f64),
                        t.error.clone().map_or(FieldValue::Null, FieldValue::Text),
                    ]
                })
                .collect(),
        };
        rows.print(super::print::Format::Table, serde_json::Map::new(), out)?;
        writeln!(out)?;
    }
    let waiting = snapshot.moving();
    let stuck = snapshot
        .outbox
        .iter()
        .filter(|i| matches!(i.state, OutboxState::Failed | OutboxState::Conflict))
        .count();
    writeln!(
        out,
        "outbox: {waiting} waiting, {stuck} need a person · {} records unmatched",
        snapshot.unmatched.len()
    )?;
    Ok(())
}

/// Runs `csops sync`.
///
/// # Errors
/// 1 when a source failed, 2 when none is configured or one is not known.
pub fn sync(global: &Global, options: &Sync, out: &mut dyn Write) -> Result<(), Failure> {
    let how = if options.watch {
        How::Daemon
    } else {
        How::Headless
    };
    let session = open(global, how)?;
    if session.loaded.settings.sources.is_empty() {
        return Err(Failure::usage("no usable source is configured: csops init writes a configuration, csops config check says what is wrong".into()));
    }
    let names: Vec<&str> = options.sources.iter().map(String::as_str).collect();
    let known = &session.loaded.settings.sources;
    if let Some(unknown) = names.iter().find(|n| !known.iter().any(|s| s.name == **n)) {
        let there: Vec<&str> = known.iter().map(|s| s.name.as_str()).collect();
        return Err(Failure::usage(format!(
            "there is no source “{unknown}”; there are {}",
            there.join(", ")
        )));
    }
    let cockpit = &session.cockpit;
    if options.watch {
        session.runtime.block_on(async {
            until_signal().await;
            cockpit.close().await;
        });
        return Ok(());
    }
    let results = session.runtime.block_on(async {
        let progress = tokio::spawn(report_progress(cockpit.clone()));
        let results = cockpit.sync_once(&names, options.full).await;
        let pushed = cockpit.push(Duration::from_secs(60)).await;
        progress.abort();
        if let Err(e) = pushed {
            narrate(&e);
        }
        results
    });
    let results = results.map_err(Failure::failed)?;
    let failed = results.iter().any(|r| r.error.is_some());
    let snapshot = cockpit.snapshot();
    if options.json {
        let rows: Vec<Value> = results
            .iter()
            .map(|r| json!({"source": r.source, "changed": r.changed, "requests": r.requests, "error": r.error}))
            .collect();
        let mut head = head(&snapshot, "sync");
        head.insert("coverage".into(), coverage(&snapshot));
        head.insert("rows".into(), Value::Array(rows));
        print_json(&Value::Object(head), out)?;
    } else {
        for r in &results {
            match &r.error {
                None => narrate(&format!(
                    "{}: {} rows changed, {} requests",
                    r.source, r.changed, r.requests
                )),
                // The message names the source already.
                Some(e) => narrate(e),
            }
        }
    }
    session.runtime.block_on(cockpit.close());
    if failed { Err(Failure::no()) } else { Ok(()) }
}

/// A line on stderr for each stream that moves.
async fn report_progress(cockpit: crate::cockpit::Cockpit) {
    let mut events = cockpit.events();
    let mut said = std::collections::HashMap::new();
    loop {
        match events.recv().await {
            Ok(Event::SnapshotChanged) => {}
            Ok(Event::Message(_, text)) => narrate(&text),
            Ok(_) => continue,
            Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => continue,
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
        }
        for s in cockpit.snapshot().sources.iter() {
            for t in &s.streams {
                let Some((rows, total)) = t.progress else {
                    continue;
                };
                let key = (s.source.clone(), t.stream.clone());
                if said.insert(key, rows) != Some(rows) {
                    let of = total.map_or(String::new(), |n| format!(" of {n}"));
                    narrate(&format!(
                        "{} {}: {rows}{of}",
                        s.source.as_deref().unwrap_or("?"),
                        t.stream
                    ));
                }
            }
        }
    }
}
