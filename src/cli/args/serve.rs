//! The arguments of `evtap serve`.

use std::path::PathBuf;

use clap::Args;

use crate::emulator;

/// `evtap serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Listen on this address
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8484")]
    pub listen: std::net::SocketAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    pub allow_remote: bool,
    /// Seed of the clinic; the same seed gives the same events
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Average number of events per second on the stream of each workspace
    #[arg(long, value_name = "N", default_value_t = 5.0, conflicts_with = "scenario")]
    pub rate: f64,
    /// Send every type of event at least once, or the scenario, then exit
    #[arg(long)]
    pub once: bool,
    /// Send one event to the clients of the emulator that runs on --listen, then exit
    ///
    /// Give the type and any fields: `--trigger call.escalated reason="chest pain"`. Required fields
    /// get synthetic values, and the call is the one that began last. A value is JSON or text, by the
    /// type of its field; `speaker.energy_trend=rising` sets a member. The clients of --workspace
    /// receive it, by default those of all workspaces.
    #[arg(
        long,
        value_names = ["EVENT", "FIELD=VALUE"],
        num_args = 1..,
        conflicts_with_all = ["scenario", "once", "rate", "workspaces", "faults", "fault_script", "ready_file", "log_requests"]
    )]
    pub trigger: Vec<String>,
    /// The scenario, if there is one.
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// Accept only this workspace id
    ///
    /// Default: any id.
    #[arg(long, value_name = "UUID")]
    pub workspace: Option<String>,
    /// Serve N workspaces with a clinic each, and accept no other
    ///
    /// Their ids end in their number: from `d3300000-0000-4000-8000-000000000001` to `…-` and N in
    /// twelve digits. N is at most 100000. --rate and --max-streams apply to each of them.
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "workspace",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(emulator::MAX_SERVED))
    )]
    pub workspaces: Option<u32>,
    /// Accept only the API key in this file
    ///
    /// Default: any key.
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Maximum number of open streams of a workspace
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub max_streams: usize,
    /// Write the base URL to this file as soon as the server accepts connections
    ///
    /// The file appears with its whole content, and is removed when the server ends. `GET /healthz`
    /// answers 200 from then on too. Clients can also wait with --wait.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
    /// Report each request on stderr: its method, its route and the status of the answer
    ///
    /// Ids and keys are not shown.
    #[arg(long)]
    pub log_requests: bool,
    /// Inject a fault into the next connection; may be repeated
    ///
    /// The first fault applies to the first connection, the second to the second, and so on:
    /// `status=503`, `status=429:retry-after=2`, `error=stream_error`, `cut=N` or `end=N` (after N
    /// bytes), `close=CODE`, `none`.
    #[arg(long = "fault", value_name = "FAULT")]
    pub faults: Vec<emulator::Fault>,
    /// Read more faults from this TOML file
    ///
    /// Its array `faults` has strings as for --fault. They apply after those of --fault.
    #[arg(long, value_name = "FILE")]
    pub fault_script: Option<PathBuf>,
}

/// The scenario that is served in place of a clinic's day.
#[derive(Debug, Args)]
pub struct ScenarioArgs {
    /// Play the events in this TOML file in place of a clinic's day
    ///
    /// Each workspace plays it when a client connects and no performance is running. Observe its call
    /// by the SID of the demo call. The file is described below.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Play the scenario at N times its speed
    #[arg(long, value_name = "N", default_value_t = 1.0, requires = "scenario")]
    pub speed: f64,
    /// Play the scenario again and again, each time with another call
    #[arg(long, requires = "scenario", conflicts_with = "once")]
    pub repeat: bool,
}
