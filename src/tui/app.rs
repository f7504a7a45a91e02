//! The state of the screen: which pane has the focus, where each cursor is, what lies over the rest. Pure: it reads the cockpit's
//! snapshot and asks the loop for what takes time.

use super::metrics::Metrics;
use super::overlay::Overlay;
use super::theme::{Theme, Themes};
use super::ui::Hit;
use super::widgets::table::ListState;
use crate::book::{AccountDetail, Clock, Entity, LocalId, OutboxItem, SourceStatus, Target};
use crate::cockpit::keymap::{Chord, Keymap};
use crate::cockpit::{Cockpit, Event, Level, ListKind, PageSpec, Slot, Snapshot, View, ViewSpec};
use crate::command::{Command, Scope, Screen, Selection};
use jiff::Timestamp;
use ratatui::layout::Rect;
use std::collections::HashSet;
use std::sync::Arc;

/// The panes, wherever they are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pane {
    /// Accounts at risk.
    Queue,
    /// Renewals.
    Renewals,
    /// Tasks.
    Tasks,
    /// Ratios by segment.
    Segments,
    /// The accounts of the segment in focus.
    Members,
    /// Sources and their streams.
    Sources,
    /// What is to be sent.
    Outbox,
    /// Account page: why, charts.
    Facts,
    /// Account page: renewals, risks, tasks, tickets, people.
    Items,
    /// Account page: what happened.
    Timeline,
    /// Account page: fields and where they come from.
    Fields,
    /// A page of figures.
    Metrics,
}

impl Pane {
    /// How many there are.
    pub const COUNT: usize = 12;
    /// All, by number.
    pub const ALL: [Pane; Pane::COUNT] = [
        Pane::Queue,
        Pane::Renewals,
        Pane::Tasks,
        Pane::Segments,
        Pane::Members,
        Pane::Sources,
        Pane::Outbox,
        Pane::Facts,
        Pane::Items,
        Pane::Timeline,
        Pane::Fields,
        Pane::Metrics,
    ];
    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Pane::Queue => "Queue",
            Pane::Renewals => "Renewals",
            Pane::Tasks => "Tasks",
            Pane::Segments => "Segments",
            Pane::Members => "Accounts",
            Pane::Sources => "Sources",
            Pane::Outbox => "Outbox",
            Pane::Facts => "Overview",
            Pane::Items => "Work",
            Pane::Timeline => "Timeline",
            Pane::Fields => "Fields",
            Pane::Metrics => "Metrics",
        }
    }
    /// The slot whose view it shows.
    pub fn slot(self) -> Option<Slot> {
        match self {
            Pane::Queue => Some(Slot::Queue),
            Pane::Renewals => Some(Slot::Renewals),
            Pane::Tasks => Some(Slot::Tasks),
            Pane::Members => Some(Slot::Other),
            _ => None,
        }
    }
    /// The list that its slot asks for.
    pub fn kind(self) -> ListKind {
        match self {
            Pane::Renewals => ListKind::Renewals,
            Pane::Tasks => ListKind::Tasks,
            Pane::Members => ListKind::Accounts,
            _ => ListKind::Queue,
        }
    }
}

/// What a pane's list is filtered and sorted by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// The filter.
    pub query: String,
    /// The sort column and whether downwards; the list's own order without.
    pub sort: Option<(String, bool)>,
}

/// A line of the account page's work list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub target: Target,
    /// Its place in the detail's list of its kind.
    pub at: usize,
}

/// What the screen asks of the loop.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Run a command.
    Run {
        /// The command.
        command: Command,
        /// What it is about.
        selection: Selection,
        /// The person said yes to what cannot be undone.
        confirmed: bool,
        /// The draft that it came from: account and command.
        draft: Option<(LocalId, String)>,
    },
    /// The vendor's page of a thing, in the browser.
    Web(Target),
    /// Text for the clipboard.
    Copy(String),
    /// Stop like ctrl-z.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Leave.
    Quit,
}

/// The state of the screen.
pub struct App {
    /// Whose picture is drawn.
    pub cockpit: Cockpit,
    /// The picture that is drawn now.
    pub snap: Arc<Snapshot>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The keys.
    pub keymap: Arc<Keymap>,
    /// The themes.
    pub themes: Themes,
    /// The theme in use.
    pub theme: Theme,
    /// The screen.
    pub screen: Screen,
    /// The account whose page lies over the screen.
    pub account: Option<LocalId>,
    /// The pane in focus; on each screen another.
    pub focus: Pane,
    /// The pane in focus takes the whole screen.
    pub zoom: bool,
    /// Only the book of `[me]`.
    pub mine: bool,
    /// Sleeping rows too.
    pub asleep: bool,
    /// How segments are grouped: an index into the snapshot's.
    pub group: usize,
    /// The metrics screen.
    pub metrics: Metrics,
    /// Cursor and marks of each pane, by number.
    pub lists: [ListState; Pane::COUNT],
    /// Filter and order of each pane, by number.
    pub asked: [Asked; Pane::COUNT],
    /// The keys of a sequence so far.
    pub keys: Vec<Chord>,
    /// What lies over the rest, the topmost last.
    pub overlays: Vec<Overlay>,
    /// The last thing that was said.
    pub message: Option<(Level, String)>,
    /// The last write, for `repeat`.
    pub last: Option<Command>,
    /// What the loop is to do.
    pub asks: Vec<Ask>,
    /// Something changed since the last frame.
    pub dirty: bool,
    /// What can be clicked in the last frame.
    pub hits: Vec<(Rect, Hit)>,
    /// Rows built for the last frame.
    pub built: usize,
    /// The layout of the last frame shows one pane at a time.
    pub narrow: bool,
    /// A write is on its way to the database.
    pub busy: usize,
    /// When the range of marks began, the marks before it.
    pub range: Option<(usize, HashSet<LocalId>)>,
    /// The views that are drawn, by slot; renewed by [`App::refresh`].
    views: [Option<Arc<View>>; 4],
    detail: Option<Arc<(LocalId, AccountDetail)>>,
    items: Vec<Item>,
    /// The pane that had the focus on each screen.
    last_focus: [Pane; 7],
    /// What `sent 3` counts from: the beginning of this session.
    pub started: Timestamp,
}

fn slot_number(slot: Slot) -> usize {
    match slot {
        Slot::Queue => 0,
        Slot::Renewals => 1,
        Slot::Tasks => 2,
        Slot::Other => 3,
    }
}

impl App {
    /// A fresh screen over a cockpit.
    pub fn new(
        cockpit: Cockpit,
        clock: Arc<dyn Clock>,
        keymap: Arc<Keymap>,
        themes: Themes,
        theme: &str,
    ) -> App {
        let chosen = themes.get(theme).cloned();
        let mut app = App {
            snap: cockpit.snapshot(),
            started: clock.now(),
            cockpit,
            clock,
            keymap,
            theme: chosen.clone().unwrap_or_else(|| themes.first()),
            themes,
            screen: Screen::Home,
            account: None,
            focus: Pane::Queue,
            zoom: false,
            mine: false,
            asleep: false,
            group: 0,
            metrics: Metrics::default(),
            lists: Default::default(),
            asked: Default::default(),
            keys: Vec::new(),
            overlays: Vec::new(),
            message: None,
            last: None,
            asks: Vec::new(),
            dirty: true,
            hits: Vec::new(),
            built: 0,
            narrow: false,
            busy: 0,
            range: None,
            views: Default::default(),
            detail: None,
            items: Vec::new(),
            last_focus: [
                Pane::Queue,
                Pane::Queue,
                Pane::Renewals,
                Pane::Segments,
                Pane::Tasks,
                Pane::Sources,
                Pane::Metrics,
            ],
        };
        if chosen.is_none() {
            let names: Vec<&str> = app.themes.names().collect();
            let text = format!(
                "there is no theme `{theme}`; there are: {}",
                names.join(", ")
            );
            app.say(Level::Bad, text);
        }
        for pane in [Pane::Queue, Pane::Renewals, Pane::Tasks] {
            app.ask_view(pane);
        }
        app.refresh();
        app
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Says something on the bottom line until the next key.
    pub fn say(&mut self, level: Level, text: impl Into<String>) {
        self.message = Some((level, text.into()));
        self.dirty = true;
    }

    /// The panes of this screen, in the order of `tab`.
    pub fn panes(&self) -> &'static [Pane] {
        if self.account.is_some() {
            return &[Pane::Facts, Pane::Items, Pane::Timeline, Pane::Fields];
        }
        match self.screen {
            Screen::Home => &[Pane::Queue, Pane::Renewals, Pane::Tasks, Pane::Segments],
            Screen::Queue => &[Pane::Queue],
            Screen::Renewals => &[Pane::Renewals],
            Screen::Segments => &[Pane::Segments, Pane::Members],
            Screen::Tasks => &[Pane::Tasks],
            Screen::Sync => &[Pane::Sources, Pane::Outbox],
            Screen::Metrics => &[Pane::Metrics],
        }
    }

    /// Where keys count now.
    pub fn scope(&self) -> Scope {
        match self.focus {
            Pane::Queue | Pane::Members => Scope::Queue,
            Pane::Renewals => Scope::Renewals,
            Pane::Tasks => Scope::Tasks,
            Pane::Segments => Scope::Segments,
            Pane::Sources | Pane::Outbox => Scope::Sync,
            Pane::Metrics => Scope::Metrics,
            // On the account page the row in focus decides: a task is completed there as in the backlog.
            Pane::Items => match self.item().map(|i| i.target.entity) {
                Some(Entity::Task) => Scope::Tasks,
                Some(Entity::Renewal) => Scope::Renewals,
                _ => Scope::Account,
            },
            Pane::Facts | Pane::Timeline | Pane::Fields => Scope::Account,
        }
    }

    /// Cursor and marks of a pane.
    pub fn list(&self, pane: Pane) -> &ListState {
        &self.lists[pane as usize]
    }

    /// The same, to change it.
    pub fn list_mut(&mut self, pane: Pane) -> &mut ListState {
        &mut self.lists[pane as usize]
    }

    /// The view of a pane.
    pub fn view(&self, pane: Pane) -> Option<&Arc<View>> {
        self.views[slot_number(pane.slot()?)].as_ref()
    }

    /// The account page's rows, when they are there.
    pub fn detail(&self) -> Option<&AccountDetail> {
        self.detail.as_deref().map(|d| &d.1)
    }

    /// The account page's work list.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The work in focus on the account page.
    pub fn item(&self) -> Option<Item> {
        self.items.get(self.list(Pane::Items).cursor).copied()
    }

    /// The outbox as the sync screen lists it: what needs a person first, then what moves, then what is done.
    pub fn outbox(&self) -> Vec<&OutboxItem> {
        use crate::book::OutboxState::*;
        let mut items: Vec<&OutboxItem> = self.snap.outbox.iter().collect();
        items.sort_by_key(|i| match i.state {
            Conflict | Failed => 0,
            Unknown => 1,
            Waiting | Sending => 2,
            Done | Dropped => 3,
        });
        items
    }

    /// The outbox item in focus.
    pub fn outbox_item(&self) -> Option<&OutboxItem> {
        self.outbox().get(self.list(Pane::Outbox).cursor).copied()
    }

    /// The source in focus.
    pub fn source(&self) -> Option<&SourceStatus> {
        self.snap.sources.get(self.list(Pane::Sources).cursor)
    }

    /// The picture that the queue, renewals and segments are of: today's, or that of the earlier day that is shown.
    pub fn shown(&self) -> &Arc<Snapshot> {
        self.snap.past.as_ref().map_or(&self.snap, |p| &p.snapshot)
    }

    /// The picture whose rows a pane lists.
    pub fn listed(&self, pane: Pane) -> &Arc<Snapshot> {
        match pane {
            Pane::Tasks => &self.snap,
            _ => self.shown(),
        }
    }

    /// The question that a pane's list is the answer to.
    pub fn spec(&self, pane: Pane) -> ViewSpec {
        let asked = &self.asked[pane as usize];
        let mut spec = ViewSpec::of(pane.kind());
        spec.query = asked.query.clone();
        spec.sort = asked.sort.iter().cloned().collect();
        spec.mine = self.mine;
        spec.asleep = self.asleep;
        if pane == Pane::Members {
            // The accounts of the segment in focus, the largest first.
            let segment = self.segment_query();
            spec.query = match (segment, spec.query.trim()) {
                (Some(s), "") => s,
                (Some(s), q) => format!("{s} ({q})"),
                (None, q) => q.to_owned(),
            };
            if spec.sort.is_empty() {
                spec.sort = vec![("arr".into(), true)];
            }
        }
        spec
    }

    /// The query of the segment in focus.
    fn segment_query(&self) -> Option<String> {
        let groups = self.snap.segments.get(self.group)?;
        let row = groups.rows.get(self.list(Pane::Segments).cursor)?;
        let field = groups.by.name();
        if row.key.is_empty() {
            return Some(format!("{field}:none"));
        }
        Some(format!("{field}:\"{}\"", row.key.replace('"', "")))
    }

    /// The page of the segments pane's figures, the group in focus first.
    pub fn segment_page(&self) -> PageSpec {
        let Some(groups) = self.shown().segments.get(self.group) else {
            return PageSpec::of("segments", self.mine);
        };
        let page = PageSpec::of("segments", self.mine).with("by", groups.by.name());
        match groups.rows.get(self.list(Pane::Segments).cursor) {
            Some(row) => page.with("group", row.key.clone()),
            None => page,
        }
    }

    /// Asks for a pane's list.
    pub fn ask_view(&self, pane: Pane) {
        if let Some(slot) = pane.slot() {
            self.cockpit.request_view(slot, self.spec(pane));
        }
    }

    /// Asks for every list anew (mine or everybody's, sleepers).
    pub fn ask_views(&mut self) {
        for pane in [Pane::Queue, Pane::Renewals, Pane::Tasks, Pane::Members] {
            if pane != Pane::Members || self.screen == Screen::Segments {
                self.ask_view(pane);
            }
        }
        self.ask_page();
    }

    /// Something happened in the cockpit.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Message(level, text) => self.say(*level, text.clone()),
            Event::SnapshotChanged => {
                if let Some(account) = self.account {
                    self.cockpit.request_detail(account);
                }
                self.refresh();
            }
            Event::ViewReady(_) | Event::DetailReady(_) => self.refresh(),
            Event::ProposalReady => self.dirty = true,
            Event::PageReady => {
                self.take_page();
                self.dirty |= !self.overlays.is_empty();
            }
        }
    }

    /// Takes the newest picture, lists and account rows, and finds every cursor's row again.
    pub fn refresh(&mut self) {
        self.dirty = true;
        let new = self.cockpit.snapshot();
        let slots = [Slot::Queue, Slot::Renewals, Slot::Tasks, Slot::Other];
        let views = slots.map(|s| self.cockpit.view(s));
        // Rows of the cached picture mean nothing in the Book: a list of one is never drawn with the other.
        if views.iter().flatten().all(|v| v.epoch == new.epoch) {
            self.snap = new;
            self.views = views;
        }
        if let Some(account) = self.account {
            if let Some(detail) = self.cockpit.detail(account) {
                self.detail = Some(detail);
            } else if self.detail.as_ref().is_some_and(|d| d.0 != account) {
                self.detail = None;
            }
        }
        self.items = self.detail().map(list_items).unwrap_or_default();
        self.take_page();
        self.settle();
    }

    /// Finds every cursor's thing again in its list.
    fn settle(&mut self) {
        for pane in [Pane::Queue, Pane::Renewals, Pane::Tasks, Pane::Members] {
            let Some(view) = self.view(pane).cloned() else {
                continue;
            };
            let snap = self.listed(pane).clone();
            let entity = pane.kind().entity();
            let rows = &view.rows;
            // Nobody has chosen a row yet, and the rows of the first load come in any order.
            if !self.lists[pane as usize].touched && snap.data_from().is_none() {
                self.lists[pane as usize].id = None;
                self.lists[pane as usize].cursor = 0;
            }
            self.lists[pane as usize].settle(
                rows.len(),
                |id| {
                    let row = snap.book.row_of(entity, id)?;
                    rows.iter().position(|r| *r == row)
                },
                |i| rows.get(i).map(|r| snap.book.id_of(entity, *r)),
            );
        }
        let items = std::mem::take(&mut self.items);
        self.lists[Pane::Items as usize].settle(
            items.len(),
            |id| items.iter().position(|i| item_key(i) == id),
            |i| items.get(i).map(item_key),
        );
        self.items = items;
        let keys: Vec<LocalId> = self.outbox().iter().map(|i| text_key(&i.id)).collect();
        self.lists[Pane::Outbox as usize].settle(
            keys.len(),
            |id| keys.iter().position(|k| *k == id),
            |i| keys.get(i).copied(),
        );
        let plain = [
            (Pane::Sources, self.snap.sources.len()),
            (
                Pane::Segments,
                self.shown()
                    .segments
                    .get(self.group)
                    .map_or(0, |s| s.rows.len()),
            ),
        ];
        for (pane, len) in plain {
            let list = &mut self.lists[pane as usize];
            list.len = len;
            list.cursor = list.cursor.min(len.saturating_sub(1));
        }
    }

    /// The thing at a place of a pane's list.
    pub fn id_at(&self, pane: Pane, place: usize) -> Option<LocalId> {
        let row = *self.view(pane)?.rows.get(place)?;
        Some(self.listed(pane).book.id_of(pane.kind().entity(), row))
    }

    /// The account of the row in focus.
    pub fn account_in_focus(&self) -> Option<LocalId> {
        if let Some(account) = self.account {
            return Some(account);
        }
        let place = self.list(self.focus).cursor;
        let book = &self.listed(self.focus).book;
        let known = |id: LocalId| id.is_some().then_some(id);
        match self.focus {
            Pane::Queue | Pane::Members => self.id_at(self.focus, place),
            Pane::Renewals => known(
                book.renewal_by_id(self.id_at(Pane::Renewals, place)?)?
                    .account_id(),
            ),
            Pane::Tasks => known(
                book.task_by_id(self.id_at(Pane::Tasks, place)?)?
                    .account_id(),
            ),
            Pane::Outbox => known(self.outbox_item()?.change.account),
            Pane::Metrics => self.metrics.account(),
            _ => None,
        }
    }

    /// What a command is about: what is marked, else the row in focus.
    pub fn selection(&self) -> Selection {
        let list = self.list(self.focus);
        match self.focus {
            Pane::Queue | Pane::Members | Pane::Renewals | Pane::Tasks => {
                let entity = self.focus.kind().entity();
                if list.marks.is_empty() {
                    return Selection::of(entity, self.id_at(self.focus, list.cursor));
                }
                // In the order of the list; what the filter hides is not acted upon.
                let Some(view) = self.view(self.focus) else {
                    return Selection::none();
                };
                let ids = view
                    .rows
                    .iter()
                    .map(|r| self.listed(self.focus).book.id_of(entity, *r))
                    .filter(|id| list.marks.contains(id));
                Selection::of(entity, ids)
            }
            Pane::Outbox => Selection::items(self.outbox_item().map(|i| i.id.clone())),
            Pane::Items => match self.item() {
                Some(item)
                    if matches!(
                        item.target.entity,
                        Entity::Renewal | Entity::Task | Entity::Escalation
                    ) =>
                {
                    Selection {
                        targets: vec![item.target],
                        items: Vec::new(),
                    }
                }
                _ => Selection::of(Entity::Account, self.account),
            },
            Pane::Metrics => Selection::of(Entity::Account, self.metrics.account()),
            _ => Selection::of(Entity::Account, self.account),
        }
    }

    /// Goes to a screen.
    pub fn goto(&mut self, screen: Screen) {
        self.close_account();
        self.last_focus[self.screen as usize] = self.focus;
        self.screen = screen;
        self.zoom = false;
        self.focus = self.last_focus[screen as usize];
        self.range = None;
        if screen == Screen::Segments {
            self.ask_view(Pane::Members);
        }
        self.ask_page();
        self.dirty = true;
    }

    /// Opens an account's page.
    pub fn open_account(&mut self, account: LocalId) {
        if self.account.is_none() {
            self.last_focus[self.screen as usize] = self.focus;
        }
        if self.account != Some(account) {
            self.account = Some(account);
            self.detail = None;
            self.items.clear();
            for pane in [Pane::Items, Pane::Timeline, Pane::Fields, Pane::Facts] {
                self.lists[pane as usize] = ListState::default();
            }
        }
        self.zoom = false;
        self.focus = if self.narrow {
            Pane::Facts
        } else {
            Pane::Items
        };
        self.cockpit.request_detail(account);
        self.refresh();
    }

    /// Closes the account's page, if one is open.
    pub fn close_account(&mut self) -> bool {
        if self.account.take().is_none() {
            return false;
        }
        self.detail = None;
        self.items.clear();
        self.zoom = false;
        self.focus = self.last_focus[self.screen as usize];
        self.dirty = true;
        true
    }

    /// Gives a pane of this screen the focus.
    pub fn focus_on(&mut self, pane: Pane) {
        if self.panes().contains(&pane) && self.focus != pane {
            self.focus = pane;
            self.range = None;
            self.dirty = true;
        }
    }

    /// The next or previous pane.
    pub fn next_pane(&mut self, forward: bool) {
        let panes = self.panes();
        let at = panes.iter().position(|p| *p == self.focus).unwrap_or(0);
        let next = if forward {
            at + 1
        } else {
            at + panes.len() - 1
        } % panes.len();
        self.focus_on(panes[next]);
    }

    /// After the cursor of a pane moved: what hangs on it follows.
    pub fn moved(&mut self) {
        self.dirty = true;
        let pane = self.focus;
        let place = self.list(pane).cursor;
        let id = match pane {
            Pane::Items => self.items.get(place).map(item_key),
            Pane::Outbox => self.outbox_item().map(|i| text_key(&i.id)),
            _ => self.id_at(pane, place),
        };
        self.list_mut(pane).id = id;
        if pane == Pane::Segments && self.screen == Screen::Segments {
            self.lists[Pane::Members as usize] = ListState::default();
            self.ask_view(Pane::Members);
        }
        if let Some((anchor, before)) = self.range.clone() {
            let (from, to) = (anchor.min(place), anchor.max(place));
            let mut marks = before;
            marks.extend((from..=to).filter_map(|i| self.id_at(pane, i)));
            self.list_mut(pane).marks = marks;
        }
    }
}

/// The account page's work: open things first, by kind.
fn list_items(d: &AccountDetail) -> Vec<Item> {
    let mut out = Vec::new();
    let mut push = |entity, ids: &mut dyn Iterator<Item = LocalId>| {
        for (at, id) in ids.enumerate() {
            out.push(Item {
                target: Target { entity, id },
                at,
            });
        }
    };
    push(Entity::Escalation, &mut d.escalations.iter().map(|r| r.id));
    push(Entity::Renewal, &mut d.renewals.iter().map(|r| r.id));
    push(Entity::Task, &mut d.tasks.iter().map(|r| r.id));
    push(Entity::Ticket, &mut d.tickets.iter().map(|r| r.id));
    push(Entity::Contact, &mut d.contacts.iter().map(|r| r.id));
    out
}

/// A number for a line of the work list: ids are unique within a kind only.
fn item_key(item: &Item) -> LocalId {
    LocalId(item.target.id.0.wrapping_mul(16) | item.target.entity as u32)
}

/// A number for a text id, to find a cursor's row again.
fn text_key(text: &str) -> LocalId {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(0x0100_0193)
    });
    LocalId(hash.max(1))
}
