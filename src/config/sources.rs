//! `[[source]]`: one system of record, its login and its field names.

use super::parse::choose;
use super::reader::{Section, Severity};
use super::secret::{Secret, exposed};
use super::settings::{AuthSettings, Scope, SourceConfig};
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::time::Duration;

const KINDS: [&str; 10] = [
    "client_credentials",
    "refresh",
    "authorization_code",
    "jwt_bearer",
    "bearer",
    "header",
    "query",
    "basic",
    "login",
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
    let auth = auth(s.section("auth"), base, name.as_deref().unwrap_or_default());
    let fields = s.section("fields").text_map();
    let options = s.section("options").text_map();
    let secrets = named_secrets(s.section("secrets").text_map(), base);
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
        secrets,
        at,
    })
}

/// `[source.secrets]`: `app_key_env = "VAR"`. Which names a connector knows is its manifest's matter.
fn named_secrets(
    given: std::collections::BTreeMap<String, String>,
    base: &Path,
) -> std::collections::BTreeMap<String, Secret> {
    given
        .into_iter()
        .map(|(key, value)| {
            if let Some(name) = key.strip_suffix("_env") {
                (name.to_owned(), Secret::Env(value))
            } else if let Some(name) = key.strip_suffix("_command") {
                (name.to_owned(), Secret::Command(value))
            } else if let Some(name) = key.strip_suffix("_file") {
                (name.to_owned(), Secret::File(place(&value, base)))
            } else {
                (key, Secret::Plain(SecretString::from(value)))
            }
        })
        .collect()
}

fn auth(s: Section<'_, '_>, base: &Path, source: &str) -> Option<AuthSettings> {
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
    let secrets = Secrets {
        s: &s,
        base,
        source,
    };
    let auth = match kind {
        "client_credentials" => {
            let (id, secret) = (text("client_id"), secrets.need(&CLIENT_SECRET));
            let (token_url, scopes) = (s.text("token_url", ""), scopes(&s));
            (|| {
                Some(AuthSettings::ClientCredentials {
                    client_id: id?,
                    client_secret: secret?,
                    token_url,
                    scopes,
                })
            })()
        }
        "refresh" => {
            let (id, token) = (text("client_id"), secrets.need(&REFRESH_TOKEN));
            let client_secret = secrets.get(&CLIENT_SECRET);
            let (token_url, revoke_url) = (s.text("token_url", ""), s.text("revoke_url", ""));
            (|| {
                Some(AuthSettings::Refresh {
                    client_id: id?,
                    client_secret,
                    refresh_token: token?,
                    token_url,
                    revoke_url,
                })
            })()
        }
        "authorization_code" => {
            let id = text("client_id");
            let client_secret = secrets.get(&CLIENT_SECRET);
            let port = s.whole("redirect_port", None, 1..=65535);
            let (authorize_url, token_url) = (s.text("authorize_url", ""), s.text("token_url", ""));
            let (revoke_url, scopes) = (s.text("revoke_url", ""), scopes(&s));
            (|| {
                Some(AuthSettings::AuthorizationCode {
                    client_id: id?,
                    client_secret,
                    authorize_url,
                    token_url,
                    revoke_url,
                    scopes,
                    redirect_port: port.and_then(|p| u16::try_from(p).ok()),
                })
            })()
        }
        "jwt_bearer" => {
            let (id, user) = (text("client_id"), text("username"));
            let key = secrets.need(&PRIVATE_KEY);
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
        "bearer" => secrets.need(&TOKEN).map(AuthSettings::Bearer),
        "header" => {
            let (name, value) = (text("name"), secrets.need(&VALUE));
            (|| {
                Some(AuthSettings::Header {
                    name: name?,
                    value: value?,
                })
            })()
        }
        "query" => {
            let (name, value) = (text("name"), secrets.need(&VALUE));
            (|| {
                Some(AuthSettings::Query {
                    name: name?,
                    value: value?,
                })
            })()
        }
        "basic" => {
            let raw = s.flag("raw", false);
            let empty = s
                .raw("password")
                .is_some_and(|p| p.get_ref().as_str() == Some(""));
            let password = if empty {
                for form in PASSWORD.iter().skip(1) {
                    let _ = s.raw(form);
                }
                None
            } else {
                secrets.get(&PASSWORD)
            };
            // Alone the user is the key; beside a password it is only a name.
            let alone = empty || (password.is_none() && !secrets.given(&PASSWORD));
            let name_only = !alone && !raw;
            let user = secrets.read(&USER, name_only);
            if user.is_none() && !secrets.given(&USER) {
                s.error(
                    None,
                    format!("`{}` is missing; the kind basic needs it", s.name("user")),
                );
            }
            let forgotten = alone && !raw && !empty && matches!(user, Some(Secret::Plain(_)));
            if forgotten {
                s.error(
                    None,
                    format!(
                        "`{}` is missing; give it as password_env, password_command, password_file or password_keyring, or write password = \"\" where the user is the key",
                        s.name("password")
                    ),
                );
            }
            let broken = secrets.given(&PASSWORD) && password.is_none() && !empty;
            user.filter(|_| !forgotten && !broken)
                .map(|user| AuthSettings::Basic {
                    user,
                    password,
                    raw,
                })
        }
        "login" => {
            let user = secrets.read(&USER, true);
            let broken = user.is_none() && secrets.given(&USER);
            secrets
                .need(&PASSWORD)
                .filter(|_| !broken)
                .map(|password| AuthSettings::Login { user, password })
        }
        _ => Some(AuthSettings::None),
    };
    s.done();
    auth
}

fn scopes(s: &Section<'_, '_>) -> Vec<String> {
    s.texts("scopes", &[]).unwrap_or_default()
}

/// A secret's key and its forms: in plain text, and from a variable, a command, a file or the keyring. Known keys are static.
macro_rules! forms {
    ($key:literal) => {
        [
            $key,
            concat!($key, "_env"),
            concat!($key, "_command"),
            concat!($key, "_file"),
            concat!($key, "_keyring"),
        ]
    };
}

type Forms = [&'static str; 5];
const CLIENT_SECRET: Forms = forms!("client_secret");
const REFRESH_TOKEN: Forms = forms!("refresh_token");
const PRIVATE_KEY: Forms = forms!("private_key");
const TOKEN: Forms = forms!("token");
const VALUE: Forms = forms!("value");
const USER: Forms = forms!("user");
const PASSWORD: Forms = forms!("password");

/// Reads the secrets of one login.
struct Secrets<'s, 'r, 'a> {
    s: &'s Section<'r, 'a>,
    base: &'s Path,
    source: &'s str,
}

impl Secrets<'_, '_, '_> {
    fn given(&self, forms: &Forms) -> bool {
        forms.iter().any(|f| self.s.has(f))
    }

    /// A secret that must be there.
    fn need(&self, forms: &Forms) -> Option<Secret> {
        let secret = self.get(forms);
        if secret.is_none() && !self.given(forms) {
            let key = forms[0];
            self.s.error(
                None,
                format!(
                    "`{}` is missing; give it as {key}_env, {key}_command or {key}_file, or write {key}_keyring = true and run csops auth login {}",
                    self.s.name(key),
                    self.source
                ),
            );
        }
        secret
    }

    fn get(&self, forms: &Forms) -> Option<Secret> {
        self.read(forms, false)
    }

    /// A secret in one of its forms. More than one form is a mistake: nobody could say which one counts. `open`: it is no secret, and may
    /// stand in the file.
    fn read(&self, forms: &Forms, open: bool) -> Option<Secret> {
        let s = self.s;
        let [key, env, command, file, keyring] = *forms;
        let given: Vec<&str> = forms.iter().copied().filter(|k| s.has(k)).collect();
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
        if open {
            found = s
                .text(key, "")
                .map(|t| Secret::Plain(SecretString::from(t)));
        } else if let Some(raw) = s.raw(key) {
            match raw.get_ref().as_str() {
                Some(text) => {
                    s.reader.say(
                        Severity::Warning,
                        Some(raw.span()),
                        format!(
                            "the secret `{}` stands in the file in plain text; better: {env}, {command}, {file} or {keyring}",
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
            let path = s.text(file, "").map(|p| place(&p, self.base));
            if let Some(warning) = path.as_deref().and_then(exposed) {
                let span = s.raw(file).map(|v| v.span());
                s.reader.say(Severity::Warning, span, warning);
            }
            found = found.or(path.map(Secret::File));
        }
        if s.has(keyring) && s.flag(keyring, false) {
            found = found.or(Some(Secret::Kept(format!("{}/{key}", self.source))));
        }
        // The forms are known keys even when they are not there.
        for form in [env, command, file, keyring] {
            let _ = s.raw(form);
        }
        found
    }
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
