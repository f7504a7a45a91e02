//! The tables of the tenant and what the world says of their rows, as JSON. Field names beyond those of tasks are unverified.

use serde_json::{Map, Value, json};

use super::ids;
use crate::simulate::world::{
    ContactRole, Driver, Lifecycle, RiskKind, RiskStatus, Segment, TaskStatus, Touch, TouchKind,
    WEEKS, World, day_number, ids as world_ids,
};

/// A type of records.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub(super) enum Table {
    Account,
    Organization,
    User,
    Task,
    Note,
    Conversation,
    NpsResponse,
    Admin,
    Project,
}

/// All of them, in the order of their numbers.
pub(super) const ALL: [Table; 9] = [
    Table::Account,
    Table::Organization,
    Table::User,
    Table::Task,
    Table::Note,
    Table::Conversation,
    Table::NpsResponse,
    Table::Admin,
    Table::Project,
];

/// The categories of tasks and of notes.
pub(super) const TASK_CATEGORIES: [&str; 3] = ["Risk", "Onboarding", "Follow-up"];
pub(super) const NOTE_CATEGORIES: [&str; 4] = ["Call", "Meeting", "Update", "Business Review"];

/// The numbers of categories in ids.
pub(super) const TASK_CATEGORY: u8 = 20;
pub(super) const NOTE_CATEGORY: u8 = 21;

impl Table {
    /// The name in a path.
    pub fn path(self) -> &'static str {
        match self {
            Table::Account => "accounts",
            Table::Organization => "organizations",
            Table::User => "users",
            Table::Task => "tasks",
            Table::Note => "notes",
            Table::Conversation => "conversations",
            Table::NpsResponse => "npsResponses",
            Table::Admin => "admins",
            Table::Project => "projects",
        }
    }

    pub fn named(name: &str) -> Option<Table> {
        ALL.into_iter().find(|table| table.path() == name)
    }

    pub fn id(self, row: u32) -> String {
        ids::id(self as u8, row)
    }

    pub fn row(self, id: &str) -> Option<u32> {
        ids::row(self as u8, id)
    }

    /// How many rows of the world could be rows of the table.
    pub fn rows(self, world: &World) -> u32 {
        let rows = match self {
            Table::Account | Table::Organization => world.accounts.len(),
            Table::User => world.contacts.len(),
            Table::Task => world.tasks.len(),
            Table::Note | Table::Conversation => world.touchpoints.len(),
            Table::NpsResponse => world.surveys.len(),
            Table::Admin => world.users.len(),
            Table::Project => world.risks.len(),
        };
        rows as u32
    }

    /// Whether the tenant shows this row of the world.
    pub fn visible(self, world: &World, row: u32) -> bool {
        let at = row as usize;
        let seen = |account: u32| {
            world
                .accounts
                .get(account as usize)
                .is_some_and(|account| account.in_gainsight)
        };
        match self {
            Table::Account => seen(row),
            // Only groups of companies are organizations; `Parents` knows which.
            Table::Organization => seen(row),
            Table::User => world.contacts.get(at).is_some_and(|row| seen(row.account)),
            // What the CRM keeps is not kept twice.
            Table::Task => world
                .tasks
                .get(at)
                .is_some_and(|row| row.risk.is_some() && seen(row.account)),
            Table::Note => world.touchpoints.get(at).is_some_and(|row| {
                row.in_gainsight && row.kind != TouchKind::Email && seen(row.account)
            }),
            Table::Conversation => world.touchpoints.get(at).is_some_and(|row| {
                row.in_gainsight && row.kind == TouchKind::Email && seen(row.account)
            }),
            Table::NpsResponse => world
                .surveys
                .get(at)
                .is_some_and(|row| row.contact.is_some() && seen(row.account)),
            Table::Admin => row < self.rows(world),
            Table::Project => world
                .risks
                .get(at)
                .is_some_and(|row| row.kind == RiskKind::Lifecycle && seen(row.account)),
        }
    }

    /// When a row of the world was created and last changed, in milliseconds.
    pub fn stamps(self, world: &World, row: u32) -> (i64, i64) {
        let at = row as usize;
        let pair = match self {
            Table::Account | Table::Organization => world
                .accounts
                .get(at)
                .map(|row| (row.created, row.modified)),
            Table::User => world
                .contacts
                .get(at)
                .map(|row| (row.created, row.modified)),
            Table::Task => world.tasks.get(at).map(|row| (row.created, row.modified)),
            Table::Note | Table::Conversation => {
                world.touchpoints.get(at).map(|row| (row.at, row.at))
            }
            Table::NpsResponse => world.surveys.get(at).map(|row| (row.at, row.at)),
            Table::Admin => world.users.get(at).map(|row| (row.created, row.modified)),
            Table::Project => world.risks.get(at).map(|row| (row.opened, row.modified)),
        };
        let (created, modified) = pair.unwrap_or_default();
        (created * 1000, modified * 1000)
    }

    /// The account of a row of the world.
    pub fn account(self, world: &World, row: u32) -> Option<u32> {
        let at = row as usize;
        match self {
            Table::User => world.contacts.get(at).map(|row| row.account),
            Table::Task => world.tasks.get(at).map(|row| row.account),
            Table::Note | Table::Conversation => world.touchpoints.get(at).map(|row| row.account),
            Table::NpsResponse => world.surveys.get(at).map(|row| row.account),
            Table::Project => world.risks.get(at).map(|row| row.account),
            Table::Account => Some(row),
            Table::Organization | Table::Admin => None,
        }
    }
}

/// An instant in milliseconds as the vendor writes it.
pub(super) fn iso(ms: i64) -> Value {
    jiff::Timestamp::from_millisecond(ms).map_or(Value::Null, |at| {
        json!(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
    })
}

fn second(second: i64) -> Value {
    iso(second * 1000)
}

fn day(day: Option<jiff::civil::Date>) -> Value {
    day.map_or(Value::Null, |day| iso(day_number(day) * 86_400_000))
}

fn filled(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        json!(text)
    }
}

/// Texts that people write are HTML.
fn html(text: &str) -> String {
    let safe = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<p>{safe}</p>")
}

fn admin(row: u32) -> Value {
    json!(Table::Admin.id(row))
}

/// The record of a row of the world; without its id and stamps, which the store adds.
pub(super) fn record(
    table: Table,
    world: &World,
    row: u32,
    organization: Option<u32>,
) -> Map<String, Value> {
    let found = match table {
        Table::Account => account(world, row, organization),
        Table::Organization => group(world, row),
        Table::User => user(world, row),
        Table::Task => task(world, row),
        Table::Note => note(world, row),
        Table::Conversation => conversation(world, row),
        Table::NpsResponse => nps(world, row),
        Table::Admin => colleague(world, row),
        Table::Project => project(world, row),
    };
    match found {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn account(world: &World, row: u32, organization: Option<u32>) -> Option<Value> {
    let account = world.accounts.get(row as usize)?;
    let usage = world.usage(row, WEEKS - 1);
    let surveys: Vec<u8> = world
        .surveys_of(row)
        .filter_map(|place| world.surveys.get(place))
        .map(|row| row.score)
        .collect();
    let count = |test: fn(u8) -> bool| surveys.iter().filter(|score| test(**score)).count();
    let (bad, fair, good) = (
        count(|score| score < 7),
        count(|score| (7..9).contains(&score)),
        count(|score| score >= 9),
    );
    let nps = (!surveys.is_empty())
        .then(|| (100.0 * (good as f64 - bad as f64) / surveys.len() as f64).round() as i64);
    let risk = world
        .risks_of(row)
        .filter_map(|place| world.risks.get(place))
        .filter(|risk| risk.kind == RiskKind::Risk && risk.closed.is_none())
        .map(|risk| risk.reason.label())
        .next_back();
    let contract = world
        .contracts_of(row)
        .next_back()
        .and_then(|place| world.contracts.get(place));
    let churned = (account.lifecycle == Lifecycle::Churned).then(|| {
        world
            .renewals_of(row)
            .filter_map(|place| world.renewals.get(place))
            .filter_map(|renewal| renewal.closed)
            .next_back()
    });
    let users: Vec<u32> = world.contacts_of(row).map(|place| place as u32).collect();
    let role = |label: &str, user: u32| {
        let name = world
            .users
            .get(user as usize)
            .map(|user| user.name())
            .unwrap_or_default();
        json!({ "id": ids::id(22, row), "keyRole": { "label": label }, "vitallyUser": { "id": Table::Admin.id(user), "name": name } })
    };
    let domain = if account.gainsight_domain {
        &*account.domain
    } else {
        ""
    };
    Some(json!({
        "externalId": format!("CUST-{row:06}"),
        "name": account.name_in_gainsight(),
        "organizationId": organization.map(|row| Table::Organization.id(row)),
        "csmId": admin(account.csm),
        "accountExecutiveId": admin(account.seller),
        "accountOwnerId": Value::Null,
        "keyRoles": [role("CSM", account.csm), role("Account Executive", account.seller)],
        "segments": [{ "id": ids::id(23, account.segment as u32), "name": match account.segment {
            Segment::Enterprise => "Enterprise", Segment::MidMarket => "Mid-Market", Segment::Smb => "SMB"
        } }],
        "mrr": (world.major(account.arr, account.currency) / 12.0 * 100.0).round() / 100.0,
        "nextRenewalDate": day(account.renewal_date),
        "trialEndDate": Value::Null,
        "churnedAt": churned.map_or(Value::Null, |closed| closed.map_or_else(|| second(account.modified), |closed| day(Some(closed)))),
        "firstSeenTimestamp": day(Some(account.start)),
        "lastSeenTimestamp": usage.map_or(Value::Null, |week| day(Some(week.week))),
        "usersCount": users.len(),
        // Out of ten, as the vendor counts.
        "healthScore": world.health_now(row).map(|score| f64::from(score) / 10.0),
        "npsDetractorCount": bad, "npsPassiveCount": fair, "npsPromoterCount": good, "npsScore": nps,
        "traits": {
            "salesforceId": if account.linked { json!(world_ids::salesforce_id("001", u64::from(row))) } else { Value::Null },
            "domain": filled(domain),
            "industry": account.industry, "country": account.country,
            "segment": match account.segment { Segment::Enterprise => "Enterprise", Segment::MidMarket => "Mid-Market", Segment::Smb => "SMB" },
            "touchModel": match account.touch { Touch::High => "High", Touch::Mid => "Mid", Touch::Tech => "Tech" },
            "lifecycle": match account.lifecycle {
                Lifecycle::Onboarding => "Onboarding", Lifecycle::Adopting => "Adopting",
                Lifecycle::Mature => "Mature", Lifecycle::Churned => "Churned"
            },
            "arr": world.major(account.arr, account.currency),
            "currency": world.currencies.get(usize::from(account.currency)).map(|currency| currency.code),
            "noticeDays": contract.map(|row| row.notice_days), "autoRenew": contract.map(|row| row.auto_renew),
            "sentiment": match account.sentiment { 1.. => "Positive", 0 => "Neutral", _ => "Negative" },
            "riskReason": risk,
            "seats": account.seats, "activeUsers": usage.map(|week| week.active_users),
            "weeklyLogins": usage.map(|week| week.logins), "adoption": usage.map(|week| week.adoption)
        }
    }))
}

fn group(world: &World, row: u32) -> Option<Value> {
    let account = world.accounts.get(row as usize)?;
    Some(json!({
        "externalId": format!("GROUP-{row:06}"), "name": format!("{} Group", account.name_in_gainsight()),
        "csmId": admin(account.csm), "traits": { "industry": account.industry }
    }))
}

fn user(world: &World, row: u32) -> Option<Value> {
    let contact = world.contacts.get(row as usize)?;
    let account = world.accounts.get(contact.account as usize)?;
    let last = world
        .surveys_of(contact.account)
        .filter_map(|place| Some((place as u32, world.surveys.get(place)?)))
        .rfind(|(_, survey)| survey.contact == Some(row));
    Some(json!({
        "externalId": format!("USER-{row:07}"), "name": format!("{} {}", contact.first, contact.last),
        "email": filled(&contact.email), "avatar": Value::Null, "joinDate": second(contact.created),
        "accounts": [{
            "id": Table::Account.id(contact.account), "name": account.name_in_gainsight(),
            "externalId": format!("CUST-{:06}", contact.account)
        }],
        "deactivatedAt": day(contact.left), "unsubscribedFromConversations": false,
        "npsLastScore": last.map(|(_, survey)| survey.score),
        "npsLastFeedback": last.map(|(place, _)| world.survey_comment(place)),
        "npsLastRespondedAt": last.map(|(_, survey)| second(survey.at)),
        "traits": {
            "title": contact.title, "primary": contact.primary,
            "role": match contact.role {
                ContactRole::Sponsor => "Executive Sponsor", ContactRole::Champion => "Champion",
                ContactRole::Admin => "Admin", ContactRole::User => "User", ContactRole::Billing => "Billing"
            }
        }
    }))
}

fn task(world: &World, row: u32) -> Option<Value> {
    let task = world.tasks.get(row as usize)?;
    let done = task.status == TaskStatus::Completed;
    Some(json!({
        "externalId": Value::Null, "accountId": Table::Account.id(task.account), "organizationId": Value::Null,
        "name": &*task.subject, "description": Value::Null, "dueDate": day(task.due),
        "assignedToId": admin(task.owner), "completedById": if done { admin(task.owner) } else { Value::Null },
        "completedAt": task.completed.map_or(Value::Null, second),
        "categoryId": ids::id(TASK_CATEGORY, 0), "projects": [], "tags": [], "traits": {}
    }))
}

fn note(world: &World, row: u32) -> Option<Value> {
    let touch = world.touchpoints.get(row as usize)?;
    let category = match touch.kind {
        TouchKind::Call => 0,
        TouchKind::Meeting => 1,
        TouchKind::Update | TouchKind::Email => 2,
        TouchKind::Review => 3,
    };
    Some(json!({
        "externalId": Value::Null, "accountId": Table::Account.id(touch.account), "organizationId": Value::Null,
        "subject": world.touch_subject(row), "note": html(&world.touch_notes(row)), "noteDate": second(touch.at),
        "authorId": admin(touch.author), "categoryId": ids::id(NOTE_CATEGORY, category), "tags": [],
        "traits": { "sentiment": match touch.mood { 1.. => "Positive", 0 => "Neutral", _ => "Negative" } }
    }))
}

fn conversation(world: &World, row: u32) -> Option<Value> {
    let touch = world.touchpoints.get(row as usize)?;
    let to: Vec<Value> = touch
        .contact
        .map(|contact| json!({ "type": "user", "id": Table::User.id(contact) }))
        .into_iter()
        .collect();
    Some(json!({
        "externalId": format!("mail-{row}"), "accountId": Table::Account.id(touch.account),
        "subject": world.touch_subject(row), "authorId": admin(touch.author),
        "messages": [{
            "id": ids::id(24, row), "type": "email", "timestamp": second(touch.at),
            "message": html(&world.touch_notes(row)), "from": { "type": "admin", "id": admin(touch.author) }, "to": to
        }],
        "traits": {}
    }))
}

fn nps(world: &World, row: u32) -> Option<Value> {
    let survey = world.surveys.get(row as usize)?;
    Some(json!({
        "externalId": format!("nps-{row}"), "userId": survey.contact.map(|contact| Table::User.id(contact)),
        "accountId": Table::Account.id(survey.account), "score": survey.score,
        "feedback": filled(world.survey_comment(row)), "respondedAt": second(survey.at)
    }))
}

fn colleague(world: &World, row: u32) -> Option<Value> {
    let user = world.users.get(row as usize)?;
    Some(json!({
        "name": user.name(), "email": &*user.email, "avatar": Value::Null,
        "licenseStatus": if user.active { "active" } else { "inactive" },
        "deactivatedAt": if user.active { Value::Null } else { second(user.modified) }
    }))
}

fn project(world: &World, row: u32) -> Option<Value> {
    let risk = world.risks.get(row as usize)?;
    let done = matches!(
        risk.status,
        RiskStatus::ClosedSaved | RiskStatus::ClosedLost | RiskStatus::ClosedInvalid
    );
    Some(json!({
        "externalId": Value::Null, "accountId": Table::Account.id(risk.account), "organizationId": Value::Null,
        "name": &*risk.name, "description": Value::Null, "targetStartDate": second(risk.opened),
        "targetCompletionDate": day(Some(risk.due)), "ownedById": admin(risk.owner),
        "actualCompletionDate": risk.closed.map_or(Value::Null, second),
        "status": if done { "COMPLETED" } else { "IN_PROGRESS" }, "traits": {}
    }))
}

/// The words of a reason, for the trait of an account.
pub(super) fn known_reason(text: &str) -> bool {
    [
        Driver::LowAdoption,
        Driver::ValueNotMet,
        Driver::ProductDefect,
        Driver::Unresponsive,
        Driver::SponsorChange,
        Driver::Budget,
        Driver::Competitor,
        Driver::Merger,
    ]
    .iter()
    .any(|driver| driver.label() == text)
}
