//! Logging in, against a small vendor on loopback that gives out tokens: what is sent, what is kept, and what a person is told when it is
//! refused. No secret may stand in any message or log line.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use csops::book::Clock;
use csops::connect::auth::encode::{base64url, sha256};
use csops::connect::auth::kept::Kept;
use csops::connect::auth::signin::{SignIn, revoke};
use csops::connect::http::{Ask, Http};
use csops::connect::{
    Auth, AuthPlan, ConnectError, ErrorKind, LoginBody, LoginPlan, OauthDefaults, SendClient,
    SourceSettings, TokenStore,
};
use jiff::{Timestamp, tz::TimeZone};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct RealClock;
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// A vendor. Its tokens are `A1`, `A2` … and `refresh-secret-1` …, each refresh token good for one use.
#[derive(Default)]
struct Vendor {
    /// Path, query, authorization and body of every request.
    asked: Vec<(String, String, String, String)>,
    /// Answers to give instead, first come first served, by path.
    script: HashMap<String, Vec<(u16, Value)>>,
    given: u32,
    good: Vec<String>,
    /// Code → challenge and redirect.
    codes: HashMap<String, (String, String)>,
    expires_in: Option<u64>,
    /// Access tokens up to this one are refused.
    over: u32,
    revoked: Vec<String>,
}

type Shared = Arc<Mutex<Vendor>>;

fn form(body: &str) -> HashMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://x/?{body}")).unwrap();
    url.query_pairs().into_owned().collect()
}

impl Vendor {
    fn scripted(&mut self, path: &str) -> Option<Response> {
        let list = self.script.get_mut(path).filter(|l| !l.is_empty())?;
        let (status, body) = list.remove(0);
        Some((StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response())
    }

    fn count(&self, path: &str) -> usize {
        self.asked.iter().filter(|a| a.0 == path).count()
    }
}

async fn token(
    State(vendor): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut v = vendor.lock().unwrap();
    note(&mut v, &uri, &headers, &body);
    if let Some(answer) = v.scripted("/token") {
        return answer;
    }
    let form = form(std::str::from_utf8(&body).unwrap());
    let no = |error: &str| {
        let body = json!({"error": error, "error_description": "the vendor says no"});
        (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
    };
    match form["grant_type"].as_str() {
        "refresh_token" => {
            let token = &form["refresh_token"];
            let Some(at) = v.good.iter().position(|g| g == token) else {
                return no("invalid_grant");
            };
            v.good.remove(at);
        }
        "authorization_code" => {
            let Some((challenge, redirect)) = v.codes.remove(&form["code"]) else {
                return no("invalid_grant");
            };
            let fits = base64url(&sha256(&form["code_verifier"])) == challenge;
            if !fits || form["redirect_uri"] != redirect {
                return no("invalid_grant");
            }
        }
        _ => {}
    }
    v.given += 1;
    let refresh = format!("refresh-secret-{}", v.given);
    v.good.push(refresh.clone());
    let mut answer = json!({
        "access_token": format!("A{}", v.given), "refresh_token": refresh, "scope": "read",
        "account": {"id": 77},
    });
    if let Some(seconds) = v.expires_in {
        answer["expires_in"] = json!(seconds.to_string());
    }
    axum::Json(answer).into_response()
}

/// The page on which a person says yes: here the answer is the address to go to.
async fn authorize(
    State(vendor): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
) -> String {
    let mut v = vendor.lock().unwrap();
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["response_type"], "code");
    let code = format!("code-{}", v.codes.len());
    let challenge = (
        query["code_challenge"].clone(),
        query["redirect_uri"].clone(),
    );
    v.codes.insert(code.clone(), challenge);
    format!(
        "{}?code={code}&state={}",
        query["redirect_uri"], query["state"]
    )
}

async fn data(State(vendor): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut v = vendor.lock().unwrap();
    note(&mut v, &uri, &headers, &body);
    if let Some(answer) = v.scripted(uri.path()) {
        return answer;
    }
    let authorization = headers
        .get("authorization")
        .map_or("", |h| h.to_str().unwrap());
    let number: Option<u32> = authorization
        .strip_prefix("Bearer A")
        .and_then(|n| n.parse().ok());
    if number.is_some_and(|n| n <= v.over) {
        return (
            StatusCode::UNAUTHORIZED,
            axum::Json(json!({"error": "expired"})),
        )
            .into_response();
    }
    axum::Json(json!({"rows": []})).into_response()
}

async fn take_back(State(vendor): State<Shared>, body: Bytes) -> StatusCode {
    let form = form(std::str::from_utf8(&body).unwrap());
    vendor.lock().unwrap().revoked.push(form["token"].clone());
    StatusCode::OK
}

async fn elsewhere(uri: Uri) -> Response {
    let there = format!("/login?{}", uri.query().unwrap_or_default());
    (StatusCode::FOUND, [("location", there)]).into_response()
}

fn note(v: &mut Vendor, uri: &Uri, headers: &HeaderMap, body: &Bytes) {
    let header = |n: &str| {
        headers
            .get(n)
            .map_or(String::new(), |h| h.to_str().unwrap().to_owned())
    };
    v.asked.push((
        uri.path().to_owned(),
        uri.query().unwrap_or_default().to_owned(),
        header("authorization") + &header("x-session"),
        String::from_utf8_lossy(body).into_owned(),
    ));
}

async fn vendor() -> (String, Shared) {
    let vendor = Shared::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new()
        .route("/token", post(token))
        .route("/authorize", get(authorize))
        .route("/revoke", post(take_back))
        .route("/elsewhere", get(elsewhere))
        .fallback(any(data))
        .with_state(vendor.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (base, vendor)
}

fn settings(base: &str, auth: Auth) -> SourceSettings {
    SourceSettings {
        name: "crm".into(),
        connector: "salesforce".into(),
        base_url: Some(base.to_owned()),
        auth,
        ca_file: None,
        daily_requests: None,
        fields: BTreeMap::new(),
        options: BTreeMap::new(),
        secrets: BTreeMap::new(),
    }
}

fn plan() -> AuthPlan {
    AuthPlan {
        oauth: OauthDefaults {
            token_url: Some("/token".into()),
            authorize_url: Some("/authorize".into()),
            revoke_url: Some("/revoke".into()),
            keep: vec![("account".into(), "account.id".into())],
            ..OauthDefaults::default()
        },
        ..AuthPlan::default()
    }
}

fn http(base: &str, auth: Auth, plan: AuthPlan, store: Option<Arc<Store>>) -> Http {
    let store = store.map(|s| s as Arc<dyn TokenStore>);
    Http::new(
        &settings(base, auth),
        None,
        Arc::new(RealClock),
        store,
        plan,
    )
    .unwrap()
}

async fn read(http: &Http) -> Result<u16, ConnectError> {
    http.send(&Ask::get("/data")).await.map(|a| a.status)
}

#[derive(Default)]
struct Store(Mutex<Option<String>>);
impl TokenStore for Store {
    fn load(&self, _source: &str) -> Result<Option<SecretString>, String> {
        Ok(self.0.lock().unwrap().clone().map(SecretString::from))
    }
    fn save(&self, _source: &str, token: &SecretString) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(token.expose_secret().to_owned());
        Ok(())
    }
}

fn refresh(token: &str) -> Auth {
    Auth::Refresh {
        client_id: "app".into(),
        client_secret: Some("app-secret".into()),
        refresh_token: token.into(),
        token_url: None,
        revoke_url: None,
    }
}

fn browser(redirect_port: Option<u16>) -> Auth {
    Auth::AuthorizationCode {
        client_id: "app".into(),
        client_secret: None,
        authorize_url: None,
        token_url: None,
        revoke_url: None,
        scopes: vec!["read".into(), "write".into()],
        redirect_port,
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap()
}

/// Says yes at the vendor; the address that the browser is sent back to.
async fn consent(address: &str) -> String {
    client()
        .get(address)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

/// The browser goes to an address on loopback; the status of the page.
async fn visit(address: &str) -> u16 {
    let address = address.replace("localhost", "127.0.0.1");
    client()
        .get(address)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn a_key_in_the_query_is_sent_and_stands_in_no_message() {
    let (base, vendor) = vendor().await;
    let auth = Auth::Query {
        name: "api_key".into(),
        value: "key+secret/1".into(),
    };
    let h = http(&base, auth, plan(), None);
    // The vendor's own next address repeats the key.
    let next = "/data?page=2&api_key=key%2Bsecret%2F1&q=a%20b";
    assert_eq!(h.bare(next), "/data?page=2&q=a%20b");
    h.send(&Ask::get(next)).await.unwrap();
    let query = vendor.lock().unwrap().asked[0].1.clone();
    assert_eq!(query, "page=2&q=a%20b&api_key=key%2Bsecret%2F1");

    let e = h.send(&Ask::get("/elsewhere")).await.unwrap_err();
    assert!(
        e.message.contains("/login") && !e.message.contains("secret"),
        "{}",
        e.message
    );
    let e = h.error(
        ErrorKind::Auth,
        "the key key+secret/1 (key%2Bsecret%2F1) is unknown",
    );
    assert_eq!(e.message, "crm: the key (hidden) ((hidden)) is unknown");
    // Nobody listens: the address is in reqwest's own error.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let auth = Auth::Query {
        name: "api_key".into(),
        value: "key+secret/1".into(),
    };
    let e = read(&http(&gone, auth, plan(), None)).await.unwrap_err();
    assert!(!e.message.contains("secret"), "{}", e.message);
}

fn two_step() -> AuthPlan {
    AuthPlan {
        login: Some(LoginPlan {
            method: reqwest::Method::POST,
            path: "/signin".into(),
            body: LoginBody::Json(
                json!({"credentials": {"name": "{user}", "secret": "{password}"}}),
            ),
            token: "credentials.token".into(),
            ttl: None,
            expires_in: Some("seconds".into()),
            header: "x-session".into(),
            value: "token {token}".into(),
            keep: vec![("site".into(), "credentials.site.id".into())],
        }),
        ..AuthPlan::default()
    }
}

fn login() -> Auth {
    Auth::Login {
        user: "dana".into(),
        password: "pass\"word".into(),
    }
}

fn session(token: &str, seconds: Option<u32>) -> (u16, Value) {
    let body = json!({"credentials": {"token": token, "site": {"id": "S-1"}}, "seconds": seconds});
    (200, body)
}

#[tokio::test]
async fn a_two_step_login_is_made_once_renewed_once_and_tells_what_it_keeps() {
    let (base, vendor) = vendor().await;
    let sessions = vec![
        session("one", None),
        session("two", None),
        session("three", None),
    ];
    vendor
        .lock()
        .unwrap()
        .script
        .insert("/signin".into(), sessions);
    let h = http(&base, login(), two_step(), None);
    assert_eq!(h.session().await.unwrap().kept["site"], "S-1");
    assert_eq!(read(&h).await.unwrap(), 200);
    assert_eq!(read(&h).await.unwrap(), 200);
    {
        let v = vendor.lock().unwrap();
        assert_eq!(v.count("/signin"), 1);
        let sent: Value = serde_json::from_str(&v.asked[0].3).unwrap();
        assert_eq!(
            sent,
            json!({"credentials": {"name": "dana", "secret": "pass\"word"}})
        );
        assert_eq!(v.asked[1].2, "token one");
    }
    // Refused for good: one renewal, then the answer is the caller's.
    let refusals = vec![(401, json!({})), (401, json!({})), (401, json!({}))];
    vendor
        .lock()
        .unwrap()
        .script
        .insert("/data".into(), refusals);
    assert_eq!(read(&h).await.unwrap(), 401);
    assert_eq!(vendor.lock().unwrap().count("/signin"), 2);
    // The vendor says by other means that the session is over.
    vendor.lock().unwrap().script.clear();
    let sessions = vec![session("four", None)];
    vendor
        .lock()
        .unwrap()
        .script
        .insert("/signin".into(), sessions);
    h.expire(&h.session().await.unwrap());
    assert_eq!(read(&h).await.unwrap(), 200);
    assert_eq!(vendor.lock().unwrap().asked.last().unwrap().2, "token four");
}

#[tokio::test]
async fn a_login_is_tried_again_after_a_hiccup_and_never_after_a_no() {
    let (base, vendor) = vendor().await;
    let script = vec![(503, json!({})), session("one", Some(3600))];
    vendor
        .lock()
        .unwrap()
        .script
        .insert("/signin".into(), script);
    let h = http(&base, login(), two_step(), None);
    assert_eq!(read(&h).await.unwrap(), 200);
    assert_eq!(vendor.lock().unwrap().count("/signin"), 2);

    let no = json!({"error": {"code": "401001", "summary": "Signin Error", "detail": "pass\"word is wrong for dana"}});
    vendor
        .lock()
        .unwrap()
        .script
        .insert("/signin".into(), vec![(401, no), session("two", None)]);
    let h = http(&base, login(), two_step(), None);
    let e = read(&h).await.unwrap_err();
    assert_eq!(e.kind, ErrorKind::Auth);
    for part in [
        "(hidden) is wrong",
        "csops auth status crm",
        "csops connect check crm",
    ] {
        assert!(e.message.contains(part), "{}", e.message);
    }
    assert_eq!(
        vendor.lock().unwrap().count("/signin"),
        3,
        "told once, not tried again"
    );
    // A connector without such a login says so before anything is sent.
    let e = Http::new(
        &settings(&base, login()),
        None,
        Arc::new(RealClock),
        None,
        plan(),
    )
    .err()
    .unwrap();
    assert!(e.message.contains("no login in two steps"), "{}", e.message);
}

fn own_right() -> Auth {
    Auth::ClientCredentials {
        client_id: "app".into(),
        client_secret: "app-secret".into(),
        token_url: None,
        scopes: vec!["a".into(), "b".into()],
    }
}

#[tokio::test]
async fn a_token_is_renewed_when_its_life_ends_also_where_401_says_nothing() {
    let (base, vendor) = vendor().await;
    vendor.lock().unwrap().expires_in = Some(0);
    let mut careful = plan();
    careful.renew_on_401 = false;
    careful.oauth.send = SendClient::Basic;
    let h = http(&base, own_right(), careful, None);
    read(&h).await.unwrap();
    vendor.lock().unwrap().expires_in = Some(1800);
    read(&h).await.unwrap();
    read(&h).await.unwrap();
    {
        let v = vendor.lock().unwrap();
        assert_eq!(
            v.count("/token"),
            2,
            "the first was over at once, the second lasts"
        );
        // base64 of app:app-secret
        assert_eq!(v.asked[0].2, "Basic YXBwOmFwcC1zZWNyZXQ=");
        assert!(
            !v.asked[0].3.contains("app-secret") && v.asked[0].3.contains("scope=a+b"),
            "{}",
            v.asked[0].3
        );
    }
    vendor.lock().unwrap().over = 99;
    assert_eq!(read(&h).await.unwrap(), 401);
    assert_eq!(
        vendor.lock().unwrap().count("/token"),
        2,
        "401 is no sign of expiry here"
    );
}

#[tokio::test]
async fn a_rotated_token_survives_a_restart_and_a_second_program() {
    let (base, vendor) = vendor().await;
    vendor.lock().unwrap().good.push("first-secret".into());
    let store = Arc::new(Store::default());
    let open = || http(&base, refresh("first-secret"), plan(), Some(store.clone()));
    let (one, two) = (open(), open());
    assert_eq!(one.session().await.unwrap().kept["account"], "77");
    read(&one).await.unwrap();
    // The second program was open before the first one renewed, and still shows the newest.
    read(&two).await.unwrap();
    vendor.lock().unwrap().over = 2;
    read(&one).await.unwrap();
    read(&open()).await.unwrap();
    let v = vendor.lock().unwrap();
    let shown: Vec<String> = v
        .asked
        .iter()
        .filter(|a| a.0 == "/token")
        .map(|a| form(&a.3)["refresh_token"].clone())
        .collect();
    assert_eq!(
        shown,
        [
            "first-secret",
            "refresh-secret-1",
            "refresh-secret-2",
            "refresh-secret-3"
        ]
    );
}

#[tokio::test]
async fn a_refused_refresh_token_is_never_shown_again_until_something_changes() {
    let (base, vendor) = vendor().await;
    let store = Arc::new(Store::default());
    let open = |token: &str| http(&base, refresh(token), plan(), Some(store.clone()));
    let h = open("dead-secret");
    for _ in 0..3 {
        let e = read(&h).await.unwrap_err();
        assert_eq!(e.kind, ErrorKind::Auth);
        for part in [
            "refuses the refresh token",
            "the vendor says no",
            "csops auth login crm",
        ] {
            assert!(e.message.contains(part), "{}", e.message);
        }
        assert!(!e.message.contains("dead-secret"), "{}", e.message);
    }
    assert_eq!(vendor.lock().unwrap().count("/token"), 1);
    // Nor after a restart.
    let e = read(&open("dead-secret")).await.unwrap_err();
    assert!(e.message.contains("csops auth login crm"), "{}", e.message);
    assert_eq!(vendor.lock().unwrap().count("/token"), 1);
    // A new one in the configuration counts at once,
    vendor.lock().unwrap().good.push("new-secret".into());
    assert_eq!(read(&open("new-secret")).await.unwrap(), 200);
    // and so does a new login while the program that was refused still runs.
    vendor.lock().unwrap().good.push("typed-secret".into());
    let kept = Kept {
        refresh_token: Some("typed-secret".into()),
        ..Kept::default()
    };
    store.save("crm", &kept.write()).unwrap();
    assert_eq!(read(&h).await.unwrap(), 200);
}

#[tokio::test]
async fn a_missing_permission_and_a_wrong_client_say_which() {
    let (base, vendor) = vendor().await;
    let no = |code: &str| {
        (
            400,
            json!({"error": code, "error_description": "no app-secret"}),
        )
    };
    for (code, parts) in [
        ("invalid_scope", ["asked for: a b", "`auth.scopes`"]),
        (
            "invalid_client",
            ["`auth.client_id`", "csops auth status crm"],
        ),
        (
            "unauthorized_client",
            ["client_credentials", "administrator"],
        ),
    ] {
        vendor
            .lock()
            .unwrap()
            .script
            .insert("/token".into(), vec![no(code)]);
        let e = read(&http(&base, own_right(), plan(), None))
            .await
            .unwrap_err();
        assert_eq!(e.kind, ErrorKind::Auth);
        assert!(!e.message.contains("app-secret"), "{}", e.message);
        for part in parts.iter().chain(&["csops connect check crm"]) {
            assert!(e.message.contains(part), "{code}: {}", e.message);
        }
    }
}

#[tokio::test]
async fn a_login_in_the_browser_is_proved_by_pkce_and_its_tokens_are_used_and_taken_back() {
    let (base, vendor) = vendor().await;
    let s = settings(&base, browser(None));
    let login = SignIn::begin(&s, plan(), true).await.unwrap();
    let back = consent(login.address()).await;
    assert!(back.starts_with(login.redirect()), "{back}");
    let waiting = tokio::spawn(login.wait(Duration::from_secs(60)));
    // A page that only guesses gets nothing and ends nothing.
    let guess = back.split("&state=").next().unwrap().to_owned() + "&state=guessed";
    assert_eq!(visit(&guess).await, 400);
    assert_eq!(visit(&back.replace("/callback", "/favicon.ico")).await, 404);
    assert_eq!(visit(&back).await, 200);
    let done = waiting.await.unwrap().unwrap();
    assert_eq!(done.missing, ["write"], "the vendor granted only read");
    assert_eq!(done.kept.refresh_token.as_deref(), Some("refresh-secret-1"));

    let store = Arc::new(Store::default());
    let h = http(&base, browser(None), plan(), Some(store.clone()));
    let e = read(&h).await.unwrap_err();
    assert!(
        e.message.contains("nobody has logged in yet")
            && e.message.contains("csops auth login crm"),
        "{}",
        e.message
    );
    store.save("crm", &done.kept.write()).unwrap();
    assert_eq!(read(&h).await.unwrap(), 200);
    let kept = Kept::read(&store.load("crm").unwrap().unwrap());
    assert_eq!(
        kept.refresh_token.as_deref(),
        Some("refresh-secret-2"),
        "rotated and kept"
    );
    assert!(revoke(&s, &plan(), &kept).await.unwrap());
    assert_eq!(vendor.lock().unwrap().revoked, ["refresh-secret-2"]);
}

#[tokio::test]
async fn a_code_for_another_login_gives_no_token_and_a_foreign_or_cut_address_is_refused() {
    let (base, vendor) = vendor().await;
    let s = settings(&base, browser(Some(8123)));
    let begin = || SignIn::begin(&s, plan(), false);
    let (mine, other) = (begin().await.unwrap(), begin().await.unwrap());
    assert_eq!(mine.redirect(), "http://localhost:8123/callback");
    let (back, others) = (
        consent(mine.address()).await,
        consent(other.address()).await,
    );
    let message = |e: Result<_, ConnectError>| e.expect_err("refused").message;
    let e = message(mine.pasted(&others).await.map(drop));
    assert!(e.contains("another login"), "{e}");
    let e = message(
        other
            .pasted("http://localhost:8123/callback")
            .await
            .map(drop),
    );
    assert!(e.contains("Paste the whole"), "{e}");
    assert_eq!(
        vendor.lock().unwrap().count("/token"),
        0,
        "nothing was asked for either"
    );
    // A stolen code under a right state: the challenge does not fit.
    let thief = begin().await.unwrap();
    let own = consent(thief.address()).await;
    let code = back
        .split("code=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let state = own.split("state=").nth(1).unwrap();
    let e = message(
        thief
            .pasted(&format!("?code={code}&state={state}"))
            .await
            .map(drop),
    );
    assert!(e.contains("gives no token") && !e.contains(code), "{e}");
}

#[tokio::test]
async fn a_denial_and_a_port_in_use_say_what_to_do() {
    let (base, _) = vendor().await;
    let login = SignIn::begin(&settings(&base, browser(None)), plan(), true)
        .await
        .unwrap();
    let own = consent(login.address()).await;
    let state = own.split("state=").nth(1).unwrap();
    let denial = format!(
        "{}?error=access_denied&error_description=not%20today&state={state}",
        login.redirect()
    );
    let waiting = tokio::spawn(login.wait(Duration::from_secs(60)));
    assert_eq!(visit(&denial).await, 200);
    let e = waiting.await.unwrap().err().expect("denied");
    assert_eq!(e.kind, ErrorKind::Auth);
    for part in ["not today", "access_denied", "csops auth login crm"] {
        assert!(e.message.contains(part), "{}", e.message);
    }
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let e = SignIn::begin(&settings(&base, browser(Some(port))), plan(), true)
        .await
        .err()
        .expect("in use");
    assert_eq!(e.kind, ErrorKind::Setup);
    for part in [port.to_string().as_str(), "redirect_port", "--paste"] {
        assert!(e.message.contains(part), "{}", e.message);
    }
    let unsafe_url = Auth::AuthorizationCode {
        client_id: "app".into(),
        client_secret: None,
        authorize_url: None,
        token_url: Some("http://login.example.com/token".into()),
        revoke_url: None,
        scopes: Vec::new(),
        redirect_port: None,
    };
    let e = SignIn::begin(&settings(&base, unsafe_url), plan(), true)
        .await
        .err()
        .expect("in the clear");
    assert!(e.message.contains("in the clear"), "{}", e.message);
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);
impl Write for Lines {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(data);
        Ok(data.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_reaches_the_log_even_when_everything_is_logged() {
    let lines = Lines::default();
    let into = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || into.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (base, vendor) = vendor().await;
    vendor.lock().unwrap().good.push("first-secret".into());
    let store = Arc::new(Store::default());
    let _ = read(&http(&base, refresh("first-secret"), plan(), Some(store)))
        .await
        .unwrap();
    let _ = read(&http(&base, own_right(), plan(), None)).await.unwrap();
    let query = || Auth::Query {
        name: "api_key".into(),
        value: "key-secret".into(),
    };
    let failing = vec![(503, json!({})), (503, json!({}))];
    vendor
        .lock()
        .unwrap()
        .script
        .insert("/data".into(), failing);
    let _ = read(&http(&base, query(), plan(), None)).await.unwrap();
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("asking again"), "the log was caught: {log}");
    let leak = log.lines().find(|l| l.contains("secret"));
    assert_eq!(leak, None);
}
