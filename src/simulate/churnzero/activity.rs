//! The entity sets about what runs and what happens: events (weekly usage, touchpoints), tasks, scores, survey answers, and
//! two sets that only this tenant has: the tickets of its help desk and its list of renewals.

use std::ops::Range;

use serde_json::Value;

use super::catalog::{
    ACCOUNT, CONTACT, EVENT, EVENT_TYPE, EVENT_TYPES, RENEWAL, STAMPS, SURVEY_RESPONSE, TASK,
    TICKET, USER_ACCOUNT, account_external, currency, id, key, owner_name, row_of, seen, stamped,
};
use crate::simulate::labels;
use crate::simulate::overlay::{
    Kind, Overlay, Table, derived, fixed, iso_day, nothing, number, of, text, when,
};
use crate::simulate::world::{Stage, TaskStatus, TouchKind, Touchpoint, WEEKS, World, day_number};

/// Kinds of usage events.
const USAGE: u32 = 3;

/// How many rows of events are usage: for each account, kind and week one.
fn usage_rows(world: &World) -> u32 {
    world.accounts.len() as u32 * USAGE * WEEKS as u32
}

/// The account, kind and week of a usage event.
fn usage_of(world: &World, row: u32) -> Option<(u32, usize, usize)> {
    if row >= usage_rows(world) {
        return None;
    }
    let (weeks, per_account) = (WEEKS as u32, USAGE * WEEKS as u32);
    let within = row % per_account;
    Some((
        row / per_account,
        (within / weeks) as usize,
        (within % weeks) as usize,
    ))
}

fn touch_of(world: &World, row: u32) -> Option<(u32, &Touchpoint)> {
    let place = row.checked_sub(usage_rows(world))?;
    Some((place, world.touchpoints.get(place as usize)?))
}

fn kind_of(world: &World, row: u32) -> u32 {
    match usage_of(world, row) {
        Some((_, kind, _)) => kind as u32,
        None => touch_of(world, row).map_or(0, |(_, touch)| {
            USAGE
                + match touch.kind {
                    TouchKind::Call => 0,
                    TouchKind::Meeting => 1,
                    TouchKind::Email => 2,
                    TouchKind::Update => 3,
                    TouchKind::Review => 4,
                }
        }),
    }
}

fn event_account(world: &World, row: u32) -> u32 {
    match usage_of(world, row) {
        Some((account, _, _)) => account,
        None => touch_of(world, row).map_or(u32::MAX, |(_, touch)| touch.account),
    }
}

fn event_second(world: &World, row: u32) -> i64 {
    match usage_of(world, row) {
        Some((_, _, week)) => day_number(world.week_start(week)) * 86_400,
        None => touch_of(world, row).map_or(0, |(_, touch)| touch.at),
    }
}

pub(super) fn events() -> Table {
    let fields = vec![
        key(),
        when!("EventDate", event_second),
        fixed("EventTypeId", Kind::Row(EVENT_TYPE), |w, r| {
            id(EVENT_TYPE, kind_of(w, r))
        }),
        derived("EventTypeName", Kind::Text, |o, r| {
            o.named(EVENT, r, "EventTypeId")
                .as_i64()
                .and_then(|id| row_of(EVENT_TYPE, id))
                .map_or(Value::Null, |row| o.named(EVENT_TYPE, row, "Name"))
        }),
        fixed("Quantity", Kind::Decimal, |w, r| match usage_of(w, r) {
            Some((account, kind, week)) => {
                w.usage(account, week)
                    .map_or(Value::Null, |usage| match kind {
                        0 => Value::from(usage.active_users),
                        1 => Value::from(usage.logins),
                        _ => Value::from(usage.adoption),
                    })
            }
            None => Value::from(1),
        }),
        fixed("Description", Kind::Text, |w, r| match touch_of(w, r) {
            Some((place, _)) => Value::String(format!(
                "{}: {}",
                w.touch_subject(place),
                w.touch_notes(place)
            )),
            None => Value::Null,
        }),
        fixed("AccountId", Kind::Row(ACCOUNT), |w, r| {
            id(ACCOUNT, event_account(w, r))
        }),
        derived("AccountExternalId", Kind::Text, |o, r| {
            account_external(o, EVENT, r)
        }),
        fixed("ContactExternalId", Kind::Text, |w, r| {
            touch_of(w, r)
                .and_then(|(_, touch)| touch.contact)
                .map_or(Value::Null, |contact| {
                    Value::String(format!("person-{contact:07}"))
                })
        }),
    ];
    Table {
        name: "Event",
        fields: stamped(
            fields,
            when!("ObjectCreatedDate", event_second),
            when!("ObjectModifiedDate", event_second),
        ),
        rows: |w| usage_rows(w) + w.touchpoints.len() as u32,
        seen: |w, r| match usage_of(w, r) {
            Some((account, _, week)) => seen(w, account) && w.usage(account, week).is_some(),
            None => touch_of(w, r)
                .is_some_and(|(_, touch)| touch.in_gainsight && seen(w, touch.account)),
        },
        account: Some(event_account),
        stamps: STAMPS,
    }
}

/// The rows of events and of calculations that belong to an account.
pub(super) fn ranges(table: usize, world: &World, account: u32) -> Vec<Range<u32>> {
    let weeks = WEEKS as u32;
    if account as usize >= world.accounts.len() {
        return Vec::new();
    }
    if table != EVENT {
        return std::iter::once(account * weeks..(account + 1) * weeks).collect();
    }
    let touch = |past: bool| {
        let before = |row: &Touchpoint| row.account < account || (past && row.account == account);
        usage_rows(world) + world.touchpoints.partition_point(before) as u32
    };
    vec![
        account * USAGE * weeks..(account + 1) * USAGE * weeks,
        touch(false)..touch(true),
    ]
}

/// The row of a usage event of the week that runs: what is heard later in the week replaces what was heard before.
pub(super) fn usage_row(world: &World, account: u32, kind: u32, week: jiff::civil::Date) -> u32 {
    let weeks = (day_number(week) - day_number(world.week_start(0))).div_euclid(7);
    let accounts = world.accounts.len() as i64;
    if (0..WEEKS as i64).contains(&weeks) {
        return (account * USAGE + kind) * WEEKS as u32 + weeks as u32;
    }
    let later = (weeks - WEEKS as i64).max(0);
    let place = (later * accounts + i64::from(account)) * i64::from(USAGE) + i64::from(kind);
    crate::simulate::overlay::live_row(place as u64)
}

pub(super) fn tasks() -> Table {
    let fields = vec![
        key(),
        fixed("Name", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| text(&t.subject))
        }),
        fixed("Description", Kind::Text, nothing),
        fixed("DueDate", Kind::Instant, |w, r| {
            of(&w.tasks, r, |t| t.due.map_or(Value::Null, iso_day))
        }),
        fixed("StatusName", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| {
                text(match t.status {
                    TaskStatus::NotStarted | TaskStatus::Deferred => "Open",
                    TaskStatus::InProgress | TaskStatus::Waiting => "In Progress",
                    TaskStatus::Completed => "Complete",
                })
            })
        }),
        fixed("TypeName", Kind::Text, |_, _| text("To Do")),
        fixed("PriorityName", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| text(labels::priority(t.priority)))
        }),
        fixed("AccountId", Kind::Row(ACCOUNT), |w, r| {
            of(&w.tasks, r, |t| id(ACCOUNT, t.account))
        }),
        derived("AccountExternalId", Kind::Text, |o, r| {
            account_external(o, TASK, r)
        }),
        fixed("ContactId", Kind::Row(CONTACT), |w, r| {
            of(&w.tasks, r, |t| {
                t.contact.map_or(Value::Null, |row| id(CONTACT, row))
            })
        }),
        fixed("OwnerUserAccountId", Kind::Row(USER_ACCOUNT), |w, r| {
            of(&w.tasks, r, |t| id(USER_ACCOUNT, t.owner))
        }),
        derived("OwnerUserAccountName", Kind::Text, |o, r| {
            owner_name(o, TASK, r)
        }),
        fixed("CompletedDate", Kind::Instant, |w, r| {
            of(&w.tasks, r, |t| {
                t.completed
                    .map_or(Value::Null, crate::simulate::overlay::iso_second)
            })
        }),
    ];
    Table {
        name: "Task",
        fields: stamped(
            fields,
            when!("ObjectCreatedDate", |w, r| w
                .tasks
                .get(r as usize)
                .map_or(0, |t| t.created)),
            when!("ObjectModifiedDate", |w, r| w
                .tasks
                .get(r as usize)
                .map_or(0, |t| t.modified)),
        ),
        rows: |w| w.tasks.len() as u32,
        seen: |w, r| w.tasks.get(r as usize).is_some_and(|t| seen(w, t.account)),
        account: Some(|w, r| w.tasks[r as usize].account),
        stamps: STAMPS,
    }
}

/// The day after a week, when its score was worked out.
fn calculated(world: &World, row: u32) -> i64 {
    (day_number(world.week_start(row as usize % WEEKS)) + 7) * 86_400
}

fn weekly_score(world: &World, row: u32) -> Option<u8> {
    world.health(row / WEEKS as u32, row as usize % WEEKS)
}

/// One score for each account and week; the higher, the more risk.
pub(super) fn calculations() -> Table {
    let fields = vec![
        key(),
        fixed("Score", Kind::Int, |w, r| {
            weekly_score(w, r).map_or(Value::Null, |score| Value::from(100 - u32::from(score)))
        }),
        when!("CalculationDay", calculated),
        fixed("IsPrimary", Kind::Bool, |_, _| Value::Bool(true)),
        fixed("ChurnScoreId", Kind::Int, |_, _| id(0, 0)),
        fixed("AccountId", Kind::Row(ACCOUNT), |_, r| {
            id(ACCOUNT, r / WEEKS as u32)
        }),
    ];
    Table {
        name: "ChurnScoreCalculation",
        fields: stamped(
            fields,
            when!("ObjectCreatedDate", calculated),
            when!("ObjectModifiedDate", calculated),
        ),
        rows: |w| w.accounts.len() as u32 * WEEKS as u32,
        seen: |w, r| seen(w, r / WEEKS as u32) && weekly_score(w, r).is_some(),
        account: Some(|_, r| r / WEEKS as u32),
        stamps: STAMPS,
    }
}

/// How the only factor of the score stands now.
pub(super) fn factor_calculations() -> Table {
    let fields = vec![
        key(),
        fixed("ChurnScoreFactorId", Kind::Int, |_, _| id(0, 0)),
        fixed("AccountId", Kind::Row(ACCOUNT), |_, r| id(ACCOUNT, r)),
        fixed("Value", Kind::Int, |w, r| {
            w.usage(r, WEEKS - 1).map_or(Value::Null, |usage| {
                Value::from(100 - u32::from(usage.adoption).min(100))
            })
        }),
    ];
    Table {
        name: "ChurnScoreFactorCalculation",
        fields: stamped(
            fields,
            fixed("ObjectCreatedDate", Kind::Instant, nothing),
            fixed("ObjectModifiedDate", Kind::Instant, nothing),
        ),
        rows: |w| w.accounts.len() as u32,
        seen,
        account: Some(|_, r| r),
        stamps: STAMPS,
    }
}

pub(super) fn survey_responses() -> Table {
    let fields = vec![
        key(),
        fixed("SurveyId", Kind::Int, |_, _| id(0, 0)),
        fixed("AccountId", Kind::Row(ACCOUNT), |w, r| {
            of(&w.surveys, r, |s| id(ACCOUNT, s.account))
        }),
        derived("AccountExternalId", Kind::Text, |o, r| {
            account_external(o, SURVEY_RESPONSE, r)
        }),
        fixed("ContactId", Kind::Row(CONTACT), |w, r| {
            of(&w.surveys, r, |s| {
                s.contact.map_or(Value::Null, |row| id(CONTACT, row))
            })
        }),
        fixed("Score", Kind::Int, |w, r| {
            of(&w.surveys, r, |s| Value::from(s.score))
        }),
        fixed("Comment", Kind::Text, |w, r| text(w.survey_comment(r))),
        when!("ResponseDate", |w, r| w
            .surveys
            .get(r as usize)
            .map_or(0, |s| s.at)),
    ];
    Table {
        name: "SurveyResponse",
        fields: stamped(
            fields,
            when!("ObjectCreatedDate", |w, r| w
                .surveys
                .get(r as usize)
                .map_or(0, |s| s.at)),
            when!("ObjectModifiedDate", |w, r| w
                .surveys
                .get(r as usize)
                .map_or(0, |s| s.at)),
        ),
        rows: |w| w.surveys.len() as u32,
        seen: |w, r| {
            w.surveys
                .get(r as usize)
                .is_some_and(|s| seen(w, s.account))
        },
        account: Some(|w, r| w.surveys[r as usize].account),
        stamps: STAMPS,
    }
}

/// The tickets that the tenant's help desk writes; this set and the next are not in every tenant.
pub(super) fn tickets() -> Table {
    let fields = vec![
        key(),
        fixed("AccountId", Kind::Row(ACCOUNT), |w, r| {
            of(&w.cases, r, |c| id(ACCOUNT, c.account))
        }),
        derived("AccountExternalId", Kind::Text, |o, r| {
            account_external(o, TICKET, r)
        }),
        fixed("ContactId", Kind::Row(CONTACT), |w, r| {
            of(&w.cases, r, |c| {
                c.contact.map_or(Value::Null, |row| id(CONTACT, row))
            })
        }),
        fixed("Subject", Kind::Text, |w, r| text(w.case_subject(r))),
        fixed("Status", Kind::Text, |w, r| {
            of(&w.cases, r, |c| text(labels::ticket_status(c.status)))
        }),
        fixed("Priority", Kind::Text, |w, r| {
            of(&w.cases, r, |c| text(labels::severity(c.severity)))
        }),
        when!("CreatedDate", |w, r| w
            .cases
            .get(r as usize)
            .map_or(0, |c| c.opened)),
        fixed("ClosedDate", Kind::Instant, |w, r| {
            of(&w.cases, r, |c| {
                c.closed
                    .map_or(Value::Null, crate::simulate::overlay::iso_second)
            })
        }),
    ];
    Table {
        name: "ZendeskTicket",
        fields: stamped(
            fields,
            when!("ObjectCreatedDate", |w, r| w
                .cases
                .get(r as usize)
                .map_or(0, |c| c.opened)),
            when!("ObjectModifiedDate", |w, r| w
                .cases
                .get(r as usize)
                .map_or(0, |c| c.modified)),
        ),
        rows: |w| w.cases.len() as u32,
        seen: |w, r| w.cases.get(r as usize).is_some_and(|c| seen(w, c.account)),
        account: Some(|w, r| w.cases[r as usize].account),
        stamps: STAMPS,
    }
}

pub(super) fn renewals() -> Table {
    let fields = vec![
        key(),
        fixed("AccountId", Kind::Row(ACCOUNT), |w, r| {
            of(&w.renewals, r, |row| id(ACCOUNT, row.account))
        }),
        derived("AccountExternalId", Kind::Text, |o, r| {
            account_external(o, RENEWAL, r)
        }),
        fixed("Name", Kind::Text, |w, r| {
            of(&w.renewals, r, |row| {
                Value::String(format!("Renewal {}", row.original_due.year()))
            })
        }),
        fixed("RenewalDate", Kind::Instant, |w, r| {
            of(&w.renewals, r, |row| row.due.map_or(Value::Null, iso_day))
        }),
        fixed("NoticeDeadline", Kind::Instant, |w, r| {
            of(&w.renewals, r, |row| {
                row.notice_deadline.map_or(Value::Null, iso_day)
            })
        }),
        fixed("Stage", Kind::Text, |w, r| {
            of(&w.renewals, r, |row| text(labels::stage(row.stage)))
        }),
        fixed("IsClosed", Kind::Bool, |w, r| {
            of(&w.renewals, r, |row| {
                Value::Bool(matches!(row.stage, Stage::Won | Stage::Lost))
            })
        }),
        fixed("Forecast", Kind::Text, |w, r| {
            of(&w.renewals, r, |row| text(labels::forecast(row.forecast)))
        }),
        fixed("Amount", Kind::Decimal, |w, r| {
            of(&w.renewals, r, |row| {
                number(w.major(row.amount, row.currency))
            })
        }),
        fixed("Currency", Kind::Text, |w, r| {
            of(&w.renewals, r, |row| currency(w, row.currency))
        }),
        fixed("OwnerUserAccountId", Kind::Row(USER_ACCOUNT), |w, r| {
            of(&w.renewals, r, |row| id(USER_ACCOUNT, row.owner))
        }),
    ];
    Table {
        name: "CustomListRenewal",
        fields: stamped(
            fields,
            when!("ObjectCreatedDate", |w, r| w
                .renewals
                .get(r as usize)
                .map_or(0, |row| row.created)),
            when!("ObjectModifiedDate", |w, r| w
                .renewals
                .get(r as usize)
                .map_or(0, |row| row.modified)),
        ),
        rows: |w| w.renewals.len() as u32,
        seen: |w, r| {
            w.renewals
                .get(r as usize)
                .is_some_and(|row| seen(w, row.account))
        },
        account: Some(|w, r| w.renewals[r as usize].account),
        stamps: STAMPS,
    }
}

/// The kind of event with this name, among those of the world.
pub(super) fn kind_named(name: &str) -> Option<u32> {
    EVENT_TYPES
        .iter()
        .position(|known| *known == name)
        .map(|place| place as u32)
}

/// The row of an event type by its name, among all.
pub(super) fn event_type(rows: &Overlay, name: &str) -> Option<u32> {
    kind_named(name).or_else(|| {
        rows.new_rows(EVENT_TYPE)
            .find(|row| rows.named(EVENT_TYPE, *row, "Name") == name)
    })
}
