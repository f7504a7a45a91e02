//! Large first loads by query jobs of Bulk API 2.0: a job is created, looked at with growing waits, and its results are read as pages of CSV.
//!
//! A job costs a fraction of the requests that REST takes for the same rows. Its id and the place in its results live in the stream's cursor,
//! so that a run which was ended goes on where it was. What the job cannot do (no permission, a field that Bulk does not know, a failure at
//! the vendor's) is left to REST, which can always do it.

use super::Salesforce;
use super::schema::ObjectInfo;
use crate::connect::http::{Answer, Ask, Http, encode};
use crate::connect::json::Row;
use crate::connect::{ConnectError, ErrorKind};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A page is never asked for with fewer.
const FEWEST: u32 = 200;
/// The wait before the first look at a job; it doubles from look to look.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(16);
/// Waits are cut into naps, so that a sync which is to end need not wait for them.
const NAP: Duration = Duration::from_secs(2);
/// A job that runs for longer is given up.
const PATIENCE: SignedDuration = SignedDuration::from_hours(6);

/// From how many rows on a job is used, and how its results are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rule {
    /// Nothing when jobs are never used.
    from: Option<u64>,
    rows: u32,
}

impl Rule {
    /// Reads the source's options.
    pub(super) fn new(
        options: &BTreeMap<String, String>,
        http: &Http,
    ) -> Result<Rule, ConnectError> {
        let number = |name: &str| match options.get(name).map_or("", String::as_str) {
            "" => Ok(0),
            text => text.parse::<u64>().map_err(|_| {
                http.error(
                    ErrorKind::Setup,
                    format!("`{name} = \"{text}\"` is not a whole number"),
                )
            }),
        };
        let from = number("bulk_from")?;
        let rows = number("bulk_rows")?.clamp(1, 250_000);
        Ok(Rule {
            from: (from > 0).then_some(from),
            rows: u32::try_from(rows).unwrap_or(FEWEST),
        })
    }

    /// Whether a load is large; one that REST could not even count is.
    pub(super) fn takes(&self, rows: Option<u64>) -> bool {
        self.from
            .is_some_and(|from| rows.is_none_or(|rows| rows >= from))
    }
}

/// A job, as the cursor keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    id: String,
    /// What it cannot hold any more came after this: the vendor's own time.
    pub(super) created: Timestamp,
    /// Our time when it was asked for.
    asked: Timestamp,
    /// How often it was looked at, and how many milliseconds of the next wait are over.
    #[serde(default)]
    looks: u32,
    #[serde(default)]
    waited: u64,
    #[serde(default)]
    complete: bool,
    /// The next page of its results; nothing for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    locator: Option<String>,
    /// Rows of a page, where fewer than usual fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<u32>,
    /// Rows that were taken, and those that there are.
    #[serde(default)]
    pub(super) taken: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
}

/// What a step with a job came to.
pub(super) enum Step {
    /// It is not ready yet.
    Waits,
    /// A page of its rows; whether it was the last.
    Rows(Table, bool),
    /// It comes to nothing, in words.
    Failed(String),
}

impl Salesforce {
    /// Asks for a job; nothing when the vendor has none for this query, which the log tells.
    pub(super) async fn bulk_job(
        &self,
        object: &str,
        soql: &str,
        total: Option<u64>,
    ) -> Result<Option<Job>, ConnectError> {
        let asked = self.http.now();
        let body = json!({
            "operation": "query", "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF",
        });
        // A job that was made twice costs nothing, so a broken answer may be asked for again.
        let ask = Ask::query(format!("{}/jobs/query", self.data()), &body);
        let answer = self.http.send(&ask).await?;
        self.limits(&answer);
        if !answer.ok() {
            let fault = self.fault(&answer, false);
            if passes(&fault.error) {
                return Err(fault.error);
            }
            self.bulk_refused(object, &fault.error.message);
            return Ok(None);
        }
        let row: Row<'_> = self.http.json(&answer, &ask, "the bulk job")?;
        let created = row
            .text("createdDate")
            .and_then(|t| crate::connect::convert::instant(&t));
        let (Some(id), Some(created)) = (row.filled("id"), created) else {
            self.bulk_refused(object, "the answer names no job or no time");
            return Ok(None);
        };
        tracing::info!(source = %self.http.name, "{object}: {} rows are read by bulk job {id}",
            total.map_or("the".to_owned(), |n| n.to_string()));
        Ok(Some(Job {
            id,
            created,
            asked,
            looks: 0,
            waited: 0,
            complete: false,
            locator: None,
            rows: None,
            taken: 0,
            total,
        }))
    }

    /// The next step with a job.
    pub(super) async fn bulk_step(
        &self,
        object: &str,
        job: &mut Job,
    ) -> Result<Step, ConnectError> {
        if !job.complete {
            let due = wait(job.looks);
            let left = due.saturating_sub(Duration::from_millis(job.waited));
            let nap = left.min(NAP);
            tokio::time::sleep(nap).await;
            if nap < left {
                job.waited += u64::try_from(nap.as_millis()).unwrap_or_default();
                return Ok(Step::Waits);
            }
            (job.waited, job.looks) = (0, job.looks.saturating_add(1));
            if let Some(step) = self.bulk_look(job).await? {
                return Ok(step);
            }
        }
        self.bulk_page(object, job).await
    }

    fn bulk_path(&self, job: &Job) -> String {
        format!("{}/jobs/query/{}", self.data(), encode(&job.id))
    }

    /// How the job stands; nothing when its results are there.
    async fn bulk_look(&self, job: &mut Job) -> Result<Option<Step>, ConnectError> {
        let ask = Ask::get(self.bulk_path(job));
        let answer = self.http.send(&ask).await?;
        self.limits(&answer);
        if !answer.ok() {
            return self.bulk_fault(&answer).map(Some);
        }
        let row: Row<'_> = self.http.json(&answer, &ask, "the bulk job")?;
        let state = row.text("state").unwrap_or_default();
        match state.as_str() {
            "JobComplete" => {
                job.complete = true;
                let rows = row
                    .int("numberRecordsProcessed")
                    .and_then(|n| n.try_into().ok());
                job.total = rows.or(job.total);
                Ok(None)
            }
            "UploadComplete" | "InProgress" => {
                if self.http.now().duration_since(job.asked) < PATIENCE {
                    return Ok(Some(Step::Waits));
                }
                // Whether the vendor takes note makes no difference to us.
                let stop = json!({ "state": "Aborted" });
                let ask = Ask::write(Method::PATCH, self.bulk_path(job), Some(&stop));
                let _ = self.http.send(&ask).await;
                Ok(Some(Step::Failed(
                    "the job has not ended for six hours".into(),
                )))
            }
            _ => {
                let why = row
                    .filled("errorMessage")
                    .unwrap_or_else(|| "no reason is given".into());
                let shown: String = crate::book::text::visible(&why).chars().take(240).collect();
                Ok(Some(Step::Failed(format!("the job is {state} ({shown})"))))
            }
        }
    }

    /// One page of results.
    async fn bulk_page(&self, object: &str, job: &mut Job) -> Result<Step, ConnectError> {
        let answer = loop {
            let rows = job.rows.unwrap_or(self.bulk.rows);
            let at = job
                .locator
                .as_ref()
                .map_or_else(String::new, |l| format!("&locator={}", encode(l)));
            let path = format!("{}/results?maxRecords={rows}{at}", self.bulk_path(job));
            match self
                .http
                .send(&Ask::get(path).header(ACCEPT, "text/csv"))
                .await
            {
                // Rows with very long texts: fewer of them fit into an answer.
                Err(e) if e.kind == ErrorKind::Protocol && rows / 2 >= FEWEST => {
                    job.rows = Some(rows / 2);
                }
                other => break other?,
            }
        };
        self.limits(&answer);
        if !answer.ok() {
            return self.bulk_fault(&answer);
        }
        if answer.status == 204 {
            return Ok(Step::Failed("the job has no results".into()));
        }
        let wrong = |what: &str| {
            self.http.error(
                ErrorKind::Protocol,
                format!("a page of the bulk results of {object} {what}; nothing of it was taken, csops asks again by itself"),
            )
        };
        let mut table = Table::read(&answer.body).map_err(|e| wrong(&e))?;
        let said = answer
            .header("sforce-numberofrecords")
            .and_then(|n| n.trim().parse::<usize>().ok());
        if said.is_some_and(|n| n != table.rows.len()) {
            return Err(wrong("ends in the middle"));
        }
        table.literal = self.literals(object, &table.header).await?;
        job.taken += table.rows.len() as u64;
        // The last page says so by the word "null".
        let next = answer
            .header("sforce-locator")
            .map(str::trim)
            .filter(|l| !l.is_empty() && *l != "null")
            .map(str::to_owned);
        if next.is_some() && next == job.locator {
            return Err(wrong("leads to itself"));
        }
        let last = next.is_none();
        job.locator = next;
        Ok(Step::Rows(table, last))
    }

    /// What an error about a job means: to be told, the job forgotten, or left to REST.
    fn bulk_fault(&self, answer: &Answer) -> Result<Step, ConnectError> {
        if answer.status == 404 {
            return Err(self.http.error(
                ErrorKind::CursorLost,
                "the vendor no longer has the bulk job; the stream is read afresh",
            ));
        }
        let fault = self.fault(answer, false);
        match fault.code.as_str() {
            "JOB_NOT_COMPLETE" => Ok(Step::Waits),
            _ if passes(&fault.error) => Err(fault.error),
            _ => Ok(Step::Failed(fault.error.message)),
        }
    }

    /// Tells the log that REST does it.
    pub(super) fn bulk_refused(&self, object: &str, why: &str) {
        tracing::warn!(source = %self.http.name, "{object} is read by REST instead of a bulk job: {why}");
    }

    /// Which columns hold numbers and yes-or-no: CSV has only texts, the object's own description knows.
    async fn literals(&self, object: &str, header: &[String]) -> Result<Vec<bool>, ConnectError> {
        let mut out = Vec::with_capacity(header.len());
        for name in header {
            let mut info = self.description(object).await?;
            let mut rest = name.as_str();
            while let Some((head, tail)) = rest.split_once('.') {
                // `Owner.Name` stands behind OwnerId, `Coach__r.Name` behind Coach__c.
                let key = match head.strip_suffix("__r") {
                    Some(own) => format!("{own}__c"),
                    None => format!("{head}Id"),
                };
                let target = info
                    .as_ref()
                    .and_then(|i| i.field(&key)?.reference_to.first().cloned());
                info = match target {
                    Some(target) => self.description(&target).await?,
                    None => None,
                };
                rest = tail;
            }
            let kind = info
                .as_ref()
                .and_then(|i| i.field(rest))
                .map(|f| f.kind.as_str());
            out.push(matches!(
                kind,
                Some("boolean" | "int" | "long" | "double" | "currency" | "percent")
            ));
        }
        Ok(out)
    }

    /// A description; one that is not ours to read leaves texts as they are.
    async fn description(&self, object: &str) -> Result<Option<Arc<ObjectInfo>>, ConnectError> {
        match self.describe(object).await {
            Err(e) if !passes(&e) => Ok(None),
            other => other,
        }
    }
}

/// Errors that REST would meet as well: the run ends with them, and the job waits.
fn passes(e: &ConnectError) -> bool {
    matches!(
        e.kind,
        ErrorKind::Auth | ErrorKind::Retry { .. } | ErrorKind::Budget | ErrorKind::CursorLost
    )
}

/// How long to wait before the next look.
fn wait(looks: u32) -> Duration {
    FIRST_WAIT
        .saturating_mul(1 << looks.min(10))
        .min(LONGEST_WAIT)
}

/// One page of results.
pub(super) struct Table {
    header: Vec<String>,
    /// The columns whose values stand in JSON without quotes.
    literal: Vec<bool>,
    rows: Vec<csv::ByteRecord>,
}

impl Table {
    fn read(body: &[u8]) -> Result<Table, String> {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let mut reader = csv::ReaderBuilder::new().from_reader(body);
        let bad = |e: csv::Error| match e.kind() {
            csv::ErrorKind::UnequalLengths { .. } => "has a row of another width".to_owned(),
            _ => "is no CSV".to_owned(),
        };
        let header = reader.byte_headers().map_err(bad)?;
        let header: Vec<String> = header.iter().map(clean).collect();
        let rows = reader
            .byte_records()
            .collect::<Result<_, _>>()
            .map_err(bad)?;
        Ok(Table {
            literal: vec![false; header.len()],
            header,
            rows,
        })
    }

    /// Hands out every row as REST would have sent it: one JSON object, empty cells as null.
    pub(super) fn each(&self, mut take: impl FnMut(&Row<'_>)) {
        let names: Vec<String> = self.header.iter().map(|h| quoted(h)).collect();
        let mut doc = String::new();
        for record in &self.rows {
            doc.clear();
            doc.push('{');
            for (i, (cell, name)) in record.iter().zip(&names).enumerate() {
                if i > 0 {
                    doc.push(',');
                }
                doc.push_str(name);
                doc.push(':');
                let cell = clean(cell);
                let literal = self.literal.get(i) == Some(&true) && stands_alone(&cell);
                match (cell.is_empty(), literal) {
                    (true, _) => doc.push_str("null"),
                    (_, true) => doc.push_str(&cell),
                    _ => doc.push_str(&quoted(&cell)),
                }
            }
            doc.push('}');
            // What was put together here is always an object.
            take(&serde_json::from_str(&doc).unwrap_or_default());
        }
    }
}

/// A cell as text; vendors' exports have been seen with NUL bytes in them.
fn clean(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    if text.contains('\0') {
        return text.replace('\0', "");
    }
    text.into_owned()
}

fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

/// Whether a text is a number or a yes-or-no as JSON writes them.
fn stands_alone(text: &str) -> bool {
    matches!(text, "true" | "false") || serde_json::from_str::<serde_json::Number>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_csv_becomes_the_rows_that_rest_would_send() {
        let body = "\u{feff}\"Id\",\"Name\",\"ARR__c\",\"Active__c\",\"Owner.Name\",\"Zip__c\"\r\n\"001\",\"A \"\"b\"\",\nc\0\\d\",\"1200.50\",\"true\",\"Ö\",\"007\"\r\n\"002\",\"\",\"\",\"false\",\"\",\"1e5\"\r\n";
        let mut table = Table::read(body.as_bytes()).unwrap();
        table.literal = vec![false, false, true, true, false, false];
        let mut seen = Vec::new();
        table.each(|row| {
            seen.push(
                row.iter()
                    .map(|(k, v)| format!("{k}={v}"))
                    .collect::<Vec<_>>()
                    .join(" "),
            );
        });
        assert_eq!(
            seen,
            [
                r#"Id="001" Name="A \"b\",\nc\\d" ARR__c=1200.50 Active__c=true Owner.Name="Ö" Zip__c="007""#,
                r#"Id="002" Name=null ARR__c=null Active__c=false Owner.Name=null Zip__c="1e5""#,
            ]
        );
        assert_eq!(Table::read(b"").unwrap().rows.len(), 0);
        let short = Table::read(b"Id,Name\n001,A\n002\n").err();
        assert_eq!(short.as_deref(), Some("has a row of another width"));
    }

    #[test]
    fn waits_grow_and_have_an_end() {
        assert_eq!(wait(0), FIRST_WAIT);
        assert!(wait(1) > wait(0) && wait(5) > wait(4));
        assert_eq!(wait(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn a_load_is_large_from_the_set_count_on_and_never_when_that_is_none() {
        let rule = |from| Rule { from, rows: 5_000 };
        assert!(rule(Some(10)).takes(Some(10)) && !rule(Some(10)).takes(Some(9)));
        assert!(
            rule(Some(10)).takes(None),
            "what could not be counted is large"
        );
        assert!(!rule(None).takes(Some(u64::MAX)) && !rule(None).takes(None));
    }
}
