//! Numbers and dates as people read them at a glance: money short, dates relative near now and absolute far away.

use crate::book::Money;
use crate::insight::short_money;
use jiff::{Timestamp, Unit, civil::Date, tz::TimeZone};

pub use crate::insight::short;

/// Money in its main unit, short, without its currency.
pub fn money(m: Money) -> String {
    short_money(m.minor, m.exponent())
}

/// Money, short, with its currency: `$1.24M`, `240k SEK`.
pub fn money_in(m: Money) -> String {
    let n = money(m);
    match symbol(m.code()) {
        Some(s) => match n.strip_prefix('−') {
            Some(n) => format!("−{s}{n}"),
            None => format!("{s}{n}"),
        },
        None => format!("{n} {}", m.code()),
    }
}

/// Money in full, `$1,240,300.50`.
pub fn money_full(m: Money) -> String {
    let text = m.decimal();
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |d| ("−", d));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut grouped = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(c);
    }
    if !part.is_empty() && part.chars().any(|c| c != '0') {
        grouped.push('.');
        grouped.push_str(part);
    }
    match symbol(m.code()) {
        Some(s) => format!("{sign}{s}{grouped}"),
        None => format!("{sign}{grouped} {}", m.code()),
    }
}

/// The sign of a currency where everybody knows it.
pub fn symbol(code: &str) -> Option<&'static str> {
    Some(match code {
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        "JPY" => "¥",
        _ => return None,
    })
}

/// A fraction as a percentage without decimals, `83%`.
pub fn percent(f: f64) -> String {
    format!("{:.0}%", f * 100.0)
}

/// A count with separators, `1,000,000`.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// So many of something, `1 move`, `1,200 moves`.
pub fn counted(n: usize, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", count(n))
}

/// Days from `today` to `date`; negative in the past.
pub fn days(today: Date, date: Date) -> i64 {
    today
        .until((Unit::Day, date))
        .map_or(0, |s| i64::from(s.get_days()))
}

/// A date: `today`, `in 12d`, `3d ago`; further than 99 days away `12 Dec`, in another year `12 Dec 27`.
pub fn date(today: Date, date: Date) -> String {
    match days(today, date) {
        0 => "today".into(),
        n @ 1..=99 => format!("in {n}d"),
        n @ -99..=-1 => format!("{}d ago", -n),
        _ => absolute(today, date),
    }
}

/// A task's date: `fri`, `today`, `3d late`, `12 Dec`.
pub fn due(today: Date, date: Date) -> String {
    match days(today, date) {
        0 => "today".into(),
        1 => "tomorrow".into(),
        n @ 2..=6 => {
            let _ = n;
            date.strftime("%a").to_string()
        }
        n @ -99..=-1 => format!("{}d late", -n),
        n if n < 0 => format!("since {}", absolute(today, date)),
        _ => absolute(today, date),
    }
}

/// `12 Dec`, in another year `12 Dec 27`; years that cannot be meant are written in full.
pub fn absolute(today: Date, date: Date) -> String {
    if date.year() == today.year() {
        date.strftime("%-d %b").to_string()
    } else if (2000..2100).contains(&date.year()) {
        date.strftime("%-d %b %y").to_string()
    } else {
        date.to_string()
    }
}

/// How long ago: `14s`, `3m`, `5h`, `2d`.
pub fn ago(now: Timestamp, then: Timestamp) -> String {
    span(now.duration_since(then).as_secs())
}

/// A length of time from seconds: `14s`, `3m`, `5h`, `2d`; a negative one counts as none.
pub fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3600 => format!("{}m", s / 60),
        s @ 3600..172_800 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86_400),
    }
}

/// An instant on the calendar's clock: `14:05` today, `21 Nov 14:05`, `21 Nov 2025`.
pub fn instant(now: Timestamp, at: Timestamp, zone: &TimeZone) -> String {
    let (n, a) = (now.to_zoned(zone.clone()), at.to_zoned(zone.clone()));
    if n.date() == a.date() {
        a.strftime("%H:%M").to_string()
    } else if n.year() == a.year() {
        a.strftime("%-d %b %H:%M").to_string()
    } else {
        a.strftime("%-d %b %Y").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as d;

    #[test]
    fn numbers_are_short() {
        for (n, text) in [
            (0.0, "0"),
            (999.0, "999"),
            (1_000.0, "1k"),
            (1_240.0, "1.2k"),
            (240_000.0, "240k"),
            (999_400.0, "999k"),
            (999_600.0, "1M"),
            (1_240_000.0, "1.24M"),
            (12_300_000.0, "12.3M"),
            (-78_000.0, "−78k"),
        ] {
            assert_eq!(short(n), text, "{n}");
        }
        let m = Money::new(124_030_050, "USD").expect("money");
        assert_eq!(
            (money_in(m), money_full(m)),
            ("$1.24M".into(), "$1,240,300.50".into())
        );
        let y = Money::new(118_000, "JPY").expect("money");
        assert_eq!(
            (money_in(y), money_full(y)),
            ("¥118k".into(), "¥118,000".into())
        );
        assert_eq!(
            money_in(Money::new(-500_000, "SEK").expect("money")),
            "−5k SEK"
        );
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(
            [0, 1, 2].map(|n| counted(n, "move")),
            ["0 moves", "1 move", "2 moves"]
        );
    }

    #[test]
    fn dates_are_relative_near_now_and_absolute_far_away() {
        let today = d(2026, 11, 22);
        assert_eq!(date(today, today), "today");
        assert_eq!(date(today, d(2026, 12, 4)), "in 12d");
        assert_eq!(date(today, d(2026, 11, 19)), "3d ago");
        assert_eq!(date(today, d(2027, 5, 1)), "1 May 27");
        assert_eq!(date(today, d(9999, 12, 31)), "9999-12-31");
        assert_eq!(due(today, d(2026, 11, 27)), "Fri");
        assert_eq!(due(today, d(2026, 11, 19)), "3d late");
        assert_eq!(span(14), "14s");
        assert_eq!(span(7200), "2h");
        assert_eq!(span(-5), "0s");
    }
}
