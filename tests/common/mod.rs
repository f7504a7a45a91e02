//! What the end-to-end tests share: a real pseudo-terminal around the real program, and the simulated vendors in a process of their own.
//! Everything waits on content, never on time; the only clock here is the patience after which a wait has failed.
#![allow(dead_code)] // each test file uses its own part

pub mod desk;
pub mod pty;
pub mod vendors;

use std::path::Path;
use std::process::{Command, Output};

/// The program under test.
pub const CSOPS: &str = env!("CARGO_BIN_EXE_csops");

/// A command with a hermetic environment: nothing of the user's configuration, a fixed locale, no colours asked for.
pub fn csops(home: &Path) -> Command {
    let mut command = Command::new(CSOPS);
    command.env_clear();
    for (name, value) in environment(home) {
        command.env(name, value);
    }
    command
}

/// The hermetic environment.
pub fn environment(home: &Path) -> Vec<(String, String)> {
    let home = home.to_string_lossy().into_owned();
    [
        ("HOME", home.clone()),
        ("XDG_CONFIG_HOME", format!("{home}/config")),
        ("XDG_DATA_HOME", format!("{home}/data")),
        ("XDG_STATE_HOME", format!("{home}/state")),
        ("XDG_CACHE_HOME", format!("{home}/cache")),
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("LANG", "C.UTF-8".into()),
        ("TZ", "UTC".into()),
    ]
    .into_iter()
    .map(|(n, v)| (n.to_owned(), v))
    .collect()
}

/// Runs a headless command and gives what it printed.
pub fn run(home: &Path, args: &[&str]) -> Output {
    csops(home).args(args).output().expect("the program starts")
}

/// Runs a headless command that must succeed and parses its JSON document.
pub fn json(home: &Path, args: &[&str]) -> serde_json::Value {
    let output = run(home, args);
    assert!(
        output.status.success(),
        "csops {args:?} exited with {}:\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("one JSON document on stdout")
}
