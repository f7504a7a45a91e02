//! Amounts as people type them.

use crate::book::Money;

/// Reads `118000`, `118k`, `1.2m`, `118,000.50`, `$118k` or any of these with a currency code before or behind (`EUR 5k`, `5k EUR`).
/// Without a code it is in `currency` (the amount's own so far). The error is a sentence for the person who typed it.
pub fn parse_amount(text: &str, currency: &str) -> Result<Money, String> {
    let wrong = || format!("`{text}` is not an amount: write 118000, 118k, 1.2m or 118k EUR");
    let mut t = text.trim().to_ascii_lowercase();
    let mut code = currency.to_owned();
    let words: Vec<&str> = t.split_whitespace().collect();
    if let [a, b] = words.as_slice() {
        let is_code = |w: &str| w.len() == 3 && w.bytes().all(|b| b.is_ascii_alphabetic());
        let (c, n) = if is_code(a) {
            (*a, *b)
        } else if is_code(b) {
            (*b, *a)
        } else {
            return Err(wrong());
        };
        code = c.to_ascii_uppercase();
        t = n.to_owned();
    }
    let t = t.trim_start_matches(['$', '€', '£']);
    let (digits, power) = match t.strip_suffix(['k', 'm']) {
        Some(d) if t.ends_with('k') => (d, "e3"),
        Some(d) => (d, "e6"),
        None => (t, ""),
    };
    let digits = digits.replace([',', '_'], "");
    if digits.contains('e') {
        return Err(wrong());
    }
    Money::parse(&format!("{digits}{power}"), &code).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_as_people_type_them() {
        let read = |t: &str| parse_amount(t, "EUR").map(|m| m.to_string());
        assert_eq!(read("118k").as_deref(), Ok("118000.00 EUR"));
        assert_eq!(read("1.25m").as_deref(), Ok("1250000.00 EUR"));
        assert_eq!(read("118,000.505").as_deref(), Ok("118000.51 EUR"));
        assert_eq!(read("5k usd").as_deref(), Ok("5000.00 USD"));
        assert_eq!(read("JPY 700").as_deref(), Ok("700 JPY"));
        assert_eq!(read("$9").as_deref(), Ok("9.00 EUR"));
        for bad in ["", "k", "lots", "1e9", "5 5", "--4", "99999999999999999999"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
