//! What the options of every destination have in common.

use tokio::runtime::Handle;

use crate::delivery::Destination;
use crate::error::Result;
use crate::output::status::StatusFormat;
use crate::transport::client::Network;

/// What destinations need to know of the run.
pub struct DestinationContext<'a> {
    /// How the network is reached.
    pub network: &'a Network,
    /// The format of status messages.
    pub status: StatusFormat,
}

/// Opens a destination, which blocks by the timers and sockets of the runtime.
pub type OpenDestination = Box<dyn FnOnce(Handle) -> Result<Box<dyn Destination>> + Send>;

/// The options of one destination.
pub(super) trait DestinationOptions {
    /// Checks the options. Returns `None` if the destination was not asked for.
    fn resolve(&self, context: &DestinationContext<'_>) -> Result<Option<OpenDestination>>;
}
