//! Reading manifests: the built-in ones and those in the user's `connectors/` folder, each checked whole before it is used.

use super::schema::{From, KINDS, Manifest, Request, SyncBy, ValueSpec};
use super::template::Name;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The built-in manifests: file name and text.
const BUILTIN: [(&str, &str); 8] = [
    (
        "salesforce.toml",
        include_str!("../builtin/salesforce.toml"),
    ),
    ("gainsight.toml", include_str!("../builtin/gainsight.toml")),
    ("files.toml", include_str!("../builtin/files.toml")),
    ("hubspot.toml", include_str!("../builtin/hubspot.toml")),
    ("churnzero.toml", include_str!("../builtin/churnzero.toml")),
    ("totango.toml", include_str!("../builtin/totango.toml")),
    ("vitally.toml", include_str!("../builtin/vitally.toml")),
    ("planhat.toml", include_str!("../builtin/planhat.toml")),
];

/// All connectors that there are, by name; one that cannot be used keeps its place and says why.
#[derive(Clone, Debug, Default)]
pub struct Library {
    all: BTreeMap<String, Result<Arc<Manifest>, String>>,
}

impl Library {
    /// The built-in ones.
    pub fn builtin() -> Library {
        static BUILT: OnceLock<Library> = OnceLock::new();
        BUILT
            .get_or_init(|| {
                let mut library = Library::default();
                for (file, text) in BUILTIN {
                    library.add(file, text);
                }
                library
            })
            .clone()
    }

    /// The built-in ones and those of a folder, which win. A folder that is not there is no error.
    pub fn with_folder(folder: &Path) -> Library {
        let mut library = Library::builtin();
        let mut files: Vec<_> = match std::fs::read_dir(folder) {
            Ok(entries) => entries.filter_map(|e| Some(e.ok()?.path())).collect(),
            Err(_) => return library,
        };
        files.sort();
        for file in files {
            if file.extension().is_none_or(|e| e != "toml") {
                continue;
            }
            let name = file.display().to_string();
            match std::fs::read_to_string(&file) {
                Ok(text) => library.add(&name, &text),
                Err(e) => {
                    let id = file
                        .file_stem()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned();
                    library
                        .all
                        .insert(id, Err(format!("{name} cannot be read ({e})")));
                }
            }
        }
        library
    }

    fn add(&mut self, file: &str, text: &str) {
        match load(file, text) {
            Ok(manifest) => {
                self.all.insert(manifest.id.clone(), Ok(Arc::new(manifest)));
            }
            Err(why) => {
                // Without a readable id the file's name says which connector it was meant to be.
                let id = toml::from_str::<toml::Table>(text)
                    .ok()
                    .and_then(|t| t.get("id")?.as_str().map(str::to_owned))
                    .unwrap_or_else(|| {
                        let stem = Path::new(file).file_stem().unwrap_or_default();
                        stem.to_string_lossy().into_owned()
                    });
                self.all.insert(id, Err(why));
            }
        }
    }

    /// A connector's manifest; `None` when there is no such connector, an error when its file cannot be used.
    pub fn get(&self, id: &str) -> Option<Result<Arc<Manifest>, String>> {
        self.all.get(id).cloned()
    }

    /// The names of all connectors.
    pub fn names(&self) -> Vec<&str> {
        self.all.keys().map(String::as_str).collect()
    }

    /// Every connector with its manifest or what is wrong with it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Result<Arc<Manifest>, String>)> {
        self.all.iter().map(|(k, v)| (k.as_str(), v))
    }
}

/// Reads and checks a manifest. The error has file, line and column of everything that is wrong, a line each.
pub fn load(file: &str, text: &str) -> Result<Manifest, String> {
    let mut manifest: Manifest = toml::from_str(text).map_err(|e| {
        let place = e.span().map_or(0, |s| s.start);
        format!("{file}:{}: {}", place_of(text, place), e.message())
    })?;
    let mut wrong: Wrong = Vec::new();
    for (word, why) in manifest.settle_streams() {
        wrong.push((find(text, &word), why));
    }
    check(&manifest, text, &mut wrong);
    manifest.settle_objects();
    if wrong.is_empty() {
        return Ok(manifest);
    }
    wrong.sort();
    wrong.dedup();
    let lines: Vec<String> = wrong
        .into_iter()
        .map(|(at, why)| format!("{file}:{}: {why}", place_of(text, at)))
        .collect();
    Err(lines.join("\n"))
}

/// `line:column`, counted from 1, of a byte.
fn place_of(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("{line}:{column}")
}

type Wrong = Vec<(usize, String)>;

/// Where a word stands in the file, for errors that are found after parsing.
fn find(text: &str, word: &str) -> usize {
    text.find(word).unwrap_or(0)
}

fn check(m: &Manifest, text: &str, wrong: &mut Wrong) {
    let wrong_is_empty = wrong.is_empty();
    let mut say = |word: &str, why: String| wrong.push((find(text, word), why));
    if m.manifest != 1 {
        say(
            "manifest",
            format!("`manifest = {}`: this csops reads version 1", m.manifest),
        );
    }
    if m.id.is_empty()
        || !m
            .id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        say(
            "id",
            format!("`id = \"{}\"` must be small letters, digits and `-`", m.id),
        );
    }
    if m.auth.kinds.is_empty() {
        say("[auth]", "`kinds` names no kind of login".into());
    }
    for kind in &m.auth.kinds {
        if !KINDS.contains(&kind.as_str()) {
            say(
                &format!("\"{kind}\""),
                format!(
                    "`{kind}` is no kind of login; there are {}",
                    KINDS.join(", ")
                ),
            );
        }
    }
    if m.auth.kinds.iter().any(|k| k == "login") && m.auth.login.is_none() {
        say(
            "[auth]",
            "the kind `login` needs [auth.login], which says how it is done".into(),
        );
    }
    if m.auth.kinds.iter().any(|k| k == "header") && m.auth.header.is_none() && m.adapter.is_none()
    {
        say(
            "[auth]",
            "the kind `header` needs `header = \"its name\"`".into(),
        );
    }
    for (name, switch) in &m.switch {
        if !m.option.contains_key(&switch.by) {
            say(
                &format!("[switch.{name}]"),
                format!("`by = \"{}\"`: there is no such option", switch.by),
            );
        }
    }
    for (name, option) in &m.option {
        if let Some(default) = &option.default
            && !option.values.is_empty()
            && !option.values.contains(default)
        {
            say(
                &format!("[option.{name}]"),
                format!("`default = \"{default}\"` is none of its values"),
            );
        }
    }
    super::object::check(m, &mut say);
    if m.adapter.is_some() {
        return;
    }
    if m.stream.is_empty() && wrong_is_empty {
        say(
            "manifest",
            "there is no [[stream]]: nothing would be read".into(),
        );
    }
    let mut requests: Vec<(&Request, &str)> = Vec::new();
    if let Some(c) = &m.check {
        requests.push((&c.request, "[check]"));
    }
    for (name, pick) in &m.pick {
        requests.push((&pick.request, name));
    }
    let mut names = Vec::new();
    for s in &m.stream {
        if names.contains(&&s.name) {
            say(
                &format!("\"{}\"", s.name),
                format!("there are two streams `{}`", s.name),
            );
        }
        names.push(&s.name);
        requests.push((&s.read, &s.name));
        requests.extend(s.changes.iter().map(|r| (r, s.name.as_str())));
        requests.extend(s.join.iter().map(|j| (&j.request, s.name.as_str())));
        requests.extend(s.describe.iter().map(|d| (&d.request, s.name.as_str())));
        let asks = |r: &Request, n| super::request::mentions(r, n, "");
        let changing = s.changes.as_ref().unwrap_or(&s.read);
        if s.sync.by == SyncBy::Since && !asks(changing, Name::Since) {
            say(
                &format!("\"{}\"", s.name),
                format!(
                    "stream {}: `sync.by = \"since\"`, but no request uses {{since}}",
                    s.name
                ),
            );
        }
        if s.sync.by == SyncBy::Feed && s.modified.is_none() {
            say(
                &format!("\"{}\"", s.name),
                format!(
                    "stream {}: a feed needs `modified`, to know where to stop",
                    s.name
                ),
            );
        }
        use super::schema::PageBy;
        for (page, request) in [
            (&s.page, Some(&s.read)),
            (
                s.changes_page.as_ref().unwrap_or(&s.page),
                s.changes.as_ref(),
            ),
        ] {
            let Some(request) = request else { continue };
            let (needs, what) = match page.by {
                PageBy::None | PageBy::Url => continue,
                PageBy::Number => (Name::Number, "{number}"),
                PageBy::Offset => (Name::Offset, "{offset}"),
                PageBy::Cursor => (Name::Cursor, "{cursor}"),
                PageBy::Keyset => (Name::Last, "{last}"),
            };
            if !asks(request, needs) {
                say(
                    &format!("\"{}\"", s.name),
                    format!("stream {}: its paging needs {what} in the request", s.name),
                );
            }
            if matches!(page.by, PageBy::Number | PageBy::Offset | PageBy::Keyset)
                && page.size.is_none()
            {
                say(
                    &format!("\"{}\"", s.name),
                    format!("stream {}: its paging needs `size`", s.name),
                );
            }
        }
        for (at, join) in s.join.iter().enumerate() {
            if let Some(through) = &join.through
                && !s.join.iter().take(at).any(|j| j.name == *through)
            {
                say(
                    &format!("\"{through}\""),
                    format!(
                        "stream {}: the join {} goes through `{through}`, which must stand before it",
                        s.name, join.name
                    ),
                );
            }
        }
        let own = [
            Some(&s.read),
            s.changes.as_ref(),
            s.describe.as_ref().map(|d| &d.request),
        ];
        let joined = s.join.iter().map(|j| &j.request);
        for request in own.into_iter().flatten().chain(joined) {
            for hole in request.texts().into_iter().flat_map(|t| t.holes()) {
                if hole.name == Name::Word && !s.words.contains_key(&hole.rest) {
                    say(
                        &format!("{{word.{}", hole.rest),
                        format!("stream {}: it has no word `{}`", s.name, hole.rest),
                    );
                }
            }
        }
        let options = [&s.keep, &s.gone, &s.when];
        let conditions = options.into_iter().flatten();
        for c in conditions.chain(s.also.iter().flat_map(|a| &a.when.0)) {
            if let Some(option) = &c.option
                && !m.option.contains_key(option)
            {
                say(
                    &format!("\"{option}\""),
                    format!("stream {}: there is no option `{option}`", s.name),
                );
            }
        }
        if s.when.as_ref().is_some_and(|c| c.option.is_none()) {
            say(
                &format!("\"{}\"", s.name),
                format!("stream {}: `when` asks for an `option`", s.name),
            );
        }
        let joins: Vec<&str> = s.join.iter().map(|j| j.name.as_str()).collect();
        let mut value = |v: &ValueSpec, what: &str| {
            if let From::Join(j, _) = &v.from
                && !joins.contains(&j.as_str())
            {
                say(
                    &format!("\"{j}\""),
                    format!(
                        "stream {}: {what} asks for the join `{j}`, which is not there",
                        s.name
                    ),
                );
            }
            for p in v.pick.iter().chain(&v.pick_kind) {
                if !m.pick.contains_key(p) {
                    say(
                        &format!("\"{p}\""),
                        format!(
                            "stream {}: {what} asks for the pick list `{p}`; there is no [pick.{p}]",
                            s.name
                        ),
                    );
                }
            }
        };
        for (field, v) in s.map.iter().chain(s.also.iter().flat_map(|a| a.map.iter())) {
            value(v, field);
        }
        for v in s
            .identifiers
            .iter()
            .chain([&s.id])
            .chain(&s.modified)
            .chain(&s.currency)
        {
            value(v, "a value");
        }
        let mut field_known = |entity: crate::book::Entity, field: &str| {
            if !super::object::known(entity, field) {
                say(
                    field,
                    format!("stream {}: {entity} has no field `{field}`", s.name),
                );
            }
        };
        for field in s.fields.keys().chain(s.map.keys()) {
            field_known(s.entity, field);
        }
        for also in &s.also {
            for field in also.map.keys() {
                field_known(also.entity, field);
            }
        }
    }
    for (entity, w) in &m.write {
        let place = format!("[write.{entity}]");
        for one in [&w.read, &w.create, &w.update, &w.delete]
            .into_iter()
            .flatten()
        {
            requests.push((&one.request, entity.name()));
        }
        requests.extend(w.find.iter().map(|f| (&f.request, entity.name())));
        requests.extend(w.lookup.values().map(|l| (&l.request, entity.name())));
        if !m.stream.iter().any(|s| {
            w.stream.as_ref().map_or(
                s.entity == *entity || s.also.iter().any(|a| a.entity == *entity),
                |n| *n == s.name,
            )
        }) {
            say(
                &place,
                format!("{entity} can be written, but no stream reads it back"),
            );
        }
        if w.update.is_some() && w.read.is_none() {
            say(
                &place,
                format!(
                    "{entity}: before an update the row is compared; say how it is read (`read`)"
                ),
            );
        }
        for (field, f) in &w.fields {
            if let Some(c) = &f.when
                && !c.option.as_ref().is_some_and(|o| m.option.contains_key(o))
            {
                say(
                    field,
                    format!("{entity}.{field}: `when` asks for an `option` that there is"),
                );
            }
            if let Some(p) = &f.pick
                && !m.pick.contains_key(p)
            {
                say(
                    &format!("\"{p}\""),
                    format!(
                        "{entity}.{field} asks for the pick list `{p}`; there is no [pick.{p}]"
                    ),
                );
            }
        }
    }
    for (request, place) in requests {
        if request.target().is_none() {
            say(
                place,
                format!("{place}: a request needs exactly one of get, post, put, patch, delete"),
            );
        }
        for t in request.texts() {
            for hole in t.holes() {
                let there = match hole.name {
                    Name::Option => m.option.contains_key(&hole.rest),
                    Name::Secret => m.secret.contains_key(&hole.rest),
                    Name::Switch => m.switch.contains_key(&hole.rest),
                    Name::Lookup => m.write.values().any(|w| w.lookup.contains_key(&hole.rest)),
                    _ => true,
                };
                if !there {
                    let source = hole.source();
                    say(
                        &format!("{{{source}"),
                        format!("`{{{source}}}`: there is no such entry in this manifest"),
                    );
                }
            }
        }
        if let Some(lane) = &request.lane
            && !m.limit.iter().any(|l| l.lane.as_ref() == Some(lane))
        {
            say(
                &format!("\"{lane}\""),
                format!("`lane = \"{lane}\"`: no [[limit]] has that lane"),
            );
        }
    }
}
