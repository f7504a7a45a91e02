//! Values of figures as people read them: short where they stand beside others, in full where one is explained.

use crate::book::Book;
use crate::insight::page::{Figure, State, Target, Value};
use crate::tui::fmt;
use crate::tui::theme::Role;
use jiff::civil::Date;

/// How values are written: in the book's reporting currency, dates as seen from today.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    /// Whose reporting currency it is.
    pub book: &'a Book,
    /// The day that counts as today.
    pub today: Date,
}

impl Words<'_> {
    /// Short: `$1.24M`, `84.9%`, `12d`; `n/a` where there is no answer.
    pub fn short(&self, value: &Value) -> String {
        match value {
            Value::Money(minor) => fmt::money_in(self.book.reporting_money(*minor)),
            Value::Ratio(n) => percent(*n, 1),
            Value::Count(n) => whole(*n),
            Value::Number(n, decimals) => number(*n, *decimals),
            Value::Days(n) => days(*n),
            Value::Date(d) => fmt::absolute(self.today, *d),
            Value::Text(t) => t.clone(),
            Value::None(_) => "n/a".to_owned(),
            Value::Empty => String::new(),
        }
    }

    /// In full: `$1,240,300.50`, `84.94%`; why there is no answer.
    pub fn full(&self, value: &Value) -> String {
        match value {
            Value::Money(minor) => fmt::money_full(self.book.reporting_money(*minor)),
            Value::Ratio(n) => percent(*n, 2),
            Value::Days(n) if *n == 1.0 => "1 day".to_owned(),
            Value::Days(n) => format!("{} days", number(*n, u8::from(n.fract() != 0.0))),
            Value::Date(d) => d.to_string(),
            Value::None(why) if why.is_empty() => "n/a".to_owned(),
            Value::None(why) => format!("n/a: {}", why.trim_start_matches("n/a: ")),
            other => self.short(other),
        }
    }

    /// As it is copied: exact, a number without unit where it is one.
    pub fn exact(&self, value: &Value) -> String {
        match value {
            Value::Money(minor) => self.book.reporting_money(*minor).decimal(),
            Value::Ratio(n) | Value::Number(n, _) | Value::Days(n) => n.to_string(),
            Value::Count(n) => n.to_string(),
            Value::Date(d) => d.to_string(),
            other => self.full(other),
        }
    }

    /// What is wanted: `≥ 90.0%`, `5–15`.
    pub fn target(&self, target: &Target) -> String {
        match (&target.from, &target.to) {
            (Some(from), Some(to)) => format!("{}–{}", self.bound(from), self.bound(to)),
            (Some(from), None) => format!("≥ {}", self.bound(from)),
            (None, Some(to)) => format!("≤ {}", self.bound(to)),
            (None, None) => String::new(),
        }
    }

    /// A limit without decimals that say nothing: `90%`.
    fn bound(&self, value: &Value) -> String {
        match value {
            Value::Ratio(n) if (n * 100.0).fract().abs() < 1e-9 => percent(*n, 0),
            Value::Number(n, _) if n.fract() == 0.0 => number(*n, 0),
            other => self.short(other),
        }
    }
}

/// A fraction as a percentage. What is not nothing is not written as nothing.
fn percent(n: f64, decimals: usize) -> String {
    if !n.is_finite() {
        return "n/a".to_owned();
    }
    let text = format!("{:.decimals$}%", n * 100.0);
    match text.strip_prefix('-') {
        // A minus in front of nothing is no sign of anything.
        Some(rest) if rest.chars().all(|c| !c.is_ascii_digit() || c == '0') => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

fn whole(n: i64) -> String {
    let text = fmt::count(usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX));
    if n < 0 { format!("−{text}") } else { text }
}

fn number(n: f64, decimals: u8) -> String {
    if !n.is_finite() {
        return "n/a".to_owned();
    }
    let text = format!("{:.*}", usize::from(decimals), n.abs());
    let (int, part) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(i, p)| (i, Some(p)));
    let mut out = int
        .parse::<usize>()
        .map_or_else(|_| int.to_owned(), fmt::count);
    if let Some(part) = part {
        out.push('.');
        out.push_str(part);
    }
    if n < 0.0 && out.chars().any(|c| ('1'..='9').contains(&c)) {
        out.insert(0, '−');
    }
    out
}

fn days(n: f64) -> String {
    let decimals = u8::from(n.fract() != 0.0 && n.abs() < 10.0);
    format!("{}d", number(n, decimals))
}

/// The sign that says how a figure lies to its target, so that it reads without colour: `▲` above, `▼` below, and `!`, `✗` for how bad that is.
pub fn sign(figure: &Figure) -> &'static str {
    let out = figure
        .value
        .number()
        .zip(figure.target.as_ref())
        .map_or(0, |(v, t)| {
            let limit = |l: &Option<Value>| l.as_ref().and_then(Value::number);
            if limit(&t.from).is_some_and(|from| v < from) {
                -1
            } else if limit(&t.to).is_some_and(|to| v > to) {
                1
            } else {
                0
            }
        });
    match (figure.state, out) {
        (State::Bad, -1) => "▼✗",
        (State::Bad, 1) => "▲✗",
        (State::Bad, _) => "✗",
        (State::Watch, -1) => "▼!",
        (State::Watch, 1) => "▲!",
        (State::Watch, _) => "!",
        (_, -1) => "▼",
        (_, 1) => "▲",
        (State::Good, _) if figure.target.is_some() => "✓",
        _ => "",
    }
}

/// The label of a figure's value.
pub fn role(figure: &Figure) -> Role {
    match (&figure.value, figure.state) {
        (Value::None(_) | Value::Empty, _) => Role::Muted,
        (_, State::Good) => Role::Good,
        (_, State::Watch) => Role::Watch,
        (_, State::Bad) => Role::Bad,
        (Value::Text(_), State::Plain) => Role::Text,
        (_, State::Plain) => Role::Strong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_short_beside_others_and_full_alone() {
        let book = Book::empty().with_money("USD", &[], None);
        let words = Words {
            book: &book,
            today: jiff::civil::date(2026, 11, 26),
        };
        for (value, short, full) in [
            (Value::Money(124_030_050), "$1.24M", "$1,240,300.50"),
            (Value::Ratio(0.84939), "84.9%", "84.94%"),
            (Value::Ratio(-0.031), "−3.1%", "−3.10%"),
            (Value::Ratio(-0.00001), "0.0%", "0.00%"),
            (Value::Ratio(f64::NAN), "n/a", "n/a"),
            (Value::Count(-12_345), "−12,345", "−12,345"),
            (Value::Number(1234.5, 1), "1,234.5", "1,234.5"),
            (Value::Number(-0.04, 1), "0.0", "0.0"),
            (Value::Days(1.0), "1d", "1 day"),
            (Value::Days(3.5), "3.5d", "3.5 days"),
            (
                Value::Date(jiff::civil::date(2027, 1, 31)),
                "31 Jan 27",
                "2027-01-31",
            ),
            (Value::None("no row".into()), "n/a", "n/a: no row"),
            (Value::Empty, "", ""),
        ] {
            assert_eq!(words.short(&value), short, "{value:?}");
            assert_eq!(words.full(&value), full, "{value:?}");
        }
        let target = |from, to| Target {
            from,
            to,
            source: String::new(),
        };
        assert_eq!(
            words.target(&target(Some(Value::Ratio(0.9)), None)),
            "≥ 90%"
        );
        assert_eq!(
            words.target(&target(
                Some(Value::Number(5.0, 1)),
                Some(Value::Number(15.0, 1))
            )),
            "5–15"
        );
    }

    #[test]
    fn the_sign_says_on_which_side_and_how_bad() {
        let figure = |v: f64, state| Figure {
            value: Value::Ratio(v),
            state,
            target: Some(Target {
                from: Some(Value::Ratio(0.8)),
                to: Some(Value::Ratio(1.2)),
                source: String::new(),
            }),
            ..Figure::default()
        };
        for (v, state, wanted) in [
            (0.7, State::Bad, "▼✗"),
            (0.7, State::Watch, "▼!"),
            (1.3, State::Plain, "▲"),
            (1.0, State::Good, "✓"),
            (1.0, State::Watch, "!"),
            (1.0, State::Plain, ""),
        ] {
            assert_eq!(sign(&figure(v, state)), wanted);
        }
    }
}
