//! The vendors: authentication, HTTP, paging, field mapping and writes. No vendor's name appears in another room (but `simulate`).
//!
//! Enter through [`open`], which turns plain [`SourceSettings`] into a [`Connector`]: by the manifest of its system ([`manifest`]).

pub mod auth;
pub mod canon;
pub mod convert;
pub mod describe;
pub mod files;
mod gainsight;
pub mod guard;
pub mod http;
pub mod json;
pub mod manifest;
mod salesforce;

pub use auth::{Auth, AuthPlan, LoginBody, LoginPlan, OauthDefaults, SendClient};

use crate::book::{
    Budget, Capabilities, Clock, Conflict, Cursor, Entity, FieldValue, Record, RowProblem,
};
use futures_util::future::BoxFuture;
use manifest::{Library, schema::Adapter};
use std::sync::Arc;
use std::time::Duration;

/// A field that a record may carry beside its canonical ones: the ids that *other* systems give the same thing (a list of texts, as
/// stored by this vendor: a Salesforce account id on a Gainsight company). Identity is settled by it first.
pub const IDENTIFIERS: &str = "identifiers";

/// Opens a source: checks its settings and builds the HTTP client; sends nothing. `library` has the connectors that there are; `tokens` is a place
/// for refresh tokens that the vendor rotates: without one a rotated token lives as long as the process.
///
/// # Errors
/// [`ErrorKind::Setup`] when the settings cannot work: unknown connector, a manifest with a mistake, bad address, unreadable certificate file.
pub fn open(
    settings: SourceSettings,
    library: &Library,
    clock: Arc<dyn Clock>,
    tokens: Option<Arc<dyn TokenStore>>,
) -> Result<Box<dyn Connector>, ConnectError> {
    let manifest = manifest_of(&settings, library)?;
    Ok(match manifest.adapter {
        Some(Adapter::Salesforce) => Box::new(salesforce::Salesforce::open(
            manifest, &settings, clock, tokens,
        )?),
        Some(Adapter::Gainsight) => Box::new(gainsight::Gainsight::open(
            manifest, &settings, clock, tokens,
        )?),
        Some(Adapter::Files) => Box::new(files::Folder::open(&settings)?),
        None => Box::new(manifest::ManifestConnector::open(
            manifest, &settings, clock, tokens,
        )?),
    })
}

/// The requests that a manifest makes its adapter send, each with what it is for; none for a manifest without one.
fn adapter_requests(
    m: &manifest::schema::Manifest,
    options: &std::collections::BTreeMap<String, String>,
    now: jiff::Timestamp,
) -> Vec<(String, http::Ask)> {
    match m.adapter {
        Some(Adapter::Salesforce) => salesforce::preview(m, options, now),
        Some(Adapter::Gainsight) => gainsight::preview(m, options, now),
        Some(Adapter::Files) | None => Vec::new(),
    }
}

/// What a source's connector knows about logging in: where its vendor gives out tokens, and what a two-step login looks like.
///
/// # Errors
/// Setup, when there is no such connector or its manifest cannot be used.
pub fn auth_plan(settings: &SourceSettings, library: &Library) -> Result<AuthPlan, ConnectError> {
    Ok(manifest_of(settings, library)?.auth_plan())
}

fn manifest_of(
    settings: &SourceSettings,
    library: &Library,
) -> Result<Arc<manifest::schema::Manifest>, ConnectError> {
    let setup = |message: String| ConnectError {
        kind: ErrorKind::Setup,
        message: format!("{}: {message}", settings.name),
    };
    match library.get(&settings.connector) {
        None => Err(setup(format!(
            "there is no connector `{}`; there are {}. Correct `connector` in the configuration",
            settings.connector,
            library.names().join(", ")
        ))),
        Some(Err(why)) => Err(setup(format!(
            "the manifest of `{}` cannot be used, this source rests until it is corrected:\n{why}",
            settings.connector
        ))),
        Some(Ok(manifest)) => Ok(manifest),
    }
}

/// Where a login is kept over restarts (a keyring, or a 0600 file). What is saved is opaque. Called off the asynchronous threads, but for
/// `lease`.
pub trait TokenStore: Send + Sync {
    /// What was last saved for a source, if anything ever was. The error says why the place where it is cannot be read.
    fn load(&self, source: &str) -> Result<Option<secrecy::SecretString>, String>;
    /// Keeps a new one; the old one is dead from now on. The error says what a person can do.
    fn save(&self, source: &str, token: &secrecy::SecretString) -> Result<(), String>;
    /// Takes the right to renew a source's login, so that two programs never show one refresh token at once. Does not wait.
    fn lease(&self, _source: &str) -> Lease {
        Lease::None
    }
}

/// The right to renew a login.
pub enum Lease {
    /// Ours until it is dropped.
    Ours(Box<dyn Send>),
    /// Another program has it.
    Taken,
    /// There is no such right here.
    None,
}

/// One thing that a connector can fetch.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// Its name, `accounts`.
    pub name: &'static str,
    /// The kind of rows that it mainly yields.
    pub entity: Entity,
    /// Reads that are counted apart: delete logs and reads per parent.
    pub apart: bool,
}

/// One page of a stream. Its rows and `next` are committed together.
#[derive(Clone, Debug)]
pub struct Page {
    /// The rows, deletions among them.
    pub records: Vec<Record>,
    /// Rows that could not be taken.
    pub problems: Vec<RowProblem>,
    /// Where to go on: the next page, or (when `done`) where the next run starts.
    pub next: Cursor,
    /// No more pages in this run.
    pub done: bool,
    /// How many rows the vendor says the run has, if it says.
    pub total: Option<u64>,
    /// Requests that this page cost (tokens not counted).
    pub requests: u32,
}

/// One write. References are vendor ids ([`FieldValue::Ref`]).
#[derive(Clone, Debug)]
pub struct Write {
    /// Create, update or delete.
    pub verb: crate::book::Verb,
    /// The kind.
    pub entity: Entity,
    /// The vendor's id (update, delete).
    pub external_id: Option<String>,
    /// The vendor's id of its account.
    pub account: Option<String>,
    /// The outbox item's id: idempotency key or marker of a create.
    pub marker: String,
    /// Field, base, want; canonical names and values.
    pub fields: Vec<(String, FieldValue, FieldValue)>,
    /// E-mail of the person who acts, for systems in which the author must be passed.
    pub author: Option<String>,
    /// Overwrite even if the vendor's value changed (a person chose "keep mine").
    pub force: bool,
}

/// What became of a write.
#[derive(Clone, Debug)]
pub enum Written {
    /// The vendor has it; its id, and its record as far as known.
    Done {
        /// The vendor's id.
        external_id: String,
        /// The record after the write, as read back or as answered.
        record: Option<Record>,
    },
    /// The vendor's value differs from what we started from and from what we want; nothing was written.
    Conflict(Conflict),
}

/// Why a connector could not do what it was asked. Every message says what happened, to what, and what to do; no secret, no row data.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConnectError {
    /// What kind, for whoever decides about retrying.
    pub kind: ErrorKind,
    /// For a person.
    pub message: String,
}

/// What to do about an error.
#[derive(Clone, Debug, PartialEq)]
pub enum ErrorKind {
    /// Try again, not before so long: rate limit, 5xx, connection.
    Retry {
        /// What the vendor asked for.
        after: Option<Duration>,
        /// The request may have been carried out although no good answer came back.
        maybe_done: bool,
    },
    /// The credentials are refused: a person must renew them.
    Auth,
    /// The vendor refuses this write (validation, pick list, locked, gone): a person must edit it.
    Refused {
        /// The canonical field it concerns, if known.
        field: Option<String>,
    },
    /// The source cannot work as configured (unknown host, certificate, wrong base address, missing object).
    Setup,
    /// The answer was not what the protocol says (HTML, half a document, wrong type, foreign next page).
    Protocol,
    /// The stored cursor is no longer good: start the stream again.
    CursorLost,
    /// The day's promise of requests is used up.
    Budget,
}

/// One vendor, ready to be asked.
pub trait Connector: Send + Sync {
    /// The connector's name, `salesforce`.
    fn kind(&self) -> &'static str;
    /// What it can fetch, in the order in which it should be fetched.
    fn streams(&self) -> Vec<Stream>;
    /// What it can write, as far as known without asking (choices are learnt by the first `check`).
    fn capabilities(&self) -> Capabilities;
    /// Logs in, proves that the credentials work and learns the pick lists; says in a line who we are there.
    fn check(&self) -> BoxFuture<'_, Result<String, ConnectError>>;
    /// Whether a stream whose last run ended at `cursor` is to be read whole now, because the vendor does not say what has gone.
    fn wants_all(&self, _stream: &str, _cursor: &Cursor) -> bool {
        false
    }
    /// The tenant's fields, with how many rows of a sample fill them.
    fn describe(&self) -> BoxFuture<'_, Result<Vec<crate::book::TenantField>, ConnectError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    /// The next page of a stream. Without a cursor: from the beginning.
    fn fetch<'a>(
        &'a self,
        stream: &'a str,
        cursor: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Page, ConnectError>>;
    /// Reads one row as it is now.
    fn read<'a>(
        &'a self,
        entity: Entity,
        external_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, ConnectError>>;
    /// Asks whether a create with that marker arrived. Called before any retry of a create.
    fn find<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Option<Record>, ConnectError>>;
    /// Writes.
    fn write<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Written, ConnectError>>;
    /// The address of a row in the vendor's own web page.
    fn web_url(&self, entity: Entity, external_id: &str) -> Option<String>;
    /// Requests so far.
    fn budget(&self) -> Budget;
}

/// Plain settings of one source, secrets resolved, as the configuration gives them.
#[derive(Clone)]
pub struct SourceSettings {
    /// What people call it.
    pub name: crate::book::SourceName,
    /// Which connector.
    pub connector: String,
    /// Where, when it is not the vendor's own.
    pub base_url: Option<String>,
    /// How to log in.
    pub auth: Auth,
    /// A file with a certificate authority to trust (PEM).
    pub ca_file: Option<std::path::PathBuf>,
    /// A promise of requests per day.
    pub daily_requests: Option<u64>,
    /// The tenant's own field names: canonical (`account.health`) → theirs (`Health__c`).
    pub fields: std::collections::BTreeMap<String, String>,
    /// Secrets beside the login (an application key).
    pub secrets: std::collections::BTreeMap<String, secrecy::SecretString>,
    /// Connector options (`api_version`, `risk_object`, `ack_status`, …), as texts.
    pub options: std::collections::BTreeMap<String, String>,
}
