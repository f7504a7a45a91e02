//! How long it takes to find the fewest moves for 5,000 accounts and 50 CSMs, and to count how the work is spread.

use criterion::{Criterion, criterion_group, criterion_main};
use csops::book::{
    Account, Book, Calendar, Facts, LocalId, Money, Overlay, Person, RowDelta, Scope,
};
use csops::insight::capacity::rebalance::{Wish, propose};
use csops::insight::capacity::spread::Spread;
use csops::insight::{GroupBy, Settings, derive};
use jiff::civil::{Date, date};
use std::hint::black_box;
use std::time::Duration;

const TODAY: Date = date(2026, 11, 22);

/// A number that looks random and is the same each time.
fn noise(n: u32, salt: u32) -> u32 {
    let mut x = (u64::from(n) << 32 | u64::from(salt)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) as u32
}

/// A third of the CSMs has half of the work, in three regions; some have left, some have just begun.
fn book(accounts: u32, csms: u32) -> Book {
    let people = (1..=csms).map(|id| Person {
        id: LocalId(id),
        name: format!("CSM {id}"),
        email: Some(format!("csm{id}@example.com")),
        role: Some("csm".into()),
        start: Some(if id % 20 == 0 {
            date(2026, 10, 1)
        } else {
            date(2022, 1, 1)
        }),
        active: Some(id % 25 != 1),
        region: Some(["EMEA", "AMER", "APAC"][(id % 3) as usize].into()),
        ..Person::default()
    });
    let rows = (1..=accounts).map(|id| {
        let busy = noise(id, 1).is_multiple_of(2);
        let among = if busy { csms / 3 } else { csms };
        let csm = noise(id, 2) % among + 1;
        let touch = match noise(id, 3) % 20 {
            0 => "high",
            1..=5 => "mid",
            _ => "tech",
        };
        let arr = match touch {
            "high" => 90_000,
            "mid" => 25_000,
            _ => 3_000,
        };
        let account = Account {
            id: LocalId(id),
            name: format!("Account {id}"),
            touch: Some(touch.into()),
            region: Some(["EMEA", "AMER", "APAC"][(csm % 3) as usize].into()),
            csm: Some(LocalId(csm)),
            arr: Money::new(i64::from(arr + noise(id, 4) % arr) * 100, "USD"),
            start: Date::new(2018 + (noise(id, 5) % 8) as i16, 3, 1).ok(),
            ..Account::default()
        };
        (account, Facts::default())
    });
    let delta = RowDelta {
        people: people.collect(),
        accounts: rows.collect(),
        ..RowDelta::default()
    };
    Book::empty().apply(delta, &Overlay::default())
}

fn rebalance(c: &mut Criterion) {
    let settings = Settings::default();
    let mut g = c.benchmark_group("rebalance");
    g.sample_size(10).measurement_time(Duration::from_secs(3));
    for (accounts, csms) in [(500, 10), (5_000, 50)] {
        let book = book(accounts, csms);
        let derived = derive(&book, TODAY, &settings.risk);
        let scope = Scope {
            book: &book,
            derived: &derived,
            today: TODAY,
            me: None,
            calendar: Calendar::default(),
            judge: &settings,
        };
        if let Ok(p) = propose(&scope, &settings, &Wish::default()) {
            println!(
                "{accounts} accounts, {csms} CSMs: {} moves, overload {:.2} to {:.2} people",
                p.moves.len(),
                p.before,
                p.after
            );
        }
        g.bench_function(format!("{accounts} accounts of {csms} CSMs"), |b| {
            b.iter(|| black_box(propose(&scope, &settings, &Wish::default())))
        });
        g.bench_function(format!("spread of {accounts}"), |b| {
            b.iter(|| Spread::of(&book, &derived, TODAY, &settings).by(GroupBy::Csm))
        });
    }
    g.finish();
}

criterion_group!(benches, rebalance);
criterion_main!(benches);
