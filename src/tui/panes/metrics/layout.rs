//! Where the blocks of a page lie: two columns where there is room, one where not, wide blocks across. All in lines of the page, of which
//! the screen shows a part.

use crate::insight::page::{Block, Figure, Page, TableRow};
use crate::tui::figures::{Spot, Words, grid, words};
use crate::tui::text::{width, wrap};

/// Where a block lies: cells from the left edge, lines from the top of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The first cell.
    pub x: u16,
    /// Its width.
    pub w: u16,
    /// The first line.
    pub y: usize,
    /// Its lines.
    pub h: usize,
    /// How many figures stand on a line, where they stand side by side.
    pub per_line: usize,
}

/// What a block's contents need, measured once when the page is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// The widest row label, up to [`LABEL`].
    pub label: u16,
    /// The widest row label of a table, in full.
    pub longest: u16,
    /// The widest value of each column, its sign not counted; of figures side by side, the widest of all.
    pub cols: Vec<Column>,
}

/// What a column of a table needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The widest value or head.
    pub width: u16,
    /// Cells for the signs behind the values.
    pub sign: u16,
    /// Words stand on the left, numbers on the right.
    pub left: bool,
    /// Some value has a target, so that a bar can show how it lies to it.
    pub bar: bool,
}

/// Rows that are measured; a longer one further down is cut.
const MEASURED: usize = 300;
/// Words in a cell are given no more.
const WORDS: u16 = 70;
/// Columns of words give way down to this.
pub const FEW: u16 = 16;
/// Labels of rows are given no more.
pub const LABEL: u16 = 30;
/// The bar of a column with a target.
pub const BAR: u16 = 9;
/// The mark of the cursor and a blank, in front of rows.
pub const LEAD: u16 = 2;
/// Between two columns of the page.
const GUTTER: u16 = 4;
/// From here on the page has two columns.
const WIDE: u16 = 116;

/// Measures the blocks of a page.
pub fn measure(page: &Page, words: &Words<'_>) -> Vec<Size> {
    page.blocks.iter().map(|b| size(b, words)).collect()
}

fn size(block: &Block, words: &Words<'_>) -> Size {
    match block {
        Block::Figures { figures, .. } => {
            let card = figures.iter().map(|f| card(f, words)).max().unwrap_or(0);
            Size {
                cols: vec![Column {
                    width: card,
                    bar: figures.iter().any(|f| f.target.is_some()),
                    ..Column::default()
                }],
                ..Size::default()
            }
        }
        Block::Table { columns, rows, .. } | Block::Heat { columns, rows, .. } => {
            table(columns, rows, words)
        }
        Block::Bars { bars: list, .. } | Block::Waterfall { steps: list, .. } => Size {
            label: widest(list.iter().map(|f| f.label.as_str())),
            cols: vec![Column {
                width: widest(list.iter().map(|f| words.short(&f.value))),
                sign: widest(list.iter().map(words::sign)),
                ..Column::default()
            }],
            ..Size::default()
        },
        Block::Lines { .. } | Block::Text { .. } => Size::default(),
    }
}

fn widest<T: AsRef<str>>(texts: impl Iterator<Item = T>) -> u16 {
    let most = texts.map(|t| width(t.as_ref())).max().unwrap_or(0);
    most.min(usize::from(WORDS)) as u16
}

/// The cells of a figure that stands beside others.
fn card(f: &Figure, words: &Words<'_>) -> u16 {
    let value = width(&words.short(&f.value)) + 1 + width(words::sign(f));
    let target = f.target.as_ref().map_or(0, |t| width(&words.target(t)));
    value.max(width(&f.label)).max(target).min(32) as u16
}

fn table(columns: &[String], rows: &[TableRow], words: &Words<'_>) -> Size {
    let longest = widest(rows.iter().take(MEASURED).map(|r| r.label.as_str()));
    let mut out = Size {
        label: longest.min(LABEL),
        longest,
        cols: columns
            .iter()
            .map(|head| Column {
                width: (width(head) as u16).min(18),
                left: true,
                ..Column::default()
            })
            .collect(),
    };
    for row in rows.iter().take(MEASURED) {
        for (column, f) in out.cols.iter_mut().zip(&row.cells) {
            use crate::insight::page::Value;
            let text = words.short(&f.value);
            column.width = column.width.max((width(&text) as u16).min(WORDS));
            let sign = width(words::sign(f)) as u16;
            column.sign = column.sign.max(if sign > 0 { sign + 1 } else { 0 });
            column.bar |= f.target.is_some() && f.value.number().is_some();
            column.left &= matches!(f.value, Value::Text(_) | Value::Empty);
        }
    }
    out
}

/// The least width with which a block says everything.
fn needs(block: &Block, size: &Size) -> u16 {
    let cols = |gap: u16| -> u16 {
        size.cols
            .iter()
            .map(|c| {
                let least = if c.left {
                    c.width.min(FEW + 8)
                } else {
                    c.width
                };
                least + c.sign + gap
            })
            .fold(0, u16::saturating_add)
    };
    match block {
        Block::Figures { figures, .. } => {
            let one = size.cols.first().map_or(0, |c| c.width) + 4;
            one.saturating_mul((figures.len() as u16).min(6))
        }
        Block::Table { rows, .. } if rows.len() > 14 && size.cols.len() > 3 => u16::MAX,
        Block::Table { .. } | Block::Heat { .. } => {
            cols(2).saturating_add(LEAD).saturating_add(size.label)
        }
        Block::Bars { .. } => 40,
        Block::Waterfall { .. } => 48,
        Block::Lines { .. } => 50,
        Block::Text { .. } => 0,
    }
}

/// Lays the blocks out from line `y` on, in a page of some width of which `sight` lines are seen. The last line follows.
pub fn place(
    page: &Page,
    sizes: &[Size],
    y: usize,
    total: u16,
    sight: usize,
) -> (Vec<Place>, usize) {
    let half = (total.saturating_sub(GUTTER)) / 2;
    let unmeasured = Size::default();
    let size = |i: usize| sizes.get(i).unwrap_or(&unmeasured);
    let mut across: Vec<bool> = page
        .blocks
        .iter()
        .enumerate()
        .map(|(i, b)| total < WIDE || needs(b, size(i)) > half)
        .collect();
    // A paragraph belongs to what stands before it; a block that would stand alone beside nothing takes the whole width.
    for i in 0..across.len() {
        if matches!(page.blocks[i], Block::Text { .. }) {
            across[i] = i == 0 || across[i - 1];
        }
    }
    for i in 0..across.len() {
        let text = |i: usize| matches!(page.blocks.get(i), Some(Block::Text { .. }));
        let alone = !across[i] && !text(i) && (i == 0 || across[i - 1]) && {
            let mut next = i + 1;
            while text(next) {
                next += 1;
            }
            across.get(next).copied().unwrap_or(true)
        };
        if alone {
            across[i] = true;
            let mut next = i + 1;
            while text(next) {
                across[next] = true;
                next += 1;
            }
        }
    }
    let mut ends = [y, y];
    let mut column = 0;
    let mut places = Vec::with_capacity(page.blocks.len());
    for (i, block) in page.blocks.iter().enumerate() {
        let text = matches!(block, Block::Text { .. });
        let w = if across[i] { total } else { half };
        let (h, per_line) = height(block, size(i), w, sight);
        if across[i] {
            let y = ends[0].max(ends[1]);
            places.push(Place {
                x: 0,
                w,
                y,
                h,
                per_line,
            });
            ends = [y + h + 1; 2];
            column = 0;
        } else {
            if !text {
                column = usize::from(ends[1] < ends[0]);
            }
            let x = if column == 0 { 0 } else { total - half };
            let y = ends[column];
            places.push(Place {
                x,
                w,
                y,
                h,
                per_line,
            });
            ends[column] = y + h + 1;
        }
    }
    (places, ends[0].max(ends[1]).saturating_sub(1))
}

/// The lines of a block, and how many figures stand on one.
fn height(block: &Block, size: &Size, w: u16, sight: usize) -> (usize, usize) {
    let said = |text: &str| 1 + wrap(text, usize::from(w.saturating_sub(LEAD))).len().max(1);
    match block {
        Block::Figures { figures, .. } => {
            let (_, per_line) = cards(size, figures.len(), w);
            let lines = figures.len().div_ceil(per_line).max(1);
            let each = 2 + usize::from(size.cols.first().is_some_and(|c| c.bar));
            (1 + lines * each + (lines - 1), per_line)
        }
        Block::Table { rows, empty, .. } | Block::Heat { rows, empty, .. } if rows.is_empty() => {
            (said(empty), 0)
        }
        Block::Table { rows, .. } | Block::Heat { rows, .. } => (2 + rows.len(), 0),
        Block::Bars { bars, .. } => (1 + bars.len().max(1), 0),
        Block::Waterfall { steps, .. } => (1 + steps.len().max(1) + 1, 0),
        Block::Lines { lines, .. } if lines.iter().all(|l| l.points.is_empty()) => (2, 0),
        Block::Lines { .. } => (2 + (sight / 2).clamp(7, 14), 0),
        Block::Text { text } => (wrap(text, usize::from(w.min(110))).len(), 0),
    }
}

/// The width of one of some figures side by side, and how many stand on a line.
pub fn cards(size: &Size, count: usize, w: u16) -> (u16, usize) {
    let least = size.cols.first().map_or(8, |c| c.width) + 4;
    let per_line = usize::from((w / least.max(1)).max(1)).min(count.max(1));
    // As many lines as are needed, filled evenly.
    let lines = count.div_ceil(per_line).max(1);
    let per_line = count.div_ceil(lines).max(1);
    ((w / per_line as u16).min(least + 10), per_line)
}

/// The first and last line of a place within its block.
pub fn line_of(block: &Block, place: &Place, spot: Spot) -> (usize, usize) {
    match block {
        Block::Figures { figures, .. } => {
            let per_line = place.per_line.max(1);
            let lines = figures.len().div_ceil(per_line).max(1);
            let each = place.h / lines;
            let first = 1 + spot.col / per_line * each;
            (first, (first + each).saturating_sub(2).max(first))
        }
        Block::Table { .. } | Block::Heat { .. } => (2 + spot.row, 2 + spot.row),
        Block::Bars { .. } | Block::Waterfall { .. } => (1 + spot.row, 1 + spot.row),
        Block::Lines { .. } | Block::Text { .. } => (0, place.h.saturating_sub(1)),
    }
}

/// The line that has to be first so that a place is in sight, title included where it is the first row.
pub fn sight(page: &Page, places: &[Place], spot: Spot, top: usize, height: usize) -> usize {
    let (Some(block), Some(place)) = (page.blocks.get(spot.block), places.get(spot.block)) else {
        return top;
    };
    let (first, last) = line_of(block, place, spot);
    let heads = match block {
        Block::Figures { .. } => usize::from(spot.col < place.per_line.max(1)),
        _ => usize::from(spot.row == 0) * 2,
    };
    let first = place.y + first.saturating_sub(heads);
    // Above the first block stands what the page says.
    let nothing_above = !places
        .iter()
        .zip(&page.blocks)
        .any(|(p, b)| p.y < place.y && grid::rows(b) > 0);
    let first = if nothing_above && spot.row == 0 && heads > 0 {
        0
    } else {
        first
    };
    let last = place.y + last;
    if last >= top.saturating_add(height) {
        (last + 1)
            .saturating_sub(height)
            .min(place.y + line_of(block, place, spot).0)
    } else if first < top {
        first
    } else {
        top
    }
}
