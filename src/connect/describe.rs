//! What a tenant has: its fields, how many rows fill them, what they are read as, and what an unmapped one could be.

use crate::book::Entity;

/// Other names that teams give to canonical fields; small letters and digits only.
const ALIASES: [(&str, &[&str]); 17] = [
    (
        "segment",
        &[
            "segment",
            "customersegment",
            "tier",
            "accounttier",
            "customertier",
        ],
    ),
    (
        "touch",
        &[
            "touch",
            "touchmodel",
            "engagementmodel",
            "servicemodel",
            "coverage",
        ],
    ),
    (
        "csm",
        &[
            "csm",
            "customersuccessmanager",
            "successmanager",
            "csmowner",
            "csmemail",
        ],
    ),
    (
        "renewal",
        &[
            "renewal",
            "renewaldate",
            "nextrenewal",
            "nextrenewaldate",
            "contractend",
        ],
    ),
    (
        "start",
        &[
            "customersince",
            "startdate",
            "contractstart",
            "customerfrom",
        ],
    ),
    (
        "arr",
        &[
            "arr",
            "annualrecurringrevenue",
            "annualrevenuerecurring",
            "acv",
        ],
    ),
    (
        "health",
        &["health", "healthscore", "customerhealth", "overallscore"],
    ),
    (
        "notice_days",
        &["noticedays", "noticeperiod", "noticeperioddays"],
    ),
    ("auto_renew", &["autorenew", "autorenewal"]),
    (
        "sentiment",
        &["sentiment", "csmsentiment", "csmpulse", "pulse"],
    ),
    ("nps", &["nps", "npsscore"]),
    ("region", &["region", "territory", "salesregion", "geo"]),
    ("industry", &["industry", "vertical", "sector"]),
    (
        "stage",
        &["lifecyclestage", "customerstage", "journeystage", "phase"],
    ),
    ("domain", &["domain", "website", "webdomain", "emaildomain"]),
    ("forecast", &["forecast", "forecastcategory"]),
    ("next_step", &["nextstep", "nextsteps"]),
];

fn plain(text: &str) -> String {
    let text = text.trim_end_matches("__c").trim_end_matches("__gc");
    let text = text.rsplit('.').next().unwrap_or(text);
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase()
}

/// What an unmapped field could be: a canonical field of its kind that nothing else is read as, else a field of the tenant's own.
pub fn propose(entity: Entity, name: &str, label: &str, taken: impl Fn(&str) -> bool) -> String {
    let row = crate::book::AnyRow::empty(crate::book::Target {
        entity,
        id: crate::book::LocalId::NONE,
    });
    let names = [plain(name), plain(label)];
    let hit = ALIASES
        .iter()
        .find(|(canonical, aliases)| {
            row.get(canonical).is_some()
                && !taken(canonical)
                && names.iter().any(|n| aliases.contains(&n.as_str()))
        })
        .map(|(c, _)| (*c).to_owned());
    hit.unwrap_or_else(|| {
        let mut own = String::from("x.");
        let base = name.trim_end_matches("__c").trim_end_matches("__gc");
        let base = base.rsplit('.').next().unwrap_or(base);
        for c in base.chars() {
            match c {
                c if c.is_ascii_alphanumeric() => own.push(c.to_ascii_lowercase()),
                _ if !own.ends_with(['_', '.']) => own.push('_'),
                _ => {}
            }
        }
        own.trim_end_matches('_').to_owned()
    })
}

/// Whether a JSON value says anything.
pub fn says_something(raw: &str) -> bool {
    !matches!(raw, "null" | "\"\"" | "[]" | "{}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_proposed_by_its_name_or_label_and_never_for_what_is_read_already() {
        let none = |_: &str| false;
        assert_eq!(
            propose(Entity::Account, "Customer_Tier__c", "Tier", none),
            "segment"
        );
        assert_eq!(
            propose(Entity::Account, "custom.Notice Period", "", none),
            "notice_days"
        );
        assert_eq!(
            propose(Entity::Account, "Customer_Tier__c", "Tier", |c| c
                == "segment"),
            "x.customer_tier"
        );
        assert_eq!(
            propose(Entity::Contact, "renewal_date", "", none),
            "x.renewal_date",
            "a contact has no renewal"
        );
        assert_eq!(
            propose(Entity::Account, "Our  Colour!", "", none),
            "x.our_colour"
        );
    }
}
