//! The limits: requests per minute (a fixed window) and per day. Timeline calls have twice as many a minute, and a window
//! of their own. Real time, not simulated time: a client that waits a minute waits a minute.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::envelope::Refusal;

pub(super) struct Meter {
    per_minute: u32,
    daily: u32,
    windows: Mutex<Windows>,
}

struct Windows {
    minute: (Instant, u32),
    timeline: (Instant, u32),
    day: (Instant, u32),
}

impl Meter {
    pub fn new(per_minute: u32, daily: u32) -> Self {
        let begin = (Instant::now(), 0);
        Meter {
            per_minute,
            daily,
            windows: Mutex::new(Windows {
                minute: begin,
                timeline: begin,
                day: begin,
            }),
        }
    }

    /// Counts a request, or refuses it.
    pub fn take(&self, timeline: bool) -> Result<(), Refusal> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = Duration::from_secs(60);
        let fits = if timeline {
            count(
                &mut windows.timeline,
                minute,
                self.per_minute.saturating_mul(2),
            )
        } else {
            count(&mut windows.minute, minute, self.per_minute)
        };
        if fits && count(&mut windows.day, Duration::from_secs(86_400), self.daily) {
            Ok(())
        } else {
            Err(refusal())
        }
    }

    /// The header that tells the limits.
    pub fn mark(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&format!(
            "{}, {};w=60, {};w=86400",
            self.per_minute, self.per_minute, self.daily
        )) {
            headers.insert("x-ratelimit-limit", value);
        }
    }
}

fn count(window: &mut (Instant, u32), length: Duration, limit: u32) -> bool {
    if window.0.elapsed() >= length {
        *window = (Instant::now(), 0);
    }
    window.1 = window.1.saturating_add(1);
    window.1 <= limit
}

/// What a client gets that asks too often.
pub(super) fn refusal() -> Refusal {
    Refusal::with(
        StatusCode::TOO_MANY_REQUESTS,
        "GU_2400",
        "API rate limit exceeded",
    )
}
