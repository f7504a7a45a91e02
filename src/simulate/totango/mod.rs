//! A Totango service: searches by a form field with JSON, whose answers name no fields; tasks, touchpoints and events; and
//! account attributes that are sent as the address of a picture. Written from the vendor's documents.
//!
//! [`open`] builds it on the shared world. `catalog` says what there is, `terms` evaluates the terms of a search, `search`
//! answers searches, `work` the tasks and touchpoints, `pixel` takes attributes.
//!
//! Where the documents are silent, this service behaves like this [G]: a search without `terms` is a 401 with a message, one
//! without `fields` a 400; the number of all hits is `total_hits`; a term on an attribute that nobody has fits no account; events
//! come newest first; dates in answers are ISO texts, stamps milliseconds; the limit is a fixed window of a minute.

mod catalog;
mod live;
mod pixel;
mod search;
mod terms;
#[cfg(test)]
mod tests;
mod work;

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::clock::SimClock;
use super::journal::{Entry, Journal};
use super::overlay::{Overlay, Write};
use super::world::WorldEvent;
use super::world::rng::hash;
use super::{AuthDetails, StartError, Vendor, VendorContext};

/// The header that carries the token.
const TOKEN_HEADER: &str = "app-token";

/// One service.
struct Totango {
    rows: RwLock<Overlay>,
    journal: Journal,
    clock: SimClock,
    token: String,
    per_minute: u32,
    minute: Mutex<(Instant, u32)>,
}

type Tenant = Shared<Arc<Totango>>;
type Answer = Result<Response, Refusal>;

/// An answer that says no: a status and a message.
#[derive(Debug, Clone)]
struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    fn bad(text: impl Into<String>) -> Self {
        Refusal::with(StatusCode::BAD_REQUEST, text)
    }

    fn with(status: StatusCode, text: impl Into<String>) -> Self {
        Refusal {
            status,
            text: text.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "message": self.text }))).into_response()
    }
}

fn stamp(at: Timestamp) -> Value {
    Value::from(at.as_millisecond())
}

/// Builds the service on the world and replays its journal.
///
/// # Errors
/// When a journal entry is not one of Totango's.
pub fn open(context: VendorContext) -> Result<Arc<dyn Vendor>, StartError> {
    let seed = context.world.seed;
    let mut rows = Overlay::new(context.world, catalog::tables(), catalog::id, stamp);
    for entry in &context.replay {
        match entry {
            Entry::Live(event) => live::follow(&mut rows, event),
            Entry::Write { at, what } => {
                let writes: Vec<Write> =
                    serde_json::from_value(what.clone()).map_err(|error| StartError::Replay {
                        vendor: "totango",
                        what: error.to_string(),
                    })?;
                for write in &writes {
                    rows.apply(write, *at);
                }
            }
        }
    }
    let token = format!(
        "{:016x}{:016x}totango",
        hash(seed ^ 0x746f),
        hash(seed ^ 0x7461)
    );
    Ok(Arc::new(Totango {
        rows: RwLock::new(rows),
        journal: context.journal,
        clock: context.clock,
        token,
        per_minute: context.limits.totango_per_minute,
        minute: Mutex::new((Instant::now(), 0)),
    }))
}

impl Vendor for Totango {
    fn name(&self) -> &'static str {
        "totango"
    }

    fn router(self: Arc<Self>) -> Router {
        let api = Router::new()
            .route("/api/v1/search/accounts", post(search::accounts))
            .route("/api/v1/search/users", post(search::users))
            .route("/api/v2/events/search", post(search::events))
            .route("/api/v2/events", get(search::events_of))
            .route("/api/v2/team_members", get(work::team))
            .route("/api/v2/audit", get(work::audit))
            .route("/api/v3/activity-types", get(work::flows))
            .route("/api/v3/accounts/{id}/plan_summary", get(work::plans))
            .route("/api/v3/tasks/export/csv", get(work::export))
            .route(
                "/api/v3/tasks",
                get(work::task)
                    .post(work::create_task)
                    .put(work::update_named_task),
            )
            .route("/api/v3/tasks/{id}", put(work::update_task))
            .route("/api/v3/touchpoints", post(work::create_touchpoint))
            .route(
                "/api/v3/touchpoints/{id}",
                put(work::update_touchpoint).delete(work::delete_touchpoint),
            )
            .fallback(async || Refusal::with(StatusCode::NOT_FOUND, "Not Found"))
            .method_not_allowed_fallback(async || {
                Refusal::with(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
            })
            .layer(middleware::from_fn_with_state(self.clone(), gate));
        Router::new()
            .route("/pixel.gif", get(pixel::take).post(pixel::take))
            .merge(api)
            .with_state(self)
    }

    fn live(&self, event: &WorldEvent) {
        live::follow(
            &mut self.rows.write().unwrap_or_else(PoisonError::into_inner),
            event,
        );
    }

    fn keep_live(&self, event: &WorldEvent, journal: &Journal) -> std::io::Result<()> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        journal.append(&Entry::Live(event.clone()))?;
        live::follow(&mut rows, event);
        Ok(())
    }

    fn auth(&self) -> AuthDetails {
        AuthDetails::Header {
            name: TOKEN_HEADER.to_owned(),
            value: self.token.clone(),
        }
    }

    fn accounts(&self) -> usize {
        self.read().rows(catalog::ACCOUNTS).count()
    }

    fn over_limit(&self) -> Response {
        let mut response =
            Refusal::with(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded").into_response();
        self.mark(response.headers_mut(), self.per_minute, 60);
        put_header(response.headers_mut(), "retry-after", 60);
        response
    }
}

/// Who has no token, or asks too often, does not get in.
async fn gate(Shared(tenant): Tenant, request: Request, next: Next) -> Response {
    let known = request
        .headers()
        .get(TOKEN_HEADER)
        .is_some_and(|given| given.as_bytes() == tenant.token.as_bytes());
    if !known {
        return Refusal::with(StatusCode::UNAUTHORIZED, "Unauthorized").into_response();
    }
    let (count, left) = tenant.counted();
    let mut response = if count > tenant.per_minute {
        let mut refused = tenant.over_limit();
        put_header(refused.headers_mut(), "retry-after", left.max(1));
        refused
    } else {
        next.run(request).await
    };
    tenant.mark(response.headers_mut(), count, left);
    response
}

fn put_header(headers: &mut HeaderMap, name: &'static str, value: u64) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
}

impl Totango {
    fn read(&self) -> RwLockReadGuard<'_, Overlay> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which request of its minute this is, and how many seconds are left of it.
    fn counted(&self) -> (u32, u64) {
        let length = Duration::from_secs(60);
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.0.elapsed() >= length {
            *minute = (Instant::now(), 0);
        }
        minute.1 = minute.1.saturating_add(1);
        let left = length
            .saturating_sub(minute.0.elapsed())
            .as_secs_f64()
            .ceil();
        (minute.1, left as u64)
    }

    fn mark(&self, headers: &mut HeaderMap, count: u32, left: u64) {
        put_header(headers, "ratelimit-limit", u64::from(self.per_minute));
        let remaining = self.per_minute.saturating_sub(count);
        put_header(headers, "ratelimit-remaining", u64::from(remaining));
        put_header(headers, "ratelimit-reset", left);
    }

    /// Runs `plan` on the rows as they are, journals the writes that it answers, makes them, and lets `answer` read the new
    /// rows. Nothing is changed when the journal cannot be written.
    fn change<T>(
        &self,
        plan: impl FnOnce(&mut Overlay) -> Result<(Vec<Write>, T), Refusal>,
        answer: impl FnOnce(&Overlay, T) -> Value,
    ) -> Answer {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        let (writes, rest) = plan(&mut rows)?;
        if !writes.is_empty() {
            let broken = |text: String| Refusal::with(StatusCode::INTERNAL_SERVER_ERROR, text);
            let at = self.clock.stamp();
            let what = serde_json::to_value(&writes).map_err(|error| broken(error.to_string()))?;
            self.journal
                .write(at, what)
                .map_err(|error| broken(error.to_string()))?;
            for write in &writes {
                rows.apply(write, at);
            }
        }
        Ok(Json(answer(&rows, rest)).into_response())
    }
}
