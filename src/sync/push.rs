//! Pushing the outbox: each item once, or asked about, or explained.

use super::backoff;
use super::engine::{Shared, SyncEvent};
use crate::book::{Entity, FieldValue, OutboxItem, OutboxState, Target, Verb};
use crate::connect::{ConnectError, Connector, ErrorKind, Write, Written};
use crate::store::{ItemOutcome, StoreError};
use futures_util::StreamExt;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// So many items are on their way at a time.
const AT_ONCE: usize = 4;
/// Longer no vendor's answer is awaited; what was sent then counts as perhaps done.
const PATIENCE: Duration = Duration::from_secs(120);
/// First wait before a retry, and the longest: an hour of failing means about a dozen tries.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);
/// Between asking whether a create arrived and sending it again it is asked a second time, this much later: the first request may still
/// be on its way through the vendor.
const ASK_AGAIN: Duration = Duration::from_secs(3);
/// So often the outbox is looked at although nobody said that there is something: another process may have put something in.
const LOOK: Duration = Duration::from_secs(2);

/// What pushing remembers between batches.
#[derive(Default)]
pub(super) struct Memory {
    /// Creates that the vendor, asked once, did not have.
    asked: HashSet<String>,
    /// Outcomes that the database could not take yet (disk full, locked): nothing may be sent twice for that.
    unsettled: Vec<(String, ItemOutcome)>,
}

/// Sends what is due, for as long as the engine runs and leads; when it stops, first everything that is due.
pub(super) async fn keep(shared: Arc<Shared>) {
    loop {
        let sent = if shared.leads() {
            shared.push_round().await
        } else {
            Ok(0)
        };
        let wait = match sent {
            // Everything that is due has moved; whatever else waits is safe in the outbox.
            Ok(0) | Err(_) if shared.is_stopping() => return,
            Ok(0) => match shared.store.next_due().await {
                Ok(Some(at)) => {
                    let until = shared.until(at);
                    // What is due and was not sent (read-only, somebody else's) is looked at again in a while.
                    if until.is_zero() {
                        LOOK / 4
                    } else {
                        until.min(LOOK)
                    }
                }
                Ok(None) => LOOK,
                Err(e) => {
                    shared.trouble(&e);
                    LOOK
                }
            },
            Ok(_) => continue,
            Err(e) => {
                shared.trouble(&e);
                LOOK
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shared.push.notified() => {}
        }
    }
}

impl Shared {
    /// Sends until nothing is due.
    pub(super) async fn push_until_idle(&self) {
        loop {
            match self.push_round().await {
                Ok(0) => return,
                Ok(_) => {}
                Err(e) => return self.trouble(&e),
            }
        }
    }

    /// Sends what is due now; how many items moved.
    pub(super) async fn push_round(&self) -> Result<usize, StoreError> {
        let mut memory = self.pushing.lock().await;
        for (id, outcome) in std::mem::take(&mut memory.unsettled) {
            self.settle(&id, outcome, &mut memory.unsettled).await;
        }
        let due = self.store.due_items(self.clock.now(), 500).await?;
        let open: Vec<OutboxItem> = due
            .into_iter()
            .filter(|i| match self.source(&i.change.source) {
                Some(source) => self.closed_to_writes(source).is_none(),
                None => true,
            })
            .collect();
        if open.is_empty() {
            return Ok(0);
        }
        let asked = &memory.asked;
        let moved = &AtomicUsize::new(0);
        let outcomes: Vec<(String, Option<ItemOutcome>, bool)> = futures_util::stream::iter(open)
            .map(|item| async move {
                let again = asked.contains(&item.id);
                let (outcome, asked_now) = self.attempt(&item, again).await;
                (item.id, outcome, asked_now)
            })
            .buffer_unordered(AT_ONCE)
            .then(|(id, outcome, asked_now)| async move {
                // Written down as soon as it is known: a crash now must not make it unknown.
                match outcome {
                    Some(outcome) => {
                        // What did not move (taken back meanwhile, the database out of reach) must not be tried at once again.
                        moved.fetch_add(1, Ordering::Relaxed);
                        let mut unsettled = Vec::new();
                        self.settle(&id, outcome, &mut unsettled).await;
                        (id, unsettled.pop().map(|(_, o)| o), asked_now)
                    }
                    None => (id, None, asked_now),
                }
            })
            .collect()
            .await;
        for (id, unsettled, asked_now) in outcomes {
            if asked_now {
                memory.asked.insert(id.clone());
            } else {
                memory.asked.remove(&id);
            }
            if let Some(outcome) = unsettled {
                memory.unsettled.push((id, outcome));
            }
        }
        drop(memory);
        self.merge_pending().await?;
        Ok(moved.load(Ordering::Relaxed))
    }

    async fn settle(
        &self,
        id: &str,
        outcome: ItemOutcome,
        unsettled: &mut Vec<(String, ItemOutcome)>,
    ) {
        match self
            .store
            .finish_item(id, outcome.clone(), self.clock.now())
            .await
        {
            Ok(item) => self.tell(SyncEvent::Item(Box::new(item))),
            Err(StoreError::NotFound { .. }) => {}
            Err(e) => {
                self.trouble(&e);
                unsettled.push((id.to_owned(), outcome));
            }
        }
    }

    /// One attempt: what became of the item (`None`: it is no longer to be sent), and whether the vendor was asked for the first time and
    /// did not have it.
    async fn attempt(&self, item: &OutboxItem, asked_before: bool) -> (Option<ItemOutcome>, bool) {
        let name = &item.change.source;
        let Some(source) = self.source(name) else {
            let words = format!(
                "there is no source `{name}` in config.toml any more; add it again and retry, or drop this action"
            );
            return (Some(ItemOutcome::Failed(words)), false);
        };
        let Some(connector) = &source.connector else {
            let status = source.status();
            return (
                Some(ItemOutcome::Retry {
                    error: status
                        .error
                        .unwrap_or_else(|| format!("{name} cannot be reached as configured")),
                    at: self.after(LONGEST_WAIT),
                }),
                false,
            );
        };
        let write = match self.translate(item).await {
            Ok(Ok(write)) => write,
            Ok(Err(words)) => return (Some(ItemOutcome::Failed(words)), false),
            Err(e) => {
                self.trouble(&e);
                return (None, asked_before);
            }
        };
        match self.store.mark_sending(&item.id).await {
            Ok(true) => {}
            Ok(false) => return (None, false),
            Err(e) => {
                self.trouble(&e);
                return (None, asked_before);
            }
        }
        // The switch may have been thrown meanwhile.
        if let Some(why) = self.closed_to_writes(source) {
            let at = self.clock.now();
            return (Some(ItemOutcome::Retry { error: why, at }), asked_before);
        }
        let doubtful = item.state == OutboxState::Unknown || item.attempts > 0;
        if write.verb == Verb::Create && doubtful {
            match timed(connector.find(&write)).await {
                Ok(Some(record)) => {
                    let outcome = ItemOutcome::Done {
                        external_id: record.external_id.clone(),
                        record: Some(record),
                    };
                    return (Some(outcome), false);
                }
                Ok(None) if item.state == OutboxState::Unknown && !asked_before => {
                    let outcome = ItemOutcome::Unknown {
                        error: format!(
                            "{name} does not have it yet; asking once more before it is sent again"
                        ),
                        at: self.after(ASK_AGAIN),
                    };
                    return (Some(outcome), true);
                }
                Ok(None) => {}
                Err(e) => {
                    let at = self.after(self.wait(item, &e));
                    let error = format!("asking whether it arrived: {}", e.message);
                    let outcome = if item.state == OutboxState::Unknown {
                        ItemOutcome::Unknown { error, at }
                    } else {
                        ItemOutcome::Retry { error, at }
                    };
                    return (Some(outcome), asked_before);
                }
            }
        }
        (Some(self.send(connector, item, &write).await), false)
    }

    async fn send(
        &self,
        connector: &Arc<dyn Connector>,
        item: &OutboxItem,
        write: &Write,
    ) -> ItemOutcome {
        let error = match timed(connector.write(write)).await {
            Ok(Written::Done {
                external_id,
                record,
            }) => {
                return ItemOutcome::Done {
                    external_id,
                    record,
                };
            }
            Ok(Written::Conflict(conflict)) => return ItemOutcome::Conflict(conflict),
            Err(e) => e,
        };
        let at = self.after(self.wait(item, &error));
        let maybe_done = match error.kind {
            ErrorKind::Refused { .. } => return ItemOutcome::Failed(error.message),
            ErrorKind::Retry { maybe_done, .. } => maybe_done,
            // An answer that nobody understands may have been a yes.
            ErrorKind::Protocol => true,
            _ => false,
        };
        // Updates and deletes are compared before they are written: sending them again does nothing twice.
        if maybe_done && write.verb == Verb::Create {
            ItemOutcome::Unknown {
                error: error.message,
                at,
            }
        } else {
            ItemOutcome::Retry {
                error: error.message,
                at,
            }
        }
    }

    fn wait(&self, item: &OutboxItem, error: &ConnectError) -> Duration {
        let (first, asked) = match error.kind {
            ErrorKind::Retry { after, .. } => (FIRST_WAIT, after),
            ErrorKind::Protocol => (FIRST_WAIT, None),
            // These want a person first; trying often would lock accounts or waste the budget.
            _ => (LONGEST_WAIT / 5, None),
        };
        backoff::wait(item.attempts.saturating_add(1), first, LONGEST_WAIT, asked)
    }

    /// The item in the vendor's ids; the inner error is why it can never be sent like this.
    async fn translate(&self, item: &OutboxItem) -> Result<Result<Write, String>, StoreError> {
        let change = &item.change;
        let source = &change.source;
        let external_id = match &item.external_id {
            Some(id) => Some(id.clone()),
            None if change.verb == Verb::Create => None,
            None => self.external_id(source, change.target).await?,
        };
        if external_id.is_none() && change.verb != Verb::Create {
            return Ok(Err(format!(
                "{source} does not know this {}; it lives in another system. Set its home in [write] of config.toml, then do it again",
                change.target.entity
            )));
        }
        let account = if change.account.is_some() {
            let target = Target {
                entity: Entity::Account,
                id: change.account,
            };
            self.external_id(source, target).await?
        } else {
            None
        };
        if account.is_none() && change.account.is_some() && change.verb == Verb::Create {
            return Ok(Err(format!(
                "the account is not in {source}, so the {} cannot be created there; `account confirm` ties it to one that is, or drop this action",
                change.target.entity
            )));
        }
        let mut fields = Vec::with_capacity(change.fields.len());
        for f in &change.fields {
            let base = self.vendor_value(source, &f.field, &f.base).await?;
            let Some(want) = self.vendor_value(source, &f.field, &f.want).await? else {
                return Ok(Err(format!(
                    "what `{}` is to refer to is not known to {source}; choose another, or drop this action",
                    f.field
                )));
            };
            fields.push((f.field.to_string(), base.unwrap_or(FieldValue::Null), want));
        }
        Ok(Ok(Write {
            verb: change.verb,
            entity: change.target.entity,
            external_id,
            account,
            marker: item.id.clone(),
            fields,
            author: self.author.clone(),
            force: false,
        }))
    }

    /// A value with local ids turned into the source's own; `None` when the source does not have that thing.
    async fn vendor_value(
        &self,
        source: &str,
        field: &str,
        value: &FieldValue,
    ) -> Result<Option<FieldValue>, StoreError> {
        let FieldValue::Id(id) = value else {
            return Ok(Some(value.clone()));
        };
        let Some(entity) = Entity::referred_by(field) else {
            return Ok(None);
        };
        let found = self.external_id(source, Target { entity, id: *id }).await?;
        Ok(found.map(FieldValue::Ref))
    }

    async fn external_id(
        &self,
        source: &str,
        target: Target,
    ) -> Result<Option<String>, StoreError> {
        Ok(self
            .store
            .external_ids(target)
            .await?
            .into_iter()
            .find(|c| &*c.source == source)
            .map(|c| c.external_id))
    }
}

async fn timed<T>(
    answer: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    tokio::time::timeout(PATIENCE, answer)
        .await
        .unwrap_or_else(|_| {
            Err(ConnectError {
                kind: ErrorKind::Retry {
                    after: None,
                    maybe_done: true,
                },
                message: format!("no answer within {} s", PATIENCE.as_secs()),
            })
        })
}
