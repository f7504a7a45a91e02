//! The figures of the segments pane: every cell of every group, and the ratios over all.

use super::gather::{Gather, money_row};
use crate::book::derived::IN_QUEUE;
use crate::book::{AccountRow, LocalId};
use crate::insight::page::{
    Block, Figure, Input, Page, State, Switch, TableRow, Target, Value, Why, WhyRow,
};
use crate::insight::segments::{GroupBy, SegmentRow, Verdict, segments};
use std::collections::BTreeMap;

/// What the accounts of a group amount to.
#[derive(Clone, Default)]
struct Group {
    accounts: Gather,
    arr: Gather,
    at_risk: Gather,
    health: Gather,
}

/// The group of an account; empty where it has none.
fn key<'a>(a: &AccountRow<'a>, by: GroupBy) -> &'a str {
    match by {
        GroupBy::Touch => a.touch(),
        GroupBy::Segment => a.segment(),
        GroupBy::Region => a.region(),
        GroupBy::Csm => a.csm().map(|p| p.name()),
        GroupBy::Team => a.csm().and_then(|p| p.manager()).map(|p| p.name()),
    }
    .unwrap_or("")
}

/// The page; the group that is asked about comes first.
pub fn page(input: &Input<'_>) -> Page {
    let by = input
        .choice("by")
        .and_then(GroupBy::parse)
        .unwrap_or_default();
    let name = by.name();
    let made = segments(input.book, input.derived, input.today, by, input.settings);
    let mut groups: BTreeMap<(String, Option<LocalId>), Group> = BTreeMap::new();
    for a in input.book.accounts() {
        let person = match by {
            GroupBy::Csm => a.csm_id(),
            GroupBy::Team => a.csm().and_then(|p| p.manager_id()),
            _ => None,
        };
        let g = groups.entry((key(&a, by).to_owned(), person)).or_default();
        g.accounts
            .count(a.row(), a.arr_reporting().map_or(0, |m| m.minor));
        g.arr
            .amount(a.row(), a.arr(), a.arr_reporting().map(|m| m.minor));
        let d = input.derived.account(a.row());
        if d.is(IN_QUEUE) {
            g.at_risk.count(a.row(), d.at_stake);
        }
        match a.health() {
            Some(h) => g.health.count(a.row(), i64::from(h)),
            None => g.health.leave(a.row()),
        }
    }
    let mut rows: Vec<TableRow> = made
        .rows
        .iter()
        .map(|r| {
            let group = groups
                .remove(&(r.key.clone(), r.person))
                .unwrap_or_default();
            row(input, name, r, group)
        })
        .collect();
    if let Some(group) = input.choice("group")
        && let Some(at) = made.rows.iter().position(|r| r.key == group)
    {
        let first = rows.remove(at);
        rows.insert(0, first);
    }
    let columns = [
        "accounts",
        "ARR",
        "accounts/CSM",
        "ARR/CSM",
        "hours needed",
        "hours there are",
        "utilisation",
        "at risk",
        "in queue",
        "health",
    ];
    let count = |name, label: &str, n: usize, steps: Vec<(String, Value)>| {
        Figure::new(
            name,
            label,
            Value::Count(n as i64),
            Why {
                steps,
                rows_in: n,
                ..Why::default()
            },
        )
    };
    let ratio = Figure::new(
        "csm_per_ops",
        "CSMs per CS Ops",
        made.csm_per_ops.map_or_else(
            || Value::None(made.ops_note.clone()),
            |n| Value::Number(n, 1),
        ),
        Why {
            steps: vec![
                (
                    "people who are the CSM of an account".into(),
                    Value::Count(made.csms as i64),
                ),
                ("people of CS Ops".into(), Value::Count(made.cs_ops as i64)),
                (
                    "CSMs ÷ CS Ops, both by their hours".into(),
                    made.csm_per_ops
                        .map_or(Value::Empty, |n| Value::Number(n, 2)),
                ),
                (
                    "to hold it against".into(),
                    Value::Text(made.ops_note.clone()),
                ),
            ],
            rows_in: made.csms + made.cs_ops,
            ..Why::default()
        },
    );
    Page {
        name: "segments",
        title: "Segments",
        switches: vec![Switch {
            name: "by",
            title: "group by",
            values: GroupBy::ALL.map(|b| b.name().to_owned()).to_vec(),
            current: name.to_owned(),
        }],
        blocks: vec![
            Block::Table {
                title: format!("By {}", by.title()),
                columns: columns.map(str::to_owned).to_vec(),
                rows,
                empty: "There is no account yet.".into(),
            },
            Block::Figures {
                title: "Over all groups".into(),
                figures: vec![
                    count("csms", "CSMs", made.csms, Vec::new()),
                    count("cs_ops", "CS Ops", made.cs_ops, Vec::new()),
                    ratio,
                    Figure::new(
                        "cs_cost_share",
                        "CS cost of ARR",
                        Value::ratio(made.cost_share, &made.cost_note),
                        Why {
                            steps: vec![(
                                "to hold it against".into(),
                                Value::Text(made.cost_note.clone()),
                            )],
                            ..Why::default()
                        },
                    ),
                    Figure::new(
                        "fte_needed",
                        "full-time CSMs needed",
                        Value::Number(made.fte_needed, 1),
                        Why {
                            steps: vec![
                                ("hours needed".into(), Value::Number(made.total.need, 0)),
                                (
                                    "full-time CSMs there are".into(),
                                    Value::Number(made.total.fte, 2),
                                ),
                                ("hours they have".into(), Value::Number(made.total.have, 0)),
                            ],
                            coverage: made.total.hours_coverage,
                            ..Why::default()
                        },
                    ),
                ],
            },
        ],
        ..Page::default()
    }
}

fn row(input: &Input<'_>, by: &str, r: &SegmentRow, group: Group) -> TableRow {
    let book = input.book;
    let name = |n: u32| book.account(n).name().to_owned();
    let money = |g: Gather, missing: &str| {
        let mut why = g.why(
            |n, w| money_row(book.account(n).name(), Some(book.account(n).id()), w),
            name,
            missing,
        );
        why.columns = vec!["amount".into()];
        why
    };
    let accounts = Why {
        columns: vec!["ARR".into()],
        ..group
            .accounts
            .why(|n, _| account_row(&book.account(n)), name, "")
    };
    let counted = r.accounts - r.without_csm - r.not_counted;
    let people = (
        "÷ full-time CSMs, by the hours that these accounts take of theirs".to_owned(),
        Value::Number(r.fte, 3),
    );
    let mut per_csm = accounts.clone();
    per_csm.steps = vec![
        ("accounts that count".into(), Value::Count(counted as i64)),
        people.clone(),
        (
            "people who have any of them".into(),
            Value::Count(r.csms as i64),
        ),
        (
            "accounts without a CSM, not counted".into(),
            Value::Count(r.without_csm as i64),
        ),
        (
            "whose CSM has left, leads or learns, or no customers: not counted".into(),
            Value::Count(r.not_counted as i64),
        ),
    ];
    let settings = &input.settings.capacity;
    let mut hours = accounts.clone();
    hours.coverage = r.hours_coverage;
    hours.steps = vec![
        (
            "hours that the accounts take".into(),
            Value::Number(r.need, 0),
        ),
        (
            "full-time CSMs, by the hours that these accounts take of theirs".into(),
            Value::Number(r.fte, 3),
        ),
        (
            "hours a year".into(),
            Value::Number(settings.hours_per_year, 0),
        ),
        (
            "of these for customers".into(),
            Value::Ratio(1.0 - settings.internal_share),
        ),
        ("hours there are".into(), Value::Number(r.have, 0)),
    ];
    let mut busy = Figure::new(
        "utilisation",
        "",
        r.utilisation.map_or_else(
            || Value::None("nobody has hours for these accounts".into()),
            Value::Ratio,
        ),
        hours.clone(),
    );
    busy.target = Some(Target {
        from: None,
        to: Some(Value::Ratio(settings.target_utilisation)),
        source: "[capacity] target_utilisation".into(),
    });
    busy.state = match r.utilisation {
        Some(u) if u > settings.target_utilisation => State::Bad,
        Some(_) => State::Good,
        None => State::Plain,
    };
    let arr_why = money(group.arr, "no ARR is known");
    let mut arr_per = arr_why.clone();
    arr_per.steps = vec![people];
    let none = || Value::None("no account of the group has a CSM".into());
    let mut per = Figure::new(
        "accounts_per_csm",
        "",
        r.accounts_per_csm
            .map_or_else(none, |n| Value::Number(n, 1)),
        per_csm,
    );
    if let Some(b) = &r.band {
        per.target = Some(Target {
            from: Some(Value::Number(b.accounts_from, 0)),
            to: Some(Value::Number(b.accounts_to, 0)),
            source: b.source.clone(),
        });
    }
    per.state = match r.verdict {
        Some(Verdict::Over) => State::Bad,
        Some(Verdict::Under) => State::Watch,
        Some(Verdict::Within) => State::Good,
        None => State::Plain,
    };
    let at_risk = money(group.at_risk, "");
    let in_queue = at_risk.clone();
    let health = Why {
        columns: vec!["health".into()],
        ..group.health.why(
            |n, h| WhyRow {
                label: name(n),
                account: Some(book.account(n).id()),
                values: vec![Value::Count(h)],
                note: String::new(),
            },
            name,
            "no health score is known",
        )
    };
    TableRow {
        label: if r.key.is_empty() {
            format!("no {by}")
        } else {
            r.key.clone()
        },
        account: None,
        cells: vec![
            Figure::new("accounts", "", Value::Count(r.accounts as i64), accounts),
            Figure::new("arr", "", Value::Money(r.arr), arr_why),
            per,
            Figure::new(
                "arr_per_csm",
                "",
                r.arr_per_csm.map_or_else(none, Value::Money),
                arr_per,
            ),
            Figure::new("hours_needed", "", Value::Number(r.need, 0), hours.clone()),
            Figure::new("hours_available", "", Value::Number(r.have, 0), hours),
            busy,
            Figure::new("at_risk", "", Value::Money(r.at_risk), at_risk),
            Figure::new("in_queue", "", Value::Count(r.in_queue as i64), in_queue),
            Figure::new(
                "health_mean",
                "",
                r.health.map_or_else(
                    || Value::None("no account of the group has a health score".into()),
                    |h| Value::Number(h, 0),
                ),
                health,
            ),
        ],
    }
}

fn account_row(a: &AccountRow<'_>) -> WhyRow {
    WhyRow {
        label: a.name().to_owned(),
        account: Some(a.id()),
        values: vec![
            a.arr_reporting()
                .map_or_else(|| Value::Text("no ARR".into()), |m| Value::Money(m.minor)),
        ],
        note: a
            .csm()
            .map_or_else(|| "no CSM".to_owned(), |p| p.name().to_owned()),
    }
}
