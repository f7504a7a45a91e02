//! How long retention takes over 100,000 accounts and three years of subscriptions, 1.5 million rows, from a warm Book: the ledger, every
//! figure by every grouping, the monthly trend, the quarters and the cohorts.
//!
//! `CSOPS_BENCH_ACCOUNTS=1000` chooses another size; fifteen rows an account. What the rows take in memory is printed.

use criterion::{Criterion, SamplingMode};
use csops::book::{
    Account, Book, Calendar, Facts, LocalId, Money, Overlay, Person, Rate, RowDelta, Subscription,
};
use csops::insight::ledger::{Ledger, Mixed, build};
use csops::insight::retention::series::{Source, cohorts, monthly, quarterly};
use csops::insight::retention::{Ask, By, Policy, report};
use jiff::civil::{Date, date};
use std::hint::black_box;

const TODAY: Date = date(2026, 11, 26);

/// Resident memory without what is backed by files, in MB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("RssAnon:"));
    let kb: Option<u64> = line.and_then(|l| l.split_whitespace().nth(1)?.parse().ok());
    kb.unwrap_or(0) / 1024
}

/// A number that looks random and is the same each time.
fn noise(n: u32, salt: u32) -> u32 {
    let mut x = (u64::from(n) << 32 | u64::from(salt)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as u32
}

fn day(days: i32) -> Option<Date> {
    csops::book::day::date_of(days)
}

/// Three lines of an account, five rows each: terms of a year with a step in two of them. Some lapse, some come back, some are in euros.
fn rows(account: u32, out: &mut Vec<Subscription>) {
    let first = csops::book::day::days(date(2023, 10, 1));
    let currency = if account.is_multiple_of(4) {
        "EUR"
    } else {
        "USD"
    };
    for line in 0..3 {
        let r = |salt| noise(account * 3 + line, salt);
        let mut start = first + (r(1) % 365) as i32;
        let mut minor = i64::from(10_000 + r(2) % 5_000_000);
        let mut put = |change: &str, start: i32, end: i32, minor: i64| {
            out.push(Subscription {
                id: LocalId(out.len() as u32 + 1 + account * 15),
                account: Some(LocalId(account + 1)),
                line: Some(format!("SUB-{account}-{line}")),
                product: Some(format!("Product {}", (account + line) % 12)),
                contract: Some(format!("C-{account}")),
                change: Some(change.to_owned()),
                start: day(start),
                end: day(end),
                arr: Money::new(minor, currency),
                signed: day(start - 10),
                ..Subscription::default()
            });
        };
        for term in 0..3 {
            let end = start + 364;
            let change = if term == 0 { "new" } else { "renewal" };
            put(change, start, end, minor);
            if term < 2 {
                let step = ["amendment", "escalator"][(r(term + 10) % 2) as usize];
                minor += minor / 20;
                put(step, start + 180, end, minor);
            }
            let gap = match r(term + 20) % 20 {
                0 => 75,
                1 => 120,
                _ => 0,
            };
            minor = minor * i64::from(80 + r(term + 30) % 40) / 100;
            start = end + 1 + gap;
        }
    }
}

fn book(accounts: u32) -> Book {
    let none = Overlay::default();
    let mut book = Book::empty();
    book.extend(
        RowDelta {
            people: (1..=50)
                .map(|id| Person {
                    id: LocalId(id),
                    name: format!("Person {id}"),
                    ..Person::default()
                })
                .collect(),
            rates: [
                ("2020-01-01", 1.1),
                ("2025-06-01", 1.05),
                ("2026-06-01", 0.98),
            ]
            .into_iter()
            .zip(1..)
            .map(|((at, rate), id)| Rate {
                id: LocalId(id),
                from: "EUR".into(),
                to: "USD".into(),
                rate: Some(rate),
                at: at.parse().ok(),
                ..Rate::default()
            })
            .collect(),
            ..RowDelta::default()
        },
        &none,
    );
    let word = |list: &[&str], n: u32| Some(list[n as usize % list.len()].to_owned());
    let all = (0..accounts).map(|n| {
        let account = Account {
            id: LocalId(n + 1),
            name: format!("Account {n}"),
            segment: word(&["enterprise", "mid", "smb"], noise(n, 40)),
            touch: word(&["high", "mid", "tech"], noise(n, 41)),
            region: word(&["EMEA", "AMER", "APAC"], noise(n, 42)),
            industry: word(&["finance", "health", "retail", "media"], noise(n, 43)),
            stage: word(&["onboarding", "adoption", "mature"], noise(n, 44)),
            csm: Some(LocalId(1 + noise(n, 45) % 50)),
            ..Account::default()
        };
        (account, Facts::default())
    });
    book.extend(
        RowDelta {
            accounts: all.collect(),
            ..RowDelta::default()
        },
        &none,
    );
    let before = resident();
    let mut subscriptions = Vec::new();
    for n in 0..accounts {
        let mut own = Vec::new();
        rows(n, &mut own);
        subscriptions.extend(own);
        if subscriptions.len() >= 20_000 || n + 1 == accounts {
            let subscriptions = std::mem::take(&mut subscriptions);
            let delta = RowDelta {
                subscriptions,
                ..RowDelta::default()
            };
            book.extend(delta, &none);
        }
    }
    let (rows, megabytes) = (book.subscription_count(), resident().saturating_sub(before));
    println!(
        "{rows} subscriptions take {megabytes} MB: {} bytes each",
        (megabytes << 20) / (rows as u64).max(1)
    );
    book
}

/// The figures of the trailing twelve months by these groupings.
fn figures(book: &Book, ledger: &Ledger, by: &[By]) -> usize {
    let ask = Ask {
        from: date(2025, 11, 27),
        to: TODAY,
        policy: Policy::default(),
        by: by.to_vec(),
        with_rows: false,
        mine: None,
    };
    let r = report(book, ledger, &ask, TODAY, &Calendar::default());
    assert!(r.broken.is_empty() && r.totals.gross().is_some());
    r.grouped.iter().map(|g| g.groups.len()).sum()
}

fn series(book: &Book, ledger: &Ledger) -> usize {
    let (policy, calendar) = (Policy::default(), Calendar::default());
    let source = Source {
        book,
        ledger,
        policy: &policy,
        calendar: &calendar,
        today: TODAY,
        mine: None,
    };
    monthly(&source, 24).len() + quarterly(&source).quarters.len() + cohorts(&source, 12).len()
}

fn main() {
    let accounts = std::env::var("CSOPS_BENCH_ACCOUNTS").ok();
    let accounts = accounts.and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let mut c = Criterion::default().configure_from_args();
    let book = book(accounts);
    let others: Vec<By> = By::ALL.into_iter().filter(|b| *b != By::Product).collect();
    let ledger = build(&book, TODAY, Mixed::Exclude);
    assert_eq!(
        ledger.problems.count,
        0,
        "{:?}",
        ledger.problems.list.first()
    );
    let mut g = c.benchmark_group(format!("retention of {accounts} accounts"));
    g.sample_size(10).sampling_mode(SamplingMode::Flat);
    g.bench_function("ledger", |b| {
        b.iter(|| build(black_box(&book), TODAY, Mixed::Exclude))
    });
    g.bench_function("figures", |b| b.iter(|| figures(&book, &ledger, &[])));
    g.bench_function("figures by every grouping but product", |b| {
        b.iter(|| figures(&book, &ledger, &others))
    });
    g.bench_function("figures by product", |b| {
        b.iter(|| figures(&book, &ledger, &[By::Product]))
    });
    g.bench_function("trend, quarters and cohorts", |b| {
        b.iter(|| series(&book, &ledger))
    });
    g.bench_function("everything, the ledger included", |b| {
        b.iter(|| {
            let ledger = build(black_box(&book), TODAY, Mixed::Exclude);
            figures(&book, &ledger, &others)
                + figures(&book, &ledger, &[By::Product])
                + series(&book, &ledger)
        })
    });
    g.finish();
    c.final_summary();
}
