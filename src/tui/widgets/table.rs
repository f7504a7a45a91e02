//! A table that builds only the rows that it shows, whose columns give way in a declared order.

use crate::book::LocalId;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, line_width};
use ratatui::layout::Rect;
use std::collections::HashSet;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// What a row is asked for, and what `sort` takes where `sortable`.
    pub key: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Cells at least.
    pub width: u16,
    /// Its share of what is left over; 0 keeps its width.
    pub grow: u16,
    /// Aligned right.
    pub right: bool,
    /// The smaller, the sooner it gives way. The largest stays to the last.
    pub keep: u8,
    /// The query language knows it by `key`.
    pub sortable: bool,
}

/// A column of fixed width, aligned left.
pub const fn col(key: &'static str, title: &'static str, width: u16, keep: u8) -> Column {
    Column {
        key,
        title,
        width,
        grow: 0,
        right: false,
        keep,
        sortable: true,
    }
}

impl Column {
    /// Aligned right.
    pub const fn right(mut self) -> Column {
        self.right = true;
        self
    }
    /// Takes a share of what is left over.
    pub const fn grow(mut self, share: u16) -> Column {
        self.grow = share;
        self
    }
    /// Cannot be sorted by.
    pub const fn fixed(mut self) -> Column {
        self.sortable = false;
        self
    }
}

/// Cells in front of the first column: the bar of the row in focus, the row's sign, a blank.
pub const LEAD: u16 = 3;
/// The blank cells between two columns.
const GAP: u16 = 2;

/// The columns that have room, with their widths, in their order.
pub fn layout(columns: &[Column], width: u16) -> Vec<(Column, u16)> {
    let mut shown: Vec<Column> = columns.to_vec();
    let need = |c: &[Column]| {
        c.iter().map(|c| c.width).sum::<u16>() + GAP * (c.len() as u16).saturating_sub(1)
    };
    while shown.len() > 1 && need(&shown) > width {
        let Some(at) = (0..shown.len()).min_by_key(|i| (shown[*i].keep, usize::MAX - i)) else {
            break;
        };
        shown.remove(at);
    }
    let left = width.saturating_sub(need(&shown));
    let shares: u16 = shown.iter().map(|c| c.grow).sum();
    let mut given = 0;
    let mut out: Vec<(Column, u16)> = shown
        .iter()
        .map(|c| {
            let more = (u32::from(left) * u32::from(c.grow))
                .checked_div(u32::from(shares))
                .unwrap_or(0) as u16;
            given += more;
            (*c, c.width + more)
        })
        .collect();
    if let Some((_, w)) = out.iter_mut().find(|(c, _)| c.grow > 0) {
        *w += left - given;
    }
    if let [(_, only)] = out.as_mut_slice() {
        *only = (*only).min(width);
    }
    out
}

/// Where the cursor of a list is and what is marked; survives every refresh, because it holds on to ids and not to places.
#[derive(Clone, Debug, Default)]
pub struct ListState {
    /// The place of the cursor.
    pub cursor: usize,
    /// The person moved it; before that it stays on the first row while a first load pours in.
    pub touched: bool,
    /// The first place shown.
    pub top: usize,
    /// The thing under the cursor.
    pub id: Option<LocalId>,
    /// What is marked.
    pub marks: HashSet<LocalId>,
    /// Where a range began.
    pub range: Option<LocalId>,
    /// How many rows the list had when it was drawn last.
    pub len: usize,
    /// How many rows had room when it was drawn last.
    pub height: usize,
}

impl ListState {
    /// Moves the cursor to a place, within the list.
    pub fn go(&mut self, to: usize) {
        self.touched = true;
        self.cursor = to.min(self.len.saturating_sub(1));
        self.id = None;
    }
    /// Moves by some rows.
    pub fn step(&mut self, by: isize) {
        self.go(self.cursor.saturating_add_signed(by));
    }
    /// Moves what is shown, and the cursor with it only as far as it must to stay in sight.
    pub fn scroll(&mut self, by: isize) {
        let last = self.len.saturating_sub(self.height.max(1));
        self.top = self.top.saturating_add_signed(by).min(last);
        let end = (self.top + self.height.max(1)).saturating_sub(1);
        let to = self.cursor.clamp(self.top, end.max(self.top));
        if to != self.cursor {
            self.go(to);
        }
    }
    /// The list is another: finds the thing under the cursor again, so that a refresh never moves the cursor off it. `find` gives its place;
    /// `at` the thing at a place.
    pub fn settle(
        &mut self,
        len: usize,
        find: impl FnOnce(LocalId) -> Option<usize>,
        at: impl FnOnce(usize) -> Option<LocalId>,
    ) {
        self.len = len;
        if let Some(place) = self.id.and_then(find) {
            // It keeps its line on the screen too.
            let line = self.cursor.saturating_sub(self.top);
            if place != self.cursor {
                self.top = place.saturating_sub(line);
            }
            self.cursor = place;
        } else {
            self.cursor = self.cursor.min(len.saturating_sub(1));
            self.id = at(self.cursor);
        }
    }
    /// Brings the cursor into sight of `height` rows.
    pub fn show(&mut self, height: usize) {
        self.height = height;
        let height = height.max(1);
        if self.cursor < self.top {
            self.top = self.cursor;
        } else if self.cursor >= self.top + height {
            self.top = self.cursor + 1 - height;
        }
        self.top = self.top.min(self.len.saturating_sub(height));
    }
}

/// One cell.
pub type Cell<'a> = Vec<Bit<'a>>;

/// A row as it is to be drawn.
#[derive(Debug, Default)]
pub struct RowLook<'a> {
    /// The sign in front: marked, new, asleep.
    pub sign: Option<Bit<'a>>,
    /// One cell for each column asked for.
    pub cells: Vec<Cell<'a>>,
    /// Drawn muted as a whole (asleep, done).
    pub faint: bool,
}

/// What a table shows.
pub struct Table<'t> {
    /// Its number, for clicks.
    pub pane: usize,
    /// Its columns.
    pub columns: &'t [Column],
    /// The column that it is sorted by, and whether downwards.
    pub sort: Option<(&'t str, bool)>,
    /// It has the focus.
    pub focus: bool,
    /// Lines under the row in focus.
    pub notes: u16,
    /// Draw the titles of columns.
    pub titles: bool,
}

impl Table<'_> {
    /// Draws the rows in sight: `row` is called once for each of these, with its place and the columns wanted; `note` gives the lines under
    /// the row in focus.
    pub fn draw<'r>(
        &self,
        ui: &mut Ui<'_>,
        area: Rect,
        state: &mut ListState,
        mut row: impl FnMut(usize, &[(Column, u16)]) -> RowLook<'r>,
        note: impl FnOnce(usize, u16) -> Vec<Vec<Bit<'r>>>,
    ) {
        if area.width < 6 || area.height == 0 {
            return;
        }
        let lead = LEAD;
        let columns = layout(self.columns, area.width - lead);
        let mut y = area.top();
        if self.titles && area.height > 2 {
            self.titles(ui, area, lead, &columns);
            y += 1;
        }
        let room = area.bottom() - y;
        let notes = if state.len == 0 || room < 3 {
            0
        } else {
            self.notes
        };
        state.show(usize::from(room.saturating_sub(notes)));
        let mut note = Some(note);
        let mut place = state.top;
        while y < area.bottom() && place < state.len {
            let here = place == state.cursor;
            let look = row(place, &columns);
            ui.built += 1;
            let line = Rect::new(area.x, y, area.width, 1);
            if let Some(sign) = &look.sign {
                ui.put(area.x + 1, y, 1, &sign.0, sign.1);
            }
            let mut x = area.x + lead;
            for ((column, width), cell) in columns.iter().zip(&look.cells) {
                if column.right {
                    ui.line_right(x, y, *width, cell);
                } else {
                    ui.line(x, y, *width, cell);
                }
                x += width + GAP;
            }
            if look.faint {
                ui.tint(line, Role::Muted);
            }
            ui.hit(line, Hit::Row(self.pane, place));
            y += 1;
            if here {
                let lines = match note.take() {
                    Some(note) if notes > 0 => note(place, area.width.saturating_sub(lead + 1)),
                    _ => Vec::new(),
                };
                let shown = lines
                    .len()
                    .min(usize::from(notes))
                    .min(usize::from(area.bottom() - y));
                for (i, bits) in lines.iter().take(shown).enumerate() {
                    ui.line(area.x + lead, y + i as u16, area.width - lead, bits);
                    ui.hit(
                        Rect::new(area.x, y + i as u16, area.width, 1),
                        Hit::Row(self.pane, place),
                    );
                }
                let block = Rect::new(area.x, line.y, area.width, 1 + shown as u16);
                ui.tint(
                    Rect { height: 1, ..block },
                    if self.focus {
                        Role::Selected
                    } else {
                        Role::SelectedDim
                    },
                );
                for i in 0..block.height {
                    let role = if self.focus {
                        Role::Accent
                    } else {
                        Role::Muted
                    };
                    let glyph = if i == 0 { "▌" } else { "│" };
                    ui.put(area.x, block.y + i, 1, glyph, role);
                }
                if self.focus {
                    // The bar stands on the selection's own background.
                    ui.tint(Rect::new(area.x, line.y, 1, 1), Role::Selected);
                    ui.put(area.x, line.y, 1, "▌", Role::Accent);
                }
                y += shown as u16;
            }
            place += 1;
        }
    }

    fn titles(&self, ui: &mut Ui<'_>, area: Rect, lead: u16, columns: &[(Column, u16)]) {
        let mut x = area.x + lead;
        for (column, width) in columns {
            let arrow = match self.sort {
                Some((key, down)) if key == column.key => {
                    if down {
                        "▾"
                    } else {
                        "▴"
                    }
                }
                _ => "",
            };
            let bits: Vec<Bit<'_>> = vec![
                (column.title.into(), Role::Column),
                (arrow.into(), Role::Accent),
            ];
            let used = line_width(&bits).min(usize::from(*width)) as u16;
            let at = if column.right { x + width - used } else { x };
            ui.line(at, area.y, *width, &bits);
            if column.sortable {
                let down = matches!(self.sort, Some((key, down)) if key == column.key && !down);
                let command = format!("sort {}{}", if down { "-" } else { "" }, column.key);
                ui.hit(Rect::new(x, area.y, *width, 1), Hit::Command(command));
            }
            x += width + GAP;
        }
    }
}

/// Where a table stands in a pane: the bar of the row under the cursor takes the margin left of what is written.
pub fn with_bar(inner: Rect) -> Rect {
    Rect {
        x: inner.x.saturating_sub(1),
        width: inner.width + 1,
        ..inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Depth, Themes};
    use crate::tui::ui::bit;
    use ratatui::buffer::Buffer;

    const COLUMNS: [Column; 4] = [
        col("name", "Account", 8, 9).grow(1),
        col("arr", "ARR", 5, 8).right(),
        col("health", "Health", 6, 5).right(),
        col("csm", "CSM", 8, 2),
    ];

    #[test]
    fn columns_give_way_in_the_declared_order_and_the_rest_is_shared() {
        let keys = |w| {
            layout(&COLUMNS, w)
                .iter()
                .map(|(c, w)| (c.key, *w))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            keys(40),
            [("name", 15), ("arr", 5), ("health", 6), ("csm", 8)]
        );
        assert_eq!(keys(24), [("name", 9), ("arr", 5), ("health", 6)]);
        assert_eq!(keys(16), [("name", 9), ("arr", 5)]);
        assert_eq!(keys(4), [("name", 4)]);
        for w in 0..60 {
            let used: u16 = layout(&COLUMNS, w).iter().map(|(_, w)| w + GAP).sum();
            assert!(used <= w + GAP);
        }
    }

    #[test]
    fn only_the_rows_in_sight_are_built() {
        let theme = Themes::load(None, Depth::None).first();
        let mut buf = Buffer::empty(Rect::new(0, 0, 40, 12));
        let mut ui = Ui::new(&mut buf, &theme);
        let mut state = ListState {
            len: 1_000_000,
            ..ListState::default()
        };
        state.go(500_000);
        let table = Table {
            pane: 0,
            columns: &COLUMNS,
            sort: None,
            focus: true,
            notes: 1,
            titles: true,
        };
        table.draw(
            &mut ui,
            Rect::new(0, 0, 40, 12),
            &mut state,
            |i, columns| RowLook {
                cells: columns
                    .iter()
                    .map(|_| vec![bit(i.to_string(), Role::Text)])
                    .collect(),
                ..RowLook::default()
            },
            |_, _| vec![vec![bit("why", Role::Muted)]],
        );
        assert_eq!(ui.built, 10);
        assert_eq!((state.top, state.height), (499_991, 10));
    }

    #[test]
    fn a_refresh_leaves_the_cursor_on_its_thing_and_on_its_line() {
        let mut state = ListState {
            len: 100,
            height: 10,
            top: 20,
            cursor: 25,
            id: Some(LocalId(7)),
            ..ListState::default()
        };
        state.settle(120, |id| (id == LocalId(7)).then_some(40), |_| None);
        assert_eq!(
            (state.cursor, state.top, state.id),
            (40, 35, Some(LocalId(7)))
        );
        // It left: the cursor stays where it is, on what stands there now.
        state.settle(30, |_| None, |i| Some(LocalId(i as u32)));
        assert_eq!((state.cursor, state.id), (29, Some(LocalId(29))));
        state.scroll(-100);
        assert_eq!(state.top, 0);
    }
}
