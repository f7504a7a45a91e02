//! The limit: requests in any minute (a sliding window), told in the headers of every answer. Real time, not simulated time.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

const MINUTE: Duration = Duration::from_secs(60);

pub(super) struct Meter {
    per_minute: u32,
    window: Mutex<VecDeque<Instant>>,
}

impl Meter {
    pub fn new(per_minute: u32) -> Self {
        Meter {
            per_minute,
            window: Mutex::new(VecDeque::new()),
        }
    }

    /// Counts a request; false when it is one too many.
    pub fn take(&self) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        while window.front().is_some_and(|at| at.elapsed() >= MINUTE) {
            window.pop_front();
        }
        let fits = window.len() < self.per_minute as usize;
        if fits {
            window.push_back(Instant::now());
        }
        fits
    }

    /// `RateLimit-Limit: 1000, 1000;window=60`, what is left, and the seconds until the oldest request is forgotten.
    pub fn mark(&self, headers: &mut HeaderMap) {
        let window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let left = (self.per_minute as usize).saturating_sub(window.len());
        let reset = window.front().map_or(60, |at| {
            MINUTE.saturating_sub(at.elapsed()).as_secs_f64().ceil() as u64
        });
        let limit = format!("{0}, {0};window=60", self.per_minute);
        for (name, value) in [
            ("ratelimit-limit", limit),
            ("ratelimit-remaining", left.to_string()),
            ("ratelimit-reset", reset.to_string()),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}
