//! Ingest jobs of Bulk API 2.0: a CSV of records to create, change, upsert or delete. A job is `Open` for its data, then
//! `UploadComplete`, `InProgress` when first looked at, and `JobComplete` when looked at again.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::bulk::{DELIMITERS, job_id, job_number};
use super::error::Failure;
use super::http::{Reply, Request};
use super::rows::not_allowed;
use super::schema::common;
use super::value::{Id, time_text};
use super::write::Change;
use super::{Org, lock};

/// Ingest jobs are numbered from here, so that no query job has the same id.
const FIRST: u64 = 1 << 40;

/// The most data of a job, in bytes.
const LARGEST: usize = 150 * 1024 * 1024;

/// The jobs of the org, by number.
#[derive(Default)]
pub struct Ingests {
    next: u64,
    jobs: BTreeMap<u64, Job>,
}

struct Job {
    object: u16,
    operation: Operation,
    key: Option<usize>,
    delimiter: (&'static str, u8),
    crlf: bool,
    state: &'static str,
    user: Id,
    created: i64,
    changed: i64,
    version: String,
    data: Vec<u8>,
    headers: Vec<String>,
    /// Per record: its cells and what became of it.
    done: Vec<(Vec<String>, Outcome)>,
    error: Option<String>,
}

/// A record's id and whether it is new, or why it was refused.
type Outcome = Result<(String, bool), String>;

#[derive(Clone, Copy, PartialEq)]
enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
}

const OPERATIONS: &[(&str, Operation)] = &[
    ("insert", Operation::Insert),
    ("update", Operation::Update),
    ("upsert", Operation::Upsert),
    ("delete", Operation::Delete),
    ("hardDelete", Operation::Delete),
];

fn wrong_state(message: impl Into<String>) -> Failure {
    Failure::new(400, "INVALIDJOBSTATE", message)
}

impl Org {
    /// `/jobs/ingest/…`; `rest` is the path after it.
    ///
    /// # Errors
    /// In Salesforce's words.
    pub fn ingest_jobs(
        &self,
        change: &mut Change<'_>,
        version: &str,
        rest: &[&str],
        request: &Request,
    ) -> Result<Reply, Failure> {
        let mut ingests = lock(&self.ingests);
        let (number, what) = match rest {
            [] if request.method == "POST" => {
                return self.create_ingest(&mut ingests, change, version, request);
            }
            [] if request.method == "GET" => {
                let records: Vec<Json> = ingests
                    .jobs
                    .iter()
                    .rev()
                    .map(|(number, job)| self.ingest_json(*number, job, false))
                    .collect();
                return Ok(Reply::json(
                    200,
                    &json!({ "done": true, "records": records, "nextRecordsUrl": null }),
                ));
            }
            [] => return Err(not_allowed(&request.method, "GET, POST")),
            [id] => (job_number(id), ""),
            [id, what] => (job_number(id), *what),
            _ => (None, ""),
        };
        let number = number.ok_or_else(Failure::not_found)?;
        let job = ingests
            .jobs
            .get_mut(&number)
            .ok_or_else(Failure::not_found)?;
        match (request.method.as_str(), what) {
            ("GET", "") => {
                self.step(change, job);
                Ok(Reply::json(200, &self.ingest_json(number, job, true)))
            }
            ("PUT", "batches") => {
                if job.state != "Open" || !job.data.is_empty() {
                    return Err(wrong_state(
                        "data can be uploaded once, while the job is Open",
                    ));
                }
                if request.body.len() > LARGEST {
                    return Err(Failure::new(
                        400,
                        "LIMIT_EXCEEDED",
                        "a job takes at most 150 MB of data",
                    ));
                }
                job.data = request.body.to_vec();
                Ok(Reply::empty(201))
            }
            ("PATCH", "") => {
                let body = request.object()?;
                match body.get("state").and_then(Json::as_str) {
                    Some("UploadComplete") if job.state == "Open" => job.state = "UploadComplete",
                    Some("Aborted")
                        if matches!(job.state, "Open" | "UploadComplete" | "InProgress") =>
                    {
                        job.state = "Aborted"
                    }
                    state => {
                        return Err(wrong_state(format!(
                            "a job that is {} cannot be set to {}",
                            job.state,
                            state.unwrap_or("nothing")
                        )));
                    }
                }
                job.changed = self.now_ms();
                Ok(Reply::json(200, &self.ingest_json(number, job, false)))
            }
            ("DELETE", "") => {
                if matches!(job.state, "Open" | "InProgress") {
                    return Err(wrong_state(
                        "a job must be complete, failed or aborted to be deleted",
                    ));
                }
                ingests.jobs.remove(&number);
                Ok(Reply::empty(204))
            }
            ("GET", "successfulResults") => results(job, true),
            ("GET", "failedResults") => results(job, false),
            ("GET", "unprocessedrecords") => {
                // Records that an abort kept from being processed come back as they are.
                let body = if job.state == "Aborted" {
                    String::from_utf8_lossy(&job.data).into_owned()
                } else {
                    String::new()
                };
                Ok(Reply {
                    status: 200,
                    kind: "text/csv; charset=UTF-8",
                    headers: Vec::new(),
                    body,
                })
            }
            (_, "" | "batches" | "successfulResults" | "failedResults" | "unprocessedrecords") => {
                Err(not_allowed(&request.method, "GET, PUT, PATCH, DELETE"))
            }
            _ => Err(Failure::not_found()),
        }
    }

    fn create_ingest(
        &self,
        ingests: &mut Ingests,
        change: &Change<'_>,
        version: &str,
        request: &Request,
    ) -> Result<Reply, Failure> {
        let body = request.object()?;
        let text = |name: &str| body.get(name).and_then(Json::as_str);
        let invalid = |message: String| Failure::new(400, "INVALIDJOB", message);
        let name = text("object").unwrap_or_default();
        let object = self.schema.find(name).ok_or_else(|| {
            Failure::new(
                400,
                "INVALIDENTITY",
                format!("Entity '{name}' is not supported by the Bulk API."),
            )
        })?;
        let operation = text("operation").unwrap_or_default();
        let (_, operation) = OPERATIONS
            .iter()
            .find(|(known, _)| *known == operation)
            .ok_or_else(|| invalid(format!("operation '{operation}' is not known")))?;
        let key = match (operation, text("externalIdFieldName")) {
            (Operation::Upsert, Some(field)) => {
                let definition = self.schema.object(object);
                let place = definition
                    .field(field)
                    .filter(|place| *place == common::ID || definition.fields[*place].external);
                Some(place.ok_or_else(|| invalid(format!("{field} is no external id of {name}")))?)
            }
            (Operation::Upsert, None) => {
                return Err(invalid("externalIdFieldName is required for upsert".into()));
            }
            _ => None,
        };
        if text("contentType").is_some_and(|kind| !kind.eq_ignore_ascii_case("CSV")) {
            return Err(invalid("contentType must be CSV".into()));
        }
        let delimiter = text("columnDelimiter").unwrap_or("COMMA");
        let delimiter = DELIMITERS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(delimiter))
            .ok_or_else(|| invalid(format!("columnDelimiter '{delimiter}' is not known")))?;
        let now = self.now_ms();
        ingests.next += 1;
        let number = FIRST + ingests.next;
        let job = Job {
            object,
            operation: *operation,
            key,
            delimiter: *delimiter,
            crlf: text("lineEnding") == Some("CRLF"),
            state: "Open",
            user: change.user,
            created: now,
            changed: now,
            version: version.to_string(),
            data: Vec::new(),
            headers: Vec::new(),
            done: Vec::new(),
            error: None,
        };
        let reply = Reply::json(200, &self.ingest_json(number, &job, false));
        ingests.jobs.insert(number, job);
        Ok(reply)
    }

    /// One step towards the end.
    fn step(&self, change: &mut Change<'_>, job: &mut Job) {
        match job.state {
            "UploadComplete" => job.state = "InProgress",
            "InProgress" => {
                job.state = match self.work(change, job) {
                    Ok(()) => "JobComplete",
                    Err(error) => {
                        job.error = Some(error);
                        "Failed"
                    }
                }
            }
            _ => return,
        }
        job.changed = self.now_ms();
    }

    fn work(&self, change: &mut Change<'_>, job: &mut Job) -> Result<(), String> {
        let data = std::mem::take(&mut job.data);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(job.delimiter.1)
            .from_reader(data.as_slice());
        let headers = reader
            .headers()
            .map_err(|error| format!("InvalidBatch : {error}"))?;
        job.headers = headers.iter().map(str::to_string).collect();
        let definition = self.schema.object(job.object);
        for header in &job.headers {
            let own = header.split('.').next().unwrap_or_default();
            if definition.field(own).is_none() && definition.relation(own).is_none() {
                return Err(format!("InvalidBatch : Field name not found : {header}"));
            }
        }
        let mut records = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| format!("InvalidBatch : {error}"))?;
            records.push(record.iter().map(str::to_string).collect::<Vec<String>>());
        }
        for cells in records {
            let mark = change.mark();
            let result = self.ingest_one(change, job, &cells);
            if result.is_err() {
                change.roll_back(mark);
            }
            job.done.push((
                cells,
                result.map_err(|failure| {
                    format!(
                        "{}:{}:{}--",
                        failure.code,
                        failure.message,
                        failure.fields.join(",")
                    )
                }),
            ));
        }
        Ok(())
    }

    fn ingest_one(
        &self,
        change: &mut Change<'_>,
        job: &Job,
        cells: &[String],
    ) -> Result<(String, bool), Failure> {
        let schema = self.schema.clone();
        let definition = schema.object(job.object);
        let mut fields = Map::new();
        let mut id = None;
        let mut key = None;
        for (header, cell) in job.headers.iter().zip(cells) {
            // An empty cell says nothing; #N/A empties the field.
            let value = match cell.as_str() {
                "" => continue,
                "#N/A" => Json::Null,
                text => text.into(),
            };
            let place = definition.field(header);
            if job.key.is_some() && place == job.key {
                key = Some(cell.as_str());
            } else if place == Some(common::ID) {
                id = Some(cell.as_str());
            } else if let Some((relation, field)) = header.split_once('.') {
                fields.insert(relation.into(), json!({ field: value }));
            } else {
                fields.insert(header.clone(), value);
            }
        }
        let known = |id: Option<&str>| -> Result<Id, Failure> {
            let text =
                id.ok_or_else(|| Failure::new(400, "MISSING_ARGUMENT", "Id not specified"))?;
            match schema.parse_id(text) {
                Ok(Some(id)) if id.object == job.object => Ok(id),
                Ok(_) => Err(Failure::new(
                    400,
                    "INVALID_CROSS_REFERENCE_KEY",
                    "invalid cross reference id",
                )),
                Err(()) => Err(Failure::new(400, "MALFORMED_ID", format!("bad id {text}"))),
            }
        };
        let (id, created) = match (job.operation, job.key) {
            (Operation::Insert, _) => (change.create(job.object, &fields)?, true),
            (Operation::Update, _) => {
                let id = known(id)?;
                change.update(id, &fields)?;
                (id, false)
            }
            (Operation::Delete, _) => {
                let id = known(id)?;
                change.delete(id)?;
                (id, false)
            }
            (Operation::Upsert, Some(place)) => match key {
                Some(key) => change.upsert(job.object, place, key, &fields, false)?,
                None if place == common::ID => (change.create(job.object, &fields)?, true),
                None => {
                    return Err(Failure::new(
                        400,
                        "MISSING_ARGUMENT",
                        format!("{} not specified", definition.fields[place].name),
                    ));
                }
            },
            (Operation::Upsert, None) => {
                return Err(Failure::new(
                    400,
                    "MISSING_ARGUMENT",
                    "External ID not specified",
                ));
            }
        };
        Ok((schema.id_text(id), created))
    }

    fn ingest_json(&self, number: u64, job: &Job, full: bool) -> Json {
        let id = job_id(number);
        let operation = OPERATIONS
            .iter()
            .find(|(_, known)| *known == job.operation)
            .map_or("", |(name, _)| name);
        let definition = self.schema.object(job.object);
        let mut body = json!({
            "id": id,
            "operation": operation,
            "object": definition.name,
            "createdById": self.schema.id_text(job.user),
            "createdDate": time_text(job.created.div_euclid(1000) * 1000),
            "systemModstamp": time_text(job.changed.div_euclid(1000) * 1000),
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": job.version.trim_start_matches('v').parse::<f64>().unwrap_or(0.0),
            "contentUrl": format!("services/data/{}/jobs/ingest/{id}/batches", job.version),
            "lineEnding": if job.crlf { "CRLF" } else { "LF" },
            "columnDelimiter": job.delimiter.0,
        });
        if let Some(key) = job.key {
            body["externalIdFieldName"] = definition.fields[key].name.into();
        }
        if full {
            body["jobType"] = "V2Ingest".into();
            body["retries"] = 0.into();
            body["totalProcessingTime"] = job.done.len().into();
            body["apiActiveProcessingTime"] = job.done.len().into();
            body["apexProcessingTime"] = 0.into();
            body["numberRecordsProcessed"] = job.done.len().into();
            body["numberRecordsFailed"] = job
                .done
                .iter()
                .filter(|(_, result)| result.is_err())
                .count()
                .into();
            if let Some(error) = &job.error {
                body["errorMessage"] = error.clone().into();
            }
        }
        body
    }
}

/// The records that were taken, or those that were not, with what became of them.
fn results(job: &Job, taken: bool) -> Result<Reply, Failure> {
    if !matches!(job.state, "JobComplete" | "Failed" | "Aborted") {
        return Err(wrong_state(
            "the job is not complete yet; ask for its state first",
        ));
    }
    let broken =
        |error: &dyn std::fmt::Display| Failure::new(500, "UNKNOWN_EXCEPTION", error.to_string());
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
    let mut header = vec![
        "sf__Id".to_string(),
        if taken { "sf__Created" } else { "sf__Error" }.to_string(),
    ];
    header.extend(job.headers.iter().cloned());
    writer
        .write_record(&header)
        .map_err(|error| broken(&error))?;
    for (cells, result) in job
        .done
        .iter()
        .filter(|(_, result)| result.is_ok() == taken)
    {
        let mut row = match result {
            Ok((id, created)) => vec![id.clone(), created.to_string()],
            Err(why) => vec![String::new(), why.clone()],
        };
        row.extend(cells.iter().cloned());
        writer.write_record(&row).map_err(|error| broken(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| broken(&error))?;
    let body = String::from_utf8(bytes).map_err(|error| broken(&error))?;
    Ok(Reply {
        status: 200,
        kind: "text/csv; charset=UTF-8",
        headers: Vec::new(),
        body,
    })
}
