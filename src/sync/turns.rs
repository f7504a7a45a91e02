//! Who matches first when several systems are loaded for the first time at once. Accounts, people and contacts are matched under one lock,
//! and two systems that take it in turns keep each other waiting page by page. Here the system that holds customers first goes first, and
//! while it is at it the others give way: it finds nobody to match with and is quick; they then match while it reads on. A system that
//! has to wait for its vendor keeps nobody waiting.

use super::engine::Shared;
use crate::book::{Entity, SourceName};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// So long the others wait for the first page of whoever goes first.
const TO_BEGIN: Duration = Duration::from_secs(3);
/// And so long for the next one.
const TO_GO_ON: Duration = Duration::from_millis(250);

/// The first loads that have something to match still.
#[derive(Default)]
pub(super) struct Turns {
    claims: Mutex<Vec<Claim>>,
    moved: Notify,
}

struct Claim {
    source: SourceName,
    /// Smaller goes first.
    rank: u32,
    /// When the others need not wait for its next page any more; `None` while it has one.
    until: Option<Instant>,
}

/// A place in the order, for as long as it lives.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    source: SourceName,
}

impl Turns {
    fn claims(&self) -> MutexGuard<'_, Vec<Claim>> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, source: &SourceName, rank: u32) -> Turn<'_> {
        self.claims().push(Claim {
            source: source.clone(),
            rank,
            until: Some(Instant::now() + TO_BEGIN),
        });
        Turn {
            turns: self,
            source: source.clone(),
        }
    }

    fn change(&self, source: &SourceName, change: impl FnOnce(&mut Claim)) {
        if let Some(own) = self.claims().iter_mut().find(|c| c.source == *source) {
            change(own);
            self.moved.notify_waiters();
        }
    }

    /// The source has a page at hand.
    pub(super) fn goes_on(&self, source: &SourceName) {
        self.change(source, |own| own.until = None);
    }

    /// It waits for its vendor.
    pub(super) fn waits(&self, source: &SourceName) {
        self.change(source, |own| {
            own.until.get_or_insert(Instant::now() + TO_GO_ON);
        });
    }

    /// It has nothing to match any more.
    pub(super) fn is_through(&self, source: &SourceName) {
        self.claims().retain(|c| c.source != *source);
        self.moved.notify_waiters();
    }

    /// Waits as long as somebody goes first who is at it.
    pub(super) async fn give_way(&self, source: &SourceName) {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            // From here on nothing is missed.
            moved.as_mut().enable();
            let latest = {
                let claims = self.claims();
                let Some(own) = claims.iter().find(|c| c.source == *source) else {
                    return;
                };
                let now = Instant::now();
                let before = claims.iter().filter(|c| c.rank < own.rank);
                let mut awaited = before
                    .map(|c| c.until)
                    .filter(|until| until.is_none_or(|until| until > now))
                    .peekable();
                if awaited.peek().is_none() {
                    return;
                }
                awaited.flatten().max()
            };
            match latest {
                Some(until) => {
                    let _ = tokio::time::timeout_at(until, moved).await;
                }
                None => moved.await,
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.is_through(&self.source);
    }
}

impl Shared {
    /// Takes the source's place in the order.
    pub(super) fn take_turn(&self, source: &SourceName) -> Turn<'_> {
        let rank = self.rules.rank(Entity::Account, None, source);
        self.turns.take(source, rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn the_others_give_way_to_the_first_until_it_is_through_or_waits_itself() {
        let (crm, cs): (SourceName, SourceName) = ("crm".into(), "cs".into());
        let turns = Turns::default();
        let _second = turns.take(&cs, 2);
        assert!(turns.give_way(&cs).now_or_never().is_some());
        let first = turns.take(&crm, 1);
        // It has not begun yet, and is given the time to.
        assert!(turns.give_way(&cs).now_or_never().is_none());
        assert!(turns.give_way(&crm).now_or_never().is_some());
        turns.goes_on(&crm);
        let waiting = turns.give_way(&cs);
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        // Its vendor is slow: the other goes on in a moment.
        turns.waits(&crm);
        waiting.await;
        turns.goes_on(&crm);
        assert!(turns.give_way(&cs).now_or_never().is_none());
        turns.is_through(&crm);
        assert!(turns.give_way(&cs).now_or_never().is_some());
        drop(first);
        // Whoever is no part of a first load waits for nobody.
        let _first = turns.take(&crm, 1);
        assert!(turns.give_way(&"other".into()).now_or_never().is_some());
    }
}
