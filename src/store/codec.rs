//! How values lie in columns: days as ISO text, instants as microseconds, amounts as minor units beside their currency. Reading is
//! lenient: a value of another type (somebody edited the file by hand) reads as nothing rather than failing a whole load.

use super::error::Res;
use super::many::Many;
use crate::book::{
    Account, AnyRow, Contact, Entity, Escalation, Facts, LocalId, Money, Movement, Opportunity,
    Person, Rate, Renewal, Signal, SourceName, Subscription, Target, Task, Ticket, Touchpoint,
};
use jiff::{Timestamp, civil::Date};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Row, Statement, ToSql};
use std::sync::{LazyLock, OnceLock};

/// A day as `2026-11-22`.
pub(super) fn day_text(day: Date) -> String {
    let Ok(year) = u16::try_from(day.year()) else {
        // Years outside 0000–9999 are written with a sign.
        return day.to_string();
    };
    let digit = |n: u16| char::from(b'0' + (n % 10) as u8);
    let (month, day) = (day.month().unsigned_abs(), day.day().unsigned_abs());
    let mut out = String::with_capacity(10);
    out.extend([1000, 100, 10, 1].map(|unit| digit(year / unit)));
    for part in [u16::from(month), u16::from(day)] {
        out.extend(['-', digit(part / 10), digit(part)]);
    }
    out
}

/// Reads such a day; quick, because a load reads millions.
pub(super) fn day_of(text: &[u8]) -> Option<Date> {
    let number = |bytes: &[u8]| {
        bytes.iter().try_fold(0i16, |n, b| {
            b.is_ascii_digit().then(|| n * 10 + i16::from(b - b'0'))
        })
    };
    if text.len() == 10 && text[4] == b'-' && text[7] == b'-' {
        let (month, day) = (number(&text[5..7])?, number(&text[8..10])?);
        Date::new(number(&text[..4])?, month as i8, day as i8).ok()
    } else {
        // Years outside 0000–9999 are written with a sign.
        std::str::from_utf8(text).ok()?.parse().ok()
    }
}

/// An instant in whole microseconds.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The instant of that many microseconds; the nearest one that there is when the number is absurd.
pub(super) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// The value as text, if it is text.
fn text_of(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Text(t) => Some(String::from_utf8_lossy(t).into_owned()),
        ValueRef::Integer(n) => Some(n.to_string()),
        _ => None,
    }
}

fn integer_of<T: TryFrom<i64>>(value: ValueRef<'_>) -> Option<T> {
    match value {
        ValueRef::Integer(n) => T::try_from(n).ok(),
        _ => None,
    }
}

/// A type that lies in one or two columns.
pub(super) trait Col: Sized {
    /// The names of its columns, given the field's.
    fn columns(name: &str, out: &mut Vec<String>) {
        out.push(name.to_owned());
    }
    /// Reads it from column `i` on and moves `i` behind it.
    fn read(row: &Row<'_>, i: &mut usize) -> rusqlite::Result<Self>;
    /// Binds it to parameter `i` on and moves `i` behind it.
    fn bind(&self, statement: &mut Statement<'_>, i: &mut usize) -> rusqlite::Result<()>;
}

fn take<'r>(row: &'r Row<'_>, i: &mut usize) -> rusqlite::Result<ValueRef<'r>> {
    let value = row.get_ref(*i)?;
    *i += 1;
    Ok(value)
}

pub(super) fn give(
    statement: &mut Statement<'_>,
    i: &mut usize,
    value: impl ToSql,
) -> rusqlite::Result<()> {
    statement.raw_bind_parameter(*i, value)?;
    *i += 1;
    Ok(())
}

macro_rules! col {
    ($ty:ty, $value:ident => $read:expr, $this:ident => $bind:expr) => {
        impl Col for $ty {
            fn read(row: &Row<'_>, i: &mut usize) -> rusqlite::Result<Self> {
                let $value = take(row, i)?;
                Ok($read)
            }
            fn bind(&self, statement: &mut Statement<'_>, i: &mut usize) -> rusqlite::Result<()> {
                let $this = self;
                give(statement, i, $bind)
            }
        }
    };
}

col!(String, v => text_of(v).unwrap_or_default(), s => s.as_str());
col!(Option<String>, v => text_of(v), s => s.as_deref());
col!(LocalId, v => LocalId(integer_of(v).unwrap_or(0)), s => s.0);
col!(Option<LocalId>, v => integer_of(v).map(LocalId), s => s.map(|id| id.0));
col!(Option<u8>, v => integer_of(v), s => *s);
col!(Option<u16>, v => integer_of(v), s => *s);
col!(u16, v => integer_of(v).unwrap_or(0), s => *s);
col!(Option<bool>, v => integer_of::<i64>(v).map(|n| n != 0), s => *s);
col!(Option<f64>, v => match v {
    ValueRef::Real(n) => Some(n),
    ValueRef::Integer(n) => Some(n as f64),
    _ => None,
}, s => *s);
col!(Option<Date>, v => match v {
    ValueRef::Text(t) => day_of(t),
    _ => None,
}, s => s.map(day_text));
col!(Option<Timestamp>, v => integer_of(v).map(instant), s => s.map(micros));
col!(Option<SourceName>, v => match v {
    ValueRef::Text(t) => std::str::from_utf8(t).ok().map(SourceName::from),
    _ => None,
}, s => s.as_deref());
col!(Vec<String>, v => match v {
    ValueRef::Text(t) => serde_json::from_slice(t).unwrap_or_default(),
    _ => Vec::new(),
}, s => if s.is_empty() { None } else { serde_json::to_string(s).ok() });
col!([Option<u32>; 12], v => match v {
    ValueRef::Blob(b) => usage_of(b),
    _ => [None; 12],
}, s => usage_blob(s));

impl Col for Option<Money> {
    fn columns(name: &str, out: &mut Vec<String>) {
        out.push(name.to_owned());
        out.push(format!("{name}_currency"));
    }
    fn read(row: &Row<'_>, i: &mut usize) -> rusqlite::Result<Self> {
        let minor = integer_of::<i64>(take(row, i)?);
        let code = match take(row, i)? {
            ValueRef::Text(t) => <[u8; 3]>::try_from(t).ok(),
            _ => None,
        };
        Ok(minor
            .zip(code)
            .map(|(minor, currency)| Money { minor, currency }))
    }
    fn bind(&self, statement: &mut Statement<'_>, i: &mut usize) -> rusqlite::Result<()> {
        give(statement, i, self.map(|m| m.minor))?;
        give(statement, i, self.as_ref().map(Money::code))
    }
}

/// Twelve weeks in 48 bytes, little-endian; a missing week is all ones.
pub(super) fn usage_blob(weeks: &[Option<u32>; 12]) -> Option<Vec<u8>> {
    weeks.iter().any(Option::is_some).then(|| {
        weeks
            .iter()
            .flat_map(|w| w.unwrap_or(u32::MAX).to_le_bytes())
            .collect()
    })
}

fn usage_of(blob: &[u8]) -> [Option<u32>; 12] {
    let mut weeks = [None; 12];
    for (week, bytes) in weeks.iter_mut().zip(blob.as_chunks::<4>().0) {
        *week = Some(u32::from_le_bytes(*bytes)).filter(|n| *n != u32::MAX);
    }
    weeks
}

/// The statements of one table, made once.
pub(super) struct TableSql {
    /// The columns of a row, quoted and joined.
    pub list: String,
    /// Reads one row by its id.
    pub by_id: String,
    /// Reads the rows of one account.
    pub by_account: String,
    /// Reads the rows that changed after a sequence number.
    pub since: String,
    /// Inserts or replaces a row; the sequence number is the last parameter.
    pub upsert: String,
    /// Inserts rows that are not there.
    pub insert: Many,
}

/// A row struct that has a table.
pub(super) trait Table: Sized + Clone + PartialEq {
    /// The table's name: the kind's.
    const NAME: &'static str;
    /// Its statements.
    fn sql() -> &'static TableSql;
    /// Reads a row.
    fn read(row: &Row<'_>, i: &mut usize) -> rusqlite::Result<Self>;
    /// Binds a row.
    fn bind(&self, statement: &mut Statement<'_>, i: &mut usize) -> rusqlite::Result<()>;
    /// As a row of any kind.
    fn any(self) -> AnyRow;
    /// A row of any kind, if it is of this one.
    fn of(row: &AnyRow) -> Option<&Self>;
}

fn columns_of<R, T: Col>(name: &str, out: &mut Vec<String>, _: impl Fn(&R) -> &T) {
    T::columns(name, out);
}

fn table_sql(table: &str, columns: &[String]) -> TableSql {
    let quoted: Vec<String> = columns.iter().map(|c| format!("\"{c}\"")).collect();
    let list = quoted.join(",");
    let marks = vec!["?"; columns.len() + 1].join(",");
    let sets: Vec<String> = quoted[1..]
        .iter()
        .map(|c| format!("{c}=excluded.{c}"))
        .collect();
    TableSql {
        by_id: format!("SELECT {list} FROM {table} WHERE id=?1"),
        by_account: format!("SELECT {list} FROM {table} WHERE account=?1"),
        since: format!("SELECT {list} FROM {table} WHERE seq>?1"),
        upsert: format!(
            "INSERT INTO {table}({list},seq) VALUES({marks}) ON CONFLICT(id) DO UPDATE SET {},seq=excluded.seq",
            sets.join(",")
        ),
        insert: Many {
            into: format!("INSERT OR FAIL INTO {table}({list},seq) VALUES"),
            row: format!("({marks})"),
            end: "",
        },
        list,
    }
}

macro_rules! table {
    ($ty:ident, $name:literal, [$($field:ident),* $(,)?]) => {
        impl Table for $ty {
            const NAME: &'static str = $name;
            fn sql() -> &'static TableSql {
                static SQL: OnceLock<TableSql> = OnceLock::new();
                SQL.get_or_init(|| {
                    let mut columns = vec!["id".to_owned()];
                    $(columns_of(stringify!($field), &mut columns, |r: &$ty| &r.$field);)*
                    table_sql($name, &columns)
                })
            }
            fn read(row: &Row<'_>, i: &mut usize) -> rusqlite::Result<Self> {
                Ok($ty { id: Col::read(row, i)?, $($field: Col::read(row, i)?),* })
            }
            fn bind(&self, statement: &mut Statement<'_>, i: &mut usize) -> rusqlite::Result<()> {
                self.id.bind(statement, i)?;
                $(self.$field.bind(statement, i)?;)*
                Ok(())
            }
            fn any(self) -> AnyRow {
                AnyRow::$ty(self)
            }
            fn of(row: &AnyRow) -> Option<&$ty> {
                match row {
                    AnyRow::$ty(r) => Some(r),
                    _ => None,
                }
            }
        }
    };
}

table!(
    Account,
    "account",
    [
        name,
        domain,
        parent,
        segment,
        touch,
        csm,
        owner,
        region,
        industry,
        stage,
        arr,
        start,
        renewal,
        notice_days,
        auto_renew,
        health,
        health_at,
        sentiment,
        nps,
        snoozed_until,
        acked_at,
        acked_by,
        resolved_at,
        resolved_reasons,
        outcome,
        level,
        tags
    ]
);
table!(
    Contact,
    "contact",
    [account, name, title, email, phone, role, active, left_at]
);
table!(
    Subscription,
    "subscription",
    [
        account,
        line,
        product,
        contract,
        change,
        start,
        end,
        arr,
        signed,
        cancelled,
        recurring,
        notice_days,
        auto_renew
    ]
);
table!(
    Movement,
    "movement",
    [account, line, date, kind, amount, reason]
);
table!(
    Person,
    "person",
    [
        name,
        email,
        role,
        active,
        manager,
        region,
        capacity_hours,
        start,
        end
    ]
);
table!(
    Renewal,
    "renewal",
    [
        account,
        name,
        due,
        original_due,
        pushes,
        notice_deadline,
        amount,
        target,
        stage,
        stage_kind,
        forecast,
        probability,
        owner,
        outcome,
        closed,
        next_step
    ]
);
table!(
    Opportunity,
    "opportunity",
    [
        account, name, kind, amount, stage, stage_kind, created, accepted, due, closed, owner,
        origin, outcome
    ]
);
table!(
    Task,
    "task",
    [
        account,
        title,
        description,
        due,
        priority,
        priority_kind,
        owner,
        status,
        status_kind,
        kind,
        class,
        completed_at,
        escalation
    ]
);
table!(
    Ticket,
    "ticket",
    [
        account,
        number,
        subject,
        status,
        status_kind,
        priority,
        priority_kind,
        escalated,
        opened,
        closed,
        owner
    ]
);
table!(
    Escalation,
    "escalation",
    [
        account,
        title,
        reason,
        status,
        status_kind,
        priority,
        priority_kind,
        owner,
        opened,
        due,
        closed,
        outcome,
        comments
    ]
);
table!(
    Touchpoint,
    "touchpoint",
    [account, kind, subject, body, at, author, contact]
);
table!(Signal, "signal", [account, kind, at, value, unit, text]);
table!(Rate, "rate", [from, to, rate, at, kind]);

macro_rules! facts {
    ([$($field:ident),* $(,)?]) => {
        /// The columns of an account with what its signals know laid under it, then its facts.
        pub(super) static ACCOUNT_WITH_FACTS: LazyLock<String> = LazyLock::new(|| {
            let own = Account::sql()
                .list
                .replace("\"health\",\"health_at\"", "coalesce(health,signal_health),CASE WHEN health IS NULL THEN signal_health_at ELSE health_at END")
                .replace("\"nps\"", "coalesce(nps,signal_nps)");
            format!("{own},{}", *FACTS)
        });

        /// The columns of an account's facts.
        pub(super) static FACTS: LazyLock<String> = LazyLock::new(|| {
            let mut columns = Vec::new();
            $(columns_of(stringify!($field), &mut columns, |r: &Facts| &r.$field);)*
            columns.join(",")
        });

        impl Col for Facts {
            fn read(row: &Row<'_>, i: &mut usize) -> rusqlite::Result<Self> {
                Ok(Facts { $($field: Col::read(row, i)?),* })
            }
            fn bind(&self, statement: &mut Statement<'_>, i: &mut usize) -> rusqlite::Result<()> {
                $(self.$field.bind(statement, i)?;)*
                Ok(())
            }
        }
    };
}

facts!([
    usage,
    usage_at,
    usage_source,
    health_before,
    health_source,
    open_tickets,
    urgent_tickets,
    ticket_at,
    ticket_source,
    last_touch,
    sponsor_left,
    contact_source,
    nps_at,
    nps_source,
    open_renewal,
    open_escalation,
    changed_at,
    arr_source,
    arr_other,
    arr_other_source
]);

/// Reads one row of a table.
pub(super) fn read_row<T: Table>(db: &Connection, id: LocalId) -> Res<Option<T>> {
    let mut statement = db.prepare_cached(&T::sql().by_id)?;
    let mut rows = statement.query([id.0])?;
    Ok(match rows.next()? {
        Some(row) => Some(T::read(row, &mut 0)?),
        None => None,
    })
}

/// Reads the rows that a statement of a [`TableSql`] selects.
pub(super) fn read_rows<T: Table>(db: &Connection, sql: &str, parameter: i64) -> Res<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([parameter], |row| T::read(row, &mut 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Writes one row of a table.
pub(super) fn write_row<T: Table>(db: &Connection, row: &T, seq: i64) -> Res<()> {
    let mut statement = db.prepare_cached(&T::sql().upsert)?;
    let mut i = 1;
    row.bind(&mut statement, &mut i)?;
    statement.raw_bind_parameter(i, seq)?;
    statement.raw_execute()?;
    Ok(())
}

/// Calls a function with the row struct of a kind.
macro_rules! by_kind {
    ($entity:expr, $of:ident($($argument:expr),*)) => {
        match $entity {
            Entity::Account => $of::<Account>($($argument),*),
            Entity::Contact => $of::<Contact>($($argument),*),
            Entity::Person => $of::<Person>($($argument),*),
            Entity::Subscription => $of::<Subscription>($($argument),*),
            Entity::Movement => $of::<Movement>($($argument),*),
            Entity::Renewal => $of::<Renewal>($($argument),*),
            Entity::Opportunity => $of::<Opportunity>($($argument),*),
            Entity::Task => $of::<Task>($($argument),*),
            Entity::Ticket => $of::<Ticket>($($argument),*),
            Entity::Escalation => $of::<Escalation>($($argument),*),
            Entity::Touchpoint => $of::<Touchpoint>($($argument),*),
            Entity::Signal => $of::<Signal>($($argument),*),
            Entity::Rate => $of::<Rate>($($argument),*),
        }
    };
}

/// Reads a row of any kind, as merged (without what signals know).
pub(super) fn read_any(db: &Connection, target: Target) -> Res<Option<AnyRow>> {
    fn of<T: Table>(db: &Connection, id: LocalId) -> Res<Option<AnyRow>> {
        Ok(read_row::<T>(db, id)?.map(T::any))
    }
    by_kind!(target.entity, of(db, target.id))
}

/// Writes a row of any kind.
pub(super) fn write_any(db: &Connection, row: &AnyRow, seq: i64) -> Res<()> {
    fn of<T: Table>(db: &Connection, row: &AnyRow, seq: i64) -> Res<()> {
        T::of(row).map_or(Ok(()), |row| write_row(db, row, seq))
    }
    by_kind!(row.target().entity, of(db, row, seq))
}

/// Writes rows of one kind that are not there yet.
pub(super) fn insert_any(db: &Connection, rows: &[&AnyRow], seq: i64) -> Res<()> {
    fn of<T: Table>(db: &Connection, rows: &[&AnyRow], seq: i64) -> Res<()> {
        let rows: Vec<&T> = rows.iter().filter_map(|r| T::of(r)).collect();
        T::sql()
            .insert
            .insert(db, &[], &rows, |row, statement, i| {
                row.bind(statement, i)?;
                give(statement, i, seq)
            })?;
        Ok(())
    }
    let Some(first) = rows.first() else {
        return Ok(());
    };
    by_kind!(first.target().entity, of(db, rows, seq))
}

/// Binds an [`Entity`] as its name.
pub(super) struct Kind(pub Entity);

impl ToSql for Kind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(
            self.0.name().as_bytes(),
        )))
    }
}

/// The kind of that name in the database.
pub(super) fn kind_of(name: &str) -> Res<Entity> {
    Entity::parse(name)
        .ok_or_else(|| super::error::Fail::Bad(format!("an unknown kind of row, `{name}`")))
}

/// Text or nothing as an owned value.
pub(super) fn text_value(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |t| Value::Text(t.to_owned()))
}
