//! The kinds of defect, as data: what each is called, what it hides and how it is put right.

use serde::Serialize;

/// A kind of defect; its place is its bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No day on which the account renews.
    NoRenewalDate,
    /// The renewal's day is past and the renewal open.
    RenewalOverdue,
    /// A renewal closed, and nobody said how or why.
    NoOutcome,
    /// Nobody, or somebody who left, is the CSM.
    NoOwner,
    /// No health score.
    NoHealth,
    /// A health score that is too old.
    StaleHealth,
    /// No ARR.
    MissingArr,
    /// An amount in a currency without a rate.
    NoRate,
    /// Two systems say two amounts.
    ArrDiffers,
    /// A day that cannot be, or an end before its start.
    ImpossibleDate,
    /// The same customer twice.
    Duplicate,
    /// An account that only one system has, a row without its account.
    Orphan,
}

/// What is to be known of a kind of defect.
#[derive(Clone, Copy, Debug)]
pub struct Defect {
    /// Which.
    pub kind: Kind,
    /// Its name in queries, the configuration, CSV and JSON.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What goes wrong because of it.
    pub hides: &'static str,
    /// How it is put right.
    pub fix: &'static str,
    /// What its amount is.
    pub price: &'static str,
}

/// All kinds, in the order of their bits.
pub const DEFECTS: [Defect; 12] = [
    Defect {
        kind: Kind::NoRenewalDate,
        name: "no_renewal_date",
        title: "no renewal date",
        hides: "the renewal stands in no pipeline, forecast or reminder",
        fix: "give the account an open renewal, or a renewal date, in the CRM",
        price: "the account's ARR",
    },
    Defect {
        kind: Kind::RenewalOverdue,
        name: "renewal_overdue",
        title: "renewal overdue",
        hides: "the pipeline holds an amount whose day is past",
        fix: "close it in the CRM, or move its day: `renewal close DATE`",
        price: "the amounts of these renewals, else the account's ARR",
    },
    Defect {
        kind: Kind::NoOutcome,
        name: "no_outcome",
        title: "closed without an outcome",
        hides: "retention and the reasons of churn leave it out",
        fix: "set the closed stage and the loss reason in the CRM",
        price: "the amounts of these renewals",
    },
    Defect {
        kind: Kind::NoOwner,
        name: "no_owner",
        title: "no owner",
        hides: "nobody is told of its risk, and no ratio counts it",
        fix: "`owner WHO`",
        price: "the account's ARR",
    },
    Defect {
        kind: Kind::NoHealth,
        name: "no_health",
        title: "no health",
        hides: "no system scores it: its risk goes by csops' own score, or by the middle band",
        fix: "add it to the scorecard in the CS platform, or to [health]",
        price: "the account's ARR",
    },
    Defect {
        kind: Kind::StaleHealth,
        name: "stale_health",
        title: "stale health",
        hides: "the queue goes by a score of long ago",
        fix: "see why the scorecard no longer runs for it in the CS platform",
        price: "the account's ARR",
    },
    Defect {
        kind: Kind::MissingArr,
        name: "missing_arr",
        title: "no ARR",
        hides: "every sum leaves it out",
        fix: "set its ARR in the CRM, or import its subscriptions",
        price: "what its open renewal is about; else not known",
    },
    Defect {
        kind: Kind::NoRate,
        name: "no_rate",
        title: "currency without a rate",
        hides: "every sum leaves the amount out",
        fix: "[money.rates] in config.toml, or `csops import rates.csv`",
        price: "not known without a rate",
    },
    Defect {
        kind: Kind::ArrDiffers,
        name: "arr_differs",
        title: "ARR differs between systems",
        hides: "one of two amounts is wrong",
        fix: "correct it in one of the two systems, or set [precedence] \"account.arr\"",
        price: "the difference",
    },
    Defect {
        kind: Kind::ImpossibleDate,
        name: "impossible_date",
        title: "impossible date",
        hides: "forecasts and cohorts put it where it is not",
        fix: "correct the date in the system that it came from",
        price: "the account's ARR",
    },
    Defect {
        kind: Kind::Duplicate,
        name: "duplicate",
        title: "duplicate",
        hides: "its ARR may be counted twice",
        fix: "`account merge OTHER`, or make one the parent of the other",
        price: "the ARR of all but the largest of them",
    },
    Defect {
        kind: Kind::Orphan,
        name: "orphan",
        title: "orphan",
        hides: "one system knows what the others do not",
        fix: "`account confirm`, or `account merge OTHER`; a row without its account: correct it in its system",
        price: "the account's ARR, or the row's amount",
    },
];

impl Kind {
    /// Its bit.
    pub fn bit(self) -> u16 {
        1 << self as u16
    }
    /// What is to be known of it.
    pub fn defect(self) -> &'static Defect {
        &DEFECTS[self as usize]
    }
}

/// The defect of that name.
pub fn defect(name: &str) -> Option<&'static Defect> {
    DEFECTS.iter().find(|d| d.name == name)
}
