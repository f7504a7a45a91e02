//! A request: its method, address and body.

use super::super::path::Path;
use super::super::template::{PathText, Text};
use super::*;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// One of these is the method and the path.
    #[serde(default)]
    pub get: Option<PathText>,
    #[serde(default)]
    #[allow(missing_docs)]
    pub post: Option<PathText>,
    #[serde(default)]
    #[allow(missing_docs)]
    pub put: Option<PathText>,
    #[serde(default)]
    #[allow(missing_docs)]
    pub patch: Option<PathText>,
    #[serde(default)]
    #[allow(missing_docs)]
    pub delete: Option<PathText>,
    /// Another address than the base; it gets no credentials.
    #[serde(default)]
    pub at: Option<Text>,
    /// Query parameters.
    #[serde(default)]
    pub query: BTreeMap<String, Node>,
    /// A JSON body.
    #[serde(default)]
    pub json: Option<Node>,
    /// A form body.
    #[serde(default)]
    pub form: Option<Node>,
    /// Which limit it falls under.
    #[serde(default)]
    pub lane: Option<String>,
}

/// A value of a body: TOML as it is, with placeholders in its texts. A table that lost a lone placeholder is dropped from a list.
/// Keys with a special meaning: `@json` (a value as JSON text), `@each` (once per row at hand), `@field` (once per selected field), `@changed`
/// (the changed fields are laid into this table; over what is preset, under what is made of `{want.…}`), `@changed_each` (once per changed field), `@first`
/// (the first of a list that has a value). The text `@null` is JSON's null.
#[derive(Clone, Debug)]
pub enum Node {
    /// A number, a truth value.
    Const(serde_json::Value),
    /// A text.
    Text(Text),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Map(Vec<(String, Node)>),
    /// A value written as JSON text.
    Json(Box<Node>),
    /// Once per row.
    Each(Box<Node>),
    /// Once per selected field.
    EachField(Box<Node>),
    /// Once per changed field.
    EachChanged(Box<Node>),
    /// The first of several that has a value.
    First(Vec<Node>),
}

/// A list of values that the vendor keeps elsewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// The request.
    pub request: Request,
    /// Its rows.
    #[serde(default)]
    pub rows: Path,
    /// The value that rows hold.
    pub value: Path,
    /// What people read.
    pub label: Path,
    /// The canonical kind of a value, for fields that ask with `pick_kind`.
    #[serde(default)]
    pub kind: Option<ValueSpec>,
}

/// Where the vendor's fields stand in a row.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// Under this path, by name.
    #[serde(default)]
    pub at: Path,
    /// Under `at`, by their place among the fields that were asked for.
    #[serde(default)]
    pub positional: bool,
    /// So many values stand before them.
    #[serde(default)]
    pub skip: usize,
}

/// One name or several.
#[derive(Clone, Debug, Default)]
pub struct Names(pub Vec<String>);

impl Request {
    /// Its method and path; `None` when it names none or several.
    pub fn target(&self) -> Option<(reqwest::Method, &PathText)> {
        use reqwest::Method;
        let mut all = [
            (Method::GET, &self.get),
            (Method::POST, &self.post),
            (Method::PUT, &self.put),
            (Method::PATCH, &self.patch),
            (Method::DELETE, &self.delete),
        ]
        .into_iter()
        .filter_map(|(m, p)| Some((m, p.as_ref()?)));
        let first = all.next()?;
        all.next().is_none().then_some(first)
    }

    /// Every text in it.
    pub fn texts(&self) -> Vec<&Text> {
        let mut out = Vec::new();
        for path in [&self.get, &self.post, &self.put, &self.patch, &self.delete]
            .into_iter()
            .flatten()
        {
            out.push(&path.0);
        }
        out.extend(&self.at);
        self.query
            .values()
            .chain(&self.json)
            .chain(&self.form)
            .for_each(|n| n.texts(&mut out));
        out
    }
}
