//! Questions that wait for an answer on a thread of their own: one per slot, the newest wins.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What each slot wants to know, and whose answer is out of date.
pub(super) struct Wanted<K, S> {
    state: Mutex<State<K, S>>,
    changed: Condvar,
}

struct State<K, S> {
    /// What each slot wants.
    specs: HashMap<K, S>,
    /// Slots whose answer is out of date.
    stale: Vec<K>,
    closed: bool,
}

impl<K, S> Default for Wanted<K, S> {
    fn default() -> Self {
        Wanted {
            state: Mutex::new(State {
                specs: HashMap::new(),
                stale: Vec::new(),
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }
}

impl<K: Copy + Eq + Hash, S: Clone + PartialEq> Wanted<K, S> {
    fn lock(&self) -> MutexGuard<'_, State<K, S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// A slot wants to know something else; `known`: its answer is there already, and only needs to be renewed later.
    pub(super) fn ask(&self, slot: K, spec: S, known: bool) {
        let mut state = self.lock();
        if state.specs.get(&slot) == Some(&spec) && !state.stale.contains(&slot) {
            return;
        }
        state.specs.insert(slot, spec);
        state.stale.retain(|s| *s != slot);
        if known {
            return;
        }
        state.stale.push(slot);
        self.changed.notify_one();
    }
    /// A slot wants nothing any more.
    pub(super) fn forget(&self, slot: K) {
        let mut state = self.lock();
        state.specs.remove(&slot);
        state.stale.retain(|s| *s != slot);
    }
    /// The answers to these questions are out of date.
    pub(super) fn renew(&self, which: impl Fn(&S) -> bool) {
        let mut state = self.lock();
        let specs = state.specs.iter();
        let stale: Vec<K> = specs.filter(|(_, s)| which(s)).map(|(k, _)| *k).collect();
        state.stale.retain(|k| !stale.contains(k));
        state.stale.extend(stale);
        self.changed.notify_one();
    }
    /// No more questions.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }
    /// Waits for the next question; `None` when closed. The newest slot first: it is what the person looks at.
    pub(super) fn next(&self) -> Option<(K, S)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(slot) = state.stale.pop() {
                if let Some(spec) = state.specs.get(&slot) {
                    return Some((slot, spec.clone()));
                }
                continue;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
    /// Everything that is wanted.
    pub(super) fn all(&self) -> Vec<(K, S)> {
        let state = self.lock();
        state.specs.iter().map(|(k, s)| (*k, s.clone())).collect()
    }
    /// Whether the slot still wants this.
    pub(super) fn still(&self, slot: K, spec: &S) -> bool {
        self.lock().specs.get(&slot) == Some(spec)
    }
}
