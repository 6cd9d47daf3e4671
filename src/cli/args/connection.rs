//! The options for reaching the platform, or the built-in demo that replaces it.

use std::path::PathBuf;

use clap::Args;

use crate::cli::secret_text::SecretText;

/// How to reach the platform.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Origin of the platform
    #[arg(
        long,
        value_name = "URL",
        env = "AMIGO_BASE_URL",
        hide_env_values = true,
        default_value = "https://api.platform.amigo.ai"
    )]
    pub base_url: String,
    /// Origin of the observer WebSocket, if it differs from --base-url
    #[arg(long, value_name = "URL", env = "AMIGO_AGENT_BASE_URL", hide_env_values = true)]
    pub agent_base_url: Option<String>,
    /// The API key, proxy and certificates.
    #[command(flatten)]
    pub auth: AuthArgs,
}

/// How to authenticate and connect.
///
/// The API key itself is never an option, because other users can read a command line. It comes from
/// `AMIGO_API_KEY`, a file or a command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct AuthArgs {
    /// Read the API key from this file
    ///
    /// Others should not be able to read it (mode 0600); evtap warns if they can. A pipe works too,
    /// such as `<(pass show amigo)`. Takes precedence over `AMIGO_API_KEY`.
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Run this shell command to get the API key
    ///
    /// The command prints the key. It does not get `AMIGO_API_KEY`, over which it takes precedence.
    /// Example: `pass show amigo`
    #[arg(long, value_name = "COMMAND", conflicts_with = "api_key_file")]
    pub api_key_command: Option<SecretText>,
    /// Connect through this proxy, or `none`
    ///
    /// The scheme is `http`, `https` or `socks5h`. Default: the proxy that `HTTPS_PROXY`,
    /// `HTTP_PROXY` or `ALL_PROXY` names. `NO_PROXY` is respected. Put a password in one of these
    /// variables or in a profile, because other users can read a command line.
    #[arg(long, value_name = "URL")]
    pub proxy: Option<SecretText>,
    /// Also trust the certificates in this PEM file
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// Allow plain http to other hosts
    ///
    /// The API key and forwarded events are then sent unencrypted. Plain http to this machine is
    /// always allowed.
    #[arg(long)]
    pub insecure_http: bool,
}

/// The built-in clinic.
#[derive(Debug, Args)]
#[command(next_help_heading = "Demo")]
pub struct DemoArgs {
    /// Seed of the demo; the same seed gives the same events
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub demo_seed: u64,
    /// Average number of events per second in the demo
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    pub demo_rate: f64,
}
