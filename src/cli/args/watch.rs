//! The arguments of `evtap watch`.

use std::path::PathBuf;

use clap::Args;

use super::broker::FollowArgs;
use super::connection::{ConnectionArgs, DemoArgs};
use super::delivery::{DeliveryArgs, ReconnectArgs, ResumeArgs};
use super::filter::{FilterArgs, StopArgs};
use super::list::trimmed;
use super::metrics::MetricsArgs;
use super::output::OutputArgs;
use super::rules::RulesArgs;
use super::screen::ScreenArgs;
use crate::cli::destinations::{DestinationArgs, OtlpArgs};
use crate::cli::shard::Shard;

/// `evtap watch`
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Watch this workspace: its id, or `demo`; may be repeated
    ///
    /// `demo` is a built-in synthetic clinic, which needs no account and no network.
    #[arg(
        short,
        long,
        value_name = "ID",
        env = "AMIGO_WORKSPACE_ID",
        hide_env_values = true,
        value_delimiter = ',', value_parser = trimmed
    )]
    pub workspace: Vec<String>,
    /// Watch the workspaces in this TOML file, and those of --workspace
    ///
    /// It has an array `workspaces`, of ids or of tables such as
    /// `{ id = "ID", api_key_file = "clinic.key" }` or
    /// `{ id = "ID", api_key_command = ["pass", "show", "clinic"] }`. evtap reads it again when it
    /// changes, and on SIGHUP: added workspaces start, removed ones end, and the others go on. A
    /// workspace of the environment or the configuration is not watched in addition.
    #[arg(long, value_name = "FILE")]
    pub workspaces_file: Option<PathBuf>,
    /// Watch only the workspaces of shard I of N
    ///
    /// Each workspace belongs to exactly one of N shards, so that N processes share the workspaces.
    #[arg(long, value_name = "I/N", value_hint = clap::ValueHint::Other)]
    pub shard: Option<Shard>,
    /// Also observe each call that starts, at most N at a time in all workspaces together
    #[arg(long, value_name = "N")]
    pub auto_observe: Option<usize>,
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
    /// Where to resume.
    #[command(flatten)]
    pub resume: ResumeArgs,
    /// The broker to read from.
    #[command(flatten)]
    pub follow: FollowArgs,
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
