//! How long the first load takes, beside the floor: the same bytes downloaded, parsed by serde_json into structs, and inserted into one
//! SQLite table with the indexes that csops has on what it stores: by the vendor's id, by what is to be merged, by the local number, and
//! by the account that a row belongs to. The last one is made at the end, as csops makes that of signals. The ratio to a floor with only
//! the first two is given beside it.
//!
//! The simulated vendors are asked once, by a first load that is not measured; their answers are kept by a second process and given
//! again, byte for byte, to the floor and to the measured load. What making the answers costs is therefore nobody's.
//!
//! `cargo bench --bench load` loads 100,000 accounts from two vendors. `CSOPS_LOAD_ACCOUNTS=2000` takes fewer, `CSOPS_LOAD_VENDORS=salesforce`
//! one vendor, `CSOPS_LOAD_RUNS=3` measures more often and prints every run.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use csops::book::Clock;
use csops::connect::manifest::Library;
use csops::connect::{self, Auth, Connector, SourceSettings};
use csops::simulate::{self, Simulation};
use csops::store::{Options, Storage, Store};
use csops::sync::{Engine, Setup, SourceSetup};
use jiff::{Timestamp, tz::TimeZone};
use rusqlite::Connection;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::marker::PhantomData;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Set in the process that plays the vendors.
const PLAYER: &str = "CSOPS_LOAD_PLAYER";

fn setting(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.into())
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if std::env::var_os(PLAYER).is_some() {
        runtime.block_on(play());
    } else {
        runtime.block_on(measure());
    }
}

// ── the vendors, recorded ──

/// What was answered to a question, and where the body lies in the file.
#[derive(Clone)]
struct Said {
    status: u16,
    json: bool,
    at: u64,
    len: usize,
}

struct Player {
    /// Where the vendor really is, and where it seems to be.
    real: String,
    seems: String,
    client: reqwest::Client,
    tape: Arc<Tape>,
}

/// What was answered, by method, address and body.
type Answers = HashMap<(String, String, Vec<u8>), Said>;

/// Everything that was asked, in that order.
struct Tape {
    file: std::fs::File,
    end: Mutex<u64>,
    said: Mutex<Answers>,
    order: Mutex<Vec<Value>>,
    missed: AtomicU64,
    simulation: Mutex<Option<Simulation>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn play() {
    let accounts = setting("CSOPS_LOAD_ACCOUNTS", "100000");
    let mut options = simulate::Options {
        accounts: accounts.parse().expect("a number of accounts"),
        freeze: true,
        vendors: setting("CSOPS_LOAD_VENDORS", "salesforce,gainsight")
            .split(',')
            .map(str::to_owned)
            .collect(),
        now: Arc::new(now),
        anchor: Some(now().to_zoned(TimeZone::UTC).date()),
        ..simulate::Options::default()
    };
    options.limits.gainsight_per_minute = 1_000_000;
    options.limits.gainsight_daily = 10_000_000;
    options.limits.salesforce_daily = 10_000_000;
    let simulation = simulate::start(options).await.expect("the vendors start");
    let tape = Arc::new(Tape {
        file: tempfile::tempfile().expect("a file for the answers"),
        end: Mutex::default(),
        said: Mutex::default(),
        order: Mutex::default(),
        missed: AtomicU64::new(0),
        simulation: Mutex::new(None),
    });
    let mut tasks = Vec::new();
    let mut out = std::io::stdout();
    for vendor in &simulation.vendors {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let seems = format!("http://{}", listener.local_addr().expect("an address"));
        let auth = serde_json::to_string(&vendor.auth)
            .expect("it is JSON")
            .replace(&vendor.base_url, &seems);
        let auth: Value = serde_json::from_str(&auth).expect("it is JSON");
        let line = json!({"connector": vendor.connector, "base": seems, "auth": auth});
        writeln!(out, "{line}").expect("told");
        let player = Arc::new(Player {
            real: vendor.base_url.clone(),
            seems,
            client: reqwest::Client::builder()
                .no_proxy()
                .tls_certs_only(Vec::new())
                .build()
                .expect("a client"),
            tape: tape.clone(),
        });
        let app = axum::Router::new().fallback(answer).with_state(player);
        tasks.push(tokio::spawn(
            async move { axum::serve(listener, app).await },
        ));
    }
    *lock(&tape.simulation) = Some(simulation);
    writeln!(out, "ready").expect("told");
    out.flush().expect("told");
    // Lives until the one who started it is gone.
    let gone = tokio::task::spawn_blocking(|| {
        let _ = std::io::stdin().lock().lines().next();
    });
    let _ = gone.await;
    std::process::exit(0);
}

async fn answer(State(player): State<Arc<Player>>, request: Request<Body>) -> Response<Body> {
    let path = request
        .uri()
        .path_and_query()
        .map_or(String::new(), |p| p.to_string());
    let tape = &player.tape;
    match path.as_str() {
        "/__tape" => {
            let all =
                json!({"asked": *lock(&tape.order), "missed": tape.missed.load(Ordering::SeqCst)});
            return Response::new(Body::from(all.to_string()));
        }
        "/__recorded" => {
            drop(lock(&tape.simulation).take());
            return Response::new(Body::empty());
        }
        _ => {}
    }
    let method = request.method().clone();
    let headers = request.headers().clone();
    let body = axum::body::to_bytes(request.into_body(), 1 << 24)
        .await
        .unwrap_or_default();
    let key = (
        format!("{} {method}", player.seems),
        path.clone(),
        body.to_vec(),
    );
    let known = lock(&tape.said).get(&key).cloned();
    let said = match known {
        Some(said) => said,
        None => {
            tape.missed.fetch_add(1, Ordering::SeqCst);
            let mut ask = player
                .client
                .request(method.clone(), format!("{}{path}", player.real))
                .body(body.clone());
            for (name, value) in &headers {
                if !matches!(name.as_str(), "host" | "content-length" | "accept-encoding") {
                    ask = ask.header(name, value);
                }
            }
            let Ok(reply) = ask.send().await else {
                return failed();
            };
            let status = reply.status().as_u16();
            let Ok(bytes) = reply.bytes().await else {
                return failed();
            };
            // The vendor may name its own address.
            let text = String::from_utf8_lossy(&bytes).replace(&player.real, &player.seems);
            let at = {
                let mut end = lock(&tape.end);
                let at = *end;
                tape.file
                    .write_all_at(text.as_bytes(), at)
                    .expect("the answer is kept");
                *end += text.len() as u64;
                at
            };
            let said = Said {
                status,
                json: true,
                at,
                len: text.len(),
            };
            lock(&tape.said).insert(key, said.clone());
            lock(&tape.order).push(json!({
                "base": player.seems, "method": method.as_str(), "path": path,
                "body": String::from_utf8_lossy(&body), "bytes": said.len,
            }));
            said
        }
    };
    let mut bytes = vec![0; said.len];
    if tape.file.read_exact_at(&mut bytes, said.at).is_err() {
        return failed();
    }
    let mut response = Response::new(Body::from(Bytes::from(bytes)));
    *response.status_mut() = StatusCode::from_u16(said.status).unwrap_or_default();
    if said.json {
        response.headers_mut().insert(
            "content-type",
            axum::http::HeaderValue::from_static("application/json"),
        );
    }
    response
}

fn failed() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

// ── what is measured ──

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).expect("an instant")
}

/// Time stands still, so that every load asks the same questions.
struct Still;
impl Clock for Still {
    fn now(&self) -> Timestamp {
        now()
    }
    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// Processor time of this process so far, all of its threads.
fn cpu() -> Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call writes the structure that it is given.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let of = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec as u64) + Duration::from_micros(t.tv_usec as u64)
    };
    of(usage.ru_utime) + of(usage.ru_stime)
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("RssAnon:"));
    let kb: Option<u64> = line.and_then(|l| l.split_whitespace().nth(1)?.parse().ok());
    kb.unwrap_or(0) / 1024
}

struct Cost {
    wall: f64,
    cpu: f64,
    /// Resident memory at its peak, MB, without what is backed by files.
    peak: u64,
}

async fn costs<T>(work: impl Future<Output = T>) -> (T, Cost) {
    // What came before has given its memory back, and so does the allocator.
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes no pointer.
    unsafe {
        libc::malloc_trim(0);
    }
    let running = Arc::new(AtomicBool::new(true));
    let peak = Arc::new(AtomicU64::new(0));
    let watch = {
        let (running, peak) = (running.clone(), peak.clone());
        std::thread::spawn(move || {
            while running.load(Ordering::SeqCst) {
                peak.fetch_max(resident(), Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(20));
            }
        })
    };
    let (start, before) = (Instant::now(), cpu());
    let result = work.await;
    let cost = Cost {
        wall: start.elapsed().as_secs_f64(),
        cpu: (cpu() - before).as_secs_f64(),
        peak: 0,
    };
    running.store(false, Ordering::SeqCst);
    let _ = watch.join();
    let peak = peak.load(Ordering::SeqCst);
    (result, Cost { peak, ..cost })
}

struct Vendor {
    connector: String,
    base: String,
    auth: Value,
}

fn settings(vendor: &Vendor) -> SourceSettings {
    let text = |key: &str| vendor.auth[key].as_str().unwrap_or_default().to_owned();
    let auth = match vendor.auth["kind"].as_str() {
        Some("client_credentials") => Auth::ClientCredentials {
            client_id: text("client_id"),
            client_secret: text("client_secret").into(),
            token_url: Some(text("token_url")),
            scopes: Vec::new(),
        },
        Some("header") => Auth::Header {
            name: text("name"),
            value: text("value").into(),
        },
        Some("bearer") => Auth::Bearer(text("token").into()),
        _ => Auth::Basic {
            user: text("user").into(),
            password: text("password").into(),
            raw: false,
        },
    };
    let mut options = BTreeMap::from([("requests_per_minute".to_owned(), "0".to_owned())]);
    if vendor.connector == "salesforce" {
        // The floor parses JSON: everything is to come in pages of it, not by jobs that answer in CSV.
        options.insert("bulk_from".to_owned(), "0".to_owned());
    }
    SourceSettings {
        name: vendor.connector.as_str().into(),
        connector: vendor.connector.clone(),
        base_url: Some(vendor.base.clone()),
        auth,
        ca_file: None,
        daily_requests: None,
        fields: BTreeMap::new(),
        secrets: BTreeMap::new(),
        options,
    }
}

/// One first load by csops: from nothing to every row stored, merged, and its accounts' facts brought up to date.
async fn load(vendors: &[Vendor], db: &Path) -> Store {
    let store = Store::open(db, Options::default()).expect("a new database");
    let library = Library::builtin();
    let sources = vendors
        .iter()
        .map(|v| {
            let connector = connect::open(settings(v), &library, Arc::new(Still), None)
                .expect("the source opens");
            SourceSetup {
                name: v.connector.as_str().into(),
                kind: v.connector.clone(),
                base_url: v.base.clone(),
                every: Duration::from_secs(3600),
                read_only: false,
                daily_requests: None,
                connector: Ok(Arc::from(connector) as Arc<dyn Connector>),
            }
        })
        .collect();
    let engine = Engine::new(Setup {
        store: Arc::new(store.clone()),
        clock: Arc::new(Still),
        sources,
        rules: Default::default(),
        read_only: false,
        author: None,
    });
    for result in engine.run_once(&[], false).await.expect("it runs") {
        if let Some(error) = result.error {
            println!("{}: {error}", result.source);
        }
    }
    store
}

async fn measure() {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .env(PLAYER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the player starts");
    let mut vendors = Vec::new();
    for line in BufReader::new(child.stdout.take().expect("its output"))
        .lines()
        .map_while(Result::ok)
    {
        if line == "ready" {
            break;
        }
        let Ok(v) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        vendors.push(Vendor {
            connector: v["connector"].as_str().unwrap_or_default().into(),
            base: v["base"].as_str().unwrap_or_default().into(),
            auth: v["auth"].clone(),
        });
    }
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only(Vec::new())
        .build()
        .expect("a client");
    let folder = tempfile::tempdir().expect("a folder for the databases");
    let ask = |path: &str| client.get(format!("{}/{path}", vendors[0].base)).send();
    let start = Instant::now();
    let store = load(&vendors, &folder.path().join("recorded.db")).await;
    println!("recorded in {:.1} s", start.elapsed().as_secs_f64());
    store.close().await.expect("it closes");
    let _ = std::fs::remove_file(folder.path().join("recorded.db"));
    ask("__recorded").await.expect("the vendors end");
    let tape = || async {
        let text = ask("__tape").await.expect("the tape").text().await;
        serde_json::from_str::<Value>(&text.unwrap_or_default()).expect("it is JSON")
    };
    let recorded = tape().await;
    let asked = recorded["asked"].as_array().cloned().unwrap_or_default();
    let bytes: u64 = asked.iter().filter_map(|a| a["bytes"].as_u64()).sum();
    println!(
        "{} answers, {:.1} MB",
        asked.len(),
        bytes as f64 / f64::from(1 << 20)
    );
    let runs: usize = setting("CSOPS_LOAD_RUNS", "1").parse().unwrap_or(1);
    for run in 0..runs {
        let db = folder.path().join(format!("floor{run}.db"));
        let (_, narrow) = costs(floor(&client, &asked, &db, false)).await;
        let _ = std::fs::remove_file(&db);
        let (rows, floor) = costs(floor(&client, &asked, &db, true)).await;
        let _ = std::fs::remove_file(&db);
        let db = folder.path().join(format!("load{run}.db"));
        let (store, load) = costs(load(&vendors, &db)).await;
        let counts = store.counts().await.expect("it counts");
        let records: u64 = counts.records.iter().map(|(.., n)| n).sum();
        let say = |what: &str, rows: u64, cost: &Cost| {
            println!(
                "{what}: {rows} rows in {:.2} s ({:.0} a second), processor {:.2} s, peak {} MB",
                cost.wall,
                rows as f64 / cost.wall,
                cost.cpu,
                cost.peak
            );
        };
        say("floor with two indexes", rows, &narrow);
        say("floor", rows, &floor);
        say("csops", records, &load);
        println!(
            "ratio: {:.2} by the clock ({:.2} to the floor with two indexes), {:.2} by processor time; {} of {} records not merged; {} MB on disk; rows {:?}",
            load.wall / floor.wall,
            load.wall / narrow.wall,
            load.cpu / floor.cpu,
            counts.dirty,
            records,
            counts.bytes >> 20,
            counts.rows
        );
        let missed =
            tape().await["missed"].as_u64().unwrap_or(0) - recorded["missed"].as_u64().unwrap_or(0);
        if missed > 0 {
            println!("{missed} questions were not on the tape");
        }
        store.close().await.expect("it closes");
    }
    drop(child.stdin.take());
    let _ = child.wait();
}

// ── the floor ──

/// A row of a vendor, as a program would declare it that wants just these fields.
trait Object {
    fn bind(&self, statement: &mut rusqlite::Statement<'_>) -> rusqlite::Result<()>;
}

/// Answers hold their rows in one of these ways.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Answer<T> {
    #[serde(default = "Vec::new")]
    records: Vec<T>,
    data: Option<Inner<T>>,
}

/// `data` is the rows themselves, or an object that has them.
struct Inner<T> {
    records: Vec<T>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Inner<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = Inner<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("rows, or an object with records")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Inner<T>, A::Error> {
                let mut records = Vec::new();
                while let Some(row) = seq.next_element()? {
                    records.push(row);
                }
                Ok(Inner { records })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Inner<T>, A::Error> {
                let mut records = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "records" => records = map.next_value()?,
                        _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
                    }
                }
                Ok(Inner { records })
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

macro_rules! objects {
    ($($name:ident $text:literal [$($account:ident)?] { $id:ident, $at:ident: $at_type:ty, $($field:ident: $ty:ty),* $(,)? })*) => {
        $(
            #[derive(Deserialize)]
            #[allow(non_snake_case)]
            struct $name {
                $id: String,
                $at: Option<$at_type>,
                $($field: Option<$ty>),*
            }
            impl Object for $name {
                fn bind(&self, s: &mut rusqlite::Statement<'_>) -> rusqlite::Result<()> {
                    s.raw_bind_parameter(2, $text)?;
                    s.raw_bind_parameter(3, &self.$id)?;
                    s.raw_bind_parameter(4, &self.$at)?;
                    let mut i = 4;
                    $(
                        i += 1;
                        s.raw_bind_parameter(i, &self.$field)?;
                    )*
                    while i < 24 {
                        i += 1;
                        s.raw_bind_parameter(i, None::<i64>)?;
                    }
                    $(s.raw_bind_parameter(25, &self.$account)?;)?
                    Ok(())
                }
            }
        )*
        /// Parses and inserts the rows of an answer; how many.
        fn insert(db: &Connection, source: &str, object: &str, body: &[u8], local: &mut u64) -> u64 {
            match object {
                $($text => put(db, source, &rows::<$name>(object, body), local),)*
                _ => {
                    let _: serde::de::IgnoredAny = serde_json::from_slice(body).expect("it is JSON");
                    0
                }
            }
        }
    };
}

objects! {
    User "User" [] { Id, SystemModstamp: String, Name: String, Email: String, IsActive: bool, Title: String, Department: String }
    Account "Account" [] {
        Id, SystemModstamp: String, Name: String, Website: String, ParentId: String, Segment__c: String, Touch__c: String, CSM__c: String,
        OwnerId: String, Region__c: String, Industry: String, Lifecycle_Stage__c: String, ARR__c: f64, Customer_Since__c: String,
        Renewal_Date__c: String, Health__c: f64, Sentiment__c: String, CurrencyIsoCode: String,
    }
    Contact "Contact" [AccountId] {
        Id, SystemModstamp: String, AccountId: String, Name: String, Title: String, Email: String, Phone: String, Role__c: String,
    }
    Opportunity "Opportunity" [AccountId] {
        Id, SystemModstamp: String, AccountId: String, Name: String, CloseDate: String, Original_Close_Date__c: String,
        Notice_Date__c: String, Amount: f64, Renewal_Target__c: f64, StageName: String, ForecastCategoryName: String, Probability: f64,
        OwnerId: String, Loss_Reason__c: String, NextStep: String, IsClosed: bool, IsWon: bool, Type: String, CurrencyIsoCode: String,
    }
    Task "Task" [AccountId] {
        Id, SystemModstamp: String, AccountId: String, Subject: String, Description: String, ActivityDate: String, Priority: String,
        OwnerId: String, Status: String, CompletedDateTime: String, WhatId: String, WhoId: String, IsClosed: bool, Type: String,
        TaskSubtype: String, CreatedDate: String,
    }
    Event "Event" [AccountId] {
        Id, SystemModstamp: String, AccountId: String, Subject: String, Description: String, StartDateTime: String, OwnerId: String,
        WhoId: String, WhatId: String, Type: String,
    }
    Case "Case" [AccountId] {
        Id, SystemModstamp: String, AccountId: String, CaseNumber: String, Subject: String, Status: String, Priority: String,
        IsEscalated: bool, CreatedDate: String, ClosedDate: String, OwnerId: String, IsClosed: bool, Type: String, Reason: String,
        Description: String,
    }
    Usage "Usage_Snapshot__c" [Account__c] {
        Id, SystemModstamp: String, Account__c: String, Week__c: String, Active_Users__c: f64, CurrencyIsoCode: String,
    }
    Survey "Survey_Response__c" [Account__c] { Id, SystemModstamp: String, Account__c: String, Score__c: f64, Comment__c: String, Responded_At__c: String }
    GsUser "GsUser" [] { Gsid, ModifiedDate: i64, Name: String, Email: String, IsActiveUser: bool, Title: String }
    Company "Company" [] {
        Gsid, ModifiedDate: i64, Name: String, ParentCompany: String, Segment__gc: String, Touch_Model__gc: String, Csm: String,
        Region__gc: String, Industry: String, Stage: String, Arr: f64, OriginalContractDate: i64, Renewal_Date: i64,
        Notice_Days__gc: f64, Auto_Renew__gc: bool, CurrentScore: f64, CSM_Sentiment__gc: String, NPS__gc: f64, CurrencyIsoCode: String,
    }
    CompanyPerson "Company_Person" [Company_ID] {
        Gsid, ModifiedDate: i64, Company_ID: String, Title: String, Role: String, Active: bool, IsPrimaryCompany: bool,
    }
    Timeline "activity_timeline" [GsCompanyId] {
        Gsid, ModifiedDate: i64, GsCompanyId: String, TypeName: String, Subject: String, NotesPlainText: String, ActivityDate: i64,
        AuthorId: String, ExternalId: String,
    }
    GsUsage "Usage_Weekly__gc" [Company__gc] { Gsid, ModifiedDate: i64, Company__gc: String, Week_Start__gc: i64, Active_Users__gc: f64 }
    GsHealth "Scorecard_History__gc" [Company__gc] { Gsid, ModifiedDate: i64, Company__gc: String, Snapshot_Date__gc: i64, Score__gc: f64 }
}

fn rows<T: serde::de::DeserializeOwned>(object: &str, body: &[u8]) -> Vec<T> {
    let answer: Answer<T> =
        serde_json::from_slice(body).unwrap_or_else(|e| panic!("{object}: {e}"));
    match answer.data {
        Some(inner) => inner.records,
        None => answer.records,
    }
}

fn put<T: Object>(db: &Connection, source: &str, rows: &[T], local: &mut u64) -> u64 {
    let mut statement = db
        .prepare_cached(&format!(
            "INSERT OR IGNORE INTO floor(source,entity,external_id,modified,{},account,local) VALUES({})",
            (0..20)
                .map(|n| format!("c{n}"))
                .collect::<Vec<_>>()
                .join(","),
            vec!["?"; 26].join(",")
        ))
        .expect("a statement");
    for row in rows {
        statement.raw_bind_parameter(1, source).expect("bound");
        row.bind(&mut statement).expect("bound");
        *local += 1;
        statement
            .raw_bind_parameter(26, local.cast_signed())
            .expect("bound");
        statement.raw_execute().expect("inserted");
    }
    rows.len() as u64
}

/// How many rows there were. `all`: with the indexes by local number and by account too.
async fn floor(client: &reqwest::Client, asked: &[Value], path: &Path, all: bool) -> u64 {
    let db = Connection::open(path).expect("a database");
    // As csops sets up the connection that writes.
    for (name, value) in [("journal_mode", "WAL"), ("synchronous", "NORMAL")] {
        db.pragma_update(None, name, value).expect("a setting");
    }
    db.pragma_update(None, "cache_size", -16_000)
        .expect("a setting");
    db.pragma_update(None, "mmap_size", 1i64 << 30)
        .expect("a setting");
    db.pragma_update(None, "wal_autocheckpoint", 16_000)
        .expect("a setting");
    let columns: Vec<String> = (0..20).map(|n| format!("c{n}")).collect();
    db.execute_batch(&format!(
        "CREATE TABLE floor(id INTEGER PRIMARY KEY, source TEXT NOT NULL, entity TEXT NOT NULL, external_id TEXT NOT NULL, modified,
         dirty INTEGER NOT NULL DEFAULT 0, local INTEGER, account, {});
         CREATE UNIQUE INDEX floor_key ON floor(source,entity,external_id);
         CREATE INDEX floor_dirty ON floor(entity) WHERE dirty>0;",
        columns.join(",")
    ))
    .expect("a table");
    if all {
        db.execute_batch("CREATE INDEX floor_local ON floor(entity,local) WHERE local IS NOT NULL")
            .expect("an index");
    }
    let mut rows = 0;
    let mut numbers: HashMap<String, u64> = HashMap::new();
    for a in asked {
        let text = |key: &str| a[key].as_str().unwrap_or_default();
        let method = reqwest::Method::from_bytes(text("method").as_bytes()).expect("a method");
        let reply = client
            .request(method, format!("{}{}", text("base"), text("path")))
            .header("content-type", "application/json")
            .body(text("body").to_owned())
            .send()
            .await
            .expect("an answer");
        let body = reply.bytes().await.expect("a body");
        let object = match text("path").split_once("/objects/query/") {
            Some((_, object)) => object.to_owned(),
            None => kind_of(&body),
        };
        db.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        let source = if text("path").starts_with("/v1/") {
            "gainsight"
        } else {
            "salesforce"
        };
        let numbers = numbers.entry(object.clone()).or_default();
        rows += insert(&db, source, &object, &body, numbers);
        db.execute_batch("COMMIT").expect("it commits");
    }
    if all {
        db.execute_batch(
            "CREATE INDEX floor_account ON floor(account,entity) WHERE account IS NOT NULL",
        )
        .expect("an index");
    }
    rows
}

/// What Salesforce says that the rows of an answer are.
fn kind_of(body: &[u8]) -> String {
    let head = String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned();
    if !head.contains("\"records\"") {
        return String::new();
    }
    head.split_once("\"type\":\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or(String::new(), |(kind, _)| kind.to_owned())
}
