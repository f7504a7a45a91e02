//! The first page of the Metrics screen: the header's figures, each explained down to its accounts, renewals and tasks.

use super::page::{Block, Figure, Input, Page, State, Value, Why, WhyRow};
use super::pipeline::{amount_of, native_of};
use super::screens::gather::{Gather, money_row};
use super::{Header, header};
use crate::book::derived::NO_ARR;

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let h = header(input.book, input.derived, input.today, input.mine);
    let g = gathered(input);
    Page {
        name: "overview",
        title: "Overview",
        sentence: sentence(&h),
        blocks: vec![
            Block::Figures {
                title: "The book today".into(),
                figures: book_figures(&h, &g, input),
            },
            Block::Figures {
                title: "What needs somebody".into(),
                figures: needs(&h, &g, input),
            },
            Block::Figures {
                title: "How complete the data is".into(),
                figures: complete(&h, &g, input),
            },
        ],
        ..Page::default()
    }
}

/// The rows behind the figures.
#[derive(Default)]
struct Rows {
    accounts: Gather,
    arr: Gather,
    in_queue: Gather,
    at_risk: Gather,
    due: Gather,
    due_safe: Gather,
    health: Gather,
    dates: Gather,
}

fn gathered(input: &Input<'_>) -> Rows {
    let (book, derived) = (input.book, input.derived);
    let mut g = Rows::default();
    let today = crate::book::Day::of(Some(input.today));
    for a in book.accounts() {
        if input.mine.is_some() && a.csm_id() != input.mine {
            continue;
        }
        let row = a.row();
        let arr = a.arr_reporting().map(|m| m.minor);
        g.accounts.count(row, arr.unwrap_or(0));
        g.arr.amount(row, a.arr(), arr);
        match a.health() {
            // The lowest first: these are looked at.
            Some(h) => g.health.count(row, 101 - i64::from(h)),
            None => g.health.leave(row),
        }
        match a.decision_day(today).get() {
            Some(_) => g.dates.count(row, arr.unwrap_or(0)),
            None => g.dates.leave(row),
        }
        if derived.in_queue(row) {
            let d = derived.account(row);
            g.in_queue.count(row, d.urgency as i64);
            let stake = (!d.is(NO_ARR)).then_some(d.at_stake);
            g.at_risk.amount(row, super::risk::at_stake(&a), stake);
        }
    }
    for (r, safe) in header::due_soon(book, derived, input.today, input.mine) {
        let amount = amount_of(&r);
        g.due.amount(r.row(), native_of(&r), amount);
        if safe {
            g.due_safe.amount(r.row(), native_of(&r), amount);
        }
    }
    g
}

/// An explanation by accounts, with an amount each.
fn accounts(input: &Input<'_>, g: &Gather, head: &str, missing: &str) -> Why {
    let book = input.book;
    let mut why = g.clone().why(
        |n, w| money_row(book.account(n).name(), Some(book.account(n).id()), w),
        |n| book.account(n).name().to_owned(),
        missing,
    );
    why.columns = vec![head.to_owned()];
    why
}

/// An explanation by renewals.
fn renewals(input: &Input<'_>, g: &Gather) -> Why {
    let book = input.book;
    let name = |n: u32| {
        let r = book.renewal(n);
        r.account().map_or(r.name(), |a| a.name()).to_owned()
    };
    let mut why = g.clone().why(
        |n, w| {
            let r = book.renewal(n);
            let due = r
                .due()
                .map_or_else(|| Value::Text("no day".into()), Value::Date);
            WhyRow {
                values: vec![Value::Money(w), due],
                ..money_row(&name(n), Some(r.account_id()).filter(|a| a.is_some()), w)
            }
        },
        name,
        "it has neither an amount nor a target",
    );
    why.columns = vec!["amount".into(), "due".into()];
    why
}

fn book_figures(h: &Header, g: &Rows, input: &Input<'_>) -> Vec<Figure> {
    let mut safe = Figure::new(
        "due_safe",
        "of it safe",
        Value::ratio(h.due_safe_share(), "nothing is due within 90 days"),
        Why {
            steps: vec![
                ("safe".into(), Value::Money(h.due_safe)),
                ("÷ due within 90 days".into(), Value::Money(h.due)),
            ],
            ..renewals(input, &g.due_safe)
        },
    );
    safe.state = match h.due_safe_share() {
        Some(s) if s < 0.5 => State::Bad,
        Some(s) if s < 0.8 => State::Watch,
        Some(_) => State::Good,
        None => State::Plain,
    };
    let mut out = vec![Figure::new(
        "arr",
        "ARR",
        Value::Money(h.arr),
        accounts(input, &g.arr, "ARR", "no ARR is known"),
    )];
    out.extend(super::retention::headline(input));
    out.push(Figure::new(
        "due_90d",
        "due within 90 days",
        Value::Money(h.due),
        renewals(input, &g.due),
    ));
    out.push(safe);
    out
}

fn needs(h: &Header, g: &Rows, input: &Input<'_>) -> Vec<Figure> {
    let mut at_risk = Figure::new(
        "at_risk",
        "ARR at risk",
        Value::Money(h.at_risk),
        accounts(
            input,
            &g.at_risk,
            "at stake",
            "neither ARR nor an amount is known",
        ),
    );
    at_risk.state = if h.at_risk > 0 {
        State::Bad
    } else {
        State::Good
    };
    let queue = Figure::new(
        "in_queue",
        "in the queue",
        Value::Count(h.in_queue as i64),
        accounts(input, &g.in_queue, "urgency", ""),
    );
    let tasks = super::screens::tasks::page(input);
    let tasks = tasks.blocks.into_iter().flat_map(|b| match b {
        Block::Figures { figures, .. } => figures,
        _ => Vec::new(),
    });
    let mut out = vec![at_risk, queue];
    out.extend(
        tasks
            .filter(|f| matches!(f.name, "tasks_overdue" | "tasks_open"))
            .map(|f| Figure {
                label: match f.name {
                    "tasks_overdue" => "overdue tasks".to_owned(),
                    _ => "open tasks".to_owned(),
                },
                ..f
            }),
    );
    out
}

fn complete(h: &Header, g: &Rows, input: &Input<'_>) -> Vec<Figure> {
    let book = input.book;
    let share = |c: &super::Coverage| Value::ratio(c.share(), "there is no account");
    let mut health = g.health.clone().why(
        |n, w| WhyRow {
            values: vec![Value::Count(101 - w)],
            ..money_row(book.account(n).name(), Some(book.account(n).id()), 0)
        },
        |n| book.account(n).name().to_owned(),
        "no system gives a health score",
    );
    health.columns = vec!["health".into()];
    vec![
        Figure::new(
            "accounts",
            "accounts",
            Value::Count(h.accounts as i64),
            accounts(input, &g.accounts, "ARR", ""),
        ),
        Figure::new(
            "coverage",
            "health known",
            share(&h.health_coverage),
            health,
        ),
        Figure::new(
            "dates_known",
            "decision date known",
            share(&h.date_coverage),
            accounts(
                input,
                &g.dates,
                "ARR",
                "neither a renewal day nor a notice deadline is known",
            ),
        ),
    ]
}

fn sentence(h: &Header) -> String {
    if h.accounts == 0 {
        return "There is no account yet.".to_owned();
    }
    let queue = match h.in_queue {
        0 => "none is at risk".to_owned(),
        1 => "one is at risk".to_owned(),
        n => format!("{n} are at risk"),
    };
    let late = match h.tasks_overdue {
        0 => "no task is late".to_owned(),
        1 => "one task is late".to_owned(),
        n => format!("{n} tasks are late"),
    };
    let safe = h.due_safe_share().map_or_else(String::new, |s| {
        format!(" Of what is due within 90 days {:.0} % is safe.", s * 100.0)
    });
    format!(
        "Of {} {queue}; {late}.{safe}",
        super::many(h.accounts, "account")
    )
}
