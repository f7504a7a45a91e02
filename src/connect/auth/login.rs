//! The two-step login: a request by the connector's [`LoginPlan`], a session out of its answer.

use super::super::{ConnectError, ErrorKind};
use super::kinds::{LoginBody, LoginPlan};
use super::oauth::{Caller, at, host_and_port, keep, seconds, text_at, vendor_words};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a login gives.
pub(super) struct Session {
    /// The value of the plan's header.
    pub value: SecretString,
    pub lifetime: Option<u64>,
    pub kept: BTreeMap<String, String>,
}

/// Logs in.
pub(super) async fn log_in(
    caller: &Caller<'_>,
    plan: &LoginPlan,
    url: &Url,
    user: &SecretString,
    password: &SecretString,
) -> Result<Session, ConnectError> {
    let host = host_and_port(url);
    let fill = |text: &str| match text {
        "{user}" => user.expose_secret().to_owned(),
        "{password}" => password.expose_secret().to_owned(),
        other => other.to_owned(),
    };
    let build = || {
        let request = caller.client.request(plan.method.clone(), url.clone());
        match &plan.body {
            LoginBody::Json(body) => request.json(&filled(body, &fill)),
            LoginBody::Form(pairs) => {
                let pairs: Vec<(&str, String)> =
                    pairs.iter().map(|(k, v)| (k.as_str(), fill(v))).collect();
                request.form(&pairs)
            }
        }
    };
    let (status, body) = caller.ask(&host, build).await?;
    let answer: Option<Value> = serde_json::from_slice(&body).ok();
    if status == 404 || (300..400).contains(&status) {
        return Err(caller.error(
            ErrorKind::Setup,
            format!(
                "there is no login at {host}{} (HTTP {status}); correct `base_url`",
                url.path()
            ),
        ));
    }
    if !(200..300).contains(&status) {
        let words = answer.as_ref().and_then(vendor_words);
        let words = words.map_or(format!("HTTP {status}"), |w| format!("HTTP {status}: {w}"));
        return Err(caller.error(
            ErrorKind::Auth,
            format!(
                "{host} refuses the login ({words}); check `auth.user` and `auth.password`: csops auth status {name} says where they come from; then csops connect check {name}",
                name = caller.name
            ),
        ));
    }
    let Some(answer) = answer else {
        return Err(caller.error(
            ErrorKind::Protocol,
            format!("the login at {host} was answered with something that is not JSON; is `base_url` right?"),
        ));
    };
    let Some(token) = text_at(&answer, &plan.token) else {
        return Err(caller.error(
            ErrorKind::Protocol,
            format!(
                "the answer of the login at {host} has no `{}`; the connector's description of the login does not fit this system",
                plan.token
            ),
        ));
    };
    caller.hider.learn(&SecretString::from(token.clone()));
    let lifetime = plan
        .expires_in
        .as_deref()
        .and_then(|path| seconds(at(&answer, path)?))
        .or(plan.ttl.map(|t| t.as_secs()));
    Ok(Session {
        value: SecretString::from(plan.value.replace("{token}", &token)),
        lifetime,
        kept: keep(&answer, &plan.keep),
    })
}

/// The body with user and password in their places. Only whole texts are places, so no value can break out of its own.
fn filled(body: &Value, fill: &impl Fn(&str) -> String) -> Value {
    match body {
        Value::String(s) => Value::String(fill(s)),
        Value::Array(items) => items.iter().map(|v| filled(v, fill)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(k, v)| (k.clone(), filled(v, fill)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_whole_texts_are_replaced_and_what_is_put_in_is_not_read_again() {
        let fill = |t: &str| match t {
            "{user}" => "{password}".to_owned(),
            "{password}" => "p\"w".to_owned(),
            other => other.to_owned(),
        };
        let body = json!({"a": {"n": "{user}", "s": ["{password}"]}, "t": "x {user}", "{user}": 1});
        assert_eq!(
            filled(&body, &fill),
            json!({"a": {"n": "{password}", "s": ["p\"w"]}, "t": "x {user}", "{user}": 1})
        );
    }
}
