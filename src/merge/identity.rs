//! Identity: which local row a record belongs to. By default stored identifiers settle it, then the internet domain (accounts) or the e-mail
//! address (people); the same name alone only makes a candidate that a person confirms. Two records of one source are never one thing by
//! themselves. Ties that the rules made are looked at again, those that a person made are not.

use super::matching::{By, Key};
use super::{IDENTIFIERS, Rules};
use crate::book::company::core_name;
use crate::book::id::LOCAL;
use crate::book::{
    Candidate, DirtyBatch, Entity, FieldValue, LocalId, MatchHow, MatchKey, Record, SourceName,
    StoredRecord,
};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use std::collections::hash_map::Entry;

/// A row that is there, or the n-th of those that this batch opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Row {
    Known(LocalId),
    New(u32),
}

/// Where one record belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tie {
    pub(super) row: Row,
    pub(super) how: MatchHow,
    /// The tie is not stored yet.
    pub(super) fresh: bool,
}

/// Something to be listed as unmatched.
pub(super) struct Doubt {
    /// Its place in the batch.
    pub(super) index: usize,
    pub(super) candidate: Option<Row>,
    pub(super) reason: String,
}

/// Which row each record of the batch belongs to.
#[derive(Default)]
pub struct Plan {
    /// How many new rows there are: so many ids have to be set aside.
    pub new_rows: u32,
    /// Known rows that a record newly belongs to: all of their records are needed for merging.
    pub joined: Vec<LocalId>,
    pub(super) ties: Vec<Option<Tie>>,
    pub(super) doubts: Vec<Doubt>,
    /// Rows that are given up because their only record turned out to belong to another row.
    pub(super) moved: Vec<(LocalId, LocalId)>,
}

impl Plan {
    /// Lists a record that stands alone, if that is worth a person's look.
    fn doubt(
        &mut self,
        rules: &Rules,
        entity: Entity,
        index: usize,
        stored: &StoredRecord,
        doubt: Option<(Row, String)>,
    ) {
        let (candidate, reason) = match doubt {
            Some((row, reason)) => (Some(row), reason),
            None if is_expected_elsewhere(rules, &stored.source, entity) => (
                None,
                "no account of another system has its id, its domain or its name".to_owned(),
            ),
            None => return,
        };
        self.doubts.push(Doubt {
            index,
            candidate,
            reason,
        });
    }
}

/// Whether a record of a kind is worth a person's look when no other system has it.
pub fn is_expected_elsewhere(rules: &Rules, source: &SourceName, entity: Entity) -> bool {
    entity == Entity::Account && !rules.is_first(source)
}

/// Whether a record of a source may turn out to be something that is already there.
pub fn is_matched(rules: &Rules, source: &SourceName, record: &Record) -> bool {
    matches!(
        record.entity,
        Entity::Account | Entity::Person | Entity::Contact
    ) || holds_ids(rules, source, record)
}

/// Whether a record of a source holds ids that other systems give the same thing.
pub fn holds_ids(rules: &Rules, source: &SourceName, record: &Record) -> bool {
    record.get(IDENTIFIERS).is_some() || rules.identity().has_ids(source, record.entity)
}

/// By what the records of the batch that are not tied yet may be recognised, each key once.
pub fn keys(rules: &Rules, batch: &DirtyBatch) -> Vec<MatchKey> {
    let known = known(batch);
    let alone = alone(batch);
    let let_go = untied(rules, batch, &known);
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for (i, stored) in batch.dirty.iter().enumerate() {
        if rules.is_out(stored) {
            continue;
        }
        // A record that stands alone is looked at again: its twin may have come after it.
        let settled = tied(&known, stored).is_some_and(|row| !alone.contains(&row));
        if settled && !let_go.contains(&i) {
            continue;
        }
        for by in rules.identity().order(stored.record.entity) {
            for key in rules.identity().keys(stored, *by) {
                if let Some(key) = key.question()
                    && seen.insert(key.clone())
                {
                    out.push(key);
                }
            }
        }
    }
    out
}

/// The ids among the [`keys`]: where no other source has anything of the kind, nobody is there to be like, and only an id can lead to
/// another record of the same source.
pub fn id_keys(rules: &Rules, batch: &DirtyBatch) -> Vec<MatchKey> {
    let mut keys = keys(rules, batch);
    keys.retain(|key| {
        matches!(
            key,
            MatchKey::Identifier(_) | MatchKey::IdentifierOf(..) | MatchKey::HeldOf(..)
        )
    });
    keys
}

/// The records of the batch whose tie the rules made and no longer make: the mark is no longer asked for, or is refused now.
fn untied(
    rules: &Rules,
    batch: &DirtyBatch,
    known: &HashMap<(&str, &str), LocalId>,
) -> HashSet<usize> {
    let identity = rules.identity();
    let how: HashMap<(&str, &str), MatchHow> = batch
        .crosswalk
        .iter()
        .filter(|c| Some(c.entity) == batch.entity)
        .map(|c| ((&*c.source, c.external_id.as_str()), c.how))
        .collect();
    let mut out = HashSet::new();
    for (i, stored) in batch.dirty.iter().enumerate() {
        let key = (&*stored.source, stored.record.external_id.as_str());
        let order = identity.order(stored.record.entity);
        let asks = |by: &[By]| {
            by.iter()
                .any(|by| order.contains(by) && !identity.keys(stored, *by).is_empty())
        };
        let holds = rules.is_out(stored)
            || &*stored.source == LOCAL
            || match how.get(&key) {
                Some(MatchHow::Identifier) => asks(&[By::StoredId, By::ExternalId]),
                Some(MatchHow::Domain) => asks(&[By::Domain, By::Email]),
                _ => true,
            };
        if holds {
            continue;
        }
        let Some(row) = tied(known, stored) else {
            continue;
        };
        let mut others = batch
            .dirty
            .iter()
            .chain(&batch.siblings)
            .filter(|o| o.source != stored.source && &*o.source != LOCAL)
            .filter(|o| tied(known, o) == Some(row))
            .peekable();
        // Alone in its row it stays; with others it stays by another mark that they have in common.
        if others.peek().is_some() && !others.any(|o| identity.are_one(stored, o)) {
            out.insert(i);
        }
    }
    out
}

/// Decides which row each record belongs to. `candidates` answer the [`keys`] of the batch.
pub fn identify(rules: &Rules, batch: &DirtyBatch, candidates: &[Candidate]) -> Plan {
    let Some(entity) = batch.entity else {
        return Plan::default();
    };
    let known = known(batch);
    let let_go = untied(rules, batch, &known);
    let mut index = Index {
        refs: (batch.crosswalk.iter())
            .filter(|c| c.entity == Entity::Account)
            .map(|c| ((&*c.source, c.external_id.as_str()), c.local))
            .collect(),
        ..Index::default()
    };
    for c in candidates {
        let row = Row::Known(c.local);
        index.at(row, c.account);
        index.name(row, &c.name);
        for source in &c.sources {
            index.belongs(row, source);
        }
        index.answer(c.key.clone().into(), row);
    }
    // The source that holds customers first opens the rows, the others join them.
    let mut order: Vec<usize> = (0..batch.dirty.len()).collect();
    order.sort_by_key(|i| rules.rank(entity, None, &batch.dirty[*i].source));
    let mut plan = Plan {
        ties: vec![None; batch.dirty.len()],
        ..Plan::default()
    };
    // First the records that are tied already: a new one in the same batch may be recognised by what they now say.
    for &i in &order {
        let stored = &batch.dirty[i];
        if let Some(local) = tied(&known, stored).filter(|_| !let_go.contains(&i)) {
            let row = Row::Known(local);
            plan.ties[i] = Some(Tie {
                row,
                how: MatchHow::New,
                fresh: false,
            });
            if !rules.is_out(stored) {
                index.add(rules, row, stored);
            }
        }
    }
    let mut joined = HashSet::new();
    let alone = alone(batch);
    let mut settled: HashSet<LocalId> = HashSet::new();
    // Whoever is not first joins whoever is.
    for &i in order.iter().rev() {
        let stored = &batch.dirty[i];
        let Some(Tie {
            row: Row::Known(own),
            ..
        }) = plan.ties[i]
        else {
            continue;
        };
        if rules.is_out(stored) || &*stored.source == LOCAL || !alone.contains(&own) {
            continue;
        }
        let found = find(rules, &index, stored, Some(Row::Known(own)));
        match found.row {
            Some((row @ Row::Known(local), how))
                if !settled.contains(&local) && !settled.contains(&own) =>
            {
                settled.extend([local, own]);
                if joined.insert(local) {
                    plan.joined.push(local);
                }
                plan.ties[i] = Some(Tie {
                    row,
                    how,
                    fresh: true,
                });
                plan.moved.push((own, local));
                index.add(rules, row, stored);
            }
            _ if !settled.contains(&own) => plan.doubt(rules, entity, i, stored, found.doubt),
            _ => {}
        }
    }
    for &i in &order {
        let stored = &batch.dirty[i];
        if plan.ties[i].is_some() || rules.is_out(stored) {
            continue;
        }
        // A record that leaves its row does not find itself there again.
        let left = tied(&known, stored).map(Row::Known);
        let found = find(rules, &index, stored, left);
        let (row, how) = match found.row {
            Some((row, how)) => {
                if let Row::Known(local) = row
                    && joined.insert(local)
                {
                    plan.joined.push(local);
                }
                (row, how)
            }
            None => {
                plan.new_rows += 1;
                (Row::New(plan.new_rows - 1), MatchHow::New)
            }
        };
        if how == MatchHow::New {
            plan.doubt(rules, entity, i, stored, found.doubt);
        }
        plan.ties[i] = Some(Tie {
            row,
            how,
            fresh: true,
        });
        index.add(rules, row, stored);
    }
    plan
}

/// The rows of the batch that only one source knows and that no person tied.
fn alone(batch: &DirtyBatch) -> HashSet<LocalId> {
    let mut sources: HashMap<LocalId, (HashSet<&str>, bool)> = HashMap::new();
    for c in &batch.crosswalk {
        if Some(c.entity) == batch.entity && &*c.source != LOCAL && c.how != MatchHow::Named {
            let (names, manual) = sources.entry(c.local).or_default();
            names.insert(&*c.source);
            *manual |= c.how == MatchHow::Manual;
        }
    }
    sources
        .into_iter()
        .filter(|(_, (names, manual))| names.len() == 1 && !manual)
        .map(|(row, _)| row)
        .collect()
}

/// Stored ties, by source and vendor id, of the batch's kind.
pub(super) fn known(batch: &DirtyBatch) -> HashMap<(&str, &str), LocalId> {
    batch
        .crosswalk
        .iter()
        .filter(|c| Some(c.entity) == batch.entity)
        .map(|c| ((&*c.source, c.external_id.as_str()), c.local))
        .collect()
}

/// The row of a record that is tied already. What csops keeps itself bears the local id as its own.
pub(super) fn tied(
    known: &HashMap<(&str, &str), LocalId>,
    stored: &StoredRecord,
) -> Option<LocalId> {
    let id = stored.record.external_id.as_str();
    known.get(&(&*stored.source, id)).copied().or_else(|| {
        (&*stored.source == LOCAL)
            .then(|| id.parse().ok().map(LocalId))
            .flatten()
            .filter(|l| l.is_some())
    })
}

#[derive(Default)]
struct Index<'a> {
    /// The accounts that records refer to.
    refs: HashMap<(&'a str, &'a str), LocalId>,
    /// The accounts of contacts' rows.
    accounts: HashMap<Row, LocalId>,
    answers: HashMap<Key, Vec<Row>>,
    cores: HashMap<String, Vec<Row>>,
    names: HashMap<Row, String>,
    sources: HashMap<Row, Vec<SourceName>>,
}

impl Index<'_> {
    fn answer(&mut self, key: Key, row: Row) {
        let rows = self.answers.entry(key).or_default();
        if !rows.contains(&row) {
            rows.push(row);
        }
    }

    fn name(&mut self, row: Row, name: &str) {
        if let Entry::Vacant(unnamed) = self.names.entry(row) {
            unnamed.insert(name.to_owned());
            let rows = self.cores.entry(core_name(name)).or_default();
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }

    fn at(&mut self, row: Row, account: Option<LocalId>) {
        if let Some(account) = account {
            self.accounts.entry(row).or_insert(account);
        }
    }

    /// The account that a contact belongs to, where it is known.
    fn account_of(&self, stored: &StoredRecord) -> Option<LocalId> {
        if stored.record.entity != Entity::Contact {
            return None;
        }
        match stored.record.get("account")? {
            FieldValue::Ref(id) => self.refs.get(&(&*stored.source, id.as_str())).copied(),
            FieldValue::Id(id) => Some(*id),
            _ => None,
        }
    }

    fn belongs(&mut self, row: Row, source: &SourceName) {
        let sources = self.sources.entry(row).or_default();
        if !sources.contains(source) {
            sources.push(source.clone());
        }
    }

    fn add(&mut self, rules: &Rules, row: Row, stored: &StoredRecord) {
        if &*stored.source == LOCAL {
            return;
        }
        self.belongs(row, &stored.source);
        self.at(row, self.account_of(stored));
        if let Some(name) = stored.record.get("name").and_then(FieldValue::as_str) {
            self.name(row, name);
        }
        for key in rules.identity().answers(stored) {
            self.answer(key, row);
        }
    }

    /// The rows that answer and have no record of this source yet; whether one answers that has.
    fn free(&self, keys: &[Key], source: &SourceName, own: Option<Row>) -> (Vec<Row>, Option<Row>) {
        let (mut free, mut taken) = (Vec::new(), None);
        for row in keys.iter().filter_map(|k| self.answers.get(k)).flatten() {
            if Some(*row) == own {
                continue;
            }
            if self.sources.get(row).is_some_and(|s| s.contains(source)) {
                taken = taken.or(Some(*row));
            } else if !free.contains(row) {
                free.push(*row);
            }
        }
        (free, taken)
    }

    fn called(&self, row: Row) -> &str {
        self.names.get(&row).map_or("another row", String::as_str)
    }
}

#[derive(Default)]
struct Found {
    row: Option<(Row, MatchHow)>,
    doubt: Option<(Row, String)>,
}

/// Which row a record belongs to, other than its own: the first mark that says something decides.
fn find(rules: &Rules, index: &Index<'_>, stored: &StoredRecord, own: Option<Row>) -> Found {
    let identity = rules.identity();
    for by in identity.order(stored.record.entity) {
        let keys = identity.keys(stored, *by);
        let found = match by {
            By::StoredId | By::ExternalId => by_id(index, stored, &keys, own),
            By::Domain | By::Email => by_likeness(index, stored, &keys, own),
            By::Name => by_name(index, stored, &keys, own),
        };
        if let Some(found) = found {
            return found;
        }
    }
    Found::default()
}

fn is(row: Row, how: MatchHow) -> Option<Found> {
    Some(Found {
        row: Some((row, how)),
        doubt: None,
    })
}

fn may_be(row: Row, reason: String) -> Option<Found> {
    Some(Found {
        row: None,
        doubt: Some((row, reason)),
    })
}

fn by_id(
    index: &Index<'_>,
    stored: &StoredRecord,
    keys: &[Key],
    own: Option<Row>,
) -> Option<Found> {
    let source = &stored.source;
    let (free, taken) = index.free(keys, source, own);
    match (free.as_slice(), taken) {
        ([row], _) => is(*row, MatchHow::Identifier),
        ([first, ..], _) => may_be(
            *first,
            format!("its stored ids name {} different accounts", free.len()),
        ),
        ([], Some(row)) => may_be(
            row,
            format!(
                "its stored id names “{}”, to which another record of {source} belongs already",
                index.called(row)
            ),
        ),
        ([], None) => None,
    }
}

fn by_likeness(
    index: &Index<'_>,
    stored: &StoredRecord,
    keys: &[Key],
    own: Option<Row>,
) -> Option<Found> {
    let (mut free, _) = index.free(keys, &stored.source, own);
    let name = stored.record.get("name").and_then(FieldValue::as_str);
    let core = name.map(core_name).unwrap_or_default();
    // Who works with several accounts is a contact of each: only those of one account are one, whichever system's came first.
    if let Some(account) = index.account_of(stored) {
        let of = |row: &Row| index.accounts.get(row).copied();
        free.retain(|row| of(row).is_none_or(|a| a == account));
        let mut here = free.iter().filter(|row| of(row).is_some());
        let called_so = here.clone().find(|r| core_name(index.called(**r)) == core);
        if let Some(row) = called_so.or_else(|| here.next()) {
            return is(*row, MatchHow::Domain);
        }
    }
    let [first, rest @ ..] = free.as_slice() else {
        return None;
    };
    if rest.is_empty() {
        return is(*first, MatchHow::Domain);
    }
    let same: Vec<Row> = free
        .iter()
        .copied()
        .filter(|r| core_name(index.called(*r)) == core)
        .collect();
    if let [row] = same.as_slice() {
        return is(*row, MatchHow::Domain);
    }
    if stored.record.entity != Entity::Account {
        return Some(Found::default());
    }
    may_be(
        *first,
        format!(
            "{} accounts have its domain and none of them alone has its name",
            free.len()
        ),
    )
}

fn by_name(
    index: &Index<'_>,
    stored: &StoredRecord,
    keys: &[Key],
    own: Option<Row>,
) -> Option<Found> {
    if stored.record.entity != Entity::Account {
        return None;
    }
    let source = &stored.source;
    let (mut free, _) = index.free(keys, source, own);
    for key in keys {
        let Key::Name(name) = key else { continue };
        for row in index.cores.get(&core_name(name)).into_iter().flatten() {
            let taken = index.sources.get(row).is_some_and(|s| s.contains(source));
            if !taken && Some(*row) != own && !free.contains(row) {
                free.push(*row);
            }
        }
    }
    let row = free.first()?;
    may_be(
        *row,
        format!(
            "it is called like “{}”, but no stored id and no domain says that they are the same",
            index.called(*row)
        ),
    )
}
