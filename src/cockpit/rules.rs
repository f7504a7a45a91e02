//! From the configuration to the rules of merging: which marks make two rows one, whose values win, whose rows count. Meaning is checked here.

use crate::book::{AnyRow, Entity, LocalId, Target};
use crate::config::Settings;
use crate::merge::{By, Configured, IdField, Identity};

/// The rules as configured, and in words what of the configuration could not be used.
pub fn configured(settings: &Settings) -> (Configured, Vec<String>) {
    let mut problems = Vec::new();
    let identity = &settings.identity;
    let ids = identity.ids.iter().filter_map(|id| {
        let field = id.field.split_once('.').and_then(|(kind, field)| {
            let entity = Entity::ALL.into_iter().find(|e| e.name() == kind)?;
            has(entity, field).then(|| IdField {
                source: id.source.as_str().into(),
                entity,
                field: field.to_owned(),
                of: id.of.as_str().into(),
            })
        });
        if field.is_none() {
            problems.push(format!(
                "{}: `identity.ids.{}` has no field `{}`; write a kind and a field, such as account.x.CRM_Id__c",
                id.at, id.source, id.field
            ));
        }
        field
    });
    let ids = ids.collect();
    let owners = settings.read.iter().filter_map(|(kind, sources)| {
        let entity = kind_read(kind)?;
        Some((entity, sources.clone()))
    });
    let rules = Configured {
        precedence: settings.precedence.clone(),
        identity: Identity {
            account: identity.account.iter().filter_map(|w| mark(w)).collect(),
            person: identity.person.iter().filter_map(|w| mark(w)).collect(),
            shared_domains: identity.shared_domains.iter().cloned().collect(),
            own_domains: identity.own_domains.iter().cloned().collect(),
            shared_emails: identity.shared_emails.iter().cloned().collect(),
            ids,
        },
        owners: owners.collect(),
    };
    let homes = [
        ("risk", &settings.write.risk),
        ("note", &settings.write.note),
        ("task", &settings.write.task),
        ("renewal", &settings.write.renewal),
    ];
    for (kind, home) in homes {
        if let (Some(home), Some(owners)) = (home, settings.read.get(kind))
            && !owners.contains(home)
        {
            problems.push(format!(
                "[write] {kind} = \"{home}\" writes where [read] {kind} does not read: what is written there would not be seen. Name {home} under [read] {kind} too"
            ));
        }
    }
    (rules, problems)
}

/// The kind of rows behind a word of `[read]`.
fn kind_read(word: &str) -> Option<Entity> {
    Some(match word {
        "renewal" => Entity::Renewal,
        "task" => Entity::Task,
        "ticket" => Entity::Ticket,
        "risk" => Entity::Escalation,
        "note" => Entity::Touchpoint,
        "signal" => Entity::Signal,
        _ => return None,
    })
}

/// What of a source's rows is set aside, with the sources that own the kind: for those who describe the source.
pub fn set_aside(settings: &Settings, source: &str) -> Vec<(Entity, String)> {
    settings
        .read
        .iter()
        .filter(|(_, owners)| !owners.iter().any(|o| o == source))
        .filter_map(|(kind, owners)| {
            let owners = owners.join(", ");
            Some((
                kind_read(kind)?,
                format!("set aside: they are read from {owners} ([read] {kind})"),
            ))
        })
        .collect()
}

fn mark(word: &str) -> Option<By> {
    Some(match word {
        "stored_id" => By::StoredId,
        "external_id" => By::ExternalId,
        "domain" => By::Domain,
        "email" => By::Email,
        "name" => By::Name,
        _ => return None,
    })
}

/// Whether rows of a kind have a field; a tenant's own fields are free.
fn has(entity: Entity, field: &str) -> bool {
    let row = AnyRow::empty(Target {
        entity,
        id: LocalId::NONE,
    });
    field.len() > 2 && field.starts_with("x.") || row.get(field).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_text;
    use std::path::Path;

    fn read(text: &str) -> (Configured, Vec<String>) {
        let sources = "[[source]]\nname = \"crm\"\nconnector = \"salesforce\"\nbase_url = \"https://a.example\"\nauth = { kind = \"none\" }\n\
                       [[source]]\nname = \"cs\"\nconnector = \"gainsight\"\nbase_url = \"https://b.example\"\nauth = { kind = \"none\" }\n";
        let loaded = load_text(&format!("{text}\n{sources}"), Path::new("config.toml"));
        assert_eq!(loaded.settings.sources.len(), 2, "{:?}", loaded.problems);
        configured(&loaded.settings)
    }

    #[test]
    fn without_a_word_the_usual_marks_count_and_every_row() {
        let (rules, problems) = read("");
        assert_eq!(rules.identity, Identity::default());
        assert!(rules.owners.is_empty() && problems.is_empty());
    }

    #[test]
    fn marks_fields_and_owners_are_taken_over_and_what_means_nothing_is_said() {
        let (rules, problems) = read(
            "[identity]\naccount = [\"domain\", \"stored_id\"]\nshared_domains = [\"Agency.example\"]\n\
             [identity.ids.cs]\n\"account.x.SFDC_Id__gc\" = \"crm\"\n\"account.hight\" = \"crm\"\n\
             [read]\ntask = \"crm\"\nticket = [\"crm\", \"cs\"]\n[write]\ntask = \"cs\"\n",
        );
        assert_eq!(rules.identity.account, [By::Domain, By::StoredId]);
        assert!(rules.identity.shared_domains.contains("agency.example"));
        let [id] = rules.identity.ids.as_slice() else {
            panic!("{:?}", rules.identity.ids)
        };
        assert_eq!(
            (&*id.source, id.entity, id.field.as_str(), &*id.of),
            ("cs", Entity::Account, "x.SFDC_Id__gc", "crm")
        );
        assert_eq!(rules.owners[&Entity::Task], ["crm"]);
        assert_eq!(rules.owners[&Entity::Ticket], ["crm", "cs"]);
        let [field, home] = problems.as_slice() else {
            panic!("{problems:?}")
        };
        assert!(
            field.starts_with("config.toml:6:") && field.contains("account.hight"),
            "{field}"
        );
        assert!(home.contains("[write] task"), "{home}");
    }
}
