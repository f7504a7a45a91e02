//! Why a figure is what it is: its definition, arithmetic, rows in and out, coverage, age and source; of a row of the queue first the
//! arithmetic of its place. The figures beside it are one key away.

mod place;

use super::scroll::Scroll;
use super::{Overlay, Then, centred};
use crate::book::LocalId;
use crate::cockpit::{PageSlot, PageSpec, Snapshot};
use crate::insight::page::Page;
use crate::tui::app::{App, Pane};
use crate::tui::figures::{Spot, explain as explained, grid};
use crate::tui::metrics::Cursor;
use crate::tui::text::width;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

/// What is explained first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Want {
    /// The arithmetic of an account's place in the queue.
    Place(LocalId),
    /// The first figure that there is.
    First,
    /// The figure of this name.
    Named(&'static str),
    /// This one: number of the page, place on it.
    At(usize, Spot),
}

/// The box. The figures of several pages stand in it one after the other.
pub struct Why {
    pages: Vec<PageSpec>,
    account: Option<LocalId>,
    want: Want,
    scroll: Scroll,
}

impl Why {
    /// Of what is in focus, or of the figure named.
    pub fn open(app: &App, named: Option<&'static str>) -> Why {
        let account = app.account_in_focus();
        let mine = app.mine;
        let mut pages = Vec::new();
        let mut want = Want::First;
        let spec = |name: &str| PageSpec::of(name, mine);
        match app.focus {
            Pane::Metrics => {
                if let Cursor::At(spot) = app.metrics.cursor
                    && app.metrics.page().is_some_and(|p| grid::explained(p, spot))
                {
                    want = Want::At(0, spot);
                }
                pages.push(app.page_spec());
            }
            Pane::Renewals => {
                let id = app.list(Pane::Renewals).id;
                pages.push(id.map_or_else(
                    || spec("renewals"),
                    |id| spec("renewals").with("renewal", id.0.to_string()),
                ));
                pages.push(spec("forecast"));
            }
            Pane::Segments => pages.push(app.segment_page()),
            Pane::Tasks => pages.push(spec("tasks").of_today()),
            Pane::Sources | Pane::Outbox => {
                let name = app.source().and_then(|s| s.source.as_ref());
                let page = spec(crate::cockpit::pages::SYNC);
                pages.push(match name {
                    Some(n) => page.with("source", n.to_string()),
                    None => page,
                });
            }
            _ => {}
        }
        if let Some(id) = account {
            if pages.is_empty() {
                want = Want::Place(id);
            }
            let page = spec("account").with("account", id.0.to_string());
            pages.push(if app.account.is_some() {
                page.of_today()
            } else {
                page
            });
        }
        // A page that there is not yet answers nothing.
        pages.retain(|p| {
            p.name == crate::cockpit::pages::SYNC || crate::insight::page::find(&p.name).is_some()
        });
        // The header stands over every screen.
        if app.focus != Pane::Metrics || app.metrics.name() != "overview" {
            pages.push(spec("overview"));
        }
        if let Some(name) = named {
            want = Want::Named(name);
        }
        for (slot, page) in (0..).zip(&pages) {
            app.cockpit.request_page(PageSlot::Why(slot), page.clone());
        }
        Why {
            pages,
            account,
            want,
            scroll: Scroll::default(),
        }
    }

    /// No page is needed any more.
    pub fn forget(app: &App) {
        for slot in 0..4 {
            app.cockpit.forget_page(PageSlot::Why(slot));
        }
    }

    /// Scrolls.
    pub fn scroll(&mut self, by: isize) {
        self.scroll.by(by);
    }

    /// A page, once it is made.
    fn with<T>(&self, app: &App, n: usize, f: impl FnOnce(&Page) -> Option<T>) -> Option<T> {
        app.cockpit
            .page(self.pages.get(n)?)
            .and_then(|v| f(&v.page))
    }

    /// Where the figure is that is explained now; none for an account's place, or before its page is made.
    pub fn place(&self, app: &App) -> Option<(usize, Spot)> {
        let pages = 0..self.pages.len();
        match self.want {
            Want::Place(_) => None,
            Want::At(n, spot) => Some((n, spot)),
            Want::First => pages
                .into_iter()
                .find_map(|n| Some((n, self.with(app, n, grid::first)?))),
            Want::Named(name) => pages
                .into_iter()
                .find_map(|n| Some((n, self.with(app, n, |p| grid::named(p, name))?))),
        }
    }

    /// The name of the figure at a place.
    pub fn figure_name(&self, app: &App, page: usize, spot: Spot) -> Option<&'static str> {
        self.with(app, page, |p| grid::figure(p, spot).map(|f| f.name))
    }

    /// The next or previous figure from a place; from an account's place the first.
    fn beside(&self, app: &App, from: Option<(usize, Spot)>, forward: bool) -> Option<Want> {
        let Some((n, spot)) = from else {
            let first =
                (0..self.pages.len()).find_map(|n| Some((n, self.with(app, n, grid::first)?)));
            return first.filter(|_| forward).map(|(n, s)| Want::At(n, s));
        };
        if let Some(to) = self.with(app, n, |p| grid::step(p, spot, forward)) {
            return Some(Want::At(n, to));
        }
        if forward {
            return (n + 1..self.pages.len())
                .find_map(|n| Some(Want::At(n, self.with(app, n, grid::first)?)));
        }
        let last = |p: &Page| {
            let end = Spot {
                block: p.blocks.len(),
                row: 0,
                col: 0,
            };
            grid::step(p, end, false)
        };
        (0..n)
            .rev()
            .find_map(|n| Some(Want::At(n, self.with(app, n, last)?)))
            .or_else(|| {
                self.account
                    .filter(|_| self.starts_with_place())
                    .map(Want::Place)
            })
    }

    /// The first thing in it is the arithmetic of an account's place.
    fn starts_with_place(&self) -> bool {
        self.pages.first().is_some_and(|p| p.name == "account")
    }

    /// A key: moves, or closes.
    pub fn key(mut self, app: &App, key: &KeyEvent) -> Then {
        match key.code {
            code if self.scroll.key(code) => {}
            KeyCode::Right | KeyCode::Tab | KeyCode::Char('l') => self.step(app, true),
            KeyCode::Left | KeyCode::BackTab | KeyCode::Char('h') => self.step(app, false),
            _ => return Then::Close,
        }
        Then::Stay(Overlay::Why(self))
    }

    fn step(&mut self, app: &App, forward: bool) {
        if let Some(want) = self.beside(app, self.place(app), forward) {
            self.want = want;
            self.scroll = Scroll::default();
        }
    }

    /// A click on a figure of the list.
    pub fn choose(mut self, app: &App, n: usize) -> Then {
        if let Some((_, _, want)) = self.list(app, LIST).1.get(n) {
            self.want = *want;
            self.scroll = Scroll::default();
        }
        Then::Stay(Overlay::Why(self))
    }

    /// The figures around the one explained, it among them: where it stands in the list, and the list.
    fn list(&self, app: &App, height: usize) -> (usize, Vec<(String, String, Want)>) {
        let mut before: Vec<Want> = Vec::new();
        let mut at = self.place(app);
        let here = match (at, self.want) {
            (Some((n, s)), _) => Some(Want::At(n, s)),
            (None, w @ Want::Place(_)) => Some(w),
            _ => None,
        };
        let place = |w: &Want| match w {
            Want::At(n, s) => Some((*n, *s)),
            _ => None,
        };
        while before.len() < height / 2 {
            if at.is_none() {
                break;
            }
            let Some(want) = self.beside(app, at, false) else {
                break;
            };
            at = place(&want);
            before.push(want);
        }
        before.reverse();
        let mine = before.len();
        let mut all = before;
        all.extend(here);
        while all.len() < height
            && let Some(last) = all.last()
            && let Some(next) = self.beside(app, place(last), true)
        {
            all.push(next);
        }
        let words = app.words();
        let named = all
            .into_iter()
            .map(|w| match w {
                Want::At(n, spot) => self
                    .with(app, n, |p| {
                        let f = grid::figure(p, spot)?;
                        Some((grid::label(p, spot), words.short(&f.value), w))
                    })
                    .unwrap_or_else(|| (String::new(), String::new(), w)),
                _ => ("place in the queue".to_owned(), String::new(), w),
            })
            .collect();
        (mine, named)
    }

    /// Draws it.
    pub fn draw(&self, app: &App, ui: &mut Ui<'_>, area: Rect) {
        let listed = area.width >= 118;
        let side: u16 = if listed { 36 } else { 0 };
        let wide = (100 + side).min(area.width.saturating_sub(2));
        let room = usize::from(wide.saturating_sub(4 + side));
        let (title, lines) = self.lines(app, room);
        let (here, list) = if listed {
            self.list(app, LIST)
        } else {
            (0, Vec::new())
        };
        let height = lines.len().max(list.len()).max(3);
        let height = height.min(usize::from(area.height)) as u16 + 2;
        let frame = centred(area, wide, height.min(area.height.saturating_sub(2)));
        let inner = ui.overlay(
            frame,
            &[bit("Why: ", Role::TitleFocus), bit(title, Role::TitleFocus)],
            &[
                bit("h l", Role::Key),
                bit(" other figures  ", Role::Muted),
                bit("j k", Role::Key),
                bit(" scroll  any other key closes", Role::Muted),
            ],
        );
        if listed {
            self.draw_list(
                ui,
                Rect {
                    width: side - 2,
                    ..inner
                },
                here,
                &list,
            );
        }
        let text = Rect {
            x: inner.x + side,
            width: inner.width.saturating_sub(side),
            ..inner
        };
        let height = usize::from(text.height);
        let (top, _) = self.scroll.place(lines.len(), height);
        for (i, line) in lines.iter().skip(top).take(height).enumerate() {
            ui.line(text.x, text.y + i as u16, text.width, line);
        }
        ui.thumb(frame, top, height, lines.len(), true);
    }

    fn draw_list(&self, ui: &mut Ui<'_>, area: Rect, here: usize, list: &[(String, String, Want)]) {
        let height = usize::from(area.height);
        let top = (here + 1)
            .saturating_sub(height.max(1) / 2 + 1)
            .min(list.len().saturating_sub(height));
        for (i, (label, value, _)) in list.iter().enumerate().skip(top).take(height) {
            let line = Rect::new(area.x, area.y + (i - top) as u16, area.width, 1);
            let w = (width(value) as u16).min(line.width / 2);
            ui.put(
                line.x + 2,
                line.y,
                line.width.saturating_sub(w + 3),
                label,
                if i == here { Role::Text } else { Role::Muted },
            );
            ui.line_right(
                line.x,
                line.y,
                line.width,
                &[bit(value.clone(), Role::Text)],
            );
            if i == here {
                ui.tint(line, Role::Selected);
                ui.put(line.x, line.y, 1, "▌", Role::Accent);
            }
            ui.hit(line, Hit::Choice(i));
        }
        for y in area.top()..area.bottom() {
            ui.put(area.right(), y, 1, "│", Role::Border);
        }
    }

    /// Its title and what it says.
    pub fn lines(&self, app: &App, room: usize) -> (String, Vec<Vec<Bit<'static>>>) {
        if let Want::Place(id) = self.want
            && let Some(a) = shown(app).book.account_by_id(id)
        {
            return (a.name().to_owned(), place::lines(app, &a, room));
        }
        let words = app.words();
        if let Some((n, spot)) = self.place(app)
            && let Some(said) = self.with(app, n, |p| {
                let f = grid::figure(p, spot)?;
                let lines = explained::lines(&words, p, f, room, explained::ROWS);
                Some((grid::label(p, spot), lines))
            })
        {
            return said;
        }
        match self.want {
            // It is on none of these pages; what it means can be said all the same.
            Want::Named(name) if self.made(app) => {
                let title = crate::insight::definition(name).map_or(name, |d| d.title);
                (title.to_owned(), explained::defined(name, room))
            }
            _ => {
                let text = if self.made(app) {
                    "There is no figure here yet: nothing has been loaded."
                } else {
                    "…"
                };
                let line = vec![bit(text, Role::Muted)];
                ("the figures".to_owned(), vec![line])
            }
        }
    }

    /// Every page is there.
    pub fn made(&self, app: &App) -> bool {
        self.pages.iter().all(|p| app.cockpit.page(p).is_some())
    }
}

/// Figures in the list beside the explanation.
const LIST: usize = 40;

/// The account page shows today, whatever day the lists are of.
fn shown(app: &App) -> &Snapshot {
    if app.account.is_some() {
        &app.snap
    } else {
        app.shown()
    }
}
