//! A system that is described by a manifest: one [`Connector`] for all of them.

use super::map::{PickTable, Picks, Plan};
use super::path::{Path, elements};
use super::request::{Values, build, mentions};
use super::schema::{Condition, Manifest, Meaning, Request, StreamSpec};
use super::template::{Hole, Name};
use crate::book::{Budget, Capabilities, Clock, Cursor, Entity, Record};
use crate::connect::http::{Answer, Ask, Http, lock};
use crate::connect::json::scalar;
use crate::connect::{
    ConnectError, Connector, ErrorKind, Page, SourceSettings, Stream, TokenStore, Write, Written,
};
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

/// What the vendor says of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldInfo {
    /// The name by which it is asked for, with the manifest's prefix.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Its type, in the vendor's word.
    pub kind: String,
}

/// One tenant of a system.
pub struct ManifestConnector {
    pub(super) m: Arc<Manifest>,
    pub(super) http: Http,
    pub(super) kind: &'static str,
    pub(super) names: Vec<&'static str>,
    /// Which streams the options leave.
    asked: Vec<bool>,
    pub(super) fields: BTreeMap<String, String>,
    pub(super) options: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, secrecy::SecretString>,
    pub(super) switches: BTreeMap<String, String>,
    described: Mutex<HashMap<String, Arc<Vec<FieldInfo>>>>,
    plans: Mutex<HashMap<String, Arc<Plan>>>,
    picks: Mutex<Option<Arc<Picks>>>,
    pub(super) found: Mutex<HashMap<String, String>>,
}

impl ManifestConnector {
    /// Checks the settings against the manifest and builds the client; sends nothing.
    pub fn open(
        m: Arc<Manifest>,
        settings: &SourceSettings,
        clock: Arc<dyn Clock>,
        tokens: Option<Arc<dyn TokenStore>>,
    ) -> Result<ManifestConnector, ConnectError> {
        let setup = |message: String| ConnectError {
            kind: ErrorKind::Setup,
            message: format!("{}: {message}", settings.name),
        };
        let options = m.options(&settings.options).map_err(setup)?;
        let kind = settings.auth.kind();
        if !m.auth.kinds.iter().any(|k| k == kind) {
            return Err(setup(format!(
                "{} takes no login of the kind `{kind}`; it is one of {}",
                m.name,
                m.auth.kinds.join(", ")
            )));
        }
        let mut switches = BTreeMap::new();
        for (name, switch) in &m.switch {
            let values = Values {
                options: Some(&options),
                ..Values::default()
            };
            let text = options
                .get(&switch.by)
                .and_then(|o| switch.is.get(o))
                .unwrap_or(&switch.otherwise);
            if let Some(word) = text.render(&values) {
                switches.insert(name.clone(), word);
            }
        }
        let mut http = Http::new(settings, m.per_minute(), clock, tokens, m.auth_plan())?;
        for limit in m.limit.iter() {
            if let Some(lane) = &limit.lane {
                http = http.with_lane(lane, limit.rate, limit.seconds);
            }
        }
        Ok(ManifestConnector {
            kind: intern(&m.id),
            names: m.stream.iter().map(|s| intern(&s.name)).collect(),
            asked: m
                .stream
                .iter()
                .map(|s| s.when.as_ref().is_none_or(|c| c.holds_of(&options)))
                .collect(),
            fields: settings.fields.clone(),
            secrets: settings.secrets.clone(),
            options,
            switches,
            http,
            m,
            described: Mutex::default(),
            plans: Mutex::default(),
            picks: Mutex::default(),
            found: Mutex::default(),
        })
    }

    /// The values that every request has.
    pub(super) fn values(&self) -> Values<'_> {
        Values {
            options: Some(&self.options),
            secrets: Some(&self.secrets),
            switches: Some(&self.switches),
            base: self.http.base(),
            now: Some(self.http.now()),
            ..Values::default()
        }
    }

    pub(super) fn stream(&self, name: &str) -> Result<&StreamSpec, ConnectError> {
        self.m
            .stream
            .iter()
            .find(|s| s.name == name)
            .ok_or_else(|| {
                self.http
                    .error(ErrorKind::Setup, format!("there is no stream `{name}`"))
            })
    }

    /// The amounts' currency where no row names one.
    pub(super) fn currency(&self) -> String {
        self.options
            .get("currency")
            .map_or_else(|| "USD".to_owned(), |c| c.to_ascii_uppercase())
    }

    /// FNV-1a over everything that decides what is asked of a stream and how it is read: what another stream uses does not read this one afresh.
    pub(super) fn mapping_hash(&self, spec: &StreamSpec) -> u64 {
        let mut h: u64 = 0xcbf2_9ce4_8422_2325;
        let mut eat = |text: &str| {
            for b in text.bytes().chain([0]) {
                h = (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        let mut said = format!("{spec:?}");
        for (name, pick) in &self.m.pick {
            if said.contains(&format!("pick: Some({name:?})"))
                || said.contains(&format!("pick_kind: Some({name:?})"))
            {
                said.push_str(&format!("{pick:?}"));
            }
        }
        eat(&said);
        let prefix = format!("{}.", spec.entity);
        for (k, v) in self.fields.iter().filter(|(k, _)| k.starts_with(&prefix)) {
            eat(k);
            eat(v);
        }
        // What a stream says is written out above, its placeholders and conditions too.
        let speaks = |of: Name, name: &str| said.contains(&format!("name: {of:?}, rest: {name:?}"));
        for (name, word) in &self.switches {
            if speaks(Name::Switch, name) {
                eat(word);
            }
        }
        let money = matches!(
            spec.entity,
            Entity::Account | Entity::Renewal | Entity::Opportunity | Entity::Subscription
        );
        for (name, value) in &self.options {
            if speaks(Name::Option, name)
                || said.contains(&format!("option: Some({name:?})"))
                || (money && name == "currency")
            {
                eat(name);
                eat(value);
            }
        }
        h
    }

    /// Builds and sends a request.
    pub(super) async fn ask(
        &self,
        request: &Request,
        values: &Values<'_>,
        read: bool,
        what: &str,
    ) -> Result<(Ask, Result<Option<Answer>, Fault>), ConnectError> {
        // What the login answered beside its token is asked for only where it is spoken of.
        let kept = if mentions(request, Name::Auth, "") {
            Some(self.http.session().await?.kept)
        } else {
            None
        };
        let values = &Values {
            auth: kept.as_deref(),
            ..values.clone()
        };
        let ask = build(request, values, read).ok_or_else(|| {
            self.http.error(
                ErrorKind::Refused { field: None },
                format!("{what}: something that the request needs is not known (an option under [source.options], or the row's account at {})", self.m.name),
            )
        })?;
        self.send_with(ask, values, what).await
    }

    /// Sends a request that is built already.
    pub(super) async fn send(
        &self,
        ask: Ask,
        what: &str,
    ) -> Result<(Ask, Result<Option<Answer>, Fault>), ConnectError> {
        self.send_with(ask, &self.values(), what).await
    }

    async fn send_with(
        &self,
        mut ask: Ask,
        values: &Values<'_>,
        what: &str,
    ) -> Result<(Ask, Result<Option<Answer>, Fault>), ConnectError> {
        for (name, text) in &self.m.http.headers {
            if let (Ok(name), Some(value)) = (
                name.parse::<reqwest::header::HeaderName>(),
                text.render(values),
            ) {
                ask = ask.header(name, &value);
            }
        }
        let answer = self.http.send(&ask).await?;
        if let Some(daily) = &self.m.http.daily
            && let (Some(max), Some(left)) = (answer.header(&daily.max), answer.header(&daily.left))
            && let (Ok(max), Ok(left)) = (max.trim().parse::<u64>(), left.trim().parse::<u64>())
        {
            self.http.vendor_counts(max.saturating_sub(left), max);
        }
        let judged = self.judge(answer, &ask, what);
        Ok((ask, judged))
    }

    /// Like [`ask`](Self::ask), for reads whose errors need no looking at. `None`: the vendor says that nothing is there.
    pub(super) async fn must(
        &self,
        request: &Request,
        values: &Values<'_>,
        what: &str,
    ) -> Result<(Ask, Option<Answer>), ConnectError> {
        let (ask, judged) = self.ask(request, values, true, what).await?;
        Ok((ask, judged.map_err(|f| f.error)?))
    }

    fn judge(&self, answer: Answer, ask: &Ask, what: &str) -> Result<Option<Answer>, Fault> {
        let body = std::str::from_utf8(&answer.body).unwrap_or_default().trim();
        let status = answer.status;
        let words = self
            .m
            .errors
            .text
            .as_ref()
            .and_then(|p| p.text(body))
            .or_else(|| (!answer.ok() && !body.starts_with(['{', '['])).then(|| body.to_owned()))
            .unwrap_or_default();
        let low = words.to_lowercase();
        let rule = self.m.errors.rule.iter().find(|r| {
            (r.status.is_empty() || r.status.contains(&status))
                && r.says
                    .as_ref()
                    .is_none_or(|s| low.contains(&s.to_lowercase()))
                && r.body.as_ref().is_none_or(|c| holds(c, body))
                && (!r.status.is_empty() || r.says.is_some() || r.body.is_some())
        });
        if answer.ok() && rule.is_none() {
            return Ok(Some(answer));
        }
        let meaning = rule.map(|r| r.then).unwrap_or(match status {
            401 => Meaning::Auth,
            s if Some(s) == self.m.auth.refused => Meaning::Auth,
            403 if ask.read => Meaning::Permission,
            404 | 410 if ask.read => Meaning::Empty,
            _ if !ask.read => Meaning::Refused,
            403 => Meaning::Permission,
            _ => Meaning::Retry,
        });
        let hint = rule.and_then(|r| r.hint.as_deref()).unwrap_or_default();
        // What a vendor says of a read may repeat rows; of a write it is the reason that the person needs.
        let shown: String = crate::book::text::visible(&words)
            .chars()
            .take(240)
            .collect();
        let name = &self.m.name;
        let (kind, message) = match meaning {
            Meaning::Empty => return Ok(None),
            Meaning::Auth => (
                ErrorKind::Auth,
                format!(
                    "{name} refuses the login (HTTP {status}) {shown}: {}",
                    self.http.remedy()
                ),
            ),
            Meaning::Permission => (
                ErrorKind::Setup,
                format!(
                    "{name} says that this login may not see or do {what} (HTTP {status}) {shown}; an administrator must allow it"
                ),
            ),
            Meaning::Retry if status == 400 || status == 422 => (
                ErrorKind::Protocol,
                format!(
                    "{name} did not understand the question about {what} (HTTP {status}) {shown}"
                ),
            ),
            Meaning::Retry => (
                ErrorKind::Retry {
                    after: answer.retry_after(),
                    maybe_done: false,
                },
                format!(
                    "{name} has no answer about {what} at the moment (HTTP {status}); csops tries again by itself"
                ),
            ),
            Meaning::Restart => (
                ErrorKind::CursorLost,
                format!("{name} forgot where we were in {what}; it is read again"),
            ),
            Meaning::Refused => {
                let field = self
                    .m
                    .errors
                    .field
                    .as_ref()
                    .and_then(|p| p.text(body))
                    .and_then(|theirs| self.canonical(&theirs));
                (
                    ErrorKind::Refused { field },
                    format!("{name} refuses {what}: {shown} (HTTP {status})"),
                )
            }
        };
        let message = if hint.is_empty() {
            message
        } else {
            format!("{message}. {hint}")
        };
        Err(Fault {
            gone: status == 404 || status == 410,
            error: self.http.error(kind, message),
        })
    }

    /// The canonical field that is written to a field of the vendor.
    fn canonical(&self, theirs: &str) -> Option<String> {
        self.m
            .write
            .values()
            .flat_map(|w| &w.fields)
            .find_map(|(c, f)| {
                let to = f.to.as_deref()?;
                (to == theirs || to.rsplit('.').next() == Some(theirs)).then(|| c.clone())
            })
    }

    /// The body of a good answer as a checked JSON document.
    pub(super) fn document<'a>(
        &self,
        answer: &'a Answer,
        ask: &Ask,
        what: &str,
    ) -> Result<&'a str, ConnectError> {
        let raw: &serde_json::value::RawValue = self.http.json(answer, ask, what)?;
        Ok(raw.get())
    }

    /// Rows of an answer. What should be a list and is something else is an error, not "no rows".
    pub(super) fn rows<'a>(
        &self,
        document: &'a str,
        path: &Path,
        what: &str,
    ) -> Result<Vec<&'a str>, ConnectError> {
        let spread = path
            .ways
            .iter()
            .any(|w| w.contains(&super::path::Step::All));
        if spread {
            return Ok(path.find(document));
        }
        match path.first(document) {
            Some(raw) if crate::connect::json::is_array(raw) => Ok(elements(raw)),
            Some(raw) if raw.starts_with('{') && path.is_root() => Ok(vec![raw]),
            _ => Err(self.http.error(
                ErrorKind::Protocol,
                format!("the answer about {what} has no list of rows where its documentation says; nothing of it was taken, csops asks again by itself"),
            )),
        }
    }

    /// What the vendor says of a stream's fields; asked once per process. `None` where it has no place that says so.
    pub(super) async fn described(
        &self,
        spec: &StreamSpec,
    ) -> Result<Option<Arc<Vec<FieldInfo>>>, ConnectError> {
        let Some(describe) = &spec.describe else {
            return Ok(None);
        };
        if let Some(known) = lock(&self.described).get(&spec.name) {
            return Ok(Some(known.clone()));
        }
        let what = format!("the fields of {}", spec.name);
        let values = Values {
            words: Some(&spec.words),
            ..self.values()
        };
        let (ask, answer) = self.must(&describe.request, &values, &what).await?;
        let mut out = Vec::new();
        if let Some(answer) = &answer {
            let document = self.document(answer, &ask, &what)?;
            for row in self.rows(document, &describe.rows, &what)? {
                if describe.when.as_ref().is_some_and(|c| !holds(c, row)) {
                    continue;
                }
                if let Some(name) = describe.name.text(row) {
                    out.push(FieldInfo {
                        name: format!("{}{name}", describe.prefix),
                        label: if describe.label.is_root() {
                            String::new()
                        } else {
                            describe.label.text(row).unwrap_or_default()
                        },
                        kind: if describe.kind.is_root() {
                            String::new()
                        } else {
                            describe.kind.text(row).unwrap_or_default()
                        },
                    });
                }
            }
        }
        let out = Arc::new(out);
        lock(&self.described).insert(spec.name.clone(), out.clone());
        Ok(Some(out))
    }

    /// Chooses what to ask for in this tenant.
    pub(super) async fn plan(&self, spec: &StreamSpec) -> Result<Arc<Plan>, ConnectError> {
        if let Some(plan) = lock(&self.plans).get(&spec.name) {
            return Ok(plan.clone());
        }
        let described = self.described(spec).await?;
        let plan = Arc::new(self.planned(spec, described.as_deref().map(Vec::as_slice)));
        lock(&self.plans).insert(spec.name.clone(), plan.clone());
        Ok(plan)
    }

    /// What would be asked for, given what the vendor says of its fields.
    pub(super) fn planned(&self, spec: &StreamSpec, described: Option<&[FieldInfo]>) -> Plan {
        let prefix = spec.describe.as_ref().map_or("", |d| d.prefix.as_str());
        let there = |name: &str| {
            described.is_none_or(|all| {
                // Standard fields are not listed where the list is of custom ones only.
                (!prefix.is_empty() && !name.starts_with(prefix))
                    || all.iter().any(|f| f.name == name)
            })
        };
        let own = |canonical: &str| self.fields.get(&format!("{}.{canonical}", spec.entity));
        let mut plan = Plan::default();
        let mut chosen: Vec<(String, String)> = Vec::new();
        for (canonical, names) in &spec.fields {
            if let Some(theirs) = own(canonical) {
                if there(theirs) {
                    chosen.push((canonical.clone(), theirs.clone()));
                } else {
                    plan.drift.push(format!(
                        "{}: the field `{theirs}` ([source.fields] \"{}.{canonical}\") is not there any more; the rest is read without it",
                        spec.name, spec.entity
                    ));
                }
                continue;
            }
            if let Some(theirs) = names.0.iter().find(|n| there(n)) {
                chosen.push((canonical.clone(), theirs.clone()));
            }
        }
        let prefix = format!("{}.", spec.entity);
        for (key, theirs) in &self.fields {
            let Some(canonical) = key.strip_prefix(&prefix) else {
                continue;
            };
            if spec.fields.contains_key(canonical) {
                continue;
            }
            if there(theirs) {
                chosen.push((canonical.to_owned(), theirs.clone()));
            } else {
                plan.drift.push(format!(
                    "{}: the field `{theirs}` ([source.fields] \"{key}\") is not there any more; the rest is read without it",
                    spec.name
                ));
            }
        }
        for (canonical, theirs) in chosen {
            let place = plan
                .select
                .iter()
                .position(|s| *s == theirs)
                .unwrap_or_else(|| {
                    plan.select.push(theirs.clone());
                    plan.select.len() - 1
                });
            let path = if spec.select.positional {
                Path {
                    ways: vec![vec![super::path::Step::Index(spec.select.skip + place)]],
                }
            } else {
                // A tenant's field may have any name: only what parses as a path goes into nested objects.
                Path::parse(&theirs).unwrap_or_else(|_| Path {
                    ways: vec![vec![super::path::Step::Key(theirs.clone())]],
                })
            };
            plan.names.push((canonical.clone(), theirs));
            plan.fields.push((canonical, path));
        }
        for extra in &spec.extra {
            if !plan.select.contains(extra) && there(extra) {
                plan.select.push(extra.clone());
            }
        }
        plan
    }

    /// All pick lists, read once per process.
    pub(super) async fn picks(&self) -> Result<Arc<Picks>, ConnectError> {
        if let Some(known) = lock(&self.picks).clone() {
            return Ok(known);
        }
        let mut all = Picks::new();
        for (name, pick) in &self.m.pick {
            let (ask, answer) = self.must(&pick.request, &self.values(), name).await?;
            let mut table = PickTable::default();
            if let Some(answer) = &answer {
                let document = self.document(answer, &ask, name)?;
                for row in self.rows(document, &pick.rows, name)? {
                    if let Some(value) = pick.value.text(row) {
                        let label = pick.label.text(row).unwrap_or_else(|| value.clone());
                        let kind = pick.kind.as_ref().and_then(|k| super::map::alone(k, row));
                        table.rows.push((value, label, kind));
                    }
                }
            }
            all.insert(name.clone(), Arc::new(table));
        }
        let all = Arc::new(all);
        *lock(&self.picks) = Some(all.clone());
        Ok(all)
    }

    /// Pick lists as far as they are known.
    pub(super) fn known_picks(&self) -> Option<Arc<Picks>> {
        lock(&self.picks).clone()
    }

    async fn prove(&self) -> Result<String, ConnectError> {
        self.http.login().await?;
        let mut who = String::new();
        if let Some(check) = &self.m.check {
            let (ask, answer) = self
                .must(&check.request, &self.values(), "the login")
                .await?;
            let Some(answer) = answer else {
                return Err(self.http.error(
                    ErrorKind::Setup,
                    format!(
                        "{} does not know the address that proves a login; is `base_url` right?",
                        self.m.name
                    ),
                ));
            };
            let document = self.document(&answer, &ask, "the login")?;
            if let Some(shows) = &check.shows {
                who = shows.text(document).map_or_else(String::new, |w| {
                    format!(" as {}", crate::book::text::visible(&w))
                });
            }
        }
        *lock(&self.picks) = None;
        self.picks().await?;
        Ok(format!("the login works at {}{who}", self.http.base()))
    }
}

/// A refused request.
pub(super) struct Fault {
    /// The row is not there.
    pub(super) gone: bool,
    /// What it means.
    pub(super) error: ConnectError,
}

/// Whether a condition holds of a document without a row's context.
pub(super) fn holds(c: &Condition, document: &str) -> bool {
    let text = c
        .path
        .first(document)
        .and_then(scalar)
        .filter(|t| !t.trim().is_empty());
    super::map::condition(c, text.as_deref(), |t| t.render(&Values::default()))
}

/// Names live as long as the program: there are as many as the manifests have.
pub(in crate::connect) fn intern(name: &str) -> &'static str {
    static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    let mut names = lock(&NAMES);
    if let Some(known) = names.iter().find(|n| **n == name) {
        return known;
    }
    let leaked: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.push(leaked);
    leaked
}

impl Connector for ManifestConnector {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn streams(&self) -> Vec<Stream> {
        self.m
            .stream
            .iter()
            .zip(&self.names)
            .zip(&self.asked)
            .filter(|(_, asked)| **asked)
            .map(|((s, name), _)| Stream {
                name,
                entity: s.entity,
                apart: s.apart,
            })
            .collect()
    }

    fn capabilities(&self) -> Capabilities {
        self.writes()
    }

    fn check(&self) -> BoxFuture<'_, Result<String, ConnectError>> {
        Box::pin(self.prove())
    }

    fn wants_all(&self, stream: &str, cursor: &Cursor) -> bool {
        self.is_sweep_due(stream, cursor)
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
        Box::pin(self.read_row(entity, external_id))
    }

    fn find<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Option<Record>, ConnectError>> {
        Box::pin(self.find_created(write))
    }

    fn write<'a>(&'a self, write: &'a Write) -> BoxFuture<'a, Result<Written, ConnectError>> {
        Box::pin(self.carry_out(write))
    }

    fn web_url(&self, entity: Entity, external_id: &str) -> Option<String> {
        let text = self.m.web.get(&entity)?;
        let values = Values {
            id: Some(external_id),
            ..self.values()
        };
        let url = text.0.render_path(&values)?;
        (url.starts_with("https://") || url.starts_with("http://")).then_some(url)
    }

    fn budget(&self) -> Budget {
        self.http.budget()
    }
}

/// Whether any request of a kind of write needs a look-up.
pub(super) fn needs_lookup(requests: &[&Request], name: &str) -> bool {
    requests.iter().any(|r| mentions(r, Name::Lookup, name))
}

/// Whether a text speaks of a look-up.
pub(super) fn speaks_of(hole: &Hole, name: &str) -> bool {
    hole.name == Name::Lookup && hole.rest == name
}
