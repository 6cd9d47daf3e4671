//! The options for reading from a stream of a NATS server, and for reaching it.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::list::trimmed;

/// How to reach a stream of a NATS server, to publish or to read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Broker")]
#[command(group = ArgGroup::new("broker").multiple(true))]
pub struct BrokerArgs {
    /// Read the credentials for the NATS server from this file
    ///
    /// The file has mode 0600 and the format of `nsc generate creds`.
    #[arg(long, value_name = "FILE", requires = "broker")]
    pub nats_creds: Option<PathBuf>,
    /// First part of the subjects of events
    ///
    /// The subject of an event is `PREFIX.WORKSPACE.TYPE`, and that of an observer's event
    /// `PREFIX.WORKSPACE.observer.CALL.TYPE`.
    #[arg(long, value_name = "PREFIX", default_value = "evtap", requires = "broker")]
    pub subject_prefix: String,
}

/// Reading a stream of a NATS server as it grows.
#[derive(Debug, Args)]
#[command(next_help_heading = "Broker")]
pub struct FollowArgs {
    /// Read from a stream of a NATS server instead of the platform
    ///
    /// `nats://HOST[:PORT]/STREAM`, or `tls://` for TLS. --workspace, --call and --event are applied
    /// by the server. No API key is needed.
    #[arg(long, value_name = "URL", groups = ["broker", "remote"], conflicts_with_all = ["cursor", "auto_observe", "workspaces_file", "shard"])]
    pub from: Option<String>,
    /// Share the events with all other processes that name the same consumer
    ///
    /// Each event goes to one of them, which acknowledges it after delivering it. If one dies, its
    /// events go to another. A new consumer begins where --since says.
    #[arg(long, value_name = "NAME", requires = "from")]
    pub consumer: Option<String>,
    /// The calls to read.
    #[command(flatten)]
    pub calls: StoredCallsArgs,
}

/// Reading what a stream of a NATS server holds.
#[derive(Debug, Args)]
#[command(next_help_heading = "Broker")]
pub struct FromArgs {
    /// Read what a stream of a NATS server holds
    ///
    /// `nats://HOST[:PORT]/STREAM`, or `tls://` for TLS. Reads to the last event that is stored when
    /// the command starts.
    #[arg(long, value_name = "URL", groups = ["broker", "remote", "stored"])]
    pub from: Option<String>,
}

/// The workspaces whose stored events are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Broker")]
pub struct StoredWorkspacesArgs {
    /// With --from, read only the events of this workspace; may be repeated
    #[arg(short, long, value_name = "ID", value_delimiter = ',', value_parser = trimmed, requires = "from")]
    pub workspace: Vec<String>,
}

/// The calls whose stored events are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Broker")]
pub struct StoredCallsArgs {
    /// With --from, read only the events of this call's observer; may be repeated
    #[arg(short, long, value_name = "SID", value_delimiter = ',', value_parser = trimmed, requires = "from")]
    pub call: Vec<String>,
}
