//! The figures of the window, the waterfall and the trend.

use super::{Made, NO_OPENING, NOTHING_DUE};
use crate::insight::page::{Block, Excluded, Figure, Line, State, Target, Value, Why};
use crate::insight::retention::cell::Totals;
use crate::insight::retention::policy::Denominator;
use crate::insight::retention::rows::{Of, Writer, amount};
use jiff::civil::Date;

/// Rows that a figure keeps of those behind it.
const ROWS: usize = 200;

/// A figure's state by a target that is to be reached, or not to be exceeded.
fn state(value: Option<f64>, target: Option<f64>, at_least: bool) -> State {
    let Some((value, target)) = value.zip(target) else {
        return State::Plain;
    };
    let lead = if at_least {
        value - target
    } else {
        target - value
    };
    if lead >= 0.0 {
        State::Good
    } else if lead >= -0.02 {
        State::Watch
    } else {
        State::Bad
    }
}

impl Made<'_> {
    /// What stands behind a figure of the window.
    pub(super) fn why(&self, of: Of, steps: Vec<(String, Value)>) -> Why {
        let writer = Writer::new(self.input.book, &self.ledger, &self.report);
        let (rows, rows_in) = writer.rows(of, ROWS);
        Why {
            steps,
            columns: of.columns(),
            rows,
            rows_in,
            left_out: self.excluded(ROWS),
            ..self.frame_of(&self.report.totals, rows_in)
        }
    }

    /// What figures of this page have in common behind them.
    pub(super) fn frame_of(&self, _totals: &Totals, rows_in: usize) -> Why {
        Why {
            rows_in,
            rows_out: self.report.excluded.count,
            coverage: self.report.coverage,
            as_of: crate::book::day::date_of(self.report.to),
            source: self.ledger.source(),
            ..Why::default()
        }
    }

    pub(super) fn excluded(&self, most: usize) -> Vec<Excluded> {
        let list = self.report.excluded.list.iter();
        list.take(most).map(Excluded::from).collect()
    }

    /// A rate with its arithmetic.
    fn rate(
        &self,
        (name, label): (&'static str, &str),
        (rate, part, whole): (Option<f64>, i64, i64),
        (of, parts): (Of, [&str; 2]),
        target: Option<(f64, bool)>,
    ) -> Figure {
        let none = if of == Of::Due {
            NOTHING_DUE
        } else {
            NO_OPENING
        };
        let number = |n: i64| match of {
            Of::Lost => Value::Count(n),
            _ => Value::Money(n),
        };
        let steps = vec![
            ("window, first day".into(), self.day(self.report.from)),
            ("window, last day".into(), self.day(self.report.to)),
            (parts[0].into(), number(part)),
            (parts[1].into(), number(whole)),
            (label.into(), Value::ratio(rate, none)),
        ];
        let mut figure = Figure::new(name, label, Value::ratio(rate, none), self.why(of, steps));
        if let Some((wanted, at_least)) = target {
            figure.state = state(rate, Some(wanted), at_least);
            let value = Some(Value::Ratio(wanted));
            let (from, to) = if at_least {
                (value, None)
            } else {
                (None, value)
            };
            figure.target = Some(Target {
                from,
                to,
                source: "[metrics]".into(),
            });
        }
        figure
    }

    pub(super) fn figures(&self) -> Block {
        let (t, s) = (&self.report.totals, &self.report.totals.sum);
        let targets = &self.input.settings.retention;
        let due = self.policy.denominator == Denominator::Due;
        let at_least = |t: Option<f64>| t.map(|t| (t, true));
        let mut figures = vec![
            self.rate(
                ("grr", "GRR"),
                (t.gross(), s.kept, s.opening),
                (Of::Retention, ["what is left, rises left out", "opening"]),
                at_least(targets.grr_target),
            ),
            self.rate(
                ("nrr", "NRR"),
                (t.net(), s.retained, s.opening),
                (Of::Retention, ["what is left, rises counted", "opening"]),
                at_least(targets.nrr_target),
            ),
        ];
        let (lost, customers) = if due {
            let lost = (t.due_churn(), t.due_lost as i64, t.due_customers as i64);
            (lost, "customers of which something was due")
        } else {
            let lost = (t.churn(), t.lost as i64, t.customers as i64);
            (lost, "customers at the opening")
        };
        let lost = self.rate(
            ("logo_churn", "logo churn"),
            lost,
            (Of::Lost, ["customers gone", customers]),
            targets.logo_churn_target.map(|t| (t, false)),
        );
        let renewals = [
            self.rate(
                ("renewal_rate.gross", "renewal rate, gross"),
                (t.renewal_gross(), s.due_kept, s.due),
                (Of::Due, ["renewed, at most what was due", "due"]),
                None,
            ),
            self.rate(
                ("renewal_rate.net", "renewal rate, net"),
                (t.renewal_net(), s.due_renewed, s.due),
                (Of::Due, ["renewed", "due"]),
                None,
            ),
        ];
        // What is asked for stands first, each rate under its own name.
        let first = if due { 0 } else { figures.len() };
        figures.splice(first..first, renewals);
        figures.insert(2, lost);
        Block::Figures {
            title: format!("Retention, {}", self.window_words()),
            figures,
        }
    }

    pub(super) fn waterfall(&self) -> Block {
        let s = &self.report.totals.sum;
        let all = [
            ("opening", "opening"),
            ("new", "new"),
            ("expansion", "expansion"),
            ("reactivation", "reactivation"),
            ("price", "price"),
            ("fx", "exchange"),
            ("contraction", "contraction"),
            ("churn", "churn"),
            ("closing", "closing"),
        ];
        let mut steps: Vec<Figure> = Vec::new();
        for (step, label) in all {
            let size = amount(s, step);
            let apart = matches!(step, "reactivation" | "price" | "fx");
            if size == 0 && apart {
                continue;
            }
            let why = self.why(Of::Step(step), vec![(label.into(), Value::Money(size))]);
            steps.push(Figure::new("waterfall", label, Value::Money(size), why));
        }
        let check = match s.check() {
            0 => "it ties".to_owned(),
            n => format!(
                "it does not tie by {}: {} rows",
                self.words(n),
                self.report.broken.len()
            ),
        };
        Block::Waterfall {
            title: format!("ARR from opening to closing; {check}"),
            steps,
        }
    }

    pub(super) fn trend(&self, months: &[(Date, Totals)]) -> Block {
        let line =
            |label: &str, name, rate: fn(&Totals) -> Option<f64>, part: fn(&Totals) -> i64| {
                let points = months.iter().map(|(day, t)| {
                    let value = Value::ratio(rate(t), NO_OPENING);
                    let why = Why {
                        steps: vec![
                            ("twelve months to".into(), Value::Date(*day)),
                            ("what is left".into(), Value::Money(part(t))),
                            ("opening".into(), Value::Money(t.sum.opening)),
                        ],
                        as_of: Some(*day),
                        ..self.frame_of(t, t.customers)
                    };
                    (*day, Figure::new(name, label, value, why))
                });
                Line {
                    label: label.to_owned(),
                    points: points.collect(),
                }
            };
        Block::Lines {
            title: "Trailing twelve months, month by month".into(),
            lines: vec![
                line("GRR", "retention.month", Totals::gross, |t| t.sum.kept),
                line("NRR", "retention.month", Totals::net, |t| t.sum.retained),
            ],
            mark: self.input.settings.retention.grr_target.map(Value::Ratio),
        }
    }
}
