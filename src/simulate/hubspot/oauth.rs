//! `/oauth`: the authorization page, tokens by code, by refresh token and for the app itself, introspection, revocation.
//! Refresh tokens do not rotate.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::correlation;
use super::{Answer, Ask, PORTAL, Portal, UI_DOMAIN, decoded, form};
use crate::simulate::world::rng::hash;

/// The user in whose name tokens are given out.
const USER: u64 = 9_401_939;
const APP: u64 = 3_810_442;
const SCOPES: [&str; 6] = [
    "oauth",
    "crm.objects.companies.read",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
];

/// The app that may be installed, and what was given out to it.
pub(super) struct Grants {
    pub client_id: String,
    pub client_secret: String,
    /// Given to whoever installs the app; the same for the life of a portal.
    pub refresh_token: String,
    seconds: u64,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// Access tokens, until when, and whether they are the app's own.
    tokens: HashMap<String, (Instant, bool)>,
    /// Codes that were not traded in yet, with the redirect address and the challenge.
    codes: HashMap<String, (String, Option<String>)>,
    revoked: bool,
}

/// A uuid that depends on the seed.
pub(super) fn uuid_of(seed: u64, salt: u64) -> String {
    let part = |n: u64| hash(hash(seed ^ (salt << 8)) ^ n);
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        part(0) as u32,
        part(1) as u16,
        part(2) & 0xfff,
        part(3) & 0xfff,
        part(4) >> 16
    )
}

impl Grants {
    pub fn new(seed: u64, seconds: u64) -> Self {
        Grants {
            client_id: uuid_of(seed, 21),
            client_secret: uuid_of(seed, 22),
            refresh_token: format!("na1-{}", &uuid_of(seed, 23)[..23]),
            seconds,
            open: Mutex::new(Open::default()),
        }
    }

    /// Whether this is an access token: `None` when it never was one, else whether it is still good.
    pub fn good(&self, token: &str) -> Option<bool> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, _) = open.tokens.get(token)?;
        Some(*until > Instant::now())
    }

    pub fn expire(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for (until, _) in open.tokens.values_mut() {
            *until = Instant::now();
        }
    }

    fn give(&self, app: bool) -> Value {
        let token = format!("CP{}", uuid::Uuid::new_v4().simple());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + Duration::from_secs(self.seconds);
        open.tokens.insert(token.clone(), (until, app));
        drop(open);
        let mut answer = json!({
            "token_type": "bearer", "access_token": token, "expires_in": self.seconds,
            "token_use": if app { "client_credentials" } else { "access_token" }, "hub_id": PORTAL, "scopes": SCOPES
        });
        if let (false, Some(map)) = (app, answer.as_object_mut()) {
            map.insert("refresh_token".into(), json!(self.refresh_token));
            map.insert("user_id".into(), json!(USER));
        }
        answer
    }

    fn about(&self, token: &str) -> Option<Value> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, app) = open.tokens.get(token)?;
        let left = until.checked_duration_since(Instant::now())?.as_secs();
        Some(json!({
            "active": true, "token": token, "token_type": "access", "client_id": self.client_id, "app_id": APP,
            "hub_id": PORTAL, "hub_domain": "acme-demo.com", "user": "dana@example.com", "user_id": USER,
            "scopes": SCOPES, "expires_in": left,
            "token_use": if *app { "client_credentials" } else { "access_token" }
        }))
    }
}

/// The service's errors have their own status words; the words of the standard are beside them.
fn refuse(status: &str, error: &str, message: &str) -> Response {
    let body = json!({
        "status": status, "message": message, "correlationId": correlation(), "error": error,
        "error_description": message
    });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// SHA-256 in the alphabet of addresses, without padding: what a client sends as its challenge.
fn challenge(verifier: &str) -> Option<String> {
    use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let suite = TLS13_AES_128_GCM_SHA256.tls13()?;
    let digest = suite.common.hash_provider.hash(verifier.as_bytes());
    let mut text = String::new();
    for chunk in digest.as_ref().chunks(3) {
        let bits = chunk
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let digit = bits >> (18 - 6 * place) & 63;
            text.push(char::from(ALPHABET[digit as usize]));
        }
    }
    Some(text)
}

/// A text as part of an address.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

impl Portal {
    /// `GET /oauth/authorize`: everybody agrees at once.
    pub(super) fn authorize(&self, ask: &Ask) -> Answer {
        let grants = &self.grants;
        let Some(back) = ask
            .first("redirect_uri")
            .filter(|uri| uri.starts_with("http://") || uri.starts_with("https://"))
        else {
            return Ok(refuse(
                "BAD_REDIRECT_URI",
                "invalid_request",
                "redirect_uri is missing",
            ));
        };
        if ask.first("client_id") != Some(&grants.client_id) {
            return Ok(refuse(
                "BAD_CLIENT_ID",
                "invalid_client",
                "no app has this client_id",
            ));
        }
        let code = format!("na1-{}", uuid::Uuid::new_v4());
        let mut open = grants.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.codes.insert(
            code.clone(),
            (
                back.to_owned(),
                ask.first("code_challenge").map(str::to_owned),
            ),
        );
        drop(open);
        let join = if back.contains('?') { '&' } else { '?' };
        let mut target = format!("{back}{join}code={}", encoded(&code));
        if let Some(state) = ask.first("state") {
            target.push_str(&format!("&state={}", encoded(state)));
        }
        Ok((StatusCode::FOUND, [(header::LOCATION, target)]).into_response())
    }

    /// `POST /oauth/{v1|v3|2026-03}/token`.
    pub(super) fn token(&self, ask: &Ask) -> Answer {
        let grants = &self.grants;
        let fields = form(&ask.body);
        let get = |name: &str| {
            fields
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty())
        };
        if get("client_id") != Some(&grants.client_id) {
            return Ok(refuse(
                "BAD_CLIENT_ID",
                "invalid_client",
                "missing or unknown client_id",
            ));
        }
        if get("client_secret") != Some(&grants.client_secret) {
            return Ok(refuse(
                "BAD_CLIENT_SECRET",
                "invalid_client",
                "missing or wrong client_secret",
            ));
        }
        let given = match get("grant_type") {
            Some("client_credentials") => grants.give(true),
            Some("refresh_token") => {
                let open = grants.open.lock().unwrap_or_else(PoisonError::into_inner);
                let revoked = open.revoked;
                drop(open);
                if revoked || get("refresh_token") != Some(&grants.refresh_token) {
                    return Ok(refuse(
                        "BAD_REFRESH_TOKEN",
                        "invalid_grant",
                        "missing or unknown refresh token",
                    ));
                }
                grants.give(false)
            }
            Some("authorization_code") => {
                let mut open = grants.open.lock().unwrap_or_else(PoisonError::into_inner);
                // A code is good once, whatever comes of it.
                let known = get("code").and_then(|code| open.codes.remove(code));
                let fits = known.is_some_and(|(back, challenged)| {
                    get("redirect_uri") == Some(&back)
                        && challenged.is_none_or(|challenged| {
                            get("code_verifier").and_then(challenge).as_ref() == Some(&challenged)
                        })
                });
                if !fits {
                    return Ok(refuse(
                        "BAD_AUTH_CODE",
                        "invalid_grant",
                        "missing, used or unknown authorization code",
                    ));
                }
                open.revoked = false;
                drop(open);
                grants.give(false)
            }
            _ => {
                return Ok(refuse(
                    "BAD_GRANT_TYPE",
                    "unsupported_grant_type",
                    "missing or unknown grant_type",
                ));
            }
        };
        Ok(Json(given).into_response())
    }

    /// `POST …/token/introspect` and the older `GET /oauth/v1/access-tokens/{token}`.
    pub(super) fn introspect(&self, token: Option<&str>, ask: &Ask) -> Answer {
        let fields = form(&ask.body);
        let in_body = fields.iter().find(|(name, _)| name == "token");
        let wanted = token
            .map(decoded)
            .or_else(|| in_body.map(|(_, value)| value.clone()))
            .unwrap_or_default();
        match (self.grants.about(&wanted), token) {
            (Some(about), _) => Ok(Json(about).into_response()),
            (None, None) => Ok(Json(json!({ "active": false })).into_response()),
            (None, Some(_)) => {
                let body = json!({ "status": "error", "message": "the token is not known or has expired", "correlationId": correlation() });
                Ok((StatusCode::NOT_FOUND, Json(body)).into_response())
            }
        }
    }

    /// `POST …/token/revoke` and the older `DELETE /oauth/v1/refresh-tokens/{token}`.
    pub(super) fn revoke(&self, token: Option<&str>, ask: &Ask) -> Answer {
        let fields = form(&ask.body);
        let in_body = fields.iter().find(|(name, _)| name == "token");
        let wanted = token
            .map(decoded)
            .or_else(|| in_body.map(|(_, value)| value.clone()))
            .unwrap_or_default();
        let mut open = self
            .grants
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if wanted == self.grants.refresh_token {
            open.revoked = true;
        }
        open.tokens.remove(&wanted);
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    /// `GET /account-info/v3/details`.
    pub(super) fn details(&self) -> Answer {
        Ok(Json(json!({
            "portalId": PORTAL, "accountType": "STANDARD", "timeZone": "US/Eastern", "companyCurrency": "USD",
            "additionalCurrencies": ["EUR", "GBP", "SEK", "JPY", "BRL"], "utcOffset": "-05:00",
            "utcOffsetMilliseconds": -18_000_000, "uiDomain": UI_DOMAIN, "dataHostingLocation": "na1"
        }))
        .into_response())
    }

    /// `GET /account-info/v3/api-usage/daily/private-apps`.
    pub(super) fn usage(&self) -> Answer {
        let now = self.clock.peek();
        let midnight =
            now.as_millisecond() - now.as_millisecond().rem_euclid(86_400_000) + 86_400_000;
        Ok(Json(json!({ "results": [{
            "name": "private-apps-api-calls-daily", "usageLimit": self.meter.daily,
            "currentUsage": self.meter.used(), "collectedAt": super::value::iso(now.as_millisecond()),
            "fetchStatus": "SUCCESS", "resetsAt": super::value::iso(midnight)
        }] }))
        .into_response())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_challenge_is_the_published_example() {
        // RFC 7636, appendix B.
        assert_eq!(
            super::challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").as_deref(),
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        );
    }
}
