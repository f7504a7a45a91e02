//! A manifest of the user's own that stands in for a built-in one which has an adapter: what it says is what is read and written.

use super::*;
use csops::connect::ErrorKind;

const SALESFORCE: &str = include_str!("../../src/connect/builtin/salesforce.toml");
const GAINSIGHT: &str = include_str!("../../src/connect/builtin/gainsight.toml");

/// The connector with some lines of its manifest changed, as a file in the user's `connectors/` folder.
fn changed(
    sim: &Simulation,
    name: &str,
    text: &str,
    changes: &[(&str, &str)],
) -> Box<dyn Connector> {
    let mut text = text.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "the built-in manifest has `{from}`");
        text = text.replacen(from, to, 1);
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(format!("{name}.toml")), text).expect("a file");
    let library = Library::with_folder(folder.path());
    connect::open(settings(sim, name), &library, Arc::new(RealClock), None)
        .unwrap_or_else(|e| panic!("{e}"))
}

/// By the row's id, what it says in a field.
fn said(pulled: &Pulled, entity: Entity, field: &str) -> BTreeMap<String, FieldValue> {
    pulled
        .records
        .iter()
        .filter(|r| r.entity == entity && !r.deleted)
        .map(|r| {
            (
                r.external_id.clone(),
                r.get(field).cloned().unwrap_or_default(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_manifest_of_ones_own_decides_what_salesforce_is_asked_and_told() {
    let sim = vendors(30).await;
    let usual = open(&sim, "salesforce");
    let own = changed(
        &sim,
        "salesforce",
        SALESFORCE,
        &[
            (
                "region = [\"Region__c\", \"BillingCountry\"]",
                "region = \"Industry\"",
            ),
            (
                "next_step = \"NextStep\"\n\n",
                "next_step = \"Description\"\n\n",
            ),
            ("stream = \"meetings\"", "stream = \"events\""),
        ],
    );
    let before = pull(&*usual, "accounts", None).await;
    let after = pull(&*own, "accounts", None).await;
    assert!(!before.records.is_empty());
    assert_eq!(
        said(&after, Entity::Account, "region"),
        said(&before, Entity::Account, "industry")
    );
    assert_eq!(
        said(&after, Entity::Account, "name"),
        said(&before, Entity::Account, "name")
    );
    let names: Vec<&str> = own.streams().iter().map(|s| s.name).collect();
    assert!(
        names.contains(&"events") && !names.contains(&"meetings"),
        "{names:?}"
    );
    let e = own
        .fetch("accounts", Some(&before.cursor))
        .await
        .expect_err("what was read by another mapping is read afresh");
    assert_eq!(e.kind, ErrorKind::CursorLost);
    // What did not change goes on where it was.
    let tasks = pull(&*usual, "tasks", None).await;
    let again = pull(&*own, "tasks", Some(tasks.cursor)).await;
    assert!(again.requests <= 1);
}

#[tokio::test]
async fn a_manifest_of_ones_own_decides_what_gainsight_is_asked() {
    let sim = vendors(60).await;
    let usual = open(&sim, "gainsight");
    let own = changed(
        &sim,
        "gainsight",
        GAINSIGHT,
        &[
            (
                "region = [\"Region\", \"Region__gc\", \"BillingCountry\"]",
                "region = \"Industry\"",
            ),
            (
                "reason = [\"ReasonId__gr.Name\", \"Reason\"]",
                "reason = \"Name\"",
            ),
        ],
    );
    let (before, after) = (
        pull(&*usual, "accounts", None).await,
        pull(&*own, "accounts", None).await,
    );
    assert_eq!(
        said(&after, Entity::Account, "region"),
        said(&before, Entity::Account, "industry")
    );
    let (before, after) = (
        pull(&*usual, "escalations", None).await,
        pull(&*own, "escalations", None).await,
    );
    let titles = said(&before, Entity::Escalation, "title");
    assert!(!titles.is_empty());
    assert_eq!(said(&after, Entity::Escalation, "reason"), titles);
    let e = own
        .fetch("escalations", Some(&before.cursor))
        .await
        .expect_err("what was read by another mapping is read afresh");
    assert_eq!(e.kind, ErrorKind::CursorLost);
}
