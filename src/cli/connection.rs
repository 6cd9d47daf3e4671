//! The options of where the platform is, or what stands in for it.

use std::path::PathBuf;

use clap::Args;

/// Where the platform is, and the key to it. The key itself is never an option: `AMIGO_API_KEY` or a file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// The platform's origin
    #[arg(
        long,
        value_name = "URL",
        env = "AMIGO_BASE_URL",
        hide_env_values = true,
        default_value = "https://api.platform.amigo.ai"
    )]
    pub base_url: String,
    /// The origin of the observer WebSocket, if it is another
    #[arg(long, value_name = "URL", env = "AMIGO_AGENT_BASE_URL", hide_env_values = true)]
    pub agent_base_url: Option<String>,
    /// A file with the API key; `AMIGO_API_KEY` otherwise
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Send the key, and what is forwarded, in the clear to hosts other than this one
    #[arg(long)]
    pub insecure_http: bool,
}

/// The built-in clinic.
#[derive(Debug, Args)]
#[command(next_help_heading = "Demo")]
pub struct Demo {
    /// The seed of the demo's day
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub demo_seed: u64,
    /// Events per second of the demo, on average
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    pub demo_rate: f64,
}
