//! The commands, one file for each.
//!
//! Most commands resolve their arguments, build a session and run it. To understand a command,
//! start reading in its file.

mod alert;
mod audit;
mod complete;
mod config;
mod diff;
mod distil;
mod doctor;
mod expect;
mod frames;
mod generate;
mod help;
#[cfg(feature = "mcp")]
mod mcp;
mod observe;
mod replay;
mod schema;
mod serve;
mod stats;
#[cfg(feature = "nats")]
mod taps;
mod timeline;
mod verify;
mod watch;

use crate::cli::args::{Cli, Command};
use crate::error::{Exit, Result};

/// Runs a command to its end.
pub async fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        // The other commands do not take the memory that these need.
        Command::Watch(args) => Box::pin(watch::run(args)).await,
        Command::Observe(args) => Box::pin(observe::run(args)).await,
        Command::Replay(args) => Box::pin(replay::run(args)).await,
        Command::Expect(args) => Box::pin(expect::run(args)).await,
        Command::Alert(args) => Box::pin(alert::run(args)).await,
        Command::Stats(args) => Box::pin(stats::run(args)).await,
        Command::Timeline(args) => Box::pin(timeline::run(args)).await,
        Command::Diff(args) => Box::pin(diff::run(args)).await,
        Command::Distil(args) => Box::pin(distil::run(args)).await,
        #[cfg(feature = "nats")]
        Command::Taps(args) => taps::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Schema(args) => schema::run(&args),
        #[cfg(feature = "mcp")]
        Command::Mcp(args) => Box::pin(mcp::run(args)).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Verify(args) => Box::pin(verify::run(args)).await,
        Command::Frames(args) => frames::run(args).await,
        Command::Config(args) => config::run(&args, &cli.config_choice),
        Command::Doctor(args) => doctor::run(args, &cli.config_choice).await,
        Command::Generate(args) => generate::run(&args),
        Command::Help(args) => help::run(&args),
        Command::Complete(args) => complete::run(&args),
    }
}
