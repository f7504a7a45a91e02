//! Text from outside is hostile: control characters become visible marks before they reach a terminal, a CSV or a log.

use std::borrow::Cow;

/// The visible mark of a character that must not reach a terminal: C0 and DEL as their control pictures, C1, bidirectional
/// overrides and other invisible format characters as `�`. `None` for a character that may pass.
pub fn mark(c: char) -> Option<char> {
    match c {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' => Some('\u{fffd}'),
        // Overrides and isolates can reorder what stands beside them; joiners and variation selectors are needed by scripts and emoji.
        '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{2028}'
        | '\u{2029}' => Some('\u{fffd}'),
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => Some('\u{fffd}'),
        _ => None,
    }
}

/// The text with every control character made visible, on one line.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| mark(c).is_some()) {
        Cow::Owned(text.chars().map(|c| mark(c).unwrap_or(c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_become_marks_and_plain_text_is_not_copied() {
        assert_eq!(
            visible("a\x1b[2J\tb\u{9b}1m\u{202e}x"),
            "a␛[2J␉b\u{fffd}1m\u{fffd}x"
        );
        assert!(matches!(visible("Zeta 株式会社 👩‍👩‍👧"), Cow::Borrowed(_)));
    }
}
