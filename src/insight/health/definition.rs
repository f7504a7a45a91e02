//! What the figures of health mean.

use crate::insight::Definition;

/// The definitions.
pub const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "health.csops",
        title: "csops' health",
        formula: "Σ w·x / Σ w over the signals that are known: x a signal's 0 to 100 points, w its weight × 2^(−age/half-life)",
        note: "the model is [health] in config.toml; beside the vendor's score, not instead of it: [health] drive says which of the two counts",
    },
    Definition {
        name: "health.coverage",
        title: "Coverage of a score",
        formula: "Σ w of the signals that are known, faded by age, ÷ Σ w of all signals of the model",
        note: "below [health] coverage (60 %) a score has no band: insufficient",
    },
    Definition {
        name: "health.band",
        title: "Band of csops' health",
        formula: "good, watch or bad by the edges that hold for the account's segment, touch, stage and age; yesterday's band is left only 3 points beyond its edge",
        note: "insufficient where too little is known",
    },
    Definition {
        name: "health.drives",
        title: "Score that counts",
        formula: "the vendor's where it has one, else csops' own where its coverage is sufficient; [health] drive = \"csops\" turns it round",
        note: "the probability of loss goes by its band",
    },
    Definition {
        name: "health.covered",
        title: "Accounts with a score",
        formula: "accounts with a score that counts (the vendor's, or csops' own with sufficient coverage) ÷ accounts",
        note: "95 % of customers with a score is the goal in GitLab's handbook",
    },
    Definition {
        name: "health.covered_arr",
        title: "ARR with a score",
        formula: "ARR of the accounts with a score that counts ÷ ARR of all accounts",
        note: "accounts without ARR, or whose currency has no rate, are left out of both",
    },
    Definition {
        name: "health.vendor_covered",
        title: "Scored by the vendor",
        formula: "accounts with a vendor's score ÷ accounts",
        note: "whatever its age",
    },
    Definition {
        name: "health.csops_covered",
        title: "Scored by csops",
        formula: "accounts of which the least share of the model's weight is known ÷ accounts",
        note: "[health] coverage is that share",
    },
    Definition {
        name: "health.accounts",
        title: "Accounts",
        formula: "accounts of the segment",
        note: "the segment as the sources give it",
    },
    Definition {
        name: "health.bands",
        title: "Accounts in a band",
        formula: "accounts whose score that counts lies in the band",
        note: "the vendor's score by [risk] good and watch, csops' own by the model's edges",
    },
    Definition {
        name: "health.bad_arr",
        title: "ARR in bad health",
        formula: "ARR of the accounts whose score that counts is bad",
        note: "in the reporting currency; what has no rate is left out",
    },
    Definition {
        name: "health.weight",
        title: "Weight of a signal",
        formula: "as the model gives it; only the ratio to the other weights counts",
        note: "a segment, touch, stage or age of the customer may have another ([[health.when]])",
    },
    Definition {
        name: "health.signal_known",
        title: "Signal known",
        formula: "accounts of which the signal is known ÷ accounts",
        note: "no open tickets and no sponsor who left are known only where the book has tickets and leavers at all",
    },
    Definition {
        name: "health.signal_age",
        title: "Age of a signal",
        formula: "today less the day that the signal is about",
        note: "of the accounts where it is known and has a day",
    },
];
