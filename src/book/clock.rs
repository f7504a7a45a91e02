//! The clock, as an argument: nobody in book or insight asks the time, whoever needs it is handed one.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Where the time comes from. The one implementation for the program lives in cockpit (`--now` and `CSOPS_NOW` move it).
pub trait Clock: Send + Sync {
    /// The instant now, UTC.
    fn now(&self) -> Timestamp;
    /// The calendar's zone, in which days begin and end.
    fn zone(&self) -> TimeZone;
    /// Today in the calendar's zone.
    fn today(&self) -> Date {
        self.now().to_zoned(self.zone()).date()
    }
}
