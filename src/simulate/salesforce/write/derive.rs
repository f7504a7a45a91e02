//! What the org fills in by itself when a record is kept.

use super::super::catalog::{FORECASTS, STAGES};
use super::super::error::Failure;
use super::super::fill::health_status;
use super::super::schema::Object;
use super::super::table::Store;
use super::super::value::{Row, Value, zoned};
use jiff::ToSpan;
use std::collections::HashSet;

/// What follows from the rest of a record. Answers the text of a comment to add to a case.
pub fn derive(
    store: &Store,
    definition: &Object,
    row: &mut Row,
    before: Option<&Row>,
    given: &HashSet<usize>,
    now: i64,
) -> Result<Option<String>, Failure> {
    let place = |name: &str| definition.field(name).unwrap_or(0);
    let has = |name: &str| given.contains(&place(name));
    let text = |row: &Row, name: &str| match &row[place(name)] {
        Value::Text(text) => text.to_string(),
        _ => String::new(),
    };
    let changed =
        |row: &Row, name: &str| before.is_none_or(|before| before[place(name)] != row[place(name)]);
    match definition.name {
        "Opportunity" => {
            let name = text(row, "StageName");
            if let Some(stage) = STAGES.iter().find(|stage| stage.0 == name)
                && changed(row, "StageName")
            {
                if !has("Probability") || row[place("Probability")].is_null() {
                    row[place("Probability")] = Value::Num(f64::from(stage.1));
                }
                if !has("ForecastCategoryName") || row[place("ForecastCategoryName")].is_null() {
                    row[place("ForecastCategoryName")] = Value::text(stage.2);
                }
                row[place("IsClosed")] = Value::Bool(stage.3);
                row[place("IsWon")] = Value::Bool(stage.4);
                row[place("LastStageChangeDate")] = Value::Time(now);
            }
            let forecast = text(row, "ForecastCategoryName");
            let api = FORECASTS
                .iter()
                .find(|known| known.0 == forecast)
                .map_or("Pipeline", |known| known.1);
            row[place("ForecastCategory")] = Value::text(api);
            row[place("ExpectedRevenue")] = match (
                row[place("Amount")].number(),
                row[place("Probability")].number(),
            ) {
                (Some(amount), Some(probability)) => {
                    Value::Num((amount * probability).round() / 100.0)
                }
                _ => Value::Null,
            };
            if let Value::Date(close) = row[place("CloseDate")] {
                let quarter = i64::from(close.month() - 1) / 3 + 1;
                row[place("FiscalQuarter")] = Value::Int(quarter);
                row[place("FiscalYear")] = Value::Int(i64::from(close.year()));
                row[place("Fiscal")] = Value::text(&format!("{} {quarter}", close.year()));
            }
        }
        "Task" => {
            let done = text(row, "Status") == "Completed";
            row[place("IsClosed")] = Value::Bool(done);
            row[place("IsHighPriority")] = Value::Bool(text(row, "Priority") == "High");
            if !done {
                row[place("CompletedDateTime")] = Value::Null;
            } else if row[place("CompletedDateTime")].is_null() {
                row[place("CompletedDateTime")] = Value::Time(now / 1000 * 1000);
            }
            row[place("AccountId")] = activity_account(store, definition, row);
        }
        "Event" => {
            let times = ["StartDateTime", "ActivityDateTime"];
            if let Some(given) = times.iter().find(|name| has(name)) {
                let start = row[place(given)].clone();
                for name in times {
                    row[place(name)] = start.clone();
                }
            }
            match &row[place("StartDateTime")] {
                Value::Time(start) => {
                    let start = *start;
                    row[place("ActivityDate")] = Value::Date(zoned(start).date());
                    match (&row[place("EndDateTime")], &row[place("DurationInMinutes")]) {
                        (Value::Time(end), _) if has("EndDateTime") => {
                            if *end < start {
                                return Err(Failure::new(
                                    400,
                                    "FIELD_INTEGRITY_EXCEPTION",
                                    "Event end must not be before its start",
                                )
                                .about(&["EndDateTime"]));
                            }
                            row[place("DurationInMinutes")] = Value::Int((*end - start) / 60_000);
                        }
                        (_, Value::Int(minutes)) => {
                            row[place("EndDateTime")] = Value::Time(start + *minutes * 60_000)
                        }
                        _ => return Err(missing(&["DurationInMinutes"])),
                    }
                }
                _ if row[place("IsAllDayEvent")] == Value::Bool(true)
                    && !row[place("ActivityDate")].is_null() => {}
                _ => return Err(missing(&["DurationInMinutes", "ActivityDateTime"])),
            }
            row[place("AccountId")] = activity_account(store, definition, row);
        }
        "Case" => {
            let closed = text(row, "Status") == "Closed";
            row[place("IsClosed")] = Value::Bool(closed);
            if !closed {
                row[place("ClosedDate")] = Value::Null;
            } else if row[place("ClosedDate")].is_null() {
                row[place("ClosedDate")] = Value::Time(now / 1000 * 1000);
            }
            let comment = text(row, "Comments");
            row[place("Comments")] = Value::Null;
            if !comment.is_empty() {
                return Ok(Some(comment));
            }
        }
        "Contact" => {
            let name = format!("{} {}", text(row, "FirstName"), text(row, "LastName"));
            row[place("Name")] = Value::text(name.trim());
        }
        "Account" => {
            row[place("Health_Status__c")] = row[place("Health__c")]
                .number()
                .map_or(Value::Null, |score| Value::text(health_status(score)));
        }
        "Contract" => {
            if let (Value::Date(start), Value::Int(months), true) = (
                &row[place("StartDate")],
                &row[place("ContractTerm")],
                has("StartDate") || has("ContractTerm"),
            ) {
                row[place("EndDate")] = Value::Date(
                    start
                        .saturating_add(i64::clamp(*months, 0, 1200).months())
                        .saturating_sub(1.day()),
                );
            }
        }
        _ => {}
    }
    Ok(None)
}

pub(super) fn missing(fields: &[&str]) -> Failure {
    Failure::new(
        400,
        "REQUIRED_FIELD_MISSING",
        format!("Required fields are missing: [{}]", fields.join(", ")),
    )
    .about(fields)
}

/// The account that an activity belongs to: by what it is about, else by whom.
pub(super) fn activity_account(store: &Store, definition: &Object, row: &Row) -> Value {
    for name in ["WhatId", "WhoId"] {
        if let Some(Value::Id(id)) = definition.field(name).map(|field| &row[field]) {
            let object = store.schema.object(id.object);
            if object.name == "Account" {
                return Value::Id(*id);
            }
            if let Some(field) = object.field("AccountId") {
                return store.get(*id, field);
            }
        }
    }
    Value::Null
}
