//! The one clock of the program: the real one, moved by `--now` or `CSOPS_NOW`.

use crate::book::Clock;
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

/// Real time plus a fixed shift, in the calendar's zone.
#[derive(Clone, Debug)]
pub struct SystemClock {
    shift: SignedDuration,
    zone: TimeZone,
}

impl SystemClock {
    /// The real time.
    pub fn new(zone: TimeZone) -> SystemClock {
        SystemClock {
            shift: SignedDuration::ZERO,
            zone,
        }
    }
    /// A clock that stands at `start` now and runs on from there.
    pub fn starting_at(start: Timestamp, zone: TimeZone) -> SystemClock {
        SystemClock {
            shift: start.duration_since(Timestamp::now()),
            zone,
        }
    }
    /// Reads `--now` or `CSOPS_NOW`: an instant (`2026-11-22T04:40:00Z`), a local time (`2026-11-22T04:40`) or a day (noon of it).
    pub fn parse_start(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
        let text = text.trim();
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(at);
        }
        let local = text.parse::<civil::DateTime>().map(|d| {
            if text.len() <= 10 {
                d.date().at(12, 0, 0, 0)
            } else {
                d
            }
        });
        local
            .ok()
            .and_then(|d| d.to_zoned(zone.clone()).ok())
            .map(|z| z.timestamp())
            .ok_or_else(|| {
                format!("`{text}` is not a time: write 2026-11-22T04:40:00Z, 2026-11-22T04:40 or 2026-11-22")
            })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
            .checked_add(self.shift)
            .unwrap_or(Timestamp::MAX)
    }
    fn zone(&self) -> TimeZone {
        self.zone.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_starts_where_it_is_told_and_runs_on() {
        let zone = TimeZone::UTC;
        let start = SystemClock::parse_start("2026-03-01", &zone).expect("a day");
        assert_eq!(start.to_string(), "2026-03-01T12:00:00Z");
        let clock = SystemClock::starting_at(start, zone.clone());
        let now = clock.now();
        assert!(now >= start && now.duration_since(start) < SignedDuration::from_secs(60));
        assert_eq!(clock.today(), civil::date(2026, 3, 1));
        let local =
            SystemClock::parse_start("2026-03-01T08:30", &TimeZone::fixed(jiff::tz::offset(2)));
        assert_eq!(
            local.expect("a local time").to_string(),
            "2026-03-01T06:30:00Z"
        );
        assert!(SystemClock::parse_start("soon", &zone).is_err());
    }
}
