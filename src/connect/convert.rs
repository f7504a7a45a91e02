//! From a vendor's value to a canonical one: every canonical field has a type here, and what does not fit is said, not guessed.

use super::json::{is_array, is_null, scalar};
use crate::book::{Entity, FieldValue, Money};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// The type of a canonical field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A number.
    Number,
    /// 0 to 100; words of a traffic light are understood.
    Score,
    /// Yes or no.
    Bool,
    /// An amount.
    Money,
    /// A day.
    Date,
    /// An instant.
    Instant,
    /// A reference to another row of the same vendor.
    Ref,
    /// Several texts.
    List,
    /// Whatever it is: the tenant's own fields.
    Any,
}

/// The type of a canonical field of a kind of thing; [`Kind::Any`] for the tenant's own (`x.…`).
pub fn kind_of(entity: Entity, field: &str) -> Kind {
    use Entity::*;
    match (entity, field) {
        (_, "account" | "owner" | "csm" | "author" | "contact") => Kind::Ref,
        (Account, "parent") | (Task, "escalation") => Kind::Ref,
        (Account | Subscription, "arr")
        | (Renewal | Movement | Opportunity, "amount")
        | (Renewal, "target") => Kind::Money,
        (Subscription, "start" | "end" | "signed" | "cancelled") | (Movement, "date") => Kind::Date,
        (Subscription, "notice_days") => Kind::Number,
        (Subscription, "recurring" | "auto_renew") => Kind::Bool,
        (Account, "start" | "renewal" | "health_at" | "snoozed_until") => Kind::Date,
        (Account, "notice_days" | "nps") | (Signal, "value") | (Rate, "rate") => Kind::Number,
        (Account, "health") | (Renewal, "probability") => Kind::Score,
        (Renewal, "pushes") => Kind::Number,
        (Account, "auto_renew") | (Contact | Person, "active") | (Ticket, "escalated") => {
            Kind::Bool
        }
        (Account, "acked_at" | "resolved_at") => Kind::Instant,
        (Account, "tags" | super::IDENTIFIERS) => Kind::List,
        (Contact, "left_at") => Kind::Date,
        (Renewal, "due" | "original_due" | "notice_deadline" | "closed") => Kind::Date,
        (Task | Escalation, "due") => Kind::Date,
        (Opportunity, "created" | "accepted" | "due" | "closed") => Kind::Date,
        (Task, "completed_at") | (Ticket | Escalation, "opened" | "closed") => Kind::Instant,
        (Touchpoint, "at") => Kind::Instant,
        (Signal | Rate, "at") => Kind::Date,
        (_, f) if f.starts_with("x.") => Kind::Any,
        _ => Kind::Text,
    }
}

/// A value of a JSON document as a canonical one. The error says what was found.
pub fn convert(raw: &str, kind: Kind, currency: &str) -> Result<FieldValue, String> {
    if is_null(raw) {
        return Ok(FieldValue::Null);
    }
    if is_array(raw) {
        let items: Vec<serde_json::Value> = serde_json::from_str(raw).unwrap_or_default();
        let texts: Vec<String> = items
            .iter()
            .filter_map(|v| match v {
                serde_json::Value::String(s) => Some(s.clone()),
                serde_json::Value::Number(n) => Some(n.to_string()),
                _ => None,
            })
            .collect();
        return match kind {
            Kind::List => Ok(FieldValue::List(texts)),
            Kind::Text | Kind::Any => Ok(FieldValue::text(texts.join("; "))),
            _ => Err("is a list".into()),
        };
    }
    let Some(text) = scalar(raw) else {
        return Err("is an object".into());
    };
    if text.trim().is_empty() {
        return Ok(FieldValue::Null);
    }
    let shown = || crate::book::text::visible(&shorten(&text, 40)).into_owned();
    match kind {
        Kind::Text => Ok(FieldValue::Text(text)),
        Kind::Ref => Ok(FieldValue::Ref(text)),
        Kind::List => Ok(FieldValue::List(
            text.split(';')
                .map(|t| t.trim().to_owned())
                .filter(|t| !t.is_empty())
                .collect(),
        )),
        Kind::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Ok(FieldValue::Bool(true)),
            "false" | "0" | "no" => Ok(FieldValue::Bool(false)),
            _ => Err(format!("`{}` is neither yes nor no", shown())),
        },
        Kind::Number => number(&text)
            .map(FieldValue::Number)
            .ok_or_else(|| format!("`{}` is no number", shown())),
        Kind::Score => score(&text)
            .map(FieldValue::Number)
            .ok_or_else(|| format!("`{}` is no number from 0 to 100", shown())),
        Kind::Money => Money::parse(&text, currency)
            .map(FieldValue::Money)
            .ok_or_else(|| {
                format!(
                    "`{}` is no amount in {}",
                    shown(),
                    if currency.is_empty() {
                        "an unknown currency"
                    } else {
                        currency
                    }
                )
            }),
        Kind::Date => date(&text)
            .map(FieldValue::Date)
            .ok_or_else(|| format!("`{}` is no date", shown())),
        Kind::Instant => instant(&text)
            .map(FieldValue::Instant)
            .ok_or_else(|| format!("`{}` is no date and time", shown())),
        Kind::Any => Ok(match raw.as_bytes().first() {
            Some(b't' | b'f') => FieldValue::Bool(text == "true"),
            Some(b'"') => match date_shape(&text).then(|| date(&text)).flatten() {
                Some(d) if text.len() == 10 => FieldValue::Date(d),
                Some(_) => instant(&text).map_or(FieldValue::Text(text), FieldValue::Instant),
                None => FieldValue::Text(text),
            },
            _ => number(&text).map_or(FieldValue::Text(text), FieldValue::Number),
        }),
    }
}

fn date_shape(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() >= 10 && b[4] == b'-' && b[7] == b'-' && b[..4].iter().all(u8::is_ascii_digit)
}

fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() > max {
        text.chars().take(max).chain(['…']).collect()
    } else {
        text.to_owned()
    }
}

fn number(text: &str) -> Option<f64> {
    let t = text.trim().trim_end_matches('%').trim();
    t.parse().ok().filter(|n: &f64| n.is_finite())
}

/// 0 to 100, or the middle of a traffic light's band, or a school grade.
fn score(text: &str) -> Option<f64> {
    if let Some(n) = number(text) {
        return (0.0..=100.0).contains(&n).then_some(n);
    }
    match text.trim().to_ascii_lowercase().as_str() {
        "green" | "good" | "healthy" => Some(85.0),
        "yellow" | "amber" | "fair" | "neutral" => Some(55.0),
        "orange" => Some(45.0),
        "red" | "poor" | "bad" | "at risk" => Some(20.0),
        "a" => Some(95.0),
        "b" => Some(80.0),
        "c" => Some(60.0),
        "d" => Some(40.0),
        "f" => Some(15.0),
        _ => None,
    }
}

/// A day: `2026-12-31`, the day of an instant (UTC), or milliseconds since 1970.
pub fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    if date_shape(text) {
        return text.get(..10)?.parse().ok();
    }
    Some(millis(text)?.to_zoned(TimeZone::UTC).date())
}

/// An instant: ISO 8601 with or without a colon in its offset (UTC where none is given), a day (its beginning, UTC), or milliseconds
/// since 1970.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // Which of the forms it has is told by its end: trying the others first costs more than reading it.
    let colonless = text
        .strip_suffix("+0000")
        .filter(|t| t.contains('T') && date_shape(t));
    if let Some(t) = colonless
        && let Ok(t) = t.parse::<jiff::civil::DateTime>()
        && let Ok(t) = TimeZone::UTC.to_timestamp(t)
    {
        return Some(t);
    }
    if text.bytes().all(|b| b.is_ascii_digit())
        && let Some(t) = millis(text)
    {
        return Some(t);
    }
    if let Ok(t) = text.parse::<Timestamp>() {
        return Some(t);
    }
    if date_shape(text) {
        if let Ok(t) = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text) {
            return Some(t);
        }
        if let Ok(d) = text.replacen(' ', "T", 1).parse::<jiff::civil::DateTime>() {
            return d.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp());
        }
        return None;
    }
    millis(text)
}

fn millis(text: &str) -> Option<Timestamp> {
    let ms: i64 = text
        .parse()
        .ok()
        .or_else(|| crate::book::value::parse_scaled(text, 0))?;
    Timestamp::from_millisecond(ms).ok()
}

/// The internet domain in an address or an e-mail.
pub fn domain(address: &str) -> Option<String> {
    let a = address.trim().to_ascii_lowercase();
    let a = a.split_once("://").map_or(a.as_str(), |(_, r)| r);
    let a = a.split(['/', '?', '#', ':']).next().unwrap_or(a);
    let a = a.rsplit('@').next().unwrap_or(a).trim_start_matches("www.");
    (a.contains('.') && a.len() > 3 && !a.contains(char::is_whitespace)).then(|| a.to_owned())
}

/// An instant as SOQL and the vendors' bodies take it: whole seconds or milliseconds, `Z`.
pub fn iso(t: Timestamp) -> String {
    t.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Whether two canonical values mean the same: blank is nothing, line ends do not count, references compare on their first fifteen
/// characters where both could be Salesforce ids.
pub fn same(a: &FieldValue, b: &FieldValue) -> bool {
    use FieldValue::*;
    match (a, b) {
        (Text(x) | Ref(x), Text(y) | Ref(y)) => {
            same_id(x, y) || x.replace("\r\n", "\n").trim() == y.replace("\r\n", "\n").trim()
        }
        (Null, Text(t)) | (Text(t), Null) => t.trim().is_empty(),
        (Null, List(l)) | (List(l), Null) => l.is_empty(),
        (Null, Bool(b)) | (Bool(b), Null) => !b,
        (Number(x), Number(y)) => (x - y).abs() < 1e-9,
        (Date(d), Instant(t)) | (Instant(t), Date(d)) => t.to_zoned(TimeZone::UTC).date() == *d,
        (Instant(x), Instant(y)) => x.as_second() == y.as_second(),
        (x, y) => x == y,
    }
}

/// Whether two Salesforce ids, of 15 or 18 characters, name the same row.
pub fn same_id(a: &str, b: &str) -> bool {
    let long = |s: &str| matches!(s.len(), 15 | 18) && s.bytes().all(|c| c.is_ascii_alphanumeric());
    a == b || (long(a) && long(b) && a.get(..15) == b.get(..15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_every_spelling_that_vendors_use_and_what_does_not_fit_is_said() {
        let at = |t: &str| instant(t).map(|t| t.to_string());
        let want = Some("2026-01-02T17:38:59Z".to_owned());
        assert_eq!(at("2026-01-02T17:38:59.000+0000"), want);
        assert_eq!(at("2026-01-02T17:38:59Z"), want);
        assert_eq!(at("2026-01-02T18:38:59.000+01:00"), want);
        assert_eq!(at("2026-01-02 17:38:59"), want);
        assert_eq!(at("1767375539000"), want);
        assert_eq!(date("1767375539000").unwrap().to_string(), "2026-01-02");
        assert_eq!(date("0202-05-01").unwrap().year(), 202);
        let c = |raw: &str, kind| convert(raw, kind, "USD");
        assert_eq!(c("\"12.5\"", Kind::Money), c("12.50", Kind::Money));
        assert_eq!(c("\"42\"", Kind::Score), Ok(FieldValue::Number(42.0)));
        assert_eq!(c("\"Red\"", Kind::Score), Ok(FieldValue::Number(20.0)));
        assert!(
            c("\"2026-02-31\"", Kind::Date)
                .unwrap_err()
                .contains("2026-02-31")
        );
        assert!(c("140", Kind::Score).is_err());
        assert!(c("{}", Kind::Text).is_err());
        assert_eq!(c("\"  \"", Kind::Text), Ok(FieldValue::Null));
        assert_eq!(c("7", Kind::Text), Ok(FieldValue::Text("7".into())));
        assert!(same(
            &FieldValue::Ref("0015g00000ABCDE".into()),
            &FieldValue::Ref("0015g00000ABCDEAAQ".into())
        ));
    }
}
