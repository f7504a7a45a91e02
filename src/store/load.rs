//! Reading merged rows: all of them for a Book, those that changed, some by name, and everything about one account.

use super::codec::{ACCOUNT_WITH_FACTS, Col, Table, day_text, kind_of, read_row, read_rows};
use super::error::Res;
use super::merging::unmatched;
use super::outbox::pending_of_account;
use super::rows::seq;
use super::ties::{rows_called, ties_of};
use super::types::{AccountHit, Counts};
use crate::book::{
    Account, AccountDetail, AnyRow, Contact, Entity, Escalation, Facts, FieldValue, Followed,
    LocalId, Movement, Opportunity, OutboxItem, Person, Rate, Renewal, RowDelta, Signal,
    Subscription, Target, Task, Ticket, Touchpoint, Verb,
};
use jiff::civil::Date;
use rusqlite::{Connection, Row, params};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Rows in one portion of a load.
const PORTION: usize = 20_000;

fn account_with_facts(row: &Row<'_>) -> rusqlite::Result<(Account, Facts)> {
    let mut i = 0;
    let account = Account::read(row, &mut i)?;
    Ok((account, Facts::read(row, &mut i)?))
}

fn followed(row: &Row<'_>) -> rusqlite::Result<Followed> {
    let mut i = 0;
    let signal = Signal::read(row, &mut i)?;
    Ok((signal, Col::read(row, &mut i)?))
}

/// The signals that a Book holds: those of the partial index `signal_seq`, whose condition this must repeat word for word.
fn signals_sql(condition: &str) -> String {
    format!(
        "SELECT {},followed FROM signal WHERE kind NOT IN ('usage.weekly','health') AND {condition}",
        Signal::sql().list
    )
}

/// Hands out the signals of a Book whose day had come by a day.
pub(super) fn signals_until(
    db: &Connection,
    day: Date,
    sink: &mut (dyn FnMut(RowDelta) + Send),
) -> Res<()> {
    let condition = format!("seq>=0 AND at<='{}'", day_text(day));
    portions(db, &signals_sql(&condition), followed, |mut signals| {
        for (_, followed) in &mut signals {
            *followed = followed.filter(|d| *d <= day);
        }
        sink(RowDelta {
            signals,
            ..RowDelta::default()
        });
    })
}

fn accounts_sql(condition: &str) -> String {
    format!("SELECT {} FROM account {condition}", *ACCOUNT_WITH_FACTS)
}

/// Hands out every row of a Book.
pub(super) fn load_all(db: &Connection, sink: &mut (dyn FnMut(RowDelta) + Send)) -> Res<u64> {
    let at = seq(db)?;
    fn table<T: Table>(
        db: &Connection,
        at: u64,
        sink: &mut (dyn FnMut(RowDelta) + Send),
        place: fn(RowDelta, Vec<T>) -> RowDelta,
    ) -> Res<()> {
        in_order(db, at, "id", sink, place)
    }
    fn ledger<T: Table>(
        db: &Connection,
        at: u64,
        sink: &mut (dyn FnMut(RowDelta) + Send),
        place: fn(RowDelta, Vec<T>) -> RowDelta,
    ) -> Res<()> {
        in_order(db, at, "account,id", sink, place)
    }
    fn in_order<T: Table>(
        db: &Connection,
        at: u64,
        order: &str,
        sink: &mut (dyn FnMut(RowDelta) + Send),
        place: fn(RowDelta, Vec<T>) -> RowDelta,
    ) -> Res<()> {
        let (list, name) = (&T::sql().list, T::NAME);
        let sql = format!("SELECT {list} FROM {name} ORDER BY {order}");
        portions(
            db,
            &sql,
            |r| T::read(r, &mut 0),
            |rows| {
                sink(place(
                    RowDelta {
                        seq: at,
                        ..RowDelta::default()
                    },
                    rows,
                ));
            },
        )
    }
    table::<Rate>(db, at, sink, |d, rates| RowDelta { rates, ..d })?;
    table::<Person>(db, at, sink, |d, people| RowDelta { people, ..d })?;
    portions(
        db,
        &accounts_sql("ORDER BY id"),
        account_with_facts,
        |rows| {
            sink(RowDelta {
                seq: at,
                accounts: rows,
                ..RowDelta::default()
            });
        },
    )?;
    table::<Renewal>(db, at, sink, |d, renewals| RowDelta { renewals, ..d })?;
    table::<Opportunity>(db, at, sink, |d, opportunities| RowDelta {
        opportunities,
        ..d
    })?;
    table::<Task>(db, at, sink, |d, tasks| RowDelta { tasks, ..d })?;
    table::<Escalation>(db, at, sink, |d, escalations| RowDelta { escalations, ..d })?;
    // By account, so that the rows of an account lie together in the Book as well.
    ledger::<Subscription>(db, at, sink, |d, subscriptions| RowDelta {
        subscriptions,
        ..d
    })?;
    ledger::<Movement>(db, at, sink, |d, movements| RowDelta { movements, ..d })?;
    portions(db, &signals_sql("seq>=0"), followed, |signals| {
        sink(RowDelta {
            seq: at,
            signals,
            ..RowDelta::default()
        });
    })?;
    Ok(at)
}

fn portions<T>(
    db: &Connection,
    sql: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    mut give: impl FnMut(Vec<T>),
) -> Res<()> {
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut portion = Vec::new();
    while let Some(row) = rows.next()? {
        portion.push(read(row)?);
        if portion.len() == PORTION {
            give(std::mem::take(&mut portion));
        }
    }
    if !portion.is_empty() {
        give(portion);
    }
    Ok(())
}

/// What changed after a sequence number.
pub(super) fn load_since(db: &Connection, since: u64) -> Res<RowDelta> {
    let after = i64::try_from(since).unwrap_or(i64::MAX);
    fn of<T: Table>(db: &Connection, after: i64) -> Res<Vec<T>> {
        read_rows(db, &T::sql().since, after)
    }
    let mut accounts = db.prepare_cached(&accounts_sql("WHERE seq>?1"))?;
    let mut signals = db.prepare_cached(&signals_sql("seq>?1"))?;
    let mut gone = db.prepare_cached("SELECT entity,id FROM removed WHERE seq>?1")?;
    let mut removed = Vec::new();
    let mut rows = gone.query([after])?;
    while let Some(r) = rows.next()? {
        removed.push((
            kind_of(r.get_ref(0)?.as_str().unwrap_or(""))?,
            LocalId(r.get(1)?),
        ));
    }
    Ok(RowDelta {
        seq: seq(db)?,
        accounts: accounts
            .query_map([after], account_with_facts)?
            .collect::<rusqlite::Result<_>>()?,
        people: of(db, after)?,
        renewals: of(db, after)?,
        opportunities: of(db, after)?,
        tasks: of(db, after)?,
        escalations: of(db, after)?,
        signals: signals
            .query_map([after], followed)?
            .collect::<rusqlite::Result<_>>()?,
        rates: of(db, after)?,
        subscriptions: of(db, after)?,
        movements: of(db, after)?,
        removed,
    })
}

fn account_row(db: &Connection, id: LocalId) -> Res<Option<(Account, Facts)>> {
    let mut statement = db.prepare_cached(&accounts_sql("WHERE id=?1"))?;
    let mut rows = statement.query([id.0])?;
    Ok(match rows.next()? {
        Some(r) => Some(account_with_facts(r)?),
        None => None,
    })
}

fn signal_row(db: &Connection, id: LocalId) -> Res<Option<Followed>> {
    let mut statement = db.prepare_cached(&signals_sql("id=?1"))?;
    let mut rows = statement.query([id.0])?;
    Ok(match rows.next()? {
        Some(r) => Some(followed(r)?),
        None => None,
    })
}

/// These rows as they are.
pub(super) fn rows_of(db: &Connection, targets: &[Target]) -> Res<RowDelta> {
    let mut delta = RowDelta {
        seq: seq(db)?,
        ..RowDelta::default()
    };
    for target in targets {
        let id = target.id;
        let there = match target.entity {
            Entity::Account => push(&mut delta.accounts, account_row(db, id)?),
            Entity::Person => push(&mut delta.people, read_row(db, id)?),
            Entity::Renewal => push(&mut delta.renewals, read_row(db, id)?),
            Entity::Opportunity => push(&mut delta.opportunities, read_row(db, id)?),
            Entity::Signal => push(&mut delta.signals, signal_row(db, id)?),
            Entity::Task => push(&mut delta.tasks, read_row(db, id)?),
            Entity::Escalation => push(&mut delta.escalations, read_row(db, id)?),
            Entity::Rate => push(&mut delta.rates, read_row(db, id)?),
            Entity::Subscription => push(&mut delta.subscriptions, read_row(db, id)?),
            Entity::Movement => push(&mut delta.movements, read_row(db, id)?),
            // A Book does not hold these.
            Entity::Contact | Entity::Ticket | Entity::Touchpoint => true,
        };
        if !there {
            delta.removed.push((target.entity, id));
        }
    }
    Ok(delta)
}

fn push<T>(rows: &mut Vec<T>, row: Option<T>) -> bool {
    let there = row.is_some();
    rows.extend(row);
    there
}

/// Everything about one account, unsent changes applied.
pub(super) fn detail(db: &Connection, id: LocalId) -> Res<Option<AccountDetail>> {
    let Some((account, facts)) = account_row(db, id)? else {
        return Ok(None);
    };
    let pending = pending_of_account(db, id)?;
    let Some(AnyRow::Account(account)) = over(AnyRow::Account(account), &pending) else {
        return Ok(None);
    };
    fn of<T: Table>(
        db: &Connection,
        id: LocalId,
        pending: &[OutboxItem],
        back: fn(AnyRow) -> Option<T>,
    ) -> Res<Vec<T>> {
        let rows: Vec<T> = read_rows(db, &T::sql().by_account, i64::from(id.0))?;
        Ok(rows
            .into_iter()
            .filter_map(|r| over(r.any(), pending).and_then(back))
            .collect())
    }
    macro_rules! rows {
        ($kind:ident) => {
            of::<$kind>(db, id, &pending, |row| match row {
                AnyRow::$kind(r) => Some(r),
                _ => None,
            })?
        };
    }
    let (mut contacts, mut renewals, mut tasks) = (rows!(Contact), rows!(Renewal), rows!(Task));
    let mut opportunities = rows!(Opportunity);
    let (mut tickets, mut escalations) = (rows!(Ticket), rows!(Escalation));
    let (mut touchpoints, mut signals) = (rows!(Touchpoint), rows!(Signal));
    let (mut subscriptions, mut movements) = (rows!(Subscription), rows!(Movement));
    subscriptions.sort_by(|a, b| (&a.line, a.start, a.id).cmp(&(&b.line, b.start, b.id)));
    movements.sort_by(|a, b| (a.date, &a.line, a.id).cmp(&(b.date, &b.line, b.id)));
    contacts.sort_by_key(|c| (c.active == Some(false), c.name.clone()));
    renewals.sort_by_key(|r| {
        let open = r.stage_kind.as_deref().unwrap_or("open") == "open";
        (!open, r.due.is_none(), r.due)
    });
    opportunities.sort_by_key(|o| {
        let open = o.stage_kind.as_deref().unwrap_or("open") == "open";
        (!open, o.due.is_none(), o.due)
    });
    tasks.sort_by_key(|t| {
        let done = t.status_kind.as_deref() == Some("done");
        (done, t.due.is_none(), t.due)
    });
    tickets.sort_by_key(|t| {
        (
            t.status_kind.as_deref() == Some("closed"),
            Reverse(t.opened),
        )
    });
    escalations.sort_by_key(|e| {
        (
            e.status_kind.as_deref() == Some("closed"),
            Reverse(e.opened),
        )
    });
    touchpoints.sort_by_key(|t| Reverse(t.at));
    signals.sort_by(|a, b| (&a.kind, a.at).cmp(&(&b.kind, b.at)));

    let mut people = BTreeSet::new();
    people.extend([account.csm, account.owner]);
    people.extend(renewals.iter().map(|r| r.owner));
    people.extend(opportunities.iter().map(|o| o.owner));
    people.extend(tasks.iter().map(|t| t.owner));
    people.extend(tickets.iter().map(|t| t.owner));
    people.extend(escalations.iter().map(|e| e.owner));
    people.extend(touchpoints.iter().map(|t| t.author));
    let people = people
        .into_iter()
        .flatten()
        .filter_map(|p| read_row::<Person>(db, p).transpose())
        .collect::<Res<_>>()?;
    let (extra, provenance) = extras(db, id)?;
    Ok(Some(AccountDetail {
        extra,
        provenance: crate::book::Provenance::spelt_out(&provenance, &account, &facts),
        crosswalk: ties_of(
            db,
            Target {
                entity: Entity::Account,
                id,
            },
        )?,
        unmatched: unmatched(db, Some(id), 50)?,
        account,
        facts,
        contacts,
        subscriptions,
        movements,
        renewals,
        opportunities,
        tasks,
        tickets,
        escalations,
        touchpoints,
        signals,
        people,
        history: super::history::timeline(db, id)?,
    }))
}

/// Lays the unsent changes over a row; nothing when it is to be deleted.
fn over(mut row: AnyRow, pending: &[OutboxItem]) -> Option<AnyRow> {
    let target = row.target();
    for item in pending.iter().filter(|i| i.change.target == target) {
        if item.change.verb == Verb::Delete {
            return None;
        }
        for f in &item.change.fields {
            // A field that does not fit (a tenant's own) is shown once the vendor has confirmed it.
            let _ = row.set(&f.field, &f.want);
        }
    }
    Some(row)
}

type Extras = (Vec<(String, FieldValue)>, Vec<crate::book::Provenance>);

fn extras(db: &Connection, id: LocalId) -> Res<Extras> {
    let mut statement = db.prepare_cached(
        "SELECT extra,provenance FROM row_extra WHERE entity='account' AND id=?1",
    )?;
    let mut rows = statement.query([id.0])?;
    let Some(r) = rows.next()? else {
        return Ok(Extras::default());
    };
    let (extra, provenance): (Option<String>, Option<String>) = (r.get(0)?, r.get(1)?);
    Ok((
        extra.map_or(Ok(Vec::new()), |t| serde_json::from_str(&t))?,
        provenance.map_or(Ok(Vec::new()), |t| serde_json::from_str(&t))?,
    ))
}

/// The accounts that a text names; the best kind of answer only.
pub(super) fn find_account(db: &Connection, text: &str) -> Res<Vec<AccountHit>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let hits = |by: &'static str, condition: &str, value: &str| -> Res<Vec<AccountHit>> {
        let mut statement = db.prepare_cached(&format!(
            "SELECT id,name,domain FROM account WHERE {condition} ORDER BY length(name),name,id LIMIT 20"
        ))?;
        let rows = statement.query_map([value], |r| {
            Ok(AccountHit {
                id: LocalId(r.get(0)?),
                name: r.get(1)?,
                domain: r.get(2)?,
                by,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    };
    if let Ok(id) = text.trim_start_matches('#').parse::<u32>() {
        let found = hits("id", "id=?1", &id.to_string())?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let mut found = Vec::new();
    for id in rows_called(db, Entity::Account, text)? {
        found.extend(hits("external id", "id=?1", &id.to_string())?);
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let domain = text.to_lowercase();
    let domain = domain.strip_prefix("www.").unwrap_or(&domain);
    // Escaped, because a name may hold what LIKE takes for a wildcard.
    let part = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    for (by, condition, value) in [
        ("domain", "domain=?1", domain),
        ("name", "name=?1", text),
        ("name", "name=?1 COLLATE NOCASE", text),
        (
            "part of the name",
            "name LIKE '%'||?1||'%' ESCAPE '\\'",
            part.as_str(),
        ),
    ] {
        let found = hits(by, condition, value)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// How much there is.
pub(super) fn counts(db: &Connection) -> Res<Counts> {
    let one = |sql: &str| -> Res<u64> {
        Ok(db
            .prepare_cached(sql)?
            .query_row([], |r| r.get::<_, i64>(0))?
            .unsigned_abs())
    };
    let mut counts = Counts {
        dirty: one("SELECT count(*) FROM source_record WHERE dirty>0")?,
        unmatched: one("SELECT count(*) FROM unmatched")?,
        pending: one("SELECT count(*) FROM outbox WHERE finished IS NULL")?,
        bytes: one("SELECT page_count*page_size FROM pragma_page_count(),pragma_page_size()")?,
        ..Counts::default()
    };
    for entity in Entity::ALL {
        let rows = one(&format!("SELECT count(*) FROM {}", entity.name()))?;
        counts.rows.push((entity.name(), rows));
    }
    let mut statement = db.prepare_cached(
        "SELECT source,entity,count(*) FROM source_record GROUP BY source,entity",
    )?;
    let rows = statement.query_map(params![], |r| {
        Ok((r.get(0)?, r.get(1)?, r.get::<_, i64>(2)?.unsigned_abs()))
    })?;
    counts.records = rows.collect::<rusqlite::Result<_>>()?;
    Ok(counts)
}
