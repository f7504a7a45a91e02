//! `csops keys list|conflicts|describe`.

use super::args::KeysVerb;
use super::start::Failure;
use crate::book::text::visible;
use crate::cockpit::Keymap;
use crate::command::Scope;
use crate::config::Paths;
use std::io::Write;

/// Runs it.
///
/// # Errors
/// `conflicts`: 1 when there are any. `describe`: 2 when the keys cannot be read, 1 when nothing is bound to them.
pub fn run(verb: &KeysVerb, paths: &Paths, out: &mut dyn Write) -> Result<(), Failure> {
    let keymap = Keymap::load(&paths.keymap());
    match verb {
        KeysVerb::List => {
            for scope in Scope::ALL {
                writeln!(out, "[{}]", scope.name())?;
                for help in keymap.help(scope).iter().filter(|h| h.scope == scope) {
                    writeln!(out, "{:<14} {:<24} {}", help.keys, help.command, help.help)?;
                }
                writeln!(out)?;
            }
            Ok(())
        }
        KeysVerb::Conflicts => {
            for problem in keymap.problems() {
                writeln!(out, "{}", visible(problem))?;
            }
            if keymap.problems().is_empty() {
                Ok(())
            } else {
                Err(Failure::no())
            }
        }
        KeysVerb::Describe { keys } => {
            let found = keymap.describe(&keys.join(" ")).map_err(Failure::usage)?;
            for help in &found {
                writeln!(
                    out,
                    "{:<10} {:<14} {:<24} {}",
                    help.scope.name(),
                    help.keys,
                    help.command,
                    help.help
                )?;
            }
            if found.is_empty() {
                return Err(Failure::failed(format!(
                    "nothing is bound to {}",
                    keys.join(" ")
                )));
            }
            Ok(())
        }
    }
}
