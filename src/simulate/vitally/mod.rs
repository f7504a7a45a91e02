//! A Vitally tenant: accounts, organizations, users, tasks, notes, conversations, survey answers, admins, projects; lists by a
//! cursor in one of two orders; writes; the limit. Written from the vendor's documents.
//!
//! [`open`] builds it on the shared world. `catalog` says which tables there are and what the world's rows look like, `store`
//! holds what changed, `write` says what may be written.
//!
//! Most field names, and all of this, are unverified: an error is `{"error": {"name", "message"}}`; a list of accounts without
//! `status` shows the active ones; a record is found by its id or its external id; a second record with the same external id
//! is refused with 400; unknown fields of a body are passed over; `PUT` changes what it names; what is deleted is gone without
//! a trace; health is counted out of ten.

mod catalog;
mod ids;
mod limits;
mod live;
mod store;
#[cfg(test)]
mod tests;
mod write;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use self::catalog::{NOTE_CATEGORIES, NOTE_CATEGORY, TASK_CATEGORIES, TASK_CATEGORY, Table};
use self::limits::Meter;
use self::store::{Op, Order, Place, Store, Write};
use super::clock::SimClock;
use super::journal::{Entry, Journal};
use super::world::WorldEvent;
use super::world::rng::hash;
use super::{AuthDetails, StartError, Vendor, VendorContext};

/// Records per page at most, and when nobody says how many.
const PAGE: usize = 100;

/// One tenant.
pub(super) struct Vitally {
    store: RwLock<Store>,
    journal: Journal,
    clock: SimClock,
    meter: Meter,
    key: String,
}

type Answer = Result<Response, Refusal>;

/// An answer that says no.
#[derive(Debug, Clone, PartialEq)]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn bad(message: impl Into<String>) -> Self {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    fn missing(message: impl Into<String>) -> Self {
        Refusal {
            status: StatusCode::NOT_FOUND,
            message: message.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let name = self
            .status
            .canonical_reason()
            .unwrap_or("Error")
            .replace(' ', "");
        let body = json!({ "error": { "name": name, "message": self.message } });
        (self.status, Json(body)).into_response()
    }
}

/// Builds the tenant on the world and replays its journal.
///
/// # Errors
/// When a journal entry is not one of Vitally's.
pub fn open(context: VendorContext) -> Result<Arc<dyn Vendor>, StartError> {
    let seed = context.world.seed;
    let mut store = Store::new(context.world);
    for entry in &context.replay {
        match entry {
            Entry::Live(event) => live::follow(&mut store, event),
            Entry::Write { at, what } => {
                let write: Write =
                    serde_json::from_value(what.clone()).map_err(|error| StartError::Replay {
                        vendor: "vitally",
                        what: error.to_string(),
                    })?;
                store.apply(&write, *at);
            }
        }
    }
    Ok(Arc::new(Vitally {
        store: RwLock::new(store),
        journal: context.journal,
        clock: context.clock,
        meter: Meter::new(context.limits.vitally_per_minute),
        key: format!(
            "sk_live_{:016x}{:016x}",
            hash(seed ^ 0x7669),
            hash(seed ^ 0x7461)
        ),
    }))
}

impl Vendor for Vitally {
    fn name(&self) -> &'static str {
        "vitally"
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

    /// The key is the user; there is no password.
    fn auth(&self) -> AuthDetails {
        AuthDetails::Basic {
            user: self.key.clone(),
            password: String::new(),
        }
    }

    fn accounts(&self) -> usize {
        self.read().count(Table::Account)
    }

    fn over_limit(&self) -> Response {
        too_many().into_response()
    }
}

fn too_many() -> Refusal {
    Refusal {
        status: StatusCode::TOO_MANY_REQUESTS,
        message: "Too many requests".to_owned(),
    }
}

/// Every request comes through here.
async fn handle(
    State(tenant): State<Arc<Vitally>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Basic "));
    if given.map(str::trim) != Some(base64(&format!("{}:", tenant.key)).as_str()) {
        return Refusal {
            status: StatusCode::UNAUTHORIZED,
            message: "The API key is missing or not valid".to_owned(),
        }
        .into_response();
    }
    let mut response = if tenant.meter.take() {
        let query = Query::<Vec<(String, String)>>::try_from_uri(&uri);
        let query = query.map(|query| query.0).unwrap_or_default();
        let asked = tenant.clone();
        // The first list of a large table puts it in order; the runtime goes on meanwhile.
        let answer =
            tokio::task::spawn_blocking(move || asked.answer(&method, uri.path(), &query, &body))
                .await;
        match answer {
            Ok(answer) => answer.unwrap_or_else(Refusal::into_response),
            Err(error) => broken(error.to_string()).into_response(),
        }
    } else {
        too_many().into_response()
    };
    tenant.meter.mark(response.headers_mut());
    response
}

fn broken(message: String) -> Refusal {
    Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        message,
    }
}

/// What stands behind `Basic`.
fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut coded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = bits >> (18 - 6 * place) & 63;
            coded.push(if place <= chunk.len() {
                char::from(ALPHABET[digit as usize])
            } else {
                '='
            });
        }
    }
    coded
}

type Parameters = [(String, String)];

fn first<'a>(query: &'a Parameters, name: &str) -> Option<&'a str> {
    query
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
        .filter(|value| !value.is_empty())
}

/// Which accounts a list shows.
#[derive(Clone, Copy, PartialEq)]
enum Status {
    Active,
    Churned,
    Both,
}

impl Vitally {
    fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, method: &Method, path: &str, query: &Parameters, body: &Bytes) -> Answer {
        let nowhere = || Refusal::missing("There is no such resource");
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let [base, name, rest @ ..] = parts.as_slice() else {
            return Err(nowhere());
        };
        if *base != "resources" {
            return Err(nowhere());
        }
        if let ("GET", []) = (method.as_str(), rest) {
            match *name {
                "taskCategories" => return Ok(categories(TASK_CATEGORY, &TASK_CATEGORIES)),
                "noteCategories" => return Ok(categories(NOTE_CATEGORY, &NOTE_CATEGORIES)),
                _ => {}
            }
        }
        let table = Table::named(name).ok_or_else(nowhere)?;
        let json = || -> Result<Value, Refusal> {
            serde_json::from_slice(body)
                .map_err(|error| Refusal::bad(format!("The body is not valid JSON: {error}")))
        };
        match (method.as_str(), rest) {
            ("GET", []) => self.list(table, query),
            ("GET", ["search"]) if matches!(table, Table::Admin | Table::User) => {
                self.search(table, query)
            }
            ("GET", [id]) => {
                let store = self.read();
                let row = found(&store, table, id)?;
                Ok(Json(store.record(table, row)).into_response())
            }
            ("GET", [id, of]) => {
                let of = Table::named(of).ok_or_else(nowhere)?;
                self.list_of(table, id, of, query)
            }
            ("POST", []) if write::writable(table) => self.create(table, &json()?),
            ("PUT", [id]) if write::writable(table) => self.update(table, id, &json()?),
            ("DELETE", [id]) if write::writable(table) => self.remove(table, id),
            (_, [] | [_]) => Err(Refusal {
                status: StatusCode::METHOD_NOT_ALLOWED,
                message: "The method is not allowed here".to_owned(),
            }),
            _ => Err(nowhere()),
        }
    }

    /// `GET /resources/{table}`.
    fn list(&self, table: Table, query: &Parameters) -> Answer {
        let (limit, order, after) = paging(query)?;
        let status = match first(query, "status") {
            _ if table != Table::Account => Status::Both,
            None | Some("active") => Status::Active,
            Some("churned") => Status::Churned,
            Some("activeOrChurned") => Status::Both,
            Some(other) => {
                return Err(Refusal::bad(format!(
                    "status must be active, churned or activeOrChurned, it was {other}"
                )));
            }
        };
        let store = self.read();
        let wanted =
            |row: u32| status == Status::Both || store.churned(row) == (status == Status::Churned);
        let places = store.page(table, order, after, limit + 1, wanted);
        Ok(page(&store, table, places, limit))
    }

    /// `GET /resources/accounts/{id}/{table}` and `GET /resources/organizations/{id}/{table}`.
    fn list_of(&self, owner: Table, id: &str, table: Table, query: &Parameters) -> Answer {
        let (limit, order, after) = paging(query)?;
        let store = self.read();
        let row = found(&store, owner, id)?;
        let mut places: Vec<Place> = match (owner, table) {
            (Table::Account, Table::Account | Table::Organization | Table::Admin)
            | (Table::Organization, Table::Organization | Table::Admin) => {
                return Err(Refusal::missing("There is no such resource"));
            }
            (Table::Account, table) => store.of_account(table, row, order),
            (Table::Organization, table) => {
                let accounts = (0..store.world.accounts.len() as u32)
                    .filter(|account| store.organization(*account) == Some(row));
                accounts
                    .flat_map(|account| store.of_account(table, account, order))
                    .collect()
            }
            _ => return Err(Refusal::missing("There is no such resource")),
        };
        places.sort_unstable_by(|a, b| b.cmp(a));
        places.retain(|place| after.is_none_or(|after| *place < after));
        places.truncate(limit + 1);
        Ok(page(&store, table, places, limit))
    }

    /// `GET /resources/admins/search?email=` and `GET /resources/users/search?email=|externalId=`.
    fn search(&self, table: Table, query: &Parameters) -> Answer {
        let store = self.read();
        let wanted = ["email", "externalId"]
            .into_iter()
            .find_map(|name| Some((name, first(query, name)?)))
            .ok_or_else(|| Refusal::bad("email is required"))?;
        let results: Vec<Value> = store
            .rows(table)
            .map(|row| store.record(table, row))
            .filter(|record| {
                record
                    .get(wanted.0)
                    .and_then(Value::as_str)
                    .is_some_and(|text| text.eq_ignore_ascii_case(wanted.1))
            })
            .take(PAGE)
            .map(Value::Object)
            .collect();
        Ok(Json(json!({ "results": results, "next": Value::Null })).into_response())
    }

    fn create(&self, table: Table, body: &Value) -> Answer {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let mut values = write::values(&store, table, body, true)?;
        if let Some(external) = values.get("externalId").and_then(Value::as_str)
            && store.find(table, external).is_some()
        {
            return Err(Refusal::bad(format!(
                "A record with the externalId {external} already exists"
            )));
        }
        // An answer to a survey belongs to the account of who gave it.
        if table == Table::NpsResponse
            && let Some(user) = values
                .get("userId")
                .and_then(Value::as_str)
                .and_then(|id| Table::User.row(id))
            && let Some(account) = Table::User.account(&store.world, user)
        {
            values.insert("accountId".into(), json!(Table::Account.id(account)));
        }
        let row = store.next_row(table);
        let record = self.keep(&mut store, Op::Create, table, row, values)?;
        Ok(Json(record).into_response())
    }

    fn update(&self, table: Table, id: &str, body: &Value) -> Answer {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let row = found(&store, table, id)?;
        let values = write::values(&store, table, body, false)?;
        let record = self.keep(&mut store, Op::Update, table, row, values)?;
        Ok(Json(record).into_response())
    }

    fn remove(&self, table: Table, id: &str) -> Answer {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let row = found(&store, table, id)?;
        let record = store.record(table, row);
        self.keep(&mut store, Op::Delete, table, row, Map::new())?;
        Ok(Json(record).into_response())
    }

    /// Journals a change, then makes it.
    fn keep(
        &self,
        store: &mut Store,
        op: Op,
        table: Table,
        row: u32,
        values: Map<String, Value>,
    ) -> Result<Map<String, Value>, Refusal> {
        let at = self.clock.stamp();
        let write = Write {
            op,
            table,
            row,
            values,
        };
        let what = serde_json::to_value(&write).map_err(|error| broken(error.to_string()))?;
        self.journal
            .write(at, what)
            .map_err(|error| broken(error.to_string()))?;
        store.apply(&write, at);
        Ok(store.record(table, row))
    }
}

fn found(store: &Store, table: Table, id: &str) -> Result<u32, Refusal> {
    store
        .find(table, id)
        .ok_or_else(|| Refusal::missing(format!("{} {id} was not found", table.path())))
}

fn categories(table: u8, names: &[&str]) -> Response {
    let results: Vec<Value> = (0u32..)
        .zip(names)
        .map(|(row, name)| json!({ "id": ids::id(table, row), "name": name }))
        .collect();
    Json(json!({ "results": results, "next": Value::Null })).into_response()
}

/// `limit`, `sortBy` and `from`.
fn paging(query: &Parameters) -> Result<(usize, Order, Option<Place>), Refusal> {
    let limit = match first(query, "limit") {
        None => PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=PAGE).contains(limit))
            .ok_or_else(|| {
                Refusal::bad(format!("limit must be between 1 and {PAGE}, it was {text}"))
            })?,
    };
    let order = match first(query, "sortBy") {
        None | Some("updatedAt") => Order::Updated,
        Some("createdAt") => Order::Created,
        Some(other) => {
            return Err(Refusal::bad(format!(
                "sortBy must be updatedAt or createdAt, it was {other}"
            )));
        }
    };
    let after = match first(query, "from") {
        None => None,
        Some(text) => {
            Some(place(text).ok_or_else(|| Refusal::bad("The cursor in from is not valid"))?)
        }
    };
    Ok((limit, order, after))
}

/// A place in a list as a cursor, and back.
fn cursor(place: Place) -> String {
    format!("{:016x}{:08x}", place.0 as u64 ^ 1 << 63, place.1)
}

fn place(text: &str) -> Option<Place> {
    if text.len() != 24 || !text.is_ascii() {
        return None;
    }
    let at = u64::from_str_radix(&text[..16], 16).ok()? ^ 1 << 63;
    Some((at as i64, u32::from_str_radix(&text[16..], 16).ok()?))
}

/// A page; `places` holds one more than the page when there are more.
fn page(store: &Store, table: Table, mut places: Vec<Place>, limit: usize) -> Response {
    let more = places.len() > limit;
    places.truncate(limit);
    let next = places.last().filter(|_| more).map(|last| cursor(*last));
    let results: Vec<Map<String, Value>> = places
        .iter()
        .map(|(_, row)| store.record(table, *row))
        .collect();
    Json(json!({ "results": results, "next": next })).into_response()
}
