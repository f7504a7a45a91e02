//! Signing in: access tokens and the grants that give them out.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::json;

use super::http::{Reply, Request, pairs};
use super::value::{Id, Value, time_text};
use super::{CLIENT_ID, CLIENT_SECRET, Org, lock};

struct Session {
    user: Id,
    until: Instant,
}

/// What the token endpoint has given out. Lives as long as the process.
pub struct Sessions {
    tokens: HashMap<String, Session>,
    refresh: HashMap<String, Id>,
    codes: HashMap<String, Code>,
    /// The public key of the connected app, by which assertions are verified.
    key: Option<DecodingKey>,
    life: Duration,
    rotate: bool,
}

/// A code of the web server flow, good for one exchange.
struct Code {
    user: Id,
    redirect: String,
    /// The S256 challenge, or nothing without PKCE.
    challenge: Option<String>,
}

impl Sessions {
    /// Tokens live `seconds` of real time.
    pub fn new(seconds: u64) -> Sessions {
        Sessions {
            tokens: HashMap::new(),
            refresh: HashMap::new(),
            codes: HashMap::new(),
            key: None,
            life: Duration::from_secs(seconds),
            rotate: false,
        }
    }

    pub fn expire_all(&mut self) {
        self.tokens.clear();
    }

    pub fn set_life(&mut self, seconds: u64) {
        self.life = Duration::from_secs(seconds);
    }

    pub fn set_rotation(&mut self, rotate: bool) {
        self.rotate = rotate;
    }

    /// Registers the public key of the connected app, RSA in PEM.
    ///
    /// # Errors
    /// A sentence when it is not one.
    pub fn set_key(&mut self, pem: &[u8]) -> Result<(), String> {
        self.key = Some(
            DecodingKey::from_rsa_pem(pem)
                .map_err(|error| format!("that is no RSA public key in PEM: {error}"))?,
        );
        Ok(())
    }

    fn user(&self, token: &str) -> Option<Id> {
        self.tokens
            .get(token)
            .filter(|session| session.until > Instant::now())
            .map(|session| session.user)
    }
}

/// What a JWT-bearer assertion must say.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
}

/// An OAuth error: `{"error", "error_description"}`.
fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(
        status,
        &json!({ "error": error, "error_description": description }),
    )
}

impl Org {
    /// Who asks, by the bearer token.
    pub fn session(&self, request: &Request) -> Option<Id> {
        let header = request.header("authorization")?;
        let token = match header.split_once(' ') {
            Some((kind, token))
                if kind.eq_ignore_ascii_case("bearer") || kind.eq_ignore_ascii_case("oauth") =>
            {
                token.trim()
            }
            _ => return None,
        };
        lock(&self.sessions).user(token)
    }

    /// `/services/oauth2/…`, `/id/…`
    pub fn oauth(&self, request: &Request) -> Reply {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("POST", ["services", "oauth2", "token"]) => self.token(request),
            ("POST" | "GET", ["services", "oauth2", "revoke"]) => self.revoke(request),
            ("GET", ["services", "oauth2", "authorize"]) => self.authorize(request),
            ("GET" | "POST", ["services", "oauth2", "userinfo"]) => match self.session(request) {
                Some(user) => self.userinfo(user),
                None => bad_token(),
            },
            ("GET", ["id", _, user]) => match (self.session(request), self.schema.parse_id(user)) {
                (Some(_), Ok(Some(user)))
                    if user.object == self.at.user && self.read().exists(user) =>
                {
                    self.userinfo(user)
                }
                (Some(_), _) => Reply {
                    status: 404,
                    kind: "text/html",
                    headers: Vec::new(),
                    body: "Bad_Id".into(),
                },
                (None, _) => bad_token(),
            },
            _ => Reply {
                status: 405,
                kind: "text/html",
                headers: Vec::new(),
                body: "HTTP Method not allowed".into(),
            },
        }
    }

    fn token(&self, request: &Request) -> Reply {
        let text = String::from_utf8_lossy(&request.body);
        let kind = request.header("content-type").unwrap_or_default();
        let mut form = match kind.split_once("boundary=") {
            Some((_, boundary)) if kind.starts_with("multipart/form-data") => {
                multipart(&text, boundary.trim_matches('"'))
            }
            _ => pairs(&text),
        };
        form.extend(request.query.iter().cloned());
        let get = |name: &str| {
            form.iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        let basic = request.header("authorization").and_then(basic);
        let client = basic
            .as_ref()
            .map(|(id, _)| id.as_str())
            .or(get("client_id"));
        let secret = basic
            .as_ref()
            .map(|(_, secret)| secret.as_str())
            .or(get("client_secret"));
        let Some(grant) = get("grant_type") else {
            return match get("response_type") {
                Some("device_code") => refused(
                    400,
                    "invalid_request",
                    "device flow is not enabled for this app",
                ),
                _ => refused(400, "unsupported_grant_type", "grant type not supported"),
            };
        };
        let known = |secret_needed: bool| -> Result<(), Reply> {
            match client {
                Some(CLIENT_ID) => {}
                Some(_) => {
                    return Err(refused(
                        400,
                        "invalid_client_id",
                        "client identifier invalid",
                    ));
                }
                None => {
                    return Err(refused(
                        400,
                        "invalid_client",
                        "missing required input: client_id",
                    ));
                }
            }
            match secret {
                Some(CLIENT_SECRET) => Ok(()),
                None if !secret_needed => Ok(()),
                _ => Err(refused(400, "invalid_client", "invalid client credentials")),
            }
        };
        match grant {
            "client_credentials" => match known(true) {
                Ok(()) => self.grant(self.fill.integration_user(), None),
                Err(reply) => reply,
            },
            "refresh_token" => {
                if let Err(reply) = known(false) {
                    return reply;
                }
                let token = get("refresh_token").unwrap_or_default();
                let mut sessions = lock(&self.sessions);
                let Some(user) = sessions.refresh.get(token).copied() else {
                    return refused(400, "invalid_grant", "expired access/refresh token");
                };
                let next = sessions.rotate.then(|| {
                    sessions.refresh.remove(token);
                    let next = secret_text("5Aep861");
                    sessions.refresh.insert(next.clone(), user);
                    next
                });
                drop(sessions);
                self.grant(user, next)
            }
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                match self.assertion(get("assertion").unwrap_or_default()) {
                    Ok(user) => self.grant(user, None),
                    Err(why) => refused(400, "invalid_grant", why),
                }
            }
            "authorization_code" => {
                if let Err(reply) = known(false) {
                    return reply;
                }
                let mut sessions = lock(&self.sessions);
                let Some(code) = sessions.codes.remove(get("code").unwrap_or_default()) else {
                    return refused(400, "invalid_grant", "expired authorization code");
                };
                if get("redirect_uri") != Some(code.redirect.as_str()) {
                    return refused(
                        400,
                        "redirect_uri_mismatch",
                        "redirect_uri must match configuration",
                    );
                }
                if code.challenge.is_none() && secret.is_none() {
                    return refused(400, "invalid_client", "invalid client credentials");
                }
                if code.challenge.is_some_and(|challenge| {
                    get("code_verifier").and_then(s256).as_deref() != Some(challenge.as_str())
                }) {
                    return refused(400, "invalid_grant", "invalid code verifier");
                }
                let refresh = secret_text("5Aep861");
                sessions.refresh.insert(refresh.clone(), code.user);
                drop(sessions);
                self.grant(code.user, Some(refresh))
            }
            "password" => refused(400, "invalid_grant", "authentication failure"),
            _ => refused(400, "unsupported_grant_type", "grant type not supported"),
        }
    }

    /// The user that a signed assertion speaks for.
    fn assertion(&self, assertion: &str) -> Result<Id, &'static str> {
        let sessions = lock(&self.sessions);
        let key = sessions
            .key
            .as_ref()
            .ok_or("invalid assertion: no certificate is registered for this app")?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 180;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp"]);
        let claims = jsonwebtoken::decode::<Claims>(assertion, key, &validation)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => "token validity expired",
                jsonwebtoken::errors::ErrorKind::InvalidSignature => "invalid assertion",
                _ => "invalid assertion",
            })?
            .claims;
        if claims.iss != CLIENT_ID {
            return Err("client identifier invalid");
        }
        let audience = claims
            .aud
            .trim_end_matches('/')
            .trim_end_matches("/services/oauth2/token");
        if ![
            &*self.base_url,
            "https://login.salesforce.com",
            "https://test.salesforce.com",
        ]
        .contains(&audience)
        {
            return Err("audience is invalid");
        }
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |now| now.as_secs());
        if claims.exp > now + 3 * 60 + 180 {
            return Err("assertion validity is too long");
        }
        let user = self.fill.world.user_by_email(&claims.sub).map(|row| Id {
            object: self.at.user,
            row,
        });
        let user = user.or_else(|| {
            (claims.sub == "integration@example.com").then(|| self.fill.integration_user())
        });
        user.filter(|user| self.active(*user))
            .ok_or("user hasn't approved this consumer")
    }

    fn active(&self, user: Id) -> bool {
        self.schema
            .object(user.object)
            .field("IsActive")
            .is_some_and(|field| self.read().get(user, field) == Value::Bool(true))
    }

    fn grant(&self, user: Id, refresh: Option<String>) -> Reply {
        let mut sessions = lock(&self.sessions);
        let life = sessions.life;
        let organization = self.organization_id();
        let token = format!("{}!{}", &organization[..15], secret_text("AQ"));
        sessions
            .tokens
            .retain(|_, session| session.until > Instant::now());
        sessions.tokens.insert(
            token.clone(),
            Session {
                user,
                until: Instant::now() + life,
            },
        );
        let issued = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |now| now.as_millis());
        let mut body = json!({
            "access_token": token,
            "instance_url": self.base_url,
            "id": format!("{}/id/{organization}/{}", self.base_url, self.schema.id_text(user)),
            "token_type": "Bearer",
            "issued_at": issued.to_string(),
            "signature": secret_text(""),
            "scope": "api refresh_token",
        });
        if let Some(refresh) = refresh {
            body["refresh_token"] = refresh.into();
        }
        Reply::json(200, &body).with("Cache-Control", "no-cache, no-store")
    }

    fn revoke(&self, request: &Request) -> Reply {
        let mut form = pairs(&String::from_utf8_lossy(&request.body));
        form.extend(request.query.iter().cloned());
        let token = form
            .iter()
            .find(|(name, _)| name == "token")
            .map(|(_, value)| value.as_str())
            .unwrap_or_default();
        let mut sessions = lock(&self.sessions);
        if sessions.tokens.remove(token).is_some() || sessions.refresh.remove(token).is_some() {
            Reply::empty(200)
        } else {
            refused(
                400,
                "unsupported_token_type",
                "this token type is not supported",
            )
        }
    }

    /// The web server flow. Everybody agrees: the browser is sent back at once with a code for `login_hint`'s user.
    fn authorize(&self, request: &Request) -> Reply {
        let Some(redirect) = request.param("redirect_uri") else {
            return refused(400, "redirect_uri_missing", "redirect_uri not provided");
        };
        if request.param("client_id") != Some(CLIENT_ID) {
            return refused(400, "invalid_client_id", "client identifier invalid");
        }
        if request.param("response_type") != Some("code") {
            return refused(
                400,
                "unsupported_response_type",
                "response type not supported",
            );
        }
        let world = &self.fill.world;
        let row = request
            .param("login_hint")
            .map_or(Some(world.dana()), |hint| world.user_by_email(hint));
        let Some(row) = row else {
            return refused(400, "invalid_grant", "unknown user");
        };
        let code = secret_text("aPrx");
        let entry = Code {
            user: Id {
                object: self.at.user,
                row,
            },
            redirect: redirect.to_string(),
            challenge: request.param("code_challenge").map(str::to_string),
        };
        lock(&self.sessions).codes.insert(code.clone(), entry);
        let joint = if redirect.contains('?') { '&' } else { '?' };
        let state = request
            .param("state")
            .map(|state| format!("&state={}", encode(state)))
            .unwrap_or_default();
        Reply::empty(302).with("Location", &format!("{redirect}{joint}code={code}{state}"))
    }

    fn userinfo(&self, user: Id) -> Reply {
        let store = self.read();
        let object = self.schema.object(user.object);
        let text = |name: &str| {
            object
                .field(name)
                .map(|field| store.get(user, field).plain(&self.schema))
                .unwrap_or_default()
        };
        let organization = self.organization_id();
        let id = self.schema.id_text(user);
        Reply::json(
            200,
            &json!({
                "id": format!("{}/id/{organization}/{id}", self.base_url),
                "sub": format!("{}/id/{organization}/{id}", self.base_url),
                "asserted_user": true,
                "user_id": id,
                "organization_id": organization,
                "username": text("Username"),
                "preferred_username": text("Username"),
                "nick_name": text("Alias"),
                "display_name": text("Name"),
                "name": text("Name"),
                "given_name": text("FirstName"),
                "family_name": text("LastName"),
                "first_name": text("FirstName"),
                "last_name": text("LastName"),
                "email": text("Email"),
                "email_verified": true,
                "active": text("IsActive") == "true",
                "is_app_installed": true,
                "user_type": "STANDARD",
                "language": "en_US",
                "locale": "en_US",
                "utcOffset": 0,
                "zoneinfo": "GMT",
                "last_modified_date": time_text(store.stamp(user)),
                "urls": {
                    "rest": format!("{}/services/data/v{{version}}/", self.base_url),
                    "sobjects": format!("{}/services/data/v{{version}}/sobjects/", self.base_url),
                    "query": format!("{}/services/data/v{{version}}/query/", self.base_url),
                    "recent": format!("{}/services/data/v{{version}}/recent/", self.base_url),
                    "profile": format!("{}/{id}", self.base_url),
                },
            }),
        )
    }
}

fn bad_token() -> Reply {
    Reply {
        status: 403,
        kind: "text/html",
        headers: Vec::new(),
        body: "Bad_OAuth_Token".into(),
    }
}

/// Something that cannot be guessed.
fn secret_text(prefix: &str) -> String {
    format!(
        "{prefix}{}{}",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    )
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// User and password of a `Basic` header; both may be form-encoded.
fn basic(header: &str) -> Option<(String, String)> {
    let (kind, text) = header.split_once(' ')?;
    if !kind.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = decode64(text.trim())?;
    let text = String::from_utf8(bytes).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((
        super::http::decode(user, false),
        super::http::decode(password, false),
    ))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Reads base64.
pub fn decode64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | ALPHABET.iter().position(|known| *known == byte)? as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(out)
}

/// Writes base64 without padding, in the alphabet for addresses.
pub fn encode64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (place, byte)| {
            bits | u32::from(*byte) << (16 - 8 * place)
        });
        for place in 0..=chunk.len() {
            let digit = ALPHABET[(bits >> (18 - 6 * place)) as usize & 63];
            out.push(match digit {
                b'+' => '-',
                b'/' => '_',
                digit => char::from(digit),
            });
        }
    }
    out
}

/// The S256 challenge of a PKCE verifier.
fn s256(verifier: &str) -> Option<String> {
    let suite = rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let hash = suite
        .tls13()?
        .common
        .hash_provider
        .hash(verifier.as_bytes());
    Some(encode64(hash.as_ref()))
}

/// The fields of a multipart form; file parts are not expected here.
fn multipart(text: &str, boundary: &str) -> Vec<(String, String)> {
    text.split(&format!("--{boundary}"))
        .filter_map(|part| {
            let (head, value) = part.trim_start_matches("\r\n").split_once("\r\n\r\n")?;
            let name = head.split("name=\"").nth(1)?.split('"').next()?;
            Some((name.to_string(), value.trim_end_matches("\r\n").to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_and_the_published_pkce_pair() {
        assert_eq!(
            decode64("dXNlcjpwYXNz").as_deref(),
            Some(b"user:pass".as_slice())
        );
        assert_eq!(encode64(b"user:pass"), "dXNlcjpwYXNz");
        assert_eq!(
            basic("Basic dXNlcjpwYXNz"),
            Some(("user".into(), "pass".into()))
        );
        // RFC 7636, appendix B.
        assert_eq!(
            s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").as_deref(),
            Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        );
    }
}
