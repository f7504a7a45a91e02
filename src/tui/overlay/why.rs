//! Why a row is where it is: the arithmetic with its sources and their age, the reasons, and what the figures are worth.

use super::{Overlay, Then, centred};
use crate::book::LocalId;
use crate::cockpit::Snapshot;
use crate::insight::{definitions, explain};
use crate::tui::app::App;
use crate::tui::fmt;
use crate::tui::text::{width, wrap};
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Ui, bit};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

/// The arithmetic of one account, or the definitions of the figures of a pane.
pub struct Why {
    account: Option<LocalId>,
    top: usize,
}

impl Why {
    /// Of an account; of the header's figures without one.
    pub fn open(account: Option<LocalId>) -> Why {
        Why { account, top: 0 }
    }

    /// Scrolls.
    pub fn scroll(&mut self, by: isize) {
        self.top = self.top.saturating_add_signed(by);
    }

    /// A key: moves, or closes.
    pub fn key(mut self, key: &KeyEvent) -> Then {
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.scroll(1),
            KeyCode::Up | KeyCode::Char('k') => self.scroll(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll(10),
            KeyCode::PageUp => self.scroll(-10),
            _ => return Then::Close,
        }
        Then::Stay(Overlay::Why(self))
    }

    /// Draws it.
    pub fn draw(&self, app: &App, ui: &mut Ui<'_>, area: Rect) {
        let wide = 96.min(area.width);
        let room = usize::from(wide.saturating_sub(4));
        let (title, lines) = match self
            .account
            .and_then(|id| shown(app).book.account_by_id(id))
        {
            Some(a) => (a.name().to_owned(), account_lines(app, &a, room)),
            None => ("What the figures mean".to_owned(), figure_lines(app, room)),
        };
        let frame = centred(area, wide, lines.len() as u16 + 2);
        let inner = ui.overlay(
            frame,
            &[bit("Why: ", Role::TitleFocus), bit(title, Role::TitleFocus)],
            &[bit("any other key closes", Role::Muted)],
        );
        let last = lines.len().saturating_sub(usize::from(inner.height));
        for (i, line) in lines
            .iter()
            .skip(self.top.min(last))
            .take(usize::from(inner.height))
            .enumerate()
        {
            ui.line(inner.x, inner.y + i as u16, inner.width, line);
        }
    }
}

/// A label, its value, and a note that wraps under itself.
fn entry<'a>(
    out: &mut Vec<Vec<Bit<'a>>>,
    label: &str,
    value: &str,
    note: &str,
    room: usize,
    role: Role,
) {
    let lead = 22 + 12;
    let notes = wrap(note, room.saturating_sub(lead).max(12));
    for (i, n) in notes.into_iter().enumerate() {
        let (l, v) = if i == 0 { (label, value) } else { ("", "") };
        let pad = 12usize.saturating_sub(width(v) + 2);
        out.push(vec![
            bit(format!("{l:<22}"), Role::Muted),
            bit(format!("{}{v}  ", " ".repeat(pad)), role),
            bit(n, Role::Text),
        ]);
    }
}

/// The account page shows today, whatever day the lists are of.
fn shown(app: &App) -> &Snapshot {
    if app.account.is_some() {
        &app.snap
    } else {
        app.shown()
    }
}

fn account_lines<'a>(app: &App, a: &crate::book::AccountRow<'_>, room: usize) -> Vec<Vec<Bit<'a>>> {
    let s = shown(app);
    let e = explain(a, &s.derived, s.today, &s.rules);
    let mut out: Vec<Vec<Bit<'a>>> = Vec::new();
    let paragraph = |out: &mut Vec<Vec<Bit<'a>>>, text: &str, role: Role| {
        out.extend(wrap(text, room).into_iter().map(|l| vec![bit(l, role)]));
    };
    paragraph(&mut out, &e.membership, Role::Strong);
    out.push(Vec::new());
    let last = e.steps.len().saturating_sub(1);
    for (i, s) in e.steps.iter().enumerate() {
        if i == last && i > 0 {
            out.push(vec![bit("─".repeat(room.min(90)), Role::Border)]);
        }
        entry(&mut out, &s.label, &s.value, &s.note, room, Role::Strong);
    }
    out.push(Vec::new());
    out.push(vec![bit("Other orders", Role::Title)]);
    for s in &e.orders {
        entry(&mut out, &s.label, &s.value, &s.note, room, Role::Text);
    }
    out.push(Vec::new());
    out.push(vec![bit("Health by csops' model", Role::Title)]);
    for s in &e.health {
        entry(&mut out, &s.label, &s.value, &s.note, room, Role::Text);
    }
    out.push(Vec::new());
    out.push(vec![bit("Reasons, the strongest first", Role::Title)]);
    if e.reasons.is_empty() {
        out.push(vec![bit("none that csops knows of", Role::Muted)]);
    }
    for r in &e.reasons {
        for (i, l) in wrap(&r.line(), room.saturating_sub(2))
            .into_iter()
            .enumerate()
        {
            let lead = if i == 0 { "· " } else { "  " };
            out.push(vec![bit(lead, Role::Accent), bit(l, Role::Text)]);
        }
    }
    if let Some(good) = &e.speaks_for {
        for (i, l) in wrap(&good.line(), room.saturating_sub(6))
            .into_iter()
            .enumerate()
        {
            let lead = if i == 0 { "· but " } else { "      " };
            out.push(vec![bit(lead, Role::Muted), bit(l, Role::Good)]);
        }
    }
    if !e.caveats.is_empty() {
        out.push(Vec::new());
        out.push(vec![bit("What this is worth", Role::Title)]);
        for c in &e.caveats {
            paragraph(&mut out, c, Role::Muted);
        }
    }
    out
}

fn figure_lines<'a>(app: &App, room: usize) -> Vec<Vec<Bit<'a>>> {
    let h = &app.shown().totals(app.mine).header;
    let mut out: Vec<Vec<Bit<'a>>> = Vec::new();
    for d in definitions() {
        let covered = match d.name {
            "arr" => h.arr_coverage.words(),
            "at_risk" => h.at_risk_coverage.words(),
            "due_90d" => h.due_coverage.words(),
            "coverage" => h.health_coverage.share().map_or_else(String::new, |s| {
                format!("health is known of {}", fmt::percent(s))
            }),
            _ => String::new(),
        };
        out.push(vec![
            bit(d.title, Role::Title),
            bit(
                if covered.is_empty() {
                    String::new()
                } else {
                    format!("  ({covered})")
                },
                Role::Watch,
            ),
        ]);
        for l in wrap(d.formula, room.saturating_sub(2)) {
            out.push(vec![bit("  ", Role::Text), bit(l, Role::Text)]);
        }
        for l in wrap(d.note, room.saturating_sub(2)) {
            out.push(vec![bit("  ", Role::Text), bit(l, Role::Muted)]);
        }
    }
    out
}
