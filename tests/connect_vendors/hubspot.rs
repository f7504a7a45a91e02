//! HubSpot's survey answers, whose account is two associations away.

use super::*;

#[tokio::test]
async fn survey_answers_find_their_account_over_the_person_who_gave_them() {
    let mut options = Options {
        accounts: 60,
        freeze: true,
        vendors: vec!["hubspot".to_owned()],
        ..Options::default()
    };
    options.limits.hubspot_ten_secondly = 100_000;
    options.limits.hubspot_search_per_second = 100_000;
    let sim = start(options).await.expect("the simulated vendor starts");
    let c = open(&sim, "hubspot");
    let people = pull(&*c, "contacts", None).await.records;
    let surveys = pull(&*c, "surveys", None).await;
    assert!(!surveys.records.is_empty() && surveys.problems.is_empty());
    let account = |r: &Record| {
        r.get("account")
            .and_then(FieldValue::as_str)
            .map(str::to_owned)
    };
    let accounts: Vec<String> = people.iter().filter_map(account).collect();
    let mut homeless = 0;
    for answer in &surveys.records {
        assert_eq!(answer.entity, Entity::Signal);
        assert_eq!(answer.get("kind"), Some(&text("nps")));
        assert!(
            matches!(answer.get("value"), Some(FieldValue::Number(n)) if (0.0..=10.0).contains(n)),
            "{answer:?}"
        );
        match account(answer) {
            Some(id) => assert!(accounts.contains(&id), "{id} is no account of a person"),
            None => homeless += 1,
        }
    }
    assert!(
        homeless * 10 < surveys.records.len(),
        "{homeless} of {} answers found no account",
        surveys.records.len()
    );
    // What bears an id of its own beside the vendor's finds its account as well.
    for stream in ["calls", "meetings", "emails"] {
        let touches = pull(&*c, stream, None).await.records;
        let found = touches.iter().filter(|r| account(r).is_some()).count();
        assert!(
            found * 10 > touches.len() * 9,
            "{found} of {} {stream} found an account",
            touches.len()
        );
    }
    let again = pull(&*c, "surveys", Some(surveys.cursor)).await;
    // The last minutes are asked for again, and whose their answers are: one question each.
    assert!(again.requests <= 3, "{} requests", again.requests);
    // Where the portal has none, or may not show them, an option leaves them out.
    let mut without = settings(&sim, "hubspot");
    without.options.insert("surveys".into(), "no".into());
    let c = reach(without, None).expect("the source opens");
    assert!(c.streams().iter().all(|s| s.name != "surveys"));
}
