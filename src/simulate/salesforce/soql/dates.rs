//! Date literals: `TODAY`, `LAST_N_DAYS:30`, `THIS_FISCAL_QUARTER` … The fiscal year is the calendar year; weeks begin on
//! Sunday; days are those of UTC.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// Whether there is such a literal, and whether it takes a number.
pub fn known(word: &str) -> Option<bool> {
    match word {
        "YESTERDAY" | "TODAY" | "TOMORROW" | "LAST_90_DAYS" | "NEXT_90_DAYS" => Some(false),
        _ => {
            let plain = word.replace("_FISCAL", "");
            if ["LAST", "THIS", "NEXT"].iter().any(|when| {
                ["WEEK", "MONTH", "QUARTER", "YEAR"]
                    .iter()
                    .any(|unit| plain == format!("{when}_{unit}"))
            }) {
                return (plain == word || word.ends_with("QUARTER") || word.ends_with("YEAR"))
                    .then_some(false);
            }
            let numbered = ["DAYS", "WEEKS", "MONTHS", "QUARTERS", "YEARS"]
                .iter()
                .any(|unit| {
                    plain == format!("LAST_N_{unit}")
                        || plain == format!("NEXT_N_{unit}")
                        || plain == format!("N_{unit}_AGO")
                });
            (numbered && (plain == word || word.contains("QUARTERS") || word.contains("YEARS")))
                .then_some(true)
        }
    }
}

/// The days of a literal: the first, and the first after it.
pub fn range(word: &str, number: Option<i64>, today: Date) -> (Date, Date) {
    let word = word.replace("_FISCAL", "");
    // Months, quarters and years beyond the calendar are cut, days and weeks end with it by themselves.
    let n = match number.unwrap_or(0) {
        n if word.contains("DAYS") || word.contains("WEEKS") => n.min(500_000),
        n => n.min(5_000),
    };
    let days = |n: i64| today.saturating_add(n.days());
    match word.as_str() {
        "YESTERDAY" => return (days(-1), today),
        "TODAY" => return (today, days(1)),
        "TOMORROW" => return (days(1), days(2)),
        "LAST_90_DAYS" => return (days(-90), days(1)),
        "NEXT_90_DAYS" => return (days(1), days(91)),
        "LAST_N_DAYS" => return (days(-n), days(1)),
        "NEXT_N_DAYS" => return (days(1), days(n + 1)),
        "N_DAYS_AGO" => return (days(-n), days(1 - n)),
        _ => {}
    }
    let unit = |steps: i64| -> Date {
        if word.contains("WEEK") {
            week_start(today).saturating_add((steps * 7).days())
        } else if word.contains("MONTH") {
            today.first_of_month().saturating_add(steps.months())
        } else if word.contains("QUARTER") {
            quarter_start(today).saturating_add((steps * 3).months())
        } else {
            today.first_of_year().saturating_add(steps.years())
        }
    };
    if word.starts_with("LAST_N") {
        (unit(-n), unit(0))
    } else if word.starts_with("NEXT_N") {
        (unit(1), unit(n + 1))
    } else if word.starts_with("N_") {
        (unit(-n), unit(1 - n))
    } else if word.starts_with("LAST") {
        (unit(-1), unit(0))
    } else if word.starts_with("NEXT") {
        (unit(1), unit(2))
    } else {
        (unit(0), unit(1))
    }
}

fn week_start(date: Date) -> Date {
    let back = i64::from(date.weekday().since(Weekday::Sunday));
    date.saturating_sub(back.days())
}

fn quarter_start(date: Date) -> Date {
    let back = i64::from((date.month() - 1) % 3);
    date.first_of_month().saturating_sub(back.months())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn literals_cover_the_days_they_say() {
        let today = date(2026, 3, 31);
        assert_eq!(
            range("THIS_QUARTER", None, today),
            (date(2026, 1, 1), date(2026, 4, 1))
        );
        assert_eq!(
            range("NEXT_QUARTER", None, today),
            (date(2026, 4, 1), date(2026, 7, 1))
        );
        assert_eq!(
            range("LAST_N_QUARTERS", Some(2), today),
            (date(2025, 7, 1), date(2026, 1, 1))
        );
        assert_eq!(
            range("LAST_N_DAYS", Some(30), today),
            (date(2026, 3, 1), date(2026, 4, 1))
        );
        assert_eq!(
            range("NEXT_N_DAYS", Some(2), today),
            (date(2026, 4, 1), date(2026, 4, 3))
        );
        assert_eq!(
            range("LAST_MONTH", None, today),
            (date(2026, 2, 1), date(2026, 3, 1))
        );
        assert_eq!(
            range("THIS_WEEK", None, date(2026, 4, 1)),
            (date(2026, 3, 29), date(2026, 4, 5))
        );
        assert_eq!(
            range("N_YEARS_AGO", Some(1), today),
            (date(2025, 1, 1), date(2026, 1, 1))
        );
        assert!(range("NEXT_N_YEARS", Some(99_999), today).0 > today);
        assert!(range("LAST_N_QUARTERS", Some(99_999), today).0 < today);
        assert_eq!(known("THIS_FISCAL_QUARTER"), Some(false));
        assert_eq!(known("THIS_FISCAL_WEEK"), None);
        assert_eq!(known("LAST_N_FISCAL_YEARS"), Some(true));
        assert_eq!(known("NEXT_CENTURY"), None);
    }
}
