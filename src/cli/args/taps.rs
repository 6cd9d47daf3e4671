//! The arguments of `evtap taps`.

use std::path::PathBuf;

use clap::Args;

use super::output::ReportFormat;
use crate::transport::broker::DEFAULT_PREFIX;

/// `evtap taps`
#[derive(Debug, Args)]
pub struct TapsArgs {
    /// Stream of a NATS server that the taps publish to
    ///
    /// `nats://HOST[:PORT]/STREAM`, or `tls://` for TLS.
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// Format of the list
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: ReportFormat,
    /// Read the credentials for the NATS server from this file
    ///
    /// The file has mode 0600 and the format of `nsc generate creds`.
    #[arg(long, value_name = "FILE")]
    pub nats_creds: Option<PathBuf>,
    /// First part of the subjects of events, as in --publish-prefix of the taps
    #[arg(long, value_name = "PREFIX", default_value = DEFAULT_PREFIX)]
    pub publish_prefix: String,
    /// Also trust the certificates in this PEM file
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// Allow plain text to other hosts
    #[arg(long)]
    pub insecure_http: bool,
}
