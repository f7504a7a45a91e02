//! Days as numbers since 1970-01-01: the generator counts with millions of them.

use jiff::civil::{Date, date};

/// The number of a day.
pub(super) fn number(day: Date) -> i32 {
    let year = i32::from(day.year()) - i32::from(day.month() <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = (i32::from(day.month()) + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + i32::from(day.day()) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The day of a number; 1970-01-01 for numbers outside the calendar.
pub(super) fn day(number: i32) -> Date {
    let z = i64::from(number) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    Date::new(
        year as i16,
        month as i8,
        (doy - (153 * mp + 2) / 5 + 1) as i8,
    )
    .unwrap_or(date(1970, 1, 1))
}

/// The same day of the month `months` later, or the last day of that month.
pub(super) fn add_months(from: Date, months: i32) -> Date {
    let index = i32::from(from.year()) * 12 + i32::from(from.month()) - 1 + months;
    let first = Date::new(
        index.div_euclid(12) as i16,
        (index.rem_euclid(12) + 1) as i8,
        1,
    )
    .unwrap_or(from);
    Date::new(
        first.year(),
        first.month(),
        from.day().min(first.days_in_month()),
    )
    .unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_numbers_are_one_to_one() {
        assert_eq!(number(date(1970, 1, 1)), 0);
        assert_eq!(number(date(2000, 3, 1)), 11_017);
        for n in (-800_000..800_000).step_by(331) {
            assert_eq!(number(day(n)), n);
        }
        assert_eq!(add_months(date(2024, 1, 31), 1), date(2024, 2, 29));
        assert_eq!(add_months(date(2024, 1, 31), -12), date(2023, 1, 31));
    }
}
