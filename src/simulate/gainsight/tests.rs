//! Over real HTTP: what clients of the vendor rely on.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::simulate::world::Change;
use crate::simulate::{AuthDetails, Limits, Options, Simulation, start};

struct Site {
    simulation: Simulation,
    client: Client,
    key: String,
}

async fn site(change: impl FnOnce(&mut Options)) -> Site {
    let mut options = Options {
        vendors: vec!["gainsight".to_owned()],
        anchor: Some(date(2026, 11, 22)),
        freeze: true,
        now: Arc::new(|| {
            "2026-11-22T09:00:00Z"
                .parse::<Timestamp>()
                .unwrap_or_default()
        }),
        limits: Limits {
            gainsight_per_minute: 100_000,
            ..Limits::default()
        },
        ..Options::default()
    };
    change(&mut options);
    let simulation = start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let AuthDetails::Header { name, value } = simulation.vendors[0].auth.clone() else {
        panic!("no header")
    };
    assert_eq!(name, "accesskey");
    let client = Client::builder()
        .tls_certs_only([])
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    Site {
        simulation,
        client,
        key: value,
    }
}

impl Site {
    async fn send(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.simulation.vendors[0].base_url);
        let answer = self
            .client
            .request(method, url)
            .header("accesskey", &self.key)
            .json(&body)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let status = answer.status();
        (
            status,
            answer
                .json()
                .await
                .unwrap_or_else(|error| panic!("{path}: {error}")),
        )
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(Method::POST, path, body).await;
        assert_eq!(
            (status, &answer["result"]),
            (StatusCode::OK, &json!(true)),
            "{path}: {answer}"
        );
        answer["data"].clone()
    }

    async fn query(&self, object: &str, body: Value) -> Vec<Value> {
        let data = self
            .post(&format!("/v1/data/objects/query/{object}"), body)
            .await;
        data.as_array()
            .or_else(|| data["records"].as_array())
            .cloned()
            .unwrap_or_else(|| panic!("{data}"))
    }

    async fn companies(&self) -> Vec<Value> {
        self.query(
            "Company",
            json!({ "select": ["Gsid", "Name", "Csm", "ModifiedDate", "SfdcAccountId"] }),
        )
        .await
    }

    async fn new_cta(&self, company: &str, owner: &str, comments: &str) -> String {
        let record = json!({ "referenceId": "r1", "Name": "Usage fell", "CompanyId": company, "OwnerId": owner, "DueDate": "2026-12-01",
            "type": "Risk", "reason": "Low Adoption", "status": "New", "priority": "High", "Comments": comments });
        let made = self
            .post(
                "/v2/cockpit/cta/",
                json!({ "requests": [{ "record": record }] }),
            )
            .await;
        made["success"][0]["r1"]
            .as_str()
            .unwrap_or_else(|| panic!("{made}"))
            .to_owned()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test]
async fn only_the_key_opens_the_door() {
    let site = site(|_| {}).await;
    let url = format!(
        "{}/v1/data/objects/query/Company",
        site.simulation.vendors[0].base_url
    );
    for key in [None, Some("wrong")] {
        let mut request = site.client.post(&url).json(&json!({ "select": ["Name"] }));
        if let Some(key) = key {
            request = request.header("accesskey", key);
        }
        let answer = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let body: Value = answer.json().await.unwrap_or_default();
        assert_eq!(
            (body["result"].clone(), text(&body["errorCode"])),
            (json!(false), "GS_APIG_2401")
        );
    }
}

#[tokio::test]
async fn a_query_selects_through_lookups_filters_orders_and_pages() {
    let site = site(|_| {}).await;
    let all = site.companies().await;
    assert!(all.len() > 220);
    let rows = site
        .query(
            "company",
            json!({ "select": ["Name", "Arr", "csm__gr.email", "Renewal_Date", "Segment__gc", "Segment__gr.Name"],
                "where": { "conditions": [
                    { "name": "Arr", "alias": "A", "value": [50000], "operator": "GTE" },
                    { "name": "csm__gr.Email", "alias": "B", "value": ["dana@example.com"], "operator": "EQ" },
                    { "name": "Name", "alias": "C", "value": ["a"], "operator": "CONTAINS" } ],
                  "expression": "A AND (B OR C)" },
                "orderBy": { "Arr": "desc" }, "limit": 10 }),
        )
        .await;
    assert!(!rows.is_empty() && rows.len() <= 10);
    for pair in rows.windows(2) {
        assert!(pair[0]["Arr"].as_f64() >= pair[1]["Arr"].as_f64());
    }
    for row in &rows {
        assert!(row["Arr"].as_f64() >= Some(50_000.0));
        assert!(
            row["csm__gr.email"] == "dana@example.com"
                || text(&row["Name"]).to_lowercase().contains('a')
        );
        assert!(
            row["Renewal_Date"].is_i64() || row["Renewal_Date"].is_null(),
            "dates are epoch milliseconds: {row}"
        );
        assert!(
            text(&row["Segment__gc"]).starts_with("1I00")
                && text(&row["Segment__gr.Name"]).len() > 2
        );
    }
    // The keyset way through everything, seven at a time, meets each row once.
    let (mut seen, mut last) = (Vec::new(), String::new());
    loop {
        let mut body = json!({ "select": ["Gsid"], "orderBy": { "Gsid": "asc" }, "limit": 70 });
        if !last.is_empty() {
            body["where"] = json!({ "conditions": [{ "name": "Gsid", "alias": "A", "value": [last], "operator": "GT" }], "expression": "A" });
        }
        let (_, answer) = site
            .send(Method::POST, "/v1/data/objects/query/Company", body)
            .await;
        let Some(page) = answer["data"].as_array() else {
            break;
        };
        seen.extend(page.iter().map(|row| text(&row["Gsid"]).to_owned()));
        last = seen.last().cloned().unwrap_or_default();
    }
    let mut known: Vec<String> = all
        .iter()
        .map(|row| text(&row["Gsid"]).to_owned())
        .collect();
    known.sort();
    assert_eq!(seen, known);
    // Pages by offset add up as well, and the usage object has more than one page.
    let first = site
        .query(
            "Usage_Weekly__gc",
            json!({ "select": ["Gsid", "Company__gr.Name", "Week_Start__gc", "Active_Users__gc"] }),
        )
        .await;
    assert_eq!(first.len(), 5000);
    let next = site
        .query(
            "Usage_Weekly__gc",
            json!({ "select": ["Gsid"], "offset": 5000 }),
        )
        .await;
    assert!(
        next.iter()
            .all(|row| first.iter().all(|other| other["Gsid"] != row["Gsid"]))
    );
}

#[tokio::test]
async fn every_operator_divides_the_companies_in_two() {
    let site = site(|_| {}).await;
    let all = site.companies().await.len();
    let count = async |name: &str, operator: &str, value: Value| {
        let body = json!({ "select": ["Gsid"], "where": { "conditions": [{ "name": name, "alias": "A", "value": value, "operator": operator }], "expression": "A" } });
        let (_, answer) = site
            .send(Method::POST, "/v1/data/objects/query/Company", body)
            .await;
        answer["data"].as_array().map_or(0, Vec::len)
    };
    for (name, one, other, value) in [
        ("Name", "CONTAINS", "DOES_NOT_CONTAINS", json!(["an"])),
        ("Website", "IS_NULL", "IS_NOT_NULL", json!([])),
        ("Arr", "GT", "LTE", json!([20000])),
        ("Arr", "LT", "GTE", json!([20000])),
        ("Industry", "EQ", "NE", json!(["Banking"])),
        ("Industry", "IN", "EXCLUDES", json!(["Banking", "Retail"])),
        ("ModifiedDate", "LT", "GTE", json!(["2026-11-10 00:00:00"])),
    ] {
        let (a, b) = (
            count(name, one, value.clone()).await,
            count(name, other, value).await,
        );
        let null = if name == "Arr" || name == "ModifiedDate" {
            0
        } else {
            all - a - b
        };
        assert!(
            a > 0 && b > 0 && a + b + null == all,
            "{name} {one}/{other}: {a} + {b} of {all}"
        );
    }
    assert!(count("Name", "STARTS_WITH", json!(["b"])).await > 0);
    assert!(count("Name", "ENDS_WITH", json!(["inc."])).await > 0);
    let between = count("Renewal_Date", "BTW", json!(["2026-11-22", "2027-02-22"])).await;
    let (before, after) = (
        count("Renewal_Date", "LT", json!(["2026-11-22"])).await,
        count("Renewal_Date", "GT", json!(["2027-02-22"])).await,
    );
    assert_eq!(
        before + between + after + count("Renewal_Date", "IS_NULL", json!([])).await,
        all
    );
}

#[tokio::test]
async fn wrong_questions_get_the_documented_refusals() {
    let site = site(|_| {}).await;
    let ask = async |path: &str, body: Value| {
        let (status, answer) = site.send(Method::POST, path, body).await;
        assert_eq!(answer["result"], json!(false), "{path}: {answer}");
        (status.as_u16(), text(&answer["errorCode"]).to_owned())
    };
    let company = "/v1/data/objects/query/Company";
    let condition = |name: &str, operator: &str, value: &str| json!({ "select": ["Name"], "where": { "conditions": [{ "name": name, "alias": "A", "operator": operator, "value": [value] }], "expression": "A" } });
    assert_eq!(ask(company, json!({ "select": ["Nothing"] })).await.0, 400);
    assert_eq!(ask(company, json!({})).await.0, 400);
    assert_eq!(
        ask(company, json!({ "select": ["Name"], "limit": 5001 }))
            .await
            .0,
        400
    );
    assert_eq!(
        ask(company, condition("ModifiedDate", "GT", "yesterday")).await,
        (400, "GSOBJ_1005".to_owned())
    );
    assert_eq!(
        ask(company, condition("Name", "RESEMBLES", "x")).await.0,
        400
    );
    assert_eq!(
        ask(company, condition("Name", "EQ", "no such company")).await,
        (200, "GSOBJ_1011".to_owned())
    );
    assert_eq!(
        ask(
            "/v1/data/objects/query/Nonsense",
            json!({ "select": ["Name"] })
        )
        .await
        .0,
        400
    );
    assert_eq!(
        ask("/v1/nowhere", json!({})).await,
        (400, "GSOBJ_1023".to_owned())
    );
    for expression in ["A AND", "(A", "B", "A OR OR A", "A A"] {
        let mut body = condition("Name", "EQ", "x");
        body["where"]["expression"] = json!(expression);
        assert_eq!(ask(company, body).await.0, 400, "{expression}");
    }
    assert_eq!(
        ask("/v2/cockpit/cta/list", json!({ "select": ["x"] })).await,
        (400, "COCKPIT_5101".to_owned())
    );
    assert_eq!(
        ask("/v2/cockpit/cta/list", json!({ "pageSize": 1001 }))
            .await
            .0,
        400
    );
    let (status, answer) = site
        .send(
            Method::POST,
            "/v1/meta/services/objects/describe",
            json!({ "objectNames": ["Nope"] }),
        )
        .await;
    assert_eq!(
        (status.as_u16(), text(&answer["title"])),
        (404, "OBJECT_NOT_FOUND")
    );
}

#[tokio::test]
async fn a_call_to_action_lives_from_creation_to_closing_and_is_found_by_its_marker() {
    let site = site(|_| {}).await;
    let companies = site.companies().await;
    let (company, owner) = (text(&companies[0]["Gsid"]), text(&companies[0]["Csm"]));
    let id = site
        .new_cta(company, owner, "from csops [marker:7f3a]")
        .await;
    let marked = json!({ "select": ["Comments", "ModifiedDate", "ClosedDate"], "linkedObject": true, "pageSize": 10, "pageNumber": 1,
        "where": { "conditions": [
            { "fieldName": "Comments", "alias": "A", "operator": "CONTAINS", "value": ["marker:7f3a"] },
            { "fieldName": "TypeId__gr.Name", "alias": "B", "operator": "EQ", "value": ["Risk"] },
            { "fieldName": "DueDate", "alias": "C", "operator": "EQ", "value": ["2026-12-01"] } ], "expression": "A AND B AND C" } });
    let found = site.post("/v2/cockpit/cta/list", marked.clone()).await;
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    let row = &found[0];
    assert_eq!(
        (
            text(&row["Gsid"]),
            text(&row["DueDate"]),
            text(&row["StatusId__gr.Name"]),
            &row["IsClosed"]
        ),
        (id.as_str(), "2026-12-01", "New", &json!(false))
    );
    assert_eq!(row["CompanyId__gr.Name"], companies[0]["Name"]);
    assert_eq!(row["associatedRecords"][0]["recordId"], json!(company));
    // Close it by the name of a closing status, reassign it by mail address.
    let change = json!({ "requests": [{ "record": { "referenceId": "1", "Gsid": id, "status": "Closed Success", "OwnerEmail": "dana@example.com" } }],
        "lookups": { "OwnerId": { "fields": { "OwnerEmail": "Email" }, "lookupField": "Gsid", "objectName": "gsuser", "multiMatchOption": "FIRSTMATCH", "onNoMatch": "ERROR" } } });
    let (_, answer) = site.send(Method::PUT, "/v2/cockpit/cta", change).await;
    assert_eq!(answer["data"]["success"][0]["1"], json!(id), "{answer}");
    let found = site.post("/v2/cockpit/cta/list", marked).await;
    assert_eq!(
        (&found[0]["IsClosed"], text(&found[0]["OwnerId__gr.Email"])),
        (&json!(true), "dana@example.com")
    );
    assert!(
        found[0]["ModifiedDate"]
            .as_str()
            .is_some_and(|at| at.starts_with("2026-11-22T09:00"))
    );
    assert_eq!(found[0]["ClosedDate"], found[0]["ModifiedDate"]);
    // What cannot be done says why, record by record.
    let (_, answer) = site
        .send(Method::PUT, "/v2/cockpit/cta", json!({ "requests": [{ "record": { "referenceId": "9", "Gsid": "1S01NOPE", "status": "New" } }] }))
        .await;
    assert!(text(&answer["data"]["failure"][0]["9"]).starts_with("COCKPIT_6007"));
    let (_, answer) = site
        .send(
            Method::POST,
            "/v2/cockpit/cta",
            json!({ "requests": [{ "record": { "referenceId": "2", "Name": "x" } }] }),
        )
        .await;
    assert!(text(&answer["data"]["failure"][0]["2"]).starts_with("COCKPIT_9700"));
}

#[tokio::test]
async fn tasks_of_a_call_to_action_are_created_listed_and_completed() {
    let site = site(|_| {}).await;
    let companies = site.companies().await;
    let cta = site
        .new_cta(text(&companies[0]["Gsid"]), text(&companies[0]["Csm"]), "x")
        .await;
    let made = site.post("/v2/cockpit/task", json!({ "requests": [{ "record": { "referenceId": "t", "CTAId": cta, "Name": "Call Ada", "DueDate": "2026-11-30" } }] })).await;
    let task = text(&made["success"][0]["t"]).to_owned();
    let list = site
        .post(
            &format!("/v2/cockpit/task/list/{cta}"),
            json!({ "select": ["Name"] }),
        )
        .await;
    assert_eq!(
        (
            list.as_array().map(Vec::len),
            &list[0]["IsClosed"],
            &list[0]["Gsid"]
        ),
        (Some(1), &json!(false), &json!(task))
    );
    site.send(
        Method::PUT,
        "/v2/cockpit/task",
        json!({ "requests": [{ "record": { "Gsid": task, "status": "Completed" } }] }),
    )
    .await;
    let list = site
        .post(&format!("/v2/cockpit/task/list/{cta}"), json!({}))
        .await;
    assert_eq!(list[0]["IsClosed"], json!(true));
}

#[tokio::test]
async fn the_same_timeline_entry_twice_is_one_entry() {
    let site = site(|_| {}).await;
    let company = site.companies().await[0].clone();
    let entry = json!({ "records": [{ "ContextName": "Company", "TypeName": "Update", "ExternalId": "e-1", "Subject": "Called", "Notes": "All well",
        "ActivityDate": "2026-11-22T06:36:00.000-07:00", "Author": "dana@example.com", "companyName": company["Name"], "internalAttendees": ["dana@example.com"] }],
        "lookups": { "AuthorId": { "fields": { "Author": "Email" }, "lookupField": "Gsid", "objectName": "GsUser", "multiMatchOption": "FIRSTMATCH", "onNoMatch": "ERROR" },
            "GsCompanyId": { "fields": { "companyName": "Name" }, "lookupField": "Gsid", "objectName": "Company", "multiMatchOption": "FIRSTMATCH", "onNoMatch": "ERROR" } } });
    let first = site.post("/v1/ant/es/activity", entry.clone()).await;
    let second = site.post("/v1/ant/es/activity", entry).await;
    let id = text(&first["success"]["e-1"][0]["activityId"]);
    assert_eq!(
        second["success"]["e-1"][0]["activityId"],
        json!(id),
        "{first}"
    );
    let find = json!({ "select": ["Gsid", "Subject", "ActivityDate", "GsCompanyId", "AuthorId__gr.Email"],
        "where": { "conditions": [{ "name": "ExternalId", "alias": "A", "value": ["e-1"], "operator": "EQ" }], "expression": "A" } });
    let rows = site.query("activity_timeline", find.clone()).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["GsCompanyId"], &rows[0]["ActivityDate"]),
        (&company["Gsid"], &json!(1_795_354_560_000_i64))
    );
    site.send(
        Method::PUT,
        "/v1/ant/es/activity?identifier=externalid",
        json!({ "records": [{ "ExternalId": "e-1", "Subject": "Called twice" }] }),
    )
    .await;
    assert_eq!(
        site.query("activity_timeline", find.clone()).await[0]["Subject"],
        "Called twice"
    );
    site.send(
        Method::DELETE,
        &format!("/v1/ant/es/activity/{id}"),
        json!({}),
    )
    .await;
    assert!(site.query("activity_timeline", find).await.is_empty());
    assert_eq!(
        site.post("/v1/ant/es/activity/deleted", json!({})).await["records"][0]["Gsid"],
        json!(id)
    );
    let log = site
        .query(
            "record_delete_log",
            json!({ "select": ["RecordId", "DeletedOn", "ObjectName"] }),
        )
        .await;
    assert_eq!(
        (&log[0]["RecordId"], &log[0]["ObjectName"]),
        (&json!(id), &json!("activity_timeline"))
    );
}

#[tokio::test]
async fn companies_and_renewals_are_written_by_key() {
    let site = site(|_| {}).await;
    let company = site.companies().await[3].clone();
    let dana = site.query("GsUser", json!({ "select": ["Gsid"], "where": { "conditions": [{ "name": "Email", "alias": "A", "value": ["dana@example.com"], "operator": "EQ" }] } })).await;
    let body = json!({ "records": [{ "Gsid": company["Gsid"], "Csm": dana[0]["Gsid"], "CSM_Sentiment__gc": "Red" }, { "Gsid": "1P02X", "Arr": 1 }] });
    let (_, answer) = site
        .send(Method::PUT, "/v1/data/objects/Company?keys=Gsid", body)
        .await;
    assert_eq!(
        (
            &answer["data"]["count"],
            answer["data"]["errors"].as_array().map(Vec::len)
        ),
        (&json!(1), Some(1)),
        "{answer}"
    );
    let is = json!({ "select": ["Csm", "CSM_Sentiment__gr.Name", "ModifiedDate"], "where": { "conditions": [{ "name": "Gsid", "alias": "A", "value": [company["Gsid"]], "operator": "EQ" }] } });
    let row = site.query("Company", is).await[0].clone();
    assert_eq!(
        (&row["Csm"], &row["CSM_Sentiment__gr.Name"]),
        (&dana[0]["Gsid"], &json!("Red"))
    );
    assert!(row["ModifiedDate"].as_i64() > company["ModifiedDate"].as_i64());
    let (status, _) = site
        .send(
            Method::PUT,
            "/v1/data/objects/Company?keys=A,B,C,D",
            json!({ "records": [{}] }),
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let many: Vec<Value> = (0..51)
        .map(|_| json!({ "Gsid": company["Gsid"] }))
        .collect();
    assert_eq!(
        site.send(
            Method::PUT,
            "/v1/data/objects/Company?keys=Gsid",
            json!({ "records": many })
        )
        .await
        .0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn metadata_describes_what_queries_answer() {
    let site = site(|_| {}).await;
    let (_, list) = site
        .send(
            Method::GET,
            "/v1/meta/services/objects/list?po=company&em=false",
            json!({}),
        )
        .await;
    for object in list["data"].as_array().unwrap_or_else(|| panic!("{list}")) {
        let name = text(&object["objectName"]);
        let described = site
            .post(
                "/v1/meta/services/objects/describe",
                json!({ "objectNames": [name], "populatePickListOptions": "true" }),
            )
            .await;
        let fields: Vec<Value> = described[0]["fields"]
            .as_array()
            .map(|fields| {
                fields
                    .iter()
                    .map(|field| field["fieldName"].clone())
                    .collect()
            })
            .unwrap_or_default();
        assert!(fields.len() > 4);
        let (status, answer) = site
            .send(
                Method::POST,
                &format!("/v1/data/objects/query/{name}"),
                json!({ "select": fields, "limit": 3 }),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        for field in described[0]["fields"].as_array().into_iter().flatten() {
            if let Some(category) = field["meta"]["categoryId"].as_str() {
                let (_, items) = site
                    .send(
                        Method::GET,
                        &format!("/v1/meta/services/dropdowns/{category}"),
                        json!({}),
                    )
                    .await;
                assert_eq!(
                    items["data"]["childItems"][0]["gsid"],
                    field["options"][0]["gsid"]
                );
            }
        }
    }
    let (_, lists) = site.send(Method::GET, "/v2/cockpit/admin/picklist/lite?category=CTA_STATUS,CTA_PRIORITY,CTA_TYPE,CTA_REASON&et=COMPANY", json!({})).await;
    assert_eq!(lists["data"]["CTA_STATUS"][3]["closed"], json!(true));
    let users = site
        .post(
            "/v1/users/services/list",
            json!({ "includeTotal": true, "limit": 5, "page": 2, "select": ["Email"] }),
        )
        .await;
    assert_eq!(users["users"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn the_hundred_and_first_request_of_a_minute_is_refused() {
    let site = site(|options| options.limits = Limits::default()).await;
    let mut refused = 0;
    for number in 0..105 {
        let (status, answer) = site
            .send(
                Method::POST,
                "/v1/data/objects/query/GsUser",
                json!({ "select": ["Name"], "limit": 1 }),
            )
            .await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            assert!(number >= 100 && answer["result"] == json!(false));
            refused += 1;
        }
    }
    // The window may have turned over on a slow machine, but it begins with the first request.
    assert!(refused > 0);
}

#[tokio::test]
async fn a_second_start_meets_the_same_tenant_with_all_that_was_accepted() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let path = dir.path().to_owned();
    let first = site(|options| options.dir = Some(path.clone())).await;
    let companies = first.companies().await;
    let id = first
        .new_cta(
            text(&companies[1]["Gsid"]),
            text(&companies[1]["Csm"]),
            "keep me",
        )
        .await;
    let change = Change::AccountRenamed {
        account: 0,
        name: "Renamed Ltd".to_owned(),
    };
    first
        .simulation
        .happen(1, change)
        .unwrap_or_else(|error| panic!("{error}"));
    let everything = json!({ "select": ["Gsid", "Name", "Arr", "ModifiedDate", "CurrentScore"], "orderBy": { "Gsid": "asc" } });
    let (before, ctas) = (
        first.query("Company", everything.clone()).await,
        first.post("/v2/cockpit/cta/list", json!({})).await,
    );
    let key = first.key.clone();
    drop(first);
    let second = site(|options| options.dir = Some(path.clone())).await;
    assert_eq!(second.key, key);
    assert_eq!(second.query("Company", everything).await, before);
    assert!(before.iter().any(|row| row["Name"] == "Renamed Ltd"));
    assert_eq!(second.post("/v2/cockpit/cta/list", json!({})).await, ctas);
    let another = second
        .new_cta(
            text(&companies[1]["Gsid"]),
            text(&companies[1]["Csm"]),
            "new",
        )
        .await;
    assert_ne!(another, id);
    drop(second);
    let other = start(Options {
        accounts: 30,
        dir: Some(path),
        vendors: vec!["gainsight".to_owned()],
        ..Options::default()
    })
    .await;
    assert!(
        other
            .err()
            .is_some_and(|error| error.to_string().contains("--reset"))
    );
}

#[tokio::test]
async fn live_changes_show_and_a_week_of_usage_stays_one_row() {
    let site = site(|_| {}).await;
    let company = crate::simulate::world::ids::gainsight_id("1P02", 0);
    for (number, active_users) in [(1, 9), (2, 7)] {
        let week = date(2026, 11, 16);
        let usage = Change::Usage {
            account: 0,
            week,
            active_users,
            seats: 21,
            logins: 30,
            adoption: 40,
        };
        site.simulation
            .happen(number, usage)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    site.simulation
        .happen(
            3,
            Change::Health {
                account: 0,
                score: 33,
            },
        )
        .unwrap_or_else(|error| panic!("{error}"));
    let of_week = json!({ "select": ["Active_Users__gc", "Company__gr.Gsid"], "where": { "conditions": [
        { "name": "Week_Start__gc", "alias": "A", "value": ["2026-11-16"], "operator": "EQ" },
        { "name": "Company__gc", "alias": "B", "value": [company], "operator": "EQ" } ], "expression": "A AND B" } });
    let rows = site.query("Usage_Weekly__gc", of_week).await;
    assert_eq!(
        (
            rows.len(),
            &rows[0]["Active_Users__gc"],
            &rows[0]["Company__gr.Gsid"]
        ),
        (1, &json!(7), &json!(company))
    );
    let now = json!({ "select": ["CurrentScore"], "where": { "conditions": [{ "name": "Gsid", "alias": "A", "value": [company], "operator": "EQ" }] } });
    assert_eq!(site.query("Company", now).await[0]["CurrentScore"], 33);
}

#[tokio::test]
async fn absurd_numbers_and_shapes_break_nothing() {
    let site = site(|_| {}).await;
    for (path, body) in [
        (
            "/v1/data/objects/query/Company",
            json!({ "select": ["Name"], "offset": u64::MAX }),
        ),
        (
            "/v1/data/objects/query/Company",
            json!({ "select": ["Name"], "limit": -1 }),
        ),
        (
            "/v1/data/objects/query/Company",
            json!({ "select": "Name" }),
        ),
        ("/v1/data/objects/query/Company", json!([1, 2])),
        (
            "/v1/data/objects/query/Company",
            json!({ "select": ["Name"], "where": "A" }),
        ),
        (
            "/v1/data/objects/query/Company",
            json!({ "select": ["Name"], "where": { "conditions": [{ "name": "ModifiedDate", "operator": "BTW", "value": [i64::MIN, i64::MAX] }] } }),
        ),
        (
            "/v1/data/objects/query/Company",
            json!({ "select": ["Name"], "where": { "conditions": [{ "name": "Name", "operator": "IN", "value": [{}] }] } }),
        ),
        (
            "/v2/cockpit/cta/list",
            json!({ "pageNumber": u64::MAX, "pageSize": 1000 }),
        ),
        (
            "/v2/cockpit/cta/deleted/list",
            json!({ "pageNumber": u64::MAX, "pageSize": 0 }),
        ),
        (
            "/v2/cockpit/cta",
            json!({ "requests": [1, null, { "record": [] }] }),
        ),
        (
            "/v1/ant/es/activity",
            json!({ "records": [null, 5, { "ExternalId": 7 }] }),
        ),
        (
            "/v1/users/services/list",
            json!({ "page": u64::MAX, "limit": u64::MAX }),
        ),
        (
            "/v1/data/objects/Company",
            json!({ "records": [{ "Name": "=1+1\u{0}\u{1b}[2J", "Renewal_Date": 253_402_300_799_000_i64 }] }),
        ),
    ] {
        let (status, answer) = site.send(Method::POST, path, body.clone()).await;
        assert!(
            status.as_u16() < 500 && answer.is_object(),
            "{path} {body}: {status} {answer}"
        );
    }
    let url = format!(
        "{}/v2/cockpit/cta/list",
        site.simulation.vendors[0].base_url
    );
    let broken = site
        .client
        .post(url)
        .header("accesskey", &site.key)
        .body("{\"where\": ")
        .send()
        .await;
    assert_eq!(
        broken.map(|answer| answer.status().as_u16()).ok(),
        Some(400)
    );
}
