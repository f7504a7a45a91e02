//! The sources behind the cockpit: opened from the settings (secrets fetched off-thread), run by the sync engine, listened to in portions.

use super::event::Level;
use super::tokens::Keeper;
use crate::book::id::LOCAL;
use crate::book::{Clock, Entity, OutboxState, SourceName, SourceStatus};
use crate::command::{Homes, SourceInfo};
use crate::config::{AuthSettings, Secret, SecretError, Settings, SourceConfig};
use crate::connect::manifest::Library;
use crate::connect::{Auth, SourceSettings};
use crate::store::Storage;
use crate::sync::{Engine, Setup, SourceSetup, SyncEvent};
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

/// How long rows that follow each other are gathered before the Book is brought up to date.
const GATHER: Duration = Duration::from_millis(120);
/// How long what is on its way gets to arrive when csops closes.
const PATIENCE: Duration = Duration::from_secs(5);

/// What happened at the sources since it was asked last.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Merged rows changed.
    pub(super) rows: bool,
    /// Outbox items moved.
    pub(super) outbox: bool,
    /// What to tell the person.
    pub(super) messages: Vec<(Level, String)>,
}

/// The engine and what is heard from it.
pub(super) struct Sources {
    engine: watch::Receiver<Option<Engine>>,
    events: Option<broadcast::Receiver<SyncEvent>>,
    pending: Option<(News, Instant)>,
    /// Names in the configuration's order, for homes before the capabilities are known.
    names: Vec<SourceName>,
    begun: bool,
    background: bool,
}

impl Sources {
    /// Opens the sources in the background; the engine appears in the watch channel.
    pub(super) fn open(
        settings: Arc<Settings>,
        clock: Arc<dyn Clock>,
        store: Arc<dyn Storage>,
        db: &Path,
        connectors: Option<PathBuf>,
        background: bool,
        ready: watch::Sender<Option<Engine>>,
    ) -> Sources {
        let engine = ready.subscribe();
        let names = settings
            .sources
            .iter()
            .map(|s| SourceName::from(s.name.as_str()))
            .collect();
        let tokens = db.parent().unwrap_or(Path::new(".")).join("tokens");
        tokio::spawn(async move {
            let setups = tokio::task::spawn_blocking({
                let (settings, clock) = (settings.clone(), clock.clone());
                move || setups(&settings, &clock, tokens, connectors.as_deref())
            })
            .await
            .unwrap_or_default();
            let engine = Engine::new(Setup {
                store,
                clock,
                sources: setups,
                rules: super::rules::configured(&settings).0,
                read_only: settings.read_only,
                author: settings.me.email.clone(),
            });
            if let Err(e) = engine.restore().await {
                tracing::warn!("how the sources went before could not be read: {e}");
            }
            ready.send_replace(Some(engine));
        });
        Sources {
            engine,
            events: None,
            pending: None,
            names,
            begun: false,
            background,
        }
    }

    fn engine(&self) -> Option<Engine> {
        self.engine.borrow().clone()
    }

    /// Waits until the sources are open, or will never be.
    pub(super) async fn opened(&self) {
        let _ = wait_for(&mut self.engine.clone()).await;
    }

    /// Whether the schedules run here.
    pub(super) fn in_background(&self) -> bool {
        self.background
    }

    /// The Book is there: the engine may run now, if it is to run at all.
    pub(super) fn begin(&mut self) {
        self.begun = true;
        if self.background
            && let Some(engine) = self.engine()
        {
            engine.start();
        }
    }

    /// Waits for something to happen, and gathers what follows at once. May be dropped at any time: nothing is lost.
    pub(super) async fn news(&mut self) -> News {
        if self.events.is_none() {
            let Some(engine) = wait_for(&mut self.engine).await else {
                return std::future::pending().await;
            };
            self.events = Some(engine.events());
            if self.begun && self.background {
                engine.start();
            }
            return News::default();
        }
        loop {
            let Some(events) = &mut self.events else {
                return std::future::pending().await;
            };
            let until = self.pending.as_ref().map(|(_, until)| *until);
            let event = tokio::select! {
                event = events.recv() => event,
                () = sleep_until(until) => {
                    if let Some((news, _)) = self.pending.take() {
                        return news;
                    }
                    continue;
                }
            };
            let (news, _) = self
                .pending
                .get_or_insert_with(|| (News::default(), Instant::now() + GATHER));
            match event {
                Ok(event) => absorb(news, event),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    news.rows = true;
                    news.outbox = true;
                }
                Err(broadcast::error::RecvError::Closed) => {
                    self.events = None;
                    return std::future::pending().await;
                }
            }
        }
    }

    pub(super) fn statuses(&self) -> Vec<SourceStatus> {
        self.engine().map(|e| e.statuses()).unwrap_or_default()
    }

    pub(super) fn infos(&self) -> Vec<SourceInfo> {
        let Some(engine) = self.engine() else {
            return Vec::new();
        };
        let mut capabilities = engine.capabilities();
        let all = engine.is_read_only();
        engine
            .statuses()
            .into_iter()
            .map(|s| SourceInfo {
                capabilities: s
                    .source
                    .as_ref()
                    .and_then(|n| capabilities.remove(n))
                    .unwrap_or_default(),
                read_only: s.read_only && !all,
                name: s.source,
            })
            .collect()
    }

    pub(super) fn all_read_only(&self) -> bool {
        self.engine().is_some_and(|e| e.is_read_only())
    }

    /// The homes of writes: as configured, else the only source that can take that kind of write.
    pub(super) fn homes(&self, settings: &Settings) -> Homes {
        let infos = self.infos();
        let home = |configured: &Option<String>, entity: Entity, field: &str| {
            if let Some(name) = configured {
                if name == LOCAL {
                    return Some(LOCAL.into());
                }
                return self.names.iter().find(|n| ***n == **name).cloned();
            }
            let nobody = |i: &SourceInfo| {
                i.capabilities
                    .support(entity, field)
                    .is_some_and(|w| w.why_not.is_some())
            };
            if !infos.is_empty() && infos.iter().all(nobody) {
                return Some(LOCAL.into());
            }
            let mut able = infos
                .iter()
                .filter(|i| i.capabilities.can(entity, field))
                .filter_map(|i| i.name.clone());
            able.next().filter(|_| able.next().is_none())
        };
        Homes {
            risk: home(&settings.write.risk, Entity::Escalation, "*"),
            note: home(&settings.write.note, Entity::Touchpoint, "*"),
            task: home(&settings.write.task, Entity::Task, "*"),
            renewal: home(&settings.write.renewal, Entity::Renewal, "stage"),
            csm: home(&settings.write.csm, Entity::Account, "csm"),
        }
    }

    pub(super) fn sync_now(&self, source: Option<&str>) -> Result<(), String> {
        match self.engine() {
            Some(engine) => engine.sync_now(source, false),
            None => Err("the sources are still being opened".into()),
        }
    }

    pub(super) fn set_read_only(&self, source: Option<&str>, on: bool) -> Result<(), String> {
        match self.engine() {
            Some(engine) => engine.set_read_only(source, on),
            None => Err("the sources are still being opened".into()),
        }
    }

    pub(super) fn outbox_changed(&self) {
        if let Some(engine) = self.engine() {
            engine.wake_push();
        }
    }

    /// Merges what waits to be merged.
    pub(super) async fn merge_now(&self) -> Result<(), String> {
        match self.engine() {
            Some(engine) => engine
                .merge_now()
                .await
                .map(drop)
                .map_err(|e| e.to_string()),
            None => Err("the sources are still being opened".into()),
        }
    }

    /// Another process wrote: rows that it left to be merged are, in the background.
    pub(super) fn merge_left(&self) {
        if let Some(engine) = self.engine() {
            engine.merge_left();
        }
    }

    pub(super) async fn close(&self) {
        if self.background
            && self.begun
            && let Some(engine) = self.engine()
        {
            engine.stop(PATIENCE).await;
        }
    }
}

/// The engine as soon as there is one; `None` when there will never be one.
pub(super) async fn wait_for(engine: &mut watch::Receiver<Option<Engine>>) -> Option<Engine> {
    engine.wait_for(Option::is_some).await.ok()?.clone()
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn absorb(news: &mut News, event: SyncEvent) {
    match event {
        SyncEvent::Merged { .. } => news.rows = true,
        SyncEvent::Status(_) | SyncEvent::Capabilities(_) => {}
        SyncEvent::Item(item) => {
            news.outbox = true;
            let why = item
                .error
                .as_deref()
                .unwrap_or("the vendor did not say why");
            match item.state {
                OutboxState::Failed => news
                    .messages
                    .push((Level::Bad, format!("`{}` was refused: {why}", item.command))),
                OutboxState::Conflict => news.messages.push((
                    Level::Bad,
                    format!("`{}`: the value changed at the vendor meanwhile; choose on the sync screen", item.command),
                )),
                _ => {}
            }
        }
        SyncEvent::Trouble(text) => news.messages.push((Level::Bad, text)),
    }
}

/// Each source of the settings with its connector, or why it has none.
pub(super) fn setups(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    tokens: PathBuf,
    connectors: Option<&Path>,
) -> Vec<SourceSetup> {
    let tokens = Arc::new(Keeper::new(tokens));
    let library = connectors.map_or_else(Library::builtin, Library::with_folder);
    settings
        .sources
        .iter()
        .map(|config| {
            let connector = plain(config, &tokens).and_then(|plain| {
                crate::connect::open(plain, &library, clock.clone(), Some(tokens.clone()))
                    .map(Arc::from)
                    .map_err(|e| e.to_string())
            });
            SourceSetup {
                name: config.name.as_str().into(),
                kind: config.connector.clone(),
                base_url: config
                    .base_url
                    .clone()
                    .or_else(|| config.options.get("folder").cloned())
                    .unwrap_or_default(),
                every: config.every,
                read_only: config.read_only,
                daily_requests: config.daily_requests,
                connector,
            }
        })
        .collect()
}

/// A source's settings with its secrets fetched.
pub(super) fn plain(config: &SourceConfig, keeper: &Keeper) -> Result<SourceSettings, String> {
    let env = |name: &str| std::env::var(name).ok();
    let kept = |account: &str| keeper.secret(account);
    let secret = |s: &Secret| s.resolve(&env, &kept);
    let empty = || SecretString::from(String::new());
    let auth = || -> Result<Auth, SecretError> {
        Ok(match config.auth.clone() {
            AuthSettings::ClientCredentials {
                client_id,
                client_secret,
                token_url,
                scopes,
            } => Auth::ClientCredentials {
                client_id,
                client_secret: secret(&client_secret)?,
                token_url,
                scopes,
            },
            AuthSettings::Refresh {
                client_id,
                client_secret,
                refresh_token,
                token_url,
                revoke_url,
            } => Auth::Refresh {
                client_id,
                client_secret: client_secret.as_ref().map(secret).transpose()?,
                refresh_token: secret(&refresh_token)?,
                token_url,
                revoke_url,
            },
            AuthSettings::AuthorizationCode {
                client_id,
                client_secret,
                authorize_url,
                token_url,
                revoke_url,
                scopes,
                redirect_port,
            } => Auth::AuthorizationCode {
                client_id,
                client_secret: client_secret.as_ref().map(secret).transpose()?,
                authorize_url,
                token_url,
                revoke_url,
                scopes,
                redirect_port,
            },
            AuthSettings::JwtBearer {
                client_id,
                username,
                private_key,
                audience,
                token_url,
            } => Auth::JwtBearer {
                client_id,
                username,
                private_key: secret(&private_key)?,
                audience,
                token_url,
            },
            AuthSettings::Bearer(token) => Auth::Bearer(secret(&token)?),
            AuthSettings::Header { name, value } => Auth::Header {
                name,
                value: secret(&value)?,
            },
            AuthSettings::Query { name, value } => Auth::Query {
                name,
                value: secret(&value)?,
            },
            AuthSettings::Basic {
                user,
                password,
                raw,
            } => Auth::Basic {
                user: secret(&user)?,
                password: password
                    .as_ref()
                    .map(secret)
                    .transpose()?
                    .unwrap_or_else(empty),
                raw,
            },
            AuthSettings::Login { user, password } => Auth::Login {
                user: user.as_ref().map(secret).transpose()?.unwrap_or_else(empty),
                password: secret(&password)?,
            },
            AuthSettings::None => Auth::None,
        })
    };
    Ok(SourceSettings {
        name: config.name.as_str().into(),
        connector: config.connector.clone(),
        base_url: config.base_url.clone(),
        auth: auth().map_err(|e| format!("{} ({}): {e}", config.name, config.at))?,
        ca_file: config.ca_file.clone(),
        daily_requests: config.daily_requests,
        fields: config.fields.clone(),
        options: config.options.clone(),
        secrets: config
            .secrets
            .iter()
            .map(|(name, s)| Ok((name.clone(), secret(s)?)))
            .collect::<Result<_, SecretError>>()
            .map_err(|e| format!("{} ({}): {e}", config.name, config.at))?,
    })
}
