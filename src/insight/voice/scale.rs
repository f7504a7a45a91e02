//! The scale that an answer was given on.

/// A scale, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scale {
    /// The lowest answer.
    pub low: u8,
    /// The highest answer.
    pub high: u8,
}

impl Scale {
    /// As its unit names it: `1-5`, `0–10`, `1 to 7`, `of 5`, `/10`, `5`, `%`; `default` when the unit says nothing about it (`points`).
    /// One number is the upper end; the lower one is then that of the default.
    pub fn of(unit: &str, default: Scale) -> Scale {
        if unit.contains('%') || unit.to_ascii_lowercase().contains("percent") {
            return Scale { low: 0, high: 100 };
        }
        let mut numbers = unit
            .split(|c: char| !c.is_ascii_digit())
            .filter(|p| !p.is_empty())
            .map(|p| p.parse::<u8>().unwrap_or(u8::MAX));
        let named = match (numbers.next(), numbers.next()) {
            (Some(low), Some(high)) => Scale { low, high },
            (Some(high), None) => Scale {
                low: default.low,
                high,
            },
            _ => default,
        };
        if named.low < named.high {
            named
        } else {
            default
        }
    }
    /// Whether an answer lies on it.
    pub fn holds(&self, answer: f64) -> bool {
        f64::from(self.low) <= answer && answer <= f64::from(self.high)
    }
    /// `1–5`.
    pub fn name(&self) -> String {
        format!("{}–{}", self.low, self.high)
    }
}
