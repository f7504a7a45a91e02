//! The org under its tests, by requests without a network.

use std::sync::Arc;

use jiff::{Timestamp, civil::date};
use serde_json::{Value as Json, json};

use super::http::{Reply, Request};
use super::{CLIENT_ID, CLIENT_SECRET, Org};
use crate::simulate::clock::SimClock;
use crate::simulate::journal::{Entry, Journal};
use crate::simulate::world::{Change, World, WorldEvent};
use crate::simulate::{Limits, Vendor, VendorContext};

const DATA: &str = "/services/data/v62.0";

struct Client {
    org: Org,
    token: String,
}

fn org(journal: Journal, replay: Vec<Entry>) -> Org {
    let anchor = date(2026, 3, 2);
    let world = Arc::new(World::generate(7, anchor, 120));
    let start: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap_or_default();
    let context = VendorContext {
        world,
        clock: SimClock::new(Arc::new(move || start)),
        journal,
        replay,
        base_url: "http://127.0.0.1:1".into(),
        limits: Limits::default(),
    };
    Org::new(context).unwrap_or_else(|error| panic!("{error}"))
}

impl Client {
    fn new() -> Client {
        Client::on(org(Journal::in_memory(), Vec::new()))
    }

    fn on(org: Org) -> Client {
        let mut client = Client {
            org,
            token: String::new(),
        };
        let reply = client.form(&[
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
        ]);
        client.token = body(&reply)["access_token"]
            .as_str()
            .unwrap_or_default()
            .to_string();
        client
    }

    fn form(&self, fields: &[(&str, &str)]) -> Reply {
        let mut request = Request::new("POST", "/services/oauth2/token");
        request.body = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", escape(value)))
            .collect::<Vec<_>>()
            .join("&")
            .into();
        self.org.answer(&request)
    }

    fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], payload: &Json) -> Reply {
        let mut request = Request::new(method, target);
        request
            .headers
            .insert("authorization".into(), format!("Bearer {}", self.token));
        for (name, value) in headers {
            request.headers.insert((*name).into(), (*value).into());
        }
        if !payload.is_null() {
            request.body = payload.to_string().into();
        }
        self.org.answer(&request)
    }

    fn get(&self, target: &str) -> Reply {
        self.send("GET", &format!("{DATA}{target}"), &[], &Json::Null)
    }

    fn post(&self, target: &str, payload: Json) -> Reply {
        self.send("POST", &format!("{DATA}{target}"), &[], &payload)
    }

    fn patch(&self, target: &str, payload: Json) -> Reply {
        self.send("PATCH", &format!("{DATA}{target}"), &[], &payload)
    }

    /// The answer of a query that must be accepted.
    fn query(&self, soql: &str) -> Json {
        let reply = self.get(&format!("/query?q={}", escape(soql)));
        assert_eq!(reply.status, 200, "{soql}: {}", reply.body);
        body(&reply)
    }

    fn records(&self, soql: &str) -> Vec<Json> {
        self.query(soql)["records"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    fn count(&self, soql: &str) -> u64 {
        self.query(soql)["totalSize"].as_u64().unwrap_or(u64::MAX)
    }

    /// The code and message of a query that must be refused.
    fn refused(&self, soql: &str) -> (String, String) {
        let reply = self.get(&format!("/query?q={}", escape(soql)));
        assert_eq!(reply.status, 400, "{soql}: {}", reply.body);
        let error = body(&reply)[0].clone();
        (
            error["errorCode"].as_str().unwrap_or_default().to_string(),
            error["message"].as_str().unwrap_or_default().to_string(),
        )
    }

    fn first_id(&self, object: &str) -> String {
        self.records(&format!("SELECT Id FROM {object} ORDER BY Id LIMIT 1"))[0]["Id"]
            .as_str()
            .unwrap_or_default()
            .to_string()
    }
}

fn body(reply: &Reply) -> Json {
    serde_json::from_str(&reply.body).unwrap_or(Json::Null)
}

fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn code(reply: &Reply) -> String {
    body(reply)[0]["errorCode"]
        .as_str()
        .unwrap_or_default()
        .to_string()
}

#[test]
fn a_query_gives_paths_in_the_order_asked() {
    let client = Client::new();
    let reply = client.get(&format!(
        "/query/?q={}",
        escape("select name, owner.name, Id, CSM__r.Email from account order by name limit 2")
    ));
    let text = reply.body;
    assert!(text.starts_with("{\"totalSize\":2,\"done\":true,\"records\":[{\"attributes\":{\"type\":\"Account\",\"url\":\"/services/data/v62.0/sobjects/Account/001"), "{text}");
    assert!(
        text.find("\"Name\"").unwrap_or(0)
            < text
                .find("\"Owner\":{\"attributes\":{\"type\":\"User\"")
                .unwrap_or(0),
        "{text}"
    );
    assert!(text.contains("\"CSM__r\":{\"attributes\""));
}

#[test]
fn conditions_mean_what_they_say() {
    let client = Client::new();
    let all = client.count("SELECT COUNT() FROM Account");
    assert!(all > 100);
    let smb = client.count("SELECT COUNT() FROM Account WHERE Segment__c = 'smb'");
    assert!(smb > 0 && smb < all);
    assert_eq!(
        client.count("SELECT COUNT() FROM Account WHERE NOT Segment__c = 'SMB'"),
        all - smb
    );
    assert_eq!(client.count("SELECT COUNT() FROM Account WHERE Segment__c IN ('SMB') OR (Segment__c != 'SMB' AND Name != null)"), all);
    assert_eq!(
        client.count("SELECT COUNT() FROM Account WHERE Segment__c NOT IN ('SMB')"),
        all - smb
    );
    let name = client.records("SELECT Name FROM Account LIMIT 1")[0]["Name"]
        .as_str()
        .unwrap_or_default()
        .to_string();
    let start: String = name.chars().take(4).collect::<String>().to_uppercase();
    assert!(
        client.count(&format!(
            "SELECT COUNT() FROM Account WHERE Name LIKE '{start}%'"
        )) >= 1
    );
    let open = client.count("SELECT COUNT() FROM Opportunity WHERE IsClosed = false");
    let soon = client.count(
        "SELECT COUNT() FROM Opportunity WHERE IsClosed = false AND CloseDate = NEXT_N_DAYS:90",
    );
    assert!(soon > 0 && soon < open);
    assert_eq!(
        client.count("SELECT COUNT() FROM Opportunity WHERE IsClosed = false AND CloseDate >= 2026-03-03 AND CloseDate < 2026-06-01"),
        soon
    );
    let with = client.count("SELECT COUNT() FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity WHERE StageName = 'Closed Lost')");
    let without = client.count("SELECT COUNT() FROM Account WHERE Id NOT IN (SELECT AccountId FROM Opportunity WHERE StageName = 'Closed Lost')");
    assert!(with > 0);
    assert_eq!(with + without, all);
    assert_eq!(client.count("SELECT COUNT() FROM Account WHERE Products__c INCLUDES ('Core;Analytics', 'Automation')"),
        client.count("SELECT COUNT() FROM Account WHERE Products__c INCLUDES ('Analytics') OR Products__c INCLUDES ('Automation')"));
    assert!(
        client
            .count("SELECT COUNT() FROM Task WHERE What.Type = 'Account' AND Who.Name LIKE '%a%'")
            > 0
    );
    assert_eq!(
        client.count("SELECT COUNT() FROM Opportunity WHERE Amount > USD0"),
        client.count("SELECT COUNT() FROM Opportunity WHERE Amount > 0")
    );
}

#[test]
fn groups_children_and_functions() {
    let client = Client::new();
    let rows = client.records("SELECT Segment__c, COUNT(Id) n, SUM(ARR__c) FROM Account GROUP BY Segment__c HAVING COUNT(Id) > 0 ORDER BY COUNT(Id) DESC");
    assert!(rows.len() >= 3, "{rows:?}");
    assert_eq!(rows[0]["attributes"]["type"], "AggregateResult");
    let total: i64 = rows.iter().filter_map(|row| row["n"].as_i64()).sum();
    assert_eq!(total as u64, client.count("SELECT COUNT() FROM Account"));
    assert!(rows[0]["expr0"].is_f64());
    let years = client.records("SELECT CALENDAR_YEAR(CloseDate) y, COUNT_DISTINCT(AccountId) FROM Opportunity GROUP BY CALENDAR_YEAR(CloseDate) ORDER BY CALENDAR_YEAR(CloseDate)");
    assert!(years.len() >= 3);
    let account = client.records("SELECT Id, (SELECT Id, LastName FROM Contacts ORDER BY LastName) FROM Account WHERE Id IN (SELECT AccountId FROM Contact) LIMIT 1");
    let size = account[0]["Contacts"]["totalSize"].as_u64().unwrap_or(0);
    assert!(size > 0);
    let id = account[0]["Id"].as_str().unwrap_or_default();
    assert_eq!(
        size,
        client.count(&format!(
            "SELECT COUNT() FROM Contact WHERE AccountId = '{id}'"
        ))
    );
    assert_eq!(
        size,
        client.count(&format!(
            "SELECT COUNT() FROM Contact WHERE Account.Id = '{}'",
            &id[..15]
        ))
    );
    assert!(
        client.records("SELECT FIELDS(STANDARD) FROM Account LIMIT 1")[0]
            .get("ARR__c")
            .is_none()
    );
    assert!(
        client.records("SELECT FIELDS(ALL) FROM Account LIMIT 200")[0]
            .get("ARR__c")
            .is_some()
    );
    let what = client.records("SELECT TYPEOF What WHEN Account THEN Industry, Owner.Name ELSE Name END FROM Task WHERE WhatId != null LIMIT 1");
    assert!(what[0]["What"]["Industry"].is_string());
}

#[test]
fn wrong_queries_are_refused_in_the_vendors_words() {
    let client = Client::new();
    for (soql, expected, part) in [
        (
            "SELECT Id FORM Account",
            "MALFORMED_QUERY",
            "unexpected token: 'Account'",
        ),
        ("", "MALFORMED_QUERY", ""),
        (
            "SELECT Id FROM Nothing__c",
            "INVALID_TYPE",
            "sObject type 'Nothing__c' is not supported",
        ),
        (
            "SELECT Id, Colour__c FROM Account",
            "INVALID_FIELD",
            "No such column 'Colour__c' on entity 'Account'",
        ),
        (
            "SELECT Id, Boss.Name FROM Account",
            "INVALID_FIELD",
            "Didn't understand relationship 'Boss'",
        ),
        (
            "SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        (
            "SELECT Id FROM Account WHERE ARR__c = 'much'",
            "INVALID_FIELD",
            "must be of type double and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 5",
            "INVALID_FIELD",
            "must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        (
            "SELECT Id FROM Opportunity WHERE CloseDate > 2026-01-01T00:00:00Z",
            "INVALID_FIELD",
            "must be of type date ",
        ),
        (
            "SELECT Id FROM Task WHERE Description LIKE 'a%'",
            "INVALID_FIELD",
            "can not be filtered",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 'it''s'",
            "MALFORMED_QUERY",
            "",
        ),
        (
            "SELECT Id FROM Account WHERE Name = 'open",
            "MALFORMED_QUERY",
            "",
        ),
        (
            "SELECT Id FROM Account WHERE Id = 'abc'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: abc",
        ),
        (
            "SELECT Id FROM Account OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
            "2000",
        ),
        (
            "SELECT Name, COUNT(Id) FROM Account",
            "MALFORMED_QUERY",
            "Field must be grouped or aggregated: Name",
        ),
        (
            "SELECT FIELDS(ALL) FROM Account",
            "MALFORMED_QUERY",
            "LIMIT of at most 200",
        ),
        (
            "SELECT Id, Id FROM Account",
            "INVALID_FIELD",
            "duplicate field selected: Id",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate = LAST_CENTURY",
            "MALFORMED_QUERY",
            "LAST_CENTURY",
        ),
        ("SELECT Id FROM Account LIMIT", "MALFORMED_QUERY", "<EOF>"),
        (
            "SELECT Id n FROM Account",
            "MALFORMED_QUERY",
            "only aggregate expressions use field aliasing",
        ),
        (
            "SELECT (SELECT Id FROM Horses) FROM Account",
            "INVALID_TYPE",
            "Didn't understand relationship 'Horses'",
        ),
        (
            "SELECT Id FROM Account; DROP TABLE Account",
            "MALFORMED_QUERY",
            "';'",
        ),
        (
            "SELECT Id, FROM Account",
            "MALFORMED_QUERY",
            "unexpected token: 'FROM'",
        ),
        (
            "SELECT FROM Account",
            "MALFORMED_QUERY",
            "unexpected token: 'FROM'",
        ),
        (
            "SELECT What.Name, TYPEOF What WHEN Account THEN Name END FROM Task",
            "MALFORMED_QUERY",
            "selected twice",
        ),
        ("SELECT * FROM Account", "MALFORMED_QUERY", "'*'"),
    ] {
        let (code, message) = client.refused(soql);
        assert_eq!(code, expected, "{soql}: {message}");
        assert!(message.contains(part), "{soql}: {message}");
    }
    let deep = format!(
        "SELECT Id FROM Account WHERE {}Name = 'a'{}",
        "(".repeat(5000),
        ")".repeat(5000)
    );
    assert_eq!(client.refused(&deep).0, "MALFORMED_QUERY");
    let (_, message) = client.refused("SELECT Id, Colour__c FROM Account");
    assert!(
        message.contains("\n           ^\nERROR at Row:1:Column:12\n"),
        "{message}"
    );
}

#[test]
fn pages_follow_and_locators_expire() {
    let client = Client::new();
    let mut page = body(&client.send(
        "GET",
        &format!("{DATA}/query?q={}", escape("SELECT Id FROM Task")),
        &[("sforce-query-options", "batchSize=200")],
        &Json::Null,
    ));
    let total = page["totalSize"].as_u64().unwrap_or(0);
    assert!(total > 200, "{total}");
    let first = page["nextRecordsUrl"]
        .as_str()
        .unwrap_or_default()
        .to_string();
    let mut ids = std::collections::HashSet::new();
    loop {
        ids.extend(
            page["records"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|row| row["Id"].to_string()),
        );
        let Some(next) = page["nextRecordsUrl"].as_str() else {
            break;
        };
        page = body(&client.send(
            "GET",
            next,
            &[("sforce-query-options", "batchSize=200")],
            &Json::Null,
        ));
    }
    assert_eq!(ids.len() as u64, total);
    assert_eq!(page["done"], true);
    assert_eq!(
        client
            .org
            .answer(&Request::new("POST", "/__sim/salesforce/expire-locators"))
            .status,
        204
    );
    assert_eq!(
        code(&client.send("GET", &first, &[], &Json::Null)),
        "INVALID_QUERY_LOCATOR"
    );
}

#[test]
fn a_keyset_walk_meets_every_record_once() {
    let client = Client::new();
    let all = client.count("SELECT COUNT() FROM Case");
    let (mut stamp, mut id, mut seen) = (
        "1900-01-01T00:00:00Z".to_string(),
        "500000000000000".to_string(),
        0,
    );
    loop {
        let rows = client.records(&format!(
            "SELECT Id, SystemModstamp FROM Case WHERE SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{id}') ORDER BY SystemModstamp, Id LIMIT 50"
        ));
        let Some(last) = rows.last() else { break };
        seen += rows.len() as u64;
        stamp = last["SystemModstamp"]
            .as_str()
            .unwrap_or_default()
            .to_string();
        id = last["Id"].as_str().unwrap_or_default().to_string();
    }
    assert_eq!(seen, all);
}

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

#[test]
fn describes_fit_the_records() {
    let client = Client::new();
    let global = body(&client.get("/sobjects/"));
    for object in global["sobjects"].as_array().into_iter().flatten() {
        let name = object["name"].as_str().unwrap_or_default();
        let described = body(&client.get(&format!("/sobjects/{name}/describe")));
        let fields: Vec<&str> = described["fields"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|field| field["name"].as_str())
            .collect();
        assert!(fields.len() > 5, "{name}");
        client.query(&format!("SELECT {} FROM {name} LIMIT 3", fields.join(",")));
    }
    let reply = client.send(
        "GET",
        &format!("{DATA}/sobjects/Account/describe"),
        &[("if-modified-since", "Tue, 03 Mar 2026 00:00:00 GMT")],
        &Json::Null,
    );
    assert_eq!(reply.status, 304);
}

/// A new pair of RSA keys in PEM: private, public.
fn key_pair() -> (String, String) {
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap_or_else(|error| panic!("{error}"));
    (pair.serialize_pem(), pair.public_key_pem())
}

#[test]
fn tokens_are_earned_and_expire() {
    let client = Client::new();
    assert_eq!(
        client
            .form(&[
                ("grant_type", "client_credentials"),
                ("client_id", CLIENT_ID),
                ("client_secret", "wrong")
            ])
            .status,
        400
    );
    assert_eq!(
        body(&client.form(&[
            ("grant_type", "password"),
            ("username", "dana@example.com"),
            ("password", "x")
        ]))["error"],
        "invalid_grant"
    );
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    let sign = |key: &str, sub: &str, aud: &str, exp: u64| {
        let key = jsonwebtoken::EncodingKey::from_rsa_pem(key.as_bytes())
            .unwrap_or_else(|error| panic!("{error}"));
        let claims = json!({ "iss": CLIENT_ID, "sub": sub, "aud": aud, "exp": exp });
        jsonwebtoken::encode(
            &jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256),
            &claims,
            &key,
        )
        .unwrap_or_default()
    };
    let ask = |assertion: &str| {
        body(&client.form(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion),
        ]))
    };
    let login = "https://login.salesforce.com";
    let ((private, public), (stranger, _)) = (key_pair(), key_pair());
    assert_eq!(
        ask(&sign(&private, "dana@example.com", login, now + 100))["error"],
        "invalid_grant",
        "no key is registered yet"
    );
    let mut register = Request::new("PUT", "/__sim/salesforce/jwt-key");
    register.body = public.into();
    assert_eq!(client.org.answer(&register).status, 204);
    assert!(ask(&sign(&private, "dana@example.com", login, now + 100))["access_token"].is_string());
    for bad in [
        sign(&stranger, "dana@example.com", login, now + 100),
        sign(&private, "nobody@example.com", login, now + 100),
        sign(
            &private,
            "dana@example.com",
            "https://example.com",
            now + 100,
        ),
        sign(&private, "dana@example.com", login, now - 1000),
        sign(&private, "dana@example.com", login, now + 86_400),
        "a.b.c".to_string(),
    ] {
        assert_eq!(ask(&bad)["error"], "invalid_grant");
    }
    // The web server flow with PKCE gives a refresh token, which rotates when told so.
    let reply = client.org.answer(&Request::new("GET", &format!(
        "/services/oauth2/authorize?response_type=code&client_id={CLIENT_ID}&redirect_uri=http%3A%2F%2Flocalhost%2Fcb&state=s&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")));
    let location = reply
        .headers
        .iter()
        .find(|(name, _)| name == "Location")
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    let code_text = location
        .split("code=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .unwrap_or_default()
        .to_string();
    let exchange = |verifier: &str| {
        body(&client.form(&[
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("code", &code_text),
            ("redirect_uri", "http://localhost/cb"),
            ("code_verifier", verifier),
        ]))
    };
    let granted = exchange("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let refresh = granted["refresh_token"]
        .as_str()
        .unwrap_or_default()
        .to_string();
    assert!(!refresh.is_empty(), "{granted}");
    assert_eq!(
        exchange("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")["error"],
        "invalid_grant"
    );
    let mut settings = Request::new("PUT", "/__sim/salesforce/settings");
    settings.body = json!({ "rotate_refresh_tokens": true }).to_string().into();
    client.org.answer(&settings);
    let renew = |token: &str| {
        body(&client.form(&[
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("refresh_token", token),
        ]))
    };
    let renewed = renew(&refresh);
    assert!(renewed["refresh_token"].is_string() && renewed["access_token"].is_string());
    assert_eq!(renew(&refresh)["error"], "invalid_grant");
    client.org.expire_tokens();
    let reply = client.get("/limits");
    assert_eq!(
        (reply.status, code(&reply).as_str()),
        (401, "INVALID_SESSION_ID")
    );
}

#[test]
fn the_daily_limit_is_kept() {
    let client = Client::new();
    let reply = client.get("/limits");
    assert!(
        reply
            .headers
            .contains(&("Sforce-Limit-Info".into(), "api-usage=1/100000".into())),
        "{:?}",
        reply.headers
    );
    let mut settings = Request::new("PUT", "/__sim/salesforce/settings");
    settings.body = json!({ "daily_limit": 2 }).to_string().into();
    client.org.answer(&settings);
    assert_eq!(client.get("/limits").status, 200);
    let reply = client.get("/limits");
    assert_eq!(
        (reply.status, code(&reply).as_str()),
        (403, "REQUEST_LIMIT_EXCEEDED")
    );
    assert_eq!(
        client
            .org
            .answer(&Request::new("GET", "/services/data/"))
            .status,
        200
    );
    assert_eq!(
        client
            .send("GET", "/services/data/v12.0/limits", &[], &Json::Null)
            .status,
        403
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

proptest::proptest! {
    /// No text makes the parser fall; what it refuses it refuses with a code.
    #[test]
    fn any_text_is_answered(words in proptest::collection::vec(proptest::sample::select(vec![
        "SELECT", "Id", "Name", ",", "FROM", "Account", "WHERE", "(", ")", "AND", "OR", "NOT", "=", "<", "!=", "IN", "LIKE", "'a%'", "'é\\'",
        "null", "TRUE", "12", "-1.5e3", "2026-01-01", "2026-01-01T00:00:00Z", "LAST_N_YEARS:99999", "N_DAYS_AGO:7", "ORDER", "BY", "LIMIT",
        "OFFSET", "COUNT()", "COUNT(Id)", "GROUP", "HAVING", "Owner.Name", "FIELDS(ALL)", "TYPEOF", "USD5", "\u{202e}", "日本", "'", ".", "\n",
    ]), 0..24)) {
        let schema = super::catalog::schema(vec![("USD", 1.0)]);
        let text = words.join(" ");
        if let Err(failure) = super::soql::prepare(&schema, &text, 0) {
            proptest::prop_assert_eq!(failure.status, 400);
        }
        let tail = format!("SELECT Id FROM Account WHERE {text}");
        if let Err(failure) = super::soql::prepare(&schema, &tail, 0) {
            proptest::prop_assert_eq!(failure.status, 400);
        }
    }
}
