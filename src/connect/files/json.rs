//! One line of JSON as the texts of its members. Numbers keep the digits that they were written with.

use crate::connect::json::{Row, is_array, is_null, scalar};

/// The members of one object with their texts; what is null is left out. The error says what the line is instead.
pub(super) fn row(line: &[u8]) -> Result<Vec<(String, String)>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "holds bytes that are no UTF-8".to_owned())?;
    let row: Row<'_> = serde_json::from_str(text).map_err(|e| {
        let what = e.to_string();
        let what = what.split(" at line ").next().unwrap_or("").to_owned();
        format!("is no JSON object (column {}: {what})", e.column())
    })?;
    let mut out = Vec::new();
    for (name, raw) in row.iter() {
        if !is_null(raw) {
            out.push((name.to_owned(), value(raw)));
        }
    }
    Ok(out)
}

fn value(raw: &str) -> String {
    if let Some(text) = scalar(raw) {
        return text;
    }
    if is_array(raw) {
        let items: Vec<&serde_json::value::RawValue> =
            serde_json::from_str(raw).unwrap_or_default();
        let texts: Vec<String> = items.iter().filter_map(|i| scalar(i.get())).collect();
        if texts.len() == items.len() {
            return texts.join("; ");
        }
        return raw.to_owned();
    }
    // An amount as csops itself writes it.
    if let Ok(money) = serde_json::from_str::<Row<'_>>(raw)
        && let (Some(amount), Some(currency)) = (money.text("amount"), money.text("currency"))
    {
        return format!("{amount} {currency}");
    }
    raw.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_texts_with_every_digit() {
        let got = row(br#"{"a":"x","b":1234567890123456.70,"c":null,"d":["p","q"],"e":{"amount":"1.50","currency":"EUR"},"f":true}"#);
        let want = [
            ("a", "x"),
            ("b", "1234567890123456.70"),
            ("d", "p; q"),
            ("e", "1.50 EUR"),
            ("f", "true"),
        ];
        assert_eq!(
            got,
            Ok(want.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec())
        );
        assert!(row(b"[1]").is_err());
        assert!(
            row(b"{\"a\":")
                .expect_err("half")
                .contains("no JSON object")
        );
    }
}
