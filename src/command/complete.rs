//! Completion of a command line, with the same tokenizer that parses it.

use super::line::{head, tokens};
use super::spec::{ArgKind, CommandSpec};
use super::table::COMMANDS;

/// The values that there are now for a kind of argument: value and a word about it.
pub type Choices<'a> = &'a dyn Fn(ArgKind) -> Vec<(String, String)>;

/// One way to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The bytes of the line that it replaces.
    pub start: usize,
    /// Where they end.
    pub end: usize,
    /// What it puts there.
    pub text: String,
    /// A word about it.
    pub help: String,
}

/// The ways to go on at the cursor (a byte offset), best first.
pub fn complete(line: &str, cursor: usize, choices: Choices<'_>) -> Vec<Completion> {
    let mut cursor = cursor.min(line.len());
    while !line.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let before = &line[..cursor];
    let (words, _) = tokens(before);
    let ends_open = before.is_empty() || before.ends_with(char::is_whitespace);
    // A name is complete once something follows it.
    let spec = head(&words).filter(|(_, used)| words.len() > *used || ends_open);
    let Some((spec, used)) = spec else {
        return names(before.trim_start(), cursor);
    };
    let rest = &words[used..];
    let (typed, start) = match rest.last() {
        Some(w) if !ends_open => (w.text.to_string(), w.start),
        _ => (String::new(), cursor),
    };
    let finished = &rest[..rest.len() - usize::from(!ends_open && !rest.is_empty())];
    let make = |text: String, help: String| Completion {
        start,
        end: cursor,
        text,
        help,
    };
    if typed.starts_with('-') && !spec.flags.is_empty() {
        let wanted = typed.trim_start_matches('-');
        return spec
            .flags
            .iter()
            .filter(|f| f.name.starts_with(wanted))
            .map(|f| make(format!("--{} ", f.name), f.help.to_owned()))
            .collect();
    }
    let Some(kind) = expected(spec, finished) else {
        return spec
            .flags
            .iter()
            .filter(|_| typed.is_empty())
            .map(|f| make(format!("--{} ", f.name), f.help.to_owned()))
            .collect();
    };
    let lower = typed.to_lowercase();
    let mut found: Vec<(u8, Completion)> = values(kind, choices)
        .into_iter()
        .filter_map(|(value, help)| {
            let v = value.to_lowercase();
            let rank = if v.starts_with(&lower) {
                0
            } else if v.split([' ', '_', '@', '.']).any(|w| w.starts_with(&lower)) {
                1
            } else if help.to_lowercase().starts_with(&lower) {
                2
            } else {
                return None;
            };
            let text = if value.contains(char::is_whitespace) && !kind.takes_rest() {
                format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
            } else {
                value
            };
            Some((rank, make(text, help)))
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, c)| c).collect()
}

/// What kind of value comes next, after these whole words.
fn expected(spec: &CommandSpec, finished: &[super::line::Token<'_>]) -> Option<ArgKind> {
    let mut args = 0;
    let mut i = 0;
    while i < finished.len() {
        let flag = (!finished[i].quoted)
            .then(|| finished[i].text.strip_prefix("--"))
            .flatten()
            .and_then(|n| spec.flags.iter().find(|f| f.name == n));
        match flag {
            Some(f) if i + 1 == finished.len() => return Some(f.kind),
            Some(_) => i += 2,
            None => {
                args += 1;
                i += 1;
            }
        }
    }
    spec.args
        .get(args)
        .or(spec.args.last().filter(|a| a.kind.takes_rest()))
        .map(|a| a.kind)
}

fn values(kind: ArgKind, choices: Choices<'_>) -> Vec<(String, String)> {
    let fixed = kind.fixed_choices();
    if !fixed.is_empty() {
        return fixed
            .iter()
            .map(|v| ((*v).to_owned(), String::new()))
            .collect();
    }
    if kind.is_day() {
        return kind
            .days()
            .iter()
            .map(|v| ((*v).to_owned(), day_hint(v).to_owned()))
            .collect();
    }
    choices(kind)
}

/// A day that is offered, in words.
fn day_hint(day: &str) -> &'static str {
    match day {
        "+3d" => "in three days",
        "+1w" => "in a week",
        "+2w" => "in two weeks",
        "+1m" => "in a month",
        "monday" => "the next one",
        "eom" => "end of the month",
        "eoq" => "end of the quarter",
        "-1w" => "a week ago",
        "-2w" => "two weeks ago",
        "-1m" => "a month ago",
        "-3m" => "three months ago",
        "-1y" => "a year ago",
        _ => "",
    }
}

/// Names of commands: those that begin so first, then those that have a word that does, then those that contain it.
fn names(typed: &str, cursor: usize) -> Vec<Completion> {
    let lower = typed.to_lowercase();
    let mut found: Vec<(u8, Completion)> = COMMANDS
        .iter()
        .filter_map(|c| {
            let rank = if c.name.starts_with(&lower) {
                0
            } else if c.name.split(' ').any(|w| w.starts_with(&lower)) {
                1
            } else if c.name.contains(&lower) {
                2
            } else {
                return None;
            };
            let space = if c.args.is_empty() && c.flags.is_empty() {
                ""
            } else {
                " "
            };
            Some((
                rank,
                Completion {
                    start: cursor - typed.len(),
                    end: cursor,
                    text: format!("{}{space}", c.name),
                    help: c.help.to_owned(),
                },
            ))
        })
        .collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, c)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_end(line: &str) -> Vec<String> {
        let people = |kind: ArgKind| match kind {
            ArgKind::Who => vec![
                ("Dana Weiss".to_owned(), "dana@example.com".to_owned()),
                ("Bo Nilsson".to_owned(), "bo@example.com".to_owned()),
            ],
            _ => Vec::new(),
        };
        complete(line, line.len(), &people)
            .into_iter()
            .map(|c| c.text)
            .collect()
    }

    #[test]
    fn names_arguments_and_options_are_completed() {
        assert_eq!(at_end("sno"), ["snooze "]);
        assert_eq!(at_end("task d"), ["task done"]);
        assert!(at_end("").len() == COMMANDS.len());
        assert_eq!(at_end("assign d"), ["\"Dana Weiss\""]);
        assert_eq!(at_end("assign nils"), ["\"Bo Nilsson\""]);
        assert_eq!(at_end("escalate --t"), ["--to "]);
        assert_eq!(at_end("escalate --to "), ["L0", "L1", "L2", "L3"]);
        assert_eq!(at_end("escalate "), ["--to ", "--reason "]);
        assert_eq!(at_end("resolve sa"), ["saved"]);
        assert_eq!(at_end("task new --due tom"), ["tomorrow"]);
        // What was or is looked back at offers days that have been.
        assert_eq!(at_end("log call --date yes"), ["yesterday"]);
        assert_eq!(at_end("asof -2"), ["-2w"]);
        assert!(at_end("nonsense here").is_empty());
    }
}
