//! How the service follows the changes of the world.

use serde_json::{Value, json};

use super::catalog::{ACCOUNTS, EVENTS, TASKS, USERS, colour, id};
use crate::simulate::labels::STAGES;
use crate::simulate::overlay::{Op, Overlay, iso_day, live_row, number};
use crate::simulate::world::{Change, WorldEvent};

/// Makes the change. Rows that Totango does not have are left alone.
pub(super) fn follow(rows: &mut Overlay, event: &WorldEvent) {
    let new = live_row(event.number);
    let now = Value::from(event.at.as_millisecond());
    let has = |rows: &Overlay, table, row| rows.exists(table, row);
    let make = |rows: &mut Overlay, op, table, row, values: Vec<(&str, Value)>| {
        let mut write = rows.write(op, table, row, []);
        write.values = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        rows.apply(&write, event.at);
    };
    // Renewals are attributes of the account whose last one it is.
    let account_of = |rows: &Overlay, renewal: u32| {
        let account = rows.world.renewals.get(renewal as usize)?.account;
        let last = rows.world.renewals_of(account).next_back()?;
        (last == renewal as usize && rows.exists(ACCOUNTS, account)).then_some(account)
    };
    match &event.change {
        Change::Usage {
            account,
            active_users,
            logins,
            adoption,
            ..
        } if has(rows, ACCOUNTS, *account) => {
            let values = vec![
                ("@Active Users", json!(active_users)),
                ("@Logins", json!(logins)),
                ("@Adoption", json!(adoption)),
            ];
            make(rows, Op::Update, ACCOUNTS, *account, values);
        }
        Change::Health { account, score } if has(rows, ACCOUNTS, *account) => {
            let before = rows.text(ACCOUNTS, *account, "health");
            let old = rows.named(ACCOUNTS, *account, "score").as_i64();
            let trend = match old {
                Some(old) if old < i64::from(*score) => "up",
                Some(old) if old > i64::from(*score) => "down",
                _ => "stable",
            };
            let after = colour(*score);
            let values = vec![
                ("health", json!(after)),
                ("score", json!(score)),
                ("health_trend", json!(trend)),
            ];
            make(rows, Op::Update, ACCOUNTS, *account, values);
            if before != after {
                let values = vec![
                    ("type", json!("alert")),
                    ("timestamp", now),
                    ("account_id", id(ACCOUNTS, *account)),
                    ("from", json!(before)),
                    ("to", json!(after)),
                ];
                make(rows, Op::Create, EVENTS, new, values);
            }
        }
        Change::TaskDone { task } if has(rows, TASKS, *task) => {
            let values = vec![("status", json!("closed")), ("completed_date", now)];
            make(rows, Op::Update, TASKS, *task, values);
        }
        Change::StageMoved { renewal, stage } => {
            if let Some(account) = account_of(rows, *renewal) {
                let stage = STAGES[usize::from(*stage).min(4)];
                let values = vec![("@Renewal Stage", json!(stage))];
                make(rows, Op::Update, ACCOUNTS, account, values);
            }
        }
        Change::AmountChanged { renewal, amount } => {
            if let Some(account) = account_of(rows, *renewal) {
                let currency = rows.world.renewals[*renewal as usize].currency;
                let amount = number(rows.world.major(*amount, currency));
                let values = vec![("@Renewal Amount", amount)];
                make(rows, Op::Update, ACCOUNTS, account, values);
            }
        }
        Change::ContactLeft { contact, on } if has(rows, USERS, *contact) => {
            let values = vec![("@Left On", iso_day(*on))];
            make(rows, Op::Update, USERS, *contact, values);
        }
        Change::AccountRenamed { account, name } if has(rows, ACCOUNTS, *account) => {
            let values = vec![("display_name", json!(name))];
            make(rows, Op::Update, ACCOUNTS, *account, values);
        }
        Change::SurveyAnswered { account, score, .. } if has(rows, ACCOUNTS, *account) => {
            let values = vec![("@NPS Score", json!(score))];
            make(rows, Op::Update, ACCOUNTS, *account, values);
        }
        // There is no place for tickets and for risks of their own.
        _ => {}
    }
}
