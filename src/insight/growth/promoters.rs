//! The promoters to ask for a reference: answered 9 or 10, healthy, not asked for a while.

use super::Settings;
use super::signals::is_ready;
use crate::book::derived::OURS_DRIVES;
use crate::book::{AccountRow, Day};
use crate::insight::page::{Block, Figure, Input, TableRow, Value, Why, WhyRow};
use crate::insight::rules::Band;
use crate::insight::voice::score::is_promoter;
use crate::insight::{Coverage, Rules};
use std::cmp::Reverse;
use std::sync::Arc;

/// The kind of signal that says that somebody was asked.
const ASKED: &str = "advocacy.asked";

/// How many are listed.
const LISTED: usize = 100;

/// Why a promoter is not to be asked; nothing when it is.
fn against(
    a: &AccountRow<'_>,
    input: &Input<'_>,
    rules: &Rules,
    settings: &Settings,
) -> Option<&'static str> {
    let today = Day::of(Some(input.today));
    let d = input.derived.account(a.row());
    let healthy = match d.health.is(OURS_DRIVES) {
        true => d.health.band() == Some(Band::Good as u8),
        false => a.health().is_some_and(|h| h >= rules.good_from),
    };
    if !healthy {
        return Some("not healthy, or no score");
    }
    if !is_ready(&d) {
        return Some("at risk");
    }
    let asked = asked(a, today);
    let since = today.0.saturating_sub(asked.0);
    (asked != Day::NONE && since < i32::from(settings.ask_again_days))
        .then_some("asked not long ago")
}

/// When it was asked last.
fn asked(a: &AccountRow<'_>, today: Day) -> Day {
    let all = a.signals().filter(|s| s.kind() == ASKED && s.at() <= today);
    all.map(|s| s.at()).max().unwrap_or(Day::NONE)
}

/// How many there are, and their list.
pub(super) fn promoters(input: &Input<'_>, accounts: &[AccountRow<'_>]) -> (Figure, Block) {
    let (rules, settings) = (&input.settings.risk, &input.settings.growth);
    let (mut ask, mut left) = (
        Vec::new(),
        [
            ("not healthy, or no score", 0_i64),
            ("at risk", 0),
            ("asked not long ago", 0),
        ],
    );
    let answered = accounts.iter().filter(|a| a.nps().is_some()).count();
    let promoting = accounts
        .iter()
        .filter(|a| a.nps().is_some_and(|n| is_promoter(f64::from(n))));
    let mut all = 0;
    for a in promoting {
        all += 1;
        match against(a, input, rules, settings) {
            None => ask.push(*a),
            Some(why) => {
                for (reason, n) in &mut left {
                    *n += i64::from(*reason == why);
                }
            }
        }
    }
    ask.sort_by_key(|a| (Reverse(a.arr_reporting().map(|m| m.minor)), a.id()));
    let day = |d: Day| {
        d.date()
            .map_or_else(|| Value::None("not known".into()), Value::Date)
    };
    let answer = |a: &AccountRow<'_>| Value::Count(a.nps().map_or(0, i64::from));
    let mut steps = vec![(
        "accounts whose newest answer is 9 or 10".into(),
        Value::Count(all),
    )];
    steps.extend(left.map(|(why, n)| (why.to_owned(), Value::Count(n))));
    steps.push(("to ask".into(), Value::Count(ask.len() as i64)));
    let why = Why {
        policy: format!(
            "health {} or better, not at risk, not asked for {} d ({ASKED} signals)",
            rules.good_from, settings.ask_again_days
        ),
        steps,
        columns: vec!["answer".into(), "day".into()],
        rows: ask
            .iter()
            .take(50)
            .map(|a| WhyRow {
                label: name(a),
                account: Some(a.id()),
                values: vec![answer(a), day(Day::of(a.nps_at()))],
                note: String::new(),
            })
            .collect(),
        rows_in: ask.len(),
        rows_out: all as usize - ask.len(),
        coverage: Coverage {
            known: answered,
            of: accounts.len(),
            no_rate: 0,
        },
        as_of: ask.iter().filter_map(AccountRow::nps_at).max(),
        source: "the newest survey answers".into(),
        ..Why::default()
    };
    let value = match answered {
        0 => Value::None("no account has a survey answer".into()),
        _ => Value::Count(ask.len() as i64),
    };
    let figure = Figure::new("growth.promoters", "promoters to ask", value, why);
    let today = Day::of(Some(input.today));
    let count = ask.len();
    let rows = ask
        .into_iter()
        .take(LISTED)
        .map(|a| {
            let last = asked(&a, today);
            let why = Arc::new(Why {
                steps: vec![
                    ("answer".into(), answer(&a)),
                    (
                        "health".into(),
                        Value::Count(a.health().map_or(0, i64::from)),
                    ),
                ],
                rows_in: 1,
                coverage: Coverage {
                    known: 1,
                    of: 1,
                    no_rate: 0,
                },
                as_of: a.nps_at(),
                source: a.nps_source().unwrap_or("survey answers").to_owned(),
                ..Why::default()
            });
            let cell = |value: Value| Figure {
                name: "growth.promoters",
                value,
                why: Some(why.clone()),
                ..Figure::default()
            };
            TableRow {
                label: name(&a),
                account: Some(a.id()),
                cells: vec![
                    cell(answer(&a)),
                    cell(day(Day::of(a.nps_at()))),
                    cell(Value::Count(a.health().map_or(0, i64::from))),
                    cell(match last {
                        Day::NONE => Value::Text("never".into()),
                        asked => day(asked),
                    }),
                    cell(super::page::money(a.arr_reporting().map(|m| m.minor))),
                    Figure::csm(&a),
                ],
            }
        })
        .collect();
    let table = Block::Table {
        title: format!("Promoters to ask for a reference: {count}"),
        columns: ["answer", "day", "health", "asked", "ARR", "CSM"]
            .map(Into::into)
            .to_vec(),
        rows,
        empty: "Nobody: no newest answer is 9 or 10, or they are not healthy, or were asked not long ago.".into(),
    };
    (figure, table)
}

fn name(a: &AccountRow<'_>) -> String {
    crate::book::text::visible(a.name()).into_owned()
}
