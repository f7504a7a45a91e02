//! Between the records and the merged rows: what waits to be merged, and writing what merge made of it.

use super::codec::{Kind, instant, kind_of};
use super::error::{Fail, Res};
use super::packed::unpack;
use super::records::{mark_dirty, record};
use super::rows::{Touched, delete_row, next_seq, part, put_row, reserve_ids, seq};
use super::settle::settle;
use super::ties::{remerge_row, tie, tie_of, ties_of};
use super::types::{MergeStats, Remerge};
use crate::book::{
    CrosswalkEntry, DirtyBatch, Entity, FieldValue, LocalId, MatchHow, MergeBatch, MergedRow,
    Record, RecordKey, StoredRecord, Target, Unmatched,
};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::collections::HashSet;

/// The next records of one kind; they are marked as handed out, so that a page that comes meanwhile is not taken for merged.
pub(super) fn dirty_batch(db: &Connection, limit: usize) -> Res<Option<DirtyBatch>> {
    for entity in Entity::ALL {
        let dirty = hand_out(db, entity, limit)?;
        if dirty.is_empty() {
            continue;
        }
        let mut batch = DirtyBatch {
            entity: Some(entity),
            dirty,
            ..DirtyBatch::default()
        };
        let mut known: HashSet<RecordKey> = batch.dirty.iter().map(StoredRecord::key).collect();
        let mut rows = HashSet::new();
        for stored in &batch.dirty {
            if let Some(tie) = tie_of(db, &stored.key())? {
                rows.insert(tie.local);
                batch.crosswalk.push(tie);
            }
        }
        for id in rows {
            for tie in ties_of(db, Target { entity, id })? {
                let key = key_of(&tie);
                if known.insert(key.clone()) {
                    batch.siblings.extend(record(db, &key)?);
                    batch.crosswalk.push(tie);
                }
            }
        }
        let mut asked = HashSet::new();
        for stored in batch.dirty.iter().chain(&batch.siblings) {
            for (field, value) in &stored.record.fields {
                let (FieldValue::Ref(id), Some(refers)) = (value, Entity::referred_by(field))
                else {
                    continue;
                };
                let key = RecordKey {
                    source: stored.source.clone(),
                    entity: refers,
                    external_id: id.clone(),
                };
                if asked.insert(key.clone()) {
                    // A reference within the kind (parent) may stand in the batch already.
                    let tie = tie_of(db, &key)?;
                    batch
                        .crosswalk
                        .extend(tie.filter(|_| !known.contains(&key)));
                }
            }
        }
        return Ok(Some(batch));
    }
    Ok(None)
}

fn key_of(tie: &CrosswalkEntry) -> RecordKey {
    RecordKey {
        source: tie.source.clone(),
        entity: tie.entity,
        external_id: tie.external_id.clone(),
    }
}

fn hand_out(db: &Connection, entity: Entity, limit: usize) -> Res<Vec<StoredRecord>> {
    let mut statement = db.prepare_cached(
        "SELECT id,source,external_id,modified,deleted,fields FROM source_record WHERE dirty>0 AND entity=?1 LIMIT ?2",
    )?;
    let mut taken = db.prepare_cached("UPDATE source_record SET dirty=2 WHERE id=?1")?;
    let mut rows = statement.query(params![Kind(entity), limit.max(1) as i64])?;
    let mut out = Vec::new();
    let (mut ids, mut damaged): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
    while let Some(r) = rows.next()? {
        let id = r.get(0)?;
        let deleted: bool = r.get(4)?;
        let fields = match unpack(r.get_ref(5)?) {
            _ if deleted => Vec::new(),
            Ok(fields) => fields,
            Err(Fail::Bad(_)) => {
                damaged.push(id);
                continue;
            }
            Err(e) => return Err(e),
        };
        ids.push(id);
        out.push(StoredRecord {
            source: r.get::<_, String>(1)?.into(),
            record: Record {
                entity,
                external_id: r.get(2)?,
                modified: r.get::<_, Option<i64>>(3)?.map(instant),
                deleted,
                fields,
            },
        });
    }
    drop(rows);
    for id in ids {
        taken.execute([id])?;
    }
    for id in damaged {
        set_aside(db, id)?;
    }
    Ok(out)
}

/// A record that cannot be read is listed and keeps nobody else waiting: its row stays as it was until the source says it anew.
fn set_aside(db: &Connection, id: i64) -> Res<()> {
    db.prepare_cached(
        "INSERT INTO problem(source,stream,entity,external_id,reason,at)
         SELECT source,coalesce(stream,''),entity,external_id,?2,
             (SELECT coalesce(max(updated),0) FROM stream_state s WHERE s.source=r.source)
         FROM source_record r WHERE id=?1",
    )?
    .execute(params![
        id,
        "what is stored of it is damaged; csops sync --full reads it anew"
    ])?;
    db.prepare_cached("UPDATE source_record SET dirty=0 WHERE id=?1")?
        .execute([id])?;
    Ok(())
}

/// Writes what merge made.
pub(super) fn write_merged(db: &Connection, batch: &MergeBatch, now: Timestamp) -> Res<MergeStats> {
    let seq_now = next_seq(db)?;
    let mut touched = Touched::default();
    tie(db, &batch.crosswalk, seq_now, &mut touched)?;
    for merged in &batch.rows {
        put_extra(db, merged, &mut touched)?;
        put_row(db, &merged.row, seq_now, &mut touched)?;
    }
    for target in &batch.removed {
        delete_row(db, *target, seq_now, &mut touched)?;
    }
    let mut matched = db
        .prepare_cached("DELETE FROM unmatched WHERE source=?1 AND entity=?2 AND external_id=?3")?;
    let mut clean = db.prepare_cached(
        "UPDATE source_record SET dirty=0 WHERE source=?1 AND entity=?2 AND external_id=?3 AND dirty=2",
    )?;
    for key in &batch.clean {
        matched.execute(params![&*key.source, Kind(key.entity), key.external_id])?;
        clean.execute(params![&*key.source, Kind(key.entity), key.external_id])?;
    }
    for u in &batch.unmatched {
        put_unmatched(db, u)?;
    }
    put_waiting(db, &batch.waiting)?;
    settle(db, &mut touched, seq_now, now)?;
    Ok(MergeStats {
        seq: seq_now.unsigned_abs(),
        changed: touched.targets,
    })
}

/// Notes which records wait for which.
pub(super) fn put_waiting(db: &Connection, waiting: &[(RecordKey, RecordKey)]) -> Res<()> {
    let mut wait = db.prepare_cached(
        "INSERT OR IGNORE INTO waiting(for_source,for_entity,for_id,source,entity,external_id) VALUES(?1,?2,?3,?4,?5,?6)",
    )?;
    for (who, missing) in waiting {
        // It may have come while merge was thinking.
        if tie_of(db, missing)?.is_some() {
            mark_dirty(db, who)?;
            continue;
        }
        wait.execute(params![
            &*missing.source,
            Kind(missing.entity),
            missing.external_id,
            &*who.source,
            Kind(who.entity),
            who.external_id
        ])?;
    }
    Ok(())
}

/// Writes what the Book does not hold of a row.
pub(super) fn put_extra(db: &Connection, merged: &MergedRow, touched: &mut Touched) -> Res<()> {
    let target = merged.row.target();
    let json = |empty: bool, text: serde_json::Result<String>| -> Res<Option<String>> {
        Ok(if empty { None } else { Some(text?) })
    };
    if merged.extra.is_empty() && merged.provenance.is_empty() {
        db.prepare_cached("DELETE FROM row_extra WHERE entity=?1 AND id=?2")?
            .execute(params![Kind(target.entity), target.id.0])?;
        return Ok(());
    }
    let account = merged.row.account();
    let written = db.prepare_cached(
        "INSERT INTO row_extra(entity,id,account,extra,provenance) VALUES(?1,?2,?3,?4,?5)
         ON CONFLICT(entity,id) DO UPDATE SET account=excluded.account,extra=excluded.extra,provenance=excluded.provenance
         WHERE account IS NOT excluded.account OR extra IS NOT excluded.extra OR provenance IS NOT excluded.provenance",
    )?
    .execute(params![
        Kind(target.entity),
        target.id.0,
        account.is_some().then_some(account.0),
        json(merged.extra.is_empty(), serde_json::to_string(&merged.extra))?,
        json(
            merged.provenance.is_empty(),
            serde_json::to_string(&merged.provenance)
        )?
    ])?;
    if written > 0 && target.entity == Entity::Account {
        // What the other systems say may have changed although what we believe has not.
        touched.account(account, part::ACCOUNT);
    }
    Ok(())
}

/// Lists a record that could not be matched, or not for certain.
pub(super) fn put_unmatched(db: &Connection, u: &Unmatched) -> Res<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO unmatched(source,entity,external_id,name,local,candidate,reason) VALUES(?1,?2,?3,?4,?5,?6,?7)",
    )?
    .execute(params![
        &*u.source,
        Kind(u.entity),
        u.external_id,
        u.name,
        u.local.0,
        u.candidate.map(|c| c.0),
        u.reason
    ])?;
    Ok(())
}

/// What is unmatched, all of it or only what concerns one account.
pub(super) fn unmatched(
    db: &Connection,
    about: Option<LocalId>,
    limit: usize,
) -> Res<Vec<Unmatched>> {
    let mut statement = db.prepare_cached(
        "SELECT source,entity,external_id,name,local,candidate,reason FROM unmatched
         WHERE ?1 IS NULL OR (entity='account' AND (local=?1 OR candidate=?1)) ORDER BY entity,name LIMIT ?2",
    )?;
    let mut rows = statement.query(params![about.map(|a| a.0), limit as i64])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(Unmatched {
            source: r.get::<_, String>(0)?.into(),
            entity: kind_of(r.get_ref(1)?.as_str().unwrap_or(""))?,
            external_id: r.get(2)?,
            name: r.get(3)?,
            local: LocalId(r.get(4)?),
            candidate: r.get::<_, Option<u32>>(5)?.map(LocalId),
            reason: r.get(6)?,
        });
    }
    Ok(out)
}

/// A person says whose these records are.
pub(super) fn relink(
    db: &Connection,
    entries: &[CrosswalkEntry],
    now: Timestamp,
) -> Res<MergeStats> {
    let seq_now = next_seq(db)?;
    let mut touched = Touched::default();
    for entry in entries {
        let mut entry = entry.clone();
        entry.how = MatchHow::Manual;
        if !entry.local.is_some() {
            entry.local = reserve_ids(db, entry.entity, 1)?;
        }
        tie(db, std::slice::from_ref(&entry), seq_now, &mut touched)?;
        mark_dirty(db, &key_of(&entry))?;
        remerge_row(
            db,
            Target {
                entity: entry.entity,
                id: entry.local,
            },
        )?;
    }
    settle(db, &mut touched, seq_now, now)?;
    Ok(MergeStats {
        seq: seq(db)?,
        changed: touched.targets,
    })
}

pub(super) fn remerge(db: &Connection, which: &Remerge) -> Res<u64> {
    Ok(match which {
        Remerge::All => db.execute("UPDATE source_record SET dirty=1", [])? as u64,
        Remerge::Source(source) => db.execute(
            "UPDATE source_record SET dirty=1 WHERE source=?1",
            [&**source],
        )? as u64,
        Remerge::Rows(targets) => {
            let mut marked = 0;
            for target in targets {
                marked += remerge_row(db, *target)?;
            }
            marked
        }
    })
}

pub(super) fn records_of(
    db: &Connection,
    entity: Entity,
    rows: &[LocalId],
) -> Res<Vec<StoredRecord>> {
    let mut out = Vec::new();
    for id in rows {
        for tie in ties_of(db, Target { entity, id: *id })? {
            out.extend(record(db, &key_of(&tie))?);
        }
    }
    Ok(out)
}
