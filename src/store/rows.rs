//! Merged rows: writing one, deleting one, and keeping note of which accounts' facts are to be brought up to date.

use super::codec::{Kind, insert_any, read_any, write_any};
use super::error::Res;
use super::history;
use crate::book::{AnyRow, Entity, LocalId, Target};
use foldhash::HashMap;
use rusqlite::{Connection, params};

/// Which of an account's facts have to be looked at again.
pub(super) mod part {
    /// What the account's own record says.
    pub const ACCOUNT: u8 = 1;
    /// Its renewals.
    pub const RENEWALS: u8 = 2;
    /// Its tickets.
    pub const TICKETS: u8 = 4;
    /// Its risks.
    pub const RISKS: u8 = 8;
    /// Its touchpoints.
    pub const TOUCHES: u8 = 16;
    /// Its contacts.
    pub const CONTACTS: u8 = 32;
    /// Its signals.
    pub const SIGNALS: u8 = 64;
    /// Everything.
    pub const ALL: u8 = 127;
}

fn part_of(entity: Entity) -> u8 {
    match entity {
        Entity::Account => part::ACCOUNT,
        Entity::Renewal => part::RENEWALS,
        Entity::Ticket => part::TICKETS,
        Entity::Escalation => part::RISKS,
        Entity::Touchpoint => part::TOUCHES,
        Entity::Contact => part::CONTACTS,
        Entity::Signal => part::SIGNALS,
        Entity::Person
        | Entity::Subscription
        | Entity::Movement
        | Entity::Opportunity
        | Entity::Task
        | Entity::Rate => 0,
    }
}

/// What a transaction has changed so far.
#[derive(Default)]
pub(super) struct Touched {
    /// Rows that changed.
    pub targets: Vec<Target>,
    /// Accounts whose facts are to be looked at, and which of them.
    pub accounts: HashMap<LocalId, u8>,
}

impl Touched {
    pub(super) fn account(&mut self, account: LocalId, parts: u8) {
        if account.is_some() {
            *self.accounts.entry(account).or_default() |= parts;
        }
    }
}

/// The next sequence number.
pub(super) fn next_seq(db: &Connection) -> Res<i64> {
    Ok(db
        .prepare_cached("UPDATE counter SET value=value+1 WHERE name='seq' RETURNING value")?
        .query_row([], |r| r.get(0))?)
}

/// The sequence number now.
pub(super) fn seq(db: &Connection) -> Res<u64> {
    let n: i64 = db
        .prepare_cached("SELECT value FROM counter WHERE name='seq'")?
        .query_row([], |r| r.get(0))?;
    Ok(n.unsigned_abs())
}

/// Sets local ids aside; the first.
pub(super) fn reserve_ids(db: &Connection, entity: Entity, count: u32) -> Res<LocalId> {
    let next: i64 = db
        .prepare_cached(
            "INSERT INTO counter(name,value) VALUES('id:'||?1,1+?2)
             ON CONFLICT(name) DO UPDATE SET value=value+?2 RETURNING value",
        )?
        .query_row(params![Kind(entity), count], |r| r.get(0))?;
    u32::try_from(next - i64::from(count))
        .map(LocalId)
        .map_err(|_| super::error::Fail::Bad(format!("the local ids of kind {entity} are used up")))
}

/// Writes a row if it differs from what is there; whether it did.
pub(super) fn put_row(db: &Connection, row: &AnyRow, seq: i64, touched: &mut Touched) -> Res<bool> {
    let target = row.target();
    let before = read_any(db, target)?;
    let kept;
    let row = match (&before, row) {
        (Some(AnyRow::Renewal(b)), AnyRow::Renewal(r)) => {
            kept = AnyRow::Renewal(r.after(b));
            &kept
        }
        _ => row,
    };
    if before.as_ref() == Some(row) {
        return Ok(false);
    }
    history::replaced(db, before.as_ref(), Some(row))?;
    write_any(db, row, seq)?;
    let parts = part_of(target.entity);
    match &before {
        Some(before) => touched.account(before.account(), parts),
        None => {
            db.prepare_cached("DELETE FROM removed WHERE entity=?1 AND id=?2")?
                .execute(params![Kind(target.entity), target.id.0])?;
        }
    }
    // A new account looks at all of its rows: some may have come before it.
    let all = before.is_none() && target.entity == Entity::Account;
    touched.account(row.account(), if all { part::ALL } else { parts });
    touched.targets.push(target);
    Ok(true)
}

/// Writes rows of one kind that cannot be there yet.
pub(super) fn put_new_rows(
    db: &Connection,
    rows: &[&AnyRow],
    seq: i64,
    touched: &mut Touched,
) -> Res<()> {
    for row in rows {
        history::replaced(db, None, Some(row))?;
        touched.account(row.account(), part_of(row.target().entity));
    }
    insert_any(db, rows, seq)
}

/// Deletes a row, if it is there.
pub(super) fn delete_row(
    db: &Connection,
    target: Target,
    seq: i64,
    touched: &mut Touched,
) -> Res<bool> {
    let Some(before) = read_any(db, target)? else {
        return Ok(false);
    };
    history::replaced(db, Some(&before), None)?;
    db.prepare_cached(&format!("DELETE FROM {} WHERE id=?1", target.entity.name()))?
        .execute([target.id.0])?;
    db.prepare_cached("DELETE FROM row_extra WHERE entity=?1 AND id=?2")?
        .execute(params![Kind(target.entity), target.id.0])?;
    db.prepare_cached("INSERT OR REPLACE INTO removed(entity,id,seq) VALUES(?1,?2,?3)")?
        .execute(params![Kind(target.entity), target.id.0, seq])?;
    if target.entity != Entity::Account {
        touched.account(before.account(), part_of(target.entity));
    }
    touched.targets.push(target);
    Ok(true)
}
