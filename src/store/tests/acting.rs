//! Operations, the outbox, taking back, conflicts: nothing is lost and nothing is done twice.

use super::*;
use crate::book::{Conflict, ConflictField, OutboxItem, OutboxState};

fn null() -> FieldValue {
    FieldValue::Null
}

fn health(base: f64, want: f64) -> Change {
    change(
        Verb::Update,
        target(Entity::Account, 1),
        "crm",
        &[("health", FieldValue::Number(base), FieldValue::Number(want))],
    )
}

fn commit(store: &Store, seconds: i64, changes: Vec<Change>) -> Committed {
    wait(store.commit_operation(operation(seconds, changes), GRACE)).expect("committed")
}

fn new_task() -> Change {
    change(
        Verb::Create,
        target(Entity::Task, 0),
        "crm",
        &[
            ("title", null(), text("Call")),
            ("status_kind", null(), text("open")),
        ],
    )
}

fn send(store: &Store, item: &OutboxItem, outcome: ItemOutcome) -> OutboxItem {
    assert_eq!(wait(store.mark_sending(&item.id)), Ok(true));
    wait(store.finish_item(&item.id, outcome, at(100))).expect("finished")
}

fn done(id: &str) -> ItemOutcome {
    ItemOutcome::Done {
        external_id: id.into(),
        record: None,
    }
}

fn states(store: &Store) -> Vec<&'static str> {
    wait(store.outbox(50))
        .unwrap()
        .iter()
        .map(|i| i.state.name())
        .collect()
}

#[test]
fn what_is_kept_here_is_there_at_once_and_comes_back_on_undo() {
    let w = world();
    acme(&w.store);
    let level = change(
        Verb::Update,
        target(Entity::Account, 1),
        "local",
        &[("level", null(), text("L2"))],
    );
    let c = commit(&w.store, 0, vec![level]);
    assert!(c.items.is_empty() && c.touched.contains(&target(Entity::Account, 1)));
    assert_eq!(account(&w.store, 1).level.as_deref(), Some("L2"));
    // Merge finds it among the row's records.
    let records = wait(w.store.records_of(Entity::Account, vec![LocalId(1)])).unwrap();
    let local = records.iter().find(|r| &*r.source == "local").unwrap();
    assert_eq!(local.record.get("level"), Some(&text("L2")));
    let undone = wait(
        w.store
            .undo(&c.operation.id, inverse(&c.operation, 1), GRACE),
    )
    .unwrap();
    assert_eq!(
        undone.committed.operation.undoes.as_ref(),
        Some(&c.operation.id)
    );
    assert_eq!(account(&w.store, 1).level, None);
    let log = wait(w.store.operations(10)).unwrap();
    assert_eq!((log.len(), log[1].undone, log[0].undone), (2, true, false));
    assert!(
        wait(
            w.store
                .undo(&c.operation.id, inverse(&c.operation, 2), GRACE)
        )
        .is_err()
    );
}

#[test]
fn an_update_waits_for_its_grace_and_is_confirmed_in_one_step() {
    let w = world();
    acme(&w.store);
    let c = commit(&w.store, 0, vec![health(61.0, 70.0)]);
    assert_eq!(c.items[0].external_id.as_deref(), Some("account-1"));
    assert!(wait(w.store.due_items(at(4), 9)).unwrap().is_empty());
    assert_eq!(wait(w.store.next_due()), Ok(Some(at(5))));
    assert_eq!(
        account(&w.store, 1).health,
        Some(61),
        "only the overlay shows it"
    );
    assert_eq!(
        wait(w.store.detail(LocalId(1)))
            .unwrap()
            .unwrap()
            .account
            .health,
        Some(70)
    );
    let due = wait(w.store.due_items(at(5), 9)).unwrap();
    assert_eq!(due, c.items);
    let item = send(&w.store, &due[0], done("account-1"));
    assert_eq!(
        (item.state, item.attempts, item.finished),
        (OutboxState::Done, 1, Some(at(100)))
    );
    assert_eq!(account(&w.store, 1).health, Some(70));
    let batch = wait(w.store.dirty_batch(9)).unwrap().unwrap();
    assert_eq!(
        batch.dirty[0].record.get("health"),
        Some(&FieldValue::Number(70.0))
    );
    assert_eq!(wait(w.store.next_due()), Ok(None));
    assert!(wait(w.store.finish_item(&item.id, done("x"), at(101))).is_err());
}

#[test]
fn edits_within_the_grace_become_one_and_come_apart_again() {
    let w = world();
    acme(&w.store);
    let first = commit(&w.store, 0, vec![health(61.0, 70.0)]);
    let second = commit(&w.store, 2, vec![health(70.0, 80.0)]);
    assert_eq!(
        second.items[0].change.fields[0].base,
        FieldValue::Number(61.0)
    );
    assert_eq!(states(&w.store), ["waiting"]);
    let third = commit(&w.store, 3, vec![health(80.0, 61.0)]);
    assert!(third.items.is_empty(), "back to where it was");
    assert_eq!(wait(w.store.next_due()), Ok(None));
    for (op, shown) in [(&third, 80), (&second, 70), (&first, 61)] {
        let undone = wait(
            w.store
                .undo(&op.operation.id, inverse(&op.operation, 4), GRACE),
        );
        assert!(undone.is_ok() || op.items.is_empty(), "{undone:?}");
        let seen = wait(w.store.detail(LocalId(1)))
            .unwrap()
            .unwrap()
            .account
            .health;
        assert_eq!(seen, Some(shown));
    }
    assert_eq!(wait(w.store.next_due()), Ok(None));
    // Beyond the grace they stay two.
    commit(&w.store, 10, vec![health(61.0, 70.0)]);
    commit(&w.store, 20, vec![health(70.0, 80.0)]);
    assert_eq!(
        wait(w.store.due_items(at(60), 9)).unwrap().len(),
        1,
        "one after the other"
    );
}

#[test]
fn a_create_shows_at_once_and_what_hangs_on_it_waits() {
    let w = world();
    acme(&w.store);
    let risk = change(
        Verb::Create,
        target(Entity::Escalation, 0),
        "crm",
        &[("title", null(), text("Risk"))],
    );
    let mut task = new_task();
    task.fields.push(FieldChange {
        field: "escalation".into(),
        base: null(),
        want: FieldValue::Id(LocalId::NONE),
    });
    let c = commit(&w.store, 0, vec![risk, task]);
    let risk = c.operation.changes[0].target;
    assert_eq!(
        c.operation.changes[1].fields[2].want,
        FieldValue::Id(risk.id)
    );
    let since = wait(w.store.load_since(c.seq - 1)).unwrap();
    assert_eq!(
        (since.tasks[0].escalation, since.escalations[0].account),
        (Some(risk.id), Some(LocalId(1)))
    );
    assert_eq!(since.accounts[0].1.open_escalation, Some(risk.id));
    let due = wait(w.store.due_items(at(9), 9)).unwrap();
    assert_eq!(due.len(), 1, "the task waits for the risk");
    send(&w.store, &due[0], done("CTA1"));
    let due = wait(w.store.due_items(at(9), 9)).unwrap();
    assert_eq!(due[0].change.target.entity, Entity::Task);
    assert_eq!(
        wait(w.store.external_ids(risk)).unwrap()[0].external_id,
        "CTA1"
    );
    // A pull meets the same row.
    let pulled = rec(Entity::Escalation, "CTA1", &[("title", text("Risk"))]);
    wait(w.store.apply_page(page("risks", 1, "1", vec![pulled]))).unwrap();
    let batches: Vec<_> = std::iter::from_fn(|| {
        let batch = wait(w.store.dirty_batch(9)).unwrap()?;
        let clean = batch.dirty.iter().map(|d| d.key()).collect();
        wait(w.store.write_merged(
            MergeBatch {
                clean,
                ..MergeBatch::default()
            },
            at(9),
        ))
        .unwrap();
        Some(batch)
    })
    .collect();
    let risks = batches
        .iter()
        .find(|b| b.entity == Some(Entity::Escalation))
        .unwrap();
    assert_eq!(risks.crosswalk[0].local, risk.id);
}

#[test]
fn a_pull_that_was_quicker_than_the_answer_does_not_leave_two() {
    let w = world();
    acme(&w.store);
    let c = commit(&w.store, 0, vec![new_task()]);
    let ours = c.operation.changes[0].target;
    put(
        &w.store,
        vec![row(Entity::Task, 77, &[("title", text("Call"))])],
    );
    send(&w.store, &c.items[0], done("task-77"));
    let book = all(&w.store);
    assert_eq!(
        book.tasks.iter().map(|t| t.id).collect::<Vec<_>>(),
        [ours.id]
    );
    assert_eq!(
        wait(w.store.external_ids(ours)).unwrap()[0].external_id,
        "task-77"
    );
}

#[test]
fn undo_takes_back_what_waits_and_sends_the_inverse_of_what_is_done() {
    let w = world();
    acme(&w.store);
    let c = commit(&w.store, 0, vec![new_task()]);
    let undone = wait(
        w.store
            .undo(&c.operation.id, inverse(&c.operation, 1), GRACE),
    )
    .unwrap();
    assert_eq!((undone.taken_back, undone.committed.items.len()), (1, 0));
    assert!(
        undone
            .committed
            .touched
            .contains(&c.operation.changes[0].target)
    );
    assert!(all(&w.store).tasks.is_empty());
    assert_eq!(states(&w.store), ["dropped"]);

    let c = commit(&w.store, 10, vec![new_task(), health(61.0, 50.0)]);
    for item in &c.items {
        let id = item.external_id.clone().unwrap_or("T9".into());
        send(&w.store, item, done(&id));
    }
    let undone = wait(
        w.store
            .undo(&c.operation.id, inverse(&c.operation, 20), GRACE),
    )
    .unwrap();
    assert_eq!((undone.taken_back, undone.committed.items.len()), (0, 2));
    let due = wait(w.store.due_items(at(60), 9)).unwrap();
    let delete = due.iter().find(|i| i.change.verb == Verb::Delete).unwrap();
    assert_eq!(delete.external_id.as_deref(), Some("T9"));
    assert!(
        wait(w.store.detail(LocalId(1)))
            .unwrap()
            .unwrap()
            .tasks
            .is_empty()
    );
    send(&w.store, delete, done("T9"));
    assert!(all(&w.store).tasks.is_empty());
    assert_eq!(
        wait(w.store.detail(LocalId(1)))
            .unwrap()
            .unwrap()
            .account
            .health,
        Some(61)
    );
}

#[test]
fn a_conflict_is_settled_either_way() {
    for (resolution, then, seen) in [
        (Resolution::Mine, "waiting", 70),
        (Resolution::Theirs, "dropped", 33),
    ] {
        let w = world();
        acme(&w.store);
        let c = commit(&w.store, 0, vec![health(61.0, 70.0)]);
        let conflict = Conflict {
            modified: Some(at(3)),
            by: None,
            fields: vec![ConflictField {
                field: "health".into(),
                base: FieldValue::Number(61.0),
                mine: FieldValue::Number(70.0),
                theirs: FieldValue::Number(33.0),
            }],
        };
        let item = send(&w.store, &c.items[0], ItemOutcome::Conflict(conflict));
        assert_eq!(wait(w.store.due_items(at(900), 9)), Ok(vec![]));
        assert!(wait(w.store.retry_item(&item.id, at(9))).is_err());
        let item = wait(w.store.resolve_item(&item.id[..8], resolution, at(9))).unwrap();
        assert_eq!((item.state.name(), item.conflict), (then, None));
        if resolution == Resolution::Mine {
            assert_eq!(item.change.fields[0].base, FieldValue::Number(33.0));
        }
        assert_eq!(account(&w.store, 1).health, Some(33));
        assert_eq!(
            wait(w.store.detail(LocalId(1)))
                .unwrap()
                .unwrap()
                .account
                .health,
            Some(seen)
        );
        assert!(wait(w.store.resolve_item(&item.id, resolution, at(9))).is_err());
    }
}

#[test]
fn failures_wait_for_a_person_and_retries_for_their_time() {
    let w = world();
    acme(&w.store);
    let c = commit(&w.store, 0, vec![health(61.0, 70.0)]);
    let retry = ItemOutcome::Retry {
        error: "busy".into(),
        at: at(50),
    };
    let item = send(&w.store, &c.items[0], retry);
    assert_eq!(wait(w.store.next_due()), Ok(Some(at(50))));
    // What follows does not overtake it, and does not make anybody spin.
    commit(&w.store, 20, vec![health(70.0, 71.0)]);
    assert_eq!(wait(w.store.next_due()), Ok(Some(at(50))));
    assert_eq!(wait(w.store.due_items(at(49), 9)), Ok(vec![]));
    let item = send(&w.store, &item, ItemOutcome::Failed("no".into()));
    assert_eq!(item.error.as_deref(), Some("no"));
    assert_eq!(
        wait(w.store.due_items(at(900), 9)).unwrap().len(),
        1,
        "the later edit goes on"
    );
    assert_eq!(
        wait(w.store.retry_item(&item.id, at(60))).unwrap().state,
        OutboxState::Waiting
    );
    assert_eq!(wait(w.store.mark_sending(&item.id)), Ok(true));
    assert!(
        wait(w.store.drop_item(&item.id, at(61))).is_err(),
        "it is on its way"
    );
    assert_eq!(wait(w.store.mark_sending(&item.id)), Ok(false));
    assert!(matches!(
        wait(w.store.outbox_item("nope")),
        Err(StoreError::NotFound { .. })
    ));
}

#[test]
fn dropping_a_create_drops_what_hangs_on_it() {
    let w = world();
    acme(&w.store);
    let c = commit(&w.store, 0, vec![new_task()]);
    let task = c.operation.changes[0].target;
    commit(
        &w.store,
        1,
        vec![change(
            Verb::Update,
            task,
            "crm",
            &[("title", text("Call"), text("Ring"))],
        )],
    );
    let failed = send(&w.store, &c.items[0], ItemOutcome::Failed("no".into()));
    assert!(wait(w.store.due_items(at(900), 9)).unwrap().is_empty());
    wait(w.store.drop_item(&failed.id, at(9))).unwrap();
    assert_eq!(states(&w.store), ["dropped", "dropped"]);
    assert!(all(&w.store).tasks.is_empty());
}

#[test]
fn after_a_crash_creates_are_asked_about_and_updates_wait() {
    let w = world();
    acme(&w.store);
    let c = commit(&w.store, 0, vec![new_task(), health(61.0, 70.0)]);
    for item in &c.items {
        assert_eq!(wait(w.store.mark_sending(&item.id)), Ok(true));
    }
    wait(w.store.close()).unwrap();
    let store = Store::open(w.store.path(), Options::default()).unwrap();
    assert_eq!(wait(store.recover_after_crash(at(7))), Ok(2));
    assert_eq!(states(&store), ["unknown", "waiting"]);
    assert_eq!(wait(store.due_items(at(7), 9)).unwrap().len(), 2);
}

#[test]
fn quitting_ends_every_grace() {
    let w = world();
    acme(&w.store);
    commit(&w.store, 0, vec![health(61.0, 70.0)]);
    assert_eq!(wait(w.store.flush_grace(at(1))), Ok(1));
    assert_eq!(wait(w.store.due_items(at(1), 9)).unwrap().len(), 1);
}
