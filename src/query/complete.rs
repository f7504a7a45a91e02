//! What could come next in a query: fields, comparisons, values.

use super::lexer::{Kind, tokens};
use crate::book::registry::{self, Field, FieldRef, Scope, Type};
use crate::book::{Entity, fold};
use std::collections::BTreeMap;
use std::ops::Range;

/// One offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What is put in place of `span`.
    pub insert: String,
    /// What is shown.
    pub label: String,
    /// A line of help.
    pub help: String,
    /// Which bytes of the text it replaces.
    pub span: Range<usize>,
}

/// How many offers are made at most.
const MOST: usize = 20;

/// What could stand at the cursor (a byte offset). Values are offered from the fields' own words and from the book.
pub fn complete(scope: &Scope<'_>, entity: Entity, text: &str, cursor: usize) -> Vec<Completion> {
    let cursor = (0..=cursor.min(text.len()))
        .rev()
        .find(|i| text.is_char_boundary(*i))
        .unwrap_or(0);
    let before = tokens(&text[..cursor]);
    let last = before.last();
    let touches = last.is_some_and(|t| t.span.end == cursor);
    match last.map(|t| &t.kind) {
        Some(Kind::Op(_)) if touches => {
            let field = before.len().checked_sub(2).map(|i| &before[i].kind);
            values(scope, entity, field, "", cursor..cursor)
        }
        Some(Kind::Word(word)) if touches => {
            let span = last.map_or(cursor..cursor, |t| t.span.clone());
            let op = before.len().checked_sub(2).map(|i| &before[i]);
            match op {
                Some(op) if matches!(op.kind, Kind::Op(_)) && op.span.end == span.start => {
                    let field = before.len().checked_sub(3).map(|i| &before[i].kind);
                    values(scope, entity, field, word, span)
                }
                _ => names(entity, word, span),
            }
        }
        Some(Kind::Quoted(_, false)) => Vec::new(),
        _ => names(entity, "", cursor..cursor),
    }
}

fn sign(field: &Field) -> &'static str {
    if field.ty.is_ordered() { "<" } else { ":" }
}

fn names(entity: Entity, begun: &str, span: Range<usize>) -> Vec<Completion> {
    let begun = begun.to_lowercase();
    let account: &[Field] = match entity {
        Entity::Renewal | Entity::Task | Entity::Escalation => registry::fields(Entity::Account),
        _ => &[],
    };
    let own = registry::fields(entity);
    let mut offers: Vec<(bool, Completion)> = own
        .iter()
        .chain(
            account
                .iter()
                .filter(|a| !own.iter().any(|o| o.is_called(a.name))),
        )
        .filter_map(|f| {
            let name = std::iter::once(&f.name)
                .chain(f.aliases)
                .find(|n| n.starts_with(&begun))
                .or_else(|| (begun.len() > 1 && f.name.contains(&begun)).then_some(&f.name))?;
            Some((
                !name.starts_with(&begun),
                Completion {
                    insert: format!("{name}{}", sign(f)),
                    label: (*name).to_owned(),
                    help: f.help.to_owned(),
                    span: span.clone(),
                },
            ))
        })
        .collect();
    offers.sort_by_key(|(inside, _)| *inside);
    offers.into_iter().map(|(_, c)| c).take(MOST).collect()
}

fn values(
    scope: &Scope<'_>,
    entity: Entity,
    field: Option<&Kind>,
    begun: &str,
    span: Range<usize>,
) -> Vec<Completion> {
    let Some(Kind::Word(name)) = field else {
        return Vec::new();
    };
    let Some(field) = registry::find(entity, name) else {
        return Vec::new();
    };
    let begun = fold(begun);
    let mut offers: Vec<(String, String)> = Vec::new();
    match field.field.ty {
        Type::Bool => {
            offers.extend([
                ("yes".to_owned(), String::new()),
                ("no".to_owned(), String::new()),
            ]);
        }
        Type::Date | Type::Instant => {
            let spans: [(&str, &str); 9] = [
                ("today", "today"),
                ("30d", "30 days from now, or ago for past dates"),
                ("60d", "60 days"),
                ("90d", "90 days"),
                ("eow", "the end of the week"),
                ("eom", "the end of the month"),
                ("eoq", "the end of the fiscal quarter"),
                ("eoy", "the end of the fiscal year"),
                ("+30d", "the day in 30 days"),
            ];
            offers.extend(spans.map(|(v, h)| (v.to_owned(), h.to_owned())));
        }
        Type::Person => {
            offers.push(("me".to_owned(), "whoever [me] is".to_owned()));
            let people = scope.book.people().filter(|p| p.is_active());
            offers.extend(people.filter_map(|p| {
                let email = p.email()?;
                let hit = begun.is_empty()
                    || fold(p.name()).contains(&begun)
                    || email.starts_with(&begun);
                hit.then(|| (email.to_owned(), p.name().to_owned()))
            }));
            offers.truncate(MOST);
            offers.retain(|(v, _)| v != "me" || v.starts_with(&begun));
            return offers
                .into_iter()
                .map(|(v, h)| offer(v, h, &span))
                .collect();
        }
        Type::Word | Type::List => {
            offers.extend(
                field
                    .field
                    .words
                    .iter()
                    .map(|w| ((*w).to_owned(), String::new())),
            );
            for (word, n) in words(scope, entity, &field) {
                match offers.iter_mut().find(|(w, _)| fold(w) == fold(&word)) {
                    Some(known) => known.1 = format!("{n} rows"),
                    None => offers.push((word, format!("{n} rows"))),
                }
            }
        }
        Type::Text | Type::Number | Type::Percent | Type::Money => {
            let help = field.field.ty.expects();
            if begun.is_empty() {
                return vec![Completion {
                    insert: String::new(),
                    label: help.to_owned(),
                    help: field.field.help.to_owned(),
                    span,
                }];
            }
        }
    }
    offers
        .into_iter()
        .filter(|(v, _)| fold(v).starts_with(&begun))
        .take(MOST)
        .map(|(v, h)| offer(v, h, &span))
        .collect()
}

fn offer(value: String, help: String, span: &Range<usize>) -> Completion {
    let plain = !value.is_empty()
        && !value.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"'));
    Completion {
        insert: if plain {
            value.clone()
        } else {
            format!("\"{}\"", value.replace('"', ""))
        },
        label: crate::book::text::visible(&value).into_owned(),
        help,
        span: span.clone(),
    }
}

/// The words that a field has in the book with how many rows have each, the most frequent first; of a large book its first rows.
fn words(scope: &Scope<'_>, entity: Entity, field: &FieldRef) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in scope.book.rows(entity).take(20_000) {
        match field.read(scope, row) {
            registry::Cell::Text(t) => *counts.entry(t).or_default() += 1,
            registry::Cell::List(l) => {
                for t in l {
                    *counts.entry(t.as_str()).or_default() += 1;
                }
            }
            registry::Cell::Words(w) => {
                for t in w.iter() {
                    *counts.entry(t).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    let mut all: Vec<(String, usize)> =
        counts.into_iter().map(|(w, n)| (w.to_owned(), n)).collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    all
}
