//! What a person is told when a login is refused: which credential, which permission, which command helps.

use super::super::{ConnectError, ErrorKind};
use super::oauth::{self, Caller, Denial};
use super::{Auth, Authenticator};
use reqwest::Url;

impl Authenticator {
    /// What a person does about credentials that the vendor refuses with 401: which ones, and which command helps.
    pub fn remedy(&self) -> String {
        let name = &self.source;
        let from = format!("csops auth status {name} says where it comes from");
        let again = format!("then csops connect check {name}");
        match &self.auth {
            Auth::Bearer(_) => format!(
                "the token (`auth.token`) is wrong, has run out or was revoked; {from}, csops auth login {name} stores a new one, {again}"
            ),
            Auth::Header { name: header, .. } => format!(
                "the key in the header {header} (`auth.value`) is wrong or was revoked; {from}, csops auth login {name} stores a new one, {again}"
            ),
            Auth::Query {
                name: parameter, ..
            } => format!(
                "the key in the parameter {parameter} (`auth.value`) is wrong or was revoked; {from}, csops auth login {name} stores a new one, {again}"
            ),
            Auth::Basic { .. } => format!(
                "the user or the password (`auth.user`, `auth.password`) is wrong or was revoked; {from}, csops auth login {name} stores new ones, {again}"
            ),
            Auth::Login { .. } => format!(
                "the session is not accepted although the login worked; check what the user may do, {again}"
            ),
            Auth::ClientCredentials { .. } | Auth::JwtBearer { .. } => format!(
                "a fresh token is not accepted; check that the app (`auth.client_id`) may use the API, {again}"
            ),
            Auth::Refresh { .. } | Auth::AuthorizationCode { .. } => format!(
                "a fresh token is not accepted; check that the app (`auth.client_id`) and the user may use the API, or log in anew: csops auth login {name}"
            ),
            Auth::None => format!(
                "the source has no login: set `auth` for {name} in the configuration, {again}"
            ),
        }
    }

    /// The vendor's no in words: which credential, which permission, which command helps.
    pub(super) fn refused(&self, caller: &Caller<'_>, url: &Url, denial: &Denial) -> ConnectError {
        let name = caller.name;
        let host = oauth::host_and_port(url);
        let code = &denial.code;
        let said = if code.is_empty() || denial.words.contains(code.as_str()) {
            denial.words.clone()
        } else {
            format!("{}, {code}", denial.words)
        };
        let kept = matches!(
            self.auth,
            Auth::Refresh { .. } | Auth::AuthorizationCode { .. }
        );
        let status = format!("csops auth status {name} says where it comes from");
        let check = format!("then csops connect check {name}");
        let words = match (code.as_str(), kept) {
            ("invalid_grant", true) => format!(
                "{host} refuses the refresh token ({said}): it has run out or was revoked. csops does not try it again; log in anew: csops auth login {name}"
            ),
            ("invalid_grant", false) => format!(
                "{host} refuses the login ({said}); check `auth.username`, `auth.audience` and that the app is approved for that user, {check}"
            ),
            ("invalid_scope", _) => {
                let scopes = match &self.auth {
                    Auth::ClientCredentials { scopes, .. }
                    | Auth::AuthorizationCode { scopes, .. }
                        if !scopes.is_empty() =>
                    {
                        scopes.join(" ")
                    }
                    _ => self.plan.oauth.scopes.join(" "),
                };
                format!(
                    "{host} does not grant the permission ({said}); asked for: {}. Correct `auth.scopes`, or have an administrator allow them for the app, {check}",
                    if scopes.is_empty() {
                        "the app's own scopes"
                    } else {
                        &scopes
                    }
                )
            }
            ("unauthorized_client" | "unsupported_grant_type", _) => format!(
                "{host} does not allow the kind {} for this app ({said}); an administrator must allow it for `auth.client_id`, {check}",
                self.auth.kind()
            ),
            _ => format!(
                "{host} refuses the login ({said}); check `auth.client_id` and its secret: {status}, {check}"
            ),
        };
        caller.error(ErrorKind::Auth, words)
    }

    pub(super) fn log_in_again(&self) -> String {
        format!(
            "the login was refused; log in anew: csops auth login {}",
            self.source
        )
    }
}
