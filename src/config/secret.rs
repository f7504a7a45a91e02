//! Secrets: never in a log, an error or `config show`; fetched only when they are needed.

use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where a secret is to be had.
#[derive(Clone)]
pub enum Secret {
    /// It stands in the settings file (warned about).
    Plain(SecretString),
    /// In an environment variable.
    Env(String),
    /// The first line that a command prints; run by `sh -c`.
    Command(String),
    /// The content of a file that only its owner should be able to read.
    File(PathBuf),
    /// In the system's keyring, or where there is none in a file of csops' own; `csops auth login` puts it there. `crm/token`.
    Kept(String),
}

/// Why a secret could not be had. Never contains it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl Secret {
    /// Where it comes from, in words and without the secret: `from the variable SF_SECRET`.
    pub fn describe(&self) -> String {
        match self {
            Secret::Plain(_) => "(hidden)".to_owned(),
            Secret::Env(name) => format!("(from the variable {name})"),
            Secret::Command(command) => format!("(from the command `{command}`)"),
            Secret::File(path) => format!("(from the file {})", path.display()),
            Secret::Kept(_) => "(from the keyring)".to_owned(),
        }
    }

    /// Fetches the secret; `kept` looks into the keyring. May run a command and may block: not for the user interface's thread.
    pub fn resolve(
        &self,
        env: &dyn Fn(&str) -> Option<String>,
        kept: &dyn Fn(&str) -> Result<SecretString, SecretError>,
    ) -> Result<SecretString, SecretError> {
        match self {
            Secret::Plain(s) if s.expose_secret().is_empty() => {
                Err(SecretError("the secret in the settings file is empty; write it there or use the forms _env, _command or _file".into()))
            }
            Secret::Plain(s) => Ok(s.clone()),
            Secret::Env(name) => env(name).filter(|v| !v.is_empty()).map(SecretString::from).ok_or_else(|| {
                SecretError(format!(
                    "the environment variable {name} is not set; set it before csops starts"
                ))
            }),
            Secret::Command(command) => run(command),
            Secret::File(path) => read_file(path),
            Secret::Kept(account) => kept(account),
        }
    }
}

fn run(command: &str) -> Result<SecretString, SecretError> {
    let output = Command::new("sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|e| SecretError(format!("the command `{command}` could not be started: {e}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or("nothing").trim().to_owned();
        return Err(SecretError(format!(
            "the command `{command}` failed ({}); it said: {said}. Run it in a shell to see why",
            output.status
        )));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| {
        SecretError(format!(
            "the command `{command}` printed something that is not text"
        ))
    })?;
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => {
            // Keys in PEM have several lines; everything else is the first one.
            let secret = if line.starts_with("-----BEGIN") {
                text.trim()
            } else {
                line
            };
            Ok(SecretString::from(secret))
        }
        _ => Err(SecretError(format!(
            "the command `{command}` printed nothing"
        ))),
    }
}

fn read_file(path: &PathBuf) -> Result<SecretString, SecretError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|e| SecretError(format!("the secret's file {shown} cannot be read: {e}")))?;
    if text.trim().is_empty() {
        return Err(SecretError(format!("the secret's file {shown} is empty")));
    }
    Ok(SecretString::from(text.trim()))
}

/// What is wrong with who may read a secret's file; nothing when it is not there or only its owner can.
pub fn exposed(path: &std::path::Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).ok()?.permissions().mode();
        if mode & 0o077 != 0 {
            let shown = path.display();
            return Some(format!(
                "the secret's file {shown} can be read by others (mode {:04o}); run: chmod 600 {shown}",
                mode & 0o7777
            ));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    fn keyring(account: &str) -> Result<SecretString, SecretError> {
        if account == "crm/token" {
            Ok(SecretString::from("from-keyring"))
        } else {
            Err(SecretError("not kept".into()))
        }
    }

    fn resolve(secret: &Secret) -> Result<String, String> {
        let env = |n: &str| (n == "X").then(|| "from-env".to_owned());
        match secret.resolve(&env, &keyring) {
            Ok(s) => Ok(s.expose_secret().to_owned()),
            Err(e) => Err(e.0),
        }
    }

    #[test]
    fn a_secret_is_not_in_its_debug_text_and_each_form_resolves() {
        let plain = Secret::Plain(SecretString::from("hunter2"));
        assert!(!format!("{plain:?}").contains("hunter2"));
        let got = |s: Secret| resolve(&s);
        assert_eq!(got(Secret::Env("X".into())).unwrap(), "from-env");
        assert_eq!(
            got(Secret::Command("printf 'one\\ntwo'".into())).unwrap(),
            "one"
        );
        assert_eq!(
            got(Secret::Kept("crm/token".into())).unwrap(),
            "from-keyring"
        );
        assert_eq!(
            got(Secret::Kept("crm/value".into())).unwrap_err(),
            "not kept"
        );
        let error = got(Secret::Command("echo no entry >&2; exit 3".into())).unwrap_err();
        assert!(error.contains("no entry"), "{error}");
        let error = Secret::Env("X".into())
            .resolve(&none, &keyring)
            .unwrap_err();
        assert!(error.0.contains("variable X is not set"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_file_that_others_can_read_is_told_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "abc\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let warning = exposed(&path).expect("others can read it");
        assert!(
            warning.contains("0640") && warning.contains("chmod 600"),
            "{warning}"
        );
        assert!(!warning.contains("abc"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(exposed(&path), None);
        assert_eq!(resolve(&Secret::File(path)).unwrap(), "abc");
    }
}
