//! Making, changing and deleting records, one by one and several together.

use super::*;

#[test]
fn a_task_lives_and_dies() {
    let client = Client::new();
    let account = client.first_id("Account");
    let made = client.post(
        "/sobjects/Task/",
        json!({ "Subject": "Ring \"them\"\n=1+1", "WhatId": account, "External_Key__c": "k-1" }),
    );
    assert_eq!(made.status, 201, "{}", made.body);
    let id = body(&made)["id"].as_str().unwrap_or_default().to_string();
    let again = client.post(
        "/sobjects/Task",
        json!({ "Subject": "twice", "External_Key__c": "K-1" }),
    );
    assert_eq!(
        (again.status, code(&again).as_str()),
        (400, "DUPLICATE_VALUE")
    );
    let row = body(&client.get(&format!(
        "/sobjects/Task/{id}?fields=Status,AccountId,IsClosed,Owner.Name"
    )));
    assert_eq!(
        (
            &row["Status"],
            &row["AccountId"],
            &row["IsClosed"],
            &row["Owner"]["Name"]
        ),
        (
            &json!("Not Started"),
            &json!(account),
            &json!(false),
            &json!("Integration User")
        )
    );
    assert_eq!(
        client
            .patch(
                &format!("/sobjects/Task/{id}"),
                json!({ "Status": "Completed" })
            )
            .status,
        204
    );
    let row = body(&client.get(&format!("/sobjects/Task/{id}")));
    assert_eq!(row["IsClosed"], true);
    assert!(row["CompletedDateTime"].is_string());
    assert_eq!(
        client.count(&format!(
            "SELECT COUNT() FROM Task WHERE SystemModstamp >= 2026-03-02T09:00:00Z AND Id = '{id}'"
        )),
        1
    );
    assert_eq!(
        client
            .send(
                "DELETE",
                &format!("{DATA}/sobjects/Task/{id}"),
                &[],
                &Json::Null
            )
            .status,
        204
    );
    let gone = client.patch(
        &format!("/sobjects/Task/{id}"),
        json!({ "Status": "Completed" }),
    );
    assert_eq!(
        (gone.status, code(&gone).as_str()),
        (404, "ENTITY_IS_DELETED")
    );
    assert_eq!(
        client.count(&format!("SELECT COUNT() FROM Task WHERE Id = '{id}'")),
        0
    );
    let all = body(&client.get(&format!(
        "/queryAll?q={}",
        escape(&format!("SELECT Id, IsDeleted FROM Task WHERE Id = '{id}'"))
    )));
    assert_eq!(all["records"][0]["IsDeleted"], true);
    let deleted =
        body(&client.get(
            "/sobjects/Task/deleted/?start=2026-03-02T08:00:00%2B00:00&end=2026-03-02T09:30:00Z",
        ));
    assert_eq!(deleted["deletedRecords"][0]["id"], id, "{deleted}");
}

#[test]
fn writes_are_checked() {
    let client = Client::new();
    let account = client.first_id("Account");
    let contact = client.first_id("Contact");
    for (object, payload, expected) in [
        ("Task", json!({ "Colour": "red" }), "INVALID_FIELD"),
        (
            "Task",
            json!({ "IsClosed": true }),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
        ),
        (
            "Task",
            json!({ "ActivityDate": "tomorrow" }),
            "JSON_PARSER_ERROR",
        ),
        (
            "Task",
            json!({ "Subject": "x".repeat(256) }),
            "STRING_TOO_LONG",
        ),
        (
            "Task",
            json!({ "OwnerId": account }),
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        ("Task", json!({ "OwnerId": "005" }), "MALFORMED_ID"),
        (
            "Task",
            json!({ "OwnerId": "005Hs0zzzzzzzzz" }),
            "INVALID_CROSS_REFERENCE_KEY",
        ),
        (
            "Task",
            json!({ "WhatId": contact }),
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            "Opportunity",
            json!({ "Name": "x", "CloseDate": "2026-05-01" }),
            "REQUIRED_FIELD_MISSING",
        ),
        (
            "Opportunity",
            json!({ "Name": "x", "CloseDate": "2026-05-01", "StageName": "Maybe" }),
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ),
        (
            "Contact",
            json!({ "LastName": "x", "Email": "nobody" }),
            "INVALID_EMAIL_ADDRESS",
        ),
        (
            "Account",
            json!({ "Name": "x", "ARR__c": 1e17 }),
            "NUMBER_OUTSIDE_VALID_RANGE",
        ),
        (
            "User",
            json!({ "LastName": "x" }),
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        ),
    ] {
        let reply = client.post(&format!("/sobjects/{object}"), payload.clone());
        assert_eq!(
            (reply.status, code(&reply).as_str()),
            (400, expected),
            "{payload}: {}",
            reply.body
        );
    }
    assert_eq!(client.post("/sobjects/Nothing", json!({})).status, 404);
    let mut broken = Request::new("POST", &format!("{DATA}/sobjects/Task"));
    broken
        .headers
        .insert("authorization".into(), format!("Bearer {}", client.token));
    broken.body = "{\"Subject\": ".into();
    assert_eq!(code(&client.org.answer(&broken)), "JSON_PARSER_ERROR");
    assert!(client.org.journal.writes().is_empty());
}

#[test]
fn a_stage_takes_its_probability_and_forecast_along() {
    let client = Client::new();
    let id = client.records("SELECT Id FROM Opportunity WHERE IsClosed = false LIMIT 1")[0]["Id"]
        .as_str()
        .unwrap_or_default()
        .to_string();
    let row = || body(&client.get(&format!("/sobjects/Opportunity/{id}")));
    assert_eq!(
        client
            .patch(
                &format!("/sobjects/Opportunity/{id}"),
                json!({ "StageName": "Discovery", "Amount": 1000.5 })
            )
            .status,
        204
    );
    assert_eq!(
        (
            &row()["Probability"],
            &row()["ForecastCategoryName"],
            &row()["ForecastCategory"]
        ),
        (&json!(25.0), &json!("Pipeline"), &json!("Pipeline"))
    );
    let both = json!({ "StageName": "Proposal/Price Quote", "ForecastCategoryName": "Commit", "CloseDate": "2026-09-30" });
    assert_eq!(
        client
            .patch(&format!("/sobjects/Opportunity/{id}"), both)
            .status,
        204
    );
    assert_eq!(
        (
            &row()["Probability"],
            &row()["ForecastCategory"],
            &row()["Fiscal"]
        ),
        (&json!(60.0), &json!("Forecast"), &json!("2026 3"))
    );
    assert_eq!(
        client
            .patch(
                &format!("/sobjects/Opportunity/{id}"),
                json!({ "StageName": "Closed Won" })
            )
            .status,
        204
    );
    assert_eq!(
        (
            &row()["IsClosed"],
            &row()["IsWon"],
            &row()["ExpectedRevenue"]
        ),
        (&json!(true), &json!(true), &json!(1000.5))
    );
}

#[test]
fn an_upsert_creates_once() {
    let client = Client::new();
    let target = "/sobjects/Task/External_Key__c/a%2Fb";
    assert_eq!(
        client
            .patch(
                &format!("{target}?updateOnly=true"),
                json!({ "Subject": "one" })
            )
            .status,
        404
    );
    let first = client.patch(target, json!({ "Subject": "one" }));
    assert_eq!(
        (first.status, &body(&first)["created"]),
        (201, &json!(true)),
        "{}",
        first.body
    );
    let second = client.patch(target, json!({ "Subject": "two" }));
    assert_eq!(
        (second.status, &body(&second)["id"]),
        (200, &body(&first)["id"])
    );
    assert_eq!(body(&client.get(target))["Subject"], "two");
    assert_eq!(
        client
            .patch(target, json!({ "External_Key__c": "a/b" }))
            .status,
        400
    );
    assert_eq!(
        client.patch("/sobjects/Task/Subject/x", json!({})).status,
        404
    );
}

#[test]
fn conditions_in_headers_guard_a_record() {
    let client = Client::new();
    let id = client.first_id("Account");
    let target = format!("{DATA}/sobjects/Account/{id}");
    let reply = client.send("GET", &target, &[], &Json::Null);
    let etag = reply
        .headers
        .iter()
        .find(|(name, _)| name == "ETag")
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    assert!(!etag.is_empty());
    assert_eq!(
        client
            .send("GET", &target, &[("if-none-match", &etag)], &Json::Null)
            .status,
        304
    );
    let long_ago = "Tue, 01 Jan 2019 00:00:00 GMT";
    assert_eq!(
        client
            .send(
                "PATCH",
                &target,
                &[("if-unmodified-since", long_ago)],
                &json!({ "Rating": "Hot" })
            )
            .status,
        412
    );
    assert_eq!(
        client
            .send(
                "PATCH",
                &target,
                &[("if-unmodified-since", "yesterday")],
                &json!({ "Rating": "Hot" })
            )
            .status,
        400
    );
    assert_eq!(
        client
            .send(
                "PATCH",
                &target,
                &[("if-match", &etag)],
                &json!({ "Rating": "Hot" })
            )
            .status,
        204
    );
    assert_eq!(
        client
            .send(
                "PATCH",
                &target,
                &[("if-match", &etag)],
                &json!({ "Rating": "Cold" })
            )
            .status,
        412
    );
    let task = format!("{DATA}/sobjects/Task/{}", client.first_id("Task"));
    assert!(
        client
            .send("GET", &task, &[], &Json::Null)
            .headers
            .iter()
            .all(|(name, _)| name != "ETag")
    );
    assert_eq!(
        client
            .send(
                "GET",
                &task,
                &[("if-modified-since", "Sun, 01 Mar 2026 23:59:59 GMT")],
                &Json::Null
            )
            .status,
        304
    );
}

#[test]
fn a_composite_is_all_or_none() {
    let client = Client::new();
    let before = client.count("SELECT COUNT() FROM Account");
    let request = |last: Json, whole: bool| {
        json!({ "allOrNone": whole, "compositeRequest": [
            { "method": "POST", "url": format!("{DATA}/sobjects/Account"), "referenceId": "acc", "body": { "Name": "Composite" } },
            { "method": "POST", "url": format!("{DATA}/sobjects/Contact"), "referenceId": "con", "body": { "LastName": "One", "AccountId": "@{acc.id}" } },
            { "method": "GET", "url": format!("{DATA}/sobjects/Account/@{{acc.id}}?fields=Name"), "referenceId": "read" },
            { "method": "POST", "url": format!("{DATA}/sobjects/Contact"), "referenceId": "bad", "body": last },
        ]})
    };
    let reply = body(&client.post(
        "/composite",
        request(json!({ "FirstName": "No last name" }), true),
    ));
    let results = &reply["compositeResponse"];
    assert_eq!(
        results[0]["body"][0]["errorCode"], "PROCESSING_HALTED",
        "{reply}"
    );
    assert_eq!(results[3]["body"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!(client.count("SELECT COUNT() FROM Account"), before);
    assert!(client.org.journal.writes().is_empty());
    let reply = body(&client.post(
        "/composite",
        request(
            json!({ "LastName": "Two", "AccountId": "@{read.Id}" }),
            true,
        ),
    ));
    let results = &reply["compositeResponse"];
    assert_eq!(
        (&results[2]["body"]["Name"], &results[3]["httpStatusCode"]),
        (&json!("Composite"), &json!(201)),
        "{reply}"
    );
    assert_eq!(
        client.count("SELECT COUNT() FROM Contact WHERE Account.Name = 'Composite'"),
        2
    );
    let many: Vec<Json> = (0..26).map(|n| json!({ "method": "GET", "url": format!("{DATA}/limits"), "referenceId": format!("r{n}") })).collect();
    assert_eq!(
        client
            .post("/composite", json!({ "compositeRequest": many }))
            .status,
        400
    );
    let batch = json!({ "haltOnError": true, "batchRequests": [
        { "method": "GET", "url": "v62.0/sobjects/Account/describe" }, { "method": "GET", "url": "v62.0/sobjects/Nope" }, { "method": "GET", "url": "v62.0/limits" } ]});
    let reply = body(&client.post("/composite/batch", batch));
    let statuses: Vec<_> = reply["results"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|result| result["statusCode"].clone())
        .collect();
    assert_eq!(
        (&reply["hasErrors"], statuses),
        (&json!(true), vec![json!(200), json!(404), json!(412)])
    );
}

#[test]
fn collections_answer_in_order() {
    let client = Client::new();
    let records = |whole: bool| {
        json!({ "allOrNone": whole, "records": [
        { "attributes": { "type": "Task" }, "Subject": "a" }, { "attributes": { "type": "Task" }, "Nope": 1 }, { "attributes": { "type": "Account" }, "Name": "b" } ]})
    };
    let reply = body(&client.post("/composite/sobjects", records(true)));
    assert_eq!(
        reply[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "{reply}"
    );
    let reply = body(&client.post("/composite/sobjects", records(false)));
    assert_eq!(
        (
            &reply[0]["success"],
            &reply[1]["errors"][0]["statusCode"],
            &reply[2]["success"]
        ),
        (&json!(true), &json!("INVALID_FIELD"), &json!(true))
    );
    let (task, account) = (reply[0]["id"].clone(), reply[2]["id"].clone());
    let patch = json!({ "records": [{ "attributes": { "type": "Task" }, "id": task, "Status": "Completed" }, { "attributes": { "type": "Task" }, "id": account, "Status": "Completed" }] });
    let reply = body(&client.patch("/composite/sobjects", patch));
    assert_eq!(
        (&reply[0]["success"], &reply[1]["success"]),
        (&json!(true), &json!(false)),
        "{reply}"
    );
    let read = body(&client.post(
        "/composite/sobjects/Task",
        json!({ "ids": [task, "00THs0zzzzzzzzz"], "fields": ["Status"] }),
    ));
    assert_eq!(
        (&read[0]["Status"], &read[1]),
        (&json!("Completed"), &Json::Null)
    );
    let many: Vec<Json> = (0..201)
        .map(|_| json!({ "attributes": { "type": "Task" }, "Subject": "x" }))
        .collect();
    assert_eq!(
        client
            .post("/composite/sobjects", json!({ "records": many }))
            .status,
        400
    );
    let mixed: Vec<Json> = (0..11).map(|n| json!({ "attributes": { "type": if n % 2 == 0 { "Task" } else { "Account" } }, "Name": "x" })).collect();
    assert_eq!(
        client
            .post("/composite/sobjects", json!({ "records": mixed }))
            .status,
        400
    );
    let gone = body(&client.send(
        "DELETE",
        &format!(
            "{DATA}/composite/sobjects?ids={},xyz&allOrNone=false",
            task.as_str().unwrap_or_default()
        ),
        &[],
        &Json::Null,
    ));
    assert_eq!(
        (&gone[0]["success"], &gone[1]["errors"][0]["statusCode"]),
        (&json!(true), &json!("MALFORMED_ID"))
    );
}

#[test]
fn a_second_start_meets_the_same_org() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let open = || Journal::open(dir.path(), "salesforce").unwrap_or_else(|error| panic!("{error}"));
    let (journal, _) = open();
    let client = Client::on(org(journal.clone(), Vec::new()));
    let account = client.first_id("Account");
    let made = body(&client.post(
        "/sobjects/Case",
        json!({ "Subject": "s", "AccountId": account, "Comments": "why" }),
    ))["id"]
        .as_str()
        .unwrap_or_default()
        .to_string();
    let event = WorldEvent {
        number: 1,
        at: "2026-03-02T09:05:00Z".parse().unwrap_or_default(),
        change: Change::CaseOpened {
            account: 0,
            contact: None,
            subject: "live".into(),
            severity: 3,
            owner: 0,
        },
    };
    client.org.live(&event);
    assert!(journal.append(&Entry::Live(event)).is_ok());
    client.patch(
        &format!("/sobjects/Case/{made}"),
        json!({ "Status": "Closed" }),
    );
    client.send(
        "DELETE",
        &format!("{DATA}/sobjects/Task/{}", client.first_id("Task")),
        &[],
        &Json::Null,
    );
    let everything = |client: &Client| {
        ["Case", "Task", "CaseComment"].map(|object| {
            let deleted = client.get(&format!("/queryAll?q={}", escape(&format!("SELECT FIELDS(ALL) FROM {object} WHERE LastModifiedDate >= 2026-03-02T00:00:00Z LIMIT 200"))));
            body(&deleted)["records"].clone()
        })
    };
    let before = everything(&client);
    assert_eq!(before[0].as_array().map(Vec::len), Some(2), "{}", before[0]);
    let (journal, replay) = open();
    let again = Client::on(org(journal, replay));
    assert_eq!(everything(&again), before);
    let next = body(&again.post("/sobjects/Case", json!({ "Subject": "t" })))["id"].clone();
    assert_ne!(next, made);
}
