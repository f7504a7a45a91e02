//! Commands: a line is parsed, asked about where something lacks, and carried out here (moving, showing) or by the cockpit (writing).

use super::app::{App, Ask, Pane};
use super::overlay::{Overlay, confirm, filter, form, help, item, palette, rebalance, whatif, why};
use super::widgets::table::ListState;
use crate::book::registry::{self, Cell};
use crate::book::{Entity, LocalId, Target};
use crate::cockpit::{CommandError, Level, Outcome};
use crate::command::{
    ArgKind, Command, Context, Effect, Group, Motion, Rows, Screen, Selection, parse, plan,
};
use std::collections::HashMap;

impl App {
    /// Runs a command line.
    pub fn run_line(&mut self, line: &str) {
        self.dirty = true;
        match parse(line) {
            Ok(command) => self.run(command),
            Err(e) => self.say(Level::Bad, e.to_string()),
        }
    }

    /// Runs a command; asks for what it lacks first.
    pub fn run(&mut self, command: Command) {
        self.dirty = true;
        let spec = command.spec;
        // Moving about needs no selection, and with a million marks it would cost.
        let selection = if spec.on == crate::command::On::Nothing {
            Selection::none()
        } else {
            self.selection()
        };
        // Enter means something in panes without accounts too: an outbox item, a group.
        if spec.name == "open" {
            self.open();
            return;
        }
        if spec.name == "yank" && self.focus == Pane::Metrics {
            self.yank_figure();
            return;
        }
        let names_item = spec.on == crate::command::On::Outbox && command.arg(0).is_some();
        if !names_item && let Err(why) = self.cockpit.can_run(spec, &selection) {
            self.say(Level::Bad, format!("{}: {why}", spec.name));
            return;
        }
        // A key for a command with options asks for them too: escalate to which level, and why.
        let asks_options = !spec.flags.is_empty()
            && spec.args.is_empty()
            && command.flags.is_empty()
            && matches!(spec.group, Group::Triage | Group::Write);
        if command.missing().next().is_some() || asks_options {
            let form = form::Form::open(self, command);
            self.overlays.push(Overlay::Form(Box::new(form)));
            return;
        }
        if spec.writes {
            self.write(command, selection, None);
            return;
        }
        match self.effect_of(&command, &selection) {
            Ok(Some(effect)) if effect.is_for_core() => {
                self.asks.push(form::ask(command, selection, None))
            }
            Ok(Some(effect)) => self.carry_out(effect),
            Ok(None) => {}
            Err(e) => self.say(Level::Bad, e),
        }
    }

    /// Hands a write to the cockpit.
    pub fn write(&mut self, command: Command, selection: Selection, account: Option<LocalId>) {
        self.last = Some(command.clone());
        let draft = account
            .filter(|_| command.spec.args.iter().any(|a| a.kind == ArgKind::Text))
            .map(|a| (a, command.spec.name.to_owned()));
        self.asks.push(form::ask(command, selection, draft));
        self.dirty = true;
    }

    fn effect_of(
        &self,
        command: &Command,
        selection: &Selection,
    ) -> Result<Option<Effect>, String> {
        let reasons = HashMap::new();
        let rows = Rows::default();
        let cx = Context {
            selection,
            rows: &rows,
            people: &[],
            me: &self.snap.me,
            now: self.now(),
            today: self.snap.today,
            zone: &self.snap.zone,
            fiscal_month: self.snap.calendar.fiscal_month,
            homes: &self.snap.homes,
            sources: &self.snap.infos,
            read_only: self.snap.read_only,
            other: None,
            candidate: None,
            reasons: &reasons,
        };
        plan(command, &cx)
            .map(|p| p.effect)
            .map_err(|e| e.to_string())
    }

    /// What became of a command that the cockpit ran.
    pub fn done(
        &mut self,
        command: Command,
        selection: Selection,
        draft: Option<(LocalId, String)>,
        result: Result<Outcome, CommandError>,
    ) {
        self.dirty = true;
        match result {
            Ok(outcome) => {
                if let Some((account, name)) = draft {
                    self.cockpit.drop_draft(account, &name);
                }
                // The marks have done their service.
                if command.spec.writes && !selection.targets.is_empty() {
                    for list in &mut self.lists {
                        list.marks.clear();
                    }
                    self.range = None;
                }
                if !outcome.summary.is_empty() {
                    self.say(Level::Good, outcome.summary);
                }
                if let Some(effect) = outcome.effect.filter(|e| !e.is_for_core()) {
                    self.carry_out(effect);
                }
                self.refresh();
            }
            Err(CommandError::NeedsConfirmation(text)) => {
                self.overlays.push(Overlay::Confirm(confirm::Confirm {
                    text,
                    command,
                    selection,
                    yes: false,
                }));
            }
            Err(e) => self.say(Level::Bad, e.to_string()),
        }
    }

    /// Does what only the screen can do.
    pub fn carry_out(&mut self, effect: Effect) {
        self.dirty = true;
        match effect {
            Effect::Move(motion) => self.motion(motion),
            Effect::Goto(screen) => self.goto(screen),
            Effect::Page(name) => self.goto_page(name),
            Effect::PageStep(forward) => self.step_page(forward),
            Effect::Switch(name, value) => self.flip(&name, value.as_deref()),
            Effect::Pane(forward) if self.focus == Pane::Metrics => self.metrics_block(forward),
            Effect::Pane(forward) => self.next_pane(forward),
            Effect::OpenAccount => self.open(),
            Effect::OpenWeb => match self.selection().targets.first() {
                Some(target) => self.asks.push(Ask::Web(*target)),
                None => self.say(Level::Bad, "no row is in focus"),
            },
            Effect::Back => self.back(),
            Effect::Filter(query) => self.filter(query),
            Effect::Palette => {
                let p = palette::Palette::open(self, "");
                self.overlays.push(Overlay::Palette(p));
            }
            Effect::Help => {
                let h = help::Help::open(self);
                self.overlays.push(Overlay::Help(h));
            }
            Effect::Why(named) => {
                let w = why::Why::open(self, named);
                self.overlays.push(Overlay::Why(w));
            }
            Effect::WhatIf(line) => {
                let w = whatif::WhatIf::open(self, &line);
                self.overlays.push(Overlay::WhatIf(w));
            }
            Effect::Rebalance(keep) => {
                let r = rebalance::Rebalance::open(self, keep);
                self.overlays.push(Overlay::Rebalance(r));
            }
            Effect::Zoom => self.zoom = !self.zoom,
            Effect::Mark => self.mark(),
            Effect::MarkRange => self.mark_range(),
            Effect::MarkAll => self.mark_all(),
            Effect::Unmark => {
                self.range = None;
                let pane = self.focus;
                self.list_mut(pane).marks.clear();
            }
            Effect::ToggleMine => {
                if !self.mine && self.snap.me.person.is_none() {
                    let text = "no source knows you: set [me] email in config.toml";
                    self.say(Level::Bad, text);
                    return;
                }
                self.mine = !self.mine;
                self.ask_views();
            }
            Effect::ToggleAsleep => {
                self.asleep = !self.asleep;
                self.ask_views();
                let text = if self.asleep {
                    "sleepers are shown"
                } else {
                    "sleepers are hidden"
                };
                self.say(Level::Info, text);
            }
            Effect::Sort(column, down) => self.sort(&column, down),
            Effect::View(name) => self.say(Level::Bad, format!("there is no saved view `{name}`")),
            Effect::Theme(name) => self.set_theme(name.as_deref()),
            Effect::Yank(field) => self.yank(field.as_deref()),
            Effect::Repeat => match self.last.clone() {
                Some(command) => self.run(command),
                None => self.say(Level::Info, "nothing was done yet that could be repeated"),
            },
            Effect::Redraw => self.asks.push(Ask::Redraw),
            Effect::Suspend => self.asks.push(Ask::Suspend),
            Effect::Quit => self.asks.push(Ask::Quit),
            // These are the cockpit's own.
            Effect::Sync(_)
            | Effect::Undo
            | Effect::Redo
            | Effect::ReadOnly(..)
            | Effect::AsOf(_)
            | Effect::Outbox(..)
            | Effect::MergeAccounts(..)
            | Effect::SplitAccount(..) => {}
        }
    }

    fn motion(&mut self, motion: Motion) {
        let pane = self.focus;
        if pane == Pane::Metrics {
            self.metrics_motion(motion);
            return;
        }
        if matches!(motion, Motion::Left | Motion::Right) {
            self.sideways(motion == Motion::Right);
            return;
        }
        let list: &mut ListState = self.list_mut(pane);
        let page = list.height.max(2) as isize;
        match motion {
            Motion::Down => list.step(1),
            Motion::Up => list.step(-1),
            Motion::HalfPageDown => list.step(page / 2),
            Motion::HalfPageUp => list.step(-page / 2),
            Motion::PageDown => list.step(page - 1),
            Motion::PageUp => list.step(1 - page),
            Motion::Top => list.go(0),
            Motion::Bottom => list.go(usize::MAX),
            Motion::Left | Motion::Right => {}
        }
        self.moved();
    }

    /// Left and right: how segments are grouped; elsewhere the pane beside.
    fn sideways(&mut self, right: bool) {
        let groups = self.shown().segments.len();
        if self.focus == Pane::Segments && groups > 1 && self.account.is_none() {
            let step = if right { 1 } else { groups - 1 };
            self.group = (self.group + step) % groups;
            self.lists[Pane::Segments as usize] = ListState::default();
            self.refresh();
            self.moved();
        } else {
            self.next_pane(right);
        }
    }

    fn open(&mut self) {
        match self.focus {
            Pane::Outbox => {
                if let Some(id) = self.outbox_item().map(|i| i.id.clone()) {
                    self.overlays.push(Overlay::Item(item::ItemBox::open(&id)));
                }
            }
            Pane::Segments => {
                if self.screen != Screen::Segments {
                    self.goto(Screen::Segments);
                }
                self.focus_on(Pane::Members);
            }
            Pane::Metrics => self.metrics_open(),
            _ if self.account.is_some() => {
                self.say(Level::Info, "this is the account's page; esc goes back")
            }
            _ => match self.account_in_focus() {
                Some(account) => self.open_account(account),
                None => self.say(Level::Info, "the row in focus belongs to no account"),
            },
        }
    }

    /// One step back: the innermost thing that is not as it was in the beginning.
    fn back(&mut self) {
        let pane = self.focus;
        if self.range.take().is_some() {
            return;
        }
        if !self.list(pane).marks.is_empty() {
            self.list_mut(pane).marks.clear();
        } else if self.zoom {
            self.zoom = false;
        } else if self.close_account() || (pane == Pane::Metrics && self.unflip()) {
            // Whichever it was, that was the step.
        } else if !self.asked[pane as usize].query.is_empty() {
            self.asked[pane as usize].query.clear();
            self.ask_view(pane);
        } else if self.snap.past.is_some() {
            self.run_line("asof today");
        } else if self.screen != Screen::Home {
            self.goto(Screen::Home);
        }
    }

    fn filter(&mut self, query: Option<String>) {
        let pane = self.focus;
        if pane.slot().is_none() {
            let text = format!("there is nothing to filter in {}", pane.title());
            self.say(Level::Info, text);
            return;
        }
        match query {
            None => {
                let f = filter::Filter::open(self, pane);
                self.overlays.push(Overlay::Filter(f));
            }
            Some(query) => match crate::query::parse(&query, pane.kind().entity()) {
                Ok(_) => {
                    self.asked[pane as usize].query = query;
                    self.list_mut(pane).go(0);
                    self.ask_view(pane);
                }
                Err(e) => self.say(Level::Bad, e.to_string()),
            },
        }
    }

    fn mark(&mut self) {
        let pane = self.focus;
        if pane.slot().is_none() {
            self.say(
                Level::Info,
                "rows can be marked in lists of accounts, renewals and tasks",
            );
            return;
        }
        let place = self.list(pane).cursor;
        if let Some(id) = self.id_at(pane, place) {
            let list = self.list_mut(pane);
            if !list.marks.remove(&id) {
                list.marks.insert(id);
            }
            list.step(1);
            self.moved();
        }
    }

    fn mark_range(&mut self) {
        let pane = self.focus;
        if pane.slot().is_none() {
            return;
        }
        if self.range.take().is_none() {
            let list = self.list(pane);
            self.range = Some((list.cursor, list.marks.clone()));
            self.moved();
            self.say(
                Level::Info,
                "move to the end of the range, then act on it or press V again",
            );
        }
    }

    fn mark_all(&mut self) {
        let pane = self.focus;
        self.range = None;
        let Some(view) = self.view(pane).cloned() else {
            return;
        };
        let entity = pane.kind().entity();
        let marks: std::collections::HashSet<LocalId> = view
            .rows
            .iter()
            .map(|r| self.listed(pane).book.id_of(entity, *r))
            .collect();
        let n = super::fmt::count(marks.len());
        self.list_mut(pane).marks = marks;
        self.say(Level::Info, format!("{n} marked; M removes the marks"));
    }

    fn sort(&mut self, column: &str, down: Option<bool>) {
        let pane = self.focus;
        if pane.slot().is_none() {
            let text = format!("{} cannot be sorted", pane.title());
            self.say(Level::Info, text);
            return;
        }
        let old = self.asked[pane as usize].sort.clone();
        let sort = if column.is_empty() {
            match old {
                Some((c, d)) => Some((c, !d)),
                None => {
                    let f = palette::Palette::open(self, "sort ");
                    self.overlays.push(Overlay::Palette(f));
                    return;
                }
            }
        } else {
            if let Err(e) = crate::query::sort_keys(pane.kind().entity(), column) {
                self.say(Level::Bad, e);
                return;
            }
            Some((column.to_owned(), down.unwrap_or(false)))
        };
        self.asked[pane as usize].sort = sort;
        self.ask_view(pane);
    }

    fn set_theme(&mut self, name: Option<&str>) {
        let theme = match name {
            None => Some(self.themes.after(&self.theme.name)),
            Some(name) => self.themes.get(name).cloned(),
        };
        match theme {
            Some(theme) => {
                let text = format!("theme {}: {}", theme.name, theme.about);
                self.theme = theme;
                self.say(Level::Info, text);
            }
            None => {
                let names: Vec<&str> = self.themes.names().collect();
                let text = format!(
                    "there is no theme `{}`; there are: {}",
                    name.unwrap_or(""),
                    names.join(", ")
                );
                self.say(Level::Bad, text);
            }
        }
    }

    fn yank(&mut self, field: Option<&str>) {
        let Some(id) = self.account_in_focus() else {
            self.say(Level::Bad, "no account is in focus");
            return;
        };
        let snap = self.listed(self.focus).clone();
        let Some(row) = snap.book.row_of(Entity::Account, id) else {
            return;
        };
        let name = field.unwrap_or("name");
        let Some(f) = registry::find(Entity::Account, name) else {
            let text = format!("there is no field `{name}`");
            self.say(Level::Bad, text);
            return;
        };
        let text = cell_text(&f.read(&snap.scope(), row));
        if text.is_empty() {
            self.say(Level::Info, format!("{name} is empty"));
            return;
        }
        self.say(Level::Good, format!("copied: {text}"));
        self.asks.push(Ask::Copy(text));
    }

    /// Copies the figure under the cursor, exact.
    fn yank_figure(&mut self) {
        let Some(text) = self.metrics.figure().map(|f| self.words().exact(&f.value)) else {
            self.say(Level::Info, "no figure is in focus");
            return;
        };
        self.say(Level::Good, format!("copied: {text}"));
        self.asks.push(Ask::Copy(text));
    }

    /// The account of a thing of the Book.
    pub fn account_of(&self, target: Target) -> Option<LocalId> {
        let book = &self.snap.book;
        let id = match target.entity {
            Entity::Account => target.id,
            Entity::Renewal => book.renewal_by_id(target.id)?.account_id(),
            Entity::Task => book.task_by_id(target.id)?.account_id(),
            Entity::Escalation => book.escalation_by_id(target.id)?.account_id(),
            _ => return None,
        };
        id.is_some().then_some(id)
    }

    /// The values that there are now for a kind of argument, each with a word about it.
    pub fn choices(&self, kind: ArgKind) -> Vec<(String, String)> {
        let plain =
            |names: &mut dyn Iterator<Item = String>| names.map(|n| (n, String::new())).collect();
        match kind {
            ArgKind::Who => {
                let mut out = vec![("me".to_owned(), self.snap.me.name.clone())];
                let mut people: Vec<(String, String)> = self
                    .snap
                    .book
                    .people()
                    .filter(|p| p.is_active())
                    .map(|p| match p.email() {
                        Some(e) => (e.to_owned(), p.name().to_owned()),
                        None => (p.name().to_owned(), String::new()),
                    })
                    .collect();
                people.sort_by_cached_key(|(_, name)| name.to_lowercase());
                out.extend(people);
                out
            }
            ArgKind::Source => plain(
                &mut self
                    .snap
                    .sources
                    .iter()
                    .filter_map(|s| s.source.as_ref().map(ToString::to_string)),
            ),
            ArgKind::Theme => self
                .themes
                .names()
                .map(|n| {
                    (
                        n.to_owned(),
                        self.themes
                            .get(n)
                            .map_or_else(String::new, |t| t.about.clone()),
                    )
                })
                .collect(),
            ArgKind::Column | ArgKind::Field => {
                let entity = if kind == ArgKind::Field {
                    Entity::Account
                } else {
                    self.focus.kind().entity()
                };
                registry::fields(entity)
                    .iter()
                    .map(|f| (f.name.to_owned(), f.help.to_owned()))
                    .collect()
            }
            ArgKind::Stage => {
                let home = self.snap.homes.renewal.as_ref();
                let info = self.snap.infos.iter().find(|s| s.name.as_ref() == home);
                plain(
                    &mut info
                        .into_iter()
                        .flat_map(|i| i.capabilities.choices(Entity::Renewal, "stage").to_vec()),
                )
            }
            ArgKind::Tag => {
                let account = self
                    .account_in_focus()
                    .and_then(|id| self.snap.book.account_by_id(id));
                account
                    .map(|a| {
                        a.tags()
                            .iter()
                            .map(|t| (format!("-{t}"), "take it off".to_owned()))
                            .collect()
                    })
                    .unwrap_or_default()
            }
            ArgKind::Contact => self
                .detail()
                .map(|d| {
                    d.contacts
                        .iter()
                        .map(|c| (c.name.clone(), c.title.clone().unwrap_or_default()))
                        .collect()
                })
                .unwrap_or_default(),
            ArgKind::Page => crate::insight::page::PAGES
                .iter()
                .map(|(name, title, _)| ((*name).to_owned(), (*title).to_owned()))
                .collect(),
            ArgKind::Figure => crate::insight::definitions()
                .map(|d| (d.name.to_owned(), d.title.to_owned()))
                .collect(),
            ArgKind::Move => {
                use crate::insight::whatif::{MOVES, SCENARIOS};
                let moves = MOVES.iter().map(|(n, h)| (format!("{n}="), *h));
                let scenarios = SCENARIOS.iter().map(|(n, h)| ((*n).to_owned(), *h));
                moves
                    .chain(scenarios)
                    .map(|(n, h)| (n.replace("KIND", ""), h.to_owned()))
                    .collect()
            }
            ArgKind::Switch => {
                let switches = self.metrics.page().map_or(&[][..], |p| &p.switches);
                switches
                    .iter()
                    .map(|s| (s.name.to_owned(), format!("{}: {}", s.title, s.current)))
                    .collect()
            }
            ArgKind::Item => self
                .outbox()
                .iter()
                .filter(|i| i.state.is_pending())
                .map(|i| (i.id.clone(), format!("{} {}", i.state.name(), i.command)))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A value as it is copied: exact, not shortened.
fn cell_text(cell: &Cell<'_>) -> String {
    match cell {
        Cell::None => String::new(),
        Cell::Text(t) => (*t).to_owned(),
        Cell::Number(n) => n.to_string(),
        Cell::Money(m, _) => m.to_string(),
        Cell::Day(d) => d.date().map_or_else(String::new, |d| d.to_string()),
        Cell::Instant(t) => t.to_string(),
        Cell::Bool(b) => if *b { "yes" } else { "no" }.to_owned(),
        Cell::List(l) => l.join(", "),
        Cell::Words(w) => w.iter().collect::<Vec<_>>().join(", "),
        Cell::Person(p) => p.name().to_owned(),
    }
}
