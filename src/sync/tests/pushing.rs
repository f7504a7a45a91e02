//! Writing: once, never twice, and in the vendor's words.

use super::*;

#[tokio::test]
async fn a_create_is_sent_once_with_the_vendors_ids_and_meets_its_own_row_when_it_is_pulled() {
    let w = World::new();
    w.sync(false).await;
    let id = w.create_risk().await;
    w.push().await;
    let item = w.item(&id).await;
    assert_eq!(item.state, OutboxState::Done, "{item:?}");
    {
        let p = w.cs.paper();
        assert_eq!((p.writes.len(), p.asked), (1, 0));
        assert_eq!(
            (p.writes[0].account.as_deref(), p.writes[0].marker.as_str()),
            (Some("1P"), id.as_str())
        );
    }
    w.sync(false).await;
    let risks = w.all().await.escalations;
    assert_eq!(risks.len(), 1);
    assert_eq!(risks[0].title, "At risk");
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_asked_for_and_not_sent_again() {
    let w = World::new();
    w.sync(false).await;
    w.cs.paper().moods.push_back(Mood::LosesAnswer);
    let id = w.create_risk().await;
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Unknown);
    w.clock.forward(60);
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Done);
    assert_eq!(w.cs.paper().writes.len(), 1);
    assert_eq!(w.cs.count(Entity::Escalation), 1);
}

#[tokio::test]
async fn a_create_that_never_arrived_is_sent_again_only_after_asking_twice() {
    let w = World::new();
    w.sync(false).await;
    w.cs.paper().moods.push_back(Mood::LosesRequest);
    let id = w.create_risk().await;
    w.push().await;
    w.clock.forward(60);
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Unknown);
    assert_eq!(w.cs.counts(), (1, 1));
    w.clock.forward(60);
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Done);
    assert_eq!(w.cs.counts(), (2, 2));
    assert_eq!(w.cs.count(Entity::Escalation), 1);
}

#[tokio::test]
async fn what_was_on_its_way_when_csops_died_is_asked_about_before_anything_is_sent() {
    let w = World::new();
    w.sync(false).await;
    let id = w.create_risk().await;
    assert!(w.store.mark_sending(&id).await.unwrap());
    // The vendor has it; csops died before it heard so. Another process starts.
    let write = Write {
        verb: Verb::Create,
        entity: Entity::Escalation,
        external_id: None,
        account: Some("1P".into()),
        marker: id.clone(),
        fields: vec![("title".into(), FieldValue::Null, text("At risk"))],
        author: None,
        force: false,
    };
    w.cs.write(&write).await.unwrap();
    let second = engine(&w.store, &w.clock, &w.crm, &w.cs, None);
    second.push_pending(Duration::from_secs(60)).await.unwrap();
    let item = w.item(&id).await;
    assert_eq!(
        (item.state, w.cs.count(Entity::Escalation)),
        (OutboxState::Done, 1)
    );
}

#[tokio::test]
async fn an_hour_of_failing_is_survived_and_the_vendors_words_are_shown() {
    let w = World::new();
    w.sync(false).await;
    let renewal = w.all().await.renewals[0].id;
    let fields = [("stage", text("Open"), text("Won"))];
    let id = w
        .commit(Entity::Renewal, renewal, Verb::Update, "crm", &fields)
        .await;
    let mut tries = 0;
    let start = w.clock.now();
    while w.clock.now().duration_since(start) < SignedDuration::from_hours(1) {
        let broken = ErrorKind::Retry {
            after: None,
            maybe_done: true,
        };
        w.crm.paper().moods = VecDeque::from([Mood::Fails(broken)]);
        w.push().await;
        let item = w.item(&id).await;
        assert_eq!(item.state, OutboxState::Waiting);
        assert!(item.error.is_some_and(|e| e.contains("paper vendor")));
        tries += 1;
        w.clock
            .forward(item.next_attempt.duration_since(w.clock.now()).as_secs() + 1);
    }
    assert!((8..40).contains(&tries), "{tries} tries in an hour");
    w.crm.paper().moods.clear();
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Done);
    assert_eq!(w.all().await.renewals[0].stage.as_deref(), Some("Won"));
}

#[tokio::test]
async fn refusals_and_conflicts_wait_for_a_person() {
    let w = World::new();
    w.sync(false).await;
    let renewal = w.all().await.renewals[0].id;
    let fields = [("stage", text("Open"), text("Won"))];
    w.crm
        .paper()
        .moods
        .push_back(Mood::Fails(ErrorKind::Refused { field: None }));
    let refused = w
        .commit(Entity::Renewal, renewal, Verb::Update, "crm", &fields)
        .await;
    w.push().await;
    assert_eq!(w.item(&refused).await.state, OutboxState::Failed);
    w.store.drop_item(&refused, w.clock.now()).await.unwrap();
    w.crm.paper().moods.push_back(Mood::Disagrees);
    let conflict = w
        .commit(Entity::Renewal, renewal, Verb::Update, "crm", &fields)
        .await;
    w.push().await;
    let item = w.item(&conflict).await;
    assert_eq!(item.state, OutboxState::Conflict);
    assert_eq!(item.conflict.unwrap().fields[0].theirs, text("theirs"));
    w.clock.forward(3_600);
    w.push().await;
    assert_eq!(
        w.crm.paper().writes.len(),
        2,
        "neither is sent again by itself"
    );
}

#[tokio::test]
async fn what_a_source_cannot_take_is_said_in_words_and_not_sent() {
    let w = World::new();
    w.sync(false).await;
    let renewal = w.all().await.renewals[0].id;
    let fields = [("stage", text("Open"), text("Won"))];
    let id = w
        .commit(Entity::Renewal, renewal, Verb::Update, "cs", &fields)
        .await;
    w.push().await;
    let item = w.item(&id).await;
    assert_eq!(item.state, OutboxState::Failed);
    assert!(item.error.unwrap().contains("does not know this renewal"));
    assert!(w.cs.paper().writes.is_empty());
}

#[tokio::test]
async fn read_only_holds_every_write_back_until_it_is_switched_off() {
    let w = World::new();
    w.sync(false).await;
    let id = w.create_risk().await;
    w.engine.set_read_only(Some("cs"), true).unwrap();
    w.push().await;
    w.engine.set_read_only(Some("cs"), false).unwrap();
    w.engine.set_read_only(None, true).unwrap();
    w.push().await;
    assert!(w.cs.paper().writes.is_empty());
    assert_eq!(w.item(&id).await.state, OutboxState::Waiting);
    w.engine.set_read_only(None, false).unwrap();
    w.push().await;
    assert_eq!(w.item(&id).await.state, OutboxState::Done);
    assert!(
        w.engine
            .set_read_only(Some("nobody"), true)
            .unwrap_err()
            .contains("there are: crm, cs")
    );
}
