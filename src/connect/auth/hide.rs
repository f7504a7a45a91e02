//! The last guard before a person or a log reads an error: whatever secret of the source stands in a text is blotted out, also when the
//! vendor was the one who repeated it.

use super::super::http::{encode, lock};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Mutex;

/// What stands there instead.
const BLOT: &str = "(hidden)";
/// Shorter ones would blot out ordinary words.
const SHORTEST: usize = 6;

/// The secrets of one source, those that it was given on the way among them.
#[derive(Default)]
pub struct Hider {
    secrets: Mutex<Vec<SecretString>>,
}

impl Hider {
    /// From now on that text is hidden.
    pub fn learn(&self, secret: &SecretString) {
        let text = secret.expose_secret();
        if text.len() < SHORTEST {
            return;
        }
        let mut known = lock(&self.secrets);
        if known.iter().any(|k| k.expose_secret() == text) {
            return;
        }
        // Tokens come and go for as long as the program runs.
        if known.len() >= 64 {
            known.remove(8);
        }
        known.push(secret.clone());
    }

    /// The text without secrets, also where they are encoded for an address.
    pub fn hide(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for secret in lock(&self.secrets).iter() {
            let plain = secret.expose_secret();
            let coded = encode(plain);
            for form in [plain, coded.as_str()] {
                if out.contains(form) {
                    out = out.replace(form, BLOT);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_plain_and_encoded_and_short_ones_do_not_blot_words() {
        let hider = Hider::default();
        hider.learn(&SecretString::from("s3cret/+key"));
        hider.learn(&SecretString::from("id"));
        assert_eq!(
            hider.hide("key s3cret/+key in ?k=s3cret%2F%2Bkey is invalid"),
            "key (hidden) in ?k=(hidden) is invalid"
        );
    }
}
