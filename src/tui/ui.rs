//! The drawing context: the buffer, the theme, what can be clicked, and the count of rows built.

use super::figures::Spot;
use super::text;
use super::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use std::borrow::Cow;

/// A piece of a line: its text and its label.
pub type Bit<'a> = (Cow<'a, str>, Role);

/// A piece of a line.
pub fn bit<'a>(text: impl Into<Cow<'a, str>>, role: Role) -> Bit<'a> {
    (text.into(), role)
}

/// The cells of a line.
pub fn line_width(bits: &[Bit<'_>]) -> usize {
    bits.iter().map(|(t, _)| text::width(t)).sum()
}

/// What a click means.
#[derive(Clone, Debug, PartialEq)]
pub enum Hit {
    /// Run this command line.
    Command(String),
    /// The pane gets the focus.
    Pane(usize),
    /// The row of a pane, by its place in the list.
    Row(usize, usize),
    /// A figure of the metrics screen.
    Spot(Spot),
    /// Choice `n` of the box that is open.
    Choice(usize),
    /// Field `n` of the form that is open.
    Field(usize),
    /// Nothing, but what lies under it does not get the click.
    Nothing,
}

/// Everything that drawing needs.
pub struct Ui<'a> {
    /// Where it is drawn.
    pub buf: &'a mut Buffer,
    /// How it looks.
    pub theme: &'a Theme,
    /// What can be clicked; later ones lie on top.
    pub hits: Vec<(Rect, Hit)>,
    /// Rows of lists that were built for this frame.
    pub built: usize,
}

impl<'a> Ui<'a> {
    /// A context that draws into a buffer.
    pub fn new(buf: &'a mut Buffer, theme: &'a Theme) -> Ui<'a> {
        Ui {
            buf,
            theme,
            hits: Vec::new(),
            built: 0,
        }
    }

    /// The style of a label.
    pub fn style(&self, role: Role) -> Style {
        self.theme.get(role)
    }

    /// Clears an area to a label's background.
    pub fn fill(&mut self, area: Rect, role: Role) {
        let style = self.style(role);
        let area = area.intersection(self.buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buf.cell_mut(Position::new(x, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
        }
    }

    /// Lays a style over an area without touching what is written there. What turns colours round is one area: a text's own colour would
    /// be a patch of background in it.
    pub fn tint(&mut self, area: Rect, role: Role) {
        let mut style = self.style(role);
        if style.add_modifier.contains(Modifier::REVERSED) {
            style = style.fg(Color::Reset).bg(Color::Reset);
        }
        let area = area.intersection(self.buf.area);
        self.buf.set_style(area, style);
    }

    /// Writes text from a cell on, at most `max` cells, cut with `…`; returns the cells used. Outside the buffer nothing happens.
    ///
    /// Plain text takes the background that it stands on: of a box, a selected row, the header.
    pub fn put(&mut self, x: u16, y: u16, max: u16, text: &str, role: Role) -> u16 {
        let mut style = self.style(role);
        if role == Role::Text {
            style.bg = None;
        }
        self.put_styled(x, y, max, text, style)
    }

    /// As [`Ui::put`], with a style.
    pub fn put_styled(&mut self, x: u16, y: u16, max: u16, text: &str, style: Style) -> u16 {
        let area = self.buf.area;
        if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
            return 0;
        }
        let max = max.min(area.right() - x);
        let text = text::fit(text, usize::from(max));
        let mut end = x;
        for piece in text::pieces(&text) {
            let left = usize::from(x + max - end);
            (end, _) = self.buf.set_stringn(end, y, piece, left, style);
        }
        end - x
    }

    /// Writes pieces one after the other; returns the cells used.
    pub fn line(&mut self, x: u16, y: u16, max: u16, bits: &[Bit<'_>]) -> u16 {
        let mut used = 0;
        for (i, (text, role)) in bits.iter().enumerate() {
            let left = max - used;
            if left == 0 {
                break;
            }
            // Where the rest does not fit, this piece carries the ellipsis, so that a cut between two pieces is seen too.
            let rest: usize = line_width(&bits[i + 1..]);
            let own = text::width(text);
            if own > usize::from(left) {
                used += self.put(x + used, y, left, text, *role);
                break;
            }
            if rest > 0 && own == usize::from(left) {
                used += self.put(x + used, y, left, &format!("{text}.."), *role);
                break;
            }
            used += self.put(x + used, y, left, text, *role);
        }
        used
    }

    /// Writes pieces so that they end at the right edge of `max` cells from `x`.
    pub fn line_right(&mut self, x: u16, y: u16, max: u16, bits: &[Bit<'_>]) {
        let w = line_width(bits).min(usize::from(max)) as u16;
        self.line(x + max - w, y, w, bits);
    }

    /// A click on the area means this.
    pub fn hit(&mut self, area: Rect, hit: Hit) {
        self.hits.push((area, hit));
    }

    /// A pane's frame: rounded border, title on the left, what is said about it on the right. Focus shows in border and title. Returns the
    /// inside, one blank column on each side.
    pub fn pane(&mut self, area: Rect, title: &[Bit<'_>], right: &[Bit<'_>], focus: bool) -> Rect {
        if area.width < 4 || area.height < 2 {
            return Rect::new(area.x, area.y, 0, 0);
        }
        let border = self.style(if focus {
            Role::BorderFocus
        } else {
            Role::Border
        });
        let (x0, x1, y0, y1) = (area.left(), area.right() - 1, area.top(), area.bottom() - 1);
        for x in x0 + 1..x1 {
            self.put_styled(x, y0, 1, "─", border);
            self.put_styled(x, y1, 1, "─", border);
        }
        for y in y0 + 1..y1 {
            self.put_styled(x0, y, 1, "│", border);
            self.put_styled(x1, y, 1, "│", border);
        }
        for (x, y, c) in [(x0, y0, "╭"), (x1, y0, "╮"), (x0, y1, "╰"), (x1, y1, "╯")] {
            self.put_styled(x, y, 1, c, border);
        }
        let room = area.width - 4;
        let mut used = 0;
        if !title.is_empty() {
            used = self.line(x0 + 2, y0, room, &around(title));
        }
        let need = line_width(right) as u16 + 2;
        if !right.is_empty() && used + need < room {
            self.line(x1 - 1 - need, y0, need, &around(right));
        }
        Rect::new(x0 + 2, y0 + 1, area.width - 4, area.height - 2)
    }

    /// A thumb on the right border of a pane that shows which part of a long list is seen.
    pub fn thumb(&mut self, area: Rect, top: usize, shown: usize, len: usize, focus: bool) {
        if len <= shown || shown == 0 || area.height < 5 {
            return;
        }
        let track = usize::from(area.height - 2);
        let size = (track * shown / len).clamp(1, track);
        let at = ((track - size) * top / (len - shown).max(1)).min(track - size);
        let role = if focus {
            Role::BorderFocus
        } else {
            Role::Border
        };
        for i in at..at + size {
            self.put(area.right() - 1, area.top() + 1 + i as u16, 1, "┃", role);
        }
    }

    /// A box over the rest: its place is cleared and framed, clicks do not pass through. Returns the inside.
    pub fn overlay(&mut self, area: Rect, title: &[Bit<'_>], right: &[Bit<'_>]) -> Rect {
        let area = area.intersection(self.buf.area);
        self.hit(self.buf.area, Hit::Nothing);
        self.clear(area);
        let inner = self.pane(area, title, right, true);
        self.tint_background(area);
        inner
    }

    /// Clears an area for something that lies over the rest. A wide character that is cut by its left edge loses its other half too.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buf.area);
        if area.left() > self.buf.area.left() {
            for y in area.top()..area.bottom() {
                if let Some(cell) = self.buf.cell_mut(Position::new(area.left() - 1, y))
                    && text::width(cell.symbol()) > 1
                {
                    cell.set_symbol(" ");
                }
            }
        }
        self.fill(area, Role::Overlay);
    }

    /// The background of a box, under what is written there.
    pub fn tint_background(&mut self, area: Rect) {
        let Some(bg) = self.style(Role::Overlay).bg else {
            return;
        };
        let area = area.intersection(self.buf.area);
        self.buf.set_style(area, Style::new().bg(bg));
    }

    /// A bar of `width` cells, `fraction` of it filled (0 to 1), in eighths of a cell.
    pub fn bar(&mut self, x: u16, y: u16, width: u16, fraction: f64, role: Role) {
        let eighths = (fraction.clamp(0.0, 1.0) * f64::from(width) * 8.0).round() as u32;
        // Something is never drawn as nothing.
        let eighths = if fraction > 0.0 { eighths.max(1) } else { 0 };
        for i in 0..u32::from(width) {
            let here = eighths.saturating_sub(i * 8).min(8) as usize;
            if here == 0 {
                break;
            }
            let glyph = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"][here];
            self.put(x + i as u16, y, 1, glyph, role);
        }
    }

    /// A value against the band that it should lie in: the band is shaded, the value filled over it. All on the scale 0 to `max`.
    pub fn band(&mut self, line: Rect, value: f64, band: (f64, f64), max: f64, role: Role) {
        let (x, y, width) = (line.x, line.y, line.width);
        if max <= 0.0 || width == 0 {
            return;
        }
        let cell = |v: f64| ((v / max).clamp(0.0, 1.0) * f64::from(width)).round() as u16;
        let (from, to) = (cell(band.0), cell(band.1).max(cell(band.0) + 1).min(width));
        for i in from.min(width.saturating_sub(1))..to {
            self.put(x + i, y, 1, "░", Role::BarEmpty);
        }
        self.bar(x, y, width, value / max, role);
        // The band's upper end stays in sight under a bar that goes beyond it.
        if value > band.1 && to < width && to > 0 {
            let style = self.style(role).add_modifier(Modifier::REVERSED);
            self.put_styled(x + to - 1, y, 1, "▕", style);
        }
    }
}

fn around<'b>(bits: &[Bit<'b>]) -> Vec<Bit<'b>> {
    let role = bits.first().map_or(Role::Title, |b| b.1);
    let mut out = vec![bit(" ", role)];
    out.extend(bits.iter().cloned());
    out.push(bit(" ", role));
    out
}

/// Weekly values as bars of eighths, one cell each; a missing week is a dot. The scale is the values' own range, so that a trend can be
/// seen, but never less than 40 % of the largest: what hardly moves looks level, half-way up.
pub fn spark(values: &[Option<u32>]) -> String {
    const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known = || values.iter().flatten().map(|n| f64::from(*n));
    let (low, high) = (
        known().fold(f64::MAX, f64::min),
        known().fold(0.0, f64::max),
    );
    let range = (high - low).max(high * 0.4);
    let floor = (low + high) / 2.0 - range / 2.0;
    values
        .iter()
        .map(|v| match v {
            None => '·',
            Some(_) if high == 0.0 => STEPS[0],
            Some(n) => {
                let step = ((f64::from(*n) - floor) / range * 8.0).floor();
                STEPS[(step as usize).min(7)]
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::theme::{Depth, Themes};
    use super::*;

    fn drawn(width: u16, draw: impl FnOnce(&mut Ui<'_>)) -> String {
        let theme = Themes::load(None, Depth::None).first();
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
        draw(&mut Ui::new(&mut buf, &theme));
        buf.content().iter().map(|c| c.symbol()).collect()
    }

    #[test]
    fn a_line_that_does_not_fit_says_so_wherever_it_is_cut() {
        let bits = [bit("one", Role::Text), bit("two", Role::Muted)];
        assert_eq!(
            drawn(6, |ui| {
                let _ = ui.line(0, 0, 6, &bits);
            }),
            "onetwo"
        );
        assert_eq!(
            drawn(6, |ui| {
                let _ = ui.line(0, 0, 5, &bits);
            }),
            "onet… "
        );
        assert_eq!(
            drawn(6, |ui| {
                let _ = ui.line(0, 0, 3, &bits);
            }),
            "on…   "
        );
        assert_eq!(drawn(8, |ui| ui.line_right(0, 0, 8, &bits)), "  onetwo");
    }

    #[test]
    fn bars_and_sparks_show_little_and_nothing_apart() {
        assert_eq!(drawn(4, |ui| ui.bar(0, 0, 4, 0.5, Role::Bar)), "██  ");
        assert_eq!(drawn(4, |ui| ui.bar(0, 0, 4, 0.001, Role::Bar)), "▏   ");
        assert_eq!(drawn(4, |ui| ui.bar(0, 0, 4, 0.0, Role::Bar)), "    ");
        assert_eq!(
            drawn(10, |ui| ui.band(
                Rect::new(0, 0, 10, 1),
                3.0,
                (5.0, 8.0),
                10.0,
                Role::Bar
            )),
            "███  ░░░  "
        );
        assert_eq!(spark(&[Some(0), Some(4), None, Some(8)]), "▁▅·█");
        assert_eq!(spark(&[Some(100), Some(101), Some(99)]), "▅▅▄");
        assert_eq!(spark(&[Some(0), Some(0)]), "▁▁");
    }

    #[test]
    fn drawing_outside_the_buffer_does_nothing() {
        for (w, h) in [(0, 0), (1, 1), (3, 1), (10, 3)] {
            let theme = Themes::load(None, Depth::True).first();
            let mut buf = Buffer::empty(Rect::new(0, 0, w, h));
            let mut ui = Ui::new(&mut buf, &theme);
            ui.pane(
                Rect::new(0, 0, w, h),
                &[bit("title", Role::Title)],
                &[bit("x", Role::Muted)],
                true,
            );
            ui.overlay(Rect::new(5, 5, 20, 9), &[bit("title", Role::Title)], &[]);
            ui.put(40, 40, 5, "text", Role::Text);
            ui.band(Rect::new(0, 0, w, 1), 1.0, (2.0, 3.0), 4.0, Role::Bad);
            ui.thumb(Rect::new(0, 0, w, h), 0, 1, 100, true);
        }
    }
}
