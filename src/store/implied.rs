//! Things that are only known because rows refer to them: found among what is there, else made.

use super::codec::Kind;
use super::error::Res;
use super::packed::{pack, unpack};
use super::rows::{Touched, reserve_ids, seq};
use super::ties::{self, candidates, tie, tie_of};
use crate::book::record::IMPLIED;
use crate::book::{
    CrosswalkEntry, Entity, FieldValue, LocalId, MatchHow, MatchKey, Record, RecordKey, SourceName,
};
use rusqlite::{Connection, OptionalExtension, params};

/// Whether a record only says that there is something of its id.
pub(super) fn is_implied(record: &Record) -> bool {
    record.get(IMPLIED) == Some(&FieldValue::Bool(true))
}

/// Sees to it that there is something that the record can mean; whether it had to be made. What is made belongs to no stream, so that no
/// sweep takes it away from the rows of another stream.
pub(super) fn put(db: &Connection, source: &SourceName, record: &Record) -> Res<bool> {
    let key = RecordKey {
        source: source.clone(),
        entity: record.entity,
        external_id: record.external_id.clone(),
    };
    let there: Option<bool> = db
        .prepare_cached(
            "SELECT deleted FROM source_record WHERE source=?1 AND entity=?2 AND external_id=?3",
        )?
        .query_row(params![&**source, Kind(key.entity), key.external_id], |r| {
            r.get(0)
        })
        .optional()?;
    if there == Some(false) {
        return Ok(false);
    }
    if there.is_none() {
        if let Some(known) = tie_of(db, &key)?
            && is_row(db, key.entity, known.local)?
        {
            return Ok(false);
        }
        if let Some(local) = meant(db, record)? {
            let entry = CrosswalkEntry {
                source: source.clone(),
                entity: key.entity,
                external_id: key.external_id,
                local,
                how: MatchHow::Named,
            };
            let now = i64::try_from(seq(db)?).unwrap_or(i64::MAX);
            tie(db, &[entry], now, &mut Touched::default())?;
            return Ok(false);
        }
    }
    let fields: Vec<_> = record
        .fields
        .iter()
        .filter(|(name, _)| name != IMPLIED)
        .cloned()
        .collect();
    db.prepare_cached(
        "INSERT INTO source_record(source,entity,external_id,fields,dirty) VALUES(?1,?2,?3,?4,1)
         ON CONFLICT(source,entity,external_id) DO UPDATE SET stream=NULL,deleted=0,fields=excluded.fields,dirty=1",
    )?
    .execute(params![
        &**source,
        Kind(key.entity),
        key.external_id,
        pack(&fields)
    ])?;
    ties::join(db, source, key.entity, &key.external_id)?;
    Ok(true)
}

fn is_row(db: &Connection, entity: Entity, id: LocalId) -> Res<bool> {
    Ok(db
        .prepare_cached(&format!("SELECT 1 FROM {} WHERE id=?1", entity.name()))?
        .exists([id.0])?)
}

/// The one row that the record can mean: the first of its keys that names exactly one decides.
fn meant(db: &Connection, record: &Record) -> Res<Option<LocalId>> {
    let text = |field: &str| record.get(field).and_then(FieldValue::as_str);
    let mut keys = vec![MatchKey::Identifier(record.external_id.clone())];
    keys.extend(text("domain").map(|d| MatchKey::Domain(d.to_owned())));
    keys.extend(text("email").map(|e| MatchKey::Email(e.to_owned())));
    keys.extend(text("name").map(|n| MatchKey::Name(n.to_owned())));
    for key in keys {
        let found = candidates(db, record.entity, std::slice::from_ref(&key))?;
        match found.as_slice() {
            [] => {}
            [one] => return Ok(Some(one.local)),
            // Several answer: nobody can say which; it stands for itself.
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Whether a source has things that are only known because rows refer to them.
pub(super) fn any(db: &Connection, source: &str) -> Res<bool> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM source_record WHERE source=?1 AND entity IN ('account','person') AND stream IS NULL",
        )?
        .exists([source])?)
}

/// A source's own record of something has come: where rows referred to it by its name, domain or e-mail address before, it takes the
/// place of what was made of that text, and the text goes on meaning it.
pub(super) fn adopt(db: &Connection, source: &SourceName, record: &Record) -> Res<()> {
    if !matches!(record.entity, Entity::Account | Entity::Person) {
        return Ok(());
    }
    for field in ["email", "domain", "name"] {
        let Some(text) = record.get(field).and_then(FieldValue::as_str) else {
            continue;
        };
        if text == record.external_id {
            continue;
        }
        // What was made so is called as it is referred to; a record that csops itself wrote is not.
        let made = {
            let mut statement = db.prepare_cached(
                "SELECT id,fields FROM source_record
                 WHERE source=?1 AND entity=?2 AND external_id=?3 AND stream IS NULL AND seen=0 AND deleted=0",
            )?;
            let mut rows = statement.query(params![&**source, Kind(record.entity), text])?;
            match rows.next()? {
                Some(r) => {
                    let name = FieldValue::Text(text.to_owned());
                    let is_so = unpack(r.get_ref(1)?)?
                        .iter()
                        .any(|(f, v)| f == "name" && *v == name);
                    is_so.then_some(r.get::<_, i64>(0)?)
                }
                None => None,
            }
        };
        let Some(made) = made else { continue };
        let entry = |external_id: &str, local, how| CrosswalkEntry {
            source: source.clone(),
            entity: record.entity,
            external_id: external_id.to_owned(),
            local,
            how,
        };
        let key = RecordKey {
            source: source.clone(),
            entity: record.entity,
            external_id: text.to_owned(),
        };
        let local = match tie_of(db, &key)? {
            Some(known) => known.local,
            None => reserve_ids(db, record.entity, 1)?,
        };
        db.prepare_cached("DELETE FROM source_record WHERE id=?1")?
            .execute([made])?;
        let now = i64::try_from(seq(db)?).unwrap_or(i64::MAX);
        for entry in [
            entry(&record.external_id, local, MatchHow::New),
            entry(text, local, MatchHow::Named),
        ] {
            tie(db, &[entry], now, &mut Touched::default())?;
        }
        return Ok(());
    }
    Ok(())
}
