//! The records of the org. What was there from the beginning is read from a [`Source`] field by field whenever somebody
//! asks; only what was changed or added since is kept here, so that a large org stays small. Two indexes are built when
//! first needed: by `SystemModstamp`, and by the value of a reference or key.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use super::schema::{Schema, common};
use super::value::{Id, Row, Value};

/// Where the first records come from.
pub trait Source: Send + Sync {
    /// How many places for records an object has from the beginning.
    fn len(&self, object: u16) -> u32;
    /// Whether there is a record in a place.
    fn present(&self, object: u16, row: u32) -> bool;
    /// One field of a record that is present.
    fn get(&self, object: u16, row: u32, field: usize) -> Value;
}

/// Rows that clients add are numbered from here after the last first record; the room before is for the world's own.
const ADDED: u32 = 1 << 24;

/// A value by which records can be found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Id(Id),
    /// In lower case.
    Text(String),
}

impl Key {
    /// The key of a value, if it can be one.
    pub fn of(value: &Value) -> Option<Key> {
        match value {
            Value::Id(id) => Some(Key::Id(*id)),
            Value::Text(text) => Some(Key::Text(text.to_lowercase())),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Table {
    base: u32,
    next: u32,
    /// First records that were changed.
    changed: HashMap<u32, Row>,
    /// Records that came later.
    added: BTreeMap<u32, Row>,
    /// (`SystemModstamp`, row) in order; an entry whose stamp is no longer the record's is skipped.
    stamps: RwLock<Option<Vec<(i64, u32)>>>,
    /// Per field: which rows have, or once had, a value.
    keys: RwLock<HashMap<usize, HashMap<Key, Vec<u32>>>>,
}

/// What a transaction did to one record: the record and what it was before.
struct Step {
    id: Id,
    before: Option<Row>,
}

/// All records.
pub struct Store {
    pub schema: Arc<Schema>,
    source: Arc<dyn Source>,
    tables: Vec<Table>,
    steps: Vec<Step>,
}

/// A point to which a transaction can go back.
#[derive(Debug, Clone, Copy)]
pub struct Savepoint(usize);

fn unpoison<T>(lock: Result<T, PoisonError<T>>) -> T {
    lock.unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    pub fn new(schema: Arc<Schema>, source: Arc<dyn Source>) -> Store {
        let tables = (0..schema.objects.len())
            .map(|object| {
                let base = source.len(object as u16);
                Table {
                    base,
                    next: base + ADDED,
                    ..Table::default()
                }
            })
            .collect();
        Store {
            schema,
            source,
            tables,
            steps: Vec::new(),
        }
    }

    fn table(&self, object: u16) -> &Table {
        &self.tables[usize::from(object)]
    }

    /// Whether there is such a record, deleted or not.
    pub fn exists(&self, id: Id) -> bool {
        let table = self.table(id.object);
        if id.row < table.base {
            self.source.present(id.object, id.row)
        } else {
            table.added.contains_key(&id.row)
        }
    }

    fn kept(&self, id: Id) -> Option<&Row> {
        let table = self.table(id.object);
        if id.row < table.base {
            table.changed.get(&id.row)
        } else {
            table.added.get(&id.row)
        }
    }

    /// One field of a record; null when there is no such record.
    pub fn get(&self, id: Id, field: usize) -> Value {
        if field == common::ID {
            return Value::Id(id);
        }
        match self.kept(id) {
            Some(row) => row.get(field).cloned().unwrap_or(Value::Null),
            None if id.row < self.table(id.object).base => {
                self.source.get(id.object, id.row, field)
            }
            None => Value::Null,
        }
    }

    /// All fields of a record.
    pub fn row(&self, id: Id) -> Row {
        match self.kept(id) {
            Some(row) => row.clone(),
            None => (0..self.schema.object(id.object).fields.len())
                .map(|field| self.get(id, field))
                .collect(),
        }
    }

    /// When a record last changed, in milliseconds.
    pub fn stamp(&self, id: Id) -> i64 {
        match self.get(id, common::STAMP) {
            Value::Time(ms) => ms,
            _ => 0,
        }
    }

    /// Whether a record is in the recycle bin.
    pub fn deleted(&self, id: Id) -> bool {
        matches!(self.get(id, common::IS_DELETED), Value::Bool(true))
    }

    /// The rows of an object from `from` on, in the order of their ids.
    pub fn rows(&self, object: u16, from: u32) -> impl Iterator<Item = u32> + '_ {
        let table = self.table(object);
        (from..table.base)
            .filter(move |row| self.source.present(object, *row))
            .chain(table.added.range(from..).map(|(row, _)| *row))
    }

    /// How many records of an object are not deleted.
    pub fn count(&self, object: u16) -> usize {
        self.rows(object, 0)
            .filter(|row| !self.deleted(Id { object, row: *row }))
            .count()
    }

    /// Visits the rows whose `SystemModstamp` is at least `from` in the order of (stamp, id), until `visit` answers false.
    pub fn since(&self, object: u16, from: i64, visit: &mut dyn FnMut(u32) -> bool) {
        let table = self.table(object);
        if unpoison(table.stamps.read()).is_none() {
            let mut stamps: Vec<(i64, u32)> = self
                .rows(object, 0)
                .map(|row| (self.stamp(Id { object, row }), row))
                .collect();
            stamps.sort_unstable();
            *unpoison(table.stamps.write()) = Some(stamps);
        }
        let stamps = unpoison(table.stamps.read());
        let Some(stamps) = stamps.as_ref() else {
            return;
        };
        let start = stamps.partition_point(|(stamp, _)| *stamp < from);
        let mut last = None;
        for entry in &stamps[start..] {
            let id = Id {
                object,
                row: entry.1,
            };
            let fresh = last != Some(*entry) && self.stamp(id) == entry.0 && self.exists(id);
            last = Some(*entry);
            if fresh && !visit(entry.1) {
                return;
            }
        }
    }

    /// The rows that have a key in a field, in the order of their ids.
    pub fn with_key(&self, object: u16, field: usize, key: &Key) -> Vec<u32> {
        let table = self.table(object);
        if !unpoison(table.keys.read()).contains_key(&field) {
            let mut index: HashMap<Key, Vec<u32>> = HashMap::new();
            for row in self.rows(object, 0) {
                if let Some(key) = Key::of(&self.get(Id { object, row }, field)) {
                    index.entry(key).or_default().push(row);
                }
            }
            unpoison(table.keys.write()).insert(field, index);
        }
        let keys = unpoison(table.keys.read());
        let mut rows: Vec<u32> = keys
            .get(&field)
            .and_then(|index| index.get(key))
            .into_iter()
            .flatten()
            .copied()
            .filter(|row| {
                let id = Id { object, row: *row };
                self.exists(id) && Key::of(&self.get(id, field)).as_ref() == Some(key)
            })
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// A new place for a record that a client adds.
    pub fn next_row(&self, object: u16) -> u32 {
        self.table(object).next
    }

    /// The place of the first record that a client adds.
    pub fn first_row(&self, object: u16) -> u32 {
        self.table(object).base + ADDED
    }

    /// The place of the record that the world's event `number` adds.
    pub fn live_row(&self, object: u16, number: u64) -> u32 {
        self.table(object).base + (number % u64::from(ADDED)) as u32
    }

    /// Puts a record, new or changed.
    pub fn put(&mut self, id: Id, row: Row) {
        let stamp = match row.get(common::STAMP) {
            Some(Value::Time(ms)) => *ms,
            _ => 0,
        };
        let table = &mut self.tables[usize::from(id.object)];
        if let Some(stamps) = table
            .stamps
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
        {
            let entry = (stamp, id.row);
            match stamps.last() {
                // A stamp from a journal or an event may be older than the newest: it is put where it belongs.
                Some(last) if *last > entry => {
                    let place = stamps.partition_point(|known| *known < entry);
                    if stamps.get(place) != Some(&entry) {
                        stamps.insert(place, entry);
                    }
                }
                Some(last) if *last == entry => {}
                _ => stamps.push(entry),
            }
        }
        for (field, index) in table
            .keys
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .iter_mut()
        {
            if let Some(key) = row.get(*field).and_then(Key::of) {
                let rows = index.entry(key).or_default();
                if rows.last() != Some(&id.row) {
                    rows.push(id.row);
                }
            }
        }
        let before = if id.row < table.base {
            table.changed.insert(id.row, row)
        } else {
            table.next = table.next.max(id.row + 1).max(table.base + ADDED);
            table.added.insert(id.row, row)
        };
        self.steps.push(Step { id, before });
    }

    /// Begins to remember what happens.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint(self.steps.len())
    }

    /// Takes back everything since a savepoint.
    pub fn roll_back(&mut self, to: Savepoint) {
        while self.steps.len() > to.0 {
            let Some(Step { id, before }) = self.steps.pop() else {
                break;
            };
            let table = &mut self.tables[usize::from(id.object)];
            let base = id.row < table.base;
            match (base, before) {
                (true, Some(row)) => drop(table.changed.insert(id.row, row)),
                (true, None) => drop(table.changed.remove(&id.row)),
                (false, Some(row)) => drop(table.added.insert(id.row, row)),
                (false, None) => drop(table.added.remove(&id.row)),
            }
            // The indexes keep both old and new entries; those that are not true are skipped when read.
        }
    }

    /// Keeps everything so far.
    pub fn commit(&mut self) {
        self.steps.clear();
    }
}
