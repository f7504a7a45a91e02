//! Tables and heat tables: only the rows in sight are built, columns give way from the right but follow the cursor.

use super::layout::{BAR, Column, FEW, LABEL, LEAD};
use super::{Clip, Cx};
use crate::insight::page::{Figure, TableRow, Value};
use crate::tui::figures::words;
use crate::tui::theme::{HEAT, Role};
use crate::tui::ui::{Ui, bit};
use ratatui::layout::Rect;

/// A column that is shown: its number, its first cell, the cells of its value, of its bar.
struct Shown {
    n: usize,
    x: u16,
    w: u16,
    bar: u16,
}

/// Which columns have room: all, else as many as there is room for, those with the cursor's among them.
fn columns(cx: &Cx<'_>, clip: Clip, gap: u16, bars: bool) -> (u16, Vec<Shown>, bool) {
    let cols = &narrowed(&cx.size.cols, cx.size.label, gap, clip.w);
    let all: u16 = cols
        .iter()
        .map(|c| c.width + c.sign + gap)
        .fold(0, u16::saturating_add);
    let room = clip.w.saturating_sub(LEAD);
    // The labels give up to a third before a column does.
    let label = if cx.size.label.saturating_add(all) <= room {
        cx.size.label
    } else {
        cx.size.label.min((room / 3).max(10))
    };
    let room = room.saturating_sub(label);
    let with_bars: u16 = cols.iter().filter(|c| c.bar).count() as u16 * (BAR + 1);
    let bar_width = |c: &Column| {
        if bars && c.bar && all.saturating_add(with_bars) <= room {
            BAR + 1
        } else {
            0
        }
    };
    let need = |c: &Column| c.width + c.sign + gap + bar_width(c);
    let cursor = cx
        .cursor
        .map_or(0, |s| s.col.min(cols.len().saturating_sub(1)));
    let mut from = 0;
    while from < cursor
        && cols[from..=cursor]
            .iter()
            .map(need)
            .fold(0, u16::saturating_add)
            > room
    {
        from += 1;
    }
    let mut x = clip.x + LEAD + label;
    let mut shown = Vec::new();
    for (n, c) in cols.iter().enumerate().skip(from) {
        let need = need(c);
        if x + need > clip.right() && !shown.is_empty() {
            break;
        }
        shown.push(Shown {
            n,
            x: x + gap,
            w: c.width.min(clip.right().saturating_sub(x + gap)),
            bar: bar_width(c).saturating_sub(1),
        });
        x += need;
    }
    // What is left over goes to labels that are longer, else between label and numbers, so that both keep their edge.
    let spare = clip.right().saturating_sub(x);
    let longer = cx.size.longest.saturating_sub(label);
    let grow = spare.min(longer.max(LABEL.saturating_sub(label).min(8)));
    for s in &mut shown {
        s.x += grow;
    }
    let more = from > 0 || shown.last().is_some_and(|s| s.n + 1 < cols.len());
    (label + grow, shown, more)
}

/// Columns of words give way, so that all columns are seen as far as there is room.
fn narrowed(cols: &[Column], label: u16, gap: u16, room: u16) -> Vec<Column> {
    let need: u16 = cols
        .iter()
        .map(|c| c.width + c.sign + gap)
        .fold(LEAD + label, u16::saturating_add);
    let mut excess = u32::from(need.saturating_sub(room));
    let give = |c: &Column| {
        if c.left {
            u32::from(c.width.saturating_sub(FEW))
        } else {
            0
        }
    };
    let mut all: u32 = cols.iter().map(give).sum();
    cols.iter()
        .map(|c| {
            // Each gives its part of what is still to be given, so that nothing is lost to rounding.
            let own = give(c);
            let less = (excess * own).div_ceil(all.max(1)).min(own);
            (excess, all) = (excess.saturating_sub(less), all - own);
            Column {
                width: c.width - less as u16,
                ..*c
            }
        })
        .collect()
}

fn heads(cx: &Cx<'_>, titles: &[String], shown: &[Shown], more: bool, ui: &mut Ui<'_>, clip: Clip) {
    let Some(y) = clip.y(1) else { return };
    for s in shown {
        let head = titles.get(s.n).map_or("", String::as_str);
        let left = cx.size.cols.get(s.n).is_some_and(|c| c.left);
        let w = super::blocks::cells(head, s.w);
        let x = if left { s.x } else { s.x + s.w - w };
        ui.put(x, y, s.w, head, Role::Column);
    }
    if more && let (Some(first), Some(last)) = (shown.first(), shown.last()) {
        let text = format!(
            " ‹ columns {}–{} of {} ›",
            first.n + 1,
            last.n + 1,
            titles.len()
        );
        let w = super::blocks::cells(&text, clip.w);
        if let Some(y) = clip.y(0) {
            ui.line_right(clip.right() - w, y, w, &[bit(text, Role::Muted)]);
        }
    }
}

/// Rows of figures: words on the left, numbers on the right with their sign, and a bar where there is a target.
pub fn table(cx: &Cx<'_>, titles: &[String], rows: &[TableRow], ui: &mut Ui<'_>, clip: Clip) {
    let (label, shown, more) = columns(cx, clip, 2, true);
    heads(cx, titles, &shown, more, ui, clip);
    // One scale for each column of bars, over the rows that are seen.
    let seen = clip.lines();
    let range =
        seen.start.saturating_sub(2).min(rows.len())..seen.end.saturating_sub(2).min(rows.len());
    let scale: Vec<f64> = shown
        .iter()
        .map(|s| {
            let figures = rows[range.clone()].iter().filter_map(|r| r.cells.get(s.n));
            figures.map(reach).fold(0.0, f64::max)
        })
        .collect();
    for i in range {
        let Some(y) = clip.y(2 + i) else { continue };
        let row = &rows[i];
        ui.built += 1;
        let line = Rect::new(clip.x, y, clip.w, 1);
        let here = cx.cursor.filter(|s| s.row == i);
        ui.put(clip.x + LEAD, y, label, &row.label, Role::Text);
        cx.hit(ui, line, i, here.map_or(0, |s| s.col));
        if here.is_some() {
            ui.tint(line, Role::SelectedDim);
        }
        for (s, scale) in shown.iter().zip(&scale) {
            let Some(f) = row.cells.get(s.n) else {
                continue;
            };
            let column = cx.size.cols.get(s.n).copied().unwrap_or_default();
            cell(cx, f, &column, s, ui, y);
            let sign = s.x + s.w;
            let shown = words::sign(f);
            ui.put(
                sign + 1,
                y,
                column.sign.saturating_sub(1),
                shown,
                words::role(f),
            );
            if s.bar > 0 {
                let place = Rect::new(sign + column.sign + 1, y, s.bar, 1);
                band(f, *scale, ui, place);
            }
            let place = Rect::new(s.x.saturating_sub(1), y, s.w + column.sign + 1, 1);
            cx.hit(ui, place, i, s.n);
            if here.is_some_and(|h| h.col == s.n) {
                ui.tint(place, Role::Selected);
            }
        }
        if here.is_some() {
            ui.put(clip.x, y, 1, "▌", Role::Accent);
        }
    }
}

fn cell(cx: &Cx<'_>, f: &Figure, column: &Column, s: &Shown, ui: &mut Ui<'_>, y: u16) {
    let text = cx.words.short(&f.value);
    let role = match &f.value {
        Value::None(_) | Value::Empty => Role::Muted,
        Value::Text(_) => words::role(f),
        _ if words::sign(f).is_empty() => words::role(f),
        _ => Role::Strong,
    };
    if column.left {
        ui.put(s.x, y, s.w, &text, role);
    } else {
        ui.line_right(s.x, y, s.w, &[bit(text, role)]);
    }
}

/// How far a value and its target reach.
fn reach(f: &Figure) -> f64 {
    let t = f.target.as_ref();
    let limit = |l: Option<&Value>| l.and_then(Value::number).unwrap_or(0.0) * 1.15;
    f.value
        .number()
        .unwrap_or(0.0)
        .max(limit(t.and_then(|t| t.from.as_ref())))
        .max(limit(t.and_then(|t| t.to.as_ref())))
}

/// A value against its target.
fn band(f: &Figure, scale: f64, ui: &mut Ui<'_>, place: Rect) {
    let (Some(value), Some(t)) = (f.value.number(), &f.target) else {
        return;
    };
    let role = match words::role(f) {
        Role::Strong => Role::Bar,
        role => role,
    };
    let limit = |l: &Option<Value>| l.as_ref().and_then(Value::number);
    let band = (limit(&t.from).unwrap_or(0.0), limit(&t.to).unwrap_or(scale));
    ui.band(place, value, band, scale, role);
}

/// A table whose cells are shaded by their value; without colour the number stands alone, with `▲` and `▼` at both ends of the scale.
pub fn heat(
    cx: &Cx<'_>,
    titles: &[String],
    rows: &[TableRow],
    scale: (f64, f64),
    ui: &mut Ui<'_>,
    clip: Clip,
) {
    let (label, shown, more) = columns(cx, clip, 2, false);
    heads(cx, titles, &shown, more, ui, clip);
    let shades = ui.theme.heat(0).bg.is_some();
    for i in clip.lines() {
        let (Some(row), Some(y)) = (i.checked_sub(2).and_then(|r| rows.get(r)), clip.y(i)) else {
            continue;
        };
        let i = i - 2;
        ui.built += 1;
        let line = Rect::new(clip.x, y, clip.w, 1);
        let here = cx.cursor.filter(|s| s.row == i);
        cx.hit(ui, line, i, here.map_or(0, |s| s.col));
        ui.put(clip.x + LEAD, y, label, &row.label, Role::Text);
        for s in &shown {
            let Some(f) = row.cells.get(s.n) else {
                continue;
            };
            let place = Rect::new(s.x.saturating_sub(1), y, s.w + 2, 1);
            let level = f.value.number().and_then(|v| level(v, scale));
            let text = cx.words.short(&f.value);
            let column = cx.size.cols.get(s.n).copied().unwrap_or_default();
            let role = match &f.value {
                Value::None(_) | Value::Empty => Role::Muted,
                _ => Role::Text,
            };
            if column.left {
                ui.put(s.x, y, s.w, &text, role);
            } else {
                ui.line_right(s.x, y, s.w, &[bit(text, role)]);
            }
            match level {
                Some(n) if shades => {
                    let style = ui.theme.heat(n);
                    ui.buf.set_style(place.intersection(ui.buf.area), style);
                }
                Some(0) => {
                    ui.put(s.x + s.w, y, 1, "▼", Role::Muted);
                }
                Some(n) if n + 1 == HEAT => {
                    ui.put(s.x + s.w, y, 1, "▲", Role::Muted);
                }
                _ => {}
            }
            cx.hit(ui, place, i, s.n);
            if here.is_some_and(|h| h.col == s.n) {
                // The shade stays to be seen beside the mark.
                ui.put(place.x, y, 1, "▐", Role::Accent);
                ui.put(place.right() - 1, y, 1, "▌", Role::Accent);
                ui.tint(Rect::new(s.x, y, s.w, 1), Role::Selected);
            }
        }
        if here.is_some() {
            ui.put(clip.x, y, 1, "▌", Role::Accent);
        }
    }
}

/// The shade of a value: 0 at the scale's first end, the last at its second, whichever is larger.
fn level(value: f64, (from, to): (f64, f64)) -> Option<usize> {
    if !value.is_finite() || from == to {
        return None;
    }
    let part = ((value - from) / (to - from)).clamp(0.0, 1.0);
    Some(((part * HEAT as f64) as usize).min(HEAT - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_words_give_way_before_a_column_is_left_away() {
        let words = Column {
            width: 60,
            left: true,
            ..Column::default()
        };
        let number = Column {
            width: 8,
            sign: 2,
            ..Column::default()
        };
        let widths = |room| -> Vec<u16> {
            narrowed(&[number, words, words, number], 20, 2, room)
                .iter()
                .map(|c| c.width)
                .collect()
        };
        assert_eq!(widths(200), [8, 60, 60, 8]);
        assert_eq!(widths(120), [8, 35, 35, 8]);
        assert_eq!(widths(40), [8, 16, 16, 8]);
        assert!(narrowed(&[], 20, 2, 10).is_empty());
    }

    #[test]
    fn shades_run_from_one_end_of_the_scale_to_the_other_in_either_direction() {
        assert_eq!(level(0.7, (0.7, 1.0)), Some(0));
        assert_eq!(level(1.3, (0.7, 1.0)), Some(HEAT - 1));
        assert_eq!(level(0.85, (0.7, 1.0)), Some(3));
        assert_eq!(level(0.2, (0.1, 0.0)), Some(0));
        assert_eq!(level(0.0, (0.1, 0.0)), Some(HEAT - 1));
        assert_eq!(level(1.0, (1.0, 1.0)), None);
        assert_eq!(level(f64::NAN, (0.0, 1.0)), None);
    }
}
