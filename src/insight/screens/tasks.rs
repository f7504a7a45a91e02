//! The figures over the tasks: how many are open, and when they are due.

use super::gather::Gather;
use crate::book::{Day, TaskRow};
use crate::insight::page::{Block, Figure, Input, Page, State, Value, Why, WhyRow};
use crate::insight::tasks::{Due, done_lately, due_of, is_mine};

/// The page.
pub fn page(input: &Input<'_>) -> Page {
    let book = input.book;
    let now = Day::of(Some(input.today));
    let week = Day::of(Some(input.calendar.end_of_week(input.today)));
    let mut open = Gather::default();
    let mut due: [Gather; 5] = Default::default();
    let mut done = Gather::default();
    let mut oldest = None;
    for t in book.tasks().filter(|t| is_mine(t, input.mine)) {
        if !t.is_open() {
            if done_lately(&t, now) {
                done.count(t.row(), 0);
            }
            continue;
        }
        let when = due_of(&t, now, week);
        // The longest overdue first, then what is due soonest; without a day last.
        let weight = match when {
            Due::Undated => 0,
            _ => i64::from(i32::MAX) - i64::from(t.due_day().0),
        };
        open.count(t.row(), weight);
        due[when as usize].count(t.row(), weight);
        if when == Due::Overdue {
            oldest = oldest.max(Some(now.0.saturating_sub(t.due_day().0)));
        }
    }
    let row = |n: u32, _: i64| task_row(&book.task(n));
    let name = |n: u32| book.task(n).title().to_owned();
    let figure = |name_of, label: &str, gathered: Gather, state| {
        let count = gathered.counted();
        let mut why = gathered.why(row, name, "");
        why.columns = vec!["due".into()];
        let mut f = Figure::new(name_of, label, Value::Count(count as i64), why);
        if count > 0 {
            f.state = state;
        }
        f
    };
    let [overdue, today, in_week, later, undated] = due;
    let oldest = Figure::new(
        "tasks_oldest",
        "the oldest, late",
        oldest.map_or_else(
            || Value::None("no task is overdue".into()),
            |d| Value::Days(f64::from(d)),
        ),
        Why::default(),
    );
    let oldest = Figure {
        why: Some(std::sync::Arc::new(overdue.clone().why(row, name, ""))),
        ..oldest
    };
    Page {
        name: "tasks",
        title: "Tasks",
        blocks: vec![Block::Figures {
            title: "Tasks".into(),
            figures: vec![
                figure("tasks_overdue", "overdue", overdue, State::Bad),
                figure("tasks_today", "due today", today, State::Plain),
                figure("tasks_week", "due this week", in_week, State::Plain),
                figure("tasks_later", "due later", later, State::Plain),
                figure("tasks_undated", "without a day", undated, State::Plain),
                figure("tasks_open", "open", open, State::Plain),
                figure("tasks_done", "done in 7 days", done, State::Plain),
                oldest,
            ],
        }],
        ..Page::default()
    }
}

fn task_row(t: &TaskRow<'_>) -> WhyRow {
    let account = t.account();
    let words = |w: Option<&str>| w.unwrap_or_default().to_owned();
    let notes = [
        words(account.map(|a| a.name())),
        words(t.owner().map(|o| o.name())),
        words(t.priority_kind()),
    ];
    WhyRow {
        label: t.title().to_owned(),
        account: account.map(|a| a.id()),
        values: vec![
            t.due()
                .map_or_else(|| Value::Text("no day".into()), Value::Date),
        ],
        note: notes
            .into_iter()
            .filter(|n| !n.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
    }
}
