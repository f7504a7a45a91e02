//! Base64, SHA-256 and random words, as logins need them.

use aws_lc_rs::{digest, rand};

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    let mut out = sextets(bytes, STANDARD);
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

/// Base64 for addresses: `-` and `_`, no padding.
pub fn base64url(bytes: &[u8]) -> String {
    sextets(bytes, URL)
}

fn sextets(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let n = chunk
            .iter()
            .chain(&[0, 0])
            .take(3)
            .fold(0u32, |n, b| n << 8 | u32::from(*b));
        for i in 0..=chunk.len() {
            let index = (n >> (18 - 6 * i)) & 63;
            out.push(char::from(alphabet[index as usize]));
        }
    }
    out
}

/// SHA-256.
pub fn sha256(text: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, text.as_bytes())
        .as_ref()
        .to_vec()
}

/// Tells one secret from another without being one: the first half of its SHA-256.
pub fn fingerprint(secret: &str) -> String {
    sha256(secret)[..16]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// An unguessable word of 43 letters (256 bits).
///
/// # Errors
/// When the system gives no random numbers.
pub fn random_word() -> Result<String, String> {
    let mut bytes = [0u8; 32];
    rand::fill(&mut bytes).map_err(|_| "the system gives no random numbers".to_owned())?;
    Ok(base64url(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_as_in_its_standard_and_the_challenge_as_in_that_of_pkce() {
        for (text, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), coded);
        }
        // The example of RFC 7636, appendix B.
        assert_eq!(
            base64url(&sha256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        let (a, b) = (random_word().unwrap(), random_word().unwrap());
        assert_eq!(a.len(), 43);
        assert_ne!(a, b);
    }
}
