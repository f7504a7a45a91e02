//! `csops auth` with the real program: logging in through a browser elsewhere and on this machine, typing a secret, what is shown of it, and
//! forgetting it. The vendor is a small one on loopback.

mod common;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use common::csops;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Seen {
    challenges: HashMap<String, String>,
    revoked: Vec<String>,
    authorizations: Vec<String>,
}

type Shared = Arc<Mutex<Seen>>;

fn form(body: &str) -> HashMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://x/?{body}")).expect("a form");
    url.query_pairs().into_owned().collect()
}

async fn authorize(State(seen): State<Shared>, Query(q): Query<HashMap<String, String>>) -> String {
    let mut seen = seen.lock().expect("whole");
    let code = format!("code-secret-{}", seen.challenges.len());
    seen.challenges
        .insert(code.clone(), q["code_challenge"].clone());
    format!("{}?code={code}&state={}", q["redirect_uri"], q["state"])
}

async fn token(State(seen): State<Shared>, body: String) -> axum::Json<Value> {
    use csops::connect::auth::encode::{base64url, sha256};
    let form = form(&body);
    let challenge = seen.lock().expect("whole").challenges.remove(&form["code"]);
    let proved = challenge == Some(base64url(&sha256(&form["code_verifier"])));
    axum::Json(if proved {
        json!({"access_token": "access-secret", "refresh_token": "refresh-secret", "scope": "api"})
    } else {
        json!({"error": "invalid_grant"})
    })
}

async fn revoke(State(seen): State<Shared>, body: String) {
    seen.lock()
        .expect("whole")
        .revoked
        .push(form(&body)["token"].clone());
}

async fn anything(State(seen): State<Shared>, headers: HeaderMap) -> axum::Json<Value> {
    let header = headers
        .get("authorization")
        .map_or("", |h| h.to_str().expect("text"));
    seen.lock()
        .expect("whole")
        .authorizations
        .push(header.to_owned());
    axum::Json(json!({}))
}

/// A home folder, a vendor, and a runtime for the vendor and for the browser.
struct Desk {
    home: tempfile::TempDir,
    base: String,
    seen: Shared,
    runtime: tokio::runtime::Runtime,
}

impl Desk {
    fn new(auth: &str) -> Desk {
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let seen = Shared::default();
        let app = Router::new()
            .route("/services/oauth2/authorize", get(authorize))
            .route("/services/oauth2/token", post(token))
            .route("/services/oauth2/revoke", post(revoke))
            .fallback(anything)
            .with_state(seen.clone());
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        runtime.spawn(async move { axum::serve(listener, app).await });
        let home = tempfile::tempdir().expect("a folder");
        let desk = Desk {
            home,
            base,
            seen,
            runtime,
        };
        desk.configure(auth);
        desk
    }

    fn configure(&self, auth: &str) {
        let text = format!(
            "[[source]]\nname = \"crm\"\nconnector = \"salesforce\"\nbase_url = \"{}\"\nauth = {{ {auth} }}\n",
            self.base
        );
        std::fs::write(self.home.path().join("config.toml"), text).expect("written");
    }

    fn command(&self, args: &[&str]) -> Command {
        let at = |name: &str| self.home.path().join(name);
        let mut command = csops(self.home.path());
        command.arg("--config").arg(at("config.toml"));
        command.arg("--db").arg(at("data/csops.db"));
        command.args(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        finish(self.command(args), input)
    }

    fn status(&self) -> Value {
        let output = self.run(&["auth", "status", "--json"], "");
        silent(&output);
        let all: Value = serde_json::from_slice(&output.stdout).expect("one document");
        let row = all["rows"][0].clone();
        assert_eq!(output.status.success(), row["ready"] == true, "{row}");
        row
    }

    fn get(&self, address: &str) -> String {
        let address = address.replace("localhost", "127.0.0.1");
        self.runtime.block_on(async {
            let client = reqwest::Client::builder()
                .no_proxy()
                .tls_certs_only([])
                .build()
                .expect("a client");
            client
                .get(address)
                .send()
                .await
                .expect("answered")
                .text()
                .await
                .expect("text")
        })
    }
}

fn finish(mut command: Command, input: &str) -> Output {
    let mut child = command.spawn().expect("the program starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(input.as_bytes())
        .expect("read");
    child.wait_with_output().expect("it ends")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Nothing secret was printed.
fn silent(output: &Output) {
    let text = text(output);
    for secret in [
        "access-secret",
        "refresh-secret",
        "code-secret",
        "typed-secret",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// Reads what the program says until it names the address to open.
fn address(child: &mut Child) -> (String, BufReader<std::process::ChildStderr>) {
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut all = String::new();
    loop {
        let mut line = String::new();
        assert_ne!(
            said.read_line(&mut line).expect("text"),
            0,
            "no address in {all}"
        );
        if line.starts_with("http") {
            return (line.trim().to_owned(), said);
        }
        all.push_str(&line);
    }
}

const BROWSER: &str =
    r#"kind = "authorization_code", client_id = "app", scopes = ["api", "refresh_token"]"#;

fn token_file(home: &Path) -> std::path::PathBuf {
    home.join("data/tokens/crm.token")
}

#[test]
fn a_browser_elsewhere_one_here_and_forgetting_it_all() {
    let desk = Desk::new(BROWSER);
    let before = desk.status();
    assert_eq!(before["ready"], false);
    assert!(
        before["remedy"]
            .as_str()
            .expect("a remedy")
            .contains("csops auth login crm"),
        "{before}"
    );

    let mut child = desk
        .command(&["auth", "login", "crm", "--paste"])
        .spawn()
        .expect("it starts");
    let (open, mut said) = address(&mut child);
    let back = desk.get(&open);
    let mut stdin = child.stdin.take().expect("a pipe");
    writeln!(stdin, "{back}").expect("read");
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("text");
    assert!(child.wait().expect("it ends").success(), "{rest}");
    for part in [
        "logged in to crm",
        "no session bus",
        "not granted: refresh_token",
        "csops connect check crm",
    ] {
        assert!(rest.contains(part), "{part} in {rest}");
    }
    assert!(!rest.contains("secret"), "{rest}");

    let after = desk.status();
    assert_eq!(after["ready"], true, "{after}");
    assert_eq!(after["auth"], "authorization_code");
    assert_eq!(after["tokens"]["scopes"], "api");
    assert!(after["tokens"]["obtained"].is_string(), "{after}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(token_file(desk.home.path()))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let shown = desk.run(&["auth", "status"], "");
    silent(&shown);
    assert!(
        text(&shown).contains("✓ crm (salesforce) logs in by authorization_code"),
        "{}",
        text(&shown)
    );

    let out = desk.run(&["auth", "logout", "crm"], "");
    assert!(out.status.success(), "{}", text(&out));
    silent(&out);
    assert_eq!(desk.seen.lock().expect("whole").revoked, ["refresh-secret"]);
    assert!(!token_file(desk.home.path()).exists());
    assert_eq!(desk.status()["ready"], false);

    // The browser of this machine: it comes back by itself.
    let mut child = desk
        .command(&["auth", "login", "crm"])
        .spawn()
        .expect("it starts");
    let (open, mut said) = address(&mut child);
    let back = desk.get(&open);
    assert!(desk.get(&back).contains("csops has heard it"));
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("text");
    assert!(child.wait().expect("it ends").success(), "{rest}");
    assert_eq!(desk.status()["ready"], true);
}

#[test]
fn a_typed_secret_is_kept_shown_to_nobody_used_and_forgotten() {
    let desk = Desk::new(r#"kind = "bearer", token_keyring = true"#);
    let before = desk.status();
    assert_eq!(before["secrets"][0]["resolves"], false);
    let told = desk.run(&["auth", "login", "crm"], "typed-secret\n");
    assert!(told.status.success(), "{}", text(&told));
    silent(&told);
    assert!(
        text(&told).contains("there is no keyring"),
        "{}",
        text(&told)
    );
    assert_eq!(desk.status()["ready"], true);
    // The vendor is not a real one: only what it was shown counts.
    silent(&desk.run(&["connect", "check", "crm"], ""));
    let shown = desk.seen.lock().expect("whole").authorizations.clone();
    assert!(
        shown.contains(&"Bearer typed-secret".to_owned()),
        "{shown:?}"
    );
    let out = desk.run(&["auth", "logout", "crm"], "");
    assert!(
        out.status.success() && text(&out).contains("forgotten: `auth.token`"),
        "{}",
        text(&out)
    );
    assert_eq!(desk.status()["ready"], false);

    let nothing = desk.run(&["auth", "login", "crm"], "\n");
    assert_eq!(nothing.status.code(), Some(1), "{}", text(&nothing));
    desk.configure(r#"kind = "bearer", token_env = "NO_SUCH_VARIABLE""#);
    let elsewhere = desk.run(&["auth", "login", "crm"], "typed-secret\n");
    assert_eq!(elsewhere.status.code(), Some(1));
    for part in ["NO_SUCH_VARIABLE", "token_keyring = true"] {
        assert!(text(&elsewhere).contains(part), "{}", text(&elsewhere));
    }
    let unknown = desk.run(&["auth", "login", "crn"], "");
    assert!(
        text(&unknown).contains("there are crm"),
        "{}",
        text(&unknown)
    );
}

/// A stand-in for libsecret's program: it writes down how it was called, and keeps what comes in by standard input.
#[cfg(unix)]
const SECRET_TOOL: &str = r#"#!/bin/sh
dir=$(dirname "$0")
echo "$@" >> "$dir/calls"
verb=$1
for last; do :; done
file="$dir/$(echo "$last" | tr / _)"
case $verb in
  store) cat > "$file" ;;
  lookup) test -f "$file" && cat "$file" ;;
  clear) rm -f "$file" ;;
esac
"#;

#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn the_keyring_gets_the_secret_by_a_pipe_and_no_file_of_ours_has_it() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new(r#"kind = "bearer", token_keyring = true"#);
    let tools = desk.home.path().join("tools");
    std::fs::create_dir(&tools).expect("a folder");
    let tool = tools.join("secret-tool");
    std::fs::write(&tool, SECRET_TOOL).expect("written");
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let with = |args: &[&str], input: &str| {
        let mut command = desk.command(args);
        let path = format!(
            "{}:{}",
            tools.display(),
            std::env::var("PATH").unwrap_or_default()
        );
        command
            .env("PATH", path)
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
        finish(command, input)
    };
    let told = with(&["auth", "login", "crm"], "typed-secret\n");
    assert!(
        told.status.success() && text(&told).contains("kept in the keyring"),
        "{}",
        text(&told)
    );
    let calls = std::fs::read_to_string(tools.join("calls")).expect("called");
    assert!(
        calls.contains("store") && !calls.contains("typed-secret"),
        "{calls}"
    );
    assert_eq!(
        std::fs::read_to_string(tools.join("crm_token")).expect("kept"),
        "typed-secret"
    );
    let ours = std::fs::read_to_string(desk.home.path().join("data/tokens/crm.token.token"))
        .expect("a note");
    assert!(!ours.contains("typed-secret"), "{ours}");
    let status = with(&["auth", "status", "--json"], "");
    silent(&status);
    assert!(status.status.success(), "{}", text(&status));
    assert!(with(&["auth", "logout", "crm"], "").status.success());
    assert!(!tools.join("crm_token").exists());
}
