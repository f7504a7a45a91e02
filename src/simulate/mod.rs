//! Loopback vendors that speak the real protocols, and the world that they share. The demo and the tests run on them.
//!
//! Written from the vendors' documents alone and using nothing else of this crate, so that simulator and connectors are
//! each other's witness. The way in is [`start`] with [`Options`]; it answers a [`Simulation`] with one
//! [`VendorEndpoint`] per vendor.
//!
//! How the parts fit:
//! - [`world`] holds the truth: [`world::World`], an immutable function of (seed, anchor date, number of accounts). Rows
//!   have a stable `u32` index; which vendor sees an account, and under which spelling, is said by the account.
//! - A vendor is a folder with a type that implements [`Vendor`]. It is built by its `open(VendorContext)` from the world,
//!   turns rows into its own records (its own ids, its own field names), and answers an axum router. To add one: its folder,
//!   a line in `start.rs`. From then on its
//!   own state is the truth about itself; the world is only where it began.
//! - The world goes on changing: [`live`] makes a [`world::WorldEvent`] every few seconds and hands it to each vendor's
//!   [`Vendor::live`]. A vendor changes its records and stamps them with `event.at`; it ignores rows it does not have.
//! - [`journal`] keeps what a vendor accepted: before it answers a write the vendor calls [`journal::Journal::write`]
//!   with a description that it can replay itself; live events are journaled by [`Vendor::keep_live`]. At the next
//!   start [`VendorContext::replay`] holds all entries in order and `open` applies them before serving.
//! - [`clock::SimClock`] is the only clock for modification stamps; it follows [`Options::now`] and never goes back.
//! - `server` puts the router on a port, [`faults`] around it, counts requests, and serves the `/__sim/` control paths.

mod basic;
pub mod churnzero;
pub mod clock;
pub mod faults;
mod form;
pub mod gainsight;
pub mod hubspot;
pub mod journal;
mod labels;
pub mod live;
mod overlay;
pub mod planhat;
pub mod salesforce;
mod server;
mod start;
#[cfg(test)]
mod tests;
pub mod totango;
pub mod vitally;
pub mod world;

use std::sync::Arc;

use serde::Serialize;

pub use start::{Options, Simulation, StartError, VendorEndpoint, start};

/// What a vendor is built from.
pub struct VendorContext {
    /// The shared truth at the anchor date.
    pub world: Arc<world::World>,
    /// The clock for every modification stamp and for token expiry of simulated time.
    pub clock: clock::SimClock,
    /// Where accepted writes go, before they are answered.
    pub journal: journal::Journal,
    /// What the journal held at start, oldest first; to be applied before the first answer.
    pub replay: Vec<journal::Entry>,
    /// `http://127.0.0.1:PORT` or `https://…`, without a trailing slash; known before the vendor is built.
    pub base_url: String,
    /// Limits that the vendor enforces.
    pub limits: Limits,
}

/// The vendors' own limits, as far as a simulation changes them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Salesforce: requests per rolling day of the org.
    pub salesforce_daily: u32,
    /// Salesforce: seconds (of real time) for which an access token is good.
    pub salesforce_token_seconds: u64,
    /// Gainsight: synchronous requests per minute and key; the documented value is 100. A
    /// `rate-limit=N/min` among the faults at start stands instead of it.
    pub gainsight_per_minute: u32,
    /// Gainsight: requests per day and key; the documented value is 50,000.
    pub gainsight_daily: u32,
    /// ChurnZero: requests per minute that are answered at once; the documented value is 100.
    pub churnzero_soft_per_minute: u32,
    /// ChurnZero: requests per minute that are answered at all; the documented value is 200.
    pub churnzero_per_minute: u32,
    /// Planhat: requests per second; the documented hard limit is 150.
    pub planhat_per_second: u32,
    /// HubSpot: requests in any ten seconds of a private app; the documented value is 190.
    pub hubspot_ten_secondly: u32,
    /// HubSpot: requests per day of the portal; the documented value is 625,000.
    pub hubspot_daily: u32,
    /// HubSpot: searches in any second; the documented value is 5.
    pub hubspot_search_per_second: u32,
    /// HubSpot: how long (in real time) a change takes to show in search; the documents say "moments".
    pub hubspot_search_lag: std::time::Duration,
    /// HubSpot: seconds (of real time) for which an access token of OAuth is good.
    pub hubspot_token_seconds: u64,
    /// Totango: requests per minute and token; the documented value is 100.
    pub totango_per_minute: u32,
    /// Vitally: requests in any minute; the documented value is 1,000.
    pub vitally_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            salesforce_daily: 100_000,
            salesforce_token_seconds: 7200,
            gainsight_per_minute: 100,
            gainsight_daily: 50_000,
            churnzero_soft_per_minute: 100,
            churnzero_per_minute: 200,
            planhat_per_second: 150,
            hubspot_ten_secondly: 190,
            hubspot_daily: 625_000,
            hubspot_search_per_second: 5,
            hubspot_search_lag: std::time::Duration::from_secs(1),
            hubspot_token_seconds: 1800,
            totango_per_minute: 100,
            vitally_per_minute: 1000,
        }
    }
}

/// One simulated system.
pub trait Vendor: Send + Sync + 'static {
    /// The connector's name, e.g. `salesforce`.
    fn name(&self) -> &'static str;
    /// The vendor's own paths; the server adds faults and `/__sim/`. Called once.
    fn router(self: Arc<Self>) -> axum::Router;
    /// Follows a change of the world. Called at replay time too; must not journal and must not fail.
    fn live(&self, event: &world::WorldEvent);
    /// Journals a change of the world, then follows it. A vendor whose writes could come in between does both under the
    /// lock of its state, so that a replay meets them in the same order.
    ///
    /// # Errors
    /// When the journal cannot be written; then nothing changes.
    fn keep_live(
        &self,
        event: &world::WorldEvent,
        journal: &journal::Journal,
    ) -> std::io::Result<()> {
        journal.append(&journal::Entry::Live(event.clone()))?;
        self.live(event);
        Ok(())
    }
    /// What a client needs to sign in.
    fn auth(&self) -> AuthDetails;
    /// A second key that the vendor wants for a part of its API, where it does.
    fn application_key(&self) -> Option<String> {
        None
    }
    /// How many accounts the vendor shows now.
    fn accounts(&self) -> usize;
    /// The vendor's own answer to a client that is over its request limit (used by `rate-limit` faults).
    fn over_limit(&self) -> axum::response::Response;
    /// Makes every access token that was given out so far invalid, where the vendor has such a thing.
    fn expire_tokens(&self) {}
}

/// How to sign in, in the shape that `csops demo --serve` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuthDetails {
    /// OAuth 2 client credentials.
    ClientCredentials {
        client_id: String,
        client_secret: String,
        token_url: String,
    },
    /// A fixed bearer token.
    Bearer { token: String },
    /// A fixed request header.
    Header { name: String, value: String },
    /// HTTP basic.
    Basic { user: String, password: String },
}
