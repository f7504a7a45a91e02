//! How renewals are forecast: `[forecast]`. Rates and probabilities are fractions, 0 to 1.

use super::nearest::nearest;
use super::reader::{Section, float};
use std::collections::BTreeMap;

/// Where a probability can be looked for.
const LOOKS: &[&str] = &["vendor", "stage", "category", "account"];
/// The categories that can have a probability of their own.
const CATEGORIES: &[&str] = &["commit", "most_likely", "best", "pipeline"];

/// What can be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The gross renewal rate that is wanted of each quarter.
    pub target: Option<f64>,
    /// That of single fiscal quarters, by `2026-Q4`.
    pub quarters: BTreeMap<String, f64>,
    /// Where the probability of an open renewal is looked for, the first that knows one: vendor, stage, category, account.
    pub order: Vec<String>,
    /// Probabilities by the vendor's word for the stage, lower case.
    pub stages: BTreeMap<String, f64>,
    /// Probabilities by category: commit, most_likely, best, pipeline.
    pub categories: BTreeMap<String, f64>,
    /// The probability when nothing knows one.
    pub otherwise: f64,
    /// The least probability that csops assumes by itself.
    pub floor: f64,
    /// The most.
    pub cap: f64,
    /// The least probability of a renewal by itself once its notice deadline has passed without notice.
    pub auto_renew: f64,
    /// How strongly renewals rise and fall together, 0 to 0.9.
    pub correlation: f64,
    /// In or out: in from this probability on.
    pub in_from: f64,
}

impl Default for Forecast {
    fn default() -> Self {
        Forecast {
            target: None,
            quarters: BTreeMap::new(),
            order: LOOKS.iter().map(|l| (*l).to_owned()).collect(),
            stages: BTreeMap::new(),
            categories: BTreeMap::new(),
            otherwise: 0.7,
            floor: 0.05,
            cap: 0.98,
            auto_renew: 0.95,
            correlation: 0.0,
            in_from: 0.5,
        }
    }
}

/// Reads the section.
pub(super) fn forecast(s: Section<'_, '_>) -> Forecast {
    let d = Forecast::default();
    let share = |key, default| s.number(key, default, 0.0..=1.0).unwrap_or(default);
    let mut forecast = Forecast {
        target: s
            .has("target")
            .then(|| s.number("target", 0.0, 0.0..=1.5))
            .flatten(),
        quarters: table(s.section("quarters"), 1.5, |name| {
            quarter(name).ok_or_else(|| {
                "names no fiscal quarter; write the year in which the fiscal year ends and the quarter, such as 2026-Q4"
                    .to_owned()
            })
        }),
        order: order(&s).unwrap_or(d.order),
        stages: table(s.section("stages"), 1.0, |name| Ok(name.to_lowercase())),
        categories: table(s.section("categories"), 1.0, |name| {
            if CATEGORIES.contains(&name) {
                return Ok(name.to_owned());
            }
            Err(match nearest(name, CATEGORIES.iter().copied()) {
                Some(right) => format!("names no category; did you mean `{right}`?"),
                None => format!("names no category; there are {}", CATEGORIES.join(", ")),
            })
        }),
        otherwise: share("otherwise", d.otherwise),
        floor: share("floor", d.floor),
        cap: share("cap", d.cap),
        auto_renew: share("auto_renew", d.auto_renew),
        correlation: s
            .number("correlation", d.correlation, 0.0..=0.9)
            .unwrap_or(d.correlation),
        in_from: share("in_from", d.in_from),
    };
    if forecast.floor > forecast.cap {
        s.error(
            s.raw("floor").map(|v| v.span()),
            format!(
                "`forecast.floor` ({}) lies above `forecast.cap` ({}); the defaults {} and {} are used",
                forecast.floor, forecast.cap, d.floor, d.cap
            ),
        );
        (forecast.floor, forecast.cap) = (d.floor, d.cap);
    }
    s.done();
    forecast
}

fn order(s: &Section<'_, '_>) -> Option<Vec<String>> {
    let given = s.texts("order", &Forecast::default().order)?;
    let stranger = given.iter().find(|w| !LOOKS.contains(&w.as_str()));
    let Some(stranger) = stranger else {
        return Some(given);
    };
    s.error(
        s.raw("order").map(|v| v.span()),
        format!(
            "`{}` does not know `{stranger}`; there are {}",
            s.name("order"),
            LOOKS.join(", ")
        ),
    );
    None
}

/// A table of fractions up to `most`; `name` checks each key and says what it is kept under, or what is wrong with it.
fn table(
    s: Section<'_, '_>,
    most: f64,
    name: impl Fn(&str) -> Result<String, String>,
) -> BTreeMap<String, f64> {
    let mut out = BTreeMap::new();
    for (key, value) in s.entries() {
        let full = s.name(&key);
        let number = float(value.get_ref()).filter(|n| (0.0..=most).contains(n));
        match (name(&key), number) {
            (Err(sentence), _) => s.error(Some(value.span()), format!("`{full}` {sentence}")),
            (_, None) => s.error(
                Some(value.span()),
                format!("`{full}` takes a fraction between 0 and {most}"),
            ),
            (Ok(key), Some(n)) => {
                s.reader.show(full, n.to_string(), Some(value.span()));
                out.insert(key, n);
            }
        }
    }
    out
}

/// A quarter's name in its one spelling.
fn quarter(name: &str) -> Option<String> {
    let (year, number) = name.split_once('-')?;
    let year: i16 = year.parse().ok().filter(|y| (1900..=2999).contains(y))?;
    let number: u8 = number
        .strip_prefix(['Q', 'q'])?
        .parse()
        .ok()
        .filter(|n| (1..=4).contains(n))?;
    Some(format!("{year}-Q{number}"))
}
