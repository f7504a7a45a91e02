//! What happened with the customer: notes and logged calls, mails and meetings.

use super::*;

impl Planner<'_> {
    /// A touchpoint; its first line is the subject.
    pub(super) fn touchpoint(
        &self,
        account: LocalId,
        source: SourceName,
        kind: &str,
        body: &str,
        at: Timestamp,
        contact: Option<LocalId>,
    ) -> Change {
        let body = body.trim();
        let first = body.lines().next().unwrap_or_default().trim();
        let subject: String = if first.chars().count() > 80 {
            first.chars().take(79).chain(['…']).collect()
        } else {
            first.to_owned()
        };
        let mut fields = Fields::default()
            .create("account", FieldValue::Id(account))
            .create("kind", text(kind))
            .create("subject", text(subject))
            .create("body", text(body))
            .create("at", FieldValue::Instant(at));
        if let Some(me) = self.cx.me.person {
            fields = fields.create("author", FieldValue::Id(me));
        }
        if let Some(c) = contact {
            fields = fields.create("contact", FieldValue::Id(c));
        }
        fields.new_thing(Entity::Touchpoint, account, source)
    }

    pub(super) fn note(&self) -> Planned {
        let home = self.required_home(self.cx.homes.note.as_ref(), "note")?;
        let accounts = self.accounts()?;
        let out = accounts
            .iter()
            .map(|a| self.touchpoint(a.0.id, home.clone(), "note", self.arg(0), self.now(), None))
            .collect();
        changes(
            out,
            "the note is empty",
            format!("noted on {}", self.names(&accounts)),
        )
    }

    pub(super) fn log(&self) -> Planned {
        let kind = self.one_of(
            self.arg(0),
            ArgKind::TouchKind.fixed_choices(),
            "kind of touchpoint",
        )?;
        let home = self.required_home(self.cx.homes.note.as_ref(), "note")?;
        let accounts = self.accounts()?;
        let at = match self.command.flag("date") {
            None => self.now(),
            Some(d) => {
                let day = self.day(d)?;
                if day > self.cx.today {
                    return Err(PlanError(format!(
                        "{day} lies ahead: log what has happened, or make a task"
                    )));
                }
                if day == self.cx.today {
                    self.now()
                } else {
                    // Noon keeps it on that day in every zone near ours.
                    day.at(12, 0, 0, 0)
                        .to_zoned(self.cx.zone.clone())
                        .map_err(|_| PlanError(format!("{day} cannot be a time")))?
                        .timestamp()
                }
            }
        };
        let contact = match self.command.flag("contact") {
            None => None,
            Some(who) => Some(self.contact(who)?),
        };
        if contact.is_some() && accounts.len() > 1 {
            return Err(PlanError::new(
                "--contact names a person of one account: select one",
            ));
        }
        let out = accounts
            .iter()
            .map(|a| self.touchpoint(a.0.id, home.clone(), kind, self.arg(1), at, contact))
            .collect();
        changes(
            out,
            "there is nothing to log",
            format!("logged a {kind} with {}", self.names(&accounts)),
        )
    }

    fn contact(&self, text: &str) -> Result<LocalId, PlanError> {
        let t = text.trim().to_lowercase();
        let contacts = &self.cx.rows.contacts;
        let whole = contacts.iter().find(|c| {
            c.name.to_lowercase() == t
                || c.email
                    .as_deref()
                    .is_some_and(|e| e.eq_ignore_ascii_case(&t))
        });
        if let Some(c) = whole {
            return Ok(c.id);
        }
        let part: Vec<_> = contacts
            .iter()
            .filter(|c| c.name.to_lowercase().contains(&t))
            .collect();
        match part.as_slice() {
            [one] => Ok(one.id),
            [] => Err(PlanError(format!("the account has no contact `{text}`"))),
            several => Err(PlanError(format!(
                "`{text}` fits {} contacts: write the whole name or the e-mail",
                several.len()
            ))),
        }
    }
}
