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
pub mod signin;

pub use kinds::{Auth, AuthPlan, LoginBody, LoginPlan, OauthDefaults, SendClient};

use super::http::{encode, is_loopback, lock};
use super::{ConnectError, ErrorKind, SourceSettings, TokenStore};
use encode::{base64, fingerprint};
use hide::Hider;
use kept::{Kept, Refused, unix_now};
use oauth::{Caller, Denial, Failed, Grant};
use reqwest::{Client, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long one process waits for another that renews the same login.
const LEASE_PATIENCE: Duration = Duration::from_secs(20);
/// After a renewal ahead of time that failed for the network's sake, the old token serves on for so long before the next try.
const NEXT_RENEWAL: i64 = 30;

/// How one request is signed.
#[derive(Clone)]
pub struct Token {
    serial: u64,
    sign: Sign,
    /// When it is renewed, and when it is void, in seconds since 1970.
    renew_at: Option<i64>,
    expires: Option<i64>,
    /// The address that the vendor says the token is for.
    pub instance: Option<Url>,
    /// The vendor's address of who we are (`id` of a Salesforce token).
    pub identity: Option<String>,
    /// The values that the connector's plan keeps.
    pub kept: Arc<BTreeMap<String, String>>,
}

#[derive(Clone)]
enum Sign {
    Nothing,
    Header(String, SecretString),
    Query(String, SecretString),
}

impl Token {
    fn fixed(sign: Sign) -> Token {
        Token {
            serial: 0,
            sign,
            renew_at: None,
            expires: None,
            instance: None,
            identity: None,
            kept: Arc::default(),
        }
    }

    /// A token that lasts so many seconds; it is renewed a little before.
    fn lasting(mut self, seconds: Option<u64>) -> Token {
        if let Some(seconds) = seconds.and_then(|s| i64::try_from(s).ok()) {
            let end = unix_now().saturating_add(seconds);
            self.renew_at = Some(end - (seconds / 5).min(60));
            self.expires = Some(end);
        }
        self
    }

    /// Puts the credentials on a request, unless they belong into its address.
    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.sign {
            Sign::Header(name, value) => oauth::sensitive(request, name, value),
            Sign::Query(..) | Sign::Nothing => request,
        }
    }

    /// Puts the credentials into an address where that is their place, instead of what stood there.
    pub fn sign_address(&self, url: &mut Url) {
        if let Sign::Query(name, value) = &self.sign {
            let rest = without(url.query().unwrap_or_default(), name);
            let own = format!("{}={}", encode(name), encode(value.expose_secret()));
            let query = if rest.is_empty() {
                own
            } else {
                format!("{rest}&{own}")
            };
            url.set_query(Some(&query));
        }
    }
}

/// A query without one of its parameters; the others stay letter by letter as they are.
fn without(query: &str, name: &str) -> String {
    let coded = encode(name);
    let others: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let key = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && key != name && !key.eq_ignore_ascii_case(&coded)
        })
        .collect();
    others.join("&")
}

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

    /// What a person does about credentials that the vendor refuses with 401: which ones, and which command helps.
    pub fn remedy(&self) -> String {
        let name = &self.source;
        let from = format!("csops auth status {name} says where it comes from");
        let again = format!("then csops connect check {name}");
        match &self.auth {
            Auth::Bearer(_) => format!(
                "the token (`auth.token`) is wrong, has run out or was revoked; {from}, csops auth login {name} stores a new one, {again}"
            ),
            Auth::Header { name: header, .. } => format!(
                "the key in the header {header} (`auth.value`) is wrong or was revoked; {from}, csops auth login {name} stores a new one, {again}"
            ),
            Auth::Query {
                name: parameter, ..
            } => format!(
                "the key in the parameter {parameter} (`auth.value`) is wrong or was revoked; {from}, csops auth login {name} stores a new one, {again}"
            ),
            Auth::Basic { .. } => format!(
                "the user or the password (`auth.user`, `auth.password`) is wrong or was revoked; {from}, csops auth login {name} stores new ones, {again}"
            ),
            Auth::Login { .. } => format!(
                "the session is not accepted although the login worked; check what the user may do, {again}"
            ),
            Auth::ClientCredentials { .. } | Auth::JwtBearer { .. } => format!(
                "a fresh token is not accepted; check that the app (`auth.client_id`) may use the API, {again}"
            ),
            Auth::Refresh { .. } | Auth::AuthorizationCode { .. } => format!(
                "a fresh token is not accepted; check that the app (`auth.client_id`) and the user may use the API, or log in anew: csops auth login {name}"
            ),
            Auth::None => format!(
                "the source has no login: set `auth` for {name} in the configuration, {again}"
            ),
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

    /// Client credentials and signed assertions: nothing is kept.
    async fn by_own_right(&self, caller: &Caller<'_>) -> Result<Token, ConnectError> {
        let Some(url) = &self.url else {
            return Ok(Token::fixed(Sign::Nothing));
        };
        let send = self.plan.oauth.send;
        let mut form = Vec::new();
        let asked = match &self.auth {
            Auth::ClientCredentials {
                client_id,
                client_secret,
                scopes,
                ..
            } => {
                form.push(("grant_type", plain("client_credentials")));
                let scopes = if scopes.is_empty() {
                    &self.plan.oauth.scopes
                } else {
                    scopes
                };
                if !scopes.is_empty() {
                    form.push(("scope", plain(&scopes.join(" "))));
                }
                let client = Some((client_id.as_str(), Some(client_secret)));
                caller.grant(url, client, send, form).await
            }
            Auth::JwtBearer {
                client_id,
                username,
                private_key,
                audience,
                ..
            } => {
                let audience = audience
                    .as_deref()
                    .or(self.plan.oauth.audience.as_deref())
                    .unwrap_or(url.as_str());
                let signed = oauth::assertion(client_id, username, private_key, audience)
                    .map_err(|words| caller.error(ErrorKind::Setup, words))?;
                form.push((
                    "grant_type",
                    plain("urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ));
                form.push(("assertion", signed));
                caller.grant(url, None, send, form).await
            }
            _ => return Ok(Token::fixed(Sign::Nothing)),
        };
        match asked {
            Ok(grant) => Ok(self.bearer_of(&grant)),
            Err(Failed::Error(e)) => Err(e),
            Err(Failed::Denied(denial)) => Err(self.refused(caller, url, &denial)),
        }
    }

    /// A kept refresh token: the newest one of whoever renewed it last, shown to the vendor by one process at a time, and never again once
    /// it was refused.
    async fn by_kept(&self, caller: &Caller<'_>, state: &mut State) -> Result<Token, ConnectError> {
        let Some(url) = &self.url else {
            return Ok(Token::fixed(Sign::Nothing));
        };
        let _lease = self.lease().await;
        let made_for = made_for(&self.auth);
        let mut tried: Option<String> = None;
        loop {
            self.look(caller, state).await?;
            let kept = state.kept.clone().filter(|k| k.fits(&made_for));
            let refresh =
                kept.as_ref()
                    .and_then(|k| k.refresh_token.clone())
                    .or_else(|| match &self.auth {
                        Auth::Refresh { refresh_token, .. } => {
                            Some(refresh_token.expose_secret().to_owned())
                        }
                        _ => None,
                    });
            let Some(refresh) = refresh else {
                return self.without_refresh(caller, state, url, kept);
            };
            let mark = fingerprint(&refresh);
            if let Some(no) = kept
                .as_ref()
                .and_then(|k| k.refused.as_ref())
                .filter(|no| no.token == mark)
            {
                return Err(caller.error(ErrorKind::Auth, &no.why));
            }
            if tried.as_ref() == Some(&mark) {
                return Err(caller.error(ErrorKind::Auth, self.log_in_again()));
            }
            tried = Some(mark.clone());
            let refresh = SecretString::from(refresh);
            self.hider.learn(&refresh);
            let form = vec![
                ("grant_type", plain("refresh_token")),
                ("refresh_token", refresh.clone()),
            ];
            let client = client_of(&self.auth);
            match caller.grant(url, client, self.plan.oauth.send, form).await {
                Ok(grant) => {
                    let token = self.bearer_of(&grant);
                    if let Some(new) = &grant.refresh
                        && new.expose_secret() != refresh.expose_secret()
                    {
                        let new = Kept {
                            refresh_token: Some(new.expose_secret().to_owned()),
                            scope: grant.scope.clone().or(kept.and_then(|k| k.scope)),
                            obtained: unix_now(),
                            made_for: Some(made_for),
                            ..Kept::default()
                        };
                        self.keep(state, new).await;
                    }
                    return Ok(token);
                }
                Err(Failed::Error(e)) => return Err(e),
                Err(Failed::Denied(denial)) => {
                    // Another one may have renewed it meanwhile.
                    let before = state.seen.clone();
                    self.look(caller, state).await?;
                    if state.seen != before {
                        continue;
                    }
                    let error = self.refused(caller, url, &denial);
                    if denial.code == "invalid_grant" {
                        let prefix = format!("{}: ", caller.name);
                        let why = error
                            .message
                            .strip_prefix(&prefix)
                            .unwrap_or(&error.message);
                        let mut note = kept.unwrap_or_default();
                        note.made_for = Some(made_for);
                        note.refused = Some(Refused {
                            token: mark,
                            why: why.to_owned(),
                            at: unix_now(),
                        });
                        self.keep(state, note).await;
                    }
                    return Err(error);
                }
            }
        }
    }

    /// An access token that came alone, or nobody has logged in yet.
    fn without_refresh(
        &self,
        caller: &Caller<'_>,
        state: &mut State,
        url: &Url,
        kept: Option<Kept>,
    ) -> Result<Token, ConnectError> {
        let name = caller.name;
        let Some((access, kept)) = kept.and_then(|k| Some((k.access_token.clone()?, k))) else {
            return Err(caller.error(
                ErrorKind::Auth,
                format!("nobody has logged in yet, or only for another client id: csops auth login {name}"),
            ));
        };
        let access = SecretString::from(access);
        self.hider.learn(&access);
        let mark = fingerprint(access.expose_secret());
        let again = state
            .token
            .as_ref()
            .is_some_and(|t| t.serial <= *lock(&self.expired));
        if again {
            state.dead = state.issued.clone();
        }
        let over = kept.expires.is_some_and(|at| unix_now() >= at);
        if over || state.dead.as_ref() == Some(&mark) {
            return Err(caller.error(
                ErrorKind::Auth,
                format!(
                    "the login at {} has run out or was revoked, and it came without a refresh token: csops auth login {name}",
                    oauth::host_and_port(url)
                ),
            ));
        }
        state.issued = Some(mark);
        let mut token = Token::fixed(Sign::Header(
            "authorization".into(),
            bearer(access.expose_secret()),
        ));
        token.renew_at = kept.expires;
        token.expires = kept.expires;
        Ok(token)
    }

    fn bearer_of(&self, grant: &Grant) -> Token {
        let mut token = Token::fixed(Sign::Header(
            "authorization".into(),
            bearer(grant.access.expose_secret()),
        ))
        .lasting(grant.expires_in);
        token.instance = match grant.instance.as_deref().map(Url::parse) {
            Some(Ok(u)) => self.trusted_instance(u),
            _ => None,
        };
        token.identity = grant.identity.clone();
        token.kept = Arc::new(oauth::keep(&grant.answer, &self.plan.oauth.keep));
        token
    }

    /// The vendor's no in words: which credential, which permission, which command helps.
    fn refused(&self, caller: &Caller<'_>, url: &Url, denial: &Denial) -> ConnectError {
        let name = caller.name;
        let host = oauth::host_and_port(url);
        let code = &denial.code;
        let said = if code.is_empty() || denial.words.contains(code.as_str()) {
            denial.words.clone()
        } else {
            format!("{}, {code}", denial.words)
        };
        let kept = matches!(
            self.auth,
            Auth::Refresh { .. } | Auth::AuthorizationCode { .. }
        );
        let status = format!("csops auth status {name} says where it comes from");
        let check = format!("then csops connect check {name}");
        let words = match (code.as_str(), kept) {
            ("invalid_grant", true) => format!(
                "{host} refuses the refresh token ({said}): it has run out or was revoked. csops does not try it again; log in anew: csops auth login {name}"
            ),
            ("invalid_grant", false) => format!(
                "{host} refuses the login ({said}); check `auth.username`, `auth.audience` and that the app is approved for that user, {check}"
            ),
            ("invalid_scope", _) => {
                let scopes = match &self.auth {
                    Auth::ClientCredentials { scopes, .. }
                    | Auth::AuthorizationCode { scopes, .. }
                        if !scopes.is_empty() =>
                    {
                        scopes.join(" ")
                    }
                    _ => self.plan.oauth.scopes.join(" "),
                };
                format!(
                    "{host} does not grant the permission ({said}); asked for: {}. Correct `auth.scopes`, or have an administrator allow them for the app, {check}",
                    if scopes.is_empty() {
                        "the app's own scopes"
                    } else {
                        &scopes
                    }
                )
            }
            ("unauthorized_client" | "unsupported_grant_type", _) => format!(
                "{host} does not allow the kind {} for this app ({said}); an administrator must allow it for `auth.client_id`, {check}",
                self.auth.kind()
            ),
            _ => format!(
                "{host} refuses the login ({said}); check `auth.client_id` and its secret: {status}, {check}"
            ),
        };
        caller.error(ErrorKind::Auth, words)
    }

    fn log_in_again(&self) -> String {
        format!(
            "the login was refused; log in anew: csops auth login {}",
            self.source
        )
    }

    /// Takes in what the store has, if that is news. A store that cannot be read only matters as long as nothing is known from it: going
    /// back to the token of the configuration, which has perhaps been replaced, could end the whole login.
    async fn look(&self, caller: &Caller<'_>, state: &mut State) -> Result<(), ConnectError> {
        let Some(store) = self.tokens.clone() else {
            return Ok(());
        };
        let source = self.source.clone();
        let found = tokio::task::spawn_blocking(move || store.load(&source)).await;
        let found = match found.unwrap_or_else(|_| Err("it could not be read".into())) {
            Ok(found) => found,
            Err(_) if state.kept.is_some() => return Ok(()),
            Err(why) => {
                return Err(caller.error(
                    ErrorKind::Setup,
                    format!(
                        "the kept login: {why}. Unlock it, or log in anew: csops auth login {}",
                        caller.name
                    ),
                ));
            }
        };
        let seen = found.as_ref().map(|f| fingerprint(f.expose_secret()));
        if seen != state.seen {
            state.kept = found.as_ref().map(Kept::read);
            state.seen = seen;
        }
        Ok(())
    }

    /// Keeps a login; the process goes on with it even when the store cannot.
    async fn keep(&self, state: &mut State, kept: Kept) {
        let text = kept.write();
        state.kept = Some(kept);
        let Some(store) = self.tokens.clone() else {
            return;
        };
        let mark = fingerprint(text.expose_secret());
        let source = self.source.clone();
        let saved = tokio::task::spawn_blocking(move || store.save(&source, &text)).await;
        match saved {
            Ok(Ok(())) => state.seen = Some(mark),
            Ok(Err(why)) => {
                tracing::error!(source = %self.source, "the new refresh token could not be kept: {why}");
            }
            Err(_) => {
                tracing::error!(source = %self.source, "the new refresh token could not be kept");
            }
        }
    }

    /// Only one process at a time shows the refresh token: a vendor that rotates it takes a second showing for theft.
    async fn lease(&self) -> Option<Box<dyn Send>> {
        let store = self.tokens.as_ref()?;
        let until = tokio::time::Instant::now() + LEASE_PATIENCE;
        loop {
            match store.lease(&self.source) {
                super::Lease::Ours(lease) => return Some(lease),
                super::Lease::None => return None,
                super::Lease::Taken if tokio::time::Instant::now() >= until => return None,
                super::Lease::Taken => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// The vendor's own address for the token is followed only where it is as safe as the one configured: never from https to http, never
    /// away from loopback.
    fn trusted_instance(&self, url: Url) -> Option<Url> {
        let safe = url.scheme() == "https" && !is_loopback(&self.base);
        let same = url.origin() == self.base.origin();
        (safe || same).then_some(url)
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

fn plain(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn bearer(token: &str) -> SecretString {
    SecretString::from(format!("Bearer {token}"))
}

fn basic(user: &SecretString, password: &SecretString, raw: bool) -> SecretString {
    let (user, password) = (user.expose_secret(), password.expose_secret());
    let text = if raw {
        user.to_owned()
    } else {
        format!("{user}:{password}")
    };
    SecretString::from(format!("Basic {}", base64(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_encoded_with_the_colon_and_raw_without() {
        let text = |user: &str, password: &str, raw| {
            basic(&plain(user), &plain(password), raw)
                .expose_secret()
                .to_owned()
        };
        // The example of RFC 7617.
        assert_eq!(
            text("Aladdin", "open sesame", false),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(text("key", "", false), "Basic a2V5Og==");
        assert_eq!(text("key", "", true), "Basic a2V5");
    }

    #[test]
    fn a_key_in_the_query_replaces_its_like_and_leaves_the_rest_as_it_was() {
        let token = Token::fixed(Sign::Query("api key".into(), plain("a&b=c")));
        let mut url =
            Url::parse("https://x.example/r?$filter=a%20eq%201&api%20key=old&n=1").unwrap();
        token.sign_address(&mut url);
        assert_eq!(
            url.as_str(),
            "https://x.example/r?$filter=a%20eq%201&n=1&api%20key=a%26b%3Dc"
        );
        let mut url = Url::parse("https://x.example/r").unwrap();
        token.sign_address(&mut url);
        assert_eq!(url.as_str(), "https://x.example/r?api%20key=a%26b%3Dc");
    }
}
