//! Over real HTTP: what clients of the vendor rely on.

mod changes;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use reqwest::Client;
use serde_json::{Value, json};

use super::application_key;
use super::catalog::{ACCOUNT, CONTACT, RENEWAL, TASK, USER_ACCOUNT, id};
use crate::simulate::world::{Change, WEEKS, ids};
use crate::simulate::{AuthDetails, Limits, Options, Simulation, start};

struct Site {
    simulation: Simulation,
    client: Client,
    user: String,
    key: String,
}

async fn site(change: impl FnOnce(&mut Options)) -> Site {
    let mut options = Options {
        vendors: vec!["churnzero".to_owned()],
        anchor: Some(date(2026, 11, 22)),
        freeze: true,
        now: Arc::new(|| {
            "2026-11-22T09:00:00Z"
                .parse::<Timestamp>()
                .unwrap_or_default()
        }),
        limits: Limits {
            churnzero_soft_per_minute: 100_000,
            churnzero_per_minute: 100_000,
            ..Limits::default()
        },
        ..Options::default()
    };
    change(&mut options);
    let simulation = start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let AuthDetails::Basic { user, password } = simulation.vendors[0].auth.clone() else {
        panic!("no basic credentials")
    };
    let client = Client::builder()
        .tls_certs_only([])
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    Site {
        simulation,
        client,
        user,
        key: password,
    }
}

impl Site {
    async fn raw(&self, path: &str, query: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}/public/v1{path}", self.simulation.vendors[0].base_url);
        let answer = self
            .client
            .get(url)
            .query(query)
            .basic_auth(&self.user, Some(&self.key))
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap_or_default();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let (status, answer) = self.raw(path, query).await;
        assert_eq!(status, 200, "{path} {query:?}: {answer}");
        answer
    }

    async fn filtered(&self, set: &str, filter: &str) -> Vec<Value> {
        self.all(&format!("/{set}"), &[("$filter", filter)]).await
    }

    /// All pages, by the links.
    async fn all(&self, path: &str, query: &[(&str, &str)]) -> Vec<Value> {
        let mut page = self.get(path, query).await;
        let mut rows = Vec::new();
        loop {
            let values = page["value"].as_array().cloned().unwrap_or_default();
            assert!(values.len() <= 100);
            rows.extend(values);
            let Some(next) = page.get("@odata.nextLink").and_then(Value::as_str) else {
                return rows;
            };
            assert!(
                next.starts_with(&self.simulation.vendors[0].base_url),
                "{next}"
            );
            let answer = self
                .client
                .get(next)
                .basic_auth(&self.user, Some(&self.key))
                .send()
                .await
                .unwrap_or_else(|error| panic!("{error}"));
            page = answer
                .json()
                .await
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }

    async fn refused(&self, path: &str, query: &[(&str, &str)]) -> u16 {
        let (status, answer) = self.raw(path, query).await;
        assert!(status >= 400, "{path} {query:?}: {answer}");
        assert_eq!(answer["error"]["code"], status.to_string(), "{answer}");
        assert!(answer["error"]["message"].is_string());
        status
    }

    fn app_key(&self) -> String {
        application_key(self.simulation.world.seed)
    }

    async fn push(&self, body: Value) -> (u16, Value) {
        let url = format!("{}/i", self.simulation.vendors[0].base_url);
        let answer = self
            .client
            .post(url)
            .json(&body)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn account(&self, external: &str) -> Value {
        let answer = self
            .get(&format!("/Account(AccountExternalId='{external}')"), &[])
            .await;
        answer["value"][0].clone()
    }
}

#[tokio::test]
async fn only_name_and_key_open_the_door() {
    let site = site(|_| {}).await;
    let url = format!("{}/public/v1/Account", site.simulation.vendors[0].base_url);
    for (user, key, wanted) in [
        (site.user.as_str(), site.key.as_str(), 200),
        (site.user.as_str(), "wrong", 401),
        ("somebody@example.com", site.key.as_str(), 401),
    ] {
        let answer = site
            .client
            .get(&url)
            .basic_auth(user, Some(key))
            .send()
            .await;
        assert_eq!(
            answer.map(|answer| answer.status().as_u16()).ok(),
            Some(wanted)
        );
    }
    let answer = site
        .client
        .get(&url)
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(answer.status().as_u16(), 401);
    let body: Value = answer.json().await.unwrap_or_default();
    assert_eq!(
        body["error"],
        json!({ "code": "401", "message": "Unauthorized" })
    );
}

#[tokio::test]
async fn accounts_are_those_of_the_world_in_pages_of_a_hundred() {
    let site = site(|_| {}).await;
    let world = site.simulation.world.clone();
    let all = site.all("/Account", &[]).await;
    let seen = world.accounts.iter().filter(|a| a.in_gainsight).count();
    assert_eq!(
        (all.len(), site.simulation.vendors[0].accounts),
        (seen, seen)
    );
    for row in &all {
        let place = (row["Id"].as_i64().unwrap_or(0) - 1001) as usize;
        let account = &world.accounts[place];
        assert_eq!(row["Name"], account.name_in_gainsight());
        let linked = account.linked && account.in_salesforce;
        let crm = linked.then(|| ids::salesforce_id("001", place as u64));
        assert_eq!(row["CrmId"].as_str(), crm.as_deref());
        // The score says risk, not health.
        let risk = world
            .health_now(place as u32)
            .map(|health| 100 - i64::from(health));
        assert_eq!(row["PrimaryChurnScoreValue"].as_i64(), risk);
        assert!(row["Cf"]["Segment"].is_string() && row.get("Cf/Segment").is_none());
    }
    let first = site.get("/Account", &[]).await;
    assert_eq!(first["value"].as_array().map(Vec::len), Some(100));
    assert!(first.get("@odata.count").is_none());
    assert!(
        first["@odata.context"]
            .as_str()
            .is_some_and(|text| text.ends_with("$metadata#Account"))
    );
    // With $top there is no link, and no more than a hundred rows.
    let top = site
        .get("/Account", &[("$top", "200"), ("$count", "true")])
        .await;
    assert_eq!(
        (top["value"].as_array().map(Vec::len), &top["@odata.count"]),
        (Some(100), &json!(seen))
    );
    assert!(top.get("@odata.nextLink").is_none());
    let mut stepped = Vec::new();
    loop {
        let skip = stepped.len().to_string();
        let page = site
            .get("/Account", &[("$top", "70"), ("$skip", &skip)])
            .await;
        let rows = page["value"].as_array().cloned().unwrap_or_default();
        if rows.is_empty() {
            break;
        }
        stepped.extend(rows);
    }
    assert_eq!(stepped, all);
    // A page that is followed keeps its filter.
    let active = site.filtered("Account", "IsActive eq true").await;
    assert!(active.len() > 100 && active.iter().all(|row| row["IsActive"] == true));
}

#[tokio::test]
async fn filters_are_evaluated_whatever_they_ask() {
    let site = site(|_| {}).await;
    let all = site.all("/Account", &[]).await;
    let half = async |yes: &str, no: &str| {
        let (a, b) = (
            site.filtered("Account", yes).await.len(),
            site.filtered("Account", no).await.len(),
        );
        assert!(a > 0 && b > 0, "{yes}: {a}, {no}: {b}");
        assert_eq!(a + b, all.len(), "{yes}, {no}");
    };
    half(
        "TotalContractAmount gt 20000",
        "TotalContractAmount le 20000",
    )
    .await;
    half("CrmId eq null", "CrmId ne null").await;
    half("contains(Name,'an')", "not contains(Name,'an')").await;
    half(
        "ObjectModifiedDate ge 2026-11-10T00:00:00Z",
        "ObjectModifiedDate lt 2026-11-10T00:00:00Z",
    )
    .await;
    half("Cf/Segment eq 'Enterprise'", "Cf/Segment ne 'Enterprise'").await;
    half(
        "IsActive eq true and LicenseCount ge 50",
        "IsActive eq false or LicenseCount lt 50",
    )
    .await;
    half("Use/SegmentId eq 2", "not (Cf/Segment eq 'Enterprise')").await;
    let quoted = site.filtered("Account", "Name eq 'O''Brien'").await;
    assert!(quoted.is_empty());
    let hostile = all
        .iter()
        .find(|row| row["Name"].as_str().is_some_and(|name| name.contains('\'')));
    let name = hostile
        .and_then(|row| row["Name"].as_str())
        .unwrap_or_else(|| panic!("no name with a quote"));
    let found = site
        .filtered(
            "Account",
            &format!("Name eq '{}'", name.replace('\'', "''")),
        )
        .await;
    assert!(found.iter().any(|row| row["Name"] == name));
    assert!(
        site.filtered("Account", "startswith(Name,'B')")
            .await
            .iter()
            .all(|row| row["Name"]
                .as_str()
                .is_some_and(|name| name.starts_with('B')))
    );
    // What the vendor does not take.
    for filter in [
        "IsActive eq true and LicenseCount ge 50 or CrmId eq null",
        "(IsActive eq true and LicenseCount ge 50) or CrmId eq null",
        "Id eq 1001",
        "AccountExternalId eq 'cust-000000'",
        "Nothing eq 1",
        "Name eq 5",
        "LicenseCount eq '5'",
        "ObjectModifiedDate ge '2026-11-10T00:00:00Z'",
        "ObjectModifiedDate ge 2026-11-10",
        "ObjectModifiedDate ge 2026-13-10T00:00:00Z",
        "Name eq 'open",
        "Name resembles 'x'",
        "tolower(Name) eq 'x'",
        "contains(LicenseCount,'5')",
        "IsActive",
        "IsActive eq true and",
        "(IsActive eq true",
        "Use/SegmentId eq 99",
    ] {
        assert_eq!(
            site.refused("/Account", &[("$filter", filter)]).await,
            400,
            "{filter}"
        );
    }
    assert_eq!(
        site.refused("/Event", &[("$filter", "contains(Description,'x')")])
            .await,
        400
    );
}

#[tokio::test]
async fn rows_are_selected_ordered_counted_and_expanded() {
    let site = site(|_| {}).await;
    let rows = site
        .get(
            "/Account",
            &[
                ("$select", "Id,Cf/Segment"),
                ("$orderby", "TotalContractAmount desc,Id"),
                ("$top", "5"),
            ],
        )
        .await;
    for row in rows["value"].as_array().into_iter().flatten() {
        assert_eq!(row.as_object().map(|row| row.len()), Some(2), "{row}");
        assert_eq!(row["Cf"].as_object().map(|own| own.len()), Some(1));
    }
    let ordered = site
        .all("/Account", &[("$orderby", "TotalContractAmount desc")])
        .await;
    assert!(
        ordered
            .windows(2)
            .all(|pair| pair[0]["TotalContractAmount"].as_f64()
                >= pair[1]["TotalContractAmount"].as_f64())
    );
    let dates = site.all("/Task", &[("$orderby", "DueDate")]).await;
    let due: Vec<Option<&str>> = dates.iter().map(|row| row["DueDate"].as_str()).collect();
    assert!(due.windows(2).all(|pair| pair[0] <= pair[1]));
    let count = site
        .get("/Account/$count", &[("$filter", "IsActive eq false")])
        .await;
    assert_eq!(
        count.as_u64(),
        Some(site.filtered("Account", "IsActive eq false").await.len() as u64)
    );
    let applied = site
        .get(
            "/Account",
            &[(
                "$apply",
                "filter(IsActive eq false)/aggregate($count as Total)",
            )],
        )
        .await;
    assert_eq!(applied["value"][0]["Total"], count);
    let contact = site
        .get("/Contact", &[("$expand", "Account"), ("$top", "1")])
        .await;
    let contact = &contact["value"][0];
    assert_eq!(contact["Account"]["Id"], contact["AccountId"]);
    for query in [
        ("$orderby", "Nothing"),
        ("$orderby", "Id upwards"),
        ("$select", "Id,Nothing"),
        ("$expand", "Friends"),
        ("$top", "many"),
        ("$skip", "-1"),
        ("$search", "x"),
        ("$apply", "groupby((Name))"),
    ] {
        assert_eq!(site.refused("/Account", &[query]).await, 400, "{query:?}");
    }
}

#[tokio::test]
async fn one_row_is_found_by_its_keys() {
    let site = site(|_| {}).await;
    let by_id = site.get("/Account(1001)", &[]).await;
    assert_eq!(by_id["ExternalId"], "cust-000000");
    // By an outside key the answer is a list.
    let by_key = site.account("cust-000000").await;
    assert_eq!(
        (&by_key["Name"], &by_key["Id"]),
        (&by_id["Name"], &by_id["Id"])
    );
    let contact = site
        .get(
            "/Contact(AccountExternalId='cust-000000',ContactExternalId='person-0000000')",
            &[],
        )
        .await;
    assert_eq!(contact["value"][0]["Id"], id(CONTACT, 0));
    for path in [
        "/Account(1)",
        "/Account(AccountExternalId='none')",
        "/Nothing",
        "/account",
        "/Nothing(5)",
        "/Account(5)/Friends",
    ] {
        assert_eq!(site.refused(path, &[]).await, 404, "{path}");
    }
    for path in [
        "/Account(Name='x')",
        "/Contact(ContactExternalId='person-0000000')",
        "/Account(AccountExternalId=5)",
    ] {
        assert_eq!(site.refused(path, &[]).await, 400, "{path}");
    }
    let factor = site
        .get("/ChurnScoreFactorCalculation(1001)/Account", &[])
        .await;
    assert_eq!(factor["value"][0]["Id"], 1001);
    // The sets describe themselves.
    let service = site.get("", &[]).await;
    let sets = service["value"].as_array().cloned().unwrap_or_default();
    for name in [
        "Account",
        "Contact",
        "Event",
        "EventType",
        "Task",
        "TaskStatus",
        "TaskPriority",
        "ChurnScore",
        "ChurnScoreFactor",
        "ChurnScoreCalculation",
        "Journey",
        "Survey",
        "SurveyResponse",
        "Segment",
        "CustomField",
        "UserAccount",
        "ZendeskTicket",
        "CustomListRenewal",
    ] {
        assert!(sets.iter().any(|set| set["name"] == name), "{name}");
        assert!(
            !site.get(&format!("/{name}"), &[]).await["value"]
                .as_array()
                .is_none_or(Vec::is_empty),
            "{name}"
        );
    }
    let described = site.get("/$metadata", &[]).await;
    assert!(
        described
            .as_str()
            .is_some_and(|text| text.contains("<EntitySet Name=\"ZendeskTicket\"")
                && text.contains("Edm.DateTimeOffset"))
    );
}

#[tokio::test]
async fn scores_and_events_of_an_account_are_the_worlds_history() {
    let site = site(|_| {}).await;
    let world = site.simulation.world.clone();
    let scores = site
        .filtered(
            "ChurnScoreCalculation",
            "AccountId eq 1001 and IsPrimary eq true",
        )
        .await;
    let known: Vec<i64> = (0..WEEKS)
        .filter_map(|week| world.health(0, week))
        .map(|score| 100 - i64::from(score))
        .collect();
    assert_eq!(
        scores
            .iter()
            .filter_map(|row| row["Score"].as_i64())
            .collect::<Vec<_>>(),
        known
    );
    let last = site
        .get(
            "/ChurnScoreCalculation",
            &[
                ("$filter", "AccountId eq 1001"),
                ("$orderby", "CalculationDay desc"),
                ("$top", "2"),
            ],
        )
        .await;
    assert_eq!(last["value"][0]["Score"].as_i64(), known.last().copied());
    let events = site
        .filtered("Event", "AccountExternalId eq 'cust-000000'")
        .await;
    let of = |name: &str| {
        events
            .iter()
            .filter(|row| row["EventTypeName"] == name)
            .count()
    };
    let weeks = (0..WEEKS)
        .filter(|week| world.usage(0, *week).is_some())
        .count();
    assert_eq!(
        (of("Active Users"), of("Logins"), of("Adoption")),
        (weeks, weeks, weeks)
    );
    let touches = world
        .touchpoints
        .iter()
        .filter(|touch| touch.account == 0 && touch.in_gainsight)
        .count();
    assert_eq!(events.len(), 3 * weeks + touches);
    let since = site
        .filtered(
            "Event",
            "EventDate ge 2026-11-01T00:00:00Z and AccountId eq 1001",
        )
        .await;
    let expected = events
        .iter()
        .filter(|row| row["EventDate"].as_str() >= Some("2026-11-01"))
        .count();
    assert_eq!(since.len(), expected);
    assert!(
        site.filtered("Event", "AccountExternalId eq 'nobody'")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn the_soft_limit_delays_and_the_hard_one_refuses() {
    let site = site(|options| {
        options.limits.churnzero_soft_per_minute = 2;
        options.limits.churnzero_per_minute = 4;
    })
    .await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        let begin = std::time::Instant::now();
        let (status, _) = site.raw("/UserAccount", &[("$top", "1")]).await;
        seen.push((status, begin.elapsed() >= super::DELAY));
    }
    assert_eq!(
        seen.iter().map(|one| one.0).collect::<Vec<_>>(),
        [200, 200, 200, 200, 429, 429]
    );
    assert!(seen[2].1 && seen[3].1, "{seen:?}");
}

#[tokio::test]
async fn absurd_questions_break_nothing() {
    let site = site(|_| {}).await;
    let deep = format!("{}IsActive eq true{}", "(".repeat(5000), ")".repeat(5000));
    let nots = format!("{} IsActive eq true", "not ".repeat(2000));
    for query in [
        ("$skip", "18446744073709551615"),
        ("$top", "18446744073709551615"),
        ("$top", "0"),
        ("$filter", deep.as_str()),
        ("$filter", nots.as_str()),
        ("$filter", "LicenseCount eq 1e999"),
        ("$filter", "'"),
        ("$filter", ",,,"),
        ("$orderby", ","),
        ("$select", ""),
        ("$apply", "filter()/aggregate($count as )"),
    ] {
        let (status, _) = site.raw("/Account", &[query]).await;
        assert!(status < 500, "{query:?}");
    }
    for path in [
        "/Account(",
        "/Account()",
        "/Account(')",
        "/Account(-9223372036854775808)",
        "/(5)",
        "/%00",
    ] {
        let (status, _) = site.raw(path, &[]).await;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
}
