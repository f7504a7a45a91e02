//! A page of figures as JSON.

use crate::cli::print::money_json;
use crate::cockpit::Snapshot;
use crate::insight::page::{self, Block, Figure, Page, TableRow, Target, Why};
use serde_json::{Map, Value, json};

/// A page as JSON: values as the other documents have them, null where there is no answer.
pub(super) fn page_json(s: &Snapshot, page: &Page, explained: bool) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("page".into(), json!(page.name));
    out.insert("title".into(), json!(page.title));
    out.insert("policy".into(), json!(page.badge));
    out.insert("sentence".into(), json!(page.sentence));
    out.insert("switches".into(), json!(page.switches));
    let blocks = page.blocks.iter().map(|b| block_json(s, b, explained));
    out.insert("blocks".into(), blocks.collect());
    out
}

/// A value as the other documents have it, null where there is no answer.
pub(in crate::cli) fn value_json(s: &Snapshot, value: &page::Value) -> Value {
    use page::Value as V;
    match value {
        V::Money(minor) => money_json(s.book.reporting_money(*minor)),
        V::Ratio(n) | V::Number(n, _) | V::Days(n) => json!(n),
        V::Count(n) => json!(n),
        V::Date(d) => json!(d.to_string()),
        V::Text(t) => json!(t),
        V::None(_) | V::Empty => Value::Null,
    }
}

fn figure_json(s: &Snapshot, f: &Figure, explained: bool) -> Value {
    let mut out = Map::new();
    if !f.name.is_empty() {
        out.insert("name".into(), json!(f.name));
    }
    if !f.label.is_empty() {
        out.insert("label".into(), json!(f.label));
    }
    out.insert("value".into(), value_json(s, &f.value));
    if let page::Value::None(reason) = &f.value {
        out.insert("reason".into(), json!(reason));
    }
    if f.state != page::State::Plain {
        out.insert("state".into(), json!(f.state));
    }
    if let Some(Target { from, to, source }) = &f.target {
        let limit = |v: &Option<page::Value>| v.as_ref().map_or(Value::Null, |v| value_json(s, v));
        out.insert(
            "target".into(),
            json!({"from": limit(from), "to": limit(to), "source": source}),
        );
    }
    if let Some(why) = &f.why {
        out.insert("coverage".into(), json!(why.coverage));
        if explained {
            out.insert("why".into(), why_json(s, f.name, why));
        }
    }
    Value::Object(out)
}

fn why_json(s: &Snapshot, name: &str, why: &Why) -> Value {
    let definition = crate::insight::definition(name)
        .map(|d| json!({"title": d.title, "formula": d.formula, "note": d.note}));
    let steps: Vec<Value> = why
        .steps
        .iter()
        .map(|(label, v)| json!({"label": label, "value": value_json(s, v)}))
        .collect();
    let rows: Vec<Value> = why
        .rows
        .iter()
        .map(|r| {
            let values: Vec<Value> = r.values.iter().map(|v| value_json(s, v)).collect();
            json!({"row": r.label, "account": r.account, "values": values, "note": r.note})
        })
        .collect();
    json!({
        "definition": definition, "policy": why.policy, "steps": steps, "columns": why.columns, "rows": rows, "rows_in": why.rows_in,
        "excluded": why.left_out, "rows_out": why.rows_out, "data_from": why.as_of, "source": why.source,
    })
}

fn block_json(s: &Snapshot, block: &Block, explained: bool) -> Value {
    let list = |figures: &[Figure]| -> Value {
        figures
            .iter()
            .map(|f| figure_json(s, f, explained))
            .collect()
    };
    let table = |rows: &[TableRow]| -> Value {
        rows.iter()
            .map(|r| json!({"label": r.label, "account": r.account, "cells": list(&r.cells)}))
            .collect()
    };
    match block {
        Block::Figures { title, figures } => {
            json!({"block": "figures", "title": title, "figures": list(figures)})
        }
        Block::Bars { title, bars } => {
            json!({"block": "bars", "title": title, "figures": list(bars)})
        }
        Block::Waterfall { title, steps } => {
            json!({"block": "waterfall", "title": title, "figures": list(steps)})
        }
        Block::Table {
            title,
            columns,
            rows,
            empty,
        } => {
            let empty = rows.is_empty().then_some(empty);
            json!({"block": "table", "title": title, "columns": columns, "rows": table(rows), "empty": empty})
        }
        Block::Heat {
            title,
            columns,
            rows,
            scale,
            empty,
        } => {
            let empty = rows.is_empty().then_some(empty);
            json!({"block": "heat", "title": title, "columns": columns, "rows": table(rows), "scale": [scale.0, scale.1], "empty": empty})
        }
        Block::Lines { title, lines, mark } => {
            let lines: Vec<Value> = lines
                .iter()
                .map(|l| {
                    let points: Vec<Value> = l
                        .points
                        .iter()
                        .map(|(day, f)| json!({"date": day.to_string(), "figure": figure_json(s, f, explained)}))
                        .collect();
                    json!({"label": l.label, "points": points})
                })
                .collect();
            let mark = mark.as_ref().map(|m| value_json(s, m));
            json!({"block": "lines", "title": title, "lines": lines, "target": mark})
        }
        Block::Text { text } => json!({"block": "text", "text": text}),
    }
}
