//! Proposals of which accounts would best change hands: they are made on a thread of their own, for it takes longer than a frame may.

use super::event::Event;
use super::handle::Cockpit;
use super::snapshot::Snapshot;
use crate::insight::capacity::rebalance::{Proposal, Wish, propose};
use std::sync::Arc;

/// A proposal that was asked for.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// What was asked.
    pub wish: Wish,
    /// The snapshot's epoch: its accounts are those of that Book and of no other.
    pub epoch: u32,
    /// The proposal, or why there is none, in words.
    pub result: Result<Proposal, String>,
}

impl Snapshot {
    /// Which accounts would best change hands.
    ///
    /// # Errors
    /// A do-not-move list that cannot be understood, in words.
    pub fn rebalance(&self, wish: &Wish) -> Result<Proposal, String> {
        propose(&self.scope(), &self.settings, wish)
    }
}

impl Cockpit {
    /// Has a proposal made; [`Event::ProposalReady`] says when [`Cockpit::proposal`] has it. It is of the Book as it is now and is not
    /// renewed: what a person looks at does not change under their hands.
    pub fn request_rebalance(&self, wish: Wish) {
        let (shared, snapshot) = (self.shared.clone(), self.snapshot());
        shared.proposal.store(None);
        let work = move || {
            let made = Proposed {
                epoch: snapshot.epoch,
                result: snapshot.rebalance(&wish),
                wish,
            };
            shared.proposal.store(Some(Arc::new(made)));
            let _ = shared.events.send(Event::ProposalReady);
        };
        let thread = std::thread::Builder::new().name("rebalance".into());
        if let Err(e) = thread.spawn(work) {
            tracing::error!("no thread for a rebalance: {e}");
        }
    }

    /// The proposal that was asked for last, when it is made.
    pub fn proposal(&self, wish: &Wish) -> Option<Arc<Proposed>> {
        let epoch = self.snapshot().epoch;
        self.shared
            .proposal
            .load_full()
            .filter(|p| p.wish == *wish && p.epoch == epoch)
    }
}
