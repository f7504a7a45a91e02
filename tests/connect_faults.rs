//! What bad input from a vendor gets: a vendor that misbehaves by script, on a plain socket, and what the connectors make of it.

#[path = "common/login.rs"]
mod login;

use csops::book::{Clock, Cursor, Entity, FieldValue, Verb};
use csops::connect::manifest::Library;
use csops::connect::{
    self, Auth, ConnectError, Connector, ErrorKind, SourceSettings, TokenStore, Write,
};
use jiff::{Timestamp, tz::TimeZone};
use login::login;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[path = "connect_faults/bulk.rs"]
mod bulk;
#[path = "connect_faults/gainsight.rs"]
mod gainsight;

struct RealClock;
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
struct Asked {
    method: String,
    path: String,
    head: String,
    body: String,
}

/// One answer; `cut` closes the connection after so many bytes of the body.
#[derive(Clone)]
struct Reply {
    status: u16,
    kind: &'static str,
    head: String,
    body: String,
    cut: Option<usize>,
}

fn json(status: u16, body: impl Into<String>) -> Reply {
    Reply {
        status,
        kind: "application/json",
        head: String::new(),
        body: body.into(),
        cut: None,
    }
}

type Log = Arc<Mutex<Vec<Asked>>>;

/// A vendor that answers as the script says; its address and what it was asked.
async fn vendor(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let log: Log = Arc::default();
    let (seen, script) = (log.clone(), Arc::new(script));
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (seen, script) = (seen.clone(), script.clone());
            tokio::spawn(async move {
                let mut data = Vec::new();
                let mut buffer = [0u8; 8192];
                let head = loop {
                    match socket.read(&mut buffer).await {
                        Ok(0) | Err(_) => return,
                        Ok(n) => data.extend_from_slice(&buffer[..n]),
                    }
                    if let Some(end) = data.windows(4).position(|w| w == b"\r\n\r\n") {
                        break end + 4;
                    }
                };
                let text = String::from_utf8_lossy(&data[..head]).into_owned();
                let length = text
                    .lines()
                    .find_map(|l| {
                        l.to_ascii_lowercase()
                            .strip_prefix("content-length:")
                            .map(|v| v.trim().parse::<usize>().unwrap())
                    })
                    .unwrap_or(0);
                while data.len() < head + length {
                    match socket.read(&mut buffer).await {
                        Ok(0) | Err(_) => return,
                        Ok(n) => data.extend_from_slice(&buffer[..n]),
                    }
                }
                let mut first = text.lines().next().unwrap_or_default().split(' ');
                let asked = Asked {
                    method: first.next().unwrap_or_default().to_owned(),
                    path: first.next().unwrap_or_default().to_owned(),
                    body: String::from_utf8_lossy(&data[head..]).into_owned(),
                    head: text,
                };
                let reply = script(&asked);
                seen.lock().unwrap().push(asked);
                let sent = reply.cut.map_or(reply.body.as_str(), |n| &reply.body[..n]);
                let answer = format!(
                    "HTTP/1.1 {} X\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n{}\r\n{sent}",
                    reply.status,
                    reply.kind,
                    reply.body.len(),
                    reply.head
                );
                let _ = socket.write_all(answer.as_bytes()).await;
                let _ = socket.shutdown().await;
            });
        }
    });
    (base, log)
}

fn reach(
    settings: SourceSettings,
    tokens: Option<Arc<dyn TokenStore>>,
) -> Result<Box<dyn Connector>, ConnectError> {
    connect::open(settings, &Library::builtin(), Arc::new(RealClock), tokens)
}

fn settings(connector: &str, base: &str, auth: Auth) -> SourceSettings {
    SourceSettings {
        name: "crm".into(),
        connector: connector.into(),
        base_url: Some(base.into()),
        auth,
        ca_file: None,
        daily_requests: None,
        fields: BTreeMap::new(),
        options: BTreeMap::new(),
        secrets: BTreeMap::new(),
    }
}

fn open(connector: &str, base: &str, auth: Auth) -> Box<dyn Connector> {
    reach(settings(connector, base, auth), None).unwrap()
}

fn salesforce(base: &str) -> Box<dyn Connector> {
    open("salesforce", base, Auth::Bearer("S3CRET".into()))
}

fn credentials() -> Auth {
    Auth::ClientCredentials {
        client_id: "id".into(),
        client_secret: "S3CRET".into(),
        token_url: None,
        scopes: Vec::new(),
    }
}

const DESCRIBE: &str = r#"{"name":"Account","fields":[{"name":"Id","type":"id"},{"name":"Name","type":"string"},{"name":"SystemModstamp","type":"datetime"},
    {"name":"IsDeleted","type":"boolean"},{"name":"Health__c","type":"double","custom":true},{"name":"Renewal_Date__c","type":"date","custom":true},
    {"name":"ARR__c","type":"currency","custom":true},{"name":"CurrencyIsoCode","type":"picklist"}]}"#;

fn row(n: u32) -> String {
    format!(
        r#"{{"Id":"00100000000000{n}AAA","Name":"A{n}","SystemModstamp":"2026-01-0{n}T00:00:00.000+0000","IsDeleted":false}}"#
    )
}

fn page(rows: &[String], next: Option<&str>) -> String {
    let next = next.map_or_else(String::new, |n| format!(r#","nextRecordsUrl":"{n}""#));
    format!(
        r#"{{"totalSize":9,"done":{}{next},"records":[{}]}}"#,
        next.is_empty(),
        rows.join(",")
    )
}

/// An organisation whose describe works and whose queries answer as given.
async fn org(query: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (String, Log) {
    vendor(move |a| {
        if a.path.contains("/describe") {
            json(200, DESCRIBE)
        } else {
            query(a)
        }
    })
    .await
}

async fn accounts(c: &dyn Connector) -> Result<connect::Page, ConnectError> {
    c.fetch("accounts", None).await
}

async fn fails(reply: Reply) -> ConnectError {
    let (base, _) = org(move |_| reply.clone()).await;
    let e = accounts(salesforce(&base).as_ref())
        .await
        .expect_err("this answer is no good");
    assert!(
        !e.message.contains("S3CRET") && e.message.starts_with("crm: "),
        "{}",
        e.message
    );
    e
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_named_and_nothing_of_it_is_taken() {
    let html = Reply {
        kind: "text/html",
        ..json(200, "<html><body>Please log in</body></html>")
    };
    let e = fails(html).await;
    assert_eq!(e.kind, ErrorKind::Protocol);
    assert!(e.message.contains("web page"), "{}", e.message);

    let half = page(&[row(1)], None);
    let e = fails(json(200, &half[..half.len() - 20])).await;
    assert_eq!(e.kind, ErrorKind::Protocol);
    assert!(e.message.contains("ends in the middle"), "{}", e.message);

    let e = fails(Reply {
        cut: Some(30),
        ..json(200, half.clone())
    })
    .await;
    assert!(matches!(e.kind, ErrorKind::Retry { .. }), "{e:?}");
    assert!(e.message.contains("broke in the middle"), "{}", e.message);

    let e = fails(json(200, "")).await;
    assert_eq!(e.kind, ErrorKind::Protocol);
    assert!(e.message.contains("is empty"), "{}", e.message);

    for wrong in [r#"{"records":"none"}"#, "[1,2]", "true", r#"{"done":true}"#] {
        let e = fails(json(200, wrong)).await;
        assert_eq!(e.kind, ErrorKind::Protocol, "{wrong}");
        assert!(e.message.contains("another form"), "{}", e.message);
    }
}

#[tokio::test]
async fn trouble_and_haste_are_waited_for_as_long_as_the_vendor_says() {
    let e = fails(Reply {
        kind: "text/html",
        ..json(500, "<h1>Oops</h1>")
    })
    .await;
    assert!(
        matches!(
            e.kind,
            ErrorKind::Retry {
                maybe_done: false,
                ..
            }
        ),
        "{e:?}"
    );
    let busy = Reply {
        head: "retry-after: 7\r\n".into(),
        ..json(429, "[]")
    };
    let e = fails(busy).await;
    assert_eq!(
        e.kind,
        ErrorKind::Retry {
            after: Some(Duration::from_secs(7)),
            maybe_done: false
        }
    );
    let limit =
        r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
    let e = fails(json(403, limit)).await;
    assert!(
        matches!(e.kind, ErrorKind::Retry { after: Some(_), .. }),
        "{e:?}"
    );
}

#[tokio::test]
async fn one_bad_row_or_value_does_not_cost_the_others() {
    let bad = [
        row(1),
        r#"{"Name":"without an id","SystemModstamp":"2026-01-02T00:00:00.000+0000"}"#.into(),
        r#"{"Id":"","Name":"blank id"}"#.into(),
        "7".into(),
        r#"{"Id":"001000000000003AAA","Name":42,"Health__c":"66","Renewal_Date__c":"2026-02-31","ARR__c":"1234.505","CurrencyIsoCode":"JPY",
            "SystemModstamp":"2026-01-03T00:00:00.000+0000"}"#
            .into(),
        r#"{"Id":"001000000000004AAA","Name":null,"Health__c":{"a":1},"ARR__c":[1],"SystemModstamp":"yesterday"}"#.into(),
    ];
    let (base, _) = org(move |_| json(200, page(&bad, None))).await;
    let page = accounts(salesforce(&base).as_ref()).await.unwrap();
    assert!(page.done);
    let ids: Vec<&str> = page
        .records
        .iter()
        .map(|r| r.external_id.as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "001000000000001AAA",
            "001000000000003AAA",
            "001000000000004AAA"
        ]
    );
    let r = &page.records[1];
    assert_eq!(
        r.get("name"),
        Some(&FieldValue::text("42")),
        "a number as text"
    );
    assert_eq!(
        r.get("health"),
        Some(&FieldValue::Number(66.0)),
        "a text as number"
    );
    assert_eq!(
        r.get("arr").unwrap().to_string(),
        "1235 JPY",
        "money from its digits, in its own decimals"
    );
    assert_eq!(
        r.get("renewal"),
        None,
        "an impossible day is left out, not emptied"
    );
    let reasons: Vec<&str> = page.problems.iter().map(|p| p.reason.as_str()).collect();
    assert_eq!(
        reasons
            .iter()
            .filter(|r| r.contains("without an id"))
            .count(),
        2,
        "{reasons:?}"
    );
    assert!(
        reasons.iter().any(|r| r.contains("2026-02-31")),
        "{reasons:?}"
    );
    assert!(
        reasons.iter().any(|r| r.contains("Health__c is an object")),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn pages_that_repeat_or_lead_elsewhere_are_refused() {
    let (base, _) = org(|_| {
        json(
            200,
            page(
                &[row(1), row(2)],
                Some("/services/data/v62.0/query/01g-2000"),
            ),
        )
    })
    .await;
    let c = salesforce(&base);
    let first = accounts(c.as_ref()).await.unwrap();
    assert!(!first.done);
    let e = c
        .fetch("accounts", Some(&first.next))
        .await
        .expect_err("the same rows again");
    assert_eq!(e.kind, ErrorKind::Protocol);
    assert!(e.message.contains("came twice"), "{}", e.message);

    let (elsewhere, stolen) = vendor(|_| json(200, page(&[row(3)], None))).await;
    let host = elsewhere.trim_start_matches("http://").to_owned();
    for next in [
        format!("{elsewhere}/services/data/v62.0/query/x"),
        format!("//{host}/x"),
        format!("@{host}/x"),
        ".evil.example/x".into(),
    ] {
        let answer = page(&[row(1)], Some(&next));
        let (base, log) = org(move |_| json(200, answer.clone())).await;
        let c = salesforce(&base);
        let e = accounts(c.as_ref()).await.expect_err("a foreign next page");
        assert_eq!(e.kind, ErrorKind::Protocol, "{next}");
        assert!(
            e.message.contains("does not take its credentials there"),
            "{}",
            e.message
        );
        assert_eq!(log.lock().unwrap().len(), 2);
    }
    assert!(
        stolen.lock().unwrap().is_empty(),
        "the token went to another host"
    );

    let (base, _) = org(|_| Reply {
        head: "location: https://evil.example/\r\n".into(),
        ..json(302, "")
    })
    .await;
    let e = accounts(salesforce(&base).as_ref())
        .await
        .expect_err("a redirect");
    assert_eq!(e.kind, ErrorKind::Setup);
    assert!(e.message.contains("evil.example"), "{}", e.message);
}

#[tokio::test]
async fn an_expired_page_locator_goes_on_behind_the_last_row() {
    let (base, log) = org(|a| {
        if a.path.contains("/query/") {
            json(
                400,
                r#"[{"message":"invalid query locator","errorCode":"INVALID_QUERY_LOCATOR"}]"#,
            )
        } else if a.path.contains("001000000000002AAA") {
            json(200, page(&[row(3)], None))
        } else {
            json(
                200,
                page(
                    &[row(1), row(2)],
                    Some("/services/data/v62.0/query/01g-2000"),
                ),
            )
        }
    })
    .await;
    let c = salesforce(&base);
    let first = accounts(c.as_ref()).await.unwrap();
    let second = c.fetch("accounts", Some(&first.next)).await.unwrap();
    assert!(second.done);
    assert_eq!(second.records[0].external_id, "001000000000003AAA");
    assert!(log.lock().unwrap().iter().any(|a| {
        a.path
            .contains("SystemModstamp%20%3E%202026-01-02T00%3A00%3A00")
    }));
}

#[tokio::test]
async fn a_field_that_is_gone_is_dropped_and_said() {
    let (base, _) = org(|a| {
        if a.path.contains("Health__c") {
            json(400, r#"[{"message":"\nSELECT Id, Health__c FROM Account\n ^\nERROR at Row:1:Column:12\nNo such column 'Health__c' on entity 'Account'.","errorCode":"INVALID_FIELD"}]"#)
        } else {
            json(200, page(&[row(1)], None))
        }
    })
    .await;
    let c = salesforce(&base);
    let page = accounts(c.as_ref()).await.unwrap();
    assert_eq!(page.records.len(), 1);
    assert!(
        page.problems[0]
            .reason
            .contains("Account.Health__c is no longer there"),
        "{:?}",
        page.problems
    );
    let again = c.fetch("accounts", Some(&page.next)).await.unwrap();
    assert!(
        again.problems.is_empty() && again.requests == 1,
        "the cursor remembers it"
    );
}

#[tokio::test]
async fn a_stored_cursor_that_is_no_cursor_starts_the_stream_again() {
    let (base, _) = org(|_| json(200, page(&[], None))).await;
    let c = salesforce(&base);
    let e = c
        .fetch("accounts", Some(&Cursor("rubbish".into())))
        .await
        .expect_err("no cursor");
    assert_eq!(e.kind, ErrorKind::CursorLost);
    let first = accounts(c.as_ref()).await.unwrap();
    let mut other = settings("salesforce", &base, Auth::None);
    other
        .fields
        .insert("account.health".into(), "Score__c".into());
    let c = reach(other, None).unwrap();
    let e = c
        .fetch("accounts", Some(&first.next))
        .await
        .expect_err("another mapping");
    assert_eq!(e.kind, ErrorKind::CursorLost);
}

#[tokio::test]
async fn a_refused_login_is_told_once_and_an_expired_token_is_renewed_once() {
    let (base, log) = vendor(|_| {
        json(
            400,
            r#"{"error":"invalid_client","error_description":"invalid client credentials"}"#,
        )
    })
    .await;
    let e = accounts(open("salesforce", &base, credentials()).as_ref())
        .await
        .expect_err("refused");
    assert_eq!(e.kind, ErrorKind::Auth);
    assert!(
        e.message.contains("invalid client credentials") && !e.message.contains("S3CRET"),
        "{}",
        e.message
    );
    assert_eq!(
        log.lock().unwrap().len(),
        1,
        "a refused login is not repeated"
    );

    let tokens = Arc::new(Mutex::new(0));
    let given = tokens.clone();
    let (base, log) = vendor(move |a| {
        if a.path.contains("/oauth2/token") {
            let mut n = given.lock().unwrap();
            *n += 1;
            json(
                200,
                format!(r#"{{"access_token":"T{n}","token_type":"Bearer"}}"#),
            )
        } else if a.head.contains("Bearer T1") {
            json(
                401,
                r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#,
            )
        } else if a.path.contains("/describe") {
            json(200, DESCRIBE)
        } else {
            json(200, page(&[row(1)], None))
        }
    })
    .await;
    let c = open("salesforce", &base, credentials());
    let (a, b) = tokio::join!(accounts(c.as_ref()), accounts(c.as_ref()));
    assert_eq!((a.unwrap().records.len(), b.unwrap().records.len()), (1, 1));
    assert_eq!(
        *tokens.lock().unwrap(),
        2,
        "one login, one renewal, whoever asks"
    );
    assert!(
        log.lock().unwrap()[0]
            .body
            .contains("grant_type=client_credentials")
    );

    let (base, log) = vendor(|a| {
        if a.path.contains("/oauth2/token") {
            json(200, r#"{"access_token":"T","token_type":"Bearer"}"#)
        } else {
            json(401, r#"[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]"#)
        }
    })
    .await;
    let e = accounts(open("salesforce", &base, credentials()).as_ref())
        .await
        .expect_err("never good");
    assert_eq!(e.kind, ErrorKind::Auth);
    assert_eq!(
        log.lock().unwrap().len(),
        4,
        "two logins, two tries, no loop"
    );
}

#[derive(Default)]
struct Kept(Mutex<Option<String>>);
impl TokenStore for Kept {
    fn load(&self, _source: &str) -> Result<Option<SecretString>, String> {
        Ok(self.0.lock().unwrap().clone().map(SecretString::from))
    }
    fn save(&self, _source: &str, token: &SecretString) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(token.expose_secret().to_owned());
        Ok(())
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_is_kept_and_used_after_a_restart() {
    let (base, log) = org(|a| {
        if a.path.contains("/oauth2/token") {
            json(200, r#"{"access_token":"T","refresh_token":"R2"}"#)
        } else {
            json(200, page(&[], None))
        }
    })
    .await;
    let auth = Auth::Refresh {
        client_id: "id".into(),
        client_secret: None,
        refresh_token: "R1".into(),
        token_url: None,
        revoke_url: None,
    };
    let kept = Arc::new(Kept::default());
    for _ in 0..2 {
        let s = settings("salesforce", &base, auth.clone());
        let c = reach(s, Some(kept.clone())).unwrap();
        accounts(c.as_ref()).await.unwrap();
    }
    let logins: Vec<String> = log
        .lock()
        .unwrap()
        .iter()
        .filter(|a| a.path.contains("token"))
        .map(|a| a.body.clone())
        .collect();
    assert!(
        logins[0].contains("refresh_token=R1") && logins[1].contains("refresh_token=R2"),
        "{logins:?}"
    );
}

#[tokio::test]
async fn a_jwt_login_is_signed_by_the_key_that_was_given() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let (base, log) = org(|a| {
        if a.path.contains("/oauth2/token") {
            json(200, r#"{"access_token":"T"}"#)
        } else {
            json(200, page(&[], None))
        }
    })
    .await;
    let auth = |pem: String| Auth::JwtBearer {
        client_id: "app".into(),
        username: "dana@example.com".into(),
        private_key: pem.into(),
        audience: None,
        token_url: None,
    };
    accounts(open("salesforce", &base, auth(key.serialize_pem())).as_ref())
        .await
        .unwrap();
    let body = log.lock().unwrap()[0].body.clone();
    assert!(
        body.contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"),
        "{body}"
    );
    let token = body
        .split("assertion=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.set_audience(&["https://login.salesforce.com"]);
    let public = jsonwebtoken::DecodingKey::from_rsa_pem(key.public_key_pem().as_bytes()).unwrap();
    let claims = jsonwebtoken::decode::<serde_json::Value>(token, &public, &rules)
        .expect("the signature holds")
        .claims;
    assert_eq!(
        (claims["iss"].as_str(), claims["sub"].as_str()),
        (Some("app"), Some("dana@example.com"))
    );
    let e = accounts(open("salesforce", &base, auth("no key".into())).as_ref())
        .await
        .expect_err("no key");
    assert_eq!(e.kind, ErrorKind::Setup);
}

#[tokio::test]
async fn an_unknown_host_a_closed_port_and_a_strange_certificate_say_what_to_do() {
    let e = accounts(salesforce("https://no-such-host.invalid").as_ref())
        .await
        .expect_err("no such host");
    assert_eq!(e.kind, ErrorKind::Setup, "{}", e.message);
    assert!(
        e.message.contains("no host no-such-host.invalid"),
        "{}",
        e.message
    );

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let e = accounts(salesforce(&base).as_ref())
        .await
        .expect_err("nobody listens");
    assert!(
        matches!(
            e.kind,
            ErrorKind::Retry {
                maybe_done: false,
                ..
            }
        ),
        "{e:?}"
    );
    assert!(
        e.message.contains("refuses the connection"),
        "{}",
        e.message
    );

    let dir = tempfile::tempdir().unwrap();
    let sim = csops::simulate::start(csops::simulate::Options {
        accounts: 30,
        freeze: true,
        tls: true,
        dir: Some(dir.path().to_owned()),
        ..Default::default()
    })
    .await
    .unwrap();
    let v = sim
        .vendors
        .iter()
        .find(|v| v.connector == "salesforce")
        .unwrap();
    let auth = login(v.auth.clone());
    let mut s = settings("salesforce", &v.base_url, auth);
    let e = accounts(reach(s.clone(), None).unwrap().as_ref())
        .await
        .expect_err("not ours to trust");
    assert_eq!(e.kind, ErrorKind::Setup, "{}", e.message);
    assert!(
        e.message.contains("certificate") && e.message.contains("ca_file"),
        "{}",
        e.message
    );
    s.ca_file = v.ca_file.clone();
    let page = accounts(reach(s.clone(), None).unwrap().as_ref())
        .await
        .unwrap();
    assert!(!page.records.is_empty());

    for (base, part) in [
        ("http://crm.example.com", "in the clear"),
        ("not an address", "is not an address"),
        ("ftp://x", "https://"),
    ] {
        s.base_url = Some(base.into());
        let e = reach(s.clone(), None).err().expect("a bad address");
        assert_eq!(e.kind, ErrorKind::Setup);
        assert!(e.message.contains(part), "{}", e.message);
    }
    s.connector = "salesfarce".into();
    assert!(reach(s, None).err().unwrap().message.contains("salesforce"));
}

#[tokio::test]
async fn the_promise_of_requests_is_kept() {
    let (base, log) = org(|_| json(200, page(&[], None))).await;
    let mut s = settings("salesforce", &base, Auth::None);
    s.daily_requests = Some(3);
    let c = reach(s, None).unwrap();
    let mut cursor = None;
    let e = loop {
        match c.fetch("accounts", cursor.as_ref()).await {
            Ok(page) => cursor = Some(page.next),
            Err(e) => break e,
        }
    };
    assert_eq!(e.kind, ErrorKind::Budget);
    assert_eq!(log.lock().unwrap().len(), 3);
    assert_eq!((c.budget().ours, c.budget().promise), (3, Some(3)));
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_unknown_not_failed() {
    let write = Write {
        verb: Verb::Create,
        entity: Entity::Touchpoint,
        external_id: None,
        account: Some("001000000000001AAA".into()),
        marker: "0191f6a2-1111-7222-8333-444455556666".into(),
        fields: vec![(
            "subject".into(),
            FieldValue::Null,
            FieldValue::text("Talked"),
        )],
        author: None,
        force: false,
    };
    let describe = r#"{"name":"Task","fields":[{"name":"Id","type":"id"},{"name":"Subject","type":"string"},{"name":"SystemModstamp","type":"datetime"},{"name":"Status","type":"picklist","picklistValues":[{"value":"Completed","active":true}]}]}"#;
    let half = r#"{"id":"00T000000000001AAA","success":true,"errors":[]}"#;
    for reply in [
        Reply {
            cut: Some(12),
            ..json(201, half)
        },
        json(201, ""),
        json(201, "{\"id\":"),
        Reply {
            kind: "text/html",
            ..json(200, "<html>")
        },
        json(503, "busy"),
    ] {
        let answer = reply.clone();
        let (base, log) = vendor(move |a| {
            if a.method == "GET" {
                json(200, describe)
            } else {
                answer.clone()
            }
        })
        .await;
        let e = salesforce(&base)
            .write(&write)
            .await
            .expect_err("no answer was heard");
        assert!(
            matches!(
                e.kind,
                ErrorKind::Retry {
                    maybe_done: true,
                    ..
                }
            ),
            "{e:?}"
        );
        let posts: Vec<Asked> = log
            .lock()
            .unwrap()
            .iter()
            .filter(|a| a.method == "POST")
            .cloned()
            .collect();
        assert_eq!(posts.len(), 1, "a create is never resent blindly");
        assert!(
            posts[0].body.contains("Talked [csops:444455556666]"),
            "{}",
            posts[0].body
        );
    }
}
