//! The figures of the renewal in focus. Those of the whole pipeline stand on the forecast's page.

use super::about;
use crate::book::{Day, RenewalRow};
use crate::insight::Coverage;
use crate::insight::forecast::{Row, rows};
use crate::insight::page::{Block, Figure, Input, Page, Value, Why, WhyRow};

/// The page of the renewal that is asked about.
pub fn page(input: &Input<'_>) -> Page {
    let this = about(input, "renewal").and_then(|id| input.book.renewal_by_id(id));
    Page {
        name: "renewals",
        title: "Renewals",
        blocks: this.map(|r| one(input, &r)).into_iter().collect(),
        ..Page::default()
    }
}

/// The figures of one renewal, as the forecast counts it, or why it does not.
fn one(input: &Input<'_>, r: &RenewalRow<'_>) -> Block {
    let read = rows(
        input.book,
        input.derived,
        input.today,
        &input.settings.forecast,
        None,
    )
    .find(|row| match row {
        Ok(row) => row.renewal.id() == r.id(),
        Err(out) => out.renewal.id() == r.id(),
    });
    let (counted, out) = match read {
        Some(Ok(row)) => (Some(row), None),
        Some(Err(out)) => (None, Some(out.excluded())),
        None => (None, None),
    };
    let none = || {
        let reason = out.as_ref().map_or("it is not in the book", |x| &x.reason);
        Value::None(reason.to_owned())
    };
    let title = r.account().map_or(r.name(), |a| a.name()).to_owned();
    let why = |steps: Vec<(String, Value)>| Why {
        steps,
        columns: vec!["amount".into(), "due".into()],
        rows: counted.iter().map(|row| listed(&title, row)).collect(),
        rows_in: usize::from(counted.is_some()),
        left_out: out.iter().cloned().collect(),
        rows_out: usize::from(counted.is_none()),
        coverage: Coverage {
            known: usize::from(counted.is_some()),
            of: 1,
            no_rate: 0,
        },
        ..Why::default()
    };
    let of = |value: &dyn Fn(&Row<'_>) -> Value| counted.as_ref().map_or_else(none, value);
    let steps = |list: &dyn Fn(&Row<'_>) -> Vec<(&'static str, Value)>| {
        let list = counted.as_ref().map(list).unwrap_or_default();
        why(list.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
    };
    let days = |name, label: &str, day: Day| {
        let now = Day::of(Some(input.today)).get();
        let value = match day.get().zip(now) {
            Some((day, now)) => Value::Days(f64::from(day - now)),
            None => Value::None("no day is known".into()),
        };
        let known = day
            .date()
            .map_or_else(|| Value::Text("not known".into()), Value::Date);
        let steps = vec![
            (label.to_owned(), known),
            ("− today".into(), Value::Date(input.today)),
        ];
        Figure::new(name, label, value, why(steps))
    };
    let notice = counted
        .as_ref()
        .map_or_else(|| Day::of(r.notice_deadline()), |row| row.notice.deadline);
    Block::Figures {
        title: title.clone(),
        figures: vec![
            Figure::new(
                "renewals_amount",
                "amount",
                of(&|row| Value::Money(row.amount)),
                steps(&|row| vec![("up for renewal", Value::Money(row.target))]),
            ),
            Figure::new(
                "forecast.probability",
                "probability",
                of(&|row| Value::Ratio(row.chance.share.fraction())),
                steps(&|row| vec![("from", Value::Text(row.chance.words()))]),
            ),
            Figure::new(
                "forecast.weighted",
                "weighted",
                of(&|row| Value::Money(row.weighted())),
                steps(&|row| {
                    vec![
                        ("min(amount, up for renewal)", Value::Money(row.gross())),
                        ("× probability", Value::Ratio(row.chance.share.fraction())),
                    ]
                }),
            ),
            days("renewal_days", "due", r.due_day()),
            days("notice_days", "notice deadline", notice),
        ],
    }
}

fn listed(label: &str, row: &Row<'_>) -> WhyRow {
    let r = &row.renewal;
    let parts = [Some(row.category.name()), r.stage()];
    WhyRow {
        label: label.to_owned(),
        account: Some(r.account_id()).filter(|a| a.is_some()),
        values: vec![
            Value::Money(row.amount),
            r.due()
                .map_or_else(|| Value::Text("no day".into()), Value::Date),
        ],
        note: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
    }
}
