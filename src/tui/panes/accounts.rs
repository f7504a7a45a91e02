//! The queue, and the accounts of a segment: who, how much, until when, how likely lost, and why.

use super::{change, empty, health_role, list_state, sign};
use crate::book::{AccountRow, LocalId, derived};
use crate::insight::reasons;
use crate::insight::reasons::speaks_for;
use crate::tui::app::{App, Pane};
use crate::tui::fmt;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit, spark};
use crate::tui::widgets::table::{Cell, Column, RowLook, Table, col, with_bar};
use ratatui::layout::Rect;

/// The queue's columns; in a pane the later ones give way.
const QUEUE: [Column; 12] = [
    col("name", "Account", 18, 100).grow(6),
    col("arr", "ARR", 6, 95).right(),
    col("decide", "Decide", 10, 90).right(),
    col("loss", "Loss", 5, 85).right(),
    col("health", "Health", 6, 80).right(),
    col("health.delta", "30d", 4, 70),
    col("usage.trend", "Usage 12w", 12, 75),
    col("csm", "CSM", 14, 50).grow(1),
    col("segment", "Segment", 11, 40).grow(1),
    col("level", "Lvl", 3, 60),
    col("risk", "Risk", 12, 55),
    col("urgency", "Urgency", 7, 45).right(),
];

/// The queue where it shares the screen.
const SMALL: [Column; 8] = [
    col("name", "Account", 16, 100).grow(6),
    col("arr", "ARR", 5, 95).right(),
    col("decide", "Decide", 9, 90).right(),
    col("loss", "Loss", 4, 85).right(),
    col("health", "Health", 7, 80).right(),
    col("usage.trend", "Usage 12w", 12, 75),
    col("csm", "CSM", 12, 50).grow(1),
    col("level", "Lvl", 3, 40),
];

/// The accounts of a segment.
const MEMBERS: [Column; 9] = [
    col("name", "Account", 18, 100).grow(6),
    col("arr", "ARR", 6, 95).right(),
    col("health", "Health", 6, 80).right(),
    col("health.delta", "30d", 4, 70),
    col("usage.trend", "Usage 12w", 12, 75),
    col("loss", "Loss", 5, 72).right(),
    col("renewal", "Renewal", 10, 85).right(),
    col("csm", "CSM", 14, 60).grow(1),
    col("last_touch", "Touched", 9, 50).right(),
];

/// Draws the queue, or the accounts of a segment.
pub fn draw(app: &mut App, ui: &mut Ui<'_>, area: Rect, pane: Pane) {
    let focus = app.focus == pane;
    let full = area.width >= 100 && area.height >= 24 && pane == Pane::Queue;
    let (list_area, below) = if full && area.height >= 30 {
        let h = 11;
        (
            Rect {
                height: area.height - h,
                ..area
            },
            Some(Rect {
                y: area.bottom() - h,
                height: h,
                ..area
            }),
        )
    } else {
        (area, None)
    };
    let title: Vec<Bit<'_>> = {
        let role = if focus { Role::TitleFocus } else { Role::Title };
        vec![bit(pane.title(), role)]
    };
    let order = if pane == Pane::Queue {
        "by urgency"
    } else {
        "by arr ▾"
    };
    let right = list_state(app, pane, order);
    let inner = ui.pane(list_area, &title, &right, focus);
    ui.hit(list_area, Hit::Pane(pane as usize));
    let Some(view) = app.view(pane).cloned() else {
        empty::draw(app, ui, inner, pane);
        return;
    };
    if view.rows.is_empty() {
        empty::draw(app, ui, inner, pane);
        return;
    }
    let snap = app.shown().clone();
    let mut list = std::mem::take(app.list_mut(pane));
    let sort = app.asked[pane as usize].sort.clone();
    {
        let app: &App = app;
        let table = Table {
            pane: pane as usize,
            columns: match pane {
                Pane::Queue if area.width >= 100 => &QUEUE,
                Pane::Queue => &SMALL,
                _ => &MEMBERS,
            },
            sort: sort.as_ref().map(|(c, d)| (c.as_str(), *d)),
            focus,
            notes: u16::from(pane == Pane::Queue),
            titles: true,
        };
        // The rows read the marks while the table moves the list.
        let marks = std::mem::take(&mut list.marks);
        table.draw(
            ui,
            with_bar(inner),
            &mut list,
            |place, columns| match view
                .rows
                .get(place)
                .filter(|r| snap.book.is_alive(crate::book::Entity::Account, **r))
            {
                Some(row) => look(app, &snap.book.account(*row), columns, &marks),
                None => RowLook::default(),
            },
            |place, width| match view.rows.get(place) {
                Some(row) => vec![note(app, &snap.book.account(*row), width)],
                None => Vec::new(),
            },
        );
        list.marks = marks;
        ui.thumb(list_area, list.top, list.height, list.len, focus);
    }
    let cursor = list.cursor;
    *app.list_mut(pane) = list;
    if let Some(below) = below
        && let Some(row) = view.rows.get(cursor)
    {
        preview(app, ui, below, &snap.book.account(*row));
    }
}

fn look<'a>(
    app: &App,
    a: &AccountRow<'a>,
    columns: &[(Column, u16)],
    marks: &std::collections::HashSet<LocalId>,
) -> RowLook<'a> {
    let d = app.shown().derived.account(a.row());
    let asleep = d.is(derived::SNOOZED);
    RowLook {
        sign: sign(marks.contains(&a.id()), app.shown().is_fresh(a), asleep),
        faint: asleep,
        cells: columns
            .iter()
            .map(|(c, width)| match c.key {
                // Where there is no column for it, the change stands beside the score.
                "health" if *width == 7 => {
                    let mut bits = cell(app, a, &d, c.key);
                    let change = change(a.health_delta());
                    let pad = 4usize.saturating_sub(crate::tui::text::width(&change.0));
                    bits.push(bit(" ".repeat(pad), Role::Muted));
                    bits.push(change);
                    bits
                }
                key => cell(app, a, &d, key),
            })
            .collect(),
    }
}

fn cell<'a>(app: &App, a: &AccountRow<'a>, d: &crate::book::AccountDerived, key: &str) -> Cell<'a> {
    let today = app.shown().today;
    match key {
        "name" => {
            // In front of the name, where nothing cuts it.
            let mut bits = Vec::new();
            if a.acked_at().is_some() {
                bits.push(bit("✓ ", Role::Good));
            }
            bits.push(bit(a.name(), Role::Text));
            bits
        }
        "arr" => vec![arr(a)],
        "decide" => vec![decide(today, a)],
        "loss" => {
            let role = if d.loss >= 0.75 {
                Role::Bad
            } else if d.loss >= 0.5 {
                Role::Watch
            } else {
                Role::Text
            };
            vec![bit(fmt::percent(f64::from(d.loss)), role)]
        }
        "health" => match a.health() {
            Some(h) => vec![bit(h.to_string(), health_role(app, h))],
            None => vec![bit("?", Role::Muted)],
        },
        "health.delta" => vec![change(a.health_delta())],
        "usage.trend" => {
            let role = match a.usage_trend() {
                Some(t) if t <= -0.2 => Role::Bad,
                Some(t) if t >= 0.2 => Role::Good,
                _ => Role::Spark,
            };
            let usage = a.usage();
            if usage.iter().all(Option::is_none) {
                vec![bit("–", Role::Muted)]
            } else {
                vec![bit(spark(&usage), role)]
            }
        }
        "csm" => vec![
            a.csm()
                .map_or_else(|| bit("nobody", Role::Muted), |p| bit(p.name(), Role::Text)),
        ],
        "segment" => vec![
            a.segment()
                .map_or_else(|| bit("–", Role::Muted), |s| bit(s, Role::Muted)),
        ],
        "level" => vec![a.level().map_or_else(
            || bit("", Role::Muted),
            |l| bit(l, if l == "L0" { Role::Muted } else { Role::Bad }),
        )],
        "risk" => match a.open_risk() {
            Some(r) => {
                let role = match r.priority_kind() {
                    Some("critical" | "high") => Role::Bad,
                    Some("medium") => Role::Watch,
                    _ => Role::Text,
                };
                vec![
                    bit(if r.status_kind() == "new" { "! " } else { "" }, role),
                    bit(r.status_kind().replace('_', " "), role),
                ]
            }
            None => vec![bit("–", Role::Muted)],
        },
        "urgency" => vec![bit(
            fmt::money(app.shown().book.reporting_money(d.urgency as i64)),
            Role::Strong,
        )],
        "renewal" => vec![a.renewal_date().map_or_else(
            || bit("no date", Role::Watch),
            |day| bit(fmt::date(today, day), Role::Text),
        )],
        "last_touch" => vec![a.last_touch().map_or_else(
            || bit("never", Role::Muted),
            |day| bit(fmt::date(today, day), Role::Muted),
        )],
        _ => Vec::new(),
    }
}

/// ARR in the reporting currency; without a rate in its own, marked.
pub fn arr<'a>(a: &AccountRow<'_>) -> Bit<'a> {
    match (a.arr_reporting(), a.arr()) {
        (Some(m), _) => bit(fmt::money(m), Role::Strong),
        (None, Some(m)) => bit(format!("{}*", fmt::money_in(m)), Role::Watch),
        (None, None) => bit("?", Role::Muted),
    }
}

/// The same with its currency, for where it stands alone.
pub fn arr_in<'a>(a: &AccountRow<'_>) -> Bit<'a> {
    match a.arr_reporting() {
        Some(m) => bit(fmt::money_in(m), Role::Strong),
        None => arr(a),
    }
}

/// A day in both ways, `4 Dec (in 12d)`; far away only the day itself.
pub fn when(today: jiff::civil::Date, day: Option<jiff::civil::Date>) -> String {
    let Some(day) = day else {
        return "unknown".to_owned();
    };
    let (absolute, relative) = (fmt::absolute(today, day), fmt::date(today, day));
    if absolute == relative {
        absolute
    } else {
        format!("{absolute} ({relative})")
    }
}

/// When it is decided; a missing or past date counts as close and is marked.
pub fn decide<'a>(today: jiff::civil::Date, a: &AccountRow<'_>) -> Bit<'a> {
    match a.decision_date(today) {
        None => bit("no date !", Role::Watch),
        Some(day) => {
            let n = fmt::days(today, day);
            let role = if n <= 14 {
                Role::Bad
            } else if n <= 45 {
                Role::Watch
            } else {
                Role::Text
            };
            bit(fmt::date(today, day), role)
        }
    }
}

/// Why it is here, in one line.
fn note<'a>(app: &App, a: &AccountRow<'_>, _width: u16) -> Vec<Bit<'a>> {
    let found = reasons(a, &app.shown().derived, app.shown().today);
    if found.is_empty() {
        return vec![bit(
            "no reason that csops knows of; w shows the arithmetic",
            Role::Muted,
        )];
    }
    let mut bits = Vec::new();
    for (i, r) in found.iter().enumerate() {
        if i > 0 {
            bits.push(bit(" · ", Role::Muted));
        }
        bits.push(bit(
            r.text.clone(),
            if i == 0 { Role::Accent } else { Role::Text },
        ));
        if let Some(d) = r.age_days.filter(|_| i < 3) {
            bits.push(bit(format!(" ({d}d old)"), Role::Muted));
        }
    }
    if let Some(good) = speaks_for(
        a,
        &app.shown().derived,
        app.shown().today,
        &app.shown().settings.risk,
    ) {
        bits.push(bit(" · but ", Role::Muted));
        bits.push(bit(good.text, Role::Good));
    }
    bits
}

/// Under the full queue: the account in focus, its reasons one by one with their sources, its figures and its usage.
fn preview(app: &App, ui: &mut Ui<'_>, area: Rect, a: &AccountRow<'_>) {
    let d = app.shown().derived.account(a.row());
    let inner = ui.pane(
        area,
        &[
            bit(a.name().to_owned(), Role::Title),
            bit("  why it is here", Role::Muted),
        ],
        &[bit(
            format!(
                "{} × {} × {:.2} = {}",
                fmt::percent(f64::from(d.loss)),
                fmt::money_in(app.shown().book.reporting_money(d.at_stake)),
                d.closeness,
                fmt::money_in(app.shown().book.reporting_money(d.urgency as i64))
            ),
            Role::Strong,
        )],
        false,
    );
    let left = inner.width * 3 / 5;
    let found = reasons(a, &app.shown().derived, app.shown().today);
    for (i, r) in found.iter().take(usize::from(inner.height)).enumerate() {
        let y = inner.y + i as u16;
        let used = ui.put(inner.x, y, left, "· ", Role::Accent);
        ui.put(
            inner.x + used,
            y,
            left.saturating_sub(used + 2),
            &r.line(),
            if i < 3 { Role::Text } else { Role::Muted },
        );
    }
    let x = inner.x + left + 1;
    let w = inner.width.saturating_sub(left + 1);
    let today = app.shown().today;
    let person = |p: Option<crate::book::PersonRow<'_>>| {
        p.map_or_else(|| "nobody".to_owned(), |p| p.name().to_owned())
    };
    let date = |d: Option<jiff::civil::Date>| when(today, d);
    let facts = [
        ("CSM", person(a.csm())),
        ("renewal", date(a.renewal_date())),
        ("notice", date(a.notice_deadline())),
        ("last touch", date(a.last_touch())),
        (
            "tickets",
            format!("{} open, {} urgent", a.open_tickets(), a.urgent_tickets()),
        ),
        (
            "NPS",
            a.nps().map_or_else(|| "–".to_owned(), |n| n.to_string()),
        ),
        ("usage", spark(&a.usage())),
        (
            "tags",
            if a.tags().is_empty() {
                "–".to_owned()
            } else {
                a.tags().join(", ")
            },
        ),
        (
            "segment",
            format!(
                "{} · {}",
                a.segment().unwrap_or("–"),
                a.touch().unwrap_or("–")
            ),
        ),
    ];
    for (i, (label, value)) in facts.iter().take(usize::from(inner.height)).enumerate() {
        let y = inner.y + i as u16;
        ui.put(x, y, 11, label, Role::Muted);
        ui.put(
            x + 12,
            y,
            w.saturating_sub(12),
            value,
            if *label == "usage" {
                Role::Spark
            } else {
                Role::Text
            },
        );
    }
}
