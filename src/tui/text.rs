//! Text in cells: cut with `…`, padded, wrapped, hostile characters made visible. Everything from outside passes through here.

use crate::book::text::visible;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The cells that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text made visible, and without what terminals disagree about: emoji joined to a family or coloured become their first one, flags
/// their letters, variation selectors go. Otherwise a name would move everything behind it on some terminals.
pub fn clean(text: &str) -> Cow<'_, str> {
    let text = visible(text);
    if !text.chars().any(disputed) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for g in text.graphemes(true) {
        for (i, c) in g.chars().enumerate() {
            match c {
                '\u{200d}' if i > 0 && wide_start(g) => break,
                '\u{1f1e6}'..='\u{1f1ff}' => {
                    // Regional indicators are the letters A to Z.
                    let letter = b'A' + (c as u32 - 0x1f1e6) as u8;
                    out.push(char::from(letter));
                }
                c if disputed(c) && c != '\u{200d}' && i > 0 => {}
                c => out.push(c),
            }
        }
    }
    Cow::Owned(out)
}

/// Whether it begins with an emoji: only there is a joiner not part of the script.
fn wide_start(grapheme: &str) -> bool {
    grapheme
        .chars()
        .next()
        .is_some_and(|c| c as u32 >= 0x2190 && !c.is_alphabetic())
}

/// Characters whose effect on the width of what stands before them differs from terminal to terminal.
fn disputed(c: char) -> bool {
    matches!(
        c,
        '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{1f1e6}'..='\u{1f1ff}'
    )
}

/// The text in pieces of which no letter with its marks takes two cells for two characters that each have a cell of their own (as Thai's
/// SARA AM does behind a consonant): terminals draw these one by one, and would keep the second when something narrow takes their place.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let cut = if rest.is_ascii() {
            None
        } else {
            rest.grapheme_indices(true).find_map(|(at, g)| {
                g.char_indices()
                    .skip(1)
                    .find(|(i, c)| c.width().unwrap_or(0) > 0 && g[..*i].width() > 0)
                    .map(|(i, _)| at + i)
            })
        };
        let (piece, after) = rest.split_at(cut.unwrap_or(rest.len()));
        rest = after;
        Some(piece)
    })
}

/// The text made visible and cut to `max` cells; what is cut ends in `…`. Never splits a grapheme (a letter with its marks, a family emoji).
pub fn fit(text: &str, max: usize) -> Cow<'_, str> {
    let text = clean(text);
    if text.width() <= max {
        return text;
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let mut out = String::with_capacity(max + 4);
    let mut used = 0;
    for g in text.graphemes(true) {
        let w = g.width();
        if used + w + 1 > max {
            break;
        }
        out.push_str(g);
        used += w;
    }
    // A blank before the ellipsis looks like a gap.
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('…');
    Cow::Owned(out)
}

/// Cut from the left, for what matters at its end (a line being typed, a path).
pub fn fit_end(text: &str, max: usize) -> Cow<'_, str> {
    let text = clean(text);
    if text.width() <= max {
        return text;
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let mut tail: Vec<&str> = Vec::new();
    let mut used = 0;
    for g in text.graphemes(true).rev() {
        let w = g.width();
        if used + w + 1 > max {
            break;
        }
        tail.push(g);
        used += w;
    }
    let mut out = String::from("…");
    out.extend(tail.into_iter().rev());
    Cow::Owned(out)
}

/// Blanks before it up to so many cells, so that it ends at their edge; what is longer stays whole.
pub fn pad_left(text: &str, to: usize) -> String {
    format!("{}{text}", " ".repeat(to.saturating_sub(text.width())))
}

/// Blanks behind it up to so many cells; what is longer is cut.
pub fn pad_right(text: &str, to: usize) -> String {
    let text = fit(text, to);
    format!("{text}{}", " ".repeat(to.saturating_sub(text.width())))
}

/// As [`clean`], line ends kept.
fn clean_lines(text: &str) -> String {
    let lines: Vec<Cow<'_, str>> = text
        .split('\n')
        .map(|l| clean(l.trim_end_matches('\r')))
        .collect();
    lines.join("\n")
}

/// Lines of at most `max` cells, broken at blanks where there are any, at graphemes where not. Line ends in the text are kept.
pub fn wrap(text: &str, max: usize) -> Vec<String> {
    let mut out = Vec::new();
    if max == 0 {
        return out;
    }
    for line in clean_lines(text).split('\n') {
        let (mut current, mut used) = (String::new(), 0);
        for word in line.split_inclusive(' ') {
            let w = word.width();
            // The blank at the end of a line takes no cell.
            if used + word.trim_end().width() <= max {
                current.push_str(word);
                used += w;
                continue;
            }
            if !current.trim().is_empty() {
                out.push(current.trim_end().to_owned());
            }
            current = String::new();
            used = 0;
            if word.trim().is_empty() {
                continue;
            }
            for g in word.graphemes(true) {
                let w = g.width();
                if used + w > max {
                    out.push(std::mem::take(&mut current));
                    used = 0;
                }
                current.push_str(g);
                used += w;
            }
        }
        out.push(current.trim_end().to_owned());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_terminals_draw_in_cells_of_their_own_has_cells_of_its_own() {
        let all = |t: &'static str| pieces(t).collect::<Vec<_>>();
        assert_eq!(all("Acme"), ["Acme"]);
        assert_eq!(all("株式 e\u{301}"), ["株式 e\u{301}"]);
        assert_eq!(all("จำกัด"), ["จ", "ำกัด"]);
        for text in ["บริษัท ช้างทอง จำกัด", "ກຳ", "क्षत्रिय", "a"]
        {
            let cells: usize = pieces(text).map(width).sum();
            assert_eq!(
                (pieces(text).collect::<String>(), cells),
                (text.to_owned(), width(text))
            );
        }
    }

    #[test]
    fn cutting_keeps_cells_and_graphemes() {
        assert_eq!(fit("Northwind", 9), "Northwind");
        assert_eq!(fit("Northwind", 6), "North…");
        assert_eq!(fit("Zeta 株式会社", 8), "Zeta 株…");
        assert_eq!(fit("Zeta 株式会社", 7), "Zeta…");
        assert_eq!(fit("a👩‍👩‍👧b c", 3), "a…");
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(fit("x", 0), "");
        assert_eq!(fit("a\x1b[2Jb", 20), "a␛[2Jb");
        assert_eq!(fit_end("one two three", 6), "…three");
        assert_eq!(fit("👨‍👩‍👧‍👦 Care 🏳️‍🌈 👍🏽 🇩🇪", 40), "👨 Care 🏳 👍 DE");
        assert_eq!(fit("क्‍ष می‌خواهم", 40), "क्‍ष می‌خواهم");
        for w in 0..12 {
            assert!(width(&fit("שלום עולם 株式会社 👩‍👩‍👧", w)) <= w);
        }
    }

    #[test]
    fn wrapping_breaks_at_blanks_and_loses_no_letter() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("x\x1by", 5), ["x␛y"]);
        for line in wrap("株式会社 株式会社", 5) {
            assert!(width(&line) <= 5);
        }
    }
}
