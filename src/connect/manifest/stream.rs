//! `[[stream]]`: one thing that is read, and `[template.NAME]`, what several streams have in common.

use super::path::Path;
use super::schema::{
    Also, Condition, Describe, Join, Manifest, Names, Page, Request, Select, Sync, ValueSpec,
};
use crate::book::Entity;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One thing that is read, with what its template says.
#[derive(Clone, Debug)]
pub struct StreamSpec {
    /// Its name, `accounts`.
    pub name: String,
    /// What its rows become.
    pub entity: Entity,
    /// It is counted apart: a delete log.
    pub apart: bool,
    /// The request; with `changes` only for the first load and sweeps.
    pub read: Request,
    /// The request for what changed since the last run.
    pub changes: Option<Request>,
    /// Where the rows are.
    pub rows: Path,
    /// Paging.
    pub page: Page,
    /// Paging of `changes`, when it is another.
    pub changes_page: Option<Page>,
    /// How it is told what is new.
    pub sync: Sync,
    /// The row's id.
    pub id: ValueSpec,
    /// When the vendor last modified it.
    pub modified: Option<ValueSpec>,
    /// The row says that it is gone.
    pub gone: Option<Condition>,
    /// Rows that do not fit are left out, and leave when they once fitted.
    pub keep: Option<Condition>,
    /// Canonical fields and the vendor's fields that they are read from, the likeliest first; a tenant's `[source.fields]` wins.
    pub fields: BTreeMap<String, Names>,
    /// More of the vendor's fields to ask for.
    pub extra: Vec<String>,
    /// Where in a row the vendor's fields are.
    pub select: Select,
    /// Canonical fields that need more than a name.
    pub map: BTreeMap<String, ValueSpec>,
    /// Ids that other systems gave the same account.
    pub identifiers: Vec<ValueSpec>,
    /// The currency of the row's amounts.
    pub currency: Option<ValueSpec>,
    /// More records from the same row.
    pub also: Vec<Also>,
    /// More requests for the rows of a page: associations.
    pub join: Vec<Join>,
    /// What the vendor says of the fields of this kind.
    pub describe: Option<Describe>,
    /// Words that its requests speak of as `{word.NAME}`.
    pub words: BTreeMap<String, String>,
    /// It is read only where an option says so.
    pub when: Option<Condition>,
}

/// A stream or a template as it stands in the file; what is missing stands in the template that it is `like`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StreamPart {
    like: Option<String>,
    name: String,
    entity: Option<Entity>,
    apart: Option<bool>,
    read: Option<Request>,
    changes: Option<Request>,
    rows: Option<Path>,
    page: Option<Page>,
    changes_page: Option<Page>,
    sync: Option<Sync>,
    id: Option<ValueSpec>,
    modified: Option<ValueSpec>,
    gone: Option<Condition>,
    keep: Option<Condition>,
    fields: BTreeMap<String, Names>,
    extra: Option<Vec<String>>,
    select: Option<Select>,
    map: BTreeMap<String, ValueSpec>,
    identifiers: Option<Vec<ValueSpec>>,
    currency: Option<ValueSpec>,
    also: Option<Vec<Also>>,
    join: Option<Vec<Join>>,
    describe: Option<Describe>,
    words: BTreeMap<String, String>,
    when: Option<Condition>,
}

impl StreamPart {
    /// What the part says, and what the template says where it is silent. Tables of fields and words are laid over each other.
    fn over(self, template: StreamPart) -> StreamPart {
        fn laid<T>(
            over: BTreeMap<String, T>,
            mut under: BTreeMap<String, T>,
        ) -> BTreeMap<String, T> {
            under.extend(over);
            under
        }
        StreamPart {
            like: template.like,
            name: self.name,
            entity: self.entity.or(template.entity),
            apart: self.apart.or(template.apart),
            read: self.read.or(template.read),
            changes: self.changes.or(template.changes),
            rows: self.rows.or(template.rows),
            page: self.page.or(template.page),
            changes_page: self.changes_page.or(template.changes_page),
            sync: self.sync.or(template.sync),
            id: self.id.or(template.id),
            modified: self.modified.or(template.modified),
            gone: self.gone.or(template.gone),
            keep: self.keep.or(template.keep),
            fields: laid(self.fields, template.fields),
            extra: self.extra.or(template.extra),
            select: self.select.or(template.select),
            map: laid(self.map, template.map),
            identifiers: self.identifiers.or(template.identifiers),
            currency: self.currency.or(template.currency),
            also: self.also.or(template.also),
            join: self.join.or(template.join),
            describe: self.describe.or(template.describe),
            words: laid(self.words, template.words),
            when: self.when.or(template.when),
        }
    }

    /// Everything that its templates say, nearest first.
    fn settled(mut self, all: &BTreeMap<String, StreamPart>) -> Result<StreamPart, String> {
        // So many templates stand on each other at most: two that are like each other would never end.
        for _ in 0..8 {
            let Some(like) = self.like.take() else {
                return Ok(self);
            };
            let template = all
                .get(&like)
                .ok_or_else(|| format!("`like = \"{like}\"`: there is no [template.{like}]"))?;
            self = self.over(template.clone());
        }
        Err("its templates are like each other in a circle".to_owned())
    }

    fn spec(self) -> Result<StreamSpec, String> {
        let missing = |what: &str| format!("`{what}` is missing");
        Ok(StreamSpec {
            name: Some(self.name)
                .filter(|n| !n.is_empty())
                .ok_or_else(|| missing("name"))?,
            entity: self.entity.ok_or_else(|| missing("entity"))?,
            read: self.read.ok_or_else(|| missing("read"))?,
            id: self.id.ok_or_else(|| missing("id"))?,
            apart: self.apart.unwrap_or_default(),
            changes: self.changes,
            rows: self.rows.unwrap_or_default(),
            page: self.page.unwrap_or_default(),
            changes_page: self.changes_page,
            sync: self.sync.unwrap_or_default(),
            modified: self.modified,
            gone: self.gone,
            keep: self.keep,
            fields: self.fields,
            extra: self.extra.unwrap_or_default(),
            select: self.select.unwrap_or_default(),
            map: self.map,
            identifiers: self.identifiers.unwrap_or_default(),
            currency: self.currency,
            also: self.also.unwrap_or_default(),
            join: self.join.unwrap_or_default(),
            describe: self.describe,
            words: self.words,
            when: self.when,
        })
    }
}

impl Manifest {
    /// Lays the templates under the streams; what is wrong, each with a word to look for in the file.
    pub(super) fn settle_streams(&mut self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        let parts = std::mem::take(&mut self.parts);
        for part in parts {
            let name = part.name.clone();
            match part.settled(&self.template).and_then(StreamPart::spec) {
                Ok(spec) => self.stream.push(spec),
                Err(why) => {
                    wrong.push((format!("\"{name}\""), format!("stream {name}: {why}")));
                }
            }
        }
        wrong
    }
}
