//! Sorting rows by any fields.

use crate::book::nearest::nearest;
use crate::book::registry::{self, Cell, FieldRef, Scope, Type, account_row};
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
                match nearest(name, names) {
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
    let names = name_ranks(scope, rows.len(), keys);
    let sorter = Sorter {
        scope,
        entity,
        names,
    };
    let mut keyed: Vec<(u64, u32)> = rows.iter().map(|r| (0, *r)).collect();
    sorter.sort(&mut keyed, keys, 0, threads());
    for (slot, (_, row)) in rows.iter_mut().zip(keyed) {
        *slot = row;
    }
}

/// The order of the accounts' names, if the Book has it or if so much of it is wanted that it pays to make it.
fn name_ranks<'a>(scope: &Scope<'a>, rows: usize, keys: &[SortKey]) -> Option<&'a [u32]> {
    let book = scope.book;
    let wanted = keys.first().is_some_and(is_account_name);
    if !wanted || rows < MANY || rows * 4 < book.count(Entity::Account) {
        return book.known_name_ranks();
    }
    Some(book.name_ranks(|| ranks_of_names(scope)))
}

/// Whether a key is the name of an account, of whatever kind the rows are.
fn is_account_name(key: &SortKey) -> bool {
    (key.field.of_account || key.field.entity == Entity::Account) && key.field.field.name == "name"
}

/// The place of each account's name among all, from 1; equal names have equal places, 0 is for those without a name.
fn ranks_of_names(scope: &Scope<'_>) -> Vec<u32> {
    let book = scope.book;
    let bound = book.bound(Entity::Account);
    let mut keyed: Vec<(u64, u32)> = (0..bound).map(|r| (0, r)).collect();
    let Ok(keys) = sort_keys(Entity::Account, "name") else {
        return Vec::new();
    };
    let sorter = Sorter {
        scope,
        entity: Entity::Account,
        names: None,
    };
    sorter.sort(&mut keyed, &keys, 0, threads());
    let mut ranks = vec![0; bound as usize];
    let mut rank = 0;
    let mut last = "";
    for (_, row) in keyed {
        let name = book.account(row).name();
        if name.is_empty() {
            continue;
        }
        if !same_text(last, name) {
            rank += 1;
        }
        last = name;
        ranks[row as usize] = rank;
    }
    ranks
}

fn same_text(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        a.eq_ignore_ascii_case(b)
    } else {
        fold(a) == fold(b)
    }
}

/// Fewer rows than this are not worth a thread, nor an order of all names.
const MANY: usize = 50_000;

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(8))
}

/// Bytes of a text that one pass compares.
const STRIDE: usize = 8;
/// Texts that are equal so far count as equal: nobody sees the difference in a column.
const FAR_ENOUGH: usize = 32 * STRIDE;

/// What sorting needs to know.
#[derive(Clone, Copy)]
struct Sorter<'a, 's> {
    scope: &'a Scope<'s>,
    entity: Entity,
    /// The order of the accounts' names, if it is known.
    names: Option<&'a [u32]>,
}

impl Sorter<'_, '_> {
    /// Sorts by the first key, then each run of equal rows by what follows: more of the same text, the next key, at last the id. Reading
    /// a row's field costs more than comparing, so each pass reads it once.
    fn sort(&self, rows: &mut [(u64, u32)], keys: &[SortKey], offset: usize, threads: usize) {
        let Some(key) = keys.first() else {
            rows.sort_unstable_by_key(|(_, row)| self.scope.book.id_of(self.entity, *row));
            return;
        };
        let threads = if rows.len() < MANY { 1 } else { threads };
        let rank = |part: &mut [(u64, u32)]| {
            for (rank, row) in part.iter_mut() {
                *rank = self.rank_of(key, *row, offset);
            }
        };
        if threads == 1 {
            rank(rows);
        } else {
            std::thread::scope(|s| {
                for part in rows.chunks_mut(rows.len().div_ceil(threads)) {
                    s.spawn(move || rank(part));
                }
            });
        }
        rows.sort_unstable_by_key(|(rank, _)| *rank);
        if threads == 1 {
            return self.runs(rows, keys, offset);
        }
        let share = rows.len().div_ceil(threads);
        std::thread::scope(|s| {
            let mut rest = rows;
            while !rest.is_empty() {
                let mut end = share.min(rest.len());
                // A run is sorted as a whole.
                while end < rest.len() && rest[end].0 == rest[end - 1].0 {
                    end += 1;
                }
                let (part, after) = rest.split_at_mut(end);
                s.spawn(move || self.runs(part, keys, offset));
                rest = after;
            }
        });
    }

    /// Sorts each run of rows that are equal so far by what follows.
    fn runs(&self, rows: &mut [(u64, u32)], keys: &[SortKey], offset: usize) {
        let Some((key, rest)) = keys.split_first() else {
            return;
        };
        let is_text = matches!(
            key.field.field.ty,
            Type::Text | Type::Word | Type::List | Type::Person
        );
        for run in rows.chunk_by_mut(|a, b| a.0 == b.0).filter(|r| r.len() > 1) {
            let missing = run[0].0 == u64::MAX;
            if is_text && !missing && offset < FAR_ENOUGH && goes_on(run[0].0, key) {
                self.sort(run, keys, offset + STRIDE, 1);
            } else {
                self.sort(run, rest, 0, 1);
            }
        }
    }

    /// A number that sorts as the value does (of texts: as the bytes from the offset on); missing is the greatest.
    fn rank_of(&self, key: &SortKey, row: u32, offset: usize) -> u64 {
        if let Some(names) = self.names
            && is_account_name(key)
        {
            let account = account_row(self.scope.book, self.entity, row);
            // Ends here: equal places are equal names.
            return match account.and_then(|a| names.get(a as usize)) {
                Some(place @ 1..) => directed(u64::from(*place) << 8, key),
                _ => u64::MAX,
            };
        }
        let cell = key.field.read(self.scope, row);
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
            Cell::Words(w) => bytes(w.iter().next().unwrap_or(""), offset),
        };
        directed(rank, key)
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
