//! Columns that insight computes beside the raw ones, one row per account of the [`Book`](super::Book); the query language reads both alike.

use super::column::Col;

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
/// There is no health: it counts as the middle band.
pub const NO_HEALTH: u8 = 64;

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
    /// Flags, see the constants.
    pub flags: u8,
    /// One bit per kind of reason.
    pub reasons: u16,
    /// Usage in 30 days as a fraction; NaN when unknown.
    pub usage_trend: f32,
}

impl AccountDerived {
    /// Whether a flag is set.
    pub fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// The columns. Cheap to clone; shares what did not change.
#[derive(Clone, Debug, Default)]
pub struct Derived {
    loss: Col<f32>,
    at_stake: Col<i64>,
    closeness: Col<f32>,
    flags: Col<u8>,
    reasons: Col<u16>,
    usage_trend: Col<f32>,
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
            flags: self.flags.get(row),
            reasons: self.reasons.get(row),
            usage_trend: self.usage_trend.get(row),
        }
    }

    /// Stores what was computed of an account row (`urgency` is not stored: it is the product of the others).
    pub fn set(&mut self, row: u32, d: AccountDerived) {
        self.loss.set(row, d.loss);
        self.at_stake.set(row, d.at_stake);
        self.closeness.set(row, d.closeness);
        self.flags.set(row, d.flags);
        self.reasons.set(row, d.reasons);
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
}
