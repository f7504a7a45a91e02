//! What lies over the rest of the screen. Each kind has its own file: state, keys and drawing together.

pub mod confirm;
pub mod filter;
pub mod form;
pub mod help;
pub mod item;
pub mod palette;
pub mod rebalance;
pub mod scroll;
pub mod whatif;
pub mod why;

use super::app::App;
use super::ui::Ui;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Rect;

/// What lies over the rest.
pub enum Overlay {
    /// The filter line.
    Filter(filter::Filter),
    /// The command palette.
    Palette(palette::Palette),
    /// Asks for the arguments of a command.
    Form(Box<form::Form>),
    /// Asks before what cannot be undone.
    Confirm(confirm::Confirm),
    /// The keys that count here.
    Help(help::Help),
    /// Why a row is where it is.
    Why(why::Why),
    /// What would be.
    WhatIf(whatif::WhatIf),
    /// One outbox item; a conflict's two sides.
    Item(item::ItemBox),
    /// Which accounts would best change hands.
    Rebalance(rebalance::Rebalance),
}

/// What becomes of an overlay after a key.
pub enum Then {
    /// It stays.
    Stay(Overlay),
    /// It closes.
    Close,
    /// It closes and this command line runs.
    Run(String),
}

impl Overlay {
    /// A key. The overlay is taken off the app meanwhile.
    pub fn key(self, app: &mut App, key: &KeyEvent) -> Then {
        match self {
            Overlay::Filter(o) => o.key(app, key),
            Overlay::Palette(o) => o.key(app, key),
            Overlay::Form(o) => o.key(app, key),
            Overlay::Confirm(o) => o.key(app, key),
            Overlay::Help(o) => o.key(key),
            Overlay::Why(o) => o.key(app, key),
            Overlay::WhatIf(o) => o.key(app, key),
            Overlay::Item(o) => o.key(app, key),
            Overlay::Rebalance(o) => o.key(app, key),
        }
    }

    /// A paste.
    pub fn paste(&mut self, app: &App, text: &str) {
        match self {
            Overlay::Filter(o) => o.paste(app, text),
            Overlay::Palette(o) => o.paste(app, text),
            Overlay::Form(o) => o.paste(app, text),
            _ => {}
        }
    }

    /// A click on choice `n`.
    pub fn choose(self, app: &mut App, n: usize) -> Then {
        match self {
            Overlay::Filter(o) => o.choose(app, n),
            Overlay::Palette(o) => o.choose(app, n),
            Overlay::Form(o) => o.choose(app, n),
            Overlay::Confirm(o) => o.choose(app, n),
            Overlay::Rebalance(o) => o.choose(app, n),
            Overlay::Why(o) => o.choose(app, n),
            other => Then::Stay(other),
        }
    }

    /// A turn of the wheel.
    pub fn scroll(&mut self, by: isize) {
        match self {
            Overlay::Help(o) => o.scroll(by),
            Overlay::Why(o) => o.scroll(by),
            Overlay::WhatIf(o) => o.scroll(by),
            Overlay::Palette(o) => o.step(by.signum()),
            Overlay::Rebalance(o) => o.step(by),
            _ => {}
        }
    }

    /// Draws it over `area`, the whole screen.
    pub fn draw(&self, app: &App, ui: &mut Ui<'_>, area: Rect) {
        match self {
            Overlay::Filter(o) => o.draw(app, ui, area),
            Overlay::Palette(o) => o.draw(app, ui, area),
            Overlay::Form(o) => o.draw(app, ui, area),
            Overlay::Confirm(o) => o.draw(ui, area),
            Overlay::Help(o) => o.draw(ui, area),
            Overlay::Why(o) => o.draw(app, ui, area),
            Overlay::WhatIf(o) => o.draw(app, ui, area),
            Overlay::Rebalance(o) => o.draw(app, ui, area),
            Overlay::Item(o) => o.draw(app, ui, area),
        }
    }
}

/// A box in the middle of an area (a little above it), as large as wanted and as there is room.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let w = width.min(area.width);
    let h = height.min(area.height);
    Rect::new(
        area.x + (area.width - w) / 2,
        area.y + (area.height - h) / 3,
        w,
        h,
    )
}
