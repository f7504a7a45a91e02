//! The keys: defaults from the table of commands, changed by `keymap.toml`.
//!
//! ```toml
//! [global]
//! "ctrl-s" = "sync"
//! "g h"    = "goto home"            # a sequence
//! "F5"     = ["sync", "goto sync"]  # several commands
//! "x"      = false                  # nothing
//! [tasks]
//! "d"      = "task move +1d"
//! ```
//!
//! A front door feeds chords to [`Keymap::feed`]; [`Keymap::next_keys`] is what the which-key box shows; [`Keymap::keys_for`] what a
//! footer and the help page show.

mod chord;
mod file;

pub use chord::{Chord, Key, sequence_text};

use crate::command::{COMMANDS, Scope};
use std::collections::BTreeMap;
use std::path::Path;

/// What a sequence of keys does.
#[derive(Clone, Debug, PartialEq)]
struct Binding {
    /// The commands, as lines, run one after the other. Empty: unbound.
    commands: Vec<String>,
    /// It stands in `keymap.toml` at this line.
    line: Option<usize>,
}

/// Sequences of keys and what they do, per scope.
#[derive(Clone, Debug)]
pub struct Keymap {
    scopes: BTreeMap<Scope, BTreeMap<Vec<Chord>, Binding>>,
    problems: Vec<String>,
}

/// What the keys so far amount to.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyMatch {
    /// Run these command lines, one after the other; the keys are used up.
    Run(Vec<String>),
    /// A sequence has begun; more keys are needed.
    More,
    /// They mean nothing; forget them.
    Nothing,
}

/// One line of the help page or the which-key box.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyHelp {
    /// The keys, `g g`.
    pub keys: String,
    /// The command line, or `…` for the beginning of longer sequences.
    pub command: String,
    /// What it does.
    pub help: String,
    /// Where it counts.
    pub scope: Scope,
}

impl Default for Keymap {
    fn default() -> Self {
        Keymap::defaults()
    }
}

impl Keymap {
    /// The default keys, from the table of commands.
    pub fn defaults() -> Keymap {
        let mut scopes: BTreeMap<Scope, BTreeMap<Vec<Chord>, Binding>> = BTreeMap::new();
        for spec in COMMANDS {
            for (scope, keys) in spec.keys {
                // The table is ours; a test reads every key of it.
                if let Ok(sequence) = chord::parse_sequence(keys) {
                    scopes.entry(*scope).or_default().insert(
                        sequence,
                        Binding {
                            commands: vec![spec.name.to_owned()],
                            line: None,
                        },
                    );
                }
            }
        }
        Keymap {
            scopes,
            problems: Vec::new(),
        }
    }

    /// The defaults changed by a file; one that is not there changes nothing. What is wrong in it stands in [`Keymap::problems`]; the
    /// rest counts.
    pub fn load(file: &Path) -> Keymap {
        match std::fs::read_to_string(file) {
            Ok(text) => Keymap::from_text(&text, file),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Keymap::defaults(),
            Err(e) => {
                let mut map = Keymap::defaults();
                map.problems.push(format!(
                    "{}: the keymap cannot be read: {e}; the default keys are used",
                    file.display()
                ));
                map
            }
        }
    }

    /// As [`Keymap::load`], from text; `file` is for messages.
    pub fn from_text(text: &str, file: &Path) -> Keymap {
        let mut map = Keymap::defaults();
        file::read(&mut map, text, file);
        map
    }

    /// What is wrong in the file: `file:line:column: sentence`.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What the keys so far amount to in a scope. The scope's own keys win over the global ones.
    pub fn feed(&self, scope: Scope, keys: &[Chord]) -> KeyMatch {
        for s in [scope, Scope::Global] {
            let Some(bindings) = self.scopes.get(&s) else {
                continue;
            };
            if let Some(b) = bindings.get(keys) {
                if b.commands.is_empty() {
                    return KeyMatch::Nothing;
                }
                return KeyMatch::Run(b.commands.clone());
            }
            if longer(bindings, keys).any(|(_, b)| !b.commands.is_empty()) {
                return KeyMatch::More;
            }
        }
        KeyMatch::Nothing
    }

    /// What may follow the keys so far: for the which-key box, one line for each next key.
    pub fn next_keys(&self, scope: Scope, keys: &[Chord]) -> Vec<KeyHelp> {
        let mut out: BTreeMap<Chord, KeyHelp> = BTreeMap::new();
        for s in [Scope::Global, scope] {
            let Some(bindings) = self.scopes.get(&s) else {
                continue;
            };
            for (sequence, b) in longer(bindings, keys) {
                let Some(next) = sequence.get(keys.len()) else {
                    continue;
                };
                if b.commands.is_empty() {
                    if sequence.len() == keys.len() + 1 {
                        out.remove(next);
                    }
                    continue;
                }
                let ends = sequence.len() == keys.len() + 1;
                let line = b.commands.join(", ");
                out.insert(
                    *next,
                    KeyHelp {
                        keys: next.to_string(),
                        help: if ends {
                            help_of(&b.commands)
                        } else {
                            "more keys".into()
                        },
                        command: if ends { line } else { "…".into() },
                        scope: s,
                    },
                );
            }
        }
        out.into_values().collect()
    }

    /// The shortest keys that run a command line in a scope, `a` or `g g`.
    pub fn keys_for(&self, command: &str, scope: Scope) -> Option<String> {
        let found = |s: Scope| {
            self.scopes
                .get(&s)?
                .iter()
                .filter(|(_, b)| b.commands.len() == 1 && b.commands[0] == command)
                .filter(|(k, _)| s == scope || self.reaches(scope, k))
                .min_by_key(|(k, _)| {
                    (
                        k.len(),
                        !k[0].is_letter(),
                        k.iter().map(|c| c.to_string().len()).sum::<usize>(),
                    )
                })
                .map(|(k, _)| sequence_text(k))
        };
        found(scope).or_else(|| found(Scope::Global))
    }

    /// Every key that counts in a scope, its own first, in the order of the table of commands.
    pub fn help(&self, scope: Scope) -> Vec<KeyHelp> {
        let mut out = Vec::new();
        let order = [
            Some(scope),
            (scope != Scope::Global).then_some(Scope::Global),
        ];
        for s in order.into_iter().flatten() {
            let Some(bindings) = self.scopes.get(&s) else {
                continue;
            };
            let mut lines: Vec<(usize, KeyHelp)> = bindings
                .iter()
                .filter(|(k, b)| !b.commands.is_empty() && (s == scope || self.reaches(scope, k)))
                .map(|(k, b)| {
                    let place = spec_of(&b.commands[0])
                        .and_then(|spec| COMMANDS.iter().position(|c| c.name == spec.name));
                    (
                        place.unwrap_or(usize::MAX),
                        KeyHelp {
                            keys: sequence_text(k),
                            command: b.commands.join(", "),
                            help: help_of(&b.commands),
                            scope: s,
                        },
                    )
                })
                .collect();
            lines.sort_by_key(|(place, _)| *place);
            out.extend(lines.into_iter().map(|(_, l)| l));
        }
        out
    }

    /// What keys do in each scope, for `csops keys describe`. The error says what is wrong with the keys.
    pub fn describe(&self, keys: &str) -> Result<Vec<KeyHelp>, String> {
        let sequence = chord::parse_sequence(keys)?;
        Ok(self
            .scopes
            .iter()
            .flat_map(|(s, bindings)| {
                bindings
                    .get(&sequence)
                    .into_iter()
                    .chain(longer(bindings, &sequence).map(|(_, b)| b))
                    .filter(|b| !b.commands.is_empty())
                    .map(|b| KeyHelp {
                        keys: keys.to_owned(),
                        command: b.commands.join(", "),
                        help: help_of(&b.commands),
                        scope: *s,
                    })
            })
            .collect())
    }

    /// Whether a global sequence can be typed in a scope: nothing of the scope's own stands in its way.
    fn reaches(&self, scope: Scope, keys: &[Chord]) -> bool {
        let Some(bindings) = self.scopes.get(&scope) else {
            return true;
        };
        (1..=keys.len()).all(|n| !bindings.contains_key(&keys[..n]))
            && longer(bindings, keys).next().is_none()
    }
}

/// The bindings whose sequences begin with these keys and go on.
fn longer<'b>(
    bindings: &'b BTreeMap<Vec<Chord>, Binding>,
    keys: &'b [Chord],
) -> impl Iterator<Item = (&'b Vec<Chord>, &'b Binding)> {
    bindings
        .range(keys.to_vec()..)
        .take_while(move |(k, _)| k.starts_with(keys))
        .filter(move |(k, _)| k.len() > keys.len())
}

fn spec_of(line: &str) -> Option<&'static crate::command::CommandSpec> {
    crate::command::parse(line).ok().map(|c| c.spec)
}

fn help_of(commands: &[String]) -> String {
    match commands {
        [one] => spec_of(one).map_or_else(String::new, |s| s.help.to_owned()),
        several => several.join(", then "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Chord> {
        chord::parse_sequence(text).expect("keys")
    }

    #[test]
    fn the_default_keys_can_be_read_and_none_hides_another() {
        let mut seen = std::collections::HashSet::new();
        for spec in COMMANDS {
            for (scope, k) in spec.keys {
                let sequence =
                    chord::parse_sequence(k).unwrap_or_else(|e| panic!("{}: {e}", spec.name));
                assert!(
                    seen.insert((*scope, sequence)),
                    "{k} of {} is taken",
                    spec.name
                );
            }
        }
        for (scope, a) in &seen {
            for (other, b) in &seen {
                assert!(
                    scope != other || a == b || !b.starts_with(a),
                    "{} hides {}",
                    sequence_text(a),
                    sequence_text(b)
                );
            }
        }
    }

    #[test]
    fn sequences_scopes_and_the_which_key_box() {
        let map = Keymap::defaults();
        assert_eq!(map.feed(Scope::Queue, &keys("g")), KeyMatch::More);
        assert_eq!(
            map.feed(Scope::Queue, &keys("g g")),
            KeyMatch::Run(vec!["top".into()])
        );
        assert_eq!(map.feed(Scope::Queue, &keys("g q")), KeyMatch::Nothing);
        assert_eq!(
            map.feed(Scope::Tasks, &keys("o")),
            KeyMatch::Run(vec!["task assign".into()])
        );
        assert_eq!(
            map.feed(Scope::Queue, &keys("o")),
            KeyMatch::Run(vec!["assign".into()])
        );
        let next = map.next_keys(Scope::Queue, &keys("r"));
        assert_eq!(
            next.iter()
                .map(|k| (k.keys.as_str(), k.command.as_str()))
                .collect::<Vec<_>>(),
            [
                ("a", "renewal amount"),
                ("c", "renewal close"),
                ("f", "renewal forecast"),
                ("s", "renewal stage")
            ]
        );
        assert_eq!(map.keys_for("top", Scope::Queue).as_deref(), Some("home"));
        assert_eq!(map.keys_for("ack", Scope::Queue).as_deref(), Some("a"));
        // On the sync screen `r` retries, so the sequences of `r` cannot be typed there.
        assert_eq!(map.keys_for("renewal stage", Scope::Sync), None);
        assert!(
            map.help(Scope::Tasks)
                .iter()
                .any(|h| h.keys == "d" && h.command == "task done")
        );
    }

    #[test]
    fn the_file_rebinds_unbinds_and_says_what_is_wrong_where() {
        let text = r#"
[global]
"ctrl-s" = "sync"
"g h" = "goto home"
"f5" = ["sync", "goto sync"]
"a" = false
"ctrl-x" = "snoze 3d"
"hyper-x" = "ack"
"g" = "top"
[tasks]
"d" = "task move +1d"
"d" = "ack"
[kitchen]
"x" = "ack"
[queue]
"w" = 7
"#;
        let map = Keymap::from_text(text, Path::new("keymap.toml"));
        let problems = map.problems().join("\n");
        for wanted in [
            "keymap.toml:7:12: there is no command `snoze`, did you mean `snooze`?",
            "keymap.toml:8:1: `hyper-x` is no key",
            "keymap.toml:9:1: `g` hides",
            "keymap.toml:13:2: there is no screen `kitchen`",
            "keymap.toml:16:7:",
        ] {
            assert!(problems.contains(wanted), "{wanted} is not in\n{problems}");
        }
        assert_eq!(
            map.feed(Scope::Queue, &keys("ctrl-s")),
            KeyMatch::Run(vec!["sync".into()])
        );
        assert_eq!(map.feed(Scope::Queue, &keys("a")), KeyMatch::Nothing);
        assert_eq!(
            map.feed(Scope::Queue, &keys("F5")),
            KeyMatch::Run(vec!["sync".into(), "goto sync".into()])
        );
        assert_eq!(
            map.feed(Scope::Queue, &keys("g h")),
            KeyMatch::Run(vec!["goto home".into()])
        );
        assert_eq!(
            map.feed(Scope::Queue, &keys("w")),
            KeyMatch::Run(vec!["why".into()])
        );
        assert_eq!(
            map.feed(Scope::Queue, &keys("G")),
            KeyMatch::Run(vec!["bottom".into()])
        );
    }

    #[test]
    fn a_file_that_is_no_toml_leaves_the_rest_of_the_keys() {
        let map = Keymap::from_text("[global\n\"a\" = ", Path::new("k.toml"));
        assert!(
            map.problems()[0].starts_with("k.toml:1:"),
            "{:?}",
            map.problems()
        );
        assert_eq!(
            map.feed(Scope::Queue, &keys("a")),
            KeyMatch::Run(vec!["ack".into()])
        );
    }
}
