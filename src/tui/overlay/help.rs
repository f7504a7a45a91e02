//! Help for what is in focus, made from the table of keys.

use super::scroll::Scroll;
use super::{Overlay, Then, centred};
use crate::cockpit::keymap::KeyHelp;
use crate::command::{Group, parse};
use crate::tui::app::App;
use crate::tui::theme::Role;
use crate::tui::ui::{Ui, bit};
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Rect;

/// One line of help, and why it cannot run now.
type Entry = (KeyHelp, Option<Why>);

/// The page of keys.
pub struct Help {
    title: &'static str,
    /// Group by group, with the reason of those that cannot run now.
    groups: Vec<(&'static str, Vec<Entry>)>,
    scroll: Scroll,
}

impl Help {
    /// Help for the pane in focus.
    pub fn open(app: &App) -> Help {
        let selection = app.selection();
        let mut groups: Vec<(&'static str, Vec<Entry>)> =
            Group::ALL.iter().map(|g| (g.title(), Vec::new())).collect();
        for line in app.keymap.help(app.scope()) {
            let spec = parse(line.command.split(", ").next().unwrap_or(""))
                .ok()
                .map(|c| c.spec);
            let group = spec.map_or(Group::Program, |s| s.group);
            // What cannot run says why; what runs but stays here says so too.
            let why = spec.and_then(|s| match app.cockpit.can_run(s, &selection) {
                Ok(kept) => kept.map(Why::Here),
                Err(why) => Some(Why::Not(why)),
            });
            let Some((_, lines)) = groups
                .iter_mut()
                .zip(Group::ALL)
                .find(|(_, g)| *g == group)
                .map(|(g, _)| g)
            else {
                continue;
            };
            // Several keys of one command share a line.
            match lines.iter_mut().find(|(l, _)| l.command == line.command) {
                Some((l, _)) => l.keys = format!("{} {}", l.keys, line.keys),
                None => lines.push((line, why)),
            }
        }
        groups.retain(|(_, l)| !l.is_empty());
        Help {
            title: app.focus.title(),
            groups,
            scroll: Scroll::default(),
        }
    }

    /// Scrolls.
    pub fn scroll(&mut self, by: isize) {
        self.scroll.by(by);
    }

    /// A key: moves, or closes.
    pub fn key(mut self, key: &KeyEvent) -> Then {
        if self.scroll.key(key.code) {
            Then::Stay(Overlay::Help(self))
        } else {
            Then::Close
        }
    }

    /// Draws it.
    pub fn draw(&self, ui: &mut Ui<'_>, area: Rect) {
        let columns: u16 = if area.width >= 120 { 2 } else { 1 };
        let frame = centred(area, 68 * columns, area.height.saturating_sub(2));
        let title = format!("Keys: {}", self.title);
        let inner = ui.overlay(
            frame,
            &[bit(title, Role::TitleFocus)],
            &[bit("any other key closes", Role::Muted)],
        );
        let mut lines: Vec<Line<'_>> = Vec::new();
        for (name, keys) in &self.groups {
            if !lines.is_empty() {
                lines.push(Line::Blank);
            }
            lines.push(Line::Title(name));
            lines.extend(keys.iter().map(|(h, why)| Line::Key(h, why.as_ref())));
        }
        let height = usize::from(inner.height.saturating_sub(1));
        if height == 0 {
            return;
        }
        let (top, last) = self
            .scroll
            .place(lines.len(), height * usize::from(columns));
        let width = inner.width / columns;
        for (i, line) in lines.iter().skip(top).enumerate() {
            let column = (i / height) as u16;
            if column >= columns {
                break;
            }
            let (x, y) = (inner.x + column * width, inner.y + (i % height) as u16);
            let room = width.saturating_sub(2);
            match line {
                Line::Blank => {}
                Line::Title(t) => {
                    ui.put(x, y, room, t, Role::TitleFocus);
                }
                Line::Key(h, why) => {
                    ui.put(
                        x,
                        y,
                        16,
                        &h.keys,
                        if why.is_some() {
                            Role::Muted
                        } else {
                            Role::Key
                        },
                    );
                    // The reason comes first: it is what the line is for, and its end may not fit.
                    let text = match why {
                        None => h.help.clone(),
                        Some(Why::Not(w)) => format!("{} (not now: {w})", h.help),
                        Some(Why::Here(w)) => format!("kept here: {} ({w})", h.help),
                    };
                    let role = if why.is_some() {
                        Role::Muted
                    } else {
                        Role::Text
                    };
                    ui.put(x + 17, y, room.saturating_sub(17), &text, role);
                }
            }
        }
        let more = if last > top { "↓ j  " } else { "" };
        let said = format!(
            "{more}filter: / health<50 renewal<60d owner:me segment:enterprise -tag:pilot \"exact\""
        );
        ui.put(inner.x, inner.bottom() - 1, inner.width, &said, Role::Muted);
    }
}

/// What a person should know before pressing a key.
enum Why {
    /// It cannot run now.
    Not(String),
    /// It runs, and stays here.
    Here(String),
}

enum Line<'a> {
    Blank,
    Title(&'a str),
    Key(&'a KeyHelp, Option<&'a Why>),
}
