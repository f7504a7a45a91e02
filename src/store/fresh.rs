//! The pages of a first load, merged before they are stored: records, ties and merged rows are written in one transaction and without
//! looking for what cannot be there. Should something of a page be there after all, nothing of it is written and it goes the usual way.

use super::codec::{Kind, micros};
use super::error::Res;
use super::facts::{index, is_indexed, leave, settle};
use super::implied;
use super::merging::{put_extra, put_unmatched, put_waiting};
use super::records::put_problems;
use super::refs::Refs;
use super::rows::{Touched, delete_row, next_seq, part, put_new_row, put_row};
use super::ties::{how_name, moves, tie_of, wake};
use super::types::{FreshPage, PageStats, PageWrite, Settled};
use crate::book::{
    CrosswalkEntry, DirtyBatch, Entity, FieldValue, LocalId, Record, RecordKey, SourceName,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::iter::Peekable;
use std::sync::{Mutex, PoisonError};

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
            let (FieldValue::Ref(id), Some(entity)) = (value, Entity::referred_by(field)) else {
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
    for part in &fresh.merged {
        let batch = &part.batch;
        wake_waiting(db, &page.source, &batch.crosswalk)?;
        for merged in &batch.rows {
            let is_new = part.first_new.is_some() && merged.row.target().id >= part.first_new;
            if is_new {
                if !(merged.extra.is_empty() && merged.provenance.is_empty()) {
                    put_extra(db, merged, &mut touched)?;
                }
                put_new_row(db, &merged.row, seq, &mut touched)?;
            } else {
                put_extra(db, merged, &mut touched)?;
                put_row(db, &merged.row, seq, &mut touched)?;
            }
        }
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
    note(db, &mut touched)?;
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

/// The ties of a page's records: nearly always in their order.
struct Ties<'a> {
    next: Peekable<std::vec::IntoIter<&'a CrosswalkEntry>>,
    /// Those that were not in the order.
    rest: HashMap<(Entity, &'a str), &'a CrosswalkEntry>,
}

impl<'a> Ties<'a> {
    fn of(fresh: &'a FreshPage) -> Ties<'a> {
        let all: Vec<_> = (fresh.merged.iter())
            .flat_map(|part| &part.batch.crosswalk)
            .collect();
        Ties {
            next: all.into_iter().peekable(),
            rest: HashMap::new(),
        }
    }

    fn take(&mut self, record: &'a Record) -> Option<&'a CrosswalkEntry> {
        let is_its = |tie: &CrosswalkEntry| {
            tie.entity == record.entity && tie.external_id == record.external_id
        };
        if let Some(tie) = self.next.next_if(|tie| is_its(tie)) {
            return Some(tie);
        }
        self.rest
            .extend(self.next.by_ref().map(|t| ((t.entity, &*t.external_id), t)));
        self.rest.remove(&(record.entity, &*record.external_id))
    }

    fn is_empty(&mut self) -> bool {
        self.rest.is_empty() && self.next.peek().is_none()
    }
}

/// Writes the records of a page with the rows that they belong to; `false` when one of them, or a tie of its id, is there already.
fn put_records(db: &Connection, fresh: &FreshPage) -> Res<bool> {
    let page = &fresh.page;
    let mut ties = Ties::of(fresh);
    let mut known = db.prepare_cached("SELECT 1 FROM tie WHERE source=?1 LIMIT 1")?;
    let any_known = known.exists([&*page.source])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO source_record(source,stream,seen,entity,external_id,modified,deleted,fields,dirty,local,how)
         VALUES(?1,?2,?3,?4,?5,?6,0,?7,0,?8,?9) ON CONFLICT DO NOTHING",
    )?;
    // What is the same for all of them is bound once.
    insert.raw_bind_parameter(1, &*page.source)?;
    insert.raw_bind_parameter(2, &page.stream)?;
    insert.raw_bind_parameter(3, page.run)?;
    let mut kind = None;
    for (record, fields) in page.records.iter().zip(&fresh.packed) {
        let tie = ties.take(record);
        if any_known
            && tie_of(
                db,
                &RecordKey {
                    source: page.source.clone(),
                    entity: record.entity,
                    external_id: record.external_id.clone(),
                },
            )?
            .is_some()
        {
            return Ok(false);
        }
        if kind != Some(record.entity) {
            insert.raw_bind_parameter(4, Kind(record.entity))?;
            kind = Some(record.entity);
        }
        insert.raw_bind_parameter(5, &record.external_id)?;
        insert.raw_bind_parameter(6, record.modified.map(micros))?;
        insert.raw_bind_parameter(7, fields)?;
        insert.raw_bind_parameter(8, tie.map(|t| t.local.0))?;
        insert.raw_bind_parameter(9, tie.map(|t| how_name(t.how)))?;
        if insert.raw_execute()? == 0 {
            return Ok(false);
        }
    }
    // Records of earlier pages are not tied anew by a page that is all news.
    Ok(ties.is_empty())
}

/// Those that waited for one of these can be merged now.
fn wake_waiting(db: &Connection, source: &SourceName, entries: &[CrosswalkEntry]) -> Res<()> {
    let Some(first) = entries.first() else {
        return Ok(());
    };
    let awaited = db
        .prepare_cached("SELECT 1 FROM waiting WHERE for_source=?1 AND for_entity=?2 LIMIT 1")?
        .exists(params![&**source, Kind(first.entity)])?;
    if !awaited {
        return Ok(());
    }
    for entry in entries {
        let key = RecordKey {
            source: entry.source.clone(),
            entity: entry.entity,
            external_id: entry.external_id.clone(),
        };
        wake(db, &key, entry.local)?;
    }
    Ok(())
}

/// Notes the accounts whose facts are to be brought up to date later.
fn note(db: &Connection, touched: &mut Touched) -> Res<()> {
    let mut accounts: Vec<(LocalId, u8)> = touched.accounts.drain().collect();
    accounts.sort_unstable();
    for (account, parts) in accounts {
        leave(db, account, parts)?;
    }
    Ok(())
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

/// Brings the facts of some of the accounts up to date that a first load left behind: of those after one, in the order of their ids.
pub(super) fn settle_some(
    db: &Connection,
    after: LocalId,
    limit: usize,
    now: Timestamp,
) -> Res<Settled> {
    let mut touched = Touched::default();
    // What looks at signals waits until they can be found.
    let now_possible = if is_indexed(db)? {
        part::ALL
    } else {
        part::ALL & !(part::ACCOUNT | part::SIGNALS)
    };
    {
        let mut statement = db.prepare_cached(
            "SELECT account,parts FROM unsettled WHERE account>?1 AND parts&?3<>0 ORDER BY account LIMIT ?2",
        )?;
        let mut rows = statement.query(params![after.0, limit as i64, now_possible])?;
        while let Some(r) = rows.next()? {
            touched
                .accounts
                .insert(LocalId(r.get(0)?), r.get::<_, u8>(1)?);
        }
    }
    let Some(last) = touched.accounts.keys().max().copied() else {
        return Ok(Settled::default());
    };
    db.prepare_cached("DELETE FROM unsettled WHERE account>?1 AND account<=?2 AND parts&?3<>0")?
        .execute(params![after.0, last.0, now_possible])?;
    let accounts = touched.accounts.len();
    let seq = next_seq(db)?;
    settle(db, &mut touched, seq, now)?;
    Ok(Settled {
        accounts: accounts as u64,
        last: (accounts == limit).then_some(last),
    })
}
