//! Lines over time: a legend with each line's sign and value, the chart, a monthly axis. The cursor stands on a day.

use super::{Clip, Cx};
use crate::insight::page::{Line, Value};
use crate::tui::fmt;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit, line_width};
use crate::tui::widgets::chart::{Chart, Series, scale};
use jiff::civil::Date;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Each line's colour and sign; the sign tells them apart where there is no colour.
const LOOKS: [(Role, &str); 6] = [
    (Role::Chart, "●"),
    (Role::Chart2, "▲"),
    (Role::Chart3, "■"),
    (Role::Chart4, "◆"),
    (Role::Chart, "○"),
    (Role::Chart2, "△"),
];

/// Draws the block.
pub fn lines(
    cx: &Cx<'_>,
    lines: &[Line],
    mark: Option<&Value>,
    ui: &mut Ui<'_>,
    clip: Clip,
    height: usize,
) {
    let days = || lines.iter().flat_map(|l| l.points.iter().map(|p| p.0));
    let (Some(first), Some(last)) = (days().min(), days().max()) else {
        let text = "No history yet: it begins with the first sync, one point a day.";
        super::blocks::paragraph(text, ui, clip, 1);
        return;
    };
    let here = cx
        .cursor
        .and_then(|s| lines.get(s.row)?.points.get(s.col).map(|p| (s.row, p.0)));
    if let (Some((_, day)), Some(y)) = (here, clip.y(0)) {
        let text = [bit(format!(" {day} "), Role::Accent)];
        ui.line_right(clip.x, y, clip.w, &text);
    }
    legend(cx, lines, mark, here, ui, clip);
    let all = height.saturating_sub(2) as u16;
    // A chart is drawn whole; what is scrolled out of sight is left away afterwards.
    let area = Rect::new(0, 0, clip.w, all);
    let mut buf = Buffer::empty(area);
    let theme = ui.theme;
    let mut scratch = Ui::new(&mut buf, theme);
    scratch.fill(area, Role::Text);
    chart(cx, lines, mark, (first, last), here, &mut scratch, area);
    for line in 0..all {
        let Some(y) = clip.y(2 + usize::from(line)) else {
            continue;
        };
        for x in 0..clip.w {
            let at = Position::new(clip.x + x, y);
            if let (Some(from), Some(to)) = (buf.cell(Position::new(x, line)), ui.buf.cell_mut(at))
            {
                *to = from.clone();
            }
        }
        // A click takes the nearest point of the line under the cursor, else of the first line.
        let row = here.map_or(0, |h| h.0);
        if let Some(l) = lines.get(row) {
            hits(
                cx,
                l,
                row,
                (first, last),
                ui,
                Rect::new(clip.x, y, clip.w, 1),
            );
        }
    }
}

/// Cells left of the plot: what the scale's labels take.
const GUTTER: u16 = 8;

fn hits(cx: &Cx<'_>, line: &Line, row: usize, ends: (Date, Date), ui: &mut Ui<'_>, area: Rect) {
    let span = fmt::days(ends.0, ends.1).max(1) as f64;
    let plot = f64::from(area.width.saturating_sub(GUTTER).max(1) - 1);
    let cell = |d: Date| (fmt::days(ends.0, d) as f64 / span * plot).round() as u16 + GUTTER;
    for (i, pair) in line.points.iter().enumerate() {
        let x = cell(pair.0);
        let next = line.points.get(i + 1).map_or(x + 1, |p| cell(p.0));
        let w = next.saturating_sub(x).max(1);
        cx.hit(ui, Rect::new(area.x + x, area.y, w, 1), row, i);
    }
}

/// The lines' signs and names, with their value on the cursor's day, else their last.
fn legend(
    cx: &Cx<'_>,
    lines: &[Line],
    mark: Option<&Value>,
    here: Option<(usize, Date)>,
    ui: &mut Ui<'_>,
    clip: Clip,
) {
    let Some(y) = clip.y(1) else { return };
    let mut x = clip.x;
    for (i, line) in lines.iter().enumerate() {
        let (role, sign) = LOOKS[i % LOOKS.len()];
        let at = match here {
            Some((_, day)) => line.points.iter().rev().find(|p| p.0 <= day),
            None => line.points.last(),
        };
        let value = at.map_or_else(|| "–".to_owned(), |p| cx.words.short(&p.1.value));
        let bits: [Bit<'_>; 3] = [
            bit(format!("{sign} "), role),
            bit(format!("{} ", line.label), Role::Muted),
            bit(value, Role::Strong),
        ];
        let w = line_width(&bits) as u16;
        if x + w > clip.right() {
            break;
        }
        ui.line(x, y, w, &bits);
        if here.is_some_and(|h| h.0 == i) {
            ui.tint(Rect::new(x, y, w, 1), Role::Selected);
        }
        let col = line.points.len().saturating_sub(1);
        cx.hit(ui, Rect::new(x, y, w, 1), i, col);
        x += w + 3;
    }
    if let Some(mark) = mark {
        let text = format!("┈ target {}", cx.words.short(mark));
        let w = text.chars().count() as u16;
        if x + w <= clip.right() {
            ui.put(x, y, w, &text, Role::Muted);
            ui.hit(Rect::new(x, y, w, 1), Hit::Nothing);
        }
    }
}

fn chart(
    cx: &Cx<'_>,
    lines: &[Line],
    mark: Option<&Value>,
    (first, last): (Date, Date),
    here: Option<(usize, Date)>,
    ui: &mut Ui<'_>,
    area: Rect,
) {
    let at = |d: Date| fmt::days(first, d) as f64;
    let points: Vec<Vec<(f64, f64)>> = lines
        .iter()
        .map(|l| {
            l.points
                .iter()
                .filter_map(|(d, f)| Some((at(*d), f.value.number()?)))
                .collect()
        })
        .collect();
    let series: Vec<Series<'_>> = points
        .iter()
        .enumerate()
        .map(|(i, points)| Series {
            points,
            role: LOOKS[i % LOOKS.len()].0,
            sign: if lines.len() > 1 || points.len() == 1 {
                LOOKS[i % LOOKS.len()].1
            } else {
                ""
            },
        })
        .collect();
    let mark_at = mark.and_then(Value::number);
    let heights = || points.iter().flatten().map(|p| p.1).chain(mark_at);
    let (low, high) = (
        heights().fold(f64::MAX, f64::min),
        heights().fold(f64::MIN, f64::max),
    );
    if low > high {
        ui.put(area.x, area.y, area.width, "n/a on every day", Role::Muted);
        return;
    }
    let like = lines
        .iter()
        .flat_map(|l| &l.points)
        .map(|p| &p.1.value)
        .find(|v| v.number().is_some());
    let label = |v: f64| {
        let value = match like {
            Some(Value::Money(_)) => Value::Money(v as i64),
            Some(Value::Ratio(_)) => return format!("{:.0}%", v * 100.0),
            Some(Value::Days(_)) => Value::Days(v.round()),
            _ => return fmt::short(v),
        };
        cx.words.short(&value)
    };
    let marks: Vec<(f64, Role)> = mark_at.map(|m| (m, Role::Muted)).into_iter().collect();
    let (y, step) = scale(low, high, matches!(like, Some(Value::Ratio(_))));
    Chart {
        series: &series,
        x: (0.0, at(last).max(1.0)),
        y,
        step,
        y_label: &|v| format!("{:>width$}", label(v), width = usize::from(GUTTER) - 1),
        x_labels: &months(first, last, area.width.saturating_sub(GUTTER)),
        marks: &marks,
        cursor: here.map(|h| at(h.1)),
    }
    .draw(ui, area);
}

/// The beginnings of months as labels of the axis, as many as have room; the year stands at its first one.
fn months(first: Date, last: Date, width: u16) -> Vec<(f64, String)> {
    let count = (i32::from(last.year()) - i32::from(first.year())) * 12
        + (i32::from(last.month()) - i32::from(first.month()))
        + 1;
    let room = i32::from(width / 7).max(2);
    let step = [1, 2, 3, 6, 12, 24, 60]
        .into_iter()
        .find(|s| count / s <= room)
        .unwrap_or(120);
    let mut out: Vec<(f64, String)> = Vec::new();
    let mut year = 0;
    for n in 0..count {
        let month = i32::from(first.month()) - 1 + n;
        let y = i32::from(first.year()) + month.div_euclid(12);
        let m = month.rem_euclid(12) as i8 + 1;
        if i32::from(m - 1) % step.min(12) != 0 || (step > 12 && y % (step / 12) != 0) {
            continue;
        }
        let Ok(day) = Date::new(y as i16, m, 1) else {
            continue;
        };
        if day < first || day > last {
            continue;
        }
        let text = if y == year {
            day.strftime("%b").to_string()
        } else {
            day.strftime("%b %y").to_string()
        };
        year = y;
        out.push((fmt::days(first, day) as f64, text));
    }
    if out.is_empty() {
        // Less than a month: both ends.
        let text = |d: Date| d.strftime("%-d %b").to_string();
        out.push((0.0, text(first)));
        if last > first {
            out.push((fmt::days(first, last) as f64, text(last)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_axis_names_months_that_have_room_and_the_year_once() {
        let texts = |from, to, w| -> Vec<String> {
            months(from, to, w).into_iter().map(|(_, t)| t).collect()
        };
        assert_eq!(
            texts(date(2025, 11, 15), date(2026, 3, 2), 80),
            ["Dec 25", "Jan 26", "Feb", "Mar"]
        );
        assert_eq!(
            texts(date(2024, 1, 1), date(2026, 1, 1), 40),
            ["Jan 24", "Jul", "Jan 25", "Jul", "Jan 26"]
        );
        assert_eq!(
            texts(date(2026, 3, 3), date(2026, 3, 20), 40),
            ["3 Mar", "20 Mar"]
        );
    }
}
