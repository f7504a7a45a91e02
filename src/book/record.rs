//! What one vendor said: a [`Record`] in canonical fields, before anything is merged.

use super::id::Entity;
use super::value::FieldValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A field's canonical name (see [`rows`](super::rows)), or `x.` and the tenant's own name.
pub type FieldName = Cow<'static, str>;

/// One row of one vendor, in canonical fields. References to other rows are [`FieldValue::Ref`] with the vendor's own id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What it is.
    pub entity: Entity,
    /// The vendor's id; never empty.
    pub external_id: String,
    /// When the vendor last modified it, where it says so.
    pub modified: Option<Timestamp>,
    /// The vendor says that it is gone; then the fields are empty.
    pub deleted: bool,
    /// The values. A field that the vendor did not send is absent; one that it sent empty is [`FieldValue::Null`].
    pub fields: Vec<(FieldName, FieldValue)>,
}

impl Record {
    /// The value of a field, if the vendor sent it.
    pub fn get(&self, field: &str) -> Option<&FieldValue> {
        self.fields.iter().find(|(n, _)| n == field).map(|(_, v)| v)
    }
}

/// A field (yes) of a record that only says that there is something of this id, because another row refers to it: the record is kept
/// where nothing of its source, and nothing else that it can mean, is known by that id, by that domain or e-mail address, or by exactly
/// that name. It never changes what is there, and the field itself is not kept.
pub const IMPLIED: &str = "implied";

/// Where a stream's next request starts: opaque to everybody but its connector. Stored with the rows that it covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// A row that could not be taken, and why; shown on the sync screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowProblem {
    /// The kind of row.
    pub entity: Entity,
    /// The vendor's id, if it had one.
    pub external_id: Option<String>,
    /// What was wrong with it, in words.
    pub reason: String,
}
