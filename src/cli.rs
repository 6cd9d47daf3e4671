//! The command line: arguments, configuration, the commands, and the session that runs them.

pub mod args;
mod broker_input;
pub mod commands;
pub mod completion;
pub mod config;
mod destinations;
pub mod hardening;
mod inputs;
#[cfg(feature = "internals")]
pub mod internals;
pub mod metrics;
mod open_files;
mod platform;
mod progress;
mod resolve;
mod secret_text;
mod session;
pub mod settings;
mod shard;
mod starts;
mod usage_error;
mod workspaces;

use std::io::Write as _;
use std::process::ExitCode;

use crate::error::{Error, Exit, Result};
use crate::output::status::{self, StatusFormat};
use args::Cli;
use config::ParseError;

/// Parses the command line, runs the command, and returns its exit status.
#[must_use]
pub fn main() -> ExitCode {
    hardening::harden_process();
    let arguments: Vec<_> = std::env::args_os().collect();
    let format = config::early_status_format(&arguments);
    status::use_json(format == StatusFormat::Json);
    let exit = match config::parse(arguments.iter().cloned()) {
        Ok((cli, layers)) => {
            let format = cli.status();
            status::use_json(format == StatusFormat::Json);
            run(cli).unwrap_or_else(|error| fail(format, &layers.explain(error)))
        }
        Err(ParseError::Configuration(error)) => fail(format, &error),
        Err(ParseError::CommandLine(error)) if !usage_error::is_help(&error) => {
            fail(format, &usage_error::explain(&error, &arguments, &args::definition()))
        }
        Err(ParseError::CommandLine(_)) if arguments.len() <= 1 => {
            status::lines(args::manual::BEGINNING);
            Exit::Usage
        }
        Err(ParseError::CommandLine(help)) => {
            print_help(&help).unwrap_or_else(|error| fail(format, &error))
        }
    };
    status::finish(exit as u8);
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

/// Prints help or the version. A closed pipe is not an error: its reader has read enough.
fn print_help(help: &clap::Error) -> Result<Exit> {
    match help.print().and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(session::stdout_failed(&error))
        }
        _ => Ok(if help.use_stderr() { Exit::Usage } else { Exit::Done }),
    }
}
