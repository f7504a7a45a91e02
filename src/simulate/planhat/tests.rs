//! Over real HTTP: what clients of the vendor rely on.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::catalog::{COMPANIES, ENDUSERS, OPPORTUNITIES, TASKS, id_text};
use crate::simulate::basic::credentials;
use crate::simulate::world::{Change, ids};
use crate::simulate::{AuthDetails, Limits, Options, Simulation, start};

struct Site {
    simulation: Simulation,
    client: Client,
    token: String,
}

async fn site(change: impl FnOnce(&mut Options)) -> Site {
    let mut options = Options {
        vendors: vec!["planhat".to_owned()],
        anchor: Some(date(2026, 11, 22)),
        freeze: true,
        now: Arc::new(|| {
            "2026-11-22T09:00:00Z"
                .parse::<Timestamp>()
                .unwrap_or_default()
        }),
        limits: Limits {
            planhat_per_second: 100_000,
            ..Limits::default()
        },
        ..Options::default()
    };
    change(&mut options);
    let simulation = start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let AuthDetails::Bearer { token } = simulation.vendors[0].auth.clone() else {
        panic!("no bearer token")
    };
    let client = Client::builder()
        .tls_certs_only([])
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    Site {
        simulation,
        client,
        token,
    }
}

impl Site {
    async fn raw(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, String) {
        let url = format!("{}{path}", self.simulation.vendors[0].base_url);
        let mut request = self
            .client
            .request(method, url)
            .header("authorization", format!("Bearer {}", self.token));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let status = answer.status();
        (status, answer.text().await.unwrap_or_default())
    }

    async fn good(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, text) = self.raw(method, path, body).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    async fn get(&self, path: &str) -> Value {
        self.good(Method::GET, path, None).await
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        match self.get(path).await {
            Value::Array(rows) => rows,
            other => panic!("{path} is no bare array: {other}"),
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.good(Method::POST, path, Some(body)).await
    }

    async fn put(&self, path: &str, body: Value) -> Value {
        self.good(Method::PUT, path, Some(body)).await
    }

    async fn status(&self, method: Method, path: &str, body: Option<Value>) -> u16 {
        self.raw(method, path, body).await.0.as_u16()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test]
async fn a_token_opens_the_door_and_without_one_it_is_403() {
    let site = site(|_| {}).await;
    let url = format!("{}/companies", site.simulation.vendors[0].base_url);
    let colon = credentials(&site.token, "");
    let without = credentials("x", "y");
    for (header, wanted) in [
        (None, 403),
        (Some("Bearer wrong".to_owned()), 403),
        (Some(format!("Bearer {}", site.token)), 200),
        (Some(format!("Basic {colon}")), 200),
        (Some(format!("Basic {without}")), 403),
        (Some(site.token.clone()), 403),
    ] {
        let mut request = site.client.get(&url);
        if let Some(header) = &header {
            request = request.header("authorization", header);
        }
        let answer = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.status().as_u16(), wanted, "{header:?}");
    }
}

#[tokio::test]
async fn companies_are_those_of_the_world_under_their_names_here() {
    let site = site(|_| {}).await;
    let world = site.simulation.world.clone();
    let short = site.list("/companies?limit=5000").await;
    let seen = world.accounts.iter().filter(|a| a.in_gainsight).count();
    assert_eq!(short.len(), seen);
    assert_eq!(site.simulation.vendors[0].accounts, seen);
    // Without a selection a list shows two fields.
    assert!(
        short
            .iter()
            .all(|row| row.as_object().map(|row| row.len()) == Some(2)
                && row["_id"].is_string()
                && row["name"].is_string())
    );
    let all = site.list("/companies?limit=5000&select=ALL").await;
    assert_eq!(all.len(), seen);
    for (row, account) in world.accounts.iter().enumerate() {
        let id = id_text(COMPANIES, row as u32);
        let Some(shown) = all.iter().find(|shown| shown["_id"] == id) else {
            assert!(!account.in_gainsight);
            continue;
        };
        assert_eq!(shown["name"], account.name_in_gainsight());
        let linked = account.linked && account.in_salesforce;
        let source = linked.then(|| ids::salesforce_id("001", row as u64));
        assert_eq!(
            shown.get("sourceId").and_then(Value::as_str),
            source.as_deref()
        );
        let domain = account.gainsight_domain && !account.domain.is_empty();
        assert_eq!(
            shown["domains"].as_array().map(Vec::len),
            Some(usize::from(domain))
        );
        assert!(shown["custom"]["Segment"].is_string());
        if let Some(h) = shown.get("h") {
            assert!(h.as_i64().is_some_and(|h| (0..=10).contains(&h)));
        }
    }
    // A selection shows what it names, and the id.
    let some = site
        .list("/companies?limit=3&select=phase,custom.Segment")
        .await;
    for row in &some {
        assert!(row["_id"].is_string() && row["phase"].is_string() && row.get("name").is_none());
        assert_eq!(
            row["custom"].as_object().map(|custom| custom.len()),
            Some(1)
        );
    }
    // The lean list is one page whatever its length; it can be asked for one company.
    let lean = site.list("/leancompanies").await;
    assert_eq!(lean.len(), seen);
    let source = ids::salesforce_id("001", 0);
    let one = site
        .list(&format!("/leancompanies?sourceId={source}"))
        .await;
    assert_eq!(
        (one.len(), &one[0]["_id"]),
        (1, &json!(id_text(COMPANIES, 0)))
    );
    assert!(text(&one[0]["slug"]).chars().all(|c| !c.is_whitespace()));
    assert_eq!(
        site.list("/leancompanies?status=lost").await.len(),
        all.iter().filter(|row| row["status"] == "lost").count()
    );
}

#[tokio::test]
async fn lists_page_filter_and_sort() {
    let site = site(|_| {}).await;
    assert_eq!(site.list("/endusers").await.len(), 100, "the default page");
    let mut seen = Vec::new();
    loop {
        let page = site
            .list(&format!("/endusers?limit=70&offset={}", seen.len()))
            .await;
        let last = page.len() < 70;
        seen.extend(page);
        if last {
            break;
        }
    }
    let world = &site.simulation.world;
    let expected = world
        .contacts
        .iter()
        .filter(|c| world.accounts[c.account as usize].in_gainsight)
        .count();
    assert_eq!(seen.len(), expected);
    let mut ids: Vec<&str> = seen.iter().map(|row| text(&row["_id"])).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), expected);
    // No page is longer than the cap.
    let cap = site.list("/conversations?limit=100000").await;
    assert!(cap.len() <= 2_000);
    // By company, several at once; by mail address.
    let (a, b) = (id_text(COMPANIES, 0), id_text(COMPANIES, 1));
    let both = site
        .list(&format!(
            "/endusers?companyId={a},{b}&select=companyId,email&limit=2000"
        ))
        .await;
    assert!(!both.is_empty());
    assert!(
        both.iter()
            .all(|row| row["companyId"] == a || row["companyId"] == b)
    );
    let email = text(&both[0]["email"]);
    let one = site.list(&format!("/endusers?email={email}")).await;
    assert!(one.iter().any(|row| row["_id"] == both[0]["_id"]));
    assert!(site.list("/endusers?companyId=nobody").await.is_empty());
    let status = site
        .list("/companies?status=lost&select=status&limit=5000")
        .await;
    assert!(!status.is_empty() && status.iter().all(|row| row["status"] == "lost"));
    // Sorted, upwards and downwards.
    let up = site.list("/opportunities?sort=arr&limit=2000").await;
    assert!(
        up.windows(2)
            .all(|pair| pair[0]["arr"].as_f64() <= pair[1]["arr"].as_f64())
    );
    let down = site.list("/opportunities?sort=-arr&limit=2000").await;
    assert_eq!(
        up.last().map(|row| &row["arr"]),
        down.first().map(|row| &row["arr"])
    );
    assert_eq!(
        site.status(Method::GET, "/companies?limit=many", None)
            .await,
        400
    );
}

#[tokio::test]
async fn conversations_and_tickets_and_the_rest_of_the_models_are_there() {
    let site = site(|_| {}).await;
    let notes = site.list("/conversations?type=note&limit=2000").await;
    assert!(!notes.is_empty());
    assert!(
        notes
            .iter()
            .all(|row| row["type"] == "note" && row["description"].is_string())
    );
    let tickets = site.list("/tickets?limit=2000").await;
    let world = &site.simulation.world;
    let cases = world
        .cases
        .iter()
        .filter(|case| world.accounts[case.account as usize].in_gainsight)
        .count();
    assert_eq!(tickets.len(), cases.min(2_000));
    assert!(
        tickets
            .iter()
            .all(|row| row["type"] == "ticket" && row["title"] == row["subject"])
    );
    for (model, key) in [
        ("users", "nickName"),
        ("licenses", "_currency"),
        ("invoices", "cId"),
        ("nps", "score"),
        ("churn", "churnDate"),
        ("issues", "companyIds"),
        ("customfields", "parent"),
        ("opportunities", "salesStage"),
    ] {
        let rows = site.list(&format!("/{model}?limit=2000")).await;
        assert!(!rows.is_empty(), "{model}");
        assert!(rows.iter().any(|row| row.get(key).is_some()), "{model}");
    }
    for model in ["sales", "assets", "projects", "objectives", "workflows"] {
        assert!(site.list(&format!("/{model}")).await.is_empty(), "{model}");
    }
    // Paths that many clients try and that are not there.
    for path in ["/notes", "/activities", "/tickets/1", "/a/b/c"] {
        assert_eq!(site.status(Method::GET, path, None).await, 404, "{path}");
    }
    // There is no PATCH.
    let company = format!("/companies/{}", id_text(COMPANIES, 0));
    assert_eq!(
        site.status(Method::PATCH, &company, Some(json!({}))).await,
        404
    );
    // Invoices of a company are found although their key has another name.
    let company = id_text(COMPANIES, 0);
    let invoices = site.list(&format!("/invoices?companyId={company}")).await;
    assert!(!invoices.is_empty() && invoices.iter().all(|row| row["cId"] == company));
}

#[tokio::test]
async fn one_object_is_found_by_each_of_its_ids_and_404_by_others() {
    let site = site(|_| {}).await;
    let id = id_text(COMPANIES, 0);
    let by_id = site.get(&format!("/companies/{id}")).await;
    let source = text(&by_id["sourceId"]).to_owned();
    let external = text(&by_id["externalId"]).to_owned();
    for key in [format!("srcid-{source}"), format!("extid-{external}")] {
        assert_eq!(site.get(&format!("/companies/{key}")).await, by_id, "{key}");
    }
    let mut mistyped = id.clone();
    mistyped.replace_range(20..21, if &id[20..21] == "0" { "1" } else { "0" });
    for key in [
        format!("src-{source}"),
        format!("ext-{external}"),
        mistyped,
        "x".to_owned(),
        id_text(TASKS, 0),
    ] {
        let (status, _) = site
            .raw(Method::GET, &format!("/companies/{key}"), None)
            .await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{key}");
    }
}

#[tokio::test]
async fn a_task_lives_from_creation_to_the_archive() {
    let site = site(|_| {}).await;
    let (company, owner) = (id_text(COMPANIES, 0), id_text(super::catalog::USERS, 2));
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
    let owner = id_text(super::catalog::USERS, 2);
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
async fn metrics_are_read_by_company_name_and_day_and_pushed_without_a_token() {
    let site = site(|_| {}).await;
    let company = id_text(COMPANIES, 0);
    let path = format!("/dimensiondata?cId={company}&dimid=active_users&limit=2000");
    let points = site.list(&path).await;
    let world = &site.simulation.world;
    let known = (0..104)
        .filter(|week| world.usage(0, *week).is_some())
        .count();
    assert_eq!(points.len(), known);
    assert!(points.iter().all(|row| row["dimensionId"] == "active_users"
        && row["companyId"] == company
        && row["value"].is_number()));
    let last = crate::simulate::world::day_number(world.week_start(103));
    let week = site.list(&format!("{path}&from={last}&to={last}")).await;
    assert_eq!(
        (week.len(), &week[0]["time"]),
        (1, &points[known - 1]["time"])
    );
    assert_eq!(site.list("/dimensiondata?limit=7&offset=5").await.len(), 7);
    let url = format!(
        "{}/dimensiondata/0b7d4f0e-58c1-4a3b-9f59-1f1d9b8e7a11",
        site.simulation.vendors[0].base_url
    );
    let pushed = json!([
        { "dimensionId": "active_users", "externalId": "cust-000000", "value": 5, "date": "2026-11-21" },
        { "dimensionId": "api_calls", "externalId": "nobody", "value": 5 },
        { "dimensionId": "api_calls", "externalId": "cust-000000", "value": "many" }
    ]);
    let answer = site
        .client
        .post(&url)
        .json(&pushed)
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer.status().as_u16(), 200);
    let answer: Value = answer.json().await.unwrap_or_default();
    assert_eq!(
        (
            &answer["processed"],
            answer["errors"].as_array().map(Vec::len)
        ),
        (&json!(1), Some(2))
    );
    let points = site.list(&path).await;
    assert_eq!(
        points.last().map(|row| (&row["value"], &row["time"])),
        Some((&json!(5), &json!("2026-11-21T00:00:00.000Z")))
    );
}

#[tokio::test]
async fn more_requests_in_a_second_than_the_hard_limit_are_429() {
    let site = site(|options| options.limits.planhat_per_second = 5).await;
    let mut refused = 0;
    for _ in 0..12 {
        refused += usize::from(site.status(Method::GET, "/users?limit=1", None).await == 429);
    }
    // Twelve quick requests lie in at most two windows, or the machine is too slow to exceed any limit.
    assert!(refused >= 1, "nothing was refused");
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

async fn kept(dir: &Path) -> Site {
    let dir = dir.to_owned();
    site(|options| options.dir = Some(dir)).await
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

#[tokio::test]
async fn absurd_numbers_and_shapes_break_nothing() {
    let site = site(|_| {}).await;
    for path in [
        "/companies?limit=18446744073709551615&offset=18446744073709551615",
        "/companies?limit=-1",
        "/companies?sort=-",
        "/dimensiondata?from=-9223372036854775808&to=9223372036854775807&limit=0",
        "/dimensiondata?from=soon",
        "/companies/%00",
        "/companies/extid-",
    ] {
        assert!(site.status(Method::GET, path, None).await < 500, "{path}");
    }
    for (path, body) in [
        ("/companies", json!([null, [], "x"])),
        ("/companies", json!([{ "_id": 7, "name": { "a": 1 } }])),
        ("/companies/x", json!({ "custom": 7 })),
        (
            "/opportunities",
            json!([{ "companyId": id_text(COMPANIES, 0), "arr": "1e400", "closeDate": i64::MAX }]),
        ),
    ] {
        assert!(
            site.status(Method::PUT, path, Some(body.clone())).await < 500,
            "{path} {body}"
        );
    }
    let url = format!("{}/companies", site.simulation.vendors[0].base_url);
    let broken = site
        .client
        .post(url)
        .header("authorization", format!("Bearer {}", site.token))
        .body("{\"name\": ")
        .send()
        .await;
    assert_eq!(
        broken.map(|answer| answer.status().as_u16()).ok(),
        Some(400)
    );
}
