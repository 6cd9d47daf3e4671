//! The options of where the platform is, or what stands in for it.

use std::path::PathBuf;

use clap::Args;

/// Where the platform is, and the key to it. The key itself is never an option: `AMIGO_API_KEY` or a file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
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
    /// The key, and the way.
    #[command(flatten)]
    pub auth: AuthArgs,
}

/// The key, and the way to whoever it is for. The key itself is never an option: `AMIGO_API_KEY`, a file, or a command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct AuthArgs {
    /// A file with the API key; `AMIGO_API_KEY` otherwise
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// A command that prints the API key, such as `pass show amigo`, run by the shell
    #[arg(long, value_name = "COMMAND", conflicts_with = "api_key_file")]
    pub api_key_command: Option<String>,
    /// The proxy: `http`, `https` or `socks5h`, or `none`; what `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` name, if not given.
    /// `NO_PROXY` is heeded. A password is better off in these or in a profile than in the command line
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
    /// A PEM file of certificates to trust beside the system's
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// Send the key, and what is forwarded, in the clear to hosts other than this one
    #[arg(long)]
    pub insecure_http: bool,
}

/// The built-in clinic.
#[derive(Debug, Args)]
#[command(next_help_heading = "Demo")]
pub struct DemoArgs {
    /// The seed of the demo's day
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub demo_seed: u64,
    /// Events per second of the demo, on average
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    pub demo_rate: f64,
}
