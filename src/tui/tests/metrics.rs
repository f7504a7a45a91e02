//! The metrics screen: a page of every block at four sizes, in colour, in 16 colours and without, and what its keys do.

use super::fixture::*;
use super::keys::press;
use super::looks::{SIZES, hold};
use crate::book::LocalId;
use crate::cockpit::PageSpec;
use crate::command::Screen;
use crate::insight::Coverage;
use crate::insight::page::{
    Block, Excluded, Figure, Line, Page, State, Switch, TableRow, Target, Value, Why, WhyRow,
};
use crate::tui::app::{App, Ask, Pane};
use crate::tui::figures::{Spot, grid};
use crate::tui::metrics::Cursor;
use crate::tui::overlay::Overlay;
use crate::tui::theme::Depth;
use jiff::civil::{Date, date};

fn why() -> Why {
    Why {
        policy: String::new(),
        steps: vec![
            ("opening ARR".into(), Value::Money(842_000_000)),
            ("− churn".into(), Value::Money(41_300_050)),
            ("kept ÷ opening".into(), Value::Ratio(0.9123)),
        ],
        columns: vec!["opening".into(), "closing".into()],
        rows: vec![
            WhyRow {
                label: "Northwind Traders".into(),
                account: Some(LocalId(1)),
                values: vec![Value::Money(24_000_000), Value::Money(18_000_000)],
                note: "contraction of 3 Nov".into(),
            },
            WhyRow {
                label: "Zeta Biotech 株式会社".into(),
                account: Some(LocalId(2)),
                values: vec![Value::Money(11_800_000), Value::Money(0)],
                note: String::new(),
            },
        ],
        rows_in: 12_345,
        left_out: vec![Excluded {
            row: "Café \u{1b}[31mrouge, line 2, 2026-02-30".into(),
            reason: "its currency has no rate".into(),
        }],
        rows_out: 1,
        coverage: Coverage {
            known: 12_345,
            of: 12_346,
            no_rate: 1,
        },
        as_of: Some(date(2026, 11, 20)),
        source: "crm, files".into(),
    }
}

fn figure(name: &'static str, label: &str, value: Value, state: State) -> Figure {
    Figure {
        state,
        ..Figure::new(name, label, value, why())
    }
}

fn wanted(f: Figure, from: Option<Value>, to: Option<Value>) -> Figure {
    Figure {
        target: Some(Target {
            from,
            to,
            source: "a survey, 2024".into(),
        }),
        ..f
    }
}

/// A page with every block, value and state.
pub fn page() -> Page {
    let ratio = |name, label: &str, n, state| figure(name, label, Value::Ratio(n), state);
    let money =
        |name, label: &str, n: i64, state| figure(name, label, Value::Money(n * 100), state);
    let month = |n: i16| -> Date {
        let m = 10 + n;
        date(2024 + m / 12, (m % 12 + 1) as i8, 28)
    };
    let line = |label: &str, from: f64, step: f64| Line {
        label: label.into(),
        points: (0..25)
            .map(|n| {
                let wave = f64::from(n * n % 7) / 400.0;
                let v = from + f64::from(n) * step + wave;
                (month(n), ratio("grr", "", v, State::Plain))
            })
            .collect(),
    };
    let per_csm = |n: f64, state| {
        wanted(
            figure("accounts_per_csm", "", Value::Number(n, 1), state),
            Some(Value::Number(20.0, 0)),
            Some(Value::Number(75.0, 0)),
        )
    };
    let row = |label: &str, account: Option<u32>, cells| TableRow {
        label: label.into(),
        account: account.map(LocalId),
        cells,
    };
    let heat = |label: &str, values: &[f64]| TableRow {
        label: label.into(),
        account: None,
        cells: values
            .iter()
            .map(|v| {
                if *v < 0.0 {
                    Figure::default()
                } else {
                    ratio("grr", "", *v, State::Plain)
                }
            })
            .collect(),
    };
    Page {
        name: "overview",
        title: "Overview",
        badge: "window range · denominator opening · netting account · late grace:60d · fx constant".into(),
        sentence: "Of every $100 a year ago $91.23 are still here; what left went mostly in the mid-market, and two accounts make half of it.".into(),
        switches: vec![
            Switch {
                name: "denominator",
                title: "denominator",
                values: vec!["opening".into(), "due".into()],
                current: "opening".into(),
            },
            Switch {
                name: "fx",
                title: "exchange rates",
                values: vec!["constant".into(), "plan".into(), "reported".into()],
                current: "constant".into(),
            },
        ],
        blocks: vec![
            Block::Figures {
                title: "Retention, twelve months".into(),
                figures: vec![
                    wanted(ratio("grr", "GRR", 0.9123, State::Good), Some(Value::Ratio(0.9)), None),
                    wanted(ratio("nrr", "NRR", 1.0842, State::Watch), Some(Value::Ratio(1.1)), None),
                    wanted(ratio("coverage", "logo churn", 0.083, State::Bad), None, Some(Value::Ratio(0.05))),
                    figure("grr", "renewal rate", Value::None("nothing was due".into()), State::Plain),
                    money("arr", "opening ARR", 8_420_000, State::Plain),
                    figure("closeness", "to close", Value::Days(12.0), State::Plain),
                ],
            },
            Block::Lines {
                title: "GRR and NRR by month".into(),
                lines: vec![
                    line("GRR", 0.88, 0.001),
                    line("NRR", 1.0, 0.004),
                    line("renewal rate", 0.93, -0.001),
                ],
                mark: Some(Value::Ratio(0.9)),
            },
            Block::Waterfall {
                title: "From the opening to the closing ARR".into(),
                steps: vec![
                    money("arr", "opening", 8_420_000, State::Plain),
                    money("arr", "new", 610_000, State::Plain),
                    money("arr", "expansion", 724_500, State::Plain),
                    money("arr", "reactivation", 0, State::Plain),
                    money("arr", "contraction", -325_000, State::Plain),
                    money("arr", "churn", -413_000, State::Plain),
                    money("arr", "closing", 9_016_500, State::Plain),
                ],
            },
            Block::Bars {
                title: "Against their target".into(),
                bars: vec![
                    wanted(ratio("grr", "enterprise", 0.95, State::Good), Some(Value::Ratio(0.92)), None),
                    wanted(ratio("grr", "mid-market", 0.86, State::Watch), Some(Value::Ratio(0.9)), None),
                    wanted(ratio("grr", "smb", 0.71, State::Bad), Some(Value::Ratio(0.85)), None),
                    figure("grr", "without a segment", Value::None("no row".into()), State::Plain),
                ],
            },
            Block::Table {
                title: "By segment".into(),
                columns: vec!["ARR".into(), "GRR".into(), "accounts/CSM".into(), "who leads it".into()],
                rows: vec![
                    row("enterprise", None, vec![
                        money("arr", "", 5_100_000, State::Plain),
                        ratio("grr", "", 0.95, State::Good),
                        per_csm(9.0, State::Watch),
                        Figure::text("Dana Weiss"),
                    ]),
                    row("mid-market", None, vec![
                        money("arr", "", 2_400_000, State::Plain),
                        ratio("grr", "", 0.86, State::Watch),
                        per_csm(96.0, State::Bad),
                        Figure::text("Bo Nilsson"),
                    ]),
                    row("Northwind Traders and Sons International", Some(1), vec![
                        money("arr", "", 920_000, State::Plain),
                        figure("grr", "", Value::None("no opening".into()), State::Plain),
                        per_csm(40.0, State::Good),
                        Figure::text("Chidi Okafor"),
                    ]),
                ],
                empty: String::new(),
            },
            Block::Heat {
                title: "GRR by cohort and year".into(),
                columns: vec!["year 1".into(), "year 2".into(), "year 3".into(), "year 4".into()],
                rows: vec![
                    heat("2022", &[0.97, 0.91, 0.83, 0.70]),
                    heat("2023", &[0.95, 0.88, 0.86, -1.0]),
                    heat("2024", &[0.93, 1.0, -1.0, -1.0]),
                    heat("2025", &[0.99, -1.0, -1.0, -1.0]),
                ],
                scale: (0.7, 1.0),
                empty: String::new(),
            },
            Block::Table {
                title: "What moves when exchange rates are those of the day".into(),
                columns: vec!["from".into(), "to".into()],
                rows: Vec::new(),
                empty: "No row moves: every account is in the reporting currency. Rates stand under [money] in config.toml.".into(),
            },
            Block::Text {
                text: "Months before the first sync come from the subscriptions; the later ones from the history that csops keeps every day.".into(),
            },
        ],
    }
}

/// The metrics screen with that page.
fn shown(theme: &str, depth: Depth) -> App {
    let mut app = app_of(snapshot(), theme, depth);
    open(&mut app);
    app
}

/// Tabs that stay what they are, whatever pages there will be.
fn tabs(app: &mut App) {
    app.metrics.pages = vec![
        ("overview", "Overview"),
        ("retention", "Retention"),
        ("forecast", "Forecast"),
        ("health", "Health"),
        ("capacity", "Capacity"),
        ("growth", "Growth"),
        ("onboarding", "Onboarding"),
        ("voice", "Customer voice"),
        ("quality", "Data quality"),
        ("trends", "Trends"),
    ];
}

fn open(app: &mut App) {
    tabs(app);
    app.cockpit
        .show_page(PageSpec::of("overview", false), page());
    app.goto_page("overview");
    app.refresh();
}

#[test]
fn a_page_of_every_block() {
    hold("page", &SIZES, open);
    // What lies further down.
    hold("page_end", &SIZES[2..], |app| {
        open(app);
        press(app, "G");
    });
}

#[test]
fn the_first_page() {
    hold("metrics", &SIZES, |app| {
        tabs(app);
        app.goto(Screen::Metrics);
    });
}

#[test]
fn a_figure_explained() {
    hold("page_why", &SIZES, |app| {
        open(app);
        press(app, "l");
        press(app, "w");
    });
}

#[test]
fn few_colours_and_none() {
    for (name, depth) in [("16", Depth::Sixteen), ("none", Depth::None)] {
        for (w, h) in [(140, 50), (100, 30)] {
            let mut app = shown("dark", depth);
            let first = frame(&mut app, w, h);
            press(&mut app, "G");
            let last = frame(&mut app, w, h);
            let out = format!(
                "{}{}\n{}{}",
                text(&first),
                styles(&first),
                text(&last),
                styles(&last)
            );
            insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(format!("page_colours_{name}_{w}x{h}"), out);
            });
        }
    }
}

#[test]
fn without_colour_shades_and_states_are_read_from_signs() {
    let mut app = shown("dark", Depth::None);
    let seen = text(&frame(&mut app, 200, 80));
    for sign in [
        "91.2% ✓",
        "108.4% ▼!",
        "8.3% ▲✗", // figures and their targets
        "70.0%▼",
        "100.0%▲", // both ends of the heat table
        "● GRR",
        "▲ NRR",
        "■ renewal rate", // lines
        "+$610k",
        "−$413k",
        "▓",
        "░", // up and down
    ] {
        assert!(seen.contains(sign), "{sign} is not in\n{seen}");
    }
}

#[test]
fn the_cursor_reaches_every_figure_and_each_answers() {
    for (w, h) in [(200, 50), (140, 40), (80, 24)] {
        let mut app = shown("dark", Depth::True);
        frame(&mut app, w, h);
        let page = page();
        let mut all = vec![grid::first(&page).expect("a figure")];
        while let Some(next) = grid::step(&page, all[all.len() - 1], true) {
            all.push(next);
        }
        assert!(all.len() > 100);
        // From anywhere: a search along all four directions finds every place.
        let mut seen = std::collections::HashSet::new();
        let mut open = vec![(app.metrics.cursor, app.metrics.top)];
        while let Some((cursor, top)) = open.pop() {
            if !seen.insert(format!("{cursor:?}")) {
                continue;
            }
            for key in ["h", "j", "k", "l", "tab"] {
                (app.metrics.cursor, app.metrics.top) = (cursor, top);
                press(&mut app, key);
                frame(&mut app, w, h);
                open.push((app.metrics.cursor, app.metrics.top));
            }
        }
        for spot in &all {
            let cursor = format!("{:?}", Cursor::At(*spot));
            assert!(seen.contains(&cursor), "{w}x{h}: {cursor} is out of reach");
        }
        assert!(seen.contains(&format!("{:?}", Cursor::Switch(1))));
    }
}

#[test]
fn the_cursor_is_always_in_sight() {
    for (w, h) in [(200, 50), (100, 30), (80, 24), (60, 14)] {
        let mut app = shown("dark", Depth::True);
        frame(&mut app, w, h);
        for key in
            "j j j j j j j j l j j l j tab tab j j k k k k tab j j h h k k k k k k".split(' ')
        {
            press(&mut app, key);
            let buf = frame(&mut app, w, h);
            let m = &app.metrics;
            if let (Cursor::At(spot), Some(page)) = (m.cursor, m.page()) {
                let place = &m.places[spot.block];
                let (first, _) = crate::tui::panes::metrics::layout::line_of(
                    &page.blocks[spot.block],
                    place,
                    spot,
                );
                let line = place.y + first;
                assert!(
                    (m.top..m.top + m.height).contains(&line),
                    "{w}x{h} after {key}: line {line} of {:?} is not in {}..+{}\n{}",
                    m.cursor,
                    m.top,
                    m.height,
                    text(&buf)
                );
            }
        }
    }
}

#[test]
fn switches_are_flipped_and_taken_back() {
    let mut app = shown("dark", Depth::True);
    for fx in ["plan", "reported"] {
        let mut flipped = page();
        flipped.switches[1].current = fx.into();
        let spec = PageSpec::of("overview", false).with("fx", fx);
        app.cockpit.show_page(spec, flipped);
    }
    frame(&mut app, 140, 40);
    press(&mut app, "k");
    assert_eq!(app.metrics.cursor, Cursor::Switch(0));
    press(&mut app, "l");
    press(&mut app, "enter");
    assert_eq!(
        app.page_spec().choices.get("fx").map(String::as_str),
        Some("plan")
    );
    app.run_line("switch fx reported");
    assert_eq!(
        app.page_spec().choices.get("fx").map(String::as_str),
        Some("reported")
    );
    app.run_line("switch nonsense");
    assert!(
        app.message
            .as_ref()
            .is_some_and(|m| m.1.contains("it has denominator, fx"))
    );
    app.run_line("switch fx nonsense");
    assert!(
        app.message
            .as_ref()
            .is_some_and(|m| m.1.contains("one of constant, plan, reported"))
    );
    press(&mut app, "esc");
    assert!(app.page_spec().choices.is_empty());
    assert_eq!(app.screen, Screen::Metrics);
    press(&mut app, "esc");
    assert_eq!(app.screen, Screen::Home);
}

#[test]
fn enter_opens_the_rows_account_and_y_copies_the_value() {
    let mut app = shown("dark", Depth::True);
    frame(&mut app, 200, 60);
    press(&mut app, "y");
    assert!(
        matches!(&app.asks[..], [Ask::Copy(t)] if t == "0.9123"),
        "{:?}",
        app.asks
    );
    app.metrics.cursor = Cursor::At(Spot {
        block: 4,
        row: 2,
        col: 0,
    });
    // What acts on accounts acts on the row's.
    assert_eq!(app.account_in_focus(), Some(LocalId(1)));
    press(&mut app, "enter");
    assert_eq!(app.account, Some(LocalId(1)));
    press(&mut app, "esc");
    assert_eq!(
        (app.account, app.screen, app.focus),
        (None, Screen::Metrics, Pane::Metrics)
    );
    app.metrics.cursor = Cursor::At(Spot {
        block: 0,
        row: 0,
        col: 0,
    });
    press(&mut app, "enter");
    assert!(matches!(app.overlays.last(), Some(Overlay::Why(_))));
}

#[test]
fn a_click_takes_a_figure_and_a_second_one_explains_it() {
    let mut app = shown("dark", Depth::True);
    frame(&mut app, 140, 40);
    let spot = Spot {
        block: 0,
        row: 0,
        col: 1,
    };
    for _ in 0..2 {
        frame(&mut app, 140, 40);
        let at = app
            .hits
            .iter()
            .rev()
            .find(|(_, h)| *h == crate::tui::ui::Hit::Spot(spot))
            .map(|(r, _)| (r.x, r.y))
            .expect("the figure can be clicked");
        app.input(&ratatui::crossterm::event::Event::Mouse(
            ratatui::crossterm::event::MouseEvent {
                kind: ratatui::crossterm::event::MouseEventKind::Down(
                    ratatui::crossterm::event::MouseButton::Left,
                ),
                column: at.0,
                row: at.1,
                modifiers: ratatui::crossterm::event::KeyModifiers::NONE,
            },
        ));
        assert_eq!(app.metrics.cursor, Cursor::At(spot));
    }
    assert!(matches!(app.overlays.last(), Some(Overlay::Why(_))));
}

#[test]
fn pages_are_reached_by_key_and_by_name() {
    use crate::insight::page::PAGES;
    let mut app = app_of(snapshot(), "dark", Depth::True);
    for (name, _, _) in PAGES {
        app.run_line("goto home");
        app.run_line(&format!("goto metrics {name}"));
        assert_eq!((app.screen, app.metrics.name()), (Screen::Metrics, *name));
        app.run_line(&format!("page {name}"));
        assert_eq!(app.metrics.name(), *name);
    }
    let last = app.metrics.name();
    press(&mut app, "]");
    assert_eq!(app.metrics.name(), PAGES[0].0);
    press(&mut app, "[");
    assert_eq!(app.metrics.name(), last);
    app.run_line("page nonsense");
    assert!(
        app.message
            .as_ref()
            .is_some_and(|m| m.1.contains("is no page"))
    );
}

#[test]
fn a_newer_page_leaves_the_cursor_on_its_row() {
    let mut app = shown("dark", Depth::True);
    frame(&mut app, 140, 40);
    app.metrics.cursor = Cursor::At(Spot {
        block: 4,
        row: 2,
        col: 1,
    });
    let mut newer = page();
    if let Some(Block::Table { rows, .. }) = newer.blocks.get_mut(4) {
        rows.remove(0);
    }
    app.cockpit
        .show_page(PageSpec::of("overview", false), newer);
    app.refresh();
    assert_eq!(
        app.metrics.cursor,
        Cursor::At(Spot {
            block: 4,
            row: 1,
            col: 1
        })
    );
}

#[test]
fn only_the_rows_in_sight_are_built() {
    let mut long = page();
    let cells = || vec![figure("arr", "", Value::Money(1), State::Plain); 3];
    long.blocks = vec![Block::Table {
        title: "Long".into(),
        columns: ["a", "b", "c"].map(str::to_owned).to_vec(),
        rows: (0..50_000)
            .map(|n| TableRow {
                label: format!("row {n}"),
                account: None,
                cells: cells(),
            })
            .collect(),
        empty: String::new(),
    }];
    let mut app = app_of(snapshot(), "dark", Depth::True);
    app.cockpit.show_page(PageSpec::of("overview", false), long);
    app.goto_page("overview");
    for key in ["j", "ctrl-d", "G", "k"] {
        press(&mut app, key);
        frame(&mut app, 140, 40);
        assert!(app.built <= 40, "{} rows after {key}", app.built);
    }
    assert_eq!(
        app.metrics.cursor,
        Cursor::At(Spot {
            block: 0,
            row: 49_998,
            col: 0
        })
    );
}
