//! Days as people type them.

use jiff::{Span, ToSpan, civil::Date, civil::Weekday};

/// Reads a day relative to today: `2026-12-01`, `today`, `tomorrow`, `yesterday`, `fri` (the next one, never today), `+3d`, `3d`, `2w`,
/// `1m`, `1q`, `1y`, `-2d`, `eow` (Sunday), `eom`, `eoq`, `eoy` (of the fiscal year that starts in month `fiscal_month`, 1 to 12).
/// The error is a sentence for the person who typed it.
pub fn parse_day(text: &str, today: Date, fiscal_month: i8) -> Result<Date, String> {
    let t = text.trim().to_lowercase();
    let wrong = || {
        format!(
            "`{text}` is not a day: write 2026-12-31, today, tomorrow, fri, +3d, 2w, 1m, eom or eoq"
        )
    };
    let shift = |span: Span| {
        today
            .checked_add(span)
            .map_err(|_| format!("`{text}` lies too far away"))
    };
    match t.as_str() {
        "today" | "now" => return Ok(today),
        "tomorrow" | "tom" => return shift(1.day()),
        "yesterday" => return shift((-1).days()),
        "eow" => {
            let left = 7 - i64::from(today.weekday().to_monday_one_offset());
            return shift(left.days());
        }
        "eom" => return Ok(today.last_of_month()),
        "eoq" => return end_of_quarter(today, fiscal_month).ok_or_else(wrong),
        "eoy" => return end_of_months(today, fiscal_month, 12).ok_or_else(wrong),
        "next week" => return Ok(next_weekday(today, Weekday::Monday)),
        "next month" => {
            return today.last_of_month().tomorrow().map_err(|_| wrong());
        }
        _ => {}
    }
    if let Some(day) = weekday(&t) {
        return Ok(next_weekday(today, day));
    }
    if let Ok(date) = t.parse::<Date>() {
        return Ok(date);
    }
    let (sign, rest) = match t.strip_prefix('-') {
        Some(r) => (-1, r),
        None => (1, t.strip_prefix('+').unwrap_or(&t)),
    };
    let digits = rest.chars().take_while(char::is_ascii_digit).count();
    let n: i64 = rest[..digits].parse().map_err(|_| wrong())?;
    if n > 36_500 {
        return Err(format!("`{text}` lies too far away"));
    }
    let n = n * sign;
    match rest[digits..].trim() {
        "d" | "day" | "days" => shift(n.days()),
        "w" | "week" | "weeks" => shift(n.weeks()),
        "m" | "mo" | "month" | "months" => shift(n.months()),
        "q" | "quarter" | "quarters" => shift((3 * n).months()),
        "y" | "year" | "years" => shift(n.years()),
        _ => Err(wrong()),
    }
}

/// The last day of the quarter that a day lies in.
pub fn end_of_quarter(day: Date, fiscal_month: i8) -> Option<Date> {
    end_of_months(day, fiscal_month, 3)
}

fn end_of_months(day: Date, fiscal_month: i8, length: i8) -> Option<Date> {
    let into = (day.month() - fiscal_month).rem_euclid(12) % length;
    let last = day
        .first_of_month()
        .checked_add(i64::from(length - 1 - into).months())
        .ok()?;
    Some(last.last_of_month())
}

fn weekday(t: &str) -> Option<Weekday> {
    let all = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    all.into_iter()
        .find(|(name, _)| t.len() >= 3 && name.starts_with(t))
        .map(|(_, d)| d)
}

fn next_weekday(today: Date, day: Weekday) -> Date {
    let ahead = (day.to_monday_zero_offset() - today.weekday().to_monday_zero_offset() + 7) % 7;
    let ahead = if ahead == 0 { 7 } else { ahead };
    today.saturating_add(i64::from(ahead).days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_as_people_type_them() {
        let sunday = date(2026, 11, 22);
        let day = |t: &str| parse_day(t, sunday, 1);
        assert_eq!(day("2026-12-01"), Ok(date(2026, 12, 1)));
        assert_eq!(day("tomorrow"), Ok(date(2026, 11, 23)));
        assert_eq!(day("fri"), Ok(date(2026, 11, 27)));
        assert_eq!(day("sunday"), Ok(date(2026, 11, 29)), "never today");
        assert_eq!(day("+3d"), Ok(date(2026, 11, 25)));
        assert_eq!(day("2w"), Ok(date(2026, 12, 6)));
        assert_eq!(day("-1m"), Ok(date(2026, 10, 22)));
        assert_eq!(day("1q"), Ok(date(2027, 2, 22)));
        assert_eq!(day("eow"), Ok(sunday));
        assert_eq!(day("eom"), Ok(date(2026, 11, 30)));
        assert_eq!(day("eoq"), Ok(date(2026, 12, 31)));
        assert_eq!(parse_day("eoq", sunday, 2), Ok(date(2027, 1, 31)));
        assert_eq!(parse_day("eoy", sunday, 2), Ok(date(2027, 1, 31)));
        assert!(
            day("soonish")
                .unwrap_err()
                .contains("`soonish` is not a day")
        );
        assert!(
            day("99999d").is_err() && day("").is_err() && day("é3d").is_err() && day("3").is_err()
        );
    }
}
