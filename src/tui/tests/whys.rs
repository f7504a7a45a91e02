//! Every figure on every screen answers `w` with its definition.

use super::fixture::*;
use super::keys::press;
use crate::book::LocalId;
use crate::command::Screen;
use crate::insight::definitions;
use crate::tui::app::{App, Pane};
use crate::tui::figures::grid;
use crate::tui::overlay::Overlay;
use crate::tui::theme::Depth;

/// What the figures of the panes are called, pane by pane: what stands in their heads and rows, each of which has to be found behind `w`.
const FIGURES: &[(Screen, Pane, &[&str])] = &[
    (
        Screen::Queue,
        Pane::Queue,
        &[
            "arr",
            "decide",
            "loss",
            "health",
            "health.delta",
            "usage.trend",
            "urgency",
        ],
    ),
    (
        Screen::Renewals,
        Pane::Renewals,
        &[
            "renewals_amount",
            "forecast.probability",
            "forecast.weighted",
            "forecast.due",
            "forecast.category",
            "renewal_days",
            "notice_days",
            "health",
        ],
    ),
    (
        Screen::Segments,
        Pane::Segments,
        &[
            "accounts",
            "arr",
            "accounts_per_csm",
            "arr_per_csm",
            "at_risk",
            "in_queue",
            "health_mean",
            "csm_per_ops",
            "csms",
            "cs_ops",
        ],
    ),
    (
        Screen::Segments,
        Pane::Members,
        &[
            "arr",
            "health",
            "health.delta",
            "usage.trend",
            "loss",
            "renewal_days",
            "last_touch",
        ],
    ),
    (
        Screen::Tasks,
        Pane::Tasks,
        &[
            "tasks_open",
            "tasks_overdue",
            "tasks_today",
            "tasks_week",
            "tasks_later",
            "tasks_undated",
            "tasks_done",
            "tasks_oldest",
            "health",
        ],
    ),
    (
        Screen::Sync,
        Pane::Sources,
        &[
            "source_age",
            "source_rows",
            "source_refused",
            "source_requests",
            "source_next",
            "source_changed",
        ],
    ),
    (
        Screen::Sync,
        Pane::Outbox,
        &[
            "outbox_waiting",
            "outbox_unknown",
            "outbox_failed",
            "outbox_conflict",
            "outbox_done",
        ],
    ),
];

/// What stands in the header, over every screen.
const HEADER: &[&str] = &[
    "accounts",
    "arr",
    "grr",
    "nrr",
    "at_risk",
    "in_queue",
    "due_90d",
    "due_safe",
    "tasks_overdue",
];

/// What stands on the account page.
const ACCOUNT: &[&str] = &[
    "arr",
    "health",
    "health.delta",
    "loss",
    "at_stake",
    "closeness",
    "urgency",
    "decide",
    "renewal_days",
    "notice_days",
    "last_touch",
    "nps_last",
    "tickets_open",
    "tickets_urgent",
    "usage.trend",
];

/// Goes through the box from its first figure to its last: the names seen, each held to be explained.
fn walk(app: &mut App) -> Vec<&'static str> {
    press(app, "w");
    answered(app);
    let mut seen = Vec::new();
    for _ in 0..2_000 {
        let Some(Overlay::Why(why)) = app.overlays.last() else {
            panic!("w opens nothing on {:?}", app.focus);
        };
        let place = why.place(app);
        let (title, lines) = why.lines(app, 90);
        let said: String = lines
            .iter()
            .flat_map(|l| l.iter().map(|b| b.0.as_ref()).chain(["\n"]))
            .collect();
        if let Some((page, spot)) = place {
            let name = why
                .figure_name(app, page, spot)
                .unwrap_or_else(|| panic!("{title} is nothing"));
            let definition = definitions()
                .find(|d| d.name == name)
                .unwrap_or_else(|| panic!("{name} has no definition"));
            assert!(said.contains(definition.title), "{name}: {said}");
            assert!(
                said.contains("Coverage") && said.contains("Source"),
                "{name}: {said}"
            );
            seen.push(name);
        } else {
            assert!(said.contains("the queue"), "{title}: {said}");
        }
        let before = place;
        press(app, "l");
        let Some(Overlay::Why(why)) = app.overlays.last() else {
            panic!("the box closed");
        };
        if why.place(app) == before {
            press(app, "esc");
            return seen;
        }
    }
    panic!("{:?} never ends", app.focus);
}

fn held(seen: &[&str], wanted: &[&str], what: &str) {
    for name in wanted {
        assert!(
            seen.contains(name),
            "{what}: {name} is not behind w, only {seen:?}"
        );
    }
}

#[test]
fn every_figure_of_every_pane_answers_with_its_definition() {
    let mut app = app_of(snapshot(), "dark", Depth::True);
    for (screen, pane, wanted) in FIGURES {
        app.goto(*screen);
        app.focus_on(*pane);
        answered(&mut app);
        frame(&mut app, 140, 40);
        let seen = walk(&mut app);
        held(&seen, wanted, pane.title());
        held(&seen, HEADER, pane.title());
    }
    app.goto(Screen::Home);
    app.cockpit.show_detail(LocalId(1), detail());
    app.open_account(LocalId(1));
    for pane in [Pane::Facts, Pane::Items, Pane::Timeline, Pane::Fields] {
        app.focus_on(pane);
        let seen = walk(&mut app);
        held(&seen, ACCOUNT, pane.title());
        held(&seen, HEADER, pane.title());
    }
}

#[test]
fn every_figure_of_every_page_answers_with_its_definition() {
    let mut app = app_of(snapshot(), "dark", Depth::True);
    for (name, _, _) in crate::insight::page::PAGES {
        app.goto_page(name);
        answered(&mut app);
        frame(&mut app, 200, 50);
        let page = app.metrics.page().cloned().unwrap_or_default();
        let Some(first) = grid::first(&page) else {
            continue;
        };
        app.metrics.cursor = crate::tui::metrics::Cursor::At(first);
        let seen = walk(&mut app);
        assert!(!seen.is_empty(), "{name}");
    }
}

#[test]
fn a_figure_of_the_header_is_explained_by_name_and_by_click() {
    let mut app = app_of(snapshot(), "dark", Depth::True);
    app.goto(Screen::Tasks);
    app.run_line("why at_risk");
    answered(&mut app);
    let shown = text(&frame(&mut app, 140, 40));
    assert!(
        shown.contains("ARR at risk") && shown.contains("Northwind Traders"),
        "{shown}"
    );
    press(&mut app, "esc");
    frame(&mut app, 200, 50);
    for name in ["arr", "grr", "at_risk", "due_90d", "tasks_overdue"] {
        let command = crate::tui::ui::Hit::Command(format!("why {name}"));
        assert!(
            app.hits.iter().any(|(_, h)| *h == command),
            "{name} cannot be clicked"
        );
    }
    app.run_line("why nonsense");
    assert!(
        app.message
            .as_ref()
            .is_some_and(|m| m.1.contains("is no figure"))
    );
}
