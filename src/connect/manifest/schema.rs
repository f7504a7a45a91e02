//! What a manifest can say. Every word is from a closed list; an unknown key or value is an error with its place. One page of documentation for
//! people: `docs/connectors.md`.

mod connection;
mod reading;
mod request;
mod writing;

use super::object::ObjectSpec;
use super::stream::StreamPart;
pub use super::stream::StreamSpec;
use super::template::{PathText, Text};
use crate::book::Entity;
pub use connection::*;
pub use reading::*;
pub use request::*;
use serde::Deserialize;
use std::collections::BTreeMap;
pub use writing::*;

/// One system: who it is, how to log in, what to fetch, what it means, what may be written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this language: 1.
    pub manifest: u32,
    /// The connector's name in the configuration.
    pub id: String,
    /// What people call the system.
    pub name: String,
    /// What kind of system it is.
    pub role: Role,
    /// Whether the vendor still offers it.
    #[serde(default)]
    pub status: Status,
    /// The day on which its facts were looked up.
    #[serde(default)]
    pub checked: Option<String>,
    /// The vendor's own documentation.
    #[serde(default)]
    pub docs: Option<String>,
    /// Rust code for what this language cannot say.
    #[serde(default)]
    pub adapter: Option<Adapter>,
    /// What a source may set under `[source.options]`.
    #[serde(default)]
    pub option: BTreeMap<String, OptionSpec>,
    /// What a source must set under `[source.secrets]`, and what it is for.
    #[serde(default)]
    pub secret: BTreeMap<String, String>,
    /// Words that depend on an option.
    #[serde(default)]
    pub switch: BTreeMap<String, Switch>,
    /// Addresses and headers.
    pub http: HttpSpec,
    /// Logging in.
    pub auth: AuthSpec,
    /// One request that proves the credentials.
    #[serde(default)]
    pub check: Option<Check>,
    /// The vendor's limits; several may apply to one request.
    #[serde(default)]
    pub limit: Vec<Limit>,
    /// Where an error's words are, and what errors mean that HTTP alone does not tell.
    #[serde(default)]
    pub errors: Errors,
    /// Lists of values with their labels, read once: stages, statuses.
    #[serde(default)]
    pub pick: BTreeMap<String, Pick>,
    /// What is read, in the order of a sync.
    #[serde(skip)]
    pub stream: Vec<StreamSpec>,
    /// The same as it stands in the file.
    #[serde(default, rename = "stream")]
    pub(super) parts: Vec<StreamPart>,
    /// What several streams have in common.
    #[serde(default)]
    pub(super) template: BTreeMap<String, StreamPart>,
    /// What an adapter reads, in the order of a sync.
    #[serde(default)]
    pub object: Vec<ObjectSpec>,
    /// What may be written.
    #[serde(default)]
    pub write: BTreeMap<Entity, WriteSpec>,
    /// Addresses of rows in the vendor's own pages.
    #[serde(default)]
    pub web: BTreeMap<Entity, PathText>,
}

/// What a system is to a team; decides whose value wins by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Role {
    Crm,
    Cs,
    Analytics,
    Bi,
    Survey,
    Support,
    Docs,
}

/// Whether a vendor still offers a system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Status {
    #[default]
    Live,
    Sunset,
    File,
}

/// The Rust adapters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Adapter {
    Salesforce,
    Gainsight,
    Files,
}

/// An option of a source.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionSpec {
    /// What it is for.
    pub help: String,
    /// Its value when none is set; without one it is empty.
    #[serde(default)]
    pub default: Option<String>,
    /// The values that it may have; empty: any.
    #[serde(default)]
    pub values: Vec<String>,
}

/// A word chosen by an option.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The option.
    pub by: String,
    /// The word for each of its values.
    #[serde(default)]
    pub is: BTreeMap<String, Text>,
    /// The word for all others.
    #[serde(rename = "else")]
    pub otherwise: Text,
}

/// Options that every source has.
pub const COMMON: [&str; 2] = ["currency", "requests_per_minute"];
