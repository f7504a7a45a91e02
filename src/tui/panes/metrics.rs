//! The metrics screen before there is a ledger: which figures are not there yet and why, and those that are, with their coverage.

use crate::tui::app::{App, Pane};
use crate::tui::fmt;
use crate::tui::text::wrap;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit};
use ratatui::layout::Rect;

/// Draws the screen.
pub fn draw(app: &App, ui: &mut Ui<'_>, area: Rect) {
    let inner = ui.pane(area, &[bit("Metrics", Role::TitleFocus)], &[], true);
    ui.hit(area, Hit::Pane(Pane::Metrics as usize));
    let h = &app.snap.totals(app.mine).header;
    let money = |minor: i64| fmt::money_full(app.snap.book.reporting_money(minor));
    let room = usize::from(inner.width.saturating_sub(28)).min(90);
    let ratio =
        |r: Option<f64>| r.map_or_else(|| "n/a".to_owned(), |v| format!("{:.1} %", v * 100.0));
    let rows: Vec<(&str, String, String)> = vec![
        ("grr", ratio(h.grr), String::new()),
        ("nrr", ratio(h.nrr), String::new()),
        ("arr", money(h.arr), h.arr_coverage.words()),
        ("at_risk", money(h.at_risk), h.at_risk_coverage.words()),
        ("due_90d", money(h.due), h.due_coverage.words()),
        (
            "coverage",
            h.health_coverage
                .share()
                .map_or_else(|| "n/a".to_owned(), fmt::percent),
            h.health_coverage.words(),
        ),
    ];
    let mut lines: Vec<Vec<Bit<'_>>> = Vec::new();
    for (name, value, coverage) in rows {
        let Some(d) = crate::insight::definition(name) else {
            continue;
        };
        let known = value != "n/a";
        lines.push(vec![
            bit(format!("{:<26}", d.title), Role::Title),
            bit(value, if known { Role::Strong } else { Role::Watch }),
            bit(
                if coverage.is_empty() {
                    String::new()
                } else {
                    format!("   known of {coverage}")
                },
                Role::Watch,
            ),
        ]);
        for text in [d.formula, d.note] {
            for l in wrap(text, room) {
                lines.push(vec![bit(" ".repeat(26), Role::Muted), bit(l, Role::Muted)]);
            }
        }
        lines.push(Vec::new());
    }
    let top = app
        .list(Pane::Metrics)
        .top
        .min(lines.len().saturating_sub(usize::from(inner.height)));
    for (i, line) in lines
        .iter()
        .skip(top)
        .take(usize::from(inner.height))
        .enumerate()
    {
        ui.line(inner.x, inner.y + i as u16, inner.width, line);
    }
}
