//! Salesforce over its REST API: SOQL for reading, row resources for writing.
//!
//! What is read and written, the options and the addresses of its pages stand in the manifest (`builtin/salesforce.toml`); here is how: SOQL, the
//! tenant's own description of each object, Bulk 2.0, guarded updates. Facts are from the vendor's developer guides (REST API, SOQL).

mod bulk;
mod describe;
mod preview;
mod pull;
mod rows;
mod schema;
mod write;

use super::http::{Answer, Ask, Http, encode, lock};
use super::json::Row;
use super::manifest::intern;
use super::manifest::object::ObjectSpec;
use super::manifest::request::Values;
use super::manifest::schema::Manifest;
use super::{
    ConnectError, Connector, ErrorKind, Page, SourceSettings, Stream, TokenStore, Write, Written,
};
use crate::book::{Budget, Capabilities, Clock, Cursor, Entity, Record};
use futures_util::future::BoxFuture;
pub(super) use preview::preview;
use rows::RiskRule;
use schema::{ObjectInfo, Plan};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Words of an Opportunity's type that say that an existing customer is sold more.
const EXPANSION: &[&str] = &[
    "expan", "upsell", "up-sell", "upgrade", "cross", "add-on", "addon",
];

/// The connector's name.
pub const KIND: &str = "salesforce";

/// One Salesforce organisation.
pub struct Salesforce {
    m: Arc<Manifest>,
    http: Http,
    version: String,
    fields: BTreeMap<String, String>,
    options: BTreeMap<String, String>,
    risk: RiskRule,
    bulk: bulk::Rule,
    objects: Mutex<HashMap<String, Option<Arc<ObjectInfo>>>>,
    plans: Mutex<HashMap<String, Plan>>,
    names: tokio::sync::OnceCell<Vec<String>>,
    users: Mutex<HashMap<String, Option<String>>>,
}

/// A vendor's error: its code, its words, and what they mean to us.
struct Fault {
    code: String,
    message: String,
    error: ConnectError,
}

impl Salesforce {
    /// Checks the settings and builds the client; sends nothing.
    pub fn open(
        m: Arc<Manifest>,
        settings: &SourceSettings,
        clock: Arc<dyn Clock>,
        tokens: Option<Arc<dyn TokenStore>>,
    ) -> Result<Salesforce, ConnectError> {
        let http = Http::new(settings, m.per_minute(), clock, tokens, m.auth_plan())?;
        let options = m
            .options(&settings.options)
            .map_err(|why| http.error(ErrorKind::Setup, why))?;
        let version = version(&options);
        let object = match options.get("risk_object").map(|o| o.to_ascii_lowercase()) {
            None => None,
            Some(o) => match o.as_str() {
                "case" => Some("Case".to_owned()),
                "task" => Some("Task".to_owned()),
                "" | "none" => None,
                _ => {
                    return Err(http.error(
                        ErrorKind::Setup,
                        format!("`risk_object = \"{o}\"` is unknown; it is \"Case\" or \"Task\""),
                    ));
                }
            },
        };
        let value = options.get("risk_value").cloned().unwrap_or_default();
        Ok(Salesforce {
            bulk: bulk::Rule::new(&options, &http)?,
            m,
            http,
            version,
            fields: settings.fields.clone(),
            options,
            risk: RiskRule { object, value },
            objects: Mutex::new(HashMap::new()),
            plans: Mutex::new(HashMap::new()),
            names: tokio::sync::OnceCell::new(),
            users: Mutex::new(HashMap::new()),
        })
    }

    fn data(&self) -> String {
        format!("/services/data/{}", self.version)
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.options
            .get(name)
            .map(|s| s.trim())
            .filter(|s| !s.is_empty())
    }

    /// The object behind a stream.
    fn spec(&self, stream: &str) -> Result<&ObjectSpec, ConnectError> {
        self.m.object(stream).ok_or_else(|| {
            self.http
                .error(ErrorKind::Setup, format!("there is no stream `{stream}`"))
        })
    }

    /// Over everything that decides what is asked of an object and how it is read.
    fn mapping_hash(&self, spec: &ObjectSpec) -> u64 {
        let own = format!("{}_object", spec.stream);
        let used: &[&str] = match spec.entity {
            Entity::Renewal => &["renewal_types", "expansion_types", "currency"],
            Entity::Account => &["currency"],
            Entity::Task | Entity::Ticket => &["risk_object", "risk_value"],
            Entity::Signal => &[&own],
            _ => &[],
        };
        let words = used
            .iter()
            .map(|name| self.option(name).unwrap_or_default());
        spec.hash(&self.fields, words.chain([self.version.as_str()]))
    }

    /// Notes the vendor's own counter: `api-usage=10018/100000`.
    fn limits(&self, answer: &Answer) {
        let counts = answer
            .header("sforce-limit-info")
            .and_then(|h| {
                h.split(';')
                    .find_map(|p| p.trim().strip_prefix("api-usage="))
            })
            .and_then(|p| p.split_once('/'));
        if let Some((used, max)) = counts
            && let (Ok(used), Ok(max)) = (used.trim().parse(), max.trim().parse())
        {
            self.http.vendor_counts(used, max);
        }
    }

    /// What the vendor says went wrong: `[{"message","errorCode","fields"}]`, or the object form of OAuth.
    fn fault(&self, answer: &Answer, write: bool) -> Fault {
        let body = std::str::from_utf8(&answer.body).unwrap_or_default();
        let list: Vec<&RawValue> = serde_json::from_str(body).unwrap_or_default();
        let row = list
            .first()
            .and_then(|r| Row::parse(r))
            .or_else(|| serde_json::from_str(body).ok())
            .unwrap_or_default();
        let code = row
            .text("errorCode")
            .or_else(|| row.text("error"))
            .unwrap_or_default();
        let message = row
            .text("message")
            .or_else(|| row.text("error_description"))
            .unwrap_or_default();
        let fields: Vec<String> = row
            .raw("fields")
            .and_then(|f| serde_json::from_str(f).ok())
            .unwrap_or_default();
        let shown: String = crate::book::text::visible(&message)
            .chars()
            .take(240)
            .collect();
        let status = answer.status;
        let retry = |after: Option<Duration>| ErrorKind::Retry {
            after,
            maybe_done: false,
        };
        let (kind, words) = match (code.as_str(), status) {
            ("INVALID_SESSION_ID" | "INVALID_AUTH_HEADER", _) | (_, 401) => (
                ErrorKind::Auth,
                format!("the session is refused ({shown}): {}", self.http.remedy()),
            ),
            ("REQUEST_LIMIT_EXCEEDED", _) => (
                retry(Some(Duration::from_secs(600))),
                "the organisation's requests are used up (REQUEST_LIMIT_EXCEEDED); csops waits ten minutes and goes on by itself".into(),
            ),
            ("QUERY_TIMEOUT" | "UNABLE_TO_LOCK_ROW" | "SERVER_UNAVAILABLE", _) => {
                (retry(None), format!("busy ({code}); csops tries again by itself"))
            }
            ("API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" | "FUNCTIONALITY_NOT_ENABLED", _) => {
                (ErrorKind::Setup, format!("the API is switched off ({shown}); an administrator must allow it"))
            }
            (c, _) if write && !c.is_empty() => {
                let field = fields.first().and_then(|f| self.canonical(f));
                (ErrorKind::Refused { field: field.map(str::to_owned) }, format!("Salesforce refuses the change: {shown} ({c})"))
            }
            ("INVALID_TYPE" | "NOT_FOUND", _) | (_, 404) => (
                ErrorKind::Setup,
                format!("it is not there, or not ours to read: {shown} ({status}); check `api_version`, the mapping and the permissions"),
            ),
            ("INSUFFICIENT_ACCESS" | "INSUFFICIENT_ACCESS_OR_READONLY", _) | (_, 403) => {
                (ErrorKind::Setup, format!("the user may not do this: {shown} ({code}); an administrator must allow it"))
            }
            ("INVALID_QUERY_LOCATOR", _) => (ErrorKind::CursorLost, "the vendor forgot where we were; it is read again".into()),
            _ if write => (ErrorKind::Refused { field: None }, format!("Salesforce refuses the change (HTTP {status}) {shown}")),
            _ => (ErrorKind::Protocol, format!("the question was not understood: {shown} ({code}, HTTP {status})")),
        };
        Fault {
            error: self.http.error(kind, words),
            code,
            message,
        }
    }

    /// What the vendor says about an object; asked once per process. Nothing when there is no such object.
    async fn describe(&self, object: &str) -> Result<Option<Arc<ObjectInfo>>, ConnectError> {
        if let Some(known) = lock(&self.objects).get(object) {
            return Ok(known.clone());
        }
        let ask = Ask::get(format!(
            "{}/sobjects/{}/describe",
            self.data(),
            encode(object)
        ));
        let answer = self.http.send(&ask).await?;
        self.limits(&answer);
        let info = if answer.ok() {
            Some(Arc::new(
                self.http.json::<ObjectInfo>(&answer, &ask, object)?,
            ))
        } else {
            let fault = self.fault(&answer, false);
            if !matches!(fault.code.as_str(), "NOT_FOUND" | "INVALID_TYPE") && answer.status != 404
            {
                return Err(fault.error);
            }
            None
        };
        lock(&self.objects).insert(object.to_owned(), info.clone());
        Ok(info)
    }

    /// The names of all objects, for those that are looked for by name.
    async fn object_names(&self) -> Result<&[String], ConnectError> {
        let names = self
            .names
            .get_or_try_init(|| async {
                let ask = Ask::get(format!("{}/sobjects", self.data()));
                let answer = self.http.send(&ask).await?;
                self.limits(&answer);
                if !answer.ok() {
                    return Err(self.fault(&answer, false).error);
                }
                let row: Row<'_> = self.http.json(&answer, &ask, "the objects")?;
                Ok(row
                    .rows("sobjects")
                    .iter()
                    .filter_map(|o| o.filled("name"))
                    .collect::<Vec<_>>())
            })
            .await?;
        Ok(names)
    }

    /// Chooses what to ask for.
    async fn plan(&self, spec: &ObjectSpec) -> Result<Plan, ConnectError> {
        if let Some(plan) = lock(&self.plans).get(&spec.stream) {
            return Ok(plan.clone());
        }
        let object = if !spec.is_found() {
            Some(spec.name.clone())
        } else {
            match self.option(&format!("{}_object", spec.stream)) {
                Some(name) => Some(name.to_owned()),
                None => self
                    .object_names()
                    .await?
                    .iter()
                    .find(|n| {
                        let low = n.to_ascii_lowercase();
                        low.ends_with("__c") && spec.find.iter().any(|w| low.contains(w))
                    })
                    .cloned(),
            }
        };
        let info = match &object {
            Some(name) => self.describe(name).await?,
            None => None,
        };
        let plan = match info {
            Some(info) => {
                let mut plan = Plan::new(spec, &info, &self.fields);
                if spec.is_found()
                    && (plan.theirs("account").is_none() || plan.theirs("at").is_none())
                {
                    Plan::default()
                } else {
                    if spec.entity == Entity::Renewal {
                        let types = |option: &str, words: &[&str]| -> Vec<String> {
                            let says = |t: &String| {
                                let t = t.to_ascii_lowercase();
                                words.iter().any(|w| t.contains(w))
                            };
                            match self.option(option) {
                                Some(list) => {
                                    list.split(',').map(|t| t.trim().to_owned()).collect()
                                }
                                None => info.picks("Type").into_iter().filter(says).collect(),
                            }
                        };
                        plan.types = types("renewal_types", &["renew"]);
                        // Where every opportunity is a renewal none is anything else.
                        if !plan.types.is_empty() {
                            plan.expansion = types("expansion_types", EXPANSION);
                            let renewals = &plan.types;
                            plan.expansion.retain(|t| !renewals.contains(t));
                        }
                    }
                    if matches!(spec.entity, Entity::Account | Entity::Renewal)
                        && info.field("CurrencyIsoCode").is_none()
                    {
                        // An organisation with one currency names it nowhere in its rows.
                        plan.currency = self
                            .option("currency")
                            .unwrap_or("USD")
                            .to_ascii_uppercase();
                    }
                    plan
                }
            }
            None if spec.is_found() || spec.optional => Plan::default(),
            None => {
                return Err(self.http.error(
                    ErrorKind::Setup,
                    format!("there is no object {}; the user may not see it. An administrator must allow it", spec.name),
                ));
            }
        };
        lock(&self.plans).insert(spec.stream.clone(), plan.clone());
        Ok(plan)
    }
}

impl Connector for Salesforce {
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
            let identity = self.http.login().await?;
            let versions = Ask::get("/services/data/");
            let answer = self.http.send(&versions).await?;
            let list: Vec<&RawValue> = self.http.json(&answer, &versions, "the API's versions")?;
            let known: Vec<String> = list
                .iter()
                .filter_map(|r| Row::parse(r)?.filled("version"))
                .collect();
            if !known
                .iter()
                .any(|v| *v == self.version.trim_start_matches('v'))
            {
                return Err(self.http.error(
                    ErrorKind::Setup,
                    format!(
                        "the organisation does not speak API {}; its newest is {}. Set `api_version`",
                        self.version,
                        known.last().map_or("unknown", String::as_str)
                    ),
                ));
            }
            // What may be written has pick lists.
            for object in self.m.write.keys().filter_map(|e| self.object_of(*e)) {
                self.describe(object).await?;
            }
            let user = identity
                .as_deref()
                .and_then(|i| i.rsplit('/').next())
                .map(crate::connect::manifest::soql);
            let who = match user {
                Some(id) => {
                    let soql = format!("SELECT Id, Name, Email FROM User WHERE Id = '{id}'");
                    let ask = Ask::get(format!("{}/query?q={}", self.data(), encode(&soql)));
                    let answer = self.http.send(&ask).await?;
                    self.limits(&answer);
                    if !answer.ok() {
                        return Err(self.fault(&answer, false).error);
                    }
                    let row: Row<'_> = self.http.json(&answer, &ask, "the user")?;
                    row.rows("records").first().and_then(|r| r.filled("Name"))
                }
                None => None,
            };
            Ok(format!(
                "{} at {} (API {})",
                who.map_or("logged in".into(), |w| format!(
                    "logged in as {}",
                    crate::book::text::visible(&w)
                )),
                self.http.base(),
                self.version
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
        Box::pin(async move { Ok(self.read_row(entity, external_id).await?.map(|r| r.record)) })
    }

    fn find<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Option<Record>, ConnectError>> {
        Box::pin(self.find_created(write))
    }

    fn write<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Written, ConnectError>> {
        Box::pin(self.carry_out(write))
    }

    fn web_url(&self, entity: Entity, external_id: &str) -> Option<String> {
        let base = self.m.pages(self.http.base());
        let values = Values {
            id: Some(external_id),
            base: &base,
            ..Values::default()
        };
        self.spec_of(entity)?.web.as_ref()?.0.render_path(&values)
    }

    fn budget(&self) -> Budget {
        self.http.budget()
    }
}

/// `v62.0`, however the option is written.
fn version(options: &BTreeMap<String, String>) -> String {
    let set = options.get("api_version").map_or("", String::as_str);
    format!("v{}", set.trim_start_matches('v'))
}
