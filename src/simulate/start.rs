//! Starting and stopping a simulation.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, Zoned, tz::TimeZone};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::clock::{Now, SimClock};
use super::faults::{FaultHandle, Faults};
use super::journal::{Entry, Journal};
use super::world::World;
use super::{
    AuthDetails, Limits, Vendor, VendorContext, churnzero, gainsight, hubspot, live, planhat,
    salesforce, server, totango, vitally,
};

/// Builds a vendor.
type Open = fn(VendorContext) -> Result<Arc<dyn Vendor>, StartError>;

/// The vendors that can be simulated, by connector name.
const VENDORS: &[(&str, Open)] = &[
    ("salesforce", salesforce::open),
    ("gainsight", gainsight::open),
    ("hubspot", hubspot::open),
    ("planhat", planhat::open),
    ("churnzero", churnzero::open),
    ("totango", totango::open),
    ("vitally", vitally::open),
];

/// Their names in a sentence.
fn known() -> String {
    let names: Vec<&str> = VENDORS.iter().map(|(name, _)| *name).collect();
    let (last, others) = names.split_last().unwrap_or((&"", &[]));
    format!("{} and {last}", others.join(", "))
}

/// What to simulate, and how.
#[derive(Clone)]
pub struct Options {
    /// Size of the book.
    pub accounts: usize,
    pub seed: u64,
    /// Connector names, in the order of their ports, e.g. `salesforce`, `gainsight`, `hubspot`.
    pub vendors: Vec<String>,
    /// The day of the book; when empty, the one kept in `dir`, else today by `now`.
    pub anchor: Option<Date>,
    /// Where the anchor date and the journals live; without it nothing outlasts the process.
    pub dir: Option<PathBuf>,
    /// Forgets what `dir` holds of an earlier simulation.
    pub reset: bool,
    pub faults: Faults,
    /// No live changes.
    pub freeze: bool,
    /// Vendor number i listens on `port_base + i`; without it on any free port.
    pub port_base: Option<u16>,
    /// Serve https with a certificate made for this run.
    pub tls: bool,
    /// Where modification stamps come from.
    pub now: Now,
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            accounts: 240,
            seed: 1,
            vendors: vec!["salesforce".to_owned(), "gainsight".to_owned()],
            anchor: None,
            dir: None,
            reset: false,
            faults: Faults::default(),
            freeze: false,
            port_base: None,
            tls: false,
            now: Arc::new(Timestamp::now),
            limits: Limits::default(),
        }
    }
}

/// Why a simulation did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("there is no simulated vendor “{0}”; there are {known}", known = known())]
    UnknownVendor(String),
    #[error("port {port} on 127.0.0.1 cannot be used ({error}); choose another with --port-base")]
    Port { port: u16, error: io::Error },
    #[error("the simulator's files in {dir} cannot be used: {error}")]
    Files { dir: PathBuf, error: io::Error },
    #[error(
        "{dir} holds the simulated world of {found}, not of {wanted}; start with --reset or use another --dir"
    )]
    AnotherWorld {
        dir: PathBuf,
        found: String,
        wanted: String,
    },
    #[error("the journal of {vendor} does not fit its world: {what}; start with --reset")]
    Replay { vendor: &'static str, what: String },
    #[error("a certificate for the simulated vendors cannot be made or written: {0}")]
    Tls(io::Error),
}

/// One vendor that is being served.
#[derive(Debug, Clone)]
pub struct VendorEndpoint {
    /// The connector's name.
    pub connector: &'static str,
    /// Without a trailing slash.
    pub base_url: String,
    pub auth: AuthDetails,
    /// A second key for a part of its API, where the vendor has one.
    pub application_key: Option<String>,
    /// How many accounts it shows.
    pub accounts: usize,
    /// The certificate to trust, with TLS.
    pub ca_file: Option<PathBuf>,
}

/// A running simulation; dropping it stops it.
pub struct Simulation {
    pub vendors: Vec<VendorEndpoint>,
    pub world: Arc<World>,
    pub clock: SimClock,
    parts: Vec<Part>,
    tasks: Vec<JoinHandle<()>>,
}

struct Part {
    vendor: Arc<dyn Vendor>,
    journal: Journal,
    faults: FaultHandle,
}

/// Makes the world, replays what the journals hold, and serves the vendors. Runs on the tokio runtime of the caller.
///
/// # Errors
/// When a vendor is unknown, a port is taken, the files cannot be used, or they belong to another world.
pub async fn start(options: Options) -> Result<Simulation, StartError> {
    let clock = SimClock::new(options.now.clone());
    let anchor = anchor(&options, &clock)?;
    let (seed, accounts) = (options.seed, options.accounts);
    // A large book takes seconds: not on a thread that drives others.
    let world = tokio::task::spawn_blocking(move || World::generate(seed, anchor, accounts));
    let world = Arc::new(world.await.map_err(|error| StartError::Replay {
        vendor: "the world",
        what: error.to_string(),
    })?);
    let tls = match options.tls {
        true => {
            // Without a folder of their own two simulations must not write each other's certificate.
            let temporary =
                || std::env::temp_dir().join(format!("csops-simulator-{}", std::process::id()));
            let folder = options.dir.clone().unwrap_or_else(temporary);
            std::fs::create_dir_all(&folder).map_err(StartError::Tls)?;
            Some(server::tls(&folder).map_err(StartError::Tls)?)
        }
        false => None,
    };
    let mut simulation = Simulation {
        vendors: Vec::new(),
        world: world.clone(),
        clock: clock.clone(),
        parts: Vec::new(),
        tasks: Vec::new(),
    };
    // A limit that was asked for with the faults stands instead of the documented one, also when it is higher.
    let mut limits = options.limits.clone();
    if let Some(asked) = options.faults.rate_limit {
        limits.gainsight_per_minute = limits.gainsight_per_minute.max(asked);
        limits.hubspot_ten_secondly = limits.hubspot_ten_secondly.max(asked / 6);
        limits.vitally_per_minute = limits.vitally_per_minute.max(asked);
        limits.hubspot_search_per_second = limits.hubspot_search_per_second.max(asked / 60);
        limits.churnzero_soft_per_minute = limits.churnzero_soft_per_minute.max(asked);
        limits.churnzero_per_minute = limits.churnzero_per_minute.max(asked);
        limits.totango_per_minute = limits.totango_per_minute.max(asked);
    }
    let mut last_event = 0;
    for (place, name) in options.vendors.iter().enumerate() {
        let port = options
            .port_base
            .map_or(0, |base| base.saturating_add(place as u16));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|error| StartError::Port { port, error })?;
        let port = listener
            .local_addr()
            .map_err(|error| StartError::Port { port, error })?
            .port();
        let base_url = format!(
            "{}://127.0.0.1:{port}",
            if tls.is_some() { "https" } else { "http" }
        );
        let (journal, replay) = match &options.dir {
            Some(dir) => Journal::open(dir, name).map_err(|error| StartError::Files {
                dir: dir.clone(),
                error,
            })?,
            None => (Journal::in_memory(), Vec::new()),
        };
        for entry in &replay {
            clock.not_before(entry.at());
            if let Entry::Live(event) = entry {
                last_event = last_event.max(event.number);
            }
        }
        let context = VendorContext {
            world: world.clone(),
            clock: clock.clone(),
            journal: journal.clone(),
            replay,
            base_url: base_url.clone(),
            limits: limits.clone(),
        };
        let known = VENDORS.iter().find(|(known, _)| known == name);
        let (_, open) = known.ok_or_else(|| StartError::UnknownVendor(name.clone()))?;
        let opened = tokio::task::spawn_blocking(move || open(context)).await;
        let vendor = opened.map_err(|error| StartError::Replay {
            vendor: "a vendor",
            what: error.to_string(),
        })??;
        let faults = FaultHandle::new(options.seed, options.faults.clone());
        let app = server::app(&vendor, &faults, &journal);
        simulation.tasks.push(server::serve(
            listener,
            tls.as_ref().map(|(acceptor, _)| acceptor.clone()),
            app,
        ));
        simulation.vendors.push(VendorEndpoint {
            connector: vendor.name(),
            base_url,
            auth: vendor.auth(),
            application_key: vendor.application_key(),
            accounts: vendor.accounts(),
            ca_file: tls.as_ref().map(|(_, path)| path.clone()),
        });
        simulation.parts.push(Part {
            vendor,
            journal,
            faults,
        });
    }
    if !options.freeze {
        let vendors = simulation
            .parts
            .iter()
            .map(|part| (part.vendor.clone(), part.journal.clone()))
            .collect();
        simulation.tasks.push(live::run(
            live::Events::after(world, clock, last_event),
            vendors,
        ));
    }
    Ok(simulation)
}

impl Simulation {
    /// Stops serving. What was accepted is in the journals already.
    pub fn stop(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
    }

    /// Changes what goes wrong at one vendor from the next request on; false when there is no such vendor.
    pub fn set_faults(&self, connector: &str, faults: Faults) -> bool {
        self.part(connector)
            .map(|part| part.faults.set(faults))
            .is_some()
    }

    /// The writes that a vendor accepted so far.
    pub fn writes(&self, connector: &str) -> Vec<serde_json::Value> {
        self.part(connector)
            .map(|part| part.journal.writes())
            .unwrap_or_default()
    }

    /// How many requests a vendor got, by method and kind of path.
    pub fn requests(&self, connector: &str) -> BTreeMap<String, u64> {
        self.part(connector)
            .map(|part| part.faults.requests())
            .unwrap_or_default()
    }

    /// Makes all access tokens of a vendor invalid.
    pub fn expire_tokens(&self, connector: &str) {
        if let Some(part) = self.part(connector) {
            part.vendor.expire_tokens();
        }
    }

    /// Lets one change of the world happen now, for tests that do not wait for the next.
    ///
    /// # Errors
    /// When a journal cannot be written; the vendors before it have heard of the change.
    pub fn happen(&self, number: u64, change: super::world::Change) -> io::Result<()> {
        let event = super::world::WorldEvent {
            number,
            at: self.clock.stamp(),
            change,
        };
        for part in &self.parts {
            part.vendor.keep_live(&event, &part.journal)?;
        }
        Ok(())
    }

    fn part(&self, connector: &str) -> Option<&Part> {
        self.parts
            .iter()
            .find(|part| part.vendor.name() == connector)
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The day of the book. With a folder it is kept there, together with what else makes the world, so that a later start
/// meets the same one.
fn anchor(options: &Options, clock: &SimClock) -> Result<Date, StartError> {
    let today = options
        .anchor
        .unwrap_or_else(|| Zoned::new(clock.peek(), TimeZone::UTC).date());
    let Some(dir) = &options.dir else {
        return Ok(today);
    };
    kept_anchor(options, dir, today).map_err(|error| StartError::Files {
        dir: dir.clone(),
        error,
    })?
}

fn kept_anchor(options: &Options, dir: &Path, today: Date) -> io::Result<Result<Date, StartError>> {
    std::fs::create_dir_all(dir)?;
    let path = dir.join("anchor");
    if options.reset {
        let ours = |name: &str| {
            name == "anchor" || (name.starts_with("journal-") && name.ends_with(".jsonl"))
        };
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(ours) {
                std::fs::remove_file(entry.path())?;
            }
        }
    }
    let wanted = format!("{} accounts and seed {}", options.accounts, options.seed);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let (date, found) = text
                .trim()
                .split_once(' ')
                .unwrap_or((text.trim(), wanted.as_str()));
            let date: Date = date.parse().map_err(|error| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("“anchor” does not begin with a date ({error})"),
                )
            })?;
            let other_day = options.anchor.is_some_and(|anchor| anchor != date);
            if found != wanted || other_day {
                let found = format!("{date}, {found}");
                let wanted = if other_day {
                    format!("{today}, {wanted}")
                } else {
                    wanted
                };
                return Ok(Err(StartError::AnotherWorld {
                    dir: dir.to_owned(),
                    found,
                    wanted,
                }));
            }
            Ok(Ok(date))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::write(&path, format!("{today} {wanted}\n"))?;
            Ok(Ok(today))
        }
        Err(error) => Err(error),
    }
}
