//! The token address of OAuth 2.0: one request, its answer, and what a refusal means to a person.

use super::super::http::{is_loopback, network_error};
use super::super::{ConnectError, ErrorKind};
use super::encode::base64;
use super::hide::Hider;
use super::kinds::SendClient;
use reqwest::{Client, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// No answer about a token is longer.
const MAX_ANSWER: usize = 1 << 20;

/// What the vendor gave.
pub(super) struct Grant {
    pub access: SecretString,
    pub refresh: Option<SecretString>,
    pub expires_in: Option<u64>,
    pub scope: Option<String>,
    pub instance: Option<String>,
    pub identity: Option<String>,
    /// The whole answer, for the values that a connector keeps.
    pub answer: Value,
}

/// Why there is no token.
pub(super) enum Failed {
    /// Not the credentials' fault: told as it is.
    Error(ConnectError),
    /// The vendor says no.
    Denied(Denial),
}

/// The vendor's no.
#[derive(Clone, Debug)]
pub(super) struct Denial {
    /// The code of OAuth (`invalid_grant`), if there is one.
    pub code: String,
    /// The vendor's words or the status.
    pub words: String,
}

/// Who asks.
pub(super) struct Caller<'a> {
    pub client: &'a Client,
    pub name: &'a str,
    pub hider: &'a Hider,
}

impl Caller<'_> {
    pub(super) fn error(&self, kind: ErrorKind, words: impl std::fmt::Display) -> ConnectError {
        ConnectError {
            kind,
            message: self.hider.hide(&format!("{}: {words}", self.name)),
        }
    }

    /// Sends a login, once more after a hiccup (5xx, 429, network): it changes nothing worth protecting. The status is below 500.
    pub(super) async fn ask(
        &self,
        host: &str,
        build: impl Fn() -> RequestBuilder,
    ) -> Result<(u16, Vec<u8>), ConnectError> {
        let mut last = None;
        for attempt in 0..2u32 {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            let mut response = match build().header("accept", "application/json").send().await {
                Ok(r) => r,
                Err(e) => {
                    let e = network_error(self.name, host, &e.without_url(), true);
                    let again = matches!(e.kind, ErrorKind::Retry { .. });
                    last = Some(e);
                    if again {
                        continue;
                    }
                    break;
                }
            };
            let status = response.status().as_u16();
            let mut body = Vec::new();
            let broken = loop {
                match response.chunk().await {
                    Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER => {
                        body.extend_from_slice(&chunk);
                    }
                    Ok(Some(_)) => {
                        return Err(self.error(
                            ErrorKind::Protocol,
                            format!("the login at {host} was answered with more than a token; is its address right?"),
                        ));
                    }
                    Ok(None) => break None,
                    Err(e) => break Some(network_error(self.name, host, &e.without_url(), true)),
                }
            };
            if broken.is_some() {
                last = broken;
                continue;
            }
            // Some vendors say "too many requests" as 403 with a code in the body.
            let limited =
                status == 403 && String::from_utf8_lossy(&body).contains("LIMIT_EXCEEDED");
            if status >= 500 || status == 429 || limited {
                last = Some(self.error(
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
            return Ok((status, body));
        }
        Err(last.unwrap_or_else(|| {
            self.error(
                ErrorKind::Retry {
                    after: None,
                    maybe_done: false,
                },
                format!("{host} did not answer the login"),
            )
        }))
    }

    /// One request to the token address.
    pub(super) async fn grant(
        &self,
        url: &Url,
        client_id: Option<(&str, Option<&SecretString>)>,
        send: SendClient,
        mut form: Vec<(&str, SecretString)>,
    ) -> Result<Grant, Failed> {
        let host = host_and_port(url);
        let mut basic = None;
        if let Some((id, secret)) = client_id {
            match (secret, send) {
                (Some(secret), SendClient::Basic) => basic = Some(basic_of_client(id, secret)),
                (secret, _) => {
                    form.push(("client_id", SecretString::from(id.to_owned())));
                    if let Some(secret) = secret {
                        form.push(("client_secret", secret.clone()));
                    }
                }
            }
        }
        let build = || {
            let pairs: Vec<(&str, &str)> =
                form.iter().map(|(k, v)| (*k, v.expose_secret())).collect();
            let mut request = self.client.post(url.clone()).form(&pairs);
            if let Some(value) = &basic {
                request = sensitive(request, "authorization", value);
            }
            request
        };
        let (status, body) = self.ask(&host, build).await.map_err(Failed::Error)?;
        let answer: Value = match serde_json::from_slice(&body) {
            Ok(answer) => answer,
            Err(_) if (200..300).contains(&status) => {
                return Err(Failed::Error(self.error(
                    ErrorKind::Protocol,
                    format!(
                        "the login at {host} was answered with something that is not a token; is `token_url` right?"
                    ),
                )));
            }
            Err(_) => {
                return Err(Failed::Error(self.error(
                    ErrorKind::Setup,
                    format!(
                        "there is no login at {host}{} (HTTP {status}); correct `base_url` or `token_url`",
                        url.path()
                    ),
                )));
            }
        };
        let text = |key: &str| {
            answer[key]
                .as_str()
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
        };
        let Some(access) = text("access_token") else {
            let code = text("error").unwrap_or_default();
            let words = vendor_words(&answer).unwrap_or_else(|| format!("HTTP {status}"));
            return Err(Failed::Denied(Denial {
                words: self.hider.hide(&words),
                code,
            }));
        };
        let grant = Grant {
            access: SecretString::from(access),
            refresh: text("refresh_token").map(SecretString::from),
            expires_in: seconds(&answer["expires_in"]),
            scope: text("scope").or_else(|| {
                let list = answer["scopes"].as_array()?.iter();
                let list: Vec<&str> = list.filter_map(Value::as_str).collect();
                (!list.is_empty()).then(|| list.join(" "))
            }),
            instance: text("instance_url"),
            identity: text("id"),
            answer,
        };
        self.hider.learn(&grant.access);
        if let Some(refresh) = &grant.refresh {
            self.hider.learn(refresh);
        }
        Ok(grant)
    }
}

/// A number of seconds, as a number or as a text.
pub(super) fn seconds(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64))
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// A value by its path (`credentials.site.id`).
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |v, step| match v {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

/// A value by its path as text; numbers are written out.
pub(super) fn text_at(value: &Value, path: &str) -> Option<String> {
    match at(value, path)? {
        Value::String(s) if !s.is_empty() => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// The values that a connector wants kept.
pub(super) fn keep(answer: &Value, wanted: &[(String, String)]) -> BTreeMap<String, String> {
    wanted
        .iter()
        .filter_map(|(name, path)| Some((name.clone(), text_at(answer, path)?)))
        .collect()
}

/// What the vendor says in an answer whose shape is not known: the first sentence in one of the usual places.
pub(super) fn vendor_words(answer: &Value) -> Option<String> {
    const PLACES: [&str; 8] = [
        "error_description",
        "message",
        "detail",
        "errorDesc",
        "error_message",
        "summary",
        "title",
        "error",
    ];
    fn find(value: &Value, depth: u32) -> Option<&str> {
        if depth == 0 {
            return None;
        }
        match value {
            Value::Object(map) => PLACES.iter().find_map(|place| match map.get(*place)? {
                Value::String(s) if !s.trim().is_empty() => Some(s.as_str()),
                inner => find(inner, depth - 1),
            }),
            Value::Array(items) => items.iter().find_map(|v| find(v, depth - 1)),
            _ => None,
        }
    }
    let words = find(answer, 4)?;
    Some(
        crate::book::text::visible(words)
            .chars()
            .take(240)
            .collect(),
    )
}

/// `host` or `host:port`, as messages name it.
pub(super) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the login host");
    url.port()
        .map_or(host.to_owned(), |port| format!("{host}:{port}"))
}

/// A header that no log shows.
pub(super) fn sensitive(
    request: RequestBuilder,
    name: &str,
    value: &SecretString,
) -> RequestBuilder {
    match reqwest::header::HeaderValue::from_str(value.expose_secret()) {
        Ok(mut value) => {
            value.set_sensitive(true);
            request.header(name, value)
        }
        Err(_) => request,
    }
}

/// Client id and secret for Basic, each encoded as in a form first (RFC 6749, 2.3.1).
fn basic_of_client(id: &str, secret: &SecretString) -> SecretString {
    let text = format!(
        "{}:{}",
        super::super::http::encode(id),
        super::super::http::encode(secret.expose_secret())
    );
    SecretString::from(format!("Basic {}", base64(text.as_bytes())))
}

/// An address of the configuration or of the connector: whole, or a path under the base. Credentials never go over plain HTTP, but to
/// this machine itself.
pub(super) fn place(text: &str, base: Option<&Url>, key: &str) -> Result<Url, String> {
    let whole = match (text.strip_prefix('/'), base) {
        (Some(_), Some(base)) => format!("{}{text}", base.as_str().trim_end_matches('/')),
        (Some(_), None) => {
            return Err("no address is set; put the tenant's own one into `base_url`".into());
        }
        (None, _) => text.to_owned(),
    };
    let url =
        Url::parse(&whole).map_err(|e| format!("`{key} = \"{text}\"` is not an address ({e})"))?;
    if url.host_str().is_none() || !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{key} = \"{text}\"` must begin with https://"));
    }
    if url.scheme() != "https" && !is_loopback(&url) {
        return Err(format!(
            "`{key} = \"{text}\"` would send the credentials in the clear; use https://"
        ));
    }
    Ok(url)
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: u64,
}

/// A signed assertion of who we are, good for three minutes.
pub(super) fn assertion(
    client_id: &str,
    username: &str,
    key: &SecretString,
    audience: &str,
) -> Result<SecretString, String> {
    let bad_key = |_| {
        "the private key cannot sign; it must be an RSA key in PEM form (`private_key_file`)"
            .to_owned()
    };
    let key =
        jsonwebtoken::EncodingKey::from_rsa_pem(key.expose_secret().as_bytes()).map_err(bad_key)?;
    let claims = Claims {
        iss: client_id,
        sub: username,
        aud: audience,
        exp: u64::try_from(super::kept::unix_now()).unwrap_or(0) + 180,
    };
    jsonwebtoken::encode(
        &jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256),
        &claims,
        &key,
    )
    .map(SecretString::from)
    .map_err(bad_key)
}
