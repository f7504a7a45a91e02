//! What the figures of capacity mean.

use crate::insight::Definition;

/// Their definitions.
pub const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "fte",
        title: "Full-time equivalents",
        formula: "sum over the CSMs of hours ÷ full-time hours × ramp",
        note: "months 1, 2 and 3 of a new CSM count 0, 50 and 50 % by default (malbrechtllc.com); leaders, CS Ops and who has left count nothing",
    },
    Definition {
        name: "accounts_per_csm",
        title: "Accounts per CSM",
        formula: "accounts of CSMs who count ÷ their full-time equivalents",
        note: "a CSM with accounts in several groups counts in each by the part of the hours that these take, so that the groups add up to the team; bands are rules of thumb",
    },
    Definition {
        name: "arr_per_csm",
        title: "ARR per CSM",
        formula: "ARR of accounts of CSMs who count ÷ their full-time equivalents",
        note: "$2M is a rule of thumb (Lemkin and Gainsight, 2014 and 2016); accounts without ARR or rate add nothing and are counted",
    },
    Definition {
        name: "hours_needed",
        title: "Hours needed",
        formula: "sum over the accounts of the hours a year of their touch model or segment",
        note: "75 hours for a high-touch account (csin15.com), 24 and 2 for the others (constructed) until [capacity.hours] says otherwise",
    },
    Definition {
        name: "hours_available",
        title: "Hours there are",
        formula: "full-time equivalents × hours a year × (1 − internal share)",
        note: "1,800 hours a year, of which 30 to 40 % are internal (csin15.com)",
    },
    Definition {
        name: "utilisation",
        title: "Utilisation",
        formula: "hours needed ÷ hours there are",
        note: "above 100 % there is more work than time; the accounts of nobody are work too",
    },
    Definition {
        name: "fte_needed",
        title: "Full-time CSMs needed",
        formula: "hours needed ÷ (hours a year × (1 − internal share) × utilisation that is planned for)",
        note: "not rounded: whole people are a matter of hiring",
    },
    Definition {
        name: "fte_short",
        title: "Full-time CSMs missing",
        formula: "full-time CSMs needed less those who are there and what the hires do by then",
        note: "while new ones learn, work stays undone",
    },
    Definition {
        name: "leavers",
        title: "Expected to leave",
        formula: "full-time CSMs who are there × (1 − (1 − attrition) to the power of years)",
        note: "an expectation, not a person; known last days are taken off before",
    },
    Definition {
        name: "hires",
        title: "To hire",
        formula: "full-time CSMs needed at the end of the quarter less those there and those hired before, in whole people",
        note: "to work in full by then they have to start before their ramp; the work grows as configured or as in the last 365 days",
    },
    Definition {
        name: "csm_per_ops",
        title: "CSMs per CS Ops",
        formula: "CSMs who are here ÷ people in CS Ops, both by their hours",
        note: "12 : 1 on average (Gainsight's CS Ops benchmarking survey, 2021)",
    },
    Definition {
        name: "cs_cost",
        title: "Cost of customer success",
        formula: "full-time equivalents that are paid × what one costs a year",
        note: "new people cost in full from the first day",
    },
    Definition {
        name: "cs_cost_share",
        title: "Cost of customer success of ARR",
        formula: "(CSMs + leaders + CS Ops + everything else) ÷ ARR",
        note: "7 % on average (Gainsight, 2021, base not stated); with support a median of 8.5 % of ARR (SaaS Capital, 2024)",
    },
    Definition {
        name: "ops_cost_share",
        title: "CS Ops of the cost",
        formula: "cost of CS Ops ÷ cost of customer success",
        note: "mean 3 %, middle half 1 to 7 % of 350 companies (Gainsight and RevOps Squared, 2021)",
    },
    Definition {
        name: "break_even_retention",
        title: "Break-even by retention",
        formula: "cost of the hire ÷ gross margin",
        note: "ARR that has to be kept from loss each year so that its gross profit pays for the hire",
    },
    Definition {
        name: "break_even_growth",
        title: "Break-even by growth",
        formula: "cost of the hire ÷ gross margin",
        note: "expansion ARR, of leads that CSMs qualify say, whose gross profit pays for the hire",
    },
    Definition {
        name: "break_even_ratio",
        title: "Break-even by ratio",
        formula: "accounts per CSM × (1 + cost of the hire ÷ payroll of the CSMs)",
        note: "at this ratio the CSMs who need not be hired pay for the hire",
    },
    Definition {
        name: "hours_saved",
        title: "Hours saved",
        formula: "people × hours a week × weeks",
        note: "what automation is believed to save: an assumption of the configuration",
    },
    Definition {
        name: "hours_saved_value",
        title: "Worth of the hours saved",
        formula: "hours saved × cost of a full-time CSM ÷ hours that one works a year",
        note: "time that is worth money only when it is used",
    },
    Definition {
        name: "hours_saved_accounts",
        title: "Accounts in the hours saved",
        formula: "hours saved ÷ hours of an account",
        note: "accounts that could be looked after in that time",
    },
    Definition {
        name: "hours_saved_people",
        title: "Hires avoided",
        formula: "hours saved ÷ hours for customers of a full-time CSM",
        note: "whole people are hired, parts are not",
    },
];
