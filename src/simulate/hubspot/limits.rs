//! The limits: requests in any ten seconds and per day, searches in any second. Real time, not simulated time: a client that
//! waits ten seconds waits ten seconds.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::error::correlation;

/// What an app that was installed by OAuth may ask in ten seconds.
const OAUTH_TEN_SECONDS: u32 = 110;

pub(super) struct Meter {
    ten_seconds: u32,
    pub daily: u32,
    search_per_second: u32,
    windows: Mutex<Windows>,
}

struct Windows {
    private: VecDeque<Instant>,
    public: VecDeque<Instant>,
    search: VecDeque<Instant>,
    day: (Instant, u32),
}

/// Which limit was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Second,
    TenSeconds,
    Day,
}

impl Meter {
    pub fn new(ten_seconds: u32, daily: u32, search_per_second: u32) -> Self {
        Meter {
            ten_seconds,
            daily,
            search_per_second,
            windows: Mutex::new(Windows {
                private: VecDeque::new(),
                public: VecDeque::new(),
                search: VecDeque::new(),
                day: (Instant::now(), 0),
            }),
        }
    }

    /// Counts a request, or refuses it. `public`: with an OAuth token.
    pub fn take(&self, public: bool, search: bool) -> Result<(), Over> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if search
            && !count(
                &mut windows.search,
                Duration::from_secs(1),
                self.search_per_second,
            )
        {
            return Err(Over::Second);
        }
        let limit = self.limit(public);
        let ten = Duration::from_secs(10);
        let fits = if public {
            count(&mut windows.public, ten, limit)
        } else {
            count(&mut windows.private, ten, limit)
        };
        if !fits {
            return Err(Over::TenSeconds);
        }
        if windows.day.0.elapsed() >= Duration::from_secs(86_400) {
            windows.day = (Instant::now(), 0);
        }
        windows.day.1 += 1;
        if windows.day.1 > self.daily && !public {
            return Err(Over::Day);
        }
        Ok(())
    }

    fn limit(&self, public: bool) -> u32 {
        if public {
            OAUTH_TEN_SECONDS.max(self.ten_seconds.saturating_sub(80))
        } else {
            self.ten_seconds
        }
    }

    /// How many requests this day has seen.
    pub fn used(&self) -> u32 {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.day.1
    }

    /// The headers that tell the limits; answers to searches have none.
    pub fn mark(&self, headers: &mut HeaderMap, public: bool) {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = if public {
            &windows.public
        } else {
            &windows.private
        };
        let limit = self.limit(public);
        let second = window
            .iter()
            .filter(|at| at.elapsed() < Duration::from_secs(1))
            .count() as u32;
        let mut put = |name: &'static str, value: u32| {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        };
        if !public {
            put("x-hubspot-ratelimit-daily", self.daily);
            put(
                "x-hubspot-ratelimit-daily-remaining",
                self.daily.saturating_sub(windows.day.1),
            );
        }
        put("x-hubspot-ratelimit-interval-milliseconds", 10_000);
        put("x-hubspot-ratelimit-max", limit);
        put(
            "x-hubspot-ratelimit-remaining",
            limit.saturating_sub(window.len() as u32),
        );
        put("x-hubspot-ratelimit-secondly", limit / 10);
        put(
            "x-hubspot-ratelimit-secondly-remaining",
            (limit / 10).saturating_sub(second),
        );
    }
}

/// Whether one more fits into a rolling window. What was refused does not count.
fn count(window: &mut VecDeque<Instant>, length: Duration, limit: u32) -> bool {
    while window.front().is_some_and(|at| at.elapsed() >= length) {
        window.pop_front();
    }
    let fits = window.len() < limit as usize;
    if fits {
        window.push_back(Instant::now());
    }
    fits
}

/// What a client gets that asks too often; without a `Retry-After`.
pub(super) fn refusal(over: Over) -> Response {
    let (message, policy) = match over {
        Over::Second => ("You have reached your secondly limit.", "SECONDLY"),
        Over::TenSeconds => (
            "You have reached your ten_secondly_rolling limit.",
            "TEN_SECONDLY_ROLLING",
        ),
        Over::Day => ("You have reached your daily limit.", "DAILY"),
    };
    let body = json!({
        "status": "error", "message": message, "errorType": "RATE_LIMIT", "category": "RATE_LIMITS",
        "correlationId": correlation(), "policyName": policy
    });
    (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
}
