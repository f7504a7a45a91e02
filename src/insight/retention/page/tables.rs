//! The tables: rows that move by the policy, groups, quarters, cohorts, what is left out.

use super::{Made, NO_OPENING, NOTHING_DUE};
use crate::book::day::date_of;
use crate::book::text::visible;
use crate::insight::page::{Block, Figure, TableRow, Value, Why};
use crate::insight::retention::cell::Totals;
use crate::insight::retention::policy::Netting;
use crate::insight::retention::report::{Ask, by_account, report};
use crate::insight::retention::series::{Cohort, Quarters, quarter_rates};

/// Rows of a table at most.
const ROWS: usize = 50;

impl Made<'_> {
    /// A figure of some sums, with its arithmetic.
    fn of_totals(
        &self,
        name: &'static str,
        (rate, part, whole): (Option<f64>, i64, i64),
        none: &str,
        totals: &Totals,
    ) -> Figure {
        let value = Value::ratio(rate, none);
        let why = Why {
            steps: vec![
                ("what is left".into(), Value::Money(part)),
                ("of".into(), Value::Money(whole)),
            ],
            ..self.frame_of(totals, totals.customers)
        };
        Figure::new(name, "", value, why)
    }
    fn money(&self, name: &'static str, minor: i64, totals: &Totals) -> Figure {
        let why = Why {
            steps: vec![("sum".into(), Value::Money(minor))],
            ..self.frame_of(totals, totals.customers)
        };
        Figure::new(name, "", Value::Money(minor), why)
    }
    fn gross(&self, name: &'static str, t: &Totals) -> Figure {
        self.of_totals(name, (t.gross(), t.sum.kept, t.sum.opening), NO_OPENING, t)
    }
    fn net(&self, name: &'static str, t: &Totals) -> Figure {
        let parts = (t.net(), t.sum.retained, t.sum.opening);
        self.of_totals(name, parts, NO_OPENING, t)
    }

    /// Accounts that count otherwise than under the configured policy; nothing when that is the one.
    pub(super) fn moves(&self) -> Option<Block> {
        // Grouping by product nets by product, which nobody flipped.
        let mut usual = self.usual;
        if self.policy.netting == Netting::Product {
            usual.netting = Netting::Product;
        }
        let mut changed: Vec<&str> = Vec::new();
        for ((name, chosen), (_, configured)) in self.policy.pairs().zip(usual.pairs()) {
            // What a rate is a share of changes which rate stands first, and what counts of no account.
            if chosen != configured && name != "denominator" {
                changed.push(name);
            }
        }
        if changed.is_empty() {
            return None;
        }
        let ask = Ask {
            from: date_of(self.report.from)?,
            to: date_of(self.report.to)?,
            policy: usual,
            by: Vec::new(),
            with_rows: true,
            mine: self.input.mine,
        };
        let input = self.input;
        let before = report(input.book, &self.ledger, &ask, input.today, input.calendar);
        let (then, now) = (by_account(&before.rows), by_account(&self.report.rows));
        let mut moved: Vec<(u32, i64, i64)> = Vec::new();
        let accounts = then
            .keys()
            .chain(now.keys().filter(|k| !then.contains_key(k)));
        for account in accounts {
            let (a, b) = (
                then.get(account).copied().unwrap_or_default(),
                now.get(account).copied().unwrap_or_default(),
            );
            if a != b {
                moved.push((*account, b.1.saturating_sub(a.1), b.0.saturating_sub(a.0)));
            }
        }
        moved.sort_by_key(|(row, kept, net)| {
            (
                std::cmp::Reverse(kept.unsigned_abs().max(net.unsigned_abs())),
                *row,
            )
        });
        let count = moved.len();
        let rows = moved.into_iter().take(ROWS).map(|(row, kept, net)| {
            let account = input.book.account(row);
            TableRow {
                label: visible(account.name()).into_owned(),
                account: Some(account.id()),
                cells: vec![
                    self.money("retention.change", kept, &self.report.totals),
                    self.money("retention.change", net, &self.report.totals),
                ],
            }
        });
        Some(Block::Table {
            title: format!("{count} accounts move by {}", changed.join(", ")),
            columns: vec!["for GRR".into(), "for NRR".into()],
            rows: rows.collect(),
            empty: "no account counts otherwise than under the configured policy".into(),
        })
    }

    pub(super) fn groups(&self) -> Block {
        let total = std::iter::once(("all", &self.report.totals));
        let groups = self.report.grouped.iter().flat_map(|g| &g.groups);
        let rows = groups
            .map(|g| (g.key.as_str(), &g.totals))
            .chain(total)
            .map(|(key, t)| TableRow {
                label: key.to_owned(),
                account: None,
                cells: vec![
                    self.money("waterfall", t.sum.opening, t),
                    self.gross("grr", t),
                    self.net("nrr", t),
                    Figure::new(
                        "logo_churn",
                        "",
                        Value::ratio(t.churn(), NO_OPENING),
                        Why {
                            steps: vec![
                                ("customers gone".into(), Value::Count(t.lost as i64)),
                                ("customers".into(), Value::Count(t.customers as i64)),
                            ],
                            ..self.frame_of(t, t.customers)
                        },
                    ),
                    self.of_totals(
                        "renewal_rate.gross",
                        (t.renewal_gross(), t.sum.due_kept, t.sum.due),
                        NOTHING_DUE,
                        t,
                    ),
                    self.money("waterfall", t.sum.closing, t),
                ],
            });
        let heads = [
            "opening",
            "GRR",
            "NRR",
            "logo churn",
            "renewal rate",
            "closing",
        ];
        Block::Table {
            title: format!("By {}", self.by.name()),
            columns: heads.iter().map(|h| (*h).to_owned()).collect(),
            rows: rows.collect(),
            empty: "no account is in the window".into(),
        }
    }

    pub(super) fn quarters(&self, q: &Quarters) -> Block {
        let losses = |t: &Totals| t.sum.contraction.saturating_add(t.sum.churn);
        let pairs: Vec<(i64, i64)> = (q.quarters.iter())
            .map(|(_, t)| (t.sum.opening, losses(t)))
            .collect();
        let year = pairs.first().map_or(0, |p| p.0);
        let mut rows: Vec<TableRow> = Vec::new();
        let cells = |t: &Totals, own: Option<f64>, share: Option<f64>, lost: i64| {
            vec![
                self.money("waterfall", t.sum.opening, t),
                self.money("waterfall", lost, t),
                self.of_totals(
                    "retention.quarter",
                    (own, lost, t.sum.opening),
                    NO_OPENING,
                    t,
                ),
                self.of_totals("retention.quarter", (share, lost, year), NO_OPENING, t),
            ]
        };
        for ((quarter, t), rate) in q.quarters.iter().zip(quarter_rates(&pairs)) {
            rows.push(TableRow {
                label: self.input.calendar.label(quarter),
                account: None,
                cells: cells(t, rate.of_own, rate.of_year, losses(t)),
            });
        }
        let lost = pairs.iter().fold(0_i64, |sum, p| sum.saturating_add(p.1));
        let share = quarter_rates(&[(year, lost)])
            .first()
            .and_then(|r| r.of_year);
        let mut sum = cells(&q.year, None, share, lost);
        if let Some(own) = sum.get_mut(2) {
            own.value = Value::None("shares of different bases do not add up".into());
        }
        rows.push(TableRow {
            label: "four quarters".into(),
            account: None,
            cells: sum,
        });
        Block::Table {
            title: format!(
                "Losses by quarter; as one year {} of the opening was lost",
                super::percent(q.year.gross().map(|g| 1.0 - g))
            ),
            columns: vec![
                "opening".into(),
                "lost".into(),
                "of its opening".into(),
                "of year's opening".into(),
            ],
            rows,
            empty: String::new(),
        }
    }

    pub(super) fn cohorts(&self, cohorts: &[Cohort]) -> [Block; 2] {
        let ages = cohorts.iter().map(|c| c.ages.len()).max().unwrap_or(0);
        let columns: Vec<String> = (1..=ages).map(|age| format!("+{age}Q")).collect();
        let heat = |title: &str, figure: fn(&Self, &'static str, &Totals) -> Figure| {
            let rows = cohorts.iter().map(|c| TableRow {
                label: self.input.calendar.label(&c.quarter),
                account: None,
                cells: (0..ages)
                    .map(|age| match c.ages.get(age) {
                        Some(t) if t.sum.opening > 0 => figure(self, "retention.cohort", t),
                        _ => Figure::default(),
                    })
                    .collect(),
            });
            Block::Heat {
                title: title.to_owned(),
                columns: columns.clone(),
                rows: rows.collect(),
                scale: (0.7, 1.2),
                empty: "no customer began in the last twelve quarters".into(),
            }
        };
        [
            heat("NRR by the quarter in which customers began", Self::net),
            heat("GRR by the quarter in which customers began", Self::gross),
        ]
    }

    pub(super) fn left_out(&self) -> Block {
        let rows = self.excluded(ROWS).into_iter().map(|e| TableRow {
            label: e.row,
            account: None,
            cells: vec![Figure::text(e.reason)],
        });
        let mut rows: Vec<TableRow> = rows.collect();
        for (row, problem) in rows.iter_mut().zip(&self.report.excluded.list) {
            row.account = problem.account;
        }
        Block::Table {
            title: format!(
                "{} rows and accounts are left out",
                self.report.excluded.count
            ),
            columns: vec!["why".into()],
            rows,
            empty: "nothing is left out".into(),
        }
    }
}
