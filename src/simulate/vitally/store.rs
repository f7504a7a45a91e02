//! The tenant's rows: those of the world, read where they lie, and on top of them what changed, was created, or was deleted
//! since. Two orders are kept for each table, by creation and by last change, from the first list on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::catalog::{self, ALL, Table, iso};
use crate::simulate::world::{Lifecycle, World};

/// Rows that clients create have numbers from here on.
const FIRST_NEW: u32 = 1 << 30;

/// Rows that live changes create: this plus the number of the event.
const LIVE: u32 = 1 << 29;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Order {
    Updated,
    Created,
}

/// A place in a list: the stamp and the row.
pub(super) type Place = (i64, u32);

#[derive(Default)]
struct Rows {
    /// Changed fields of the world's rows, and all of new ones.
    over: HashMap<u32, Map<String, Value>>,
    /// When a row was created (new ones) and last changed.
    stamps: HashMap<u32, (i64, i64)>,
    new: BTreeSet<u32>,
    gone: HashSet<u32>,
    next: u32,
    external: HashMap<String, u32>,
}

/// All tables of one tenant.
pub(super) struct Store {
    pub world: Arc<World>,
    tables: Vec<Rows>,
    /// Parents that have children: organizations, by the row of the parent.
    parents: HashSet<u32>,
    orders: Mutex<HashMap<(Table, Order), BTreeSet<Place>>>,
    /// New rows by the account they belong to.
    under: BTreeMap<(Table, u32), Vec<u32>>,
}

/// One change of one row, as the journal keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Write {
    pub op: Op,
    pub table: Table,
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
        let tables = ALL
            .iter()
            .map(|_| Rows {
                next: FIRST_NEW,
                ..Rows::default()
            })
            .collect();
        let parents = world.accounts.iter().filter_map(|row| row.parent).collect();
        Store {
            world,
            tables,
            parents,
            orders: Mutex::new(HashMap::new()),
            under: BTreeMap::new(),
        }
    }

    /// The row that a live change creates.
    pub fn live_row(event: u64) -> u32 {
        LIVE + (event as u32 & (LIVE - 1))
    }

    pub fn next_row(&self, table: Table) -> u32 {
        self.tables[table as usize].next
    }

    fn shown(&self, table: Table, row: u32) -> bool {
        row < table.rows(&self.world)
            && table.visible(&self.world, row)
            && (table != Table::Organization || self.parents.contains(&row))
    }

    pub fn exists(&self, table: Table, row: u32) -> bool {
        let rows = &self.tables[table as usize];
        !rows.gone.contains(&row) && (rows.new.contains(&row) || self.shown(table, row))
    }

    /// All rows, the world's first.
    pub fn rows(&self, table: Table) -> impl Iterator<Item = u32> + '_ {
        let rows = &self.tables[table as usize];
        (0..table.rows(&self.world))
            .filter(move |row| self.shown(table, *row))
            .chain(rows.new.iter().copied())
            .filter(move |row| !rows.gone.contains(row))
    }

    /// When a row was created and last changed.
    pub fn stamps(&self, table: Table, row: u32) -> (i64, i64) {
        let known = self.tables[table as usize].stamps.get(&row);
        known
            .copied()
            .unwrap_or_else(|| table.stamps(&self.world, row))
    }

    /// The row with this id, or with this external id.
    pub fn find(&self, table: Table, id: &str) -> Option<u32> {
        let by_external = || {
            let known = self.tables[table as usize].external.get(id).copied();
            known.or_else(|| {
                let number = match table {
                    Table::Account => id.strip_prefix("CUST-"),
                    Table::User => id.strip_prefix("USER-"),
                    Table::Organization => id.strip_prefix("GROUP-"),
                    _ => None,
                };
                number?.parse().ok()
            })
        };
        table
            .row(id)
            .or_else(by_external)
            .filter(|row| self.exists(table, *row))
    }

    /// The organization that an account belongs to.
    pub fn organization(&self, account: u32) -> Option<u32> {
        if self.parents.contains(&account) {
            return Some(account).filter(|row| self.exists(Table::Organization, *row));
        }
        let parent = self.world.accounts.get(account as usize)?.parent?;
        self.exists(Table::Organization, parent).then_some(parent)
    }

    /// The whole record.
    pub fn record(&self, table: Table, row: u32) -> Map<String, Value> {
        let mut record = if row < table.rows(&self.world) {
            let organization = match table {
                Table::Account => self.organization(row),
                _ => None,
            };
            catalog::record(table, &self.world, row, organization)
        } else {
            Map::new()
        };
        if let Some(over) = self.tables[table as usize].over.get(&row) {
            merge(&mut record, over);
        }
        let (created, updated) = self.stamps(table, row);
        record.insert("id".into(), json!(table.id(row)));
        record.insert("createdAt".into(), iso(created));
        record.insert("updatedAt".into(), iso(updated));
        record
    }

    /// Whether a customer left, without making the whole record.
    pub fn churned(&self, account: u32) -> bool {
        let over = self.tables[Table::Account as usize].over.get(&account);
        match over.and_then(|over| over.get("churnedAt")) {
            Some(at) => !at.is_null(),
            None => self
                .world
                .accounts
                .get(account as usize)
                .is_some_and(|row| row.lifecycle == Lifecycle::Churned),
        }
    }

    /// The rows that belong to an account, newest change or creation first.
    pub fn of_account(&self, table: Table, account: u32, order: Order) -> Vec<Place> {
        let rows = table.rows(&self.world);
        // Rows of an account lie together.
        let bound = |over: bool| {
            let (mut low, mut high) = (0, rows);
            while low < high {
                let middle = low + (high - low) / 2;
                let of = table.account(&self.world, middle).unwrap_or(u32::MAX);
                if of < account || (over && of == account) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low
        };
        let new = self.under.get(&(table, account)).into_iter().flatten();
        let mut found: Vec<Place> = (bound(false)..bound(true))
            .chain(new.copied())
            .filter(|row| self.exists(table, *row))
            .map(|row| (self.stamp(table, row, order), row))
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found
    }

    fn stamp(&self, table: Table, row: u32, order: Order) -> i64 {
        let (created, updated) = self.stamps(table, row);
        match order {
            Order::Created => created,
            Order::Updated => updated,
        }
    }

    /// The next places of a list after this one, newest first. A row that changes moves to the front: who is in the middle of
    /// a list by last change does not meet it again.
    pub fn page(
        &self,
        table: Table,
        order: Order,
        after: Option<Place>,
        limit: usize,
        wanted: impl Fn(u32) -> bool,
    ) -> Vec<Place> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let order = orders.entry((table, order)).or_insert_with(|| {
            self.rows(table)
                .map(|row| (self.stamp(table, row, order), row))
                .collect()
        });
        let end = after.unwrap_or((i64::MAX, u32::MAX));
        order
            .range(..end)
            .rev()
            .filter(|(_, row)| wanted(*row))
            .take(limit)
            .copied()
            .collect()
    }

    pub fn count(&self, table: Table) -> usize {
        self.rows(table).count()
    }

    /// Makes a change that was journaled.
    pub fn apply(&mut self, write: &Write, at: Timestamp) {
        self.change(
            write.op,
            write.table,
            write.row,
            write.values.clone(),
            at.as_millisecond(),
        );
    }

    /// Changes one row.
    pub fn change(&mut self, op: Op, table: Table, row: u32, values: Map<String, Value>, at: i64) {
        if op == Op::Create && self.tables[table as usize].new.contains(&row) {
            return;
        }
        if op != Op::Create && !self.exists(table, row) {
            return;
        }
        let old = self.stamps(table, row);
        let new = match op {
            Op::Create => (at, at),
            Op::Update | Op::Delete => (old.0, at),
        };
        let rows = &mut self.tables[table as usize];
        match op {
            Op::Create => {
                if row >= FIRST_NEW {
                    rows.next = rows.next.max(row + 1);
                }
                rows.new.insert(row);
                if let Some(external) = values.get("externalId").and_then(Value::as_str) {
                    rows.external.insert(external.to_owned(), row);
                }
                let account = values
                    .get("accountId")
                    .and_then(Value::as_str)
                    .and_then(|id| Table::Account.row(id));
                if let Some(account) = account {
                    self.under.entry((table, account)).or_default().push(row);
                }
            }
            Op::Delete => drop(rows.gone.insert(row)),
            Op::Update => {}
        }
        let rows = &mut self.tables[table as usize];
        rows.stamps.insert(row, new);
        merge(rows.over.entry(row).or_default(), &values);
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        for (order, old, new) in [
            (Order::Created, old.0, new.0),
            (Order::Updated, old.1, new.1),
        ] {
            if let Some(order) = orders.get_mut(&(table, order)) {
                order.remove(&(old, row));
                if op != Op::Delete {
                    order.insert((new, row));
                }
            }
        }
    }
}

/// Lays changed fields over a record; traits are laid over each other one by one, and a trait set to nothing is empty.
fn merge(record: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (name, value) in over {
        match (record.get_mut(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) if name == "traits" => {
                for (name, value) in new {
                    old.insert(name.clone(), value.clone());
                }
            }
            _ => drop(record.insert(name.clone(), value.clone())),
        }
    }
}
