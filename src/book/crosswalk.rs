//! Whose record is it: the stored table that ties a vendor's id to a local one, and what could not be tied.

use super::id::{Entity, LocalId, SourceName};
use serde::{Deserialize, Serialize};

/// How two records were found to be the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchHow {
    /// First of its kind: it opened the local row.
    New,
    /// One system stores the other's id.
    Identifier,
    /// The same internet domain (accounts) or e-mail address (people).
    Domain,
    /// The same name, confirmed by a person.
    Name,
    /// A person said so.
    Manual,
    /// There is no such record: rows of the source refer to the thing by this text (its id elsewhere, its domain or its name).
    Named,
}

/// One vendor's record and the local row that it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrosswalkEntry {
    /// The source.
    pub source: SourceName,
    /// The kind.
    pub entity: Entity,
    /// The vendor's id.
    pub external_id: String,
    /// The local row.
    pub local: LocalId,
    /// How they were matched.
    pub how: MatchHow,
}

/// An account of one system that looks like an account of another but was not matched, or a row that refers to nothing we know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unmatched {
    /// The source.
    pub source: SourceName,
    /// The kind.
    pub entity: Entity,
    /// The vendor's id.
    pub external_id: String,
    /// What it is called there.
    pub name: String,
    /// The local row that it stands on its own as, if it has one.
    pub local: LocalId,
    /// The local row that it may be the same as (`account confirm` merges them).
    pub candidate: Option<LocalId>,
    /// Why it is listed, in words.
    pub reason: String,
}
