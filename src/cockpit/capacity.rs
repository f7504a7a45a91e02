//! What `[capacity]` of the configuration means to insight.

use crate::book::value::{currency_code, exponent};
use crate::config;
use crate::insight::capacity::settings::{CapacitySettings, Ramping, RebalanceRules, Saved};

/// The settings of capacity; amounts become minor units of the reporting currency.
pub(super) fn capacity_of(settings: &config::Settings) -> CapacitySettings {
    let c = &settings.capacity;
    let code = currency_code(&settings.money.reporting_currency).unwrap_or(*b"USD");
    let unit = 10f64.powi(exponent(&code) as i32);
    let minor = |amount: Option<f64>| amount.map(|a| (a * unit).round() as i64);
    let mut hours = CapacitySettings::default().hours;
    hours.extend(c.hours.clone());
    let [by_hours, by_accounts, by_arr] = c.limits;
    CapacitySettings {
        hours,
        hours_per_year: c.hours_per_year,
        internal_share: c.internal_share,
        full_time_hours: c.full_time_hours,
        ramp: c.ramp.clone(),
        ramping: if c.ramping_counts {
            Ramping::Weight
        } else {
            Ramping::Exclude
        },
        leader_share: c.leader_share,
        target_utilisation: c.target_utilisation,
        growth: c.growth,
        attrition: c.attrition,
        time_to_hire_days: c.time_to_hire_days,
        quarters: c.quarters,
        gross_margin: c.gross_margin,
        csm_cost: minor(c.csm_cost),
        leader_cost: minor(c.leader_cost),
        ops_cost: minor(c.ops_cost),
        other_cost: minor(c.other_cost),
        saved: Saved {
            hours_a_week: c.saved_hours_a_week,
            weeks: c.saved_weeks,
            people: c.saved_people,
            account_hours: c.saved_account_hours,
        },
        rebalance: RebalanceRules {
            keep: c.keep.clone(),
            quiet_days: c.quiet_days,
            max_moves: c.max_moves.map(|n| n as usize),
            by_hours,
            by_accounts,
            by_arr,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_configured_has_the_default_of_insight() {
        let settings = config::Settings::default();
        assert_eq!(capacity_of(&settings), CapacitySettings::default());
    }

    #[test]
    fn amounts_become_minor_units_of_the_reporting_currency() {
        let mut settings = config::Settings::default();
        settings.capacity.csm_cost = Some(100_000.0);
        settings.capacity.hours.insert("enterprise".into(), 90.0);
        assert_eq!(capacity_of(&settings).csm_cost, Some(10_000_000));
        settings.money.reporting_currency = "JPY".into();
        let c = capacity_of(&settings);
        assert_eq!(c.csm_cost, Some(100_000));
        assert_eq!((c.hours["enterprise"], c.hours["high"]), (90.0, 75.0));
    }
}
