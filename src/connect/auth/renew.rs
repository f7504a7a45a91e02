//! Getting a token from the vendor's token address: by one's own right, or by a kept login that is renewed.

use super::super::http::{is_loopback, lock};
use super::super::{ConnectError, ErrorKind, Lease};
use super::encode::fingerprint;
use super::kept::{Kept, Refused, unix_now};
use super::oauth::{self, Caller, Failed, Grant};
use super::token::{Sign, Token, bearer, plain};
use super::{Auth, Authenticator, State, client_of, made_for};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// How long one process waits for another that renews the same login.
const LEASE_PATIENCE: Duration = Duration::from_secs(20);

impl Authenticator {
    /// Client credentials and signed assertions: nothing is kept.
    pub(super) async fn by_own_right(&self, caller: &Caller<'_>) -> Result<Token, ConnectError> {
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
    pub(super) async fn by_kept(
        &self,
        caller: &Caller<'_>,
        state: &mut State,
    ) -> Result<Token, ConnectError> {
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
                Lease::Ours(lease) => return Some(lease),
                Lease::None => return None,
                Lease::Taken if tokio::time::Instant::now() >= until => return None,
                Lease::Taken => tokio::time::sleep(Duration::from_millis(50)).await,
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
