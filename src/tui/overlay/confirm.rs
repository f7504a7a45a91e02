//! Asks before what cannot be undone, with Cancel in focus.

use super::{Overlay, Then, centred};
use crate::command::{Command, Selection};
use crate::tui::app::{App, Ask};
use crate::tui::text::wrap;
use crate::tui::theme::Role;
use crate::tui::ui::{Hit, Ui, bit};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

/// A question.
pub struct Confirm {
    /// What would be done and why it cannot be undone.
    pub text: String,
    /// The command that waits for the answer.
    pub command: Command,
    /// What it is about.
    pub selection: Selection,
    /// Yes is in focus.
    pub yes: bool,
}

impl Confirm {
    fn answer(self, app: &mut App, yes: bool) -> Then {
        if yes {
            app.asks.push(Ask::Run {
                command: self.command,
                selection: self.selection,
                confirmed: true,
                draft: None,
            });
        }
        Then::Close
    }

    /// A key: y and n answer, enter takes what is in focus.
    pub fn key(mut self, app: &mut App, key: &KeyEvent) -> Then {
        match key.code {
            KeyCode::Char('y' | 'Y') => self.answer(app, true),
            KeyCode::Char('n' | 'N') | KeyCode::Esc => self.answer(app, false),
            KeyCode::Enter => {
                let yes = self.yes;
                self.answer(app, yes)
            }
            KeyCode::Tab
            | KeyCode::BackTab
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Char('h' | 'l') => {
                self.yes = !self.yes;
                Then::Stay(Overlay::Confirm(self))
            }
            _ => Then::Stay(Overlay::Confirm(self)),
        }
    }

    /// A click on an answer: 0 is Cancel.
    pub fn choose(self, app: &mut App, n: usize) -> Then {
        self.answer(app, n == 1)
    }

    /// Draws it.
    pub fn draw(&self, ui: &mut Ui<'_>, area: Rect) {
        let width = 64.min(area.width);
        let lines = wrap(&self.text, usize::from(width.saturating_sub(4)));
        let frame = centred(area, width, lines.len() as u16 + 5);
        let inner = ui.overlay(frame, &[bit("This cannot be undone", Role::Watch)], &[]);
        for (i, line) in lines.iter().enumerate() {
            ui.put(
                inner.x,
                inner.y + 1 + i as u16,
                inner.width,
                line,
                Role::Text,
            );
        }
        if inner.height < 3 {
            return;
        }
        let y = inner.bottom() - 1;
        let mut x = inner.x;
        for (n, (text, focus)) in [(" Cancel (n) ", !self.yes), (" Do it (y) ", self.yes)]
            .into_iter()
            .enumerate()
        {
            let role = if focus { Role::TabActive } else { Role::Muted };
            let used = ui.put(x, y, inner.right().saturating_sub(x), text, role);
            let button = Rect::new(x, y, used, 1);
            if focus {
                ui.tint(button, Role::Cursor);
            }
            ui.hit(button, Hit::Choice(n));
            x += used + 2;
        }
    }
}
