//! What every command starts with: exit codes and messages, the clock, the files, logging, signals, runtimes.

use super::args::Global;
use crate::book::text::visible;
use crate::cockpit::SystemClock;
use crate::config::{Overrides, Paths};
use jiff::tz::TimeZone;
use std::io::Write;
use std::process::ExitCode;

/// Why a command did not do what it was asked, and the exit code that says so.
#[derive(Debug)]
pub struct Failure {
    /// 1: the answer is "no" or something failed; 2: wrong usage; 3: the store cannot be opened.
    pub code: u8,
    /// For a person; empty when everything is already said.
    pub message: String,
}

impl Failure {
    /// Something failed.
    pub fn failed(message: String) -> Failure {
        Failure { code: 1, message }
    }
    /// The answer is "no", and it has been printed.
    pub fn no() -> Failure {
        Failure {
            code: 1,
            message: String::new(),
        }
    }
    /// Wrong usage, or a configuration that leaves nothing to run.
    pub fn usage(message: String) -> Failure {
        Failure { code: 2, message }
    }
    /// The store cannot be opened.
    pub fn store(message: String) -> Failure {
        Failure { code: 3, message }
    }
}

impl From<std::io::Error> for Failure {
    fn from(e: std::io::Error) -> Failure {
        // A reader that went away (`csops list | head`) has what it wanted.
        if e.kind() == std::io::ErrorKind::BrokenPipe {
            return Failure {
                code: 0,
                message: String::new(),
            };
        }
        Failure::failed(format!("the output cannot be written: {e}"))
    }
}

/// Says something on stderr, control characters made visible.
pub fn narrate(text: &str) {
    for line in text.lines() {
        prompt(&format!("{}\n", visible(line)));
    }
}

/// Asks something on stderr. Who has closed it does not want to hear it, and that is no reason to stop.
pub fn prompt(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}

/// Ends the program: the message on stderr, the code for scripts.
pub fn finish(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                narrate(&format!("csops: {}", failure.message));
            }
            ExitCode::from(failure.code)
        }
    }
}

/// The program's clock: real time, or from `--now` on.
///
/// # Errors
/// When `--now` cannot be read.
pub fn clock(global: &Global, zone: TimeZone) -> Result<SystemClock, Failure> {
    match &global.now {
        None => Ok(SystemClock::new(zone)),
        Some(text) => SystemClock::parse_start(text, &zone)
            .map(|start| SystemClock::starting_at(start, zone))
            .map_err(|e| Failure::usage(format!("--now: {e}"))),
    }
}

/// Where the files lie, by flags, environment and platform.
///
/// # Errors
/// When there is no home folder and nothing else says where.
pub fn paths(global: &Global) -> Result<Paths, Failure> {
    let flags = Overrides {
        config: global.config.clone(),
        db: global.db.clone(),
    };
    let mut paths = Paths::resolve(&flags, &|name| std::env::var(name).ok())
        .map_err(|e| Failure::usage(e.to_string()))?;
    if let Some(dir) = &global.state_dir {
        paths.state_dir.clone_from(dir);
    }
    Ok(paths)
}

/// Logs go to a file beside the state when a cockpit draws on the terminal, to stderr when a daemon runs. The guard flushes at the end.
pub fn logging(
    paths: &Paths,
    level: &str,
    to_file: bool,
) -> Option<tracing_appender::non_blocking::WorkerGuard> {
    use tracing_subscriber::EnvFilter;
    let filter = std::env::var("CSOPS_LOG")
        .ok()
        .and_then(|f| EnvFilter::try_new(f).ok())
        .unwrap_or_else(|| EnvFilter::new(format!("warn,csops={level}")));
    if !to_file {
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(false)
            .try_init();
        return None;
    }
    std::fs::create_dir_all(&paths.state_dir).ok()?;
    let file = tracing_appender::rolling::daily(&paths.state_dir, "csops.log");
    let (writer, guard) = tracing_appender::non_blocking(file);
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(false)
        .try_init();
    Some(guard)
}

/// Waits for SIGTERM, SIGINT or SIGHUP.
pub async fn until_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut hup)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) else {
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = hup.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}

/// A runtime with that many threads.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime(threads: usize, name: &str) -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("no threads can be started: {e}")))
}
