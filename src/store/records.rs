//! What each vendor said: pages with their cursors, sweeps, runs, and rows that could not be taken.

use super::codec::{Kind, instant, kind_of, micros};
use super::error::{Fail, Res};
use super::implied;
use super::packed::{is_same, pack, unpack};
use super::ties;
use super::types::{PageStats, PageWrite, RunReport, StreamProblem};
use crate::book::{Cursor, Record, RecordKey, RowProblem, SourceName, StoredRecord};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

/// Of each stream so many problems are kept: enough to see what is wrong, not a second copy of a broken source.
const PROBLEMS_KEPT: i64 = 1_000;

pub(super) fn cursor(db: &Connection, source: &str, stream: &str) -> Res<Option<Cursor>> {
    let cursor: Option<Option<String>> = db
        .prepare_cached("SELECT cursor FROM stream_state WHERE source=?1 AND stream=?2")?
        .query_row([source, stream], |r| r.get(0))
        .optional()?;
    Ok(cursor.flatten().map(Cursor))
}

pub(super) fn reset_stream(db: &Connection, source: &str, stream: &str) -> Res<()> {
    db.execute(
        "UPDATE stream_state SET cursor=NULL,loading=0 WHERE source=?1 AND stream=?2",
        [source, stream],
    )?;
    // All of its rows are met again, and so are those that cannot be taken.
    db.execute(
        "DELETE FROM problem WHERE source=?1 AND stream=?2",
        [source, stream],
    )?;
    Ok(())
}

pub(super) fn begin_run(db: &Connection, source: &str, full: bool, now: Timestamp) -> Res<i64> {
    db.execute(
        "INSERT INTO sync_run(source,\"full\",started) VALUES(?1,?2,?3)",
        params![source, full, micros(now)],
    )?;
    let run = db.last_insert_rowid();
    // Old runs are of no use to anybody; the newest thousand tell the story.
    db.execute("DELETE FROM sync_run WHERE run<=?1-1000", [run])?;
    Ok(run)
}

pub(super) fn finish_run(
    db: &Connection,
    run: i64,
    changed: u64,
    requests: u64,
    error: Option<String>,
    now: Timestamp,
) -> Res<()> {
    db.execute(
        "UPDATE sync_run SET finished=?2,changed=?3,requests=?4,error=?5 WHERE run=?1",
        params![
            run,
            micros(now),
            i64::try_from(changed).unwrap_or(i64::MAX),
            i64::try_from(requests).unwrap_or(i64::MAX),
            error
        ],
    )?;
    Ok(())
}

pub(super) fn runs(db: &Connection, limit: usize) -> Res<Vec<RunReport>> {
    let mut statement = db.prepare_cached(
        "SELECT run,source,\"full\",started,finished,changed,requests,error FROM sync_run ORDER BY run DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([limit as i64], |r| {
        Ok(RunReport {
            run: r.get(0)?,
            source: r.get::<_, String>(1)?.into(),
            full: r.get(2)?,
            started: instant(r.get(3)?),
            finished: r.get::<_, Option<i64>>(4)?.map(instant),
            changed: r.get::<_, i64>(5)?.unsigned_abs(),
            requests: r.get::<_, i64>(6)?.unsigned_abs(),
            error: r.get(7)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Stores a page, its cursor and its problems.
pub(super) fn apply_page(db: &Connection, page: &PageWrite) -> Res<PageStats> {
    let full: bool = db
        .prepare_cached("SELECT \"full\" FROM sync_run WHERE run=?1")?
        .query_row([page.run], |r| r.get(0))
        .optional()?
        .unwrap_or(false);
    let mut stats = PageStats::default();
    let mentioned = implied::any(db, &page.source)?;
    let mut known = db.prepare_cached(
        "SELECT id,modified,deleted,fields FROM source_record WHERE source=?1 AND entity=?2 AND external_id=?3",
    )?;
    let mut insert = db.prepare_cached(
        "INSERT INTO source_record(source,entity,external_id,stream,modified,deleted,fields,seen,dirty) VALUES(?1,?2,?3,?4,?5,0,?6,?7,1)",
    )?;
    let mut update = db.prepare_cached(
        "UPDATE source_record SET stream=?2,modified=?3,deleted=?4,fields=?5,seen=?6,dirty=1 WHERE id=?1",
    )?;
    let mut seen = db.prepare_cached("UPDATE source_record SET seen=?2,stream=?3 WHERE id=?1")?;
    let problems: i64 = db
        .prepare_cached("SELECT count(*) FROM problem WHERE source=?1 AND stream=?2")?
        .query_row([&*page.source, &page.stream], |r| r.get(0))?;
    for record in &page.records {
        if implied::is_implied(record) {
            stats.implied += u64::from(implied::put(db, &page.source, record)?);
            continue;
        }
        let fields = pack(&record.fields);
        let modified = record.modified.map(micros);
        let mut rows = known.query(params![
            &*page.source,
            Kind(record.entity),
            record.external_id
        ])?;
        let Some(row) = rows.next()? else {
            // A deletion of something that we never had is no news.
            if !record.deleted {
                if mentioned {
                    implied::adopt(db, &page.source, record)?;
                }
                insert.execute(params![
                    &*page.source,
                    Kind(record.entity),
                    record.external_id,
                    page.stream,
                    modified,
                    fields,
                    page.run
                ])?;
                ties::join(db, &page.source, record.entity, &record.external_id)?;
                stats.inserted += 1;
            }
            continue;
        };
        let (id, was_modified, was_deleted): (i64, Option<i64>, bool) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        // A page that was on its way while one of our own writes was confirmed must not bring the old value back.
        let stale = !record.deleted
            && !was_deleted
            && matches!((was_modified, modified), (Some(was), Some(is)) if is < was);
        let same =
            was_deleted == record.deleted && (record.deleted || is_same(row.get_ref(3)?, &fields));
        drop(rows);
        if same || stale {
            stats.unchanged += 1;
            if full {
                seen.execute(params![id, page.run, page.stream])?;
            }
            continue;
        }
        // What was last said stays with a deleted record, so that it can be told what is gone.
        if record.deleted {
            db.prepare_cached(
                "UPDATE source_record SET deleted=1,modified=coalesce(?2,modified),seen=?3,dirty=1 WHERE id=?1",
            )?
            .execute(params![id, modified, page.run])?;
            stats.deleted += 1;
        } else {
            update.execute(params![id, page.stream, modified, false, fields, page.run])?;
            if was_deleted {
                stats.inserted += 1;
            } else {
                stats.changed += 1;
            }
        }
    }
    if problems > 0 {
        let mut gone = db.prepare_cached(
            "DELETE FROM problem WHERE source=?1 AND stream=?2 AND entity=?3 AND external_id=?4",
        )?;
        for r in &page.records {
            gone.execute(params![
                &*page.source,
                page.stream,
                Kind(r.entity),
                r.external_id
            ])?;
        }
    }
    put_problems(db, page)?;
    if full {
        // A row that is still there but could not be taken keeps what was last said.
        let mut kept = db.prepare_cached(
            "UPDATE source_record SET seen=?4 WHERE source=?1 AND entity=?2 AND external_id=?3",
        )?;
        for p in &page.problems {
            if let Some(id) = &p.external_id {
                kept.execute(params![&*page.source, Kind(p.entity), id, page.run])?;
            }
        }
    }
    let rows = stats.inserted as i64 - stats.deleted as i64;
    db.prepare_cached(
        "INSERT INTO stream_state(source,stream,cursor,rows,updated) VALUES(?1,?2,?3,max(0,?4),?5)
         ON CONFLICT(source,stream) DO UPDATE SET cursor=excluded.cursor,rows=max(0,rows+?4),updated=excluded.updated",
    )?
    .execute(params![
        &*page.source,
        page.stream,
        page.next.0,
        rows,
        micros(page.now)
    ])?;
    Ok(stats)
}

pub(super) fn put_problems(db: &Connection, page: &PageWrite) -> Res<()> {
    if page.problems.is_empty() {
        return Ok(());
    }
    let mut again = db.prepare_cached(
        "DELETE FROM problem WHERE source=?1 AND stream=?2 AND entity=?3 AND external_id IS ?4 AND (external_id IS NOT NULL OR reason=?5)",
    )?;
    let mut insert = db.prepare_cached(
        "INSERT INTO problem(source,stream,entity,external_id,reason,at) VALUES(?1,?2,?3,?4,?5,?6)",
    )?;
    for p in &page.problems {
        again.execute(params![
            &*page.source,
            page.stream,
            Kind(p.entity),
            p.external_id,
            p.reason
        ])?;
        insert.execute(params![
            &*page.source,
            page.stream,
            Kind(p.entity),
            p.external_id,
            p.reason,
            micros(page.now)
        ])?;
    }
    db.prepare_cached(
        "DELETE FROM problem WHERE source=?1 AND stream=?2 AND id<=(SELECT id FROM problem WHERE source=?1 AND stream=?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
    )?
    .execute(params![&*page.source, page.stream, PROBLEMS_KEPT])?;
    Ok(())
}

/// Marks what a complete full run has not seen as gone.
pub(super) fn sweep(db: &Connection, source: &str, stream: &str, run: i64) -> Res<u64> {
    let gone = db.execute(
        "UPDATE source_record SET deleted=1,dirty=1 WHERE source=?1 AND stream=?2 AND seen<?3 AND deleted=0",
        params![source, stream, run],
    )?;
    db.execute(
        "UPDATE stream_state SET rows=max(0,rows-?3) WHERE source=?1 AND stream=?2",
        params![source, stream, gone as i64],
    )?;
    Ok(gone as u64)
}

pub(super) fn row_problems(
    db: &Connection,
    source: &SourceName,
    limit: usize,
) -> Res<Vec<StreamProblem>> {
    let mut statement = db.prepare_cached(
        "SELECT stream,entity,external_id,reason,at FROM problem WHERE source=?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![&**source, limit as i64])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(StreamProblem {
            stream: r.get(0)?,
            problem: RowProblem {
                entity: kind_of(r.get_ref(1)?.as_str().unwrap_or(""))?,
                external_id: r.get(2)?,
                reason: r.get(3)?,
            },
            at: instant(r.get(4)?),
        });
    }
    Ok(out)
}

/// One stored record.
pub(super) fn record(db: &Connection, key: &RecordKey) -> Res<Option<StoredRecord>> {
    let mut statement = db.prepare_cached(
        "SELECT modified,deleted,fields FROM source_record WHERE source=?1 AND entity=?2 AND external_id=?3",
    )?;
    let mut rows = statement.query(params![&*key.source, Kind(key.entity), key.external_id])?;
    let Some(r) = rows.next()? else {
        return Ok(None);
    };
    let deleted: bool = r.get(1)?;
    let fields = match unpack(r.get_ref(2)?) {
        _ if deleted => Vec::new(),
        Ok(fields) => fields,
        // It is listed when its own turn comes.
        Err(Fail::Bad(_)) => return Ok(None),
        Err(e) => return Err(e),
    };
    Ok(Some(StoredRecord {
        source: key.source.clone(),
        record: Record {
            entity: key.entity,
            external_id: key.external_id.clone(),
            modified: r.get::<_, Option<i64>>(0)?.map(instant),
            deleted,
            fields,
        },
    }))
}

/// Writes one record as csops itself knows it to be, to be merged.
pub(super) fn put_record(db: &Connection, stored: &StoredRecord) -> Res<()> {
    let r = &stored.record;
    db.prepare_cached(
        "INSERT INTO source_record(source,entity,external_id,modified,deleted,fields,dirty) VALUES(?1,?2,?3,?4,?5,?6,1)
         ON CONFLICT(source,entity,external_id) DO UPDATE SET modified=excluded.modified,deleted=excluded.deleted,fields=excluded.fields,dirty=1",
    )?
    .execute(params![
        &*stored.source,
        Kind(r.entity),
        r.external_id,
        r.modified.map(micros),
        r.deleted,
        pack(&r.fields)
    ])?;
    ties::join(db, &stored.source, r.entity, &r.external_id)
}

/// Marks a record to be merged again.
pub(super) fn mark_dirty(db: &Connection, key: &RecordKey) -> Res<u64> {
    Ok(db
        .prepare_cached(
            "UPDATE source_record SET dirty=1 WHERE source=?1 AND entity=?2 AND external_id=?3",
        )?
        .execute(params![&*key.source, Kind(key.entity), key.external_id])? as u64)
}
