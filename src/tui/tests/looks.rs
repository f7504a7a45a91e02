//! Every screen at four sizes in a dark and the light theme, and what must never happen on any of them.

use super::fixture::*;
use crate::book::LocalId;
use crate::command::Screen;
use crate::tui::app::{App, Pane};
use crate::tui::theme::Depth;

pub(super) const SIZES: [(u16, u16); 4] = [(140, 40), (200, 50), (100, 30), (80, 24)];

/// Text once, styles of both themes.
pub(super) fn hold(name: &str, sizes: &[(u16, u16)], prepare: impl Fn(&mut App)) {
    for (w, h) in sizes {
        let mut shown = String::new();
        for theme in ["dark", "light"] {
            let mut app = app(theme);
            // The first frame decides how much room there is; what hangs on it follows.
            frame(&mut app, *w, *h);
            prepare(&mut app);
            answered(&mut app);
            let buf = frame(&mut app, *w, *h);
            if shown.is_empty() {
                shown = text(&buf);
            }
            shown.push_str(&format!("--- {theme}\n{}", styles(&buf)));
        }
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("{name}_{w}x{h}"), shown);
        });
    }
}

fn account(app: &mut App) {
    app.cockpit.show_detail(LocalId(1), detail());
    app.open_account(LocalId(1));
}

#[test]
fn home() {
    hold("home", &SIZES, |_| {});
}

#[test]
fn queue() {
    hold("queue", &SIZES, |app| app.goto(Screen::Queue));
}

#[test]
fn renewals() {
    hold("renewals", &SIZES, |app| app.goto(Screen::Renewals));
}

#[test]
fn segments() {
    hold("segments", &SIZES, |app| app.goto(Screen::Segments));
}

#[test]
fn tasks() {
    hold("tasks", &SIZES, |app| app.goto(Screen::Tasks));
}

#[test]
fn sync() {
    hold("sync", &SIZES, |app| {
        app.goto(Screen::Sync);
        app.focus_on(Pane::Outbox);
    });
}

#[test]
fn account_page() {
    hold("account", &SIZES, account);
}

#[test]
fn boxes_over_the_rest() {
    let small = [(140, 40), (80, 24)];
    hold("help", &small, |app| app.run_line("help"));
    hold("why", &small, |app| app.run_line("why"));
    hold("whatif", &small, |app| {
        app.run_line("whatif health+=45 tickets=closed risk.open=no");
        answered(app);
    });
    hold("palette", &small, |app| {
        app.run_line("palette");
        for c in "task".chars() {
            press(app, &c.to_string());
        }
    });
    hold("escalate", &small, |app| press(app, "e"));
    hold("note", &small, |app| {
        press(app, "n");
        for c in "Called: they want 3 seats less. 株式会社".chars() {
            press(app, &c.to_string());
        }
    });
    hold("filter", &small, |app| {
        app.goto(Screen::Queue);
        press(app, "/");
        for c in "hea".chars() {
            press(app, &c.to_string());
        }
    });
    hold("conflict", &small, |app| {
        app.goto(Screen::Sync);
        app.focus_on(Pane::Outbox);
        press(app, "enter");
    });
    hold("which_key", &small, |app| press(app, "r"));
}

use super::keys::press;

#[test]
fn an_empty_cockpit_explains_itself() {
    for (w, h) in SIZES {
        let mut app = app_of(
            crate::cockpit::Snapshot {
                generation: 1,
                ..Default::default()
            },
            "dark",
            Depth::True,
        );
        let shown = text(&frame(&mut app, w, h));
        assert!(shown.contains("No source is configured yet."), "{shown}");
        assert!(shown.contains("csops init"), "{shown}");
    }
}

#[test]
fn no_size_panics_and_small_ones_say_so() {
    for screen in Screen::ALL {
        for open in [false, true] {
            for (w, h) in [
                (0, 0),
                (1, 1),
                (10, 3),
                (20, 5),
                (48, 12),
                (49, 13),
                (60, 16),
                (300, 8),
                (30, 100),
                (110, 30),
                (240, 90),
            ] {
                let mut app = app("dark");
                app.goto(screen);
                if open {
                    account(&mut app);
                }
                let shown = text(&frame(&mut app, w, h));
                if w >= 12 && h >= 3 && (w < 48 || h < 12) {
                    assert!(shown.contains("csops needs"), "{w}x{h}: {shown}");
                }
                for line in [
                    "help", "why", "palette", "filter", "escalate", "snooze", "note", "owner",
                ] {
                    app.run_line(line);
                    frame(&mut app, w, h);
                }
            }
        }
    }
}

#[test]
fn hostile_text_never_reaches_the_terminal() {
    let mut app = app("dark");
    for screen in Screen::ALL {
        app.goto(screen);
        answered(&mut app);
        let buf = frame(&mut app, 200, 50);
        for cell in buf.content() {
            assert!(
                !cell.symbol().chars().any(|c| c.is_control()),
                "{:?}",
                cell.symbol()
            );
        }
    }
    account(&mut app);
    let shown = text(&frame(&mut app, 200, 50));
    assert!(shown.contains("␛]0;owned␇"), "{shown}");
}

#[test]
fn a_terminal_without_colours_still_shows_focus_and_selection() {
    use ratatui::style::{Color, Modifier};
    let mut app = app_of(snapshot(), "dark", Depth::None);
    let buf = frame(&mut app, 140, 40);
    let plain = |c: &ratatui::buffer::Cell| c.fg == Color::Reset && c.bg == Color::Reset;
    assert!(buf.content().iter().all(plain));
    let reversed = buf
        .content()
        .iter()
        .filter(|c| c.modifier.contains(Modifier::REVERSED))
        .count();
    assert!(reversed > 40, "the row in focus is reversed: {reversed}");
    assert!(text(&buf).contains('▌'));
}

#[test]
fn a_frame_builds_only_the_rows_that_it_shows() {
    use crate::book::{Account, Book, Facts, Overlay, RowDelta, Task};
    let mut delta = RowDelta::default();
    for i in 1..=20_000u32 {
        let account = Account {
            id: LocalId(i),
            name: format!("Account {i}"),
            health: Some(20),
            ..Account::default()
        };
        delta.accounts.push((account, Facts::default()));
        delta.tasks.push(Task {
            id: LocalId(i),
            account: Some(LocalId(i)),
            title: format!("Task {i}"),
            ..Task::default()
        });
    }
    let book = Book::empty().apply(delta, &Overlay::default());
    let mut s = crate::cockpit::Snapshot::of(
        book,
        Default::default(),
        now(),
        jiff::tz::TimeZone::UTC,
        Default::default(),
        Default::default(),
    );
    s.generation = 1;
    let mut app = app_of(s, "dark", Depth::True);
    for screen in [
        Screen::Home,
        Screen::Queue,
        Screen::Renewals,
        Screen::Tasks,
        Screen::Segments,
    ] {
        app.goto(screen);
        answered(&mut app);
        for keys in ["G", "g g", "ctrl-d"] {
            for key in keys.split(' ') {
                press(&mut app, key);
            }
            frame(&mut app, 140, 40);
            assert!(
                app.built <= 80,
                "{screen:?} after {keys}: {} rows for 40 lines",
                app.built
            );
        }
    }
    assert_eq!(app.view(Pane::Queue).map(|v| v.rows.len()), Some(20_000));
}

/// The fixed world with an earlier day shown: one account less in the queue, and another ARR.
fn earlier(app: &mut App) {
    let mut past = snapshot();
    past.today = jiff::civil::date(2026, 11, 3);
    past.last_visit = None;
    let mut now = snapshot();
    now.epoch = 1;
    now.generation = 2;
    now.past = Some(std::sync::Arc::new(crate::cockpit::PastDay {
        since: jiff::civil::date(2026, 1, 1),
        known: past.today,
        notes: Vec::new(),
        snapshot: std::sync::Arc::new(past),
    }));
    app.cockpit.show(now);
    answered(app);
}

#[test]
fn an_earlier_day() {
    let mut app = app("dark");
    frame(&mut app, 140, 40);
    earlier(&mut app);
    for (w, h) in SIZES {
        app.goto(Screen::Queue);
        answered(&mut app);
        let shown = text(&frame(&mut app, w, h));
        // Where it is narrow the figures of that day come first.
        assert!(shown.contains("as of 3 Nov"), "{shown}");
        assert_eq!(shown.contains("3 Nov · read-only"), w >= 100, "{shown}");
        let header = shown.lines().next().unwrap_or("");
        assert!(header.contains("at risk"), "{header}");
        assert!(shown.contains("Northwind Traders"), "{shown}");
    }
    app.goto(Screen::Tasks);
    answered(&mut app);
    let shown = text(&frame(&mut app, 140, 40));
    assert!(
        shown.contains("as of 3 Nov · this screen: today"),
        "{shown}"
    );
    app.goto(Screen::Home);
    super::keys::press(&mut app, "esc");
    assert!(matches!(
        app.asks.as_slice(),
        [crate::tui::app::Ask::Run { command, .. }] if command.to_string() == "asof today"
    ));
}
