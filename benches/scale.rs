//! How long things take at 1,000, 100,000 and 1,000,000 accounts, each with an open renewal, a third with a task, twelve weeks of usage.
//!
//! `cargo bench` runs all three sizes (`CSOPS_BENCH_SIZES=1000,100000` chooses). Resident size is printed per size, at its peak.

use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode};
use csops::book::{
    Account, Book, Calendar, Derived, Entity, Facts, LocalId, Money, Overlay, Person, Renewal,
    RowDelta, Scope, Task,
};
use csops::insight::{self, GroupBy, Rules, Targets};
use csops::query::{self, sort_keys};
use jiff::civil::{Date, date};
use std::hint::black_box;
use std::time::Duration;

const TODAY: Date = date(2026, 11, 22);
/// Rows per portion, as the store hands them out.
const PORTION: u32 = 20_000;

/// A number that looks random and is the same each time.
fn noise(n: u32, salt: u32) -> u32 {
    let mut x = (u64::from(n) << 32 | u64::from(salt)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as u32
}

fn pick<'a>(from: &[&'a str], n: u32) -> &'a str {
    from[n as usize % from.len()]
}

const FIRST: [&str; 16] = [
    "Northwind",
    "Zeta",
    "Harbor",
    "Juniper",
    "Acme",
    "Grünwald",
    "Aurora",
    "Kestrel",
    "Maple",
    "Orchid",
    "Pioneer",
    "Quartz",
    "Rivera",
    "Summit",
    "Tidal",
    "Umbra",
];
const SECOND: [&str; 16] = [
    "Traders",
    "Biotech",
    "Freight",
    "Media",
    "Retail",
    "Systems",
    "Foods",
    "Energy",
    "Logistics",
    "Health",
    "Bank",
    "Software",
    "Motors",
    "Pharma",
    "Textiles",
    "株式会社",
];
const FORM: [&str; 6] = ["GmbH", "AB", "Inc", "Ltd", "SA", "Holding"];

fn account(id: u32) -> (Account, Facts) {
    let r = |salt| noise(id, salt);
    let name = format!(
        "{} {} {} {id}",
        pick(&FIRST, r(1)),
        pick(&SECOND, r(2)),
        pick(&FORM, r(3))
    );
    let level = r(4) % 5000;
    let usage = std::array::from_fn(|w| Some(level + r(5) % (50 + w as u32 * 10)));
    let account = Account {
        id: LocalId(id),
        domain: Some(format!("customer{id}.example")),
        segment: Some(pick(&["enterprise", "mid-market", "smb"], r(6)).into()),
        touch: Some(pick(&["high", "mid", "tech"], r(7)).into()),
        region: Some(pick(&["EMEA", "AMER", "APAC"], r(8)).into()),
        industry: Some(pick(&SECOND, r(2)).into()),
        csm: Some(LocalId(r(9) % 500 + 1)),
        owner: Some(LocalId(r(10) % 500 + 1)),
        arr: Money::new(
            i64::from(r(11) % 50_000_000),
            pick(&["USD", "EUR", "GBP"], r(12)),
        ),
        start: Some(date(2020 + (r(13) % 6) as i16, 1 + (r(14) % 12) as i8, 1)),
        notice_days: Some(30),
        health: (r(15) % 20 != 0).then(|| (r(16) % 101) as u8),
        health_at: Some(date(2026, 11, 20)),
        name,
        ..Account::default()
    };
    let facts = Facts {
        usage,
        usage_at: Some(date(2026, 11, 16)),
        usage_source: Some("cs".into()),
        health_before: Some((r(17) % 101) as u8),
        health_source: Some("cs".into()),
        open_tickets: (r(18) % 4) as u16,
        ticket_at: Some(date(2026, 11, 1)),
        last_touch: Some(date(2026, 10, 1 + (r(19) % 28) as i8)),
        changed_at: "2026-11-21T00:00:00Z".parse().ok(),
        ..Facts::default()
    };
    (account, facts)
}

fn renewal(id: u32) -> Renewal {
    let r = |salt| noise(id, salt + 100);
    Renewal {
        id: LocalId(id),
        account: Some(LocalId(id)),
        name: format!(
            "{} {} renewal 2027",
            pick(&FIRST, noise(id, 1)),
            pick(&SECOND, noise(id, 2))
        ),
        due: date(2026, 10, 1)
            .checked_add(jiff::Span::new().days(r(1) % 500))
            .ok(),
        amount: Money::new(i64::from(r(2) % 50_000_000), "USD"),
        stage: Some(pick(&["Proposal", "Negotiation", "Review"], r(3)).into()),
        stage_kind: Some("open".into()),
        forecast: Some(pick(&["pipeline", "best", "commit"], r(4)).into()),
        probability: Some((r(5) % 101) as u8),
        owner: Some(LocalId(r(6) % 500 + 1)),
        ..Renewal::default()
    }
}

fn task(id: u32, accounts: u32) -> Task {
    let r = |salt| noise(id, salt + 200);
    Task {
        id: LocalId(id),
        account: Some(LocalId(r(1) % accounts + 1)),
        title: format!(
            "{} the {}",
            pick(&["Call", "Prepare", "Review", "Send"], r(2)),
            pick(
                &[
                    "CFO about pricing",
                    "QBR deck",
                    "adoption plan",
                    "renewal quote"
                ],
                r(3)
            )
        ),
        due: date(2026, 11, 1)
            .checked_add(jiff::Span::new().days(r(4) % 60))
            .ok(),
        priority_kind: Some(pick(&["p1", "p2", "p3", "p4"], r(5)).into()),
        status_kind: Some("open".into()),
        owner: Some(LocalId(r(6) % 500 + 1)),
        ..Task::default()
    }
}

/// The rows of a book of that size, portion by portion.
fn portions(n: u32) -> impl Iterator<Item = RowDelta> {
    let people = RowDelta {
        people: (1..=500)
            .map(|id| Person {
                id: LocalId(id),
                name: format!("Person {id}"),
                email: Some(format!("p{id}@example.com")),
                ..Person::default()
            })
            .collect(),
        rates: ["EUR", "GBP"]
            .iter()
            .zip(1..)
            .map(|(c, id)| csops::book::Rate {
                id: LocalId(id),
                from: (*c).into(),
                to: "USD".into(),
                rate: Some(1.2),
                at: None,
            })
            .collect(),
        ..RowDelta::default()
    };
    let ranges = move |of: u32| {
        (0..of.div_ceil(PORTION)).map(move |p| p * PORTION + 1..=((p + 1) * PORTION).min(of))
    };
    std::iter::once(people)
        .chain(ranges(n).map(|r| RowDelta {
            accounts: r.map(account).collect(),
            ..RowDelta::default()
        }))
        .chain(ranges(n).map(|r| RowDelta {
            renewals: r.map(renewal).collect(),
            ..RowDelta::default()
        }))
        .chain(ranges(n * 3 / 10).map(move |r| RowDelta {
            tasks: r.map(|id| task(id, n)).collect(),
            ..RowDelta::default()
        }))
}

fn build(n: u32) -> Book {
    let mut book = Book::empty();
    let none = Overlay::default();
    for portion in portions(n) {
        book.extend(portion, &none);
    }
    book
}

/// A thousand records that a sync brought, all over the book.
fn merged(n: u32) -> RowDelta {
    RowDelta {
        accounts: (0..1000)
            .map(|i| {
                let mut a = account(noise(i, 300) % n + 1);
                a.0.health = Some((noise(i, 301) % 101) as u8);
                a.1.usage[11] = Some(noise(i, 302) % 5000);
                a
            })
            .collect(),
        ..RowDelta::default()
    }
}

/// Resident memory that is not backed by files, now and at its peak, in MB.
fn resident() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kb = |key: &str| -> Option<u64> {
        let line = status.lines().find(|l| l.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some((kb("RssAnon:")? / 1024, kb("VmHWM:")? / 1024))
}

fn at(c: &mut Criterion, n: u32) {
    let mut g = c.benchmark_group(format!("{n}"));
    g.sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    let before = resident();
    let book = build(n);
    let rules = Rules::default();
    let derived = insight::derive(&book, TODAY, &rules);
    let after = resident();
    if let (Some((before, _)), Some((after, _))) = (before, after) {
        println!(
            "{n} accounts: Book and derived columns take {} MB",
            after.saturating_sub(before)
        );
    }
    let scope = Scope {
        book: &book,
        derived: &derived,
        today: TODAY,
        me: Some(LocalId(7)),
        calendar: Calendar::default(),
    };
    g.bench_function("derive", |b| {
        b.iter(|| insight::derive(&book, TODAY, &rules))
    });
    for text in [
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
    ] {
        let expr = query::parse(text, Entity::Account).expect("the query is right");
        g.bench_function(BenchmarkId::new("filter", text), |b| {
            b.iter(|| query::filter(&scope, Entity::Account, black_box(&expr)))
        });
    }
    let renewals = query::parse("acme", Entity::Renewal).expect("the query is right");
    g.bench_function("filter renewals", |b| {
        b.iter(|| query::filter(&scope, Entity::Renewal, &renewals))
    });
    let all: Vec<u32> = book.rows(Entity::Account).collect();
    for keys in ["-urgency", "-arr,name", "name", "csm"] {
        let keys_read = sort_keys(Entity::Account, keys).expect("the keys are right");
        g.bench_function(BenchmarkId::new("sort", keys), |b| {
            b.iter_batched(
                || all.clone(),
                |mut rows| {
                    query::order(&scope, Entity::Account, &mut rows, &keys_read);
                    rows
                },
                BatchSize::LargeInput,
            )
        });
    }
    g.bench_function("header", |b| {
        b.iter(|| insight::header(&book, &derived, TODAY, None))
    });
    g.bench_function("pipeline", |b| {
        b.iter(|| insight::pipeline(&book, &derived, TODAY, &Calendar::default(), 4, None))
    });
    g.bench_function("segments", |b| {
        b.iter(|| insight::segments(&book, &derived, GroupBy::Touch, &Targets::default()))
    });
    let none = Overlay::default();
    g.bench_function("merge 1000 changed", |b| {
        b.iter_batched(
            || merged(n),
            |delta| {
                let touched = book.touched_by(&delta);
                let next = book.apply(delta, &none);
                let derived: Derived = insight::rederive(&derived, &next, touched, TODAY, &rules);
                (next, derived)
            },
            BatchSize::LargeInput,
        )
    });
    g.bench_function("build", |b| {
        b.iter_batched(
            || portions(n).collect::<Vec<_>>(),
            |all| {
                let mut book = Book::empty();
                for portion in all {
                    book.extend(portion, &none);
                }
                book
            },
            BatchSize::PerIteration,
        )
    });
    g.finish();
}

fn main() {
    let sizes = std::env::var("CSOPS_BENCH_SIZES").unwrap_or_else(|_| "1000,100000,1000000".into());
    let mut c = Criterion::default().configure_from_args();
    for size in sizes.split(',').filter_map(|s| s.trim().parse().ok()) {
        at(&mut c, size);
    }
    if let Some((_, peak)) = resident() {
        println!("peak resident size of this benchmark: {peak} MB");
    }
    c.final_summary();
}
