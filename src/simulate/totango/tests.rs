//! Over real HTTP: what clients of the vendor rely on.

mod changes;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::catalog::{TASKS, id};
use crate::simulate::world::{Change, ids};
use crate::simulate::{AuthDetails, Limits, Options, Simulation, start};

struct Site {
    simulation: Simulation,
    client: Client,
    token: String,
}

async fn site(change: impl FnOnce(&mut Options)) -> Site {
    let mut options = Options {
        vendors: vec!["totango".to_owned()],
        anchor: Some(date(2026, 11, 22)),
        freeze: true,
        now: Arc::new(|| {
            "2026-11-22T09:00:00Z"
                .parse::<Timestamp>()
                .unwrap_or_default()
        }),
        limits: Limits {
            totango_per_minute: 100_000,
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
    assert_eq!(name, "app-token");
    let client = Client::builder()
        .tls_certs_only([])
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    Site {
        simulation,
        client,
        token: value,
    }
}

enum Body<'a> {
    None,
    Json(Value),
    Form(&'a [(&'a str, &'a str)]),
}

impl Site {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulation.vendors[0].base_url)
    }

    async fn raw(&self, method: Method, path: &str, body: Body<'_>) -> (u16, HeaderMap, String) {
        let mut request = self
            .client
            .request(method, self.url(path))
            .header("app-token", &self.token);
        match body {
            Body::None => {}
            Body::Json(body) => request = request.json(&body),
            Body::Form(pairs) => request = request.form(pairs),
        }
        let answer = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        (status, headers, answer.text().await.unwrap_or_default())
    }

    async fn send(&self, method: Method, path: &str, body: Body<'_>) -> (u16, Value) {
        let (status, _, text) = self.raw(method, path, body).await;
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.send(Method::GET, path, Body::None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn query(&self, path: &str, query: &Value) -> (u16, Value) {
        let text = query.to_string();
        self.send(Method::POST, path, Body::Form(&[("query", &text)]))
            .await
    }

    async fn accounts(&self, query: Value) -> Value {
        let (status, answer) = self.query("/api/v1/search/accounts", &query).await;
        assert_eq!(status, 200, "{query}: {answer}");
        answer["response"]["accounts"].clone()
    }

    async fn count(&self, terms: Value) -> usize {
        let found = self
            .accounts(json!({ "terms": terms, "fields": [], "count": 1 }))
            .await;
        found["total_hits"].as_u64().unwrap_or(0) as usize
    }

    /// One account's fields.
    async fn fields(&self, account: &str, fields: Value) -> Vec<Value> {
        let terms = json!([{ "type": "string", "term": "name", "eq": account }]);
        let found = self
            .accounts(json!({ "terms": terms, "fields": fields }))
            .await;
        found["hits"][0]["selected_fields"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| panic!("no such account: {found}"))
    }

    async fn events(&self, query: Value) -> Vec<Value> {
        let (status, answer) = self.query("/api/v2/events/search", &query).await;
        assert_eq!(status, 200, "{query}: {answer}");
        answer["response"]["events"]["hits"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }
}

fn attribute(name: &str) -> Value {
    json!({ "type": "string_attribute", "attribute": name, "field_display_name": name })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test]
async fn only_the_token_opens_the_door() {
    let site = site(|_| {}).await;
    for (token, wanted) in [
        (None, 401),
        (Some("wrong"), 401),
        (Some(site.token.as_str()), 200),
    ] {
        let mut request = site.client.get(site.url("/api/v2/team_members"));
        if let Some(token) = token {
            request = request.header("app-token", token);
        }
        let answer = request.send().await;
        assert_eq!(
            answer.map(|answer| answer.status().as_u16()).ok(),
            Some(wanted)
        );
    }
    assert_eq!(
        site.send(Method::GET, "/api/v9/nothing", Body::None)
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn a_search_answers_values_by_their_places() {
    let site = site(|_| {}).await;
    let world = site.simulation.world.clone();
    let fields = json!([
        { "type": "string", "term": "health", "field_display_name": "Health rank " },
        { "type": "health_trend", "field_display_name": "Trend" },
        attribute("Salesforce ID"),
        { "type": "number_attribute", "attribute": "Licenses", "field_display_name": "Licenses" },
        { "type": "date_attribute", "attribute": "Renewal Date", "field_display_name": "Renewal" },
        attribute("Success Manager Email"),
        attribute("Nobody has this"),
    ]);
    let found = site.accounts(json!({ "terms": [], "fields": fields, "count": 1000, "sort_by": "display_name", "sort_order": "ASC", "scope": "all" })).await;
    let hits = found["hits"].as_array().cloned().unwrap_or_default();
    let seen = world.accounts.iter().filter(|a| a.in_gainsight).count();
    assert_eq!(
        (
            hits.len(),
            &found["total_hits"],
            site.simulation.vendors[0].accounts
        ),
        (seen, &json!(seen), seen)
    );
    let names: Vec<String> = hits
        .iter()
        .map(|hit| text(&hit["display_name"]).to_lowercase())
        .collect();
    assert!(names.is_sorted());
    for hit in &hits {
        let row: usize = text(&hit["name"])
            .trim_start_matches("cust-")
            .parse()
            .unwrap_or(usize::MAX);
        let account = &world.accounts[row];
        assert_eq!(hit["display_name"], account.name_in_gainsight());
        let values = hit["selected_fields"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        assert_eq!(values.len(), 7);
        let linked = account.linked && account.in_salesforce;
        let source = linked.then(|| ids::salesforce_id("001", row as u64));
        assert_eq!(values[2].as_str(), source.as_deref());
        // A number arrives as a text.
        assert_eq!(values[3], account.seats.to_string());
        assert_eq!(values[5], world.users[account.csm as usize].email.as_ref());
        assert_eq!(values[6], Value::Null);
    }
}

#[tokio::test]
async fn terms_are_evaluated_whatever_they_ask() {
    let site = site(|_| {}).await;
    let all = site.count(json!([])).await;
    let half = async |yes: Value, no: Value| {
        let (a, b) = (
            site.count(json!([yes])).await,
            site.count(json!([no])).await,
        );
        assert!(a > 0 && b > 0 && a + b == all, "{yes}: {a}, {no}: {b}");
    };
    let attribute = |name: &str, test: &str, value: Value| json!({ "type": "string_attribute", "attribute": name, test: value });
    half(
        json!({ "type": "string", "term": "status_group", "in_list": ["paying"] }),
        json!({ "type": "string", "term": "status_group", "in_list": ["canceled"] }),
    )
    .await;
    half(
        attribute("Segment", "in_list", json!(["Enterprise", "SMB"])),
        attribute("Segment", "eq", json!("Mid-Market")),
    )
    .await;
    half(
        attribute("Salesforce ID", "is_empty", json!(true)),
        attribute("Salesforce ID", "is_empty", json!(false)),
    )
    .await;
    half(
        json!({ "type": "number_attribute", "attribute": "Licenses", "gte": 50 }),
        json!({ "type": "number_attribute", "attribute": "Licenses", "lt": 50 }),
    )
    .await;
    let due = json!({ "type": "date_attribute", "attribute": "Renewal Date", "gte": "2026-11-22", "lte": 1_803_081_600_000_i64 });
    half(due.clone(), json!({ "type": "not", "not": due })).await;
    let either = json!({ "type": "or", "or": [attribute("Segment", "eq", json!("SMB")), attribute("Segment", "eq", json!("Enterprise"))] });
    assert_eq!(
        site.count(json!([either])).await,
        site.count(json!([attribute(
            "Segment",
            "in_list",
            json!(["SMB", "Enterprise"])
        )]))
        .await
    );
    assert_eq!(
        site.count(json!([attribute("Nobody has this", "eq", json!("x"))]))
            .await,
        0
    );
    // What is not taken.
    for (query, wanted) in [
        (json!({ "fields": [] }), 401),
        (json!({ "terms": [] }), 400),
        (json!({ "terms": {}, "fields": [] }), 400),
        (json!({ "terms": [], "fields": [], "count": 1001 }), 400),
        (json!({ "terms": [], "fields": [], "offset": -1 }), 400),
        (
            json!({ "terms": [{ "type": "string", "term": "nothing", "eq": "x" }], "fields": [] }),
            400,
        ),
        (
            json!({ "terms": [{ "type": "strong", "term": "health", "eq": "x" }], "fields": [] }),
            400,
        ),
        (
            json!({ "terms": [{ "type": "string", "term": "health" }], "fields": [] }),
            400,
        ),
        (
            json!({ "terms": [], "fields": [{ "type": "string" }] }),
            400,
        ),
        (
            json!({ "terms": [], "fields": [], "sort_by": "nothing" }),
            400,
        ),
        (json!([]), 400),
    ] {
        let (status, answer) = site.query("/api/v1/search/accounts", &query).await;
        assert_eq!(
            (status, answer["message"].is_string()),
            (wanted, true),
            "{query}: {answer}"
        );
    }
    // JSON that is not in a form is no query.
    let naked = Body::Json(json!({ "terms": [], "fields": [] }));
    assert_eq!(
        site.send(Method::POST, "/api/v1/search/accounts", naked)
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn users_are_searched_in_pages() {
    let site = site(|_| {}).await;
    let mut seen = Vec::new();
    loop {
        let query = json!({ "terms": [], "fields": [attribute("Role")], "count": 300, "offset": seen.len() });
        let (_, answer) = site.query("/api/v1/search/users", &query).await;
        let hits = answer["response"]["users"]["hits"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if hits.is_empty() {
            break;
        }
        seen.extend(hits);
    }
    let world = &site.simulation.world;
    let expected = world
        .contacts
        .iter()
        .filter(|c| world.accounts[c.account as usize].in_gainsight)
        .count();
    assert_eq!(seen.len(), expected);
    assert!(
        seen.iter()
            .all(|hit| hit["account"]["display_name"].is_string()
                && hit["selected_fields"][0].is_string())
    );
}

#[tokio::test]
async fn events_come_newest_first_and_their_offset_counts_pages() {
    let site = site(|_| {}).await;
    let terms = |kind: &str| json!([{ "type": "or", "or": [{ "type": "event_property", "name": "event_type", "eq": kind }] }]);
    let first = site
        .events(json!({ "terms": terms("note"), "fields": [], "count": 5, "offset": 0 }))
        .await;
    let second = site
        .events(json!({ "terms": terms("note"), "fields": [], "count": 5, "offset": 1 }))
        .await;
    let ten = site
        .events(json!({ "terms": terms("note"), "fields": [], "count": 10, "offset": 0 }))
        .await;
    assert_eq!([first.clone(), second].concat(), ten);
    assert!(
        ten.windows(2)
            .all(|pair| pair[0]["timestamp"].as_i64() >= pair[1]["timestamp"].as_i64())
    );
    for note in &ten {
        assert!(note["type"] == "note" && note["note_content"]["text"].is_string());
        assert_ne!(note["id"], note["note_content"]["note_id"]);
    }
    let alerts = site
        .events(json!({ "terms": terms("alert"), "fields": [], "count": 100 }))
        .await;
    assert!(!alerts.is_empty());
    assert!(
        alerts
            .iter()
            .all(|alert| alert["properties"]["from"] != alert["properties"]["to"])
    );
    // Of one account, by form and by address.
    let account = text(&first[0]["account"]["id"]).to_owned();
    let query = json!({ "terms": terms("note"), "fields": [], "count": 1000 }).to_string();
    let (_, answer) = site
        .send(
            Method::POST,
            "/api/v2/events/search",
            Body::Form(&[("query", &query), ("account_id", &account)]),
        )
        .await;
    let own = answer["response"]["events"]["hits"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(
        !own.is_empty()
            && own
                .iter()
                .all(|note| note["account"]["id"] == account.as_str())
    );
    let all = site
        .get(&format!("/api/v2/events/?account_id={account}"))
        .await;
    let all = all
        .as_array()
        .cloned()
        .unwrap_or_else(|| panic!("no bare list: {all}"));
    assert_eq!(
        all.iter().filter(|event| event["type"] == "note").count(),
        own.len()
    );
    let since = json!([{ "type": "number", "term": "timestamp", "gte": 1_793_000_000_000_i64 }]);
    let recent = site
        .events(json!({ "terms": since, "fields": [], "count": 1000 }))
        .await;
    assert!(
        !recent.is_empty()
            && recent
                .iter()
                .all(|event| event["timestamp"].as_i64() >= Some(1_793_000_000_000))
    );
}

#[tokio::test]
async fn a_search_reaches_no_more_than_ten_thousand_rows() {
    let site = site(|options| options.accounts = 5_000).await;
    let query =
        |offset: usize| json!({ "terms": [], "fields": [], "count": 1000, "offset": offset });
    let (_, answer) = site.query("/api/v1/search/users", &query(9_500)).await;
    let users = &answer["response"]["users"];
    assert!(users["total_hits"].as_u64() > Some(10_500));
    assert_eq!(users["hits"].as_array().map(Vec::len), Some(500));
    let (_, answer) = site.query("/api/v1/search/users", &query(10_000)).await;
    assert_eq!(answer["response"]["users"]["hits"], json!([]));
}

#[tokio::test]
async fn the_limit_is_told_and_kept() {
    let site = site(|options| options.limits.totango_per_minute = 3).await;
    let mut last = None;
    for wanted in [200, 200, 200, 429, 429] {
        let (status, headers, _) = site
            .raw(Method::GET, "/api/v3/activity-types", Body::None)
            .await;
        assert_eq!(status, wanted);
        assert_eq!(headers["ratelimit-limit"], "3");
        let remaining: u32 = headers["ratelimit-remaining"]
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(99);
        assert!(last.is_none_or(|last: u32| remaining < last || remaining == 0));
        assert!(headers.contains_key("ratelimit-reset"));
        assert_eq!(headers.contains_key("retry-after"), status == 429);
        last = Some(remaining);
    }
    // What is sent as a picture is not counted.
    let sent = [("sdr_s", "SP-1-1"), ("sdr_o", "cust-000000")];
    assert!(
        site.client
            .get(site.url("/pixel.gif/"))
            .query(&sent)
            .send()
            .await
            .is_ok_and(|answer| answer.status() == 200)
    );
}

#[tokio::test]
async fn the_small_lists_are_there() {
    let site = site(|_| {}).await;
    let team = site.get("/api/v2/team_members").await;
    assert!(
        team.as_array()
            .is_some_and(|team| team.iter().any(|user| user["email"] == "dana@example.com"))
    );
    assert!(
        site.get("/api/v3/activity-types")
            .await
            .as_array()
            .is_some_and(|flows| flows.len() == 5)
    );
    assert!(site.get("/api/v3/accounts/cust-000000/plan_summary").await["plans"].is_array());
    assert_eq!(
        site.send(
            Method::GET,
            "/api/v3/accounts/nobody/plan_summary",
            Body::None
        )
        .await
        .0,
        404
    );
    let note = Body::Json(json!({ "account_id": "cust-000000", "content": "x" }));
    assert_eq!(
        site.send(Method::POST, "/api/v3/touchpoints", note).await.0,
        200
    );
    let audit = site
        .get("/api/v2/audit?startDate=2026-11-01&endDate=2026-11-30")
        .await;
    assert_eq!(audit.as_array().map(Vec::len), Some(1));
    assert_eq!(
        site.send(
            Method::GET,
            "/api/v2/audit?startDate=2025-11-01&endDate=2026-11-30",
            Body::None
        )
        .await
        .0,
        400
    );
}

#[tokio::test]
async fn absurd_questions_break_nothing() {
    let site = site(|_| {}).await;
    let mut deep = json!({ "type": "string", "term": "health", "eq": "red" });
    for _ in 0..40 {
        deep = json!({ "type": "not", "not": deep });
    }
    for query in [
        json!({ "terms": [deep], "fields": [] }),
        json!({ "terms": [], "fields": [], "offset": u64::MAX }),
        json!({ "terms": [], "fields": [], "count": 0 }),
        json!({ "terms": [null, 5], "fields": [] }),
        json!({ "terms": [], "fields": [null, 5] }),
        json!({ "terms": [{ "type": "or", "or": 5 }], "fields": [] }),
        json!({ "terms": [{ "type": "date_attribute", "attribute": "Renewal Date", "gte": {} }], "fields": [] }),
    ] {
        for path in ["/api/v1/search/accounts", "/api/v2/events/search"] {
            let (status, answer) = site.query(path, &query).await;
            assert!(status < 500, "{path} {query}: {answer}");
        }
    }
    for path in [
        "/api/v2/events/?account_id=%00",
        "/api/v3/tasks?id=99999999999999999999",
        "/api/v2/audit?startDate=x&endDate=y",
    ] {
        assert!(
            site.send(Method::GET, path, Body::None).await.0 < 500,
            "{path}"
        );
    }
    assert!(
        site.send(
            Method::DELETE,
            "/api/v3/touchpoints/n99999999999",
            Body::None
        )
        .await
        .0 == 404
    );
    let broken = site
        .client
        .post(site.url("/api/v3/tasks"))
        .header("app-token", &site.token)
        .header("content-type", "application/json")
        .body("{")
        .send()
        .await;
    assert_eq!(
        broken.map(|answer| answer.status().as_u16()).ok(),
        Some(400)
    );
}
