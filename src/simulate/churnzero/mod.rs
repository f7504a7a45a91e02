//! A ChurnZero tenant: entity sets by OData under `/public/v1`, and the push API under `/i` on the same port. Written from the
//! vendor's documents.
//!
//! [`open`] builds it on the shared world. `catalog` and `activity` say which sets and fields there are, `filter` evaluates
//! `$filter`, `query` answers reads, `push` takes what is pushed.
//!
//! Where the documents are silent, this tenant behaves like this [G]: an account is found by its external id in the list but
//! not by `Id`; texts compare by case; the sets with a row for each week do not search in texts; wrong credentials are a 401,
//! what cannot be pushed a 422; an attribute whose value is not of its type, or that the tenant does not have, is passed over
//! and the push succeeds; between 101 and 200 requests a minute answers come a quarter of a second late.

mod activity;
mod catalog;
mod filter;
mod live;
mod push;
mod query;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::basic::{authorization, credentials};
use super::clock::SimClock;
use super::journal::{Entry, Journal};
use super::overlay::{Overlay, Write, iso};
use super::world::WorldEvent;
use super::world::rng::hash;
use super::{AuthDetails, StartError, Vendor, VendorContext};

/// Where the entity sets are.
const ROOT: &str = "/public/v1";

/// Who signs in.
const USER: &str = "api@example.com";

/// How much later an answer comes to a client beyond the soft limit.
const DELAY: Duration = Duration::from_millis(250);

/// One tenant.
struct ChurnZero {
    rows: RwLock<Overlay>,
    journal: Journal,
    clock: SimClock,
    base_url: String,
    key: String,
    basic: String,
    app_key: String,
    /// Requests per minute that are answered at once, and that are answered at all.
    limits: (u32, u32),
    minute: Mutex<(Instant, u32)>,
}

type Tenant = Shared<Arc<ChurnZero>>;
type Answer = Result<Response, Refusal>;

/// An answer that says no, in the protocol's form.
#[derive(Debug, Clone)]
struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    fn bad(text: impl Into<String>) -> Self {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            text: text.into(),
        }
    }

    fn not_found() -> Self {
        Refusal::of(StatusCode::NOT_FOUND)
    }

    fn of(status: StatusCode) -> Self {
        Refusal {
            status,
            text: status.canonical_reason().unwrap_or("Error").to_owned(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let code = self.status.as_u16().to_string();
        let body = json!({ "error": { "code": code, "message": self.text } });
        (self.status, Json(body)).into_response()
    }
}

/// The application key with which a tenant of this seed takes pushes; the REST API has a key of its own.
pub fn application_key(seed: u64) -> String {
    format!(
        "1!{:016X}{:016X}",
        hash(seed ^ 0x0061_7070),
        hash(seed ^ 0x006b_6579)
    )
}

/// Builds the tenant on the world and replays its journal.
///
/// # Errors
/// When a journal entry is not one of ChurnZero's.
pub fn open(context: VendorContext) -> Result<Arc<dyn Vendor>, StartError> {
    let seed = context.world.seed;
    let mut rows = Overlay::new(context.world, catalog::tables(), catalog::id, iso);
    for entry in &context.replay {
        match entry {
            Entry::Live(event) => live::follow(&mut rows, event),
            Entry::Write { at, what } => {
                let writes: Vec<Write> =
                    serde_json::from_value(what.clone()).map_err(|error| StartError::Replay {
                        vendor: "churnzero",
                        what: error.to_string(),
                    })?;
                for write in &writes {
                    rows.apply(write, *at);
                }
            }
        }
    }
    let key = format!(
        "{:016x}{:016x}",
        hash(seed ^ 0x637a),
        hash(seed ^ 0x0063_7a31)
    );
    Ok(Arc::new(ChurnZero {
        rows: RwLock::new(rows),
        journal: context.journal,
        clock: context.clock,
        base_url: context.base_url,
        basic: credentials(USER, &key),
        key,
        app_key: application_key(seed),
        limits: (
            context.limits.churnzero_soft_per_minute,
            context.limits.churnzero_per_minute,
        ),
        minute: Mutex::new((Instant::now(), 0)),
    }))
}

impl Vendor for ChurnZero {
    fn name(&self) -> &'static str {
        "churnzero"
    }

    fn router(self: Arc<Self>) -> Router {
        let sets = Router::new()
            .route(ROOT, get(query::service))
            .route("/public/v1/{set}", get(query::set))
            .route("/public/v1/{set}/{rest}", get(query::below))
            .fallback(async || Refusal::not_found())
            .method_not_allowed_fallback(async || Refusal::of(StatusCode::METHOD_NOT_ALLOWED))
            .layer(middleware::from_fn_with_state(self.clone(), gate));
        Router::new()
            .route("/i", get(push::push).post(push::push))
            .merge(sets)
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

    fn application_key(&self) -> Option<String> {
        Some(self.app_key.clone())
    }

    fn auth(&self) -> AuthDetails {
        AuthDetails::Basic {
            user: USER.to_owned(),
            password: self.key.clone(),
        }
    }

    fn accounts(&self) -> usize {
        self.read().rows(catalog::ACCOUNT).count()
    }

    fn over_limit(&self) -> Response {
        Refusal::of(StatusCode::TOO_MANY_REQUESTS).into_response()
    }
}

/// Who has no key does not get in; who asks often waits; who asks too often is refused.
async fn gate(Shared(tenant): Tenant, request: Request, next: Next) -> Response {
    let known = authorization(request.headers())
        .is_some_and(|(scheme, given)| scheme == "basic" && given == tenant.basic);
    if !known {
        return Refusal::of(StatusCode::UNAUTHORIZED).into_response();
    }
    let (soft, hard) = tenant.limits;
    let count = tenant.counted();
    if count > hard {
        return tenant.over_limit();
    }
    if count > soft {
        tokio::time::sleep(DELAY).await;
    }
    next.run(request).await
}

impl ChurnZero {
    fn read(&self) -> RwLockReadGuard<'_, Overlay> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which request of its minute this is.
    fn counted(&self) -> u32 {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.0.elapsed() >= Duration::from_secs(60) {
            *minute = (Instant::now(), 0);
        }
        minute.1 = minute.1.saturating_add(1);
        minute.1
    }

    /// Runs `plan` on the rows as they are, journals the writes that it answers, and makes them. Nothing is changed when the
    /// journal cannot be written.
    fn change(
        &self,
        plan: impl FnOnce(&mut Overlay) -> Result<Vec<Write>, Refusal>,
    ) -> Result<(), Refusal> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        let writes = plan(&mut rows)?;
        if writes.is_empty() {
            return Ok(());
        }
        let broken = |text: String| Refusal {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            text,
        };
        let at = self.clock.stamp();
        let what = serde_json::to_value(&writes).map_err(|error| broken(error.to_string()))?;
        self.journal
            .write(at, what)
            .map_err(|error| broken(error.to_string()))?;
        for write in &writes {
            rows.apply(write, at);
        }
        Ok(())
    }
}
