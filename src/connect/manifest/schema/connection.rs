//! How to log in, how fast one may ask, and what the answers mean.

use super::super::path::Path;
use super::super::template::Text;
use super::*;
use crate::connect::{AuthPlan, LoginBody, LoginPlan, OauthDefaults, SendClient};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Addresses and headers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSpec {
    /// The vendor's own address; without one `base_url` must be set.
    #[serde(default)]
    pub base: Option<String>,
    /// Headers of every request.
    #[serde(default)]
    pub headers: BTreeMap<String, Text>,
    /// The header with the vendor's daily limit, and the one with what is left of it.
    #[serde(default)]
    pub daily: Option<Daily>,
    /// The vendor's pages are at another host: the end of the API's host, and what stands there instead.
    #[serde(default)]
    pub pages: BTreeMap<String, String>,
}

/// The vendor's own count of a day's requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// Header with the limit.
    pub max: String,
    /// Header with what is left.
    pub left: String,
}

/// Which logins the vendor takes, and their shapes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSpec {
    /// The kinds that work, the usual one first.
    pub kinds: Vec<String>,
    /// The header of the kind `header`.
    #[serde(default)]
    pub header: Option<String>,
    /// Where tokens are given out: an address, or a path under the base.
    #[serde(default)]
    pub token_url: Option<String>,
    /// The page on which a person allows access.
    #[serde(default)]
    pub authorize_url: Option<String>,
    /// Where a refresh token is taken back.
    #[serde(default)]
    pub revoke_url: Option<String>,
    /// The permissions that csops needs.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The audience of a JWT login.
    #[serde(default)]
    pub audience: Option<String>,
    /// Client id and secret are sent by HTTP Basic instead of in the form.
    #[serde(default)]
    pub send_basic: bool,
    /// HTTP 401 is no sign that a token has run out; only its lifetime counts.
    #[serde(default)]
    pub ignore_401: bool,
    /// The two-step login.
    #[serde(default)]
    pub login: Option<LoginSpec>,
    /// The vendor says "no" to a login with this status instead of 401.
    #[serde(default)]
    pub refused: Option<u16>,
}

/// A request that gives a session token, which later requests carry in a header.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginSpec {
    /// Its path.
    pub post: String,
    /// A JSON body; a text that is exactly `{user}` or `{password}` is replaced.
    #[serde(default)]
    pub json: Option<toml::Table>,
    /// A form.
    #[serde(default)]
    pub form: BTreeMap<String, String>,
    /// Where the token is in the answer.
    pub token: String,
    /// How many seconds it lasts.
    #[serde(default)]
    pub seconds: Option<u64>,
    /// Where the answer says how long it lasts.
    #[serde(default)]
    pub expires_in: Option<String>,
    /// The header that carries it.
    pub header: String,
    /// Its value around `{token}`.
    pub value: String,
}

impl Manifest {
    /// The options of a source, each with its default where the source sets none.
    ///
    /// # Errors
    /// A value that an option cannot have, or an option that there is not, in words.
    pub fn options(
        &self,
        set: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, String> {
        let mut options = BTreeMap::new();
        for (name, spec) in &self.option {
            let Some(value) = set.get(name).or(spec.default.as_ref()) else {
                continue;
            };
            let value = value.trim().to_owned();
            if !spec.values.is_empty() && !spec.values.contains(&value) {
                return Err(format!(
                    "`{name} = \"{value}\"` is unknown; it is one of {}",
                    spec.values.join(", ")
                ));
            }
            options.insert(name.clone(), value);
        }
        for (name, value) in set {
            if self.option.contains_key(name) {
                continue;
            }
            if !COMMON.contains(&name.as_str()) {
                let known: Vec<&str> = self
                    .option
                    .keys()
                    .map(String::as_str)
                    .chain(COMMON)
                    .collect();
                return Err(format!(
                    "[source.options] `{name}` is not an option of {}; there are {}",
                    self.id,
                    known.join(", ")
                ));
            }
            options.insert(name.clone(), value.trim().to_owned());
        }
        Ok(options)
    }

    /// How many requests a minute are sent: a little below the narrowest limit, so that no window overflows.
    pub fn per_minute(&self) -> Option<u32> {
        self.limit
            .iter()
            .filter(|l| l.lane.is_none())
            .map(|l| (u64::from(l.rate) * 60 / u64::from(l.seconds.max(1))) as u32)
            .min()
            .map(|n| (n - n / 10).max(1))
    }

    /// Where the vendor's pages are, given the address of its API.
    pub fn pages(&self, base: &str) -> String {
        self.http
            .pages
            .iter()
            .find_map(|(api, web)| Some(format!("{}{web}", base.strip_suffix(api.as_str())?)))
            .unwrap_or_else(|| base.to_owned())
    }

    /// What the vendor's logins look like.
    pub fn auth_plan(&self) -> AuthPlan {
        let a = &self.auth;
        AuthPlan {
            base: self.http.base.clone(),
            oauth: OauthDefaults {
                token_url: a.token_url.clone(),
                authorize_url: a.authorize_url.clone(),
                revoke_url: a.revoke_url.clone(),
                scopes: a.scopes.clone(),
                audience: a.audience.clone(),
                send: if a.send_basic {
                    SendClient::Basic
                } else {
                    SendClient::Body
                },
                ..OauthDefaults::default()
            },
            login: a.login.as_ref().map(|l| LoginPlan {
                method: reqwest::Method::POST,
                path: l.post.clone(),
                body: match &l.json {
                    Some(table) => LoginBody::Json(serde_json::to_value(table).unwrap_or_default()),
                    None => LoginBody::Form(
                        l.form.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
                    ),
                },
                token: l.token.clone(),
                ttl: l.seconds.map(std::time::Duration::from_secs),
                expires_in: l.expires_in.clone(),
                header: l.header.clone(),
                value: l.value.clone(),
                keep: Vec::new(),
            }),
            renew_on_401: !a.ignore_401,
        }
    }
}

/// Kinds of login, as in the configuration.
pub const KINDS: [&str; 10] = [
    "bearer",
    "header",
    "query",
    "basic",
    "client_credentials",
    "refresh",
    "authorization_code",
    "jwt_bearer",
    "login",
    "none",
];

/// The request that proves the credentials.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The request.
    pub request: Request,
    /// What must be there in the answer; shown to the person.
    #[serde(default)]
    pub shows: Option<Path>,
}

/// So many requests in so long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Requests.
    pub rate: u32,
    /// In how many seconds.
    pub seconds: u32,
    /// Only requests with this `lane`; without one, all.
    #[serde(default)]
    pub lane: Option<String>,
}

/// Errors in the vendor's words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Where the words are in an answer.
    #[serde(default)]
    pub text: Option<Path>,
    /// Where the name of the refused field is.
    #[serde(default)]
    pub field: Option<Path>,
    /// What answers mean; the first that fits.
    #[serde(default)]
    pub rule: Vec<ErrorRule>,
}

/// One kind of answer and what it means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// Statuses; empty: any.
    #[serde(default)]
    pub status: Vec<u16>,
    /// Words in the error's text, in lower case.
    #[serde(default)]
    pub says: Option<String>,
    /// Something in the body; also finds errors inside a 200.
    #[serde(default)]
    pub body: Option<Condition>,
    /// What it means.
    pub then: Meaning,
    /// What a person can do.
    #[serde(default)]
    pub hint: Option<String>,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Try again later.
    Retry,
    /// The credentials are refused.
    Auth,
    /// A permission is missing.
    Permission,
    /// Nothing is there.
    Empty,
    /// The write is refused.
    Refused,
    /// The bookmark is no longer good.
    Restart,
}
