//! Over real HTTP: what clients of the vendor rely on.

mod changes;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::catalog::{COMPANIES, ENDUSERS, OPPORTUNITIES, TASKS, USERS, id_text};
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

async fn kept(dir: &Path) -> Site {
    let dir = dir.to_owned();
    site(|options| options.dir = Some(dir)).await
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
