//! The arguments of `evtap frames`.

use clap::Args;

use super::connection::AuthArgs;

/// `evtap frames`
#[derive(Debug, Args)]
pub struct FramesArgs {
    /// The `http`, `https`, `ws` or `wss` URL to open
    pub url: String,
    /// Confirm that the output is not redacted; must be `all`
    #[arg(long, value_name = "all")]
    pub reveal: Option<String>,
    /// Stop after N frames
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
    /// Maximum size of a frame
    ///
    /// Of a larger one, only the size is printed. A WebSocket is closed by it.
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    pub max_frame: String,
    /// Send the API key, as a bearer token or as the subprotocol `auth`
    ///
    /// Without this option, no credential is sent, whatever the environment and the configuration
    /// contain.
    #[arg(long = "auth", help_heading = "Connection")]
    pub sends_key: bool,
    /// The API key, proxy and certificates.
    #[command(flatten)]
    pub auth: AuthArgs,
}
