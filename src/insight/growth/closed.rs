//! The opportunities of a period as figures: won and lost, by what is sold, and the way of leads.

use super::deals::{Close, Conversion, Funnel, close, is_csql};
use crate::book::{AccountRow, Day, OpportunityRow, text::visible};
use crate::insight::Coverage;
use crate::insight::page::{Block, Excluded, Figure, Input, TableRow, Value, Why, WhyRow};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;

/// Why nothing can be said without any opportunity.
pub(super) const NO_DEALS: &str = "no opportunity has come: a CRM that has them, or csops import --kind opportunities, brings them";

/// The opportunities of the accounts that count, apart by how they stand to the period.
pub(super) struct Deals<'a> {
    pub all: Vec<OpportunityRow<'a>>,
    closed: Vec<OpportunityRow<'a>>,
    left_out: Vec<Excluded>,
    open: usize,
    leads: Vec<OpportunityRow<'a>>,
    /// Leads without a day on which they were created.
    undated: usize,
    days: u16,
    words: String,
}

impl<'a> Deals<'a> {
    pub fn of(input: &Input<'a>) -> Deals<'a> {
        let settings = &input.settings.growth;
        let to = Day::of(Some(input.today));
        let from = Day(to
            .0
            .saturating_sub(i32::from(settings.period_days.max(1)) - 1));
        let mut d = Deals {
            all: Vec::new(),
            closed: Vec::new(),
            left_out: Vec::new(),
            open: 0,
            leads: Vec::new(),
            undated: 0,
            days: settings.period_days,
            words: settings.csql_origins.join(", "),
        };
        for o in input.book.opportunities() {
            let mine = |a: AccountRow<'_>| a.csm_id() == input.mine;
            if input.mine.is_some() && !o.account().is_some_and(mine) {
                continue;
            }
            d.all.push(o);
            match close(&o, from, to) {
                Close::Inside => d.closed.push(o),
                Close::Open => d.open += 1,
                Close::Before => {}
                Close::Undated => d.left_out.push(Excluded {
                    row: called(&o),
                    reason: format!("{}, and no day on which it closed", o.stage_kind()),
                }),
            }
            if is_csql(&o, &settings.csql_origins) {
                match o.created() {
                    Day::NONE => d.undated += 1,
                    day if day >= from && day <= to => d.leads.push(o),
                    _ => {}
                }
            }
        }
        d.closed
            .sort_by_key(|o| (Reverse(o.amount_reporting().map(|m| m.minor)), o.id()));
        d
    }

    fn nothing(&self) -> &'static str {
        match (self.all.is_empty(), self.left_out.is_empty()) {
            (true, _) => NO_DEALS,
            (_, true) => "nothing closed in this period",
            _ => "what closed has no closing day",
        }
    }

    pub fn conversion(&self) -> (Figure, Figure) {
        let mut c = Conversion::default();
        self.closed.iter().for_each(|o| c.add(o));
        let count = |n: usize| Value::Count(n as i64);
        let why = |steps, without: usize, no_rate| Why {
            policy: format!("closed within {} d; open ones do not count", self.days),
            steps,
            columns: vec!["amount".into(), "closed".into()],
            rows: self.closed.iter().take(SHOWN).map(deal_row).collect(),
            rows_in: self.closed.len() - without,
            left_out: self.left_out.iter().take(SHOWN).cloned().collect(),
            rows_out: self.left_out.len() + without,
            coverage: Coverage {
                known: self.closed.len() - without,
                of: self.closed.len() + self.left_out.len(),
                no_rate,
            },
            as_of: self
                .closed
                .iter()
                .map(|o| o.closed())
                .max()
                .and_then(Day::date),
            source: "opportunities".into(),
        };
        let open = ("open: counts neither way".to_owned(), count(self.open));
        let by_count = why(
            vec![
                ("won".into(), count(c.won)),
                ("lost".into(), count(c.lost)),
                (
                    "won ÷ (won + lost)".into(),
                    Value::ratio(c.by_count(), self.nothing()),
                ),
                open.clone(),
            ],
            0,
            0,
        );
        let by_amount = why(
            vec![
                ("won".into(), Value::Money(c.won_amount)),
                ("lost".into(), Value::Money(c.lost_amount)),
                (
                    "won ÷ (won + lost)".into(),
                    Value::ratio(c.by_amount(), "no amount is known"),
                ),
                (
                    "without an amount, or a rate for it".into(),
                    count(c.without_amount),
                ),
                open,
            ],
            c.without_amount,
            c.no_rate,
        );
        let nothing = match self.closed.is_empty() {
            true => self.nothing(),
            false => "no amount is known",
        };
        (
            Figure::new(
                "growth.conversion",
                format!("won of {} closed", self.closed.len()),
                Value::ratio(c.by_count(), self.nothing()),
                by_count,
            ),
            Figure::new(
                "growth.conversion_amount",
                "won by amount",
                Value::ratio(c.by_amount(), nothing),
                by_amount,
            ),
        )
    }

    /// Leads that customer success qualified, and their way.
    pub fn funnel(&self) -> (Figure, Block) {
        let mut f = Funnel::default();
        self.leads.iter().for_each(|o| f.add(o));
        let told = self.all.iter().any(|o| o.origin().is_some());
        let none = || {
            Value::None(
                match (self.all.is_empty(), told) {
                    (true, _) => NO_DEALS,
                    (_, false) => "no opportunity says where it came from",
                    _ => "customer success qualified no lead in this period",
                }
                .into(),
            )
        };
        let count = |n: usize| Value::Count(n as i64);
        let why = || Why {
            policy: format!(
                "created within {} d, and the origin says one of {}; accepted: sales took it over, or it was won",
                self.days, self.words
            ),
            steps: vec![
                ("created".into(), count(f.created)),
                ("accepted".into(), count(f.accepted)),
                ("won".into(), count(f.won)),
                ("lost".into(), count(f.lost)),
                (
                    "accepted ÷ created".into(),
                    Value::ratio(f.acceptance(), "none was created"),
                ),
                (
                    "won ÷ accepted".into(),
                    Value::ratio(f.win(), "none was accepted"),
                ),
            ],
            columns: vec!["amount".into(), "closed".into()],
            rows: self.leads.iter().take(SHOWN).map(deal_row).collect(),
            rows_in: f.created,
            left_out: match self.undated {
                0 => Vec::new(),
                n => vec![Excluded {
                    row: format!("{n} leads"),
                    reason: "no day on which they were created".into(),
                }],
            },
            rows_out: self.undated,
            coverage: Coverage {
                known: f.created,
                of: f.created + self.undated,
                no_rate: 0,
            },
            as_of: self
                .leads
                .iter()
                .map(|o| o.created())
                .max()
                .and_then(Day::date),
            source: "opportunities".into(),
        };
        let value = match f.created {
            0 => none(),
            n => count(n),
        };
        let leads = Figure::new("growth.csql", "CS-qualified leads", value, why());
        let shared = Arc::new(why());
        let cell = |value: Value| Figure {
            name: "growth.csql",
            value,
            why: Some(shared.clone()),
            ..Figure::default()
        };
        let steps = [
            ("created", f.created, None),
            (
                "accepted",
                f.accepted,
                Some(Value::ratio(f.acceptance(), "none was created")),
            ),
            (
                "won",
                f.won,
                Some(Value::ratio(f.win(), "none was accepted")),
            ),
        ];
        let rows = match f.created {
            0 => Vec::new(),
            _ => steps
                .into_iter()
                .zip(f.amounts)
                .map(|((label, n, share), amount)| TableRow {
                    label: label.into(),
                    account: None,
                    cells: vec![
                        cell(count(n)),
                        cell(share.unwrap_or_default()),
                        cell(Value::Money(amount)),
                    ],
                })
                .collect(),
        };
        let why_none = match none() {
            Value::None(why) => why,
            _ => String::new(),
        };
        let table = Block::Table {
            title: "Leads that customer success qualified".into(),
            columns: ["leads", "of the step before", "amount"]
                .map(Into::into)
                .to_vec(),
            rows,
            empty: format!("None: {why_none}."),
        };
        (leads, table)
    }

    /// Conversion by what is sold.
    pub fn by_kind(&self) -> Block {
        let mut by: BTreeMap<&str, (Conversion, Vec<&OpportunityRow<'_>>)> = BTreeMap::new();
        for o in &self.closed {
            let entry = by.entry(o.kind().unwrap_or("")).or_default();
            entry.0.add(o);
            entry.1.push(o);
        }
        let rows = by
            .into_iter()
            .map(|(kind, (c, deals))| {
                let why = Arc::new(Why {
                    steps: vec![
                        ("won".into(), Value::Count(c.won as i64)),
                        ("lost".into(), Value::Count(c.lost as i64)),
                    ],
                    columns: vec!["amount".into(), "closed".into()],
                    rows: deals.iter().take(SHOWN).map(|o| deal_row(o)).collect(),
                    rows_in: deals.len(),
                    coverage: Coverage {
                        known: deals.len() - c.without_amount,
                        of: deals.len(),
                        no_rate: c.no_rate,
                    },
                    as_of: deals.iter().map(|o| o.closed()).max().and_then(Day::date),
                    source: "opportunities".into(),
                    ..Why::default()
                });
                let cell = |name: &'static str, value: Value| Figure {
                    name,
                    value,
                    why: Some(why.clone()),
                    ..Figure::default()
                };
                TableRow {
                    label: match kind {
                        "" => "not said".into(),
                        k => visible(k).into_owned(),
                    },
                    account: None,
                    cells: vec![
                        cell("growth.conversion", Value::Count(c.won as i64)),
                        cell("growth.conversion", Value::Count(c.lost as i64)),
                        cell(
                            "growth.conversion",
                            Value::ratio(c.by_count(), "nothing closed"),
                        ),
                        cell("growth.conversion_amount", Value::Money(c.won_amount)),
                        cell("growth.conversion_amount", Value::Money(c.lost_amount)),
                        cell(
                            "growth.conversion_amount",
                            Value::ratio(c.by_amount(), "no amount is known"),
                        ),
                    ],
                }
            })
            .collect();
        Block::Table {
            title: "Won and lost, by what is sold".into(),
            columns: [
                "won",
                "lost",
                "won of closed",
                "ARR won",
                "ARR lost",
                "won by amount",
            ]
            .map(Into::into)
            .to_vec(),
            rows,
            empty: format!("None: {}.", self.nothing()),
        }
    }
}

fn deal_row(o: &OpportunityRow<'_>) -> WhyRow {
    let amount = o.amount_reporting().map(|m| m.minor);
    let amount = amount.map_or_else(
        || {
            Value::None(match o.amount() {
                Some(m) => format!("no rate of {}", m.code()),
                None => "no amount".into(),
            })
        },
        Value::Money,
    );
    let closed = o.closed().date();
    WhyRow {
        label: called(o),
        account: Some(o.account_id()).filter(|a| a.is_some()),
        values: vec![amount, closed.map_or(Value::Empty, Value::Date)],
        note: o.stage_kind().to_owned(),
    }
}

fn called(o: &OpportunityRow<'_>) -> String {
    let name = visible(o.name()).into_owned();
    match o.account() {
        Some(a) => format!("{}: {name}", visible(a.name())),
        None => name,
    }
}
