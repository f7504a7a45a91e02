//! What people do: the operation log, what is kept here at once, what goes to the outbox, and taking it back.

use super::codec::{instant, micros};
use super::error::{Fail, Res, StoreError};
use super::outbox::{self, Queued};
use super::records::{put_record, record};
use super::rows::{Touched, delete_row, next_seq, put_row, reserve_ids};
use super::settle::settle;
use super::ties::tie;
use super::types::{Committed, Undone};
use crate::book::id::LOCAL;
use crate::book::{
    AnyRow, Change, CrosswalkEntry, Entity, FieldChange, FieldValue, LocalId, MatchHow, Operation,
    OutboxState, Record, RecordKey, StoredRecord, Target, Verb,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::HashMap;
use std::time::Duration;

/// Logs an operation and does what it says.
pub(super) fn commit(db: &Connection, operation: Operation, grace: Duration) -> Res<Committed> {
    let mut touched = Touched::default();
    let seq = next_seq(db)?;
    let committed = run(db, operation, grace, seq, &mut touched)?;
    finish(db, committed, touched)
}

fn finish(db: &Connection, mut committed: Committed, mut touched: Touched) -> Res<Committed> {
    let seq = i64::try_from(committed.seq).unwrap_or(i64::MAX);
    settle(db, &mut touched, seq, committed.operation.at)?;
    committed.touched = touched.targets;
    Ok(committed)
}

fn run(
    db: &Connection,
    mut operation: Operation,
    grace: Duration,
    seq: i64,
    touched: &mut Touched,
) -> Res<Committed> {
    if operation.id.is_empty() {
        operation.id = uuid::Uuid::now_v7().to_string();
    }
    let mut created = HashMap::new();
    let mut items = Vec::new();
    let mut changes = std::mem::take(&mut operation.changes);
    for (place, change) in changes.iter_mut().enumerate() {
        give_ids(db, change, &mut created)?;
        if &*change.source == LOCAL {
            keep_here(db, change, seq, touched)?;
        } else {
            if change.verb == Verb::Create {
                put_row(db, &new_row(change)?, seq, touched)?;
            }
            items.extend(outbox::queue(db, &operation, place, change, grace)?);
        }
    }
    operation.changes = changes;
    log(db, &operation)?;
    Ok(Committed {
        operation,
        items,
        touched: Vec::new(),
        seq: seq.unsigned_abs(),
    })
}

/// Gives a created thing its id; whatever else in the operation says "none yet" means the newest created thing of that kind.
fn give_ids(
    db: &Connection,
    change: &mut Change,
    created: &mut HashMap<Entity, LocalId>,
) -> Res<()> {
    let entity = change.target.entity;
    for f in &mut change.fields {
        if f.want == FieldValue::Id(LocalId::NONE)
            && let Some(id) = Entity::referred_by(&f.field).and_then(|e| created.get(&e))
        {
            f.want = FieldValue::Id(*id);
        }
    }
    if !change.target.id.is_some() {
        change.target.id = match (change.verb, created.get(&entity)) {
            (Verb::Create, _) => reserve_ids(db, entity, 1)?,
            (_, Some(id)) => *id,
            (_, None) => {
                return Err(Fail::Store(StoreError::NotNow(format!(
                    "there is no {entity} to change; select one and try again"
                ))));
            }
        };
    }
    if change.verb == Verb::Create {
        created.insert(entity, change.target.id);
        if entity == Entity::Account {
            change.account = change.target.id;
        }
    }
    Ok(())
}

/// The row that a create makes.
fn new_row(change: &Change) -> Res<AnyRow> {
    let mut row = AnyRow::empty(change.target);
    if change.account.is_some() {
        // People and rates belong to no account; that is no error.
        let _ = row.set("account", &FieldValue::Id(change.account));
    }
    set_fields(&mut row, &change.fields)?;
    Ok(row)
}

fn set_fields(row: &mut AnyRow, fields: &[FieldChange]) -> Res<()> {
    for f in fields.iter().filter(|f| !f.field.starts_with("x.")) {
        row.set(&f.field, &f.want).map_err(|e| {
            Fail::Store(StoreError::NotNow(format!(
                "the {} cannot be changed so: {e}",
                row.target().entity
            )))
        })?;
    }
    Ok(())
}

/// Writes a change that no vendor holds: into the row at once, and into the local record so that merge keeps it.
fn keep_here(db: &Connection, change: &Change, seq: i64, touched: &mut Touched) -> Res<()> {
    let target = change.target;
    let key = local_key(target);
    let mut fields = record(db, &key)?.map_or_else(Vec::new, |r| r.record.fields);
    match change.verb {
        Verb::Delete => {
            delete_row(db, target, seq, touched)?;
            fields.clear();
        }
        Verb::Create => {
            put_row(db, &new_row(change)?, seq, touched)?;
            fields = vec![("account".into(), FieldValue::Id(change.account))];
        }
        Verb::Update => {
            let Some(mut row) = super::codec::read_any(db, target)? else {
                return Err(Fail::Store(StoreError::NotNow(format!(
                    "the {} is no longer there; nothing was changed",
                    target.entity
                ))));
            };
            set_fields(&mut row, &change.fields)?;
            put_row(db, &row, seq, touched)?;
        }
    }
    if change.verb != Verb::Delete {
        for f in &change.fields {
            fields.retain(|(name, _)| *name != f.field);
            fields.push((f.field.clone(), f.want.clone()));
        }
    }
    put_record(
        db,
        &StoredRecord {
            source: key.source.clone(),
            record: Record {
                entity: target.entity,
                external_id: key.external_id.clone(),
                modified: None,
                deleted: change.verb == Verb::Delete,
                fields,
            },
        },
    )?;
    tie(
        db,
        &[CrosswalkEntry {
            source: key.source,
            entity: target.entity,
            external_id: key.external_id,
            local: target.id,
            how: MatchHow::Identifier,
        }],
        seq,
        touched,
    )
}

fn local_key(target: Target) -> RecordKey {
    RecordKey {
        source: LOCAL.into(),
        entity: target.entity,
        external_id: target.id.to_string(),
    }
}

fn log(db: &Connection, operation: &Operation) -> Res<()> {
    db.prepare_cached(
        "INSERT INTO operation_log(id,device,command,summary,at,who,changes,undoes) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
    )?
    .execute(params![
        operation.id,
        device(db)?,
        operation.command,
        operation.summary,
        micros(operation.at),
        operation.who,
        serde_json::to_string(&operation.changes)?,
        operation.undoes
    ])?;
    Ok(())
}

/// This database's own name, for the day when logs of several meet.
fn device(db: &Connection) -> Res<String> {
    let known: Option<String> = db
        .prepare_cached("SELECT value FROM meta WHERE key='device'")?
        .query_row([], |r| r.get(0))
        .optional()?;
    if let Some(device) = known {
        return Ok(device);
    }
    let device = uuid::Uuid::new_v4().to_string();
    db.execute("INSERT INTO meta(key,value) VALUES('device',?1)", [&device])?;
    Ok(device)
}

const COLUMNS: &str = "id,command,summary,at,who,changes,undoes,
    EXISTS(SELECT 1 FROM operation_log u WHERE u.undoes=operation_log.id)";

fn read(r: &Row<'_>) -> Res<Operation> {
    Ok(Operation {
        id: r.get(0)?,
        command: r.get(1)?,
        summary: r.get(2)?,
        at: instant(r.get(3)?),
        who: r.get(4)?,
        changes: serde_json::from_str(r.get_ref(5)?.as_str().unwrap_or("[]"))?,
        undoes: r.get(6)?,
        undone: r.get(7)?,
    })
}

/// The newest operations.
pub(super) fn operations(db: &Connection, limit: usize) -> Res<Vec<Operation>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM operation_log ORDER BY sequence DESC LIMIT ?1"
    ))?;
    let mut rows = statement.query([limit as i64])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read(r)?);
    }
    Ok(out)
}

fn operation(db: &Connection, id: &str) -> Res<Operation> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM operation_log WHERE id=?1"))?;
    let mut rows = statement.query([id])?;
    match rows.next()? {
        Some(r) => read(r),
        None => Err(Fail::Store(StoreError::NotFound {
            what: "operation",
            id: id.to_owned(),
        })),
    }
}

/// Takes an operation back: see [`Storage::undo`](super::Storage::undo).
pub(super) fn undo(db: &Connection, id: &str, mut undo: Operation, grace: Duration) -> Res<Undone> {
    let original = operation(db, id)?;
    if original.undone {
        return Err(Fail::Store(StoreError::NotNow(format!(
            "“{}” has been taken back already",
            original.summary
        ))));
    }
    let seq = next_seq(db)?;
    let mut touched = Touched::default();
    let queued = outbox::of_operation(db, id)?;
    let mut inverses = std::mem::take(&mut undo.changes).into_iter();
    let (mut taken_back, mut impossible) = (0, Vec::new());
    // Last done is first undone.
    for (place, change) in original.changes.iter().enumerate() {
        let inverse = inverses.next().filter(|i| i != change);
        let item = queued.iter().find(|q| q.place == place);
        let fate = match item {
            None => Fate::Undone,
            Some(q) => take_back(db, q, &undo, grace, seq, &mut touched, &mut impossible)?,
        };
        match fate {
            Fate::Undone => {}
            Fate::TakenBack => {
                taken_back += 1;
                continue;
            }
            Fate::Gone => continue,
        }
        match inverse {
            Some(inverse) => undo.changes.push(inverse),
            None => impossible.push(format!(
                "a deleted {} cannot be brought back",
                change.target.entity
            )),
        }
    }
    undo.changes.reverse();
    if undo.changes.is_empty() && taken_back == 0 && !original.changes.is_empty() {
        return Err(Fail::Store(StoreError::NotNow(if impossible.is_empty() {
            format!("nothing is left of “{}” to take back", original.summary)
        } else {
            impossible.join("; ")
        })));
    }
    undo.undoes = Some(original.id);
    let committed = run(db, undo, grace, seq, &mut touched)?;
    Ok(Undone {
        committed: finish(db, committed, touched)?,
        taken_back,
        impossible,
    })
}

/// What became of one change that is to be taken back.
enum Fate {
    /// It was not sent; now it will not be.
    TakenBack,
    /// It is done, or may be: its inverse is wanted.
    Undone,
    /// There is nothing to take back.
    Gone,
}

/// Takes one item back if it was not sent.
fn take_back(
    db: &Connection,
    queued: &Queued,
    undo: &Operation,
    grace: Duration,
    seq: i64,
    touched: &mut Touched,
    impossible: &mut Vec<String>,
) -> Res<Fate> {
    let item = &queued.item;
    match item.state {
        OutboxState::Waiting | OutboxState::Failed | OutboxState::Conflict => {
            outbox::drop_with_all(db, item, undo.at, seq, touched)?;
            outbox::restore_superseded(db, &item.id, undo.at, grace, touched)?;
            Ok(Fate::TakenBack)
        }
        OutboxState::Sending | OutboxState::Unknown | OutboxState::Done => Ok(Fate::Undone),
        OutboxState::Dropped => {
            if queued.superseded {
                impossible.push(
                    "a later change of the same thing took its place; take that back first".into(),
                );
            }
            // An edit that took an earlier one's place and came back to what was there: the earlier one counts again.
            let restored = outbox::restore_superseded(db, &item.id, undo.at, grace, touched)?;
            Ok(if restored > 0 {
                Fate::TakenBack
            } else {
                Fate::Gone
            })
        }
    }
}
