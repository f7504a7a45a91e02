//! What can be set of the figures on data quality, growth, onboarding and the customers' voice: one section each. The numbers and words
//! are checked here for their form; what they mean is insight's.

use super::reader::Section;

/// From when on data is defective (`[quality]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    /// A health score older than so many days is stale.
    pub stale_health_days: u16,
    /// Two systems' ARR may differ by this fraction of the larger one.
    pub arr_tolerance: f64,
    /// A day before this year cannot be.
    pub earliest_year: i16,
    /// A day more than so many years ahead cannot be.
    pub years_ahead: u16,
    /// Kinds of defect that do not count, by name.
    pub ignore: Vec<String>,
}

impl Default for Quality {
    fn default() -> Self {
        Quality {
            stale_health_days: 30,
            arr_tolerance: 0.01,
            earliest_year: 1990,
            years_ahead: 15,
            ignore: Vec::new(),
        }
    }
}

/// What speaks for expansion (`[growth]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// Seats in use from this share of the seats bought on.
    pub seat_use: f64,
    /// Usage that grew by this fraction in four weeks.
    pub usage_growth: f64,
    /// A limit that was reached within so many days.
    pub limit_days: u16,
    /// Opportunities closed, and leads created, within so many days count.
    pub period_days: u16,
    /// A promoter is asked again after so many days.
    pub ask_again_days: u16,
    /// Words of an opportunity's origin that make it a lead which customer success qualified.
    pub csql_origins: Vec<String>,
}

impl Default for Growth {
    fn default() -> Self {
        Growth {
            seat_use: 0.9,
            usage_growth: 0.2,
            limit_days: 90,
            period_days: 365,
            ask_again_days: 180,
            csql_origins: texts(&["csql", "customer success", "csm"]),
        }
    }
}

/// How onboarding is read from records (`[onboarding]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Onboarding {
    /// Time to value is of customers who began within so many days.
    pub cohort_days: u16,
    /// A customer without its first value after so many days is late.
    pub first_value_days: u16,
    /// An account without a stage is being onboarded for at most so many days.
    pub open_days: u16,
    /// A stage that contains one of these words is onboarding.
    pub stages: Vec<String>,
    /// Tasks whose class contains one of these words are milestones.
    pub classes: Vec<String>,
}

impl Default for Onboarding {
    fn default() -> Self {
        Onboarding {
            cohort_days: 730,
            first_value_days: 90,
            open_days: 180,
            stages: texts(&["onboard", "implement", "kick", "launching"]),
            classes: texts(&["onboarding", "milestone"]),
        }
    }
}

/// How the answers to a question become one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreMethod {
    /// The share of answers in the uppermost boxes.
    Top,
    /// The mean answer.
    Mean,
    /// The sum of the answers as a share of the most that it could be.
    Percent,
}

/// How surveys are read (`[voice]`).
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// Answers of so many days count.
    pub period_days: u16,
    /// How CSAT is computed.
    pub csat: ScoreMethod,
    /// How CES is computed.
    pub ces: ScoreMethod,
    /// The upper end of the scale of CSAT answers that name none.
    pub csat_scale: u8,
    /// The upper end of the scale of CES answers that name none.
    pub ces_scale: u8,
    /// An unhappy answer is to be followed up within so many hours.
    pub follow_up_hours: u16,
}

impl Default for Voice {
    fn default() -> Self {
        Voice {
            period_days: 365,
            csat: ScoreMethod::Top,
            ces: ScoreMethod::Mean,
            csat_scale: 5,
            ces_scale: 7,
            follow_up_hours: 48,
        }
    }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

pub(super) fn quality(s: Section<'_, '_>) -> Quality {
    let d = Quality::default();
    let year = u16::try_from(d.earliest_year).unwrap_or(0);
    let quality = Quality {
        stale_health_days: s.whole_or("stale_health_days", d.stale_health_days, 1..=3_650),
        arr_tolerance: s
            .number("arr_tolerance", d.arr_tolerance, 0.0..=1.0)
            .unwrap_or(d.arr_tolerance),
        earliest_year: i16::try_from(s.whole_or("earliest_year", year, 1..=9_999))
            .unwrap_or(d.earliest_year),
        years_ahead: s.whole_or("years_ahead", d.years_ahead, 1..=1_000),
        ignore: s.texts("ignore", &d.ignore).unwrap_or(d.ignore),
    };
    s.done();
    quality
}

pub(super) fn growth(s: Section<'_, '_>) -> Growth {
    let d = Growth::default();
    let growth = Growth {
        seat_use: s
            .number("seat_use", d.seat_use, 0.0..=10.0)
            .unwrap_or(d.seat_use),
        usage_growth: s
            .number("usage_growth", d.usage_growth, 0.0..=10.0)
            .unwrap_or(d.usage_growth),
        limit_days: s.whole_or("limit_days", d.limit_days, 1..=3_650),
        period_days: s.whole_or("period_days", d.period_days, 1..=3_650),
        ask_again_days: s.whole_or("ask_again_days", d.ask_again_days, 0..=3_650),
        csql_origins: s
            .texts("csql_origins", &d.csql_origins)
            .unwrap_or(d.csql_origins),
    };
    s.done();
    growth
}

pub(super) fn onboarding(s: Section<'_, '_>) -> Onboarding {
    let d = Onboarding::default();
    let onboarding = Onboarding {
        cohort_days: s.whole_or("cohort_days", d.cohort_days, 1..=36_500),
        first_value_days: s.whole_or("first_value_days", d.first_value_days, 1..=3_650),
        open_days: s.whole_or("open_days", d.open_days, 0..=3_650),
        stages: s.texts("stages", &d.stages).unwrap_or(d.stages),
        classes: s.texts("classes", &d.classes).unwrap_or(d.classes),
    };
    s.done();
    onboarding
}

pub(super) fn voice(s: Section<'_, '_>) -> Voice {
    let methods = [
        ("top", ScoreMethod::Top),
        ("mean", ScoreMethod::Mean),
        ("percent", ScoreMethod::Percent),
    ];
    let d = Voice::default();
    let voice = Voice {
        period_days: s.whole_or("period_days", d.period_days, 1..=3_650),
        csat: s.word("csat", "top", &methods).unwrap_or(d.csat),
        ces: s.word("ces", "mean", &methods).unwrap_or(d.ces),
        csat_scale: s.whole_or("csat_scale", d.csat_scale, 2..=100),
        ces_scale: s.whole_or("ces_scale", d.ces_scale, 2..=100),
        follow_up_hours: s.whole_or("follow_up_hours", d.follow_up_hours, 1..=8_760),
    };
    s.done();
    voice
}
