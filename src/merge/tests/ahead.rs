//! Pages of one source that are matched before the pages before them are stored.

use super::*;

fn candidate(key: MatchKey, local: u32, sources: &[&str]) -> Candidate {
    Candidate {
        key,
        local: LocalId(local),
        name: "Acme".into(),
        sources: sources.iter().map(|s| (*s).into()).collect(),
        account: None,
    }
}

fn acme(id: &str) -> DirtyBatch {
    batch(vec![account(
        "cs",
        id,
        &[("name", text("Acme")), ("domain", text("acme.com"))],
    )])
}

#[test]
fn a_row_that_the_page_before_joined_is_not_joined_by_this_one() {
    let rules = rules();
    let found = || vec![candidate(MatchKey::Domain("acme.com".into()), 7, &["crm"])];
    let before = acme("1P01");
    let plan = identify(&rules, &before, &found());
    assert_eq!(plan.joined, [LocalId(7)]);
    let said = Said::by(&rules, &before, &plan);
    // What the store answers as long as the page before is not stored.
    let mut candidates = found();
    assert_eq!(
        identify(&rules, &acme("1P02"), &candidates).joined,
        [LocalId(7)]
    );
    said.amend(&"cs".into(), &mut candidates);
    assert_eq!(candidates[0].sources, ["crm".into(), "cs".into()]);
    let plan = identify(&rules, &acme("1P02"), &candidates);
    assert_eq!((plan.joined.len(), plan.new_rows), (0, 1));
    // Other rows are as free as before.
    let mut others = vec![candidate(MatchKey::Domain("acme.com".into()), 8, &["crm"])];
    said.amend(&"cs".into(), &mut others);
    assert_eq!(others[0].sources, ["crm".into()]);
}

#[test]
fn a_page_that_asks_for_an_id_of_the_page_before_waits_for_it() {
    let rules = rules();
    let before = batch(vec![account(
        "cs",
        "1P01",
        &[("identifiers", FieldValue::List(vec!["001A".into()]))],
    )]);
    let plan = identify(&rules, &before, &[]);
    let said = Said::by(&rules, &before, &plan);
    let holding = |id: &str| {
        batch(vec![account(
            "cs",
            "1P02",
            &[("identifiers", FieldValue::List(vec![id.into()]))],
        )])
    };
    // The id of one of its records, an id that one of its records holds, and another one.
    assert!(said.concerns(&rules, &holding("1P01")));
    assert!(said.concerns(&rules, &holding("001A")));
    assert!(!said.concerns(&rules, &holding("001B")));
    // A likeness is no id.
    assert!(!said.concerns(&rules, &acme("1P02")));
}
