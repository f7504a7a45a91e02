//! Rows of a file as records: cell by cell into canonical fields, row by row taken or refused with a reason. Never more than a page of
//! them is held.

use super::cell::{self, Order};
use super::encoding::Utf8;
use super::finish::finish;
use super::kinds::{Column, FileKind, Ty};
use super::map::Map;
use super::split::{Cells, Found, Marks, Splitter};
use super::survey::{Goes, Shape, Slot, Survey, open, unreadable};
use crate::book::record::{FieldName, IMPLIED};
use crate::book::text::visible;
use crate::book::value::currency_code;
use crate::book::{Entity, FieldValue, Money, Record};
use crate::connect::convert::{self, Kind};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// What a file is to be read with. What is not said is found out.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// What its rows are; else the map file or the file's name says.
    pub kind: Option<FileKind>,
    /// A map file.
    pub map: Option<PathBuf>,
    /// The currency of amounts whose row names none.
    pub currency: Option<String>,
}

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its first line, from 1.
    pub line: u64,
    /// The column that it failed at, as the file calls it; empty when it is the whole row.
    pub column: String,
    /// What stands there, shortened, control characters made visible.
    pub value: String,
    /// Why, in words.
    pub reason: String,
    /// What names the row, if that could be read.
    pub external_id: Option<String>,
}

impl Refusal {
    /// Without the line, for a person.
    pub fn describe(&self) -> String {
        match (self.column.is_empty(), self.value.is_empty()) {
            (true, true) => self.reason.clone(),
            (true, false) => format!("{}: `{}`", self.reason, self.value),
            (false, true) => format!("{}: {}", self.column, self.reason),
            (false, false) => format!("{}: `{}` {}", self.column, self.value, self.reason),
        }
    }
}

/// Some rows of a file, in its order.
#[derive(Debug, Default)]
pub struct FilePage {
    /// The rows that were taken, with their lines.
    pub rows: Vec<(u64, Record)>,
    /// Those that were not.
    pub refused: Vec<Refusal>,
    /// What the taken rows refer to, each once.
    pub implied: Vec<Record>,
    /// The file has no more.
    pub done: bool,
}

/// A file that has been looked over and is being read.
pub struct Table {
    path: PathBuf,
    survey: Survey,
    map: Map,
    currency: Option<[u8; 3]>,
    rows: Splitter<Utf8<BufReader<File>>>,
    cells: Cells,
    texts: Vec<String>,
    places: HashMap<String, usize>,
    /// A fingerprint of every row's name and its line: a second row of the same name is refused. Twelve bytes a row.
    lines: HashMap<[u32; 2], u32>,
    /// What was told to be referred to lately.
    told: HashSet<u64>,
}

/// So many names of other things are remembered as told; then it begins anew.
const TOLD: usize = 500_000;
/// A row's name may be this long.
const LONGEST_KEY: usize = 1_000;

impl Table {
    /// Looks a file over and opens it. The error is a sentence: the file as a whole cannot be used so.
    ///
    /// # Errors
    /// A file or map file that cannot be read, a kind that nobody said, columns that are missing or double.
    pub fn open(path: &Path, reading: &Reading) -> Result<Table, String> {
        let map = match &reading.map {
            Some(path) => Map::read(path)?,
            None => Map::default(),
        };
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let kind = match reading.kind {
            Some(kind) => kind,
            None => map
                .kind()?
                .or_else(|| FileKind::of_file_name(&name))
                .ok_or_else(|| {
                    format!(
                        "what does {} hold? Say --kind accounts, people, subscriptions, movements, renewals, opportunities, tasks, signals, escalations or rates",
                        path.display()
                    )
                })?,
        };
        let mut survey = Survey::of(path, kind, &map)?;
        let currency = map
            .currency
            .as_deref()
            .or(reading.currency.as_deref())
            .and_then(currency_code);
        let amounts = |s: &Slot| matches!(s.goes, Goes::Known(c) if c.ty == Ty::Money);
        if survey.slots.iter().any(amounts)
            && !survey.has("currency")
            && let Some(code) = &currency
        {
            survey.notes.push(format!(
                "amounts without a currency are read as {}",
                String::from_utf8_lossy(code)
            ));
        }
        let marks = match survey.shape {
            Shape::Separated(marks) => marks,
            Shape::JsonLines => Marks {
                separator: b',',
                cr: false,
            },
        };
        let mut rows = open(path, survey.coding, marks)?;
        let mut cells = Cells::default();
        while rows.next_line_number() <= survey.head {
            let before = rows.next_line_number();
            // The header may take several lines; it is met as one record once the lines to be skipped are behind.
            let step = if before <= map.skip {
                rows.next_line(&mut cells)
            } else {
                rows.next(&mut cells)
            };
            if step.map_err(|e| unreadable(path, &e))?.is_none() {
                break;
            }
        }
        let places = survey
            .slots
            .iter()
            .enumerate()
            .map(|(i, s)| (s.header.clone(), i))
            .collect();
        Ok(Table {
            path: path.to_owned(),
            texts: vec![String::new(); survey.slots.len()],
            survey,
            map,
            currency,
            rows,
            cells,
            places,
            lines: HashMap::new(),
            told: HashSet::new(),
        })
    }

    /// What its rows are.
    pub fn kind(&self) -> FileKind {
        self.survey.kind
    }

    /// What was found out about it, for a person.
    pub fn notes(&self) -> &[String] {
        &self.survey.notes
    }

    /// The next rows, at most so many (taken and refused together).
    ///
    /// # Errors
    /// The file can no longer be read.
    pub fn page(&mut self, most: usize) -> Result<FilePage, String> {
        let mut page = FilePage::default();
        while page.rows.len() + page.refused.len() < most.max(1) {
            let found = match self.survey.shape {
                Shape::Separated(_) => self.rows.next(&mut self.cells),
                Shape::JsonLines => self.rows.next_line(&mut self.cells),
            };
            match found.map_err(|e| unreadable(&self.path, &e))? {
                None => {
                    page.done = true;
                    break;
                }
                Some(Found::Blank) => {}
                Some(Found::Broken(why)) => page.refused.push(self.whole(why.to_owned())),
                Some(Found::Record) => match self.row(&mut page.implied) {
                    Ok(record) => page.rows.push((self.cells.line, record)),
                    Err(refusal) => page.refused.push(*refusal),
                },
            }
        }
        Ok(page)
    }

    /// A refusal of the whole row.
    fn whole(&self, reason: String) -> Refusal {
        let text = String::from_utf8_lossy(self.cells.get(0));
        Refusal {
            line: self.cells.line,
            column: String::new(),
            value: shown(&text),
            reason,
            external_id: None,
        }
    }

    /// The texts of the row's cells by slot.
    fn read_texts(&mut self) -> Result<(), Box<Refusal>> {
        self.texts.iter_mut().for_each(String::clear);
        if self.survey.shape == Shape::JsonLines {
            let values = super::json::row(self.cells.get(0))
                .map_err(|reason| Box::new(self.whole(reason)))?;
            for (name, text) in values {
                match self.places.get(name.trim()) {
                    Some(at) => self.texts[*at] = text,
                    None => {
                        return Err(Box::new(
                            self.whole(format!("one member too many: `{}`", shown(&name))),
                        ));
                    }
                }
            }
            return Ok(());
        }
        if self.cells.len() != self.survey.width {
            let reason = format!(
                "{} cells under {} columns",
                self.cells.len(),
                self.survey.width
            );
            return Err(Box::new(self.whole(reason)));
        }
        for (i, text) in self.texts.iter_mut().enumerate() {
            match std::str::from_utf8(self.cells.get(i)) {
                Ok(t) => text.push_str(t),
                Err(_) => {
                    return Err(Box::new(Refusal {
                        line: self.cells.line,
                        column: visible(&self.survey.slots[i].header).into_owned(),
                        value: shown(&String::from_utf8_lossy(self.cells.get(i))),
                        reason: format!(
                            "holds bytes that are no {}",
                            self.survey.coding.encoding.name()
                        ),
                        external_id: None,
                    }));
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, implied: &mut Vec<Record>) -> Result<Record, Box<Refusal>> {
        self.read_texts()?;
        let line = self.cells.line;
        let kind = self.survey.kind;
        let spec = kind.spec();
        let mut row = RowSoFar {
            record: Record {
                entity: kind.entity(),
                external_id: String::new(),
                modified: None,
                deleted: false,
                fields: Vec::with_capacity(self.texts.len()),
            },
            parts: Vec::new(),
            refers: Vec::new(),
            wrong: None,
            currency: self.currency,
            filled: Vec::new(),
        };
        // The currency first: the amounts of the row are in it.
        for pass in [true, false] {
            for (slot, text) in self.survey.slots.iter().zip(&self.texts) {
                match &slot.goes {
                    Goes::Away => {}
                    Goes::Own(name) if !pass => {
                        let text = text.trim();
                        if !text.is_empty() {
                            let name = FieldName::Owned(format!("x.{name}"));
                            row.record
                                .fields
                                .push((name, FieldValue::Text(text.to_owned())));
                        }
                    }
                    Goes::Known(column) if (column.ty == Ty::Currency) == pass => {
                        let text = self.map.meant(column.name, text.trim());
                        row.cell(column, slot, text);
                    }
                    _ => {}
                }
            }
            for (name, value) in &self.map.fixed {
                let Some(column) = spec.column(name) else {
                    continue;
                };
                if (column.ty == Ty::Currency) == pass && !row.filled.contains(&column.name) {
                    row.cell(column, &Slot::fixed(column), value);
                }
            }
        }
        let key = spec
            .keys
            .iter()
            .find(|k| self.survey.has(k[0]) || self.map.fixed.contains_key(k[0]))
            .copied()
            .unwrap_or(spec.keys[0]);
        for need in spec.needs.iter().chain(&key[..1]) {
            if !row.filled.contains(need) {
                row.refuse(self.header_of(need), "", "is empty".into());
            }
        }
        let id = row.key(key);
        if id.is_none() && row.wrong.is_none() {
            row.refuse(self.header_of(key[0]), "", "is empty".into());
        }
        if let Some(id) = &id {
            if id.len() > LONGEST_KEY {
                row.refuse(
                    self.header_of(key[0]),
                    id,
                    "is too long to name a row".into(),
                );
            }
            row.record.external_id.clone_from(id);
        }
        if row.wrong.is_none()
            && let Err((column, reason)) = finish(kind, &mut row.record)
        {
            row.refuse(self.header_of(column), "", reason);
        }
        if row.wrong.is_none()
            && let Some(id) = &id
        {
            let first = *self
                .lines
                .entry(print(id))
                .or_insert(u32::try_from(line).unwrap_or(u32::MAX));
            if u64::from(first) != line.min(u64::from(u32::MAX)) {
                row.refuse(
                    self.header_of(key[0]),
                    id,
                    format!("names the same row as line {first}"),
                );
            }
        }
        if let Some((column, value, reason)) = row.wrong {
            return Err(Box::new(Refusal {
                line,
                column,
                value,
                reason,
                external_id: id,
            }));
        }
        for (entity, text) in row.refers {
            let mut hasher = DefaultHasher::new();
            (entity, &text).hash(&mut hasher);
            if self.told.len() >= TOLD {
                self.told.clear();
            }
            if self.told.insert(hasher.finish()) {
                implied.push(mention(entity, text));
            }
        }
        Ok(row.record)
    }

    /// What the file calls one of our columns.
    fn header_of(&self, name: &str) -> String {
        let theirs = self
            .survey
            .slots
            .iter()
            .find(|s| matches!(s.goes, Goes::Known(c) if c.name == name));
        visible(theirs.map_or(name, |s| &s.header)).into_owned()
    }
}

fn print(id: &str) -> [u32; 2] {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let n = hasher.finish();
    [(n >> 32) as u32, n as u32]
}

/// A text as it can be shown: short, on one line, its control characters visible.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let cut = short.len() < text.len();
    let mut out = visible(&short).into_owned();
    if cut {
        out.push('…');
    }
    out
}

/// A record that says that there is something of this name.
fn mention(entity: Entity, text: String) -> Record {
    let mut fields: Vec<(FieldName, FieldValue)> = vec![(IMPLIED.into(), FieldValue::Bool(true))];
    match entity {
        Entity::Account => {
            if !text.contains(char::is_whitespace)
                && let Some(domain) = convert::domain(&text)
            {
                fields.push(("domain".into(), FieldValue::Text(domain)));
            }
        }
        _ if text.contains('@') => {
            fields.push(("email".into(), FieldValue::Text(text.clone())));
        }
        _ => {}
    }
    fields.push(("name".into(), FieldValue::Text(text.clone())));
    Record {
        entity,
        external_id: text,
        modified: None,
        deleted: false,
        fields,
    }
}

/// A row while its cells are read.
struct RowSoFar {
    record: Record,
    /// What stands in columns that may name the row, in one spelling.
    parts: Vec<(&'static str, String)>,
    refers: Vec<(Entity, String)>,
    /// Column, value, reason: the first mistake.
    wrong: Option<(String, String, String)>,
    currency: Option<[u8; 3]>,
    filled: Vec<&'static str>,
}

impl RowSoFar {
    fn refuse(&mut self, column: String, value: &str, reason: String) {
        if self.wrong.is_none() {
            self.wrong = Some((column, shown(value), reason));
        }
    }

    fn key(&self, columns: &[&str]) -> Option<String> {
        let mut out = String::new();
        for (i, column) in columns.iter().enumerate() {
            let part = self
                .parts
                .iter()
                .find(|(n, _)| n == column)
                .map_or("", |(_, t)| t);
            if i == 0 && part.is_empty() {
                return None;
            }
            if i > 0 {
                out.push('|');
            }
            if columns.len() == 1 {
                return Some(part.to_owned());
            }
            // A part with the sign in it must not look like two.
            out.push_str(&part.replace('\\', "\\\\").replace('|', "\\|"));
        }
        Some(out)
    }

    fn cell(&mut self, column: &'static Column, slot: &Slot, text: &str) {
        let text = text.trim();
        let typed = column.ty != Ty::Text;
        if text.is_empty() || (typed && is_nothing(text)) {
            return;
        }
        self.filled.push(column.name);
        match value(column, slot, text, self.currency) {
            Ok(Value {
                value,
                part,
                refers,
            }) => {
                if column.ty == Ty::Currency && column.name == "currency" {
                    self.currency = currency_code(&part);
                }
                self.parts.push((column.name, part));
                if let Some(entity) = refers
                    && let FieldValue::Ref(text) = &value
                {
                    self.refers.push((entity, text.clone()));
                }
                if !column.field.is_empty() {
                    self.record.fields.push((column.field.into(), value));
                }
            }
            Err(reason) => {
                self.refuse(visible(&slot.header).into_owned(), text, reason);
            }
        }
    }
}

/// What spreadsheets and databases write for nothing.
fn is_nothing(text: &str) -> bool {
    ["-", "–", "n/a", "#n/a", "null", "none", "nan"]
        .iter()
        .any(|n| text.eq_ignore_ascii_case(n))
}

struct Value {
    value: FieldValue,
    /// The same in one spelling, for the row's name.
    part: String,
    refers: Option<Entity>,
}

impl Value {
    fn of(value: FieldValue, part: String) -> Value {
        Value {
            value,
            part,
            refers: None,
        }
    }
}

/// A cell's text as a value. The error says what is wrong with it, to stand behind it.
fn value(
    column: &Column,
    slot: &Slot,
    text: &str,
    currency: Option<[u8; 3]>,
) -> Result<Value, String> {
    let number =
        |text: &str| cell::plain(text, slot.decimal).ok_or_else(|| "is no number".to_owned());
    let float = |text: &str| -> Result<f64, String> {
        let plain = number(text.trim_end_matches('%').trim_end())?;
        plain
            .parse::<f64>()
            .ok()
            .filter(|n| n.is_finite())
            .ok_or_else(|| "is no number".to_owned())
    };
    Ok(match column.ty {
        Ty::Text if column.name == "email" => {
            let low = text.to_lowercase();
            Value::of(FieldValue::Text(low.clone()), low)
        }
        Ty::Text => Value::of(FieldValue::Text(text.to_owned()), text.to_owned()),
        Ty::Word(words) => {
            let low = text.to_lowercase();
            if !words.contains(&low.as_str()) {
                return Err(format!("is none of {}", words.join(", ")));
            }
            Value::of(FieldValue::Text(low.clone()), low)
        }
        Ty::Number => Value::of(FieldValue::Number(float(text)?), String::new()),
        Ty::Whole => {
            let n = float(text)?;
            if n.fract() != 0.0 || !(0.0..=65_535.0).contains(&n) {
                return Err("is no whole number".into());
            }
            Value::of(FieldValue::Number(n), String::new())
        }
        Ty::Score => match float(text) {
            Ok(n) if (0.0..=100.0).contains(&n) => Value::of(FieldValue::Number(n), String::new()),
            Ok(_) => return Err("is not from 0 to 100".into()),
            Err(_) => {
                let raw = serde_json::to_string(text).unwrap_or_default();
                let n = convert::convert(&raw, Kind::Score, "")
                    .map_err(|_| "is no number from 0 to 100".to_owned())?;
                Value::of(n, String::new())
            }
        },
        Ty::Bool => {
            let b = cell::yes(text).ok_or("is neither yes nor no")?;
            Value::of(FieldValue::Bool(b), String::new())
        }
        Ty::Money => {
            let (amount, own) = cell::with_currency(text);
            let plain = number(amount).map_err(|_| "is no amount".to_owned())?;
            let code = match own {
                Some(code) => currency_code(code),
                None => currency,
            };
            let Some(code) = code else {
                return Err(
                    "has no currency: add a column `currency`, or currency = \"EUR\" to a map file"
                        .into(),
                );
            };
            let code = String::from_utf8_lossy(&code).into_owned();
            let money = Money::parse(&plain, &code).ok_or("is too large for an amount")?;
            Value::of(FieldValue::Money(money), String::new())
        }
        Ty::Currency => {
            let code = currency_code(text).ok_or("is no currency: three letters such as EUR")?;
            let code = String::from_utf8_lossy(&code).into_owned();
            Value::of(FieldValue::Text(code.clone()), code)
        }
        Ty::Date => {
            let day = cell::day(text, slot.order)?;
            Value::of(FieldValue::Date(day), day.to_string())
        }
        Ty::Instant => {
            let at = cell::instant(text, slot.order)?;
            Value::of(FieldValue::Instant(at), at.to_string())
        }
        Ty::Account => Value {
            value: FieldValue::Ref(text.to_owned()),
            part: text.to_owned(),
            refers: Some(Entity::Account),
        },
        Ty::Person => {
            let named = if text.contains('@') {
                text.to_lowercase()
            } else {
                text.to_owned()
            };
            Value {
                value: FieldValue::Ref(named.clone()),
                part: named,
                refers: Some(Entity::Person),
            }
        }
        Ty::List => {
            let all: Vec<String> = text
                .split(';')
                .map(|t| t.trim().to_owned())
                .filter(|t| !t.is_empty())
                .collect();
            let part = all.first().cloned().unwrap_or_default();
            Value::of(FieldValue::List(all), part)
        }
        Ty::Domain => {
            let domain = convert::domain(text).ok_or("is no domain")?;
            Value::of(FieldValue::Text(domain.clone()), domain)
        }
    })
}

impl Slot {
    /// A column of which the map file gives the value.
    fn fixed(column: &'static Column) -> Slot {
        Slot {
            header: column.name.to_owned(),
            goes: Goes::Known(column),
            order: Order::Ymd,
            decimal: cell::Decimal::Point,
        }
    }
}

impl Map {
    /// What one of their words means.
    fn meant<'a>(&'a self, column: &str, text: &'a str) -> &'a str {
        self.values
            .get(column)
            .and_then(|words| {
                words.get(text).or_else(|| {
                    let same = |(k, _): &(&String, &String)| k.eq_ignore_ascii_case(text);
                    words.iter().find(same).map(|(_, v)| v)
                })
            })
            .map_or(text, String::as_str)
    }
}
