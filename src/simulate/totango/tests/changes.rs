//! What changes the service: tasks, touchpoints, attributes, the world, a second start.

use super::*;

#[tokio::test]
async fn a_task_is_created_changed_and_closed() {
    let site = site(|_| {}).await;
    let task = json!({ "title": "Call them", "description": "soon", "due_date": "2026-12-01", "priority": 1, "status": "open",
        "account_id": "cust-000000", "assignee": "dana@example.com", "activity_type_id": "renewal" });
    let (status, made) = site
        .send(Method::POST, "/api/v3/tasks", Body::Json(task.clone()))
        .await;
    assert_eq!(status, 200, "{made}");
    let id = text(&made["id"]).to_owned();
    let read = site.get(&format!("/api/v3/tasks?id={id}")).await;
    assert_eq!(read, json!([made]));
    let path = format!("/api/v3/tasks/{id}");
    let (_, changed) = site
        .send(
            Method::PUT,
            &path,
            Body::Json(json!({ "title": "Call them twice" })),
        )
        .await;
    assert_eq!(
        (&changed["title"], &changed["due_date"]),
        (&json!("Call them twice"), &json!("2026-12-01"))
    );
    // The other way: a form with the id.
    let (_, closed) = site
        .send(
            Method::PUT,
            "/api/v3/tasks",
            Body::Form(&[("id", &id), ("status", "closed")]),
        )
        .await;
    assert_eq!(
        (&closed["status"], &closed["title"]),
        (&json!("closed"), &json!("Call them twice"))
    );
    assert!(closed["completed_date"].is_i64());
    let form = [
        ("title", "By form"),
        ("due_date", "2026-12-02"),
        ("priority", "3"),
        ("account_id", "cust-000000"),
        ("assignee", "dana@example.com"),
        ("activity_type_id", "adoption"),
    ];
    let (status, made) = site
        .send(Method::POST, "/api/v3/tasks", Body::Form(&form))
        .await;
    assert_eq!(
        (status, &made["priority"], &made["status"]),
        (200, &json!(3), &json!("open"))
    );
    // A task has two ids: its own, and that of its event.
    let terms = json!([{ "type": "event_property", "name": "event_type", "eq": "task" }]);
    let newest = site
        .events(json!({ "terms": terms, "fields": [], "count": 1 }))
        .await;
    assert_eq!(newest[0]["properties"]["task_id"], made["id"]);
    assert_ne!(newest[0]["id"], made["id"]);
    let (_, headers, csv) = site
        .raw(Method::GET, "/api/v3/tasks/export/csv", Body::None)
        .await;
    assert_eq!(
        headers
            .get("content-type")
            .and_then(|kind| kind.to_str().ok()),
        Some("text/csv")
    );
    assert!(
        csv.starts_with("id,title,") && csv.contains("By form") && csv.contains("Call them twice")
    );
    for (key, value) in [
        ("account_id", json!("nobody")),
        ("assignee", json!("nobody@example.com")),
        ("activity_type_id", json!("nothing")),
        ("due_date", json!("tomorrow")),
        ("priority", json!(9)),
        ("status", json!("perhaps")),
        ("title", json!("")),
    ] {
        let mut bad = task.clone();
        bad[key] = value;
        let (status, answer) = site
            .send(Method::POST, "/api/v3/tasks", Body::Json(bad))
            .await;
        assert_eq!(status, 400, "{key}: {answer}");
        if key == "account_id" {
            assert_eq!(answer["message"], "Account not found");
        }
    }
    assert_eq!(
        site.send(Method::PUT, "/api/v3/tasks/77", Body::Json(json!({})))
            .await
            .0,
        404
    );
    assert_eq!(
        site.send(Method::GET, "/api/v3/tasks", Body::None).await.0,
        400
    );
}

#[tokio::test]
async fn a_touchpoint_is_written_changed_and_deleted() {
    let site = site(|_| {}).await;
    let note = json!({ "account_id": "cust-000000", "content": "They are happy 🎉", "subject": "Call", "activity_type_id": "adoption", "touchpointType": "Call", "touchpoint_tags": ["a"], "create_date": 1_795_330_000_000_i64 });
    let (status, made) = site
        .send(Method::POST, "/api/v3/touchpoints/", Body::Json(note))
        .await;
    assert_eq!(status, 200, "{made}");
    let id = text(&made["note"]["id"]).to_owned();
    let find = async || {
        let all = site.get("/api/v2/events/?account_id=cust-000000").await;
        let all = all.as_array().cloned().unwrap_or_default();
        all.into_iter()
            .find(|event| event["note_content"]["note_id"] == id.as_str())
    };
    let event = find().await.unwrap_or_else(|| panic!("not found"));
    assert_eq!(
        (&event["note_content"]["text"], &event["timestamp"]),
        (&json!("They are happy 🎉"), &json!(1_795_330_000_000_i64))
    );
    let path = format!("/api/v3/touchpoints/{id}");
    let alone = Body::Json(json!({ "content": "x" }));
    assert_eq!(site.send(Method::PUT, &path, alone).await.0, 400);
    let change = Body::Json(
        json!({ "note_id": id, "event_id": event["id"], "content": "They are very happy" }),
    );
    assert_eq!(site.send(Method::PUT, &path, change).await.0, 200);
    let event = find().await.unwrap_or_else(|| panic!("not found"));
    assert_eq!(
        (
            &event["note_content"]["text"],
            &event["note_content"]["subject"]
        ),
        (&json!("They are very happy"), &json!("Call"))
    );
    assert_eq!(site.send(Method::DELETE, &path, Body::None).await.0, 200);
    assert!(find().await.is_none());
    assert_eq!(site.send(Method::DELETE, &path, Body::None).await.0, 404);
    let nobody = Body::Json(json!({ "account_id": "nobody", "content": "x" }));
    assert_eq!(
        site.send(Method::POST, "/api/v3/touchpoints", nobody)
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn attributes_are_sent_as_a_picture() {
    let site = site(|_| {}).await;
    let sent = [
        ("sdr_s", "SP-1-1"),
        ("sdr_o", "cust-000000"),
        ("sdr_o.Renewal Date", "2027-03-01"),
        ("sdr_o.Licenses", "77"),
        ("sdr_o.ARR", "many"),
        ("sdr_o.Brand New", "yes"),
    ];
    let before = site
        .fields(
            "cust-000000",
            json!([{ "type": "number_attribute", "attribute": "ARR" }]),
        )
        .await;
    // No token is needed.
    let answer = site
        .client
        .get(site.url("/pixel.gif/"))
        .query(&sent)
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()["content-type"], "image/gif");
    assert!(
        answer
            .bytes()
            .await
            .is_ok_and(|bytes| bytes.starts_with(b"GIF89a"))
    );
    let fields = json!([{ "type": "date_attribute", "attribute": "Renewal Date" }, { "type": "number_attribute", "attribute": "Licenses" }, { "type": "number_attribute", "attribute": "ARR" }, attribute("Brand New")]);
    assert_eq!(
        site.fields("cust-000000", fields).await,
        [
            json!("2027-03-01T00:00:00.000Z"),
            json!("77"),
            before[0].clone(),
            json!("yes")
        ]
    );
    assert_eq!(
        site.count(json!([{ "type": "string_attribute", "attribute": "Brand New", "eq": "yes" }]))
            .await,
        1
    );
    // An account that was not there, with a user.
    let all = site.count(json!([])).await;
    let sent = [
        ("sdr_s", "SP-1-1"),
        ("sdr_o", "new-1"),
        ("sdr_odn", "New & Co"),
        ("sdr_u", "a@new.example"),
    ];
    assert!(
        site.client
            .post(site.url("/pixel.gif/"))
            .form(&sent)
            .send()
            .await
            .is_ok_and(|answer| answer.status() == 200)
    );
    assert_eq!(site.count(json!([])).await, all + 1);
    assert_eq!(
        site.fields(
            "new-1",
            json!([{ "type": "string", "term": "display_name" }])
        )
        .await,
        [json!("New & Co")]
    );
    // Without a service nothing is kept, and nobody says so.
    let sent = [("sdr_o", "new-2")];
    assert!(
        site.client
            .get(site.url("/pixel.gif/"))
            .query(&sent)
            .send()
            .await
            .is_ok_and(|answer| answer.status() == 200)
    );
    assert_eq!(site.count(json!([])).await, all + 1);
}

#[tokio::test]
async fn live_changes_show_in_their_places() {
    let site = site(|_| {}).await;
    let world = site.simulation.world.clone();
    let task = world
        .tasks
        .iter()
        .position(|t| t.completed.is_none() && world.accounts[t.account as usize].in_gainsight);
    let task = task.unwrap_or_else(|| panic!("no open task")) as u32;
    let renewal = world
        .renewals
        .iter()
        .position(|r| !r.stage.closed() && world.accounts[r.account as usize].in_gainsight);
    let renewal = renewal.unwrap_or_else(|| panic!("no open renewal")) as u32;
    let renewing = format!("cust-{:06}", world.renewals[renewal as usize].account);
    let changes = [
        Change::Usage {
            account: 0,
            week: date(2026, 11, 16),
            active_users: 7,
            seats: 20,
            logins: 30,
            adoption: 40,
        },
        Change::Health {
            account: 0,
            score: 90,
        },
        Change::Health {
            account: 0,
            score: 33,
        },
        Change::TaskDone { task },
        Change::StageMoved { renewal, stage: 4 },
        Change::AccountRenamed {
            account: 0,
            name: "Renamed".to_owned(),
        },
        Change::SurveyAnswered {
            account: 0,
            contact: Some(0),
            score: 2,
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        site.simulation
            .happen(number as u64 + 1, change)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let fields = json!([{ "type": "string", "term": "health" }, { "type": "health_trend" }, { "type": "string", "term": "display_name" },
        { "type": "number_attribute", "attribute": "NPS Score" }, { "type": "number_attribute", "attribute": "Active Users" }]);
    assert_eq!(
        site.fields("cust-000000", fields).await,
        [
            json!("red"),
            json!("down"),
            json!("Renamed"),
            json!("2"),
            json!("7")
        ]
    );
    assert_eq!(
        site.fields(&renewing, json!([attribute("Renewal Stage")]))
            .await,
        [json!("Verbal Commit")]
    );
    let done = site
        .get(&format!("/api/v3/tasks?id={}", text(&id(TASKS, task))))
        .await;
    assert_eq!(done[0]["status"], "closed");
    let events = site.get("/api/v2/events/?account_id=cust-000000").await;
    assert_eq!(
        (&events[0]["type"], &events[0]["properties"]),
        (
            &json!("alert"),
            &json!({ "name": "health", "from": "green", "to": "red" })
        )
    );
}

#[tokio::test]
async fn a_second_start_meets_what_the_first_accepted() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = dir.path().to_owned();
    let note = || Body::Json(json!({ "account_id": "cust-000000", "content": "Kept" }));
    let first = {
        let path = path.clone();
        let site = site(|options| options.dir = Some(path)).await;
        assert_eq!(
            site.send(Method::POST, "/api/v3/touchpoints", note())
                .await
                .0,
            200
        );
        let sent = [
            ("sdr_s", "SP-1-1"),
            ("sdr_o", "kept-1"),
            ("sdr_o.Own", "kept"),
        ];
        assert!(
            site.client
                .get(site.url("/pixel.gif/"))
                .query(&sent)
                .send()
                .await
                .is_ok()
        );
        site.simulation
            .happen(
                1,
                Change::AccountRenamed {
                    account: 0,
                    name: "Kept Name".to_owned(),
                },
            )
            .unwrap_or_else(|error| panic!("{error}"));
        site.get("/api/v2/events/?account_id=cust-000000").await
    };
    let site = site(|options| options.dir = Some(path)).await;
    assert_eq!(
        site.get("/api/v2/events/?account_id=cust-000000").await,
        first
    );
    assert_eq!(first[0]["account"]["display_name"], "Kept Name");
    assert_eq!(
        site.fields("kept-1", json!([attribute("Own")])).await,
        [json!("kept")]
    );
    let (_, again) = site.send(Method::POST, "/api/v3/touchpoints", note()).await;
    assert_ne!(again["note"]["id"], first[0]["note_content"]["note_id"]);
}
