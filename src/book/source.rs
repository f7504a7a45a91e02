//! What is known of a source: what it can do, how its sync goes, what its budget is.

use super::id::{Entity, SourceName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether a source can take a kind of write, and what happens if not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WriteSupport {
    /// The kind of thing.
    pub entity: Entity,
    /// The field, or `*` for creating and `-` for deleting.
    pub field: String,
    /// The vendor's own field or endpoint that is written; empty when it is not supported.
    pub writes: String,
    /// Whether the vendor can refuse an overwrite (conditional header), or we only compare just before.
    pub guarded: bool,
    /// Why not, in words, when it is not supported.
    pub why_not: Option<String>,
}

/// What a source can do; shown before a key is pressed and by `csops connect describe`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Capabilities {
    /// What can be written.
    pub writes: Vec<WriteSupport>,
    /// Pick-list values that the vendor accepts, by entity and canonical field (`renewal`, `stage`).
    pub choices: Vec<(Entity, String, Vec<String>)>,
}

impl Capabilities {
    /// The support for a field of a kind (`*` create, `-` delete).
    pub fn support(&self, entity: Entity, field: &str) -> Option<&WriteSupport> {
        self.writes
            .iter()
            .find(|w| w.entity == entity && w.field == field)
    }
    /// Whether it can be written.
    pub fn can(&self, entity: Entity, field: &str) -> bool {
        self.support(entity, field)
            .is_some_and(|w| w.why_not.is_none())
    }
    /// The vendor's values for a field.
    pub fn choices(&self, entity: Entity, field: &str) -> &[String] {
        self.choices
            .iter()
            .find(|(e, f, _)| *e == entity && f == field)
            .map_or(&[], |(_, _, c)| c)
    }
}

/// How much of a vendor's allowance is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Requests of ours today.
    pub ours: u64,
    /// Our promise per day (`daily_requests`).
    pub promise: Option<u64>,
    /// Requests that the vendor counted, everybody's.
    pub vendor_used: Option<u64>,
    /// The vendor's limit.
    pub vendor_max: Option<u64>,
}

/// What a source is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Never synced.
    #[default]
    New,
    /// Waiting for its next run.
    Idle,
    /// A run is under way.
    Running,
    /// The last run failed; the next is planned.
    Failing,
    /// It cannot run until a person does something (refused login, bad configuration).
    Stopped,
    /// Another csops holds the lease and syncs for us.
    Elsewhere,
}

/// How one stream of a source goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamStatus {
    /// The stream, `accounts`.
    pub stream: String,
    /// Rows held.
    pub rows: u64,
    /// Rows changed by the last run.
    pub changed: u64,
    /// The last run that went through.
    pub last_success: Option<Timestamp>,
    /// How far behind the vendor we were then, seconds.
    pub lag: Option<i64>,
    /// The last error, with its remedy.
    pub error: Option<String>,
    /// Rows that were refused, and the first few reasons.
    pub problems: u64,
    /// Requests of the last run.
    pub requests: u64,
    /// While a run is under way: rows so far and the vendor's total, if it says.
    pub progress: Option<(u64, Option<u64>)>,
}

/// How a source goes: what `csops status`, the sync screen and `doctor` show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// The source's name.
    pub source: Option<SourceName>,
    /// Its connector, `salesforce`.
    pub connector: String,
    /// Where it is reached.
    pub base_url: String,
    /// What it does.
    pub state: SourceState,
    /// The last run in which every stream went through.
    pub last_success: Option<Timestamp>,
    /// The next planned run.
    pub next_run: Option<Timestamp>,
    /// What went wrong last and what to do.
    pub error: Option<String>,
    /// Writes are switched off.
    pub read_only: bool,
    /// Requests.
    pub budget: Budget,
    /// Stream by stream.
    pub streams: Vec<StreamStatus>,
    /// The newest log lines, oldest first.
    pub log: Vec<(Timestamp, String)>,
}

/// One field of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TenantField {
    /// What kind of thing has it.
    pub entity: Entity,
    /// Its name, as `[source.fields]` takes it.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Its type, in the vendor's word.
    pub kind: String,
    /// Rows that fill it, of so many that were looked at.
    pub filled: Option<(usize, usize)>,
    /// The canonical field that it is read as.
    pub mapped: Option<String>,
    /// The canonical field that it could be: a line for `[source.fields]`.
    pub proposed: Option<String>,
}
