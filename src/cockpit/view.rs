//! Lists: what is asked for, and the row numbers that answer it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A list of the cockpit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// All accounts.
    Accounts,
    /// The accounts at risk.
    Queue,
    /// Open renewals.
    Renewals,
    /// Open tasks.
    Tasks,
    /// Risks.
    Escalations,
    /// Our people.
    People,
}

/// Who asks: each slot holds the newest answer, and a newer question replaces an older one of the same slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The queue pane and screen.
    Queue,
    /// The renewals pane and screen.
    Renewals,
    /// The tasks pane and screen.
    Tasks,
    /// Anything else (accounts of a segment, a search).
    Other,
}

/// What a list is to show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ViewSpec {
    /// Which list.
    pub kind: ListKind,
    /// The filter, in the query language; empty for all.
    pub query: String,
    /// Columns to sort by, the first first; true is downwards. Empty: the list's own order.
    pub sort: Vec<(String, bool)>,
    /// Only the book of `[me]`.
    pub mine: bool,
    /// Snoozed and resolved rows too.
    pub asleep: bool,
}

impl ViewSpec {
    /// The list in its own order, everybody's.
    pub fn of(kind: ListKind) -> ViewSpec {
        ViewSpec {
            kind,
            query: String::new(),
            sort: Vec::new(),
            mine: false,
            asleep: false,
        }
    }
}

/// The answer.
#[derive(Clone, Debug)]
pub struct View {
    /// What was asked.
    pub spec: ViewSpec,
    /// The snapshot's generation that the rows belong to; they are row numbers of its Book.
    pub generation: u64,
    /// The rows in order.
    pub rows: Arc<Vec<u32>>,
    /// How many rows the list has without the filter.
    pub total: usize,
    /// Why the filter could not be used; then the rows are those of the last filter that could.
    pub error: Option<String>,
}

/// The questions that wait for an answer: one per slot, the newest wins.
#[derive(Default)]
pub(super) struct Wanted {
    state: Mutex<WantedState>,
    changed: Condvar,
}

#[derive(Default)]
struct WantedState {
    /// What each slot wants.
    specs: HashMap<Slot, ViewSpec>,
    /// Slots whose answer is out of date.
    stale: Vec<Slot>,
    closed: bool,
}

impl Wanted {
    fn lock(&self) -> std::sync::MutexGuard<'_, WantedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// A slot wants another list.
    pub(super) fn ask(&self, slot: Slot, spec: ViewSpec) {
        let mut state = self.lock();
        if state.specs.get(&slot) == Some(&spec) && !state.stale.contains(&slot) {
            return;
        }
        state.specs.insert(slot, spec);
        state.stale.retain(|s| *s != slot);
        state.stale.push(slot);
        self.changed.notify_one();
    }
    /// Every answer is out of date.
    pub(super) fn renew(&self) {
        let mut state = self.lock();
        state.stale = state.specs.keys().copied().collect();
        self.changed.notify_one();
    }
    /// No more questions.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }
    /// Waits for the next question; `None` when closed. The newest slot first: it is what the person looks at.
    pub(super) fn next(&self) -> Option<(Slot, ViewSpec)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(slot) = state.stale.pop()
                && let Some(spec) = state.specs.get(&slot)
            {
                return Some((slot, spec.clone()));
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
    /// Whether the slot still wants this.
    pub(super) fn still(&self, slot: Slot, spec: &ViewSpec) -> bool {
        self.lock().specs.get(&slot) == Some(spec)
    }
}
