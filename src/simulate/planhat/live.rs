//! How the tenant follows the changes of the world.

use serde_json::{Value, json};

use super::State;
use super::catalog::{
    COMPANIES, CONVERSATIONS, ENDUSERS, NPS, OPPORTUNITIES, TASKS, company, id, user,
};
use super::metrics::Point;
use super::work::{self, DONE};
use crate::simulate::labels::{SEVERITIES, STAGES};
use crate::simulate::overlay::{Op, iso, iso_day, live_row, number};
use crate::simulate::world::{Change, Driver, WorldEvent, day_number};

const ISSUES: usize = 11;

/// Makes the change. Rows that Planhat does not have are left alone.
pub(super) fn follow(state: &mut State, event: &WorldEvent) {
    let new = live_row(event.number);
    let now = iso(event.at);
    let today = event.at.as_second().div_euclid(86_400);
    let has = |state: &State, table, row| state.rows.exists(table, row);
    let (op, table, row, values): (Op, usize, u32, Vec<(&str, Value)>) = match &event.change {
        Change::Usage {
            account,
            week,
            active_users,
            logins,
            adoption,
            ..
        } if has(state, COMPANIES, *account) => {
            for (dimension, value) in [
                ("active_users", f64::from(*active_users)),
                ("logins", f64::from(*logins)),
                ("adoption", f64::from(*adoption)),
            ] {
                state.metrics.put(&Point {
                    company: *account,
                    dimension: dimension.to_owned(),
                    day: day_number(*week),
                    value,
                });
            }
            return;
        }
        Change::Health { account, score } if has(state, COMPANIES, *account) => {
            state.metrics.put(&Point {
                company: *account,
                dimension: "health".to_owned(),
                day: today,
                value: f64::from(*score),
            });
            let score = Value::from((u32::from(*score) + 5) / 10);
            (Op::Update, COMPANIES, *account, vec![("h", score)])
        }
        Change::CaseOpened {
            account,
            contact,
            subject,
            severity,
            owner,
        } if has(state, COMPANIES, *account) => {
            let world = &state.rows.world;
            let person = contact.and_then(|row| Some((row, world.contacts.get(row as usize)?)));
            let severity = SEVERITIES[usize::from(*severity) % SEVERITIES.len()];
            let mut values = vec![
                ("companyId", company(*account)),
                ("type", json!("ticket")),
                ("subject", json!(subject)),
                ("description", json!(subject)),
                ("status", json!("new")),
                ("severity", json!(severity)),
                ("date", now),
                ("ownerId", user(*owner)),
                ("sourceId", json!(format!("case-live-{}", event.number))),
            ];
            if let Some((row, person)) = person {
                let name = format!("{} {}", person.first, person.last);
                values.push(("email", json!(person.email)));
                values.push((
                    "endusers",
                    json!([{ "id": id(ENDUSERS, row), "name": name }]),
                ));
            }
            (Op::Create, CONVERSATIONS, new, values)
        }
        Change::CaseClosed { case } => {
            let Some(row) = work::ticket_row(&state.rows.world, *case)
                .filter(|row| has(state, CONVERSATIONS, *row))
            else {
                return;
            };
            let values = vec![("status", json!("closed")), ("closedAt", now)];
            (Op::Update, CONVERSATIONS, row, values)
        }
        Change::TaskDone { task } if has(state, TASKS, *task) => {
            let values = vec![
                ("dateDone", now),
                ("status", json!(DONE)),
                ("isArchived", json!(true)),
            ];
            (Op::Update, TASKS, *task, values)
        }
        Change::StageMoved { renewal, stage } if has(state, OPPORTUNITIES, *renewal) => {
            let stage = STAGES[usize::from(*stage).min(4)];
            let values = vec![("salesStage", json!(stage))];
            (Op::Update, OPPORTUNITIES, *renewal, values)
        }
        Change::AmountChanged { renewal, amount } if has(state, OPPORTUNITIES, *renewal) => {
            let world = &state.rows.world;
            let Some(currency) = world.renewals.get(*renewal as usize).map(|r| r.currency) else {
                return;
            };
            let arr = world.major(*amount, currency);
            let values = vec![("arr", number(arr)), ("mrr", number(arr / 12.0))];
            (Op::Update, OPPORTUNITIES, *renewal, values)
        }
        Change::ContactLeft { contact, on } if has(state, ENDUSERS, *contact) => {
            let values = vec![("archived", json!(true)), ("custom.Left On", iso_day(*on))];
            (Op::Update, ENDUSERS, *contact, values)
        }
        Change::AccountRenamed { account, name } if has(state, COMPANIES, *account) => {
            (Op::Update, COMPANIES, *account, vec![("name", json!(name))])
        }
        Change::RiskOpened {
            account,
            reason,
            name,
            ..
        } if has(state, COMPANIES, *account) && reason == Driver::ProductDefect.label() => {
            let values = vec![
                ("title", json!(name)),
                ("companyIds", json!([company(*account)])),
                ("status", json!("new")),
            ];
            (Op::Create, ISSUES, new, values)
        }
        Change::SurveyAnswered {
            account,
            contact,
            score,
        } if has(state, COMPANIES, *account) => {
            let world = &state.rows.world;
            let mut values = vec![
                ("companyId", company(*account)),
                ("score", json!(score)),
                ("dateAnswered", now),
                ("source", json!("planhat")),
            ];
            if let Some(person) = contact.and_then(|row| world.contacts.get(row as usize)) {
                values.push(("email", json!(person.email)));
            }
            (Op::Create, NPS, new, values)
        }
        _ => return,
    };
    let mut write = state.rows.write(op, table, row, []);
    write.values = values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    state.rows.apply(&write, event.at);
}
