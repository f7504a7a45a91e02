//! Figures about an account that come from its other rows: [`look`] finds out what they are now. Nothing is written here, so that a thread
//! that reads can do it.

use super::codec::{day_of, day_text, instant, micros, usage_blob};
use super::error::Res;
use super::history;
use super::rows::part;
use super::ties;
use crate::book::{Entity, FieldValue, LocalId, Provenance, Target};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

/// What is to be written to an account, by column: its row is written once, whatever was looked at.
#[derive(Default)]
pub(super) struct Columns(pub Vec<(&'static str, Value)>);

impl Columns {
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }
}

/// What was found about an account, to be [written](super::settle).
pub(super) struct Found {
    pub account: LocalId,
    /// The account's own columns.
    pub columns: Columns,
    /// Survey answers that were followed up on another day than was thought.
    pub followed: Vec<(LocalId, Option<String>)>,
    /// What signals said of the account, and what they say.
    pub said: Option<(Says, Says)>,
    /// What is looked at only when signals can be found.
    pub later: u8,
}

/// What signals say of an account, as history keeps it.
pub(super) type Says = [(&'static str, FieldValue); 2];

/// Looks at some of an account's facts. `indexed`: its signals can be found.
pub(super) fn look(
    db: &Connection,
    account: LocalId,
    parts: u8,
    indexed: bool,
    now: Timestamp,
) -> Res<Found> {
    let (parts, later) = if indexed { (parts, 0) } else { put_off(parts) };
    let mut found = Found {
        account,
        columns: Columns::default(),
        followed: Vec::new(),
        said: None,
        later,
    };
    let columns = &mut found.columns;
    if parts & part::RENEWALS != 0 {
        renewals(db, account, columns)?;
    }
    if parts & part::TICKETS != 0 {
        tickets(db, account, columns)?;
    }
    if parts & part::RISKS != 0 {
        risks(db, account, columns)?;
    }
    if parts & part::TOUCHES != 0 {
        touches(db, account, now, columns)?;
    }
    if parts & part::CONTACTS != 0 {
        contacts(db, account, columns)?;
    }
    if parts & part::SIGNALS != 0 {
        usage(db, account, now, columns)?;
    }
    if indexed && parts & (part::SIGNALS | part::TOUCHES) != 0 {
        found.followed = follow_ups(db, account, now)?;
    }
    if parts & (part::SIGNALS | part::ACCOUNT) != 0 {
        let provenance = provenance(db, account)?;
        if parts & part::ACCOUNT != 0 {
            other_arr(&provenance, columns);
        }
        // The account's own health is one of the scores.
        found.said = scores(db, account, &provenance, columns)?;
    }
    Ok(found)
}

/// Leaves for later what looks at an account's signals: what is left to do now, and what later.
fn put_off(parts: u8) -> (u8, u8) {
    let later = part::ACCOUNT | part::SIGNALS;
    // What was touched may answer what was said in a survey.
    let answers = if parts & part::TOUCHES != 0 {
        part::SIGNALS
    } else {
        0
    };
    (parts & !later, parts & later | answers)
}

/// The source of a row.
fn source_of(db: &Connection, entity: Entity, id: u32) -> Res<Option<String>> {
    let id = LocalId(id);
    ties::source_of(db, Target { entity, id })
}

/// The day on which a UTC instant falls.
fn day(at: i64) -> String {
    day_text(instant(at).to_zoned(TimeZone::UTC).date())
}

fn renewals(db: &Connection, account: LocalId, columns: &mut Columns) -> Res<()> {
    let open = db.prepare_cached(
        "SELECT id FROM renewal WHERE account=?1 AND coalesce(stage_kind,'open')='open' AND closed IS NULL
         ORDER BY due IS NULL,due,id LIMIT 1",
    )?
    .query_row([account.0], |r| r.get::<_, u32>(0))
    .optional()?;
    columns.set("open_renewal", open);
    Ok(())
}

fn risks(db: &Connection, account: LocalId, columns: &mut Columns) -> Res<()> {
    let open = db.prepare_cached(
        "SELECT id FROM escalation WHERE account=?1 AND coalesce(status_kind,'new')<>'closed'
         ORDER BY CASE priority_kind WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 2 END,
         opened IS NULL,opened,id LIMIT 1",
    )?
    .query_row([account.0], |r| r.get::<_, u32>(0))
    .optional()?;
    columns.set("open_escalation", open);
    Ok(())
}

fn tickets(db: &Connection, account: LocalId, columns: &mut Columns) -> Res<()> {
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
    columns.set("open_tickets", open);
    columns.set("urgent_tickets", urgent);
    columns.set("ticket_at", at.map(day));
    columns.set("ticket_source", source);
    Ok(())
}

fn touches(db: &Connection, account: LocalId, now: Timestamp, columns: &mut Columns) -> Res<()> {
    // A meeting that is still to come is no touch yet.
    let last: Option<i64> = db
        .prepare_cached(
            "SELECT max(at) FROM touchpoint WHERE account=?1 AND kind IN ('call','email','meeting') AND at<=?2",
        )?
        .query_row(params![account.0, micros(now)], |r| r.get(0))?;
    columns.set("last_touch", last.map(day));
    Ok(())
}

fn contacts(db: &Connection, account: LocalId, columns: &mut Columns) -> Res<()> {
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
    columns.set("sponsor_left", left.map(|(d, _)| d));
    columns.set("contact_source", source);
    Ok(())
}

/// Survey answers for which the day on which each was followed up is another than was thought: that of the first call, mail or meeting with
/// the account on its day or later.
fn follow_ups(
    db: &Connection,
    account: LocalId,
    now: Timestamp,
) -> Res<Vec<(LocalId, Option<String>)>> {
    let mut answers = db.prepare_cached(
        "SELECT id,at,followed FROM signal WHERE account=?1 AND kind IN ('nps','csat','ces')",
    )?;
    let mut first = db.prepare_cached(
        "SELECT min(at) FROM touchpoint WHERE account=?1 AND at>=?2 AND at<=?3 AND kind IN ('call','email','meeting')",
    )?;
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
            params![account.0, micros(from.timestamp()), micros(now)],
            |r| r.get(0),
        )?;
        let found = found.map(day);
        if found != r.get::<_, Option<String>>(2)? {
            changed.push((LocalId(r.get(0)?), found));
        }
    }
    Ok(changed)
}

/// What another system says about the ARR, where it differs from what won.
fn other_arr(provenance: &[Provenance], columns: &mut Columns) {
    let arr = provenance.iter().find(|p| p.field == "arr");
    let other = arr.and_then(|p| {
        p.losers.iter().find_map(|(source, value)| match value {
            FieldValue::Money(m) => Some((&p.source, source, *m)),
            _ => None,
        })
    });
    columns.set("arr_source", other.map(|o| o.0.to_string()));
    columns.set("arr_other", other.map(|o| o.2.minor));
    columns.set("arr_other_currency", other.map(|o| o.2.code().to_owned()));
    columns.set("arr_other_source", other.map(|o| o.1.to_string()));
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
fn usage(db: &Connection, account: LocalId, now: Timestamp, columns: &mut Columns) -> Res<()> {
    let today = now.to_zoned(TimeZone::UTC).date();
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
        return Ok(());
    };
    columns.set("usage", usage_blob(&weeks.users));
    columns.set("usage_at", day_text(first));
    columns.set("usage_source", source_of(db, Entity::Signal, id)?);
    Ok(())
}

/// Health and survey answers, and the health of a month before; what signals said so far and what they say, if there is such an account.
fn scores(
    db: &Connection,
    account: LocalId,
    provenance: &[Provenance],
    columns: &mut Columns,
) -> Res<Option<(Says, Says)>> {
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
        return Ok(None);
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
        (Some(_), _) => Provenance::of(provenance, "health").map(|p| p.source.to_string()),
        (None, Some((id, ..))) => source_of(db, Entity::Signal, *id)?,
        (None, None) => None,
    };
    let nps = newest("nps")?;
    let nps_source = match &nps {
        Some((id, ..)) => source_of(db, Entity::Signal, *id)?,
        None => None,
    };
    let health_now = health.as_ref().and_then(|h| score(h.2));
    let nps_now = nps.as_ref().and_then(|n| score(n.2));
    // Without any score what is there may have come by another way (a fill, a restored backup).
    if before.is_some() || health.is_some() {
        columns.set("health_before", score(before));
    }
    columns.set("health_source", source);
    columns.set("signal_health", health_now);
    columns.set("signal_health_at", health.and_then(|h| h.1));
    columns.set("signal_nps", nps_now);
    columns.set("nps_at", nps.and_then(|n| n.1));
    columns.set("nps_source", nps_source);
    Ok(Some((
        says(health_then, nps_then),
        says(health_now, nps_now),
    )))
}

fn says(health: Option<u8>, nps: Option<u8>) -> Says {
    let of = |n: Option<u8>| n.map_or(FieldValue::Null, |n| FieldValue::Number(f64::from(n)));
    [
        (history::SIGNAL_HEALTH, of(health)),
        (history::SIGNAL_NPS, of(nps)),
    ]
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
