//! The probability that a renewal comes, and where it is taken from.

use super::category::Category;
use super::settings::{Look, Settings};
use crate::book::{Day, RenewalRow};
use serde::{Deserialize, Serialize};

/// A probability in millionths, so that amounts are weighted in whole numbers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Share(u32);

impl Share {
    /// Never.
    pub const NONE: Share = Share(0);
    /// For certain.
    pub const ALL: Share = Share(1_000_000);

    /// From a fraction, rounded to millionths and kept within 0 to 1; what is no number is 0.
    pub fn of(fraction: f64) -> Share {
        Share((fraction.clamp(0.0, 1.0) * 1e6).round() as u32)
    }
    /// As a fraction.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 1e6
    }
    /// This part of an amount, rounded half away from zero.
    pub fn part_of(self, amount: i64) -> i64 {
        let twice = 2 * i128::from(amount) * i128::from(self.0);
        let rounded = (twice + 1_000_000 * i128::from(amount.signum())) / 2_000_000;
        i64::try_from(rounded).unwrap_or(amount)
    }
}

/// Where a probability comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// It is won.
    Won,
    /// It is lost.
    Lost,
    /// Notice was given, the term still runs.
    Notice,
    /// Its owner left it out of the forecast.
    Omitted,
    /// It renews by itself and the notice deadline has passed without notice.
    AutoRenew,
    /// The vendor's record says so.
    Vendor,
    /// Its stage, as configured.
    Stage,
    /// Its category, as configured.
    Category,
    /// The account's probability of loss.
    Account,
    /// Nothing knows it: the configured one for that.
    Otherwise,
}

impl Basis {
    /// All of them.
    pub const ALL: [Basis; 10] = [
        Basis::Won,
        Basis::Lost,
        Basis::Notice,
        Basis::Omitted,
        Basis::AutoRenew,
        Basis::Vendor,
        Basis::Stage,
        Basis::Category,
        Basis::Account,
        Basis::Otherwise,
    ];
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Basis::Won => "won",
            Basis::Lost => "lost",
            Basis::Notice => "notice was given",
            Basis::Omitted => "omitted by its owner",
            Basis::AutoRenew => "renews by itself, no notice came in time",
            Basis::Vendor => "stated by the system of record",
            Basis::Stage => "of its stage, [forecast.stages]",
            Basis::Category => "of its category, [forecast.categories]",
            Basis::Account => "one less the account's probability of loss",
            Basis::Otherwise => "nothing knows one, [forecast] otherwise",
        }
    }
}

/// A renewal's probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    /// How likely it comes.
    pub share: Share,
    /// Where that comes from.
    pub basis: Basis,
    /// It was moved to the floor or the cap.
    pub bounded: bool,
}

impl Chance {
    fn sure(share: Share, basis: Basis) -> Chance {
        Chance {
            share,
            basis,
            bounded: false,
        }
    }
    /// In words: where it comes from, and whether floor or cap moved it.
    pub fn words(&self) -> String {
        let bounded = if self.bounded {
            ", held by floor or cap"
        } else {
            ""
        };
        format!("{}{bounded}", self.basis.words())
    }
}

/// What is known of the notice of a renewal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// The last day on which it can be given.
    pub deadline: Day,
    /// The day on which it was given.
    pub given: Day,
    /// It renews by itself without notice.
    pub auto_renew: bool,
}

impl Notice {
    /// It renews by itself and nobody gave notice by the deadline, which lies before `today`.
    pub fn passed(&self, today: Day) -> bool {
        self.auto_renew
            && self.given == Day::NONE
            && self.deadline != Day::NONE
            && self.deadline < today
    }
}

/// The probability of a renewal in a category. `loss`: the account's probability of loss, where the account is known.
pub fn chance(
    r: &RenewalRow<'_>,
    category: Category,
    notice: &Notice,
    loss: Option<f32>,
    today: Day,
    settings: &Settings,
) -> Chance {
    match category {
        Category::Closed if r.stage_kind() == "won" => {
            return Chance::sure(Share::ALL, Basis::Won);
        }
        Category::Lost => return Chance::sure(Share::NONE, Basis::Lost),
        _ if notice.given != Day::NONE => return Chance::sure(Share::NONE, Basis::Notice),
        Category::Omitted => return Chance::sure(Share::NONE, Basis::Omitted),
        _ => {}
    }
    let found = found(r, category, loss, settings);
    if notice.passed(today) {
        let least = Share::of(settings.auto_renew);
        if found.share < least {
            return Chance::sure(least, Basis::AutoRenew);
        }
    }
    found
}

/// What the first place that knows one says, held between floor and cap unless the vendor said it.
fn found(r: &RenewalRow<'_>, category: Category, loss: Option<f32>, settings: &Settings) -> Chance {
    let bound = |fraction: f64, basis| {
        let (floor, cap) = (settings.floor.clamp(0.0, 1.0), settings.cap.clamp(0.0, 1.0));
        let share = Share::of(fraction);
        let held = Share::of(fraction.max(floor).min(cap.max(floor)));
        Chance {
            share: held,
            basis,
            bounded: held != share,
        }
    };
    for look in &settings.order {
        let chance = match look {
            Look::Vendor => r
                .probability()
                .map(|p| Chance::sure(Share::of(f64::from(p) / 100.0), Basis::Vendor)),
            Look::Stage => r
                .stage()
                .and_then(|s| settings.stages.get(&s.to_lowercase()))
                .map(|p| bound(*p, Basis::Stage)),
            Look::Category => settings
                .categories
                .get(&category)
                .map(|p| bound(*p, Basis::Category)),
            Look::Account => loss.map(|loss| bound(1.0 - f64::from(loss), Basis::Account)),
        };
        if let Some(chance) = chance {
            return chance;
        }
    }
    bound(settings.otherwise, Basis::Otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_rounded_half_away_from_zero_and_never_float() {
        assert_eq!(Share::of(0.5).part_of(3), 2);
        assert_eq!(Share::of(0.5).part_of(-3), -2);
        assert_eq!(Share::of(0.45).part_of(6_000_000), 2_700_000);
        assert_eq!(Share::ALL.part_of(i64::MAX), i64::MAX);
        assert_eq!(Share::of(f64::NAN), Share::NONE);
        assert_eq!(Share::of(1.0 - f64::from(0.05_f32)), Share::of(0.95));
    }

    #[test]
    fn notice_passes_on_the_day_after_its_deadline() {
        let mut n = Notice {
            deadline: Day(10),
            given: Day::NONE,
            auto_renew: true,
        };
        assert!(!n.passed(Day(10)));
        assert!(n.passed(Day(11)));
        n.given = Day(9);
        assert!(!n.passed(Day(11)));
        n = Notice {
            auto_renew: false,
            given: Day::NONE,
            ..n
        };
        assert!(!n.passed(Day(11)));
    }
}
