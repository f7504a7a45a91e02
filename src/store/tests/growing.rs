//! What a Book is given beside the lists: survey answers with their follow-up, chances to sell more, another system's ARR.

use super::*;
use jiff::civil::{Date, date};

fn signal(id: u32, kind: &str, on: Date, value: f64) -> MergedRow {
    row(
        Entity::Signal,
        id,
        &[
            ("account", FieldValue::Id(LocalId(1))),
            ("kind", text(kind)),
            ("at", FieldValue::Date(on)),
            ("value", FieldValue::Number(value)),
        ],
    )
}

fn touch(id: u32, kind: &str, at: &str) -> MergedRow {
    row(
        Entity::Touchpoint,
        id,
        &[
            ("account", FieldValue::Id(LocalId(1))),
            ("subject", text("about it")),
            ("kind", text(kind)),
            ("at", FieldValue::Instant(at.parse().expect("an instant"))),
        ],
    )
}

/// The answers that a delta brings: id, kind, followed up on.
fn answers(delta: &RowDelta) -> Vec<(u32, String, Option<Date>)> {
    let mut all: Vec<_> = delta
        .signals
        .iter()
        .map(|(s, followed)| (s.id.0, s.kind.clone(), *followed))
        .collect();
    all.sort();
    all
}

#[test]
fn an_answer_knows_the_first_talk_after_it_and_long_series_stay_out() {
    let w = world();
    acme(&w.store);
    // 1_800_000_000 is 2027-01-15.
    put(
        &w.store,
        vec![
            signal(1, "nps", date(2027, 1, 10), 3.0),
            signal(2, "usage.weekly", date(2027, 1, 4), 40.0),
            signal(3, "health", date(2027, 1, 4), 40.0),
            signal(4, "milestone.first_value", date(2027, 1, 4), 1.0),
        ],
    );
    let book = all(&w.store);
    let first = ["nps", "milestone.first_value"].map(str::to_owned);
    assert_eq!(
        answers(&book),
        [(1, first[0].clone(), None), (4, first[1].clone(), None)]
    );

    // Before it, a note, one that is still to come: no follow-up.
    put(
        &w.store,
        vec![
            touch(1, "call", "2027-01-09T23:59:00Z"),
            touch(2, "note", "2027-01-10T10:00:00Z"),
            touch(3, "meeting", "2027-02-01T10:00:00Z"),
        ],
    );
    assert!(answers(&wait(w.store.load_since(book.seq)).unwrap()).is_empty());
    let then = all(&w.store).seq;
    put(
        &w.store,
        vec![
            touch(4, "email", "2027-01-12T08:00:00Z"),
            touch(5, "call", "2027-01-11T08:00:00Z"),
        ],
    );
    let followed = wait(w.store.load_since(then)).unwrap();
    assert_eq!(
        answers(&followed),
        [(1, first[0].clone(), Some(date(2027, 1, 11)))]
    );
    // The answer comes again as it was: what is known of it stays.
    put(&w.store, vec![signal(1, "nps", date(2027, 1, 10), 2.0)]);
    assert_eq!(answers(&all(&w.store))[0].2, Some(date(2027, 1, 11)));
}

#[test]
fn opportunities_and_the_class_of_a_task_reach_the_book() {
    let w = world();
    acme(&w.store);
    let before = all(&w.store).seq;
    put(
        &w.store,
        vec![
            row(
                Entity::Opportunity,
                1,
                &[
                    ("account", FieldValue::Id(LocalId(1))),
                    ("name", text("More seats")),
                    ("stage_kind", text("won")),
                ],
            ),
            row(
                Entity::Task,
                1,
                &[("title", text("Kick-off")), ("class", text("onboarding"))],
            ),
        ],
    );
    let delta = wait(w.store.load_since(before)).unwrap();
    assert_eq!(delta.opportunities[0].name, "More seats");
    assert_eq!(delta.tasks[0].class.as_deref(), Some("onboarding"));
    let detail = wait(w.store.detail(LocalId(1))).unwrap().unwrap();
    assert_eq!(detail.opportunities.len(), 1);
}

#[test]
fn another_systems_arr_is_known_and_forgotten_without_the_account_itself_changing() {
    let w = world();
    let arr = |n: i64| FieldValue::Money(crate::book::Money::new(n, "USD").expect("money"));
    let said = |losers: Vec<(SourceName, FieldValue)>| {
        let mut account = row(
            Entity::Account,
            1,
            &[("name", text("Acme")), ("arr", arr(12_000))],
        );
        account.provenance = vec![Provenance {
            field: "arr".into(),
            source: "crm".into(),
            at: None,
            losers,
        }];
        account
    };
    put(&w.store, vec![said(vec![("cs".into(), arr(10_000))])]);
    let book = all(&w.store);
    let facts = &book.accounts[0].1;
    assert_eq!(facts.arr_other.map(|m| m.minor), Some(10_000));
    assert_eq!(facts.arr_source.as_deref(), Some("crm"));
    assert_eq!(facts.arr_other_source.as_deref(), Some("cs"));
    // The other system comes round: only what lost has changed.
    put(&w.store, vec![said(Vec::new())]);
    let delta = wait(w.store.load_since(book.seq)).unwrap();
    assert_eq!(delta.accounts[0].1.arr_other, None);
}
