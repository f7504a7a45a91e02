//! The push API: attributes and events of accounts and contacts, by GET with a query or by POST with JSON or a form. An answer
//! says only whether everything was taken.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::activity::event_type;
use super::catalog::{ACCOUNT, CONTACT, EVENT, EVENT_TYPE, USER_ACCOUNT, id, row_of};
use super::{Refusal, Tenant};
use crate::simulate::form;
use crate::simulate::overlay::{Kind, Op, Overlay, Write, instant, iso};

type Item = Map<String, Value>;

/// `GET` and `POST /i`.
pub(super) async fn push(
    Shared(tenant): Tenant,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let Some(items) = items(&query.unwrap_or_default(), &headers, &bytes) else {
        return failed(StatusCode::UNPROCESSABLE_ENTITY);
    };
    let known = |item: &Item| text(item, "appKey").is_some_and(|key| key == tenant.app_key);
    if items.is_empty() || !items.iter().all(known) {
        return failed(StatusCode::UNAUTHORIZED);
    }
    let now = tenant.clock.peek().as_millisecond();
    let outcome = tenant.change(|rows| {
        let mut plan = Plan::new(rows, now);
        for item in &items {
            plan.item(item)
                .ok_or_else(|| Refusal::of(StatusCode::UNPROCESSABLE_ENTITY))?;
        }
        Ok(plan.writes)
    });
    match outcome {
        Ok(()) => Json(json!({ "status": "success" })).into_response(),
        Err(refusal) => failed(refusal.status),
    }
}

fn failed(status: StatusCode) -> Response {
    (status, Json(json!({ "status": "error" }))).into_response()
}

/// What was sent: one item in the query or in a form, or an array of items in JSON.
fn items(query: &str, headers: &HeaderMap, bytes: &Bytes) -> Option<Vec<Item>> {
    let object = |pairs: Vec<(String, String)>| -> Item {
        let pairs = pairs.into_iter();
        pairs
            .map(|(name, value)| (name, Value::String(value)))
            .collect()
    };
    let mut common = object(form::pairs(query));
    if bytes.is_empty() {
        return Some(vec![common]);
    }
    let json = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.contains("json"));
    if !json {
        common.extend(object(form::pairs(std::str::from_utf8(bytes).ok()?)));
        return Some(vec![common]);
    }
    let list = match serde_json::from_slice(bytes).ok()? {
        Value::Array(list) => list,
        one => vec![one],
    };
    list.into_iter()
        .map(|item| match item {
            Value::Object(mut fields) => {
                if let (None, Some(key)) = (fields.get("appKey"), common.get("appKey")) {
                    fields.insert("appKey".to_owned(), key.clone());
                }
                Some(fields)
            }
            _ => None,
        })
        .collect()
}

fn text<'a>(item: &'a Item, key: &str) -> Option<&'a str> {
    item.get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The writes of one request, worked out on the rows as they are and on those that it creates itself.
struct Plan<'a> {
    rows: &'a mut Overlay,
    now: i64,
    accounts: HashMap<String, u32>,
    contacts: HashMap<(String, String), u32>,
    types: HashMap<String, u32>,
    writes: Vec<Write>,
}

impl<'a> Plan<'a> {
    fn new(rows: &'a mut Overlay, now: i64) -> Self {
        let external = rows.tables[ACCOUNT].field("ExternalId").unwrap_or(0);
        let pair = |row: u32| match rows.get(ACCOUNT, row, external) {
            Value::String(text) => Some((text, row)),
            _ => None,
        };
        let accounts = rows.rows(ACCOUNT).filter_map(pair).collect();
        Plan {
            rows,
            now,
            accounts,
            contacts: HashMap::new(),
            types: HashMap::new(),
            writes: Vec::new(),
        }
    }

    /// Plans one item; nothing when it cannot be taken.
    fn item(&mut self, item: &Item) -> Option<()> {
        let account = text(item, "accountExternalId")?;
        match text(item, "action")? {
            "setAttribute" => self.attributes(item, account, false),
            "incrementAttribute" => self.attributes(item, account, true),
            "trackEvent" => self.event(item, account),
            // Time in the product is taken, and shows nowhere in the sets.
            "trackTimeInApp" => {
                instant(text(item, "startDate")?)?;
                instant(text(item, "endDate")?)?;
                Some(())
            }
            "deleteAccount" => {
                let row = self.accounts.remove(account)?;
                let write = self.rows.write(Op::Delete, ACCOUNT, row, []);
                self.writes.push(write);
                Some(())
            }
            "deleteContact" => {
                let row = self.contact(account, text(item, "contactExternalId")?)?;
                let write = self.rows.write(Op::Delete, CONTACT, row, []);
                self.writes.push(write);
                Some(())
            }
            // The batches of CSV files are worked through later and reported by mail; nothing takes them here.
            _ => None,
        }
    }

    fn create(&mut self, table: usize, values: Vec<(&str, Value)>) -> u32 {
        let row = self.rows.next_row(table);
        let mut write = self.rows.write(Op::Create, table, row, []);
        write.values = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        self.writes.push(write);
        row
    }

    /// The account with this id; one that is not known comes into being.
    fn account(&mut self, external: &str) -> u32 {
        if let Some(row) = self.accounts.get(external) {
            return *row;
        }
        let values = vec![
            ("ExternalId", json!(external)),
            ("Name", json!(external)),
            ("IsActive", json!(true)),
        ];
        let row = self.create(ACCOUNT, values);
        self.accounts.insert(external.to_owned(), row);
        row
    }

    fn contact(&mut self, account: &str, external: &str) -> Option<u32> {
        let key = (account.to_owned(), external.to_owned());
        if let Some(row) = self.contacts.get(&key) {
            return Some(*row);
        }
        let rows = &*self.rows;
        let place = rows.tables[CONTACT].field("ExternalId")?;
        let found = rows.rows(CONTACT).find(|row| {
            rows.get(CONTACT, *row, place).as_str() == Some(external)
                && rows.text(CONTACT, *row, "AccountExternalId") == account
        })?;
        self.contacts.insert(key, found);
        Some(found)
    }

    fn attributes(&mut self, item: &Item, account: &str, add: bool) -> Option<()> {
        let of_contact = text(item, "entity").unwrap_or("account") == "contact";
        let mut given: Vec<(String, String)> = Vec::new();
        if let (Some(name), Some(value)) = (text(item, "name"), item.get("value")) {
            given.push((name.to_owned(), plain(value)?));
        }
        for (name, value) in item {
            if let Some(name) = name.strip_prefix("attr_") {
                given.push((name.to_owned(), plain(value)?));
            }
        }
        if given.is_empty() {
            return None;
        }
        let owner = self.account(account);
        let (table, row) = if of_contact {
            let external = text(item, "contactExternalId")?;
            let row = match self.contact(account, external) {
                Some(row) => row,
                None => {
                    let values = vec![
                        ("ExternalId", json!(external)),
                        ("AccountId", id(ACCOUNT, owner)),
                        ("IsActive", json!(true)),
                    ];
                    let row = self.create(CONTACT, values);
                    let key = (account.to_owned(), external.to_owned());
                    self.contacts.insert(key, row);
                    row
                }
            };
            (CONTACT, row)
        } else {
            (ACCOUNT, owner)
        };
        let mut write = self.rows.write(Op::Update, table, row, []);
        for (name, value) in given {
            if let Some((name, value)) = self.attribute(table, row, &name, &value, add) {
                write.values.insert(name.to_owned(), value);
            }
        }
        if !write.values.is_empty() {
            self.writes.push(write);
        }
        Some(())
    }

    /// The field that an attribute means, and its value; nothing for one that is not there or not of its type.
    fn attribute(
        &self,
        table: usize,
        row: u32,
        name: &str,
        value: &str,
        add: bool,
    ) -> Option<(&'static str, Value)> {
        let shape = &self.rows.tables[table];
        if table == ACCOUNT && name == "OwnerUserAccount" {
            let users = self.rows.rows(USER_ACCOUNT);
            let is = |row: &u32, field: &str| {
                let known = self.rows.text(USER_ACCOUNT, *row, field);
                known.eq_ignore_ascii_case(value.trim())
            };
            let user = users
                .into_iter()
                .find(|row| is(row, "Email") || is(row, "FullName"))?;
            return Some(("OwnerUserAccountId", id(USER_ACCOUNT, user)));
        }
        if table == ACCOUNT && name == "ParentAccountExternalId" {
            let parent = self.accounts.get(value)?;
            return Some(("ParentAccountId", id(ACCOUNT, *parent)));
        }
        let place = shape
            .field(name)
            .or_else(|| shape.field(&format!("Cf/{name}")))?;
        let field = shape.fields.get(place).filter(|field| field.writable)?;
        let number = || {
            value
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
        };
        let value = match field.kind {
            Kind::Int | Kind::Decimal => {
                let base = if add {
                    self.rows.get(table, row, place).as_f64().unwrap_or(0.0)
                } else {
                    0.0
                };
                crate::simulate::overlay::number(base + number()?)
            }
            _ if add => return None,
            Kind::Text => json!(value),
            Kind::Bool => match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => json!(true),
                "false" | "0" | "no" => json!(false),
                _ => return None,
            },
            Kind::Instant if value.is_empty() => Value::Null,
            Kind::Instant => iso(jiff::Timestamp::from_millisecond(instant(value)?).ok()?),
            Kind::List => json!(value.split(',').map(str::trim).collect::<Vec<_>>()),
            Kind::Row(other) => {
                let row = row_of(other, value.parse().ok()?)?;
                self.rows.exists(other, row).then(|| id(other, row))?
            }
        };
        Some((field.name, value))
    }

    fn event(&mut self, item: &Item, account: &str) -> Option<()> {
        let name = text(item, "eventName")?;
        let at = match text(item, "eventDate") {
            Some(date) => instant(date)?,
            None => self.now,
        };
        // What has not happened yet is not taken; clocks may differ by a minute.
        if at > self.now + 60_000 {
            return None;
        }
        let quantity = match item.get("quantity").and_then(plain) {
            Some(text) => text.trim().parse::<f64>().ok().filter(|n| n.is_finite())?,
            None => 1.0,
        };
        let owner = self.account(account);
        let kind = match self.types.get(name) {
            Some(row) => *row,
            None => {
                let row = match event_type(self.rows, name) {
                    Some(row) => row,
                    None => self.create(EVENT_TYPE, vec![("Name", json!(name))]),
                };
                self.types.insert(name.to_owned(), row);
                row
            }
        };
        let mut values = vec![
            (
                "EventDate",
                iso(jiff::Timestamp::from_millisecond(at).ok()?),
            ),
            ("EventTypeId", id(EVENT_TYPE, kind)),
            ("AccountId", id(ACCOUNT, owner)),
            ("Quantity", crate::simulate::overlay::number(quantity)),
        ];
        for (key, field) in [
            ("description", "Description"),
            ("contactExternalId", "ContactExternalId"),
        ] {
            if let Some(text) = text(item, key) {
                values.push((field, json!(text)));
            }
        }
        // The same again is passed over, unless that is wanted.
        let again = item
            .get("allowDupes")
            .and_then(plain)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if !again && self.twice(&values) {
            return Some(());
        }
        self.create(EVENT, values);
        Some(())
    }

    /// Whether the same event was pushed before.
    fn twice(&self, values: &[(&str, Value)]) -> bool {
        let kept = self.rows.new_rows(EVENT).any(|row| {
            values
                .iter()
                .all(|(name, value)| self.rows.named(EVENT, row, name) == *value)
        });
        kept || self.writes.iter().any(|write| {
            write.table == "Event"
                && values
                    .iter()
                    .all(|(name, value)| write.values.get(*name) == Some(value))
        })
    }
}
