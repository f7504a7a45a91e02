//! What each figure means: shown by `w` and in help, so that no number stands without its definition.

/// A figure's definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name in the header, a column or JSON.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// What to know before believing it.
    pub note: &'static str,
}

/// The definitions of the figures that no part of its own holds; [`definitions`] has all.
pub const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "arr",
        title: "ARR",
        formula: "sum of each account's annual recurring revenue, converted at the latest rate on or before today",
        note: "an account of which no system names an ARR has what its subscriptions or movements pay today, by the conventions of [metrics]; accounts without either, or whose currency has no rate, are left out and counted",
    },
    Definition {
        name: "trend.arr",
        title: "ARR over time",
        formula: "the sum of ARR in the reporting currency as csops showed it at the end of the period's last day on which it ran",
        note: "converted at the rates known on that day; a period in which csops did not run has no point",
    },
    Definition {
        name: "trend.accounts",
        title: "Accounts over time",
        formula: "accounts known at the end of the period's last day on which csops ran",
        note: "accounts removed from the systems since are counted on the days on which they were there",
    },
    Definition {
        name: "trend.at_risk",
        title: "ARR at risk over time",
        formula: "ARR at stake of the accounts in the queue at the end of the period's last day on which csops ran",
        note: "under the rules and thresholds of that day",
    },
    Definition {
        name: "trend.due",
        title: "Due within 90 days over time",
        formula: "amounts of open renewals due within 90 days of that day, overdue ones included",
        note: "renewals without an account count in the whole book only",
    },
    Definition {
        name: "trend.health",
        title: "Mean health over time",
        formula: "mean of the health scores known on that day, each account counted once",
        note: "accounts without a score are left out and counted",
    },
    Definition {
        name: "trend.health_coverage",
        title: "Health known over time",
        formula: "accounts with a health score, of all accounts of that day",
        note: "a rise of the mean that comes with a fall of this one may only mean that bad scores went missing",
    },
    Definition {
        name: "loss",
        title: "Probability of loss",
        formula: "by the band of the health score that counts: good 5 %, middle 25 %, bad 55 %; an open risk moves it one step up, bad with a risk 85 %",
        note: "placeholders, to be set under [risk]; without a health score the middle band counts",
    },
    Definition {
        name: "at_stake",
        title: "ARR at stake",
        formula: "what is up for renewal at the next decision, else the account's ARR, else the open renewal's amount",
        note: "in the reporting currency; without a rate it counts as nothing",
    },
    Definition {
        name: "closeness",
        title: "Closeness",
        formula: "min(1, 90/d), d days until the decision: the notice deadline while it lies ahead, else the renewal day",
        note: "a day that is past, today or missing counts as 1 and is marked",
    },
    Definition {
        name: "urgency",
        title: "Urgency",
        formula: "probability of loss × ARR at stake × closeness",
        note: "an amount in the reporting currency; its order says whom to call first",
    },
    Definition {
        name: "expected_loss",
        title: "Expected loss",
        formula: "probability of loss × ARR at stake",
        note: "without regard to when it is decided",
    },
    Definition {
        name: "cost_of_delay",
        title: "Cost of a week's delay",
        formula: "expected loss × (s(d) − s(d − 7)), s(d) = 0.65/(1 + e^(−(d − 60)/20)) the chance to save d days before the decision",
        note: "the curve is an assumption ([risk] save_curve) until outcomes of your own teach it; a decision that is past, today or missing counts as today's",
    },
    Definition {
        name: "at_risk",
        title: "ARR at risk",
        formula: "ARR at stake of the accounts in the queue",
        note: "in the queue is what is above the threshold of loss or has an open risk, is not snoozed, and was not resolved since its reasons last changed",
    },
    Definition {
        name: "due_90d",
        title: "Due within 90 days",
        formula: "amounts of open renewals due within 90 days, overdue ones included",
        note: "safe is the part whose account is neither above the threshold of loss nor has an open risk",
    },
    Definition {
        name: "usage.trend",
        title: "Usage trend",
        formula: "mean of the two newest weeks against the mean of the two weeks four weeks earlier",
        note: "weekly active users; none when either side is missing",
    },
    Definition {
        name: "health.delta",
        title: "Health trend",
        formula: "health now less health about 30 days before",
        note: "from the stored health signals",
    },
    Definition {
        name: "quality.defects",
        title: "Defects",
        formula: "what is wrong with the data: each kind once per account, and rows that belong to none",
        note: "csops quality lists them all; [quality] says from when on, and which do not count",
    },
    Definition {
        name: "quality.hidden",
        title: "ARR hidden",
        formula: "the amount that the defect puts in doubt: by its kind the account's ARR, the renewal's amount, or the difference of two amounts",
        note: "in the reporting currency; an account with two defects counts in both kinds",
    },
    Definition {
        name: "quality.share",
        title: "Share of ARR",
        formula: "ARR hidden ÷ ARR of all accounts",
        note: "kinds overlap: the shares do not add up",
    },
    Definition {
        name: "quality.touched",
        title: "ARR behind a defect",
        formula: "for each account with a defect the largest amount that one of them hides, summed; and renewals without an account",
        note: "each account counts once",
    },
    Definition {
        name: "quality.clean",
        title: "Accounts without a defect",
        formula: "accounts without any defect ÷ accounts",
        note: "kinds under [quality] ignore do not count",
    },
    Definition {
        name: "quality.unpriced",
        title: "Defects without a known amount",
        formula: "defects whose amount nobody knows: no ARR, no rate, a record that was not matched",
        note: "they stand last in the list, not at nothing",
    },
    Definition {
        name: "growth.ready",
        title: "Accounts with signals of expansion",
        formula: "accounts of which at least one holds: most seats in use, usage growth, a promoter whose usage grows, a limit reached",
        note: "those with an open risk or above the threshold of loss do not count; [growth] says from where on each holds",
    },
    Definition {
        name: "growth.missed",
        title: "Missed expansion",
        formula: "accounts with signals of expansion that have no open opportunity",
        note: "not known while no opportunity has come from any system",
    },
    Definition {
        name: "growth.opportunity",
        title: "Order of opportunity",
        formula: "ARR × signals that hold ÷ 4; nothing while it is at risk",
        note: "an order of whom to speak to first, not an expected amount: constructed",
    },
    Definition {
        name: "growth.conversion",
        title: "Upsell conversion",
        formula: "won ÷ (won + lost), opportunities that closed in the period",
        note: "open ones do not count; those without a closing day are left out and counted",
    },
    Definition {
        name: "growth.conversion_amount",
        title: "Upsell conversion by amount",
        formula: "amount won ÷ (amount won + amount lost), opportunities that closed in the period",
        note: "in the reporting currency; those without an amount or a rate are left out and counted",
    },
    Definition {
        name: "growth.csql",
        title: "CS-qualified leads",
        formula: "opportunities created in the period whose origin says that customer success qualified them: created → accepted → won",
        note: "accepted: sales took it over, or it was won; as far as the records tell",
    },
    Definition {
        name: "growth.promoters",
        title: "Promoters to ask",
        formula: "accounts whose newest answer is 9 or 10, that are healthy and not at risk, and were not asked for a while",
        note: "that somebody was asked is a signal advocacy.asked",
    },
    Definition {
        name: "onboarding.first_value",
        title: "Time to first value",
        formula: "days from the day since which it is a customer to its milestone.first_value; the Kaplan–Meier median over the cohort",
        note: "customers who are not there yet count as waiting so far; the median of those who are there alone would be too small",
    },
    Definition {
        name: "onboarding.full_value",
        title: "Time to full value",
        formula: "the same to milestone.full_value",
        note: "first and full value are two milestones and never one figure",
    },
    Definition {
        name: "onboarding.within",
        title: "First value within so many days",
        formula: "1 − the share that still waits after so many days, by the Kaplan–Meier estimate",
        note: "not known beyond the longest time that anybody was watched",
    },
    Definition {
        name: "onboarding.accounts",
        title: "Being onboarded",
        formula: "accounts whose stage says so; without a stage: young ones that have not reached their full value",
        note: "[onboarding] stages and open_days say which",
    },
    Definition {
        name: "onboarding.arr",
        title: "ARR being onboarded",
        formula: "their ARR, converted at the latest rate on or before today",
        note: "accounts without ARR or without a rate are left out and counted",
    },
    Definition {
        name: "onboarding.age",
        title: "Days since it began",
        formula: "today less the day since which it is a customer",
        note: "bad when it has no first value after [onboarding] first_value_days",
    },
    Definition {
        name: "onboarding.milestones",
        title: "Milestones done",
        formula: "milestone tasks that are done and milestone signals, of all of them",
        note: "tasks whose class [onboarding] classes names",
    },
    Definition {
        name: "onboarding.late",
        title: "Milestones late",
        formula: "milestone tasks that are open and whose day is past",
        note: "tasks without a day are never late",
    },
    Definition {
        name: "onboarding.on_time",
        title: "Milestones in time",
        formula: "done by their day ÷ (done + late)",
        note: "open ones whose day is to come count neither way",
    },
    Definition {
        name: "voice.nps",
        title: "Net promoter score",
        formula: "share of answers 9 and 10 less share of answers 0 to 6, × 100, rounded to a whole number from −100 to 100",
        note: "its 95 % interval is ±1.96·√((p + d − (p − d)²)/n)·100; few answers say little",
    },
    Definition {
        name: "voice.nps_accounts",
        title: "Net promoter score by account",
        formula: "the same over accounts, each with the mean of its answers: 9 and more promotes, 6 and less detracts",
        note: "an account where many answered weighs no more than one where one did",
    },
    Definition {
        name: "voice.csat",
        title: "Customer satisfaction",
        formula: "top: share of answers in the two uppermost boxes; mean: mean answer; percent: sum ÷ the most that it could be",
        note: "answers on another scale are left out and counted; interval: Wilson's for top, the mean ± 1.96 standard errors for the others",
    },
    Definition {
        name: "voice.ces",
        title: "Customer effort",
        formula: "mean: mean answer on 1–7; top: share of answers of 5 and more (the three uppermost boxes); percent: sum ÷ the most that it could be",
        note: "answers on another scale are left out and counted",
    },
    Definition {
        name: "voice.unhappy",
        title: "Unhappy answer",
        formula: "NPS 0 to 6, CSAT in the two lowest boxes of its scale, that no talk followed",
        note: "most ARR first",
    },
    Definition {
        name: "voice.loop_closed",
        title: "Loop closed",
        formula: "unhappy answers (NPS 0 to 6, CSAT in the two lowest boxes) followed up in time ÷ those followed up or whose time is up",
        note: "a follow-up is a logged call, mail or meeting, or a completed task of that kind or for following up, on the answer's day or later",
    },
    Definition {
        name: "coverage",
        title: "Coverage",
        formula: "rows whose value is known, of all rows that should have one",
        note: "95 % of customers with a health score is a common goal (GitLab's handbook)",
    },
];

/// The definitions of each part.
const PARTS: &[&[Definition]] = &[
    DEFINITIONS,
    super::forecast::DEFINITIONS,
    super::screens::definitions::DEFINITIONS,
    super::capacity::DEFINITIONS,
    super::retention::DEFINITIONS,
    super::health::DEFINITIONS,
    super::whatif::DEFINITIONS,
];

/// All definitions.
pub fn definitions() -> impl Iterator<Item = &'static Definition> {
    PARTS.iter().copied().flatten()
}

/// The definition of a figure.
pub fn definition(name: &str) -> Option<&'static Definition> {
    definitions().find(|d| d.name == name)
}
