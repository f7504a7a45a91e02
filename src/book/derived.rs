//! Columns that insight computes beside the raw ones, one row per account of the [`Book`](super::Book); the query language reads both alike.

use super::column::Col;
use std::sync::Arc;

/// In the queue.
pub const IN_QUEUE: u8 = 1;
/// The probability of loss lies above the threshold.
pub const ABOVE_THRESHOLD: u8 = 2;
/// It has an open risk.
pub const HAS_RISK: u8 = 4;
/// Asleep today.
pub const SNOOZED: u8 = 8;
/// There is no decision date: it counts as close.
pub const NO_DATE: u8 = 16;
/// There is no ARR, or no rate for its currency: it counts as nothing at stake.
pub const NO_ARR: u8 = 32;
/// Nobody has a health score: it counts as the middle band.
pub const NO_HEALTH: u8 = 64;

/// The vendor's score and ours lie more than one band apart.
pub const HEALTH_DISAGREES: u8 = 16;
/// What the CSM feels and the score that counts lie more than one band apart.
pub const SENTIMENT_DISAGREES: u8 = 32;
/// The probability of loss goes by our score.
pub const OURS_DRIVES: u8 = 64;
/// The probability of loss goes by the vendor's score.
pub const VENDOR_DRIVES: u8 = 128;

/// Our own health score as a column holds it: three bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnHealth {
    /// Whole points, 0 to 100; 255 for none.
    points: u8,
    /// How much of the model's weight is there, whole per cent.
    pub coverage: u8,
    /// The band (two bits: 0 none, else one more than its place from good to bad), the band of the day before (two bits, likewise), flags.
    bits: u8,
}

impl Default for OwnHealth {
    fn default() -> Self {
        OwnHealth::new(None, 0, None, None, 0)
    }
}

impl OwnHealth {
    const NONE: u8 = u8::MAX;

    /// Packs it. Bands are counted from 0 (good) to 2 (bad); flags are this module's constants.
    pub fn new(
        points: Option<u8>,
        coverage: u8,
        band: Option<u8>,
        before: Option<u8>,
        flags: u8,
    ) -> OwnHealth {
        let two = |b: Option<u8>| b.map_or(0, |b| b.min(2) + 1);
        OwnHealth {
            points: points.unwrap_or(Self::NONE),
            coverage,
            bits: two(band) | two(before) << 2 | flags & !15,
        }
    }
    /// Its bands alone, as [`bands`](OwnHealth::bands) gives them.
    pub fn of_bands(bits: u8) -> OwnHealth {
        OwnHealth {
            bits: bits & 15,
            ..OwnHealth::default()
        }
    }
    /// The band and the one of the day before in four bits; 0 when there is neither.
    pub fn bands(&self) -> u8 {
        self.bits & 15
    }
    /// Whole points, 0 to 100.
    pub fn points(&self) -> Option<u8> {
        (self.points != Self::NONE).then_some(self.points)
    }
    /// The band, 0 (good) to 2 (bad); none when the coverage is not sufficient.
    pub fn band(&self) -> Option<u8> {
        (self.bits & 3).checked_sub(1)
    }
    /// The band of the day before.
    pub fn before(&self) -> Option<u8> {
        (self.bits >> 2 & 3).checked_sub(1)
    }
    /// Whether a flag is set.
    pub fn is(&self, flag: u8) -> bool {
        self.bits & flag != 0
    }
}

/// What insight computed of one account.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AccountDerived {
    /// Probability of loss, 0 to 1.
    pub loss: f32,
    /// ARR at stake, minor units of the reporting currency.
    pub at_stake: i64,
    /// Closeness of the decision date, 0 to 1: min(1, 90/d).
    pub closeness: f32,
    /// loss × at stake × closeness, in minor units.
    pub urgency: f32,
    /// The part of the expected loss that another week of waiting costs, by the save curve.
    pub week: f32,
    /// Flags, see the constants.
    pub flags: u8,
    /// One bit per kind of reason.
    pub reasons: u16,
    /// Usage in 30 days as a fraction; NaN when unknown.
    pub usage_trend: f32,
    /// Our own health score.
    pub health: OwnHealth,
}

impl AccountDerived {
    /// Whether a flag is set.
    pub fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
    /// loss × at stake, minor units of the reporting currency.
    pub fn expected_loss(&self) -> f64 {
        f64::from(self.loss) * self.at_stake as f64
    }
    /// What another week of waiting costs, minor units of the reporting currency.
    pub fn cost_of_delay(&self) -> f64 {
        self.expected_loss() * f64::from(self.week)
    }
}

/// The columns. Cheap to clone; shares what did not change.
#[derive(Clone, Debug, Default)]
pub struct Derived {
    loss: Col<f32>,
    at_stake: Col<i64>,
    closeness: Col<f32>,
    week: Col<f32>,
    flags: Col<u8>,
    reasons: Col<u16>,
    usage_trend: Col<f32>,
    health: Col<OwnHealth>,
    model: Arc<str>,
    knows: u8,
}

impl Derived {
    /// What was computed of an account row.
    #[inline]
    pub fn account(&self, row: u32) -> AccountDerived {
        let (loss, at_stake, closeness) = (
            self.loss.get(row),
            self.at_stake.get(row),
            self.closeness.get(row),
        );
        AccountDerived {
            loss,
            at_stake,
            closeness,
            urgency: loss * at_stake as f32 * closeness,
            week: self.week.get(row),
            flags: self.flags.get(row),
            reasons: self.reasons.get(row),
            usage_trend: self.usage_trend.get(row),
            health: self.health.get(row),
        }
    }

    /// Stores what was computed of an account row (`urgency` is not stored: it is the product of the others).
    pub fn set(&mut self, row: u32, d: AccountDerived) {
        self.loss.set(row, d.loss);
        self.at_stake.set(row, d.at_stake);
        self.closeness.set(row, d.closeness);
        self.week.set(row, d.week);
        self.flags.set(row, d.flags);
        self.reasons.set(row, d.reasons);
        self.health.set(row, d.health);
        // NaN differs from itself and would copy its chunk each time.
        if self.usage_trend.get(row).to_bits() != d.usage_trend.to_bits() {
            self.usage_trend.set(row, d.usage_trend);
        }
    }

    /// Whether an account row is in the queue.
    #[inline]
    pub fn in_queue(&self, row: u32) -> bool {
        self.flags.get(row) & IN_QUEUE != 0
    }

    /// Our own health score of an account row.
    #[inline]
    pub fn health(&self, row: u32) -> OwnHealth {
        self.health.get(row)
    }

    /// The version of the health model that the scores are of.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Of which model, and what the Book knows at all (a mark that insight compares): both hold for every row.
    pub fn with_model(mut self, model: &str, knows: u8) -> Derived {
        if *self.model != *model {
            self.model = model.into();
        }
        self.knows = knows;
        self
    }

    /// The mark given to [`with_model`](Derived::with_model).
    pub fn knows(&self) -> u8 {
        self.knows
    }
}
