//! What a person waits for, at three sizes: the Book from the database, the first frame from the cache before the Book is complete, one
//! frame of each screen, and rows per second into the database. `benches/scale.rs` measures what happens in memory.
//!
//! `cargo bench --bench program -- 100000/` runs one size.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use csops::book::{Book, Clock, Cursor, Entity, FieldValue, LocalId, Overlay, Record};
use csops::cockpit::{Cockpit, Keymap, Setup, Slot, Snapshot, SystemClock};
use csops::command::{Me, Screen};
use csops::config::Settings;
use csops::insight::Rules;
use csops::store::{Options, PageWrite, Storage, Store, fill};
use csops::tui::app::App;
use csops::tui::theme::{Depth, Themes};
use jiff::{Timestamp, tz::TimeZone};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SCREENS: [Screen; 6] = [
    Screen::Home,
    Screen::Queue,
    Screen::Renewals,
    Screen::Segments,
    Screen::Tasks,
    Screen::Sync,
];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads")
}

fn load(db: &Path) -> Book {
    let runtime = runtime();
    let store = Store::open(db, Options::default()).expect("the database");
    let book = Arc::new(Mutex::new(Book::empty()));
    let into = book.clone();
    let sink = move |delta| {
        into.lock()
            .expect("the book")
            .extend(delta, &Overlay::default())
    };
    runtime
        .block_on(store.load_all(Box::new(sink)))
        .expect("the rows");
    runtime.block_on(store.close()).expect("closed");
    Arc::try_unwrap(book).map_or_else(
        |b| b.lock().expect("the book").clone(),
        |b| b.into_inner().expect("the book"),
    )
}

fn setup(db: &Path) -> Setup {
    Setup {
        settings: Settings::default(),
        db: db.to_owned(),
        clock: Arc::new(SystemClock::new(TimeZone::UTC)),
        problems: Vec::new(),
        background: false,
    }
}

fn app(cockpit: &Cockpit) -> App {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(TimeZone::UTC));
    App::new(
        cockpit.clone(),
        clock,
        Arc::new(Keymap::defaults()),
        Themes::load(None, Depth::True),
        "dark",
    )
}

/// From opening the database file to the first frame in a buffer, the Book not yet loaded.
fn first_frame(db: &Path, times: u64) -> Duration {
    let runtime = runtime();
    let _inside = runtime.enter();
    let mut spent = Duration::ZERO;
    for _ in 0..times {
        let begun = Instant::now();
        let cockpit = Cockpit::open(setup(db)).expect("the database");
        let mut app = app(&cockpit);
        app.refresh();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 140, 40));
        csops::tui::draw::draw(&mut app, &mut buffer);
        spent += begun.elapsed();
        runtime.block_on(cockpit.loaded()).expect("the book");
        runtime.block_on(cockpit.close());
    }
    spent
}

/// Rows of a vendor's page, as a connector makes them.
fn records(from: u32, count: u32) -> Vec<Record> {
    let text = |s: String| FieldValue::Text(s);
    (from..from + count)
        .map(|n| Record {
            entity: Entity::Account,
            external_id: format!("001{n:015}"),
            modified: Some(Timestamp::UNIX_EPOCH),
            deleted: false,
            fields: vec![
                ("name".into(), text(format!("Customer number {n} of many"))),
                ("domain".into(), text(format!("customer{n}.example.com"))),
                ("segment".into(), text("Enterprise".into())),
                ("region".into(), text("EMEA".into())),
                ("health".into(), FieldValue::Number(f64::from(n % 100))),
                (
                    "owner".into(),
                    FieldValue::Ref(format!("005{:015}", n % 40)),
                ),
            ],
        })
        .collect()
}

fn upserts(times: u64) -> Duration {
    let runtime = runtime();
    let mut spent = Duration::ZERO;
    for _ in 0..times {
        let folder = tempfile::tempdir().expect("a folder");
        let store =
            Store::open(&folder.path().join("u.db"), Options::default()).expect("a database");
        let source: csops::book::SourceName = "crm".into();
        let now = Timestamp::UNIX_EPOCH;
        let run = runtime
            .block_on(store.begin_run(&source, true, now))
            .expect("a run");
        for page in 0..5u32 {
            let page = PageWrite {
                source: source.clone(),
                stream: "accounts".into(),
                records: records(page * 2000, 2000),
                problems: Vec::new(),
                next: Cursor(page.to_string()),
                run,
                now,
            };
            let begun = Instant::now();
            runtime.block_on(store.apply_page(page)).expect("a page");
            spent += begun.elapsed();
        }
        runtime.block_on(store.close()).expect("closed");
    }
    spent
}

fn at(c: &mut Criterion, accounts: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let db = folder.path().join("book.db");
    fill::generate(&db, accounts, 1).expect("a filled database");
    // One visit writes the screen cache that the next one begins with.
    first_frame(&db, 1);
    let mut g = c.benchmark_group(accounts.to_string());
    g.sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(2));
    g.bench_function("book from the database", |b| b.iter(|| load(&db)));
    g.bench_function("first frame from the cache", |b| {
        b.iter_custom(|times| first_frame(&db, times))
    });

    let me = Me {
        name: "bench".into(),
        person: Some(LocalId(1)),
    };
    let now = Timestamp::now();
    let snapshot = Snapshot::of(
        load(&db),
        me,
        now,
        TimeZone::UTC,
        Default::default(),
        Rules::default(),
    );
    let cockpit = Cockpit::fixed(snapshot);
    let mut app = app(&cockpit);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 140, 40));
    for screen in SCREENS {
        app.goto(screen);
        // The lists come from their own thread; a frame is what it costs once they are there.
        let begun = Instant::now();
        let there = || {
            [Slot::Queue, Slot::Renewals, Slot::Tasks]
                .into_iter()
                .all(|s| cockpit.view(s).is_some())
        };
        while !there() && begun.elapsed() < Duration::from_secs(30) {
            std::thread::yield_now();
        }
        app.refresh();
        g.bench_function(format!("frame/{}", screen.name()), |b| {
            b.iter(|| csops::tui::draw::draw(&mut app, &mut buffer))
        });
    }
    g.finish();
}

fn benches(c: &mut Criterion) {
    let mut g = c.benchmark_group("sqlite");
    g.sample_size(10).throughput(Throughput::Elements(10_000));
    g.bench_function("upserts, 10,000 rows in pages of 2,000", |b| {
        b.iter_custom(upserts)
    });
    g.finish();
    for accounts in [1_000, 100_000, 1_000_000] {
        at(c, accounts);
    }
}

criterion_group!(all, benches);
criterion_main!(all);
