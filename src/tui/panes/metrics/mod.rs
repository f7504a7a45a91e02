//! The metrics screen: tabs of pages, what the page says, its switches, and its blocks, of which only those in sight are drawn.
//!
//! `layout` says where blocks lie, `blocks` draws the small ones, `table` tables and heat tables, `lines` charts.

mod blocks;
pub mod layout;
mod lines;
mod table;

use crate::insight::page::{Block, Page};
use crate::tui::app::{App, Pane};
use crate::tui::figures::{Spot, Words, grid};
use crate::tui::metrics::{Cursor, Metrics};
use crate::tui::text::{width, wrap};
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit, line_width};
use ratatui::layout::Rect;
use std::ops::Range;

/// The part of a block that is in sight: its lines are numbered from its title on.
#[derive(Clone, Copy)]
struct Clip {
    x: u16,
    w: u16,
    /// Where its first line would be; above the screen when it is scrolled out.
    top: i64,
    /// The lines of the screen that may be drawn on.
    from: u16,
    to: u16,
}

impl Clip {
    /// Where a line is drawn, when it is in sight.
    fn y(&self, line: usize) -> Option<u16> {
        let y = u16::try_from(self.top + line as i64).ok()?;
        (self.from..self.to).contains(&y).then_some(y)
    }
    /// The lines in sight.
    fn lines(&self) -> Range<usize> {
        let at = |y: u16| usize::try_from(i64::from(y) - self.top).unwrap_or(0);
        at(self.from)..at(self.to)
    }
    fn right(&self) -> u16 {
        self.x + self.w
    }
}

/// What drawing a block needs besides itself.
struct Cx<'a> {
    words: Words<'a>,
    /// The block's number.
    block: usize,
    /// The cursor, when it is in this block.
    cursor: Option<Spot>,
    size: &'a layout::Size,
    /// How many figures stand on a line.
    per_line: usize,
}

impl Cx<'_> {
    fn hit(&self, ui: &mut Ui<'_>, area: Rect, row: usize, col: usize) {
        let block = self.block;
        ui.hit(area, Hit::Spot(Spot { block, row, col }));
    }
    fn is_at(&self, row: usize, col: usize) -> bool {
        self.cursor.is_some_and(|s| (s.row, s.col) == (row, col))
    }
}

/// Draws the screen.
pub fn draw(app: &mut App, ui: &mut Ui<'_>, area: Rect) {
    let mut m = std::mem::take(&mut app.metrics);
    drawn(app, &mut m, ui, area);
    app.metrics = m;
}

fn drawn(app: &App, m: &mut Metrics, ui: &mut Ui<'_>, area: Rect) {
    let current = m.is_current(&m.spec(app.mine));
    let mut title = vec![bit("Metrics", Role::TitleFocus)];
    if !current {
        title.push(bit(" …", Role::Muted));
    }
    let whose = if app.mine { "mine" } else { "everybody's" };
    let right = [bit(whose, Role::Muted)];
    let frame = ui.pane(area, &title, &right, true);
    ui.hit(area, Hit::Pane(Pane::Metrics as usize));
    if frame.height < 4 {
        return;
    }
    tabs(m, ui, Rect { height: 1, ..frame });
    let inner = Rect {
        y: frame.y + 2,
        height: frame.height - 2,
        ..frame
    };
    let Some(view) = m.view.clone() else {
        let text = "The figures of this page are being made …";
        ui.put(inner.x, inner.y, inner.width, text, Role::Muted);
        return;
    };
    let page = &view.page;
    let head = head(page, inner.width);
    let sight = usize::from(inner.height);
    let (places, total) = layout::place(page, &m.sizes, head.height, inner.width, sight);
    (m.height, m.total) = (sight, total);
    if m.follow
        && let Cursor::At(spot) = m.cursor
    {
        m.top = layout::sight(page, &places, spot, m.top, sight);
    }
    m.follow = false;
    m.top = m.top.min(total.saturating_sub(sight));
    let all = Clip {
        x: inner.x,
        w: inner.width,
        top: i64::from(inner.y) - m.top as i64,
        from: inner.y,
        to: inner.bottom(),
    };
    draw_head(page, &head, m.cursor, ui, all);
    for (i, (block, place)) in page.blocks.iter().zip(&places).enumerate() {
        if place.y + place.h <= m.top || place.y >= m.top + sight {
            continue;
        }
        let clip = Clip {
            x: inner.x + place.x,
            w: place.w,
            top: all.top + place.y as i64,
            ..all
        };
        let none = layout::Size::default();
        let cx = Cx {
            words: app.words(),
            block: i,
            cursor: match m.cursor {
                Cursor::At(spot) if spot.block == i && grid::rows(block) > 0 => Some(spot),
                _ => None,
            },
            size: m.sizes.get(i).unwrap_or(&none),
            per_line: place.per_line,
        };
        draw_block(&cx, block, ui, clip, place.h);
    }
    ui.thumb(
        Rect {
            y: area.y + 2,
            height: area.height - 2,
            ..area
        },
        m.top,
        sight,
        total,
        true,
    );
    m.places = places;
}

fn draw_block(cx: &Cx<'_>, block: &Block, ui: &mut Ui<'_>, clip: Clip, height: usize) {
    if !matches!(block, Block::Text { .. }) {
        heading(cx, grid::title(block), ui, clip);
    }
    match block {
        Block::Figures { figures, .. } => blocks::figures(cx, figures, ui, clip),
        Block::Bars { bars, .. } => blocks::bars(cx, bars, ui, clip),
        Block::Waterfall { steps, .. } => blocks::waterfall(cx, steps, ui, clip),
        Block::Text { text } => blocks::paragraph(text, ui, clip, 0),
        Block::Table { rows, empty, .. } | Block::Heat { rows, empty, .. } if rows.is_empty() => {
            blocks::paragraph(empty, ui, clip, 1);
        }
        Block::Table { columns, rows, .. } => table::table(cx, columns, rows, ui, clip),
        Block::Heat {
            columns,
            rows,
            scale,
            ..
        } => table::heat(cx, columns, rows, *scale, ui, clip),
        Block::Lines { lines, mark, .. } => {
            lines::lines(cx, lines, mark.as_ref(), ui, clip, height);
        }
    }
}

/// A block's title, with a thin line to its end.
fn heading(cx: &Cx<'_>, title: &str, ui: &mut Ui<'_>, clip: Clip) {
    let Some(y) = clip.y(0) else { return };
    let role = if cx.cursor.is_some() {
        Role::TitleFocus
    } else {
        Role::Title
    };
    let used = ui.put(clip.x, y, clip.w, title, role);
    let start = if used == 0 { 0 } else { used + 1 };
    for x in start..clip.w {
        ui.put(clip.x + x, y, 1, "─", Role::Border);
    }
}

/// The pages as tabs; where they do not fit, those around the one that is shown.
fn tabs(m: &Metrics, ui: &mut Ui<'_>, area: Rect) {
    let w = |i: usize| m.pages.get(i).map_or(0, |p| width(p.1)) as u16 + 3;
    let room = area.width.saturating_sub(4);
    let mut from = 0;
    while from < m.page && (from..=m.page).map(w).sum::<u16>() > room {
        from += 1;
    }
    let mut x = area.x;
    if from > 0 {
        ui.put(x, area.y, 2, "‹ ", Role::Muted);
        ui.hit(
            Rect::new(x, area.y, 2, 1),
            Hit::Command("page previous".into()),
        );
        x += 2;
    }
    for (i, (name, title)) in m.pages.iter().enumerate().skip(from) {
        if x + w(i) > area.right() {
            ui.put(area.right().saturating_sub(1), area.y, 1, "›", Role::Muted);
            ui.hit(
                Rect::new(area.right() - 1, area.y, 1, 1),
                Hit::Command("page next".into()),
            );
            break;
        }
        let role = if i == m.page {
            Role::TabActive
        } else {
            Role::Muted
        };
        let used = ui.put(x, area.y, w(i), &format!(" {title} "), role);
        ui.hit(
            Rect::new(x, area.y, used, 1),
            Hit::Command(format!("page {name}")),
        );
        x += used + 1;
    }
}

/// What stands above the blocks.
struct Head {
    sentence: Vec<String>,
    badge: Vec<String>,
    /// Of each switch its place: cells from the left, line, and cells.
    switches: Vec<(u16, usize, u16)>,
    height: usize,
}

fn switch_bits(page: &Page, i: usize) -> Vec<Bit<'_>> {
    page.switches.get(i).map_or_else(Vec::new, |s| {
        vec![
            bit(format!("{} ", s.title), Role::Muted),
            bit(format!("‹{}›", s.current), Role::Text),
        ]
    })
}

fn head(page: &Page, w: u16) -> Head {
    let room = usize::from(w);
    let lines = |text: &str, room: usize| {
        if text.is_empty() {
            Vec::new()
        } else {
            wrap(text, room)
        }
    };
    let sentence = lines(&page.sentence, room.min(120));
    let badge = lines(&page.badge, room.saturating_sub(2));
    let mut line = sentence.len() + badge.len();
    let mut x = 0;
    let mut switches = Vec::new();
    for i in 0..page.switches.len() {
        let need = line_width(&switch_bits(page, i)) as u16;
        if x > 0 && x + need > w {
            (x, line) = (0, line + 1);
        }
        switches.push((x, line, need));
        x += need + 3;
    }
    if !switches.is_empty() {
        line += 1;
    }
    Head {
        sentence,
        badge,
        switches,
        height: line + usize::from(line > 0),
    }
}

fn draw_head(page: &Page, head: &Head, cursor: Cursor, ui: &mut Ui<'_>, clip: Clip) {
    let mut line = 0;
    for text in &head.sentence {
        if let Some(y) = clip.y(line) {
            ui.put(clip.x, y, clip.w, text, Role::Text);
        }
        line += 1;
    }
    for (i, text) in head.badge.iter().enumerate() {
        if let Some(y) = clip.y(line) {
            ui.put(clip.x, y, 2, if i == 0 { "§ " } else { "" }, Role::Accent);
            ui.put(clip.x + 2, y, clip.w.saturating_sub(2), text, Role::Accent);
        }
        line += 1;
    }
    for (i, (x, line, w)) in head.switches.iter().enumerate() {
        let Some(y) = clip.y(*line) else { continue };
        let place = Rect::new(clip.x + x, y, *w, 1);
        ui.line(place.x, y, *w, &switch_bits(page, i));
        if cursor == Cursor::Switch(i) {
            ui.tint(place, Role::Selected);
        }
        if let Some(s) = page.switches.get(i) {
            ui.hit(place, Hit::Command(format!("switch {}", s.name)));
        }
    }
}
