//! Undo and redo.

use super::super::event::{CommandError, Outcome};
use super::Core;
use crate::book::{Change, LocalId, Operation, OutboxState, Verb};
use crate::command::SourceInfo;
use std::time::Duration;

/// How many operations are at hand.
pub(super) const KEPT: usize = 100;

impl Core {
    /// Takes the newest operation back that is not taken back: before it is sent, or by sending the inverse.
    pub(super) async fn undo(&mut self, grace: Duration) -> Result<Outcome, CommandError> {
        self.begin_day().await;
        let operations = self.storage.operations(KEPT).await.map_err(refused)?;
        let Some(last) = operations
            .into_iter()
            .find(|o| !o.undone && o.undoes.is_none() && !o.changes.is_empty())
        else {
            return Err(CommandError::Refused("there is nothing to undo".into()));
        };
        let stays = self.stays(&last).await?;
        if let [why, ..] = stays.as_slice()
            && stays.len() == last.changes.len()
        {
            return Err(CommandError::Refused(format!(
                "“{}” cannot be undone: {why}",
                last.summary
            )));
        }
        let without = last
            .changes
            .iter()
            .filter(|c| c.inverse().is_none())
            .count();
        if without == last.changes.len() {
            return Err(CommandError::Refused(format!(
                "“{}” cannot be undone: what was deleted at the vendor stays deleted",
                last.summary
            )));
        }
        let undo = Operation {
            id: uuid::Uuid::now_v7().to_string(),
            command: "undo".into(),
            summary: format!("undid: {}", last.summary),
            at: self.clock.now(),
            who: self.snapshot().me.name.clone(),
            changes: last
                .changes
                .iter()
                .map(|c| c.inverse().unwrap_or_else(|| c.clone()))
                .collect(),
            undoes: Some(last.id.clone()),
            undone: false,
        };
        let undone = self
            .storage
            .undo(&last.id, undo, grace)
            .await
            .map_err(refused)?;
        let targets: Vec<_> = last
            .changes
            .iter()
            .map(|c| c.target)
            .chain(undone.committed.touched.iter().copied())
            .collect();
        self.refresh(&targets).await;
        self.sources.outbox_changed();
        let sent = undone.committed.items.len();
        let mut summary = format!("undid: {}", last.summary);
        if sent > 0 {
            summary.push_str(" (the inverse is on its way)");
        }
        for why in &undone.impossible {
            summary.push_str(&format!("; {why}"));
        }
        self.redo.push(last);
        Ok(Outcome {
            summary,
            operation: Some(undone.committed.operation),
            effect: None,
            items: sent,
        })
    }

    /// Of each change of an operation that has reached a source which cannot take it back: why.
    async fn stays(&self, operation: &Operation) -> Result<Vec<String>, CommandError> {
        let infos = self.sources.infos();
        if !operation
            .changes
            .iter()
            .any(|c| no_way_back(&infos, c).is_some())
        {
            return Ok(Vec::new());
        }
        // What still waits is simply not sent.
        let sent: Vec<_> = self
            .storage
            .outbox(super::load::RECENT)
            .await
            .map_err(refused)?
            .into_iter()
            .filter(|i| i.operation == operation.id && i.state == OutboxState::Done)
            .map(|i| i.change.target)
            .collect();
        Ok(operation
            .changes
            .iter()
            .filter(|c| sent.contains(&c.target))
            .filter_map(|c| no_way_back(&infos, c))
            .collect())
    }

    /// Does again what was taken back last, as a new operation.
    pub(super) async fn redo(&mut self, grace: Duration) -> Result<Outcome, CommandError> {
        let Some(last) = self.redo.pop() else {
            return Err(CommandError::Refused(
                "there is nothing to do again: only what was undone since the last command can be"
                    .into(),
            ));
        };
        let changes = last
            .changes
            .iter()
            .map(|c| {
                let mut c: Change = c.clone();
                if c.verb == Verb::Create {
                    c.target.id = LocalId::NONE;
                }
                c
            })
            .collect();
        self.commit(&last.command, last.summary.clone(), changes, grace)
            .await
    }

    /// A new command makes what was taken back before it a thing of the past.
    pub(super) fn forget_redo(&mut self) {
        self.redo.clear();
    }
}

/// Why a source cannot take a change back once it has it; nothing where it can, or need not.
pub(super) fn no_way_back(infos: &[SourceInfo], change: &Change) -> Option<String> {
    if change.verb != Verb::Create {
        return None;
    }
    let info = infos
        .iter()
        .find(|i| i.name.as_ref() == Some(&change.source))?;
    let support = info.capabilities.support(change.target.entity, "-")?;
    support.why_not.clone()
}

pub(super) fn refused(e: crate::store::StoreError) -> CommandError {
    CommandError::Store(e.to_string())
}
