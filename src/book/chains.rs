//! Records of one kind in one column, each a few bytes, those of an account chained: for rows of which there are very many.

use super::column::{Col, IdMap};
use super::id::LocalId;

/// The flag of a record that is there.
pub(super) const ALIVE: u8 = 1;

/// What both kinds of record have.
pub(super) trait Chained: Copy + Default + PartialEq {
    fn links(&mut self) -> Links<'_>;
}

/// Their common parts.
pub(super) struct Links<'a> {
    pub id: &'a mut u32,
    pub account: &'a mut u32,
    pub next: &'a mut u32,
    /// The lowest bit: it is there.
    pub flags: &'a mut u8,
}

/// Records of one kind, those of an account chained.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains<T> {
    rows: Col<T>,
    /// The account's newest one.
    head: IdMap,
    of_id: IdMap,
    len: u32,
    /// How many there are.
    pub live: u32,
}

impl<T: Chained> Chains<T> {
    fn alive(&self, row: u32) -> bool {
        *self.rows.get(row).links().flags & ALIVE != 0
    }
    /// Puts a record in its place, under its account.
    pub fn enter(&mut self, mut record: T) {
        let id = *record.links().id;
        let row = self.of_id.get(id).unwrap_or_else(|| {
            self.len += 1;
            self.of_id.set(id, Some(self.len - 1));
            self.len - 1
        });
        let mut before = self.rows.get(row);
        let was = before.links();
        let stays = *was.flags & ALIVE != 0 && *was.account == *record.links().account;
        let next = *was.next;
        if !stays {
            self.leave(id);
            self.live += 1;
            let account = *record.links().account;
            *record.links().next = self.head.get(account).map_or(0, |r| r + 1);
            self.head.set(account, Some(row));
        } else {
            *record.links().next = next;
        }
        *record.links().flags |= ALIVE;
        self.rows.set(row, record);
    }
    /// Takes the record of an id away; its place is taken again should it come back. The account that it was of.
    pub fn leave(&mut self, id: u32) -> Option<LocalId> {
        let row = self.of_id.get(id).filter(|r| self.alive(*r))?;
        let mut record = self.rows.get(row);
        let gone = record.links();
        let (account, after) = (*gone.account, *gone.next);
        if self.head.get(account) == Some(row) {
            self.head.set(account, after.checked_sub(1));
        } else {
            let mut at = self.head.get(account);
            while let Some(r) = at {
                let mut one = self.rows.get(r);
                let next = *one.links().next;
                if next == row + 1 {
                    *one.links().next = after;
                    self.rows.set(r, one);
                    break;
                }
                at = next.checked_sub(1);
            }
        }
        self.live -= 1;
        self.rows.set(row, T::default());
        Some(LocalId(account))
    }
    /// The account of an id's record.
    pub fn account(&self, id: u32) -> Option<LocalId> {
        let row = self.of_id.get(id).filter(|r| self.alive(*r))?;
        Some(LocalId(*self.rows.get(row).links().account))
    }
    /// The records of an account, the newest entered first.
    pub fn of(&self, account: LocalId) -> impl Iterator<Item = T> + '_ {
        let mut at = self.head.get(account.0);
        std::iter::from_fn(move || {
            let mut record = self.rows.get(at?);
            at = record.links().next.checked_sub(1);
            Some(record)
        })
    }
}
