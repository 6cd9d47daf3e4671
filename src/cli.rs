//! The command line: arguments, configuration, the commands, and the session that runs them.

pub mod args;
pub mod commands;
pub mod completion;
pub mod config;
mod destinations;
pub mod hardening;
mod inputs;
#[cfg(feature = "internals")]
pub mod internals;
mod platform;
mod progress;
mod resolve;
mod session;
pub mod settings;

use std::process::ExitCode;

use crate::error::{Error, Exit, Result};
use crate::output::status::{self, StatusFormat};
use crate::text::terminal;
use args::Cli;
use config::ParseError;

/// Parses the command line, runs the command, and returns its exit status.
#[must_use]
pub fn main() -> ExitCode {
    hardening::harden_process();
    let exit = match config::parse(std::env::args_os()) {
        Ok((cli, layers)) => {
            let format = cli.status();
            run(cli).unwrap_or_else(|error| fail(format, &layers.explain(error)))
        }
        Err(ParseError::Configuration(error)) => fail(StatusFormat::Text, &error),
        Err(ParseError::CommandLine(error)) => print_usage(&error),
    };
    exit.into()
}

/// Runs a command on a new single-threaded runtime.
fn run(cli: Cli) -> Result<Exit> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
            Error::new(
                Exit::Failure,
                "cannot start",
                error.kind().to_string(),
                "free some resources of this machine",
            )
        })?;
    let outcome = runtime.block_on(commands::run(cli));
    // A read of stdin cannot be aborted, so the process does not wait for it.
    runtime.shutdown_background();
    outcome
}

/// Reports an error and returns its exit status.
fn fail(format: StatusFormat, error: &Error) -> Exit {
    status::failed(format, error);
    error.exit
}

/// Prints help or the version to stdout, or a usage error to stderr.
fn print_usage(error: &clap::Error) -> Exit {
    if std::env::args_os().any(|argument| terminal::has_hostile(&argument.to_string_lossy())) {
        // The error quotes an argument. It may be a file name that somebody else chose, so control
        // characters in it must not reach the terminal.
        status::lines(&error.to_string());
    } else {
        // A closed pipe is not a failure: its reader has read enough.
        let _ = error.print();
    }
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}
