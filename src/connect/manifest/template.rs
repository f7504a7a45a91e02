//! Texts with placeholders: `Subject eq '{value:odata}'`. No expressions, no loops; every name is from a closed list, and a value that lands inside a
//! longer text names the dialect in which it is escaped, so that nothing breaks out of a query.

use crate::connect::canon;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// An option of the source, `{option.region}`.
    Option,
    /// A secret of the source beside its login, `{secret.app_key}`.
    Secret,
    /// A word chosen by an option, `{switch.objects}`.
    Switch,
    /// A word of the stream, `{word.object}`.
    Word,
    /// A value that the login answered, `{auth.site}`.
    Auth,
    /// The instant from which changes are wanted; empty in a first load.
    Since,
    /// The clock.
    Now,
    /// The vendor's bookmark of the next page; empty on the first.
    Cursor,
    /// Rows so far.
    Offset,
    /// The page's number.
    Number,
    /// Rows of a page.
    Size,
    /// The key of the last row that was read; empty on the first page.
    Last,
    /// The vendor's names of all selected fields.
    Fields,
    /// One of them, inside `@field`; of a changed one inside `@changed_each`.
    Field,
    /// The new value, inside `@changed_each` and in `text` of a written field.
    Value,
    /// A value of the row at hand, `{row.id}`.
    Row,
    /// The vendor's id of the row that is read or written.
    Id,
    /// The vendor's id of its account.
    Account,
    /// The key of a create, `0191f6a2-…`.
    Marker,
    /// The same in a form that can be searched in a text, `[csops:444455556666]`.
    Mark,
    /// The e-mail address of the person who acts.
    Author,
    /// What a look-up found, `{lookup.author_id}`.
    Lookup,
    /// A value that is written, by its canonical name, `{want.due:date}`.
    Want,
    /// The base address.
    Base,
}

const NAMES: [(&str, Name, bool); 24] = [
    ("word", Name::Word, true),
    ("option", Name::Option, true),
    ("secret", Name::Secret, true),
    ("switch", Name::Switch, true),
    ("auth", Name::Auth, true),
    ("since", Name::Since, false),
    ("now", Name::Now, false),
    ("cursor", Name::Cursor, false),
    ("offset", Name::Offset, false),
    ("number", Name::Number, false),
    ("size", Name::Size, false),
    ("last", Name::Last, false),
    ("fields", Name::Fields, false),
    ("field", Name::Field, false),
    ("value", Name::Value, false),
    ("row", Name::Row, true),
    ("id", Name::Id, false),
    ("account", Name::Account, false),
    ("marker", Name::Marker, false),
    ("mark", Name::Mark, false),
    ("author", Name::Author, false),
    ("lookup", Name::Lookup, true),
    ("want", Name::Want, true),
    ("base", Name::Base, false),
];

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `2026-01-02T17:38:59.000Z`.
    Iso,
    /// `2026-01-02`.
    Date,
    /// Milliseconds since 1970.
    Ms,
    /// Seconds since 1970.
    Unix,
    /// `2026-01-02 17:38:59`.
    Stamp,
    /// A list with commas.
    Comma,
    /// Percent-encoded.
    Url,
    /// Inside a JSON string.
    Json,
    /// Inside an OData string in single quotes.
    Odata,
    /// Inside a SOQL string in single quotes.
    Soql,
    /// As HTML that shows the same text.
    Html,
    /// As it is, in a text that nobody parses.
    Text,
}

const FORMATS: [(&str, Format); 12] = [
    ("html", Format::Html),
    ("iso", Format::Iso),
    ("date", Format::Date),
    ("ms", Format::Ms),
    ("unix", Format::Unix),
    ("stamp", Format::Stamp),
    ("comma", Format::Comma),
    ("url", Format::Url),
    ("json", Format::Json),
    ("odata", Format::Odata),
    ("soql", Format::Soql),
    ("text", Format::Text),
];

/// A placeholder.
#[derive(Clone, Debug, PartialEq)]
pub struct Hole {
    /// What it stands for.
    pub name: Name,
    /// What follows the first point: an option's name, a path in a row.
    pub rest: String,
    /// How it is written; in a text of its own a value keeps its type without one.
    pub format: Option<Format>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Literal.
    Plain(String),
    /// A placeholder.
    Hole(Hole),
}

/// A text with placeholders, checked when the manifest is loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Its parts in order.
    pub pieces: Vec<Piece>,
}

/// A value on its way into a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Filling {
    /// A text.
    Text(String),
    /// An instant.
    Instant(Timestamp),
    /// A day.
    Date(Date),
    /// Several texts.
    List(Vec<String>),
    /// Anything else.
    Json(Value),
}

/// Where placeholders get their values. `None`: empty, which drops the key or the list item that it would fill.
pub trait Scope {
    /// The value of a placeholder.
    fn fill(&self, hole: &Hole) -> Option<Filling>;
}

impl Text {
    /// Parses a text. The error is a sentence.
    pub fn parse(source: &str) -> Result<Text, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let tail = &rest[at..];
            if tail.starts_with("{{") || tail.starts_with("}}") {
                plain.push_str(&tail[..1]);
                rest = &tail[2..];
                continue;
            }
            if tail.starts_with('}') {
                return Err(format!(
                    "`{source}`: a lone `}}`; write `}}}}` for the sign itself"
                ));
            }
            let Some(end) = tail.find('}') else {
                return Err(format!(
                    "`{source}`: the placeholder is not closed; write `{{{{` for the sign itself"
                ));
            };
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Hole(hole(&tail[1..end])?));
            rest = &tail[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        Ok(Text { pieces })
    }

    /// Its placeholders.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.pieces.iter().filter_map(|p| match p {
            Piece::Hole(h) => Some(h),
            Piece::Plain(_) => None,
        })
    }

    /// The placeholder, when it is nothing but one.
    pub fn alone(&self) -> Option<&Hole> {
        match self.pieces.as_slice() {
            [Piece::Hole(h)] => Some(h),
            _ => None,
        }
    }

    /// Whether every placeholder in a longer text says how it is escaped. The error names the one that does not.
    pub fn check_escapes(&self) -> Result<(), String> {
        if self.alone().is_some() {
            return Ok(());
        }
        let open = |h: &&Hole| {
            h.format.is_none()
                && !matches!(
                    h.name,
                    Name::Option
                        | Name::Switch
                        | Name::Word
                        | Name::Offset
                        | Name::Number
                        | Name::Size
                        | Name::Base
                )
        };
        match self.holes().find(open) {
            None => Ok(()),
            Some(h) => Err(format!(
                "`{{{}}}` stands inside a longer text and must say how it is escaped: one of :url, :json, :odata, :soql, :html, :text, or a form of a date",
                h.source()
            )),
        }
    }

    /// The text with its values in place; `None` when one of them is empty.
    pub fn render(&self, scope: &dyn Scope) -> Option<String> {
        self.render_with(scope, None)
    }

    /// An address: every value is percent-encoded as a path segment, whatever its format, but for switches and words, which are written by the
    /// manifest, and for an option that is the beginning of the whole address.
    pub fn render_path(&self, scope: &dyn Scope) -> Option<String> {
        self.render_with(scope, Some(Format::Url))
    }

    fn render_with(&self, scope: &dyn Scope, all: Option<Format>) -> Option<String> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(p) => out.push_str(p),
                Piece::Hole(h) => {
                    let value = scope.fill(h)?;
                    let text = shown(&value, h.format)?;
                    if all == Some(Format::Url)
                        && !matches!(h.name, Name::Switch | Name::Word | Name::Base)
                        && !(out.is_empty() && text.starts_with("https://"))
                    {
                        out.push_str(&crate::connect::http::encode(&text));
                    } else {
                        out.push_str(&text);
                    }
                }
            }
        }
        Some(out)
    }

    /// The value as it goes into a document: a lone placeholder keeps its type.
    pub fn value(&self, scope: &dyn Scope) -> Option<Value> {
        match self.alone() {
            Some(hole) if hole.format.is_none() => Some(match scope.fill(hole)? {
                Filling::Text(t) => Value::String(t),
                Filling::Instant(t) => Value::String(crate::connect::convert::iso(t)),
                Filling::Date(d) => Value::String(d.to_string()),
                Filling::List(l) => Value::Array(l.into_iter().map(Value::String).collect()),
                Filling::Json(v) => v,
            }),
            Some(hole) if matches!(hole.format, Some(Format::Ms | Format::Unix)) => {
                let text = shown(&scope.fill(hole)?, hole.format)?;
                Some(text.parse::<i64>().map_or(Value::String(text), Value::from))
            }
            _ => self.render(scope).map(Value::String),
        }
    }
}

impl Hole {
    /// As it stands in the manifest, without braces.
    pub fn source(&self) -> String {
        let name = NAMES.iter().find(|n| n.1 == self.name).map_or("", |n| n.0);
        let format = self
            .format
            .and_then(|f| FORMATS.iter().find(|n| n.1 == f))
            .map_or(String::new(), |n| format!(":{}", n.0));
        let rest = if self.rest.is_empty() {
            String::new()
        } else {
            format!(".{}", self.rest)
        };
        format!("{name}{rest}{format}")
    }
}

fn hole(source: &str) -> Result<Hole, String> {
    // A format stands behind the last colon; a path may hold others only in quotes.
    let (body, format) = match source.rsplit_once(':') {
        Some((body, f)) if !f.contains('"') => {
            let known = FORMATS.iter().find(|(n, _)| *n == f).map(|(_, f)| *f);
            let known = known.ok_or_else(|| {
                let all: Vec<&str> = FORMATS.iter().map(|f| f.0).collect();
                format!(
                    "`{{{source}}}`: `:{f}` is not a form; there are {}",
                    all.join(", ")
                )
            })?;
            (body, Some(known))
        }
        _ => (source, None),
    };
    let (name, rest) = match body.split_once('.') {
        Some((name, rest)) => (name, rest),
        None => (body, ""),
    };
    let Some((_, found, wants_rest)) = NAMES.iter().find(|n| n.0 == name) else {
        let all: Vec<&str> = NAMES.iter().map(|n| n.0).collect();
        return Err(format!(
            "`{{{source}}}` is not a placeholder; there are {}",
            all.join(", ")
        ));
    };
    if *wants_rest && rest.is_empty() {
        return Err(format!("`{{{source}}}` must say which: `{{{name}.…}}`"));
    }
    if !*wants_rest && !rest.is_empty() {
        return Err(format!("`{{{source}}}`: `{name}` has no parts"));
    }
    Ok(Hole {
        name: *found,
        rest: rest.to_owned(),
        format,
    })
}

/// A value as text in a form; `None` when it has no such form.
pub fn shown(value: &Filling, format: Option<Format>) -> Option<String> {
    let plain = || -> Option<String> {
        Some(match value {
            Filling::Text(t) => t.clone(),
            Filling::Instant(t) => crate::connect::convert::iso(*t),
            Filling::Date(d) => d.to_string(),
            Filling::List(l) => l.join(","),
            Filling::Json(Value::String(t)) => t.clone(),
            Filling::Json(Value::Null) => return None,
            Filling::Json(v) => v.to_string(),
        })
    };
    let instant = || -> Option<Timestamp> {
        match value {
            Filling::Instant(t) => Some(*t),
            Filling::Date(d) => d.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp()),
            Filling::Text(t) | Filling::Json(Value::String(t)) => {
                crate::connect::convert::instant(t)
            }
            _ => None,
        }
    };
    Some(match format {
        None | Some(Format::Text | Format::Comma) => plain()?,
        Some(Format::Iso) => crate::connect::convert::iso(instant()?),
        Some(Format::Ms) => instant()?.as_millisecond().to_string(),
        Some(Format::Unix) => instant()?.as_second().to_string(),
        Some(Format::Stamp) => instant()?.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Some(Format::Date) => match value {
            Filling::Date(d) => d.to_string(),
            _ => instant()?.to_zoned(TimeZone::UTC).date().to_string(),
        },
        Some(Format::Url) => crate::connect::http::encode(&plain()?),
        Some(Format::Json) => {
            let quoted = Value::String(plain()?).to_string();
            quoted.get(1..quoted.len() - 1)?.to_owned()
        }
        // OData doubles the quote; nothing else is special inside a literal.
        Some(Format::Odata) => plain()?.replace('\'', "''"),
        Some(Format::Soql) => soql(&plain()?),
        Some(Format::Html) => canon::html(&plain()?),
    })
}

/// Inside a SOQL string in single quotes.
pub fn soql(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c => out.push(c),
        }
    }
    out
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        let source = String::deserialize(deserializer)?;
        let text = Text::parse(&source).map_err(de::Error::custom)?;
        text.check_escapes().map_err(de::Error::custom)?;
        Ok(text)
    }
}

/// An address under the base: its values are always percent-encoded, so none has to say so.
#[derive(Clone, Debug, PartialEq)]
pub struct PathText(pub Text);

impl<'de> Deserialize<'de> for PathText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PathText, D::Error> {
        let source = String::deserialize(deserializer)?;
        Text::parse(&source)
            .map(PathText)
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct One(Filling);
    impl Scope for One {
        fn fill(&self, hole: &Hole) -> Option<Filling> {
            (hole.name != Name::Since).then(|| self.0.clone())
        }
    }

    fn with(text: &str, value: &str) -> Option<String> {
        Text::parse(text)
            .unwrap()
            .render(&One(Filling::Text(value.into())))
    }

    #[test]
    fn a_text_with_an_empty_value_is_dropped_and_a_lone_value_keeps_its_type() {
        assert_eq!(with("a ge {since:iso}", "x"), None);
        assert_eq!(with("x {{y}} {id:text}", "1"), Some("x {y} 1".into()));
        let list = One(Filling::List(vec!["a".into(), "b".into()]));
        let value = |t: &str| Text::parse(t).unwrap().value(&list);
        assert_eq!(value("{fields}"), Some(serde_json::json!(["a", "b"])));
        assert_eq!(value("{fields:comma}"), Some(serde_json::json!("a,b")));
        let at = One(Filling::Instant("2026-01-02T00:00:00Z".parse().unwrap()));
        assert_eq!(
            Text::parse("{now:ms}").unwrap().value(&at),
            Some(serde_json::json!(1_767_312_000_000_i64))
        );
    }

    #[test]
    fn what_is_no_placeholder_is_refused_with_the_list_of_those_that_are() {
        assert!(Text::parse("{sicne}").unwrap_err().contains("since"));
        assert!(Text::parse("{since:isoo}").unwrap_err().contains("iso"));
        assert!(Text::parse("{since").is_err());
        assert!(Text::parse("a } b").is_err());
        assert!(Text::parse("{row}").is_err());
        assert!(
            Text::parse("name eq '{id}'")
                .unwrap()
                .check_escapes()
                .is_err()
        );
        assert!(
            Text::parse("name eq '{id:odata}'")
                .unwrap()
                .check_escapes()
                .is_ok()
        );
    }

    proptest! {
        /// Read back by a reader of its own, a SOQL literal is what went in, and nothing follows it.
        #[test]
        fn no_value_breaks_out_of_a_soql_literal(value in "\\PC*|[\"'\\\\%*\n\r\t${}]*") {
            let text = with("Name = '{id:soql}'", &value).unwrap();
            let inner = text.strip_prefix("Name = '").unwrap();
            let (mut read, mut chars, mut closed) = (String::new(), inner.chars(), false);
            while let Some(c) = chars.next() {
                match c {
                    '\\' => read.push(match chars.next().unwrap() { 'n' => '\n', 'r' => '\r', 't' => '\t', 'b' => '\u{8}', 'f' => '\u{c}', c => c }),
                    '\'' => { closed = true; break }
                    c => read.push(c),
                }
            }
            prop_assert!(closed);
            prop_assert_eq!(chars.next(), None);
            prop_assert_eq!(read, value);
        }

        #[test]
        fn no_value_breaks_out_of_an_odata_literal(value in "\\PC*|['%*&? ]*") {
            let text = with("Name eq '{id:odata}'", &value).unwrap();
            let inner = text.strip_prefix("Name eq '").unwrap().strip_suffix('\'').unwrap();
            prop_assert!(!inner.replace("''", "").contains('\''));
            prop_assert_eq!(inner.replace("''", "'"), value);
        }

        #[test]
        fn no_value_breaks_out_of_a_json_string_or_an_address(value in "\\PC*|[\"'\\\\%*\n\r/?#${}]*") {
            let text = with("{{\"a\":\"{id:json}\"}}", &value).unwrap();
            let doc: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(doc["a"].as_str().unwrap(), &value);
            let path = Text::parse("/x/{id}").unwrap().render_path(&One(Filling::Text(value))).unwrap();
            prop_assert!(path["/x/".len()..].bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b)));
        }
    }
}
