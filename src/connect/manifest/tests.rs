//! The language and the engine, on a system that no built-in manifest covers: a fictitious tenant system, known by a manifest alone.

use super::{Library, ManifestConnector, load, preview};
use crate::book::{Clock, Cursor, Entity, FieldValue, Record, Verb};
use crate::connect::{Auth, Connector, ErrorKind, SourceSettings, Write, Written};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

mod more;

const ACME: &str = r#"
manifest = 1
id = "acme-desk"
name = "Acme Desk"
role = "cs"

[http]

[auth]
kinds = ["bearer"]

[errors]
text = "why"
[[errors.rule]]
status = [200]
body = { path = "failed", is = ["true"] }
then = "refused"

[pick.stages]
request = { get = "/stages" }
value = "id"
label = "title"
kind = { path = "end", is = { won = "won", lost = "lost" }, else = "open" }

[[stream]]
name = "accounts"
entity = "account"
read = { get = "/accounts", query = { limit = "{size}", after = "{cursor}", fields = "{fields:comma}" } }
changes = { post = "/accounts/find", json = { changed_since = "{since:ms}", limit = "{size}", after = "{cursor}" } }
rows = "items"
page = { by = "cursor", size = 2, from = "more" }
sync = { by = "since", overlap_minutes = 1, sweep_hours = 24 }
id = "id"
modified = { path = "changed" }
gone = { path = "deleted", is = ["true"] }
identifiers = ["crm"]
currency = "money.code"
fields = { name = "title", arr = "yearly", segment = ["tier", "size_class"], touch = "care" }
[stream.map]
health = { path = "badness", pipe = ["invert"] }
stage = { path = "stage", pick = "stages" }
domain = "sites[0].url"
[stream.describe]
request = { get = "/fields" }
name = "key"
[[stream.also]]
entity = "signal"
when = { path = "seats", filled = true }
id = { text = "{id:text}:seats" }
map = { account = "id", kind = { const = "usage" }, value = "seats", at = "changed" }

[[stream]]
name = "tasks"
entity = "task"
read = { get = "/tasks", query = { skip = "{offset}", top = "{size}" } }
page = { by = "offset", size = 2 }
id = "id"
[stream.map]
account = "account"
title = { path = "title", pipe = ["without_marker"] }
due = "due"
status_kind = { path = "closed", is = { true = "done" }, else = "open" }

[write.task]
read = { request = { get = "/tasks/{id}" }, row = "" }
create = { request = { post = "/tasks", json = { account = "{account}", key = "{marker}", "@changed" = true } }, row = "made" }
update = { request = { patch = "/tasks/{id}", json = { "@changed" = true } }, row = "" }
find = { request = { get = "/tasks" }, when = { path = "key", has = "{marker:text}" } }
[write.task.fields]
title = "title"
due = { to = "due", form = "date" }
status_kind = { words = { done = { closed = true, closed_at = "{now:ms}" }, open = { closed = false } } }
[write.task.cannot]
"-" = "Acme Desk keeps tasks for ever"
"#;

struct Frozen;
impl Clock for Frozen {
    fn now(&self) -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }
    fn today(&self) -> Date {
        "2026-11-20".parse().unwrap()
    }
    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

#[derive(Default)]
struct Desk {
    accounts: Vec<Value>,
    tasks: Vec<Value>,
    asked: Vec<String>,
    refuse: bool,
}
type Shared = Arc<Mutex<Desk>>;

async fn list(State(desk): State<Shared>, Query(q): Query<HashMap<String, String>>) -> Json<Value> {
    let mut desk = desk.lock().unwrap();
    desk.asked.push(format!(
        "list {}",
        q.get("fields").cloned().unwrap_or_default()
    ));
    let from: usize = q.get("after").map_or(0, |a| a.parse().unwrap());
    let items: Vec<Value> = desk.accounts.iter().skip(from).take(2).cloned().collect();
    let more = (from + 2 < desk.accounts.len()).then(|| (from + 2).to_string());
    Json(json!({"items": items, "more": more}))
}

async fn find(State(desk): State<Shared>, Json(body): Json<Value>) -> Json<Value> {
    let mut desk = desk.lock().unwrap();
    desk.asked.push(format!("find {body}"));
    let since = body["changed_since"].as_i64().unwrap();
    let items: Vec<Value> = desk
        .accounts
        .iter()
        .filter(|a| {
            a["changed"]
                .as_str()
                .unwrap()
                .parse::<Timestamp>()
                .unwrap()
                .as_millisecond()
                >= since
        })
        .cloned()
        .collect();
    Json(json!({"items": items, "more": null}))
}

async fn tasks(
    State(desk): State<Shared>,
    Query(q): Query<HashMap<String, String>>,
) -> Json<Value> {
    let desk = desk.lock().unwrap();
    let skip: usize = q.get("skip").map_or(0, |a| a.parse().unwrap());
    let top: usize = q.get("top").map_or(1000, |a| a.parse().unwrap());
    Json(Value::Array(
        desk.tasks.iter().skip(skip).take(top).cloned().collect(),
    ))
}

async fn task(State(desk): State<Shared>, Path(id): Path<String>) -> (StatusCode, Json<Value>) {
    let desk = desk.lock().unwrap();
    match desk.tasks.iter().find(|t| t["id"] == json!(id)) {
        Some(t) => (StatusCode::OK, Json(t.clone())),
        None => (StatusCode::NOT_FOUND, Json(json!({"why": "no such task"}))),
    }
}

async fn make(
    State(desk): State<Shared>,
    Json(mut body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let mut desk = desk.lock().unwrap();
    if desk.refuse {
        return (
            StatusCode::OK,
            Json(json!({"failed": true, "why": "the title is too short"})),
        );
    }
    body["id"] = json!(format!("t{}", desk.tasks.len() + 1));
    desk.tasks.push(body.clone());
    (StatusCode::CREATED, Json(json!({"made": body})))
}

async fn change(
    State(desk): State<Shared>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Json<Value> {
    let mut desk = desk.lock().unwrap();
    desk.asked.push(format!("change {body}"));
    let task = desk
        .tasks
        .iter_mut()
        .find(|t| t["id"] == json!(id))
        .unwrap();
    for (k, v) in body.as_object().unwrap() {
        task[k] = v.clone();
    }
    Json(task.clone())
}

async fn desk() -> (Shared, String) {
    let shared: Shared = Arc::default();
    let signed = axum::middleware::from_fn(
        |headers: HeaderMap, request: axum::extract::Request, next: axum::middleware::Next| async move {
            if headers
                .get("authorization")
                .is_none_or(|v| v != "Bearer geheim")
            {
                return axum::response::IntoResponse::into_response((
                    StatusCode::UNAUTHORIZED,
                    Json(json!({"why": "who are you"})),
                ));
            }
            next.run(request).await
        },
    );
    let app = Router::new()
        .route("/accounts", get(list))
        .route("/accounts/find", post(find))
        .route("/fields", get(|| async { Json(json!([{"key": "title"}, {"key": "yearly"}, {"key": "size_class"}, {"key": "Our Colour"}])) }))
        .route("/stages", get(|| async { Json(json!([{"id": 7, "title": "Live", "end": null}])) }))
        .route("/tasks", get(tasks).post(make))
        .route("/tasks/{id}", get(task).patch(change))
        .layer(signed)
        .with_state(shared.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (shared, base)
}

fn open(base: &str, token: &str) -> ManifestConnector {
    let settings = SourceSettings {
        name: "desk".into(),
        connector: "acme-desk".into(),
        base_url: Some(base.to_owned()),
        auth: Auth::Bearer(token.to_owned().into()),
        ca_file: None,
        daily_requests: None,
        fields: BTreeMap::from([
            ("account.x.colour".to_owned(), "Our Colour".to_owned()),
            ("account.region".to_owned(), "lost_field".to_owned()),
        ]),
        secrets: BTreeMap::new(),
        options: BTreeMap::new(),
    };
    let manifest = load("acme-desk.toml", ACME).unwrap();
    ManifestConnector::open(Arc::new(manifest), &settings, Arc::new(Frozen), None).unwrap()
}

fn account(id: &str, changed: &str) -> Value {
    json!({"id": id, "title": format!("A {id}"), "yearly": "1200.50", "money": {"code": "eur"}, "size_class": "smb", "stage": 7, "badness": 30,
        "sites": [{"url": "https://www.a.example/x"}], "crm": "001", "Our Colour": "red", "seats": 12, "changed": changed, "care": "ignored"})
}

async fn all(
    c: &ManifestConnector,
    stream: &str,
    mut cursor: Option<Cursor>,
) -> (Vec<Record>, Cursor, Vec<String>, u32) {
    let (mut records, mut problems, mut requests) = (Vec::new(), Vec::new(), 0);
    loop {
        let page = c.fetch(stream, cursor.as_ref()).await.unwrap();
        records.extend(page.records);
        problems.extend(page.problems.into_iter().map(|p| p.reason));
        requests += page.requests;
        if page.done {
            return (records, page.next, problems, requests);
        }
        cursor = Some(page.next);
    }
}

#[tokio::test]
async fn a_system_is_read_by_its_manifest_alone_whole_and_then_only_what_changed() {
    let (desk, base) = desk().await;
    desk.lock().unwrap().accounts = vec![
        account("a1", "2026-11-01T00:00:00Z"),
        account("a2", "2026-11-02T00:00:00Z"),
        account("a3", "2026-11-03T00:00:00Z"),
    ];
    let c = open(&base, "geheim");
    let (records, cursor, problems, _) = all(&c, "accounts", None).await;
    let a1 = records.iter().find(|r| r.external_id == "a1").unwrap();
    let text = |f: &str| a1.get(f).map(ToString::to_string).unwrap_or_default();
    assert_eq!(text("name"), "A a1");
    assert_eq!(
        a1.get("arr").unwrap(),
        &FieldValue::Money(crate::book::Money::parse("1200.50", "EUR").unwrap())
    );
    assert_eq!(text("segment"), "smb", "the candidate that the tenant has");
    assert_eq!(text("health"), "70");
    assert_eq!(text("stage"), "Live");
    assert_eq!(text("domain"), "a.example");
    assert_eq!(text("x.colour"), "red");
    assert_eq!(
        a1.get("touch"),
        None,
        "a field that the tenant does not have is not asked for"
    );
    assert_eq!(
        a1.get("identifiers"),
        Some(&FieldValue::List(vec!["001".into()]))
    );
    let signal = records
        .iter()
        .find(|r| r.entity == Entity::Signal && r.external_id == "a1:seats")
        .unwrap();
    assert_eq!(signal.get("value"), Some(&FieldValue::Number(12.0)));
    assert_eq!(
        records
            .iter()
            .filter(|r| r.entity == Entity::Account)
            .count(),
        3
    );
    assert!(
        problems
            .iter()
            .any(|p| p.contains("lost_field") && p.contains("account.region")),
        "{problems:?}"
    );

    // Nothing changed: one request. Then one row, and one that is gone.
    let (none, cursor, _, requests) = all(&c, "accounts", Some(cursor)).await;
    assert_eq!(requests, 1);
    assert!(
        none.iter().all(|r| r.external_id.starts_with("a3")),
        "the overlap brings the last row again"
    );
    {
        let mut desk = desk.lock().unwrap();
        desk.accounts[0] = json!({"id": "a1", "deleted": true, "changed": "2026-11-10T00:00:00Z"});
    }
    let (gone, _, _, _) = all(&c, "accounts", Some(cursor.clone())).await;
    assert!(
        gone.iter()
            .any(|r| r.external_id == "a1" && r.deleted && r.entity == Entity::Account)
    );
    assert!(
        gone.iter()
            .any(|r| r.external_id == "a1:seats" && r.deleted)
    );
    let asked = desk.lock().unwrap().asked.clone();
    assert_eq!(asked[0], "list yearly,title,size_class,Our Colour");
    assert!(
        asked
            .last()
            .unwrap()
            .contains("\"changed_since\":1793663940000"),
        "{asked:?}"
    );
    assert!(!c.wants_all("accounts", &cursor));
    assert!(
        c.wants_all("tasks", &Cursor("{\"map\":1}".into())),
        "what has no filter is read whole"
    );
}

#[tokio::test]
async fn a_row_is_written_compared_and_found_again_by_its_key() {
    let (desk, base) = desk().await;
    let c = open(&base, "geheim");
    let text = |t: &str| FieldValue::Text(t.into());
    let mut write = Write {
        verb: Verb::Create,
        entity: Entity::Task,
        external_id: None,
        account: Some("a1".into()),
        marker: "key-1".into(),
        fields: vec![
            (
                "title".into(),
                FieldValue::Null,
                text("Call \"Ada\" ${x} %"),
            ),
            (
                "due".into(),
                FieldValue::Null,
                FieldValue::Date("2026-12-01".parse().unwrap()),
            ),
            ("status_kind".into(), FieldValue::Null, text("open")),
        ],
        author: None,
        force: false,
    };
    let Written::Done {
        external_id,
        record,
    } = c.write(&write).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(external_id, "t1");
    assert_eq!(
        record.unwrap().get("title"),
        Some(&text("Call \"Ada\" ${x} %"))
    );
    assert_eq!(desk.lock().unwrap().tasks[0]["key"], "key-1");
    assert_eq!(c.find(&write).await.unwrap().unwrap().external_id, "t1");
    write.marker = "key-2".into();
    assert!(c.find(&write).await.unwrap().is_none());

    let done = |base: &str| Write {
        verb: Verb::Update,
        external_id: Some("t1".into()),
        fields: vec![("status_kind".into(), text(base), text("done"))],
        ..write.clone()
    };
    assert!(matches!(
        c.write(&done("open")).await.unwrap(),
        Written::Done { .. }
    ));
    assert_eq!(desk.lock().unwrap().tasks[0]["closed"], true);
    assert_eq!(
        desk.lock().unwrap().tasks[0]["closed_at"],
        1_795_176_000_000_i64
    );
    // Done already: nothing is sent.
    let before = desk.lock().unwrap().asked.len();
    assert!(matches!(
        c.write(&done("open")).await.unwrap(),
        Written::Done { .. }
    ));
    assert_eq!(desk.lock().unwrap().asked.len(), before);
    // Somebody else moved it: nothing is overwritten.
    desk.lock().unwrap().tasks[0]["due"] = json!("2027-01-01");
    let moved = Write {
        fields: vec![(
            "due".into(),
            FieldValue::Date("2026-12-01".parse().unwrap()),
            FieldValue::Date("2026-12-24".parse().unwrap()),
        )],
        ..done("open")
    };
    let Written::Conflict(conflict) = c.write(&moved).await.unwrap() else {
        panic!()
    };
    assert_eq!(
        conflict.fields[0].theirs,
        FieldValue::Date("2027-01-01".parse().unwrap())
    );

    let why = |field: &str| {
        c.capabilities()
            .support(Entity::Task, field)
            .unwrap()
            .why_not
            .clone()
    };
    assert_eq!(why("-").unwrap(), "Acme Desk keeps tasks for ever");
    assert!(why("owner").unwrap().contains("kept here"));
    assert_eq!(why("due"), None);
    assert!(
        c.capabilities()
            .support(Entity::Renewal, "stage")
            .unwrap()
            .why_not
            .is_some()
    );

    desk.lock().unwrap().refuse = true;
    let e = c.write(&write).await.unwrap_err();
    assert!(
        matches!(e.kind, ErrorKind::Refused { .. }) && e.message.contains("too short"),
        "{e}"
    );
}

#[tokio::test]
async fn a_refused_token_names_the_command_that_renews_it_and_a_changed_mapping_starts_afresh() {
    let (_, base) = desk().await;
    let e = open(&base, "falsch").check().await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Auth);
    assert!(
        e.message.contains("csops auth login desk") && !e.message.contains("falsch"),
        "{e}"
    );
    let e = open(&base, "geheim")
        .fetch("accounts", Some(&Cursor("{\"map\":1}".into())))
        .await
        .unwrap_err();
    assert_eq!(e.kind, ErrorKind::CursorLost);
    assert!(
        open(&base, "geheim")
            .check()
            .await
            .unwrap()
            .contains("works")
    );
}

#[test]
fn a_mistake_is_reported_with_its_place_and_the_right_words() {
    let wrong = |from: &str, to: &str| {
        load("x.toml", &ACME.replacen(from, to, 1))
            .map(|_| ())
            .unwrap_err()
    };
    let e = wrong("by = \"cursor\"", "by = \"curser\"");
    assert!(
        e.starts_with("x.toml:31:15:") && e.contains("curser") && e.contains("cursor"),
        "{e}"
    );
    let e = wrong("gone =", "gonne =");
    assert!(e.starts_with("x.toml:35:1:") && e.contains("gonne"), "{e}");
    let e = wrong("{since:ms}", "{sinse:ms}");
    assert!(e.contains("sinse") && e.contains("since"), "{e}");
    let e = wrong("pick = \"stages\"", "pick = \"stagges\"");
    assert!(e.starts_with("x.toml:") && e.contains("stagges"), "{e}");
    let e = wrong("changed_since = \"{since:ms}\"", "changed_since = 1");
    assert!(e.contains("since"), "{e}");
    let e = wrong("health =", "helth =");
    assert!(e.contains("account has no field `helth`"), "{e}");
    let e = wrong(
        "get = \"/accounts\", query",
        "get = \"/accounts\", post = \"/x\", query",
    );
    assert!(e.contains("exactly one"), "{e}");
    let e = wrong("key = \"{marker}\"", "key = \"a{marker}\"");
    assert!(e.contains("how it is escaped"), "{e}");
}

#[test]
fn the_built_in_manifests_load_and_a_bad_file_disables_its_own_connector_alone() {
    for (id, manifest) in Library::builtin().iter() {
        assert!(manifest.is_ok(), "{id}: {}", manifest.as_ref().unwrap_err());
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("acme-desk.toml"), ACME).unwrap();
    std::fs::write(
        folder.path().join("planhat.toml"),
        "id = \"planhat\"\nmanifest = \"one\"",
    )
    .unwrap();
    let library = Library::with_folder(folder.path());
    assert!(library.get("acme-desk").unwrap().is_ok());
    assert!(
        library
            .get("planhat")
            .unwrap()
            .unwrap_err()
            .contains("planhat.toml:2:")
    );
    assert!(library.get("salesforce").unwrap().is_ok());
}

#[test]
fn a_preview_shows_the_requests_and_no_secret() {
    let m = load("x.toml", ACME).unwrap();
    let text = preview(&m, Frozen.now());
    assert!(
        text.contains("GET /accounts?fields=yearly%2Ctitle%2Ctier%2Ccare&limit=2")
            || text.contains("GET /accounts?"),
        "{text}"
    );
    assert!(text.contains("POST /accounts/find"), "{text}");
    assert!(text.contains("task create: POST /tasks"), "{text}");
}

const SALESFORCE: &str = include_str!("../builtin/salesforce.toml");

#[test]
fn a_mistake_in_an_adapters_manifest_is_reported_with_its_place() {
    let wrong = |from: &str, to: &str| {
        assert!(SALESFORCE.contains(from), "{from}");
        load("sf.toml", &SALESFORCE.replacen(from, to, 1))
            .map(|_| ())
            .unwrap_err()
    };
    let line = |needle: &str| {
        let at = SALESFORCE.find(needle).unwrap();
        SALESFORCE[..at].matches('\n').count() + 1
    };
    let e = wrong("notice_days = [", "notise_days = [");
    assert!(e.contains("account has no field `notise_days`"), "{e}");
    assert!(
        e.starts_with(&format!("sf.toml:{}:1:", line("notice_days = ["))),
        "{e}"
    );
    let e = wrong("\"Website\"]", "\"Website FROM User--\"]");
    assert!(e.contains("is no name of a field"), "{e}");
    let e = wrong("find = [\"usage\", \"adoption\"]\n", "");
    assert!(e.contains("words to `find` it by"), "{e}");
    let e = wrong("like = \"usage\"", "like = \"usages\"");
    assert!(e.contains("there is no object `usages`"), "{e}");
    let e = wrong("stream = \"meetings\"", "stream = \"tasks\"");
    assert!(e.contains("two objects `tasks`"), "{e}");
    let e = wrong(
        "next_step = \"NextStep\"\n\n[write",
        "next_steps = \"NextStep\"\n\n[write",
    );
    assert!(e.contains("renewal has no field `next_steps`"), "{e}");
    let e = wrong("optional = true", "optionl = true");
    assert!(e.contains("optionl"), "{e}");
    let e = load(
        "x.toml",
        &format!("{ACME}\n[[object]]\nstream = \"x\"\nname = \"X\"\nentity = \"task\"\n"),
    )
    .map(|_| ())
    .unwrap_err();
    assert!(e.contains("only the adapters"), "{e}");
}

#[test]
fn a_preview_of_an_adapters_manifest_shows_what_it_asks_and_writes() {
    let m = load("sf.toml", SALESFORCE).unwrap();
    let text = preview(&m, Frozen.now());
    for part in [
        "accounts fields: GET /services/data/v62.0/sobjects/Account/describe",
        "accounts: GET /services/data/v62.0/query?q=SELECT%20Id%2C",
        "Touch__c",
        "accounts changes: GET /services/data/v62.0/queryAll?q=",
        "usage object (usage or adoption): GET /services/data/v62.0/sobjects",
        "renewal change: PATCH /services/data/v62.0/sobjects/Opportunity/<id>",
        "\"ForecastCategoryName\":\"<value>\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let m = load("gs.toml", include_str!("../builtin/gainsight.toml")).unwrap();
    let text = preview(&m, Frozen.now());
    for part in [
        "accounts: POST /v1/data/objects/query/Company",
        "\"limit\":5000",
        "escalations: POST /v2/cockpit/cta/list",
        "\"ReasonId__gr.Name\"",
        "touchpoint change: PUT /v1/ant/es/activity",
        "\"Notes\":\"<value>\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
