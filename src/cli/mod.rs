//! The command line: the headless commands and the start of everything.
//!
//! Enter through [`main`]. `args` holds the words, `start` what every command begins with, `open` how a cockpit is opened, `print` how rows
//! are printed, and each command has a file of its own. Data goes to stdout, narration to stderr.

mod act;
mod args;
mod auth;
mod config;
mod connect;
mod demo;
mod doctor;
mod export;
mod health;
mod import;
mod init;
mod keys;
mod list;
mod metrics;
mod open;
mod page;
mod print;
mod quality;
mod rebalance;
mod show;
mod start;
mod status;
mod whatif;

use args::{Cli, Command, Global};
use clap::Parser;
use open::{How, open};
use start::Failure;
use std::process::ExitCode;

/// Reads the command line, runs the command, and gives the exit code: 0 fine, 1 "no" or failed, 2 wrong usage, 3 no store.
pub fn main() -> ExitCode {
    start::finish(run(Cli::parse()))
}

fn run(cli: Cli) -> Result<(), Failure> {
    let global = &cli.global;
    let mut out = std::io::stdout();
    match &cli.command {
        None => cockpit(global),
        Some(Command::Demo(options)) => run_demo(global, options),
        Some(Command::Init(options)) => init::run(options, &start::paths(global)?),
        Some(Command::Sync(options)) => status::sync(global, options, &mut out),
        Some(Command::Status(options)) => status::status(global, options, &mut out),
        Some(Command::List(options)) => list::run(global, options, &mut out),
        Some(Command::Quality(options)) => quality::run(global, options, &mut out),
        Some(Command::Import(options)) => import::run(global, options, &mut out),
        Some(Command::Export(options)) => export::run(global, options, &mut out),
        Some(Command::Metrics(options)) => metrics::run(global, options, &mut out),
        Some(Command::Rebalance(options)) => rebalance::run(global, options, &mut out),
        Some(Command::Page(options)) => page::run(global, options, &mut out),
        Some(Command::Show(options)) => show::run(global, options, &mut out),
        Some(Command::Do(options)) => act::run(global, options, &mut out),
        Some(Command::Outbox(options)) => act::outbox(global, options, &mut out),
        Some(Command::Config(options)) => {
            config::run(&options.verb, &start::paths(global)?, &mut out)
        }
        Some(Command::Keys(options)) => keys::run(&options.verb, &start::paths(global)?, &mut out),
        Some(Command::Connect(options)) => connect::run(global, &options.verb, &mut out),
        Some(Command::Auth(options)) => auth::run(global, &options.verb, &mut out),
        Some(Command::Health(options)) => health::run(global, &options.verb, &mut out),
        Some(Command::Whatif(options)) => whatif::run(global, options, &mut out),
        Some(Command::Doctor(options)) => doctor::run(global, options, &mut out),
    }
}

/// The cockpit on the terminal.
fn cockpit(global: &Global) -> Result<(), Failure> {
    use std::io::IsTerminal;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "the cockpit needs a terminal; csops --help lists what works without one".into(),
        ));
    }
    let session = open(global, How::Screen)?;
    let interface = &session.loaded.settings.interface;
    let options = crate::tui::Options {
        theme: interface.theme.clone(),
        themes: Some(session.paths.themes()),
        mouse: interface.mouse,
        extended_keys: interface.extended_keys,
        screen: interface.screen,
        mine: !interface.everybody,
        keymap: std::sync::Arc::new(crate::cockpit::Keymap::load(&session.paths.keymap())),
        clock: session.clock.clone(),
    };
    let shown = session
        .runtime
        .block_on(crate::tui::run(session.cockpit.clone(), options));
    session.runtime.block_on(session.cockpit.close());
    shown.map_err(|e| Failure::failed(format!("the terminal cannot be used: {e}")))
}

/// The vendors on a runtime of their own, so that a large answer of theirs never waits in front of the cockpit's work.
fn run_demo(global: &Global, options: &args::Demo) -> Result<(), Failure> {
    let vendors = start::runtime(2, "vendors")?;
    let clock = start::clock(global, jiff::tz::TimeZone::UTC)?;
    let running = vendors.block_on(demo::begin(options, clock))?;
    if options.serve {
        return vendors.block_on(demo::serve(running));
    }
    let global = Global {
        config: Some(running.config.clone()),
        db: Some(running.db.clone()),
        state_dir: running.config.parent().map(std::path::Path::to_owned),
        ..global.clone()
    };
    let result = cockpit(&global);
    drop(running);
    vendors.shutdown_background();
    result
}
