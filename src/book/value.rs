//! Values: money in minor units, and the one dynamic value that records, changes and queries pass on.

use super::id::LocalId;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount in the minor units of its currency (cents; yen for JPY). Never a floating-point number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// ISO 4217 code, upper case.
    pub currency: [u8; 3],
}

impl Money {
    /// An amount of minor units in a currency; `None` when the code is not three letters.
    pub fn new(minor: i64, currency: &str) -> Option<Money> {
        Some(Money {
            minor,
            currency: currency_code(currency)?,
        })
    }

    /// Reads a decimal as it stands in JSON or CSV (`1234.5`, `-3`, `1.2e5`) without floating point. Digits beyond the currency's
    /// minor unit are rounded half away from zero. `None` for anything that is not a number or does not fit.
    pub fn parse(text: &str, currency: &str) -> Option<Money> {
        let code = currency_code(currency)?;
        Some(Money {
            minor: parse_scaled(text, exponent(&code))?,
            currency: code,
        })
    }

    /// The ISO code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.currency).unwrap_or("???")
    }

    /// How many decimals the currency has (0 to 4).
    pub fn exponent(&self) -> u32 {
        exponent(&self.currency)
    }

    /// The amount as an exact decimal in the currency's own decimals, `1234.50`.
    pub fn decimal(&self) -> String {
        let e = self.exponent() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = e + 1);
        if e == 0 {
            format!("{sign}{digits}")
        } else {
            let (whole, part) = digits.split_at(digits.len() - e);
            format!("{sign}{whole}.{part}")
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.code())
    }
}

/// Three upper-case letters, or nothing.
pub fn currency_code(code: &str) -> Option<[u8; 3]> {
    let b: [u8; 3] = code.trim().as_bytes().try_into().ok()?;
    b.iter()
        .all(u8::is_ascii_alphabetic)
        .then(|| b.map(|c| c.to_ascii_uppercase()))
}

/// Decimals of a currency by ISO 4217; 2 where the code is unknown.
pub fn exponent(code: &[u8; 3]) -> u32 {
    std::str::from_utf8(code)
        .ok()
        .and_then(iso_currency::Currency::from_code)
        .and_then(|c| c.exponent())
        .map_or(2, u32::from)
}

/// A decimal text times 10^`scale`, rounded half away from zero.
pub fn parse_scaled(text: &str, scale: u32) -> Option<i64> {
    let text = text.trim();
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exp) = match rest.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let mut digits: Vec<u8> = Vec::with_capacity(whole.len() + part.len());
    for c in whole.bytes().chain(part.bytes()) {
        if !c.is_ascii_digit() {
            return None;
        }
        digits.push(c - b'0');
    }
    // The decimal point stands behind this many digits once the exponent and the scale are applied.
    let point = i64::try_from(whole.len()).ok()? + i64::from(exp) + i64::from(scale);
    let mut value: i128 = 0;
    // Further on there is nothing but zeros: the value stays 0 or is too large by then.
    let most = i64::try_from(digits.len()).ok()? + 20;
    for i in 0..point.clamp(0, most) {
        let d = usize::try_from(i).ok().and_then(|i| digits.get(i)).copied();
        value = value
            .checked_mul(10)?
            .checked_add(i128::from(d.unwrap_or(0)))?;
        if value > i128::from(i64::MAX) {
            return None;
        }
    }
    if point >= 0
        && usize::try_from(point)
            .ok()
            .and_then(|i| digits.get(i))
            .is_some_and(|d| *d >= 5)
    {
        value += 1;
    }
    i64::try_from(if negative { -value } else { value }).ok()
}

/// One value of one field, as records, changes, queries and scripts pass it on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    /// Nothing there.
    #[default]
    Null,
    /// Text, as the vendor sent it (control characters included).
    Text(String),
    /// A number.
    Number(f64),
    /// Yes or no.
    Bool(bool),
    /// An amount.
    Money(Money),
    /// A calendar day.
    Date(Date),
    /// An instant, UTC.
    Instant(Timestamp),
    /// Another thing, by the id that the same source gives it.
    Ref(String),
    /// Another thing, by its local id.
    Id(LocalId),
    /// Several texts (tags).
    List(Vec<String>),
}

impl FieldValue {
    /// Text, or nothing when it is blank.
    pub fn text(s: impl Into<String>) -> FieldValue {
        let s = s.into();
        if s.is_empty() {
            FieldValue::Null
        } else {
            FieldValue::Text(s)
        }
    }
    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, FieldValue::Null)
    }
    /// The text of a text or a reference.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            FieldValue::Text(s) | FieldValue::Ref(s) => Some(s),
            _ => None,
        }
    }
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldValue::Null => f.write_str("–"),
            FieldValue::Text(s) | FieldValue::Ref(s) => f.write_str(s),
            FieldValue::Number(n) => write!(f, "{n}"),
            FieldValue::Bool(b) => f.write_str(if *b { "yes" } else { "no" }),
            FieldValue::Money(m) => m.fmt(f),
            FieldValue::Date(d) => d.fmt(f),
            FieldValue::Instant(t) => t.fmt(f),
            FieldValue::Id(id) => write!(f, "#{id}"),
            FieldValue::List(l) => f.write_str(&l.join(", ")),
        }
    }
}

/// A value that does not fit its field.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FieldError {
    /// The kind has no such field.
    #[error("there is no field `{0}`")]
    Unknown(String),
    /// The value is of another type.
    #[error("`{field}` takes {expected}, not `{got}`")]
    Type {
        /// The field.
        field: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What came.
        got: String,
    },
}
