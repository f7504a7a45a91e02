//! `[[source]]`: one system of record, its login and its field names.

use super::parse::choose;
use super::reader::{Section, Severity};
use super::secret::Secret;
use super::settings::{AuthSettings, Scope, SourceConfig};
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::time::Duration;

const KINDS: [&str; 7] = [
    "client_credentials",
    "refresh",
    "jwt_bearer",
    "bearer",
    "header",
    "basic",
    "none",
];

/// Reads one source; `None` when it cannot be used (every reason has been reported).
pub(super) fn read(mut s: Section<'_, '_>, index: usize, base: &Path) -> Option<SourceConfig> {
    let name = s.parsed("name", "", |n| {
        if n == "local" {
            Err("cannot be `local`: that is what csops itself keeps".to_owned())
        } else if n.chars().any(|c| c.is_control() || c.is_whitespace()) {
            Err("must be one word".to_owned())
        } else {
            Ok(n.to_owned())
        }
    });
    s.rename(format!(
        "source.{}",
        name.clone().unwrap_or_else(|| (index + 1).to_string())
    ));
    let connector = s.text("connector", "");
    for (key, found) in [("name", &name), ("connector", &connector)] {
        if found.is_none() && !s.has(key) {
            s.error(
                None,
                format!("this source has no `{key}`; it is left out until it has one"),
            );
        }
    }
    let base_url = s.parsed("base_url", "", |u| {
        if u.starts_with("http://") || u.starts_with("https://") {
            Ok(u.trim_end_matches('/').to_owned())
        } else {
            Err(format!("must begin with https:// or http://, not `{u}`"))
        }
    });
    let every = s
        .duration("every", "15m", 10..=604_800)
        .unwrap_or(Duration::from_secs(900));
    let scope = s
        .word(
            "scope",
            "all",
            &[("all", Scope::All), ("mine", Scope::Mine)],
        )
        .unwrap_or_default();
    if scope == Scope::Mine {
        s.reader.say(
            Severity::Warning,
            s.raw("scope").map(|v| v.span()),
            format!(
                "`{}`: this version pulls everybody's accounts; the cockpit shows yours first, `A` switches",
                s.name("scope")
            ),
        );
    }
    let daily_requests = s.whole("daily_requests", None, 1..=1_000_000_000);
    let read_only = s.flag("read_only", false);
    let ca_file = s.text("ca_file", "").map(|p| place(&p, base));
    let auth = auth(s.section("auth"), base);
    let fields = s.section("fields").text_map();
    let options = s.section("options").text_map();
    let (line, _) = s.reader.place(s.span().map_or(0, |s| s.start));
    let at = format!("{}:{line}", s.reader.file_name());
    // A login or an address that is given but wrong must not become "none": the source would then be asked for the wrong thing.
    let bad_url = base_url.is_none() && s.has("base_url");
    s.done();
    if bad_url {
        return None;
    }
    Some(SourceConfig {
        name: name?,
        connector: connector?,
        base_url,
        auth: auth?,
        every,
        scope,
        daily_requests,
        read_only,
        ca_file,
        fields,
        options,
        at,
    })
}

fn auth(s: Section<'_, '_>, base: &Path) -> Option<AuthSettings> {
    if s.span().is_some() && !s.has("kind") && s.entries().is_empty() {
        s.done();
        return Some(AuthSettings::None);
    }
    let Some(kind) = s.parsed("kind", "none", |k| choose(k, &KINDS)) else {
        if !s.has("kind") {
            s.error(
                None,
                format!(
                    "`{}` is missing; it is one of: {}",
                    s.name("kind"),
                    KINDS.join(", ")
                ),
            );
        }
        return None;
    };
    let text = |key: &'static str| {
        let v = s.text(key, "");
        if v.is_none() && !s.has(key) {
            s.error(
                None,
                format!("`{}` is missing; the kind {kind} needs it", s.name(key)),
            );
        }
        v
    };
    let auth = match kind {
        "client_credentials" => {
            let (id, secret) = (text("client_id"), need(&s, "client_secret", base));
            let token_url = s.text("token_url", "");
            (|| {
                Some(AuthSettings::ClientCredentials {
                    client_id: id?,
                    client_secret: secret?,
                    token_url,
                })
            })()
        }
        "refresh" => {
            let (id, token) = (text("client_id"), need(&s, "refresh_token", base));
            let client_secret = secret(&s, "client_secret", base);
            let token_url = s.text("token_url", "");
            (|| {
                Some(AuthSettings::Refresh {
                    client_id: id?,
                    client_secret,
                    refresh_token: token?,
                    token_url,
                })
            })()
        }
        "jwt_bearer" => {
            let (id, user) = (text("client_id"), text("username"));
            let key = need(&s, "private_key", base);
            let (audience, token_url) = (s.text("audience", ""), s.text("token_url", ""));
            (|| {
                Some(AuthSettings::JwtBearer {
                    client_id: id?,
                    username: user?,
                    private_key: key?,
                    audience,
                    token_url,
                })
            })()
        }
        "bearer" => need(&s, "token", base).map(AuthSettings::Bearer),
        "header" => {
            let (name, value) = (text("name"), need(&s, "value", base));
            (|| {
                Some(AuthSettings::Header {
                    name: name?,
                    value: value?,
                })
            })()
        }
        "basic" => {
            let (user, password) = (text("user"), need(&s, "password", base));
            (|| {
                Some(AuthSettings::Basic {
                    user: user?,
                    password: password?,
                })
            })()
        }
        _ => Some(AuthSettings::None),
    };
    s.done();
    auth
}

/// A secret that must be there.
fn need(s: &Section<'_, '_>, key: &'static str, base: &Path) -> Option<Secret> {
    let before = s.has(key) || forms(key).iter().any(|f| s.has(f));
    let secret = secret(s, key, base);
    if secret.is_none() && !before {
        s.error(
            None,
            format!(
                "`{}` is missing; give it as {key}_env, {key}_command or {key}_file",
                s.name(key)
            ),
        );
    }
    secret
}

/// The forms of a secret's key: the names are static because known keys are.
fn forms(key: &str) -> [&'static str; 4] {
    match key {
        "client_secret" => [
            "client_secret_env",
            "client_secret_command",
            "client_secret_file",
            "client_secret_keyring",
        ],
        "refresh_token" => [
            "refresh_token_env",
            "refresh_token_command",
            "refresh_token_file",
            "refresh_token_keyring",
        ],
        "private_key" => [
            "private_key_env",
            "private_key_command",
            "private_key_file",
            "private_key_keyring",
        ],
        "token" => ["token_env", "token_command", "token_file", "token_keyring"],
        "value" => ["value_env", "value_command", "value_file", "value_keyring"],
        _ => [
            "password_env",
            "password_command",
            "password_file",
            "password_keyring",
        ],
    }
}

/// A secret in one of its forms. More than one form is a mistake: nobody could say which one counts.
fn secret(s: &Section<'_, '_>, key: &'static str, base: &Path) -> Option<Secret> {
    let [env, command, file, keyring] = forms(key);
    let given: Vec<&str> = [key, env, command, file, keyring]
        .into_iter()
        .filter(|k| s.has(k))
        .collect();
    if given.len() > 1 {
        let span = s.raw(key).or(s.raw(env)).map(|v| v.span());
        s.error(
            span,
            format!(
                "`{}` is given more than once ({}); keep one",
                s.name(key),
                given.join(", ")
            ),
        );
    }
    let mut found = None;
    if let Some(raw) = s.raw(key) {
        match raw.get_ref().as_str() {
            Some(text) => {
                s.reader.say(
                    Severity::Warning,
                    Some(raw.span()),
                    format!(
                        "the secret `{}` stands in the file in plain text; better: {env}, {command} or {file}",
                        s.name(key)
                    ),
                );
                s.reader
                    .show(s.name(key), "(hidden)".to_owned(), Some(raw.span()));
                found = Some(Secret::Plain(SecretString::from(text)));
            }
            None => s.error(Some(raw.span()), format!("`{}` takes a text", s.name(key))),
        }
    }
    if s.has(env) {
        found = found.or(s.text(env, "").map(Secret::Env));
    }
    if s.has(command) {
        found = found.or(s.text(command, "").map(Secret::Command));
    }
    if s.has(file) {
        found = found.or(s.text(file, "").map(|p| Secret::File(place(&p, base))));
    }
    if let Some(raw) = s.raw(keyring) {
        s.error(
            Some(raw.span()),
            format!(
                "`{}`: this build has no keyring; use {env}, {command} or {file}",
                s.name(keyring)
            ),
        );
    }
    // The forms are known keys even when they are not there.
    for form in [env, command, file] {
        let _ = s.raw(form);
    }
    found
}

/// A path as a person writes it: `~/` is the home folder, a relative one starts at the settings file's folder.
fn place(path: &str, base: &Path) -> PathBuf {
    if let Some(rest) = path.strip_prefix("~/")
        && let Some(dirs) = directories::BaseDirs::new()
    {
        return dirs.home_dir().join(rest);
    }
    base.join(path)
}
