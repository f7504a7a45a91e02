//! What the service holds: accounts and their attributes, users, our team, tasks, and events (alerts about health, notes,
//! tasks). Renewals are attributes of accounts.
//!
//! A field whose name begins with `@` is an attribute, as people name it; the others are terms of the vendor's own.

use serde_json::Value;

use crate::simulate::labels;
use crate::simulate::overlay::{
    Field, Kind, Overlay, Table, derived, field, fixed, iso_day, nothing, number, of, own_id, text,
};
use crate::simulate::world::rng::hash;
use crate::simulate::world::{
    Account, Lifecycle, Priority, Renewal, TouchKind, Touchpoint, WEEKS, World, day_number, ids,
};

pub(super) const ACCOUNTS: usize = 0;
pub(super) const USERS: usize = 1;
pub(super) const TEAM: usize = 2;
pub(super) const TASKS: usize = 3;
pub(super) const EVENTS: usize = 4;

/// The flows: what tasks and touchpoints are about.
pub(super) const FLOWS: [(&str, &str); 5] = [
    ("adoption", "Adoption"),
    ("onboarding_101", "Onboarding"),
    ("renewal", "Renewal"),
    ("support", "Support"),
    ("business_review", "Business Review"),
];

pub(super) fn tables() -> Vec<Table> {
    vec![accounts(), users(), team(), tasks(), events()]
}

/// Ids: those of accounts are the tenant's own, those of the team are of the form of UUIDs, the others are numbers in texts.
pub(super) fn id(table: usize, row: u32) -> Value {
    Value::String(match table {
        ACCOUNTS => format!("cust-{row:06}"),
        USERS => format!("user-{row}"),
        TEAM => {
            let mix = hash(u64::from(row) ^ 0x7465_616d);
            format!(
                "{row:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                mix as u16,
                mix >> 20 & 0xfff,
                mix >> 36 & 0xfff,
                mix >> 16
            )
        }
        _ => (u64::from(row) + 1_000_000 * (table as u64 + 1)).to_string(),
    })
}

/// The row of a task or an event.
pub(super) fn row_of(table: usize, id: &str) -> Option<u32> {
    let number: u64 = id.trim().parse().ok()?;
    u32::try_from(number.checked_sub(1_000_000 * (table as u64 + 1))?).ok()
}

/// The account with this id: one of the world, or one that was sent since.
pub(super) fn account_row(rows: &Overlay, id: &str) -> Option<u32> {
    let of_world = id
        .strip_prefix("cust-")
        .and_then(|digits| digits.parse().ok())
        .filter(|row| rows.exists(ACCOUNTS, *row) && rows.text(ACCOUNTS, *row, "name") == id);
    of_world.or_else(|| {
        rows.new_rows(ACCOUNTS)
            .find(|row| rows.text(ACCOUNTS, *row, "name") == id)
    })
}

pub(super) fn seen(world: &World, account: u32) -> bool {
    world
        .accounts
        .get(account as usize)
        .is_some_and(|account| account.in_gainsight)
}

fn of_account(world: &World, row: u32, read: impl FnOnce(&Account) -> Value) -> Value {
    of(&world.accounts, row, read)
}

fn last_renewal(world: &World, row: u32, read: impl FnOnce(&Renewal) -> Value) -> Value {
    world
        .renewals_of(row)
        .next_back()
        .and_then(|place| world.renewals.get(place))
        .map_or(Value::Null, read)
}

fn user_name(world: &World, row: u32) -> Value {
    of(&world.users, row, |user| Value::String(user.name()))
}

fn user_email(world: &World, row: u32) -> Value {
    of(&world.users, row, |user| text(&user.email))
}

/// The colour of a score.
pub(super) fn colour(score: u8) -> &'static str {
    match score {
        0..45 => "red",
        45..70 => "yellow",
        _ => "green",
    }
}

fn trend(world: &World, row: u32) -> Value {
    let (now, before) = (world.health(row, WEEKS - 1), world.health(row, WEEKS - 5));
    text(match (now, before) {
        (Some(now), Some(before)) if now > before.saturating_add(3) => "up",
        (Some(now), Some(before)) if now.saturating_add(3) < before => "down",
        _ => "stable",
    })
}

/// The tasks and events of the account that a row names.
pub(super) fn account_name(rows: &Overlay, table: usize, row: u32) -> Value {
    account_row(rows, &rows.text(table, row, "account_id"))
        .map_or(Value::Null, |row| rows.named(ACCOUNTS, row, "display_name"))
}

fn accounts() -> Table {
    let fields = vec![
        field("name", Kind::Text, |_, r| id(ACCOUNTS, r)),
        field("display_name", Kind::Text, |w, r| {
            of_account(w, r, |a| text(a.name_in_gainsight()))
        }),
        field("status", Kind::Text, |w, r| {
            of_account(w, r, |a| {
                text(if a.lifecycle == Lifecycle::Churned {
                    "Canceled"
                } else {
                    "Paying"
                })
            })
        }),
        derived("status_group", Kind::Text, |o, r| {
            text(&o.text(ACCOUNTS, r, "status").to_lowercase())
        }),
        field("health", Kind::Text, |w, r| {
            w.health_now(r)
                .map_or(Value::Null, |score| text(colour(score)))
        }),
        field("health_trend", Kind::Text, trend),
        field("score", Kind::Int, |w, r| {
            w.health_now(r).map_or(Value::Null, Value::from)
        }),
        field("contract_value", Kind::Decimal, |w, r| {
            of_account(w, r, |a| number(w.major(a.arr, a.currency)))
        }),
        field("contract_renewal", Kind::Instant, |w, r| {
            of_account(w, r, |a| a.renewal_date.map_or(Value::Null, iso_day))
        }),
        field("@Salesforce ID", Kind::Text, |w, r| {
            match w.accounts.get(r as usize) {
                Some(a) if a.in_salesforce && a.linked => {
                    Value::String(ids::salesforce_id("001", u64::from(r)))
                }
                _ => Value::Null,
            }
        }),
        field("@Domain", Kind::Text, |w, r| {
            of_account(w, r, |a| {
                if a.gainsight_domain {
                    text(&a.domain)
                } else {
                    Value::Null
                }
            })
        }),
        field("@Success Manager", Kind::Text, |w, r| {
            of_account(w, r, |a| user_name(w, a.csm))
        }),
        field("@Success Manager Email", Kind::Text, |w, r| {
            of_account(w, r, |a| user_email(w, a.csm))
        }),
        field("@Account Owner", Kind::Text, |w, r| {
            of_account(w, r, |a| user_name(w, a.seller))
        }),
        field("@Parent Account", Kind::Text, |w, r| {
            of_account(w, r, |a| {
                a.parent
                    .filter(|parent| seen(w, *parent))
                    .map_or(Value::Null, |parent| id(ACCOUNTS, parent))
            })
        }),
        field("@Segment", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::segment(a.segment)))
        }),
        field("@Touch Model", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::touch(a.touch)))
        }),
        field("@Lifecycle", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::phase(a.lifecycle)))
        }),
        field("@Industry", Kind::Text, |w, r| {
            of_account(w, r, |a| text(a.industry))
        }),
        field("@Country", Kind::Text, |w, r| {
            of_account(w, r, |a| text(a.country))
        }),
        field("@Sentiment", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::sentiment(a.sentiment)))
        }),
        field("@Currency", Kind::Text, |w, r| {
            of_account(w, r, |a| {
                w.currencies
                    .get(a.currency as usize)
                    .map_or(Value::Null, |currency| text(currency.code))
            })
        }),
        field("@ARR", Kind::Decimal, |w, r| {
            of_account(w, r, |a| number(w.major(a.arr, a.currency)))
        }),
        field("@Licenses", Kind::Int, |w, r| {
            of_account(w, r, |a| Value::from(a.seats))
        }),
        field("@Customer Since", Kind::Instant, |w, r| {
            of_account(w, r, |a| iso_day(a.start))
        }),
        field("@Renewal Date", Kind::Instant, |w, r| {
            of_account(w, r, |a| a.renewal_date.map_or(Value::Null, iso_day))
        }),
        field("@Renewal Amount", Kind::Decimal, |w, r| {
            last_renewal(w, r, |row| number(w.major(row.amount, row.currency)))
        }),
        field("@Renewal Stage", Kind::Text, |w, r| {
            last_renewal(w, r, |row| text(labels::stage(row.stage)))
        }),
        field("@Renewal Forecast", Kind::Text, |w, r| {
            last_renewal(w, r, |row| text(labels::forecast(row.forecast)))
        }),
        field("@Notice Days", Kind::Int, |w, r| {
            w.contracts_of(r).next_back().map_or(Value::Null, |place| {
                Value::from(w.contracts[place].notice_days)
            })
        }),
        field("@Notice Deadline", Kind::Instant, |w, r| {
            last_renewal(w, r, |row| row.notice_deadline.map_or(Value::Null, iso_day))
        }),
        field("@NPS Score", Kind::Int, |w, r| {
            w.surveys_of(r)
                .next_back()
                .map_or(Value::Null, |place| Value::from(w.surveys[place].score))
        }),
        field("@Active Users", Kind::Int, |w, r| {
            w.usage(r, WEEKS - 1)
                .map_or(Value::Null, |usage| Value::from(usage.active_users))
        }),
        field("@Logins", Kind::Int, |w, r| {
            w.usage(r, WEEKS - 1)
                .map_or(Value::Null, |usage| Value::from(usage.logins))
        }),
        field("@Adoption", Kind::Int, |w, r| {
            w.usage(r, WEEKS - 1)
                .map_or(Value::Null, |usage| Value::from(usage.adoption))
        }),
        fixed("create_date", Kind::Int, |w, r| {
            of_account(w, r, |a| Value::from(a.created * 1000))
        }),
        fixed("update_date", Kind::Int, |w, r| {
            of_account(w, r, |a| Value::from(a.modified * 1000))
        }),
    ];
    Table {
        name: "accounts",
        fields,
        rows: |w| w.accounts.len() as u32,
        seen,
        account: Some(|_, r| r),
        stamps: ("create_date", "update_date"),
    }
}

fn users() -> Table {
    let fields = vec![
        field("name", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(&c.email))
        }),
        field("display_name", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| {
                Value::String(format!("{} {}", c.first, c.last))
            })
        }),
        field("account_id", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| id(ACCOUNTS, c.account))
        }),
        field("@Email", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(&c.email))
        }),
        field("@Title", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(c.title))
        }),
        field("@Role", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(labels::role(c.role)))
        }),
        field("@Primary", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| {
                text(if c.primary { "yes" } else { "no" })
            })
        }),
        field("@Left On", Kind::Instant, |w, r| {
            of(&w.contacts, r, |c| c.left.map_or(Value::Null, iso_day))
        }),
        fixed("create_date", Kind::Int, |w, r| {
            of(&w.contacts, r, |c| Value::from(c.created * 1000))
        }),
        fixed("update_date", Kind::Int, |w, r| {
            of(&w.contacts, r, |c| Value::from(c.modified * 1000))
        }),
    ];
    Table {
        name: "users",
        fields,
        rows: |w| w.contacts.len() as u32,
        seen: |w, r| {
            w.contacts
                .get(r as usize)
                .is_some_and(|c| seen(w, c.account))
        },
        account: Some(|w, r| w.contacts[r as usize].account),
        stamps: ("create_date", "update_date"),
    }
}

fn team() -> Table {
    let fields = vec![
        own_id("id"),
        fixed("email", Kind::Text, user_email),
        fixed("first_name", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(&u.first))
        }),
        fixed("last_name", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(&u.last))
        }),
        fixed("display_name", Kind::Text, user_name),
        fixed("title", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(u.title))
        }),
        fixed("active", Kind::Bool, |w, r| {
            of(&w.users, r, |u| Value::Bool(u.active))
        }),
    ];
    Table {
        name: "team_members",
        fields,
        rows: |w| w.users.len() as u32,
        seen: |_, _| true,
        account: None,
        stamps: ("create_date", "update_date"),
    }
}

fn tasks() -> Table {
    let fields: Vec<Field> = vec![
        own_id("id"),
        field("title", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| text(&t.subject))
        }),
        field("description", Kind::Text, nothing),
        field("due_date", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| {
                t.due
                    .map_or(Value::Null, |due| Value::String(due.to_string()))
            })
        }),
        field("priority", Kind::Int, |w, r| {
            of(&w.tasks, r, |t| {
                Value::from(match t.priority {
                    Priority::Low => 3,
                    Priority::Normal => 2,
                    Priority::High => 1,
                })
            })
        }),
        field("status", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| {
                text(if labels::done(t.status) {
                    "closed"
                } else {
                    "open"
                })
            })
        }),
        field("account_id", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| id(ACCOUNTS, t.account))
        }),
        derived("account_name", Kind::Text, |o, r| account_name(o, TASKS, r)),
        field("assignee", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| user_email(w, t.owner))
        }),
        field("activity_type_id", Kind::Text, |w, r| {
            of(&w.tasks, r, |t| {
                text(if t.risk.is_some() {
                    "adoption"
                } else {
                    "renewal"
                })
            })
        }),
        field("status_label_id", Kind::Text, nothing),
        field("completed_date", Kind::Int, |w, r| {
            of(&w.tasks, r, |t| {
                t.completed.map_or(Value::Null, |at| Value::from(at * 1000))
            })
        }),
        fixed("create_date", Kind::Int, |w, r| {
            of(&w.tasks, r, |t| Value::from(t.created * 1000))
        }),
        fixed("update_date", Kind::Int, |w, r| {
            of(&w.tasks, r, |t| Value::from(t.modified * 1000))
        }),
    ];
    Table {
        name: "tasks",
        fields,
        rows: |w| w.tasks.len() as u32,
        seen: |w, r| w.tasks.get(r as usize).is_some_and(|t| seen(w, t.account)),
        account: Some(|w, r| w.tasks[r as usize].account),
        stamps: ("create_date", "update_date"),
    }
}

/// What an event of the world is.
pub(super) enum Happened<'a> {
    /// A week in which the colour of an account changed.
    Alert {
        account: u32,
        week: usize,
    },
    Note(u32, &'a Touchpoint),
    Task(u32),
}

/// The events of the world: alerts by account and week, then touchpoints, then tasks.
pub(super) fn happened(world: &World, row: u32) -> Option<Happened<'_>> {
    let alerts = world.accounts.len() as u32 * WEEKS as u32;
    if row < alerts {
        return Some(Happened::Alert {
            account: row / WEEKS as u32,
            week: row as usize % WEEKS,
        });
    }
    let place = row - alerts;
    if let Some(touch) = world.touchpoints.get(place as usize) {
        return Some(Happened::Note(place, touch));
    }
    let task = place.checked_sub(world.touchpoints.len() as u32)?;
    ((task as usize) < world.tasks.len()).then_some(Happened::Task(task))
}

/// The scores before and after an alert; nothing in a week without one.
fn change_of(world: &World, account: u32, week: usize) -> Option<(u8, u8)> {
    let before = world.health(account, week.checked_sub(1)?)?;
    let after = world.health(account, week)?;
    (colour(before) != colour(after)).then_some((before, after))
}

fn event_account(world: &World, row: u32) -> u32 {
    match happened(world, row) {
        Some(Happened::Alert { account, .. }) => account,
        Some(Happened::Note(_, touch)) => touch.account,
        Some(Happened::Task(task)) => world.tasks[task as usize].account,
        None => u32::MAX,
    }
}

fn event_ms(world: &World, row: u32) -> i64 {
    match happened(world, row) {
        Some(Happened::Alert { week, .. }) => (day_number(world.week_start(week)) + 7) * 86_400_000,
        Some(Happened::Note(_, touch)) => touch.at * 1000,
        Some(Happened::Task(task)) => world.tasks[task as usize].created * 1000,
        None => 0,
    }
}

fn note<T>(world: &World, row: u32, read: impl FnOnce(u32, &Touchpoint) -> T) -> Option<T> {
    match happened(world, row) {
        Some(Happened::Note(place, touch)) => Some(read(place, touch)),
        _ => None,
    }
}

fn events() -> Table {
    let fields =
        vec![
            own_id("id"),
            field("type", Kind::Text, |w, r| {
                text(match happened(w, r) {
                    Some(Happened::Alert { .. }) => "alert",
                    Some(Happened::Note(..)) => "note",
                    Some(Happened::Task(_)) => "task",
                    None => "",
                })
            }),
            field("timestamp", Kind::Int, |w, r| Value::from(event_ms(w, r))),
            field("account_id", Kind::Text, |w, r| {
                id(ACCOUNTS, event_account(w, r))
            }),
            derived("account_name", Kind::Text, |o, r| {
                account_name(o, EVENTS, r)
            }),
            // Of alerts.
            field("from", Kind::Text, |w, r| match happened(w, r) {
                Some(Happened::Alert { account, week }) => change_of(w, account, week)
                    .map_or(Value::Null, |(before, _)| text(colour(before))),
                _ => Value::Null,
            }),
            field("to", Kind::Text, |w, r| match happened(w, r) {
                Some(Happened::Alert { account, week }) => change_of(w, account, week)
                    .map_or(Value::Null, |(_, after)| text(colour(after))),
                _ => Value::Null,
            }),
            // Of tasks: the other of the two ids.
            field("task_id", Kind::Text, |w, r| match happened(w, r) {
                Some(Happened::Task(task)) => id(TASKS, task),
                _ => Value::Null,
            }),
            // Of notes.
            field("note_id", Kind::Text, |w, r| {
                note(w, r, |place, _| note_id(place)).unwrap_or(Value::Null)
            }),
            field("subject", Kind::Text, |w, r| {
                note(w, r, |place, _| text(&w.touch_subject(place))).unwrap_or(Value::Null)
            }),
            field("content", Kind::Text, |w, r| {
                note(w, r, |place, _| text(&w.touch_notes(place))).unwrap_or(Value::Null)
            }),
            field("activity_type_id", Kind::Text, |w, r| {
                note(w, r, |_, touch| {
                    text(match touch.kind {
                        TouchKind::Review => "business_review",
                        TouchKind::Email => "renewal",
                        _ => "adoption",
                    })
                })
                .unwrap_or(Value::Null)
            }),
            field("touchpointType", Kind::Text, |w, r| {
                note(w, r, |_, touch| text(labels::touch_kind(touch.kind))).unwrap_or(Value::Null)
            }),
            field("touchpoint_tags", Kind::List, nothing),
            field("created_by", Kind::Text, |w, r| {
                note(w, r, |_, touch| user_email(w, touch.author)).unwrap_or(Value::Null)
            }),
            fixed("create_date", Kind::Int, |w, r| Value::from(event_ms(w, r))),
            fixed("update_date", Kind::Int, |w, r| Value::from(event_ms(w, r))),
        ];
    Table {
        name: "events",
        fields,
        rows: |w| {
            w.accounts.len() as u32 * WEEKS as u32 + (w.touchpoints.len() + w.tasks.len()) as u32
        },
        seen: |w, r| match happened(w, r) {
            Some(Happened::Alert { account, week }) => {
                seen(w, account) && change_of(w, account, week).is_some()
            }
            Some(Happened::Note(_, touch)) => touch.in_gainsight && seen(w, touch.account),
            Some(Happened::Task(task)) => seen(w, w.tasks[task as usize].account),
            None => false,
        },
        account: Some(event_account),
        stamps: ("create_date", "update_date"),
    }
}

/// The id of a note, which is not that of its event.
pub(super) fn note_id(place: u32) -> Value {
    Value::String(format!("n{place:08}"))
}

/// The instant of an event, quickly.
pub(super) fn event_time(rows: &Overlay, row: u32) -> i64 {
    if row < crate::simulate::overlay::LIVE {
        return event_ms(&rows.world, row);
    }
    rows.named(EVENTS, row, "timestamp").as_i64().unwrap_or(0)
}
