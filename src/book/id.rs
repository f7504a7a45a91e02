//! Identities: local ids that survive merging and splitting, the kinds of thing, and names of sources.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The name that a person gave a source in the configuration (`[[source]] name`), or [`LOCAL`] for what is kept here.
pub type SourceName = Arc<str>;

/// The source of what csops itself keeps and no vendor holds: snoozes, levels, tags, times of acknowledgement.
pub const LOCAL: &str = "local";

/// A stable number for one thing in one database, unique within its [`Entity`]; 0 is "none yet". It survives merging and splitting.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LocalId(pub u32);

impl LocalId {
    /// No thing yet.
    pub const NONE: LocalId = LocalId(0);
    /// Whether this names a thing.
    pub fn is_some(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Display for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kinds of thing that a Book holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// A customer.
    Account,
    /// A person at a customer.
    Contact,
    /// One of our own people (a user of the systems of record).
    Person,
    /// A stretch of a subscription line: what was sold, from when to when, for how much a year.
    Subscription,
    /// A change of annual recurring revenue, as a ledger holds it.
    Movement,
    /// A renewal: an opportunity or renewal record with a due date and an amount.
    Renewal,
    /// A chance to sell an existing customer more: upsell, cross-sell, more seats.
    Opportunity,
    /// Something to do.
    Task,
    /// A support case.
    Ticket,
    /// A risk or escalation: the open item of the queue (Gainsight: call to action of type Risk).
    Escalation,
    /// Something that happened with the customer: call, mail, meeting, note.
    Touchpoint,
    /// A dated number: weekly usage, health, survey score.
    Signal,
    /// A currency's rate.
    Rate,
}

impl Entity {
    /// Every kind, in the order in which a sync wants them (what others refer to comes first).
    pub const ALL: [Entity; 13] = [
        Entity::Person,
        Entity::Rate,
        Entity::Account,
        Entity::Contact,
        Entity::Subscription,
        Entity::Movement,
        Entity::Renewal,
        Entity::Opportunity,
        Entity::Task,
        Entity::Ticket,
        Entity::Escalation,
        Entity::Touchpoint,
        Entity::Signal,
    ];

    /// The name used in the database, in JSON and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Entity::Account => "account",
            Entity::Contact => "contact",
            Entity::Person => "person",
            Entity::Subscription => "subscription",
            Entity::Movement => "movement",
            Entity::Renewal => "renewal",
            Entity::Opportunity => "opportunity",
            Entity::Task => "task",
            Entity::Ticket => "ticket",
            Entity::Escalation => "escalation",
            Entity::Touchpoint => "touchpoint",
            Entity::Signal => "signal",
            Entity::Rate => "rate",
        }
    }

    /// The kind of thing that a field of that name refers to, whatever row it stands in; `None` for a field that is no reference.
    pub fn referred_by(field: &str) -> Option<Entity> {
        match field {
            "account" | "parent" => Some(Entity::Account),
            "csm" | "owner" | "author" | "manager" => Some(Entity::Person),
            "contact" => Some(Entity::Contact),
            "escalation" => Some(Entity::Escalation),
            _ => None,
        }
    }

    /// Whether retention changes when a thing of this kind leaves.
    pub(super) fn moves_retention(self) -> bool {
        matches!(
            self,
            Entity::Account | Entity::Renewal | Entity::Opportunity
        )
    }

    /// The kind of that [`name`](Entity::name).
    pub fn parse(name: &str) -> Option<Entity> {
        Entity::ALL.into_iter().find(|e| e.name() == name)
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One thing: its kind and its local id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The kind.
    pub entity: Entity,
    /// Which one.
    pub id: LocalId,
}
