//! What a row of each kind needs once its cells are read: canonical kinds beside the words, names where none is given, and the few rules
//! that go over one cell.

use super::kinds::FileKind;
use crate::book::{FieldValue, Record};
use crate::connect::canon;

/// The first year of which anybody has numbers about a customer.
const FIRST_YEAR: i16 = 1970;

/// Completes a row. The error names one of our columns and says what is wrong with it.
pub(super) fn finish(kind: FileKind, record: &mut Record) -> Result<(), (&'static str, String)> {
    match kind {
        FileKind::Accounts => {
            name_it(record, "name", &[]);
            canon::settle_account(record);
        }
        FileKind::People => name_it(record, "name", &[]),
        FileKind::Subscriptions => {}
        FileKind::Movements => {
            let negative =
                matches!(record.get("amount"), Some(FieldValue::Money(m)) if m.minor < 0);
            if negative && text(record, "kind") != Some("price") {
                return Err((
                    "amount",
                    "is negative: the type says the direction, only a price has a sign".into(),
                ));
            }
        }
        FileKind::Renewals => renewal(record)?,
        FileKind::Opportunities => {
            name_it(record, "name", &["kind"]);
            ended(record);
        }
        FileKind::Tasks => {
            let status = canon::task_status(text(record, "status").unwrap_or(""), None);
            let priority = text(record, "priority").and_then(canon::task_priority);
            put(record, "status_kind", Some(status));
            put(record, "priority_kind", priority);
        }
        FileKind::Signals => {
            if record.get("value").is_none() && record.get("text").is_none() {
                return Err((
                    "value",
                    "is empty, and there is no text that says something instead".into(),
                ));
            }
            // A series is read by its newest days: an impossible one would lie in it unseen.
            if let Some(FieldValue::Date(at)) = record.get("at")
                && at.year() < FIRST_YEAR
            {
                return Err((
                    "at",
                    format!("is {at}, an impossible date: before {FIRST_YEAR}"),
                ));
            }
        }
        FileKind::Escalations => escalation(record),
        FileKind::Rates => {
            if !matches!(record.get("rate"), Some(FieldValue::Number(n)) if *n > 0.0) {
                return Err(("rate", "is not above zero".into()));
            }
        }
    }
    Ok(())
}

fn text<'a>(record: &'a Record, field: &str) -> Option<&'a str> {
    record.get(field).and_then(FieldValue::as_str)
}

fn put(record: &mut Record, field: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        record
            .fields
            .push((field.into(), FieldValue::Text(value.to_owned())));
    }
}

/// A name for a row that has none: the first of these fields, else what names the row.
fn name_it(record: &mut Record, field: &'static str, from: &[&str]) {
    if text(record, field).is_some() {
        return;
    }
    let name = from
        .iter()
        .find_map(|f| text(record, f))
        .unwrap_or(&record.external_id)
        .to_owned();
    put(record, field, Some(&name));
}

fn renewal(record: &mut Record) -> Result<(), (&'static str, String)> {
    if text(record, "name").is_none() {
        let account = text(record, "account").unwrap_or("");
        let line = text(record, "line").map_or(String::new(), |l| format!(", {l}"));
        let name = format!("Renewal of {account}{line}");
        put(record, "name", Some(&name));
    }
    if let Some(word) = text(record, "forecast") {
        let Some(known) = canon::forecast(word) else {
            return Err((
                "forecast",
                "is none of omitted, pipeline, best, most_likely, commit, closed".into(),
            ));
        };
        record.fields.retain(|(n, _)| n != "forecast");
        put(record, "forecast", Some(known));
    }
    ended(record);
    // What was signed takes the place of what was expected.
    if text(record, "stage_kind") == Some("won")
        && let Some(signed) = record
            .get("closed_amount")
            .filter(|v| !v.is_null())
            .cloned()
    {
        record.fields.retain(|(n, _)| n != "amount");
        record.fields.push(("amount".into(), signed));
    }
    Ok(())
}

/// Whether a deal is open, won or lost, by the words of its outcome and stage; nothing when it is closed and nobody said how.
fn ended(record: &mut Record) {
    let words =
        [text(record, "outcome"), text(record, "stage")].map(|w| w.unwrap_or("").to_lowercase());
    let says = |any: &[&str]| words.iter().any(|w| any.iter().any(|a| w.contains(a)));
    let kind = if says(&["lost", "churn"]) {
        Some("lost")
    } else if says(&["won", "renewed"]) {
        Some("won")
    } else if record.get("closed").is_none() {
        Some("open")
    } else {
        // Closed, and nobody said how.
        None
    };
    put(record, "stage_kind", kind);
}

fn escalation(record: &mut Record) {
    name_it(record, "title", &["x.kind", "reason"]);
    let closed = record.get("closed").map(|_| true);
    let status = canon::risk_status(text(record, "status").unwrap_or(""), closed);
    let priority = text(record, "priority").and_then(canon::risk_priority);
    let outcome = text(record, "outcome").and_then(canon::outcome);
    put(record, "status_kind", Some(status));
    put(record, "priority_kind", priority);
    if let Some(outcome) = outcome {
        record.fields.retain(|(n, _)| n != "outcome");
        put(record, "outcome", Some(outcome));
    }
}
