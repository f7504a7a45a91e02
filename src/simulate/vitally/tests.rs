//! Over real HTTP: what clients of the vendor rely on, and what they trip over.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::simulate::world::{Change, Lifecycle};
use crate::simulate::{AuthDetails, Options, Simulation, start};

struct Site {
    simulation: Simulation,
    client: Client,
    key: String,
}

async fn site(change: impl FnOnce(&mut Options)) -> Site {
    let mut options = Options {
        vendors: vec!["vitally".to_owned()],
        anchor: Some(date(2026, 11, 22)),
        freeze: true,
        now: Arc::new(|| {
            "2026-11-22T09:00:00Z"
                .parse::<Timestamp>()
                .unwrap_or_default()
        }),
        ..Options::default()
    };
    options.limits.vitally_per_minute = 100_000;
    change(&mut options);
    let simulation = start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let AuthDetails::Basic { user, password } = simulation.vendors[0].auth.clone() else {
        panic!("no basic authentication")
    };
    assert_eq!(password, "");
    let client = Client::builder()
        .tls_certs_only([])
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    Site {
        simulation,
        client,
        key: user,
    }
}

impl Site {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/resources/{path}", self.simulation.vendors[0].base_url);
        self.client
            .request(method, url)
            .basic_auth(&self.key, Some(""))
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
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn all(&self, path: &str) -> Vec<Value> {
        let (mut all, mut from) = (Vec::new(), String::new());
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{join}limit=50{from}")).await;
            all.extend(list(&page).iter().cloned());
            match page["next"].as_str() {
                Some(next) => from = format!("&from={next}"),
                None => {
                    assert!(page["next"].is_null());
                    return all;
                }
            }
        }
    }

    async fn refused(&self, method: Method, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.send(method, path, body).await;
        (
            status.as_u16(),
            text(&answer["error"]["message"]).to_owned(),
        )
    }

    async fn first_account(&self) -> String {
        text(&self.get("accounts?limit=1").await["results"][0]["id"]).to_owned()
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

#[tokio::test]
async fn the_key_is_the_user_and_the_limit_is_told() {
    let site = site(|options| options.limits.vitally_per_minute = 3).await;
    let url = format!("{}/resources/admins", site.simulation.vendors[0].base_url);
    for (user, password) in [("wrong", ""), (site.key.as_str(), "x"), ("", &site.key)] {
        let answer = site
            .client
            .get(&url)
            .basic_auth(user, Some(password))
            .send()
            .await;
        assert!(answer.is_ok_and(|answer| answer.status() == StatusCode::UNAUTHORIZED));
    }
    let mut left = Vec::new();
    for _ in 0..4 {
        let answer = site
            .request(Method::GET, "admins")
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(header("ratelimit-limit"), "3, 3;window=60");
        let reset: u64 = header("ratelimit-reset").parse().unwrap_or(999);
        assert!(reset <= 60);
        left.push((answer.status().as_u16(), header("ratelimit-remaining")));
    }
    let expected = [(200, "2"), (200, "1"), (200, "0"), (429, "0")];
    assert_eq!(
        left,
        expected.map(|(status, left)| (status, left.to_owned()))
    );
}

#[tokio::test]
async fn lists_meet_each_record_once_in_both_orders() {
    let site = site(|_| {}).await;
    let world = site.simulation.world.clone();
    let seen: Vec<_> = world
        .accounts
        .iter()
        .filter(|account| account.in_gainsight)
        .collect();
    let churned = seen
        .iter()
        .filter(|account| account.lifecycle == Lifecycle::Churned)
        .count();
    let both = site.all("accounts?status=activeOrChurned").await;
    assert_eq!(both.len(), seen.len());
    assert_eq!(site.simulation.vendors[0].accounts, seen.len());
    assert_eq!(site.all("accounts").await.len(), seen.len() - churned);
    let gone = site.all("accounts?status=churned").await;
    assert!(churned > 0 && gone.len() == churned);
    assert!(gone.iter().all(|row| row["churnedAt"].is_string()));
    for name in [
        "organizations",
        "users",
        "tasks",
        "notes",
        "conversations",
        "npsResponses",
        "admins",
        "projects",
    ] {
        for (order, stamp) in [("updatedAt", "updatedAt"), ("createdAt", "createdAt")] {
            let rows = site.all(&format!("{name}?sortBy={order}")).await;
            assert!(!rows.is_empty(), "{name}");
            assert!(
                rows.windows(2)
                    .all(|pair| text(&pair[0][stamp]) >= text(&pair[1][stamp])),
                "{name} by {order}"
            );
            let ids: HashSet<&str> = rows.iter().map(|row| text(&row["id"])).collect();
            assert_eq!(ids.len(), rows.len(), "{name}");
        }
    }
    // The other spelling, and the stored identifiers.
    let other = seen
        .iter()
        .filter(|account| !account.linked)
        .find_map(|account| account.gainsight_name.as_deref())
        .unwrap_or_default();
    let found = both.iter().find(|row| row["name"] == other);
    assert!(
        found.is_some_and(|row| row["traits"]["salesforceId"].is_null()),
        "{other}"
    );
    let linked = both
        .iter()
        .filter(|row| row["traits"]["salesforceId"].is_string())
        .count();
    assert_eq!(linked, seen.iter().filter(|account| account.linked).count());
    for path in [
        "accounts?limit=101",
        "accounts?limit=0",
        "accounts?from=abc",
        "accounts?sortBy=name",
        "accounts?status=lost",
    ] {
        let (status, _) = site.refused(Method::GET, path, Value::Null).await;
        assert_eq!(status, 400, "{path}");
    }
    for path in ["giraffes", "accounts/nobody", "accounts/nobody/tasks"] {
        let (status, _) = site.refused(Method::GET, path, Value::Null).await;
        assert_eq!(status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_record_that_changes_while_pages_are_read_is_skipped_by_the_order_of_changes() {
    let site = site(|_| {}).await;
    let order = async |sort: &str| {
        let rows = site.all(&format!("users?sortBy={sort}")).await;
        rows.iter()
            .map(|row| text(&row["id"]).to_owned())
            .collect::<Vec<String>>()
    };
    for (sort, met) in [("updatedAt", false), ("createdAt", true)] {
        let ids = order(sort).await;
        let last = ids.last().cloned().unwrap_or_default();
        let first = site.get(&format!("users?sortBy={sort}&limit=100")).await;
        let (status, _) = site
            .send(
                Method::PUT,
                &format!("users/{last}"),
                json!({ "traits": { "note": sort } }),
            )
            .await;
        assert_eq!(status, StatusCode::OK);
        let mut seen: Vec<String> = Vec::new();
        let mut next = first["next"].as_str().map(str::to_owned);
        while let Some(from) = next {
            let page = site
                .get(&format!("users?sortBy={sort}&limit=100&from={from}"))
                .await;
            seen.extend(list(&page).iter().map(|row| text(&row["id"]).to_owned()));
            next = page["next"].as_str().map(str::to_owned);
        }
        assert_eq!(seen.contains(&last), met, "{sort}");
    }
}

#[tokio::test]
async fn a_task_lives_from_creation_to_deletion() {
    let site = site(|_| {}).await;
    let account = site.first_account().await;
    let admins = site.get("admins/search?email=DANA@example.com").await;
    let dana = text(&admins["results"][0]["id"]).to_owned();
    let body = json!({ "externalId": "csops-1", "accountId": account, "name": "Call \"Ada\"", "description": "<b>now</b>",
        "dueDate": "2026-12-01", "assignedToId": dana, "colour": "red" });
    let (status, made) = site.send(Method::POST, "tasks", body.clone()).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let id = text(&made["id"]).to_owned();
    assert_eq!(made["dueDate"], "2026-12-01T00:00:00.000Z");
    assert_eq!(made["createdAt"], "2026-11-22T09:00:00.000Z");
    assert!(made.get("colour").is_none() && made["completedAt"].is_null());
    assert_eq!(site.get("tasks/csops-1").await, made);
    assert_eq!(site.get(&format!("tasks/{id}")).await, made);
    let (status, why) = site.refused(Method::POST, "tasks", body).await;
    assert!(status == 400 && why.contains("csops-1"), "{status} {why}");
    let of_account = site.all(&format!("accounts/{account}/tasks")).await;
    assert_eq!(of_account[0], made, "newest first");
    assert_eq!(site.get("tasks?limit=1").await["results"][0], made);
    let done = json!({ "completedAt": "2026-11-22T10:00:00Z", "completedById": dana, "externalId": "other" });
    let (status, done) = site.send(Method::PUT, &format!("tasks/{id}"), done).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(done["completedAt"], "2026-11-22T10:00:00.000Z");
    assert_eq!(
        done["externalId"], "csops-1",
        "only a new task may have one"
    );
    assert_eq!(done["name"], made["name"]);
    assert!(text(&done["updatedAt"]) > text(&made["updatedAt"]));
    for (body, what) in [
        (json!({ "accountId": account }), "name"),
        (json!({ "name": "x" }), "accountId"),
        (json!({ "name": "x", "accountId": "nobody" }), "accountId"),
        (
            json!({ "name": "x", "accountId": account, "dueDate": "soon" }),
            "dueDate",
        ),
        (
            json!({ "name": "x", "accountId": account, "assignedToId": account }),
            "assignedToId",
        ),
        (json!({ "name": 7, "accountId": account }), "name"),
        (json!([]), "object"),
    ] {
        let (status, why) = site.refused(Method::POST, "tasks", body.clone()).await;
        assert!(
            status == 400 && why.contains(what),
            "{body}: {status} {why}"
        );
    }
    let broken = site.request(Method::POST, "tasks").body("{").send().await;
    assert!(broken.is_ok_and(|answer| answer.status() == StatusCode::BAD_REQUEST));
    let (status, _) = site
        .send(Method::DELETE, &format!("tasks/{id}"), Value::Null)
        .await;
    assert_eq!(status, StatusCode::OK);
    let path = format!("tasks/{id}");
    assert_eq!(site.refused(Method::GET, &path, Value::Null).await.0, 404);
    let left = site.all(&format!("accounts/{account}/tasks")).await;
    assert_eq!(left.len(), of_account.len() - 1);
    assert!(
        site.all("tasks")
            .await
            .iter()
            .all(|row| row["id"] != json!(id))
    );
    let (status, _) = site
        .refused(Method::POST, "admins", json!({ "name": "x" }))
        .await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn notes_and_accounts_are_written_and_traits_are_laid_over() {
    let site = site(|_| {}).await;
    let account = site.first_account().await;
    let path = format!("accounts/{account}");
    let before = site.get(&path).await;
    let (_, after) = site
        .send(
            Method::PUT,
            &path,
            json!({ "traits": { "sentiment": "Negative", "plan": "gold" }, "nextRenewalDate": "2027-03-01" }),
        )
        .await;
    assert_eq!(after["traits"]["sentiment"], "Negative");
    assert_eq!(after["traits"]["plan"], "gold");
    assert_eq!(after["traits"]["industry"], before["traits"]["industry"]);
    assert_eq!(after["nextRenewalDate"], "2027-03-01T00:00:00.000Z");
    assert_eq!(after["name"], before["name"]);
    assert_eq!(
        site.get("accounts?limit=1").await["results"][0]["id"],
        after["id"]
    );
    let external = text(&before["externalId"]).to_owned();
    assert_eq!(site.get(&format!("accounts/{external}")).await, after);
    let note = json!({ "accountId": external, "subject": "Call", "note": "<p>fine</p>", "noteDate": "2026-11-22T08:00:00Z" });
    let (status, made) = site.send(Method::POST, "notes", note).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    assert_eq!(made["accountId"], json!(account));
    let notes = site.get(&format!("accounts/{account}/notes?limit=1")).await;
    assert_eq!(notes["results"][0], made);
    let missing = json!({ "accountId": account, "note": "x" });
    let (status, why) = site.refused(Method::POST, "notes", missing).await;
    assert!(status == 400 && why.contains("noteDate"));
    let new = json!({ "externalId": "CUST-NEW", "name": "New AB", "traits": { "a": 1 } });
    let (status, made) = site.send(Method::POST, "accounts", new).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    assert_eq!(site.get("accounts/CUST-NEW").await["name"], "New AB");
    // Organizations hold the accounts of a group.
    let groups = site.all("organizations").await;
    let group = text(&groups[0]["id"]);
    let inside = site.all(&format!("organizations/{group}/accounts")).await;
    assert!(!inside.is_empty());
    assert!(inside.iter().all(|row| row["organizationId"] == group));
}

#[tokio::test]
async fn a_restart_meets_what_was_accepted_and_what_happened() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let folder = dir.path().to_owned();
    let first = site(|options| options.dir = Some(folder.clone())).await;
    let row = first
        .simulation
        .world
        .accounts
        .iter()
        .position(|account| account.in_gainsight && account.lifecycle != Lifecycle::Churned)
        .unwrap_or_default() as u32;
    let account = format!("CUST-{row:06}");
    let task = json!({ "externalId": "k", "accountId": account, "name": "x" });
    let (_, made) = first.send(Method::POST, "tasks", task).await;
    let (_, gone) = first
        .send(
            Method::POST,
            "tasks",
            json!({ "accountId": account, "name": "y" }),
        )
        .await;
    let path = format!("tasks/{}", text(&gone["id"]));
    first.send(Method::DELETE, &path, Value::Null).await;
    let changes = [
        Change::AccountRenamed {
            account: row,
            name: "Renamed AB".to_owned(),
        },
        Change::Health {
            account: row,
            score: 42,
        },
        Change::RiskOpened {
            account: row,
            reason: "Budget".to_owned(),
            name: "Budget at Renamed AB".to_owned(),
            owner: 2,
            due: date(2026, 12, 6),
        },
    ];
    for (number, change) in (1u64..).zip(changes) {
        assert!(first.simulation.happen(number, change).is_ok());
    }
    let look = async |site: &Site| {
        (
            site.get(&format!("accounts/{account}")).await,
            site.all(&format!("accounts/{account}/tasks")).await,
            site.get("tasks/k").await,
        )
    };
    let before = look(&first).await;
    assert_eq!(before.0["name"], "Renamed AB");
    assert_eq!(before.0["healthScore"], 4.2);
    assert_eq!(before.0["traits"]["riskReason"], "Budget");
    assert_eq!(before.1[0]["name"], "Budget at Renamed AB");
    assert_eq!(first.simulation.writes("vitally").len(), 3);
    drop(first);
    let second = site(|options| options.dir = Some(folder)).await;
    assert_eq!(look(&second).await, before);
    let (_, next) = second
        .send(
            Method::POST,
            "tasks",
            json!({ "accountId": account, "name": "z" }),
        )
        .await;
    assert!(next["id"] != made["id"] && next["id"] != gone["id"]);
}
