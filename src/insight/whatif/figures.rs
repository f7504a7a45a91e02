//! The figures that are held beside each other: an account's and the whole book's.

use super::{Ground, Pair};
use crate::book::derived::{IN_QUEUE, OURS_DRIVES, VENDOR_DRIVES};
use crate::book::{Book, Day, LocalId};
use crate::insight::forecast::{Period, row::rows};
use crate::insight::page::Value;
use crate::insight::reasons::driving_score;

/// How far ahead a decision may lie to count in the expected retention: a year.
const YEAR: i32 = 365;

/// An account's figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// The vendor's score.
    pub vendor: Option<u8>,
    /// Our own score.
    pub csops: Option<u8>,
    /// How much of the model's weight is known, 0 to 1.
    pub coverage: f64,
    /// Whose score counts.
    pub drives: Option<&'static str>,
    /// The band of the score that counts.
    pub band: Option<&'static str>,
    /// Probability of loss, 0 to 1.
    pub loss: f64,
    /// Minor units of the reporting currency, as all amounts here.
    pub at_stake: i64,
    /// Closeness of the decision, 0 to 1.
    pub closeness: f64,
    /// loss × at stake × closeness.
    pub urgency: i64,
    /// loss × at stake.
    pub expected_loss: i64,
    /// What a week of waiting costs.
    pub cost_of_delay: i64,
    /// In the queue.
    pub in_queue: bool,
    /// The weighted forecast of its open renewals.
    pub weighted: i64,
}

/// A book's figures. Amounts are minor units of the reporting currency.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    account: Standing,
    accounts: usize,
    arr: i64,
    in_queue: usize,
    at_risk: i64,
    expected_loss: i64,
    /// What is expected to be left of `opening` in a year, growth not counted.
    kept: f64,
    opening: i64,
    /// The current quarter and the next one: label, due amount, weighted amount.
    quarters: Vec<(String, i64, i64)>,
}

/// The ARR that expected retention starts from.
pub(super) fn opening(book: &Book) -> i64 {
    let arr = book.accounts().filter_map(|a| a.arr_reporting());
    arr.map(|m| m.minor.max(0)).fold(0, i64::saturating_add)
}

impl Figures {
    /// Of a book, and of one account of it.
    pub(super) fn of(g: &Ground<'_>, opening: i64, account: Option<LocalId>) -> Figures {
        let now = Day::of(Some(g.today));
        let mut f = Figures {
            opening,
            ..Figures::default()
        };
        for a in g.book.accounts() {
            let d = g.derived.account(a.row());
            let arr = a.arr_reporting().map_or(0, |m| m.minor.max(0));
            f.accounts += 1;
            f.arr = f.arr.saturating_add(arr);
            f.expected_loss = f.expected_loss.saturating_add(d.expected_loss() as i64);
            if d.is(IN_QUEUE) {
                f.in_queue += 1;
                f.at_risk = f.at_risk.saturating_add(d.at_stake);
            }
            // What is decided later than in a year stays for sure within it.
            let decided = a.decision_day(now).get();
            let within = decided.is_none_or(|d| d.saturating_sub(now.0) <= YEAR);
            let lost = if within { d.expected_loss() } else { 0.0 };
            f.kept += arr as f64 - lost.min(arr as f64);
            if Some(a.id()) == account {
                let drives = driving_score(&a, &d, &g.settings.risk);
                f.account = Standing {
                    vendor: a.health(),
                    csops: d.health.points(),
                    coverage: f64::from(d.health.coverage) / 100.0,
                    drives: match (d.health.is(OURS_DRIVES), d.health.is(VENDOR_DRIVES)) {
                        (true, _) => Some("csops"),
                        (_, true) => Some("vendor"),
                        _ => None,
                    },
                    band: drives.map(|s| s.1.name()),
                    loss: f64::from(d.loss),
                    at_stake: d.at_stake,
                    closeness: f64::from(d.closeness),
                    urgency: d.urgency as i64,
                    expected_loss: d.expected_loss() as i64,
                    cost_of_delay: d.cost_of_delay() as i64,
                    in_queue: d.is(IN_QUEUE),
                    weighted: 0,
                };
            }
        }
        let periods = Period::quarters(g.calendar, g.today, 2);
        f.quarters = periods.iter().map(|p| (p.label.clone(), 0, 0)).collect();
        let forecast = &g.settings.forecast;
        for row in rows(g.book, g.derived, g.today, forecast, None).flatten() {
            let weighted = row.weighted();
            if row.is_open() && Some(row.renewal.account_id()) == account {
                f.account.weighted = f.account.weighted.saturating_add(weighted);
            }
            if let Some(i) = periods.iter().position(|p| p.has(row.due)) {
                let (_, due, sum) = &mut f.quarters[i];
                *due = due.saturating_add(row.target);
                *sum = sum.saturating_add(weighted);
            }
        }
        f
    }

    /// The account's figures.
    pub(super) fn standing(&self) -> Standing {
        self.account.clone()
    }

    /// Beside what they would be.
    pub(super) fn beside(&self, after: &Figures) -> Vec<Pair> {
        let grr = |f: &Figures| {
            let share = (f.opening > 0).then(|| f.kept / f.opening as f64);
            Value::ratio(share, "no ARR is known")
        };
        let mut out = vec![
            pair("accounts", "accounts", self, after, |f| {
                Value::Count(f.accounts as i64)
            }),
            pair("arr", "ARR", self, after, |f| Value::Money(f.arr)),
            pair("in_queue", "in the queue", self, after, |f| {
                Value::Count(f.in_queue as i64)
            }),
            pair("at_risk", "ARR at risk", self, after, |f| {
                Value::Money(f.at_risk)
            }),
            pair("expected_loss", "expected loss", self, after, |f| {
                Value::Money(f.expected_loss)
            }),
            pair("whatif.grr", "expected GRR in a year", self, after, grr),
        ];
        for (i, (label, ..)) in self.quarters.iter().enumerate() {
            let of = |f: &Figures| f.quarters.get(i).map_or((0, 0), |q| (q.1, q.2));
            out.push(pair(
                "whatif.due",
                &format!("due {label}"),
                self,
                after,
                |f| Value::Money(of(f).0),
            ));
            out.push(pair(
                "whatif.weighted",
                &format!("weighted forecast {label}"),
                self,
                after,
                |f| Value::Money(of(f).1),
            ));
        }
        out
    }
}

impl Standing {
    /// Beside what they would be.
    pub(super) fn beside(&self, after: &Standing) -> Vec<Pair> {
        let points = |p: Option<u8>| {
            p.map_or_else(
                || Value::None("no score".into()),
                |p| Value::Count(p.into()),
            )
        };
        let word = |w: Option<&str>, none: &str| {
            w.map_or_else(|| Value::None(none.into()), |w| Value::Text(w.into()))
        };
        vec![
            pair("health", "vendor's health", self, after, |s| {
                points(s.vendor)
            }),
            pair("health.csops", "csops' health", self, after, |s| {
                points(s.csops)
            }),
            pair("health.coverage", "known of the model", self, after, |s| {
                Value::Ratio(s.coverage)
            }),
            pair("health.drives", "score that counts", self, after, |s| {
                word(s.drives, "nobody's")
            }),
            pair("health.band", "its band", self, after, |s| {
                word(s.band, "none: counts as middle")
            }),
            pair("loss", "probability of loss", self, after, |s| {
                Value::Ratio(s.loss)
            }),
            pair("at_stake", "ARR at stake", self, after, |s| {
                Value::Money(s.at_stake)
            }),
            pair("closeness", "closeness", self, after, |s| {
                Value::Number(s.closeness, 2)
            }),
            pair("urgency", "urgency", self, after, |s| {
                Value::Money(s.urgency)
            }),
            pair("expected_loss", "expected loss", self, after, |s| {
                Value::Money(s.expected_loss)
            }),
            pair("cost_of_delay", "a week's delay", self, after, |s| {
                Value::Money(s.cost_of_delay)
            }),
            pair("in_queue", "in the queue", self, after, |s| {
                Value::Text(if s.in_queue { "yes" } else { "no" }.into())
            }),
            pair("forecast.weighted", "weighted forecast", self, after, |s| {
                Value::Money(s.weighted)
            }),
        ]
    }
}

fn pair<T: ?Sized>(
    name: &'static str,
    label: &str,
    before: &T,
    after: &T,
    value: impl Fn(&T) -> Value,
) -> Pair {
    Pair {
        name,
        label: label.to_owned(),
        before: value(before),
        after: value(after),
    }
}
