//! What goes wrong on purpose: the `--faults` language and the middleware that makes answers slow, failing, refused, or cut
//! off. It sits outside the vendor, so a write may be accepted and its answer lost, as in life.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Vendor;
use super::world::rng::Rng;

/// What goes wrong, and how often.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Added to every answer.
    pub latency: Duration,
    /// Share of requests that fail with 500 or 503 and an HTML page. Half of them fail after the vendor did its work.
    pub error: f64,
    /// Share of answers that break off in the middle of the body.
    pub truncate: f64,
    /// Requests per minute after which the vendor refuses; `None` leaves the vendor's own limit.
    pub rate_limit: Option<u32>,
}

/// A part of a `--faults` text that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{part}” is no fault: write latency=200ms, error=5%, truncate=1%, rate-limit or rate-limit=60/min, with commas between them"
)]
pub struct BadFaults {
    part: String,
}

impl FromStr for Faults {
    type Err = BadFaults;

    /// Reads e.g. `latency=200ms,error=5%,rate-limit=60/min,truncate=1%`; an empty text or `none` is no faults.
    fn from_str(text: &str) -> Result<Self, BadFaults> {
        let mut faults = Faults::default();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty() && *part != "none")
        {
            let (name, value) = part.split_once('=').map_or((part, None), |(name, value)| {
                (name.trim(), Some(value.trim()))
            });
            let understood = match (name, value) {
                ("latency", Some(value)) => duration(value).map(|value| faults.latency = value),
                ("error" | "errors", Some(value)) => share(value).map(|value| faults.error = value),
                ("truncate", Some(value)) => share(value).map(|value| faults.truncate = value),
                ("rate-limit", None) => {
                    faults.rate_limit = Some(20);
                    Some(())
                }
                ("rate-limit", Some(value)) => {
                    let number = value
                        .strip_suffix("/min")
                        .unwrap_or(value)
                        .trim()
                        .parse()
                        .ok()
                        .filter(|number| *number > 0);
                    number.map(|number: u32| faults.rate_limit = Some(number))
                }
                _ => None,
            };
            understood.ok_or_else(|| BadFaults {
                part: part.to_owned(),
            })?;
        }
        Ok(faults)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.latency.is_zero() {
            parts.push(format!("latency={}ms", self.latency.as_millis()));
        }
        if self.error > 0.0 {
            parts.push(format!("error={}%", self.error * 100.0));
        }
        if self.truncate > 0.0 {
            parts.push(format!("truncate={}%", self.truncate * 100.0));
        }
        if let Some(limit) = self.rate_limit {
            parts.push(format!("rate-limit={limit}/min"));
        }
        f.write_str(if parts.is_empty() { "none" } else { "" })?;
        f.write_str(&parts.join(","))
    }
}

fn duration(text: &str) -> Option<Duration> {
    if let Some(ms) = text.strip_suffix("ms") {
        return ms.trim().parse().ok().map(Duration::from_millis);
    }
    let seconds: f64 = text.strip_suffix('s')?.trim().parse().ok()?;
    (seconds.is_finite() && (0.0..3600.0).contains(&seconds))
        .then(|| Duration::from_secs_f64(seconds))
}

/// `5%` or `0.05`.
fn share(text: &str) -> Option<f64> {
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => text.parse::<f64>().ok()?,
    };
    (0.0..=1.0).contains(&value).then_some(value)
}

/// The faults of one running vendor, changeable while it runs, and the count of what was asked of it.
#[derive(Clone)]
pub struct FaultHandle {
    inner: Arc<Inner>,
}

struct Inner {
    seed: u64,
    faults: Mutex<Faults>,
    number: AtomicU64,
    window: Mutex<(Instant, u32)>,
    counts: Mutex<BTreeMap<String, u64>>,
}

impl FaultHandle {
    /// Faults that strike in an order that depends on the seed alone.
    pub fn new(seed: u64, faults: Faults) -> Self {
        let inner = Inner {
            seed,
            faults: Mutex::new(faults),
            number: AtomicU64::new(0),
            window: Mutex::new((Instant::now(), 0)),
            counts: Mutex::new(BTreeMap::new()),
        };
        FaultHandle {
            inner: Arc::new(inner),
        }
    }

    /// Changes what goes wrong, from the next request on.
    pub fn set(&self, faults: Faults) {
        *self
            .inner
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = faults;
        *self
            .inner
            .window
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = (Instant::now(), 0);
    }

    /// What goes wrong now.
    pub fn get(&self) -> Faults {
        self.inner
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many requests came, by method and kind of path (ids and versions replaced by `{id}`).
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.inner
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn count(&self, request: &Request) {
        let kind = format!("{} {}", request.method(), path_kind(request.uri().path()));
        *self
            .inner
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(kind)
            .or_default() += 1;
    }

    /// Whether this request is one too many in its minute.
    fn over(&self, limit: u32) -> bool {
        let mut window = self
            .inner
            .window
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if window.0.elapsed() >= Duration::from_secs(60) {
            *window = (Instant::now(), 0);
        }
        window.1 += 1;
        window.1 > limit
    }
}

/// A path with what looks like an id made anonymous, so that requests can be counted by kind.
fn path_kind(path: &str) -> String {
    let is_id = |part: &str| part.len() >= 15 && part.bytes().any(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = path
        .trim_end_matches('/')
        .split('/')
        .map(|part| if is_id(part) { "{id}" } else { part })
        .collect();
    parts.join("/")
}

/// The middleware. A request is counted, may be refused, reaches the vendor, and its answer may be late, lost or cut.
pub(super) async fn apply(
    State((handle, vendor)): State<(FaultHandle, Arc<dyn Vendor>)>,
    request: Request,
    next: Next,
) -> Response {
    handle.count(&request);
    let faults = handle.get();
    let number = handle.inner.number.fetch_add(1, Ordering::Relaxed);
    let mut rng = Rng::of(handle.inner.seed, "fault", number);
    if !faults.latency.is_zero() {
        tokio::time::sleep(faults.latency).await;
    }
    if faults.rate_limit.is_some_and(|limit| handle.over(limit)) {
        return vendor.over_limit();
    }
    let fails = rng.chance(faults.error);
    let after = rng.chance(0.5);
    if fails && !after {
        return failure(&mut rng);
    }
    let response = next.run(request).await;
    if fails {
        return failure(&mut rng);
    }
    if rng.chance(faults.truncate) {
        return cut(response).await;
    }
    response
}

/// What a gateway says: a page for people, not a document for programs.
fn failure(rng: &mut Rng) -> Response {
    let (status, title) = if rng.chance(0.5) {
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "500 Internal Server Error",
        )
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "503 Service Temporarily Unavailable",
        )
    };
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

/// The head promises the whole body, half of it follows, then the connection breaks.
async fn cut(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    if whole.len() < 2 {
        // Nothing to cut: an empty answer is lost as a whole instead.
        parts
            .headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from_static("64"));
        parts.status = if parts.status == StatusCode::NO_CONTENT {
            StatusCode::OK
        } else {
            parts.status
        };
        return Response::from_parts(parts, broken(Bytes::new()));
    }
    parts.headers.remove(header::TRANSFER_ENCODING);
    if let Ok(length) = HeaderValue::from_str(&whole.len().to_string()) {
        parts.headers.insert(header::CONTENT_LENGTH, length);
    }
    Response::from_parts(parts, broken(whole.slice(..whole.len() / 2)))
}

/// A body that sends `start` and then fails, which makes the server close the connection.
fn broken(start: Bytes) -> Body {
    let pieces = futures_util::stream::unfold(Some(start), |left| async {
        match left {
            Some(start) if !start.is_empty() => Some((Ok(start), Some(Bytes::new()))),
            Some(_) => {
                // What was sent must leave before the connection is dropped, or the client would see nothing at all.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((
                    Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted)),
                    None,
                ))
            }
            None => None,
        }
    });
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_faults_is_read_and_shown() {
        let faults: Faults = "latency=200ms, error=5%,rate-limit=60/min,truncate=1%"
            .parse()
            .unwrap_or_default();
        assert_eq!(faults.latency, Duration::from_millis(200));
        assert!((faults.error - 0.05).abs() < 1e-9 && (faults.truncate - 0.01).abs() < 1e-9);
        assert_eq!(faults.rate_limit, Some(60));
        assert_eq!(faults.to_string().parse::<Faults>(), Ok(faults));
        assert_eq!("".parse::<Faults>(), Ok(Faults::default()));
        assert_eq!("none".parse::<Faults>(), Ok(Faults::default()));
        for bad in [
            "latency",
            "latency=fast",
            "error=200%",
            "explode",
            "rate-limit=0",
            "rate-limit=x",
        ] {
            assert!(bad.parse::<Faults>().is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_are_counted_by_kind() {
        assert_eq!(
            path_kind("/services/data/v68.0/sobjects/Task/00THs0000000001AAA/"),
            "/services/data/v68.0/sobjects/Task/{id}"
        );
    }
}
