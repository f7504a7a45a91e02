//! Keys, pastes and the mouse.

use super::app::{App, Pane};
use super::overlay::{Overlay, Then, why};
use super::ui::Hit;
use crate::cockpit::Level;
use crate::cockpit::keymap::{Chord, KeyMatch};
use crate::command::Screen;
use ratatui::crossterm::event::{
    Event, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::{Position, Rect};

impl App {
    /// Something came from the terminal.
    pub fn input(&mut self, event: &Event) {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            Event::Paste(text) => self.paste(text),
            Event::Mouse(mouse) => self.mouse(mouse),
            Event::Resize(..) => self.dirty = true,
            _ => {}
        }
    }

    fn key(&mut self, key: &KeyEvent) {
        self.dirty = true;
        self.message = None;
        if let Some(top) = self.overlays.pop() {
            let depth = self.overlays.len();
            let then = top.key(self, key);
            self.follow(depth, then);
            return;
        }
        let Some(chord) = Chord::of(key) else { return };
        let escape = chord.to_string() == "esc";
        if escape && !self.keys.is_empty() {
            self.keys.clear();
            return;
        }
        self.keys.push(chord);
        match self.keymap.feed(self.scope(), &self.keys) {
            KeyMatch::Run(lines) => {
                self.keys.clear();
                for line in lines {
                    self.run_line(&line);
                }
            }
            KeyMatch::More => {}
            KeyMatch::Nothing => {
                let keys = crate::cockpit::keymap::sequence_text(&self.keys);
                self.keys.clear();
                let help = self.keymap.keys_for("help", self.scope());
                let hint = help.map_or_else(String::new, |h| format!("; {h} lists the keys"));
                self.say(Level::Info, format!("`{keys}` does nothing here{hint}"));
            }
        }
    }

    /// What an overlay wants after a key or click.
    fn follow(&mut self, depth: usize, then: Then) {
        match then {
            // What it opened meanwhile lies on top of it.
            Then::Stay(overlay) => {
                self.overlays
                    .insert(depth.min(self.overlays.len()), overlay);
            }
            Then::Close => {
                if !self.overlays.iter().any(|o| matches!(o, Overlay::Why(_))) {
                    why::Why::forget(self);
                }
            }
            Then::Run(line) => self.run_line(&line),
        }
        self.dirty = true;
    }

    fn paste(&mut self, text: &str) {
        self.dirty = true;
        if let Some(mut top) = self.overlays.pop() {
            top.paste(self, text);
            if let Overlay::Filter(f) = top {
                top = f.pasted(self);
            }
            self.overlays.push(top);
        } else {
            // Typed blindly it would be a series of commands.
            self.say(
                Level::Info,
                "nothing takes a paste here; / filters, n writes a note",
            );
        }
    }

    /// What lies under a cell.
    fn under(&self, x: u16, y: u16) -> Option<(Rect, Hit)> {
        let at = Position::new(x, y);
        self.hits
            .iter()
            .rev()
            .find(|(r, _)| r.contains(at))
            .cloned()
    }

    fn mouse(&mut self, mouse: &MouseEvent) {
        let hit = self.under(mouse.column, mouse.row).map(|h| h.1);
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(hit),
            MouseEventKind::ScrollDown => self.wheel(hit, 3),
            MouseEventKind::ScrollUp => self.wheel(hit, -3),
            // Moves and releases change nothing, and must not cost a frame.
            _ => {}
        }
    }

    fn click(&mut self, hit: Option<Hit>) {
        let Some(hit) = hit else { return };
        self.dirty = true;
        self.message = None;
        self.keys.clear();
        match hit {
            Hit::Command(line) => {
                if !self.overlays.is_empty() {
                    self.overlays.pop();
                }
                self.run_line(&line);
            }
            Hit::Pane(n) => {
                if let Some(pane) = Pane::ALL.get(n) {
                    self.focus_on(*pane);
                }
            }
            Hit::Row(n, place) => {
                let Some(pane) = Pane::ALL.get(n).copied() else {
                    return;
                };
                let again = self.focus == pane && self.list(pane).cursor == place;
                self.focus_on(pane);
                if again {
                    self.run_line("open");
                } else {
                    self.list_mut(pane).go(place);
                    self.moved();
                }
            }
            Hit::Spot(spot) => self.metrics_click(spot),
            Hit::Choice(n) => {
                if let Some(top) = self.overlays.pop() {
                    let depth = self.overlays.len();
                    let then = top.choose(self, n);
                    self.follow(depth, then);
                }
            }
            Hit::Field(n) => {
                if let Some(Overlay::Form(form)) = self.overlays.last_mut() {
                    form.focus(n);
                }
            }
            Hit::Nothing => {}
        }
    }

    fn wheel(&mut self, hit: Option<Hit>, by: isize) {
        self.dirty = true;
        if let Some(top) = self.overlays.last_mut() {
            top.scroll(by);
            return;
        }
        if self.screen == Screen::Metrics && self.account.is_none() {
            self.metrics.scroll(by);
            return;
        }
        let pane = match hit {
            Some(Hit::Row(n, _) | Hit::Pane(n)) => Pane::ALL.get(n).copied(),
            _ => None,
        };
        let pane = pane.unwrap_or(self.focus);
        self.list_mut(pane).scroll(by);
        if pane == self.focus {
            self.moved();
        } else {
            let place = self.list(pane).cursor;
            self.list_mut(pane).id = self.id_at(pane, place);
        }
    }
}
