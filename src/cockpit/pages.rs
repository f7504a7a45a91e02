//! Pages of figures: which one is asked for and what answers it. They are made on a thread of their own, for a walk over the whole Book
//! takes longer than a frame may.

use super::snapshot::Snapshot;
use crate::insight::page::{self, Block, Choices, Input, Page};
use std::collections::HashMap;
use std::sync::Arc;

/// Who asks: a newer question replaces an older one of the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PageSlot {
    /// The metrics screen.
    Screen,
    /// The box that explains figures, which may draw on several pages.
    Why(u8),
    /// The box that shows what would be.
    WhatIf,
}

/// Which page, and how it is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PageSpec {
    /// Its name.
    pub name: String,
    /// Only the book of `[me]`.
    pub mine: bool,
    /// What was chosen for its switches, or what it is about.
    pub choices: Choices,
}

impl PageSpec {
    /// A page as it is configured.
    pub fn of(name: &str, mine: bool) -> PageSpec {
        PageSpec {
            name: name.to_owned(),
            mine,
            choices: Choices::new(),
        }
    }
    /// The same, about something.
    pub fn with(mut self, choice: &str, value: impl Into<String>) -> PageSpec {
        self.choices.insert(choice.to_owned(), value.into());
        self
    }
    /// The same as of today, whatever day is shown.
    pub fn of_today(self) -> PageSpec {
        self.with(DAY, "")
    }
    /// Whether it shows how the sources go, which changes without any row of the Book.
    pub(super) fn reads_sources(&self) -> bool {
        self.name == SYNC
    }
}

/// A page that was made.
#[derive(Clone, Debug)]
pub struct PageView {
    /// The snapshot's generation that it was made from.
    pub generation: u64,
    /// The snapshot's epoch.
    pub epoch: u32,
    /// The page.
    pub page: Page,
}

/// The pages made so far.
pub(super) type Made = HashMap<PageSpec, Arc<PageView>>;

/// The page of the sync screen's figures, which the cockpit makes of what it knows of its sources.
pub const SYNC: &str = "sync";

/// The choice that has a page made of today, whatever day is shown.
const DAY: &str = "today";

/// Makes a page on this thread.
pub fn make(s: &Snapshot, spec: &PageSpec) -> Page {
    if s.loading.is_some() {
        return said("The book is being read; the figures follow.");
    }
    if spec.name == SYNC {
        let first = spec.choices.get("source").map(String::as_str);
        return crate::insight::screens::sync::page(&s.sources, &s.outbox, s.now, first);
    }
    // Figures are those of the day that is shown, as the lists are; the backlog and an account's page are of today on any day.
    let s = match spec.choices.get(DAY) {
        Some(_) => s,
        None => s.shown(),
    };
    let Some((_, _, make)) = page::find(&spec.name) else {
        return said(&format!("There is no page `{}`.", spec.name));
    };
    make(&input(s, spec.mine, &spec.choices))
}

/// What pages are made from.
pub fn input<'a>(s: &'a Snapshot, mine: bool, choices: &'a page::Choices) -> Input<'a> {
    Input {
        book: &s.book,
        derived: &s.derived,
        today: s.today,
        calendar: &s.calendar,
        settings: &s.settings,
        mine: s.me.person.filter(|_| mine),
        history: &s.history,
        choices,
        forecasts: &s.forecasts,
    }
}

/// The same with the picture that it was made from.
pub(super) fn answer(s: &Snapshot, spec: &PageSpec) -> PageView {
    PageView {
        generation: s.generation,
        epoch: s.epoch,
        page: make(s, spec),
    }
}

fn said(text: &str) -> Page {
    Page {
        blocks: vec![Block::Text { text: text.into() }],
        ..Page::default()
    }
}
