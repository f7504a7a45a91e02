//! How long things take at 1,000, 100,000 and 1,000,000 accounts, each with an open renewal, a third with a task, twelve weeks of usage:
//! a real database, filled once per size, read by the real store into the real Book, drawn by the real screens.
//!
//! `cargo bench` runs all three sizes; `CSOPS_BENCH_SIZES=1000,100000` chooses others. Sizes in memory are printed as they are counted:
//! resident, without what is backed by files.

use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput};
use csops::book::{
    Book, Calendar, Clock, Cursor, Derived, Entity, FieldValue, LocalId, Money, Overlay, Record,
    RowDelta, Scope,
};
use csops::cockpit::{Cockpit, Keymap, Setup, Snapshot, SystemClock};
use csops::command::{Me, Screen};
use csops::config::Settings;
use csops::insight::{self, GroupBy, Rules};
use csops::query::{self, sort_keys};
use csops::store::{Options, PageWrite, Storage, Store, fill};
use csops::tui::app::App;
use csops::tui::draw::draw;
use csops::tui::theme::{Depth, Themes};
use jiff::{Timestamp, tz::TimeZone};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::hint::black_box;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Resident memory without what is backed by files, in MB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("RssAnon:"));
    let kb: Option<u64> = line.and_then(|l| l.split_whitespace().nth(1)?.parse().ok());
    kb.unwrap_or(0) / 1024
}

fn now() -> Timestamp {
    let noon = fill::TODAY.at(12, 0, 0, 0).to_zoned(TimeZone::UTC);
    noon.map(|z| z.timestamp()).unwrap_or_default()
}

/// The Book as the store hands it out.
fn load(runtime: &Runtime, store: &Store) -> Book {
    let book = Arc::new(Mutex::new(Book::empty()));
    let sink = book.clone();
    let none = Overlay::default();
    let done = store.load_all(Box::new(move |delta: RowDelta| {
        let mut book = sink.lock().unwrap_or_else(PoisonError::into_inner);
        book.extend(delta, &none);
    }));
    runtime.block_on(done).expect("the database can be read");
    book.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A number that looks random and is the same each time.
fn noise(n: u32, salt: u32) -> u32 {
    let mut x = (u64::from(n) << 32 | u64::from(salt)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as u32
}

/// A thousand accounts that a sync changed, all over the book.
fn changed(book: &Book) -> RowDelta {
    let bound = book.bound(Entity::Account);
    let rows = (0..1000).map(|i| noise(i, 1) % bound);
    let accounts = rows
        .filter(|r| book.is_alive(Entity::Account, *r))
        .map(|r| {
            let (mut account, mut facts) = book.account(r).to_row();
            account.health = Some((noise(r, 2) % 101) as u8);
            facts.usage[11] = Some(noise(r, 3) % 5000);
            (account, facts)
        });
    RowDelta {
        accounts: accounts.collect(),
        ..RowDelta::default()
    }
}

/// A page of accounts as a connector hands it over.
fn page(first: u32, rows: u32, health: f64, run: i64) -> PageWrite {
    let record = |n: u32| Record {
        entity: Entity::Account,
        external_id: format!("001{n:012}AAA"),
        modified: Some(now()),
        deleted: false,
        fields: vec![
            (
                "name".into(),
                FieldValue::Text(format!("Customer {n} GmbH")),
            ),
            (
                "domain".into(),
                FieldValue::Text(format!("customer{n}.example")),
            ),
            ("segment".into(), FieldValue::Text("enterprise".into())),
            ("region".into(), FieldValue::Text("EMEA".into())),
            ("owner".into(), FieldValue::Ref("005000000000001AAA".into())),
            (
                "arr".into(),
                Money::new(i64::from(n) * 100, "EUR").map_or(FieldValue::Null, FieldValue::Money),
            ),
            ("health".into(), FieldValue::Number(health)),
        ],
    };
    PageWrite {
        source: "crm".into(),
        stream: "accounts".into(),
        records: (first..first + rows).map(record).collect(),
        problems: Vec::new(),
        next: Cursor(format!("{first}")),
        run,
        now: now(),
    }
}

fn store_writes(c: &mut Criterion, runtime: &Runtime, folder: &Path) {
    const ROWS: u32 = 2000;
    let store =
        Store::open(&folder.join("upserts.db"), Options::default()).expect("a new database");
    let run = runtime
        .block_on(store.begin_run(&"crm".into(), true, now()))
        .expect("a run begins");
    let mut g = c.benchmark_group("store");
    g.sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .measurement_time(Duration::from_secs(2))
        .throughput(Throughput::Elements(u64::from(ROWS)));
    let mut n = 0;
    let write = |page| {
        runtime
            .block_on(store.apply_page(page))
            .expect("the page is written")
    };
    g.bench_function("rows inserted", |b| {
        b.iter_batched(
            || {
                n += ROWS;
                page(n, ROWS, 50.0, run)
            },
            write,
            BatchSize::PerIteration,
        )
    });
    let mut health = 0.0;
    g.bench_function("rows changed", |b| {
        b.iter_batched(
            || {
                health = (health + 1.0) % 100.0;
                page(ROWS, ROWS, health, run)
            },
            write,
            BatchSize::PerIteration,
        )
    });
    g.bench_function("rows unchanged", |b| {
        b.iter_batched(
            || page(ROWS, ROWS, health, run),
            write,
            BatchSize::PerIteration,
        )
    });
    g.finish();
}

/// A cockpit over a database that a session has used before: what it keeps for the next start is there.
fn open(db: &Path) -> Cockpit {
    let setup = Setup {
        settings: Settings::default(),
        db: db.to_owned(),
        clock: Arc::new(SystemClock::starting_at(now(), TimeZone::UTC)),
        problems: Vec::new(),
        connectors: None,
        background: false,
    };
    Cockpit::open(setup).expect("the database opens")
}

fn app(cockpit: Cockpit) -> App {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(now(), TimeZone::UTC));
    let themes = Themes::load(None, Depth::True);
    let first = themes.names().next().unwrap_or_default().to_owned();
    App::new(cockpit, clock, Arc::new(Keymap::defaults()), themes, &first)
}

/// From nothing to the first frame: the cache is read, the database opened, one frame drawn. The Book is not waited for.
fn first_frame(runtime: &Runtime, db: &Path, times: u64) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..times {
        spent += runtime.block_on(async {
            let start = Instant::now();
            let cockpit = open(db);
            let mut app = app(cockpit.clone());
            let mut buf = Buffer::empty(Rect::new(0, 0, 140, 40));
            draw(&mut app, &mut buf);
            black_box(&buf);
            let spent = start.elapsed();
            // The next one is to find the database idle.
            cockpit.loaded().await.expect("the Book is read");
            cockpit.close().await;
            spent
        });
    }
    spent
}

fn at(c: &mut Criterion, runtime: &Runtime, folder: &Path, n: u32) {
    let db = folder.join(format!("{n}.db"));
    let start = Instant::now();
    fill::generate(&db, n, 1).expect("the database is filled");
    println!("{n} accounts: filled in {:.1?}", start.elapsed());
    let before = resident();
    let start = Instant::now();
    let store = Store::open(&db, Options::default()).expect("the database opens");
    let book = load(runtime, &store);
    println!(
        "{n} accounts: read into the Book in {:.2?}",
        start.elapsed()
    );
    let rules = Rules::default();
    let derived = insight::derive(&book, fill::TODAY, &rules);
    println!(
        "{n} accounts: Book and derived columns take {} MB",
        resident().saturating_sub(before)
    );

    let mut g = c.benchmark_group(format!("{n}"));
    g.sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    g.bench_function("book from the database", |b| {
        b.iter(|| load(runtime, &store))
    });
    g.bench_function("derive", |b| {
        b.iter(|| insight::derive(&book, fill::TODAY, &rules))
    });

    let settings = insight::Settings::default();
    let scope = Scope {
        book: &book,
        derived: &derived,
        today: fill::TODAY,
        me: Some(LocalId(7)),
        calendar: Calendar::default(),
        judge: &settings,
    };
    let queries = [
        "acme",
        "\"acme\"",
        "nwtrad",
        "zzqx",
        "health<50",
        "arr>=100k",
        "owner:me",
        "segment:enterprise",
        "renewal<60d",
        "health<50 renewal<60d acme",
    ];
    for text in queries {
        let expr = query::parse(text, Entity::Account).expect("the query is right");
        g.bench_function(BenchmarkId::new("filter", text), |b| {
            b.iter(|| query::filter(&scope, Entity::Account, black_box(&expr)))
        });
    }
    let renewals = query::parse("acme", Entity::Renewal).expect("the query is right");
    g.bench_function("filter/renewals by acme", |b| {
        b.iter(|| query::filter(&scope, Entity::Renewal, &renewals))
    });
    let all: Vec<u32> = book.rows(Entity::Account).collect();
    for text in ["-urgency", "-arr,name", "name", "csm"] {
        let keys = sort_keys(Entity::Account, text).expect("the keys are right");
        g.bench_function(BenchmarkId::new("sort", text), |b| {
            b.iter_batched(
                || all.clone(),
                |mut rows| {
                    query::order(&scope, Entity::Account, &mut rows, &keys);
                    rows
                },
                BatchSize::LargeInput,
            )
        });
    }
    g.bench_function("figures/header", |b| {
        b.iter(|| insight::header(&book, &derived, fill::TODAY, None))
    });
    g.bench_function("figures/pipeline", |b| {
        b.iter(|| {
            insight::pipeline(
                &book,
                &derived,
                fill::TODAY,
                &Calendar::default(),
                4,
                None,
                &settings.forecast,
            )
        })
    });
    let settings = insight::Settings::default();
    g.bench_function("figures/segments", |b| {
        b.iter(|| insight::segments(&book, &derived, fill::TODAY, GroupBy::Touch, &settings))
    });
    let none = Overlay::default();
    g.bench_function("merge of 1000 changed", |b| {
        b.iter_batched(
            || changed(&book),
            |delta| {
                let touched = book.touched_by(&delta);
                let next = book.apply(delta, &none);
                let derived: Derived =
                    insight::rederive(&derived, &next, touched, fill::TODAY, &rules);
                (next, derived)
            },
            BatchSize::LargeInput,
        )
    });
    let before = resident();
    let next = book.apply(changed(&book), &none);
    println!(
        "{n} accounts: a rebuild with 1000 changed takes {} MB more",
        resident().saturating_sub(before)
    );
    drop(next);
    drop(derived);

    let snapshot = Snapshot::of(
        book,
        Me::default(),
        now(),
        TimeZone::UTC,
        Calendar::default(),
        insight::Settings {
            risk: rules,
            ..Default::default()
        },
    );
    {
        let _inside = runtime.enter();
        let mut app = app(Cockpit::fixed(snapshot));
        let mut buf = Buffer::empty(Rect::new(0, 0, 200, 50));
        for (name, screen) in [
            ("home", Screen::Home),
            ("queue", Screen::Queue),
            ("renewals", Screen::Renewals),
            ("segments", Screen::Segments),
            ("tasks", Screen::Tasks),
            ("sync", Screen::Sync),
        ] {
            app.goto(screen);
            // The lists are computed elsewhere; a frame is drawn of what is there.
            let until = Instant::now() + Duration::from_secs(30);
            while app
                .panes()
                .iter()
                .any(|p| p.slot().is_some() && app.view(*p).is_none())
            {
                app.refresh();
                if Instant::now() > until {
                    break;
                }
                std::thread::yield_now();
            }
            g.bench_function(BenchmarkId::new("frame", name), |b| {
                b.iter(|| draw(&mut app, &mut buf))
            });
        }
        let down = crossterm::event::Event::Key(crossterm::event::KeyEvent::from(
            crossterm::event::KeyCode::Down,
        ));
        app.goto(Screen::Queue);
        g.bench_function("key answered", |b| {
            b.iter(|| {
                app.input(&down);
                draw(&mut app, &mut buf);
            })
        });
    }
    // Leaves the picture for the next start.
    first_frame(runtime, &db, 1);
    g.bench_function("first frame from the cache", |b| {
        b.iter_custom(|times| first_frame(runtime, &db, times))
    });
    g.finish();
}

fn main() {
    let sizes = std::env::var("CSOPS_BENCH_SIZES").unwrap_or_else(|_| "1000,100000,1000000".into());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder for the databases");
    let mut c = Criterion::default().configure_from_args();
    store_writes(&mut c, &runtime, folder.path());
    for size in sizes.split(',').filter_map(|s| s.trim().parse().ok()) {
        at(&mut c, &runtime, folder.path(), size);
    }
    c.final_summary();
}
