//! What of an account can be measured for its health: each measure with its unit, its value today and how old that is.

use crate::book::{AccountRow, Day};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Something that can be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Measure {
    /// The mean of the two newest weeks of usage as a share of the best of the twelve newest weeks, 0 to 1.
    UsageLevel,
    /// Weekly active users, newest week.
    Usage,
    /// Usage against four weeks before, as a fraction.
    UsageTrend,
    /// Open support cases.
    Tickets,
    /// Open urgent or escalated support cases.
    UrgentTickets,
    /// The newest survey answer, 0 to 10.
    Nps,
    /// Days since the newest touchpoint with a person.
    TouchAge,
    /// Days since a sponsor or champion left; very many when none did.
    SponsorAge,
    /// What the CSM feels: good 100, watch 50, bad 0.
    Sentiment,
    /// The vendor's health score, 0 to 100.
    Health,
    /// The vendor's health score now less that of a month before.
    HealthDelta,
    /// 1 when a risk is open, else 0.
    RiskOpen,
    /// The newest signal of a kind, `signal:licence.use`.
    Signal(Arc<str>),
}

/// The names of the measures with what they are; beside them every kind of signal can be named, `signal:KIND`.
pub const MEASURES: &[(&str, &str)] = &[
    (
        "usage.level",
        "mean of the two newest weeks as a share of the best of twelve, 0 to 1",
    ),
    ("usage", "weekly active users, newest week"),
    (
        "usage.trend",
        "usage against four weeks before, as a fraction",
    ),
    ("tickets", "open support cases"),
    ("tickets.urgent", "open urgent or escalated support cases"),
    ("nps", "newest survey answer, 0 to 10"),
    ("touch.age", "days since the newest touchpoint"),
    ("sponsor.age", "days since a sponsor or champion left"),
    ("sentiment", "what the CSM feels: good 100, watch 50, bad 0"),
    ("health", "the vendor's score, 0 to 100"),
    (
        "health.delta",
        "the vendor's score less that of a month before",
    ),
    ("risk.open", "1 when a risk is open, else 0"),
];

/// So many days since a sponsor left stand for "none left".
pub const NO_SPONSOR_LEFT: f64 = 36_500.0;

/// The prefix of a measure that is a kind of signal.
const SIGNAL: &str = "signal:";

/// A measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The value.
    pub value: f64,
    /// Its day; none when it is of the moment or its day is unknown.
    pub at: Day,
}

impl Reading {
    /// Its age in days; negative when it is dated ahead.
    pub fn age(&self, today: Day) -> Option<i32> {
        Some(today.get()?.saturating_sub(self.at.get()?))
    }
}

impl Measure {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Measure::UsageLevel => "usage.level",
            Measure::Usage => "usage",
            Measure::UsageTrend => "usage.trend",
            Measure::Tickets => "tickets",
            Measure::UrgentTickets => "tickets.urgent",
            Measure::Nps => "nps",
            Measure::TouchAge => "touch.age",
            Measure::SponsorAge => "sponsor.age",
            Measure::Sentiment => "sentiment",
            Measure::Health => "health",
            Measure::HealthDelta => "health.delta",
            Measure::RiskOpen => "risk.open",
            Measure::Signal(kind) => kind,
        }
    }

    /// Measures an account; none when it is not known. No open tickets and no sponsor who left are known only where the book has tickets
    /// and leavers at all: else nobody looks.
    pub fn read(&self, a: &AccountRow<'_>, today: Day) -> Option<Reading> {
        let dated = |value: f64, at: Day| Some(Reading { value, at });
        let now = |value: f64| dated(value, Day::NONE);
        match self {
            Measure::UsageLevel => dated(usage_level(&a.usage())?, usage_day(a, today)),
            Measure::Usage => dated(f64::from(a.usage()[11]?), usage_day(a, today)),
            Measure::UsageTrend => dated(f64::from(a.usage_trend()?), usage_day(a, today)),
            Measure::Tickets | Measure::UrgentTickets if !a.book().knows_tickets() => None,
            Measure::Tickets => now(f64::from(a.open_tickets())),
            Measure::UrgentTickets => now(f64::from(a.urgent_tickets())),
            Measure::Nps => dated(f64::from(a.nps()?), Day::of(a.nps_at())),
            Measure::TouchAge => {
                let days = today.get()?.saturating_sub(Day::of(a.last_touch()).get()?);
                now(f64::from(days.max(0)))
            }
            Measure::SponsorAge if !a.book().knows_leavers() => None,
            Measure::SponsorAge => match Day::of(a.sponsor_left()).get() {
                Some(left) => now(f64::from(today.get()?.saturating_sub(left).max(0))),
                None => now(NO_SPONSOR_LEFT),
            },
            Measure::Sentiment => now(match a.sentiment()? {
                "good" => 100.0,
                "watch" => 50.0,
                "bad" => 0.0,
                _ => return None,
            }),
            Measure::Health => dated(f64::from(a.health()?), Day::of(a.health_at())),
            Measure::HealthDelta => dated(f64::from(a.health_delta()?), Day::of(a.health_at())),
            Measure::RiskOpen => now(f64::from(u8::from(a.open_risk().is_some()))),
            Measure::Signal(kind) => {
                let (value, at) = a.newest(kind, today)?;
                dated(value, at)
            }
        }
    }

    /// Where its value came from.
    pub fn source<'a>(&self, a: &AccountRow<'a>) -> Option<&'a str> {
        match self {
            Measure::UsageLevel | Measure::Usage | Measure::UsageTrend => a.usage_source(),
            Measure::Tickets | Measure::UrgentTickets => a.ticket_source(),
            Measure::Nps => a.nps_source(),
            Measure::SponsorAge => a.contact_source(),
            Measure::Health | Measure::HealthDelta => a.health_source(),
            Measure::Signal(_) | Measure::TouchAge | Measure::Sentiment | Measure::RiskOpen => None,
        }
    }

    /// A value as people read it, `−38%`, `12 d`.
    pub fn shown(&self, value: f64) -> String {
        match self {
            Measure::UsageLevel => format!("{:.0}% of its best week", value * 100.0),
            Measure::UsageTrend => format!("{:+.0}% in 30d", value * 100.0).replace('-', "−"),
            Measure::Usage => format!("{value} users"),
            Measure::Tickets => format!("{value} open"),
            Measure::UrgentTickets => format!("{value} urgent"),
            Measure::Nps => format!("{value} of 10"),
            Measure::TouchAge => format!("{value} d ago"),
            Measure::SponsorAge if value >= NO_SPONSOR_LEFT => "none left".to_owned(),
            Measure::SponsorAge => format!("left {value} d ago"),
            Measure::Sentiment if value >= 100.0 => "good".to_owned(),
            Measure::Sentiment if value > 0.0 => "watch".to_owned(),
            Measure::Sentiment => "bad".to_owned(),
            Measure::RiskOpen if value > 0.0 => "open".to_owned(),
            Measure::RiskOpen => "none".to_owned(),
            Measure::HealthDelta => format!("{value:+}").replace('-', "−"),
            Measure::Health | Measure::Signal(_) => value.to_string(),
        }
    }
}

/// The last day of the newest usage week, but not beyond today: until then it counted.
pub fn usage_day(a: &AccountRow<'_>, today: Day) -> Day {
    let first = Day::of(a.usage_at());
    match first.get() {
        Some(d) => Day(d.saturating_add(6)).min(today.max(first)),
        None => Day::NONE,
    }
}

fn usage_level(weeks: &[Option<u32>; 12]) -> Option<f64> {
    let best = *weeks.iter().flatten().max()?;
    let newest = weeks[10..].iter().flatten();
    let (n, sum) = newest.fold((0.0, 0.0), |(n, s), w| (n + 1.0, s + f64::from(*w)));
    (best > 0 && n > 0.0).then(|| sum / n / f64::from(best))
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Measure::Signal(kind) => write!(f, "{SIGNAL}{kind}"),
            other => f.write_str(other.name()),
        }
    }
}

impl FromStr for Measure {
    type Err = String;
    fn from_str(text: &str) -> Result<Measure, String> {
        Ok(match text {
            "usage.level" => Measure::UsageLevel,
            "usage" => Measure::Usage,
            "usage.trend" => Measure::UsageTrend,
            "tickets" => Measure::Tickets,
            "tickets.urgent" => Measure::UrgentTickets,
            "nps" => Measure::Nps,
            "touch.age" => Measure::TouchAge,
            "sponsor.age" => Measure::SponsorAge,
            "sentiment" => Measure::Sentiment,
            "health" => Measure::Health,
            "health.delta" => Measure::HealthDelta,
            "risk.open" => Measure::RiskOpen,
            other => match other.strip_prefix(SIGNAL) {
                Some(kind) if !kind.is_empty() => Measure::Signal(kind.into()),
                _ => return Err(format!("there is no measure `{other}`")),
            },
        })
    }
}

impl TryFrom<String> for Measure {
    type Error = String;
    fn try_from(text: String) -> Result<Measure, String> {
        text.parse()
    }
}

impl From<Measure> for String {
    fn from(m: Measure) -> String {
        m.to_string()
    }
}
