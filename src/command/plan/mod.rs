//! From a command to what it changes. Each file plans the commands of one kind of thing.

mod account;
mod contact;
mod front;
mod here;
mod renewal;
mod risk;
mod task;

use super::context::{Context, Situation, can_run};
use super::effect::Plan;
use super::line::Command;
use super::spec::{ArgKind, On};
use super::when::parse_day;
use crate::book::id::LOCAL;
use crate::book::nearest::nearest;
use crate::book::{
    Account, Change, Entity, Facts, FieldChange, FieldValue, LocalId, SourceName, Target, Verb,
};
use jiff::{Timestamp, civil::Date};

/// Why a command changes nothing: a sentence for the person.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct PlanError(pub String);

impl PlanError {
    pub(super) fn new(text: impl Into<String>) -> PlanError {
        PlanError(text.into())
    }
}

impl From<String> for PlanError {
    fn from(text: String) -> Self {
        PlanError(text)
    }
}

type Planned = Result<Plan, PlanError>;

/// What a command amounts to. Nothing is written here: whoever asked commits the changes or carries the effect out.
pub fn plan(command: &Command, cx: &Context<'_>) -> Planned {
    // An outbox item that is named needs no selection.
    if !(command.spec.on == On::Outbox && command.arg(0).is_some()) {
        can_run(
            command.spec,
            &Situation {
                selection: cx.selection,
                read_only: cx.read_only,
                homes: cx.homes,
                sources: cx.sources,
            },
        )?;
    }
    if let Some(missing) = command.missing().next() {
        return Err(PlanError(format!(
            "`{}` needs {}: {}",
            command.spec.name,
            missing.name,
            command.spec.usage()
        )));
    }
    let p = Planner { command, cx };
    p.planned().map(|plan| here::keep_here(plan, cx))
}

impl Planner<'_> {
    fn planned(&self) -> Planned {
        match self.command.spec.name {
            "ack" => self.ack(),
            "claim" => self.claim(),
            "assign" => self.assign(),
            "escalate" => self.escalate(),
            "deescalate" => self.deescalate(),
            "resolve" => self.resolve(),
            "reopen" => self.reopen(),
            "snooze" => self.snooze(),
            "wake" => self.wake(),
            "tag" => self.tag(),
            "sentiment" => self.sentiment(),
            "owner" => self.owner(),
            "account confirm" => self.confirm(),
            "account merge" => self.merge(),
            "account split" => self.split(),
            "note" => self.note(),
            "log" => self.log(),
            "task new" => self.task_new(),
            "task done" => self.task_done(),
            "task move" => self.task_move(),
            "task assign" => self.task_assign(),
            "task edit" => self.task_edit(),
            "renewal stage" => self.renewal_stage(),
            "renewal forecast" => self.renewal_forecast(),
            "renewal amount" => self.renewal_amount(),
            "renewal close" => self.renewal_close(),
            _ => self.front(),
        }
    }
}

/// One command being planned.
struct Planner<'a> {
    command: &'a Command,
    cx: &'a Context<'a>,
}

impl<'a> Planner<'a> {
    /// The accounts that it is about, each once, in order.
    fn accounts(&self) -> Result<Vec<&'a (Account, Facts)>, PlanError> {
        let mut seen = Vec::new();
        for t in &self.cx.selection.targets {
            if let Some(id) = self.cx.rows.account_of(*t)
                && !seen.contains(&id)
            {
                seen.push(id);
            }
        }
        let found: Vec<_> = seen
            .iter()
            .filter_map(|id| self.cx.rows.accounts.get(id))
            .collect();
        if found.is_empty() {
            return Err(PlanError::new(
                "the selected row belongs to no account that is known",
            ));
        }
        Ok(found)
    }

    /// The one account that it is about.
    fn one_account(&self) -> Result<&'a Account, PlanError> {
        match self.accounts()?.as_slice() {
            [one] => Ok(&one.0),
            several => Err(PlanError(format!(
                "`{}` takes one account, not {}",
                self.command.spec.name,
                several.len()
            ))),
        }
    }

    /// Where a write to an existing thing goes: its home when the home has a record of it (or it is not there yet), else whoever has.
    fn home_of(&self, target: Target, home: Option<&SourceName>) -> Result<SourceName, PlanError> {
        let held = self
            .cx
            .rows
            .held_by
            .get(&target)
            .map_or(&[][..], Vec::as_slice);
        let vendors = || held.iter().filter(|s| &***s != LOCAL);
        if let Some(home) = home
            && (held.contains(home) || vendors().next().is_none())
        {
            return Ok(home.clone());
        }
        let holder = vendors().next().cloned().ok_or_else(|| {
            PlanError(format!("no source has a record of this {}", target.entity))
        })?;
        if let Some(info) = self.cx.source(&holder)
            && info.read_only
        {
            // What came from a file is changed here.
            if let Some(home) = home.filter(|h| &***h == LOCAL) {
                return Ok(home.clone());
            }
            return Err(PlanError(format!(
                "this {} lives in {holder}, which is read-only",
                target.entity
            )));
        }
        Ok(holder)
    }

    fn required_home(
        &self,
        home: Option<&SourceName>,
        kind: &str,
    ) -> Result<SourceName, PlanError> {
        home.cloned().ok_or_else(|| {
            PlanError(format!(
                "no source takes a {kind}: set [write] {kind} in config.toml to a source, or to \"local\" to keep it here"
            ))
        })
    }

    /// The person that a text names: `me`, an e-mail, a whole name, or part of one name.
    fn person(&self, text: &str) -> Result<LocalId, PlanError> {
        let t = text.trim().to_lowercase();
        if t == "me" {
            return self.me();
        }
        let people = || self.cx.people.iter().filter(|p| p.active != Some(false));
        if let Some(p) = people().find(|p| {
            p.email
                .as_deref()
                .is_some_and(|e| e.eq_ignore_ascii_case(&t))
                || p.name.to_lowercase() == t
        }) {
            return Ok(p.id);
        }
        let part: Vec<_> = people()
            .filter(|p| {
                let name = p.name.to_lowercase();
                name.split_whitespace().any(|w| w.starts_with(&t))
                    || p.email
                        .as_deref()
                        .is_some_and(|e| e.to_lowercase().starts_with(&t))
            })
            .collect();
        match part.as_slice() {
            [one] => Ok(one.id),
            [] => {
                let near = nearest(text, people().map(|p| p.name.as_str()))
                    .map_or_else(String::new, |n| {
                        format!("; did you mean {}?", crate::book::text::visible(n))
                    });
                Err(PlanError(format!(
                    "nobody of ours is called `{text}`{near}"
                )))
            }
            several => Err(PlanError(format!(
                "`{text}` fits {} people: {}",
                several.len(),
                several
                    .iter()
                    .take(5)
                    .map(|p| crate::book::text::visible(&p.name).into_owned())
                    .collect::<Vec<_>>()
                    .join(", ")
            ))),
        }
    }

    fn me(&self) -> Result<LocalId, PlanError> {
        self.cx.me.person.ok_or_else(|| {
            PlanError(format!(
                "no source knows {}: set [me] email in config.toml to the address that you have there",
                if self.cx.me.name.is_empty() { "you" } else { &self.cx.me.name }
            ))
        })
    }

    fn person_name(&self, id: LocalId) -> String {
        self.cx.people.iter().find(|p| p.id == id).map_or_else(
            || format!("#{id}"),
            |p| crate::book::text::visible(&p.name).into_owned(),
        )
    }

    /// A day argument.
    fn day(&self, text: &str) -> Result<Date, PlanError> {
        Ok(parse_day(text, self.cx.today, self.cx.fiscal_month)?)
    }

    /// An argument that has to be one of some words, without regard to case.
    fn one_of<'w>(&self, text: &str, words: &[&'w str], what: &str) -> Result<&'w str, PlanError> {
        let t = text.trim();
        if let Some(w) = words.iter().find(|w| w.eq_ignore_ascii_case(t)) {
            return Ok(w);
        }
        let near = nearest(&t.to_lowercase(), words.iter().copied())
            .map_or_else(String::new, |n| format!(", did you mean `{n}`?"));
        Err(PlanError(format!(
            "`{t}` is no {what}{near}{}",
            if near.is_empty() {
                format!("; there are {}", words.join(", "))
            } else {
                String::new()
            }
        )))
    }

    /// `Northwind`, or `3 accounts`.
    fn names(&self, accounts: &[&(Account, Facts)]) -> String {
        match accounts {
            [one] => crate::book::text::visible(&one.0.name).into_owned(),
            several => format!("{} accounts", several.len()),
        }
    }

    fn arg(&self, i: usize) -> &'a str {
        self.command.arg(i).unwrap_or_default()
    }

    fn now(&self) -> Timestamp {
        self.cx.now
    }
}

/// Fields of one change: those that would change nothing are left out.
#[derive(Default)]
struct Fields(Vec<FieldChange>);

impl Fields {
    fn set(mut self, field: &'static str, base: Option<FieldValue>, want: FieldValue) -> Fields {
        let base = base.unwrap_or_default();
        if base != want {
            self.0.push(FieldChange {
                field: field.into(),
                base,
                want,
            });
        }
        self
    }
    fn create(self, field: &'static str, want: FieldValue) -> Fields {
        self.set(field, None, want)
    }
    /// The update that these make, if they make any.
    fn update(self, target: Target, account: LocalId, source: SourceName) -> Option<Change> {
        (!self.0.is_empty()).then_some(Change {
            target,
            account,
            verb: Verb::Update,
            fields: self.0,
            source,
        })
    }
    /// The create that these make.
    fn new_thing(self, entity: Entity, account: LocalId, source: SourceName) -> Change {
        Change {
            target: Target {
                entity,
                id: LocalId::NONE,
            },
            account,
            verb: Verb::Create,
            fields: self.0,
            source,
        }
    }
}

fn text(s: impl Into<String>) -> FieldValue {
    FieldValue::text(s)
}

fn local() -> SourceName {
    crate::book::id::LOCAL.into()
}

fn target(entity: Entity, id: LocalId) -> Target {
    Target { entity, id }
}

/// Nothing would change: say so instead of writing nothing.
fn changes(changes: Vec<Change>, nothing: &str, summary: String) -> Planned {
    if changes.is_empty() {
        return Err(PlanError::new(nothing));
    }
    Ok(Plan {
        changes,
        effect: None,
        summary,
    })
}

/// Whether a plan may have to know the contacts of its account.
pub fn needs_contacts(command: &Command) -> bool {
    command.flag("contact").is_some()
}

/// The text by which another account is named, if the command has one.
pub fn other_account(command: &Command) -> Option<&str> {
    let i = command
        .spec
        .args
        .iter()
        .position(|a| a.kind == ArgKind::Account)?;
    command.arg(i)
}

/// Whether a command is about outbox items.
pub fn is_about_items(command: &Command) -> bool {
    command.spec.on == On::Outbox
}

#[cfg(test)]
mod tests;
