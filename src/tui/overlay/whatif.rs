//! What would be if: before and after side by side. Made on a thread of its own, and never written.

use super::scroll::Scroll;
use super::{Overlay, Then, centred};
use crate::book::LocalId;
use crate::cockpit::{PageSlot, PageSpec};
use crate::insight::page::{Block, Page};
use crate::tui::app::App;
use crate::tui::text::{fit, pad_left, wrap};
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Ui, bit};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

/// Cells of a value.
const VALUE: usize = 20;
/// Cells of a label.
const LABEL: usize = 26;

/// The box.
pub struct WhatIf {
    spec: PageSpec,
    line: String,
    scroll: Scroll,
}

impl WhatIf {
    /// Asks what would be if that line came true, of the account in focus.
    pub fn open(app: &App, line: &str) -> WhatIf {
        let account = app.account_in_focus().map_or(0, |LocalId(id)| id);
        let spec = PageSpec::of("whatif", false)
            .with("account", account.to_string())
            .with("line", line);
        app.cockpit.request_page(PageSlot::WhatIf, spec.clone());
        WhatIf {
            spec,
            line: line.to_owned(),
            scroll: Scroll::default(),
        }
    }

    /// The answer is there.
    #[cfg(test)]
    pub fn made(&self, app: &App) -> bool {
        app.cockpit.page(&self.spec).is_some()
    }

    /// Scrolls.
    pub fn scroll(&mut self, by: isize) {
        self.scroll.by(by);
    }

    /// A key: moves, changes the line, or closes.
    pub fn key(mut self, app: &mut App, key: &KeyEvent) -> Then {
        match key.code {
            code if self.scroll.key(code) => {}
            KeyCode::Char(':') => {
                app.cockpit.forget_page(PageSlot::WhatIf);
                let line = format!("whatif {}", self.line);
                let palette = super::palette::Palette::open(app, &line);
                return Then::Stay(Overlay::Palette(palette));
            }
            _ => {
                app.cockpit.forget_page(PageSlot::WhatIf);
                return Then::Close;
            }
        }
        Then::Stay(Overlay::WhatIf(self))
    }

    /// Draws it.
    pub fn draw(&self, app: &App, ui: &mut Ui<'_>, area: Rect) {
        let wide = ((LABEL + 2 * VALUE + 12) as u16).min(area.width);
        let room = usize::from(wide.saturating_sub(4));
        let view = app.cockpit.page(&self.spec);
        let (title, lines) = match &view {
            Some(v) => (v.page.sentence.clone(), lines(app, &v.page, room)),
            None => (String::new(), vec![vec![bit("…", Role::Muted)]]),
        };
        let height = lines.len().min(usize::from(area.height)) as u16 + 2;
        let frame = centred(area, wide, height);
        let inner = ui.overlay(
            frame,
            &[
                bit(format!("What if {}: ", self.line), Role::TitleFocus),
                bit(title, Role::TitleFocus),
            ],
            &[
                bit(":", Role::Key),
                bit(" another line  ", Role::Muted),
                bit("any other key closes", Role::Muted),
            ],
        );
        let room = usize::from(inner.height);
        let (top, _) = self.scroll.place(lines.len(), room);
        for (i, line) in lines.iter().skip(top).take(room).enumerate() {
            ui.line(inner.x, inner.y + i as u16, inner.width, line);
        }
        ui.thumb(frame, top, room, lines.len(), true);
    }
}

/// A table's rows as label, before and after; what moves stands out by colour and by an arrow.
fn lines<'a>(app: &App, page: &Page, room: usize) -> Vec<Vec<Bit<'a>>> {
    let words = app.words();
    let value = room.saturating_sub(LABEL + 6) / 2;
    let mut out: Vec<Vec<Bit<'a>>> = Vec::new();
    for block in &page.blocks {
        match block {
            Block::Table {
                title,
                columns,
                rows,
                ..
            } => {
                if !out.is_empty() {
                    out.push(Vec::new());
                }
                let mut head = vec![bit(format!("{title:<LABEL$}"), Role::Title)];
                for column in columns {
                    head.push(bit(format!("{column:>value$}  "), Role::Muted));
                }
                out.push(head);
                for row in rows {
                    let cells: Vec<String> = row
                        .cells
                        .iter()
                        .map(|f| pad_left(&fit(&words.short(&f.value), value), value))
                        .collect();
                    let moves =
                        row.cells.first().map(|f| &f.value) != row.cells.get(1).map(|f| &f.value);
                    let mut line = vec![bit(format!("{:<LABEL$}", row.label), Role::Text)];
                    for (i, cell) in cells.into_iter().enumerate() {
                        let role = match (i, moves) {
                            (1, true) => Role::Accent,
                            _ => Role::Text,
                        };
                        line.push(bit(format!("{cell}  "), role));
                    }
                    line.push(bit(if moves { "←" } else { " " }, Role::Accent));
                    out.push(line);
                }
            }
            Block::Text { text } => {
                out.push(Vec::new());
                out.extend(
                    wrap(text, room)
                        .into_iter()
                        .map(|l| vec![bit(l, Role::Muted)]),
                );
            }
            _ => {}
        }
    }
    out
}
