//! What may be written, and how.

use super::super::path::Path;
use super::super::template::Text;
use super::*;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What may be written of a kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteSpec {
    /// The stream whose mapping reads it back; without one, the first of its kind.
    #[serde(default)]
    pub stream: Option<String>,
    /// What stands before the vendor's name of a field that is written as `=field`.
    #[serde(default)]
    pub prefix: String,
    /// Reads one row as it is now.
    #[serde(default)]
    pub read: Option<One>,
    /// Makes one.
    #[serde(default)]
    pub create: Option<One>,
    /// Changes one.
    #[serde(default)]
    pub update: Option<One>,
    /// Takes one away.
    #[serde(default)]
    pub delete: Option<One>,
    /// Asks whether a create arrived.
    #[serde(default)]
    pub find: Option<Find>,
    /// What must be known before: the id of a person, another key of the account.
    #[serde(default)]
    pub lookup: BTreeMap<String, Lookup>,
    /// Canonical fields and how they are written.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldWrite>,
    /// What the vendor's API cannot do, in words; `*` is creating, `-` deleting.
    #[serde(default)]
    pub cannot: BTreeMap<String, String>,
}

/// A request about one row and where the row is in its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct One {
    /// The request.
    pub request: Request,
    /// The row in the answer; without one the answer is not read.
    #[serde(default)]
    pub row: Option<Path>,
    /// Its id there, when there is no whole row.
    #[serde(default)]
    pub id: Option<Path>,
    /// The id is made by us.
    #[serde(default)]
    pub id_text: Option<Text>,
}

/// Asks whether a create arrived.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// The request.
    pub request: Request,
    /// Rows of the answer.
    #[serde(default)]
    pub rows: Path,
    /// Which of them it is.
    #[serde(default)]
    pub when: Option<Condition>,
}

/// Something to be known before a write.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The request.
    pub request: Request,
    /// Where the value is.
    pub value: Path,
}

/// How a field is written.
#[derive(Clone, Debug, Default)]
pub struct FieldWrite {
    /// The vendor's field, a path into the changed table. Without one only `words` with tables write.
    pub to: Option<String>,
    /// The form of its value.
    pub form: Option<super::super::template::Format>,
    /// A text made of it.
    pub text: Option<Text>,
    /// Canonical words and the vendor's words for them.
    pub words: BTreeMap<String, toml::Value>,
    /// The pick list whose label is given and whose value is sent.
    pub pick: Option<String>,
    /// Only when the row is made.
    pub create_only: bool,
    /// Only where an option says so.
    pub when: Option<Condition>,
}
