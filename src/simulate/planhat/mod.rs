//! A Planhat tenant: models as bare lists and single objects, partial updates by PUT, bulk upserts whose errors lie inside a
//! good answer, and metrics. Written from the vendor's documents.
//!
//! [`open`] builds it on the shared world. `catalog` and `work` say which models and fields there are, `read` and `write` are
//! the endpoints, `metrics` the points of usage and health.
//!
//! Where the documents are silent, this tenant behaves like this [G]: a list without `limit` has 100 rows; companies, people,
//! assets, projects, objectives, workflows and campaigns show only `_id` and `name` in a list without `select`, `select=ALL`
//! shows everything; fields without a value are left out; tasks that are archived are only listed with `isArchived=true`; a
//! task with `dateDone` is archived; unknown properties are ignored; the quota of 200 calls a minute refuses nobody, the 150
//! requests a second and 50 at once do. Errors are plain text or JSON, depending on where they arise.

mod catalog;
mod live;
mod metrics;
mod read;
#[cfg(test)]
mod tests;
mod work;
mod write;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use axum::extract::{Request, State as Shared};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::metrics::{Metrics, Point};
use super::basic::{authorization, credentials};
use super::clock::SimClock;
use super::journal::{Entry, Journal};
use super::overlay::{Overlay, Write, iso};
use super::world::WorldEvent;
use super::world::rng::hash;
use super::{AuthDetails, StartError, Vendor, VendorContext};

/// Requests that may run at once.
const PARALLEL: usize = 50;

/// One tenant.
struct Planhat {
    state: RwLock<State>,
    journal: Journal,
    clock: SimClock,
    token: String,
    basic: String,
    per_second: u32,
    second: Mutex<(Instant, u32)>,
    running: AtomicUsize,
}

/// What the tenant holds.
struct State {
    rows: Overlay,
    metrics: Metrics,
}

/// One change, as the journal keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Change {
    Row(Write),
    Metric(Point),
}

type Tenant = Shared<Arc<Planhat>>;
type Answer = Result<Response, Refusal>;

/// An answer that says no: a short text, as JSON or plain.
#[derive(Debug, Clone)]
struct Refusal {
    status: StatusCode,
    text: String,
    json: bool,
}

impl Refusal {
    fn bad(text: impl Into<String>) -> Self {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            text: text.into(),
            json: true,
        }
    }

    fn not_found(text: impl Into<String>) -> Self {
        Refusal {
            status: StatusCode::NOT_FOUND,
            text: text.into(),
            json: true,
        }
    }

    fn plain(status: StatusCode, text: impl Into<String>) -> Self {
        Refusal {
            status,
            text: text.into(),
            json: false,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if self.json {
            (self.status, Json(json!({ "message": self.text }))).into_response()
        } else {
            (self.status, self.text).into_response()
        }
    }
}

/// Builds the tenant on the world and replays its journal.
///
/// # Errors
/// When a journal entry is not one of Planhat's.
pub fn open(context: VendorContext) -> Result<Arc<dyn Vendor>, StartError> {
    let seed = context.world.seed;
    let mut state = State {
        rows: Overlay::new(context.world, catalog::tables(), catalog::id, iso),
        metrics: Metrics::default(),
    };
    for entry in &context.replay {
        match entry {
            Entry::Live(event) => live::follow(&mut state, event),
            Entry::Write { at, what } => {
                let changes: Vec<Change> =
                    serde_json::from_value(what.clone()).map_err(|error| StartError::Replay {
                        vendor: "planhat",
                        what: error.to_string(),
                    })?;
                for change in &changes {
                    state.apply(change, *at);
                }
            }
        }
    }
    let token: String = (0..3)
        .map(|part| format!("{:016x}", hash(seed ^ 0x706c ^ part << 32)))
        .collect();
    Ok(Arc::new(Planhat {
        state: RwLock::new(state),
        journal: context.journal,
        clock: context.clock,
        basic: credentials(&token, ""),
        token,
        per_second: context.limits.planhat_per_second,
        second: Mutex::new((Instant::now(), 0)),
        running: AtomicUsize::new(0),
    }))
}

impl State {
    fn apply(&mut self, change: &Change, at: Timestamp) {
        match change {
            Change::Row(write) => self.rows.apply(write, at),
            Change::Metric(point) => self.metrics.put(point),
        }
    }
}

impl Vendor for Planhat {
    fn name(&self) -> &'static str {
        "planhat"
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/leancompanies", get(read::lean))
            .route("/dimensiondata", get(read::metrics))
            .route("/dimensiondata/{tenant}", post(write::metrics))
            .route(
                "/{model}",
                get(read::list).post(write::create).put(write::bulk),
            )
            .route(
                "/{model}/{id}",
                get(read::single).put(write::update).delete(write::remove),
            )
            .fallback(unknown)
            .method_not_allowed_fallback(unknown)
            .layer(middleware::from_fn_with_state(self.clone(), gate))
            .with_state(self)
    }

    fn live(&self, event: &WorldEvent) {
        live::follow(
            &mut self.state.write().unwrap_or_else(PoisonError::into_inner),
            event,
        );
    }

    fn keep_live(&self, event: &WorldEvent, journal: &Journal) -> std::io::Result<()> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        journal.append(&Entry::Live(event.clone()))?;
        live::follow(&mut state, event);
        Ok(())
    }

    fn auth(&self) -> AuthDetails {
        AuthDetails::Bearer {
            token: self.token.clone(),
        }
    }

    fn accounts(&self) -> usize {
        self.read().rows.rows(catalog::COMPANIES).count()
    }

    fn over_limit(&self) -> Response {
        Refusal::plain(StatusCode::TOO_MANY_REQUESTS, "Too many requests").into_response()
    }
}

async fn unknown(request: Request) -> Response {
    no_such(request.method(), request.uri().path()).into_response()
}

/// What the framework behind the API says of a path that is not there.
fn no_such(method: &Method, path: &str) -> Refusal {
    Refusal::plain(StatusCode::NOT_FOUND, format!("Cannot {method} {path}"))
}

/// Who has no token, or asks too often, does not get in. The metrics are pushed without a token and without limits.
async fn gate(Shared(tenant): Tenant, request: Request, next: Next) -> Response {
    if request.method() == Method::POST && request.uri().path().starts_with("/dimensiondata/") {
        return next.run(request).await;
    }
    let known = match authorization(request.headers()) {
        Some((scheme, given)) if scheme == "bearer" => given == tenant.token,
        Some((scheme, given)) if scheme == "basic" => given == tenant.basic,
        _ => false,
    };
    if !known {
        return Refusal::plain(StatusCode::FORBIDDEN, "Forbidden").into_response();
    }
    let _one = Running::begin(&tenant.running);
    if tenant.running.load(Ordering::SeqCst) > PARALLEL || !tenant.within_second() {
        return tenant.over_limit();
    }
    next.run(request).await
}

/// A request that is being answered.
struct Running<'a>(&'a AtomicUsize);

impl<'a> Running<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Running(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Planhat {
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn within_second(&self) -> bool {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        if second.0.elapsed() >= Duration::from_secs(1) {
            *second = (Instant::now(), 0);
        }
        second.1 = second.1.saturating_add(1);
        second.1 <= self.per_second
    }

    /// Runs `plan` on the state as it is, journals the changes that it answers and makes them; then `answer` reads the new
    /// state. Nothing is changed when the journal cannot be written.
    fn change<T>(
        &self,
        plan: impl FnOnce(&mut State) -> Result<(Vec<Change>, T), Refusal>,
        answer: impl FnOnce(&State, T) -> Value,
    ) -> Answer {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let (changes, rest) = plan(&mut state)?;
        if !changes.is_empty() {
            let broken = |error: String| Refusal::plain(StatusCode::INTERNAL_SERVER_ERROR, error);
            let at = self.clock.stamp();
            let what = serde_json::to_value(&changes).map_err(|error| broken(error.to_string()))?;
            self.journal
                .write(at, what)
                .map_err(|error| broken(error.to_string()))?;
            for change in &changes {
                state.apply(change, at);
            }
        }
        Ok(Json(answer(&state, rest)).into_response())
    }
}
