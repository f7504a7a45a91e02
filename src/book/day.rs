//! Days as small numbers, for columns; and folded text, for searching.

use jiff::civil::Date;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// A day counted from 1970-01-01, or none: four bytes in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// No day.
    pub const NONE: Day = Day(i32::MIN);
    /// Of a date.
    pub fn of(date: Option<Date>) -> Day {
        date.map_or(Day::NONE, |d| Day(days(d)))
    }
    /// As a date.
    pub fn date(self) -> Option<Date> {
        self.get().and_then(date_of)
    }
    /// The number of days since 1970-01-01.
    pub fn get(self) -> Option<i32> {
        (self != Day::NONE).then_some(self.0)
    }
}

impl Default for Day {
    fn default() -> Self {
        Day::NONE
    }
}

/// Days from 1970-01-01 to a date.
pub fn days(d: Date) -> i32 {
    // Howard Hinnant's days_from_civil: exact over all years and without a span's arithmetic.
    let (y, m, dd) = (
        i32::from(d.year()),
        i32::from(d.month()),
        i32::from(d.day()),
    );
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + dd - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// The date that many days after 1970-01-01; `None` beyond the calendar.
pub fn date_of(days: i32) -> Option<Date> {
    // The inverse, civil_from_days.
    let z = days.checked_add(719_468)?;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    let y = yoe + era * 400 + i32::from(m <= 2);
    Date::new(
        i16::try_from(y).ok()?,
        i8::try_from(m).ok()?,
        i8::try_from(d).ok()?,
    )
    .ok()
}

/// Folded for searching: decomposed, marks taken off, lower case. `None` when the text is ASCII, which is searched without regard to case as it is.
pub fn folded(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    Some(
        text.nfkd()
            .filter(|c| !is_combining_mark(*c))
            .flat_map(char::to_lowercase)
            .collect(),
    )
}

/// Folded, always as a text of its own.
pub fn fold(text: &str) -> String {
    folded(text).unwrap_or_else(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_and_dates_are_each_others_inverse() {
        for d in [
            date(1970, 1, 1),
            date(2000, 2, 29),
            date(1899, 12, 31),
            date(9999, 12, 31),
            date(-1, 3, 1),
        ] {
            assert_eq!(date_of(days(d)), Some(d));
        }
        assert_eq!(days(date(2026, 11, 22)), 20_779);
    }

    #[test]
    fn folding_takes_marks_and_case_away() {
        assert_eq!(fold("Grünwald ÅB"), "grunwald ab");
        assert_eq!(fold("ACME"), "acme");
        assert_eq!(folded("ACME"), None);
        assert_eq!(fold("ＦＵＬＬ"), "full");
    }
}
