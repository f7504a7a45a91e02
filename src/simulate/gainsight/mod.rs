//! A Gainsight CS tenant (NXT): access key, envelopes, data query and object writes, metadata, cockpit (calls to action and
//! their tasks), timeline, users and people, and the documented limits. Written from the vendor's documents.
//!
//! [`open`] builds it on the shared world. `catalog` says which objects and fields there are, `store` holds what changed,
//! `query` (with `expression`) evaluates conditions; the other files are the endpoints.
//!
//! Where the documents say nothing or contradict each other, this tenant behaves like this: texts compare by case in EQ and
//! IN and without case in CONTAINS and its kin; `yyyy-MM-dd HH:mm:ss` is UTC; several conditions without an expression are
//! joined by AND; a query that fits nothing answers `result:false` with `GSOBJ_1011` at HTTP 200 (objects whose rows lie in
//! `data.records` answer an empty list instead); the limit of 100 requests a minute is a fixed window per tenant.

mod catalog;
mod cockpit;
mod data;
mod envelope;
mod expression;
mod limits;
mod live;
mod meta;
mod people;
mod picklists;
mod query;
mod store;
#[cfg(test)]
mod tests;
mod timeline;
mod value;

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use jiff::Timestamp;
use serde_json::{Map, Value};

use self::catalog::ObjectId;
use self::envelope::Refusal;
use self::limits::Meter;
use self::store::{Op, Store, Write};
use super::clock::SimClock;
use super::journal::{Entry, Journal};
use super::world::WorldEvent;
use super::world::rng::hash;
use super::{AuthDetails, StartError, Vendor, VendorContext};

/// The header that carries the key.
const KEY_HEADER: &str = "accesskey";

/// One tenant.
pub(super) struct Gainsight {
    store: RwLock<Store>,
    /// The rows of the last queries, so that paging through a large object does not sort it again for each page.
    pages: Mutex<Vec<Page>>,
    journal: Journal,
    clock: SimClock,
    meter: Meter,
    key: String,
}

/// The rows of one query: what was asked, when, at which version of the store, and what fitted.
type Page = (String, Instant, u64, Arc<Vec<u32>>);
type Tenant = State<Arc<Gainsight>>;
type Answer = Result<Response, Refusal>;

/// Builds the tenant on the world and replays its journal.
///
/// # Errors
/// When a journal entry is not one of Gainsight's.
pub fn open(context: VendorContext) -> Result<Arc<dyn Vendor>, StartError> {
    Ok(tenant(context)?)
}

fn tenant(context: VendorContext) -> Result<Arc<Gainsight>, StartError> {
    let seed = context.world.seed;
    let mut store = Store::new(context.world);
    for entry in &context.replay {
        match entry {
            Entry::Live(event) => live::follow(&mut store, event),
            Entry::Write { at, what } => {
                let writes: Vec<Write> =
                    serde_json::from_value(what.clone()).map_err(|error| StartError::Replay {
                        vendor: "gainsight",
                        what: error.to_string(),
                    })?;
                for write in &writes {
                    store.apply(write, *at);
                }
            }
        }
    }
    let key = format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        hash(seed) as u32,
        hash(seed ^ 1) as u16,
        hash(seed ^ 2) & 0xfff,
        hash(seed ^ 3) & 0xfff,
        hash(seed ^ 4) >> 16
    );
    Ok(Arc::new(Gainsight {
        store: RwLock::new(store),
        pages: Mutex::new(Vec::new()),
        journal: context.journal,
        clock: context.clock,
        meter: Meter::new(
            context.limits.gainsight_per_minute,
            context.limits.gainsight_daily,
        ),
        key,
    }))
}

impl Vendor for Gainsight {
    fn name(&self) -> &'static str {
        "gainsight"
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/v1/data/objects/query/{object}", post(data::query))
            .route(
                "/v1/data/objects/{object}",
                post(data::insert).put(data::update),
            )
            .route("/v1/data/objects/{object}/{gsid}", delete(data::remove))
            .route("/v1/meta/services/objects/list", get(meta::list))
            .route("/v1/meta/services/objects/describe", post(meta::describe))
            .route(
                "/v1/meta/services/dropdowns/{category}",
                get(meta::dropdown),
            )
            .route("/v1/users/services/list", post(people::users))
            .route("/v1/peoplemgmt/v1.0/people", put(people::upsert))
            .route(
                "/v1/ant/es/activity",
                post(timeline::create)
                    .put(timeline::update)
                    .delete(timeline::remove_many),
            )
            .route("/v1/ant/es/activity/deleted", post(timeline::deleted))
            .route("/v1/ant/es/activity/{id}", delete(timeline::remove_one))
            .route(
                "/v2/cockpit/cta",
                post(cockpit::create).put(cockpit::update),
            )
            .route("/v2/cockpit/cta/list", post(cockpit::list))
            .route("/v2/cockpit/cta/deleted/list", post(cockpit::deleted))
            .route("/v2/cockpit/cta/{gsid}", delete(cockpit::remove))
            .route(
                "/v2/cockpit/task",
                post(cockpit::create_task).put(cockpit::update_task),
            )
            .route(
                "/v2/cockpit/task/list",
                post(cockpit::tasks).get(cockpit::tasks),
            )
            .route(
                "/v2/cockpit/task/list/{cta}",
                post(cockpit::tasks_of).get(cockpit::tasks_of),
            )
            .route("/v2/cockpit/admin/picklist/lite", get(cockpit::picklists))
            .fallback(async || {
                Refusal::with(
                    StatusCode::BAD_REQUEST,
                    "GSOBJ_1023",
                    "The request path is not valid",
                )
            })
            .method_not_allowed_fallback(async || {
                Refusal::with(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "GSOBJ_1023",
                    "The request method is not valid for this path",
                )
            })
            .layer(middleware::from_fn_with_state(self.clone(), gate))
            .with_state(self)
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
        AuthDetails::Header {
            name: KEY_HEADER.to_owned(),
            value: self.key.clone(),
        }
    }

    fn accounts(&self) -> usize {
        self.read().count(ObjectId::Company)
    }

    fn over_limit(&self) -> Response {
        limits::refusal().into_response()
    }
}

/// Who has no key, or asks too often, does not get in.
async fn gate(State(tenant): Tenant, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(KEY_HEADER)
        .map(|value| value.as_bytes());
    match given {
        Some(given) if given == tenant.key.as_bytes() => {}
        _ => {
            return Refusal::with(StatusCode::UNAUTHORIZED, "GS_APIG_2401", "Unauthorized")
                .into_response();
        }
    }
    let timeline = request.uri().path().starts_with("/v1/ant/es/activity");
    if let Err(refused) = tenant.meter.take(timeline) {
        return refused.into_response();
    }
    let mut response = next.run(request).await;
    tenant.meter.mark(response.headers_mut());
    response
}

impl Gainsight {
    fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `plan` on the store as it is, journals the changes that it answers, makes them, and answers the rest. Nothing
    /// is changed when the journal cannot be written.
    fn change<T>(
        &self,
        plan: impl FnOnce(&mut Store) -> Result<(Vec<Write>, T), Refusal>,
    ) -> Result<T, Refusal> {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let (writes, answer) = plan(&mut store)?;
        if !writes.is_empty() {
            let at = self.clock.stamp();
            self.keep(&mut store, &writes, at)?;
        }
        Ok(answer)
    }

    fn keep(&self, store: &mut Store, writes: &[Write], at: Timestamp) -> Result<(), Refusal> {
        let broken =
            |error: String| Refusal::with(StatusCode::INTERNAL_SERVER_ERROR, "GS_APIG_2500", error);
        let what = serde_json::to_value(writes).map_err(|error| broken(error.to_string()))?;
        self.journal
            .write(at, what)
            .map_err(|error| broken(error.to_string()))?;
        for write in writes {
            store.apply(write, at);
        }
        Ok(())
    }
}

/// Reads a JSON body; nothing at all counts as `{}`.
fn body(bytes: &Bytes) -> Result<Value, Refusal> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        Refusal::new(
            "GSOBJ_1002",
            format!("The request body is not valid JSON - {error}"),
        )
    })
}

/// The GSID of a row as JSON.
fn gsid(id: ObjectId, row: u32) -> String {
    super::world::ids::gainsight_id(id.prefix(), u64::from(row))
}

/// A change of one row, for the journal and the store.
fn write(op: Op, object: &str, row: u32, values: Map<String, Value>) -> Write {
    Write {
        op,
        object: object.to_owned(),
        row,
        values,
    }
}
