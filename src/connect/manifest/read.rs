//! Reading what serde does not read by itself: values that are a path or a table, names that are one or several, bodies with placeholders.

use super::path::Path;
use super::schema::{Condition, Conditions, FieldWrite, From, Names, Node, Pipe, ValueSpec, Words};
use super::template::Text;
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        Ok(Names(match toml::Value::deserialize(deserializer)? {
            toml::Value::Array(list) => list
                .into_iter()
                .map(plain)
                .collect::<Result<_, _>>()
                .map_err(de::Error::custom)?,
            one => vec![plain(one).map_err(de::Error::custom)?],
        }))
    }
}

fn plain(value: toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(s) => Ok(s),
        toml::Value::Integer(n) => Ok(n.to_string()),
        toml::Value::Boolean(b) => Ok(b.to_string()),
        toml::Value::Float(f) => Ok(f.to_string()),
        other => Err(format!(
            "expected a word or a number, found {}",
            other.type_str()
        )),
    }
}

impl<'de> Deserialize<'de> for ValueSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ValueSpec, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            path: Option<Path>,
            of: Option<String>,
            #[serde(rename = "const")]
            fixed: Option<Names>,
            text: Option<Text>,
            join: Option<String>,
            all: Option<Vec<Path>>,
            or: Option<ValueSpec>,
            #[serde(default)]
            unix: bool,
            #[serde(default)]
            is: BTreeMap<String, Names>,
            #[serde(rename = "else")]
            otherwise: Option<Names>,
            words: Option<Words>,
            pick: Option<String>,
            pick_kind: Option<String>,
            #[serde(default)]
            pipe: Vec<Pipe>,
        }
        struct Visit;
        impl<'de> de::Visitor<'de> for Visit {
            type Value = ValueSpec;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a path or a table with `path`, `of`, `const`, `text`, `all` or `join`")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<ValueSpec, E> {
                Ok(ValueSpec::path(Path::parse(v).map_err(E::custom)?))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ValueSpec, A::Error> {
                let t = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let first = |n: Names| n.0.into_iter().next().unwrap_or_default();
                let from = match (t.join, t.path, t.of, t.fixed, t.text, t.all) {
                    (Some(j), p, None, None, None, None) => From::Join(j, p.unwrap_or_default()),
                    (None, Some(p), None, None, None, None) => From::Path(p),
                    (None, None, Some(f), None, None, None) => From::Of(f),
                    (None, None, None, Some(c), None, None) => From::Const(first(c)),
                    (None, None, None, None, Some(t), None) => From::Text(t),
                    (None, None, None, None, None, Some(all)) => From::All(all),
                    _ => {
                        return Err(de::Error::custom(
                            "a value needs exactly one of `path`, `of`, `const`, `text`, `all`, `join`",
                        ));
                    }
                };
                Ok(ValueSpec {
                    from,
                    unix: t.unix,
                    is: t.is.into_iter().map(|(k, v)| (k, first(v))).collect(),
                    otherwise: t.otherwise.map(first),
                    words: t.words,
                    pick: t.pick,
                    pick_kind: t.pick_kind,
                    pipe: t.pipe,
                    or: t.or.map(Box::new),
                })
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

impl ValueSpec {
    /// What stands at a path, as it is.
    pub fn path(path: Path) -> ValueSpec {
        ValueSpec {
            from: From::Path(path),
            unix: false,
            is: BTreeMap::new(),
            otherwise: None,
            words: None,
            pick: None,
            pick_kind: None,
            pipe: Vec::new(),
            or: None,
        }
    }
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Conditions, D::Error> {
        struct Visit;
        impl<'de> de::Visitor<'de> for Visit {
            type Value = Conditions;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a condition or a list of conditions")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Conditions, A::Error> {
                let one = Condition::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Conditions(vec![one]))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Conditions, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = list.next_element()? {
                    all.push(one);
                }
                Ok(Conditions(all))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

impl<'de> Deserialize<'de> for FieldWrite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FieldWrite, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Form {
            Iso,
            Date,
            Ms,
            Unix,
            Stamp,
            Html,
            Text,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            to: Option<String>,
            form: Option<Form>,
            text: Option<Text>,
            #[serde(default)]
            words: BTreeMap<String, toml::Value>,
            pick: Option<String>,
            #[serde(default)]
            create_only: bool,
            when: Option<Condition>,
        }
        use super::template::Format;
        struct Visit;
        impl<'de> de::Visitor<'de> for Visit {
            type Value = FieldWrite;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the vendor's field or a table with `to`")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<FieldWrite, E> {
                Path::parse(v).map_err(E::custom)?;
                Ok(FieldWrite {
                    to: Some(v.to_owned()),
                    ..FieldWrite::default()
                })
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<FieldWrite, A::Error> {
                let t = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                if let Some(to) = &t.to {
                    Path::parse(to).map_err(de::Error::custom)?;
                } else if t.words.is_empty() {
                    return Err(de::Error::custom(
                        "a written field needs `to`, or `words` with tables of the vendor's fields",
                    ));
                }
                Ok(FieldWrite {
                    to: t.to,
                    form: t.form.map(|f| match f {
                        Form::Iso => Format::Iso,
                        Form::Date => Format::Date,
                        Form::Ms => Format::Ms,
                        Form::Unix => Format::Unix,
                        Form::Stamp => Format::Stamp,
                        Form::Html => Format::Html,
                        Form::Text => Format::Text,
                    }),
                    text: t.text,
                    words: t.words,
                    pick: t.pick,
                    create_only: t.create_only,
                    when: t.when,
                })
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        Node::from_toml(toml::Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Node {
    /// From a TOML value. The error is a sentence.
    pub fn from_toml(value: toml::Value) -> Result<Node, String> {
        Ok(match value {
            toml::Value::String(s) if s == "@null" => Node::Const(serde_json::Value::Null),
            toml::Value::String(s) => {
                let text = Text::parse(&s)?;
                text.check_escapes()?;
                Node::Text(text)
            }
            toml::Value::Integer(n) => Node::Const(n.into()),
            toml::Value::Float(f) => Node::Const(f.into()),
            toml::Value::Boolean(b) => Node::Const(b.into()),
            toml::Value::Datetime(d) => Node::Const(d.to_string().into()),
            toml::Value::Array(list) => Node::List(
                list.into_iter()
                    .map(Node::from_toml)
                    .collect::<Result<_, _>>()?,
            ),
            toml::Value::Table(mut table) => {
                if table.len() == 1 {
                    if let Some(list) = table.remove("@first") {
                        let Node::List(list) = Node::from_toml(list)? else {
                            return Err("`@first` takes a list".to_owned());
                        };
                        return Ok(Node::First(list));
                    }
                    for (key, wrap) in [
                        ("@json", Node::Json as fn(Box<Node>) -> Node),
                        ("@each", Node::Each),
                        ("@field", Node::EachField),
                        ("@changed_each", Node::EachChanged),
                    ] {
                        if let Some(inner) = table.remove(key) {
                            return Ok(wrap(Box::new(Node::from_toml(inner)?)));
                        }
                    }
                }
                let mut out = Vec::new();
                for (key, value) in table {
                    if key.starts_with('@') && key != "@changed" {
                        return Err(format!(
                            "`{key}` has no meaning here; it must be the only key of its table, and there are @json, @each, @field, @first, @changed, @changed_each"
                        ));
                    }
                    out.push((key, Node::from_toml(value)?));
                }
                Node::Map(out)
            }
        })
    }

    /// Every text in it.
    pub fn texts<'n>(&'n self, out: &mut Vec<&'n Text>) {
        match self {
            Node::Const(_) => {}
            Node::Text(t) => out.push(t),
            Node::List(list) | Node::First(list) => list.iter().for_each(|n| n.texts(out)),
            Node::Map(map) => map.iter().for_each(|(_, n)| n.texts(out)),
            Node::Json(n) | Node::Each(n) | Node::EachField(n) | Node::EachChanged(n) => {
                n.texts(out)
            }
        }
    }
}
