//! Before an update: what is there already, what may be written, and what somebody else changed meanwhile.

use super::Write;
use super::convert::same;
use crate::book::{ConflictField, Entity, FieldValue, Record};
use std::borrow::Cow;

/// What is to be written, and what is in the way.
#[derive(Debug, Default)]
pub struct Compared<'w> {
    /// Fields whose value is not there yet.
    pub todo: Vec<(&'w str, &'w FieldValue)>,
    /// Fields that differ from what we started from and from what we want.
    pub conflicts: Vec<ConflictField>,
}

/// Compares a write with the row as it is. `word` gives the vendor's own word for the kind in a field like `status_kind`: where a tenant has fewer words than
/// there are kinds (no "acknowledged", only "in progress"), the word decides whether two kinds are the same there.
pub fn compare<'w>(
    write: &'w Write,
    current: &Record,
    word: impl Fn(&str, &str) -> Option<String>,
) -> Compared<'w> {
    let mut out = Compared::default();
    for (field, base, want) in &write.fields {
        let theirs = current.get(field).cloned().unwrap_or_default();
        let is = |value: &FieldValue| {
            same(&theirs, value)
                || field.strip_suffix("_kind").is_some_and(|plain| {
                    let stands = current.get(plain).and_then(FieldValue::as_str);
                    let meant = value.as_str().and_then(|v| word(field, v));
                    stands.is_some() && meant.as_deref() == stands
                })
        };
        if is(want) {
            continue;
        }
        // An outcome is read from the closing status: it can be wanted, but nobody else's change collides with it.
        if !write.force && field != "outcome" && !is(base) {
            out.conflicts.push(ConflictField {
                field: Cow::Owned(field.clone()),
                base: base.clone(),
                mine: want.clone(),
                theirs,
            });
        }
        out.todo.push((field, want));
    }
    out
}

/// A reason in a person's own words is no item of a pick list: it goes below what was said on the risk before. `current` is the row as it is, when there is one.
pub fn reason_into_comments(write: &Write, picks: &[String], current: Option<&Record>) -> Write {
    let mut out = write.clone();
    let place = out.fields.iter().position(|(f, _, w)| {
        f == "reason"
            && w.as_str()
                .is_some_and(|w| !picks.iter().any(|p| p.eq_ignore_ascii_case(w)))
    });
    let Some(place) = place else { return out };
    if write.entity != Entity::Escalation || picks.is_empty() && current.is_none() {
        return out;
    }
    let (_, _, reason) = out.fields.remove(place);
    let reason = reason.as_str().unwrap_or_default().to_owned();
    let said = |v: Option<&FieldValue>| {
        v.and_then(FieldValue::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let stands = said(current.and_then(|c| c.get("comments")));
    let join = |old: &str| {
        if old.trim().is_empty() {
            reason.clone()
        } else {
            format!("{old}\n{reason}")
        }
    };
    if let Some((_, _, want)) = out.fields.iter_mut().find(|(f, _, _)| f == "comments") {
        let old = said(Some(want));
        if !old.contains(&reason) {
            *want = FieldValue::Text(join(&old));
        }
    } else if !stands.contains(&reason) {
        let base = FieldValue::text(stands.clone());
        out.fields
            .push(("comments".to_owned(), base, FieldValue::Text(join(&stands))));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Verb;

    fn record(fields: &[(&'static str, &str)]) -> Record {
        Record {
            entity: Entity::Escalation,
            external_id: "1".into(),
            modified: None,
            deleted: false,
            fields: fields
                .iter()
                .map(|(f, v)| ((*f).into(), FieldValue::text(*v)))
                .collect(),
        }
    }

    fn write(field: &str, base: &str, want: &str) -> Write {
        Write {
            verb: Verb::Update,
            entity: Entity::Escalation,
            external_id: Some("1".into()),
            account: None,
            marker: "m".into(),
            fields: vec![(field.into(), FieldValue::text(base), FieldValue::text(want))],
            author: None,
            force: false,
        }
    }

    fn fewer_words(_: &str, kind: &str) -> Option<String> {
        Some(if kind == "acknowledged" {
            "Work In Progress".into()
        } else {
            kind.to_owned()
        })
    }

    #[test]
    fn only_a_value_that_is_neither_base_nor_wish_is_a_conflict() {
        let now = record(&[("title", "B")]);
        let c = |base, want| {
            let w = write("title", base, want);
            let c = compare(&w, &now, fewer_words);
            (c.todo.len(), c.conflicts.len())
        };
        assert_eq!(c("B", "C"), (1, 0), "nobody was there meanwhile");
        assert_eq!(
            c("A", "B"),
            (0, 0),
            "it is there already, as after a lost answer"
        );
        assert_eq!(c("A", "C"), (1, 1), "somebody else wrote B");
    }

    #[test]
    fn a_kind_that_the_tenant_has_no_word_for_is_there_when_its_stand_in_is() {
        let now = record(&[
            ("status", "Work In Progress"),
            ("status_kind", "in_progress"),
        ]);
        let w = write("status_kind", "new", "acknowledged");
        let c = compare(&w, &now, fewer_words);
        assert!(c.todo.is_empty() && c.conflicts.is_empty());
        let undo = write("status_kind", "acknowledged", "new");
        let c = compare(&undo, &now, fewer_words);
        assert_eq!((c.todo.len(), c.conflicts.len()), (1, 0));
    }

    #[test]
    fn a_reason_in_own_words_is_added_once_below_the_comments() {
        let picks = ["Low Adoption".to_owned()];
        let now = record(&[("comments", "first")]);
        let w = reason_into_comments(&write("reason", "", "sponsor left"), &picks, Some(&now));
        assert_eq!(w.fields[0].0, "comments");
        assert_eq!(w.fields[0].2, FieldValue::text("first\nsponsor left"));
        let now = record(&[("comments", "first\nsponsor left")]);
        let w = reason_into_comments(&write("reason", "", "sponsor left"), &picks, Some(&now));
        assert!(w.fields.is_empty(), "sent again it is there already");
        let w = reason_into_comments(&write("reason", "", "low adoption"), &picks, Some(&now));
        assert_eq!(w.fields[0].0, "reason");
    }
}
