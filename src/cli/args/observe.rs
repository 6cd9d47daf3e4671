//! The arguments of `evtap observe`.

use clap::Args;

use super::connection::{ConnectionArgs, DemoArgs};
use super::delivery::{DeliveryArgs, ReconnectArgs};
use super::filter::{FilterArgs, StopArgs};
use super::list::trimmed;
use super::metrics::MetricsArgs;
use super::output::OutputArgs;
use super::rules::RulesArgs;
use super::screen::ScreenArgs;
use crate::cli::destinations::{DestinationArgs, OtlpArgs};

/// `evtap observe`
#[derive(Debug, Args)]
pub struct ObserveArgs {
    /// Observe this call: its SID, or `demo`; may be repeated
    #[arg(short, long, value_name = "SID", required = true, value_delimiter = ',', value_parser = trimmed)]
    pub call: Vec<String>,
    /// Id of the workspace that the calls belong to
    #[arg(short, long, value_name = "ID", env = "AMIGO_WORKSPACE_ID", hide_env_values = true)]
    pub workspace: Option<String>,
    /// The rules.
    #[command(flatten)]
    pub rules: RulesArgs,
    /// Which events are selected.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// How events are printed.
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
    /// Traces of calls.
    #[command(flatten)]
    pub otlp: OtlpArgs,
    /// What delivery guarantees.
    #[command(flatten)]
    pub delivery: DeliveryArgs,
    /// How connections are kept open and merged.
    #[command(flatten)]
    pub reconnect: ReconnectArgs,
    /// Metrics of the run.
    #[command(flatten)]
    pub metrics: MetricsArgs,
    /// How to reach the platform.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The built-in clinic.
    #[command(flatten)]
    pub demo: DemoArgs,
}
