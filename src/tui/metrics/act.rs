//! What the app does with the metrics screen: asks for its page, goes to another one, flips switches, opens what is under the cursor.

use super::Cursor;
use crate::cockpit::{Level, PageSlot, PageSpec};
use crate::command::{Motion, Screen};
use crate::tui::app::App;
use crate::tui::figures::{Spot, Words};
use crate::tui::panes::metrics::layout;
use std::sync::Arc;

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
    pub(in crate::tui) fn take_page(&mut self) {
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
        let sizes = layout::measure(&view.page, &self.words());
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
    pub(in crate::tui) fn step_page(&mut self, forward: bool) {
        let m = &self.metrics;
        let n = m.pages.len();
        let to = (m.page + if forward { 1 } else { n - 1 }) % n;
        self.goto_page(m.pages[to].0);
    }

    /// Another value for a switch of the page; the next one without.
    pub(in crate::tui) fn flip(&mut self, name: &str, value: Option<&str>) {
        let Some(page) = self.metrics.page() else {
            self.say(Level::Info, "the page is being made");
            return;
        };
        let switch = match page.switch(name) {
            Ok(switch) => switch,
            Err(text) => return self.say(Level::Bad, text),
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
    pub(in crate::tui) fn unflip(&mut self) -> bool {
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

    pub(in crate::tui) fn metrics_motion(&mut self, motion: Motion) {
        self.metrics.motion(motion);
        self.dirty = true;
    }

    pub(in crate::tui) fn metrics_block(&mut self, forward: bool) {
        self.metrics.next_block(forward);
        self.dirty = true;
    }

    /// Enter on the metrics screen: the row's account, the switch flipped, else the figure explained.
    pub(in crate::tui) fn metrics_open(&mut self) {
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
    pub(in crate::tui) fn metrics_click(&mut self, spot: Spot) {
        if self.metrics.cursor == Cursor::At(spot) {
            self.metrics_open();
        } else {
            self.metrics.cursor = Cursor::At(spot);
            self.metrics.settle();
        }
        self.dirty = true;
    }
}
