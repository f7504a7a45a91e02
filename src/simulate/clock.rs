//! The simulator's clock: follows the program's clock (so that `--now` moves it) and never goes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{Timestamp, Zoned, civil::Date, tz::TimeZone};

/// Where the time comes from: called for every stamp.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A clock whose answers strictly increase by at least a millisecond, so that two changes never share a stamp.
#[derive(Clone)]
pub struct SimClock {
    now: Now,
    last_ms: Arc<AtomicI64>,
}

impl SimClock {
    /// A clock that follows `now`.
    pub fn new(now: Now) -> Self {
        SimClock {
            now,
            last_ms: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// The instant of this moment, to the millisecond, without moving the clock.
    pub fn peek(&self) -> Timestamp {
        let ms = (self.now)()
            .as_millisecond()
            .max(self.last_ms.load(Ordering::SeqCst));
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// A stamp for a change: later than every stamp before it.
    pub fn stamp(&self) -> Timestamp {
        let now = (self.now)().as_millisecond();
        let mut last = self.last_ms.load(Ordering::SeqCst);
        loop {
            let next = now.max(last.saturating_add(1));
            match self
                .last_ms
                .compare_exchange(last, next, Ordering::SeqCst, Ordering::SeqCst)
            {
                Ok(_) => return Timestamp::from_millisecond(next).unwrap_or(Timestamp::UNIX_EPOCH),
                Err(seen) => last = seen,
            }
        }
    }

    /// Moves the clock past `at` (a stamp that was read back from a journal).
    pub fn not_before(&self, at: Timestamp) {
        self.last_ms
            .fetch_max(at.as_millisecond(), Ordering::SeqCst);
    }

    /// The day of this moment in UTC.
    pub fn today(&self) -> Date {
        Zoned::new(self.peek(), TimeZone::UTC).date()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_increase_even_when_time_stands_or_goes_back() {
        let clock = SimClock::new(Arc::new(|| {
            Timestamp::from_second(1_000).unwrap_or_default()
        }));
        let a = clock.stamp();
        let b = clock.stamp();
        assert!(b > a);
        clock.not_before(Timestamp::from_second(2_000).unwrap_or_default());
        assert!(clock.stamp() > Timestamp::from_second(2_000).unwrap_or_default());
        assert!(clock.peek() > Timestamp::from_second(2_000).unwrap_or_default());
    }
}
