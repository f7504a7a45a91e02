//! What keys, pastes and clicks do, and what they cost.

use super::fixture::*;
use crate::book::LocalId;
use crate::cockpit::keymap::{Chord, Key};
use crate::command::Screen;
use crate::tui::app::{App, Ask, Pane};
use crate::tui::draw::draw;
use crate::tui::overlay::Overlay;
use crate::tui::term::{Counting, Steady};
use crate::tui::ui::Hit;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::sync::atomic::Ordering;

/// Presses a key by its name in the keymap.
pub fn press(app: &mut App, key: &str) {
    let chord = Chord::parse(key).expect(key);
    let code = match chord.key {
        Key::Char(c) => KeyCode::Char(c),
        Key::F(n) => KeyCode::F(n),
        Key::Named("enter") => KeyCode::Enter,
        Key::Named("esc") => KeyCode::Esc,
        Key::Named("tab") if chord.shift => KeyCode::BackTab,
        Key::Named("tab") => KeyCode::Tab,
        Key::Named("down") => KeyCode::Down,
        Key::Named("up") => KeyCode::Up,
        Key::Named("backspace") => KeyCode::Backspace,
        Key::Named(other) => panic!("no key {other} here"),
    };
    let mut m = KeyModifiers::NONE;
    if chord.ctrl {
        m |= KeyModifiers::CONTROL;
    }
    if chord.alt {
        m |= KeyModifiers::ALT;
    }
    app.input(&Event::Key(KeyEvent::new(code, m)));
}

fn type_text(app: &mut App, text: &str) {
    for c in text.chars() {
        app.input(&Event::Key(KeyEvent::new(
            KeyCode::Char(c),
            KeyModifiers::NONE,
        )));
    }
}

/// The command lines that the screen asked the cockpit to run, with how many things each is about.
fn runs(app: &mut App) -> Vec<(String, usize)> {
    std::mem::take(&mut app.asks)
        .into_iter()
        .filter_map(|a| match a {
            Ask::Run {
                command, selection, ..
            } => {
                let mut line = command.spec.name.to_owned();
                for arg in &command.args {
                    line.push(' ');
                    line.push_str(arg);
                }
                for (name, value) in &command.flags {
                    line.push_str(&format!(" --{name} {value}"));
                }
                Some((line, selection.targets.len() + selection.items.len()))
            }
            _ => None,
        })
        .collect()
}

fn ready() -> App {
    let mut app = app("dark");
    frame(&mut app, 140, 40);
    app
}

#[test]
fn the_morning_by_keys() {
    let mut app = ready();
    press(&mut app, "a");
    assert_eq!(runs(&mut app), [("ack".to_owned(), 1)]);
    press(&mut app, "n");
    type_text(&mut app, "two lines");
    press(&mut app, "alt-enter");
    app.input(&Event::Paste("second\r\nthird".into()));
    press(&mut app, "enter");
    assert_eq!(
        runs(&mut app),
        [("note two lines\nsecond\nthird".to_owned(), 1)]
    );
    press(&mut app, "e");
    press(&mut app, "down");
    press(&mut app, "down");
    press(&mut app, "enter");
    type_text(&mut app, "sponsor gone");
    press(&mut app, "enter");
    assert_eq!(
        runs(&mut app),
        [("escalate --to L1 --reason sponsor gone".to_owned(), 1)]
    );
    for _ in 0..3 {
        press(&mut app, "space");
    }
    press(&mut app, "s");
    type_text(&mut app, "2026-12-01");
    press(&mut app, "enter");
    assert_eq!(runs(&mut app), [("snooze 2026-12-01".to_owned(), 3)]);
    press(&mut app, "u");
    assert_eq!(runs(&mut app), [("undo".to_owned(), 0)]);
    press(&mut app, "4");
    press(&mut app, "d");
    assert_eq!(runs(&mut app), [("task done".to_owned(), 1)]);
    assert!(app.overlays.is_empty());
}

#[test]
fn the_first_choice_of_a_list_is_taken_by_enter_and_a_wrong_day_is_told() {
    let mut app = ready();
    press(&mut app, "x");
    press(&mut app, "enter");
    press(&mut app, "enter");
    assert_eq!(runs(&mut app), [("resolve saved".to_owned(), 1)]);
    press(&mut app, "s");
    type_text(&mut app, "someday");
    press(&mut app, "enter");
    assert!(runs(&mut app).is_empty());
    let shown = text(&frame(&mut app, 140, 40));
    assert!(shown.contains("`someday` is not a day"), "{shown}");
    press(&mut app, "esc");
    assert!(app.overlays.is_empty());
}

#[test]
fn the_filter_narrows_while_it_is_typed_and_escape_takes_it_back() {
    let mut app = ready();
    press(&mut app, "1");
    press(&mut app, "/");
    type_text(&mut app, "northwind");
    answered(&mut app);
    assert_eq!(app.view(Pane::Queue).map(|v| v.rows.len()), Some(1));
    press(&mut app, "enter");
    assert!(app.overlays.is_empty());
    assert_eq!(app.asked[Pane::Queue as usize].query, "northwind");
    press(&mut app, "/");
    type_text(&mut app, " healht<3");
    let shown = text(&frame(&mut app, 140, 40));
    assert!(shown.contains("column 11"), "{shown}");
    press(&mut app, "esc");
    assert_eq!(app.asked[Pane::Queue as usize].query, "northwind");
    press(&mut app, "esc");
    answered(&mut app);
    assert!(app.view(Pane::Queue).is_some_and(|v| v.rows.len() > 5));
}

#[test]
fn the_palette_completes_runs_and_explains() {
    let mut app = ready();
    press(&mut app, ":");
    type_text(&mut app, "goto ren");
    press(&mut app, "tab");
    press(&mut app, "enter");
    assert_eq!(app.screen, Screen::Renewals);
    press(&mut app, ":");
    type_text(&mut app, "sno");
    press(&mut app, "enter");
    assert!(
        matches!(app.overlays.last(), Some(Overlay::Form(_))),
        "a command that needs something asks for it"
    );
    press(&mut app, "esc");
    press(&mut app, ":");
    type_text(&mut app, "snooze +3d");
    press(&mut app, "enter");
    assert_eq!(runs(&mut app), [("snooze +3d".to_owned(), 1)]);
    press(&mut app, ":");
    type_text(&mut app, "frobnicate");
    press(&mut app, "enter");
    assert!(
        app.message
            .as_ref()
            .is_some_and(|(_, m)| m.contains("there is no command `frobnicate`"))
    );
}

#[test]
fn a_range_and_all_that_match_are_marked() {
    let mut app = ready();
    press(&mut app, "1");
    press(&mut app, "V");
    press(&mut app, "j");
    press(&mut app, "j");
    assert_eq!(app.list(Pane::Queue).marks.len(), 3);
    press(&mut app, "k");
    assert_eq!(app.list(Pane::Queue).marks.len(), 2);
    press(&mut app, "V");
    press(&mut app, "a");
    assert_eq!(runs(&mut app), [("ack".to_owned(), 2)]);
    press(&mut app, "*");
    let all = app.view(Pane::Queue).map_or(0, |v| v.rows.len());
    assert_eq!(app.list(Pane::Queue).marks.len(), all);
    press(&mut app, "M");
    assert!(app.list(Pane::Queue).marks.is_empty());
}

#[test]
fn a_refresh_never_moves_the_cursor_off_its_account() {
    let mut app = ready();
    press(&mut app, "1");
    for _ in 0..4 {
        press(&mut app, "j");
    }
    let id = app.list(Pane::Queue).id;
    let mut s = snapshot();
    s.generation = 2;
    // Most of the accounts above it leave.
    let delta = crate::book::RowDelta {
        seq: 2,
        removed: (1..=3)
            .map(|i| (crate::book::Entity::Account, LocalId(i)))
            .filter(|(_, i)| Some(*i) != id)
            .collect(),
        ..Default::default()
    };
    let book = s.book.apply(delta, &Default::default());
    let mut s2 = crate::cockpit::Snapshot::of(
        book,
        s.me.clone(),
        now(),
        jiff::tz::TimeZone::UTC,
        Default::default(),
        Default::default(),
    );
    s2.generation = 2;
    app.cockpit.show(s2);
    answered(&mut app);
    assert_eq!(app.list(Pane::Queue).id, id);
    assert_eq!(app.id_at(Pane::Queue, app.list(Pane::Queue).cursor), id);
}

#[test]
fn the_mouse_selects_scrolls_and_clicks_tabs() {
    let mut app = ready();
    let at = |app: &App, wanted: &dyn Fn(&Hit) -> bool| {
        let (r, _) = app
            .hits
            .iter()
            .find(|(_, h)| wanted(h))
            .expect("something to click")
            .clone();
        (r.x, r.y)
    };
    let click = |app: &mut App, (column, row): (u16, u16)| {
        app.input(&Event::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }));
    };
    let place = at(&app, &|h| *h == Hit::Row(Pane::Tasks as usize, 2));
    click(&mut app, place);
    assert_eq!((app.focus, app.list(Pane::Tasks).cursor), (Pane::Tasks, 2));
    let place = at(&app, &|h| *h == Hit::Command("goto queue".into()));
    click(&mut app, place);
    assert_eq!(app.screen, Screen::Queue);
    frame(&mut app, 100, 12);
    app.input(&Event::Mouse(MouseEvent {
        kind: MouseEventKind::ScrollDown,
        column: 20,
        row: 5,
        modifiers: KeyModifiers::NONE,
    }));
    let top = app.list(Pane::Queue).top;
    assert!(
        (1..=3).contains(&top),
        "scrolled as far as there are rows: {top}"
    );
    app.dirty = false;
    app.input(&Event::Mouse(MouseEvent {
        kind: MouseEventKind::Moved,
        column: 20,
        row: 5,
        modifiers: KeyModifiers::NONE,
    }));
    assert!(!app.dirty, "a moved mouse costs no frame");
}

#[test]
fn what_cannot_run_says_why_and_unknown_keys_say_where_help_is() {
    let mut s = snapshot();
    s.read_only = true;
    let mut app = app_of(s, "dark", crate::tui::theme::Depth::True);
    press(&mut app, "a");
    assert!(runs(&mut app).is_empty());
    assert!(
        app.message
            .as_ref()
            .is_some_and(|(_, m)| m.contains("read-only")),
        "{:?}",
        app.message
    );
    press(&mut app, "ctrl-t");
    assert!(
        app.message
            .as_ref()
            .is_some_and(|(_, m)| m.contains("? lists the keys")),
        "{:?}",
        app.message
    );
}

#[test]
fn what_cannot_be_undone_asks_with_cancel_in_focus() {
    let mut app = ready();
    press(&mut app, "5");
    app.focus_on(Pane::Outbox);
    press(&mut app, "D");
    let asked = std::mem::take(&mut app.asks);
    let Some(Ask::Run {
        command,
        selection,
        draft,
        ..
    }) = asked.into_iter().next()
    else {
        panic!("nothing was asked");
    };
    app.done(
        command,
        selection,
        draft,
        Err(crate::cockpit::CommandError::NeedsConfirmation(
            "What it wanted is forgotten.".into(),
        )),
    );
    press(&mut app, "enter");
    assert!(app.asks.is_empty() && app.overlays.is_empty());
}

/// Bytes that a key costs on a real terminal's wire.
fn cost(app: &mut App, key: &str) -> u64 {
    let out = Counting::new(Vec::new());
    let bytes = out.counter();
    let options = TerminalOptions {
        viewport: Viewport::Fixed(Rect::new(0, 0, 140, 40)),
    };
    let mut screen = Terminal::with_options(
        Steady {
            inner: CrosstermBackend::new(out),
        },
        options,
    )
    .expect("a terminal");
    screen.draw(|f| draw(app, f.buffer_mut())).expect("a frame");
    let before = bytes.load(Ordering::Relaxed);
    press(app, key);
    screen.draw(|f| draw(app, f.buffer_mut())).expect("a frame");
    bytes.load(Ordering::Relaxed) - before
}

#[test]
fn moving_the_cursor_sends_few_bytes_and_nothing_sends_next_to_none() {
    let mut app = ready();
    press(&mut app, "2");
    let moved = cost(&mut app, "j");
    assert!(moved < 6_000, "{moved} bytes for one row down");
    app.message = None;
    let still = cost(&mut app, "ctrl-l");
    assert!(still < 64, "{still} bytes for a frame that is the same");
}

#[test]
fn nothing_is_drawn_when_nothing_changed() {
    let mut app = ready();
    assert!(!app.dirty);
    app.input(&Event::FocusGained);
    app.input(&Event::Key(KeyEvent {
        kind: ratatui::crossterm::event::KeyEventKind::Release,
        ..KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE)
    }));
    assert!(!app.dirty);
    press(&mut app, "j");
    assert!(app.dirty);
}

#[test]
fn a_rebalance_is_looked_at_thinned_out_and_done_as_owner_commands() {
    use crate::book::{Account, Book, Facts, Money, Person, RowDelta};
    let mut app = ready();
    let mut s = (*app.snap).clone();
    let person = |id, name: &str, email: &str| Person {
        id: LocalId(id),
        name: name.into(),
        email: Some(email.into()),
        role: Some("csm".into()),
        ..Person::default()
    };
    let account = |id| Account {
        id: LocalId(id),
        name: format!("Account {id}"),
        touch: Some("high".into()),
        csm: Some(LocalId(1)),
        arr: Money::new(1_000_000, "USD"),
        ..Account::default()
    };
    let delta = RowDelta {
        people: vec![
            person(1, "Dana Weiss", "dana@example.com"),
            person(2, "Bo Nilsson", "bo@example.com"),
        ],
        accounts: (1..=20).map(|id| (account(id), Facts::default())).collect(),
        ..RowDelta::default()
    };
    s.book = Book::empty().apply(delta, &crate::book::Overlay::default());
    s.derived = crate::insight::derive(&s.book, s.today, &s.settings.risk);
    s.epoch += 1;
    s.generation += 1;
    app.cockpit.show(s);
    answered(&mut app);
    app.run_line("rebalance");
    while app.cockpit.proposal(&Default::default()).is_none() {
        std::thread::yield_now();
    }
    // 20 × 75 hours of 1,170, and 15 accounts at most: five have to go.
    let shown = text(&frame(&mut app, 140, 40));
    assert!(
        shown.contains("5 of 5 moves · no fewer would do"),
        "{shown}"
    );
    assert!(
        shown.contains("128% → 96%") && shown.contains("20 → 15"),
        "{shown}"
    );
    press(&mut app, "space");
    let shown = text(&frame(&mut app, 140, 40));
    assert!(
        shown.contains("4 of 5 moves") && shown.contains("20 → 16"),
        "{shown}"
    );
    for (w, h) in [(48, 12), (60, 16), (80, 24), (200, 50)] {
        frame(&mut app, w, h);
    }
    press(&mut app, "enter");
    // Cancel is in focus.
    press(&mut app, "enter");
    assert!(runs(&mut app).is_empty());
    press(&mut app, "enter");
    assert!(text(&frame(&mut app, 140, 40)).contains("Give 4 accounts another CSM"));
    press(&mut app, "y");
    let done = runs(&mut app);
    assert_eq!(done.len(), 4);
    assert!(
        done.iter()
            .all(|d| *d == ("owner bo@example.com".to_owned(), 1)),
        "{done:?}"
    );
    assert!(app.overlays.is_empty());
}
