//! The arguments of `evtap taps`.

use std::path::PathBuf;

use clap::Args;

use super::broker::BrokerArgs;
use super::output::ReportFormat;

/// `evtap taps`
#[derive(Debug, Args)]
pub struct TapsArgs {
    /// Stream of a NATS server that the taps publish to
    ///
    /// `nats://HOST[:PORT]/STREAM`, or `tls://` for TLS.
    #[arg(long, value_name = "URL", group = "broker")]
    pub from: String,
    /// Format of the list
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportFormat,
    /// How to reach the broker.
    #[command(flatten)]
    pub broker: BrokerArgs,
    /// Also trust the certificates in this PEM file
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// Allow plain text to other hosts
    #[arg(long)]
    pub insecure_http: bool,
}
