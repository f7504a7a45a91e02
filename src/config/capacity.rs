//! Work and who does it: `[capacity]` of the settings.

use super::reader::{Section, float};
use std::collections::BTreeMap;

/// What `[capacity]` says; amounts are whole units of the reporting currency a year.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// Hours of work a year that one account takes, by touch model or segment, lower case; added to the built-in ones.
    pub hours: BTreeMap<String, f64>,
    /// Hours that a full-time person works in a year.
    pub hours_per_year: f64,
    /// The part of these that goes to other things than customers, 0 to 0.95.
    pub internal_share: f64,
    /// The `capacity_hours` of a full-time person, in the unit of our people's; nothing: `hours_per_year`.
    pub full_time_hours: Option<f64>,
    /// What a new person does of a full one's work in their first months, 0 to 1 each.
    pub ramp: Vec<f64>,
    /// People in their ramp count by its share; else neither they nor their accounts count until it is over.
    pub ramping_counts: bool,
    /// The part of a leader's time that goes to accounts of their own.
    pub leader_share: f64,
    /// The utilisation that is planned for.
    pub target_utilisation: f64,
    /// By how much the work grows in a year; nothing: as accounts did in the last one.
    pub growth: Option<f64>,
    /// The part of the CSMs that leaves in a year.
    pub attrition: Option<f64>,
    /// Days from the decision to hire to the first day.
    pub time_to_hire_days: u16,
    /// Quarters that the hiring forecast looks ahead.
    pub quarters: u8,
    /// What is left of revenue after the cost of serving it, 0 to 1.
    pub gross_margin: Option<f64>,
    /// Cost of a full-time CSM.
    pub csm_cost: Option<f64>,
    /// Cost of a full-time leader.
    pub leader_cost: Option<f64>,
    /// Cost of a full-time person of CS Ops.
    pub ops_cost: Option<f64>,
    /// Everything else that customer success costs.
    pub other_cost: Option<f64>,
    /// Hours that automation saves each person a week.
    pub saved_hours_a_week: Option<f64>,
    /// Weeks worked in a year.
    pub saved_weeks: f64,
    /// How many people save them; nothing: the CSMs.
    pub saved_people: Option<f64>,
    /// Hours of one more account; nothing: the book's mean.
    pub saved_account_hours: Option<f64>,
    /// Accounts that a rebalance never moves, a query.
    pub keep: Option<String>,
    /// An account that renews within so many days moves only when no other would do.
    pub quiet_days: u16,
    /// At most so many moves.
    pub max_moves: Option<u32>,
    /// What limits a CSM: hours, accounts, arr.
    pub limits: [bool; 3],
}

impl Default for Capacity {
    fn default() -> Self {
        Capacity {
            hours: BTreeMap::new(),
            hours_per_year: 1800.0,
            internal_share: 0.35,
            full_time_hours: None,
            ramp: vec![0.0, 0.5, 0.5],
            ramping_counts: true,
            leader_share: 0.0,
            target_utilisation: 1.0,
            growth: None,
            attrition: None,
            time_to_hire_days: 60,
            quarters: 6,
            gross_margin: None,
            csm_cost: None,
            leader_cost: None,
            ops_cost: None,
            other_cost: None,
            saved_hours_a_week: None,
            saved_weeks: 46.0,
            saved_people: None,
            saved_account_hours: None,
            keep: None,
            quiet_days: 90,
            max_moves: None,
            limits: [true; 3],
        }
    }
}

/// Names of the limits, in the order of [`Capacity::limits`].
const LIMITS: [&str; 3] = ["hours", "accounts", "arr"];

/// More than any company pays.
const MONEY: std::ops::RangeInclusive<f64> = 0.0..=1e12;

/// Reads the section.
pub(super) fn capacity(s: Section<'_, '_>) -> Capacity {
    let d = Capacity::default();
    let saved = s.section("saved");
    let rebalance = s.section("rebalance");
    let capacity = Capacity {
        hours: hours(&s.section("hours")),
        hours_per_year: s
            .number("hours_per_year", d.hours_per_year, 1.0..=8760.0)
            .unwrap_or(d.hours_per_year),
        internal_share: s
            .number("internal_share", d.internal_share, 0.0..=0.95)
            .unwrap_or(d.internal_share),
        full_time_hours: s.some_number("full_time_hours", 0.1..=8760.0),
        ramp: s.fractions("ramp", &d.ramp).unwrap_or(d.ramp),
        ramping_counts: s
            .word("ramping", "weight", &[("weight", true), ("exclude", false)])
            .unwrap_or(d.ramping_counts),
        leader_share: s
            .number("leader_share", d.leader_share, 0.0..=1.0)
            .unwrap_or(d.leader_share),
        target_utilisation: s
            .number("target_utilisation", d.target_utilisation, 0.1..=2.0)
            .unwrap_or(d.target_utilisation),
        growth: s.some_number("growth", -0.95..=10.0),
        attrition: s.some_number("attrition", 0.0..=1.0),
        time_to_hire_days: s.whole_or("time_to_hire_days", d.time_to_hire_days, 0..=730),
        quarters: s.whole_or("quarters", d.quarters, 1..=20),
        gross_margin: s.some_number("gross_margin", 0.01..=1.0),
        csm_cost: s.some_number("csm_cost", MONEY),
        leader_cost: s.some_number("leader_cost", MONEY),
        ops_cost: s.some_number("ops_cost", MONEY),
        other_cost: s.some_number("other_cost", MONEY),
        saved_hours_a_week: saved.some_number("hours_a_week", 0.0..=168.0),
        saved_weeks: saved
            .number("weeks", d.saved_weeks, 0.0..=53.0)
            .unwrap_or(d.saved_weeks),
        saved_people: saved.some_number("people", 0.0..=1e6),
        saved_account_hours: saved.some_number("account_hours", 0.01..=8760.0),
        keep: rebalance.text("keep", ""),
        quiet_days: rebalance.whole_or("quiet_days", d.quiet_days, 0..=730),
        max_moves: rebalance
            .whole("max_moves", None, 0..=1_000_000)
            .and_then(|n| u32::try_from(n).ok()),
        limits: limits(&rebalance),
    };
    saved.done();
    rebalance.done();
    s.done();
    capacity
}

/// Hours by whatever touch models and segments there are.
fn hours(s: &Section<'_, '_>) -> BTreeMap<String, f64> {
    let mut hours = BTreeMap::new();
    for (group, value) in s.entries() {
        let name = s.name(&group);
        match float(value.get_ref()).filter(|h| (0.0..=8760.0).contains(h)) {
            Some(h) => {
                s.reader.show(name, h.to_string(), Some(value.span()));
                hours.insert(group.to_lowercase(), h);
            }
            None => s.error(
                Some(value.span()),
                format!("`{name}` takes hours a year between 0 and 8760"),
            ),
        }
    }
    hours
}

fn limits(s: &Section<'_, '_>) -> [bool; 3] {
    let all = LIMITS.map(str::to_owned);
    let Some(named) = s.texts("limits", &all) else {
        return [true; 3];
    };
    if let Some(stranger) = named.iter().find(|n| !LIMITS.contains(&n.as_str())) {
        s.error(
            s.raw("limits").map(|v| v.span()),
            format!(
                "`{}` does not know `{stranger}`; there are {}",
                s.name("limits"),
                LIMITS.join(", ")
            ),
        );
        return [true; 3];
    }
    LIMITS.map(|l| named.iter().any(|n| n == l))
}
