//! A HubSpot portal: CRM objects in the dated and the older paths, search with its limits, associations, properties, owners,
//! pipelines, OAuth. Written from the vendor's documents.
//!
//! [`open`] builds it on the shared world. `catalog` says which objects and properties there are (`records` and `activity`
//! list them), `links` which associations, `store` holds what changed; the other files are the endpoints. Dated and older
//! paths meet in [`Portal::answer`]: they differ in a few shapes alone ([`Edition`]).
//!
//! How to sign in: with the token of [`Vendor::auth`] (a private app with every scope); with [`read_only_token`] (a private
//! app that may only read: writes get 403); or by OAuth as the app of [`oauth_app`], whose page `/oauth/authorize` lives
//! here too. Access tokens of OAuth last half an hour.
//!
//! Where the documents say nothing or contradict each other, this portal behaves like this: five filter groups, six filters
//! in one, eighteen in all; `NEQ` and `NOT_IN` pass over empty properties; texts compare without regard to case and picks
//! with it; a changed record shows in search a second later; associations do not move the stamp of the last change; a list
//! with `propertiesWithHistory` has 50 rows at most; an archived record cannot be restored.

mod activity;
mod associations;
mod catalog;
mod error;
mod limits;
mod links;
mod live;
mod oauth;
mod objects;
mod owners;
mod pipelines;
mod properties;
mod records;
mod search;
mod store;
#[cfg(test)]
mod tests;
mod value;
mod write;

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::catalog::ObjectId;
use self::error::Refusal;
use self::limits::{Meter, Over};
use self::oauth::{Grants, uuid_of};
use self::objects::unknown_type;
use self::search::Page;
use self::store::{Store, Write};
use self::write::Action;
use super::clock::SimClock;
use super::journal::{Entry, Journal};
use super::world::WorldEvent;
use super::{AuthDetails, StartError, Vendor, VendorContext};

/// The number of the portal.
const PORTAL: u64 = 48_250_117;

/// Where its people work.
const UI_DOMAIN: &str = "app.hubspot.com";

/// When it was made.
const MADE: &str = "2021-03-09T14:05:11.204Z";

/// One portal.
pub(super) struct Portal {
    store: RwLock<Store>,
    pages: Mutex<Vec<Page>>,
    journal: Journal,
    clock: SimClock,
    meter: Meter,
    grants: Grants,
    token: String,
    reader: String,
    base_url: String,
}

type Answer = Result<Response, Refusal>;

/// Which family of paths a request came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    V3,
    V4,
    Dated,
}

/// A request.
pub(super) struct Ask {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Bytes,
}

/// The token of a private app that may only read.
pub fn read_only_token(seed: u64) -> String {
    format!("pat-na1-{}", uuid_of(seed, 12))
}

/// Client id, client secret and refresh token of the app that is installed by OAuth.
pub fn oauth_app(seed: u64) -> (String, String, String) {
    let grants = Grants::new(seed, 0);
    (grants.client_id, grants.client_secret, grants.refresh_token)
}

/// Builds the portal on the world and replays its journal.
///
/// # Errors
/// When a journal entry is not one of HubSpot's.
pub fn open(context: VendorContext) -> Result<Arc<dyn Vendor>, StartError> {
    let seed = context.world.seed;
    let mut store = Store::new(context.world);
    for entry in &context.replay {
        match entry {
            Entry::Live(event) => live::follow(&mut store, event),
            Entry::Write { at, what } => {
                let writes: Vec<Write> =
                    serde_json::from_value(what.clone()).map_err(|error| StartError::Replay {
                        vendor: "hubspot",
                        what: error.to_string(),
                    })?;
                for write in &writes {
                    store.apply(write, *at);
                }
            }
        }
    }
    store.lag = context.limits.hubspot_search_lag;
    Ok(Arc::new(Portal {
        store: RwLock::new(store),
        pages: Mutex::new(Vec::new()),
        journal: context.journal,
        clock: context.clock,
        meter: Meter::new(
            context.limits.hubspot_ten_secondly,
            context.limits.hubspot_daily,
            context.limits.hubspot_search_per_second,
        ),
        grants: Grants::new(seed, context.limits.hubspot_token_seconds),
        token: format!("pat-na1-{}", uuid_of(seed, 11)),
        reader: read_only_token(seed),
        base_url: context.base_url,
    }))
}

impl Vendor for Portal {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(handle).with_state(self)
    }

    fn live(&self, event: &WorldEvent) {
        live::follow(
            &mut self.store.write().unwrap_or_else(PoisonError::into_inner),
            event,
        );
    }

    fn keep_live(&self, event: &WorldEvent, journal: &Journal) -> std::io::Result<()> {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        journal.append(&Entry::Live(event.clone()))?;
        live::follow(&mut store, event);
        Ok(())
    }

    fn auth(&self) -> AuthDetails {
        AuthDetails::Bearer {
            token: self.token.clone(),
        }
    }

    fn accounts(&self) -> usize {
        self.read().count(ObjectId::Company)
    }

    fn over_limit(&self) -> Response {
        limits::refusal(Over::TenSeconds)
    }

    fn expire_tokens(&self) {
        self.grants.expire();
    }
}

/// Every request comes through here: who asks, how often, and then what.
async fn handle(
    State(portal): State<Arc<Portal>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = Query::<Vec<(String, String)>>::try_from_uri(&uri).map(|query| query.0);
    let ask = Ask {
        method,
        path: uri.path().to_owned(),
        query: query.unwrap_or_default(),
        body,
    };
    if ask.path.starts_with("/oauth/") {
        return portal.sign_in(&ask).unwrap_or_else(Refusal::into_response);
    }
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        })
        .unwrap_or_default();
    let public = match portal.who(token) {
        Ok(public) => public,
        Err(refusal) => return refusal.into_response(),
    };
    let search = ask.path.ends_with("/search");
    if let Err(over) = portal.meter.take(public, search) {
        return limits::refusal(over);
    }
    if token == portal.reader && ask.writes() {
        return scopes().into_response();
    }
    let asked = portal.clone();
    // Looking through a large object takes its time; the runtime goes on meanwhile.
    let answer = tokio::task::spawn_blocking(move || asked.answer(&ask)).await;
    let mut response = match answer {
        Ok(answer) => answer.unwrap_or_else(Refusal::into_response),
        Err(error) => broken(error.to_string()).into_response(),
    };
    if !search {
        portal.meter.mark(response.headers_mut(), public);
    }
    response
}

fn broken(error: String) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", error)
}

/// What an app gets that lacks a permission.
fn scopes() -> Refusal {
    let mut refusal = Refusal::new(
        StatusCode::FORBIDDEN,
        "MISSING_SCOPES",
        "This app has not been granted all scopes that this call needs.",
    );
    refusal.errors.push(json!({
        "message": "One or more of the following scopes are required.",
        "context": { "requiredGranularScopes": ["crm.objects.companies.write", "crm.objects.contacts.write", "crm.objects.deals.write"] }
    }));
    refusal
}

impl Ask {
    /// The first value of a parameter.
    fn first(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A parameter that is a list: separated by commas, or given several times.
    fn list(&self, name: &str) -> Vec<String> {
        self.query
            .iter()
            .filter(|(known, _)| known == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn number(&self, name: &str, default: usize) -> Result<usize, Refusal> {
        match self.first(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| {
                Refusal::invalid(format!("{name} must be a whole number, it was {text}"))
            }),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.first(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => Err(Refusal::invalid(format!(
                "{name} must be true or false, it was {text}"
            ))),
        }
    }

    fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Refusal::invalid(format!("Invalid input JSON: {error}")))
    }

    /// Whether the request asks for more than reading.
    fn writes(&self) -> bool {
        self.method != Method::GET
            && !(self.path.ends_with("/search") || self.path.ends_with("/batch/read"))
    }
}

/// A part of a path as it was meant.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The fields of a form.
fn form(body: &Bytes) -> Vec<(String, String)> {
    // A form is written like the parameters of an address.
    std::str::from_utf8(body)
        .ok()
        .and_then(|text| format!("/?{}", text.trim()).parse::<Uri>().ok())
        .and_then(|uri| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok())
        .map(|query| query.0)
        .unwrap_or_default()
}

/// `2026-03` and `2026-09`.
fn dated(version: &str) -> bool {
    matches!(version, "2026-03" | "2026-09")
}

impl Portal {
    fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the token is one of OAuth's; a refusal when it is nobody's.
    fn who(&self, token: &str) -> Result<bool, Refusal> {
        if token == self.token || token == self.reader {
            return Ok(false);
        }
        let refuse = |category: &'static str, message: &str| {
            Err(Refusal::new(StatusCode::UNAUTHORIZED, category, message))
        };
        match self.grants.good(token) {
            Some(true) => Ok(true),
            Some(false) => refuse("EXPIRED_AUTHENTICATION", "The OAuth token has expired."),
            None if token.is_empty() => refuse(
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found.",
            ),
            None => refuse(
                "INVALID_AUTHENTICATION",
                "Authentication credentials are not valid.",
            ),
        }
    }

    /// The address of the next page.
    fn link(&self, ask: &Ask, after: &str) -> String {
        let mut link = format!("{}{}?after={after}", self.base_url, ask.path);
        if let Some(limit) = ask.first("limit") {
            link.push_str(&format!("&limit={limit}"));
        }
        link
    }

    /// Runs `plan` on the store as it is, journals the changes that it answers, makes them, and shows the outcome. Nothing is
    /// changed when the journal cannot be written.
    fn change<T>(
        &self,
        plan: impl FnOnce(&Store) -> Result<(Vec<Write>, T), Refusal>,
        show: impl FnOnce(&Store, T) -> Value,
    ) -> Result<Value, Refusal> {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let (writes, outcome) = plan(&store)?;
        if !writes.is_empty() {
            self.keep(&mut store, &writes, self.clock.stamp())?;
        }
        Ok(show(&store, outcome))
    }

    fn keep(&self, store: &mut Store, writes: &[Write], at: Timestamp) -> Result<(), Refusal> {
        let what = serde_json::to_value(writes).map_err(|error| broken(error.to_string()))?;
        self.journal
            .write(at, what)
            .map_err(|error| broken(error.to_string()))?;
        for write in writes {
            store.apply(write, at);
        }
        Ok(())
    }

    /// Paths that need no token.
    fn sign_in(&self, ask: &Ask) -> Answer {
        let parts: Vec<&str> = ask.path.trim_start_matches('/').split('/').collect();
        let version = |version: &str| matches!(version, "v1" | "v3") || dated(version);
        match (ask.method.as_str(), parts.as_slice()) {
            ("GET", ["oauth", "authorize"]) => self.authorize(ask),
            ("POST", ["oauth", v, "token"]) if version(v) => self.token(ask),
            ("POST", ["oauth", v, "token", "introspect"]) if version(v) && *v != "v1" => {
                self.introspect(None, ask)
            }
            ("POST", ["oauth", v, "token", "revoke"]) if version(v) && *v != "v1" => {
                self.revoke(None, ask)
            }
            ("GET", ["oauth", "v1", "access-tokens", token]) => self.introspect(Some(token), ask),
            ("DELETE", ["oauth", "v1", "refresh-tokens", token]) => self.revoke(Some(token), ask),
            _ => Err(nowhere()),
        }
    }

    /// Finds what a path means: dated and older paths lead to the same places.
    fn answer(&self, ask: &Ask) -> Answer {
        let parts: Vec<String> = ask
            .path
            .trim_start_matches('/')
            .split('/')
            .map(decoded)
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let object = |name: &str| ObjectId::named(name).ok_or_else(|| unknown_type(name));
        match parts.as_slice() {
            ["crm", "v3", "objects", rest @ ..] => self.objects(ask, Edition::V3, rest),
            // Not documented, and used by widely used clients.
            ["crm", "v4", "objects", rest @ ..] => self.objects(ask, Edition::V4, rest),
            ["crm", "objects", v, rest @ ..] if dated(v) => self.objects(ask, Edition::Dated, rest),
            ["crm", "v3", "associations", rest @ ..] => self.links(ask, Edition::V3, rest),
            ["crm", "v4", "associations", rest @ ..] => self.links(ask, Edition::V4, rest),
            ["crm", "associations", v, rest @ ..] if dated(v) => {
                self.links(ask, Edition::Dated, rest)
            }
            ["crm", "v3", "owners", rest @ ..] => self.people(ask, rest),
            ["crm", "owners", v, rest @ ..] if dated(v) => self.people(ask, rest),
            ["crm", "v3", "pipelines", name, rest @ ..] => self.stages(ask, object(name)?, rest),
            ["crm", "pipelines", v, name, rest @ ..] if dated(v) => {
                self.stages(ask, object(name)?, rest)
            }
            ["crm", "v3", "properties", name, rest @ ..] => {
                self.definitions(ask, object(name)?, rest)
            }
            ["crm", "properties", v, name, rest @ ..] if dated(v) => {
                self.definitions(ask, object(name)?, rest)
            }
            ["account-info", v, rest @ ..] if *v == "v3" || dated(v) => {
                match (ask.method.as_str(), rest) {
                    ("GET", ["details"]) => self.details(),
                    ("GET", ["api-usage", "daily", "private-apps"]) => self.usage(),
                    _ => Err(nowhere()),
                }
            }
            _ => Err(nowhere()),
        }
    }

    fn objects(&self, ask: &Ask, edition: Edition, rest: &[&str]) -> Answer {
        let [name, rest @ ..] = rest else {
            return Err(nowhere());
        };
        let id = ObjectId::named(name).ok_or_else(|| unknown_type(name))?;
        // Answers to surveys come from customers; nobody writes them.
        if id.read_only() && ask.writes() {
            return Err(no_method());
        }
        match (ask.method.as_str(), rest) {
            ("GET", []) => self.list(id, ask),
            ("POST", []) => self.create(id, &ask.json()?),
            ("POST", ["search"]) => self.search(id, &ask.json()?),
            ("POST", ["merge"]) => self.merge(id, &ask.json()?),
            ("POST", ["batch", "read"]) => self.batch_read(id, &ask.json()?),
            ("POST", ["batch", "create"]) => self.batch_write(id, Action::Create, &ask.json()?),
            ("POST", ["batch", "update"]) => self.batch_write(id, Action::Update, &ask.json()?),
            ("POST", ["batch", "upsert"]) => self.batch_write(id, Action::Upsert, &ask.json()?),
            ("POST", ["batch", "archive"]) => self.batch_archive(id, &ask.json()?),
            ("GET", [which]) => self.one(id, which, ask),
            ("PATCH", [which]) => self.update(id, which, ask, &ask.json()?),
            ("DELETE", [which]) => self.archive(id, which),
            ("GET", [which, "associations", to]) => self.associations(id, which, to, edition, ask),
            ("PUT", [which, "associations", "default", to, other]) => {
                self.associate((name, which), (to, other))
            }
            ("PUT", [which, "associations", to, other]) => {
                self.label((name, which), (to, other), &ask.json()?)
            }
            ("DELETE", [which, "associations", to, other]) => {
                self.dissociate((name, which), (to, other), None)
            }
            ("PUT", [which, "associations", to, other, link]) => {
                self.associate_old((name, which), (to, other), link)
            }
            ("DELETE", [which, "associations", to, other, link]) => {
                self.dissociate((name, which), (to, other), Some(link))
            }
            (_, [] | [_] | ["batch", _]) => Err(no_method()),
            _ => Err(nowhere()),
        }
    }

    fn links(&self, ask: &Ask, edition: Edition, rest: &[&str]) -> Answer {
        let [from, to, rest @ ..] = rest else {
            return Err(nowhere());
        };
        let from = ObjectId::named(from).ok_or_else(|| unknown_type(from))?;
        let to = ObjectId::named(to).ok_or_else(|| unknown_type(to))?;
        match (ask.method.as_str(), rest) {
            ("GET", ["labels"]) => self.labels(from, to),
            ("POST", ["batch", "read"]) => self.batch_associations(from, to, edition, &ask.json()?),
            ("POST", ["batch", action @ ("create" | "archive")]) => {
                self.batch_links(from, to, action, &ask.json()?)
            }
            ("POST", ["batch", "associate", "default"]) => {
                self.batch_links(from, to, "associate/default", &ask.json()?)
            }
            ("POST", ["batch", "labels", "archive"]) => {
                self.batch_links(from, to, "labels/archive", &ask.json()?)
            }
            _ => Err(nowhere()),
        }
    }

    fn people(&self, ask: &Ask, rest: &[&str]) -> Answer {
        match (ask.method.as_str(), rest) {
            ("GET", []) => self.owners(ask),
            ("GET", [id]) => self.owner(id, ask),
            (_, [] | [_]) => Err(no_method()),
            _ => Err(nowhere()),
        }
    }

    fn stages(&self, ask: &Ask, id: ObjectId, rest: &[&str]) -> Answer {
        let missing = |which: &str| Refusal::missing(format!("Pipeline {which} does not exist"));
        let shown = match (ask.method.as_str(), rest) {
            ("GET", []) => json!({ "results": pipelines::list(id, MADE) }),
            ("GET", [which]) => pipelines::one(id, which, MADE).ok_or_else(|| missing(which))?,
            ("GET", [which, "stages"]) => {
                json!({ "results": pipelines::stages(id, which, MADE).ok_or_else(|| missing(which))? })
            }
            ("GET", [which, "stages", stage]) => {
                let stages = pipelines::stages(id, which, MADE).ok_or_else(|| missing(which))?;
                stages
                    .into_iter()
                    .find(|known| known["id"] == **stage)
                    .ok_or_else(|| missing(stage))?
            }
            (_, [] | [_]) => return Err(no_method()),
            _ => return Err(nowhere()),
        };
        Ok(Json(shown).into_response())
    }

    fn definitions(&self, ask: &Ask, id: ObjectId, rest: &[&str]) -> Answer {
        match (ask.method.as_str(), rest) {
            ("GET", []) => self.properties(id, ask),
            ("POST", []) => self.make_property(id, &ask.json()?),
            ("GET", [name]) => self.property(id, name),
            ("PATCH", [name]) => self.change_property(id, name, &ask.json()?),
            ("DELETE", [name]) => self.drop_property(id, name),
            (_, [] | [_]) => Err(no_method()),
            _ => Err(nowhere()),
        }
    }
}

fn nowhere() -> Refusal {
    Refusal::missing("resource not found")
}

fn no_method() -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        "The request method is not allowed for this path",
    )
}
