//! Where references lead, remembered while a first load goes on: a hundred thousand accounts are referred to by ten million records, and
//! looking each up in the database was a fifth of the load's work.

use super::error::Res;
use super::ties::{moves, tie_of};
use crate::book::{CrosswalkEntry, Entity, LocalId, MatchHow, RecordKey, SourceName};
use foldhash::{HashMap, HashMapExt};
use rusqlite::Connection;

/// So many ties are remembered at most: some 30 MB.
const MOST: usize = 300_000;

/// What is referred to again and again. Contacts are many, and each of them by few.
fn is_common(entity: Entity) -> bool {
    matches!(entity, Entity::Account | Entity::Person)
}

/// The ties that are remembered. What is not tied is not: it may be at any moment.
#[derive(Default)]
pub(super) struct Refs {
    /// How often records had moved to other rows when they were read.
    moves: i64,
    known: HashMap<(SourceName, Entity), HashMap<String, LocalId>>,
    count: usize,
}

impl Refs {
    /// What is remembered holds as long as no record has moved since, which this looks up; the number of moves.
    pub(super) fn check(&mut self, db: &Connection) -> Res<i64> {
        let now = moves(db)?;
        if now != self.moves || self.count > MOST {
            self.forget();
            self.moves = now;
        }
        Ok(now)
    }

    /// The ties of these ids.
    pub(super) fn ties(
        &mut self,
        db: &Connection,
        source: &SourceName,
        entity: Entity,
        ids: &[&str],
    ) -> Res<Vec<CrosswalkEntry>> {
        let known = self.known.entry((source.clone(), entity)).or_default();
        let mut out = Vec::with_capacity(ids.len());
        for id in ids {
            let remembered = known.get(*id).copied();
            let local = match remembered {
                Some(local) => Some(local),
                None => {
                    let key = RecordKey {
                        source: source.clone(),
                        entity,
                        external_id: (*id).to_owned(),
                    };
                    let tie = tie_of(db, &key)?;
                    if let Some(tie) = tie.as_ref().filter(|_| is_common(entity)) {
                        known.insert(key.external_id, tie.local);
                        self.count += 1;
                    }
                    tie.map(|t| t.local)
                }
            };
            out.extend(local.map(|local| CrosswalkEntry {
                source: source.clone(),
                entity,
                external_id: (*id).to_owned(),
                local,
                how: MatchHow::New,
            }));
        }
        Ok(out)
    }

    /// Gives the memory back.
    pub(super) fn forget(&mut self) {
        self.known = HashMap::new();
        self.count = 0;
    }
}
