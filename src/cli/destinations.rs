//! Destinations besides stdout: their options, and how they are opened.
//!
//! To add a destination, implement [`Destination`] in a file of `delivery`, declare its options and
//! implement [`DestinationOptions`] for them in a file of this module, and add a field to
//! [`DestinationArgs`] and a line to [`DestinationArgs::resolve`].

mod forward;
mod record;

use clap::Args;
use tokio::runtime::Handle;

use crate::delivery::Destination;
use crate::error::Result;
use crate::output::status::StatusFormat;
use crate::transport::client::Network;
use forward::ForwardArgs;
use record::RecordArgs;

/// The options of all destinations.
#[derive(Debug, Args)]
pub struct DestinationArgs {
    /// A file.
    #[command(flatten)]
    record: RecordArgs,
    /// An HTTP endpoint.
    #[command(flatten)]
    forward: ForwardArgs,
}

impl DestinationArgs {
    /// Checks the options. Returns the destinations that were asked for, in the order in which
    /// they take events; none is opened or created yet.
    pub fn resolve(&self, context: &DestinationContext<'_>) -> Result<Vec<OpenDestination>> {
        let options: [&dyn DestinationOptions; _] = [&self.record, &self.forward];
        options.into_iter().filter_map(|options| options.resolve(context).transpose()).collect()
    }
}

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
trait DestinationOptions {
    /// Checks the options. Returns `None` if the destination was not asked for.
    fn resolve(&self, context: &DestinationContext<'_>) -> Result<Option<OpenDestination>>;
}
