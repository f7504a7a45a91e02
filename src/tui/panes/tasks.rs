//! The backlog: what is overdue first, then by day.

use super::{empty, list_state, sign};
use crate::book::{Entity, TaskRow};
use crate::tui::app::{App, Pane};
use crate::tui::fmt;
use crate::tui::theme::Role;
use crate::tui::ui::{Hit, Ui, bit, line_width};
use crate::tui::widgets::table::{Cell, Column, RowLook, Table, col};
use ratatui::layout::Rect;

const COLUMNS: [Column; 7] = [
    col("due", "Due", 12, 100),
    col("title", "Task", 20, 99).grow(5),
    col("account", "Account", 16, 90).grow(3),
    col("priority", "Pri", 3, 95),
    col("owner", "Owner", 14, 70).grow(1),
    col("status", "Status", 12, 50),
    col("health", "Health", 6, 40).right(),
];

/// Draws the pane.
pub fn draw(app: &mut App, ui: &mut Ui<'_>, area: Rect) {
    let pane = Pane::Tasks;
    let focus = app.focus == pane;
    let role = if focus { Role::TitleFocus } else { Role::Title };
    let t = app.snap.totals(app.mine).tasks.clone();
    let mut right = list_state(app, pane, "");
    if t.overdue > 0 {
        right.push(bit(
            format!(" · {} overdue", fmt::count(t.overdue)),
            Role::Bad,
        ));
    }
    let mut title = vec![bit("Tasks", role)];
    if app.snap.past.is_some() {
        title.push(bit(" · today", Role::Watch));
    }
    let inner = ui.pane(area, &title, &right, focus);
    ui.hit(area, Hit::Pane(pane as usize));
    let mut rest = inner;
    if inner.height >= 14 {
        let mut x = inner.x;
        for (n, word, role) in [
            (t.overdue, "overdue", Role::Bad),
            (t.today, "today", Role::Watch),
            (t.week, "this week", Role::Text),
            (t.later, "later", Role::Text),
            (t.undated, "without a day", Role::Muted),
            (t.done_week, "done in 7 days", Role::Good),
        ] {
            let bits = [
                bit(fmt::count(n), if n > 0 { role } else { Role::Muted }),
                bit(format!(" {word}"), Role::Muted),
            ];
            let w = line_width(&bits) as u16;
            if x + w > inner.right() {
                break;
            }
            ui.line(x, inner.y, w, &bits);
            x += w + 3;
        }
        if let Some(days) = t.oldest_overdue.filter(|_| x + 24 < inner.right()) {
            let text = format!("the oldest {days}d late");
            ui.put(x, inner.y, inner.right() - x, &text, Role::Muted);
        }
        for x in inner.left()..inner.right() {
            ui.put(x, inner.y + 1, 1, "─", Role::Border);
        }
        rest = Rect {
            y: inner.y + 2,
            height: inner.height - 2,
            ..inner
        };
    }
    let Some(view) = app.view(pane).cloned() else {
        empty::draw(app, ui, rest, pane);
        return;
    };
    if view.rows.is_empty() {
        empty::draw(app, ui, rest, pane);
        return;
    }
    let snap = app.snap.clone();
    let mut list = std::mem::take(app.list_mut(pane));
    let marks = std::mem::take(&mut list.marks);
    {
        let app: &App = app;
        let sort = app.asked[pane as usize].sort.as_ref();
        Table {
            pane: pane as usize,
            columns: &COLUMNS,
            sort: sort.map(|(c, d)| (c.as_str(), *d)),
            focus,
            notes: 0,
            titles: rest.height > 8,
        }
        .draw(
            ui,
            Rect {
                x: rest.x.saturating_sub(1),
                width: rest.width + 1,
                ..rest
            },
            &mut list,
            |place, columns| match view
                .rows
                .get(place)
                .filter(|r| snap.book.is_alive(Entity::Task, **r))
            {
                Some(row) => {
                    let t = snap.book.task(*row);
                    RowLook {
                        sign: sign(marks.contains(&t.id()), false, false),
                        faint: !t.is_open(),
                        cells: columns.iter().map(|(c, _)| cell(app, &t, c.key)).collect(),
                    }
                }
                None => RowLook::default(),
            },
            |_, _| Vec::new(),
        );
        ui.thumb(area, list.top, list.height, list.len, focus);
    }
    list.marks = marks;
    *app.list_mut(pane) = list;
}

/// When it is due, with its sign: late, today, later, done.
pub fn due<'a>(
    today: jiff::civil::Date,
    due: Option<jiff::civil::Date>,
    open: bool,
) -> crate::tui::ui::Bit<'a> {
    match due {
        _ if !open => bit("✓ done", Role::Good),
        None => bit("○ any day", Role::Muted),
        Some(day) => {
            let n = fmt::days(today, day);
            let (glyph, role) = if n < 0 {
                ("✗", Role::Bad)
            } else if n == 0 {
                ("!", Role::Watch)
            } else {
                ("○", Role::Text)
            };
            bit(format!("{glyph} {}", fmt::due(today, day)), role)
        }
    }
}

/// A priority's label.
pub fn priority_role(p: Option<&str>) -> Role {
    match p {
        Some("p1") => Role::Bad,
        Some("p2") => Role::Watch,
        _ => Role::Muted,
    }
}

fn cell<'a>(app: &App, t: &TaskRow<'a>, key: &str) -> Cell<'a> {
    match key {
        "due" => vec![due(app.snap.today, t.due(), t.is_open())],
        "title" => vec![bit(t.title(), Role::Text)],
        "account" => vec![match t.account() {
            Some(a) => bit(a.name(), Role::Muted),
            None => bit("–", Role::Muted),
        }],
        "priority" => vec![bit(
            t.priority_kind().unwrap_or("–"),
            priority_role(t.priority_kind()),
        )],
        "owner" => vec![t.owner().map_or_else(
            || bit("nobody", Role::Muted),
            |p| bit(p.name(), Role::Muted),
        )],
        "status" => vec![bit(t.status_kind().replace('_', " "), Role::Muted)],
        "health" => vec![match t.account().and_then(|a| a.health()) {
            Some(h) => bit(h.to_string(), super::health_role(app, h)),
            None => bit("?", Role::Muted),
        }],
        _ => Vec::new(),
    }
}
