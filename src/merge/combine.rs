//! The merged rows: references resolved, the winning value of each field, and where it came from.

use super::identity::{self, Plan, Row};
use super::matching::By;
use super::rules::Ranks;
use super::{IDENTIFIERS, Rules};
use crate::book::id::LOCAL;
use crate::book::{
    AnyRow, CrosswalkEntry, DirtyBatch, Entity, FieldValue, LocalId, MatchHow, MergeBatch,
    MergedRow, Provenance, RecordKey, SourceName, StoredRecord, Target, Unmatched,
};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use std::collections::BTreeMap;

/// The records whose ties must be known before these can be merged: themselves and what they refer to.
pub fn needed(records: &[StoredRecord]) -> Vec<RecordKey> {
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for stored in records {
        let own = std::iter::once(stored.key());
        for key in own.chain(references(stored).map(|r| named(stored, r))) {
            if seen.insert(key.clone()) {
                out.push(key);
            }
        }
    }
    out
}

/// What a record refers to: the kind and the vendor's id.
fn references(stored: &StoredRecord) -> impl Iterator<Item = (Entity, &str)> + '_ {
    stored.record.fields.iter().filter_map(|(field, value)| {
        let FieldValue::Ref(id) = value else {
            return None;
        };
        Some((Entity::referred_by(field)?, id.as_str()))
    })
}

/// Whose record it is and what it is called there; within one kind this names it.
fn record_of(stored: &StoredRecord) -> (&str, &str) {
    (&stored.source, &stored.record.external_id)
}

fn named(stored: &StoredRecord, (entity, id): (Entity, &str)) -> RecordKey {
    RecordKey {
        source: stored.source.clone(),
        entity,
        external_id: id.to_owned(),
    }
}

/// Merges the batch. `first_new` is the first of the [`Plan::new_rows`] ids set aside. The batch's siblings and crosswalk must also hold
/// what is known of the [`Plan::joined`] rows (see [`needed`]).
pub fn combine(rules: &Rules, batch: &DirtyBatch, plan: &Plan, first_new: LocalId) -> MergeBatch {
    let mut out = MergeBatch::default();
    let Some(entity) = batch.entity else {
        return out;
    };
    let local = |row: Row| match row {
        Row::Known(id) => id,
        Row::New(n) => LocalId(first_new.0.saturating_add(n)),
    };

    // Whose is what: stored ties and those that were just made.
    let mut ties = ties_of(batch);
    let known = identity::known(batch);
    let mut rows: BTreeMap<LocalId, Vec<&StoredRecord>> = BTreeMap::new();
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    for (i, stored) in batch.dirty.iter().enumerate() {
        out.clean.push(stored.key());
        seen.insert(record_of(stored));
        let Some(tie) = plan.ties.get(i).copied().flatten() else {
            continue;
        };
        // What csops keeps of a row that is given up goes with it.
        let gone = plan.moved_to(local(tie.row)).filter(|_| !tie.fresh);
        let id = gone.unwrap_or(local(tie.row));
        ties.insert(
            (&*stored.source, entity, stored.record.external_id.as_str()),
            id,
        );
        rows.entry(id).or_default().push(stored);
        if tie.fresh || gone.is_some() {
            out.crosswalk.push(CrosswalkEntry {
                source: stored.source.clone(),
                entity,
                external_id: stored.record.external_id.clone(),
                local: id,
                how: tie.how,
            });
        }
    }
    for stored in &batch.siblings {
        if !seen.insert(record_of(stored)) {
            continue;
        }
        let Some(id) = identity::tied(&known, stored) else {
            continue;
        };
        let gone = plan.moved_to(id);
        if let Some(row) = rows.get_mut(&gone.unwrap_or(id)) {
            row.push(stored);
        }
        out.crosswalk.extend(gone.map(|local| CrosswalkEntry {
            source: stored.source.clone(),
            entity,
            external_id: stored.record.external_id.clone(),
            local,
            how: MatchHow::New,
        }));
    }
    // What was said about the records of a joined row ("no other system has it") no longer holds.
    let siblings = plan.joined.iter().filter_map(|id| rows.get(id)).flatten();
    let dirty: HashSet<(&str, &str)> = batch.dirty.iter().map(record_of).collect();
    let said: HashSet<(&str, &str)> = siblings
        .map(|stored| record_of(stored))
        .filter(|key| !dirty.contains(key))
        .collect();
    out.clean
        .extend(said.into_iter().map(|(source, id)| RecordKey {
            source: source.into(),
            entity,
            external_id: id.to_owned(),
        }));

    let doubts = plan.doubts.iter().filter_map(|d| {
        let stored = batch.dirty.get(d.index)?;
        let tie = plan.ties.get(d.index).copied().flatten()?;
        Some(Unmatched {
            source: stored.source.clone(),
            entity,
            external_id: stored.record.external_id.clone(),
            name: called(stored),
            local: local(tie.row),
            candidate: d.candidate.map(local),
            reason: d.reason.clone(),
        })
    });
    out.unmatched.extend(doubts);

    let sources: Vec<SourceName> = {
        let all = batch.dirty.iter().chain(&batch.siblings);
        let unique: HashSet<&SourceName> = all.map(|s| &s.source).collect();
        unique.into_iter().cloned().collect()
    };
    let ranks = rules.table(entity, entity.fields(), sources.iter());
    for (id, mut records) in rows {
        records.sort_by(|a, b| {
            let key = |s: &StoredRecord| (ranks.of(None, &s.source), s.record.external_id.clone());
            key(a).cmp(&key(b))
        });
        let target = Target { entity, id };
        if !is_alive(rules, &records) {
            out.removed.push(target);
            continue;
        }
        records.retain(|r| !rules.is_out(r));
        wait_for_twins(rules, entity, &records, &mut out.waiting);
        put_row(target, &records, &ranks, &ties, &mut out);
    }
    out
}

/// Merges a batch of records that are all new and that nothing can match: each opens a row of its own, so there is nothing to look up but
/// what they refer to. `first_new` is the first of as many ids set aside. Nothing is said about which records are
/// merged now, all are, and nothing about whose they are: the rows stand in the order of the records.
pub fn combine_new(rules: &Rules, batch: &DirtyBatch, first_new: LocalId) -> MergeBatch {
    let mut out = MergeBatch::default();
    let Some(entity) = batch.entity else {
        return out;
    };
    let mut ties = ties_of(batch);
    let ids = (first_new.0..).map(LocalId);
    // A kind whose rows refer to each other has them at hand.
    if entity
        .fields()
        .iter()
        .any(|f| Entity::referred_by(f) == Some(entity))
    {
        for (stored, id) in batch.dirty.iter().zip(ids.clone()) {
            ties.insert(
                (&*stored.source, entity, stored.record.external_id.as_str()),
                id,
            );
        }
    }
    let sources = batch.dirty.first().map(|s| &s.source);
    let ranks = rules.table(entity, entity.fields(), sources.into_iter());
    out.rows.reserve(batch.dirty.len());
    for (stored, id) in batch.dirty.iter().zip(ids) {
        let target = Target { entity, id };
        if rules.is_out(stored) {
            out.removed.push(target);
        } else {
            put_row(target, &[stored], &ranks, &ties, &mut out);
        }
    }
    out
}

/// Merges one row, or says why it has to wait.
fn put_row(
    target: Target,
    records: &[&StoredRecord],
    ranks: &Ranks,
    ties: &Ties<'_>,
    out: &mut MergeBatch,
) {
    match merge_row(target, records, ranks, ties, &mut out.waiting) {
        Ok(row) => out.rows.push(row),
        Err((stored, account)) => {
            // Without its account a row could be seen by nobody; it waits until the account comes.
            out.removed.push(target);
            out.unmatched.push(Unmatched {
                source: stored.source.clone(),
                entity: target.entity,
                external_id: stored.record.external_id.clone(),
                name: called(stored),
                local: LocalId::NONE,
                candidate: None,
                reason: format!(
                    "it belongs to the account {account}, which {} did not send",
                    stored.source
                ),
            });
        }
    }
}

/// A row that only one source knows, and whose record holds other systems' ids: when the record with such an id comes, this one is looked
/// at again and joins it.
fn wait_for_twins(
    rules: &Rules,
    entity: Entity,
    records: &[&StoredRecord],
    waiting: &mut Vec<(RecordKey, RecordKey)>,
) {
    let mut vendors = records.iter().filter(|r| &*r.source != LOCAL);
    let (Some(alone), None) = (vendors.next(), vendors.next()) else {
        return;
    };
    if !rules.identity().order(entity).contains(&By::StoredId) {
        return;
    }
    for (of, id) in rules.identity().identifiers(alone) {
        let others = rules.others(&alone.source);
        for other in others.filter(|o| of.as_ref().is_none_or(|of| of == *o)) {
            let twin = RecordKey {
                source: other.clone(),
                entity,
                external_id: id.clone(),
            };
            waiting.push((alone.key(), twin));
        }
    }
}

/// A row lives as long as one vendor has it; what only csops itself keeps lives by that alone.
fn is_alive(rules: &Rules, records: &[&StoredRecord]) -> bool {
    let vendors = || records.iter().filter(|r| &*r.source != LOCAL);
    if vendors().next().is_some() {
        vendors().any(|r| !rules.is_out(r))
    } else {
        records.iter().any(|r| !rules.is_out(r))
    }
}

fn called(stored: &StoredRecord) -> String {
    ["name", "title", "subject", "number", "email", "kind"]
        .iter()
        .find_map(|f| stored.record.get(f).and_then(FieldValue::as_str))
        .unwrap_or(&stored.record.external_id)
        .to_owned()
}

type Ties<'a> = HashMap<(&'a str, Entity, &'a str), LocalId>;

/// The ties that the store knew of the batch's records.
fn ties_of(batch: &DirtyBatch) -> Ties<'_> {
    let known = batch.crosswalk.iter();
    known
        .map(|c| ((&*c.source, c.entity, c.external_id.as_str()), c.local))
        .collect()
}

/// One row from its living records, best first. The error is the record whose account is not known.
fn merge_row<'a>(
    target: Target,
    records: &[&'a StoredRecord],
    ranks: &Ranks,
    ties: &Ties<'_>,
    waiting: &mut Vec<(RecordKey, RecordKey)>,
) -> Result<MergedRow, (&'a StoredRecord, String)> {
    let mut row = AnyRow::empty(target);
    let mut extra: Vec<(String, FieldValue)> = Vec::new();
    let mut provenance = Vec::new();
    for stored in records {
        for (entity, id) in references(stored) {
            if resolve(ties, stored, id, entity).is_some() {
                continue;
            }
            let lost = entity == Entity::Account
                && stored
                    .record
                    .get("account")
                    .is_some_and(|v| matches!(v, FieldValue::Ref(r) if r == id));
            waiting.push((stored.key(), named(stored, (entity, id))));
            if lost {
                return Err((stored, id.to_owned()));
            }
        }
        for (field, value) in &stored.record.fields {
            if let Some(own) = field.strip_prefix("x.")
                && !value.is_null()
                && !extra.iter().any(|(n, _)| n == own)
            {
                extra.push((own.to_owned(), value.clone()));
            }
        }
    }
    if let [only] = records {
        // Most rows have one record: nothing to weigh.
        for (field, value) in &only.record.fields {
            if field.starts_with("x.") || field == IDENTIFIERS {
                continue;
            }
            let led: FieldValue;
            let value = if matches!(value, FieldValue::Ref(_)) {
                match resolved(ties, only, field, value) {
                    Some(there) => led = there,
                    None => continue,
                }
                &led
            } else {
                value
            };
            if row.set(field, value).is_err() && target.entity == Entity::Account {
                provenance.push(Provenance {
                    field: field.to_string(),
                    source: only.source.clone(),
                    at: only.record.modified,
                    losers: vec![(only.source.clone(), value.clone())],
                });
            }
        }
        if target.entity == Entity::Account {
            provenance.push(everything(only));
        }
        return Ok(finished(row, extra, provenance));
    }

    let mut winners: HashMap<&'static str, &'a StoredRecord> = HashMap::new();
    let main = records
        .iter()
        .copied()
        .find(|r| &*r.source != LOCAL)
        .unwrap_or(records[0]);
    for field in target.entity.fields() {
        let lead = Rules::lead(field).and_then(|l| winners.get(l).copied());
        let mut said: Vec<(&'a StoredRecord, FieldValue)> = records
            .iter()
            .filter_map(|r| {
                let value = resolved(ties, r, field, r.record.get(field)?)?;
                Some((*r, value))
            })
            .collect();
        if ranks.is_special(field) {
            said.sort_by_key(|(r, _)| ranks.of(Some(field), &r.source));
        }
        if let Some(lead) = lead {
            // What is kept here stands for itself: it has the kind without the vendor's word.
            said.retain(|(r, _)| std::ptr::eq(*r, lead) || &*r.source == LOCAL);
        }
        // What is kept here wins even when it is empty (a snooze that was taken off); a vendor's empty field leaves the word to the next.
        let winner = said
            .iter()
            .position(|(r, v)| (!v.is_null() || &*r.source == LOCAL) && row.set(field, v).is_ok());
        let Some(winner) = winner else { continue };
        let (stored, value) = said.remove(winner);
        winners.insert(field, stored);
        let losers: Vec<(SourceName, FieldValue)> = said
            .into_iter()
            .filter(|(_, v)| !v.is_null() && *v != value)
            .map(|(r, v)| (r.source.clone(), v))
            .collect();
        if !losers.is_empty() || !std::ptr::eq(stored, main) {
            provenance.push(Provenance {
                field: (*field).to_owned(),
                source: stored.source.clone(),
                at: stored.record.modified,
                losers,
            });
        }
    }
    provenance.push(everything(main));
    Ok(finished(row, extra, provenance))
}

/// Only an account's page says where each value came from; for the other kinds it is not kept.
fn finished(
    row: AnyRow,
    extra: Vec<(String, FieldValue)>,
    mut provenance: Vec<Provenance>,
) -> MergedRow {
    if row.target().entity != Entity::Account {
        provenance.clear();
    }
    MergedRow {
        row,
        extra,
        provenance,
    }
}

fn everything(stored: &StoredRecord) -> Provenance {
    Provenance {
        field: Provenance::REST.to_owned(),
        source: stored.source.clone(),
        at: stored.record.modified,
        losers: Vec::new(),
    }
}

fn resolve(
    ties: &Ties<'_>,
    stored: &StoredRecord,
    external_id: &str,
    entity: Entity,
) -> Option<LocalId> {
    ties.get(&(&*stored.source, entity, external_id)).copied()
}

/// The value with references turned into local ids; `None` for a reference that leads nowhere yet.
fn resolved(
    ties: &Ties<'_>,
    stored: &StoredRecord,
    field: &str,
    value: &FieldValue,
) -> Option<FieldValue> {
    let FieldValue::Ref(id) = value else {
        return Some(value.clone());
    };
    match Entity::referred_by(field) {
        Some(entity) => resolve(ties, stored, id, entity).map(FieldValue::Id),
        None => Some(FieldValue::Text(id.clone())),
    }
}

impl Plan {
    /// Where the records of a row went that is given up.
    fn moved_to(&self, row: LocalId) -> Option<LocalId> {
        self.moved
            .iter()
            .find(|(own, _)| *own == row)
            .map(|(_, to)| *to)
    }

    /// How many records of the batch were recognised as something that is already there.
    pub fn matched(&self) -> usize {
        self.ties
            .iter()
            .flatten()
            .filter(|t| t.fresh && t.how != MatchHow::New)
            .count()
    }
}
