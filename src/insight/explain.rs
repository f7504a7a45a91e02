//! The arithmetic behind one account's place in the queue, for `w`.

use super::health::Scorer;
use super::money_words;
use super::priority::{WEEK, runway, saveable};
use super::reasons::{Reason, driving_score, reasons, speaks_for};
use super::risk::at_stake;
use super::rules::{Band, Rules};
use crate::book::derived::{
    ABOVE_THRESHOLD, HAS_RISK, HEALTH_DISAGREES, IN_QUEUE, SENTIMENT_DISAGREES, SNOOZED,
};
use crate::book::{AccountDerived, AccountRow, Day, Derived};
use jiff::civil::Date;
use serde::Serialize;

/// One factor of the product.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// What it is.
    pub label: String,
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
    /// The other two orders: the expected loss without closeness, and what a week of waiting costs.
    pub orders: Vec<Step>,
    /// Our own health score signal by signal, then the score.
    pub health: Vec<Step>,
    /// Why it is in the queue, or why not.
    pub membership: String,
    /// The reasons.
    pub reasons: Vec<Reason>,
    /// What speaks most for the account.
    pub speaks_for: Option<Reason>,
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
pub fn explain(a: &AccountRow<'_>, derived: &Derived, today: Date, rules: &Rules) -> Explanation {
    let d = derived.account(a.row());
    let book = a.book();
    let money = |minor: i64| money_words(book.reporting_money(minor));
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
    let loss_note = match driving_score(a, &d, rules) {
        Some((h, band, true)) => format!(
            "health {h} by csops' model is {}, {}% of its weight is known; {risk}",
            band.name(),
            d.health.coverage
        ),
        Some((h, band, false)) => format!(
            "health {h} is {} (good from {}, bad below {}{}{}); {risk}",
            band.name(),
            rules.good_from,
            rules.bad_below,
            age(a.health_at(), today),
            a.health_source()
                .map_or(String::new(), |s| format!(", {s}")),
        ),
        None => {
            caveats.push(
                "No system gives a health score and too little is known for one of our own: the middle band counts."
                    .into(),
            );
            format!("no health score, counts as middle; {risk}")
        }
    };
    if d.health.is(HEALTH_DISAGREES) {
        caveats.push(format!(
            "The vendor's health {} and csops' own {} lie more than one band apart; [health] drive says which of the two counts.",
            a.health().unwrap_or(0),
            d.health.points().unwrap_or(0)
        ));
    }
    if d.health.is(SENTIMENT_DISAGREES) {
        caveats.push(format!(
            "The CSM's feeling is {}, more than one band away from the score that counts: it is kept beside it, not averaged in.",
            a.sentiment().unwrap_or("unknown")
        ));
    }
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
            label: "probability of loss".into(),
            value: format!("{:.0}%", d.loss * 100.0),
            note: loss_note,
        },
        Step {
            label: "× ARR at stake".into(),
            value: money(d.at_stake),
            note: stake_note,
        },
        Step {
            label: "× closeness".into(),
            value: format!("{:.2}", d.closeness),
            note: close_note,
        },
        Step {
            label: "= urgency".into(),
            value: money(d.urgency as i64),
            note: "expected loss, weighted by how near the decision is".into(),
        },
    ];
    let days = decision
        .get()
        .zip(Day::of(Some(today)).get())
        .map(|(day, now)| day.saturating_sub(now));
    let orders = orders(&d, days, rules, |m| money(m as i64));
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
        orders,
        health: health_steps(a, &d, today, rules),
        membership,
        reasons: reasons(a, derived, today),
        speaks_for: speaks_for(a, derived, today, rules),
        caveats,
        derived: d,
    }
}

/// The orders beside urgency, each with its arithmetic. The curve is said to be an assumption wherever it counts.
fn orders(
    d: &AccountDerived,
    days: Option<i32>,
    rules: &Rules,
    money: impl Fn(f64) -> String,
) -> Vec<Step> {
    let loss = d.expected_loss();
    let (runway, s) = (runway(days), &rules.save);
    let (now, later) = (s.at(runway), s.at(runway - WEEK));
    let curve = format!(
        "s(d) = {}/(1 + e^(−(d − {})/{})), an assumption until outcomes of your own teach it",
        s.most, s.half_at, s.days
    );
    let step = |label: &str, value, note| Step {
        label: label.to_owned(),
        value,
        note,
    };
    vec![
        step(
            "Expected loss",
            money(loss),
            "loss × at stake, without regard to when it is decided".into(),
        ),
        step(
            "Saveable",
            money(saveable(loss, days, s)),
            format!("expected loss × s({runway}) = {now:.3}; {curve}"),
        ),
        step(
            "A week's delay",
            money(d.cost_of_delay()),
            format!(
                "expected loss × (s({runway}) − s({}) = {:.4})",
                runway - WEEK,
                now - later
            ),
        ),
    ]
}

/// Our own score, signal by signal: points × the weight that its age has left, and what is missing.
fn health_steps(a: &AccountRow<'_>, d: &AccountDerived, today: Date, rules: &Rules) -> Vec<Step> {
    let day = Day::of(Some(today));
    let mut scorer = Scorer::new(&rules.health, day);
    let graded = scorer.grade(a, d.health.before().and_then(Band::at));
    let mut steps: Vec<Step> = scorer
        .parts(a)
        .into_iter()
        .map(|p| {
            let s = p.signal;
            let measure = &s.measure;
            match (p.reading, p.part.points) {
                (Some(r), Some(points)) => {
                    let faded = if p.part.fresh < 0.995 {
                        format!(", {:.0}% of its weight left", p.part.fresh * 100.0)
                    } else {
                        String::new()
                    };
                    let old = match r.age(day) {
                        Some(_) => age(r.at.date(), today),
                        None => String::new(),
                    };
                    let from = measure
                        .source(a)
                        .map_or(String::new(), |f| format!(", {f}"));
                    Step {
                        label: s.name.clone(),
                        value: format!("{points:.0} × {:.1}", p.part.effective()),
                        note: format!(
                            "{measure} {}{old}{from}{faded}; points: {}",
                            measure.shown(r.value),
                            s.scale.words()
                        ),
                    }
                }
                _ => Step {
                    label: s.name.clone(),
                    value: format!("– × {}", s.weight),
                    note: format!("{measure} is not known"),
                },
            }
        })
        .collect();
    let score = graded.score;
    steps.push(Step {
        label: "csops' health".into(),
        value: score
            .points
            .map_or_else(|| "n/a".to_owned(), |p| format!("{p:.1}")),
        note: format!(
            "{}; {:.0}% of the weight is known (a band needs {:.0}%); between {:.1} and {:.1} whatever the rest is; good from {}, bad below {}; model {}",
            graded.band.map_or("insufficient", Band::name),
            score.coverage * 100.0,
            rules.health.coverage * 100.0,
            score.low,
            score.high,
            graded.edges.good,
            graded.edges.watch,
            rules.health.version()
        ),
    });
    steps
}
