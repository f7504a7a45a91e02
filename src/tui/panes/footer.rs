//! The bottom line: the keys that matter here, then what csops is doing; and the box of a key sequence that has begun.

use crate::book::OutboxState;
use crate::cockpit::Level;
use crate::tui::app::{App, Pane};
use crate::tui::fmt;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit, line_width};
use ratatui::layout::Rect;

/// The commands that matter in a pane, the most important first, each with one word.
fn hints(pane: Pane) -> &'static [(&'static str, &'static str)] {
    match pane {
        Pane::Queue => &[
            ("open", "account"),
            ("why", "why"),
            ("ack", "ack"),
            ("escalate", "escalate"),
            ("snooze", "snooze"),
            ("note", "note"),
            ("filter", "filter"),
            ("palette", "commands"),
            ("help", "help"),
        ],
        Pane::Members => &[
            ("open", "account"),
            ("why", "why"),
            ("note", "note"),
            ("owner", "owner"),
            ("task new", "task"),
            ("filter", "filter"),
            ("palette", "commands"),
            ("help", "help"),
        ],
        Pane::Renewals => &[
            ("open", "account"),
            ("renewal forecast", "forecast"),
            ("renewal close", "close date"),
            ("renewal stage", "stage"),
            ("renewal amount", "amount"),
            ("note", "note"),
            ("filter", "filter"),
            ("palette", "commands"),
            ("help", "help"),
        ],
        Pane::Tasks => &[
            ("task done", "done"),
            ("task move", "move"),
            ("task assign", "assign"),
            ("task new", "new"),
            ("open", "account"),
            ("filter", "filter"),
            ("palette", "commands"),
            ("help", "help"),
        ],
        Pane::Segments => &[
            ("open", "accounts"),
            ("right", "group by"),
            ("pane next", "next pane"),
            ("palette", "commands"),
            ("help", "help"),
        ],
        Pane::Sources => &[
            ("sync", "sync now"),
            ("pane next", "outbox"),
            ("palette", "commands"),
            ("help", "help"),
        ],
        Pane::Outbox => &[
            ("open", "look"),
            ("retry", "retry"),
            ("drop", "give up"),
            ("conflict mine", "keep mine"),
            ("conflict theirs", "take theirs"),
            ("undo", "undo"),
            ("sync", "sync now"),
            ("help", "help"),
        ],
        Pane::Items => &[
            ("back", "back"),
            ("task done", "task done"),
            ("note", "note"),
            ("log", "log call"),
            ("escalate", "escalate"),
            ("task new", "task"),
            ("why", "why"),
            ("pane next", "next pane"),
            ("help", "help"),
        ],
        Pane::Facts | Pane::Timeline | Pane::Fields => &[
            ("back", "back"),
            ("note", "note"),
            ("log", "log call"),
            ("escalate", "escalate"),
            ("why", "why"),
            ("pane next", "next pane"),
            ("zoom", "zoom"),
            ("palette", "commands"),
            ("help", "help"),
        ],
        Pane::Metrics => &[
            ("page next", "next page"),
            ("why", "why"),
            ("pane next", "next block"),
            ("open", "account"),
            ("switch", "flip a switch"),
            ("yank", "copy"),
            ("mine", "mine"),
            ("palette", "commands"),
            ("help", "help"),
        ],
    }
}

/// Draws the line.
pub fn draw(app: &App, ui: &mut Ui<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    ui.fill(area, Role::Header);
    let right = match &app.message {
        Some((level, text)) => {
            let (glyph, role) = match level {
                Level::Good => ("✓ ", Role::Good),
                Level::Info => ("", Role::Text),
                Level::Bad => ("✗ ", Role::Bad),
            };
            vec![bit(glyph, role), bit(text.clone(), role)]
        }
        None => doing(app),
    };
    let need = line_width(&right) as u16;
    let cap = if app.message.is_some() {
        area.width.saturating_sub(2)
    } else {
        area.width / 2
    };
    let right_width = need.min(cap);
    let room = area.width.saturating_sub(right_width + 3);
    let mut x = area.x + 1;
    for (command, word) in hints(app.focus) {
        let Some(keys) = app.keymap.keys_for(command, app.scope()) else {
            continue;
        };
        let bits = [bit(keys, Role::Key), bit(format!(" {word}"), Role::Text)];
        let w = line_width(&bits) as u16;
        if x + w > area.x + room {
            break;
        }
        ui.line(x, area.y, w, &bits);
        ui.hit(
            Rect::new(x, area.y, w, 1),
            Hit::Command((*command).to_owned()),
        );
        x += w + 2;
    }
    ui.line_right(
        (area.right() - 1).saturating_sub(right_width),
        area.y,
        right_width,
        &right,
    );
}

/// What csops is doing: what was sent, what waits and until when it can be taken back, what needs a person.
fn doing<'a>(app: &App) -> Vec<Bit<'a>> {
    let s = &app.snap;
    let now = app.now();
    let count = |f: &dyn Fn(&OutboxState) -> bool| s.outbox.iter().filter(|i| f(&i.state)).count();
    let mut parts: Vec<Vec<Bit<'a>>> = Vec::new();
    let failed = count(&|s| matches!(s, OutboxState::Failed));
    let conflicts = count(&|s| matches!(s, OutboxState::Conflict));
    if conflicts > 0 {
        parts.push(vec![bit(format!("⚡{conflicts} conflict"), Role::Bad)]);
    }
    if failed > 0 {
        parts.push(vec![bit(format!("✗{failed} refused"), Role::Bad)]);
    }
    let asking = count(&|s| matches!(s, OutboxState::Unknown));
    if asking > 0 {
        parts.push(vec![bit(format!("?{asking} unknown: asking"), Role::Watch)]);
    }
    let sent = s
        .outbox
        .iter()
        .filter(|i| i.state == OutboxState::Done && i.finished.is_some_and(|f| f >= app.started))
        .count();
    if sent > 0 {
        parts.push(vec![
            bit("sent ", Role::Muted),
            bit(fmt::count(sent), Role::Good),
        ]);
    }
    let sending = count(&|s| matches!(s, OutboxState::Sending));
    if sending > 0 {
        parts.push(vec![bit(format!("{sending} sending"), Role::Accent)]);
    }
    let waiting: Vec<i64> = s
        .outbox
        .iter()
        .filter(|i| i.state == OutboxState::Waiting)
        .map(|i| i.next_attempt.duration_since(now).as_secs())
        .collect();
    if let Some(soonest) = waiting.iter().min() {
        let undo = app.keymap.keys_for("undo", app.scope());
        let undo = undo.map_or_else(String::new, |k| format!(" ({k} undo)"));
        parts.push(vec![
            bit(
                format!("{} waiting {}", waiting.len(), fmt::span(*soonest)),
                Role::Accent,
            ),
            bit(undo, Role::Muted),
        ]);
    }
    if parts.is_empty() && !s.problems.is_empty() {
        parts.push(vec![bit(
            format!("{} in the settings (5)", problems(s.problems.len())),
            Role::Watch,
        )]);
    }
    if parts.is_empty() && app.busy > 0 {
        parts.push(vec![bit("…", Role::Muted)]);
    }
    let mut out = Vec::new();
    for (i, p) in parts.into_iter().enumerate() {
        if i > 0 {
            out.push(bit(" · ", Role::Muted));
        }
        out.extend(p);
    }
    out
}

fn problems(n: usize) -> String {
    match n {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    }
}

/// The box of a sequence that has begun: which keys may follow.
pub fn which_key(app: &App, ui: &mut Ui<'_>, area: Rect) {
    if app.keys.is_empty() || area.height < 5 {
        return;
    }
    let next = app.keymap.next_keys(app.scope(), &app.keys);
    if next.is_empty() {
        return;
    }
    let rows = next.len().min(usize::from(area.height - 4)) as u16;
    let width = next
        .iter()
        .map(|k| crate::tui::text::width(&k.help))
        .max()
        .unwrap_or(0)
        .clamp(20, 60) as u16
        + 12;
    let width = width.min(area.width);
    let frame = Rect::new(
        area.right() - width,
        area.bottom() - rows - 3,
        width,
        rows + 2,
    );
    ui.clear(frame);
    let typed = crate::cockpit::keymap::sequence_text(&app.keys);
    let inner = ui.pane(
        frame,
        &[bit(format!("{typed} …"), Role::TitleFocus)],
        &[],
        true,
    );
    ui.tint_background(frame);
    for (i, k) in next.iter().take(usize::from(rows)).enumerate() {
        let y = inner.y + i as u16;
        ui.put(inner.x, y, 7, &k.keys, Role::Key);
        ui.put(
            inner.x + 8,
            y,
            inner.width.saturating_sub(8),
            &k.help,
            Role::Text,
        );
        if k.command != "…" {
            ui.hit(
                Rect::new(inner.x, y, inner.width, 1),
                Hit::Command(k.command.clone()),
            );
        }
    }
}
