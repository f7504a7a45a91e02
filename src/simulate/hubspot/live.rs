//! How the portal follows the changes of the world.

use super::catalog::{ObjectId, owner_id};
use super::links;
use super::pipelines::{RENEWALS, SUPPORT};
use super::records::PRIORITIES;
use super::store::{Store, word};
use super::value::{Val, day, number, owned};
use crate::simulate::world::{Change, WorldEvent};

/// Makes the change in the store. Rows that the portal does not have are left alone; calls to action are no concern of it.
pub(super) fn follow(store: &mut Store, event: &WorldEvent) {
    let new = Store::live_row(event.number);
    let at = event.at;
    let company = |store: &Store, account: u32| store.exists(ObjectId::Company, account);
    match &event.change {
        Change::Usage {
            account,
            active_users,
            seats,
            logins,
            adoption,
            ..
        } if company(store, *account) => {
            let values = store.values(
                ObjectId::Company,
                [
                    ("active_users", number(*active_users)),
                    ("seats", number(*seats)),
                    ("weekly_logins", number(*logins)),
                    ("feature_adoption", number(*adoption)),
                ],
            );
            store.update(ObjectId::Company, *account, values, at);
        }
        Change::Health { account, score } if company(store, *account) => {
            let values = store.values(ObjectId::Company, [("health_score", number(*score))]);
            store.update(ObjectId::Company, *account, values, at);
        }
        Change::CaseOpened {
            account,
            contact,
            subject,
            severity,
            owner,
        } if company(store, *account) => {
            let priority = PRIORITIES[usize::from(*severity).min(3)].0;
            let values = store.values(
                ObjectId::Ticket,
                [
                    ("subject", owned(subject.clone())),
                    ("hs_pipeline", word(SUPPORT.id)),
                    ("hs_pipeline_stage", word(SUPPORT.stages[0].id)),
                    ("hs_ticket_priority", word(priority)),
                    ("source_type", word("EMAIL")),
                    ("hubspot_owner_id", owned(owner_id(*owner).to_string())),
                    ("escalated", Val::Bool(false)),
                ],
            );
            store.create(ObjectId::Ticket, new, values, at);
            let from = (ObjectId::Ticket, new);
            link(store, from, (ObjectId::Company, *account));
            if let Some(contact) = contact {
                link(store, from, (ObjectId::Contact, *contact));
            }
        }
        Change::CaseClosed { case } => {
            let values = store.values(
                ObjectId::Ticket,
                [("hs_pipeline_stage", word(SUPPORT.stages[3].id))],
            );
            store.update(ObjectId::Ticket, *case, values, at);
        }
        Change::TaskDone { task } => {
            let values = store.values(ObjectId::Task, [("hs_task_status", word("COMPLETED"))]);
            store.update(ObjectId::Task, *task, values, at);
        }
        Change::StageMoved { renewal, stage } => {
            let stage = &RENEWALS.stages[usize::from(*stage).min(4)];
            let values = store.values(ObjectId::Deal, [("dealstage", word(stage.id))]);
            store.update(ObjectId::Deal, *renewal, values, at);
        }
        Change::AmountChanged { renewal, amount } => {
            let Some(row) = store.world.renewals.get(*renewal as usize) else {
                return;
            };
            let usd = (store.world.usd(*amount, row.currency) * 100.0).round() / 100.0;
            let amount = Val::Num(store.world.major(*amount, row.currency));
            let values = store.values(
                ObjectId::Deal,
                [
                    ("amount", amount),
                    ("amount_in_home_currency", Val::Num(usd)),
                ],
            );
            store.update(ObjectId::Deal, *renewal, values, at);
        }
        Change::ContactLeft { contact, on } => {
            let values = store.values(ObjectId::Contact, [("left_company_on", day(Some(*on)))]);
            store.update(ObjectId::Contact, *contact, values, at);
        }
        Change::AccountRenamed { account, name } => {
            let values = store.values(ObjectId::Company, [("name", owned(name.clone()))]);
            store.update(ObjectId::Company, *account, values, at);
        }
        Change::SurveyAnswered {
            account,
            contact: Some(contact),
            score,
        } if company(store, *account) => {
            let values = store.values(
                ObjectId::Feedback,
                [
                    ("hs_survey_type", word("NPS")),
                    ("hs_survey_name", word("Customer loyalty")),
                    ("hs_value", number(*score)),
                    ("hs_submission_timestamp", Val::Ms(at.as_millisecond())),
                ],
            );
            store.create(ObjectId::Feedback, new, values, at);
            link(
                store,
                (ObjectId::Feedback, new),
                (ObjectId::Contact, *contact),
            );
            let values = store.values(ObjectId::Company, [("nps_score", number(*score))]);
            store.update(ObjectId::Company, *account, values, at);
        }
        _ => {}
    }
}

fn link(store: &mut Store, from: links::Ref, to: links::Ref) {
    let types = store.default_types(from, to);
    store.links.set(from, to, &types);
}
