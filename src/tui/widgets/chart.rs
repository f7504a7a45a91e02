//! A line chart with axes and units, drawn in dots of Braille.

use crate::tui::theme::Role;
use crate::tui::ui::Ui;
use ratatui::layout::Rect;

/// One line of a chart.
pub struct Series<'a> {
    /// Points in the order of x.
    pub points: &'a [(f64, f64)],
    /// Its label.
    pub role: Role,
    /// What stands on some of its points, so that it is told from others without colour; empty for nothing.
    pub sign: &'static str,
}

/// A chart.
pub struct Chart<'a> {
    /// Its lines.
    pub series: &'a [Series<'a>],
    /// The scale of x; where both are the same nothing is drawn.
    pub x: (f64, f64),
    /// The scale of y.
    pub y: (f64, f64),
    /// The step between the marks on it, a whole part of the scale; where there is no room for all, some are left out.
    pub step: f64,
    /// What stands at a height.
    pub y_label: &'a dyn Fn(f64) -> String,
    /// What stands under the left and the right end, and between.
    pub x_labels: &'a [(f64, String)],
    /// Heights that matter, drawn as dotted lines.
    pub marks: &'a [(f64, Role)],
    /// Where the cursor stands on the scale of x.
    pub cursor: Option<f64>,
}

impl Chart<'_> {
    /// Draws it; below 12x4 cells nothing.
    pub fn draw(&self, ui: &mut Ui<'_>, area: Rect) {
        if area.width < 12 || area.height < 4 || self.y.1 <= self.y.0 {
            return;
        }
        let rows = area.height - 2;
        let steps = ((self.y.1 - self.y.0) / self.step).round().max(1.0) as u16;
        // Labels have a row between them.
        let most = (rows / 2).max(1);
        let every = (1..=steps)
            .find(|n| steps.is_multiple_of(*n) && steps / n <= most)
            .unwrap_or(steps);
        let ticks: Vec<(u16, String)> = (0..=steps)
            .step_by(usize::from(every))
            .map(|i| {
                let f = f64::from(i) / f64::from(steps);
                let row = ((1.0 - f) * f64::from(rows - 1)).round() as u16;
                (row, (self.y_label)(self.y.0 + f * (self.y.1 - self.y.0)))
            })
            .collect();
        let gutter = ticks
            .iter()
            .map(|(_, t)| t.chars().count())
            .max()
            .unwrap_or(0) as u16
            + 1;
        if gutter + 6 > area.width {
            return;
        }
        let plot = Rect::new(area.x + gutter, area.y, area.width - gutter, rows);
        for y in 0..rows {
            ui.put(plot.x - 1, plot.y + y, 1, "│", Role::Axis);
        }
        for (row, text) in &ticks {
            let w = text.chars().count() as u16;
            ui.put(plot.x - 1 - w, plot.y + row, w, text, Role::Axis);
            ui.put(plot.x - 1, plot.y + row, 1, "┤", Role::Axis);
        }
        ui.put(plot.x - 1, plot.bottom(), 1, "╰", Role::Axis);
        for x in 0..plot.width {
            ui.put(plot.x + x, plot.bottom(), 1, "─", Role::Axis);
        }
        self.x_axis(ui, plot);
        for (height, role) in self.marks {
            let row = self.row(*height, rows);
            for x in (0..plot.width).step_by(2) {
                ui.put(plot.x + x, plot.y + row, 1, "┈", *role);
            }
        }
        if self.x.1 > self.x.0 {
            if let Some(at) = self.cursor {
                let x = plot.x + self.column(at, plot.width);
                for y in 0..rows {
                    ui.put(x, plot.y + y, 1, "│", Role::Accent);
                }
            }
            for series in self.series {
                self.line(ui, plot, series);
            }
            for series in self.series.iter().filter(|s| !s.sign.is_empty()) {
                self.signs(ui, plot, series);
            }
        }
    }

    /// The cell of a place on the scale of x.
    fn column(&self, at: f64, width: u16) -> u16 {
        let f = ((at - self.x.0) / (self.x.1 - self.x.0)).clamp(0.0, 1.0);
        (f * f64::from(width - 1)).round() as u16
    }

    /// The sign of a line at both ends and now and then between.
    fn signs(&self, ui: &mut Ui<'_>, plot: Rect, series: &Series<'_>) {
        let mut free = 0;
        let last = series.points.len().saturating_sub(1);
        for (i, (x, y)) in series.points.iter().enumerate() {
            if !x.is_finite() || !y.is_finite() {
                continue;
            }
            let column = self.column(*x, plot.width);
            if column >= free || i == last {
                let row = self.row(*y, plot.height);
                ui.put(plot.x + column, plot.y + row, 1, series.sign, series.role);
                free = column + 10;
            }
        }
    }

    fn row(&self, value: f64, rows: u16) -> u16 {
        let f = ((value - self.y.0) / (self.y.1 - self.y.0)).clamp(0.0, 1.0);
        ((1.0 - f) * f64::from(rows - 1)).round() as u16
    }

    fn x_axis(&self, ui: &mut Ui<'_>, plot: Rect) {
        let mut free = plot.x;
        for (at, text) in self.x_labels {
            let f = if self.x.1 > self.x.0 {
                ((at - self.x.0) / (self.x.1 - self.x.0)).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let w = text.chars().count() as u16;
            let tick = plot.x + (f * f64::from(plot.width - 1)).round() as u16;
            let start = tick
                .saturating_sub(w / 2)
                .clamp(plot.x, (plot.right().saturating_sub(w)).max(plot.x));
            if start < free || start + w > plot.right() {
                continue;
            }
            ui.put(tick, plot.bottom(), 1, "┬", Role::Axis);
            ui.put(start, plot.bottom() + 1, w, text, Role::Axis);
            free = start + w + 2;
        }
    }

    fn line(&self, ui: &mut Ui<'_>, plot: Rect, series: &Series<'_>) {
        let (w, h) = (usize::from(plot.width) * 2, usize::from(plot.height) * 4);
        let mut dots = vec![0u8; usize::from(plot.width) * usize::from(plot.height)];
        // Bits of a Braille cell by column and row.
        const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        let mut dot = |x: i64, y: i64| {
            let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
                return;
            };
            if x < w && y < h {
                dots[(y / 4) * usize::from(plot.width) + x / 2] |= BITS[x % 2][y % 4];
            }
        };
        let place = |(x, y): (f64, f64)| {
            let fx = (x - self.x.0) / (self.x.1 - self.x.0);
            let fy = ((y - self.y.0) / (self.y.1 - self.y.0)).clamp(0.0, 1.0);
            (
                (fx * (w - 1) as f64).round() as i64,
                ((1.0 - fy) * (h - 1) as f64).round() as i64,
            )
        };
        let points: Vec<(i64, i64)> = series
            .points
            .iter()
            .filter(|(x, y)| x.is_finite() && y.is_finite() && *x >= self.x.0 && *x <= self.x.1)
            .map(|p| place(*p))
            .collect();
        if let [(x, y)] = points[..] {
            dot(x, y);
        }
        for pair in points.windows(2) {
            let ((mut x, mut y), (x1, y1)) = (pair[0], pair[1]);
            let (dx, dy) = ((x1 - x).abs(), -(y1 - y).abs());
            let (sx, sy) = ((x1 - x).signum(), (y1 - y).signum());
            let mut error = dx + dy;
            loop {
                dot(x, y);
                if (x, y) == (x1, y1) {
                    break;
                }
                let twice = 2 * error;
                if twice >= dy {
                    error += dy;
                    x += sx;
                }
                if twice <= dx {
                    error += dx;
                    y += sy;
                }
            }
        }
        for (i, bits) in dots.iter().enumerate().filter(|(_, b)| **b != 0) {
            let (x, y) = (i % usize::from(plot.width), i / usize::from(plot.width));
            if let Some(c) = char::from_u32(0x2800 + u32::from(*bits)) {
                ui.put(
                    plot.x + x as u16,
                    plot.y + y as u16,
                    1,
                    c.encode_utf8(&mut [0; 4]),
                    series.role,
                );
            }
        }
    }
}

/// A scale that holds the values, from zero where they come near it, and the round step between its marks. `ratio`: the values are shares.
pub fn scale(low: f64, high: f64, ratio: bool) -> ((f64, f64), f64) {
    // What does not move is drawn half-way up, between steps that differ.
    let unit = if ratio {
        0.04
    } else {
        (high.abs() * 0.1).max(4.0)
    };
    let low = if low >= 0.0 && low < 0.35 * high {
        0.0
    } else {
        low
    };
    let room = if high - low < unit { unit * 0.04 } else { 0.0 };
    let step = {
        // Four steps, each a round number.
        let raw = (high - low).max(unit) / 4.0;
        let power = 10f64.powf(raw.log10().floor());
        // Of hundredths of a hundred nobody wants a quarter of one.
        let steps: &[f64] = if ratio && power < 0.05 {
            &[1.0, 2.0, 5.0, 10.0]
        } else {
            &[1.0, 2.0, 2.5, 5.0, 10.0]
        };
        steps
            .iter()
            .map(|s| s * power)
            .find(|s| *s >= raw * 0.999)
            .unwrap_or(raw)
    };
    let from = if low == 0.0 {
        0.0
    } else {
        ((low - room) / step).floor() * step
    };
    let whole = ((high + room - from) / step - 1e-6).ceil();
    ((from, from + whole.max(2.0) * step), step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Depth, Themes};
    use ratatui::buffer::Buffer;

    fn drawn(points: &[(f64, f64)], w: u16, h: u16) -> Vec<String> {
        let theme = Themes::load(None, Depth::None).first();
        let mut buf = Buffer::empty(Rect::new(0, 0, w, h));
        let mut ui = Ui::new(&mut buf, &theme);
        Chart {
            series: &[Series {
                points,
                role: Role::Chart,
                sign: "",
            }],
            x: (0.0, 10.0),
            y: (0.0, 100.0),
            step: 25.0,
            y_label: &|v| format!("{v:.0}"),
            x_labels: &[(0.0, "Jan".into()), (10.0, "Dec".into())],
            marks: &[],
            cursor: None,
        }
        .draw(&mut ui, Rect::new(0, 0, w, h));
        (0..h)
            .map(|y| (0..w).map(|x| buf[(x, y)].symbol().to_owned()).collect())
            .collect()
    }

    #[test]
    fn a_line_runs_between_labelled_axes() {
        let lines = drawn(&[(0.0, 0.0), (10.0, 100.0)], 24, 8);
        assert!(lines[0].starts_with("100┤"), "{lines:#?}");
        assert!(lines[5].starts_with("  0┤"), "{lines:#?}");
        assert!(
            lines[6].starts_with("   ╰┬") || lines[6].contains('┬'),
            "{lines:#?}"
        );
        assert!(
            lines[7].contains("Jan") && lines[7].ends_with("Dec"),
            "{lines:#?}"
        );
        let braille = |s: &str| {
            s.chars()
                .filter(|c| ('\u{2801}'..='\u{28ff}').contains(c))
                .count()
        };
        assert!(lines[..6].iter().all(|l| braille(l) > 0), "{lines:#?}");
    }

    #[test]
    fn scales_hold_the_values_in_round_steps() {
        for (low, high, ratio) in [
            (0.84, 0.93, true),
            (0.0, 0.0, true),
            (91.0, 1240.0, false),
            (1e6, 1.1e6, false),
            (-5.0, 3.0, false),
            (0.5, 0.5, true),
        ] {
            let ((from, to), step) = scale(low, high, ratio);
            assert!(
                from <= low + step * 1e-5 && to >= high - step * 1e-5 && to > from,
                "{low} {high}: {from} {to}"
            );
            let marks = (to - from) / step;
            assert!(
                (marks - marks.round()).abs() < 1e-6 && (2.0..6.5).contains(&marks),
                "{low} {high}: {from} {to} in steps of {step}"
            );
        }
        // An NPS cannot be above 100, and no scale says that it could.
        assert_eq!(scale(0.0, 100.0, false), ((0.0, 100.0), 25.0));
        assert_eq!(scale(10.0, 100.0, false).0, (0.0, 100.0));
    }

    #[test]
    fn odd_points_and_small_areas_do_no_harm() {
        for (w, h) in [(0, 0), (5, 3), (12, 4), (13, 5)] {
            drawn(
                &[
                    (f64::NAN, 1.0),
                    (3.0, f64::INFINITY),
                    (5.0, 1e300),
                    (6.0, -5.0),
                ],
                w,
                h,
            );
            drawn(&[], w, h);
        }
        assert_eq!(
            [0.0, 7.3, 1000.0, 1001.0].map(|most| scale(0.0, most, false)),
            [
                ((0.0, 2.0), 1.0),
                ((0.0, 8.0), 2.0),
                ((0.0, 1000.0), 250.0),
                ((0.0, 1250.0), 250.0)
            ]
        );
    }
}
