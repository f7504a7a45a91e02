//! An empty pane explains itself: why it is empty and which key fills it.

use crate::book::SourceState;
use crate::command::Scope;
use crate::tui::app::{App, Pane};
use crate::tui::text::wrap;
use crate::tui::theme::Role;
use crate::tui::ui::Ui;
use ratatui::layout::Rect;

/// Why a list has no rows, and what to do about it.
fn why(app: &App, pane: Pane) -> (String, String) {
    let s = &app.snap;
    let key = |command: &str| {
        app.keymap
            .keys_for(command, app.scope())
            .unwrap_or_else(|| format!(":{command}"))
    };
    if let Some(why) = &s.failed {
        return ("The database could not be read.".into(), why.clone());
    }
    if s.loading.is_some() && s.from_cache.is_none() {
        return ("Loading the book …".into(), String::new());
    }
    if let Some(v) = app.view(pane) {
        if !app.asked[pane as usize].query.is_empty() && v.total > 0 {
            return (
                format!(
                    "None of {} matches /{}",
                    crate::tui::fmt::count(v.total),
                    app.asked[pane as usize].query
                ),
                format!(
                    "{} takes the filter away, {} changes it.",
                    key("back"),
                    key("filter")
                ),
            );
        }
    } else if pane.slot().is_some() {
        return ("…".into(), String::new());
    }
    if s.book.count(crate::book::Entity::Account) == 0 {
        if s.sources.is_empty() {
            return (
                "No source is configured yet.".into(),
                "`csops init` writes a small configuration by asking; `csops demo` shows everything on simulated vendors.".into(),
            );
        }
        if s.sources.iter().any(|x| x.state == SourceState::Running) {
            return (
                "The first load is under way.".into(),
                format!("{} shows how far it is.", key("goto sync")),
            );
        }
        if let Some(e) = s.sources.iter().find_map(|x| x.error.clone()) {
            return ("Nothing has been loaded yet.".into(), e);
        }
        return (
            "Nothing has been loaded yet.".into(),
            format!(
                "{} syncs now.",
                app.keymap
                    .keys_for("sync", Scope::Global)
                    .unwrap_or_else(|| ":sync".into())
            ),
        );
    }
    let whose = if app.mine {
        format!(
            " Only your book is shown; {} shows everybody's.",
            key("mine")
        )
    } else {
        String::new()
    };
    match pane {
        Pane::Queue => (
            "Nobody is at risk.".into(),
            format!(
                "No account lies above the threshold of loss or has an open risk, apart from what is snoozed ({} shows it).{whose}",
                app.keymap
                    .keys_for("asleep", Scope::Queue)
                    .unwrap_or_else(|| ":asleep".into())
            ),
        ),
        Pane::Renewals => (
            "No renewal is open.".into(),
            format!("Renewals come from the CRM's opportunities.{whose}"),
        ),
        Pane::Tasks => (
            "Nothing to do.".into(),
            format!(
                "{} makes a new task for the account in focus.{whose}",
                key("task new")
            ),
        ),
        Pane::Members => ("No account is in this group.".into(), String::new()),
        Pane::Segments => (
            "No account has a segment or a touch model.".into(),
            "Map them under [source.fields] in config.toml.".into(),
        ),
        Pane::Outbox => (
            "Nothing waits to be sent.".into(),
            "What you do is kept here until the vendor has it.".into(),
        ),
        Pane::Items => (
            "No work on this account.".into(),
            format!(
                "{} makes a task, {} opens a risk.",
                key("task new"),
                key("escalate")
            ),
        ),
        Pane::Timeline => (
            "Nothing has happened with this customer that any system knows of.".into(),
            format!("{} logs a call, {} writes a note.", key("log"), key("note")),
        ),
        _ => ("Nothing here.".into(), String::new()),
    }
}

/// Draws the explanation in the middle of an area.
pub fn draw(app: &App, ui: &mut Ui<'_>, area: Rect, pane: Pane) {
    let (what, remedy) = why(app, pane);
    let room = usize::from(area.width.saturating_sub(4));
    let mut lines: Vec<(String, Role)> = wrap(&what, room)
        .into_iter()
        .map(|l| (l, Role::Text))
        .collect();
    lines.extend(wrap(&remedy, room).into_iter().map(|l| (l, Role::Muted)));
    let top = area.y + (area.height.saturating_sub(lines.len() as u16)) / 3;
    for (i, (line, role)) in lines.iter().enumerate() {
        let y = top + i as u16;
        if y >= area.bottom() {
            break;
        }
        let w = crate::tui::text::width(line) as u16;
        ui.put(
            area.x + (area.width.saturating_sub(w)) / 2,
            y,
            area.width,
            line,
            *role,
        );
    }
}
