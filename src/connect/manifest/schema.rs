//! What a manifest can say. Every word is from a closed list; an unknown key or value is an error with its place. One page of documentation for
//! people: `docs/connectors.md`.

use super::object::ObjectSpec;
use super::path::Path;
use super::stream::StreamPart;
pub use super::stream::StreamSpec;
use super::template::{PathText, Text};
use crate::book::Entity;
use crate::connect::{AuthPlan, LoginBody, LoginPlan, OauthDefaults, SendClient};
use serde::Deserialize;
use std::collections::BTreeMap;

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

/// Addresses and headers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSpec {
    /// The vendor's own address; without one `base_url` must be set.
    #[serde(default)]
    pub base: Option<String>,
    /// Headers of every request.
    #[serde(default)]
    pub headers: BTreeMap<String, Text>,
    /// The header with the vendor's daily limit, and the one with what is left of it.
    #[serde(default)]
    pub daily: Option<Daily>,
    /// The vendor's pages are at another host: the end of the API's host, and what stands there instead.
    #[serde(default)]
    pub pages: BTreeMap<String, String>,
}

/// The vendor's own count of a day's requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// Header with the limit.
    pub max: String,
    /// Header with what is left.
    pub left: String,
}

/// Which logins the vendor takes, and their shapes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSpec {
    /// The kinds that work, the usual one first.
    pub kinds: Vec<String>,
    /// The header of the kind `header`.
    #[serde(default)]
    pub header: Option<String>,
    /// Where tokens are given out: an address, or a path under the base.
    #[serde(default)]
    pub token_url: Option<String>,
    /// The page on which a person allows access.
    #[serde(default)]
    pub authorize_url: Option<String>,
    /// Where a refresh token is taken back.
    #[serde(default)]
    pub revoke_url: Option<String>,
    /// The permissions that csops needs.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The audience of a JWT login.
    #[serde(default)]
    pub audience: Option<String>,
    /// Client id and secret are sent by HTTP Basic instead of in the form.
    #[serde(default)]
    pub send_basic: bool,
    /// HTTP 401 is no sign that a token has run out; only its lifetime counts.
    #[serde(default)]
    pub ignore_401: bool,
    /// The two-step login.
    #[serde(default)]
    pub login: Option<LoginSpec>,
    /// The vendor says "no" to a login with this status instead of 401.
    #[serde(default)]
    pub refused: Option<u16>,
}

/// A request that gives a session token, which later requests carry in a header.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginSpec {
    /// Its path.
    pub post: String,
    /// A JSON body; a text that is exactly `{user}` or `{password}` is replaced.
    #[serde(default)]
    pub json: Option<toml::Table>,
    /// A form.
    #[serde(default)]
    pub form: BTreeMap<String, String>,
    /// Where the token is in the answer.
    pub token: String,
    /// How many seconds it lasts.
    #[serde(default)]
    pub seconds: Option<u64>,
    /// Where the answer says how long it lasts.
    #[serde(default)]
    pub expires_in: Option<String>,
    /// The header that carries it.
    pub header: String,
    /// Its value around `{token}`.
    pub value: String,
}

impl Manifest {
    /// The options of a source, each with its default where the source sets none.
    ///
    /// # Errors
    /// A value that an option cannot have, or an option that there is not, in words.
    pub fn options(
        &self,
        set: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, String> {
        let mut options = BTreeMap::new();
        for (name, spec) in &self.option {
            let Some(value) = set.get(name).or(spec.default.as_ref()) else {
                continue;
            };
            let value = value.trim().to_owned();
            if !spec.values.is_empty() && !spec.values.contains(&value) {
                return Err(format!(
                    "`{name} = \"{value}\"` is unknown; it is one of {}",
                    spec.values.join(", ")
                ));
            }
            options.insert(name.clone(), value);
        }
        for (name, value) in set {
            if self.option.contains_key(name) {
                continue;
            }
            if !COMMON.contains(&name.as_str()) {
                let known: Vec<&str> = self
                    .option
                    .keys()
                    .map(String::as_str)
                    .chain(COMMON)
                    .collect();
                return Err(format!(
                    "[source.options] `{name}` is not an option of {}; there are {}",
                    self.id,
                    known.join(", ")
                ));
            }
            options.insert(name.clone(), value.trim().to_owned());
        }
        Ok(options)
    }

    /// How many requests a minute are sent: a little below the narrowest limit, so that no window overflows.
    pub fn per_minute(&self) -> Option<u32> {
        self.limit
            .iter()
            .filter(|l| l.lane.is_none())
            .map(|l| (u64::from(l.rate) * 60 / u64::from(l.seconds.max(1))) as u32)
            .min()
            .map(|n| (n - n / 10).max(1))
    }

    /// Where the vendor's pages are, given the address of its API.
    pub fn pages(&self, base: &str) -> String {
        self.http
            .pages
            .iter()
            .find_map(|(api, web)| Some(format!("{}{web}", base.strip_suffix(api.as_str())?)))
            .unwrap_or_else(|| base.to_owned())
    }

    /// What the vendor's logins look like.
    pub fn auth_plan(&self) -> AuthPlan {
        let a = &self.auth;
        AuthPlan {
            base: self.http.base.clone(),
            oauth: OauthDefaults {
                token_url: a.token_url.clone(),
                authorize_url: a.authorize_url.clone(),
                revoke_url: a.revoke_url.clone(),
                scopes: a.scopes.clone(),
                audience: a.audience.clone(),
                send: if a.send_basic {
                    SendClient::Basic
                } else {
                    SendClient::Body
                },
                ..OauthDefaults::default()
            },
            login: a.login.as_ref().map(|l| LoginPlan {
                method: reqwest::Method::POST,
                path: l.post.clone(),
                body: match &l.json {
                    Some(table) => LoginBody::Json(serde_json::to_value(table).unwrap_or_default()),
                    None => LoginBody::Form(
                        l.form.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
                    ),
                },
                token: l.token.clone(),
                ttl: l.seconds.map(std::time::Duration::from_secs),
                expires_in: l.expires_in.clone(),
                header: l.header.clone(),
                value: l.value.clone(),
                keep: Vec::new(),
            }),
            renew_on_401: !a.ignore_401,
        }
    }
}

/// Options that every source has.
pub const COMMON: [&str; 2] = ["currency", "requests_per_minute"];

/// Kinds of login, as in the configuration.
pub const KINDS: [&str; 10] = [
    "bearer",
    "header",
    "query",
    "basic",
    "client_credentials",
    "refresh",
    "authorization_code",
    "jwt_bearer",
    "login",
    "none",
];

/// The request that proves the credentials.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The request.
    pub request: Request,
    /// What must be there in the answer; shown to the person.
    #[serde(default)]
    pub shows: Option<Path>,
}

/// So many requests in so long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Requests.
    pub rate: u32,
    /// In how many seconds.
    pub seconds: u32,
    /// Only requests with this `lane`; without one, all.
    #[serde(default)]
    pub lane: Option<String>,
}

/// Errors in the vendor's words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Where the words are in an answer.
    #[serde(default)]
    pub text: Option<Path>,
    /// Where the name of the refused field is.
    #[serde(default)]
    pub field: Option<Path>,
    /// What answers mean; the first that fits.
    #[serde(default)]
    pub rule: Vec<ErrorRule>,
}

/// One kind of answer and what it means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// Statuses; empty: any.
    #[serde(default)]
    pub status: Vec<u16>,
    /// Words in the error's text, in lower case.
    #[serde(default)]
    pub says: Option<String>,
    /// Something in the body; also finds errors inside a 200.
    #[serde(default)]
    pub body: Option<Condition>,
    /// What it means.
    pub then: Meaning,
    /// What a person can do.
    #[serde(default)]
    pub hint: Option<String>,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Try again later.
    Retry,
    /// The credentials are refused.
    Auth,
    /// A permission is missing.
    Permission,
    /// Nothing is there.
    Empty,
    /// The write is refused.
    Refused,
    /// The bookmark is no longer good.
    Restart,
}

/// A request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// One of these is the method and the path.
    #[serde(default)]
    pub get: Option<PathText>,
    #[serde(default)]
    #[allow(missing_docs)]
    pub post: Option<PathText>,
    #[serde(default)]
    #[allow(missing_docs)]
    pub put: Option<PathText>,
    #[serde(default)]
    #[allow(missing_docs)]
    pub patch: Option<PathText>,
    #[serde(default)]
    #[allow(missing_docs)]
    pub delete: Option<PathText>,
    /// Another address than the base; it gets no credentials.
    #[serde(default)]
    pub at: Option<Text>,
    /// Query parameters.
    #[serde(default)]
    pub query: BTreeMap<String, Node>,
    /// A JSON body.
    #[serde(default)]
    pub json: Option<Node>,
    /// A form body.
    #[serde(default)]
    pub form: Option<Node>,
    /// Which limit it falls under.
    #[serde(default)]
    pub lane: Option<String>,
}

/// A value of a body: TOML as it is, with placeholders in its texts. A table that lost a lone placeholder is dropped from a list.
/// Keys with a special meaning: `@json` (a value as JSON text), `@each` (once per row at hand), `@field` (once per selected field), `@changed`
/// (the changed fields are laid into this table; over what is preset, under what is made of `{want.…}`), `@changed_each` (once per changed field), `@first`
/// (the first of a list that has a value). The text `@null` is JSON's null.
#[derive(Clone, Debug)]
pub enum Node {
    /// A number, a truth value.
    Const(serde_json::Value),
    /// A text.
    Text(Text),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Map(Vec<(String, Node)>),
    /// A value written as JSON text.
    Json(Box<Node>),
    /// Once per row.
    Each(Box<Node>),
    /// Once per selected field.
    EachField(Box<Node>),
    /// Once per changed field.
    EachChanged(Box<Node>),
    /// The first of several that has a value.
    First(Vec<Node>),
}

/// A list of values that the vendor keeps elsewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// The request.
    pub request: Request,
    /// Its rows.
    #[serde(default)]
    pub rows: Path,
    /// The value that rows hold.
    pub value: Path,
    /// What people read.
    pub label: Path,
    /// The canonical kind of a value, for fields that ask with `pick_kind`.
    #[serde(default)]
    pub kind: Option<ValueSpec>,
}

/// Where the vendor's fields stand in a row.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// Under this path, by name.
    #[serde(default)]
    pub at: Path,
    /// Under `at`, by their place among the fields that were asked for.
    #[serde(default)]
    pub positional: bool,
    /// So many values stand before them.
    #[serde(default)]
    pub skip: usize,
}

/// One name or several.
#[derive(Clone, Debug, Default)]
pub struct Names(pub Vec<String>);

/// Paging.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// How the next page is asked for.
    #[serde(default)]
    pub by: PageBy,
    /// Rows of a page.
    #[serde(default)]
    pub size: Option<u32>,
    /// The number of the first page.
    #[serde(default)]
    pub first: u32,
    /// Where the next page's bookmark or address is, or (`keyset`) the key of a row.
    #[serde(default)]
    pub from: Path,
    /// How many rows there are in all, where the vendor says so.
    #[serde(default)]
    pub total: Option<Path>,
    /// The vendor shows no more than so many rows of one question.
    #[serde(default)]
    pub cap: Option<u64>,
}

/// How the next page is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageBy {
    /// There is one page.
    #[default]
    None,
    /// `{number}`, until a page is short.
    Number,
    /// `{offset}`, until a page is short.
    Offset,
    /// `{cursor}`, until there is none.
    Cursor,
    /// The address in the answer, until there is none.
    Url,
    /// `{last}`, the key of the last row, until a page is short.
    Keyset,
}

/// How it is told what is new.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// The way.
    #[serde(default)]
    pub by: SyncBy,
    /// Minutes that are asked for again.
    #[serde(default)]
    pub overlap_minutes: u32,
    /// After so many hours everything is read again, to find what has gone.
    #[serde(default)]
    pub sweep_hours: Option<u32>,
    /// How many days of dated rows a first load reads: `{since}` begins there; empty: all.
    #[serde(default)]
    pub first_days: Option<u32>,
}

/// How it is told what is new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncBy {
    /// Everything is read each time.
    #[default]
    Whole,
    /// The vendor filters by `{since}`.
    Since,
    /// Newest first; reading stops at what is known.
    Feed,
}

/// Where a value comes from and what is made of it.
#[derive(Clone, Debug)]
pub struct ValueSpec {
    /// Where from.
    pub from: From,
    /// A number is seconds since 1970, not milliseconds.
    pub unix: bool,
    /// Exact words and what they stand for.
    pub is: BTreeMap<String, String>,
    /// What all other words stand for.
    pub otherwise: Option<String>,
    /// A list of words that csops knows.
    pub words: Option<Words>,
    /// The label of a value in a pick list.
    pub pick: Option<String>,
    /// The kind of a value in a pick list.
    pub pick_kind: Option<String>,
    /// What is done to it, in order.
    pub pipe: Vec<Pipe>,
    /// What stands for it when it is empty.
    pub or: Option<Box<ValueSpec>>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum From {
    /// A path in the row.
    Path(Path),
    /// A canonical field that is mapped already.
    Of(String),
    /// A fixed text.
    Const(String),
    /// A text put together from the row.
    Text(Text),
    /// The result of a join: its name and a path in it.
    Join(String, Path),
    /// Several texts with blanks between them, as far as they are filled: first and last name.
    All(Vec<Path>),
}

/// Lists of words that csops knows ([`canon`](crate::connect::canon)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Words {
    TaskStatus,
    TicketStatus,
    RiskStatus,
    TaskPriority,
    TicketPriority,
    RiskPriority,
    Forecast,
    TouchKind,
    TouchModel,
    PersonRole,
    ContactRole,
    Outcome,
    StageKind,
}

/// What can be done to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pipe {
    /// Small letters.
    Lower,
    /// The internet domain in an address.
    Domain,
    /// Words without HTML.
    StripHtml,
    /// Without the marker of a create.
    WithoutMarker,
    /// 100 minus the number: where a high score is bad.
    Invert,
    /// A fraction as a score: times 100.
    Percent,
    /// A score from 0 to 10 as one from 0 to 100.
    TimesTen,
    /// The day of an instant.
    Day,
    /// The first line of a text.
    FirstLine,
}

/// A question about a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where to look.
    #[serde(default)]
    pub path: Path,
    /// A canonical field instead.
    #[serde(default)]
    pub of: Option<String>,
    /// An option of the source instead.
    #[serde(default)]
    pub option: Option<String>,
    /// It is one of these, regardless of case.
    #[serde(default)]
    pub is: Option<Names>,
    /// It is none of these.
    #[serde(default)]
    pub not: Option<Names>,
    /// It begins with this.
    #[serde(default)]
    pub starts: Option<String>,
    /// It contains this text, with placeholders.
    #[serde(default)]
    pub has: Option<Text>,
    /// It is there and not blank, or it is not.
    #[serde(default)]
    pub filled: Option<bool>,
}

/// One condition or several, which all must hold.
#[derive(Clone, Debug, Default)]
pub struct Conditions(pub Vec<Condition>);

/// One more record from a row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Also {
    /// What it is.
    pub entity: Entity,
    /// Only for such rows; for others it leaves.
    #[serde(default)]
    pub when: Conditions,
    /// Its id.
    pub id: ValueSpec,
    /// The main record leaves: this one stands instead.
    #[serde(default)]
    pub instead: bool,
    /// Its fields.
    pub map: BTreeMap<String, ValueSpec>,
}

/// More about the rows of a page, asked for in batches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// What `join` in a value calls it.
    pub name: String,
    /// The request, with `@each`.
    pub request: Request,
    /// How many rows at once.
    pub batch: u32,
    /// Rows of the answer.
    #[serde(default)]
    pub rows: Path,
    /// The id of the row that they belong to.
    pub key: Path,
    /// Where in a row that id is, when the row goes here by another.
    #[serde(default)]
    pub of: Path,
    /// The join whose results are asked about instead of the rows: what belongs to what belongs to a row.
    #[serde(default)]
    pub through: Option<String>,
    /// Where in such a result the id is.
    #[serde(default)]
    pub at: Path,
}

/// Where the vendor describes the fields of a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// The request.
    pub request: Request,
    /// Its rows.
    #[serde(default)]
    pub rows: Path,
    /// The field's name, as it is asked for.
    pub name: Path,
    /// What people call it.
    #[serde(default)]
    pub label: Path,
    /// Its type, in the vendor's word.
    #[serde(default, rename = "type")]
    pub kind: Path,
    /// Only rows of this kind count, where the vendor has one list for all.
    #[serde(default)]
    pub when: Option<Condition>,
    /// What stands before the name in a row: `custom.`.
    #[serde(default)]
    pub prefix: String,
}

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
    pub form: Option<super::template::Format>,
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

impl Request {
    /// Its method and path; `None` when it names none or several.
    pub fn target(&self) -> Option<(reqwest::Method, &PathText)> {
        use reqwest::Method;
        let mut all = [
            (Method::GET, &self.get),
            (Method::POST, &self.post),
            (Method::PUT, &self.put),
            (Method::PATCH, &self.patch),
            (Method::DELETE, &self.delete),
        ]
        .into_iter()
        .filter_map(|(m, p)| Some((m, p.as_ref()?)));
        let first = all.next()?;
        all.next().is_none().then_some(first)
    }

    /// Every text in it.
    pub fn texts(&self) -> Vec<&Text> {
        let mut out = Vec::new();
        for path in [&self.get, &self.post, &self.put, &self.patch, &self.delete]
            .into_iter()
            .flatten()
        {
            out.push(&path.0);
        }
        out.extend(&self.at);
        self.query
            .values()
            .chain(&self.json)
            .chain(&self.form)
            .for_each(|n| n.texts(&mut out));
        out
    }
}
