//! What is kept of a login over restarts: the newest refresh token, when it came, what it may do, and whether it was refused.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 by the machine's own clock: tokens go by real time, also when the program's clock is moved.
pub fn unix_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}

/// A login as it is kept. Only a [`super::super::TokenStore`] ever sees it written out.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Kept {
    /// The refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The access token, where the vendor gives no refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// What the vendor allowed, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// When it was given, in seconds since 1970.
    #[serde(default)]
    pub obtained: i64,
    /// When the access token runs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// Fingerprint of what the configuration said then: another client or another first token makes this one void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_for: Option<String>,
    /// The vendor refused this token for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// A token that the vendor refused: it is not shown to the vendor again.
#[derive(Clone, Serialize, Deserialize)]
pub struct Refused {
    /// Fingerprint of the token.
    pub token: String,
    /// What a person was told.
    pub why: String,
    /// When.
    pub at: i64,
}

impl Kept {
    /// Reads what was kept; a bare text is a refresh token of an earlier version.
    pub fn read(text: &SecretString) -> Kept {
        let text = text.expose_secret().trim();
        serde_json::from_str(text).unwrap_or_else(|_| Kept {
            refresh_token: Some(text.to_owned()),
            ..Kept::default()
        })
    }

    /// As it is kept.
    pub fn write(&self) -> SecretString {
        SecretString::from(serde_json::to_string(self).unwrap_or_default())
    }

    /// Whether it belongs to what the configuration says now. What an earlier version kept does not say; it is believed.
    pub fn fits(&self, made_for: &str) -> bool {
        self.made_for.as_deref().is_none_or(|m| m == made_for)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_read_as_it_was_written_and_a_bare_token_still_counts() {
        let kept = Kept {
            refresh_token: Some("R\"2\n".into()),
            obtained: 7,
            made_for: Some("x".into()),
            ..Kept::default()
        };
        let again = Kept::read(&kept.write());
        assert_eq!(again.refresh_token.as_deref(), Some("R\"2\n"));
        assert!(again.fits("x") && !again.fits("y"));
        let old = Kept::read(&SecretString::from("R1\n"));
        assert_eq!(old.refresh_token.as_deref(), Some("R1"));
        assert!(old.fits("anything"));
    }
}
