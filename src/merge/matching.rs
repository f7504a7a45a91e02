//! By what two records are recognised as the same thing: which marks count, in which order, and which are refused.

use super::IDENTIFIERS;
use crate::book::company::{core_name, host, is_shared};
use crate::book::{Entity, FieldValue, MatchKey, SourceName, StoredRecord};
use std::collections::BTreeSet;

/// A mark by which two records of different sources are the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// One system stores the other's id.
    StoredId,
    /// Both systems call it by one id. A number says nothing: each system counts its own.
    ExternalId,
    /// The internet domain of a company.
    Domain,
    /// The e-mail address of a person.
    Email,
    /// The name makes a candidate, which a person confirms; never more.
    Name,
}

/// Which marks count.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// For accounts, in the order in which they are asked.
    pub account: Vec<By>,
    /// For colleagues and contacts.
    pub person: Vec<By>,
    /// Domains that say nothing about whose company it is, beside the mail hosts that are known.
    pub shared_domains: BTreeSet<String>,
    /// Domains that do, although they are known as mail hosts.
    pub own_domains: BTreeSet<String>,
    /// E-mail addresses that several people share.
    pub shared_emails: BTreeSet<String>,
    /// Fields of a source that hold the id which another source gives the same thing.
    pub ids: Vec<IdField>,
}

/// A field that holds another system's id.
#[derive(Clone, Debug, PartialEq)]
pub struct IdField {
    /// The source that has the field.
    pub source: SourceName,
    /// The kind of its rows.
    pub entity: Entity,
    /// The field, canonical or `x.` and the vendor's name.
    pub field: String,
    /// The source whose id it holds.
    pub of: SourceName,
}

impl Default for Identity {
    fn default() -> Identity {
        Identity {
            account: vec![By::StoredId, By::ExternalId, By::Domain, By::Name],
            person: vec![By::StoredId, By::Email],
            shared_domains: BTreeSet::new(),
            own_domains: BTreeSet::new(),
            shared_emails: BTreeSet::new(),
            ids: Vec::new(),
        }
    }
}

impl Identity {
    /// The marks of a kind, in order. What is neither an account nor a person has only ids.
    pub(super) fn order(&self, entity: Entity) -> &[By] {
        match entity {
            Entity::Account => &self.account,
            Entity::Person | Entity::Contact => &self.person,
            _ => &[By::StoredId],
        }
    }

    /// A company's own domain; nothing for hosts that many companies share.
    fn domain(&self, text: &str) -> Option<String> {
        let host = host(text)?;
        let shared = is_shared(&host) && !self.own_domains.contains(&host);
        (!shared && !self.shared_domains.contains(&host)).then_some(host)
    }

    /// The ids that a record holds of other systems, each with the system where it is known.
    pub(super) fn identifiers(&self, stored: &StoredRecord) -> Vec<(Option<SourceName>, String)> {
        let record = &stored.record;
        let mut out: Vec<(Option<SourceName>, String)> = texts(record.get(IDENTIFIERS))
            .into_iter()
            .map(|id| (None, id))
            .collect();
        for known in &self.ids {
            if known.source == stored.source && known.entity == record.entity {
                let found = texts(record.get(&known.field)).into_iter();
                out.extend(found.map(|id| (Some(known.of.clone()), id)));
            }
        }
        out
    }

    /// Whether rows of a kind have a field at this source that holds another system's id.
    pub(super) fn has_ids(&self, source: &SourceName, entity: Entity) -> bool {
        self.ids
            .iter()
            .any(|id| id.source == *source && id.entity == entity)
    }

    /// By what a record may be recognised.
    pub(super) fn keys(&self, stored: &StoredRecord, by: By) -> Vec<Key> {
        let record = &stored.record;
        let text = |field: &str| {
            record
                .get(field)
                .and_then(FieldValue::as_str)
                .map(str::trim)
                .filter(|t| !t.is_empty())
        };
        let own = &record.external_id;
        match by {
            By::StoredId => {
                let mut keys = vec![
                    Key::Held(own.clone()),
                    Key::HeldOf(stored.source.clone(), own.clone()),
                ];
                for (of, id) in self.identifiers(stored) {
                    match of {
                        Some(source) => keys.push(Key::Of(source, id)),
                        // Two systems may also hold the id of a third.
                        None => keys.extend([Key::Called(id.clone()), Key::Held(id)]),
                    }
                }
                keys
            }
            By::ExternalId => {
                let counted = own.bytes().all(|b| b.is_ascii_digit());
                if counted {
                    Vec::new()
                } else {
                    vec![Key::Called(own.clone())]
                }
            }
            By::Domain => text("domain")
                .and_then(|d| self.domain(d))
                .map(Key::Domain)
                .into_iter()
                .collect(),
            By::Email => text("email")
                .map(str::to_lowercase)
                .filter(|e| e.contains('@') && !self.shared_emails.contains(e))
                .map(Key::Email)
                .into_iter()
                .collect(),
            By::Name => {
                let Some(name) = text("name") else {
                    return Vec::new();
                };
                let mut keys = vec![Key::Name(name.to_lowercase())];
                let core = core_name(name);
                if !core.is_empty() && core != name.to_lowercase() {
                    keys.push(Key::Name(core));
                }
                keys
            }
        }
    }

    /// The ids to which a record answers.
    pub(super) fn ids(&self, stored: &StoredRecord) -> Vec<Key> {
        let own = &stored.record.external_id;
        let mut keys = vec![
            Key::Called(own.clone()),
            Key::Of(stored.source.clone(), own.clone()),
        ];
        for (of, id) in self.identifiers(stored) {
            keys.push(match of {
                Some(source) => Key::HeldOf(source, id),
                None => Key::Held(id),
            });
        }
        keys
    }

    /// What a record answers to when others ask.
    pub(super) fn answers(&self, stored: &StoredRecord) -> Vec<Key> {
        let mut keys = self.ids(stored);
        for by in [By::Domain, By::Email, By::Name] {
            keys.extend(self.keys(stored, by));
        }
        keys
    }

    /// Whether two records have a mark in common that ties them without a person.
    pub(super) fn are_one(&self, a: &StoredRecord, b: &StoredRecord) -> bool {
        let answers = self.answers(b);
        self.order(a.record.entity)
            .iter()
            .filter(|by| **by != By::Name)
            .any(|by| self.keys(a, *by).iter().any(|k| answers.contains(k)))
    }
}

/// What two records may have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Whoever is called so, at whichever source.
    Called(String),
    /// The one that a source calls so.
    Of(SourceName, String),
    /// Whoever holds this id of another system.
    Held(String),
    /// Whoever holds it as the id of that source.
    HeldOf(SourceName, String),
    Domain(String),
    Email(String),
    Name(String),
}

impl Key {
    /// The question to the store; what it cannot answer only the records of one batch tell each other.
    pub(super) fn question(self) -> Option<MatchKey> {
        Some(match self {
            Key::Called(id) => MatchKey::Identifier(id),
            Key::Of(source, id) => MatchKey::IdentifierOf(source, id),
            Key::Domain(d) => MatchKey::Domain(d),
            Key::Email(e) => MatchKey::Email(e),
            Key::Name(n) => MatchKey::Name(n),
            Key::HeldOf(source, id) => MatchKey::HeldOf(source, id),
            Key::Held(_) => return None,
        })
    }
}

impl From<MatchKey> for Key {
    fn from(key: MatchKey) -> Key {
        match key {
            MatchKey::Identifier(id) => Key::Called(id),
            MatchKey::IdentifierOf(source, id) => Key::Of(source, id),
            MatchKey::HeldOf(source, id) => Key::HeldOf(source, id),
            MatchKey::Domain(d) => Key::Domain(d),
            MatchKey::Email(e) => Key::Email(e),
            MatchKey::Name(n) => Key::Name(n),
        }
    }
}

/// The texts of a value: an id, or several.
fn texts(value: Option<&FieldValue>) -> Vec<String> {
    let filled = |t: &str| Some(t.trim().to_owned()).filter(|t| !t.is_empty());
    match value {
        Some(FieldValue::List(l)) => l.iter().filter_map(|t| filled(t)).collect(),
        Some(FieldValue::Text(t) | FieldValue::Ref(t)) => filled(t).into_iter().collect(),
        Some(FieldValue::Number(n)) if n.fract() == 0.0 => vec![n.to_string()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_domains_count_can_be_said() {
        let mut rules = Identity::default();
        assert_eq!(
            rules.domain("https://www.Acme.io/about").as_deref(),
            Some("acme.io")
        );
        assert_eq!(rules.domain("gmail.com"), None);
        assert_eq!(rules.domain("acme"), None);
        rules.own_domains.insert("gmail.com".into());
        rules.shared_domains.insert("acme.io".into());
        assert_eq!(rules.domain("gmail.com").as_deref(), Some("gmail.com"));
        assert_eq!(rules.domain("http://acme.io"), None);
    }
}
