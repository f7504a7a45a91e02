//! The sync screen's figures: how fresh and how complete what is here is, what is to be sent, what of the day's requests is used.

use crate::book::{OutboxItem, OutboxState, SourceStatus};
use crate::insight::Coverage;
use crate::insight::page::{
    Block, Excluded, Figure, Page, State, TableRow, Target, Value, Why, WhyRow,
};
use jiff::Timestamp;

/// The figures of the sources and of the outbox, the source of that name first.
pub fn page(
    sources: &[SourceStatus],
    outbox: &[OutboxItem],
    now: Timestamp,
    first: Option<&str>,
) -> Page {
    let mut order: Vec<&SourceStatus> = sources.iter().collect();
    order.sort_by_key(|s| first.is_none() || s.source.as_deref() != first);
    let columns = [
        "since pull",
        "rows",
        "refused",
        "requests today",
        "next run in",
    ];
    let mut blocks = vec![Block::Table {
        title: "Sources".into(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: order.iter().map(|s| source(s, now)).collect(),
        empty: "No source is configured: `csops init` writes a configuration by asking.".into(),
    }];
    for s in &order {
        blocks.push(Block::Table {
            title: format!("Streams of {}", s.source.as_deref().unwrap_or("a source")),
            columns: ["since pull", "rows", "changed", "refused", "requests"]
                .map(str::to_owned)
                .to_vec(),
            rows: streams(s, now),
            empty: "It has not been read yet.".into(),
        });
    }
    blocks.push(Block::Figures {
        title: "Outbox".into(),
        figures: sent(outbox, now),
    });
    Page {
        name: "sync",
        title: "Sync",
        blocks,
        ..Page::default()
    }
}

/// A span of time in words.
fn span(seconds: i64) -> Value {
    Value::Text(match seconds.max(0) {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3600 => format!("{}m", s / 60),
        s @ 3600..172_800 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86_400),
    })
}

fn since(at: Option<Timestamp>, now: Timestamp) -> Value {
    at.map_or_else(
        || Value::None("no pull went through yet".into()),
        |t| span(now.duration_since(t).as_secs()),
    )
}

fn day(at: Option<Timestamp>) -> Option<jiff::civil::Date> {
    at.map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).date())
}

fn source(s: &SourceStatus, now: Timestamp) -> TableRow {
    let name = s.source.as_deref().unwrap_or("a source").to_owned();
    let through = s
        .streams
        .iter()
        .filter(|x| x.last_success.is_some())
        .count();
    let why = |steps: Vec<(String, Value)>| Why {
        steps,
        rows_in: through,
        rows_out: s.streams.len() - through,
        coverage: Coverage {
            known: through,
            of: s.streams.len(),
            no_rate: 0,
        },
        as_of: day(s.last_success),
        source: format!("csops' own record of its runs against {}", s.base_url),
        ..Why::default()
    };
    let per_stream = |value: &dyn Fn(&crate::book::StreamStatus) -> Value| -> Vec<WhyRow> {
        s.streams
            .iter()
            .map(|x| WhyRow {
                label: x.stream.clone(),
                values: vec![value(x)],
                note: x.error.clone().unwrap_or_default(),
                ..WhyRow::default()
            })
            .collect()
    };
    let count = |n: u64| Value::Count(i64::try_from(n).unwrap_or(i64::MAX));
    let mut age = Figure::new("source_age", "", since(s.last_success, now), {
        let mut w = why(vec![(
            "last complete pull".into(),
            s.last_success.map_or_else(
                || Value::Text("never".into()),
                |t| Value::Text(t.to_string()),
            ),
        )]);
        w.rows = per_stream(&|x| since(x.last_success, now));
        w.left_out = s
            .streams
            .iter()
            .filter(|x| x.last_success.is_none())
            .map(|x| Excluded {
                row: x.stream.clone(),
                reason: x.error.clone().unwrap_or_else(|| "not read yet".into()),
            })
            .collect();
        w
    });
    if s.error.is_some() {
        age.state = State::Bad;
    }
    let rows: u64 = s.streams.iter().map(|x| x.rows).sum();
    let refused: u64 = s.streams.iter().map(|x| x.problems).sum();
    let mut problems = Figure::new("source_refused", "", count(refused), {
        let mut w = why(Vec::new());
        w.rows = per_stream(&|x| count(x.problems));
        w
    });
    if refused > 0 {
        problems.state = State::Watch;
    }
    let b = &s.budget;
    let mut requests = Figure::new("source_requests", "", count(b.ours), {
        let known = |n: Option<u64>| n.map_or_else(|| Value::Text("not said".into()), count);
        why(vec![
            ("ours today".into(), count(b.ours)),
            ("our promise for a day".into(), known(b.promise)),
            (
                "everybody's, as the vendor counts".into(),
                known(b.vendor_used),
            ),
            ("the vendor's limit".into(), known(b.vendor_max)),
        ])
    });
    if let Some(promise) = b.promise.filter(|p| *p > 0) {
        requests.target = Some(Target {
            from: None,
            to: Some(count(promise)),
            source: "daily_requests of the source, else a tenth of the vendor's limit".into(),
        });
        requests.state = match b.ours as f64 / promise as f64 {
            f if f >= 1.0 => State::Bad,
            f if f >= 0.8 => State::Watch,
            _ => State::Good,
        };
    }
    let next = Figure::new(
        "source_next",
        "",
        s.next_run.map_or_else(
            || Value::None("no run is planned".into()),
            |t| span(t.duration_since(now).as_secs()),
        ),
        why(vec![(
            "planned for".into(),
            s.next_run
                .map_or_else(|| Value::Text("–".into()), |t| Value::Text(t.to_string())),
        )]),
    );
    let rows = Figure::new("source_rows", "", count(rows), {
        let mut w = why(Vec::new());
        w.rows = per_stream(&|x| count(x.rows));
        w
    });
    TableRow {
        label: name,
        account: None,
        cells: vec![age, rows, problems, requests, next],
    }
}

fn streams(s: &SourceStatus, now: Timestamp) -> Vec<TableRow> {
    let count = |n: u64| Value::Count(i64::try_from(n).unwrap_or(i64::MAX));
    s.streams
        .iter()
        .map(|x| {
            let why = || Why {
                rows_in: usize::from(x.last_success.is_some()),
                rows_out: usize::from(x.last_success.is_none()),
                left_out: x
                    .error
                    .iter()
                    .map(|e| Excluded {
                        row: x.stream.clone(),
                        reason: e.clone(),
                    })
                    .collect(),
                coverage: Coverage {
                    known: usize::from(x.last_success.is_some()),
                    of: 1,
                    no_rate: 0,
                },
                as_of: day(x.last_success),
                source: format!("csops' own record of its runs against {}", s.base_url),
                ..Why::default()
            };
            TableRow {
                label: x.stream.clone(),
                account: None,
                cells: vec![
                    Figure::new("source_age", "", since(x.last_success, now), why()),
                    Figure::new("source_rows", "", count(x.rows), why()),
                    Figure::new("source_changed", "", count(x.changed), why()),
                    Figure::new("source_refused", "", count(x.problems), why()),
                    Figure::new("source_requests_run", "", count(x.requests), why()),
                ],
            }
        })
        .collect()
}

fn sent(outbox: &[OutboxItem], now: Timestamp) -> Vec<Figure> {
    let of = |name, label: &str, bad: State, fits: &dyn Fn(&OutboxState) -> bool| {
        let items: Vec<&OutboxItem> = outbox.iter().filter(|i| fits(&i.state)).collect();
        let rows = items
            .iter()
            .map(|i| WhyRow {
                label: i.command.clone(),
                account: Some(i.change.account),
                values: vec![
                    Value::Text(i.change.source.to_string()),
                    span(now.duration_since(i.created).as_secs()),
                ],
                note: i.error.clone().unwrap_or_default(),
            })
            .collect();
        let n = items.len();
        let mut f = Figure::new(
            name,
            label,
            Value::Count(n as i64),
            Why {
                columns: vec!["to".into(), "made before".into()],
                rows,
                rows_in: n,
                coverage: Coverage {
                    known: outbox.len(),
                    of: outbox.len(),
                    no_rate: 0,
                },
                source: "csops' own outbox: all that is unfinished and the newest that is finished"
                    .into(),
                ..Why::default()
            },
        );
        if n > 0 {
            f.state = bad;
        }
        f
    };
    use OutboxState::{Conflict, Done, Failed, Sending, Unknown, Waiting};
    vec![
        of(
            "outbox_waiting",
            "waiting or under way",
            State::Plain,
            &|s| matches!(s, Waiting | Sending),
        ),
        of("outbox_unknown", "unknown: asking", State::Watch, &|s| {
            matches!(s, Unknown)
        }),
        of("outbox_failed", "refused", State::Bad, &|s| {
            matches!(s, Failed)
        }),
        of("outbox_conflict", "in conflict", State::Bad, &|s| {
            matches!(s, Conflict)
        }),
        of("outbox_done", "arrived", State::Plain, &|s| {
            matches!(s, Done)
        }),
    ]
}
