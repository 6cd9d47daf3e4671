//! The arguments of `evtap observe`.

use clap::Args;

use super::connection::{ConnectionArgs, DemoArgs};
use super::delivery::{DeliveryArgs, ReconnectArgs};
use super::filter::{FilterArgs, StopArgs};
use super::output::OutputArgs;
use super::screen::ScreenArgs;
use crate::cli::destinations::DestinationArgs;

/// `evtap observe`
#[derive(Debug, Args)]
pub struct ObserveArgs {
    /// The call's SID, or `demo` for a call of the built-in clinic; may repeat
    #[arg(short, long, value_name = "SID", required = true, value_delimiter = ',')]
    pub call: Vec<String>,
    /// The id of the calls' workspace
    #[arg(short, long, value_name = "ID", env = "AMIGO_WORKSPACE_ID", hide_env_values = true)]
    pub workspace: Option<String>,
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
