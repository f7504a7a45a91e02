//! The portal's rows: those of the world, read where they lie, and on top of them what changed, was created, or was archived
//! since. Row numbers are in the ids: the world's own first, then those of live changes, then those of clients.
//!
//! Search reads through an index that hears of a change a moment later: until then it shows the row as it was before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalog::{self, ALL, CREATED, Field, MODIFIED, OBJECT_ID, Object, ObjectId};
use super::links::{self, Links, Ref};
use super::value::{self, Kind, Val, text};
use super::{pipelines, properties};
use crate::simulate::world::World;

/// Rows that clients create have numbers from here on.
const FIRST_NEW: u32 = 1 << 30;

/// Rows that live changes create: this plus the number of the event.
const LIVE: u32 = 1 << 29;

pub(super) type Row = BTreeMap<u16, Val<'static>>;

/// An earlier value of a property: when it was written, and what it was.
pub(super) type Version = (u16, i64, Val<'static>);

#[derive(Default)]
struct Table {
    /// Changed properties of the world's rows, and all of new ones.
    over: HashMap<u32, Row>,
    new: BTreeSet<u32>,
    /// Archived rows, and when.
    gone: BTreeMap<u32, i64>,
    next: u32,
    /// What the changes wrote, oldest first.
    history: HashMap<u32, Vec<Version>>,
    /// Rows whose last change the index has not heard of: until when, and what they were before (`None`: not there).
    late: HashMap<u32, (Instant, Option<Row>)>,
    /// Unique values that clients wrote.
    unique: HashMap<(u16, String), u32>,
}

/// All objects of one portal.
pub(super) struct Store {
    pub world: Arc<World>,
    pub objects: Vec<Object>,
    tables: Vec<Table>,
    pub links: Links,
    /// Contacts of the world by mail address, made when first asked for.
    mails: OnceLock<HashMap<String, u32>>,
    /// How many properties each object had when the world was made.
    given: Vec<u16>,
    /// How long the index of search takes to hear of a change.
    pub lag: Duration,
    /// Moves with every change.
    pub version: u64,
}

/// One change, as the journal keeps it. Values are the texts that went over the wire.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Write {
    Create {
        object: ObjectId,
        row: u32,
        values: Values,
    },
    Update {
        object: ObjectId,
        row: u32,
        values: Values,
    },
    Archive {
        object: ObjectId,
        row: u32,
    },
    /// From now on the pair has these types of association.
    Link {
        from: Ref,
        to: Ref,
        types: Vec<u16>,
    },
    Property {
        object: ObjectId,
        definition: Value,
    },
    DropProperty {
        object: ObjectId,
        name: String,
    },
}

/// Properties by name; nothing where a property is emptied.
pub(super) type Values = BTreeMap<String, Option<String>>;

impl Store {
    pub fn new(world: Arc<World>) -> Self {
        let tables = ALL
            .iter()
            .map(|_| Table {
                next: FIRST_NEW,
                ..Table::default()
            })
            .collect();
        let objects = catalog::objects(&world);
        Store {
            given: objects
                .iter()
                .map(|object| object.fields.len() as u16)
                .collect(),
            objects,
            links: Links::new(&world),
            world,
            tables,
            mails: OnceLock::new(),
            lag: Duration::ZERO,
            version: 0,
        }
    }

    pub fn object(&self, id: ObjectId) -> &Object {
        &self.objects[id as usize]
    }

    fn table(&self, id: ObjectId) -> &Table {
        &self.tables[id as usize]
    }

    /// The row that a live change creates.
    pub fn live_row(event: u64) -> u32 {
        LIVE + (event as u32 & (LIVE - 1))
    }

    /// The row that the next creation gets; `further` creations are already planned.
    pub fn next_row(&self, id: ObjectId, further: u32) -> u32 {
        self.table(id).next + further
    }

    /// Whether the row is or was there.
    pub fn known(&self, id: ObjectId, row: u32) -> bool {
        let object = self.object(id);
        self.table(id).new.contains(&row)
            || (row < (object.rows)(&self.world) && (object.visible)(&self.world, row))
    }

    pub fn exists(&self, id: ObjectId, row: u32) -> bool {
        self.known(id, row) && !self.table(id).gone.contains_key(&row)
    }

    /// When the row was archived.
    pub fn archived(&self, id: ObjectId, row: u32) -> Option<i64> {
        self.table(id).gone.get(&row).copied()
    }

    /// The rows that are there, from this one on.
    pub fn rows_from(&self, id: ObjectId, from: u32) -> impl Iterator<Item = u32> + '_ {
        let (table, object) = (self.table(id), self.object(id));
        let base = (object.rows)(&self.world);
        (from.min(base)..base)
            .filter(move |row| (object.visible)(&self.world, *row))
            .chain(table.new.range(from..).copied())
            .filter(move |row| table.gone.is_empty() || !table.gone.contains_key(row))
    }

    /// The archived rows, from this one on.
    pub fn archived_from(&self, id: ObjectId, from: u32) -> impl Iterator<Item = u32> + '_ {
        self.table(id).gone.range(from..).map(|(row, _)| *row)
    }

    /// The live row with this id.
    pub fn find(&self, id: ObjectId, text: &str) -> Option<u32> {
        id.row(text).filter(|row| self.exists(id, *row))
    }

    /// The value of a property.
    pub fn get(&self, id: ObjectId, row: u32, field: u16) -> Val<'_> {
        if field == OBJECT_ID {
            return id.id(row).parse().map_or(Val::Null, Val::Num);
        }
        let table = self.table(id);
        if !table.over.is_empty()
            && let Some(value) = table.over.get(&row).and_then(|changed| changed.get(&field))
        {
            return value.clone();
        }
        self.original(id, row, field)
    }

    fn original(&self, id: ObjectId, row: u32, field: u16) -> Val<'_> {
        let object = self.object(id);
        match object.fields.get(field as usize) {
            Some(field) if row < (object.rows)(&self.world) => (field.read)(&self.world, row),
            _ => Val::Null,
        }
    }

    /// The value of a property by its name.
    pub fn named(&self, id: ObjectId, row: u32, name: &str) -> Val<'_> {
        self.object(id)
            .field(name)
            .map_or(Val::Null, |field| self.get(id, row, field))
    }

    /// The value of a property as the index of search has it.
    pub fn indexed(&self, id: ObjectId, row: u32, field: u16) -> Val<'_> {
        let table = self.table(id);
        if field != OBJECT_ID
            && !table.late.is_empty()
            && let Some((until, Some(before))) = table.late.get(&row)
            && *until > Instant::now()
        {
            return match before.get(&field) {
                Some(value) => value.clone(),
                None => self.original(id, row, field),
            };
        }
        self.get(id, row, field)
    }

    /// Whether the index of search has heard of the row.
    pub fn is_indexed(&self, id: ObjectId, row: u32) -> bool {
        !matches!(self.table(id).late.get(&row), Some((until, None)) if *until > Instant::now())
    }

    /// Until when the index is behind, so that what was found is not kept longer.
    pub fn settled(&self, id: ObjectId) -> bool {
        let now = Instant::now();
        self.table(id).late.values().all(|(until, _)| *until <= now)
    }

    /// Values of a property that were written since the world was made, oldest first.
    pub fn history(&self, id: ObjectId, row: u32) -> &[Version] {
        self.table(id).history.get(&row).map_or(&[], Vec::as_slice)
    }

    /// The row that has this value of a unique property.
    pub fn by_unique(&self, id: ObjectId, field: u16, value: &str) -> Option<u32> {
        if field == OBJECT_ID {
            return self.find(id, value);
        }
        let wanted = value.trim().to_lowercase();
        let definition = self.object(id).fields.get(field as usize)?;
        let of_world = || match definition.find {
            Some(find) => find(&self.world, value.trim()),
            None if id == ObjectId::Contact && definition.name == "email" => {
                self.mails().get(&wanted).copied()
            }
            None => None,
        };
        let row = self
            .table(id)
            .unique
            .get(&(field, wanted.clone()))
            .copied()
            .filter(|row| self.exists(id, *row))
            .or_else(of_world)?;
        let current = self.get(id, row, field);
        let same = current
            .shown()
            .is_some_and(|text| text.to_lowercase() == wanted);
        (same && self.exists(id, row)).then_some(row)
    }

    fn mails(&self) -> &HashMap<String, u32> {
        self.mails.get_or_init(|| {
            let object = self.object(ObjectId::Contact);
            let mut mails = HashMap::new();
            for (row, contact) in self.world.contacts.iter().enumerate() {
                if !contact.email.is_empty() && (object.visible)(&self.world, row as u32) {
                    mails
                        .entry(contact.email.to_lowercase())
                        .or_insert(row as u32);
                }
            }
            mails
        })
    }

    /// The records of `to` that a record is associated with and that are there.
    pub fn linked(&self, from: Ref, to: ObjectId) -> Vec<(u32, Vec<u16>)> {
        let mut found = self.links.of(&self.world, from, to);
        found.retain(|(row, _)| self.exists(to, *row));
        found
    }

    /// Makes a change that was journaled.
    pub fn apply(&mut self, write: &Write, at: Timestamp) {
        match write {
            Write::Create {
                object,
                row,
                values,
            } => {
                let values = self.read(*object, values);
                self.create(*object, *row, values, at);
            }
            Write::Update {
                object,
                row,
                values,
            } => {
                let values = self.read(*object, values);
                self.update(*object, *row, values, at);
            }
            Write::Archive { object, row } => {
                self.version += 1;
                let table = &mut self.tables[*object as usize];
                table.gone.insert(*row, at.as_millisecond());
            }
            Write::Link { from, to, types } => {
                self.version += 1;
                self.links.set(*from, *to, types);
                self.note_company(*from, *to, types);
                let back = self.links.between(&self.world, *to, *from);
                self.note_company(*to, *from, &back);
            }
            Write::Property { object, definition } => {
                if let Ok(field) = properties::read(definition) {
                    self.version += 1;
                    self.objects[*object as usize].add(field);
                }
            }
            Write::DropProperty { object, name } => {
                self.version += 1;
                self.objects[*object as usize].drop_field(name);
            }
        }
    }

    /// A contact shows its primary company as a property too; an association does not move the stamp of the last change.
    fn note_company(&mut self, from: Ref, to: Ref, types: &[u16]) {
        if (from.0, to.0) != (ObjectId::Contact, ObjectId::Company) {
            return;
        }
        let Some(field) = self.object(from.0).field("associatedcompanyid") else {
            return;
        };
        let company = ObjectId::Company
            .id(to.1)
            .parse()
            .map_or(Val::Null, Val::Num);
        let value = if links::first(from.0, to.0).is_some_and(|first| types.contains(&first)) {
            company
        } else if types.is_empty() && self.get(from.0, from.1, field) == company {
            Val::Null
        } else {
            return;
        };
        let over = &mut self.tables[from.0 as usize].over;
        over.entry(from.1).or_default().insert(field, value);
    }

    fn read(&self, id: ObjectId, values: &Values) -> Row {
        let object = self.object(id);
        values
            .iter()
            .filter_map(|(name, text)| {
                let field = object.field(name)?;
                let kind = object.fields[field as usize].kind;
                let value = value::read(kind, text.as_deref().unwrap_or("")).ok()?;
                Some((field, value))
            })
            .collect()
    }

    /// Adds a row.
    pub fn create(&mut self, id: ObjectId, row: u32, mut values: Row, at: Timestamp) {
        let table = &mut self.tables[id as usize];
        if row >= FIRST_NEW {
            table.next = table.next.max(row + 1);
        }
        if !table.new.insert(row) {
            return;
        }
        values.insert(CREATED, Val::Ms(at.as_millisecond()));
        self.change(id, row, values, at, None);
    }

    /// Changes properties of a row that is there; what is as it was already is no change.
    pub fn update(&mut self, id: ObjectId, row: u32, mut values: Row, at: Timestamp) {
        if !self.exists(id, row) {
            return;
        }
        values.retain(|field, value| self.get(id, row, *field) != *value);
        if values.is_empty() {
            return;
        }
        let before = self.table(id).over.get(&row).cloned().unwrap_or_default();
        self.change(id, row, values, at, Some(before));
    }

    fn change(
        &mut self,
        id: ObjectId,
        row: u32,
        mut values: Row,
        at: Timestamp,
        before: Option<Row>,
    ) {
        self.version += 1;
        self.derive(id, &mut values, at);
        values.insert(MODIFIED, Val::Ms(at.as_millisecond()));
        let unique: Vec<(u16, String)> = values
            .iter()
            .filter(|(field, _)| {
                let definition = self.object(id).fields.get(**field as usize);
                definition.is_some_and(|definition| definition.unique)
            })
            .filter_map(|(field, value)| Some((*field, value.shown()?.to_lowercase())))
            .collect();
        let lag = self.lag;
        let table = &mut self.tables[id as usize];
        for key in unique {
            table.unique.insert(key, row);
        }
        let now = Instant::now();
        table.late.retain(|_, (until, _)| *until > now);
        if !lag.is_zero() {
            let entry = table.late.entry(row).or_insert((now, before));
            entry.0 = now + lag;
        }
        let history = table.history.entry(row).or_default();
        for (field, value) in &values {
            history.push((*field, at.as_millisecond(), value.clone()));
        }
        table.over.entry(row).or_default().extend(values);
    }

    /// What the vendor works out from what was written.
    fn derive(&self, id: ObjectId, values: &mut Row, at: Timestamp) {
        let object = self.object(id);
        let mut derived: Vec<(&str, Val<'static>)> = Vec::new();
        let written = |name: &str| {
            let value = values.get(&object.field(name)?)?;
            Some(value.shown().unwrap_or_default().into_owned())
        };
        match id {
            ObjectId::Deal => {
                let stage = written("dealstage").and_then(|stage| pipelines::outcome(id, &stage));
                if let Some((closed, probability)) = stage {
                    derived.push(("hs_is_closed", Val::Bool(closed)));
                    derived.push(("hs_is_closed_won", Val::Bool(closed && probability > 0.5)));
                    derived.push(("hs_deal_stage_probability", Val::Num(probability)));
                }
            }
            ObjectId::Ticket => {
                let stage =
                    written("hs_pipeline_stage").and_then(|stage| pipelines::outcome(id, &stage));
                if let Some((closed, _)) = stage {
                    let when = if closed {
                        Val::Ms(at.as_millisecond())
                    } else {
                        Val::Null
                    };
                    derived.push(("closed_date", when));
                }
            }
            ObjectId::Task => {
                if let Some(state) = written("hs_task_status") {
                    let when = if state == "COMPLETED" {
                        Val::Ms(at.as_millisecond())
                    } else {
                        Val::Null
                    };
                    derived.push(("hs_task_completion_date", when));
                }
            }
            _ => {}
        }
        for (name, value) in derived {
            if let Some(field) = object.field(name) {
                values.entry(field).or_insert(value);
            }
        }
    }

    /// The properties of a live change by name.
    pub fn values<const N: usize>(&self, id: ObjectId, values: [(&str, Val<'static>); N]) -> Row {
        values
            .into_iter()
            .filter_map(|(name, value)| Some((self.object(id).field(name)?, value)))
            .collect()
    }

    /// A record that has no primary company yet takes the first one as that.
    pub fn default_types(&self, from: Ref, to: Ref) -> Vec<u16> {
        let mut ids: Vec<u16> = links::plain(from.0, to.0).into_iter().collect();
        if to.0 == ObjectId::Company
            && let Some(first) = links::first(from.0, to.0)
            && !self
                .linked(from, to.0)
                .iter()
                .any(|(row, ids)| *row != to.1 && ids.contains(&first))
        {
            ids.insert(0, first);
        }
        ids
    }

    /// How many properties the object had when the world was made.
    pub fn given_fields(&self, id: ObjectId) -> u16 {
        self.given.get(id as usize).copied().unwrap_or_default()
    }

    /// How many rows are there.
    pub fn count(&self, id: ObjectId) -> usize {
        self.rows_from(id, 0).count()
    }

    /// The definition of a property.
    pub fn definition(&self, id: ObjectId, field: u16) -> Option<&Field> {
        self.object(id).fields.get(field as usize)
    }
}

/// A text value for a live change.
pub(super) fn word(word: &'static str) -> Val<'static> {
    text(word)
}

/// Whether a property is compared as a number.
pub(super) fn measured(kind: Kind) -> bool {
    matches!(kind, Kind::Number | Kind::Date | Kind::DateTime)
}
