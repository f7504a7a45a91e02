//! The small things that survive a restart: how sources went, pictures of screens, drafts, leases, visits.

use super::codec::{instant, micros};
use super::error::Res;
use super::types::{Draft, Lease};
use crate::book::{LocalId, SourceStatus, StreamStatus};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::time::{Duration, SystemTime};

pub(super) fn save_status(db: &Connection, status: &SourceStatus) -> Res<()> {
    let name = status.source.as_deref().unwrap_or("");
    db.prepare_cached("INSERT OR REPLACE INTO source_status(source,status) VALUES(?1,?2)")?
        .execute([name, &serde_json::to_string(status)?])?;
    Ok(())
}

/// Every source's status, its streams' rows and problems counted as they are now.
pub(super) fn statuses(db: &Connection) -> Res<Vec<SourceStatus>> {
    let mut statement = db.prepare_cached("SELECT source,status FROM source_status")?;
    let stored: Vec<(String, String)> = statement
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut streams = db.prepare_cached(
        "SELECT stream,rows,(SELECT count(*) FROM problem p WHERE p.source=s.source AND p.stream=s.stream)
         FROM stream_state s WHERE source=?1",
    )?;
    let mut out = Vec::new();
    for (source, text) in stored {
        // A status of another version is no loss: the next run writes a new one.
        let mut status: SourceStatus = serde_json::from_str(&text).unwrap_or_default();
        status.source = Some(source.as_str().into());
        let mut rows = streams.query([&source])?;
        while let Some(r) = rows.next()? {
            let stream: String = r.get(0)?;
            let place = status.streams.iter().position(|s| s.stream == stream);
            let place = place.unwrap_or_else(|| {
                status.streams.push(StreamStatus {
                    stream,
                    ..StreamStatus::default()
                });
                status.streams.len() - 1
            });
            status.streams[place].rows = r.get::<_, i64>(1)?.unsigned_abs();
            status.streams[place].problems = r.get::<_, i64>(2)?.unsigned_abs();
        }
        out.push(status);
    }
    Ok(out)
}

pub(super) fn screen_cache(db: &Connection, key: &str) -> Res<Option<Vec<u8>>> {
    Ok(db
        .prepare_cached("SELECT data FROM screen_cache WHERE key=?1")?
        .query_row([key], |r| r.get(0))
        .optional()?)
}

pub(super) fn put_screen_cache(db: &Connection, key: &str, data: &[u8]) -> Res<()> {
    db.prepare_cached("INSERT OR REPLACE INTO screen_cache(key,data) VALUES(?1,?2)")?
        .execute(params![key, data])?;
    Ok(())
}

pub(super) fn put_draft(db: &Connection, draft: &Draft) -> Res<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO draft(key,account,kind,text,at) VALUES(?1,?2,?3,?4,?5)",
    )?
    .execute(params![
        draft.key,
        draft.account.0,
        draft.kind,
        draft.text,
        micros(draft.at)
    ])?;
    Ok(())
}

pub(super) fn drafts(db: &Connection) -> Res<Vec<Draft>> {
    let mut statement =
        db.prepare_cached("SELECT key,account,kind,text,at FROM draft ORDER BY at DESC,key")?;
    let rows = statement.query_map([], |r| {
        Ok(Draft {
            key: r.get(0)?,
            account: LocalId(r.get(1)?),
            kind: r.get(2)?,
            text: r.get(3)?,
            at: instant(r.get(4)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn delete_draft(db: &Connection, key: &str) -> Res<()> {
    db.prepare_cached("DELETE FROM draft WHERE key=?1")?
        .execute([key])?;
    Ok(())
}

/// The machine's own clock, in microseconds. Leases are the one thing here that asks it: two processes whose clocks were moved for
/// a demonstration must still agree on who is alive.
fn real_now() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|d| i64::try_from(d.as_micros()).ok())
        .unwrap_or(0)
}

/// Takes or renews a lease, unless somebody else's is still good. One that reaches further than anybody would ask for is not good:
/// the clock has been set back since.
pub(super) fn lease(db: &Connection, name: &str, holder: &str, ttl: Duration) -> Res<Lease> {
    let now = real_now();
    let ttl = i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX / 4);
    let current: Option<(String, i64)> = db
        .prepare_cached("SELECT holder,until FROM lease WHERE name=?1")?
        .query_row([name], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    if let Some((other, until)) = current
        && other != holder
        && until > now
        && until - now <= ttl.saturating_mul(4)
    {
        return Ok(Lease::Theirs {
            holder: other,
            left: Duration::from_micros(until.abs_diff(now)),
        });
    }
    db.prepare_cached("INSERT OR REPLACE INTO lease(name,holder,until) VALUES(?1,?2,?3)")?
        .execute(params![name, holder, now.saturating_add(ttl)])?;
    Ok(Lease::Ours)
}

pub(super) fn release(db: &Connection, name: &str, holder: &str) -> Res<()> {
    db.prepare_cached("DELETE FROM lease WHERE name=?1 AND holder=?2")?
        .execute([name, holder])?;
    Ok(())
}

pub(super) fn last_visit(db: &Connection, who: &str) -> Res<Option<Timestamp>> {
    let at: Option<i64> = db
        .prepare_cached("SELECT at FROM visit WHERE who=?1")?
        .query_row([who], |r| r.get(0))
        .optional()?;
    Ok(at.map(instant))
}

pub(super) fn mark_visit(db: &Connection, who: &str, now: Timestamp) -> Res<()> {
    db.prepare_cached("INSERT OR REPLACE INTO visit(who,at) VALUES(?1,?2)")?
        .execute(params![who, micros(now)])?;
    Ok(())
}

pub(super) fn meta(db: &Connection, key: &str) -> Res<Option<String>> {
    Ok(db
        .prepare_cached("SELECT value FROM meta WHERE key=?1")?
        .query_row([key], |r| r.get(0))
        .optional()?)
}

pub(super) fn put_meta(db: &Connection, key: &str, value: &str) -> Res<()> {
    db.prepare_cached("INSERT OR REPLACE INTO meta(key,value) VALUES(?1,?2)")?
        .execute([key, value])?;
    Ok(())
}
