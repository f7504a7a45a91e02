//! From a manifest's request to one that can be sent: placeholders get their values, bodies are built as values and never as text.

use super::schema::{Node, Request};
use super::template::{Filling, Format, Hole, Name, Scope};
use crate::book::FieldValue;
use crate::connect::canon;
use crate::connect::http::{Ask, encode};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Everything that placeholders can stand for; what does not apply is empty.
#[derive(Clone, Default)]
pub struct Values<'a> {
    /// Options with their defaults.
    pub options: Option<&'a BTreeMap<String, String>>,
    /// Secrets beside the login. They go into requests only.
    pub secrets: Option<&'a BTreeMap<String, secrecy::SecretString>>,
    /// Words chosen by options.
    pub switches: Option<&'a BTreeMap<String, String>>,
    /// Words of the stream.
    pub words: Option<&'a BTreeMap<String, String>>,
    /// What the login answered.
    pub auth: Option<&'a BTreeMap<String, String>>,
    /// The base address.
    pub base: &'a str,
    /// The clock.
    pub now: Option<Timestamp>,
    /// From when changes are wanted.
    pub since: Option<Timestamp>,
    /// The next page's bookmark.
    pub cursor: Option<&'a str>,
    /// Rows so far.
    pub offset: Option<u64>,
    /// The page's number.
    pub number: Option<u64>,
    /// Rows of a page.
    pub size: Option<u32>,
    /// The key of the last row.
    pub last: Option<&'a str>,
    /// The vendor's names of the selected fields.
    pub fields: &'a [String],
    /// One of them.
    pub field: Option<&'a str>,
    /// A value that is written.
    pub value: Option<Filling>,
    /// The row at hand.
    pub row: Option<&'a str>,
    /// All rows at hand.
    pub rows: &'a [&'a str],
    /// The vendor's id of the row.
    pub id: Option<&'a str>,
    /// The vendor's id of its account.
    pub account: Option<&'a str>,
    /// The key of a create.
    pub marker: Option<&'a str>,
    /// Who acts.
    pub author: Option<&'a str>,
    /// What look-ups found.
    pub lookups: Option<&'a BTreeMap<String, String>>,
    /// Wanted values by canonical name.
    pub want: &'a [(String, FieldValue, FieldValue)],
    /// The changed fields in the vendor's names and values.
    pub changed: Option<&'a Map<String, Value>>,
}

/// A canonical value on its way out.
pub fn filling(value: &FieldValue) -> Option<Filling> {
    Some(match value {
        FieldValue::Null => return None,
        FieldValue::Text(t) | FieldValue::Ref(t) => Filling::Text(t.clone()),
        FieldValue::Number(n) => Filling::Json(number(*n)),
        FieldValue::Bool(b) => Filling::Json(Value::Bool(*b)),
        FieldValue::Date(d) => Filling::Date(*d),
        FieldValue::Instant(t) => Filling::Instant(*t),
        FieldValue::List(l) => Filling::List(l.clone()),
        FieldValue::Money(m) => {
            // Fifteen digits pass through a JSON number unharmed; a longer amount goes as text.
            let text = m.decimal();
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            match text.parse::<serde_json::Number>() {
                Ok(n) if digits <= 15 => Filling::Json(Value::Number(n)),
                _ => Filling::Text(text),
            }
        }
        // A local id means nothing to a vendor.
        FieldValue::Id(_) => return None,
    })
}

fn number(n: f64) -> Value {
    if n.fract() == 0.0 && n.abs() < 9e15 {
        Value::from(n as i64)
    } else {
        Value::from(n)
    }
}

impl Scope for Values<'_> {
    fn fill(&self, hole: &Hole) -> Option<Filling> {
        let text = |t: &str| (!t.is_empty()).then(|| Filling::Text(t.to_owned()));
        match hole.name {
            Name::Option => text(self.options?.get(&hole.rest)?),
            Name::Secret => {
                use secrecy::ExposeSecret;
                text(self.secrets?.get(&hole.rest)?.expose_secret())
            }
            Name::Switch => text(self.switches?.get(&hole.rest)?),
            Name::Word => text(self.words?.get(&hole.rest)?),
            Name::Auth => text(self.auth?.get(&hole.rest)?),
            Name::Base => text(self.base),
            Name::Since => self.since.map(Filling::Instant),
            Name::Now => self.now.map(Filling::Instant),
            Name::Cursor => text(self.cursor?),
            Name::Offset => self.offset.map(|n| Filling::Json(n.into())),
            Name::Number => self.number.map(|n| Filling::Json(n.into())),
            Name::Size => self.size.map(|n| Filling::Json(n.into())),
            Name::Last => text(self.last?),
            Name::Fields => (!self.fields.is_empty()).then(|| Filling::List(self.fields.to_vec())),
            Name::Field => text(self.field?),
            Name::Value => self.value.clone(),
            Name::Row => {
                let path = super::path::Path::parse(&hole.rest).ok()?;
                let raw = path.first(self.row?)?;
                match crate::connect::json::scalar(raw) {
                    Some(t) if raw.starts_with('"') => text(&t),
                    Some(_) => serde_json::from_str(raw).ok().map(Filling::Json),
                    None => None,
                }
            }
            Name::Id => text(self.id?),
            Name::Account => text(self.account?),
            Name::Marker => text(self.marker?),
            Name::Mark => text(&canon::marker(self.marker?)),
            Name::Author => text(self.author?),
            Name::Lookup => text(self.lookups?.get(&hole.rest)?),
            Name::Want => filling(&self.want.iter().find(|(f, _, _)| *f == hole.rest)?.2),
        }
    }
}

/// The value of a node; `None` when it is empty and its key is to be dropped.
pub fn render(node: &Node, values: &Values<'_>) -> Option<Value> {
    match node {
        Node::Const(v) => Some(v.clone()),
        Node::Text(t) => t.value(values),
        Node::List(list) => {
            let mut items = Vec::new();
            for node in list {
                let item = match node {
                    Node::Map(map) => table(map, values, true),
                    other => render(other, values),
                };
                match (node, item) {
                    // What stands for several items stands for them in place.
                    (
                        Node::Each(_) | Node::EachField(_) | Node::EachChanged(_),
                        Some(Value::Array(several)),
                    ) => items.extend(several),
                    (_, Some(one)) => items.push(one),
                    (_, None) => {}
                }
            }
            Some(Value::Array(items))
        }
        Node::Map(map) => table(map, values, false),
        Node::First(list) => list.iter().find_map(|node| render(node, values)),
        Node::Json(inner) => render(inner, values).map(|v| Value::String(v.to_string())),
        Node::Each(inner) => Some(Value::Array(
            values
                .rows
                .iter()
                .filter_map(|row| {
                    let one = Values {
                        row: Some(row),
                        ..values.clone()
                    };
                    render(inner, &one)
                })
                .collect(),
        )),
        Node::EachField(inner) => Some(Value::Array(
            values
                .fields
                .iter()
                .filter_map(|field| {
                    let one = Values {
                        field: Some(field),
                        ..values.clone()
                    };
                    render(inner, &one)
                })
                .collect(),
        )),
        Node::EachChanged(inner) => Some(Value::Array(
            values
                .changed?
                .iter()
                .filter_map(|(field, value)| {
                    let one = Values {
                        field: Some(field),
                        value: Some(Filling::Json(value.clone())),
                        ..values.clone()
                    };
                    render(inner, &one)
                })
                .collect(),
        )),
    }
}

fn table(map: &[(String, Node)], values: &Values<'_>, strict: bool) -> Option<Value> {
    let mut out = Map::new();
    for (key, node) in map.iter().filter(|(k, _)| k != "@changed") {
        match render(node, values) {
            Some(value) => {
                out.insert(key.clone(), value);
            }
            None if strict => return None,
            None => {}
        }
    }
    // What a person wants wins over what a manifest presets, but not over what the manifest makes of it.
    if map.iter().any(|(k, _)| k == "@changed")
        && let Some(changed) = values.changed
    {
        merge(&mut out, changed);
        for (key, node) in map
            .iter()
            .filter(|(k, n)| k != "@changed" && made_of_wants(n))
        {
            if let Some(value) = render(node, values) {
                out.insert(key.clone(), value);
            }
        }
    }
    Some(Value::Object(out))
}

/// Whether a node writes what is wanted in a form of its own.
fn made_of_wants(node: &Node) -> bool {
    let mut texts = Vec::new();
    node.texts(&mut texts);
    texts
        .iter()
        .any(|t| t.holes().any(|h| h.name == Name::Want))
}

fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(a)), Value::Object(b)) => merge(a, b),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// `a=b&c=d`, percent-encoded. Nested values are written as JSON.
fn pairs(node: &Value) -> String {
    let Value::Object(map) = node else {
        return String::new();
    };
    let mut out = Vec::new();
    for (key, value) in map {
        let one = |v: &Value| match v {
            Value::String(s) => s.clone(),
            other => other.to_string(),
        };
        match value {
            Value::Array(items) if items.iter().all(|i| !i.is_object()) => {
                out.extend(
                    items
                        .iter()
                        .map(|i| format!("{}={}", encode(key), encode(&one(i)))),
                );
            }
            other => out.push(format!("{}={}", encode(key), encode(&one(other)))),
        }
    }
    out.join("&")
}

/// The request with its values in place; `None` when a value that its path needs is empty.
pub fn build(request: &Request, values: &Values<'_>, read: bool) -> Option<Ask> {
    let (method, path) = request.target()?;
    let mut path = path.0.render_path(values)?;
    let query: Vec<(String, Node)> = request
        .query
        .iter()
        .map(|(k, n)| (k.clone(), n.clone()))
        .collect();
    let query = table(&query, values, false)
        .map(|q| pairs(&q))
        .unwrap_or_default();
    if !query.is_empty() {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&query);
    }
    let mut ask = Ask::write(method, path, None);
    ask.read = read;
    if let Some(json) = &request.json {
        let body = render(json, values).unwrap_or_else(|| Value::Object(Map::new()));
        // A list whose only item lacked a value it needs (a key, a look-up) would write nothing and be called done.
        if !read && body.as_array().is_some_and(Vec::is_empty) {
            return None;
        }
        ask.json = Some(Bytes::from(body.to_string()));
    } else if let Some(form) = &request.form {
        ask.json = Some(Bytes::from(pairs(&render(form, values)?)));
        ask.content_type = "application/x-www-form-urlencoded";
    }
    if let Some(at) = &request.at {
        ask.elsewhere = Some(at.render(values)?);
    }
    ask.lane = request.lane.clone();
    Some(ask)
}

/// Whether a request speaks of a placeholder.
pub fn mentions(request: &Request, name: Name, rest: &str) -> bool {
    request.texts().iter().any(|t| {
        t.holes()
            .any(|h| h.name == name && (rest.is_empty() || h.rest == rest))
    })
}

/// A value in the form that a written field asks for.
pub fn formed(value: Filling, form: Option<Format>) -> Option<Value> {
    match form {
        None => Some(match value {
            Filling::Text(t) => Value::String(t),
            Filling::Instant(t) => Value::String(crate::connect::convert::iso(t)),
            Filling::Date(d) => Value::String(d.to_string()),
            Filling::List(l) => Value::Array(l.into_iter().map(Value::String).collect()),
            Filling::Json(v) => v,
        }),
        Some(f @ (Format::Ms | Format::Unix)) => {
            let text = super::template::shown(&value, Some(f))?;
            text.parse::<i64>().ok().map(Value::from)
        }
        some => super::template::shown(&value, some).map(Value::String),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What a form or a query carries comes out of it again, and nothing beside it.
        #[test]
        fn no_value_breaks_out_of_a_form(value in "\\PC+|[&=?#%+ \"'\n${}\\[\\]]+") {
            let text = pairs(&serde_json::json!({"a": value, "b": {"x": value}}));
            let url = reqwest::Url::parse(&format!("http://h/?{text}")).unwrap();
            let read: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(read.len(), 2);
            prop_assert_eq!(&read[0], &("a".to_owned(), value.clone()));
            let inner: Value = serde_json::from_str(&read[1].1).unwrap();
            prop_assert_eq!(inner["x"].as_str().unwrap(), value);
        }
    }

    fn request(toml: &str) -> Request {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn an_empty_value_takes_its_key_or_its_list_item_along() {
        let r = request(
            r#"
            post = "/crm/{option.v}/search"
            json = { limit = "{size}", after = "{cursor}", filters = [ { p = "m", v = "{since:ms}" }, { p = "id", v = "{last}" } ], names = "{fields}", one = [ { "@field" = { f = "{field}" } } ] }
            "#,
        );
        let options = BTreeMap::from([("v".to_owned(), "v3/ä".to_owned())]);
        let fields = ["a".to_owned(), "b".to_owned()];
        let values = Values {
            options: Some(&options),
            size: Some(200),
            last: Some("7"),
            fields: &fields,
            ..Values::default()
        };
        let ask = build(&r, &values, true).unwrap();
        assert_eq!(ask.path, "/crm/v3%2F%C3%A4/search");
        let body: Value = serde_json::from_slice(ask.json.as_deref().unwrap()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({"limit": 200, "filters": [{"p": "id", "v": "7"}], "names": ["a", "b"], "one": [{"f": "a"}, {"f": "b"}]})
        );
    }

    #[test]
    fn a_form_carries_json_as_text_and_changed_fields_are_laid_in() {
        let r = request(
            r#"
            put = "/tasks/{id}"
            form = { query = { "@json" = { offset = "{offset}" } }, "@changed" = true }
        "#,
        );
        let mut changed = Map::new();
        changed.insert("a b".into(), "x&y=z".into());
        let values = Values {
            id: Some("a/../b"),
            offset: Some(10),
            changed: Some(&changed),
            ..Values::default()
        };
        let ask = build(&r, &values, false).unwrap();
        assert_eq!(ask.path, "/tasks/a%2F..%2Fb");
        let text = String::from_utf8(ask.json.unwrap().to_vec()).unwrap();
        assert!(text.contains("query=%7B%22offset%22%3A10%7D"), "{text}");
        assert!(text.contains("a%20b=x%26y%3Dz"), "{text}");
        assert_eq!(ask.content_type, "application/x-www-form-urlencoded");
        assert!(
            build(&r, &Values::default(), false).is_none(),
            "no id, no request"
        );
    }
}
