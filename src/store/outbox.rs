//! The outbox: what is to be sent, in which order, and what became of it.

use super::codec::{Kind, instant, micros, read_any, text_value};
use super::error::{Fail, Res, StoreError};
use super::records::{put_record, record};
use super::rows::{Touched, delete_row, next_seq, put_row};
use super::settle::settle;
use super::ties::{external_id, tie};
use super::types::{ItemOutcome, Resolution};
use crate::book::record::FieldName;
use crate::book::{
    Change, CrosswalkEntry, Entity, FieldChange, FieldValue, LocalId, MatchHow, Operation,
    OutboxItem, OutboxState, Record, RecordKey, StoredRecord, Target, Verb,
};
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use std::time::Duration;

/// An item and what only the store knows of it.
pub(super) struct Queued {
    /// The item.
    pub item: OutboxItem,
    /// The place of its change in its operation.
    pub place: usize,
    /// A later item took its place.
    pub superseded: bool,
}

const COLUMNS: &str = "id,operation,command,change,external_id,state,attempts,next_attempt,error,conflict,created,finished,place,superseded_by IS NOT NULL";

fn verb_name(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
    }
}

fn read(db: &Connection, r: &Row<'_>) -> Res<Queued> {
    let change: Change = serde_json::from_str(r.get_ref(3)?.as_str().unwrap_or(""))?;
    let state: String = r.get(5)?;
    let mut known: Option<String> = r.get(4)?;
    if known.is_none() && change.verb != Verb::Create {
        // The thing may have been created at the vendor since.
        known = external_id(db, &change.source, change.target)?;
    }
    let conflict: Option<String> = r.get(9)?;
    Ok(Queued {
        item: OutboxItem {
            id: r.get(0)?,
            operation: r.get(1)?,
            command: r.get(2)?,
            change,
            external_id: known,
            state: OutboxState::parse(&state)
                .ok_or_else(|| Fail::Bad(format!("an outbox item in a state `{state}`")))?,
            attempts: r.get(6)?,
            next_attempt: instant(r.get(7)?),
            error: r.get(8)?,
            conflict: conflict.map(|c| serde_json::from_str(&c)).transpose()?,
            created: instant(r.get(10)?),
            finished: r.get::<_, Option<i64>>(11)?.map(instant),
        },
        place: r.get::<_, u32>(12)? as usize,
        superseded: r.get(13)?,
    })
}

/// The items that a condition picks.
fn select(db: &Connection, condition: &str, values: &[Value]) -> Res<Vec<Queued>> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox o WHERE {condition}"))?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(read(db, r)?);
    }
    Ok(out)
}

fn items(db: &Connection, condition: &str, values: &[Value]) -> Res<Vec<OutboxItem>> {
    Ok(select(db, condition, values)?
        .into_iter()
        .map(|q| q.item)
        .collect())
}

/// Writes what can change of an item.
fn save(db: &Connection, item: &OutboxItem) -> Res<()> {
    let conflict = item
        .conflict
        .as_ref()
        .map(serde_json::to_string)
        .transpose()?;
    db.prepare_cached(
        "UPDATE outbox SET change=?2,external_id=?3,state=?4,attempts=?5,next_attempt=?6,error=?7,conflict=?8,finished=?9 WHERE id=?1",
    )?
    .execute(params![
        item.id,
        serde_json::to_string(&item.change)?,
        item.external_id,
        item.state.name(),
        item.attempts,
        micros(item.next_attempt),
        item.error,
        conflict,
        item.finished.map(micros)
    ])?;
    Ok(())
}

fn after(at: Timestamp, grace: Duration) -> Timestamp {
    SignedDuration::try_from(grace)
        .ok()
        .and_then(|d| at.checked_add(d).ok())
        .unwrap_or(at)
}

/// Puts a change into the outbox; the item that is to be sent, if any is left to be.
pub(super) fn queue(
    db: &Connection,
    operation: &Operation,
    place: usize,
    change: &Change,
    grace: Duration,
) -> Res<Option<OutboxItem>> {
    let mut item = OutboxItem {
        id: uuid::Uuid::new_v4().to_string(),
        operation: operation.id.clone(),
        command: operation.command.clone(),
        change: change.clone(),
        external_id: match change.verb {
            Verb::Create => None,
            _ => external_id(db, &change.source, change.target)?,
        },
        state: OutboxState::Waiting,
        attempts: 0,
        next_attempt: after(operation.at, grace),
        error: None,
        conflict: None,
        created: operation.at,
        finished: None,
    };
    if change.verb == Verb::Update {
        if let Some(mut old) = in_grace(db, change, operation.at)? {
            item.change.fields = joined(&old.change.fields, &change.fields);
            old.state = OutboxState::Dropped;
            old.error = Some("a later edit took its place".into());
            old.finished = Some(operation.at);
            save(db, &old)?;
            db.prepare_cached("UPDATE outbox SET superseded_by=?2 WHERE id=?1")?
                .execute([&old.id, &item.id])?;
        }
        item.change.fields.retain(|f| f.base != f.want);
        if item.change.fields.is_empty() {
            item.state = OutboxState::Dropped;
            item.error = Some("nothing was left to change".into());
            item.finished = Some(operation.at);
        }
    }
    insert(db, &item, place)?;
    if item.finished.is_some() {
        return Ok(None);
    }
    for needed in needs(db, &item.change)? {
        db.prepare_cached("INSERT OR IGNORE INTO outbox_needs(item,needs) VALUES(?1,?2)")?
            .execute([&item.id, &needed])?;
    }
    Ok(Some(item))
}

fn insert(db: &Connection, item: &OutboxItem, place: usize) -> Res<()> {
    let change = &item.change;
    db.prepare_cached(
        "INSERT INTO outbox(id,operation,place,command,source,entity,target,account,verb,change,external_id,state,attempts,next_attempt,error,created,finished)
         VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)",
    )?
    .execute(params![
        item.id,
        item.operation,
        place as i64,
        item.command,
        &*change.source,
        Kind(change.target.entity),
        change.target.id.0,
        change.account.0,
        verb_name(change.verb),
        serde_json::to_string(change)?,
        item.external_id,
        item.state.name(),
        item.attempts,
        micros(item.next_attempt),
        item.error,
        micros(item.created),
        item.finished.map(micros)
    ])?;
    Ok(())
}

/// The newest unfinished item of the same thing, if it is an edit still in its grace.
fn in_grace(db: &Connection, change: &Change, now: Timestamp) -> Res<Option<OutboxItem>> {
    let newest = items(
        db,
        "finished IS NULL AND entity=?1 AND target=?2 AND source=?3 ORDER BY number DESC LIMIT 1",
        &target_values(change),
    )?;
    Ok(newest.into_iter().next().filter(|i| {
        i.state == OutboxState::Waiting
            && i.attempts == 0
            && i.change.verb == Verb::Update
            && i.next_attempt > now
    }))
}

fn target_values(change: &Change) -> [Value; 3] {
    [
        Value::Text(change.target.entity.name().to_owned()),
        Value::Integer(i64::from(change.target.id.0)),
        Value::Text(change.source.to_string()),
    ]
}

/// Two edits as one: from where the first started to where the second ends.
fn joined(first: &[FieldChange], second: &[FieldChange]) -> Vec<FieldChange> {
    let mut fields = first.to_vec();
    for f in second {
        match fields.iter_mut().find(|have| have.field == f.field) {
            Some(have) => have.want = f.want.clone(),
            None => fields.push(f.clone()),
        }
    }
    fields
}

/// The unfinished creates that a change has to wait for: of its own target, its account, and whatever it refers to.
fn needs(db: &Connection, change: &Change) -> Res<Vec<String>> {
    let mut on: Vec<(Entity, LocalId)> = vec![(Entity::Account, change.account)];
    if change.verb != Verb::Create {
        on.push((change.target.entity, change.target.id));
    }
    for f in &change.fields {
        if let (FieldValue::Id(id), Some(entity)) = (&f.want, Entity::referred_by(&f.field)) {
            on.push((entity, *id));
        }
    }
    let mut statement = db.prepare_cached(
        "SELECT id FROM outbox WHERE finished IS NULL AND entity=?1 AND target=?2 AND source=?3 AND verb='create'",
    )?;
    let mut out = Vec::new();
    for (entity, id) in on.into_iter().filter(|(_, id)| id.is_some()) {
        let found: Option<String> = statement
            .query_row(params![Kind(entity), id.0, &*change.source], |r| r.get(0))
            .optional()?;
        out.extend(found);
    }
    Ok(out)
}

/// The items of an operation.
pub(super) fn of_operation(db: &Connection, operation: &str) -> Res<Vec<Queued>> {
    select(
        db,
        "operation=?1 ORDER BY number",
        &[text_value(Some(operation))],
    )
}

/// The unfinished items of an account, oldest first.
pub(super) fn pending_of_account(db: &Connection, account: LocalId) -> Res<Vec<OutboxItem>> {
    items(
        db,
        "finished IS NULL AND account=?1 ORDER BY number",
        &[Value::Integer(i64::from(account.0))],
    )
}

/// Gives an item up, and with a create everything that waited for it and the row that it made.
pub(super) fn drop_with_all(
    db: &Connection,
    item: &OutboxItem,
    now: Timestamp,
    seq: i64,
    touched: &mut Touched,
) -> Res<()> {
    let mut dropped = item.clone();
    dropped.state = OutboxState::Dropped;
    dropped.finished = Some(now);
    save(db, &dropped)?;
    if item.change.verb == Verb::Create {
        delete_row(db, item.change.target, seq, touched)?;
        let waiting = items(
            db,
            "finished IS NULL AND id IN (SELECT item FROM outbox_needs WHERE needs=?1)",
            &[text_value(Some(&item.id))],
        )?;
        for mut dependent in waiting {
            dependent.error = Some("what it belongs to was given up".into());
            drop_with_all(db, &dependent, now, seq, touched)?;
        }
    } else {
        touched.targets.push(item.change.target);
    }
    Ok(())
}

/// The items whose place a dropped one had taken wait again; how many.
pub(super) fn restore_superseded(
    db: &Connection,
    id: &str,
    now: Timestamp,
    grace: Duration,
    touched: &mut Touched,
) -> Res<usize> {
    let superseded = items(db, "superseded_by=?1", &[text_value(Some(id))])?;
    let restored = superseded.len();
    for mut item in superseded {
        item.state = OutboxState::Waiting;
        item.error = None;
        item.finished = None;
        item.next_attempt = after(now, grace);
        touched.targets.push(item.change.target);
        save(db, &item)?;
        db.prepare_cached("UPDATE outbox SET superseded_by=NULL WHERE id=?1")?
            .execute([&item.id])?;
    }
    Ok(restored)
}

/// Everything unfinished, then the newest finished.
pub(super) fn list(db: &Connection, recent: usize) -> Res<Vec<OutboxItem>> {
    let mut all = items(db, "finished IS NULL ORDER BY number", &[])?;
    all.extend(items(
        db,
        "finished IS NOT NULL AND superseded_by IS NULL ORDER BY finished DESC,number DESC LIMIT ?1",
        &[Value::Integer(recent as i64)],
    )?);
    Ok(all)
}

/// One item by its id or the beginning of it.
pub(super) fn one(db: &Connection, id: &str) -> Res<OutboxItem> {
    let exact = items(db, "id=?1", &[text_value(Some(id))])?;
    if let Some(item) = exact.into_iter().next() {
        return Ok(item);
    }
    let mut found = if id.is_empty() {
        Vec::new()
    } else {
        items(
            db,
            "substr(id,1,length(?1))=?1 LIMIT 2",
            &[text_value(Some(id))],
        )?
    };
    match (found.pop(), found.is_empty()) {
        (Some(item), true) => Ok(item),
        _ => Err(Fail::Store(StoreError::NotFound {
            what: "outbox item",
            id: id.to_owned(),
        })),
    }
}

/// What may move now as far as order goes: nothing older of the same thing is on its way or still to be created, and whatever it
/// refers to is there.
const FREE: &str = "o.finished IS NULL AND o.state IN ('waiting','unknown')
    AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.finished IS NULL AND p.entity=o.entity AND p.target=o.target AND p.source=o.source
        AND p.number<o.number AND (p.state IN ('waiting','sending','unknown') OR p.verb='create'))
    AND NOT EXISTS (SELECT 1 FROM outbox_needs n JOIN outbox p ON p.id=n.needs WHERE n.item=o.id AND p.finished IS NULL)";

pub(super) fn due(db: &Connection, now: Timestamp, limit: usize) -> Res<Vec<OutboxItem>> {
    items(
        db,
        &format!("{FREE} AND o.next_attempt<=?1 ORDER BY o.number LIMIT ?2"),
        &[Value::Integer(micros(now)), Value::Integer(limit as i64)],
    )
}

pub(super) fn next_due(db: &Connection) -> Res<Option<Timestamp>> {
    let at: Option<i64> = db
        .prepare_cached(&format!(
            "SELECT min(next_attempt) FROM outbox o WHERE {FREE}"
        ))?
        .query_row([], |r| r.get(0))?;
    Ok(at.map(instant))
}

pub(super) fn mark_sending(db: &Connection, id: &str) -> Res<bool> {
    Ok(db
        .prepare_cached(
            "UPDATE outbox SET state='sending',attempts=attempts+1 WHERE id=?1 AND state IN ('waiting','unknown')",
        )?
        .execute([id])?
        > 0)
}

pub(super) fn recover(db: &Connection, now: Timestamp) -> Res<u64> {
    Ok(db.execute(
        "UPDATE outbox SET state=CASE verb WHEN 'create' THEN 'unknown' ELSE 'waiting' END,next_attempt=?1,
         error='csops ended while it was being sent' WHERE state='sending'",
        [micros(now)],
    )? as u64)
}

pub(super) fn flush(db: &Connection, now: Timestamp) -> Res<u64> {
    Ok(db.execute(
        "UPDATE outbox SET next_attempt=?1 WHERE state='waiting' AND attempts=0 AND next_attempt>?1",
        [micros(now)],
    )? as u64)
}

fn not_now(text: String) -> Fail {
    Fail::Store(StoreError::NotNow(text))
}

fn refuse_finished(item: &OutboxItem) -> Res<()> {
    if item.state.is_pending() {
        Ok(())
    } else {
        Err(not_now(format!(
            "outbox item {} is {} already",
            item.id,
            item.state.name()
        )))
    }
}

pub(super) fn retry(db: &Connection, id: &str, now: Timestamp) -> Res<OutboxItem> {
    let mut item = one(db, id)?;
    refuse_finished(&item)?;
    match item.state {
        OutboxState::Conflict => {
            return Err(not_now(format!(
                "outbox item {} is in conflict; choose --mine or --theirs instead",
                item.id
            )));
        }
        OutboxState::Sending => {
            return Err(not_now(format!(
                "outbox item {} is being sent right now; wait for its answer",
                item.id
            )));
        }
        // Still asked about first: sending it blindly could do it twice.
        OutboxState::Unknown => {}
        _ => {
            item.state = OutboxState::Waiting;
            item.attempts = 0;
            item.error = None;
        }
    }
    item.next_attempt = now;
    save(db, &item)?;
    Ok(item)
}

pub(super) fn give_up(db: &Connection, id: &str, now: Timestamp) -> Res<OutboxItem> {
    let item = one(db, id)?;
    refuse_finished(&item)?;
    if item.state == OutboxState::Sending {
        return Err(not_now(format!(
            "outbox item {} is being sent right now; wait for its answer",
            item.id
        )));
    }
    let seq = next_seq(db)?;
    let mut touched = Touched::default();
    drop_with_all(db, &item, now, seq, &mut touched)?;
    bump(db, item.change.target, seq)?;
    settle(db, &mut touched, seq, now)?;
    one(db, &item.id)
}

/// Lets other processes' Books see that something over this row has changed.
fn bump(db: &Connection, target: Target, seq: i64) -> Res<()> {
    super::history::renumbered(db, target)?;
    db.prepare_cached(&format!(
        "UPDATE {} SET seq=?2 WHERE id=?1",
        target.entity.name()
    ))?
    .execute(params![target.id.0, seq])?;
    Ok(())
}

pub(super) fn resolve(
    db: &Connection,
    id: &str,
    resolution: Resolution,
    now: Timestamp,
) -> Res<OutboxItem> {
    let mut item = one(db, id)?;
    let Some(conflict) = item
        .conflict
        .take()
        .filter(|_| item.state == OutboxState::Conflict)
    else {
        return Err(not_now(format!(
            "outbox item {} is {}, not in conflict",
            item.id,
            item.state.name()
        )));
    };
    let seq = next_seq(db)?;
    let mut touched = Touched::default();
    // Either way we know what the vendor has now.
    let theirs: Vec<(FieldName, FieldValue)> = conflict
        .fields
        .iter()
        .map(|f| (f.field.clone(), f.theirs.clone()))
        .collect();
    if let Some(external) = item.external_id.clone() {
        learn(db, &item, &external, &theirs, conflict.modified)?;
    }
    set_row(db, item.change.target, &theirs, seq, &mut touched)?;
    match resolution {
        Resolution::Mine => {
            for f in &mut item.change.fields {
                if let Some(c) = conflict.fields.iter().find(|c| c.field == f.field) {
                    f.base = c.theirs.clone();
                }
            }
            item.state = OutboxState::Waiting;
            item.attempts = 0;
            item.next_attempt = now;
            item.error = None;
        }
        Resolution::Theirs => {
            item.state = OutboxState::Dropped;
            item.error = Some("the vendor's value was kept".into());
            item.finished = Some(now);
        }
    }
    save(db, &item)?;
    bump(db, item.change.target, seq)?;
    settle(db, &mut touched, seq, now)?;
    Ok(item)
}

/// Writes values into a source's record, as the vendor is known to hold them.
fn learn(
    db: &Connection,
    item: &OutboxItem,
    external: &str,
    values: &[(FieldName, FieldValue)],
    modified: Option<Timestamp>,
) -> Res<()> {
    let source = &item.change.source;
    let key = RecordKey {
        source: source.clone(),
        entity: item.change.target.entity,
        external_id: external.to_owned(),
    };
    let mut stored = record(db, &key)?.unwrap_or(StoredRecord {
        source: source.clone(),
        record: Record {
            entity: key.entity,
            external_id: key.external_id,
            modified: None,
            deleted: false,
            fields: Vec::new(),
        },
    });
    for (name, value) in values {
        let value = match (value, Entity::referred_by(name)) {
            // The source's own id where it has one; else the local one, which merge takes as it is.
            (FieldValue::Id(id), Some(entity)) => {
                match external_id(db, source, Target { entity, id: *id })? {
                    Some(theirs) => FieldValue::Ref(theirs),
                    None => FieldValue::Id(*id),
                }
            }
            (other, _) => other.clone(),
        };
        stored.record.fields.retain(|(have, _)| have != name);
        stored.record.fields.push((name.clone(), value));
    }
    stored.record.deleted = false;
    stored.record.modified = stored.record.modified.max(modified);
    put_record(db, &stored)
}

/// Sets values in a merged row, those that fit.
fn set_row(
    db: &Connection,
    target: Target,
    values: &[(FieldName, FieldValue)],
    seq: i64,
    touched: &mut Touched,
) -> Res<()> {
    let Some(mut row) = read_any(db, target)? else {
        return Ok(());
    };
    for (name, value) in values
        .iter()
        .filter(|(_, v)| !matches!(v, FieldValue::Ref(_)))
    {
        // A tenant's own field lives in the record; merge brings it to the row.
        let _ = row.set(name, value);
    }
    put_row(db, &row, seq, touched)?;
    Ok(())
}

/// What became of an attempt.
pub(super) fn finish(
    db: &Connection,
    id: &str,
    outcome: &ItemOutcome,
    now: Timestamp,
) -> Res<OutboxItem> {
    let mut item = one(db, id)?;
    refuse_finished(&item)?;
    match outcome {
        ItemOutcome::Done {
            external_id,
            record,
        } => {
            done(db, &mut item, external_id, record.as_ref(), now)?;
        }
        ItemOutcome::Conflict(conflict) => {
            item.state = OutboxState::Conflict;
            item.conflict = Some(conflict.clone());
            item.error = Some("the vendor's value changed meanwhile".into());
        }
        ItemOutcome::Failed(error) => {
            item.state = OutboxState::Failed;
            item.error = Some(error.clone());
        }
        ItemOutcome::Retry { error, at } => {
            item.state = OutboxState::Waiting;
            item.error = Some(error.clone());
            item.next_attempt = *at;
        }
        ItemOutcome::Unknown { error, at } => {
            item.state = OutboxState::Unknown;
            item.error = Some(error.clone());
            item.next_attempt = *at;
        }
    }
    save(db, &item)?;
    Ok(item)
}

fn done(
    db: &Connection,
    item: &mut OutboxItem,
    external: &str,
    answered: Option<&Record>,
    now: Timestamp,
) -> Res<()> {
    let target = item.change.target;
    let seq = next_seq(db)?;
    let mut touched = Touched::default();
    item.state = OutboxState::Done;
    item.finished = Some(now);
    item.error = None;
    if !external.is_empty() {
        item.external_id = Some(external.to_owned());
    }
    if item.change.verb == Verb::Delete {
        db.prepare_cached(
            "UPDATE source_record SET deleted=1,dirty=1 WHERE source=?1 AND entity=?2 AND external_id=?3",
        )?
        .execute(params![&*item.change.source, Kind(target.entity), external])?;
        delete_row(db, target, seq, &mut touched)?;
    } else {
        let mut values: Vec<(FieldName, FieldValue)> = Vec::new();
        if item.change.verb == Verb::Create && item.change.account.is_some() {
            values.push(("account".into(), FieldValue::Id(item.change.account)));
        }
        for f in &item.change.fields {
            values.retain(|(name, _)| *name != f.field);
            values.push((f.field.clone(), f.want.clone()));
        }
        set_row(db, target, &values, seq, &mut touched)?;
        // What the vendor answered goes over what we wanted: it may have rounded, trimmed or added.
        for (name, value) in answered.map_or(&[][..], |r| &r.fields) {
            values.retain(|(have, _)| have != name);
            values.push((name.clone(), value.clone()));
        }
        learn(
            db,
            item,
            external,
            &values,
            answered.and_then(|r| r.modified),
        )?;
        tie(
            db,
            &[CrosswalkEntry {
                source: item.change.source.clone(),
                entity: target.entity,
                external_id: external.to_owned(),
                local: target.id,
                how: MatchHow::Identifier,
            }],
            seq,
            &mut touched,
        )?;
    }
    bump(db, target, seq)?;
    settle(db, &mut touched, seq, now)
}
