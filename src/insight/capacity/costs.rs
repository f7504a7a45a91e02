//! What customer success costs, as a part of ARR; and how many CSMs stand beside each person of CS Ops.

use super::settings::CapacitySettings;
use super::team::Team;

/// What the ratio of CSMs to CS Ops is held against.
pub const OPS_BENCHMARK: &str = "12 : 1 on average (Gainsight's CS Ops benchmarking survey, 2021)";

/// CSMs to one person of CS Ops on average.
pub const OPS_AVERAGE: f64 = 12.0;

/// What the cost of customer success is held against.
pub const COST_BENCHMARK: &str = "7 % on average (Gainsight's CS Ops benchmarking survey, 2021, base not stated); with support a median of 8.5 % of ARR \
     (SaaS Capital, 2024); above 15 % is heavy (humanr.ai, weak)";

/// Average of what customer success costs.
pub const COST_AVERAGE: f64 = 0.07;

/// From here on it is heavy.
pub const COST_HEAVY: f64 = 0.15;

/// CSMs per person of CS Ops, both as full-time equivalents that are paid; or why there is none.
///
/// # Errors
/// The reason.
pub fn ops_ratio(team: &Team) -> Result<f64, &'static str> {
    if team.ops <= 0.0 {
        Err("n/a: no source names anybody whose role is CS Ops")
    } else if team.csms <= 0.0 {
        Err("n/a: nobody looks after customers")
    } else {
        Ok(team.csms / team.ops)
    }
}

/// One kind of cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Who or what.
    pub label: &'static str,
    /// Full-time equivalents; none for what is not people.
    pub fte: Option<f64>,
    /// Minor units a year for one of them.
    pub each: i64,
    /// Minor units a year.
    pub total: i64,
}

/// The cost of customer success. Amounts are minor units of the reporting currency a year.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Costs {
    /// Its parts.
    pub parts: Vec<Cost>,
    /// What is not in it and why.
    pub left_out: Vec<(&'static str, String)>,
    /// Their sum; none without the cost of a CSM.
    pub total: Option<i64>,
    /// What CSMs alone cost.
    pub csm_payroll: Option<i64>,
    /// As a part of ARR.
    pub share: Option<f64>,
    /// CS Ops as a part of the cost.
    pub ops_share: Option<f64>,
    /// Why there is no share, or the benchmark to hold it against.
    pub note: String,
}

/// Full-time equivalents times the cost of one, to the minor unit.
pub(super) fn times(fte: f64, each: i64) -> i64 {
    (fte * each as f64).round() as i64
}

impl Costs {
    /// What a team costs.
    pub fn of(team: &Team, arr: i64, s: &CapacitySettings) -> Costs {
        let mut costs = Costs::default();
        for (label, key, fte, each) in [
            ("CSMs", "csm_cost", team.csms, s.csm_cost),
            ("leaders", "leader_cost", team.leaders, s.leader_cost),
            ("CS Ops", "ops_cost", team.ops, s.ops_cost),
        ] {
            match each {
                Some(each) => costs.parts.push(Cost {
                    label,
                    fte: Some(fte),
                    each,
                    total: times(fte, each),
                }),
                None if fte > 0.0 => costs.left_out.push((
                    label,
                    format!("{fte:.1} of them, and [capacity] {key} is not set"),
                )),
                None => {}
            }
        }
        if let Some(other) = s.other_cost {
            costs.parts.push(Cost {
                label: "everything else",
                fte: None,
                each: other,
                total: other,
            });
        }
        let of = |label| {
            costs
                .parts
                .iter()
                .find(|c| c.label == label)
                .map(|c| c.total)
        };
        costs.csm_payroll = of("CSMs");
        let ops = of("CS Ops");
        let sum = (costs.parts.iter()).fold(0_i64, |sum, c| sum.saturating_add(c.total));
        if costs.csm_payroll.is_none() {
            costs.note = "n/a: set [capacity] csm_cost to what a full-time CSM costs a year".into();
            return costs;
        }
        costs.total = Some(sum);
        costs.ops_share = ops.filter(|_| sum > 0).map(|o| o as f64 / sum as f64);
        if arr > 0 {
            costs.share = Some(sum as f64 / arr as f64);
            costs.note = COST_BENCHMARK.into();
        } else {
            costs.note = "n/a: no account has an ARR".into();
        }
        costs
    }
}
