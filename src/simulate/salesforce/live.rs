//! Following the world: what its events do to the org's records.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::catalog::{CASE_PRIORITIES, STAGES};
use super::fill::Fill;
use super::schema::{Kind, common};
use super::table::Store;
use super::value::{Id, Row, Value};
use super::write::derive;
use crate::simulate::world::{Change, WorldEvent};

/// Applies an event; one about a record that the org does not have is ignored.
pub fn apply(store: &mut Store, fill: &Fill, event: &WorldEvent) {
    let at = fill.at;
    let now = event.at.as_millisecond().div_euclid(1000) * 1000;
    let mut scene = Scene { store, fill, now };
    match &event.change {
        Change::Usage {
            account,
            week,
            active_users,
            seats,
            logins,
            adoption,
        } => {
            let whole = |number: u32| Value::Int(i64::from(number));
            scene.add(
                at.usage,
                event.number,
                &[
                    ("Name", Value::text(&format!("US-L{:07}", event.number))),
                    (
                        "Account__c",
                        Value::Id(Id {
                            object: at.account,
                            row: *account,
                        }),
                    ),
                    ("Week__c", Value::Date(*week)),
                    ("Active_Users__c", whole(*active_users)),
                    ("Seats__c", whole(*seats)),
                    ("Logins__c", whole(*logins)),
                    ("Adoption__c", Value::Num(f64::from(*adoption))),
                ],
                *account,
            );
        }
        Change::Health { account, score } => {
            scene.set(
                Id {
                    object: at.account,
                    row: *account,
                },
                &[("Health__c", Value::Num(f64::from(*score)))],
            );
        }
        Change::CaseOpened {
            account,
            contact,
            subject,
            severity,
            owner,
        } => {
            scene.add(
                at.case,
                event.number,
                &[
                    (
                        "CaseNumber",
                        Value::text(&format!("{:08}", 500_000 + event.number)),
                    ),
                    (
                        "AccountId",
                        Value::Id(Id {
                            object: at.account,
                            row: *account,
                        }),
                    ),
                    (
                        "ContactId",
                        contact.map_or(Value::Null, |row| {
                            Value::Id(Id {
                                object: at.contact,
                                row,
                            })
                        }),
                    ),
                    ("Subject", Value::text(subject)),
                    ("Status", Value::text("New")),
                    ("Type", Value::text("Problem")),
                    ("Origin", Value::text("Web")),
                    (
                        "Priority",
                        Value::text(CASE_PRIORITIES[usize::from(*severity).min(3)]),
                    ),
                    (
                        "OwnerId",
                        Value::Id(Id {
                            object: at.user,
                            row: *owner,
                        }),
                    ),
                ],
                *account,
            );
        }
        Change::CaseClosed { case } => scene.set(
            Id {
                object: at.case,
                row: *case,
            },
            &[("Status", Value::text("Closed"))],
        ),
        Change::TaskDone { task } => scene.set(
            Id {
                object: at.task,
                row: *task,
            },
            &[("Status", Value::text("Completed"))],
        ),
        Change::StageMoved { renewal, stage } => {
            let stage = STAGES[usize::from(*stage).min(STAGES.len() - 1)];
            scene.set(
                Id {
                    object: at.opportunity,
                    row: *renewal,
                },
                &[("StageName", Value::text(stage.0))],
            );
        }
        Change::AmountChanged { renewal, amount } => {
            let Some(row) = fill.world.renewals.get(*renewal as usize) else {
                return;
            };
            let amount = Value::Num(fill.world.major(*amount, row.currency));
            scene.set(
                Id {
                    object: at.opportunity,
                    row: *renewal,
                },
                &[("Amount", amount)],
            );
        }
        Change::ContactLeft { contact, on } => {
            scene.set(
                Id {
                    object: at.contact,
                    row: *contact,
                },
                &[("Left_Company_On__c", Value::Date(*on))],
            );
        }
        Change::AccountRenamed { account, name } => {
            let name: String = name.chars().take(255).collect();
            scene.set(
                Id {
                    object: at.account,
                    row: *account,
                },
                &[("Name", Value::text(&name))],
            );
        }
        Change::SurveyAnswered {
            account,
            contact,
            score,
        } => {
            scene.add(
                at.survey,
                event.number,
                &[
                    ("Name", Value::text(&format!("SR-L{:06}", event.number))),
                    (
                        "Account__c",
                        Value::Id(Id {
                            object: at.account,
                            row: *account,
                        }),
                    ),
                    (
                        "Contact__c",
                        contact.map_or(Value::Null, |row| {
                            Value::Id(Id {
                                object: at.contact,
                                row,
                            })
                        }),
                    ),
                    ("Score__c", Value::Num(f64::from(*score))),
                    ("Responded_At__c", Value::Time(now)),
                ],
                *account,
            );
        }
        // Calls to action live in Gainsight.
        Change::RiskOpened { .. } => {}
    }
}

struct Scene<'a> {
    store: &'a mut Store,
    fill: &'a Fill,
    now: i64,
}

impl Scene<'_> {
    fn set(&mut self, id: Id, values: &[(&str, Value)]) {
        if !self.store.exists(id) || self.store.deleted(id) {
            return;
        }
        let before = self.store.row(id);
        let mut row = before.clone();
        self.write(id, &mut row, values, Some(&before));
    }

    fn add(&mut self, object: u16, number: u64, values: &[(&str, Value)], account: u32) {
        let account = Id {
            object: self.fill.at.account,
            row: account,
        };
        if !self.store.exists(account) || self.store.deleted(account) {
            return;
        }
        let id = Id {
            object,
            row: self.store.live_row(object, number),
        };
        let schema = self.store.schema.clone();
        let definition = schema.object(object);
        let mut row: Row = definition
            .fields
            .iter()
            .map(|field| {
                if field.kind == Kind::Bool {
                    Value::Bool(false)
                } else {
                    Value::Null
                }
            })
            .collect();
        let integration = Value::Id(self.fill.integration_user());
        row[common::ID] = Value::Id(id);
        row[common::CREATED_DATE] = Value::Time(self.now);
        row[common::CREATED_BY] = integration.clone();
        if let Some(owner) = definition.field("OwnerId") {
            row[owner] = integration;
        }
        if let (Some(to), Some(from)) = (
            definition.field("CurrencyIsoCode"),
            schema.object(account.object).field("CurrencyIsoCode"),
        ) {
            row[to] = self.store.get(account, from);
        }
        self.write(id, &mut row, values, None);
    }

    fn write(&mut self, id: Id, row: &mut Row, values: &[(&str, Value)], before: Option<&Row>) {
        let schema = self.store.schema.clone();
        let definition = schema.object(id.object);
        let mut given = HashSet::new();
        for (name, value) in values {
            if let Some(place) = definition.field(name) {
                row[place] = value.clone();
                given.insert(place);
            }
        }
        let _ = derive(self.store, definition, row, before, &given, self.now);
        row[common::MODIFIED_DATE] = Value::Time(self.now);
        row[common::MODIFIED_BY] = Value::Id(self.fill.integration_user());
        row[common::STAMP] = Value::Time(self.now);
        self.store.put(id, row.clone());
    }
}

/// What changed of a record between two instants, for the `updated` and `deleted` resources: `{ids}` or `{deletedRecords}`.
pub fn between(store: &Store, object: u16, from: i64, to: i64, deleted: bool) -> Vec<Json> {
    let mut found = Vec::new();
    store.since(object, from, &mut |row| {
        let id = Id { object, row };
        let stamp = store.stamp(id);
        if stamp >= to {
            return false;
        }
        if store.deleted(id) == deleted {
            let text = store.schema.id_text(id);
            found.push(if deleted {
                let mut entry = Map::new();
                entry.insert("id".into(), text.into());
                entry.insert("deletedDate".into(), super::value::time_text(stamp).into());
                Json::Object(entry)
            } else {
                text.into()
            });
        }
        true
    });
    found
}
