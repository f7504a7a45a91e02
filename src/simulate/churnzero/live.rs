//! How the tenant follows the changes of the world.

use serde_json::{Value, json};

use super::activity::usage_row;
use super::catalog::{
    ACCOUNT, CHURN_SCORE_CALCULATION, CONTACT, EVENT, EVENT_TYPE, FACTOR_CALCULATION, RENEWAL,
    SURVEY_RESPONSE, TASK, TICKET, id,
};
use crate::simulate::labels::{SEVERITIES, STAGES};
use crate::simulate::overlay::{Op, Overlay, iso, iso_day, live_row, number};
use crate::simulate::world::{Change, WorldEvent};

/// Makes the change. Rows that ChurnZero does not have are left alone.
pub(super) fn follow(rows: &mut Overlay, event: &WorldEvent) {
    let new = live_row(event.number);
    let now = iso(event.at);
    let has = |rows: &Overlay, table, row| rows.exists(table, row);
    let make = |rows: &mut Overlay, op, table, row, values: Vec<(&str, Value)>| {
        let mut write = rows.write(op, table, row, []);
        write.values = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        rows.apply(&write, event.at);
    };
    match &event.change {
        Change::Usage {
            account,
            week,
            active_users,
            logins,
            adoption,
            ..
        } if has(rows, ACCOUNT, *account) => {
            let counts = [*active_users, *logins, u32::from(*adoption)];
            for (kind, count) in counts.into_iter().enumerate() {
                let row = usage_row(&rows.world, *account, kind as u32, *week);
                let op = if has(rows, EVENT, row) {
                    Op::Update
                } else {
                    Op::Create
                };
                let values = vec![
                    ("EventDate", iso_day(*week)),
                    ("EventTypeId", id(EVENT_TYPE, kind as u32)),
                    ("AccountId", id(ACCOUNT, *account)),
                    ("Quantity", json!(count)),
                ];
                make(rows, op, EVENT, row, values);
            }
            let risk = 100 - u32::from(*adoption).min(100);
            let values = vec![("Value", json!(risk))];
            make(rows, Op::Update, FACTOR_CALCULATION, *account, values);
        }
        Change::Health { account, score } if has(rows, ACCOUNT, *account) => {
            let risk = json!(100 - u32::from(*score).min(100));
            let values = vec![("PrimaryChurnScoreValue", risk.clone())];
            make(rows, Op::Update, ACCOUNT, *account, values);
            let day = event.at.as_second().div_euclid(86_400) * 86_400;
            let values = vec![
                ("Score", risk),
                ("CalculationDay", crate::simulate::overlay::iso_second(day)),
                ("IsPrimary", json!(true)),
                ("ChurnScoreId", id(0, 0)),
                ("AccountId", id(ACCOUNT, *account)),
            ];
            make(rows, Op::Create, CHURN_SCORE_CALCULATION, new, values);
        }
        Change::CaseOpened {
            account,
            contact,
            subject,
            severity,
            ..
        } if has(rows, ACCOUNT, *account) => {
            let severity = SEVERITIES[usize::from(*severity) % SEVERITIES.len()];
            let values = vec![
                ("AccountId", id(ACCOUNT, *account)),
                (
                    "ContactId",
                    contact.map_or(Value::Null, |row| id(CONTACT, row)),
                ),
                ("Subject", json!(subject)),
                ("Status", json!("new")),
                ("Priority", json!(severity)),
                ("CreatedDate", now),
            ];
            make(rows, Op::Create, TICKET, new, values);
        }
        Change::CaseClosed { case } if has(rows, TICKET, *case) => {
            let values = vec![("Status", json!("closed")), ("ClosedDate", now)];
            make(rows, Op::Update, TICKET, *case, values);
        }
        Change::TaskDone { task } if has(rows, TASK, *task) => {
            let values = vec![("StatusName", json!("Complete")), ("CompletedDate", now)];
            make(rows, Op::Update, TASK, *task, values);
        }
        Change::StageMoved { renewal, stage } if has(rows, RENEWAL, *renewal) => {
            let values = vec![("Stage", json!(STAGES[usize::from(*stage).min(4)]))];
            make(rows, Op::Update, RENEWAL, *renewal, values);
        }
        Change::AmountChanged { renewal, amount } if has(rows, RENEWAL, *renewal) => {
            let Some(currency) = rows
                .world
                .renewals
                .get(*renewal as usize)
                .map(|row| row.currency)
            else {
                return;
            };
            let amount = number(rows.world.major(*amount, currency));
            make(
                rows,
                Op::Update,
                RENEWAL,
                *renewal,
                vec![("Amount", amount)],
            );
        }
        Change::ContactLeft { contact, .. } if has(rows, CONTACT, *contact) => {
            let values = vec![("IsActive", json!(false))];
            make(rows, Op::Update, CONTACT, *contact, values);
        }
        Change::AccountRenamed { account, name } if has(rows, ACCOUNT, *account) => {
            let values = vec![("Name", json!(name))];
            make(rows, Op::Update, ACCOUNT, *account, values);
        }
        Change::SurveyAnswered {
            account,
            contact,
            score,
        } if has(rows, ACCOUNT, *account) => {
            let values = vec![
                ("SurveyId", id(0, 0)),
                ("AccountId", id(ACCOUNT, *account)),
                (
                    "ContactId",
                    contact.map_or(Value::Null, |row| id(CONTACT, row)),
                ),
                ("Score", json!(score)),
                ("ResponseDate", now),
            ];
            make(rows, Op::Create, SURVEY_RESPONSE, new, values);
        }
        // A risk is what the score says; there is no place for one of its own.
        _ => {}
    }
}
