//! Numbers and amounts in the few figures that matter, the same in sentences, on screens and on the command line.

use crate::book::Money;

/// `240k`, `1.24M`, `4.4k`, `12`, `−3k`: the figures that matter.
pub fn short(n: f64) -> String {
    let sign = if n < 0.0 { "−" } else { "" };
    let n = n.abs();
    let scaled = |d: f64, unit: &str| {
        let v = n / d;
        let text = if v >= 99.95 {
            format!("{v:.0}")
        } else if v >= 9.995 || d < 1e6 {
            format!("{v:.1}")
        } else {
            format!("{v:.2}")
        };
        // 240.0k and 1.20M say no more than 240k and 1.2M.
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        };
        format!("{sign}{text}{unit}")
    };
    if n >= 999.5e6 {
        scaled(1e9, "B")
    } else if n >= 999.5e3 {
        scaled(1e6, "M")
    } else if n >= 9_999.5 {
        format!("{sign}{:.0}k", n / 1e3)
    } else if n >= 1_000.0 {
        scaled(1e3, "k")
    } else {
        format!("{sign}{n:.0}")
    }
}

/// An amount in whole units, as [`short`] writes it. The currency is not named.
pub fn short_money(minor: i64, exponent: u32) -> String {
    short(minor as f64 / 10f64.powi(exponent as i32))
}

/// The same with its currency, as it stands in a sentence: `1.24M USD`.
pub(crate) fn money_words(money: Money) -> String {
    format!(
        "{} {}",
        short_money(money.minor, money.exponent()),
        money.code()
    )
}
