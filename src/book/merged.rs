//! What passes between the store and merge: the records that wait to be merged, what is known about them, and the merged rows.

use super::crosswalk::{CrosswalkEntry, Unmatched};
use super::id::{Entity, LocalId, SourceName, Target};
use super::record::Record;
use super::rows::{
    Account, Contact, Escalation, Movement, Opportunity, Person, Provenance, Rate, Renewal, Signal,
    Subscription, Task, Ticket, Touchpoint,
};
use super::value::{FieldError, FieldValue};
use serde::{Deserialize, Serialize};

/// Names one record of one vendor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordKey {
    /// The source.
    pub source: SourceName,
    /// The kind.
    pub entity: Entity,
    /// The vendor's id.
    pub external_id: String,
}

/// A record as the store holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRecord {
    /// Whose.
    pub source: SourceName,
    /// The record. References are the vendor's ids ([`FieldValue::Ref`]); what csops wrote itself may also hold local ids
    /// ([`FieldValue::Id`]), which need no resolving.
    pub record: Record,
}

impl StoredRecord {
    /// Its name.
    pub fn key(&self) -> RecordKey {
        RecordKey {
            source: self.source.clone(),
            entity: self.record.entity,
            external_id: self.record.external_id.clone(),
        }
    }
}

/// Records of one kind that wait to be merged, with all that the store knows about them.
#[derive(Clone, Debug, Default)]
pub struct DirtyBatch {
    /// The kind of all of them.
    pub entity: Option<Entity>,
    /// The records that changed.
    pub dirty: Vec<StoredRecord>,
    /// The unchanged records that belong to the same local rows.
    pub siblings: Vec<StoredRecord>,
    /// Whose they are, as far as known, and where their references lead (all of these sources, any kind).
    pub crosswalk: Vec<CrosswalkEntry>,
}

/// What two records of one thing may have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchKey {
    /// A vendor's id, of whichever source.
    Identifier(String),
    /// The id that one source gives it.
    IdentifierOf(SourceName, String),
    /// Whoever holds, as an id of another system, the id that this source gives it.
    HeldOf(SourceName, String),
    /// An internet domain, lower case, without `www.`.
    Domain(String),
    /// An e-mail address, lower case.
    Email(String),
    /// A name, compared without regard to case.
    Name(String),
}

/// A local row that answers to a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The key asked for.
    pub key: MatchKey,
    /// The row.
    pub local: LocalId,
    /// What it is called.
    pub name: String,
    /// The sources that already have a record of it.
    pub sources: Vec<SourceName>,
    /// The account that a contact belongs to.
    pub account: Option<LocalId>,
}

/// A row of any kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the variants are the kinds of `Entity`
pub enum AnyRow {
    Account(Account),
    Contact(Contact),
    Person(Person),
    Subscription(Subscription),
    Movement(Movement),
    Renewal(Renewal),
    Opportunity(Opportunity),
    Task(Task),
    Ticket(Ticket),
    Escalation(Escalation),
    Touchpoint(Touchpoint),
    Signal(Signal),
    Rate(Rate),
}

macro_rules! each_row {
    ($self:expr, $row:ident => $body:expr) => {
        match $self {
            AnyRow::Account($row) => $body,
            AnyRow::Contact($row) => $body,
            AnyRow::Person($row) => $body,
            AnyRow::Subscription($row) => $body,
            AnyRow::Movement($row) => $body,
            AnyRow::Renewal($row) => $body,
            AnyRow::Opportunity($row) => $body,
            AnyRow::Task($row) => $body,
            AnyRow::Ticket($row) => $body,
            AnyRow::Escalation($row) => $body,
            AnyRow::Touchpoint($row) => $body,
            AnyRow::Signal($row) => $body,
            AnyRow::Rate($row) => $body,
        }
    };
}

impl AnyRow {
    /// An empty row of a kind.
    pub fn empty(target: Target) -> AnyRow {
        let mut row = match target.entity {
            Entity::Account => AnyRow::Account(Account::default()),
            Entity::Contact => AnyRow::Contact(Contact::default()),
            Entity::Person => AnyRow::Person(Person::default()),
            Entity::Subscription => AnyRow::Subscription(Subscription::default()),
            Entity::Movement => AnyRow::Movement(Movement::default()),
            Entity::Renewal => AnyRow::Renewal(Renewal::default()),
            Entity::Opportunity => AnyRow::Opportunity(Opportunity::default()),
            Entity::Task => AnyRow::Task(Task::default()),
            Entity::Ticket => AnyRow::Ticket(Ticket::default()),
            Entity::Escalation => AnyRow::Escalation(Escalation::default()),
            Entity::Touchpoint => AnyRow::Touchpoint(Touchpoint::default()),
            Entity::Signal => AnyRow::Signal(Signal::default()),
            Entity::Rate => AnyRow::Rate(Rate::default()),
        };
        each_row!(&mut row, r => r.id = target.id);
        row
    }

    /// Its kind and local id.
    pub fn target(&self) -> Target {
        let entity = match self {
            AnyRow::Account(_) => Entity::Account,
            AnyRow::Contact(_) => Entity::Contact,
            AnyRow::Person(_) => Entity::Person,
            AnyRow::Subscription(_) => Entity::Subscription,
            AnyRow::Movement(_) => Entity::Movement,
            AnyRow::Renewal(_) => Entity::Renewal,
            AnyRow::Opportunity(_) => Entity::Opportunity,
            AnyRow::Task(_) => Entity::Task,
            AnyRow::Ticket(_) => Entity::Ticket,
            AnyRow::Escalation(_) => Entity::Escalation,
            AnyRow::Touchpoint(_) => Entity::Touchpoint,
            AnyRow::Signal(_) => Entity::Signal,
            AnyRow::Rate(_) => Entity::Rate,
        };
        Target {
            entity,
            id: each_row!(self, r => r.id),
        }
    }

    /// The canonical names of its fields.
    pub fn fields(&self) -> &'static [&'static str] {
        match self {
            AnyRow::Account(_) => Account::FIELDS,
            AnyRow::Contact(_) => Contact::FIELDS,
            AnyRow::Person(_) => Person::FIELDS,
            AnyRow::Subscription(_) => Subscription::FIELDS,
            AnyRow::Movement(_) => Movement::FIELDS,
            AnyRow::Renewal(_) => Renewal::FIELDS,
            AnyRow::Opportunity(_) => Opportunity::FIELDS,
            AnyRow::Task(_) => Task::FIELDS,
            AnyRow::Ticket(_) => Ticket::FIELDS,
            AnyRow::Escalation(_) => Escalation::FIELDS,
            AnyRow::Touchpoint(_) => Touchpoint::FIELDS,
            AnyRow::Signal(_) => Signal::FIELDS,
            AnyRow::Rate(_) => Rate::FIELDS,
        }
    }

    /// A field's value by its canonical name; `None` when the kind has no such field.
    pub fn get(&self, field: &str) -> Option<FieldValue> {
        each_row!(self, r => r.get(field))
    }

    /// Sets a field by its canonical name.
    ///
    /// # Errors
    /// No such field, or a value of another type; the row is then unchanged.
    pub fn set(&mut self, field: &str, value: &FieldValue) -> Result<(), FieldError> {
        each_row!(self, r => r.set(field, value))
    }

    /// The account that it belongs to; an account belongs to itself, people and rates to none.
    pub fn account(&self) -> LocalId {
        if let AnyRow::Account(a) = self {
            return a.id;
        }
        match self.get("account") {
            Some(FieldValue::Id(id)) => id,
            _ => LocalId::NONE,
        }
    }
}

/// A merged row with what the Book does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedRow {
    /// The row.
    pub row: AnyRow,
    /// The tenant's own fields, `x.` taken off.
    pub extra: Vec<(String, FieldValue)>,
    /// Where its values came from.
    pub provenance: Vec<Provenance>,
}

/// What merge made of a batch; the store writes all of it in one transaction.
#[derive(Clone, Debug, Default)]
pub struct MergeBatch {
    /// New and changed rows.
    pub rows: Vec<MergedRow>,
    /// Rows all of whose records are gone.
    pub removed: Vec<Target>,
    /// New or changed ties of records to local rows.
    pub crosswalk: Vec<CrosswalkEntry>,
    /// What could not be tied, or stands on its own but looks like another; replaces what was said of these records before.
    pub unmatched: Vec<Unmatched>,
    /// The records that have been dealt with.
    pub clean: Vec<RecordKey>,
    /// A record and one that it refers to and that is not there yet; it becomes dirty again once that one is tied to a row.
    pub waiting: Vec<(RecordKey, RecordKey)>,
}
