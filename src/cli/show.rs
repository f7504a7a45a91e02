//! `csops show`: one account in full.

use super::args::{Global, Show};
use super::open::{How, Session, head, open, value};
use super::print::{print_json, shorten, to_json, to_text};
use super::start::{Failure, narrate};
use crate::book::registry::{self, FieldRef};
use crate::book::text::visible;
use crate::book::{AccountDetail, Entity, FieldValue, LocalId};
use crate::cockpit::Snapshot;
use crate::insight::explain;
use serde_json::{Map, Value, json};
use std::io::Write;

/// Runs it.
///
/// # Errors
/// 1 when no account, or more than one, answers to the text.
pub fn run(global: &Global, show: &Show, out: &mut dyn Write) -> Result<(), Failure> {
    let session = open(global, How::Headless)?;
    let text = show.account.join(" ");
    let id = find(&session, &text)?;
    let detail = session
        .runtime
        .block_on(session.cockpit.read_detail(id))
        .map_err(|e| Failure::failed(e.to_string()))?
        .ok_or_else(|| Failure::failed(format!("the account #{id} is gone")))?;
    let snapshot = session.cockpit.snapshot();
    if show.json {
        print_json(&document(&snapshot, &detail)?, out)?
    } else {
        print(&snapshot, &detail, out)?
    }
    Ok(())
}

/// The one account that a text names.
pub(super) fn find(session: &Session, text: &str) -> Result<LocalId, Failure> {
    let hits = session
        .runtime
        .block_on(session.cockpit.find_account(text))
        .map_err(|e| Failure::failed(e.to_string()))?;
    match hits.as_slice() {
        [one] => Ok(one.id),
        [] => Err(Failure::failed(format!(
            "no account answers to “{text}” by name, id, domain or external id"
        ))),
        several => {
            narrate(&format!(
                "“{text}” names several accounts; say which by its id:"
            ));
            for hit in several {
                narrate(&format!(
                    "  {:>8}  {}  {}",
                    hit.id.0,
                    hit.name,
                    hit.domain.as_deref().unwrap_or("")
                ));
            }
            Err(Failure::no())
        }
    }
}

/// The fields of the registry, and everything that hangs on the account.
fn document(snapshot: &Snapshot, detail: &AccountDetail) -> Result<Value, Failure> {
    let mut document = head(snapshot, "account");
    document.insert("coverage".into(), json!({"sources": detail.crosswalk.iter().map(|c| &c.source).collect::<std::collections::BTreeSet<_>>()}));
    if let Some(row) = snapshot.book.row_of(Entity::Account, detail.account.id) {
        let scope = snapshot.scope();
        let fields: Map<String, Value> = registry::fields(Entity::Account)
            .iter()
            .map(|field| {
                let field_ref = FieldRef {
                    field,
                    entity: Entity::Account,
                    of_account: false,
                };
                (
                    field.name.to_owned(),
                    to_json(&value(&field_ref, &scope, row)),
                )
            })
            .collect();
        document.insert("account".into(), Value::Object(fields));
        let why = explain(
            &snapshot.book.account(row),
            &snapshot.derived,
            snapshot.today,
            &snapshot.settings.risk,
        );
        document.insert("why".into(), json!(why));
        let reasons: Vec<String> = why
            .reasons
            .iter()
            .map(crate::insight::Reason::line)
            .collect();
        document.insert("reasons".into(), json!(reasons));
    }
    let extra: Map<String, Value> = detail
        .extra
        .iter()
        .map(|(k, v)| (k.clone(), to_json(v)))
        .collect();
    document.insert("extra".into(), Value::Object(extra));
    macro_rules! rows {
        ($name:literal, $rows:expr, $ty:ty) => {
            let rows: Vec<Value> = $rows
                .iter()
                .map(|r| {
                    let mut object = Map::new();
                    object.insert("id".into(), json!(r.id.0));
                    for field in <$ty>::FIELDS {
                        let shown = r
                            .get(field)
                            .map_or(FieldValue::Null, |v| named(detail, field, v));
                        object.insert((*field).to_owned(), to_json(&shown));
                    }
                    Value::Object(object)
                })
                .collect();
            document.insert($name.into(), Value::Array(rows));
        };
    }
    use crate::book::{
        Contact, Escalation, Movement, Opportunity, Renewal, Signal, Subscription, Task, Ticket,
        Touchpoint,
    };
    rows!("subscriptions", detail.subscriptions, Subscription);
    rows!("movements", detail.movements, Movement);
    rows!("renewals", detail.renewals, Renewal);
    rows!("opportunities", detail.opportunities, Opportunity);
    rows!("tasks", detail.tasks, Task);
    rows!("tickets", detail.tickets, Ticket);
    rows!("escalations", detail.escalations, Escalation);
    rows!("contacts", detail.contacts, Contact);
    rows!("touchpoints", detail.touchpoints, Touchpoint);
    rows!("signals", detail.signals, Signal);
    let provenance: Vec<Value> = detail
        .provenance
        .iter()
        .map(|p| {
            let losers: Map<String, Value> = p.losers.iter().map(|(s, v)| (s.to_string(), to_json(v))).collect();
            json!({"field": p.field, "source": p.source, "at": p.at.map(|t| t.to_string()), "others": losers})
        })
        .collect();
    document.insert("provenance".into(), Value::Array(provenance));
    document.insert("crosswalk".into(), json!(detail.crosswalk));
    document.insert("unmatched".into(), json!(detail.unmatched));
    Ok(Value::Object(document))
}

/// People by name instead of by number.
fn named(detail: &AccountDetail, field: &str, value: FieldValue) -> FieldValue {
    match (&value, field) {
        (FieldValue::Id(id), "owner" | "csm" | "author") => detail
            .people
            .iter()
            .find(|p| p.id == *id)
            .map_or(value, |p| FieldValue::text(p.name.clone())),
        (FieldValue::Id(id), "contact") => detail
            .contacts
            .iter()
            .find(|c| c.id == *id)
            .map_or(value, |c| FieldValue::text(c.name.clone())),
        _ => value,
    }
}

fn print(snapshot: &Snapshot, detail: &AccountDetail, out: &mut dyn Write) -> Result<(), Failure> {
    let a = &detail.account;
    writeln!(out, "{}  #{}", visible(&a.name), a.id)?;
    if let Some(row) = snapshot.book.row_of(Entity::Account, a.id) {
        let scope = snapshot.scope();
        for field in registry::fields(Entity::Account) {
            let field_ref = FieldRef {
                field,
                entity: Entity::Account,
                of_account: false,
            };
            let shown = value(&field_ref, &scope, row);
            if shown.is_null() || matches!(field.name, "id" | "name") {
                continue;
            }
            let from = detail
                .provenance
                .iter()
                .find(|p| p.field == field.name)
                .map_or(String::new(), |p| format!("   {}", p.source));
            writeln!(
                out,
                "  {:<16} {}{from}",
                field.title.to_lowercase(),
                to_text(&shown)
            )?;
        }
        let why = explain(
            &snapshot.book.account(row),
            &snapshot.derived,
            snapshot.today,
            &snapshot.settings.risk,
        );
        writeln!(out, "\nwhy\n  {}", visible(&why.membership))?;
        for reason in &why.reasons {
            writeln!(out, "  {}", reason.line())?;
        }
        if let Some(good) = &why.speaks_for {
            writeln!(out, "  but {}", good.line())?;
        }
        writeln!(out, "\nhealth by csops' model")?;
        for step in &why.health {
            let line = format!("{:<14} {:>10}  {}", step.label, step.value, step.note);
            writeln!(out, "  {}", visible(&line))?;
        }
    }
    let day = |d: Option<jiff::civil::Date>| d.map_or("–".into(), |d| d.to_string());
    let mut section = |title: &str, lines: Vec<String>| -> Result<(), Failure> {
        if !lines.is_empty() {
            writeln!(out, "\n{title}")?;
            for line in lines {
                writeln!(out, "  {}", shorten(&visible(&line), 110))?;
            }
        }
        Ok(())
    };
    let word = |s: &Option<String>| s.clone().unwrap_or_default();
    section(
        "renewals",
        detail
            .renewals
            .iter()
            .map(|r| {
                format!(
                    "{}  {:<12} {:<10} {}  {}",
                    day(r.due),
                    r.amount.map_or("–".into(), |m| m.to_string()),
                    word(&r.forecast),
                    word(&r.stage),
                    r.name
                )
            })
            .collect(),
    )?;
    section(
        "opportunities",
        detail
            .opportunities
            .iter()
            .map(|o| {
                format!(
                    "{}  {:<12} {:<10} {}  {}",
                    day(o.closed.or(o.due)),
                    o.amount.map_or("–".into(), |m| m.to_string()),
                    word(&o.kind),
                    word(&o.stage),
                    o.name
                )
            })
            .collect(),
    )?;
    section(
        "subscriptions",
        detail
            .subscriptions
            .iter()
            .map(|s| {
                format!(
                    "{} – {}  {:<16} {:<10} {}  {}",
                    day(s.start),
                    day(s.end),
                    s.arr.map_or("–".into(), |m| m.to_string()),
                    word(&s.change),
                    word(&s.line),
                    word(&s.product)
                )
            })
            .collect(),
    )?;
    section(
        "movements",
        detail
            .movements
            .iter()
            .map(|m| {
                format!(
                    "{}  {:<12} {:<16} {}  {}",
                    day(m.date),
                    word(&m.kind),
                    m.amount.map_or("–".into(), |a| a.to_string()),
                    word(&m.line),
                    word(&m.reason)
                )
            })
            .collect(),
    )?;
    section(
        "risks",
        detail
            .escalations
            .iter()
            .map(|e| {
                format!(
                    "{:<14} {:<8} {}  {}",
                    word(&e.status),
                    word(&e.priority),
                    e.title,
                    word(&e.reason)
                )
            })
            .collect(),
    )?;
    section(
        "tasks",
        detail
            .tasks
            .iter()
            .take(15)
            .map(|t| format!("{}  {:<12} {}", day(t.due), word(&t.status), t.title))
            .collect(),
    )?;
    section(
        "tickets",
        detail
            .tickets
            .iter()
            .take(10)
            .map(|t| {
                format!(
                    "{:<8} {:<8} {}",
                    word(&t.status),
                    word(&t.priority),
                    t.subject
                )
            })
            .collect(),
    )?;
    section(
        "contacts",
        detail
            .contacts
            .iter()
            .map(|c| format!("{}  {}  {}", c.name, word(&c.title), word(&c.email)))
            .collect(),
    )?;
    section(
        "timeline",
        detail
            .touchpoints
            .iter()
            .take(15)
            .map(|t| {
                format!(
                    "{}  {:<8} {}",
                    t.at.map_or("–".into(), |t| t
                        .to_zoned(snapshot.zone.clone())
                        .date()
                        .to_string()),
                    word(&t.kind),
                    t.subject
                )
            })
            .collect(),
    )?;
    section(
        "records",
        detail
            .crosswalk
            .iter()
            .filter(|c| c.entity == Entity::Account)
            .map(|c| format!("{}: {} ({:?})", c.source, c.external_id, c.how))
            .collect(),
    )?;
    Ok(())
}
