//! The models of the tenant: which fields each has, and how they are read from a row of the world. Names that begin with
//! `custom.` are the tenant's own fields; they lie in the object `custom`.

use serde_json::{Value, json};

use super::work;
use crate::simulate::labels;
use crate::simulate::overlay::{
    Field, Kind, Overlay, Table, derived, field, fixed, iso_day, iso_second, nothing, number, of,
    own_id, required, text,
};
use crate::simulate::world::rng::hash;
use crate::simulate::world::{Account, Lifecycle, World, ids};

pub(super) const COMPANIES: usize = 0;
pub(super) const ENDUSERS: usize = 1;
pub(super) const USERS: usize = 2;
pub(super) const CUSTOMFIELDS: usize = 3;
pub(super) const TASKS: usize = 4;
pub(super) const OPPORTUNITIES: usize = 5;
pub(super) const LICENSES: usize = 6;
pub(super) const CONVERSATIONS: usize = 7;
pub(super) const NPS: usize = 8;
/// Points of metrics; they are no table, but have ids.
pub(super) const METRICS: usize = 31;

/// All models, in the order of the constants.
pub(super) fn tables() -> Vec<Table> {
    vec![
        companies(),
        endusers(),
        users(),
        customfields(),
        work::tasks(),
        work::opportunities(),
        work::licenses(),
        work::conversations(),
        work::nps(),
        work::churn(),
        work::invoices(),
        work::issues(),
        plain("sales", "product"),
        plain("assets", "name"),
        plain("projects", "name"),
        plain("workspaces", "name"),
        plain("objectives", "name"),
        plain("workflows", "name"),
        plain("campaigns", "name"),
    ]
}

/// 24 hexadecimal digits: the model, the row, and a hash of both, so that a mistyped id is not another record.
pub(super) fn id(table: usize, row: u32) -> Value {
    Value::String(id_text(table, row))
}

pub(super) fn id_text(table: usize, row: u32) -> String {
    let check = hash((table as u64) << 40 ^ u64::from(row) ^ 0x70_6c61_6e68) >> 8;
    format!("{:02x}{row:08x}{check:014x}", 0x60 + table)
}

/// The row of an id of this model.
pub(super) fn row_of(table: usize, id: &str) -> Option<u32> {
    if id.len() != 24 || !id.is_ascii() {
        return None;
    }
    let row = u32::from_str_radix(&id[2..10], 16).ok()?;
    (id_text(table, row) == id.to_ascii_lowercase()).then_some(row)
}

pub(super) fn seen(world: &World, account: u32) -> bool {
    world
        .accounts
        .get(account as usize)
        .is_some_and(|account| account.in_gainsight)
}

pub(super) fn company(account: u32) -> Value {
    id(COMPANIES, account)
}

pub(super) fn user(row: u32) -> Value {
    id(USERS, row)
}

/// The name of the company that a row belongs to, as it is now.
pub(super) fn company_name(state: &Overlay, table: usize, row: u32, key: &str) -> Value {
    let id = state.text(table, row, key);
    row_of(COMPANIES, &id)
        .filter(|row| state.exists(COMPANIES, *row))
        .map_or(Value::Null, |row| state.named(COMPANIES, row, "name"))
}

/// The stamps of a row: when it was created and last changed.
pub(super) fn stamped(
    fields: Vec<Field>,
    created: Field,
    modified: Field,
) -> (Vec<Field>, (&'static str, &'static str)) {
    let names = (created.name, modified.name);
    let mut fields = fields;
    fields.extend([created, modified]);
    (fields, names)
}

fn of_account(world: &World, row: u32, read: impl FnOnce(&Account) -> Value) -> Value {
    of(&world.accounts, row, read)
}

fn usd(world: &World, account: &Account) -> f64 {
    world.usd(account.arr, account.currency)
}

fn companies() -> Table {
    let fields = vec![
        own_id("_id"),
        required("name", Kind::Text, |w, r| {
            of_account(w, r, |a| text(a.name_in_gainsight()))
        }),
        derived("slug", Kind::Text, |o, r| {
            slug(&o.text(COMPANIES, r, "name"))
        }),
        field("owner", Kind::Row(USERS), |w, r| {
            of_account(w, r, |a| user(a.csm))
        }),
        field("coOwner", Kind::Row(USERS), |w, r| {
            of_account(w, r, |a| user(a.seller))
        }),
        field("externalId", Kind::Text, |_, r| {
            Value::String(format!("cust-{r:06}"))
        }),
        field("sourceId", Kind::Text, |w, r| {
            match w.accounts.get(r as usize) {
                Some(a) if a.in_salesforce && a.linked => {
                    Value::String(ids::salesforce_id("001", u64::from(r)))
                }
                _ => Value::Null,
            }
        }),
        field("phase", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::phase(a.lifecycle)))
        }),
        field("status", Kind::Text, |w, r| {
            of_account(w, r, |a| {
                text(if a.lifecycle == Lifecycle::Churned {
                    "lost"
                } else if a.start > w.anchor {
                    "coming"
                } else {
                    "customer"
                })
            })
        }),
        field("domains", Kind::List, |w, r| {
            of_account(w, r, |a| {
                if a.gainsight_domain && !a.domain.is_empty() {
                    json!([a.domain])
                } else {
                    json!([])
                }
            })
        }),
        // A small number: an example of the vendor shows 5 on a new company, so it is taken as 0 to 10 [G].
        fixed("h", Kind::Int, |w, r| {
            w.health_now(r).map_or(Value::Null, |score| {
                Value::from((u32::from(score) + 5) / 10)
            })
        }),
        fixed("hProfile", Kind::Text, |w, r| {
            of_account(w, r, |a| {
                Value::String(format!("5d3f2c6d62e03e4720{:06x}", a.segment as u32 + 1))
            })
        }),
        fixed("mrr", Kind::Decimal, |w, r| {
            of_account(w, r, |a| number(usd(w, a) / 12.0))
        }),
        fixed("arr", Kind::Decimal, |w, r| {
            of_account(w, r, |a| number(usd(w, a)))
        }),
        fixed("renewalMrr", Kind::Decimal, |w, r| {
            of_account(w, r, |a| number(usd(w, a) / 12.0))
        }),
        fixed("renewalArr", Kind::Decimal, |w, r| {
            of_account(w, r, |a| number(usd(w, a)))
        }),
        fixed("customerFrom", Kind::Instant, |w, r| {
            of_account(w, r, |a| iso_day(a.start))
        }),
        fixed("customerTo", Kind::Instant, |w, r| {
            let left = w.renewals_of(r).next_back().and_then(|place| {
                let renewal = &w.renewals[place];
                (renewal.stage == crate::simulate::world::Stage::Lost).then_some(renewal.due)?
            });
            left.map_or(Value::Null, iso_day)
        }),
        fixed("lastRenewal", Kind::Instant, |w, r| {
            let won = w.renewals_of(r).rev().find_map(|place| {
                let renewal = &w.renewals[place];
                (renewal.stage == crate::simulate::world::Stage::Won).then_some(renewal.due)?
            });
            won.map_or(Value::Null, iso_day)
        }),
        field("renewalDate", Kind::Instant, |w, r| {
            of_account(w, r, |a| a.renewal_date.map_or(Value::Null, iso_day))
        }),
        derived("nextRenewal", Kind::Instant, |o, r| {
            o.named(COMPANIES, r, "renewalDate")
        }),
        field("csmScore", Kind::Int, |w, r| {
            of_account(w, r, |a| Value::from(3 + 2 * i64::from(a.sentiment)))
        }),
        field("web", Kind::Text, |w, r| {
            of_account(w, r, |a| {
                if a.gainsight_domain && !a.domain.is_empty() {
                    Value::String(format!("https://www.{}", a.domain))
                } else {
                    Value::Null
                }
            })
        }),
        field("country", Kind::Text, |w, r| {
            of_account(w, r, |a| text(a.country))
        }),
        field("description", Kind::Text, nothing),
        field("tags", Kind::List, |w, r| {
            of_account(w, r, |a| json!([labels::segment(a.segment)]))
        }),
        field("parentCompanyId", Kind::Row(COMPANIES), |w, r| {
            of_account(w, r, |a| {
                a.parent
                    .filter(|parent| seen(w, *parent))
                    .map_or(Value::Null, company)
            })
        }),
        field("custom.Segment", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::segment(a.segment)))
        }),
        field("custom.Touch Model", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::touch(a.touch)))
        }),
        field("custom.Industry", Kind::Text, |w, r| {
            of_account(w, r, |a| text(a.industry))
        }),
        field("custom.Sentiment", Kind::Text, |w, r| {
            of_account(w, r, |a| text(labels::sentiment(a.sentiment)))
        }),
        field("custom.Notice Days", Kind::Int, |w, r| {
            w.contracts_of(r).next_back().map_or(Value::Null, |place| {
                Value::from(w.contracts[place].notice_days)
            })
        }),
        field("custom.Seats", Kind::Int, |w, r| {
            of_account(w, r, |a| Value::from(a.seats))
        }),
        field("custom.Employees", Kind::Int, |w, r| {
            of_account(w, r, |a| Value::from(a.employees))
        }),
        derived("lastUpdated", Kind::Instant, |o, r| {
            o.named(COMPANIES, r, "updatedAt")
        }),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createDate", Kind::Instant, |w, r| {
            of_account(w, r, |a| iso_second(a.created))
        }),
        fixed("updatedAt", Kind::Instant, |w, r| {
            of_account(w, r, |a| iso_second(a.modified))
        }),
    );
    Table {
        name: "companies",
        fields,
        rows: |w| w.accounts.len() as u32,
        seen,
        account: Some(|_, r| r),
        stamps,
    }
}

/// Lower case letters and digits of a name.
fn slug(name: &str) -> Value {
    let slug: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    text(&slug)
}

fn endusers() -> Table {
    let fields = vec![
        own_id("_id"),
        required("companyId", Kind::Row(COMPANIES), |w, r| {
            of(&w.contacts, r, |c| company(c.account))
        }),
        derived("companyName", Kind::Text, |o, r| {
            company_name(o, ENDUSERS, r, "companyId")
        }),
        field("firstName", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(&c.first))
        }),
        field("lastName", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(&c.last))
        }),
        derived("name", Kind::Text, |o, r| {
            let name = format!(
                "{} {}",
                o.text(ENDUSERS, r, "firstName"),
                o.text(ENDUSERS, r, "lastName")
            );
            text(name.trim())
        }),
        field("email", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(&c.email))
        }),
        field("position", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(c.title))
        }),
        field("phone", Kind::Text, nothing),
        field("primary", Kind::Bool, |w, r| {
            of(&w.contacts, r, |c| Value::Bool(c.primary))
        }),
        field("archived", Kind::Bool, |w, r| {
            of(&w.contacts, r, |c| Value::Bool(c.left.is_some()))
        }),
        field("tags", Kind::List, |w, r| {
            of(&w.contacts, r, |c| json!([labels::role(c.role)]))
        }),
        field("externalId", Kind::Text, |_, r| {
            Value::String(format!("person-{r:07}"))
        }),
        field("sourceId", Kind::Text, nothing),
        field("custom.Role", Kind::Text, |w, r| {
            of(&w.contacts, r, |c| text(labels::role(c.role)))
        }),
        field("custom.Left On", Kind::Instant, |w, r| {
            of(&w.contacts, r, |c| c.left.map_or(Value::Null, iso_day))
        }),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createDate", Kind::Instant, |w, r| {
            of(&w.contacts, r, |c| iso_second(c.created))
        }),
        fixed("updatedAt", Kind::Instant, |w, r| {
            of(&w.contacts, r, |c| iso_second(c.modified))
        }),
    );
    Table {
        name: "endusers",
        fields,
        rows: |w| w.contacts.len() as u32,
        seen: |w, r| {
            w.contacts
                .get(r as usize)
                .is_some_and(|c| seen(w, c.account))
        },
        account: Some(|w, r| w.contacts[r as usize].account),
        stamps,
    }
}

fn users() -> Table {
    let fields = vec![
        own_id("_id"),
        required("nickName", Kind::Text, |w, r| {
            of(&w.users, r, |u| Value::String(u.name()))
        }),
        field("firstName", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(&u.first))
        }),
        field("lastName", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(&u.last))
        }),
        required("email", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(&u.email))
        }),
        field("position", Kind::Text, |w, r| {
            of(&w.users, r, |u| text(u.title))
        }),
        // People who left stay in the list, because rows name them [G].
        field("removed", Kind::Bool, |w, r| {
            of(&w.users, r, |u| Value::Bool(!u.active))
        }),
        field("externalId", Kind::Text, nothing),
        field("sourceId", Kind::Text, nothing),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createdAt", Kind::Instant, |w, r| {
            of(&w.users, r, |u| iso_second(u.created))
        }),
        fixed("updatedAt", Kind::Instant, |w, r| {
            of(&w.users, r, |u| iso_second(u.modified))
        }),
    );
    Table {
        name: "users",
        fields,
        rows: |w| w.users.len() as u32,
        seen: |_, _| true,
        account: None,
        stamps,
    }
}

/// The tenant's own fields: model, name, type.
const CUSTOM: [(&str, &str, &str); 14] = [
    ("company", "Segment", "list"),
    ("company", "Touch Model", "list"),
    ("company", "Industry", "text"),
    ("company", "Sentiment", "list"),
    ("company", "Notice Days", "number"),
    ("company", "Seats", "number"),
    ("company", "Employees", "number"),
    ("enduser", "Role", "list"),
    ("enduser", "Left On", "date"),
    ("task", "Priority", "list"),
    ("opportunity", "Forecast Category", "list"),
    ("opportunity", "Notice Deadline", "date"),
    ("opportunity", "Probability", "number"),
    ("opportunity", "Loss Reason", "list"),
];

fn customfields() -> Table {
    let fields = vec![
        own_id("_id"),
        required("parent", Kind::Text, |_, r| of(&CUSTOM, r, |c| text(c.0))),
        required("name", Kind::Text, |_, r| of(&CUSTOM, r, |c| text(c.1))),
        required("type", Kind::Text, |_, r| of(&CUSTOM, r, |c| text(c.2))),
        field("isHidden", Kind::Bool, |_, _| Value::Bool(false)),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createdAt", Kind::Instant, nothing),
        fixed("updatedAt", Kind::Instant, nothing),
    );
    Table {
        name: "customfields",
        fields,
        rows: |_| CUSTOM.len() as u32,
        seen: |_, _| true,
        account: None,
        stamps,
    }
}

/// A model of which the world has no rows; clients can create some.
fn plain(name: &'static str, title: &'static str) -> Table {
    let fields = vec![
        own_id("_id"),
        required(title, Kind::Text, nothing),
        field("companyId", Kind::Row(COMPANIES), nothing),
        field("externalId", Kind::Text, nothing),
        field("sourceId", Kind::Text, nothing),
        field("value", Kind::Decimal, nothing),
        field("_currency", Kind::Text, nothing),
        field("salesDate", Kind::Instant, nothing),
    ];
    let (fields, stamps) = stamped(
        fields,
        fixed("createdAt", Kind::Instant, nothing),
        fixed("updatedAt", Kind::Instant, nothing),
    );
    Table {
        name,
        fields,
        rows: |_| 0,
        seen: |_, _| false,
        account: None,
        stamps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_stand_where_their_constants_say_and_ids_come_back() {
        let tables = tables();
        for (place, name) in [
            (COMPANIES, "companies"),
            (ENDUSERS, "endusers"),
            (USERS, "users"),
            (CUSTOMFIELDS, "customfields"),
            (TASKS, "tasks"),
            (OPPORTUNITIES, "opportunities"),
            (LICENSES, "licenses"),
            (CONVERSATIONS, "conversations"),
            (NPS, "nps"),
        ] {
            assert_eq!(tables[place].name, name);
        }
        for row in [0, 7, 240, u32::MAX] {
            let id = id_text(TASKS, row);
            assert_eq!((id.len(), row_of(TASKS, &id)), (24, Some(row)));
            assert_eq!(row_of(COMPANIES, &id), None);
        }
    }
}
