//! What rows were before they changed: written in the same transaction as the change itself, so that nothing is missed and nothing has
//! to be looked for afterwards.
//!
//! A row that never changed takes no room: it is what it is since the day on which it came, and that day is known from its sequence
//! number. Of a row that changed there is one entry for each day on which it did, with what it was before (`pack`); going back from
//! today's row through its entries gives the row of any day (`past`). Changes of the first day need no entry: nobody can ask for a day
//! before it. An account's number also grows with the facts about it, therefore its first day is written down.
//!
//! Enter through [`begin_day`] (once a day, before anything is written), [`replaced`] (before a row is written) and [`past::load`].

mod adopt;
mod figures;
mod pack;
mod past;

pub(super) use adopt::adopt;
pub(super) use figures::{figures, put_figures};
pub(super) use past::{load, timeline};

use super::error::Res;
use crate::book::day::{date_of, days};
use crate::book::{AnyRow, Entity, FieldValue, Target};
use jiff::civil::Date;
use pack::{Entry, Fields, Was};
use rusqlite::{Connection, OptionalExtension, params};

/// A part that is longer gets no more entries: so it stays within a page, and little is written again with every entry.
const PART: usize = 800;

/// The kinds whose history is kept, by their number in the database.
fn code(entity: Entity) -> Option<u8> {
    Some(match entity {
        Entity::Account => 1,
        Entity::Person => 2,
        Entity::Renewal => 3,
        Entity::Escalation => 4,
        Entity::Subscription => 5,
        Entity::Movement => 6,
        Entity::Rate => 7,
        Entity::Opportunity => 8,
        Entity::Contact | Entity::Task | Entity::Ticket | Entity::Touchpoint | Entity::Signal => {
            return None;
        }
    })
}

/// Whether a field's old values are not kept: long texts, and what changes with every run without meaning anything.
fn is_fleeting(entity: Entity, field: &str) -> bool {
    matches!(
        (entity, field),
        (Entity::Account, "health_at")
            | (Entity::Renewal, "next_step")
            | (Entity::Escalation, "comments")
    )
}

/// A day begins: what is written from now on is written on it. A day that is not later than the last one counts as that one, so that a
/// clock that was set back changes nothing of what is already known.
pub(super) fn begin_day(db: &Connection, today: Date) -> Res<()> {
    db.prepare_cached(
        "INSERT INTO history_day(day,seq) SELECT ?1,(SELECT value FROM counter WHERE name='seq')
         WHERE ?1>coalesce((SELECT max(day) FROM history_day),-100000000)",
    )?
    .execute([days(today)])?;
    Ok(())
}

/// The first and the newest day on which something was written.
fn known_days(db: &Connection) -> Res<Option<(i32, i32)>> {
    let (first, last): (Option<i32>, Option<i32>) = db
        .prepare_cached(
            "SELECT (SELECT min(day) FROM history_day),(SELECT max(day) FROM history_day)",
        )?
        .query_row([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(first.zip(last))
}

/// The newest day on which something was written.
pub(super) fn last_day(db: &Connection) -> Res<Option<Date>> {
    Ok(known_days(db)?.and_then(|(_, last)| date_of(last)))
}

/// The day on which a row got its sequence number.
fn day_of_seq(db: &Connection, seq: i64) -> Res<Option<i32>> {
    Ok(db
        .prepare_cached("SELECT max(day) FROM history_day WHERE seq<?1")?
        .query_row([seq], |r| r.get(0))?)
}

fn word(db: &Connection, word: &str) -> Res<u64> {
    let mut find = db.prepare_cached("SELECT number FROM history_word WHERE word=?1")?;
    let found: Option<i64> = find.query_row([word], |r| r.get(0)).optional()?;
    let number = match found {
        Some(n) => n,
        None => db
            .prepare_cached("INSERT INTO history_word(word) VALUES(?1) RETURNING number")?
            .query_row([word], |r| r.get(0))?,
    };
    Ok(number.unsigned_abs())
}

fn word_of(db: &Connection, number: u64) -> Option<String> {
    let number = i64::try_from(number).ok()?;
    let mut find = db
        .prepare_cached("SELECT word FROM history_word WHERE number=?1")
        .ok()?;
    find.query_row([number], |r| r.get(0)).ok()
}

/// The newest part of a row's entries.
struct Part {
    first: i32,
    last: i32,
    gone: bool,
    data: Vec<u8>,
}

fn newest_part(db: &Connection, key: (u8, u32)) -> Res<Option<Part>> {
    Ok(db
        .prepare_cached(
            "SELECT first,last,gone,data FROM history WHERE kind=?1 AND id=?2 ORDER BY first DESC LIMIT 1",
        )?
        .query_row(params![key.0, key.1], |r| {
            Ok(Part {
                first: r.get(0)?,
                last: r.get(1)?,
                gone: r.get(2)?,
                data: r.get(3)?,
            })
        })
        .optional()?)
}

/// To be called before a row is written (`before` and `after`), comes (`before` is none) or goes (`after` is none).
pub(super) fn replaced(
    db: &Connection,
    before: Option<&AnyRow>,
    after: Option<&AnyRow>,
) -> Res<()> {
    let Some(target) = before.or(after).map(AnyRow::target) else {
        return Ok(());
    };
    let is_account = target.entity == Entity::Account;
    let Some(kind) = code(target.entity) else {
        return Ok(());
    };
    let was = match (before, after) {
        // The day on which it came is known from its number.
        (None, _) if !is_account => return Ok(()),
        (None, _) => Was::Absent,
        (Some(before), None) => {
            let mut all = kept(before);
            if is_account {
                all.extend(signals_say(db, target.id.0)?);
            }
            Was::Whole(all)
        }
        (Some(before), Some(after)) => Was::Fields(differing(before, after)),
    };
    // A change of what is not kept: the number of another row grows all the same, so that an entry must say that it was there.
    if is_account && was == Was::Fields(Vec::new()) {
        return Ok(());
    }
    let Some((first, today)) = days_kept(db)? else {
        return Ok(());
    };
    let key = (kind, target.id.0);
    let part = newest_part(db, key)?;
    if !is_account && part.as_ref().is_none_or(|p| p.gone) {
        let came = came(db, target)?.unwrap_or(first);
        if came > part.as_ref().map_or(first, |p| p.last) {
            let entry = Entry {
                until: came,
                was: Was::Absent,
            };
            append(db, key, entry, false, &|_| None)?;
        }
    }
    let entry = Entry { until: today, was };
    let now = |name: &str| after.and_then(|row| row.get(name));
    append(db, key, entry, after.is_none(), &now)
}

/// The day on which a row came that has not changed since.
fn came(db: &Connection, target: Target) -> Res<Option<i32>> {
    let seq: Option<i64> = db
        .prepare_cached(&format!(
            "SELECT seq FROM {} WHERE id=?1",
            target.entity.name()
        ))?
        .query_row([target.id.0], |r| r.get(0))
        .optional()?;
    match seq {
        Some(seq) => day_of_seq(db, seq),
        None => Ok(None),
    }
}

/// What signals say of an account stands beside its row.
pub(super) const SIGNAL_HEALTH: &str = "signal_health";
/// The same of the newest survey answer.
pub(super) const SIGNAL_NPS: &str = "signal_nps";

fn signals_say(db: &Connection, account: u32) -> Res<Fields> {
    let score = |n: Option<u8>| n.map(|n| FieldValue::Number(f64::from(n)));
    let (health, nps): (Option<u8>, Option<u8>) = db
        .prepare_cached("SELECT signal_health,signal_nps FROM account WHERE id=?1")?
        .query_row([account], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?
        .unwrap_or_default();
    Ok([(SIGNAL_HEALTH, score(health)), (SIGNAL_NPS, score(nps))]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect())
}

/// What signals say of an account changes; to be called before it is written.
pub(super) fn fact_replaced(
    db: &Connection,
    account: u32,
    before: &[(&str, FieldValue)],
    after: &[(&str, FieldValue)],
) -> Res<()> {
    let now = |name: &str| {
        after
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v.clone())
    };
    let changed: Fields = before
        .iter()
        .filter(|(name, value)| now(name).is_some_and(|n| n != *value))
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let (Some(kind), false) = (code(Entity::Account), changed.is_empty()) else {
        return Ok(());
    };
    let Some((_, today)) = days_kept(db)? else {
        return Ok(());
    };
    let entry = Entry {
        until: today,
        was: Was::Fields(changed),
    };
    append(db, (kind, account), entry, false, &now)
}

/// The first day and today, if what was before today is to be kept: nobody can ask for a day before the first.
fn days_kept(db: &Connection) -> Res<Option<(i32, i32)>> {
    Ok(known_days(db)?.filter(|(first, today)| today > first))
}

/// Writes an entry behind the others, or into the one of the same day. `gone`: the row is not there afterwards; `now`: what a field is
/// afterwards, as far as known.
fn append(
    db: &Connection,
    key: (u8, u32),
    entry: Entry,
    gone: bool,
    now: &dyn Fn(&str) -> Option<FieldValue>,
) -> Res<()> {
    let mut number = |w: &str| word(db, w);
    let Some(mut part) = newest_part(db, key)? else {
        return begin_part(db, key, &entry, gone);
    };
    if part.last < entry.until {
        if part.data.len() >= PART {
            return begin_part(db, key, &entry, gone);
        }
        pack::write(&mut part.data, part.last, &entry, &mut number)?;
        part.last = entry.until;
    } else {
        let mut reader = pack::Reader::new(&part.data, part.first);
        let mut entries: Vec<Entry> =
            std::iter::from_fn(|| reader.next(&mut |n| word_of(db, n))).collect();
        let joined = match entries.pop() {
            Some(last) => join(last.was, entry.was, gone, now).map(|was| Entry {
                until: last.until,
                was,
            }),
            None => Some(entry),
        };
        entries.extend(joined);
        if entries.is_empty() {
            db.prepare_cached("DELETE FROM history WHERE kind=?1 AND id=?2 AND first=?3")?
                .execute(params![key.0, key.1, part.first])?;
            return Ok(());
        }
        part.data.clear();
        let mut before = part.first;
        for entry in &entries {
            pack::write(&mut part.data, before, entry, &mut number)?;
            before = entry.until;
        }
        part.last = before;
    }
    db.prepare_cached(
        "UPDATE history SET last=?4,gone=?5,data=?6 WHERE kind=?1 AND id=?2 AND first=?3",
    )?
    .execute(params![
        key.0, key.1, part.first, part.last, gone, part.data
    ])?;
    Ok(())
}

fn begin_part(db: &Connection, key: (u8, u32), entry: &Entry, gone: bool) -> Res<()> {
    let mut data = Vec::new();
    pack::write(&mut data, entry.until, entry, &mut |w: &str| word(db, w))?;
    db.prepare_cached(
        "INSERT OR REPLACE INTO history(kind,id,first,last,gone,data) VALUES(?1,?2,?3,?3,?4,?5)",
    )?
    .execute(params![key.0, key.1, entry.until, gone, data])?;
    Ok(())
}

/// Two changes of one day as one: what it was before the first of them. `None` when it was not there before and is not there after.
fn join(
    first: Was,
    second: Was,
    gone: bool,
    now: &dyn Fn(&str) -> Option<FieldValue>,
) -> Option<Was> {
    match (first, second) {
        (Was::Absent, _) if gone => None,
        (first @ (Was::Absent | Was::Whole(_)), _) => Some(first),
        (Was::Fields(old), Was::Whole(mut all)) => {
            all.retain(|(name, _)| old.iter().all(|(n, _)| n != name));
            all.extend(old);
            Some(Was::Whole(all))
        }
        (Was::Fields(mut old), Was::Fields(new)) => {
            for (name, value) in new {
                if old.iter().all(|(n, _)| *n != name) {
                    old.push((name, value));
                }
            }
            // Changed and changed back: as it was.
            old.retain(|(name, value)| now(name).is_none_or(|n| n != *value));
            Some(Was::Fields(old))
        }
        // It cannot come while it is there.
        (Was::Fields(old), Was::Absent) => Some(Was::Fields(old)),
    }
}

/// The values of a row that are kept.
fn kept(row: &AnyRow) -> Fields {
    let entity = row.target().entity;
    row.fields()
        .iter()
        .filter(|f| !is_fleeting(entity, f))
        .filter_map(|f| row.get(f).map(|v| ((*f).to_owned(), v)))
        .filter(|(_, v)| !v.is_null())
        .collect()
}

/// The values of a row that another one has otherwise.
fn differing(before: &AnyRow, after: &AnyRow) -> Fields {
    let entity = before.target().entity;
    before
        .fields()
        .iter()
        .filter(|f| !is_fleeting(entity, f))
        .filter_map(|f| {
            let old = before.get(f)?;
            (after.get(f).as_ref() != Some(&old)).then(|| ((*f).to_owned(), old))
        })
        .collect()
}

/// Another process's Book is told to read a row again although nothing of it changed: its number grows.
pub(super) fn renumbered(db: &Connection, target: Target) -> Res<()> {
    if target.entity == Entity::Account || code(target.entity).is_none() {
        return Ok(());
    }
    match super::codec::read_any(db, target)? {
        Some(row) => replaced(db, Some(&row), Some(&row)),
        None => Ok(()),
    }
}
