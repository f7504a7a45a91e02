//! Refusals, in Salesforce's own words and shapes.

use serde_json::{Value as Json, json};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    pub fields: Vec<String>,
}

impl Failure {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Failure {
        Failure {
            status,
            code,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// Names the fields that it is about.
    pub fn about(mut self, fields: &[&str]) -> Failure {
        self.fields = fields.iter().map(|field| (*field).to_string()).collect();
        self
    }

    /// The body of an answer: an array of one.
    pub fn body(&self) -> Json {
        let mut error = json!({ "message": self.message, "errorCode": self.code });
        if !self.fields.is_empty() {
            error["fields"] = json!(self.fields);
        }
        json!([error])
    }

    /// The entry for one record of a collection.
    pub fn saved(&self, id: Option<String>) -> Json {
        let mut result = json!({ "success": false, "errors": [{ "statusCode": self.code, "message": self.message, "fields": self.fields }] });
        if let Some(id) = id {
            result["id"] = id.into();
        }
        result
    }

    pub fn not_found() -> Failure {
        Failure::new(404, "NOT_FOUND", "The requested resource does not exist")
    }
}

/// A message with the line of the query, a caret and the place, as Salesforce gives it.
pub fn placed(source: &str, at: usize, message: &str) -> String {
    let before = source.get(..at).unwrap_or(source);
    let row = before.matches('\n').count() + 1;
    let line_start = before.rfind('\n').map_or(0, |place| place + 1);
    let column = source.get(line_start..at).unwrap_or("").chars().count() + 1;
    let line: Vec<char> = source[line_start..]
        .lines()
        .next()
        .unwrap_or("")
        .chars()
        .collect();
    // Only the neighbourhood is quoted, so that a long query does not drown the message.
    let from = column.saturating_sub(1).saturating_sub(40);
    let excerpt: String = line.iter().skip(from).take(80).collect();
    format!(
        "\n{excerpt}\n{}^\nERROR at Row:{row}:Column:{column}\n{message}",
        " ".repeat(column - 1 - from)
    )
}

/// `MALFORMED_QUERY` at a place.
pub fn malformed(source: &str, at: usize, message: &str) -> Failure {
    Failure::new(400, "MALFORMED_QUERY", placed(source, at, message))
}

/// `INVALID_FIELD` at a place.
pub fn invalid_field(source: &str, at: usize, message: &str) -> Failure {
    Failure::new(400, "INVALID_FIELD", placed(source, at, message))
}
