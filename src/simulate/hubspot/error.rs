//! The shape of every answer that says no.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// An answer that says no.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub category: &'static str,
    pub message: String,
    pub sub: Option<&'static str>,
    /// What belongs to the message, `{"ids": ["1"]}`.
    pub context: Option<Value>,
    pub errors: Vec<Value>,
}

impl Refusal {
    pub fn new(status: StatusCode, category: &'static str, message: impl Into<String>) -> Self {
        Refusal {
            status,
            category,
            message: message.into(),
            sub: None,
            context: None,
            errors: Vec::new(),
        }
    }

    /// A request that cannot be understood or carries a wrong value.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
    }

    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "OBJECT_NOT_FOUND", message)
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", message)
    }

    pub fn context(mut self, context: Value) -> Self {
        self.context = Some(context);
        self
    }

    /// Says which input of a batch it belongs to.
    pub fn traced(mut self, trace: Option<String>) -> Self {
        if let Some(trace) = trace {
            let context = self.context.get_or_insert_with(|| json!({}));
            if let Some(map) = context.as_object_mut() {
                map.insert("objectWriteTraceId".into(), json!([trace]));
            }
        }
        self
    }

    /// The same error as one of several inside an answer to a batch.
    pub fn inside(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("status".into(), json!("error"));
        map.insert("category".into(), json!(self.category));
        map.insert("message".into(), json!(self.message));
        if let Some(sub) = self.sub {
            map.insert("subCategory".into(), json!(sub));
        }
        map.insert(
            "context".into(),
            self.context.clone().unwrap_or_else(|| json!({})),
        );
        if !self.errors.is_empty() {
            map.insert("errors".into(), json!(self.errors));
        }
        map
    }
}

pub(super) fn correlation() -> String {
    uuid::Uuid::new_v4().to_string()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = self.inside();
        if self.context.is_none() {
            body.remove("context");
        }
        body.insert("correlationId".into(), json!(correlation()));
        (self.status, Json(Value::Object(body))).into_response()
    }
}
