//! Sorting rows by any fields.

use crate::book::registry::{self, Cell, FieldRef, Scope, Type};
use crate::book::{Entity, fold};

/// One field to sort by.
#[derive(Clone, Copy, Debug)]
pub struct SortKey {
    /// The field.
    pub field: FieldRef,
    /// The greatest first.
    pub descending: bool,
}

/// Reads `-arr,name`. Errors name the field that is not there, and the nearest one.
pub fn sort_keys(entity: Entity, text: &str) -> Result<Vec<SortKey>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(|t| {
            let (descending, name) = match t.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, t.strip_prefix('+').unwrap_or(t)),
            };
            let field = registry::find(entity, name).ok_or_else(|| {
                let names = registry::fields(entity).iter().map(|f| f.name);
                match registry::nearest(name, names) {
                    Some(n) => format!("{entity}s have no field `{name}`; did you mean `{n}`?"),
                    None => format!("{entity}s have no field `{name}` to sort by"),
                }
            })?;
            Ok(SortKey { field, descending })
        })
        .collect()
}

/// The order that a list has by itself: the queue by urgency, renewals and tasks by their day, risks by priority, the rest by name.
pub fn default_keys(entity: Entity, queue: bool) -> Vec<SortKey> {
    let text = match (entity, queue) {
        (Entity::Account, true) => "-urgency,-arr,name",
        (Entity::Renewal, _) => "due,-amount",
        (Entity::Task, _) => "due,priority,title",
        (Entity::Escalation, _) => "priority,opened",
        _ => "name",
    };
    sort_keys(entity, text).unwrap_or_default()
}

/// Sorts rows in place. Missing values come last in either direction; what is equal stands in the order of its id.
pub fn order(scope: &Scope<'_>, entity: Entity, rows: &mut [u32], keys: &[SortKey]) {
    let mut keyed: Vec<(u64, u32)> = rows.iter().map(|r| (0, *r)).collect();
    sort(scope, entity, &mut keyed, keys, 0);
    for (slot, (_, row)) in rows.iter_mut().zip(keyed) {
        *slot = row;
    }
}

/// Bytes of a text that one pass compares.
const STRIDE: usize = 8;
/// Texts that are equal so far count as equal: nobody sees the difference in a column.
const FAR_ENOUGH: usize = 32 * STRIDE;

/// Sorts by the first key, then each run of equal rows by what follows: more of the same text, the next key, at last the id. Reading a
/// row's field costs more than comparing, so each pass reads it once.
fn sort(
    scope: &Scope<'_>,
    entity: Entity,
    rows: &mut [(u64, u32)],
    keys: &[SortKey],
    offset: usize,
) {
    let Some((key, rest)) = keys.split_first() else {
        rows.sort_unstable_by_key(|(_, row)| scope.book.id_of(entity, *row));
        return;
    };
    for (rank, row) in rows.iter_mut() {
        *rank = rank_of(scope, key, *row, offset);
    }
    rows.sort_unstable_by_key(|(rank, _)| *rank);
    let is_text = matches!(
        key.field.field.ty,
        Type::Text | Type::Word | Type::List | Type::Person
    );
    for run in rows.chunk_by_mut(|a, b| a.0 == b.0).filter(|r| r.len() > 1) {
        let missing = run[0].0 == u64::MAX;
        if is_text && !missing && offset < FAR_ENOUGH && goes_on(run[0].0, key) {
            sort(scope, entity, run, keys, offset + STRIDE);
        } else {
            sort(scope, entity, run, rest, 0);
        }
    }
}

/// Whether texts of that rank have bytes beyond the ones compared.
fn goes_on(rank: u64, key: &SortKey) -> bool {
    directed(rank, key) & 0xff != 0
}

/// The rank as it counts in the key's direction; its own inverse. Never `u64::MAX`, which is for what is missing.
fn directed(rank: u64, key: &SortKey) -> u64 {
    let rank = rank.min(u64::MAX - 1);
    if key.descending {
        u64::MAX - 1 - rank
    } else {
        rank
    }
}

/// A number that sorts as the value does (of texts: as the bytes from the offset on); missing is the greatest.
fn rank_of(scope: &Scope<'_>, key: &SortKey, row: u32, offset: usize) -> u64 {
    let cell = key.field.read(scope, row);
    let rank = match cell {
        _ if cell.is_none() => return u64::MAX,
        // Without a rate it cannot be compared.
        Cell::None | Cell::Money(_, None) => return u64::MAX,
        Cell::Number(n) => float(n),
        Cell::Money(_, Some(m)) => signed(m),
        Cell::Day(d) => signed(i64::from(d.0)),
        Cell::Instant(t) => signed(t.as_microsecond()),
        Cell::Bool(b) => u64::from(b),
        Cell::Text(t) => {
            let words = key.field.field.words;
            match words.iter().position(|w| w.eq_ignore_ascii_case(t)) {
                // Ends here: the same word has nothing more to compare.
                Some(n) => (n as u64) << 8,
                None => bytes(t, offset),
            }
        }
        Cell::Person(p) => bytes(p.name(), offset),
        Cell::List(l) => bytes(l.first().map_or("", |t| t), offset),
    };
    directed(rank, key)
}

fn float(n: f64) -> u64 {
    let bits = n.to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    }
}

fn signed(n: i64) -> u64 {
    (n as u64) ^ (1 << 63)
}

/// Eight bytes of the folded text from the offset on.
fn bytes(text: &str, offset: usize) -> u64 {
    fn take(text: &[u8], offset: usize) -> u64 {
        let mut eight = [0; STRIDE];
        for (slot, b) in eight.iter_mut().zip(text.iter().skip(offset)) {
            *slot = b.to_ascii_lowercase();
        }
        u64::from_be_bytes(eight)
    }
    let rank = if text.is_ascii() {
        take(text.as_bytes(), offset)
    } else {
        take(fold(text).as_bytes(), offset)
    };
    // Behind the few words that have an order of their own.
    if offset == 0 { rank.max(1 << 32) } else { rank }
}
