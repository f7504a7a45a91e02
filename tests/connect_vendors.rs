//! The connectors against the simulated vendors, over real HTTP: every stream, every write, and what happens when the vendors misbehave.

use csops::book::{Clock, Cursor, Record, RowProblem};
use csops::connect::{self, Auth, Connector, SourceSettings};
use csops::simulate::{AuthDetails, Options, Simulation, start};
use jiff::{Timestamp, tz::TimeZone};
use std::collections::BTreeMap;
use std::sync::Arc;

struct RealClock;
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

async fn vendors(accounts: usize) -> Simulation {
    let mut options = Options {
        accounts,
        freeze: true,
        ..Options::default()
    };
    options.limits.gainsight_per_minute = 100_000;
    start(options).await.expect("the simulated vendors start")
}

fn settings(sim: &Simulation, connector: &str) -> SourceSettings {
    let v = sim
        .vendors
        .iter()
        .find(|v| v.connector == connector)
        .expect("the vendor is there");
    let auth = match v.auth.clone() {
        AuthDetails::ClientCredentials {
            client_id,
            client_secret,
            token_url,
        } => Auth::ClientCredentials {
            client_id,
            client_secret: client_secret.into(),
            token_url: Some(token_url),
        },
        AuthDetails::Header { name, value } => Auth::Header {
            name,
            value: value.into(),
        },
        AuthDetails::Bearer { token } => Auth::Bearer(token.into()),
        AuthDetails::Basic { user, password } => Auth::Basic {
            user,
            password: password.into(),
        },
    };
    SourceSettings {
        name: connector.into(),
        connector: connector.into(),
        base_url: Some(v.base_url.clone()),
        auth,
        ca_file: None,
        daily_requests: None,
        fields: BTreeMap::new(),
        options: BTreeMap::from([("requests_per_minute".to_owned(), "0".to_owned())]),
    }
}

fn open(sim: &Simulation, connector: &str) -> Box<dyn Connector> {
    connect::open(settings(sim, connector), Arc::new(RealClock)).expect("the source opens")
}

struct Pulled {
    records: Vec<Record>,
    problems: Vec<RowProblem>,
    cursor: Cursor,
    requests: u32,
}

async fn pull(c: &dyn Connector, stream: &str, from: Option<Cursor>) -> Pulled {
    let mut out = Pulled {
        records: Vec::new(),
        problems: Vec::new(),
        cursor: Cursor(String::new()),
        requests: 0,
    };
    let mut cursor = from;
    loop {
        let page = c
            .fetch(stream, cursor.as_ref())
            .await
            .unwrap_or_else(|e| panic!("{stream}: {e}"));
        out.records.extend(page.records);
        out.problems.extend(page.problems);
        out.requests += page.requests;
        cursor = Some(page.next.clone());
        if page.done {
            out.cursor = page.next;
            return out;
        }
    }
}

/// How many of the rows carry a value in each field.
fn filled(records: &[Record]) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for (name, value) in records
        .iter()
        .filter(|r| !r.deleted)
        .flat_map(|r| &r.fields)
    {
        *out.entry(name.to_string()).or_insert(0) += usize::from(!value.is_null());
    }
    out
}

/// Pulls every stream, then again: the second run must cost at most one request per stream.
async fn pull_all(c: &dyn Connector) -> BTreeMap<&'static str, Pulled> {
    let mut out = BTreeMap::new();
    for s in c.streams() {
        let got = pull(c, s.name, None).await;
        let again = pull(c, s.name, Some(got.cursor.clone())).await;
        if !s.apart {
            assert!(
                again.requests <= 1,
                "{} asks {} times when nothing changed",
                s.name,
                again.requests
            );
        }
        for r in &again.records {
            let same = got.records.iter().any(|g| g == r);
            assert!(
                same,
                "{}: a row came differently although nothing changed: {r:?}",
                s.name
            );
        }
        out.insert(s.name, got);
    }
    out
}

fn expect(pulled: &BTreeMap<&str, Pulled>, stream: &str, fields: &[&str]) {
    let got = &pulled[stream];
    assert!(!got.records.is_empty(), "{stream} is empty");
    let filled = filled(&got.records);
    for f in fields {
        assert!(
            filled.get(*f).copied().unwrap_or(0) * 10 > got.records.len(),
            "{stream}: {f} is (nearly) always empty: {filled:?}"
        );
    }
    assert!(got.problems.is_empty(), "{stream}: {:?}", got.problems);
    let ids: std::collections::BTreeSet<_> = got
        .records
        .iter()
        .map(|r| (r.entity, &r.external_id))
        .collect();
    assert_eq!(ids.len(), got.records.len(), "{stream}: a row came twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn salesforce_is_pulled_whole_and_then_by_one_request_per_stream() {
    let sim = vendors(240).await;
    let c = open(&sim, "salesforce");
    let who = c.check().await.unwrap();
    assert!(who.contains("logged in as"), "{who}");
    let all = pull_all(c.as_ref()).await;
    expect(&all, "people", &["name", "email", "active", "role"]);
    expect(&all, "rates", &["from", "to", "rate"]);
    expect(
        &all,
        "accounts",
        &[
            "name",
            "domain",
            "csm",
            "owner",
            "arr",
            "health",
            "renewal",
            "segment",
            "touch",
            "identifiers",
        ],
    );
    expect(&all, "contacts", &["account", "name", "title", "email"]);
    expect(
        &all,
        "renewals",
        &[
            "account",
            "due",
            "amount",
            "target",
            "stage",
            "stage_kind",
            "forecast",
            "probability",
            "notice_deadline",
            "original_due",
        ],
    );
    expect(
        &all,
        "tasks",
        &[
            "account",
            "title",
            "due",
            "status",
            "status_kind",
            "priority_kind",
            "owner",
            "kind",
        ],
    );
    expect(&all, "meetings", &["account", "subject", "at", "author"]);
    expect(
        &all,
        "tickets",
        &[
            "account",
            "subject",
            "status_kind",
            "priority_kind",
            "opened",
        ],
    );
    expect(&all, "usage", &["account", "at", "value"]);
    expect(&all, "surveys", &["account", "at", "value"]);
    let budget = c.budget();
    assert!(budget.vendor_max.is_some() && budget.promise.is_some() && budget.ours > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gainsight_is_pulled_whole_and_then_by_one_request_per_stream() {
    let sim = vendors(240).await;
    let c = open(&sim, "gainsight");
    c.check().await.unwrap();
    let all = pull_all(c.as_ref()).await;
    expect(&all, "people", &["name", "email", "active"]);
    expect(
        &all,
        "accounts",
        &[
            "name",
            "domain",
            "csm",
            "arr",
            "health",
            "renewal",
            "segment",
            "touch",
            "identifiers",
            "notice_days",
        ],
    );
    expect(
        &all,
        "contacts",
        &["account", "name", "title", "email", "role"],
    );
    expect(
        &all,
        "escalations",
        &[
            "account",
            "title",
            "reason",
            "status",
            "status_kind",
            "priority_kind",
            "owner",
            "opened",
        ],
    );
    expect(
        &all,
        "tasks",
        &[
            "account",
            "title",
            "due",
            "status",
            "status_kind",
            "escalation",
        ],
    );
    expect(
        &all,
        "touchpoints",
        &["account", "subject", "at", "kind", "author"],
    );
    expect(&all, "usage", &["account", "at", "value"]);
    expect(&all, "health", &["account", "at", "value"]);
    expect(&all, "surveys", &["account", "at", "value"]);
    let names: Vec<String> = all["accounts"]
        .records
        .iter()
        .filter_map(|r| r.get("segment"))
        .map(|s| s.to_string())
        .collect();
    assert!(
        names.iter().all(|n| !n.starts_with("1I00")),
        "an item id stands for a name: {names:?}"
    );
}
