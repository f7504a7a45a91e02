//! How the work is spread: accounts and ARR per CSM in each group, against the band that it should lie in.

use super::empty;
use crate::insight::{GroupBy, SegmentRow, Segments, Verdict};
use crate::tui::app::{App, Pane};
use crate::tui::fmt;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit};
use crate::tui::widgets::table::{Cell, Column, LEAD, RowLook, Table, col, with_bar};
use ratatui::layout::Rect;

const COLUMNS: [Column; 12] = [
    col("key", "Group", 12, 100).grow(1).fixed(),
    col("accounts", "Accts", 6, 95).right().fixed(),
    col("arr", "ARR", 7, 90).right().fixed(),
    col("fte", "FTE", 5, 84).right().fixed(),
    col("per", "per CSM", 8, 98).right().fixed(),
    col("bar", "against target", 16, 85).fixed(),
    col("band", "Target", 9, 80).fixed(),
    col("used", "Hours used", 10, 92).right().fixed(),
    col("arrper", "ARR/CSM", 9, 60).right().fixed(),
    col("risk", "At risk", 12, 70).right().fixed(),
    col("health", "Health", 6, 50).right().fixed(),
    col("note", "Note", 22, 40).fixed(),
];

/// Whether the bar shows how much of people's time is used instead of a ratio: where the groups are people.
fn by_time(g: &Segments) -> bool {
    matches!(g.by, GroupBy::Csm | GroupBy::Team)
}

/// Draws the pane.
pub fn draw(app: &mut App, ui: &mut Ui<'_>, area: Rect) {
    let pane = Pane::Segments;
    let focus = app.focus == pane;
    let role = if focus { Role::TitleFocus } else { Role::Title };
    let snap = app.shown().clone();
    let Some(groups) = snap.segments.get(app.group) else {
        let inner = ui.pane(area, &[bit("Segments", role)], &[], focus);
        empty::draw(app, ui, inner, pane);
        return;
    };
    let mut right: Vec<Bit<'_>> = Vec::new();
    for (i, g) in snap.segments.iter().enumerate() {
        let here = i == app.group;
        if here || area.width >= 60 {
            right.push(bit(
                format!(
                    "{}{}",
                    if right.is_empty() { "" } else { " · " },
                    g.by.title()
                ),
                if here { Role::Accent } else { Role::Muted },
            ));
        }
    }
    let inner = ui.pane(area, &[bit("Segments", role)], &right, focus);
    ui.hit(area, Hit::Pane(pane as usize));
    if groups.rows.is_empty() {
        empty::draw(app, ui, inner, pane);
        return;
    }
    let foot = u16::from(inner.height >= 5);
    let with_titles = inner.height >= 5;
    let most = groups
        .rows
        .iter()
        .map(|r| {
            r.accounts_per_csm
                .unwrap_or(0.0)
                .max(r.band.as_ref().map_or(0.0, |b| b.accounts_to))
        })
        .fold(1.0, f64::max);
    let target = snap.settings.capacity.target_utilisation;
    let mut list = std::mem::take(app.list_mut(pane));
    list.len = groups.rows.len();
    {
        let app: &App = app;
        let table_area = Rect {
            height: inner.height.saturating_sub(foot),
            ..with_bar(inner)
        };
        let mut bars: Vec<(usize, u16, u16)> = Vec::new();
        Table {
            pane: pane as usize,
            columns: &COLUMNS,
            sort: None,
            focus,
            notes: 0,
            titles: with_titles,
        }
        .draw(
            ui,
            table_area,
            &mut list,
            |place, columns| {
                let Some(r) = groups.rows.get(place) else {
                    return RowLook::default();
                };
                let mut x = table_area.x + LEAD;
                for (c, w) in columns {
                    if c.key == "bar" {
                        bars.push((place, x, *w));
                    }
                    x += w + 2;
                }
                RowLook {
                    cells: columns
                        .iter()
                        .map(|(c, _)| cell(app, groups, r, c.key))
                        .collect(),
                    ..RowLook::default()
                }
            },
            |_, _| Vec::new(),
        );
        let titles = u16::from(with_titles && table_area.height > 2);
        for (place, x, w) in bars {
            let y = table_area.y + titles + (place - list.top) as u16;
            let Some(r) = groups.rows.get(place) else {
                continue;
            };
            if by_time(groups) {
                time_bar(ui, Rect::new(x, y, w, 1), r, target);
                continue;
            }
            let Some(value) = r.accounts_per_csm else {
                continue;
            };
            // Groups of very different size share one picture: each is drawn on the scale of its own band.
            let scale = r
                .band
                .as_ref()
                .map_or(most, |b| (b.accounts_to * 1.4).max(value));
            let role = match r.verdict {
                Some(Verdict::Over) => Role::Bad,
                Some(Verdict::Under) => Role::Watch,
                Some(Verdict::Within) => Role::Good,
                None => Role::Bar,
            };
            match &r.band {
                Some(b) => ui.band(
                    Rect::new(x, y, w, 1),
                    value,
                    (b.accounts_from, b.accounts_to),
                    scale,
                    role,
                ),
                None => ui.bar(x, y, w, value / scale, role),
            }
        }
    }
    *app.list_mut(pane) = list;
    if foot > 0 {
        bottom(app, ui, inner, groups);
    }
}

/// How much of the time there is the work takes, with a mark at the planned utilisation.
fn time_bar(ui: &mut Ui<'_>, line: Rect, r: &SegmentRow, target: f64) {
    if let Some(used) = r.utilisation {
        let role = used_role(used, target);
        ui.band(line, used, (0.0, target), (target * 1.4).max(used), role);
    }
}

fn used_role(used: f64, target: f64) -> Role {
    if used > target {
        Role::Bad
    } else if used > target * 0.9 {
        Role::Watch
    } else {
        Role::Good
    }
}

fn cell<'a>(app: &App, g: &'a Segments, r: &'a SegmentRow, key: &str) -> Cell<'a> {
    let money = |minor: i64| fmt::money(app.shown().book.reporting_money(minor));
    match key {
        "key" => vec![if r.key.is_empty() {
            bit(format!("no {}", g.by.title()), Role::Watch)
        } else {
            bit(r.key.as_str(), Role::Text)
        }],
        "accounts" => vec![bit(fmt::count(r.accounts), Role::Text)],
        "arr" => vec![
            bit(money(r.arr), Role::Text),
            bit(if r.arr_coverage.is_full() { "" } else { "*" }, Role::Watch),
        ],
        "per" => vec![match r.accounts_per_csm {
            Some(n) if n < 100.0 => bit(format!("{n:.1}"), Role::Strong),
            Some(n) => bit(format!("{n:.0}"), Role::Strong),
            None => bit("no CSM", Role::Bad),
        }],
        "band" => vec![match (&r.band, r.verdict) {
            (Some(b), v) => {
                let mark = match v {
                    Some(Verdict::Over) => " ▲",
                    Some(Verdict::Under) => " ▼",
                    _ => "",
                };
                let role = if v == Some(Verdict::Over) {
                    Role::Bad
                } else {
                    Role::Muted
                };
                bit(
                    format!("{:.0}–{:.0}{mark}", b.accounts_from, b.accounts_to),
                    role,
                )
            }
            (None, _) => bit("–", Role::Muted),
        }],
        "fte" => vec![bit(format!("{:.1}", r.fte), Role::Muted)],
        "used" => vec![match r.utilisation {
            Some(u) => {
                let target = app.snap.settings.capacity.target_utilisation;
                let mark = if u > target { " ▲" } else { "" };
                bit(format!("{}{mark}", fmt::percent(u)), used_role(u, target))
            }
            None => bit("–", Role::Muted),
        }],
        "note" => vec![bit(r.note.as_str(), Role::Muted)],
        "arrper" => vec![
            r.arr_per_csm
                .map_or_else(|| bit("–", Role::Muted), |m| bit(money(m), Role::Text)),
        ],
        "risk" => vec![if r.in_queue == 0 {
            bit("–", Role::Muted)
        } else {
            bit(
                format!("{} · {}", money(r.at_risk), fmt::short(r.in_queue as f64)),
                Role::Watch,
            )
        }],
        "health" => vec![match r.health {
            Some(h) => bit(
                format!("{h:.0}"),
                super::health_role(app, h.round().clamp(0.0, 100.0) as u8),
            ),
            None => bit("?", Role::Muted),
        }],
        _ => Vec::new(),
    }
}

/// The ratio of CSMs to CS Ops, and whose target the one in focus is.
fn bottom(app: &App, ui: &mut Ui<'_>, inner: Rect, g: &Segments) {
    let y = inner.bottom() - 1;
    let mut bits = vec![bit(
        format!("{:.1} full-time CSMs for {:.1}", g.total.fte, g.fte_needed),
        Role::Text,
    )];
    match g.csm_per_ops {
        Some(n) => bits.push(bit(format!(" · {n:.1} : 1 CS Ops"), Role::Text)),
        None => bits.push(bit(" · CS Ops n/a", Role::Muted)),
    }
    match g.cost_share {
        Some(share) => bits.push(bit(
            format!(" · CS cost {:.1} % of ARR", share * 100.0),
            Role::Text,
        )),
        None => bits.push(bit(" · CS cost n/a", Role::Muted)),
    }
    let row = g.rows.get(app.list(Pane::Segments).cursor);
    if let Some(b) = row.and_then(|r| r.band.as_ref()) {
        bits.push(bit(format!("   target: {}", b.source), Role::Muted));
    }
    ui.line(inner.x, y, inner.width, &bits);
}
