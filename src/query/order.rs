//! Sorting rows by any fields.

use crate::book::registry::{self, Cell, FieldRef, Scope};
use crate::book::{Entity, fold};
use std::cmp::Ordering;

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
    let Some((first, rest)) = keys.split_first() else {
        return;
    };
    let mut keyed: Vec<(u64, u32)> = rows.iter().map(|r| (rank(scope, first, *r), *r)).collect();
    let by_text = |key: &SortKey| {
        matches!(
            key.field.field.ty,
            registry::Type::Text
                | registry::Type::Word
                | registry::Type::List
                | registry::Type::Person
        )
    };
    keyed.sort_unstable_by(|(x, a), (y, b)| {
        x.cmp(y)
            .then_with(|| {
                // The rank of a text is its beginning only.
                if by_text(first) {
                    texts(scope, first, *a, *b)
                } else {
                    Ordering::Equal
                }
            })
            .then_with(|| {
                rest.iter()
                    .map(|key| {
                        rank(scope, key, *a)
                            .cmp(&rank(scope, key, *b))
                            .then_with(|| {
                                if by_text(key) {
                                    texts(scope, key, *a, *b)
                                } else {
                                    Ordering::Equal
                                }
                            })
                    })
                    .find(|o| o.is_ne())
                    .unwrap_or(Ordering::Equal)
            })
            .then_with(|| {
                scope
                    .book
                    .id_of(entity, *a)
                    .cmp(&scope.book.id_of(entity, *b))
            })
    });
    for (slot, (_, row)) in rows.iter_mut().zip(keyed) {
        *slot = row;
    }
}

/// A number that sorts as the value does; missing is the greatest.
fn rank(scope: &Scope<'_>, key: &SortKey, row: u32) -> u64 {
    let cell = key.field.read(scope, row);
    let rank = match cell {
        _ if cell.is_none() => return u64::MAX,
        Cell::None => return u64::MAX,
        Cell::Number(n) => float(n),
        // Without a rate it cannot be compared.
        Cell::Money(_, None) => return u64::MAX,
        Cell::Money(_, Some(m)) => signed(m),
        Cell::Day(d) => signed(i64::from(d.0)),
        Cell::Instant(t) => signed(t.as_microsecond()),
        Cell::Bool(b) => u64::from(b),
        Cell::Text(t) => {
            let words = key.field.field.words;
            match words.iter().position(|w| w.eq_ignore_ascii_case(t)) {
                Some(n) => n as u64,
                None => beginning(t),
            }
        }
        Cell::Person(p) => beginning(p.name()),
        Cell::List(l) => beginning(l.first().map_or("", |t| t)),
    };
    // Never u64::MAX, which is for what is missing.
    let rank = rank.min(u64::MAX - 1);
    if key.descending {
        u64::MAX - 1 - rank
    } else {
        rank
    }
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

/// The first eight bytes of the folded text.
fn beginning(text: &str) -> u64 {
    let mut bytes = [0; 8];
    if text.is_ascii() {
        for (slot, b) in bytes.iter_mut().zip(text.bytes()) {
            *slot = b.to_ascii_lowercase();
        }
    } else {
        for (slot, b) in bytes.iter_mut().zip(fold(text).bytes()) {
            *slot = b;
        }
    }
    // Behind the few words that have an order of their own.
    u64::from_be_bytes(bytes).max(256)
}

fn texts(scope: &Scope<'_>, key: &SortKey, a: u32, b: u32) -> Ordering {
    fn of<'a>(cell: Cell<'a>) -> &'a str {
        match cell {
            Cell::Text(t) => t,
            Cell::Person(p) => p.name(),
            Cell::List(l) => l.first().map_or("", |t| t),
            _ => "",
        }
    }
    let (x, y) = (of(key.field.read(scope, a)), of(key.field.read(scope, b)));
    let o = if std::ptr::eq(x, y) {
        Ordering::Equal
    } else if x.is_ascii() && y.is_ascii() {
        let lower = |s: &'_ str| {
            s.bytes()
                .map(|b| b.to_ascii_lowercase())
                .collect::<Vec<u8>>()
        };
        lower(x).cmp(&lower(y))
    } else {
        fold(x).cmp(&fold(y))
    };
    if key.descending { o.reverse() } else { o }
}
