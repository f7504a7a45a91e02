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
    /// For minor units, so that converting a million amounts does not look decimals up.
    minor: HashMap<[u8; 3], Ratio>,
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
        let mut edges: Vec<([u8; 3], [u8; 3], Ratio)> = Vec::new();
        for ((from, to), (_, rate)) in &latest {
            if let Some(ratio) = Ratio::of(*rate) {
                edges.push((*from, *to, ratio));
                edges.push((*to, *from, ratio.inverse()));
            }
        }
        // Given rates before inverted ones, and always in the same order.
        edges.sort_by_key(|(from, to, _)| (!latest.contains_key(&(*from, *to)), *from, *to));
        let mut ratios = HashMap::from([(reporting, Ratio::ONE)]);
        for _hop in 0..2 {
            let known = ratios.clone();
            for (from, to, ratio) in &edges {
                if let Some(further) = known.get(to) {
                    ratios.entry(*from).or_insert(ratio.times(further));
                }
            }
        }
        let minor = ratios
            .into_iter()
            .map(|(code, ratio)| {
                let shift = exponent(&reporting) as i32 - exponent(&code) as i32;
                (code, ratio.times(&Ratio::power_of_ten(shift)))
            })
            .collect();
        Fx { reporting, minor }
    }

    /// The reporting currency.
    pub fn reporting(&self) -> [u8; 3] {
        self.reporting
    }

    /// By what minor units of the currency become minor units of the reporting currency.
    pub fn ratio(&self, currency: &[u8; 3]) -> Option<Ratio> {
        self.minor.get(currency).copied()
    }

    /// An amount in the reporting currency, rounded to its minor unit; `None` without a rate.
    pub fn convert(&self, money: Money) -> Option<Money> {
        if money.currency == self.reporting {
            return Some(money);
        }
        Some(Money {
            minor: self.minor.get(&money.currency)?.convert(money.minor),
            currency: self.reporting,
        })
    }
}

/// A rate as the fraction that was written, so that an amount is converted exactly and rounded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    num: i128,
    den: i128,
}

impl Ratio {
    /// One for one.
    pub const ONE: Ratio = Ratio { num: 1, den: 1 };
    /// Parts above this are made smaller: products of two of them and an amount stay within 128 bits.
    const LARGEST: i128 = 1 << 62;

    /// Of a rate as it was written: the shortest decimal that is this number. None unless it is above zero.
    fn of(rate: f64) -> Option<Ratio> {
        if !(rate.is_finite() && rate > 0.0) {
            return None;
        }
        let text = rate.to_string();
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let part = part.get(..part.len().min(18)).unwrap_or("");
        let num: i128 = format!("{whole}{part}").parse().ok()?;
        let den = 10_i128.checked_pow(part.len() as u32)?;
        (num > 0).then(|| Ratio { num, den }.reduced())
    }
    fn power_of_ten(shift: i32) -> Ratio {
        let power = 10_i128.pow(shift.unsigned_abs().min(18));
        match shift {
            0.. => Ratio { num: power, den: 1 },
            _ => Ratio { num: 1, den: power },
        }
    }
    fn inverse(self) -> Ratio {
        Ratio {
            num: self.den,
            den: self.num,
        }
    }
    fn times(&self, other: &Ratio) -> Ratio {
        Ratio {
            num: self.num.saturating_mul(other.num),
            den: self.den.saturating_mul(other.den),
        }
        .reduced()
    }
    fn reduced(self) -> Ratio {
        let (mut a, mut b) = (self.num, self.den);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let (mut num, mut den) = (self.num / a.max(1), self.den / a.max(1));
        while num > Self::LARGEST || den > Self::LARGEST {
            num /= 2;
            den /= 2;
        }
        Ratio {
            num: num.max(1),
            den: den.max(1),
        }
    }
    /// Minor units of the reporting currency, rounded half away from zero; the largest number where they are too many.
    #[inline]
    pub fn convert(self, minor: i64) -> i64 {
        if self == Self::ONE {
            return minor;
        }
        // Nearly always the product fits into 64 bits, and dividing those is several times faster.
        if let (Ok(num), Ok(den)) = (i64::try_from(self.num), i64::try_from(self.den))
            && let Some(product) = minor.checked_mul(num)
        {
            let (whole, rest) = (product / den, product % den);
            let up = rest.unsigned_abs() >= (den.unsigned_abs() - rest.unsigned_abs());
            return whole + i64::from(up) * product.signum();
        }
        let product = i128::from(minor) * self.num;
        let (whole, rest) = (product / self.den, product % self.den);
        let up = rest.unsigned_abs() >= (self.den.unsigned_abs() - rest.unsigned_abs());
        let rounded = whole + i128::from(up) * product.signum();
        i64::try_from(rounded).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX })
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

    #[test]
    fn an_amount_is_converted_as_the_rate_is_written_and_rounded_once() {
        let ratio = |r: f64| Ratio::of(r).unwrap();
        // 50 × 1.15 is 57.5; the nearest floating-point number lies under it.
        assert_eq!(ratio(1.15).convert(50), 58);
        assert_eq!(ratio(1.15).convert(-50), -58);
        assert_eq!(ratio(1.1).convert(5_000_000), 5_500_000);
        assert_eq!(ratio(0.5).convert(1), 1);
        assert_eq!(ratio(150.0).inverse().convert(150), 1);
        // Beyond what a floating-point number holds exactly.
        assert_eq!(
            ratio(1.1).convert(9_007_199_254_740_993),
            9_907_919_180_215_092
        );
        assert_eq!(ratio(1e9).convert(i64::MAX), i64::MAX);
        let none = [0.0, f64::NAN, f64::INFINITY, -1.0, 1e-30].map(Ratio::of);
        assert_eq!(none, [None; 5]);
    }
}
