//! What stands between a client and any vendor: faults, TLS, the control paths.

use std::time::Instant;

use jiff::civil::date;
use reqwest::{Certificate, Client};
use serde_json::{Value, json};

use super::faults::Faults;
use super::{AuthDetails, Options, Simulation, start};

async fn simulation(change: impl FnOnce(&mut Options)) -> Simulation {
    let mut options = Options {
        accounts: 30,
        vendors: vec!["gainsight".to_owned()],
        anchor: Some(date(2026, 11, 22)),
        freeze: true,
        ..Options::default()
    };
    change(&mut options);
    start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

fn client() -> Client {
    Client::builder()
        .tls_certs_only([])
        .build()
        .unwrap_or_else(|error| panic!("{error}"))
}

fn key(simulation: &Simulation) -> String {
    match &simulation.vendors[0].auth {
        AuthDetails::Header { value, .. } => value.clone(),
        other => panic!("{other:?}"),
    }
}

async fn users(client: &Client, simulation: &Simulation) -> reqwest::Result<(u16, String)> {
    let url = format!(
        "{}/v1/data/objects/query/GsUser/",
        simulation.vendors[0].base_url
    );
    let answer = client
        .post(url)
        .header("accesskey", key(simulation))
        .json(&json!({ "select": ["Name", "Email", "Title"] }))
        .send()
        .await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

#[tokio::test]
async fn faults_strike_as_told_and_stop_when_told() {
    let simulation = simulation(|_| {}).await;
    let client = client();
    let set = |text: &str| {
        simulation.set_faults(
            "gainsight",
            text.parse::<Faults>()
                .unwrap_or_else(|error| panic!("{error}")),
        )
    };
    assert_eq!(
        users(&client, &simulation)
            .await
            .map(|(status, _)| status)
            .ok(),
        Some(200)
    );
    set("error=100%");
    let (status, page) = users(&client, &simulation).await.unwrap_or_default();
    assert!(
        (status == 500 || status == 503) && page.starts_with("<html>"),
        "{status} {page}"
    );
    set("truncate=100%");
    assert!(
        users(&client, &simulation).await.is_err(),
        "half a body is no body"
    );
    set("rate-limit=2/min");
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(users(&client, &simulation).await.unwrap_or_default().0);
    }
    assert_eq!(codes, [200, 200, 429, 429]);
    set("latency=60ms");
    let begin = Instant::now();
    assert_eq!(users(&client, &simulation).await.unwrap_or_default().0, 200);
    assert!(begin.elapsed().as_millis() >= 60);
    set("none");
    assert_eq!(users(&client, &simulation).await.unwrap_or_default().0, 200);
}

#[tokio::test]
async fn a_write_can_be_accepted_and_its_answer_lost() {
    let simulation =
        simulation(|options| options.faults = "truncate=100%".parse().unwrap_or_default()).await;
    let client = client();
    let url = &simulation.vendors[0].base_url;
    let body = json!({ "records": [{ "ContextName": "Company", "TypeName": "Update", "ExternalId": "lost", "Subject": "x", "Author": "dana@example.com",
        "GsCompanyId": super::world::ids::gainsight_id("1P02", 0) }] });
    let sent = client
        .post(format!("{url}/v1/ant/es/activity"))
        .header("accesskey", key(&simulation))
        .json(&body)
        .send()
        .await;
    let answer = match sent {
        Ok(answer) => answer.bytes().await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(answer.is_err());
    let journal: Value = client
        .get(format!("{url}/__sim/journal"))
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error}"))
        .json()
        .await
        .unwrap_or_default();
    assert_eq!(journal.as_array().map(Vec::len), Some(1), "{journal}");
    assert_eq!(simulation.writes("gainsight").len(), 1);
}

#[tokio::test]
async fn the_control_paths_change_faults_and_count_requests() {
    let simulation = simulation(|_| {}).await;
    let client = client();
    let url = &simulation.vendors[0].base_url;
    let put = async |text: &'static str| {
        client
            .put(format!("{url}/__sim/faults"))
            .body(text)
            .send()
            .await
            .map(|answer| answer.status().as_u16())
            .unwrap_or(0)
    };
    assert_eq!(put("error=100%").await, 200);
    assert!(users(&client, &simulation).await.unwrap_or_default().0 >= 500);
    assert_eq!(put("nonsense").await, 400);
    assert_eq!(put("").await, 200);
    assert_eq!(users(&client, &simulation).await.unwrap_or_default().0, 200);
    let counts: Value = client
        .get(format!("{url}/__sim/requests"))
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error}"))
        .json()
        .await
        .unwrap_or_default();
    assert_eq!(counts["POST /v1/data/objects/query/GsUser"], json!(2));
}

#[tokio::test]
async fn tls_is_trusted_through_its_file_and_refused_without() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let simulation = simulation(|options| {
        options.tls = true;
        options.dir = Some(dir.path().to_owned());
    })
    .await;
    assert!(simulation.vendors[0].base_url.starts_with("https://"));
    let pem = simulation.vendors[0]
        .ca_file
        .as_ref()
        .and_then(|path| std::fs::read(path).ok())
        .unwrap_or_default();
    let certificate = Certificate::from_pem(&pem).unwrap_or_else(|error| panic!("{error}"));
    let trusting = Client::builder()
        .tls_certs_only([certificate])
        .build()
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        users(&trusting, &simulation)
            .await
            .map(|(status, _)| status)
            .ok(),
        Some(200)
    );
    assert!(users(&client(), &simulation).await.is_err());
}

#[tokio::test]
async fn a_taken_port_and_an_unknown_vendor_are_said_in_words() {
    let taken =
        std::net::TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
    let port = taken
        .local_addr()
        .map(|address| address.port())
        .unwrap_or_default();
    let error = start(Options {
        accounts: 3,
        port_base: Some(port),
        vendors: vec!["gainsight".to_owned()],
        ..Options::default()
    })
    .await
    .err();
    assert!(error.is_some_and(|error| error.to_string().contains("--port-base")));
    let error = start(Options {
        accounts: 3,
        vendors: vec!["acme".to_owned()],
        ..Options::default()
    })
    .await
    .err();
    assert!(error.is_some_and(|error| error.to_string().contains("acme")));
}

/// Both vendors on one world, and what a client asks them.
struct Pair {
    simulation: Simulation,
    client: Client,
    token: String,
}

impl Pair {
    async fn start(dir: &std::path::Path) -> Pair {
        let simulation = simulation(|options| {
            options.accounts = 240;
            options.vendors = vec!["salesforce".to_owned(), "gainsight".to_owned()];
            options.dir = Some(dir.to_owned());
        })
        .await;
        let client = client();
        let AuthDetails::ClientCredentials {
            client_id,
            client_secret,
            token_url,
        } = simulation.vendors[0].auth.clone()
        else {
            panic!("another kind of login")
        };
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", client_id),
            ("client_secret", client_secret),
        ];
        let answer = client
            .post(token_url)
            .form(&form)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let answer: Value = answer.json().await.unwrap_or_default();
        let token = answer["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned();
        Pair {
            simulation,
            client,
            token,
        }
    }

    async fn soql(&self, query: &str) -> Vec<Value> {
        let url = format!(
            "{}/services/data/v60.0/query",
            self.simulation.vendors[0].base_url
        );
        let answer = self
            .client
            .get(url)
            .query(&[("q", query)])
            .bearer_auth(&self.token)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let answer: Value = answer.json().await.unwrap_or_default();
        answer["records"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| panic!("{answer}"))
    }

    async fn companies(&self) -> Vec<Value> {
        let AuthDetails::Header { name, value } = &self.simulation.vendors[1].auth else {
            panic!("another kind of login")
        };
        let url = format!(
            "{}/v1/data/objects/query/Company",
            self.simulation.vendors[1].base_url
        );
        let body =
            json!({ "select": ["Gsid", "Name", "SfdcAccountId", "Website", "Renewal_Date"] });
        let answer = self
            .client
            .post(url)
            .header(name, value)
            .json(&body)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let answer: Value = answer.json().await.unwrap_or_default();
        answer["data"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| panic!("{answer}"))
    }
}

#[tokio::test]
async fn the_two_vendors_know_the_same_customers_under_their_own_ids_and_spellings() {
    let dir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let pair = Pair::start(dir.path()).await;
    let (accounts, companies) = (
        pair.soql("SELECT Id, Name FROM Account").await,
        pair.companies().await,
    );
    assert!(accounts.len() > 220 && companies.len() > 220);
    let (mut same, mut other, mut unlinked) = (0, 0, 0);
    for company in &companies {
        match company["SfdcAccountId"].as_str() {
            None => unlinked += 1,
            Some(id) => {
                let account = accounts
                    .iter()
                    .find(|account| account["Id"] == id)
                    .unwrap_or_else(|| panic!("{company} points nowhere"));
                *if account["Name"] == company["Name"] {
                    &mut same
                } else {
                    &mut other
                } += 1;
            }
        }
    }
    assert!(
        same > 150 && other > 0 && unlinked > 10,
        "{same} same, {other} in another spelling, {unlinked} without a link"
    );
    // What happens to a customer happens in both, and is there after a second start.
    let change = super::world::Change::AccountRenamed {
        account: 0,
        name: "Renamed Ltd".to_owned(),
    };
    pair.simulation
        .happen(1, change)
        .unwrap_or_else(|error| panic!("{error}"));
    drop(pair);
    let pair = Pair::start(dir.path()).await;
    assert_eq!(
        pair.soql("SELECT Id FROM Account WHERE Name = 'Renamed Ltd'")
            .await
            .len(),
        1
    );
    assert_eq!(
        pair.companies()
            .await
            .iter()
            .filter(|company| company["Name"] == "Renamed Ltd")
            .count(),
        1
    );
}
