//! From a path to the right place, and what every data request has in common: a token, a count, a limit.

use std::sync::atomic::Ordering;

use serde_json::{Value as Json, json};

use super::describe;
use super::error::Failure;
use super::http::{Reply, Request};
use super::rows::not_allowed;
use super::table::Store;
use super::value::{Id, day_start};
use super::write::Change;
use super::{Org, VERSIONS, lock};

/// Whether a request stands alone or is part of a larger one.
pub enum Access<'x, 'a> {
    Alone,
    Within(&'x mut Change<'a>),
}

/// The object with this name, or a refusal.
///
/// # Errors
/// 404 `NOT_FOUND`.
pub fn object_named(store: &Store, name: &str) -> Result<u16, Failure> {
    store.schema.find(name).ok_or_else(Failure::not_found)
}

impl Org {
    /// Answers any request.
    pub fn answer(&self, request: &Request) -> Reply {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["services", "oauth2", ..] | ["id", ..] => self.oauth(request),
            ["services", "data"] => Reply::json(200, &versions()),
            ["services", "data", ..] => {
                let Some(user) = self.session(request) else {
                    let failure = Failure::new(401, "INVALID_SESSION_ID", "Session expired or invalid");
                    return Reply::failed(&failure).with("WWW-Authenticate", "Token");
                };
                let used = self.used.fetch_add(1, Ordering::Relaxed) + 1;
                let reply = if used > self.daily.load(Ordering::Relaxed) {
                    Reply::failed(&Failure::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
                } else {
                    self.data(&mut Access::Alone, user, request)
                };
                reply.with("Sforce-Limit-Info", &self.usage())
            }
            ["__sim", "salesforce", what] => self.control(what, request),
            [] | ["services"] => Reply { status: 200, kind: "text/html; charset=UTF-8", headers: Vec::new(), body: "<html><body>Salesforce (simulated)</body></html>".into() },
            _ => Reply { status: 404, kind: "text/html; charset=UTF-8", headers: Vec::new(), body: "<html><head><title>File not found</title></head><body>URL No Longer Exists</body></html>".into() },
        }
    }

    /// A data request of a known user.
    pub fn data(&self, access: &mut Access<'_, '_>, user: Id, request: &Request) -> Reply {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let Some((version, rest)) = path.get(2).zip(path.get(3..)) else {
            return Reply::failed(&Failure::not_found());
        };
        let number = version
            .strip_prefix('v')
            .and_then(|version| version.strip_suffix(".0"))
            .and_then(|number| number.parse::<u32>().ok());
        if !number.is_some_and(|number| VERSIONS.contains(&number)) {
            return Reply::failed(&Failure::not_found());
        }
        let method = request.method.as_str();
        let kind = request.header("content-type").unwrap_or_default();
        let csv = matches!(rest, ["jobs", "ingest", _, "batches"]);
        if !csv
            && !request.body.is_empty()
            && !kind.is_empty()
            && !kind.to_ascii_lowercase().contains("json")
        {
            return Reply::failed(&Failure::new(
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                format!("Bad content type, supported types are: application/json; not {kind}"),
            ));
        }
        let reply = match rest {
            [] => Ok(Reply::json(200, &resources(version))),
            ["query"] | ["queryAll"] if method == "GET" => self.with_store(access, |store| {
                self.query(store, version, request, rest == ["queryAll"])
            }),
            ["query" | "queryAll", locator] if method == "GET" => self
                .with_store(access, |store| {
                    self.query_more(store, version, request, locator)
                }),
            ["limits"] if method == "GET" => Ok(self.limits()),
            ["composite", rest @ ..] => {
                return self.composite(access, version, user, rest, request);
            }
            ["jobs", "query", rest @ ..] => self.with_store(access, |store| {
                self.query_jobs(store, version, user, rest, request)
            }),
            ["jobs", "ingest", rest @ ..] => {
                return self.with_change(access, user, |change| {
                    self.ingest_jobs(change, version, rest, request)
                });
            }
            ["sobjects", rest @ ..] => return self.sobjects(access, version, user, rest, request),
            ["recent"] if method == "GET" => Ok(Reply::json(200, &json!([]))),
            ["query" | "queryAll" | "limits" | "recent", ..] => {
                Err(not_allowed(method, "GET, HEAD"))
            }
            _ => Err(Failure::not_found()),
        };
        reply.into()
    }

    fn sobjects(
        &self,
        access: &mut Access<'_, '_>,
        version: &str,
        user: Id,
        rest: &[&str],
        request: &Request,
    ) -> Reply {
        let (name, rest) = match rest {
            [] if request.method == "GET" => {
                let list: Vec<Json> = self
                    .schema
                    .objects
                    .iter()
                    .map(|object| describe::brief(object, version))
                    .collect();
                return Reply::json(
                    200,
                    &json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": list }),
                );
            }
            [] => return Reply::failed(&not_allowed(&request.method, "GET")),
            [name, rest @ ..] => (*name, rest),
        };
        let Some(object) = self.schema.find(name) else {
            return Reply::failed(&Failure::not_found());
        };
        let definition = self.schema.object(object);
        let overridden = request.param("_HttpMethod").is_some();
        let reply = match (request.method.as_str(), rest) {
            ("GET", []) => Ok(Reply::json(
                200,
                &json!({ "objectDescribe": describe::brief(definition, version), "recentItems": [] }),
            )),
            ("GET", ["describe"]) => {
                // The shape of the org never changes; it was last touched at the anchor date.
                let touched = day_start(self.fill.world.anchor) / 1000;
                let since = request
                    .header("if-modified-since")
                    .and_then(|text| jiff::fmt::rfc2822::parse(text.trim()).ok());
                if since.is_some_and(|since| since.timestamp().as_second() >= touched) {
                    Ok(Reply::empty(304))
                } else {
                    let at = jiff::Timestamp::from_second(touched).ok().and_then(|at| {
                        jiff::fmt::rfc2822::DateTimePrinter::new()
                            .timestamp_to_rfc9110_string(&at)
                            .ok()
                    });
                    let reply =
                        Reply::json(200, &describe::full(&self.schema, definition, version));
                    Ok(match at {
                        Some(at) => reply.with("Last-Modified", &at),
                        None => reply,
                    })
                }
            }
            ("GET", [which @ ("updated" | "deleted")]) => self.with_store(access, |store| {
                self.changed(store, object, request, *which == "deleted")
            }),
            ("GET", [id]) => self.with_store(access, |store| {
                self.find(store, object, id)
                    .and_then(|id| self.get_row(store, version, id, request))
            }),
            ("GET", [first, second]) => {
                self.with_store(access, |store| match definition.field(first) {
                    Some(_) => self
                        .find_by_key(store, object, first, second)
                        .and_then(|id| self.get_row(store, version, id, request)),
                    None => self
                        .find(store, object, first)
                        .and_then(|id| self.related(store, version, id, second, request)),
                })
            }
            ("POST" | "PATCH" | "DELETE", _)
                if rest.len() <= 2
                    && (overridden || request.method != "POST" || rest.len() != 1) =>
            {
                return self.with_change(access, user, |change| {
                    self.write_row(change, object, rest, request)
                });
            }
            (method, _) if rest.len() <= 2 => {
                Err(not_allowed(method, "GET, HEAD, POST, PATCH, DELETE"))
            }
            _ => Err(Failure::not_found()),
        };
        reply.into()
    }

    /// Reads, in the larger request's view if there is one.
    pub fn with_store<R>(&self, access: &mut Access<'_, '_>, read: impl FnOnce(&Store) -> R) -> R {
        match access {
            Access::Alone => read(&self.read()),
            Access::Within(change) => read(&change.store),
        }
    }

    /// Writes, as a transaction of its own or as a part of the larger one. What failed has done nothing.
    pub fn with_change(
        &self,
        access: &mut Access<'_, '_>,
        user: Id,
        write: impl FnOnce(&mut Change<'_>) -> Result<Reply, Failure>,
    ) -> Reply {
        match access {
            Access::Alone => {
                let mut change = self.change(user);
                let mark = change.mark();
                let result = write(&mut change);
                if result.is_err() {
                    change.roll_back(mark);
                }
                result
                    .and_then(|reply| self.keep(change, mark).map(|()| reply))
                    .into()
            }
            Access::Within(change) => {
                let mark = change.mark();
                let result = write(change);
                if result.is_err() {
                    change.roll_back(mark);
                }
                result.into()
            }
        }
    }

    fn limits(&self) -> Reply {
        let most = self.daily.load(Ordering::Relaxed);
        let left = most.saturating_sub(self.used.load(Ordering::Relaxed));
        let whole = |most: u64| json!({ "Max": most, "Remaining": most });
        Reply::json(
            200,
            &json!({
                "ConcurrentAsyncGetReportInstances": whole(200),
                "DailyApiRequests": { "Max": most, "Remaining": left },
                "DailyBulkApiBatches": whole(15_000),
                "DailyBulkV2QueryFileStorageMB": whole(976_562),
                "DailyBulkV2QueryJobs": whole(10_000),
                "DailyAsyncApexExecutions": whole(250_000),
                "DataStorageMB": whole(1024),
                "FileStorageMB": whole(1024),
                "HourlyODataCallout": whole(20_000),
                "MassEmail": whole(5000),
                "SingleEmail": whole(5000),
            }),
        )
    }

    /// The switches for tests.
    fn control(&self, what: &str, request: &Request) -> Reply {
        let plain = |status, body: String| Reply {
            status,
            kind: "text/plain; charset=UTF-8",
            headers: Vec::new(),
            body,
        };
        match (request.method.as_str(), what) {
            ("PUT", "jwt-key") => match lock(&self.sessions).set_key(&request.body) {
                Ok(()) => Reply::empty(204),
                Err(why) => plain(400, why),
            },
            ("POST", "expire-tokens") => {
                lock(&self.sessions).expire_all();
                Reply::empty(204)
            }
            ("POST", "expire-locators") => {
                lock(&self.locators).expire_all();
                Reply::empty(204)
            }
            ("PUT", "settings") => match request.object() {
                Ok(settings) => {
                    let number = |name: &str| settings.get(name).and_then(Json::as_u64);
                    if let Some(limit) = number("daily_limit") {
                        self.daily.store(limit, Ordering::Relaxed);
                    }
                    if let Some(used) = number("used") {
                        self.used.store(used, Ordering::Relaxed);
                    }
                    let mut sessions = lock(&self.sessions);
                    if let Some(seconds) = number("token_seconds") {
                        sessions.set_life(seconds);
                    }
                    if let Some(rotate) = settings
                        .get("rotate_refresh_tokens")
                        .and_then(Json::as_bool)
                    {
                        sessions.set_rotation(rotate);
                    }
                    Reply::empty(204)
                }
                Err(failure) => plain(400, failure.message),
            },
            _ => plain(404, format!("there is no switch {what}")),
        }
    }
}

/// The versions that the org speaks, oldest first.
fn versions() -> Json {
    const SEASONS: [&str; 3] = ["Spring", "Summer", "Winter"];
    VERSIONS
        .map(|number| {
            // Version 50 was Winter '21; three a year.
            let place = number - 50 + 2;
            let year = 20 + place / 3 + u32::from(place % 3 == 2);
            json!({ "label": format!("{} '{year}", SEASONS[place as usize % 3]), "url": format!("/services/data/v{number}.0"), "version": format!("{number}.0") })
        })
        .collect()
}

fn resources(version: &str) -> Json {
    let base = format!("/services/data/{version}");
    json!({
        "composite": format!("{base}/composite"),
        "identity": "/id",
        "jobs": format!("{base}/jobs"),
        "limits": format!("{base}/limits"),
        "query": format!("{base}/query"),
        "queryAll": format!("{base}/queryAll"),
        "recent": format!("{base}/recent"),
        "sobjects": format!("{base}/sobjects"),
    })
}
