//! Gainsight CS over its REST API: object queries and the cockpit's lists for reading; calls to action, timeline and objects for writing.
//!
//! What is read and written, the options and the addresses of its pages stand in the manifest (`builtin/gainsight.toml`); here is how. Gainsight offers
//! no guard against overwriting: values are compared just before a write, and a window of that length remains.

mod api;
mod cockpit;
mod describe;
mod preview;
mod pull;
mod schema;
mod write;

use super::http::{Ask, Http, encode};
use super::manifest::intern;
use super::manifest::object::ObjectSpec;
use super::manifest::request::Values;
use super::manifest::schema::{Manifest, Names};
use super::{
    ConnectError, Connector, ErrorKind, Page, SourceSettings, Stream, TokenStore, Write, Written,
};
use crate::book::{Budget, Capabilities, Clock, Cursor, Entity, Record};
use futures_util::future::BoxFuture;
pub(super) use preview::preview;
use schema::ObjectInfo;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

/// The connector's name.
pub const KIND: &str = "gainsight";

/// The object of Gainsight's that tells what was deleted.
const DELETIONS: &str = "record_delete_log";

/// Whether an object is read by the object query; calls to action, their tasks and deletions have requests of their own.
fn is_query(spec: &ObjectSpec) -> bool {
    !matches!(spec.entity, Entity::Escalation | Entity::Task) && spec.name != DELETIONS
}

/// One Gainsight tenant.
pub struct Gainsight {
    m: Arc<Manifest>,
    /// Calls to action and the tasks below them, with the tenant's own names for their fields.
    cta: ObjectSpec,
    task: ObjectSpec,
    http: Http,
    fields: BTreeMap<String, String>,
    options: BTreeMap<String, String>,
    objects: Mutex<HashMap<String, Option<Arc<ObjectInfo>>>>,
    names: tokio::sync::OnceCell<Vec<String>>,
    picks: tokio::sync::OnceCell<write::Picks>,
    users: Mutex<HashMap<String, Option<String>>>,
    /// As many accounts as this process has read from the first on; decides how much history is worth reading.
    accounts: AtomicUsize,
}

impl Gainsight {
    /// Checks the settings and builds the client; sends nothing.
    pub fn open(
        m: Arc<Manifest>,
        settings: &SourceSettings,
        clock: Arc<dyn Clock>,
        tokens: Option<Arc<dyn TokenStore>>,
    ) -> Result<Gainsight, ConnectError> {
        let http = Http::new(settings, m.per_minute(), clock, tokens, m.auth_plan())?;
        let setup = |why: String| http.error(ErrorKind::Setup, why);
        let options = m.options(&settings.options).map_err(setup)?;
        let cockpit = |entity: Entity| {
            let mut spec = m.object_of(entity).cloned().ok_or_else(|| {
                setup(format!(
                    "the manifest `{}` has no [[object]] for the entity `{entity}`",
                    m.id
                ))
            })?;
            let prefix = spec.prefix();
            for (key, theirs) in &settings.fields {
                if let Some(canonical) = key.strip_prefix(&prefix) {
                    let names = Names(vec![theirs.clone()]);
                    spec.fields.insert(canonical.to_owned(), names);
                }
            }
            Ok(spec)
        };
        Ok(Gainsight {
            cta: cockpit(Entity::Escalation)?,
            task: cockpit(Entity::Task)?,
            m,
            http,
            fields: settings.fields.clone(),
            options,
            objects: Mutex::new(HashMap::new()),
            names: tokio::sync::OnceCell::new(),
            picks: tokio::sync::OnceCell::new(),
            users: Mutex::new(HashMap::new()),
            accounts: AtomicUsize::new(0),
        })
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.options
            .get(name)
            .map(|s| s.trim())
            .filter(|s| !s.is_empty())
    }

    /// Over everything that decides what is asked of an object and how it is read.
    fn mapping_hash(&self, spec: &ObjectSpec) -> u64 {
        let own = format!("{}_object", spec.stream);
        let used: &[&str] = match spec.entity {
            Entity::Account => &["currency"],
            Entity::Signal => &[&own],
            _ => &[],
        };
        spec.hash(
            &self.fields,
            used.iter()
                .map(|name| self.option(name).unwrap_or_default()),
        )
    }
}

impl Connector for Gainsight {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn streams(&self) -> Vec<Stream> {
        self.m
            .object
            .iter()
            .map(|o| Stream {
                name: intern(&o.stream),
                entity: o.entity,
                apart: o.apart,
            })
            .collect()
    }

    fn capabilities(&self) -> Capabilities {
        self.writes()
    }

    fn check(&self) -> BoxFuture<'_, Result<String, ConnectError>> {
        Box::pin(async move {
            let ask = Ask::query(
                "/v1/data/objects/query/GsUser",
                &json!({"select": ["Gsid", "Name"], "limit": 1, "offset": 0}),
            );
            self.must(&ask, "GsUser").await?;
            self.picks().await?;
            Ok(format!(
                "the access key works at {}; it acts as an administrator, so writes name their author",
                self.http.base()
            ))
        })
    }

    fn describe(&self) -> BoxFuture<'_, Result<Vec<crate::book::TenantField>, ConnectError>> {
        Box::pin(self.describe_tenant())
    }

    fn fetch<'a>(
        &'a self,
        stream: &'a str,
        cursor: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Page, ConnectError>> {
        Box::pin(self.pull(stream, cursor))
    }

    fn read<'a>(
        &'a self,
        entity: Entity,
        external_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, ConnectError>> {
        Box::pin(self.read_row(entity, external_id, None))
    }

    fn find<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Option<Record>, ConnectError>> {
        Box::pin(self.find_created(write))
    }

    fn write<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Written, ConnectError>> {
        Box::pin(self.carry_out(write))
    }

    fn web_url(&self, entity: Entity, external_id: &str) -> Option<String> {
        let id = external_id
            .strip_prefix(cockpit::CTA)
            .unwrap_or(external_id);
        let (spec, own) = match entity {
            Entity::Account => (self.m.object_of(entity)?, "web_url"),
            Entity::Escalation => (&self.cta, "web_url_cta"),
            Entity::Task if external_id.starts_with(cockpit::CTA) => (&self.cta, "web_url_cta"),
            _ => return None,
        };
        let base = self.http.base();
        if let Some(template) = self.option(own) {
            return Some(
                template
                    .replace("{base}", base)
                    .replace("{id}", &encode(id)),
            );
        }
        let values = Values {
            id: Some(id),
            base,
            ..Values::default()
        };
        spec.web.as_ref()?.0.render_path(&values)
    }

    fn budget(&self) -> Budget {
        self.http.budget()
    }
}
