//! Whom to call first: what is likely lost, what can still be saved of it, and what a week of waiting costs.
//!
//! Urgency weighs the expected loss by how near the decision is; the cost of delay needs an assumption about how the chance to save
//! falls towards the decision, and stays a second opinion until outcomes of one's own have taught that curve. That the highest risk is
//! not always the best target is Ascarza's finding (Retention Futility, Journal of Marketing Research 2018).

use serde::{Deserialize, Serialize};

/// The chance to save an account by the days left until its decision: a logistic curve, an assumption until it is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SaveCurve {
    /// The most that can be saved with all the time there is, 0 to 1.
    pub most: f64,
    /// So many days ahead half of that can be saved.
    pub half_at: f64,
    /// How many days it takes to fall: the smaller, the steeper.
    pub days: f64,
}

impl Default for SaveCurve {
    fn default() -> Self {
        SaveCurve {
            most: 0.65,
            half_at: 60.0,
            days: 20.0,
        }
    }
}

/// A week, in days.
pub const WEEK: f64 = 7.0;

impl SaveCurve {
    /// The chance to save, 0 to 1, so many days before the decision: most / (1 + e^(−(d − half_at)/days)).
    pub fn at(&self, days: f64) -> f64 {
        self.most / (1.0 + (-(days - self.half_at) / self.days).exp())
    }
    /// The part of the expected loss that another week of waiting costs: s(d) − s(d − 7). A decision that is past, of today or without a
    /// day counts as today's.
    pub fn week(&self, days: Option<i32>) -> f64 {
        let d = runway(days);
        self.at(d) - self.at(d - WEEK)
    }
}

/// The days until a decision as they count here: past, today and missing are today.
pub fn runway(days: Option<i32>) -> f64 {
    f64::from(days.unwrap_or(0).max(0))
}

/// What is likely lost: P × ARR at stake.
pub fn expected_loss(probability: f64, at_stake: f64) -> f64 {
    probability * at_stake
}

/// What can be saved of an expected loss so many days before the decision: EL × s(d).
pub fn saveable(expected_loss: f64, days: Option<i32>, curve: &SaveCurve) -> f64 {
    expected_loss * curve.at(runway(days))
}

/// What another week of waiting costs: EL × (s(d) − s(d − 7)).
pub fn cost_of_delay(expected_loss: f64, days: Option<i32>, curve: &SaveCurve) -> f64 {
    expected_loss * curve.week(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In thousands; constructed. Name, ARR, P, days, then EL, EL × min(1, 90/d), saveable, cost of delay.
    const TABLE: [(&str, f64, f64, i32, [f64; 4]); 5] = [
        (
            "Acme",
            200.0,
            0.3,
            180,
            [60.0, 30.0, 38.90356769689125, 0.04026999847384083],
        ),
        (
            "Boreal",
            60.0,
            0.8,
            12,
            [48.0, 48.0, 2.5949881306103784, 0.7202846451813404],
        ),
        (
            "Cirrus",
            90.0,
            0.55,
            75,
            [
                49.50000000000001,
                49.50000000000001,
                21.85257464596827,
                2.5897991818501263,
            ],
        ),
        (
            "Delta",
            150.0,
            0.4,
            60,
            [60.0, 60.0, 19.5, 3.3780855777758703],
        ),
        (
            "Ember",
            400.0,
            0.06,
            40,
            [24.0, 24.0, 4.195486173371924, 0.9839083732771452],
        ),
    ];

    /// To twelve digits: a week's cost is the difference of two nearly equal numbers.
    fn near(got: f64, want: f64) -> bool {
        (got - want).abs() <= want.abs() * 1e-12
    }

    #[test]
    fn three_orders_of_five_accounts_to_the_last_digit() {
        let curve = SaveCurve::default();
        let rules = crate::insight::Rules::default();
        let mut orders = [Vec::new(), Vec::new(), Vec::new()];
        for (name, arr, p, d, [el, urgent, saved, delay]) in TABLE {
            let loss = expected_loss(p, arr);
            let closeness = f64::from(rules.closeness(Some(d)));
            assert!(near(loss, el), "{name}: {loss}");
            assert!(near(loss * closeness, urgent), "{name}");
            assert!(near(saveable(loss, Some(d), &curve), saved), "{name}");
            assert!(near(cost_of_delay(loss, Some(d), &curve), delay), "{name}");
            orders[0].push((loss * closeness, name));
            orders[1].push((p, name));
            orders[2].push((cost_of_delay(loss, Some(d), &curve), name));
        }
        let names = orders.map(|mut o| {
            o.sort_by(|a, b| b.0.total_cmp(&a.0));
            o.into_iter().map(|(_, n)| n).collect::<Vec<_>>()
        });
        assert_eq!(names[0], ["Delta", "Cirrus", "Boreal", "Acme", "Ember"]);
        assert_eq!(names[1], ["Boreal", "Cirrus", "Delta", "Acme", "Ember"]);
        assert_eq!(names[2], ["Delta", "Cirrus", "Ember", "Boreal", "Acme"]);
    }

    #[test]
    fn past_today_and_missing_decisions_count_as_todays() {
        let curve = SaveCurve::default();
        let today = cost_of_delay(100.0, Some(0), &curve);
        assert!(today > 0.0);
        assert_eq!(cost_of_delay(100.0, Some(-30), &curve), today);
        assert_eq!(cost_of_delay(100.0, None, &curve), today);
        assert_eq!(
            saveable(100.0, Some(i32::MIN), &curve),
            100.0 * curve.at(0.0)
        );
    }

    proptest::proptest! {
        #[test]
        fn waiting_never_pays_and_nothing_more_than_the_loss_can_be_saved(d in 0i32..2000, el in 0.0f64..1e9) {
            let curve = SaveCurve::default();
            let s = saveable(el, Some(d), &curve);
            proptest::prop_assert!((0.0..=el).contains(&s));
            proptest::prop_assert!(cost_of_delay(el, Some(d), &curve) >= 0.0);
            proptest::prop_assert!(saveable(el, Some(d + 1), &curve) >= s);
        }
    }
}
