//! A person's login in a browser: authorization code with PKCE (S256) and a loopback redirect, after RFC 8252 and RFC 7636.
//!
//! [`SignIn::begin`] gives the address to open; [`SignIn::wait`] hears the browser come back, [`SignIn::pasted`] takes the address that a
//! browser on another machine ended at.

use super::super::http::build_client;
use super::super::{ConnectError, ErrorKind, SourceSettings};
use super::encode::{base64url, random_word, sha256};
use super::hide::Hider;
use super::kept::{Kept, unix_now};
use super::oauth::{Caller, Failed, host_and_port, place};
use super::{Auth, AuthPlan, made_for};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The path that the browser comes back to.
const CALLBACK: &str = "/callback";
/// The port named to the vendor when nobody listens and none is configured.
const PASTE_PORT: u16 = 8710;
const MAX_HEAD: usize = 16 << 10;
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// A login that has begun.
pub struct SignIn {
    client: Client,
    name: Arc<str>,
    auth: Auth,
    plan: AuthPlan,
    scopes: Vec<String>,
    token_url: Url,
    address: Url,
    redirect: String,
    state: String,
    verifier: SecretString,
    listeners: Vec<TcpListener>,
    hider: Hider,
}

/// A login that is done.
pub struct SignedIn {
    /// What is to be kept.
    pub kept: Kept,
    /// Scopes that were asked for and not granted, where the vendor says what it granted.
    pub missing: Vec<String>,
}

impl SignIn {
    /// Makes the address and, unless the answer will be pasted, listens on loopback.
    ///
    /// # Errors
    /// Setup errors: an address is missing or unsafe, the port is in use.
    pub async fn begin(
        settings: &SourceSettings,
        plan: AuthPlan,
        listen: bool,
    ) -> Result<SignIn, ConnectError> {
        let setup = |message: String| ConnectError {
            kind: ErrorKind::Setup,
            message: format!("{}: {message}", settings.name),
        };
        let Auth::AuthorizationCode {
            client_id,
            authorize_url,
            token_url,
            scopes,
            redirect_port,
            ..
        } = &settings.auth
        else {
            return Err(setup(format!(
                "the kind {} does not log in by a browser",
                settings.auth.kind()
            )));
        };
        let base = settings.base_url.as_ref().or(plan.base.as_ref());
        let base =
            match base {
                Some(text) => Some(Url::parse(text).map_err(|e| {
                    setup(format!("`base_url = \"{text}\"` is not an address ({e})"))
                })?),
                None => None,
            };
        let find = |own: &Option<String>, usual: &Option<String>, key: &str| {
            let text = own.as_ref().or(usual.as_ref()).ok_or_else(|| {
                setup(format!(
                    "the address to log in is not known: set `auth.{key}`"
                ))
            })?;
            place(text, base.as_ref(), key).map_err(setup)
        };
        let mut address = find(authorize_url, &plan.oauth.authorize_url, "authorize_url")?;
        let token_url = find(token_url, &plan.oauth.token_url, "token_url")?;
        let (listeners, port) = if listen {
            listen_on(*redirect_port).await.map_err(|e| {
                setup(match redirect_port {
                    Some(port) => format!(
                        "the port {port} for the browser's way back is not free ({e}); end what uses it, set another `redirect_port` (the vendor must know it), or log in with --paste"
                    ),
                    None => format!("no port can be opened for the browser's way back ({e}); log in with --paste"),
                })
            })?
        } else {
            (Vec::new(), redirect_port.unwrap_or(PASTE_PORT))
        };
        let scopes = if scopes.is_empty() {
            plan.oauth.scopes.clone()
        } else {
            scopes.clone()
        };
        let redirect = format!("http://localhost:{port}{CALLBACK}");
        let (state, verifier) = (
            random_word().map_err(&setup)?,
            SecretString::from(random_word().map_err(&setup)?),
        );
        {
            let mut query = address.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", client_id)
                .append_pair("redirect_uri", &redirect)
                .append_pair("state", &state)
                .append_pair(
                    "code_challenge",
                    &base64url(&sha256(verifier.expose_secret())),
                )
                .append_pair("code_challenge_method", "S256");
            if !scopes.is_empty() {
                query.append_pair("scope", &scopes.join(" "));
            }
            for (name, value) in &plan.oauth.authorize_params {
                query.append_pair(name, value);
            }
        }
        let hider = Hider::default();
        hider.learn(&verifier);
        for secret in super::secrets(&settings.auth) {
            hider.learn(&secret);
        }
        Ok(SignIn {
            client: build_client(settings, &token_url)?,
            name: settings.name.clone(),
            auth: settings.auth.clone(),
            plan,
            scopes,
            token_url,
            address,
            redirect,
            state,
            verifier,
            listeners,
            hider,
        })
    }

    /// Where a person logs in.
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// Where the browser comes back to; the vendor must know it.
    pub fn redirect(&self) -> &str {
        &self.redirect
    }

    /// Waits for the browser to come back, then fetches the tokens.
    ///
    /// # Errors
    /// When nobody comes back in time, the login was denied, or the code gives no token.
    pub async fn wait(mut self, patience: Duration) -> Result<SignedIn, ConnectError> {
        let (heard, mut answer) = mpsc::channel(1);
        let mut listening = JoinSet::new();
        for listener in self.listeners.drain(..) {
            let (heard, state) = (heard.clone(), self.state.clone());
            listening.spawn(async move {
                while let Ok((socket, _)) = listener.accept().await {
                    let (heard, state) = (heard.clone(), state.clone());
                    // A browser opens connections that it never uses: none of them may stand in another's way.
                    tokio::spawn(async move {
                        if let Some(result) = hear(socket, &state).await {
                            let _ = heard.send(result).await;
                        }
                    });
                }
            });
        }
        let back = tokio::time::timeout(patience, answer.recv()).await;
        match back {
            Ok(Some(back)) => self.finish(back).await,
            Ok(None) | Err(_) => Err(self.error(
                ErrorKind::Auth,
                format!(
                    "nobody came back from the browser within {} minutes; try again, or with --paste: csops auth login {} --paste",
                    patience.as_secs().div_ceil(60),
                    self.name
                ),
            )),
        }
    }

    /// Takes the address that the browser ended at.
    ///
    /// # Errors
    /// When it is not the answer to this login, the login was denied, or the code gives no token.
    pub async fn pasted(self, text: &str) -> Result<SignedIn, ConnectError> {
        let text = text.trim();
        let query = text.split_once('?').map_or(text, |(_, q)| q);
        let query = query.split('#').next().unwrap_or_default();
        match read_answer(query, &self.state) {
            Reading::Answer(back) => self.finish(back).await,
            Reading::Foreign => Err(self.error(
                ErrorKind::Auth,
                "that address belongs to another login (its `state` is not the one of this try); begin again and paste the address that this try ends at",
            )),
            Reading::Nothing => Err(self.error(
                ErrorKind::Auth,
                format!(
                    "that is not the address that the browser ended at; it begins with {} and holds `code=` and `state=`. Paste the whole of it",
                    self.redirect
                ),
            )),
        }
    }

    fn error(&self, kind: ErrorKind, words: impl std::fmt::Display) -> ConnectError {
        self.caller().error(kind, words)
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            client: &self.client,
            name: &self.name,
            hider: &self.hider,
        }
    }

    async fn finish(self, back: Back) -> Result<SignedIn, ConnectError> {
        let name = &self.name;
        let code = match back {
            Back::Code(code) => code,
            Back::Denied { code, words } => {
                let said = crate::book::text::visible(&words);
                let said = if said.is_empty() {
                    code.clone()
                } else {
                    format!("{said}, {code}")
                };
                let help = match code.as_str() {
                    "access_denied" => {
                        "allow it there, or have an administrator allow the app for your user"
                            .to_owned()
                    }
                    "invalid_scope" => format!(
                        "asked for: {}; correct `auth.scopes`, or have an administrator allow them for the app",
                        self.scopes.join(" ")
                    ),
                    _ => format!(
                        "check `auth.client_id`, and that the app knows the address {}",
                        self.redirect
                    ),
                };
                return Err(self.error(
                    ErrorKind::Auth,
                    format!("the login was refused in the browser ({said}); {help}, then csops auth login {name}"),
                ));
            }
        };
        self.hider.learn(&code);
        let form = vec![
            (
                "grant_type",
                SecretString::from("authorization_code".to_owned()),
            ),
            ("code", code),
            ("redirect_uri", SecretString::from(self.redirect.clone())),
            ("code_verifier", self.verifier.clone()),
        ];
        let client = super::client_of(&self.auth);
        let grant = self
            .caller()
            .grant(&self.token_url, client, self.plan.oauth.send, form)
            .await
            .map_err(|failed| match failed {
                Failed::Error(e) => e,
                Failed::Denied(denial) => self.error(
                    ErrorKind::Auth,
                    format!(
                        "{} gives no token for the login ({}{}); check `auth.client_id`, its secret, and that the app knows the address {}, then csops auth login {name}",
                        host_and_port(&self.token_url),
                        denial.words,
                        if denial.code.is_empty() { String::new() } else { format!(", {}", denial.code) },
                        self.redirect
                    ),
                ),
            })?;
        let now = unix_now();
        let expires = grant
            .expires_in
            .and_then(|s| i64::try_from(s).ok())
            .map(|s| now.saturating_add(s));
        let granted: Option<Vec<&str>> = grant
            .scope
            .as_deref()
            .map(|s| s.split([' ', ',']).collect());
        let missing = match granted {
            Some(granted) => self
                .scopes
                .iter()
                .filter(|s| !granted.contains(&s.as_str()))
                .cloned()
                .collect(),
            None => Vec::new(),
        };
        let alone = grant.refresh.is_none();
        Ok(SignedIn {
            kept: Kept {
                refresh_token: grant.refresh.map(|r| r.expose_secret().to_owned()),
                access_token: alone.then(|| grant.access.expose_secret().to_owned()),
                scope: grant
                    .scope
                    .or_else(|| (!self.scopes.is_empty()).then(|| self.scopes.join(" "))),
                obtained: now,
                expires: alone.then_some(expires).flatten(),
                made_for: Some(made_for(&self.auth)),
                refused: None,
            },
            missing,
        })
    }
}

/// What the browser brought.
enum Back {
    Code(SecretString),
    Denied { code: String, words: String },
}

enum Reading {
    Answer(Back),
    /// The answer to another login.
    Foreign,
    Nothing,
}

fn read_answer(query: &str, state: &str) -> Reading {
    // Any address will do: only the query counts.
    let Ok(url) = Url::parse(&format!("http://localhost/?{query}")) else {
        return Reading::Nothing;
    };
    let get = |name: &str| {
        url.query_pairs()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.into_owned())
            .filter(|v| !v.is_empty())
    };
    let (code, error) = (get("code"), get("error"));
    if code.is_none() && error.is_none() {
        return Reading::Nothing;
    }
    if get("state").as_deref() != Some(state) {
        return Reading::Foreign;
    }
    Reading::Answer(match (error, code) {
        (None, Some(code)) => Back::Code(SecretString::from(code)),
        (error, _) => Back::Denied {
            code: crate::book::text::visible(&error.unwrap_or_default()).into_owned(),
            words: get("error_description").unwrap_or_default(),
        },
    })
}

/// Listens on this machine only. A browser may take `localhost` for either kind of address; the second one is a help, not a need.
async fn listen_on(port: Option<u16>) -> std::io::Result<(Vec<TcpListener>, u16)> {
    let first = TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).await?;
    let port = first.local_addr()?.port();
    let mut listeners = vec![first];
    if let Ok(second) = TcpListener::bind(("::1", port)).await {
        listeners.push(second);
    }
    Ok((listeners, port))
}

/// One request of a browser: answered with a page; the result when it was the one that we wait for.
async fn hear(mut socket: TcpStream, state: &str) -> Option<Back> {
    let head = tokio::time::timeout(HEAD_PATIENCE, read_head(&mut socket))
        .await
        .ok()??;
    let mut words = head.lines().next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (status, text, result) = if method != "GET" || path != CALLBACK {
        ("404 Not Found", "There is nothing here.", None)
    } else {
        match read_answer(query, state) {
            Reading::Answer(back) => (
                "200 OK",
                match &back {
                    Back::Code(_) => {
                        "csops has heard it. Close this page and go back to the terminal."
                    }
                    Back::Denied { .. } => {
                        "The login was refused. The terminal says what to do; close this page."
                    }
                },
                Some(back),
            ),
            Reading::Foreign => (
                "400 Bad Request",
                "This answer belongs to another login than the one that csops waits for. Open the address that csops printed last.",
                None,
            ),
            Reading::Nothing => ("400 Bad Request", "This address is not whole.", None),
        }
    };
    let page = format!(
        "<!doctype html><meta charset=utf-8><title>csops</title><body style=\"font-family:sans-serif;margin:4em\"><p>{text}</p>"
    );
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    let _ = socket.write_all(answer.as_bytes()).await;
    let _ = socket.shutdown().await;
    result
}

async fn read_head(socket: &mut TcpStream) -> Option<String> {
    let mut data = Vec::new();
    let mut buffer = [0u8; 2048];
    loop {
        let n = socket.read(&mut buffer).await.ok()?;
        data.extend_from_slice(&buffer[..n]);
        if data.windows(4).any(|w| w == b"\r\n\r\n") {
            return String::from_utf8(data).ok();
        }
        if n == 0 || data.len() > MAX_HEAD {
            return None;
        }
    }
}

/// Tells the vendor that a kept token is to be forgotten (RFC 7009).
///
/// # Errors
/// When the vendor cannot be told; the token may then still be good.
pub async fn revoke(
    settings: &SourceSettings,
    plan: &AuthPlan,
    kept: &Kept,
) -> Result<bool, ConnectError> {
    let setup = |message: String| ConnectError {
        kind: ErrorKind::Setup,
        message: format!("{}: {message}", settings.name),
    };
    let own = match &settings.auth {
        Auth::Refresh { revoke_url, .. } | Auth::AuthorizationCode { revoke_url, .. } => revoke_url,
        _ => return Ok(false),
    };
    let (token, hint) = match (&kept.refresh_token, &kept.access_token) {
        (Some(token), _) => (token, "refresh_token"),
        (None, Some(token)) => (token, "access_token"),
        (None, None) => return Ok(false),
    };
    let Some(text) = own.as_ref().or(plan.oauth.revoke_url.as_ref()) else {
        return Ok(false);
    };
    let base = settings.base_url.as_ref().or(plan.base.as_ref());
    let base = base.and_then(|b| Url::parse(b).ok());
    let url = place(text, base.as_ref(), "revoke_url").map_err(setup)?;
    let client = build_client(settings, &url)?;
    let hider = Hider::default();
    hider.learn(&SecretString::from(token.clone()));
    for secret in super::secrets(&settings.auth) {
        hider.learn(&secret);
    }
    let caller = Caller {
        client: &client,
        name: &settings.name,
        hider: &hider,
    };
    let mut form = vec![
        ("token", token.clone()),
        ("token_type_hint", hint.to_owned()),
    ];
    if let Some((id, secret)) = super::client_of(&settings.auth) {
        form.push(("client_id", id.to_owned()));
        if let Some(secret) = secret {
            form.push(("client_secret", secret.expose_secret().to_owned()));
        }
    }
    let host = host_and_port(&url);
    let (status, _) = caller
        .ask(&host, || client.post(url.clone()).form(&form))
        .await?;
    if (200..300).contains(&status) {
        Ok(true)
    } else {
        Err(caller.error(
            ErrorKind::Auth,
            format!("{host} does not take the token back (HTTP {status})"),
        ))
    }
}
