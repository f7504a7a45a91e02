//! Commands: the rows that they touch are gathered, the plan is made, and its changes are committed with the overlay in one step.

use super::super::event::{CommandError, Event, Outcome};
use super::Core;
use super::history::refused;
use crate::book::{Change, CrosswalkEntry, Entity, LocalId, MatchHow, Operation, Target};
use crate::command::plan::{needs_contacts, other_account};
use crate::command::{Command, Context, Effect, OutboxAction, Plan, Rows, Selection, plan};
use crate::insight::fingerprint;
use crate::store::Resolution;
use futures_util::future::join_all;
use std::collections::HashMap;
use std::time::Duration;

impl Core {
    /// Runs a command. `dry`: only says what it would do.
    pub(super) async fn command(
        &mut self,
        command: &Command,
        selection: &Selection,
        confirmed: bool,
        headless: bool,
        dry: bool,
    ) -> Result<Outcome, CommandError> {
        if command.spec.writes
            && let Some(past) = &self.snapshot().past
        {
            return Err(CommandError::Refused(written_in_the_past(past)));
        }
        let grace = if headless {
            Duration::ZERO
        } else {
            self.settings.triage.grace
        };
        let plan = self.planned(command, selection).await?;
        if dry {
            return Ok(Outcome {
                summary: described(&plan),
                operation: None,
                effect: plan.effect,
                items: plan.changes.len(),
            });
        }
        if command.spec.irreversible && !confirmed {
            return Err(CommandError::NeedsConfirmation(format!(
                "{}. This cannot be undone.",
                command.spec.help
            )));
        }
        match plan.effect {
            Some(Effect::Undo) => return self.undo(grace).await,
            Some(Effect::Redo) => return self.redo(grace).await,
            Some(effect) if effect.is_for_core() => return self.effect(effect, plan.summary).await,
            Some(effect) => {
                return Ok(Outcome {
                    summary: plan.summary,
                    operation: None,
                    effect: Some(effect),
                    items: 0,
                });
            }
            None => {}
        }
        self.forget_redo();
        self.commit(&command.to_string(), plan.summary, plan.changes, grace)
            .await
    }

    async fn planned(
        &self,
        command: &Command,
        selection: &Selection,
    ) -> Result<Plan, CommandError> {
        // What a source can take decides what stays here: a command that comes before the sources are open waits for them.
        if command.spec.writes {
            self.sources.opened().await;
        }
        let (homes, infos) = (self.sources.homes(&self.settings), self.sources.infos());
        let s = self.snapshot();
        let rows = self.rows(command, selection).await?;
        let people: Vec<_> = s.book.people().map(|p| p.to_row()).collect();
        let reasons: HashMap<LocalId, String> = rows
            .accounts
            .keys()
            .filter_map(|id| {
                let row = s.book.row_of(Entity::Account, *id)?;
                Some((*id, fingerprint(s.derived.account(row).reasons)))
            })
            .collect();
        let other = match other_account(command) {
            Some(text) => Some(self.find_one(text).await?),
            None => None,
        };
        let candidate = rows.accounts.keys().next().and_then(|id| {
            s.unmatched
                .iter()
                .find(|u| u.entity == Entity::Account && u.local == *id)
                .and_then(|u| u.candidate)
        });
        plan(
            command,
            &Context {
                selection,
                rows: &rows,
                people: &people,
                me: &s.me,
                now: self.clock.now(),
                today: s.today,
                zone: &s.zone,
                fiscal_month: s.calendar.fiscal_month,
                homes: &homes,
                sources: &infos,
                read_only: s.read_only,
                other,
                candidate,
                reasons: &reasons,
            },
        )
        .map_err(|e| CommandError::Refused(e.0))
    }

    /// The rows that a command may touch, as the Book has them, with what the Book leaves out read from the store.
    async fn rows(&self, command: &Command, selection: &Selection) -> Result<Rows, CommandError> {
        let s = self.snapshot();
        let book = &s.book;
        let mut rows = Rows::default();
        if selection.targets.is_empty() || command.spec.on == crate::command::On::Nothing {
            return Ok(rows);
        }
        let mut wanted: Vec<Target> = Vec::new();
        for t in &selection.targets {
            let Some(row) = book.row_of(t.entity, t.id) else {
                continue;
            };
            let account = match t.entity {
                Entity::Account => Some(book.account(row)),
                Entity::Renewal => book.renewal(row).account(),
                Entity::Task => book.task(row).account(),
                Entity::Escalation => book.escalation(row).account(),
                _ => None,
            };
            wanted.push(*t);
            let Some(account) = account else { continue };
            if rows
                .accounts
                .insert(account.id(), account.to_row())
                .is_some()
            {
                continue;
            }
            let mut also = |entity, id| wanted.push(Target { entity, id });
            also(Entity::Account, account.id());
            if command.spec.name == "reopen" {
                for risk in account.risks() {
                    also(Entity::Escalation, risk.id());
                }
            } else if let Some(risk) = account.open_risk() {
                also(Entity::Escalation, risk.id());
            }
            if let Some(renewal) = account.open_renewal() {
                also(Entity::Renewal, renewal.id());
            }
        }
        wanted.sort();
        wanted.dedup();
        // Comments and descriptions are not in the Book, so these rows come from the store.
        let stored: Vec<Target> = wanted
            .iter()
            .filter(|t| {
                matches!(
                    t.entity,
                    Entity::Task | Entity::Escalation | Entity::Renewal
                )
            })
            .copied()
            .collect();
        if !stored.is_empty() {
            let delta = self.storage.rows_of(stored).await.map_err(refused)?;
            rows.renewals = delta.renewals.into_iter().map(|r| (r.id, r)).collect();
            rows.tasks = delta.tasks.into_iter().map(|r| (r.id, r)).collect();
            rows.escalations = delta.escalations.into_iter().map(|r| (r.id, r)).collect();
            let accounts = std::mem::take(&mut rows.accounts);
            // The Book's accounts have the overlay already.
            rows.apply(&self.overlay);
            rows.accounts = accounts;
        }
        if crate::command::context::home_of(command.spec.name, &s.homes).is_some()
            || command.spec.name == "account split"
        {
            let held = join_all(wanted.iter().map(|t| self.storage.external_ids(*t))).await;
            for (target, entries) in wanted.iter().zip(held) {
                let sources = entries.map_err(refused)?;
                rows.held_by
                    .insert(*target, sources.into_iter().map(|e| e.source).collect());
            }
        }
        if needs_contacts(command)
            && let Some(account) = rows.accounts.keys().next()
            && let Some(detail) = self.storage.detail(*account).await.map_err(refused)?
        {
            rows.contacts = detail.contacts;
        }
        Ok(rows)
    }

    async fn find_one(&self, text: &str) -> Result<LocalId, CommandError> {
        let hits = self.storage.find_account(text).await.map_err(refused)?;
        match hits.as_slice() {
            [one] => Ok(one.id),
            [] => Err(CommandError::Refused(format!(
                "there is no account `{text}`"
            ))),
            several => Err(CommandError::Refused(format!(
                "`{text}` fits {} accounts ({} …): write its id or domain",
                several.len(),
                several
                    .iter()
                    .take(3)
                    .map(|h| crate::book::text::visible(&h.name).into_owned())
                    .collect::<Vec<_>>()
                    .join(", ")
            ))),
        }
    }

    /// Commits changes as one operation; when it answers they are durable and shown.
    pub(super) async fn commit(
        &mut self,
        command: &str,
        summary: String,
        changes: Vec<Change>,
        grace: Duration,
    ) -> Result<Outcome, CommandError> {
        self.begin_day().await;
        let operation = Operation {
            id: uuid::Uuid::now_v7().to_string(),
            command: command.to_owned(),
            summary: summary.clone(),
            at: self.clock.now(),
            who: self.snapshot().me.name.clone(),
            changes,
            undoes: None,
            undone: false,
        };
        let committed = self
            .storage
            .commit_operation(operation, grace)
            .await
            .map_err(refused)?;
        let targets: Vec<Target> = committed
            .operation
            .changes
            .iter()
            .map(|c| c.target)
            .chain(committed.touched.iter().copied())
            .collect();
        let infos = self.sources.infos();
        let changes = &committed.operation.changes;
        let summary = match changes
            .iter()
            .find_map(|c| super::history::no_way_back(&infos, c))
        {
            Some(why) => format!("{summary}; once sent it cannot be undone ({why})"),
            None => summary,
        };
        self.refresh(&targets).await;
        self.sources.outbox_changed();
        Ok(Outcome {
            summary,
            items: committed.items.len(),
            operation: Some(committed.operation),
            effect: None,
        })
    }

    /// Effects that the cockpit carries out itself.
    async fn effect(&mut self, effect: Effect, summary: String) -> Result<Outcome, CommandError> {
        let summary = match effect {
            Effect::Sync(source) => {
                self.sources
                    .sync_now(source.as_deref())
                    .map_err(CommandError::Refused)?;
                source.map_or_else(|| "syncing".to_owned(), |s| format!("syncing {s}"))
            }
            Effect::ReadOnly(on, source) => {
                self.sources
                    .set_read_only(source.as_deref(), on)
                    .map_err(CommandError::Refused)?;
                let (all, infos) = (self.sources.all_read_only(), self.sources.infos());
                self.publish(false, |s| {
                    s.read_only = all;
                    s.infos = infos.into();
                });
                let what = source.unwrap_or_else(|| "everything".into());
                format!("{what} is {}", if on { "read-only" } else { "writable" })
            }
            Effect::Outbox(action, items) => self.outbox_action(action, &items).await?,
            Effect::AsOf(day) => return Ok(self.show_day(day).await),
            Effect::MergeAccounts(into, other) => {
                let target = Target {
                    entity: Entity::Account,
                    id: other,
                };
                self.relink(target, into, |_| true).await?;
                summary
            }
            Effect::SplitAccount(account, source) => {
                let target = Target {
                    entity: Entity::Account,
                    id: account,
                };
                self.relink(target, LocalId::NONE, |e| *e.source == *source)
                    .await?;
                summary
            }
            other => {
                return Ok(Outcome {
                    summary,
                    operation: None,
                    effect: Some(other),
                    items: 0,
                });
            }
        };
        Ok(Outcome {
            summary,
            operation: None,
            effect: None,
            items: 0,
        })
    }

    /// Ties the records of a row to another one because a person said so, and merges again.
    async fn relink(
        &mut self,
        from: Target,
        to: LocalId,
        which: impl Fn(&CrosswalkEntry) -> bool,
    ) -> Result<(), CommandError> {
        self.begin_day().await;
        let entries: Vec<CrosswalkEntry> = self
            .storage
            .external_ids(from)
            .await
            .map_err(refused)?
            .into_iter()
            .filter(|e| which(e))
            .map(|mut e| {
                e.local = to;
                e.how = MatchHow::Manual;
                e
            })
            .collect();
        if entries.is_empty() {
            return Err(CommandError::Refused("there is no record to move".into()));
        }
        let now = self.clock.now();
        self.storage.relink(entries, now).await.map_err(refused)?;
        self.sources
            .merge_now()
            .await
            .map_err(CommandError::Store)?;
        self.refresh(&[]).await;
        Ok(())
    }

    async fn outbox_action(
        &mut self,
        action: OutboxAction,
        items: &[String],
    ) -> Result<String, CommandError> {
        self.begin_day().await;
        let now = self.clock.now();
        let mut touched = Vec::new();
        for id in items {
            let item = self.storage.outbox_item(id).await.map_err(refused)?;
            let done = match action {
                OutboxAction::Retry => self.storage.retry_item(&item.id, now).await,
                OutboxAction::Drop => self.storage.drop_item(&item.id, now).await,
                OutboxAction::KeepMine => {
                    self.storage
                        .resolve_item(&item.id, Resolution::Mine, now)
                        .await
                }
                OutboxAction::TakeTheirs => {
                    self.storage
                        .resolve_item(&item.id, Resolution::Theirs, now)
                        .await
                }
            };
            let item = done.map_err(refused)?;
            touched.push(item.change.target);
        }
        self.refresh(&touched).await;
        self.sources.outbox_changed();
        let what = match items.len() {
            1 => "the item".to_owned(),
            n => format!("{n} items"),
        };
        Ok(match action {
            OutboxAction::Retry => format!("sending {what} again"),
            OutboxAction::Drop => format!("dropped {what}"),
            OutboxAction::KeepMine => format!("keeping mine: sending {what} again"),
            OutboxAction::TakeTheirs => "took theirs".to_owned(),
        })
    }

    /// Something happened at the sources: rows, outbox or their state changed.
    pub(super) async fn sources_news(&mut self, news: super::super::sources::News) {
        let (statuses, infos, homes) = (
            self.sources.statuses(),
            self.sources.infos(),
            self.sources.homes(&self.settings),
        );
        let s = self.snapshot();
        if *s.sources != statuses || *s.infos != infos || *s.homes != homes {
            self.publish(false, |s| {
                s.sources = statuses.into();
                s.infos = infos.into();
                s.homes = homes.into();
            });
        }
        if news.rows || news.outbox {
            self.refresh(&[]).await;
        }
        for (level, text) in news.messages {
            let _ = self.shared.events.send(Event::Message(level, text));
        }
    }
}

/// Why nothing is written while an earlier day is shown.
pub(in super::super) fn written_in_the_past(past: &crate::cockpit::PastDay) -> String {
    format!(
        "{} is over and cannot be changed: `asof today` comes back to today",
        past.snapshot.today
    )
}

/// What a plan would do, for `--dry-run`.
fn described(plan: &Plan) -> String {
    use std::fmt::Write;
    let mut out = plan.summary.clone();
    for c in &plan.changes {
        let _ = write!(
            out,
            "\n{:?} {} #{} in {}:",
            c.verb, c.target.entity, c.target.id, c.source
        );
        for f in &c.fields {
            let _ = write!(
                out,
                " {} {} → {};",
                f.field,
                crate::book::text::visible(&f.base.to_string()),
                crate::book::text::visible(&f.want.to_string())
            );
        }
    }
    out
}
