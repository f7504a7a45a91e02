//! The engine: all sources, the lease, the schedules and the way in.

use super::source::Source;
use super::turns::Turns;
use super::{lease, push};
use crate::book::TenantField;
use crate::book::{Capabilities, Clock, Entity, OutboxItem, SourceName, SourceState, SourceStatus};
use crate::connect::Connector;
use crate::merge::{Configured, Role, Rules};
use crate::store::{Storage, StoreError};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::JoinHandle;

/// One source as it is to be synced.
#[derive(Clone)]
pub struct SourceSetup {
    /// What people call it.
    pub name: SourceName,
    /// Which connector, `salesforce`.
    pub kind: String,
    /// Where, for people.
    pub base_url: String,
    /// How often.
    pub every: Duration,
    /// Nothing is written to it.
    pub read_only: bool,
    /// Our promise of requests per day.
    pub daily_requests: Option<u64>,
    /// The connector, or why there is none: then the source stands in the status as stopped with that sentence.
    pub connector: Result<Arc<dyn Connector>, String>,
}

/// What the engine works with.
pub struct Setup {
    /// Where everything is kept.
    pub store: Arc<dyn Storage>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The sources, in the configuration's order.
    pub sources: Vec<SourceSetup>,
    /// Whose records and whose values count.
    pub rules: Configured,
    /// Writes are switched off for all.
    pub read_only: bool,
    /// E-mail of the person who acts, for systems in which the author must be passed.
    pub author: Option<String>,
}

/// What happens in the engine. Whoever misses some reads [`Engine::statuses`] and the store.
#[derive(Clone, Debug)]
pub enum SyncEvent {
    /// Merged rows changed; the store now stands at `seq`.
    Merged {
        /// The store's sequence number.
        seq: u64,
        /// How many rows.
        changed: u64,
    },
    /// A source's status changed.
    Status(SourceName),
    /// An outbox item moved.
    Item(Box<OutboxItem>),
    /// What a source can take is known now.
    Capabilities(SourceName),
    /// The database did not do what it was asked, in words.
    Trouble(String),
}

/// What became of one source in [`Engine::run_once`].
#[derive(Clone, Debug)]
pub struct RunResult {
    /// The source.
    pub source: SourceName,
    /// Rows that changed.
    pub changed: u64,
    /// Requests spent.
    pub requests: u64,
    /// What went wrong, with the remedy.
    pub error: Option<String>,
}

pub(super) struct Shared {
    pub(super) store: Arc<dyn Storage>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sources: Vec<Arc<Source>>,
    pub(super) rules: Arc<Rules>,
    pub(super) holder: String,
    pub(super) author: Option<String>,
    pub(super) read_only: AtomicBool,
    pub(super) leader: watch::Sender<bool>,
    pub(super) stopping: watch::Sender<bool>,
    /// There may be something to send.
    pub(super) push: Notify,
    pub(super) merging: tokio::sync::Mutex<()>,
    pub(super) turns: Turns,
    /// How many sources are being pulled, and since when at least one is.
    pub(super) pulling: Mutex<(usize, Instant)>,
    /// When the accounts' facts were brought up to date last, and how long that took.
    pub(super) settled: Mutex<(Instant, Duration)>,
    /// Somebody waits to merge what is there.
    pub(super) merge_wanted: AtomicBool,
    /// Sends one batch at a time.
    pub(super) pushing: tokio::sync::Mutex<push::Memory>,
    /// How sources stand that are not configured: files that were imported.
    imported: Mutex<Vec<SourceStatus>>,
    events: broadcast::Sender<SyncEvent>,
}

impl Shared {
    pub(super) fn tell(&self, event: SyncEvent) {
        // Nobody listening is fine.
        let _ = self.events.send(event);
    }

    pub(super) fn trouble(&self, error: &StoreError) {
        tracing::error!("{error}");
        self.tell(SyncEvent::Trouble(error.to_string()));
    }

    pub(super) fn source(&self, name: &str) -> Option<&Arc<Source>> {
        self.sources.iter().find(|s| &*s.name == name)
    }

    pub(super) fn leads(&self) -> bool {
        *self.leader.borrow()
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Why nothing may be written to a source now; `None` when it may.
    pub(super) fn closed_to_writes(&self, source: &Source) -> Option<String> {
        if self.read_only.load(Ordering::SeqCst) {
            Some("csops is read-only: `readonly off` lets what waits go".to_owned())
        } else if source.is_read_only() {
            Some(format!(
                "{} is read-only: `readonly off {}` lets what waits go",
                source.name, source.name
            ))
        } else {
            None
        }
    }

    /// Real time until an instant of the clock.
    pub(super) fn until(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default()
    }

    pub(super) fn after(&self, wait: Duration) -> Timestamp {
        let now = self.clock.now();
        jiff::SignedDuration::try_from(wait)
            .ok()
            .and_then(|w| now.checked_add(w).ok())
            .unwrap_or(now)
    }
}

/// Pull and push of all sources. Clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    pub(super) shared: Arc<Shared>,
    tasks: Arc<Mutex<Tasks>>,
}

#[derive(Default)]
struct Tasks {
    background: Vec<JoinHandle<()>>,
    push: Option<JoinHandle<()>>,
}

impl Engine {
    /// An engine that does nothing yet.
    pub fn new(setup: Setup) -> Engine {
        let roles = setup
            .sources
            .iter()
            .map(|s| (s.name.clone(), role(s)))
            .collect();
        let sources = setup
            .sources
            .into_iter()
            .map(|s| Arc::new(Source::new(s)))
            .collect();
        Engine {
            shared: Arc::new(Shared {
                store: setup.store,
                clock: setup.clock,
                sources,
                rules: Arc::new(Rules::new(roles, setup.rules)),
                holder: lease::holder(),
                author: setup.author,
                read_only: AtomicBool::new(setup.read_only),
                leader: watch::Sender::new(false),
                stopping: watch::Sender::new(false),
                push: Notify::new(),
                merging: tokio::sync::Mutex::default(),
                turns: Turns::default(),
                pulling: Mutex::new((0, Instant::now())),
                settled: Mutex::new((Instant::now(), Duration::ZERO)),
                merge_wanted: AtomicBool::default(),
                pushing: tokio::sync::Mutex::default(),
                imported: Mutex::default(),
                events: broadcast::Sender::new(1_024),
            }),
            tasks: Arc::default(),
        }
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<SyncEvent> {
        self.shared.events.subscribe()
    }

    /// Takes over from the database how each source went before. To be called once, before anything else.
    pub async fn restore(&self) -> Result<(), StoreError> {
        let (today, zone) = (self.shared.clock.today(), self.shared.clock.zone());
        for stored in self.shared.store.source_statuses().await? {
            let known = stored
                .source
                .as_ref()
                .and_then(|name| self.shared.source(name));
            if let Some(source) = known {
                source.restore(&stored, today, &zone);
            } else if self.shared.sources.is_empty() {
                // Without any configured source what was imported is all that there is, and its age the age of the data.
                self.imported().push(stored);
            }
        }
        Ok(())
    }

    /// Runs in the background on the current tokio runtime: the lease, each source on its schedule, the outbox.
    pub fn start(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if tasks.push.is_some() {
            return;
        }
        let shared = &self.shared;
        tasks
            .background
            .push(tokio::spawn(lease::keep(Arc::clone(shared))));
        for source in &shared.sources {
            if source.connector.is_some() {
                tasks.background.push(tokio::spawn(schedule(
                    Arc::clone(shared),
                    Arc::clone(source),
                )));
            }
        }
        tasks.push = Some(tokio::spawn(push::keep(Arc::clone(shared))));
    }

    /// Ends: what waits in its grace is sent at once, what is on its way gets `patience` to arrive, the lease is given back. Nothing is
    /// lost when `patience` is too short: it is in the outbox.
    pub async fn stop(&self, patience: Duration) {
        let (background, push) = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            (std::mem::take(&mut tasks.background), tasks.push.take())
        };
        if let Err(e) = self.shared.store.flush_grace(self.shared.clock.now()).await {
            self.shared.trouble(&e);
        }
        self.shared.stopping.send_replace(true);
        self.shared.push.notify_one();
        if let Some(mut push) = push
            && tokio::time::timeout(patience, &mut push).await.is_err()
        {
            push.abort();
        }
        // A pull can end anywhere: a page and its cursor are one transaction.
        for task in background {
            task.abort();
        }
        for source in &self.shared.sources {
            self.shared.save_status(source).await;
        }
        self.shared.release_lease().await;
    }

    /// Wants a source, or all, pulled now; with `full` from the beginning. An unknown name is answered with a sentence.
    pub fn sync_now(&self, source: Option<&str>, full: bool) -> Result<(), String> {
        for source in self.chosen(source.as_slice())? {
            if full {
                source.full.store(true, Ordering::SeqCst);
            }
            source.wanted.notify_one();
        }
        Ok(())
    }

    /// There is something new in the outbox.
    pub fn wake_push(&self) {
        self.shared.push.notify_one();
    }

    /// Switches writing off or on, for one source or for all; at once: also for what already waits.
    pub fn set_read_only(&self, source: Option<&str>, on: bool) -> Result<(), String> {
        match source {
            None => self.shared.read_only.store(on, Ordering::SeqCst),
            Some(_) => {
                for source in self.chosen(source.as_slice())? {
                    source.set_read_only(&self.shared, on);
                }
            }
        }
        self.shared.push.notify_one();
        Ok(())
    }

    /// Whether writing is switched off for all.
    pub fn is_read_only(&self) -> bool {
        self.shared.read_only.load(Ordering::SeqCst)
    }

    fn imported(&self) -> std::sync::MutexGuard<'_, Vec<SourceStatus>> {
        self.shared
            .imported
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How every source goes now, in the configuration's order; without any, what was imported.
    pub fn statuses(&self) -> Vec<SourceStatus> {
        let today = self.shared.clock.today();
        self.shared
            .sources
            .iter()
            .map(|s| {
                let mut status = s.status();
                if s.connector.is_some() && status.state != SourceState::Elsewhere {
                    status.budget = s.budget(today);
                }
                status
            })
            .chain(self.imported().iter().cloned())
            .collect()
    }

    /// What each source can take, as far as known.
    pub fn capabilities(&self) -> HashMap<SourceName, Capabilities> {
        self.connectors()
            .map(|(name, c)| (name.clone(), c.capabilities()))
            .collect()
    }

    /// The address of a row in a source's own web page.
    pub fn web_url(&self, source: &str, entity: Entity, external_id: &str) -> Option<String> {
        self.shared
            .source(source)?
            .connector
            .as_ref()?
            .web_url(entity, external_id)
    }

    /// Merges what waits to be merged, after a person tied or untied records; how many rows changed.
    pub async fn merge_now(&self) -> Result<u64, StoreError> {
        self.shared.merge_pending().await
    }

    /// Another process wrote: if it left rows to be merged, that is for whoever leads to do. Does not wait.
    pub fn merge_left(&self) {
        let shared = Arc::clone(&self.shared);
        if shared.leads() && !shared.merge_wanted.swap(true, Ordering::SeqCst) {
            tokio::spawn(async move {
                if let Err(e) = shared.merge_pending().await {
                    shared.trouble(&e);
                }
            });
        }
    }

    /// Logs in to these sources (all, when none is named) and proves it: who we are there, or what is wrong and what to do.
    pub async fn check(
        &self,
        names: &[&str],
    ) -> Result<Vec<(SourceName, Result<String, String>)>, String> {
        let checks = self.chosen(names)?.into_iter().map(|source| async move {
            let said = match &source.connector {
                Some(connector) => connector.check().await.map_err(|e| e.message),
                None => Err(source
                    .status()
                    .error
                    .unwrap_or_else(|| "it could not be opened".to_owned())),
            };
            (source.name.clone(), said)
        });
        Ok(futures_util::future::join_all(checks).await)
    }

    /// The fields that a source's tenant has.
    pub async fn describe(&self, name: &str) -> Result<Vec<TenantField>, String> {
        let source = self.chosen(&[name])?.into_iter().next();
        match source.as_ref().and_then(|s| s.connector.as_ref()) {
            Some(connector) => connector.describe().await.map_err(|e| e.message),
            None => Err(source
                .and_then(|s| s.status().error)
                .unwrap_or_else(|| format!("{name} could not be opened"))),
        }
    }

    fn connectors(&self) -> impl Iterator<Item = (&SourceName, &Arc<dyn Connector>)> {
        self.shared
            .sources
            .iter()
            .filter_map(|s| Some((&s.name, s.connector.as_ref()?)))
    }

    fn chosen(&self, names: &[&str]) -> Result<Vec<Arc<Source>>, String> {
        if names.is_empty() {
            return Ok(self.shared.sources.clone());
        }
        let known = || {
            let names: Vec<&str> = self.shared.sources.iter().map(|s| &*s.name).collect();
            match names.as_slice() {
                [] => "none is configured".to_owned(),
                names => format!("there are: {}", names.join(", ")),
            }
        };
        names
            .iter()
            .map(|n| {
                self.shared
                    .source(n)
                    .cloned()
                    .ok_or_else(|| format!("there is no source `{n}`; {}", known()))
            })
            .collect()
    }

    /// One push and one pull of these sources (all, when none is named), for `csops sync`. Sources are pulled side by side; a failing one
    /// does not stop the others. When another csops holds the lease nothing is done and the error names it.
    pub async fn run_once(&self, names: &[&str], full: bool) -> Result<Vec<RunResult>, String> {
        let chosen = self.chosen(names)?;
        let lease = self.borrow_lease().await?;
        let shared = &self.shared;
        let result = async {
            shared
                .store
                .flush_grace(shared.clock.now())
                .await
                .map_err(|e| e.to_string())?;
            shared.push_until_idle().await;
            let pulls = chosen.iter().map(|source| async {
                let before = source.budget(shared.clock.today()).ours;
                let run = shared.pull(source, full).await;
                let after = source.budget(shared.clock.today()).ours;
                RunResult {
                    source: source.name.clone(),
                    changed: run.changed,
                    requests: after.saturating_sub(before),
                    error: run.error,
                }
            });
            let results = futures_util::future::join_all(pulls).await;
            shared.push_until_idle().await;
            Ok(results)
        }
        .await;
        self.return_lease(lease).await;
        result
    }

    /// Sends what is due, until nothing is or `patience` is over, for `csops do` and `csops outbox retry`. When another csops holds the
    /// lease it will do so; then its name is answered.
    pub async fn push_pending(&self, patience: Duration) -> Result<Option<String>, String> {
        let lease = match self.borrow_lease().await {
            Ok(lease) => lease,
            Err(other) => return Ok(Some(other)),
        };
        let _ = tokio::time::timeout(patience, self.shared.push_until_idle()).await;
        self.return_lease(lease).await;
        Ok(None)
    }

    /// The lease for one errand; `None` inside when the engine has it anyway.
    pub(super) async fn borrow_lease(&self) -> Result<Option<JoinHandle<()>>, String> {
        if self.shared.leads() {
            return Ok(None);
        }
        match self.shared.take_lease().await {
            Ok(None) => {}
            Ok(Some(other)) => {
                return Err(format!(
                    "{other} syncs this database already; what waits goes out and comes in there"
                ));
            }
            Err(e) => return Err(e.to_string()),
        }
        self.shared.lead().await.map_err(|e| e.to_string())?;
        let shared = Arc::clone(&self.shared);
        Ok(Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(lease::RENEW).await;
                if let Err(e) = shared.take_lease().await {
                    shared.trouble(&e);
                }
            }
        })))
    }

    pub(super) async fn return_lease(&self, lease: Option<JoinHandle<()>>) {
        if let Some(renewal) = lease {
            renewal.abort();
            self.shared.release_lease().await;
        }
    }
}

/// A source with renewals is a CRM; one without is a customer success platform.
fn role(setup: &SourceSetup) -> Role {
    match &setup.connector {
        Ok(c) if !c.streams().iter().any(|s| s.entity == Entity::Renewal) => Role::Success,
        _ => Role::Crm,
    }
}

/// One source on its schedule, for as long as the engine runs and leads.
async fn schedule(shared: Arc<Shared>, source: Arc<Source>) {
    let mut leader = shared.leader.subscribe();
    let mut stopping = shared.stopping.subscribe();
    let mut checked = false;
    loop {
        if shared.is_stopping() {
            return;
        }
        if !shared.leads() {
            tokio::select! {
                changed = leader.changed() => if changed.is_err() { return },
                _ = stopping.changed() => return,
            }
            continue;
        }
        if !checked {
            checked = shared.introduce(&source).await;
        }
        let next = source.next_run(shared.clock.now());
        source.change(&shared, |s| s.next_run = next);
        let sleep = async {
            match next {
                Some(at) => tokio::time::sleep(shared.until(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            () = source.wanted.notified() => {}
            changed = leader.changed() => { if changed.is_err() { return } continue }
            _ = stopping.changed() => return,
        }
        if shared.leads() {
            let full = source.full.swap(false, Ordering::SeqCst);
            shared.pull(&source, full).await;
        }
    }
}
