//! The connectors against the simulated vendors, over real HTTP: every stream, every write, and what happens when the vendors misbehave.

#[path = "common/login.rs"]
mod login;

use csops::book::{Clock, Cursor, Entity, FieldValue, Money, Record, RowProblem, Verb};
use csops::connect::manifest::Library;
use csops::connect::{self, ConnectError, Connector, SourceSettings, TokenStore, Write, Written};
use csops::simulate::{AuthDetails, Options, Simulation, start};
use jiff::{Timestamp, tz::TimeZone};
use login::login;
use std::collections::BTreeMap;
use std::sync::Arc;

#[path = "connect_vendors/bulk.rs"]
mod bulk;
#[path = "connect_vendors/hubspot.rs"]
mod hubspot;
#[path = "connect_vendors/own_manifest.rs"]
mod own_manifest;

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

fn reach(
    settings: SourceSettings,
    tokens: Option<Arc<dyn TokenStore>>,
) -> Result<Box<dyn Connector>, ConnectError> {
    connect::open(settings, &Library::builtin(), Arc::new(RealClock), tokens)
}

fn settings(sim: &Simulation, connector: &str) -> SourceSettings {
    let v = sim
        .vendors
        .iter()
        .find(|v| v.connector == connector)
        .expect("the vendor is there");
    let auth = login(v.auth.clone());
    SourceSettings {
        name: connector.into(),
        connector: connector.into(),
        base_url: Some(v.base_url.clone()),
        auth,
        ca_file: None,
        daily_requests: None,
        fields: BTreeMap::new(),
        options: BTreeMap::from([("requests_per_minute".to_owned(), "0".to_owned())]),
        secrets: BTreeMap::new(),
    }
}

fn open(sim: &Simulation, connector: &str) -> Box<dyn Connector> {
    reach(settings(sim, connector), None).expect("the source opens")
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

fn text(t: &str) -> FieldValue {
    FieldValue::text(t)
}

/// A write of fields `(name, base, want)`.
fn write(
    verb: Verb,
    entity: Entity,
    id: Option<&str>,
    account: &str,
    fields: &[(&str, FieldValue, FieldValue)],
) -> Write {
    Write {
        verb,
        entity,
        external_id: id.map(str::to_owned),
        account: Some(account.to_owned()),
        marker: uuid::Uuid::now_v7().to_string(),
        fields: fields
            .iter()
            .map(|(f, b, w)| ((*f).to_owned(), b.clone(), w.clone()))
            .collect(),
        author: Some("dana@example.com".into()),
        force: false,
    }
}

async fn done(c: &dyn Connector, w: &Write) -> (String, Record) {
    match c.write(w).await.unwrap_or_else(|e| panic!("{w:?}: {e}")) {
        Written::Done {
            external_id,
            record,
        } => (
            external_id,
            record.unwrap_or_else(|| panic!("{w:?}: not read back")),
        ),
        Written::Conflict(conflict) => panic!("{w:?}: {conflict:?}"),
    }
}

fn got(r: &Record, f: &str) -> FieldValue {
    r.get(f).cloned().unwrap_or_default()
}

async fn first(c: &dyn Connector, stream: &str, fit: impl Fn(&Record) -> bool) -> Record {
    let all = pull(c, stream, None).await.records;
    all.into_iter()
        .find(|r| fit(r))
        .unwrap_or_else(|| panic!("{stream}: no row fits"))
}

/// A change, the same again, a conflict, and the conflict overruled; in the end the wish stands.
async fn change_and_collide(c: &dyn Connector, r: &Record, field: &str, wants: [FieldValue; 3]) {
    let account = got(r, "account")
        .as_str()
        .unwrap_or(&r.external_id)
        .to_owned();
    let id = Some(r.external_id.as_str());
    let base = got(r, field);
    let [a, b, mine] = wants;
    let (_, now) = done(
        c,
        &write(
            Verb::Update,
            r.entity,
            id,
            &account,
            &[(field, base.clone(), a.clone())],
        ),
    )
    .await;
    assert_eq!(got(&now, field), a, "{field} did not arrive");
    let (_, now) = done(
        c,
        &write(
            Verb::Update,
            r.entity,
            id,
            &account,
            &[(field, base.clone(), a.clone())],
        ),
    )
    .await;
    assert_eq!(
        got(&now, field),
        a,
        "{field}: sent again, it is no conflict"
    );
    done(
        c,
        &write(
            Verb::Update,
            r.entity,
            id,
            &account,
            &[(field, a.clone(), b.clone())],
        ),
    )
    .await;
    let mut w = write(
        Verb::Update,
        r.entity,
        id,
        &account,
        &[(field, a.clone(), mine.clone())],
    );
    match c.write(&w).await.unwrap() {
        Written::Conflict(conflict) => {
            let f = &conflict.fields[0];
            assert_eq!(
                (f.field.as_ref(), &f.base, &f.mine, &f.theirs),
                (field, &a, &mine, &b)
            );
        }
        other => panic!("{field}: no conflict but {other:?}"),
    }
    let now = c.read(r.entity, &r.external_id).await.unwrap();
    if let Some(now) = now {
        assert_eq!(got(&now, field), b, "{field}: a conflict wrote something");
    }
    w.force = true;
    let (_, now) = done(c, &w).await;
    assert_eq!(got(&now, field), mine);
}

fn day(d: &str) -> FieldValue {
    FieldValue::Date(d.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn salesforce_takes_every_kind_of_write_once() {
    let sim = vendors(60).await;
    let c = open(&sim, "salesforce");
    let c = c.as_ref();
    c.check().await.unwrap();
    assert!(c.capabilities().choices(Entity::Renewal, "stage").len() > 3);
    let people = pull(c, "people", None).await.records;
    let dana = people
        .iter()
        .find(|p| got(p, "email") == text("dana@example.com"))
        .expect("dana is there");
    let dana = FieldValue::Ref(dana.external_id.clone());
    let account = first(c, "accounts", |r| got(r, "csm") != dana).await;
    let acc = account.external_id.as_str();

    let new = write(
        Verb::Create,
        Entity::Task,
        None,
        acc,
        &[
            ("account", FieldValue::Null, FieldValue::Ref(acc.into())),
            (
                "title",
                FieldValue::Null,
                text("Call 'Ada' \"now\" 50% \\o/"),
            ),
            ("status_kind", FieldValue::Null, text("open")),
            ("priority_kind", FieldValue::Null, text("p2")),
            ("due", FieldValue::Null, day("2026-12-24")),
            ("owner", FieldValue::Null, dana.clone()),
        ],
    );
    assert!(
        c.find(&new).await.unwrap().is_none(),
        "nothing is there before it is sent"
    );
    let (id, made) = done(c, &new).await;
    assert_eq!(got(&made, "title"), text("Call 'Ada' \"now\" 50% \\o/"));
    assert_eq!(
        (got(&made, "due"), got(&made, "priority_kind")),
        (day("2026-12-24"), text("p2"))
    );
    assert_eq!(got(&made, "account"), FieldValue::Ref(acc.into()));
    assert_eq!(
        c.find(&new)
            .await
            .unwrap()
            .expect("found by its marker")
            .external_id,
        id
    );
    let (again, _) = done(c, &new).await;
    assert_eq!(again, id, "sent twice, it is there once");
    change_and_collide(
        c,
        &made,
        "due",
        [day("2026-12-28"), day("2026-12-29"), day("2026-12-30")],
    )
    .await;
    let (_, finished) = done(
        c,
        &write(
            Verb::Update,
            Entity::Task,
            Some(&id),
            acc,
            &[("status_kind", text("open"), text("done"))],
        ),
    )
    .await;
    assert_eq!(got(&finished, "status_kind"), text("done"));
    let gone = write(Verb::Delete, Entity::Task, Some(&id), acc, &[]);
    assert!(matches!(
        c.write(&gone).await.unwrap(),
        Written::Done { .. }
    ));
    assert!(
        matches!(c.write(&gone).await.unwrap(), Written::Done { .. }),
        "gone already is gone"
    );

    let renewal = first(c, "renewals", |r| got(r, "stage_kind") == text("open")).await;
    let currency = match got(&renewal, "amount") {
        FieldValue::Money(m) => m.code().to_owned(),
        other => panic!("{other:?}"),
    };
    let amount = |t: &str| FieldValue::Money(Money::parse(t, &currency).unwrap());
    change_and_collide(
        c,
        &renewal,
        "amount",
        [amount("123456"), amount("1000"), amount("99")],
    )
    .await;
    change_and_collide(
        c,
        &renewal,
        "due",
        [day("2027-02-03"), day("2027-03-01"), day("2027-04-01")],
    )
    .await;
    change_and_collide(
        c,
        &renewal,
        "forecast",
        [text("best"), text("pipeline"), text("commit")],
    )
    .await;
    let stages = c.capabilities().choices(Entity::Renewal, "stage").to_vec();
    let open: Vec<&String> = stages
        .iter()
        .filter(|s| !s.contains("Closed") && text(s) != got(&renewal, "stage"))
        .collect();
    let (_, moved) = done(
        c,
        &write(
            Verb::Update,
            Entity::Renewal,
            Some(&renewal.external_id),
            acc,
            &[("stage", got(&renewal, "stage"), text(open[0]))],
        ),
    )
    .await;
    assert_eq!(got(&moved, "stage"), text(open[0]));
    let no = write(
        Verb::Update,
        Entity::Renewal,
        Some(&renewal.external_id),
        acc,
        &[("stage", text(open[0]), text("No Such Stage"))],
    );
    let refused = c.write(&no).await.expect_err("a stage that does not exist");
    assert!(
        matches!(refused.kind, connect::ErrorKind::Refused { .. }),
        "{refused:?}"
    );

    let note = write(
        Verb::Create,
        Entity::Touchpoint,
        None,
        acc,
        &[
            ("account", FieldValue::Null, FieldValue::Ref(acc.into())),
            ("kind", FieldValue::Null, text("call")),
            ("subject", FieldValue::Null, text("Talked")),
            ("body", FieldValue::Null, text("Talked\nat length")),
            (
                "at",
                FieldValue::Null,
                FieldValue::Instant("2026-11-20T12:00:00Z".parse().unwrap()),
            ),
            ("author", FieldValue::Null, dana.clone()),
        ],
    );
    let (id, made) = done(c, &note).await;
    assert_eq!(
        (
            got(&made, "kind"),
            got(&made, "subject"),
            got(&made, "author")
        ),
        (text("call"), text("Talked"), dana.clone())
    );
    assert_eq!(got(&made, "body"), text("Talked\nat length"));
    assert_eq!(c.find(&note).await.unwrap().expect("found").external_id, id);
    c.write(&write(
        Verb::Delete,
        Entity::Touchpoint,
        Some(&id),
        acc,
        &[],
    ))
    .await
    .unwrap();
    assert!(c.find(&note).await.unwrap().is_none());

    let (_, owned) = done(
        c,
        &write(
            Verb::Update,
            Entity::Account,
            Some(acc),
            acc,
            &[("csm", got(&account, "csm"), dana.clone())],
        ),
    )
    .await;
    assert_eq!(got(&owned, "csm"), dana);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn salesforce_alone_keeps_risks_as_cases() {
    let sim = vendors(60).await;
    let mut s = settings(&sim, "salesforce");
    s.options.insert("risk_object".into(), "Case".into());
    s.options.insert("risk_value".into(), "Risk".into());
    let c = reach(s, None).unwrap();
    let c = c.as_ref();
    let account = first(c, "accounts", |_| true).await;
    let acc = account.external_id.as_str();
    let risk = write(
        Verb::Create,
        Entity::Escalation,
        None,
        acc,
        &[
            ("account", FieldValue::Null, FieldValue::Ref(acc.into())),
            ("title", FieldValue::Null, text("Risk: Acme")),
            ("status_kind", FieldValue::Null, text("new")),
            ("priority_kind", FieldValue::Null, text("high")),
            (
                "reason",
                FieldValue::Null,
                text("sponsor left, budget frozen"),
            ),
        ],
    );
    match c.write(&risk).await {
        Ok(Written::Done { external_id, .. }) => {
            assert_eq!(
                c.find(&risk).await.unwrap().expect("found").external_id,
                external_id
            );
            let (_, closed) = done(
                c,
                &write(
                    Verb::Delete,
                    Entity::Escalation,
                    Some(&external_id),
                    acc,
                    &[],
                ),
            )
            .await;
            assert_eq!(
                got(&closed, "status_kind"),
                text("closed"),
                "a risk that is taken back is closed"
            );
        }
        // The organisation's pick list may not know the type; then a person is told which.
        Err(e) => assert!(
            matches!(e.kind, connect::ErrorKind::Refused { .. }),
            "{e:?}"
        ),
        Ok(other) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gainsight_takes_every_kind_of_write_once() {
    let sim = vendors(60).await;
    let c = open(&sim, "gainsight");
    let c = c.as_ref();
    c.check().await.unwrap();
    assert!(c.capabilities().choices(Entity::Escalation, "status").len() > 2);
    assert!(!c.capabilities().can(Entity::Renewal, "stage"));
    let people = pull(c, "people", None).await.records;
    let dana = people
        .iter()
        .find(|p| got(p, "email") == text("dana@example.com"))
        .expect("dana is there");
    let dana = FieldValue::Ref(dana.external_id.clone());
    let account = first(c, "accounts", |r| got(r, "csm") != dana).await;
    let acc = account.external_id.as_str();

    let risk = write(
        Verb::Create,
        Entity::Escalation,
        None,
        acc,
        &[
            ("account", FieldValue::Null, FieldValue::Ref(acc.into())),
            ("title", FieldValue::Null, text("Risk: Acme")),
            ("status_kind", FieldValue::Null, text("acknowledged")),
            ("priority_kind", FieldValue::Null, text("critical")),
            (
                "reason",
                FieldValue::Null,
                text("sponsor left, budget frozen"),
            ),
            ("owner", FieldValue::Null, dana.clone()),
            (
                "opened",
                FieldValue::Null,
                FieldValue::Instant(Timestamp::now()),
            ),
        ],
    );
    assert!(c.find(&risk).await.unwrap().is_none());
    let (id, made) = done(c, &risk).await;
    assert_eq!(
        (got(&made, "title"), got(&made, "owner")),
        (text("Risk: Acme"), dana.clone())
    );
    assert_eq!(
        got(&made, "comments"),
        text("sponsor left, budget frozen"),
        "the marker is not shown"
    );
    assert_eq!(
        c.find(&risk)
            .await
            .unwrap()
            .expect("found by its marker")
            .external_id,
        id
    );
    change_and_collide(
        c,
        &made,
        "due",
        [day("2026-12-28"), day("2026-12-29"), day("2026-12-30")],
    )
    .await;
    let up = write(
        Verb::Update,
        Entity::Escalation,
        Some(&id),
        acc,
        &[
            ("priority_kind", got(&made, "priority_kind"), text("low")),
            ("reason", got(&made, "reason"), text("they pay again")),
        ],
    );
    let (_, now) = done(c, &up).await;
    assert_eq!(got(&now, "priority_kind"), text("low"));
    assert_eq!(
        got(&now, "comments"),
        text("sponsor left, budget frozen\nthey pay again")
    );
    let (_, now) = done(c, &up).await;
    assert_eq!(
        got(&now, "comments"),
        text("sponsor left, budget frozen\nthey pay again"),
        "sent again, it is said once"
    );

    let task = write(
        Verb::Create,
        Entity::Task,
        None,
        acc,
        &[
            ("account", FieldValue::Null, FieldValue::Ref(acc.into())),
            ("escalation", FieldValue::Null, FieldValue::Ref(id.clone())),
            ("title", FieldValue::Null, text("Call the sponsor")),
            ("status_kind", FieldValue::Null, text("open")),
            ("priority_kind", FieldValue::Null, text("p2")),
            ("due", FieldValue::Null, day("2026-12-24")),
            ("owner", FieldValue::Null, dana.clone()),
        ],
    );
    let (task_id, made) = done(c, &task).await;
    assert_eq!(
        (got(&made, "title"), got(&made, "due")),
        (text("Call the sponsor"), day("2026-12-24"))
    );
    assert_eq!(got(&made, "escalation"), FieldValue::Ref(id.clone()));
    assert_eq!(
        c.find(&task).await.unwrap().expect("found").external_id,
        task_id
    );
    let (_, finished) = done(
        c,
        &write(
            Verb::Update,
            Entity::Task,
            Some(&task_id),
            acc,
            &[("status_kind", text("open"), text("done"))],
        ),
    )
    .await;
    assert_eq!(got(&finished, "status_kind"), text("done"));

    let alone = write(
        Verb::Create,
        Entity::Task,
        None,
        acc,
        &[
            ("title", FieldValue::Null, text("Prepare the review")),
            ("status_kind", FieldValue::Null, text("open")),
            ("due", FieldValue::Null, day("2026-12-24")),
        ],
    );
    let (alone_id, made) = done(c, &alone).await;
    assert_eq!(made.entity, Entity::Task);
    assert_eq!(
        c.find(&alone).await.unwrap().expect("found").external_id,
        alone_id
    );
    let (_, finished) = done(
        c,
        &write(
            Verb::Update,
            Entity::Task,
            Some(&alone_id),
            acc,
            &[("status_kind", text("open"), text("done"))],
        ),
    )
    .await;
    assert_eq!(got(&finished, "status_kind"), text("done"));

    let (_, resolved) = done(
        c,
        &write(
            Verb::Update,
            Entity::Escalation,
            Some(&id),
            acc,
            &[
                ("status_kind", got(&now, "status_kind"), text("closed")),
                ("outcome", FieldValue::Null, text("saved")),
            ],
        ),
    )
    .await;
    assert_eq!(
        (got(&resolved, "status_kind"), got(&resolved, "outcome")),
        (text("closed"), text("saved"))
    );

    let note = write(
        Verb::Create,
        Entity::Touchpoint,
        None,
        acc,
        &[
            ("account", FieldValue::Null, FieldValue::Ref(acc.into())),
            ("kind", FieldValue::Null, text("call")),
            ("subject", FieldValue::Null, text("Talked")),
            ("body", FieldValue::Null, text("Talked <b> & listened")),
            (
                "at",
                FieldValue::Null,
                FieldValue::Instant("2026-11-20T12:00:00Z".parse().unwrap()),
            ),
            ("author", FieldValue::Null, dana.clone()),
        ],
    );
    assert!(c.find(&note).await.unwrap().is_none());
    let (note_id, made) = done(c, &note).await;
    assert_eq!(
        (
            got(&made, "kind"),
            got(&made, "subject"),
            got(&made, "author")
        ),
        (text("call"), text("Talked"), dana.clone())
    );
    assert_eq!(got(&made, "account"), FieldValue::Ref(acc.into()));
    let (again, _) = done(c, &note).await;
    assert_eq!(again, note_id, "sent twice, it is there once");
    c.write(&write(
        Verb::Delete,
        Entity::Touchpoint,
        Some(&note_id),
        acc,
        &[],
    ))
    .await
    .unwrap();
    assert!(
        c.find(&note).await.unwrap().is_none(),
        "the note is taken back"
    );

    let others: Vec<FieldValue> = people
        .iter()
        .map(|p| FieldValue::Ref(p.external_id.clone()))
        .filter(|p| *p != dana && *p != got(&account, "csm"))
        .collect();
    change_and_collide(
        c,
        &account,
        "csm",
        [dana, others[0].clone(), others[1].clone()],
    )
    .await;
}
