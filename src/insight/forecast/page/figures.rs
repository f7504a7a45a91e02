//! The figures of a set of renewals, with one explanation that all of them share.

use super::Made;
use crate::book::Day;
use crate::insight::forecast::category::Category;
use crate::insight::forecast::chance::Basis;
use crate::insight::forecast::row::{LeftOut, Row};
use crate::insight::forecast::spread::Method;
use crate::insight::forecast::total::{Forecast, Gather};
use crate::insight::page::{Figure, State, Target, Value, Why, WhyRow};
use crate::insight::{many, money_words, short_money};
use std::sync::Arc;

/// So many rows stand in an explanation.
const ROWS: usize = 200;

/// Where the forecast's rows come from.
pub(super) const SOURCE: &str =
    "renewals of the systems of record and of imported files, with the changes made here";

/// A set of renewals, added up and explained.
pub(super) struct Set {
    pub(super) sums: Forecast,
    pub(super) why: Arc<Why>,
    target: Option<f64>,
}

impl Made<'_> {
    /// Adds a set up. `end`: the last day of its period; `target`: the rate that is wanted of it; `rows_shown`: the rows that its
    /// explanation lists.
    pub(super) fn set(
        &self,
        rows: &[&Row<'_>],
        out: &[&LeftOut<'_>],
        end: Day,
        target: Option<f64>,
    ) -> Set {
        let mut gather = Gather::default();
        for row in rows {
            gather.add(row, Some(end), self.today, self.settings);
        }
        for out in out {
            gather.leave_out(out);
        }
        let sums = gather.finish(self.settings);
        let why = Arc::new(self.why(rows, out, &sums));
        Set { sums, why, target }
    }

    fn why(&self, rows: &[&Row<'_>], out: &[&LeftOut<'_>], f: &Forecast) -> Why {
        let money = Value::Money;
        let lost = f.category(Category::Lost);
        let mut steps: Vec<(String, Value)> = vec![
            (
                format!("due: {}, their targets", many(f.count, "renewal")),
                money(f.due),
            ),
            (
                format!("closed: {} won", f.category(Category::Closed).count),
                money(f.closed),
            ),
            (
                format!("{} open, each by its probability", f.open()),
                money(f.weighted.saturating_sub(f.closed)),
            ),
            (
                "weighted forecast = closed + open".into(),
                money(f.weighted),
            ),
            (
                "weighted forecast ÷ due".into(),
                Value::ratio(f.gross(), "nothing is due"),
            ),
            ("with growth".into(), money(f.weighted_net)),
            (
                "with growth ÷ due".into(),
                Value::ratio(f.net(), "nothing is due"),
            ),
            (
                format!(
                    "in or out: in from a probability of {:.0} %",
                    self.settings.in_from * 100.0
                ),
                money(f.in_or_out),
            ),
            (format!("lost: {}", lost.count), money(lost.amount)),
        ];
        for (label, value) in [
            ("P10", f.spread.p10),
            ("P50", f.spread.p50),
            ("P90", f.spread.p90),
            ("σ", f.spread.sd.round() as i64),
        ] {
            steps.push((
                format!("{label}, {}", self.method(f.spread.method)),
                money(value),
            ));
        }
        for basis in Basis::ALL {
            let n = f.bases[basis as usize];
            if n > 0 {
                steps.push((
                    format!("probability: {}", basis.words()),
                    Value::Count(n as i64),
                ));
            }
        }
        if f.no_target > 0 {
            steps.push((
                "without a target: the amount stands for it".into(),
                Value::Count(f.no_target as i64),
            ));
        }
        let mut order: Vec<&&Row<'_>> = rows.iter().collect();
        order.sort_by_key(|r| (std::cmp::Reverse(r.target), r.renewal.id()));
        Why {
            steps,
            columns: ["target", "counts", "with growth", "probability", "weighted"]
                .map(str::to_owned)
                .to_vec(),
            rows: order.iter().take(ROWS).map(|r| why_row(r)).collect(),
            rows_in: rows.len(),
            left_out: out.iter().take(ROWS).map(|o| o.excluded()).collect(),
            rows_out: out.len(),
            coverage: f.coverage,
            as_of: newest(rows),
            source: SOURCE.into(),
            ..Why::default()
        }
    }

    fn method(&self, method: Method) -> String {
        let book = self.input.book;
        match method {
            Method::Certain => "nothing is open".into(),
            Method::Exact { sums } => format!("exact over {sums} possible sums"),
            Method::Grid { step, rest } => {
                let step = short_money(step, book.reporting_money(0).exponent());
                let rest = if rest > 0 {
                    format!(", the {rest} smallest as one normal share")
                } else {
                    String::new()
                };
                format!("on a grid of {step}{rest}")
            }
        }
    }

    /// An amount in a sentence, with its currency.
    pub(super) fn words(&self, minor: i64) -> String {
        money_words(self.input.book.reporting_money(minor))
    }
}

fn why_row(r: &Row<'_>) -> WhyRow {
    let mut note = format!("{}; {}", r.category.name(), r.chance.words());
    if r.due != r.cohort
        && let (Some(first), Some(now)) = (r.cohort.date(), r.due.date())
    {
        note.push_str(&format!("; due {first} first, now {now}"));
    }
    WhyRow {
        label: r.label(),
        account: r.renewal.account().map(|a| a.id()),
        values: vec![
            Value::Money(r.target),
            Value::Money(r.held()),
            Value::Money(r.amount),
            Value::Ratio(r.chance.share.fraction()),
            Value::Money(r.weighted()),
        ],
        note,
    }
}

fn newest(rows: &[&Row<'_>]) -> Option<jiff::civil::Date> {
    rows.iter()
        .filter_map(|r| r.renewal.account()?.changed_at())
        .max()
        .map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).date())
}

impl Set {
    fn figure(&self, name: &'static str, label: &str, value: Value) -> Figure {
        Figure {
            name,
            label: label.into(),
            value,
            why: Some(self.why.clone()),
            ..Figure::default()
        }
    }
    /// An amount.
    pub(super) fn money(&self, name: &'static str, label: &str, minor: i64) -> Figure {
        self.figure(name, label, Value::Money(minor))
    }
    /// A number of renewals.
    pub(super) fn count(&self, name: &'static str, label: &str, n: usize) -> Figure {
        self.figure(name, label, Value::Count(n as i64))
    }
    /// An amount that is held against the target.
    pub(super) fn aimed(&self, name: &'static str, label: &str, minor: i64) -> Figure {
        let wanted = self
            .target
            .map(|t| (self.sums.due as f64 * t).round() as i64);
        Figure {
            state: self.state(self.sums.share(minor)),
            target: wanted.map(|n| Target {
                from: Some(Value::Money(n)),
                to: None,
                source: "[forecast] target".into(),
            }),
            ..self.money(name, label, minor)
        }
    }
    /// A share of what is due.
    pub(super) fn share(&self, name: &'static str, label: &str, share: Option<f64>) -> Figure {
        self.figure(name, label, Value::ratio(share, "nothing is due"))
    }
    /// A rate that is held against the target.
    pub(super) fn rate(&self, name: &'static str, label: &str, rate: Option<f64>) -> Figure {
        Figure {
            state: self.state(rate),
            target: self.target.map(|t| Target {
                from: Some(Value::Ratio(t)),
                to: None,
                source: "[forecast] target".into(),
            }),
            ..self.share(name, label, rate)
        }
    }
    /// The target itself.
    pub(super) fn target(&self, label: &str) -> Figure {
        let why = "no target is set: [forecast] target in the configuration";
        self.figure("forecast.target", label, Value::ratio(self.target, why))
    }
    fn state(&self, rate: Option<f64>) -> State {
        state(rate, self.target)
    }
}

/// How a rate lies to what is wanted: good from there on, to be watched up to five points below.
pub(super) fn state(rate: Option<f64>, target: Option<f64>) -> State {
    match rate.zip(target) {
        None => State::Plain,
        Some((rate, target)) if rate >= target => State::Good,
        Some((rate, target)) if rate >= target - 0.05 => State::Watch,
        Some(_) => State::Bad,
    }
}
