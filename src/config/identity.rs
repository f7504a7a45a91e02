//! `[identity]` and `[read]`: by what rows of two systems are the same, and whose rows count where nothing says so.

use super::parse::{choose, unknown_source};
use super::reader::{Section, texts_of};
use super::settings::{IdFieldSettings, IdentitySettings};
use std::collections::BTreeMap;
use toml::de::DeValue;

const ACCOUNT: [&str; 4] = ["stored_id", "external_id", "domain", "name"];
const PERSON: [&str; 3] = ["stored_id", "external_id", "email"];
/// Kinds of which only some sources' rows may count.
const KINDS: [&str; 6] = ["renewal", "task", "ticket", "risk", "note", "signal"];

/// Reads `[identity]`.
pub(super) fn identity(s: Section<'_, '_>, names: &[&str]) -> IdentitySettings {
    let d = IdentitySettings::default();
    let account = marks(&s, "account", &ACCOUNT).unwrap_or(d.account);
    let person = marks(&s, "person", &PERSON).unwrap_or(d.person);
    let ids = s
        .section("ids")
        .tables()
        .into_iter()
        .flat_map(|(source, section)| id_fields(&source, section, names))
        .collect();
    let small = |list: Option<Vec<String>>| -> Vec<String> {
        let list = list.unwrap_or_default();
        list.iter().map(|t| t.trim().to_lowercase()).collect()
    };
    let settings = IdentitySettings {
        account,
        person,
        shared_domains: small(s.texts("shared_domains", &[])),
        own_domains: small(s.texts("own_domains", &[])),
        shared_emails: small(s.texts("shared_emails", &[])),
        ids,
    };
    s.done();
    settings
}

/// Marks in their order, each once.
fn marks(
    s: &Section<'_, '_>,
    key: &'static str,
    known: &[&'static str],
) -> Option<Vec<&'static str>> {
    let value = s.raw(key)?;
    let Some(list) = texts_of(value.get_ref()) else {
        s.error(
            Some(value.span()),
            format!("`{}` takes a list of {}", s.name(key), known.join(", ")),
        );
        return None;
    };
    let mut out = Vec::new();
    for word in &list {
        match choose(word, known) {
            Ok(word) if !out.contains(&word) => out.push(word),
            Ok(word) => s.error(
                Some(value.span()),
                format!("`{}` names `{word}` twice", s.name(key)),
            ),
            Err(sentence) => {
                s.error(Some(value.span()), format!("`{}` {sentence}", s.name(key)));
                return None;
            }
        }
    }
    s.reader
        .show(s.name(key), format!("{out:?}"), Some(value.span()));
    Some(out)
}

fn id_fields(source: &str, s: Section<'_, '_>, names: &[&str]) -> Vec<IdFieldSettings> {
    let mut out = Vec::new();
    if !names.contains(&source) {
        s.error(
            s.span(),
            format!("`{}` {}", s.name(source), unknown_source(source, names)),
        );
        return out;
    }
    for (field, value) in s.entries() {
        let name = s.name(&field);
        let DeValue::String(of) = value.get_ref() else {
            s.error(
                Some(value.span()),
                format!("`{name}` takes the name of the source whose id the field holds"),
            );
            continue;
        };
        if !names.contains(&of.as_ref()) || of == source {
            let why = if of == source {
                "names its own source; it takes the source whose id the field holds".to_owned()
            } else {
                unknown_source(of, names)
            };
            s.error(Some(value.span()), format!("`{name}` {why}"));
            continue;
        }
        s.reader.show(name, of.to_string(), Some(value.span()));
        let line = s.reader.place(value.span().start).0;
        out.push(IdFieldSettings {
            source: source.to_owned(),
            field,
            of: of.to_string(),
            at: format!("{}:{line}", s.reader.file_name()),
        });
    }
    out
}

/// Reads `[read]`.
pub(super) fn owners(s: Section<'_, '_>, names: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut out = BTreeMap::new();
    for (kind, value) in s.entries() {
        let name = s.name(&kind);
        if let Err(sentence) = choose(&kind, &KINDS) {
            s.error(Some(value.span()), format!("`read` {sentence}"));
            continue;
        }
        let list = match value.get_ref() {
            DeValue::String(one) => Some(vec![one.to_string()]),
            other => texts_of(other),
        };
        let Some(list) = list.filter(|l| !l.is_empty()) else {
            s.error(
                Some(value.span()),
                format!("`{name}` takes the name of a source or a list of names"),
            );
            continue;
        };
        if let Some(stranger) = list.iter().find(|n| !names.contains(&n.as_str())) {
            s.error(
                Some(value.span()),
                format!("`{name}` {}", unknown_source(stranger, names)),
            );
            continue;
        }
        s.reader.show(name, format!("{list:?}"), Some(value.span()));
        out.insert(kind, list);
    }
    out
}
