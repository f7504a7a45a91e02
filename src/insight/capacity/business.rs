//! What a hire in CS Ops has to bring in, from each of three sides, and what saved hours are worth. Arithmetic on numbers that are given;
//! amounts are minor units.

/// ARR that has to be saved from loss, or won by expansion, in a year so that its gross profit pays for a cost: cost ÷ gross margin. None
/// without a margin.
pub fn break_even_arr(cost: i64, gross_margin: f64) -> Option<i64> {
    (gross_margin > 0.0 && gross_margin <= 1.0).then(|| (cost as f64 / gross_margin).round() as i64)
}

/// The accounts per CSM at which a cost is paid for by CSMs who need not be hired: current ratio × (1 + cost ÷ payroll of the CSMs). None
/// without a payroll.
pub fn break_even_ratio(ratio: f64, cost: i64, csm_payroll: i64) -> Option<f64> {
    (csm_payroll > 0).then(|| ratio * (1.0 + cost as f64 / csm_payroll as f64))
}

/// The time that automation saves in a year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HoursSaved {
    /// Hours: people × hours a week × weeks.
    pub hours: f64,
    /// What these cost, minor units: hours × cost of a person ÷ hours that one works. None without a cost.
    pub value: Option<i64>,
    /// Accounts that could be looked after in them: hours ÷ hours of an account.
    pub accounts: Option<f64>,
    /// People who need not be hired: hours ÷ hours that a person has for customers.
    pub people: Option<f64>,
}

/// What saved hours are worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saving {
    /// People who save time.
    pub people: f64,
    /// Hours a week, each.
    pub hours_a_week: f64,
    /// Weeks worked in a year.
    pub weeks: f64,
    /// Cost of a full-time person a year, minor units.
    pub cost: Option<i64>,
    /// Hours that a full-time person works in a year.
    pub hours_per_year: f64,
    /// Of these, hours for customers.
    pub hours_per_fte: f64,
    /// Hours that an account takes.
    pub account_hours: Option<f64>,
}

impl Saving {
    /// The arithmetic.
    pub fn hours_saved(&self) -> HoursSaved {
        let hours = self.people * self.hours_a_week * self.weeks;
        let per = |n: f64| (n > 0.0).then(|| hours / n);
        HoursSaved {
            hours,
            value: self
                .cost
                .filter(|_| self.hours_per_year > 0.0)
                .map(|c| (c as f64 * hours / self.hours_per_year).round() as i64),
            accounts: self.account_hours.and_then(per),
            people: per(self.hours_per_fte),
        }
    }
}

/// What is commonly said about when CS Ops is hired, for a team of so many CSMs and people of CS Ops.
pub fn ops_advice(csms: f64, ops: f64) -> String {
    const SOURCE: &str = "Pickens, The Value of Customer Success Operations, 2015";
    let team = format!("{csms:.0} CSMs and {ops:.0} in CS Ops");
    if ops <= 0.0 && csms < 5.0 {
        format!("{team}: the first is usually hired at about 5 CSMs ({SOURCE})")
    } else if ops <= 0.0 {
        format!("{team}: at about 5 CSMs it is time for the first ({SOURCE})")
    } else if ops < 2.0 && csms >= 10.0 {
        format!("{team}: at about 10 CSMs it is time for a second, who may be junior ({SOURCE})")
    } else if ops < 2.0 {
        format!("{team}: the second is usually hired at about 10 CSMs ({SOURCE})")
    } else if csms / ops > super::costs::OPS_AVERAGE {
        format!(
            "{team}: more CSMs to each than the {}",
            super::costs::OPS_BENCHMARK
        )
    } else {
        format!(
            "{team}: no fewer than usual, {}",
            super::costs::OPS_BENCHMARK
        )
    }
}
