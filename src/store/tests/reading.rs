//! Rows come back as they were written; facts follow the rows that they are about.

use super::*;
use jiff::civil::date;

#[test]
fn every_field_of_every_kind_comes_back() {
    let w = world();
    for entity in Entity::ALL {
        let row = full_row(target(entity, 9));
        let merged = MergedRow {
            row: row.clone(),
            extra: vec![("Region__c".into(), text("x"))],
            provenance: vec![provenance("name", "cs")],
        };
        put(&w.store, vec![merged]);
        let back = wait(
            w.store
                .read(move |db| super::super::codec::read_any(db, target(entity, 9))),
        )
        .unwrap();
        assert_eq!(back, Some(row), "{entity}");
    }
    let book = all(&w.store);
    assert_eq!(
        (book.accounts.len(), book.people.len(), book.renewals.len()),
        (1, 1, 1)
    );
    assert_eq!(
        (book.tasks.len(), book.escalations.len(), book.rates.len()),
        (1, 1, 1)
    );
}

#[test]
fn only_real_changes_count_and_a_book_can_follow() {
    let w = world();
    acme(&w.store);
    let before = all(&w.store);
    let same = put(
        &w.store,
        vec![row(
            Entity::Account,
            1,
            &[("name", text("Acme")), ("health", FieldValue::Number(61.0))],
        )],
    );
    assert!(same.changed.is_empty());
    assert!(
        wait(w.store.load_since(before.seq))
            .unwrap()
            .accounts
            .is_empty()
    );
    let task = |due: i8| {
        let mut t = row(
            Entity::Task,
            1,
            &[
                ("title", text("T")),
                ("due", FieldValue::Date(date(2026, 12, due))),
            ],
        );
        t.row.set("account", &FieldValue::Id(LocalId(1))).unwrap();
        t
    };
    let stats = put(&w.store, vec![task(1)]);
    assert_eq!(
        stats.changed,
        [target(Entity::Task, 1), target(Entity::Account, 1)]
    );
    let since = wait(w.store.load_since(before.seq)).unwrap();
    assert_eq!(
        (since.tasks.len(), since.accounts.len(), since.seq),
        (1, 1, stats.seq)
    );
    let batch = MergeBatch {
        removed: vec![target(Entity::Task, 1), target(Entity::Account, 1)],
        ..MergeBatch::default()
    };
    wait(w.store.write_merged(batch, at(3))).unwrap();
    let since = wait(w.store.load_since(stats.seq)).unwrap();
    assert_eq!(since.removed.len(), 2);
    assert_eq!(
        wait(w.store.rows_of(vec![target(Entity::Account, 1)]))
            .unwrap()
            .removed
            .len(),
        1
    );
    assert!(wait(w.store.detail(LocalId(1))).unwrap().is_none());
    put(&w.store, vec![task(2)]);
    assert!(
        wait(w.store.load_since(stats.seq)).unwrap().removed.len() == 1,
        "it is back"
    );
}

#[test]
fn facts_follow_the_rows() {
    let w = world();
    acme(&w.store);
    let of = |entity, id, fields: &[(&str, FieldValue)]| {
        let mut r = row(entity, id, fields);
        r.row.set("account", &FieldValue::Id(LocalId(1))).unwrap();
        r
    };
    let day = |m, d| FieldValue::Date(date(2027, m, d));
    // at(0) is 2027-01-15.
    let mut rows = vec![
        of(
            Entity::Renewal,
            1,
            &[("name", text("late")), ("due", day(9, 1))],
        ),
        of(
            Entity::Renewal,
            2,
            &[
                ("name", text("first")),
                ("due", day(3, 1)),
                ("stage_kind", text("open")),
            ],
        ),
        of(
            Entity::Renewal,
            3,
            &[
                ("name", text("won")),
                ("due", day(2, 1)),
                ("stage_kind", text("won")),
            ],
        ),
        of(
            Entity::Escalation,
            1,
            &[("title", text("m")), ("priority_kind", text("medium"))],
        ),
        of(
            Entity::Escalation,
            2,
            &[("title", text("h")), ("priority_kind", text("high"))],
        ),
        of(
            Entity::Escalation,
            3,
            &[
                ("title", text("c")),
                ("priority_kind", text("critical")),
                ("status_kind", text("closed")),
            ],
        ),
        of(
            Entity::Ticket,
            1,
            &[
                ("subject", text("s")),
                ("opened", FieldValue::Instant(at(-86_400))),
            ],
        ),
        of(
            Entity::Ticket,
            2,
            &[
                ("subject", text("u")),
                ("opened", FieldValue::Instant(at(-9 * 86_400))),
                ("escalated", FieldValue::Bool(true)),
            ],
        ),
        of(
            Entity::Ticket,
            3,
            &[("subject", text("c")), ("status_kind", text("closed"))],
        ),
        of(
            Entity::Touchpoint,
            1,
            &[
                ("subject", text("met")),
                ("kind", text("call")),
                ("at", FieldValue::Instant(at(-3 * 86_400))),
            ],
        ),
        of(
            Entity::Touchpoint,
            2,
            &[
                ("subject", text("will")),
                ("kind", text("call")),
                ("at", FieldValue::Instant(at(86_400))),
            ],
        ),
        of(
            Entity::Touchpoint,
            3,
            &[
                ("subject", text("note")),
                ("kind", text("note")),
                ("at", FieldValue::Instant(at(0))),
            ],
        ),
        of(
            Entity::Contact,
            1,
            &[
                ("name", text("S")),
                ("role", text("Executive sponsor")),
                ("active", FieldValue::Bool(false)),
                ("left_at", day(1, 2)),
            ],
        ),
        of(
            Entity::Signal,
            90,
            &[
                ("kind", text("nps")),
                ("at", day(1, 5)),
                ("value", FieldValue::Number(3.0)),
            ],
        ),
        of(
            Entity::Signal,
            91,
            &[
                ("kind", text("health")),
                ("at", day(1, 10)),
                ("value", FieldValue::Number(55.0)),
            ],
        ),
        of(
            Entity::Signal,
            92,
            &[
                ("kind", text("health")),
                ("at", FieldValue::Date(date(2026, 12, 9))),
                ("value", FieldValue::Number(80.0)),
            ],
        ),
    ];
    for week in 0..14u32 {
        // One week is missing, one begins a day off.
        if week == 2 {
            continue;
        }
        let shift = i32::from(week == 5);
        let at = date(2027, 1, 11)
            .checked_sub(jiff::Span::new().days(7 * week as i32 + shift))
            .unwrap();
        rows.push(of(
            Entity::Signal,
            week + 1,
            &[
                ("kind", text("usage.weekly")),
                ("at", FieldValue::Date(at)),
                ("value", FieldValue::Number(f64::from(100 - week))),
            ],
        ));
    }
    put(&w.store, rows);
    let (account, f) = all(&w.store).accounts.remove(0);
    assert_eq!(
        (f.open_renewal, f.open_escalation),
        (Some(LocalId(2)), Some(LocalId(2)))
    );
    assert_eq!(
        (f.open_tickets, f.urgent_tickets, f.ticket_at),
        (2, 1, Some(date(2027, 1, 6)))
    );
    assert_eq!(
        (f.last_touch, f.sponsor_left),
        (Some(date(2027, 1, 12)), Some(date(2027, 1, 2)))
    );
    assert_eq!((account.nps, f.nps_at), (Some(3), Some(date(2027, 1, 5))));
    assert_eq!(
        (account.health, f.health_before),
        (Some(61), Some(80)),
        "its own health wins over the signal"
    );
    assert_eq!(f.usage_source.as_deref(), Some("crm"));
    let weeks: Vec<Option<u32>> = (0..12u32)
        .rev()
        .map(|w| (w != 2).then_some(100 - w))
        .collect();
    assert_eq!(f.usage.to_vec(), weeks);
    assert_eq!(f.usage_at, Some(date(2027, 1, 11)));
    assert_eq!(f.changed_at, Some(at(0)));

    let closed = of(
        Entity::Renewal,
        2,
        &[
            ("name", text("first")),
            ("due", day(3, 1)),
            ("stage_kind", text("won")),
        ],
    );
    put(&w.store, vec![closed]);
    assert_eq!(all(&w.store).accounts[0].1.open_renewal, Some(LocalId(1)));
    let detail = wait(w.store.detail(LocalId(1))).unwrap().unwrap();
    assert_eq!(
        (
            detail.renewals[0].id,
            detail.tickets[0].id,
            detail.touchpoints[0].id
        ),
        (LocalId(1), LocalId(1), LocalId(2))
    );
    assert_eq!(detail.signals.len(), 16);
}

#[test]
fn accounts_are_found_by_whatever_people_call_them() {
    let w = world();
    acme(&w.store);
    put(
        &w.store,
        vec![row(
            Entity::Account,
            2,
            &[
                ("name", text("100% Müller")),
                ("domain", text("mueller.example")),
            ],
        )],
    );
    let find = |t: &str| -> Vec<(u32, &'static str)> {
        wait(w.store.find_account(t))
            .unwrap()
            .into_iter()
            .map(|h| (h.id.0, h.by))
            .collect()
    };
    assert_eq!(find("2"), [(2, "id")]);
    assert_eq!(find("account-1"), [(1, "external id")]);
    assert_eq!(find("www.Mueller.example"), [(2, "domain")]);
    assert_eq!(find("acme"), [(1, "name")]);
    assert_eq!(find("% Mü"), [(2, "part of the name")]);
    assert_eq!(find("_cme"), []);
    assert_eq!(find(""), []);
}

#[test]
fn small_things_are_kept() {
    let w = world();
    let draft = Draft {
        key: "note:1".into(),
        account: LocalId(1),
        kind: "note".into(),
        text: "half a th".into(),
        at: at(1),
    };
    wait(w.store.put_draft(draft.clone())).unwrap();
    assert_eq!(wait(w.store.drafts()).unwrap(), [draft]);
    wait(w.store.delete_draft("note:1")).unwrap();
    assert!(wait(w.store.drafts()).unwrap().is_empty());
    wait(w.store.put_screen_cache("home", vec![1, 2])).unwrap();
    assert_eq!(wait(w.store.screen_cache("home")), Ok(Some(vec![1, 2])));
    assert_eq!(peek_screen_cache(w.store.path(), "home"), Some(vec![1, 2]));
    assert_eq!(
        peek_screen_cache(&w.folder.path().join("no.db"), "home"),
        None
    );
    assert!(!w.folder.path().join("no.db").exists());
    assert_eq!(wait(w.store.last_visit("dana")), Ok(None));
    wait(w.store.mark_visit("dana", at(4))).unwrap();
    assert_eq!(wait(w.store.last_visit("dana")), Ok(Some(at(4))));
}

#[test]
fn a_filled_book_is_the_same_for_the_same_seed() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str| {
        let path = folder.path().join(name);
        fill::generate(&path, 1_000, 7).unwrap();
        assert!(fill::generate(&path, 1, 7).is_err());
        let store = Store::open(&path, Options::default()).unwrap();
        assert!(wait(store.check()).unwrap().is_empty());
        all(&store)
    };
    let (a, b) = (load("a.db"), load("b.db"));
    assert_eq!(
        (a.accounts.len(), a.renewals.len(), a.tasks.len()),
        (1_000, 1_000, 300)
    );
    assert_eq!(a.accounts, b.accounts);
    assert!(
        a.accounts
            .iter()
            .all(|(_, f)| f.usage.iter().all(Option::is_some))
    );
}
