//! The handle that front doors hold: reads never wait, requests are answered by an [`Event`] or a future.

use super::event::{CommandError, Event, Level, Outcome};
use super::pages::{self, Made, PageSlot, PageSpec, PageView};
use super::snapshot::{PastDay, Snapshot};
use super::sources::wait_for;
use super::view::{self, Slot, View, ViewSpec};
use super::wanted::Wanted;
use crate::book::{AccountDetail, Entity, LocalId, SourceName, SourceStatus, Target};
use crate::command::{Command, Selection, Situation};
use crate::store::{AccountHit, Counts, Draft, Storage, StoreError, StreamProblem};
use crate::sync::{Engine, RunResult};
use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::civil::Date;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// The cockpit, as its front doors see it. Clones are the same cockpit.
#[derive(Clone)]
pub struct Cockpit {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) snapshot: ArcSwap<Snapshot>,
    pub(super) views: Mutex<HashMap<Slot, Arc<View>>>,
    pub(super) detail: ArcSwapOption<(LocalId, AccountDetail)>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) requests: mpsc::UnboundedSender<Request>,
    pub(super) wanted: Wanted<Slot, ViewSpec>,
    pub(super) wanted_pages: Wanted<PageSlot, PageSpec>,
    pages: Mutex<Made>,
    pub(super) proposal: ArcSwapOption<super::rebalance::Proposed>,
    /// Whether the Book is there, or why it is not.
    pub(super) ready: watch::Sender<Option<Result<(), String>>>,
    engine: watch::Receiver<Option<Engine>>,
    store: Option<Arc<dyn Storage>>,
}

/// What a front door asks of the core.
pub(super) enum Request {
    Run {
        command: Command,
        selection: Selection,
        confirmed: bool,
        headless: bool,
        dry: bool,
        answer: oneshot::Sender<Result<Outcome, CommandError>>,
    },
    Refresh(oneshot::Sender<()>),
    AsOf(Date, oneshot::Sender<Result<PastDay, CommandError>>),
    Detail(LocalId),
    SaveDraft(Draft),
    DropDraft(String),
    Seen,
    Close(oneshot::Sender<()>),
}

impl Request {
    /// Whether it makes sense only once the Book is there.
    pub(super) fn needs_book(&self) -> bool {
        matches!(
            self,
            Request::Run { .. } | Request::Refresh(_) | Request::AsOf(..)
        )
    }
    pub(super) fn refuse(self, why: CommandError) {
        match self {
            Request::Run { answer, .. } => drop(answer.send(Err(why))),
            Request::AsOf(_, answer) => drop(answer.send(Err(why))),
            _ => {}
        }
    }
}

/// How many events are kept for a front door that is slow to take them.
const EVENTS: usize = 512;

impl Cockpit {
    /// A cockpit that shows one picture and does nothing: for tests of what is drawn. Views are computed; commands are refused.
    pub fn fixed(snapshot: Snapshot) -> Cockpit {
        let (requests, _) = mpsc::unbounded_channel();
        let shared = Shared::new(
            snapshot,
            requests,
            watch::Sender::new(None).subscribe(),
            None,
        );
        shared.ready.send_replace(Some(Ok(())));
        shared.start_threads();
        Cockpit { shared }
    }

    /// What to draw now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// Replaces the picture of a [`fixed`](Cockpit::fixed) cockpit.
    pub fn show(&self, snapshot: Snapshot) {
        self.shared.snapshot.store(Arc::new(snapshot));
        self.shared.renew(true);
        let _ = self.shared.events.send(Event::SnapshotChanged);
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    /// Waits until the Book is there.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn loaded(&self) -> Result<(), String> {
        let mut ready = self.shared.ready.subscribe();
        match ready.wait_for(Option::is_some).await {
            Ok(state) => state.clone().unwrap_or(Ok(())),
            Err(_) => Err(CommandError::Closing.to_string()),
        }
    }

    /// Has a list filtered and sorted elsewhere; [`Event::ViewReady`] says when [`Cockpit::view`] has it. A newer question of the same
    /// slot replaces this one, and the answer is renewed with every snapshot until another is asked.
    pub fn request_view(&self, slot: Slot, spec: ViewSpec) {
        self.shared.wanted.ask(slot, spec, false);
    }

    /// The newest answer of a slot, if it belongs to the Book that is shown.
    pub fn view(&self, slot: Slot) -> Option<Arc<View>> {
        let epoch = self.shared.snapshot.load().epoch;
        self.shared
            .views()
            .get(&slot)
            .filter(|v| v.epoch == epoch)
            .cloned()
    }

    /// Has a page of figures made elsewhere; [`Event::PageReady`] says when [`Cockpit::page`] has it. A newer question of the same slot
    /// replaces this one, and the answer is renewed with every snapshot until the slot asks for another page or forgets it.
    pub fn request_page(&self, slot: PageSlot, spec: PageSpec) {
        let fresh = self.page(&spec).is_some_and(|p| {
            p.generation == self.shared.snapshot.load().generation && !spec.reads_sources()
        });
        self.shared.wanted_pages.ask(slot, spec, fresh);
    }

    /// The slot needs no page any more.
    pub fn forget_page(&self, slot: PageSlot) {
        self.shared.wanted_pages.forget(slot);
    }

    /// The newest answer to a question for a page, if it belongs to the Book that is shown.
    pub fn page(&self, spec: &PageSpec) -> Option<Arc<PageView>> {
        let epoch = self.shared.snapshot.load().epoch;
        let pages = self.shared.pages();
        pages.get(spec).filter(|p| p.epoch == epoch).cloned()
    }

    /// A list at once, on this thread: for headless use and tests.
    pub fn view_now(&self, spec: &ViewSpec) -> View {
        view::compute(&self.snapshot(), spec, None)
    }

    /// Has the account page's rows read; [`Event::DetailReady`] says when. A newer question replaces this one.
    pub fn request_detail(&self, account: LocalId) {
        let _ = self.shared.requests.send(Request::Detail(account));
    }

    /// The account page's rows, if they are those of this account.
    pub fn detail(&self, account: LocalId) -> Option<Arc<(LocalId, AccountDetail)>> {
        self.shared.detail.load_full().filter(|d| d.0 == account)
    }

    /// The account page's rows of a [`fixed`](Cockpit::fixed) cockpit.
    pub fn show_detail(&self, account: LocalId, detail: AccountDetail) {
        self.shared.detail.store(Some(Arc::new((account, detail))));
        let _ = self.shared.events.send(Event::DetailReady(account));
    }

    /// A page of a [`fixed`](Cockpit::fixed) cockpit, in place of what would be made.
    pub fn show_page(&self, spec: PageSpec, page: crate::insight::page::Page) {
        let s = self.shared.snapshot.load();
        let made = PageView {
            generation: s.generation,
            epoch: s.epoch,
            page,
        };
        self.shared.pages().insert(spec, Arc::new(made));
        let _ = self.shared.events.send(Event::PageReady);
    }

    /// Runs a command. `confirmed`: the person said yes to what cannot be undone. When the future is ready the change is durable and
    /// the snapshot shows it.
    pub async fn run(
        &self,
        command: Command,
        selection: Selection,
        confirmed: bool,
    ) -> Result<Outcome, CommandError> {
        self.ask(command, selection, confirmed, false, false).await
    }

    /// As [`Cockpit::run`], without the grace, for `csops do`. `dry`: only says what it would do.
    pub async fn run_headless(
        &self,
        command: Command,
        selection: Selection,
        confirmed: bool,
        dry: bool,
    ) -> Result<Outcome, CommandError> {
        self.ask(command, selection, confirmed, true, dry).await
    }

    async fn ask(
        &self,
        command: Command,
        selection: Selection,
        confirmed: bool,
        headless: bool,
        dry: bool,
    ) -> Result<Outcome, CommandError> {
        let (answer, result) = oneshot::channel();
        self.shared
            .requests
            .send(Request::Run {
                command,
                selection,
                confirmed,
                headless,
                dry,
                answer,
            })
            .map_err(|_| CommandError::Closing)?;
        result.await.map_err(|_| CommandError::Closing)?
    }

    /// Whether a command can run on this now; if not, why. `Some`: it runs, but stays here, and why.
    pub fn can_run(
        &self,
        command: &'static crate::command::CommandSpec,
        selection: &Selection,
    ) -> Result<Option<String>, String> {
        let s = self.shared.snapshot.load();
        if let Some(past) = s.past.as_ref().filter(|_| command.writes) {
            return Err(super::core::written_in_the_past(past));
        }
        crate::command::can_run(
            command,
            &Situation {
                selection,
                read_only: s.read_only,
                homes: &s.homes,
                sources: &s.infos,
            },
        )
    }

    /// Keeps a text that is being typed, so that it survives a crash. One draft for each command and account.
    pub fn save_draft(&self, account: LocalId, command: &str, text: &str) {
        let draft = Draft {
            key: Cockpit::draft_key(account, command),
            account,
            kind: command.to_owned(),
            text: text.to_owned(),
            at: self.snapshot().now,
        };
        let _ = self.shared.requests.send(Request::SaveDraft(draft));
    }

    /// The draft of a command on an account.
    pub fn draft(&self, account: LocalId, command: &str) -> Option<Draft> {
        let key = Cockpit::draft_key(account, command);
        self.snapshot()
            .drafts
            .iter()
            .find(|d| d.key == key)
            .cloned()
    }

    /// Forgets a draft: it was sent or thrown away.
    pub fn drop_draft(&self, account: LocalId, command: &str) {
        let key = Cockpit::draft_key(account, command);
        let _ = self.shared.requests.send(Request::DropDraft(key));
    }

    fn draft_key(account: LocalId, command: &str) -> String {
        format!("{command}:{account}")
    }

    /// The person has seen what is new: the marks are gone at the next start.
    pub fn mark_seen(&self) {
        let _ = self.shared.requests.send(Request::Seen);
    }

    /// Tells the person something.
    pub fn say(&self, level: Level, text: impl Into<String>) {
        let _ = self.shared.events.send(Event::Message(level, text.into()));
    }

    /// The address of a thing in its vendor's own web page: of the source that its writes go to, else of any that has it.
    ///
    /// # Errors
    /// When no source with a web page has a record of it.
    pub async fn web_url(&self, target: Target) -> Result<String, CommandError> {
        let engine = self.engine().await.map_err(CommandError::Refused)?;
        let store = self.store()?;
        let mut held = store.external_ids(target).await.map_err(stored)?;
        let s = self.snapshot();
        let home = match target.entity {
            Entity::Escalation => s.homes.risk.clone(),
            Entity::Task => s.homes.task.clone(),
            _ => s.homes.renewal.clone(),
        };
        held.sort_by_key(|e| Some(&e.source) != home.as_ref());
        held.iter()
            .find_map(|e| engine.web_url(&e.source, e.entity, &e.external_id))
            .ok_or_else(|| {
                CommandError::Refused(format!(
                    "no source has a web page for this {}",
                    target.entity
                ))
            })
    }

    /// Ends the grace of what waits, gives the push a moment, writes the screen cache and stops. Nothing is lost if it is not called.
    pub async fn close(&self) {
        let (done, wait) = oneshot::channel();
        if self.shared.requests.send(Request::Close(done)).is_ok() {
            let _ = wait.await;
        }
        self.shared.stop_threads();
    }

    // What follows is for the headless commands.

    async fn engine(&self) -> Result<Engine, String> {
        wait_for(&mut self.shared.engine.clone())
            .await
            .ok_or_else(|| CommandError::Closing.to_string())
    }

    fn store(&self) -> Result<&Arc<dyn Storage>, CommandError> {
        self.shared.store.as_ref().ok_or(CommandError::Closing)
    }

    /// One push and one pull of these sources (all, when none is named); the snapshot has what they brought when it answers.
    ///
    /// # Errors
    /// An unknown source, another csops that syncs this database, or a database that does not do its part, in words.
    pub async fn sync_once(&self, sources: &[&str], full: bool) -> Result<Vec<RunResult>, String> {
        let results = self.engine().await?.run_once(sources, full).await?;
        self.refresh().await;
        Ok(results)
    }

    /// Sends what is due, until nothing is or `patience` is over. When another csops syncs this database it will do so; then it is named.
    ///
    /// # Errors
    /// A database that does not do its part, in words.
    pub async fn push(&self, patience: Duration) -> Result<Option<String>, String> {
        let other = self.engine().await?.push_pending(patience).await?;
        self.refresh().await;
        Ok(other)
    }

    /// Brings the snapshot up to date with the database and waits for it.
    pub async fn refresh(&self) {
        let (done, wait) = oneshot::channel();
        if self.shared.requests.send(Request::Refresh(done)).is_ok() {
            let _ = wait.await;
        }
    }

    /// An earlier day as it was known then. What is shown stays what it is.
    ///
    /// # Errors
    /// A day before history begins or one that has not come yet, a database that does not do its part.
    pub async fn as_of(&self, day: Date) -> Result<PastDay, CommandError> {
        let (answer, wait) = oneshot::channel();
        self.shared
            .requests
            .send(Request::AsOf(day, answer))
            .map_err(|_| CommandError::Closing)?;
        wait.await.map_err(|_| CommandError::Closing)?
    }

    /// How every source goes.
    ///
    /// # Errors
    /// When the cockpit is closing.
    pub async fn statuses(&self) -> Result<Vec<SourceStatus>, String> {
        Ok(self.engine().await?.statuses())
    }

    /// Logs in to these sources (all, when none is named) and proves it: who we are there, or what is wrong and what to do.
    ///
    /// # Errors
    /// When the cockpit is closing or a source is not known.
    pub async fn check_sources(
        &self,
        names: &[&str],
    ) -> Result<Vec<(SourceName, Result<String, String>)>, String> {
        self.engine().await?.check(names).await
    }

    /// The fields that a source's tenant has, with how many rows of a sample fill them.
    ///
    /// # Errors
    /// A sentence: the source is not known, or does not answer.
    pub async fn describe_source(
        &self,
        name: &str,
    ) -> Result<Vec<crate::book::TenantField>, String> {
        self.engine().await?.describe(name).await
    }

    /// The accounts that a text names: an id, a vendor's id, a domain, a name, or part of a name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_account(&self, text: &str) -> Result<Vec<AccountHit>, CommandError> {
        self.store()?.find_account(text).await.map_err(stored)
    }

    /// Everything about one account.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read_detail(
        &self,
        account: LocalId,
    ) -> Result<Option<AccountDetail>, CommandError> {
        self.store()?.detail(account).await.map_err(stored)
    }

    /// How much there is in the database.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn counts(&self) -> Result<Counts, CommandError> {
        self.store()?.counts().await.map_err(stored)
    }

    /// Rows of a source that could not be taken, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn row_problems(
        &self,
        source: &str,
        limit: usize,
    ) -> Result<Vec<StreamProblem>, CommandError> {
        self.store()?
            .row_problems(&source.into(), limit)
            .await
            .map_err(stored)
    }

    /// Looks the whole database over; what is wrong with it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn check_database(&self) -> Result<Vec<String>, CommandError> {
        self.store()?.check().await.map_err(stored)
    }
}

fn stored(e: StoreError) -> CommandError {
    CommandError::Store(e.to_string())
}

impl Shared {
    pub(super) fn new(
        snapshot: Snapshot,
        requests: mpsc::UnboundedSender<Request>,
        engine: watch::Receiver<Option<Engine>>,
        store: Option<Arc<dyn Storage>>,
    ) -> Arc<Shared> {
        Arc::new(Shared {
            snapshot: ArcSwap::from_pointee(snapshot),
            views: Mutex::default(),
            detail: ArcSwapOption::empty(),
            events: broadcast::Sender::new(EVENTS),
            requests,
            wanted: Wanted::default(),
            wanted_pages: Wanted::default(),
            pages: Mutex::default(),
            proposal: ArcSwapOption::empty(),
            ready: watch::Sender::new(None),
            engine,
            store,
        })
    }

    pub(super) fn views(&self) -> MutexGuard<'_, HashMap<Slot, Arc<View>>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pages(&self) -> MutexGuard<'_, Made> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The picture is another. `lists`: rows changed, so that every list and figure may be out of date.
    pub(super) fn renew(&self, lists: bool) {
        if lists {
            self.wanted.renew(|_| true);
        }
        self.wanted_pages.renew(|p| lists || p.reads_sources());
    }

    /// The threads that answer lists and pages. They end when the cockpit closes.
    pub(super) fn start_threads(self: &Arc<Self>) {
        for (name, work) in [
            ("views", Shared::answer_views as fn(&Shared)),
            ("pages", Shared::answer_pages),
        ] {
            let shared = self.clone();
            let thread = std::thread::Builder::new().name(name.into());
            if let Err(e) = thread.spawn(move || work(&shared)) {
                tracing::error!("no thread for {name}: {e}");
            }
        }
    }

    pub(super) fn stop_threads(&self) {
        self.wanted.close();
        self.wanted_pages.close();
    }

    fn answer_views(&self) {
        while let Some((slot, spec)) = self.wanted.next() {
            let before = self.views().get(&slot).cloned();
            let view = view::compute(&self.snapshot.load(), &spec, before.as_deref());
            // Somebody typed on: the next question is waiting already, but a picture that follows late is better than none.
            if self.wanted.still(slot, &spec) || before.is_none() {
                self.views().insert(slot, Arc::new(view));
                let _ = self.events.send(Event::ViewReady(slot));
            }
        }
    }

    fn answer_pages(&self) {
        while let Some((_, spec)) = self.wanted_pages.next() {
            let made = pages::answer(&self.snapshot.load_full(), &spec);
            let wanted = self.wanted_pages.all();
            let mut pages = self.pages();
            // Pages of an older picture are kept only while they are looked at.
            pages.retain(|spec, p| {
                p.generation == made.generation || wanted.iter().any(|(_, w)| w == spec)
            });
            pages.insert(spec, Arc::new(made));
            drop(pages);
            let _ = self.events.send(Event::PageReady);
        }
    }
}
