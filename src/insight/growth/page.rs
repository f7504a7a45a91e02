//! The page: who is ready for more, how expansion is won, leads, promoters.

use super::deals::{Close, Conversion, Funnel, close, is_csql};
use super::promoters::promoters;
use super::signals::{is_ready, look, opportunity};
use crate::book::{AccountRow, Day, OpportunityRow, text::visible};
use crate::insight::Coverage;
use crate::insight::page::{
    Block, Excluded, Figure, Input, Page, State, TableRow, Value, Why, WhyRow,
};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;

/// How many accounts are listed.
const LISTED: usize = 100;

const NO_DEALS: &str = "no opportunity has come: a CRM that has them, or csops import --kind opportunities, brings them";

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let settings = &input.settings.growth;
    let accounts: Vec<AccountRow<'_>> = input
        .book
        .accounts()
        .filter(|a| input.mine.is_none() || a.csm_id() == input.mine)
        .collect();
    let ready = ready(input, &accounts);
    let deals = Deals::of(input);
    let (with_signals, missed, table) = missed(input, &ready, &accounts, &deals);
    let (by_count, by_amount) = deals.conversion();
    let (leads, funnel) = deals.funnel();
    let (ask, asked) = promoters(input, &accounts);
    Page {
        name: "growth",
        title: "Growth",
        badge: format!(
            "seats in use from {:.0} % · usage +{:.0} % · deals of {} d",
            settings.seat_use * 100.0,
            settings.usage_growth * 100.0,
            settings.period_days
        ),
        sentence: sentence(&with_signals, &missed, &by_count),
        blocks: vec![
            Block::Figures {
                title: "Ready for more, and how it is won".into(),
                figures: vec![with_signals, missed, by_count, by_amount, leads, ask],
            },
            table,
            funnel,
            deals.by_kind(),
            asked,
        ],
        ..Page::default()
    }
}

fn sentence(with: &Figure, missed: &Figure, conversion: &Figure) -> String {
    let n = with.value.number().unwrap_or(0.0);
    let won = match conversion.value.number() {
        Some(share) => format!("{:.0} % of what closed was won", share * 100.0),
        None => "no expansion closed in this period".into(),
    };
    let nobody = match missed.value.number() {
        Some(m) => format!("{m:.0} of them have no open opportunity"),
        None => "whether somebody works on it is not known".into(),
    };
    let s = if n == 1.0 { "" } else { "s" };
    format!("{n:.0} account{s} show signals of expansion, {nobody}; {won}.")
}

/// An account with signals of expansion that is not at risk.
struct Ready<'a> {
    account: AccountRow<'a>,
    opportunity: i64,
    said: Vec<String>,
    newest: Day,
    has_open: bool,
}

fn ready<'a>(input: &Input<'a>, accounts: &[AccountRow<'a>]) -> Vec<Ready<'a>> {
    let today = Day::of(Some(input.today));
    let mut all = Vec::new();
    for a in accounts {
        let (mut bits, mut said, mut newest) = (0, Vec::new(), Day::NONE);
        look(a, today, &input.settings.growth, &mut |kind, at, say| {
            bits |= kind.bit();
            newest = newest.max(at);
            said.push(say());
        });
        if bits == 0 || !is_ready(&input.derived.account(a.row())) {
            continue;
        }
        let arr = a.arr_reporting().map(|m| m.minor);
        all.push(Ready {
            account: *a,
            opportunity: opportunity(bits, arr, true),
            said,
            newest,
            has_open: a.opportunities().any(|o| o.is_open()),
        });
    }
    all.sort_by_key(|r| (Reverse(r.opportunity), r.account.id()));
    all
}

/// How many accounts have signals, how many of them nobody works on, and the list of these.
fn missed(
    input: &Input<'_>,
    ready: &[Ready<'_>],
    accounts: &[AccountRow<'_>],
    deals: &Deals<'_>,
) -> (Figure, Figure, Block) {
    // Accounts of which anything is known that could be a signal.
    let today = Day::of(Some(input.today));
    let known = accounts
        .iter()
        .filter(|a| {
            a.usage_trend().is_some()
                || a.nps().is_some()
                || super::signals::seat_use(a, today).is_some()
                || a.signals().any(|s| s.kind().starts_with("limit."))
        })
        .count();
    let row = |r: &Ready<'_>| WhyRow {
        label: name(&r.account),
        account: Some(r.account.id()),
        values: vec![money(r.account.arr_reporting().map(|m| m.minor))],
        note: r.said.join(" · "),
    };
    let why = |of: &mut dyn Iterator<Item = &Ready<'_>>, n: usize, policy: &str| Why {
        policy: policy.to_owned(),
        steps: vec![
            ("accounts".into(), Value::Count(accounts.len() as i64)),
            (
                "of which usage, seats, limits or answers are known".into(),
                Value::Count(known as i64),
            ),
            (
                "with a signal, and not at risk".into(),
                Value::Count(ready.len() as i64),
            ),
            ("counted here".into(), Value::Count(n as i64)),
        ],
        columns: vec!["ARR".into()],
        rows: of.take(SHOWN).map(row).collect(),
        rows_in: n,
        rows_out: ready.len() - n,
        coverage: Coverage {
            known,
            of: accounts.len(),
            no_rate: 0,
        },
        as_of: ready.iter().map(|r| r.newest).max().and_then(Day::date),
        source: "usage, seats, limits and survey answers".into(),
        ..Why::default()
    };
    let value = |n: usize| match known {
        0 => Value::None("nothing is known of usage, seats, limits or answers".into()),
        _ => Value::Count(n as i64),
    };
    let with = Figure::new(
        "growth.ready",
        "with signals of expansion",
        value(ready.len()),
        why(
            &mut ready.iter(),
            ready.len(),
            "at least one signal holds; at risk ones do not count",
        ),
    );
    let nobody: Vec<&Ready<'_>> = ready.iter().filter(|r| !r.has_open).collect();
    let missed = Figure {
        state: match nobody.len() {
            0 => State::Plain,
            _ => State::Watch,
        },
        ..Figure::new(
            "growth.missed",
            "without an open opportunity",
            match deals.all.is_empty() {
                true => Value::None(NO_DEALS.into()),
                false => value(nobody.len()),
            },
            why(
                &mut nobody.iter().copied(),
                nobody.len(),
                "with signals, and no opportunity of theirs is open",
            ),
        )
    };
    let n = nobody.len();
    let rows = nobody.into_iter().take(LISTED).map(listed).collect();
    let table = Block::Table {
        title: format!("Ready for more, and nobody offers it: {n}"),
        columns: ["ARR", "order", "what speaks for it", "CSM"].map(Into::into).to_vec(),
        rows,
        empty: "Every account with a signal of expansion has an open opportunity, or none has a signal.".into(),
    };
    (with, missed, table)
}

fn listed(r: &Ready<'_>) -> TableRow {
    let arr = r.account.arr_reporting().map(|m| m.minor);
    let why = Arc::new(Why {
        steps: vec![
            ("ARR".into(), money(arr)),
            (
                "signals that hold, of 4".into(),
                Value::Count(r.said.len() as i64),
            ),
            ("ARR × signals ÷ 4".into(), Value::Money(r.opportunity)),
        ],
        rows: r
            .said
            .iter()
            .map(|s| WhyRow {
                label: s.clone(),
                account: Some(r.account.id()),
                ..WhyRow::default()
            })
            .collect(),
        rows_in: r.said.len(),
        coverage: Coverage {
            known: r.said.len(),
            of: r.said.len(),
            no_rate: 0,
        },
        as_of: r.newest.date(),
        source: "usage, seats, limits and survey answers".into(),
        ..Why::default()
    });
    let cell = |name: &'static str, value: Value| Figure {
        name,
        value,
        why: Some(why.clone()),
        ..Figure::default()
    };
    TableRow {
        label: name(&r.account),
        account: Some(r.account.id()),
        cells: vec![
            cell("arr", money(arr)),
            cell("growth.opportunity", Value::Money(r.opportunity)),
            Figure::text(r.said.join(" · ")),
            csm(&r.account),
        ],
    }
}

/// The opportunities of the accounts that count, apart by how they stand to the period.
struct Deals<'a> {
    all: Vec<OpportunityRow<'a>>,
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
    fn of(input: &Input<'a>) -> Deals<'a> {
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

    fn conversion(&self) -> (Figure, Figure) {
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
    fn funnel(&self) -> (Figure, Block) {
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
    fn by_kind(&self) -> Block {
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

fn name(a: &AccountRow<'_>) -> String {
    visible(a.name()).into_owned()
}

pub(super) fn money(minor: Option<i64>) -> Value {
    minor.map_or_else(|| Value::None("no ARR, or no rate".into()), Value::Money)
}

pub(super) fn csm(a: &AccountRow<'_>) -> Figure {
    Figure::text(
        a.csm()
            .map_or_else(|| "nobody".into(), |p| visible(p.name()).into_owned()),
    )
}
