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
        note: "accounts without ARR, or whose currency has no rate, are left out and counted",
    },
    Definition {
        name: "grr",
        title: "Gross revenue retention",
        formula: "what is left of the opening ARR, expansion not counted",
        note: super::header::NO_LEDGER,
    },
    Definition {
        name: "nrr",
        title: "Net revenue retention",
        formula: "what became of the opening ARR, expansion counted",
        note: super::header::NO_LEDGER,
    },
    Definition {
        name: "loss",
        title: "Probability of loss",
        formula: "by health band: good 5 %, middle 25 %, bad 55 %; an open risk moves it one step up, bad with a risk 85 %",
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
        name: "accounts_per_csm",
        title: "Accounts per CSM",
        formula: "accounts of the group that have a CSM, divided by the people who are CSM of at least one of them",
        note: "a CSM with accounts in several groups counts in each",
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
        name: "coverage",
        title: "Coverage",
        formula: "rows whose value is known, of all rows that should have one",
        note: "95 % of customers with a health score is a common goal (GitLab's handbook)",
    },
];

/// The definitions of each part.
const PARTS: &[&[Definition]] = &[DEFINITIONS, super::forecast::DEFINITIONS];

/// All definitions.
pub fn definitions() -> impl Iterator<Item = &'static Definition> {
    PARTS.iter().copied().flatten()
}

/// The definition of a figure.
pub fn definition(name: &str) -> Option<&'static Definition> {
    definitions().find(|d| d.name == name)
}
