//! `csops auth login|status|logout`.

use super::args::{AuthVerb, Global};
use super::print::print_json;
use super::start::{self, Failure, narrate, prompt};
use crate::book::text::visible;
use crate::cockpit::Credentials;
use crate::cockpit::credentials::{Browser, LoginStatus, Next, TokenStatus};
use crate::config::load;
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Write};

/// Runs it.
///
/// # Errors
/// 1 when the login fails or (`status`) a source cannot log in, 2 when the settings file is not there.
pub fn run(global: &Global, verb: &AuthVerb, out: &mut dyn Write) -> Result<(), Failure> {
    let paths = start::paths(global)?;
    let loaded = load(&paths.config);
    if paths.config_named && !loaded.found {
        return Err(Failure::usage(format!(
            "the settings file {} is not there; csops init writes one",
            paths.config.display()
        )));
    }
    for problem in &loaded.problems {
        narrate(&problem.to_string());
    }
    let credentials = Credentials::new(&loaded.settings, &paths.db, Some(&paths.connectors()));
    let runtime = start::runtime(1, "csops")?;
    match verb {
        AuthVerb::Status { source, json } => status(&credentials, source.as_deref(), *json, out),
        AuthVerb::Login { source, paste } => {
            let mut asked = false;
            loop {
                let next = runtime
                    .block_on(credentials.login(source, *paste))
                    .map_err(Failure::failed)?;
                match next {
                    Next::Nothing(words) => return Err(Failure::failed(words)),
                    Next::Ask(keys) => {
                        for key in keys {
                            let secret = ask(&format!("{key} of {source}"))?;
                            let place = credentials
                                .store(source, key, &secret)
                                .map_err(Failure::failed)?;
                            narrate(&format!("{key} of {source} is kept in {place}"));
                        }
                        // The app's own secret comes before the browser.
                        let browser =
                            loaded.settings.sources.iter().any(|s| {
                                s.name == *source && s.auth.kind() == "authorization_code"
                            });
                        if !browser || asked {
                            narrate(&format!("next: csops connect check {source}"));
                            return Ok(());
                        }
                        asked = true;
                    }
                    Next::Browser(browser) => {
                        return browse(&runtime, &credentials, *browser, source, *paste);
                    }
                }
            }
        }
        AuthVerb::Logout { source } => {
            let said = runtime
                .block_on(credentials.logout(source))
                .map_err(Failure::failed)?;
            for line in said {
                writeln!(out, "{}", visible(&line))?;
            }
            Ok(())
        }
    }
}

fn browse(
    runtime: &tokio::runtime::Runtime,
    credentials: &Credentials,
    browser: Browser,
    source: &str,
    paste: bool,
) -> Result<(), Failure> {
    narrate(&format!(
        "log in to {source} here; the vendor must know the address {}:",
        browser.redirect()
    ));
    narrate(browser.address());
    let done = if paste {
        narrate(
            "then paste the address that the browser ends at (it may show an error page; that is fine):",
        );
        let text = line()?;
        runtime.block_on(credentials.pasted(browser, &text))
    } else {
        if display() && crate::tui::term::browse(browser.address()).is_ok() {
            narrate("the browser should be open now; csops waits for it");
        } else {
            narrate(
                "no browser can be opened here: open the address yourself, on this machine (elsewhere: --paste); csops waits",
            );
        }
        runtime.block_on(credentials.wait(browser))
    };
    let (place, missing) = done.map_err(Failure::failed)?;
    narrate(&format!(
        "logged in to {source}; the login is kept in {place}"
    ));
    if !missing.is_empty() {
        narrate(&format!(
            "not granted: {}. What needs it will fail; an administrator must allow it for the app, then log in again",
            missing.join(" ")
        ));
    }
    narrate(&format!("next: csops connect check {source}"));
    Ok(())
}

/// Whether there is a screen that a browser could open on.
fn display() -> bool {
    cfg!(any(target_os = "macos", windows))
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|v| std::env::var_os(v).is_some_and(|v| !v.is_empty()))
}

fn line() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut text)
        .map_err(|e| Failure::failed(format!("the input cannot be read: {e}")))?;
    Ok(text)
}

/// Asks for a secret: without echo on a terminal, else from standard input. A key in PEM may have several lines.
fn ask(what: &str) -> Result<SecretString, Failure> {
    let terminal = std::io::stdin().is_terminal();
    if terminal {
        prompt(&format!("{}: ", visible(what)));
    }
    let mut text = String::new();
    loop {
        let one = if terminal { hidden_line()? } else { line()? };
        let ended = one.is_empty();
        let one = one.trim_end_matches(['\r', '\n']);
        text.push_str(one);
        let pem = text.starts_with("-----BEGIN");
        if !pem || ended || one.starts_with("-----END") {
            break;
        }
        text.push('\n');
    }
    if terminal {
        prompt("\n");
    }
    Ok(SecretString::from(text))
}

/// One line from the keyboard that nobody sees. The terminal is put back whatever happens.
fn hidden_line() -> Result<String, Failure> {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            let _ = crossterm::terminal::disable_raw_mode();
        }
    }
    let broken = |e: std::io::Error| Failure::failed(format!("the terminal cannot be used: {e}"));
    crossterm::terminal::enable_raw_mode().map_err(broken)?;
    let _back = Back;
    let mut text = String::new();
    loop {
        match crossterm::event::read().map_err(broken)? {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                let control = key.modifiers.contains(KeyModifiers::CONTROL);
                match key.code {
                    KeyCode::Enter => {
                        text.push('\n');
                        return Ok(text);
                    }
                    KeyCode::Char('j' | 'm') if control => {
                        text.push('\n');
                        return Ok(text);
                    }
                    KeyCode::Char('c' | 'd') if control => {
                        return Err(Failure::failed("nothing was stored".into()));
                    }
                    KeyCode::Char('u') if control => text.clear(),
                    KeyCode::Esc => return Err(Failure::failed("nothing was stored".into())),
                    KeyCode::Backspace => {
                        text.pop();
                    }
                    KeyCode::Char(c) if !control => text.push(c),
                    _ => {}
                }
            }
            Event::Paste(pasted) => text.push_str(&pasted),
            _ => {}
        }
    }
}

fn status(
    credentials: &Credentials,
    only: Option<&str>,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let all = credentials.status(only).map_err(Failure::failed)?;
    let no_keyring = credentials.no_keyring();
    if as_json {
        let rows: Vec<Value> = all.iter().map(row).collect();
        print_json(
            &json!({
                "kind": "auth",
                "keyring": {"present": no_keyring.is_none(), "why_not": no_keyring},
                "rows": rows,
            }),
            out,
        )?;
    } else {
        for s in &all {
            print(s, out)?;
        }
        match &no_keyring {
            Some(why) => writeln!(
                out,
                "keyring: there is none here ({}); what csops keeps lies in files of mode 0600 beside the database",
                visible(why)
            )?,
            None => writeln!(out, "keyring: there is one; csops keeps its tokens there")?,
        }
    }
    if all.iter().all(|s| s.remedy.is_none()) {
        Ok(())
    } else {
        Err(Failure::no())
    }
}

fn row(s: &LoginStatus) -> Value {
    let secrets: Vec<Value> = s
        .secrets
        .iter()
        .map(|k| {
            json!({
                "key": k.key, "from": k.from, "resolves": k.trouble.is_none(),
                "trouble": k.trouble, "warning": k.warning,
            })
        })
        .collect();
    let time = |t: Option<i64>| {
        t.and_then(|t| Timestamp::from_second(t).ok())
            .map(|t| t.to_string())
    };
    let tokens = s.tokens.as_ref().map(|t| {
        json!({
            "kept_in": t.place, "obtained": time(t.obtained), "expires": time(t.expires),
            "scopes": t.scopes, "trouble": t.trouble,
        })
    });
    json!({
        "source": s.source, "connector": s.connector, "auth": s.kind, "ready": s.remedy.is_none(),
        "secrets": secrets, "tokens": tokens, "remedy": s.remedy,
    })
}

fn print(s: &LoginStatus, out: &mut dyn Write) -> Result<(), Failure> {
    let mark = if s.remedy.is_none() { "✓" } else { "✗" };
    writeln!(
        out,
        "{mark} {} ({}) logs in by {}",
        visible(&s.source),
        visible(&s.connector),
        s.kind
    )?;
    for k in &s.secrets {
        let words = match (&k.trouble, &k.warning) {
            (Some(trouble), _) => format!("✗ {trouble}"),
            (None, Some(warning)) => format!("from {}; warning: {warning}", k.from),
            (None, None) => format!("from {}", k.from),
        };
        writeln!(out, "    {:<14} {}", k.key, visible(&words))?;
    }
    if let Some(t) = &s.tokens {
        writeln!(out, "    {:<14} {}", "tokens", visible(&tokens(t)))?;
    }
    if let Some(remedy) = &s.remedy
        && s.secrets.iter().all(|k| k.trouble.as_ref() != Some(remedy))
    {
        writeln!(out, "    → {}", visible(remedy))?;
    }
    Ok(())
}

fn tokens(t: &TokenStatus) -> String {
    let now = Timestamp::now();
    let at = |t: i64| Timestamp::from_second(t).ok();
    let mut words = match (&t.place, &t.trouble) {
        (None, Some(trouble)) => return format!("✗ {trouble}"),
        (None, None) => return "none kept yet; the one of the configuration is used".to_owned(),
        (Some(place), None) => format!("kept in {place}"),
        (Some(place), Some(trouble)) => format!("✗ {trouble}; kept in {place}"),
    };
    if let Some(at) = t.obtained.and_then(at) {
        words.push_str(&format!(", {} old", super::status::ago(now, at)));
    }
    if let Some(at) = t.expires.and_then(at) {
        words.push_str(&if at > now {
            format!(", good for {}", super::status::ago(at, now))
        } else {
            ", over".to_owned()
        });
    }
    if let Some(scopes) = &t.scopes {
        words.push_str(&format!(", allowed: {scopes}"));
    }
    words
}
