//! Amounts in one currency: what one unit of each is worth in the reporting currency. A missing rate means no value, never 1.

use super::rows::Rate;
use super::value::{Money, currency_code, exponent};
use jiff::civil::Date;
use std::collections::HashMap;

/// What a rate is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RateKind {
    /// The market's of a day.
    #[default]
    Spot,
    /// A plan's.
    Plan,
}

impl RateKind {
    /// Of a rate.
    pub fn of(rate: &Rate) -> RateKind {
        match rate.kind.as_deref() {
            Some("plan") => RateKind::Plan,
            _ => RateKind::Spot,
        }
    }
}

/// Rates into the reporting currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Fx {
    reporting: [u8; 3],
    factors: HashMap<[u8; 3], f64>,
    /// The same for minor units, so that converting a million amounts does not look decimals up.
    minor: HashMap<[u8; 3], f64>,
}

impl Default for Fx {
    fn default() -> Self {
        Fx::new("USD", &[], None)
    }
}

impl Fx {
    /// From rates as they stand in any order. Rates of kind plan do not count. Where a pair has several, the latest on or before `today` counts (any, without `today`).
    /// A currency is reached directly, by the inverse, or through one other currency. An unknown reporting currency means US dollars.
    pub fn new(reporting: &str, rates: &[Rate], today: Option<Date>) -> Fx {
        Fx::of_kind(reporting, rates, today, RateKind::Spot)
    }

    /// The same of rates of one kind alone.
    pub fn of_kind(reporting: &str, rates: &[Rate], today: Option<Date>, kind: RateKind) -> Fx {
        let reporting = currency_code(reporting).unwrap_or(*b"USD");
        type Pair = ([u8; 3], [u8; 3]);
        let mut latest: HashMap<Pair, (Option<Date>, f64)> = HashMap::new();
        for r in rates {
            let (Some(from), Some(to), Some(rate)) =
                (currency_code(&r.from), currency_code(&r.to), r.rate)
            else {
                continue;
            };
            if RateKind::of(r) != kind
                || !(rate.is_finite() && rate > 0.0)
                || r.at.zip(today).is_some_and(|(at, t)| at > t)
            {
                continue;
            }
            let entry = latest.entry((from, to)).or_insert((r.at, rate));
            if r.at >= entry.0 {
                *entry = (r.at, rate);
            }
        }
        let mut edges: Vec<([u8; 3], [u8; 3], f64)> = latest
            .iter()
            .flat_map(|((from, to), (_, rate))| [(*from, *to, *rate), (*to, *from, 1.0 / rate)])
            .collect();
        // Given rates before inverted ones, and always in the same order.
        edges.sort_by_key(|(from, to, _)| (!latest.contains_key(&(*from, *to)), *from, *to));
        let mut factors = HashMap::from([(reporting, 1.0)]);
        for _hop in 0..2 {
            let known = factors.clone();
            for (from, to, rate) in &edges {
                if let Some(f) = known.get(to) {
                    factors.entry(*from).or_insert(rate * f);
                }
            }
        }
        let minor = factors
            .iter()
            .map(|(code, f)| {
                let shift = exponent(&reporting) as i32 - exponent(code) as i32;
                (*code, f * 10f64.powi(shift))
            })
            .collect();
        Fx {
            reporting,
            factors,
            minor,
        }
    }

    /// The reporting currency.
    pub fn reporting(&self) -> [u8; 3] {
        self.reporting
    }

    /// What one unit of a currency is worth.
    pub fn factor(&self, currency: &[u8; 3]) -> Option<f64> {
        self.factors.get(currency).copied()
    }

    /// Minor units of the currency times this are minor units of the reporting currency.
    pub fn minor_factor(&self, currency: &[u8; 3]) -> Option<f64> {
        self.minor.get(currency).copied()
    }

    /// An amount in the reporting currency, rounded to its minor unit; `None` without a rate.
    pub fn convert(&self, money: Money) -> Option<Money> {
        if money.currency == self.reporting {
            return Some(money);
        }
        let minor = (money.minor as f64 * self.minor_factor(&money.currency)?).round();
        Some(Money {
            minor: minor as i64,
            currency: self.reporting,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(from: &str, to: &str, rate: f64, at: &str) -> Rate {
        Rate {
            from: from.into(),
            to: to.into(),
            rate: Some(rate),
            at: at.parse().ok(),
            ..Rate::default()
        }
    }

    #[test]
    fn a_rate_is_taken_directly_inverted_or_over_one_currency_and_never_invented() {
        let rates = [
            rate("EUR", "USD", 1.0, "2025-01-01"),
            rate("EUR", "USD", 1.1, "2026-01-01"),
            rate("EUR", "USD", 9.0, "2027-01-01"),
            rate("GBP", "EUR", 1.2, "2026-01-01"),
            Rate {
                kind: Some("plan".into()),
                ..rate("EUR", "USD", 7.0, "2026-05-01")
            },
            rate("USD", "JPY", 150.0, "2026-01-01"),
        ];
        let fx = Fx::new("USD", &rates, "2026-06-01".parse().ok());
        let convert = |m: i64, c: &str| fx.convert(Money::new(m, c).unwrap()).map(|m| m.minor);
        assert_eq!(convert(100, "EUR"), Some(110));
        assert_eq!(convert(1000, "GBP"), Some(1320));
        assert_eq!(convert(150, "JPY"), Some(100));
        assert_eq!(convert(5, "USD"), Some(5));
        assert_eq!(convert(5, "SEK"), None);
    }
}
