//! Renewals: stage, forecast category, amount and close date.

use super::*;
use crate::book::Renewal;
use crate::command::money::parse_amount;

impl<'a> Planner<'a> {
    /// The selected renewals; an account stands for its open one.
    fn renewals(&self) -> Result<Vec<&'a Renewal>, PlanError> {
        let mut found: Vec<&Renewal> = Vec::new();
        for t in &self.cx.selection.targets {
            let id = match t.entity {
                Entity::Renewal => Some(t.id),
                Entity::Account => self
                    .cx
                    .rows
                    .accounts
                    .get(&t.id)
                    .and_then(|a| a.1.open_renewal),
                _ => None,
            };
            if let Some(r) = id.and_then(|id| self.cx.rows.renewals.get(&id))
                && !found.iter().any(|f| f.id == r.id)
            {
                found.push(r);
            }
        }
        if found.is_empty() {
            return Err(PlanError::new("there is no open renewal here"));
        }
        Ok(found)
    }

    fn each_renewal(
        &self,
        field: &'static str,
        shown: &str,
        want: impl Fn(&Renewal) -> Result<FieldValue, PlanError>,
    ) -> Planned {
        let renewals = self.renewals()?;
        let mut out = Vec::new();
        let mut value = String::new();
        for r in &renewals {
            let want = want(r)?;
            value = want.to_string();
            let fields = Fields::default().set(field, r.get(field), want);
            if fields.0.is_empty() {
                continue;
            }
            let t = target(Entity::Renewal, r.id);
            let source = self.home_of(t, self.cx.homes.renewal.as_ref())?;
            out.extend(fields.update(t, r.account.unwrap_or_default(), source));
        }
        let names = match renewals.as_slice() {
            [one] => crate::book::text::visible(&one.name).into_owned(),
            several => format!("{} renewals", several.len()),
        };
        changes(
            out,
            &format!("its {shown} is that already"),
            format!("{names}: {shown} {value}"),
        )
    }

    pub(super) fn renewal_stage(&self) -> Planned {
        // The vendor's own words, once they are known; before that the vendor decides.
        let choices: Vec<&str> = self
            .cx
            .homes
            .renewal
            .as_deref()
            .and_then(|h| self.cx.source(h))
            .map_or(&[][..], |s| {
                s.capabilities.choices(Entity::Renewal, "stage")
            })
            .iter()
            .map(String::as_str)
            .collect();
        let typed = self.arg(0).trim();
        let stage = if choices.is_empty() {
            typed
        } else {
            self.one_of(typed, &choices, "stage")?
        };
        self.each_renewal("stage", "stage", |_| Ok(text(stage)))
    }

    pub(super) fn renewal_forecast(&self) -> Planned {
        let typed = self.arg(0).trim().replace([' ', '-'], "_");
        let category = self.one_of(
            &typed,
            ArgKind::Forecast.fixed_choices(),
            "forecast category",
        )?;
        self.each_renewal("forecast", "forecast", |_| Ok(text(category)))
    }

    pub(super) fn renewal_amount(&self) -> Planned {
        let typed = self.arg(0);
        self.each_renewal("amount", "amount", |r| {
            let own = r.amount.or(r.target);
            let of_account = || {
                r.account
                    .and_then(|a| self.cx.rows.accounts.get(&a))
                    .and_then(|a| a.0.arr)
            };
            let money = own.or_else(of_account);
            let currency = money.as_ref().map_or("USD", |m| m.code());
            Ok(FieldValue::Money(parse_amount(typed, currency)?))
        })
    }

    pub(super) fn renewal_close(&self) -> Planned {
        let day = self.day(self.arg(0))?;
        self.each_renewal("due", "close date", |_| Ok(FieldValue::Date(day)))
    }
}
