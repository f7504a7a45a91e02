//! One cell at a time: days in the orders that people write, numbers with either decimal sign, amounts with their currency, yes and no.
//! What does not fit is refused with a reason; nothing is guessed here, the orders are arguments.

use jiff::civil::{Date, Time};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;

/// In which order the parts of a day stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    /// Year, month, day.
    Ymd,
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

impl Order {
    pub(super) fn words(self) -> &'static str {
        match self {
            Order::Ymd => "year-month-day",
            Order::Dmy => "day/month/year",
            Order::Mdy => "month/day/year",
        }
    }
}

/// What the parts of a written day can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// The year first, or the month in letters: there is only one way to read it.
    Clear(Date),
    /// Two numbers before the year; the sign between them.
    Parts {
        first: i8,
        second: i8,
        year: i16,
        dots: bool,
    },
}

/// Takes a written day apart; what follows it (a time) is given back.
pub(super) fn written(text: &str) -> Option<(Written, &str)> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.len() == 8 && bytes.iter().all(u8::is_ascii_digit) {
        let clear = date(
            text[..4].parse().ok()?,
            text[4..6].parse().ok()?,
            text[6..].parse().ok()?,
        )?;
        return Some((Written::Clear(clear), ""));
    }
    if bytes.iter().any(u8::is_ascii_alphabetic)
        && let Some(found) = with_letters(text)
    {
        return Some(found);
    }
    let (a, sign, rest) = number(text)?;
    let (b, again, rest) = number(rest)?;
    if sign != again || !matches!(sign, b'-' | b'/' | b'.') {
        return None;
    }
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (c, rest) = rest.split_at(end);
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    if a.len() == 4 {
        let day = date(a.parse().ok()?, b.parse().ok()?, c.parse().ok()?)?;
        return Some((Written::Clear(day), rest));
    }
    let year: i16 = match c.len() {
        4 => c.parse().ok()?,
        2 => {
            let y: i16 = c.parse().ok()?;
            y + if y < 70 { 2000 } else { 1900 }
        }
        _ => return None,
    };
    if a.len() > 2 || b.len() > 2 {
        return None;
    }
    let parts = Written::Parts {
        first: a.parse().ok()?,
        second: b.parse().ok()?,
        year,
        dots: sign == b'.',
    };
    Some((parts, rest))
}

/// Digits, the sign behind them, and the rest.
fn number(text: &str) -> Option<(&str, u8, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let sign = *text.as_bytes().get(end)?;
    (end > 0 && sign.is_ascii()).then(|| (&text[..end], sign, &text[end + 1..]))
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// `12 Mar 2026`, `12-Mar-26`, `Mar 12, 2026`.
fn with_letters(text: &str) -> Option<(Written, &str)> {
    let mut day = None;
    let mut month = None;
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '-', '/', ',', '.']);
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return None;
        }
        if word.bytes().all(|b| b.is_ascii_digit()) {
            if day.is_none() {
                day = Some(word.parse::<i8>().ok()?);
            } else {
                let mut year: i16 = word.parse().ok()?;
                year += match word.len() {
                    2 if year < 70 => 2000,
                    2 => 1900,
                    4 => 0,
                    _ => return None,
                };
                let clear = date(year, month?, day?)?;
                return Some((Written::Clear(clear), after));
            }
        } else {
            let low = word.to_ascii_lowercase();
            let known = MONTHS.iter().position(|m| low.starts_with(m));
            if month.is_some() || !word.bytes().all(|b| b.is_ascii_alphabetic()) {
                return None;
            }
            month = Some(i8::try_from(known? + 1).ok()?);
        }
        rest = after;
    }
}

fn date(year: i16, month: i8, day: i8) -> Option<Date> {
    Date::new(year, month, day).ok()
}

impl Written {
    /// The day, in an order. Two numbers in front of a year are no year-month-day.
    pub(super) fn day(self, order: Order) -> Option<Date> {
        match (self, order) {
            (Written::Clear(d), _) => Some(d),
            (
                Written::Parts {
                    first,
                    second,
                    year,
                    ..
                },
                Order::Dmy,
            ) => date(year, second, first),
            (
                Written::Parts {
                    first,
                    second,
                    year,
                    ..
                },
                Order::Mdy,
            ) => date(year, first, second),
            (Written::Parts { .. }, Order::Ymd) => None,
        }
    }
}

/// A day; a time behind it is left out.
pub(super) fn day(text: &str, order: Order) -> Result<Date, String> {
    let text = text.trim();
    if let Some((w, rest)) = written(text) {
        if !rest.is_empty() && time(rest).is_none() && instant_text(text).is_none() {
            return Err("is no day".into());
        }
        return w
            .day(order)
            .ok_or_else(|| format!("is no day in the order {}", order.words()));
    }
    if text.parse::<f64>().is_ok() {
        return Err("is a number, not a day: format the column as a date before saving".into());
    }
    Err("is no day".into())
}

/// An instant, or the beginning of a day, UTC.
pub(super) fn instant(text: &str, order: Order) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Some(t) = instant_text(text) {
        return Ok(t);
    }
    let date = day(text, order)?;
    let at = match written(text).map(|(_, rest)| rest) {
        Some(rest) if !rest.is_empty() => time(rest).unwrap_or(Time::midnight()),
        _ => Time::midnight(),
    };
    date.to_datetime(at)
        .to_zoned(TimeZone::UTC)
        .map(|z| z.timestamp())
        .map_err(|_| "is beyond the calendar".into())
}

fn instant_text(text: &str) -> Option<Timestamp> {
    let shape = text.as_bytes().get(4) == Some(&b'-') && text.len() > 10;
    if shape {
        crate::connect::convert::instant(text)
    } else {
        None
    }
}

/// `09:30`, `9:30:15`, `9:30 PM`, with a blank or a `T` before it.
fn time(text: &str) -> Option<Time> {
    let text = text.trim_start_matches(['T', ' ', ',']).trim();
    let low = text.to_ascii_lowercase();
    let (digits, half) = match low.strip_suffix("pm") {
        Some(t) => (t.trim(), Some(12)),
        None => match low.strip_suffix("am") {
            Some(t) => (t.trim(), Some(0)),
            None => (low.as_str(), None),
        },
    };
    let mut parts = digits.split(':');
    let mut hour: i8 = parts.next()?.parse().ok()?;
    let minute: i8 = parts.next()?.parse().ok()?;
    let second: i8 = match parts.next() {
        Some(s) => s.split('.').next()?.parse().ok()?,
        None => 0,
    };
    if let Some(half) = half {
        hour = hour % 12 + half;
    }
    Time::new(hour, minute, second, 0).ok()
}

/// Which sign parts the whole from the fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decimal {
    Point,
    Comma,
}

/// What a written number says about its decimal sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing: no sign in it.
    None,
    /// It is this one.
    Sure(Decimal),
    /// `1.234` or `1,234`: a thousand and something, or one and something.
    Either,
}

/// Looks at the signs of a number.
pub(super) fn sign_of(text: &str) -> Sign {
    let signs: Vec<(usize, char)> = text
        .char_indices()
        .filter(|(_, c)| matches!(c, '.' | ','))
        .collect();
    let Some((at, last)) = signs.last().copied() else {
        return Sign::None;
    };
    let own = if last == '.' {
        Decimal::Point
    } else {
        Decimal::Comma
    };
    let other = if last == '.' {
        Decimal::Comma
    } else {
        Decimal::Point
    };
    if signs.iter().any(|(_, c)| *c != last) {
        return Sign::Sure(own);
    }
    if signs.len() > 1 {
        return Sign::Sure(other);
    }
    let behind = text[at + 1..]
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    let before = text[..at]
        .bytes()
        .rev()
        .take_while(u8::is_ascii_digit)
        .count();
    if behind == 3 && (1..=3).contains(&before) && text[at - before..at] != *"0" {
        Sign::Either
    } else {
        Sign::Sure(own)
    }
}

/// A written number as a plain decimal (`-1234.5`): signs of thousands, blanks and parentheses of accountants taken away.
pub(super) fn plain(text: &str, decimal: Decimal) -> Option<String> {
    let mut t = text.trim();
    let mut negative = false;
    if let Some(inner) = t.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        negative = true;
        t = inner.trim();
    }
    if let Some(rest) = t.strip_prefix(['-', '−']) {
        negative = !negative;
        t = rest.trim_start();
    } else if let Some(rest) = t.strip_prefix('+') {
        t = rest.trim_start();
    }
    let (point, thousands) = match decimal {
        Decimal::Point => ('.', ','),
        Decimal::Comma => (',', '.'),
    };
    let (t, exponent) = match t.find(['e', 'E']) {
        Some(at) => (&t[..at], Some(&t[at + 1..])),
        None => (t, None),
    };
    let (whole, part) = match t.split_once(point) {
        Some((w, p)) => (w, Some(p)),
        None => (t, None),
    };
    let groups: Vec<&str> = whole
        .split([thousands, '\'', '’', ' ', '\u{a0}', '\u{202f}'])
        .collect();
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let (first, others) = groups.split_first()?;
    let grouped = others.is_empty()
        || ((1..=3).contains(&first.len())
            && others.last().is_some_and(|g| g.len() == 3)
            // Two digits as India groups them.
            && others.iter().all(|g| matches!(g.len(), 2 | 3)));
    if !grouped || !groups.iter().all(|g| digits(g)) || !part.is_none_or(digits) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    if negative {
        out.push('-');
    }
    groups.iter().for_each(|g| out.push_str(g));
    if let Some(part) = part.filter(|p| !p.is_empty()) {
        if out.is_empty() || out == "-" {
            out.push('0');
        }
        out.push('.');
        out.push_str(part);
    }
    if out.is_empty() || out == "-" {
        return None;
    }
    if let Some(e) = exponent {
        let e: i32 = e.parse().ok()?;
        if e.abs() > 30 {
            return None;
        }
        out.push_str(&format!("e{e}"));
    }
    Some(out)
}

/// An amount's number and the currency that stands with it: `€ 1.234,50`, `1234.50 EUR`.
pub(super) fn with_currency(text: &str) -> (&str, Option<&str>) {
    let t = text.trim();
    for (sign, code) in [
        ("€", Some("EUR")),
        ("£", Some("GBP")),
        ("$", None),
        ("¥", None),
    ] {
        if let Some(rest) = t.strip_prefix(sign).or(t.strip_suffix(sign)) {
            return (rest.trim(), code);
        }
        // -$5 and ($5) keep their sign.
        if t.starts_with(['-', '(']) && t.contains(sign) {
            break;
        }
    }
    let letters = |c: char| c.is_ascii_alphabetic();
    if let Some(code) = t.get(..3)
        && code.chars().all(letters)
    {
        return (t[3..].trim(), Some(code));
    }
    if let Some(at) = t.len().checked_sub(3)
        && let Some(code) = t.get(at..)
        && code.chars().all(letters)
    {
        return (t[..at].trim(), Some(code));
    }
    (t, None)
}

/// Yes or no.
pub(super) fn yes(text: &str) -> Option<bool> {
    Some(match text.trim().to_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "x" | "ja" | "wahr" => true,
        "false" | "f" | "no" | "n" | "0" | "nein" | "falsch" => false,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_read_in_their_order_and_in_no_other() {
        let d = |t: &str, o| day(t, o).map(|d| d.to_string());
        let ok = |t: &str| Ok(t.to_owned());
        assert_eq!(d("2026-03-04", Order::Mdy), ok("2026-03-04"));
        assert_eq!(d("2026-03-04T10:00:00Z", Order::Dmy), ok("2026-03-04"));
        assert_eq!(d("20260304", Order::Ymd), ok("2026-03-04"));
        assert_eq!(d("03/04/2026", Order::Dmy), ok("2026-04-03"));
        assert_eq!(d("03/04/2026 12:30:00 PM", Order::Mdy), ok("2026-03-04"));
        assert_eq!(d("31.12.26", Order::Dmy), ok("2026-12-31"));
        assert_eq!(d("12-Mar-26", Order::Ymd), ok("2026-03-12"));
        assert_eq!(d("March 12, 2026", Order::Dmy), ok("2026-03-12"));
        assert_eq!(d("0202-05-01", Order::Ymd), ok("0202-05-01"));
        for bad in [
            "31/12/2026x",
            "2026-02-30",
            "45123",
            "tomorrow",
            "1/2/3",
            "",
        ] {
            assert!(d(bad, Order::Dmy).is_err(), "{bad}");
        }
        assert!(d("12/31/2026", Order::Dmy).is_err());
        assert!(d("03/04/2026", Order::Ymd).is_err());
        let at = |t: &str| instant(t, Order::Dmy).map(|t| t.to_string());
        assert_eq!(at("3.4.2026 09:30"), ok("2026-04-03T09:30:00Z"));
        assert_eq!(at("2026-04-03 09:30:15"), ok("2026-04-03T09:30:15Z"));
    }

    #[test]
    fn numbers_keep_every_digit_and_their_sign() {
        let p = |t, d| plain(t, d);
        let s = |t: &str| Some(t.to_owned());
        assert_eq!(p("1,234.50", Decimal::Point), s("1234.50"));
        assert_eq!(p("1.234,50", Decimal::Comma), s("1234.50"));
        assert_eq!(p("1 234,5", Decimal::Comma), s("1234.5"));
        assert_eq!(p("1’234.5", Decimal::Point), s("1234.5"));
        assert_eq!(p("(12)", Decimal::Point), s("-12"));
        assert_eq!(p("−.5", Decimal::Point), s("-0.5"));
        assert_eq!(p("12,34,567", Decimal::Point), s("1234567"));
        assert_eq!(p("1.5e3", Decimal::Point), s("1.5e3"));
        for bad in ["12,5", "1,23,4", "", "-", "1.2.3", "12a", "e5", "NaN"] {
            assert_eq!(p(bad, Decimal::Point), None, "{bad}");
        }
        assert_eq!(sign_of("1,234"), Sign::Either);
        assert_eq!(sign_of("0,234"), Sign::Sure(Decimal::Comma));
        assert_eq!(sign_of("1.234.567"), Sign::Sure(Decimal::Comma));
        assert_eq!(sign_of("12,5"), Sign::Sure(Decimal::Comma));
        assert_eq!(sign_of("1.234,5"), Sign::Sure(Decimal::Comma));
        assert_eq!(sign_of("12"), Sign::None);
        assert_eq!(with_currency("€ 12"), ("12", Some("EUR")));
        assert_eq!(with_currency("12 usd"), ("12", Some("usd")));
        assert_eq!(with_currency("$12"), ("12", None));
    }

    proptest! {
        #[test]
        fn no_cell_makes_it_stumble(text in "\\PC{0,20}", digits in "[0-9.,/ -]{0,12}") {
            for t in [&text, &digits] {
                for order in [Order::Ymd, Order::Dmy, Order::Mdy] {
                    let _ = (day(t, order), instant(t, order));
                }
                let _ = (plain(t, Decimal::Point), plain(t, Decimal::Comma), sign_of(t), with_currency(t), yes(t));
            }
        }
    }
}
