//! From a Salesforce row to records.
//!
//! A Task is a task; once it is completed it is a touchpoint as well, under the same id. A Case is a ticket, and, where
//! `risk_object` says so, an escalation too.

use super::schema::Plan;
use crate::book::{Entity, FieldValue, Opportunity, Record, RowProblem};
use crate::connect::IDENTIFIERS;
use crate::connect::canon;
use crate::connect::convert::{Kind, convert, domain, instant, kind_of};
use crate::connect::json::Row;
use crate::connect::manifest::object::ObjectSpec;
use std::borrow::Cow;

/// Which rows count as risks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RiskRule {
    /// `Case`, `Task` or nothing.
    pub object: Option<String>,
    /// The `Type` that makes a row a risk.
    pub value: String,
}

/// What one row became.
#[derive(Debug, Default)]
pub struct Mapped {
    /// Records, the main one first.
    pub records: Vec<Record>,
    /// What was wrong with it.
    pub problems: Vec<RowProblem>,
}

/// An empty record.
fn record(entity: Entity, id: &str, row: &Row<'_>) -> Record {
    Record {
        entity,
        external_id: id.to_owned(),
        modified: row
            .text("SystemModstamp")
            .or_else(|| row.text("LastModifiedDate"))
            .and_then(|t| instant(&t)),
        deleted: false,
        fields: Vec::new(),
    }
}

fn gone(entity: Entity, id: &str, row: &Row<'_>) -> Record {
    Record {
        deleted: true,
        ..record(entity, id, row)
    }
}

fn set(record: &mut Record, field: &'static str, value: FieldValue) {
    if let Some(slot) = record.fields.iter_mut().find(|(n, _)| n == field) {
        slot.1 = value;
    } else {
        record.fields.push((Cow::Borrowed(field), value));
    }
}

fn text(value: Option<&'static str>) -> FieldValue {
    value.map_or(FieldValue::Null, |v| FieldValue::Text(v.to_owned()))
}

/// Maps one row. `first` is the first load: rows that are to leave need not be named then.
pub fn map(spec: &ObjectSpec, plan: &Plan, risk: &RiskRule, row: &Row<'_>, first: bool) -> Mapped {
    let mut out = Mapped::default();
    let Some(id) = row.filled("Id") else {
        out.problems.push(RowProblem {
            entity: spec.entity,
            external_id: None,
            reason: "a row without an id was left out".into(),
        });
        return out;
    };
    let entities: &[Entity] = match spec.entity {
        Entity::Task => &[Entity::Task, Entity::Touchpoint],
        Entity::Ticket => &[Entity::Ticket],
        Entity::Renewal if !plan.expansion.is_empty() => &[Entity::Renewal, Entity::Opportunity],
        _ => std::slice::from_ref(&spec.entity),
    };
    let may_be_risk = risk.object.as_deref() == Some(spec.name.as_str());
    if row.bool("IsDeleted") == Some(true) {
        for e in entities {
            out.records.push(gone(*e, &id, row));
        }
        if may_be_risk {
            out.records.push(gone(Entity::Escalation, &id, row));
        }
        return out;
    }
    let is_one_of = |types: &[String]| {
        row.text("Type")
            .is_some_and(|t| types.iter().any(|p| p.eq_ignore_ascii_case(&t)))
    };
    let mut entity = spec.entity;
    if spec.entity == Entity::Renewal && !plan.types.is_empty() && !is_one_of(&plan.types) {
        let expansion = is_one_of(&plan.expansion);
        if !first {
            out.records.push(gone(Entity::Renewal, &id, row));
            if !expansion && !plan.expansion.is_empty() {
                out.records.push(gone(Entity::Opportunity, &id, row));
            }
        }
        if !expansion {
            return out;
        }
        entity = Entity::Opportunity;
    }
    let mut main = record(entity, &id, row);
    let currency = row
        .filled("CurrencyIsoCode")
        .unwrap_or_else(|| plan.currency.clone());
    for (canonical, theirs) in &plan.map {
        // What only a renewal has is no field of an opportunity.
        if entity == Entity::Opportunity && !Opportunity::FIELDS.contains(&canonical.as_str()) {
            continue;
        }
        let Some(raw) = row.raw(theirs) else { continue };
        match convert(raw, kind_of(spec.entity, canonical), &currency) {
            Ok(value) => main.fields.push((spec.entity.field_name(canonical), value)),
            Err(why) => out.problems.push(RowProblem {
                entity: spec.entity,
                external_id: Some(id.clone()),
                reason: format!("{theirs} {why}; the field was left out"),
            }),
        }
    }
    match entity {
        Entity::Account => {
            account(&mut main, plan, row);
            canon::settle_account(&mut main);
        }
        Entity::Person => person(&mut main, row),
        Entity::Contact => contact(&mut main),
        Entity::Renewal => renewal(&mut main, row),
        Entity::Opportunity => opportunity(&mut main, row),
        Entity::Task => {
            activity(&mut main, row);
            task(&mut main, row);
            let title = main
                .get("title")
                .and_then(FieldValue::as_str)
                .map(canon::without_marker);
            if let Some(t) = title {
                set(&mut main, "title", FieldValue::text(t));
            }
            let touch = (row.bool("IsClosed") == Some(true)).then(|| touchpoint(&main, &id, row));
            let risky = may_be_risk && is_risk(row, risk);
            if may_be_risk && (risky || !first) {
                out.records.push(if risky {
                    risk_of_task(&main, &id, row)
                } else {
                    gone(Entity::Escalation, &id, row)
                });
            }
            match touch {
                Some(t) => out.records.push(t),
                None if !first => out.records.push(gone(Entity::Touchpoint, &id, row)),
                None => {}
            }
        }
        Entity::Touchpoint => {
            activity(&mut main, row);
            let kind = row
                .text("Type")
                .map_or("meeting", |t| canon::touch_kind(&t));
            let kind = if kind == "note" { "meeting" } else { kind };
            set(&mut main, "kind", text(Some(kind)));
        }
        Entity::Ticket => {
            queue_owner(&mut main);
            ticket(&mut main, row);
            let risky =
                may_be_risk && (is_risk(row, risk) || row.bool("IsEscalated") == Some(true));
            if may_be_risk && (risky || !first) {
                out.records.push(if risky {
                    risk_of_case(&main, &id, row)
                } else {
                    gone(Entity::Escalation, &id, row)
                });
            }
        }
        Entity::Signal => {
            let said = |word: &Option<String>| FieldValue::text(word.clone().unwrap_or_default());
            set(&mut main, "kind", said(&spec.kind));
            set(&mut main, "unit", said(&spec.unit));
        }
        _ => {}
    }
    out.records.insert(0, main);
    out
}

fn is_risk(row: &Row<'_>, risk: &RiskRule) -> bool {
    row.text("Type")
        .is_some_and(|t| t.eq_ignore_ascii_case(&risk.value))
}

fn account(r: &mut Record, plan: &Plan, row: &Row<'_>) {
    if let Some(w) = r.get("domain").and_then(FieldValue::as_str) {
        let d = domain(w).map_or(FieldValue::Null, FieldValue::Text);
        set(r, "domain", d);
    }
    let ids: Vec<String> = plan
        .identifiers
        .iter()
        .filter_map(|f| row.filled(f))
        .collect();
    if !ids.is_empty() {
        set(r, IDENTIFIERS, FieldValue::List(ids));
    }
}

fn person(r: &mut Record, row: &Row<'_>) {
    if let Some(e) = r.get("email").and_then(FieldValue::as_str) {
        let e = FieldValue::Text(e.trim().to_ascii_lowercase());
        set(r, "email", e);
    }
    if r.get("role").is_none_or(FieldValue::is_null) {
        let role = ["Title", "Department"]
            .iter()
            .find_map(|f| row.text(f).and_then(|t| canon::person_role(&t)));
        set(r, "role", text(role));
    }
}

fn contact(r: &mut Record) {
    let get = |f: &str| {
        r.get(f)
            .and_then(FieldValue::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let role = canon::contact_role(&get("role"), &get("title"));
    if let Some(role) = role {
        set(r, "role", FieldValue::Text(role));
    }
}

fn renewal(r: &mut Record, row: &Row<'_>) {
    ended(r, row);
    if let Some(word) = r.get("forecast").and_then(FieldValue::as_str) {
        let f = text(canon::forecast(word));
        set(r, "forecast", f);
    }
}

/// A chance to sell an existing customer more: what renewals have as well, and where it came from.
fn opportunity(r: &mut Record, row: &Row<'_>) {
    ended(r, row);
    let said = |field: &str| row.filled(field).map_or(FieldValue::Null, FieldValue::Text);
    set(r, "kind", said("Type"));
    set(r, "origin", said("LeadSource"));
    let created = row.text("CreatedDate").and_then(|t| instant(&t));
    let created = created.map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).date());
    set(
        r,
        "created",
        created.map_or(FieldValue::Null, FieldValue::Date),
    );
}

/// Whether a deal is open, won or lost, and the day on which it closed.
fn ended(r: &mut Record, row: &Row<'_>) {
    let kind = match (row.bool("IsClosed"), row.bool("IsWon")) {
        (Some(true), Some(true)) => "won",
        (Some(true), _) => "lost",
        _ => "open",
    };
    set(r, "stage_kind", text(Some(kind)));
    let day = if kind == "open" {
        FieldValue::Null
    } else {
        r.get("due").cloned().unwrap_or_default()
    };
    set(r, "closed", day);
}

/// Owners that are queues are nobody; an activity belongs to an account through its account or through what it is about.
fn activity(r: &mut Record, row: &Row<'_>) {
    queue_owner(r);
    if r.get("account").is_none_or(FieldValue::is_null)
        && let Some(what) = row.filled("WhatId").filter(|w| w.starts_with("001"))
    {
        set(r, "account", FieldValue::Ref(what));
    }
    if r.get("contact")
        .and_then(FieldValue::as_str)
        .is_some_and(|w| !w.starts_with("003"))
    {
        set(r, "contact", FieldValue::Null);
    }
}

fn queue_owner(r: &mut Record) {
    for field in ["owner", "author"] {
        if r.get(field)
            .and_then(FieldValue::as_str)
            .is_some_and(|o| o.starts_with("00G"))
        {
            set(r, field, FieldValue::Null);
        }
    }
}

fn task(r: &mut Record, row: &Row<'_>) {
    let word = |f: &str| {
        r.get(f)
            .and_then(FieldValue::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let status = canon::task_status(&word("status"), row.bool("IsClosed"));
    let priority = canon::task_priority(&word("priority"));
    let said = row.filled("Type").or_else(|| row.filled("TaskSubtype"));
    let kind = said
        .map(|t| canon::touch_kind(&t))
        .filter(|k| matches!(*k, "call" | "email" | "meeting"))
        .unwrap_or("to_do");
    set(r, "status_kind", text(Some(status)));
    set(r, "priority_kind", text(priority));
    set(r, "kind", text(Some(kind)));
    if let Some(what) = row.filled("WhatId").filter(|w| w.starts_with("500")) {
        set(r, "escalation", FieldValue::Ref(what));
    }
}

fn touchpoint(task: &Record, id: &str, row: &Row<'_>) -> Record {
    let mut t = record(Entity::Touchpoint, id, row);
    let copy = |f: &str| task.get(f).cloned().unwrap_or_default();
    let word = row
        .filled("Type")
        .or_else(|| row.filled("TaskSubtype"))
        .unwrap_or_default();
    set(&mut t, "account", copy("account"));
    set(&mut t, "kind", text(Some(canon::touch_kind(&word))));
    set(&mut t, "subject", copy("title"));
    set(&mut t, "body", copy("description"));
    // A logged call has the day on which it was; the moment of logging comes later.
    let at = match (task.get("due"), task.get("completed_at")) {
        (Some(FieldValue::Date(d)), Some(FieldValue::Instant(c)))
            if c.to_zoned(jiff::tz::TimeZone::UTC).date() <= *d =>
        {
            FieldValue::Instant(*c)
        }
        (Some(FieldValue::Date(d)), _) => d
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map_or(FieldValue::Null, |z| FieldValue::Instant(z.timestamp())),
        (_, Some(c @ FieldValue::Instant(_))) => c.clone(),
        _ => row
            .text("CreatedDate")
            .and_then(|c| instant(&c))
            .map_or(FieldValue::Null, FieldValue::Instant),
    };
    set(&mut t, "at", at);
    set(&mut t, "author", copy("owner"));
    if let Some(who) = row.filled("WhoId").filter(|w| w.starts_with("003")) {
        set(&mut t, "contact", FieldValue::Ref(who));
    }
    t
}

fn ticket(r: &mut Record, row: &Row<'_>) {
    let word = |f: &str| {
        r.get(f)
            .and_then(FieldValue::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let status = canon::ticket_status(&word("status"), row.bool("IsClosed"));
    let priority = canon::ticket_priority(&word("priority"));
    let subject = canon::without_marker(&word("subject"));
    set(r, "status_kind", text(Some(status)));
    set(r, "priority_kind", text(priority));
    set(r, "subject", FieldValue::text(subject));
}

fn risk_base(from: &Record, id: &str, row: &Row<'_>, title: &str) -> Record {
    let mut r = record(Entity::Escalation, id, row);
    let copy = |f: &str| from.get(f).cloned().unwrap_or_default();
    let word = |f: &str| from.get(f).and_then(FieldValue::as_str).unwrap_or_default();
    set(&mut r, "account", copy("account"));
    set(&mut r, "title", copy(title));
    set(&mut r, "status", copy("status"));
    set(
        &mut r,
        "status_kind",
        text(Some(canon::risk_status(
            word("status"),
            row.bool("IsClosed"),
        ))),
    );
    set(&mut r, "priority", copy("priority"));
    set(
        &mut r,
        "priority_kind",
        text(canon::risk_priority(word("priority"))),
    );
    set(&mut r, "owner", copy("owner"));
    if row.bool("IsClosed") == Some(true) {
        set(&mut r, "outcome", text(canon::outcome(word("status"))));
    }
    r
}

fn risk_of_task(task: &Record, id: &str, row: &Row<'_>) -> Record {
    let mut r = risk_base(task, id, row, "title");
    let opened = row.text("CreatedDate").and_then(|c| instant(&c));
    set(
        &mut r,
        "opened",
        opened.map_or(FieldValue::Null, FieldValue::Instant),
    );
    set(&mut r, "due", task.get("due").cloned().unwrap_or_default());
    set(
        &mut r,
        "closed",
        task.get("completed_at").cloned().unwrap_or_default(),
    );
    set(
        &mut r,
        "comments",
        task.get("description").cloned().unwrap_or_default(),
    );
    r
}

fn risk_of_case(case: &Record, id: &str, row: &Row<'_>) -> Record {
    let mut r = risk_base(case, id, row, "subject");
    set(
        &mut r,
        "opened",
        case.get("opened").cloned().unwrap_or_default(),
    );
    set(
        &mut r,
        "closed",
        case.get("closed").cloned().unwrap_or_default(),
    );
    for (field, theirs) in [("reason", "Reason"), ("comments", "Description")] {
        if let Some(raw) = row.raw(theirs) {
            set(
                &mut r,
                field,
                convert(raw, Kind::Text, "").unwrap_or_default(),
            );
        }
    }
    r
}

/// The rows of `CurrencyType`: what one unit of each is worth in the corporate currency.
pub fn rates(rows: &[Row<'_>]) -> Mapped {
    let mut out = Mapped::default();
    let corporate = rows
        .iter()
        .find(|r| r.bool("IsCorporate") == Some(true))
        .and_then(|r| r.filled("IsoCode"));
    let Some(corporate) = corporate else {
        if !rows.is_empty() {
            out.problems.push(RowProblem {
                entity: Entity::Rate,
                external_id: None,
                reason: "no currency is marked as the corporate one; the rates were left out"
                    .into(),
            });
        }
        return out;
    };
    for row in rows {
        let Some(code) = row.filled("IsoCode") else {
            continue;
        };
        // Salesforce says how many units one corporate unit buys.
        let rate = row
            .text("ConversionRate")
            .and_then(|t| t.parse::<f64>().ok())
            .filter(|r| r.is_finite() && *r > 0.0);
        let Some(rate) = rate else {
            out.problems.push(RowProblem {
                entity: Entity::Rate,
                external_id: Some(code),
                reason: "its conversion rate is no positive number; the rate was left out".into(),
            });
            continue;
        };
        let mut r = record(Entity::Rate, &code, row);
        set(&mut r, "from", FieldValue::text(code.clone()));
        set(&mut r, "to", FieldValue::text(corporate.clone()));
        set(&mut r, "rate", FieldValue::Number(1.0 / rate));
        out.records.push(r);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::manifest::Library;

    fn mapped(plan: &Plan, kind: &str, first: bool) -> Vec<Record> {
        let manifest = Library::builtin()
            .get(super::super::KIND)
            .expect("a connector")
            .expect("a manifest");
        let spec = manifest.object("renewals").expect("a stream");
        let text = format!(
            r#"{{"Id":"006A","SystemModstamp":"2026-11-01T10:00:00.000+0000","AccountId":"001A","Name":"More seats","Amount":300.5,
            "CloseDate":"2026-03-01","StageName":"Closed Won","IsClosed":true,"IsWon":true,"Type":"{kind}","LeadSource":"CSQL",
            "ForecastCategoryName":"Closed","CreatedDate":"2026-01-05T23:30:00.000+0000"}}"#
        );
        let raw: Box<serde_json::value::RawValue> = serde_json::from_str(&text).expect("JSON");
        let row = Row::parse(&raw).expect("an object");
        let out = map(spec, plan, &RiskRule::default(), &row, first);
        assert!(out.problems.is_empty(), "{:?}", out.problems);
        out.records
    }

    fn plan() -> Plan {
        let map = [
            ("account", "AccountId"),
            ("name", "Name"),
            ("due", "CloseDate"),
            ("amount", "Amount"),
            ("stage", "StageName"),
            ("forecast", "ForecastCategoryName"),
        ];
        Plan {
            map: map.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec(),
            currency: "USD".into(),
            types: vec!["Renewal".into()],
            expansion: vec!["Expansion".into()],
            ..Plan::default()
        }
    }

    #[test]
    fn an_opportunity_is_a_renewal_a_chance_to_sell_more_or_nothing_by_its_type() {
        let kinds = |kind: &str, first: bool| -> Vec<(Entity, bool)> {
            mapped(&plan(), kind, first)
                .into_iter()
                .map(|r| (r.entity, r.deleted))
                .collect()
        };
        assert_eq!(kinds("renewal", false), [(Entity::Renewal, false)]);
        assert_eq!(kinds("Expansion", true), [(Entity::Opportunity, false)]);
        assert_eq!(
            kinds("Expansion", false),
            [(Entity::Opportunity, false), (Entity::Renewal, true)]
        );
        assert_eq!(kinds("New Business", true), []);
        assert_eq!(
            kinds("New Business", false),
            [(Entity::Renewal, true), (Entity::Opportunity, true)]
        );
        let record = mapped(&plan(), "Expansion", true).remove(0);
        let got = |field: &str| record.get(field).map(ToString::to_string);
        for (field, want) in [
            ("stage_kind", "won"),
            ("kind", "Expansion"),
            ("origin", "CSQL"),
            ("created", "2026-01-05"),
            ("closed", "2026-03-01"),
            ("amount", "300.50 USD"),
        ] {
            assert_eq!(got(field).as_deref(), Some(want), "{field}");
        }
        assert_eq!(got("forecast"), None, "an opportunity has no such field");
    }
}
