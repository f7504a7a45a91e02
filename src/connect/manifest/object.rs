//! `[[object]]`: what a system is asked for whose adapter first reads the tenant's own description of an object, and the checks of a manifest
//! that has an adapter. The likely names of the fields are data; which of them a tenant has is found out there.

use super::schema::{Adapter, Manifest, Names};
use super::template::PathText;
use crate::book::{AnyRow, Entity, LocalId, Target};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// One object and what its rows become.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectSpec {
    /// The stream's name, `accounts`.
    pub stream: String,
    /// The vendor's object; without one it is looked for by the words in `find`.
    #[serde(default)]
    pub name: String,
    /// What its rows mainly become.
    pub entity: Entity,
    /// Words in the names of objects of the tenant's own, the likeliest first. The option `<stream>_object` names the object outright.
    #[serde(default)]
    pub find: Vec<String>,
    /// For dated numbers: the kind of the signal, `usage.weekly`; in `[source.fields]` it stands where others have the entity.
    #[serde(default)]
    pub kind: Option<String>,
    /// The unit of the signal.
    #[serde(default)]
    pub unit: Option<String>,
    /// Canonical fields and the vendor's names for them, the likeliest first.
    #[serde(default)]
    pub fields: BTreeMap<String, Names>,
    /// Fields that are read without standing for a canonical one.
    #[serde(default)]
    pub extra: Vec<String>,
    /// The stream whose fields these are too.
    #[serde(default)]
    pub like: Option<String>,
    /// A tenant may lack it.
    #[serde(default)]
    pub optional: bool,
    /// Its reads are counted apart: a delete log, reads per parent.
    #[serde(default)]
    pub apart: bool,
    /// Rows of one page.
    #[serde(default)]
    pub page: Option<u32>,
    /// The address of a row in the vendor's own pages.
    #[serde(default)]
    pub web: Option<PathText>,
}

impl ObjectSpec {
    /// What stands before the field in `[source.fields]`: `account.`, `usage.weekly.`.
    pub fn prefix(&self) -> String {
        format!("{}.", self.kind.as_deref().unwrap_or(self.entity.name()))
    }

    /// Whether it is looked for among the tenant's own objects.
    pub fn is_found(&self) -> bool {
        self.name.is_empty()
    }

    /// The likely names of a canonical field.
    pub fn names(&self, canonical: &str) -> &[String] {
        self.fields.get(canonical).map_or(&[], |n| &n.0)
    }

    /// The fields that are asked for when nothing is known of the tenant: the first name of each, and the extra ones.
    pub fn likeliest(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let first = self.fields.values().filter_map(|n| n.0.first());
        for name in first.chain(&self.extra) {
            if !out.contains(name) {
                out.push(name.clone());
            }
        }
        out
    }

    /// FNV-1a over what decides what is asked of it and how that is read: itself, the source's own names for its fields, and `words`.
    pub fn hash<'a>(
        &self,
        own: &BTreeMap<String, String>,
        words: impl Iterator<Item = &'a str>,
    ) -> u64 {
        let mut h: u64 = 0xcbf2_9ce4_8422_2325;
        let mut eat = |text: &str| {
            for b in text.bytes().chain([0]) {
                h = (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        eat(&format!("{self:?}"));
        let prefix = self.prefix();
        for (k, v) in own.iter().filter(|(k, _)| k.starts_with(&prefix)) {
            eat(k);
            eat(v);
        }
        words.for_each(eat);
        h
    }
}

impl Manifest {
    /// The object behind a stream.
    pub fn object(&self, stream: &str) -> Option<&ObjectSpec> {
        self.object.iter().find(|o| o.stream == stream)
    }

    /// The object whose rows a kind of thing is read from and written to: the one that `[write.KIND] stream` names, else the first of its kind.
    pub fn object_of(&self, entity: Entity) -> Option<&ObjectSpec> {
        match self.write.get(&entity).and_then(|w| w.stream.as_deref()) {
            Some(stream) => self.object(stream),
            None => self
                .object
                .iter()
                .find(|o| o.entity == entity && !o.is_found()),
        }
    }

    /// Lays the fields of the objects that are `like` others into them.
    pub(super) fn settle_objects(&mut self) {
        let models: BTreeMap<String, BTreeMap<String, Names>> = self
            .object
            .iter()
            .map(|o| (o.stream.clone(), o.fields.clone()))
            .collect();
        for object in &mut self.object {
            let Some(fields) = object.like.as_ref().and_then(|l| models.get(l)) else {
                continue;
            };
            for (canonical, names) in fields {
                object
                    .fields
                    .entry(canonical.clone())
                    .or_insert_with(|| names.clone());
            }
        }
    }
}

/// What is wrong with the objects and written fields of a manifest that has an adapter: a word to look for in the file, and a sentence.
pub(super) fn check(m: &Manifest, mut say: impl FnMut(&str, String)) {
    let objects = matches!(m.adapter, Some(Adapter::Salesforce | Adapter::Gainsight));
    if !objects {
        if let Some(o) = m.object.first() {
            say(
                "[[object]]",
                format!(
                    "object {}: only the adapters salesforce and gainsight read [[object]]; others have [[stream]]",
                    o.stream
                ),
            );
        }
        return;
    }
    if m.object.is_empty() {
        say(
            "adapter",
            "there is no [[object]]: nothing would be read".into(),
        );
    }
    if let Some(s) = m.stream.first() {
        say(
            "[[stream]]",
            format!(
                "stream {}: with this adapter what is read stands in [[object]]",
                s.name
            ),
        );
    }
    let mut seen = BTreeSet::new();
    for o in &m.object {
        let place = format!("\"{}\"", o.stream);
        if !seen.insert(o.stream.as_str()) {
            say(&place, format!("there are two objects `{}`", o.stream));
        }
        if o.is_found() && o.find.is_empty() {
            say(
                &place,
                format!(
                    "object {}: it needs the vendor's `name`, or words to `find` it by",
                    o.stream
                ),
            );
        }
        if !o
            .name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            say(
                &format!("\"{}\"", o.name),
                format!("object {}: `{}` is no name of an object", o.stream, o.name),
            );
        }
        if (o.entity == Entity::Signal) != o.kind.is_some() {
            say(
                &place,
                format!(
                    "object {}: `kind` says what the dated numbers of a signal are; others have none",
                    o.stream
                ),
            );
        }
        if let Some(like) = &o.like
            && m.object(like).is_none()
        {
            say(
                &format!("like = \"{like}\""),
                format!("object {}: there is no object `{like}`", o.stream),
            );
        }
        for (canonical, names) in &o.fields {
            if !known(o.entity, canonical) {
                say(
                    canonical,
                    format!(
                        "object {}: {} has no field `{canonical}`",
                        o.stream, o.entity
                    ),
                );
            }
            if names.0.is_empty() {
                say(
                    canonical,
                    format!("object {}: `{canonical}` names no field", o.stream),
                );
            }
        }
        // What stands in a question unescaped is a name or a way along look-ups, never anything else.
        for name in o.fields.values().flat_map(|n| &n.0).chain(&o.extra) {
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
            {
                say(
                    &format!("\"{name}\""),
                    format!("object {}: `{name}` is no name of a field", o.stream),
                );
            }
        }
    }
    for (entity, w) in &m.write {
        let place = format!("[write.{entity}]");
        let requests = w.read.is_some()
            || w.create.is_some()
            || w.update.is_some()
            || w.delete.is_some()
            || w.find.is_some()
            || !w.lookup.is_empty();
        if requests {
            say(
                &place,
                format!(
                    "{entity}: the adapter knows how it is written; here stand `fields`, `cannot` and `stream` only"
                ),
            );
        }
        if let Some(stream) = &w.stream
            && m.object(stream).is_none()
        {
            say(
                &format!("\"{stream}\""),
                format!("{entity}: there is no object `{stream}`"),
            );
        }
        for (field, f) in &w.fields {
            let plain = f.words.is_empty() && f.form.is_none() && f.text.is_none();
            if f.to.is_none() || !plain || f.pick.is_some() || f.create_only {
                say(
                    field,
                    format!(
                        "{entity}.{field}: the adapter takes the vendor's field alone, or `to` and `when`"
                    ),
                );
            }
            if !known(*entity, field) {
                say(field, format!("{entity} has no field `{field}`"));
            }
        }
    }
}

/// Whether a kind of thing has a field; the tenant's own are free.
pub(super) fn known(entity: Entity, field: &str) -> bool {
    let row = AnyRow::empty(Target {
        entity,
        id: LocalId::NONE,
    });
    field.starts_with("x.") || row.get(field).is_some()
}
