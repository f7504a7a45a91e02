//! The page of retention: figures, waterfall, trend, the policy's effect, groups, quarters and cohorts.

mod figures;
mod tables;
#[cfg(test)]
mod tests;

use super::group::By;
use super::policy::{Policy, SWITCHES};
use super::report::{Ask, Report, report, trailing, window};
use super::series::{Source, cohorts, monthly, quarterly};
use crate::book::day::date_of;
use crate::insight::ledger::{Ledger, build};
use crate::insight::page::{Block, Figure, Input, Page, Switch, Value};
use crate::insight::{many, money_words};
use std::sync::Arc;

/// Its name.
pub const NAME: &str = "retention";
/// Months of the trend.
const MONTHS: usize = 24;
/// Quarters of cohorts.
const COHORTS: usize = 12;

/// What the page is made from, computed once.
struct Made<'a> {
    input: &'a Input<'a>,
    ledger: Ledger,
    /// The conventions that were chosen.
    policy: Policy,
    /// The configured ones.
    usual: Policy,
    by: By,
    report: Report,
}

/// Makes the page. Switches: those of the policy, and `by`.
pub fn page(input: &Input<'_>) -> Page {
    let settings = &input.settings.retention;
    let usual = settings.policy;
    let mut policy = usual;
    for spec in SWITCHES {
        // What cannot be understood was chosen for a page of another version: the configured value stays.
        if let Some(value) = input.choice(spec.name)
            && let Err(_unknown) = policy.set(spec.name, value)
        {
            continue;
        }
    }
    let by = input.choice("by").and_then(|b| By::parse(b).ok());
    let by = by.unwrap_or(By::Segment);
    let ledger = build(input.book, input.today, settings.mixed_currencies);
    let Ok((from, to)) = window(&policy, None, None, input.today, input.calendar) else {
        return empty(&policy, by, "there is no such window");
    };
    if ledger.is_empty() {
        return empty(&policy, by, crate::insight::header::NO_LEDGER);
    }
    let ask = Ask {
        from,
        to,
        policy,
        by: vec![by],
        with_rows: true,
        mine: input.mine,
    };
    let report = report(input.book, &ledger, &ask, input.today, input.calendar);
    let made = Made {
        input,
        ledger,
        policy: report.policy,
        usual,
        by,
        report,
    };
    if let Some(why) = &made.report.unavailable {
        return Page {
            badge: made.policy.badge(),
            ..empty(&policy, by, why)
        };
    }
    let source = Source {
        book: input.book,
        ledger: &made.ledger,
        policy: &made.policy,
        calendar: input.calendar,
        today: input.today,
        mine: input.mine,
    };
    let mut blocks = vec![made.figures(), made.waterfall()];
    blocks.push(made.trend(&monthly(&source, MONTHS)));
    blocks.extend(made.moves());
    blocks.push(made.groups());
    blocks.push(made.quarters(&quarterly(&source)));
    blocks.extend(made.cohorts(&cohorts(&source, COHORTS)));
    blocks.push(made.left_out());
    Page {
        name: NAME,
        title: "Retention",
        badge: made.policy.badge(),
        sentence: made.sentence(),
        switches: switches(&policy, by),
        blocks,
    }
}

/// GRR and NRR of the trailing twelve months under the configured policy, with the rows behind them: for pages on which they are not alone.
pub fn headline(input: &Input<'_>) -> Vec<Figure> {
    let settings = &input.settings.retention;
    let ledger = build(input.book, input.today, settings.mixed_currencies);
    let policy = settings.policy;
    let (book, today, calendar) = (input.book, input.today, input.calendar);
    let report = trailing(book, &ledger, &policy, today, calendar, input.mine, true);
    let none = match &report.unavailable {
        Some(why) => Some(why.clone()),
        None if ledger.is_empty() => Some(crate::insight::header::NO_LEDGER.to_owned()),
        None => None,
    };
    let made = Made {
        input,
        policy: report.policy,
        usual: policy,
        by: By::Segment,
        report,
        ledger,
    };
    let Block::Figures { mut figures, .. } = made.figures() else {
        return Vec::new();
    };
    figures.truncate(2);
    for figure in &mut figures {
        if let Some(why) = figure.why.as_mut().map(Arc::make_mut) {
            why.policy = made.policy.badge();
        }
        if let Some(none) = &none {
            figure.value = Value::None(none.clone());
        }
    }
    figures
}

fn switches(policy: &Policy, by: By) -> Vec<Switch> {
    let mut all: Vec<Switch> = SWITCHES
        .iter()
        .map(|spec| {
            let current = policy.value(spec.name);
            let mut values: Vec<String> = spec.values.iter().map(|v| (*v).to_owned()).collect();
            // Another number of days than the usual one is flipped to as well.
            if !values.contains(&current) {
                values.insert(0, current.clone());
            }
            Switch {
                name: spec.name,
                title: spec.title,
                values,
                current,
            }
        })
        .collect();
    all.push(Switch {
        name: "by",
        title: "grouped by",
        values: By::ALL.iter().map(|b| b.name().to_owned()).collect(),
        current: by.name().to_owned(),
    });
    all
}

fn empty(policy: &Policy, by: By, why: &str) -> Page {
    Page {
        name: NAME,
        title: "Retention",
        badge: policy.badge(),
        sentence: why.to_owned(),
        switches: switches(policy, by),
        blocks: vec![Block::Text {
            text: format!(
                "{why}. Retention is computed from subscriptions (csops import FILE.csv --kind subscriptions), movements (--kind movements), or closed renewals of accounts with ARR."
            ),
        }],
    }
}

/// Why there is no rate.
const NO_OPENING: &str = "there is no ARR at the opening";
/// Why there is no renewal rate.
const NOTHING_DUE: &str = "nothing was due in the window";

impl Made<'_> {
    /// A day of the report as a value.
    fn day(&self, day: i32) -> Value {
        date_of(day).map_or(Value::Empty, Value::Date)
    }
    /// The window in words.
    fn window_words(&self) -> String {
        let day = |d: i32| date_of(d).map_or_else(String::new, |d| d.to_string());
        format!("{} to {}", day(self.report.from), day(self.report.to))
    }
    /// What the page says.
    fn sentence(&self) -> String {
        let t = &self.report.totals;
        let Some((gross, net)) = t.gross().zip(t.net()) else {
            return format!("{}: {NO_OPENING}", self.window_words());
        };
        let words = |minor| self.words(minor);
        let lost = t.sum.opening - t.sum.kept;
        let mut text = format!(
            "Of {} a year that {} paid before {}, {:.1} % is left ({} lost, {} gone); with growth it is {:.1} %.",
            words(t.sum.opening),
            many(t.customers, "customer"),
            date_of(self.report.from).map_or_else(String::new, |d| d.to_string()),
            gross * 100.0,
            words(lost),
            many(t.lost, "customer"),
            net * 100.0
        );
        if t.pending > 0 {
            text.push_str(&match t.pending {
                1 => " 1 ended term still counts because it may be renewed yet.".to_owned(),
                n => format!(" {n} ended terms still count because they may be renewed yet."),
            });
        }
        if t.back_ignored > 0 {
            let (were, them) = match t.back_ignored {
                1 => ("was gone and came back counts", "it"),
                _ => ("were gone and came back count", "them"),
            };
            text.push_str(&format!(
                " {} that {were} as never gone; quarters show {them} as churn and reactivation.",
                t.back_ignored
            ));
        }
        if t.windfalls > 0 {
            let late = match t.windfalls {
                1 => "1 late renewal is credited when it was signed".to_owned(),
                n => format!("{n} late renewals are credited when they were signed"),
            };
            text.push_str(&format!(
                " {late}, which can lift a renewal rate above 100 %."
            ));
        }
        text
    }
    fn words(&self, minor: i64) -> String {
        money_words(self.input.book.reporting_money(minor))
    }
}

/// A fraction in words.
fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "n/a".to_owned(), |r| format!("{:.1} %", r * 100.0))
}
