//! Parse, run, and map the outcome to the exit status.

use std::process::ExitCode;

use evtap::cli::config::{self, ParseError};
use evtap::cli::{commands, hardening};
use evtap::error::Exit;
use evtap::output::status;
use evtap::text::terminal;

fn main() -> ExitCode {
    hardening::confine();
    let (cli, layers) = match config::parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        Err(ParseError::Set(error)) => {
            status::failed(status::StatusFormat::Text, &error);
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
