//! The operating system's keyring, asked through the system's own program for it (`secret-tool` of libsecret, `security` of macOS), so that
//! csops carries no bus protocol and no cryptography of its own for it. Secrets go in and out by pipes, never on a command line.

use secrecy::{ExposeSecret, SecretString};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The service under which everything is kept.
pub const SERVICE: &str = "csops";
/// A locked keyring asks its owner for the password; longer than this nobody waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the keyring did not do what it was asked. Neither holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyringError {
    /// There is none here: no service, no program for it, or it is switched off.
    Absent(String),
    /// There is one, and it does not answer or refuses.
    Failed(String),
}

impl KeyringError {
    /// The reason.
    pub fn words(&self) -> &str {
        match self {
            KeyringError::Absent(words) | KeyringError::Failed(words) => words,
        }
    }
}

/// A keyring. Accounts are `SOURCE/KEY`. May block: not for an asynchronous thread.
pub trait Keyring: Send + Sync {
    /// The secret of an account, if it has one.
    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError>;
    /// Keeps a secret, instead of an older one.
    fn set(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError>;
    /// Forgets a secret; fine when there is none.
    fn delete(&self, account: &str) -> Result<(), KeyringError>;
}

/// The system's keyring.
pub struct System {
    /// Why there is none, where that is known without asking.
    absent: Option<String>,
}

impl System {
    /// Looks around; asks nobody yet. `CSOPS_KEYRING=off` switches it off.
    pub fn new(env: &dyn Fn(&str) -> Option<String>) -> System {
        let absent = if env("CSOPS_KEYRING").is_some_and(|v| v == "off") {
            Some("it is switched off by CSOPS_KEYRING=off".to_owned())
        } else if cfg!(target_os = "macos") {
            None
        } else if cfg!(unix) {
            let bus = env("DBUS_SESSION_BUS_ADDRESS").is_some_and(|v| !v.is_empty())
                || env("XDG_RUNTIME_DIR")
                    .is_some_and(|dir| std::path::Path::new(&dir).join("bus").exists());
            (!bus).then(|| "no session bus runs here".to_owned())
        } else {
            Some("this system's keyring is not supported".to_owned())
        };
        System { absent }
    }

    fn present(&self) -> Result<(), KeyringError> {
        match &self.absent {
            Some(why) => Err(KeyringError::Absent(why.clone())),
            None => Ok(()),
        }
    }
}

impl Keyring for System {
    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        self.present()?;
        let said = if cfg!(target_os = "macos") {
            let args = ["find-generic-password", "-s", SERVICE, "-a", account, "-w"];
            run("security", &args, "")?
        } else {
            run(
                "secret-tool",
                &["lookup", "service", SERVICE, "account", account],
                "",
            )?
        };
        match said {
            Said::Fine(text) => Ok(decode(text.trim_end_matches(['\n', '\r']))),
            Said::Nothing => Ok(None),
        }
    }

    fn set(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError> {
        self.present()?;
        let text = encode(secret);
        let said = if cfg!(target_os = "macos") {
            // Its interactive form reads the whole command from standard input.
            let line = format!(
                "add-generic-password -U -s {SERVICE} -a {} -w {}\n",
                quoted(account),
                quoted(text.expose_secret())
            );
            run("security", &["-i"], &line)?
        } else {
            let label = format!("--label=csops: {account}");
            let args = ["store", &label, "service", SERVICE, "account", account];
            run("secret-tool", &args, text.expose_secret())?
        };
        match said {
            Said::Fine(_) => Ok(()),
            Said::Nothing => Err(KeyringError::Failed(
                "it did not take the secret and does not say why".into(),
            )),
        }
    }

    fn delete(&self, account: &str) -> Result<(), KeyringError> {
        self.present()?;
        if cfg!(target_os = "macos") {
            let args = ["delete-generic-password", "-s", SERVICE, "-a", account];
            run("security", &args, "")?;
        } else {
            run(
                "secret-tool",
                &["clear", "service", SERVICE, "account", account],
                "",
            )?;
        }
        Ok(())
    }
}

/// Several lines (a key in PEM) are kept as one: not every keyring's program gives line ends back as they were.
const LINES: &str = "csops-json:";

fn encode(secret: &SecretString) -> SecretString {
    let text = secret.expose_secret();
    if text.contains(['\n', '\r']) || text.starts_with(LINES) {
        let coded = serde_json::Value::String(text.to_owned()).to_string();
        SecretString::from(format!("{LINES}{coded}"))
    } else {
        secret.clone()
    }
}

fn decode(text: &str) -> Option<SecretString> {
    if text.is_empty() {
        return None;
    }
    let decoded = text
        .strip_prefix(LINES)
        .and_then(|json| serde_json::from_str::<String>(json).ok());
    Some(SecretString::from(
        decoded.unwrap_or_else(|| text.to_owned()),
    ))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

enum Said {
    Fine(String),
    /// It has nothing under that name.
    Nothing,
}

/// Runs the system's program; what it must not show goes in by `input`.
fn run(program: &str, args: &[&str], input: &str) -> Result<Said, KeyringError> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| {
            KeyringError::Absent(if e.kind() == std::io::ErrorKind::NotFound {
                format!(
                    "the program {program} is not installed (libsecret-tools, on Debian and Ubuntu)"
                )
            } else {
                format!("{program} could not be started ({e})")
            })
        })?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends early says why on its own.
        let _ = stdin.write_all(input.as_bytes());
    }
    let gather = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut stream) = stream {
                let _ = stream.read_to_string(&mut text);
            }
            text
        })
    };
    let out = gather(
        child
            .stdout
            .take()
            .map(|s| Box::new(s) as Box<dyn Read + Send>),
    );
    let err = gather(
        child
            .stderr
            .take()
            .map(|s| Box::new(s) as Box<dyn Read + Send>),
    );
    let until = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(KeyringError::Failed(format!(
                    "it did not answer within {} seconds; is it locked? Unlock it and try again",
                    PATIENCE.as_secs()
                )));
            }
            Err(e) => return Err(KeyringError::Failed(format!("{program} was lost ({e})"))),
        }
    };
    let (out, err) = (
        out.join().unwrap_or_default(),
        err.join().unwrap_or_default(),
    );
    judge(status.success(), out, &err)
}

/// What the program's end means. Only its complaints are ever shown, never what it printed.
fn judge(success: bool, out: String, err: &str) -> Result<Said, KeyringError> {
    let said = err.lines().map(str::trim).find(|l| !l.is_empty());
    match (success, said) {
        (true, _) => Ok(Said::Fine(out)),
        (false, None) => Ok(Said::Nothing),
        (false, Some(said)) => {
            let low = err.to_ascii_lowercase();
            if low.contains("could not be found in the keychain") {
                return Ok(Said::Nothing);
            }
            let absent = [
                "not provided by any .service",
                "autolaunch",
                "could not connect",
                "cannot connect",
                "connection refused",
                "no such file",
                "exited with status",
                "spawn.",
            ];
            let words: String = crate::book::text::visible(said).chars().take(160).collect();
            Err(if absent.iter().any(|a| low.contains(a)) {
                KeyringError::Absent(format!("no keyring service answers ({words})"))
            } else {
                KeyringError::Failed(words)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_several_lines_comes_back_as_it_was() {
        for text in [
            "abc",
            "-----BEGIN\nx\r\ny\n-----END",
            "csops-json:\"x\"",
            "a\"b\\c",
        ] {
            let back = decode(encode(&SecretString::from(text)).expose_secret()).unwrap();
            assert_eq!(back.expose_secret(), text);
            assert!(!encode(&back).expose_secret().contains('\n'));
        }
        assert!(decode("").is_none());
    }

    #[test]
    fn the_end_of_the_program_is_understood_and_what_it_printed_is_never_shown() {
        assert!(matches!(judge(true, "s3cret".into(), ""), Ok(Said::Fine(s)) if s == "s3cret"));
        assert!(matches!(judge(false, String::new(), ""), Ok(Said::Nothing)));
        let no_service =
            "secret-tool: The name org.freedesktop.secrets was not provided by any .service files";
        let Err(KeyringError::Absent(words)) = judge(false, "s3cret".into(), no_service) else {
            panic!("absent");
        };
        assert!(!words.contains("s3cret"));
        assert!(matches!(
            judge(
                false,
                String::new(),
                "secret-tool: the collection is locked"
            ),
            Err(KeyringError::Failed(_))
        ));
    }

    #[test]
    fn without_a_bus_or_when_switched_off_there_is_none_and_it_says_why() {
        for (name, value, part) in [
            ("CSOPS_KEYRING", "off", "CSOPS_KEYRING=off"),
            #[cfg(not(target_os = "macos"))]
            ("X", "", "no session bus"),
        ] {
            let system = System::new(&|n| (n == name).then(|| value.to_owned()));
            let Err(KeyringError::Absent(words)) = system.get("crm/token") else {
                panic!("absent");
            };
            assert!(words.contains(part), "{words}");
        }
    }
}
