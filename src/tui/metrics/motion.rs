//! Moving over a page. It goes by what the last frame showed, so that down is what lies below.

use super::{Cursor, Metrics};
use crate::command::Motion;
use crate::insight::page::Block;
use crate::tui::figures::{Spot, grid};
use crate::tui::panes::metrics::layout::{Place, line_of};

impl Metrics {
    /// Moves the cursor, or what is in sight.
    pub(super) fn motion(&mut self, motion: Motion) {
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
    pub(super) fn next_block(&mut self, forward: bool) {
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
