//! The palette: every command by name, with its arguments completed and its key shown.

use super::{Overlay, Then, centred};
use crate::command::{Completion, LineError, Selection, complete, find, parse};
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::tui::ui::{Hit, Ui, bit};
use crate::tui::widgets::editor::Editor;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;

/// A command line being typed.
pub struct Palette {
    editor: Editor,
    offers: Vec<Completion>,
    picked: usize,
    /// The choice was moved by hand: enter takes it.
    moved: bool,
    /// What it would act on.
    selection: Selection,
}

impl Palette {
    /// Opens it with a text.
    pub fn open(app: &App, text: &str) -> Palette {
        let mut p = Palette {
            editor: Editor::line(text),
            offers: Vec::new(),
            picked: 0,
            moved: false,
            selection: app.selection(),
        };
        p.look(app);
        p
    }

    fn look(&mut self, app: &App) {
        self.offers = complete(self.editor.text(), self.editor.cursor(), &|kind| {
            app.choices(kind)
        });
        self.offers.truncate(200);
        self.picked = 0;
        self.moved = false;
    }

    /// Moves the choice.
    pub fn step(&mut self, by: isize) {
        if !self.offers.is_empty() {
            let n = self.offers.len() as isize;
            self.picked = (self.picked as isize + by).rem_euclid(n) as usize;
            self.moved = true;
        }
    }

    fn take(&mut self, app: &App) {
        if let Some(o) = self.offers.get(self.picked).cloned() {
            let blank = if o.text.ends_with(' ') || o.text.ends_with('"') {
                ""
            } else {
                " "
            };
            let ends = o.end == self.editor.text().len();
            let blank = if ends { blank } else { "" };
            self.editor
                .replace(o.start, o.end, &format!("{}{blank}", o.text));
            self.look(app);
        }
    }

    fn enter(mut self, app: &App) -> Then {
        let line = self.editor.text().trim().to_owned();
        let names_command = matches!(parse(&line), Ok(_) | Err(LineError::FlagValue { .. }));
        if (self.moved || !names_command) && !self.offers.is_empty() {
            self.take(app);
            let line = self.editor.text().trim().to_owned();
            // A command that needs nothing more runs at once; one that does is asked for it by its form.
            return match parse(&line) {
                Ok(_) => Then::Run(line),
                Err(_) => Then::Stay(Overlay::Palette(self)),
            };
        }
        if line.is_empty() {
            return Then::Close;
        }
        Then::Run(line)
    }

    /// A key.
    pub fn key(mut self, app: &mut App, key: &KeyEvent) -> Then {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Then::Close,
            KeyCode::Char('c') if ctrl => return Then::Close,
            KeyCode::Enter => return self.enter(app),
            KeyCode::Tab => self.take(app),
            KeyCode::Down => self.step(1),
            KeyCode::Up => self.step(-1),
            KeyCode::Char('n') if ctrl => self.step(1),
            KeyCode::Char('p') if ctrl => self.step(-1),
            KeyCode::PageDown => self.step(8),
            KeyCode::PageUp => self.step(-8),
            _ => {
                if self.editor.key(key) {
                    self.look(app);
                }
            }
        }
        Then::Stay(Overlay::Palette(self))
    }

    /// A paste.
    pub fn paste(&mut self, app: &App, text: &str) {
        self.editor.insert(text);
        self.look(app);
    }

    /// A click on an offer.
    pub fn choose(mut self, app: &App, n: usize) -> Then {
        self.picked = n;
        self.moved = true;
        self.enter(app)
    }

    /// Draws it.
    pub fn draw(&self, app: &App, ui: &mut Ui<'_>, area: Rect) {
        let rows = self.offers.len().clamp(1, 12) as u16;
        let frame = centred(area, 92, rows + 5);
        let about = match self.selection.targets.len() {
            0 => String::new(),
            1 => "on the row in focus".to_owned(),
            n => format!("on {n} marked rows"),
        };
        let inner = ui.overlay(
            frame,
            &[bit("Command", Role::TitleFocus)],
            &[bit(about, Role::Muted)],
        );
        if inner.height < 2 {
            return;
        }
        ui.put(inner.x, inner.y, 2, ": ", Role::Key);
        self.editor.draw(
            ui,
            Rect::new(inner.x + 2, inner.y, inner.width.saturating_sub(2), 1),
            true,
        );
        let shown = usize::from(inner.height.saturating_sub(3));
        let top = (self.picked + 1).saturating_sub(shown);
        for (i, o) in self.offers.iter().enumerate().skip(top).take(shown) {
            let y = inner.y + 2 + (i - top) as u16;
            self.offer(app, ui, Rect::new(inner.x, y, inner.width, 1), o, i);
        }
        if self.offers.is_empty() && inner.height > 2 {
            let text = match parse(self.editor.text()) {
                Ok(c) => c.spec.help.to_owned(),
                Err(e) => e.to_string(),
            };
            ui.put(inner.x, inner.y + 2, inner.width, &text, Role::Muted);
        }
        self.bottom(app, ui, inner);
    }

    fn offer(&self, app: &App, ui: &mut Ui<'_>, row: Rect, o: &Completion, i: usize) {
        let spec = find(o.text.trim());
        let width = if spec.is_some() { 30 } else { 40 }.min(row.width / 2);
        let text = match spec {
            Some(s) => s.usage(),
            None => o.text.trim().to_owned(),
        };
        let allowed = spec.is_none_or(|s| app.cockpit.can_run(s, &self.selection).is_ok());
        let role = if allowed { Role::Strong } else { Role::Muted };
        ui.put(row.x, row.y, width, &text, role);
        let key = spec.and_then(|s| app.keymap.keys_for(s.name, app.scope()));
        let keys = key
            .as_ref()
            .map_or(0, |k| crate::tui::text::width(k) as u16 + 2);
        ui.put(
            row.x + width + 2,
            row.y,
            row.width.saturating_sub(width + 2 + keys),
            &o.help,
            Role::Muted,
        );
        if let Some(k) = key {
            ui.line_right(row.x, row.y, row.width, &[bit(k, Role::Key)]);
        }
        let wide = Rect::new(row.x.saturating_sub(1), row.y, row.width + 2, 1);
        ui.hit(wide, Hit::Choice(i));
        if i == self.picked {
            ui.tint(wide, Role::Selected);
            ui.put(row.x - 1, row.y, 1, "▌", Role::Accent);
        }
    }

    /// The usage of the command that is being typed, or why it cannot run.
    fn bottom(&self, app: &App, ui: &mut Ui<'_>, inner: Rect) {
        let picked = self
            .offers
            .get(self.picked)
            .and_then(|o| find(o.text.trim()));
        let spec = parse(self.editor.text()).ok().map(|c| c.spec).or(picked);
        let Some(spec) = spec else { return };
        let y = inner.bottom() - 1;
        match app.cockpit.can_run(spec, &self.selection) {
            Err(why) => ui.put(
                inner.x,
                y,
                inner.width,
                &format!("not now: {why}"),
                Role::Watch,
            ),
            Ok(Some(kept)) => ui.put(inner.x, y, inner.width, &kept, Role::Watch),
            Ok(None) => ui.put(
                inner.x,
                y,
                inner.width,
                &format!("{}  {}", spec.usage(), spec.help),
                Role::Muted,
            ),
        };
    }
}
