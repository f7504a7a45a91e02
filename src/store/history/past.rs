//! Rows as they were known on a day: today's rows, taken back entry by entry.

use super::pack::{Entry, Reader, Was};
use super::{SIGNAL_HEALTH, SIGNAL_NPS, code, is_fleeting, known_days};
use crate::book::day::{date_of, days};
use crate::book::{
    Account, AnyRow, Entity, Escalation, Facts, FieldValue, HistoryPoint, LocalId, Movement,
    Opportunity, Person, Rate, Renewal, RowDelta, Subscription, Target,
};
use crate::store::codec::{Col, FACTS, Table, day_of, day_text};
use crate::store::error::{Res, StoreError};
use crate::store::facts::Weeks;
use crate::store::load::signals_until;
use crate::store::types::Past;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rusqlite::{Connection, Row, params};
use std::collections::HashMap;

/// Rows in one portion.
const PORTION: usize = 20_000;

/// The dictionary.
type Words = HashMap<u64, String>;

fn words(db: &Connection) -> Res<Words> {
    let mut statement = db.prepare_cached("SELECT number,word FROM history_word")?;
    let rows = statement.query_map([], |r| Ok((r.get::<_, i64>(0)?.unsigned_abs(), r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The entries of each row of a kind that lie after a day, oldest first.
fn entries(
    db: &Connection,
    entity: Entity,
    after: i32,
    words: &Words,
) -> Res<HashMap<u32, Vec<Entry>>> {
    let mut out: HashMap<u32, Vec<Entry>> = HashMap::new();
    let mut statement = db.prepare_cached(
        "SELECT id,first,data FROM history WHERE kind=?1 AND last>?2 ORDER BY id,first",
    )?;
    let mut rows = statement.query(params![code(entity), after])?;
    while let Some(r) = rows.next()? {
        let id = r.get(0)?;
        let data = r.get_ref(2)?.as_blob().unwrap_or_default();
        let mut reader = Reader::new(data, r.get(1)?);
        while let Some(entry) = reader.next(&mut |n| words.get(&n).cloned()) {
            if entry.until > after {
                out.entry(id).or_default().push(entry);
            }
        }
    }
    Ok(out)
}

/// A row with what the entries say taken back, newest first; `beside` gets the fields that are none of the row's.
fn back(
    row: Option<AnyRow>,
    target: Target,
    entries: &[Entry],
    mut beside: impl FnMut(&str, &FieldValue),
) -> Option<AnyRow> {
    let mut row = row;
    for entry in entries.iter().rev() {
        let fields = match &entry.was {
            Was::Absent => {
                row = None;
                continue;
            }
            Was::Whole(fields) => {
                row = Some(AnyRow::empty(target));
                beside(SIGNAL_HEALTH, &FieldValue::Null);
                beside(SIGNAL_NPS, &FieldValue::Null);
                fields
            }
            Was::Fields(fields) => fields,
        };
        if let Some(row) = &mut row {
            for (name, value) in fields {
                if row.set(name, value).is_err() {
                    beside(name, value);
                }
            }
        }
    }
    row
}

/// Takes off what is not kept, so that nothing of today stands among what was.
fn without_fleeting(row: &mut AnyRow) {
    let entity = row.target().entity;
    for field in row.fields().iter().filter(|f| is_fleeting(entity, f)) {
        // An account's health date is of the past when it lies there; it is looked at where the day is known.
        if entity != Entity::Account {
            let _ = row.set(field, &FieldValue::Null);
        }
    }
}

/// The sequence number up to which rows had come by the end of a day.
fn seq_of(db: &Connection, day: i32) -> Res<i64> {
    Ok(db
        .prepare_cached(
            "SELECT coalesce((SELECT seq FROM history_day WHERE day>?1 ORDER BY day LIMIT 1),9223372036854775807)",
        )?
        .query_row([day], |r| r.get(0))?)
}

/// The last day up to one on which anything was written.
fn last_written(db: &Connection, day: i32) -> Res<Option<i32>> {
    Ok(db
        .prepare_cached("SELECT max(day) FROM history_day WHERE day<=?1")?
        .query_row([day], |r| r.get(0))?)
}

/// Hands out every row that a Book of that day holds.
///
/// # Errors
/// A day before history begins.
pub(in crate::store) fn load(
    db: &Connection,
    day: Date,
    sink: &mut (dyn FnMut(RowDelta) + Send),
) -> Res<Past> {
    let Some((first, _)) = known_days(db)? else {
        return Err(StoreError::NotNow(
            "there is no history yet: it begins with the first sync or import".into(),
        )
        .into());
    };
    let at = days(day);
    let first_day = date_of(first).unwrap_or(day);
    if at < first {
        return Err(StoreError::NotNow(format!(
            "there is no history before {first_day}: what csops knew is kept since then"
        ))
        .into());
    }
    let words = words(db)?;
    let mut past = Past {
        first: first_day,
        known: last_written(db, at)?.and_then(date_of).unwrap_or(day),
        ..Past::default()
    };
    // The rows of an account's ledger lie together, as in a Book of today.
    macro_rules! table {
        ($ty:ident, $place:ident, $order:literal) => {
            of_kind::<$ty>(
                db,
                (at, $order),
                &words,
                &mut past,
                |row| match row {
                    AnyRow::$ty(r) => Some(r),
                    _ => None,
                },
                &mut |$place| {
                    sink(RowDelta {
                        $place,
                        ..RowDelta::default()
                    });
                },
            )?;
        };
    }
    table!(Rate, rates, "id");
    table!(Person, people, "id");
    accounts(db, day, &words, &mut past, sink)?;
    table!(Renewal, renewals, "id");
    table!(Opportunity, opportunities, "id");
    table!(Escalation, escalations, "id");
    table!(Subscription, subscriptions, "account,id");
    table!(Movement, movements, "account,id");
    signals_until(db, day, sink)?;
    Ok(past)
}

/// The rows of a kind whose numbers grow only when they change.
fn of_kind<T: Table>(
    db: &Connection,
    (day, order): (i32, &str),
    words: &Words,
    past: &mut Past,
    own: fn(AnyRow) -> Option<T>,
    give: &mut dyn FnMut(Vec<T>),
) -> Res<()> {
    let Some(entity) = Entity::parse(T::NAME) else {
        return Ok(());
    };
    let mut then = entries(db, entity, day, words)?;
    let bound = seq_of(db, day)?;
    let mut statement = db.prepare(&format!(
        "SELECT {},seq FROM {} ORDER BY {order}",
        T::sql().list,
        T::NAME
    ))?;
    let mut rows = statement.query([])?;
    let mut portion = Vec::new();
    let mut enter = |row: Option<AnyRow>, portion: &mut Vec<T>| {
        if let Some(mut row) = row {
            without_fleeting(&mut row);
            portion.extend(own(row));
        }
        if portion.len() >= PORTION {
            give(std::mem::take(portion));
        }
    };
    while let Some(r) = rows.next()? {
        let mut i = 0;
        let row = T::read(r, &mut i)?.any();
        let target = row.target();
        match then.remove(&target.id.0) {
            Some(entries) => {
                let row = back(Some(row), target, &entries, |_, _| ());
                past.count(row.is_some());
                enter(row, &mut portion);
            }
            None if r.get::<_, i64>(i)? > bound => past.later += 1,
            None => enter(Some(row), &mut portion),
        }
    }
    for (id, entries) in then {
        let target = Target {
            entity,
            id: LocalId(id),
        };
        let row = back(None, target, &entries, |_, _| ());
        past.restored += u64::from(row.is_some());
        enter(row, &mut portion);
    }
    if !portion.is_empty() {
        give(portion);
    }
    Ok(())
}

/// What stands beside an account's row.
#[derive(Clone, Copy, Default)]
struct Beside {
    health: Option<u8>,
    nps: Option<u8>,
}

impl Beside {
    fn set(&mut self, name: &str, value: &FieldValue) {
        let score = match value {
            FieldValue::Number(n) if (0.0..=100.0).contains(n) => Some(*n as u8),
            _ => None,
        };
        match name {
            SIGNAL_HEALTH => self.health = score,
            SIGNAL_NPS => self.nps = score,
            _ => {}
        }
    }
}

/// An account as of a day, with what its signals said laid under it.
fn account_back(
    row: Option<Account>,
    id: u32,
    beside: Beside,
    entries: &[Entry],
) -> Option<Account> {
    let target = Target {
        entity: Entity::Account,
        id: LocalId(id),
    };
    let mut beside = beside;
    let row = back(row.map(AnyRow::Account), target, entries, |name, value| {
        beside.set(name, value);
    });
    match row {
        Some(AnyRow::Account(mut a)) => {
            a.health = a.health.or(beside.health);
            a.nps = a.nps.or(beside.nps);
            Some(a)
        }
        _ => None,
    }
}

/// Health is compared with that of so many days before.
const MONTH: i32 = 30;

fn accounts(
    db: &Connection,
    day: Date,
    words: &Words,
    past: &mut Past,
    sink: &mut (dyn FnMut(RowDelta) + Send),
) -> Res<()> {
    let at = days(day);
    let mut then = entries(db, Entity::Account, at - MONTH, words)?;
    let mut facts = Dated::read(db, day)?;
    // The health of a month before is known from history, too, where no dated score says it.
    let month_known = at - MONTH >= days(past.first);
    let sql = format!(
        "SELECT {},{},signal_health,signal_health_at,signal_nps FROM account ORDER BY id",
        Account::sql().list,
        *FACTS
    );
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut portion = Vec::new();
    let mut enter = |account: Option<Account>,
                     today: &Facts,
                     before: Option<u8>,
                     portion: &mut Vec<(Account, Facts)>| {
        if let Some(mut a) = account {
            a.health_at = a.health_at.filter(|d| *d <= day);
            let facts = facts.of(a.id.0, today, before);
            portion.push((a, facts));
        }
        if portion.len() >= PORTION {
            sink(RowDelta {
                accounts: std::mem::take(portion),
                ..RowDelta::default()
            });
        }
    };
    let month_before = |row: Option<Account>, id, beside, entries: &[Entry]| {
        if !month_known {
            return None;
        }
        account_back(row, id, beside, entries).and_then(|a| a.health)
    };
    while let Some(r) = rows.next()? {
        let (row, today, beside, health_at) = account_row(r)?;
        let id = row.id.0;
        let entries = then.remove(&id).unwrap_or_default();
        let after = entries.partition_point(|e| e.until <= at);
        let mut account = account_back(Some(row.clone()), id, beside, &entries[after..]);
        if let Some(a) = &mut account
            && row.health.is_none()
            && a.health_at.is_none()
        {
            a.health_at = health_at;
        }
        let before = month_before(Some(row), id, beside, &entries);
        if after < entries.len() {
            past.count(account.is_some());
        }
        enter(account, &today, before, &mut portion);
    }
    for (id, entries) in then {
        let after = entries.partition_point(|e| e.until <= at);
        let account = account_back(None, id, Beside::default(), &entries[after..]);
        let before = month_before(None, id, Beside::default(), &entries);
        past.restored += u64::from(account.is_some());
        enter(account, &Facts::default(), before, &mut portion);
    }
    if !portion.is_empty() {
        sink(RowDelta {
            accounts: portion,
            ..RowDelta::default()
        });
    }
    Ok(())
}

type AccountRow = (Account, Facts, Beside, Option<Date>);

fn account_row(r: &Row<'_>) -> rusqlite::Result<AccountRow> {
    let mut i = 0;
    let account = Account::read(r, &mut i)?;
    let facts = Facts::read(r, &mut i)?;
    let health = Col::read(r, &mut i)?;
    let health_at = Col::read(r, &mut i)?;
    let nps = Col::read(r, &mut i)?;
    Ok((account, facts, Beside { health, nps }, health_at))
}

/// Figures about accounts from rows that bear a date of their own: what had happened by the end of a day.
struct Dated {
    facts: HashMap<u32, Facts>,
}

impl Dated {
    fn read(db: &Connection, day: Date) -> Res<Dated> {
        let end = day
            .checked_add(1.day())
            .ok()
            .and_then(|d| d.to_zoned(TimeZone::UTC).ok())
            .map_or(i64::MAX, |z| z.timestamp().as_microsecond());
        let (text, mut dated) = (
            day_text(day),
            Dated {
                facts: HashMap::new(),
            },
        );
        dated.usage(db, day)?;
        let before = |n: i32| day.checked_sub(n.days()).map(day_text).unwrap_or_default();
        // About a month before: the newest score that is at least 25 and at most 60 days older.
        dated.each(
            db,
            "SELECT account,value FROM signal WHERE kind='health' AND account IS NOT NULL AND at<=?1 AND at>=?2 ORDER BY account,at",
            params![before(25), before(60)],
            |f, r| {
                let score = r.get::<_, Option<f64>>(1)?.filter(|v| (0.0..=100.0).contains(v));
                f.health_before = score.map(|v| v.round() as u8).or(f.health_before);
                Ok(())
            },
        )?;
        dated.each(
            db,
            "SELECT account,max(at) FROM signal WHERE kind='nps' AND account IS NOT NULL AND at<=?1 GROUP BY account",
            params![text],
            |f, r| {
                f.nps_at = day_in(r, 1)?;
                Ok(())
            },
        )?;
        dated.each(
            db,
            "SELECT account,opened,priority_kind='urgent' OR coalesce(escalated,0) FROM ticket WHERE account IS NOT NULL AND opened<?1
             AND (closed>=?1 OR (closed IS NULL AND coalesce(status_kind,'open')<>'closed')) ORDER BY account,opened",
            params![end],
            |f, r| {
                let urgent = r.get::<_, Option<bool>>(2)?.unwrap_or(false);
                f.open_tickets = f.open_tickets.saturating_add(1);
                // The newest of the urgent ones if there are any, else the newest of all.
                if urgent || f.urgent_tickets == 0 {
                    f.ticket_at = utc_day(r.get(1)?);
                }
                f.urgent_tickets = f.urgent_tickets.saturating_add(u16::from(urgent));
                Ok(())
            },
        )?;
        dated.each(
            db,
            "SELECT account,max(at) FROM touchpoint WHERE account IS NOT NULL AND kind IN ('call','email','meeting') AND at<?1 GROUP BY account",
            params![end],
            |f, r| {
                f.last_touch = r.get::<_, Option<i64>>(1)?.and_then(utc_day);
                Ok(())
            },
        )?;
        dated.each(
            db,
            "SELECT account,max(left_at) FROM contact WHERE account IS NOT NULL AND left_at<=?1 AND coalesce(active,0)=0
             AND (lower(role) LIKE '%sponsor%' OR lower(role) LIKE '%champion%') GROUP BY account",
            params![text],
            |f, r| {
                f.sponsor_left = day_in(r, 1)?;
                Ok(())
            },
        )?;
        Ok(dated)
    }

    fn usage(&mut self, db: &Connection, day: Date) -> Res<()> {
        let from = day
            .checked_sub(26.weeks())
            .map(day_text)
            .unwrap_or_default();
        let mut statement = db.prepare_cached(
            "SELECT account,at,value FROM signal WHERE kind='usage.weekly' AND account IS NOT NULL AND at<=?1 AND at>=?2
             ORDER BY account,at DESC",
        )?;
        let mut rows = statement.query(params![day_text(day), from])?;
        let mut current: Option<(u32, Weeks)> = None;
        while let Some(r) = rows.next()? {
            let (account, at) = (r.get(0)?, day_in(r, 1)?);
            let Some(at) = at else { continue };
            if current.as_ref().is_none_or(|(a, _)| *a != account) {
                self.enter_usage(current.take());
            }
            let (_, weeks) = current.get_or_insert_with(|| (account, Weeks::default()));
            weeks.enter(at, r.get(2)?);
        }
        self.enter_usage(current);
        Ok(())
    }

    fn enter_usage(&mut self, of: Option<(u32, Weeks)>) {
        if let Some((account, weeks)) = of {
            let facts = self.facts.entry(account).or_default();
            facts.usage = weeks.users;
            facts.usage_at = weeks.newest;
        }
    }

    fn each(
        &mut self,
        db: &Connection,
        sql: &str,
        bounds: impl rusqlite::Params,
        mut enter: impl FnMut(&mut Facts, &Row<'_>) -> rusqlite::Result<()>,
    ) -> Res<()> {
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query(bounds)?;
        while let Some(r) = rows.next()? {
            enter(self.facts.entry(r.get(0)?).or_default(), r)?;
        }
        Ok(())
    }

    /// The facts of an account; where they came from is as today.
    fn of(&mut self, account: u32, today: &Facts, health_before: Option<u8>) -> Facts {
        let mut facts = self.facts.remove(&account).unwrap_or_default();
        facts.health_before = facts.health_before.or(health_before);
        facts.usage_source.clone_from(&today.usage_source);
        facts.health_source.clone_from(&today.health_source);
        facts.ticket_source.clone_from(&today.ticket_source);
        facts.contact_source.clone_from(&today.contact_source);
        facts.nps_source.clone_from(&today.nps_source);
        facts
    }
}

fn day_in(r: &Row<'_>, column: usize) -> rusqlite::Result<Option<Date>> {
    let text = r.get_ref(column)?;
    Ok(text.as_str().ok().and_then(|t| day_of(t.as_bytes())))
}

fn utc_day(micros: i64) -> Option<Date> {
    let at = Timestamp::from_microsecond(micros).ok()?;
    Some(at.to_zoned(TimeZone::UTC).date())
}

/// What an account was from which day on, oldest first.
pub(in crate::store) fn timeline(db: &Connection, account: LocalId) -> Res<Vec<HistoryPoint>> {
    let Some((first, _)) = known_days(db)? else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT {},{},signal_health,signal_health_at,signal_nps FROM account WHERE id=?1",
        Account::sql().list,
        *FACTS
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([account.0])?;
    let now = rows.next()?.map(account_row).transpose()?;
    let (row, beside) = now.map_or((None, Beside::default()), |(a, _, beside, _)| {
        (Some(a), beside)
    });
    let entries = entries_of(db, account)?;
    let mut out: Vec<HistoryPoint> = Vec::new();
    for after in 0..=entries.len() {
        let from = match after {
            0 => first,
            n => entries[n - 1].until,
        };
        let point =
            account_back(row.clone(), account.0, beside, &entries[after..]).zip(date_of(from));
        let Some((a, date)) = point else { continue };
        let point = HistoryPoint {
            date,
            arr: a.arr,
            health: a.health,
            segment: a.segment,
            csm: a.csm,
        };
        let same = out
            .last()
            .is_some_and(|p| HistoryPoint { date, ..p.clone() } == point);
        if !same {
            out.push(point);
        }
    }
    Ok(out)
}

fn entries_of(db: &Connection, account: LocalId) -> Res<Vec<Entry>> {
    let mut statement =
        db.prepare_cached("SELECT first,data FROM history WHERE kind=?1 AND id=?2 ORDER BY first")?;
    let mut rows = statement.query(params![code(Entity::Account), account.0])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        let data: Vec<u8> = r.get(1)?;
        let mut reader = Reader::new(&data, r.get(0)?);
        while let Some(entry) = reader.next(&mut |n| super::word_of(db, n)) {
            out.push(entry);
        }
    }
    Ok(out)
}
