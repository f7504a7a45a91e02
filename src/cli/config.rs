//! `csops config check|show|path`.

use super::args::ConfigVerb;
use super::print::print_json;
use super::start::Failure;
use crate::config::{Origin, Paths, Problem, Severity, load};
use serde_json::json;
use std::io::Write;

/// Runs it.
///
/// # Errors
/// `config check`: 2 with any error in the settings or the keymap.
pub fn run(verb: &ConfigVerb, paths: &Paths, out: &mut dyn Write) -> Result<(), Failure> {
    match verb {
        ConfigVerb::Path { json } => path(paths, *json, out),
        ConfigVerb::Show { origin, json } => show(paths, *origin, *json, out),
        ConfigVerb::Check { json } => check(paths, *json, out),
    }
}

fn path(paths: &Paths, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let places = [
        ("config", paths.config.clone()),
        ("keymap", paths.keymap()),
        ("themes", paths.themes()),
        ("database", paths.db.clone()),
        ("state", paths.state_dir.clone()),
    ];
    if as_json {
        let document: serde_json::Map<_, _> = places
            .iter()
            .map(|(n, p)| ((*n).to_owned(), json!(p)))
            .collect();
        return Ok(print_json(&document.into(), out)?);
    }
    for (name, place) in places {
        let there = if place.exists() { "" } else { "  (not there)" };
        writeln!(out, "{name:<9} {}{there}", place.display())?;
    }
    Ok(())
}

fn show(paths: &Paths, origin: bool, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let loaded = load(&paths.config);
    let from = |o: &Origin| match o {
        Origin::Default => "default".to_owned(),
        Origin::Line(line) => format!("{}:{line}", paths.config.display()),
    };
    if as_json {
        let rows: Vec<_> = loaded
            .shown
            .iter()
            .map(|s| json!({"key": s.key, "value": s.value, "origin": from(&s.origin)}))
            .collect();
        return Ok(print_json(
            &json!({"file": paths.config, "found": loaded.found, "rows": rows}),
            out,
        )?);
    }
    let width = loaded.shown.iter().map(|s| s.key.len()).max().unwrap_or(0);
    for s in &loaded.shown {
        if origin {
            writeln!(
                out,
                "{:<width$} = {:<30} # {}",
                s.key,
                s.value,
                from(&s.origin)
            )?;
        } else {
            writeln!(out, "{:<width$} = {}", s.key, s.value)?;
        }
    }
    Ok(())
}

fn check(paths: &Paths, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let loaded = crate::cockpit::checked(load(&paths.config), &paths.config);
    let keymap = crate::cockpit::Keymap::load(&paths.keymap());
    // What stands in two files, and what only the cockpit understands of the settings.
    let meaning = crate::cockpit::rules::configured(&loaded.settings).1;
    let keymap: Vec<&String> = keymap.problems().iter().chain(&meaning).collect();
    // A file that was named and is not there is none that is fine.
    let missing = paths.config_named && !loaded.found;
    let errors = loaded.errors().count() + keymap.len() + usize::from(missing);
    if as_json {
        let of = |p: &Problem| {
            let severity = if p.severity == Severity::Error {
                "error"
            } else {
                "warning"
            };
            json!({"file": p.file, "line": p.line, "column": p.column, "severity": severity, "message": p.message})
        };
        let mut problems: Vec<_> = loaded.problems.iter().map(of).collect();
        problems.extend(
            keymap
                .iter()
                .map(|p| json!({"severity": "error", "message": p})),
        );
        print_json(
            &json!({"file": paths.config, "found": loaded.found, "problems": problems}),
            out,
        )?;
    } else {
        for problem in &loaded.problems {
            writeln!(out, "{}", crate::book::text::visible(&problem.to_string()))?;
        }
        for problem in keymap {
            writeln!(out, "{}", crate::book::text::visible(problem))?;
        }
        if !loaded.found {
            writeln!(
                out,
                "{} is not there; csops init writes one",
                paths.config.display()
            )?;
        } else if errors == 0 {
            writeln!(
                out,
                "{} is fine: {} sources",
                paths.config.display(),
                loaded.settings.sources.len()
            )?;
        }
    }
    if errors > 0 {
        Err(Failure {
            code: 2,
            message: String::new(),
        })
    } else {
        Ok(())
    }
}
