//! The arguments of `evtap serve`.

use std::path::PathBuf;

use clap::Args;

use crate::emulator;

/// `evtap serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8484")]
    pub listen: std::net::SocketAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    pub allow_remote: bool,
    /// The seed of the clinic's day; the same seed gives the same events
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Events per second on the workspace stream, on average
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    pub rate: f64,
    /// Play one round in which every event appears, then end
    #[arg(long)]
    pub once: bool,
    /// The only workspace there is; any id otherwise
    #[arg(long, value_name = "UUID")]
    pub workspace: Option<String>,
    /// A file with the only API key that is accepted; any key otherwise
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// How many streams may be open at once
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub max_streams: usize,
    /// What goes wrong, connection by connection: `status=503`, `status=429:retry-after=2`, `error=stream_error`, `cut=N`,
    /// `end=N` (after N bytes), `close=CODE`, `none`; may repeat
    #[arg(long = "fault", value_name = "FAULT")]
    pub faults: Vec<emulator::Fault>,
    /// A TOML file of faults, in an array `faults` of strings as for --fault; they come after those
    #[arg(long, value_name = "FILE")]
    pub fault_script: Option<PathBuf>,
}
