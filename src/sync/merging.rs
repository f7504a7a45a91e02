//! Drives the merge: asks the store what waits, has it merged, writes the result, until nothing waits.

use super::engine::{Shared, SyncEvent};
use crate::book::{DirtyBatch, LocalId};
use crate::merge::{self, Plan};
use crate::store::{Remerge, StoreError};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Records merged at a time: small enough that the first rows of a first load show soon.
const BATCH: usize = 5_000;

/// So long a first load may leave away what only slows it down, if others go on after it.
const PUT_OFF_AT_MOST: Duration = Duration::from_secs(180);

impl Shared {
    /// Merges everything that waits; how many rows changed. One at a time: two merges could open two rows for one thing.
    pub(super) async fn merge_pending(&self) -> Result<u64, StoreError> {
        let _one = self.merging.lock().await;
        self.merge_wanted.store(false, Ordering::SeqCst);
        self.store.begin_day(self.clock.today()).await?;
        let (pulls, since) = *self.pulls();
        if pulls == 0 || since.elapsed() > PUT_OFF_AT_MOST {
            self.store.end_load().await?;
        }
        // What a first load left behind when it was interrupted.
        self.settle_facts().await?;
        let mut total = 0;
        while let Some(mut batch) = self.store.dirty_batch(BATCH).await? {
            let Some(entity) = batch.entity else { break };
            if batch.dirty.is_empty() {
                break;
            }
            let keys = merge::keys(&self.rules, &batch);
            let candidates = if keys.is_empty() {
                Vec::new()
            } else {
                self.store.candidates(entity, keys).await?
            };
            let plan = merge::identify(&self.rules, &batch, &candidates);
            self.add_joined(&mut batch, &plan).await?;
            let first = if plan.new_rows == 0 {
                LocalId::NONE
            } else {
                self.store.reserve_ids(entity, plan.new_rows).await?
            };
            let rules = Arc::clone(&self.rules);
            let merged =
                tokio::task::spawn_blocking(move || merge::combine(&rules, &batch, &plan, first))
                    .await;
            // A panic in there would be a mistake of ours; the records stay dirty and nothing is lost.
            let Ok(merged) = merged else {
                return Err(StoreError::NotNow(
                    "merging failed unexpectedly; nothing was lost: the next sync tries again"
                        .to_owned(),
                ));
            };
            let stats = self.store.write_merged(merged, self.clock.now()).await?;
            total += stats.changed.len() as u64;
            self.tell(SyncEvent::Merged {
                seq: stats.seq,
                changed: stats.changed.len() as u64,
            });
        }
        Ok(total)
    }

    /// Adds to a batch what has to be known of the rows that its records join.
    pub(super) async fn add_joined(
        &self,
        batch: &mut DirtyBatch,
        plan: &Plan,
    ) -> Result<(), StoreError> {
        let Some(entity) = batch.entity.filter(|_| !plan.joined.is_empty()) else {
            return Ok(());
        };
        let more = self.store.records_of(entity, plan.joined.clone()).await?;
        let ties = self.store.crosswalk_of(merge::needed(&more)).await?;
        batch.siblings.extend(more);
        batch.crosswalk.extend(ties);
        Ok(())
    }

    /// Other rules than last time (identity, precedence, owners of kinds): everything is merged again from what is stored, without fetching.
    pub(super) async fn remerge_if_rules_changed(&self) -> Result<(), StoreError> {
        const KEY: &str = "merge_rules";
        let now = format!("{:?}", self.rules);
        match self.store.meta(KEY).await? {
            Some(before) if before == now => {}
            before => {
                if before.is_some() {
                    self.store.remerge(Remerge::All).await?;
                }
                self.store.put_meta(KEY, &now).await?;
            }
        }
        self.merge_pending().await.map(|_| ())
    }
}
