//! What retention's figures mean.

use crate::insight::Definition;

/// The definitions of this part.
pub const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "grr",
        title: "Gross revenue retention",
        formula: "Σ min(closing, opening) ÷ Σ opening, over the customers with ARR at the opening; each account (or line, or product: netting) capped at its opening",
        note: "never above 100 %; n/a without an opening. Published definitions differ in each of the switches that the badge names",
    },
    Definition {
        name: "nrr",
        title: "Net revenue retention",
        formula: "Σ closing ÷ Σ opening, over the customers with ARR at the opening; new customers are in neither",
        note: "rises count, so that it can be above 100 %",
    },
    Definition {
        name: "logo_churn",
        title: "Logo churn",
        formula: "customers with ARR at the opening and none at the closing ÷ customers with ARR at the opening",
        note: "a customer is an account, or what the switch `unit` says; under denominator due, those that lost all that was due ÷ those of which something was due",
    },
    Definition {
        name: "renewal_rate.gross",
        title: "Renewal rate, gross",
        formula: "Σ min(renewed, due) ÷ Σ due, over the terms that ended in the window",
        note: "what became of a term `late` alone decides: a line that comes back later is not renewed by that. Only what was due is in it, so it is lower than retention where contracts run for years",
    },
    Definition {
        name: "renewal_rate.net",
        title: "Renewal rate, net",
        formula: "Σ renewed ÷ Σ due, over the terms that ended in the window, with what these customers added on new lines",
        note: "not capped: a renewal that is credited when it is signed late can lift a month above 100 %",
    },
    Definition {
        name: "waterfall",
        title: "ARR waterfall",
        formula: "closing = opening + new + expansion + reactivation + price + fx − contraction − churn",
        note: "every change lands in exactly one step; check is what is left over, 0 when it ties",
    },
    Definition {
        name: "retention.month",
        title: "Retention, trailing twelve months",
        formula: "GRR and NRR of the twelve months that end with the month",
        note: "the last point is the last complete month",
    },
    Definition {
        name: "retention.quarter",
        title: "Quarterly losses on the annual base",
        formula: "contraction and churn of the quarter ÷ opening ARR of the year",
        note: "shares of each quarter's own opening do not add up to the year's, and four times a quarter is no year: the base changes in between",
    },
    Definition {
        name: "retention.cohort",
        title: "Retention by start quarter",
        formula: "ARR at the end of the n-th quarter after the one in which the customers began ÷ their ARR at the end of that one",
        note: "a customer begins on the first day of its ledger; net counts rises, gross caps each account",
    },
    Definition {
        name: "retention.change",
        title: "Rows that move by the policy",
        formula: "what counts of an account under the chosen switches less what counts under the configured ones",
        note: "",
    },
];
