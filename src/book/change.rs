//! What a person wants changed, and what became of it: changes, operations, the outbox and conflicts.

use super::id::{Entity, LocalId, SourceName, Target};
use super::record::FieldName;
use super::value::FieldValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What is done to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// A new thing; its local id is already given.
    Create,
    /// Some fields of a thing.
    Update,
    /// The thing goes away (the inverse of a create).
    Delete,
}

/// One field: what we started from and what we want.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's canonical name.
    pub field: FieldName,
    /// The value before.
    pub base: FieldValue,
    /// The value wanted.
    pub want: FieldValue,
}

/// One change to one thing, as a command yields it. References are local ids ([`FieldValue::Id`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What is changed. For a create the id is [`LocalId::NONE`] until the store gives one.
    pub target: Target,
    /// The account that it belongs to.
    pub account: LocalId,
    /// What is done.
    pub verb: Verb,
    /// The fields.
    pub fields: Vec<FieldChange>,
    /// The source that is to hold it, or [`LOCAL`](super::id::LOCAL).
    pub source: SourceName,
}

impl Change {
    /// What takes it back: an update's values change places, a create is deleted (a risk is closed instead, for people have seen
    /// it). `None` for a delete: what is gone at the vendor cannot be brought back.
    pub fn inverse(&self) -> Option<Change> {
        let (verb, fields) = match self.verb {
            Verb::Update => (
                Verb::Update,
                self.fields
                    .iter()
                    .map(|f| FieldChange {
                        field: f.field.clone(),
                        base: f.want.clone(),
                        want: f.base.clone(),
                    })
                    .collect(),
            ),
            Verb::Create if self.target.entity == Entity::Escalation => {
                let base = self
                    .fields
                    .iter()
                    .find(|f| f.field == "status_kind")
                    .map_or(FieldValue::Null, |f| f.want.clone());
                let close = FieldChange {
                    field: "status_kind".into(),
                    base,
                    want: FieldValue::Text("closed".into()),
                };
                (Verb::Update, vec![close])
            }
            Verb::Create => (Verb::Delete, Vec::new()),
            Verb::Delete => return None,
        };
        Some(Change {
            target: self.target,
            account: self.account,
            verb,
            fields,
            source: self.source.clone(),
        })
    }
}

/// One command as it was run: its changes are done and undone together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Time-ordered UUID.
    pub id: String,
    /// The command as text, `snooze 2026-12-01`.
    pub command: String,
    /// What a person reads: `snoozed 3 accounts until 1 Dec`.
    pub summary: String,
    /// When.
    pub at: Timestamp,
    /// Who (e-mail of `[me]`, else the login name).
    pub who: String,
    /// What it did, with the values before and after.
    pub changes: Vec<Change>,
    /// The operation that this one takes back.
    pub undoes: Option<String>,
    /// It has been taken back.
    pub undone: bool,
}

/// Where an outbox item stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum OutboxState {
    /// Waits for its grace or its next attempt (`OutboxItem::next_attempt`).
    Waiting,
    /// On its way; found in this state after a crash it counts as [`Unknown`](OutboxState::Unknown) when it is a create.
    Sending,
    /// Sent, no answer heard: csops asks the vendor before it sends again.
    Unknown,
    /// The vendor has it.
    Done,
    /// The vendor refused it; a person must edit, retry or drop it.
    Failed,
    /// The vendor's value changed meanwhile; a person chooses.
    Conflict,
    /// Taken back before it was sent, or dropped.
    Dropped,
}

impl OutboxState {
    /// The name in the database and in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            OutboxState::Waiting => "waiting",
            OutboxState::Sending => "sending",
            OutboxState::Unknown => "unknown",
            OutboxState::Done => "done",
            OutboxState::Failed => "failed",
            OutboxState::Conflict => "conflict",
            OutboxState::Dropped => "dropped",
        }
    }
    /// The state of that name.
    pub fn parse(name: &str) -> Option<OutboxState> {
        use OutboxState::*;
        [Waiting, Sending, Unknown, Done, Failed, Conflict, Dropped]
            .into_iter()
            .find(|s| s.name() == name)
    }
    /// Whether its values still lie over what the vendors said.
    pub fn is_pending(&self) -> bool {
        !matches!(self, OutboxState::Done | OutboxState::Dropped)
    }
    /// Whether it is still to be sent without a person's help.
    pub fn is_moving(&self) -> bool {
        matches!(
            self,
            OutboxState::Waiting | OutboxState::Sending | OutboxState::Unknown
        )
    }
}

/// One write to one vendor, durable until it is confirmed or dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxItem {
    /// UUID; also the marker or idempotency key of a create.
    pub id: String,
    /// The operation that it belongs to.
    pub operation: String,
    /// The operation's command, for lists.
    pub command: String,
    /// The change.
    pub change: Change,
    /// The vendor's id of the target, once known.
    pub external_id: Option<String>,
    /// Where it stands.
    pub state: OutboxState,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this instant (grace or back-off).
    pub next_attempt: Timestamp,
    /// What the vendor or the network said last, in words.
    pub error: Option<String>,
    /// The values in conflict.
    pub conflict: Option<Conflict>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was done or dropped.
    pub finished: Option<Timestamp>,
}

/// The vendor's values changed while we wanted to change them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// When the vendor says that it was modified.
    pub modified: Option<Timestamp>,
    /// Who modified it, if the vendor says.
    pub by: Option<String>,
    /// Field by field.
    pub fields: Vec<ConflictField>,
}

/// One field in conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConflictField {
    /// The field.
    pub field: FieldName,
    /// What we started from.
    pub base: FieldValue,
    /// What we want.
    pub mine: FieldValue,
    /// What the vendor has now.
    pub theirs: FieldValue,
}

/// The unsent changes that lie over what the vendors said: applied when rows enter a Book.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    /// Pending changes by target, oldest first.
    pub changes: HashMap<(Entity, LocalId), Vec<Change>>,
}

impl Overlay {
    /// The overlay of those items that are pending, in the order given.
    pub fn of<'a>(items: impl IntoIterator<Item = &'a OutboxItem>) -> Overlay {
        let mut overlay = Overlay::default();
        for item in items {
            if item.state.is_pending() {
                overlay.push(&item.change);
            }
        }
        overlay
    }
    /// Lays one more change over the rest.
    pub fn push(&mut self, change: &Change) {
        let key = (change.target.entity, change.target.id);
        self.changes.entry(key).or_default().push(change.clone());
    }
    /// The changes of one thing.
    pub fn of_target(&self, entity: Entity, id: LocalId) -> &[Change] {
        self.changes.get(&(entity, id)).map_or(&[], Vec::as_slice)
    }
}
