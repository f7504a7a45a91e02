//! What is kept of an account here (snooze, tags, sentiment), its customer success manager, and whose records belong to it.

use super::*;
use crate::command::Effect;

impl Planner<'_> {
    fn kept_here(
        &self,
        nothing: &str,
        summary: impl Fn(&str) -> String,
        fields: impl Fn(&Account) -> Fields,
    ) -> Planned {
        let accounts = self.accounts()?;
        let out = accounts
            .iter()
            .filter_map(|a| fields(&a.0).update(target(Entity::Account, a.0.id), a.0.id, local()))
            .collect();
        changes(out, nothing, summary(&self.names(&accounts)))
    }

    pub(super) fn snooze(&self) -> Planned {
        let until = self.day(self.arg(0))?;
        if until <= self.cx.today {
            return Err(PlanError(format!(
                "{until} is not in the future: snooze until a later day"
            )));
        }
        self.kept_here(
            "it sleeps until then already",
            |names| format!("snoozed {names} until {}", until.strftime("%-d %b %Y")),
            |a| {
                Fields::default().set(
                    "snoozed_until",
                    a.get("snoozed_until"),
                    FieldValue::Date(until),
                )
            },
        )
    }

    pub(super) fn wake(&self) -> Planned {
        self.kept_here(
            "it is awake already",
            |names| format!("woke {names}"),
            |a| Fields::default().set("snoozed_until", a.get("snoozed_until"), FieldValue::Null),
        )
    }

    pub(super) fn tag(&self) -> Planned {
        let typed = self.arg(0).trim();
        let (add, name) = match typed.strip_prefix('-') {
            Some(n) => (false, n),
            None => (true, typed.strip_prefix('+').unwrap_or(typed)),
        };
        let name = name.trim().to_lowercase();
        if name.is_empty() || name.contains([',', ';']) {
            return Err(PlanError(format!(
                "`{typed}` is no tag: write +word or -word"
            )));
        }
        self.kept_here(
            if add {
                "it has that tag already"
            } else {
                "it has no such tag"
            },
            |names| {
                if add {
                    format!("tagged {names} {name}")
                } else {
                    format!("took the tag {name} off {names}")
                }
            },
            |a| {
                let mut tags: Vec<String> =
                    a.tags.iter().filter(|t| **t != name).cloned().collect();
                if add && tags.len() < a.tags.len() {
                    return Fields::default();
                }
                if add {
                    tags.push(name.clone());
                    tags.sort();
                }
                let want = if tags.is_empty() {
                    FieldValue::Null
                } else {
                    FieldValue::List(tags)
                };
                Fields::default().set("tags", a.get("tags"), want)
            },
        )
    }

    pub(super) fn sentiment(&self) -> Planned {
        let value = self.one_of(self.arg(0), ArgKind::Sentiment.fixed_choices(), "sentiment")?;
        self.kept_here(
            "it is so already",
            |names| format!("sentiment of {names}: {value}"),
            |a| Fields::default().set("sentiment", a.get("sentiment"), text(value)),
        )
    }

    pub(super) fn owner(&self) -> Planned {
        let who = self.person(self.arg(0))?;
        let accounts = self.accounts()?;
        let mut out = Vec::new();
        for a in &accounts {
            let t = target(Entity::Account, a.0.id);
            let fields = Fields::default().set("csm", a.0.get("csm"), FieldValue::Id(who));
            if fields.0.is_empty() {
                continue;
            }
            out.extend(fields.update(t, a.0.id, self.home_of(t, self.cx.homes.csm.as_ref())?));
        }
        let name = self.person_name(who);
        changes(
            out,
            &format!("{name} has it already"),
            format!("{name} now looks after {}", self.names(&accounts)),
        )
    }

    fn effect(&self, effect: Effect, summary: String) -> Planned {
        Ok(Plan {
            changes: Vec::new(),
            effect: Some(effect),
            summary,
        })
    }

    pub(super) fn confirm(&self) -> Planned {
        let account = self.one_account()?;
        let other = self.cx.candidate.ok_or_else(|| {
            PlanError(format!(
                "there is no candidate for {}: `account merge OTHER` names one",
                crate::book::text::visible(&account.name)
            ))
        })?;
        self.effect(
            Effect::MergeAccounts(account.id, other),
            format!(
                "{} and its candidate are one account",
                crate::book::text::visible(&account.name)
            ),
        )
    }

    pub(super) fn merge(&self) -> Planned {
        let account = self.one_account()?;
        let other = self
            .cx
            .other
            .ok_or_else(|| PlanError(format!("there is no account `{}`", self.arg(0))))?;
        if other == account.id {
            return Err(PlanError::new("that is the same account"));
        }
        self.effect(
            Effect::MergeAccounts(account.id, other),
            format!(
                "{} and {} are one account",
                crate::book::text::visible(&account.name),
                self.arg(0)
            ),
        )
    }

    pub(super) fn split(&self) -> Planned {
        let account = self.one_account()?;
        let source = self.arg(0);
        let held = self
            .cx
            .rows
            .held_by
            .get(&target(Entity::Account, account.id))
            .map_or(&[][..], Vec::as_slice);
        let vendors = held
            .iter()
            .filter(|s| &***s != crate::book::id::LOCAL)
            .count();
        if !held.iter().any(|s| &**s == source) {
            return Err(PlanError(format!(
                "{} has no record in `{source}`",
                crate::book::text::visible(&account.name)
            )));
        }
        if vendors < 2 {
            return Err(PlanError(format!(
                "{} has records in {source} only: there is nothing to split",
                crate::book::text::visible(&account.name)
            )));
        }
        self.effect(
            Effect::SplitAccount(account.id, source.to_owned()),
            format!("the record of {source} is an account of its own"),
        )
    }
}
