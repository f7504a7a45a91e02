//! Our own users (`/v1/users`) and the customers' people (`/v1/peoplemgmt`).

use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::catalog::ObjectId;
use super::data::whole;
use super::envelope::{Refusal, reply};
use super::query::{self, DATA, Filter};
use super::store::{Op, Store};
use super::value::{self, Val};
use super::{Answer, Tenant, body, gsid, write};

/// `POST /v1/users/services/list`.
pub(super) async fn users(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    let store = tenant.read();
    let number = |key: &str, default: u64| {
        request.get(key).and_then(Value::as_u64).unwrap_or(default) as usize
    };
    let (limit, page) = (
        number("limit", 500).clamp(1, 5000),
        number("page", 1).max(1),
    );
    let filter = Filter::compile(&store, ObjectId::User, request.get("where"), DATA)?;
    let order = query::order(&store, ObjectId::User, request.get("orderBy"), DATA)?;
    let rows = query::select(&store, ObjectId::User, &filter, &order, usize::MAX);
    let mut select = Vec::new();
    for field in request
        .get("select")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let path = store.path(ObjectId::User, field).ok_or_else(|| {
            Refusal::new(
                DATA.bad_field,
                format!("Invalid fields in select clause - {field}"),
            )
        })?;
        select.push((field, path));
    }
    let users = rows
        .iter()
        .skip((page - 1).saturating_mul(limit))
        .take(limit)
        .map(|row| {
            if select.is_empty() {
                return Value::Object(whole(&store, ObjectId::User, *row, false));
            }
            Value::Object(
                select
                    .iter()
                    .map(|(name, path)| {
                        (
                            (*name).to_owned(),
                            store
                                .follow(ObjectId::User, *row, path)
                                .json(path.kind, false),
                        )
                    })
                    .collect(),
            )
        });
    let mut data = json!({ "users": users.collect::<Vec<_>>(), "page": page, "limit": limit });
    if request
        .get("includeTotal")
        .and_then(Value::as_bool)
        .unwrap_or(false)
    {
        data["total"] = json!(rows.len());
    }
    Ok(reply(data))
}

/// `PUT /v1/peoplemgmt/v1.0/people`: finds the person by mail address, changes or creates it, and its place at a company.
pub(super) async fn upsert(State(tenant): Tenant, bytes: Bytes) -> Answer {
    let request = body(&bytes)?;
    let id = tenant.change(|store| {
        let text = |key: &str| request.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let email = text("Email").filter(|email| email.contains('@')).ok_or_else(|| Refusal::new("GSPEOPLE_1001", "Email is missing or no mail address"))?;
        let mut values = Map::new();
        for field in ["Name", "FirstName", "LastName", "Email", "ExternalId"] {
            if let Some(value) = text(field) {
                values.insert(field.to_owned(), json!(value));
            }
        }
        let known = store.object(ObjectId::Person).field("Email").and_then(|field| {
            store.rows(ObjectId::Person).find(|row| matches!(store.get(ObjectId::Person, *row, field), Val::Text(value) if value.eq_ignore_ascii_case(email)))
        });
        let mut writes = Vec::new();
        let person = match known {
            Some(row) => {
                writes.push(write(Op::Update, "Person", row, values));
                row
            }
            None => {
                if !values.contains_key("Name") {
                    let name = format!("{} {}", text("FirstName").unwrap_or_default(), text("LastName").unwrap_or_default());
                    if name.trim().is_empty() {
                        return Err(Refusal::new("GSPEOPLE_1002", "A new person needs a Name"));
                    }
                    values.insert("Name".to_owned(), json!(name.trim()));
                }
                let row = store.next_row(ObjectId::Person);
                writes.push(write(Op::Create, "Person", row, values));
                row
            }
        };
        for company in request.get("companies").and_then(Value::as_array).into_iter().flatten() {
            writes.push(place(store, person, company)?);
        }
        Ok((writes, gsid(ObjectId::Person, person)))
    })?;
    Ok(reply(json!({ "Gsid": id })))
}

/// The write that puts a person at a company, or changes the title there.
fn place(store: &mut Store, person: u32, company: &Value) -> Result<super::store::Write, Refusal> {
    let id = company
        .get("Company_ID")
        .or_else(|| company.get("Company_Gsid"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let row = store
        .find(ObjectId::Company, id)
        .ok_or_else(|| Refusal::new("GSPEOPLE_1003", "Company_ID is no company"))?;
    let mut values = Map::new();
    for field in ["Title", "Role", "IsPrimaryCompany", "Active"] {
        let object = store.object(ObjectId::CompanyPerson);
        if let (Some(json), Some(place)) = (company.get(field), object.field(field)) {
            let kind = object.fields[place as usize].kind;
            let value = value::read(kind, json).ok_or_else(|| {
                Refusal::new("GSPEOPLE_1004", format!("Invalid value for field {field}"))
            })?;
            values.insert(field.to_owned(), value.json(kind, false));
        }
    }
    let known = store.rows(ObjectId::CompanyPerson).find(|place| {
        store.named(ObjectId::CompanyPerson, *place, "Person_ID")
            == Val::Row(ObjectId::Person, person)
            && store.named(ObjectId::CompanyPerson, *place, "Company_ID")
                == Val::Row(ObjectId::Company, row)
    });
    if let Some(known) = known {
        return Ok(write(Op::Update, "Company_Person", known, values));
    }
    values.insert(
        "Person_ID".to_owned(),
        json!(gsid(ObjectId::Person, person)),
    );
    values.insert("Company_ID".to_owned(), json!(gsid(ObjectId::Company, row)));
    values.entry("Active").or_insert(Value::Bool(true));
    let place = store.next_row(ObjectId::CompanyPerson);
    Ok(write(Op::Create, "Company_Person", place, values))
}
