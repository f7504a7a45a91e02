//! The health model as data: which signals count, how they become points, what else holds for some segments, stages and ages.

use super::measure::Measure;
use super::scale::Scale;
use super::score::Missing;
use crate::book::{AccountRow, Day};
use serde::{Deserialize, Serialize};

/// Whose score the probability of loss goes by, where both have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drive {
    /// The vendor's; ours where the vendor has none.
    #[default]
    Vendor,
    /// Ours; the vendor's where ours is not sufficient.
    Csops,
}

impl Drive {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Drive::Vendor => "vendor",
            Drive::Csops => "csops",
        }
    }
}

/// Where bands begin, in points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edges {
    /// From here on good.
    pub good: u8,
    /// From here on to be watched; below it bad.
    pub watch: u8,
}

impl Default for Edges {
    fn default() -> Self {
        Edges {
            good: 70,
            watch: 40,
        }
    }
}

/// One signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// What people call it.
    pub name: String,
    /// What is measured.
    pub measure: Measure,
    /// Its weight; only the ratio to the others' counts.
    pub weight: f64,
    /// How a value becomes points.
    pub scale: Scale,
    /// After so many days half of its weight is left; none: it does not fade.
    pub half_life: Option<f64>,
}

/// What holds otherwise for some accounts. Of several that fit, the later ones win.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct When {
    /// Only accounts of this segment.
    pub segment: Option<String>,
    /// Only accounts of this touch model.
    pub touch: Option<String>,
    /// Only accounts in this lifecycle stage.
    pub stage: Option<String>,
    /// Only customers of at least so many whole months.
    pub from_month: Option<u16>,
    /// Only customers of less than so many whole months.
    pub to_month: Option<u16>,
    /// Another edge of the good band.
    pub good: Option<u8>,
    /// Another edge of the watch band.
    pub watch: Option<u8>,
    /// Other weights, scales and half-lives, by the signal's name.
    pub signals: Vec<SignalChange>,
}

/// What is otherwise about a signal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignalChange {
    /// The signal.
    pub name: String,
    /// Its weight there.
    pub weight: Option<f64>,
    /// Its scale there.
    pub scale: Option<Scale>,
    /// Its half-life there.
    pub half_life: Option<f64>,
}

/// The model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Model {
    /// Whose score the probability of loss goes by.
    pub drive: Drive,
    /// What becomes of missing weight.
    pub missing: Missing,
    /// The least coverage, 0 to 1, from which on there is a band.
    pub coverage: f64,
    /// How many points beyond an edge a score must be to leave its band.
    pub hysteresis: u8,
    /// Where bands begin.
    pub edges: Edges,
    /// The signals.
    pub signals: Vec<Signal>,
    /// What holds otherwise for some accounts; at most [`Model::MOST_CASES`] count.
    pub when: Vec<When>,
}

impl Default for Model {
    /// Constructed; the weights lie within the ranges that practitioners publish (usage 25 to 35 %, adoption 15 to 25, support 10 to 20,
    /// engagement 10 to 15).
    fn default() -> Self {
        let signal = |name: &str, measure, weight, scale, half_life| Signal {
            name: name.to_owned(),
            measure,
            weight,
            scale,
            half_life,
        };
        let line = |worst, best| Scale::Linear { worst, best };
        Model {
            drive: Drive::default(),
            missing: Missing::default(),
            coverage: 0.6,
            hysteresis: 3,
            edges: Edges::default(),
            signals: vec![
                signal(
                    "usage",
                    Measure::UsageLevel,
                    30.0,
                    line(0.2, 0.9),
                    Some(30.0),
                ),
                signal(
                    "trend",
                    Measure::UsageTrend,
                    20.0,
                    line(-0.4, 0.1),
                    Some(30.0),
                ),
                signal(
                    "support",
                    Measure::UrgentTickets,
                    15.0,
                    Scale::Steps(vec![(0.0, 100.0), (1.0, 60.0), (2.0, 30.0), (3.0, 0.0)]),
                    None,
                ),
                signal(
                    "engagement",
                    Measure::TouchAge,
                    15.0,
                    line(120.0, 14.0),
                    None,
                ),
                signal("voice", Measure::Nps, 10.0, line(3.0, 9.0), Some(180.0)),
                signal("sponsor", Measure::SponsorAge, 10.0, line(0.0, 180.0), None),
            ],
            when: Vec::new(),
        }
    }
}

impl Model {
    /// So many cases of `when` are looked at.
    pub const MOST_CASES: usize = 32;

    /// A fingerprint of everything in it that changes a score or a band, eight hexadecimal digits: goes with each score, so that scores of
    /// two models are never taken for the same.
    pub fn version(&self) -> String {
        // Whose score drives is no part of the score.
        let scored = Model {
            drive: Drive::default(),
            ..self.clone()
        };
        let text = serde_json::to_string(&scored).unwrap_or_default();
        // FNV-1a: the same on every machine and in every version.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{:08x}", (hash >> 32) as u32 ^ hash as u32)
    }

    /// Which of the cases fit an account, one bit each.
    pub(super) fn cases(&self, a: &AccountRow<'_>, today: Day) -> u32 {
        let mut fits = 0;
        let mut months = None;
        for (i, w) in self.when.iter().take(Self::MOST_CASES).enumerate() {
            let word = |want: &Option<String>, is: Option<&str>| {
                want.as_deref()
                    .is_none_or(|w| is.is_some_and(|is| is.eq_ignore_ascii_case(w)))
            };
            let aged = w.from_month.is_none() && w.to_month.is_none() || {
                let age = *months.get_or_insert_with(|| months_old(a, today));
                age.is_some_and(|m| {
                    m >= i32::from(w.from_month.unwrap_or(0))
                        && w.to_month.is_none_or(|to| m < i32::from(to))
                })
            };
            if aged
                && word(&w.segment, a.segment())
                && word(&w.touch, a.touch())
                && word(&w.stage, a.stage())
            {
                fits |= 1 << i;
            }
        }
        fits
    }

    /// The signals and edges that hold where these cases fit.
    pub(super) fn variant(&self, cases: u32) -> (Vec<Signal>, Edges) {
        let (mut signals, mut edges) = (self.signals.clone(), self.edges);
        for (i, w) in self.when.iter().take(Self::MOST_CASES).enumerate() {
            if cases & 1 << i == 0 {
                continue;
            }
            edges.good = w.good.unwrap_or(edges.good);
            edges.watch = w.watch.unwrap_or(edges.watch);
            for change in &w.signals {
                for s in signals.iter_mut().filter(|s| s.name == change.name) {
                    s.weight = change.weight.unwrap_or(s.weight);
                    s.half_life = change.half_life.or(s.half_life);
                    if let Some(scale) = &change.scale {
                        s.scale = scale.clone();
                    }
                }
            }
        }
        // A case may set one edge alone: the bands never cross.
        edges.watch = edges.watch.min(edges.good);
        (signals, edges)
    }
}

/// Whole months since the customer's start; none when it is unknown or still to come.
fn months_old(a: &AccountRow<'_>, today: Day) -> Option<i32> {
    let (start, now) = (a.start()?, today.date()?);
    let count = |d: jiff::civil::Date| i32::from(d.year()) * 12 + i32::from(d.month());
    let months = count(now) - count(start) - i32::from(now.day() < start.day());
    (months >= 0).then_some(months)
}
