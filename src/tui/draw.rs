//! One frame: header, the panes of the screen, the bottom line, and what lies over them.

use super::app::{App, Pane};
use super::panes::{account, accounts, footer, header, metrics, renewals, segments, sync, tasks};
use super::theme::Role;
use super::ui::{Hit, Ui, bit};
use crate::command::Screen;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Below this the program says so instead of drawing rubbish.
pub const SMALLEST: (u16, u16) = (48, 12);

/// Draws the whole screen into a buffer.
pub fn draw(app: &mut App, buf: &mut Buffer) {
    let area = buf.area;
    let theme = app.theme.clone();
    let mut ui = Ui::new(buf, &theme);
    ui.fill(area, Role::Text);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(&mut ui, area);
    } else {
        header::draw(app, &mut ui, Rect { height: 2, ..area });
        let body = Rect {
            y: area.y + 2,
            height: area.height - 3,
            ..area
        };
        screen(app, &mut ui, body);
        let bottom = Rect {
            y: area.bottom() - 1,
            height: 1,
            ..area
        };
        footer::draw(app, &mut ui, bottom);
        footer::which_key(app, &mut ui, area);
        let overlays = std::mem::take(&mut app.overlays);
        for overlay in &overlays {
            overlay.draw(app, &mut ui, area);
        }
        app.overlays = overlays;
    }
    app.built = ui.built;
    app.hits = std::mem::take(&mut ui.hits);
    app.dirty = false;
}

fn too_small(ui: &mut Ui<'_>, area: Rect) {
    let lines = [
        "csops needs".to_owned(),
        format!("{}x{} cells;", SMALLEST.0, SMALLEST.1),
        format!("this is {}x{}", area.width, area.height),
    ];
    for (i, line) in lines.iter().enumerate() {
        ui.put(area.x, area.y + i as u16, area.width, line, Role::Text);
    }
}

fn screen(app: &mut App, ui: &mut Ui<'_>, area: Rect) {
    app.narrow = area.width < 110 || area.height < 27;
    if let Some(id) = app.account {
        account::draw(app, ui, area, id);
        return;
    }
    match app.screen {
        Screen::Home if app.zoom => one(app, ui, area, app.focus),
        Screen::Home if app.narrow => {
            strip(app, ui, Rect { height: 1, ..area });
            let rest = Rect {
                y: area.y + 1,
                height: area.height - 1,
                ..area
            };
            one(app, ui, rest, app.focus);
        }
        Screen::Home => home(app, ui, area),
        Screen::Queue => one(app, ui, area, Pane::Queue),
        Screen::Renewals => one(app, ui, area, Pane::Renewals),
        Screen::Tasks => one(app, ui, area, Pane::Tasks),
        Screen::Segments if app.zoom => one(app, ui, area, app.focus),
        Screen::Segments => {
            let rows = app.snap.segments.get(app.group).map_or(0, |s| s.rows.len()) as u16;
            let upper = (rows + 4).max(6).min(area.height / 2);
            segments::draw(
                app,
                ui,
                Rect {
                    height: upper,
                    ..area
                },
            );
            let lower = Rect {
                y: area.y + upper,
                height: area.height - upper,
                ..area
            };
            accounts::draw(app, ui, lower, Pane::Members);
        }
        Screen::Sync => {
            let only = app.zoom.then_some(app.focus);
            sync::draw(app, ui, area, only);
        }
        Screen::Metrics => metrics::draw(app, ui, area),
    }
}

fn one(app: &mut App, ui: &mut Ui<'_>, area: Rect, pane: Pane) {
    match pane {
        Pane::Queue | Pane::Members => accounts::draw(app, ui, area, pane),
        Pane::Renewals => renewals::draw(app, ui, area),
        Pane::Tasks => tasks::draw(app, ui, area),
        Pane::Segments => segments::draw(app, ui, area),
        Pane::Sources | Pane::Outbox => sync::draw(app, ui, area, Some(pane)),
        Pane::Metrics => metrics::draw(app, ui, area),
        // These belong to the account page, which draws them itself.
        Pane::Facts | Pane::Items | Pane::Timeline | Pane::Fields => {}
    }
}

/// The four panes at once.
fn home(app: &mut App, ui: &mut Ui<'_>, area: Rect) {
    let left = area.width * 51 / 100;
    // The queue is read first and gets the most lines.
    let upper = area.height * 56 / 100;
    let lower = area.height - upper;
    accounts::draw(
        app,
        ui,
        Rect {
            width: left,
            height: upper,
            ..area
        },
        Pane::Queue,
    );
    tasks::draw(
        app,
        ui,
        Rect {
            y: area.y + upper,
            width: left,
            height: lower,
            ..area
        },
    );
    let right = Rect {
        x: area.x + left,
        width: area.width - left,
        ..area
    };
    let groups = app.snap.segments.get(app.group).map_or(0, |s| s.rows.len()) as u16;
    let segment_lines = (groups + 4).clamp(7, area.height * 45 / 100);
    let renewals_lines = area.height - segment_lines;
    renewals::draw(
        app,
        ui,
        Rect {
            height: renewals_lines,
            ..right
        },
    );
    segments::draw(
        app,
        ui,
        Rect {
            y: right.y + renewals_lines,
            height: segment_lines,
            ..right
        },
    );
}

/// The panes as tabs, where there is room for one at a time.
fn strip(app: &App, ui: &mut Ui<'_>, area: Rect) {
    let mut x = area.x + 1;
    for pane in app.panes() {
        let role = if *pane == app.focus {
            Role::TabActive
        } else {
            Role::Muted
        };
        let start = x;
        x += ui.put(
            x,
            area.y,
            area.right().saturating_sub(x),
            &format!(" {} ", pane.title()),
            role,
        );
        ui.hit(
            Rect::new(start, area.y, x - start, 1),
            Hit::Pane(*pane as usize),
        );
        x += 1;
    }
    if let Some(key) = app.keymap.keys_for("pane next", app.scope()) {
        ui.line_right(
            area.x,
            area.y,
            area.width.saturating_sub(2),
            &[bit(key, Role::Key), bit(" next pane", Role::Muted)],
        );
    }
}
