//! The filter line: the list follows while it is typed, mistakes point at their column, fields and values are offered.

use super::Overlay;
use super::Then;
use crate::query::{Completion, complete, parse};
use crate::tui::app::{App, Pane};
use crate::tui::theme::Role;
use crate::tui::ui::{Hit, Ui, bit};
use crate::tui::widgets::editor::Editor;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

/// The filter line of one pane.
pub struct Filter {
    pane: Pane,
    editor: Editor,
    /// What was there before, for escape.
    before: String,
    offers: Vec<Completion>,
    picked: Option<usize>,
    /// What is wrong with it, and from which column on.
    error: Option<(String, usize)>,
}

impl Filter {
    /// Opens the line of a pane with the filter that it has.
    pub fn open(app: &App, pane: Pane) -> Filter {
        let before = app.asked[pane as usize].query.clone();
        let mut f = Filter {
            pane,
            editor: Editor::line(before.clone()),
            before,
            offers: Vec::new(),
            picked: None,
            error: None,
        };
        f.look(app);
        f
    }

    /// Offers and mistakes of what stands there.
    fn look(&mut self, app: &App) {
        let entity = self.pane.kind().entity();
        let text = self.editor.text();
        self.error = parse(text, entity).err().map(|e| (e.message, e.column));
        self.offers = complete(&app.snap.scope(), entity, text, self.editor.cursor());
        self.offers.truncate(8);
        // What stands there already is no offer.
        self.offers
            .retain(|o| text.get(o.span.clone()) != Some(o.insert.as_str()));
        self.picked = None;
    }

    fn changed(&mut self, app: &mut App) {
        self.look(app);
        // A half-typed term would only flash a mistake: the list keeps the last filter that could be used.
        app.asked[self.pane as usize].query = self.editor.text().to_owned();
        app.list_mut(self.pane).top = 0;
        app.list_mut(self.pane).go(0);
        app.ask_view(self.pane);
        app.dirty = true;
    }

    fn take(&mut self, app: &mut App, n: usize) {
        if let Some(o) = self.offers.get(n).cloned() {
            self.editor.replace(o.span.start, o.span.end, &o.insert);
            self.changed(app);
        }
    }

    /// A key.
    pub fn key(mut self, app: &mut App, key: &KeyEvent) -> Then {
        match key.code {
            KeyCode::Esc => {
                app.asked[self.pane as usize].query = self.before.clone();
                app.ask_view(self.pane);
                return Then::Close;
            }
            KeyCode::Enter => {
                if let Some(n) = self.picked {
                    self.take(app, n);
                    return Then::Stay(Overlay::Filter(self));
                }
                if let Some((message, _)) = &self.error {
                    app.say(crate::cockpit::Level::Bad, message.clone());
                    return Then::Stay(Overlay::Filter(self));
                }
                return Then::Close;
            }
            KeyCode::Tab => {
                let n = self.picked.unwrap_or(0);
                self.take(app, n);
            }
            KeyCode::Down if !self.offers.is_empty() => {
                let n = self.picked.map_or(0, |n| (n + 1) % self.offers.len());
                self.picked = Some(n);
            }
            KeyCode::Up if !self.offers.is_empty() => {
                let last = self.offers.len() - 1;
                self.picked = match self.picked {
                    Some(0) => None,
                    Some(n) => Some(n - 1),
                    None => Some(last),
                };
            }
            _ => {
                let before = self.editor.text().to_owned();
                if self.editor.key(key) {
                    if self.editor.text() == before {
                        self.look(app);
                    } else {
                        self.changed(app);
                    }
                }
            }
        }
        Then::Stay(Overlay::Filter(self))
    }

    /// A paste.
    pub fn paste(&mut self, app: &App, text: &str) {
        self.editor.insert(text);
        self.look(app);
    }

    /// What a paste left to be asked for.
    pub fn pasted(mut self, app: &mut App) -> Overlay {
        self.changed(app);
        Overlay::Filter(self)
    }

    /// A click on an offer.
    pub fn choose(mut self, app: &mut App, n: usize) -> Then {
        self.take(app, n);
        Then::Stay(Overlay::Filter(self))
    }

    /// Draws it: the line at the bottom, offers above it.
    pub fn draw(&self, app: &App, ui: &mut Ui<'_>, area: Rect) {
        if area.height < 3 {
            return;
        }
        let y = area.bottom() - 1;
        let line = Rect::new(area.x, y, area.width, 1);
        ui.clear(line);
        ui.fill(line, Role::Input);
        let label = format!(" {} / ", self.pane.title());
        let used = ui.put(area.x, y, area.width, &label, Role::Key);
        let found = app.view(self.pane).map(|v| match (&self.error, &v.error) {
            (Some((message, column)), _) => (format!("column {column}: {message}"), Role::Bad),
            (None, Some(e)) => (e.clone(), Role::Bad),
            (None, None) => (
                format!(
                    "{} of {}",
                    crate::tui::fmt::count(v.rows.len()),
                    crate::tui::fmt::count(v.total)
                ),
                Role::Muted,
            ),
        });
        let (text, role) = found.unwrap_or((String::new(), Role::Muted));
        let room = area.width - used;
        let wide = (crate::tui::text::width(&text) as u16 + 2).min(room * 2 / 3);
        self.editor.draw(
            ui,
            Rect::new(area.x + used, y, room.saturating_sub(wide), 1),
            true,
        );
        ui.line_right(
            area.right().saturating_sub(wide),
            y,
            wide.saturating_sub(1),
            &[bit(text, role)],
        );
        self.draw_offers(ui, area, used);
    }

    fn draw_offers(&self, ui: &mut Ui<'_>, area: Rect, left: u16) {
        let n = self
            .offers
            .len()
            .min(usize::from(area.height.saturating_sub(6)));
        if n == 0 {
            return;
        }
        let label = self
            .offers
            .iter()
            .map(|o| crate::tui::text::width(&o.label))
            .max()
            .unwrap_or(0)
            .min(28) as u16;
        let help = self
            .offers
            .iter()
            .map(|o| crate::tui::text::width(&o.help))
            .max()
            .unwrap_or(0)
            .min(44) as u16;
        let width = (label + help + 7).min(area.width);
        let x = (area.x + left).min(area.right() - width);
        let height = n as u16 + 2;
        let frame = Rect::new(
            x.saturating_sub(2),
            area.bottom() - 1 - height,
            width,
            height,
        );
        ui.clear(frame);
        ui.pane(frame, &[], &[bit("tab takes it", Role::Muted)], true);
        ui.tint_background(frame);
        for (i, o) in self.offers.iter().take(n).enumerate() {
            let y = frame.y + 1 + i as u16;
            ui.put(frame.x + 2, y, label, &o.label, Role::Strong);
            ui.put(
                frame.x + 4 + label,
                y,
                frame.width.saturating_sub(label + 6),
                &o.help,
                Role::Muted,
            );
            let row = Rect::new(frame.x + 1, y, frame.width - 2, 1);
            ui.hit(row, Hit::Choice(i));
            if self.picked == Some(i) || (self.picked.is_none() && i == 0) {
                let role = if self.picked.is_some() {
                    Role::Selected
                } else {
                    Role::SelectedDim
                };
                ui.tint(row, role);
            }
        }
    }
}
