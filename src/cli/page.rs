//! `csops page`: a page of the metrics screen as text or JSON, each figure explained where that is asked for.

pub(super) mod json;

use super::args::{Global, Page as Options};
use super::open::{How, Session, coverage, head, of_day, open, say_day, whose};
use super::print::{aligned, print_json};
use super::start::Failure;
use crate::book::text::visible;
use crate::cockpit::PageSpec;
use crate::cockpit::pages::make;
use crate::insight::page::{self, Block, Figure, PAGES, Page};
use crate::tui::figures::{Words, explain, grid, words};
use json::page_json;
use serde_json::Value;
use std::io::Write;
use unicode_width::UnicodeWidthStr;

/// Cells of a line of an explanation.
const WIDE: usize = 110;

/// Runs it.
///
/// # Errors
/// 2 for a page or switch that there is not.
pub fn run(global: &Global, options: &Options, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(name) = &options.name else {
        for (name, title, _) in PAGES {
            writeln!(out, "{name:<14} {title}")?;
        }
        return Ok(());
    };
    let wrong = |e: String| Failure::usage(format!("--set: {e}"));
    let mut spec = PageSpec::of(name, options.mine);
    for choice in &options.set {
        let Some((switch, value)) = choice.split_once('=') else {
            return Err(Failure::usage(format!("--set {choice}: write NAME=VALUE")));
        };
        let switch = switch.trim();
        spec = spec.with(
            switch,
            page::written(name, switch, value.trim()).map_err(wrong)?,
        );
    }
    known(name)?;
    let session = open(global, How::Headless)?;
    whose(&session.cockpit.snapshot(), options.mine)?;
    let how = Format {
        json: options.json,
        explain: options.explain,
        as_of: options.as_of.as_deref(),
    };
    print(&session, &spec, how, out)
}

/// What was chosen is something that the page has, and a value of it.
///
/// # Errors
/// 2 for a switch or value that the page does not have.
fn chosen(page: &Page, spec: &PageSpec) -> Result<(), Failure> {
    // The pages of other screens are also told what they are about, which is no switch.
    let only_switches = PAGES.iter().any(|p| p.0 == spec.name);
    for (name, value) in &spec.choices {
        let switch = match page.switch(name) {
            Ok(switch) => switch,
            Err(e) if only_switches => return Err(Failure::usage(format!("--set: {e}"))),
            Err(_) => continue,
        };
        if !switch.values.contains(value) {
            return Err(Failure::usage(format!(
                "{name} is one of {}, not {value}",
                switch.values.join(", ")
            )));
        }
    }
    Ok(())
}

/// The page's name is one that there is.
///
/// # Errors
/// 2 with the nearest name.
pub fn known(name: &str) -> Result<(), Failure> {
    if page::find(name).is_some() || name == crate::cockpit::pages::SYNC {
        return Ok(());
    }
    let names: Vec<&str> = PAGES.iter().map(|p| p.0).collect();
    let near = crate::config::nearest(name, names.iter().copied())
        .map_or_else(String::new, |n| format!(", did you mean `{n}`?"));
    Err(Failure::usage(format!(
        "there is no page `{name}`{near}; there are {}",
        names.join(", ")
    )))
}

/// How a page is printed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Format<'a> {
    /// As one JSON document.
    pub json: bool,
    /// With the explanation of each figure.
    pub explain: bool,
    /// As it was known on this day.
    pub as_of: Option<&'a str>,
}

/// Prints a page.
///
/// # Errors
/// 2 for a switch or value that the page does not have, or a day that cannot be read; 1 for a day of which nothing is known; when the output
/// cannot be written.
pub fn print(
    session: &Session,
    spec: &PageSpec,
    format: Format<'_>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let present = session.cockpit.snapshot();
    let past = match format.as_of {
        Some(_) if spec.name == crate::cockpit::pages::SYNC => {
            return Err(Failure::usage(
                "--as-of: how sources went is not kept by day".into(),
            ));
        }
        Some(day) => session.as_of(&present, day)?,
        None => None,
    };
    let snapshot = past.as_ref().map_or(&present, |p| &p.snapshot);
    let page = make(snapshot, spec);
    chosen(&page, spec)?;
    if format.json {
        let mut document = head(snapshot, "page");
        if let Some(past) = &past {
            of_day(&mut document, past);
        }
        document.insert("coverage".into(), coverage(snapshot));
        document.extend(page_json(snapshot, &page, format.explain));
        print_json(&Value::Object(document), out)?;
        return Ok(());
    }
    if let Some(past) = &past {
        say_day(past);
    }
    let words = Words {
        book: &snapshot.book,
        today: snapshot.today,
    };
    text(&words, &page, format.explain, out)?;
    Ok(())
}

fn text(w: &Words<'_>, page: &Page, explained: bool, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", visible(page.title))?;
    for line in [&page.sentence, &page.badge] {
        if !line.is_empty() {
            writeln!(out, "{}", visible(line))?;
        }
    }
    for s in &page.switches {
        writeln!(
            out,
            "{}={}  ({}: {})",
            s.name,
            visible(&s.current),
            s.title,
            visible(&s.values.join(", "))
        )?;
    }
    for block in &page.blocks {
        writeln!(out)?;
        let title = grid::title(block);
        if !title.is_empty() {
            writeln!(out, "{}", visible(title))?;
        }
        block_text(w, block, out)?;
    }
    if explained {
        let mut at = grid::first(page);
        while let Some(spot) = at {
            if let Some(f) = grid::figure(page, spot) {
                writeln!(out, "\n== {}", visible(&grid::label(page, spot)))?;
                for line in explain::lines(w, page, f, WIDE, usize::MAX) {
                    let line: String = line.iter().map(|b| b.0.as_ref()).collect();
                    writeln!(out, "{}", visible(line.trim_end()))?;
                }
            }
            at = grid::step(page, spot, true);
        }
    }
    Ok(())
}

/// A value; why there is none is said where the figure is explained.
fn value(w: &Words<'_>, f: &Figure) -> String {
    match &f.value {
        page::Value::None(_) => w.short(&f.value),
        v => w.full(v),
    }
}

/// The values of a column with their signs behind them, so that the values themselves end at one edge.
fn column<'f>(
    w: &Words<'_>,
    figures: impl Iterator<Item = Option<&'f Figure>> + Clone,
) -> Vec<String> {
    let widest = figures
        .clone()
        .flatten()
        .map(|f| words::sign(f).width())
        .max();
    let widest = widest.unwrap_or(0);
    figures
        .map(|f| {
            let Some(f) = f else { return String::new() };
            let sign = words::sign(f);
            let gap = usize::from(widest > 0) + widest - sign.width();
            if sign.is_empty() {
                format!("{}{}", value(w, f), " ".repeat(gap))
            } else {
                format!("{} {sign}{}", value(w, f), " ".repeat(gap - 1))
            }
        })
        .collect()
}

fn block_text(w: &Words<'_>, block: &Block, out: &mut dyn Write) -> std::io::Result<()> {
    match block {
        Block::Text { text } => writeln!(out, "{}", visible(text)),
        Block::Figures { figures: list, .. }
        | Block::Bars { bars: list, .. }
        | Block::Waterfall { steps: list, .. } => {
            let rows = list
                .iter()
                .zip(column(w, list.iter().map(Some)))
                .map(|(f, value)| {
                    let target = f.target.as_ref().map_or_else(String::new, |t| {
                        let source = if t.source.is_empty() {
                            String::new()
                        } else {
                            format!(" ({})", t.source)
                        };
                        format!("wanted {}{source}", w.target(t))
                    });
                    vec![f.label.clone(), value, target]
                })
                .collect();
            table(&[false, true, false], rows, out)
        }
        Block::Table { rows, empty, .. } | Block::Heat { rows, empty, .. } if rows.is_empty() => {
            writeln!(out, "  {}", visible(empty))
        }
        Block::Table { columns, rows, .. } | Block::Heat { columns, rows, .. } => {
            let mut right = vec![false];
            right.extend((0..columns.len()).map(|i| {
                rows.iter()
                    .filter_map(|r| r.cells.get(i))
                    .any(|f| !matches!(f.value, page::Value::Text(_) | page::Value::Empty))
            }));
            let mut lines = vec![{
                let mut head = vec![String::new()];
                head.extend(columns.iter().cloned());
                head
            }];
            lines.extend(rows.iter().map(|r| vec![r.label.clone()]));
            for i in 0..columns.len() {
                let values = column(w, rows.iter().map(|r| r.cells.get(i)));
                for (line, value) in lines.iter_mut().skip(1).zip(values) {
                    line.push(value);
                }
            }
            table(&right, lines, out)
        }
        Block::Lines { lines, mark, .. } => {
            let mut days: Vec<_> = lines
                .iter()
                .flat_map(|l| l.points.iter().map(|p| p.0))
                .collect();
            days.sort_unstable();
            days.dedup();
            let mut rows = vec![{
                let mut head = vec![String::new()];
                head.extend(lines.iter().map(|l| l.label.clone()));
                head
            }];
            rows.extend(days.iter().map(|day| {
                let mut row = vec![day.to_string()];
                row.extend(lines.iter().map(|l| {
                    let point = l.points.iter().find(|p| p.0 == *day);
                    point.map_or_else(String::new, |p| value(w, &p.1))
                }));
                row
            }));
            let mut right = vec![true; lines.len() + 1];
            right[0] = false;
            table(&right, rows, out)?;
            match mark {
                Some(mark) => writeln!(out, "  target {}", w.short(mark)),
                None => Ok(()),
            }
        }
    }
}

/// Rows of cells under each other, made visible; the columns of `right` end at the same edge.
fn table(right: &[bool], rows: Vec<Vec<String>>, out: &mut dyn Write) -> std::io::Result<()> {
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|r| r.into_iter().map(|c| visible(&c).into_owned()).collect())
        .collect();
    aligned("  ", right, &rows, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Book;
    use crate::cockpit::Snapshot;
    use crate::insight::Coverage;
    use crate::insight::page::{Line, State, TableRow, Target, Why};
    use serde_json::json;

    fn page() -> Page {
        let figure = |label: &str, value| {
            Figure::new(
                "arr",
                label,
                value,
                Why {
                    rows_in: 2,
                    coverage: Coverage {
                        known: 2,
                        of: 3,
                        no_rate: 1,
                    },
                    ..Why::default()
                },
            )
        };
        let mut watched = figure("ARR \u{1b}[2J", page::Value::Money(123_450));
        watched.state = State::Watch;
        watched.target = Some(Target {
            from: Some(page::Value::Money(200_000)),
            to: None,
            source: "the plan".into(),
        });
        Page {
            name: "test",
            title: "Test",
            sentence: "A sentence.".into(),
            blocks: vec![
                Block::Figures {
                    title: "Figures".into(),
                    figures: vec![watched, figure("none", page::Value::None("no row".into()))],
                },
                Block::Table {
                    title: "Table".into(),
                    columns: vec!["ARR".into(), "who".into()],
                    rows: vec![TableRow {
                        label: "株式会社".into(),
                        account: None,
                        cells: vec![figure("", page::Value::Money(100)), Figure::text("Dana")],
                    }],
                    empty: String::new(),
                },
                Block::Lines {
                    title: "Lines".into(),
                    lines: vec![Line {
                        label: "one".into(),
                        points: vec![(
                            jiff::civil::date(2026, 11, 1),
                            figure("", page::Value::Ratio(0.5)),
                        )],
                    }],
                    mark: Some(page::Value::Ratio(0.9)),
                },
            ],
            ..Page::default()
        }
    }

    #[test]
    fn text_is_aligned_without_control_characters_and_explains_when_asked() {
        let book = Book::empty().with_money("USD", &[], None);
        let words = Words {
            book: &book,
            today: jiff::civil::date(2026, 11, 26),
        };
        let printed = |explained| {
            let mut out = Vec::new();
            text(&words, &page(), explained, &mut out).expect("written");
            String::from_utf8(out).expect("text")
        };
        let said = printed(false);
        for wanted in [
            "  ARR ␛[2J  $1,234.50 ▼!  wanted ≥ $2k (the plan)",
            "  none            n/a",
            "  株式会社   $1  Dana",
            "  2026-11-01  50.00%",
            "  target 90.0%",
        ] {
            assert!(said.contains(wanted), "{wanted} is not in\n{said}");
        }
        assert!(!said.contains('\u{1b}') && !said.contains("Coverage"));
        let said = printed(true);
        assert_eq!(said.matches("Coverage").count(), 4, "{said}");
        assert!(said.contains("== 株式会社 · ARR"), "{said}");
        assert!(
            said.contains("66.6%: known of 2 of 3, 1 without a rate"),
            "{said}"
        );
    }

    #[test]
    fn json_has_values_as_every_document_has_them() {
        let s = Snapshot {
            book: Book::empty().with_money("USD", &[], None),
            ..Snapshot::default()
        };
        let v = Value::Object(page_json(&s, &page(), true));
        let first = &v["blocks"][0]["figures"][0];
        assert_eq!(
            first["value"],
            json!({"amount": "1234.50", "currency": "USD"})
        );
        assert_eq!(first["label"], "ARR \u{1b}[2J");
        assert_eq!(first["state"], "watch");
        assert_eq!(first["target"]["source"], "the plan");
        assert_eq!(first["why"]["rows_in"], 2);
        assert_eq!(first["coverage"]["no_rate"], 1);
        let none = &v["blocks"][0]["figures"][1];
        assert_eq!(
            (&none["value"], &none["reason"]),
            (&Value::Null, &json!("no row"))
        );
        assert_eq!(
            v["blocks"][2]["lines"][0]["points"][0],
            json!({"date": "2026-11-01", "figure": {
                "name": "arr", "value": 0.5, "coverage": {"known": 2, "of": 3, "no_rate": 1},
                "why": {"definition": v["blocks"][0]["figures"][0]["why"]["definition"], "policy": "", "steps": [], "columns": [], "rows": [],
                    "rows_in": 2, "excluded": [], "rows_out": 0, "data_from": null, "source": ""}
            }})
        );
        let short = Value::Object(page_json(&s, &page(), false));
        assert!(short["blocks"][0]["figures"][0].get("why").is_none());
    }
}
