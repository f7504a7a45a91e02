//! Query jobs of Bulk API 2.0. A job takes its time: it is `UploadComplete` when created, `InProgress` when first looked
//! at, then `JobComplete`.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::error::Failure;
use super::http::{Reply, Request};
use super::oauth::{decode64, encode64};
use super::rows::not_allowed;
use super::soql::{self, Answer, Bound, Scope};
use super::table::Store;
use super::value::{Id, time_text};
use super::{Org, lock};

/// Rows of a page of results when the client does not say.
const PAGE: usize = 250_000;

/// The jobs of the org, by number.
#[derive(Default)]
pub struct Jobs {
    next: u64,
    jobs: BTreeMap<u64, Job>,
}

struct Job {
    operation: &'static str,
    object: &'static str,
    query: Bound,
    headers: Vec<String>,
    delimiter: (&'static str, u8),
    crlf: bool,
    state: State,
    user: Id,
    created: i64,
    changed: i64,
    version: String,
    rows: Vec<u32>,
    error: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    UploadComplete,
    InProgress,
    JobComplete,
    Aborted,
    Failed,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::UploadComplete => "UploadComplete",
            State::InProgress => "InProgress",
            State::JobComplete => "JobComplete",
            State::Aborted => "Aborted",
            State::Failed => "Failed",
        }
    }
}

/// The names of the column delimiters.
pub const DELIMITERS: &[(&str, u8)] = &[
    ("COMMA", b','),
    ("SEMICOLON", b';'),
    ("TAB", b'\t'),
    ("PIPE", b'|'),
    ("CARET", b'^'),
    ("BACKQUOTE", b'`'),
];

/// The id of the job with a number.
pub fn job_id(number: u64) -> String {
    crate::simulate::world::ids::salesforce_id("750", number)
}

/// The number of the job with an id.
pub fn job_number(text: &str) -> Option<u64> {
    crate::simulate::world::ids::salesforce_number(text)
        .filter(|(prefix, _)| *prefix == "750")
        .map(|(_, number)| number)
}

impl Org {
    /// `/jobs/query/…`; `rest` is the path after it.
    ///
    /// # Errors
    /// In Salesforce's words.
    pub fn query_jobs(
        &self,
        store: &Store,
        version: &str,
        user: Id,
        rest: &[&str],
        request: &Request,
    ) -> Result<Reply, Failure> {
        match (request.method.as_str(), rest) {
            ("POST", []) => self.create_job(version, user, request),
            ("GET", []) => {
                let jobs = lock(&self.jobs);
                let records: Vec<Json> = jobs
                    .jobs
                    .iter()
                    .rev()
                    .map(|(number, job)| self.job_json(*number, job, false))
                    .collect();
                Ok(Reply::json(
                    200,
                    &json!({ "done": true, "records": records, "nextRecordsUrl": null }),
                ))
            }
            (_, [id]) | (_, [id, "results"]) => {
                let number = job_number(id).ok_or_else(Failure::not_found)?;
                let mut jobs = lock(&self.jobs);
                let job = jobs.jobs.get_mut(&number).ok_or_else(Failure::not_found)?;
                match (request.method.as_str(), rest.len()) {
                    ("GET", 1) => {
                        self.advance(store, job);
                        Ok(Reply::json(200, &self.job_json(number, job, true)))
                    }
                    ("GET", _) => {
                        if job.version != version {
                            return Err(Failure::new(
                                409,
                                "API_VERSION_MISMATCH",
                                format!(
                                    "the job was created with {}; ask for its results with the same version",
                                    job.version
                                ),
                            ));
                        }
                        self.advance(store, job);
                        self.results(store, job, request)
                    }
                    ("PATCH", 1) => {
                        let body = request.object()?;
                        if body.get("state").and_then(Json::as_str) != Some("Aborted") {
                            return Err(Failure::new(
                                400,
                                "INVALIDJOBSTATE",
                                "a query job can only be set to Aborted",
                            ));
                        }
                        if matches!(job.state, State::JobComplete | State::Failed) {
                            return Err(Failure::new(
                                400,
                                "INVALIDJOBSTATE",
                                format!("Aborting already {} Job not allowed", job.state.name()),
                            ));
                        }
                        job.state = State::Aborted;
                        job.changed = self.now_ms();
                        Ok(Reply::json(200, &self.job_json(number, job, true)))
                    }
                    ("DELETE", 1) => {
                        if matches!(job.state, State::UploadComplete | State::InProgress) {
                            return Err(Failure::new(
                                400,
                                "INVALIDJOBSTATE",
                                "a job must be complete, failed or aborted to be deleted",
                            ));
                        }
                        jobs.jobs.remove(&number);
                        Ok(Reply::empty(204))
                    }
                    (method, _) => Err(not_allowed(method, "GET, PATCH, DELETE")),
                }
            }
            _ => Err(Failure::not_found()),
        }
    }

    fn create_job(&self, version: &str, user: Id, request: &Request) -> Result<Reply, Failure> {
        let body = request.object()?;
        let text = |name: &str| body.get(name).and_then(Json::as_str);
        let operation = match text("operation") {
            Some("query") => "query",
            Some("queryAll") => "queryAll",
            other => {
                return Err(Failure::new(
                    400,
                    "INVALIDJOB",
                    format!(
                        "operation must be query or queryAll, not '{}'",
                        other.unwrap_or_default()
                    ),
                ));
            }
        };
        if text("contentType").is_some_and(|kind| !kind.eq_ignore_ascii_case("CSV")) {
            return Err(Failure::new(400, "INVALIDJOB", "contentType must be CSV"));
        }
        let delimiter = text("columnDelimiter").unwrap_or("COMMA");
        let delimiter = DELIMITERS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(delimiter))
            .ok_or_else(|| {
                Failure::new(
                    400,
                    "INVALIDJOB",
                    format!("columnDelimiter '{delimiter}' is not known"),
                )
            })?;
        let crlf = match text("lineEnding").unwrap_or("LF") {
            "LF" => false,
            "CRLF" => true,
            other => {
                return Err(Failure::new(
                    400,
                    "INVALIDJOB",
                    format!("lineEnding '{other}' is not known"),
                ));
            }
        };
        let query =
            text("query").ok_or_else(|| Failure::new(400, "INVALIDJOB", "query is required"))?;
        let bound = soql::prepare(&self.schema, query, self.now_ms())?;
        let object = self.schema.object(bound.object).name;
        if bound.object == self.at.stage || bound.object == self.at.organization {
            return Err(Failure::new(
                400,
                "INVALIDENTITY",
                format!("Entity '{object}' is not supported by the Bulk API."),
            ));
        }
        let mut headers = Vec::new();
        if bound.grouped
            || bound.only_count
            || bound.offset > 0
            || soql::headers(&bound.columns, "", &mut headers).is_none()
        {
            return Err(Failure::new(
                400,
                "FEATURENOTENABLED",
                "Selecting compound data not supported in Bulk Query: no GROUP BY, COUNT(), OFFSET, TYPEOF or subqueries in the select list",
            ));
        }
        let now = self.now_ms();
        let mut jobs = lock(&self.jobs);
        jobs.next += 1;
        let number = jobs.next;
        let job = Job {
            operation,
            object,
            query: bound,
            headers,
            delimiter: *delimiter,
            crlf,
            state: State::UploadComplete,
            user,
            created: now,
            changed: now,
            version: version.to_string(),
            rows: Vec::new(),
            error: None,
        };
        let reply = Reply::json(200, &self.job_json(number, &job, false));
        jobs.jobs.insert(number, job);
        Ok(reply)
    }

    /// One step towards the end.
    fn advance(&self, store: &Store, job: &mut Job) {
        job.state = match job.state {
            State::UploadComplete => State::InProgress,
            State::InProgress => match (Scope {
                store,
                deleted: job.operation == "queryAll",
            }
            .run(&job.query))
            {
                Answer::Rows(rows) => {
                    job.rows = rows;
                    State::JobComplete
                }
                Answer::Count(_) | Answer::Groups(_) => {
                    job.error = Some("the query does not give records".into());
                    State::Failed
                }
            },
            State::JobComplete | State::Aborted | State::Failed => return,
        };
        job.changed = self.now_ms();
    }

    fn results(&self, store: &Store, job: &Job, request: &Request) -> Result<Reply, Failure> {
        match job.state {
            State::JobComplete => {}
            State::Failed => {
                return Err(Failure::new(
                    400,
                    "INVALIDJOBSTATE",
                    job.error.clone().unwrap_or_default(),
                ));
            }
            State::Aborted => {
                return Err(Failure::new(
                    400,
                    "INVALIDJOBSTATE",
                    "the job was aborted; it has no results",
                ));
            }
            State::UploadComplete | State::InProgress => {
                return Err(Failure::new(
                    412,
                    "JOB_NOT_COMPLETE",
                    "the job is not complete yet; ask for its state first",
                ));
            }
        }
        let start = match request
            .param("locator")
            .filter(|locator| !locator.is_empty() && *locator != "null")
        {
            None => 0,
            Some(locator) => decode64(locator)
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .and_then(|text| text.parse::<usize>().ok())
                .filter(|start| *start <= job.rows.len())
                .ok_or_else(|| {
                    Failure::new(
                        400,
                        "INVALID_QUERY_LOCATOR",
                        format!("invalid query locator: {locator}"),
                    )
                })?,
        };
        let most = match request.param("maxRecords") {
            None => PAGE,
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|most| *most > 0)
                .ok_or_else(|| {
                    Failure::new(
                        400,
                        "INVALID_ARGUMENT",
                        format!("maxRecords must be a positive number, not '{text}'"),
                    )
                })?
                .min(PAGE),
        };
        let end = (start + most).min(job.rows.len());
        let terminator = if job.crlf {
            csv::Terminator::CRLF
        } else {
            csv::Terminator::Any(b'\n')
        };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(job.delimiter.1)
            .quote_style(csv::QuoteStyle::Always)
            .terminator(terminator)
            .from_writer(Vec::new());
        let broken = |error: csv::Error| Failure::new(500, "UNKNOWN_EXCEPTION", error.to_string());
        writer.write_record(&job.headers).map_err(broken)?;
        let scope = Scope {
            store,
            deleted: true,
        };
        let mut cells = Vec::new();
        for row in &job.rows[start..end] {
            cells.clear();
            soql::cells(
                &scope,
                Some(Id {
                    object: job.query.object,
                    row: *row,
                }),
                &job.query.columns,
                &mut cells,
            );
            writer.write_record(&cells).map_err(broken)?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|error| Failure::new(500, "UNKNOWN_EXCEPTION", error.to_string()))?;
        let body = String::from_utf8(bytes)
            .map_err(|error| Failure::new(500, "UNKNOWN_EXCEPTION", error.to_string()))?;
        // The last page says so by the word "null".
        let locator = if end < job.rows.len() {
            encode64(end.to_string().as_bytes())
        } else {
            "null".into()
        };
        Ok(Reply {
            status: 200,
            kind: "text/csv; charset=UTF-8",
            headers: Vec::new(),
            body,
        }
        .with("Sforce-NumberOfRecords", &(end - start).to_string())
        .with("Sforce-Locator", &locator))
    }

    fn job_json(&self, number: u64, job: &Job, full: bool) -> Json {
        let mut body = json!({
            "id": job_id(number),
            "operation": job.operation,
            "object": job.object,
            "createdById": self.schema.id_text(job.user),
            "createdDate": time_text(job.created.div_euclid(1000) * 1000),
            "systemModstamp": time_text(job.changed.div_euclid(1000) * 1000),
            "state": job.state.name(),
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": job.version.trim_start_matches('v').parse::<f64>().unwrap_or(0.0),
            "lineEnding": if job.crlf { "CRLF" } else { "LF" },
            "columnDelimiter": job.delimiter.0,
        });
        if full {
            body["jobType"] = "V2Query".into();
            body["retries"] = 0.into();
            body["totalProcessingTime"] = (job.rows.len() / 100 + 1).into();
            if job.state == State::JobComplete {
                body["numberRecordsProcessed"] = job.rows.len().into();
            }
            if let Some(error) = &job.error {
                body["errorMessage"] = error.clone().into();
            }
        }
        body
    }
}
