//! What holds of a Book whatever enters it.

use super::*;
use crate::book::change::{Change, FieldChange};
use crate::book::{
    Account, Escalation, Facts, FieldValue, Movement, Person, Renewal, Subscription, Target, Task,
};
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
    Sold(u32, u32, i64),
    Moved(u32, u32, i64),
    Remove(u8, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..40u32, "[a-zé漢 ]{0,6}").prop_map(|(i, n)| Step::Account(i, n)),
        (1..60u32, 0..40u32, -50..50i32).prop_map(|(i, a, d)| Step::Renewal(i, a, d)),
        (1..60u32, 0..40u32).prop_map(|(i, a)| Step::Task(i, a)),
        (1..60u32, 0..40u32, -5..5i64).prop_map(|(i, a, m)| Step::Sold(i, a, m)),
        (1..60u32, 0..40u32, -5..5i64).prop_map(|(i, a, m)| Step::Moved(i, a, m)),
        (0..5u8, 1..60u32).prop_map(|(k, i)| Step::Remove(k, i)),
    ]
}

fn sold(id: u32, account: u32, minor: i64) -> Subscription {
    Subscription {
        id: LocalId(id),
        account: Some(LocalId(account)).filter(|a| a.is_some()),
        line: Some(format!("line {}", id % 3)),
        change: Some("renewal".into()),
        start: super::super::day::date_of(id as i32),
        arr: Money::new(minor, "EUR"),
        recurring: Some(id.is_multiple_of(2)),
        notice_days: Some(30),
        auto_renew: (!id.is_multiple_of(5)).then_some(id % 5 > 2),
        ..Subscription::default()
    }
}

fn moved(id: u32, account: u32, minor: i64) -> Movement {
    Movement {
        id: LocalId(id),
        account: Some(LocalId(account)).filter(|a| a.is_some()),
        kind: Some("churn".into()),
        amount: Money::new(minor, "JPY"),
        reason: Some(format!("reason {}", id % 3)),
        ..Movement::default()
    }
}

#[test]
fn subscriptions_and_movements_are_found_by_their_account_as_they_entered() {
    let book = Book::empty().apply(
        RowDelta {
            accounts: vec![account(1, "Acme"), account(2, "Boreal")],
            subscriptions: vec![sold(1, 1, 5), sold(2, 2, -7), sold(3, 1, 9), sold(4, 0, 1)],
            movements: vec![moved(1, 1, 5)],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    assert_eq!((book.subscription_count(), book.movement_count()), (4, 1));
    let of = |book: &Book, id: u32| -> Vec<u32> {
        let a = book.account_by_id(LocalId(id)).unwrap();
        a.subscriptions().map(|s| s.id().0).collect()
    };
    assert_eq!((of(&book, 1), of(&book, 2)), (vec![3, 1], vec![2]));
    let row = book.account(1).subscriptions().next().unwrap();
    assert_eq!(
        (row.line(), row.product(), row.contract()),
        (Some("line 2"), None, None)
    );
    assert_eq!(row.arr(), Money::new(-7, "EUR"));
    assert_eq!((row.start().get(), row.end().get()), (Some(2), None));
    assert_eq!((row.signed().get(), row.cancelled().get()), (None, None));
    assert_eq!(
        (row.began(), row.recurring(), row.notice_days()),
        (crate::book::Began::Renewal, Some(true), Some(30))
    );
    assert_eq!(row.auto_renew(), Some(false));
    let m = book.account(0).movements().next().unwrap();
    assert_eq!(
        (m.kind(), m.amount(), m.reason(), m.date().get()),
        (
            crate::book::MovementKind::Churn,
            Money::new(5, "JPY"),
            Some("reason 1"),
            None
        )
    );
    assert_eq!(book.stray_subscriptions().count(), 1);
    // One goes to another account, one leaves; the Book before is what it was.
    let next = book.apply(
        RowDelta {
            subscriptions: vec![sold(1, 2, 6)],
            removed: vec![
                (Entity::Subscription, LocalId(3)),
                (Entity::Movement, LocalId(1)),
            ],
            ..RowDelta::default()
        },
        &Overlay::default(),
    );
    assert_eq!((of(&next, 1), of(&next, 2)), (vec![], vec![1, 2]));
    assert_eq!((next.subscription_count(), next.movement_count()), (3, 0));
    assert_eq!(of(&book, 1), [3, 1]);
    assert!(next.ledger_stamp() > book.ledger_stamp());
    // Health says nothing about retention, ARR does.
    let stamp_after = |change: fn(&mut Account)| {
        let mut a = account(1, "Acme");
        change(&mut a.0);
        let delta = RowDelta {
            accounts: vec![a],
            ..RowDelta::default()
        };
        next.apply(delta, &Overlay::default()).ledger_stamp()
    };
    assert_eq!(stamp_after(|a| a.health = Some(5)), next.ledger_stamp());
    assert_ne!(
        stamp_after(|a| a.arr = Money::new(7, "EUR")),
        next.ledger_stamp()
    );
    let touched = book.touched_by(&RowDelta {
        subscriptions: vec![sold(1, 2, 6)],
        removed: vec![(Entity::Movement, LocalId(1))],
        ..RowDelta::default()
    });
    assert_eq!(
        touched.into_iter().collect::<Vec<_>>(),
        [LocalId(1), LocalId(2)]
    );
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
        Step::Sold(id, a, minor) => d.subscriptions.push(sold(*id, *a, *minor)),
        Step::Moved(id, a, minor) => d.movements.push(moved(*id, *a, *minor)),
        Step::Remove(kind, id) => {
            let entity = [
                Entity::Account,
                Entity::Renewal,
                Entity::Task,
                Entity::Subscription,
                Entity::Movement,
            ][*kind as usize];
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
            let mut sold: Vec<_> = a.subscriptions().map(|s| (s.id(), s.arr())).collect();
            let mut moved: Vec<_> = a.movements().map(|m| (m.id(), m.amount())).collect();
            sold.sort();
            moved.sort();
            format!(
                "{:?} {open:?} {renewals:?} {tasks:?} {sold:?} {moved:?}",
                a.to_row()
            )
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
        // The Book does not give these out again: what is to be there is kept beside it.
        let (mut sold, mut moved) = (HashMap::new(), HashMap::new());
        for (i, s) in steps.iter().enumerate() {
            let delta = delta_of(s);
            sold.extend(delta.subscriptions.iter().map(|s| (s.id, s.clone())));
            moved.extend(delta.movements.iter().map(|m| (m.id, m.clone())));
            for (entity, id) in &delta.removed {
                match entity {
                    Entity::Subscription => drop(sold.remove(id)),
                    Entity::Movement => drop(moved.remove(id)),
                    _ => {}
                }
            }
            book = book.apply(delta, &none);
            if i == steps.len() / 2 {
                middle = Some((book.clone(), shown(&book)));
            }
        }
        let rows = RowDelta {
            accounts: book.accounts().map(|a| a.to_row()).collect(),
            renewals: book.renewals().map(|r| r.to_row()).collect(),
            tasks: book.tasks().map(|t| t.to_row()).collect(),
            subscriptions: sold.into_values().collect(),
            movements: moved.into_values().collect(),
            ..RowDelta::default()
        };
        let fresh = Book::empty().apply(rows, &none);
        prop_assert_eq!(shown(&fresh), shown(&book));
        if let Some((old, was)) = middle {
            prop_assert_eq!(shown(&old), was);
        }
    }
}
