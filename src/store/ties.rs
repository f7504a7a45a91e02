//! The crosswalk: which vendor's record belongs to which local row, and what follows when that changes.

use super::codec::{Kind, kind_of};
use super::error::Res;
use super::records::mark_dirty;
use super::rows::{Touched, delete_row};
use crate::book::{
    Candidate, CrosswalkEntry, Entity, LocalId, MatchHow, MatchKey, RecordKey, SourceName, Target,
};
use rusqlite::{Connection, OptionalExtension, params};

pub(super) fn how_name(how: MatchHow) -> &'static str {
    match how {
        MatchHow::New => "new",
        MatchHow::Identifier => "identifier",
        MatchHow::Domain => "domain",
        MatchHow::Name => "name",
        MatchHow::Manual => "manual",
        MatchHow::Named => "named",
    }
}

fn how_of(name: &str) -> MatchHow {
    match name {
        "identifier" => MatchHow::Identifier,
        "domain" => MatchHow::Domain,
        "name" => MatchHow::Name,
        "manual" => MatchHow::Manual,
        "named" => MatchHow::Named,
        _ => MatchHow::New,
    }
}

/// Whose a record is.
pub(super) fn tie_of(db: &Connection, key: &RecordKey) -> Res<Option<CrosswalkEntry>> {
    for sql in [
        "SELECT local,how FROM source_record WHERE source=?1 AND entity=?2 AND external_id=?3 AND local IS NOT NULL",
        "SELECT local,how FROM tie WHERE source=?1 AND entity=?2 AND external_id=?3",
    ] {
        let found = db
            .prepare_cached(sql)?
            .query_row(
                params![&*key.source, Kind(key.entity), key.external_id],
                |r| {
                    Ok(CrosswalkEntry {
                        source: key.source.clone(),
                        entity: key.entity,
                        external_id: key.external_id.clone(),
                        local: LocalId(r.get(0)?),
                        how: how_of(r.get_ref(1)?.as_str().unwrap_or("")),
                    })
                },
            )
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The records of a row, and what else it is called by.
pub(super) fn ties_of(db: &Connection, target: Target) -> Res<Vec<CrosswalkEntry>> {
    let mut ties = Vec::new();
    for sql in [
        "SELECT source,external_id,how FROM source_record WHERE entity=?1 AND local=?2",
        "SELECT source,external_id,how FROM tie WHERE entity=?1 AND local=?2",
    ] {
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query(params![Kind(target.entity), target.id.0])?;
        while let Some(r) = rows.next()? {
            ties.push(CrosswalkEntry {
                source: r.get::<_, String>(0)?.into(),
                entity: target.entity,
                external_id: r.get(1)?,
                local: target.id,
                how: how_of(r.get_ref(2)?.as_str().unwrap_or("")),
            });
        }
    }
    ties.sort_by(|a, b| (&a.source, &a.external_id).cmp(&(&b.source, &b.external_id)));
    Ok(ties)
}

/// What a source calls a row.
pub(super) fn external_id(db: &Connection, source: &str, target: Target) -> Res<Option<String>> {
    let ties = ties_of(db, target)?;
    let of = ties.into_iter().find(|t| &*t.source == source);
    Ok(of.map(|t| t.external_id))
}

/// The source of a row; csops itself only where there is no other.
pub(super) fn source_of(db: &Connection, target: Target) -> Res<Option<String>> {
    for sql in [
        "SELECT source FROM source_record WHERE entity=?1 AND local=?2 ORDER BY source='local',source LIMIT 1",
        "SELECT source FROM tie WHERE entity=?1 AND local=?2 ORDER BY source='local',source LIMIT 1",
    ] {
        let found: Option<String> = db
            .prepare_cached(sql)?
            .query_row(params![Kind(target.entity), target.id.0], |r| r.get(0))
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Writes whose a record is: with the record, or apart where there is none of that id.
fn put(db: &Connection, entry: &CrosswalkEntry) -> Res<()> {
    for sql in [
        "UPDATE source_record SET local=?4,how=?5 WHERE source=?1 AND entity=?2 AND external_id=?3",
        "INSERT INTO tie(source,entity,external_id,local,how) VALUES(?1,?2,?3,?4,?5)
         ON CONFLICT DO UPDATE SET local=excluded.local,how=excluded.how",
    ] {
        let written = db.prepare_cached(sql)?.execute(params![
            &*entry.source,
            Kind(entry.entity),
            entry.external_id,
            entry.local.0,
            how_name(entry.how)
        ])?;
        if written > 0 {
            break;
        }
    }
    Ok(())
}

/// A record has come: what was tied by its id before it came stands with it from now on.
pub(super) fn join(db: &Connection, source: &str, entity: Entity, external_id: &str) -> Res<()> {
    let found: Option<(u32, String)> = db
        .prepare_cached(
            "DELETE FROM tie WHERE source=?1 AND entity=?2 AND external_id=?3 RETURNING local,how",
        )?
        .query_row(params![source, Kind(entity), external_id], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .optional()?;
    if let Some((local, how)) = found {
        db.prepare_cached(
            "UPDATE source_record SET local=?4,how=?5 WHERE source=?1 AND entity=?2 AND external_id=?3",
        )?
        .execute(params![source, Kind(entity), external_id, local, how])?;
    }
    Ok(())
}

/// Ties records to rows. When one was another's before, everything that hangs on that one is merged again, and it goes when nothing is
/// left of it.
pub(super) fn tie(
    db: &Connection,
    entries: &[CrosswalkEntry],
    seq: i64,
    touched: &mut Touched,
) -> Res<()> {
    let mut left: Vec<Target> = Vec::new();
    for entry in entries {
        left.extend(tie_one(db, entry, seq, touched)?);
    }
    // What refers to them is looked for once for all: not every column that refers has an index.
    left.sort_unstable_by_key(|t| (t.entity, t.id));
    for of_kind in left.chunk_by(|a, b| a.entity == b.entity) {
        remerge_referring(db, of_kind)?;
    }
    Ok(())
}

/// The row that a record left, if it was another's before.
fn tie_one(
    db: &Connection,
    entry: &CrosswalkEntry,
    seq: i64,
    touched: &mut Touched,
) -> Res<Option<Target>> {
    let key = RecordKey {
        source: entry.source.clone(),
        entity: entry.entity,
        external_id: entry.external_id.clone(),
    };
    let before = tie_of(db, &key)?;
    put(db, entry)?;
    match before {
        None => {
            wake(db, &key, entry.local)?;
            Ok(None)
        }
        Some(was) if was.local != entry.local => {
            db.prepare_cached(
                "INSERT INTO counter(name,value) VALUES('moves',1) ON CONFLICT(name) DO UPDATE SET value=value+1",
            )?
            .execute([])?;
            let old = Target {
                entity: entry.entity,
                id: was.local,
            };
            remerge_row(db, old)?;
            let left = ties_of(db, old)?;
            if left.iter().all(|t| t.how == MatchHow::Named) {
                // What its rows call it goes where it went.
                for called in left {
                    put(
                        db,
                        &CrosswalkEntry {
                            local: entry.local,
                            ..called
                        },
                    )?;
                }
                delete_row(db, old, seq, touched)?;
            }
            Ok(Some(old))
        }
        Some(_) => Ok(None),
    }
}

/// How often a record has been tied to another row than before.
pub(super) fn moves(db: &Connection) -> Res<i64> {
    Ok(db
        .prepare_cached("SELECT value FROM counter WHERE name='moves'")?
        .query_row([], |r| r.get(0))
        .optional()?
        .unwrap_or(0))
}

/// A record has been tied to a row: those that refer to it can be resolved now, and those that hold its id can join it. What is of
/// that row already has joined.
pub(super) fn wake(db: &Connection, key: &RecordKey, row: LocalId) -> Res<()> {
    let waiting = waiting_for(db, key)?;
    if waiting.is_empty() {
        return Ok(());
    }
    for waiter in waiting {
        let joined = waiter.entity == key.entity
            && waiter.source != key.source
            && tie_of(db, &waiter)?.is_some_and(|t| t.local == row);
        if !joined {
            mark_dirty(db, &waiter)?;
        }
    }
    db.prepare_cached("DELETE FROM waiting WHERE for_source=?1 AND for_entity=?2 AND for_id=?3")?
        .execute(params![&*key.source, Kind(key.entity), key.external_id])?;
    Ok(())
}

/// The records that wait for one.
fn waiting_for(db: &Connection, key: &RecordKey) -> Res<Vec<RecordKey>> {
    let mut statement = db.prepare_cached(
        "SELECT source,entity,external_id FROM waiting WHERE for_source=?1 AND for_entity=?2 AND for_id=?3",
    )?;
    let mut rows = statement.query(params![&*key.source, Kind(key.entity), key.external_id])?;
    let mut out = Vec::new();
    while let Some(r) = rows.next()? {
        out.push(RecordKey {
            source: r.get::<_, String>(0)?.into(),
            entity: kind_of(r.get_ref(1)?.as_str().unwrap_or(""))?,
            external_id: r.get(2)?,
        });
    }
    Ok(out)
}

/// The rows of other sources' records that hold, and wait for, the id that a source gives a record.
fn rows_holding(
    db: &Connection,
    entity: Entity,
    source: &SourceName,
    external_id: &str,
) -> Res<Vec<LocalId>> {
    let key = RecordKey {
        source: source.clone(),
        entity,
        external_id: external_id.to_owned(),
    };
    let mut found = Vec::new();
    for waiter in waiting_for(db, &key)? {
        if waiter.entity == entity
            && waiter.source != *source
            && let Some(tie) = tie_of(db, &waiter)?
            && !found.contains(&tie.local)
        {
            found.push(tie.local);
        }
    }
    Ok(found)
}

/// Marks the records of a row to be merged again.
pub(super) fn remerge_row(db: &Connection, target: Target) -> Res<u64> {
    let mut marked = 0;
    for tie in ties_of(db, target)? {
        marked += mark_dirty(
            db,
            &RecordKey {
                source: tie.source,
                entity: tie.entity,
                external_id: tie.external_id,
            },
        )?;
    }
    Ok(marked)
}

/// The columns that refer to other rows, by table.
const REFERENCES: &[(Entity, &[&str])] = &[
    (Entity::Account, &["parent", "csm", "owner"]),
    (Entity::Contact, &["account"]),
    (Entity::Subscription, &["account"]),
    (Entity::Movement, &["account"]),
    (Entity::Renewal, &["account", "owner"]),
    (Entity::Opportunity, &["account", "owner"]),
    (Entity::Task, &["account", "owner", "escalation"]),
    (Entity::Ticket, &["account", "owner"]),
    (Entity::Escalation, &["account", "owner"]),
    (Entity::Touchpoint, &["account", "author", "contact"]),
    (Entity::Signal, &["account"]),
];

/// Marks the records of all rows that refer to one of these rows, which are of one kind, to be merged again.
fn remerge_referring(db: &Connection, targets: &[Target]) -> Res<()> {
    let Some(Target { entity: kind, .. }) = targets.first() else {
        return Ok(());
    };
    let ids: Vec<String> = targets.iter().map(|t| t.id.0.to_string()).collect();
    let ids = format!("[{}]", ids.join(","));
    for (entity, columns) in REFERENCES {
        for column in *columns {
            if Entity::referred_by(column) != Some(*kind) {
                continue;
            }
            db.execute(
                &format!(
                    "UPDATE source_record SET dirty=1 WHERE id IN (SELECT s.id FROM {0} r CROSS JOIN source_record s
                     WHERE r.{column} IN (SELECT value FROM json_each(?1)) AND s.entity='{0}' AND s.local=r.id)",
                    entity.name()
                ),
                [&ids],
            )?;
        }
    }
    Ok(())
}

/// Every source that has a record or a tie; few, however many there are of these.
pub(super) fn sources(db: &Connection) -> Res<Vec<SourceName>> {
    let mut statement = db.prepare_cached(
        "WITH RECURSIVE s(x) AS (SELECT min(source) FROM source_record UNION ALL
         SELECT (SELECT min(source) FROM source_record WHERE source>x) FROM s WHERE x IS NOT NULL)
         SELECT x FROM s WHERE x IS NOT NULL UNION SELECT source FROM tie",
    )?;
    let rows = statement.query_map([], |r| Ok(SourceName::from(r.get::<_, String>(0)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Whether nobody but one source has anything of a kind.
pub(super) fn is_only(db: &Connection, source: &SourceName, entity: Entity) -> Res<bool> {
    let mut tied = db.prepare_cached("SELECT 1 FROM tie WHERE entity=?1 LIMIT 1")?;
    if tied.exists([Kind(entity)])? {
        return Ok(false);
    }
    let mut any =
        db.prepare_cached("SELECT 1 FROM source_record WHERE source=?1 AND entity=?2 LIMIT 1")?;
    for other in sources(db)?.iter().filter(|s| *s != source) {
        if any.exists(params![&**other, Kind(entity)])? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The local rows of a kind that any source knows under an id.
pub(super) fn rows_called(db: &Connection, entity: Entity, external_id: &str) -> Res<Vec<LocalId>> {
    called_by(db, &sources(db)?, entity, external_id)
}

fn called_by(
    db: &Connection,
    sources: &[SourceName],
    entity: Entity,
    external_id: &str,
) -> Res<Vec<LocalId>> {
    let mut found = Vec::new();
    for source in sources {
        let key = RecordKey {
            source: source.clone(),
            entity,
            external_id: external_id.to_owned(),
        };
        if let Some(tie) = tie_of(db, &key)?
            && !found.contains(&tie.local)
        {
            found.push(tie.local);
        }
    }
    Ok(found)
}

/// Which rows answer to these keys.
pub(super) fn candidates(
    db: &Connection,
    entity: Entity,
    keys: &[MatchKey],
) -> Res<Vec<Candidate>> {
    let mut out = Vec::new();
    let all = sources(db)?;
    for key in keys {
        let ids: Vec<LocalId> = match (key, entity) {
            (MatchKey::Identifier(id), _) => called_by(db, &all, entity, id)?,
            (MatchKey::IdentifierOf(source, id), _) => {
                called_by(db, std::slice::from_ref(source), entity, id)?
            }
            (MatchKey::HeldOf(source, id), _) => rows_holding(db, entity, source, id)?,
            (MatchKey::Domain(domain), Entity::Account) => {
                ids_where(db, "account", "domain=?1", domain)?
            }
            (MatchKey::Email(email), Entity::Person | Entity::Contact) => {
                ids_where(db, entity.name(), "email=?1 COLLATE NOCASE", email)?
            }
            (MatchKey::Name(name), Entity::Account | Entity::Person) => {
                ids_where(db, entity.name(), "name=?1 COLLATE NOCASE", name)?
            }
            _ => Vec::new(),
        };
        for local in ids {
            let columns = match entity {
                Entity::Account | Entity::Person | Entity::Renewal => "name,NULL",
                Entity::Contact => "name,account",
                _ => "'',NULL",
            };
            let (name, account): (String, Option<u32>) = db
                .prepare_cached(&format!(
                    "SELECT {columns} FROM {} WHERE id=?1",
                    entity.name()
                ))?
                .query_row([local.0], |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()?
                .unwrap_or_default();
            let mut sources: Vec<SourceName> = Vec::new();
            for tie in ties_of(db, Target { entity, id: local })? {
                // A text that rows refer to it by is no record: the source's own record may still come.
                if tie.how != MatchHow::Named && !sources.contains(&tie.source) {
                    sources.push(tie.source);
                }
            }
            out.push(Candidate {
                key: key.clone(),
                local,
                name,
                sources,
                account: account.map(LocalId).filter(|a| a.is_some()),
            });
        }
    }
    Ok(out)
}

fn ids_where(db: &Connection, table: &str, condition: &str, value: &str) -> Res<Vec<LocalId>> {
    // Twenty rows of one name are no clue to anything; more need not be known.
    let mut statement = db.prepare_cached(&format!(
        "SELECT id FROM {table} WHERE {condition} ORDER BY id LIMIT 20"
    ))?;
    let rows = statement.query_map([value], |r| Ok(LocalId(r.get(0)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
