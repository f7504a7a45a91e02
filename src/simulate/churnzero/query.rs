//! Reading: the service document, its metadata, lists, single entities by their keys.

use std::cmp::Ordering;
use std::fmt::Write as _;

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::activity;
use super::catalog::{ACCOUNT, CONTACT, EVENT_CALCULATIONS, row_of};
use super::filter::Filter;
use super::{Answer, ChurnZero, ROOT, Refusal, Tenant};
use crate::simulate::form;
use crate::simulate::overlay::{Kind, Overlay};

/// Rows of a page.
const PAGE: usize = 100;

/// Query options of the protocol that are known here.
const OPTIONS: [&str; 9] = [
    "$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$count", "$apply", "$format",
];

type Pairs = Vec<(String, String)>;

/// `GET /public/v1`: which sets there are.
pub(super) async fn service(Shared(tenant): Tenant) -> Answer {
    let rows = tenant.read();
    let sets: Vec<Value> = rows
        .tables
        .iter()
        .map(|table| json!({ "name": table.name, "kind": "EntitySet", "url": table.name }))
        .collect();
    Ok(reply(
        json!({ "@odata.context": tenant.context(""), "value": sets }),
    ))
}

fn reply(value: Value) -> Response {
    (
        [(CONTENT_TYPE, "application/json; odata.metadata=minimal")],
        value.to_string(),
    )
        .into_response()
}

/// `GET /public/v1/{set}`, also with a key in brackets, and `$metadata`.
pub(super) async fn set(
    Shared(tenant): Tenant,
    Path(text): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let pairs = form::pairs(&query.unwrap_or_default());
    if text == "$metadata" {
        return Ok((
            [(CONTENT_TYPE, "application/xml")],
            metadata(&tenant.read()),
        )
            .into_response());
    }
    blocking(move || {
        let rows = tenant.read();
        let (name, key) = named(&text)?;
        let table = table(&rows, name)?;
        match key {
            None => Ok(reply(tenant.list(&rows, table, &pairs, None)?)),
            Some(key) => Ok(reply(tenant.entity(&rows, table, key, &pairs)?)),
        }
    })
    .await
}

/// `GET /public/v1/{set}/{rest}`: `Account/$count`, and the accounts of a factor.
pub(super) async fn below(
    Shared(tenant): Tenant,
    Path((text, rest)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Answer {
    let pairs = form::pairs(&query.unwrap_or_default());
    blocking(move || {
        let rows = tenant.read();
        let (name, key) = named(&text)?;
        let table = table(&rows, name)?;
        match (key, rest.as_str()) {
            (None, "$count") => {
                let filter = Filter::compile(&rows, table, form::value(&pairs, "$filter"))?;
                let count = found(&rows, table, &filter, None).count();
                Ok(count.to_string().into_response())
            }
            // The account of one calculation of a factor, as a list of one.
            (Some(key), "Account") if name == "ChurnScoreFactorCalculation" => {
                let account = row_by_key(&rows, table, key)?
                    .and_then(|row| rows.named(table, row, "AccountId").as_i64())
                    .and_then(|id| row_of(ACCOUNT, id))
                    .ok_or_else(Refusal::not_found)?;
                Ok(reply(tenant.list(&rows, ACCOUNT, &pairs, Some(account))?))
            }
            _ => Err(Refusal::not_found()),
        }
    })
    .await
}

/// Reading a large set takes its time; the runtime goes on meanwhile.
async fn blocking(work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Refusal::bad(error.to_string())))
}

/// The name of a set and what stands in brackets behind it.
fn named(text: &str) -> Result<(&str, Option<&str>), Refusal> {
    match text.split_once('(') {
        None => Ok((text, None)),
        Some((name, rest)) => rest
            .strip_suffix(')')
            .map(|key| (name, Some(key)))
            .ok_or_else(Refusal::not_found),
    }
}

fn table(rows: &Overlay, name: &str) -> Result<usize, Refusal> {
    rows.table(name).ok_or_else(Refusal::not_found)
}

/// The row of a key: `5`, `Id=5`, or the documented names of outside ids.
fn row_by_key(rows: &Overlay, table: usize, key: &str) -> Result<Option<u32>, Refusal> {
    let id = key.strip_prefix("Id=").unwrap_or(key);
    if let Ok(id) = id.trim().parse::<i64>() {
        return Ok(row_of(table, id).filter(|row| rows.exists(table, *row)));
    }
    let mut wanted = Vec::new();
    for part in split_keys(key) {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| Refusal::bad("The key is not valid."))?;
        let value = value
            .trim()
            .strip_prefix('\'')
            .and_then(|value| value.strip_suffix('\''))
            .ok_or_else(|| Refusal::bad("The key is not valid."))?;
        let field = match (table, name.trim()) {
            (ACCOUNT, "AccountExternalId") | (CONTACT, "ContactExternalId") => "ExternalId",
            (CONTACT, "AccountExternalId") => "AccountExternalId",
            _ => return Err(Refusal::bad(format!("'{name}' is no key of this set."))),
        };
        wanted.push((field, value.replace("''", "'")));
    }
    let complete = wanted.len() == if table == CONTACT { 2 } else { 1 };
    if !complete {
        return Err(Refusal::bad("The key is not complete."));
    }
    Ok(rows.rows(table).find(|row| {
        wanted
            .iter()
            .all(|(field, value)| rows.named(table, *row, field).as_str() == Some(value))
    }))
}

/// The parts of a key between commas that are in no quotes.
fn split_keys(key: &str) -> Vec<String> {
    let (mut parts, mut quoted) = (vec![String::new()], false);
    for c in key.chars() {
        quoted ^= c == '\'';
        if c == ',' && !quoted {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

/// The rows that fit, in the order of their ids.
fn found<'a>(
    rows: &'a Overlay,
    table: usize,
    filter: &'a Filter,
    only: Option<u32>,
) -> Box<dyn Iterator<Item = u32> + 'a> {
    if let Some(only) = only {
        return Box::new(
            Some(only)
                .filter(|row| rows.exists(table, *row))
                .into_iter(),
        );
    }
    let large = EVENT_CALCULATIONS.contains(&table);
    match filter.account(rows).filter(|_| large) {
        Some(account) => {
            let ranges = activity::ranges(table, &rows.world, account);
            Box::new(
                rows.rows_in(table, ranges)
                    .filter(|row| filter.fits(rows, *row)),
            )
        }
        None => Box::new(rows.rows(table).filter(|row| filter.fits(rows, *row))),
    }
}

/// What rows are sorted by.
#[derive(PartialEq)]
enum Key {
    Ms(Option<i64>),
    Value(Value),
}

impl Key {
    fn order(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Ms(a), Key::Ms(b)) => a.cmp(b),
            (Key::Value(Value::String(a)), Key::Value(Value::String(b))) => a.cmp(b),
            (Key::Value(Value::Bool(a)), Key::Value(Value::Bool(b))) => a.cmp(b),
            (Key::Value(a), Key::Value(b)) => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => (!a.is_null()).cmp(&!b.is_null()),
            },
            _ => Ordering::Equal,
        }
    }
}

/// What is shown of each row.
struct Shape {
    select: Option<Vec<usize>>,
    account: bool,
}

impl Shape {
    fn read(rows: &Overlay, table: usize, pairs: &Pairs) -> Result<Self, Refusal> {
        let select = match form::value(pairs, "$select").filter(|text| *text != "*") {
            None => None,
            Some(text) => {
                let mut places = Vec::new();
                for name in text.split(',').map(str::trim) {
                    let before = places.len();
                    let fields = rows.tables[table].fields.iter().enumerate();
                    places.extend(
                        fields
                            .filter(|(_, field)| {
                                field.name == name
                                    || (name == "Cf" && field.name.starts_with("Cf/"))
                            })
                            .map(|(place, _)| place),
                    );
                    if places.len() == before {
                        return Err(unknown_property(rows, table, name));
                    }
                }
                Some(places)
            }
        };
        let account = match form::value(pairs, "$expand") {
            None | Some("") => false,
            Some("Account") if rows.tables[table].field("AccountId").is_some() => true,
            Some(other) => return Err(unknown_property(rows, table, other)),
        };
        Ok(Shape { select, account })
    }

    fn record(&self, rows: &Overlay, table: usize, row: u32) -> Value {
        let mut shown = Map::new();
        let mut own = Map::new();
        for (place, field) in rows.tables[table].fields.iter().enumerate() {
            if self
                .select
                .as_ref()
                .is_some_and(|select| !select.contains(&place))
            {
                continue;
            }
            let value = rows.get(table, row, place);
            match field.name.strip_prefix("Cf/") {
                Some(name) => own.insert(name.to_owned(), value),
                None => shown.insert(field.name.to_owned(), value),
            };
        }
        if !own.is_empty() {
            shown.insert("Cf".to_owned(), Value::Object(own));
        }
        if self.account {
            let account = rows
                .named(table, row, "AccountId")
                .as_i64()
                .and_then(|id| row_of(ACCOUNT, id))
                .filter(|row| rows.exists(ACCOUNT, *row));
            let all = Shape {
                select: None,
                account: false,
            };
            shown.insert(
                "Account".to_owned(),
                account.map_or(Value::Null, |row| all.record(rows, ACCOUNT, row)),
            );
        }
        Value::Object(shown)
    }
}

fn unknown_property(rows: &Overlay, table: usize, name: &str) -> Refusal {
    Refusal::bad(format!(
        "The query specified in the URI is not valid. Could not find a property named '{name}' on type 'ChurnZero.{}'.",
        rows.tables[table].name
    ))
}

fn number(pairs: &Pairs, name: &str) -> Result<Option<usize>, Refusal> {
    form::value(pairs, name)
        .map(|text| {
            text.parse().map_err(|_| {
                Refusal::bad(format!(
                    "The query specified in the URI is not valid. Invalid value '{text}' for {name} query option found."
                ))
            })
        })
        .transpose()
}

impl ChurnZero {
    fn context(&self, fragment: &str) -> String {
        format!("{}{ROOT}/$metadata{fragment}", self.base_url)
    }

    fn entity(
        &self,
        rows: &Overlay,
        table: usize,
        key: &str,
        pairs: &Pairs,
    ) -> Result<Value, Refusal> {
        let row = row_by_key(rows, table, key)?.ok_or_else(Refusal::not_found)?;
        // By an outside key the answer is a list of one, as a client of the vendor reads it; by the id it is the entity.
        if key.contains("ExternalId") {
            return self.list(rows, table, &Vec::new(), Some(row));
        }
        let record = Shape::read(rows, table, pairs)?.record(rows, table, row);
        let mut shown = Map::new();
        let name = rows.tables[table].name;
        shown.insert(
            "@odata.context".to_owned(),
            Value::String(self.context(&format!("#{name}/$entity"))),
        );
        if let Value::Object(fields) = record {
            shown.extend(fields);
        }
        Ok(Value::Object(shown))
    }

    fn list(
        &self,
        rows: &Overlay,
        table: usize,
        pairs: &Pairs,
        only: Option<u32>,
    ) -> Result<Value, Refusal> {
        let name = rows.tables[table].name;
        if let Some((unknown, _)) = pairs
            .iter()
            .find(|(name, _)| name.starts_with('$') && !OPTIONS.contains(&name.as_str()))
        {
            return Err(Refusal::bad(format!(
                "The query parameter '{unknown}' is not supported."
            )));
        }
        if let Some(apply) = form::value(pairs, "$apply") {
            return self.aggregate(rows, table, apply);
        }
        let filter = Filter::compile(rows, table, form::value(pairs, "$filter"))?;
        let shape = Shape::read(rows, table, pairs)?;
        let order = order(rows, table, pairs)?;
        let top = number(pairs, "$top")?;
        let skip = number(pairs, "$skip")?.unwrap_or(0);
        let limit = top.unwrap_or(PAGE).min(PAGE);
        let counted = form::value(pairs, "$count") == Some("true");
        let (chosen, total, more) = if order.is_empty() && !counted {
            let mut chosen: Vec<u32> = found(rows, table, &filter, only)
                .skip(skip)
                .take(limit.saturating_add(1))
                .collect();
            let more = chosen.len() > limit;
            chosen.truncate(limit);
            (chosen, 0, more)
        } else {
            let all = sorted(rows, table, found(rows, table, &filter, only), &order);
            let chosen: Vec<u32> = all.iter().skip(skip).take(limit).copied().collect();
            let more = skip.saturating_add(limit) < all.len();
            (chosen, all.len(), more)
        };
        let mut answer = Map::new();
        answer.insert(
            "@odata.context".to_owned(),
            Value::String(self.context(&format!("#{name}"))),
        );
        if counted {
            answer.insert("@odata.count".to_owned(), Value::from(total));
        }
        let values: Vec<Value> = chosen
            .iter()
            .map(|row| shape.record(rows, table, *row))
            .collect();
        answer.insert("value".to_owned(), Value::Array(values));
        // Who asks for so many rows gets no link to more.
        if more && top.is_none() {
            let mut next: Pairs = pairs
                .iter()
                .filter(|(name, _)| name != "$skip")
                .cloned()
                .collect();
            next.push(("$skip".to_owned(), (skip + limit).to_string()));
            answer.insert(
                "@odata.nextLink".to_owned(),
                Value::String(format!(
                    "{}{ROOT}/{name}?{}",
                    self.base_url,
                    form::joined(&next)
                )),
            );
        }
        Ok(Value::Object(answer))
    }

    /// `aggregate($count as Name)`, with or without `filter(…)/` before it; other transformations are refused [G].
    fn aggregate(&self, rows: &Overlay, table: usize, text: &str) -> Result<Value, Refusal> {
        let unsupported = || Refusal::bad(format!("The transformation '{text}' is not supported."));
        let (filter, rest) = match text.strip_prefix("filter(") {
            None => (None, text),
            Some(rest) => {
                let (filter, rest) = rest.rsplit_once(")/").ok_or_else(unsupported)?;
                (Some(filter), rest)
            }
        };
        let name = rest
            .strip_prefix("aggregate($count as ")
            .and_then(|rest| rest.strip_suffix(')'))
            .filter(|name| name.chars().all(char::is_alphanumeric) && !name.is_empty())
            .ok_or_else(unsupported)?;
        let filter = Filter::compile(rows, table, filter)?;
        let count = found(rows, table, &filter, None).count();
        Ok(json!({
            "@odata.context": self.context(&format!("#{}({name})", rows.tables[table].name)),
            "value": [{ "@odata.id": null, name: count }],
        }))
    }
}

/// `Name desc,Id`: places of fields, and whether downwards.
fn order(rows: &Overlay, table: usize, pairs: &Pairs) -> Result<Vec<(usize, bool)>, Refusal> {
    let Some(text) = form::value(pairs, "$orderby") else {
        return Ok(Vec::new());
    };
    let mut order = Vec::new();
    for part in text.split(',') {
        let mut words = part.split_whitespace();
        let name = words.next().unwrap_or_default();
        let down = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(other) => return Err(Refusal::bad(format!("Syntax error at '{other}'."))),
        };
        let place = rows.tables[table]
            .field(name)
            .ok_or_else(|| unknown_property(rows, table, name))?;
        order.push((place, down));
    }
    Ok(order)
}

fn sorted(
    rows: &Overlay,
    table: usize,
    found: impl Iterator<Item = u32>,
    order: &[(usize, bool)],
) -> Vec<u32> {
    if order.is_empty() {
        return found.collect();
    }
    let key = |row: u32, place: usize| match rows.tables[table].fields[place].kind {
        Kind::Instant => Key::Ms(rows.ms(table, row, place)),
        _ => Key::Value(rows.get(table, row, place)),
    };
    let mut all: Vec<(Vec<Key>, u32)> = found
        .map(|row| {
            let keys = order.iter().map(|(place, _)| key(row, *place));
            (keys.collect(), row)
        })
        .collect();
    all.sort_by(|a, b| {
        order
            .iter()
            .zip(a.0.iter().zip(&b.0))
            .map(|((_, down), (a, b))| {
                let order = a.order(b);
                if *down { order.reverse() } else { order }
            })
            .find(|order| *order != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    });
    all.into_iter().map(|(_, row)| row).collect()
}

/// The description of all sets, in the protocol's own XML.
fn metadata(rows: &Overlay) -> String {
    let mut types = String::new();
    let mut sets = String::new();
    for table in &rows.tables {
        let name = table.name;
        let (mut properties, mut own) = (String::new(), String::new());
        for (place, field) in table.fields.iter().enumerate() {
            let kind = match field.kind {
                Kind::Text => "Edm.String",
                Kind::Int | Kind::Row(_) => "Edm.Int32",
                Kind::Decimal => "Edm.Decimal",
                Kind::Bool => "Edm.Boolean",
                Kind::Instant => "Edm.DateTimeOffset",
                Kind::List => "Collection(Edm.String)",
            };
            let (into, short) = match field.name.strip_prefix("Cf/") {
                Some(short) => (&mut own, short),
                None => (&mut properties, field.name),
            };
            let nullable = if place == 0 {
                " Nullable=\"false\""
            } else {
                ""
            };
            let _ = write!(
                into,
                "<Property Name=\"{short}\" Type=\"{kind}\"{nullable}/>"
            );
        }
        if !own.is_empty() {
            let _ = write!(
                types,
                "<ComplexType Name=\"{name}Cf\" OpenType=\"true\">{own}</ComplexType>"
            );
            let _ = write!(
                properties,
                "<Property Name=\"Cf\" Type=\"ChurnZero.{name}Cf\"/>"
            );
        }
        if table.field("AccountId").is_some() {
            properties
                .push_str("<NavigationProperty Name=\"Account\" Type=\"ChurnZero.Account\"/>");
        }
        let _ = write!(
            types,
            "<EntityType Name=\"{name}\"><Key><PropertyRef Name=\"Id\"/></Key>{properties}</EntityType>"
        );
        let _ = write!(
            sets,
            "<EntitySet Name=\"{name}\" EntityType=\"ChurnZero.{name}\"/>"
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">\
         <edmx:DataServices><Schema Namespace=\"ChurnZero\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">{types}\
         <EntityContainer Name=\"Container\">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"
    )
}
