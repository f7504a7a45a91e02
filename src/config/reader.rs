//! Reads a TOML document key by key, remembering where each stands: what is asked for is known, everything else is a problem with its
//! line, column and the nearest right name.

use super::nearest::nearest;
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It works, but should be changed.
    Warning,
    /// The value is not used.
    Error,
}

/// Something in the settings file that could not be used, or should not be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How bad.
    pub severity: Severity,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warning = match self.severity {
            Severity::Warning => "warning: ",
            Severity::Error => "",
        };
        write!(
            f,
            "{}:{}:{}: {warning}{}",
            self.file.display(),
            self.line,
            self.column,
            self.message
        )
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The settings file's line.
    Line(usize),
}

/// A key with its value as text (secrets hidden), for `config show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The key, `source.crm.every`.
    pub key: String,
    /// Its value as TOML would write it; empty when there is none.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// What is shared while a document is read.
pub(super) struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
    shown: RefCell<Vec<Shown>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Reader<'a> {
        Reader {
            file,
            text,
            problems: RefCell::default(),
            shown: RefCell::default(),
        }
    }

    /// The problems in the order in which they were found, and the values.
    pub(super) fn finish(self) -> (Vec<Problem>, Vec<Shown>) {
        (self.problems.into_inner(), self.shown.into_inner())
    }

    /// Problems so far.
    pub(super) fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    /// Line and column (in characters) of a byte, both from 1.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }

    pub(super) fn say(&self, severity: Severity, span: Option<Range<usize>>, message: String) {
        let (line, column) = self.place(span.map_or(0, |s| s.start));
        self.problems.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            line,
            column,
            severity,
            message,
        });
    }

    pub(super) fn show(&self, key: String, value: String, span: Option<Range<usize>>) {
        let origin = span.map_or(Origin::Default, |s| Origin::Line(self.place(s.start).0));
        self.shown.borrow_mut().push(Shown { key, value, origin });
    }

    pub(super) fn file_name(&self) -> String {
        self.file.file_name().map_or_else(
            || self.file.display().to_string(),
            |n| n.to_string_lossy().into_owned(),
        )
    }
}

/// One table of the document (or its absence: then everything has its default).
pub(super) struct Section<'r, 'a> {
    pub(super) reader: &'r Reader<'a>,
    path: String,
    table: Option<&'r DeTable<'a>>,
    span: Option<Range<usize>>,
    known: RefCell<Vec<&'static str>>,
}

impl<'r, 'a> Section<'r, 'a> {
    pub(super) fn new(
        reader: &'r Reader<'a>,
        path: &str,
        table: Option<&'r DeTable<'a>>,
        span: Option<Range<usize>>,
    ) -> Section<'r, 'a> {
        Section {
            reader,
            path: path.to_owned(),
            table,
            span,
            known: RefCell::default(),
        }
    }

    /// The full name of a key.
    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(super) fn rename(&mut self, path: String) {
        self.path = path;
    }

    pub(super) fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    pub(super) fn error(&self, span: Option<Range<usize>>, message: String) {
        self.reader
            .say(Severity::Error, span.or(self.span.clone()), message);
    }

    /// The raw value of a key, which is hereby known.
    pub(super) fn raw(&self, key: &'static str) -> Option<&'r Spanned<DeValue<'a>>> {
        self.known.borrow_mut().push(key);
        self.table?.get(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|t| t.contains_key(key))
    }

    fn show(&self, key: &str, value: String, span: Option<Range<usize>>) {
        self.reader.show(self.name(key), value, span);
    }

    fn wrong_type(&self, key: &str, expected: &str, got: &Spanned<DeValue<'a>>) {
        self.error(
            Some(got.span()),
            format!(
                "`{}` takes {expected}, not {}",
                self.name(key),
                type_name(got.get_ref())
            ),
        );
    }

    /// A value that `read` understands, or the default (shown as such). `read` answers a wrong type with `None` and a wrong value with
    /// the sentence that follows the key's name.
    fn value<T>(
        &self,
        key: &'static str,
        expected: &str,
        default: String,
        read: impl FnOnce(&DeValue<'a>) -> Option<Result<T, String>>,
    ) -> Option<T> {
        let Some(raw) = self.raw(key) else {
            self.show(key, default, None);
            return None;
        };
        match read(raw.get_ref()) {
            None => self.wrong_type(key, expected, raw),
            Some(Err(sentence)) => {
                self.error(Some(raw.span()), format!("`{}` {sentence}", self.name(key)));
            }
            Some(Ok(value)) => {
                self.show(key, shown(raw.get_ref()), Some(raw.span()));
                return Some(value);
            }
        }
        self.show(key, default, None);
        None
    }

    /// A text that is not empty.
    pub(super) fn text(&self, key: &'static str, default: &str) -> Option<String> {
        self.parsed(key, default, |s| Ok(s.to_owned()))
    }

    /// A text that `parse` understands; its error is the sentence that follows the key's name (`must be …`).
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let default = if default.is_empty() {
            String::new()
        } else {
            format!("{default:?}")
        };
        self.value(key, "a text", default, |v| {
            let text = v.as_str()?.trim();
            Some(if text.is_empty() {
                Err("is empty; write a value or leave the line out".to_owned())
            } else {
                parse(text)
            })
        })
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(
        &self,
        key: &'static str,
        default: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        self.parsed(key, default, |text| {
            if let Some((_, v)) = words.iter().find(|(w, _)| w.eq_ignore_ascii_case(text)) {
                return Ok(*v);
            }
            let hint = match nearest(text, words.iter().map(|(w, _)| *w)) {
                Some(w) => format!("did you mean `{w}`?"),
                None => {
                    let all: Vec<&str> = words.iter().map(|(w, _)| *w).collect();
                    format!("it is one of: {}", all.join(", "))
                }
            };
            Err(format!("does not know `{text}`; {hint}"))
        })
    }

    pub(super) fn flag(&self, key: &'static str, default: bool) -> bool {
        self.value(key, "true or false", default.to_string(), |v| {
            v.as_bool().map(Ok)
        })
        .unwrap_or(default)
    }

    /// A whole number in a range.
    pub(super) fn whole(
        &self,
        key: &'static str,
        default: Option<u64>,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let default = default.map_or(String::new(), |d| d.to_string());
        self.value(key, "a whole number", default, |v| {
            let n = integer(v)?;
            Some(match u64::try_from(n) {
                Ok(n) if range.contains(&n) => Ok(n),
                _ => Err(format!(
                    "must lie between {} and {}, not {n}",
                    range.start(),
                    range.end()
                )),
            })
        })
    }

    /// A whole number in a range that its type holds; the default when there is none.
    pub(super) fn whole_or<T: TryFrom<u64> + Into<u64> + Copy>(
        &self,
        key: &'static str,
        default: T,
        range: std::ops::RangeInclusive<u64>,
    ) -> T {
        self.whole(key, Some(default.into()), range)
            .and_then(|n| T::try_from(n).ok())
            .unwrap_or(default)
    }

    /// A number in a range.
    pub(super) fn number(
        &self,
        key: &'static str,
        default: f64,
        range: std::ops::RangeInclusive<f64>,
    ) -> Option<f64> {
        self.ranged(key, default.to_string(), range)
    }

    fn ranged(
        &self,
        key: &'static str,
        default: String,
        range: std::ops::RangeInclusive<f64>,
    ) -> Option<f64> {
        self.value(key, "a number", default, |v| {
            let n = float(v)?;
            Some(if range.contains(&n) {
                Ok(n)
            } else {
                Err(format!(
                    "must lie between {} and {}, not {n}",
                    range.start(),
                    range.end()
                ))
            })
        })
    }

    /// A number in a range that may be left out.
    pub(super) fn some_number(
        &self,
        key: &'static str,
        range: std::ops::RangeInclusive<f64>,
    ) -> Option<f64> {
        self.ranged(key, String::new(), range)
    }

    /// Any number of fractions, 0 to 1.
    pub(super) fn fractions(&self, key: &'static str, default: &[f64]) -> Option<Vec<f64>> {
        let expected = "a list of fractions such as [0.0, 0.5, 1.0]";
        self.value(key, expected, format!("{default:?}"), |v| {
            let all = v.as_array()?.iter().map(|i| float(i.get_ref()));
            let all = all.collect::<Option<Vec<f64>>>()?;
            Some(match all.iter().find(|n| !(0.0..=1.0).contains(*n)) {
                Some(n) => Err(format!("takes fractions between 0 and 1, not {n}")),
                None => Ok(all),
            })
        })
    }

    /// Exactly `N` numbers.
    pub(super) fn numbers<const N: usize>(
        &self,
        key: &'static str,
        default: Option<[f64; N]>,
        check: impl FnOnce(&[f64; N]) -> Result<(), String>,
    ) -> Option<[f64; N]> {
        let default = default.map_or(String::new(), |d| format!("{d:?}"));
        let expected = format!("a list of {N} numbers");
        self.value(key, &expected, default, |v| {
            let numbers: Vec<f64> = v
                .as_array()?
                .iter()
                .map(|i| float(i.get_ref()))
                .collect::<Option<_>>()?;
            let numbers: [f64; N] = numbers.try_into().ok()?;
            Some(check(&numbers).map(|()| numbers))
        })
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &'static str, default: &[String]) -> Option<Vec<String>> {
        self.value(key, "a list of texts", format!("{default:?}"), |v| {
            texts_of(v).map(Ok)
        })
    }

    /// A length of time: `90s`, `15m`, `1h 30m`.
    pub(super) fn duration(
        &self,
        key: &'static str,
        default: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<std::time::Duration> {
        self.parsed(key, default, |text| {
            let span: jiff::SignedDuration = text.parse().map_err(|_| {
                format!(
                    "does not understand `{text}`; write a length of time such as 30s, 15m or 1h"
                )
            })?;
            let seconds = u64::try_from(span.as_secs()).unwrap_or(0);
            if span.is_negative() || !range.contains(&seconds) {
                return Err(format!(
                    "must lie between {} s and {} s, not {text}",
                    range.start(),
                    range.end()
                ));
            }
            std::time::Duration::try_from(span).map_err(|_| format!("cannot be {text}"))
        })
    }

    /// A sub-table.
    pub(super) fn section(&self, key: &'static str) -> Section<'r, 'a> {
        let path = self.name(key);
        match self.raw(key) {
            None => Section::new(self.reader, &path, None, self.span.clone()),
            Some(raw) => {
                let table = raw.get_ref().as_table();
                if table.is_none() {
                    self.wrong_type(key, "a table", raw);
                }
                Section::new(self.reader, &path, table, Some(raw.span()))
            }
        }
    }

    /// Every entry of this table whatever its name, nested tables flattened with dots (`account.health = …` is `"account.health" = …`).
    pub(super) fn entries(&self) -> Vec<(String, &'r Spanned<DeValue<'a>>)> {
        fn walk<'r, 'a>(
            prefix: &str,
            table: &'r DeTable<'a>,
            out: &mut Vec<(String, &'r Spanned<DeValue<'a>>)>,
        ) {
            for (key, value) in table.iter() {
                let name = if prefix.is_empty() {
                    key.get_ref().to_string()
                } else {
                    format!("{prefix}.{}", key.get_ref())
                };
                match value.get_ref().as_table() {
                    Some(inner) => walk(&name, inner, out),
                    None => out.push((name, value)),
                }
            }
        }
        let mut out = Vec::new();
        if let Some(table) = self.table {
            walk("", table, &mut out);
        }
        out
    }

    /// The names and tables directly under this one.
    pub(super) fn tables(&self) -> Vec<(String, Section<'r, 'a>)> {
        let mut out = Vec::new();
        for (key, value) in self.table.into_iter().flat_map(|t| t.iter()) {
            let name = key.get_ref().to_string();
            match value.get_ref().as_table() {
                Some(table) => {
                    let path = self.name(&name);
                    let section = Section::new(self.reader, &path, Some(table), Some(value.span()));
                    out.push((name, section));
                }
                None => self.wrong_type(&name, "a table", value),
            }
        }
        out
    }

    /// A map of texts to texts.
    pub(super) fn text_map(&self) -> std::collections::BTreeMap<String, String> {
        let mut map = std::collections::BTreeMap::new();
        for (name, value) in self.entries() {
            let text = match value.get_ref() {
                DeValue::String(s) => Some(s.to_string()),
                DeValue::Boolean(b) => Some(b.to_string()),
                DeValue::Integer(i) => Some(i.as_str().to_owned()),
                DeValue::Float(f) => Some(f.as_str().to_owned()),
                _ => None,
            };
            match text {
                Some(text) => {
                    self.show(&name, shown(value.get_ref()), Some(value.span()));
                    map.insert(name, text);
                }
                None => self.wrong_type(&name, "a text", value),
            }
        }
        map
    }

    /// Reports every key that nobody asked for.
    pub(super) fn done(self) {
        let known = self.known.borrow();
        for (key, _) in self.table.into_iter().flat_map(|t| t.iter()) {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let hint = match nearest(name, known.iter().copied()) {
                Some(right) => format!("; did you mean `{right}`?"),
                None => {
                    let mut all: Vec<&str> = known.clone();
                    all.sort_unstable();
                    all.dedup();
                    format!("; known here: {}", all.join(", "))
                }
            };
            self.error(
                Some(key.span()),
                format!("unknown key `{}`{hint}", self.name(name)),
            );
        }
    }
}

pub(super) fn integer(v: &DeValue<'_>) -> Option<i64> {
    let i = v.as_integer()?;
    i64::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok()
}

pub(super) fn float(v: &DeValue<'_>) -> Option<f64> {
    match v {
        DeValue::Float(f) => f.as_str().replace('_', "").parse().ok(),
        DeValue::Integer(_) => integer(v).map(|n| n as f64),
        _ => None,
    }
    .filter(|n: &f64| n.is_finite())
}

pub(super) fn texts_of(v: &DeValue<'_>) -> Option<Vec<String>> {
    v.as_array()?
        .iter()
        .map(|i| i.get_ref().as_str().map(str::to_owned))
        .collect()
}

pub(super) fn type_name(v: &DeValue<'_>) -> &'static str {
    match v {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

pub(super) fn shown(v: &DeValue<'_>) -> String {
    match v {
        DeValue::String(s) => format!("{s:?}"),
        DeValue::Integer(i) => i.as_str().to_owned(),
        DeValue::Float(f) => f.as_str().to_owned(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(d) => d.to_string(),
        DeValue::Array(a) => {
            let items: Vec<String> = a.iter().map(|i| shown(i.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(_) => "{ … }".to_owned(),
    }
}
