//! What a property can hold. On the wire everything is a text; filters and sorting go by the type.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::simulate::world;

/// The type of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Date,
    DateTime,
    Bool,
    Pick,
    /// A pick of one of the owners.
    Owner,
}

impl Kind {
    /// The name in a definition.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text => "string",
            Kind::Number => "number",
            Kind::Date => "date",
            Kind::DateTime => "datetime",
            Kind::Bool => "bool",
            Kind::Pick | Kind::Owner => "enumeration",
        }
    }

    /// The type with this name in a definition.
    pub fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "string" => Kind::Text,
            "number" => Kind::Number,
            "date" => Kind::Date,
            "datetime" => Kind::DateTime,
            "bool" => Kind::Bool,
            "enumeration" => Kind::Pick,
            _ => return None,
        })
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Val<'a> {
    Null,
    Bool(bool),
    Num(f64),
    /// An instant in milliseconds since 1970.
    Ms(i64),
    Day(Date),
    Text(Cow<'a, str>),
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

pub(super) fn day(day: Option<Date>) -> Val<'static> {
    day.map_or(Val::Null, Val::Day)
}

/// The first moment of a day as an instant.
pub(super) fn midnight(day: Option<Date>) -> Val<'static> {
    day.map_or(Val::Null, |day| Val::Ms(day_ms(day)))
}

pub(super) fn second(second: i64) -> Val<'static> {
    Val::Ms(second * 1000)
}

pub(super) fn number(value: impl Into<f64>) -> Val<'static> {
    Val::Num(value.into())
}

fn day_ms(day: Date) -> i64 {
    world::day_number(day) * 86_400_000
}

/// An instant as the vendor writes it.
pub(super) fn iso(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(
        |_| ms.to_string(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
    )
}

impl Val<'_> {
    /// The text on the wire; nothing for an empty property.
    pub fn shown(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Val::Null => return None,
            Val::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Val::Num(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                Cow::Owned((*value as i64).to_string())
            }
            Val::Num(value) => Cow::Owned(value.to_string()),
            Val::Ms(value) => Cow::Owned(iso(*value)),
            Val::Day(value) => Cow::Owned(value.to_string()),
            Val::Text(value) => Cow::Borrowed(value.as_ref()),
        })
    }

    /// The number that numbers, days and instants are compared by.
    pub fn measure(&self) -> Option<f64> {
        match self {
            Val::Num(value) => Some(*value),
            Val::Ms(value) => Some(*value as f64),
            Val::Day(value) => Some(day_ms(*value) as f64),
            Val::Bool(value) => Some(f64::from(u8::from(*value))),
            Val::Null | Val::Text(_) => None,
        }
    }

    /// The order of a sorted search: by value, nothing last.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Val::Null, Val::Null) => Ordering::Equal,
            (Val::Null, _) => Ordering::Greater,
            (_, Val::Null) => Ordering::Less,
            (Val::Text(a), Val::Text(b)) => a
                .to_lowercase()
                .cmp(&b.to_lowercase())
                .then_with(|| a.cmp(b)),
            (a, b) => match (a.measure(), b.measure()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => Ordering::Equal,
            },
        }
    }
}

/// Reads the text that a client wrote for a property of this kind; the vendor's code for what is wrong with it.
pub(super) fn read(kind: Kind, text: &str) -> Result<Val<'static>, &'static str> {
    if text.is_empty() {
        return Ok(Val::Null);
    }
    Ok(match kind {
        Kind::Text | Kind::Pick | Kind::Owner => Val::Text(Cow::Owned(text.to_owned())),
        Kind::Number => Val::Num(
            text.trim()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .ok_or("INVALID_DOUBLE")?,
        ),
        Kind::Bool => Val::Bool(match text {
            "true" => true,
            "false" => false,
            _ => return Err("INVALID_BOOLEAN"),
        }),
        // A day is midnight in UTC: any other instant is refused.
        Kind::Date => {
            let at = instant(text).ok_or("INVALID_DATE")?;
            if at.rem_euclid(86_400_000) != 0 {
                return Err("INVALID_DATE");
            }
            let at = Timestamp::from_millisecond(at).map_err(|_| "INVALID_DATE")?;
            Val::Day(at.to_zoned(TimeZone::UTC).date())
        }
        Kind::DateTime => Val::Ms(instant(text).ok_or("INVALID_DATE")?),
    })
}

/// An instant in milliseconds: epoch milliseconds, an ISO day, or an ISO instant with its offset.
pub(super) fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(ms) = text.parse::<i64>() {
        return Timestamp::from_millisecond(ms).ok().map(|_| ms);
    }
    if text.len() == 10
        && let Ok(date) = text.parse::<Date>()
    {
        return Some(day_ms(date));
    }
    text.parse::<Timestamp>().ok().map(|at| at.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn texts_are_read_by_the_type_of_their_property() {
        assert_eq!(read(Kind::Number, "12.50"), Ok(Val::Num(12.5)));
        assert_eq!(read(Kind::Number, "NaN"), Err("INVALID_DOUBLE"));
        assert_eq!(
            read(Kind::Date, "2026-12-01"),
            Ok(Val::Day(date(2026, 12, 1)))
        );
        assert_eq!(
            read(Kind::Date, "1796083200000"),
            Ok(Val::Day(date(2026, 12, 1)))
        );
        assert_eq!(read(Kind::Date, "1796083200001"), Err("INVALID_DATE"));
        assert_eq!(
            read(Kind::DateTime, "2026-12-01T10:00:00+02:00"),
            Ok(Val::Ms(1_796_083_200_000 + 8 * 3_600_000))
        );
        assert_eq!(read(Kind::DateTime, "soon"), Err("INVALID_DATE"));
        assert_eq!(read(Kind::Text, ""), Ok(Val::Null));
        assert_eq!(Val::Num(1500.0).shown().as_deref(), Some("1500"));
        assert_eq!(Val::Num(0.5).shown().as_deref(), Some("0.5"));
    }
}
