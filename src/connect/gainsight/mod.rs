//! Gainsight CS over its REST API: object queries and the cockpit's lists for reading; calls to action, timeline and objects for writing.
//!
//! Gainsight offers no guard against overwriting: values are compared just before a write, and a window of that length remains. Options of a source:
//! `currency`, `usage_object`, `health_object`, `surveys_object`, `task_parents` (calls to action whose tasks one run asks for: 300 at first, then 10 in turn), `history_weeks` (how far back
//! usage and health are read; 52, less for large books), `requests_per_minute` (90; 0
//! switches the brake off), `ack_status`, `closed_status`, `risk_type` (`Risk`), `risk_reason`, `task_type` (the type of a call to action that stands for a
//! task without a risk), `web_url` (template with `{base}`, `{id}`), `web_url_cta`.

mod api;
mod cockpit;
mod describe;
mod pull;
mod schema;
mod write;

use super::http::{Ask, Http, encode};
use super::{
    AuthPlan, ConnectError, Connector, Page, SourceSettings, Stream, TokenStore, Write, Written,
};
use crate::book::{Budget, Capabilities, Clock, Cursor, Entity, Record};
use futures_util::future::BoxFuture;
use schema::ObjectInfo;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

/// The connector's name.
pub const KIND: &str = "gainsight";

/// Gainsight allows 100 a minute in fixed windows; a little below it no window overflows.
const PER_MINUTE: u32 = 90;

/// One Gainsight tenant.
pub struct Gainsight {
    http: Http,
    fields: BTreeMap<String, String>,
    options: BTreeMap<String, String>,
    objects: Mutex<HashMap<String, Option<Arc<ObjectInfo>>>>,
    names: tokio::sync::OnceCell<Vec<String>>,
    picks: tokio::sync::OnceCell<write::Picks>,
    users: Mutex<HashMap<String, Option<String>>>,
    /// As many accounts as this process has seen; decides how much history is worth reading.
    accounts: AtomicUsize,
}

impl Gainsight {
    /// Checks the settings and builds the client; sends nothing.
    pub fn open(
        settings: &SourceSettings,
        clock: Arc<dyn Clock>,
        tokens: Option<Arc<dyn TokenStore>>,
        plan: AuthPlan,
    ) -> Result<Gainsight, ConnectError> {
        Ok(Gainsight {
            http: Http::new(settings, Some(PER_MINUTE), clock, tokens, plan)?,
            fields: settings.fields.clone(),
            options: settings.options.clone(),
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

    /// FNV-1a over everything that decides what is asked and how it is read.
    fn mapping_hash(&self) -> u64 {
        let mut h: u64 = 0xcbf2_9ce4_8422_2325;
        let mut eat = |text: &str| {
            for b in text.bytes().chain([0]) {
                h = (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        eat("1");
        for (k, v) in &self.fields {
            eat(k);
            eat(v);
        }
        for name in [
            "currency",
            "usage_object",
            "health_object",
            "surveys_object",
        ] {
            eat(self.option(name).unwrap_or_default());
        }
        h
    }
}

impl Connector for Gainsight {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn streams(&self) -> Vec<Stream> {
        let of = |name, entity, apart| Stream {
            name,
            entity,
            apart,
        };
        vec![
            of("people", Entity::Person, false),
            of("accounts", Entity::Account, false),
            of("contacts", Entity::Contact, false),
            of("escalations", Entity::Escalation, false),
            of("tasks", Entity::Task, true),
            of("touchpoints", Entity::Touchpoint, false),
            of("usage", Entity::Signal, false),
            of("health", Entity::Signal, false),
            of("surveys", Entity::Signal, false),
            of("deletions", Entity::Account, true),
        ]
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
        let template = match entity {
            Entity::Account => self
                .option("web_url")
                .unwrap_or("{base}/v1/ui/customersuccess360?cid={id}"),
            Entity::Escalation => self
                .option("web_url_cta")
                .unwrap_or("{base}/v1/ui/cockpit#/cta/{id}"),
            Entity::Task if external_id.starts_with(cockpit::CTA) => self
                .option("web_url_cta")
                .unwrap_or("{base}/v1/ui/cockpit#/cta/{id}"),
            _ => return None,
        };
        Some(
            template
                .replace("{base}", self.http.base())
                .replace("{id}", &encode(id)),
        )
    }

    fn budget(&self) -> Budget {
        self.http.budget()
    }
}
