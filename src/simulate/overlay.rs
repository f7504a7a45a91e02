//! Tables over the world for vendors whose records are plain JSON objects: rows of the world are read where they lie, field by
//! field, and on top of them lies what was changed, created or deleted since. A vendor brings its tables, its ids and its
//! stamps.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::world::World;

/// Rows that clients create have numbers from here on.
pub(super) const CREATED: u32 = 1 << 30;

/// Rows that live changes create: this plus the number of the event.
pub(super) const LIVE: u32 = 1 << 29;

/// What a field holds, as far as filters and checks need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Decimal,
    Bool,
    Instant,
    List,
    /// The id of a row of another table.
    Row(usize),
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(super) enum Read {
    /// The id of the row itself.
    Id,
    /// A row of the world, unless it was changed.
    World(fn(&World, u32) -> Value),
    /// What follows from the state now; it cannot be written.
    State(fn(&Overlay, u32) -> Value),
}

/// A field of a table.
pub(super) struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub read: Read,
    pub writable: bool,
    pub required: bool,
    /// The same instant as `read` gives, in seconds and without making a text: filters ask for millions.
    pub seconds: Option<fn(&World, u32) -> i64>,
}

/// A table: how many rows the world has for it and which of them the vendor shows.
pub(super) struct Table {
    pub name: &'static str,
    pub fields: Vec<Field>,
    pub rows: fn(&World) -> u32,
    pub seen: fn(&World, u32) -> bool,
    /// The account of a row of the world: its rows go when it is deleted.
    pub account: Option<fn(&World, u32) -> u32>,
    /// Fields that are stamped at creation, and at each change.
    pub stamps: (&'static str, &'static str),
}

#[derive(Default)]
struct Changes {
    over: HashMap<u32, BTreeMap<String, Value>>,
    new: BTreeSet<u32>,
    gone: HashSet<u32>,
    next: u32,
}

/// One change of one row, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Write {
    pub op: Op,
    pub table: String,
    pub row: u32,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Op {
    Create,
    Update,
    Delete,
}

/// All tables of one vendor. The first is the one of accounts.
pub(super) struct Overlay {
    pub world: Arc<World>,
    pub tables: Vec<Table>,
    changes: Vec<Changes>,
    id: fn(usize, u32) -> Value,
    stamp: fn(Timestamp) -> Value,
    /// Moves with every change.
    pub version: u64,
}

impl Table {
    /// The place of a field.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

impl Overlay {
    pub fn new(
        world: Arc<World>,
        tables: Vec<Table>,
        id: fn(usize, u32) -> Value,
        stamp: fn(Timestamp) -> Value,
    ) -> Self {
        let changes = tables
            .iter()
            .map(|_| Changes {
                next: CREATED,
                ..Changes::default()
            })
            .collect();
        Overlay {
            world,
            tables,
            changes,
            id,
            stamp,
            version: 0,
        }
    }

    /// The place of a table.
    pub fn table(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.name == name)
    }

    pub fn exists(&self, table: usize, row: u32) -> bool {
        let Some((changes, shape)) = self.changes.get(table).zip(self.tables.get(table)) else {
            return false;
        };
        if changes.gone.contains(&row) {
            return false;
        }
        if row >= LIVE {
            return changes.new.contains(&row);
        }
        row < (shape.rows)(&self.world)
            && (shape.seen)(&self.world, row)
            && self.account_stands(shape, row)
    }

    fn account_stands(&self, shape: &Table, row: u32) -> bool {
        let gone = &self.changes[0].gone;
        gone.is_empty()
            || shape
                .account
                .is_none_or(|account| !gone.contains(&account(&self.world, row)))
    }

    /// All rows, the world's first.
    pub fn rows(&self, table: usize) -> impl Iterator<Item = u32> + '_ {
        let (changes, shape) = (&self.changes[table], &self.tables[table]);
        let some_gone = !changes.gone.is_empty() || !self.changes[0].gone.is_empty();
        (0..(shape.rows)(&self.world))
            .filter(move |row| {
                (shape.seen)(&self.world, *row) && (!some_gone || self.exists(table, *row))
            })
            .chain(
                changes
                    .new
                    .iter()
                    .copied()
                    .filter(|row| !changes.gone.contains(row)),
            )
    }

    /// The rows that were created since the world was made.
    pub fn new_rows(&self, table: usize) -> impl Iterator<Item = u32> + '_ {
        let changes = &self.changes[table];
        let rows = changes.new.iter().copied();
        rows.filter(|row| !changes.gone.contains(row))
    }

    /// The value of the field at this place.
    pub fn get(&self, table: usize, row: u32, place: usize) -> Value {
        let Some(field) = self.tables[table].fields.get(place) else {
            return Value::Null;
        };
        match field.read {
            Read::Id => return (self.id)(table, row),
            Read::State(read) => return read(self, row),
            Read::World(_) => {}
        }
        let changes = &self.changes[table];
        if !changes.over.is_empty()
            && let Some(value) = changes.over.get(&row).and_then(|over| over.get(field.name))
        {
            return value.clone();
        }
        match field.read {
            Read::World(read) if row < LIVE => read(&self.world, row),
            _ => Value::Null,
        }
    }

    /// The instant in a field, in milliseconds since 1970.
    pub fn ms(&self, table: usize, row: u32, place: usize) -> Option<i64> {
        let field = self.tables[table].fields.get(place)?;
        if row < LIVE
            && let Some(seconds) = field.seconds
            && !self.changes[table]
                .over
                .get(&row)
                .is_some_and(|over| over.contains_key(field.name))
        {
            return Some(seconds(&self.world, row).saturating_mul(1000));
        }
        instant(self.get(table, row, place).as_str()?)
    }

    /// The rows of the world in these ranges that are there, and all that were created.
    pub fn rows_in(
        &self,
        table: usize,
        ranges: Vec<std::ops::Range<u32>>,
    ) -> impl Iterator<Item = u32> + '_ {
        ranges
            .into_iter()
            .flatten()
            .filter(move |row| self.exists(table, *row))
            .chain(self.new_rows(table))
    }

    /// The value of a field by its name; nothing for a name that the table does not have.
    pub fn named(&self, table: usize, row: u32, name: &str) -> Value {
        self.tables[table]
            .field(name)
            .map_or(Value::Null, |place| self.get(table, row, place))
    }

    /// A value under a name that is no field of the table, as it was written.
    pub fn sent(&self, table: usize, row: u32, name: &str) -> Value {
        let over = self.changes[table].over.get(&row);
        over.and_then(|over| over.get(name))
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// The text of a field, or an empty one.
    pub fn text(&self, table: usize, row: u32, name: &str) -> String {
        match self.named(table, row, name) {
            Value::String(text) => text,
            _ => String::new(),
        }
    }

    /// A number for a row that a client creates.
    pub fn next_row(&mut self, table: usize) -> u32 {
        let changes = &mut self.changes[table];
        changes.next += 1;
        changes.next - 1
    }

    /// Makes a change. An unknown table is left out: the journal of another version may name it.
    pub fn apply(&mut self, write: &Write, at: Timestamp) {
        let Some(table) = self.table(&write.table) else {
            return;
        };
        self.version += 1;
        let stamp = (self.stamp)(at);
        let (created, modified) = self.tables[table].stamps;
        let changes = &mut self.changes[table];
        if write.op == Op::Delete {
            changes.gone.insert(write.row);
            return;
        }
        let over = changes.over.entry(write.row).or_default();
        over.extend(
            write
                .values
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        if write.op == Op::Create {
            over.entry(created.to_owned())
                .or_insert_with(|| stamp.clone());
            changes.new.insert(write.row);
            if write.row >= CREATED {
                changes.next = changes.next.max(write.row + 1);
            }
        }
        over.insert(modified.to_owned(), stamp);
    }

    /// A change of a row from pairs of name and value.
    pub fn write<const N: usize>(
        &self,
        op: Op,
        table: usize,
        row: u32,
        values: [(&str, Value); N],
    ) -> Write {
        Write {
            op,
            table: self.tables[table].name.to_owned(),
            row,
            values: values
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }
}

/// The number of the row that a live change creates.
pub(super) fn live_row(event: u64) -> u32 {
    LIVE + (event % u64::from(LIVE)) as u32
}

/// A field that clients can write.
pub(super) fn field(name: &'static str, kind: Kind, read: fn(&World, u32) -> Value) -> Field {
    Field {
        name,
        kind,
        read: Read::World(read),
        writable: true,
        required: false,
        seconds: None,
    }
}

/// A field without which nothing is created.
pub(super) fn required(name: &'static str, kind: Kind, read: fn(&World, u32) -> Value) -> Field {
    Field {
        required: true,
        ..field(name, kind, read)
    }
}

/// A field that clients cannot write.
pub(super) fn fixed(name: &'static str, kind: Kind, read: fn(&World, u32) -> Value) -> Field {
    Field {
        writable: false,
        ..field(name, kind, read)
    }
}

/// A field that follows from the state.
pub(super) fn derived(name: &'static str, kind: Kind, read: fn(&Overlay, u32) -> Value) -> Field {
    Field {
        name,
        kind,
        read: Read::State(read),
        writable: false,
        required: false,
        seconds: None,
    }
}

/// A field with an instant that clients cannot write, from a closure that gives seconds.
macro_rules! when {
    ($name:expr, $seconds:expr) => {
        $crate::simulate::overlay::Field {
            seconds: Some($seconds),
            ..$crate::simulate::overlay::fixed(
                $name,
                $crate::simulate::overlay::Kind::Instant,
                |world, row| {
                    let seconds: fn(&$crate::simulate::world::World, u32) -> i64 = $seconds;
                    $crate::simulate::overlay::iso_second(seconds(world, row))
                },
            )
        }
    };
}
pub(super) use when;

/// The field of the row's own id.
pub(super) fn own_id(name: &'static str) -> Field {
    Field {
        name,
        kind: Kind::Text,
        read: Read::Id,
        writable: false,
        required: false,
        seconds: None,
    }
}

/// No value.
pub(super) fn nothing(_: &World, _: u32) -> Value {
    Value::Null
}

/// A text, or nothing where it is empty.
pub(super) fn text(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        Value::String(text.to_owned())
    }
}

/// `2026-11-22T00:00:00.000Z`.
pub(super) fn iso_day(day: Date) -> Value {
    Value::String(format!(
        "{:04}-{:02}-{:02}T00:00:00.000Z",
        day.year(),
        day.month(),
        day.day()
    ))
}

/// An instant of the world in milliseconds and UTC: `2026-11-22T09:30:00.000Z`.
pub(super) fn iso_second(second: i64) -> Value {
    Timestamp::from_second(second).map_or(Value::Null, iso)
}

/// An instant in milliseconds and UTC.
pub(super) fn iso(at: Timestamp) -> Value {
    Value::String(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

/// A number with at most two digits after the point, whole where it is whole.
pub(super) fn number(value: f64) -> Value {
    let rounded = (value * 100.0).round() / 100.0;
    if rounded.fract() == 0.0 && rounded.abs() < 9e15 {
        Value::from(rounded as i64)
    } else {
        Value::from(rounded)
    }
}

/// What a row of the world says; nothing for a row that is not one of the world's.
pub(super) fn of<T>(rows: &[T], row: u32, read: impl FnOnce(&T) -> Value) -> Value {
    rows.get(row as usize).map_or(Value::Null, read)
}

/// A day or an instant in the forms that clients write, in milliseconds since 1970.
pub(super) fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.len() == 10
        && let Ok(day) = text.parse::<Date>()
    {
        return Some(super::world::day_number(day) * 86_400_000);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    let at = text
        .replace(' ', "T")
        .parse::<jiff::civil::DateTime>()
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?;
    Some(at.timestamp().as_millisecond())
}
