//! Commands that change no data: effects for the front door or the core.

use super::*;
use crate::command::effect::{Effect, Motion, OutboxAction, Screen};
use crate::insight::{definitions, page::PAGES};

impl Planner<'_> {
    pub(super) fn front(&self) -> Planned {
        let c = self.command;
        let first = || c.arg(0).map(str::to_owned);
        let effect = match c.spec.name {
            "down" => Effect::Move(Motion::Down),
            "up" => Effect::Move(Motion::Up),
            "left" => Effect::Move(Motion::Left),
            "right" => Effect::Move(Motion::Right),
            "half down" => Effect::Move(Motion::HalfPageDown),
            "half up" => Effect::Move(Motion::HalfPageUp),
            "page down" => Effect::Move(Motion::PageDown),
            "page up" => Effect::Move(Motion::PageUp),
            "top" => Effect::Move(Motion::Top),
            "bottom" => Effect::Move(Motion::Bottom),
            "pane next" => Effect::Pane(true),
            "pane previous" => Effect::Pane(false),
            "back" => Effect::Back,
            "open" => Effect::OpenAccount,
            "open web" => Effect::OpenWeb,
            "goto" => Effect::Goto(self.screen(self.arg(0))?),
            "filter" => Effect::Filter(first()),
            "sort" => match c.arg(0) {
                None => Effect::Sort(String::new(), None),
                Some(column) => match column.strip_prefix('-') {
                    Some(column) => Effect::Sort(column.to_owned(), Some(true)),
                    None => Effect::Sort(column.to_owned(), Some(false)),
                },
            },
            "why" => match c.arg(0) {
                None => Effect::Why(None),
                Some(name) => {
                    let names: Vec<&str> = definitions().map(|d| d.name).collect();
                    Effect::Why(Some(self.one_of(name, &names, "figure")?))
                }
            },
            "whatif" => Effect::WhatIf(self.arg(0).to_owned()),
            "page" => Effect::Page(self.page(self.arg(0))?),
            "page next" => Effect::PageStep(true),
            "page previous" => Effect::PageStep(false),
            "goto metrics" => match c.arg(0) {
                Some(page) => Effect::Page(self.page(page)?),
                None => Effect::Goto(Screen::Metrics),
            },
            "switch" => Effect::Switch(self.arg(0).to_owned(), c.arg(1).map(str::to_owned)),
            "mine" => Effect::ToggleMine,
            "asleep" => Effect::ToggleAsleep,
            "rebalance" => Effect::Rebalance(first()),
            "zoom" => Effect::Zoom,
            "mark" => Effect::Mark,
            "mark range" => Effect::MarkRange,
            "mark all" => Effect::MarkAll,
            "unmark" => Effect::Unmark,
            "theme" => Effect::Theme(first()),
            "redraw" => Effect::Redraw,
            "yank" => Effect::Yank(first()),
            "help" => Effect::Help,
            "palette" => Effect::Palette,
            "repeat" => Effect::Repeat,
            "suspend" => Effect::Suspend,
            "quit" => Effect::Quit,
            "undo" => Effect::Undo,
            "redo" => Effect::Redo,
            "sync" => {
                if let Some(source) = c.arg(0) {
                    self.known_source(source)?;
                }
                Effect::Sync(first())
            }
            "readonly" => {
                let on = self.one_of(
                    self.arg(0),
                    ArgKind::OnOff.fixed_choices(),
                    "position of a switch",
                )? == "on";
                if let Some(source) = c.arg(1) {
                    self.known_source(source)?;
                }
                Effect::ReadOnly(on, c.arg(1).map(str::to_owned))
            }
            "asof" => {
                let day = self.day(self.arg(0))?;
                if day > self.cx.today {
                    return Err(PlanError(format!(
                        "{day} has not come yet: an earlier day can be looked at, `asof -30d`"
                    )));
                }
                Effect::AsOf((day < self.cx.today).then_some(day))
            }
            "retry" => self.outbox(OutboxAction::Retry),
            "drop" => self.outbox(OutboxAction::Drop),
            "conflict mine" => self.outbox(OutboxAction::KeepMine),
            "conflict theirs" => self.outbox(OutboxAction::TakeTheirs),
            name => match name.strip_prefix("goto ").and_then(Screen::parse) {
                Some(screen) => Effect::Goto(screen),
                None => return Err(PlanError(format!("`{name}` does nothing here"))),
            },
        };
        Ok(Plan {
            changes: Vec::new(),
            effect: Some(effect),
            summary: String::new(),
        })
    }

    fn outbox(&self, action: OutboxAction) -> Effect {
        let items = match self.command.arg(0) {
            Some(id) => vec![id.to_owned()],
            None => self.cx.selection.items.clone(),
        };
        Effect::Outbox(action, items)
    }

    fn screen(&self, text: &str) -> Result<Screen, PlanError> {
        match Screen::parse(text) {
            Some(s) => Ok(s),
            None => Err(self
                .one_of(text, ArgKind::Screen.fixed_choices(), "screen")
                .err()
                .unwrap_or_else(|| PlanError(format!("`{text}` is no screen")))),
        }
    }

    fn page(&self, text: &str) -> Result<&'static str, PlanError> {
        let names: Vec<&str> = PAGES.iter().map(|(name, _, _)| *name).collect();
        self.one_of(text, &names, "page")
    }

    fn known_source(&self, name: &str) -> Result<(), PlanError> {
        let names: Vec<&str> = self
            .cx
            .sources
            .iter()
            .filter_map(|s| s.name.as_deref())
            .collect();
        self.one_of(name, &names, "source").map(|_| ())
    }
}
