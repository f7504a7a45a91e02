//! The text that is being typed: one line or several, edited by graphemes.

use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::ui::Ui;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation;

/// A text and the cursor in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Editor {
    text: String,
    /// Byte offset, on a grapheme border.
    cursor: usize,
    /// Line ends may be typed and pasted.
    pub many: bool,
}

impl Editor {
    /// One line that begins with this text.
    pub fn line(text: impl Into<String>) -> Editor {
        let text = text.into();
        Editor {
            cursor: text.len(),
            text,
            many: false,
        }
    }
    /// Several lines that begin with this text.
    pub fn lines(text: impl Into<String>) -> Editor {
        Editor {
            many: true,
            ..Editor::line(text)
        }
    }
    /// What stands there.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The cursor, as a byte offset.
    pub fn cursor(&self) -> usize {
        self.cursor
    }
    /// Puts another text, the cursor at its end.
    pub fn set(&mut self, text: impl Into<String>) {
        self.text = text.into();
        self.cursor = self.text.len();
    }
    /// Puts another text in place of a part of it, the cursor behind.
    pub fn replace(&mut self, from: usize, to: usize, with: &str) {
        if from <= to && self.text.is_char_boundary(from) && self.text.is_char_boundary(to) {
            self.text.replace_range(from..to, with);
            self.cursor = from + with.len();
        }
    }
    /// Types or pastes a text. In one line, line ends become blanks; other control characters never come in.
    pub fn insert(&mut self, pasted: &str) {
        let pasted = pasted.replace("\r\n", "\n").replace('\r', "\n");
        let clean: String = pasted
            .chars()
            .filter_map(|c| match c {
                '\n' if self.many => Some('\n'),
                '\n' | '\t' => Some(' '),
                c if c.is_control() => None,
                c => Some(c),
            })
            .collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
    }
    fn before(&self) -> usize {
        self.text[..self.cursor]
            .graphemes(true)
            .next_back()
            .map_or(self.cursor, |g| self.cursor - g.len())
    }
    fn after(&self) -> usize {
        self.text[self.cursor..]
            .graphemes(true)
            .next()
            .map_or(self.cursor, |g| self.cursor + g.len())
    }
    fn word_before(&self) -> usize {
        let head = self.text[..self.cursor].trim_end();
        head.rfind(|c: char| !c.is_alphanumeric())
            .filter(|_| head.ends_with(char::is_alphanumeric))
            .map_or_else(
                || {
                    if head.ends_with(char::is_alphanumeric) {
                        0
                    } else {
                        head.trim_end_matches(|c: char| !c.is_alphanumeric() && !c.is_whitespace())
                            .len()
                    }
                },
                |i| i + head[i..].chars().next().map_or(1, char::len_utf8),
            )
    }
    fn word_after(&self) -> usize {
        let tail = &self.text[self.cursor..];
        let skipped = tail.len()
            - tail
                .trim_start_matches(|c: char| !c.is_alphanumeric())
                .len();
        let rest = &tail[skipped..];
        let word = rest.len() - rest.trim_start_matches(char::is_alphanumeric).len();
        self.cursor + skipped + word
    }
    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |i| i + 1)
    }
    fn line_end(&self) -> usize {
        self.text[self.cursor..]
            .find('\n')
            .map_or(self.text.len(), |i| self.cursor + i)
    }
    fn vertical(&mut self, down: bool) {
        let column = self.text[self.line_start()..self.cursor]
            .graphemes(true)
            .count();
        let start = if down {
            let end = self.line_end();
            if end == self.text.len() {
                self.cursor = end;
                return;
            }
            end + 1
        } else {
            let start = self.line_start();
            if start == 0 {
                self.cursor = 0;
                return;
            }
            self.text[..start - 1].rfind('\n').map_or(0, |i| i + 1)
        };
        let line = &self.text[start..];
        let line = line.split('\n').next().unwrap_or("");
        self.cursor = start
            + line
                .graphemes(true)
                .take(column)
                .map(str::len)
                .sum::<usize>();
    }
    fn cut(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    /// Takes a key; `false` when it means nothing here. Enter and escape never mean anything here (in several lines, alt-enter and ctrl-j
    /// end a line).
    pub fn key(&mut self, key: &KeyEvent) -> bool {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('a') if ctrl => self.cursor = self.line_start(),
            KeyCode::Char('e') if ctrl => self.cursor = self.line_end(),
            KeyCode::Char('b') if alt => self.cursor = self.word_before(),
            KeyCode::Char('f') if alt => self.cursor = self.word_after(),
            KeyCode::Char('w') if ctrl => self.cut(self.word_before(), self.cursor),
            KeyCode::Char('u') if ctrl => self.cut(self.line_start(), self.cursor),
            KeyCode::Char('k') if ctrl => {
                let at = self.cursor;
                let end = self.line_end();
                self.cut(at, end);
            }
            KeyCode::Char('j') if ctrl && self.many => self.insert("\n"),
            KeyCode::Enter if alt && self.many => self.insert("\n"),
            KeyCode::Char(c) if !ctrl && !alt => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace if ctrl || alt => self.cut(self.word_before(), self.cursor),
            KeyCode::Backspace => self.cut(self.before(), self.cursor),
            KeyCode::Delete => {
                let at = self.cursor;
                let end = self.after();
                self.cut(at, end);
            }
            KeyCode::Left if ctrl || alt => self.cursor = self.word_before(),
            KeyCode::Right if ctrl || alt => self.cursor = self.word_after(),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home => self.cursor = self.line_start(),
            KeyCode::End => self.cursor = self.line_end(),
            KeyCode::Up if self.many => self.vertical(false),
            KeyCode::Down if self.many => self.vertical(true),
            _ => return false,
        }
        true
    }

    /// Draws it with its cursor: what is typed is never cut without `…`, and the cursor is always in sight.
    pub fn draw(&self, ui: &mut Ui<'_>, area: Rect, focus: bool) {
        if area.width < 2 || area.height == 0 {
            return;
        }
        if !self.many {
            let (head, tail) = self.text.split_at(self.cursor);
            let width = usize::from(area.width);
            let head = text::fit_end(head, width.saturating_sub(if focus { 1 } else { 0 }));
            let used = ui.put(area.x, area.y, area.width, &head, Role::Input);
            let under = tail.graphemes(true).next().unwrap_or("");
            let mut at = used;
            if focus {
                let shown = if under.is_empty() { " " } else { under };
                at += ui.put(area.x + at, area.y, area.width - at, shown, Role::Cursor);
                ui.put(
                    area.x + at,
                    area.y,
                    area.width.saturating_sub(at),
                    &tail[under.len()..],
                    Role::Input,
                );
            } else {
                ui.put(
                    area.x + at,
                    area.y,
                    area.width.saturating_sub(at),
                    tail,
                    Role::Input,
                );
            }
            return;
        }
        // Soft-wrapped by cells; every grapheme knows its place, so that the cursor does too.
        let width = usize::from(area.width).saturating_sub(1).max(1);
        let mut lines: Vec<Vec<(usize, &str)>> = vec![Vec::new()];
        let mut used = 0;
        for (i, g) in self.text.grapheme_indices(true) {
            if g == "\n" {
                if let Some(last) = lines.last_mut() {
                    last.push((i, g));
                }
                lines.push(Vec::new());
                used = 0;
                continue;
            }
            let w = text::width(g);
            if used + w > width {
                lines.push(Vec::new());
                used = 0;
            }
            used += w;
            if let Some(last) = lines.last_mut() {
                last.push((i, g));
            }
        }
        let at = lines
            .iter()
            .position(|l| l.iter().any(|(i, _)| *i == self.cursor))
            .unwrap_or(lines.len() - 1);
        let height = usize::from(area.height);
        let top = (at + 1).saturating_sub(height);
        for (row, line) in lines.iter().enumerate().skip(top).take(height) {
            let y = area.y + (row - top) as u16;
            let mut x = 0;
            for (i, g) in line {
                let here = focus && *i == self.cursor;
                let shown = if *g == "\n" { " " } else { *g };
                if *g != "\n" || here {
                    let role = if here { Role::Cursor } else { Role::Input };
                    x += ui.put(area.x + x, y, area.width - x, shown, role);
                }
            }
            if focus && row == at && self.cursor == self.text.len() {
                ui.put(area.x + x, y, 1, " ", Role::Cursor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(e: &mut Editor, keys: &[(KeyCode, KeyModifiers)]) {
        for (code, m) in keys {
            e.key(&KeyEvent::new(*code, *m));
        }
    }
    const N: KeyModifiers = KeyModifiers::NONE;
    const C: KeyModifiers = KeyModifiers::CONTROL;

    #[test]
    fn graphemes_are_never_split_and_words_go_as_a_whole() {
        let mut e = Editor::line("héllo 👩‍👩‍👧");
        press(&mut e, &[(KeyCode::Backspace, N)]);
        assert_eq!(e.text(), "héllo ");
        press(&mut e, &[(KeyCode::Char('w'), C)]);
        assert_eq!(e.text(), "");
        e.set("renewal<60d owner:me");
        press(&mut e, &[(KeyCode::Char('w'), C)]);
        assert_eq!(e.text(), "renewal<60d owner:");
        press(
            &mut e,
            &[
                (KeyCode::Home, N),
                (KeyCode::Delete, N),
                (KeyCode::Char('R'), N),
            ],
        );
        assert_eq!(e.text(), "Renewal<60d owner:");
        press(&mut e, &[(KeyCode::Char('k'), C)]);
        assert_eq!(e.text(), "R");
    }

    #[test]
    fn a_paste_keeps_lines_only_where_there_are_lines_and_never_controls() {
        let mut one = Editor::line("");
        one.insert("a\r\nb\x1b[2Jc");
        assert_eq!(one.text(), "a b[2Jc");
        let mut many = Editor::lines("");
        many.insert("a\r\nb\tc");
        assert_eq!(many.text(), "a\nb c");
        press(
            &mut many,
            &[(KeyCode::Up, N), (KeyCode::End, N), (KeyCode::Char('!'), N)],
        );
        assert_eq!(many.text(), "a!\nb c");
        press(&mut many, &[(KeyCode::Down, N), (KeyCode::Char('j'), C)]);
        assert_eq!(many.text(), "a!\nb \nc");
        assert!(!many.key(&KeyEvent::new(KeyCode::Enter, N)));
    }
}
