//! The page about health: who has a score, in which bands, where ours and the vendor's differ, what the scores stand on.

use super::model::Drive;
use super::scorer::Scorer;
use crate::book::derived::{HEALTH_DISAGREES, NO_HEALTH, OURS_DRIVES, SENTIMENT_DISAGREES};
use crate::book::{AccountRow, Day, text::visible};
use crate::insight::Coverage;
use crate::insight::page::{
    Block, Excluded, Figure, Input, Page, State, TableRow, Target, Value, Why, WhyRow,
};
use crate::insight::reasons::driving_score;
use crate::insight::rules::Band;
use std::collections::BTreeMap;

/// How many accounts a list shows.
const LISTED: usize = 100;
/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;
/// The share of customers that should have a score: GitLab's handbook on customer health scoring.
const GOAL: f64 = 0.95;

/// One account as the page sees it.
struct One<'a> {
    account: AccountRow<'a>,
    /// ARR in minor units of the reporting currency.
    arr: Option<i64>,
    /// The score that counts, and whether it is ours.
    counts: Option<(u8, Band, bool)>,
}

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let (rules, today) = (&input.settings.risk, Day::of(Some(input.today)));
    let all: Vec<One<'_>> = input
        .book
        .accounts()
        .filter(|a| input.mine.is_none() || a.csm_id() == input.mine)
        .map(|a| One {
            arr: a.arr_reporting().map(|m| m.minor.max(0)),
            counts: driving_score(&a, &input.derived.account(a.row()), rules),
            account: a,
        })
        .collect();
    let mut page = Page {
        name: "health",
        title: "Health",
        badge: format!(
            "model {} · {} drives · a band needs {:.0}% · missing: {}",
            input.derived.model(),
            rules.health.drive.name(),
            rules.health.coverage * 100.0,
            match rules.health.missing {
                super::Missing::Drop => "dropped",
                super::Missing::Neutral => "neutral",
                super::Missing::Bad => "bad",
            }
        ),
        ..Page::default()
    };
    let covered = covered(input, &all);
    page.sentence = sentence(input, &all);
    page.blocks.push(Block::Figures {
        title: "Who has a score".into(),
        figures: covered,
    });
    page.blocks.push(by_segment(input, &all));
    page.blocks.push(uncovered(input, &all, today));
    page.blocks.push(disagreements(
        input,
        &all,
        HEALTH_DISAGREES,
        "Vendor's and csops' score over one band apart",
        "Wherever both have a band they are at most one band apart.",
    ));
    page.blocks.push(disagreements(
        input,
        &all,
        SENTIMENT_DISAGREES,
        "Feeling and score that counts over one band apart",
        "No CSM's feeling is more than one band away from the score that counts.",
    ));
    page.blocks.push(signals(input, &all, today));
    page
}

fn common(input: &Input<'_>, why: Why) -> Why {
    Why {
        as_of: Some(input.today),
        source: "every system and file that the Book is made of".into(),
        ..why
    }
}

/// A row of a figure's explanation.
fn row(one: &One<'_>) -> WhyRow {
    let a = &one.account;
    let (value, note) = match one.counts {
        Some((points, band, ours)) => (
            Value::Count(points.into()),
            format!(
                "{}, {}",
                band.name(),
                if ours {
                    "csops"
                } else {
                    a.health_source().unwrap_or("vendor")
                }
            ),
        ),
        None => (Value::None("no score".into()), String::new()),
    };
    WhyRow {
        label: visible(a.name()).into_owned(),
        account: Some(a.id()),
        values: vec![value, money(one.arr)],
        note,
    }
}

fn money(arr: Option<i64>) -> Value {
    Value::money(arr, "no ARR in a known currency")
}

/// A count of accounts and what stands behind it.
fn why_of<'a>(input: &Input<'_>, those: &[&One<'a>], of: usize) -> Why {
    common(
        input,
        Why {
            columns: vec!["score".into(), "ARR".into()],
            rows: those.iter().take(SHOWN).map(|o| row(o)).collect(),
            rows_in: those.len(),
            coverage: Coverage {
                known: of,
                of,
                no_rate: 0,
            },
            ..Why::default()
        },
    )
}

fn sum(those: &[&One<'_>]) -> i64 {
    those
        .iter()
        .filter_map(|o| o.arr)
        .fold(0, i64::saturating_add)
}

fn richest<'b, 'a>(mut those: Vec<&'b One<'a>>) -> Vec<&'b One<'a>> {
    those.sort_by_key(|o| (std::cmp::Reverse(o.arr), o.account.id()));
    those
}

/// The shares of accounts and of ARR with a score, against the goal.
fn covered(input: &Input<'_>, all: &[One<'_>]) -> Vec<Figure> {
    let target = Target {
        from: Some(Value::Ratio(GOAL)),
        to: None,
        source: "GitLab's handbook: 95 % of customers have a score".into(),
    };
    let share = |name, label: &str, holds: &dyn Fn(&One<'_>) -> bool, with_goal: bool| {
        let there: Vec<&One<'_>> = richest(all.iter().filter(|o| holds(o)).collect());
        let share = (!all.is_empty()).then(|| there.len() as f64 / all.len() as f64);
        let out = richest(all.iter().filter(|o| !holds(o)).collect());
        let why = Why {
            steps: vec![
                ("with a score".into(), Value::Count(there.len() as i64)),
                ("accounts".into(), Value::Count(all.len() as i64)),
            ],
            left_out: out
                .iter()
                .take(SHOWN)
                .map(|o| Excluded {
                    row: visible(o.account.name()).into_owned(),
                    reason: "no score".into(),
                })
                .collect(),
            rows_out: out.len(),
            coverage: Coverage {
                known: there.len(),
                of: all.len(),
                no_rate: 0,
            },
            ..why_of(input, &there, all.len())
        };
        Figure {
            state: match share {
                Some(s) if with_goal && s >= GOAL => State::Good,
                Some(s) if with_goal && s >= GOAL - 0.1 => State::Watch,
                Some(_) if with_goal => State::Bad,
                _ => State::Plain,
            },
            target: with_goal.then(|| target.clone()),
            ..Figure::new(name, label, Value::ratio(share, "there is no account"), why)
        }
    };
    let arr: i64 = sum(&all.iter().collect::<Vec<_>>());
    let with: Vec<&One<'_>> = richest(all.iter().filter(|o| o.counts.is_some()).collect());
    let of_arr = (arr > 0).then(|| sum(&with) as f64 / arr as f64);
    let mut arr_coverage = Coverage::default();
    for o in all {
        arr_coverage.count(o.account.arr(), &o.arr);
    }
    let arr_why = Why {
        steps: vec![
            (
                "ARR of accounts with a score".into(),
                Value::Money(sum(&with)),
            ),
            ("ARR".into(), Value::Money(arr)),
        ],
        coverage: arr_coverage,
        ..why_of(input, &with, all.len())
    };
    vec![
        share(
            "health.covered",
            "accounts with a score",
            &|o| o.counts.is_some(),
            true,
        ),
        Figure::new(
            "health.covered_arr",
            "ARR with a score",
            Value::ratio(of_arr, "no ARR is known"),
            arr_why,
        ),
        share(
            "health.vendor_covered",
            "by the vendor",
            &|o| o.account.health().is_some(),
            false,
        ),
        share(
            "health.csops_covered",
            "csops' own sufficient",
            &|o| input.derived.health(o.account.row()).band().is_some(),
            false,
        ),
    ]
}

fn sentence(input: &Input<'_>, all: &[One<'_>]) -> String {
    if all.is_empty() {
        return "There is no account yet.".into();
    }
    let bad: Vec<&One<'_>> = all
        .iter()
        .filter(|o| o.counts.is_some_and(|c| c.1 == Band::Bad))
        .collect();
    let none = all.iter().filter(|o| o.counts.is_none()).count();
    let differ = all
        .iter()
        .filter(|o| input.derived.health(o.account.row()).is(HEALTH_DISAGREES))
        .count();
    format!(
        "{} of {} accounts are in bad health, {} of ARR; {none} have no score; the vendor's and csops' scores are more than one band apart in {differ}.",
        bad.len(),
        all.len(),
        crate::insight::money_words(input.book.reporting_money(sum(&bad))),
    )
}

/// Bands by segment: accounts in each, by the score that counts, and the ARR of the bad ones.
fn by_segment(input: &Input<'_>, all: &[One<'_>]) -> Block {
    let mut groups: BTreeMap<&str, Vec<&One<'_>>> = BTreeMap::new();
    for o in all {
        groups
            .entry(o.account.segment().unwrap_or(""))
            .or_default()
            .push(o);
    }
    let mut rows: Vec<TableRow> = groups
        .into_iter()
        .map(|(segment, those)| {
            let label = if segment.is_empty() {
                "no segment".to_owned()
            } else {
                visible(segment).into_owned()
            };
            band_row(input, label, &those)
        })
        .collect();
    rows.sort_by_key(|r| {
        let n = r
            .cells
            .first()
            .and_then(|f| f.value.number())
            .unwrap_or(0.0);
        std::cmp::Reverse(n as i64)
    });
    if rows.len() > 1 {
        let everybody: Vec<&One<'_>> = all.iter().collect();
        rows.push(band_row(input, "all".into(), &everybody));
    }
    Block::Table {
        title: "Bands by segment, by the score that counts".into(),
        columns: [
            "accounts",
            "good",
            "watch",
            "bad",
            "no score",
            "ARR in bad health",
        ]
        .map(Into::into)
        .to_vec(),
        rows,
        empty: "There is no account: a source or csops import brings them.".into(),
    }
}

fn band_row(input: &Input<'_>, label: String, those: &[&One<'_>]) -> TableRow {
    let of = |band: Option<Band>| -> Vec<&One<'_>> {
        let in_band = those.iter().filter(|o| o.counts.map(|c| c.1) == band);
        richest(in_band.copied().collect())
    };
    let count = |name, title: &str, list: &[&One<'_>], state| Figure {
        state,
        ..Figure::new(
            name,
            title,
            Value::Count(list.len() as i64),
            why_of(input, list, those.len()),
        )
    };
    let everybody = richest(those.to_vec());
    let [good, watch, bad, none] = [
        of(Some(Band::Good)),
        of(Some(Band::Watch)),
        of(Some(Band::Bad)),
        of(None),
    ];
    let state = if bad.is_empty() {
        State::Plain
    } else {
        State::Bad
    };
    let arr = Figure {
        state,
        ..Figure::new(
            "health.bad_arr",
            "ARR in bad health",
            Value::Money(sum(&bad)),
            why_of(input, &bad, those.len()),
        )
    };
    TableRow {
        cells: vec![
            count("health.accounts", "accounts", &everybody, State::Plain),
            count("health.bands", "good", &good, State::Plain),
            count("health.bands", "watch", &watch, State::Plain),
            count("health.bands", "bad", &bad, state),
            count("health.bands", "no score", &none, State::Plain),
            arr,
        ],
        label,
        ..TableRow::default()
    }
}

/// Who has no score, the most ARR first, and which signals are missing for one of our own.
fn uncovered(input: &Input<'_>, all: &[One<'_>], today: Day) -> Block {
    let rules = &input.settings.risk;
    let mut scorer = Scorer::new(&rules.health, today);
    let those = richest(
        all.iter()
            .filter(|o| input.derived.account(o.account.row()).is(NO_HEALTH))
            .collect(),
    );
    let rows = those
        .iter()
        .take(LISTED)
        .map(|o| {
            let missing: Vec<String> = scorer
                .parts(&o.account)
                .into_iter()
                .filter(|p| p.part.points.is_none())
                .map(|p| p.signal.name.clone())
                .collect();
            TableRow {
                label: visible(o.account.name()).into_owned(),
                account: Some(o.account.id()),
                cells: vec![
                    cell(input, "arr", "ARR", money(o.arr), o),
                    coverage_cell(input, o),
                    Figure::text(missing.join(", ")),
                ],
            }
        })
        .collect();
    Block::Table {
        title: format!("Without a score: {}, the most ARR first", those.len()),
        columns: ["ARR", "known of the model", "missing"]
            .map(Into::into)
            .to_vec(),
        rows,
        empty: "Every account has a score.".into(),
    }
}

fn cell(input: &Input<'_>, name: &'static str, label: &str, value: Value, one: &One<'_>) -> Figure {
    Figure::new(name, label, value, why_of(input, &[one], 1))
}

fn coverage_cell(input: &Input<'_>, one: &One<'_>) -> Figure {
    let coverage = f64::from(input.derived.health(one.account.row()).coverage) / 100.0;
    cell(
        input,
        "health.coverage",
        "known of the model",
        Value::Ratio(coverage),
        one,
    )
}

/// Where two judgements lie more than one band apart, the most ARR first. They are kept beside each other, not averaged.
fn disagreements(input: &Input<'_>, all: &[One<'_>], flag: u8, title: &str, empty: &str) -> Block {
    let those = richest(
        all.iter()
            .filter(|o| input.derived.health(o.account.row()).is(flag))
            .collect(),
    );
    let rows = those
        .iter()
        .take(LISTED)
        .map(|o| {
            let own = input.derived.health(o.account.row());
            let points = |p: Option<u8>| {
                p.map_or_else(
                    || Value::None("no score".into()),
                    |p| Value::Count(p.into()),
                )
            };
            let drives = if own.is(OURS_DRIVES) {
                Drive::Csops
            } else {
                Drive::Vendor
            };
            TableRow {
                label: visible(o.account.name()).into_owned(),
                account: Some(o.account.id()),
                cells: vec![
                    cell(input, "arr", "ARR", money(o.arr), o),
                    cell(input, "health", "vendor", points(o.account.health()), o),
                    cell(input, "health.csops", "csops", points(own.points()), o),
                    coverage_cell(input, o),
                    Figure::text(drives.name()),
                    Figure::text(o.account.sentiment().unwrap_or("–")),
                ],
            }
        })
        .collect();
    Block::Table {
        title: format!("{title}: {}", those.len()),
        columns: [
            "ARR",
            "vendor",
            "csops",
            "known of the model",
            "counts",
            "CSM's feeling",
        ]
        .map(Into::into)
        .to_vec(),
        rows,
        empty: empty.into(),
    }
}

/// What the scores stand on: each signal, of how many accounts it is known, and how old it is.
fn signals(input: &Input<'_>, all: &[One<'_>], today: Day) -> Block {
    let model = &input.settings.risk.health;
    let mut scorer = Scorer::new(model, today);
    // By the signal's place in the model: ages and whose they are, and how many are known.
    let mut known = vec![0_usize; model.signals.len()];
    let mut ages: Vec<Vec<(i32, u32)>> = vec![Vec::new(); model.signals.len()];
    for o in all {
        for p in scorer.parts(&o.account) {
            let Some(at) = model.signals.iter().position(|s| s.name == p.signal.name) else {
                continue;
            };
            if let Some(reading) = p.reading.filter(|_| p.part.points.is_some()) {
                known[at] += 1;
                if let Some(age) = reading.age(today) {
                    ages[at].push((age.max(0), o.account.row()));
                }
            }
        }
    }
    let rows = model
        .signals
        .iter()
        .zip(known)
        .zip(ages)
        .map(|((s, known), mut ages)| {
            ages.sort_unstable_by_key(|(age, row)| (std::cmp::Reverse(*age), *row));
            let oldest: Vec<WhyRow> = ages
                .iter()
                .take(SHOWN)
                .map(|(age, row)| {
                    let a = input.book.account(*row);
                    WhyRow {
                        label: visible(a.name()).into_owned(),
                        account: Some(a.id()),
                        values: vec![Value::Days(f64::from(*age))],
                        note: s
                            .measure
                            .source(&a)
                            .map_or(String::new(), |s| visible(s).into_owned()),
                    }
                })
                .collect();
            let why = |steps: Vec<(String, Value)>| {
                common(
                    input,
                    Why {
                        steps,
                        columns: vec!["age".into()],
                        rows: oldest.clone(),
                        rows_in: known,
                        rows_out: all.len() - known,
                        coverage: Coverage {
                            known,
                            of: all.len(),
                            no_rate: 0,
                        },
                        ..Why::default()
                    },
                )
            };
            let days = |age: Option<&(i32, u32)>| {
                age.map_or_else(
                    || {
                        Value::None(if known > 0 {
                            "it is always of the moment".into()
                        } else {
                            "nobody has it".into()
                        })
                    },
                    |(age, _)| Value::Days(f64::from(*age)),
                )
            };
            let share = (!all.is_empty()).then(|| known as f64 / all.len() as f64);
            let steps = vec![
                ("known of".into(), Value::Count(known as i64)),
                ("accounts".into(), Value::Count(all.len() as i64)),
            ];
            TableRow {
                label: s.name.clone(),
                account: None,
                cells: vec![
                    Figure::text(s.measure.to_string()),
                    Figure::new(
                        "health.weight",
                        "weight",
                        Value::Number(s.weight, 0),
                        why(Vec::new()),
                    ),
                    Figure::new(
                        "health.signal_known",
                        "known",
                        Value::ratio(share, "there is no account"),
                        why(steps),
                    ),
                    Figure::new(
                        "health.signal_age",
                        "median age",
                        days(ages.get(ages.len() / 2)),
                        why(Vec::new()),
                    ),
                    Figure::new(
                        "health.signal_age",
                        "oldest",
                        days(ages.first()),
                        why(Vec::new()),
                    ),
                ],
            }
        })
        .collect();
    Block::Table {
        title: "What csops' score stands on: how well each signal is known".into(),
        columns: ["measure", "weight", "known", "median age", "oldest"]
            .map(Into::into)
            .to_vec(),
        rows,
        empty: "The model has no signals: [health.signals] in config.toml names them.".into(),
    }
}
