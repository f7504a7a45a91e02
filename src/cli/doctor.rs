//! `csops doctor`: everything that could be wrong, each with its remedy.

use super::args::{Doctor, Global};
use super::open::{How, Session, open};
use super::print::print_json;
use super::start::{self, Failure};
use super::status::ago;
use crate::book::OutboxState;
use crate::book::text::visible;
use crate::cockpit::Keymap;
use crate::config::{Severity, load};
use serde_json::json;
use std::io::Write;

/// One finding.
struct Finding {
    about: String,
    ok: bool,
    words: String,
}

/// Runs it.
///
/// # Errors
/// 1 when something is wrong.
pub fn run(global: &Global, options: &Doctor, out: &mut dyn Write) -> Result<(), Failure> {
    let mut findings = Vec::new();
    let mut add = |about: &str, ok: bool, words: String| {
        findings.push(Finding {
            about: about.into(),
            ok,
            words,
        })
    };
    let paths = start::paths(global)?;
    let loaded = load(&paths.config);
    let errors: Vec<_> = loaded
        .problems
        .iter()
        .filter(|p| p.severity == Severity::Error)
        .collect();
    match (loaded.found, errors.is_empty()) {
        (false, _) => add(
            "settings",
            false,
            format!(
                "{} is not there: csops init writes one",
                paths.config.display()
            ),
        ),
        (true, true) => add(
            "settings",
            true,
            format!("{} is fine", paths.config.display()),
        ),
        (true, false) => {}
    }
    for problem in &loaded.problems {
        add(
            "settings",
            problem.severity != Severity::Error,
            problem.to_string(),
        );
    }
    if loaded.found && loaded.settings.sources.is_empty() {
        add(
            "settings",
            false,
            "no usable source: add a [[source]], or run csops init --force".into(),
        );
    }
    let keymap = Keymap::load(&paths.keymap());
    for problem in keymap.problems() {
        add("keymap", false, problem.clone());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if let Ok(meta) = std::fs::metadata(&paths.db) {
            let mode = meta.permissions().mode() & 0o777;
            let safe = mode & 0o077 == 0;
            add(
                "database",
                safe,
                if safe {
                    "nobody else can read it".into()
                } else {
                    format!(
                        "others can read it (mode {mode:o}): chmod 600 {}",
                        paths.db.display()
                    )
                },
            );
        }
    }
    match open(global, How::Headless) {
        Err(failure) => add("database", false, failure.message),
        Ok(session) => examine(&session, options, &mut add),
    }
    let wrong = findings.iter().filter(|f| !f.ok).count();
    if options.json {
        let rows: Vec<_> = findings
            .iter()
            .map(|f| json!({"about": f.about, "ok": f.ok, "finding": f.words}))
            .collect();
        print_json(
            &json!({"kind": "doctor", "wrong": wrong, "rows": rows}),
            out,
        )?;
    } else {
        for f in &findings {
            writeln!(
                out,
                "{} {:<10} {}",
                if f.ok { "✓" } else { "✗" },
                f.about,
                visible(&f.words)
            )?;
        }
        writeln!(
            out,
            "{}",
            match wrong {
                0 => "nothing is wrong".to_owned(),
                1 => "one thing is wrong".to_owned(),
                n => format!("{n} things are wrong"),
            }
        )?;
    }
    if wrong == 0 {
        Ok(())
    } else {
        Err(Failure::no())
    }
}

fn examine(session: &Session, options: &Doctor, add: &mut dyn FnMut(&str, bool, String)) {
    match session.runtime.block_on(session.cockpit.check_database()) {
        Ok(wrong) if wrong.is_empty() => add(
            "database",
            true,
            format!("{} is whole", session.paths.db.display()),
        ),
        Ok(wrong) => wrong.into_iter().for_each(|w| add("database", false, w)),
        Err(e) => add("database", false, e.to_string()),
    }
    let snapshot = session.cockpit.snapshot();
    if !options.offline {
        match session.runtime.block_on(session.cockpit.check_sources(&[])) {
            Ok(checked) => {
                for (name, answer) in checked {
                    let ok = answer.is_ok();
                    add(&name, ok, answer.unwrap_or_else(|e| e));
                }
            }
            Err(e) => add("sources", false, e),
        }
    }
    for s in snapshot.sources.iter() {
        let name = s.source.as_deref().unwrap_or("?");
        match s.last_success {
            None => add(
                name,
                false,
                "has never been pulled completely: csops sync".into(),
            ),
            Some(at) => add(
                name,
                true,
                format!("pulled completely {} ago", ago(snapshot.now, at)),
            ),
        }
        if let Some(error) = &s.error {
            add(name, false, error.clone());
        }
        for t in &s.streams {
            if let Some(error) = &t.error {
                add(name, false, format!("{}: {error}", t.stream));
            }
            if t.problems > 0 {
                add(
                    name,
                    true,
                    format!(
                        "{}: {} rows could not be taken; the sync screen lists them",
                        t.stream, t.problems
                    ),
                );
            }
        }
    }
    for item in snapshot.outbox.iter() {
        let id: String = item.id.chars().take(8).collect();
        let said = item.error.as_deref().unwrap_or("no reason is known");
        match item.state {
            OutboxState::Failed => add(
                "outbox",
                false,
                format!(
                    "{} was refused: {said}; csops outbox retry {id} or drop {id}",
                    item.command
                ),
            ),
            OutboxState::Conflict => add(
                "outbox",
                false,
                format!(
                    "{} is in conflict; csops outbox resolve {id} --mine or --theirs",
                    item.command
                ),
            ),
            _ => {}
        }
    }
    if !snapshot.unmatched.is_empty() {
        add(
            "matching",
            true,
            format!(
                "{} records could not be matched, or not for certain; account pages offer to confirm them",
                snapshot.unmatched.len()
            ),
        );
    }
}
