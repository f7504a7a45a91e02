//! Who has to be hired when, what a hire in CS Ops has to bring in, what saved hours are worth.

use super::super::business::{Saving, break_even_arr, break_even_ratio};
use super::super::hiring::{Growth, Hiring, growth, hiring};
use super::{Made, full, hours, people, text};
use crate::insight::Segments;
use crate::insight::page::{Block, Figure, State, TableRow, Value};

impl Made<'_, '_> {
    /// The forecast, and its first hire in words.
    pub(super) fn hiring(&self) -> (Vec<Block>, Option<String>) {
        let s = self.spread.settings();
        let input = self.input;
        let growth = match growth(input.book, input.today, s) {
            Ok(growth) => growth,
            Err(why) => {
                return (vec![text(format!("Hiring by quarter: {why}."))], None);
            }
        };
        let plan = hiring(self.spread, growth, input.calendar, input.today);
        let first = plan.quarters.iter().find(|q| q.hires > 0).map(|q| {
            let who = if q.hires == 1 {
                "one CSM".into()
            } else {
                format!("{} CSMs", q.hires)
            };
            match q.start_by {
                Some(day) if !q.late => format!("{who} must start by {day}"),
                _ => format!("{who} should have started already"),
            }
        });
        let rows = plan
            .quarters
            .iter()
            .map(|q| self.quarter(&plan, q))
            .collect();
        let columns = [
            "hours needed",
            "needed",
            "there",
            "leaving",
            "hire",
            "start by",
            "decide by",
            "short",
        ];
        let mut blocks = vec![Block::Table {
            title: "Hiring by quarter".into(),
            columns: columns.map(str::to_owned).into(),
            rows,
            empty: String::new(),
        }];
        let Growth { rate, source, .. } = &plan.growth;
        let mut words = format!("Work grows by {:.1} % a year: {source}. ", rate * 100.0);
        words.push_str(&match s.attrition {
            Some(a) => format!(
                "{:.0} % of the CSMs leave in a year ([capacity] attrition). ",
                a * 100.0
            ),
            None => "Nobody is expected to leave: [capacity] attrition is not set. ".into(),
        });
        if let Some(touch) = &plan.scarcest {
            words.push_str(&format!(
                "The {touch} touch model lacks the most hours now: the first hire goes there."
            ));
        }
        blocks.push(text(words.trim_end().to_owned()));
        (blocks, first)
    }

    fn quarter(&self, plan: &Hiring, q: &super::super::hiring::HiringQuarter) -> TableRow {
        let s = self.spread.settings();
        let mut steps = vec![
            ("hours needed at its end", hours(q.need)),
            (
                "hours for customers of a full-time CSM",
                hours(s.hours_per_fte()),
            ),
            ("full-time CSMs needed", Value::Number(q.needed, 2)),
            ("there without hires", Value::Number(q.have, 2)),
            (
                "what earlier and these hires do by then",
                Value::Number(q.hired, 2),
            ),
        ];
        if let Some([then, new, lost, now]) = plan.growth.trend {
            let count = |n: usize| Value::Count(n as i64);
            steps.extend([
                ("accounts a year ago", count(then)),
                ("new since", count(new)),
                ("lost since", count(lost)),
                ("accounts now", count(now)),
            ]);
        }
        let figure = |name, value| {
            Figure::new(
                name,
                "",
                value,
                self.why(steps.clone(), full(1), Vec::new()),
            )
        };
        let day = |d: Option<jiff::civil::Date>| Figure {
            value: d.map_or(Value::Empty, Value::Date),
            state: if q.late { State::Bad } else { State::Plain },
            ..Figure::default()
        };
        let mut hires = figure("hires", Value::Count(i64::from(q.hires)));
        hires.state = match (q.hires, q.late) {
            (0, _) => State::Plain,
            (_, true) => State::Bad,
            _ => State::Watch,
        };
        let mut short = figure("fte_short", people(q.short));
        short.state = if q.short > 0.05 {
            State::Bad
        } else {
            State::Good
        };
        TableRow {
            label: q.label.clone(),
            cells: vec![
                figure("hours_needed", hours(q.need)),
                figure("fte_needed", people(q.needed)),
                figure("fte", people(q.have)),
                figure("leavers", people(q.leavers)),
                hires,
                day(q.start_by),
                day(q.decide_by),
                short,
            ],
            ..TableRow::default()
        }
    }

    /// What one more full-time person in CS Ops has to bring in, from three sides; and what saved hours are worth.
    pub(super) fn business(&self, all: &Segments) -> Vec<Block> {
        let s = self.spread.settings();
        let arr = all.total.arr;
        let part = |amount: i64| (arr > 0).then(|| amount as f64 / arr as f64);
        let mut out = Vec::new();
        let even = match (s.ops_cost, s.gross_margin) {
            (None, _) => {
                Err("set [capacity] ops_cost to what a full-time person in CS Ops costs a year")
            }
            (_, None) => Err("set [capacity] gross_margin"),
            (Some(cost), Some(margin)) => {
                break_even_arr(cost, margin).ok_or("the gross margin is not between 0 and 1")
            }
        };
        let money = |name, label: &str, steps| {
            let value = even.map_or_else(|e| self.none(e), Value::Money);
            Figure::new(name, label, value, self.why(steps, full(1), Vec::new()))
        };
        let given = |steps: &mut Vec<(&'static str, Value)>| {
            steps.extend(s.ops_cost.map(|c| ("cost of the hire", Value::Money(c))));
            steps.extend(s.gross_margin.map(|m| ("gross margin", Value::Ratio(m))));
            if let Ok(amount) = even {
                steps.push(("ARR of the book", Value::Money(arr)));
                steps.extend(part(amount).map(|p| ("as a part of it", Value::Ratio(p))));
                if all.total.accounts > 0 && arr > 0 {
                    let mean = arr as f64 / all.total.accounts as f64;
                    steps.push((
                        "accounts of mean size",
                        Value::Number(amount as f64 / mean, 1),
                    ));
                }
            }
        };
        let mut steps = Vec::new();
        given(&mut steps);
        let ratio = match (
            s.ops_cost,
            self.costs.csm_payroll,
            all.total.accounts_per_csm,
        ) {
            (Some(cost), Some(payroll), Some(now)) => {
                break_even_ratio(now, cost, payroll).ok_or("nobody looks after customers")
            }
            (None, ..) => Err("set [capacity] ops_cost"),
            (_, None, _) => Err("set [capacity] csm_cost"),
            _ => Err("nobody looks after customers"),
        };
        let mut how = Vec::new();
        how.extend(
            all.total
                .accounts_per_csm
                .map(|n| ("accounts per CSM now", people(n))),
        );
        how.extend(s.ops_cost.map(|c| ("cost of the hire", Value::Money(c))));
        how.extend(
            self.costs
                .csm_payroll
                .map(|c| ("payroll of the CSMs", Value::Money(c))),
        );
        out.push(Block::Figures {
            title: "One more person in CS Ops pays when, in a year, it".into(),
            figures: vec![
                money("break_even_retention", "saves ARR of", steps.clone()),
                money("break_even_growth", "brings expansion of", steps),
                Figure::new(
                    "break_even_ratio",
                    "lets each CSM have accounts",
                    ratio.map_or_else(|e| self.none(e), people),
                    self.why(how, full(1), Vec::new()),
                ),
            ],
        });
        out.extend(self.saved(all));
        out
    }

    fn saved(&self, all: &Segments) -> Option<Block> {
        let s = self.spread.settings();
        let Some(hours_a_week) = s.saved.hours_a_week else {
            return Some(text(
                "Hours saved: set [capacity.saved] hours_a_week to what automation saves each person a week.".into(),
            ));
        };
        let known = all.total.hours_coverage.known;
        let mean = (known > 0).then(|| all.total.need / known as f64);
        let saving = Saving {
            people: s.saved.people.unwrap_or(self.spread.team.csm_heads as f64),
            hours_a_week,
            weeks: s.saved.weeks,
            cost: s.csm_cost,
            hours_per_year: s.hours_per_year,
            hours_per_fte: s.hours_per_fte(),
            account_hours: s.saved.account_hours.or(mean),
        };
        let got = saving.hours_saved();
        let mut steps = vec![
            ("people", people(saving.people)),
            ("hours a week, each", people(saving.hours_a_week)),
            ("weeks a year", hours(saving.weeks)),
            ("hours that one works a year", hours(saving.hours_per_year)),
        ];
        steps.extend(
            saving
                .cost
                .map(|c| ("cost of a full-time CSM", Value::Money(c))),
        );
        steps.extend(
            saving
                .account_hours
                .map(|h| ("hours of an account", people(h))),
        );
        let figure = |name, label: &str, value| {
            Figure::new(
                name,
                label,
                value,
                self.why(steps.clone(), full(1), Vec::new()),
            )
        };
        Some(Block::Figures {
            title: "Automation saves in a year".into(),
            figures: vec![
                figure("hours_saved", "hours", hours(got.hours)),
                figure(
                    "hours_saved_value",
                    "worth",
                    got.value
                        .map_or_else(|| self.none("set [capacity] csm_cost"), Value::Money),
                ),
                figure(
                    "hours_saved_accounts",
                    "time for accounts",
                    got.accounts.map_or_else(
                        || self.none("no account says how many hours it takes"),
                        people,
                    ),
                ),
                figure(
                    "hours_saved_people",
                    "hires avoided",
                    got.people
                        .map_or_else(|| self.none("nobody has hours for customers"), people),
                ),
            ],
        })
    }
}
