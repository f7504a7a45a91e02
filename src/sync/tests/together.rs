//! Two on one database, and the engine in the background.

use super::*;

#[tokio::test]
async fn of_two_on_one_database_one_syncs_and_the_other_takes_over() {
    let w = World::new();
    // A live process that is not ours holds the lease.
    let other = "csops 1 on another machine";
    w.store
        .lease("sync", other, Duration::from_secs(30))
        .await
        .unwrap();
    let refused = w.engine.run_once(&[], false).await.unwrap_err();
    assert!(refused.contains(other), "{refused}");
    assert!(w.crm.paper().fetches.is_empty());
    assert_eq!(
        w.engine
            .push_pending(Duration::from_secs(1))
            .await
            .map(|o| o.is_some()),
        Ok(true)
    );
    w.store.release_lease("sync", other).await.unwrap();
    assert!(w.sync(false).await[0].error.is_none());
    // One that died does not keep us waiting, where that can be told.
    if cfg!(target_os = "linux") {
        let dead = holder().replace(&std::process::id().to_string(), "999999999");
        w.store
            .lease("sync", &dead, Duration::from_secs(30))
            .await
            .unwrap();
        assert!(w.engine.run_once(&[], false).await.is_ok());
    }
}

#[tokio::test]
async fn in_the_background_it_pulls_pushes_and_ends_cleanly() {
    let w = World::new();
    let mut events = w.engine.events();
    w.engine.start();
    while w.accounts().await.len() < 3
        || w.engine
            .statuses()
            .iter()
            .any(|s| s.state != SourceState::Idle)
    {
        events.recv().await.unwrap();
    }
    let id = w.create_risk().await;
    w.engine.wake_push();
    while w.item(&id).await.state != OutboxState::Done {
        events.recv().await.unwrap();
    }
    // In its grace when csops ends: sent at once.
    let renewal = w.all().await.renewals[0].id;
    let fields = [("stage", text("Open"), text("Won"))];
    let last = w
        .commit(Entity::Renewal, renewal, Verb::Update, "crm", &fields)
        .await;
    w.engine.stop(Duration::from_secs(30)).await;
    assert_eq!(w.item(&last).await.state, OutboxState::Done);
    let again = Store::open(&w.path, Options::default()).unwrap();
    let lease = again
        .lease("sync", "somebody else", Duration::from_secs(1))
        .await
        .unwrap();
    assert_eq!(lease, crate::store::Lease::Ours, "the lease was given back");
    assert_eq!(again.source_statuses().await.unwrap().len(), 2);
}
