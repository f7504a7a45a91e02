//! Attributes and activities that are sent as the address of a picture: `/pixel.gif/?sdr_s=…&sdr_o=account&sdr_o.Name=value`.
//! The answer is the picture, whatever became of what was sent.

use axum::body::Bytes;
use axum::extract::{RawQuery, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::Tenant;
use super::catalog::{ACCOUNTS, USERS, account_row};
use crate::simulate::form;
use crate::simulate::overlay::{Kind, Op, Overlay, Write, instant, iso, number};

/// A transparent picture of one point.
const PICTURE: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// `GET` and `POST /pixel.gif/`. It asks for no token; the service's id is among the parameters, and any is taken [G].
pub(super) async fn take(
    Shared(tenant): Tenant,
    RawQuery(query): RawQuery,
    bytes: Bytes,
) -> Response {
    let mut pairs = form::pairs(&query.unwrap_or_default());
    pairs.extend(form::pairs(&String::from_utf8_lossy(&bytes)));
    let of = |name: &str| form::value(&pairs, name).filter(|text| !text.is_empty());
    if let (Some(_), Some(account)) = (of("sdr_s"), of("sdr_o")) {
        let kept = tenant.change(
            |rows| Ok((plan(rows, account, of("sdr_u"), &pairs), ())),
            |_, ()| Value::Null,
        );
        if let Err(refusal) = kept {
            return refusal.into_response();
        }
    }
    ([(CONTENT_TYPE, "image/gif")], PICTURE).into_response()
}

fn plan(
    rows: &mut Overlay,
    account: &str,
    user: Option<&str>,
    pairs: &[(String, String)],
) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut values = attributes(rows, ACCOUNTS, "sdr_o.", pairs);
    if let Some(name) = form::value(pairs, "sdr_odn") {
        values.insert("display_name".to_owned(), json!(name));
    }
    match account_row(rows, account) {
        Some(row) if !values.is_empty() => {
            writes.push(write(rows, Op::Update, ACCOUNTS, row, values));
        }
        Some(_) => {}
        // An account that is not known comes into being.
        None => {
            values.insert("name".to_owned(), json!(account));
            values
                .entry("display_name")
                .or_insert_with(|| json!(account));
            values.entry("status").or_insert(json!("Paying"));
            let row = rows.next_row(ACCOUNTS);
            writes.push(write(rows, Op::Create, ACCOUNTS, row, values));
        }
    }
    if let Some(user) = user {
        let mut values = attributes(rows, USERS, "sdr_u.", pairs);
        let found = rows.rows(USERS).find(|row| {
            rows.text(USERS, *row, "name") == user
                && rows.text(USERS, *row, "account_id") == account
        });
        match found {
            Some(row) if !values.is_empty() => {
                writes.push(write(rows, Op::Update, USERS, row, values));
            }
            Some(_) => {}
            None => {
                values.entry("display_name").or_insert(json!(user));
                values.insert("name".to_owned(), json!(user));
                values.insert("account_id".to_owned(), json!(account));
                let row = rows.next_row(USERS);
                writes.push(write(rows, Op::Create, USERS, row, values));
            }
        }
    }
    writes
}

fn write(rows: &Overlay, op: Op, table: usize, row: u32, values: Map<String, Value>) -> Write {
    Write {
        op,
        table: rows.tables[table].name.to_owned(),
        row,
        values,
    }
}

/// The attributes with this prefix. One that nobody had before comes into being as a text; a value that is not of the
/// attribute's type is passed over.
fn attributes(
    rows: &Overlay,
    table: usize,
    prefix: &str,
    pairs: &[(String, String)],
) -> Map<String, Value> {
    let shape = &rows.tables[table];
    let mut values = Map::new();
    for (name, text) in pairs {
        let Some(name) = name.strip_prefix(prefix).filter(|name| !name.is_empty()) else {
            continue;
        };
        let name = match name {
            "name" if table == USERS => "display_name".to_owned(),
            "Status" => "status".to_owned(),
            "Contract Value" => "contract_value".to_owned(),
            "Contract Renewal Date" => "contract_renewal".to_owned(),
            name => format!("@{name}"),
        };
        let kind = shape
            .field(&name)
            .map_or(Kind::Text, |place| shape.fields[place].kind);
        let value = match kind {
            _ if text.is_empty() => Some(Value::Null),
            Kind::Int | Kind::Decimal => text
                .trim()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(number),
            Kind::Instant => instant(text)
                .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
                .map(iso),
            _ => Some(json!(text)),
        };
        if let Some(value) = value {
            values.insert(name, value);
        }
    }
    values
}
