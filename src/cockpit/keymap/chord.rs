//! One key press with its modifiers, and how it is written: `a`, `G`, `ctrl-d`, `shift-tab`, `space`, `F5`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A character; a capital letter stands for itself with shift.
    Char(char),
    /// A function key.
    F(u8),
    /// A key with a name: `enter`, `esc`, …
    Named(&'static str),
}

const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chord {
    /// The key.
    pub key: Key,
    /// With control.
    pub ctrl: bool,
    /// With alt (option).
    pub alt: bool,
    /// With shift; never set for a character, which is its own capital.
    pub shift: bool,
}

impl Chord {
    /// The chord of a key event; `None` for keys that cannot be bound (lone modifiers, media keys).
    pub fn of(event: &KeyEvent) -> Option<Chord> {
        let m = event.modifiers;
        let mut chord = Chord {
            key: Key::Char(' '),
            ctrl: m.contains(KeyModifiers::CONTROL),
            alt: m.contains(KeyModifiers::ALT),
            shift: m.contains(KeyModifiers::SHIFT),
        };
        chord.key = match event.code {
            KeyCode::Char(c) => {
                // Extended protocols report shift beside the plain letter.
                let c = if chord.shift && c.is_lowercase() {
                    c.to_uppercase().next().unwrap_or(c)
                } else {
                    c
                };
                chord.shift = false;
                // ctrl-shift-x and ctrl-x are the same byte in most terminals.
                Key::Char(if chord.ctrl {
                    c.to_ascii_lowercase()
                } else {
                    c
                })
            }
            KeyCode::BackTab => {
                chord.shift = true;
                Key::Named("tab")
            }
            KeyCode::F(n) => Key::F(n),
            other => Key::Named(NAMED.iter().find(|(_, code)| *code == other)?.0),
        };
        Some(chord)
    }

    /// Whether it is a plain character: such keys are shown before named ones.
    pub(super) fn is_letter(&self) -> bool {
        matches!(self.key, Key::Char(_)) && !self.ctrl && !self.alt
    }

    /// Reads one: `ctrl-d`, `alt-x`, `shift-tab`, `space`, `F5`, `-`. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Chord, String> {
        let wrong = || {
            format!(
                "`{text}` is no key: write a, G, ctrl-d, alt-x, shift-tab, space, enter, esc, up, pagedown or F5"
            )
        };
        let mut chord = Chord {
            key: Key::Char(' '),
            ctrl: false,
            alt: false,
            shift: false,
        };
        let mut rest = text;
        while let Some((modifier, after)) = rest
            .split_once('-')
            .filter(|(m, a)| !m.is_empty() && !a.is_empty())
        {
            match modifier.to_ascii_lowercase().as_str() {
                "ctrl" | "c" | "control" => chord.ctrl = true,
                "alt" | "a" | "m" | "meta" | "option" => chord.alt = true,
                "shift" | "s" => chord.shift = true,
                _ => return Err(wrong()),
            }
            rest = after;
        }
        let mut chars = rest.chars();
        chord.key = match (chars.next(), chars.next()) {
            (Some(c), None) => Key::Char(c),
            _ => {
                let lower = rest.to_ascii_lowercase();
                match lower.as_str() {
                    "space" => Key::Char(' '),
                    "return" => Key::Named("enter"),
                    "escape" => Key::Named("esc"),
                    "del" => Key::Named("delete"),
                    "pgup" => Key::Named("pageup"),
                    "pgdn" | "pgdown" => Key::Named("pagedown"),
                    "backtab" => {
                        chord.shift = true;
                        Key::Named("tab")
                    }
                    name => {
                        if let Some((n, _)) = NAMED.iter().find(|(n, _)| *n == name) {
                            Key::Named(n)
                        } else {
                            let n = name.strip_prefix('f').and_then(|n| n.parse::<u8>().ok());
                            Key::F(n.filter(|n| (1..=24).contains(n)).ok_or_else(wrong)?)
                        }
                    }
                }
            }
        };
        if let Key::Char(c) = chord.key {
            if chord.shift {
                chord.key = Key::Char(c.to_uppercase().next().unwrap_or(c));
                chord.shift = false;
            }
            if chord.ctrl {
                chord.key = Key::Char(c.to_ascii_lowercase());
            }
        }
        Ok(chord)
    }
}

/// Reads a sequence: chords separated by blanks.
pub(super) fn parse_sequence(text: &str) -> Result<Vec<Chord>, String> {
    let keys: Vec<Chord> = text
        .split_whitespace()
        .map(Chord::parse)
        .collect::<Result<_, _>>()?;
    match keys.len() {
        0 => Err("there is no key; the space bar is written `space`".into()),
        1..=4 => Ok(keys),
        n => Err(format!(
            "`{text}` has {n} keys; a sequence has four at most"
        )),
    }
}

/// A sequence as it is written.
pub fn sequence_text(keys: &[Chord]) -> String {
    keys.iter()
        .map(Chord::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        if self.shift {
            f.write_str("shift-")?;
        }
        match self.key {
            Key::Char(' ') => f.write_str("space"),
            Key::Char(c) => write!(f, "{c}"),
            Key::F(n) => write!(f, "F{n}"),
            Key::Named(n) => f.write_str(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_as_they_are_written() {
        for text in [
            "a",
            "G",
            "ctrl-d",
            "alt-x",
            "shift-tab",
            "space",
            "F5",
            "-",
            "ctrl--",
            "pagedown",
            "?",
            "ß",
        ] {
            assert_eq!(Chord::parse(text).expect(text).to_string(), text);
        }
        assert_eq!(Chord::parse("shift-a"), Chord::parse("A"));
        assert_eq!(Chord::parse("C-D"), Chord::parse("ctrl-d"));
        assert!(
            Chord::parse("hyper-x").is_err()
                && Chord::parse("").is_err()
                && Chord::parse("f99").is_err()
        );
    }

    #[test]
    fn events_of_plain_and_extended_terminals_are_the_same_chord() {
        let of = |code, m| Chord::of(&KeyEvent::new(code, m)).map(|c| c.to_string());
        let shift = KeyModifiers::SHIFT;
        assert_eq!(
            of(KeyCode::Char('G'), KeyModifiers::NONE).as_deref(),
            Some("G")
        );
        assert_eq!(of(KeyCode::Char('G'), shift).as_deref(), Some("G"));
        assert_eq!(of(KeyCode::Char('g'), shift).as_deref(), Some("G"));
        assert_eq!(of(KeyCode::BackTab, shift).as_deref(), Some("shift-tab"));
        assert_eq!(
            of(KeyCode::Char('D'), KeyModifiers::CONTROL | shift).as_deref(),
            Some("ctrl-d")
        );
        assert_eq!(of(KeyCode::CapsLock, KeyModifiers::NONE), None);
    }
}
