//! How the book moved: the figures of each day on which csops ran, kept as they were shown, as series by month and week. Nothing here is
//! computed backwards from today's rows.

use super::Coverage;
use super::page::{Block, Figure, Input, Line, Page, Switch, TableRow, Value, Why};
use crate::book::{AccountRow, Book, Day, DayFigures, Derived, Every, LocalId};
use jiff::civil::Date;
use std::collections::HashMap;

/// Points of a series that are shown.
const POINTS: usize = 24;

/// The figures of the groups of one grouping.
type Groups<K> = HashMap<K, DayFigures>;

/// What is kept of a day: the figures of the whole book, and by segment, touch model and CSM (by number: names change, and two people may
/// share one). Renewals without an account count in the whole book only.
pub fn day_figures(book: &Book, derived: &Derived, today: Date) -> Vec<DayFigures> {
    let mut all = DayFigures::default();
    let (mut segments, mut touches) = (Groups::<&str>::new(), Groups::<&str>::new());
    let mut csms = Groups::<LocalId>::new();
    let mut of_account = |a: Option<AccountRow<'_>>, count: &dyn Fn(&mut DayFigures)| {
        count(&mut all);
        let Some(a) = a.and_then(|a| book.account_by_id(a.id())) else {
            return;
        };
        count(segments.entry(a.segment().unwrap_or("")).or_default());
        count(touches.entry(a.touch().unwrap_or("")).or_default());
        count(csms.entry(a.csm_id().unwrap_or_default()).or_default());
    };
    for a in book.accounts() {
        let (arr, health) = (a.arr_reporting(), a.health());
        let at_risk = derived
            .in_queue(a.row())
            .then(|| derived.account(a.row()).at_stake);
        of_account(Some(a), &|f| {
            f.accounts += 1;
            f.arr_known += u32::from(arr.is_some());
            f.arr = f.arr.saturating_add(arr.map_or(0, |m| m.minor));
            f.health_known += u32::from(health.is_some());
            f.health_sum += health.map_or(0, u64::from);
            f.in_queue += u32::from(at_risk.is_some());
            f.at_risk = f.at_risk.saturating_add(at_risk.unwrap_or(0));
        });
    }
    let limit = Day(Day::of(Some(today)).0.saturating_add(90));
    for r in book.renewals() {
        let due = r.due_day();
        if r.is_open() && due != Day::NONE && due <= limit {
            let amount = super::pipeline::amount_of(&r).unwrap_or(0);
            of_account(r.account(), &|f| f.due = f.due.saturating_add(amount));
        }
    }
    if all.accounts == 0 {
        return Vec::new();
    }
    let currency = String::from_utf8_lossy(&book.reporting()).into_owned();
    let finish = |by: &str, key: String, figures: DayFigures| DayFigures {
        day: today,
        by: by.to_owned(),
        key,
        currency: currency.clone(),
        ..figures
    };
    let mut out = vec![finish("all", String::new(), all)];
    for (by, groups) in [("segment", segments), ("touch", touches)] {
        out.extend(groups.into_iter().map(|(k, f)| finish(by, k.to_owned(), f)));
    }
    let number = |id: LocalId| {
        if id.is_some() {
            id.to_string()
        } else {
            String::new()
        }
    };
    out.extend(csms.into_iter().map(|(id, f)| finish("csm", number(id), f)));
    out.sort_by(|a, b| (&a.by, &a.key).cmp(&(&b.by, &b.key)));
    out
}

/// A figure of a day and how much of the book is in it.
struct Measure {
    name: &'static str,
    title: &'static str,
    value: fn(&DayFigures) -> Value,
    known: fn(&DayFigures) -> u32,
}

const MEASURES: &[Measure] = &[
    Measure {
        name: "trend.arr",
        title: "ARR",
        value: |f| match f.arr_known {
            0 => Value::None("no account with an ARR that counts".into()),
            _ => Value::Money(f.arr),
        },
        known: |f| f.arr_known,
    },
    Measure {
        name: "trend.accounts",
        title: "Accounts",
        value: |f| Value::Count(i64::from(f.accounts)),
        known: |f| f.accounts,
    },
    Measure {
        name: "trend.at_risk",
        title: "ARR at risk",
        value: |f| Value::Money(f.at_risk),
        known: |f| f.accounts,
    },
    Measure {
        name: "trend.due",
        title: "Due within 90 days",
        value: |f| Value::Money(f.due),
        known: |f| f.accounts,
    },
    Measure {
        name: "trend.health",
        title: "Mean health",
        value: |f| match f.health_known {
            0 => Value::None("no account with a health score".into()),
            n => Value::Number(f.health_sum as f64 / f64::from(n), 1),
        },
        known: |f| f.health_known,
    },
    Measure {
        name: "trend.health_coverage",
        title: "Health known",
        value: |f| match f.accounts {
            0 => Value::None("there is no account".into()),
            n => Value::Ratio(f64::from(f.health_known) / f64::from(n)),
        },
        known: |f| f.accounts,
    },
];

fn figure(m: &Measure, f: &DayFigures) -> Figure {
    let coverage = Coverage {
        known: (m.known)(f) as usize,
        of: f.accounts as usize,
        no_rate: 0,
    };
    let why = Why {
        steps: vec![(format!("as shown on {}", f.day), (m.value)(f))],
        rows_in: coverage.known,
        rows_out: coverage.of - coverage.known,
        coverage,
        as_of: Some(f.day),
        source: "the daily history of this database".into(),
        ..Why::default()
    };
    Figure::new(m.name, m.title, (m.value)(f), why)
}

/// The page: the whole book's series, or those of one person's accounts, and how each group stands against the beginning of its series.
pub fn page(input: &Input<'_>) -> Page {
    let every = match input.choice("every") {
        Some("week") => Every::Week,
        _ => Every::Month,
    };
    let by = input
        .choice("by")
        .filter(|b| ["segment", "touch", "csm"].contains(b))
        .unwrap_or("segment");
    let (whose, key) = match input.mine {
        Some(id) => ("csm", id.to_string()),
        None => ("all", String::new()),
    };
    let series = input.history.series(whose, &key, every, input.today);
    let series = &series[series.len().saturating_sub(POINTS)..];
    let mut blocks: Vec<Block> = MEASURES
        .iter()
        .filter(|_| !series.is_empty())
        .map(|m| Block::Lines {
            title: m.title.to_owned(),
            lines: vec![Line {
                label: m.title.to_owned(),
                points: series.iter().map(|f| (f.day, figure(m, f))).collect(),
            }],
            mark: None,
        })
        .collect();
    blocks.push(Block::Table {
        title: format!("By {by}, then and now"),
        columns: [
            "since",
            "ARR then",
            "ARR now",
            "at risk then",
            "at risk now",
            "health then",
            "health now",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: groups(input, by, every),
        empty:
            "no day is kept yet: today's figures are kept shortly after the first rows have come"
                .into(),
    });
    Page {
        name: "trends",
        title: "Trends",
        badge: "as shown on each day, under the rules of that day".into(),
        sentence: sentence(input, series),
        switches: vec![
            Switch {
                name: "every",
                title: "A point for each",
                values: vec!["month".into(), "week".into()],
                current: if every == Every::Week {
                    "week"
                } else {
                    "month"
                }
                .into(),
            },
            Switch {
                name: "by",
                title: "Grouped by",
                values: ["segment", "touch", "csm"].map(str::to_owned).to_vec(),
                current: by.to_owned(),
            },
        ],
        blocks,
    }
}

fn groups(input: &Input<'_>, by: &str, every: Every) -> Vec<TableRow> {
    let mut rows: Vec<(i64, TableRow)> = input
        .history
        .keys(by)
        .filter_map(|key| {
            let series = input.history.series(by, key, every, input.today);
            let then = series.get(series.len().saturating_sub(POINTS))?;
            let now = series.last()?;
            let mut cells = vec![Figure::text(then.day.to_string())];
            for name in ["trend.arr", "trend.at_risk", "trend.health"] {
                let measure = MEASURES.iter().find(|m| m.name == name)?;
                cells.extend([figure(measure, then), figure(measure, now)]);
            }
            let label = label(input.book, by, key);
            Some((
                now.arr,
                TableRow {
                    label,
                    account: None,
                    cells,
                },
            ))
        })
        .collect();
    rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.label.cmp(&b.1.label)));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn label(book: &Book, by: &str, key: &str) -> String {
    if key.is_empty() {
        return format!("no {by}");
    }
    let person = || {
        let id = LocalId(key.parse().ok()?);
        let row = book.row_of(crate::book::Entity::Person, id)?;
        Some(book.person(row).name().to_owned())
    };
    match by {
        "csm" => person().unwrap_or_else(|| format!("person {key}, no longer known")),
        _ => key.to_owned(),
    }
}

fn sentence(input: &Input<'_>, series: &[&DayFigures]) -> String {
    let (Some(first), Some(last)) = (series.first(), series.last()) else {
        return "No day is kept yet.".to_owned();
    };
    let other = match input.history.in_other_currency() {
        0 => String::new(),
        1 => "; 1 figure in another reporting currency is left out".to_owned(),
        n => format!("; {n} figures in another reporting currency are left out"),
    };
    let currency = input.book.reporting();
    let money = |minor: i64| super::short_money(minor, crate::book::value::exponent(&currency));
    if first.day == last.day {
        return format!(
            "One point so far, {}: {}, ARR {}{other}.",
            last.day,
            super::many(last.accounts as usize, "account"),
            money(last.arr)
        );
    }
    format!(
        "From {} to {}: accounts {} → {}, ARR {} → {}, at risk {} → {}{other}.",
        first.day,
        last.day,
        first.accounts,
        last.accounts,
        money(first.arr),
        money(last.arr),
        money(first.at_risk),
        money(last.at_risk)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{Account, Calendar, Facts, History, Money, Overlay, Renewal, RowDelta};
    use crate::insight::{Rules, Settings, derive};
    use jiff::civil::date;

    fn book(healths: &[(u32, Option<u8>, Option<i64>, &str)]) -> Book {
        let accounts = healths
            .iter()
            .map(|(id, health, arr, segment)| {
                let account = Account {
                    id: LocalId(*id),
                    name: format!("A{id}"),
                    health: *health,
                    arr: arr.and_then(|a| Money::new(a * 100, "USD")),
                    segment: Some((*segment).to_owned()),
                    csm: (*id != 3).then_some(LocalId(7)),
                    ..Account::default()
                };
                (account, Facts::default())
            })
            .collect();
        let renewal = |id, account, due, amount: i64| Renewal {
            id: LocalId(id),
            account,
            due: Some(due),
            amount: Money::new(amount * 100, "USD"),
            ..Renewal::default()
        };
        let delta = RowDelta {
            accounts,
            renewals: vec![
                renewal(1, Some(LocalId(1)), date(2026, 12, 1), 10),
                renewal(2, Some(LocalId(2)), date(2027, 12, 1), 1_000),
                renewal(3, None, date(2026, 11, 1), 5),
            ],
            ..RowDelta::default()
        };
        Book::empty().apply(delta, &Overlay::default())
    }

    fn kept(day: Date, rows: &[(u32, Option<u8>, Option<i64>, &str)]) -> Vec<DayFigures> {
        let book = book(rows);
        day_figures(&book, &derive(&book, day, &Rules::default()), day)
    }

    #[test]
    fn the_figures_of_a_day_add_up_over_every_grouping() {
        let day = date(2026, 11, 22);
        let figures = kept(
            day,
            &[
                (1, Some(10), Some(100), "smb"),
                (2, Some(90), Some(200), "smb"),
                (3, None, None, "mid"),
            ],
        );
        let all = figures
            .iter()
            .find(|f| f.by == "all")
            .expect("the whole book");
        assert_eq!(
            (
                all.accounts,
                all.arr,
                all.arr_known,
                all.health_known,
                all.health_sum
            ),
            (3, 30_000, 2, 2, 100)
        );
        // Health 10 is bad: 55 % is above the threshold.
        assert_eq!((all.in_queue, all.at_risk, all.due), (1, 10_000, 1_500));
        for by in ["segment", "touch", "csm"] {
            let of = || figures.iter().filter(|f| f.by == by);
            assert_eq!(of().map(|f| f.accounts).sum::<u32>(), 3, "{by}");
            assert_eq!(of().map(|f| f.arr).sum::<i64>(), 30_000, "{by}");
            // The renewal without an account is in the whole book only.
            assert_eq!(of().map(|f| f.due).sum::<i64>(), 1_000, "{by}");
        }
        assert!(day_figures(&Book::empty(), &Derived::default(), day).is_empty());
    }

    fn page_of(history: &History, book: &Book, mine: Option<LocalId>) -> Page {
        page(&Input {
            book,
            derived: &Derived::default(),
            today: date(2026, 11, 22),
            calendar: &Calendar::default(),
            settings: &Settings::default(),
            mine,
            history,
            choices: &Default::default(),
            forecasts: &[],
        })
    }

    #[test]
    fn the_page_shows_what_was_shown_and_nothing_where_nothing_was() {
        let now = [
            (1, Some(10), Some(100), "smb"),
            (2, Some(90), Some(200), "smb"),
        ];
        let empty = page_of(&History::default(), &book(&now), None);
        assert_eq!(empty.sentence, "No day is kept yet.");
        assert!(matches!(&empty.blocks[..], [Block::Table { rows, .. }] if rows.is_empty()));
        let mut all = kept(date(2026, 9, 30), &[(1, Some(80), Some(150), "smb")]);
        all.extend(kept(date(2026, 11, 22), &now));
        let history = History::new(all, "USD");
        let page = page_of(&history, &book(&now), None);
        assert_eq!(
            page.sentence,
            "From 2026-09-30 to 2026-11-22: accounts 1 → 2, ARR 150 → 300, at risk 0 → 100."
        );
        let Some(Block::Lines { lines, .. }) = page.blocks.first() else {
            panic!("no line of ARR");
        };
        let points: Vec<_> = lines[0]
            .points
            .iter()
            .map(|(d, f)| (*d, f.value.clone()))
            .collect();
        assert_eq!(
            points,
            [
                (date(2026, 9, 30), Value::Money(15_000)),
                (date(2026, 11, 22), Value::Money(30_000))
            ]
        );
        // One person's series is that of their accounts; somebody without any has none.
        assert!(
            page_of(&history, &book(&now), Some(LocalId(7)))
                .blocks
                .len()
                > 1
        );
        assert_eq!(
            page_of(&history, &book(&now), Some(LocalId(8)))
                .blocks
                .len(),
            1
        );
        for block in &page.blocks {
            if let Block::Lines { lines, .. } = block {
                let figures = lines.iter().flat_map(|l| &l.points);
                assert!(figures.clone().all(|(_, f)| {
                    f.why.is_some() && crate::insight::definition(f.name).is_some()
                }));
            }
        }
    }
}
