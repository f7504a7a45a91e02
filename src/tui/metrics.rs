//! The state of the metrics screen: which page, what was flipped on it, where the cursor stands, what is in sight. Moving goes by what the
//! last frame showed, so that down is what lies below.

use super::app::App;
use super::figures::{Spot, Words, grid};
use super::panes::metrics::layout::{Place, Size, line_of};
use crate::book::LocalId;
use crate::cockpit::{Level, PageSlot, PageSpec, PageView};
use crate::command::{Motion, Screen};
use crate::insight::page::{Block, Choices, Figure, PAGES, Page};
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

    /// Moves the cursor, or what is in sight.
    fn motion(&mut self, motion: Motion) {
        let half = (self.height / 2).max(1) as isize;
        match motion {
            Motion::Down => self.vertical(true),
            Motion::Up => self.vertical(false),
            Motion::Right => self.sideways(true),
            Motion::Left => self.sideways(false),
            Motion::HalfPageDown => self.jump(half),
            Motion::HalfPageUp => self.jump(-half),
            Motion::PageDown => self.jump(2 * half - 1),
            Motion::PageUp => self.jump(1 - 2 * half),
            Motion::Top => {
                self.cursor = Cursor::default();
                self.settle();
                self.top = 0;
            }
            Motion::Bottom => {
                if let Some(block) = self.blocks(|_, _| true).max_by_key(|b| self.places[*b].y) {
                    self.enter(block, usize::MAX, 0);
                }
                // What stands under the last figure is seen too; the next frame keeps it within the page.
                self.top = usize::MAX;
                self.follow = false;
            }
        }
    }

    /// The blocks that the cursor can stand in and that fit.
    fn blocks<'m>(
        &'m self,
        fits: impl Fn(usize, &Place) -> bool + 'm,
    ) -> impl Iterator<Item = usize> + 'm {
        let blocks = self.page().map_or(&[][..], |p| &p.blocks);
        (0..blocks.len().min(self.places.len()))
            .filter(move |b| grid::rows(&blocks[*b]) > 0 && fits(*b, &self.places[*b]))
    }

    /// Puts the cursor into a block, at a row and place or the nearest that there are.
    fn enter(&mut self, block: usize, row: usize, col: usize) {
        self.cursor = Cursor::At(Spot { block, row, col });
        self.follow = true;
        self.settle();
    }

    fn vertical(&mut self, down: bool) {
        let Some(page) = self.view.clone() else {
            return;
        };
        let spot = match self.cursor {
            Cursor::Switch(_) if down => {
                if let Some(block) = self.blocks(|_, _| true).min_by_key(|b| self.places[*b].y) {
                    self.enter(block, 0, 0);
                }
                return;
            }
            Cursor::Switch(_) => {
                self.top = 0;
                return;
            }
            Cursor::At(spot) => spot,
        };
        let (Some(block), Some(here)) = (
            page.page.blocks.get(spot.block),
            self.places.get(spot.block).copied(),
        ) else {
            return;
        };
        let inside = match block {
            Block::Figures { figures, .. } => {
                let per_line = here.per_line.max(1);
                let to = if down {
                    Some(spot.col + per_line).filter(|c| *c < figures.len())
                } else {
                    spot.col.checked_sub(per_line)
                };
                to.map(|col| Spot { col, ..spot })
            }
            _ => {
                let to = if down {
                    Some(spot.row + 1).filter(|r| *r < grid::rows(block))
                } else {
                    spot.row.checked_sub(1)
                };
                to.map(|row| Spot { row, ..spot })
            }
        };
        if let Some(to) = inside {
            self.enter(to.block, to.row, to.col);
            return;
        }
        let overlaps = |p: &Place| p.x < here.x + here.w && here.x < p.x + p.w;
        let next = if down {
            self.blocks(|_, p| p.y >= here.y + here.h && overlaps(p))
                .min_by_key(|b| self.places[*b].y)
        } else {
            self.blocks(|_, p| p.y + p.h <= here.y && overlaps(p))
                .max_by_key(|b| self.places[*b].y)
        };
        match next {
            Some(b) if down => self.enter(b, 0, 0),
            Some(b) => self.enter(b, usize::MAX, 0),
            // What lies beyond the last figure can be read too.
            None if down => self.top = self.top.saturating_add(1),
            None if !page.page.switches.is_empty() => {
                self.cursor = Cursor::Switch(0);
                self.top = 0;
            }
            None => self.top = 0,
        }
    }

    fn sideways(&mut self, right: bool) {
        let Some(page) = self.view.clone() else {
            return;
        };
        let spot = match self.cursor {
            Cursor::Switch(i) => {
                let to = if right { i + 1 } else { i.saturating_sub(1) };
                self.cursor = Cursor::Switch(to.min(page.page.switches.len().saturating_sub(1)));
                return;
            }
            Cursor::At(spot) => spot,
        };
        let (Some(block), Some(here)) = (
            page.page.blocks.get(spot.block),
            self.places.get(spot.block).copied(),
        ) else {
            return;
        };
        let to = if right {
            Some(spot.col + 1).filter(|c| *c < grid::cols(block, spot.row))
        } else {
            spot.col.checked_sub(1)
        };
        if let Some(col) = to {
            self.enter(spot.block, spot.row, col);
            return;
        }
        // The block beside it, on the line nearest to the cursor's.
        let line = here.y + line_of(block, &here, spot).0;
        let beside = |p: &Place| {
            if right {
                p.x >= here.x + here.w
            } else {
                p.x + p.w <= here.x
            }
        };
        let next = self.blocks(|_, p| beside(p)).min_by_key(|b| {
            let p = &self.places[*b];
            if line < p.y {
                p.y - line
            } else {
                line.saturating_sub(p.y + p.h)
            }
        });
        if let Some(b) = next {
            self.enter(b, 0, if right { 0 } else { usize::MAX });
        }
    }

    /// By so many lines: within a long table the cursor goes along.
    fn jump(&mut self, by: isize) {
        if let (Cursor::At(spot), Some(page)) = (self.cursor, self.page())
            && let Some(block @ (Block::Table { .. } | Block::Heat { .. } | Block::Bars { .. })) =
                page.blocks.get(spot.block)
        {
            let to = spot.row.saturating_add_signed(by);
            let last = grid::rows(block).saturating_sub(1);
            if to.min(last) != spot.row {
                self.enter(spot.block, to.min(last), spot.col);
                return;
            }
        }
        self.scroll(by);
    }

    /// Moves what is in sight.
    pub fn scroll(&mut self, by: isize) {
        let last = self.total.saturating_sub(self.height);
        self.top = self.top.saturating_add_signed(by).min(last);
    }

    /// The next or previous block.
    fn next_block(&mut self, forward: bool) {
        let order: Vec<usize> = {
            let mut blocks: Vec<usize> = self.blocks(|_, _| true).collect();
            blocks.sort_by_key(|b| (self.places[*b].x, self.places[*b].y));
            blocks
        };
        let here = match self.cursor {
            Cursor::At(spot) => order.iter().position(|b| *b == spot.block),
            Cursor::Switch(_) => None,
        };
        let switches = self.page().is_some_and(|p| !p.switches.is_empty());
        let to = match (here, forward) {
            (None, true) => Some(0),
            (None, false) => order.len().checked_sub(1),
            (Some(i), true) => Some(i + 1).filter(|i| *i < order.len()),
            (Some(i), false) => i.checked_sub(1),
        };
        match to.and_then(|i| order.get(i)) {
            Some(block) => self.enter(*block, 0, 0),
            None if switches => {
                self.cursor = Cursor::Switch(0);
                self.top = 0;
            }
            None if forward => {
                if let Some(block) = order.first() {
                    self.enter(*block, 0, 0);
                }
            }
            None => {
                if let Some(block) = order.last() {
                    self.enter(*block, 0, 0);
                }
            }
        }
    }
}

impl App {
    /// The question that the metrics screen's page is the answer to.
    pub fn page_spec(&self) -> PageSpec {
        self.metrics.spec(self.mine)
    }

    /// How values are written.
    pub fn words(&self) -> Words<'_> {
        Words {
            book: &self.shown().book,
            today: self.shown().today,
        }
    }

    /// Asks for the page of the metrics screen, when it is shown.
    pub fn ask_page(&mut self) {
        if self.screen != Screen::Metrics {
            self.cockpit.forget_page(PageSlot::Screen);
            return;
        }
        self.cockpit
            .request_page(PageSlot::Screen, self.page_spec());
        self.take_page();
    }

    /// Takes the newest page, when it is there.
    pub(super) fn take_page(&mut self) {
        if self.screen != Screen::Metrics {
            return;
        }
        let spec = self.page_spec();
        let Some(view) = self.cockpit.page(&spec) else {
            // Of the same page the last picture stays until the next is made.
            if self.metrics.shown.name != spec.name {
                self.metrics.view = None;
            }
            return;
        };
        let same = self
            .metrics
            .view
            .as_ref()
            .is_some_and(|v| Arc::ptr_eq(v, &view));
        if same && self.metrics.shown == spec {
            return;
        }
        let sizes = super::panes::metrics::layout::measure(&view.page, &self.words());
        self.metrics.show(spec, view, sizes);
        self.dirty = true;
    }

    /// Goes to a page of the metrics screen.
    pub fn goto_page(&mut self, name: &str) {
        let Some(to) = self.metrics.pages.iter().position(|p| p.0 == name) else {
            return;
        };
        if self.screen != Screen::Metrics || self.account.is_some() {
            self.goto(Screen::Metrics);
        }
        let m = &mut self.metrics;
        m.left.insert(m.name(), (m.cursor, m.top));
        m.page = to;
        (m.cursor, m.top) = m.left.get(m.name()).copied().unwrap_or_default();
        m.view = None;
        self.ask_page();
        self.dirty = true;
    }

    /// The page after or before.
    pub(super) fn step_page(&mut self, forward: bool) {
        let m = &self.metrics;
        let n = m.pages.len();
        let to = (m.page + if forward { 1 } else { n - 1 }) % n;
        self.goto_page(m.pages[to].0);
    }

    /// Another value for a switch of the page; the next one without.
    pub(super) fn flip(&mut self, name: &str, value: Option<&str>) {
        let Some(page) = self.metrics.page() else {
            self.say(Level::Info, "the page is being made");
            return;
        };
        let Some(switch) = page.switches.iter().find(|s| s.name == name) else {
            let names: Vec<&str> = page.switches.iter().map(|s| s.name).collect();
            let text = if names.is_empty() {
                "nothing can be flipped on this page".to_owned()
            } else {
                format!(
                    "this page has no switch `{name}`; it has {}",
                    names.join(", ")
                )
            };
            self.say(Level::Bad, text);
            return;
        };
        let to = match value {
            Some(v) => switch.values.iter().find(|w| w.eq_ignore_ascii_case(v)),
            None => {
                let at = switch.values.iter().position(|v| *v == switch.current);
                switch.values.iter().cycle().nth(at.map_or(0, |i| i + 1))
            }
        };
        let Some(to) = to.cloned() else {
            let text = format!("{name} is one of {}", switch.values.join(", "));
            self.say(Level::Bad, text);
            return;
        };
        let (title, key) = (switch.title, self.metrics.name());
        let said = format!("{title}: {to}");
        let choices = self.metrics.choices.entry(key).or_default();
        choices.insert(name.to_owned(), to);
        self.ask_page();
        self.say(Level::Info, said);
    }

    /// Takes back what was flipped on the page; whether there was anything.
    pub(super) fn unflip(&mut self) -> bool {
        let name = self.metrics.name();
        let had = self
            .metrics
            .choices
            .remove(name)
            .is_some_and(|c| !c.is_empty());
        if had {
            self.ask_page();
            self.say(Level::Info, "the switches are as configured again");
        }
        had
    }

    pub(super) fn metrics_motion(&mut self, motion: Motion) {
        self.metrics.motion(motion);
        self.dirty = true;
    }

    pub(super) fn metrics_block(&mut self, forward: bool) {
        self.metrics.next_block(forward);
        self.dirty = true;
    }

    /// Enter on the metrics screen: the row's account, the switch flipped, else the figure explained.
    pub(super) fn metrics_open(&mut self) {
        let switch = match self.metrics.cursor {
            Cursor::Switch(i) => self.metrics.page().and_then(|p| p.switches.get(i)),
            Cursor::At(_) => None,
        };
        if let Some(name) = switch.map(|s| s.name) {
            self.flip(name, None);
        } else if let Some(account) = self.metrics.account() {
            self.open_account(account);
        } else {
            self.run_line("why");
        }
    }

    /// A click on a figure; a second one on the same opens it.
    pub(super) fn metrics_click(&mut self, spot: Spot) {
        if self.metrics.cursor == Cursor::At(spot) {
            self.metrics_open();
        } else {
            self.metrics.cursor = Cursor::At(spot);
            self.metrics.settle();
        }
        self.dirty = true;
    }
}
