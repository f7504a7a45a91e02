//! Over real HTTP: what clients of the vendor rely on, and what they trip over. `write` holds what is about writing.

mod write;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::date;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::simulate::{AuthDetails, Limits, Options, Simulation, start};

struct Site {
    simulation: Simulation,
    client: Client,
    token: String,
}

async fn site(change: impl FnOnce(&mut Options)) -> Site {
    let mut options = Options {
        vendors: vec!["hubspot".to_owned()],
        anchor: Some(date(2026, 11, 22)),
        freeze: true,
        now: Arc::new(|| {
            "2026-11-22T09:00:00Z"
                .parse::<Timestamp>()
                .unwrap_or_default()
        }),
        limits: Limits {
            hubspot_ten_secondly: 100_000,
            hubspot_search_per_second: 100_000,
            hubspot_search_lag: Duration::ZERO,
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
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    Site {
        simulation,
        client,
        token,
    }
}

impl Site {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.simulation.vendors[0].base_url);
        self.client.request(method, url).bearer_auth(&self.token)
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.send(Method::POST, path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    async fn refused(&self, method: Method, path: &str, body: Value) -> (u16, String, String) {
        let (status, answer) = self.send(method, path, body).await;
        assert_eq!(answer["status"], "error", "{path}: {answer}");
        assert_eq!(text(&answer["correlationId"]).len(), 36);
        (
            status.as_u16(),
            text(&answer["category"]).to_owned(),
            text(&answer["message"]).to_owned(),
        )
    }

    async fn all(&self, path: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{join}limit=100{after}")).await;
            all.extend(list(&page).iter().cloned());
            match page["paging"]["next"]["after"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return all,
            }
        }
    }

    async fn search(&self, object: &str, body: Value) -> Value {
        self.post(&format!("/crm/v3/objects/{object}/search"), body)
            .await
    }

    async fn total(&self, object: &str, filters: Value) -> u64 {
        let body = json!({ "filterGroups": [{ "filters": filters }], "limit": 1 });
        self.search(object, body).await["total"]
            .as_u64()
            .unwrap_or(u64::MAX)
    }

    async fn first_company(&self) -> String {
        let page = self.get("/crm/v3/objects/companies?limit=1").await;
        text(&page["results"][0]["id"]).to_owned()
    }

    async fn new_task(&self, properties: Value) -> Value {
        let mut all =
            json!({ "hs_timestamp": "2026-12-01T10:00:00Z", "hs_task_subject": "Call Ada" });
        for (name, value) in properties.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        self.post("/crm/v3/objects/tasks", json!({ "properties": all }))
            .await
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn list(value: &Value) -> &Vec<Value> {
    value["results"]
        .as_array()
        .unwrap_or_else(|| panic!("no results: {value}"))
}

fn ids(value: &Value) -> Vec<String> {
    list(value)
        .iter()
        .map(|row| text(&row["id"]).to_owned())
        .collect()
}

#[tokio::test]
async fn tokens_open_the_door_and_their_scopes_bound_what_is_behind_it() {
    let site = site(|_| {}).await;
    let base = &site.simulation.vendors[0].base_url;
    let url = format!("{base}/crm/v3/objects/companies");
    for token in ["", "pat-na1-wrong"] {
        let answer = site.client.get(&url).bearer_auth(token).send().await;
        let answer = answer.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let body: Value = answer.json().await.unwrap_or_default();
        assert_eq!(body["category"], "INVALID_AUTHENTICATION");
    }
    let reader = super::read_only_token(1);
    let read = site.client.get(&url).bearer_auth(&reader).send().await;
    assert!(read.is_ok_and(|answer| answer.status() == StatusCode::OK));
    let search = site
        .client
        .post(format!("{url}/search"))
        .bearer_auth(&reader)
        .json(&json!({}));
    assert!(
        search
            .send()
            .await
            .is_ok_and(|answer| answer.status() == StatusCode::OK)
    );
    let write = site
        .client
        .post(&url)
        .bearer_auth(&reader)
        .json(&json!({ "properties": { "name": "x" } }));
    let answer = write.send().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let body: Value = answer.json().await.unwrap_or_default();
    assert_eq!(body["category"], "MISSING_SCOPES");
    assert!(body["errors"][0]["context"]["requiredGranularScopes"].is_array());
}

#[tokio::test]
async fn oauth_gives_tokens_that_end_and_refresh_tokens_that_stay() {
    let site = site(|_| {}).await;
    let base = site.simulation.vendors[0].base_url.clone();
    let (id, secret, refresh) = super::oauth_app(1);
    let ask = async |path: &str, fields: &[(&str, &str)]| {
        let answer = site
            .client
            .post(format!("{base}{path}"))
            .form(fields)
            .send()
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("{error}"));
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap_or_default())
    };
    let with = |kind: &'static str, token: String| {
        vec![
            ("grant_type", kind.to_owned()),
            ("client_id", id.clone()),
            ("client_secret", secret.clone()),
            ("refresh_token", token),
        ]
    };
    let borrowed =
        |fields: &[(&'static str, String)]| -> Vec<(&'static str, String)> { fields.to_vec() };
    let mut tokens = Vec::new();
    for path in ["/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-03/token"] {
        let fields = borrowed(&with("refresh_token", refresh.clone()));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let (status, given) = ask(path, &fields).await;
        assert_eq!(status, 200, "{given}");
        assert_eq!(
            (&given["expires_in"], &given["refresh_token"]),
            (&json!(1800), &json!(refresh))
        );
        tokens.push(text(&given["access_token"]).to_owned());
    }
    let (status, wrong) = ask(
        "/oauth/v1/token",
        &[
            ("grant_type", "refresh_token"),
            ("client_id", &id),
            ("client_secret", &secret),
            ("refresh_token", "no"),
        ],
    )
    .await;
    assert_eq!((status, text(&wrong["status"])), (400, "BAD_REFRESH_TOKEN"));
    let read = async |token: &str| {
        let url = format!("{base}/crm/objects/2026-03/0-2?limit=1");
        let answer = site.client.get(url).bearer_auth(token).send().await;
        answer.unwrap_or_else(|error| panic!("{error}"))
    };
    let good = read(&tokens[0]).await;
    assert_eq!(good.status(), StatusCode::OK);
    assert!(
        good.headers().get("x-hubspot-ratelimit-daily").is_none(),
        "no daily limit with OAuth"
    );
    let (_, about) = ask("/oauth/2026-03/token/introspect", &[("token", &tokens[0])]).await;
    assert_eq!(
        (&about["active"], &about["hub_id"]),
        (&json!(true), &json!(super::PORTAL))
    );
    site.simulation.expire_tokens("hubspot");
    let expired = read(&tokens[0]).await;
    assert_eq!(expired.status(), StatusCode::UNAUTHORIZED);
    let body: Value = expired.json().await.unwrap_or_default();
    assert_eq!(body["category"], "EXPIRED_AUTHENTICATION");
    // The way with a browser: a code for a redirect address, with a challenge, good once.
    let page = format!(
        "{base}/oauth/authorize?client_id={id}&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fback&scope=oauth&state=s%261&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    );
    let answer = site.client.get(page).send().await;
    let answer = answer.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer.status(), StatusCode::FOUND);
    let target = answer.headers()["location"].to_str().unwrap_or_default();
    let code = target
        .strip_prefix("http://127.0.0.1:9/back?code=")
        .and_then(|rest| rest.strip_suffix("&state=s%261"))
        .unwrap_or_else(|| panic!("{target}"));
    let trade = async |code: &str, verifier: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
            ("redirect_uri", "http://127.0.0.1:9/back"),
            ("code", code),
            ("code_verifier", verifier),
        ];
        ask("/oauth/v3/token", &fields).await
    };
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let (status, given) = trade(code, verifier).await;
    assert_eq!(status, 200, "{given}");
    assert_eq!(trade(code, verifier).await.0, 400, "a code is good once");
    // A revoked refresh token gives nothing more.
    ask("/oauth/2026-03/token/revoke", &[("token", &refresh)]).await;
    let fields = with("refresh_token", refresh.clone());
    let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (*a, b.as_str())).collect();
    assert_eq!(ask("/oauth/v1/token", &fields).await.0, 400);
}

#[tokio::test]
async fn lists_page_to_the_end_and_every_value_is_a_text() {
    let site = site(|_| {}).await;
    let seen = site
        .simulation
        .world
        .accounts
        .iter()
        .filter(|account| account.in_salesforce)
        .count();
    let all = site
        .all("/crm/v3/objects/companies?properties=name,arr,seats,health_score,salesforceaccountid,no_such_property,renewal_date")
        .await;
    assert_eq!(all.len(), seen);
    assert_eq!(site.simulation.vendors[0].accounts, seen);
    for row in &all {
        let properties = row["properties"]
            .as_object()
            .unwrap_or_else(|| panic!("{row}"));
        assert!(!properties.contains_key("no_such_property"));
        assert!(
            !properties.contains_key("domain"),
            "only what was asked for"
        );
        assert!(properties.contains_key("hs_lastmodifieddate"));
        for (name, value) in properties {
            assert!(value.is_string() || value.is_null(), "{name}: {value}");
        }
        assert_eq!(row["updatedAt"], row["properties"]["hs_lastmodifieddate"]);
        assert!(text(&row["updatedAt"]).ends_with('Z'));
    }
    let linked = all
        .iter()
        .filter(|row| row["properties"]["salesforceaccountid"].is_string())
        .count();
    assert!(linked > 0 && linked < all.len());
    // Without names: the defaults, and ten rows.
    let page = site.get("/crm/v3/objects/contacts").await;
    assert_eq!(list(&page).len(), 10);
    let names: Vec<&str> = page["results"][0]["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "createdate",
            "email",
            "firstname",
            "hs_object_id",
            "lastmodifieddate",
            "lastname"
        ]
    );
    let link = text(&page["paging"]["next"]["link"]);
    let next = site.client.get(link).bearer_auth(&site.token).send().await;
    assert!(next.is_ok_and(|answer| answer.status() == StatusCode::OK));
    for (path, wrong) in [
        ("companies?limit=101", "limit"),
        ("companies?limit=x", "limit"),
        ("companies?after=x", "cursor"),
        ("companies?limit=51&propertiesWithHistory=arr", "limit"),
        ("giraffes", "Unable to infer object type from: giraffes"),
    ] {
        let (status, category, message) = site
            .refused(Method::GET, &format!("/crm/v3/objects/{path}"), Value::Null)
            .await;
        assert_eq!((status, category.as_str()), (400, "VALIDATION_ERROR"));
        assert!(message.contains(wrong), "{path}: {message}");
    }
}

#[tokio::test]
async fn dated_and_older_paths_and_all_names_lead_to_the_same_records() {
    let site = site(|_| {}).await;
    let first = site.get("/crm/v3/objects/companies?limit=3").await;
    for path in [
        "/crm/objects/2026-03/companies?limit=3",
        "/crm/objects/2026-09/0-2?limit=3",
        "/crm/v3/objects/0-2?limit=3",
        "/crm/v3/objects/company?limit=3",
        "/crm/v4/objects/companies?limit=3",
    ] {
        assert_eq!(list(&site.get(path).await), list(&first), "{path}");
    }
    for (path, count) in [
        ("/crm/objects/2026-03/0-1", 10),
        ("/crm/objects/2026-03/0-3", 10),
        ("/crm/objects/2026-03/0-5", 10),
        ("/crm/objects/2026-03/0-27", 10),
        ("/crm/objects/2026-03/0-46", 10),
        ("/crm/objects/2026-03/calls", 10),
        ("/crm/objects/2026-03/meetings", 10),
        ("/crm/objects/2026-03/emails", 10),
        ("/crm/objects/2026-03/feedback_submissions", 10),
    ] {
        assert_eq!(list(&site.get(path).await).len(), count, "{path}");
    }
    for path in [
        "/crm/objects/2025-03/companies",
        "/crm/v1/objects/companies",
        "/nowhere",
    ] {
        let (status, ..) = site.refused(Method::GET, path, Value::Null).await;
        assert_eq!(status, 404, "{path}");
    }
    for path in [
        "/crm/owners/2026-03",
        "/crm/pipelines/2026-03/deals",
        "/crm/properties/2026-03/companies",
        "/account-info/2026-03/details",
        "/account-info/v3/api-usage/daily/private-apps",
    ] {
        site.get(path).await;
    }
}

#[tokio::test]
async fn every_operator_divides_the_records() {
    let site = site(|_| {}).await;
    let all = site.all("/crm/v3/objects/companies").await.len() as u64;
    let one = |name: &str, operator: &str, value: &str| json!([{ "propertyName": name, "operator": operator, "value": value }]);
    let day = "2026-11-10T00:00:00Z";
    for (name, a, b, value) in [
        ("arr", "GT", "LTE", "20000"),
        ("arr", "LT", "GTE", "20000"),
        ("segment", "EQ", "NEQ", "smb"),
        ("hs_lastmodifieddate", "LT", "GTE", day),
        ("name", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN", "Inc"),
        ("name", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN", "*an*"),
    ] {
        let (x, y) = (
            site.total("companies", one(name, a, value)).await,
            site.total("companies", one(name, b, value)).await,
        );
        assert!(
            x > 0 && y > 0 && x + y == all,
            "{name} {a}: {x} + {y} of {all}"
        );
    }
    let has = site
        .total(
            "companies",
            json!([{ "propertyName": "domain", "operator": "HAS_PROPERTY" }]),
        )
        .await;
    let not = site
        .total(
            "companies",
            json!([{ "propertyName": "domain", "operator": "NOT_HAS_PROPERTY" }]),
        )
        .await;
    assert!(has > 0 && not > 0 && has + not == all);
    let values = json!(["smb", "enterprise"]);
    let within = site
        .total(
            "companies",
            json!([{ "propertyName": "segment", "operator": "IN", "values": values }]),
        )
        .await;
    let without = site
        .total(
            "companies",
            json!([{ "propertyName": "segment", "operator": "NOT_IN", "values": values }]),
        )
        .await;
    assert!(within > 0 && without > 0 && within + without == all);
    // A moment is epoch milliseconds or ISO, and a range has both its ends.
    let at: Timestamp = day.parse().unwrap_or_default();
    let iso = site
        .total("companies", one("hs_lastmodifieddate", "GTE", day))
        .await;
    let ms = at.as_millisecond().to_string();
    let epoch = site
        .total("companies", one("hs_lastmodifieddate", "GTE", &ms))
        .await;
    assert_eq!(iso, epoch);
    let between = |from: &str, to: &str| json!([{ "propertyName": "arr", "operator": "BETWEEN", "value": from, "highValue": to }]);
    let parts = site.total("companies", between("-1", "20000")).await
        + site.total("companies", between("20000.01", "1e15")).await;
    assert_eq!(parts, all);
    // Texts go without regard to case, picks with it.
    let rows = site.get("/crm/v3/objects/companies?limit=1").await;
    let name = text(&rows["results"][0]["properties"]["name"]);
    let shout = name.to_uppercase();
    assert!(site.total("companies", one("name", "EQ", &shout)).await >= 1);
    assert_eq!(
        site.total("companies", one("segment", "EQ", "SMB")).await,
        0
    );
    // Groups are joined by OR, filters by AND; text finds by the beginning of words.
    let either = json!({ "filterGroups": [
        { "filters": one("segment", "EQ", "smb") },
        { "filters": [{ "propertyName": "segment", "operator": "EQ", "value": "enterprise" }, { "propertyName": "arr", "operator": "GT", "value": "1000000000" }] }
    ] });
    assert_eq!(
        site.search("companies", either).await["total"],
        json!(site.total("companies", one("segment", "EQ", "smb")).await)
    );
    let found = site
        .search(
            "companies",
            json!({ "query": "rocket ret", "properties": ["name"] }),
        )
        .await;
    assert!(
        list(&found)
            .iter()
            .any(|row| text(&row["properties"]["name"]).contains("Rocket Retail"))
    );
    // Records of a company by its associations.
    let company = site.first_company().await;
    let by_company = site
        .total("contacts", one("associations.company", "EQ", &company))
        .await;
    let linked = site
        .get(&format!(
            "/crm/v4/objects/companies/{company}/associations/contacts"
        ))
        .await;
    assert_eq!(by_company, list(&linked).len() as u64);
}

#[tokio::test]
async fn search_sorts_pages_by_number_and_stops_at_its_limits() {
    let site = site(|options| options.accounts = 4000).await;
    let sorted = json!({ "sorts": [{ "propertyName": "arr", "direction": "DESCENDING" }], "limit": 200, "properties": ["arr"] });
    let page = site.search("companies", sorted).await;
    assert_eq!(list(&page).len(), 200);
    assert_eq!(page["paging"]["next"]["after"], "200");
    let numbers: Vec<f64> = list(&page)
        .iter()
        .map(|row| text(&row["properties"]["arr"]).parse().unwrap_or(-1.0))
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[0] >= pair[1]));
    // The cap counts results, not pages; `total` goes on telling the truth.
    let last = site
        .search("contacts", json!({ "limit": 200, "after": "9800" }))
        .await;
    assert_eq!(list(&last).len(), 200);
    let total = last["total"].as_u64().unwrap_or_default();
    assert!(total > 10_000, "{total}");
    let object = "/crm/v3/objects/contacts/search";
    let filter = json!({ "propertyName": "email", "operator": "HAS_PROPERTY" });
    let group = |count: usize| json!({ "filters": vec![filter.clone(); count] });
    for (body, what) in [
        (json!({ "limit": 200, "after": "9801" }), "10000"),
        (json!({ "limit": 201 }), "200"),
        (json!({ "after": "x" }), "after"),
        (json!({ "filterGroups": vec![group(1); 6] }), "5"),
        (json!({ "filterGroups": [group(7)] }), "6"),
        (
            json!({ "filterGroups": [group(6), group(6), group(6), group(1)] }),
            "18",
        ),
        (json!({ "query": "x".repeat(3001) }), "3000"),
        (json!({ "sorts": ["email", "lastname"] }), "one sort"),
        (json!({ "sorts": [{ "propertyName": "nope" }] }), "nope"),
        (
            json!({ "filterGroups": [{ "filters": [{ "propertyName": "nope", "operator": "EQ", "value": "1" }] }] }),
            "nope",
        ),
        (
            json!({ "filterGroups": [{ "filters": [{ "propertyName": "email", "operator": "LIKE", "value": "1" }] }] }),
            "LIKE",
        ),
        (
            json!({ "filterGroups": [{ "filters": [{ "propertyName": "email", "operator": "EQ" }] }] }),
            "value",
        ),
        (
            json!({ "filterGroups": [{ "filters": [{ "propertyName": "createdate", "operator": "GT", "value": "yesterday" }] }] }),
            "yesterday",
        ),
        (
            json!({ "filterGroups": [{ "filters": [{ "propertyName": "hs_lastmodifieddate", "operator": "GT", "value": "1" }] }] }),
            "hs_lastmodifieddate",
        ),
    ] {
        let (status, category, message) = site.refused(Method::POST, object, body.clone()).await;
        assert_eq!(
            (status, category.as_str()),
            (400, "VALIDATION_ERROR"),
            "{body}"
        );
        assert!(message.contains(what), "{body}: {message}");
    }
    // The way past the cap: by id, window after window.
    let (mut seen, mut last) = (0, "0".to_owned());
    loop {
        let body = json!({ "limit": 200, "sorts": [{ "propertyName": "hs_object_id", "direction": "ASCENDING" }],
            "filterGroups": [{ "filters": [{ "propertyName": "hs_object_id", "operator": "GT", "value": last }] }] });
        let page = site.search("contacts", body).await;
        let found = ids(&page);
        seen += found.len() as u64;
        match found.last() {
            Some(id) => last.clone_from(id),
            None => break,
        }
    }
    assert_eq!(seen, total);
}

#[tokio::test]
async fn search_hears_of_a_change_later_than_the_record() {
    let site = site(|options| options.limits.hubspot_search_lag = Duration::from_secs(600)).await;
    let company = site.first_company().await;
    let before = site
        .get(&format!("/crm/v3/objects/companies/{company}"))
        .await;
    let (status, changed) = site
        .send(
            Method::PATCH,
            &format!("/crm/v3/objects/companies/{company}"),
            json!({ "properties": { "name": "Zebra Nova" } }),
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(changed["properties"]["name"], "Zebra Nova");
    let by_id = json!({ "filterGroups": [{ "filters": [{ "propertyName": "hs_object_id", "operator": "EQ", "value": company }] }] });
    let found = site.search("companies", by_id).await;
    assert_eq!(
        found["results"][0]["properties"]["name"],
        before["properties"]["name"]
    );
    let made = site.new_task(json!({})).await;
    let by_id = json!([{ "propertyName": "hs_object_id", "operator": "EQ", "value": made["id"] }]);
    assert_eq!(site.total("tasks", by_id).await, 0);
    site.get(&format!("/crm/v3/objects/tasks/{}", text(&made["id"])))
        .await;
}

#[tokio::test]
async fn the_history_of_health_and_usage_is_that_of_their_properties() {
    let site = site(|_| {}).await;
    let page = site
        .get("/crm/v3/objects/companies?limit=50&propertiesWithHistory=health_score,name")
        .await;
    let rows = list(&page);
    let longest = rows
        .iter()
        .filter_map(|row| row["propertiesWithHistory"]["health_score"].as_array())
        .max_by_key(|versions| versions.len())
        .cloned()
        .unwrap_or_default();
    assert!(longest.len() > 90, "{}", longest.len());
    assert!(
        longest
            .windows(2)
            .all(|pair| text(&pair[0]["timestamp"]) > text(&pair[1]["timestamp"]))
    );
    let id = text(&rows[0]["id"]);
    let path = format!("/crm/v3/objects/companies/{id}");
    site.send(
        Method::PATCH,
        &path,
        json!({ "properties": { "health_score": "3" } }),
    )
    .await;
    let shown = site
        .get(&format!("{path}?propertiesWithHistory=health_score"))
        .await;
    assert_eq!(
        shown["propertiesWithHistory"]["health_score"][0]["value"],
        "3"
    );
}

#[tokio::test]
async fn limits_refuse_and_tell() {
    let site = site(|options| {
        options.limits.hubspot_ten_secondly = 12;
        options.limits.hubspot_search_per_second = 5;
    })
    .await;
    let answer = site
        .request(Method::GET, "/crm/v3/owners")
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    assert_eq!(header("x-hubspot-ratelimit-max"), Some("12"));
    assert_eq!(header("x-hubspot-ratelimit-remaining"), Some("11"));
    assert_eq!(
        header("x-hubspot-ratelimit-interval-milliseconds"),
        Some("10000")
    );
    assert_eq!(header("x-hubspot-ratelimit-daily"), Some("625000"));
    let mut policies = Vec::new();
    for _ in 0..30 {
        let answer = site
            .request(Method::POST, "/crm/v3/objects/tasks/search")
            .json(&json!({}))
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let found = answer.headers().get("x-hubspot-ratelimit-max").is_some();
        assert!(!found, "searches tell no limits");
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.headers().get("retry-after").is_none());
            let body: Value = answer.json().await.unwrap_or_default();
            assert_eq!(body["errorType"], "RATE_LIMIT");
            policies.push(text(&body["policyName"]).to_owned());
        }
    }
    assert!(policies.iter().any(|policy| policy == "SECONDLY"));
    let mut last = String::new();
    for _ in 0..13 {
        let (_, body) = site.send(Method::GET, "/crm/v3/owners", Value::Null).await;
        last = body["policyName"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!(last, "TEN_SECONDLY_ROLLING");
}

#[tokio::test]
async fn owners_who_left_are_archived_and_pages_go_on() {
    let site = site(|_| {}).await;
    let all = site.all("/crm/v3/owners").await;
    let world = &site.simulation.world;
    let active = world.users.iter().filter(|user| user.active).count();
    assert_eq!(all.len(), active);
    let gone = site.get("/crm/v3/owners?archived=true").await;
    assert_eq!(list(&gone).len(), world.users.len() - active);
    for row in list(&gone) {
        assert!(row["userId"].is_null() && row["userIdIncludingInactive"].is_u64());
    }
    let page = site.get("/crm/v3/owners?limit=2").await;
    assert_eq!(list(&page).len(), 2);
    let id = text(&page["results"][0]["id"]);
    let user = page["results"][0]["userId"].to_string();
    assert_eq!(site.get(&format!("/crm/v3/owners/{id}")).await["id"], id);
    let by_user = site
        .get(&format!("/crm/v3/owners/{user}?idProperty=userId"))
        .await;
    assert_eq!(by_user["id"], id);
    let path = format!("/crm/v3/owners/{user}");
    assert_eq!(site.refused(Method::GET, &path, Value::Null).await.0, 404);
}
