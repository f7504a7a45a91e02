//! A Salesforce org on the shared world. [`open`] builds it; everything else is behind [`Vendor`].
//!
//! - `schema` and `catalog`: which objects and fields there are; `describe` shows them.
//! - `value`, `table`, `fill`: the records. What the world holds is read from it on demand; only changes are stored.
//! - `soql`: the query language. `query`: queries over HTTP, with pages. `bulk` and `ingest`: jobs of Bulk API 2.0.
//! - `write`: creating, changing, deleting, with the org's checks. `rows`: single records over HTTP. `composite`: many.
//! - `oauth`: signing in. `rest`: from a path to the right place. `live`: following the world.
//!
//! Clients that were run against it unchanged: simple-salesforce 1.12.10 (sign-in, query with pages and iterators, describe,
//! create, read, update, upsert, delete, updated, deleted, limits, composite, Bulk 2.0 queries and downloads, renewal of an
//! expired session, Bulk 2.0 insert, upsert, update, delete) and jsforce 3.10.16 (sign-in, identity, query with auto-fetch and builder, one and many records, upsert,
//! updated, deleted, describe, limits, Bulk 2.0 query of one page and load, revoke).
//!
//! Beside the documented paths there are a few for tests, which need no token:
//! `PUT /__sim/salesforce/jwt-key` (a PEM public key, which JWT-bearer assertions are then verified with),
//! `POST /__sim/salesforce/expire-tokens`, `POST /__sim/salesforce/expire-locators`, and
//! `PUT /__sim/salesforce/settings` (`{"daily_limit", "used", "token_seconds", "rotate_refresh_tokens"}`, each optional).

mod bulk;
mod catalog;
mod composite;
mod describe;
mod error;
mod fill;
mod http;
mod ingest;
mod live;
mod oauth;
mod query;
mod rest;
mod rows;
mod schema;
mod soql;
mod table;
mod value;
mod write;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use axum::response::Response;

use self::error::Failure;
use self::fill::{Fill, Places};
use self::http::Reply;
use self::schema::Schema;
use self::table::Store;
use self::value::Id;
use self::write::Change;
use super::clock::SimClock;
use super::journal::{Entry, Journal};
use super::world::WorldEvent;
use super::{AuthDetails, StartError, Vendor, VendorContext};

/// The versions of the API that the org speaks.
pub const VERSIONS: std::ops::RangeInclusive<u32> = 50..=68;

/// The client that [`Vendor::auth`] names.
pub const CLIENT_ID: &str = "3MVG9csops.Simulated.Connected.App.0001";
/// Its secret.
pub const CLIENT_SECRET: &str = "5F1D0C9A7E3B4862A1D4C7F09B8E6352AA17C4D0";

/// The simulated org.
pub struct Org {
    schema: Arc<Schema>,
    at: Places,
    fill: Arc<Fill>,
    store: RwLock<Store>,
    clock: SimClock,
    journal: Journal,
    base_url: String,
    sessions: Mutex<oauth::Sessions>,
    locators: Mutex<query::Locators>,
    jobs: Mutex<bulk::Jobs>,
    ingests: Mutex<ingest::Ingests>,
    /// Requests of the day.
    used: AtomicU64,
    daily: AtomicU64,
}

/// Builds the org from the world and what the journal holds.
///
/// # Errors
/// When the journal holds a write that does not fit the world.
pub fn open(context: VendorContext) -> Result<Arc<dyn Vendor>, StartError> {
    Ok(Arc::new(Org::new(context)?))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Org {
    fn new(context: VendorContext) -> Result<Org, StartError> {
        let rates = context
            .world
            .currencies
            .iter()
            .map(|currency| (currency.code, currency.per_usd))
            .collect();
        let schema = Arc::new(catalog::schema(rates));
        let at = Places::new(&schema);
        let fill = Arc::new(Fill {
            world: context.world,
            schema: schema.clone(),
            at,
        });
        let mut store = Store::new(schema.clone(), fill.clone());
        for entry in &context.replay {
            match entry {
                Entry::Write { what, .. } => {
                    write::replay(&mut store, what).map_err(|what| StartError::Replay {
                        vendor: "salesforce",
                        what,
                    })?;
                }
                Entry::Live(event) => live::apply(&mut store, &fill, event),
            }
            store.commit();
        }
        Ok(Org {
            schema,
            at,
            fill,
            store: RwLock::new(store),
            clock: context.clock,
            journal: context.journal,
            base_url: context.base_url,
            sessions: Mutex::new(oauth::Sessions::new(
                context.limits.salesforce_token_seconds,
            )),
            locators: Mutex::new(query::Locators::default()),
            jobs: Mutex::new(bulk::Jobs::default()),
            ingests: Mutex::new(ingest::Ingests::default()),
            used: AtomicU64::new(0),
            daily: AtomicU64::new(u64::from(context.limits.salesforce_daily)),
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since 1970 by the org's clock.
    fn now_ms(&self) -> i64 {
        self.clock.peek().as_millisecond()
    }

    /// Begins a transaction. The vendor keeps stamps to the second.
    fn change(&self, user: Id) -> Change<'_> {
        let store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.stamp().as_millisecond().div_euclid(1000) * 1000;
        Change {
            store,
            user,
            now,
            log: Vec::new(),
        }
    }

    /// Ends a transaction: what it did is in the journal before anybody hears of it.
    fn keep(&self, mut change: Change<'_>, from: write::Mark) -> Result<(), Failure> {
        let at = self.clock.peek();
        let entries = std::mem::take(&mut change.log);
        for what in entries {
            if let Err(error) = self.journal.write(at, what) {
                change.roll_back(from);
                return Err(Failure::new(500, "UNKNOWN_EXCEPTION", error.to_string()));
            }
        }
        change.store.commit();
        Ok(())
    }

    fn organization_id(&self) -> String {
        self.schema.id_text(Id {
            object: self.at.organization,
            row: 0,
        })
    }

    /// `api-usage=18/100000`
    fn usage(&self) -> String {
        format!(
            "api-usage={}/{}",
            self.used.load(Ordering::Relaxed),
            self.daily.load(Ordering::Relaxed)
        )
    }
}

impl Vendor for Org {
    fn name(&self) -> &'static str {
        "salesforce"
    }

    fn router(self: Arc<Self>) -> axum::Router {
        http::router(self)
    }

    fn live(&self, event: &WorldEvent) {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        live::apply(&mut store, &self.fill, event);
        store.commit();
    }

    fn auth(&self) -> AuthDetails {
        AuthDetails::ClientCredentials {
            client_id: CLIENT_ID.into(),
            client_secret: CLIENT_SECRET.into(),
            token_url: format!("{}/services/oauth2/token", self.base_url),
        }
    }

    fn accounts(&self) -> usize {
        self.read().count(self.at.account)
    }

    fn over_limit(&self) -> Response {
        let reply = Reply::failed(&Failure::new(
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
        ));
        http::response(reply.with("Sforce-Limit-Info", &self.usage()))
    }

    fn expire_tokens(&self) {
        lock(&self.sessions).expire_all();
    }
}
