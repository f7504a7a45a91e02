//! Ratios against their bands, utilisation, cost.

use super::super::business::ops_advice;
use super::super::costs::{COST_AVERAGE, COST_BENCHMARK, COST_HEAVY, OPS_AVERAGE, OPS_BENCHMARK};
use super::super::team::{Member, Standing};
use super::{Made, full, hours, people, text};
use crate::insight::page::{Block, Excluded, Figure, State, TableRow, Target, Value, WhyRow};
use crate::insight::{Coverage, GroupBy, SegmentRow, Segments, Verdict};

fn state(v: Option<Verdict>) -> State {
    match v {
        Some(Verdict::Over) => State::Bad,
        Some(Verdict::Under) => State::Watch,
        Some(Verdict::Within) => State::Good,
        None => State::Plain,
    }
}

impl Made<'_, '_> {
    fn busy(&self, utilisation: Option<f64>) -> State {
        let target = self.spread.settings().target_utilisation;
        match utilisation {
            Some(u) if u > target => State::Bad,
            Some(u) if u > target * 0.9 => State::Watch,
            Some(_) => State::Good,
            None => State::Plain,
        }
    }

    fn busy_target(&self) -> Target {
        Target {
            from: None,
            to: Some(Value::Ratio(self.spread.settings().target_utilisation)),
            source: "[capacity] target_utilisation".into(),
        }
    }

    /// Accounts whose hours nobody says.
    fn without_hours(&self, c: &Coverage) -> Vec<Excluded> {
        let n = c.of - c.known;
        let mut out = Vec::new();
        if n > 0 {
            out.push(Excluded {
                row: crate::insight::many(n, "account"),
                reason: "neither touch model nor segment says how many hours they take: [capacity.hours]"
                    .into(),
            });
        }
        out
    }

    /// People who do not count in full, and why.
    fn not_counted(&self) -> Vec<Excluded> {
        let members = self.spread.team.members.iter();
        members
            .filter(|m| m.standing != Standing::Counted)
            .map(|m| Excluded {
                row: m.name.clone(),
                reason: m.note(),
            })
            .collect()
    }

    fn utilisation_of(&self, label: &str, r: &SegmentRow) -> Figure {
        let s = self.spread.settings();
        let value = match r.utilisation {
            Some(u) => Value::Ratio(u),
            None => self.none(if r.note.is_empty() {
                "nobody has hours for it"
            } else {
                &r.note
            }),
        };
        let steps = vec![
            ("hours that the accounts take", hours(r.need)),
            ("full-time CSMs", Value::Number(r.fte, 3)),
            ("hours a year of each", hours(s.hours_per_year)),
            (
                "of these for customers",
                Value::Ratio(1.0 - s.internal_share),
            ),
            ("hours there are", hours(r.have)),
        ];
        let mut figure = Figure::new(
            "utilisation",
            label,
            value,
            self.why(
                steps,
                r.hours_coverage,
                self.without_hours(&r.hours_coverage),
            ),
        );
        figure.state = self.busy(r.utilisation);
        figure.target = Some(self.busy_target());
        figure
    }

    fn accounts_per_csm(&self, label: &str, r: &SegmentRow) -> Figure {
        let value = match r.accounts_per_csm {
            Some(n) => people(n),
            None => self.none("nobody who counts looks after them"),
        };
        let counted = r.accounts - r.without_csm - r.not_counted;
        let steps = vec![
            ("accounts", Value::Count(r.accounts as i64)),
            ("without a CSM", Value::Count(r.without_csm as i64)),
            (
                "whose CSM does not count, or no customers",
                Value::Count(r.not_counted as i64),
            ),
            ("accounts that count", Value::Count(counted as i64)),
            ("people who have any", Value::Count(r.csms as i64)),
            ("as full-time CSMs", Value::Number(r.fte, 3)),
        ];
        let coverage = Coverage {
            known: counted,
            of: r.accounts,
            no_rate: 0,
        };
        let mut figure = Figure::new(
            "accounts_per_csm",
            label,
            value,
            self.why(steps, coverage, self.not_counted()),
        );
        figure.state = state(r.verdict);
        figure.target = r.band.as_ref().map(|b| Target {
            from: Some(people(b.accounts_from)),
            to: Some(people(b.accounts_to)),
            source: b.source.clone(),
        });
        figure
    }

    fn arr_per_csm(&self, label: &str, r: &SegmentRow) -> Figure {
        let value = match r.arr_per_csm {
            Some(n) => Value::Money(n),
            None => self.none("nobody who counts looks after them"),
        };
        let steps = vec![
            ("ARR", Value::Money(r.arr)),
            ("full-time CSMs", Value::Number(r.fte, 3)),
        ];
        let missing = r.arr_coverage.of - r.arr_coverage.known;
        let mut left = self.not_counted();
        if missing > 0 {
            left.insert(
                0,
                Excluded {
                    row: crate::insight::many(missing, "account"),
                    reason: "no ARR, or no rate for its currency".into(),
                },
            );
        }
        let mut figure = Figure::new(
            "arr_per_csm",
            label,
            value,
            self.why(steps, r.arr_coverage, left),
        );
        figure.state = state(r.arr_verdict);
        let whole = self.money_unit();
        let money = |n: f64| Value::Money((n * whole).round() as i64);
        figure.target = r
            .band
            .as_ref()
            .filter(|b| b.arr_from.is_some() || b.arr_to.is_some())
            .map(|b| Target {
                from: b.arr_from.map(money),
                to: b.arr_to.map(money),
                source: b.source.clone(),
            });
        figure
    }

    fn money_unit(&self) -> f64 {
        10f64.powi(crate::book::value::exponent(&self.input.book.reporting()) as i32)
    }

    /// The team as a whole.
    pub(super) fn headline(&self, all: &Segments) -> Block {
        let t = &all.total;
        let s = self.spread.settings();
        let mut fte = Figure::new(
            "fte",
            "full-time CSMs",
            people(t.fte),
            self.why(
                vec![("people", Value::Count(self.spread.team.csm_heads as i64))],
                full(self.spread.team.members.len()),
                self.not_counted(),
            ),
        );
        if let Some(why) = &mut fte.why {
            let row = |m: &Member| WhyRow {
                label: m.name.clone(),
                values: vec![
                    Value::Number(m.part, 2),
                    Value::Number(m.ramp, 2),
                    Value::Number(m.fte, 3),
                ],
                note: m.note(),
                ..WhyRow::default()
            };
            let why = std::sync::Arc::make_mut(why);
            why.columns = vec!["hours".into(), "ramp".into(), "counts".into()];
            why.rows = self.spread.team.members.iter().map(row).collect();
        }
        let mut needed = Figure::new(
            "fte_needed",
            "needed",
            people(all.fte_needed),
            self.why(
                vec![
                    ("hours that the accounts take", hours(t.need)),
                    (
                        "hours for customers of a full-time CSM",
                        hours(s.hours_per_fte()),
                    ),
                    (
                        "utilisation that is planned for",
                        Value::Ratio(s.target_utilisation),
                    ),
                ],
                t.hours_coverage,
                self.without_hours(&t.hours_coverage),
            ),
        );
        needed.state = if all.fte_needed > t.fte {
            State::Bad
        } else {
            State::Good
        };
        let mut ops = Figure::new(
            "csm_per_ops",
            "CSMs : CS Ops",
            all.csm_per_ops
                .map_or_else(|| self.none(&all.ops_note), people),
            self.why(
                vec![
                    (
                        "CSMs, by their hours",
                        Value::Number(self.spread.team.csms, 2),
                    ),
                    (
                        "CS Ops, by their hours",
                        Value::Number(self.spread.team.ops, 2),
                    ),
                ],
                full(self.spread.team.csm_heads + self.spread.team.ops_heads),
                Vec::new(),
            ),
        );
        ops.target = Some(Target {
            from: None,
            to: Some(people(OPS_AVERAGE)),
            source: OPS_BENCHMARK.into(),
        });
        ops.state = match all.csm_per_ops {
            Some(n) if n > OPS_AVERAGE => State::Watch,
            Some(_) => State::Good,
            None => State::Plain,
        };
        Block::Figures {
            title: "The team".into(),
            figures: vec![
                self.utilisation_of("utilisation", t),
                fte,
                needed,
                self.accounts_per_csm("accounts per CSM", t),
                self.arr_per_csm("ARR per CSM", t),
                ops,
                self.cost_share(),
            ],
        }
    }

    /// The groups.
    pub(super) fn table(&self, groups: &Segments) -> Block {
        let row = |r: &SegmentRow| {
            let plain = |name, value, coverage: Coverage, left| {
                Figure::new(
                    name,
                    String::new(),
                    value,
                    self.why(Vec::new(), coverage, left),
                )
            };
            let mut cells = vec![
                plain(
                    "accounts",
                    Value::Count(r.accounts as i64),
                    full(r.accounts),
                    Vec::new(),
                ),
                plain("arr", Value::Money(r.arr), r.arr_coverage, Vec::new()),
                plain("fte", Value::Number(r.fte, 2), full(r.csms), Vec::new()),
                self.accounts_per_csm("", r),
                self.arr_per_csm("", r),
                plain(
                    "hours_needed",
                    hours(r.need),
                    r.hours_coverage,
                    self.without_hours(&r.hours_coverage),
                ),
                plain("hours_available", hours(r.have), full(r.csms), Vec::new()),
                self.utilisation_of("", r),
            ];
            if groups.by == GroupBy::Csm {
                cells.push(Figure::text(r.note.clone()));
            }
            TableRow {
                label: if r.key.is_empty() {
                    format!("no {}", groups.by.title())
                } else {
                    r.key.clone()
                },
                cells,
                ..TableRow::default()
            }
        };
        let mut columns: Vec<String> = [
            "accounts",
            "ARR",
            "full-time",
            "accounts/CSM",
            "ARR/CSM",
            "hours needed",
            "hours there are",
            "utilisation",
        ]
        .map(str::to_owned)
        .into();
        if groups.by == GroupBy::Csm {
            columns.push("note".into());
        }
        Block::Table {
            title: format!("By {}", groups.by.title()),
            columns,
            rows: groups.rows.iter().map(row).collect(),
            empty: "There is no account yet: csops sync brings them, csops import reads a file."
                .into(),
        }
    }

    /// Everybody's utilisation, the busiest first.
    pub(super) fn utilisation(&self, csms: &Segments) -> Block {
        let bars = csms.rows.iter().filter(|r| r.utilisation.is_some());
        Block::Bars {
            title: "Utilisation by CSM: hours needed as a part of the hours there are".into(),
            bars: bars.map(|r| self.utilisation_of(&r.key, r)).collect(),
        }
    }

    fn cost_share(&self) -> Figure {
        let c = &self.costs;
        let mut steps: Vec<(String, Value)> = Vec::new();
        for p in &c.parts {
            let label = match p.fte {
                Some(fte) => format!("{}, {fte:.2} full-time", p.label),
                None => p.label.to_owned(),
            };
            steps.push((label, Value::Money(p.total)));
        }
        if let Some(total) = c.total {
            steps.push(("cost of customer success".into(), Value::Money(total)));
        }
        let left: Vec<Excluded> = c
            .left_out
            .iter()
            .map(|(row, reason)| Excluded {
                row: (*row).to_owned(),
                reason: reason.clone(),
            })
            .collect();
        let coverage = Coverage {
            known: c.parts.len(),
            of: c.parts.len() + left.len(),
            no_rate: 0,
        };
        let mut why = self.why(Vec::new(), coverage, left);
        why.steps = steps;
        let value = c.share.map_or_else(|| self.none(&c.note), Value::Ratio);
        let mut figure = Figure::new("cs_cost_share", "CS cost of ARR", value, why);
        figure.state = match c.share {
            Some(share) if share > COST_HEAVY => State::Bad,
            Some(share) if share > COST_AVERAGE => State::Watch,
            Some(_) => State::Good,
            None => State::Plain,
        };
        figure.target = Some(Target {
            from: None,
            to: Some(Value::Ratio(COST_AVERAGE)),
            source: COST_BENCHMARK.into(),
        });
        figure
    }

    /// What it costs, part by part, and what is commonly said of CS Ops.
    pub(super) fn cost(&self) -> Vec<Block> {
        let team = &self.spread.team;
        let mut out = Vec::new();
        if self.costs.total.is_some() {
            let mut rows: Vec<TableRow> = Vec::new();
            for p in &self.costs.parts {
                rows.push(TableRow {
                    label: p.label.to_owned(),
                    cells: vec![
                        p.fte.map_or_else(Figure::default, |n| Figure {
                            value: Value::Number(n, 2),
                            ..Figure::default()
                        }),
                        Figure {
                            value: Value::Money(p.each),
                            ..Figure::default()
                        },
                        Figure::new(
                            "cs_cost",
                            "",
                            Value::Money(p.total),
                            self.why(Vec::new(), full(1), Vec::new()),
                        ),
                    ],
                    ..TableRow::default()
                });
            }
            out.push(Block::Table {
                title: "What customer success costs a year".into(),
                columns: vec!["full-time".into(), "each".into(), "together".into()],
                rows,
                empty: String::new(),
            });
        }
        if let Some(share) = self.costs.ops_share {
            let mut figure = Figure::new(
                "ops_cost_share",
                "CS Ops of CS cost",
                Value::Ratio(share),
                self.why(Vec::new(), full(1), Vec::new()),
            );
            figure.target = Some(Target {
                from: Some(Value::Ratio(0.01)),
                to: Some(Value::Ratio(0.07)),
                source: "the middle half of 350 companies, mean 3 % (Gainsight and RevOps Squared, 2021)"
                    .into(),
            });
            figure.state = if (0.01..=0.07).contains(&share) {
                State::Good
            } else {
                State::Watch
            };
            out.push(Block::Figures {
                title: "CS Ops".into(),
                figures: vec![figure],
            });
        }
        out.push(text(ops_advice(team.csms, team.ops)));
        out
    }
}
