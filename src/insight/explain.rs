//! The arithmetic behind one account's place in the queue, for `w`.

use super::reasons::{Reason, reasons};
use super::risk::{at_stake, derive_account};
use super::rules::Rules;
use super::short_money;
use crate::book::derived::{ABOVE_THRESHOLD, HAS_RISK, IN_QUEUE, SNOOZED};
use crate::book::{AccountDerived, AccountRow, Day, value::exponent};
use jiff::civil::Date;
use serde::Serialize;

/// One factor of the product.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// What it is.
    pub label: &'static str,
    /// Its value as shown.
    pub value: String,
    /// Where it comes from, how old it is, what it would be otherwise.
    pub note: String,
}

/// Why an account stands where it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The factors, then their product.
    pub steps: Vec<Step>,
    /// Why it is in the queue, or why not.
    pub membership: String,
    /// The reasons.
    pub reasons: Vec<Reason>,
    /// What the figures are worth: placeholders, gaps.
    pub caveats: Vec<String>,
    /// The figures themselves.
    #[serde(skip)]
    pub derived: AccountDerived,
}

fn age(at: Option<Date>, today: Date) -> String {
    match (Day::of(at).get(), Day::of(Some(today)).get()) {
        (Some(a), Some(t)) if a == t => ", of today".into(),
        (Some(a), Some(t)) if a < t => format!(", {}d old", t - a),
        (Some(a), Some(t)) => format!(", dated {}d ahead", a - t),
        _ => ", its age is unknown".into(),
    }
}

/// Explains an account's place.
pub fn explain(a: &AccountRow<'_>, today: Date, rules: &Rules) -> Explanation {
    let d = derive_account(a, today, rules);
    let book = a.book();
    let exp = exponent(&book.reporting());
    let code = String::from_utf8_lossy(&book.reporting()).into_owned();
    let mut caveats = vec![
        "The probabilities are placeholders by health band and open risk, until outcomes of your own teach better ones ([risk] in config.toml)."
            .to_owned(),
    ];
    let risk = if d.is(HAS_RISK) {
        "an open risk moves it one step up"
    } else {
        "no open risk"
    };
    let loss_note = match a.health() {
        Some(h) => format!(
            "health {h} is {} (good from {}, bad below {}{}{}); {risk}",
            rules.band(h).name(),
            rules.good_from,
            rules.bad_below,
            age(a.health_at(), today),
            a.health_source()
                .map_or(String::new(), |s| format!(", {s}")),
        ),
        None => {
            caveats.push("No system gives a health score: the middle band counts.".into());
            format!("no health score, counts as middle; {risk}")
        }
    };
    let renewal = a.open_renewal();
    let native = at_stake(a);
    let stake_note = match native {
        None => {
            caveats.push(
                "No ARR and no amount is known: nothing counts as at stake, so it stands last."
                    .into(),
            );
            "no ARR known".to_owned()
        }
        Some(m) => {
            let from = if renewal.and_then(|r| r.target()).is_some() {
                "what is up for renewal"
            } else if a.arr().is_some() {
                "ARR of the account"
            } else {
                "amount of the open renewal"
            };
            if book.fx().convert(m).is_none() {
                caveats.push(format!(
                    "There is no rate from {} to {code}: add one under [money] rates; until then it counts as nothing.",
                    m.code()
                ));
            }
            if m.currency == book.reporting() {
                from.to_owned()
            } else {
                format!("{from}, {m}")
            }
        }
    };
    let decision = a.decision_day(Day::of(Some(today)));
    let close_note = match (
        decision.date(),
        decision.get().zip(Day::of(Some(today)).get()),
    ) {
        (Some(date), Some((day, now))) => {
            let what = if a.notice_day() == decision {
                "notice deadline"
            } else {
                "renewal"
            };
            let days = day - now;
            if days > 0 {
                format!(
                    "min(1, {}/{days}): {what} {date}, in {days}d",
                    rules.runway_days
                )
            } else {
                caveats.push(format!(
                    "The {what} of {date} is not ahead of us: it counts as close."
                ));
                format!(
                    "{what} {date} is {}, counts as 1",
                    if days == 0 {
                        "today".into()
                    } else {
                        format!("{}d past", -days)
                    }
                )
            }
        }
        _ => {
            caveats.push("No renewal date is known: it counts as close.".into());
            "no date, counts as 1".to_owned()
        }
    };
    let steps = vec![
        Step {
            label: "probability of loss",
            value: format!("{:.0}%", d.loss * 100.0),
            note: loss_note,
        },
        Step {
            label: "× ARR at stake",
            value: format!("{} {code}", short_money(d.at_stake, exp)),
            note: stake_note,
        },
        Step {
            label: "× closeness",
            value: format!("{:.2}", d.closeness),
            note: close_note,
        },
        Step {
            label: "= urgency",
            value: format!("{} {code}", short_money(d.urgency as i64, exp)),
            note: "expected loss, weighted by how near the decision is".into(),
        },
    ];
    let threshold = format!("{:.0}%", rules.threshold * 100.0);
    let cause = match (d.is(ABOVE_THRESHOLD), d.is(HAS_RISK)) {
        (true, true) => format!("loss is above the threshold of {threshold} and a risk is open"),
        (true, false) => format!("loss is above the threshold of {threshold}"),
        (false, true) => "a risk is open".to_owned(),
        (false, false) => {
            format!("loss is not above the threshold of {threshold} and no risk is open")
        }
    };
    let membership = if d.is(IN_QUEUE) {
        format!("In the queue: {cause}.")
    } else if d.is(SNOOZED) {
        let until = a
            .snoozed_until()
            .map_or(String::new(), |u| format!(" until {u}"));
        format!("Not in the queue: snoozed{until} ({cause}).")
    } else if d.is(ABOVE_THRESHOLD) || d.is(HAS_RISK) {
        format!("Not in the queue: resolved, and nothing new has come up since ({cause}).")
    } else {
        format!("Not in the queue: {cause}.")
    };
    Explanation {
        steps,
        membership,
        reasons: reasons(a, today, rules),
        caveats,
        derived: d,
    }
}
