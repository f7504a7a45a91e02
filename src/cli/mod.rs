//! The command line: the headless commands and the start of everything.
//!
//! Enter through [`main`]. `args` holds the words, `start` what every command begins with, `print` how rows are printed, and each command
//! has a file of its own. Data goes to stdout, narration to stderr.

mod args;
mod config;
mod demo;
mod init;
mod keys;
mod print;
mod start;

use args::{Cli, Command};
use clap::Parser;
use start::Failure;
use std::process::ExitCode;

/// Reads the command line, runs the command, and gives the exit code: 0 fine, 1 "no" or failed, 2 wrong usage, 3 no store.
pub fn main() -> ExitCode {
    start::finish(run(Cli::parse()))
}

fn run(cli: Cli) -> Result<(), Failure> {
    let global = &cli.global;
    let mut out = std::io::stdout().lock();
    match &cli.command {
        Some(Command::Demo(options)) => {
            let runtime = start::runtime(2, "vendors")?;
            let clock = start::clock(global, jiff::tz::TimeZone::UTC)?;
            let running = runtime.block_on(demo::begin(options, clock))?;
            runtime.block_on(demo::serve(running))
        }
        Some(Command::Init(options)) => init::run(options, &start::paths(global)?),
        Some(Command::Config(options)) => {
            config::run(&options.verb, &start::paths(global)?, &mut out)
        }
        Some(Command::Keys(options)) => keys::run(&options.verb, &start::paths(global)?, &mut out),
        _ => Err(Failure::usage("not yet".into())),
    }
}
