//! What a command is planned against: who asks, about what, when, and what the sources can take.

use super::spec::{CommandSpec, On};
use crate::book::id::LOCAL;
use crate::book::{
    Account, Capabilities, Contact, Entity, Escalation, Facts, LocalId, Overlay, Person, Renewal,
    SourceName, Target, Task,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::collections::HashMap;

/// What is marked or in focus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Things of the Book, in the order of the list.
    pub targets: Vec<Target>,
    /// Outbox items by id, on the sync screen.
    pub items: Vec<String>,
}

impl Selection {
    /// Nothing.
    pub fn none() -> Selection {
        Selection::default()
    }
    /// Things of one kind.
    pub fn of(entity: Entity, ids: impl IntoIterator<Item = LocalId>) -> Selection {
        Selection {
            targets: ids.into_iter().map(|id| Target { entity, id }).collect(),
            items: Vec::new(),
        }
    }
    /// Outbox items.
    pub fn items(ids: impl IntoIterator<Item = String>) -> Selection {
        Selection {
            targets: Vec::new(),
            items: ids.into_iter().collect(),
        }
    }
}

/// Who sits in front of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Me {
    /// E-mail of `[me]`, else the login name.
    pub name: String,
    /// The person of ours with that e-mail, if a source knows them.
    pub person: Option<LocalId>,
}

/// The one home of each kind of write (`[write]`). `None`: no source takes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Homes {
    /// Risks.
    pub risk: Option<SourceName>,
    /// Notes and logged calls.
    pub note: Option<SourceName>,
    /// Tasks.
    pub task: Option<SourceName>,
    /// Renewals.
    pub renewal: Option<SourceName>,
    /// The account's customer success manager.
    pub csm: Option<SourceName>,
}

/// What a plan needs to know of a source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceInfo {
    /// Its name.
    pub name: Option<SourceName>,
    /// Writes are switched off.
    pub read_only: bool,
    /// What it can take.
    pub capabilities: Capabilities,
}

/// The rows that a command touches, whole, with the overlay applied.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Accounts and their facts.
    pub accounts: HashMap<LocalId, (Account, Facts)>,
    /// Renewals.
    pub renewals: HashMap<LocalId, Renewal>,
    /// Tasks.
    pub tasks: HashMap<LocalId, Task>,
    /// Risks.
    pub escalations: HashMap<LocalId, Escalation>,
    /// Contacts of the accounts (only when the command names one).
    pub contacts: Vec<Contact>,
    /// Sources that hold a record of a thing.
    pub held_by: HashMap<Target, Vec<SourceName>>,
}

impl Rows {
    /// Lays the unsent changes over the rows. A value that does not fit its field is left as the vendor said it.
    pub fn apply(&mut self, overlay: &Overlay) {
        macro_rules! lay {
            ($rows:expr, $entity:expr, $row:ident => $target:expr) => {
                for (id, $row) in &mut $rows {
                    for change in overlay.of_target($entity, *id) {
                        for f in &change.fields {
                            let _ = $target.set(&f.field, &f.want);
                        }
                    }
                }
            };
        }
        lay!(self.accounts, Entity::Account, row => row.0);
        lay!(self.renewals, Entity::Renewal, row => row);
        lay!(self.tasks, Entity::Task, row => row);
        lay!(self.escalations, Entity::Escalation, row => row);
    }

    /// The account that a thing belongs to.
    pub fn account_of(&self, target: Target) -> Option<LocalId> {
        match target.entity {
            Entity::Account => Some(target.id),
            Entity::Renewal => self.renewals.get(&target.id)?.account,
            Entity::Task => self.tasks.get(&target.id)?.account,
            Entity::Escalation => self.escalations.get(&target.id)?.account,
            _ => None,
        }
    }
}

/// Everything a plan is made from.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What it is about.
    pub selection: &'a Selection,
    /// The rows that it touches.
    pub rows: &'a Rows,
    /// Our people.
    pub people: &'a [Person],
    /// Who asks.
    pub me: &'a Me,
    /// The instant.
    pub now: Timestamp,
    /// The day in the calendar's zone.
    pub today: Date,
    /// The calendar's zone, for days that become instants.
    pub zone: &'a TimeZone,
    /// The month in which the fiscal year starts, 1 to 12.
    pub fiscal_month: i8,
    /// Where writes go.
    pub homes: &'a Homes,
    /// The sources.
    pub sources: &'a [SourceInfo],
    /// The switch for all.
    pub read_only: bool,
    /// An account found by the text of an argument of kind [`Account`](super::ArgKind::Account), when the command has one.
    pub other: Option<LocalId>,
    /// The candidate that the selected account may be the same as (`account confirm`).
    pub candidate: Option<LocalId>,
    /// A fingerprint of the reasons for which each account is at risk, to notice when they change.
    pub reasons: &'a HashMap<LocalId, String>,
}

impl<'a> Context<'a> {
    /// What is known of a source.
    pub fn source(&self, name: &str) -> Option<&'a SourceInfo> {
        self.sources
            .iter()
            .find(|s| s.name.as_deref() == Some(name))
    }
}

/// What decides whether a command can run now: cheap enough to ask for every key of a help page.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What is marked or in focus.
    pub selection: &'a Selection,
    /// The switch for all.
    pub read_only: bool,
    /// Where writes go.
    pub homes: &'a Homes,
    /// The sources.
    pub sources: &'a [SourceInfo],
}

/// Whether a command can run now; if not, why, in words. `Some`: it runs, but what it mainly does stays here, because the system that it would go
/// to has no API for it; to be said before the key is pressed.
pub fn can_run(spec: &CommandSpec, at: &Situation<'_>) -> Result<Option<String>, String> {
    let has = |kinds: &[Entity]| {
        at.selection
            .targets
            .iter()
            .any(|t| kinds.contains(&t.entity))
    };
    let of_account = [
        Entity::Account,
        Entity::Renewal,
        Entity::Task,
        Entity::Escalation,
    ];
    match spec.on {
        On::Nothing => {}
        On::Account if !has(&of_account) => return Err("no account is selected".into()),
        On::Renewal if !has(&[Entity::Account, Entity::Renewal]) => {
            return Err("no renewal is selected".into());
        }
        On::Task if !has(&[Entity::Task]) => return Err("no task is selected".into()),
        On::Outbox if at.selection.items.is_empty() => {
            return Err("no outbox item is selected: go to the sync screen (5)".into());
        }
        _ => {}
    }
    // The outbox can be tidied up while writes are off: only sending is forbidden.
    if spec.writes && spec.on != On::Outbox {
        if at.read_only {
            return Err("csops is read-only: `readonly off` allows writes again".into());
        }
        if let Some((kind, entity, home)) = home_of(spec.name, at.homes) {
            let Some(home) = home else {
                return Err(format!(
                    "no source takes a {kind}: set [write] {kind} in config.toml to a source, or to \"local\" to keep it here"
                ));
            };
            if &**home == LOCAL {
                return Ok(Some(format!("no source takes a {kind}: it is kept here")));
            }
            // While the sources are being opened nothing is known of them; the plan waits for it and judges then.
            if at.sources.is_empty() {
                return Ok(None);
            }
            let source = at.sources.iter().find(|s| s.name.as_ref() == Some(home));
            let Some(source) = source else {
                return Err(format!(
                    "[write] {kind} names `{home}`, which is not a configured source"
                ));
            };
            if source.read_only {
                return Err(format!(
                    "{home} is read-only: `readonly off {home}` allows writes again"
                ));
            }
            if let Some(field) = needed_field(spec.name)
                && let Some(w) = source.capabilities.support(entity, field)
                && let Some(why) = &w.why_not
            {
                return Ok(Some(why.clone()));
            }
        }
    }
    Ok(None)
}

/// The home of what a command mainly writes at a vendor: its name in `[write]`, the kind of row, and the source.
pub fn home_of<'h>(
    command: &str,
    homes: &'h Homes,
) -> Option<(&'static str, Entity, Option<&'h SourceName>)> {
    let (kind, entity, home) = match command {
        "ack" | "claim" | "assign" | "escalate" | "deescalate" | "resolve" | "reopen" => {
            ("risk", Entity::Escalation, &homes.risk)
        }
        "note" | "log" => ("note", Entity::Touchpoint, &homes.note),
        "task new" | "task done" | "task move" | "task assign" | "task edit" => {
            ("task", Entity::Task, &homes.task)
        }
        "renewal stage" | "renewal forecast" | "renewal amount" | "renewal close" => {
            ("renewal", Entity::Renewal, &homes.renewal)
        }
        "owner" => ("csm", Entity::Account, &homes.csm),
        _ => return None,
    };
    Some((kind, entity, home.as_ref()))
}

/// The field whose support decides whether a command makes sense at all.
fn needed_field(command: &str) -> Option<&'static str> {
    Some(match command {
        "ack" | "resolve" | "reopen" => "status_kind",
        "claim" | "assign" | "task assign" => "owner",
        "escalate" | "deescalate" => "priority_kind",
        "note" | "log" | "task new" => "*",
        "task done" => "status_kind",
        "task move" => "due",
        "renewal stage" => "stage",
        "renewal forecast" => "forecast",
        "renewal amount" => "amount",
        "renewal close" => "due",
        "owner" => "csm",
        _ => return None,
    })
}
