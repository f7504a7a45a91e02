//! `[money]` and `[metrics]`: currencies with their rates, and the conventions and targets of retention.

use super::nearest::nearest;
use super::reader::{Section, float};
use super::settings::{ConfiguredRate, Metrics, MoneySettings};
use jiff::civil::Date;

/// An ISO 4217 code, or the sentence that follows the key's name.
fn currency(code: &str) -> Result<String, String> {
    let upper = code.to_ascii_uppercase();
    if iso_currency::Currency::from_code(&upper).is_some() {
        Ok(upper)
    } else {
        Err(format!(
            "does not know the currency `{code}`; write its ISO 4217 code such as USD or EUR"
        ))
    }
}

/// `[money]`.
pub(super) fn money(s: Section<'_, '_>) -> MoneySettings {
    let reporting_currency = s
        .parsed("reporting_currency", "USD", currency)
        .unwrap_or_else(|| "USD".to_owned());
    let mut all = rates(&s.section("rates"), false, &reporting_currency);
    all.extend(rates(&s.section("plan_rates"), true, &reporting_currency));
    s.done();
    MoneySettings {
        reporting_currency,
        rates: all,
    }
}

/// `EUR = 1.08`, or `EUR = { "2025-01-01" = 1.10 }`: from that day on.
fn rates(s: &Section<'_, '_>, plan: bool, reporting: &str) -> Vec<ConfiguredRate> {
    let mut all = Vec::new();
    for (key, value) in s.entries() {
        let name = s.name(&key);
        let (code, day) = match key.split_once('.') {
            Some((code, day)) => (code, Some(day)),
            None => (key.as_str(), None),
        };
        let rate = float(value.get_ref()).filter(|r| *r > 0.0);
        let at = day.map(str::parse::<Date>).transpose();
        match (currency(code), at, rate) {
            (Err(sentence), ..) => s.error(Some(value.span()), format!("`{name}` {sentence}")),
            (_, Err(_), _) => s.error(
                Some(value.span()),
                format!("`{name}`: a day is written as \"2025-01-31\""),
            ),
            (_, _, None) => s.error(
                Some(value.span()),
                format!("`{name}` takes a number above 0: how many {reporting} one {code} is"),
            ),
            (Ok(currency), Ok(at), Some(rate)) => {
                s.reader.show(name, rate.to_string(), Some(value.span()));
                all.push(ConfiguredRate {
                    currency,
                    rate,
                    at,
                    plan,
                });
            }
        }
    }
    all
}

/// A switch of the retention policy and its values, the usual one first; one with a number of days is written as `grace:60d`.
pub type SwitchWords = (&'static str, &'static [&'static str]);

/// The switches of the retention policy.
pub const SWITCHES: &[SwitchWords] = &[
    ("window", &["range", "ttm", "year", "quarter"]),
    ("denominator", &["opening", "due"]),
    ("netting", &["account", "line", "product"]),
    ("cap", &["account", "losses"]),
    ("late", &["grace:60d", "term_end", "hold"]),
    ("early", &["due", "signing"]),
    ("reactivation", &["ignore:90d", "churn_new", "bucket"]),
    ("price", &["include", "separate", "exclude"]),
    ("fx", &["constant", "plan", "reported"]),
    ("one_off", &["exclude", "include"]),
    ("unit", &["account", "parent", "contract"]),
];

/// `[metrics]`.
pub(super) fn metrics(s: Section<'_, '_>) -> Metrics {
    let policy = SWITCHES.iter().filter_map(|(name, words)| {
        let value = s.parsed(name, words[0], |text| switch(words, text))?;
        Some(((*name).to_owned(), value))
    });
    let policy = policy.collect();
    let mixed = s.word(
        "mixed_currencies",
        "exclude",
        &[("exclude", false), ("convert", true)],
    );
    let target = |key| s.some_number(key, 0.0..=10.0);
    let metrics = Metrics {
        policy,
        convert_mixed: mixed.unwrap_or(false),
        grr_target: target("grr_target"),
        nrr_target: target("nrr_target"),
        logo_churn_target: target("logo_churn_target"),
    };
    s.done();
    metrics
}

/// The value of a switch, or the sentence that follows the key's name.
fn switch(words: &[&'static str], text: &str) -> Result<String, String> {
    let plain = |word: &'static str| word.split(':').next().unwrap_or(word);
    let (head, days) = match text.split_once(':') {
        Some((head, days)) => (head, Some(days)),
        None => (text, None),
    };
    let known = words.iter().find(|w| plain(w) == head);
    let takes_days = known.is_some_and(|w| w.contains(':'));
    match (known, days) {
        (Some(_), None) => Ok(text.to_owned()),
        (Some(word), Some(days)) if takes_days => match days.trim_end_matches('d').parse::<u16>() {
            Ok(n) if n <= 3650 => Ok(text.to_owned()),
            _ => Err(format!(
                "takes a number of days from 0 to 3650 behind the colon, such as `{word}`"
            )),
        },
        _ => Err(match nearest(head, words.iter().map(|w| plain(w))) {
            Some(near) => format!("does not know `{text}`; did you mean `{near}`?"),
            None => format!("does not know `{text}`; it is one of: {}", words.join(", ")),
        }),
    }
}
