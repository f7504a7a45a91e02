//! Values as people write them: `100k`, `20%`, `-20%`, `2026-12-31`, `eoq`, `+30d`, `60d`, `me`.

use super::ast::{NamedDay, Op, Value};
use crate::book::day::days;
use crate::book::fold;
use crate::book::registry::{FieldRef, Type};

/// Reads a value for a field; the error says what the field takes.
pub fn read(field: &FieldRef, op: Op, text: &str, quoted: bool) -> Result<Value, String> {
    let ty = field.field.ty;
    let lower = text.to_lowercase();
    if !quoted && matches!(op, Op::Has | Op::Is | Op::IsNot) {
        match lower.as_str() {
            "none" | "missing" | "empty" => return Ok(Value::Missing),
            "any" => return Ok(Value::Present),
            _ => {}
        }
    }
    if !ty.is_ordered() && !matches!(op, Op::Has | Op::Is | Op::IsNot) {
        return Err(format!(
            "`{}` is {} and cannot be compared with `{}`; write `{}:…`",
            field.field.name,
            match ty {
                Type::Bool => "yes or no",
                Type::Person => "a person",
                Type::List => "a list",
                _ => "a text",
            },
            op.sign(),
            field.field.name
        ));
    }
    let wrong = || {
        format!(
            "`{}` takes {}, not `{text}`",
            field.field.name,
            ty.expects()
        )
    };
    match ty {
        Type::Text | Type::Word | Type::List => Ok(Value::Text(fold(text))),
        Type::Person => Ok(if lower == "me" && !quoted {
            Value::Me
        } else {
            Value::Text(fold(text))
        }),
        Type::Bool => match lower.as_str() {
            "yes" | "true" | "y" | "1" | "on" => Ok(Value::Bool(true)),
            "no" | "false" | "n" | "0" | "off" => Ok(Value::Bool(false)),
            _ => Err(wrong()),
        },
        Type::Number | Type::Money => number(&lower).map(Value::Number).ok_or_else(wrong),
        // `trend<-20` means per cent as well: nobody writes a fraction by hand, except below 1.
        Type::Percent => match lower.strip_suffix('%') {
            Some(n) => number(n)
                .map(|n| Value::Number(n / 100.0))
                .ok_or_else(wrong),
            None => number(&lower)
                .map(|n| Value::Number(if n.abs() <= 1.0 { n } else { n / 100.0 }))
                .ok_or_else(wrong),
        },
        Type::Date | Type::Instant => date(&lower).ok_or_else(wrong),
    }
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim_start_matches('$').replace(['_', ','], "");
    let (digits, factor) = match text.char_indices().last()? {
        (i, 'k') => (&text[..i], 1e3),
        (i, 'm') => (&text[..i], 1e6),
        (i, 'b') => (&text[..i], 1e9),
        (i, '%') => (&text[..i], 1.0),
        _ => (text.as_str(), 1.0),
    };
    let plain = digits.trim_start_matches(['-', '+']);
    if !plain.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let n = digits.parse::<f64>().ok()? * factor;
    n.is_finite().then_some(n)
}

fn span(text: &str) -> Option<i32> {
    let (i, unit) = text.char_indices().last()?;
    let factor = match unit {
        'd' => 1,
        'w' => 7,
        'm' => 30,
        'q' => 91,
        'y' => 365,
        _ => return None,
    };
    let n: i32 = text[..i].parse().ok()?;
    n.checked_mul(factor).filter(|n| n.abs() <= 1_000_000)
}

fn date(text: &str) -> Option<Value> {
    use NamedDay::*;
    let named = match text {
        "today" | "now" => Some(Today),
        "tomorrow" => Some(Tomorrow),
        "yesterday" => Some(Yesterday),
        "eow" => Some(EndOfWeek),
        "eom" => Some(EndOfMonth),
        "eoq" => Some(EndOfQuarter),
        "eoy" => Some(EndOfYear),
        _ => None,
    };
    if let Some(n) = named {
        return Some(Value::Named(n));
    }
    match text.as_bytes().first()? {
        b'+' | b'-' => span(text).map(Value::FromToday),
        _ => span(text).map(Value::Span).or_else(|| {
            let date: jiff::civil::Date = text.parse().ok()?;
            Some(Value::Day(days(date)))
        }),
    }
}
