//! The state of the metrics screen: which page, what was flipped on it, where the cursor stands, what is in sight. `motion` moves the cursor,
//! `act` is what the app does with it.

mod act;
mod motion;

use super::figures::{Spot, grid};
use super::panes::metrics::layout::{Place, Size};
use crate::book::LocalId;
use crate::cockpit::{PageSpec, PageView};
use crate::insight::page::{Choices, Figure, PAGES, Page};
use std::collections::HashMap;
use std::sync::Arc;

/// Where the cursor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// On a switch of the page.
    Switch(usize),
    /// On a figure.
    At(Spot),
}

impl Default for Cursor {
    fn default() -> Self {
        Cursor::At(Spot::default())
    }
}

/// The state of the screen.
pub struct Metrics {
    /// The pages in the order of their tabs: name and title.
    pub pages: Vec<(&'static str, &'static str)>,
    /// The page's number in the list of pages.
    pub page: usize,
    /// What was flipped on each page.
    choices: HashMap<&'static str, Choices>,
    /// The page that is drawn, and what was asked for it.
    pub view: Option<Arc<PageView>>,
    shown: PageSpec,
    /// Where the cursor stands.
    pub cursor: Cursor,
    /// The first line in sight.
    pub top: usize,
    /// The cursor moved: the next frame brings it into sight.
    pub follow: bool,
    /// Cursor and first line of the pages left.
    left: HashMap<&'static str, (Cursor, usize)>,
    /// The blocks' sizes, measured once for each page made.
    pub sizes: Vec<Size>,
    /// Where the last frame had the blocks.
    pub places: Vec<Place>,
    /// Lines in sight in the last frame, and lines in all.
    pub height: usize,
    /// Lines in all.
    pub total: usize,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            pages: PAGES
                .iter()
                .map(|(name, title, _)| (*name, *title))
                .collect(),
            page: 0,
            choices: HashMap::new(),
            view: None,
            shown: PageSpec::default(),
            cursor: Cursor::default(),
            top: 0,
            follow: false,
            left: HashMap::new(),
            sizes: Vec::new(),
            places: Vec::new(),
            height: 0,
            total: 0,
        }
    }
}

impl Metrics {
    /// The question that the page is the answer to.
    pub fn spec(&self, mine: bool) -> PageSpec {
        let name = self.name();
        PageSpec {
            name: name.to_owned(),
            mine,
            choices: self.choices.get(name).cloned().unwrap_or_default(),
        }
    }
    /// The page's name.
    pub fn name(&self) -> &'static str {
        self.pages.get(self.page).map_or("", |p| p.0)
    }
    /// The page, when it is made.
    pub fn page(&self) -> Option<&Page> {
        self.view.as_deref().map(|v| &v.page)
    }
    /// The figure under the cursor.
    pub fn figure(&self) -> Option<&Figure> {
        match self.cursor {
            Cursor::At(spot) => grid::figure(self.page()?, spot),
            Cursor::Switch(_) => None,
        }
    }
    /// The account of the row under the cursor.
    pub fn account(&self) -> Option<LocalId> {
        match self.cursor {
            Cursor::At(spot) => grid::table_row(self.page()?, spot)?.account,
            Cursor::Switch(_) => None,
        }
    }
    /// The page that is drawn is the one that was asked for.
    pub fn is_current(&self, wanted: &PageSpec) -> bool {
        self.view.is_some() && self.shown == *wanted
    }

    /// Another page, or a newer one: the cursor stays on the row that it was on.
    fn show(&mut self, spec: PageSpec, view: Arc<PageView>, sizes: Vec<Size>) {
        let key = |page: &Page, spot: Spot| {
            let row = grid::table_row(page, spot)?;
            Some((row.account, row.label.clone()))
        };
        if let (Cursor::At(spot), Some(old)) = (self.cursor, &self.view)
            && self.shown.name == spec.name
            && let Some(wanted) = key(&old.page, spot)
            && key(&view.page, spot) != Some(wanted.clone())
        {
            let rows = view.page.blocks.get(spot.block).map_or(0, grid::rows);
            let found = (0..rows)
                .find(|row| key(&view.page, Spot { row: *row, ..spot }) == Some(wanted.clone()));
            if let Some(row) = found {
                self.cursor = Cursor::At(Spot { row, ..spot });
                self.follow = true;
            }
        }
        self.shown = spec;
        self.view = Some(view);
        self.sizes = sizes;
        self.settle();
    }

    /// Puts the cursor on something that is there.
    fn settle(&mut self) {
        let Some(view) = &self.view else { return };
        let page = &view.page;
        self.cursor = match self.cursor {
            Cursor::Switch(i) if i < page.switches.len() => Cursor::Switch(i),
            Cursor::Switch(_) => Cursor::At(Spot::default()),
            at => at,
        };
        if let Cursor::At(spot) = self.cursor {
            let rows = page.blocks.get(spot.block).map_or(0, grid::rows);
            self.cursor = if rows == 0 {
                let first = (0..page.blocks.len()).find(|b| grid::rows(&page.blocks[*b]) > 0);
                Cursor::At(Spot {
                    block: first.unwrap_or(0),
                    row: 0,
                    col: 0,
                })
            } else {
                let row = spot.row.min(rows - 1);
                let cols = grid::cols(&page.blocks[spot.block], row);
                let col = spot.col.min(cols.saturating_sub(1));
                Cursor::At(Spot { row, col, ..spot })
            };
        }
    }
}
