//! A token, and how a request is signed with it.

use super::super::http::encode;
use super::encode::base64;
use super::kept::unix_now;
use super::oauth;
use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How one request is signed.
#[derive(Clone)]
pub struct Token {
    pub(super) serial: u64,
    sign: Sign,
    /// When it is renewed, and when it is void, in seconds since 1970.
    pub(super) renew_at: Option<i64>,
    pub(super) expires: Option<i64>,
    /// The address that the vendor says the token is for.
    pub instance: Option<Url>,
    /// The vendor's address of who we are (`id` of a Salesforce token).
    pub identity: Option<String>,
    /// The values that the connector's plan keeps.
    pub kept: Arc<BTreeMap<String, String>>,
}

#[derive(Clone)]
pub(super) enum Sign {
    Nothing,
    Header(String, SecretString),
    Query(String, SecretString),
}

impl Token {
    pub(super) fn fixed(sign: Sign) -> Token {
        Token {
            serial: 0,
            sign,
            renew_at: None,
            expires: None,
            instance: None,
            identity: None,
            kept: Arc::default(),
        }
    }

    /// A token that lasts so many seconds; it is renewed a little before.
    pub(super) fn lasting(mut self, seconds: Option<u64>) -> Token {
        if let Some(seconds) = seconds.and_then(|s| i64::try_from(s).ok()) {
            let end = unix_now().saturating_add(seconds);
            self.renew_at = Some(end - (seconds / 5).min(60));
            self.expires = Some(end);
        }
        self
    }

    /// Puts the credentials on a request, unless they belong into its address.
    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.sign {
            Sign::Header(name, value) => oauth::sensitive(request, name, value),
            Sign::Query(..) | Sign::Nothing => request,
        }
    }

    /// Puts the credentials into an address where that is their place, instead of what stood there.
    pub fn sign_address(&self, url: &mut Url) {
        if let Sign::Query(name, value) = &self.sign {
            let rest = without(url.query().unwrap_or_default(), name);
            let own = format!("{}={}", encode(name), encode(value.expose_secret()));
            let query = if rest.is_empty() {
                own
            } else {
                format!("{rest}&{own}")
            };
            url.set_query(Some(&query));
        }
    }
}

/// A query without one of its parameters; the others stay letter by letter as they are.
pub(super) fn without(query: &str, name: &str) -> String {
    let coded = encode(name);
    let others: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let key = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && key != name && !key.eq_ignore_ascii_case(&coded)
        })
        .collect();
    others.join("&")
}

pub(super) fn plain(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

pub(super) fn bearer(token: &str) -> SecretString {
    SecretString::from(format!("Bearer {token}"))
}

pub(super) fn basic(user: &SecretString, password: &SecretString, raw: bool) -> SecretString {
    let (user, password) = (user.expose_secret(), password.expose_secret());
    let text = if raw {
        user.to_owned()
    } else {
        format!("{user}:{password}")
    };
    SecretString::from(format!("Basic {}", base64(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_encoded_with_the_colon_and_raw_without() {
        let text = |user: &str, password: &str, raw| {
            basic(&plain(user), &plain(password), raw)
                .expose_secret()
                .to_owned()
        };
        // The example of RFC 7617.
        assert_eq!(
            text("Aladdin", "open sesame", false),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(text("key", "", false), "Basic a2V5Og==");
        assert_eq!(text("key", "", true), "Basic a2V5");
    }

    #[test]
    fn a_key_in_the_query_replaces_its_like_and_leaves_the_rest_as_it_was() {
        let token = Token::fixed(Sign::Query("api key".into(), plain("a&b=c")));
        let mut url =
            Url::parse("https://x.example/r?$filter=a%20eq%201&api%20key=old&n=1").unwrap();
        token.sign_address(&mut url);
        assert_eq!(
            url.as_str(),
            "https://x.example/r?$filter=a%20eq%201&n=1&api%20key=a%26b%3Dc"
        );
        let mut url = Url::parse("https://x.example/r").unwrap();
        token.sign_address(&mut url);
        assert_eq!(url.as_str(), "https://x.example/r?api%20key=a%26b%3Dc");
    }
}
