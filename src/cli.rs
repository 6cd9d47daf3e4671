//! The command line: arguments, configuration, one file per command, and what surrounds a run.

pub mod args;
pub mod commands;
pub mod completion;
pub mod config;
pub mod hardening;
mod inputs;
#[cfg(feature = "internals")]
pub mod internals;
mod platform;
mod progress;
mod resolve;
pub mod schema;
mod session;
pub mod settings;

use std::process::ExitCode;

use crate::error::Exit;
use crate::output::status::{self, StatusFormat};
use crate::text::terminal;
use config::ParseError;

/// Parses the command line, runs the command, and returns its exit status.
#[must_use]
pub fn main() -> ExitCode {
    hardening::confine();
    let (cli, layers) = match config::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(ParseError::Set(error)) => {
            status::failed(StatusFormat::Text, &error);
            return error.exit.into();
        }
        Err(ParseError::Typed(error)) => {
            if std::env::args_os()
                .any(|argument| terminal::has_hostile(&argument.to_string_lossy()))
            {
                // It quotes what was typed, which may be the name of a file that somebody else made.
                status::lines(&error.to_string());
            } else {
                // Help and version go to stdout and are no mistake; a reader that has gone has read enough.
                let _ = error.print();
            }
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            status::report(&format!(
                "cannot start: {}; free some of the machine's resources",
                error.kind()
            ));
            return Exit::Failure.into();
        }
    };
    let format = cli.status();
    let outcome = runtime.block_on(commands::run(cli));
    // A read of stdin can't be cut short: don't wait for it.
    runtime.shutdown_background();
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            status::failed(format, &layers.explain(error.clone()));
            error.exit.into()
        }
    }
}
