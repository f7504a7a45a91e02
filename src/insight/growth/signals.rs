//! What speaks for expansion in one account.

use super::Settings;
use crate::book::derived::{ABOVE_THRESHOLD, HAS_RISK};
use crate::book::{AccountDerived, AccountRow, Day};
use crate::insight::voice::score::is_promoter;
use serde::Serialize;

/// A kind of signal; its place is its bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Most of the seats bought are in use.
    SeatUse,
    /// Usage grows.
    UsageGrowth,
    /// The newest answer is a promoter's, and usage does not fall.
    Promoter,
    /// A limit of what they bought was reached.
    LimitHit,
}

/// All kinds with their name in queries and JSON, and what people call them, in the order of their bits.
pub const KINDS: [(Kind, &str, &str); 4] = [
    (Kind::SeatUse, "seat_use", "seats in use"),
    (Kind::UsageGrowth, "usage_growth", "usage growth"),
    (Kind::Promoter, "promoter", "promoter and growing"),
    (Kind::LimitHit, "limit_hit", "limit reached"),
];

impl Kind {
    /// Its bit.
    pub fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Is told of a signal: its kind, its day, and what it says, in words that are only made when asked for.
pub type Tell<'t> = &'t mut dyn FnMut(Kind, Day, &dyn Fn() -> String);

/// Tells of each signal that holds, at most once each: its kind, its day, and what it says.
pub fn look(a: &AccountRow<'_>, today: Day, settings: &Settings, tell: Tell<'_>) {
    if let Some((used, at)) = seat_use(a, today)
        && used >= settings.seat_use
    {
        tell(Kind::SeatUse, at, &|| {
            format!("{:.0} % of the seats in use", used * 100.0)
        });
    }
    let trend = a.usage_trend().map(f64::from);
    let week = Day::of(a.usage_at());
    if let Some(t) = trend
        && t >= settings.usage_growth.max(0.01)
    {
        tell(Kind::UsageGrowth, week, &|| {
            format!("usage +{:.0} % in four weeks", t * 100.0)
        });
    }
    if let (Some(n), Some(t)) = (a.nps(), trend)
        && is_promoter(f64::from(n))
        && t > 0.0
    {
        tell(Kind::Promoter, Day::of(a.nps_at()), &|| {
            format!("answered {n}, and usage grows")
        });
    }
    let from = Day(today.0.saturating_sub(i32::from(settings.limit_days)));
    let newest = a
        .signals()
        .filter(|s| s.kind().starts_with("limit.") && s.at() >= from && s.at() <= today)
        .max_by_key(|s| s.at());
    if let Some(s) = newest {
        let what = s.kind().trim_start_matches("limit.");
        tell(Kind::LimitHit, s.at(), &|| {
            format!("reached its limit: {}", crate::book::text::visible(what))
        });
    }
}

/// The share of the seats bought that are in use, and the day of the older of the two numbers.
pub fn seat_use(a: &AccountRow<'_>, today: Day) -> Option<(f64, Day)> {
    let counted = a
        .newest("seats.used", today)
        .zip(a.newest("seats.bought", today))
        .filter(|(_, (bought, _))| *bought > 0.0)
        .map(|((used, x), (bought, y))| (used / bought, x.min(y)));
    let said = || {
        let newest = a
            .signals()
            .filter(|s| s.kind() == "licence.use" && s.at() != Day::NONE && s.at() <= today)
            .max_by_key(|s| s.at())?;
        let percent = newest.unit().contains('%') || newest.unit().eq_ignore_ascii_case("percent");
        let share = newest.value()? / if percent { 100.0 } else { 1.0 };
        Some((share, newest.at()))
    };
    counted.or_else(said)
}

/// The signals of an account, as bits.
pub fn bits(a: &AccountRow<'_>, today: Day, settings: &Settings) -> u8 {
    let mut found = 0;
    look(a, today, settings, &mut |kind, _, _| found |= kind.bit());
    found
}

/// Whether it is a time to speak of more: no open risk, and its probability of loss is not above the threshold.
pub fn is_ready(d: &AccountDerived) -> bool {
    !d.is(HAS_RISK) && !d.is(ABOVE_THRESHOLD)
}

/// The order of opportunity: ARR × the share of the four kinds that hold, in minor units; nothing while it is at risk. An order, not an
/// expected amount: constructed.
pub fn opportunity(bits: u8, arr: Option<i64>, ready: bool) -> i64 {
    let signals = i64::from(bits.count_ones());
    match arr {
        Some(arr) if ready && arr > 0 => {
            // Divided first where the product would not fit.
            arr.checked_mul(signals)
                .map_or(arr / KINDS.len() as i64 * signals, |n| {
                    n / KINDS.len() as i64
                })
        }
        _ => 0,
    }
}
