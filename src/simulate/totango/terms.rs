//! The terms of a search: read from JSON and evaluated row by row. Terms of a list must all fit.

use serde_json::Value;

use super::Refusal;
use crate::simulate::overlay::{Kind, Overlay, instant};

/// How deep terms may lie in each other.
const DEPTH: usize = 32;

/// Where a value is read: a known field, or an attribute that was sent.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Field(usize),
    Sent(String),
}

#[derive(Debug, Clone)]
pub(super) enum Test {
    Eq(String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Contains(String),
    Empty(bool),
    /// At least, at most; both ends belong to it.
    From(f64),
    To(f64),
    After(f64),
    Before(f64),
}

#[derive(Debug, Clone)]
pub(super) enum Term {
    All(Vec<Term>),
    Any(Vec<Term>),
    Not(Box<Term>),
    Value(Place, Vec<Test>),
}

/// The field or attribute that a term or a field of a search names.
pub(super) fn place(rows: &Overlay, table: usize, item: &Value) -> Result<Place, Refusal> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let kind = text("type").ok_or_else(|| Refusal::bad("type is missing"))?;
    let known = |name: &str| {
        rows.tables[table]
            .field(name)
            .map(Place::Field)
            .ok_or_else(|| Refusal::bad(format!("Unknown term: {name}")))
    };
    match kind {
        "string" | "number" | "date" => {
            known(text("term").ok_or_else(|| Refusal::bad("term is missing"))?)
        }
        "health_trend" => known("health_trend"),
        "string_attribute" | "number_attribute" | "date_attribute" => {
            let name = text("attribute").ok_or_else(|| Refusal::bad("attribute is missing"))?;
            let name = format!("@{name}");
            Ok(match rows.tables[table].field(&name) {
                Some(place) => Place::Field(place),
                None => Place::Sent(name),
            })
        }
        "event_property" => match text("name") {
            Some("event_type") => known("type"),
            Some(name) => known(name),
            None => Err(Refusal::bad("name is missing")),
        },
        other => Err(Refusal::bad(format!("Unknown type: {other}"))),
    }
}

/// The value at a place.
pub(super) fn read(rows: &Overlay, table: usize, row: u32, place: &Place) -> Value {
    match place {
        Place::Field(place) => rows.get(table, row, *place),
        Place::Sent(name) => rows.sent(table, row, name),
    }
}

impl Term {
    /// Reads a list of terms.
    pub fn compile(rows: &Overlay, table: usize, terms: &[Value]) -> Result<Term, Refusal> {
        Ok(Term::All(list(rows, table, terms, 0)?))
    }

    pub fn fits(&self, rows: &Overlay, table: usize, row: u32) -> bool {
        match self {
            Term::All(terms) => terms.iter().all(|term| term.fits(rows, table, row)),
            Term::Any(terms) => terms.iter().any(|term| term.fits(rows, table, row)),
            Term::Not(term) => !term.fits(rows, table, row),
            Term::Value(place, tests) => {
                let value = read(rows, table, row, place);
                tests.iter().all(|test| passes(test, &value))
            }
        }
    }
}

fn list(rows: &Overlay, table: usize, terms: &[Value], depth: usize) -> Result<Vec<Term>, Refusal> {
    if depth > DEPTH {
        return Err(Refusal::bad("The terms are nested too deeply"));
    }
    terms
        .iter()
        .map(|term| one(rows, table, term, depth))
        .collect()
}

fn one(rows: &Overlay, table: usize, term: &Value, depth: usize) -> Result<Term, Refusal> {
    let inner = |key: &str| {
        let terms = term
            .get(key)
            .and_then(Value::as_array)
            .ok_or_else(|| Refusal::bad(format!("{key} must be a list of terms")))?;
        list(rows, table, terms, depth + 1)
    };
    match term.get("type").and_then(Value::as_str) {
        Some("or") => return Ok(Term::Any(inner("or")?)),
        Some("and") => return Ok(Term::All(inner("and")?)),
        Some("not") => {
            let inner = term
                .get("not")
                .ok_or_else(|| Refusal::bad("not must be a term"))?;
            if depth >= DEPTH {
                return Err(Refusal::bad("The terms are nested too deeply"));
            }
            return Ok(Term::Not(Box::new(one(rows, table, inner, depth + 1)?)));
        }
        _ => {}
    }
    let place = place(rows, table, term)?;
    let mut tests = Vec::new();
    for (name, value) in term.as_object().into_iter().flatten() {
        let bad = || Refusal::bad(format!("Invalid value of {name}: {value}"));
        let number = || measured(value).ok_or_else(bad);
        let texts = || -> Result<Vec<String>, Refusal> {
            let items = value.as_array().ok_or_else(bad)?;
            items
                .iter()
                .map(|item| plain(item).ok_or_else(bad))
                .collect()
        };
        tests.push(match name.as_str() {
            "eq" => Test::Eq(plain(value).ok_or_else(bad)?),
            "in_list" => Test::In(texts()?),
            "not_in_list" => Test::NotIn(texts()?),
            "contains" => Test::Contains(plain(value).ok_or_else(bad)?.to_lowercase()),
            "is_empty" => Test::Empty(value.as_bool().ok_or_else(bad)?),
            "gte" => Test::From(number()?),
            "lte" => Test::To(number()?),
            "gt" => Test::After(number()?),
            "lt" => Test::Before(number()?),
            _ => continue,
        });
    }
    if tests.is_empty() {
        return Err(Refusal::bad(format!("A term compares nothing: {term}")));
    }
    Ok(Term::Value(place, tests))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// A number, or the milliseconds of a day or an instant.
fn measured(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .or_else(|| instant(text).map(|ms| ms as f64)),
        _ => None,
    }
}

fn passes(test: &Test, value: &Value) -> bool {
    let compare = |fits: fn(f64, f64) -> bool, limit: f64| {
        measured(value).is_some_and(|value| fits(value, limit))
    };
    match test {
        Test::Eq(wanted) => plain(value).is_some_and(|value| value == *wanted),
        Test::In(wanted) => plain(value).is_some_and(|value| wanted.contains(&value)),
        Test::NotIn(wanted) => plain(value).is_none_or(|value| !wanted.contains(&value)),
        Test::Contains(part) => {
            plain(value).is_some_and(|value| value.to_lowercase().contains(part))
        }
        Test::Empty(empty) => value.is_null() == *empty,
        Test::From(limit) => compare(|a, b| a >= b, *limit),
        Test::To(limit) => compare(|a, b| a <= b, *limit),
        Test::After(limit) => compare(|a, b| a > b, *limit),
        Test::Before(limit) => compare(|a, b| a < b, *limit),
    }
}

/// Whether the value of a field arrives as a text although it is a number: attributes do.
pub(super) fn shown(rows: &Overlay, table: usize, row: u32, place: &Place) -> Value {
    let value = read(rows, table, row, place);
    let attribute = match place {
        Place::Field(place) => {
            let field = &rows.tables[table].fields[*place];
            field.name.starts_with('@') && matches!(field.kind, Kind::Int | Kind::Decimal)
        }
        Place::Sent(_) => false,
    };
    match value {
        Value::Number(number) if attribute => Value::String(number.to_string()),
        value => value,
    }
}
