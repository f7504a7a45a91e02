//! What changes the tenant: writes, the world, a second start.

use super::*;

#[tokio::test]
async fn a_task_lives_from_creation_to_the_archive() {
    let site = site(|_| {}).await;
    let (company, owner) = (id_text(COMPANIES, 0), id_text(USERS, 2));
    let open = site
        .list(&format!("/tasks?companyId={company}&limit=2000"))
        .await
        .len();
    let made = site
        .post("/tasks", json!({ "companyId": company, "mainType": "task", "action": "Call them", "ownerId": owner,
            "startTime": "2026-12-01", "nonsense": 1, "custom": { "Priority": "High", "Unknown": 1 } }))
        .await;
    assert_eq!(
        (&made["isArchived"], &made["ownerName"]),
        (&json!(false), &json!("Dana Whitfield"))
    );
    assert_eq!(made["startTime"], "2026-12-01T00:00:00.000Z");
    assert_eq!(
        (made.get("nonsense"), &made["custom"]),
        (None, &json!({ "Priority": "High" }))
    );
    assert_eq!(made["createdAt"], "2026-11-22T09:00:00.000Z");
    let path = format!("/tasks/{}", text(&made["_id"]));
    // A part is changed, the rest stays.
    let changed = site.put(&path, json!({ "description": "by phone" })).await;
    assert_eq!(
        (&changed["description"], &changed["action"]),
        (&json!("by phone"), &json!("Call them"))
    );
    assert!(text(&changed["updatedAt"]) > text(&made["updatedAt"]));
    assert_eq!(
        site.list(&format!("/tasks?companyId={company}&limit=2000"))
            .await
            .len(),
        open + 1
    );
    let done = site
        .put(&path, json!({ "dateDone": "2026-11-22T10:00:00Z" }))
        .await;
    assert_eq!(done["isArchived"], true);
    assert_eq!(
        site.list(&format!("/tasks?companyId={company}&limit=2000"))
            .await
            .len(),
        open
    );
    let archived = site
        .list(&format!(
            "/tasks?companyId={company}&isArchived=true&limit=2000"
        ))
        .await;
    assert!(archived.iter().any(|row| row["_id"] == made["_id"]));
    assert!(archived.iter().all(|row| row["isArchived"] == true));
    let gone = site.good(Method::DELETE, &path, None).await;
    assert_eq!(gone["deletedCount"], 1);
    assert_eq!(site.status(Method::GET, &path, None).await, 404);
    assert_eq!(site.status(Method::DELETE, &path, None).await, 404);
    // What cannot be.
    for body in [
        json!({ "mainType": "task" }),
        json!({ "companyId": "nobody", "mainType": "task" }),
        json!({ "companyId": company, "mainType": "task", "startTime": "soon" }),
        json!({ "companyId": company, "mainType": "task", "isArchived": "perhaps" }),
        json!([]),
    ] {
        assert_eq!(
            site.status(Method::POST, "/tasks", Some(body.clone()))
                .await,
            400,
            "{body}"
        );
    }
}

#[tokio::test]
async fn notes_renewals_and_owners_are_written_and_read_back() {
    let site = site(|_| {}).await;
    let company = id_text(COMPANIES, 0);
    let note = site
        .post(
            "/conversations",
            json!({ "companyId": company, "type": "note", "description": "They are happy 🎉",
            "date": "2026-11-22T08:00:00Z", "endusers": [{ "id": id_text(ENDUSERS, 0) }] }),
        )
        .await;
    let again = site
        .get(&format!("/conversations/{}", text(&note["_id"])))
        .await;
    assert_eq!(
        (&again["description"], &again["date"]),
        (
            &json!("They are happy 🎉"),
            &json!("2026-11-22T08:00:00.000Z")
        )
    );
    let renewal = site.list("/opportunities?limit=2000").await;
    let open = renewal
        .iter()
        .find(|row| row["status"] == "active")
        .unwrap_or_else(|| panic!("none is open"));
    let path = format!("/opportunities/{}", text(&open["_id"]));
    let changed = site
        .put(&path, json!({ "salesStage": "Verbal Commit", "arr": "1234.5", "value": 1, "custom": { "Forecast Category": "Commit" } }))
        .await;
    assert_eq!(
        (&changed["salesStage"], &changed["arr"], &changed["value"]),
        (&json!("Verbal Commit"), &json!(1234.5), &json!(1234.5))
    );
    assert_eq!(changed["custom"]["Forecast Category"], "Commit");
    assert_eq!(
        changed["custom"]["Probability"],
        open["custom"]["Probability"]
    );
    let owner = id_text(USERS, 2);
    let path = format!("/companies/{company}");
    assert_eq!(
        site.put(&path, json!({ "owner": owner, "phase": "Anything" }))
            .await["phase"],
        "Anything"
    );
    assert_eq!(site.get(&path).await["owner"], owner);
    assert_eq!(
        site.status(Method::PUT, &path, Some(json!({ "owner": "nobody" })))
            .await,
        400
    );
    // What the vendor works out itself is not written.
    let before = site.get(&path).await;
    assert_eq!(site.put(&path, json!({ "h": 1 })).await["h"], before["h"]);
    // A second company with the same id of another system is refused.
    let taken = json!({ "name": "Twice", "sourceId": ids::salesforce_id("001", 0) });
    let (status, text) = site.raw(Method::POST, "/companies", Some(taken)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
    assert!(text.contains("duplicate"));
}

#[tokio::test]
async fn a_bulk_upsert_says_item_by_item_what_became_of_it() {
    let site = site(|_| {}).await;
    let (id, source) = (id_text(COMPANIES, 1), ids::salesforce_id("001", 0));
    let name = site.get(&format!("/companies/srcid-{source}")).await["name"].clone();
    let answer = site
        .put(
            "/companies",
            json!([
                { "_id": id, "phase": "Moved" },
                { "sourceId": source, "name": name },
                { "externalId": "new-1", "name": "New One" },
                { "externalId": "new-1", "phase": "Twice in one call" },
                { "externalId": "new-2" },
                { "_id": id, "owner": "nobody" },
                7
            ]),
        )
        .await;
    assert_eq!(
        (
            &answer["created"],
            &answer["updated"],
            &answer["nonupdates"]
        ),
        (&json!(1), &json!(2), &json!(1)),
        "{answer}"
    );
    assert_eq!(answer["createdErrors"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer["updatedErrors"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer["insertsKeys"][0]["externalId"], "new-1");
    assert_eq!(answer["upsertedIds"].as_array().map(Vec::len), Some(3));
    let new = site.get("/companies/extid-new-1").await;
    assert_eq!(
        (&new["name"], &new["phase"], &new["status"]),
        (
            &json!("New One"),
            &json!("Twice in one call"),
            &json!("prospect")
        )
    );
    assert_eq!(
        site.get(&format!("/companies/{id}")).await["phase"],
        "Moved"
    );
    // Tickets without a mail address vanish without a word.
    let contact = site
        .get(&format!("/endusers/{}", id_text(ENDUSERS, 0)))
        .await;
    let answer = site
        .put("/tickets", json!([
            { "sourceId": "t1", "title": "No address" },
            { "sourceId": "t2", "title": "It hangs", "email": contact["email"], "status": "new" }
        ]))
        .await;
    assert_eq!(
        (&answer["created"], &answer["createdErrors"]),
        (&json!(1), &json!([])),
        "{answer}"
    );
    let found = site
        .get(&format!(
            "/conversations/{}",
            text(&answer["upsertedIds"][0])
        ))
        .await;
    assert_eq!(
        (&found["subject"], &found["companyId"], &found["type"]),
        (&json!("It hangs"), &contact["companyId"], &json!("ticket"))
    );
    let many: Vec<Value> = (0..5001)
        .map(|n| json!({ "externalId": format!("x{n}") }))
        .collect();
    assert_eq!(
        site.status(Method::PUT, "/companies", Some(json!(many)))
            .await,
        400
    );
    assert_eq!(
        site.status(Method::PUT, "/companies", Some(json!({})))
            .await,
        400
    );
    assert_eq!(
        site.status(Method::PUT, "/notes", Some(json!([]))).await,
        404
    );
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
    for (number, change) in [
        Change::Usage {
            account: 0,
            week: date(2026, 11, 16),
            active_users: 9,
            seats: 20,
            logins: 30,
            adoption: 40,
        },
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
            score: 33,
        },
        Change::CaseOpened {
            account: 0,
            contact: Some(0),
            subject: "It burns".to_owned(),
            severity: 3,
            owner: 4,
        },
        Change::TaskDone { task },
        Change::StageMoved { renewal, stage: 4 },
        Change::ContactLeft {
            contact: 0,
            on: date(2026, 11, 22),
        },
        Change::AccountRenamed {
            account: 0,
            name: "Renamed".to_owned(),
        },
        Change::SurveyAnswered {
            account: 0,
            contact: Some(0),
            score: 2,
        },
        Change::CaseClosed { case: 0 },
    ]
    .into_iter()
    .enumerate()
    {
        site.simulation
            .happen(number as u64 + 1, change)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let company = id_text(COMPANIES, 0);
    let row = site.get(&format!("/companies/{company}")).await;
    assert_eq!((&row["name"], &row["h"]), (&json!("Renamed"), &json!(3)));
    assert!(text(&row["updatedAt"]).starts_with("2026-11-22T09:00:00"));
    let points = site
        .list(&format!(
            "/dimensiondata?cId={company}&dimid=active_users&limit=2000"
        ))
        .await;
    let week: Vec<&Value> = points
        .iter()
        .filter(|row| row["time"] == "2026-11-16T00:00:00.000Z")
        .collect();
    assert_eq!((week.len(), &week[0]["value"]), (1, &json!(7)));
    let tickets = site
        .list(&format!("/tickets?companyId={company}&limit=2000"))
        .await;
    let new = tickets
        .iter()
        .find(|row| row["title"] == "It burns")
        .unwrap_or_else(|| panic!("no ticket"));
    assert_eq!(
        (&new["severity"], &new["status"], &new["companyName"]),
        (&json!("critical"), &json!("new"), &json!("Renamed"))
    );
    assert_eq!(
        site.get(&format!("/tasks/{}", id_text(TASKS, task))).await["isArchived"],
        true
    );
    assert_eq!(
        site.get(&format!(
            "/opportunities/{}",
            id_text(OPPORTUNITIES, renewal)
        ))
        .await["salesStage"],
        "Verbal Commit"
    );
    assert_eq!(
        site.get(&format!("/endusers/{}", id_text(ENDUSERS, 0)))
            .await["archived"],
        true
    );
    let answers = site
        .list(&format!("/nps?companyId={company}&limit=2000"))
        .await;
    assert_eq!(answers.last().map(|row| &row["score"]), Some(&json!(2)));
}

#[tokio::test]
async fn a_second_start_meets_what_the_first_accepted() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let company = id_text(COMPANIES, 0);
    let (made, renamed) = {
        let site = kept(dir.path()).await;
        let made = site
            .post(
                "/tasks",
                json!({ "companyId": company, "mainType": "task", "action": "Kept" }),
            )
            .await;
        site.put("/companies", json!([{ "_id": company, "phase": "Kept" }]))
            .await;
        let gone = format!("/endusers/{}", id_text(ENDUSERS, 0));
        site.good(Method::DELETE, &gone, None).await;
        site.simulation
            .happen(
                1,
                Change::AccountRenamed {
                    account: 0,
                    name: "Kept Name".to_owned(),
                },
            )
            .unwrap_or_else(|error| panic!("{error}"));
        (made, site.get(&format!("/companies/{company}")).await)
    };
    let site = kept(dir.path()).await;
    assert_eq!(site.simulation.writes("planhat").len(), 3);
    assert_eq!(site.get(&format!("/tasks/{}", text(&made["_id"]))).await, {
        let mut made = made.clone();
        made["companyName"] = json!("Kept Name");
        made
    });
    assert_eq!(site.get(&format!("/companies/{company}")).await, renamed);
    assert_eq!(
        (&renamed["name"], &renamed["phase"]),
        (&json!("Kept Name"), &json!("Kept"))
    );
    assert_eq!(
        site.status(
            Method::GET,
            &format!("/endusers/{}", id_text(ENDUSERS, 0)),
            None
        )
        .await,
        404
    );
    // A new row does not take the number of an old one.
    let next = site
        .post(
            "/tasks",
            json!({ "companyId": company, "mainType": "task" }),
        )
        .await;
    assert_ne!(next["_id"], made["_id"]);
}
