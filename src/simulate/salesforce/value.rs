//! What a field of a record holds, and how it looks in JSON and CSV.

use std::cmp::Ordering;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::schema::Schema;

/// Which record: the place of its object in the schema and its row there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    pub object: u16,
    pub row: u32,
}

/// One value. Empty text does not exist: Salesforce keeps it as null.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Num(f64),
    Text(Box<str>),
    Date(Date),
    /// Milliseconds since 1970, UTC.
    Time(i64),
    Id(Id),
}

/// One record, in the order of its object's fields.
pub type Row = Box<[Value]>;

impl Value {
    /// Text, or null when it is empty.
    pub fn text(text: &str) -> Value {
        if text.is_empty() {
            Value::Null
        } else {
            Value::Text(text.into())
        }
    }

    /// A whole second as a date and time.
    pub fn seconds(at: i64) -> Value {
        Value::Time(at * 1000)
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The number in it, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Int(value) => Some(*value as f64),
            Value::Num(value) => Some(*value),
            _ => None,
        }
    }

    /// How two values of one field are ordered; null before everything else.
    pub fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Less,
            (_, Value::Null) => Ordering::Greater,
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => compare_text(a, b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b)) => a.cmp(b),
            (Value::Id(a), Value::Id(b)) => a.cmp(b),
            (a, b) => match (a.number(), b.number()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => Ordering::Equal,
            },
        }
    }

    /// Appends the value as JSON.
    pub fn write_json(&self, schema: &Schema, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => out.push_str(&value.to_string()),
            Value::Num(value) => out.push_str(&number_text(*value)),
            Value::Text(text) => write_json_text(text, out),
            Value::Date(_) | Value::Time(_) | Value::Id(_) => {
                out.push('"');
                out.push_str(&self.plain(schema));
                out.push('"');
            }
        }
    }

    /// The value as unquoted text, as in a CSV field; null is empty.
    pub fn plain(&self, schema: &Schema) -> String {
        match self {
            Value::Null => String::new(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Num(value) => number_text(*value),
            Value::Text(text) => text.to_string(),
            Value::Date(date) => date_text(*date),
            Value::Time(ms) => time_text(*ms),
            Value::Id(id) => schema.id_text(*id),
        }
    }

    /// The value as a `serde_json` value.
    pub fn json(&self, schema: &Schema) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Num(value) => (*value).into(),
            other => other.plain(schema).into(),
        }
    }
}

/// Case-insensitive order of text, as SOQL compares.
pub fn compare_text(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        return a
            .bytes()
            .map(|byte| byte.to_ascii_lowercase())
            .cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
    a.chars()
        .flat_map(char::to_lowercase)
        .cmp(b.chars().flat_map(char::to_lowercase))
}

/// A double as Salesforce writes it: always with a point.
pub fn number_text(value: f64) -> String {
    if value.is_finite() {
        format!("{value:?}")
    } else {
        "null".into()
    }
}

/// `2026-01-31`; years always have four digits.
pub fn date_text(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// `2026-01-31T17:38:59.000+0000`.
pub fn time_text(ms: i64) -> String {
    let at = zoned(ms);
    format!(
        "{}T{:02}:{:02}:{:02}.{:03}+0000",
        date_text(at.date()),
        at.hour(),
        at.minute(),
        at.second(),
        at.subsec_nanosecond() / 1_000_000
    )
}

/// The instant in UTC.
pub fn zoned(ms: i64) -> Zoned {
    Zoned::new(
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH),
        TimeZone::UTC,
    )
}

/// The first millisecond of a day in UTC.
pub fn day_start(date: Date) -> i64 {
    date.to_zoned(TimeZone::UTC)
        .map(|at| at.timestamp().as_millisecond())
        .unwrap_or(0)
}

/// Reads `2026-01-31`.
pub fn parse_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let part = |from: usize, to: usize| -> Option<i16> {
        let part = text.get(from..to)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| part.parse().ok())
            .flatten()
    };
    Date::new(part(0, 4)?, part(5, 7)? as i8, part(8, 10)? as i8).ok()
}

/// Reads `2026-01-31T17:38:59[.000](Z|+00:00|+0000)`; the seconds may be missing. Milliseconds since 1970.
pub fn parse_time(text: &str) -> Option<i64> {
    let date = parse_date(text.get(..10)?)?;
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
        return None;
    }
    let rest = text.get(11..)?;
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone);
    let mut parts = clock.split(':');
    let hour: i64 = two_digits(parts.next()?)?;
    let minute: i64 = two_digits(parts.next()?)?;
    let (second, milli) = match parts.next() {
        None => (0, 0),
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
            if fraction.is_empty()
                || fraction.len() > 9
                || !fraction.bytes().all(|byte| byte.is_ascii_digit())
            {
                return None;
            }
            let padded = format!("{fraction:0<3}");
            (two_digits(whole)?, padded.get(..3)?.parse::<i64>().ok()?)
        }
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
            let hours = two_digits(digits.get(..2)?)?;
            let minutes = if digits.len() == 4 {
                two_digits(digits.get(2..)?)?
            } else if digits.len() == 2 {
                0
            } else {
                return None;
            };
            if hours > 14 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if zone.starts_with('-') { -1 } else { 1 }
        }
    };
    Some(day_start(date) + (hour * 3600 + minute * 60 + second - offset * 60) * 1000 + milli)
}

fn two_digits(text: &str) -> Option<i64> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Appends `text` as a JSON string.
pub fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_come_back() {
        assert_eq!(
            parse_date("0202-05-01").map(date_text).as_deref(),
            Some("0202-05-01")
        );
        assert_eq!(parse_date("2026-02-30"), None);
        assert_eq!(parse_date("2026-2-3"), None);
        let at = parse_time("2026-01-02T17:38:59.000+0000");
        assert_eq!(at, parse_time("2026-01-02T17:38:59Z"));
        assert_eq!(at, parse_time("2026-01-02T18:38:59+01:00"));
        assert_eq!(
            at.map(time_text).as_deref(),
            Some("2026-01-02T17:38:59.000+0000")
        );
        assert_eq!(parse_time("2026-01-02T25:00:00Z"), None);
        assert_eq!(parse_time("2026-01-02"), None);
    }

    #[test]
    fn text_is_ordered_without_case() {
        assert_eq!(compare_text("abc", "ABC"), Ordering::Equal);
        assert_eq!(compare_text("ÄB", "äc"), Ordering::Less);
        assert_eq!(number_text(123.0), "123.0");
    }
}
