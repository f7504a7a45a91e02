//! Bodies and query strings of the form `a=1&b=two+words`.

/// The pairs of a form, decoded, in their order.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

/// The first value of this name.
pub(super) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// Pairs as a query string.
pub(super) fn joined(pairs: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        encode(name, &mut text);
        text.push('=');
        encode(value, &mut text);
    }
    text
}

fn encode(text: &str, into: &mut String) {
    use std::fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$(),'/:".contains(&byte) {
            into.push(char::from(byte));
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

/// `%41` is a byte, `+` a blank; what is no code stands for itself.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let code = bytes
            .get(place + 1..place + 3)
            .filter(|_| *byte == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (code, byte) {
            (Some(code), _) => {
                out.push(code);
                place += 3;
            }
            (None, b'+') => {
                out.push(b' ');
                place += 1;
            }
            (None, byte) => {
                out.push(*byte);
                place += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let form = pairs("query=%7B%22a%22%3A+1%7D&x=%zz&empty=&%C3%A4=%e2%9c%93&100%");
        assert_eq!(value(&form, "query"), Some("{\"a\": 1}"));
        assert_eq!(value(&form, "x"), Some("%zz"));
        assert_eq!(value(&form, "empty"), Some(""));
        assert_eq!(value(&form, "ä"), Some("✓"));
        assert_eq!(value(&form, "100%"), Some(""));
        assert_eq!(value(&form, "none"), None);
        assert_eq!(pairs(&joined(&form)), form);
    }
}
