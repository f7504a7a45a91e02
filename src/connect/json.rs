//! Rows as the vendors send them: fields are found in place and read as text, so that no amount ever passes through floating point.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A field's name; copied only when it is written with escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// One JSON object; its values stay as they were written.
#[derive(Clone, Debug, Default)]
pub struct Row<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut out = Vec::with_capacity(map.size_hint().unwrap_or(24));
                while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
                    out.push((key, map.next_value::<&'de RawValue>()?));
                }
                Ok(out)
            }
        }
        Ok(Row {
            fields: deserializer.deserialize_map(Fields)?,
        })
    }
}

impl<'a> Row<'a> {
    /// Reads an object; nothing when it is something else.
    pub fn parse(raw: &'a RawValue) -> Option<Row<'a>> {
        serde_json::from_str(raw.get()).ok()
    }

    /// The value of a field as it stands in the document; `Owner.Name` goes into nested objects unless a key has that very name.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        if let Some((_, v)) = self.fields.iter().find(|(k, _)| k == name) {
            return Some(v.get());
        }
        let (head, rest) = name.split_once('.')?;
        let (_, v) = self.fields.iter().find(|(k, _)| k == head)?;
        Row::parse(v)?.raw(rest)
    }

    /// The names and values, in the document's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.fields.iter().map(|(k, v)| (k.as_ref(), v.get()))
    }

    /// Whether the vendor sent the field at all.
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A scalar as text: strings without their quotes, numbers and booleans as they are written; `None` for null, objects and lists.
    pub fn text(&self, name: &str) -> Option<String> {
        scalar(self.raw(name)?)
    }

    /// Text that is not blank.
    pub fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|t| !t.trim().is_empty())
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        let text = self.text(name)?;
        text.parse()
            .ok()
            .or_else(|| crate::book::value::parse_scaled(&text, 0))
    }

    /// Yes or no; also as text.
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.text(name)?.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    /// An array of rows; elements that are no objects are left out.
    pub fn rows(&self, name: &str) -> Vec<Row<'a>> {
        match self.raw(name) {
            Some(raw) => rows_of(raw),
            None => Vec::new(),
        }
    }

    /// A nested object.
    pub fn object(&self, name: &str) -> Option<Row<'a>> {
        serde_json::from_str(self.raw(name)?).ok()
    }
}

/// The elements of an array, each a row if it is an object.
pub fn elements(raw: &str) -> Vec<Option<Row<'_>>> {
    match serde_json::from_str::<Vec<Row<'_>>>(raw) {
        Ok(rows) => rows.into_iter().map(Some).collect(),
        // One of them is none, or cannot be read: the others can.
        Err(_) => {
            let list: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
            list.into_iter().map(Row::parse).collect()
        }
    }
}

/// The objects of an array.
pub fn rows_of(raw: &str) -> Vec<Row<'_>> {
    elements(raw).into_iter().flatten().collect()
}

/// A scalar of a document as text.
pub fn scalar(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        // Without a backslash the text stands there as it is.
        b'"' => plain(raw)
            .map(str::to_owned)
            .or_else(|| serde_json::from_str(raw).ok())
            // A lone surrogate is no text for Rust; what is left of the string still is.
            .or_else(|| Some(raw.trim_matches('"').to_owned())),
        b'n' | b'{' | b'[' => None,
        _ => Some(raw.to_owned()),
    }
}

/// What stands between the quotes of a text without escapes.
fn plain(raw: &str) -> Option<&str> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    let is_plain = |b: u8| b != b'\\' && b != b'"' && b >= b' ';
    inner.bytes().all(is_plain).then_some(inner)
}

/// Whether a document is an array.
pub fn is_array(raw: &str) -> bool {
    raw.as_bytes().first() == Some(&b'[')
}

/// Whether it is null.
pub fn is_null(raw: &str) -> bool {
    raw == "null"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_numbers_as_they_were_written_and_reaches_into_relations() {
        let doc = r#"{"Id":"001","Amount":12345678901234.05,"N":null,"Owner":{"Name":"Ö \"x\"","Deep":{"A":1}},"csm__gr.email":"a@b.c","flag":"true"}"#;
        let row: Row<'_> = serde_json::from_str(doc).unwrap();
        assert_eq!(row.text("Amount").as_deref(), Some("12345678901234.05"));
        assert_eq!(row.text("Owner.Name").as_deref(), Some("Ö \"x\""));
        assert_eq!(row.int("Owner.Deep.A"), Some(1));
        assert_eq!(row.text("csm__gr.email").as_deref(), Some("a@b.c"));
        assert_eq!(row.text("N"), None);
        assert!(row.has("N") && !row.has("M"));
        assert_eq!(row.bool("flag"), Some(true));
    }

    #[test]
    fn what_is_no_object_has_no_row_and_one_that_cannot_be_read_costs_only_itself() {
        let ids = |doc: &str| -> Vec<Option<String>> {
            let rows = elements(doc);
            rows.iter().map(|r| r.as_ref()?.text("Id")).collect()
        };
        let one = |id: &str| Some(id.to_owned());
        assert_eq!(
            ids(r#"[{"Id":"1"},7,-7,7.5,"x",null,true,[{"Id":"2"}],{"Id":"3","In":{"Id":"4"}}]"#),
            [one("1"), None, None, None, None, None, None, None, one("3")]
        );
        // A name with half a letter is no name.
        assert_eq!(
            ids(r#"[{"Id":"1"},{"\ud800":1,"Id":"2"},{"Id":"3"}]"#),
            [one("1"), None, one("3")]
        );
        assert_eq!(ids("{}"), []);
    }

    #[test]
    fn a_text_is_read_with_and_without_escapes() {
        for (raw, text) in [
            (r#""a b""#, "a b"),
            (r#""""#, ""),
            (r#""Ö""#, "Ö"),
            (r#""a\"b""#, "a\"b"),
            (r#""a\\""#, "a\\"),
            (r#""\u00d6""#, "Ö"),
        ] {
            assert_eq!(scalar(raw).as_deref(), Some(text));
        }
    }
}
