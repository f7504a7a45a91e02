//! The entity sets: accounts, contacts, our people, and the small sets of names. Names that begin with `Cf/` are the tenant's
//! own fields; they lie in the object `Cf`.

use serde_json::{Value, json};

use super::activity;
use crate::simulate::labels;
use crate::simulate::overlay::{
    Field, Kind, Overlay, Table, derived, field, fixed, iso_day, nothing, number, of, own_id, text,
    when,
};
use crate::simulate::world::{Account, Lifecycle, World, day_number, ids};

pub(super) const ACCOUNT: usize = 0;
pub(super) const CONTACT: usize = 1;
pub(super) const EVENT: usize = 2;
pub(super) const EVENT_TYPE: usize = 3;
pub(super) const TASK: usize = 4;
pub(super) const CHURN_SCORE_CALCULATION: usize = 5;
pub(super) const FACTOR_CALCULATION: usize = 6;
pub(super) const SURVEY_RESPONSE: usize = 7;
pub(super) const USER_ACCOUNT: usize = 8;
pub(super) const TICKET: usize = 9;
pub(super) const RENEWAL: usize = 10;

/// The sets with a row for each week of each account.
pub(super) const EVENT_CALCULATIONS: [usize; 2] = [EVENT, CHURN_SCORE_CALCULATION];

/// All sets, in the order of the constants.
pub(super) fn tables() -> Vec<Table> {
    vec![
        accounts(),
        contacts(),
        activity::events(),
        names(
            "EventType",
            |_| EVENT_TYPES.len() as u32,
            |_, r| item(&EVENT_TYPES, r),
        ),
        activity::tasks(),
        activity::calculations(),
        activity::factor_calculations(),
        activity::survey_responses(),
        users(),
        activity::tickets(),
        activity::renewals(),
        names(
            "TaskStatus",
            |_| TASK_STATUSES.len() as u32,
            |_, r| item(&TASK_STATUSES, r),
        ),
        names(
            "TaskPriority",
            |_| PRIORITIES.len() as u32,
            |_, r| item(&PRIORITIES, r),
        ),
        names("ChurnScore", |_| 1, |_, r| item(&["Customer Risk"], r)),
        names(
            "ChurnScoreFactor",
            |_| 1,
            |_, r| item(&["Product usage"], r),
        ),
        names("Journey", |_| 1, |_, r| item(&["Onboarding"], r)),
        names("Survey", |_| 1, |_, r| item(&["Relationship NPS"], r)),
        names(
            "Segment",
            |_| SEGMENTS.len() as u32,
            |_, r| item(&SEGMENTS, r),
        ),
        names(
            "CustomField",
            |_| CUSTOM_FIELDS.len() as u32,
            |_, r| item(&CUSTOM_FIELDS, r),
        ),
    ]
}

/// The kinds of events of the world: three of usage, then those of touchpoints.
pub(super) const EVENT_TYPES: [&str; 8] = [
    "Active Users",
    "Logins",
    "Adoption",
    "Call",
    "Meeting",
    "Email",
    "Update",
    "Business Review",
];

pub(super) const TASK_STATUSES: [&str; 3] = ["Open", "In Progress", "Complete"];

const PRIORITIES: [&str; 3] = ["Low", "Normal", "High"];

pub(super) const SEGMENTS: [&str; 4] = [
    "All Active Accounts",
    "Enterprise",
    "At Risk",
    "Renewing in 90 Days",
];

const CUSTOM_FIELDS: [&str; 9] = [
    "Segment",
    "TouchModel",
    "Industry",
    "Website",
    "Currency",
    "NoticeDays",
    "Sentiment",
    "CsmEmail",
    "Lifecycle",
];

/// Ids are whole numbers; each set has its own.
pub(super) fn id(_: usize, row: u32) -> Value {
    Value::from(u64::from(row) + FIRST)
}

const FIRST: u64 = 1001;

/// The key of every set.
pub(super) fn key() -> Field {
    Field {
        kind: Kind::Int,
        ..own_id("Id")
    }
}

/// The row of an id; whether it is there is for the caller to see.
pub(super) fn row_of(_: usize, id: i64) -> Option<u32> {
    u32::try_from(id.checked_sub(FIRST as i64)?).ok()
}

pub(super) fn seen(world: &World, account: u32) -> bool {
    world
        .accounts
        .get(account as usize)
        .is_some_and(|account| account.in_gainsight)
}

/// The tenant's own number of an account.
pub(super) fn external(account: u32) -> String {
    format!("cust-{account:06}")
}

/// The account with this external id, as it is now.
pub(super) fn account_by_external(rows: &Overlay, wanted: &str) -> Option<u32> {
    let place = rows.tables[ACCOUNT].field("ExternalId")?;
    rows.rows(ACCOUNT)
        .find(|row| rows.get(ACCOUNT, *row, place).as_str() == Some(wanted))
}

/// The external id of the account that a row belongs to.
pub(super) fn account_external(rows: &Overlay, table: usize, row: u32) -> Value {
    rows.named(table, row, "AccountId")
        .as_i64()
        .and_then(|id| row_of(ACCOUNT, id))
        .filter(|row| rows.exists(ACCOUNT, *row))
        .map_or(Value::Null, |row| rows.named(ACCOUNT, row, "ExternalId"))
}

pub(super) fn stamped(mut fields: Vec<Field>, created: Field, modified: Field) -> Vec<Field> {
    fields.extend([created, modified]);
    fields
}

pub(super) const STAMPS: (&str, &str) = ("ObjectCreatedDate", "ObjectModifiedDate");

fn of_account(world: &World, row: u32, read: impl FnOnce(&Account) -> Value) -> Value {
    of(&world.accounts, row, read)
}

fn accounts() -> Table {
    let fields = vec![
        key(),
        fixed("ExternalId", Kind::Text, |_, r| Value::String(external(r))),
        field("CrmId", Kind::Text, |w, r| {
            match w.accounts.get(r as usize) {
                Some(a) if a.in_salesforce && a.linked => {
                    Value::String(ids::salesforce_id("001", u64::from(r)))
                }
                _ => Value::Null,
            }
        }),
        field("Name", Kind::Text, |w, r| {
            of_account(w, r, |a| text(a.name_in_gainsight()))
        }),
        field("IsActive", Kind::Bool, |w, r| {
            of_account(w, r, |a| Value::Bool(a.lifecycle != Lifecycle::Churned))
        }),
        field("StartDate", Kind::Instant, |w, r| {
            of_account(w, r, |a| iso_day(a.start))
        }),
        field("EndDate", Kind::Instant, |w, r| {
            w.contracts_of(r)
                .next_back()
                .map_or(Value::Null, |place| iso_day(w.contracts[place].end))
        }),
        field("NextRenewalDate", Kind::Instant, |w, r| {
            of_account(w, r, |a| a.renewal_date.map_or(Value::Null, iso_day))
        }),
        field("TotalContractAmount", Kind::Decimal, |w, r| {
            of_account(w, r, |a| number(w.major(a.arr, a.currency)))
        }),
        field("LicenseCount", Kind::Int, |w, r| {
            of_account(w, r, |a| Value::from(a.seats))
        }),
        fixed("TenureInDays", Kind::Int, |w, r| {
            of_account(w, r, |a| {
                Value::from(day_number(w.anchor) - day_number(a.start))
            })
        }),
        fixed("ContactsCount", Kind::Int, |w, r| {
            Value::from(w.contacts_of(r).len())
        }),
        fixed("UsageFrequency", Kind::Text, |w, r| {
            let usage = w.usage(r, crate::simulate::world::WEEKS - 1);
            usage.map_or(text("Inactive"), |usage| {
                text(if usage.logins > usage.seats {
                    "Daily"
                } else {
                    "Weekly"
                })
            })
        }),
        fixed("PrimaryChurnScoreId", Kind::Int, |_, _| Value::from(FIRST)),
        // The higher, the more risk.
        fixed("PrimaryChurnScoreValue", Kind::Int, |w, r| {
            w.health_now(r)
                .map_or(Value::Null, |score| Value::from(100 - u32::from(score)))
        }),
        field("OwnerUserAccountId", Kind::Row(USER_ACCOUNT), |w, r| {
            of_account(w, r, |a| id(USER_ACCOUNT, a.csm))
        }),
        derived("OwnerUserAccountName", Kind::Text, |o, r| {
            owner_name(o, ACCOUNT, r)
        }),
        field("ParentAccountId", Kind::Row(ACCOUNT), |w, r| {
            of_account(w, r, |a| {
                a.parent
                    .filter(|parent| seen(w, *parent))
                    .map_or(Value::Null, |parent| id(ACCOUNT, parent))
            })
        }),
        field("BillingAddressCountry", Kind::Text, |w, r| {
            of_account(w, r, |a| text(a.country))
        }),
        field("Tags", Kind::List, |w, r| {
            of_account(w, r, |a| json!([labels::touch(a.touch)]))
        }),
        field("Cf/Segment", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::segment(a.segment)))
        }),
        field("Cf/TouchModel", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::touch(a.touch)))
        }),
        field("Cf/Industry", Kind::Text, |w, r| {
            of_account(w, r, |a| text(a.industry))
        }),
        field("Cf/Website", Kind::Text, |w, r| {
            of_account(w, r, |a| {
                if a.gainsight_domain && !a.domain.is_empty() {
                    Value::String(format!("https://{}", a.domain))
                } else {
                    Value::Null
                }
            })
        }),
        field("Cf/Currency", Kind::Text, |w, r| {
            of_account(w, r, |a| currency(w, a.currency))
        }),
        field("Cf/NoticeDays", Kind::Int, |w, r| {
            w.contracts_of(r).next_back().map_or(Value::Null, |place| {
                Value::from(w.contracts[place].notice_days)
            })
        }),
        field("Cf/Sentiment", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::sentiment(a.sentiment)))
        }),
        field("Cf/CsmEmail", Kind::Text, |w, r| {
            of_account(w, r, |a| of(&w.users, a.csm, |u| text(&u.email)))
        }),
        field("Cf/Lifecycle", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::phase(a.lifecycle)))
        }),
    ];
    Table {
        name: "Account",
        fields: stamped(
            fields,
            when!("ObjectCreatedDate", |w, r| w
                .accounts
                .get(r as usize)
                .map_or(0, |a| a.created)),
            when!("ObjectModifiedDate", |w, r| w
                .accounts
                .get(r as usize)
                .map_or(0, |a| a.modified)),
        ),
        rows: |w| w.accounts.len() as u32,
        seen,
        account: Some(|_, r| r),
        stamps: STAMPS,
    }
}

pub(super) fn currency(world: &World, place: u8) -> Value {
    world
        .currencies
        .get(place as usize)
        .map_or(Value::Null, |currency| text(currency.code))
}

/// The name of the user who owns a row, as it is now.
pub(super) fn owner_name(rows: &Overlay, table: usize, row: u32) -> Value {
    rows.named(table, row, "OwnerUserAccountId")
        .as_i64()
        .and_then(|id| row_of(USER_ACCOUNT, id))
        .filter(|row| rows.exists(USER_ACCOUNT, *row))
        .map_or(Value::Null, |row| rows.named(USER_ACCOUNT, row, "FullName"))
}

/// Whether an account is in the segment at this place.
pub(super) fn in_segment(rows: &Overlay, segment: usize, row: u32) -> bool {
    let get = |name| rows.named(ACCOUNT, row, name);
    match segment {
        0 => get("IsActive") == true,
        1 => get("Cf/Segment") == "Enterprise",
        2 => get("PrimaryChurnScoreValue")
            .as_i64()
            .is_some_and(|score| score >= 55),
        _ => {
            let today = day_number(rows.world.anchor) * 86_400_000;
            let due = rows.tables[ACCOUNT]
                .field("NextRenewalDate")
                .and_then(|place| rows.ms(ACCOUNT, row, place));
            due.is_some_and(|due| (today..=today + 90 * 86_400_000).contains(&due))
        }
    }
}

fn contacts() -> Table {
    let fields = vec![
        key(),
        fixed("ExternalId", Kind::Text, |_, r| {
            Value::String(format!("person-{r:07}"))
        }),
        fixed("AccountId", Kind::Row(ACCOUNT), |w, r| {
            of(&w.contacts, r, |c| id(ACCOUNT, c.account))
        }),
        derived("AccountExternalId", Kind::Text, |o, r| {
            account_external(o, CONTACT, r)
        }),
        field("CrmId", Kind::Text, nothing),
        field("FirstName", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(&c.first))
        }),
        field("LastName", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(&c.last))
        }),
        field("Email", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(&c.email))
        }),
        field("Title", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(c.title))
        }),
        field("IsActive", Kind::Bool, |w, r| {
            of(&w.contacts, r, |c| Value::Bool(c.left.is_none()))
        }),
        field("IsPrimaryContact", Kind::Bool, |w, r| {
            of(&w.contacts, r, |c| Value::Bool(c.primary))
        }),
        field("Cf/Role", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(labels::role(c.role)))
        }),
    ];
    Table {
        name: "Contact",
        fields: stamped(
            fields,
            when!("ObjectCreatedDate", |w, r| w
                .contacts
                .get(r as usize)
                .map_or(0, |c| c.created)),
            when!("ObjectModifiedDate", |w, r| w
                .contacts
                .get(r as usize)
                .map_or(0, |c| c.modified)),
        ),
        rows: |w| w.contacts.len() as u32,
        seen: |w, r| {
            w.contacts
                .get(r as usize)
                .is_some_and(|c| seen(w, c.account))
        },
        account: Some(|w, r| w.contacts[r as usize].account),
        stamps: STAMPS,
    }
}

fn users() -> Table {
    let fields = vec![
        key(),
        fixed("FirstName", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(&u.first))
        }),
        fixed("LastName", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(&u.last))
        }),
        fixed("FullName", Kind::Text, |w, r| {
            of(&w.users, r, |u| Value::String(u.name()))
        }),
        fixed("Email", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(&u.email))
        }),
        fixed("Title", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(u.title))
        }),
        fixed("IsActive", Kind::Bool, |w, r| {
            of(&w.users, r, |u| Value::Bool(u.active))
        }),
    ];
    Table {
        name: "UserAccount",
        fields: stamped(
            fields,
            when!("ObjectCreatedDate", |w, r| w
                .users
                .get(r as usize)
                .map_or(0, |u| u.created)),
            when!("ObjectModifiedDate", |w, r| w
                .users
                .get(r as usize)
                .map_or(0, |u| u.modified)),
        ),
        rows: |w| w.users.len() as u32,
        seen: |_, _| true,
        account: None,
        stamps: STAMPS,
    }
}

/// The name at this place of a list.
fn item(list: &[&'static str], row: u32) -> Value {
    list.get(row as usize)
        .map_or(Value::Null, |name| text(name))
}

/// A set of an id and a name. The lists are the tenant's, not the world's.
fn names(name: &'static str, rows: fn(&World) -> u32, read: fn(&World, u32) -> Value) -> Table {
    let fields = vec![key(), field("Name", Kind::Text, read)];
    Table {
        name,
        fields: stamped(
            fields,
            fixed("ObjectCreatedDate", Kind::Instant, nothing),
            fixed("ObjectModifiedDate", Kind::Instant, nothing),
        ),
        rows,
        seen: |_, _| true,
        account: None,
        stamps: STAMPS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_stand_where_their_constants_say() {
        let tables = tables();
        for (place, name) in [
            (ACCOUNT, "Account"),
            (CONTACT, "Contact"),
            (EVENT, "Event"),
            (EVENT_TYPE, "EventType"),
            (TASK, "Task"),
            (CHURN_SCORE_CALCULATION, "ChurnScoreCalculation"),
            (FACTOR_CALCULATION, "ChurnScoreFactorCalculation"),
            (SURVEY_RESPONSE, "SurveyResponse"),
            (USER_ACCOUNT, "UserAccount"),
            (TICKET, "ZendeskTicket"),
            (RENEWAL, "CustomListRenewal"),
        ] {
            assert_eq!(tables[place].name, name);
        }
    }
}
