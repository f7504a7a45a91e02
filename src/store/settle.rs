//! Bringing the facts of accounts up to date: of those that a transaction touched, with it ([`settle`]); of those that a first load left
//! behind, by and by. What these are is found out by threads that read ([`facts`]) and written afterwards ([`put`]); an account that has
//! changed in between is looked at anew.

use super::codec::{give, micros};
use super::error::Res;
use super::facts::{Columns, Found, look};
use super::history;
use super::many::Many;
use super::rows::{Touched, next_seq, part, seq};
use super::types::{Facts, Span};
use crate::book::{Entity, LocalId, Target};
use foldhash::{HashMap, HashSet};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::sync::LazyLock;

/// Brings the facts of every touched account up to date; the accounts themselves then count as changed.
pub(super) fn settle(db: &Connection, touched: &mut Touched, seq: i64, now: Timestamp) -> Res<()> {
    let mut told: HashSet<Target> = touched.targets.iter().copied().collect();
    // In the order of their rows: neighbours lie together.
    let mut accounts: Vec<(LocalId, u8)> =
        std::mem::take(&mut touched.accounts).into_iter().collect();
    accounts.sort_unstable();
    let indexed = is_indexed(db)?;
    for (account, parts) in accounts {
        let found = look(db, account, parts, indexed, now)?;
        let is_there = write(db, &found, seq, now, &mut touched.targets)?;
        let target = Target {
            entity: Entity::Account,
            id: account,
        };
        if is_there && told.insert(target) {
            touched.targets.push(target);
        }
    }
    Ok(())
}

/// Writes what was found about an account; whether there is such an account. `changed`: the signals that changed are added.
fn write(
    db: &Connection,
    found: &Found,
    seq: i64,
    now: Timestamp,
    changed: &mut Vec<Target>,
) -> Res<bool> {
    if found.later != 0 {
        leave(db, &[(found.account, found.later)], seq)?;
    }
    for (id, day) in &found.followed {
        db.prepare_cached("UPDATE signal SET followed=?2,seq=?3 WHERE id=?1")?
            .execute(params![id.0, day, seq])?;
        changed.push(Target {
            entity: Entity::Signal,
            id: *id,
        });
    }
    if let Some((then, now)) = &found.said {
        history::fact_replaced(db, found.account.0, then, now)?;
    }
    let Columns(columns) = &found.columns;
    let sets: Vec<String> = (columns.iter().zip(4..))
        .map(|((name, _), i)| format!(",{name}=?{i}"))
        .collect();
    let sql = format!(
        "UPDATE account SET seq=?2,changed_at=?3{} WHERE id=?1",
        sets.concat()
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut i = 1;
    give(&mut statement, &mut i, found.account.0)?;
    give(&mut statement, &mut i, seq)?;
    give(&mut statement, &mut i, micros(now))?;
    for (_, value) in columns {
        give(&mut statement, &mut i, value)?;
    }
    Ok(statement.raw_execute()? > 0)
}

// ── signals without their index ──

/// Whether signals can be found by their account. A load into an empty table goes without: written row by row, in the order in which a
/// vendor sends, that tree costs more than all others together.
pub(super) fn is_indexed(db: &Connection) -> Res<bool> {
    Ok(db
        .prepare_cached("SELECT 1 FROM sqlite_schema WHERE type='index' AND name='signal_account'")?
        .exists([])?)
}

/// Lets signals be found by their account, if they cannot be yet.
pub(super) fn index(db: &Connection) -> Res<()> {
    if !is_indexed(db)? {
        db.execute_batch("CREATE INDEX signal_account ON signal (account, kind, at)")?;
    }
    Ok(())
}

// ── what a first load left behind ──

/// Notes which facts of accounts are to be brought up to date later.
pub(super) fn leave(db: &Connection, accounts: &[(LocalId, u8)], seq: i64) -> Res<()> {
    static NOTE: LazyLock<Many> = LazyLock::new(|| Many {
        into: "INSERT INTO unsettled(seq,account,parts) VALUES".to_owned(),
        row: "(?1,?,?)".to_owned(),
        end: "ON CONFLICT(account) DO UPDATE SET parts=parts|excluded.parts,seq=excluded.seq",
    });
    NOTE.insert(db, &[&seq], accounts, |(account, parts), statement, i| {
        give(statement, i, account.0)?;
        give(statement, i, parts)
    })?;
    Ok(())
}

/// What can be looked at now: what looks at signals waits until they can be found.
fn possible(indexed: bool) -> u8 {
    if indexed {
        part::ALL
    } else {
        part::ALL & !(part::ACCOUNT | part::SIGNALS)
    }
}

/// The accounts of a span that were left behind, with the facts in question.
fn left(db: &Connection, span: &Span, possible: u8) -> Res<Vec<(LocalId, u8)>> {
    let mut statement = db.prepare_cached(
        "SELECT account,parts FROM unsettled WHERE account BETWEEN ?1 AND ?2 AND parts&?3<>0 ORDER BY account",
    )?;
    let rows = statement.query_map(params![span.start().0, span.end().0, possible], |r| {
        Ok((LocalId(r.get(0)?), r.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Where there are accounts that were left behind, so many at a time.
pub(super) fn unsettled(db: &Connection, at_once: usize) -> Res<Vec<Span>> {
    let all = LocalId(0)..=LocalId(u32::MAX);
    let accounts = left(db, &all, possible(is_indexed(db)?))?;
    Ok(accounts
        .chunks(at_once.max(1))
        .filter_map(|some| Some(some.first()?.0..=some.last()?.0))
        .collect())
}

/// What the facts are of those accounts of a span that were left behind.
pub(super) fn facts(db: &Connection, span: Span, now: Timestamp) -> Res<Facts> {
    // This comes first: what is read after it is at most newer.
    let seq = seq(db)?.cast_signed();
    let indexed = is_indexed(db)?;
    let found = left(db, &span, possible(indexed))?
        .into_iter()
        .map(|(account, parts)| look(db, account, parts, indexed, now))
        .collect::<Res<_>>()?;
    Ok(Facts {
        span,
        seq,
        now,
        found,
    })
}

/// Writes facts, those of accounts that have changed since looked at anew; how many accounts.
pub(super) fn put(db: &Connection, facts: &Facts) -> Res<u64> {
    let (span, now) = (&facts.span, facts.now);
    let indexed = is_indexed(db)?;
    let possible = possible(indexed);
    let accounts = left(db, span, possible)?;
    if accounts.is_empty() {
        return Ok(0);
    }
    let changed: HashSet<LocalId> = db
        .prepare_cached(
            "SELECT account FROM unsettled WHERE account BETWEEN ?1 AND ?2 AND seq>?3
             UNION ALL SELECT id FROM account WHERE id BETWEEN ?1 AND ?2 AND seq>?3",
        )?
        .query_map(params![span.start().0, span.end().0, facts.seq], |r| {
            r.get(0).map(LocalId)
        })?
        .collect::<rusqlite::Result<_>>()?;
    db.prepare_cached("DELETE FROM unsettled WHERE account BETWEEN ?1 AND ?2 AND parts&?3<>0")?
        .execute(params![span.start().0, span.end().0, possible])?;
    let known: HashMap<LocalId, &Found> = (facts.found.iter())
        .filter(|found| !changed.contains(&found.account))
        .map(|found| (found.account, found))
        .collect();
    let seq = next_seq(db)?;
    let mut signals = Vec::new();
    for (account, parts) in &accounts {
        let anew;
        let found = match known.get(account) {
            Some(found) => *found,
            None => {
                anew = look(db, *account, *parts, indexed, now)?;
                &anew
            }
        };
        write(db, found, seq, now, &mut signals)?;
    }
    Ok(accounts.len() as u64)
}
