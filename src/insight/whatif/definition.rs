//! What the figures of a what-if mean that are asked nowhere else.

use crate::insight::Definition;

/// The definitions.
pub const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "whatif.grr",
        title: "Expected GRR in a year",
        formula: "Σ (ARR − expected loss of what is decided within a year) ÷ ARR of today, growth not counted",
        note: "an expectation by the probabilities of loss, not the retention that was; a decision without a day counts as within the year",
    },
    Definition {
        name: "whatif.moved",
        title: "Moved by hand",
        formula: "as the line says: = sets it, += and -= move it from where it is",
        note: "never written, neither to a vendor nor here",
    },
    Definition {
        name: "whatif.due",
        title: "Due in a quarter",
        formula: "what is up for renewal with the renewals whose due day, as it is now, lies in the quarter",
        note: "won and lost ones included; by the day as it is now, so that a slip shows",
    },
    Definition {
        name: "whatif.weighted",
        title: "Weighted forecast of a quarter",
        formula: "Σ probability × the renewal's amount, at most its target, over the renewals due in the quarter by now; won counts 1, lost 0",
        note: "the probabilities are those of the forecast page",
    },
];
