//! The page: what the data's defects come to, by kind, and the list to work through.

use super::{DEFECTS, Finding, findings};
use crate::book::{AccountRow, LocalId};
use crate::insight::page::{
    Block, Excluded, Figure, Input, Page, State, TableRow, Value, Why, WhyRow,
};
use crate::insight::{Coverage, many};
use std::collections::HashMap;

/// How many findings the list shows; `csops quality` prints them all.
const LISTED: usize = 200;

/// How many rows of a figure stand in its explanation.
const SHOWN: usize = 50;

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let (book, settings) = (input.book, &input.settings.quality);
    let all = findings(book, input.today, settings, input.mine);
    let accounts: Vec<AccountRow<'_>> = book
        .accounts()
        .filter(|a| input.mine.is_none() || a.csm_id() == input.mine)
        .collect();
    let mut arr = (0_i64, Coverage::default());
    for a in &accounts {
        let reporting = a.arr_reporting().map(|m| m.minor.max(0));
        arr.1.count(a.arr(), &reporting);
        arr.0 = arr.0.saturating_add(reporting.unwrap_or(0));
    }
    let sums = Sums::of(&all);
    let mut page = Page {
        name: "quality",
        title: "Data quality",
        badge: badge(input),
        sentence: String::new(),
        ..Page::default()
    };
    let common = |why: Why| Why {
        as_of: Some(input.today),
        source: "every system and file that the Book is made of".into(),
        ..why
    };
    let touched = Figure {
        state: state(sums.touched, arr.0),
        ..Figure::new(
            "quality.touched",
            "ARR behind a defect",
            Value::Money(sums.touched),
            common(touched_why(&sums, accounts.len(), arr)),
        )
    };
    let clean = accounts.len().saturating_sub(sums.by_account.len());
    let share = (!accounts.is_empty()).then(|| clean as f64 / accounts.len() as f64);
    let clean = Figure::new(
        "quality.clean",
        "accounts without a defect",
        Value::ratio(share, "there is no account"),
        common(Why {
            steps: vec![
                ("accounts".into(), Value::Count(accounts.len() as i64)),
                (
                    "with a defect".into(),
                    Value::Count(sums.by_account.len() as i64),
                ),
                ("without".into(), Value::Count(clean as i64)),
            ],
            rows_in: accounts.len(),
            coverage: full(accounts.len()),
            ..Why::default()
        }),
    );
    let count = Figure::new(
        "quality.defects",
        "defects",
        Value::Count(all.len() as i64),
        common(rows_why(all.iter(), all.len())),
    );
    let unpriced = all.iter().filter(|f| f.hidden.is_none());
    let n = unpriced.clone().count();
    let unpriced = Figure::new(
        "quality.unpriced",
        "without a known amount",
        Value::Count(n as i64),
        common(rows_why(unpriced, n)),
    );
    page.blocks.push(Block::Figures {
        title: "What the data hides".into(),
        figures: vec![touched, clean, count, unpriced],
    });
    let kinds = by_kind(&all, arr.0, &common);
    page.sentence = sentence(&all, &kinds, &sums, arr.0, accounts.len());
    let bars: Vec<Figure> = kinds
        .iter()
        .filter(|(_, hidden)| hidden.value.number().is_some_and(|n| n > 0.0))
        .map(|(_, hidden)| hidden.clone())
        .collect();
    if !bars.is_empty() {
        page.blocks.push(Block::Bars {
            title: "ARR hidden, by kind of defect".into(),
            bars,
        });
    }
    page.blocks.push(Block::Table {
        title: "By kind".into(),
        columns: [
            "found",
            "ARR hidden",
            "of ARR",
            "what goes wrong",
            "put right by",
        ]
        .map(Into::into)
        .to_vec(),
        rows: kinds.into_iter().map(|(row, _)| row).collect(),
        empty: nothing(accounts.len()),
    });
    page.blocks.push(Block::Table {
        title: if all.len() > LISTED {
            format!(
                "To work through, most money first: {LISTED} of {}; all: csops quality",
                all.len()
            )
        } else {
            "To work through, most money first".into()
        },
        columns: ["defect", "what is wrong", "ARR hidden", "put right by"]
            .map(Into::into)
            .to_vec(),
        rows: all
            .iter()
            .take(LISTED)
            .map(|f| listed(f, &common))
            .collect(),
        empty: nothing(accounts.len()),
    });
    page
}

fn badge(input: &Input<'_>) -> String {
    let s = &input.settings.quality;
    let ignored = match s.ignore.len() {
        0 => String::new(),
        _ => format!(" · not counted: {}", s.ignore.join(", ")),
    };
    format!(
        "health stale after {} d · ARR may differ by {:.1} %{ignored}",
        s.stale_health_days,
        s.arr_tolerance * 100.0
    )
}

/// What the findings come to.
struct Sums {
    /// The most that a defect of an account hides, for each account with a defect: an account counts once.
    by_account: HashMap<LocalId, Option<i64>>,
    /// Rows without an account and what they hide.
    stray: Vec<Option<i64>>,
    /// All of it.
    touched: i64,
}

impl Sums {
    fn of(all: &[Finding]) -> Sums {
        let mut sums = Sums {
            by_account: HashMap::new(),
            stray: Vec::new(),
            touched: 0,
        };
        for f in all {
            match f.account {
                Some(id) => {
                    let most = sums.by_account.entry(id).or_default();
                    *most = (*most).max(f.hidden);
                }
                None => sums.stray.push(f.hidden),
            }
        }
        let amounts = sums.by_account.values().chain(&sums.stray).flatten();
        sums.touched = amounts.fold(0_i64, |sum, n| sum.saturating_add(*n));
        sums
    }
}

fn touched_why(sums: &Sums, accounts: usize, arr: (i64, Coverage)) -> Why {
    let of_accounts = sums.by_account.values().flatten();
    let of_accounts: i64 = of_accounts.fold(0, |sum, n| sum.saturating_add(*n));
    let known = sums.by_account.values().flatten().count();
    let unknown = sums.by_account.len() - known;
    let left_out = match unknown {
        0 => Vec::new(),
        n => vec![Excluded {
            row: format!("{} with a defect", many(n, "account")),
            reason: "no amount is known of them".into(),
        }],
    };
    Why {
        policy: "an account with several defects counts once, with the largest amount".into(),
        steps: vec![
            ("accounts".into(), Value::Count(accounts as i64)),
            (
                "with a defect".into(),
                Value::Count(sums.by_account.len() as i64),
            ),
            (
                "the most that each hides, summed".into(),
                Value::Money(of_accounts),
            ),
            (
                "renewals without an account".into(),
                Value::Money(sums.touched.saturating_sub(of_accounts)),
            ),
            ("sum".into(), Value::Money(sums.touched)),
            ("ARR of all accounts".into(), Value::Money(arr.0)),
        ],
        rows_in: known,
        rows_out: unknown,
        left_out,
        coverage: arr.1,
        ..Why::default()
    }
}

fn state(touched: i64, arr: i64) -> State {
    match touched {
        0 => State::Good,
        n if n.saturating_mul(10) > arr => State::Bad,
        _ => State::Watch,
    }
}

fn full(n: usize) -> Coverage {
    Coverage {
        known: n,
        of: n,
        no_rate: 0,
    }
}

/// Where the findings of a figure come from.
fn rows_why<'a>(findings: impl Iterator<Item = &'a Finding> + Clone, n: usize) -> Why {
    let priced = findings.clone().filter(|f| f.hidden.is_some()).count();
    Why {
        columns: vec!["ARR hidden".into()],
        rows: findings
            .take(SHOWN)
            .map(|f| WhyRow {
                label: f.subject.clone(),
                account: f.account,
                values: vec![money(f.hidden)],
                note: format!("{}: {}", f.kind.defect().title, f.detail),
            })
            .collect(),
        rows_in: n,
        coverage: Coverage {
            known: priced,
            of: n,
            no_rate: 0,
        },
        ..Why::default()
    }
}

fn money(hidden: Option<i64>) -> Value {
    Value::money(hidden, "no amount is known")
}

/// A row and its amount for each kind that was found, most money first.
fn by_kind(all: &[Finding], arr: i64, common: &dyn Fn(Why) -> Why) -> Vec<(TableRow, Figure)> {
    let mut rows: Vec<(i64, TableRow, Figure)> = Vec::new();
    for defect in &DEFECTS {
        let of = all.iter().filter(|f| f.kind == defect.kind);
        let n = of.clone().count();
        if n == 0 {
            continue;
        }
        let known: Vec<i64> = of.clone().filter_map(|f| f.hidden).collect();
        let sum = known.iter().fold(0_i64, |sum, n| sum.saturating_add(*n));
        let value = if known.is_empty() {
            money(None)
        } else {
            Value::Money(sum)
        };
        let why = || {
            let mut why = rows_why(of.clone(), n);
            why.policy = format!("priced by {}", defect.price);
            why.steps = vec![
                ("found".into(), Value::Count(n as i64)),
                ("with an amount".into(), Value::Count(known.len() as i64)),
                ("their sum".into(), value.clone()),
            ];
            common(why)
        };
        let hidden = Figure::new("quality.hidden", defect.title, value.clone(), why());
        let count = Figure::new(
            "quality.defects",
            defect.title,
            Value::Count(n as i64),
            why(),
        );
        let share = (arr > 0 && !known.is_empty()).then(|| sum as f64 / arr as f64);
        let share = Figure::new(
            "quality.share",
            defect.title,
            Value::ratio(share, "no amount is known"),
            why(),
        );
        let row = TableRow {
            label: defect.title.to_owned(),
            account: None,
            cells: vec![
                count,
                hidden.clone(),
                share,
                Figure::text(defect.hides),
                Figure::text(defect.fix),
            ],
        };
        rows.push((sum, row, hidden));
    }
    rows.sort_by_key(|(sum, ..)| std::cmp::Reverse(*sum));
    rows.into_iter()
        .map(|(_, row, hidden)| (row, hidden))
        .collect()
}

fn listed(f: &Finding, common: &dyn Fn(Why) -> Why) -> TableRow {
    let why = common(rows_why(std::iter::once(f), 1));
    TableRow {
        label: f.subject.clone(),
        account: f.account,
        cells: vec![
            Figure::text(f.kind.defect().title),
            Figure::text(f.detail.clone()),
            Figure::new(
                "quality.hidden",
                f.kind.defect().title,
                money(f.hidden),
                why,
            ),
            Figure::text(f.fix.clone()),
        ],
    }
}

fn nothing(accounts: usize) -> String {
    match accounts {
        0 => "There is no account: csops sync, or csops import, brings them.".into(),
        _ => "Nothing found: every account has an owner, an ARR, a fresh health score and a renewal date that can be.".into(),
    }
}

fn sentence(
    all: &[Finding],
    kinds: &[(TableRow, Figure)],
    sums: &Sums,
    arr: i64,
    accounts: usize,
) -> String {
    let Some((first, _)) = kinds.first() else {
        return nothing(accounts);
    };
    let share = if arr > 0 {
        format!(", {:.0} % of ARR", sums.touched as f64 / arr as f64 * 100.0)
    } else {
        String::new()
    };
    format!(
        "{} at {} of {}{share}; most of it: {}.",
        many(all.len(), "defect"),
        sums.by_account.len(),
        many(accounts, "account"),
        first.label
    )
}
