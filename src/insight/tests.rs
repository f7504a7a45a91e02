//! The figures on a small book.

use super::reasons::line;
use super::*;
use crate::book::{
    Account, Book, Calendar, Entity, Escalation, Facts, LocalId, Money, Overlay, Person, Renewal,
    RowDelta, Task,
};
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 22);

fn account(id: u32, health: Option<u8>, arr: i64) -> (Account, Facts) {
    let account = Account {
        id: LocalId(id),
        name: format!("Account {id}"),
        health,
        health_at: Some(date(2026, 11, 20)),
        arr: Money::new(arr * 100, "USD"),
        ..Account::default()
    };
    (account, Facts::default())
}

fn risk(id: u32, account: u32, opened: &str) -> Escalation {
    Escalation {
        id: LocalId(id),
        account: Some(LocalId(account)),
        reason: Some("Adoption".into()),
        priority_kind: Some("high".into()),
        opened: opened.parse().ok(),
        ..Escalation::default()
    }
}

fn renewal(id: u32, account: u32, due: Option<Date>, amount: i64) -> Renewal {
    Renewal {
        id: LocalId(id),
        account: Some(LocalId(account)),
        due,
        amount: Money::new(amount * 100, "USD"),
        ..Renewal::default()
    }
}

fn make(delta: RowDelta) -> (Book, crate::book::Derived) {
    let book = Book::empty().apply(delta, &Overlay::default());
    let derived = derive(&book, TODAY, &Rules::default());
    (book, derived)
}

#[test]
fn the_queue_is_what_is_above_the_threshold_or_has_an_open_risk() {
    let (mut snoozed, mut due, mut resolved, mut resolved_long_ago) = (
        account(4, Some(10), 100),
        account(5, Some(10), 100),
        account(6, Some(10), 100),
        account(7, Some(10), 100),
    );
    snoozed.0.snoozed_until = Some(date(2026, 11, 23));
    due.0.snoozed_until = Some(TODAY);
    let at = "2026-11-10T00:00:00Z".parse().ok();
    resolved.0.resolved_at = at;
    resolved.0.resolved_reasons = Some(fingerprint(ReasonKind::BadHealth.bit()));
    resolved_long_ago.0.resolved_at = at;
    resolved_long_ago.0.resolved_reasons = Some(fingerprint(ReasonKind::WatchHealth.bit()));
    let (mut again, mut same) = (account(8, Some(90), 100), account(9, Some(90), 100));
    again.0.resolved_at = at;
    same.0.resolved_at = at;
    let (book, derived) = make(RowDelta {
        accounts: vec![
            account(1, Some(90), 100),
            account(2, Some(39), 100),
            account(3, Some(90), 100),
            snoozed,
            due,
            resolved,
            resolved_long_ago,
            again,
            same,
        ],
        escalations: vec![
            risk(1, 3, "2026-11-01T00:00:00Z"),
            risk(2, 8, "2026-11-11T00:00:00Z"),
            risk(3, 9, "2026-11-09T00:00:00Z"),
        ],
        ..RowDelta::default()
    });
    let queue: Vec<u32> = book
        .accounts()
        .filter(|a| derived.in_queue(a.row()))
        .map(|a| a.id().0)
        .collect();
    assert_eq!(queue, [2, 3, 5, 7, 8]);
}

#[test]
fn what_is_at_stake_is_the_target_else_the_arr_else_the_amount() {
    let mut target = renewal(1, 1, Some(date(2027, 1, 1)), 70);
    target.target = Money::new(5_000, "USD");
    let mut francs = account(4, Some(10), 1);
    francs.0.arr = Money::new(100, "CHF");
    let mut credit = account(5, Some(10), 1);
    credit.0.arr = Money::new(-100, "USD");
    let mut without = account(3, Some(10), 0);
    without.0.arr = None;
    let (book, derived) = make(RowDelta {
        accounts: vec![
            account(1, Some(10), 100),
            account(2, Some(10), 100),
            without,
            francs,
            credit,
        ],
        renewals: vec![target, renewal(2, 3, None, 70)],
        ..RowDelta::default()
    });
    let stakes: Vec<i64> = book
        .accounts()
        .map(|a| derived.account(a.row()).at_stake)
        .collect();
    assert_eq!(stakes, [5_000, 10_000, 7_000, 0, 0]);
    let francs = explain(&book.account(3), &derived, TODAY, &Rules::default());
    assert!(
        francs
            .caveats
            .iter()
            .any(|c| c.contains("no rate from CHF"))
    );
}

#[test]
fn urgency_is_the_product_and_sorts_the_queue() {
    let (book, derived) = make(RowDelta {
        accounts: vec![
            account(1, Some(10), 1_000),
            account(2, Some(10), 1_000),
            account(3, Some(50), 10_000),
        ],
        renewals: vec![
            renewal(1, 1, Some(date(2027, 5, 21)), 1),
            renewal(2, 2, Some(date(2026, 12, 1)), 1),
        ],
        escalations: vec![risk(1, 3, "2026-11-01T00:00:00Z")],
        ..RowDelta::default()
    });
    let d = derived.account(0);
    assert_eq!((d.loss, d.closeness), (0.55, 0.5));
    assert!((d.urgency - 0.55 * 100_000.0 * 0.5).abs() < 0.1);
    let mut rows: Vec<u32> = (0..3).collect();
    let scope = crate::book::Scope {
        book: &book,
        derived: &derived,
        today: TODAY,
        me: None,
        calendar: Calendar::default(),
        judge: &(),
    };
    order(
        &scope,
        Entity::Account,
        &mut rows,
        &default_keys(Entity::Account, true),
    );
    assert_eq!(rows, [2, 1, 0]);
}

#[test]
fn reasons_come_with_number_age_and_source() {
    let mut a = account(1, Some(35), 100);
    a.1.health_before = Some(44);
    a.1.health_source = Some("cs".into());
    a.1.usage = [Some(100); 12];
    a.1.usage[10] = Some(62);
    a.1.usage[11] = Some(62);
    a.1.usage_at = Some(date(2026, 11, 14));
    a.1.usage_source = Some("cs\u{1b}[2J".into());
    a.1.sponsor_left = Some(date(2026, 11, 13));
    a.1.urgent_tickets = 2;
    a.1.open_tickets = 2;
    let (book, derived) = make(RowDelta {
        accounts: vec![a],
        escalations: vec![risk(1, 1, "2026-11-19T08:00:00Z")],
        ..RowDelta::default()
    });
    let rules = Rules::default();
    let all: Vec<String> = reasons(&book.account(0), &derived, TODAY)
        .iter()
        .map(Reason::line)
        .collect();
    assert_eq!(
        all,
        [
            "high risk: Adoption (3d old)",
            "health 35 (2d old, cs)",
            "sponsor left (9d old)",
            "usage −38% in 30d (2d old, cs␛[2J)",
            "2 urgent tickets",
            "health −9 in 30d (2d old, cs)",
            "no renewal date (counts as close)",
        ]
    );
    assert!(line(&book.account(0), &derived, TODAY, &rules).ends_with("· +4"));
    let why = explain(&book.account(0), &derived, TODAY, &rules);
    assert_eq!(why.steps[0].value, "85%");
    assert!(why.membership.starts_with("In the queue"));
    // The bits of the column and the words are the same reasons.
    let bits = why.derived.reasons;
    assert_eq!(bits.count_ones() as usize, all.len());
}

#[test]
fn rederiving_what_changed_equals_deriving_everything() {
    let (book, derived) = make(RowDelta {
        accounts: (1..=50)
            .map(|i| account(i, Some(i as u8 * 2), 10))
            .collect(),
        ..RowDelta::default()
    });
    let delta = RowDelta {
        accounts: vec![account(7, Some(1), 99)],
        escalations: vec![risk(1, 9, "2026-11-01T00:00:00Z")],
        removed: vec![(Entity::Account, LocalId(3))],
        ..RowDelta::default()
    };
    let touched = book.touched_by(&delta);
    let next = book.apply(delta, &Overlay::default());
    let rules = Rules::default();
    let some = rederive(&derived, &next, touched, TODAY, &rules);
    let all = derive(&next, TODAY, &rules);
    for a in next.accounts() {
        let (x, y) = (some.account(a.row()), all.account(a.row()));
        assert_eq!((x.loss, x.at_stake, x.flags), (y.loss, y.at_stake, y.flags));
    }
}

#[test]
fn the_pipeline_adds_up_and_weighs() {
    let with = |mut r: Renewal, kind: &str, forecast: Option<&str>, p: Option<u8>| {
        r.stage_kind = Some(kind.into());
        r.forecast = forecast.map(Into::into);
        r.probability = p;
        r
    };
    let day = date(2026, 12, 1);
    let mut francs = renewal(9, 1, Some(day), 0);
    francs.amount = Money::new(100, "CHF");
    let (book, derived) = make(RowDelta {
        accounts: vec![account(1, Some(90), 100), account(2, Some(10), 100)],
        renewals: vec![
            with(renewal(1, 1, Some(day), 100), "won", None, None),
            with(
                renewal(2, 1, Some(day), 200),
                "open",
                Some("commit"),
                Some(90),
            ),
            with(renewal(3, 2, Some(day), 300), "open", Some("best"), None),
            with(
                renewal(4, 2, Some(day), 400),
                "lost",
                Some("omitted"),
                Some(80),
            ),
            with(
                renewal(5, 1, Some(date(2026, 9, 1)), 500),
                "open",
                None,
                None,
            ),
            with(
                renewal(6, 1, Some(date(2025, 9, 1)), 600),
                "won",
                None,
                None,
            ),
            with(renewal(7, 1, None, 700), "open", None, None),
            with(
                renewal(8, 1, Some(date(2030, 1, 1)), 800),
                "open",
                None,
                None,
            ),
            francs,
        ],
        ..RowDelta::default()
    });
    let settings = forecast::Settings::default();
    let p = pipeline(
        &book,
        &derived,
        TODAY,
        &Calendar::default(),
        2,
        None,
        &settings,
    );
    let q = &p.quarters[0];
    assert_eq!(q.label, "Q4 2026");
    let f = &q.forecast;
    assert_eq!((f.count, f.due), (4, 100_000));
    let sum: i64 = f.categories.iter().map(|b| b.amount).sum();
    assert_eq!(sum, f.due);
    // 100 won, 200 at 90 %, 300 at 1 − 0.55, lost 0.
    assert_eq!(f.weighted, 10_000 + 18_000 + 13_500);
    assert_eq!((f.at_risk.count, f.at_risk.amount), (1, 30_000));
    assert_eq!(q.category(Category::Lost).amount, 40_000);
    assert_eq!((p.overdue.count, p.undated.count, p.later.count), (1, 1, 1));
    assert_eq!(f.coverage.words(), "4 of 5 (1 without a rate)");
    // The renewal moves to the next quarter and the totals follow.
    let book = book.apply(
        RowDelta {
            renewals: vec![with(
                renewal(2, 1, Some(date(2027, 2, 1)), 200),
                "open",
                Some("commit"),
                Some(90),
            )],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    let p = pipeline(
        &book,
        &derived,
        TODAY,
        &Calendar::default(),
        2,
        None,
        &settings,
    );
    assert_eq!(p.quarters[0].category(Category::Commit).count, 0);
    assert_eq!(p.quarters[1].category(Category::Commit).amount, 20_000);
}

#[test]
fn segments_hold_csms_against_their_bands() {
    let mut accounts: Vec<(Account, Facts)> = (1..=40).map(|i| account(i, Some(50), 10)).collect();
    for (i, (a, _)) in accounts.iter_mut().enumerate() {
        a.touch = Some(if i < 30 { "High touch" } else { "tech" }.into());
        a.csm = Some(LocalId(1));
    }
    accounts[39].0.csm = None;
    let people = vec![
        Person {
            id: LocalId(1),
            role: Some("csm".into()),
            ..Person::default()
        },
        Person {
            id: LocalId(2),
            role: Some("cs_ops".into()),
            ..Person::default()
        },
    ];
    let (book, derived) = make(RowDelta {
        accounts,
        people,
        ..RowDelta::default()
    });
    let s = segments(&book, &derived, TODAY, GroupBy::Touch, &Settings::default());
    assert_eq!(s.rows.len(), 2);
    let high = s.rows.iter().find(|r| r.key == "High touch").unwrap();
    // 30 × 75 of the CSM's 30 × 75 + 9 × 2 hours: 0.992 of a person.
    assert_eq!((high.csms, high.accounts_per_csm), (1, Some(30.24)));
    assert_eq!(high.verdict, Some(Verdict::Over));
    assert_eq!(high.arr_per_csm, Some(30_240));
    let tech = s.rows.iter().find(|r| r.key == "tech").unwrap();
    assert_eq!((tech.without_csm, tech.verdict), (1, Some(Verdict::Over)));
    assert_eq!(s.csm_per_ops, Some(1.0));
    let by_csm = segments(&book, &derived, TODAY, GroupBy::Csm, &Settings::default());
    assert_eq!(by_csm.rows.iter().map(|r| r.accounts).sum::<usize>(), 40);
}

#[test]
fn the_header_says_what_it_does_not_know() {
    let mut francs = account(3, None, 0);
    francs.0.arr = Money::new(100, "CHF");
    let (book, derived) = make(RowDelta {
        accounts: vec![account(1, Some(90), 100), account(2, Some(10), 300), francs],
        renewals: vec![
            renewal(1, 1, Some(date(2027, 1, 1)), 100),
            renewal(2, 2, Some(date(2026, 1, 1)), 300),
            renewal(3, 2, Some(date(2028, 1, 1)), 300),
        ],
        tasks: vec![
            Task {
                id: LocalId(1),
                due: Some(date(2026, 11, 21)),
                ..Task::default()
            },
            Task {
                id: LocalId(2),
                due: Some(TODAY),
                ..Task::default()
            },
        ],
        ..RowDelta::default()
    });
    let h = header(&book, &derived, TODAY, None);
    assert_eq!((h.accounts, h.arr), (3, 40_000));
    assert_eq!(h.arr_coverage.words(), "2 of 3 (1 without a rate)");
    assert_eq!((h.in_queue, h.at_risk), (1, 30_000));
    assert_eq!(
        (h.due_count, h.due, h.due_safe_share()),
        (2, 40_000, Some(0.25))
    );
    assert_eq!((h.tasks_open, h.tasks_overdue), (2, 1));
    assert_eq!((h.grr, h.nrr), (None, None));
    assert!(h.retention_reason.starts_with("n/a"));
    assert_eq!(header(&book, &derived, TODAY, Some(LocalId(9))).accounts, 0);
    let t = task_summary(&book, TODAY, &Calendar::default(), None);
    assert_eq!((t.overdue, t.today, t.oldest_overdue), (1, 1, Some(1)));
    for d in definitions() {
        assert!(!d.formula.is_empty() && definition(d.name) == Some(d));
    }
}

#[test]
fn short_money_keeps_three_figures_at_most_and_never_says_1000k() {
    let s = |m: i64| short_money(m, 2);
    assert_eq!(s(95_000), "950");
    assert_eq!(s(24_000_000), "240k");
    assert_eq!(s(99_999_900), "1M");
    assert_eq!(s(-124_000_000), "−1.24M");
    assert_eq!(short_money(1500, 0), "1.5k");
}
