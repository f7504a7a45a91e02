//! The queue's actions: ack, claim, assign, escalate, resolve and their ways back. They act on the account's open risk and create it when
//! there is none.

use super::*;
use crate::book::Escalation;

/// The levels and the priority that the risk has at each.
const LEVELS: [(&str, &str); 4] = [
    ("L0", "medium"),
    ("L1", "high"),
    ("L2", "critical"),
    ("L3", "critical"),
];

fn level_of(account: &Account) -> usize {
    account
        .level
        .as_deref()
        .and_then(|l| LEVELS.iter().position(|(n, _)| *n == l))
        .unwrap_or(0)
}

impl<'a> Planner<'a> {
    fn open_risk(&self, facts: &Facts) -> Option<&'a Escalation> {
        let id = facts.open_escalation?;
        self.cx
            .rows
            .escalations
            .get(&id)
            .filter(|e| e.status_kind.as_deref() != Some("closed"))
    }

    /// The update of the open risk, or the create of one with these values. `fields` lays the wanted values over what there is.
    fn risk_change(
        &self,
        account: &(Account, Facts),
        fields: impl Fn(Fields, &Escalation) -> Fields,
    ) -> Result<Option<Change>, PlanError> {
        let home = self.cx.homes.risk.as_ref();
        let id = account.0.id;
        if let Some(risk) = self.open_risk(&account.1) {
            let target = target(Entity::Escalation, risk.id);
            let source = self.home_of(target, home)?;
            return Ok(fields(Fields::default(), risk).update(target, id, source));
        }
        let empty = Escalation::default();
        let made = fields(Fields::default(), &empty);
        let has = |f: &str| made.0.iter().any(|c| c.field == f);
        let (no_status, no_priority) = (!has("status_kind"), !has("priority_kind"));
        let mut made = made
            .create("account", FieldValue::Id(id))
            .create("title", text(format!("Risk: {}", account.0.name)))
            .create("opened", FieldValue::Instant(self.now()));
        if no_status {
            made = made.create("status_kind", text("new"));
        }
        if no_priority {
            made = made.create("priority_kind", text("medium"));
        }
        let source = self.required_home(home, "risk")?;
        Ok(Some(made.new_thing(Entity::Escalation, id, source)))
    }

    fn of_account(&self, account: &Account, fields: Fields) -> Option<Change> {
        fields.update(target(Entity::Account, account.id), account.id, local())
    }

    pub(super) fn ack(&self) -> Planned {
        let accounts = self.accounts()?;
        let mut out = Vec::new();
        for a in &accounts {
            out.extend(
                self.risk_change(a, |f, risk| match risk.status_kind.as_deref() {
                    // Further on than acknowledged: it stays there.
                    Some("acknowledged" | "in_progress") => f,
                    _ => f.set("status_kind", risk.get("status_kind"), text("acknowledged")),
                })?,
            );
            let marks = Fields::default()
                .set(
                    "acked_at",
                    a.0.get("acked_at"),
                    FieldValue::Instant(self.now()),
                )
                .set("acked_by", a.0.get("acked_by"), text(&self.cx.me.name));
            out.extend(self.of_account(&a.0, marks));
        }
        changes(
            out,
            "it is acknowledged already",
            format!("acknowledged {}", self.names(&accounts)),
        )
    }

    pub(super) fn claim(&self) -> Planned {
        self.give(self.me()?)
    }

    pub(super) fn assign(&self) -> Planned {
        self.give(self.person(self.arg(0))?)
    }

    fn give(&self, who: LocalId) -> Planned {
        let accounts = self.accounts()?;
        let mut out = Vec::new();
        for a in &accounts {
            out.extend(self.risk_change(a, |f, risk| {
                f.set("owner", risk.get("owner"), FieldValue::Id(who))
            })?);
        }
        let name = self.person_name(who);
        changes(
            out,
            &format!("{name} has it already"),
            format!("gave the risk of {} to {name}", self.names(&accounts)),
        )
    }

    pub(super) fn escalate(&self) -> Planned {
        let wanted = match self.command.flag("to") {
            Some(l) => Some(self.level(l)?),
            None => None,
        };
        self.to_level(|a| {
            let now = level_of(a);
            match wanted {
                Some(w) => Ok(w),
                None if now + 1 < LEVELS.len() => Ok(now + 1),
                None => Err(PlanError(format!(
                    "{} is at {} already, the highest level",
                    crate::book::text::visible(&a.name),
                    LEVELS[now].0
                ))),
            }
        })
    }

    pub(super) fn deescalate(&self) -> Planned {
        self.to_level(|a| {
            level_of(a).checked_sub(1).ok_or_else(|| {
                PlanError(format!(
                    "{} is not escalated",
                    crate::book::text::visible(&a.name)
                ))
            })
        })
    }

    fn level(&self, text: &str) -> Result<usize, PlanError> {
        // `2` is as good as `L2`.
        let t = if text.len() == 1 {
            format!("L{text}")
        } else {
            text.to_owned()
        };
        let name = self.one_of(&t, ArgKind::Level.fixed_choices(), "level")?;
        Ok(LEVELS.iter().position(|(n, _)| *n == name).unwrap_or(0))
    }

    fn to_level(&self, level: impl Fn(&Account) -> Result<usize, PlanError>) -> Planned {
        let accounts = self.accounts()?;
        let reason = self.command.flag("reason").filter(|r| !r.trim().is_empty());
        let mut out = Vec::new();
        let mut last = "";
        for a in &accounts {
            let to = level(&a.0)?;
            let (name, priority) = LEVELS[to];
            let up = to >= level_of(&a.0);
            last = name;
            let before = out.len();
            out.extend(self.of_account(
                &a.0,
                Fields::default().set("level", a.0.get("level"), text(name)),
            ));
            out.extend(self.risk_change(a, |f, risk| {
                let f = f.set("priority_kind", risk.get("priority_kind"), text(priority));
                match reason {
                    Some(r) => f.set("reason", risk.get("reason"), text(r)),
                    None => f,
                }
            })?);
            // The note names the level, so that whoever reads the vendor's timeline knows it too.
            if out.len() > before
                && let Some(home) = &self.cx.homes.note
            {
                let verb = if up { "Escalated" } else { "De-escalated" };
                let why = reason.map_or_else(String::new, |r| format!(": {r}"));
                out.push(self.touchpoint(
                    a.0.id,
                    home.clone(),
                    "note",
                    &format!("{verb} to {name}{why}"),
                    self.now(),
                    None,
                ));
            }
        }
        changes(
            out,
            &format!("it is at {last} already"),
            format!("{} is now at {last}", self.names(&accounts)),
        )
    }

    pub(super) fn resolve(&self) -> Planned {
        let outcome = self.one_of(self.arg(0), ArgKind::Outcome.fixed_choices(), "outcome")?;
        let reason = self.command.flag("reason").filter(|r| !r.trim().is_empty());
        let accounts = self.accounts()?;
        let mut out = Vec::new();
        for a in &accounts {
            if let Some(risk) = self.open_risk(&a.1) {
                let t = target(Entity::Escalation, risk.id);
                let mut fields = Fields::default()
                    .set("status_kind", risk.get("status_kind"), text("closed"))
                    .set("outcome", risk.get("outcome"), text(outcome));
                if let Some(r) = reason {
                    let said = match risk.comments.as_deref() {
                        Some(c) if !c.trim().is_empty() => format!("{c}\n{r}"),
                        _ => r.to_owned(),
                    };
                    fields = fields.set("comments", risk.get("comments"), text(said));
                }
                let source = self.home_of(t, self.cx.homes.risk.as_ref())?;
                out.extend(fields.update(t, a.0.id, source));
            }
            let fingerprint = self.cx.reasons.get(&a.0.id).cloned().unwrap_or_default();
            let marks = Fields::default()
                .set(
                    "resolved_at",
                    a.0.get("resolved_at"),
                    FieldValue::Instant(self.now()),
                )
                .set(
                    "resolved_reasons",
                    a.0.get("resolved_reasons"),
                    text(fingerprint),
                )
                .set("outcome", a.0.get("outcome"), text(outcome))
                .set("level", a.0.get("level"), FieldValue::Null);
            out.extend(self.of_account(&a.0, marks));
        }
        let name = outcome.replace('_', " ");
        changes(
            out,
            "it is resolved already",
            format!("resolved {} as {name}", self.names(&accounts)),
        )
    }

    pub(super) fn reopen(&self) -> Planned {
        let accounts = self.accounts()?;
        let mut out = Vec::new();
        for a in &accounts {
            let marks = Fields::default()
                .set("resolved_at", a.0.get("resolved_at"), FieldValue::Null)
                .set(
                    "resolved_reasons",
                    a.0.get("resolved_reasons"),
                    FieldValue::Null,
                )
                .set("outcome", a.0.get("outcome"), FieldValue::Null);
            out.extend(self.of_account(&a.0, marks));
            if self.open_risk(&a.1).is_some() {
                continue;
            }
            // The one that was closed last comes back.
            let closed = self
                .cx
                .rows
                .escalations
                .values()
                .filter(|e| e.account == Some(a.0.id) && e.status_kind.as_deref() == Some("closed"))
                .max_by_key(|e| (e.closed, e.opened, e.id));
            if let Some(risk) = closed {
                let t = target(Entity::Escalation, risk.id);
                let fields = Fields::default()
                    .set("status_kind", risk.get("status_kind"), text("in_progress"))
                    .set("outcome", risk.get("outcome"), FieldValue::Null);
                out.extend(fields.update(t, a.0.id, self.home_of(t, self.cx.homes.risk.as_ref())?));
            }
        }
        changes(
            out,
            "nothing there is resolved",
            format!("reopened {}", self.names(&accounts)),
        )
    }
}
