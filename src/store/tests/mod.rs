//! Tests of the store: each against a file of its own, through the trait.

mod acting;
mod first_load;
mod forecast;
mod growing;
mod history;
mod opening;
mod pulling;
mod reading;

use super::*;
use crate::book::record::FieldName;
use crate::book::{
    Account, AnyRow, Change, CrosswalkEntry, Cursor, Entity, FieldChange, FieldValue, LocalId,
    MatchHow, MergeBatch, MergedRow, Operation, Provenance, Record, RecordKey, RowDelta,
    SourceName, Target, Verb,
};
use jiff::Timestamp;
use std::future::Future;
use std::time::Duration;

/// Waits for an answer.
fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(answer)
}

struct World {
    store: Store,
    folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("csops.db"), Options::default()).expect("a store");
    World { store, folder }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("an instant")
}

fn crm() -> SourceName {
    "crm".into()
}

fn text(s: &str) -> FieldValue {
    FieldValue::Text(s.into())
}

fn rec(entity: Entity, id: &str, fields: &[(&'static str, FieldValue)]) -> Record {
    Record {
        entity,
        external_id: id.into(),
        modified: None,
        deleted: false,
        fields: fields
            .iter()
            .map(|(n, v)| (FieldName::from(*n), v.clone()))
            .collect(),
    }
}

fn page(stream: &str, run: i64, cursor: &str, records: Vec<Record>) -> PageWrite {
    PageWrite {
        source: crm(),
        stream: stream.into(),
        records,
        problems: Vec::new(),
        next: Cursor(cursor.into()),
        run,
        now: at(0),
    }
}

fn key(source: &str, entity: Entity, id: &str) -> RecordKey {
    RecordKey {
        source: source.into(),
        entity,
        external_id: id.into(),
    }
}

fn tie(source: &str, entity: Entity, id: &str, local: u32) -> CrosswalkEntry {
    CrosswalkEntry {
        source: source.into(),
        entity,
        external_id: id.into(),
        local: LocalId(local),
        how: MatchHow::New,
    }
}

fn target(entity: Entity, id: u32) -> Target {
    Target {
        entity,
        id: LocalId(id),
    }
}

fn row(entity: Entity, id: u32, fields: &[(&str, FieldValue)]) -> MergedRow {
    let mut row = AnyRow::empty(target(entity, id));
    for (name, value) in fields {
        row.set(name, value).expect("a field that fits");
    }
    MergedRow {
        row,
        extra: Vec::new(),
        provenance: Vec::new(),
    }
}

/// Puts rows into the store as a merge would.
fn put(store: &Store, rows: Vec<MergedRow>) -> MergeStats {
    let crosswalk = rows
        .iter()
        .map(|r| {
            let t = r.row.target();
            tie("crm", t.entity, &format!("{}-{}", t.entity, t.id), t.id.0)
        })
        .collect();
    let batch = MergeBatch {
        rows,
        crosswalk,
        ..MergeBatch::default()
    };
    wait(store.write_merged(batch, at(0))).expect("written")
}

fn acme(store: &Store) {
    let id = wait(store.reserve_ids(Entity::Account, 1)).expect("an id");
    assert_eq!(id, LocalId(1));
    put(
        store,
        vec![row(
            Entity::Account,
            1,
            &[("name", text("Acme")), ("health", FieldValue::Number(61.0))],
        )],
    );
}

fn account(store: &Store, id: u32) -> Account {
    wait(store.rows_of(vec![target(Entity::Account, id)]))
        .expect("rows")
        .accounts
        .remove(0)
        .0
}

fn change(
    verb: Verb,
    t: Target,
    source: &str,
    fields: &[(&'static str, FieldValue, FieldValue)],
) -> Change {
    Change {
        target: t,
        account: LocalId(1),
        verb,
        fields: fields
            .iter()
            .map(|(n, base, want)| FieldChange {
                field: (*n).into(),
                base: base.clone(),
                want: want.clone(),
            })
            .collect(),
        source: source.into(),
    }
}

fn operation(seconds: i64, changes: Vec<Change>) -> Operation {
    Operation {
        id: String::new(),
        command: "test".into(),
        summary: "tested".into(),
        at: at(seconds),
        who: "dana@example.com".into(),
        changes,
        undoes: None,
        undone: false,
    }
}

const GRACE: Duration = Duration::from_secs(5);

fn inverse(of: &Operation, seconds: i64) -> Operation {
    operation(
        seconds,
        of.changes
            .iter()
            .map(|c| c.inverse().unwrap_or_else(|| c.clone()))
            .collect(),
    )
}

fn all(store: &Store) -> RowDelta {
    let (tell, told) = std::sync::mpsc::channel();
    let seq = wait(store.load_all(Box::new(move |d| {
        let _ = tell.send(d);
    })))
    .expect("loaded");
    let mut sum = RowDelta {
        seq,
        ..RowDelta::default()
    };
    for d in told {
        sum.accounts.extend(d.accounts);
        sum.people.extend(d.people);
        sum.renewals.extend(d.renewals);
        sum.opportunities.extend(d.opportunities);
        sum.signals.extend(d.signals);
        sum.tasks.extend(d.tasks);
        sum.escalations.extend(d.escalations);
        sum.rates.extend(d.rates);
        sum.subscriptions.extend(d.subscriptions);
        sum.movements.extend(d.movements);
    }
    sum
}

/// A row whose every field has a value.
fn full_row(t: Target) -> AnyRow {
    let mut row = AnyRow::empty(t);
    let day = jiff::civil::date(2026, 2, 28);
    let values = [
        FieldValue::Id(LocalId(7)),
        FieldValue::Money(crate::book::Money::new(-12_345, "JPY").expect("money")),
        FieldValue::Date(day),
        FieldValue::Instant(at(7)),
        FieldValue::Bool(true),
        FieldValue::List(vec!["a".into(), "ü;b".into()]),
        FieldValue::Number(42.0),
        text("Ünï\u{1b}code"),
    ];
    let fields = row.fields();
    for field in fields {
        // The last value that is kept as it is given is the field's own kind.
        for value in &values {
            let mut trial = row.clone();
            if trial.set(field, value).is_ok() && trial.get(field).as_ref() == Some(value) {
                row = trial;
            }
        }
        assert_ne!(row.get(field), Some(FieldValue::Null), "{field}");
    }
    row
}

fn provenance(field: &str, source: &str) -> Provenance {
    Provenance {
        field: field.into(),
        source: source.into(),
        at: Some(at(1)),
        losers: vec![("crm".into(), text("other"))],
    }
}
