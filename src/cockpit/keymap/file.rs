//! Reads `keymap.toml`: every mistake says where it is, the rest counts.

use super::{Binding, Keymap, chord, longer, sequence_text};
use crate::command::{LineError, Scope, parse};
use crate::config::nearest;
use std::ops::Range;
use std::path::Path;
use toml::de::{DeTable, DeValue};

struct Place<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    /// Line and column in characters, both from 1.
    fn of(&self, at: usize) -> (usize, usize) {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        (
            before.matches('\n').count() + 1,
            before[start..].chars().count() + 1,
        )
    }
    fn say(&self, problems: &mut Vec<String>, span: &Range<usize>, what: &str) {
        let (line, column) = self.of(span.start);
        problems.push(format!("{}:{line}:{column}: {what}", self.file.display()));
    }
}

/// Lays the file's bindings over the map.
pub(super) fn read(map: &mut Keymap, text: &str, file: &Path) {
    let place = Place { file, text };
    let mut problems = Vec::new();
    let (document, errors) = DeTable::parse_recoverable(text);
    for e in errors {
        let what = e
            .message()
            .lines()
            .next()
            .unwrap_or("this is not TOML")
            .to_owned();
        place.say(&mut problems, &e.span().unwrap_or(0..0), &what);
    }
    let mut own: Vec<(Scope, Vec<chord::Chord>, Range<usize>)> = Vec::new();
    for (name, value) in document.get_ref().iter() {
        let Some(scope) = Scope::parse(name.get_ref()) else {
            let hint = nearest(name.get_ref(), Scope::ALL.iter().map(|s| s.name()))
                .map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
            let what = format!(
                "there is no screen `{}`{hint}; keys stand under one of: {}",
                name.get_ref(),
                Scope::ALL.map(Scope::name).join(", ")
            );
            place.say(&mut problems, &name.span(), &what);
            continue;
        };
        let DeValue::Table(table) = value.get_ref() else {
            place.say(
                &mut problems,
                &value.span(),
                &format!(
                    "`{}` is a table of keys: write [{}]",
                    scope.name(),
                    scope.name()
                ),
            );
            continue;
        };
        for (keys, value) in table.iter() {
            let sequence = match chord::parse_sequence(keys.get_ref()) {
                Ok(s) => s,
                Err(e) => {
                    place.say(&mut problems, &keys.span(), &e);
                    continue;
                }
            };
            let Some(commands) = commands(value, &place, &mut problems) else {
                continue;
            };
            let binding = Binding {
                commands,
                line: Some(place.of(keys.span().start).0),
            };
            map.scopes
                .entry(scope)
                .or_default()
                .insert(sequence.clone(), binding);
            own.push((scope, sequence, keys.span()));
        }
    }
    for (scope, sequence, span) in own {
        conflicts(map, scope, &sequence, &span, &place, &mut problems);
    }
    map.problems.extend(problems);
}

/// The commands of a value: a line, a list of lines, or `false` for none. `None` when it cannot be used.
fn commands(
    value: &toml::Spanned<DeValue<'_>>,
    place: &Place<'_>,
    problems: &mut Vec<String>,
) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    match value.get_ref() {
        DeValue::Boolean(false) => return Some(Vec::new()),
        DeValue::String(line) => lines.push((line.to_string(), value.span())),
        DeValue::Array(list) => {
            for item in list.iter() {
                let DeValue::String(line) = item.get_ref() else {
                    place.say(
                        problems,
                        &item.span(),
                        "a command is a text, \"snooze +1w\"",
                    );
                    return None;
                };
                lines.push((line.to_string(), item.span()));
            }
        }
        _ => {
            place.say(
                problems,
                &value.span(),
                "a key runs a command (\"snooze +1w\"), several ([\"ack\", \"down\"]) or nothing (false)",
            );
            return None;
        }
    }
    for (line, span) in &lines {
        if let Err(e) = parse(line) {
            let what = match e {
                LineError::Empty => "there is no command; `false` unbinds a key".to_owned(),
                e => e.to_string(),
            };
            place.say(problems, span, &what);
            return None;
        }
    }
    Some(lines.into_iter().map(|(line, _)| line).collect())
}

/// A key that is the beginning of longer sequences makes those unreachable, and the other way round: the shorter one wins, and it is said.
fn conflicts(
    map: &mut Keymap,
    scope: Scope,
    sequence: &[chord::Chord],
    span: &Range<usize>,
    place: &Place<'_>,
    problems: &mut Vec<String>,
) {
    let Some(bindings) = map.scopes.get_mut(&scope) else {
        return;
    };
    if bindings.get(sequence).is_none_or(|b| b.commands.is_empty()) {
        return;
    }
    // A longer sequence of the user's own behind a shorter default key: the default gives way.
    for n in 1..sequence.len() {
        let shorter = &sequence[..n];
        if let Some(b) = bindings.get(shorter)
            && b.line.is_none()
            && !b.commands.is_empty()
        {
            let what = format!(
                "`{}` is also the default key of `{}`, which cannot be reached by it any more",
                sequence_text(shorter),
                b.commands.join(", ")
            );
            place.say(problems, span, &what);
            bindings.remove(shorter);
        }
    }
    let hidden: Vec<(String, String)> = longer(bindings, sequence)
        .filter(|(_, b)| !b.commands.is_empty())
        .map(|(k, b)| (sequence_text(k), b.commands.join(", ")))
        .collect();
    if let Some((keys, command)) = hidden.first() {
        let others = match hidden.len() - 1 {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let what = format!(
            "`{}` hides `{keys}` ({command}){others}: a key cannot be both a command and the beginning of a sequence; the sequence still counts",
            sequence_text(sequence)
        );
        place.say(problems, span, &what);
        bindings.remove(sequence);
    }
}
