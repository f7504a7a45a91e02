//! Records, associations and properties written, and met again after a restart.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Site, ids, list, site, text};
use crate::simulate::world::Change;

#[tokio::test]
async fn a_task_lives_from_creation_to_archive() {
    let site = site(|_| {}).await;
    let company = site.first_company().await;
    let owners = site.get("/crm/v3/owners?email=DANA@example.com").await;
    let owner = text(&owners["results"][0]["id"]).to_owned();
    let user = owners["results"][0]["userId"].to_string();
    assert_ne!(owner, user);
    let body = json!({
        "properties": { "hs_timestamp": "2026-12-01T10:00:00Z", "hs_task_subject": "Send the plan", "hs_task_priority": "HIGH", "hubspot_owner_id": owner },
        "associations": [{ "to": { "id": company }, "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 192 }] }]
    });
    let (status, made) = site
        .send(Method::POST, "/crm/objects/2026-03/0-27", body)
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let id = text(&made["id"]).to_owned();
    assert_eq!(made["properties"]["hs_task_status"], "NOT_STARTED");
    assert_eq!(
        made["properties"]["hs_timestamp"],
        "2026-12-01T10:00:00.000Z"
    );
    assert_eq!(made["createdAt"], "2026-11-22T09:00:00.000Z");
    assert!(text(&made["url"]).ends_with(&format!("/record/0-27/{id}")));
    let shown = site
        .get(&format!(
            "/crm/v3/objects/tasks/{id}?associations=companies,contacts"
        ))
        .await;
    assert_eq!(
        shown["associations"]["companies"]["results"],
        json!([{ "id": company, "type": "task_to_company" }])
    );
    assert!(shown["associations"].get("contacts").is_none());
    let path = format!("/crm/v3/objects/tasks/{id}");
    let (status, done) = site
        .send(
            Method::PATCH,
            &path,
            json!({ "properties": { "hs_task_status": "COMPLETED" } }),
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    assert!(text(&done["updatedAt"]) > text(&made["updatedAt"]));
    assert_eq!(
        done["properties"]["hs_task_completion_date"],
        done["updatedAt"]
    );
    // The same value again is no change, and moves no stamp.
    let (_, again) = site
        .send(
            Method::PATCH,
            &path,
            json!({ "properties": { "hs_task_status": "COMPLETED" } }),
        )
        .await;
    assert_eq!(again["updatedAt"], done["updatedAt"]);
    let (status, _) = site.send(Method::DELETE, &path, Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(site.refused(Method::GET, &path, Value::Null).await.0, 404);
    let archived = site.get("/crm/v3/objects/tasks?archived=true").await;
    assert_eq!(ids(&archived), std::slice::from_ref(&id));
    assert!(archived["results"][0]["archivedAt"].is_string());
    assert_eq!(archived["results"][0]["archived"], true);
    let by_id = json!([{ "propertyName": "hs_object_id", "operator": "EQ", "value": id }]);
    assert_eq!(site.total("tasks", by_id).await, 0);
    // What cannot be written says what is wrong with which property.
    for (properties, code) in [
        (json!({ "hubspot_owner_id": user }), "INVALID_OWNER_ID"),
        (json!({ "hs_task_status": "completed" }), "INVALID_OPTION"),
        (json!({ "hs_timestamp": "tomorrow" }), "INVALID_DATE"),
        (json!({ "colour": "red" }), "PROPERTY_DOESNT_EXIST"),
        (json!({ "hs_object_id": "1" }), "READ_ONLY_VALUE"),
    ] {
        let mut all = json!({ "hs_timestamp": "2026-12-01T10:00:00Z" });
        for (name, value) in properties.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        let (status, answer) = site
            .send(
                Method::POST,
                "/crm/v3/objects/tasks",
                json!({ "properties": all }),
            )
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(text(&answer["message"]).contains(code), "{answer}");
        assert_eq!(answer["errors"][0]["code"], code);
    }
    let (status, answer) = site
        .send(
            Method::POST,
            "/crm/v3/objects/notes",
            json!({ "properties": { "hs_note_body": "x" } }),
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(answer["context"]["properties"], json!(["hs_timestamp"]));
    let (status, ..) = site
        .refused(
            Method::POST,
            "/crm/v3/objects/feedback_submissions",
            json!({ "properties": {} }),
        )
        .await;
    assert_eq!(status, 405);
    let broken = site
        .request(Method::POST, "/crm/v3/objects/tasks")
        .body("{\"properties\"")
        .send()
        .await;
    assert!(broken.is_ok_and(|answer| answer.status() == StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn deals_move_within_their_pipeline() {
    let site = site(|_| {}).await;
    let pipelines = site.get("/crm/v3/pipelines/deals").await;
    let renewals = list(&pipelines)
        .iter()
        .find(|pipeline| pipeline["label"] == "Renewals")
        .cloned()
        .unwrap_or_default();
    assert!(pipelines.get("paging").is_none());
    let stages = renewals["stages"].as_array().cloned().unwrap_or_default();
    assert_eq!(stages[5]["metadata"]["isClosed"], "true");
    assert_eq!(stages[5]["metadata"]["probability"], "1.0");
    let open = json!({ "filterGroups": [{ "filters": [{ "propertyName": "hs_is_closed", "operator": "EQ", "value": "false" }] }], "limit": 1,
        "properties": ["dealstage", "pipeline", "closedate", "amount"] });
    let found = site.search("deals", open).await;
    let deal = &found["results"][0];
    assert_eq!(deal["properties"]["pipeline"], renewals["id"]);
    let path = format!("/crm/v3/objects/deals/{}", text(&deal["id"]));
    let (status, won) = site
        .send(
            Method::PATCH,
            &path,
            json!({ "properties": { "dealstage": stages[5]["id"], "amount": 1234.5, "closedate": "2027-01-31" } }),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{won}");
    assert_eq!(won["properties"]["hs_is_closed_won"], "true");
    assert_eq!(won["properties"]["amount"], "1234.5");
    assert_eq!(won["properties"]["closedate"], "2027-01-31T00:00:00.000Z");
    for stage in ["closedwon", "nonsense"] {
        let (status, _, message) = site
            .refused(
                Method::PATCH,
                &path,
                json!({ "properties": { "dealstage": stage } }),
            )
            .await;
        assert_eq!(status, 400);
        assert!(message.contains("INVALID_OPTION"), "{message}");
    }
    let (_, _, message) = site
        .refused(
            Method::PATCH,
            &path,
            json!({ "properties": { "notice_deadline": "2026-12-01T10:00:00Z" } }),
        )
        .await;
    assert!(
        message.contains("INVALID_DATE"),
        "a day is midnight: {message}"
    );
}

#[tokio::test]
async fn a_unique_property_makes_writes_repeatable() {
    let site = site(|_| {}).await;
    let definition = json!({ "name": "csops_key", "label": "Key", "type": "string", "fieldType": "text", "groupName": "task", "hasUniqueValue": true });
    let properties = "/crm/v3/properties/tasks";
    let (status, _) = site
        .send(Method::POST, properties, definition.clone())
        .await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(
        site.refused(Method::POST, properties, definition).await.0,
        409
    );
    assert_eq!(
        site.get(&format!("{properties}/csops_key")).await["hasUniqueValue"],
        true
    );
    let made = site.new_task(json!({ "csops_key": "K-1" })).await;
    let id = text(&made["id"]).to_owned();
    let again = json!({ "properties": { "hs_timestamp": "2026-12-01", "csops_key": "k-1" } });
    let (status, category, message) = site
        .refused(Method::POST, "/crm/v3/objects/tasks", again)
        .await;
    assert_eq!((status, category.as_str()), (409, "CONFLICT"));
    assert!(message.contains(&format!("Existing ID: {id}")), "{message}");
    let by = site
        .get("/crm/v3/objects/tasks/K-1?idProperty=csops_key")
        .await;
    assert_eq!(by["id"], made["id"]);
    let upsert = json!({ "inputs": [
        { "id": "K-1", "idProperty": "csops_key", "properties": { "hs_task_subject": "Changed" } },
        { "id": "K-2", "idProperty": "csops_key", "properties": { "hs_timestamp": "2026-12-02T10:00:00Z" } },
        { "id": "K-2", "idProperty": "csops_key", "properties": { "hs_task_subject": "Twice" } }
    ] });
    let answer = site
        .post("/crm/v3/objects/tasks/batch/upsert", upsert)
        .await;
    let rows = list(&answer);
    assert_eq!(
        (
            &rows[0]["id"],
            &rows[0]["new"],
            &rows[1]["new"],
            &rows[2]["new"]
        ),
        (&made["id"], &json!(false), &json!(true), &json!(false))
    );
    assert_eq!(rows[1]["id"], rows[2]["id"]);
    assert_eq!(rows[1]["properties"]["csops_key"], "K-2");
    // A value that was given up is free again.
    let path = format!("/crm/v3/objects/tasks/{id}");
    site.send(
        Method::PATCH,
        &path,
        json!({ "properties": { "csops_key": "" } }),
    )
    .await;
    site.new_task(json!({ "csops_key": "K-1" })).await;
    // Contacts are unique by mail address, also those that were there before.
    let contacts = site
        .search(
            "contacts",
            json!({ "filterGroups": [{ "filters": [{ "propertyName": "email", "operator": "HAS_PROPERTY" }] }] }),
        )
        .await;
    let known = &contacts["results"][0];
    let (status, _, message) = site
        .refused(
            Method::POST,
            "/crm/v3/objects/contacts",
            json!({ "properties": { "email": known["properties"]["email"] } }),
        )
        .await;
    assert_eq!(status, 409);
    assert!(message.contains(text(&known["id"])));
    let mail = text(&known["properties"]["email"]).replace('@', "%40");
    let by = site
        .get(&format!("/crm/v3/objects/contacts/{mail}?idProperty=email"))
        .await;
    assert_eq!(by["id"], known["id"]);
    let (status, ..) = site
        .refused(
            Method::GET,
            "/crm/v3/objects/contacts/x?idProperty=lastname",
            Value::Null,
        )
        .await;
    assert_eq!(status, 400);
    // A property that is archived is gone from definitions and records; the vendor's own stay.
    let (status, _) = site
        .send(
            Method::DELETE,
            "/crm/v3/properties/companies/segment",
            Value::Null,
        )
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let page = site
        .get("/crm/v3/objects/companies?properties=segment&limit=1")
        .await;
    assert!(page["results"][0]["properties"].get("segment").is_none());
    assert_eq!(
        site.refused(
            Method::DELETE,
            "/crm/v3/properties/companies/name",
            Value::Null
        )
        .await
        .0,
        400
    );
}

#[tokio::test]
async fn batches_answer_for_each_input() {
    let site = site(|_| {}).await;
    let page = site.get("/crm/v3/objects/companies?limit=3").await;
    let known = ids(&page);
    let read = json!({ "inputs": [{ "id": known[0] }, { "id": known[0] }, { "id": "999" }], "properties": ["name"] });
    let path = "/crm/objects/2026-03/companies/batch/read";
    let (status, answer) = site.send(Method::POST, path, read).await;
    assert_eq!(status, StatusCode::MULTI_STATUS);
    assert_eq!(ids(&answer), [known[0].clone()]);
    assert_eq!(
        (&answer["numErrors"], &answer["errors"][0]["context"]["ids"]),
        (&json!(1), &json!(["999"]))
    );
    let (status, answer) = site
        .send(
            Method::POST,
            path,
            json!({ "inputs": [{ "id": "CUST-000000" }], "idProperty": "customer_number", "properties": [] }),
        )
        .await;
    assert_eq!((status, list(&answer).len()), (StatusCode::OK, 1));
    let many: Vec<Value> = (0..101).map(|id| json!({ "id": id.to_string() })).collect();
    assert_eq!(
        site.refused(Method::POST, path, json!({ "inputs": many }))
            .await
            .0,
        400
    );
    // All or nothing, unless each input has a trace of its own.
    let task = |key: &str, when: &str, trace: Option<&str>| {
        let mut input = json!({ "properties": { "hs_timestamp": when, "hs_task_subject": key } });
        if let Some(trace) = trace {
            input["objectWriteTraceId"] = json!(trace);
        }
        input
    };
    let create = "/crm/v3/objects/tasks/batch/create";
    let before = site.all("/crm/v3/objects/tasks").await.len();
    let bad = json!({ "inputs": [task("a", "2026-12-01", None), task("b", "never", None)] });
    assert_eq!(site.refused(Method::POST, create, bad).await.0, 400);
    assert_eq!(site.all("/crm/v3/objects/tasks").await.len(), before);
    let traced =
        json!({ "inputs": [task("b", "never", Some("t1")), task("a", "2026-12-01", Some("t2"))] });
    let (status, answer) = site.send(Method::POST, create, traced).await;
    assert_eq!(status, StatusCode::MULTI_STATUS);
    assert_eq!(answer["results"][0]["objectWriteTraceId"], "t2");
    assert_eq!(
        answer["errors"][0]["context"]["objectWriteTraceId"],
        json!(["t1"])
    );
    assert_eq!(site.all("/crm/v3/objects/tasks").await.len(), before + 1);
    let made = ids(&answer);
    let update =
        json!({ "inputs": [{ "id": made[0], "properties": { "hs_task_status": "WAITING" } }] });
    let (status, answer) = site
        .send(Method::POST, "/crm/v3/objects/tasks/batch/update", update)
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        answer["results"][0]["properties"]["hs_task_status"],
        "WAITING"
    );
    let (status, _) = site
        .send(
            Method::POST,
            "/crm/v3/objects/tasks/batch/archive",
            json!({ "inputs": [{ "id": made[0] }, { "id": "5" }] }),
        )
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(site.all("/crm/v3/objects/tasks").await.len(), before);
    let merge = json!({ "primaryObjectId": known[0], "objectIdToMerge": known[1] });
    let merged = site.post("/crm/v3/objects/companies/merge", merge).await;
    assert_eq!(
        merged["properties"]["hs_merged_object_ids"],
        json!(known[1])
    );
    let loser = format!("/crm/v3/objects/companies/{}", known[1]);
    assert_eq!(site.refused(Method::GET, &loser, Value::Null).await.0, 404);
}

#[tokio::test]
async fn associations_are_read_and_written_in_all_their_forms() {
    let site = site(|_| {}).await;
    let company = site.first_company().await;
    let v4 = format!("/crm/v4/objects/companies/{company}/associations/contacts?limit=500");
    let found = site.get(&v4).await;
    let first = &list(&found)[0];
    assert!(first["toObjectId"].is_u64(), "a number in the older form");
    assert_eq!(
        first["associationTypes"],
        json!([{ "category": "HUBSPOT_DEFINED", "typeId": 280, "label": null }, { "category": "HUBSPOT_DEFINED", "typeId": 2, "label": "Primary" }])
    );
    let dated = site
        .get(&format!(
            "/crm/objects/2026-03/companies/{company}/associations/contacts"
        ))
        .await;
    assert_eq!(
        dated["results"][0]["toObjectId"],
        first["toObjectId"].to_string()
    );
    let contact = first["toObjectId"].to_string();
    // In the older lists one id comes once for each type.
    let listed = site
        .get(&format!(
            "/crm/v3/objects/contacts/{contact}?associations=companies"
        ))
        .await;
    assert_eq!(
        listed["associations"]["companies"]["results"],
        json!([{ "id": company, "type": "contact_to_company" }, { "id": company, "type": "contact_to_company_unlabeled" }])
    );
    // One after the other, by pages.
    let one = site
        .get(&format!(
            "/crm/v4/objects/companies/{company}/associations/contacts?limit=1"
        ))
        .await;
    assert_eq!(list(&one).len(), 1);
    assert_eq!(
        one["paging"]["next"]["after"].is_string(),
        list(&found).len() > 1
    );
    let note = site
        .post(
            "/crm/v3/objects/notes",
            json!({ "properties": { "hs_timestamp": 1_796_083_200_000_i64, "hs_note_body": "<p>hello</p>" } }),
        )
        .await;
    let note_id = text(&note["id"]).to_owned();
    let stamp = note["updatedAt"].clone();
    let path = format!("/crm/v4/objects/notes/{note_id}/associations/default/companies/{company}");
    let (status, answer) = site.send(Method::PUT, &path, Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        answer["results"][0]["associationSpec"]["associationTypeId"],
        190
    );
    let read = json!({ "inputs": [{ "id": note_id }, { "id": "1" }] });
    let batch = "/crm/associations/2026-03/notes/companies/batch/read";
    let (status, answer) = site.send(Method::POST, batch, read.clone()).await;
    assert_eq!(status, StatusCode::MULTI_STATUS);
    assert_eq!(answer["results"][0]["from"]["id"], json!(note_id));
    assert_eq!(answer["results"][0]["to"][0]["toObjectId"], json!(company));
    assert_eq!(
        answer["errors"][0]["subCategory"],
        "crm.associations.NO_ASSOCIATIONS_FOUND"
    );
    let unmoved = site.get(&format!("/crm/v3/objects/notes/{note_id}")).await;
    assert_eq!(unmoved["updatedAt"], stamp, "an association moves no stamp");
    let back = site
        .get(&format!(
            "/crm/v4/objects/companies/{company}/associations/notes"
        ))
        .await;
    assert!(
        list(&back)
            .iter()
            .any(|row| row["toObjectId"].as_u64() == note_id.parse().ok())
    );
    let path = format!("/crm/v4/objects/notes/{note_id}/associations/companies/{company}");
    let (status, _) = site.send(Method::DELETE, &path, Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let gone = site.post(batch, read).await;
    assert_eq!(gone["numErrors"], 2);
    let spec =
        |id: u64| json!([{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id }]);
    let (status, answer) = site.send(Method::PUT, &path, spec(190)).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(site.refused(Method::PUT, &path, spec(192)).await.0, 400);
    // A second primary company takes the label from the first.
    let others = site.get("/crm/v3/objects/companies?limit=3").await;
    let other = text(&list(&others)[2]["id"]).to_owned();
    let path = format!("/crm/v4/objects/contacts/{contact}/associations/companies/{other}");
    let (status, answer) = site.send(Method::PUT, &path, spec(1)).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(answer["labels"], json!(["Primary"]));
    let now = site
        .get(&format!(
            "/crm/v4/objects/contacts/{contact}/associations/companies"
        ))
        .await;
    let primary: Vec<String> = list(&now)
        .iter()
        .filter(|row| row["associationTypes"].to_string().contains("Primary"))
        .map(|row| row["toObjectId"].to_string())
        .collect();
    assert_eq!((list(&now).len(), primary), (2, vec![other.clone()]));
    let shown = site
        .get(&format!(
            "/crm/v3/objects/contacts/{contact}?properties=associatedcompanyid"
        ))
        .await;
    assert_eq!(shown["properties"]["associatedcompanyid"], json!(other));
    let labels = site
        .get("/crm/v4/associations/contacts/companies/labels")
        .await;
    assert_eq!(list(&labels).len(), 2);
    let (status, ..) = site
        .refused(
            Method::GET,
            &format!("/crm/v4/objects/companies/{company}/associations/feedback_submissions"),
            Value::Null,
        )
        .await;
    assert_eq!(status, 400, "surveys hang on people alone");
}

#[tokio::test]
async fn a_restart_meets_what_was_accepted_and_what_happened() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let folder = dir.path().to_owned();
    let first = site(|options| options.dir = Some(folder.clone())).await;
    let company = first.first_company().await;
    let definition = json!({ "name": "csops_key", "label": "Key", "type": "string", "fieldType": "text", "groupName": "task", "hasUniqueValue": true });
    first.post("/crm/v3/properties/tasks", definition).await;
    let made = first.new_task(json!({ "csops_key": "K-1" })).await;
    let id = text(&made["id"]).to_owned();
    let link = format!("/crm/v4/objects/tasks/{id}/associations/default/companies/{company}");
    first.send(Method::PUT, &link, Value::Null).await;
    let other = first.new_task(json!({})).await;
    let gone = format!("/crm/v3/objects/tasks/{}", text(&other["id"]));
    first.send(Method::DELETE, &gone, Value::Null).await;
    let row = first
        .simulation
        .world
        .accounts
        .iter()
        .position(|account| account.in_salesforce)
        .unwrap_or_default() as u32;
    for (number, change) in [
        Change::AccountRenamed {
            account: row,
            name: "Renamed AB".to_owned(),
        },
        Change::CaseOpened {
            account: row,
            contact: None,
            subject: "Sync has stopped".to_owned(),
            severity: 3,
            owner: 0,
        },
        Change::Health {
            account: row,
            score: 7,
        },
    ]
    .into_iter()
    .enumerate()
    {
        let number = number as u64 + 1;
        assert!(first.simulation.happen(number, change).is_ok());
    }
    let look = async |site: &Site| {
        let tickets = site
            .search("tickets", json!({ "query": "sync stopped", "filterGroups": [{ "filters": [{ "propertyName": "associations.company", "operator": "EQ", "value": company }] }] }))
            .await;
        (
            site.get(&format!(
                "/crm/v3/objects/tasks/{id}?properties=csops_key,hs_task_subject&associations=companies"
            ))
            .await,
            site.get(&format!(
                "/crm/v3/objects/companies/{company}?properties=name,health_score"
            ))
            .await,
            tickets,
            site.get("/crm/v3/objects/tasks?archived=true").await["results"].clone(),
        )
    };
    let before = look(&first).await;
    assert_eq!(before.1["properties"]["name"], "Renamed AB");
    assert_eq!(before.1["properties"]["health_score"], "7");
    assert!(before.2["total"].as_u64() >= Some(1));
    assert_eq!(first.simulation.writes("hubspot").len(), 5);
    drop(first);
    let second = site(|options| options.dir = Some(folder)).await;
    assert_eq!(look(&second).await, before);
    let next = second.new_task(json!({ "csops_key": "K-2" })).await;
    assert_ne!(next["id"], made["id"]);
    assert_ne!(next["id"], other["id"]);
}
