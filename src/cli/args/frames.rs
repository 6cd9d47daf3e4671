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
    /// The API key (sent as a bearer token or as the subprotocol `auth`), proxy and certificates.
    #[command(flatten)]
    pub auth: AuthArgs,
}
