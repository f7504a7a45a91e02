//! The handle that front doors hold: reads never wait, requests are answered by an [`Event`] or a future.

use super::event::{CommandError, Event, Level, Outcome};
use super::snapshot::Snapshot;
use super::view::{Slot, View, ViewSpec};
use crate::book::{AccountDetail, LocalId};
use crate::command::{Command, Selection};
use arc_swap::{ArcSwap, ArcSwapOption};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{broadcast, mpsc, oneshot};

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
    pub(super) wanted: super::view::Wanted,
}

/// What a front door asks of the core.
pub(super) enum Request {
    Run {
        command: Command,
        selection: Selection,
        confirmed: bool,
        headless: bool,
        answer: oneshot::Sender<Result<Outcome, CommandError>>,
    },
    Detail(LocalId),
    SaveDraft(String, String),
    DropDraft(String),
    Seen,
    Close(oneshot::Sender<()>),
}

impl Cockpit {
    /// What to draw now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    /// Has a list filtered and sorted elsewhere; [`Event::ViewReady`] says when [`Cockpit::view`] has it. A newer question of the same
    /// slot replaces this one, and the answer is renewed with every snapshot until another is asked.
    pub fn request_view(&self, slot: Slot, spec: ViewSpec) {
        self.shared.wanted.ask(slot, spec);
    }

    /// The newest answer of a slot.
    pub fn view(&self, slot: Slot) -> Option<Arc<View>> {
        self.shared
            .views
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&slot)
            .cloned()
    }

    /// Has the account page's rows read; [`Event::DetailReady`] says when. A newer question replaces this one.
    pub fn request_detail(&self, account: LocalId) {
        let _ = self.shared.requests.send(Request::Detail(account));
    }

    /// The account page's rows, if they are those of this account.
    pub fn detail(&self, account: LocalId) -> Option<Arc<(LocalId, AccountDetail)>> {
        self.shared.detail.load_full().filter(|d| d.0 == account)
    }

    /// Runs a command. `confirmed`: the person said yes to what cannot be undone. When the future is ready the change is durable and
    /// the snapshot shows it.
    pub async fn run(
        &self,
        command: Command,
        selection: Selection,
        confirmed: bool,
    ) -> Result<Outcome, CommandError> {
        self.ask(command, selection, confirmed, false).await
    }

    /// As [`Cockpit::run`], without the grace: for `csops do`.
    pub async fn run_headless(
        &self,
        command: Command,
        selection: Selection,
        confirmed: bool,
    ) -> Result<Outcome, CommandError> {
        self.ask(command, selection, confirmed, true).await
    }

    async fn ask(
        &self,
        command: Command,
        selection: Selection,
        confirmed: bool,
        headless: bool,
    ) -> Result<Outcome, CommandError> {
        let (answer, result) = oneshot::channel();
        self.shared
            .requests
            .send(Request::Run {
                command,
                selection,
                confirmed,
                headless,
                answer,
            })
            .map_err(|_| CommandError::Closing)?;
        result.await.map_err(|_| CommandError::Closing)?
    }

    /// Keeps a text that is being typed, so that it survives a crash.
    pub fn save_draft(&self, key: &str, text: &str) {
        let _ = self
            .shared
            .requests
            .send(Request::SaveDraft(key.to_owned(), text.to_owned()));
    }

    /// Forgets a draft: it was sent or thrown away.
    pub fn drop_draft(&self, key: &str) {
        let _ = self
            .shared
            .requests
            .send(Request::DropDraft(key.to_owned()));
    }

    /// The person has seen what is new: the marks go at the next start.
    pub fn mark_seen(&self) {
        let _ = self.shared.requests.send(Request::Seen);
    }

    /// Tells the person something.
    pub fn say(&self, level: Level, text: impl Into<String>) {
        let _ = self.shared.events.send(Event::Message(level, text.into()));
    }

    /// Ends the grace of what waits, gives the push a moment, writes the screen cache and stops. Nothing is lost if it is not called.
    pub async fn close(&self) {
        let (done, wait) = oneshot::channel();
        if self.shared.requests.send(Request::Close(done)).is_ok() {
            let _ = wait.await;
        }
    }
}
