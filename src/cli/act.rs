//! `csops do` and `csops outbox`: acting without the screen.

use super::args::{Do, Global, Outbox, OutboxVerb};
use super::list::select;
use super::open::{How, Session, head, open};
use super::print::{Format, Rows};
use super::start::{Failure, narrate, prompt};
use crate::book::FieldValue;
use crate::cockpit::CommandError;
use crate::command::{Selection, parse};
use crate::tui::fmt::counted;
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

/// How long a headless command waits for its writes to be sent before it leaves them to the next run.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs `csops do`.
///
/// # Errors
/// 2 for a command or query that cannot be understood, 1 when it is refused or nothing matches.
pub fn run(global: &Global, options: &Do, out: &mut dyn Write) -> Result<(), Failure> {
    let command = parse(&options.command).map_err(|e| Failure::usage(e.to_string()))?;
    let session = open(global, How::Headless)?;
    let snapshot = session.cockpit.snapshot();
    let (entity, rows) = select(&snapshot, options.kind, &options.on, &[])?;
    if rows.is_empty() {
        return Err(Failure::failed(format!("nothing matches “{}”", options.on)));
    }
    let selection = Selection::of(entity, rows.iter().map(|r| snapshot.book.id_of(entity, *r)));
    if rows.len() > 1 && !options.dry_run {
        confirmed(&format!("{} on", options.command), rows.len(), options.yes)?;
    }
    let run = session
        .cockpit
        .run_headless(command, selection, options.yes, options.dry_run);
    let outcome = session.runtime.block_on(run).map_err(refused)?;
    for line in outcome.summary.lines() {
        writeln!(out, "{}", crate::book::text::visible(line))?;
    }
    if options.dry_run {
        return Ok(());
    }
    let mine: Vec<String> = outcome.operation.map(|o| o.id).into_iter().collect();
    deliver(&session, &mine, outcome.items)?;
    session.runtime.block_on(session.cockpit.close());
    Ok(())
}

/// Asks before several rows change, unless it was said that they may.
///
/// # Errors
/// 2 when nobody can be asked, 1 when the answer is no.
pub(super) fn confirmed(what: &str, rows: usize, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let rows = counted(rows, "row");
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "this would change {rows}; say --yes, or look first with --dry-run"
        )));
    }
    prompt(&format!("{what} {rows}? (yes, no) [no]: "));
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    if answer.trim().eq_ignore_ascii_case("yes") {
        Ok(())
    } else {
        Err(Failure::failed("nothing was done".into()))
    }
}

/// Why a command was not carried out, with its exit code.
pub(super) fn refused(e: CommandError) -> Failure {
    match e {
        CommandError::Store(e) => Failure::store(e),
        CommandError::NeedsConfirmation(e) => Failure::failed(format!("{e}; say --yes to do it")),
        e => Failure::failed(e.to_string()),
    }
}

/// Sends what operations wrote.
///
/// # Errors
/// 1 when some of it has not arrived.
pub(super) fn deliver(
    session: &Session,
    operations: &[String],
    items: usize,
) -> Result<(), Failure> {
    if items == 0 {
        return Ok(());
    }
    send(session)?;
    let snapshot = session.cockpit.snapshot();
    let stuck: Vec<_> = snapshot
        .outbox
        .iter()
        .filter(|i| operations.contains(&i.operation) && i.error.is_some() && i.state.is_pending())
        .collect();
    for item in &stuck {
        narrate(&format!(
            "{}: {}",
            item.id,
            item.error.as_deref().unwrap_or_default()
        ));
    }
    if stuck.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(not_arrived(stuck.len(), items)))
}

/// So many writes of so many have not arrived, as a sentence.
fn not_arrived(stuck: usize, of: usize) -> String {
    match (stuck, of) {
        (_, 1) => "the write has not arrived yet: csops outbox".to_owned(),
        (1, _) => format!("1 of {of} writes has not arrived yet: csops outbox"),
        _ => format!("{stuck} of {of} writes have not arrived yet: csops outbox"),
    }
}

/// Sends what is due; another csops on this database may be the one that does.
fn send(session: &Session) -> Result<(), Failure> {
    let other = session
        .runtime
        .block_on(session.cockpit.push(PATIENCE))
        .map_err(Failure::failed)?;
    if let Some(holder) = other {
        narrate(&format!("{holder} syncs this database and will send it"));
    }
    Ok(())
}

/// Runs `csops outbox`.
///
/// # Errors
/// 1 when the item is not there or cannot be treated so.
pub fn outbox(global: &Global, options: &Outbox, out: &mut dyn Write) -> Result<(), Failure> {
    let session = open(global, How::Headless)?;
    let line = match (options.verb, options.mine, options.theirs) {
        (OutboxVerb::List, ..) => return list(&session, options, out),
        (OutboxVerb::Retry, ..) => "retry",
        (OutboxVerb::Drop, ..) => "drop",
        (OutboxVerb::Resolve, true, _) => "conflict mine",
        (OutboxVerb::Resolve, _, true) => "conflict theirs",
        (OutboxVerb::Resolve, false, false) => {
            return Err(Failure::usage(
                "csops outbox resolve ID --mine or --theirs".into(),
            ));
        }
    };
    let snapshot = session.cockpit.snapshot();
    let ids: Vec<String> = match &options.id {
        Some(prefix) => {
            let fits: Vec<_> = snapshot
                .outbox
                .iter()
                .filter(|i| i.id.starts_with(prefix.as_str()))
                .collect();
            match fits.as_slice() {
                [one] => vec![one.id.clone()],
                [] => {
                    return Err(Failure::failed(format!(
                        "the outbox has no item {prefix}: csops outbox lists them"
                    )));
                }
                several => {
                    return Err(Failure::failed(format!(
                        "{prefix} fits {} items; give more of the id",
                        several.len()
                    )));
                }
            }
        }
        None if options.verb == OutboxVerb::Retry => snapshot
            .outbox
            .iter()
            .filter(|i| i.state.is_pending() && i.error.is_some())
            .map(|i| i.id.clone())
            .collect(),
        None => {
            return Err(Failure::usage(
                "say which item: csops outbox lists them".into(),
            ));
        }
    };
    let command = parse(line).map_err(|e| Failure::usage(e.to_string()))?;
    // The person typed the verb and the item: that is the confirmation.
    let run = session
        .cockpit
        .run_headless(command, Selection::items(ids), true, false);
    let outcome = session
        .runtime
        .block_on(run)
        .map_err(|e| Failure::failed(e.to_string()))?;
    writeln!(out, "{}", crate::book::text::visible(&outcome.summary))?;
    if options.verb != OutboxVerb::Drop {
        send(&session)?;
    }
    session.runtime.block_on(session.cockpit.close());
    Ok(())
}

fn list(session: &Session, options: &Outbox, out: &mut dyn Write) -> Result<(), Failure> {
    let snapshot = session.cockpit.snapshot();
    let items = snapshot.outbox.iter().filter(|i| {
        options
            .id
            .as_ref()
            .is_none_or(|p| i.id.starts_with(p.as_str()))
    });
    let rows: Vec<Vec<FieldValue>> = items
        .map(|i| {
            vec![
                FieldValue::text(i.id.clone()),
                FieldValue::text(i.command.clone()),
                FieldValue::text(i.change.target.entity.name()),
                FieldValue::text(i.change.source.to_string()),
                FieldValue::text(i.state.name()),
                FieldValue::Number(f64::from(i.attempts)),
                if i.state.is_moving() {
                    FieldValue::Instant(i.next_attempt)
                } else {
                    FieldValue::Null
                },
                i.error.clone().map_or(FieldValue::Null, FieldValue::Text),
                FieldValue::Instant(i.created),
                i.finished.map_or(FieldValue::Null, FieldValue::Instant),
                i.conflict.as_ref().map_or(FieldValue::Null, |c| {
                    let fields = c.fields.iter().map(|f| {
                        format!(
                            "{}: was {}, mine {}, theirs {}",
                            f.field, f.base, f.mine, f.theirs
                        )
                    });
                    FieldValue::List(fields.collect())
                }),
            ]
        })
        .collect();
    let columns = [
        "id",
        "command",
        "entity",
        "source",
        "state",
        "attempts",
        "next_attempt",
        "error",
        "created",
        "finished",
        "conflict",
    ];
    let mut rows = Rows {
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    };
    let format = if options.json {
        Format::Json
    } else {
        Format::Table
    };
    if !options.json {
        if rows.rows.is_empty() {
            narrate("the outbox is empty");
            return Ok(());
        }
        rows.columns.truncate(8);
        rows.rows.iter_mut().for_each(|r| r.truncate(8));
    }
    let mut head = head(&snapshot, "outbox");
    head.insert(
        "coverage".into(),
        serde_json::json!({"rows": rows.rows.len()}),
    );
    Ok(rows.print(format, head, out)?)
}

#[cfg(test)]
mod tests {
    use super::not_arrived;

    #[test]
    fn one_write_is_told_as_one() {
        for (stuck, of, said) in [
            (1, 1, "the write has not"),
            (1, 3, "1 of 3 writes has not"),
            (2, 3, "2 of 3 writes have not"),
        ] {
            let text = not_arrived(stuck, of);
            assert!(text.starts_with(said), "{text}");
        }
    }
}
