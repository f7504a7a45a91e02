//! Bulk jobs, of queries and of records.

use super::*;

#[test]
fn a_bulk_job_runs_and_pages() {
    let client = Client::new();
    let job = body(&client.post(
        "/jobs/query",
        json!({ "operation": "query", "query": "SELECT Id, Name, Owner.Name FROM Account" }),
    ));
    assert_eq!(
        (&job["state"], &job["object"], &job["apiVersion"]),
        (&json!("UploadComplete"), &json!("Account"), &json!(62.0))
    );
    let path = format!("/jobs/query/{}", job["id"].as_str().unwrap_or_default());
    assert_eq!(body(&client.get(&path))["state"], "InProgress");
    assert_eq!(body(&client.get(&path))["state"], "JobComplete");
    let total = client.count("SELECT COUNT() FROM Account");
    let (mut rows, mut locator) = (0, String::new());
    loop {
        let reply = client.get(&format!("{path}/results?maxRecords=40&locator={locator}"));
        let header = |name: &str| {
            reply
                .headers
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
                .unwrap_or_default()
        };
        let mut reader = csv::Reader::from_reader(reply.body.as_bytes());
        assert_eq!(
            reader
                .headers()
                .map(|row| row.iter().collect::<Vec<_>>().join(","))
                .unwrap_or_default(),
            "Id,Name,Owner.Name"
        );
        let here = reader.records().filter_map(Result::ok).count() as u64;
        assert_eq!(here.to_string(), header("Sforce-NumberOfRecords"));
        rows += here;
        locator = header("Sforce-Locator");
        if locator == "null" {
            break;
        }
    }
    assert_eq!(rows, total);
    let other = client.send(
        "GET",
        &format!("/services/data/v61.0{path}/results"),
        &[],
        &Json::Null,
    );
    assert_eq!(other.status, 409);
    assert_eq!(
        client
            .post(
                "/jobs/query",
                json!({ "operation": "query", "query": "SELECT COUNT(Id) FROM Account" })
            )
            .status,
        400
    );
    assert_eq!(
        code(&client.post(
            "/jobs/query",
            json!({ "operation": "query", "query": "SELECT Nope FROM Account" })
        )),
        "INVALID_FIELD"
    );
    assert_eq!(
        client
            .send("DELETE", &format!("{DATA}{path}"), &[], &Json::Null)
            .status,
        204
    );
    assert_eq!(client.get(&path).status, 404);
}

#[test]
fn an_ingest_job_takes_what_is_right_and_says_what_is_not() {
    let client = Client::new();
    let account =
        client.records("SELECT Id, External_Id__c FROM Account LIMIT 1")[0]["External_Id__c"]
            .as_str()
            .unwrap_or_default()
            .to_string();
    let job = body(&client.post("/jobs/ingest", json!({ "object": "Contact", "operation": "upsert", "externalIdFieldName": "External_Id__c" })));
    let path = format!("/jobs/ingest/{}", job["id"].as_str().unwrap_or_default());
    let mut upload = Request::new("PUT", &format!("{DATA}{path}/batches"));
    upload
        .headers
        .insert("authorization".into(), format!("Bearer {}", client.token));
    upload
        .headers
        .insert("content-type".into(), "text/csv".into());
    upload.body = format!("External_Id__c,LastName,Account.External_Id__c\nb-1,\"O'Hara, Jr\",{account}\nb-2,,{account}\n").into();
    assert_eq!(client.org.answer(&upload).status, 201);
    assert_eq!(
        body(&client.patch(&path, json!({ "state": "UploadComplete" })))["state"],
        "UploadComplete"
    );
    assert_eq!(client.get(&format!("{path}/failedResults")).status, 400);
    assert_eq!(body(&client.get(&path))["state"], "InProgress");
    let done = body(&client.get(&path));
    assert_eq!(
        (
            &done["state"],
            &done["numberRecordsProcessed"],
            &done["numberRecordsFailed"]
        ),
        (&json!("JobComplete"), &json!(2), &json!(1))
    );
    let good = client.get(&format!("{path}/successfulResults")).body;
    assert!(good.contains("\"true\",\"b-1\",\"O'Hara, Jr\""), "{good}");
    let bad = client.get(&format!("{path}/failedResults")).body;
    assert!(bad.contains("REQUIRED_FIELD_MISSING"), "{bad}");
    assert_eq!(client.count(&format!("SELECT COUNT() FROM Contact WHERE Account.External_Id__c = '{account}' AND External_Id__c = 'b-1'")), 1);
    assert_eq!(client.org.journal.writes().len(), 1);
}
