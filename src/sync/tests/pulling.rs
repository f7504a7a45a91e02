//! Reading: what a sync costs, what stops it, and what it says.

use super::*;

#[tokio::test]
async fn two_sources_become_one_book_and_a_sync_without_changes_costs_one_request_per_stream() {
    let w = World::new();
    let results = w.sync(false).await;
    assert!(results.iter().all(|r| r.error.is_none()), "{results:?}");
    let accounts = w.accounts().await;
    let seen: Vec<(&str, Option<u8>, bool)> = accounts
        .iter()
        .map(|a| (a.name.as_str(), a.health, a.owner.is_some()))
        .collect();
    assert_eq!(
        seen,
        [
            ("Acme", Some(31), true),
            ("Boreal", None, true),
            ("Cirrus", None, true)
        ]
    );
    assert_eq!(w.all().await.renewals[0].account, Some(accounts[0].id));

    w.crm.paper().fetches.clear();
    w.cs.paper().fetches.clear();
    let seq = w.store.seq().await.unwrap();
    let results = w.sync(false).await;
    assert_eq!(w.crm.paper().fetches.len(), CRM.len());
    assert_eq!(w.cs.paper().fetches.len(), CS.len());
    assert_eq!(
        results
            .iter()
            .map(|r| (r.changed, r.requests))
            .collect::<Vec<_>>(),
        [(0, 3), (0, 2)]
    );
    assert_eq!(w.store.seq().await.unwrap(), seq);

    w.crm
        .put(Entity::Account, "002", &[("name", text("Boreal AG"))]);
    w.crm.remove(Entity::Account, "003", true);
    w.sync(false).await;
    let names: Vec<String> = w.accounts().await.into_iter().map(|a| a.name).collect();
    assert_eq!(names, ["Acme", "Boreal AG"]);
    let status = &w.engine.statuses()[0];
    assert_eq!(
        (status.state, status.streams[1].changed),
        (SourceState::Idle, 2)
    );
}

#[tokio::test]
async fn a_failing_source_says_why_keeps_what_it_has_and_does_not_stop_the_other() {
    let w = World::new();
    let retry = ErrorKind::Retry {
        after: Some(Duration::from_secs(600)),
        maybe_done: false,
    };
    w.crm.paper().broken.push_back(("accounts".into(), retry));
    let results = w.sync(false).await;
    assert!(results[0].error.is_some() && results[1].error.is_none());
    assert_eq!(
        w.all().await.people.len(),
        1,
        "what came before the failure stays"
    );
    assert_eq!(w.accounts().await.len(), 1, "the other source went through");
    let status = &w.engine.statuses()[0];
    assert_eq!(status.state, SourceState::Failing);
    assert!(status.streams[1].error.is_some() && status.streams[0].error.is_none());
    let wait = status.next_run.unwrap().duration_since(w.clock.now());
    assert!(
        wait >= SignedDuration::from_secs(600),
        "the vendor's wish is obeyed: {wait}"
    );
    assert!(w.sync(false).await[0].error.is_none());
    assert_eq!(w.accounts().await.len(), 3);
    assert_eq!(w.engine.statuses()[0].error, None);
}

#[tokio::test]
async fn a_refused_login_stops_the_source_until_a_person_does_something() {
    let w = World::new();
    w.crm
        .paper()
        .broken
        .push_back(("people".into(), ErrorKind::Auth));
    w.sync(false).await;
    let status = &w.engine.statuses()[0];
    assert_eq!(
        (status.state, status.next_run),
        (SourceState::Stopped, None)
    );
    assert_eq!(w.crm.paper().fetches.len(), 1, "it is not asked on and on");
    // After a restart the reason still stands there, and it is tried once more.
    let second = engine(&w.store, &w.clock, &w.crm, &w.cs, None);
    second.restore().await.unwrap();
    let status = &second.statuses()[0];
    assert_eq!(status.state, SourceState::Failing);
    assert!(status.error.as_deref().is_some_and(|e| e.contains("Auth")));
    assert!(
        second.run_once(&[], false).await.unwrap()[0]
            .error
            .is_none()
    );
}

#[tokio::test]
async fn a_lost_cursor_starts_the_stream_anew_and_finds_what_has_gone() {
    let w = World::new();
    w.sync(false).await;
    w.crm.remove(Entity::Account, "003", false);
    w.sync(false).await;
    assert_eq!(w.accounts().await.len(), 3, "nobody told");
    w.crm
        .paper()
        .broken
        .push_back(("accounts".into(), ErrorKind::CursorLost));
    assert!(w.sync(false).await[0].error.is_none());
    assert_eq!(w.accounts().await.len(), 2);
}

#[tokio::test]
async fn a_full_run_finds_what_has_gone_unless_rows_could_not_be_read() {
    let w = World::new();
    w.sync(false).await;
    w.crm.remove(Entity::Account, "003", false);
    w.crm.paper().problems = vec![RowProblem {
        entity: Entity::Account,
        external_id: None,
        reason: "a row without an id".into(),
    }];
    w.sync(true).await;
    assert_eq!(
        w.accounts().await.len(),
        3,
        "the row that could not be read may be it"
    );
    w.crm.paper().problems.clear();
    w.sync(true).await;
    assert_eq!(w.accounts().await.len(), 2);
}

#[tokio::test]
async fn a_page_that_repeats_is_noticed_and_the_other_streams_go_on() {
    let w = World::new();
    w.sync(false).await;
    w.crm.paper().repeat = Some("accounts");
    w.crm.put(
        Entity::Renewal,
        "007",
        &[
            ("name", text("New")),
            ("account", FieldValue::Ref("002".into())),
        ],
    );
    let results = w.sync(false).await;
    assert!(
        results[0]
            .error
            .as_deref()
            .is_some_and(|e| e.contains("same page")),
        "{results:?}"
    );
    assert_eq!(w.all().await.renewals.len(), 2);
}

#[tokio::test]
async fn the_daily_promise_is_kept_over_a_restart_and_begins_anew_the_next_day() {
    let w = World::new();
    let first = engine(&w.store, &w.clock, &w.crm, &w.cs, Some(5));
    first.run_once(&["crm"], false).await.unwrap();
    let used = first.statuses()[0].budget.ours;
    assert!(used >= 4);
    // Another process: its connector has counted nothing yet.
    w.crm.paper().requests = 0;
    let second = engine(&w.store, &w.clock, &w.crm, &w.cs, Some(5));
    second.restore().await.unwrap();
    assert_eq!(second.statuses()[0].budget.ours, used);
    let results = second.run_once(&["crm"], false).await.unwrap();
    assert!(
        results[0]
            .error
            .as_deref()
            .is_some_and(|e| e.contains("daily_requests")),
        "{results:?}"
    );
    assert!(second.statuses()[0].budget.ours <= 5);
    w.clock.forward(86_400);
    assert!(
        second.run_once(&["crm"], false).await.unwrap()[0]
            .error
            .is_none()
    );
}
