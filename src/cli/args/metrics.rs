//! The options for metrics.

use std::net::SocketAddr;

use clap::{ArgGroup, Args};

/// The options that serve metrics of a live command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Metrics")]
#[command(group = ArgGroup::new("stored").multiple(true))]
pub struct MetricsArgs {
    /// Serve metrics for Prometheus on this address
    ///
    /// They are at `http://ADDR/metrics` while the command runs, and contain no hidden values.
    /// Example: `127.0.0.1:9464`
    #[arg(long, value_name = "ADDR", conflicts_with = "stored")]
    pub metrics_listen: Option<SocketAddr>,
    /// Allow a --metrics-listen address that other machines can reach
    #[arg(long, requires = "metrics_listen")]
    pub metrics_allow_remote: bool,
}
