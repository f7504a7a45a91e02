//! What a field can hold, and how it looks in JSON: days and instants are epoch milliseconds in the data query and ISO texts
//! in the cockpit; lookups and pick-list items are GSIDs.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::catalog::ObjectId;
use super::picklists::{self, Category};
use crate::simulate::world::{self, ids};

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gsid,
    Text,
    LongText,
    Email,
    Url,
    Number,
    Currency,
    Percentage,
    Boolean,
    Date,
    DateTime,
    Lookup(ObjectId),
    Pick(Category),
}

impl Kind {
    /// The name in a description.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Gsid => "GSID",
            Kind::Text => "STRING",
            Kind::LongText => "RICHTEXTAREA",
            Kind::Email => "EMAIL",
            Kind::Url => "URL",
            Kind::Number => "NUMBER",
            Kind::Currency => "CURRENCY",
            Kind::Percentage => "PERCENTAGE",
            Kind::Boolean => "BOOLEAN",
            Kind::Date => "DATE",
            Kind::DateTime => "DATETIME",
            Kind::Lookup(_) => "LOOKUP",
            Kind::Pick(_) => "PICKLIST",
        }
    }

    pub fn is_text(self) -> bool {
        matches!(self, Kind::Text | Kind::LongText | Kind::Email | Kind::Url)
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Val<'a> {
    Null,
    Bool(bool),
    Num(f64),
    /// A day or an instant, in milliseconds since 1970.
    Ms(i64),
    Text(Cow<'a, str>),
    /// The row of another object.
    Row(ObjectId, u32),
    Pick(Category, u16),
}

pub(super) fn text(text: &str) -> Val<'_> {
    if text.is_empty() {
        Val::Null
    } else {
        Val::Text(Cow::Borrowed(text))
    }
}

pub(super) fn owned(text: String) -> Val<'static> {
    if text.is_empty() {
        Val::Null
    } else {
        Val::Text(Cow::Owned(text))
    }
}

pub(super) fn day(day: Date) -> Val<'static> {
    Val::Ms(world::day_number(day) * 86_400_000)
}

pub(super) fn second(second: i64) -> Val<'static> {
    Val::Ms(second * 1000)
}

impl Val<'_> {
    /// The same value without a borrow.
    pub fn into_owned(self) -> Val<'static> {
        match self {
            Val::Null => Val::Null,
            Val::Bool(value) => Val::Bool(value),
            Val::Num(value) => Val::Num(value),
            Val::Ms(value) => Val::Ms(value),
            Val::Text(value) => Val::Text(Cow::Owned(value.into_owned())),
            Val::Row(object, row) => Val::Row(object, row),
            Val::Pick(category, item) => Val::Pick(category, item),
        }
    }

    /// As the data query shows it (`iso` false) or the cockpit (`iso` true).
    pub fn json(&self, kind: Kind, iso: bool) -> Value {
        match self {
            Val::Null => Value::Null,
            Val::Bool(value) => Value::Bool(*value),
            Val::Num(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                Value::from(*value as i64)
            }
            Val::Num(value) => Value::from(*value),
            Val::Ms(value) if iso => match Timestamp::from_millisecond(*value) {
                Ok(at) if kind == Kind::Date => {
                    Value::String(at.to_zoned(TimeZone::UTC).date().to_string())
                }
                Ok(at) => Value::String(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()),
                Err(_) => Value::Null,
            },
            Val::Ms(value) => Value::from(*value),
            Val::Text(value) => Value::String(value.clone().into_owned()),
            Val::Row(object, row) => {
                Value::String(ids::gainsight_id(object.prefix(), u64::from(*row)))
            }
            Val::Pick(category, item) => Value::String(picklists::gsid(*category, *item)),
        }
    }

    /// The order for `orderBy`: nothing comes first, then by value.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Val::Null, Val::Null) => Ordering::Equal,
            (Val::Null, _) => Ordering::Less,
            (_, Val::Null) => Ordering::Greater,
            (Val::Bool(a), Val::Bool(b)) => a.cmp(b),
            (Val::Num(a), Val::Num(b)) => a.total_cmp(b),
            (Val::Ms(a), Val::Ms(b)) => a.cmp(b),
            (Val::Text(a), Val::Text(b)) => a
                .to_lowercase()
                .cmp(&b.to_lowercase())
                .then_with(|| a.cmp(b)),
            (Val::Row(_, a), Val::Row(_, b)) => a.cmp(b),
            (Val::Pick(_, a), Val::Pick(_, b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}

/// Reads a value that a client wrote for a field of this kind. `None` when it is not one.
pub(super) fn read(kind: Kind, value: &Value) -> Option<Val<'static>> {
    if value.is_null() || value.as_str().is_some_and(str::is_empty) {
        return Some(Val::Null);
    }
    Some(match kind {
        Kind::Text | Kind::LongText | Kind::Email | Kind::Url => match value {
            Value::String(text) => owned(text.clone()),
            Value::Number(number) => owned(number.to_string()),
            _ => return None,
        },
        Kind::Gsid => owned(value.as_str()?.to_owned()),
        Kind::Number | Kind::Currency | Kind::Percentage => Val::Num(match value {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text
                .trim()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())?,
            _ => return None,
        }),
        Kind::Boolean => Val::Bool(match value {
            Value::Bool(value) => *value,
            Value::String(text) if text.eq_ignore_ascii_case("true") => true,
            Value::String(text) if text.eq_ignore_ascii_case("false") => false,
            _ => return None,
        }),
        Kind::Date => {
            let (from, _) = instant(value)?;
            Val::Ms(from - from.rem_euclid(86_400_000))
        }
        Kind::DateTime => Val::Ms(instant(value)?.0),
        Kind::Lookup(object) => {
            let (prefix, number) = ids::gainsight_number(value.as_str()?)?;
            (prefix == object.prefix()).then_some(Val::Row(object, u32::try_from(number).ok()?))?
        }
        Kind::Pick(category) => {
            let text = value.as_str()?;
            Val::Pick(
                category,
                picklists::by_gsid(category, text)
                    .or_else(|| picklists::by_name(category, text))?,
            )
        }
    })
}

/// A day or an instant in any of the documented forms, as the first and the last millisecond that it means: a day is all of
/// it, an instant to the second is that second.
pub(super) fn instant(value: &Value) -> Option<(i64, i64)> {
    let known = |ms: i64| Timestamp::from_millisecond(ms).ok().map(|_| (ms, ms));
    if let Some(ms) = value.as_i64() {
        return known(ms);
    }
    let text = value.as_str()?.trim();
    if let Ok(ms) = text.parse::<i64>()
        && text.len() > 8
    {
        return known(ms);
    }
    // A day and nothing more: longer texts would parse as days too, losing their time.
    if text.len() == 10
        && let Ok(date) = text.parse::<Date>()
    {
        let start = date
            .to_zoned(TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_millisecond();
        return Some((start, start + 86_399_999));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        let ms = at.as_millisecond();
        return Some((ms, if text.contains('.') { ms } else { ms + 999 }));
    }
    // `2026-01-02T03:04:05.000-0700`, as the vendor's samples write it, and `2026-01-02 03:04:05` (taken as UTC).
    if let Ok(at) = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text) {
        return Some((at.as_millisecond(), at.as_millisecond()));
    }
    let at = text
        .replace(' ', "T")
        .parse::<DateTime>()
        .ok()?
        .to_zoned(TimeZone::UTC)
        .ok()?
        .timestamp();
    Some((at.as_millisecond(), at.as_millisecond() + 999))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn instants_are_read_in_every_documented_form() {
        let day = 1_795_305_600_000;
        assert_eq!(instant(&json!("2026-11-22")), Some((day, day + 86_399_999)));
        assert_eq!(
            instant(&json!("2026-11-22 00:00:01")),
            Some((day + 1000, day + 1999))
        );
        assert_eq!(
            instant(&json!("2026-11-22T00:00:01Z")),
            Some((day + 1000, day + 1999))
        );
        assert_eq!(
            instant(&json!("2026-11-21T17:00:01.000-07:00")),
            Some((day + 1000, day + 1000))
        );
        assert_eq!(
            instant(&json!("2026-11-21T17:00:01.000-0700")),
            Some((day + 1000, day + 1000))
        );
        assert_eq!(instant(&json!(day)), Some((day, day)));
        for bad in [
            json!("soon"),
            json!("2026-13-01"),
            json!(""),
            json!(true),
            json!("22/11/2026"),
            json!(i64::MIN),
            json!("99999999999999999999"),
        ] {
            assert_eq!(instant(&bad), None, "{bad}");
        }
    }
}
