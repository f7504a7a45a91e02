//! Logging in: every kind of [`Auth`], a token that is kept while it works, renewed once when it does not, by one request at a time.

use super::http::{is_loopback, network_error};
use super::{Auth, ConnectError, ErrorKind, SourceSettings, TokenStore};
use reqwest::{Client, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;

/// How one request is signed.
#[derive(Clone)]
pub struct Token {
    serial: u64,
    header: Option<(String, SecretString)>,
    /// The address that the vendor says the token is for.
    pub instance: Option<Url>,
    /// The vendor's address of who we are (`id` of a Salesforce token).
    pub identity: Option<String>,
}

impl Token {
    /// Puts the credentials on a request.
    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.header {
            Some((name, value)) => {
                let mut value = match reqwest::header::HeaderValue::from_str(value.expose_secret())
                {
                    Ok(v) => v,
                    Err(_) => return request,
                };
                value.set_sensitive(true);
                request.header(name.as_str(), value)
            }
            None => request,
        }
    }
}

struct State {
    token: Option<Token>,
    serial: u64,
    refresh: Option<SecretString>,
}

/// Keeps the token of one source.
pub struct Authenticator {
    auth: Auth,
    source: Arc<str>,
    token_url: Option<Url>,
    base: Url,
    state: Mutex<State>,
    expired: std::sync::Mutex<u64>,
    tokens: Option<Arc<dyn TokenStore>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    instance_url: Option<String>,
    refresh_token: Option<String>,
    id: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: u64,
}

impl Authenticator {
    /// Checks the settings; asks nobody.
    pub fn new(
        settings: &SourceSettings,
        base: &Url,
        tokens: Option<Arc<dyn TokenStore>>,
    ) -> Result<Authenticator, ConnectError> {
        let setup = |message: String| ConnectError {
            kind: ErrorKind::Setup,
            message: format!("{}: {message}", settings.name),
        };
        let given = match &settings.auth {
            Auth::ClientCredentials { token_url, .. }
            | Auth::Refresh { token_url, .. }
            | Auth::JwtBearer { token_url, .. } => Some(token_url.clone().unwrap_or_else(|| {
                format!(
                    "{}/services/oauth2/token",
                    base.as_str().trim_end_matches('/')
                )
            })),
            _ => None,
        };
        let token_url = match given {
            Some(text) => {
                let url = Url::parse(&text).map_err(|e| {
                    setup(format!("`token_url = \"{text}\"` is not an address ({e})"))
                })?;
                if url.scheme() != "https" && !is_loopback(&url) {
                    return Err(setup(format!(
                        "`token_url = \"{text}\"` would send the credentials in the clear; use https://"
                    )));
                }
                Some(url)
            }
            None => None,
        };
        let refresh = match &settings.auth {
            // A token that was rotated is newer than the one in the configuration.
            Auth::Refresh { refresh_token, .. } => Some(
                tokens
                    .as_ref()
                    .and_then(|t| t.load(&settings.name))
                    .unwrap_or_else(|| refresh_token.clone()),
            ),
            _ => None,
        };
        Ok(Authenticator {
            auth: settings.auth.clone(),
            source: settings.name.clone(),
            token_url,
            base: base.clone(),
            state: Mutex::new(State {
                token: None,
                serial: 0,
                refresh,
            }),
            expired: std::sync::Mutex::new(0),
            tokens,
        })
    }

    /// Whether a refused token can be replaced without a person.
    pub fn renewable(&self) -> bool {
        matches!(
            self.auth,
            Auth::ClientCredentials { .. } | Auth::Refresh { .. } | Auth::JwtBearer { .. }
        )
    }

    /// That token was refused: the next request gets a new one, unless another already fetched it.
    pub fn expire(&self, token: &Token) {
        let mut expired = super::http::lock(&self.expired);
        *expired = (*expired).max(token.serial);
    }

    /// The token in use; fetched when there is none. Everybody else waits for the one who fetches.
    pub async fn token(&self, client: &Client, name: &str) -> Result<Token, ConnectError> {
        let mut state = self.state.lock().await;
        let expired = *super::http::lock(&self.expired);
        if let Some(token) = &state.token
            && token.serial > expired
        {
            return Ok(token.clone());
        }
        let mut token = match &self.auth {
            Auth::None => fixed(None),
            Auth::Bearer(secret) => fixed(Some(("authorization", bearer(secret.expose_secret())))),
            Auth::Header { name, value } => fixed(Some((name.as_str(), value.clone()))),
            Auth::Basic { user, password } => {
                let text = format!("{user}:{}", password.expose_secret());
                let value = SecretString::from(format!("Basic {}", base64(text.as_bytes())));
                fixed(Some(("authorization", value)))
            }
            Auth::ClientCredentials { .. } | Auth::Refresh { .. } | Auth::JwtBearer { .. } => {
                self.fetch(client, name, &mut state).await?
            }
        };
        state.serial += 1;
        token.serial = state.serial;
        state.token = Some(token.clone());
        Ok(token)
    }

    fn form(&self, state: &State) -> Result<Vec<(&'static str, SecretString)>, ConnectError> {
        let plain = |s: &str| SecretString::from(s.to_owned());
        Ok(match &self.auth {
            Auth::ClientCredentials {
                client_id,
                client_secret,
                ..
            } => vec![
                ("grant_type", plain("client_credentials")),
                ("client_id", plain(client_id)),
                ("client_secret", client_secret.clone()),
            ],
            Auth::Refresh {
                client_id,
                client_secret,
                refresh_token,
                ..
            } => {
                let mut form = vec![
                    ("grant_type", plain("refresh_token")),
                    ("client_id", plain(client_id)),
                    (
                        "refresh_token",
                        state
                            .refresh
                            .clone()
                            .unwrap_or_else(|| refresh_token.clone()),
                    ),
                ];
                if let Some(secret) = client_secret {
                    form.push(("client_secret", secret.clone()));
                }
                form
            }
            Auth::JwtBearer {
                client_id,
                username,
                private_key,
                audience,
                ..
            } => vec![
                (
                    "grant_type",
                    plain("urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ),
                (
                    "assertion",
                    self.assertion(client_id, username, private_key, audience.as_deref())?,
                ),
            ],
            _ => Vec::new(),
        })
    }

    fn assertion(
        &self,
        client_id: &str,
        username: &str,
        key: &SecretString,
        audience: Option<&str>,
    ) -> Result<SecretString, ConnectError> {
        let bad_key = |_| ConnectError {
            kind: ErrorKind::Setup,
            message: format!(
                "{}: the private key cannot sign; it must be an RSA key in PEM form (`private_key_file`)",
                self.source
            ),
        };
        let key = jsonwebtoken::EncodingKey::from_rsa_pem(key.expose_secret().as_bytes())
            .map_err(bad_key)?;
        // Tokens go by real time, also when the program's clock is moved.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_secs();
        let claims = Claims {
            iss: client_id,
            sub: username,
            aud: audience.unwrap_or("https://login.salesforce.com"),
            exp: now + 180,
        };
        jsonwebtoken::encode(
            &jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256),
            &claims,
            &key,
        )
        .map(SecretString::from)
        .map_err(bad_key)
    }

    async fn fetch(
        &self,
        client: &Client,
        name: &str,
        state: &mut State,
    ) -> Result<Token, ConnectError> {
        let Some(url) = &self.token_url else {
            return Ok(fixed(None));
        };
        let form = self.form(state)?;
        let pairs: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.expose_secret())).collect();
        let host = url.host_str().unwrap_or("the login host").to_owned();
        let fail = |kind: ErrorKind, words: String| ConnectError {
            kind,
            message: format!("{name}: {words}"),
        };
        let mut last = None;
        // A login changes nothing worth protecting; one more try spares a failed run for a hiccup.
        for attempt in 0..2u32 {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            let response = match client.post(url.clone()).form(&pairs).send().await {
                Ok(r) => r,
                Err(e) => {
                    last = Some(network_error(name, &host, &e, true));
                    continue;
                }
            };
            let status = response.status().as_u16();
            let body = match response.bytes().await {
                Ok(b) => b,
                Err(e) => {
                    last = Some(network_error(name, &host, &e, true));
                    continue;
                }
            };
            // Some vendors say "too many requests" as 403 with a code in the body.
            let limited =
                status == 403 && String::from_utf8_lossy(&body).contains("LIMIT_EXCEEDED");
            if status >= 500 || status == 429 || limited {
                last = Some(fail(
                    ErrorKind::Retry {
                        after: None,
                        maybe_done: false,
                    },
                    format!(
                        "{host} cannot log us in at the moment (HTTP {status}); csops tries again by itself"
                    ),
                ));
                continue;
            }
            let answer: TokenAnswer = match serde_json::from_slice(&body) {
                Ok(a) => a,
                Err(_) if status == 200 => {
                    last = Some(fail(
                        ErrorKind::Protocol,
                        format!(
                            "the login at {host} was answered with something that is not a token; is `token_url` right?"
                        ),
                    ));
                    continue;
                }
                Err(_) => {
                    return Err(fail(
                        ErrorKind::Setup,
                        format!(
                            "there is no login at {host}{} (HTTP {status}); correct `base_url` or `token_url`",
                            url.path()
                        ),
                    ));
                }
            };
            let Some(access) = answer.access_token.filter(|t| !t.is_empty()) else {
                let why = answer
                    .error_description
                    .or(answer.error)
                    .unwrap_or_else(|| format!("HTTP {status}"));
                return Err(fail(
                    ErrorKind::Auth,
                    format!(
                        "{host} refuses the login ({}); check the client id and its secret, then `csops connect check {name}`",
                        crate::book::text::visible(&why)
                    ),
                ));
            };
            if let Some(new) = answer.refresh_token.filter(|t| !t.is_empty()) {
                let new = SecretString::from(new);
                if let Some(store) = &self.tokens
                    && let Err(why) = store.save(name, &new)
                {
                    tracing::error!(source = %name, "the new refresh token could not be kept: {why}");
                }
                state.refresh = Some(new);
            }
            let instance = match answer.instance_url.as_deref().map(Url::parse) {
                Some(Ok(u)) => self.trusted_instance(u),
                _ => None,
            };
            return Ok(Token {
                serial: 0,
                header: Some(("authorization".into(), bearer(&access))),
                instance,
                identity: answer.id,
            });
        }
        Err(last.unwrap_or_else(|| {
            fail(
                ErrorKind::Retry {
                    after: None,
                    maybe_done: false,
                },
                format!("{host} did not answer the login"),
            )
        }))
    }

    /// The vendor's own address for the token is followed only where it is as safe as the one configured: never from https to http, never
    /// away from loopback.
    fn trusted_instance(&self, url: Url) -> Option<Url> {
        let safe = url.scheme() == "https" && !is_loopback(&self.base);
        let same = url.origin() == self.base.origin();
        (safe || same).then_some(url)
    }
}

fn fixed(header: Option<(&str, SecretString)>) -> Token {
    Token {
        serial: 0,
        header: header.map(|(n, v)| (n.to_owned(), v)),
        instance: None,
        identity: None,
    }
}

fn bearer(token: &str) -> SecretString {
    SecretString::from(format!("Bearer {token}"))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let n = chunk
            .iter()
            .chain(&[0, 0])
            .take(3)
            .fold(0u32, |n, b| n << 8 | u32::from(*b));
        for i in 0..4 {
            if i <= chunk.len() {
                let index = (n >> (18 - 6 * i)) & 63;
                out.push(char::from(ALPHABET[index as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}
