//! Which accounts would best change hands: everybody before and after, and the moves, each of which can be dropped; what stays is done as
//! one `owner` command each, so that each can be undone.

use super::{Overlay, Then};
use crate::book::Entity;
use crate::cockpit::Level;
use crate::cockpit::rebalance::Proposed;
use crate::command::{Command, Selection, find};
use crate::insight::capacity::rebalance::{Proposal, Wish, Work};
use crate::tui::app::App;
use crate::tui::fmt;
use crate::tui::theme::Role;
use crate::tui::ui::{Bit, Hit, Ui, bit};
use crate::tui::widgets::table::{Column, LEAD, ListState, RowLook, Table, col};
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use std::collections::HashSet;
use std::sync::Arc;

/// Clicks on a choice from here on answer the question; below they are moves.
const CANCEL: usize = usize::MAX - 1;
const APPLY: usize = usize::MAX;

const PEOPLE: [Column; 6] = [
    col("name", "CSM", 14, 100).grow(1).fixed(),
    col("hours", "Hours used", 12, 95).right().fixed(),
    col("accounts", "Accounts", 10, 90).right().fixed(),
    col("over", "Too much", 12, 85).right().fixed(),
    col("arr", "ARR", 15, 70).right().fixed(),
    col("fte", "FTE", 5, 50).right().fixed(),
];

const MOVES: [Column; 6] = [
    col("name", "Account", 14, 100).grow(2).fixed(),
    col("to", "From → to", 18, 95).grow(2).fixed(),
    col("relief", "Relief", 6, 85).right().fixed(),
    col("hours", "Hours", 5, 70).right().fixed(),
    col("arr", "ARR", 7, 80).right().fixed(),
    col("note", "Continuity", 16, 60).grow(1).fixed(),
];

/// A proposal being looked at.
pub struct Rebalance {
    wish: Wish,
    /// Moves that are not to be made, by their place.
    dropped: HashSet<usize>,
    cursor: usize,
    /// It is asked whether to do it; whether yes is in focus.
    asking: Option<bool>,
}

impl Rebalance {
    /// Asks for a proposal; `keep` is a query of accounts that stay.
    pub fn open(app: &App, keep: Option<String>) -> Rebalance {
        let wish = Wish {
            keep: keep.filter(|k| !k.trim().is_empty()),
            ..Wish::default()
        };
        app.cockpit.request_rebalance(wish.clone());
        Rebalance {
            wish,
            dropped: HashSet::new(),
            cursor: 0,
            asking: None,
        }
    }

    fn proposed(&self, app: &App) -> Option<Arc<Proposed>> {
        app.cockpit.proposal(&self.wish)
    }

    fn len(&self, app: &App) -> usize {
        self.proposed(app)
            .and_then(|p| p.result.as_ref().ok().map(|p| p.moves.len()))
            .unwrap_or(0)
    }

    /// Moves the cursor.
    pub fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by);
    }

    fn toggle(&mut self, n: usize) {
        if !self.dropped.remove(&n) {
            self.dropped.insert(n);
        }
    }

    /// A key: space drops a move or takes it up again, enter does what stays.
    pub fn key(mut self, app: &mut App, key: &KeyEvent) -> Then {
        let len = self.len(app);
        if let Some(yes) = self.asking {
            match key.code {
                KeyCode::Char('y' | 'Y') => return self.apply(app),
                KeyCode::Enter if yes => return self.apply(app),
                KeyCode::Char('n' | 'N') | KeyCode::Esc | KeyCode::Enter => self.asking = None,
                KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right => {
                    self.asking = Some(!yes);
                }
                _ => {}
            }
            return Then::Stay(Overlay::Rebalance(self));
        }
        match key.code {
            KeyCode::Esc | KeyCode::Char('q') => return Then::Close,
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::PageDown => self.step(10),
            KeyCode::PageUp => self.step(-10),
            KeyCode::Char(' ') if len > 0 => {
                let at = self.cursor.min(len - 1);
                self.toggle(at);
                self.step(1);
            }
            KeyCode::Enter => match len.checked_sub(self.dropped.len()) {
                None | Some(0) => return Then::Close,
                Some(_) => self.asking = Some(false),
            },
            _ => {}
        }
        self.cursor = self.cursor.min(len.saturating_sub(1));
        Then::Stay(Overlay::Rebalance(self))
    }

    /// A click: on a move, or on an answer.
    pub fn choose(mut self, app: &mut App, n: usize) -> Then {
        match n {
            APPLY => return self.apply(app),
            CANCEL => self.asking = None,
            n => {
                self.cursor = n;
                self.toggle(n);
            }
        }
        Then::Stay(Overlay::Rebalance(self))
    }

    /// One command for each move that stays.
    fn apply(self, app: &mut App) -> Then {
        let (Some(made), Some(spec)) = (self.proposed(app), find("owner")) else {
            return Then::Close;
        };
        let Ok(p) = &made.result else {
            return Then::Close;
        };
        let mut done = 0;
        for (n, m) in p.moves.iter().enumerate() {
            if self.dropped.contains(&n) {
                continue;
            }
            let selection = Selection::of(Entity::Account, [m.account]);
            if let Err(why) = app.cockpit.can_run(spec, &selection) {
                app.say(Level::Bad, format!("owner: {why}"));
                return Then::Close;
            }
            let command = Command {
                spec,
                args: vec![m.who.clone()],
                flags: Vec::new(),
            };
            app.write(command, selection, None);
            done += 1;
        }
        app.say(
            Level::Good,
            match done {
                1 => "1 account changes hands; it can be undone".to_owned(),
                n => format!("{n} accounts change hands; each can be undone"),
            },
        );
        Then::Close
    }

    /// Draws it.
    pub fn draw(&self, app: &App, ui: &mut Ui<'_>, area: Rect) {
        let frame = Rect {
            x: area.x + area.width.min(150) / 40,
            y: area.y + 1,
            width: area.width.saturating_sub(area.width.min(150) / 20),
            height: area.height.saturating_sub(2),
        };
        let made = self.proposed(app);
        let about = match made.as_deref().map(|p| &p.result) {
            Some(Ok(p)) => format!(
                "{} of {}{}",
                p.moves.len().saturating_sub(self.dropped.len()),
                fmt::counted(p.moves.len(), "move"),
                if p.proved && !p.moves.is_empty() {
                    " · no fewer would do"
                } else {
                    ""
                }
            ),
            _ => String::new(),
        };
        let inner = ui.overlay(
            frame,
            &[bit("Rebalance", Role::TitleFocus)],
            &[bit(about, Role::Muted)],
        );
        match made.as_deref().map(|p| &p.result) {
            None => {
                ui.put(
                    inner.x,
                    inner.y,
                    inner.width,
                    "looking for the fewest moves …",
                    Role::Muted,
                );
            }
            Some(Err(why)) => {
                ui.put(inner.x, inner.y, inner.width, why, Role::Bad);
            }
            Some(Ok(p)) => self.proposal(app, ui, inner, p),
        }
    }

    fn proposal(&self, app: &App, ui: &mut Ui<'_>, inner: Rect, p: &Proposal) {
        if inner.height < 6 {
            return;
        }
        let after = p.with(|n| !self.dropped.contains(&n));
        let left: f64 = after.iter().map(|w| w.overload).sum();
        ui.line(
            inner.x,
            inner.y,
            inner.width,
            &[
                bit("too much work: ", Role::Muted),
                bit(format!("{:.2} → {left:.2}", p.before), Role::Strong),
                bit(" full-time people", Role::Muted),
                bit(
                    match p.kept {
                        0 => String::new(),
                        1 => " · 1 account is kept".to_owned(),
                        n => format!(" · {} accounts are kept", fmt::count(n)),
                    },
                    Role::Muted,
                ),
            ],
        );
        let mut people: Vec<usize> = (0..p.people.len())
            .filter(|i| after[*i] != p.people[*i].before || p.people[*i].before.overload > 0.0)
            .collect();
        people.sort_by(|a, b| {
            let over = |i: usize| p.people[i].before.overload;
            over(*b).total_cmp(&over(*a)).then(a.cmp(b))
        });
        let body = inner.height - 2;
        let notes = (p.notes.len() as u16).min(3);
        let upper = (people.len() as u16 + 1).min(body / 2);
        let top = Rect {
            y: inner.y + 1,
            height: upper,
            ..inner
        };
        self.people(app, ui, top, p, &after, &people);
        let lower = Rect {
            y: top.bottom(),
            height: body.saturating_sub(upper + notes),
            ..inner
        };
        self.moves(app, ui, lower, p);
        for (i, note) in p.notes.iter().take(usize::from(notes)).enumerate() {
            ui.put(
                inner.x,
                lower.bottom() + i as u16,
                inner.width,
                note,
                Role::Watch,
            );
        }
        self.bottom(ui, inner, p.moves.len().saturating_sub(self.dropped.len()));
    }

    fn people(
        &self,
        app: &App,
        ui: &mut Ui<'_>,
        area: Rect,
        p: &Proposal,
        after: &[Work],
        order: &[usize],
    ) {
        let percent = |s: Option<f64>| s.map_or_else(|| "–".to_owned(), fmt::percent);
        let money = |n: i64| fmt::money(app.snap.book.reporting_money(n));
        let both = |a: String, b: String| if a == b { a } else { format!("{a} → {b}") };
        let mut state = ListState {
            len: order.len(),
            ..ListState::default()
        };
        let row = |place: usize, columns: &[(Column, u16)]| {
            let Some(person) = order.get(place).and_then(|i| p.people.get(*i)) else {
                return RowLook::default();
            };
            let (b, a) = (&person.before, &after[order[place]]);
            let cell = |key: &str| -> Vec<Bit<'_>> {
                match key {
                    "name" => vec![
                        bit(person.name.clone(), Role::Text),
                        bit(
                            if person.note.is_empty() {
                                String::new()
                            } else {
                                format!("  {}", person.note)
                            },
                            Role::Muted,
                        ),
                    ],
                    "hours" => vec![bit(
                        both(percent(b.utilisation), percent(a.utilisation)),
                        if a.utilisation.is_some_and(|u| u > 1.0) {
                            Role::Bad
                        } else {
                            Role::Strong
                        },
                    )],
                    "accounts" => vec![bit(
                        both(fmt::count(b.accounts), fmt::count(a.accounts)),
                        Role::Text,
                    )],
                    "over" => vec![bit(
                        both(format!("{:.2}", b.overload), format!("{:.2}", a.overload)),
                        if a.overload > 0.0 {
                            Role::Bad
                        } else {
                            Role::Good
                        },
                    )],
                    "arr" => vec![bit(both(money(b.arr), money(a.arr)), Role::Text)],
                    "fte" => vec![bit(format!("{:.1}", person.fte), Role::Muted)],
                    _ => Vec::new(),
                }
            };
            RowLook {
                cells: columns.iter().map(|(c, _)| cell(c.key)).collect(),
                ..RowLook::default()
            }
        };
        table(&PEOPLE, false).draw(ui, shifted(area), &mut state, row, |_, _| Vec::new());
    }

    fn moves(&self, app: &App, ui: &mut Ui<'_>, area: Rect, p: &Proposal) {
        let money = |n: i64| fmt::money(app.snap.book.reporting_money(n));
        let mut state = ListState {
            len: p.moves.len(),
            cursor: self.cursor.min(p.moves.len().saturating_sub(1)),
            ..ListState::default()
        };
        let row = |place: usize, columns: &[(Column, u16)]| {
            let Some(m) = p.moves.get(place) else {
                return RowLook::default();
            };
            let cell = |key: &str| -> Vec<Bit<'_>> {
                match key {
                    "name" => vec![bit(m.name.clone(), Role::Text)],
                    "to" => vec![
                        bit(p.people[m.from].name.clone(), Role::Muted),
                        bit(" → ", Role::Muted),
                        bit(p.people[m.to].name.clone(), Role::Strong),
                    ],
                    "relief" => vec![bit(format!("{:.2}", m.relief), Role::Good)],
                    "hours" => vec![bit(
                        m.hours.map_or_else(|| "?".into(), |h| format!("{h:.0}")),
                        Role::Text,
                    )],
                    "arr" => vec![bit(m.arr.map_or_else(|| "?".into(), money), Role::Text)],
                    "note" => vec![bit(m.note.clone(), Role::Muted)],
                    _ => Vec::new(),
                }
            };
            let dropped = self.dropped.contains(&place);
            RowLook {
                sign: Some(bit(
                    if dropped { "·" } else { "■" },
                    if dropped { Role::Muted } else { Role::Mark },
                )),
                cells: columns.iter().map(|(c, _)| cell(c.key)).collect(),
                faint: dropped,
            }
        };
        let before = ui.hits.len();
        table(&MOVES, true).draw(ui, shifted(area), &mut state, row, |_, _| Vec::new());
        // A row of this list is a choice of the box, not a row of a pane.
        for (_, hit) in ui.hits.iter_mut().skip(before) {
            if let Hit::Row(_, place) = hit {
                *hit = Hit::Choice(*place);
            }
        }
    }

    fn bottom(&self, ui: &mut Ui<'_>, inner: Rect, n: usize) {
        let y = inner.bottom() - 1;
        let Some(yes) = self.asking else {
            let key = |k: &'static str| bit(k, Role::Key);
            let what = |t: String| bit(t, Role::Muted);
            ui.line(
                inner.x,
                y,
                inner.width,
                &[
                    key("space"),
                    what(" drop or take  ".into()),
                    key("enter"),
                    what(if n > 0 {
                        format!(" do {n}  ")
                    } else {
                        " close  ".into()
                    }),
                    key("esc"),
                    what(" leave it as it is".into()),
                ],
            );
            return;
        };
        let question = format!(
            "Give {} another CSM, each by an owner command? ",
            fmt::counted(n, "account")
        );
        let mut x = inner.x + ui.put(inner.x, y, inner.width, &question, Role::Watch);
        for (n, text, focus) in [(CANCEL, " Cancel (n) ", !yes), (APPLY, " Do it (y) ", yes)] {
            let role = if focus { Role::TabActive } else { Role::Muted };
            let used = ui.put(x, y, inner.right().saturating_sub(x), text, role);
            let button = Rect::new(x, y, used, 1);
            if focus {
                ui.tint(button, Role::Cursor);
            }
            ui.hit(button, Hit::Choice(n));
            x += used + 1;
        }
    }
}

fn table(columns: &[Column], focus: bool) -> Table<'_> {
    Table {
        pane: 0,
        columns,
        sort: None,
        focus,
        notes: 0,
        titles: true,
    }
}

/// A table has room for a bar and a sign in front, which the box has already.
fn shifted(area: Rect) -> Rect {
    let by = (LEAD - 2).min(1);
    Rect {
        x: area.x.saturating_sub(by),
        width: area.width + by,
        ..area
    }
}
