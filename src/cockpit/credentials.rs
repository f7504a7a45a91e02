//! The logins of the sources, for `csops auth`: what each one's credentials are, where they come from and whether they can be had; logging
//! in, and forgetting a login. Needs neither the database nor the cockpit.

use super::sources::plain;
use super::tokens::{Keeper, Place, tokens_of};
use crate::config::{AuthSettings, Secret, Settings, SourceConfig, exposed};
use crate::connect::auth::encode::fingerprint;
use crate::connect::auth::kept::{Kept, unix_now};
use crate::connect::auth::signin::{SignIn, revoke};
use crate::connect::auth::{AuthPlan, made_for};
use crate::connect::manifest::Library;
use crate::connect::{Auth, ErrorKind, SourceSettings, auth_plan};
use secrecy::{ExposeSecret, SecretString};
use std::path::Path;
use std::time::Duration;

/// How long the browser may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// The logins of all sources.
pub struct Credentials {
    sources: Vec<SourceConfig>,
    keeper: Keeper,
    connectors: Library,
}

/// How one source logs in, and whether it could.
#[derive(Clone, Debug)]
pub struct LoginStatus {
    /// The source.
    pub source: String,
    /// Its connector.
    pub connector: String,
    /// The kind of login.
    pub kind: &'static str,
    /// Its secrets.
    pub secrets: Vec<SecretStatus>,
    /// What is kept of a login with tokens; `None` for kinds that keep nothing.
    pub tokens: Option<TokenStatus>,
    /// What to do, when something is to be done.
    pub remedy: Option<String>,
}

/// One secret, without it.
#[derive(Clone, Debug)]
pub struct SecretStatus {
    /// Its key in the configuration.
    pub key: &'static str,
    /// Where it comes from.
    pub from: String,
    /// Why it cannot be had; `None` when it can.
    pub trouble: Option<String>,
    /// What is unsafe about it.
    pub warning: Option<String>,
}

/// A kept login, without its tokens.
#[derive(Clone, Debug, Default)]
pub struct TokenStatus {
    /// Where it is kept; `None`: nothing is.
    pub place: Option<String>,
    /// When it came, in seconds since 1970; `None`: unknown.
    pub obtained: Option<i64>,
    /// When it runs out, if the vendor said so.
    pub expires: Option<i64>,
    /// What the vendor allowed.
    pub scopes: Option<String>,
    /// Why it is of no use.
    pub trouble: Option<String>,
}

/// What `csops auth login` has to do for a source.
pub enum Next {
    /// Ask for these secrets and hand each to [`Credentials::store`].
    Ask(Vec<&'static str>),
    /// Let a person log in in the browser.
    Browser(Box<Browser>),
    /// Nothing can be stored; the words say where the secrets come from instead.
    Nothing(String),
}

/// A login in the browser that has begun.
pub struct Browser {
    login: SignIn,
    source: String,
}

impl Browser {
    /// The address to open.
    pub fn address(&self) -> &str {
        self.login.address()
    }
    /// The address that the browser comes back to.
    pub fn redirect(&self) -> &str {
        self.login.redirect()
    }
}

impl Credentials {
    /// Those of the settings; `db` tells where files of ours lie, `connectors` is the folder of the user's own connectors.
    pub fn new(settings: &Settings, db: &Path, connectors: Option<&Path>) -> Credentials {
        let folder = db.parent().unwrap_or(Path::new(".")).join("tokens");
        Credentials {
            connectors: connectors.map_or_else(Library::builtin, Library::with_folder),
            ..Credentials::with(settings, Keeper::new(folder))
        }
    }

    fn with(settings: &Settings, keeper: Keeper) -> Credentials {
        Credentials {
            sources: settings.sources.clone(),
            keeper,
            connectors: Library::builtin(),
        }
    }

    /// Why there is no keyring, if there is none.
    pub fn no_keyring(&self) -> Option<String> {
        self.keeper.absent()
    }

    fn source(&self, name: &str) -> Result<&SourceConfig, String> {
        self.sources.iter().find(|s| s.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.sources.iter().map(|s| s.name.as_str()).collect();
            if names.is_empty() {
                format!(
                    "there is no source `{name}`, and no other; csops init writes a configuration"
                )
            } else {
                format!(
                    "there is no source `{name}`; there are {}",
                    names.join(", ")
                )
            }
        })
    }

    /// How the sources (or only that one) log in.
    ///
    /// # Errors
    /// When there is no such source.
    pub fn status(&self, only: Option<&str>) -> Result<Vec<LoginStatus>, String> {
        match only {
            Some(name) => Ok(vec![self.of(self.source(name)?)]),
            None => Ok(self.sources.iter().map(|s| self.of(s)).collect()),
        }
    }

    fn of(&self, config: &SourceConfig) -> LoginStatus {
        let name = &config.name;
        let secrets: Vec<SecretStatus> = config
            .auth
            .secrets()
            .into_iter()
            .map(|(key, secret)| self.secret(key, secret))
            .collect();
        let mut remedy = secrets.iter().find_map(|s| s.trouble.clone());
        let tokens = match &config.auth {
            AuthSettings::AuthorizationCode { .. } | AuthSettings::Refresh { .. } => {
                Some(self.tokens(config))
            }
            _ => None,
        };
        if remedy.is_none()
            && let Some(trouble) = tokens.as_ref().and_then(|t| t.trouble.clone())
        {
            remedy = Some(format!("{trouble}: csops auth login {name}"));
        }
        LoginStatus {
            source: name.clone(),
            connector: config.connector.clone(),
            kind: config.auth.kind(),
            secrets,
            tokens,
            remedy,
        }
    }

    fn secret(&self, key: &'static str, secret: &Secret) -> SecretStatus {
        let env = |name: &str| std::env::var(name).ok();
        let mut warning = None;
        let mut trouble = None;
        let mut from = match secret {
            Secret::Plain(_) => "the settings file".to_owned(),
            Secret::Env(name) => format!("the variable {name}"),
            Secret::Command(command) => format!("the command `{command}`"),
            Secret::File(path) => {
                warning = exposed(path);
                format!("the file {}", path.display())
            }
            Secret::Kept(account) => format!("the keyring (csops, {account})"),
        };
        if let Secret::Kept(account) = secret {
            match self.keeper.get(account) {
                Ok(Some((_, Place::Keyring))) => {}
                Ok(Some((_, Place::File { path, .. }))) => {
                    from = format!("the file {} of csops' own", path.display());
                    warning = exposed(&path);
                }
                Ok(None) | Err(_) => {
                    trouble = self.keeper.secret(account).err().map(|e| e.to_string());
                }
            }
        } else if let Err(e) = secret.resolve(&env, &|a| self.keeper.secret(a)) {
            trouble = Some(e.to_string());
        }
        if matches!(secret, Secret::Plain(_)) && key != "user" {
            warning = Some("it stands in plain text".to_owned());
        }
        SecretStatus {
            key,
            from,
            trouble,
            warning,
        }
    }

    fn tokens(&self, config: &SourceConfig) -> TokenStatus {
        let first = match &config.auth {
            AuthSettings::Refresh { .. } => None,
            _ => Some("nobody has logged in yet".to_owned()),
        };
        let (text, place) = match self.keeper.get(&tokens_of(&config.name)) {
            Ok(Some(found)) => found,
            Ok(None) => {
                return TokenStatus {
                    trouble: first,
                    ..TokenStatus::default()
                };
            }
            Err(why) => {
                return TokenStatus {
                    trouble: Some(why),
                    ..TokenStatus::default()
                };
            }
        };
        let kept = Kept::read(&text);
        let settings = plain(config, &self.keeper).ok();
        let fits = settings
            .as_ref()
            .is_none_or(|s| kept.fits(&made_for(&s.auth)));
        if !fits && matches!(config.auth, AuthSettings::Refresh { .. }) {
            // The configuration has a newer one.
            return TokenStatus::default();
        }
        let token =
            kept.refresh_token
                .as_deref()
                .or_else(|| match settings.as_ref().map(|s| &s.auth) {
                    Some(Auth::Refresh { refresh_token, .. }) => {
                        Some(refresh_token.expose_secret())
                    }
                    _ => None,
                });
        let refused = kept
            .refused
            .as_ref()
            .filter(|no| token.is_some_and(|t| fingerprint(t) == no.token));
        let trouble = if !fits {
            Some("the kept login was made for another client id".to_owned())
        } else if refused.is_some() {
            Some(
                "the vendor refused the kept refresh token; csops does not try it again".to_owned(),
            )
        } else if kept.expires.is_some_and(|at| at <= unix_now()) {
            Some("the kept login has run out".to_owned())
        } else if token.is_none() && kept.access_token.is_none() {
            first
        } else {
            None
        };
        TokenStatus {
            place: Some(match place {
                Place::Keyring => place.to_string(),
                Place::File { path, .. } => format!("the file {}", path.display()),
            }),
            obtained: (kept.obtained > 0).then_some(kept.obtained),
            expires: kept.expires,
            scopes: kept.scope,
            trouble,
        }
    }

    /// What logging in to a source takes. `paste`: the browser is on another machine.
    ///
    /// # Errors
    /// When there is no such source, or the login cannot begin.
    pub async fn login(&self, name: &str, paste: bool) -> Result<Next, String> {
        let config = self.source(name)?;
        let kept: Vec<&'static str> = config
            .auth
            .secrets()
            .into_iter()
            .filter(|(_, s)| matches!(s, Secret::Kept(_)))
            .map(|(key, _)| key)
            .collect();
        match &config.auth {
            AuthSettings::AuthorizationCode { client_secret, .. } => {
                // The app's own secret comes first: without it there is no token.
                if let Some(Secret::Kept(account)) = client_secret
                    && self.keeper.get(account)?.is_none()
                {
                    return Ok(Next::Ask(vec!["client_secret"]));
                }
                let (settings, plan) = self.settings(config)?;
                let login = SignIn::begin(&settings, plan, !paste)
                    .await
                    .map_err(|e| e.to_string())?;
                Ok(Next::Browser(Box::new(Browser {
                    login,
                    source: name.to_owned(),
                })))
            }
            AuthSettings::Refresh { .. } => {
                let mut ask = kept;
                if !ask.contains(&"refresh_token") {
                    ask.push("refresh_token");
                }
                Ok(Next::Ask(ask))
            }
            AuthSettings::None => Ok(Next::Nothing(format!("{name} needs no login"))),
            _ if kept.is_empty() => {
                let from: Vec<String> = config
                    .auth
                    .secrets()
                    .into_iter()
                    .map(|(key, s)| {
                        format!(
                            "`auth.{key}` of {name} comes from {}",
                            self.secret(key, s).from
                        )
                    })
                    .collect();
                let key = config.auth.secrets().last().map_or("token", |(k, _)| *k);
                Ok(Next::Nothing(format!(
                    "there is nothing to store: {}. Change it there; or write {key}_keyring = true instead, and csops auth login {name} asks for it",
                    from.join(", ")
                )))
            }
            _ => Ok(Next::Ask(kept)),
        }
    }

    /// Keeps a secret that a person typed, and says where.
    ///
    /// # Errors
    /// When it is empty or can be kept nowhere.
    pub fn store(&self, name: &str, key: &str, secret: &SecretString) -> Result<String, String> {
        let config = self.source(name)?;
        if secret.expose_secret().trim().is_empty() {
            return Err("nothing was entered, and nothing was stored".to_owned());
        }
        let secret = SecretString::from(secret.expose_secret().trim());
        let kept = |k: &str| {
            let mut all = config.auth.secrets().into_iter();
            all.any(|(own, s)| own == k && matches!(s, Secret::Kept(_)))
        };
        if kept(key) {
            // A new secret makes void what the old one led to.
            let place = self.keeper.set(&format!("{name}/{key}"), &secret)?;
            if key == "refresh_token" {
                self.keeper.forget(&tokens_of(name))?;
            }
            return Ok(place.to_string());
        }
        let (settings, _) = self.settings(config)?;
        let login = Kept {
            refresh_token: Some(secret.expose_secret().to_owned()),
            obtained: unix_now(),
            made_for: Some(made_for(&settings.auth)),
            ..Kept::default()
        };
        let place = self.keeper.set(&tokens_of(name), &login.write())?;
        Ok(place.to_string())
    }

    /// Waits until the browser comes back, and keeps the tokens. Says where, and which scopes were not granted.
    ///
    /// # Errors
    /// When the login is denied or nobody comes back.
    pub async fn wait(&self, browser: Browser) -> Result<(String, Vec<String>), String> {
        let done = browser.login.wait(PATIENCE).await;
        self.done(&browser.source, done)
    }

    /// Takes the address that a browser elsewhere ended at.
    ///
    /// # Errors
    /// When it is not the answer to this login.
    pub async fn pasted(
        &self,
        browser: Browser,
        text: &str,
    ) -> Result<(String, Vec<String>), String> {
        let done = browser.login.pasted(text).await;
        self.done(&browser.source, done)
    }

    fn done(
        &self,
        name: &str,
        done: Result<crate::connect::auth::signin::SignedIn, crate::connect::ConnectError>,
    ) -> Result<(String, Vec<String>), String> {
        let done = done.map_err(|e| e.to_string())?;
        let place = self.keeper.set(&tokens_of(name), &done.kept.write())?;
        Ok((place.to_string(), done.missing))
    }

    /// Forgets what csops keeps of a source's login, and has the vendor take the token back where it can. Says what was done.
    ///
    /// # Errors
    /// When something could not be forgotten.
    pub async fn logout(&self, name: &str) -> Result<Vec<String>, String> {
        let config = self.source(name)?;
        let mut said = Vec::new();
        let account = tokens_of(name);
        if let Ok(Some((text, _))) = self.keeper.get(&account) {
            match self.settings(config) {
                Ok((settings, plan)) => {
                    match revoke(&settings, &plan, &Kept::read(&text)).await {
                        Ok(true) => said.push("the vendor has taken the token back".to_owned()),
                        Ok(false) => said.push(
                            "the vendor was not told (no `revoke_url` is known); the token stays good there until it runs out or is revoked there".to_owned(),
                        ),
                        Err(e) if matches!(e.kind, ErrorKind::Auth) => said.push(format!("{e}; it may be void already")),
                        Err(e) => said.push(format!("the vendor could not be told: {e}. Revoke the token there")),
                    }
                }
                Err(why) => said.push(format!("the vendor could not be told: {why}")),
            }
        }
        let mut forgotten = Vec::new();
        let mut accounts = vec![(account, "the kept tokens".to_owned())];
        for (key, secret) in config.auth.secrets() {
            match secret {
                Secret::Kept(account) => accounts.push((account.clone(), format!("`auth.{key}`"))),
                Secret::Plain(_) if key == "user" => {}
                other => said.push(format!(
                    "`auth.{key}` comes from {} and stays there",
                    self.secret(key, other).from
                )),
            }
        }
        for (account, what) in accounts {
            if self.keeper.forget(&account)? {
                forgotten.push(what);
            }
        }
        said.insert(
            0,
            if forgotten.is_empty() {
                format!("csops keeps nothing of the login to {name}")
            } else {
                format!("forgotten: {}", forgotten.join(", "))
            },
        );
        Ok(said)
    }

    fn settings(&self, config: &SourceConfig) -> Result<(SourceSettings, AuthPlan), String> {
        let settings = plain(config, &self.keeper)?;
        let plan = auth_plan(&settings, &self.connectors).map_err(|e| e.to_string())?;
        Ok((settings, plan))
    }
}
