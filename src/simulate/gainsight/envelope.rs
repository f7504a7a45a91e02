//! The envelope around every answer, and the documented errors.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer that says no.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    pub text: String,
}

impl Refusal {
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            code,
            text: text.into(),
        }
    }

    pub fn with(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Refusal {
            status,
            code,
            text: text.into(),
        }
    }
}

fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A good answer around `data`.
pub(super) fn reply(data: Value) -> Response {
    Json(json!({
        "result": true, "errorCode": null, "errorDesc": null, "localizedErrorDesc": null,
        "requestId": request_id(), "data": data, "message": null, "localizedMessage": null
    }))
    .into_response()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        // The gateway's own refusal is shaped a little differently from the services'.
        let body = if self.code == "GS_APIG_2401" {
            json!({ "result": false, "errorCode": self.code, "errorDesc": self.text, "requestId": request_id(), "message": self.text })
        } else if self.code == "OBJECT_NOT_FOUND" {
            json!({ "result": false, "title": self.code, "detail": self.text, "errorDesc": self.text, "instance": request_id() })
        } else {
            json!({
                "result": false, "errorCode": self.code, "errorDesc": self.text, "localizedErrorDesc": self.text,
                "requestId": request_id(), "data": if self.code.starts_with("GSOBJ") { Value::Null } else { json!({}) }, "message": null
            })
        };
        (self.status, Json(body)).into_response()
    }
}
