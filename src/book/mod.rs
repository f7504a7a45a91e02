//! What we know: the vocabulary that every room shares, and the [`Book`], an immutable snapshot of everything in compact columns.
//!
//! Enter through [`rows`] (one struct per kind of thing, as merged from all systems), [`record`] (what one vendor said),
//! [`change`] (what a person wants changed) and [`Book`]. Nothing here does I/O or asks the clock: see [`Clock`].

pub mod calendar;
mod chains;
pub mod change;
pub mod clock;
pub mod column;
pub mod company;
pub mod crosswalk;
pub mod day;
pub mod derived;
mod excerpt;
pub mod forecast;
pub mod fx;
pub mod history;
pub mod id;
pub mod judge;
pub mod ledger;
pub mod merged;
pub mod nearest;
pub mod opportunities;
pub mod record;
pub mod registry;
pub mod role;
pub mod rows;
pub mod signals;
pub mod snapshot;
pub mod source;
mod tables;
pub mod text;
pub mod value;
pub mod views;

pub use calendar::{Calendar, Quarter};
pub use change::{
    Change, Conflict, ConflictField, FieldChange, Operation, OutboxItem, OutboxState, Overlay, Verb,
};
pub use clock::Clock;
pub use crosswalk::{CrosswalkEntry, MatchHow, Unmatched};
pub use day::{Day, fold};
pub use derived::{AccountDerived, Derived};
pub use forecast::{ForecastScope, ForecastSnapshot};
pub use fx::{Fx, RateKind};
pub use history::{DayFigures, Every, History, HistoryPoint};
pub use id::{Entity, LocalId, SourceName, Target};
pub use ledger::{Began, MovementKind, MovementRow, SubscriptionRow};
pub use merged::{
    AnyRow, Candidate, DirtyBatch, MatchKey, MergeBatch, MergedRow, RecordKey, StoredRecord,
};
pub use opportunities::OpportunityRow;
pub use record::{Cursor, Record, RowProblem};
pub use registry::Scope;
pub use role::Role;
pub use rows::{
    Account, AccountDetail, Contact, Escalation, Facts, Followed, Movement, Opportunity, Person,
    Provenance, Rate, Renewal, RowDelta, SERIES, Signal, Subscription, Task, Ticket, Touchpoint,
};
pub use signals::SignalRow;
pub use snapshot::{Book, TextColumn};
pub use source::{
    Budget, Capabilities, SourceState, SourceStatus, StreamStatus, TenantField, WriteSupport,
};
pub use value::{FieldError, FieldValue, Money};
pub use views::{AccountRow, EscalationRow, PersonRow, RenewalRow, TaskRow};
