//! The small blocks: figures side by side, bars, the waterfall, a paragraph.

use super::layout::{self, LABEL, LEAD};
use super::{Clip, Cx};
use crate::insight::page::{Figure, Value};
use crate::tui::figures::words;
use crate::tui::text::{width, wrap};
use crate::tui::theme::Role;
use crate::tui::ui::{Ui, bit};
use ratatui::layout::Rect;

/// Words, from a line of the block on.
pub fn paragraph(text: &str, ui: &mut Ui<'_>, clip: Clip, from: usize) {
    for (i, line) in wrap(text, usize::from(clip.w.min(110))).iter().enumerate() {
        if let Some(y) = clip.y(from + i) {
            ui.put(clip.x, y, clip.w, line, Role::Muted);
        }
    }
}

/// A value with its sign; the cells used.
fn value(cx: &Cx<'_>, f: &Figure, ui: &mut Ui<'_>, x: u16, y: u16, max: u16) -> u16 {
    let role = words::role(f);
    let sign = words::sign(f);
    let strong = if role == Role::Strong || role == Role::Muted {
        role
    } else {
        // The number stays the biggest contrast; its sign carries the state.
        Role::Strong
    };
    let mut bits = vec![bit(cx.words.short(&f.value), strong)];
    if !sign.is_empty() {
        bits.push(bit(format!(" {sign}"), role));
    }
    ui.line(x, y, max, &bits)
}

/// Figures side by side: the value large, under it what it is and what is wanted of it.
pub fn figures(cx: &Cx<'_>, figures: &[Figure], ui: &mut Ui<'_>, clip: Clip) {
    let (w, per_line) = layout::cards(cx.size, figures.len(), clip.w);
    let per_line = if cx.per_line > 0 {
        cx.per_line
    } else {
        per_line
    };
    let targets = cx.size.cols.first().is_some_and(|c| c.bar);
    let each = 2 + usize::from(targets);
    for (i, f) in figures.iter().enumerate() {
        let x = clip.x + (i % per_line) as u16 * w;
        let line = 1 + i / per_line * (each + 1);
        let here = cx.is_at(0, i);
        let room = w.saturating_sub(LEAD + 1);
        for n in 0..each {
            let Some(y) = clip.y(line + n) else { continue };
            match n {
                0 => {
                    value(cx, f, ui, x + LEAD, y, room);
                }
                1 => {
                    ui.put(x + LEAD, y, room, &f.label, Role::Muted);
                }
                _ => {
                    if let Some(t) = &f.target {
                        ui.put(x + LEAD, y, room, &cx.words.target(t), Role::Muted);
                    }
                }
            }
            let cell = Rect::new(x, y, w.saturating_sub(1), 1);
            if here {
                ui.tint(cell, Role::Selected);
                ui.put(x, y, 1, "▌", Role::Accent);
            }
            cx.hit(ui, cell, 0, i);
        }
    }
}

/// The mark of the row under the cursor.
pub fn mark(here: bool, ui: &mut Ui<'_>, row: Rect) {
    if here {
        ui.tint(row, Role::Selected);
        ui.put(row.x, row.y, 1, "▌", Role::Accent);
    }
}

fn limits(f: &Figure) -> impl Iterator<Item = f64> + '_ {
    let t = f.target.as_ref();
    [
        t.and_then(|t| t.from.as_ref()),
        t.and_then(|t| t.to.as_ref()),
    ]
    .into_iter()
    .flatten()
    .filter_map(Value::number)
}

/// Bars on one scale from zero, with a mark where the target lies.
pub fn bars(cx: &Cx<'_>, bars: &[Figure], ui: &mut Ui<'_>, clip: Clip) {
    if bars.is_empty() {
        paragraph("Nothing to compare yet.", ui, clip, 1);
        return;
    }
    let most = bars
        .iter()
        .flat_map(|f| f.value.number().into_iter().chain(limits(f)))
        .fold(0.0, f64::max);
    let (label, number, sign) = widths(cx);
    let bar = clip
        .w
        .saturating_sub(LEAD + label + 1 + number + 1 + sign + 1);
    for (i, f) in bars.iter().enumerate() {
        let Some(y) = clip.y(1 + i) else { continue };
        let x = clip.x + LEAD;
        ui.put(x, y, label, &f.label, Role::Muted);
        let start = x + label + 1;
        let role = match words::role(f) {
            Role::Strong | Role::Text => Role::Bar,
            role => role,
        };
        if most > 0.0 {
            ui.bar(start, y, bar, f.value.number().unwrap_or(0.0) / most, role);
            for limit in limits(f) {
                let at = (limit / most * f64::from(bar)).round() as u16;
                ui.put(
                    start + at.min(bar.saturating_sub(1)),
                    y,
                    1,
                    "┃",
                    Role::Accent,
                );
            }
        }
        amount(cx, f, ui, start + bar + 1, y, number, false);
        let row = Rect::new(clip.x, y, clip.w, 1);
        mark(cx.is_at(i, 0), ui, row);
        cx.hit(ui, row, i, 0);
    }
}

/// The widths of the labels, values and signs of a block of rows.
fn widths(cx: &Cx<'_>) -> (u16, u16, u16) {
    let column = cx.size.cols.first().copied().unwrap_or_default();
    (cx.size.label.min(LABEL), column.width + 1, column.sign)
}

/// A value aligned right, its sign behind it; `signed`: a plus where it grows.
fn amount(cx: &Cx<'_>, f: &Figure, ui: &mut Ui<'_>, x: u16, y: u16, w: u16, signed: bool) {
    let mut text = cx.words.short(&f.value);
    if signed && f.value.number().is_some_and(|n| n > 0.0) {
        text.insert(0, '+');
    }
    let role = match words::role(f) {
        Role::Muted => Role::Muted,
        _ => Role::Strong,
    };
    ui.line_right(x, y, w, &[bit(text, role)]);
    ui.put(x + w + 1, y, 2, words::sign(f), words::role(f));
}

/// Floating bars from the opening to the closing amount. What grows is filled otherwise than what shrinks, and carries its sign, so that it
/// reads without colour.
pub fn waterfall(cx: &Cx<'_>, steps: &[Figure], ui: &mut Ui<'_>, clip: Clip) {
    let Some(last) = steps.len().checked_sub(1) else {
        paragraph("There is nothing to bridge yet.", ui, clip, 1);
        return;
    };
    let number = |f: &Figure| f.value.number().unwrap_or(0.0);
    // From where to where each bar goes.
    let mut level = 0.0;
    let spans: Vec<(f64, f64)> = steps
        .iter()
        .enumerate()
        .map(|(i, f)| {
            if i == 0 || i == last {
                level = number(f);
                (0.0, level)
            } else {
                let from = level;
                level += number(f);
                (from, level)
            }
        })
        .collect();
    let ends = || {
        spans.iter().enumerate().flat_map(|(i, (a, b))| {
            if i == 0 || i == last {
                vec![*b]
            } else {
                vec![*a, *b]
            }
        })
    };
    let (low, high) = (
        ends().fold(f64::MAX, f64::min),
        ends().fold(f64::MIN, f64::max),
    );
    // Small changes of a large amount would not be seen: then the axis does not begin at zero, and says so.
    let base = if low > 0.0 && high - low < 0.5 * high {
        (low - (high - low) * 0.4).max(0.0)
    } else {
        low.min(0.0)
    };
    let (label, number_width, _) = widths(cx);
    let bar = clip.w.saturating_sub(LEAD + label + 1 + number_width + 1);
    let range = if high > base { high - base } else { 1.0 };
    let cell = |v: f64| {
        ((v - base).max(0.0) / range * f64::from(bar))
            .round()
            .min(f64::from(bar)) as u16
    };
    for (i, (f, (from, to))) in steps.iter().zip(&spans).enumerate() {
        let Some(y) = clip.y(1 + i) else { continue };
        let x = clip.x + LEAD;
        let total = i == 0 || i == last;
        ui.put(
            x,
            y,
            label,
            &f.label,
            if total { Role::Text } else { Role::Muted },
        );
        let start = x + label + 1;
        let known = f.value.number().is_some();
        let (fill, role) = match (total, to >= from) {
            (true, _) => ("█", Role::Bar),
            (false, true) => ("▓", Role::Good),
            (false, false) => ("░", Role::Bad),
        };
        if known && (total || to != from) {
            let (a, b) = (cell(from.min(*to)), cell(from.max(*to)));
            let a = if total {
                0
            } else {
                a.min(bar.saturating_sub(1))
            };
            for c in a..b.max(a + 1).min(bar.max(1)) {
                ui.put(start + c, y, 1, fill, role);
            }
            if total && base > 0.0 {
                ui.put(start, y, 1, "≈", Role::Bar);
            }
        }
        amount(cx, f, ui, start + bar, y, number_width, !total);
        let row = Rect::new(clip.x, y, clip.w, 1);
        mark(cx.is_at(i, 0), ui, row);
        cx.hit(ui, row, i, 0);
    }
    if base > 0.0
        && let Some(y) = clip.y(1 + steps.len())
    {
        let at = match steps.first().map(|f| &f.value) {
            Some(Value::Money(_)) => cx.words.short(&Value::Money(base as i64)),
            _ => cx.words.short(&Value::Number(base, 0)),
        };
        let text = format!("≈ the bars begin at {at}");
        let x = clip.x + LEAD + label + 1;
        ui.put(x, y, clip.right().saturating_sub(x), &text, Role::Muted);
    }
}

/// What a text takes, at most.
pub fn cells(text: &str, max: u16) -> u16 {
    (width(text) as u16).min(max)
}
