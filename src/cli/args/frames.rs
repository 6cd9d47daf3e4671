//! The arguments of `evtap frames`.

use clap::Args;

use super::connection::AuthArgs;

/// `evtap frames`
#[derive(Debug, Args)]
pub struct FramesArgs {
    /// An `http`, `https`, `ws` or `wss` URL
    pub url: String,
    /// Must be `all`: raw frames can't be redacted
    #[arg(long, value_name = "all")]
    pub reveal: Option<String>,
    /// Stop after that many frames
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
    /// The key, sent as a bearer or as the subprotocol `auth`, if there is one; and the way.
    #[command(flatten)]
    pub auth: AuthArgs,
}
