//! The tenant's rows: those of the world, read where they lie, and on top of them what changed, was created, or was deleted
//! since. Row numbers are the numbers in GSIDs: the world's own first, then those of live changes, then those of clients.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::catalog::{self, OBJECTS, Object, ObjectId};
use super::value::{self, Kind, Val};
use crate::simulate::world::{WEEKS, World, day_number, ids};

/// Rows that clients create have numbers from here on.
const CREATED: u32 = 1 << 30;

/// Rows that live changes create: this plus the number of the event.
const LIVE: u32 = 1 << 29;

pub(super) type Row = BTreeMap<u16, Val<'static>>;

#[derive(Default)]
struct Table {
    /// Changed fields of the world's rows, and all fields of new ones.
    over: HashMap<u32, Row>,
    /// New rows in the order of their numbers.
    new: std::collections::BTreeSet<u32>,
    gone: HashSet<u32>,
    next: u32,
}

/// All objects of one tenant.
pub(super) struct Store {
    pub world: Arc<World>,
    pub objects: Vec<Object>,
    tables: Vec<Table>,
    /// Moves with every change.
    pub version: u64,
}

/// One change of one row, as the journal keeps it: values are in the form that [`value::read`] takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Write {
    pub op: Op,
    pub object: String,
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

impl Store {
    pub fn new(world: Arc<World>) -> Self {
        let tables = (0..OBJECTS)
            .map(|_| Table {
                next: CREATED,
                ..Table::default()
            })
            .collect();
        Store {
            world,
            objects: catalog::objects(),
            tables,
            version: 0,
        }
    }

    pub fn object(&self, id: ObjectId) -> &Object {
        &self.objects[id as usize]
    }

    /// The object of this name, without regard to case (the list of objects says `company`, the samples query `Company`).
    pub fn object_by_name(&self, name: &str) -> Option<&Object> {
        let name = if name.eq_ignore_ascii_case("record_delete_log_high_volume") {
            "record_delete_log"
        } else {
            name
        };
        self.objects
            .iter()
            .find(|object| object.name.eq_ignore_ascii_case(name))
    }

    pub fn exists(&self, id: ObjectId, row: u32) -> bool {
        let (table, object) = (&self.tables[id as usize], self.object(id));
        if table.gone.contains(&row) {
            return false;
        }
        table.new.contains(&row)
            || (row < (object.rows)(&self.world) && (object.visible)(&self.world, row))
    }

    /// All rows, the world's first.
    pub fn rows(&self, id: ObjectId) -> impl Iterator<Item = u32> + '_ {
        let (table, object) = (&self.tables[id as usize], self.object(id));
        let base = (object.rows)(&self.world);
        let seen =
            move |row: &u32| (object.visible)(&self.world, *row) && !table.gone.contains(row);
        (0..base).filter(seen).chain(
            table
                .new
                .iter()
                .copied()
                .filter(|row| !table.gone.contains(row)),
        )
    }

    /// The rows that were created since the world was made, oldest first.
    pub fn new_rows(&self, id: ObjectId) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let table = &self.tables[id as usize];
        let rows = table.new.iter().copied();
        rows.filter(|row| !table.gone.contains(row))
    }

    /// The value of a field.
    pub fn get(&self, id: ObjectId, row: u32, field: u16) -> Val<'_> {
        if field == 0 {
            return Val::Row(id, row);
        }
        let (table, object) = (&self.tables[id as usize], self.object(id));
        if !table.over.is_empty()
            && let Some(value) = table.over.get(&row).and_then(|changed| changed.get(&field))
        {
            return value.clone();
        }
        match object.fields.get(field as usize) {
            Some(field) if row < (object.rows)(&self.world) => (field.read)(&self.world, row),
            _ => Val::Null,
        }
    }

    /// The value of a field by its name in the catalog.
    pub fn named(&self, id: ObjectId, row: u32, name: &str) -> Val<'_> {
        self.object(id)
            .field(name)
            .map_or(Val::Null, |field| self.get(id, row, field))
    }

    /// The row with this GSID.
    pub fn find(&self, id: ObjectId, gsid: &str) -> Option<u32> {
        let (prefix, number) = ids::gainsight_number(gsid)?;
        let row = u32::try_from(number).ok()?;
        (prefix == id.prefix() && self.exists(id, row)).then_some(row)
    }

    /// A number for a row that a client creates.
    pub fn next_row(&mut self, id: ObjectId) -> u32 {
        let table = &mut self.tables[id as usize];
        table.next += 1;
        table.next - 1
    }

    /// The number of a row that a live change creates.
    pub fn live_row(event: u64) -> u32 {
        LIVE + (event % u64::from(LIVE)) as u32
    }

    /// The number of the row for an account and a week: the world's own, or one for live changes.
    pub fn week_row(world: &World, account: u32, week: Date) -> u32 {
        let accounts = world.accounts.len() as i64;
        let weeks = (day_number(week) - day_number(world.week_start(0))).div_euclid(7);
        let place = weeks.saturating_mul(accounts) + i64::from(account);
        let history = WEEKS as i64 * accounts;
        let row = if place < history {
            place.max(0)
        } else {
            i64::from(LIVE) + (place - history) % i64::from(LIVE)
        };
        u32::try_from(row).unwrap_or(LIVE)
    }

    /// Makes a change. Unknown objects and fields are left out: the journal of another version may hold them.
    pub fn apply(&mut self, write: &Write, at: Timestamp) {
        let Some(object) = self.object_by_name(&write.object) else {
            return;
        };
        let id = object.id;
        let row: Row = write
            .values
            .iter()
            .filter_map(|(name, json)| {
                let place = object.field(name)?;
                Some((
                    place,
                    value::read(object.fields[place as usize].kind, json)?,
                ))
            })
            .collect();
        self.change(id, write.row, write.op, row, at);
    }

    /// Makes a change whose values are known to be right, and stamps it.
    pub fn change(&mut self, id: ObjectId, row: u32, op: Op, values: Row, at: Timestamp) {
        self.version += 1;
        let stamp = Val::Ms(at.as_millisecond());
        let (created, modified) = (
            self.object(id).field("CreatedDate"),
            self.object(id).field("ModifiedDate"),
        );
        let closed = self
            .object(id)
            .field("IsClosed")
            .zip(self.object(id).field("ClosedDate"));
        let table = &mut self.tables[id as usize];
        if op == Op::Delete {
            table.gone.insert(row);
            return self.log_delete(id, row, at);
        }
        let over = table.over.entry(row).or_default();
        // Closing without naming the instant closes now.
        let closes = closed.is_some_and(|(is, at)| {
            values.get(&is) == Some(&Val::Bool(true)) && !values.contains_key(&at)
        });
        over.extend(values);
        if let (true, Some((_, at))) = (closes, closed) {
            over.insert(at, stamp.clone());
        }
        if let Some(field) = modified {
            over.insert(field, stamp.clone());
        }
        if op == Op::Create {
            if let Some(field) = created {
                over.insert(field, stamp);
            }
            table.new.insert(row);
            if row >= CREATED {
                table.next = table.next.max(row + 1);
            }
        }
    }

    fn log_delete(&mut self, id: ObjectId, row: u32, at: Timestamp) {
        let stamp = Val::Ms(at.as_millisecond());
        let name = self.object(id).name;
        let gsid = ids::gainsight_id(id.prefix(), u64::from(row));
        let log = self.object(ObjectId::DeleteLog);
        let values = [
            ("RecordId", value::owned(gsid)),
            ("ObjectName", value::text(name)),
            ("DeletedOn", stamp.clone()),
            ("CreatedDate", stamp.clone()),
            ("ModifiedDate", stamp),
        ];
        let values: Row = values
            .into_iter()
            .filter_map(|(name, value)| Some((log.field(name)?, value)))
            .collect();
        let table = &mut self.tables[ObjectId::DeleteLog as usize];
        let row = table.next;
        table.next += 1;
        table.new.insert(row);
        table.over.insert(row, values);
    }

    /// Whether the object has fields that have been changed or rows that have been created (used by tests and counts).
    pub fn count(&self, id: ObjectId) -> usize {
        self.rows(id).count()
    }

    /// The way to a field: `Name`, `csm__gr.email`, `Person_ID__gr.Email`, `StatusId__gr.Name`.
    pub fn path(&self, id: ObjectId, name: &str) -> Option<Path> {
        let mut at = id;
        let mut steps = Vec::new();
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            let object = self.object(at);
            if parts.peek().is_none() {
                let field = object.field(part)?;
                let kind = if field == 0 {
                    Kind::Gsid
                } else {
                    object.fields[field as usize].kind
                };
                return Some(Path {
                    steps,
                    field,
                    kind,
                    item_name: false,
                });
            }
            let stem = part
                .strip_suffix("__gr")
                .or_else(|| part.strip_suffix("__GR"))?;
            // A lookup of an administrator is `Company__gc`; the way through it is `Company__gr` or `Company__gc__gr`.
            let field = object
                .field(stem)
                .or_else(|| object.field(&format!("{stem}__gc")))?;
            match object.fields[field as usize].kind {
                Kind::Lookup(other) => {
                    steps.push(field);
                    at = other;
                }
                Kind::Pick(_) => {
                    let last = parts.next()?;
                    let known = last.eq_ignore_ascii_case("name") && parts.peek().is_none();
                    return known.then_some(Path {
                        steps,
                        field,
                        kind: Kind::Text,
                        item_name: true,
                    });
                }
                _ => return None,
            }
        }
        None
    }

    /// What lies at the end of a path; nothing where a lookup on the way is empty.
    pub fn follow(&self, id: ObjectId, row: u32, path: &Path) -> Val<'_> {
        let (mut id, mut row) = (id, row);
        for step in &path.steps {
            match self.get(id, row, *step) {
                Val::Row(other, place) if self.exists(other, place) => (id, row) = (other, place),
                _ => return Val::Null,
            }
        }
        match self.get(id, row, path.field) {
            Val::Pick(category, item) if path.item_name => {
                value::text(category.items().get(item as usize).copied().unwrap_or(""))
            }
            value => value,
        }
    }
}

/// The way from a row to a value.
#[derive(Debug, Clone)]
pub(super) struct Path {
    steps: Vec<u16>,
    field: u16,
    pub kind: Kind,
    item_name: bool,
}
