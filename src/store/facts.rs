//! Figures about an account that come from its other rows, brought up to date for the accounts that a transaction touched.

use super::codec::{Kind, day_of, day_text, instant, micros, usage_blob};
use super::error::Res;
use super::history;
use super::rows::{Touched, part};
use crate::book::{Entity, FieldValue, LocalId, Provenance, Target};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashSet;

/// When an account changed: goes with whatever is written to it, so that its row is written as seldom as possible.
#[derive(Clone, Copy)]
struct Mark {
    seq: i64,
    now: Timestamp,
}

/// Brings the facts of every touched account up to date; the accounts themselves then count as changed.
pub(super) fn settle(db: &Connection, touched: &mut Touched, seq: i64, now: Timestamp) -> Res<()> {
    let mut told: HashSet<Target> = touched.targets.iter().copied().collect();
    let mark = Mark { seq, now };
    // In the order of their rows: neighbours lie together.
    let mut accounts: Vec<(LocalId, u8)> =
        std::mem::take(&mut touched.accounts).into_iter().collect();
    accounts.sort_unstable();
    for (account, parts) in accounts {
        let mut there = false;
        if parts & part::RENEWALS != 0 {
            there |= renewals(db, account, mark)?;
        }
        if parts & part::TICKETS != 0 {
            there |= tickets(db, account, mark)?;
        }
        if parts & part::RISKS != 0 {
            there |= risks(db, account, mark)?;
        }
        if parts & part::TOUCHES != 0 {
            there |= touches(db, account, mark)?;
        }
        if parts & part::CONTACTS != 0 {
            there |= contacts(db, account, mark)?;
        }
        if parts & part::SIGNALS != 0 {
            there |= usage(db, account, mark)?;
        }
        if parts & (part::SIGNALS | part::TOUCHES) != 0 {
            follow_ups(db, account, mark, touched)?;
        }
        if parts & part::ACCOUNT != 0 {
            there |= other_arr(db, account, mark)?;
        }
        // The account's own health is one of the scores.
        if parts & (part::SIGNALS | part::ACCOUNT) != 0 {
            there |= scores(db, account, mark)?;
        }
        if !there {
            there = db
                .prepare_cached("UPDATE account SET seq=?2,changed_at=?3 WHERE id=?1")?
                .execute(params![account.0, seq, micros(now)])?
                > 0;
        }
        if !there {
            continue;
        }
        let target = Target {
            entity: Entity::Account,
            id: account,
        };
        if told.insert(target) {
            touched.targets.push(target);
        }
    }
    Ok(())
}

/// The source of a row.
fn source_of(db: &Connection, entity: Entity, id: u32) -> Res<Option<String>> {
    Ok(db
        .prepare_cached(
            "SELECT source FROM crosswalk WHERE entity=?1 AND local=?2 ORDER BY source='local' LIMIT 1",
        )?
        .query_row(params![Kind(entity), id], |r| r.get(0))
        .optional()?)
}

/// The day on which a UTC instant falls.
fn day(at: i64) -> String {
    day_text(instant(at).to_zoned(TimeZone::UTC).date())
}

fn renewals(db: &Connection, account: LocalId, mark: Mark) -> Res<bool> {
    let written = db.prepare_cached(
        "UPDATE account SET seq=?2,changed_at=?3,open_renewal=(SELECT id FROM renewal WHERE account=?1 AND coalesce(stage_kind,'open')='open' AND closed IS NULL
         ORDER BY due IS NULL,due,id LIMIT 1) WHERE id=?1",
    )?
    .execute(params![account.0, mark.seq, micros(mark.now)])?;
    Ok(written > 0)
}

fn risks(db: &Connection, account: LocalId, mark: Mark) -> Res<bool> {
    let written = db.prepare_cached(
        "UPDATE account SET seq=?2,changed_at=?3,open_escalation=(SELECT id FROM escalation WHERE account=?1 AND coalesce(status_kind,'new')<>'closed'
         ORDER BY CASE priority_kind WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 2 END,
         opened IS NULL,opened,id LIMIT 1) WHERE id=?1",
    )?
    .execute(params![account.0, mark.seq, micros(mark.now)])?;
    Ok(written > 0)
}

fn tickets(db: &Connection, account: LocalId, mark: Mark) -> Res<bool> {
    let mut statement = db.prepare_cached(
        "SELECT id,opened,priority_kind='urgent' OR coalesce(escalated,0) FROM ticket
         WHERE account=?1 AND coalesce(status_kind,'open')<>'closed' AND closed IS NULL ORDER BY opened",
    )?;
    let mut rows = statement.query([account.0])?;
    let (mut open, mut urgent) = (0u16, 0u16);
    // The newest of the urgent ones if there are any, else the newest of all.
    let (mut newest, mut newest_urgent) = (None, None);
    let mut any = None;
    while let Some(r) = rows.next()? {
        let opened: Option<i64> = r.get(1)?;
        open = open.saturating_add(1);
        any = Some(r.get::<_, u32>(0)?);
        newest = opened.or(newest);
        if r.get::<_, Option<bool>>(2)?.unwrap_or(false) {
            urgent = urgent.saturating_add(1);
            newest_urgent = opened.or(newest_urgent);
        }
    }
    let source = match any {
        Some(id) => source_of(db, Entity::Ticket, id)?,
        None => None,
    };
    let at = if urgent > 0 { newest_urgent } else { newest };
    let written = db.prepare_cached(
        "UPDATE account SET open_tickets=?2,urgent_tickets=?3,ticket_at=?4,ticket_source=?5,seq=?6,changed_at=?7 WHERE id=?1",
    )?
    .execute(params![
        account.0,
        open,
        urgent,
        at.map(day),
        source,
        mark.seq,
        micros(mark.now)
    ])?;
    Ok(written > 0)
}

fn touches(db: &Connection, account: LocalId, mark: Mark) -> Res<bool> {
    // A meeting that is still to come is no touch yet.
    let last: Option<i64> = db
        .prepare_cached(
            "SELECT max(at) FROM touchpoint WHERE account=?1 AND kind IN ('call','email','meeting') AND at<=?2",
        )?
        .query_row(params![account.0, micros(mark.now)], |r| r.get(0))?;
    let written = db
        .prepare_cached("UPDATE account SET last_touch=?2,seq=?3,changed_at=?4 WHERE id=?1")?
        .execute(params![
            account.0,
            last.map(day),
            mark.seq,
            micros(mark.now)
        ])?;
    Ok(written > 0)
}

fn contacts(db: &Connection, account: LocalId, mark: Mark) -> Res<bool> {
    let left: Option<(String, u32)> = db
        .prepare_cached(
            "SELECT left_at,id FROM contact WHERE account=?1 AND left_at IS NOT NULL AND coalesce(active,0)=0
             AND (lower(role) LIKE '%sponsor%' OR lower(role) LIKE '%champion%') ORDER BY left_at DESC LIMIT 1",
        )?
        .query_row([account.0], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let source = match &left {
        Some((_, id)) => source_of(db, Entity::Contact, *id)?,
        None => None,
    };
    let written = db
        .prepare_cached(
            "UPDATE account SET sponsor_left=?2,contact_source=?3,seq=?4,changed_at=?5 WHERE id=?1",
        )?
        .execute(params![
            account.0,
            left.map(|(d, _)| d),
            source,
            mark.seq,
            micros(mark.now)
        ])?;
    Ok(written > 0)
}

/// Survey answers and the day on which each was followed up: the first call, mail or meeting with the account on its day or later.
fn follow_ups(db: &Connection, account: LocalId, mark: Mark, touched: &mut Touched) -> Res<()> {
    let mut answers = db.prepare_cached(
        "SELECT id,at,followed FROM signal WHERE account=?1 AND kind IN ('nps','csat','ces')",
    )?;
    let mut first = db.prepare_cached(
        "SELECT min(at) FROM touchpoint WHERE account=?1 AND at>=?2 AND at<=?3 AND kind IN ('call','email','meeting')",
    )?;
    let mut set = db.prepare_cached("UPDATE signal SET followed=?2,seq=?3 WHERE id=?1")?;
    let mut rows = answers.query([account.0])?;
    let mut changed = Vec::new();
    while let Some(r) = rows.next()? {
        let at: Option<String> = r.get(1)?;
        let Some(from) = at
            .and_then(|t| day_of(t.as_bytes()))
            .and_then(|d| d.to_zoned(TimeZone::UTC).ok())
        else {
            continue;
        };
        let found: Option<i64> = first.query_row(
            params![account.0, micros(from.timestamp()), micros(mark.now)],
            |r| r.get(0),
        )?;
        let found = found.map(day);
        if found != r.get::<_, Option<String>>(2)? {
            changed.push((r.get::<_, u32>(0)?, found));
        }
    }
    drop(rows);
    for (id, found) in changed {
        set.execute(params![id, found, mark.seq])?;
        touched.targets.push(Target {
            entity: Entity::Signal,
            id: LocalId(id),
        });
    }
    Ok(())
}

/// What another system says about the ARR, where it differs from what won.
fn other_arr(db: &Connection, account: LocalId, mark: Mark) -> Res<bool> {
    let all = provenance(db, account)?;
    let arr = all.iter().find(|p| p.field == "arr");
    let other = arr.and_then(|p| {
        p.losers.iter().find_map(|(source, value)| match value {
            FieldValue::Money(m) => Some((p.source.clone(), source.clone(), *m)),
            _ => None,
        })
    });
    let written = db
        .prepare_cached(
            "UPDATE account SET arr_source=?2,arr_other=?3,arr_other_currency=?4,arr_other_source=?5,seq=?6,changed_at=?7
             WHERE id=?1 AND (arr_other IS NOT ?3 OR arr_other_currency IS NOT ?4 OR arr_source IS NOT ?2 OR arr_other_source IS NOT ?5)",
        )?
        .execute(params![
            account.0,
            other.as_ref().map(|o| &*o.0),
            other.as_ref().map(|o| o.2.minor),
            other.as_ref().map(|o| o.2.code()),
            other.as_ref().map(|o| &*o.1),
            mark.seq,
            micros(mark.now)
        ])?;
    Ok(written > 0)
}

/// The twelve newest weeks of usage, filled from the newest signal back.
#[derive(Default)]
pub(super) struct Weeks {
    /// Active users, oldest first.
    pub users: [Option<u32>; 12],
    /// The first day of the newest week.
    pub newest: Option<Date>,
}

impl Weeks {
    /// Puts a signal in the place of its week.
    pub fn enter(&mut self, at: Date, value: Option<f64>) {
        let newest = *self.newest.get_or_insert(at);
        // Weeks that begin a day off (another time zone) still are that week.
        let days = newest.since(at).map_or(i32::MAX - 3, |s| s.get_days());
        let back = usize::try_from((days + 3) / 7).unwrap_or(usize::MAX);
        if back < 12
            && self.users[11 - back].is_none()
            && let Some(v) = value.filter(|v| (0.0..4e9).contains(v))
        {
            self.users[11 - back] = Some(v.round() as u32);
        }
    }
}

/// The twelve newest weeks up to today, each value in the place of its week.
fn usage(db: &Connection, account: LocalId, mark: Mark) -> Res<bool> {
    let today = mark.now.to_zoned(TimeZone::UTC).date();
    let mut statement = db.prepare_cached(
        "SELECT id,at,value FROM signal WHERE account=?1 AND kind='usage.weekly' AND at<=?2 ORDER BY at DESC LIMIT 24",
    )?;
    let mut rows = statement.query(params![account.0, day_text(today)])?;
    let mut weeks = Weeks::default();
    let mut newest: Option<u32> = None;
    while let Some(r) = rows.next()? {
        let Some(at) = r
            .get_ref(1)?
            .as_str()
            .ok()
            .and_then(|t| day_of(t.as_bytes()))
        else {
            continue;
        };
        newest.get_or_insert(r.get(0)?);
        weeks.enter(at, r.get(2)?);
    }
    drop(rows);
    // No signals: what is there may have come by another way (a fill, a restored backup).
    let Some((id, first)) = newest.zip(weeks.newest) else {
        return Ok(false);
    };
    let source = source_of(db, Entity::Signal, id)?;
    let written = db
        .prepare_cached(
            "UPDATE account SET usage=?2,usage_at=?3,usage_source=?4,seq=?5,changed_at=?6 WHERE id=?1",
        )?
        .execute(params![
            account.0,
            usage_blob(&weeks.users),
            day_text(first),
            source,
            mark.seq,
            micros(mark.now)
        ])?;
    Ok(written > 0)
}

/// Health and survey answers, and the health of a month before.
fn scores(db: &Connection, account: LocalId, mark: Mark) -> Res<bool> {
    /// A signal: its id, its day, its value.
    type Newest = Option<(u32, Option<String>, Option<f64>)>;
    let newest = |kind: &str| -> Res<Newest> {
        Ok(db
            .prepare_cached(
                "SELECT id,at,value FROM signal WHERE account=?1 AND kind=?2 ORDER BY at DESC LIMIT 1",
            )?
            .query_row(params![account.0, kind], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })
            .optional()?)
    };
    let score = |v: Option<f64>| {
        v.filter(|v| (0.0..=100.0).contains(v))
            .map(|v| v.round() as u8)
    };
    type Own = (Option<u8>, Option<String>, Option<u8>, Option<u8>);
    let own: Option<Own> = db
        .prepare_cached(
            "SELECT health,health_at,signal_health,signal_nps FROM account WHERE id=?1",
        )?
        .query_row([account.0], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
        })
        .optional()?;
    let Some((own, own_at, health_then, nps_then)) = own else {
        return Ok(false);
    };
    let health = newest("health")?;
    let at = if own.is_some() {
        own_at.or_else(|| health.as_ref().and_then(|h| h.1.clone()))
    } else {
        health.as_ref().and_then(|h| h.1.clone())
    };
    // About a month before: the newest value that is at least 25 and at most 60 days older.
    let before: Option<f64> = match at.as_deref().and_then(|t| day_of(t.as_bytes())) {
        Some(at) => {
            let edge = |days: i32| {
                at.checked_sub(days.days())
                    .map(day_text)
                    .unwrap_or_default()
            };
            db.prepare_cached(
                "SELECT value FROM signal WHERE account=?1 AND kind='health' AND at<=?2 AND at>=?3 ORDER BY at DESC LIMIT 1",
            )?
            .query_row(params![account.0, edge(25), edge(60)], |r| r.get(0))
            .optional()?
            .flatten()
        }
        None => None,
    };
    let source = match (own, &health) {
        (Some(_), _) => health_owner(db, account)?,
        (None, Some((id, ..))) => source_of(db, Entity::Signal, *id)?,
        (None, None) => None,
    };
    let nps = newest("nps")?;
    let nps_source = match &nps {
        Some((id, ..)) => source_of(db, Entity::Signal, *id)?,
        None => None,
    };
    let of = |n: Option<u8>| n.map_or(FieldValue::Null, |n| FieldValue::Number(f64::from(n)));
    let health_now = health.as_ref().and_then(|h| score(h.2));
    let nps_now = nps.as_ref().and_then(|n| score(n.2));
    history::fact_replaced(
        db,
        account.0,
        &[
            (history::SIGNAL_HEALTH, of(health_then)),
            (history::SIGNAL_NPS, of(nps_then)),
        ],
        &[
            (history::SIGNAL_HEALTH, of(health_now)),
            (history::SIGNAL_NPS, of(nps_now)),
        ],
    )?;
    let written = db.prepare_cached(
        "UPDATE account SET seq=?10,changed_at=?11,health_before=coalesce(?2,CASE WHEN ?9 THEN NULL ELSE health_before END),health_source=?3,
         signal_health=?4,signal_health_at=?5,signal_nps=?6,nps_at=?7,nps_source=?8 WHERE id=?1",
    )?
    .execute(params![
        account.0,
        score(before),
        source,
        health_now,
        health.as_ref().and_then(|h| h.1.clone()),
        nps_now,
        nps.as_ref().and_then(|n| n.1.clone()),
        nps_source,
        health.is_some(),
        mark.seq,
        micros(mark.now),
    ])?;
    Ok(written > 0)
}

/// The source whose health won.
fn health_owner(db: &Connection, account: LocalId) -> Res<Option<String>> {
    let all = provenance(db, account)?;
    Ok(Provenance::of(&all, "health").map(|p| p.source.to_string()))
}

/// Where the account's values came from.
fn provenance(db: &Connection, account: LocalId) -> Res<Vec<Provenance>> {
    let text: Option<Option<String>> = db
        .prepare_cached("SELECT provenance FROM row_extra WHERE entity='account' AND id=?1")?
        .query_row([account.0], |r| r.get(0))
        .optional()?;
    let Some(text) = text.flatten() else {
        return Ok(Vec::new());
    };
    Ok(serde_json::from_str(&text)?)
}
