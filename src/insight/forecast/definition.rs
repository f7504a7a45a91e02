//! What the forecast's figures mean.

use crate::insight::Definition;

/// The definitions of this part.
pub const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "forecast.due",
        title: "Due for renewal",
        formula: "sum of the target amounts of the renewals whose first due day lies in the period, won and lost ones included",
        note: "a renewal that is moved stays in its first period, so that the base does not change under the forecast; without a target its amount counts",
    },
    Definition {
        name: "forecast.closed",
        title: "Closed",
        formula: "sum over won renewals of min(amount, target)",
        note: "growth is not counted; the net figures count it",
    },
    Definition {
        name: "forecast.category",
        title: "Category forecast",
        formula: "closed ⊆ commit ⊆ most likely ⊆ best ⊆ pipeline: each category with all surer ones, each renewal with min(amount, target)",
        note: "as their owners placed them; one that renews by itself and whose notice deadline has passed counts as commit when nobody placed it; omitted and lost ones are in none",
    },
    Definition {
        name: "forecast.weighted",
        title: "Weighted forecast",
        formula: "Σ probability × min(amount, target) of the open renewals + Σ min(amount, target) of the won ones",
        note: "each row is rounded to the minor unit, so that groups add up; omitted, lost and refused ones count 0",
    },
    Definition {
        name: "forecast.gross",
        title: "Gross renewal rate, forecast",
        formula: "weighted forecast ÷ due",
        note: "n/a where nothing is due",
    },
    Definition {
        name: "forecast.net",
        title: "Net renewal rate, forecast",
        formula: "(Σ probability × amount of the open renewals + Σ amount of the won ones) ÷ due",
        note: "growth counts, so that it can be above 100 %",
    },
    Definition {
        name: "forecast.in_or_out",
        title: "In or out",
        formula: "Σ min(amount, target) of won renewals and of open ones with a probability of at least `in_from`; the others count 0",
        note: "the other known method beside weighting: a sum that can really come about",
    },
    Definition {
        name: "forecast.interval",
        title: "Forecast interval, P10 to P90",
        formula: "the distribution of Σ min(amount, target) when each open renewal comes whole or not at all: P10 is the smallest sum whose probability from below reaches 10 %",
        note: "exact (convolved, not a normal curve); large books on a grid whose step is named; `correlation` widens it",
    },
    Definition {
        name: "forecast.sd",
        title: "Standard deviation of the forecast",
        formula: "√ Σ p(1−p) × min(amount, target)²; with correlation that of the mixture",
        note: "in the reporting currency",
    },
    Definition {
        name: "forecast.target",
        title: "Target of the renewal rate",
        formula: "[forecast] target, or that of the quarter in [forecast.quarters], × due",
        note: "yours: none is built in",
    },
    Definition {
        name: "forecast.probability",
        title: "Probability of renewal",
        formula: "the first of [forecast] order that knows one: the vendor's, that of the stage, that of the category, one less the account's probability of loss",
        note: "floor and cap hold what csops assumes, not what the vendor states; without notice by its deadline a renewal by itself has at least `auto_renew`; after notice it has 0",
    },
    Definition {
        name: "forecast.decision",
        title: "Decision date",
        formula: "term end less days of notice (or the renewal's own notice deadline) while that lies ahead, else the due day",
        note: "with auto-renewal the deadline decides; without it it is a prompt",
    },
    Definition {
        name: "forecast.committed_churn",
        title: "Committed churn",
        formula: "target amounts of renewals that are lost or refused and whose term still runs",
        note: "in the ARR of today, not in the forecast",
    },
    Definition {
        name: "forecast.slipped",
        title: "Slipped",
        formula: "open renewals due in a later quarter than their first due day",
        note: "they stay in the quarter of their first due day, open",
    },
    Definition {
        name: "forecast.moved",
        title: "Slipped, pushed, early and late",
        formula: "slipped: due in a later quarter than first; pushed: the due day was moved to a later one, so many times; early: won before the quarter in which it was due; late: closed, or still open, after its first due day",
        note: "what is due stays in the period of the first due day in all four",
    },
    Definition {
        name: "forecast.rate",
        title: "Renewal rate by period",
        formula: "Σ min(amount, target) of won renewals credited to the period ÷ due in the period",
        note: "credit `due`: to the period in which it was due; `windfall`: late ones to the period in which they closed, not capped, so that a period can be above 100 %; `signing`: to the day of signing",
    },
    Definition {
        name: "forecast.bias",
        title: "Bias of past forecasts",
        formula: "Σ (weighted forecast − closed) ÷ Σ closed, over quarters that are over",
        note: "above 0: too hopeful; from the forecasts kept once a week, the one at or up to 13 days before the horizon",
    },
    Definition {
        name: "forecast.mape",
        title: "MAPE of past forecasts",
        formula: "mean of |weighted forecast − closed| ÷ closed, over quarters that are over",
        note: "quarters in which nothing closed have no percentage and are left out",
    },
    Definition {
        name: "forecast.inside",
        title: "Hits of the interval",
        formula: "quarters whose closed amount lay within P10 to P90 ÷ quarters that are over",
        note: "80 % would be right; more says that the interval is too wide, less that it is too narrow",
    },
];
