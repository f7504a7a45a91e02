//! One HTTP client per source: bounded bodies, no redirects, patience with limits, and errors in plain words.

use super::auth::{AuthPlan, Authenticator, Token};
use super::{ConnectError, ErrorKind, SourceSettings, TokenStore};
use crate::book::{Budget, Clock};
use bytes::{Bytes, BytesMut};
use jiff::civil::Date;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Method, Url, redirect};
use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// No answer of a vendor's page is longer; what is, is a mistake at the other end.
const MAX_BODY: usize = 64 << 20;
/// So far the vendor is believed how long its answer will be.
const EXPECTED: u64 = 4 << 20;
const JSON: &str = "application/json";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence for this long ends a request.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(300);
/// After a 429 that names no time.
const BUSY: Duration = Duration::from_secs(20);
/// The share of a minute's requests that reads leave to writes, so that an action never waits behind a long load.
const RESERVE: f64 = 0.15;
/// How often a read is tried again before the error goes out to whoever plans the next run.
const READ_RETRIES: u32 = 2;

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// 200 to 299.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }
    /// `Retry-After`, in seconds or as a date.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        let left = at.as_second() - jiff::Timestamp::now().as_second();
        Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
    }
    /// Whether the body is a web page rather than data.
    pub fn is_html(&self) -> bool {
        let head: Vec<u8> = self
            .body
            .iter()
            .copied()
            .skip_while(|b| b.is_ascii_whitespace() || *b >= 0x80)
            .take(1)
            .collect();
        head.first() == Some(&b'<')
            || self
                .header("content-type")
                .is_some_and(|t| t.to_ascii_lowercase().contains("html"))
    }
}

/// One request. Paths are taken under the source's base address.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Method.
    pub method: Method,
    /// Path with query, beginning with `/`.
    pub path: String,
    /// Body, JSON unless `content_type` says otherwise.
    pub json: Option<Bytes>,
    /// What the body is.
    pub content_type: &'static str,
    /// Another address than the source's own; it gets no credentials.
    pub elsewhere: Option<String>,
    /// The limit that it falls under beside the general one.
    pub lane: Option<String>,
    /// More headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// It changes nothing at the vendor: it may be repeated.
    pub read: bool,
}

impl Ask {
    /// A `GET`.
    pub fn get(path: impl Into<String>) -> Ask {
        Ask {
            method: Method::GET,
            path: path.into(),
            json: None,
            content_type: JSON,
            elsewhere: None,
            lane: None,
            headers: Vec::new(),
            read: true,
        }
    }
    /// A `POST` that only reads (Gainsight asks that way).
    pub fn query(path: impl Into<String>, body: &serde_json::Value) -> Ask {
        Ask {
            read: true,
            ..Ask::write(Method::POST, path, Some(body))
        }
    }
    /// A request that changes something.
    pub fn write(method: Method, path: impl Into<String>, body: Option<&serde_json::Value>) -> Ask {
        Ask {
            method,
            path: path.into(),
            json: body.map(|b| Bytes::from(b.to_string())),
            content_type: JSON,
            elsewhere: None,
            lane: None,
            headers: Vec::new(),
            read: false,
        }
    }
    /// With one more header.
    pub fn header(mut self, name: HeaderName, value: &str) -> Ask {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

#[derive(Default)]
struct Counters {
    day: Option<Date>,
    ours: u64,
    total: u64,
    vendor_used: Option<u64>,
    vendor_max: Option<u64>,
    promise: Option<u64>,
}

/// So many requests a minute, evenly refilled, a full minute's worth at once at the start.
struct Pace {
    per_minute: f64,
    /// How many at once.
    burst: f64,
    tokens: f64,
    at: Instant,
}

impl Pace {
    fn new(per_minute: f64, burst: f64) -> Pace {
        Pace {
            per_minute,
            burst,
            tokens: burst,
            at: Instant::now(),
        }
    }

    /// Takes a turn, or says how long to wait for one.
    fn take(&mut self, reserve: f64) -> Result<(), Duration> {
        let now = Instant::now();
        let gained = now.duration_since(self.at).as_secs_f64() * self.per_minute / 60.0;
        self.tokens = (self.tokens + gained).min(self.burst);
        self.at = now;
        let needed = 1.0 + reserve;
        if self.tokens >= needed {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64(
            (needed - self.tokens) * 60.0 / self.per_minute,
        ))
    }
}

/// The client of one source.
pub struct Http {
    client: Client,
    base: Url,
    /// How people call the source; every message begins with it.
    pub name: Arc<str>,
    auth: Authenticator,
    clock: Arc<dyn Clock>,
    counters: Mutex<Counters>,
    pace: Option<Mutex<Pace>>,
    /// Limits of their own, by lane.
    lanes: Vec<(String, Mutex<Pace>)>,
}

/// A poisoned lock here guards plain numbers, which stay usable.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Http {
    /// Builds the client. `per_minute` is the vendor's own limit, `plan` what is known of logging in there and the vendor's own address
    /// where there is one.
    pub fn new(
        settings: &SourceSettings,
        per_minute: Option<u32>,
        clock: Arc<dyn Clock>,
        tokens: Option<Arc<dyn TokenStore>>,
        plan: AuthPlan,
    ) -> Result<Http, ConnectError> {
        let name = settings.name.clone();
        let setup = |message: String| ConnectError {
            kind: ErrorKind::Setup,
            message: format!("{name}: {message}"),
        };
        let base = settings
            .base_url
            .as_deref()
            .or(plan.base.as_deref())
            .ok_or_else(|| {
                setup("no address is set; put the tenant's own one into `base_url`".into())
            })?;
        let base = Url::parse(base.trim_end_matches('/')).map_err(|e| {
            setup(format!(
                "`base_url = \"{base}\"` is not an address ({e}); it looks like https://example.my.salesforce.com"
            ))
        })?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(setup(format!(
                "`base_url = \"{base}\"` must begin with https://"
            )));
        }
        if base.scheme() == "http" && !is_loopback(&base) {
            return Err(setup(format!(
                "`base_url = \"{base}\"` would send the credentials in the clear; use https://"
            )));
        }
        let client = build_client(settings, &base)?;
        let per_minute = match settings.options.get("requests_per_minute") {
            Some(text) => match text.trim().parse::<u32>() {
                Ok(0) => None,
                Ok(n) => Some(n),
                Err(_) => {
                    return Err(setup(format!(
                        "`requests_per_minute = \"{text}\"` is not a whole number"
                    )));
                }
            },
            None => per_minute,
        };
        Ok(Http {
            auth: Authenticator::new(settings, &base, tokens, plan)?,
            client,
            base,
            name,
            clock,
            counters: Mutex::new(Counters {
                promise: settings.daily_requests,
                ..Counters::default()
            }),
            pace: per_minute.map(|n| Mutex::new(Pace::new(f64::from(n), f64::from(n)))),
            lanes: Vec::new(),
        })
    }

    /// With a limit for the requests of one lane: so many in so many seconds.
    pub fn with_lane(mut self, lane: &str, rate: u32, seconds: u32) -> Http {
        let per_minute = f64::from(rate) * 60.0 / f64::from(seconds.max(1));
        // One at a time and a little below the limit: a burst at a window's edge would overflow it.
        let pace = Pace::new(per_minute * 0.9, 1.0);
        self.lanes.push((lane.to_owned(), Mutex::new(pace)));
        self
    }

    /// The base address, without a slash at its end.
    pub fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The clock that this source goes by.
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Requests so far.
    pub fn budget(&self) -> Budget {
        let today = self.clock.today();
        let c = lock(&self.counters);
        Budget {
            ours: if c.day == Some(today) { c.ours } else { 0 },
            promise: c.promise,
            vendor_used: c.vendor_used,
            vendor_max: c.vendor_max,
        }
    }

    /// Data requests since the start (tokens not counted); pages say what they cost by the difference.
    pub fn requests(&self) -> u64 {
        lock(&self.counters).total
    }

    /// Notes what the vendor says about its own counters; without a promise of ours it becomes a tenth of the vendor's limit.
    pub fn vendor_counts(&self, used: u64, max: u64) {
        let mut c = lock(&self.counters);
        c.vendor_used = Some(used);
        c.vendor_max = Some(max);
        if c.promise.is_none() {
            c.promise = Some(max / 10);
        }
    }

    /// An error of this source. Whatever secret of it stands in the words is blotted out, also when the vendor repeated it.
    pub fn error(&self, kind: ErrorKind, message: impl std::fmt::Display) -> ConnectError {
        ConnectError {
            kind,
            message: self.auth.hide(&format!("{}: {message}", self.name)),
        }
    }

    /// Logs in, unless that is done; the vendor's address of who we are, if it gave one.
    pub async fn login(&self) -> Result<Option<String>, ConnectError> {
        Ok(self.session().await?.identity)
    }

    /// The token in use with what the login told beside it ([`Token::kept`]); logs in when there is none.
    pub async fn session(&self) -> Result<Token, ConnectError> {
        self.auth.token(&self.client, &self.name).await
    }

    /// The vendor said by other means than 401 that this session is over: the next request gets a new one.
    pub fn expire(&self, session: &Token) {
        self.auth.expire(session);
    }

    /// What a person does about credentials that the vendor refuses.
    pub fn remedy(&self) -> String {
        self.auth.remedy()
    }

    /// An address without a secret in its query: what a cursor may hold and a message may show.
    pub fn bare(&self, address: &str) -> String {
        self.auth.bare(address)
    }

    /// Sends and hears the whole answer out. A 401 renews the token once; a read is tried again a little; a 5xx, 429, a broken or an
    /// overlong body become errors here; everything else is the caller's to judge.
    pub async fn send(&self, ask: &Ask) -> Result<Answer, ConnectError> {
        let mut renewed = false;
        let mut attempt = 0;
        loop {
            let token = self.auth.token(&self.client, &self.name).await?;
            let outcome = self.once(ask, &token).await;
            match outcome {
                Ok(answer) if answer.status == 401 && !renewed && self.auth.renewable() => {
                    renewed = true;
                    self.auth.expire(&token);
                }
                Ok(answer) => return Ok(answer),
                Err(e) => {
                    let short_wait = matches!(&e.kind,
                        ErrorKind::Retry { after, .. } if after.is_none_or(|d| d <= Duration::from_secs(2)));
                    if !ask.read || !short_wait || attempt >= READ_RETRIES {
                        return Err(e);
                    }
                    attempt += 1;
                    let wait = match &e.kind {
                        ErrorKind::Retry { after: Some(d), .. } => *d,
                        _ => jitter(Duration::from_millis(150 * 4u64.pow(attempt - 1))),
                    };
                    tracing::debug!(source = %self.name, attempt, "asking again: {}", e.message);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn once(&self, ask: &Ask, token: &Token) -> Result<Answer, ConnectError> {
        self.count()?;
        self.wait_turn(ask).await;
        let base = match &ask.elsewhere {
            Some(other) => other.as_str(),
            None => token.instance.as_ref().unwrap_or(&self.base).as_str(),
        };
        let mut url =
            Url::parse(&format!("{}{}", base.trim_end_matches('/'), ask.path)).map_err(|e| {
                self.error(
                    ErrorKind::Protocol,
                    format!("an address could not be built ({e})"),
                )
            })?;
        token.sign_address(&mut url);
        let mut request = self.client.request(ask.method.clone(), url);
        if let Some(body) = &ask.json {
            request = request
                .header("content-type", ask.content_type)
                .body(body.clone());
        }
        if !ask.headers.iter().any(|(name, _)| name == ACCEPT) {
            request = request.header(ACCEPT, JSON);
        }
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        if ask.elsewhere.is_none() {
            request = token.sign(request);
        }
        let response = request
            .send()
            .await
            .map_err(|e| self.network(&e, ask.read))?;
        let answer = self.read_body(response, ask.read).await?;
        self.judge(answer, ask)
    }

    async fn read_body(
        &self,
        mut response: reqwest::Response,
        read: bool,
    ) -> Result<Answer, ConnectError> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let expected = response.content_length().unwrap_or(0).min(EXPECTED);
        let mut body = BytesMut::with_capacity(expected as usize);
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    if body.len() + chunk.len() > MAX_BODY {
                        return Err(self.error(
                            ErrorKind::Protocol,
                            "an answer is longer than 64 MB and was left unread",
                        ));
                    }
                    body.extend_from_slice(&chunk);
                }
                Ok(None) => break,
                Err(e) => return Err(self.network(&e, read)),
            }
        }
        Ok(Answer {
            status,
            headers,
            body: body.freeze(),
        })
    }

    /// What no vendor's own error shape is needed for.
    fn judge(&self, answer: Answer, ask: &Ask) -> Result<Answer, ConnectError> {
        let status = answer.status;
        let retry = |maybe_done: bool, what: String| {
            let busy = (status == 429).then_some(BUSY);
            self.error(
                ErrorKind::Retry {
                    after: answer.retry_after().or(busy),
                    maybe_done,
                },
                what,
            )
        };
        match status {
            429 => Err(retry(
                false,
                "the vendor says that we ask too often (429); csops waits and goes on by itself"
                    .into(),
            )),
            406 | 408 | 420 => Err(retry(
                false,
                format!("the vendor has no time for us ({status}); csops tries again by itself"),
            )),
            500..=599 => Err(retry(
                !ask.read,
                format!("the vendor has trouble (HTTP {status}); csops tries again by itself"),
            )),
            300 => Ok(answer),
            304 => Ok(answer),
            301..=399 => Err(self.error(
                ErrorKind::Setup,
                format!(
                    "the vendor sends us elsewhere ({status} to {}); csops does not follow, because the credentials would follow too. Correct `base_url`",
                    answer.header("location").map_or("nowhere".into(), |l| host_of(l).unwrap_or_else(|| {
                        let path = l.split(['?', '#']).next().unwrap_or_default();
                        crate::book::text::visible(path).into_owned()
                    }))
                ),
            )),
            _ if answer.is_html() => Err(self.error(
                if answer.ok() && !ask.read {
                    ErrorKind::Retry { after: None, maybe_done: true }
                } else {
                    ErrorKind::Protocol
                },
                format!(
                    "{} answered with a web page instead of data (HTTP {status}); is `base_url` right, or does a proxy or a login page stand between?",
                    self.base.host_str().unwrap_or("the vendor")
                ),
            )),
            _ => Ok(answer),
        }
    }

    /// The body as JSON of that shape. What cannot be read after a write counts as "perhaps done".
    pub fn json<'a, T: serde::Deserialize<'a>>(
        &self,
        answer: &'a Answer,
        ask: &Ask,
        what: &str,
    ) -> Result<T, ConnectError> {
        let problem = if answer.body.iter().all(u8::is_ascii_whitespace) {
            format!("the answer about {what} is empty")
        } else {
            match serde_json::from_slice(&answer.body) {
                Ok(value) => return Ok(value),
                Err(e) if e.is_eof() => format!("the answer about {what} ends in the middle"),
                Err(e) if e.is_data() => {
                    format!(
                        "the answer about {what} has another form than its documentation says (column {})",
                        e.column()
                    )
                }
                Err(e) => format!(
                    "the answer about {what} is not JSON (column {})",
                    e.column()
                ),
            }
        };
        let kind = if ask.read {
            ErrorKind::Protocol
        } else {
            ErrorKind::Retry {
                after: None,
                maybe_done: true,
            }
        };
        Err(self.error(
            kind,
            format!("{problem}; nothing of it was taken, csops asks again by itself"),
        ))
    }

    fn count(&self) -> Result<(), ConnectError> {
        let today = self.clock.today();
        let mut c = lock(&self.counters);
        if c.day != Some(today) {
            c.day = Some(today);
            c.ours = 0;
        }
        if let Some(promise) = c.promise
            && c.ours >= promise
        {
            drop(c);
            return Err(self.error(
                ErrorKind::Budget,
                format!(
                    "the {promise} requests promised for today are used up; it goes on tomorrow, or raise `daily_requests`"
                ),
            ));
        }
        c.ours += 1;
        c.total += 1;
        Ok(())
    }

    async fn wait_turn(&self, ask: &Ask) {
        let lane = ask
            .lane
            .as_ref()
            .and_then(|l| self.lanes.iter().find(|(n, _)| n == l));
        // Reads leave a part of the general limit to writes.
        let general = self.pace.iter().map(|p| {
            let reserve = if ask.read {
                lock(p).burst * RESERVE
            } else {
                0.0
            };
            (p, reserve)
        });
        for (pace, reserve) in general.chain(lane.map(|(_, p)| (p, 0.0))) {
            loop {
                let turn = lock(pace).take(reserve);
                match turn {
                    Ok(()) => break,
                    Err(wait) => tokio::time::sleep(wait).await,
                }
            }
        }
    }

    fn network(&self, e: &reqwest::Error, read: bool) -> ConnectError {
        let host = self.base.host_str().unwrap_or("the vendor");
        let host = self
            .base
            .port()
            .map_or(host.to_owned(), |port| format!("{host}:{port}"));
        network_error(&self.name, &host, e, read)
    }
}

/// The client for one host: patient within limits, without redirects, trusting what the settings say.
pub(super) fn build_client(settings: &SourceSettings, base: &Url) -> Result<Client, ConnectError> {
    let setup = |message: String| ConnectError {
        kind: ErrorKind::Setup,
        message: format!("{}: {message}", settings.name),
    };
    let loopback = is_loopback(base);
    let mut builder = Client::builder()
        .user_agent(concat!("csops/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .tcp_nodelay(true);
    if loopback {
        // A proxy cannot reach this machine's loopback.
        builder = builder.no_proxy();
    }
    if let Some(path) = &settings.ca_file {
        let pem = std::fs::read(path).map_err(|e| {
            setup(format!(
                "cannot read the certificate file {} ({e}); correct `ca_file`",
                path.display()
            ))
        })?;
        let certs = Certificate::from_pem_bundle(&pem).map_err(|_| {
            setup(format!(
                "{} holds no certificate in PEM form; correct `ca_file`",
                path.display()
            ))
        })?;
        builder = builder.tls_certs_only(certs);
    } else if base.scheme() == "http" {
        // Plain loopback needs no trust store, and a machine without one must still be able to run the demo.
        builder = builder.tls_certs_only(Vec::new());
    }
    builder.build().map_err(|e| {
        setup(format!(
            "the HTTP client cannot start: {}; is a certificate store (ca-certificates) installed? `ca_file` can name one",
            chain(&e)
        ))
    })
}

/// A network error in words.
pub(super) fn network_error(
    name: &str,
    host: &str,
    e: &reqwest::Error,
    read: bool,
) -> ConnectError {
    let text = chain(e);
    let low = text.to_ascii_lowercase();
    let (kind, words) = if low.contains("certificate") || low.contains("unknownissuer") {
        (
            ErrorKind::Setup,
            format!(
                "the certificate of {host} does not verify ({}); if it is signed by your own authority, name its file in `ca_file`",
                last_cause(e)
            ),
        )
    } else if e.is_dns()
        || low.contains("dns error")
        || low.contains("failed to lookup")
        || low.contains("name or service")
    {
        (
            ErrorKind::Setup,
            format!(
                "there is no host {host} (or no network to ask); check `base_url` and the network"
            ),
        )
    } else if e.is_connect() {
        let words = if low.contains("refused") {
            format!(
                "{host} refuses the connection; is `base_url` right and the service up? csops tries again by itself"
            )
        } else if e.is_timeout() {
            format!(
                "{host} does not answer; is the network up, is a firewall between? csops tries again by itself"
            )
        } else {
            format!(
                "no connection to {host} ({}); csops tries again by itself",
                last_cause(e)
            )
        };
        (
            ErrorKind::Retry {
                after: None,
                maybe_done: false,
            },
            words,
        )
    } else if e.is_timeout() {
        (
            ErrorKind::Retry {
                after: None,
                maybe_done: !read,
            },
            format!("{host} did not finish its answer in time; csops tries again by itself"),
        )
    } else {
        (
            ErrorKind::Retry {
                after: None,
                maybe_done: !read,
            },
            format!(
                "the connection to {host} broke in the middle of an answer; csops tries again by itself"
            ),
        )
    };
    ConnectError {
        kind,
        message: format!("{name}: {words}"),
    }
}

fn chain(e: &reqwest::Error) -> String {
    let mut text = e.to_string();
    let mut cause = e.source();
    while let Some(c) = cause {
        text.push_str(": ");
        text.push_str(&c.to_string());
        cause = c.source();
    }
    text
}

fn last_cause(e: &reqwest::Error) -> String {
    let mut text = String::from("unknown");
    let mut cause = e.source();
    while let Some(c) = cause {
        text = c.to_string();
        cause = c.source();
    }
    text
}

/// Whether the address is this machine's own.
pub(super) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|h| {
        h.eq_ignore_ascii_case("localhost")
            || h.trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    })
}

fn host_of(location: &str) -> Option<String> {
    Url::parse(location)
        .ok()
        .and_then(|u| u.host_str().map(str::to_owned))
}

/// Between half and the whole of it, so that many clients do not come back in step.
fn jitter(d: Duration) -> Duration {
    let r = uuid::Uuid::new_v4().as_bytes()[0];
    d / 2 + d * u32::from(r) / 512
}

/// Percent-encodes a query value or a path segment.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(b));
            }
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
