//! How the tenant follows the changes of the world.

use serde_json::{Map, Value, json};

use super::catalog::{Table, iso, known_reason};
use super::store::{Op, Store};
use crate::simulate::world::{Change, WorldEvent, day_number};

/// Makes the change in the store. Rows that the tenant does not have are left alone; what has no place here is passed over.
pub(super) fn follow(store: &mut Store, event: &WorldEvent) {
    let at = event.at.as_millisecond();
    let new = Store::live_row(event.number);
    let mut set = |op: Op, table: Table, row: u32, values: Value| {
        if let Value::Object(values) = values {
            store.change(op, table, row, values, at);
        }
    };
    match &event.change {
        Change::Usage {
            account,
            active_users,
            seats,
            logins,
            adoption,
            ..
        } => set(
            Op::Update,
            Table::Account,
            *account,
            json!({
                "lastSeenTimestamp": iso(at),
                "traits": { "activeUsers": active_users, "seats": seats, "weeklyLogins": logins, "adoption": adoption }
            }),
        ),
        Change::Health { account, score } => set(
            Op::Update,
            Table::Account,
            *account,
            json!({ "healthScore": f64::from(*score) / 10.0 }),
        ),
        Change::TaskDone { task } => {
            let owner = store
                .world
                .tasks
                .get(*task as usize)
                .map(|row| Table::Admin.id(row.owner));
            let values = json!({ "completedAt": iso(at), "completedById": owner });
            if let Value::Object(values) = values {
                store.change(Op::Update, Table::Task, *task, values, at);
            }
        }
        Change::ContactLeft { contact, on } => set(
            Op::Update,
            Table::User,
            *contact,
            json!({ "deactivatedAt": iso(day_number(*on) * 86_400_000) }),
        ),
        Change::AccountRenamed { account, name } => set(
            Op::Update,
            Table::Account,
            *account,
            json!({ "name": name }),
        ),
        Change::RiskOpened {
            account,
            reason,
            name,
            owner,
            due,
        } if store.exists(Table::Account, *account) => {
            let reason = if known_reason(reason) {
                reason
            } else {
                "Other"
            };
            let task = json!({
                "externalId": Value::Null, "accountId": Table::Account.id(*account), "organizationId": Value::Null,
                "name": name, "description": Value::Null, "dueDate": iso(day_number(*due) * 86_400_000),
                "assignedToId": Table::Admin.id(*owner), "completedById": Value::Null, "completedAt": Value::Null,
                "categoryId": super::ids::id(super::catalog::TASK_CATEGORY, 0), "projects": [], "tags": [], "traits": {}
            });
            for (op, table, row, values) in [
                (
                    Op::Update,
                    Table::Account,
                    *account,
                    json!({ "traits": { "riskReason": reason } }),
                ),
                (Op::Create, Table::Task, new, task),
            ] {
                if let Value::Object(values) = values {
                    store.change(op, table, row, values, at);
                }
            }
        }
        Change::SurveyAnswered {
            account,
            contact: Some(contact),
            score,
        } if store.exists(Table::Account, *account) => {
            let answer = json!({
                "externalId": format!("nps-live-{}", event.number), "userId": Table::User.id(*contact),
                "accountId": Table::Account.id(*account), "score": score, "feedback": Value::Null, "respondedAt": iso(at)
            });
            let last = json!({ "npsLastScore": score, "npsLastFeedback": Value::Null, "npsLastRespondedAt": iso(at) });
            for (op, table, row, values) in [
                (Op::Create, Table::NpsResponse, new, answer),
                (Op::Update, Table::User, *contact, last),
            ] {
                let values: Map<String, Value> = match values {
                    Value::Object(values) => values,
                    _ => continue,
                };
                store.change(op, table, row, values, at);
            }
        }
        _ => {}
    }
}
