//! Logging in: every kind of [`Auth`], a token that is kept while it works, renewed ahead of its end or once when it is refused, by one
//! request at a time.
//!
//! A connector describes its vendor in an [`AuthPlan`]; [`Authenticator`] keeps the token of one source; [`signin`] is a person's login in
//! a browser; [`kept`] is what stays over restarts.

pub mod encode;
pub mod hide;
pub mod kept;
mod kinds;
mod login;
mod oauth;
mod renew;
pub mod signin;
mod token;
mod words;

pub use kinds::{Auth, AuthPlan, LoginBody, LoginPlan, OauthDefaults, SendClient};
pub use token::Token;

use super::http::lock;
use super::{ConnectError, ErrorKind, SourceSettings, TokenStore};
use encode::fingerprint;
use hide::Hider;
use kept::{Kept, unix_now};
use oauth::Caller;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use token::{Sign, basic, bearer, without};
use tokio::sync::Mutex;

/// After a renewal ahead of time that failed for the network's sake, the old token serves on for so long before the next try.
const NEXT_RENEWAL: i64 = 30;

#[derive(Default)]
struct State {
    token: Option<Token>,
    serial: u64,
    /// The newest login that we know, and the store's text that we last saw (its fingerprint).
    kept: Option<Kept>,
    seen: Option<String>,
    /// Fingerprints of an access token without a refresh token: the one in use, and the one that was refused.
    issued: Option<String>,
    dead: Option<String>,
}

/// Keeps the token of one source.
pub struct Authenticator {
    auth: Auth,
    plan: AuthPlan,
    source: Arc<str>,
    url: Option<Url>,
    base: Url,
    state: Mutex<State>,
    expired: std::sync::Mutex<u64>,
    tokens: Option<Arc<dyn TokenStore>>,
    hider: Hider,
}

impl Authenticator {
    /// Checks the settings; asks nobody.
    pub fn new(
        settings: &SourceSettings,
        base: &Url,
        tokens: Option<Arc<dyn TokenStore>>,
        plan: AuthPlan,
    ) -> Result<Authenticator, ConnectError> {
        let setup = |message: String| ConnectError {
            kind: ErrorKind::Setup,
            message: format!("{}: {message}", settings.name),
        };
        let url = match &settings.auth {
            Auth::ClientCredentials { token_url, .. }
            | Auth::Refresh { token_url, .. }
            | Auth::AuthorizationCode { token_url, .. }
            | Auth::JwtBearer { token_url, .. } => {
                let text = token_url
                    .as_ref()
                    .or(plan.oauth.token_url.as_ref())
                    .ok_or_else(|| {
                        setup(format!(
                            "the kind {} needs the address that gives out tokens: set `auth.token_url`",
                            settings.auth.kind()
                        ))
                    })?;
                Some(oauth::place(text, Some(base), "token_url").map_err(setup)?)
            }
            Auth::Login { .. } => {
                let Some(login) = &plan.login else {
                    return Err(setup(format!(
                        "the connector {} has no login in two steps; choose another `auth.kind`",
                        settings.connector
                    )));
                };
                let url = oauth::place(&login.path, Some(base), "login").map_err(setup)?;
                if url.origin() != base.origin() {
                    return Err(setup(format!(
                        "the login goes to {}, which is not where the source lies ({})",
                        oauth::host_and_port(&url),
                        oauth::host_and_port(base)
                    )));
                }
                Some(url)
            }
            _ => None,
        };
        if let Auth::Header { name, .. } = &settings.auth
            && reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err()
        {
            return Err(setup(format!(
                "`auth.name = {name:?}` is no name of a header"
            )));
        }
        let hider = Hider::default();
        for secret in secrets(&settings.auth) {
            // A key with a line end in it would be left out silently.
            let header = matches!(settings.auth, Auth::Bearer(_) | Auth::Header { .. });
            if header && reqwest::header::HeaderValue::from_str(secret.expose_secret()).is_err() {
                return Err(setup("the secret holds characters that a header cannot carry (a line end?); csops auth status says where it comes from".into()));
            }
            hider.learn(&secret);
        }
        Ok(Authenticator {
            auth: settings.auth.clone(),
            plan,
            source: settings.name.clone(),
            url,
            base: base.clone(),
            state: Mutex::default(),
            expired: std::sync::Mutex::new(0),
            tokens,
            hider,
        })
    }

    /// Whether a token that was refused with 401 can be replaced without a person.
    pub fn renewable(&self) -> bool {
        self.plan.renew_on_401 && self.renews()
    }

    fn renews(&self) -> bool {
        matches!(
            self.auth,
            Auth::ClientCredentials { .. }
                | Auth::Refresh { .. }
                | Auth::AuthorizationCode { .. }
                | Auth::JwtBearer { .. }
                | Auth::Login { .. }
        )
    }

    /// That token was refused: the next request gets a new one, unless another already fetched it.
    pub fn expire(&self, token: &Token) {
        let mut expired = lock(&self.expired);
        *expired = (*expired).max(token.serial);
    }

    /// The text with every secret of this source blotted out.
    pub fn hide(&self, text: &str) -> String {
        self.hider.hide(text)
    }

    /// A path or address of the vendor without the secret, where the secret is part of addresses: what may be stored or shown.
    pub fn bare(&self, address: &str) -> String {
        let Auth::Query { name, .. } = &self.auth else {
            return address.to_owned();
        };
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let rest = without(query, name);
        if rest.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{rest}")
        }
    }

    /// The token in use; fetched when there is none. Everybody else waits for the one who fetches.
    pub async fn token(&self, client: &Client, name: &str) -> Result<Token, ConnectError> {
        let mut state = self.state.lock().await;
        let expired = *lock(&self.expired);
        let mut usable = None;
        if let Some(token) = &state.token
            && token.serial > expired
        {
            let now = unix_now();
            if token.renew_at.is_none_or(|at| now < at) {
                return Ok(token.clone());
            }
            usable = token
                .expires
                .is_some_and(|at| now < at)
                .then(|| token.clone());
        }
        let caller = Caller {
            client,
            name,
            hider: &self.hider,
        };
        let mut token = match self.obtain(&caller, &mut state).await {
            Ok(token) => token,
            Err(e) => {
                // It is only ahead of time: what still works serves on over a hiccup.
                if let (Some(mut old), ErrorKind::Retry { .. }) = (usable, &e.kind) {
                    tracing::warn!(source = %name, "the token could not be renewed ahead of its end: {}", e.message);
                    old.renew_at = Some(unix_now() + NEXT_RENEWAL);
                    state.token = Some(old.clone());
                    return Ok(old);
                }
                return Err(e);
            }
        };
        state.serial += 1;
        token.serial = state.serial;
        state.token = Some(token.clone());
        Ok(token)
    }

    async fn obtain(&self, caller: &Caller<'_>, state: &mut State) -> Result<Token, ConnectError> {
        Ok(match &self.auth {
            Auth::None => Token::fixed(Sign::Nothing),
            Auth::Bearer(secret) => Token::fixed(Sign::Header(
                "authorization".into(),
                bearer(secret.expose_secret()),
            )),
            Auth::Header { name, value } => Token::fixed(Sign::Header(name.clone(), value.clone())),
            Auth::Query { name, value } => Token::fixed(Sign::Query(name.clone(), value.clone())),
            Auth::Basic {
                user,
                password,
                raw,
            } => {
                let value = basic(user, password, *raw);
                self.hider.learn(&value);
                Token::fixed(Sign::Header("authorization".into(), value))
            }
            Auth::Login { user, password } => {
                let (Some(plan), Some(url)) = (&self.plan.login, &self.url) else {
                    return Ok(Token::fixed(Sign::Nothing));
                };
                let session = login::log_in(caller, plan, url, user, password).await?;
                let mut token = Token::fixed(Sign::Header(plan.header.clone(), session.value))
                    .lasting(session.lifetime);
                token.kept = Arc::new(session.kept);
                token
            }
            Auth::ClientCredentials { .. } | Auth::JwtBearer { .. } => {
                self.by_own_right(caller).await?
            }
            Auth::Refresh { .. } | Auth::AuthorizationCode { .. } => {
                self.by_kept(caller, state).await?
            }
        })
    }
}

/// The secrets of a login.
fn secrets(auth: &Auth) -> Vec<SecretString> {
    match auth {
        Auth::ClientCredentials { client_secret, .. } => vec![client_secret.clone()],
        Auth::Refresh {
            client_secret,
            refresh_token,
            ..
        } => client_secret
            .iter()
            .chain([refresh_token])
            .cloned()
            .collect(),
        Auth::AuthorizationCode { client_secret, .. } => client_secret.iter().cloned().collect(),
        Auth::JwtBearer { private_key, .. } => vec![private_key.clone()],
        Auth::Bearer(token) => vec![token.clone()],
        Auth::Header { value, .. } | Auth::Query { value, .. } => vec![value.clone()],
        // A user with a password is no secret; alone it is one.
        Auth::Basic {
            user,
            password,
            raw,
        } if *raw || password.expose_secret().is_empty() => vec![user.clone()],
        Auth::Basic { password, .. } | Auth::Login { password, .. } => vec![password.clone()],
        Auth::None => Vec::new(),
    }
}

/// What a kept login was made for: another client or another first token in the configuration makes it void.
pub fn made_for(auth: &Auth) -> String {
    fingerprint(&match auth {
        Auth::Refresh {
            client_id,
            refresh_token,
            ..
        } => format!("{client_id}\n{}", refresh_token.expose_secret()),
        Auth::AuthorizationCode { client_id, .. } => client_id.clone(),
        _ => String::new(),
    })
}

fn client_of(auth: &Auth) -> Option<(&str, Option<&SecretString>)> {
    match auth {
        Auth::ClientCredentials {
            client_id,
            client_secret,
            ..
        } => Some((client_id, Some(client_secret))),
        Auth::Refresh {
            client_id,
            client_secret,
            ..
        }
        | Auth::AuthorizationCode {
            client_id,
            client_secret,
            ..
        } => Some((client_id, client_secret.as_ref())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::token::plain;
    use super::*;
    use std::collections::BTreeMap;

    #[tokio::test]
    async fn a_token_that_still_works_serves_on_when_it_cannot_be_renewed_ahead_of_its_end() {
        // Nobody listens there any more.
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", closed.local_addr().unwrap());
        drop(closed);
        let base = Url::parse(&base).unwrap();
        let settings = SourceSettings {
            name: "crm".into(),
            connector: "any".into(),
            base_url: None,
            auth: Auth::ClientCredentials {
                client_id: "app".into(),
                client_secret: plain("app-secret"),
                token_url: Some("/token".into()),
                scopes: Vec::new(),
            },
            ca_file: None,
            daily_requests: None,
            secrets: BTreeMap::new(),
            fields: BTreeMap::new(),
            options: BTreeMap::new(),
        };
        let own = Authenticator::new(&settings, &base, None, AuthPlan::default()).unwrap();
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build()
            .unwrap();
        let mut old = Token::fixed(Sign::Nothing).lasting(Some(100));
        (old.serial, old.renew_at) = (1, Some(unix_now() - 1));
        own.state.lock().await.token = Some(old.clone());
        let got = own.token(&client, "crm").await.unwrap();
        assert_eq!(got.serial, 1);
        assert!(got.renew_at > Some(unix_now()), "not tried at once again");
        // Once it is over, or refused, it serves no longer.
        old.expires = Some(unix_now() - 1);
        own.state.lock().await.token = Some(old.clone());
        assert!(own.token(&client, "crm").await.is_err());
        old.expires = Some(unix_now() + 100);
        own.state.lock().await.token = Some(old.clone());
        own.expire(&old);
        assert!(own.token(&client, "crm").await.is_err());
    }
}
