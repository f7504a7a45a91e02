//! The map file: what a person says about a file instead of what csops finds out. `docs/import.md` is its page.

use super::cell::Order;
use super::kinds::FileKind;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A map file as it stands. What is left out is found out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Map {
    /// accounts, people, …
    pub(super) kind: Option<String>,
    /// `,`, `;`, `|` or `tab`.
    pub(super) separator: Option<String>,
    /// `utf-8`, `utf-16le`, `windows-1252`, `latin1` or another name of the Encoding Standard.
    pub(super) encoding: Option<String>,
    /// Of every column of days that `date_orders` does not name: ymd, dmy or mdy.
    pub(super) date_order: Option<Order>,
    /// By column, as the file calls it.
    pub(super) date_orders: BTreeMap<String, Order>,
    /// `.` or `,`.
    pub(super) decimal: Option<String>,
    /// Of amounts whose row names none.
    pub(super) currency: Option<String>,
    /// Lines before the header.
    pub(super) skip: u64,
    /// The columns in their order, for a file without a header.
    pub(super) columns: Vec<String>,
    /// Their column = ours; an empty text leaves it out.
    pub(super) rename: BTreeMap<String, String>,
    /// Our column = a value for every row whose own is empty.
    pub(super) fixed: BTreeMap<String, String>,
    /// Our column = { their word = ours }.
    pub(super) values: BTreeMap<String, BTreeMap<String, String>>,
}

impl Map {
    /// Reads a map file. The error is for a person, with file, line and column.
    pub(super) fn read(path: &Path) -> Result<Map, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| format!("the map file {} cannot be read: {e}", path.display()))?;
        let map: Map = toml::from_str(&text).map_err(|e| {
            let (line, column) = e.span().map_or((1, 1), |s| place(&text, s.start));
            format!(
                "{}:{line}:{column}: {}",
                path.display(),
                e.message().trim_end()
            )
        })?;
        map.check()
            .map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(map)
    }

    fn check(&self) -> Result<(), String> {
        self.separator()?;
        self.coding()?;
        if let Some(d) = &self.decimal
            && !matches!(d.as_str(), "." | ",")
        {
            return Err(format!("`decimal` is \".\" or \",\", not `{d}`"));
        }
        if let Some(c) = &self.currency
            && crate::book::value::currency_code(c).is_none()
        {
            return Err(format!(
                "`currency` is three letters such as EUR, not `{c}`"
            ));
        }
        if self.skip > 1_000 {
            return Err("`skip` is at most 1000 lines".into());
        }
        self.kind().map(drop)
    }

    pub(super) fn kind(&self) -> Result<Option<FileKind>, String> {
        match &self.kind {
            None => Ok(None),
            Some(k) => FileKind::parse(k).map(Some).ok_or_else(|| {
                let all: Vec<&str> = FileKind::ALL.iter().map(|k| k.name()).collect();
                format!("`kind` is one of {}, not `{k}`", all.join(", "))
            }),
        }
    }

    pub(super) fn separator(&self) -> Result<Option<u8>, String> {
        match self.separator.as_deref() {
            None => Ok(None),
            Some("tab" | "\t") => Ok(Some(b'\t')),
            Some(s) => match s.as_bytes() {
                [b @ (b',' | b';' | b'|' | b':' | b'^' | b'~')] => Ok(Some(*b)),
                _ => Err(format!(
                    "`separator` is one of \",\", \";\", \"|\" and \"tab\", not `{s}`"
                )),
            },
        }
    }

    pub(super) fn coding(&self) -> Result<Option<&'static encoding_rs::Encoding>, String> {
        match self.encoding.as_deref() {
            None => Ok(None),
            Some(name) => {
                let plain = name.to_ascii_lowercase().replace("latin-1", "latin1");
                encoding_rs::Encoding::for_label_no_replacement(plain.as_bytes())
                    .map(Some)
                    .ok_or_else(|| {
                        format!("`encoding`: nothing is called `{name}`; write utf-8, utf-16le or windows-1252")
                    })
            }
        }
    }

    /// What becomes of one of their headers.
    pub(super) fn renamed(&self, theirs: &str) -> Option<&str> {
        self.rename
            .get(theirs)
            .or_else(|| {
                let same = |(k, _): &(&String, &String)| k.trim().eq_ignore_ascii_case(theirs);
                self.rename.iter().find(same).map(|(_, v)| v)
            })
            .map(String::as_str)
    }
}

fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Map, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("m.toml");
        std::fs::write(&path, text).expect("written");
        Map::read(&path)
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let map = read("kind = \"tasks\"\nseparator = \"tab\"\nencoding = \"Latin-1\"\n[rename]\n\"Nr\" = \"id\"\n").expect("a map");
        assert_eq!(map.separator(), Ok(Some(b'\t')));
        assert_eq!(map.renamed("NR"), Some("id"));
        let wrong = read("skip = 0\nseperator = \";\"\n").expect_err("a mistake");
        assert!(
            wrong.contains("m.toml:2:1") && wrong.contains("separator"),
            "{wrong}"
        );
        assert!(
            read("kind = \"things\"")
                .expect_err("no kind")
                .contains("accounts")
        );
        assert!(read("separator = \"ab\"").is_err());
        assert!(read("encoding = \"klingon\"").is_err());
        assert!(read("date_order = \"ydm\"").is_err());
    }
}
