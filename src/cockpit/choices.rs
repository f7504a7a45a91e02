//! The values that an argument can have now: for completion and for the lists that front doors offer.

use super::handle::Cockpit;
use crate::book::{Entity, LocalId, registry};
use crate::command::ArgKind;
use std::collections::BTreeSet;

/// So many values are offered at most.
const MOST: usize = 500;

impl Cockpit {
    /// The values that there are for a kind of argument, each with a word about it; for a contact, those of the account whose page was
    /// read last, when it is this one. Kinds that the front door knows better (themes, views) have none.
    pub fn choices(&self, kind: ArgKind, account: Option<LocalId>) -> Vec<(String, String)> {
        let s = self.snapshot();
        let plain = |values: &[&str]| {
            values
                .iter()
                .map(|v| ((*v).to_owned(), String::new()))
                .collect()
        };
        match kind {
            ArgKind::Who => {
                let mut people: Vec<(String, String)> = s
                    .book
                    .people()
                    .filter(|p| p.is_active())
                    .map(|p| {
                        (
                            p.name().to_owned(),
                            p.email().unwrap_or_default().to_owned(),
                        )
                    })
                    .collect();
                people.sort();
                people.truncate(MOST);
                people.insert(0, ("me".into(), s.me.name.clone()));
                people
            }
            ArgKind::Stage => s
                .homes
                .renewal
                .as_ref()
                .and_then(|home| s.infos.iter().find(|i| i.name.as_ref() == Some(home)))
                .map(|i| i.capabilities.choices(Entity::Renewal, "stage"))
                .unwrap_or_default()
                .iter()
                .map(|stage| (stage.clone(), String::new()))
                .collect(),
            ArgKind::Source => s
                .sources
                .iter()
                .filter_map(|status| {
                    Some((
                        status.source.as_deref()?.to_owned(),
                        status.connector.clone(),
                    ))
                })
                .collect(),
            ArgKind::Column | ArgKind::Field => registry::fields(Entity::Account)
                .iter()
                .map(|f| (f.name.to_owned(), f.help.to_owned()))
                .collect(),
            ArgKind::Contact => account
                .and_then(|a| self.detail(a))
                .map(|d| {
                    d.1.contacts
                        .iter()
                        .map(|c| (c.name.clone(), c.title.clone().unwrap_or_default()))
                        .collect()
                })
                .unwrap_or_default(),
            ArgKind::Tag => {
                let known: BTreeSet<&str> = s
                    .book
                    .accounts()
                    .flat_map(|a| a.tags().iter().map(String::as_str))
                    .take(MOST)
                    .collect();
                known
                    .into_iter()
                    .map(|t| (format!("+{t}"), String::new()))
                    .collect()
            }
            ArgKind::Item => s
                .outbox
                .iter()
                .filter(|i| i.state.is_pending())
                .map(|i| (i.id.clone(), i.command.clone()))
                .collect(),
            other => plain(other.fixed_choices()),
        }
    }

    /// Reasons to choose from for an escalation: the vendor's pick list where risks live, else those of the settings. Any other text may
    /// be given, too.
    pub fn reasons(&self) -> Vec<String> {
        let s = self.snapshot();
        let theirs = s
            .homes
            .risk
            .as_ref()
            .and_then(|home| s.infos.iter().find(|i| i.name.as_ref() == Some(home)))
            .map(|i| i.capabilities.choices(Entity::Escalation, "reason"))
            .unwrap_or_default();
        if theirs.is_empty() {
            s.triage.reasons.clone()
        } else {
            theirs.to_vec()
        }
    }
}
