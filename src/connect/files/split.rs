//! Cells of a separated file, one record at a time, from a buffer of bounded size. A record whose quotes do not fit together costs its
//! first line and nothing more: reading goes on with the next one.

use memchr::{memchr, memchr2, memchr3};
use std::io::{self, Read};

/// A record (a quoted cell may hold line ends) or a line of JSON may be this long.
pub(super) const LONGEST: usize = 1 << 18;
const PIECE: usize = 1 << 16;

/// Where a file's lines end and cells part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    /// Between cells.
    pub(super) separator: u8,
    /// Lines end with a lone carriage return, as old Macs wrote them.
    pub(super) cr: bool,
}

/// One record, or what stands in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Cells are in [`Cells`].
    Record,
    /// Nothing but blanks and separators.
    Blank,
    /// It cannot be taken apart; the text of its first line is the only cell.
    Broken(&'static str),
}

/// The cells of the record that was read last, and where it stands.
#[derive(Default)]
pub(super) struct Cells {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Its first line, from 1.
    pub(super) line: u64,
    /// How many lines it takes.
    pub(super) lines: u64,
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
    pub(super) fn get(&self, i: usize) -> &[u8] {
        let from = if i == 0 {
            0
        } else {
            self.ends.get(i - 1).copied().unwrap_or(0)
        };
        let to = self.ends.get(i).copied().unwrap_or(from);
        self.bytes.get(from..to).unwrap_or_default()
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|i| self.get(i))
    }
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

/// Reads records.
pub(super) struct Splitter<R> {
    inner: R,
    buffer: Vec<u8>,
    from: usize,
    ended: bool,
    line: u64,
    marks: Marks,
    /// Bytes taken so far.
    pub(super) taken: u64,
}

/// What parsing the buffer's beginning gave.
enum Parsed {
    /// So many bytes are a record.
    Whole(usize),
    /// It may go on behind the buffer; inside quotes or not.
    More {
        quoted: bool,
    },
    Broken(&'static str),
}

impl<R: Read> Splitter<R> {
    pub(super) fn new(inner: R, marks: Marks) -> Splitter<R> {
        Splitter {
            inner,
            buffer: Vec::with_capacity(2 * PIECE),
            from: 0,
            ended: false,
            line: 1,
            marks,
            taken: 0,
        }
    }

    /// The number of the line that comes next, which at the end is one more than there are.
    pub(super) fn next_line_number(&self) -> u64 {
        self.line
    }

    /// Takes a byte-order mark off the beginning of a file.
    pub(super) fn skip_mark(&mut self) -> io::Result<()> {
        while self.rest().len() < 3 && !self.ended {
            self.fill()?;
        }
        if self.rest().starts_with(b"\xEF\xBB\xBF") {
            self.from += 3;
        }
        Ok(())
    }

    /// The next record; `None` at the end of the file.
    pub(super) fn next(&mut self, cells: &mut Cells) -> io::Result<Option<Found>> {
        loop {
            if self.rest().is_empty() && !self.fill()? {
                return Ok(None);
            }
            cells.clear();
            cells.line = self.line;
            match self.parse(cells) {
                Parsed::Whole(len) => {
                    let lines = self.lines_in(len);
                    self.take(len, lines);
                    cells.lines = lines;
                    let blank = cells.bytes.iter().all(u8::is_ascii_whitespace);
                    return Ok(Some(if blank { Found::Blank } else { Found::Record }));
                }
                Parsed::More { quoted } if self.ended || self.rest().len() >= LONGEST => {
                    // At the end of a file that does not end with a line end `parse` gives the record; so a quote is open here.
                    let why = if quoted {
                        "a quote is opened and not closed"
                    } else {
                        "longer than 256 KiB"
                    };
                    return self.break_off(cells, why).map(Some);
                }
                Parsed::More { .. } => {
                    self.fill()?;
                }
                Parsed::Broken(why) => return self.break_off(cells, why).map(Some),
            }
        }
    }

    /// The next line as its only cell, for JSON lines.
    pub(super) fn next_line(&mut self, cells: &mut Cells) -> io::Result<Option<Found>> {
        loop {
            if self.rest().is_empty() && !self.fill()? {
                return Ok(None);
            }
            cells.clear();
            cells.line = self.line;
            cells.lines = 1;
            let rest = &self.buffer[self.from..];
            let len = match self.line_end(rest) {
                Some(at) => at + 1,
                None if self.ended => rest.len(),
                None if rest.len() >= LONGEST => {
                    return self.break_off(cells, "longer than 256 KiB").map(Some);
                }
                None => {
                    self.fill()?;
                    continue;
                }
            };
            let text = rest[..len].trim_ascii();
            let blank = text.is_empty();
            cells.bytes.extend_from_slice(text);
            cells.end();
            self.take(len, 1);
            return Ok(Some(if blank { Found::Blank } else { Found::Record }));
        }
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.from..]
    }

    fn line_end(&self, data: &[u8]) -> Option<usize> {
        if self.marks.cr {
            memchr2(b'\n', b'\r', data)
        } else {
            memchr(b'\n', data)
        }
    }

    fn lines_in(&self, len: usize) -> u64 {
        let data = &self.buffer[self.from..self.from + len];
        let ends = if self.marks.cr {
            memchr::memchr2_iter(b'\n', b'\r', data).count()
        } else {
            memchr::memchr_iter(b'\n', data).count()
        };
        let closed = data
            .last()
            .is_some_and(|b| *b == b'\n' || (self.marks.cr && *b == b'\r'));
        ends as u64 + u64::from(!closed)
    }

    fn take(&mut self, len: usize, lines: u64) {
        self.from += len;
        self.taken += len as u64;
        self.line += lines;
    }

    /// Reads more; whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.from);
        self.from = 0;
        let before = self.buffer.len();
        self.buffer.resize(before + PIECE, 0);
        let read = loop {
            match self.inner.read(&mut self.buffer[before..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer
            .truncate(before + read.as_ref().copied().unwrap_or(0));
        let read = read?;
        self.ended = read == 0;
        Ok(read > 0)
    }

    /// Gives up a record: its first line is taken, however long it is.
    fn break_off(&mut self, cells: &mut Cells, why: &'static str) -> io::Result<Found> {
        cells.clear();
        cells.lines = 1;
        loop {
            let rest = &self.buffer[self.from..];
            let end = self.line_end(rest);
            let len = end.map_or(rest.len(), |at| at + 1);
            if cells.bytes.len() < 512 {
                cells.bytes.extend_from_slice(&rest[..len.min(512)]);
            }
            self.from += len;
            self.taken += len as u64;
            if end.is_some() || !self.fill()? {
                break;
            }
        }
        let kept = cells.bytes.trim_ascii_end().len();
        cells.bytes.truncate(kept);
        cells.end();
        self.line += 1;
        Ok(Found::Broken(why))
    }

    fn parse(&self, cells: &mut Cells) -> Parsed {
        let data = &self.buffer[self.from..];
        let (separator, cr) = (self.marks.separator, self.marks.cr);
        let mut i = 0;
        loop {
            if data.get(i) == Some(&b'"') {
                i += 1;
                loop {
                    let Some(quote) = data.get(i..).and_then(|d| memchr(b'"', d)) else {
                        return Parsed::More { quoted: true };
                    };
                    cells.bytes.extend_from_slice(&data[i..i + quote]);
                    i += quote + 1;
                    match data.get(i) {
                        Some(b'"') => {
                            cells.bytes.push(b'"');
                            i += 1;
                        }
                        None if !self.ended => return Parsed::More { quoted: true },
                        _ => break,
                    }
                }
                while separator != b' ' && data.get(i) == Some(&b' ') {
                    i += 1;
                }
                cells.end();
                match data.get(i) {
                    None if self.ended => return Parsed::Whole(i),
                    None => return Parsed::More { quoted: true },
                    Some(b) if *b == separator => i += 1,
                    Some(b'\n') => return Parsed::Whole(i + 1),
                    Some(b'\r') if cr => return Parsed::Whole(i + 1),
                    Some(b'\r') => match data.get(i + 1) {
                        Some(b'\n') => return Parsed::Whole(i + 2),
                        None if self.ended => return Parsed::Whole(i + 1),
                        None => return Parsed::More { quoted: true },
                        Some(_) => return Parsed::Broken(AFTER),
                    },
                    Some(_) => return Parsed::Broken(AFTER),
                }
            } else {
                let rest = &data[i..];
                let found = if cr {
                    memchr3(separator, b'\n', b'\r', rest)
                } else {
                    memchr2(separator, b'\n', rest)
                };
                let Some(at) = found else {
                    if !self.ended {
                        return Parsed::More { quoted: false };
                    }
                    let text = rest.strip_suffix(b"\r").unwrap_or(rest);
                    cells.bytes.extend_from_slice(text);
                    cells.end();
                    return Parsed::Whole(data.len());
                };
                let text = &rest[..at];
                i += at + 1;
                if rest[at] == separator {
                    cells.bytes.extend_from_slice(text);
                    cells.end();
                } else {
                    cells
                        .bytes
                        .extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                    cells.end();
                    return Parsed::Whole(i);
                }
            }
        }
    }
}

const AFTER: &str = "a quoted text ends before the cell does: a quote inside must be doubled";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &[u8], cr: bool) -> Vec<(u64, u64, String)> {
        let marks = Marks {
            separator: b',',
            cr,
        };
        let mut splitter = Splitter::new(text, marks);
        let mut cells = Cells::default();
        let mut out = Vec::new();
        while let Some(found) = splitter.next(&mut cells).expect("read") {
            let texts: Vec<_> = cells.iter().map(String::from_utf8_lossy).collect();
            let text = match found {
                Found::Record => texts.join("|"),
                Found::Blank => "blank".into(),
                Found::Broken(_) => format!("broken {}", texts.join("|")),
            };
            out.push((cells.line, cells.lines, text));
        }
        out
    }

    fn row(line: u64, lines: u64, text: &str) -> (u64, u64, String) {
        (line, lines, text.into())
    }

    #[test]
    fn quotes_line_ends_and_the_last_line() {
        assert_eq!(
            split(
                b"a,\"b \"\"c\"\"\nd\",e\r\n\r\nf,5\" pipe,\n,,\nlast",
                false
            ),
            [
                row(1, 2, "a|b \"c\"\nd|e"),
                row(3, 1, "blank"),
                row(4, 1, "f|5\" pipe|"),
                row(5, 1, "blank"),
                row(6, 1, "last")
            ]
        );
        assert_eq!(
            split(b"a,b\rc,d\r", true),
            [row(1, 1, "a|b"), row(2, 1, "c|d")]
        );
    }

    #[test]
    fn a_broken_quote_costs_its_line_only() {
        assert_eq!(
            split(b"a,\"b\nc,d\n\"x\"y,z\ne,f\n", false),
            [
                row(1, 1, "broken a,\"b"),
                row(2, 1, "c|d"),
                row(3, 1, "broken \"x\"y,z"),
                row(4, 1, "e|f")
            ]
        );
        // Never closed, in a file that is longer than the buffer may grow.
        let mut long = b"a,\"b\n".to_vec();
        long.extend(b"c,d\n".repeat(LONGEST));
        let rows = split(&long, false);
        assert_eq!(rows.len(), LONGEST + 1);
        assert_eq!(rows[0], row(1, 1, "broken a,\"b"));
        // One line that is too long, with the next one whole.
        let mut long = vec![b'x'; 3 * LONGEST];
        long.extend(b"\nc,d");
        let rows = split(&long, false);
        assert_eq!((rows.len(), rows[0].1, &rows[1]), (2, 1, &row(2, 1, "c|d")));
    }

    proptest! {
        #[test]
        fn every_line_of_any_bytes_is_met_exactly_once(
            parts in proptest::collection::vec(prop_oneof![
                Just(b"\"".to_vec()), Just(b",".to_vec()), Just(b"\n".to_vec()), Just(b"\r".to_vec()), Just(b"\r\n".to_vec()),
                proptest::collection::vec(any::<u8>(), 0..6)
            ], 0..60),
            cr in any::<bool>(),
        ) {
            let text = parts.concat();
            let mut next = 1;
            for (line, lines, _) in split(&text, cr) {
                prop_assert_eq!(line, next);
                prop_assert!(lines >= 1);
                next = line + lines;
            }
            let ends = text.iter().filter(|b| **b == b'\n' || (cr && **b == b'\r')).count() as u64;
            let open = text.last().is_some_and(|b| !(*b == b'\n' || (cr && *b == b'\r')));
            prop_assert_eq!(next - 1, ends + u64::from(open));
        }
    }
}
