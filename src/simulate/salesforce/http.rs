//! Between axum and the org: a request and a reply as plain values, so that a composite request can hold others.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request as Incoming, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value as Json;

use super::Org;
use super::error::Failure;

/// The largest body that is read; Salesforce's own limit is 50 MB.
const LARGEST: usize = 50 * 1024 * 1024;

/// The longest request line with headers, in bytes.
const LONGEST_LINE: usize = 16_384;

/// A request, or one inside of another.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    /// Decoded segments of the path, without empty ones.
    pub path: Vec<String>,
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Bytes,
}

impl Request {
    /// From `method` and `target` (path and query).
    pub fn new(method: &str, target: &str) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Request {
            method: method.to_ascii_uppercase(),
            path: path
                .split('/')
                .filter(|segment| !segment.is_empty())
                .map(|segment| decode(segment, false))
                .collect(),
            query: pairs(query),
            headers: BTreeMap::new(),
            body: Bytes::new(),
        }
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 400 `JSON_PARSER_ERROR`.
    pub fn json(&self) -> Result<Json, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::new(
                400,
                "JSON_PARSER_ERROR",
                format!(
                    "{error} at [line:{}, column:{}]",
                    error.line(),
                    error.column()
                ),
            )
        })
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// 400 `JSON_PARSER_ERROR`.
    pub fn object(&self) -> Result<serde_json::Map<String, Json>, Failure> {
        match self.json()? {
            Json::Object(fields) => Ok(fields),
            _ => Err(Failure::new(
                400,
                "JSON_PARSER_ERROR",
                "The HTTP entity body must be a JSON object at [line:1, column:1]",
            )),
        }
    }
}

/// The pairs of a query or of a form.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name, true), decode(value, true))
        })
        .collect()
}

/// Undoes percent encoding; in queries and forms a plus sign is a blank.
pub fn decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| {
                text.get(at + 1..at + 3)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            })
            .flatten();
        match (bytes[at], hex) {
            (_, Some(byte)) => {
                out.push(byte);
                at += 3;
                continue;
            }
            (b'+', None) if plus => out.push(b' '),
            (byte, None) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub kind: &'static str,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

const JSON: &str = "application/json;charset=UTF-8";

impl Reply {
    pub fn json(status: u16, body: &Json) -> Reply {
        Reply {
            status,
            kind: JSON,
            headers: Vec::new(),
            body: body.to_string(),
        }
    }

    /// JSON that is already text.
    pub fn text(status: u16, body: String) -> Reply {
        Reply {
            status,
            kind: JSON,
            headers: Vec::new(),
            body,
        }
    }

    pub fn empty(status: u16) -> Reply {
        Reply {
            status,
            ..Reply::default()
        }
    }

    pub fn failed(failure: &Failure) -> Reply {
        Reply::json(failure.status, &failure.body())
    }

    pub fn with(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl From<Result<Reply, Failure>> for Reply {
    fn from(result: Result<Reply, Failure>) -> Reply {
        result.unwrap_or_else(|failure| Reply::failed(&failure))
    }
}

/// As axum has it.
pub fn response(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !reply.kind.is_empty() {
        headers.insert("content-type", HeaderValue::from_static(reply.kind));
    }
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            headers.append(name, value);
        }
    }
    response
}

/// Every path of the org.
pub fn router(org: Arc<Org>) -> Router {
    Router::new().fallback(answer).with_state(org)
}

async fn answer(State(org): State<Arc<Org>>, incoming: Incoming) -> Response {
    let (parts, body) = incoming.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let head: usize = target.len()
        + parts
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum::<usize>();
    if target.len() > LONGEST_LINE {
        return response(Reply {
            status: 414,
            kind: "text/html",
            headers: Vec::new(),
            body: "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>".into(),
        });
    }
    if head > LONGEST_LINE {
        let body =
            "<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>".into();
        return response(Reply {
            status: 431,
            kind: "text/html",
            headers: Vec::new(),
            body,
        });
    }
    // What answers GET answers HEAD; the server leaves the body out.
    let method = if parts.method == "HEAD" {
        "GET"
    } else {
        parts.method.as_str()
    };
    let mut request = Request::new(method, target);
    for (name, value) in &parts.headers {
        request.headers.insert(
            name.as_str().to_string(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        );
    }
    request.body = match to_bytes(body, LARGEST).await {
        Ok(body) => body,
        Err(_) => {
            return response(Reply::failed(&Failure::new(
                413,
                "EXCEEDED_MAX_SIZE_REQUEST",
                "the request body is too large or was cut off",
            )));
        }
    };
    // A query over a large org takes a while: not on a thread that drives other connections.
    let done = tokio::task::spawn_blocking(move || org.answer(&request)).await;
    response(done.unwrap_or_else(|error| {
        Reply::failed(&Failure::new(500, "UNKNOWN_EXCEPTION", error.to_string()))
    }))
}
