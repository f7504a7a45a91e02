//! Where the cursor can stand on a page: each block is rows of figures, whatever it looks like.

use crate::insight::page::{Block, Figure, Page, TableRow};

/// A place on a page: block, row and place in the row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// The block's number.
    pub block: usize,
    /// The row in it: of a table a row, of a chart a line.
    pub row: usize,
    /// The place in the row: of a table a column, of a line a point.
    pub col: usize,
}

/// What stands over a block.
pub fn title(block: &Block) -> &str {
    match block {
        Block::Figures { title, .. }
        | Block::Table { title, .. }
        | Block::Bars { title, .. }
        | Block::Lines { title, .. }
        | Block::Waterfall { title, .. }
        | Block::Heat { title, .. } => title,
        Block::Text { .. } => "",
    }
}

/// How many rows a block has.
pub fn rows(block: &Block) -> usize {
    match block {
        Block::Figures { figures, .. } => usize::from(!figures.is_empty()),
        Block::Table { rows, .. } | Block::Heat { rows, .. } => rows.len(),
        Block::Bars { bars, .. } => bars.len(),
        Block::Lines { lines, .. } => lines.len(),
        Block::Waterfall { steps, .. } => steps.len(),
        Block::Text { .. } => 0,
    }
}

/// How many places a row has.
pub fn cols(block: &Block, row: usize) -> usize {
    match block {
        Block::Figures { figures, .. } if row == 0 => figures.len(),
        Block::Table { rows, .. } | Block::Heat { rows, .. } => {
            rows.get(row).map_or(0, |r| r.cells.len())
        }
        Block::Bars { bars, .. } => usize::from(row < bars.len()),
        Block::Waterfall { steps, .. } => usize::from(row < steps.len()),
        Block::Lines { lines, .. } => lines.get(row).map_or(0, |l| l.points.len()),
        Block::Figures { .. } | Block::Text { .. } => 0,
    }
}

/// The figure at a place.
pub fn figure(page: &Page, spot: Spot) -> Option<&Figure> {
    match page.blocks.get(spot.block)? {
        Block::Figures { figures, .. } if spot.row == 0 => figures.get(spot.col),
        Block::Table { rows, .. } | Block::Heat { rows, .. } => {
            rows.get(spot.row)?.cells.get(spot.col)
        }
        Block::Bars { bars: list, .. } | Block::Waterfall { steps: list, .. } if spot.col == 0 => {
            list.get(spot.row)
        }
        Block::Lines { lines, .. } => Some(&lines.get(spot.row)?.points.get(spot.col)?.1),
        _ => None,
    }
}

/// The table row at a place.
pub fn table_row(page: &Page, spot: Spot) -> Option<&TableRow> {
    match page.blocks.get(spot.block)? {
        Block::Table { rows, .. } | Block::Heat { rows, .. } => rows.get(spot.row),
        _ => None,
    }
}

/// What a figure is called where it stands: `enterprise · GRR`, `Nov 2026`.
pub fn label(page: &Page, spot: Spot) -> String {
    let join = |a: &str, b: &str| match (a.is_empty(), b.is_empty()) {
        (false, false) => format!("{a} · {b}"),
        _ => format!("{a}{b}"),
    };
    let Some(figure) = figure(page, spot) else {
        return String::new();
    };
    match page.blocks.get(spot.block) {
        Some(Block::Table { rows, columns, .. } | Block::Heat { rows, columns, .. }) => join(
            rows.get(spot.row).map_or("", |r| &r.label),
            columns.get(spot.col).map_or(&figure.label, |c| c),
        ),
        Some(Block::Lines { lines, .. }) => {
            let line = lines.get(spot.row);
            let day = line.and_then(|l| l.points.get(spot.col)).map(|p| p.0);
            join(
                line.map_or("", |l| &l.label),
                &day.map_or_else(String::new, |d| d.to_string()),
            )
        }
        _ if figure.label.is_empty() => crate::insight::definition(figure.name)
            .map_or_else(|| figure.name.to_owned(), |d| d.title.to_owned()),
        _ => figure.label.clone(),
    }
}

/// Whether something can be said of the figure at a place.
pub fn explained(page: &Page, spot: Spot) -> bool {
    figure(page, spot).is_some_and(|f| f.why.is_some() || !f.name.is_empty())
}

/// The nearest place in reading order, from `spot` on (it excluded), that holds an explained figure.
pub fn step(page: &Page, spot: Spot, forward: bool) -> Option<Spot> {
    let mut at = spot;
    loop {
        at = if forward {
            after(page, at)?
        } else {
            before(page, at)?
        };
        if explained(page, at) {
            return Some(at);
        }
    }
}

fn after(page: &Page, mut s: Spot) -> Option<Spot> {
    s.col += 1;
    while let Some(block) = page.blocks.get(s.block) {
        while s.row < rows(block) {
            if s.col < cols(block, s.row) {
                return Some(s);
            }
            (s.row, s.col) = (s.row + 1, 0);
        }
        (s.block, s.row, s.col) = (s.block + 1, 0, 0);
    }
    None
}

fn before(page: &Page, mut s: Spot) -> Option<Spot> {
    s.block = s.block.min(page.blocks.len());
    loop {
        if s.col > 0 && page.blocks.get(s.block).is_some() {
            s.col -= 1;
            return Some(s);
        }
        if s.row > 0 {
            s.row -= 1;
        } else {
            s.block = s.block.checked_sub(1)?;
            match rows(page.blocks.get(s.block)?).checked_sub(1) {
                Some(last) => s.row = last,
                None => continue,
            }
        }
        s.col = cols(page.blocks.get(s.block)?, s.row);
    }
}

/// The first place that holds an explained figure.
pub fn first(page: &Page) -> Option<Spot> {
    let start = Spot::default();
    if explained(page, start) {
        return Some(start);
    }
    step(page, start, true)
}

/// The first place whose figure has this definition.
pub fn named(page: &Page, name: &str) -> Option<Spot> {
    let mut at = first(page)?;
    loop {
        if figure(page, at).is_some_and(|f| f.name == name) {
            return Some(at);
        }
        at = step(page, at, true)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::page::{Value, Why};

    fn page() -> Page {
        let f = |n: i64| Figure::new("arr", format!("{n}"), Value::Count(n), Why::default());
        let row = |label: &str, cells| TableRow {
            label: label.into(),
            account: None,
            cells,
        };
        Page {
            blocks: vec![
                Block::Text { text: "t".into() },
                Block::Figures {
                    title: String::new(),
                    figures: vec![f(1), f(2)],
                },
                Block::Table {
                    title: String::new(),
                    columns: vec!["a".into(), "b".into()],
                    rows: vec![
                        row("x", vec![f(3), Figure::text("words")]),
                        row("empty", Vec::new()),
                        row("y", vec![Figure::text("words"), f(4)]),
                    ],
                    empty: String::new(),
                },
                Block::Text { text: "t".into() },
                Block::Bars {
                    title: String::new(),
                    bars: vec![f(5)],
                },
            ],
            ..Page::default()
        }
    }

    #[test]
    fn steps_visit_every_explained_figure_once_and_back() {
        let page = page();
        let mut spots = vec![first(&page).expect("a figure")];
        while let Some(next) = step(&page, spots[spots.len() - 1], true) {
            spots.push(next);
        }
        let values: Vec<&str> = spots
            .iter()
            .filter_map(|s| figure(&page, *s))
            .map(|f| f.label.as_str())
            .collect();
        assert_eq!(values, ["1", "2", "3", "4", "5"]);
        let mut back = vec![spots[spots.len() - 1]];
        while let Some(before) = step(&page, back[back.len() - 1], false) {
            back.push(before);
        }
        back.reverse();
        assert_eq!(back, spots);
        assert_eq!(label(&page, spots[3]), "y · b");
        assert_eq!(first(&Page::default()), None);
    }
}
