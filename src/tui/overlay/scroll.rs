//! How far a box is scrolled: never beyond its end, so that the first key back is answered.

use ratatui::crossterm::event::KeyCode;
use std::cell::Cell;

/// The line that stands at the top.
pub struct Scroll {
    top: usize,
    /// The furthest line that may stand there; known once the box has been drawn.
    last: Cell<usize>,
}

impl Default for Scroll {
    fn default() -> Scroll {
        Scroll {
            top: 0,
            last: Cell::new(usize::MAX / 2),
        }
    }
}

impl Scroll {
    /// Moves by so many lines.
    pub fn by(&mut self, lines: isize) {
        self.top = self.top.min(self.last.get()).saturating_add_signed(lines);
    }

    /// A key that moves; whether it was one.
    pub fn key(&mut self, key: KeyCode) -> bool {
        match key {
            KeyCode::Down | KeyCode::Char('j') => self.by(1),
            KeyCode::Up | KeyCode::Char('k') => self.by(-1),
            KeyCode::PageDown | KeyCode::Char(' ' | 'd') => self.by(10),
            KeyCode::PageUp | KeyCode::Char('u') => self.by(-10),
            KeyCode::Home | KeyCode::Char('g') => self.top = 0,
            KeyCode::End | KeyCode::Char('G') => self.top = usize::MAX / 2,
            _ => return false,
        }
        true
    }

    /// The line at the top of a box of this height, and the last that may stand there.
    pub fn place(&self, lines: usize, height: usize) -> (usize, usize) {
        let last = lines.saturating_sub(height);
        self.last.set(last);
        (self.top.min(last), last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_its_end_the_first_key_goes_back() {
        let mut s = Scroll::default();
        assert_eq!(s.place(30, 10), (0, 20));
        assert!(s.key(KeyCode::Char('G')));
        assert_eq!(s.place(30, 10), (20, 20));
        assert!(s.key(KeyCode::Char('k')));
        assert_eq!(s.place(30, 10), (19, 20));
        s.by(500);
        s.by(-10);
        assert_eq!(
            s.place(30, 10).0,
            10,
            "what is beyond the end counts no more"
        );
        assert!(s.key(KeyCode::Char('g')) && !s.key(KeyCode::Enter));
        assert_eq!(s.place(30, 10).0, 0);
        // What fits does not move.
        s.by(5);
        assert_eq!(s.place(3, 10), (0, 0));
    }
}
