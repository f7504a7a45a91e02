//! Printing: the same rows as an aligned table, as JSON, as JSON lines or as CSV that is safe to open in a spreadsheet.
//!
//! JSON keeps the true text, escaped as JSON does; the table and CSV show control characters as visible marks.

use crate::book::text::visible;
use crate::book::{FieldValue, Money};
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned for a person.
    Table,
    /// One document.
    Json,
    /// One object per line.
    JsonLines,
    /// Comma-separated values.
    Csv,
}

impl Format {
    /// The format that the flags of a list ask for.
    pub fn of(json: bool, ndjson: bool, csv: bool) -> Format {
        match (json, ndjson, csv) {
            (true, _, _) => Format::Json,
            (_, true, _) => Format::JsonLines,
            (_, _, true) => Format::Csv,
            _ => Format::Table,
        }
    }
}

/// Rows under named columns.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Names of the field registry.
    pub columns: Vec<String>,
    /// One value per column.
    pub rows: Vec<Vec<FieldValue>>,
}

/// A value as JSON: money as an amount and a currency, dates in ISO 8601, what is missing as null.
pub fn to_json(value: &FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Text(s) | FieldValue::Ref(s) => Value::String(s.clone()),
        FieldValue::Number(n) if n.fract() == 0.0 && n.abs() < 9.0e15 => json!(*n as i64),
        FieldValue::Number(n) => json!(n),
        FieldValue::Bool(b) => json!(b),
        FieldValue::Money(m) => money_json(*m),
        FieldValue::Date(d) => json!(d.to_string()),
        FieldValue::Instant(t) => json!(t.to_string()),
        FieldValue::Id(id) => json!(id.0),
        FieldValue::List(l) => json!(l),
    }
}

/// Money as every document has it: the exact amount and its currency.
pub fn money_json(m: Money) -> Value {
    json!({"amount": m.decimal(), "currency": m.code()})
}

/// A value for a person, on one line.
pub fn to_text(value: &FieldValue) -> String {
    match value {
        FieldValue::Number(n) if n.fract() != 0.0 => format!("{n:.2}"),
        other => visible(&other.to_string()).into_owned(),
    }
}

/// A value for a CSV: empty for nothing, and nothing that a spreadsheet would take for a formula.
pub fn to_csv(value: &FieldValue) -> String {
    match value {
        FieldValue::Null => String::new(),
        FieldValue::Money(m) => m.decimal(),
        FieldValue::Number(n) => n.to_string(),
        FieldValue::Text(_) | FieldValue::Ref(_) | FieldValue::List(_) => {
            let text = visible(&value.to_string()).into_owned();
            if text
                .trim_start()
                .starts_with(['=', '+', '-', '@', '␉', '␍', '|', '%'])
            {
                format!("'{text}")
            } else {
                text
            }
        }
        other => other.to_string(),
    }
}

impl Rows {
    /// Prints the rows. `head` holds the document's other members (`as_of`, `kind`, `coverage`).
    pub fn print(
        &self,
        format: Format,
        head: Map<String, Value>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match format {
            Format::Table => self.print_table(out),
            Format::Json => {
                let mut document = head;
                document.insert("rows".into(), self.objects().collect());
                print_json(&Value::Object(document), out)
            }
            Format::JsonLines => {
                for object in self.objects() {
                    writeln!(out, "{object}")?;
                }
                Ok(())
            }
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(&self.columns)?;
                for row in &self.rows {
                    csv.write_record(row.iter().map(to_csv))?;
                }
                csv.flush()
            }
        }
    }

    fn objects(&self) -> impl Iterator<Item = Value> + '_ {
        self.rows.iter().map(|row| {
            let pairs = self.columns.iter().cloned().zip(row.iter().map(to_json));
            Value::Object(pairs.collect())
        })
    }

    /// Prints them aligned for a person.
    pub fn print_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let cells: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|v| shorten(&to_text(v), 60)).collect())
            .collect();
        let right: Vec<bool> = (0..self.columns.len())
            .map(|i| {
                self.rows
                    .iter()
                    .any(|r| matches!(r[i], FieldValue::Number(_) | FieldValue::Money(_)))
            })
            .collect();
        let mut lines = vec![self.columns.clone()];
        lines.extend(cells);
        aligned("", &right, &lines, out)
    }
}

/// Rows of cells under each other, `lead` in front of each; the columns of `right` end at the same edge.
pub fn aligned(
    lead: &str,
    right: &[bool],
    rows: &[Vec<String>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| {
            let cells = rows.iter().filter_map(|r| r.get(i));
            cells.map(|c| c.width()).max().unwrap_or(0)
        })
        .collect();
    for row in rows {
        let mut line = lead.to_owned();
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            line.push_str(if i == 0 { "" } else { "  " });
            if right.get(i).copied().unwrap_or(false) {
                line.push_str(&space);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&space);
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// One JSON document and a line end.
pub fn print_json(document: &Value, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}

/// The text in at most `width` cells, with an ellipsis where it was cut.
pub fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for g in text.graphemes(true) {
        if kept.width() + g.width() + 1 > width {
            break;
        }
        kept.push_str(g);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    fn printed(format: Format) -> String {
        let rows = Rows {
            columns: vec!["name".into(), "arr".into()],
            rows: vec![
                vec![
                    FieldValue::Text("=HYPERLINK(\"x\")\x1b[2J".into()),
                    FieldValue::Money(Money::new(123_450, "USD").expect("a currency")),
                ],
                vec![FieldValue::Text("株式会社".into()), FieldValue::Null],
            ],
        };
        let mut out = Vec::new();
        rows.print(format, Map::new(), &mut out).expect("written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn csv_is_safe_for_spreadsheets_and_terminals() {
        assert_eq!(
            printed(Format::Csv),
            "name,arr\n\"'=HYPERLINK(\"\"x\"\")␛[2J\",1234.50\n株式会社,\n"
        );
    }

    #[test]
    fn json_keeps_the_true_text_and_exact_money() {
        let value: Value = serde_json::from_str(&printed(Format::Json)).expect("a document");
        assert_eq!(value["rows"][0]["name"], "=HYPERLINK(\"x\")\x1b[2J");
        assert_eq!(
            value["rows"][0]["arr"],
            json!({"amount": "1234.50", "currency": "USD"})
        );
        assert_eq!(value["rows"][1]["arr"], Value::Null);
    }

    #[test]
    fn a_table_aligns_by_cells_and_numbers_to_the_right() {
        let lines: Vec<String> = printed(Format::Table).lines().map(str::to_owned).collect();
        assert_eq!(lines[0].width(), lines[1].width());
        assert!(!printed(Format::Table).contains('\x1b'));
    }
}
