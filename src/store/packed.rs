//! A record's fields as they lie in the database: one short run of bytes, sorted by name, so that equal fields are equal bytes. A million
//! records of a first load are written and compared in this form; JSON, which stood here before and is still read, takes three times as
//! much.
//!
//! The bytes: [`FORMAT`], then for each field its name (a place in [`NAMES`], or [`SPELT`] with length and text), one of [`tag`] and what
//! that needs ([`bytes`](super::bytes)).

use super::bytes::{Bytes, put_number, put_signed, put_text};
use super::error::{Fail, Res};
use crate::book::{FieldValue, LocalId, Money, record::FieldName};
use jiff::{Timestamp, civil::Date};
use rusqlite::types::ValueRef;
use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use std::sync::LazyLock;

/// The first byte.
const FORMAT: u8 = 1;
/// A name that is not in [`NAMES`] follows.
const SPELT: u8 = 0xff;

/// The names that most records use. Only ever added to: their places are in every database.
const NAMES: &[&str] = &[
    "account",
    "accepted",
    "active",
    "amount",
    "arr",
    "at",
    "author",
    "auto_renew",
    "body",
    "cancelled",
    "capacity_hours",
    "change",
    "class",
    "closed",
    "comments",
    "completed_at",
    "contact",
    "contract",
    "created",
    "csm",
    "date",
    "description",
    "domain",
    "due",
    "email",
    "end",
    "escalated",
    "escalation",
    "forecast",
    "from",
    "health",
    "health_at",
    "identifiers",
    "industry",
    "kind",
    "left_at",
    "line",
    "manager",
    "name",
    "next_step",
    "notice_days",
    "notice_deadline",
    "nps",
    "number",
    "opened",
    "origin",
    "original_due",
    "outcome",
    "owner",
    "parent",
    "phone",
    "priority",
    "priority_kind",
    "probability",
    "product",
    "pushes",
    "rate",
    "reason",
    "recurring",
    "region",
    "renewal",
    "role",
    "segment",
    "sentiment",
    "signed",
    "stage",
    "stage_kind",
    "start",
    "status",
    "status_kind",
    "subject",
    "tags",
    "target",
    "text",
    "title",
    "to",
    "touch",
    "unit",
    "value",
];

/// What kind of value follows.
mod tag {
    pub const NULL: u8 = 0;
    pub const TEXT: u8 = 1;
    pub const NUMBER: u8 = 2;
    pub const WHOLE: u8 = 3;
    pub const NO: u8 = 4;
    pub const YES: u8 = 5;
    pub const MONEY: u8 = 6;
    pub const DATE: u8 = 7;
    pub const INSTANT: u8 = 8;
    pub const REF: u8 = 9;
    pub const ID: u8 = 10;
    pub const LIST: u8 = 11;
}

/// [`NAMES`] in alphabetical order: the first eight letters as a number, the name, its place.
static BY_NAME: LazyLock<Vec<(u64, &str, u8)>> = LazyLock::new(|| {
    let places = NAMES.iter().zip(0u8..);
    let mut all: Vec<_> = places.map(|(n, place)| (letters(n), *n, place)).collect();
    all.sort_unstable();
    all
});

fn letters(name: &str) -> u64 {
    let mut first = [0; 8];
    let length = name.len().min(8);
    first[..length].copy_from_slice(&name.as_bytes()[..length]);
    u64::from_be_bytes(first)
}

/// Where a name stands among those of [`BY_NAME`].
fn rank(name: &str) -> Option<usize> {
    let first = letters(name);
    let from = BY_NAME.partition_point(|(l, ..)| *l < first);
    let same = BY_NAME[from..].iter().take_while(|(l, ..)| *l == first);
    let at = same.into_iter().position(|(_, n, _)| *n == name)?;
    Some(from + at)
}

/// The bytes of these fields.
pub fn pack(fields: &[(FieldName, FieldValue)]) -> Vec<u8> {
    let mut sorted: Vec<(Option<usize>, &FieldName, &FieldValue)> =
        fields.iter().map(|(n, v)| (rank(n), n, v)).collect();
    sorted.sort_by(|a, b| match (a.0, b.0) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.1.cmp(b.1),
    });
    let mut out = Vec::with_capacity(16 + fields.len() * 16);
    out.push(FORMAT);
    for (rank, name, value) in sorted {
        match rank {
            Some(rank) => out.push(BY_NAME[rank].2),
            None => {
                out.push(SPELT);
                put_text(&mut out, name);
            }
        }
        put_value(&mut out, value);
    }
    out
}

fn put_value(out: &mut Vec<u8>, value: &FieldValue) {
    match value {
        FieldValue::Null => out.push(tag::NULL),
        FieldValue::Text(t) => {
            out.push(tag::TEXT);
            put_text(out, t);
        }
        FieldValue::Number(n) => {
            let whole = *n as i64;
            if !n.is_finite() {
                // Nobody can do anything with such numbers.
                out.push(tag::NULL);
            } else if (whole as f64).to_bits() == n.to_bits() {
                out.push(tag::WHOLE);
                put_signed(out, whole);
            } else {
                out.push(tag::NUMBER);
                out.extend(n.to_le_bytes());
            }
        }
        FieldValue::Bool(b) => out.push(if *b { tag::YES } else { tag::NO }),
        FieldValue::Money(m) => {
            out.push(tag::MONEY);
            put_signed(out, m.minor);
            out.extend(m.currency);
        }
        FieldValue::Date(d) => {
            out.push(tag::DATE);
            out.extend(d.year().to_le_bytes());
            out.extend([d.month().unsigned_abs(), d.day().unsigned_abs()]);
        }
        FieldValue::Instant(at) => {
            out.push(tag::INSTANT);
            put_signed(out, at.as_second());
            put_signed(out, i64::from(at.subsec_nanosecond()));
        }
        FieldValue::Ref(id) => {
            out.push(tag::REF);
            put_text(out, id);
        }
        FieldValue::Id(id) => {
            out.push(tag::ID);
            put_number(out, u64::from(id.0));
        }
        FieldValue::List(items) => {
            out.push(tag::LIST);
            put_number(out, items.len() as u64);
            for item in items {
                put_text(out, item);
            }
        }
    }
}

/// Reads the fields of a record, in today's form or in the JSON of former ones.
pub(super) fn unpack(value: ValueRef<'_>) -> Res<Vec<(FieldName, FieldValue)>> {
    match value {
        ValueRef::Blob(bytes) => read(bytes).ok_or_else(damaged),
        ValueRef::Text(text) => of_json(std::str::from_utf8(text).map_err(|_| damaged())?),
        _ => Ok(Vec::new()),
    }
}

fn damaged() -> Fail {
    Fail::Bad("the fields of a record cannot be read".to_owned())
}

/// Whether what lies there are these fields, which are packed already. What cannot be read is not.
pub(super) fn is_same(value: ValueRef<'_>, packed: &[u8]) -> bool {
    match value {
        ValueRef::Blob(bytes) => bytes == packed,
        other => unpack(other).is_ok_and(|fields| pack(&fields) == packed),
    }
}

fn read(bytes: &[u8]) -> Option<Vec<(FieldName, FieldValue)>> {
    let mut rest = Bytes(bytes);
    if rest.byte()? != FORMAT {
        return None;
    }
    let mut fields = Vec::with_capacity(bytes.len() / 12);
    while !rest.0.is_empty() {
        let name = match rest.byte()? {
            SPELT => FieldName::Owned(rest.text()?),
            place => FieldName::Borrowed(NAMES.get(usize::from(place))?),
        };
        fields.push((name, value(&mut rest)?));
    }
    Some(fields)
}

fn value(rest: &mut Bytes<'_>) -> Option<FieldValue> {
    Some(match rest.byte()? {
        tag::NULL => FieldValue::Null,
        tag::TEXT => FieldValue::Text(rest.text()?),
        tag::NUMBER => FieldValue::Number(f64::from_le_bytes(rest.take(8)?.try_into().ok()?)),
        tag::WHOLE => FieldValue::Number(rest.signed()? as f64),
        tag::NO => FieldValue::Bool(false),
        tag::YES => FieldValue::Bool(true),
        tag::MONEY => FieldValue::Money(Money {
            minor: rest.signed()?,
            currency: rest.take(3)?.try_into().ok()?,
        }),
        tag::DATE => {
            let &[low, high, month, day] = rest.take(4)? else {
                return None;
            };
            let year = i16::from_le_bytes([low, high]);
            FieldValue::Date(Date::new(year, month as i8, day as i8).ok()?)
        }
        tag::INSTANT => {
            let second = rest.signed()?;
            let nano = i32::try_from(rest.signed()?).ok()?;
            FieldValue::Instant(Timestamp::new(second, nano).ok()?)
        }
        tag::REF => FieldValue::Ref(rest.text()?),
        tag::ID => FieldValue::Id(LocalId(u32::try_from(rest.number()?).ok()?)),
        tag::LIST => {
            let mut items = Vec::new();
            for _ in 0..rest.number()? {
                items.push(rest.text()?);
            }
            FieldValue::List(items)
        }
        _ => return None,
    })
}

/// Reads the JSON object of fields that databases hold from former times.
fn of_json(text: &str) -> Res<Vec<(FieldName, FieldValue)>> {
    struct Fields;
    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<(FieldName, FieldValue)>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of fields")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::with_capacity(map.size_hint().unwrap_or(24));
            while let Some((name, value)) = map.next_entry::<String, FieldValue>()? {
                fields.push((FieldName::Owned(name), value));
            }
            Ok(fields)
        }
    }
    Ok(serde_json::Deserializer::from_str(text).deserialize_map(Fields)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Res<Vec<(FieldName, FieldValue)>> {
        unpack(ValueRef::Blob(bytes))
    }
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = FieldValue> {
        prop_oneof![
            Just(FieldValue::Null),
            ".{0,40}".prop_map(FieldValue::Text),
            (-1e300..1e300f64).prop_map(FieldValue::Number),
            any::<i32>().prop_map(|n| FieldValue::Number(f64::from(n))),
            any::<i64>().prop_map(|n| FieldValue::Number(n as f64)),
            Just(FieldValue::Number(-0.0)),
            any::<bool>().prop_map(FieldValue::Bool),
            (any::<i64>(), any::<[u8; 3]>())
                .prop_map(|(minor, currency)| FieldValue::Money(Money { minor, currency })),
            (-9999..=9999i16, 1..=12i8, 1..=28i8)
                .prop_map(|(y, m, d)| FieldValue::Date(jiff::civil::date(y, m, d))),
            (-377_000_000_000..253_000_000_000i64, 0..1_000_000_000i32)
                .prop_map(|(s, n)| FieldValue::Instant(Timestamp::new(s, n).unwrap_or_default())),
            "[A-Za-z0-9]{0,40}".prop_map(FieldValue::Ref),
            any::<u32>().prop_map(|n| FieldValue::Id(LocalId(n))),
            prop::collection::vec(".{0,9}", 0..4).prop_map(FieldValue::List),
        ]
    }

    fn name() -> impl Strategy<Value = FieldName> {
        prop_oneof![
            (0..NAMES.len()).prop_map(|i| FieldName::Borrowed(NAMES[i])),
            ".{1,20}".prop_map(FieldName::Owned),
        ]
    }

    proptest! {
        #[test]
        fn what_was_packed_is_read_and_the_order_does_not_matter(
            map in prop::collection::btree_map(name(), value(), 0..12)
        ) {
            let sorted: Vec<_> = map.into_iter().collect();
            let mut turned = sorted.clone();
            turned.reverse();
            let bytes = pack(&turned);
            prop_assert_eq!(&bytes, &pack(&sorted));
            let back = fields(&bytes).unwrap();
            // Minus zero is equal to zero, and is to stay what it was.
            prop_assert_eq!(format!("{back:?}"), format!("{sorted:?}"));
        }

        #[test]
        fn bytes_that_mean_nothing_are_an_error_and_no_more(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = fields(&bytes);
        }

        #[test]
        fn cut_bytes_are_never_taken_for_other_values(
            map in prop::collection::btree_map(name(), value(), 1..6), cut in 1usize..20
        ) {
            let sorted: Vec<_> = map.into_iter().collect();
            let bytes = pack(&sorted);
            let kept = bytes.len().saturating_sub(cut);
            if let Ok(read) = fields(&bytes[..kept]) {
                prop_assert_eq!(format!("{read:?}"), format!("{:?}", &sorted[..read.len()]));
            }
        }
    }

    #[test]
    fn json_of_former_times_is_read_and_is_the_same() {
        let text = r#"{"account":{"ref":"001A"},"at":{"date":"2026-11-09"},"closed":"null","kind":{"text":"usage.weekly"},"value":{"number":418.0}}"#;
        let old = unpack(ValueRef::Text(text.as_bytes())).unwrap();
        assert_eq!(
            old[3],
            ("kind".into(), FieldValue::Text("usage.weekly".into()))
        );
        let packed = pack(&old);
        assert_eq!(fields(&packed).unwrap(), old);
        assert!(is_same(ValueRef::Text(text.as_bytes()), &packed));
        assert!(is_same(ValueRef::Blob(&packed), &packed));
        assert!(
            packed.len() * 2 < text.len(),
            "{} of {}",
            packed.len(),
            text.len()
        );
        let mut other = old;
        other[4].1 = FieldValue::Number(419.0);
        assert!(!is_same(ValueRef::Text(text.as_bytes()), &pack(&other)));
    }

    #[test]
    fn names_stand_once() {
        for (i, name) in NAMES.iter().enumerate() {
            assert!(!NAMES[..i].contains(name), "{name}");
        }
        assert!(NAMES.len() < usize::from(SPELT));
    }
}
