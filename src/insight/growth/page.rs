//! The page: who is ready for more, how expansion is won, leads, promoters.

use super::closed::{Deals, NO_DEALS};
use super::promoters::promoters;
use super::signals::{is_ready, look, opportunity};
use crate::book::{AccountRow, Day, text::visible};
use crate::insight::Coverage;
use crate::insight::page::{Block, Figure, Input, Page, State, TableRow, Value, Why, WhyRow};
use std::cmp::Reverse;
use std::sync::Arc;

/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;

/// How many accounts are listed.
const LISTED: usize = 100;

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
    let show = if n == 1.0 {
        "account shows"
    } else {
        "accounts show"
    };
    format!("{n:.0} {show} signals of expansion, {nobody}; {won}.")
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
            Figure::csm(&r.account),
        ],
    }
}

fn name(a: &AccountRow<'_>) -> String {
    visible(a.name()).into_owned()
}

pub(super) fn money(minor: Option<i64>) -> Value {
    Value::money(minor, "no ARR, or no rate")
}
