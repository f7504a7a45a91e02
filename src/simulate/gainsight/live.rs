//! How the tenant follows the changes of the world.

use super::catalog::ObjectId;
use super::picklists::{self, Category};
use super::store::{Op, Row, Store};
use super::value::{Val, day, owned};
use crate::simulate::world::{Change, WorldEvent};

/// Makes the change in the store. Rows that Gainsight does not have are left alone.
pub(super) fn follow(store: &mut Store, event: &WorldEvent) {
    let row = Store::live_row(event.number);
    let number = |value: u32| Val::Num(f64::from(value));
    match &event.change {
        Change::Usage {
            account,
            week,
            active_users,
            seats,
            logins,
            adoption,
        } if store.exists(ObjectId::Company, *account) => {
            let values = [
                ("Company__gc", Val::Row(ObjectId::Company, *account)),
                ("Week_Start__gc", day(*week)),
                ("Active_Users__gc", number(*active_users)),
                ("Licensed_Users__gc", number(*seats)),
                ("Logins__gc", number(*logins)),
                ("Adoption__gc", number(u32::from(*adoption))),
            ];
            // One row for each account and week: what is heard later in the week replaces what was heard before.
            let row = Store::week_row(&store.world, *account, *week);
            let op = if store.exists(ObjectId::Usage, row) {
                Op::Update
            } else {
                Op::Create
            };
            make(store, ObjectId::Usage, row, op, values, event);
        }
        Change::Health { account, score } if store.exists(ObjectId::Company, *account) => {
            let before = store
                .named(ObjectId::Company, *account, "CurrentScore")
                .into_owned();
            let values = [
                ("CurrentScore", number(u32::from(*score))),
                ("PreviousScore", before),
            ];
            make(
                store,
                ObjectId::Company,
                *account,
                Op::Update,
                values,
                event,
            );
            let values = [
                ("Company__gc", Val::Row(ObjectId::Company, *account)),
                (
                    "Snapshot_Date__gc",
                    Val::Ms(
                        event.at.as_millisecond()
                            - event.at.as_millisecond().rem_euclid(86_400_000),
                    ),
                ),
                ("Score__gc", number(u32::from(*score))),
            ];
            make(
                store,
                ObjectId::HealthHistory,
                row,
                Op::Create,
                values,
                event,
            );
        }
        Change::TaskDone { task } if store.exists(ObjectId::Task, *task) => {
            let values = [
                ("StatusId", Val::Pick(Category::TaskStatus, 1)),
                ("IsClosed", Val::Bool(true)),
                ("ClosedDate", Val::Ms(event.at.as_millisecond())),
            ];
            make(store, ObjectId::Task, *task, Op::Update, values, event);
        }
        Change::StageMoved { renewal, stage } if store.exists(ObjectId::Renewal, *renewal) => {
            make(
                store,
                ObjectId::Renewal,
                *renewal,
                Op::Update,
                [(
                    "Stage__gc",
                    Val::Pick(Category::RenewalStage, u16::from(*stage).min(4)),
                )],
                event,
            );
        }
        Change::AmountChanged { renewal, amount } if store.exists(ObjectId::Renewal, *renewal) => {
            let Some(currency) = store
                .world
                .renewals
                .get(*renewal as usize)
                .map(|row| row.currency)
            else {
                return;
            };
            let amount = Val::Num(store.world.major(*amount, currency));
            make(
                store,
                ObjectId::Renewal,
                *renewal,
                Op::Update,
                [("Amount__gc", amount)],
                event,
            );
        }
        Change::ContactLeft { contact, .. } if store.exists(ObjectId::CompanyPerson, *contact) => {
            make(
                store,
                ObjectId::CompanyPerson,
                *contact,
                Op::Update,
                [("Active", Val::Bool(false))],
                event,
            );
        }
        Change::AccountRenamed { account, name } if store.exists(ObjectId::Company, *account) => {
            make(
                store,
                ObjectId::Company,
                *account,
                Op::Update,
                [("Name", owned(name.clone()))],
                event,
            );
        }
        Change::RiskOpened {
            account,
            reason,
            name,
            owner,
            due,
        } if store.exists(ObjectId::Company, *account) => {
            let values = [
                ("Name", owned(name.clone())),
                ("CompanyId", Val::Row(ObjectId::Company, *account)),
                ("OwnerId", Val::Row(ObjectId::User, *owner)),
                ("DueDate", day(*due)),
                ("TypeId", Val::Pick(Category::CtaType, 0)),
                (
                    "ReasonId",
                    Val::Pick(
                        Category::CtaReason,
                        picklists::by_name(Category::CtaReason, reason).unwrap_or(0),
                    ),
                ),
                ("StatusId", Val::Pick(Category::CtaStatus, 0)),
                ("PriorityId", Val::Pick(Category::CtaPriority, 0)),
                ("IsClosed", Val::Bool(false)),
                ("IsImportant", Val::Bool(false)),
                ("EntityType", Val::Text("Company".into())),
                ("Source", Val::Text("Rule".into())),
            ];
            make(store, ObjectId::Cta, row, Op::Create, values, event);
        }
        Change::SurveyAnswered {
            account,
            contact,
            score,
        } if store.exists(ObjectId::Company, *account) => {
            let values = [
                ("CompanyId", Val::Row(ObjectId::Company, *account)),
                (
                    "PersonId",
                    contact.map_or(Val::Null, |contact| Val::Row(ObjectId::Person, contact)),
                ),
                ("NPSScore", number(u32::from(*score))),
                ("RespondedDate", Val::Ms(event.at.as_millisecond())),
            ];
            make(store, ObjectId::Nps, row, Op::Create, values, event);
            make(
                store,
                ObjectId::Company,
                *account,
                Op::Update,
                [("NPS__gc", number(u32::from(*score)))],
                event,
            );
        }
        _ => {}
    }
}

fn make<const N: usize>(
    store: &mut Store,
    id: ObjectId,
    row: u32,
    op: Op,
    values: [(&str, Val<'static>); N],
    event: &WorldEvent,
) {
    let values: Row = values
        .into_iter()
        .filter_map(|(name, value)| Some((store.object(id).field(name)?, value)))
        .collect();
    store.change(id, row, op, values, event.at);
}
