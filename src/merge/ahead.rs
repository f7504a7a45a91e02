//! Matching a page while those before it are still being stored: what they say of things the store does not answer yet.

use super::Rules;
use super::identity::Plan;
use super::matching::{By, Key};
use crate::book::{Candidate, DirtyBatch, LocalId, SourceName};
use foldhash::HashSet;

/// What the records of one page say that a later page of the same source has to know.
#[derive(Debug, Default)]
pub struct Said {
    /// The ids to which they answer.
    ids: HashSet<Key>,
    /// The rows of other sources that they joined.
    joined: HashSet<LocalId>,
}

impl Said {
    /// What the records of a batch say.
    pub fn by(rules: &Rules, batch: &DirtyBatch, plan: &Plan) -> Said {
        let records = batch.dirty.iter();
        Said {
            ids: records.flat_map(|r| rules.identity().ids(r)).collect(),
            joined: plan.joined.iter().copied().collect(),
        }
    }

    /// Whether a record of the batch asks for an id to which these answer: then the store can only be asked when they are stored.
    pub fn concerns(&self, rules: &Rules, batch: &DirtyBatch) -> bool {
        let identity = rules.identity();
        batch.dirty.iter().any(|stored| {
            let order = identity.order(stored.record.entity);
            [By::StoredId, By::ExternalId]
                .into_iter()
                .filter(|by| order.contains(by))
                .flat_map(|by| identity.keys(stored, by))
                .any(|key| self.ids.contains(&key))
        })
    }

    /// Two records of one source are never one thing: what these joined does not wait for another record of theirs any more.
    pub fn amend(&self, source: &SourceName, candidates: &mut [Candidate]) {
        for candidate in candidates {
            if self.joined.contains(&candidate.local) && !candidate.sources.contains(source) {
                candidate.sources.push(source.clone());
            }
        }
    }
}
