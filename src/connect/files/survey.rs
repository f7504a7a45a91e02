//! Looking a file over before it is read: its encoding, its separator, its columns, and for each column the order of its days and its
//! decimal sign, decided from all of its rows. What stays ambiguous is said.

use super::cell::{Decimal, Order, Sign, Written, sign_of, with_currency, written};
use super::encoding::{Coding, Utf8, detect};
use super::kinds::{Column, FileKind, Ty};
use super::map::Map;
use super::split::{Cells, Found, Marks, Splitter};
use crate::book::text::visible;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// So many columns are more than any table has.
const COLUMNS: usize = 1_000;

/// What a file is, in which shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Cells between separators.
    Separated(Marks),
    /// One JSON object per line.
    JsonLines,
}

/// What one column becomes.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// As the file calls it.
    pub(super) header: String,
    pub(super) goes: Goes,
    pub(super) order: Order,
    pub(super) decimal: Decimal,
}

/// Where a column goes.
#[derive(Clone, Debug)]
pub(super) enum Goes {
    /// Nowhere.
    Away,
    /// Into one of our columns.
    Known(&'static Column),
    /// Into a field of the tenant's own.
    Own(String),
}

/// A file as it is going to be read.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    pub(super) kind: FileKind,
    pub(super) shape: Shape,
    pub(super) coding: Coding,
    /// Lines before the first row.
    pub(super) head: u64,
    pub(super) slots: Vec<Slot>,
    /// How many cells a row has.
    pub(super) width: usize,
    /// What was found, for a person.
    pub(super) notes: Vec<String>,
}

/// What is known of a column's cells.
#[derive(Default)]
struct Seen {
    dmy: u64,
    mdy: u64,
    either: Option<(u64, String)>,
    dots: bool,
    comma: u64,
    point: u64,
    sign_either: Option<(u64, String)>,
}

/// Opens the bytes of a file as UTF-8 records.
pub(super) fn open(
    path: &Path,
    coding: Coding,
    marks: Marks,
) -> Result<Splitter<Utf8<BufReader<File>>>, String> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let mut splitter = Splitter::new(Utf8::new(BufReader::new(file), coding), marks);
    splitter.skip_mark().map_err(|e| unreadable(path, &e))?;
    Ok(splitter)
}

/// The error of a file that cannot be read.
pub(super) fn unreadable(path: &Path, e: &std::io::Error) -> String {
    format!("the file {} cannot be read: {e}", path.display())
}

impl Survey {
    /// Looks a file over. The error is for a person: the file as a whole cannot be used so.
    pub(super) fn of(path: &Path, kind: FileKind, map: &Map) -> Result<Survey, String> {
        let file = File::open(path).map_err(|e| unreadable(path, &e))?;
        if !file.metadata().is_ok_and(|m| m.is_file()) {
            return Err(format!("{} is no file", path.display()));
        }
        let mut coding = detect(file).map_err(|e| unreadable(path, &e))?;
        if let Some(encoding) = map.coding()? {
            coding.encoding = encoding;
        }
        let name = path
            .extension()
            .map(|e| e.to_string_lossy().to_ascii_lowercase());
        let json = matches!(name.as_deref(), Some("jsonl" | "ndjson"));
        let mut survey = Survey {
            kind,
            shape: Shape::JsonLines,
            coding,
            head: 0,
            slots: Vec::new(),
            width: 0,
            notes: Vec::new(),
        };
        let seen = if json {
            survey
                .notes
                .push(format!("JSON lines, {}", coding.describe()));
            survey.look_at_json(path, map)?
        } else {
            survey.look_at_table(path, map)?
        };
        survey.check(path, map)?;
        survey.settle(&seen, map);
        Ok(survey)
    }

    fn slot(&self, header: &str, map: &Map, number: usize) -> Slot {
        let header = header.trim();
        let theirs = if header.is_empty() {
            format!("column {number}")
        } else {
            header.to_owned()
        };
        let wanted = map.renamed(header).unwrap_or(header).trim();
        let goes = if map.renamed(header) == Some("") {
            Goes::Away
        } else if let Some(own) = wanted.strip_prefix("x.") {
            Goes::Own(own.to_owned())
        } else {
            match self.kind.spec().column(&plain(wanted)) {
                Some(column) => Goes::Known(column),
                None if wanted.is_empty() => Goes::Own(theirs.clone()),
                None => Goes::Own(wanted.to_owned()),
            }
        };
        Slot {
            header: theirs,
            goes,
            order: Order::Ymd,
            decimal: Decimal::Point,
        }
    }

    fn look_at_table(&mut self, path: &Path, map: &Map) -> Result<Vec<Seen>, String> {
        let wrong = |e: &std::io::Error| unreadable(path, e);
        let sample = {
            let file = File::open(path).map_err(|e| wrong(&e))?;
            let mut bytes = Vec::new();
            Utf8::new(BufReader::new(file), self.coding)
                .take(1 << 16)
                .read_to_end(&mut bytes)
                .map_err(|e| wrong(&e))?;
            bytes
        };
        let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&sample);
        let cr = !sample.contains(&b'\n') && sample.contains(&b'\r');
        let separator = match map.separator()? {
            Some(s) => s,
            None => separator(sample, cr, map, self.kind),
        };
        let marks = Marks { separator, cr };
        self.shape = Shape::Separated(marks);
        let mut rows = open(path, self.coding, marks)?;
        let mut cells = Cells::default();
        while rows.next_line_number() <= map.skip {
            if rows.next_line(&mut cells).map_err(|e| wrong(&e))?.is_none() {
                break;
            }
        }
        let headers: Vec<String> = if map.columns.is_empty() {
            loop {
                match rows.next(&mut cells).map_err(|e| wrong(&e))? {
                    None => {
                        return Err(format!(
                            "{} is empty: it has no line with the names of its columns",
                            path.display()
                        ));
                    }
                    Some(Found::Blank) => {}
                    Some(Found::Broken(why)) => {
                        return Err(format!(
                            "{}:{}: the names of the columns cannot be read: {why}",
                            path.display(),
                            cells.line
                        ));
                    }
                    Some(Found::Record) => break,
                }
            }
            cells
                .iter()
                .map(|c| String::from_utf8_lossy(c).trim().to_owned())
                .collect()
        } else {
            map.columns.clone()
        };
        self.head = rows.next_line_number() - 1;
        if headers.len() > COLUMNS {
            return Err(format!(
                "{} has {} columns, which is more than {COLUMNS}: is the separator right?",
                path.display(),
                headers.len()
            ));
        }
        self.slots = headers
            .iter()
            .enumerate()
            .map(|(i, h)| self.slot(h, map, i + 1))
            .collect();
        self.width = headers.len();
        // Names of nothing behind the last column are what spreadsheets leave.
        while headers
            .get(self.slots.len().wrapping_sub(1))
            .is_some_and(|h| h.is_empty())
            && self.slots.len() > 1
        {
            self.slots.pop();
        }
        self.notes.push(format!(
            "{}, separated by {}, {} columns",
            self.coding.describe(),
            match separator {
                b'\t' => "tabs".to_owned(),
                s => format!("`{}`", char::from(s)),
            },
            self.slots.len()
        ));
        let mut seen: Vec<Seen> = self.slots.iter().map(|_| Seen::default()).collect();
        let wanted: Vec<usize> = (0..self.slots.len())
            .filter(|i| self.slots[*i].needs_look())
            .collect();
        if wanted.is_empty() {
            return Ok(seen);
        }
        while let Some(found) = rows.next(&mut cells).map_err(|e| wrong(&e))? {
            // Rows that will be refused have no say.
            if found != Found::Record || cells.len() != headers.len() {
                continue;
            }
            for &i in &wanted {
                if let Ok(text) = std::str::from_utf8(cells.get(i)) {
                    self.slots[i].look(text, cells.line, &mut seen[i]);
                }
            }
        }
        Ok(seen)
    }

    fn look_at_json(&mut self, path: &Path, map: &Map) -> Result<Vec<Seen>, String> {
        let marks = Marks {
            separator: b',',
            cr: false,
        };
        let mut rows = open(path, self.coding, marks)?;
        let mut cells = Cells::default();
        let mut seen: Vec<Seen> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        while let Some(found) = rows
            .next_line(&mut cells)
            .map_err(|e| unreadable(path, &e))?
        {
            if found != Found::Record {
                continue;
            }
            let Ok(values) = super::json::row(cells.get(0)) else {
                continue;
            };
            for (name, text) in values {
                let at = match places.get(&name) {
                    Some(at) => *at,
                    None if self.slots.len() >= COLUMNS => continue,
                    None => {
                        self.slots.push(self.slot(&name, map, self.slots.len() + 1));
                        seen.push(Seen::default());
                        places.insert(name, self.slots.len() - 1);
                        self.slots.len() - 1
                    }
                };
                if self.slots[at].needs_look() {
                    self.slots[at].look(&text, cells.line, &mut seen[at]);
                }
            }
        }
        Ok(seen)
    }

    /// Whether the columns can make rows at all.
    fn check(&mut self, path: &Path, map: &Map) -> Result<(), String> {
        let spec = self.kind.spec();
        let file = path.display();
        let mut by_name: HashMap<&str, &str> = HashMap::new();
        for slot in &self.slots {
            let name = match &slot.goes {
                Goes::Known(c) => c.name,
                Goes::Own(own) => own,
                Goes::Away => continue,
            };
            if let Some(other) = by_name.insert(name, &slot.header) {
                return Err(format!(
                    "{file}: two columns are both `{name}`: `{}` and `{}`; leave one out in a map file: [rename] \"{}\" = \"\"",
                    visible(other),
                    visible(&slot.header),
                    visible(&slot.header),
                ));
            }
        }
        let has = |name: &str| self.has(name) || map.fixed.contains_key(name);
        let key = spec.keys.iter().any(|k| has(k[0]));
        let missing: Vec<&str> = spec.needs.iter().copied().filter(|n| !has(n)).collect();
        if (!missing.is_empty() || !key) && !self.slots.is_empty() {
            let wanted = if missing.is_empty() {
                let firsts: Vec<&str> = spec.keys.iter().map(|k| k[0]).collect();
                firsts.join("` or `")
            } else {
                missing.join("`, `")
            };
            let there: Vec<String> = self
                .slots
                .iter()
                .take(12)
                .map(|s| visible(&s.header).into_owned())
                .collect();
            return Err(format!(
                "{file}: {} need the column `{wanted}`; this file has {}. Name it in a map file: [rename] \"your name\" = \"{}\"",
                self.kind.name(),
                there.join(", "),
                missing.first().copied().unwrap_or(spec.keys[0][0]),
            ));
        }
        for name in map.fixed.keys().chain(map.values.keys()) {
            if spec.column(name).is_none() {
                return Err(format!(
                    "the map file names the column `{}`, which {} do not have",
                    visible(name),
                    self.kind.name()
                ));
            }
        }
        Ok(())
    }

    /// Whether one of our columns is in the file.
    pub(super) fn has(&self, name: &str) -> bool {
        self.slots
            .iter()
            .any(|s| matches!(s.goes, Goes::Known(c) if c.name == name))
    }

    /// Decides orders and signs, and says so.
    fn settle(&mut self, seen: &[Seen], map: &Map) {
        let semicolons = matches!(self.shape, Shape::Separated(m) if m.separator == b';');
        let sure =
            |f: fn(&Seen) -> bool, g: fn(&Seen) -> bool| seen.iter().any(f) && !seen.iter().any(g);
        // What the other columns of the file tell about one that says nothing by itself.
        let elsewhere = if sure(|s| s.mdy > 0, |s| s.dmy > 0 || s.dots) {
            Some(Order::Mdy)
        } else if sure(|s| s.dmy > 0 || s.dots, |s| s.mdy > 0) {
            Some(Order::Dmy)
        } else {
            None
        };
        let sign_elsewhere = if sure(|s| s.comma > 0, |s| s.point > 0) {
            Some(Decimal::Comma)
        } else if sure(|s| s.point > 0, |s| s.comma > 0) {
            Some(Decimal::Point)
        } else {
            None
        };
        let mut own = Vec::new();
        for (slot, seen) in self.slots.iter_mut().zip(seen) {
            let header = visible(&slot.header).into_owned();
            match &slot.goes {
                Goes::Own(_) => own.push(header),
                Goes::Known(c) if matches!(c.ty, Ty::Date | Ty::Instant) => {
                    let given = map
                        .date_orders
                        .get(&slot.header)
                        .or_else(|| map.date_orders.get(c.name))
                        .copied()
                        .or(map.date_order);
                    let (order, note) = seen.order(given, elsewhere);
                    slot.order = order;
                    self.notes.extend(note.map(|n| format!("{header}: {n}")));
                }
                Goes::Known(c) if is_number(c.ty) => {
                    let given = match map.decimal.as_deref() {
                        Some(",") => Some(Decimal::Comma),
                        Some(_) => Some(Decimal::Point),
                        None => None,
                    };
                    let (decimal, note) = seen.decimal(given, sign_elsewhere, semicolons);
                    slot.decimal = decimal;
                    self.notes.extend(note.map(|n| format!("{header}: {n}")));
                }
                _ => {}
            }
        }
        if !own.is_empty() {
            let more = own.len().saturating_sub(12);
            own.truncate(12);
            let more = match more {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            self.notes.push(format!(
                "kept as fields of your own: {}{more}",
                own.join(", ")
            ));
        }
        let unused = map.rename.keys().filter(|k| {
            !self
                .slots
                .iter()
                .any(|s| s.header.eq_ignore_ascii_case(k.trim()))
        });
        for name in unused {
            self.notes.push(format!(
                "the map file renames `{}`, which the file does not have",
                visible(name)
            ));
        }
    }
}

fn is_number(ty: Ty) -> bool {
    matches!(ty, Ty::Money | Ty::Number | Ty::Score | Ty::Whole)
}

impl Slot {
    fn needs_look(&self) -> bool {
        matches!(&self.goes, Goes::Known(c) if is_number(c.ty) || matches!(c.ty, Ty::Date | Ty::Instant))
    }

    fn look(&self, text: &str, line: u64, seen: &mut Seen) {
        let Goes::Known(column) = &self.goes else {
            return;
        };
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        if is_number(column.ty) {
            match sign_of(with_currency(text).0) {
                Sign::None => {}
                Sign::Sure(Decimal::Comma) => seen.comma += 1,
                Sign::Sure(Decimal::Point) => seen.point += 1,
                Sign::Either => {
                    seen.sign_either
                        .get_or_insert_with(|| (line, text.to_owned()));
                }
            }
            return;
        }
        if let Some((
            Written::Parts {
                first,
                second,
                dots,
                ..
            },
            _,
        )) = written(text)
        {
            match (first > 12, second > 12) {
                (true, false) => seen.dmy += 1,
                (false, true) => seen.mdy += 1,
                (false, false) => {
                    seen.dots |= dots;
                    // The same day in either order settles nothing and matters to nobody.
                    if first != second {
                        seen.either.get_or_insert_with(|| (line, text.to_owned()));
                    }
                }
                (true, true) => {}
            }
        }
    }
}

impl Seen {
    fn order(&self, given: Option<Order>, elsewhere: Option<Order>) -> (Order, Option<String>) {
        if let Some(order) = given {
            return (order, None);
        }
        let (order, why) = match (self.dmy, self.mdy) {
            (0, 0) => match &self.either {
                None if self.dots => return (Order::Dmy, None),
                None => return (elsewhere.unwrap_or(Order::Dmy), None),
                Some(_) if self.dots => (Order::Dmy, ""),
                Some((line, text)) => {
                    let order = elsewhere.unwrap_or(Order::Dmy);
                    let by = if elsewhere.is_some() {
                        "as in the file's other columns"
                    } else {
                        "for want of a better reason"
                    };
                    return (
                        order,
                        Some(format!(
                            "ambiguous days such as {} in line {line}, read as {}, {by}; a map file settles it: date_order = \"mdy\"",
                            visible(text),
                            order.words()
                        )),
                    );
                }
            },
            (_, 0) => (Order::Dmy, ""),
            (0, _) => (Order::Mdy, ""),
            (d, m) if d >= m => (
                Order::Dmy,
                ", though some rows can only be month/day: those are refused",
            ),
            _ => (
                Order::Mdy,
                ", though some rows can only be day/month: those are refused",
            ),
        };
        (order, Some(format!("{}{why}", order.words())))
    }

    fn decimal(
        &self,
        given: Option<Decimal>,
        elsewhere: Option<Decimal>,
        semicolons: bool,
    ) -> (Decimal, Option<String>) {
        if let Some(decimal) = given {
            return (decimal, None);
        }
        let word = |d: Decimal| match d {
            Decimal::Comma => "decimal comma",
            Decimal::Point => "decimal point",
        };
        match (self.comma, self.point) {
            (0, 0) => {
                let usual = if semicolons {
                    Decimal::Comma
                } else {
                    Decimal::Point
                };
                let decimal = elsewhere.unwrap_or(usual);
                let note = self.sign_either.as_ref().map(|(line, text)| {
                    format!(
                        "ambiguous numbers such as {} in line {line}, read with a {}; a map file settles it: decimal = \",\"",
                        visible(text),
                        word(decimal)
                    )
                });
                (decimal, note)
            }
            (_, 0) => (Decimal::Comma, Some(word(Decimal::Comma).to_owned())),
            (0, _) => (Decimal::Point, None),
            (c, p) => {
                let decimal = if c > p {
                    Decimal::Comma
                } else {
                    Decimal::Point
                };
                let note = format!(
                    "{}, though some numbers can only be meant otherwise: those rows are refused",
                    word(decimal)
                );
                (decimal, Some(note))
            }
        }
    }
}

/// A header as our columns are called: lower case, underscores.
pub(super) fn plain(header: &str) -> String {
    header
        .trim()
        .chars()
        .map(|c| match c {
            ' ' | '-' => '_',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}

/// The separator under which the first lines make the best table: most headers that we know, then the most even rows.
fn separator(sample: &[u8], cr: bool, map: &Map, kind: FileKind) -> u8 {
    let score = |separator: u8| {
        let mut rows = Splitter::new(sample, Marks { separator, cr });
        let mut cells = Cells::default();
        let (mut known, mut width, mut even, mut all) = (0usize, 0usize, 0u32, 0u32);
        while let Ok(Some(found)) = rows.next(&mut cells) {
            if found != Found::Record || cells.line <= map.skip {
                continue;
            }
            if width == 0 {
                width = cells.len();
                let spec = kind.spec();
                known = cells
                    .iter()
                    .filter(|c| {
                        let header = String::from_utf8_lossy(c);
                        let wanted = map.renamed(header.trim()).unwrap_or(header.trim());
                        spec.column(&plain(wanted)).is_some()
                    })
                    .count();
            } else {
                all += 1;
                even += u32::from(cells.len() == width);
            }
            if all == 100 {
                break;
            }
        }
        // The sample's last row may be cut.
        let even = (even * 100).checked_div(all).unwrap_or(100);
        (known, if width > 1 { even } else { 0 }, width)
    };
    let mut best = (b',', score(b','));
    for separator in [b';', b'\t', b'|'] {
        let s = score(separator);
        if s > best.1 {
            best = (separator, s);
        }
    }
    best.0
}
