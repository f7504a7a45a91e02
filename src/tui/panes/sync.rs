//! Is the data fresh and right: sources and their streams, what is to be sent, what could not be matched, what is wrong in the settings.

use super::empty;
use crate::book::{OutboxItem, OutboxState, SourceState, SourceStatus, Verb};
use crate::tui::app::{App, Pane};
use crate::tui::fmt;
use crate::tui::text::wrap;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit};
use crate::tui::widgets::table::{Cell, Column, RowLook, Table, col, with_bar};
use ratatui::layout::Rect;

/// The sign and label of an outbox state.
pub fn state_look(state: &OutboxState) -> (&'static str, Role) {
    match state {
        OutboxState::Waiting => ("○", Role::Accent),
        OutboxState::Sending => ("◐", Role::Accent),
        OutboxState::Unknown => ("?", Role::Watch),
        OutboxState::Done => ("✓", Role::Good),
        OutboxState::Failed => ("✗", Role::Bad),
        OutboxState::Conflict => ("⚡", Role::Bad),
        OutboxState::Dropped => ("–", Role::Muted),
    }
}

/// The sign, word and label of a source's state.
fn source_look(state: SourceState) -> (&'static str, &'static str, Role) {
    match state {
        SourceState::New => ("○", "never synced", Role::Watch),
        SourceState::Idle => ("●", "idle", Role::Good),
        SourceState::Running => ("◐", "syncing", Role::Accent),
        SourceState::Failing => ("✗", "failing", Role::Bad),
        SourceState::Stopped => ("■", "stopped", Role::Bad),
        SourceState::Elsewhere => ("◇", "synced by another csops", Role::Text),
    }
}

/// Draws the screen: sources above, outbox below; what could not be matched and what is wrong beside, where there is room.
pub fn draw(app: &mut App, ui: &mut Ui<'_>, area: Rect, only: Option<Pane>) {
    match only {
        Some(Pane::Sources) => return sources(app, ui, area),
        Some(Pane::Outbox) => return outbox(app, ui, area),
        _ => {}
    }
    let streams = app.source().map_or(0, |s| s.streams.len()) as u16;
    let wanted = app.snap.sources.len() as u16 + streams + 5;
    let upper = wanted.max(8).min(area.height * 3 / 5);
    sources(
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
    let notes = notes(app, usize::from(lower.width / 3));
    if lower.width >= 120 && !notes.is_empty() {
        let w = lower.width / 3;
        outbox(
            app,
            ui,
            Rect {
                width: lower.width - w,
                ..lower
            },
        );
        let side = Rect {
            x: lower.right() - w,
            width: w,
            ..lower
        };
        let inner = ui.pane(side, &[bit("To look at", Role::Title)], &[], false);
        for (i, line) in notes.iter().take(usize::from(inner.height)).enumerate() {
            ui.line(inner.x, inner.y + i as u16, inner.width, line);
        }
    } else {
        outbox(app, ui, lower);
    }
}

/// What is wrong in the settings, what could not be matched, and the newest log lines of the source in focus.
fn notes<'a>(app: &App, width: usize) -> Vec<Vec<Bit<'a>>> {
    let room = width.saturating_sub(6).max(10);
    let mut out: Vec<Vec<Bit<'a>>> = Vec::new();
    let heading = |out: &mut Vec<Vec<Bit<'a>>>, text: String| {
        if !out.is_empty() {
            out.push(Vec::new());
        }
        out.push(vec![bit(text, Role::Title)]);
    };
    let s = &app.snap;
    let theme = &app.themes.problems;
    if !s.problems.is_empty() || !theme.is_empty() {
        heading(&mut out, "Settings".into());
        for p in s.problems.iter().chain(theme) {
            for (i, l) in wrap(p, room).into_iter().enumerate() {
                out.push(vec![
                    bit(if i == 0 { "! " } else { "  " }, Role::Watch),
                    bit(l, Role::Text),
                ]);
            }
        }
    }
    if !s.unmatched.is_empty() {
        heading(
            &mut out,
            format!("Not matched: {}", fmt::count(s.unmatched.len())),
        );
        for u in s.unmatched.iter().take(12) {
            let sure = if u.candidate.is_some() { "≈ " } else { "? " };
            out.push(vec![
                bit(sure, Role::Watch),
                bit(u.name.clone(), Role::Text),
                bit(format!("  {} {}", u.source, u.entity), Role::Muted),
            ]);
        }
    }
    if let Some(source) = app.source().filter(|x| !x.log.is_empty()) {
        heading(
            &mut out,
            format!("Log of {}", source.source.as_deref().unwrap_or("source")),
        );
        for (at, line) in source.log.iter().rev().take(12) {
            out.push(vec![
                bit(
                    format!("{} ", fmt::instant(app.now(), *at, &s.zone)),
                    Role::Muted,
                ),
                bit(line.clone(), Role::Text),
            ]);
        }
    }
    out
}

const SOURCES: [Column; 8] = [
    col("name", "Source", 10, 100).grow(1).fixed(),
    col("state", "State", 24, 98).fixed(),
    col("last", "Last pull", 10, 90).right().fixed(),
    col("rows", "Rows", 9, 70).right().fixed(),
    col("next", "Next", 9, 60).right().fixed(),
    col("budget", "Requests today", 18, 80).right().fixed(),
    col("connector", "Connector", 11, 50).fixed(),
    col("url", "Address", 16, 30).grow(2).fixed(),
];

fn sources(app: &mut App, ui: &mut Ui<'_>, area: Rect) {
    let pane = Pane::Sources;
    let focus = app.focus == pane;
    let role = if focus { Role::TitleFocus } else { Role::Title };
    let snap = app.snap.clone();
    let right = if snap.read_only {
        vec![bit(
            "READ-ONLY: nothing is written; `readonly off` allows it again",
            Role::Watch,
        )]
    } else {
        Vec::new()
    };
    let inner = ui.pane(area, &[bit("Sources", role)], &right, focus);
    ui.hit(area, Hit::Pane(pane as usize));
    if snap.sources.is_empty() {
        empty::draw(app, ui, inner, pane);
        let mut y = inner.y + inner.height / 2;
        for line in wrap(
            "No source is configured. `csops init` writes a small configuration by asking; `csops demo` shows everything on simulated vendors.",
            usize::from(inner.width),
        ) {
            if y < inner.bottom() {
                ui.put(inner.x, y, inner.width, &line, Role::Muted);
                y += 1;
            }
        }
        return;
    }
    let table_height = (snap.sources.len() as u16 + 1).min(inner.height);
    let mut list = std::mem::take(app.list_mut(pane));
    list.len = snap.sources.len();
    {
        let app: &App = app;
        Table {
            pane: pane as usize,
            columns: &SOURCES,
            sort: None,
            focus,
            notes: 0,
            titles: true,
        }
        .draw(
            ui,
            Rect {
                height: table_height,
                ..with_bar(inner)
            },
            &mut list,
            |place, columns| match snap.sources.get(place) {
                Some(s) => RowLook {
                    cells: columns
                        .iter()
                        .map(|(c, _)| source_cell(app, s, c.key))
                        .collect(),
                    ..RowLook::default()
                },
                None => RowLook::default(),
            },
            |_, _| Vec::new(),
        );
    }
    let cursor = list.cursor;
    *app.list_mut(pane) = list;
    if let Some(source) = snap.sources.get(cursor) {
        // What is wrong with the others is not hidden behind the choice.
        let mut y = inner.y + table_height;
        for other in snap.sources.iter().filter(|s| s.source != source.source) {
            if let (Some(e), true) = (&other.error, y + 1 < inner.bottom()) {
                let name = other.source.as_deref().unwrap_or("?");
                let text = format!("✗ {name}: {e}");
                ui.put(inner.x, y, inner.width, &text, Role::Bad);
                y += 1;
            }
        }
        let table_height = y - inner.y;
        let rest = Rect {
            y: inner.y + table_height + 1,
            height: inner.height.saturating_sub(table_height + 1),
            ..inner
        };
        streams(app, ui, rest, source);
    }
}

fn source_cell<'a>(app: &App, s: &'a SourceStatus, key: &str) -> Cell<'a> {
    let now = app.now();
    let (glyph, word, role) = source_look(s.state);
    match key {
        "name" => vec![bit(s.source.as_deref().unwrap_or("?"), Role::Strong)],
        "state" => {
            let mut bits = vec![bit(format!("{glyph} {word}"), role)];
            if s.read_only {
                bits.push(bit(" · read-only", Role::Watch));
            }
            bits
        }
        "last" => vec![s.last_success.map_or_else(
            || bit("never", Role::Watch),
            |t| bit(format!("{} ago", fmt::ago(now, t)), Role::Text),
        )],
        "rows" => vec![bit(
            fmt::count(s.streams.iter().map(|x| x.rows as usize).sum()),
            Role::Text,
        )],
        "next" => vec![match s.next_run {
            Some(t) if t > now => bit(
                format!("in {}", fmt::span(t.duration_since(now).as_secs())),
                Role::Muted,
            ),
            Some(_) => bit("now", Role::Muted),
            None => bit("–", Role::Muted),
        }],
        "budget" => vec![budget(s)],
        "connector" => vec![bit(s.connector.as_str(), Role::Muted)],
        "url" => vec![bit(s.base_url.as_str(), Role::Muted)],
        _ => Vec::new(),
    }
}

fn budget<'a>(s: &SourceStatus) -> Bit<'a> {
    let b = &s.budget;
    match b.promise {
        Some(p) if p > 0 => {
            let share = b.ours as f64 / p as f64;
            let role = if share >= 1.0 {
                Role::Bad
            } else if share >= 0.8 {
                Role::Watch
            } else {
                Role::Text
            };
            bit(
                format!("{} of {}", fmt::short(b.ours as f64), fmt::short(p as f64)),
                role,
            )
        }
        _ => bit(fmt::count(b.ours as usize), Role::Text),
    }
}

fn streams(app: &App, ui: &mut Ui<'_>, area: Rect, source: &SourceStatus) {
    let mut y = area.y;
    if let Some(e) = &source.error {
        for line in wrap(e, usize::from(area.width)).iter().take(3) {
            if y < area.bottom() {
                ui.put(area.x, y, area.width, line, Role::Bad);
                y += 1;
            }
        }
    }
    let now = app.now();
    for (i, s) in source.streams.iter().enumerate() {
        if y >= area.bottom() {
            break;
        }
        // The last line says how many are not shown.
        if y + 1 == area.bottom() && i + 1 < source.streams.len() {
            ui.put(
                area.x,
                y,
                area.width,
                &format!("… {} more streams; z zooms", source.streams.len() - i),
                Role::Muted,
            );
            break;
        }
        let (glyph, role) = if s.error.is_some() {
            ("✗", Role::Bad)
        } else if s.progress.is_some() {
            ("◐", Role::Accent)
        } else if s.last_success.is_some() {
            ("✓", Role::Good)
        } else {
            ("○", Role::Muted)
        };
        ui.put(area.x, y, 1, glyph, role);
        ui.put(area.x + 2, y, 13, &s.stream, Role::Text);
        let mut bits: Vec<Bit<'_>> = vec![bit(
            format!("{:>9} rows", fmt::count(s.rows as usize)),
            Role::Text,
        )];
        match s.progress {
            Some((n, total)) => {
                if let Some(t) = total.filter(|t| *t > 0) {
                    ui.bar(area.x + 34, y, 20, n as f64 / t as f64, Role::Bar);
                }
                ui.put(
                    area.x + 56,
                    y,
                    area.width.saturating_sub(56),
                    &format!("{} so far", fmt::count(n as usize)),
                    Role::Accent,
                );
            }
            None => {
                bits.push(bit(
                    format!("  {:>7} changed", fmt::count(s.changed as usize)),
                    Role::Muted,
                ));
                bits.push(bit(
                    s.last_success.map_or_else(
                        || "     never".to_owned(),
                        |t| format!("  {:>4} ago", fmt::ago(now, t)),
                    ),
                    Role::Muted,
                ));
                if s.problems > 0 {
                    bits.push(bit(format!("  {} rows refused", s.problems), Role::Watch));
                }
            }
        }
        ui.line(area.x + 15, y, area.width.saturating_sub(15), &bits);
        if let Some(e) = &s.error {
            let x = area.x + 60.min(area.width);
            ui.put(x, y, area.right().saturating_sub(x), e, Role::Bad);
        }
        y += 1;
    }
}

const OUTBOX: [Column; 7] = [
    col("state", "State", 11, 100).fixed(),
    col("command", "What", 16, 99).grow(6).fixed(),
    col("account", "Account", 14, 90).grow(2).fixed(),
    col("to", "To", 8, 80).fixed(),
    col("when", "When", 14, 70).right().fixed(),
    col("tries", "Tried", 5, 40).right().fixed(),
    col("error", "Said", 16, 60).grow(3).fixed(),
];

fn outbox(app: &mut App, ui: &mut Ui<'_>, area: Rect) {
    let pane = Pane::Outbox;
    let focus = app.focus == pane;
    let role = if focus { Role::TitleFocus } else { Role::Title };
    let pending = app
        .snap
        .outbox
        .iter()
        .filter(|i| i.state.is_pending())
        .count();
    let right = if pending > 0 {
        vec![bit(format!("{pending} not there yet"), Role::Accent)]
    } else {
        vec![bit("everything has arrived", Role::Good)]
    };
    let inner = ui.pane(area, &[bit("Outbox", role)], &right, focus);
    ui.hit(area, Hit::Pane(pane as usize));
    if app.snap.outbox.is_empty() {
        empty::draw(app, ui, inner, pane);
        return;
    }
    let mut list = std::mem::take(app.list_mut(pane));
    {
        let app: &App = app;
        let items = app.outbox();
        list.len = items.len();
        Table {
            pane: pane as usize,
            columns: &OUTBOX,
            sort: None,
            focus,
            notes: 1,
            titles: true,
        }
        .draw(
            ui,
            with_bar(inner),
            &mut list,
            |place, columns| match items.get(place) {
                Some(item) => RowLook {
                    cells: columns
                        .iter()
                        .map(|(c, _)| outbox_cell(app, item, c.key))
                        .collect(),
                    faint: !item.state.is_pending(),
                    ..RowLook::default()
                },
                None => RowLook::default(),
            },
            |place, _| {
                items
                    .get(place)
                    .map(|i| vec![remedy(app, i)])
                    .unwrap_or_default()
            },
        );
        ui.thumb(area, list.top, list.height, list.len, focus);
    }
    *app.list_mut(pane) = list;
}

fn outbox_cell<'a>(app: &App, i: &'a OutboxItem, key: &str) -> Cell<'a> {
    let now = app.now();
    let (glyph, role) = state_look(&i.state);
    match key {
        "state" => vec![bit(format!("{glyph} {}", i.state.name()), role)],
        "command" => vec![bit(i.command.as_str(), Role::Text)],
        "account" => vec![match app.snap.book.account_by_id(i.change.account) {
            Some(a) => bit(a.name().to_owned(), Role::Text),
            None => bit("–", Role::Muted),
        }],
        "to" => vec![bit(i.change.source.to_string(), Role::Muted)],
        "when" => vec![match (i.state.is_moving(), i.finished) {
            (true, _) if i.next_attempt > now => bit(
                format!(
                    "in {}",
                    fmt::span(i.next_attempt.duration_since(now).as_secs())
                ),
                Role::Accent,
            ),
            (true, _) => bit("now", Role::Accent),
            (false, Some(t)) => bit(format!("{} ago", fmt::ago(now, t)), Role::Muted),
            (false, None) => bit(format!("{} ago", fmt::ago(now, i.created)), Role::Muted),
        }],
        "tries" => vec![bit(i.attempts.to_string(), Role::Muted)],
        "error" => vec![bit(i.error.as_deref().unwrap_or(""), role)],
        _ => Vec::new(),
    }
}

/// What can be done about an item, under it.
fn remedy<'a>(app: &App, i: &OutboxItem) -> Vec<Bit<'a>> {
    let key = |name: &str| {
        app.keymap
            .keys_for(name, crate::command::Scope::Sync)
            .unwrap_or_else(|| format!(":{name}"))
    };
    let fields = i
        .change
        .fields
        .iter()
        // The account has a column of its own.
        .filter(|f| f.field != "account" && !f.want.is_null())
        .map(|f| {
            let value = crate::tui::overlay::item::value_text(&app.cockpit, &f.want);
            format!("{} → {value}", f.field)
        })
        .collect::<Vec<_>>()
        .join(", ");
    let what = match i.change.verb {
        Verb::Create => format!("new {}: {fields}", i.change.target.entity),
        Verb::Update => fields,
        Verb::Delete => format!("{} goes away", i.change.target.entity),
    };
    let mut bits = vec![bit(what, Role::Muted)];
    let said = match i.state {
        OutboxState::Conflict => format!(
            "   {} keeps mine, {} takes theirs, {} shows both",
            key("conflict mine"),
            key("conflict theirs"),
            key("open")
        ),
        OutboxState::Failed => format!("   {} tries again, {} gives up", key("retry"), key("drop")),
        OutboxState::Unknown => {
            "   the answer was lost: the vendor is asked before anything is sent again".to_owned()
        }
        _ => String::new(),
    };
    bits.push(bit(said, Role::Watch));
    bits
}
