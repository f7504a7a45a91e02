//! How entries lie in a few bytes. An entry says what a row was until a day: the day as the distance from the entry before, then
//! either that the row was not there, or the fields that were otherwise. Whole numbers take one byte for every seven bits; field names and
//! words of pick lists stand in a dictionary.

use crate::book::day::{date_of, days};
use crate::book::{FieldValue, LocalId, Money};
use crate::store::bytes::{Bytes, put_number, put_signed, put_text};
use jiff::Timestamp;

/// A field's name and its value.
pub(super) type Fields = Vec<(String, FieldValue)>;

/// What a row was before a day.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Was {
    /// Not there.
    Absent,
    /// Exactly this; the row that follows says nothing about it.
    Whole(Fields),
    /// As afterwards, but for these fields.
    Fields(Fields),
}

/// What a row was until a day: the day on which it changed, counted from 1970-01-01.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// From this day on it was otherwise.
    pub until: i32,
    /// What it was.
    pub was: Was,
}

/// Fields whose texts are words that repeat: their values go to the dictionary.
const WORDS: &[&str] = &[
    "segment",
    "touch",
    "region",
    "industry",
    "stage",
    "stage_kind",
    "forecast",
    "status",
    "status_kind",
    "priority",
    "priority_kind",
    "sentiment",
    "outcome",
    "acked_by",
    "level",
    "kind",
    "from",
    "to",
    "product",
    "change",
    "role",
    "reason",
];

mod tag {
    pub const NULL: u8 = 0;
    pub const FALSE: u8 = 1;
    pub const TRUE: u8 = 2;
    pub const WORD: u8 = 3;
    pub const TEXT: u8 = 4;
    pub const WHOLE: u8 = 5;
    pub const REAL: u8 = 6;
    pub const MONEY: u8 = 7;
    pub const DATE: u8 = 8;
    pub const INSTANT: u8 = 9;
    pub const ID: u8 = 10;
    pub const LIST: u8 = 11;
    /// Whole numbers from 0 on that fit stand in the tag itself: scores, percentages.
    pub const SMALL: u8 = 16;
    pub const SMALL_MOST: u8 = u8::MAX - SMALL;
}

/// Writes an entry behind one whose day is `before`. `word` gives the number of a word.
pub(super) fn write<E>(
    out: &mut Vec<u8>,
    before: i32,
    entry: &Entry,
    word: &mut dyn FnMut(&str) -> Result<u64, E>,
) -> Result<(), E> {
    put_signed(out, i64::from(entry.until) - i64::from(before));
    let (fields, whole) = match &entry.was {
        Was::Absent => {
            put_number(out, 0);
            return Ok(());
        }
        Was::Whole(fields) => (fields, 1),
        Was::Fields(fields) => (fields, 0),
    };
    put_number(out, 1 + whole + 2 * fields.len() as u64);
    for (name, value) in fields {
        put_number(out, word(name)?);
        write_value(out, name, value, word)?;
    }
    Ok(())
}

fn write_value<E>(
    out: &mut Vec<u8>,
    field: &str,
    value: &FieldValue,
    word: &mut dyn FnMut(&str) -> Result<u64, E>,
) -> Result<(), E> {
    match value {
        FieldValue::Null => out.push(tag::NULL),
        FieldValue::Bool(b) => out.push(if *b { tag::TRUE } else { tag::FALSE }),
        FieldValue::Text(s) if WORDS.contains(&field) => {
            out.push(tag::WORD);
            put_number(out, word(s)?);
        }
        FieldValue::Text(s) | FieldValue::Ref(s) => {
            out.push(tag::TEXT);
            put_text(out, s);
        }
        FieldValue::Number(n) => {
            let whole = *n as i64;
            if (whole as f64).to_bits() != n.to_bits() {
                out.push(tag::REAL);
                out.extend(n.to_le_bytes());
            } else if let Some(small) = u8::try_from(whole).ok().filter(|n| *n <= tag::SMALL_MOST) {
                out.push(tag::SMALL + small);
            } else {
                out.push(tag::WHOLE);
                put_signed(out, whole);
            }
        }
        FieldValue::Money(m) => {
            out.push(tag::MONEY);
            put_signed(out, m.minor);
            put_number(out, word(m.code())?);
        }
        FieldValue::Date(d) => {
            out.push(tag::DATE);
            put_signed(out, i64::from(days(*d)));
        }
        FieldValue::Instant(t) => {
            out.push(tag::INSTANT);
            put_signed(out, t.as_microsecond());
        }
        FieldValue::Id(id) => {
            out.push(tag::ID);
            put_number(out, u64::from(id.0));
        }
        FieldValue::List(l) => {
            out.push(tag::LIST);
            put_number(out, l.len() as u64);
            l.iter().for_each(|s| put_text(out, s));
        }
    }
    Ok(())
}

/// Reads entries one after the other.
pub(super) struct Reader<'a> {
    rest: Bytes<'a>,
    day: i32,
}

impl<'a> Reader<'a> {
    /// The entries of a part that begins on a day.
    pub(super) fn new(data: &'a [u8], first: i32) -> Reader<'a> {
        Reader {
            rest: Bytes(data),
            day: first,
        }
    }

    /// The next entry; `None` at the end, or where the bytes make no sense: what came before is still good. `word` gives the word of a number.
    pub(super) fn next(&mut self, word: &mut dyn FnMut(u64) -> Option<String>) -> Option<Entry> {
        if self.rest.0.is_empty() {
            return None;
        }
        let entry = self.entry(word);
        if entry.is_none() {
            self.rest = Bytes(&[]);
        }
        entry
    }

    fn entry(&mut self, word: &mut dyn FnMut(u64) -> Option<String>) -> Option<Entry> {
        self.day = self
            .day
            .checked_add(i32::try_from(self.rest.signed()?).ok()?)?;
        let head = self.rest.number()?;
        let was = if head == 0 {
            Was::Absent
        } else {
            let count = (head - 1) / 2;
            // Every field takes two bytes at least: a damaged count must not ask for memory that it cannot fill.
            let mut fields =
                Vec::with_capacity(usize::try_from(count).ok()?.min(self.rest.0.len()));
            for _ in 0..count {
                let name = self.rest.number()?;
                let name = word(name)?;
                fields.push((name, self.value(word)?));
            }
            if (head - 1) % 2 == 1 {
                Was::Whole(fields)
            } else {
                Was::Fields(fields)
            }
        };
        Some(Entry {
            until: self.day,
            was,
        })
    }

    fn value(&mut self, word: &mut dyn FnMut(u64) -> Option<String>) -> Option<FieldValue> {
        Some(match self.rest.byte()? {
            tag::NULL => FieldValue::Null,
            tag::FALSE => FieldValue::Bool(false),
            tag::TRUE => FieldValue::Bool(true),
            tag::WORD => FieldValue::Text(word(self.rest.number()?)?),
            tag::TEXT => FieldValue::Text(self.rest.text()?),
            tag::WHOLE => FieldValue::Number(self.rest.signed()? as f64),
            tag::REAL => {
                FieldValue::Number(f64::from_le_bytes(self.rest.take(8)?.try_into().ok()?))
            }
            tag::MONEY => {
                let minor = self.rest.signed()?;
                FieldValue::Money(Money::new(minor, &word(self.rest.number()?)?)?)
            }
            tag::DATE => FieldValue::Date(date_of(i32::try_from(self.rest.signed()?).ok()?)?),
            tag::INSTANT => {
                FieldValue::Instant(Timestamp::from_microsecond(self.rest.signed()?).ok()?)
            }
            tag::ID => FieldValue::Id(LocalId(u32::try_from(self.rest.number()?).ok()?)),
            tag::LIST => {
                let n = self.rest.number()?;
                let mut list = Vec::new();
                for _ in 0..n {
                    list.push(self.rest.text()?);
                }
                FieldValue::List(list)
            }
            small @ tag::SMALL.. => FieldValue::Number(f64::from(small - tag::SMALL)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn value() -> impl Strategy<Value = FieldValue> {
        prop_oneof![
            Just(FieldValue::Null),
            any::<bool>().prop_map(FieldValue::Bool),
            ".{0,40}".prop_map(FieldValue::Text),
            (0i64..300).prop_map(|n| FieldValue::Number(n as f64)),
            any::<i64>().prop_map(|n| FieldValue::Number(n as f64)),
            (-1e12..1e12).prop_map(FieldValue::Number),
            (any::<i64>(), "[A-Z]{3}")
                .prop_map(|(n, c)| FieldValue::Money(Money::new(n, &c).expect("a code"))),
            (-700_000i32..2_900_000).prop_map(|d| FieldValue::Date(date_of(d).expect("a day"))),
            (-4_000_000_000_000_000i64..4_000_000_000_000_000).prop_map(|m| FieldValue::Instant(
                Timestamp::from_microsecond(m).expect("an instant")
            )),
            any::<u32>().prop_map(|n| FieldValue::Id(LocalId(n))),
            prop::collection::vec(".{0,9}", 0..4).prop_map(FieldValue::List),
        ]
    }

    fn was() -> impl Strategy<Value = Was> {
        let name = prop_oneof![Just("stage"), Just("health"), Just("name")];
        let fields = prop::collection::vec((name.prop_map(str::to_owned), value()), 0..5);
        (0..3, fields).prop_map(|(kind, fields)| match kind {
            0 => Was::Absent,
            1 => Was::Whole(fields),
            _ => Was::Fields(fields),
        })
    }

    fn pack(entries: &[Entry], first: i32) -> (Vec<u8>, Vec<String>) {
        let (mut out, mut words, mut before) = (Vec::new(), Vec::<String>::new(), first);
        for entry in entries {
            let done = write::<Infallible>(&mut out, before, entry, &mut |w| {
                Ok(match words.iter().position(|k| k == w) {
                    Some(n) => n,
                    None => {
                        words.push(w.to_owned());
                        words.len() - 1
                    }
                } as u64)
            });
            assert_eq!(done, Ok(()));
            before = entry.until;
        }
        (out, words)
    }

    fn unpack(data: &[u8], first: i32, words: &[String]) -> Vec<Entry> {
        let mut reader = Reader::new(data, first);
        let mut word = |n: u64| words.get(usize::try_from(n).ok()?).cloned();
        std::iter::from_fn(|| reader.next(&mut word)).collect()
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(
            first in -20_000i32..60_000,
            steps in prop::collection::vec((0i32..400, was()), 0..12),
        ) {
            let mut until = first;
            let entries: Vec<Entry> = steps
                .into_iter()
                .map(|(step, was)| {
                    until += step;
                    Entry { until, was }
                })
                .collect();
            let (data, words) = pack(&entries, first);
            prop_assert_eq!(unpack(&data, first, &words), entries);
        }

        #[test]
        fn damaged_bytes_are_read_as_far_as_they_make_sense(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let words: Vec<String> = (0..8).map(|n| format!("word{n}")).collect();
            unpack(&data, 20_000, &words);
        }
    }

    #[test]
    fn a_changed_score_takes_four_bytes() {
        let entry = Entry {
            until: 20_807,
            was: Was::Fields(vec![("health".into(), FieldValue::Number(61.0))]),
        };
        let (data, _) = pack(&[entry], 20_800);
        assert_eq!(data.len(), 4);
    }
}
