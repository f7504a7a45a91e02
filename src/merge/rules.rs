//! Precedence: which source's value wins, by field, by kind, or in general.

use super::matching::Identity;
use crate::book::id::LOCAL;
use crate::book::{Entity, SourceName, StoredRecord};
use std::collections::{BTreeMap, HashMap};

/// What a source is to us; decides what it owns when nobody configured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The system of record for customers and contracts: names, owners, ARR, renewals, contacts.
    Crm,
    /// The customer success platform: CSM, health, segment, touch, sentiment, risks.
    Success,
}

/// The fields that a customer success platform owns although the CRM may hold them too.
const OWNED_BY_SUCCESS: &[(Entity, &[&str])] = &[(
    Entity::Account,
    &[
        "csm",
        "health",
        "segment",
        "touch",
        "sentiment",
        "nps",
        "stage",
    ],
)];

/// Fields that only make sense together: the second comes from the source that the first came from.
const PAIRS: &[(&str, &str)] = &[
    ("health", "health_at"),
    ("status", "status_kind"),
    ("priority", "priority_kind"),
];

/// What a person configured about whose records and whose values count.
#[derive(Clone, Debug, Default)]
pub struct Configured {
    /// Whose value wins, best first: by `account.arr`, `account` or `*`.
    pub precedence: BTreeMap<String, Vec<String>>,
    /// By what two records are the same.
    pub identity: Identity,
    /// Kinds of which only the rows of these sources count, where several systems hold the same things and nothing ties them.
    pub owners: BTreeMap<Entity, Vec<String>>,
}

/// Whose records and whose values count.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    sources: Vec<(SourceName, Role)>,
    configured: Configured,
}

impl Rules {
    /// The rules for these sources, in the order of the configuration. What csops itself keeps always wins; what is not configured follows
    /// the roles; a source that no list names comes last, by its name.
    pub fn new(sources: Vec<(SourceName, Role)>, configured: Configured) -> Rules {
        Rules {
            sources,
            configured,
        }
    }

    /// By what two records are the same.
    pub fn identity(&self) -> &Identity {
        &self.configured.identity
    }

    /// Whether rows of a kind count for nothing when they come from this source, because others own the kind. What was imported or is kept
    /// here always counts.
    pub fn sets_aside(&self, entity: Entity, source: &str) -> bool {
        let configured = || self.sources.iter().any(|(s, _)| &**s == source);
        self.configured
            .owners
            .get(&entity)
            .is_some_and(|owners| !owners.iter().any(|o| o == source) && configured())
    }

    /// Whether a record counts for nothing: it is deleted, or set aside.
    pub fn is_out(&self, stored: &StoredRecord) -> bool {
        stored.record.deleted || self.sets_aside(stored.record.entity, &stored.source)
    }

    /// Smaller wins. Without a field: who is asked first for the thing as a whole.
    pub fn rank(&self, entity: Entity, field: Option<&str>, source: &str) -> u32 {
        if source == LOCAL {
            return 0;
        }
        let precedence = &self.configured.precedence;
        let listed = field
            .and_then(|f| precedence.get(&format!("{entity}.{f}")))
            .or_else(|| precedence.get(entity.name()))
            .or_else(|| precedence.get("*"));
        if let Some(at) = listed.and_then(|l| l.iter().position(|s| s == source)) {
            return 1 + at as u32;
        }
        let success_first = field.is_some_and(|f| {
            OWNED_BY_SUCCESS
                .iter()
                .any(|(e, fields)| *e == entity && fields.contains(&f))
        });
        match self.sources.iter().position(|(s, _)| &**s == source) {
            Some(at) => {
                let owner = match self.sources[at].1 {
                    Role::Crm => !success_first,
                    Role::Success => success_first,
                };
                (if owner { 1_000 } else { 2_000 }) + at as u32
            }
            None => 3_000,
        }
    }

    /// The configured sources but this one.
    pub(super) fn others<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a SourceName> {
        self.sources
            .iter()
            .map(|(s, _)| s)
            .filter(move |s| &***s != source)
    }

    /// Whether a source is one that holds customers first, so that an account of another is expected to be found there too.
    pub fn is_first(&self, source: &str) -> bool {
        let own = self.rank(Entity::Account, None, source);
        self.sources
            .iter()
            .all(|(s, _)| self.rank(Entity::Account, None, s) >= own)
    }

    /// The field that decides from which source this one is taken.
    pub(super) fn lead(field: &str) -> Option<&'static str> {
        PAIRS.iter().find(|(_, f)| *f == field).map(|(l, _)| *l)
    }

    /// A table of the ranks of these sources for every field of a kind that differs from the general order; so that a batch asks once.
    pub(super) fn table<'a>(
        &self,
        entity: Entity,
        fields: &'static [&'static str],
        sources: impl Iterator<Item = &'a SourceName> + Clone,
    ) -> Ranks {
        let general: HashMap<SourceName, u32> = sources
            .clone()
            .map(|s| (s.clone(), self.rank(entity, None, s)))
            .collect();
        let special = fields
            .iter()
            .filter_map(|f| {
                let ranks: HashMap<SourceName, u32> = sources
                    .clone()
                    .map(|s| (s.clone(), self.rank(entity, Some(f), s)))
                    .collect();
                (order(&ranks) != order(&general)).then_some((*f, ranks))
            })
            .collect();
        Ranks { general, special }
    }
}

fn order(ranks: &HashMap<SourceName, u32>) -> Vec<&SourceName> {
    let mut names: Vec<&SourceName> = ranks.keys().collect();
    names.sort_by_key(|n| (ranks[*n], (*n).clone()));
    names
}

/// The ranks of the sources of one batch.
pub(super) struct Ranks {
    general: HashMap<SourceName, u32>,
    special: HashMap<&'static str, HashMap<SourceName, u32>>,
}

impl Ranks {
    pub(super) fn of(&self, field: Option<&str>, source: &SourceName) -> u32 {
        field
            .and_then(|f| self.special.get(f))
            .unwrap_or(&self.general)
            .get(source)
            .copied()
            .unwrap_or(u32::MAX)
    }

    pub(super) fn is_special(&self, field: &str) -> bool {
        self.special.contains_key(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(configured: &[(&str, &[&str])]) -> Rules {
        Rules::new(
            vec![("cs".into(), Role::Success), ("crm".into(), Role::Crm)],
            Configured {
                precedence: configured
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), v.iter().map(|s| (*s).to_owned()).collect()))
                    .collect(),
                ..Configured::default()
            },
        )
    }

    fn first(rules: &Rules, field: &str) -> &'static str {
        let rank = |s| rules.rank(Entity::Account, Some(field), s);
        if rank("crm") < rank("cs") {
            "crm"
        } else {
            "cs"
        }
    }

    #[test]
    fn roles_decide_until_somebody_configures() {
        let plain = rules(&[]);
        assert_eq!(first(&plain, "arr"), "crm");
        assert_eq!(first(&plain, "health"), "cs");
        assert!(plain.is_first("crm") && !plain.is_first("cs"));
        assert_eq!(plain.rank(Entity::Account, Some("arr"), LOCAL), 0);
        let own = rules(&[("account.arr", &["cs"]), ("account", &["crm", "cs"])]);
        assert_eq!(first(&own, "arr"), "cs");
        assert_eq!(first(&own, "health"), "crm");
    }
}
