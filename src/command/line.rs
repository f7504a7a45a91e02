//! A command as a line: one tokenizer for parsing, completing and writing.

use super::spec::{ArgKind, CommandSpec, Flag};
use super::table::{COMMANDS, find};
use crate::book::nearest::nearest;
use std::borrow::Cow;
use std::fmt;

/// A command with its arguments, ready to be planned.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The command.
    pub spec: &'static CommandSpec,
    /// Arguments by position; fewer than the command has when the rest are left out.
    pub args: Vec<String>,
    /// Options, by their names.
    pub flags: Vec<(&'static str, String)>,
}

/// Why a line is no command. Positions are byte offsets into the line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LineError {
    /// There is nothing.
    #[error("type a command; `help` lists them")]
    Empty,
    /// No such command.
    #[error("there is no command `{name}`{}", suggestion(.nearest))]
    Unknown {
        /// What was typed.
        name: String,
        /// The nearest name there is.
        nearest: Option<&'static str>,
    },
    /// A command that has only subcommands.
    #[error("`{name}` needs one of: {}", .choices.join(", "))]
    Subcommand {
        /// What was typed.
        name: String,
        /// What may follow.
        choices: Vec<&'static str>,
    },
    /// No such option.
    #[error("`{command}` has no option --{name}{}", suggestion(.nearest))]
    UnknownFlag {
        /// The command.
        command: &'static str,
        /// The option.
        name: String,
        /// The nearest one there is.
        nearest: Option<&'static str>,
        /// Where.
        at: usize,
    },
    /// An option without its value.
    #[error("--{name} of `{command}` needs a value")]
    FlagValue {
        /// The command.
        command: &'static str,
        /// The option.
        name: &'static str,
    },
    /// More arguments than it takes.
    #[error("`{usage}` takes nothing more: `{extra}` is too much")]
    TooMany {
        /// How it is written.
        usage: String,
        /// The first one too many.
        extra: String,
        /// Where.
        at: usize,
    },
    /// A quotation mark that is not closed.
    #[error("a quotation mark is opened and not closed at column {}", .at + 1)]
    Quote {
        /// Where it opens.
        at: usize,
    },
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |n| format!(", did you mean `{n}`?"))
}

/// One word of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Token<'a> {
    /// Its text, quotation marks taken off.
    pub text: Cow<'a, str>,
    /// Where it starts.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// It was quoted, so it is never an option.
    pub quoted: bool,
}

/// The words of a line: separated by blanks, `"…"` keeps blanks, `\"` and `\\` inside stand for themselves. An unclosed quotation
/// mark is an error at its place; the words before it and the open one are returned too, for completion.
pub fn tokens(line: &str) -> (Vec<Token<'_>>, Option<LineError>) {
    let mut out = Vec::new();
    let mut chars = line.char_indices().peekable();
    while let Some(&(start, c)) = chars.peek() {
        if c.is_whitespace() {
            chars.next();
            continue;
        }
        if c == '"' {
            chars.next();
            let mut text = String::new();
            let mut end = None;
            while let Some((i, c)) = chars.next() {
                match c {
                    '"' => {
                        end = Some(i + 1);
                        break;
                    }
                    '\\' => match chars.peek() {
                        Some(&(_, e @ ('"' | '\\'))) => {
                            text.push(e);
                            chars.next();
                        }
                        _ => text.push('\\'),
                    },
                    c => text.push(c),
                }
            }
            let closed = end.is_some();
            out.push(Token {
                text: Cow::Owned(text),
                start,
                end: end.unwrap_or(line.len()),
                quoted: true,
            });
            if !closed {
                return (out, Some(LineError::Quote { at: start }));
            }
        } else {
            let mut end = line.len();
            while let Some(&(i, c)) = chars.peek() {
                if c.is_whitespace() {
                    end = i;
                    break;
                }
                chars.next();
            }
            out.push(Token {
                text: Cow::Borrowed(&line[start..end]),
                start,
                end,
                quoted: false,
            });
        }
    }
    (out, None)
}

/// Which command a line begins with, and how many words its name has. The longest name wins: `task done` before `task`.
pub fn head(words: &[Token<'_>]) -> Option<(&'static CommandSpec, usize)> {
    if let [a, b, ..] = words {
        let two = format!("{} {}", a.text, b.text);
        if let Some(spec) = find(&two) {
            return Some((spec, 2));
        }
    }
    words.first().and_then(|w| Some((find(&w.text)?, 1)))
}

/// Reads a line. Missing arguments are not an error here (see [`Command::missing`]): a front door asks for them.
pub fn parse(line: &str) -> Result<Command, LineError> {
    let (words, open) = tokens(line);
    let Some(first) = words.first() else {
        return Err(LineError::Empty);
    };
    let Some((spec, used)) = head(&words) else {
        let name = first.text.to_string();
        let prefix = format!("{name} ");
        let choices: Vec<&'static str> = COMMANDS
            .iter()
            .filter_map(|c| c.name.strip_prefix(prefix.as_str()))
            .collect();
        if !choices.is_empty() {
            return Err(LineError::Subcommand { name, choices });
        }
        return Err(LineError::Unknown {
            nearest: nearest(&name, COMMANDS.iter().map(|c| c.name)),
            name,
        });
    };
    let rest = &words[used..];
    // Free text may hold a lone quotation mark (an apostrophe of inches); elsewhere it is a mistake.
    let takes_rest = spec.args.last().is_some_and(|a| a.kind.takes_rest())
        || spec.flags.iter().any(|f| f.kind.takes_rest());
    if let Some(e) = open
        && !takes_rest
    {
        return Err(e);
    }
    let mut command = Command {
        spec,
        args: Vec::new(),
        flags: Vec::new(),
    };
    let mut i = 0;
    while i < rest.len() {
        let word = &rest[i];
        if let Some(name) = flag_name(word) {
            if let Some(flag) = spec.flags.iter().find(|f| f.name == name) {
                let (value, next) = flag_value(line, spec, flag, rest, i + 1)?;
                command.flags.retain(|(n, _)| *n != flag.name);
                command.flags.push((flag.name, value));
                i = next;
                continue;
            }
            let in_text = spec
                .args
                .get(command.args.len())
                .or(spec.args.last())
                .is_some_and(|a| a.kind.takes_rest());
            if !in_text {
                return Err(LineError::UnknownFlag {
                    command: spec.name,
                    nearest: nearest(name, spec.flags.iter().map(|f| f.name)),
                    name: name.to_owned(),
                    at: word.start,
                });
            }
        }
        match spec.args.get(command.args.len()) {
            Some(a) if a.kind.takes_rest() => {
                let (text, next) = text_until_flag(line, spec, rest, i);
                command.args.push(text);
                i = next;
            }
            Some(_) => {
                command.args.push(word.text.to_string());
                i += 1;
            }
            // Text that goes on behind an option belongs to the text.
            None if spec.args.last().is_some_and(|a| a.kind.takes_rest()) => {
                let (text, next) = text_until_flag(line, spec, rest, i);
                if let Some(last) = command.args.last_mut() {
                    last.push(' ');
                    last.push_str(&text);
                }
                i = next;
            }
            None => {
                return Err(LineError::TooMany {
                    usage: spec.usage(),
                    extra: word.text.to_string(),
                    at: word.start,
                });
            }
        }
    }
    Ok(command)
}

fn flag_name<'t>(word: &'t Token<'_>) -> Option<&'t str> {
    (!word.quoted)
        .then(|| word.text.strip_prefix("--"))
        .flatten()
        .filter(|n| !n.is_empty())
}

fn is_own_flag(spec: &CommandSpec, word: &Token<'_>) -> bool {
    flag_name(word).is_some_and(|n| spec.flags.iter().any(|f| f.name == n))
}

/// The text from word `i` up to the next option of the command, as it stands; a single quoted word without its quotation marks.
fn text_until_flag(
    line: &str,
    spec: &CommandSpec,
    rest: &[Token<'_>],
    i: usize,
) -> (String, usize) {
    let end = (i..rest.len())
        .find(|&j| is_own_flag(spec, &rest[j]))
        .unwrap_or(rest.len());
    let text = match &rest[i..end] {
        [] => String::new(),
        // A query keeps its quotation marks, they mean "exactly".
        [one] if one.quoted && spec.args.last().is_none_or(|a| a.kind != ArgKind::Query) => {
            one.text.to_string()
        }
        [first, .., last] => line[first.start..last.end].to_owned(),
        [one] => line[one.start..one.end].to_owned(),
    };
    (text, end)
}

fn flag_value(
    line: &str,
    spec: &'static CommandSpec,
    flag: &'static Flag,
    rest: &[Token<'_>],
    i: usize,
) -> Result<(String, usize), LineError> {
    let missing = LineError::FlagValue {
        command: spec.name,
        name: flag.name,
    };
    match rest.get(i) {
        None => Err(missing),
        Some(w) if is_own_flag(spec, w) => Err(missing),
        // Free text runs on to the next option, unless the command has free text of its own.
        Some(w)
            if flag.kind == ArgKind::Text
                && !w.quoted
                && spec.args.iter().all(|a| !a.kind.takes_rest()) =>
        {
            Ok(text_until_flag(line, spec, rest, i))
        }
        Some(w) => Ok((w.text.to_string(), i + 1)),
    }
}

impl Command {
    /// The command of that name with these arguments, for front doors that ask for them one by one. `None` when there is no such command.
    pub fn of(name: &str, args: impl IntoIterator<Item = String>) -> Option<Command> {
        Some(Command {
            spec: find(name)?,
            args: args.into_iter().collect(),
            flags: Vec::new(),
        })
    }
    /// With an option.
    pub fn with(mut self, flag: &str, value: impl Into<String>) -> Command {
        if let Some(f) = self.spec.flags.iter().find(|f| f.name == flag) {
            self.flags.retain(|(n, _)| *n != f.name);
            self.flags.push((f.name, value.into()));
        }
        self
    }
    /// An argument by position, if it was given and is not blank.
    pub fn arg(&self, i: usize) -> Option<&str> {
        self.args
            .get(i)
            .map(String::as_str)
            .filter(|s| !s.trim().is_empty())
    }
    /// An option's value.
    pub fn flag(&self, name: &str) -> Option<&str> {
        self.flags
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v.as_str())
    }
    /// The arguments that it still needs, in order.
    pub fn missing(&self) -> impl Iterator<Item = &'static super::spec::Arg> + '_ {
        self.spec
            .args
            .iter()
            .enumerate()
            .filter(|(i, a)| !a.optional && self.arg(*i).is_none())
            .map(|(_, a)| a)
    }
}

impl fmt::Display for Command {
    /// The line that [`parse`] reads back as this command.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec.name)?;
        // Options come first, so that free text may end the line.
        for (name, value) in &self.flags {
            write!(f, " --{name} {}", quote(value))?;
        }
        for (i, a) in self.args.iter().enumerate() {
            let raw = self
                .spec
                .args
                .get(i)
                .is_some_and(|s| s.kind == ArgKind::Query);
            if raw {
                write!(f, " {a}")?;
            } else {
                write!(f, " {}", quote(a))?;
            }
        }
        Ok(())
    }
}

/// Quoted when it has blanks or could be read as something else.
fn quote(s: &str) -> Cow<'_, str> {
    let plain =
        !s.is_empty() && !s.starts_with("--") && !s.chars().any(|c| c.is_whitespace() || c == '"');
    if plain {
        Cow::Borrowed(s)
    } else {
        Cow::Owned(format!(
            "\"{}\"",
            s.replace('\\', "\\\\").replace('"', "\\\"")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_two_words_options_and_free_text() {
        let c = parse("task new Call the CFO --due fri --priority p1").expect("a command");
        assert_eq!(c.spec.name, "task new");
        assert_eq!(c.args, ["Call the CFO"]);
        assert_eq!(
            (c.flag("due"), c.flag("priority")),
            (Some("fri"), Some("p1"))
        );
        let c = parse("escalate --to L2 --reason sponsor left, usage down").expect("a command");
        assert_eq!(c.flag("reason"), Some("sponsor left, usage down"));
        let c = parse("note he said \"no\" -- twice --really").expect("a command");
        assert_eq!(c.args, ["he said \"no\" -- twice --really"]);
        let c = parse("log call --date yesterday spoke with Ann").expect("a command");
        assert_eq!(c.args, ["call", "spoke with Ann"]);
        let c = parse("filter \"acme\"").expect("a command");
        assert_eq!(c.args, ["\"acme\""], "a query keeps its quotation marks");
    }

    #[test]
    fn mistakes_are_named_with_the_nearest_right_word() {
        assert_eq!(
            parse("snoze 3d").unwrap_err().to_string(),
            "there is no command `snoze`, did you mean `snooze`?"
        );
        assert_eq!(
            parse("escalate --too L2").unwrap_err().to_string(),
            "`escalate` has no option --too, did you mean `to`?"
        );
        assert!(matches!(parse("task"), Err(LineError::Subcommand { .. })));
        assert!(matches!(
            parse("ack now"),
            Err(LineError::TooMany { at: 4, .. })
        ));
        assert!(matches!(
            parse("assign \"Dana"),
            Err(LineError::Quote { at: 7 })
        ));
        assert_eq!(parse("  "), Err(LineError::Empty));
    }

    #[test]
    fn what_is_missing_is_known() {
        let c = parse("log call").expect("a command");
        assert_eq!(c.missing().map(|a| a.name).collect::<Vec<_>>(), ["TEXT"]);
    }

    proptest! {
        #[test]
        fn a_command_reads_back_as_it_was_written(text in "[ -~éß株\n]{1,40}", who in "[ -~]{1,12}") {
            for c in [
                Command::of("note", [text.clone()]).expect("in the table"),
                Command::of("assign", [who.clone()]).expect("in the table"),
                Command::of("log", ["call".to_owned(), text.clone()]).expect("in the table").with("contact", who.clone()),
                Command::of("escalate", []).expect("in the table").with("reason", text.clone()).with("to", "L1"),
            ] {
                prop_assert_eq!(parse(&c.to_string()).expect("reads back"), c);
            }
        }
        #[test]
        fn no_line_panics(line in "\\PC{0,60}") {
            let _ = parse(&line);
        }
    }
}
