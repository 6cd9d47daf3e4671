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
mod usage_error;

use std::process::ExitCode;

use crate::error::{Error, Exit, Result};
use crate::output::status::{self, StatusFormat};
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
        Err(ParseError::CommandLine(error)) if !usage_error::is_help(&error) => {
            let arguments: Vec<_> = std::env::args_os().collect();
            let error = usage_error::explain(&error, &arguments, &args::definition());
            fail(usage_error::status_format(&arguments), &error)
        }
        Err(ParseError::CommandLine(help)) => {
            // A closed pipe is not a failure: its reader has read enough.
            let _ = help.print();
            if help.use_stderr() { Exit::Usage } else { Exit::Done }
        }
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
