//! The interface that the options of all destinations implement.

use tokio::runtime::Handle;

use crate::delivery::Destination;
use crate::error::Result;
use crate::output::status::StatusFormat;
use crate::transport::client::Network;

/// The settings of the run that destinations use.
pub struct DestinationContext<'a> {
    /// The network settings, such as the proxy.
    pub network: &'a Network,
    /// The format of status messages.
    pub status: StatusFormat,
}

/// Opens a destination. Its blocking calls use the timers and sockets of the given runtime.
pub type OpenDestination = Box<dyn FnOnce(Handle) -> Result<Box<dyn Destination>> + Send>;

/// The options of one destination.
pub(super) trait DestinationOptions {
    /// Checks the options. Returns `None` if they do not select the destination.
    fn resolve(&self, context: &DestinationContext<'_>) -> Result<Option<OpenDestination>>;
}
