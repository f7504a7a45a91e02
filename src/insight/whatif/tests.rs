//! Before and after on a small book, worked by hand.

use super::*;
use crate::book::{Account, Escalation, Facts, Money, Renewal};
use crate::insight::derive;
use crate::insight::health::Drive;
use jiff::civil::date;
use proptest::prelude::*;

const TODAY: Date = date(2026, 11, 22);

/// Acme 100k, bad health of the vendor's, an open risk, in commit, due on 20 December (28 days); Boreal 300k, good, due on 1 March;
/// Cirrus 50k without anything.
fn book() -> Book {
    let account = |id: u32, name: &str, arr: i64, health: Option<u8>| Account {
        id: LocalId(id),
        name: name.into(),
        arr: Money::new(arr * 100_000, "USD"),
        health,
        health_at: Some(TODAY),
        ..Account::default()
    };
    let renewal = |id: u32, account: u32, due: Date, amount: i64, forecast: &str| Renewal {
        id: LocalId(id),
        account: Some(LocalId(account)),
        due: Some(due),
        amount: Money::new(amount * 100_000, "USD"),
        target: Money::new(amount * 100_000, "USD"),
        forecast: Some(forecast.into()),
        probability: Some(80),
        ..Renewal::default()
    };
    let mut facts = Facts {
        usage: [Some(100); 12],
        usage_at: Some(date(2026, 11, 16)),
        last_touch: Some(date(2026, 11, 8)),
        open_tickets: 4,
        urgent_tickets: 3,
        ..Facts::default()
    };
    (facts.usage[10], facts.usage[11]) = (Some(50), Some(50));
    let delta = RowDelta {
        accounts: vec![
            (account(1, "Acme", 100, Some(30)), facts),
            (account(2, "Boreal", 300, Some(90)), Facts::default()),
            (account(3, "Cirrus", 50, None), Facts::default()),
        ],
        renewals: vec![
            renewal(1, 1, date(2026, 12, 20), 100, "commit"),
            renewal(2, 2, date(2027, 3, 1), 300, "best"),
        ],
        escalations: vec![Escalation {
            id: LocalId(1),
            account: Some(LocalId(1)),
            ..Escalation::default()
        }],
        ..RowDelta::default()
    };
    Book::empty().apply(delta, &Overlay::default())
}

struct Room {
    book: Book,
    derived: Derived,
    calendar: Calendar,
    settings: Settings,
}

impl Room {
    fn new(drive: Drive) -> Room {
        let mut settings = Settings::default();
        settings.risk.health.drive = drive;
        let book = book();
        Room {
            derived: derive(&book, TODAY, &settings.risk),
            book,
            calendar: Calendar::default(),
            settings,
        }
    }
    fn ask(&self, id: u32, line: &str) -> Result<WhatIf, String> {
        let ground = Ground {
            book: &self.book,
            derived: &self.derived,
            today: TODAY,
            calendar: &self.calendar,
            settings: &self.settings,
        };
        whatif(&ground, Some(LocalId(id)), line)
    }
}

fn of(pairs: &[Pair], label: &str) -> (Value, Value) {
    let p = pairs.iter().find(|p| p.label == label).unwrap();
    (p.before.clone(), p.after.clone())
}

fn money(thousands: i64) -> Value {
    Value::Money(thousands * 100_000)
}

#[test]
fn a_risk_closed_and_health_won_back_move_the_row_and_the_book() {
    let room = Room::new(Drive::Vendor);
    let w = room.ask(1, "health=80 risk.open=no").unwrap();
    assert_eq!(w.title, "Acme");
    assert_eq!(of(&w.moved, "health"), (Value::Count(30), Value::Count(80)));
    let (before, after) = of(&w.figures, "probability of loss");
    let (before, after) = (before.number().unwrap(), after.number().unwrap());
    assert!((before - 0.85).abs() < 1e-6 && (after - 0.05).abs() < 1e-6);
    // 85 % and 5 % of 100k, in full: the decision is in 28 days.
    assert_eq!(of(&w.figures, "expected loss"), (money(85), money(5)));
    assert_eq!(of(&w.figures, "urgency"), (money(85), money(5)));
    assert_eq!(of(&w.figures, "in the queue").1, Value::Text("no".into()));
    assert_eq!(of(&w.book, "ARR at risk"), (money(100), money(0)));
    assert_eq!(
        of(&w.book, "in the queue"),
        (Value::Count(1), Value::Count(0))
    );
    // Boreal 5 % of 300k, Cirrus 25 % of 50k: 27.5k beside Acme's.
    let (before, after) = of(&w.book, "expected loss");
    assert_eq!(before, Value::Money(11_250_000));
    assert_eq!(after, Value::Money(3_250_000));
    let (before, after) = of(&w.book, "expected GRR in a year");
    assert!((before.number().unwrap() - (1.0 - 112.5 / 450.0)).abs() < 1e-6);
    assert!((after.number().unwrap() - (1.0 - 32.5 / 450.0)).abs() < 1e-6);
}

#[test]
fn a_signal_moves_our_score_and_the_probability_only_where_ours_counts() {
    let vendor = Room::new(Drive::Vendor);
    let w = vendor.ask(1, "usage.trend=0 tickets=closed").unwrap();
    let (x, y) = of(&w.figures, "csops' health");
    assert!(y.number() > x.number(), "{x:?} {y:?}");
    let loss = of(&w.figures, "probability of loss");
    assert_eq!(loss.0, loss.1);
    assert!(w.notes[0].contains("drive = \"csops\""), "{:?}", w.notes);
    let ours = Room::new(Drive::Csops);
    let w = ours.ask(1, "usage.trend=0 tickets=closed").unwrap();
    let (before, after) = of(&w.figures, "probability of loss");
    assert!(after.number() < before.number());
    assert_eq!(w.notes.len(), 1);
}

#[test]
fn moves_are_relative_bounded_and_say_what_is_wrong() {
    let room = Room::new(Drive::Vendor);
    let after = |line: &str, label: &str| of(&room.ask(1, line).unwrap().moved, label).1;
    assert_eq!(after("health+=10", "health"), Value::Count(40));
    assert_eq!(after("health-=90", "health"), Value::Count(0));
    assert_eq!(after("usage+=20%", "usage"), Value::Count(60));
    assert_eq!(after("usage.trend=-10%", "usage.trend"), Value::Ratio(-0.1));
    assert_eq!(after("touch.age=0", "touch.age"), Value::Days(0.0));
    assert_eq!(after("tickets.urgent=7", "tickets.urgent"), Value::Count(7));
    assert_eq!(
        after("signal:csat+=3", "signal:csat"),
        Value::Number(3.0, 2)
    );
    assert_eq!(
        after("renewal+=30d", "renewal"),
        Value::Date(date(2027, 1, 19))
    );
    assert_eq!(
        after("forecast=best", "forecast"),
        Value::Text("best".into())
    );
    for (line, says) in [
        ("", "say what is to be moved"),
        ("helth=3", "did you mean `health`?"),
        ("slip-comits", "did you mean `slip-commits`?"),
        ("health=120", "must lie between 0 and 100"),
        ("health=80%", "takes a number"),
        ("usage.trend=-150%", "cannot fall by more than 100%"),
        ("nps=soon", "takes a number, not `soon`"),
        ("sentiment=fine", "takes one of good, watch, bad"),
        ("renewal=soon", "takes a day such as"),
        ("health", "did you mean `health=…`?"),
        ("lose-top-0", "write a number of accounts"),
    ] {
        let error = room.ask(1, line).unwrap_err();
        assert!(error.contains(says), "{line}: {error}");
    }
    let error = room.ask(3, "usage.trend=0").unwrap_err();
    assert!(
        error.contains("no usage is known of four weeks before"),
        "{error}"
    );
    let error = room.ask(3, "probability=10").unwrap_err();
    assert!(error.contains("no renewal is open"), "{error}");
    let error = room.ask(99, "health=1").unwrap_err();
    assert!(error.contains("#99 is not in the book"), "{error}");
}

#[test]
fn a_renewals_probability_moves_the_forecast() {
    let room = Room::new(Drive::Vendor);
    let w = room.ask(1, "probability=50").unwrap();
    let (before, after) = of(&w.figures, "weighted forecast");
    let quarter = of(&w.book, "weighted forecast Q4 2026");
    assert_eq!((before.clone(), after.clone()), quarter);
    let moved = before.number().unwrap() - after.number().unwrap();
    assert!(moved > 0.0, "{before:?} {after:?}");
}

#[test]
fn all_commits_slip_a_quarter_and_the_largest_accounts_are_lost() {
    let room = Room::new(Drive::Vendor);
    let w = room.ask(1, "slip-commits").unwrap();
    assert!(w.title.contains("1 renewals"), "{}", w.title);
    assert_eq!(of(&w.book, "due Q4 2026"), (money(100), money(0)));
    assert_eq!(of(&w.book, "due Q1 2027"), (money(300), money(400)));
    assert_eq!(of(&w.book, "ARR"), (money(450), money(450)));
    let w = room.ask(1, "lose-top-2").unwrap();
    assert_eq!(of(&w.book, "ARR"), (money(450), money(50)));
    assert_eq!(of(&w.book, "accounts"), (Value::Count(3), Value::Count(1)));
    assert_eq!(of(&w.book, "due Q1 2027"), (money(300), money(0)));
    assert_eq!(of(&w.book, "ARR at risk"), (money(100), money(0)));
    // Of 450k there remain 50k less a quarter of it.
    let after = of(&w.book, "expected GRR in a year").1.number().unwrap();
    assert!((after - 37.5 / 450.0).abs() < 1e-6, "{after}");
    assert!(w.title.contains("Boreal, Acme"), "{}", w.title);
    // More than there are is all of them.
    let all = room.ask(1, "lose-top-9").unwrap();
    assert_eq!(of(&all.book, "accounts").1, Value::Count(0));
}

#[test]
fn what_can_be_moved_is_listed_and_defined() {
    let w = Room::new(Drive::Vendor).ask(1, "nps=9").unwrap();
    for p in w.figures.iter().chain(&w.book) {
        assert!(crate::insight::definition(p.name).is_some(), "{}", p.name);
    }
    assert!(
        MOVES
            .iter()
            .all(|(n, help)| !n.is_empty() && !help.is_empty())
    );
}

proptest! {
    #[test]
    fn what_moves_nothing_changes_nothing_and_the_book_stays_as_it_is(line in "[a-z.:+=0-9%-]{0,24}( [a-z.=0-9-]{1,12})?") {
        let room = Room::new(Drive::Csops);
        // Whatever is typed is answered or refused.
        let _ = room.ask(1, &line);
        let same = room.ask(1, "health+=0 tickets+=0").unwrap();
        prop_assert!(same.figures.iter().chain(&same.book).all(|p| !p.moves()));
        prop_assert_eq!(room.book.account(0).health(), Some(30));
    }
}

#[test]
fn the_page_shows_both_sides_or_says_why_not() {
    use crate::insight::page::{Block, Choices, Input};
    let room = Room::new(Drive::Vendor);
    let make = |line: &str| {
        let choices =
            Choices::from([("account", "1"), ("line", line)].map(|(k, v)| (k.into(), v.into())));
        super::page(&Input {
            book: &room.book,
            derived: &room.derived,
            today: TODAY,
            calendar: &room.calendar,
            settings: &room.settings,
            mine: None,
            history: &crate::book::History::default(),
            choices: &choices,
            forecasts: &[],
        })
    };
    let page = make("health=80");
    let rows: usize = page
        .blocks
        .iter()
        .map(|b| match b {
            Block::Table { rows, .. } => rows.len(),
            _ => 0,
        })
        .sum();
    assert_eq!((page.sentence.as_str(), rows), ("Acme", 1 + 13 + 10));
    let wrong = make("helth=80");
    assert!(
        matches!(&wrong.blocks[0], Block::Text { text } if text.contains("did you mean `health`?"))
    );
}
