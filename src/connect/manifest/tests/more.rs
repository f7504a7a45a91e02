//! Templates, joins over joins, conditions on options, words with exceptions, presets, HTML and the tenant's own names, on a second fictitious system.

use super::*;

const BOOTH: &str = r#"
manifest = 1
id = "booth"
name = "Booth"
role = "cs"

[http]
[auth]
kinds = ["none"]

[option.api]
help = "the version"
default = "v1"
[option.flavour]
help = "which surveys"
default = "sweet"
values = ["sweet", "none"]
[option.close]
help = "the word of a closed case"
default = "shut"

[template.row]
like = "root"
id = "id"
words = { place = "rows", of = "all" }

[template.root]
read = { get = "/{option.api}/{word.place}", query = { of = "{word.of}" } }

[[stream]]
name = "accounts"
like = "row"
entity = "account"
words = { place = "accounts" }
select = { at = "values", positional = true, skip = 1 }
fields = { segment = "Tier", name = "Name" }

[[stream]]
name = "surveys"
like = "row"
entity = "signal"
words = { place = "surveys" }
when = { option = "flavour", is = "sweet" }
id = { text = "survey:{row.id:text}" }
join = [
    { name = "person", request = { post = "/people", json = [{ "@each" = { of = "{row.id}" } }] }, batch = 2, key = "survey", of = "id" },
    { name = "company", through = "person", at = "person", request = { post = "/companies", json = [{ "@each" = { id = "{row.id}" } }] }, batch = 2, key = "person", of = "id" },
]
[stream.map]
account = { join = "company", path = "company" }
kind = { path = "kind", is = { star = "nps" }, words = "touch_kind", else = "other" }
value = "value"

[[stream]]
name = "tasks"
like = "row"
entity = "task"
words = { place = "tasks" }
[stream.map]
title = "title"
priority_kind = { path = "priority", is = { whenever = "p4" }, words = "task_priority", else = "p3" }
description = { path = "notes", pipe = ["strip_html"] }
status_kind = { path = "done_at", is = { never = "waiting", "*" = "done" }, else = "open" }

[write.account]
prefix = "attr."
update = { request = { put = "/accounts/{id}", json = { "@changed" = true } } }
read = { request = { get = "/v1/accounts" }, row = "" }
fields = { segment = "=segment" }

[write.task]
create = { request = { post = "/tasks", json = { "@changed" = true, title = "{want.title:text} {mark:text}", owner = { "@first" = ["{want.owner}", "{author}"] }, due = "today" } }, id = "id" }
[write.task.fields]
title = "title"
owner = "owner"
due = "due"
description = { to = "notes", form = "html" }
priority_kind = { to = "priority", words = { p1 = "now", p4 = "whenever" } }
reminder = { to = "reminder", when = { option = "flavour", is = "none" } }
"#;

type Seen = Arc<Mutex<Vec<Value>>>;

async fn booth() -> (Seen, String) {
    let seen: Seen = Arc::default();
    let note = |what: &'static str| {
        let seen = seen.clone();
        move |Json(body): Json<Value>| async move {
            seen.lock().unwrap().push(json!({"to": what, "body": body}));
            let rows = body.as_array().cloned().unwrap_or_default();
            Json(match what {
                "people" => Value::Array(
                    rows.iter()
                        .map(|r| json!({"survey": r["of"], "person": format!("p{}", r["of"].as_str().unwrap_or_default())}))
                        .collect(),
                ),
                "companies" => Value::Array(
                    rows.iter()
                        .filter(|r| r["id"] != "ps3")
                        .map(|r| json!({"person": r["id"], "company": format!("of {}", r["id"].as_str().unwrap_or_default())}))
                        .collect(),
                ),
                _ => json!({"id": "t9"}),
            })
        }
    };
    let rows = |list: Value| get(move || async move { Json(list) });
    let app = Router::new()
        .route(
            "/v1/accounts",
            rows(json!([{"id": "a1", "values": ["x", "Acme", "gold"]}])),
        )
        .route(
            "/v1/surveys",
            rows(json!([
                {"id": "s1", "kind": "star", "value": 9},
                {"id": "s2", "kind": "Phone call", "value": 3},
                {"id": "s3", "kind": "", "value": 1},
            ])),
        )
        .route(
            "/v1/tasks",
            rows(json!([
                {"id": "t1", "title": "A", "priority": "Urgent", "notes": "<p>a &lt; b</p><p>c &amp; d</p>"},
                {"id": "t2", "title": "B", "priority": "whenever", "done_at": "2026-11-01"},
                {"id": "t3", "title": "C", "priority": "moonlight", "done_at": "never"},
            ])),
        )
        .route("/people", post(note("people")))
        .route("/companies", post(note("companies")))
        .route("/tasks", post(note("task")))
        .route("/accounts/{id}", axum::routing::put(note("account")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (seen, base)
}

fn reach(base: &str, options: &[(&str, &str)], fields: &[(&str, &str)]) -> ManifestConnector {
    let own = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    let settings = SourceSettings {
        name: "booth".into(),
        connector: "booth".into(),
        base_url: Some(base.to_owned()),
        auth: Auth::None,
        ca_file: None,
        daily_requests: None,
        fields: own(fields),
        secrets: BTreeMap::new(),
        options: own(options),
    };
    let manifest = load("booth.toml", BOOTH).unwrap_or_else(|e| panic!("{e}"));
    ManifestConnector::open(Arc::new(manifest), &settings, Arc::new(Frozen), None).unwrap()
}

fn word(records: &[Record], id: &str, field: &str) -> String {
    let record = records.iter().find(|r| r.external_id == id).unwrap();
    record
        .get(field)
        .and_then(FieldValue::as_str)
        .unwrap_or("-")
        .to_owned()
}

#[tokio::test]
async fn a_join_over_a_join_finds_what_belongs_to_what_belongs_to_a_row() {
    let (seen, base) = booth().await;
    let c = reach(&base, &[], &[]);
    let (records, ..) = all(&c, "surveys", None).await;
    let account = |id: &str| word(&records, id, "account");
    assert_eq!(
        ["s1", "s2", "s3"].map(|id| account(&format!("survey:{id}"))),
        ["of ps1", "of ps2", "-"]
    );
    let asked: Vec<Value> = seen.lock().unwrap().clone();
    assert_eq!(asked.len(), 4, "two batches of each join: {asked:?}");
}

#[tokio::test]
async fn exceptions_come_before_words_and_what_is_left_is_the_rest() {
    let (_, base) = booth().await;
    let c = reach(&base, &[], &[]);
    let (surveys, ..) = all(&c, "surveys", None).await;
    let kind = |id: &str| word(&surveys, &format!("survey:{id}"), "kind");
    assert_eq!(
        [kind("s1"), kind("s2"), kind("s3")],
        ["nps", "call", "other"]
    );
    let (tasks, ..) = all(&c, "tasks", None).await;
    let priority = |id| word(&tasks, id, "priority_kind");
    assert_eq!(
        [priority("t1"), priority("t2"), priority("t3")],
        ["p1", "p4", "p3"]
    );
    let status = |id| word(&tasks, id, "status_kind");
    assert_eq!(
        [status("t1"), status("t2"), status("t3")],
        ["open", "done", "waiting"]
    );
    assert_eq!(word(&tasks, "t1", "description"), "a < b\nc & d");
}

#[tokio::test]
async fn an_option_decides_which_streams_there_are_and_reads_only_those_afresh_that_use_it() {
    let (_, base) = booth().await;
    let names = |c: &ManifestConnector| c.streams().iter().map(|s| s.name).collect::<Vec<_>>();
    let usual = reach(&base, &[], &[]);
    assert_eq!(names(&usual), ["accounts", "surveys", "tasks"]);
    let without = reach(&base, &[("flavour", "none")], &[]);
    assert_eq!(names(&without), ["accounts", "tasks"]);
    let (_, tasks, ..) = all(&usual, "tasks", None).await;
    let (_, accounts, ..) = all(&usual, "accounts", None).await;
    // A word of writing, another stream's option, another kind's field: nothing is read afresh.
    for other in [
        reach(&base, &[("close", "done")], &[]),
        without,
        reach(&base, &[], &[("account.region", "Land")]),
    ] {
        assert!(other.fetch("tasks", Some(&tasks)).await.is_ok());
    }
    let lost = |c: ManifestConnector, cursor: Cursor, stream: &'static str| async move {
        c.fetch(stream, Some(&cursor))
            .await
            .map(|_| ())
            .unwrap_err()
            .kind
    };
    let api = reach(&base, &[("api", "v2")], &[]);
    assert_eq!(lost(api, tasks, "tasks").await, ErrorKind::CursorLost);
    let own = reach(&base, &[], &[("account.region", "Land")]);
    assert_eq!(lost(own, accounts, "accounts").await, ErrorKind::CursorLost);
}

fn task(fields: &[(&str, FieldValue)]) -> Write {
    Write {
        verb: Verb::Create,
        entity: Entity::Task,
        external_id: None,
        account: Some("a1".into()),
        marker: "0191f6a2-0000-7000-8000-444455556666".into(),
        fields: fields
            .iter()
            .map(|(f, v)| ((*f).to_owned(), FieldValue::Null, v.clone()))
            .collect(),
        author: Some("me@example.com".into()),
        force: false,
    }
}

#[tokio::test]
async fn a_preset_yields_to_what_is_wanted_and_not_to_what_is_made_of_it() {
    let (seen, base) = booth().await;
    let c = reach(&base, &[], &[]);
    let text = |t: &str| FieldValue::Text(t.into());
    c.write(&task(&[
        ("title", text("Call")),
        ("description", text("a < b\n\"c\" & d")),
    ]))
    .await
    .unwrap();
    c.write(&task(&[
        ("title", text("Call")),
        ("owner", FieldValue::Ref("other@example.com".into())),
        ("due", text("tomorrow")),
        ("reminder", text("never")),
    ]))
    .await
    .unwrap();
    let bodies: Vec<Value> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|s| s["body"].clone())
        .collect();
    assert_eq!(
        bodies[0],
        json!({"title": "Call [csops:444455556666]", "owner": "me@example.com", "due": "today", "notes": "a &lt; b<br>&quot;c&quot; &amp; d"})
    );
    assert_eq!(
        bodies[1],
        json!({"title": "Call [csops:444455556666]", "owner": "other@example.com", "due": "tomorrow"}),
        "`reminder` is written only where the option says so"
    );
}

#[tokio::test]
async fn the_tenants_own_name_of_a_field_is_read_and_written() {
    let (seen, base) = booth().await;
    for (own, expected) in [
        (&[][..], "attr.Tier"),
        (&[("account.segment", "Size")][..], "attr.Size"),
    ] {
        let c = reach(&base, &[], own);
        let (records, ..) = all(&c, "accounts", None).await;
        assert_eq!(word(&records, "a1", "segment"), "gold", "by its place");
        let change = Write {
            verb: Verb::Update,
            entity: Entity::Account,
            external_id: Some("a1".into()),
            fields: vec![(
                "segment".into(),
                FieldValue::Text("gold".into()),
                FieldValue::Text("silver".into()),
            )],
            ..task(&[])
        };
        c.write(&change).await.unwrap();
        let last = seen.lock().unwrap().last().cloned().unwrap();
        assert_eq!(last["body"], json!({expected: "silver"}));
    }
}

#[test]
fn words_are_choices() {
    let c = reach("http://127.0.0.1:9", &[], &[]);
    assert_eq!(
        c.capabilities().choices(Entity::Task, "priority_kind"),
        ["p1", "p4"]
    );
}

#[test]
fn mistakes_with_templates_joins_and_options_are_told_with_their_place() {
    let wrong = |from: &str, to: &str| {
        assert!(BOOTH.contains(from), "{from}");
        load("b.toml", &BOOTH.replacen(from, to, 1))
            .map(|_| ())
            .unwrap_err()
    };
    for (from, to, says) in [
        (
            "like = \"row\"\nentity = \"account\"",
            "like = \"rows\"\nentity = \"account\"",
            "there is no [template.rows]",
        ),
        ("like = \"root\"", "like = \"row\"", "in a circle"),
        ("id = \"id\"\nwords", "words", "`id` is missing"),
        ("like = \"root\"\n", "", "`read` is missing"),
        ("of = \"all\" }", "off = \"all\" }", "it has no word `of`"),
        (
            "through = \"person\"",
            "through = \"people\"",
            "must stand before it",
        ),
        (
            "when = { option = \"flavour\", is = \"sweet\" }",
            "when = { option = \"flavor\", is = \"sweet\" }",
            "there is no option `flavor`",
        ),
        ("\"@first\" = [", "\"@fist\" = [", "has no meaning here"),
    ] {
        let e = wrong(from, to);
        assert!(e.starts_with("b.toml:") && e.contains(says), "{says}: {e}");
    }
}
