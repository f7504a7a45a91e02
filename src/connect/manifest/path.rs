//! Ways into a JSON document: `a.b`, `a[0]`, `a[].b`, `"key.with.dots"`, alternatives `x|y`; the empty path is the document itself.

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use std::fmt;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A key of an object.
    Key(String),
    /// An element of an array.
    Index(usize),
    /// All elements of an array.
    All,
}

/// A way into a document, with its alternatives in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Each alternative's steps.
    pub ways: Vec<Vec<Step>>,
}

impl Default for Path {
    /// The document itself.
    fn default() -> Path {
        Path {
            ways: vec![Vec::new()],
        }
    }
}

impl Path {
    /// Parses a path. The error is a sentence.
    pub fn parse(source: &str) -> Result<Path, String> {
        let mut ways = vec![Vec::new()];
        let mut rest = source;
        let mut fresh = true;
        while let Some(c) = rest.chars().next() {
            match c {
                '|' => {
                    ways.push(Vec::new());
                    rest = &rest[1..];
                    fresh = true;
                    continue;
                }
                '.' if !fresh => rest = &rest[1..],
                _ => {}
            }
            let way = ways.last_mut().ok_or("no path")?;
            if let Some(tail) = rest.strip_prefix('"') {
                let end = tail
                    .find('"')
                    .ok_or_else(|| format!("`{source}`: the quote is not closed"))?;
                way.push(Step::Key(tail[..end].to_owned()));
                rest = &tail[end + 1..];
            } else if let Some(tail) = rest.strip_prefix('[') {
                let end = tail
                    .find(']')
                    .ok_or_else(|| format!("`{source}`: the bracket is not closed"))?;
                way.push(match &tail[..end] {
                    "" => Step::All,
                    n => Step::Index(n.parse().map_err(|_| {
                        format!("`{source}`: `[{n}]` is neither a number nor empty")
                    })?),
                });
                rest = &tail[end + 1..];
            } else {
                let end = rest.find(['.', '[', '|', '"']).unwrap_or(rest.len());
                if end == 0 {
                    return Err(format!("`{source}` is not a path: a key is missing"));
                }
                way.push(Step::Key(rest[..end].to_owned()));
                rest = &rest[end..];
            }
            fresh = false;
        }
        Ok(Path { ways })
    }

    /// The document itself.
    pub fn is_root(&self) -> bool {
        self.ways.iter().all(Vec::is_empty)
    }

    /// Everything that the first alternative with an answer leads to; null counts as none.
    pub fn find<'a>(&self, raw: &'a str) -> Vec<&'a str> {
        let mut out = Vec::new();
        for way in &self.ways {
            walk(raw, way, &mut out);
            if !out.is_empty() {
                break;
            }
        }
        out
    }

    /// The first thing that it leads to.
    pub fn first<'a>(&self, raw: &'a str) -> Option<&'a str> {
        self.ways.iter().find_map(|way| {
            if way.contains(&Step::All) {
                let mut out = Vec::new();
                walk(raw, way, &mut out);
                return out.first().copied();
            }
            one(raw, way)
        })
    }

    /// A scalar there, as text.
    pub fn text(&self, raw: &str) -> Option<String> {
        crate::connect::json::scalar(self.first(raw)?).filter(|t| !t.trim().is_empty())
    }
}

/// The value under a key of an object, as it stands in the document; nothing is built for the rest.
pub fn member<'a>(raw: &'a str, key: &str) -> Option<&'a str> {
    use serde::de::{IgnoredAny, MapAccess, Visitor};
    struct Find<'k>(&'k str);
    impl<'de> Visitor<'de> for Find<'_> {
        type Value = Option<&'de str>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                if found.is_none() && key == self.0 {
                    found = Some(map.next_value::<&'de RawValue>()?.get());
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }
    if raw.as_bytes().first() != Some(&b'{') {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_str(raw);
    serde::Deserializer::deserialize_map(&mut reader, Find(key)).ok()?
}

/// The elements of an array, as they stand in the document.
pub fn elements(raw: &str) -> Vec<&str> {
    let list: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
    list.into_iter().map(RawValue::get).collect()
}

fn one<'a>(raw: &'a str, way: &[Step]) -> Option<&'a str> {
    let mut at = raw;
    for step in way {
        at = match step {
            Step::Key(k) => member(at, k)?,
            Step::Index(n) => elements(at).get(*n).copied()?,
            Step::All => return None,
        };
    }
    (at != "null").then_some(at)
}

fn walk<'a>(raw: &'a str, way: &[Step], out: &mut Vec<&'a str>) {
    match way.split_first() {
        None if raw != "null" => out.push(raw),
        None => {}
        Some((Step::All, rest)) => {
            for element in elements(raw) {
                walk(element, rest, out);
            }
        }
        Some((step, rest)) => {
            if let Some(next) = one(raw, std::slice::from_ref(step)) {
                walk(next, rest, out);
            }
        }
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Path, D::Error> {
        let source = String::deserialize(deserializer)?;
        Path::parse(&source).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_through_objects_arrays_quoted_keys_and_alternatives() {
        let doc = r#"{"a":{"b":[{"c":1},{"c":2},{"d":3}]},"x.y":"z","n":null,"e":""}"#;
        let find = |p: &str| Path::parse(p).unwrap().find(doc);
        assert_eq!(find("a.b[].c"), ["1", "2"]);
        assert_eq!(find("a.b[1].c"), ["2"]);
        assert_eq!(find("\"x.y\""), ["\"z\""]);
        assert_eq!(find("n|q|a.b[0].c"), ["1"]);
        assert!(find("n").is_empty());
        assert_eq!(Path::parse("e|\"x.y\"").unwrap().text(doc), None);
        assert_eq!(find(""), [doc]);
        assert_eq!(Path::parse("a.b[].d").unwrap().first(doc), Some("3"));
        for bad in ["a..b", "a[x]", "\"a", "a["] {
            assert!(Path::parse(bad).is_err(), "{bad}");
        }
    }
}
