//! The pages of a first load, merged before they are stored: records, ties and merged rows are written in one transaction and without
//! looking for what cannot be there. Should something of a page be there after all, nothing of it is written and it goes the usual way.

use super::codec::{Kind, give, micros};
use super::error::Res;
use super::implied;
use super::many::Many;
use super::merging::{put_extra, put_unmatched, put_waiting};
use super::records::put_problems;
use super::refs::Refs;
use super::rows::{Touched, delete_row, next_seq, put_new_rows, put_row};
use super::settle::{index, is_indexed, leave};
use super::ties::{how_name, moves, tie_of, wake};
use super::types::{FreshBatch, FreshPage, PageStats, PageWrite};
use crate::book::{
    CrosswalkEntry, DirtyBatch, Entity, FieldValue, LocalId, MatchHow, Record, RecordKey,
    SourceName,
};
use foldhash::{HashMap, HashMapExt};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Whether nothing of a stream is here yet, or its first load only was interrupted.
pub(super) fn is_fresh(db: &Connection, source: &str, stream: &str) -> Res<bool> {
    let known: Option<(i64, bool)> = db
        .prepare_cached("SELECT rows,loading FROM stream_state WHERE source=?1 AND stream=?2")?
        .query_row([source, stream], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    Ok(known.is_none_or(|(rows, loading)| rows == 0 || loading))
}

/// Adds to a batch of records that are new where their references lead; with the number of moves at that moment.
pub(super) fn context(
    db: &Connection,
    refs: &Mutex<Refs>,
    mut batch: DirtyBatch,
) -> Res<(DirtyBatch, i64)> {
    let mut refs = refs.lock().unwrap_or_else(PoisonError::into_inner);
    let moves = refs.check(db)?;
    // Neighbours mostly refer to the same things: what was asked last for a field is not asked again.
    let mut asked: HashMap<(&SourceName, Entity), Vec<&str>> = HashMap::new();
    for stored in &batch.dirty {
        for (field, value) in &stored.record.fields {
            let FieldValue::Ref(id) = value else { continue };
            let Some(entity) = Entity::referred_by(field) else {
                continue;
            };
            let ids = asked.entry((&stored.source, entity)).or_default();
            if ids.last() != Some(&id.as_str()) {
                ids.push(id);
            }
        }
    }
    let mut found = Vec::new();
    for ((source, entity), mut ids) in asked {
        ids.sort_unstable();
        ids.dedup();
        found.extend(refs.ties(db, source, entity, &ids)?);
    }
    batch.crosswalk.extend(found);
    Ok((batch, moves))
}

/// Writes a page with all that was made of it; `None`, and nothing may be kept, when something of it is here already, or when rows
/// to which it may refer have become others since.
pub(super) fn apply(db: &Connection, fresh: &FreshPage) -> Res<Option<PageStats>> {
    // What rows referred to before their records came may be one of these.
    if implied::any(db, &fresh.page.source)? {
        return Ok(None);
    }
    if let Some(then) = fresh.moves
        && moves(db)? != then
    {
        return Ok(None);
    }
    let page = &fresh.page;
    begin_signals(db, page)?;
    if !put_records(db, fresh)? {
        return Ok(None);
    }
    let stats = PageStats {
        inserted: page.records.len() as u64,
        ..PageStats::default()
    };
    let seq = match fresh.merged.is_empty() {
        true => 0,
        false => next_seq(db)?,
    };
    let mut touched = Touched::default();
    let mut records = page.records.as_slice();
    for part in &fresh.merged {
        let batch = &part.batch;
        let (own, rest) = records
            .split_at_checked(part.records)
            .unwrap_or((records, &[]));
        records = rest;
        wake_waiting(db, &page.source, part, own)?;
        let mut new = Vec::with_capacity(batch.rows.len());
        for merged in &batch.rows {
            if part.first_new.is_some() && merged.row.target().id >= part.first_new {
                if !(merged.extra.is_empty() && merged.provenance.is_empty()) {
                    put_extra(db, merged, &mut touched)?;
                }
                new.push(&merged.row);
            } else {
                put_extra(db, merged, &mut touched)?;
                put_row(db, &merged.row, seq, &mut touched)?;
            }
        }
        put_new_rows(db, &new, seq, &mut touched)?;
        for target in &batch.removed {
            if !part.first_new.is_some() || target.id < part.first_new {
                delete_row(db, *target, seq, &mut touched)?;
            }
        }
        // Nothing was said before about records that are new.
        let mut matched = db.prepare_cached(
            "DELETE FROM unmatched WHERE source=?1 AND entity=?2 AND external_id=?3",
        )?;
        for key in batch.clean.iter().skip(part.records) {
            matched.execute(params![&*key.source, Kind(key.entity), key.external_id])?;
        }
        for u in &batch.unmatched {
            put_unmatched(db, u)?;
        }
        put_waiting(db, &batch.waiting)?;
    }
    note(db, &mut touched, seq)?;
    put_problems(db, page)?;
    db.prepare_cached(
        "INSERT INTO stream_state(source,stream,cursor,rows,updated,loading) VALUES(?1,?2,?3,?4,?5,?6)
         ON CONFLICT(source,stream) DO UPDATE SET cursor=excluded.cursor,rows=rows+?4,updated=excluded.updated,loading=excluded.loading",
    )?
    .execute(params![
        &*page.source,
        page.stream,
        page.next.0,
        stats.inserted as i64,
        micros(page.now),
        fresh.loading
    ])?;
    Ok(Some(stats))
}

/// A record with its packed fields, its row and how that was found.
type Tied<'a> = (&'a Record, &'a [u8], Option<LocalId>, Option<&'static str>);

/// The records of a part with the rows that they belong to; nothing when one is tied that is not among them.
fn tied<'a>(
    part: &'a FreshBatch,
    records: &'a [Record],
    packed: &'a [Vec<u8>],
) -> Option<Vec<Tied<'a>>> {
    let all = records.iter().zip(packed);
    if part.each_new {
        let rows = (part.first_new.0..).map(LocalId);
        let new = how_name(MatchHow::New);
        return Some(
            all.zip(rows)
                .map(|((record, fields), row)| (record, &**fields, Some(row), Some(new)))
                .collect(),
        );
    }
    let ties = part.batch.crosswalk.iter();
    let mut ties: HashMap<&str, &CrosswalkEntry> = ties.map(|t| (&*t.external_id, t)).collect();
    let found = all
        .map(|(record, fields)| {
            let tie = ties.remove(&*record.external_id);
            (
                record,
                &**fields,
                tie.map(|t| t.local),
                tie.map(|t| how_name(t.how)),
            )
        })
        .collect();
    // Records of earlier pages are not tied anew by a page that is all news.
    ties.is_empty().then_some(found)
}

/// Writes the records of a page with the rows that they belong to; `false` when one of them, or a tie of its id, is there already.
fn put_records(db: &Connection, fresh: &FreshPage) -> Res<bool> {
    static INSERT: LazyLock<Many> = LazyLock::new(|| {
        Many {
        into: "INSERT OR IGNORE INTO source_record(source,stream,seen,entity,external_id,modified,deleted,fields,dirty,local,how) VALUES".to_owned(),
        row: "(?1,?2,?3,?4,?,?,0,?,0,?,?)".to_owned(),
        end: "",
    }
    });
    let page = &fresh.page;
    let any_known = db
        .prepare_cached("SELECT 1 FROM tie WHERE source=?1 LIMIT 1")?
        .exists([&*page.source])?;
    let (mut records, mut packed) = (page.records.as_slice(), fresh.packed.as_slice());
    for part in &fresh.merged {
        let split = records
            .split_at_checked(part.records)
            .zip(packed.split_at_checked(part.records));
        let Some(((own, more), (fields, more_fields))) = split else {
            return Ok(false);
        };
        (records, packed) = (more, more_fields);
        let (Some(first), Some(tied)) = (own.first(), tied(part, own, fields)) else {
            return Ok(false);
        };
        if any_known && any_tied(db, &page.source, own)? {
            return Ok(false);
        }
        let shared: [&dyn ToSql; 4] =
            [&&*page.source, &page.stream, &page.run, &Kind(first.entity)];
        let inserted =
            INSERT.insert(db, &shared, &tied, |(record, fields, local, how), s, i| {
                give(s, i, &record.external_id)?;
                give(s, i, record.modified.map(micros))?;
                give(s, i, fields)?;
                give(s, i, local.map(|l| l.0))?;
                give(s, i, how)
            })?;
        if inserted < tied.len() {
            return Ok(false);
        }
    }
    Ok(records.is_empty())
}

/// Whether one of these is called by its id already.
fn any_tied(db: &Connection, source: &SourceName, records: &[Record]) -> Res<bool> {
    for record in records {
        let key = RecordKey {
            source: source.clone(),
            entity: record.entity,
            external_id: record.external_id.clone(),
        };
        if tie_of(db, &key)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Those that waited for one of these can be merged now.
fn wake_waiting(
    db: &Connection,
    source: &SourceName,
    part: &FreshBatch,
    own: &[Record],
) -> Res<()> {
    let Some(first) = own.first() else {
        return Ok(());
    };
    let awaited = db
        .prepare_cached("SELECT 1 FROM waiting WHERE for_source=?1 AND for_entity=?2 LIMIT 1")?
        .exists(params![&**source, Kind(first.entity)])?;
    if !awaited {
        return Ok(());
    }
    let of = |id: &str, local| {
        let key = RecordKey {
            source: source.clone(),
            entity: first.entity,
            external_id: id.to_owned(),
        };
        wake(db, &key, local)
    };
    if part.each_new {
        for (record, row) in own.iter().zip(part.first_new.0..) {
            of(&record.external_id, LocalId(row))?;
        }
    }
    for entry in &part.batch.crosswalk {
        of(&entry.external_id, entry.local)?;
    }
    Ok(())
}

/// Notes the accounts whose facts are to be brought up to date later.
fn note(db: &Connection, touched: &mut Touched, seq: i64) -> Res<()> {
    let mut accounts: Vec<(LocalId, u8)> = touched.accounts.drain().collect();
    // No fact of an account comes from a task.
    accounts.retain(|(_, parts)| *parts != 0);
    accounts.sort_unstable();
    leave(db, &accounts, seq)
}

/// A load into a table without any signals goes without the tree that finds them by their account, until [`end_load`].
fn begin_signals(db: &Connection, page: &PageWrite) -> Res<()> {
    let signal = |r: &Record| r.entity == Entity::Signal;
    if page.records.iter().any(signal)
        && !db
            .prepare_cached("SELECT 1 FROM signal LIMIT 1")?
            .exists([])?
        && is_indexed(db)?
    {
        db.execute_batch("DROP INDEX signal_account")?;
    }
    Ok(())
}

/// No first load is under way any more.
pub(super) fn end_load(db: &Connection, refs: &Mutex<Refs>) -> Res<()> {
    refs.lock().unwrap_or_else(PoisonError::into_inner).forget();
    index(db)
}
