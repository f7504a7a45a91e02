//! `csops list`: rows of the Book, filtered and sorted as in the cockpit.

use super::args::{Global, Kind, List};
use super::open::{How, Session, coverage, head, open, value};
use super::print::{Format, Rows};
use super::start::Failure;
use crate::book::nearest::nearest;
use crate::book::registry::{self, FieldRef};
use crate::book::{Entity, FieldValue, Money};
use crate::cockpit::{ListKind, PastDay, Snapshot, ViewSpec, compute};
use crate::insight::reasons;
use std::io::Write;

/// Runs it.
///
/// # Errors
/// 2 for a query, column or sort that cannot be understood.
pub fn run(global: &Global, list: &List, out: &mut dyn Write) -> Result<(), Failure> {
    print(global, list, format(list), out).map(drop)
}

/// The format that its flags ask for.
pub fn format(list: &List) -> Format {
    Format::of(list.json, list.ndjson, list.csv)
}

/// Prints the rows in a format; how many there were.
///
/// # Errors
/// 2 for a query, column or sort that cannot be understood.
pub fn print(
    global: &Global,
    list: &List,
    format: Format,
    out: &mut dyn Write,
) -> Result<usize, Failure> {
    let session = open(global, How::Headless)?;
    let present = session.cockpit.snapshot();
    let past = match &list.as_of {
        Some(day) => past(&session, &present, list.kind, day)?,
        None => None,
    };
    let snapshot = past.as_ref().map_or(&present, |p| &p.snapshot);
    let kind = kind_name(list.kind);
    let mut rows = match list.kind {
        Kind::Segments => segments(snapshot, &list.columns)?,
        Kind::Sources => sources(snapshot, &list.columns)?,
        _ => entities(snapshot, list)?,
    };
    if let Some(limit) = list.limit {
        rows.rows.truncate(limit);
    }
    let mut head = head(snapshot, kind);
    if let Some(past) = &past {
        super::open::of_day(&mut head, past);
    }
    head.insert("coverage".into(), coverage(snapshot));
    if snapshot.sources.is_empty() && snapshot.book.count(Entity::Account) == 0 {
        super::start::narrate(
            "nothing here yet: no source is configured (csops init), or try csops demo",
        );
    }
    rows.print(format, head, out)?;
    Ok(rows.rows.len())
}

/// The earlier day that is asked for; nothing when it is today.
fn past(
    session: &Session,
    present: &Snapshot,
    kind: Kind,
    day: &str,
) -> Result<Option<PastDay>, Failure> {
    if matches!(kind, Kind::Tasks | Kind::Sources) {
        return Err(Failure::usage(format!(
            "--as-of: {} are not kept by day; accounts, queue, renewals, segments, escalations and people are",
            kind_name(kind)
        )));
    }
    session.as_of(present, day)
}

/// The name of a kind in documents.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Accounts => "accounts",
        Kind::Queue => "queue",
        Kind::Renewals => "renewals",
        Kind::Tasks => "tasks",
        Kind::Escalations => "escalations",
        Kind::Segments => "segments",
        Kind::People => "people",
        Kind::Sources => "sources",
    }
}

/// The list of the cockpit and the kind of row that a kind names; nothing for those that are no rows of the Book.
pub fn listed(kind: Kind) -> Option<(ListKind, Entity)> {
    Some(match kind {
        Kind::Accounts => (ListKind::Accounts, Entity::Account),
        Kind::Queue => (ListKind::Queue, Entity::Account),
        Kind::Renewals => (ListKind::Renewals, Entity::Renewal),
        Kind::Tasks => (ListKind::Tasks, Entity::Task),
        Kind::Escalations => (ListKind::Escalations, Entity::Escalation),
        Kind::People => (ListKind::People, Entity::Person),
        Kind::Segments | Kind::Sources => return None,
    })
}

/// The columns that a list shows when none are asked for.
fn default_columns(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Queue => &[
            "id", "name", "arr", "decide", "loss", "urgency", "health", "csm", "segment", "reasons",
        ],
        Kind::Accounts => &[
            "id", "name", "segment", "touch", "csm", "arr", "renewal", "health", "domain",
        ],
        Kind::Renewals => &[
            "id",
            "account",
            "name",
            "due",
            "amount",
            "stage",
            "forecast",
            "probability",
            "owner",
        ],
        Kind::Tasks => &[
            "id", "account", "title", "due", "priority", "status", "owner",
        ],
        Kind::Escalations => &[
            "id", "account", "title", "reason", "status", "priority", "owner", "opened",
        ],
        Kind::People => &["id", "name", "email", "role", "active"],
        Kind::Segments | Kind::Sources => &[],
    }
}

/// Row numbers of the Book that a query selects, in order.
///
/// # Errors
/// 2 for a query or sort that cannot be understood, or a kind that is no rows of the Book.
pub fn select(
    snapshot: &Snapshot,
    kind: Kind,
    query: &str,
    sort: &[String],
) -> Result<(Entity, Vec<u32>), Failure> {
    let Some((list, entity)) = listed(kind) else {
        return Err(Failure::usage(format!(
            "{} cannot be selected by a query",
            kind_name(kind)
        )));
    };
    let mut spec = ViewSpec::of(list);
    query.clone_into(&mut spec.query);
    crate::query::sort_keys(entity, &sort.join(","))
        .map_err(|e| Failure::usage(format!("--sort: {e}")))?;
    spec.sort = sort
        .iter()
        .map(|s| {
            s.strip_prefix('-')
                .map_or((s.clone(), false), |name| (name.to_owned(), true))
        })
        .collect();
    let view = compute(snapshot, &spec, None);
    match view.error {
        Some(error) => Err(Failure::usage(error)),
        None => Ok((entity, view.rows.to_vec())),
    }
}

fn entities(snapshot: &Snapshot, list: &List) -> Result<Rows, Failure> {
    let (entity, selected) = select(snapshot, list.kind, &list.query.join(" "), &list.sort)?;
    let names: Vec<String> = if list.columns.is_empty() {
        default_columns(list.kind)
            .iter()
            .map(|c| (*c).to_owned())
            .collect()
    } else {
        list.columns.iter().map(|c| c.trim().to_owned()).collect()
    };
    let columns = names
        .iter()
        .map(|name| column(entity, name))
        .collect::<Result<Vec<_>, _>>()?;
    let scope = snapshot.scope();
    let take = list.limit.unwrap_or(usize::MAX);
    let rows =
        selected
            .iter()
            .take(take)
            .map(|row| {
                columns
                    .iter()
                    .map(|c| match c {
                        Column::Field(f) => value(f, &scope, *row),
                        Column::Reasons => registry::account_row(&snapshot.book, entity, *row)
                            .map_or(FieldValue::Null, |a| {
                                FieldValue::text(reasons::line(
                                    &snapshot.book.account(a),
                                    &snapshot.derived,
                                    snapshot.today,
                                    &snapshot.settings.risk,
                                ))
                            }),
                    })
                    .collect()
            })
            .collect();
    Ok(Rows {
        columns: names,
        rows,
    })
}

enum Column {
    Field(FieldRef),
    /// The reasons in words: computed, not a field that can be compared.
    Reasons,
}

fn column(entity: Entity, name: &str) -> Result<Column, Failure> {
    if name == "reasons" && matches!(entity, Entity::Account) {
        return Ok(Column::Reasons);
    }
    registry::find(entity, name)
        .map(Column::Field)
        .ok_or_else(|| {
            let names = registry::fields(entity).iter().map(|f| f.name);
            let hint =
                nearest(name, names).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            Failure::usage(format!("--columns: {entity}s have no field `{name}`{hint}"))
        })
}

/// Keeps the wanted columns of fixed rows.
fn keep(all: &[&str], rows: Vec<Vec<FieldValue>>, wanted: &[String]) -> Result<Rows, Failure> {
    let wanted: Vec<String> = if wanted.is_empty() {
        all.iter().map(|c| (*c).to_owned()).collect()
    } else {
        wanted.to_vec()
    };
    let places = wanted
        .iter()
        .map(|w| {
            all.iter().position(|c| c == w).ok_or_else(|| {
                Failure::usage(format!(
                    "--columns: there is no `{w}`; there are {}",
                    all.join(", ")
                ))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let rows = rows
        .into_iter()
        .map(|r| places.iter().map(|p| r[*p].clone()).collect())
        .collect();
    Ok(Rows {
        columns: wanted,
        rows,
    })
}

fn segments(snapshot: &Snapshot, wanted: &[String]) -> Result<Rows, Failure> {
    const COLUMNS: &[&str] = &[
        "by",
        "key",
        "accounts",
        "arr",
        "csms",
        "accounts_per_csm",
        "arr_per_csm",
        "target_from",
        "target_to",
        "verdict",
        "in_queue",
        "at_risk",
        "open_risks",
        "health",
    ];
    let number = |n: usize| FieldValue::Number(n as f64);
    let mut rows = Vec::new();
    for group in snapshot.segments.iter() {
        let money = |minor: i64| {
            Money::new(minor, &group.currency).map_or(FieldValue::Null, FieldValue::Money)
        };
        for r in &group.rows {
            rows.push(vec![
                FieldValue::text(format!("{:?}", group.by).to_lowercase()),
                FieldValue::text(r.key.clone()),
                number(r.accounts),
                money(r.arr),
                number(r.csms),
                r.accounts_per_csm
                    .map_or(FieldValue::Null, FieldValue::Number),
                r.arr_per_csm.map_or(FieldValue::Null, money),
                r.band
                    .as_ref()
                    .map_or(FieldValue::Null, |b| FieldValue::Number(b.accounts_from)),
                r.band
                    .as_ref()
                    .map_or(FieldValue::Null, |b| FieldValue::Number(b.accounts_to)),
                r.verdict.map_or(FieldValue::Null, |v| {
                    FieldValue::text(format!("{v:?}").to_lowercase())
                }),
                number(r.in_queue),
                money(r.at_risk),
                number(r.open_risks),
                r.health.map_or(FieldValue::Null, FieldValue::Number),
            ]);
        }
    }
    keep(COLUMNS, rows, wanted)
}

fn sources(snapshot: &Snapshot, wanted: &[String]) -> Result<Rows, Failure> {
    const COLUMNS: &[&str] = &[
        "name",
        "connector",
        "state",
        "last_success",
        "rows",
        "error",
        "read_only",
    ];
    let rows = snapshot
        .sources
        .iter()
        .map(|s| {
            vec![
                FieldValue::text(s.source.as_deref().unwrap_or_default()),
                FieldValue::text(s.connector.clone()),
                FieldValue::text(super::status::state_name(s.state)),
                s.last_success.map_or(FieldValue::Null, FieldValue::Instant),
                FieldValue::Number(s.streams.iter().map(|t| t.rows as f64).sum()),
                s.error.clone().map_or(FieldValue::Null, FieldValue::Text),
                FieldValue::Bool(s.read_only),
            ]
        })
        .collect();
    keep(COLUMNS, rows, wanted)
}
