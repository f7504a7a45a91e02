//! What holds of a Book whatever enters it.

use super::*;
use crate::book::change::{Change, FieldChange};
use crate::book::{Account, Escalation, Facts, FieldValue, Person, Renewal, Target, Task};
use jiff::civil::date;
use proptest::prelude::*;

fn account(id: u32, name: &str) -> (Account, Facts) {
    let account = Account {
        id: LocalId(id),
        name: name.into(),
        arr: Money::new(i64::from(id) * 100, "EUR"),
        ..Account::default()
    };
    (account, Facts::default())
}

fn renewal(id: u32, account: u32, due: Option<Date>, kind: &str) -> Renewal {
    Renewal {
        id: LocalId(id),
        account: Some(LocalId(account)),
        name: format!("renewal {id}"),
        due,
        stage_kind: Some(kind.into()),
        ..Renewal::default()
    }
}

#[test]
fn the_earliest_open_renewal_and_the_most_urgent_open_risk_stand_for_the_account() {
    let book = Book::empty().apply(
        RowDelta {
            accounts: vec![account(1, "Acme")],
            renewals: vec![
                renewal(1, 1, Some(date(2026, 3, 1)), "won"),
                renewal(2, 1, None, "open"),
                renewal(3, 1, Some(date(2027, 1, 1)), "open"),
                renewal(4, 1, Some(date(2026, 12, 1)), "open"),
            ],
            escalations: [(1, "low"), (2, "critical"), (3, "high")]
                .map(|(id, p)| Escalation {
                    id: LocalId(id),
                    account: Some(LocalId(1)),
                    priority_kind: Some(p.into()),
                    ..Escalation::default()
                })
                .into(),
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    let a = book.account_by_id(LocalId(1)).unwrap();
    assert_eq!(a.renewal_date(), Some(date(2026, 12, 1)));
    assert_eq!(a.open_risk().unwrap().id(), LocalId(2));
    // The renewal closes, the risk is closed: the next ones stand for it.
    let closed = Escalation {
        id: LocalId(2),
        account: Some(LocalId(1)),
        status_kind: Some("closed".into()),
        ..Escalation::default()
    };
    let next = book.apply(
        RowDelta {
            renewals: vec![renewal(4, 1, Some(date(2026, 12, 1)), "lost")],
            escalations: vec![closed],
            removed: vec![(Entity::Renewal, LocalId(3))],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    let b = next.account_by_id(LocalId(1)).unwrap();
    assert_eq!(b.open_renewal().unwrap().id(), LocalId(2));
    assert_eq!(b.open_risk().unwrap().id(), LocalId(3));
    // The Book before is what it was.
    assert_eq!(a.open_renewal().unwrap().id(), LocalId(4));
}

#[test]
fn a_decision_is_the_notice_deadline_while_it_lies_ahead() {
    let mut r = renewal(1, 1, Some(date(2026, 12, 31)), "open");
    r.notice_deadline = Some(date(2026, 10, 1));
    let mut a = account(1, "Acme");
    a.0.notice_days = Some(30);
    let book = Book::empty().apply(
        RowDelta {
            accounts: vec![a, account(2, "No date")],
            renewals: vec![r],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    let a = book.account_by_id(LocalId(1)).unwrap();
    assert_eq!(a.decision_date(date(2026, 9, 1)), Some(date(2026, 10, 1)));
    assert_eq!(a.decision_date(date(2026, 10, 1)), Some(date(2026, 10, 1)));
    assert_eq!(a.decision_date(date(2026, 10, 2)), Some(date(2026, 12, 31)));
    let none = book.account_by_id(LocalId(2)).unwrap();
    assert_eq!(none.decision_date(date(2026, 9, 1)), None);
}

#[test]
fn unsent_changes_lie_over_the_rows_and_fall_away() {
    let change = |field: &'static str, want: FieldValue| Change {
        target: Target {
            entity: Entity::Account,
            id: LocalId(1),
        },
        account: LocalId(1),
        verb: Verb::Update,
        fields: vec![FieldChange {
            field: field.into(),
            base: FieldValue::Null,
            want,
        }],
        source: "local".into(),
    };
    let mut overlay = Overlay::default();
    overlay.push(&change("segment", FieldValue::text("smb")));
    overlay.push(&change("segment", FieldValue::text("enterprise")));
    overlay.push(&change("x.unknown", FieldValue::Bool(true)));
    overlay.push(&change("tags", FieldValue::List(vec!["pilot".into()])));
    let delta = || RowDelta {
        accounts: vec![account(1, "Acme")],
        ..RowDelta::default()
    };
    let book = Book::empty().apply(delta(), &overlay);
    let a = book.account(0);
    assert_eq!((a.segment(), a.tags().len()), (Some("enterprise"), 1));
    let book = book.apply(delta(), &Overlay::default());
    let a = book.account(0);
    assert_eq!((a.segment(), a.tags().len()), (None, 0));
}

#[test]
fn a_currency_without_a_rate_has_no_value_until_the_rate_comes() {
    let book = Book::empty().apply(
        RowDelta {
            accounts: vec![account(1, "Acme")],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    assert_eq!(book.account(0).arr(), Money::new(100, "EUR"));
    assert_eq!(book.account(0).arr_reporting(), None);
    let rate = Rate {
        id: LocalId(1),
        from: "EUR".into(),
        to: "USD".into(),
        rate: Some(1.5),
        at: None,
        ..Rate::default()
    };
    let book = book.apply(
        RowDelta {
            rates: vec![rate],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    assert_eq!(book.account(0).arr_reporting(), Money::new(150, "USD"));
    let book = book.with_money("EUR", &[], None);
    assert_eq!(book.account(0).arr_reporting(), Money::new(100, "EUR"));
}

#[test]
fn an_excerpt_makes_a_small_book_that_shows_the_same() {
    let mut a = account(7, "Zeta 株式会社 👩‍👩‍👧");
    a.0.csm = Some(LocalId(3));
    a.0.health = Some(41);
    a.1.health_before = Some(50);
    a.1.usage = [Some(900_000); 12];
    a.1.usage[3] = None;
    a.1.usage_source = Some("cs".into());
    a.1.changed_at = Some("2026-11-22T04:00:00Z".parse().unwrap());
    let person = Person {
        id: LocalId(3),
        name: "Dana".into(),
        email: Some("dana@example.com".into()),
        ..Person::default()
    };
    let book = Book::empty().apply(
        RowDelta {
            accounts: vec![account(6, "Other"), a],
            people: vec![person],
            renewals: vec![renewal(9, 7, Some(date(2027, 1, 1)), "open")],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    let row = book.row_of(Entity::Account, LocalId(7)).unwrap();
    let excerpt = book.excerpt(&[(Entity::Account, row)]);
    let json = serde_json::to_string(&excerpt).unwrap();
    let small = Book::empty().apply(serde_json::from_str(&json).unwrap(), &Overlay::default());
    assert_eq!(small.count(Entity::Account), 1);
    let (x, y) = (book.account(row), small.account(0));
    assert_eq!(x.to_row(), y.to_row());
    assert_eq!(y.csm().unwrap().name(), "Dana");
    assert_eq!(y.open_renewal().unwrap().due(), Some(date(2027, 1, 1)));
    assert_eq!(y.health_delta(), Some(-9));
}

/// What may happen to a store's rows.
#[derive(Clone, Debug)]
enum Step {
    Account(u32, String),
    Renewal(u32, u32, i32),
    Task(u32, u32),
    Remove(u8, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..40u32, "[a-zé漢 ]{0,6}").prop_map(|(i, n)| Step::Account(i, n)),
        (1..60u32, 0..40u32, -50..50i32).prop_map(|(i, a, d)| Step::Renewal(i, a, d)),
        (1..60u32, 0..40u32).prop_map(|(i, a)| Step::Task(i, a)),
        (0..3u8, 1..60u32).prop_map(|(k, i)| Step::Remove(k, i)),
    ]
}

fn delta_of(step: &Step) -> RowDelta {
    let mut d = RowDelta::default();
    match step {
        Step::Account(id, name) => d.accounts.push(account(*id, name)),
        Step::Renewal(id, a, day) => {
            d.renewals
                .push(renewal(*id, *a, super::super::day::date_of(*day), "open"));
        }
        Step::Task(id, a) => d.tasks.push(Task {
            id: LocalId(*id),
            account: Some(LocalId(*a)),
            title: format!("task {id}"),
            ..Task::default()
        }),
        Step::Remove(kind, id) => {
            let entity = [Entity::Account, Entity::Renewal, Entity::Task][*kind as usize];
            d.removed.push((entity, LocalId(*id)));
        }
    }
    d
}

/// Everything that a Book shows, by id.
fn shown(b: &Book) -> Vec<String> {
    let mut all: Vec<String> = b
        .accounts()
        .map(|a| {
            let mut renewals: Vec<u32> = a.renewals().map(|r| r.id().0).collect();
            let mut tasks: Vec<u32> = a.tasks().map(|t| t.id().0).collect();
            renewals.sort_unstable();
            tasks.sort_unstable();
            let open = a.open_renewal().map(|r| r.id());
            format!("{:?} {open:?} {renewals:?} {tasks:?}", a.to_row())
        })
        .chain(b.renewals().map(|r| format!("{:?}", r.to_row())))
        .chain(b.tasks().map(|t| format!("{:?}", t.to_row())))
        .collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// One delta after the other shows the same as the newest rows at once, and old Books do not change.
    #[test]
    fn steps_and_a_fresh_load_agree(steps in prop::collection::vec(step(), 0..120)) {
        let none = Overlay::default();
        let mut book = Book::empty();
        let mut middle = None;
        for (i, s) in steps.iter().enumerate() {
            book = book.apply(delta_of(s), &none);
            if i == steps.len() / 2 {
                middle = Some((book.clone(), shown(&book)));
            }
        }
        let rows = RowDelta {
            accounts: book.accounts().map(|a| a.to_row()).collect(),
            renewals: book.renewals().map(|r| r.to_row()).collect(),
            tasks: book.tasks().map(|t| t.to_row()).collect(),
            ..RowDelta::default()
        };
        let fresh = Book::empty().apply(rows, &none);
        prop_assert_eq!(shown(&fresh), shown(&book));
        if let Some((old, was)) = middle {
            prop_assert_eq!(shown(&old), was);
        }
    }
}
