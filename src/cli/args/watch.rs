//! The arguments of `evtap watch`.

use clap::Args;

use super::connection::{ConnectionArgs, DemoArgs};
use super::delivery::{DeliveryArgs, ReconnectArgs, ResumeArgs};
use super::filter::{FilterArgs, StopArgs};
use super::output::OutputArgs;
use super::screen::ScreenArgs;
use crate::cli::destinations::DestinationArgs;

/// `evtap watch`
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The workspace's id, or `demo` for the built-in clinic; may repeat
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "AMIGO_WORKSPACE_ID",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub workspace: Vec<String>,
    /// Open the observer of each call that starts, at most N at a time, and merge its events
    #[arg(long, value_name = "N")]
    pub auto_observe: Option<usize>,
    /// Which events are kept.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// What is shown, and how.
    #[command(flatten)]
    pub output: OutputArgs,
    /// The live screen.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// When to stop.
    #[command(flatten)]
    pub stop: StopArgs,
    /// Where to begin.
    #[command(flatten)]
    pub resume: ResumeArgs,
    /// Where events go besides stdout.
    #[command(flatten)]
    pub destinations: DestinationArgs,
    /// How events are delivered.
    #[command(flatten)]
    pub delivery: DeliveryArgs,
    /// How connections are kept.
    #[command(flatten)]
    pub reconnect: ReconnectArgs,
    /// Where the platform is.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
}
